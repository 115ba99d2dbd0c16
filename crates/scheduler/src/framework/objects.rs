//! What plugins read besides nodes and pods, reduced to what they need of it.

use super::storage::Storage;
use crate::devices::Devices;
use imbl::OrdMap;
use k8s_openapi::api::apps::v1::{ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::{Namespace, Pod, ReplicationController, Service};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::Key;
use meta::labels::{Labels, Requirement, Selector};
use std::sync::Arc;

#[derive(Clone, Debug, Default)]
pub struct Objects {
    pub pod_disruption_budgets: Vec<Arc<PodDisruptionBudget>>,
    pub storage: Storage,
    pub devices: Devices,
    /// `spec.selector` of the services that have one.
    services: OrdMap<Key, Labels>,
    /// Selectors of controllers, by `apiVersion/kind` and key.
    controllers: OrdMap<(&'static str, Key), Selector>,
    namespaces: OrdMap<String, Labels>,
}

const REPLICA_SET: &str = "apps/v1/ReplicaSet";
const STATEFUL_SET: &str = "apps/v1/StatefulSet";
const REPLICATION_CONTROLLER: &str = "v1/ReplicationController";

fn key(meta: &ObjectMeta) -> Key {
    Key::new(meta.namespace.as_deref().unwrap_or("default"), meta.name.as_deref().unwrap_or_default())
}

impl Objects {
    /// In the order of keys, as a list of them comes.
    pub fn set_budget(&mut self, at: &Key, budget: Option<Arc<PodDisruptionBudget>>) {
        let budgets = &mut self.pod_disruption_budgets;
        let found = budgets.binary_search_by(|b| key(&b.metadata).cmp(at));
        match (found, budget) {
            (Ok(i), Some(budget)) => budgets[i] = budget,
            (Ok(i), None) => _ = budgets.remove(i),
            (Err(i), Some(budget)) => budgets.insert(i, budget),
            (Err(_), None) => {}
        }
    }
    pub fn set_service(&mut self, service: &Service) {
        match service.spec.as_ref().and_then(|s| s.selector.as_ref()) {
            Some(selector) => self.services.insert(key(&service.metadata), selector.clone()),
            None => self.services.remove(&key(&service.metadata)),
        };
    }
    pub fn remove_service(&mut self, key: &Key) {
        self.services.remove(key);
    }
    pub fn set_replica_set(&mut self, rs: &ReplicaSet) {
        let selector = Selector::from_api(rs.spec.as_ref().map(|s| &s.selector)).unwrap_or(Selector::Nothing);
        self.controllers.insert((REPLICA_SET, key(&rs.metadata)), selector);
    }
    pub fn remove_replica_set(&mut self, key: &Key) {
        self.controllers.remove(&(REPLICA_SET, key.clone()));
    }
    pub fn set_stateful_set(&mut self, ss: &StatefulSet) {
        let selector = Selector::from_api(ss.spec.as_ref().map(|s| &s.selector)).unwrap_or(Selector::Nothing);
        self.controllers.insert((STATEFUL_SET, key(&ss.metadata)), selector);
    }
    pub fn remove_stateful_set(&mut self, key: &Key) {
        self.controllers.remove(&(STATEFUL_SET, key.clone()));
    }
    pub fn set_replication_controller(&mut self, rc: &ReplicationController) {
        let selector = rc.spec.as_ref().and_then(|s| s.selector.as_ref());
        let selector = selector.map_or(Selector::Nothing, Selector::from_set);
        self.controllers.insert((REPLICATION_CONTROLLER, key(&rc.metadata)), selector);
    }
    pub fn remove_replication_controller(&mut self, key: &Key) {
        self.controllers.remove(&(REPLICATION_CONTROLLER, key.clone()));
    }
    pub fn set_namespace(&mut self, namespace: &Namespace) {
        let name = namespace.metadata.name.clone().unwrap_or_default();
        self.namespaces.insert(name, namespace.metadata.labels.clone().unwrap_or_default());
    }
    pub fn remove_namespace(&mut self, name: &str) {
        self.namespaces.remove(name);
    }

    /// The labels of a namespace; `None` when it is not known.
    pub fn namespace_labels(&self, name: &str) -> Option<&Labels> {
        self.namespaces.get(name)
    }
    /// The namespaces whose labels match.
    pub fn namespaces_matching<'a>(&'a self, selector: &'a Selector) -> impl Iterator<Item = &'a str> {
        self.namespaces.iter().filter(|(_, l)| selector.matches(Some(l))).map(|(n, _)| n.as_str())
    }

    /// What the services and the controller of the pod select; `None` when that is nothing in particular.
    /// Models `helper.DefaultSelector`.
    pub fn default_selector(&self, pod: &Pod) -> Option<Selector> {
        let namespace = pod.metadata.namespace.as_deref().unwrap_or("default");
        let mut set = Labels::new();
        for (_, selector) in self.services.range(Key::namespace_range(namespace)) {
            if Selector::from_set(selector).matches(pod.metadata.labels.as_ref()) {
                set.extend(selector.clone());
            }
        }
        let Selector::All(mut requirements) = Selector::from_set(&set) else { return None };
        let owner = pod.metadata.owner_references.iter().flatten().find(|r| r.controller == Some(true));
        if let Some(owner) = owner {
            let kind = format!("{}/{}", owner.api_version, owner.kind);
            let known = [REPLICA_SET, STATEFUL_SET, REPLICATION_CONTROLLER].into_iter().find(|k| *k == kind);
            let selector = known.and_then(|k| self.controllers.get(&(k, Key::new(namespace, &owner.name))));
            if let Some(Selector::All(more)) = selector {
                requirements.extend(more.iter().cloned());
            }
        }
        Some(requirements).filter(|r: &Vec<Requirement>| !r.is_empty()).map(Selector::All)
    }
}
