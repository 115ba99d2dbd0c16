//! `namespace`, `namePrefix` and `nameSuffix`. Models kustomize's namespace, prefix and suffix transformers.

use super::config::{Config, Place};
use super::places::is_one_of;
use super::resource::{Resource, map_at};
use super::text;
use crate::error::Error;
use crate::print::gojson;
use crate::print::yaml::to_yaml;
use serde_json::{Map, Value};

/// Group, kind, path, and whether it is made when it is missing.
const ELSEWHERE: [(&str, &str, &str, bool); 3] = [
    ("", "Namespace", "metadata/name", true),
    ("apiregistration.k8s.io", "APIService", "spec/service/namespace", true),
    (
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        "spec/conversion/webhook/clientConfig/service/namespace",
        false,
    ),
];

/// What keeps its name.
const UNNAMED: &[(&str, &str)] =
    &[("", "CustomResourceDefinition"), ("apiregistration.k8s.io", "APIService"), ("", "Namespace")];

/// Which accounts of role bindings get the namespace.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Subjects {
    Default,
    Accounts,
    None,
}

/// Models `NamespaceTransformer`.
pub(super) struct Namespace<'n> {
    pub name: &'n str,
    /// Namespaces that are there are kept.
    pub unset_only: bool,
    pub subjects: Subjects,
    pub places: Vec<Place>,
}

pub(super) fn namespace(k: &Map<String, Value>, config: &Config, all: &mut [Resource]) -> Result<(), Error> {
    let Some(name) = k.get("namespace").and_then(Value::as_str).filter(|n| !n.is_empty()) else { return Ok(()) };
    let place = |(group, kind, path, create): (&str, &str, &str, bool)| Place {
        group: group.into(),
        kind: kind.into(),
        path: path.into(),
        create,
        ..Place::default()
    };
    let places = ELSEWHERE.map(place).into_iter().chain(config.of("namespace").iter().cloned()).collect();
    Namespace { name, unset_only: false, subjects: Subjects::Default, places }.apply(all)
}

impl Namespace<'_> {
    fn set(&self, v: &mut Value) {
        if !self.unset_only || v.is_null() || v.as_str() == Some("") {
            *v = self.name.into();
        }
    }

    pub fn apply(&self, all: &mut [Resource]) -> Result<(), Error> {
        for i in 0..all.len() {
            all[i].store_id();
            self.put(&mut all[i])?;
            let now = all[i].id();
            let same: Vec<&Resource> = all.iter().filter(|o| o.name() == now.name && o.id().equals(&now)).collect();
            if same.len() != 1 {
                let list: Vec<String> = same.iter().map(|r| gojson::compact(&r.noted())).collect();
                return Err(text(format!("namespace transformation produces ID conflict: [{}]", list.join(" "))));
            }
        }
        Ok(())
    }

    /// Models `filters/namespace`.
    pub fn put(&self, r: &mut Resource) -> Result<(), Error> {
        let id = r.id();
        if !id.is_cluster_scoped() {
            self.set(r.metadata().entry("namespace").or_insert(Value::Null));
        }
        // The account that is there by itself; others follow the accounts they name.
        let binds = |kind: &str| matches!(kind, "RoleBinding" | "ClusterRoleBinding");
        if binds(&id.kind) {
            for s in r.object.get_mut("subjects").and_then(Value::as_array_mut).into_iter().flatten() {
                let is_meant = match self.subjects {
                    Subjects::Default => s.get("name").is_some_and(|n| n == "default"),
                    Subjects::Accounts => s.get("kind").is_some_and(|k| k == "ServiceAccount"),
                    Subjects::None => false,
                };
                if let Some(s) = s.as_object_mut().filter(|_| is_meant) {
                    self.set(s.entry("namespace").or_insert(Value::Null));
                }
            }
        }
        let core = id.group.is_empty() && id.version == "v1";
        for place in &self.places {
            let left_out = match place.path.as_str() {
                "metadata/namespace" => true,
                "metadata/name" => !core,
                "subjects/namespace" => binds(&id.kind) && binds(&place.kind),
                _ => false,
            };
            if left_out {
                continue;
            }
            let put = place.spec().each(r, &mut |v| match scalar_only(v) {
                Ok(()) => {
                    self.set(v);
                    Ok(())
                }
                why => why,
            });
            let what = |e: Error| text(format!("namespace field specs must target scalar nodes: {}", e.go()));
            put.map_err(what)?;
        }
        Ok(())
    }
}

fn scalar_only(v: &Value) -> Result<(), String> {
    let kind = match v {
        Value::Object(_) => "MappingNode",
        Value::Array(_) => "SequenceNode",
        _ => return Ok(()),
    };
    Err(format!("wrong node kind: expected ScalarNode but got {kind}: node contents:\n{}", to_yaml(v)))
}

/// `namePrefix` and `nameSuffix`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Prefix,
    Suffix,
}

pub(super) fn affixes(k: &Map<String, Value>, config: &Config, all: &mut [Resource]) -> Result<(), Error> {
    for (field, end) in [("namePrefix", End::Prefix), ("nameSuffix", End::Suffix)] {
        let affix = k.get(field).and_then(Value::as_str).unwrap_or("");
        if affix.is_empty() {
            continue;
        }
        let mut places = config.of(field).to_vec();
        let all_names = Place { path: "metadata/name".into(), ..Place::default() };
        if !config.shadows(field, &all_names) {
            places.push(all_names);
        }
        affixed(affix, end, &places, all)?;
    }
    Ok(())
}

/// Models `PrefixTransformer` and `SuffixTransformer`.
pub(super) fn affixed(affix: &str, end: End, places: &[Place], all: &mut [Resource]) -> Result<(), Error> {
    for r in all.iter_mut() {
        let id = r.original();
        if is_one_of(&id, UNNAMED) {
            continue;
        }
        for place in places.iter().filter(|p| id.is_kind(&p.group, &p.version, &p.kind)) {
            if place.path == "metadata/name" {
                if end == End::Prefix { &mut r.prefixes } else { &mut r.suffixes }.push(affix.into());
                if !affix.is_empty() {
                    r.store_id();
                }
            }
            place.spec().each(r, &mut |v| {
                if v.is_object() || v.is_array() {
                    let kind = if v.is_object() { "MappingNode" } else { "SequenceNode" };
                    return Err(format!("wrong node kind: expected ScalarNode but got {kind}"));
                }
                let whole = v.as_str().map_or_else(|| v.to_string(), String::from);
                let whole = if v.is_null() { "" } else { &whole };
                *v = if end == End::Prefix { format!("{affix}{whole}") } else { format!("{whole}{affix}") }.into();
                Ok(())
            })?;
        }
    }
    Ok(())
}

/// `buildMetadata: [managedByLabel]`.
pub(super) fn managed_by(all: &mut [Resource], version: &str) {
    for r in all {
        r.metadata();
        if let Some(metadata) = r.object.get_mut("metadata") {
            map_at(metadata, "labels")
                .insert("app.kubernetes.io/managed-by".into(), format!("kustomize-{version}").into());
        }
    }
}
