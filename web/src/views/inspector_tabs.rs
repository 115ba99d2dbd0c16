//! The inspector's tabs.

use super::diagnosis::DiagnosisView;
use super::follow::FollowRequest;
use super::panels::Panels;
use super::timeline::{EntryRef, EntryRow, mark};
use super::traffic::TrafficPanel;
use crate::ctx::{Ctx, use_ctx};
use crate::format;
use crate::i18n::describe;
use crate::model::kinds;
use crate::ui::{Action, InspectorTab};
use protocol::{Detail, ObjectId, What};
use std::rc::Rc;
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct DetailProps {
    pub detail: Rc<Detail>,
}

fn object_button(ctx: &Ctx, id: &ObjectId) -> Html {
    html! {
        <button class="object-link" onclick={ctx.on(Action::Inspect(id.clone(), InspectorTab::Summary))}>
            <small>{ id.kind.clone() }</small>{ id.name.clone() }
        </button>
    }
}

#[derive(PartialEq, Properties)]
pub struct SummaryProps {
    pub detail: Rc<Detail>,
    /// Of the answers.
    pub answers: u64,
}

#[component]
pub fn Summary(p: &SummaryProps) -> Html {
    let ctx = use_ctx();
    let d = &p.detail;
    html! {
        <>
            <DiagnosisView detail={d.clone()} answers={p.answers} />
            <dl class="columns" data-testid="columns">
                { for d.columns.iter().filter(|(_, v)| !v.is_empty()).map(|(name, value)| html! { <><dt>{ name.clone() }</dt><dd>{ value.clone() }</dd></> }) }
            </dl>
            <Panels detail={d.clone()} />
            <TrafficPanel detail={d.clone()} />
            <FollowRequest detail={d.clone()} answers={p.answers} />
            if !d.owners.is_empty() {
                <p class="breadcrumb">{ ctx.t("inspector.owned-by") }{ for d.owners.iter().map(|o| object_button(&ctx, o)) }</p>
            }
            if !d.conditions.is_empty() {
                <h3>{ ctx.t("inspector.conditions") }</h3>
                <table class="conditions" data-testid="conditions"><tbody>
                    { for d.conditions.iter().map(|(kind, status, reason, message)| html! {
                        <tr>
                            <th scope="row">{ kind.clone() }</th>
                            <td><span class={classes!("truth", truth(kind, status))}>{ status.clone() }</span></td>
                            <td>{ reason.clone() }if !message.is_empty() { <small>{ message.clone() }</small> }</td>
                        </tr>
                    }) }
                </tbody></table>
            }
        </>
    }
}

/// Whether a condition's status is good news: most are good when True, a node's pressures when False.
fn truth(kind: &str, status: &str) -> &'static str {
    let bad_when_true = kind.ends_with("Pressure") || kind.ends_with("Unavailable") || kind == "DisruptionTarget";
    match (status, bad_when_true) {
        ("True", false) | ("False", true) => "true",
        ("True", true) | ("False", false) => "false",
        _ => "unknown",
    }
}

#[component]
pub fn Events(p: &DetailProps) -> Html {
    let ctx = use_ctx();
    let now = ctx.model.get().clock.now;
    if p.detail.events.is_empty() {
        return html! { <p class="empty">{ ctx.t("inspector.no-events") }</p> };
    }
    html! {
        <ul class="events" data-testid="events">
            { for p.detail.events.iter().map(|e| html! {
                <li class={e.r#type.to_lowercase()}>
                    <div><b>{ e.reason.clone() }</b>if e.count > 1 { <span class="num">{ format!(" ×{}", e.count) }</span> }
                        <small class="num">{ ctx.tf("ago", &[("span", &format::span(now.saturating_sub(e.last_seen)))]) }</small></div>
                    <p>{ e.message.clone() }</p>
                    <small>{ e.source.clone() }</small>
                </li>
            }) }
        </ul>
    }
}

#[component]
pub fn Owners(p: &DetailProps) -> Html {
    let ctx = use_ctx();
    let d = &p.detail;
    let depth = d.owners.len();
    html! {
        <div class="owner-tree">
            if d.owners.is_empty() && d.dependents.is_empty() { <p class="empty">{ ctx.t("inspector.no-owners") }</p> }
            { for d.owners.iter().rev().enumerate().map(|(i, o)| html! { <div style={format!("--depth:{i}")}>{ object_button(&ctx, o) }</div> }) }
            <div style={format!("--depth:{depth}")} class="self"><span class="object-link"><small>{ d.id.kind.clone() }</small>{ d.id.name.clone() }</span></div>
            { for d.dependents.iter().map(|o| html! { <div style={format!("--depth:{}", depth + 1)}>{ object_button(&ctx, o) }</div> }) }
        </div>
    }
}

#[component]
pub fn Logs(p: &DetailProps) -> Html {
    let ctx = use_ctx();
    if p.detail.logs.iter().all(|(_, text)| text.is_empty()) {
        return html! { <p class="empty">{ ctx.t("inspector.no-logs") }</p> };
    }
    html! {
        { for p.detail.logs.iter().map(|(name, text)| html! {
            <section class="log"><h3>{ name.clone() }</h3><pre data-testid={format!("log-{name}")} tabindex="0">{ text.clone() }</pre></section>
        }) }
    }
}

#[derive(PartialEq, Properties)]
pub struct WhyProps {
    pub version: u64,
    /// The effect to explain.
    pub seq: Option<u64>,
    #[prop_or_default]
    pub detail: Option<Rc<Detail>>,
}

/// The chain of causes, the effect first, back to what the user did; then the object's other writes.
#[component]
pub fn Why(p: &WhyProps) -> Html {
    let ctx = use_ctx();
    let model = ctx.model.get();
    let chain = model.why.clone();
    let current = chain.first().map(|e| e.seq) == p.seq;
    if !current || chain.is_empty() {
        return html! { <p class="empty">{ if p.seq.is_some() { ctx.t("why.waiting") } else { ctx.t("why.nothing") } }</p> };
    }
    let last = chain.len() - 1;
    let writes: Vec<_> = p.detail.iter().flat_map(|d| &d.writes).filter(|e| Some(e.seq) != p.seq).take(30).collect();
    html! {
        <>
            <p class="why-intro">{ ctx.t("why.about") }</p>
            <ol class="chain" data-testid="why">
                { for chain.iter().enumerate().map(|(i, e)| {
                    let object = match &e.what {
                        What::Request { resource, key, .. } => kinds::object(resource, key.as_str()),
                        What::Cycle { cycle } => {
                            let pod = &cycle.outcome().pod;
                            Some(kinds::pod(&pod.namespace, &pod.name))
                        }
                        _ => None,
                    };
                    let decision = matches!(e.what, What::Cycle { .. });
                    html! {
                        <li key={e.seq} class={classes!(mark(e), (i == 0).then_some("effect"), (i == last).then_some("first"))}>
                            <span class="entry-mark" aria-hidden="true" />
                            <div class="chain-head"><b>{ e.actor.to_string() }</b><small class="num">{ format!("#{} · {}", e.seq, format::moment(e.time.as_micros(), model.clock.epoch)) }</small></div>
                            <p>{ describe::entry(ctx.lang, e) }</p>
                            <p class="chain-links">
                                if decision { <button class="chip" onclick={ctx.on(Action::Cycle(e.seq))}>{ ctx.t("decision.open") }</button> }
                                if let Some(id) = object { <button class="chip" onclick={ctx.on(Action::Inspect(id.clone(), InspectorTab::Summary))}>{ format!("{}/{}", id.kind, id.name) }</button> }
                                if i > 0 { <button class="chip" onclick={ctx.on(Action::Entry(e.seq))}>{ ctx.t("why.this") }</button> }
                            </p>
                        </li>
                    }
                }) }
            </ol>
            if !writes.is_empty() {
                <h3>{ ctx.t("why.writes") }</h3>
                <ol class="entries">{ for writes.into_iter().map(|e| html! { <EntryRow key={e.seq} entry={EntryRef(e.clone())} selected=false /> }) }</ol>
            }
        </>
    }
}
