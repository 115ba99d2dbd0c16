//! What happened in the cluster, as the queue needs to know it. Models `fwk.ClusterEvent`; an update carries both
//! states, so that a plugin sees for itself which of upstream's finer events it was.

use super::pod_info::PodInfo;
use k8s_openapi::api::core::v1::Node;

/// Models `fwk.QueueingHint`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    Skip,
    Queue,
}

impl Hint {
    pub fn queue_if(condition: bool) -> Hint {
        if condition { Hint::Queue } else { Hint::Skip }
    }
}

#[derive(Clone, Copy, Debug)]
pub enum ClusterEvent<'a> {
    NodeAdd(&'a Node),
    NodeUpdate {
        old: &'a Node,
        new: &'a Node,
    },
    NodeDelete(&'a Node),
    AssignedPodAdd(&'a PodInfo),
    AssignedPodUpdate {
        old: &'a PodInfo,
        new: &'a PodInfo,
    },
    AssignedPodDelete(&'a PodInfo),
    /// Another pod that waits was deleted.
    UnscheduledPodDelete(&'a PodInfo),
    /// The waiting pod itself changed.
    TargetPodUpdate {
        old: &'a PodInfo,
        new: &'a PodInfo,
    },
    /// The pod waited too long: try again, whatever happened.
    UnschedulableTimeout,
}

impl ClusterEvent<'_> {
    /// As upstream labels its metrics: `NodeAdd`, `AssignedPodDelete`.
    pub fn label(&self) -> &'static str {
        match self {
            ClusterEvent::NodeAdd(_) => "NodeAdd",
            ClusterEvent::NodeUpdate { .. } => "NodeUpdate",
            ClusterEvent::NodeDelete(_) => "NodeDelete",
            ClusterEvent::AssignedPodAdd(_) => "AssignedPodAdd",
            ClusterEvent::AssignedPodUpdate { .. } => "AssignedPodUpdate",
            ClusterEvent::AssignedPodDelete(_) => "AssignedPodDelete",
            ClusterEvent::UnscheduledPodDelete(_) => "UnscheduledPodDelete",
            ClusterEvent::TargetPodUpdate { .. } => "TargetPodUpdate",
            ClusterEvent::UnschedulableTimeout => "UnschedulableTimeout",
        }
    }
}
