//! Turns: the wheel calls a component, which takes one item and has its intents carried out.

use crate::errand::Errand;
use crate::intents::Attempt;
use crate::{Cluster, STEP_COST};
use apiserver::Request;
use meta::{Duration, Time};
use reconcile::{Announce, Cx, Intent, Reply, Step, Tolerate};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use trace::{Seq, What};

/// A turn that was taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    pub actor: Arc<str>,
    pub item: String,
    /// Its entry in the trace.
    pub seq: Seq,
    /// The entry of the scheduling cycle, when it was one.
    pub cycle: Option<Seq>,
}

impl Turn {
    /// The entry that its requests follow from.
    fn cause(&self) -> Seq {
        self.cycle.unwrap_or(self.seq)
    }
}

/// A turn that is being carried out.
pub(crate) struct Underway {
    turn: Turn,
    intents: std::vec::IntoIter<Intent>,
    replies: Vec<Reply>,
}

/// What an intent's answer is looked at for.
pub(crate) struct Sent {
    tolerate: Tolerate,
    announce: Option<Box<Announce>>,
}

/// What calling one component came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Woken {
    /// Nothing is due.
    Nobody,
    /// It had nothing to do after all, or it crashed, or has come back from that.
    InVain,
    Took(Turn),
}

impl Cluster {
    /// When the next turn is due; `None` when nothing will ever happen by itself.
    pub fn next_at(&mut self) -> Option<Time> {
        if self.is_held() {
            return None;
        }
        self.wakes.peek(&self.slots).map(|(t, _)| t.max(self.now))
    }

    /// Takes the next turn that is due by `until`; `None` when there is none.
    pub fn step(&mut self, until: Time) -> Option<Turn> {
        loop {
            match self.wake_one(until) {
                Woken::Nobody => return None,
                Woken::InVain => {}
                Woken::Took(turn) => return Some(turn),
            }
        }
    }

    /// Calls exactly one component that is due by `until`. A replay counts these calls.
    pub fn wake_one(&mut self, until: Time) -> Woken {
        if self.is_held() {
            return Woken::Nobody;
        }
        self.restart_lost();
        match self.wakes.peek(&self.slots) {
            Some((t, i)) if t <= until => {
                if self.hold_turn(t, i) {
                    return Woken::Nobody;
                }
                self.call(t, i).map_or(Woken::InVain, Woken::Took)
            }
            _ => Woken::Nobody,
        }
    }

    /// The turn of slot `i`, which is due at `t`.
    pub(crate) fn call(&mut self, t: Time, i: usize) -> Option<Turn> {
        self.wakes.pop();
        self.now = self.now.max(t);
        self.slots[i].wake = None;
        self.turns += 1;
        self.expire_leases();
        self.restore_own();
        if self.slots[i].lamp == crate::Lamp::Crashed {
            self.come_back(i);
            return None;
        }
        self.take_turn(i)
    }

    /// A turn that does not wait for the wheel.
    pub(crate) fn call_at_once(&mut self, i: usize) {
        self.slots[i].wake = None;
        self.turns += 1;
        self.take_turn(i);
    }

    /// Runs everything that is due by `t` and leaves the clock there.
    pub fn advance_to(&mut self, t: Time) {
        while self.step(t).is_some() {}
        self.set_clock(t);
    }
    pub fn advance(&mut self, d: Duration) {
        self.advance_to(self.now + d);
    }

    /// Steps until `done` or until `max` of virtual time has passed; whether it was done.
    pub fn run_until(&mut self, max: Duration, mut done: impl FnMut(&Cluster) -> bool) -> bool {
        let end = self.now + max;
        loop {
            if done(self) {
                return true;
            }
            if self.step(end).is_none() {
                self.set_clock(end);
                return done(self);
            }
        }
    }

    fn take_turn(&mut self, i: usize) -> Option<Turn> {
        if let Some(step) = self.take_rehearsed(i) {
            return self.finish_turn(i, step);
        }
        let slot = &mut self.slots[i];
        let view = slot.stale.as_ref().unwrap_or(&self.view);
        let cx = Cx { now: self.now, view, recording: self.config.recording };
        // Each panic is a bug; the others go on, as processes do.
        let step = match catch_unwind(AssertUnwindSafe(|| slot.component.step(&cx))) {
            Ok(step) => step,
            Err(panic) => {
                self.panicked(i, panic_text(&*panic));
                return None;
            }
        };
        self.exchange(i);
        let Some(step) = step else {
            let floor = self.now + STEP_COST;
            self.wakes.schedule(i, &mut self.slots[i], floor);
            return None;
        };
        self.finish_turn(i, step)
    }

    fn finish_turn(&mut self, i: usize, step: Step) -> Option<Turn> {
        let (turn, intents) = self.begin_turn(i, step);
        let replies = Vec::with_capacity(intents.len());
        self.go_on(i, Underway { turn, intents: intents.into_iter(), replies }, None)
    }

    fn begin_turn(&mut self, i: usize, step: Step) -> (Turn, Vec<Intent>) {
        let actor = self.slots[i].component.name().clone();
        let seq = if self.trace.is_on() {
            let what = What::Step { item: step.item.as_str().into(), notes: step.notes };
            self.trace.push(self.now, step.cause, &actor, what)
        } else {
            self.trace.skip()
        };
        let cycle = step.cycle.map(|cycle| self.trace.push(self.now, seq, &actor, What::Cycle { cycle }));
        let cost = if step.cost == Duration::ZERO { STEP_COST } else { step.cost };
        self.slots[i].busy_until = self.now + Duration(cost.0.saturating_mul(u64::from(self.slots[i].slow)));
        (Turn { actor, item: step.item, seq, cycle }, step.intents)
    }

    /// Carries out what is left of a turn, beginning with the request that was given up; `None`: one waits for a webhook.
    pub(crate) fn go_on(
        &mut self,
        i: usize,
        mut turn: Underway,
        mut again: Option<(Sent, Request, Errand)>,
    ) -> Option<Turn> {
        let (actor, cause) = (turn.turn.actor.clone(), turn.turn.cause());
        let waited = again.is_some();
        let elects = self.slots[i].component.as_any().is::<reconcile::Elector>();
        if elects {
            std::mem::swap(&mut self.rng, &mut self.election_rng);
        }
        loop {
            let (sent, reply) = match again.take() {
                Some((sent, req, errand)) => (sent, self.attempt(&actor, cause, req, Some(errand))),
                None => {
                    let Some(Intent { write, tolerate, announce }) = turn.intents.next() else { break };
                    (Sent { tolerate, announce }, self.carry_out_intent(i, &actor, cause, write))
                }
            };
            let reply = match reply {
                Attempt::Done(reply) => reply,
                Attempt::Waits(req, errand) => {
                    self.park(errand, (actor, cause, *req), Some((i, Box::new((turn, sent)))));
                    if elects {
                        std::mem::swap(&mut self.rng, &mut self.election_rng);
                    }
                    return None;
                }
            };
            // Events are best effort: what becomes of this one changes nothing.
            if let Some(event) = sent.announce.and_then(|a| a.event(&reply))
                && let Attempt::Waits(req, errand) = self.carry_out_intent(i, &actor, cause, event)
            {
                self.park(errand, (actor.clone(), cause, *req), None);
            }
            let reply = match reply {
                Err(e) if sent.tolerate.allows(&e) => Ok(None),
                reply => reply,
            };
            let failed = reply.is_err();
            turn.replies.push(reply);
            if failed {
                break;
            }
        }
        if elects {
            std::mem::swap(&mut self.rng, &mut self.election_rng);
        }
        let slot = &mut self.slots[i];
        let view = slot.stale.as_ref().unwrap_or(&self.view);
        let cx = Cx { now: self.now, view, recording: self.config.recording };
        slot.component.settled(&cx, &turn.replies, cause);
        self.call_cloud(i);
        self.check_remotes(i);
        self.follow_election(i, turn.turn.seq);
        let slot = &mut self.slots[i];
        slot.steps += 1;
        slot.doing.clone_from(&turn.turn.item);
        slot.doing_seq = turn.turn.seq;
        if waited {
            slot.busy_until = slot.busy_until.max(self.now + STEP_COST);
        }
        let floor = slot.busy_until;
        // It may have died of its turn.
        if slot.lamp == crate::Lamp::Running {
            self.wakes.schedule(i, slot, floor);
        }
        Some(turn.turn)
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panicked".into())
}
