//! What the scheduler believes about nodes and pods, kept up to date change by change. Models
//! `pkg/scheduler/backend/cache`.

use crate::framework::kinds::KindIndex;
use crate::framework::node_info::NodeInfo;
use crate::framework::pod_info::PodInfo;
use crate::framework::snapshot::Nodes;
use crate::framework::snapshot::{ImageState, Images, Snapshot};
use crate::node_tree::{NodeTree, zone_key};
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
    /// What changed since somebody asked.
    weight: usize,
}

/// What a changed node weighs: with pods on it, and as an object.
const NODE_INFO: usize = 1;
const NODE_OBJECT: usize = 8;

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

    /// How much of the snapshot was changed since this was asked last: what an older clone of it does not share.
    pub fn take_weight(&mut self) -> usize {
        let most = self.snapshot.nodes.len() * (NODE_INFO + NODE_OBJECT);
        std::mem::take(&mut self.weight).min(most) + NODE_INFO
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
        info.images = self.count_images(&info.node, &[]);
        info.slot = self.free_slots.pop().unwrap_or_else(|| {
            self.slots += 1;
            self.slots - 1
        });
        self.snapshot.topology.enter(&info);
        self.tree.add(&zone_key(&info.node), &info.name);
        Arc::make_mut(&mut self.snapshot.index).insert(info.name.clone(), self.snapshot.nodes.len());
        self.snapshot.nodes.push(Arc::new(info));
        self.unordered = true;
    }

    pub fn update_node(&mut self, node: Arc<Node>) {
        let Some(i) = self.snapshot.position(node.metadata.name.as_deref().unwrap_or_default()) else {
            return self.add_node(node);
        };
        let (had, was, name) = {
            let old = &self.snapshot.nodes[i];
            (old.images.clone(), zone_key(&old.node), old.name.clone())
        };
        let images = self.count_images(&node, &had);
        let zone = zone_key(&node);
        if was != zone {
            self.tree.remove(&was, &name);
            self.tree.add(&zone, &name);
            self.unordered = true;
        }
        self.weight += NODE_INFO + NODE_OBJECT;
        let Snapshot { nodes, topology, .. } = &mut self.snapshot;
        let old = nodes[i].node.clone();
        let info = Arc::make_mut(&mut nodes[i]);
        info.images = images;
        info.set_node(node);
        if old.metadata.labels.as_ref() != info.labels() {
            topology.relabel(info, old.metadata.labels.as_ref());
        }
    }

    pub fn remove_node(&mut self, name: &str) {
        let Some(i) = Arc::make_mut(&mut self.snapshot.index).remove(name) else { return };
        let info = self.snapshot.nodes.swap_remove(i);
        self.weight += NODE_INFO + NODE_OBJECT;
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
        self.unordered = true;
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
        self.snapshot.pods_with_affinity -= usize::from(gone.pod.has_affinity);
        self.snapshot.pods_with_required_anti_affinity -= usize::from(gone.pod.has_required_anti_affinity);
        self.kinds.remove(&mut self.snapshot.kinds, gone.kind);
        self.weight += NODE_INFO;
        match self.snapshot.position(&gone.node) {
            Some(i) => {
                let Snapshot { nodes, topology, .. } = &mut self.snapshot;
                let info = Arc::make_mut(&mut nodes[i]);
                info.remove_pod(key);
                info.remove_kind(gone.kind);
                topology.remove_pod(info, gone.kind);
            }
            None => {
                if let Some(pods) = self.homeless.get_mut(&gone.node) {
                    pods.retain(|p| p.key != *key);
                    if pods.is_empty() {
                        self.homeless.remove(&gone.node);
                    }
                }
            }
        }
        Some(gone.pod)
    }

    fn place(&mut self, pod: Arc<PodInfo>, node: &str, assumed: bool) {
        self.remove_pod(&pod.key);
        let kind = self.kinds.add(&mut self.snapshot.kinds, &pod);
        self.weight += NODE_INFO;
        let node: Arc<str> = match self.snapshot.position(node) {
            Some(i) => {
                let Snapshot { nodes, topology, .. } = &mut self.snapshot;
                let info = Arc::make_mut(&mut nodes[i]);
                info.add_pod(pod.clone());
                info.add_kind(kind);
                topology.add_pod(info, kind);
                info.name.clone()
            }
            None => {
                let name: Arc<str> = node.into();
                self.homeless.entry(name.clone()).or_default().push(pod.clone());
                name
            }
        };
        self.snapshot.pods_with_affinity += usize::from(pod.has_affinity);
        self.snapshot.pods_with_required_anti_affinity += usize::from(pod.has_required_anti_affinity);
        self.pods.insert(pod.key.clone(), PodState { pod, node, kind, assumed });
    }

    /// Counts the node's images in the table, takes back those it had, and returns the sorted numbers.
    /// Models `addNodeImageStates`.
    fn count_images(&mut self, node: &Node, had: &[u32]) -> Vec<u32> {
        let reported = node.status.as_ref().and_then(|s| s.images.as_ref()).is_some_and(|i| !i.is_empty());
        if had.is_empty() && !reported {
            return Vec::new();
        }
        let Images { list: images, numbers: image_numbers } = Arc::make_mut(&mut self.snapshot.images);
        for n in had {
            images[*n as usize].nodes -= 1;
        }
        let mut numbers = Vec::new();
        for image in node.status.as_ref().and_then(|s| s.images.as_ref()).into_iter().flatten() {
            for name in image.names.iter().flatten() {
                let size = image.size_bytes.unwrap_or(0);
                let n = match image_numbers.get(name.as_str()) {
                    Some(n) => *n,
                    None => {
                        let n = images.len() as u32;
                        let name: Arc<str> = name.as_str().into();
                        image_numbers.insert(name.clone(), n);
                        images.push(ImageState { name, size, nodes: 0 });
                        n
                    }
                };
                if let Err(at) = numbers.binary_search(&n) {
                    numbers.insert(at, n);
                    let state = &mut images[n as usize];
                    if state.nodes == 0 {
                        state.size = size;
                    }
                    state.nodes += 1;
                }
            }
        }
        numbers
    }
}
