//! Walking over a recorded cycle: how far one has come, and what can be seen from there. Pure.

use super::phases::{Outcome, PHASES, Phase, outcome};
use protocol::CycleView;

/// After `done` units of `phase`; all phases before it are over, all after it have not begun. A unit is what the
/// framework does at once: a plugin in most phases, a node in Filter and Score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Walk {
    pub phase: Phase,
    pub done: usize,
}

/// The nodes that went through Filter, as indices of rows, in their order.
pub fn filtered(cycle: &CycleView) -> impl Iterator<Item = usize> + '_ {
    (0..cycle.rows.len()).filter(|i| cycle.rows[*i].filters.iter().any(Option::is_some))
}

/// The nodes that were scored.
pub fn scored(cycle: &CycleView) -> impl Iterator<Item = usize> + '_ {
    (0..cycle.rows.len()).filter(|i| cycle.rows[*i].total.is_some())
}

/// How many steps a phase has. One that left no record of its own is a step all the same, unless it was not reached.
pub fn units(cycle: &CycleView, phase: Phase) -> usize {
    if outcome(cycle, phase) == Outcome::NotReached {
        return 0;
    }
    let points = cycle.points.iter().filter(|p| p.point == phase.name()).count();
    let n = match phase {
        Phase::PreFilter => cycle.pre_filter.len(),
        Phase::Filter => filtered(cycle).count(),
        Phase::Score => scored(cycle).count(),
        Phase::Normalize if scored(cycle).next().is_some() => cycle.scorers.len(),
        _ => points,
    };
    n.max(1)
}

fn reached(cycle: &CycleView) -> impl DoubleEndedIterator<Item = Phase> + '_ {
    PHASES.into_iter().filter(|p| units(cycle, *p) > 0)
}

impl Walk {
    /// Before anything was decided.
    pub fn start() -> Walk {
        Walk { phase: Phase::PreEnqueue, done: 0 }
    }
    /// After the whole of a phase.
    pub fn after(cycle: &CycleView, phase: Phase) -> Walk {
        Walk { phase, done: units(cycle, phase) }
    }
    pub fn end(cycle: &CycleView) -> Walk {
        Walk::after(cycle, reached(cycle).next_back().unwrap_or(Phase::PreEnqueue))
    }
    pub fn is_end(self, cycle: &CycleView) -> bool {
        self >= Walk::end(cycle)
    }
    /// One unit on.
    pub fn forward(self, cycle: &CycleView) -> Walk {
        if self.done < units(cycle, self.phase) {
            return Walk { done: self.done + 1, ..self };
        }
        reached(cycle).find(|p| *p > self.phase).map_or(self, |phase| Walk { phase, done: 1 })
    }
    /// One unit back.
    pub fn back(self, cycle: &CycleView) -> Walk {
        match self.done {
            0 | 1 => match reached(cycle).rfind(|p| *p < self.phase) {
                Some(before) => Walk::after(cycle, before),
                None => Walk::start(),
            },
            n => Walk { done: n - 1, ..self },
        }
    }
    /// To the end of this phase, or of the next one.
    pub fn over(self, cycle: &CycleView) -> Walk {
        if self.done < units(cycle, self.phase) {
            return Walk::after(cycle, self.phase);
        }
        reached(cycle).find(|p| *p > self.phase).map_or(self, |phase| Walk::after(cycle, phase))
    }
    /// To the end of the phase before.
    pub fn over_back(self, cycle: &CycleView) -> Walk {
        match reached(cycle).rfind(|p| *p < self.phase) {
            Some(before) => Walk::after(cycle, before),
            None => Walk::start(),
        }
    }

    /// How many units of a phase can be seen.
    fn seen(self, phase: Phase) -> usize {
        match self.phase.cmp(&phase) {
            std::cmp::Ordering::Less => 0,
            std::cmp::Ordering::Equal => self.done,
            std::cmp::Ordering::Greater => usize::MAX,
        }
    }
}

/// What of the table is filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Nodes, in the order they were looked at.
    pub filtered: usize,
    pub scored: usize,
    /// Plugins whose scores are normalized and weighted, in the order of the columns.
    pub normalized: usize,
    pub totals: bool,
    pub winner: bool,
    /// The node of the step that was just made.
    pub current: Option<usize>,
}

impl Seen {
    pub const ALL: Seen = Seen {
        filtered: usize::MAX,
        scored: usize::MAX,
        normalized: usize::MAX,
        totals: true,
        winner: true,
        current: None,
    };
    pub const NOTHING: Seen =
        Seen { filtered: 0, scored: 0, normalized: 0, totals: false, winner: false, current: None };

    pub fn at(cycle: &CycleView, walk: Option<Walk>) -> Seen {
        let Some(walk) = walk else { return Seen::ALL };
        let current = match walk.phase {
            Phase::Filter => filtered(cycle).nth(walk.done.wrapping_sub(1)),
            Phase::Score => scored(cycle).nth(walk.done.wrapping_sub(1)),
            _ => None,
        };
        Seen {
            filtered: walk.seen(Phase::Filter),
            scored: walk.seen(Phase::Score),
            normalized: walk.seen(Phase::Normalize),
            totals: walk.seen(Phase::Normalize) >= units(cycle, Phase::Normalize),
            winner: walk.phase > Phase::Normalize,
            current,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Row;
    use protocol::cycle::Verdict;

    fn row(name: &str, fits: bool) -> Row {
        let verdict = if fits { Verdict::Pass } else { Verdict::Unschedulable };
        Row { node: name.into(), filters: vec![Some(verdict)], total: fits.then_some(1), ..Row::default() }
    }
    fn bound() -> CycleView {
        let rows = vec![row("a", true), row("b", false), row("c", true)];
        let scorers = vec![("Fit".into(), 1), ("Image".into(), 1)];
        CycleView { node: "c".into(), rows, scorers, feasible_nodes: 2, ..CycleView::default() }
    }

    #[test]
    fn every_step_is_walked_once_there_and_back() {
        let cycle = bound();
        let mut there = vec![Walk::start()];
        while !there.last().unwrap().is_end(&cycle) {
            let next = there.last().unwrap().forward(&cycle);
            assert!(next > *there.last().unwrap(), "{next:?}");
            there.push(next);
        }
        // PreEnqueue, PreFilter, three nodes, PreScore, two nodes, two plugins, Reserve, Permit, PreBind, Bind.
        assert_eq!(there.len(), 1 + 2 + 3 + 1 + 2 + 2 + 4);
        let mut at = *there.last().unwrap();
        for before in there.iter().rev().skip(1) {
            at = at.back(&cycle);
            assert_eq!(at, *before);
        }
    }

    #[test]
    fn over_goes_from_phase_to_phase_and_leaves_out_what_was_not_reached() {
        let cycle = bound();
        let mut at = Walk::start();
        let mut names = Vec::new();
        while !at.is_end(&cycle) {
            at = at.over(&cycle);
            names.push(at.phase.name());
        }
        let all = "PreEnqueue PreFilter Filter PreScore Score NormalizeScore Reserve Permit PreBind Bind";
        assert_eq!(names.join(" "), all);
        assert_eq!(at.over_back(&cycle).phase, Phase::PreBind);
    }

    #[test]
    fn the_table_fills_as_one_walks() {
        let cycle = bound();
        let after_one = Walk { phase: Phase::Filter, done: 1 };
        let seen = Seen::at(&cycle, Some(after_one));
        assert_eq!((seen.filtered, seen.scored, seen.current), (1, 0, Some(0)));
        let seen = Seen::at(&cycle, Some(Walk { phase: Phase::Score, done: 2 }));
        assert_eq!((seen.filtered, seen.scored, seen.current, seen.totals), (usize::MAX, 2, Some(2), false));
        let seen = Seen::at(&cycle, Some(Walk::after(&cycle, Phase::Normalize)));
        assert!(seen.totals && !seen.winner);
        assert!(Seen::at(&cycle, Some(Walk::end(&cycle))).winner);
    }
}
