//! NodeUnschedulable: cordoned nodes take no pods. Models `plugins/nodeunschedulable`.

use super::tolerations::any_tolerates;
use crate::framework::{Answer, ClusterEvent, CycleState, Filter, Handle, Hint, NodeInfo, Plugin, PodInfo, Status};
use k8s_openapi::api::core::v1::{Node, Taint};
use trace::explain::Inputs;
use trace::note;

pub const NAME: &str = "NodeUnschedulable";

pub struct NodeUnschedulable;

/// A pod that tolerates this taint may go to a cordoned node.
fn tolerates_unschedulable(pod: &PodInfo) -> bool {
    let tolerations = pod.tolerations();
    if tolerations.is_empty() {
        return false;
    }
    let taint =
        Taint { key: "node.kubernetes.io/unschedulable".into(), effect: "NoSchedule".into(), ..Default::default() };
    any_tolerates(tolerations, &taint)
}

fn cordoned(node: &Node) -> bool {
    node.spec.as_ref().and_then(|s| s.unschedulable).unwrap_or(false)
}

impl Plugin for NodeUnschedulable {
    fn name(&self) -> &'static str {
        NAME
    }
    fn as_filter(&self) -> Option<&dyn Filter> {
        Some(self)
    }
    fn filter_inputs(&self, _: &Handle, _: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Inputs {
        let mut inputs = Inputs::default();
        if node.unschedulable {
            inputs.notes.push(match tolerates_unschedulable(pod) {
                true => note!("cell.cordoned-tolerated"),
                false => note!("cell.cordoned"),
            });
        }
        inputs
    }
    fn hint(&self, pod: &PodInfo, event: &ClusterEvent) -> Hint {
        match event {
            ClusterEvent::NodeAdd(new) => Hint::queue_if(!cordoned(new)),
            ClusterEvent::NodeUpdate { old, new } => Hint::queue_if(cordoned(old) && !cordoned(new)),
            ClusterEvent::TargetPodUpdate { new, .. } => {
                Hint::queue_if(new.key == pod.key && tolerates_unschedulable(new))
            }
            _ => Hint::Skip,
        }
    }
}

impl Filter for NodeUnschedulable {
    fn filter(&self, _: &Handle, _: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Answer {
        if !node.unschedulable || tolerates_unschedulable(pod) {
            return Ok(());
        }
        Err(Status::unresolvable("node(s) were unschedulable"))
    }
}
