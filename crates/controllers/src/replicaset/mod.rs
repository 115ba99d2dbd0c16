//! replicaset-controller: as many pods as the ReplicaSet asks for. Models `pkg/controller/replicaset`.

pub(crate) mod ranking;
mod status;
#[cfg(test)]
mod tests;

use crate::owner::{self, claim, controller_reference, controllers_concerned, count};
use crate::pods;
use api::{Object, ObjectExt, Registered};
use k8s_openapi::api::apps::v1::{ReplicaSet, ReplicaSetStatus};
use k8s_openapi::api::core::v1::{Pod, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::Key;
use meta::labels::Selector;
use reconcile::intent::is_namespace_terminating;
use reconcile::{Change, Controller, Cx, Intent, Outcome, Reply, Watch};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use trace::note;

/// At most so many pods are created or deleted in one sync (`BurstReplicas`).
const BURST_REPLICAS: usize = 500;

/// What asks for a number of equal pods. A ReplicationController is an older form of a ReplicaSet, so one controller
/// serves both, as upstream's does.
pub trait Replicated: Registered {
    const CONTROLLER: &'static str;
    /// Whether the status tells how many pods are on their way out.
    const COUNTS_TERMINATING: bool;
    fn selector(&self) -> Selector;
    fn replicas(&self) -> i32;
    fn min_ready_seconds(&self) -> i32;
    fn template(&self) -> Option<&PodTemplateSpec>;
    /// As a ReplicaSet's.
    fn status(&self) -> Option<Cow<'_, ReplicaSetStatus>>;
    fn set_status(&mut self, status: ReplicaSetStatus);
}

impl Replicated for ReplicaSet {
    const CONTROLLER: &'static str = "replicaset-controller";
    const COUNTS_TERMINATING: bool = true;

    fn selector(&self) -> Selector {
        let selector = self.spec.as_ref().map(|s| &s.selector);
        selector.map_or(Selector::Nothing, |s| Selector::from_api(Some(s)).unwrap_or(Selector::Nothing))
    }
    fn replicas(&self) -> i32 {
        replicas(self)
    }
    fn min_ready_seconds(&self) -> i32 {
        self.spec.as_ref().and_then(|s| s.min_ready_seconds).unwrap_or(0)
    }
    fn template(&self) -> Option<&PodTemplateSpec> {
        self.spec.as_ref()?.template.as_ref()
    }
    fn status(&self) -> Option<Cow<'_, ReplicaSetStatus>> {
        self.status.as_ref().map(Cow::Borrowed)
    }
    fn set_status(&mut self, status: ReplicaSetStatus) {
        self.status = Some(status);
    }
}

pub(crate) fn replicas(rs: &ReplicaSet) -> i32 {
    rs.spec.as_ref().and_then(|s| s.replicas).unwrap_or(1)
}

pub type ReplicaSetController = Replicas<ReplicaSet>;

#[derive(Clone, Default)]
pub struct Replicas<R> {
    /// What the last attempt to create or delete pods was refused with: it goes into the status.
    refused: BTreeMap<Key, String>,
    /// How many intents of the sync under way create or delete pods, and how many stand before them.
    managing: Option<(usize, usize)>,
    of: PhantomData<fn() -> R>,
}

fn pod_changed<R: Replicated>(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let (old, new) = (change.old.as_deref(), change.new.as_deref());
    controllers_concerned::<R>(cx.view, old, new, R::selector, keys);
}

impl<R: Replicated> Controller for Replicas<R> {
    const NAME: &'static str = R::CONTROLLER;

    fn watches() -> Vec<Watch> {
        vec![owner::watch_self(R::KIND_REF), Watch { kind: Pod::KIND_REF, keys: pod_changed::<R> }]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        self.managing = None;
        let Some(rs) = cx.view.get::<R>(key) else {
            self.refused.remove(key);
            return Outcome::done();
        };
        let mut out = Outcome::done();
        let selector = rs.selector();
        let claim = claim::<Pod>(cx.view, rs, &selector, pods::is_active);
        if cx.recording {
            for p in &claim.adopt {
                out.note(note!("replicaset.adopt", pod = name(&p.metadata)));
            }
            for p in &claim.release {
                out.note(note!("replicaset.release", pod = name(&p.metadata)));
            }
        }
        for i in claim.intents(rs) {
            out.push(i);
        }
        let active = claim.claimed();
        out.looked_at(active.len());
        let object: &dyn Object = rs;
        let uid = object.uid();
        // The rare answer is asked for first.
        let terminating = cx.view.dependents(uid).filter(|o| {
            o.is_terminating()
                && o.controller_ref().is_some_and(|r| r.uid == uid)
                && o.downcast().is_some_and(pods::is_terminating)
                && selector.matches(o.meta().labels.as_ref())
        });
        let refused = self.refused.get(key).map(String::as_str);
        let terminating = R::COUNTS_TERMINATING.then(|| count(terminating.count()));
        let new_status = status::calculate(rs, &active, terminating, refused, cx.now);
        let write_status = status::differs(rs, &new_status).then(|| {
            let mut rs = rs.clone();
            rs.set_status(new_status);
            Intent::update_status(rs)
        });
        // A refused write stops what stands behind it, so the status that tells of a refusal goes first.
        let (before, after) = if refused.is_some() { (write_status, None) } else { (None, write_status) };
        out.intents.extend(before);
        let first = out.intents.len();
        if !object.is_terminating() {
            manage_replicas(cx, rs, &active, &mut out);
        }
        self.managing = Some((first, out.intents.len() - first));
        out.intents.extend(after);
        let settle = rs.min_ready_seconds();
        for p in active.iter().filter(|_| settle > 0) {
            if let Some(wait) = pods::availability_in(p, settle, cx.now) {
                out.requeue(wait);
            }
        }
        out
    }

    fn settled(&mut self, _cx: &Cx, key: &Key, replies: &[Reply]) {
        let Some((first, n)) = self.managing.take() else { return };
        match replies.last() {
            Some(Err(e)) if replies.len() > first && replies.len() <= first + n && !is_namespace_terminating(e) => {
                self.refused.insert(key.clone(), e.message().to_string());
            }
            Some(Err(_)) => {}
            _ => {
                self.refused.remove(key);
            }
        }
    }
}

fn name(m: &ObjectMeta) -> &str {
    m.name.as_deref().unwrap_or("")
}

/// Models `manageReplicas`.
fn manage_replicas<R: Replicated>(cx: &Cx, rs: &R, active: &[&Pod], out: &mut Outcome) {
    let want = usize::try_from(rs.replicas()).unwrap_or(0);
    let have = active.len();
    if have < want {
        let missing = (want - have).min(BURST_REPLICAS);
        if cx.recording {
            out.note(note!(
                "replicaset.scale-up",
                name = name(rs.metadata()),
                from = have,
                to = want,
                create = missing
            ));
        }
        for _ in 0..missing {
            out.push(create_pod(rs));
        }
    } else if have > want {
        let surplus = (have - want).min(BURST_REPLICAS);
        let related = related_pods(cx, rs);
        let doomed = ranking::pods_to_delete(active, &related, surplus, cx.now);
        if cx.recording {
            out.note(note!(
                "replicaset.scale-down",
                name = name(rs.metadata()),
                from = have,
                to = want,
                delete = surplus
            ));
            for (p, why) in &doomed {
                out.note(note!("replicaset.delete-choice", pod = name(&p.metadata), rule = why));
            }
        }
        for (p, _) in doomed {
            let delete = Intent::delete(p)
                .on_success(rs, "SuccessfulDelete", format!("Deleted pod: {}", name(&p.metadata)))
                .on_failure(rs, "FailedDelete", "Error deleting: {error}");
            out.push(delete);
        }
    }
}

/// Models `GetPodFromTemplate`.
fn create_pod<R: Replicated>(rs: &R) -> Intent {
    let template = rs.template().cloned().unwrap_or_default();
    let m = template.metadata.unwrap_or_default();
    let pod = Pod {
        metadata: ObjectMeta {
            namespace: rs.metadata().namespace.clone(),
            generate_name: Some(format!("{}-", name(rs.metadata()))),
            labels: m.labels,
            annotations: m.annotations,
            finalizers: m.finalizers,
            owner_references: Some(vec![controller_reference(rs)]),
            ..Default::default()
        },
        spec: template.spec,
        status: None,
    };
    Intent::create(pod).on_success(rs, "SuccessfulCreate", "Created pod: {name}").on_failure(
        rs,
        "FailedCreate",
        "Error creating: {error}",
    )
}

/// Active pods of everything of the kind with the same controller as this one: how crowded a node is counts over the
/// whole Deployment. Models `getIndirectlyRelatedPods`.
fn related_pods<'a, R: Replicated>(cx: &Cx<'a>, rs: &'a R) -> Vec<&'a Pod> {
    let mut siblings: Vec<&R> = match (rs as &dyn Object).controller_ref() {
        Some(r) => cx.view.controlled_by::<R>(&r.uid).collect(),
        None => vec![rs],
    };
    siblings.retain(|s| s.metadata().namespace == rs.metadata().namespace);
    let mut related = Vec::new();
    for s in siblings {
        let selector = s.selector();
        let of_sibling = cx.view.controlled_by::<Pod>((s as &dyn Object).uid());
        related.extend(of_sibling.filter(|p| pods::is_active(p) && selector.matches(p.metadata.labels.as_ref())));
    }
    related
}
