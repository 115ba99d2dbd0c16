//! deployment-controller: rolls a pod template out over ReplicaSets. Models `pkg/controller/deployment`.

mod replica_sets;
mod rollout;
mod scale;
mod status;
#[cfg(test)]
mod tests;
mod util;
pub(crate) use util::scaled;

use crate::owner::{self, claim, controllers_concerned};
use crate::{pods, replicaset};
use api::Registered;
use api::object::controller_of;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentStatus, ReplicaSet};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use meta::labels::Selector;
use meta::{Key, Time};
use reconcile::intent::is_namespace_terminating;
use reconcile::{Change, Controller, Cx, EventType, Intent, Outcome, Reply, Watch};
use std::collections::BTreeMap;
use trace::{Note, note};
use util::{PROGRESSING, condition, new_condition, set_condition};

#[derive(Clone, Default)]
pub struct DeploymentController {
    /// What creating the new ReplicaSet was refused with: it goes into the status.
    refused: BTreeMap<Key, String>,
    /// Which intent of the sync under way creates a ReplicaSet.
    creating: Option<usize>,
}

/// One sync of one Deployment: working copies, and what has been decided so far.
struct Sync<'a> {
    cx: &'a Cx<'a>,
    /// As read.
    original: &'a Deployment,
    /// With the conditions and annotations that this sync has changed.
    d: Deployment,
    /// The ReplicaSet of the current template, if there is one.
    new: Option<ReplicaSet>,
    /// All others, oldest first.
    old: Vec<ReplicaSet>,
    out: Outcome,
    refused: Option<String>,
    creating: Option<usize>,
}

fn name(m: &ObjectMeta) -> &str {
    m.name.as_deref().unwrap_or("")
}

fn created(m: &ObjectMeta) -> Time {
    m.creation_timestamp.as_ref().map_or(Time(0), Time::from_k8s)
}

fn selector(d: &Deployment) -> Selector {
    d.spec.as_ref().map_or(Selector::Nothing, |s| Selector::from_api(Some(&s.selector)).unwrap_or(Selector::Nothing))
}

fn replica_set_changed(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let (old, new) = (change.old.as_deref(), change.new.as_deref());
    controllers_concerned::<Deployment>(cx.view, old, new, selector, keys);
}

/// Recreate waits for the last old pod to go. Models `deletePod`.
fn pod_deleted(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let (None, Some(pod)) = (&change.new, &change.old) else { return };
    let Some(rs) = owner::controller_key::<ReplicaSet>(cx.view, pod.meta()) else { return };
    let Some(rs) = cx.view.get::<ReplicaSet>(&rs) else { return };
    let Some(key) = owner::controller_key::<Deployment>(cx.view, &rs.metadata) else { return };
    if cx.view.get::<Deployment>(&key).is_some_and(util::is_recreate) {
        keys.push(key);
    }
}

impl Controller for DeploymentController {
    const NAME: &'static str = "deployment-controller";

    fn watches() -> Vec<Watch> {
        vec![
            owner::watch_self(Deployment::KIND_REF),
            Watch { kind: ReplicaSet::KIND_REF, keys: replica_set_changed },
            Watch { kind: Pod::KIND_REF, keys: pod_deleted },
        ]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        self.creating = None;
        let Some(d) = cx.view.get::<Deployment>(key) else {
            self.refused.remove(key);
            return Outcome::done();
        };
        let mut sync = Sync::new(cx, d, self.refused.get(key).cloned());
        sync.run();
        self.creating = sync.creating;
        sync.out
    }

    fn settled(&mut self, _cx: &Cx, key: &Key, replies: &[Reply]) {
        let Some(at) = self.creating.take() else { return };
        match replies.get(at) {
            Some(Err(e)) if !e.is_already_exists() && !is_namespace_terminating(e) => {
                self.refused.insert(key.clone(), e.message().to_string());
            }
            Some(Ok(_)) => {
                self.refused.remove(key);
            }
            _ => {}
        }
    }
}

impl<'a> Sync<'a> {
    fn new(cx: &'a Cx<'a>, d: &'a Deployment, refused: Option<String>) -> Self {
        let (out, d2) = (Outcome::done(), d.clone());
        Sync { cx, original: d, d: d2, new: None, old: Vec::new(), out, refused, creating: None }
    }

    /// Models `syncDeployment`.
    fn run(&mut self) {
        if self.d.spec.as_ref().is_some_and(|s| s.selector == LabelSelector::default()) {
            let message = "This deployment is selecting all pods. A non-empty selector is required.";
            self.out.push(Intent::event(self.original, EventType::Warning, "SelectingAll", message));
            let mut status = self.d.status.clone().unwrap_or_default();
            status.observed_generation = self.d.metadata.generation;
            return self.write_status(status);
        }
        self.find_replica_sets();
        if self.d.metadata.deletion_timestamp.is_some() {
            return self.sync_status();
        }
        self.check_paused_condition();
        if util::is_paused(&self.d) {
            self.note(|d| note!("deployment.paused", name = d));
            return self.sync_scale();
        }
        if self.is_scaling_event() {
            return self.sync_scale();
        }
        if util::is_recreate(&self.d) { self.roll_out_recreate() } else { self.roll_out_rolling() }
    }

    fn find_replica_sets(&mut self) {
        let claim = claim::<ReplicaSet>(self.cx.view, self.original, &selector(&self.d), |_| true);
        for i in claim.intents(self.original) {
            self.out.push(i);
        }
        let mut sets: Vec<ReplicaSet> = claim.claimed().into_iter().cloned().collect();
        sets.sort_by(|a, b| {
            created(&a.metadata).cmp(&created(&b.metadata)).then_with(|| a.metadata.name.cmp(&b.metadata.name))
        });
        let template = self.d.spec.as_ref().map(|s| &s.template);
        let is_new = |rs: &ReplicaSet| {
            let of_rs = rs.spec.as_ref().and_then(|s| s.template.as_ref());
            of_rs.zip(template).is_some_and(|(a, b)| util::same_template(a, b))
        };
        // The oldest wins when several match.
        self.new = sets.iter().position(is_new).map(|i| sets.remove(i));
        self.old = sets;
    }

    /// Old and new, the new one last.
    fn all(&self) -> Vec<ReplicaSet> {
        self.old.iter().chain(&self.new).cloned().collect()
    }

    fn note(&mut self, make: impl FnOnce(&str) -> Note) {
        if self.cx.recording {
            let n = make(name(&self.original.metadata));
            self.out.note(n);
        }
    }

    /// So that a pause does not count as lack of progress. Models `checkPausedConditions`.
    fn check_paused_condition(&mut self) {
        let status = self.d.status.get_or_insert_default();
        let reason = util::reason(condition(status, PROGRESSING)).to_string();
        let deadline = self.d.spec.as_ref().and_then(|s| s.progress_deadline_seconds);
        if deadline.is_none() || reason == status::TIMED_OUT {
            return;
        }
        let (now, was_paused) = (self.cx.now, reason == "DeploymentPaused");
        let paused = self.d.spec.as_ref().and_then(|s| s.paused) == Some(true);
        if paused && !was_paused {
            let c = new_condition(PROGRESSING, "Unknown", "DeploymentPaused", "Deployment is paused".into(), now);
            set_condition(status, c);
        } else if !paused && was_paused {
            let c = new_condition(PROGRESSING, "Unknown", "DeploymentResumed", "Deployment is resumed".into(), now);
            set_condition(status, c);
        }
    }

    /// One write for everything this sync changed: status, conditions, the revision annotation.
    fn write_status(&mut self, status: DeploymentStatus) {
        self.d.status = Some(status);
        if self.d.status != self.original.status || self.d.metadata.annotations != self.original.metadata.annotations {
            self.out.push(Intent::update_status(self.d.clone()));
        }
    }

    /// Recreate: whether pods of other templates still run. Models `oldPodsRunning`.
    fn old_pods_running(&self) -> bool {
        if util::total(&self.old, util::actual) > 0 {
            return true;
        }
        self.old.iter().any(|rs| {
            let mut of_rs = self.cx.view.controlled_by::<Pod>(rs.metadata.uid.as_deref().unwrap_or(""));
            of_rs.any(|p| !pods::is_terminal(p))
        })
    }
}

fn is_active(rs: &ReplicaSet) -> bool {
    replicaset::replicas(rs) > 0
}

fn owned_by(rs: &ReplicaSet, d: &Deployment) -> bool {
    controller_of(&rs.metadata).is_some_and(|r| Some(&r.uid) == d.metadata.uid.as_ref())
}
