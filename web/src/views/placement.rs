//! The inspector's questions about where a pod could go: why not here, and what would make it fit.

use super::decision::FixList;
use super::icon::Icon;
use super::inputs::Inputs;
use crate::ctx::{Ctx, use_ctx};
use crate::i18n::{explain as words, refusals};
use crate::model::Topic;
use crate::ui::Action;
use protocol::cycle::Verdict;
use protocol::explain::{Cell, WhyNot as Data};
use protocol::{Answer, Debug, Detail};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// More nodes are not offered one by one; any name can be typed.
const OFFERED_MAX: usize = 200;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub detail: Rc<Detail>,
    /// Of the answers.
    pub answers: u64,
    /// Asked for from elsewhere: the node, and the cycle (0 means now).
    pub about: Option<(AttrValue, u64)>,
}

#[component]
pub fn Placement(p: &Props) -> Html {
    let ctx = use_ctx();
    let id = &p.detail.id;
    let names: Vec<String> = ctx.model.get().nodes.keys().cloned().collect();
    let chosen = use_state(|| None::<(String, u64)>);
    {
        let chosen = chosen.clone();
        use_effect_with((p.about.clone(), id.clone()), move |(about, _)| {
            chosen.set(about.as_ref().map(|(node, cycle)| (node.to_string(), *cycle)));
        });
    }
    let typed = use_state(String::new);
    let asked = (*chosen).clone().map(|(node, cycle)| Debug::WhyNot {
        namespace: id.namespace.clone(),
        name: id.name.clone(),
        node,
        cycle,
    });
    {
        let ctx = ctx.clone();
        use_effect_with(asked.clone(), move |asked| {
            if let Some(asked) = asked.clone() {
                ctx.act(Action::Ask(Topic::WhyNot, asked));
            }
        });
    }
    let answer = asked.as_ref().and_then(|a| ctx.model.get().answer(Topic::WhyNot, a));
    let choose = {
        let (chosen, typed, names) = (chosen.clone(), typed.clone(), names.clone());
        Callback::from(move |e: InputEvent| {
            let value =
                e.target().and_then(|t| t.dyn_into::<HtmlInputElement>().ok()).map(|i| i.value()).unwrap_or_default();
            if names.contains(&value) {
                chosen.set(Some((value.clone(), 0)));
            }
            typed.set(value);
        })
    };
    let few = names.len() <= 8;
    html! {
        <div class="placement" data-testid="placement">
            <h3>{ ctx.t("why-not.title") }</h3>
            if few {
                <div class="node-buttons" role="group" aria-label={ctx.t("why-not.node")}>
                    { for names.iter().map(|n| {
                        let on = chosen.as_ref().is_some_and(|(c, _)| c == n);
                        let (chosen, name) = (chosen.clone(), n.clone());
                        html! { <button class="chip" aria-pressed={on.to_string()} data-testid={format!("why-not-{n}")} onclick={Callback::from(move |_: MouseEvent| chosen.set(Some((name.clone(), 0))))}>{ n.clone() }</button> }
                    }) }
                </div>
            } else {
                <label class="field"><span>{ ctx.t("why-not.node") }</span><input list="nodes-known" data-testid="why-not-node" value={(*typed).clone()} oninput={choose} /></label>
                <datalist id="nodes-known">{ for names.iter().take(OFFERED_MAX).map(|n| html! { <option value={n.clone()} /> }) }</datalist>
            }
            { match (answer.as_deref(), chosen.is_some()) {
                (Some(Answer::WhyNot { why }), _) => told(&ctx, why),
                (Some(Answer::Refused { message, .. }), _) => html! { <p class="error">{ refusals::told(ctx.lang, message) }</p> },
                (_, true) => html! { <p class="empty">{ ctx.t("inspector.loading") }</p> },
                _ => html! { <p class="why-not-hint">{ ctx.t("why-not.about") }</p> },
            } }
            <p class="placement-what-if"><button data-testid="placement-what-if" onclick={ctx.on(Action::WhatIf(id.clone(), 0))}>{ ctx.t("what-if.open") }</button></p>
            <FixList namespace={id.namespace.clone()} name={id.name.clone()} answers={p.answers} />
        </div>
    }
}

fn refuses(verdict: Verdict) -> bool {
    !matches!(verdict, Verdict::Pass | Verdict::Skip)
}

fn told(ctx: &Ctx, why: &Data) -> Html {
    let refused = why.cells.iter().filter(|c| refuses(c.verdict)).count();
    let (class, icon) = if why.fits { ("good", "check") } else { ("bad", "cross") };
    let text = match (why.fits, why.goes_to == why.node) {
        (true, true) => ctx.tf("why-not.here", &[("node", &why.node)]),
        (true, false) => ctx.tf(
            "why-not.fits",
            &[("node", &why.node), ("to", if why.goes_to.is_empty() { "—" } else { &why.goes_to })],
        ),
        _ => ctx.tf("why-not.refused", &[("node", &why.node), ("n", &refused.to_string())]),
    };
    html! {
        <div class="why-not" data-testid="why-not" data-fits={why.fits.to_string()}>
            <p class={classes!("cell-verdict", class)} role="status"><Icon name={icon} />{ text }</p>
            if let (Some(total), Some(best)) = (why.total, why.best) {
                <p>{ ctx.tf("why-not.totals", &[("total", &total.to_string()), ("best", &best.to_string()), ("to", &why.goes_to)]) }</p>
            }
            if !why.scores.is_empty() {
                <table class="totals"><thead><tr><th scope="col">{ ctx.t("cell.plugin") }</th><th scope="col">{ why.node.clone() }</th><th scope="col">{ why.goes_to.clone() }</th></tr></thead>
                    <tbody>{ for why.scores.iter().map(|(plugin, own, best)| html! { <tr><th scope="row">{ plugin.clone() }</th><td class={classes!("num", (own < best).then_some("less"))}>{ *own }</td><td class="num">{ *best }</td></tr> }) }</tbody></table>
            }
            <ul class="verdicts">
                { for why.cells.iter().filter(|c| refuses(c.verdict)).map(|c| cell(ctx, c, true)) }
                { for why.cells.iter().filter(|c| !refuses(c.verdict)).map(|c| cell(ctx, c, false)) }
            </ul>
        </div>
    }
}

/// One plugin's answer; what it looked at unfolds.
fn cell(ctx: &Ctx, c: &Cell, open: bool) -> Html {
    let more = !c.inputs.notes.is_empty() || !c.inputs.amounts.is_empty();
    let (class, icon) = if open { ("bad", "cross") } else { ("good", "check") };
    let head = html! { <><span class={classes!("verdict-icon", class)}><Icon name={icon} /></span><b>{ c.plugin.clone() }</b>if c.point != "Filter" { <small>{ c.point.clone() }</small> }</> };
    html! {
        <li class={class} data-testid={format!("verdict-{}", c.plugin)}>
            if more {
                <details {open}><summary>{ head }</summary>
                    if !c.reasons.is_empty() { <blockquote>{ c.reasons.join("; ") }</blockquote> }
                    <Inputs inputs={c.inputs.clone()} /></details>
            } else {
                <div class="summary">{ head }</div>
                if !c.reasons.is_empty() { <blockquote>{ c.reasons.join("; ") }</blockquote> }
                if open { <p class="cell-about">{ words::plugin(ctx.lang, &c.plugin).unwrap_or_default() }</p> }
            }
        </li>
    }
}
