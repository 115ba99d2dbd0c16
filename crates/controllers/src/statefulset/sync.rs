//! One sync of one StatefulSet. Models `pkg/controller/statefulset/stateful_set_control.go` and
//! `stateful_pod_control.go`.

use super::identity::{
    self, in_range, is_created, is_running_and_available, is_running_and_ready, is_unavailable, ordinal,
};
use super::{claims, status};
use crate::history::{self, name, revision_of};
use crate::owner::{self, claim};
use crate::pods;
use k8s_openapi::api::apps::v1::{RollingUpdateStatefulSetStrategy, StatefulSet};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, PodTemplateSpec};
use meta::Duration;
use meta::labels::Selector;
use reconcile::{Cx, EventType, Intent, Outcome, Tolerate};
use trace::{Note, note};

/// How often upstream looks at every set even when nothing changed (`statefulSetResyncPeriod`).
const RESYNC: Duration = Duration::from_secs(30);

struct Sync<'a> {
    cx: &'a Cx<'a>,
    set: &'a StatefulSet,
    out: Outcome,
    /// OrderedReady: one after the other.
    monotonic: bool,
    /// One for each ordinal in range; those not yet created have no phase.
    replicas: Vec<Pod>,
    /// Out of range, highest first.
    condemned: Vec<Pod>,
    update_revision: String,
    /// Pods of the current revision that this sync deletes.
    replaced: i32,
}

pub fn sync(cx: &Cx, set: &StatefulSet, selector: &Selector, refused: bool) -> Outcome {
    let mut out = Outcome::done();
    let no_template = PodTemplateSpec::default();
    let template = set.spec.as_ref().map_or(&no_template, |s| &s.template);
    let revisions = history::list(cx, set, selector, &mut out);
    let claim = claim::<Pod>(cx.view, set, selector, |p| identity::is_member(set, p));
    for i in claim.intents(set) {
        out.push(i);
    }
    let members = claim.claimed();
    out.looked_at(members.len());
    let collisions = set.status.as_ref().and_then(|s| s.collision_count).unwrap_or(0);
    let history = history::sync(cx, set, template, revisions, collisions, history::HASH_LABEL, &mut out);
    let update = name(&history.update.metadata).to_string();
    let named = set.status.as_ref().and_then(|s| s.current_revision.as_deref()).unwrap_or("");
    let current = history.revisions.iter().find(|r| name(&r.metadata) == named);
    let current_name = current.map_or(update.as_str(), |r| name(&r.metadata)).to_string();
    let current_template = current.and_then(history::template_of);

    let mut replicas: Vec<Option<Pod>> = vec![None; usize::try_from(identity::replicas(set)).unwrap_or(0)];
    let mut condemned: Vec<Pod> = Vec::new();
    let start = identity::start_ordinal(set);
    for p in &members {
        let Some(n) = ordinal(p) else { continue };
        match usize::try_from(n - start).ok().filter(|_| in_range(set, n)) {
            Some(i) => replicas[i] = Some((*p).clone()),
            None => condemned.push((*p).clone()),
        }
    }
    condemned.sort_by_key(|p| std::cmp::Reverse(ordinal(p)));
    let make = |i: usize| {
        let n = start + i32::try_from(i).unwrap_or(0);
        if needs_current(set, &update, n) {
            identity::new_pod(set, current_template.as_ref().unwrap_or(template), &current_name, n)
        } else {
            identity::new_pod(set, template, &update, n)
        }
    };
    let replicas = replicas.into_iter().enumerate().map(|(i, p)| p.unwrap_or_else(|| make(i))).collect();
    let policy = set.spec.as_ref().and_then(|s| s.pod_management_policy.as_deref());
    let monotonic = policy != Some("Parallel");
    let counts = status::Counts::of(set, members.iter().copied(), &current_name, &update, cx.now);
    let mut s = Sync { cx, set, out, monotonic, replicas, condemned, update_revision: update, replaced: 0 };
    let before = s.out.intents.len();
    if set.metadata.deletion_timestamp.is_none() {
        s.run();
    }
    let counts = status::Counts { current: counts.current - s.replaced, ..counts };
    if let Some(new) = status::changed(set, counts, &current_name, &s.update_revision, history.collisions) {
        let mut with_status = set.clone();
        with_status.status = Some(new);
        // A refused write stops what stands behind it: after a refusal the status goes first.
        let at = if refused { before } else { s.out.intents.len() };
        s.out.intents.insert(at, Intent::update_status(with_status));
    }
    let live = |name: &str| {
        name == current_name || name == s.update_revision || members.iter().any(|p| revision_of(&p.metadata) == name)
    };
    let limit = set.spec.as_ref().and_then(|s| s.revision_history_limit).unwrap_or(10);
    history::truncate(&history.revisions, |r| live(name(&r.metadata)), limit, &mut s.out);
    for p in members.iter().filter(|_| identity::min_ready_seconds(set) > 0) {
        if let Some(wait) = pods::availability_in(p, identity::min_ready_seconds(set), cx.now) {
            s.out.requeue(wait);
        }
    }
    s.out
}

fn rolling(set: &StatefulSet) -> Option<&RollingUpdateStatefulSetStrategy> {
    set.spec.as_ref()?.update_strategy.as_ref()?.rolling_update.as_ref()
}

/// Whether the pod with this ordinal keeps the current revision while another is rolled out. Models
/// `isCurrentRevisionNeeded`.
fn needs_current(set: &StatefulSet, update: &str, ordinal: i32) -> bool {
    let strategy = set.spec.as_ref().and_then(|s| s.update_strategy.as_ref()?.type_.as_deref());
    let status = set.status.as_ref();
    if strategy != Some("RollingUpdate") || status.and_then(|s| s.current_revision.as_deref()) == Some(update) {
        return false;
    }
    let below = match rolling(set) {
        None => status.and_then(|s| s.current_replicas).unwrap_or(0),
        Some(r) => r.partition.unwrap_or(0),
    };
    ordinal < identity::start_ordinal(set).saturating_add(below)
}

impl Sync<'_> {
    /// Models `updateStatefulSet`.
    fn run(&mut self) {
        for i in 0..self.replicas.len() {
            if self.process_replica(i) && self.monotonic {
                return;
            }
        }
        let condemned = self.condemned.clone();
        for p in &condemned {
            self.fix_claims(p);
        }
        let unavailable = |p: &&Pod| is_unavailable(self.set, p, self.cx.now);
        let first_unavailable =
            self.replicas.iter().chain(condemned.iter().rev()).find(unavailable).map(|p| p.metadata.uid.clone());
        for p in &condemned {
            if self.process_condemned(p, first_unavailable.as_ref()) && self.monotonic {
                return;
            }
        }
        let strategy = self.set.spec.as_ref().and_then(|s| s.update_strategy.as_ref()?.type_.as_deref());
        if strategy != Some("OnDelete") {
            self.roll();
        }
    }

    fn note(&mut self, make: impl FnOnce(&str) -> Note) {
        if self.cx.recording {
            let n = make(name(&self.set.metadata));
            self.out.note(n);
        }
    }

    fn announced(&self, intent: Intent, verb: &str, pod: &str) -> Intent {
        let (success, failure) = match verb {
            "create" => ("SuccessfulCreate", "FailedCreate"),
            "update" => ("SuccessfulUpdate", "FailedUpdate"),
            _ => ("SuccessfulDelete", "FailedDelete"),
        };
        let set = name(&self.set.metadata);
        intent.on_success(self.set, success, format!("{verb} Pod {pod} in StatefulSet {set} successful")).on_failure(
            self.set,
            failure,
            format!("{verb} Pod {pod} in StatefulSet {set} failed error: {{error}}"),
        )
    }

    fn delete(&mut self, p: &Pod) {
        let intent = self.announced(Intent::delete(p).tolerate(Tolerate::NotFound), "delete", name(&p.metadata));
        self.out.push(intent);
    }

    /// True: an ordered set goes no further in this sync. Models `processReplica`.
    fn process_replica(&mut self, i: usize) -> bool {
        let pod = self.replicas[i].clone();
        let pod_name = name(&pod.metadata).to_string();
        let terminating = pod.metadata.deletion_timestamp.is_some();
        if pods::is_terminal(&pod) {
            if !terminating {
                self.note(|n| note!("statefulset.replace", name = n, pod = pod_name, phase = pods::phase(&pod)));
                self.delete(&pod);
            }
            // The new pod comes once this one is gone.
            return true;
        }
        if !is_created(&pod) && pod.metadata.uid.is_none() {
            if claims::is_stale(self.cx.view, self.set, &pod) {
                self.out.requeue(RESYNC);
                return true;
            }
            self.create(pod);
            if self.monotonic {
                return true;
            }
        } else if pods::phase(&pod) == "Pending" {
            self.create_claims(&pod);
            self.fix_claims(&pod);
        }
        let pod = self.replicas[i].clone();
        if self.monotonic {
            if terminating {
                self.note(|n| note!("statefulset.waits-for-end", name = n, pod = pod_name));
                return true;
            }
            if !is_running_and_ready(&pod) {
                self.note(|n| note!("statefulset.waits-for-ready", name = n, pod = pod_name));
                return true;
            }
            if !is_running_and_available(self.set, &pod, self.cx.now) {
                self.note(|n| note!("statefulset.waits-for-available", name = n, pod = pod_name));
                return true;
            }
        }
        self.keep_invariants(&pod);
        false
    }

    fn create(&mut self, pod: Pod) {
        self.create_claims(&pod);
        let pod_name = name(&pod.metadata).to_string();
        self.note(|n| {
            note!("statefulset.create", name = n, pod = pod_name.as_str(), revision = revision_of(&pod.metadata))
        });
        let taken = self.cx.view.get::<Pod>(&owner::key_of(&pod.metadata)).is_some();
        let create = Intent::create(pod);
        // Nobody is told of a pod of that name that is somebody else's.
        let create = if taken { create } else { self.announced(create, "create", &pod_name) };
        self.out.push(create);
    }

    /// Models `createPersistentVolumeClaims`.
    fn create_claims(&mut self, pod: &Pod) {
        let Some(n) = ordinal(pod) else { return };
        let (pod, set) = (name(&pod.metadata), name(&self.set.metadata));
        for c in identity::claims(self.set, n) {
            if self.cx.view.get::<PersistentVolumeClaim>(&owner::key_of(&c.metadata)).is_some() {
                continue;
            }
            let claim = name(&c.metadata).to_string();
            let create = Intent::create(c)
                .on_success(
                    self.set,
                    "SuccessfulCreate",
                    format!("create Claim {claim} Pod {pod} in StatefulSet {set} success"),
                )
                .on_failure(
                    self.set,
                    "FailedCreate",
                    format!("create Claim {claim} for Pod {pod} in StatefulSet {set} failed error: {{error}}"),
                );
            self.out.push(create.tolerate(Tolerate::AlreadyExists));
        }
    }

    /// Brings the owners of a pod's claims in line with the retention policy. True if there was something to do.
    /// Models `UpdatePodClaimForRetentionPolicy`.
    fn fix_claims(&mut self, pod: &Pod) -> bool {
        let mut fixed = false;
        for c in claims::existing(self.cx.view, self.set, pod) {
            let Some(owners) = claims::owners_to_set(self.set, pod, c) else { continue };
            if claims::has_other_controller(self.set, pod, c) {
                let message = format!(
                    "PersistentVolumeClaim {} has a conflicting OwnerReference that acts as a manging controller, the \
                     retention policy is ignored for this claim",
                    name(&c.metadata)
                );
                self.out.push(Intent::event(self.set, EventType::Warning, "ConflictingController", message));
            }
            let mut claim = c.clone();
            claim.metadata.owner_references = (!owners.is_empty()).then_some(owners);
            self.out.push(Intent::update(claim));
            fixed = true;
        }
        fixed
    }

    /// Models what `UpdateStatefulPod` does for a pod that has lost its identity or storage.
    fn keep_invariants(&mut self, pod: &Pod) {
        let (Some(n), Some(_)) = (ordinal(pod), &pod.metadata.uid) else { return };
        let (identity, storage) = (identity::identity_matches(self.set, pod), identity::storage_matches(self.set, pod));
        let mut fixed = pod.clone();
        if !identity {
            identity::update_identity(self.set, &mut fixed, n);
        }
        if !storage {
            identity::update_storage(self.set, &mut fixed, n);
            self.create_claims(pod);
        }
        let claims = self.fix_claims(pod);
        if !identity || !storage || claims {
            let update = self.announced(Intent::update(fixed), "update", name(&pod.metadata));
            self.out.push(update);
        }
    }

    /// Models `processCondemned`.
    fn process_condemned(&mut self, p: &Pod, first_unavailable: Option<&Option<String>>) -> bool {
        let pod_name = name(&p.metadata);
        if p.metadata.deletion_timestamp.is_some() {
            self.note(|n| note!("statefulset.waits-for-end", name = n, pod = pod_name));
            return true;
        }
        let is_first = first_unavailable.is_some_and(|uid| *uid == p.metadata.uid);
        if self.monotonic && !is_first && !is_running_and_available(self.set, p, self.cx.now) {
            self.note(|n| note!("statefulset.waits-for-ready", name = n, pod = pod_name));
            return true;
        }
        self.note(|n| note!("statefulset.scale-down", name = n, pod = pod_name));
        self.delete(p);
        true
    }

    /// Deletes pods of other revisions, the highest ordinal first, as long as no more than `maxUnavailable` are
    /// unavailable. Models `updateStatefulSetAfterInvariantEstablished`.
    fn roll(&mut self) {
        let r = rolling(self.set);
        let partition = r.and_then(|r| r.partition).unwrap_or(0);
        let most = r.and_then(|r| r.max_unavailable.as_ref());
        // A percentage is rounded down, but not to a rollout that cannot go on.
        let most = most.map_or(1, |m| crate::deployment::scaled(Some(m), identity::replicas(self.set), false)).max(1);
        let unavailable = self.replicas.iter().filter(|p| is_unavailable(self.set, p, self.cx.now)).count();
        let mut room = usize::try_from(most).unwrap_or(1).saturating_sub(unavailable);
        let first = usize::try_from(partition).unwrap_or(0).min(self.replicas.len());
        for i in (first..self.replicas.len()).rev() {
            let pod = self.replicas[i].clone();
            let old = revision_of(&pod.metadata) != self.update_revision;
            if room == 0 || !old || pod.metadata.deletion_timestamp.is_some() {
                continue;
            }
            let revision = self.update_revision.clone();
            let pod_name = name(&pod.metadata).to_string();
            self.note(|n| note!("statefulset.update", name = n, pod = pod_name, revision = revision));
            self.delete(&pod);
            self.replaced += 1;
            room -= 1;
        }
    }
}
