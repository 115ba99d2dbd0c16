//! A Deployment's status and whether its rollout gets on. Models `pkg/controller/deployment/progress.go`.

use super::util::{self, AVAILABLE, PROGRESSING, REPLICA_FAILURE, condition, new_condition, set_condition};
use super::{Sync, name};
use crate::owner::nonzero;
use crate::replicaset::replicas as rs_replicas;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentStatus, ReplicaSet};
use meta::{Duration, Time};
use trace::note;

pub const NEW_RS_AVAILABLE: &str = "NewReplicaSetAvailable";
pub const TIMED_OUT: &str = "ProgressDeadlineExceeded";

/// Models `calculateStatus`.
pub fn calculate(d: &Deployment, all: &[ReplicaSet], new: Option<&ReplicaSet>, now: Time) -> DeploymentStatus {
    let old = d.status.clone().unwrap_or_default();
    let available = util::total(all, util::available);
    let mut status = DeploymentStatus {
        observed_generation: d.metadata.generation,
        replicas: nonzero(util::total(all, util::actual)),
        updated_replicas: nonzero(new.map_or(0, util::actual)),
        ready_replicas: nonzero(util::total(all, util::ready)),
        available_replicas: nonzero(available),
        unavailable_replicas: nonzero((util::total(all, rs_replicas) - available).max(0)),
        terminating_replicas: terminating(all),
        collision_count: old.collision_count,
        conditions: old.conditions,
    };
    let c = if available >= util::replicas(d) - util::max_unavailable(d) {
        new_condition(AVAILABLE, "True", "MinimumReplicasAvailable", "Deployment has minimum availability.".into(), now)
    } else {
        let message = "Deployment does not have minimum availability.";
        new_condition(AVAILABLE, "False", "MinimumReplicasUnavailable", message.into(), now)
    };
    set_condition(&mut status, c);
    status
}

/// Unknown as long as one ReplicaSet does not say. Models `GetTerminatingReplicaCountForReplicaSets`.
fn terminating(all: &[ReplicaSet]) -> Option<i32> {
    let mut sum = 0;
    for rs in all {
        match rs.status.as_ref() {
            Some(s) if s.terminating_replicas.is_some() => sum += s.terminating_replicas.unwrap_or(0),
            // Not synced yet, so no pods.
            Some(s) if s.observed_generation.unwrap_or(0) != 0 => return None,
            _ => {}
        }
    }
    Some(sum)
}

fn n(v: Option<i32>) -> i32 {
    v.unwrap_or(0)
}

/// Models `DeploymentComplete`.
pub fn is_complete(d: &Deployment, s: &DeploymentStatus) -> bool {
    let want = util::replicas(d);
    n(s.updated_replicas) == want
        && n(s.replicas) == want
        && n(s.available_replicas) == want
        && s.observed_generation.unwrap_or(0) >= d.metadata.generation.unwrap_or(0)
}

/// Models `DeploymentProgressing`.
fn is_progressing(old: &DeploymentStatus, new: &DeploymentStatus) -> bool {
    let outdated = |s: &DeploymentStatus| n(s.replicas) - n(s.updated_replicas);
    n(new.updated_replicas) > n(old.updated_replicas)
        || outdated(new) < outdated(old)
        || n(new.ready_replicas) > n(old.ready_replicas)
        || n(new.available_replicas) > n(old.available_replicas)
}

/// When the rollout counts as stuck; `None` when it cannot. Models `DeploymentTimedOut`.
fn deadline(d: &Deployment, s: &DeploymentStatus) -> Option<Time> {
    let secs = util::progress_deadline(d)?;
    let c = condition(s, PROGRESSING).filter(|c| c.reason.as_deref() != Some(NEW_RS_AVAILABLE))?;
    Some(Time::from_k8s(c.last_update_time.as_ref()?) + Duration::from_secs(secs))
}

impl Sync<'_> {
    /// Only counts and Available. Models `syncDeploymentStatus`.
    pub fn sync_status(&mut self) {
        let status = calculate(&self.d, &self.all(), self.new.as_ref(), self.cx.now);
        self.write_status(status);
    }

    /// Models `syncRolloutStatus`.
    pub fn sync_rollout_status(&mut self) {
        let (now, all) = (self.cx.now, self.all());
        let old = self.d.status.clone().unwrap_or_default();
        let mut status = calculate(&self.d, &all, self.new.as_ref(), now);
        let has_deadline = util::progress_deadline(&self.d).is_some();
        if !has_deadline {
            util::remove_condition(&mut status, PROGRESSING);
        }
        let current = condition(&old, PROGRESSING).cloned();
        let rolled_out =
            n(status.replicas) == n(status.updated_replicas) && util::reason(current.as_ref()) == NEW_RS_AVAILABLE;
        let subject = match &self.new {
            Some(rs) => format!("ReplicaSet {:?}", name(&rs.metadata)),
            None => format!("Deployment {:?}", name(&self.d.metadata)),
        };
        if has_deadline && !rolled_out {
            if is_complete(&self.d, &status) {
                let message = format!("{subject} has successfully progressed.");
                set_condition(&mut status, new_condition(PROGRESSING, "True", NEW_RS_AVAILABLE, message, now));
                self.note(|d| note!("deployment.complete", name = d));
            } else if is_progressing(&old, &status) {
                let message = format!("{subject} is progressing.");
                let mut c = new_condition(PROGRESSING, "True", "ReplicaSetUpdated", message, now);
                if let Some(current) = current.filter(|c| c.status == "True") {
                    c.last_transition_time = current.last_transition_time;
                }
                // Progress renews the update time, even for the same reason: the deadline starts over.
                util::remove_condition(&mut status, PROGRESSING);
                set_condition(&mut status, c);
            } else if util::reason(condition(&status, PROGRESSING)) == TIMED_OUT
                || deadline(&self.d, &status).is_some_and(|t| t < now)
            {
                let message = format!("{subject} has timed out progressing.");
                set_condition(&mut status, new_condition(PROGRESSING, "False", TIMED_OUT, message, now));
                let secs = util::progress_deadline(&self.d).unwrap_or(0);
                self.note(|d| note!("deployment.timed-out", name = d, seconds = secs));
            }
        }
        let failures = |rs: &ReplicaSet| {
            rs.status.iter().flat_map(|s| s.conditions.iter().flatten()).find(|c| c.type_ == REPLICA_FAILURE).cloned()
        };
        match self.new.as_ref().and_then(failures).or_else(|| all.iter().find_map(failures)) {
            Some(c) => {
                let mut failure = new_condition(
                    REPLICA_FAILURE,
                    &c.status,
                    c.reason.as_deref().unwrap_or(""),
                    c.message.unwrap_or_default(),
                    now,
                );
                failure.last_transition_time = c.last_transition_time.clone();
                failure.last_update_time = c.last_transition_time;
                set_condition(&mut status, failure);
            }
            None => util::remove_condition(&mut status, REPLICA_FAILURE),
        }
        let waits = condition(&status, PROGRESSING).is_some_and(|c| c.reason.as_deref() != Some(TIMED_OUT))
            && !is_complete(&self.d, &status);
        if let Some(t) = deadline(&self.d, &status).filter(|_| waits) {
            // A second more than needed, as upstream: the condition has whole seconds only.
            self.out.requeue(t.since(now) + Duration::from_secs(1));
        }
        self.write_status(status);
    }
}
