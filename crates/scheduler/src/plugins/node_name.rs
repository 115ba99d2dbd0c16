//! NodeName: a pod that names its node goes nowhere else. Models `plugins/nodename`.

use crate::framework::{Answer, ClusterEvent, CycleState, Filter, Handle, Hint, NodeInfo, Plugin, PodInfo, Status};
use trace::explain::Inputs;
use trace::note;

pub const NAME: &str = "NodeName";

pub struct NodeName;

impl Plugin for NodeName {
    fn name(&self) -> &'static str {
        NAME
    }
    fn as_filter(&self) -> Option<&dyn Filter> {
        Some(self)
    }
    fn filter_inputs(&self, _: &Handle, _: &CycleState, pod: &PodInfo, _: &NodeInfo) -> Inputs {
        let named = pod.node_name().map(|name| note!("cell.node-name", node = name));
        Inputs { notes: named.into_iter().collect(), ..Inputs::default() }
    }
    fn hint(&self, _: &PodInfo, event: &ClusterEvent) -> Hint {
        Hint::queue_if(matches!(event, ClusterEvent::NodeAdd(_)))
    }
}

impl Filter for NodeName {
    fn filter(&self, _: &Handle, _: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Answer {
        match pod.node_name() {
            Some(name) if name != &*node.name => {
                Err(Status::unresolvable("node(s) didn't match the requested node name"))
            }
            _ => Ok(()),
        }
    }
}
