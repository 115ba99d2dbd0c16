//! SchedulingGates: a pod with gates stays out of the queue. Models `plugins/schedulinggates`.

use crate::devices::Devices;
use crate::framework::{Answer, ClusterEvent, Hint, Plugin, PodInfo, PreEnqueue, Status};

pub const NAME: &str = "SchedulingGates";

pub struct SchedulingGates;

impl Plugin for SchedulingGates {
    fn name(&self) -> &'static str {
        NAME
    }
    fn as_pre_enqueue(&self) -> Option<&dyn PreEnqueue> {
        Some(self)
    }
    fn hint(&self, pod: &PodInfo, event: &ClusterEvent) -> Hint {
        match event {
            ClusterEvent::TargetPodUpdate { new, .. } => {
                Hint::queue_if(new.key == pod.key && gates(new).next().is_none())
            }
            _ => Hint::Skip,
        }
    }
}

fn gates(pod: &PodInfo) -> impl Iterator<Item = &str> {
    let spec = pod.pod.spec.as_ref();
    spec.and_then(|s| s.scheduling_gates.as_ref()).into_iter().flatten().map(|g| g.name.as_str())
}

impl PreEnqueue for SchedulingGates {
    fn pre_enqueue(&self, _: &Devices, pod: &PodInfo) -> Answer {
        let gates: Vec<&str> = gates(pod).collect();
        if gates.is_empty() {
            return Ok(());
        }
        Err(Status::unresolvable(format!("waiting for scheduling gates: [{}]", gates.join(" "))))
    }
}
