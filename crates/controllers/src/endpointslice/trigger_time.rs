//! What made the endpoints change, and when. Models `k8s.io/endpointslice/trigger_time_tracker.go`.

use crate::pods;
use k8s_openapi::api::core::v1::{Pod, Service};
use meta::{Key, Time};
use std::collections::BTreeMap;

#[derive(Clone, Default)]
struct State {
    service: Option<Time>,
    pods: BTreeMap<String, Time>,
}

#[derive(Clone, Default)]
pub struct TriggerTimes(BTreeMap<Key, State>);

impl TriggerTimes {
    /// The earliest change since the last call: a pod that became ready or unready, or a new Service. Pods that
    /// were there before the Service do not count.
    pub fn compute(&mut self, key: &Key, service: &Service, selected: &[&Pod]) -> Option<Time> {
        let known = self.0.get(key);
        let created = service.metadata.creation_timestamp.as_ref().map(Time::from_k8s);
        let mut new = State { service: created, pods: BTreeMap::new() };
        for p in selected {
            if let Some(t) = pods::ready_transition(p) {
                new.pods.insert(p.metadata.name.clone().unwrap_or_default(), t);
            }
        }
        let mut changed: Vec<Time> = Vec::new();
        if let Some(known) = known {
            changed
                .extend(new.pods.iter().filter(|(name, t)| known.pods.get(*name).is_none_or(|o| *t > o)).map(|p| *p.1));
        }
        if created > known.and_then(|k| k.service) {
            changed.extend(created);
        }
        self.0.insert(key.clone(), new);
        changed.into_iter().min()
    }

    pub fn forget(&mut self, key: &Key) {
        self.0.remove(key);
    }
}
