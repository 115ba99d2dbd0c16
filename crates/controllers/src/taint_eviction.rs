//! taint-eviction-controller: pods leave nodes with NoExecute taints that they do not tolerate (any longer).
//! Models `pkg/controller/tainteviction`.

#[cfg(test)]
mod tests;

use crate::owner::key_of;
use crate::pods;
use api::Registered;
use k8s_openapi::api::core::v1::{Node, ObjectReference, Pod, Taint, Toleration};
use meta::{Duration, Key, Time, User};
use reconcile::{Change, Controller, Cx, EventType, Intent, Outcome, Tolerate, Watch, Write};
use std::collections::BTreeMap;
use trace::note;

const NO_EXECUTE: &str = "NoExecute";
const EVENT_REASON: &str = "TaintManagerEviction";

/// A deletion that waits for its time.
#[derive(Clone, Copy)]
struct Scheduled {
    created: Time,
    at: Time,
}

#[derive(Clone, Default)]
pub struct TaintEviction {
    /// Lost with the process: tolerated seconds then start over, as upstream's do.
    scheduled: BTreeMap<Key, Scheduled>,
}

pub(crate) fn no_execute(node: &Node) -> Vec<&Taint> {
    node.spec.iter().flat_map(|s| s.taints.iter().flatten()).filter(|t| t.effect == NO_EXECUTE).collect()
}

/// How long a pod may stay on a node with these taints.
#[derive(Debug, PartialEq)]
enum Stay {
    Forever,
    For(Duration),
    /// The first taint that nothing tolerates.
    Not(String),
}

/// Models `GetMatchingTolerations` and `getMinTolerationTime`: of the tolerations used, the shortest counts.
fn stay(taints: &[&Taint], tolerations: &[Toleration]) -> Stay {
    let mut shortest: Option<u64> = None;
    for taint in taints {
        let Some(t) = tolerations.iter().find(|t| api::nodes::tolerates(t, taint)) else {
            return Stay::Not(taint.key.clone());
        };
        if let Some(secs) = t.toleration_seconds {
            let secs = u64::try_from(secs).unwrap_or(0);
            shortest = Some(shortest.map_or(secs, |s| s.min(secs)));
        }
    }
    shortest.map_or(Stay::Forever, |s| Stay::For(Duration::from_secs(s)))
}

/// Only pods on nodes with NoExecute taints are of interest: when a taint goes, the node's change queues its pods.
fn pod_changed(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    fn pod(o: &Option<api::Obj>) -> Option<(&str, Option<&Vec<Toleration>>)> {
        let p: &Pod = o.as_ref()?.as_any().downcast_ref()?;
        Some((pods::node_name(p), p.spec.as_ref()?.tolerations.as_ref()))
    }
    let (old, new) = (pod(&change.old), pod(&change.new));
    if old == new {
        return;
    }
    let Some((node, _)) = new.or(old) else { return };
    if cx.view.get::<Node>(&Key::new("", node)).is_some_and(|n| !no_execute(n).is_empty()) {
        keys.push(change.key.clone());
    }
}

fn node_changed(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    fn taints(o: &Option<api::Obj>) -> Option<Vec<&Taint>> {
        let n: &Node = o.as_ref()?.as_any().downcast_ref()?;
        Some(no_execute(n)).filter(|t| !t.is_empty())
    }
    if change.new.is_some() && taints(&change.old) != taints(&change.new) {
        keys.extend(cx.view.pods_on_node(change.key.name()).map(|p| key_of(&p.metadata)));
    }
}

impl Controller for TaintEviction {
    const NAME: &'static str = "taint-eviction-controller";

    fn user() -> User {
        User::controller("node-controller")
    }

    fn watches() -> Vec<Watch> {
        vec![Watch { kind: Pod::KIND_REF, keys: pod_changed }, Watch { kind: Node::KIND_REF, keys: node_changed }]
    }

    /// Models `processPodOnNode`.
    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        let Some(pod) = cx.view.get::<Pod>(key) else {
            self.cancel(cx, key, "deleted", &mut out);
            return out;
        };
        let Some(node) = cx.view.get::<Node>(&Key::new("", pods::node_name(pod))) else { return out };
        let taints = no_execute(node);
        if taints.is_empty() {
            self.cancel(cx, key, "taint-gone", &mut out);
            return out;
        }
        let tolerations = pod.spec.as_ref().and_then(|s| s.tolerations.as_deref()).unwrap_or_default();
        match stay(&taints, tolerations) {
            Stay::Not(taint) => {
                self.cancel(cx, key, "no-longer-tolerated", &mut out);
                if cx.recording {
                    out.note(note!("taint.not-tolerated", pod = key, node = pods::node_name(pod), taint = taint));
                }
                evict(cx, pod, &mut out);
            }
            Stay::Forever => self.cancel(cx, key, "tolerated", &mut out),
            Stay::For(time) => self.wait_or_evict(cx, pod, time, &mut out),
        }
        out
    }
}

impl TaintEviction {
    fn wait_or_evict(&mut self, cx: &Cx, pod: &Pod, time: Duration, out: &mut Outcome) {
        let key = key_of(&pod.metadata);
        let taint_set = Scheduled { created: cx.now, at: cx.now + time };
        let due = match self.scheduled.get(&key).copied() {
            None => taint_set,
            // What was tolerated already counts; an earlier time than planned replaces the plan.
            Some(s) if s.created + time < s.at => {
                self.cancel(cx, &key, "sooner", out);
                Scheduled { created: s.created, at: s.created + time }
            }
            Some(s) => s,
        };
        if due.at <= cx.now {
            self.scheduled.remove(&key);
            if cx.recording {
                out.note(note!("taint.time-is-up", pod = &key, seconds = time.as_secs()));
            }
            return evict(cx, pod, out);
        }
        if cx.recording && !self.scheduled.contains_key(&key) {
            out.note(note!("taint.wait", pod = &key, node = pods::node_name(pod), seconds = time.as_secs()));
        }
        self.scheduled.insert(key, due);
        out.requeue(due.at.since(cx.now));
    }

    /// Models `cancelWorkWithEvent`.
    fn cancel(&mut self, cx: &Cx, key: &Key, why: &'static str, out: &mut Outcome) {
        if self.scheduled.remove(key).is_none() {
            return;
        }
        if cx.recording {
            out.note(note!("taint.cancel", pod = key, why = why));
        }
        out.push(event(cx, key, "Cancelling deletion of Pod"));
    }
}

/// Upstream's reference has neither UID nor version when it cancels for a pod that may be gone.
fn event(cx: &Cx, key: &Key, message: &str) -> Intent {
    let uid = cx.view.get::<Pod>(key).and_then(|p| p.metadata.uid.clone());
    let regarding = ObjectReference {
        api_version: Some("v1".into()),
        kind: Some("Pod".into()),
        name: Some(key.name().into()),
        namespace: Some(key.namespace().into()),
        uid,
        ..Default::default()
    };
    let write = Write::Event {
        regarding,
        event_type: EventType::Normal,
        reason: EVENT_REASON.into(),
        message: format!("{message} {key}"),
    };
    Intent { write, tolerate: Tolerate::Anything, announce: None }
}

/// Models `addConditionAndDeletePod`.
fn evict(cx: &Cx, pod: &Pod, out: &mut Outcome) {
    if pod.metadata.deletion_timestamp.is_some() {
        return;
    }
    out.push(event(cx, &key_of(&pod.metadata), "Marking for deletion Pod"));
    let message = "Taint manager: deleting due to NoExecute taint";
    let mut marked = pod.clone();
    if pods::set_condition(&mut marked, pods::disruption_target(pod, "DeletionByTaintManager", message), cx.now) {
        out.push(Intent::update_status(marked).tolerate(Tolerate::NotFound));
    }
    out.push(Intent::delete(pod));
}
