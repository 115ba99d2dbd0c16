//! The nodes as one cycle sees them. Models `internal/cache.Snapshot`.

use super::kinds::Kinds;
use super::node_info::NodeInfo;
use super::pod_info::PodInfo;
use super::shelf::Shelf;
use super::topology::{Domains, Table, Topology};
use k8s_openapi::api::core::v1::Node;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One image somewhere in the cluster. Models `fwk.ImageStateSummary`.
#[derive(Clone, Debug, Default)]
pub struct ImageState {
    pub name: Arc<str>,
    /// Bytes, as the first node to report the image gave it.
    pub size: i64,
    /// How many nodes have it.
    pub nodes: i64,
}

/// The images that nodes have, or had.
#[derive(Clone, Debug, Default)]
pub(crate) struct Images {
    pub list: Vec<ImageState>,
    pub numbers: BTreeMap<Arc<str>, u32>,
}

pub type Nodes = Shelf<Arc<NodeInfo>>;

/// Cloning a snapshot is cheap: the nodes are shared until one changes.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// In the order cycles visit them: round robin over the zones.
    pub nodes: Nodes,
    pub(crate) index: Arc<FxHashMap<Arc<str>, usize>>,
    pub(crate) kinds: Kinds,
    pub(crate) topology: Topology,
    pub(crate) images: Arc<Images>,
    /// How many pods on the nodes have affinity terms, and required anti-affinity ones.
    pub(crate) pods_with_affinity: usize,
    pub(crate) pods_with_required_anti_affinity: usize,
}

impl Snapshot {
    /// A copy whose nodes are its own: the others stay where they are when they change.
    pub(crate) fn apart(&self) -> Snapshot {
        let nodes = self.nodes.iter().map(|n| Arc::new(NodeInfo::clone(n))).collect();
        Snapshot { nodes, ..self.clone() }
    }
    /// The pod is on the node, which may be one that is not known. `kind` is the number of the pod's kind, already or next.
    pub(crate) fn put(&mut self, pod: &Arc<PodInfo>, node: &str, kind: u32) {
        self.kinds.put(kind, pod);
        self.pods_with_affinity += usize::from(pod.has_affinity);
        self.pods_with_required_anti_affinity += usize::from(pod.has_required_anti_affinity);
        if let Some(i) = self.position(node) {
            let info = Arc::make_mut(&mut self.nodes[i]);
            info.add_pod(pod.clone());
            info.add_kind(kind);
            self.topology.add_pod(info, kind);
        }
    }
    /// The pod is not there any more.
    pub(crate) fn take(&mut self, pod: &PodInfo, node: &str, kind: u32) {
        self.kinds.take(kind);
        self.pods_with_affinity -= usize::from(pod.has_affinity);
        self.pods_with_required_anti_affinity -= usize::from(pod.has_required_anti_affinity);
        if let Some(i) = self.position(node) {
            let info = Arc::make_mut(&mut self.nodes[i]);
            info.remove_pod(&pod.key);
            info.remove_kind(kind);
            self.topology.remove_pod(info, kind);
        }
    }
    /// The node as an object has changed; its place in the order stays.
    pub(crate) fn renew(&mut self, node: &Arc<Node>) {
        let Some(i) = self.position(node.metadata.name.as_deref().unwrap_or_default()) else { return };
        let had = self.nodes[i].images.clone();
        let images = self.count_images(node, &had);
        let old = self.nodes[i].node.clone();
        let info = Arc::make_mut(&mut self.nodes[i]);
        info.images = images;
        info.set_node(node.clone());
        if old.metadata.labels.as_ref() != info.labels() {
            self.topology.relabel(info, old.metadata.labels.as_ref());
        }
    }
    pub fn get(&self, name: &str) -> Option<&Arc<NodeInfo>> {
        self.index.get(name).map(|i| &self.nodes[*i])
    }
    pub fn position(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }
    /// The kinds of the pods on the nodes.
    pub fn kinds(&self) -> &Kinds {
        &self.kinds
    }
    /// The domains of a topology key.
    pub fn table(&self, topology_key: &str) -> Arc<Table> {
        self.topology.table(topology_key, &self.nodes)
    }
    /// The same to count in; none counts yet.
    pub fn domains(&self, topology_key: &str) -> Domains {
        Domains::new(self.table(topology_key))
    }
    pub fn has_affinity(&self) -> bool {
        self.pods_with_affinity > 0
    }
    pub fn has_required_anti_affinity(&self) -> bool {
        self.pods_with_required_anti_affinity > 0
    }
    /// The number of an image that some node has.
    pub fn image_number(&self, name: &str) -> Option<u32> {
        self.images.numbers.get(name).copied().filter(|n| self.image(*n).nodes > 0)
    }
    pub fn image(&self, number: u32) -> &ImageState {
        &self.images.list[number as usize]
    }

    /// Counts the node's images in the table, takes back those it had, and returns the sorted numbers.
    /// Models `addNodeImageStates`.
    pub(crate) fn count_images(&mut self, node: &Node, had: &[u32]) -> Vec<u32> {
        let reported = node.status.as_ref().and_then(|s| s.images.as_ref()).is_some_and(|i| !i.is_empty());
        if had.is_empty() && !reported {
            return Vec::new();
        }
        let Images { list: images, numbers: image_numbers } = Arc::make_mut(&mut self.images);
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
