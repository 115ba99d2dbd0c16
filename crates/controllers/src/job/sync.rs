//! One sync of one Job. Models `syncJob` of `pkg/controller/job/job_controller.go`.

use super::backoff::Backoff;
use super::indexes::{self, Indexes};
use super::policy::{self, Verdict, verdict};
use super::{FINALIZER, is_tracked};
use crate::owner::{Claim, claim, controller_reference, count, nonzero, without};
use crate::pods;
use api::{Object, ObjectExt};
use k8s_openapi::api::batch::v1::{Job, JobCondition, JobSpec, JobStatus};
use k8s_openapi::api::core::v1::Pod;
use meta::labels::Selector;
use meta::{Duration, Time};
use reconcile::{Cx, EventType, Intent, Outcome, Tolerate};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use trace::{Note, note};

pub const SUCCESS_CRITERIA_MET: &str = "SuccessCriteriaMet";
pub const FAILURE_TARGET: &str = "FailureTarget";

pub struct Sync<'a> {
    pub cx: &'a Cx<'a>,
    pub job: &'a Job,
    pub spec: &'a JobSpec,
    /// All of them, the ended ones too.
    pub pods: Vec<&'a Pod>,
    pub active: Vec<&'a Pod>,
    pub ready: i32,
    pub terminating: i32,
    /// UIDs that the status lists as ended but not yet counted.
    pub uncounted_succeeded: BTreeSet<&'a str>,
    pub uncounted_failed: BTreeSet<&'a str>,
    pub succeeded: i32,
    pub failed: i32,
    /// Why the Job ends.
    pub finished: Option<JobCondition>,
    pub prev_succeeded_indexes: Indexes,
    pub succeeded_indexes: Indexes,
    /// With a limit for each index only.
    pub failed_indexes: Option<Indexes>,
    /// The last failed pod of an index that is to be tried again: it tells its successor how often that was.
    pub delayed: BTreeMap<i32, &'a Pod>,
    pub backoff: Backoff,
    /// As it will be written.
    pub status: JobStatus,
    /// What is done to pods.
    pub manage: Vec<Intent>,
    pub out: Outcome,
    /// The last attempt was refused: nothing is taken for done before it is.
    pub refused: bool,
}

pub fn uid(pod: &Pod) -> &str {
    pod.metadata.uid.as_deref().unwrap_or("")
}

pub fn is_indexed(spec: &JobSpec) -> bool {
    spec.completion_mode.as_deref() == Some("Indexed")
}

pub fn is_suspended(spec: &JobSpec) -> bool {
    spec.suspend == Some(true)
}

/// Failed, or being deleted where that counts the same. Models `isPodFailed`.
pub fn is_failed(spec: &JobSpec, pod: &Pod) -> bool {
    let phase = pods::phase(pod);
    phase == "Failed"
        || (!replaces_failed_only(spec) && pod.metadata.deletion_timestamp.is_some() && phase != "Succeeded")
}

/// Models `onlyReplaceFailedPods`.
pub fn replaces_failed_only(spec: &JobSpec) -> bool {
    spec.pod_replacement_policy.as_deref() == Some("Failed") || spec.pod_failure_policy.is_some()
}

pub fn condition(type_: &str, reason: &str, message: &str, now: Time) -> JobCondition {
    JobCondition {
        type_: type_.into(),
        status: "True".into(),
        reason: Some(reason.into()).filter(|r: &String| !r.is_empty()),
        message: Some(message.into()).filter(|m: &String| !m.is_empty()),
        last_probe_time: Some(now.to_k8s()),
        last_transition_time: Some(now.to_k8s()),
    }
}

pub fn find<'a>(status: &'a JobStatus, type_: &str) -> Option<&'a JobCondition> {
    status.conditions.iter().flatten().find(|c| c.type_ == type_)
}

/// Adopting adds the finalizer, releasing takes it off.
fn claim_intents(job: &Job, claim: &Claim<'_, Pod>, out: &mut Outcome) {
    let patch = |p: &Pod, owners, finalizers| {
        let metadata = json!({
            "uid": p.metadata.uid, "resourceVersion": p.metadata.resource_version, "ownerReferences": owners,
            "finalizers": finalizers,
        });
        let p: &dyn Object = p;
        Intent::patch(p.kind(), p.key(), "", json!({ "metadata": metadata }))
    };
    for p in &claim.release {
        let owners = without(&p.metadata, |r| Some(&r.uid) == job.metadata.uid.as_ref());
        let kept: Vec<&String> = p.metadata.finalizers.iter().flatten().filter(|f| *f != FINALIZER).collect();
        out.push(patch(p, json!(owners), json!(kept)).tolerate(Tolerate::NotFound));
    }
    for p in &claim.adopt {
        let mut owners = p.metadata.owner_references.clone().unwrap_or_default();
        owners.push(controller_reference(job));
        out.push(patch(p, json!(owners), json!(tracked(p).metadata.finalizers)));
    }
}

fn tracked(p: &Pod) -> Pod {
    let mut p = p.clone();
    if !is_tracked(&p) {
        p.metadata.finalizers.get_or_insert_default().push(FINALIZER.into());
    }
    p
}

pub fn sync(cx: &Cx, job: &Job, selector: &Selector, backoff: Backoff, refused: bool) -> (Outcome, Backoff) {
    let none = JobSpec::default();
    let mut out = Outcome::done();
    let claim = claim::<Pod>(cx.view, job, selector, |_| true);
    claim_intents(job, &claim, &mut out);
    let adopted: Vec<Pod> = claim.adopt.iter().map(|p| tracked(p)).collect();
    let pods: Vec<&Pod> = claim.owned.iter().copied().chain(&adopted).collect();
    out.looked_at(pods.len());
    let active: Vec<&Pod> = pods.iter().copied().filter(|p| pods::is_active(p)).collect();
    let status = job.status.clone().unwrap_or_default();
    let uncounted = job.status.as_ref().and_then(|s| s.uncounted_terminated_pods.as_ref());
    let set = |list: Option<&'_ Vec<String>>| -> BTreeSet<String> { list.into_iter().flatten().cloned().collect() };
    let (in_succeeded, in_failed) =
        (set(uncounted.and_then(|u| u.succeeded.as_ref())), set(uncounted.and_then(|u| u.failed.as_ref())));
    let mut s = Sync {
        cx,
        job,
        spec: job.spec.as_ref().unwrap_or(&none),
        ready: count(active.iter().filter(|p| pods::is_ready(p)).count()),
        terminating: count(pods.iter().filter(|p| pods::is_terminating(p)).count()),
        pods,
        active,
        uncounted_succeeded: in_succeeded.iter().map(String::as_str).collect(),
        uncounted_failed: in_failed.iter().map(String::as_str).collect(),
        succeeded: 0,
        failed: 0,
        finished: None,
        prev_succeeded_indexes: Indexes::default(),
        succeeded_indexes: Indexes::default(),
        failed_indexes: None,
        delayed: BTreeMap::new(),
        backoff,
        status,
        manage: Vec::new(),
        out,
        refused,
    };
    s.run();
    (s.out, s.backoff)
}

impl<'a> Sync<'a> {
    pub fn note(&mut self, make: impl FnOnce(&str) -> Note) {
        if self.cx.recording {
            let n = make(self.job.metadata.name.as_deref().unwrap_or(""));
            self.out.note(n);
        }
    }

    fn run(&mut self) {
        self.status.uncounted_terminated_pods.get_or_insert_default();
        let succeeded = self.newly_ended(&self.uncounted_succeeded, |p| pods::phase(p) == "Succeeded");
        let failed = self.newly_ended(&self.uncounted_failed, |p| is_failed(self.spec, p));
        let counted = failed.iter().filter(|p| verdict(self.spec.pod_failure_policy.as_ref(), p).counts()).count();
        let so_far = |n: Option<i32>, new: usize, uncounted: usize| n.unwrap_or(0) + count(new) + count(uncounted);
        self.succeeded = so_far(self.status.succeeded, succeeded.len(), self.uncounted_succeeded.len());
        self.failed = so_far(self.status.failed, counted, self.uncounted_failed.len());
        if self.status.start_time.is_none() && !is_suspended(self.spec) {
            self.status.start_time = Some(self.cx.now.to_k8s());
        }
        self.backoff = self.backoff.after(&succeeded, &failed);
        self.decide();
        let mut suspension_changed = false;
        let active = if self.finished.is_some() {
            self.delete_active();
            0
        } else {
            let manages = self.job.metadata.deletion_timestamp.is_none();
            let active = if manages { self.manage() } else { count(self.active.len()) };
            let enough = match self.spec.completions {
                None => self.succeeded > 0,
                Some(n) => self.succeeded >= n,
            };
            if enough && active == 0 {
                let message = "Reached expected number of succeeded pods";
                self.finished = Some(condition(SUCCESS_CRITERIA_MET, "CompletionsReached", message, self.cx.now));
            } else if manages {
                suspension_changed = self.tell_suspension();
            }
            active
        };
        let old = self.job.status.as_ref();
        let flush = suspension_changed
            || active != old.and_then(|s| s.active).unwrap_or(0)
            || old.and_then(|s| s.ready) != Some(self.ready)
            || old.and_then(|s| s.terminating) != Some(self.terminating);
        self.status.active = nonzero(active);
        self.status.ready = Some(self.ready);
        self.status.terminating = Some(self.terminating);
        let manage = std::mem::take(&mut self.manage);
        // A refused write stops what stands behind it: after a refusal, what has ended is counted first.
        if self.refused {
            self.track(flush);
            self.out.intents.extend(manage);
        } else {
            self.out.intents.extend(manage);
            self.track(flush);
        }
    }

    /// Whether, and why, the Job is over.
    fn decide(&mut self) {
        let now = self.cx.now;
        let fail = |reason: &str, message: &str| Some(condition(FAILURE_TARGET, reason, message, now));
        let is_true = |c: &&JobCondition| c.status == "True";
        self.finished = find(&self.status, SUCCESS_CRITERIA_MET).filter(is_true).cloned();
        if self.finished.is_none() {
            let target = find(&self.status, FAILURE_TARGET).filter(is_true).cloned();
            self.finished = target.map(|c| super::track::failed_for(&c, now)).or_else(|| {
                let fatal = self.pods.iter().filter(|p| is_failed(self.spec, p)).find_map(|p| {
                    match verdict(self.spec.pod_failure_policy.as_ref(), p) {
                        Verdict::FailJob(why) => Some(why),
                        _ => None,
                    }
                });
                fatal.and_then(|why| fail("PodFailurePolicy", &why))
            });
        }
        if self.finished.is_none() {
            if self.failed > self.spec.backoff_limit.unwrap_or(6) || self.restarts_exceed_limit() {
                self.finished = fail("BackoffLimitExceeded", "Job has reached the specified backoff limit");
            } else if let Some(left) = self.until_deadline() {
                if left == Duration::ZERO {
                    self.finished = fail("DeadlineExceeded", "Job was active longer than specified deadline");
                } else {
                    self.out.requeue(left);
                }
            }
        }
        if is_indexed(self.spec) {
            self.decide_by_indexes();
        }
    }

    fn decide_by_indexes(&mut self) {
        let now = self.cx.now;
        let fail = |reason: &str, message: &str| Some(condition(FAILURE_TARGET, reason, message, now));
        let completions = self.spec.completions.unwrap_or(0);
        let valid = |p: &Pod| indexes::of(p).filter(|i| *i < completions && is_tracked(p));
        let completed = self.status.completed_indexes.as_deref().unwrap_or("");
        self.prev_succeeded_indexes = Indexes::parse(completed, completions);
        let new = self.pods.iter().filter(|p| pods::phase(p) == "Succeeded").filter_map(|p| valid(p)).collect();
        self.succeeded_indexes = self.prev_succeeded_indexes.with(&new);
        self.succeeded = self.succeeded_indexes.total();
        if self.spec.backoff_limit_per_index.is_some() {
            let new = self.pods.iter().filter(|p| self.is_index_failed(p)).filter_map(|p| valid(p)).collect();
            let failed = Indexes::parse(self.status.failed_indexes.as_deref().unwrap_or(""), completions).with(&new);
            let total = failed.total();
            self.failed_indexes = Some(failed);
            if self.finished.is_none() {
                if self.spec.max_failed_indexes.is_some_and(|most| total > most) {
                    let message = "Job has exceeded the specified maximal number of failed indexes";
                    self.finished = fail("MaxFailedIndexesExceeded", message);
                } else if total > 0 && total + self.succeeded >= completions {
                    self.finished = fail("FailedIndexes", "Job has failed indexes");
                }
            }
            self.delayed = self.failed_to_replace();
        }
        if self.finished.is_none()
            && let Some(met) = policy::success(self.spec, self.spec.success_policy.as_ref(), &self.succeeded_indexes)
        {
            self.finished = Some(condition(SUCCESS_CRITERIA_MET, "SuccessPolicy", &met, now));
        }
    }

    /// Pods that ended since the status was written. Models `getValidPodsWithFilter`.
    fn newly_ended(&self, uncounted: &BTreeSet<&str>, ended: impl Fn(&Pod) -> bool) -> Vec<&'a Pod> {
        let completions = self.spec.completions.unwrap_or(0);
        let valid = |p: &Pod| !is_indexed(self.spec) || indexes::of(p).is_some_and(|i| i < completions);
        let new = self.pods.iter().copied().filter(|p| is_tracked(p) && !uncounted.contains(uid(p)));
        new.filter(|p| valid(p) && ended(p)).collect()
    }

    /// Containers that start again in place count their restarts. Models `pastBackoffLimitOnFailure`.
    fn restarts_exceed_limit(&self) -> bool {
        let policy = self.spec.template.spec.as_ref().and_then(|s| s.restart_policy.as_deref());
        if policy != Some("OnFailure") {
            return false;
        }
        let alive = self.pods.iter().filter(|p| matches!(pods::phase(p), "Running" | "Pending"));
        let statuses = alive.filter_map(|p| p.status.as_ref());
        let all = statuses.flat_map(|s| s.init_container_statuses.iter().chain(&s.container_statuses).flatten());
        let restarts: i32 = all.map(|c| c.restart_count).sum();
        restarts >= self.spec.backoff_limit.unwrap_or(6).max(1)
    }

    /// Zero when it has passed; `None` when there is none.
    fn until_deadline(&self) -> Option<Duration> {
        let deadline = self.spec.active_deadline_seconds.filter(|_| !is_suspended(self.spec))?;
        let start = Time::from_k8s(self.status.start_time.as_ref()?);
        let end = start + Duration::from_secs(u64::try_from(deadline).unwrap_or(0));
        Some(if end > self.cx.now { end.since(self.cx.now) } else { Duration::ZERO })
    }

    /// Models `isIndexFailed`.
    fn is_index_failed(&self, p: &Pod) -> bool {
        if !is_failed(self.spec, p) {
            return false;
        }
        match verdict(self.spec.pod_failure_policy.as_ref(), p) {
            Verdict::FailIndex => true,
            Verdict::Ignore => false,
            _ => super::manage::failures_of(p).0 >= self.spec.backoff_limit_per_index.unwrap_or(0),
        }
    }

    /// Models `getPodsWithDelayedDeletionPerIndex`.
    fn failed_to_replace(&self) -> BTreeMap<i32, &'a Pod> {
        let active = indexes::of_all(self.active.iter().copied());
        let mut out: BTreeMap<i32, &Pod> = BTreeMap::new();
        let failures = |p: &Pod| {
            let (counted, ignored) = super::manage::failures_of(p);
            counted + ignored
        };
        for p in self.newly_ended(&BTreeSet::new(), |p| is_failed(self.spec, p)) {
            let Some(i) = indexes::of(p) else { continue };
            let settled = self.succeeded_indexes.has(i) || self.failed_indexes.as_ref().is_some_and(|f| f.has(i));
            if !settled && !active.contains(&i) && out.get(&i).is_none_or(|last| failures(last) <= failures(p)) {
                out.insert(i, p);
            }
        }
        out
    }

    /// The Suspended condition and its Event. Whether anything changed.
    fn tell_suspension(&mut self) -> bool {
        let suspended = is_suspended(self.spec);
        let was = find(&self.status, "Suspended").map(|c| c.status == "True");
        let (value, reason, message, event) = if suspended {
            ("True", "JobSuspended", "Job suspended", "Suspended")
        } else {
            ("False", "JobResumed", "Job resumed", "Resumed")
        };
        // From nothing to False is no news.
        if was == Some(suspended) || (was.is_none() && !suspended) {
            return false;
        }
        let new = JobCondition { status: value.into(), ..condition("Suspended", reason, message, self.cx.now) };
        super::track::set_condition(&mut self.status, new);
        if !suspended {
            // The deadline counts while the Job is active.
            self.status.start_time = Some(self.cx.now.to_k8s());
        }
        self.manage.push(Intent::event(self.job, EventType::Normal, event, message));
        true
    }

    /// Pods of a Job that is over. They keep their finalizers until they are counted.
    fn delete_active(&mut self) {
        if !self.active.is_empty() {
            let n = self.active.len();
            self.note(|job| note!("job.ends", name = job, delete = n));
        }
        for p in self.active.clone() {
            let delete = self.delete(p);
            self.manage.push(delete);
            self.terminating += 1;
            self.ready -= i32::from(pods::is_ready(p));
        }
    }
}
