//! The order in which cycles visit nodes: one node of every zone in turn. Models `backend/cache/node_tree.go`.

use k8s_openapi::api::core::v1::Node;
use std::sync::Arc;

#[derive(Clone, Debug, Default)]
pub struct NodeTree {
    /// Zones in the order they appeared, each with its nodes in the order they did.
    zones: Vec<(String, Vec<Arc<str>>)>,
}

/// Region and zone; empty when the node has neither label. Models `nodetopology.GetZoneKey`.
pub fn zone_key(node: &Node) -> String {
    let label = |names: [&str; 2]| -> &str {
        let labels = node.metadata.labels.as_ref();
        let found = labels.and_then(|l| names.iter().find_map(|n| l.get(*n)));
        found.map(String::as_str).unwrap_or_default()
    };
    let zone = label(["failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"]);
    let region = label(["failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"]);
    if zone.is_empty() && region.is_empty() { String::new() } else { format!("{region}:\0:{zone}") }
}

impl NodeTree {
    pub fn add(&mut self, zone: &str, name: &Arc<str>) {
        match self.zones.iter_mut().find(|(z, _)| z == zone) {
            Some((_, nodes)) => nodes.push(name.clone()),
            None => self.zones.push((zone.into(), vec![name.clone()])),
        }
    }

    pub fn remove(&mut self, zone: &str, name: &str) {
        let Some(i) = self.zones.iter().position(|(z, _)| z == zone) else { return };
        self.zones[i].1.retain(|n| **n != *name);
        if self.zones[i].1.is_empty() {
            self.zones.remove(i);
        }
    }

    pub fn list(&self) -> impl Iterator<Item = &Arc<str>> {
        let rounds = self.zones.iter().map(|(_, nodes)| nodes.len()).max().unwrap_or(0);
        (0..rounds).flat_map(|i| self.zones.iter().filter_map(move |(_, nodes)| nodes.get(i)))
    }
}
