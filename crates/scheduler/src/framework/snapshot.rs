//! The nodes as one cycle sees them. Models `internal/cache.Snapshot`.

use super::kinds::Kinds;
use super::node_info::NodeInfo;
use super::shelf::Shelf;
use super::topology::{Domains, Table, Topology};
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
}
