//! Taking a session's record again: its inputs at their turns, and the turns between them.

use crate::actions;
use crate::debugger::Debugger;
use cluster::{Cluster, Woken};
use meta::Time;
use protocol::Command;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use trace::Seq;

/// Something that was done to a cluster, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// Turns taken before it.
    pub turns: u64,
    /// The clock when it came.
    pub now: Time,
    /// What was done at once has the same number; 0 in sessions that were saved without.
    #[serde(default, skip_serializing_if = "is_none")]
    pub deed: u64,
    /// With the first input of a deed: the line of a terminal that it came from.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub line: String,
    pub command: Command,
}

fn is_none(n: &u64) -> bool {
    *n == 0
}

impl Input {
    /// About what it takes up in a saved session.
    pub fn bytes(&self) -> usize {
        serde_json::to_string(&self.command).map_or(0, |s| s.len())
    }
}

/// What happened from a session's beginning to its end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    pub(crate) inputs: Vec<Arc<Input>>,
    /// Where it ends: turns and clock.
    pub(crate) turns: u64,
    pub(crate) now: Time,
}

/// A moment of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// After so many turns, and the inputs that came before the next.
    Turn(u64),
    /// With everything that happened until then; microseconds since the epoch.
    Time(Time),
    /// Right after the turn or the input that wrote the trace entry of this number.
    Entry(Seq),
    /// Right before the input of this number, counted from 0.
    Input(usize),
}

/// A cluster somewhere along a record.
#[derive(Clone)]
pub struct Player {
    pub cluster: Cluster,
    /// Inputs of the record that it has had.
    pub(crate) inputs: usize,
}

/// What comes next on a record.
enum Next {
    Input(Time),
    Turn(Time),
    /// Nothing but the clock, which goes on until then.
    End(Time),
}

impl Player {
    /// Turns taken.
    pub fn turns(&self) -> u64 {
        self.cluster.turns()
    }

    /// Later moments of one record have larger ones.
    pub fn at(&self) -> (u64, usize, Time) {
        (self.cluster.turns(), self.inputs, self.cluster.now())
    }

    /// Whether the way to the moment may begin here.
    pub(crate) fn comes_before(&self, target: Target) -> bool {
        match target {
            Target::Turn(n) => self.cluster.turns() <= n,
            Target::Time(t) => self.cluster.now() <= t,
            Target::Entry(seq) => self.cluster.trace().last() < seq,
            Target::Input(n) => self.inputs <= n,
        }
    }

    fn next(&mut self, record: &Record) -> Next {
        match record.inputs.get(self.inputs) {
            Some(input) if input.turns <= self.cluster.turns() => return Next::Input(input.now),
            _ if self.cluster.turns() >= record.turns => {}
            _ => {
                if let Some(at) = self.cluster.next_at() {
                    return Next::Turn(at);
                }
            }
        }
        Next::End(record.now)
    }

    /// When the next thing of the record happens; `None`: nothing does before its end.
    pub fn next_at(&mut self, record: &Record) -> Option<Time> {
        match self.next(record) {
            Next::Input(at) | Next::Turn(at) => Some(at),
            Next::End(_) => None,
        }
    }

    /// One input or one turn; false: the record is at its end.
    pub fn step(&mut self, record: &Record) -> bool {
        match self.next(record) {
            Next::Turn(_) => self.cluster.wake_one(Time(u64::MAX)) != Woken::Nobody,
            Next::Input(now) => {
                self.cluster.set_clock(now);
                if let Some(input) = record.inputs.get(self.inputs) {
                    actions::act_with(&mut self.cluster, &mut Debugger::default(), &input.command);
                }
                self.inputs += 1;
                true
            }
            Next::End(now) => {
                self.cluster.set_clock(now);
                false
            }
        }
    }

    /// Goes on to the moment, or the record's end if that comes first; false when it ran out of budget before.
    pub fn run(&mut self, record: &Record, target: Target, mut out_of_budget: impl FnMut() -> bool) -> bool {
        while !self.is_at(record, target) && self.step(record) {
            if out_of_budget() {
                return false;
            }
        }
        if let Target::Time(t) = target {
            self.cluster.set_clock(t.min(record.now));
        }
        if let (Target::Input(_), Some(input)) = (target, record.inputs.get(self.inputs)) {
            self.cluster.set_clock(input.now);
        }
        true
    }

    fn is_at(&mut self, record: &Record, target: Target) -> bool {
        match target {
            Target::Entry(seq) => self.cluster.trace().last() >= seq,
            Target::Input(n) => self.inputs >= n && matches!(self.next(record), Next::Input(_)),
            Target::Turn(n) => match self.next(record) {
                Next::Input(_) => self.cluster.turns() > n,
                _ => self.cluster.turns() >= n,
            },
            Target::Time(t) => match self.next(record) {
                Next::Input(at) | Next::Turn(at) => at > t,
                Next::End(now) => now > t,
            },
        }
    }
}
