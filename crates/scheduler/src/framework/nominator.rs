//! Pods that preemption promised a node, and that still wait for it. Models `backend/queue.nominator`.

use super::pod_info::PodInfo;
use imbl::OrdMap;
use meta::Key;
use std::sync::Arc;

/// Cloning is cheap: kept moments hold clones.
#[derive(Clone, Debug, Default)]
pub struct Nominator {
    by_node: OrdMap<String, Vec<Arc<PodInfo>>>,
    node_of: OrdMap<Key, String>,
}

impl Nominator {
    pub fn is_empty(&self) -> bool {
        self.node_of.is_empty()
    }
    pub fn on_node(&self, node: &str) -> &[Arc<PodInfo>] {
        if self.is_empty() {
            return &[];
        }
        self.by_node.get(node).map(Vec::as_slice).unwrap_or_default()
    }
    pub fn node_of(&self, key: &Key) -> Option<&str> {
        self.node_of.get(key).map(String::as_str)
    }
    /// Nominates the pod, in place of any earlier nomination of it.
    pub fn add(&mut self, pod: Arc<PodInfo>, node: &str) {
        self.remove(&pod.key);
        self.node_of.insert(pod.key.clone(), node.to_string());
        self.by_node.entry(node.to_string()).or_default().push(pod);
    }
    pub fn remove(&mut self, key: &Key) {
        let Some(node) = self.node_of.remove(key) else { return };
        if let Some(pods) = self.by_node.get_mut(&node) {
            pods.retain(|p| p.key != *key);
            if pods.is_empty() {
                self.by_node.remove(&node);
            }
        }
    }
}
