//! The phases of the cycle in a row, and the buttons and keys that walk along them.

use super::ViewRef;
use super::phases::{Outcome, PHASES, Phase, outcome};
use super::walk::{Walk, units};
use crate::ctx::use_ctx;
use crate::views::icon::Icon;
use protocol::cycle::Verdict;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub cycle: ViewRef,
    pub walk: Option<Walk>,
    /// How the phases ended is not told yet.
    pub hidden: bool,
    pub on: Callback<Option<Walk>>,
}

#[component]
pub fn Strip(p: &Props) -> Html {
    let ctx = use_ctx();
    let cycle = &p.cycle.0;
    let at = p.walk;
    let go = {
        let (on, cycle) = (p.on.clone(), p.cycle.clone());
        move |how: fn(Walk, &protocol::CycleView) -> Walk| {
            let (on, cycle) = (on.clone(), cycle.clone());
            let from = at.unwrap_or_else(Walk::start);
            Callback::from(move |_: MouseEvent| on.emit(Some(how(from, &cycle.0))))
        }
    };
    let onkeydown = {
        let (on, cycle, hidden) = (p.on.clone(), p.cycle.clone(), p.hidden);
        Callback::from(move |e: KeyboardEvent| {
            let from = at.unwrap_or_else(Walk::start);
            let next = match e.key().as_str() {
                _ if hidden => return,
                "ArrowRight" if !e.shift_key() => Some(from.over(&cycle.0)),
                "ArrowLeft" => Some(from.over_back(&cycle.0)),
                "ArrowDown" => Some(from.forward(&cycle.0)),
                "ArrowUp" => Some(from.back(&cycle.0)),
                "Home" => Some(Walk::start()),
                "End" => None,
                _ => return,
            };
            e.prevent_default();
            e.stop_propagation();
            on.emit(next);
        })
    };
    let detail = |phase: Phase| -> String {
        // On the way, how far one has come.
        if let Some(walk) = at.filter(|w| w.phase == phase) {
            let n = units(cycle, phase);
            return if n > 1 || walk.done == 0 { format!("{}/{n}", walk.done.min(n)) } else { String::new() };
        }
        if p.hidden || at.is_some_and(|w| w.phase < phase) {
            return String::new();
        }
        match phase {
            Phase::Filter if cycle.rows_total > 0 => format!("{}/{}", cycle.feasible_nodes, cycle.rows_total),
            Phase::PreFilter if !cycle.pre_filter.is_empty() => {
                let skipped = cycle.pre_filter.iter().filter(|p| p.verdict == Verdict::Skip).count();
                ctx.tf("phase.skipped", &[("n", &skipped.to_string())])
            }
            Phase::PostFilter if !cycle.victims.is_empty() => {
                ctx.tf("phase.victims", &[("n", &cycle.victims.len().to_string())])
            }
            Phase::Bind => cycle.node.clone(),
            _ => String::new(),
        }
    };
    let phase_button = |phase: Phase| {
        let ahead =
            p.hidden || at.is_some_and(|w| w.phase < phase || (w.phase == phase && w.done < units(cycle, phase)));
        let (class, icon) = match outcome(cycle, phase) {
            _ if ahead => ("ahead", None),
            Outcome::Passed => ("passed", Some("check")),
            Outcome::Rejected => ("rejected", Some("cross")),
            Outcome::NotReached => ("not-reached", None),
        };
        let about = ctx.find(&format!("phase.{}.about", phase.name())).unwrap_or_default();
        let selected = at.is_some_and(|w| w.phase == phase);
        let (on, to) = (p.on.clone(), Walk::after(cycle, phase));
        html! {
            <button role="tab" class={class} aria-selected={selected.to_string()} title={about} data-testid={format!("phase-{}", phase.name())}
                disabled={p.hidden} tabindex={if selected { "0" } else { "-1" }} onclick={Callback::from(move |_: MouseEvent| on.emit(Some(to)))}>
                <span class="phase-name">if let Some(icon) = icon { <Icon name={icon} /> }{ phase.name() }</span>
                <small>{ detail(phase) }</small>
            </button>
        }
    };
    let row = use_node_ref();
    {
        let row = row.clone();
        use_effect_with(at.map(|w| w.phase), move |_| {
            let Some(row) = row.cast::<HtmlElement>() else { return };
            let chosen = row
                .query_selector("[aria-selected=true]")
                .ok()
                .flatten()
                .and_then(|e| e.dyn_into::<HtmlElement>().ok());
            let Some(chosen) = chosen else { return };
            let left = chosen.offset_left() - row.offset_left();
            let (from, width) = (row.scroll_left(), row.client_width());
            if left < from {
                row.set_scroll_left(left);
            } else if left + chosen.offset_width() > from + width {
                row.set_scroll_left(left + chosen.offset_width() - width);
            }
        });
    }
    let (start, end) = (at == Some(Walk::start()), at.is_some_and(|w| w.is_end(cycle)));
    let button = |icon: &'static str,
                  label: &'static str,
                  key: &'static str,
                  id: &'static str,
                  off: bool,
                  onclick: Callback<MouseEvent>| {
        html! { <button class="icon-button" data-testid={id} disabled={off || p.hidden} aria-label={label} title={format!("{label} ({key})")} {onclick}><Icon name={icon} /></button> }
    };
    html! {
        <div class="strip-line">
            <div class="strip" role="tablist" tabindex={p.hidden.then_some("0")} aria-label={ctx.t("phase.label")} data-testid="phases" ref={row} {onkeydown}>
                <button role="tab" class="all" aria-selected={at.is_none().to_string()} tabindex={if at.is_none() { "0" } else { "-1" }} disabled={p.hidden} data-testid="phase-all" onclick={p.on.reform(|_| None)}>{ ctx.t("phase.all") }</button>
                { for PHASES.into_iter().map(phase_button) }
            </div>
            <div class="walk" role="group" aria-label={ctx.t("walk.label")}>
                { button("to-start", ctx.t("walk.start"), "Home", "walk-start", start, p.on.reform(|_| Some(Walk::start()))) }
                { button("step-back", ctx.t("walk.back"), "↑", "walk-back", at.is_none() || start, go(Walk::back)) }
                { button("step", ctx.t("walk.into"), "↓", "walk-into", end, go(Walk::forward)) }
                { button("step-decision", ctx.t("walk.over"), "→", "walk-over", end, go(Walk::over)) }
            </div>
        </div>
    }
}
