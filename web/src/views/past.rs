//! The timeline's scrubber, and the word over the stage that the past is shown.

use super::icon::Icon;
use crate::ctx::{Ctx, use_ctx};
use crate::format;
use crate::ui::{Action, Overlay};
use protocol::{Command, PastView, TimeOrder};
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// What was done closer together than this part of the scrubber's width is one mark.
const MARKS_APART: f64 = 0.004;

pub fn order(order: TimeOrder) -> Action {
    Action::Send(Command::Time { id: 0, order })
}

/// The moment after this entry; after the newest one the present.
fn show(entry: u64, end: u64) -> Action {
    order(if entry >= end { TimeOrder::Now } else { TimeOrder::Show { entry } })
}

#[derive(PartialEq, Properties)]
pub struct BannerProps {
    /// Of what is known about time, and of the entries: what is told follows both.
    pub versions: (u64, u64),
    /// The cluster's clock.
    pub now: u64,
}

/// Over the stage while the past is shown, or while something is waited for.
#[component]
pub fn PastBanner(p: &BannerProps) -> Html {
    let ctx = use_ctx();
    let (time, epoch) = {
        let model = ctx.model.get();
        (model.time.clone(), model.clock.epoch)
    };
    html! {
        <>
            if let Some(past) = &time.past {
                <div class="past-banner" role="status" data-testid="past">
                    <Icon name="to-start" />
                    <strong>{ ctx.tf("past.shown", &[("time", &format::clock(p.now, epoch))]) }</strong>
                    <small class="num">{ place(&ctx, past) }</small>
                    <span class="grow" />
                    <button data-testid="branch-here" title={ctx.t("branch.here.about")} onclick={ctx.on(order(TimeOrder::Branch { name: String::new() }))}><Icon name="branch" />{ ctx.t("branch.here") }</button>
                    <button class="primary" data-testid="now" title={format!("{} (N)", ctx.t("past.now.about"))} onclick={ctx.on(order(TimeOrder::Now))}>{ ctx.t("past.now") }<kbd>{ "N" }</kbd></button>
                </div>
            }
            if let Some(until) = &time.until {
                <div class="until-banner" role="status" data-testid="waiting">
                    <span>{ super::run_until::said(&ctx, until, epoch) }</span>
                    <span class="grow" />
                    <button data-testid="stop-waiting" onclick={ctx.on_send(Command::Pause)}>{ ctx.t("until.stop") }</button>
                </div>
            }
        </>
    }
}

fn place(ctx: &Ctx, past: &PastView) -> String {
    let (n, of) = (past.decision.to_string(), past.decisions.to_string());
    ctx.tf("past.decision", &[("n", &n), ("of", &of)])
}

#[derive(PartialEq, Properties)]
pub struct Props {
    /// Of what is known about time, and of the entries.
    pub versions: (u64, u64),
    /// The newest entry that is shown.
    pub seq: u64,
}

#[component]
pub fn Scrubber(p: &Props) -> Html {
    let ctx = use_ctx();
    // Where the learner's hand is, until it is shown.
    let wanted = use_state(|| None::<u64>);
    let (time, clock) = {
        let model = ctx.model.get();
        (model.time.clone(), model.clock.clone())
    };
    let end = time.past.map_or(clock.seq, |past| past.seq).max(1);
    {
        let wanted = wanted.clone();
        use_effect_with((p.seq, time.seeking, time.past.is_some()), move |(_, seeking, _)| {
            if !seeking {
                wanted.set(None);
            }
        });
    }
    let value = wanted.unwrap_or(p.seq).min(end);
    let oninput = {
        let (ctx, wanted) = (ctx.clone(), wanted.clone());
        Callback::from(move |e: InputEvent| {
            let input = e.target().and_then(|t| t.dyn_into::<HtmlInputElement>().ok());
            if let Some(entry) = input.and_then(|i| i.value().parse::<u64>().ok()) {
                wanted.set(Some(entry));
                ctx.act(show(entry, end));
            }
        })
    };
    let at = |seq: u64| format!("left:{:.3}%", seq as f64 / end as f64 * 100.0);
    let mut last = -1.0;
    let inputs = time.inputs.iter().filter(|m| {
        let place = m.seq as f64 / end as f64;
        let apart = place - last > MARKS_APART;
        if apart {
            last = place;
        }
        apart
    });
    let mark = order(TimeOrder::Mark { name: String::new() });
    let text = format::clock(clock.now, clock.epoch);
    let is_past = time.past.is_some();
    html! {
        <div class={classes!("scrubber", is_past.then_some("past"))} data-testid="scrubber">
            <button class="icon-button" data-testid="decision-back" disabled={end <= 1} title={format!("{} (Shift ←)", ctx.t("past.decision-back"))} aria-label={ctx.t("past.decision-back")}
                onclick={ctx.on(order(TimeOrder::DecisionBack))}><Icon name="to-start" /></button>
            <button class="icon-button" data-testid="step-back" disabled={end <= 1} title={format!("{} (←)", ctx.t("past.back"))} aria-label={ctx.t("past.back")}
                onclick={ctx.on(order(TimeOrder::Back))}><Icon name="step-back" /></button>
            <div class="scrub-track">
                { for inputs.map(|m| html! {
                    <span key={m.seq} class="scrub-input" style={at(m.seq)} title={format!("{} · {}", format::clock(m.now, clock.epoch), m.what)} />
                }) }
                <input type="range" min="0" max={end.to_string()} value={value.to_string()} data-testid="scrub" aria-label={ctx.t("past.scrub")} aria-valuetext={text.clone()} {oninput} />
                { for time.marks.iter().map(|m| {
                    let name = if m.name.is_empty() { format::clock(m.now, clock.epoch) } else { m.name.clone() };
                    let label = ctx.tf("mark.show", &[("name", &name)]);
                    html! {
                        <button key={m.id} class="scrub-mark" style={at(m.seq)} title={label.clone()} aria-label={label} data-testid={format!("mark-{}", m.id)}
                            onclick={ctx.on(show(m.seq, end))}><Icon name="flag" /></button>
                    }
                }) }
            </div>
            <span class="scrub-time num" data-testid="scrub-time">{ if time.seeking { "…".to_string() } else { text } }</span>
            <button class="icon-button" data-testid="mark" title={format!("{} (B)", ctx.t("mark.add"))} aria-label={ctx.t("mark.add")} onclick={ctx.on(mark)}><Icon name="flag" /></button>
            <button class="icon-button" data-testid="branches" title={ctx.t("branch.list")} aria-label={ctx.t("branch.list")} onclick={ctx.on(Action::Overlay(Some(Overlay::Branches)))}><Icon name="branch" />
                if time.branches.len() > 1 { <small class="num">{ time.branches.len() }</small> }</button>
            <button class="icon-button" data-testid="share-open" title={ctx.t("share.title")} aria-label={ctx.t("share.title")} onclick={ctx.on(Action::Share)}><Icon name="share" /></button>
            <button class="text-button" data-testid="run-until" onclick={ctx.on(Action::Overlay(Some(Overlay::RunUntil)))}>{ ctx.t("until.title") }</button>
        </div>
    }
}
