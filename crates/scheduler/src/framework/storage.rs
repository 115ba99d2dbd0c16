//! The storage objects that the volume plugins read, and what several of them ask of these. Models the listers and
//! `k8s.io/component-helpers/storage`.

use imbl::OrdMap;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod, Volume};
use k8s_openapi::api::storage::v1::{CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::Key;
use std::sync::Arc;

pub const WAIT_FOR_FIRST_CONSUMER: &str = "WaitForFirstConsumer";
/// Older than the field, and stronger.
const CLASS_ANNOTATION: &str = "volume.beta.kubernetes.io/storage-class";
pub const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
pub const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

/// Cloning is cheap: kept moments hold clones.
#[derive(Clone, Debug, Default)]
pub struct Storage {
    pub claims: OrdMap<Key, Arc<PersistentVolumeClaim>>,
    pub volumes: OrdMap<String, Arc<PersistentVolume>>,
    pub classes: OrdMap<String, Arc<StorageClass>>,
    pub csi_nodes: OrdMap<String, Arc<CSINode>>,
    pub csi_drivers: OrdMap<String, Arc<CSIDriver>>,
    pub capacities: OrdMap<Key, Arc<CSIStorageCapacity>>,
    pub attachments: OrdMap<String, Arc<VolumeAttachment>>,
}

/// One object that a plugin could not find, in the API server's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotFound(pub String);

impl NotFound {
    fn of<T>(found: Option<&Arc<T>>, resource: &str, name: &str) -> Result<Arc<T>, NotFound> {
        found.cloned().ok_or_else(|| NotFound(format!("{resource} {name:?} not found")))
    }
}

fn name(meta: &ObjectMeta) -> String {
    meta.name.clone().unwrap_or_default()
}

fn key(meta: &ObjectMeta) -> Key {
    Key::new(meta.namespace.as_deref().unwrap_or("default"), meta.name.as_deref().unwrap_or_default())
}

impl Storage {
    pub fn set_claim(&mut self, claim: PersistentVolumeClaim) {
        self.claims.insert(key(&claim.metadata), Arc::new(claim));
    }
    pub fn set_volume(&mut self, volume: PersistentVolume) {
        self.volumes.insert(name(&volume.metadata), Arc::new(volume));
    }
    pub fn set_class(&mut self, class: StorageClass) {
        self.classes.insert(name(&class.metadata), Arc::new(class));
    }
    pub fn set_csi_node(&mut self, node: CSINode) {
        self.csi_nodes.insert(name(&node.metadata), Arc::new(node));
    }
    pub fn set_csi_driver(&mut self, driver: CSIDriver) {
        self.csi_drivers.insert(name(&driver.metadata), Arc::new(driver));
    }
    pub fn set_capacity(&mut self, capacity: CSIStorageCapacity) {
        self.capacities.insert(key(&capacity.metadata), Arc::new(capacity));
    }
    pub fn set_attachment(&mut self, attachment: VolumeAttachment) {
        self.attachments.insert(name(&attachment.metadata), Arc::new(attachment));
    }

    pub fn claim(&self, namespace: &str, name: &str) -> Result<Arc<PersistentVolumeClaim>, NotFound> {
        NotFound::of(self.claims.get(&Key::new(namespace, name)), "persistentvolumeclaim", name)
    }
    pub fn volume(&self, name: &str) -> Result<Arc<PersistentVolume>, NotFound> {
        NotFound::of(self.volumes.get(name), "persistentvolume", name)
    }
    pub fn class(&self, name: &str) -> Result<Arc<StorageClass>, NotFound> {
        NotFound::of(self.classes.get(name), "storageclass.storage.k8s.io", name)
    }
}

/// The claim a volume of a pod uses: its name, and whether the pod owns it (a generic ephemeral volume).
pub fn claim_name(pod: &Pod, volume: &Volume) -> Option<(String, bool)> {
    if let Some(claim) = &volume.persistent_volume_claim {
        return Some((claim.claim_name.clone(), false));
    }
    volume.ephemeral.as_ref()?;
    Some((format!("{}-{}", pod.metadata.name.as_deref().unwrap_or_default(), volume.name), true))
}

/// Whether a volume of the pod uses this claim.
pub fn uses_claim(pod: &Pod, claim: &PersistentVolumeClaim) -> bool {
    let namespace = |m: &ObjectMeta| m.namespace.clone().unwrap_or_else(|| "default".into());
    namespace(&pod.metadata) == namespace(&claim.metadata)
        && volumes(pod).iter().filter_map(|v| claim_name(pod, v)).any(|(n, _)| Some(n) == claim.metadata.name)
}

/// The same for claims that the pod names itself, as opposed to those made for it.
pub fn names_claim(pod: &Pod, claim: &PersistentVolumeClaim) -> bool {
    let named = |v: &Volume| v.persistent_volume_claim.as_ref().map(|c| c.claim_name.clone());
    uses_claim(pod, claim) && volumes(pod).iter().filter_map(named).any(|n| Some(n) == claim.metadata.name)
}

pub fn volumes(pod: &Pod) -> &[Volume] {
    pod.spec.as_ref().and_then(|s| s.volumes.as_deref()).unwrap_or_default()
}

/// A claim for an ephemeral volume has to be the pod's own. Models `ephemeral.VolumeIsForPod`.
pub fn is_for_pod(pod: &Pod, claim: &PersistentVolumeClaim) -> Result<(), String> {
    let owner = claim.metadata.owner_references.iter().flatten().find(|r| r.controller == Some(true));
    if owner.is_some_and(|o| o.uid == pod.metadata.uid.as_deref().unwrap_or_default()) {
        return Ok(());
    }
    let text = |s: &Option<String>| s.clone().unwrap_or_default();
    let (claim, pod) = (&claim.metadata, &pod.metadata);
    let (pvc, owner) = ((text(&claim.namespace), text(&claim.name)), (text(&pod.namespace), text(&pod.name)));
    Err(format!("PVC {}/{} was not created for pod {}/{} (pod is not owner)", pvc.0, pvc.1, owner.0, owner.1))
}

fn class_annotation(meta: &ObjectMeta) -> Option<&str> {
    meta.annotations.as_ref()?.get(CLASS_ANNOTATION).map(String::as_str)
}

/// Empty when the claim names no class. Models `GetPersistentVolumeClaimClass`.
pub fn claim_class(claim: &PersistentVolumeClaim) -> &str {
    let field = claim.spec.as_ref().and_then(|s| s.storage_class_name.as_deref());
    class_annotation(&claim.metadata).or(field).unwrap_or_default()
}

/// Models `GetPersistentVolumeClass`.
pub fn volume_class(volume: &PersistentVolume) -> &str {
    let field = volume.spec.as_ref().and_then(|s| s.storage_class_name.as_deref());
    class_annotation(&volume.metadata).or(field).unwrap_or_default()
}

/// `spec.volumeName`; empty when the claim is not bound.
pub fn bound_volume(claim: &PersistentVolumeClaim) -> &str {
    claim.spec.as_ref().and_then(|s| s.volume_name.as_deref()).unwrap_or_default()
}
