//! The same decision with something changed.

use super::differences::differences;
use super::view::{Mask, cycle_view};
use super::{Debugger, Refusal, WHATIF_BASE, WHATIFS_MAX, config, refused};
use cluster::Cluster;
use k8s_openapi::api::core::v1::{Node, Pod};
use protocol::debug::{Answer, Change, WhatIf};
use scheduler::{Config, Moment, Scheduler};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;

/// Lines of a comparison that come with it.
const FIRST_LINES: usize = 100;

/// Models RFC 7386.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Default::default());
    }
    let Some(target) = target.as_object_mut() else { return };
    for (k, v) in patch {
        match v {
            Value::Null => _ = target.remove(k),
            v => merge(target.entry(k.clone()).or_insert(Value::Null), v),
        }
    }
}

fn patched<T: Serialize + DeserializeOwned>(what: &str, object: &T, patch: &Value) -> Result<T, String> {
    let mut value = serde_json::to_value(object).map_err(|e| e.to_string())?;
    merge(&mut value, patch);
    serde_json::from_value(value).map_err(|e| format!("{what}: {e}"))
}

impl Debugger {
    pub(super) fn what_if(
        &mut self,
        cluster: &Cluster,
        ns: &str,
        name: &str,
        cycle: u64,
        changes: Vec<Change>,
    ) -> Answer {
        let before = match self.moment(cluster, cycle, ns, name) {
            Ok(m) => m,
            Err(e) => return refused(e),
        };
        let mut after = (*before).clone();
        for (i, change) in changes.into_iter().enumerate() {
            after = match apply(cluster, &after, change) {
                Ok(m) => m,
                Err(Refusal { message, errors }) => {
                    return Answer::Refused { message: format!("changes[{i}]: {message}"), errors };
                }
            };
        }
        let both = [(*before).clone(), after].map(|m: Moment| {
            let m = Arc::new(m.decided());
            let seq = WHATIF_BASE + self.whatif_next;
            self.whatif_next += 1;
            self.whatifs.push_back((seq, m.clone()));
            (seq, m)
        });
        while self.whatifs.len() > WHATIFS_MAX {
            self.whatifs.pop_front();
        }
        let differences = differences(&both[0].1.cycle(), &both[1].1.cycle(), None, 0, FIRST_LINES);
        let [before, after] = both.map(|(seq, m)| cycle_view(seq, m.time.as_micros(), &m.cycle(), Mask::Whole));
        Answer::WhatIf(Box::new(WhatIf { before, after, differences }))
    }

    /// More of a comparison.
    pub(super) fn more_differences(
        &self,
        cluster: &Cluster,
        (before, after): (u64, u64),
        group: Option<u32>,
        offset: usize,
        limit: usize,
    ) -> Answer {
        if self.held.as_ref().is_some_and(|h| h.hidden && (h.seq == before || h.seq == after)) {
            return refused("the decision is hidden until a node is picked");
        }
        match (self.cycle(cluster, before), self.cycle(cluster, after)) {
            (Ok(b), Ok(a)) => Answer::Differences(Box::new(differences(&b.cycle, &a.cycle, group, offset, limit))),
            (Err(e), _) | (_, Err(e)) => refused(e),
        }
    }
}

fn apply(cluster: &Cluster, m: &Moment, change: Change) -> Result<Moment, Refusal> {
    let node = |name: &str| -> Result<Node, Refusal> {
        let found = m.snapshot().get(name).map(|n| (*n.node).clone());
        found.ok_or_else(|| format!("nodes {name:?} not found").into())
    };
    match change {
        Change::Pod { patch } => {
            let pod: Pod = patched("pod", &*m.pod.pod, &patch)?;
            Ok(m.with_pod(pod))
        }
        Change::Node { node: name, patch } => {
            let mut changed: Node = patched("node", &node(&name)?, &patch)?;
            changed.metadata.name = Some(name);
            Ok(m.with_node(changed))
        }
        Change::WithoutNode { node: name } => {
            node(&name)?;
            Ok(m.without_node(&name))
        }
        Change::AddNode { like, name, patch } => {
            if m.snapshot().get(&name).is_some() || name.is_empty() {
                return Err(format!("nodes {name:?} already exists").into());
            }
            let mut like = node(&like)?;
            like.metadata.name = Some(name.clone());
            if let Some(labels) = &mut like.metadata.labels {
                labels.insert("kubernetes.io/hostname".into(), name);
            }
            let added: Node = patched("node", &like, &patch)?;
            Ok(m.with_node(added))
        }
        Change::Weight { plugin, weight } => {
            let mut config = present(cluster)?;
            let name = m.pod.scheduler_name().to_string();
            let profile = config.profiles.iter_mut().find(|p| p.scheduler_name == name);
            let profile = profile.ok_or_else(|| format!("profile not found for scheduler name {name:?}"))?;
            if !profile.set_weight(&plugin, weight) {
                return Err(format!("{plugin:?} does not score in profile {name:?}").into());
            }
            m.with_config(&config).map_err(Refusal::from)
        }
        Change::Config { yaml } => {
            let (_, config) = config::read(&yaml)?;
            m.with_config(&config).map_err(Refusal::from)
        }
    }
}

fn present(cluster: &Cluster) -> Result<Config, Refusal> {
    let s = cluster.component::<Scheduler>("kube-scheduler");
    s.map(|s| s.config().clone()).ok_or_else(|| "there is no kube-scheduler".to_string().into())
}
