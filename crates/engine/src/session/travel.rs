//! Looking at the past: which moment is shown, and the way to another. The present stands still meanwhile.

use super::line::Line;
use super::player::{Player, Record, Target};
use crate::debugger::Debugger;
use cluster::Cluster;
use meta::Time;

/// A moment that is on its way to be shown.
struct Seek {
    player: Player,
    target: Target,
    /// Which decision it is, counted from 0, when one was asked for.
    decision: Option<usize>,
}

/// The past is shown, or is about to be.
pub(crate) struct Travel {
    /// What has happened, up to the present.
    record: Record,
    shown: Option<Player>,
    /// The decision that is shown, when nothing has happened since it.
    decision: Option<usize>,
    seek: Option<Seek>,
    /// Answers questions about the shown moment.
    pub debugger: Debugger,
    /// Whether the present ran before, and does again.
    pub ran: bool,
}

/// What a slice of it came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slice {
    /// What is shown is the same, or went on.
    On,
    /// What is shown comes before what was.
    Rewound,
    /// The present is reached.
    Now,
}

impl Travel {
    pub fn new(record: Record, ran: bool) -> Travel {
        let (shown, decision, seek, debugger) = Default::default();
        Travel { record, shown, decision, seek, debugger, ran }
    }

    pub fn shown(&self) -> Option<&Player> {
        self.shown.as_ref()
    }
    pub fn parts(&mut self) -> Option<(&mut Cluster, &mut Debugger)> {
        Some((&mut self.shown.as_mut()?.cluster, &mut self.debugger))
    }
    pub fn into_shown(self) -> Option<Player> {
        self.shown
    }
    pub fn is_seeking(&self) -> bool {
        self.seek.is_some()
    }
    pub fn decision(&self) -> Option<usize> {
        self.decision
    }

    /// Makes for a moment of `line`, at whose end `present` is. False: nothing is known of the way.
    pub fn make_for(&mut self, line: &Line, present: &Cluster, target: Target, decision: Option<usize>) -> bool {
        let Some(kept) = line.checkpoints.nearest(target) else { return false };
        // On from what is shown, when that is the shorter way.
        let shown = self.shown.as_ref().filter(|s| s.comes_before(target) && s.turns() >= kept.turns());
        let player = match shown {
            Some(shown) => Some(shown.clone()),
            None => line.player(present, target),
        };
        self.seek = player.map(|player| Seek { player, target, decision });
        self.seek.is_some()
    }

    /// Goes on with the way to another moment.
    pub fn run(&mut self, out_of_budget: impl FnMut() -> bool) -> Slice {
        let Some(mut seek) = self.seek.take() else { return Slice::On };
        if !seek.player.run(&self.record, seek.target, out_of_budget) {
            self.seek = Some(seek);
            return Slice::On;
        }
        let rewound = self.shown.as_ref().is_none_or(|s| seek.player.at() < s.at());
        (self.decision, self.shown) = (seek.decision, Some(seek.player));
        if rewound { Slice::Rewound } else { Slice::On }
    }

    /// Lets time pass in the past, as it did then, until `target` or until it is to `stop`.
    pub fn play(&mut self, target: Time, mut stop: impl FnMut(&Cluster) -> bool) -> Slice {
        let Some(player) = &mut self.shown else { return Slice::On };
        self.decision = None;
        loop {
            match player.next_at(&self.record) {
                None if target >= self.record.now => return Slice::Now,
                Some(at) if at <= target => player.step(&self.record),
                _ => break,
            };
            if stop(&player.cluster) {
                return Slice::On;
            }
        }
        player.cluster.set_clock(target);
        Slice::On
    }

    /// One turn, or one input.
    pub fn step(&mut self) -> Slice {
        self.decision = None;
        let went_on = self.shown.as_mut().is_some_and(|player| player.step(&self.record));
        if went_on { Slice::On } else { Slice::Now }
    }
}
