//! external-provisioner: disks for claims, and away with those that nobody claims any more. Models
//! `pkg/controller/controller.go` of kubernetes-csi/external-provisioner over `sig-storage-lib-external-provisioner`.

use super::{DRIVER, GIB, ZONE, annotation, gib, rpc, source};
use crate::provider::{Answer, Call, DiskInfo, Reply};
use crate::runner::{Controller, Plan, Seen};
use api::kinds::storage::class as class_name;
use api::kinds::storageclass::WAIT_FOR_FIRST_CONSUMER;
use api::{KindRef, Registered};
use k8s_openapi::api::core::v1::{
    CSIPersistentVolumeSource, Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PersistentVolume,
    PersistentVolumeClaim, PersistentVolumeSpec, VolumeNodeAffinity,
};
use k8s_openapi::api::storage::v1::{StorageClass, VolumeAttachment};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{Duration, Key, Quantity};
use reconcile::{Change, Cx, EventType, Intent, Tolerate};
use serde_json::json;
use std::collections::BTreeMap;

const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";
const PROVISIONER: &str = "volume.kubernetes.io/storage-provisioner";
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
const FINALIZER: &str = "external-provisioner.volume.kubernetes.io/finalizer";
const FS_TYPE: &str = "csi.storage.k8s.io/fstype";

#[derive(Clone, Default)]
pub struct Provisioner;

fn claim_class<'a>(cx: &Cx<'a>, claim: &PersistentVolumeClaim) -> Option<&'a StorageClass> {
    let name = class_name(&claim.metadata, claim.spec.as_ref().and_then(|s| s.storage_class_name.as_ref()));
    cx.view.get(&Key::from(name))
}

/// Models `shouldProvision`: the claim's class, when this is the one to make its volume.
fn class_to_provision<'a>(cx: &Cx<'a>, claim: &PersistentVolumeClaim) -> Option<&'a StorageClass> {
    let bound = claim.spec.as_ref().is_some_and(|s| s.volume_name.as_deref().is_some_and(|n| !n.is_empty()));
    if bound || claim.metadata.deletion_timestamp.is_some() || annotation(&claim.metadata, PROVISIONER) != DRIVER {
        return None;
    }
    let class = claim_class(cx, claim)?;
    let waits = class.volume_binding_mode.as_deref() == Some(WAIT_FOR_FIRST_CONSUMER);
    let placed = !annotation(&claim.metadata, SELECTED_NODE).is_empty();
    (class.provisioner == DRIVER && (placed || !waits)).then_some(class)
}

/// Models `shouldDelete`.
fn should_delete(volume: &PersistentVolume) -> bool {
    let policy = volume.spec.as_ref().and_then(|s| s.persistent_volume_reclaim_policy.as_deref());
    let released = volume.status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Released");
    let ours = annotation(&volume.metadata, PROVISIONED_BY) == DRIVER;
    let left = volume.metadata.finalizers.iter().flatten().any(|f| f == FINALIZER);
    released && policy == Some("Delete") && ours && (left || volume.metadata.deletion_timestamp.is_none())
}

fn volume_key(claim: &PersistentVolumeClaim) -> String {
    format!("pvc-{}", claim.metadata.uid.as_deref().unwrap_or(""))
}

fn modes(claim: &PersistentVolumeClaim) -> &[String] {
    claim.spec.as_ref().and_then(|s| s.access_modes.as_deref()).unwrap_or_default()
}

fn failed(claim: &PersistentVolumeClaim, class: &StorageClass, why: &str) -> Intent {
    let class = class.metadata.name.as_deref().unwrap_or("");
    let message = format!("failed to provision volume with StorageClass {class:?}: {why}");
    Intent::event(claim, EventType::Warning, "ProvisioningFailed", message)
}

/// Where the disk is to be: the zone of the node that the scheduler chose, or one that the class allows.
///
/// # Errors
/// The node is none that takes such disks.
fn zone(cx: &Cx, claim: &PersistentVolumeClaim, class: &StorageClass) -> Result<String, String> {
    let selected = annotation(&claim.metadata, SELECTED_NODE);
    if selected.is_empty() {
        let terms = class.allowed_topologies.iter().flatten();
        let mut zones = terms
            .flat_map(|t| t.match_label_expressions.iter().flatten())
            .filter(|e| e.key == ZONE)
            .flat_map(|e| e.values.iter());
        return Ok(zones.next().cloned().unwrap_or_default());
    }
    let node = cx.view.get::<Node>(&Key::from(selected)).ok_or_else(|| format!("node {selected:?} not found"))?;
    let label = node.metadata.labels.as_ref().and_then(|l| l.get(ZONE));
    label.cloned().ok_or_else(|| format!("topology key {ZONE:?} not found on node {selected:?}"))
}

fn volume(claim: &PersistentVolumeClaim, class: &StorageClass, disk: &DiskInfo) -> PersistentVolume {
    let empty = |k: &str| (format!("volume.kubernetes.io/provisioner-deletion-secret-{k}"), String::new());
    let annotations =
        BTreeMap::from([(PROVISIONED_BY.to_string(), DRIVER.to_string()), empty("name"), empty("namespace")]);
    let requirement =
        NodeSelectorRequirement { key: ZONE.into(), operator: "In".into(), values: Some(vec![disk.zone.clone()]) };
    let term = NodeSelectorTerm { match_expressions: Some(vec![requirement]), match_fields: None };
    let spec = claim.spec.clone().unwrap_or_default();
    let fs_type = class.parameters.as_ref().and_then(|p| p.get(FS_TYPE)).map_or("ext4", String::as_str);
    let filesystem = spec.volume_mode.as_deref() != Some("Block");
    let attributes = [("storage.kubernetes.io/csiProvisionerIdentity".to_string(), DRIVER.to_string())];
    let size = Quantity::from_bytes(i64::try_from(disk.gib).unwrap_or(0) * GIB).to_api();
    PersistentVolume {
        metadata: ObjectMeta {
            name: Some(volume_key(claim)),
            annotations: Some(annotations),
            finalizers: Some(vec![FINALIZER.into()]),
            ..Default::default()
        },
        spec: Some(PersistentVolumeSpec {
            access_modes: spec.access_modes,
            capacity: Some([("storage".to_string(), size)].into()),
            claim_ref: Some(reconcile::intent::reference(claim)),
            csi: Some(CSIPersistentVolumeSource {
                driver: DRIVER.into(),
                fs_type: filesystem.then(|| fs_type.into()),
                volume_attributes: Some(attributes.into()),
                volume_handle: disk.id.clone(),
                ..Default::default()
            }),
            mount_options: class.mount_options.clone(),
            node_affinity: Some(VolumeNodeAffinity {
                required: Some(NodeSelector { node_selector_terms: vec![term] }),
            }),
            persistent_volume_reclaim_policy: class.reclaim_policy.clone(),
            storage_class_name: class.metadata.name.clone(),
            volume_mode: spec.volume_mode,
            ..Default::default()
        }),
        status: None,
    }
}

impl Provisioner {
    fn provision(cx: &Cx, key: &Key, claim: &PersistentVolumeClaim, class: &StorageClass) -> Plan {
        let mut plan = Plan::default();
        let message = format!("External provisioner is provisioning volume for claim \"{key}\"");
        plan.intents.push(Intent::event(claim, EventType::Normal, "Provisioning", message));
        let block = claim.spec.as_ref().is_some_and(|s| s.volume_mode.as_deref() == Some("Block"));
        let shared = modes(claim).iter().find(|m| !matches!(m.as_str(), "ReadWriteOnce" | "ReadWriteOncePod"));
        if let (Some(mode), false) = (shared, block) {
            let why = format!("access mode {mode} is not supported: a disk is attached to one node at a time");
            plan.intents.push(failed(claim, class, &rpc("InvalidArgument", &why)));
            plan.failed = true;
            return plan;
        }
        let requests = claim.spec.as_ref().and_then(|s| s.resources.as_ref()?.requests.as_ref());
        let size = requests.and_then(|r| r.get("storage")).map_or(0, |q| Quantity::of(q).value());
        match zone(cx, claim, class) {
            Ok(zone) => plan.calls.push(Call::CreateDisk { name: volume_key(claim), gib: gib(size), zone }),
            Err(why) => {
                let why = format!("error generating accessibility requirements: {why}");
                plan.intents.push(failed(claim, class, &why));
                plan.failed = true;
            }
        }
        plan
    }

    fn delete(cx: &Cx, volume: &PersistentVolume) -> Plan {
        let mut plan = Plan::default();
        let name = volume.metadata.name.as_deref().unwrap_or("");
        let of_it = |a: &&VolumeAttachment| a.spec.source.persistent_volume_name.as_deref() == Some(name);
        if let Some(a) = cx.view.list::<VolumeAttachment>().find(of_it) {
            let why = format!("persistentvolume {name} is still attached to node {}", a.spec.node_name);
            plan.intents.push(Intent::event(volume, EventType::Warning, "VolumeFailedDelete", why));
            plan.failed = true;
        } else if let Some(disk) = source(volume) {
            plan.calls.push(Call::DeleteDisk { id: disk.volume_handle.clone() });
        }
        plan
    }
}

impl Controller for Provisioner {
    fn name(&self) -> &'static str {
        "csi-provisioner"
    }
    fn process(&self) -> &'static str {
        super::PROCESS
    }
    fn workers(&self) -> usize {
        10
    }
    fn account(&self) -> &'static str {
        super::ACCOUNT
    }
    fn event_source(&self) -> &'static str {
        DRIVER
    }
    fn kinds(&self) -> Vec<KindRef> {
        vec![
            PersistentVolumeClaim::KIND_REF,
            PersistentVolume::KIND_REF,
            StorageClass::KIND_REF,
            Node::KIND_REF,
            VolumeAttachment::KIND_REF,
        ]
    }
    fn initial(&self) -> Vec<Key> {
        Vec::new()
    }
    /// `--retry-interval-start` and `--retry-interval-max`
    fn back_off(&self) -> (Duration, Duration) {
        (Duration::from_secs(1), Duration::from_secs(300))
    }

    fn observe(&mut self, cx: &Cx, change: &Change) -> Seen {
        let concerns = match &change.new {
            Some(o) => match (o.as_any().downcast_ref(), o.as_any().downcast_ref()) {
                (Some(claim), _) => class_to_provision(cx, claim).is_some(),
                (None, Some(volume)) => should_delete(volume),
                (None, None) => false,
            },
            None => false,
        };
        Seen { keys: concerns.then(|| change.key.clone()).into_iter().collect(), ..Seen::default() }
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Plan {
        if key.namespace().is_empty() {
            let volume = cx.view.get::<PersistentVolume>(key).filter(|v| should_delete(v));
            return volume.map(|v| Self::delete(cx, v)).unwrap_or_default();
        }
        let Some(claim) = cx.view.get::<PersistentVolumeClaim>(key) else { return Plan::default() };
        let class = class_to_provision(cx, claim);
        class.map(|class| Self::provision(cx, key, claim, class)).unwrap_or_default()
    }

    fn answered(&mut self, cx: &Cx, key: &Key, answers: Vec<Reply>, _took: Duration) -> Plan {
        let mut plan = Plan::default();
        let answer = answers.into_iter().next();
        if key.namespace().is_empty() {
            let Some(volume) = cx.view.get::<PersistentVolume>(key) else { return plan };
            if let Some(Err(e)) = answer {
                let why = rpc("Internal", &e.to_string());
                plan.intents.push(Intent::event(volume, EventType::Warning, "VolumeFailedDelete", why));
                plan.failed = true;
                return plan;
            }
            plan.intents.push(Intent::delete(volume));
            let rest: Vec<&String> = volume.metadata.finalizers.iter().flatten().filter(|f| *f != FINALIZER).collect();
            let metadata = json!({ "metadata": { "finalizers": rest } });
            let write = Intent::patch(PersistentVolume::KIND_REF, key.clone(), "", metadata);
            plan.intents.push(write.tolerate(Tolerate::NotFound));
            return plan;
        }
        let Some(claim) = cx.view.get::<PersistentVolumeClaim>(key) else { return plan };
        let Some(class) = claim_class(cx, claim) else { return plan };
        match answer {
            Some(Ok(Answer::Disk(disk))) => {
                let volume = volume(claim, class, &disk);
                let message =
                    format!("Successfully provisioned volume {}", volume.metadata.name.as_deref().unwrap_or(""));
                let create = Intent::create(volume).tolerate(Tolerate::AlreadyExists);
                plan.intents.push(create.on_success(claim, "ProvisioningSucceeded", message));
            }
            Some(Err(e)) => {
                let full = e.message.starts_with("Insufficient") || e.message.starts_with("DiskLimitExceeded");
                let code = if full { "ResourceExhausted" } else { "Internal" };
                let what = format!("Could not create volume {:?}: {e}", volume_key(claim));
                plan.intents.push(failed(claim, class, &rpc(code, &what)));
                plan.failed = true;
                if full && !annotation(&claim.metadata, SELECTED_NODE).is_empty() {
                    // The scheduler may find a better place.
                    let patch = json!({ "metadata": { "annotations": { SELECTED_NODE: null } } });
                    plan.intents.push(Intent::patch(PersistentVolumeClaim::KIND_REF, key.clone(), "", patch));
                }
            }
            _ => plan.failed = true,
        }
        plan
    }

    fn fresh(&self) -> Box<dyn Controller> {
        Box::new(Provisioner)
    }
    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}
