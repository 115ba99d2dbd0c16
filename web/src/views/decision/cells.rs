//! The cells of the table: a tick, a cross, or a score's bar.

use super::phases::Phase;
use super::walk::{Seen, Walk};
use crate::ctx::Ctx;
use crate::format;
use crate::views::icon::Icon;
use protocol::cycle::Verdict;
use protocol::{CycleView, Row};
use yew::prelude::*;

/// What all cells of one rendering share.
pub(super) struct Columns<'a> {
    pub seen: Seen,
    /// The highest total.
    pub best: Option<i64>,
    pub winner: Option<&'a str>,
    pub walk: Option<Walk>,
}

/// What every cell has: how it is marked, its name for assistive tools while keys are on it, and a click.
pub(super) struct Frame {
    pub class: Classes,
    pub id: Option<String>,
    pub onclick: Callback<MouseEvent>,
}

/// What a filter said of a node.
pub(super) struct Said<'a> {
    pub plugin: &'a str,
    pub verdict: Option<Verdict>,
    /// Of the refusal that the node met.
    pub reasons: &'a str,
    /// The walk has come past it.
    pub seen: bool,
}

pub(super) fn filter_cell(ctx: &Ctx, said: &Said, frame: Frame) -> Html {
    let Said { plugin, verdict, reasons, seen } = *said;
    let Frame { class, id, onclick } = frame;
    if !seen {
        return html! { <span role="gridcell" class={classes!("cell", "unseen", class)} aria-label={ctx.t("grid.not-yet")} {id} /> };
    }
    let Some(verdict) = verdict else {
        return html! { <span role="gridcell" class={classes!("cell", "none", class)} title={ctx.t("grid.not-run")} {id} {onclick}>{ "·" }</span> };
    };
    let (kind, icon, word) = match verdict {
        Verdict::Pass => ("good", "check", ctx.t("verdict.pass")),
        Verdict::Skip => ("skip", "", ctx.t("verdict.skip")),
        _ => ("bad", "cross", ctx.t("verdict.unschedulable")),
    };
    let refused = kind == "bad" && !reasons.is_empty();
    let label = if refused { format!("{plugin}: {reasons}") } else { format!("{plugin}: {word}") };
    html! {
        <span role="gridcell" class={classes!("cell", kind, class)} title={label.clone()} aria-label={label} {id} {onclick}>
            if icon.is_empty() { { "–" } } else { <Icon name={icon} /> }
        </span>
    }
}

/// A plugin's score for a node, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    pub raw: i64,
    pub normalized: Option<i64>,
    pub weight: i64,
}

impl Score {
    pub fn weighted(self) -> Option<i64> {
        Some(self.normalized? * self.weight)
    }
    /// `40 → 60 × 2 = 120`
    pub fn arithmetic(self) -> String {
        let Some(n) = self.normalized else { return self.raw.to_string() };
        let tail = format!("{n} × {} = {}", self.weight, n * self.weight);
        if self.raw == n { tail } else { format!("{} → {tail}", self.raw) }
    }
    /// Of a row, by the number of the column.
    pub fn of(cycle: &CycleView, row: &Row, column: usize) -> Option<Score> {
        let (raw, normalized) = *row.scores.get(column)?;
        Some(Score { raw: raw?, normalized, weight: cycle.scorers.get(column)?.1 })
    }
}

/// Raw -> normalized x weight; the bar is the normalized score out of 100. `later`: it is not known yet.
pub(super) fn score_cell(ctx: &Ctx, score: Option<Score>, walk: Option<Walk>, later: bool, frame: Frame) -> Html {
    let Frame { class, id, onclick } = frame;
    let Some(s) = score else {
        // While one walks an empty cell is filled later; in a full table the node was not scored.
        let early = later || walk.is_some_and(|w| w.phase <= Phase::Score);
        let text = if early { "" } else { "·" };
        return html! { <span role="gridcell" class={classes!("cell", "none", class)} aria-label={early.then(|| ctx.t("grid.not-yet"))} {id}>{ text }</span> };
    };
    let text = s.arithmetic();
    html! {
        <span role="gridcell" class={classes!("score", s.normalized.is_none().then_some("raw"), class)} title={text} {id} {onclick}>
            <span class="score-track"><span style={format!("width:{:.0}%", format::percent(s.normalized.unwrap_or(s.raw), 100))} /></span>
            <span class="num">
                if let Some(n) = s.normalized {
                    if s.raw != n { <small>{ s.raw }{ " → " }</small> }{ n }<small>{ format!(" = {}", n * s.weight) }</small>
                } else { { s.raw } }
            </span>
        </span>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_written_as_it_is_counted() {
        let text = |raw, normalized| Score { raw, normalized, weight: 2 }.arithmetic();
        assert_eq!([text(40, Some(60)), text(60, Some(60)), text(7, None)], ["40 → 60 × 2 = 120", "60 × 2 = 120", "7"]);
        assert_eq!(Score { raw: 1, normalized: Some(50), weight: 3 }.weighted(), Some(150));
    }
}
