//! The kinds that plugins only read, and how [`Objects`] follows them. Models the informers of
//! `pkg/scheduler/eventhandlers.go`.

use crate::framework::event::Was;
use crate::framework::{ClusterEvent, Objects};
use api::{KindRef, Obj, ObjectExt, Registered};
use k8s_openapi::api::apps::v1::{ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::{Namespace, PersistentVolume, PersistentVolumeClaim, ReplicationController, Service};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::resource::v1::{DeviceClass, ResourceClaim, ResourceSlice};
use k8s_openapi::api::storage::v1::{CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment};
use meta::Key;
use std::any::Any;
use std::sync::Arc;

/// Takes in the new state of one object; `None`: it is gone.
type Follow = fn(&mut Objects, &Key, Option<&Obj>);

/// Keeps a map of the store of storage objects true.
macro_rules! stored {
    ($type:ty, $map:ident, $key:expr) => {
        (<$type>::KIND_REF, |objects, key, new| {
            let at = $key(key);
            match new.and_then(shared) {
                Some(object) => objects.storage.$map.insert(at, object),
                None => objects.storage.$map.remove(&at),
            };
        })
    };
}

static KINDS: &[(KindRef, Follow)] = &[
    (Service::KIND_REF, |objects, key, new| match new.and_then(|o| o.downcast()) {
        Some(service) => objects.set_service(service),
        None => objects.remove_service(key),
    }),
    (ReplicaSet::KIND_REF, |objects, key, new| match new.and_then(|o| o.downcast()) {
        Some(rs) => objects.set_replica_set(rs),
        None => objects.remove_replica_set(key),
    }),
    (StatefulSet::KIND_REF, |objects, key, new| match new.and_then(|o| o.downcast()) {
        Some(set) => objects.set_stateful_set(set),
        None => objects.remove_stateful_set(key),
    }),
    (ReplicationController::KIND_REF, |objects, key, new| match new.and_then(|o| o.downcast()) {
        Some(rc) => objects.set_replication_controller(rc),
        None => objects.remove_replication_controller(key),
    }),
    (Namespace::KIND_REF, |objects, key, new| match new.and_then(|o| o.downcast()) {
        Some(namespace) => objects.set_namespace(namespace),
        None => objects.remove_namespace(key.name()),
    }),
    (PodDisruptionBudget::KIND_REF, |objects, key, new| objects.set_budget(key, new.and_then(shared))),
    stored!(PersistentVolumeClaim, claims, Key::clone),
    stored!(PersistentVolume, volumes, name),
    stored!(StorageClass, classes, name),
    stored!(CSINode, csi_nodes, name),
    stored!(CSIDriver, csi_drivers, name),
    stored!(CSIStorageCapacity, capacities, Key::clone),
    stored!(VolumeAttachment, attachments, name),
    (ResourceClaim::KIND_REF, |objects, key, new| match new.and_then(shared::<ResourceClaim>) {
        Some(claim) => objects.devices.set_claim(claim),
        None => objects.devices.remove_claim(key),
    }),
    (DeviceClass::KIND_REF, |objects, key, new| match new.and_then(shared::<DeviceClass>) {
        Some(class) => objects.devices.set_class(class),
        None => objects.devices.remove_class(key.name()),
    }),
    (ResourceSlice::KIND_REF, |objects, key, new| match new.and_then(shared::<ResourceSlice>) {
        Some(slice) => objects.devices.set_slice(slice),
        None => objects.devices.remove_slice(key.name()),
    }),
];

fn name(key: &Key) -> String {
    key.name().into()
}

/// The change as pods that wait see it; `None` of a kind that none waits for.
pub fn event<'a>(
    objects: &'a Objects,
    kind: KindRef,
    old: Option<&'a Obj>,
    new: Option<&'a Obj>,
) -> Option<ClusterEvent<'a>> {
    fn was<'a, T: Registered>(old: Option<&'a Obj>, new: Option<&'a Obj>) -> Was<'a, T> {
        Was { old: old.and_then(|o| o.downcast()), new: new.and_then(|o| o.downcast()) }
    }
    type Make<'a> = fn(Option<&'a Obj>, Option<&'a Obj>) -> ClusterEvent<'a>;
    if kind == ResourceClaim::KIND_REF {
        return Some(ClusterEvent::DeviceClaim(was(old, new), &objects.devices));
    }
    let events: &[(KindRef, Make<'a>)] = &[
        (PersistentVolumeClaim::KIND_REF, |old, new| ClusterEvent::Claim(was(old, new))),
        (PersistentVolume::KIND_REF, |old, new| ClusterEvent::Volume(was(old, new))),
        (StorageClass::KIND_REF, |old, new| ClusterEvent::Class(was(old, new))),
        (CSINode::KIND_REF, |old, new| ClusterEvent::CsiNode(was(old, new))),
        (CSIDriver::KIND_REF, |old, new| ClusterEvent::CsiDriver(was(old, new))),
        (CSIStorageCapacity::KIND_REF, |old, new| ClusterEvent::Capacity(was(old, new))),
        (VolumeAttachment::KIND_REF, |old, new| ClusterEvent::Attachment(was(old, new))),
        (DeviceClass::KIND_REF, |old, new| ClusterEvent::DeviceClass(was(old, new))),
        (ResourceSlice::KIND_REF, |old, new| ClusterEvent::DeviceSlice(was(old, new))),
    ];
    events.iter().find(|(k, _)| *k == kind).map(|(_, event)| event(old, new))
}

/// The typed object behind the pointer, without a copy.
pub fn shared<T: Registered>(o: &Obj) -> Option<Arc<T>> {
    let any: Arc<dyn Any + Send + Sync> = o.clone();
    any.downcast().ok()
}

pub fn kinds() -> impl Iterator<Item = KindRef> {
    KINDS.iter().map(|(k, _)| *k)
}

/// Takes in a change of one of these kinds.
pub fn follow(objects: &mut Objects, kind: KindRef, key: &Key, new: Option<&Obj>) {
    if let Some((_, follow)) = KINDS.iter().find(|(k, _)| *k == kind) {
        follow(objects, key, new);
    }
}
