//! NodeVolumeLimits: a CSI driver attaches only so many volumes to a node. Models `plugins/nodevolumelimits`.

use crate::framework::storage::{self, Storage, bound_volume, claim_class, claim_name};
use crate::framework::{
    Answer, ClusterEvent, CycleState, Filter, Handle, Hint, NodeInfo, Plugin, PodInfo, PreFilter, PreFilterResult,
    Status, csi_migration,
};
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use k8s_openapi::api::storage::v1::{CSINode, CSINodeDriver, VolumeAttachment};
use std::collections::BTreeMap;
use trace::explain::{Amount, Inputs, Unit};
use trace::note;

pub const NAME: &str = "NodeVolumeLimits";

pub struct NodeVolumeLimits;

/// Volumes by driver and handle.
type Volumes = BTreeMap<(String, String), ()>;

fn may_attach(pod: &PodInfo) -> bool {
    let kind = |v: &k8s_openapi::api::core::v1::Volume| {
        // The last two are migrated as well, but never counted.
        v.persistent_volume_claim.is_some()
            || v.ephemeral.is_some()
            || csi_migration::of_inline(v).is_some()
            || v.azure_file.is_some()
            || v.vsphere_volume.is_some()
    };
    storage::volumes(&pod.pod).iter().any(kind)
}

/// Driver and handle of the claim's volume, or of the one that will be made for it. Models getCSIDriverInfo.
fn driver_of(store: &Storage, csi_node: Option<&CSINode>, claim: &PersistentVolumeClaim) -> Option<(String, String)> {
    let volume = Some(bound_volume(claim)).filter(|v| !v.is_empty()).and_then(|v| store.volumes.get(v));
    let Some(volume) = volume else {
        // Not bound, or to a volume that is not here (yet): the class knows who will make it.
        let class = store.classes.get(claim_class(claim))?;
        let driver = match csi_migration::by_name(&class.provisioner) {
            Some(p) if p.counts_on(csi_node) => p.driver,
            Some(_) => return None,
            None => class.provisioner.as_str(),
        };
        let text = |s: &Option<String>| s.clone().unwrap_or_default();
        // Not a handle that any volume has.
        let handle = format!("unbound-{}/{}", text(&claim.metadata.namespace), text(&claim.metadata.name));
        return Some((driver.to_string(), handle));
    };
    if let Some(csi) = volume.spec.as_ref().and_then(|s| s.csi.as_ref()) {
        return Some((csi.driver.clone(), csi.volume_handle.clone()));
    }
    let (plugin, handle) = csi_migration::of_volume(volume)?;
    plugin.counts_on(csi_node).then(|| (plugin.driver.to_string(), handle))
}

/// Adds the attachable volumes of a pod. Models filterAttachableVolumes.
fn attachable(
    store: &Storage,
    pod: &PodInfo,
    csi_node: Option<&CSINode>,
    is_new: bool,
    out: &mut Volumes,
) -> Result<(), Status> {
    for v in storage::volumes(&pod.pod) {
        let Some((name, ephemeral)) = claim_name(&pod.pod, v) else {
            if let Some((plugin, handle)) = csi_migration::of_inline(v).filter(|(p, _)| p.counts_on(csi_node)) {
                out.insert((plugin.driver.to_string(), handle), ());
            }
            continue;
        };
        if name.is_empty() {
            return Err(Status::error("PersistentVolumeClaim had no name"));
        }
        let claim = match store.claim(pod.namespace(), &name) {
            Ok(claim) => claim,
            Err(e) if is_new => {
                let why = format!("looking up PVC {}/{name}: {}", pod.namespace(), e.0);
                return Err(Status::unresolvable(why));
            }
            // Nothing says that a volume of this driver is meant.
            Err(_) => continue,
        };
        if ephemeral {
            storage::is_for_pod(&pod.pod, &claim).map_err(Status::error)?;
        }
        if let Some((driver, handle)) = driver_of(store, csi_node, &claim)
            && !driver.is_empty()
            && !handle.is_empty()
        {
            out.insert((driver, handle), ());
        }
    }
    Ok(())
}

/// What else is attached to the node, whether or not a pod there uses it. Models getNodeVolumeAttachmentInfo.
fn attached(store: &Storage, node: &str) -> Vec<(String, String)> {
    let here = store.attachments.values().filter(|a| a.spec.node_name == node && !a.spec.attacher.is_empty());
    here.filter_map(|a| {
        let volume = store.volumes.get(a.spec.source.persistent_volume_name.as_ref()?)?;
        let csi = volume.spec.as_ref()?.csi.as_ref()?;
        Some((a.spec.attacher.clone(), csi.volume_handle.clone()))
    })
    .collect()
}

/// Whether a driver's limit rose; upstream takes a missing one for 0. Models isSchedulableAfterCSINodeUpdated.
fn attaches_more(old: &CSINode, new: &CSINode) -> bool {
    let limit = |d: &CSINodeDriver| d.allocatable.as_ref().and_then(|a| a.count).unwrap_or(0);
    let before = |name: &str| old.spec.drivers.iter().find(|d| d.name == name).map_or(0, limit);
    new.spec.drivers.iter().any(|d| limit(d) > before(&d.name))
}

/// Whether the pod may use what an attachment leaves free. Models isSchedulableAfterVolumeAttachmentDeleted.
fn may_replace(pod: &PodInfo, gone: &VolumeAttachment) -> bool {
    storage::volumes(&pod.pod).iter().any(|v| {
        v.persistent_volume_claim.is_some()
            || csi_migration::of_inline(v).is_some_and(|(plugin, _)| plugin.driver == gone.spec.attacher)
    })
}

impl Plugin for NodeVolumeLimits {
    fn name(&self) -> &'static str {
        NAME
    }
    fn as_pre_filter(&self) -> Option<&dyn PreFilter> {
        Some(self)
    }
    fn as_filter(&self) -> Option<&dyn Filter> {
        Some(self)
    }
    fn filter_inputs(&self, h: &Handle, _: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Inputs {
        inputs(h, pod, node)
    }
    fn hint(&self, pod: &PodInfo, event: &ClusterEvent) -> Hint {
        Hint::queue_if(match event {
            ClusterEvent::AssignedPodDelete(gone) => may_attach(gone),
            ClusterEvent::CsiNode(w) => match w.updated() {
                Some((old, new)) => attaches_more(old, new),
                None => w.added().is_some(),
            },
            ClusterEvent::Claim(w) => w.added().is_some_and(|c| storage::uses_claim(&pod.pod, c)),
            ClusterEvent::Attachment(w) => w.deleted().is_some_and(|a| may_replace(pod, a)),
            _ => false,
        })
    }
}

impl PreFilter for NodeVolumeLimits {
    fn pre_filter(&self, _: &Handle, _: &mut CycleState, pod: &PodInfo) -> PreFilterResult {
        if may_attach(pod) { PreFilterResult::Pass } else { PreFilterResult::Skip }
    }
}

/// What is attached to the node, and what the pod would attach.
struct Attachments {
    /// By pods there, and in all.
    mounted: Volumes,
    attached: Volumes,
    new: Volumes,
    /// By driver.
    limits: BTreeMap<String, i32>,
}

impl Attachments {
    /// `None` when the pod brings nothing that counts, or nothing here has a limit.
    fn of(h: &Handle, pod: &PodInfo, node: &NodeInfo) -> Result<Option<Attachments>, Status> {
        if storage::volumes(&pod.pod).is_empty() {
            return Ok(None);
        }
        let store = &h.objects.storage;
        let csi_node = store.csi_nodes.get(&*node.name).map(|n| &**n);
        let mut new = Volumes::new();
        attachable(store, pod, csi_node, true, &mut new)?;
        if new.is_empty() {
            return Ok(None);
        }
        let drivers = csi_node.map(|n| n.spec.drivers.as_slice()).unwrap_or_default();
        let limits: BTreeMap<String, i32> =
            drivers.iter().filter_map(|d| Some((d.name.clone(), d.allocatable.as_ref()?.count?))).collect();
        if limits.is_empty() {
            return Ok(None);
        }
        let mut mounted = Volumes::new();
        for other in &node.pods {
            attachable(store, other, csi_node, false, &mut mounted)?;
        }
        let mut attached_here = mounted.clone();
        attached_here.extend(attached(store, &node.name).into_iter().map(|v| (v, ())));
        Ok(Some(Attachments { mounted, attached: attached_here, new, limits }))
    }
    fn attached(&self, driver: &str) -> usize {
        self.attached.keys().filter(|(d, _)| d == driver).count()
    }
    /// A volume that a pod there uses does not count again; one that is only attached does, as upstream has it.
    fn more(&self, driver: &str) -> usize {
        self.new.keys().filter(|v| v.0 == driver && !self.mounted.contains_key(*v)).count()
    }
    fn exceeds(&self, driver: &str, limit: i32) -> bool {
        let more = self.more(driver);
        more > 0 && (self.attached(driver) + more) as i64 > i64::from(limit)
    }
}

impl Filter for NodeVolumeLimits {
    fn filter(&self, h: &Handle, _: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Answer {
        let Some(found) = Attachments::of(h, pod, node)? else { return Ok(()) };
        match found.limits.iter().any(|(driver, limit)| found.exceeds(driver, *limit)) {
            true => Err(Status::unschedulable("node(s) exceed max volume count")),
            false => Ok(()),
        }
    }
}

/// The drivers of the pod's volumes: how many they may attach here, and how many they have.
fn inputs(h: &Handle, pod: &PodInfo, node: &NodeInfo) -> Inputs {
    let mut inputs = Inputs::default();
    let Ok(Some(found)) = Attachments::of(h, pod, node) else {
        inputs.notes.push(note!("cell.volume-no-limit"));
        return inputs;
    };
    for (driver, limit) in found.limits.iter().filter(|(d, _)| found.new.keys().any(|v| v.0 == **d)) {
        let (used, more) = (found.attached(driver), found.more(driver));
        inputs.notes.push(match found.exceeds(driver, *limit) {
            true => note!("cell.volumes-over", driver = driver, used = used, more = more, limit = limit),
            false => note!("cell.volumes", driver = driver, used = used, more = more, limit = limit),
        });
        inputs.amounts.push(Amount {
            resource: driver.clone(),
            unit: Unit::Count,
            request: more as i64,
            used: used as i64,
            allocatable: i64::from(*limit),
        });
        for (_, handle) in found.new.keys().filter(|v| v.0 == *driver && found.mounted.contains_key(*v)) {
            inputs.notes.push(note!("cell.volume-attached", volume = handle));
        }
    }
    inputs
}
