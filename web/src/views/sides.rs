//! Two decisions side by side: the outcomes, what happened to how many nodes, and the nodes one by one.

use super::icon::Icon;
use crate::ctx::{Ctx, use_ctx};
use crate::model::Topic;
use crate::ui::Action;
use protocol::debug::{Difference, DifferenceGroup, Differences, Said, WhatIf};
use protocol::{Answer, CycleView, Debug};
use std::rc::Rc;
use yew::prelude::*;

/// Lines that are shown at once.
const PAGE: usize = 100;

/// The answer that holds the comparison; one never changes.
#[derive(Clone)]
pub struct Both(pub Rc<Answer>);

impl PartialEq for Both {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

#[derive(PartialEq, Properties)]
pub struct Props {
    pub both: Both,
    pub answers: u64,
}

fn outcome(ctx: &Ctx, cycle: &CycleView, title: &'static str, id: &'static str) -> Html {
    html! {
        <section class="side" data-testid={id} aria-label={title}>
            <h3>{ title }</h3>
            if cycle.node.is_empty() {
                <p class="verdict-big bad"><Icon name="cross" />{ ctx.t("decision.nowhere") }</p>
                if !cycle.nominated_node.is_empty() { <p>{ ctx.tf("history.nominated", &[("node", &cycle.nominated_node)]) }</p> }
                <p class="side-message">{ cycle.message.clone() }</p>
            } else {
                <p class="verdict-big good"><Icon name="trophy" />{ cycle.node.clone() }</p>
                <p class="side-message">{ ctx.tf("explain.feasible", &[("n", &cycle.feasible_nodes.to_string()), ("total", &cycle.evaluated_nodes.max(cycle.rows_total).to_string())]) }</p>
            }
        </section>
    }
}

fn cell(ctx: &Ctx, said: &Said, chosen: bool) -> Html {
    match said {
        Said::Absent => html! { <span class="none">{ ctx.t("what-if.absent") }</span> },
        Said::Refused { plugin, reason } => {
            html! { <span class="bad" title={reason.clone()}><Icon name="cross" /><b>{ plugin.clone() }</b><small>{ reason.clone() }</small></span> }
        }
        Said::Passed { total: Some(n) } => {
            html! { <span class="good">if chosen { <Icon name="trophy" /> } else { <Icon name="check" /> }<b class="num">{ *n }</b></span> }
        }
        Said::Passed { total: None } => html! { <span class="good"><Icon name="check" /></span> },
    }
}

/// What happened to the nodes of a group, in words.
fn happened(ctx: &Ctx, g: &DifferenceGroup) -> String {
    let word = |said: &Said| match said {
        Said::Absent => ctx.t("what-if.absent").to_string(),
        Said::Refused { plugin, .. } => plugin.clone(),
        Said::Passed { .. } => ctx.t("verdict.pass").to_string(),
    };
    match (g.differs, g.trend) {
        (false, _) => ctx.tf("what-if.group-same", &[("what", &word(&g.after))]),
        (true, 1) => ctx.t("what-if.group-rose").to_string(),
        (true, -1) => ctx.t("what-if.group-fell").to_string(),
        _ => format!("{} → {}", word(&g.before), word(&g.after)),
    }
}

fn line(ctx: &Ctx, l: &Difference) -> Html {
    let delta = match (&l.before, &l.after) {
        (Said::Passed { total: Some(b) }, Said::Passed { total: Some(a) }) if a != b => format!("{:+}", a - b),
        _ => "≠".to_string(),
    };
    let points = |n: Option<i64>| n.map_or("—".to_string(), |n| n.to_string());
    html! {
        <tr key={l.node.clone()} class={classes!(l.differs().then_some("differs"))} data-testid={format!("what-if-{}", l.node)}>
            <th scope="row">{ l.node.clone() }</th>
            <td>{ cell(ctx, &l.before, l.chosen.0) }</td><td>{ cell(ctx, &l.after, l.chosen.1) }</td>
            <td class="delta">if l.differs() { <b class="num">{ delta }</b> }
                { for l.scores.iter().map(|(p, b, a)| html! { <small>{ format!("{p} {} → {}", points(*b), points(*a)) }</small> }) }</td>
        </tr>
    }
}

#[component]
pub fn Sides(p: &Props) -> Html {
    let ctx = use_ctx();
    let (group, page) = (use_state_eq(|| None::<u32>), use_state_eq(|| 0usize));
    let Answer::WhatIf(both) = &*p.both.0 else { return Html::default() };
    let WhatIf { before, after, differences: first } = &**both;
    let asked =
        Debug::Differences { before: before.seq, after: after.seq, group: *group, offset: *page * PAGE, limit: PAGE };
    let whole = group.is_none() && *page == 0;
    {
        let (ctx, both) = (ctx.clone(), p.both.clone());
        use_effect_with((asked.clone(), both), move |(asked, _)| {
            if !whole {
                ctx.act(Action::Ask(Topic::Differences, asked.clone()));
            }
        });
    }
    let answer = if whole { None } else { ctx.model.get().answer(Topic::Differences, &asked) };
    let found: Option<&Differences> = match answer.as_deref() {
        Some(Answer::Differences(d)) => Some(d),
        _ => whole.then_some(first),
    };
    let moved = before.node != after.node;
    let choose = |g: Option<u32>| {
        let (group, page) = (group.clone(), page.clone());
        Callback::from(move |_: MouseEvent| {
            group.set(g);
            page.set(0);
        })
    };
    let turn = |to: usize| {
        let page = page.clone();
        Callback::from(move |_: MouseEvent| page.set(to))
    };
    let of = found.map_or(0, |d| d.of);
    let args = [("n", first.changed.to_string()), ("total", first.nodes.to_string())];
    let args = args.each_ref().map(|(n, v)| (*n, v.as_str()));
    html! {
        <div class="sides" data-testid="what-if-result" data-moved={moved.to_string()}>
            <div class="side-heads">{ outcome(&ctx, before, ctx.t("what-if.before"), "what-if-before") }{ outcome(&ctx, after, ctx.t("what-if.after"), "what-if-after") }</div>
            <p role="status"><b>{ if moved { ctx.t("what-if.moved") } else { ctx.t("what-if.same") } }</b>{ " " }{ ctx.tf("what-if.differ", &args) }</p>
            if first.groups.len() > 1 {
                <div class="side-groups" role="group" aria-label={ctx.t("what-if.groups")} data-testid="what-if-groups">
                    <button class="chip" aria-pressed={group.is_none().to_string()} onclick={choose(None)}>{ ctx.t("what-if.all") }{ " " }<b class="num">{ first.nodes }</b></button>
                    { for first.groups.iter().enumerate().map(|(i, g)| html! {
                        <button class={classes!("chip", g.differs.then_some("differs"))} aria-pressed={(*group == Some(i as u32)).to_string()} onclick={choose(Some(i as u32))}>{ happened(&ctx, g) }{ " " }<b class="num">{ g.count }</b></button>
                    }) }
                </div>
            }
            <div class="side-table" tabindex="0" role="region" aria-label={ctx.t("grid.label")} aria-busy={found.is_none().to_string()}>
                <table>
                    <thead><tr><th scope="col">{ ctx.t("grid.node") }</th><th scope="col">{ ctx.t("what-if.before") }</th><th scope="col">{ ctx.t("what-if.after") }</th><th scope="col">{ ctx.t("what-if.difference") }</th></tr></thead>
                    <tbody>{ for found.into_iter().flat_map(|d| &d.lines).map(|l| line(&ctx, l)) }</tbody>
                </table>
            </div>
            if of > PAGE || *page > 0 {
                <div class="side-pages">
                    <button class="chip" data-testid="what-if-back" disabled={*page == 0} onclick={turn(page.saturating_sub(1))}>{ ctx.t("what-if.back") }</button>
                    <span class="num">{ format!("{}–{} / {of}", *page * PAGE + 1, ((*page + 1) * PAGE).min(of)) }</span>
                    <button class="chip" data-testid="what-if-more" disabled={(*page + 1) * PAGE >= of} onclick={turn(*page + 1)}>{ ctx.t("what-if.more") }</button>
                </div>
            }
        </div>
    }
}
