//! job-controller: pods that run to their end. Models `pkg/controller/job`.

mod backoff;
mod indexes;
mod manage;
mod policy;
mod sync;
#[cfg(test)]
mod tests;
mod track;

use crate::owner::{self, controllers_concerned};
use api::kinds::job::is_finished;
use api::{ObjectExt, Registered};
use backoff::Backoff;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use meta::labels::Selector;
use meta::{Duration, Key};
use reconcile::{Change, Controller, Cx, Intent, Outcome, Reply, Watch};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Keeps a pod until its end is counted.
pub const FINALIZER: &str = "batch.kubernetes.io/job-tracking";
/// Before the name of a pod that only its finalizer keeps, in a key of the queue; no pod's name has a colon. Upstream
/// has a queue of its own for these.
const ORPHAN: &str = "pod:";
/// Changes of pods and statuses are taken together (`syncJobBatchPeriod`).
const BATCH: Duration = Duration::from_secs(1);

#[derive(Clone, Default)]
pub struct JobController {
    backoff: BTreeMap<Key, Backoff>,
    /// What `backoff` becomes once the sync under way is through.
    next: Option<Backoff>,
    /// Jobs whose last sync was refused something: what has ended is counted before the next attempt.
    refused: BTreeSet<Key>,
}

fn selector(job: &Job) -> Selector {
    let of = job.spec.as_ref().and_then(|s| s.selector.as_ref());
    of.map_or(Selector::Nothing, |s| Selector::from_api(Some(s)).unwrap_or(Selector::Nothing))
}

pub(crate) fn is_tracked(pod: &Pod) -> bool {
    pod.metadata.finalizers.iter().flatten().any(|f| f == FINALIZER)
}

fn orphan_key(pod: &Pod) -> Key {
    let m = &pod.metadata;
    let name = m.name.as_deref().unwrap_or("");
    Key::new(m.namespace.as_deref().unwrap_or(""), &format!("{ORPHAN}{name}"))
}

/// A pod concerns its Job, unless that is gone or over: then only its finalizer is left to remove.
fn pod_changed(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let (old, new) = (change.old.as_deref(), change.new.as_deref());
    controllers_concerned::<Job>(cx.view, old, new, selector, keys);
    if let Some(pod) = new.and_then(|o| o.downcast::<Pod>()).filter(|p| is_tracked(p))
        && is_orphan(cx, pod)
    {
        keys.push(orphan_key(pod));
    }
}

/// A Job that is gone or over leaves its pods' finalizers to be removed.
fn job_changed(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    keys.push(change.key.clone());
    let over = change.new.as_ref().is_none_or(|o| o.downcast().is_some_and(is_finished));
    let Some(job) = change.object().filter(|_| over) else { return };
    keys.extend(cx.view.controlled_by::<Pod>(job.uid()).filter(|p| is_tracked(p)).map(orphan_key));
}

fn is_orphan(cx: &Cx, pod: &Pod) -> bool {
    match api::object::controller_of(&pod.metadata) {
        Some(r) if r.kind != Job::KIND_REF.kind || r.api_version != "batch/v1" => false,
        None => true,
        Some(_) => {
            let job = owner::controller_key::<Job>(cx.view, &pod.metadata).and_then(|k| cx.view.get::<Job>(&k));
            job.is_none_or(|j| is_finished(j) && !is_foreign(j))
        }
    }
}

/// Another controller has said that it looks after this Job.
fn is_foreign(job: &Job) -> bool {
    let by = job.spec.as_ref().and_then(|s| s.managed_by.as_deref());
    by.is_some_and(|by| by != "kubernetes.io/job-controller")
}

/// Takes the finalizer off exactly this pod.
fn untrack(pod: &Pod) -> Intent {
    let rest: Vec<&String> = pod.metadata.finalizers.iter().flatten().filter(|f| *f != FINALIZER).collect();
    let rest = if rest.is_empty() { serde_json::Value::Null } else { json!(rest) };
    let patch = json!({"metadata": {"uid": pod.metadata.uid, "finalizers": rest}});
    Intent::patch(Pod::KIND_REF, owner::key_of(&pod.metadata), "", patch).tolerate(reconcile::Tolerate::NotFound)
}

impl Controller for JobController {
    const NAME: &'static str = "job-controller";

    fn watches() -> Vec<Watch> {
        vec![Watch { kind: Job::KIND_REF, keys: job_changed }, Watch { kind: Pod::KIND_REF, keys: pod_changed }]
    }

    /// A new Job, or a new spec of one, is looked at at once.
    fn batch(change: &Change) -> Duration {
        let generation = |o: &Option<api::Obj>| o.as_ref().and_then(|o| o.meta().generation);
        let spec_changed = change.kind == Job::KIND_REF && generation(&change.old) != generation(&change.new);
        if spec_changed { Duration::ZERO } else { BATCH }
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        self.next = None;
        if let Some(pod) = key.name().strip_prefix(ORPHAN) {
            let mut out = Outcome::done();
            let pod = cx.view.get::<Pod>(&Key::new(key.namespace(), pod));
            if let Some(pod) = pod.filter(|p| is_tracked(p) && is_orphan(cx, p)) {
                out.push(untrack(pod));
            }
            return out;
        }
        let Some(job) = cx.view.get::<Job>(key).filter(|j| !is_finished(j)) else {
            self.backoff.remove(key);
            self.refused.remove(key);
            return Outcome::done();
        };
        if is_foreign(job) {
            return Outcome::done();
        }
        let backoff = self.backoff.get(key).copied().unwrap_or_default();
        let (out, next) = sync::sync(cx, job, &selector(job), backoff, self.refused.contains(key));
        self.next = Some(next);
        out
    }

    fn settled(&mut self, _cx: &Cx, key: &Key, replies: &[Reply]) {
        let next = self.next.take();
        if replies.last().is_some_and(Result::is_err) {
            self.refused.insert(key.clone());
            return;
        }
        self.refused.remove(key);
        if let Some(next) = next {
            self.backoff.insert(key.clone(), next);
        }
    }
}
