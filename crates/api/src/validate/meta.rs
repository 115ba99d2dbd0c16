//! ObjectMeta. Models `k8s.io/apimachinery/pkg/api/validation/objectmeta.go`.

use super::{IMMUTABLE, NameRule, each, invalid_json, names, nonnegative, text, validate_labels};
use crate::registration::{Kind, Scope};
use ::meta::{FieldError, Path};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use serde::Serialize;
use std::collections::BTreeMap;

const ANNOTATIONS_MAX_BYTES: usize = 256 * 1024;

/// What every kind's create checks. `path` is `metadata`. Models `ValidateObjectMeta`.
pub fn validate_meta(m: &ObjectMeta, scope: Scope, name_rule: NameRule, path: &Path) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let generate = text(&m.generate_name);
    if !generate.is_empty() {
        errors.extend(each(&path.child("generateName"), generate, name_rule(generate, true)));
    }
    let name = text(&m.name);
    if name.is_empty() {
        errors.push(FieldError::required(&path.child("name"), "name or generateName is required"));
    } else {
        errors.extend(each(&path.child("name"), name, name_rule(name, false)));
    }
    let namespace = text(&m.namespace);
    let at = path.child("namespace");
    match (scope, namespace) {
        (Scope::Namespaced, "") => errors.push(FieldError::required(&at, "")),
        (Scope::Namespaced, ns) => errors.extend(each(&at, ns, names::rule::label(ns, false))),
        (Scope::Cluster, "") => {}
        (Scope::Cluster, _) => errors.push(FieldError::forbidden(&at, "not allowed on this type")),
    }
    nonnegative(&path.child("generation"), m.generation.unwrap_or(0), &mut errors);
    common(m, path, &mut errors);
    errors
}

/// What every kind's update checks. Models `ValidateObjectMetaUpdate`.
pub fn validate_meta_update(new: &ObjectMeta, old: &ObjectMeta, path: &Path) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if old.deletion_timestamp.is_some() {
        let kept = old.finalizers.as_deref().unwrap_or_default();
        let mut extra: Vec<&String> = new.finalizers.iter().flatten().filter(|f| !kept.contains(f)).collect();
        extra.sort();
        extra.dedup();
        if !extra.is_empty() {
            let list: Vec<String> = extra.iter().map(|f| format!("{f:?}")).collect();
            let why = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                list.join(", ")
            );
            errors.push(FieldError::forbidden(&path.child("finalizers"), why));
        }
    }
    let version = text(&new.resource_version);
    if version.is_empty() {
        errors.push(FieldError::invalid(&path.child("resourceVersion"), version, "must be specified for an update"));
    }
    let generation = new.generation.unwrap_or(0);
    if generation < old.generation.unwrap_or(0) {
        errors.push(FieldError::invalid(&path.child("generation"), generation, "must not be decremented"));
    }
    let mut fixed = |field: &str, new: &dyn Fn() -> String, same: bool| {
        if !same {
            let mut e = FieldError::invalid(&path.child(field), "", IMMUTABLE);
            e.value = new();
            errors.push(e);
        }
    };
    fixed("name", &|| json(&text(&new.name)), text(&new.name) == text(&old.name));
    fixed("namespace", &|| json(&text(&new.namespace)), text(&new.namespace) == text(&old.namespace));
    fixed("uid", &|| json(&text(&new.uid)), text(&new.uid) == text(&old.uid));
    fixed("creationTimestamp", &|| json(&new.creation_timestamp), new.creation_timestamp == old.creation_timestamp);
    fixed("deletionTimestamp", &|| json(&new.deletion_timestamp), new.deletion_timestamp == old.deletion_timestamp);
    fixed(
        "deletionGracePeriodSeconds",
        &|| json(&new.deletion_grace_period_seconds),
        new.deletion_grace_period_seconds == old.deletion_grace_period_seconds,
    );
    common(new, path, &mut errors);
    errors
}

fn json(v: &impl Serialize) -> String {
    super::json_text(v)
}

fn common(m: &ObjectMeta, path: &Path, errors: &mut Vec<FieldError>) {
    errors.extend(validate_labels(&path.child("labels"), m.labels.as_ref()));
    errors.extend(validate_annotations(&path.child("annotations"), m.annotations.as_ref()));
    owner_references(&path.child("ownerReferences"), m.owner_references.as_deref().unwrap_or_default(), errors);
    finalizers(&path.child("finalizers"), m.finalizers.as_deref().unwrap_or_default(), errors);
}

/// Models `ValidateAnnotations`: keys are qualified names in any case, the total size is bounded.
pub fn validate_annotations(path: &Path, annotations: Option<&BTreeMap<String, String>>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut bytes = 0;
    for (k, v) in annotations.into_iter().flatten() {
        errors.extend(each(path, k, names::qualified_name(&k.to_lowercase())));
        bytes += k.len() + v.len();
    }
    if bytes > ANNOTATIONS_MAX_BYTES {
        errors.push(FieldError::too_long(path, ANNOTATIONS_MAX_BYTES));
    }
    errors
}

fn owner_references(path: &Path, owners: &[OwnerReference], errors: &mut Vec<FieldError>) {
    let mut controller: Option<String> = None;
    for o in owners {
        let version = o.api_version.rsplit('/').next().unwrap_or("");
        for (field, value, missing, why) in [
            ("apiVersion", &o.api_version, version.is_empty(), "version must not be empty"),
            ("kind", &o.kind, o.kind.is_empty(), "must not be empty"),
            ("name", &o.name, o.name.is_empty(), "must not be empty"),
            ("uid", &o.uid, o.uid.is_empty(), "must not be empty"),
        ] {
            if missing {
                errors.push(FieldError::invalid(&path.child(field), value.as_str(), why));
            }
        }
        if o.api_version == "v1" && o.kind == "Event" {
            let mut e = FieldError::invalid(path, "", "/v1, Kind=Event is disallowed from being an owner");
            e.value = owner_json(o);
            errors.push(e);
        }
        if o.controller == Some(true) {
            let this = format!("{}/{}", o.kind, o.name);
            match &controller {
                None => controller = Some(this),
                Some(first) => {
                    let mut e = FieldError::invalid(path, "", "");
                    e.value = format!("[{}]", owners.iter().map(owner_json).collect::<Vec<_>>().join(","));
                    e.detail = format!(
                        "Only one reference can have Controller set to true. Found \"true\" in references for {first} \
                         and {this}"
                    );
                    errors.push(e);
                }
            }
        }
    }
}

/// In the order of upstream's struct.
fn owner_json(o: &OwnerReference) -> String {
    let mut out = format!(
        "{{\"apiVersion\":{},\"kind\":{},\"name\":{},\"uid\":{}",
        json(&o.api_version),
        json(&o.kind),
        json(&o.name),
        json(&o.uid)
    );
    if let Some(c) = o.controller {
        out.push_str(&format!(",\"controller\":{c}"));
    }
    if let Some(b) = o.block_owner_deletion {
        out.push_str(&format!(",\"blockOwnerDeletion\":{b}"));
    }
    out.push('}');
    out
}

fn finalizers(path: &Path, list: &[String], errors: &mut Vec<FieldError>) {
    for f in list {
        errors.extend(each(path, f, names::qualified_name(f)));
    }
    let has = |name: &str| list.iter().any(|f| f == name);
    if has("orphan") && has("foregroundDeletion") {
        errors.push(invalid_json(path, &list, "finalizer orphan and foregroundDeletion cannot be both set"));
    }
}

/// What the finalizers of Kubernetes' own kinds must be besides: definitions and their objects are free. Models the second
/// half of `ValidateObjectMeta` of `pkg/apis/core/validation`.
pub fn validate_own_finalizers(kind: &Kind, m: &ObjectMeta, path: &Path) -> Vec<FieldError> {
    if kind.custom.is_some() || kind.group == "apiextensions.k8s.io" {
        return Vec::new();
    }
    let list = m.finalizers.as_deref().unwrap_or_default();
    let path = path.child("finalizers");
    list.iter().enumerate().filter_map(|(i, f)| kube_finalizer(&path.index(i), f)).collect()
}

/// Models `ValidateFinalizerName` of `pkg/apis/core/validation`.
pub fn validate_finalizer_name(path: &Path, name: &str) -> Vec<FieldError> {
    let mut errors: Vec<FieldError> = each(path, name, names::qualified_name(name)).collect();
    errors.extend(kube_finalizer(path, name));
    errors
}

/// Models `validateKubeFinalizerName`.
fn kube_finalizer(path: &Path, name: &str) -> Option<FieldError> {
    let standard = ["kubernetes", "orphan", "foregroundDeletion"].contains(&name);
    let why = "name is neither a standard finalizer name nor is it fully qualified";
    (!name.contains('/') && !standard).then(|| FieldError::invalid(path, name, why))
}
