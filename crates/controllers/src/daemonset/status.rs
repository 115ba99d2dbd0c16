//! A DaemonSet's status. Models `updateDaemonSetStatus`.

use super::{Sync, name, nodes};
use crate::owner::nonzero;
use crate::pods;
use k8s_openapi::api::apps::v1::DaemonSetStatus;

/// The status to write, if it has to be written.
pub fn changed(s: &mut Sync<'_>, collisions: i32) -> Option<DaemonSetStatus> {
    let mut new = DaemonSetStatus::default();
    let (mut updated, mut available) = (0, 0);
    for node in &s.nodes {
        let first = s.on_node.get(name(&node.metadata)).and_then(|list| list.first().copied());
        if !nodes::should_run(s.ds, node).0 {
            new.number_misscheduled += i32::from(first.is_some());
            continue;
        }
        new.desired_number_scheduled += 1;
        let Some(p) = first else { continue };
        new.current_number_scheduled += 1;
        if pods::is_ready(p) {
            new.number_ready += 1;
            available += i32::from(s.is_available(p));
        }
        updated += i32::from(s.is_updated(p));
    }
    let min_ready = s.spec.min_ready_seconds.unwrap_or(0);
    for p in s.on_node.values().flatten().filter(|_| min_ready > 0) {
        if let Some(wait) = pods::availability_in(p, min_ready, s.cx.now) {
            s.out.requeue(wait);
        }
    }
    let old = s.ds.status.clone().unwrap_or_default();
    new.updated_number_scheduled = nonzero(updated);
    new.number_available = nonzero(available);
    new.number_unavailable = nonzero(new.desired_number_scheduled - available);
    new.observed_generation = s.ds.metadata.generation;
    new.conditions = old.conditions.clone();
    new.collision_count = if collisions > 0 { Some(collisions) } else { old.collision_count };
    (new != old).then_some(new)
}
