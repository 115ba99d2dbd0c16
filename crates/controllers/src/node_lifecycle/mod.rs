//! node-lifecycle-controller: notices nodes that fell silent and keeps their taints in step with their
//! conditions. Models `pkg/controller/nodelifecycle`.
//!
//! Three kinds of items: a node (`NoSchedule` taints, labels), a pod (`NAMESPACE/NAME`: was it bound to a node
//! that is not ready?), and [`MONITOR`], the pass over all nodes every 5 seconds.

mod disruption;
mod health;
mod taints;
#[cfg(test)]
mod tests;

use crate::owner::key_of;
use crate::pods;
use api::Registered;
use disruption::Disruption;
use health::Health;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Node, NodeCondition, ObjectReference, Pod, Taint};
use meta::{Duration, Key, User};
use reconcile::{Change, Controller, Cx, EventType, Intent, Outcome, Tolerate, Watch, Write};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use taints::{NO_EXECUTE, NOT_READY, UNREACHABLE};
use trace::note;

/// `--node-monitor-period`.
const PERIOD: Duration = Duration::from_secs(5);
pub const MONITOR: &str = "nodes:health";

#[derive(Clone, Default)]
pub struct NodeLifecycle {
    /// Nodes seen, with their UIDs.
    known: BTreeMap<String, String>,
    health: BTreeMap<String, Health>,
    disruption: Disruption,
    /// Nodes whose pods still have to be marked not ready.
    to_mark: BTreeSet<String>,
}

pub(crate) fn condition<'a>(node: &'a Node, type_: &str) -> Option<&'a NodeCondition> {
    node.status.as_ref()?.conditions.iter().flatten().find(|c| c.type_ == type_)
}

fn name(node: &Node) -> &str {
    node.metadata.name.as_deref().unwrap_or("")
}

fn node_changed(_cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    fn node(o: &Option<api::Obj>) -> Option<&Node> {
        o.as_ref()?.as_any().downcast_ref()
    }
    /// Conditions by type and status, in order.
    fn verdicts(n: &Node) -> Option<Vec<(&str, &str)>> {
        let conditions = n.status.as_ref()?.conditions.iter().flatten();
        Some(conditions.map(|c| (c.type_.as_str(), c.status.as_str())).collect())
    }
    let Some(new) = node(&change.new) else { return };
    let same = node(&change.old).is_some_and(|old| {
        let of_spec = match (&old.spec, &new.spec) {
            (Some(a), Some(b)) => a.taints == b.taints && a.unschedulable == b.unschedulable,
            (a, b) => a.is_none() && b.is_none(),
        };
        of_spec && old.metadata.labels == new.metadata.labels && verdicts(old) == verdicts(new)
    });
    if !same {
        keys.push(change.key.clone());
    }
}

fn is_unready(node: &Node) -> bool {
    condition(node, "Ready").is_some_and(|c| c.status != "True")
}

/// A pod that has just been bound, to a node that is not ready.
fn pod_changed(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let node_of = |o: &Option<api::Obj>| -> Option<Key> {
        let p: &Pod = o.as_ref()?.as_any().downcast_ref()?;
        Some(Key::new("", pods::node_name(p))).filter(|n| !n.as_str().is_empty())
    };
    let Some(node) = node_of(&change.new) else { return };
    if node_of(&change.old).as_ref() != Some(&node) && cx.view.get::<Node>(&node).is_some_and(is_unready) {
        keys.push(change.key.clone());
    }
}

impl Controller for NodeLifecycle {
    const NAME: &'static str = "node-lifecycle-controller";
    const EVENT_SOURCE: &'static str = "node-controller";

    fn user() -> User {
        User::controller("node-controller")
    }

    fn watches() -> Vec<Watch> {
        vec![
            Watch { kind: Node::KIND_REF, keys: node_changed },
            Watch { kind: Pod::KIND_REF, keys: pod_changed },
            Watch { kind: Lease::KIND_REF, keys: |_, _, _| {} },
        ]
    }

    fn initial(_cx: &Cx) -> Vec<Key> {
        vec![MONITOR.into()]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        if key.as_str() == MONITOR {
            self.monitor(cx, &mut out);
        } else if let Some(node) = cx.view.get::<Node>(key) {
            taints::sync_no_schedule(cx, node, &mut out);
            sync_labels(cx, node, &mut out);
        } else if let Some(pod) = cx.view.get::<Pod>(key) {
            let node = cx.view.get::<Node>(&Key::new("", pods::node_name(pod)));
            if node.is_some_and(is_unready) {
                mark_not_ready(cx, pod, &mut out);
            }
        }
        out
    }
}

impl NodeLifecycle {
    /// Models `monitorNodeHealth` and `doNoExecuteTaintingPass`.
    fn monitor(&mut self, cx: &Cx, out: &mut Outcome) {
        out.requeue(PERIOD);
        self.register(cx, out);
        let mut ready_now: Vec<(&Node, bool)> = Vec::new();
        for node in cx.view.list::<Node>() {
            let ready = self.check(cx, node, out);
            ready_now.push((node, ready));
        }
        if self.disruption.update(cx, &ready_now, out) {
            // The control plane was cut off, not the nodes: give all of them time to report.
            self.health.values_mut().for_each(|h| h.probed(cx.now));
        }
        for node in cx.view.list::<Node>() {
            self.sync_no_execute(cx, node, out);
        }
        if let Some(wait) = self.disruption.next_taint_in(cx.now) {
            out.requeue(wait);
        }
    }

    /// Events for nodes that came and went. Models `classifyNodes`.
    fn register(&mut self, cx: &Cx, out: &mut Outcome) {
        let mut gone = std::mem::take(&mut self.known);
        for node in cx.view.list::<Node>() {
            let (name, uid) = (name(node).to_string(), node.metadata.uid.clone().unwrap_or_default());
            if gone.remove(&name).is_none() {
                out.push(node_event(&name, &uid, "RegisteredNode", &format!("Registered Node {name} in Controller")));
            }
            self.known.insert(name, uid);
        }
        for (name, uid) in gone {
            out.push(node_event(&name, &uid, "RemovingNode", &format!("Removing Node {name} from Controller")));
            self.health.remove(&name);
            self.to_mark.remove(&name);
            self.disruption.forget(&name);
        }
    }

    /// Judges one node's heartbeat; whether it is ready afterwards. Models `tryUpdateNodeHealth`.
    fn check(&mut self, cx: &Cx, node: &Node, out: &mut Outcome) -> bool {
        let was_ready = condition(node, "Ready").is_some_and(|c| c.status == "True");
        let health = self.health.entry(name(node).into()).or_insert_with(|| Health::first_seen(node, cx.now));
        health.observe(cx, node);
        let mut ready = was_ready;
        if health.is_expired(node, cx.now) {
            let mut lost = node.clone();
            health::mark_unknown(&mut lost, cx.now);
            ready = false;
            if lost.status != node.status {
                if cx.recording {
                    let silent = cx.now.since(health.probe()).as_secs();
                    out.note(note!("node.silent", node = name(node), seconds = silent));
                }
                health.save(&lost);
                out.push(Intent::update_status(lost).tolerate(Tolerate::NotFound));
            }
        }
        if was_ready && !ready {
            let message = format!("Node {} status is now: NodeNotReady", name(node));
            out.push(Intent::event(node, EventType::Normal, "NodeNotReady", message));
            self.to_mark.insert(name(node).into());
        }
        if ready {
            self.to_mark.remove(name(node));
        } else if self.to_mark.contains(name(node)) {
            let before = out.intents.len();
            for pod in cx.view.pods_on_node(name(node)) {
                mark_not_ready(cx, pod, out);
            }
            // Once more in the next pass, in case a write is refused; done when nothing is left to mark.
            if out.intents.len() == before {
                self.to_mark.remove(name(node));
            }
        }
        ready
    }

    /// Models `processTaintBaseEviction`: it goes by the Ready condition as it was before this pass.
    fn sync_no_execute(&mut self, cx: &Cx, node: &Node, out: &mut Outcome) {
        let Some(ready) = condition(node, "Ready") else { return };
        let (wanted, opposite) = match ready.status.as_str() {
            "True" => {
                self.disruption.forget(name(node));
                return remove_no_execute(cx, node, out);
            }
            "False" => (NOT_READY, UNREACHABLE),
            _ => (UNREACHABLE, NOT_READY),
        };
        if self.disruption.everything_down() {
            return remove_no_execute(cx, node, out);
        }
        let has = |key: &str| taints::list(node).any(|t| t.key == key && t.effect == NO_EXECUTE);
        if has(wanted) {
            return;
        }
        // A node that is tainted already changes its taint at once; a new one waits for its turn.
        if has(opposite) || self.disruption.may_taint(cx, node, out) {
            if cx.recording {
                out.note(note!("node.evict-taint", node = name(node), taint = wanted));
            }
            let mut list: Vec<Taint> =
                taints::list(node).filter(|t| !(t.key == opposite && t.effect == NO_EXECUTE)).cloned().collect();
            list.push(taints::new(wanted, NO_EXECUTE, cx.now));
            out.push(taints::write(node, list));
        }
    }
}

/// Models `markNodeAsReachable`.
fn remove_no_execute(cx: &Cx, node: &Node, out: &mut Outcome) {
    let ours = |t: &&Taint| t.effect == NO_EXECUTE && (t.key == NOT_READY || t.key == UNREACHABLE);
    if !taints::list(node).any(|t| ours(&t)) {
        return;
    }
    if cx.recording {
        out.note(note!("node.reachable", node = name(node)));
    }
    out.push(taints::write(node, taints::list(node).filter(|t| !ours(t)).cloned().collect()));
}

/// Models `MarkPodsNotReady`, for one pod.
fn mark_not_ready(cx: &Cx, pod: &Pod, out: &mut Outcome) {
    let Some(mut ready) = pods::condition(pod, "Ready").cloned() else { return };
    ready.status = "False".into();
    let mut marked = pod.clone();
    if pods::set_condition(&mut marked, ready, cx.now) {
        if cx.recording {
            out.note(note!("node.pod-not-ready", pod = key_of(&pod.metadata), node = pods::node_name(pod)));
        }
        out.push(Intent::update_status(marked).tolerate(Tolerate::NotFound));
        out.push(Intent::event(pod, EventType::Warning, "NodeNotReady", "Node is not ready"));
    }
}

/// Models `RecordNodeEvent`.
fn node_event(name: &str, uid: &str, reason: &str, event: &str) -> Intent {
    let regarding = ObjectReference {
        api_version: Some("v1".into()),
        kind: Some("Node".into()),
        name: Some(name.into()),
        uid: Some(uid.into()),
        ..Default::default()
    };
    let message = format!("Node {name} event: {event}");
    let write = Write::Event { regarding, event_type: EventType::Normal, reason: reason.into(), message };
    Intent { write, tolerate: Tolerate::Anything, announce: None }
}

/// Old names of the os and arch labels follow the new ones. Models `reconcileNodeLabels`.
fn sync_labels(cx: &Cx, node: &Node, out: &mut Outcome) {
    let Some(labels) = &node.metadata.labels else { return };
    let mut patch = BTreeMap::new();
    for part in ["os", "arch"] {
        let (primary, secondary) = (format!("kubernetes.io/{part}"), format!("beta.kubernetes.io/{part}"));
        if let Some(v) = labels.get(&primary).filter(|v| labels.get(&secondary) != Some(v)) {
            patch.insert(secondary, v.clone());
        }
    }
    if !patch.is_empty() {
        if cx.recording {
            out.note(note!("node.labels", node = name(node)));
        }
        out.push(Intent::patch(Node::KIND_REF, key_of(&node.metadata), "", json!({ "metadata": { "labels": patch } })));
    }
}
