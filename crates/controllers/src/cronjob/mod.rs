//! cronjob-controller: Jobs at their times. Models `pkg/controller/cronjob/cronjob_controllerv2.go`.

mod history;
mod schedule;
#[cfg(test)]
mod tests;

use crate::history::name;
use crate::owner::{self, controller_reference};
use api::kinds::job::{has_condition, is_finished};
use api::{Object, ObjectExt, Registered, cron};
use k8s_openapi::api::batch::v1::{CronJob, CronJobSpec, CronJobStatus, Job};
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{Duration, Key, Time};
use reconcile::intent::reference;
use reconcile::{Change, Controller, Cx, EventType, Intent, Outcome, Reply, Watch, Write};
use schedule::Due;
use std::collections::BTreeMap;
use trace::note;

const SCHEDULED_AT: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";
/// So that the clock has certainly passed a scheduled time (`nextScheduleDelta`).
const MARGIN: Duration = Duration::from_millis(100);

#[derive(Clone, Default)]
pub struct CronJobController {
    /// Jobs that were created and that their CronJobs' statuses do not show yet, with the times they are for.
    created: BTreeMap<Key, (ObjectReference, Time)>,
    /// The time that the Job of the sync under way is for.
    creating: Option<Time>,
}

/// One sync: the status as it will be, and what has been decided.
struct Sync<'a> {
    cx: &'a Cx<'a>,
    cj: &'a CronJob,
    spec: &'a CronJobSpec,
    status: CronJobStatus,
    jobs: Vec<&'a Job>,
    out: Outcome,
    creating: Option<Time>,
}

fn job_changed(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    for o in [&change.old, &change.new].into_iter().flatten() {
        let Some(key) = owner::controller_key::<CronJob>(cx.view, o.meta()) else { continue };
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
}

impl Controller for CronJobController {
    const NAME: &'static str = "cronjob-controller";

    fn watches() -> Vec<Watch> {
        vec![owner::watch_self(CronJob::KIND_REF), Watch { kind: Job::KIND_REF, keys: job_changed }]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        self.creating = None;
        let Some(cj) = cx.view.get::<CronJob>(key) else {
            self.created.remove(key);
            return Outcome::done();
        };
        let none = CronJobSpec::default();
        let mut s = Sync {
            cx,
            cj,
            spec: cj.spec.as_ref().unwrap_or(&none),
            status: cj.status.clone().unwrap_or_default(),
            jobs: cx.view.controlled_by::<Job>(cj.metadata.uid.as_deref().unwrap_or("")).collect(),
            out: Outcome::done(),
            creating: None,
        };
        s.out.looked_at(s.jobs.len());
        if let Some((job, at)) = self.created.get(key) {
            if s.status.last_schedule_time == Some(at.to_k8s()) {
                self.created.remove(key);
            } else {
                s.started(job.clone(), *at);
            }
        }
        s.run();
        self.creating = s.creating;
        s.out
    }

    fn settled(&mut self, _cx: &Cx, key: &Key, replies: &[Reply]) {
        let Some(at) = self.creating.take() else { return };
        // Creating the Job is the last intent.
        if let Some(Ok(Some(job))) = replies.last()
            && job.kind() == Job::KIND_REF
        {
            self.created.insert(key.clone(), (reference(&**job), at));
        }
    }
}

impl<'a> Sync<'a> {
    fn event(&mut self, event_type: EventType, reason: &str, message: String) {
        self.out.push(Intent::event(self.cj, event_type, reason, message));
    }

    fn is_active(&self, uid: &str) -> bool {
        self.status.active.iter().flatten().any(|r| r.uid.as_deref() == Some(uid))
    }

    fn forget(&mut self, uid: &str) {
        if let Some(active) = &mut self.status.active {
            active.retain(|r| r.uid.as_deref() != Some(uid));
        }
        self.status.active = self.status.active.take().filter(|a| !a.is_empty());
    }

    fn started(&mut self, job: ObjectReference, at: Time) {
        self.status.active.get_or_insert_default().push(job);
        self.status.last_schedule_time = Some(at.to_k8s());
    }

    /// Models `sync`: jobs that have ended, the next one, then the history.
    fn run(&mut self) {
        self.look_at_jobs();
        let create = if self.cj.metadata.deletion_timestamp.is_none() { self.schedule() } else { None };
        self.clean_up();
        if self.cj.status.clone().unwrap_or_default() != self.status {
            self.out.push(Intent::update_status(CronJob { status: Some(self.status.clone()), ..self.cj.clone() }));
        }
        // Last, so that the answer is found; the status shows the Job in the next sync, which its creation asks for.
        self.out.intents.extend(create);
    }

    fn look_at_jobs(&mut self) {
        for job in self.jobs.clone() {
            let job_name = name(&job.metadata);
            let o: &dyn Object = job;
            let active = self.is_active(o.uid());
            if !active && !is_finished(job) {
                let message = format!("Saw a job that the controller did not create or forgot: {job_name}");
                self.event(EventType::Warning, "UnexpectedJob", message);
            } else if active && is_finished(job) {
                let condition = if has_condition(job, "Complete") { "Complete" } else { "Failed" };
                self.forget(o.uid());
                let message = format!("Saw completed job: {job_name}, condition: {condition}");
                self.event(EventType::Normal, "SawCompletedJob", message);
            }
            let completed = job.status.as_ref().and_then(|s| s.completion_time.clone());
            if has_condition(job, "Complete") && completed > self.status.last_successful_time {
                self.status.last_successful_time = completed;
            }
        }
        for r in self.status.active.clone().into_iter().flatten() {
            let uid = r.uid.unwrap_or_default();
            if self.jobs.iter().all(|j| j.metadata.uid.as_ref() != Some(&uid)) {
                let message = format!("Active job went missing: {}", r.name.unwrap_or_default());
                self.event(EventType::Normal, "MissingJob", message);
                self.forget(&uid);
            }
        }
    }

    /// Models the second half of `syncCronJob`. The Job to create.
    fn schedule(&mut self) -> Option<Intent> {
        let zone = match cron::zone(self.spec.time_zone.as_deref().unwrap_or("")) {
            Ok(zone) => zone,
            Err(e) => {
                let zone = self.spec.time_zone.clone().unwrap_or_default();
                self.event(EventType::Warning, "UnknownTimeZone", format!("invalid timeZone: {zone:?}: {e}"));
                return None;
            }
        };
        if self.spec.suspend == Some(true) {
            return None;
        }
        let schedule = match cron::Schedule::parse(&self.spec.schedule) {
            Ok(s) if self.spec.time_zone.is_some() => s.in_zone(zone.clone()),
            Ok(s) => s,
            Err(e) => {
                let message = format!("unparseable schedule: {:?} : {e}", self.spec.schedule);
                self.event(EventType::Warning, "UnparseableSchedule", message);
                return None;
            }
        };
        let now = self.cx.now;
        let due = Due::of(self.cj, &self.status, &schedule, now);
        if due.too_many_missed {
            let message =
                "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
            self.event(EventType::Warning, "TooManyMissedTimes", message.into());
        }
        if let Some(next) = due.next {
            self.out.requeue((next + MARGIN).since(now));
        }
        let at = due.time?;
        if let Some(deadline) = self.spec.starting_deadline_seconds {
            let deadline = Duration::from_secs(u64::try_from(deadline).unwrap_or(0));
            if at + deadline < now {
                let message = format!("Missed scheduled time to start a job: {}", schedule::rfc1123z(at));
                self.event(EventType::Warning, "MissSchedule", message);
                return None;
            }
        }
        let job_name = format!("{}-{}", name(&self.cj.metadata), at.as_micros() / 60_000_000);
        let named = |r: &ObjectReference| r.name.as_deref() == Some(job_name.as_str());
        if self.status.active.iter().flatten().any(named) || self.status.last_schedule_time == Some(at.to_k8s()) {
            return None;
        }
        let running = self.status.active.as_ref().map_or(0, Vec::len);
        match self.spec.concurrency_policy.as_deref() {
            Some("Forbid") if running > 0 => {
                let message = "Not starting job because prior execution is running and concurrency policy is Forbid";
                self.event(EventType::Normal, "JobAlreadyActive", message.into());
                self.note_forbidden(&job_name);
                return None;
            }
            Some("Replace") => self.replace_running(),
            _ => {}
        }
        // Somebody else's Job of that name is not waited for.
        let namespace = self.cj.metadata.namespace.as_deref().unwrap_or("");
        if self.cx.view.get::<Job>(&Key::new(namespace, &job_name)).is_some() {
            return None;
        }
        if self.cx.recording {
            let cj = name(&self.cj.metadata);
            self.out.note(note!("cronjob.due", name = cj, job = job_name.clone(), time = cron::in_zone(at, &zone)));
        }
        self.creating = Some(at);
        let template = &self.spec.job_template;
        let m = template.metadata.clone().unwrap_or_default();
        let mut annotations = m.annotations.unwrap_or_default();
        annotations.insert(SCHEDULED_AT.into(), cron::in_zone(at, &zone));
        let job = Job {
            metadata: ObjectMeta {
                name: Some(job_name),
                namespace: self.cj.metadata.namespace.clone(),
                labels: m.labels,
                annotations: Some(annotations),
                creation_timestamp: Some(at.to_k8s()),
                owner_references: Some(vec![controller_reference(self.cj)]),
                ..Default::default()
            },
            spec: template.spec.clone(),
            status: None,
        };
        let create = Intent::create(job).on_success(self.cj, "SuccessfulCreate", "Created job {name}");
        Some(create.on_failure(self.cj, "FailedCreate", "Error creating job: {error}"))
    }

    fn note_forbidden(&mut self, job: &str) {
        if self.cx.recording {
            let cj = name(&self.cj.metadata);
            self.out.note(note!("cronjob.forbidden", name = cj, job = job));
        }
    }

    /// concurrencyPolicy Replace: what still runs goes first.
    fn replace_running(&mut self) {
        for r in self.status.active.clone().into_iter().flatten() {
            let job = self.jobs.iter().copied().find(|j| j.metadata.uid == r.uid);
            if let Some(job) = job {
                self.delete(job);
            }
        }
    }

    /// Models `deleteJob`.
    fn delete(&mut self, job: &Job) {
        let o: &dyn Object = job;
        let mut delete = Intent::delete(job);
        if let Write::Delete { uid, .. } = &mut delete.write {
            *uid = None;
        }
        self.forget(o.uid());
        self.out.push(delete.on_success(self.cj, "SuccessfulDelete", format!("Deleted job {}", o.name())).on_failure(
            self.cj,
            "FailedDelete",
            "Deleted job: {error}",
        ));
    }
}
