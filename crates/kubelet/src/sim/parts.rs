//! Containers whose programs are parts of this very cluster: the processes of a control plane that runs in static pods. A
//! process runs when its container does, and what becomes of the one becomes of the other; the cluster passes it on.

use super::machine::MachineExit;
use super::{Container, SimRuntime};
use meta::Time;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The namespace that a control plane's pods are in.
pub(super) const NAMESPACE: &str = "kube-system";

/// The processes that say more of themselves than that they are well, and their ports.
pub const COMPONENT_PORTS: [(&str, u16); 2] = [("kube-scheduler", 10259), ("kube-controller-manager", 10257)];

/// What is to be with a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It runs as soon as its container is started.
    Free,
    /// It stands still: it takes connections and says nothing.
    Frozen,
    /// Somebody keeps it from running: its container does not come up.
    Held,
}

/// What became of a process, told by its container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartChange {
    /// The pod's name.
    pub pod: String,
    pub runs: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Parts {
    states: BTreeMap<String, Part>,
    changes: Vec<PartChange>,
}

impl Parts {
    pub fn of(&self, c: &Container) -> Option<Part> {
        // Most nodes have none.
        if self.states.is_empty() || c.spec.namespace != NAMESPACE {
            return None;
        }
        self.states.get(&c.spec.pod).copied()
    }

    pub fn note(&mut self, c: &Container, runs: bool) {
        if self.of(c).is_some() {
            self.changes.push(PartChange { pod: c.spec.pod.clone(), runs });
        }
    }
}

impl SimRuntime {
    /// The pod's program is a part of the cluster, and this is to be with it from now on.
    pub fn set_part(&mut self, now: Time, pod: &str, part: Part) {
        self.parts.states.insert(pod.into(), part);
        if part != Part::Held {
            let waits = |c: &&mut Arc<Container>| c.spec.pod == pod && c.waits();
            self.containers.values_mut().filter(waits).for_each(|c| Arc::make_mut(c).starts_at = Some(now));
        }
        self.update_next();
    }

    /// The pod's process has ended with this code.
    pub fn end_part(&mut self, now: Time, pod: &str, code: i32) {
        let mut all = self.containers.values_mut().filter(|c| c.exited.is_none() && c.spec.pod == pod);
        if let Some(m) = all.find(|c| c.machine.is_some()).and_then(|c| Arc::make_mut(c).machine.as_mut())
            && m.exit.is_none()
        {
            m.exit = Some(MachineExit { at: now, code, signal: None, oom: false });
        }
        self.update_next();
    }

    /// What became of the cluster's processes since the last call.
    pub fn take_part_changes(&mut self) -> Vec<PartChange> {
        std::mem::take(&mut self.parts.changes)
    }

    /// The images are on the node from the beginning.
    pub fn preload(&mut self, images: &[&str]) {
        for image in images {
            let pull = super::Pull { pull: 0, image: (*image).into(), user: String::new(), ends: None };
            let _ = self.pull_result(&pull, meta::Duration::ZERO);
        }
    }
}
