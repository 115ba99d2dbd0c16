//! NodePorts: two pods cannot hold one host port. Models `plugins/nodeports`.

use crate::framework::{
    Answer, ClusterEvent, CycleState, Filter, Handle, Hint, NodeInfo, Plugin, PodInfo, PreFilter, PreFilterResult,
    Status,
};
use trace::explain::Inputs;
use trace::note;

pub const NAME: &str = "NodePorts";

pub struct NodePorts;

impl Plugin for NodePorts {
    fn name(&self) -> &'static str {
        NAME
    }
    fn as_pre_filter(&self) -> Option<&dyn PreFilter> {
        Some(self)
    }
    fn as_filter(&self) -> Option<&dyn Filter> {
        Some(self)
    }
    fn filter_inputs(&self, _: &Handle, _: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Inputs {
        let mut inputs = Inputs::default();
        for port in &pod.host_ports {
            let holder = node.pods.iter().find(|p| p.host_ports.iter().any(|used| used.conflicts(port)));
            let at = format!("{}:{}/{}", port.ip, port.port, port.protocol);
            inputs.notes.push(match holder {
                Some(p) => note!("cell.port-taken", port = at, pod = &p.key),
                None => note!("cell.port-free", port = at),
            });
        }
        inputs
    }
    fn hint(&self, pod: &PodInfo, event: &ClusterEvent) -> Hint {
        let frees = |gone: &PodInfo| {
            Hint::queue_if(pod.host_ports.iter().any(|p| gone.host_ports.iter().any(|g| g.conflicts(p))))
        };
        match event {
            ClusterEvent::NodeAdd(_) => Hint::Queue,
            ClusterEvent::AssignedPodDelete(gone) => frees(gone),
            _ => Hint::Skip,
        }
    }
}

impl PreFilter for NodePorts {
    fn pre_filter(&self, _: &Handle, _: &mut CycleState, pod: &PodInfo) -> PreFilterResult {
        if pod.host_ports.is_empty() { PreFilterResult::Skip } else { PreFilterResult::Pass }
    }
}

impl Filter for NodePorts {
    fn filter(&self, _: &Handle, _: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Answer {
        if pod.host_ports.iter().any(|p| node.port_conflicts(p)) {
            return Err(Status::unschedulable("node(s) didn't have free ports for the requested pod ports"));
        }
        Ok(())
    }
}
