//! Components in their places, and the wheel that says whose turn is next.

use crate::shared::Shared;
use crate::{Cluster, STEP_COST, elections};
use meta::Time;
use reconcile::{Component, Cx, Gauge, View};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use trace::Seq;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lamp {
    Running,
    Stopped,
    /// It is started again when [`Slot::wake`] comes.
    Crashed,
    Paused,
    /// Its process runs, and waits until it may lead ([`crate::elections`]).
    Standby,
}

pub struct Slot {
    pub component: Shared,
    /// The process that it runs in: one of several, where there may be several of its program.
    pub process: Arc<str>,
    pub lamp: Lamp,
    pub steps: u64,
    /// The newest item taken and its trace entry.
    pub doing: String,
    pub doing_seq: Seq,
    /// How many times as long as usual its turns take.
    pub slow: u32,
    /// What it sends does not reach the API server.
    pub(crate) cut: bool,
    /// The cluster as the component knows it while it does not follow: it stands still, or is cut off.
    pub(crate) stale: Option<View>,
    /// The component is at work until then.
    pub(crate) busy_until: Time,
    /// Its turn is not over: a webhook has a word about what it writes.
    pub(crate) waits: bool,
    /// When the wheel will call; `None` when it will not.
    pub(crate) wake: Option<Time>,
    /// A removed machine's kubelet: its place is not used again.
    pub(crate) gone: bool,
}

impl Clone for Slot {
    fn clone(&self) -> Self {
        Slot {
            component: self.component.share(),
            process: self.process.clone(),
            doing: self.doing.clone(),
            stale: self.stale.clone(),
            ..*self
        }
    }
}

/// A heap of (time, slot) with stale entries skipped when popped. Ties go to the lower slot: the order is
/// the same in every run.
#[derive(Clone, Default)]
pub(crate) struct Wakes(BinaryHeap<Reverse<(Time, usize)>>);

impl Wakes {
    /// Plans the slot's next turn no earlier than `floor`.
    pub fn schedule(&mut self, i: usize, slot: &mut Slot, floor: Time) {
        if slot.waits {
            return;
        }
        let at = slot.component.ready_at().map(|t| t.max(floor).max(slot.busy_until));
        // An earlier plan stays: new work does not delay what was due already.
        let at = match (slot.wake, at) {
            (Some(w), Some(t)) if w <= t => return,
            (_, at) => at,
        };
        slot.wake = at;
        if let Some(t) = at {
            self.0.push(Reverse((t, i)));
        }
    }
    /// Plans the slot's next call for then and no earlier.
    pub fn call_at(&mut self, i: usize, slot: &mut Slot, at: Time) {
        slot.wake = Some(at);
        self.0.push(Reverse((at, i)));
    }
    pub fn peek(&mut self, slots: &[Slot]) -> Option<(Time, usize)> {
        while let Some(Reverse((t, i))) = self.0.peek().copied() {
            if slots[i].wake == Some(t) {
                return Some((t, i));
            }
            self.0.pop();
        }
        None
    }
    pub fn pop(&mut self) {
        self.0.pop();
    }
}

impl Cluster {
    pub(crate) fn add_component(&mut self, component: Box<dyn Component>) {
        self.add_slot(component, None);
    }

    /// `cut_off`: all that it knows, because it does not reach the API server.
    pub(crate) fn add_slot(&mut self, component: Box<dyn Component>, cut_off: Option<View>) {
        let i = self.slots.len();
        let name = component.name().clone();
        let (process, is_led) = (component.process().into(), elections::is_led(&*component));
        for interest in component.interests() {
            self.routes.add(i, interest);
        }
        self.slots.push(Slot {
            component: component.into(),
            process,
            lamp: Lamp::Standby,
            steps: 0,
            doing: String::new(),
            doing_seq: 0,
            slow: 1,
            cut: cut_off.is_some(),
            stale: cut_off,
            busy_until: self.now,
            waits: false,
            wake: None,
            gone: false,
        });
        self.by_name.insert(name, i);
        if !is_led {
            self.start_slot(i);
        }
    }

    /// Starts (or restarts) a component: its memory is gone, it relists.
    pub(crate) fn start_slot(&mut self, i: usize) {
        self.hold.changed(i);
        self.hang_up(i);
        let slot = &mut self.slots[i];
        slot.lamp = Lamp::Running;
        slot.wake = None;
        slot.busy_until = self.now;
        if !slot.cut {
            slot.stale = None;
        }
        let view = slot.stale.as_ref().unwrap_or(&self.view);
        slot.component.start(&Cx { now: self.now, view, recording: self.config.recording });
        self.wakes.schedule(i, slot, self.now + STEP_COST);
    }

    /// Live slots in a fixed order.
    pub fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().filter(|s| !s.gone)
    }

    pub fn process_exists(&self, process: &str) -> bool {
        self.slots().any(|s| *s.process == *process)
    }

    /// What answers requests is no component, so its process cannot be stopped, nor can what it does besides.
    pub fn can_stop(process: &str) -> bool {
        process != controllers::definitions::PROCESS
    }

    /// Starts or stops all components of a process; false when there is no such process. Of programs that elect a leader one
    /// more is started ([`crate::elections`]).
    pub fn set_process(&mut self, process: &str, running: bool) -> bool {
        let mut members = self.members(process);
        let new = members.is_empty() && running && elections::may_be_added(process);
        if (members.is_empty() && !new) || !Self::can_stop(process) {
            return false;
        }
        if running && self.pause_process(process, false) {
            return true;
        }
        let cause = self.action(if running { "start-process" } else { "stop-process" }, process);
        if running && self.allow_container(process, true) {
            return true;
        }
        if new {
            self.add_replica(process);
            members = self.members(process);
        }
        if !running {
            self.release_lease(process, cause);
        }
        for i in members {
            match (running, self.slots[i].lamp) {
                (true, Lamp::Running | Lamp::Standby) => {}
                (true, _) if elections::is_led(&*self.slots[i].component) => self.slots[i].lamp = Lamp::Standby,
                (true, _) => self.start_slot(i),
                (false, _) => {
                    self.hang_up(i);
                    self.slots[i].lamp = Lamp::Stopped;
                    self.slots[i].wake = None;
                }
            }
        }
        self.allow_container(process, running);
        self.follow(process, running);
        self.note_process(cause, process, if running { "running" } else { "stopped" });
        true
    }

    /// `None`: there is no such component.
    pub fn lamp(&self, name: &str) -> Option<Lamp> {
        self.by_name.get(name).map(|i| self.slots[*i].lamp)
    }

    /// Whether a namespace without `default` ServiceAccount is about to get one.
    pub(crate) fn accounts_come(&self) -> bool {
        self.lamp(controllers::service_account::NAME) == Some(Lamp::Running)
    }

    pub fn component<C: Component>(&self, name: &str) -> Option<&C> {
        self.slots[*self.by_name.get(name)?].component.as_any().downcast_ref()
    }

    /// Gives the host a component of its own (a kubelet with an external runtime); its next turn is planned anew.
    pub fn with_component<C: Component, R>(&mut self, name: &str, f: impl FnOnce(&mut C) -> R) -> Option<R> {
        let i = *self.by_name.get(name)?;
        self.hold.changed(i);
        let slot = &mut self.slots[i];
        let r = f(slot.component.as_any_mut().downcast_mut()?);
        self.exchange(i);
        let slot = &mut self.slots[i];
        if slot.lamp == Lamp::Running {
            self.wakes.schedule(i, slot, self.now);
        }
        Some(r)
    }

    /// Takes what a component has put aside for its host. Nothing that it does depends on that, so nothing is planned anew:
    /// whether somebody looks makes no difference to what happens.
    pub(crate) fn take_from<C: Component, R>(&mut self, name: &str, f: impl FnOnce(&mut C) -> R) -> Option<R> {
        let i = *self.by_name.get(name)?;
        self.slots[i].component.as_any_mut().downcast_mut().map(f)
    }

    pub fn gauge(&self, slot: &Slot) -> Gauge {
        slot.component.gauge(self.now)
    }
}
