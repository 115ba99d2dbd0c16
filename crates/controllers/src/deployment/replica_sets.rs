//! Revisions: finding, creating and throwing away ReplicaSets. Models `getAllReplicaSetsAndSyncRevision` and
//! `cleanupDeployment` of `pkg/controller/deployment/sync.go`.

use super::util::{self, HASH_LABEL, PROGRESSING, REVISION, condition, new_condition, set_condition};
use super::{Sync, name, owned_by};
use crate::owner::controller_reference;
use crate::replicaset::replicas as rs_replicas;
use k8s_openapi::api::apps::v1::{ReplicaSet, ReplicaSetSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::Key;
use meta::names::template_hash;
use reconcile::Intent;
use trace::note;

impl Sync<'_> {
    /// Brings the revision of the new ReplicaSet and of the Deployment up to date, and creates the ReplicaSet
    /// if there is none and `create` is set. False: the sync ends here.
    pub fn sync_revision(&mut self, create: bool) -> bool {
        let new_revision = self.old.iter().filter_map(util::revision).max().unwrap_or(0) + 1;
        let Some(rs) = &mut self.new else { return !create || self.create_new(new_revision) };
        let before = rs.clone();
        util::set_revision_annotations(&self.d, rs, new_revision);
        let min_ready = self.d.spec.as_ref().and_then(|s| s.min_ready_seconds);
        if let Some(spec) = rs.spec.as_mut().filter(|s| s.min_ready_seconds.unwrap_or(0) != min_ready.unwrap_or(0)) {
            spec.min_ready_seconds = min_ready;
        }
        if *rs != before {
            let rs = rs.clone();
            if self.cx.recording && util::revision(&rs) != util::revision(&before) {
                self.out.note(note!(
                    "deployment.revision",
                    name = name(&self.d.metadata),
                    replica_set = name(&rs.metadata),
                    revision = util::revision(&rs).unwrap_or(0),
                ));
            }
            self.update(rs);
        }
        let rs_revision = self.new.as_ref().and_then(|rs| util::annotation(rs, REVISION)).unwrap_or("").to_string();
        self.d.metadata.annotations.get_or_insert_default().insert(REVISION.into(), rs_revision);
        self.progress_condition("True", "FoundNewReplicaSet", |rs| format!("Found new replica set {rs:?}"), true);
        true
    }

    /// Sets Progressing when there is a deadline; `if_absent`: only when there is no such condition yet.
    fn progress_condition(&mut self, status: &str, why: &str, message: impl Fn(&str) -> String, if_absent: bool) {
        let s = self.d.status.get_or_insert_default();
        let has_deadline =
            self.d.spec.as_ref().is_some_and(|s| s.progress_deadline_seconds.is_some_and(|n| n != i32::MAX));
        if has_deadline && !(if_absent && condition(s, PROGRESSING).is_some()) {
            let rs = self.new.as_ref().map_or("", |rs| name(&rs.metadata));
            set_condition(s, new_condition(PROGRESSING, status, why, message(rs), self.cx.now));
        }
    }

    fn create_new(&mut self, new_revision: i64) -> bool {
        let Some(spec) = self.d.spec.clone() else { return false };
        let collisions = self.d.status.as_ref().and_then(|s| s.collision_count);
        let canonical = serde_json::to_vec(&spec.template).unwrap_or_default();
        let hash = template_hash(&canonical, collisions);
        let rs_name = format!("{}-{hash}", name(&self.d.metadata));
        let key = Key::new(self.d.metadata.namespace.as_deref().unwrap_or(""), &rs_name);
        if let Some(other) = self.cx.view.get::<ReplicaSet>(&key) {
            return self.name_taken(other);
        }
        let mut template = spec.template;
        let labels = template.metadata.get_or_insert_default().labels.get_or_insert_default();
        labels.insert(HASH_LABEL.into(), hash.clone());
        let labels = labels.clone();
        let mut selector = spec.selector;
        selector.match_labels.get_or_insert_default().insert(HASH_LABEL.into(), hash);
        let replicas = util::new_replicas(&self.d, util::total(&self.old, rs_replicas), 0);
        let mut rs = ReplicaSet {
            metadata: ObjectMeta {
                name: Some(rs_name.clone()),
                namespace: self.d.metadata.namespace.clone(),
                owner_references: Some(vec![controller_reference(self.original)]),
                labels: Some(labels),
                ..Default::default()
            },
            spec: Some(ReplicaSetSpec {
                replicas: Some(replicas),
                min_ready_seconds: spec.min_ready_seconds.filter(|n| *n != 0),
                selector,
                template: Some(template),
            }),
            status: None,
        };
        util::set_revision_annotations(&self.d, &mut rs, new_revision);
        util::set_replicas_annotations(&mut rs, &self.d);
        if let Some(e) = self.refused.take() {
            // A refused write stops what stands behind it, so the status that tells of it goes first.
            let message = format!("Failed to create new replica set {rs_name:?}: {e}");
            self.progress_condition("False", "ReplicaSetCreateError", |_| message.clone(), false);
            if self.d.status != self.original.status {
                self.out.push(Intent::update_status(self.d.clone()));
                self.d.metadata.resource_version = None;
            }
        }
        let rs_ref = rs_name.as_str();
        self.note(|d| {
            note!(
                "deployment.new-replica-set",
                name = d,
                replica_set = rs_ref,
                revision = new_revision,
                replicas = replicas
            )
        });
        self.creating = Some(self.out.intents.len());
        let create = Intent::create(rs.clone()).on_failure(
            self.original,
            "ReplicaSetCreateError",
            format!("Failed to create new replica set {rs_name:?}: {{error}}"),
        );
        self.out.push(if replicas > 0 {
            let message = format!("Scaled up replica set {rs_name} from 0 to {replicas}");
            create.on_success(self.original, "ScalingReplicaSet", message)
        } else {
            create
        });
        self.new = Some(rs);
        self.d.metadata.annotations.get_or_insert_default().insert(REVISION.into(), new_revision.to_string());
        self.progress_condition("True", "NewReplicaSetCreated", |rs| format!("Created new replica set {rs:?}"), false);
        true
    }

    /// Another object has the name that the template's hash gives.
    fn name_taken(&mut self, other: &ReplicaSet) -> bool {
        let same = other.spec.as_ref().and_then(|s| s.template.as_ref()).zip(self.d.spec.as_ref().map(|s| &s.template));
        if owned_by(other, &self.d) && same.is_some_and(|(a, b)| util::same_template(a, b)) {
            // Ours after all, though our selector does not find it.
            self.new = Some(other.clone());
            return true;
        }
        let status = self.d.status.get_or_insert_default();
        let collisions = status.collision_count.unwrap_or(0) + 1;
        status.collision_count = Some(collisions);
        let taken = name(&other.metadata).to_string();
        self.note(|d| note!("deployment.hash-collision", name = d, replica_set = taken, count = collisions));
        self.out.push(Intent::update_status(self.d.clone()));
        false
    }

    /// Writes a ReplicaSet once more in this sync: only the first write has the version as precondition.
    pub fn update(&mut self, rs: ReplicaSet) {
        let mut written = rs.clone();
        written.metadata.resource_version = None;
        if self.new.as_ref().is_some_and(|n| n.metadata.uid == rs.metadata.uid) {
            self.new = Some(written);
        } else if let Some(o) = self.old.iter_mut().find(|o| o.metadata.uid == rs.metadata.uid) {
            *o = written;
        }
        self.out.push(Intent::update(rs));
    }

    /// Throws away old ReplicaSets beyond `revisionHistoryLimit`, lowest revision first.
    pub fn clean_up(&mut self) {
        let Some(limit) = self.d.spec.as_ref().and_then(|s| s.revision_history_limit).filter(|n| *n != i32::MAX) else {
            return;
        };
        let mut sets: Vec<&ReplicaSet> =
            self.old.iter().filter(|rs| rs.metadata.deletion_timestamp.is_none()).collect();
        let excess = sets.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
        sets.sort_by_key(|rs| util::revision(rs).unwrap_or(0));
        let mut doomed = Vec::new();
        for rs in sets.into_iter().take(excess) {
            let observed = rs.status.as_ref().and_then(|s| s.observed_generation).unwrap_or(0);
            if util::actual(rs) == 0 && rs_replicas(rs) == 0 && rs.metadata.generation.unwrap_or(0) <= observed {
                doomed.push(rs.clone());
            }
        }
        for rs in doomed {
            let rs_name = name(&rs.metadata).to_string();
            self.note(|d| note!("deployment.history-cleanup", name = d, replica_set = rs_name, limit = limit));
            self.out.push(Intent::delete(&rs));
        }
    }
}
