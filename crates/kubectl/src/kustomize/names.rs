//! `namespace`, `namePrefix` and `nameSuffix`. Models kustomize's namespace, prefix and suffix transformers.

use super::config::Config;
use super::places::{Spec, is_one_of};
use super::resource::{Resource, map_at};
use super::text;
use crate::error::Error;
use crate::print::gojson;
use serde_json::{Map, Value};

const ELSEWHERE: [Spec<'_>; 2] = [
    Spec {
        group: "apiregistration.k8s.io",
        version: "",
        kind: "APIService",
        path: "spec/service/namespace",
        create: true,
    },
    Spec {
        group: "apiextensions.k8s.io",
        version: "",
        kind: "CustomResourceDefinition",
        path: "spec/conversion/webhook/clientConfig/service/namespace",
        create: false,
    },
];

/// What keeps its name.
const UNNAMED: &[(&str, &str)] =
    &[("", "CustomResourceDefinition"), ("apiregistration.k8s.io", "APIService"), ("", "Namespace")];

pub(super) fn namespace(k: &Map<String, Value>, config: &Config, all: &mut [Resource]) -> Result<(), Error> {
    let Some(namespace) = k.get("namespace").and_then(Value::as_str).filter(|n| !n.is_empty()) else { return Ok(()) };
    for i in 0..all.len() {
        let r = &mut all[i];
        r.store_id();
        let id = r.id();
        if !id.is_cluster_scoped() {
            r.set_namespace(namespace);
        }
        if id.kind == "Namespace" && id.group.is_empty() && id.version == "v1" {
            r.set_name(namespace);
        }
        // The account that is there by itself; others follow the accounts they name.
        if matches!(id.kind.as_str(), "RoleBinding" | "ClusterRoleBinding") {
            for s in r.object.get_mut("subjects").and_then(Value::as_array_mut).into_iter().flatten() {
                if s.get("name").is_some_and(|n| n == "default")
                    && let Some(s) = s.as_object_mut()
                {
                    s.insert("namespace".into(), namespace.into());
                }
            }
        }
        let own = config.of("namespace").iter().filter(|p| p.path != "metadata/namespace").map(|p| p.spec());
        for spec in ELSEWHERE.into_iter().chain(own) {
            spec.each(r, &mut |v| {
                *v = namespace.into();
                Ok(())
            })?;
        }
        let now = all[i].id();
        let same: Vec<&Resource> = all.iter().filter(|o| o.name() == now.name && o.id().equals(&now)).collect();
        if same.len() != 1 {
            let list: Vec<String> = same.iter().map(|r| gojson::compact(&r.object)).collect();
            return Err(text(format!("namespace transformation produces ID conflict: [{}]", list.join(" "))));
        }
    }
    Ok(())
}

pub(super) fn affixes(k: &Map<String, Value>, config: &Config, all: &mut [Resource]) -> Result<(), Error> {
    let text = |f: &str| k.get(f).and_then(Value::as_str).unwrap_or("");
    let (prefix, suffix) = (text("namePrefix"), text("nameSuffix"));
    for r in all.iter_mut().filter(|r| !is_one_of(&r.original(), UNNAMED)) {
        if !prefix.is_empty() {
            r.prefixes.push(prefix.into());
            r.store_id();
            let name = format!("{prefix}{}", r.name());
            r.set_name(&name);
            elsewhere(r, config, "namePrefix", &|v| format!("{prefix}{v}"))?;
        }
    }
    for r in all.iter_mut().filter(|r| !is_one_of(&r.original(), UNNAMED)) {
        if !suffix.is_empty() {
            r.suffixes.push(suffix.into());
            r.store_id();
            let name = format!("{}{suffix}", r.name());
            r.set_name(&name);
            elsewhere(r, config, "nameSuffix", &|v| format!("{v}{suffix}"))?;
        }
    }
    Ok(())
}

/// What has the name besides the object itself.
fn elsewhere(r: &mut Resource, config: &Config, field: &str, change: &dyn Fn(&str) -> String) -> Result<(), Error> {
    for place in config.of(field).iter().filter(|p| p.path != "metadata/name") {
        place.spec().each(r, &mut |v| {
            if v.is_object() || v.is_array() {
                let kind = if v.is_object() { "MappingNode" } else { "SequenceNode" };
                return Err(format!("wrong node kind: expected ScalarNode but got {kind}"));
            }
            let text = v.as_str().map_or_else(|| v.to_string(), String::from);
            *v = change(if v.is_null() { "" } else { &text }).into();
            Ok(())
        })?;
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
