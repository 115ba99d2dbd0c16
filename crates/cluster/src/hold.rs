//! Holding a scheduling cycle before it happens, for people who step through it.
//!
//! The scheduler's turn is taken on a copy first. When somebody wants to look at what it came to, the cluster stands still
//! with nothing of it done: no turn is counted, nothing is written. Letting go takes the very same turn for real, so a
//! cluster that was held has the same history, to the last entry, as one that was not. What the copy came to is that
//! turn, unless the scheduler has seen something since: extenders, which are asked in it, are asked once.

use crate::{Cluster, Turn};
use meta::Time;
use reconcile::{Component, Cx, Step};
use scheduler::{Kept, Moment, Scheduler};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use trace::Seq;

/// Says whether a cycle, which has not happened yet, should be held.
pub type Wanted = Arc<dyn Fn(&Moment) -> bool + Send + Sync>;

/// A cycle that has not happened yet.
#[derive(Clone)]
pub struct Held {
    /// The number its trace entry will have.
    pub seq: Seq,
    pub at: Time,
    /// What it looks at, and its record.
    pub moment: Arc<Moment>,
    /// The scheduler as it stands in the middle of the cycle: the pod is in flight.
    pub scheduler: Arc<Scheduler>,
}

#[derive(Clone, Default)]
pub(crate) struct Hold {
    wanted: Option<Wanted>,
    held: Option<Held>,
    rehearsed: Rehearsed,
}

/// A turn that was taken on a copy, and what the component is after it. A copy of the cluster rehearses for itself.
#[derive(Default)]
struct Rehearsed(Option<(usize, Time, Box<Scheduler>, Step)>);

impl Clone for Rehearsed {
    fn clone(&self) -> Self {
        Rehearsed(None)
    }
}

impl Hold {
    /// The component of slot `i` is not any more what it was when its turn was rehearsed.
    pub(crate) fn changed(&mut self, i: usize) {
        if self.rehearsed.0.as_ref().is_some_and(|r| r.0 == i) {
            self.rehearsed = Rehearsed(None);
        }
    }
}

impl Cluster {
    /// From now on cycles that `wanted` finds interesting are held. One that is held stays so.
    pub fn hold_when(&mut self, wanted: Option<Wanted>) {
        self.hold.wanted = wanted;
    }
    pub fn held(&self) -> Option<&Held> {
        self.hold.held.as_ref()
    }
    /// Whether time stands still.
    pub(crate) fn is_held(&self) -> bool {
        self.hold.held.is_some()
    }

    /// Lets the held cycle happen; `None` when none is held.
    pub fn release(&mut self) -> Option<Turn> {
        self.hold.held.take()?;
        let (t, i) = self.wakes.peek(&self.slots)?;
        self.call(t, i)
    }

    /// Holds the turn that is due at `t` if somebody wants to see it.
    pub(crate) fn hold_turn(&mut self, t: Time, i: usize) -> bool {
        let Some(wanted) = &self.hold.wanted else { return false };
        if self.slots[i].lamp != crate::Lamp::Running {
            return false;
        }
        let Some(scheduler) = self.slots[i].component.as_any().downcast_ref::<Scheduler>() else { return false };
        let mut copy = scheduler.clone();
        let at = self.now.max(t);
        let cx = Cx { now: at, view: &self.view, recording: self.config.recording };
        // A panic will come again when the turn is taken for real, and is dealt with there.
        let Some(step) = catch_unwind(AssertUnwindSafe(|| copy.step(&cx))).ok().flatten() else { return false };
        let newest = step.cycle.as_ref().and_then(|c| c.source::<Kept>()).map(|k| Arc::new(k.moment()));
        let copy = Box::new(copy);
        let scheduler = newest.filter(|m| wanted(m)).map(|m| (m, Arc::new((*copy).clone())));
        self.hold.rehearsed = Rehearsed(Some((i, at, copy, step)));
        let Some((moment, scheduler)) = scheduler else { return false };
        self.now = at;
        // The turn's own entry comes before the cycle's.
        let seq = self.trace.last() + 2;
        self.hold.held = Some(Held { seq, at, moment, scheduler });
        true
    }

    /// The turn of slot `i`, if it was rehearsed just so; the component is then what it is after it.
    pub(crate) fn take_rehearsed(&mut self, i: usize) -> Option<Step> {
        let (slot, at, scheduler, step) = self.hold.rehearsed.0.take()?;
        if (slot, at) != (i, self.now) {
            return None;
        }
        let scheduler: Box<dyn Component> = scheduler;
        self.slots[i].component = scheduler.into();
        Some(step)
    }

    /// Puts another KubeSchedulerConfiguration in force, as a restart of kube-scheduler with it would; `text` is kept to
    /// be shown.
    ///
    /// # Errors
    /// What is wrong with it; then nothing changes.
    pub fn configure_scheduler(&mut self, document: &serde_json::Value, text: &str) -> Result<(), String> {
        let config = scheduler::Config::parse(document)
            .map_err(|errors| meta::field::aggregate(errors.iter().map(ToString::to_string)))?;
        let names: Vec<&str> = config.profiles.iter().map(|p| p.scheduler_name.as_str()).collect();
        let names = names.join(", ");
        let i = self.by_name.get("kube-scheduler").copied().ok_or("there is no kube-scheduler")?;
        self.hold.changed(i);
        let component = self.slots[i].component.as_any_mut().downcast_mut::<Scheduler>();
        component.ok_or("there is no kube-scheduler")?.reconfigure(config)?;
        self.action("configure-scheduler", &names);
        if self.slots[i].lamp == crate::Lamp::Running {
            self.start_slot(i);
        }
        self.config.scheduler = Some(document.clone());
        self.scheduler_text = Some(text.into());
        Ok(())
    }

    /// The scheduler's configuration as it was given; `None`: the default.
    pub fn scheduler_text(&self) -> Option<&str> {
        self.scheduler_text.as_deref()
    }
}
