//! What controllers ask of pods. Models `pkg/api/v1/pod/util.go` and `pkg/controller/controller_utils.go`.

use k8s_openapi::api::core::v1::{Pod, PodCondition};
use meta::{Duration, Time};

pub fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|s| s.phase.as_deref()).unwrap_or("")
}

/// Succeeded or Failed: its containers will not run again.
pub fn is_terminal(pod: &Pod) -> bool {
    matches!(phase(pod), "Succeeded" | "Failed")
}

/// Models `IsPodActive`.
pub fn is_active(pod: &Pod) -> bool {
    !is_terminal(pod) && pod.metadata.deletion_timestamp.is_none()
}

/// Models `IsPodTerminating`: being deleted, its containers not yet gone.
pub fn is_terminating(pod: &Pod) -> bool {
    !is_terminal(pod) && pod.metadata.deletion_timestamp.is_some()
}

/// Empty while the pod is not scheduled.
pub fn node_name(pod: &Pod) -> &str {
    pod.spec.as_ref().and_then(|s| s.node_name.as_deref()).unwrap_or("")
}

pub fn condition<'a>(pod: &'a Pod, type_: &str) -> Option<&'a PodCondition> {
    pod.status.as_ref()?.conditions.iter().flatten().find(|c| c.type_ == type_)
}

pub fn is_ready(pod: &Pod) -> bool {
    condition(pod, "Ready").is_some_and(|c| c.status == "True")
}

/// When the Ready condition last changed; `None` when it is not known.
pub fn ready_transition(pod: &Pod) -> Option<Time> {
    condition(pod, "Ready")?.last_transition_time.as_ref().map(Time::from_k8s)
}

/// How long a ready pod has to stay ready until it counts as available; `None`: it does, or it is not ready.
/// Models `IsPodAvailable`.
pub fn availability_in(pod: &Pod, min_ready_seconds: i32, now: Time) -> Option<Duration> {
    if min_ready_seconds <= 0 || !is_ready(pod) {
        return None;
    }
    let needed = Duration::from_secs(u64::from(min_ready_seconds.unsigned_abs()));
    let available_at = ready_transition(pod).unwrap_or(now) + needed;
    (available_at > now).then(|| available_at.since(now))
}

/// Sets a condition; the transition time moves only with the status. Returns whether anything changed.
/// Models `UpdatePodCondition`.
pub fn set_condition(pod: &mut Pod, mut condition: PodCondition, now: Time) -> bool {
    condition.last_transition_time = Some(now.to_k8s());
    let conditions = pod.status.get_or_insert_default().conditions.get_or_insert_default();
    match conditions.iter_mut().find(|c| c.type_ == condition.type_) {
        None => conditions.push(condition),
        Some(old) => {
            if old.status == condition.status {
                condition.last_transition_time = old.last_transition_time.clone();
            }
            if *old == condition {
                return false;
            }
            *old = condition;
        }
    }
    true
}

/// The condition that says a pod ends for a reason outside of it.
pub fn disruption_target(pod: &Pod, reason: &str, message: &str) -> PodCondition {
    PodCondition {
        type_: "DisruptionTarget".into(),
        status: "True".into(),
        reason: Some(reason.into()),
        message: Some(message.into()),
        observed_generation: pod.metadata.generation,
        ..Default::default()
    }
}
