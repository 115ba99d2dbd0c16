//! What the scheduler believes about nodes and pods, kept up to date change by change. Models
//! `pkg/scheduler/backend/cache`.

use crate::framework::kinds::KindIndex;
use crate::framework::node_info::NodeInfo;
use crate::framework::pod_info::PodInfo;
use crate::framework::snapshot::Nodes;
use crate::framework::snapshot::Snapshot;
use crate::node_tree::{NodeTree, zone_key};
use crate::past::{Change, Log, Past};
use k8s_openapi::api::core::v1::Node;
use meta::Key;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Clone, Debug)]
struct PodState {
    pod: Arc<PodInfo>,
    node: Arc<str>,
    /// Its number in the snapshot's kinds.
    kind: u32,
    /// Placed by this scheduler, not yet confirmed by the API server.
    assumed: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Cache {
    snapshot: Snapshot,
    tree: NodeTree,
    /// The nodes changed since the snapshot's order was computed.
    unordered: bool,
    pods: FxHashMap<Key, PodState>,
    /// Slots of nodes that are gone, and how many there are in all.
    free_slots: Vec<u32>,
    slots: u32,
    /// Pods on nodes that are not known (yet, or any more).
    homeless: BTreeMap<Arc<str>, Vec<Arc<PodInfo>>>,
    /// Finds the kind of a pod.
    kinds: KindIndex,
    /// What changes, while cycles are recorded.
    log: Log,
}

impl Cache {
    pub fn new() -> Self {
        Cache::default()
    }

    /// The nodes as a cycle should see them. Cloning it is cheap, and later changes do not reach the clone.
    pub fn snapshot(&mut self) -> &Snapshot {
        if self.unordered {
            self.unordered = false;
            let Snapshot { nodes, index, .. } = &mut self.snapshot;
            let ordered: Nodes =
                self.tree.list().filter_map(|name| index.get(name)).map(|i| nodes[*i].clone()).collect();
            *nodes = ordered;
            *index = Arc::new(nodes.iter().enumerate().map(|(i, n)| (n.name.clone(), i)).collect());
        }
        &self.snapshot
    }

    /// The nodes as they are now, to come back to later; and how much has to be kept for that since this was asked last.
    pub(crate) fn now(&mut self) -> (Past, usize) {
        self.snapshot();
        self.log.now(&self.snapshot)
    }

    /// The cache that would have given this snapshot.
    pub fn from_snapshot(snapshot: &Snapshot) -> Self {
        let mut cache = Cache::new();
        for node in snapshot.nodes.iter() {
            cache.add_node(node.node.clone());
            for pod in &node.pods {
                cache.add_pod(pod.clone(), &node.name);
            }
        }
        cache
    }

    pub fn add_node(&mut self, node: Arc<Node>) {
        let mut info = NodeInfo::new(node);
        if self.snapshot.index.contains_key(&info.name) {
            return self.update_node(info.node);
        }
        for pod in self.homeless.remove(&info.name).unwrap_or_default() {
            if let Some(state) = self.pods.get(&pod.key) {
                info.add_kind(state.kind);
            }
            info.add_pod(pod);
        }
        info.images = self.snapshot.count_images(&info.node, &[]);
        info.slot = self.free_slots.pop().unwrap_or_else(|| {
            self.slots += 1;
            self.slots - 1
        });
        self.snapshot.topology.enter(&info);
        self.tree.add(&zone_key(&info.node), &info.name);
        Arc::make_mut(&mut self.snapshot.index).insert(info.name.clone(), self.snapshot.nodes.len());
        self.snapshot.nodes.push(Arc::new(info));
        self.reorder();
    }

    pub fn update_node(&mut self, node: Arc<Node>) {
        let Some(i) = self.snapshot.position(node.metadata.name.as_deref().unwrap_or_default()) else {
            return self.add_node(node);
        };
        let (was, name) = (zone_key(&self.snapshot.nodes[i].node), self.snapshot.nodes[i].name.clone());
        let zone = zone_key(&node);
        if was != zone {
            self.tree.remove(&was, &name);
            self.tree.add(&zone, &name);
            self.reorder();
        }
        self.happens(Change::Renew(node));
    }

    /// The nodes have another order from now on.
    fn reorder(&mut self) {
        self.unordered = true;
        self.log.end();
    }

    fn happens(&mut self, change: Change) {
        change.happen_to(&mut self.snapshot);
        self.log.note(change);
    }

    pub fn remove_node(&mut self, name: &str) {
        let Some(i) = Arc::make_mut(&mut self.snapshot.index).remove(name) else { return };
        let info = self.snapshot.nodes.swap_remove(i);
        if let Some(moved) = self.snapshot.nodes.get(i) {
            Arc::make_mut(&mut self.snapshot.index).insert(moved.name.clone(), i);
        }
        for n in &info.images {
            Arc::make_mut(&mut self.snapshot.images).list[*n as usize].nodes -= 1;
        }
        self.snapshot.topology.leave(&info);
        self.free_slots.push(info.slot);
        self.tree.remove(&zone_key(&info.node), name);
        if !info.pods.is_empty() {
            self.homeless.insert(info.name.clone(), info.pods.clone());
        }
        self.reorder();
    }

    /// Adds a pod that the API server says is on `node`; confirms an assumed one.
    pub fn add_pod(&mut self, pod: Arc<PodInfo>, node: &str) {
        self.place(pod, node, false);
    }

    /// Books the pod on `node` before the API server has confirmed it.
    pub fn assume_pod(&mut self, pod: Arc<PodInfo>, node: &str) {
        self.place(pod, node, true);
    }

    /// Takes back what `assume_pod` booked.
    pub fn forget_pod(&mut self, key: &Key) {
        if self.is_assumed(key) {
            self.remove_pod(key);
        }
    }

    pub fn is_assumed(&self, key: &Key) -> bool {
        self.pods.get(key).is_some_and(|p| p.assumed)
    }
    pub fn node_of(&self, key: &Key) -> Option<&Arc<str>> {
        self.pods.get(key).map(|p| &p.node)
    }
    pub fn pod(&self, key: &Key) -> Option<&Arc<PodInfo>> {
        self.pods.get(key).map(|p| &p.pod)
    }

    pub fn remove_pod(&mut self, key: &Key) -> Option<Arc<PodInfo>> {
        let gone = self.pods.remove(key)?;
        let PodState { pod, node, kind, .. } = &gone;
        self.happens(Change::Take { pod: pod.clone(), node: node.clone(), kind: *kind });
        if self.snapshot.kinds.is_over(*kind) {
            self.kinds.forget(pod, *kind);
        }
        if let Some(pods) = self.homeless.get_mut(node) {
            pods.retain(|p| p.key != *key);
            if pods.is_empty() {
                self.homeless.remove(node);
            }
        }
        Some(gone.pod)
    }

    fn place(&mut self, pod: Arc<PodInfo>, node: &str, assumed: bool) {
        self.remove_pod(&pod.key);
        let kind = self.kinds.number(&self.snapshot.kinds, &pod);
        let node: Arc<str> = match self.snapshot.get(node) {
            Some(info) => info.name.clone(),
            None => {
                let name: Arc<str> = node.into();
                self.homeless.entry(name.clone()).or_default().push(pod.clone());
                name
            }
        };
        self.happens(Change::Put { pod: pod.clone(), node: node.clone(), kind });
        self.pods.insert(pod.key.clone(), PodState { pod, node, kind, assumed });
    }
}
