//! Which nodes refused the pod and why. Models `framework.NodeToStatus`.

use super::snapshot::Snapshot;
use super::status::{Code, Status};

/// Statuses of the nodes that were looked at; every other node shares `absent`.
#[derive(Clone, Debug)]
pub struct NodeStatuses {
    /// Position in the snapshot and its status, in the order of looking.
    pub explicit: Vec<(usize, Status)>,
    pub absent: Status,
}

impl Default for NodeStatuses {
    fn default() -> Self {
        let absent =
            Status { code: Code::UnschedulableAndUnresolvable, reasons: super::status::Reasons::None, plugin: "" };
        NodeStatuses { explicit: Vec::new(), absent }
    }
}

impl NodeStatuses {
    pub fn get(&self, node: usize) -> &Status {
        self.explicit.iter().find(|(n, _)| *n == node).map_or(&self.absent, |(_, s)| s)
    }

    /// The nodes with `code`, those looked at first. Models `NodesForStatusCode`.
    pub fn nodes_with(&self, code: Code, snapshot: &Snapshot) -> Vec<usize> {
        let mut found: Vec<usize> = self.explicit.iter().filter(|(_, s)| s.code == code).map(|(n, _)| *n).collect();
        if self.absent.code == code {
            let mut looked_at: Vec<usize> = self.explicit.iter().map(|(n, _)| *n).collect();
            looked_at.sort_unstable();
            found.extend((0..snapshot.nodes.len()).filter(|n| looked_at.binary_search(n).is_err()));
        }
        found
    }
}
