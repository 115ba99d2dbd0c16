//! A scheduling cycle's phases in the order the framework runs them, and how each ended. Pure.

use protocol::CycleView;
use protocol::cycle::Verdict;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    PreEnqueue,
    PreFilter,
    Filter,
    PostFilter,
    PreScore,
    Score,
    Normalize,
    Reserve,
    Permit,
    PreBind,
    Bind,
}

pub const PHASES: [Phase; 11] = [
    Phase::PreEnqueue,
    Phase::PreFilter,
    Phase::Filter,
    Phase::PostFilter,
    Phase::PreScore,
    Phase::Score,
    Phase::Normalize,
    Phase::Reserve,
    Phase::Permit,
    Phase::PreBind,
    Phase::Bind,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    Rejected,
    /// The cycle ended before, or had no need of it.
    NotReached,
}

impl Phase {
    /// The columns of filters belong to this phase.
    pub fn filters(self) -> bool {
        self <= Phase::PostFilter
    }
    /// The columns of scores do.
    pub fn scores(self) -> bool {
        self >= Phase::PreScore
    }
    /// Upstream's name of the extension point; never translated.
    pub fn name(self) -> &'static str {
        match self {
            Phase::PreEnqueue => "PreEnqueue",
            Phase::PreFilter => "PreFilter",
            Phase::Filter => "Filter",
            Phase::PostFilter => "PostFilter",
            Phase::PreScore => "PreScore",
            Phase::Score => "Score",
            Phase::Normalize => "NormalizeScore",
            Phase::Reserve => "Reserve",
            Phase::Permit => "Permit",
            Phase::PreBind => "PreBind",
            Phase::Bind => "Bind",
        }
    }
}

fn fine(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Pass | Verdict::Skip)
}

pub fn outcome(cycle: &CycleView, phase: Phase) -> Outcome {
    let rejected_early = cycle.pre_filter.iter().any(|p| !fine(p.verdict));
    let fitted = cycle.feasible_nodes > 0 || !cycle.node.is_empty();
    let points = || cycle.points.iter().filter(|p| p.point == phase.name());
    match phase {
        Phase::PreEnqueue if points().any(|p| !fine(p.verdict)) => Outcome::Rejected,
        Phase::PreEnqueue => Outcome::Passed,
        Phase::PreFilter if rejected_early => Outcome::Rejected,
        Phase::PreFilter => Outcome::Passed,
        Phase::Filter if rejected_early && cycle.rows.is_empty() => Outcome::NotReached,
        Phase::Filter if fitted => Outcome::Passed,
        Phase::Filter => Outcome::Rejected,
        Phase::PostFilter if fitted => Outcome::NotReached,
        Phase::PostFilter if !cycle.nominated_node.is_empty() => Outcome::Passed,
        Phase::PostFilter if points().next().is_some() || cycle.preemption.is_some() => Outcome::Rejected,
        Phase::PostFilter => Outcome::NotReached,
        Phase::PreScore | Phase::Score | Phase::Normalize if fitted => Outcome::Passed,
        Phase::PreScore | Phase::Score | Phase::Normalize => Outcome::NotReached,
        _ if !fitted => Outcome::NotReached,
        _ if points().any(|p| !fine(p.verdict)) => Outcome::Rejected,
        _ if !cycle.node.is_empty() => Outcome::Passed,
        _ => Outcome::NotReached,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Row;
    use protocol::cycle::PreFilterRecord;

    #[test]
    fn a_pod_that_fits_nowhere_ends_at_filter() {
        let cycle = CycleView { rows: vec![Row::default()], ..CycleView::default() };
        assert_eq!(outcome(&cycle, Phase::Filter), Outcome::Rejected);
        assert_eq!(outcome(&cycle, Phase::Score), Outcome::NotReached);
    }

    #[test]
    fn a_bound_pod_passes_everything_but_post_filter() {
        let row = Row { node: "a".into(), total: Some(1), ..Row::default() };
        let cycle = CycleView { node: "a".into(), rows: vec![row], feasible_nodes: 1, ..CycleView::default() };
        for phase in PHASES {
            let want = if phase == Phase::PostFilter { Outcome::NotReached } else { Outcome::Passed };
            assert_eq!(outcome(&cycle, phase), want, "{}", phase.name());
        }
    }

    #[test]
    fn a_pre_filter_refusal_ends_the_cycle_there() {
        let refused = PreFilterRecord { verdict: Verdict::Unresolvable, ..PreFilterRecord::default() };
        let cycle = CycleView { pre_filter: vec![refused], ..CycleView::default() };
        assert_eq!(outcome(&cycle, Phase::PreFilter), Outcome::Rejected);
        assert_eq!(outcome(&cycle, Phase::Filter), Outcome::NotReached);
    }
}
