//! Pods that have a node and wait for their volumes. Models `BindPodVolumes` and `checkBindings` of
//! `plugins/volumebinding/binder.go`: the volumes are asked for once, and the binding follows when they are there.

use crate::framework::{Objects, PodInfo};
use crate::plugins::volume_binder::{self, Asked};
use k8s_openapi::api::core::v1::Node;
use meta::{Key, Time};
use reconcile::Intent;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The node that the pod can be bound to, or why its volumes do not come.
pub type Outcome = Result<Arc<str>, String>;

#[derive(Clone, Debug)]
struct Wait {
    pod: Arc<PodInfo>,
    node: Arc<str>,
    until: Time,
    /// What came of it, once that is known.
    outcome: Option<Result<(), String>>,
}

#[derive(Clone, Debug, Default)]
pub struct VolumeWaits(BTreeMap<Key, Wait>);

impl VolumeWaits {
    /// What has to be written so that the pod's volumes come; nothing when it has them all. The pod is waited for.
    ///
    /// # Errors
    /// Its claims changed in the meantime.
    pub fn ask(
        &mut self,
        objects: &Objects,
        pod: &Arc<PodInfo>,
        node: &Node,
        until: Time,
    ) -> Result<Vec<Intent>, String> {
        let asked = volume_binder::ask(&objects.storage, pod, node)?;
        let Asked::For(intents) = asked else { return Ok(Vec::new()) };
        let node = node.metadata.name.as_deref().unwrap_or_default().into();
        let wait = Wait { pod: pod.clone(), node, until, outcome: None };
        self.0.insert(pod.key.clone(), wait);
        Ok(intents)
    }

    /// The pod changed while it waits.
    pub fn renew(&mut self, pod: &Arc<PodInfo>) {
        if let Some(w) = self.0.get_mut(&pod.key) {
            w.pod = pod.clone();
        }
    }

    /// Claims or volumes changed.
    pub fn look(&mut self, objects: &Objects) {
        for w in self.0.values_mut().filter(|w| w.outcome.is_none()) {
            w.outcome = match volume_binder::is_bound(&objects.storage, &w.pod, &w.node) {
                Ok(true) => Some(Ok(())),
                Ok(false) => None,
                Err(why) => Some(Err(why)),
            };
        }
    }

    pub fn fail(&mut self, key: &Key, why: String) {
        if let Some(w) = self.0.get_mut(key) {
            w.outcome = Some(Err(why));
        }
    }
    pub fn remove(&mut self, key: &Key) {
        self.0.remove(key);
    }
    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn ready_at(&self) -> Option<Time> {
        self.0.values().map(|w| if w.outcome.is_some() { Time(0) } else { w.until }).min()
    }

    /// The next pod that waits no longer: its node, or why it will not get its volumes.
    pub fn pop(&mut self, now: Time) -> Option<(Arc<PodInfo>, Outcome)> {
        let over = |w: &Wait| w.outcome.is_some() || w.until <= now;
        let key = self.0.iter().find(|(_, w)| over(w)).map(|(k, _)| k.clone())?;
        let w = self.0.remove(&key)?;
        let outcome = w.outcome.unwrap_or_else(|| Err("context deadline exceeded".into()));
        Some((w.pod, outcome.map(|()| w.node)))
    }
}
