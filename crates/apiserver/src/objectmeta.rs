//! ObjectMeta for every kind: what the server fills in, keeps, and refuses. Models
//! `apiserver/pkg/registry/rest` and `apimachinery/pkg/api/validation/objectmeta.go`.

mod names;

use api::{KindRef, Object};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{ApiError, FieldError, Path, Rng, Time};
use names::{label_value, name_errors, qualified_name};

/// Models `validation.TotalAnnotationSizeLimitB`.
const ANNOTATIONS_MAX_BYTES: usize = 256 * 1024;

/// Models `EnsureObjectNamespaceMatchesRequestNamespace`.
pub(crate) fn match_namespace(o: &mut dyn Object, requested: &str, kind: KindRef) -> Result<(), ApiError> {
    let meta = o.meta_mut();
    let own = meta.namespace.as_deref().unwrap_or("");
    if !kind.namespaced() {
        meta.namespace = None;
        return Ok(());
    }
    if own == requested || requested.is_empty() {
        return Ok(());
    }
    if own.is_empty() {
        meta.namespace = Some(requested.into());
        return Ok(());
    }
    let why = "the namespace of the provided object does not match the namespace sent on the request";
    Err(ApiError::bad_request(why))
}

/// What the server alone decides at creation.
pub(crate) fn fill_system_fields(o: &mut dyn Object, now: Time, rng: &mut Rng) {
    let meta = o.meta_mut();
    meta.creation_timestamp = Some(now.to_k8s());
    meta.uid = Some(rng.uuid());
    meta.deletion_timestamp = None;
    meta.deletion_grace_period_seconds = None;
    meta.self_link = None;
    meta.managed_fields = None;
    meta.resource_version = None;
    normalize(meta);
}

/// What an update cannot change.
pub(crate) fn keep_system_fields(o: &mut dyn Object, old: &ObjectMeta) {
    let meta = o.meta_mut();
    meta.uid.clone_from(&old.uid);
    meta.creation_timestamp.clone_from(&old.creation_timestamp);
    meta.deletion_timestamp.clone_from(&old.deletion_timestamp);
    meta.deletion_grace_period_seconds = old.deletion_grace_period_seconds;
    meta.generation = old.generation;
    meta.self_link = None;
    meta.managed_fields = None;
    if meta.generate_name.is_none() {
        meta.generate_name.clone_from(&old.generate_name);
    }
}

/// Empty is absent, as Go's `omitempty` has it.
pub(crate) fn normalize(meta: &mut ObjectMeta) {
    fn drop_empty<T>(o: &mut Option<T>, empty: impl Fn(&T) -> bool) {
        if o.as_ref().is_some_and(empty) {
            *o = None;
        }
    }
    drop_empty(&mut meta.labels, |m| m.is_empty());
    drop_empty(&mut meta.annotations, |m| m.is_empty());
    drop_empty(&mut meta.finalizers, |f| f.is_empty());
    drop_empty(&mut meta.owner_references, |r| r.is_empty());
    drop_empty(&mut meta.generate_name, |g| g.is_empty());
}

/// Models `ValidateObjectMetaAccessor`.
pub(crate) fn validate(meta: &ObjectMeta, kind: KindRef) -> Vec<FieldError> {
    let path = Path::new("metadata");
    let mut errors = Vec::new();
    if let Some(g) = &meta.generate_name {
        let at = path.child("generateName");
        errors.extend(name_errors(kind, g, true).into_iter().map(|why| FieldError::invalid(&at, g.as_str(), why)));
    }
    let name = meta.name.as_deref().unwrap_or("");
    let at = path.child("name");
    if name.is_empty() {
        errors.push(FieldError::required(&at, "name or generateName is required"));
    } else {
        errors.extend(name_errors(kind, name, false).into_iter().map(|why| FieldError::invalid(&at, name, why)));
    }
    if kind.namespaced() {
        let ns = meta.namespace.as_deref().unwrap_or("");
        let at = path.child("namespace");
        if ns.is_empty() {
            errors.push(FieldError::required(&at, ""));
        } else {
            errors.extend(names::label_1123(ns).into_iter().map(|why| FieldError::invalid(&at, ns, why)));
        }
    }
    validate_rest(meta, &path, &mut errors);
    errors
}

/// What a user may change at any time.
fn validate_rest(meta: &ObjectMeta, path: &Path, errors: &mut Vec<FieldError>) {
    let at = path.child("labels");
    for (k, v) in meta.labels.iter().flatten() {
        errors.extend(qualified_name(k).into_iter().map(|why| FieldError::invalid(&at, k.as_str(), why)));
        errors.extend(label_value(v).into_iter().map(|why| FieldError::invalid(&at, v.as_str(), why)));
    }
    let at = path.child("annotations");
    let mut size = 0;
    for (k, v) in meta.annotations.iter().flatten() {
        errors.extend(
            qualified_name(&k.to_ascii_lowercase()).into_iter().map(|why| FieldError::invalid(&at, k.as_str(), why)),
        );
        size += k.len() + v.len();
    }
    if size > ANNOTATIONS_MAX_BYTES {
        errors.push(FieldError::too_long(&at, ANNOTATIONS_MAX_BYTES));
    }
    validate_owners(meta, &path.child("ownerReferences"), errors);
    let at = path.child("finalizers");
    for f in meta.finalizers.iter().flatten() {
        let why = qualified_name(f);
        let known = f.contains('/') || matches!(f.as_str(), "foregroundDeletion" | "orphan" | "kubernetes");
        if why.is_empty() && !known {
            let why = "name is neither a standard finalizer name nor is it fully qualified";
            errors.push(FieldError::invalid(&at, f.as_str(), why));
        }
        errors.extend(why.into_iter().map(|why| FieldError::invalid(&at, f.as_str(), why)));
    }
}

fn validate_owners(meta: &ObjectMeta, path: &Path, errors: &mut Vec<FieldError>) {
    let mut controller: Option<String> = None;
    for r in meta.owner_references.iter().flatten() {
        if r.api_version.is_empty() {
            errors.push(FieldError::invalid(&path.child("apiVersion"), "", "version must not be empty"));
        }
        for (field, value) in [("kind", &r.kind), ("name", &r.name), ("uid", &r.uid)] {
            if value.is_empty() {
                errors.push(FieldError::invalid(&path.child(field), "", "must not be empty"));
            }
        }
        if r.controller == Some(true) {
            let own = format!("{}/{}", r.kind, r.name);
            if let Some(first) = &controller {
                let why = format!(
                    "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {own}"
                );
                errors.push(FieldError::invalid(path, "", why));
            } else {
                controller = Some(own);
            }
        }
    }
}

/// Models `ValidateObjectMetaAccessorUpdate`.
pub(crate) fn validate_update(new: &ObjectMeta, old: &ObjectMeta, kind: KindRef) -> Vec<FieldError> {
    let path = Path::new("metadata");
    let mut errors = Vec::new();
    if kind.namespaced() && new.namespace != old.namespace {
        let value = new.namespace.as_deref().unwrap_or("");
        errors.push(FieldError::invalid(&path.child("namespace"), value, "field is immutable"));
    }
    if old.deletion_timestamp.is_some() {
        let was = old.finalizers.as_deref().unwrap_or_default();
        let added: Vec<&str> =
            new.finalizers.iter().flatten().filter(|f| !was.contains(f)).map(String::as_str).collect();
        if !added.is_empty() {
            let why = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                added.iter().map(|f| format!("{f:?}")).collect::<Vec<_>>().join(", ")
            );
            errors.push(FieldError::forbidden(&path.child("finalizers"), why));
        }
    }
    validate_rest(new, &path, &mut errors);
    errors
}
