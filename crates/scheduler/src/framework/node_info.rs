//! A node with the sums of what runs on it. Models `framework.NodeInfo`.

use super::pod_info::{HostPort, PodInfo};
use super::resource::Resource;
use k8s_openapi::api::core::v1::{Node, Taint};
use meta::Key;
use meta::labels::Labels;
use std::sync::Arc;

#[derive(Clone, Debug)]
pub struct NodeInfo {
    pub node: Arc<Node>,
    pub name: Arc<str>,
    /// Its place in the tables of the snapshot's topology; the same as long as the node is there.
    pub slot: u32,
    pub unschedulable: bool,
    /// Whether a taint keeps pods away (NoSchedule, NoExecute).
    pub has_hard_taints: bool,
    /// Whether a taint only discourages (PreferNoSchedule).
    pub has_soft_taints: bool,
    pub allocatable: Resource,
    pub requested: Resource,
    pub non_zero_milli_cpu: i64,
    pub non_zero_memory: i64,
    pub pods: Vec<Arc<PodInfo>>,
    pub pods_with_affinity: Vec<Arc<PodInfo>>,
    pub pods_with_required_anti_affinity: Vec<Arc<PodInfo>>,
    /// How many pods of which kind the snapshot's node has; dry runs do not keep it.
    pub kinds: Vec<(u32, u32)>,
    pub used_ports: Vec<HostPort>,
    /// The images on the node, as sorted numbers of the snapshot's image table.
    pub images: Vec<u32>,
    /// Grows with every change.
    pub generation: u64,
}

impl NodeInfo {
    pub fn new(node: Arc<Node>) -> Self {
        let mut info = NodeInfo {
            name: node.metadata.name.as_deref().unwrap_or_default().into(),
            node: node.clone(),
            slot: u32::MAX,
            unschedulable: false,
            has_hard_taints: false,
            has_soft_taints: false,
            allocatable: Resource::default(),
            requested: Resource::default(),
            non_zero_milli_cpu: 0,
            non_zero_memory: 0,
            pods: Vec::new(),
            pods_with_affinity: Vec::new(),
            pods_with_required_anti_affinity: Vec::new(),
            kinds: Vec::new(),
            used_ports: Vec::new(),
            images: Vec::new(),
            generation: 0,
        };
        info.set_node(node);
        info
    }

    pub fn set_node(&mut self, node: Arc<Node>) {
        let spec = node.spec.as_ref();
        self.unschedulable = spec.and_then(|s| s.unschedulable).unwrap_or(false);
        self.allocatable = Resource::from_api(node.status.as_ref().and_then(|s| s.allocatable.as_ref()));
        self.node = node;
        self.has_hard_taints = self.taints().iter().any(is_hard);
        self.has_soft_taints = self.taints().iter().any(|t| t.effect == "PreferNoSchedule");
        self.generation += 1;
    }

    pub fn taints(&self) -> &[Taint] {
        self.node.spec.as_ref().and_then(|s| s.taints.as_deref()).unwrap_or_default()
    }
    pub fn labels(&self) -> Option<&Labels> {
        self.node.metadata.labels.as_ref()
    }

    pub fn add_pod(&mut self, pod: Arc<PodInfo>) {
        self.count(&pod, 1);
        self.used_ports.extend(pod.host_ports.iter().cloned());
        if pod.has_affinity {
            self.pods_with_affinity.push(pod.clone());
        }
        if pod.has_required_anti_affinity {
            self.pods_with_required_anti_affinity.push(pod.clone());
        }
        self.pods.push(pod);
    }

    /// Counts one more pod of a kind.
    pub(crate) fn add_kind(&mut self, kind: u32) {
        match self.kinds.iter_mut().find(|(k, _)| *k == kind) {
            Some((_, n)) => *n += 1,
            None => self.kinds.push((kind, 1)),
        }
    }
    /// Counts one less.
    pub(crate) fn remove_kind(&mut self, kind: u32) {
        if let Some(i) = self.kinds.iter().position(|(k, _)| *k == kind) {
            self.kinds[i].1 -= 1;
            if self.kinds[i].1 == 0 {
                self.kinds.swap_remove(i);
            }
        }
    }

    /// Takes the pod away and returns it; `None` when it is not here.
    pub fn remove_pod(&mut self, key: &Key) -> Option<Arc<PodInfo>> {
        let at = self.pods.iter().position(|p| p.key == *key)?;
        let pod = self.pods.swap_remove(at);
        self.pods_with_affinity.retain(|p| p.key != *key);
        self.pods_with_required_anti_affinity.retain(|p| p.key != *key);
        for port in &pod.host_ports {
            if let Some(i) = self.used_ports.iter().position(|p| p == port) {
                self.used_ports.swap_remove(i);
            }
        }
        self.count(&pod, -1);
        Some(pod)
    }

    fn count(&mut self, pod: &PodInfo, sign: i64) {
        self.requested.add(&pod.requests, sign);
        self.non_zero_milli_cpu += sign * pod.non_zero.milli_cpu;
        self.non_zero_memory += sign * pod.non_zero.memory;
        self.generation += 1;
    }

    /// Whether `port` clashes with one in use.
    pub fn port_conflicts(&self, port: &HostPort) -> bool {
        self.used_ports.iter().any(|used| used.conflicts(port))
    }
}

pub fn is_hard(taint: &Taint) -> bool {
    taint.effect == "NoSchedule" || taint.effect == "NoExecute"
}
