//! A pod's attempts to be scheduled: what each came to, what changed in between, and what brought the pod back.

use super::icon::Icon;
use crate::ctx::{Ctx, use_ctx};
use crate::format;
use crate::model::{Topic, kinds};
use crate::ui::{Action, InspectorTab};
use protocol::debug::{Attempt, Written};
use protocol::{Answer, Debug, Detail, ObjectId};
use std::rc::Rc;
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub detail: Rc<Detail>,
    /// Of the answers.
    pub answers: u64,
}

#[component]
pub fn History(p: &Props) -> Html {
    let ctx = use_ctx();
    let d = &p.detail;
    let asked = Debug::History { namespace: d.id.namespace.clone(), name: d.id.name.clone() };
    {
        let (ctx, asked) = (ctx.clone(), asked.clone());
        // Another attempt makes another history.
        use_effect_with((d.id.clone(), d.cycles.first().map(|c| c.seq)), move |_| {
            ctx.act(Action::Ask(Topic::History, asked))
        });
    }
    // Until the newer answer comes the older one stays, so that nothing jumps.
    let kept = use_mut_ref(|| None::<(ObjectId, Rc<Answer>)>);
    let answer = ctx.model.get().answer(Topic::History, &asked);
    if let Some(answer) = answer {
        *kept.borrow_mut() = Some((d.id.clone(), answer));
    }
    let answer = kept.borrow().as_ref().filter(|(id, _)| *id == d.id).map(|(_, a)| a.clone());
    let epoch = ctx.model.get().clock.epoch;
    if let Some(Answer::History(history)) =
        answer.as_deref().filter(|a| matches!(a, Answer::History(h) if !h.attempts.is_empty()))
    {
        return html! {
            <ol class="attempts" data-testid="pod-decisions">
                { for history.attempts.iter().rev().map(|a| attempt(&ctx, a, epoch)) }
                if history.cut { <li class="cut"><small>{ ctx.t("history.cut") }</small></li> }
            </ol>
        };
    }
    if d.cycles.is_empty() {
        return html! { <p class="empty">{ ctx.t("inspector.no-decisions") }</p> };
    }
    html! {
        <ul class="decisions" data-testid="pod-decisions">
            { for d.cycles.iter().map(|c| html! {
                <li class={if c.node.is_empty() { "bad" } else { "good" }}>
                    <button onclick={ctx.on(Action::Cycle(c.seq))}>
                        <small class="num">{ format::moment(c.time, epoch) }</small>
                        <b>{ if c.node.is_empty() { ctx.t("decision.nowhere").to_string() } else { format!("→ {}", c.node) } }</b>
                        if !c.message.is_empty() { <span>{ c.message.clone() }</span> }
                    </button>
                </li>
            }) }
        </ul>
    }
}

fn attempt(ctx: &Ctx, a: &Attempt, epoch: u64) -> Html {
    let bound = !a.node.is_empty();
    let event = ctx.find(&format!("queue.event.{}", a.event)).unwrap_or(&a.event);
    html! {
        <li key={a.seq} class={if bound { "good" } else { "bad" }} data-testid={format!("attempt-{}", a.attempt)}>
            <div class="attempt-head"><b>{ ctx.tf("decision.attempt", &[("n", &a.attempt.to_string())]) }</b><small class="num">{ format::moment(a.time, epoch) }</small></div>
            <button onclick={ctx.on(Action::Cycle(a.seq))} disabled={a.seq == 0}>
                <span class="attempt-result"><Icon name={if bound { "check" } else { "cross" }} />{ if bound { a.node.clone() } else { ctx.t("decision.nowhere").to_string() } }</span>
                if !a.nominated.is_empty() { <small>{ ctx.tf("history.nominated", &[("node", &a.nominated)]) }</small> }
                if !a.message.is_empty() { <span class="attempt-message">{ a.message.clone() }</span> }
                if !a.full { <small>{ ctx.t("history.thin") }</small> }
            </button>
            if !a.event.is_empty() || !a.changes.is_empty() {
                <div class="between">
                    if !a.event.is_empty() {
                        <p class="board-event"><Icon name="right" /><span title={a.event.clone()}>{ ctx.tf("history.moved", &[("event", event)]) }
                            if !a.hint.is_empty() { { " " }<small>{ ctx.tf("history.hint", &[("plugin", &a.hint)]) }</small> }</span>
                            if a.cause > 0 { <button class="chip" onclick={ctx.on(Action::Entry(a.cause))}>{ ctx.t("why.this") }</button> }</p>
                    }
                    if !a.changes.is_empty() {
                        <p><small>{ ctx.t("history.changes") }</small></p>
                        <ul>{ for a.changes.iter().map(|w| written(ctx, w, epoch)) }</ul>
                        if a.more > 0 { <small>{ format!("+{}", a.more) }</small> }
                    }
                </div>
            }
        </li>
    }
}

fn written(ctx: &Ctx, w: &Written, epoch: u64) -> Html {
    let verb = ctx.find(&format!("history.{}", w.verb)).unwrap_or(&w.verb);
    let id = kinds::owner(&format!("{}/{}", w.kind, w.name), &w.namespace);
    let name = format!("{}/{}", w.kind, w.name);
    html! {
        <li><small class="num">{ format::moment(w.time, epoch) }</small>
            if let Some(id) = id { <button class="object-link" onclick={ctx.on(Action::Inspect(id, InspectorTab::Summary))}>{ name }</button> } else { <span>{ name }</span> }
            <span>{ verb }</span>
            if !w.fields.is_empty() { <code>{ w.fields.join(", ") }</code> }</li>
    }
}
