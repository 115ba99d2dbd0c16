//! A scheduling decision: the phases to step along, the grid of nodes and plugins, and what it came to, in words.

use super::decision_grid::Grid;
use super::icon::Icon;
use super::phases::{Outcome, PHASES, Phase, outcome};
use crate::ctx::{Ctx, use_ctx};
use crate::format;
use crate::i18n::explain;
use crate::model::kinds;
use crate::ui::{Action, InspectorTab};
use protocol::Cycle;
use protocol::cycle::Verdict;
use std::sync::Arc;
use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub version: u64,
    /// Of the list of cycles.
    pub list: u64,
    /// The chosen one; none while the newest is followed.
    pub cycle: Option<u64>,
    pub follow: bool,
}

/// A recorded cycle never changes.
#[derive(Clone)]
pub struct CycleRef(pub Arc<Cycle>);

impl PartialEq for CycleRef {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

#[component]
pub fn Decision(p: &Props) -> Html {
    let ctx = use_ctx();
    let phase = use_state(|| None::<Phase>);
    let model = ctx.model.get();
    let shown = model.cycle.as_ref().filter(|(seq, _)| p.cycle.is_none_or(|c| c == *seq));
    let head = html! { <Head list={p.list} shown={shown.map(|(seq, _)| *seq).or(p.cycle)} follow={p.follow} /> };
    let Some((_, cycle)) = shown else {
        let text = if model.cycles.is_empty() { ctx.t("decision.empty") } else { ctx.t("decision.waiting") };
        return html! { <div class="decision" data-testid="decision">{ head }<div class="stage-message"><p>{ text }</p></div></div> };
    };
    let pick = {
        let phase = phase.clone();
        Callback::from(move |p: Option<Phase>| phase.set(p))
    };
    html! {
        <div class="decision" data-testid="decision">
            { head }
            <Strip cycle={CycleRef(cycle.clone())} phase={*phase} on={pick} />
            <div class="decision-body">
                <div class="decision-main">
                    { points(&ctx, cycle, *phase) }
                    <Grid cycle={CycleRef(cycle.clone())} phase={*phase} />
                </div>
                <Words cycle={CycleRef(cycle.clone())} />
            </div>
        </div>
    }
}

#[derive(PartialEq, Properties)]
struct HeadProps {
    list: u64,
    shown: Option<u64>,
    follow: bool,
}

/// Which decision: older, newer, one of the list, or always the newest.
#[component]
fn Head(p: &HeadProps) -> Html {
    const LISTED_MAX: usize = 100;
    let _ = p.list;
    let ctx = use_ctx();
    let model = ctx.model.get();
    let at = p.shown.and_then(|seq| model.cycles.binary_search_by_key(&seq, |c| c.seq).ok());
    let neighbour =
        |by: isize| at.and_then(|i| i.checked_add_signed(by)).and_then(|i| model.cycles.get(i)).map(|c| c.seq);
    let go = |seq: Option<u64>, icon: &'static str, label: &'static str| {
        html! { <button class="icon-button" disabled={seq.is_none()} aria-label={label} title={label} onclick={ctx.on(Action::Cycle(seq.unwrap_or(0)))}><Icon name={icon} /></button> }
    };
    let onchange = {
        let ctx = ctx.clone();
        Callback::from(move |e: Event| {
            let select = e.target().and_then(|t| t.dyn_into::<HtmlSelectElement>().ok());
            if let Some(seq) = select.and_then(|s| s.value().parse().ok()) {
                ctx.act(Action::Cycle(seq));
            }
        })
    };
    // A list that was chosen from ignores which option is marked: its value has to be set.
    let select = use_node_ref();
    {
        let select = select.clone();
        use_effect_with((p.shown, p.list), move |(shown, _)| {
            if let (Some(select), Some(seq)) = (select.cast::<HtmlSelectElement>(), shown) {
                select.set_value(&seq.to_string());
            }
        });
    }
    let on_follow = {
        let ctx = ctx.clone();
        Callback::from(move |e: Event| {
            let input = e.target().and_then(|t| t.dyn_into::<HtmlInputElement>().ok());
            ctx.act(Action::FollowCycles(input.is_some_and(|i| i.checked())));
        })
    };
    html! {
        <div class="decision-head">
            { go(neighbour(-1), "left", ctx.t("decision.older")) }
            { go(neighbour(1), "right", ctx.t("decision.newer")) }
            <select ref={select} data-testid="decisions" aria-label={ctx.t("decision.pick")} {onchange}>
                { for model.cycles.iter().rev().take(LISTED_MAX).map(|c| {
                    let result = if c.node.is_empty() { ctx.t("decision.nowhere").to_string() } else { c.node.clone() };
                    let time = format::moment(c.time, model.clock.epoch);
                    html! { <option key={c.seq} value={c.seq.to_string()} selected={p.shown == Some(c.seq)}>{ format!("{time}  {}/{} → {result}", c.namespace, c.name) }</option> }
                }) }
            </select>
            <label class="check"><input type="checkbox" data-testid="follow" checked={p.follow} onchange={on_follow} />{ ctx.t("decision.follow") }</label>
        </div>
    }
}

#[derive(PartialEq, Properties)]
struct StripProps {
    cycle: CycleRef,
    phase: Option<Phase>,
    on: Callback<Option<Phase>>,
}

#[component]
fn Strip(p: &StripProps) -> Html {
    let ctx = use_ctx();
    let cycle = &p.cycle.0;
    let onkeydown = {
        let (on, phase) = (p.on.clone(), p.phase);
        Callback::from(move |e: KeyboardEvent| {
            let by = match e.key().as_str() {
                "ArrowRight" if !e.shift_key() => 1,
                "ArrowLeft" => -1,
                _ => return,
            };
            e.prevent_default();
            e.stop_propagation();
            on.emit(Some(phase.map_or(Phase::PreEnqueue, |p| p.next(by))));
        })
    };
    let detail = |phase: Phase| -> String {
        let feasible = cycle.nodes.iter().filter(|n| n.total.is_some()).count().max(cycle.feasible_nodes);
        match phase {
            Phase::Filter if !cycle.nodes.is_empty() => format!("{feasible}/{}", cycle.nodes.len()),
            Phase::PreFilter if !cycle.pre_filter.is_empty() => {
                let skipped = cycle.pre_filter.iter().filter(|p| p.verdict == Verdict::Skip).count();
                ctx.tf("phase.skipped", &[("n", &skipped.to_string())])
            }
            Phase::PostFilter if !cycle.victims.is_empty() => {
                ctx.tf("phase.victims", &[("n", &cycle.victims.len().to_string())])
            }
            Phase::Bind => cycle.node.clone().unwrap_or_default(),
            _ => String::new(),
        }
    };
    html! {
        <div class="strip" role="tablist" aria-label={ctx.t("phase.label")} data-testid="phases" {onkeydown}>
            <button role="tab" class="all" aria-selected={p.phase.is_none().to_string()} onclick={p.on.reform(|_| None)}>{ ctx.t("phase.all") }</button>
            { for PHASES.iter().map(|phase| {
                let phase = *phase;
                let (class, icon) = match outcome(cycle, phase) {
                    Outcome::Passed => ("passed", Some("check")),
                    Outcome::Rejected => ("rejected", Some("cross")),
                    Outcome::NotReached => ("not-reached", None),
                };
                let about = ctx.find(&format!("phase.{}.about", phase.name())).unwrap_or_default();
                html! {
                    <button role="tab" class={class} aria-selected={(p.phase == Some(phase)).to_string()} title={about} data-testid={format!("phase-{}", phase.name())}
                        onclick={p.on.reform(move |_| Some(phase))}>
                        <span class="phase-name">if let Some(icon) = icon { <Icon name={icon} /> }{ phase.name() }</span>
                        <small>{ detail(phase) }</small>
                    </button>
                }
            }) }
        </div>
    }
}

/// What the plugins of a phase outside the grid said, with the phase in a sentence.
fn points(ctx: &Ctx, cycle: &Cycle, phase: Option<Phase>) -> Html {
    let Some(phase) = phase else { return Html::default() };
    let mut lines: Vec<(String, Verdict, String)> = Vec::new();
    if phase == Phase::PreFilter {
        for r in &cycle.pre_filter {
            let mut text = r.reasons.join("; ");
            if let Some(nodes) = &r.node_names {
                text = ctx.tf("phase.narrowed", &[("nodes", &nodes.join(", "))]);
            }
            lines.push((r.plugin.clone(), r.verdict, text));
        }
    }
    let named = cycle.points.iter().filter(|r| r.point == phase.name());
    lines.extend(named.map(|r| (r.plugin.clone(), r.verdict, r.reasons.join("; "))));
    html! {
        <div class="points" data-testid="points">
            <p>{ ctx.find(&format!("phase.{}.about", phase.name())).unwrap_or_default() }</p>
            if !lines.is_empty() {
                <ul>
                    { for lines.iter().map(|(plugin, verdict, text)| {
                        let (class, word) = verdict_word(ctx, *verdict);
                        html! { <li class={class} title={explain::plugin(ctx.lang, plugin)}><b>{ plugin.clone() }</b><span class="verdict">{ word }</span><span>{ text.clone() }</span></li> }
                    }) }
                </ul>
            }
        </div>
    }
}

fn verdict_word(ctx: &Ctx, verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Pass => ("good", ctx.t("verdict.pass")),
        Verdict::Skip => ("skip", ctx.t("verdict.skip")),
        Verdict::Unschedulable => ("bad", ctx.t("verdict.unschedulable")),
        Verdict::Unresolvable => ("bad", ctx.t("verdict.unresolvable")),
        Verdict::Wait => ("warn", ctx.t("verdict.wait")),
        Verdict::Error => ("bad", ctx.t("verdict.error")),
    }
}

/// More nodes that shared the highest total become a number.
const TIES_MAX: usize = 24;

#[derive(PartialEq, Properties)]
struct WordsProps {
    cycle: CycleRef,
}

/// The result, upstream's sentence, and the same in plain words.
#[component]
fn Words(p: &WordsProps) -> Html {
    let ctx = use_ctx();
    let cycle = &p.cycle.0;
    let pod = format!("{}/{}", cycle.pod.namespace, cycle.pod.name);
    let id = kinds::pod(&cycle.pod.namespace, &cycle.pod.name);
    let remedies = if cycle.node.is_none() { explain::remedies(ctx.lang, cycle) } else { Vec::new() };
    let earlier: Vec<_> = {
        let model = ctx.model.get();
        let same =
            |c: &&std::rc::Rc<protocol::CycleSummary>| c.namespace == cycle.pod.namespace && c.name == cycle.pod.name;
        model.cycles.iter().rev().filter(same).skip(1).take(5).cloned().collect()
    };
    html! {
        <aside class="words" data-testid="explanation">
            <h2><button onclick={ctx.on(Action::Inspect(id, InspectorTab::Summary))}>{ pod }</button></h2>
            <p class="facts">
                if !cycle.profile.is_empty() { <span>{ cycle.profile.clone() }</span> }
                if cycle.attempt > 0 { <span>{ ctx.tf("decision.attempt", &[("n", &cycle.attempt.to_string())]) }</span> }
            </p>
            if let Some(node) = &cycle.node {
                <p class="verdict-big good"><Icon name="trophy" />{ node.clone() }</p>
            } else {
                <p class="verdict-big bad"><Icon name="cross" />{ ctx.t("decision.nowhere") }</p>
            }
            if !cycle.message.is_empty() { <blockquote data-testid="message">{ cycle.message.clone() }</blockquote> }
            { for explain::outcome(ctx.lang, cycle).into_iter().map(|s| html! { <p>{ s }</p> }) }
            if let Some(tie) = cycle.tie_break.as_ref().filter(|t| t.nodes.len() > 1) {
                <div class="tie"><h3>{ ctx.t("decision.tie") }</h3>
                    <ol>
                        { for tie.nodes.iter().enumerate().filter(|(i, _)| *i < TIES_MAX || *i == tie.drawn).map(|(i, n)| html! { <li class={classes!((i == tie.drawn).then_some("drawn"))}>{ n.clone() }</li> }) }
                        if tie.nodes.len() > TIES_MAX { <li>{ format!("+{}", tie.nodes.len() - TIES_MAX) }</li> }
                    </ol>
                </div>
            }
            if !remedies.is_empty() {
                <h3>{ ctx.t("decision.remedies") }</h3>
                <ul class="remedies">{ for remedies.into_iter().map(|r| html! { <li>{ r }</li> }) }</ul>
            }
            if let Some(preemption) = cycle.preemption.as_ref().filter(|p| !p.candidates.is_empty()) {
                <h3>{ ctx.t("decision.preemption") }</h3>
                <ul>{ for preemption.candidates.iter().map(|c| html! {
                    <li><b>{ c.node.clone() }</b>{ ": " }{ c.victims.iter().map(|v| v.name.clone()).collect::<Vec<_>>().join(", ") }</li>
                }) }</ul>
            }
            if !earlier.is_empty() {
                <h3>{ ctx.t("decision.earlier") }</h3>
                <ul class="earlier">{ for earlier.iter().map(|c| html! {
                    <li><button onclick={ctx.on(Action::Cycle(c.seq))}>{ if c.node.is_empty() { c.message.clone() } else { c.node.clone() } }</button></li>
                }) }</ul>
            }
        </aside>
    }
}
