//! What components ask of a pod. Models `pkg/api/v1/pod/util.go`, `pkg/apis/core/v1/helper/qos` and
//! `component-helpers/resource`.

use k8s_openapi::api::core::v1::{Container, ContainerRestartRule, Pod, PodCondition, PodSpec, PodStatus};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use meta::{Quantity, Time};
use std::collections::{BTreeMap, BTreeSet};

/// Resource name to amount.
pub type Resources = BTreeMap<String, Quantity>;

/// Empty when the pod has no status.
pub fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|s| s.phase.as_deref()).unwrap_or("")
}

/// Succeeded or Failed: its containers will never run again. Models `IsPodTerminal`.
pub fn is_terminal(pod: &Pod) -> bool {
    is_phase_terminal(phase(pod))
}

pub fn is_phase_terminal(phase: &str) -> bool {
    matches!(phase, "Succeeded" | "Failed")
}

/// Models `IsPodReady`.
pub fn is_ready(pod: &Pod) -> bool {
    find_condition(pod, "Ready").is_some_and(|c| c.status == "True")
}

/// Ready for at least `min_ready_seconds`. Models `IsPodAvailable`.
pub fn is_available(pod: &Pod, min_ready_seconds: i32, now: Time) -> bool {
    let Some(ready) = find_condition(pod, "Ready").filter(|c| c.status == "True") else { return false };
    min_ready_seconds <= 0
        || ready.last_transition_time.as_ref().is_some_and(|t| {
            Time::from_k8s(t) + meta::Duration::from_secs(min_ready_seconds.unsigned_abs().into()) <= now
        })
}

pub fn find_condition<'a>(pod: &'a Pod, condition_type: &str) -> Option<&'a PodCondition> {
    pod.status.as_ref()?.conditions.as_ref()?.iter().find(|c| c.type_ == condition_type)
}

/// Sets a condition, keeping the old transition time when the condition's status stays. Returns whether
/// anything changed. Models `UpdatePodCondition`.
pub fn set_condition(status: &mut PodStatus, mut condition: PodCondition, now: Time) -> bool {
    condition.last_transition_time = Some(now.to_k8s());
    let conditions = status.conditions.get_or_insert_default();
    let Some(old) = conditions.iter_mut().find(|c| c.type_ == condition.type_) else {
        conditions.push(condition);
        return true;
    };
    if old.status == condition.status {
        condition.last_transition_time = old.last_transition_time.clone();
    }
    if *old == condition {
        return false;
    }
    *old = condition;
    true
}

/// A sidecar: an init container that runs beside the others.
pub fn is_restartable_init(c: &Container) -> bool {
    c.restart_policy.as_deref() == Some("Always")
}

/// Whether a container that ended with `exit_code` is to run again. Models `ContainerShouldRestart`.
pub fn should_restart(c: &Container, spec: &PodSpec, exit_code: i32) -> bool {
    let matches = |r: &ContainerRestartRule| {
        r.exit_codes.as_ref().is_some_and(|e| {
            let listed = e.values.iter().flatten().any(|v| *v == exit_code);
            (e.operator == "In" && listed) || (e.operator == "NotIn" && !listed)
        })
    };
    let rule = c.restart_policy_rules.iter().flatten().find(|r| matches(r));
    if rule.is_some_and(|r| r.action == "Restart") {
        return true;
    }
    match c.restart_policy.as_deref().or(spec.restart_policy.as_deref()) {
        Some("Never") => false,
        Some("OnFailure") => exit_code != 0,
        _ => true,
    }
}

fn parsed(list: Option<&BTreeMap<String, ApiQuantity>>) -> impl Iterator<Item = (&String, Quantity)> {
    list.into_iter().flatten().map(|(k, q)| (k, Quantity::of(q)))
}

fn add(into: &mut Resources, from: &Resources) {
    for (k, q) in from {
        *into.entry(k.clone()).or_default() += *q;
    }
}

fn max(into: &mut Resources, from: &Resources) {
    for (k, q) in from {
        let have = into.entry(k.clone()).or_insert(*q);
        if *q > *have {
            *have = *q;
        }
    }
}

fn aggregate(spec: &PodSpec, of: &dyn Fn(&Container) -> Resources) -> Resources {
    let mut total = Resources::new();
    for c in &spec.containers {
        add(&mut total, &of(c));
    }
    let (mut sidecars, mut init_peak) = (Resources::new(), Resources::new());
    for c in spec.init_containers.iter().flatten() {
        let mut need = of(c);
        if is_restartable_init(c) {
            add(&mut total, &need);
            add(&mut sidecars, &need);
            need = sidecars.clone();
        } else {
            add(&mut need, &sidecars);
        }
        max(&mut init_peak, &need);
    }
    max(&mut total, &init_peak);
    total
}

/// The sum of the containers' requests, or the peak of the init containers where that is more. Models
/// `AggregateContainerRequests`.
pub fn container_requests(spec: &PodSpec) -> Resources {
    aggregate(spec, &|c| {
        parsed(c.resources.as_ref().and_then(|r| r.requests.as_ref())).map(|(k, q)| (k.clone(), q)).collect()
    })
}

/// As [`container_requests`] for limits. Models `AggregateContainerLimits`.
pub fn container_limits(spec: &PodSpec) -> Resources {
    aggregate(spec, &|c| {
        parsed(c.resources.as_ref().and_then(|r| r.limits.as_ref())).map(|(k, q)| (k.clone(), q)).collect()
    })
}

/// What the scheduler reserves: container requests, the pod's own requests for cpu, memory and huge pages
/// over them, plus overhead. Models `PodRequests`.
pub fn requests(pod: &Pod) -> Resources {
    let Some(spec) = &pod.spec else { return Resources::new() };
    let mut total = container_requests(spec);
    for (k, q) in parsed(spec.resources.as_ref().and_then(|r| r.requests.as_ref())) {
        if is_pod_level(k) {
            total.insert(k.clone(), q);
        }
    }
    for (k, q) in parsed(spec.overhead.as_ref()) {
        *total.entry(k.clone()).or_default() += q;
    }
    total
}

/// Models `PodLimits`: overhead is added to non-zero limits only.
pub fn limits(pod: &Pod) -> Resources {
    let Some(spec) = &pod.spec else { return Resources::new() };
    let mut total = container_limits(spec);
    for (k, q) in parsed(spec.resources.as_ref().and_then(|r| r.limits.as_ref())) {
        if is_pod_level(k) {
            total.insert(k.clone(), q);
        }
    }
    for (k, q) in parsed(spec.overhead.as_ref()) {
        if let Some(have) = total.get_mut(k).filter(|h| !h.is_zero()) {
            *have += q;
        }
    }
    total
}

/// Resources that may be set on the pod as a whole.
pub fn is_pod_level(resource: &str) -> bool {
    resource == "cpu" || resource == "memory" || resource.starts_with("hugepages-")
}

/// `Guaranteed`, `Burstable` or `BestEffort`. Models `qos.ComputePodQOS`.
pub fn qos_class(pod: &Pod) -> &'static str {
    let Some(spec) = &pod.spec else { return "BestEffort" };
    let (mut requests, mut limits) = (Resources::new(), Resources::new());
    let mut guaranteed = true;
    let is_compute = |k: &str| k == "cpu" || k == "memory";
    let pod_level = spec.resources.as_ref().filter(|r| {
        r.requests.as_ref().is_some_and(|m| !m.is_empty()) || r.limits.as_ref().is_some_and(|m| !m.is_empty())
    });
    let all: Vec<_> = match pod_level {
        Some(r) => vec![Some(r)],
        None => {
            spec.containers.iter().chain(spec.init_containers.iter().flatten()).map(|c| c.resources.as_ref()).collect()
        }
    };
    for r in all {
        for (k, q) in parsed(r.and_then(|r| r.requests.as_ref())) {
            if is_compute(k) && q > Quantity::ZERO {
                *requests.entry(k.clone()).or_default() += q;
            }
        }
        let mut limited = BTreeSet::new();
        for (k, q) in parsed(r.and_then(|r| r.limits.as_ref())) {
            if is_compute(k) && q > Quantity::ZERO {
                limited.insert(k.as_str());
                *limits.entry(k.clone()).or_default() += q;
            }
        }
        guaranteed &= limited.len() == 2;
    }
    if requests.is_empty() && limits.is_empty() {
        return "BestEffort";
    }
    let equal = requests.iter().all(|(k, q)| limits.get(k) == Some(q));
    if guaranteed && equal && requests.len() == limits.len() { "Guaranteed" } else { "Burstable" }
}
