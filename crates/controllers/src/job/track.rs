//! Counting pods that have ended, each once. Models `trackJobStatusAndRemoveFinalizers`: the UIDs go into the status,
//! then the finalizers go, then the counters rise.

use super::policy::verdict;
use super::sync::{FAILURE_TARGET, SUCCESS_CRITERIA_MET, Sync, condition, find, is_failed, is_indexed, uid};
use super::{indexes, is_tracked, untrack};
use crate::owner::{count, nonzero};
use crate::pods;
use k8s_openapi::api::batch::v1::{Job, JobCondition, JobStatus};
use k8s_openapi::api::core::v1::Pod;
use meta::Time;
use reconcile::{EventType, Intent};
use std::collections::BTreeSet;
use trace::note;

/// So that the status stays small and other Jobs get their turn.
const MAX_UNCOUNTED: usize = 500;

/// The final condition for an interim one.
pub fn failed_for(target: &JobCondition, now: Time) -> JobCondition {
    let text = |s: &Option<String>| s.clone().unwrap_or_default();
    condition("Failed", &text(&target.reason), &text(&target.message), now)
}

/// Adds or replaces. Models `ensureJobConditionStatus`.
pub fn set_condition(status: &mut JobStatus, new: JobCondition) {
    let list = status.conditions.get_or_insert_default();
    match list.iter_mut().find(|c| c.type_ == new.type_) {
        None => list.push(new),
        Some(old) if (&old.status, &old.reason, &old.message) != (&new.status, &new.reason, &new.message) => *old = new,
        Some(_) => {}
    }
}

/// Counts UIDs whose pods are no longer tracked. Whether there were any.
fn count_untracked(status: &mut JobStatus, tracked: &BTreeSet<&str>) -> bool {
    let u = status.uncounted_terminated_pods.get_or_insert_default();
    let mut taken = [0, 0];
    for (list, n) in [&mut u.succeeded, &mut u.failed].into_iter().zip(&mut taken) {
        let Some(uids) = list else { continue };
        let before = uids.len();
        uids.retain(|uid| tracked.contains(uid.as_str()));
        *n = count(before - uids.len());
        if uids.is_empty() {
            *list = None;
        }
    }
    status.succeeded = nonzero(status.succeeded.unwrap_or(0) + taken[0]);
    status.failed = nonzero(status.failed.unwrap_or(0) + taken[1]);
    taken != [0, 0]
}

impl<'a> Sync<'a> {
    pub fn track(&mut self, mut flush: bool) {
        let mut tracked = self.tracked_uids();
        flush |= count_untracked(&mut self.status, &tracked);
        let mut untracked: Vec<&Pod> = Vec::new();
        let mut new_indexes: BTreeSet<i32> = BTreeSet::new();
        let mut more = false;
        for p in self.in_order() {
            if !is_tracked(p) || !self.can_untrack(p) {
                continue;
            }
            untracked.push(p);
            flush |= self.list_uncounted(p, &mut new_indexes);
            let listed = self
                .status
                .uncounted_terminated_pods
                .as_ref()
                .map_or(0, |u| u.succeeded.as_ref().map_or(0, Vec::len) + u.failed.as_ref().map_or(0, Vec::len));
            if new_indexes.len() + listed >= MAX_UNCOUNTED {
                more = true;
                break;
            }
        }
        if is_indexed(self.spec) {
            flush |= self.list_indexes(&new_indexes);
        }
        flush |= self.interim_condition();
        let mut version_is_old = false;
        if flush {
            self.write_status(version_is_old);
            version_is_old = true;
        }
        for p in untracked {
            self.out.push(untrack(p));
            tracked.remove(uid(p));
        }
        let counted = count_untracked(&mut self.status, &tracked);
        let over = !more && self.enact_finished();
        if counted || over {
            self.write_status(version_is_old);
        }
        if over {
            self.announce();
        }
    }

    /// A pod that has ended goes into the status before it loses its finalizer. Whether the status changed.
    fn list_uncounted(&mut self, p: &'a Pod, new_indexes: &mut BTreeSet<i32>) -> bool {
        let indexed = is_indexed(self.spec);
        let index = indexes::of(p).filter(|i| *i < self.spec.completions.unwrap_or(0));
        let failed_before = self.uncounted_failed.contains(uid(p));
        let u = self.status.uncounted_terminated_pods.get_or_insert_default();
        if pods::phase(p) == "Succeeded" && !failed_before {
            if indexed {
                // The index is enough not to count it twice.
                return index.filter(|i| !self.prev_succeeded_indexes.has(*i)).is_some_and(|i| new_indexes.insert(i));
            }
            if self.uncounted_succeeded.contains(uid(p)) {
                return false;
            }
            u.succeeded.get_or_insert_default().push(uid(p).into());
            return true;
        }
        // Of a Job that is over without success, whatever has not ended has failed.
        let lost = self.finished.as_ref().is_some_and(|c| c.type_ != SUCCESS_CRITERIA_MET);
        if !(is_failed(self.spec, p) || lost) || failed_before || (indexed && index.is_none()) {
            return false;
        }
        if !verdict(self.spec.pod_failure_policy.as_ref(), p).counts() {
            return false;
        }
        u.failed.get_or_insert_default().push(uid(p).into());
        true
    }

    fn list_indexes(&mut self, new: &BTreeSet<i32>) -> bool {
        let before = (self.status.completed_indexes.clone(), self.status.failed_indexes.clone());
        self.succeeded_indexes = self.succeeded_indexes.with(new);
        self.status.succeeded = nonzero(self.succeeded_indexes.total());
        let text = self.succeeded_indexes.to_string();
        self.status.completed_indexes = Some(text).filter(|t| !t.is_empty());
        self.status.failed_indexes = self.failed_indexes.as_ref().map(ToString::to_string);
        before != (self.status.completed_indexes.clone(), self.status.failed_indexes.clone())
    }

    /// The reason of the end is written before the pods are let go; `finished` becomes the final condition.
    fn interim_condition(&mut self) -> bool {
        let Some(c) = self.finished.clone() else { return false };
        match c.type_.as_str() {
            FAILURE_TARGET => {
                self.note(|job| note!("job.fails", name = job, reason = c.reason.as_deref().unwrap_or("")));
                self.finished = Some(failed_for(&c, self.cx.now));
                self.status.conditions.get_or_insert_default().push(c);
                true
            }
            SUCCESS_CRITERIA_MET => {
                let text = |s: &Option<String>| s.clone().unwrap_or_default();
                let (reason, message) = (text(&c.reason), text(&c.message));
                self.finished = Some(condition("Complete", &reason, &message, self.cx.now));
                if find(&self.status, SUCCESS_CRITERIA_MET).is_some() {
                    return false;
                }
                self.note(|job| note!("job.succeeds", name = job, reason = reason));
                self.status.conditions.get_or_insert_default().push(c);
                true
            }
            _ => false,
        }
    }

    /// The final condition, once every pod is counted and gone. Models `enactJobFinished`.
    fn enact_finished(&mut self) -> bool {
        let Some(c) = self.finished.clone() else { return false };
        let u = self.status.uncounted_terminated_pods.as_ref();
        if u.is_some_and(|u| u.succeeded.is_some() || u.failed.is_some()) || self.terminating > 0 {
            return false;
        }
        if c.type_ == "Complete" {
            self.status.completion_time = c.last_transition_time.clone();
        }
        set_condition(&mut self.status, c);
        true
    }

    fn write_status(&mut self, version_is_old: bool) {
        let mut job = Job { status: Some(self.status.clone()), ..self.job.clone() };
        if version_is_old {
            job.metadata.resource_version = None;
        }
        self.out.push(Intent::update_status(job));
    }

    fn announce(&mut self) {
        let Some(c) = self.finished.clone() else { return };
        if c.type_ != "Complete" {
            let (reason, message) = (c.reason.unwrap_or_default(), c.message.unwrap_or_default());
            self.out.push(Intent::event(self.job, EventType::Warning, &reason, message));
            return;
        }
        let most = self.spec.completions.unwrap_or(i32::MAX);
        if self.status.succeeded.unwrap_or(0) > most {
            let message = "Too many succeeded pods running after completion count reached";
            self.out.push(Intent::event(self.job, EventType::Warning, "TooManySucceededPods", message));
        }
        self.out.push(Intent::event(self.job, EventType::Normal, "Completed", "Job completed"));
    }
}
