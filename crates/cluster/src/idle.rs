//! When a cluster has come to rest: heartbeats go on for ever, so rest is "nothing but heartbeats for a while".

use crate::Cluster;
use meta::{Duration, Time};
use reconcile::Change;

#[derive(Clone, Debug)]
pub(crate) struct Quiet {
    /// The newest change that was not a heartbeat.
    since: Time,
}

/// Longer than pulling any catalogue image or a probe's usual period, so that work under way is not taken for rest.
const REST: Duration = Duration::from_secs(90);

impl Quiet {
    pub fn new(now: Time) -> Self {
        Quiet { since: now }
    }
    pub fn observe(&mut self, now: Time, change: &Change) {
        let heartbeat = match change.kind.kind {
            "Lease" | "Event" => true,
            // A node's status is posted every five minutes even when nothing happened.
            "Node" => change.old.is_some() && change.new.is_some() && same_node_but_time(change),
            _ => false,
        };
        if !heartbeat {
            self.since = now;
        }
    }
}

fn same_node_but_time(change: &Change) -> bool {
    use k8s_openapi::api::core::v1::Node;
    fn node(o: &Option<api::Obj>) -> Option<&Node> {
        o.as_ref()?.as_any().downcast_ref()
    }
    let (Some(a), Some(b)) = (node(&change.old), node(&change.new)) else { return false };
    // Most changes that are more than a heartbeat differ here; only what is left is worth two copies.
    let images = |n: &Node| n.status.as_ref().map(|s| s.images.as_ref().map(Vec::len));
    if a.spec != b.spec || a.metadata.labels != b.metadata.labels || images(a) != images(b) {
        return false;
    }
    let (mut a, mut b) = (a.clone(), b.clone());
    for n in [&mut a, &mut b] {
        n.metadata.resource_version = None;
        n.metadata.managed_fields = None;
        for c in n.status.iter_mut().flat_map(|s| s.conditions.iter_mut()).flatten() {
            c.last_heartbeat_time = None;
        }
    }
    a == b
}

impl Cluster {
    /// The newest change that was more than a heartbeat.
    pub fn quiet_since(&self) -> Time {
        self.idle.since
    }

    /// No component has an item that is due now.
    pub fn queues_empty(&self) -> bool {
        self.slots().all(|s| self.gauge(s).queued == 0)
    }

    /// Runs until the cluster has been at rest for 90 s of virtual time, or `max` has passed; whether it rests.
    /// The clock is left where rest began to be known.
    pub fn run_until_idle(&mut self, max: Duration) -> bool {
        self.run_until(max, |c| c.now.since(c.idle.since) >= REST)
    }
}
