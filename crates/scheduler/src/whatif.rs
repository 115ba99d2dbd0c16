//! Scheduling without a cluster: nodes and bound pods as given, the waiting pods one after the other.

use crate::cache::Cache;
use crate::config::Config;
use crate::cycle::Algorithm;
use crate::extender::Caller;
use crate::framework::run::point_record;
use crate::framework::{Handle, Nominator, Objects, PodInfo};
use crate::moment::Moment;
use crate::plugins::{scheduling_gates, volume_binder};
use crate::record::Record;
use k8s_openapi::api::apps::v1::{ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::{
    Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod, ReplicationController, Service,
};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::resource::v1::{DeviceClass, ResourceClaim, ResourceSlice};
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::api::storage::v1::{CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment};
use meta::{Key, Rng};
use std::sync::Arc;
use trace::Cycle;
use trace::cycle::PodRef;

/// The PodScheduled condition's message of a pod with scheduling gates, as the API server sets it.
pub const GATED_MESSAGE: &str = "Scheduling is blocked due to non-empty scheduling gates";

/// The objects that a scheduler reads.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub nodes: Vec<Node>,
    pub pods: Vec<Pod>,
    pub pod_disruption_budgets: Vec<PodDisruptionBudget>,
    pub services: Vec<Service>,
    pub replica_sets: Vec<ReplicaSet>,
    pub stateful_sets: Vec<StatefulSet>,
    pub replication_controllers: Vec<ReplicationController>,
    pub namespaces: Vec<Namespace>,
    pub priority_classes: Vec<PriorityClass>,
    pub persistent_volumes: Vec<PersistentVolume>,
    pub persistent_volume_claims: Vec<PersistentVolumeClaim>,
    pub storage_classes: Vec<StorageClass>,
    pub csi_nodes: Vec<CSINode>,
    pub csi_drivers: Vec<CSIDriver>,
    pub csi_storage_capacities: Vec<CSIStorageCapacity>,
    pub volume_attachments: Vec<VolumeAttachment>,
    pub resource_claims: Vec<ResourceClaim>,
    pub device_classes: Vec<DeviceClass>,
    pub resource_slices: Vec<ResourceSlice>,
}

impl World {
    /// What plugins read besides nodes and pods.
    fn objects(&mut self) -> Objects {
        let mut objects = Objects::default();
        objects.pod_disruption_budgets = self.pod_disruption_budgets.drain(..).map(Arc::new).collect();
        self.services.iter().for_each(|o| objects.set_service(o));
        self.replica_sets.iter().for_each(|o| objects.set_replica_set(o));
        self.stateful_sets.iter().for_each(|o| objects.set_stateful_set(o));
        self.replication_controllers.iter().for_each(|o| objects.set_replication_controller(o));
        self.namespaces.iter().for_each(|o| objects.set_namespace(o));
        let storage = &mut objects.storage;
        self.persistent_volumes.drain(..).for_each(|o| storage.set_volume(o));
        self.persistent_volume_claims.drain(..).for_each(|o| storage.set_claim(o));
        self.storage_classes.drain(..).for_each(|o| storage.set_class(o));
        self.csi_nodes.drain(..).for_each(|o| storage.set_csi_node(o));
        self.csi_drivers.drain(..).for_each(|o| storage.set_csi_driver(o));
        self.csi_storage_capacities.drain(..).for_each(|o| storage.set_capacity(o));
        self.volume_attachments.drain(..).for_each(|o| storage.set_attachment(o));
        let devices = &mut objects.devices;
        self.resource_claims.drain(..).for_each(|o| devices.set_claim(o));
        self.device_classes.drain(..).for_each(|o| devices.set_class(o));
        self.resource_slices.drain(..).for_each(|o| devices.set_slice(o));
        objects
    }
}

/// Schedules every pod without `spec.nodeName` in the order given and returns one cycle for each. A scheduled pod
/// occupies its node for the next ones; a pod that preempts stays nominated and its victims stay where they are,
/// because nothing here carries evictions out. Pods that have ended or are being deleted are left alone.
///
/// The records name every node with what its filters say, also nodes that the search, as upstream's, did not get to;
/// `evaluated_nodes` says how many it visited, and only those have scores.
///
/// # Errors
/// A configuration whose plugins cannot be instantiated, or a pod that the API server would not have let in.
pub fn whatif(world: World, config: &Config, seed: u64) -> Result<Vec<Cycle>, String> {
    let mut cycles = Vec::new();
    whatif_each(world, config, seed, |cycle| {
        cycles.push(cycle);
        true
    })?;
    Ok(cycles)
}

/// The same, handing over one cycle after the other: with thousands of nodes each of them is large. Stops when
/// `take` says so by returning false.
///
/// # Errors
/// As [`whatif`], and then `take` was not called.
pub fn whatif_each(world: World, config: &Config, seed: u64, take: impl FnMut(Cycle) -> bool) -> Result<(), String> {
    whatif_calling(world, config, seed, None, take)
}

/// The same with a way to reach the configured extenders. They are not asked to bind.
///
/// # Errors
/// As [`whatif_each`].
pub fn whatif_calling(
    world: World,
    config: &Config,
    seed: u64,
    caller: Option<Arc<dyn Caller>>,
    take: impl FnMut(Cycle) -> bool,
) -> Result<(), String> {
    each(world, config, seed, caller, None, take).map(|_| ())
}

/// The moment at which the pod's turn comes, with what the pods before it did; or, for one that is on a node, the end,
/// with the pod taken away. `None` when there is no such pod, or no profile for it.
///
/// # Errors
/// As [`whatif`].
pub fn whatif_moment(
    world: World,
    config: &Config,
    seed: u64,
    caller: Option<Arc<dyn Caller>>,
    pod: &Key,
) -> Result<Option<Moment>, String> {
    each(world, config, seed, caller, Some(pod), |_| true)
}

fn each(
    mut world: World,
    config: &Config,
    seed: u64,
    caller: Option<Arc<dyn Caller>>,
    stop_at: Option<&Key>,
    mut take: impl FnMut(Cycle) -> bool,
) -> Result<Option<Moment>, String> {
    let mut algorithm = Algorithm::calling(config, Rng::new(seed), caller)?;
    algorithm.record_every_node();
    crate::admission::admit(&mut world)?;
    let mut objects = world.objects();
    let (mut cache, mut nominator, mut waiting) = (Cache::new(), Nominator::default(), Vec::new());
    for node in world.nodes {
        cache.add_node(Arc::new(node));
    }
    for pod in world.pods {
        let pod = Arc::new(PodInfo::new(Arc::new(pod)));
        if pod.is_terminal() {
            continue;
        }
        if let Some(node) = pod.node_name() {
            cache.add_pod(pod.clone(), node);
        } else if !pod.is_deleting() {
            if let Some(node) = pod.nominated_node() {
                nominator.add(pod.clone(), node);
            }
            waiting.push(pod);
        }
    }
    let moment =
        |algorithm: &Algorithm, cache: &mut Cache, objects: &Objects, nominator: &Nominator, pod: &Arc<PodInfo>| {
            algorithm.profile(pod.scheduler_name())?;
            let objects = Arc::new(objects.clone());
            let m = Moment::of(algorithm, cache.snapshot(), &objects, nominator, pod.clone());
            Some(m.decided())
        };
    for pod in waiting {
        if stop_at == Some(&pod.key) {
            return Ok(moment(&algorithm, &mut cache, &objects, &nominator, &pod));
        }
        let mut record = Record::whole(1);
        let cycle = &mut record.cycle;
        cycle.pod = PodRef { namespace: pod.namespace().into(), name: pod.name().into() };
        let Some(framework) = algorithm.profile(pod.scheduler_name()).cloned() else {
            cycle.message = format!("profile not found for scheduler name {:?}", pod.scheduler_name());
            if !take(record.cycle) {
                break;
            }
            continue;
        };
        if let Err(status) = framework.pre_enqueue(&objects.devices, &pod) {
            cycle.profile = framework.profile_name.clone();
            // For other plugins no condition is set, so there is only what they say.
            let gated = status.plugin == scheduling_gates::NAME;
            cycle.message = if gated { GATED_MESSAGE.into() } else { status.message() };
            cycle.points.push(point_record("PreEnqueue", status.plugin, &Err(status.clone())));
            if !take(record.cycle) {
                break;
            }
            continue;
        }
        let h = Handle { snapshot: cache.snapshot(), objects: &objects, nominator: &nominator };
        match algorithm.schedule(h, &framework, &pod, Some(&mut record)) {
            Ok(node) => {
                nominator.remove(&pod.key);
                if let Some(info) = cache.snapshot().get(&node) {
                    volume_binder::assume(&mut objects, &pod, &info.node);
                    objects.devices.assume(&pod.pod, &info.node);
                }
                cache.assume_pod(pod, &node);
            }
            Err(failure) => match failure.nominate.as_deref() {
                Some("") => nominator.remove(&pod.key),
                Some(node) => nominator.add(pod, node),
                None => {}
            },
        }
        if !take(record.cycle) {
            break;
        }
    }
    let bound = stop_at.and_then(|key| cache.remove_pod(key));
    let bound = bound.map(|pod| crate::moment::unbound(pod.pod.clone()));
    Ok(bound.and_then(|pod| moment(&algorithm, &mut cache, &objects, &nominator, &pod)))
}
