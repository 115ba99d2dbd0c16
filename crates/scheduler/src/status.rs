//! What the scheduler writes into pods: the PodScheduled condition, the nomination, and the eviction of victims.

use crate::framework::PodInfo;
use k8s_openapi::api::core::v1::{Pod, PodCondition};
use meta::Time;
use reconcile::{EventType, Intent, Tolerate};
use serde_json::{Map, Value, json};

/// Upstream's `NoteLengthLimit`, in bytes.
const NOTE_LENGTH_LIMIT: usize = 1024;

/// An Event's message fits into 1024 bytes. Models `truncateMessage`.
pub fn truncate(message: &str) -> String {
    const SUFFIX: &str = " ...";
    if message.len() <= NOTE_LENGTH_LIMIT {
        return message.into();
    }
    let mut end = NOTE_LENGTH_LIMIT - SUFFIX.len();
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{SUFFIX}", &message[..end])
}

/// Sets PodScheduled to False and the nomination; `None` when the pod says all that already. Models `updatePod`.
pub fn not_scheduled(pod: &PodInfo, reason: &str, message: &str, nominate: Option<&str>, now: Time) -> Option<Intent> {
    let mut status = Map::new();
    if let Some(conditions) = with_condition(&pod.pod, "PodScheduled", "False", reason, message, now) {
        status.insert("conditions".into(), conditions);
    }
    if let Some(node) = nominate.filter(|n| *n != pod.nominated_node().unwrap_or_default()) {
        let value = if node.is_empty() { Value::Null } else { node.into() };
        status.insert("nominatedNodeName".into(), value);
    }
    if status.is_empty() {
        return None;
    }
    // The pod may be gone by now; that is not the scheduler's problem.
    Some(patch(pod, status).tolerate(Tolerate::NotFound))
}

/// Says where the pod is about to go, to those who plan by it; `None` when it says so already.
pub fn nominate(pod: &PodInfo, node: &str) -> Option<Intent> {
    if pod.nominated_node() == Some(node) {
        return None;
    }
    let status = Map::from_iter([("nominatedNodeName".to_string(), node.into())]);
    Some(patch(pod, status).tolerate(Tolerate::NotFound))
}

/// Takes the nomination back; `None` when none was written. Models `clearNominatedNodeName`.
pub fn no_nomination(pod: &PodInfo) -> Option<Intent> {
    pod.nominated_node()?;
    let status = Map::from_iter([("nominatedNodeName".to_string(), Value::Null)]);
    Some(patch(pod, status).tolerate(Tolerate::NotFound))
}

/// Marks the victim, deletes it and says why. Models `Evaluator.PreemptPod`.
pub fn evict(victim: &PodInfo, preemptor: &PodInfo, node: &str, now: Time) -> Vec<Intent> {
    let message = format!("{}: preempting to accommodate a higher priority pod", preemptor.scheduler_name());
    let reason = "PreemptionByScheduler";
    let mut intents = Vec::new();
    if let Some(conditions) = with_condition(&victim.pod, "DisruptionTarget", "True", reason, &message, now) {
        let status = Map::from_iter([("conditions".to_string(), conditions)]);
        intents.push(patch(victim, status).tolerate(Tolerate::NotFound));
    }
    intents.push(Intent::delete(&*victim.pod));
    let message = format!("Preempted by pod {} on node {node}", preemptor.uid());
    intents.push(Intent::event(&*victim.pod, EventType::Normal, "Preempted", message));
    intents
}

fn patch(pod: &PodInfo, status: Map<String, Value>) -> Intent {
    use api::Registered;
    Intent::patch(Pod::KIND_REF, pod.key.clone(), "status", json!({ "status": status }))
}

/// The pod's conditions with this one set; `None` when nothing would change. Models `podutil.UpdatePodCondition`.
fn with_condition(pod: &Pod, kind: &str, value: &str, reason: &str, message: &str, now: Time) -> Option<Value> {
    let mut all = pod.status.as_ref().and_then(|s| s.conditions.clone()).unwrap_or_default();
    let mut new = PodCondition {
        type_: kind.into(),
        status: value.into(),
        reason: Some(reason.into()),
        message: Some(message.into()),
        observed_generation: pod.metadata.generation,
        last_transition_time: Some(now.to_k8s()),
        last_probe_time: None,
    };
    match all.iter_mut().find(|c| c.type_ == kind) {
        Some(old) => {
            if old.status == new.status {
                new.last_transition_time = old.last_transition_time.clone();
            }
            if *old == new {
                return None;
            }
            *old = new;
        }
        None => all.push(new),
    }
    serde_json::to_value(all).ok()
}
