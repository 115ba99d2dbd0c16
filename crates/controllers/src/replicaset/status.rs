//! A ReplicaSet's status. Models `pkg/controller/replicaset/replica_set_utils.go`.

use super::Replicated;
use crate::owner::{count, nonzero};
use crate::pods;
use k8s_openapi::api::apps::v1::{ReplicaSetCondition, ReplicaSetStatus};
use k8s_openapi::api::core::v1::Pod;
use meta::Time;
use meta::labels::Selector;

const REPLICA_FAILURE: &str = "ReplicaFailure";

/// `refused`: what creating or deleting pods was refused with.
pub fn calculate<R: Replicated>(
    rs: &R,
    active: &[&Pod],
    terminating: Option<i32>,
    refused: Option<&str>,
    now: Time,
) -> ReplicaSetStatus {
    let template = rs.template().and_then(|t| t.metadata.as_ref()?.labels.clone());
    let template = Selector::from_set(&template.unwrap_or_default());
    // One walk: a sync follows every change of every pod.
    let (mut labeled, mut ready, mut available) = (0, 0, 0);
    for p in active {
        labeled += usize::from(template.matches(p.metadata.labels.as_ref()));
        if pods::is_ready(p) {
            ready += 1;
            available += usize::from(pods::availability_in(p, rs.min_ready_seconds(), now).is_none());
        }
    }
    let mut conditions = rs.status().and_then(|s| s.conditions.clone()).unwrap_or_default();
    let reported = conditions.iter().any(|c| c.type_ == REPLICA_FAILURE);
    match refused {
        Some(message) if !reported => {
            let missing = count(active.len()) < rs.replicas();
            conditions.push(ReplicaSetCondition {
                type_: REPLICA_FAILURE.into(),
                status: "True".into(),
                reason: Some(if missing { "FailedCreate" } else { "FailedDelete" }.into()),
                message: Some(message.into()),
                last_transition_time: Some(now.to_k8s()),
            });
        }
        None => conditions.retain(|c| c.type_ != REPLICA_FAILURE),
        Some(_) => {}
    }
    ReplicaSetStatus {
        replicas: count(active.len()),
        fully_labeled_replicas: nonzero(count(labeled)),
        ready_replicas: nonzero(count(ready)),
        available_replicas: nonzero(count(available)),
        terminating_replicas: terminating,
        observed_generation: rs.metadata().generation,
        conditions: (!conditions.is_empty()).then_some(conditions),
    }
}

/// Whether the status has to be written.
pub fn differs<R: Replicated>(rs: &R, new: &ReplicaSetStatus) -> bool {
    rs.status().is_none_or(|old| {
        let n = |c: Option<i32>| c.unwrap_or(0);
        old.replicas != new.replicas
            || n(old.fully_labeled_replicas) != n(new.fully_labeled_replicas)
            || n(old.ready_replicas) != n(new.ready_replicas)
            || n(old.available_replicas) != n(new.available_replicas)
            || old.terminating_replicas != new.terminating_replicas
            || old.observed_generation.unwrap_or(0) != new.observed_generation.unwrap_or(0)
            || old.conditions.as_deref().unwrap_or_default() != new.conditions.as_deref().unwrap_or_default()
    })
}
