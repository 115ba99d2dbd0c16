//! VolumeZone: a volume labelled with zones or regions is only reachable from nodes there. Models
//! `plugins/volumezone`.

use crate::framework::storage::{self, WAIT_FOR_FIRST_CONSUMER, bound_volume, claim_class};
use crate::framework::{
    Answer, ClusterEvent, CycleState, Filter, Handle, Hint, NodeInfo, Plugin, PodInfo, PreFilter, PreFilterResult,
    Status,
};
use k8s_openapi::api::core::v1::PersistentVolume;
use k8s_openapi::api::storage::v1::StorageClass;
use std::collections::BTreeSet;
use trace::explain::Inputs;
use trace::note;

pub const NAME: &str = "VolumeZone";

pub struct VolumeZone;

/// The topology labels that count, each with the label that replaced it.
const LABELS: [(&str, &str); 4] = [
    ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"),
    ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"),
    ("topology.kubernetes.io/zone", "topology.kubernetes.io/zone"),
    ("topology.kubernetes.io/region", "topology.kubernetes.io/region"),
];

/// A label of a volume: the key, what may stand in its place, and the values the node may have.
#[derive(Clone, PartialEq)]
struct Topology {
    key: &'static str,
    newer: &'static str,
    values: BTreeSet<String>,
}

#[derive(Clone)]
struct Topologies(Vec<Topology>);

/// Models getPVTopologies; several zones are joined by `__`, and a label with an empty one is ignored.
fn topologies_of(volume: &PersistentVolume, out: &mut Vec<Topology>) {
    for (key, newer) in LABELS {
        let Some(value) = volume.metadata.labels.as_ref().and_then(|l| l.get(key)) else { continue };
        let values: BTreeSet<String> = value.split("__").map(|z| z.trim().to_string()).collect();
        if !values.contains("") {
            out.push(Topology { key, newer, values });
        }
    }
}

/// Models getPVbyPod.
fn topologies(h: &Handle, pod: &PodInfo) -> Result<Topologies, Status> {
    let (store, mut found) = (&h.objects.storage, Vec::new());
    for source in storage::volumes(&pod.pod).iter().filter_map(|v| v.persistent_volume_claim.as_ref()) {
        if source.claim_name.is_empty() {
            return Err(Status::unresolvable("PersistentVolumeClaim had no name"));
        }
        let missing = |e: storage::NotFound| Status::unresolvable(e.0);
        let claim = store.claim(pod.namespace(), &source.claim_name).map_err(missing)?;
        let volume = bound_volume(&claim);
        if volume.is_empty() {
            let class_name = claim_class(&claim);
            if class_name.is_empty() {
                return Err(Status::unresolvable("PersistentVolumeClaim had no pv name and storageClass name"));
            }
            let class = store.class(class_name).map_err(missing)?;
            match class.volume_binding_mode.as_deref() {
                None => {
                    let why = format!("VolumeBindingMode not set for StorageClass {class_name:?}");
                    return Err(Status::unresolvable(why));
                }
                // Not bound yet: the volume will be made, or chosen, for the node.
                Some(WAIT_FOR_FIRST_CONSUMER) => continue,
                Some(_) => return Err(Status::unresolvable("PersistentVolume had no name")),
            }
        }
        topologies_of(&*store.volume(volume).map_err(missing)?, &mut found);
    }
    Ok(Topologies(found))
}

impl Plugin for VolumeZone {
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
        let Ok(found) = topologies(h, pod) else { return Inputs::default() };
        let have = |t: &Topology| {
            let labels = node.labels();
            labels.and_then(|l| l.get(t.key).or_else(|| l.get(t.newer))).cloned().unwrap_or_default()
        };
        let values = |t: &Topology| t.values.iter().cloned().collect::<Vec<_>>().join(", ");
        let notes = found.0.iter().map(|t| note!("cell.volume-zone", key = t.key, want = values(t), have = have(t)));
        Inputs { notes: notes.collect(), ..Inputs::default() }
    }
    fn hint(&self, pod: &PodInfo, event: &ClusterEvent) -> Hint {
        let topologies = |v: &PersistentVolume| {
            let mut found = Vec::new();
            topologies_of(v, &mut found);
            found
        };
        let waits = |c: &StorageClass| c.volume_binding_mode.as_deref() == Some(WAIT_FOR_FIRST_CONSUMER);
        Hint::queue_if(match event {
            ClusterEvent::NodeAdd(_) => true,
            ClusterEvent::NodeUpdate { old, new } => old.metadata.labels != new.metadata.labels,
            ClusterEvent::Class(w) => w.added().is_some_and(waits),
            ClusterEvent::Claim(w) => w.added().is_some_and(|c| storage::names_claim(&pod.pod, c)),
            ClusterEvent::Volume(w) => match w.updated() {
                Some((old, new)) => topologies(old) != topologies(new),
                None => w.added().is_some(),
            },
            _ => false,
        })
    }
}

impl PreFilter for VolumeZone {
    fn pre_filter(&self, h: &Handle, state: &mut CycleState, pod: &PodInfo) -> PreFilterResult {
        if storage::volumes(&pod.pod).is_empty() {
            return PreFilterResult::Skip;
        }
        match topologies(h, pod) {
            Err(status) => PreFilterResult::Refuse(status),
            Ok(found) if found.0.is_empty() => PreFilterResult::Skip,
            Ok(found) => {
                state.write(found);
                PreFilterResult::Pass
            }
        }
    }
}

impl Filter for VolumeZone {
    fn filter(&self, h: &Handle, state: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Answer {
        if storage::volumes(&pod.pod).is_empty() {
            return Ok(());
        }
        let computed;
        let topologies = match state.get::<Topologies>() {
            Some(found) => found,
            None => {
                computed = topologies(h, pod)?;
                &computed
            }
        };
        // A node without any of the labels is in a cluster of one zone.
        let Some(labels) = node.labels().filter(|l| LABELS.iter().any(|(key, _)| l.contains_key(*key))) else {
            return Ok(());
        };
        let fits =
            |t: &Topology| labels.get(t.key).or_else(|| labels.get(t.newer)).is_some_and(|v| t.values.contains(v));
        if topologies.0.iter().all(fits) {
            Ok(())
        } else {
            Err(Status::unresolvable("node(s) had no available volume zone"))
        }
    }
}
