//! `POST pods/NAME/eviction`. Models `pkg/registry/core/pod/storage/eviction.go`.

use super::delete::delete_one;
use crate::admission::{self, node_restriction};
use crate::request::Request;
use crate::response::created;
use crate::server::{Cx, Plan};
use crate::stored::Stored;
use crate::{decode, keys};
use api::kinds::poddisruptionbudget::{self as pdb, ALWAYS_ALLOW, DISRUPTION_ALLOWED, SYNC_FAILED};
use api::{ObjectExt, Registered};
use k8s_openapi::api::core::v1::{Pod, PodCondition};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Status, StatusCause};
use meta::labels::Selector;
use meta::{ApiError, Time};
use store::{Compare, Entry, Op, Txn};

/// Models `MaxDisruptedPodSize`: more evictions than this without the controller noticing, and no more are taken.
const DISRUPTED_MAX: usize = 2000;
const REFUSAL: &str = "Cannot evict pod as it would violate the pod's disruption budget.";

pub(crate) fn evict(cx: &mut Cx<'_>, mut req: Request) -> Result<Plan, ApiError> {
    let mut eviction = decode::eviction(&mut req)?;
    if eviction.metadata.name.as_deref().unwrap_or("") != req.name {
        return Err(ApiError::bad_request("name in URL does not match name in Eviction object"));
    }
    if admission::anybody_asks(cx) {
        let mut body = serde_json::to_value(&eviction).unwrap_or_default();
        admission::admit_body(cx, &req, "CREATE", &mut body, None)?;
        eviction = serde_json::from_value(body).map_err(ApiError::internal)?;
    }
    let options = eviction.delete_options.unwrap_or_default();
    cx.dry_run |= options.dry_run.as_ref().is_some_and(|d| !d.is_empty());
    let key = keys::of_parts(req.kind, &req.namespace, &req.name);
    let (entry, pod) = cx
        .store
        .get_ref(&key)
        .and_then(|e| Some((e, e.value.0.downcast::<Pod>()?)))
        .ok_or_else(|| ApiError::not_found("", "pods", &req.name))?;
    node_restriction::evict(&req, pod)?;
    let mut txns = Vec::new();
    if !is_beyond_budgets(pod) {
        match budgets_of(cx, pod).as_slice() {
            [] => {}
            [(key, budget, object)] => txns.extend(book(cx.now, key, budget, object, pod)?),
            _ => {
                // Upstream answers 201 with this inside.
                let why =
                    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
                let status = Status {
                    status: Some("Failure".into()),
                    message: Some(why.into()),
                    code: Some(500),
                    ..Status::default()
                };
                return Ok(Plan::status(201, status));
            }
        }
    }
    let mut pod = pod.clone();
    mark_disrupted(&mut pod, cx.now);
    let marked = Entry { value: entry.value.changed(Box::new(pod)), ..entry.clone() };
    let delete = delete_one(cx.now, key.clone(), &marked, &options, Compare::Exists(key.clone()))?.txns;
    txns.push(Txn {
        compares: vec![Compare::ModRevision(key.clone(), entry.mod_revision)],
        ops: vec![Op::Put { key, value: marked.value, lease: entry.lease }],
    });
    txns.extend(delete);
    Ok(Plan { txns, ..Plan::status(201, created()) })
}

/// What has ended, never ran or is going already disrupts nothing any more. Models `canIgnorePDB`.
fn is_beyond_budgets(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|s| s.phase.as_deref());
    pod.metadata.deletion_timestamp.is_some() || matches!(phase, Some("Succeeded" | "Failed" | "Pending"))
}

type Budget<'a> = (store::types::Key, &'a Entry<Stored>, &'a PodDisruptionBudget);

/// The budgets that select the pod. Models `getPodDisruptionBudgets`.
fn budgets_of<'a>(cx: &'a Cx<'_>, pod: &Pod) -> Vec<Budget<'a>> {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or("");
    let prefix = keys::prefix(PodDisruptionBudget::KIND_REF, namespace);
    let end = keys::range_end(&prefix);
    let all = cx.store.iter_range(&prefix, &end);
    let budgets = all.filter_map(|(k, e)| Some((k.clone(), e, e.value.0.downcast::<PodDisruptionBudget>()?)));
    budgets.filter(|(_, _, b)| selector(b).matches(pod.metadata.labels.as_ref())).collect()
}

/// A selector that cannot be read selects nothing.
fn selector(budget: &PodDisruptionBudget) -> Selector {
    let selector = budget.spec.as_ref().and_then(|s| s.selector.as_ref());
    Selector::from_api(selector).unwrap_or(Selector::Nothing)
}

/// Takes the pod out of the budget, or says why that may not be. `None`: a pod that is not ready and need not be
/// counted. Models `checkAndDecrement` and what stands before its call.
fn book(
    now: Time,
    key: &store::types::Key,
    entry: &Entry<Stored>,
    budget: &PodDisruptionBudget,
    pod: &Pod,
) -> Result<Option<Txn<Stored>>, ApiError> {
    let name = budget.metadata.name.as_deref().unwrap_or("");
    let status = budget.status.clone().unwrap_or_default();
    let conditions = pod.status.iter().flat_map(|s| s.conditions.iter().flatten());
    if !conditions.into_iter().any(|c| c.type_ == "Ready" && c.status == "True") {
        let policy = budget.spec.as_ref().and_then(|s| s.unhealthy_pod_eviction_policy.as_deref());
        let enough = status.current_healthy >= status.desired_healthy && status.desired_healthy > 0;
        if policy == Some(ALWAYS_ALLOW) || enough {
            return Ok(None);
        }
    }
    let forbidden = |why: &str| Err(ApiError::forbidden("policy", "poddisruptionbudget", name, why));
    if status.observed_generation.unwrap_or(0) < budget.metadata.generation.unwrap_or(0) {
        let why = format!("The disruption budget {name} is still being processed by the server.");
        return Err(too_many(10, why));
    }
    if status.disruptions_allowed < 0 {
        return forbidden("pdb disruptions allowed is negative");
    }
    if status.disrupted_pods.as_ref().is_some_and(|d| d.len() > DISRUPTED_MAX) {
        return forbidden("DisruptedPods map too big - too many evictions not confirmed by PDB controller");
    }
    if status.disruptions_allowed == 0 {
        let (need, have) = (status.desired_healthy, status.current_healthy);
        let condition = status.conditions.iter().flatten().find(|c| c.type_ == DISRUPTION_ALLOWED);
        let why = match condition {
            Some(c) if c.reason == SYNC_FAILED => format!(
                "The disruption budget {name} does not allow evicting pods currently because it failed sync: {}",
                c.message
            ),
            _ => format!("The disruption budget {name} needs {need} healthy pods and has {have} currently"),
        };
        return Err(too_many(0, why));
    }
    let mut budget = budget.clone();
    let status = budget.status.get_or_insert_default();
    status.disruptions_allowed -= 1;
    if status.disruptions_allowed == 0 {
        pdb::update_condition(status, now);
    }
    let pod = pod.metadata.name.clone().unwrap_or_default();
    status.disrupted_pods.get_or_insert_default().insert(pod, now.to_k8s());
    let put = Op::Put { key: key.clone(), value: entry.value.changed(Box::new(budget)), lease: entry.lease };
    Ok(Some(Txn { compares: vec![Compare::ModRevision(key.clone(), entry.mod_revision)], ops: vec![put] }))
}

/// The refusal that clients try again after.
fn too_many(retry_after_seconds: i32, cause: String) -> ApiError {
    let mut e = ApiError::too_many_requests(REFUSAL, retry_after_seconds);
    let cause = StatusCause { reason: Some("DisruptionBudget".into()), message: Some(cause), field: None };
    let details = e.0.details.get_or_insert_default();
    details.causes = Some(vec![cause]);
    // Zero says nothing, so Go leaves it out.
    details.retry_after_seconds = details.retry_after_seconds.filter(|s| *s != 0);
    e
}

fn mark_disrupted(pod: &mut Pod, now: Time) {
    let observed_generation = pod.metadata.generation;
    let conditions = pod.status.get_or_insert_default().conditions.get_or_insert_default();
    let mut new = PodCondition {
        type_: "DisruptionTarget".into(),
        status: "True".into(),
        reason: Some("EvictionByEvictionAPI".into()),
        message: Some("Eviction API: evicting".into()),
        last_transition_time: Some(now.to_k8s()),
        observed_generation,
        ..PodCondition::default()
    };
    match conditions.iter_mut().find(|c| c.type_ == new.type_) {
        Some(c) => {
            if c.status == new.status {
                new.last_transition_time = c.last_transition_time.take();
            }
            *c = new;
        }
        None => conditions.push(new),
    }
}
