//! The two strategies. Models `pkg/controller/deployment/rolling.go` and `recreate.go`.

use super::{Sync, is_active, name, status, util};
use crate::replicaset::replicas as rs_replicas;
use k8s_openapi::api::apps::v1::ReplicaSet;
use trace::note;

impl Sync<'_> {
    pub fn roll_out_rolling(&mut self) {
        if !self.sync_revision(true) {
            return;
        }
        if !self.grow_new() && !self.shrink_old() {
            self.clean_up_when_complete();
        }
        self.sync_rollout_status();
    }

    fn clean_up_when_complete(&mut self) {
        let status = self.original.status.clone().unwrap_or_default();
        if status::is_complete(&self.d, &status) {
            self.clean_up();
        }
    }

    /// Models `reconcileNewReplicaSet`: up as far as surge allows, or down at once.
    fn grow_new(&mut self) -> bool {
        let Some(rs) = self.new.clone() else { return false };
        let (now, want) = (rs_replicas(&rs), util::replicas(&self.d));
        if now > want {
            return self.scale_to(&rs, want);
        }
        let total = util::total(&self.all(), rs_replicas);
        let size = util::new_replicas(&self.d, total, now);
        if now < want && self.cx.recording {
            let limit = want + util::max_surge(&self.d);
            self.out.note(note!(
                "deployment.surge",
                replica_set = name(&rs.metadata),
                total = total,
                limit = limit,
                from = now,
                to = size,
            ));
        }
        now != want && self.scale_to(&rs, size)
    }

    /// Models `reconcileOldReplicaSets`: down as far as availability allows, unhealthy replicas first.
    fn shrink_old(&mut self) -> bool {
        let old_total: i32 = self.old.iter().map(rs_replicas).sum();
        if old_total == 0 {
            return false;
        }
        let min_available = util::replicas(&self.d) - util::max_unavailable(&self.d);
        let new_unavailable = self.new.as_ref().map_or(0, |rs| rs_replicas(rs) - util::available(rs));
        let budget = util::total(&self.all(), rs_replicas) - min_available - new_unavailable;
        let available = util::total(&self.all(), util::available);
        self.note(|d| {
            note!(
                "deployment.availability",
                name = d,
                available = available,
                min = min_available,
                budget = budget.max(0)
            )
        });
        if budget <= 0 {
            return false;
        }
        let unhealthy = self.clean_up_unhealthy(budget);
        // Counted after the clean-up, as upstream: it takes unavailable replicas only.
        let mut surplus = util::total(&self.all(), util::available) - min_available;
        let mut scaled = unhealthy > 0;
        for rs in self.active_old() {
            if surplus <= 0 {
                break;
            }
            let down = rs_replicas(&rs).min(surplus);
            scaled |= self.scale_to(&rs, rs_replicas(&rs) - down);
            surplus -= down;
        }
        scaled
    }

    fn active_old(&self) -> Vec<ReplicaSet> {
        self.old.iter().filter(|rs| is_active(rs)).cloned().collect()
    }

    /// Models `cleanupUnhealthyReplicas`: how many were taken away.
    fn clean_up_unhealthy(&mut self, budget: i32) -> i32 {
        let mut taken = 0;
        for rs in self.active_old() {
            if taken >= budget {
                break;
            }
            let unhealthy = (rs_replicas(&rs) - util::available(&rs)).min(budget - taken);
            if unhealthy <= 0 {
                continue;
            }
            self.scale_to(&rs, rs_replicas(&rs) - unhealthy);
            taken += unhealthy;
        }
        taken
    }

    pub fn roll_out_recreate(&mut self) {
        self.sync_revision(false);
        let mut scaled_down = false;
        for rs in self.active_old() {
            scaled_down |= self.scale_to(&rs, 0);
        }
        if scaled_down {
            return self.sync_rollout_status();
        }
        if self.old_pods_running() {
            self.note(|d| note!("deployment.recreate-waits", name = d));
            return self.sync_rollout_status();
        }
        if self.new.is_none() && !self.sync_revision(true) {
            return;
        }
        if let Some(rs) = self.new.clone() {
            self.scale_to(&rs, util::replicas(&self.d));
        }
        self.clean_up_when_complete();
        self.sync_rollout_status();
    }
}
