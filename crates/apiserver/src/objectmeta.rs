//! ObjectMeta for every kind: what the server fills in and keeps. Models `apiserver/pkg/registry/rest`.

use api::{KindRef, Object};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{ApiError, Rng, Time};

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

/// What an update keeps, said or not; what it may not say is left for validation to refuse. Models `BeforeUpdate`.
pub(crate) fn keep_system_fields(o: &mut dyn Object, old: &ObjectMeta) {
    let meta = o.meta_mut();
    // Another one is refused by the validation.
    if meta.uid.as_deref().is_none_or(str::is_empty) {
        meta.uid.clone_from(&old.uid);
    }
    meta.creation_timestamp.clone_from(&old.creation_timestamp);
    if old.deletion_timestamp.is_some() {
        meta.deletion_timestamp.clone_from(&old.deletion_timestamp);
    }
    if meta.deletion_grace_period_seconds.is_none() {
        meta.deletion_grace_period_seconds = old.deletion_grace_period_seconds;
    }
    meta.generation = old.generation;
    meta.self_link = None;
    meta.managed_fields = None;
}

/// Equal owner references become one. Returns the uids that were said twice. Models `dedupOwnerReferences`.
pub(crate) fn dedup_owners(o: &mut dyn Object) -> Vec<String> {
    let Some(owners) = &mut o.meta_mut().owner_references else { return Vec::new() };
    let mut twice = Vec::new();
    let mut kept = Vec::with_capacity(owners.len());
    for r in owners.drain(..) {
        if kept.contains(&r) {
            twice.push(r.uid);
        } else {
            kept.push(r);
        }
    }
    *owners = kept;
    twice
}

/// `when`: empty, or where in the way of a patch they were found.
pub(crate) fn warn_of_owners(twice: &[String], when: &str, warnings: &mut Vec<String>) {
    if !twice.is_empty() {
        warnings.push(format!(
            ".metadata.ownerReferences contains duplicate entries{when}; API server dedups owner references in 1.20+, \
             and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: {}",
            twice.join(", ")
        ));
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
