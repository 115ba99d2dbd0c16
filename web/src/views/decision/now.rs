//! The step that was just made, in a sentence, with what the phase's plugins have said so far.

use super::ViewRef;
use super::phases::Phase;
use super::table::refusal;
use super::walk::{Walk, filtered, scored, units};
use crate::ctx::{Ctx, use_ctx};
use crate::i18n::explain;
use protocol::CycleView;
use protocol::cycle::Verdict;
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub cycle: ViewRef,
    pub walk: Walk,
}

/// A plugin's answer: name, verdict, words.
type Said = (String, Verdict, String);

/// What the plugins of a phase outside the grid said.
fn said(ctx: &Ctx, cycle: &CycleView, phase: Phase) -> Vec<Said> {
    let mut all: Vec<Said> = Vec::new();
    if phase == Phase::PreFilter {
        all.extend(cycle.pre_filter.iter().map(|r| {
            let text = match &r.node_names {
                Some(nodes) => ctx.tf("phase.narrowed", &[("nodes", &nodes.join(", "))]),
                None => r.reasons.join("; "),
            };
            (r.plugin.clone(), r.verdict, text)
        }));
    }
    let named = cycle.points.iter().filter(|r| r.point == phase.name());
    all.extend(named.map(|r| (r.plugin.clone(), r.verdict, r.reasons.join("; "))));
    all
}

fn sentence(ctx: &Ctx, cycle: &CycleView, walk: Walk) -> (&'static str, String) {
    let last = walk.done.wrapping_sub(1);
    match walk.phase {
        Phase::Filter => {
            let Some(row) = filtered(cycle).nth(last).map(|i| &cycle.rows[i]) else { return ("", String::new()) };
            match refusal(cycle, row) {
                Some(g) => {
                    let args = [("node", row.node.as_str()), ("plugin", &g.plugin), ("reason", &g.reasons.join("; "))];
                    ("bad", ctx.tf("walk.refused", &args))
                }
                None => {
                    let n = row.filters.iter().flatten().count().to_string();
                    ("good", ctx.tf("walk.passed", &[("node", &row.node), ("n", &n)]))
                }
            }
        }
        Phase::Score => {
            let Some(row) = scored(cycle).nth(last).map(|i| &cycle.rows[i]) else { return ("", String::new()) };
            let raw = cycle.scorers.iter().zip(&row.scores);
            let raw: Vec<String> = raw.filter_map(|((p, _), (raw, _))| Some(format!("{p} {}", (*raw)?))).collect();
            ("good", ctx.tf("walk.scored", &[("node", &row.node), ("scores", &raw.join(", "))]))
        }
        Phase::Normalize => {
            let Some((plugin, weight)) = cycle.scorers.get(last) else { return ("", String::new()) };
            let how = ctx.find(&format!("normalize.{plugin}")).unwrap_or(ctx.t("normalize.none"));
            let weight = weight.to_string();
            ("good", ctx.tf("walk.normalized", &[("plugin", plugin), ("how", how), ("weight", &weight)]))
        }
        phase => {
            let all = said(ctx, cycle, phase);
            match all.get(last) {
                Some((plugin, verdict, text)) => {
                    let (class, word) = verdict_word(ctx, *verdict);
                    (class, format!("{plugin}: {word}{}{text}", if text.is_empty() { "" } else { " · " }))
                }
                None if walk.done > 0 && phase == Phase::Reserve => match cycle.node.as_str() {
                    "" => ("", String::new()),
                    node => ("good", ctx.tf("walk.chosen", &[("node", node)])),
                },
                None => ("", if walk.done > 0 { ctx.t("walk.nothing").to_string() } else { String::new() }),
            }
        }
    }
}

#[component]
pub fn Now(p: &Props) -> Html {
    let ctx = use_ctx();
    let (cycle, walk) = (&p.cycle.0, p.walk);
    let (class, text) = sentence(&ctx, cycle, walk);
    let lines = said(&ctx, cycle, walk.phase);
    let n = units(cycle, walk.phase);
    html! {
        <div class="now" data-testid="points">
            <p class="now-about"><b>{ walk.phase.name() }</b>{ " " }{ ctx.find(&format!("phase.{}.about", walk.phase.name())).unwrap_or_default() }</p>
            <p class={classes!("now-step", class)} role="status" data-testid="now">
                if n > 1 && walk.done > 0 { <span class="num">{ format!("{}/{n}", walk.done.min(n)) }</span> }{ text }</p>
            <ul>
                { for lines.iter().take(walk.done).map(|(plugin, verdict, text)| {
                    let (class, word) = verdict_word(&ctx, *verdict);
                    html! { <li class={class} title={explain::plugin(ctx.lang, plugin)}><b>{ plugin.clone() }</b><span class="verdict">{ word }</span><span>{ text.clone() }</span></li> }
                }) }
            </ul>
        </div>
    }
}

pub fn verdict_word(ctx: &Ctx, verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Pass => ("good", ctx.t("verdict.pass")),
        Verdict::Skip => ("skip", ctx.t("verdict.skip")),
        Verdict::Unschedulable => ("bad", ctx.t("verdict.unschedulable")),
        Verdict::Unresolvable => ("bad", ctx.t("verdict.unresolvable")),
        Verdict::Wait => ("warn", ctx.t("verdict.wait")),
        Verdict::Error => ("bad", ctx.t("verdict.error")),
    }
}
