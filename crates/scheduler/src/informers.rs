//! The kinds that plugins only read, and how [`Objects`] follows them. Models the informers of
//! `pkg/scheduler/eventhandlers.go`.

use crate::framework::Objects;
use api::{KindRef, Obj, ObjectExt, Registered};
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::{Namespace, Service};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use meta::Key;
use std::any::Any;
use std::sync::Arc;

/// Takes in the new state of one object; `None`: it is gone.
type Follow = fn(&mut Objects, &Key, Option<&Obj>);

static KINDS: &[(KindRef, Follow)] = &[
    (Service::KIND_REF, |objects, key, new| match new.and_then(|o| o.downcast()) {
        Some(service) => objects.set_service(service),
        None => objects.remove_service(key),
    }),
    (ReplicaSet::KIND_REF, |objects, key, new| match new.and_then(|o| o.downcast()) {
        Some(rs) => objects.set_replica_set(rs),
        None => objects.remove_replica_set(key),
    }),
    (Namespace::KIND_REF, |objects, key, new| match new.and_then(|o| o.downcast()) {
        Some(namespace) => objects.set_namespace(namespace),
        None => objects.remove_namespace(key.name()),
    }),
    (PodDisruptionBudget::KIND_REF, |objects, key, new| objects.set_budget(key, new.and_then(shared))),
];

/// The typed object behind the pointer, without a copy.
pub fn shared<T: Registered>(o: &Obj) -> Option<Arc<T>> {
    let any: Arc<dyn Any + Send + Sync> = o.clone();
    any.downcast().ok()
}

pub fn kinds() -> impl Iterator<Item = KindRef> {
    KINDS.iter().map(|(k, _)| *k)
}

/// Whether the kind is one of these.
pub fn follow(objects: &mut Objects, kind: KindRef, key: &Key, new: Option<&Obj>) -> bool {
    let found = KINDS.iter().find(|(k, _)| *k == kind);
    if let Some((_, follow)) = found {
        follow(objects, key, new);
    }
    found.is_some()
}
