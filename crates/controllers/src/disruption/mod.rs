//! disruption-controller: how many pods of each PodDisruptionBudget are healthy, and how many may go. Models
//! `pkg/controller/disruption`.

mod scale;
#[cfg(test)]
mod tests;

use crate::owner::{key_of, watch_self};
use crate::pods;
use api::Registered;
use api::kinds::poddisruptionbudget::{SYNC_FAILED, condition_is_true_to, set_condition, update_condition};
use k8s_openapi::api::core::v1::{Pod, PodCondition};
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, Time as ApiTime};
use meta::labels::Selector;
use meta::{Duration, Key, Time};
use reconcile::{Change, Controller, Cx, EventType, Intent, Outcome, Watch};
use std::collections::BTreeMap;
use trace::note;

/// How long an evicted pod may take to be marked for deletion.
const DELETION_TIMEOUT: Duration = Duration::from_secs(2 * 60);
/// How long a pod may be called a target without being deleted.
const STALE_TIMEOUT: Duration = Duration::from_secs(2 * 60);
/// Before the namespace of a pod whose DisruptionTarget condition may become stale. No namespace has a space.
const STALE: &str = "stale ";

#[derive(Clone, Default)]
pub struct DisruptionController;

/// A budget without a selector selects nothing, an empty selector everything.
fn selector(budget: &PodDisruptionBudget) -> Result<Selector, String> {
    Selector::from_api(budget.spec.as_ref().and_then(|s| s.selector.as_ref())).map_err(|e| e.to_string())
}

fn pod_changed(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let Some(pod) = change.object().and_then(|o| api::ObjectExt::downcast::<Pod>(&**o)) else { return };
    for budget in cx.view.list_in::<PodDisruptionBudget>(change.key.namespace()) {
        if selector(budget).is_ok_and(|s| s.matches(pod.metadata.labels.as_ref())) {
            keys.push(key_of(&budget.metadata));
        }
    }
    if change.new.is_some() && stale_in(pod, cx.now).is_some() {
        keys.push(Key::new(&format!("{STALE}{}", change.key.namespace()), change.key.name()));
    }
}

/// How long until the pod's DisruptionTarget condition is stale; `None` when it will not be. Models
/// `nonTerminatingPodHasStaleDisruptionCondition`.
fn stale_in(pod: &Pod, now: Time) -> Option<Duration> {
    let condition = pods::condition(pod, "DisruptionTarget").filter(|c| c.status == "True")?;
    let by_kubelet = condition.reason.as_deref() == Some("TerminationByKubelet");
    if pod.metadata.deletion_timestamp.is_some() || by_kubelet || pods::is_terminal(pod) {
        return None;
    }
    let since = condition.last_transition_time.as_ref().map_or(Time(0), Time::from_k8s);
    let until = since + STALE_TIMEOUT;
    Some(if until > now { until.since(now) } else { Duration::ZERO })
}

impl Controller for DisruptionController {
    const NAME: &'static str = "disruption-controller";
    const EVENT_SOURCE: &'static str = "controllermanager";

    fn watches() -> Vec<Watch> {
        vec![watch_self(PodDisruptionBudget::KIND_REF), Watch { kind: Pod::KIND_REF, keys: pod_changed }]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        if let Some(namespace) = key.namespace().strip_prefix(STALE) {
            return clear_stale(cx, &Key::new(namespace, key.name()));
        }
        let mut out = Outcome::done();
        let Some(budget) = cx.view.get::<PodDisruptionBudget>(key) else { return out };
        if let Err(why) = sync(cx, budget, &mut out) {
            fail_safe(cx, budget, &why, &mut out);
        }
        out
    }
}

/// Models `syncStalePodDisruption`.
fn clear_stale(cx: &Cx, key: &Key) -> Outcome {
    let mut out = Outcome::done();
    let Some(pod) = cx.view.get::<Pod>(key) else { return out };
    match stale_in(pod, cx.now) {
        None => {}
        Some(wait) if wait > Duration::ZERO => out.requeue(wait),
        Some(_) => {
            let mut pod = pod.clone();
            let condition =
                PodCondition { type_: "DisruptionTarget".into(), status: "False".into(), ..Default::default() };
            if pods::set_condition(&mut pod, condition, cx.now) {
                out.push(Intent::update_status(pod));
            }
        }
    }
    out
}

/// Models `trySync`.
fn sync(cx: &Cx, budget: &PodDisruptionBudget, out: &mut Outcome) -> Result<(), String> {
    let selector = match selector(budget) {
        Ok(s) => s,
        Err(why) => {
            out.push(Intent::event(budget, EventType::Warning, "NoPods", format!("Failed to get pods: {why}")));
            return Err(why);
        }
    };
    let namespace = budget.metadata.namespace.as_deref().unwrap_or("");
    let all = cx.view.list_in::<Pod>(namespace);
    let pods: Vec<&Pod> = all.filter(|p| selector.matches(p.metadata.labels.as_ref())).collect();
    out.looked_at(pods.len());
    if pods.is_empty() {
        out.push(Intent::event(budget, EventType::Normal, "NoPods", "No matching pods found"));
    }
    let expected = match scale::expected(cx.view, budget, &pods) {
        Ok(e) => e,
        Err(why) => {
            let text = format!("Failed to calculate the number of expected pods: {why}");
            out.push(Intent::event(budget, EventType::Warning, "CalculateExpectedPodCountFailed", text));
            return Err(why);
        }
    };
    if expected.any_unmanaged {
        let selector = budget.spec.as_ref().and_then(|s| s.selector.as_ref());
        let text = format!(
            "Pods selected by this PodDisruptionBudget (selector: {}) were found to be unmanaged. As a result, the \
             status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for \
             these pods please set \".spec.minAvailable\" field of the PDB to an integer value.",
            selector.map_or_else(|| "nil".into(), selector_in_go)
        );
        out.push(Intent::event(budget, EventType::Warning, "UnmanagedPods", text));
    }
    let disrupted = still_disrupted(cx, budget, &pods, out);
    let healthy = pods.iter().filter(|p| is_healthy(p, &disrupted)).count();
    let old = budget.status.clone().unwrap_or_default();
    let mut status = PodDisruptionBudgetStatus {
        current_healthy: crate::owner::count(healthy),
        desired_healthy: expected.desired_healthy,
        expected_pods: expected.pods,
        disruptions_allowed: 0,
        disrupted_pods: Some(disrupted).filter(|d| !d.is_empty()),
        observed_generation: budget.metadata.generation,
        conditions: old.conditions.clone(),
    };
    // Without pods the budget stays closed: the first ones come before their count does.
    if status.expected_pods > 0 {
        status.disruptions_allowed = (status.current_healthy - status.desired_healthy).max(0);
    }
    let no_pods = |s: &PodDisruptionBudgetStatus| s.disrupted_pods.as_ref().is_none_or(BTreeMap::is_empty);
    let same_disrupted = status.disrupted_pods == old.disrupted_pods || (no_pods(&status) && no_pods(&old));
    if same_disrupted
        && counts(&status) == counts(&old)
        && status.observed_generation == old.observed_generation
        && condition_is_true_to(budget)
    {
        return Ok(());
    }
    update_condition(&mut status, cx.now);
    if cx.recording {
        let allowed = status.disruptions_allowed;
        out.note(note!("disruption.allowed", healthy = healthy, desired = status.desired_healthy, allowed = allowed));
    }
    write(budget, status, out);
    Ok(())
}

fn counts(s: &PodDisruptionBudgetStatus) -> [i32; 4] {
    [s.current_healthy, s.desired_healthy, s.expected_pods, s.disruptions_allowed]
}

fn write(budget: &PodDisruptionBudget, status: PodDisruptionBudgetStatus, out: &mut Outcome) {
    out.push(Intent::update_status(PodDisruptionBudget { status: Some(status), ..budget.clone() }));
}

/// When the numbers cannot be found out, nothing may be evicted. Models `failSafe`.
fn fail_safe(cx: &Cx, budget: &PodDisruptionBudget, why: &str, out: &mut Outcome) {
    let old = budget.status.clone().unwrap_or_default();
    let mut status = PodDisruptionBudgetStatus { disruptions_allowed: 0, ..old.clone() };
    set_condition(&mut status, "False", SYNC_FAILED, why, cx.now);
    if status != old {
        write(budget, status, out);
    }
}

/// Models `countHealthyPods`.
fn is_healthy(pod: &Pod, disrupted: &BTreeMap<String, ApiTime>) -> bool {
    let evicted = pod.metadata.name.as_ref().is_some_and(|n| disrupted.contains_key(n));
    pod.metadata.deletion_timestamp.is_none() && !evicted && pods::is_ready(pod)
}

/// Evicted pods that are not being deleted yet. One that should have been is given up. Models `buildDisruptedPodMap`.
fn still_disrupted(
    cx: &Cx,
    budget: &PodDisruptionBudget,
    pods: &[&Pod],
    out: &mut Outcome,
) -> BTreeMap<String, ApiTime> {
    let mut result = BTreeMap::new();
    let Some(disrupted) = budget.status.as_ref().and_then(|s| s.disrupted_pods.as_ref()) else { return result };
    for pod in pods.iter().filter(|p| p.metadata.deletion_timestamp.is_none()) {
        let Some((name, since)) = pod.metadata.name.as_ref().and_then(|n| disrupted.get_key_value(n)) else { continue };
        let expected = Time::from_k8s(since) + DELETION_TIMEOUT;
        if expected < cx.now {
            // Upstream's text has the namespace twice.
            let namespace = budget.metadata.namespace.as_deref().unwrap_or("");
            let text = format!("Pod was expected by PDB {namespace}/{namespace} to be deleted but it wasn't");
            out.push(Intent::event(*pod, EventType::Warning, "NotDeleted", text));
        } else {
            out.requeue(expected.since(cx.now) + Duration::from_millis(1));
            result.insert(name.clone(), since.clone());
        }
    }
    result
}

/// As Go's generated `String` prints it.
fn selector_in_go(s: &LabelSelector) -> String {
    let labels: String = s.match_labels.iter().flatten().map(|(k, v)| format!("{k}: {v},")).collect();
    let expressions = s.match_expressions.iter().flatten().map(|e| {
        let values = e.values.as_deref().unwrap_or_default().join(" ");
        format!("LabelSelectorRequirement{{Key:{},Operator:{},Values:[{values}],}},", e.key, e.operator)
    });
    let expressions: String = expressions.collect();
    format!(
        "&LabelSelector{{MatchLabels:map[string]string{{{labels}}},MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
    )
}
