//! Scaling that is no rollout: a new replica count, or a paused Deployment. Models `sync` and `scale` of
//! `pkg/controller/deployment/sync.go`.

use super::util::{self, DESIRED_REPLICAS};
use super::{Sync, created, is_active, name};
use crate::replicaset::replicas as rs_replicas;
use k8s_openapi::api::apps::v1::ReplicaSet;
use reconcile::{EventType, Intent};
use std::cmp::Reverse;
use trace::note;

impl Sync<'_> {
    /// Whether the Deployment's replica count changed since the active ReplicaSets were last scaled.
    pub fn is_scaling_event(&self) -> bool {
        let want = util::replicas(&self.d);
        self.old
            .iter()
            .chain(&self.new)
            .filter(|rs| is_active(rs))
            .any(|rs| util::number(rs, DESIRED_REPLICAS).is_some_and(|desired| desired != want))
    }

    pub fn sync_scale(&mut self) {
        self.sync_revision(false);
        self.scale();
        if util::is_paused(&self.d) {
            self.clean_up();
        }
        self.sync_status();
    }

    /// Several active ReplicaSets are scaled in proportion, so that scaling never speeds a rollout up.
    fn scale(&mut self) {
        let want = util::replicas(&self.d);
        let active: Vec<ReplicaSet> = self.all().into_iter().filter(is_active).collect();
        if active.len() <= 1 {
            let latest = active.into_iter().next().or_else(|| self.new.clone()).or_else(|| self.old.last().cloned());
            if let Some(rs) = latest {
                self.scale_to(&rs, want);
            }
            return;
        }
        if self.new.as_ref().is_some_and(|rs| self.is_saturated(rs)) {
            for rs in self.old.clone().iter().filter(|rs| is_active(rs)) {
                self.scale_to(rs, 0);
            }
            return;
        }
        if !util::is_recreate(&self.d) {
            self.scale_proportionally(active, want);
        }
    }

    fn is_saturated(&self, rs: &ReplicaSet) -> bool {
        let want = util::replicas(&self.d);
        rs_replicas(rs) == want && util::number(rs, DESIRED_REPLICAS) == Some(want) && util::available(rs) == want
    }

    fn scale_proportionally(&mut self, mut active: Vec<ReplicaSet>, want: i32) {
        let allowed = if want > 0 { want + util::max_surge(&self.d) } else { 0 };
        let to_add = allowed - util::total(&active, rs_replicas);
        // Larger first; of equal size, growth prefers the newer and shrinking the older.
        active.sort_by_key(|rs| Reverse(rs_replicas(rs)));
        match to_add.signum() {
            1 => active.sort_by_key(|rs| (Reverse(rs_replicas(rs)), Reverse(created(&rs.metadata)))),
            -1 => active.sort_by_key(|rs| (Reverse(rs_replicas(rs)), created(&rs.metadata))),
            _ => {}
        }
        let mut added = 0;
        let mut sizes: Vec<i32> = Vec::new();
        for rs in &active {
            let share = util::proportion(rs, &self.d, to_add, added);
            sizes.push(rs_replicas(rs) + share);
            added += share;
        }
        if let Some(first) = sizes.first_mut() {
            // What rounding left over goes to the largest.
            *first = (*first + to_add - added).max(0);
        }
        for (rs, size) in active.iter().zip(sizes) {
            self.scale_and_annotate(rs, size);
        }
    }

    /// Models `scaleReplicaSetAndRecordEvent`: whether anything was scaled.
    pub fn scale_to(&mut self, rs: &ReplicaSet, size: i32) -> bool {
        rs_replicas(rs) != size && self.scale_and_annotate(rs, size)
    }

    fn scale_and_annotate(&mut self, rs: &ReplicaSet, size: i32) -> bool {
        let from = rs_replicas(rs);
        let mut scaled = rs.clone();
        let annotated = util::set_replicas_annotations(&mut scaled, &self.d);
        if from == size && !annotated {
            return false;
        }
        if let Some(spec) = scaled.spec.as_mut() {
            spec.replicas = Some(size);
        }
        self.update(scaled);
        if from == size {
            return false;
        }
        let (rs_name, way) = (name(&rs.metadata), if from < size { "up" } else { "down" });
        self.note(|d| note!("deployment.scale", name = d, replica_set = rs_name, from = from, to = size));
        let message = format!("Scaled {way} replica set {rs_name} from {from} to {size}");
        self.out.push(Intent::event(self.original, EventType::Normal, "ScalingReplicaSet", message));
        true
    }
}
