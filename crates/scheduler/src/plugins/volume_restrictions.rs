//! VolumeRestrictions: disks that only one pod, or only readers, can mount, and claims for one pod only. Models
//! `plugins/volumerestrictions`.

use crate::framework::storage::{self, claim_name};
use crate::framework::{
    Answer, ClusterEvent, CycleState, Filter, Handle, Hint, NodeInfo, Plugin, PodInfo, PreFilter, PreFilterResult,
    Status,
};
use k8s_openapi::api::core::v1::Volume;
use std::collections::BTreeSet;
use trace::explain::Inputs;
use trace::note;

pub const NAME: &str = "VolumeRestrictions";

pub struct VolumeRestrictions;

/// The pod's ReadWriteOncePod claims, and how often pods on nodes use them.
#[derive(Clone)]
struct Exclusive {
    claims: BTreeSet<String>,
    conflicts: i64,
}

impl Exclusive {
    /// Models conflictingPVCRefCountForPod.
    fn uses(&self, other: &PodInfo) -> i64 {
        let claims = storage::volumes(&other.pod).iter().filter_map(|v| v.persistent_volume_claim.as_ref());
        claims.filter(|c| self.claims.contains(&c.claim_name)).count() as i64
    }
}

/// Whether the volume is of a kind with restrictions of its own.
fn is_restricted(v: &Volume) -> bool {
    v.gce_persistent_disk.is_some() || v.aws_elastic_block_store.is_some() || v.rbd.is_some() || v.iscsi.is_some()
}

/// Whether two volumes are one disk that cannot be mounted twice. Models isVolumeConflict.
fn conflict(a: &Volume, b: &Volume) -> bool {
    let both_read = |x: Option<bool>, y: Option<bool>| x == Some(true) && y == Some(true);
    if let (Some(x), Some(y)) = (&a.gce_persistent_disk, &b.gce_persistent_disk)
        && x.pd_name == y.pd_name
        && !both_read(x.read_only, y.read_only)
    {
        return true;
    }
    if let (Some(x), Some(y)) = (&a.aws_elastic_block_store, &b.aws_elastic_block_store)
        && x.volume_id == y.volume_id
    {
        return true;
    }
    if let (Some(x), Some(y)) = (&a.iscsi, &b.iscsi)
        && x.iqn == y.iqn
        && !both_read(x.read_only, y.read_only)
    {
        return true;
    }
    if let (Some(x), Some(y)) = (&a.rbd, &b.rbd) {
        // The API server's default, for objects that did not come through it.
        let pool = |p: &Option<String>| p.clone().filter(|p| !p.is_empty()).unwrap_or_else(|| "rbd".into());
        return x.monitors.iter().any(|m| y.monitors.contains(m))
            && pool(&x.pool) == pool(&y.pool)
            && x.image == y.image
            && !both_read(x.read_only, y.read_only);
    }
    false
}

fn conflicts_with(pod: &PodInfo, other: &PodInfo) -> bool {
    let restricted = storage::volumes(&pod.pod).iter().filter(|v| is_restricted(v));
    restricted.into_iter().any(|v| storage::volumes(&other.pod).iter().any(|o| conflict(v, o)))
}

impl Plugin for VolumeRestrictions {
    fn name(&self) -> &'static str {
        NAME
    }
    fn as_pre_filter(&self) -> Option<&dyn PreFilter> {
        Some(self)
    }
    fn as_filter(&self) -> Option<&dyn Filter> {
        Some(self)
    }
    fn filter_inputs(&self, h: &Handle, state: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Inputs {
        let mut inputs = Inputs::default();
        for v in storage::volumes(&pod.pod).iter().filter(|v| is_restricted(v)) {
            let holds = |p: &&std::sync::Arc<PodInfo>| storage::volumes(&p.pod).iter().any(|o| conflict(v, o));
            inputs.notes.push(match node.pods.iter().find(holds) {
                Some(holder) => note!("cell.disk-taken", volume = &v.name, pod = &holder.key),
                None => note!("cell.disk-free", volume = &v.name),
            });
        }
        for claim in state.get::<Exclusive>().into_iter().flat_map(|s| &s.claims) {
            let uses = |p: &PodInfo| {
                let mut named = storage::volumes(&p.pod).iter().filter_map(|v| claim_name(&p.pod, v));
                p.namespace() == pod.namespace() && named.any(|(name, _)| name == *claim)
            };
            let found = h.snapshot.nodes.iter().find_map(|n| Some((n, n.pods.iter().find(|p| uses(p))?)));
            inputs.notes.push(match found {
                Some((n, p)) => note!("cell.claim-exclusive-taken", claim = claim, pod = &p.key, node = &n.name),
                None => note!("cell.claim-exclusive-free", claim = claim),
            });
        }
        inputs
    }
    fn hint(&self, pod: &PodInfo, event: &ClusterEvent) -> Hint {
        let frees = |gone: &PodInfo| {
            let claims = |p: &PodInfo| -> BTreeSet<String> {
                let named = storage::volumes(&p.pod).iter().filter_map(|v| v.persistent_volume_claim.as_ref());
                named.map(|c| c.claim_name.clone()).collect()
            };
            gone.namespace() == pod.namespace()
                && (conflicts_with(pod, gone) || !claims(pod).is_disjoint(&claims(gone)))
        };
        match event {
            ClusterEvent::NodeAdd(_) => Hint::Queue,
            ClusterEvent::AssignedPodDelete(gone) => Hint::queue_if(frees(gone)),
            ClusterEvent::Claim(w) => Hint::queue_if(w.added().is_some_and(|c| storage::names_claim(&pod.pod, c))),
            _ => Hint::Skip,
        }
    }
}

impl PreFilter for VolumeRestrictions {
    fn pre_filter(&self, h: &Handle, state: &mut CycleState, pod: &PodInfo) -> PreFilterResult {
        let volumes = storage::volumes(&pod.pod);
        if volumes.is_empty() {
            return PreFilterResult::Skip;
        }
        let mut s = Exclusive { claims: BTreeSet::new(), conflicts: 0 };
        for claim in volumes.iter().filter_map(|v| v.persistent_volume_claim.as_ref()) {
            let claim = match h.objects.storage.claim(pod.namespace(), &claim.claim_name) {
                Ok(claim) => claim,
                Err(e) => return PreFilterResult::Refuse(Status::unresolvable(e.0)),
            };
            let modes = claim.spec.as_ref().and_then(|s| s.access_modes.as_ref());
            if modes.is_some_and(|m| m.iter().any(|m| m == "ReadWriteOncePod")) {
                s.claims.insert(claim.metadata.name.clone().unwrap_or_default());
            }
        }
        if !s.claims.is_empty() {
            // A claim counts once, however many pods use it.
            let others = h.snapshot.nodes.iter().flat_map(|n| &n.pods).filter(|p| p.namespace() == pod.namespace());
            let used: BTreeSet<String> = others
                .flat_map(|p| storage::volumes(&p.pod).iter().filter_map(|v| Some(claim_name(&p.pod, v)?.0)))
                .filter(|name| s.claims.contains(name))
                .collect();
            s.conflicts = used.len() as i64;
        }
        if s.conflicts == 0 && !volumes.iter().any(is_restricted) {
            return PreFilterResult::Skip;
        }
        state.write(s);
        PreFilterResult::Pass
    }
    fn add_pod(&self, _: &Handle, state: &mut CycleState, _: &PodInfo, other: &PodInfo, _: &NodeInfo) {
        if let Some(s) = state.get_mut::<Exclusive>() {
            s.conflicts += s.uses(other);
        }
    }
    fn remove_pod(&self, _: &Handle, state: &mut CycleState, _: &PodInfo, other: &PodInfo, _: &NodeInfo) {
        if let Some(s) = state.get_mut::<Exclusive>() {
            s.conflicts -= s.uses(other);
        }
    }
}

impl Filter for VolumeRestrictions {
    fn filter(&self, _: &Handle, state: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Answer {
        if node.pods.iter().any(|other| conflicts_with(pod, other)) {
            return Err(Status::unschedulable("node(s) had no available disk"));
        }
        match state.get::<Exclusive>() {
            None => Err(Status::error("cannot read \"PreFilterVolumeRestrictions\" from cycleState")),
            Some(s) if s.conflicts > 0 => Err(Status::unschedulable(
                "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode",
            )),
            Some(_) => Ok(()),
        }
    }
}
