//! The result, upstream's sentence, and the same in plain words.

use super::ViewRef;
use super::fixes::FixList;
use super::preemption::PreemptionPanel;
use super::walk::{Seen, Walk};
use crate::ctx::use_ctx;
use crate::i18n::explain;
use crate::model::kinds;
use crate::ui::{Action, InspectorTab};
use crate::views::icon::Icon;
use yew::prelude::*;

/// More nodes that shared the highest total become a number.
const TIES_MAX: usize = 24;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub cycle: ViewRef,
    pub seq: u64,
    pub walk: Option<Walk>,
    pub list: u64,
    pub answers: u64,
}

#[component]
pub fn Words(p: &Props) -> Html {
    let _ = p.list;
    let ctx = use_ctx();
    let cycle = &p.cycle.0;
    let pod = format!("{}/{}", cycle.pod.namespace, cycle.pod.name);
    let id = kinds::pod(&cycle.pod.namespace, &cycle.pod.name);
    let (seen, done) = (Seen::at(cycle, p.walk), p.walk.is_none_or(|w| w.is_end(cycle)));
    let earlier: Vec<_> = {
        let model = ctx.model.get();
        let same = |c: &&std::rc::Rc<protocol::CycleSummary>| {
            c.namespace == cycle.pod.namespace && c.name == cycle.pod.name && c.seq < p.seq
        };
        model.cycles.iter().rev().filter(same).take(5).cloned().collect()
    };
    let head = html! {
        <>
            <div class="words-head">
                <h2><button onclick={ctx.on(Action::Inspect(id.clone(), InspectorTab::Summary))}>{ pod }</button></h2>
                <button class="chip" data-testid="open-history" onclick={ctx.on(Action::Inspect(id, InspectorTab::Decisions))}>{ ctx.t("decision.history") }</button>
            </div>
            <p class="facts">
                if !cycle.profile.is_empty() { <span>{ cycle.profile.clone() }</span> }
                if cycle.attempt > 0 { <span>{ ctx.tf("decision.attempt", &[("n", &cycle.attempt.to_string())]) }</span> }
            </p>
        </>
    };
    // Who walks has not come to the result yet.
    let untold = cycle.node.is_empty() && cycle.nominated_node.is_empty() && cycle.message.is_empty();
    if (!done && !seen.winner) || (cycle.upto.is_some() && untold) {
        return html! { <>{ head }<p class="verdict-big open">{ "…" }</p><p>{ ctx.t("walk.outcome-later") }</p></> };
    }
    let tie = cycle.tie_break.as_ref().filter(|t| t.nodes.len() > 1);
    html! {
        <>
            { head }
            if cycle.node.is_empty() {
                <p class="verdict-big bad"><Icon name="cross" />{ ctx.t("decision.nowhere") }</p>
            } else {
                <p class="verdict-big good"><Icon name="trophy" />{ cycle.node.clone() }</p>
            }
            if !cycle.message.is_empty() { <blockquote data-testid="message">{ cycle.message.clone() }</blockquote> }
            { for explain::outcome(ctx.lang, cycle).into_iter().map(|s| html! { <p>{ s }</p> }) }
            if let Some(tie) = tie {
                <div class="tie" data-testid="tie"><h3>{ ctx.t("decision.tie") }</h3>
                    <p>{ ctx.tf("decision.draw", &[("n", &tie.nodes.len().to_string()), ("drawn", &(tie.drawn + 1).to_string())]) }</p>
                    <ol>
                        { for tie.nodes.iter().enumerate().filter(|(i, _)| *i < TIES_MAX || *i == tie.drawn).map(|(i, n)| html! {
                            <li class={classes!((i == tie.drawn).then_some("drawn"))}><small class="num">{ i + 1 }</small>{ n.clone() }</li>
                        }) }
                        if tie.nodes.len() > TIES_MAX { <li>{ format!("+{}", tie.nodes.len() - TIES_MAX) }</li> }
                    </ol>
                </div>
            }
            <p><button class="chip" data-testid="open-what-if" onclick={ctx.on(Action::WhatIf(kinds::pod(&cycle.pod.namespace, &cycle.pod.name), cycle.seq))}>{ ctx.t("what-if.open") }</button></p>
            <PreemptionPanel cycle={p.cycle.clone()} />
            if cycle.node.is_empty() { <FixList namespace={cycle.pod.namespace.clone()} name={cycle.pod.name.clone()} cycle={Some(p.cycle.clone())} answers={p.answers} /> }
            if !earlier.is_empty() {
                <h3>{ ctx.t("decision.earlier") }</h3>
                <ul class="earlier">{ for earlier.iter().map(|c| html! {
                    <li><button onclick={ctx.on(Action::Cycle(c.seq))}>{ if c.node.is_empty() { c.message.clone() } else { c.node.clone() } }</button></li>
                }) }</ul>
            }
        </>
    }
}
