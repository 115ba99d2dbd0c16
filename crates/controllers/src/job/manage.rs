//! As many pods as the Job may have at once. Models `manageJob`.

use super::indexes::{self, INDEX};
use super::policy::verdict;
use super::sync::{Sync, is_failed, is_indexed, is_suspended, replaces_failed_only};
use super::{FINALIZER, backoff, untrack};
use crate::owner::{controller_reference, count};
use crate::pods;
use crate::replicaset::ranking;
use k8s_openapi::api::core::v1::{Container, EnvVar, EnvVarSource, ObjectFieldSelector, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::Duration;
use reconcile::Intent;
use std::collections::{BTreeMap, BTreeSet};
use trace::note;

/// `MaxPodCreateDeletePerSync`.
const MAX_PER_SYNC: usize = 500;
const FAILURES: &str = "batch.kubernetes.io/job-index-failure-count";
const IGNORED_FAILURES: &str = "batch.kubernetes.io/job-index-ignored-failure-count";
const INDEX_ENV: &str = "JOB_COMPLETION_INDEX";
/// `MaxGeneratedNameLength`.
const MAX_PREFIX: usize = 58;

/// How often the index of this pod had failed before it: counted, and ignored.
pub fn failures_of(pod: &Pod) -> (i32, i32) {
    let n = |key: &str| pod.metadata.annotations.as_ref().and_then(|a| a.get(key)?.parse().ok()).unwrap_or(0);
    (n(FAILURES), n(IGNORED_FAILURES))
}

impl<'a> Sync<'a> {
    pub fn delete(&self, p: &Pod) -> Intent {
        let name = p.metadata.name.as_deref().unwrap_or("");
        Intent::delete(p).on_success(self.job, "SuccessfulDelete", format!("Deleted pod: {name}")).on_failure(
            self.job,
            "FailedDelete",
            "Error deleting: {error}",
        )
    }

    /// How many pods are active afterwards.
    pub fn manage(&mut self) -> i32 {
        let active = self.active.len();
        if is_suspended(self.spec) {
            return self.remove(active);
        }
        let parallelism = self.spec.parallelism.unwrap_or(1);
        let want = match self.spec.completions {
            // Once one has succeeded, the others may end, but none is added.
            None if self.succeeded > 0 => count(active),
            None => parallelism,
            Some(n) => (n - self.succeeded).min(parallelism).max(0),
        };
        let want = usize::try_from(want).unwrap_or(0);
        let removed = self.remove(active.saturating_sub(want));
        if removed != count(active) {
            return removed;
        }
        let terminating = if replaces_failed_only(self.spec) { self.terminating } else { 0 };
        let missing = want.saturating_sub(active + usize::try_from(terminating).unwrap_or(0)).min(MAX_PER_SYNC);
        if missing == 0 {
            return count(active);
        }
        if self.spec.backoff_limit_per_index.is_none() && self.waits(self.backoff.remaining(self.cx.now)) {
            return count(active);
        }
        let created = if is_indexed(self.spec) {
            let Some(indexes) = self.indexes_to_create(missing) else { return count(active) };
            for i in &indexes {
                self.create(Some(*i));
            }
            indexes.len()
        } else {
            for _ in 0..missing {
                self.create(None);
            }
            missing
        };
        self.note(|job| note!("job.scale-up", name = job, from = active, to = want, create = created));
        // After a refusal the status goes first, and must not count what may be refused again.
        count(if self.refused { active } else { active + created })
    }

    fn waits(&mut self, remaining: Duration) -> bool {
        if remaining == Duration::ZERO {
            return false;
        }
        self.note(|job| note!("job.backoff", name = job, seconds = remaining.as_secs()));
        self.out.requeue(remaining.max(super::BATCH));
        true
    }

    /// `None`: all of them have to wait.
    fn indexes_to_create(&mut self, missing: usize) -> Option<Vec<i32>> {
        let mut taken = self.succeeded_indexes.with(&indexes::of_all(self.active.iter().copied()));
        if replaces_failed_only(self.spec) {
            let terminating = self.pods.iter().copied().filter(|p| pods::is_terminating(p));
            taken = taken.with(&indexes::of_all(terminating));
        }
        if let Some(failed) = &self.failed_indexes {
            taken = taken.merge(failed);
        }
        let pending = taken.first_missing(missing, self.spec.completions.unwrap_or(0));
        if self.spec.backoff_limit_per_index.is_none() {
            return Some(pending);
        }
        let now = self.cx.now;
        let wait = |i: &i32| {
            let Some(last) = self.delayed.get(i) else { return Duration::ZERO };
            let (counted, ignored) = failures_of(last);
            let failures = u32::try_from(counted + ignored + 1).unwrap_or(0);
            backoff::remaining(failures, backoff::finished_at(last), now)
        };
        let ready: Vec<i32> = pending.iter().copied().filter(|i| wait(i) == Duration::ZERO).collect();
        let shortest = pending.iter().map(wait).filter(|w| *w > Duration::ZERO).min();
        if ready.is_empty() && self.waits(shortest.unwrap_or(Duration::ZERO)) { None } else { Some(ready) }
    }

    /// At least `n` of the active pods, and those whose index is wrong or there twice. Models `activePodsForRemoval`.
    fn remove(&mut self, n: usize) -> i32 {
        let active = self.active.clone();
        let worst_first = |pods: &[&'a Pod], n: usize| {
            ranking::pods_to_delete(pods, &[], n, self.cx.now).into_iter().map(|(p, _)| p).collect::<Vec<&Pod>>()
        };
        let mut doomed: Vec<&Pod> = Vec::new();
        let mut rest = active.clone();
        if is_indexed(self.spec) {
            let mut by_index: BTreeMap<Option<i32>, Vec<&Pod>> = BTreeMap::new();
            let completions = self.spec.completions.unwrap_or(0);
            for p in &active {
                by_index.entry(indexes::of(p).filter(|i| *i < completions)).or_default().push(p);
            }
            rest.clear();
            for (i, pods) in by_index {
                let keep = usize::from(i.is_some());
                let gone = worst_first(&pods, pods.len() - keep);
                rest.extend(pods.iter().filter(|p| !gone.iter().any(|g| std::ptr::eq(*g, **p))));
                doomed.extend(gone);
            }
        }
        let more = n.saturating_sub(doomed.len());
        doomed.extend(worst_first(&rest, more));
        // A suspended Job loses all its pods at once.
        if !is_suspended(self.spec) {
            doomed.truncate(MAX_PER_SYNC);
        }
        if !doomed.is_empty() {
            let n = doomed.len();
            self.note(|job| note!("job.scale-down", name = job, from = active.len(), delete = n));
        }
        for p in &doomed {
            if super::is_tracked(p) {
                self.manage.push(untrack(p));
            }
            let delete = self.delete(p);
            self.manage.push(delete);
            self.terminating += 1;
            self.ready -= i32::from(pods::is_ready(p));
        }
        count(active.len() - doomed.len())
    }

    fn create(&mut self, index: Option<i32>) {
        let template = self.spec.template.clone();
        let m = template.metadata.unwrap_or_default();
        let job_name = self.job.metadata.name.as_deref().unwrap_or("");
        let mut pod = Pod {
            metadata: ObjectMeta {
                namespace: self.job.metadata.namespace.clone(),
                generate_name: Some(format!("{job_name}-")),
                labels: m.labels,
                annotations: m.annotations,
                finalizers: m.finalizers,
                owner_references: Some(vec![controller_reference(self.job)]),
                ..Default::default()
            },
            spec: template.spec,
            status: None,
        };
        let finalizers = pod.metadata.finalizers.get_or_insert_default();
        if !finalizers.iter().any(|f| f == FINALIZER) {
            finalizers.push(FINALIZER.into());
        }
        if let Some(i) = index {
            self.give_index(&mut pod, job_name, i);
        }
        let create = Intent::create(pod).on_success(self.job, "SuccessfulCreate", "Created pod: {name}").on_failure(
            self.job,
            "FailedCreate",
            "Error creating: {error}",
        );
        self.manage.push(create);
    }

    /// What tells a pod, and others, which index it works on.
    fn give_index(&self, pod: &mut Pod, job_name: &str, i: i32) {
        let suffix = format!("-{i}-");
        let mut prefix = job_name.to_string();
        prefix.truncate(MAX_PREFIX.saturating_sub(suffix.len()));
        pod.metadata.generate_name = Some(prefix + &suffix);
        pod.metadata.labels.get_or_insert_default().insert(INDEX.into(), i.to_string());
        let annotations = pod.metadata.annotations.get_or_insert_default();
        annotations.insert(INDEX.into(), i.to_string());
        if self.spec.backoff_limit_per_index.is_some() {
            let (mut counted, mut ignored) = (0, 0);
            if let Some(last) = self.delayed.get(&i) {
                (counted, ignored) = failures_of(last);
                let counts = verdict(self.spec.pod_failure_policy.as_ref(), last).counts();
                *if counts { &mut counted } else { &mut ignored } += 1;
            }
            annotations.insert(FAILURES.into(), counted.to_string());
            if ignored > 0 {
                annotations.insert(IGNORED_FAILURES.into(), ignored.to_string());
            }
        }
        let Some(spec) = &mut pod.spec else { return };
        spec.hostname = Some(format!("{job_name}-{i}"));
        for c in spec.init_containers.iter_mut().flatten().chain(&mut spec.containers) {
            add_index_env(c);
        }
    }

    /// Pods that are to be counted, lowest index first.
    pub fn in_order(&self) -> Vec<&'a Pod> {
        let mut pods = self.pods.clone();
        if is_indexed(self.spec) {
            pods.sort_by_key(|p| indexes::of(p));
        }
        pods
    }

    /// Models `canRemoveFinalizer`.
    pub fn can_untrack(&self, p: &Pod) -> bool {
        if self.job.metadata.deletion_timestamp.is_some() || self.finished.is_some() || pods::phase(p) == "Succeeded" {
            return true;
        }
        let waited_for = indexes::of(p).and_then(|i| self.delayed.get(&i));
        is_failed(self.spec, p) && waited_for.is_none_or(|w| w.metadata.uid != p.metadata.uid)
    }

    /// UIDs of pods that have yet to be counted.
    pub fn tracked_uids(&self) -> BTreeSet<&'a str> {
        self.pods.iter().filter(|p| super::is_tracked(p)).map(|p| super::sync::uid(p)).collect()
    }
}

/// Models `addCompletionIndexEnvVariable`.
fn add_index_env(c: &mut Container) {
    let env = c.env.get_or_insert_default();
    if env.iter().any(|e| e.name == INDEX_ENV) {
        return;
    }
    let field = ObjectFieldSelector { field_path: format!("metadata.labels['{INDEX}']"), ..Default::default() };
    let value_from = Some(EnvVarSource { field_ref: Some(field), ..Default::default() });
    env.push(EnvVar { name: INDEX_ENV.into(), value_from, ..Default::default() });
}
