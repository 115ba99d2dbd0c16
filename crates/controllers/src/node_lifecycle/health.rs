//! When a node was last heard of. Models `nodeHealthData` and `tryUpdateNodeHealth`.

use super::condition;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Node, NodeCondition};
use meta::{Duration, Key, Time};
use reconcile::Cx;

/// `--node-monitor-grace-period`.
const GRACE: Duration = Duration::from_secs(50);
/// `--node-startup-grace-period`: for a node whose kubelet has never reported.
const STARTUP_GRACE: Duration = Duration::from_secs(60);

/// Times are when this controller noticed, by its own clock: the nodes' clocks are not trusted.
#[derive(Clone)]
pub struct Health {
    probe: Time,
    heartbeat: Option<Time>,
    has_ready: bool,
    renewed: Option<Time>,
}

fn heartbeat(node: &Node) -> Option<Time> {
    condition(node, "Ready")?.last_heartbeat_time.as_ref().map(Time::from_k8s)
}

fn created(node: &Node) -> Option<Time> {
    node.metadata.creation_timestamp.as_ref().map(Time::from_k8s)
}

impl Health {
    pub fn first_seen(node: &Node, now: Time) -> Self {
        let has_ready = condition(node, "Ready").is_some();
        let probe = if has_ready { now } else { created(node).unwrap_or(now) };
        Health { probe, heartbeat: heartbeat(node), has_ready, renewed: None }
    }

    /// A new status or a renewed Lease is a sign of life.
    pub fn observe(&mut self, cx: &Cx, node: &Node) {
        let lease = cx.view.get::<Lease>(&Key::new("kube-node-lease", node.metadata.name.as_deref().unwrap_or("")));
        let renewed = lease.and_then(|l| l.spec.as_ref()?.renew_time.as_ref()).map(Time::from_k8s_micro);
        let has_ready = condition(node, "Ready").is_some();
        if has_ready != self.has_ready || heartbeat(node) != self.heartbeat {
            self.probe = cx.now;
            self.save(node);
        }
        if renewed > self.renewed {
            self.renewed = renewed;
            self.probe = cx.now;
        }
    }

    /// Remembers the status as the one last seen.
    pub fn save(&mut self, node: &Node) {
        self.has_ready = condition(node, "Ready").is_some();
        self.heartbeat = heartbeat(node);
    }

    pub fn probe(&self) -> Time {
        self.probe
    }

    pub fn probed(&mut self, now: Time) {
        self.probe = now;
    }

    pub fn is_expired(&self, node: &Node, now: Time) -> bool {
        let grace = if condition(node, "Ready").is_some() { GRACE } else { STARTUP_GRACE };
        now > self.probe + grace
    }
}

/// Nobody knows any more how the node is.
pub fn mark_unknown(node: &mut Node, now: Time) {
    let created = node.metadata.creation_timestamp.clone();
    let conditions = node.status.get_or_insert_default().conditions.get_or_insert_default();
    // NetworkUnavailable is the control plane's own and stays.
    for type_ in ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"] {
        match conditions.iter_mut().find(|c| c.type_ == type_) {
            None => conditions.push(NodeCondition {
                type_: type_.into(),
                status: "Unknown".into(),
                reason: Some("NodeStatusNeverUpdated".into()),
                message: Some("Kubelet never posted node status.".into()),
                last_heartbeat_time: created.clone(),
                last_transition_time: Some(now.to_k8s()),
            }),
            Some(c) if c.status != "Unknown" => {
                c.status = "Unknown".into();
                c.reason = Some("NodeStatusUnknown".into());
                c.message = Some("Kubelet stopped posting node status.".into());
                c.last_transition_time = Some(now.to_k8s());
            }
            Some(_) => {}
        }
    }
}
