//! The eviction manager's turns: what the kubelet observes of its node, and what it does about it.

use super::{Item, Kubelet};
use crate::eviction::{CLEANUP_TIMEOUT, Candidate, ContainerUse, MONITORING_PERIOD, Observation, REASON, Signal};
use crate::node;
use crate::pod::resources;
use crate::runtime::{Full, PodStats};
use api::ObjectExt;
use k8s_openapi::api::core::v1::{Container, Pod};
use meta::{Duration, Quantity, Time};
use reconcile::{Cx, EventType, Intent};
use std::collections::BTreeMap;
use std::sync::Arc;
use trace::{Note, note};

/// How often an evicted pod is looked after (`podCleanupPollFreq`).
const CLEANUP_POLL: Duration = Duration::from_secs(1);

/// `kernel.pid_max` of a machine with up to 32 processors.
const PIDS: u64 = 32_768;
/// The kernel's threads and the node's own services.
const SYSTEM_PROCESSES: u64 = 180;

/// Of a pod: a process for each container, and the one that holds its sandbox. What programs start is not counted.
fn processes(containers: usize) -> u64 {
    if containers == 0 { 0 } else { containers as u64 + 1 }
}

impl Kubelet {
    /// Nothing fits any more in these places: the manager sees it, too.
    pub fn fill(&mut self, full: Full) {
        self.runtime.fill(full);
        self.queue.add(Item::Pressure, 0);
    }

    /// Something has moved on the node: the manager sees it the next time it looks.
    pub(super) fn look_at_usage(&mut self, now: Time) {
        let next = Time((now.0 / MONITORING_PERIOD.0 + 1) * MONITORING_PERIOD.0);
        self.queue.add_at(Item::Pressure, next, 0);
    }

    pub(super) fn sync_pressure(&mut self, cx: &Cx) -> (Vec<Intent>, Vec<Note>, Option<Time>) {
        let (mut intents, mut notes) = (Vec::new(), Vec::new());
        if let Some((uid, since)) = self.eviction.leaving.take() {
            let there = self.pods.get(&uid).is_some_and(|w| !w.state.is_quiet());
            if there && cx.now.since(since) < CLEANUP_TIMEOUT {
                self.eviction.leaving = Some((uid, since));
                return (intents, notes, Some(cx.now + CLEANUP_POLL));
            }
        }
        let stats = self.runtime.stats();
        let pods = self.candidates(&stats);
        let observations = self.observe_node(&stats);
        let mut eviction = std::mem::take(&mut self.eviction);
        let config = self.config.clone();
        let decision = eviction.look(cx.now, &config.eviction, &observations, pods, || {
            self.runtime.remove_unused_images();
            self.observe_node(&stats)
        });
        self.eviction = eviction;
        let name = self.config.name.clone();
        if let Some(resource) = decision.starved {
            let message = format!("Attempting to reclaim {resource}");
            notes.push(note!("kubelet.pressure", node = &name, resource = &resource));
            intents.push(node::event(&name, EventType::Warning, "EvictionThresholdMet", message));
        }
        if decision.changed {
            self.queue.add(Item::Node, 0);
        }
        for (uid, verdict) in decision.evict {
            let Some(w) = self.pods.get_mut(&uid).map(Arc::make_mut) else { continue };
            let Some(pod) = w.pod.downcast::<Pod>() else { continue };
            notes.push(note!("kubelet.evict", pod = &w.state.key, why = &verdict.message));
            intents.push(Intent::event(pod, EventType::Warning, REASON, verdict.message.clone()));
            w.state.verdict = Some(verdict);
            self.queue.add(Item::Pod(uid.clone()), 0);
            self.eviction.leaving = Some((uid, cx.now));
        }
        let next = match &self.eviction.leaving {
            Some(_) => Some(cx.now + CLEANUP_POLL),
            None => self.eviction.next_look(cx.now),
        };
        (intents, notes, next)
    }

    /// What the node has left, as the manager would see it now.
    pub fn observations(&self) -> Vec<Observation> {
        self.observe_node(&self.runtime.stats())
    }

    fn observe_node(&self, stats: &BTreeMap<Arc<str>, PodStats>) -> Vec<Observation> {
        let bytes = |q: Quantity| u64::try_from(q.value()).unwrap_or(0);
        let containers = || stats.values().flat_map(|p| p.containers.values());
        let memory = reconcile::usage::SYSTEM_BYTES + containers().map(|c| c.memory_bytes).sum::<u64>();
        let volumes: u64 = stats.values().flat_map(|p| p.volumes.values()).sum();
        let images: u64 = self.runtime.images().iter().map(|i| i.size_bytes).sum();
        let disk = images + volumes + containers().map(|c| c.disk_bytes).sum::<u64>();
        let disk = if self.runtime.disk_is_full() { u64::MAX } else { disk };
        let processes = SYSTEM_PROCESSES + stats.values().map(|p| processes(p.containers.len())).sum::<u64>();
        let observed = |signal, capacity: u64, used: u64| Observation {
            signal,
            available: capacity.saturating_sub(used),
            capacity,
        };
        let (ram, storage) = (bytes(self.config.capacity.memory), bytes(self.config.capacity.ephemeral_storage));
        vec![
            observed(Signal::MemoryAvailable, ram, memory),
            observed(Signal::NodeFsAvailable, storage, disk),
            observed(Signal::ImageFsAvailable, storage, disk),
            observed(Signal::PidAvailable, PIDS, processes),
        ]
    }

    /// Pods that are there to stay, and have not ended.
    fn candidates(&self, stats: &BTreeMap<Arc<str>, PodStats>) -> Vec<Candidate> {
        let none = PodStats::default();
        let mut out = Vec::new();
        for (uid, w) in &self.pods {
            let Some(pod) = w.pod.downcast::<Pod>() else { continue };
            let Some(spec) = &pod.spec else { continue };
            let active = w.state.admitted && w.state.verdict.is_none() && w.state.terminating.is_none();
            if !active || w.state.phase_is_final(spec) {
                continue;
            }
            let stats = stats.get(uid).unwrap_or(&none);
            let of = |c: &Container| {
                let used = stats.containers.get(c.name.as_str()).copied().unwrap_or_default();
                let (requests, limits) = (resources::requests(c), resources::limits(c));
                let request = |name: &str| requests.get(name).map_or(0, |q| u64::try_from(q.value()).unwrap_or(0));
                ContainerUse {
                    name: c.name.clone(),
                    memory: used.memory_bytes,
                    memory_request: request("memory"),
                    disk: used.disk_bytes,
                    disk_request: request("ephemeral-storage"),
                    disk_limit: limits.get("ephemeral-storage").copied().unwrap_or_default(),
                }
            };
            let volumes = spec.volumes.iter().flatten().filter_map(|v| {
                let dir = v.empty_dir.as_ref().filter(|d| d.medium.as_deref() != Some("Memory"))?;
                let limit = dir.size_limit.as_ref().map(Quantity::of).unwrap_or_default();
                Some((v.name.clone(), stats.volumes.get(&v.name).copied().unwrap_or(0), limit))
            });
            out.push(Candidate {
                uid: uid.clone(),
                priority: spec.priority.unwrap_or(0),
                critical: crate::eviction::is_critical(pod),
                grace: spec
                    .termination_grace_period_seconds
                    .and_then(|s| u64::try_from(s).ok())
                    .map(Duration::from_secs),
                processes: processes(stats.containers.len()),
                containers: spec.containers.iter().chain(spec.init_containers.iter().flatten()).map(of).collect(),
                volumes: volumes.collect(),
            });
        }
        out
    }
}
