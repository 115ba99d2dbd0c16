//! A StatefulSet's status. Models `computeReplicaStatus`, `completeRollingUpdate` and `inconsistentStatus`.

use super::identity::{is_created, is_running_and_available, is_running_and_ready, replicas};
use crate::history::revision_of;
use crate::owner::nonzero;
use k8s_openapi::api::apps::v1::{StatefulSet, StatefulSetStatus};
use k8s_openapi::api::core::v1::Pod;
use meta::Time;

#[derive(Default)]
pub struct Counts {
    pub replicas: i32,
    pub ready: i32,
    pub available: i32,
    pub current: i32,
    pub updated: i32,
}

impl Counts {
    pub fn of<'a>(
        set: &StatefulSet,
        pods: impl Iterator<Item = &'a Pod>,
        current: &str,
        update: &str,
        now: Time,
    ) -> Counts {
        let mut c = Counts::default();
        for p in pods.filter(|p| is_created(p)) {
            c.replicas += 1;
            c.ready += i32::from(is_running_and_ready(p));
            c.available += i32::from(is_running_and_available(set, p, now));
            if p.metadata.deletion_timestamp.is_none() {
                c.current += i32::from(revision_of(&p.metadata) == current);
                c.updated += i32::from(revision_of(&p.metadata) == update);
            }
        }
        c
    }
}

/// The status to write, if it has to be written.
pub fn changed(
    set: &StatefulSet,
    mut counts: Counts,
    current: &str,
    update: &str,
    collisions: i32,
) -> Option<StatefulSetStatus> {
    let strategy = set.spec.as_ref().and_then(|s| s.update_strategy.as_ref()?.type_.as_deref());
    let want = replicas(set);
    let mut current = current;
    if strategy == Some("RollingUpdate") && [counts.updated, counts.ready, counts.replicas] == [want; 3] {
        counts.current = counts.updated;
        current = update;
    }
    let old = set.status.clone().unwrap_or_default();
    let new = StatefulSetStatus {
        available_replicas: Some(counts.available),
        collision_count: Some(collisions),
        conditions: old.conditions.clone(),
        current_replicas: nonzero(counts.current),
        current_revision: Some(current.into()),
        // An older sync never takes back what a newer one has seen.
        observed_generation: set.metadata.generation.max(old.observed_generation),
        ready_replicas: nonzero(counts.ready),
        replicas: counts.replicas,
        update_revision: Some(update.into()),
        updated_replicas: nonzero(counts.updated),
    };
    let n = |v: Option<i32>| v.unwrap_or(0);
    let same = old.observed_generation == new.observed_generation
        && old.replicas == new.replicas
        && n(old.available_replicas) == n(new.available_replicas)
        && n(old.current_replicas) == n(new.current_replicas)
        && n(old.ready_replicas) == n(new.ready_replicas)
        && n(old.updated_replicas) == n(new.updated_replicas)
        && old.current_revision == new.current_revision
        && old.update_revision == new.update_revision
        && n(old.collision_count) == n(new.collision_count);
    (!same).then_some(new)
}
