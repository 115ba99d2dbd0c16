//! A pod with what scheduling needs to know of it, computed once. Models `framework.PodInfo`.

use super::affinity::AffinityTerms;
use super::resource::{self, DEFAULT_MEMORY_REQUEST, DEFAULT_MILLI_CPU_REQUEST, Options, Resource};
use k8s_openapi::api::core::v1::{Pod, PodSpec, Toleration};
use meta::{Key, Quantity};
use std::sync::Arc;

/// A host port a pod asks for; an empty protocol is TCP and an empty address all of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostPort {
    pub ip: String,
    pub protocol: String,
    pub port: i32,
}

impl HostPort {
    /// Whether both cannot be on one node: the same port and protocol on the same address, or on any address when
    /// one of the two binds all. Models `HostPortInfo.CheckConflict`.
    pub fn conflicts(&self, other: &HostPort) -> bool {
        self.port == other.port
            && self.protocol == other.protocol
            && (self.ip == other.ip || self.ip == "0.0.0.0" || other.ip == "0.0.0.0")
    }
}

#[derive(Clone, Debug)]
pub struct PodInfo {
    pub pod: Arc<Pod>,
    pub key: Key,
    pub priority: i32,
    /// What the pod asks for, as NodeResourcesFit counts it.
    pub requests: Resource,
    /// The same with a default for every container that states no CPU or memory: what is added to the node's
    /// non-zero requests.
    pub non_zero: Resource,
    /// What the scoring strategies of NodeResourcesFit count: as `non_zero`, but without regard to pod-level
    /// requests when defaults are filled in.
    pub score_requests: Resource,
    pub host_ports: Vec<HostPort>,
    pub affinity: Arc<AffinityTerms>,
    pub has_affinity: bool,
    pub has_required_anti_affinity: bool,
}

impl PodInfo {
    pub fn new(pod: Arc<Pod>) -> Self {
        let cpu = ("cpu", Quantity::from_milli(DEFAULT_MILLI_CPU_REQUEST));
        let memory = ("memory", Quantity::from_value(DEFAULT_MEMORY_REQUEST));
        let defaults = [cpu, memory];
        let (requests, non_zero, score_requests);
        {
            // A pod on a node counts with what the kubelet has actuated too; a waiting one has no such status.
            let use_status = pod.status.as_ref().is_some_and(|s| s.container_statuses.is_some());
            let list = resource::pod_requests(&pod, Options { use_status, non_missing: &[] });
            let filled = |non_missing: &[(&'static str, Quantity)]| {
                Resource::from_list(&resource::pod_requests(&pod, Options { use_status, non_missing }))
            };
            score_requests = filled(&defaults);
            non_zero = if resource::pod_level_requests_set(&pod) {
                let missing: Vec<_> = defaults.into_iter().filter(|(n, _)| !list.contains_key(n)).collect();
                filled(&missing)
            } else {
                score_requests.clone()
            };
            requests = Resource::from_list(&list);
        }
        let spec = pod.spec.as_ref();
        let affinity = spec.and_then(|s| s.affinity.as_ref());
        let anti = affinity.and_then(|a| a.pod_anti_affinity.as_ref());
        PodInfo {
            key: Key::new(
                pod.metadata.namespace.as_deref().unwrap_or("default"),
                pod.metadata.name.as_deref().unwrap_or_default(),
            ),
            priority: spec.and_then(|s| s.priority).unwrap_or(0),
            requests,
            non_zero,
            score_requests,
            host_ports: spec.map(host_ports).unwrap_or_default(),
            affinity: Arc::new(AffinityTerms::of(&pod)),
            has_affinity: affinity.is_some_and(|a| a.pod_affinity.is_some() || a.pod_anti_affinity.is_some()),
            has_required_anti_affinity: anti
                .and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref())
                .is_some_and(|t| !t.is_empty()),
            pod,
        }
    }

    /// As [`PodInfo::new`], without computing again what a new status alone does not change.
    pub fn renewed(before: &PodInfo, pod: Arc<Pod>) -> Self {
        if same_sums(&before.pod, &pod) { PodInfo { pod, ..before.clone() } } else { PodInfo::new(pod) }
    }

    pub fn namespace(&self) -> &str {
        self.key.namespace()
    }
    pub fn name(&self) -> &str {
        self.key.name()
    }
    pub fn uid(&self) -> &str {
        self.pod.metadata.uid.as_deref().unwrap_or_default()
    }
    pub fn tolerations(&self) -> &[Toleration] {
        self.pod.spec.as_ref().and_then(|s| s.tolerations.as_deref()).unwrap_or_default()
    }
    /// `spec.nodeName`, when it is not empty.
    pub fn node_name(&self) -> Option<&str> {
        self.pod.spec.as_ref()?.node_name.as_deref().filter(|n| !n.is_empty())
    }
    /// `status.nominatedNodeName`, when it is not empty.
    pub fn nominated_node(&self) -> Option<&str> {
        nominated_node(&self.pod)
    }
    /// `spec.schedulerName`, defaulted as the API server defaults it.
    pub fn scheduler_name(&self) -> &str {
        let name = self.pod.spec.as_ref().and_then(|s| s.scheduler_name.as_deref());
        name.filter(|n| !n.is_empty()).unwrap_or("default-scheduler")
    }
    pub fn is_deleting(&self) -> bool {
        self.pod.metadata.deletion_timestamp.is_some()
    }
    /// Succeeded and Failed pods hold no resources any more.
    pub fn is_terminal(&self) -> bool {
        let phase = self.pod.status.as_ref().and_then(|s| s.phase.as_deref());
        matches!(phase, Some("Succeeded" | "Failed"))
    }
}

/// Whether both come to the same [`PodInfo`]: of the status only what a resize leaves there counts.
fn same_sums(a: &Pod, b: &Pod) -> bool {
    let (Some(x), Some(y)) = (&a.spec, &b.spec) else { return false };
    let (m, n) = (&a.metadata, &b.metadata);
    m.name == n.name
        && m.namespace == n.namespace
        && m.labels == n.labels
        && x.priority == y.priority
        && x.affinity == y.affinity
        && x.overhead == y.overhead
        && x.resources == y.resources
        && x.containers == y.containers
        && x.init_containers == y.init_containers
        && resource::same_amounts_in_status(a, b)
}

/// Models `schedutil.GetHostPorts`: containers and sidecars.
fn host_ports(spec: &PodSpec) -> Vec<HostPort> {
    let sidecars = spec.init_containers.iter().flatten().filter(|c| c.restart_policy.as_deref() == Some("Always"));
    let ports = spec.containers.iter().chain(sidecars).flat_map(|c| c.ports.iter().flatten());
    ports
        .filter_map(|p| {
            let port = p.host_port.filter(|n| *n > 0)?;
            let or = |s: &Option<String>, default: &str| {
                s.as_deref().filter(|s| !s.is_empty()).unwrap_or(default).to_string()
            };
            Some(HostPort { ip: or(&p.host_ip, "0.0.0.0"), protocol: or(&p.protocol, "TCP"), port })
        })
        .collect()
}

/// The node that `pod` was promised.
pub fn nominated_node(pod: &Pod) -> Option<&str> {
    pod.status.as_ref()?.nominated_node_name.as_deref().filter(|n| !n.is_empty())
}
