//! persistentvolume-binder-controller: claims and volumes find each other, and volumes are given back. Models
//! `pkg/controller/volume/persistentvolume/pv_controller.go`.
//!
//! A binding is two pointers, `spec.claimRef` of the volume and `spec.volumeName` of the claim; the first is written
//! first, and whatever is found half done is finished.

mod claims;
mod matching;
#[cfg(test)]
mod tests;
mod volumes;

pub(crate) use claims::used_by as claims_used_by;

use crate::owner::key_of;
use api::{Object, ObjectExt, Registered};
use k8s_openapi::api::core::v1::{ObjectReference, PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{Key, User};
use reconcile::{Change, Controller, Cx, EventType, Intent, Outcome, Watch};
use serde_json::{Value, json};

pub const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
pub const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";
pub const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";
/// Who is to make the claim's volume, and where its pod will run.
pub const PROVISIONER: &str = "volume.kubernetes.io/storage-provisioner";
const BETA_PROVISIONER: &str = "volume.beta.kubernetes.io/storage-provisioner";
pub const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

#[derive(Clone, Default)]
pub struct PersistentVolumeBinder;

pub(crate) fn annotation<'a>(meta: &'a ObjectMeta, key: &str) -> Option<&'a str> {
    meta.annotations.as_ref()?.get(key).map(String::as_str)
}

/// Empty while the claim has no volume.
pub(crate) fn volume_name(claim: &PersistentVolumeClaim) -> &str {
    claim.spec.as_ref().and_then(|s| s.volume_name.as_deref()).unwrap_or("")
}

pub(crate) fn claim_class(claim: &PersistentVolumeClaim) -> &str {
    api::kinds::storage::class(&claim.metadata, claim.spec.as_ref().and_then(|s| s.storage_class_name.as_ref()))
}

pub(crate) fn claim_ref(volume: &PersistentVolume) -> Option<&ObjectReference> {
    volume.spec.as_ref()?.claim_ref.as_ref()
}

pub(crate) fn claim_ref_key(r: &ObjectReference) -> Key {
    Key::new(r.namespace.as_deref().unwrap_or(""), r.name.as_deref().unwrap_or(""))
}

/// Models `IsVolumeBoundToClaim`: reserved for this claim, by name or by name and UID.
pub(crate) fn is_bound_to(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    claim_ref(volume).is_some_and(|r| {
        let uid = r.uid.as_deref().unwrap_or("");
        claim_ref_key(r) == key_of(&claim.metadata)
            && (uid.is_empty() || uid == claim.metadata.uid.as_deref().unwrap_or(""))
    })
}

/// A volume's change concerns the claim that it is reserved for, and the other way round.
fn volume_changed(_: &Cx, change: &Change, keys: &mut Vec<Key>) {
    keys.push(change.key.clone());
    let volume = change.object().and_then(|o| o.downcast::<PersistentVolume>());
    keys.extend(volume.and_then(claim_ref).map(claim_ref_key));
}

fn claim_changed(_: &Cx, change: &Change, keys: &mut Vec<Key>) {
    keys.push(change.key.clone());
    let claim = change.object().and_then(|o| o.downcast::<PersistentVolumeClaim>());
    keys.extend(claim.map(volume_name).filter(|v| !v.is_empty()).map(Key::from));
}

impl Controller for PersistentVolumeBinder {
    const NAME: &'static str = "persistentvolume-binder-controller";
    const EVENT_SOURCE: &'static str = "persistentvolume-controller";

    fn user() -> User {
        User::controller("persistent-volume-binder")
    }

    fn watches() -> Vec<Watch> {
        vec![
            Watch { kind: PersistentVolume::KIND_REF, keys: volume_changed },
            Watch { kind: PersistentVolumeClaim::KIND_REF, keys: claim_changed },
            Watch { kind: StorageClass::KIND_REF, keys: |_, _, _| {} },
        ]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        if key.namespace().is_empty() {
            if let Some(volume) = cx.view.get::<PersistentVolume>(key) {
                volumes::sync(cx, volume, &mut out);
            }
        } else if let Some(claim) = cx.view.get::<PersistentVolumeClaim>(key) {
            claims::sync(cx, claim, &mut out);
        }
        out
    }
}

fn warn(about: &dyn Object, reason: &str, message: impl Into<String>) -> Intent {
    Intent::event(about, EventType::Warning, reason, message)
}

/// The object with a merge patch in it, or its status: this controller may update, not patch.
fn patch(o: &dyn Object, subresource: &'static str, patch: Value) -> Intent {
    let mut value = o.to_value();
    merge(&mut value, patch);
    // What was an object and got fields of its own kind is one.
    let mut new = o.kind().from_value(value).unwrap_or_else(|_| o.clone_object());
    if subresource == "status" {
        // It may follow an update of the rest; its UID is the precondition.
        new.meta_mut().resource_version = None;
        return Intent::update_status_object(new);
    }
    Intent::update_object(new)
}

/// RFC 7386.
fn merge(value: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *value = patch;
        return;
    };
    if !value.is_object() {
        *value = json!({});
    }
    let Some(value) = value.as_object_mut() else { return };
    for (k, v) in patch {
        if v.is_null() {
            value.remove(&k);
        } else {
            merge(value.entry(k).or_insert(Value::Null), v);
        }
    }
}

/// Models `updateVolumePhase`.
fn set_phase(cx: &Cx, volume: &PersistentVolume, phase: &str, message: &str, out: &mut Outcome) {
    let old = volume.status.as_ref();
    let (was, said) = (old.and_then(|s| s.phase.as_deref()), old.and_then(|s| s.message.as_deref()).unwrap_or(""));
    if was == Some(phase) && said == message {
        return;
    }
    let mut status = json!({ "phase": phase, "message": (!message.is_empty()).then_some(message) });
    if was != Some(phase) {
        status["lastPhaseTransitionTime"] = cx.now.rfc3339().into();
    }
    out.push(patch(volume, "status", json!({ "status": status })));
}

/// Writes both pointers and both statuses, as far as they are not written yet. Models `bind`.
fn bind(cx: &Cx, volume: &PersistentVolume, claim: &PersistentVolumeClaim, out: &mut Outcome) {
    let uid = |r: &ObjectReference| r.uid.as_deref() == claim.metadata.uid.as_deref();
    let reserved = is_bound_to(volume, claim);
    if !reserved || !claim_ref(volume).is_some_and(uid) {
        let mut change = json!({ "spec": { "claimRef": reconcile::intent::reference(claim) } });
        if !reserved {
            change["metadata"] = json!({ "annotations": { BOUND_BY_CONTROLLER: "yes" } });
        }
        out.push(patch(volume, "", change));
    }
    set_phase(cx, volume, "Bound", "", out);
    let mut change = json!({ "metadata": { "annotations": {} } });
    let unnamed = volume_name(claim).is_empty();
    if unnamed {
        change["spec"] = json!({ "volumeName": volume.metadata.name });
        change["metadata"]["annotations"][BOUND_BY_CONTROLLER] = "yes".into();
    }
    if unnamed || annotation(&claim.metadata, BIND_COMPLETED).is_none() {
        change["metadata"]["annotations"][BIND_COMPLETED] = "yes".into();
        out.push(patch(claim, "", change));
    }
    let (spec, status) = (volume.spec.as_ref(), claim.status.as_ref());
    let storage = spec.and_then(|s| s.capacity.as_ref()?.get("storage"));
    let modes = spec.and_then(|s| s.access_modes.as_ref());
    let bound = status.is_some_and(|s| {
        s.phase.as_deref() == Some("Bound")
            && s.access_modes.as_ref() == modes
            && s.capacity.as_ref().and_then(|c| c.get("storage")).is_some()
    });
    if !bound {
        let new = json!({ "phase": "Bound", "accessModes": modes, "capacity": { "storage": storage } });
        out.push(patch(claim, "status", json!({ "status": new })));
        if cx.recording {
            let (claim, volume) = (key_of(&claim.metadata), key_of(&volume.metadata));
            out.note(trace::note!("volume.bound", claim = claim, volume = volume));
        }
    }
}
