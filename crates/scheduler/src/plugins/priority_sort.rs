//! PrioritySort: higher priority first, then the older in the queue. Models `plugins/queuesort`.

use crate::framework::{ClusterEvent, Hint, Plugin, PodInfo, QueueSort, SortKey};
use meta::Time;

pub const NAME: &str = "PrioritySort";

pub struct PrioritySort;

impl Plugin for PrioritySort {
    fn name(&self) -> &'static str {
        NAME
    }
    fn as_queue_sort(&self) -> Option<&dyn QueueSort> {
        Some(self)
    }
    fn hint(&self, _: &PodInfo, _: &ClusterEvent) -> Hint {
        Hint::Skip
    }
}

impl QueueSort for PrioritySort {
    fn sort_key(&self, pod: &PodInfo, timestamp: Time) -> SortKey {
        SortKey(-i64::from(pod.priority), timestamp.0)
    }
}
