//! VolumeBinding: can the node reach the pod's volumes, and can those that are not there yet be found or made for it?
//! Models `plugins/volumebinding`; what a node offers is computed in `volume_binder.rs`.

use super::volume_binder::{self, Claims};
use crate::framework::status::Reasons;
use crate::framework::{
    Answer, ClusterEvent, Code, CycleState, Filter, Handle, Hint, NodeInfo, Plugin, PodInfo, PreBind, PreFilter,
    PreFilterResult, PreScore, PreScoreResult, Reserve, Score, Status, csi_migration, storage,
};
use k8s_openapi::api::core::v1::Volume;
use k8s_openapi::api::storage::v1::{CSIDriver, CSIStorageCapacity};
use meta::Quantity;
use trace::explain::Inputs;
use trace::note;

pub const NAME: &str = "VolumeBinding";

pub struct VolumeBinding;

impl Plugin for VolumeBinding {
    fn name(&self) -> &'static str {
        NAME
    }
    fn as_pre_filter(&self) -> Option<&dyn PreFilter> {
        Some(self)
    }
    fn as_filter(&self) -> Option<&dyn Filter> {
        Some(self)
    }
    fn as_pre_score(&self) -> Option<&dyn PreScore> {
        Some(self)
    }
    fn as_score(&self) -> Option<&dyn Score> {
        Some(self)
    }
    fn as_reserve(&self) -> Option<&dyn Reserve> {
        Some(self)
    }
    fn as_pre_bind(&self) -> Option<&dyn PreBind> {
        Some(self)
    }
    fn filter_inputs(&self, h: &Handle, state: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Inputs {
        let mut inputs = Inputs::default();
        let store = &h.objects.storage;
        for v in storage::volumes(&pod.pod) {
            let Some((name, _)) = storage::claim_name(&pod.pod, v) else { continue };
            let Ok(claim) = store.claim(pod.namespace(), &name) else { continue };
            let (volume, class) = (storage::bound_volume(&claim), storage::claim_class(&claim));
            inputs.notes.push(match volume {
                "" => note!("cell.claim-unbound", claim = name, class = class),
                volume => note!("cell.claim-bound", claim = name, volume = volume),
            });
        }
        let found = state.get::<Claims>().and_then(|c| volume_binder::find(store, c, &node.node).ok());
        let found = found.unwrap_or_default();
        for (volume, claim) in &found.bindings {
            let text = |s: &Option<String>| s.clone().unwrap_or_default();
            let (volume, claim) = (text(&volume.metadata.name), text(&claim.metadata.name));
            inputs.notes.push(note!("cell.claim-would-bind", claim = claim, volume = volume));
        }
        for claim in &found.provisions {
            let (claim, class) = (claim.metadata.name.clone().unwrap_or_default(), storage::claim_class(claim));
            inputs.notes.push(note!("cell.claim-would-provision", claim = claim, class = class));
        }
        inputs
    }
    fn hint(&self, pod: &PodInfo, event: &ClusterEvent) -> Hint {
        Hint::queue_if(match event {
            ClusterEvent::NodeAdd(_) => true,
            ClusterEvent::NodeUpdate { old, new } => old.metadata.labels != new.metadata.labels,
            ClusterEvent::Class(w) => match w.updated() {
                Some((old, new)) => old.allowed_topologies != new.allowed_topologies,
                None => w.added().is_some(),
            },
            ClusterEvent::Claim(w) => w.new.is_some_and(|c| storage::uses_claim(&pod.pod, c)),
            ClusterEvent::Volume(w) => w.new.is_some(),
            ClusterEvent::CsiNode(w) => match w.updated() {
                Some((old, new)) => csi_migration::annotation(old) != csi_migration::annotation(new),
                None => w.added().is_some(),
            },
            ClusterEvent::CsiDriver(w) => w.updated().is_some_and(|(old, new)| stopped_counting(pod, old, new)),
            ClusterEvent::Capacity(w) => match w.updated() {
                Some((old, new)) => grew(old, new),
                None => w.added().is_some(),
            },
            _ => false,
        })
    }
}

/// Whether a driver of the pod's own volumes no longer publishes its capacity. Models
/// isSchedulableAfterCSIDriverChange.
fn stopped_counting(pod: &PodInfo, old: &CSIDriver, new: &CSIDriver) -> bool {
    let counts = |d: &CSIDriver| d.spec.storage_capacity == Some(true);
    let driver = |v: &Volume| v.csi.as_ref().map(|c| c.driver.clone());
    counts(old)
        && !counts(new)
        && storage::volumes(&pod.pod).iter().filter_map(driver).any(|d| Some(d) == new.metadata.name)
}

/// Whether larger volumes can be made now. Models isSchedulableAfterCSIStorageCapacityChange.
fn grew(old: &CSIStorageCapacity, new: &CSIStorageCapacity) -> bool {
    let limit = |c: &CSIStorageCapacity| {
        c.maximum_volume_size.as_ref().or(c.capacity.as_ref()).map(|q| Quantity::of(q).value())
    };
    limit(new).is_some_and(|n| limit(old).is_none_or(|o| n > o))
}

/// Whether the pod uses claims, or why it cannot have them. Models podHasPVCs.
fn has_claims(h: &Handle, pod: &PodInfo) -> Result<bool, String> {
    let mut any = false;
    for v in storage::volumes(&pod.pod) {
        let Some((name, ephemeral)) = storage::claim_name(&pod.pod, v) else { continue };
        any = true;
        let claim = h.objects.storage.claim(pod.namespace(), &name).map_err(|e| match ephemeral {
            true => format!("waiting for ephemeral volume controller to create the persistentvolumeclaim {name:?}"),
            false => e.0,
        })?;
        if claim.status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Lost") {
            let volume = storage::bound_volume(&claim);
            return Err(format!("persistentvolumeclaim {name:?} bound to non-existent persistentvolume {volume:?}"));
        }
        if claim.metadata.deletion_timestamp.is_some() {
            return Err(format!("persistentvolumeclaim {name:?} is being deleted"));
        }
        if ephemeral {
            storage::is_for_pod(&pod.pod, &claim)?;
        }
    }
    Ok(any)
}

impl PreFilter for VolumeBinding {
    fn pre_filter(&self, h: &Handle, state: &mut CycleState, pod: &PodInfo) -> PreFilterResult {
        match has_claims(h, pod) {
            Err(why) => return PreFilterResult::Refuse(Status::unresolvable(why)),
            Ok(false) => return PreFilterResult::Skip,
            Ok(true) => {}
        }
        match volume_binder::claims_of(&h.objects.storage, pod) {
            Err(why) => PreFilterResult::Refuse(Status::error(why)),
            Ok(claims) if claims.unbound_immediate > 0 => {
                PreFilterResult::Refuse(Status::unresolvable("pod has unbound immediate PersistentVolumeClaims"))
            }
            Ok(claims) => {
                state.write(claims);
                PreFilterResult::Pass
            }
        }
    }
}

impl Filter for VolumeBinding {
    fn filter(&self, h: &Handle, state: &CycleState, _: &PodInfo, node: &NodeInfo) -> Answer {
        let Some(claims) = state.get::<Claims>() else { return Err(Status::error("not found")) };
        let found = volume_binder::find(&h.objects.storage, claims, &node.node).map_err(Status::error)?;
        if found.conflicts.is_empty() {
            return Ok(());
        }
        let mut reasons = Reasons::None;
        found.conflicts.iter().for_each(|why| reasons.push((*why).into()));
        Err(Status { code: Code::UnschedulableAndUnresolvable, reasons, plugin: "" })
    }
}

impl PreScore for VolumeBinding {
    fn pre_score(&self, _: &Handle, _: &mut CycleState, _: &PodInfo, _: &[usize]) -> PreScoreResult {
        // Scoring by capacity is behind StorageCapacityScoring, which is off by default in v1.35.
        PreScoreResult::Skip
    }
}

impl Score for VolumeBinding {
    fn score(&self, _: &Handle, _: &CycleState, _: &PodInfo, _: &NodeInfo) -> i64 {
        0
    }
}

/// The caller that books the pod on its node books the volumes too ([`volume_binder::assume`]).
impl Reserve for VolumeBinding {
    fn reserve(&self, _: &Handle, _: &mut CycleState, _: &PodInfo, _: &str) -> Answer {
        Ok(())
    }
    fn unreserve(&self, _: &Handle, _: &mut CycleState, _: &PodInfo, _: &str) {}
}

impl PreBind for VolumeBinding {
    fn pre_bind(&self, _: &Handle, _: &mut CycleState, _: &PodInfo, _: &str) -> Answer {
        Ok(())
    }
}
