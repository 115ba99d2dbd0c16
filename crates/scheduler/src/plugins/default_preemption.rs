//! DefaultPreemption: when nothing fits, evict pods of lower priority. Models `plugins/defaultpreemption`; the search
//! itself is `preemption.rs`.

use crate::config::{Args, DefaultPreemptionArgs};
use crate::devices::Devices;
use crate::framework::{
    Answer, ClusterEvent, Hint, NodeStatuses, Plugin, PodInfo, PostFilter, PostFilterResult, PreEnqueue, Run, Status,
};
use crate::preemption;
use meta::Rng;

pub const NAME: &str = "DefaultPreemption";

pub struct DefaultPreemption(DefaultPreemptionArgs);

pub fn build(args: &Args) -> Result<Box<dyn Plugin>, String> {
    Ok(Box::new(DefaultPreemption(args.default_preemption.clone())))
}

impl Plugin for DefaultPreemption {
    fn name(&self) -> &'static str {
        NAME
    }
    fn as_pre_enqueue(&self) -> Option<&dyn PreEnqueue> {
        Some(self)
    }
    fn as_post_filter(&self) -> Option<&dyn PostFilter> {
        Some(self)
    }
    fn hint(&self, _: &PodInfo, event: &ClusterEvent) -> Hint {
        Hint::queue_if(matches!(event, ClusterEvent::AssignedPodDelete(_)))
    }
}

/// Upstream holds a pod back while its victims are being evicted asynchronously; here a cycle's evictions are one
/// step with the cycle.
impl PreEnqueue for DefaultPreemption {
    fn pre_enqueue(&self, _: &Devices, _: &PodInfo) -> Answer {
        Ok(())
    }
}

impl PostFilter for DefaultPreemption {
    fn post_filter(&self, run: &Run, statuses: &NodeStatuses, rng: &mut Rng) -> PostFilterResult {
        let mut result = preemption::preempt(run, statuses, &self.0, rng);
        if let Err(status) = &mut result.answer {
            let message = status.message();
            if !message.is_empty() {
                *status = Status::new(status.code, format!("preemption: {message}"));
            }
        }
        result
    }
}
