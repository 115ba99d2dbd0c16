//! A held cycle: decided on a copy of the scheduler, call by call, before anything of it has happened.

use super::now::verdict_word;
use crate::ctx::use_ctx;
use crate::i18n::explain;
use crate::views::breakpoints::{order, point_name};
use crate::views::icon::Icon;
use crate::views::sight;
use protocol::Debug;
use protocol::debug::{Held, Move};
use std::rc::Rc;
use web_sys::Element;
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub held: Rc<Held>,
}

/// The extension points of this cycle with how far it has come, and the buttons that move it on.
#[component]
pub fn Rail(p: &Props) -> Html {
    let ctx = use_ctx();
    let held = &p.held;
    let strip = use_node_ref();
    {
        // The point that was reached stays in sight where the rail is wider than the stage.
        let strip = strip.clone();
        use_effect_with(held.at.point, move |_| {
            let here = strip.cast::<Element>().and_then(|s| s.query_selector(".here").ok().flatten());
            here.iter().for_each(sight::bring);
        });
    }
    let go = |to: Move| {
        let ctx = ctx.clone();
        Callback::from(move |_: MouseEvent| order(&ctx, Debug::Move { to }))
    };
    let onkeydown = {
        let (ctx, hidden) = (ctx.clone(), held.hidden);
        Callback::from(move |e: KeyboardEvent| {
            let to = match e.key().as_str() {
                _ if hidden => return,
                "ArrowRight" if !e.shift_key() => Move::NextPoint,
                "ArrowDown" => Move::NextCall,
                "End" => Move::Finish,
                _ => return,
            };
            e.prevent_default();
            e.stop_propagation();
            order(&ctx, Debug::Move { to });
        })
    };
    let button = |icon: &'static str, label: &'static str, key: &'static str, id: &'static str, to: Move| {
        html! { <button class="icon-button" data-testid={id} disabled={held.hidden} aria-label={label} title={format!("{label}{key}")} onclick={go(to)}><Icon name={icon} /></button> }
    };
    html! {
        <div class="strip-line">
            <div class="strip held" ref={strip} role="group" tabindex="0" aria-label={ctx.t("held.label")} data-testid="rail" {onkeydown}>
                { for held.points.iter().map(|span| {
                    let here = held.at.point == span.point;
                    let past = !here && held.cursor >= span.first + span.calls;
                    let class = if held.hidden { "ahead" } else if here { "here" } else if past { "passed" } else { "ahead" };
                    let done = (held.cursor + 1).saturating_sub(span.first).min(span.calls);
                    let name = point_name(span.point);
                    let about = ctx.find(&format!("phase.{name}.about")).unwrap_or_default();
                    html! {
                        <span class={classes!("phase", class)} title={about} data-testid={format!("point-{name}")} aria-current={(here && !held.hidden).then_some("step")}>
                            <span class="phase-name">if past && !held.hidden { <Icon name="check" /> }{ name }</span>
                            <small>{ if here && !held.hidden { format!("{done}/{}", span.calls) } else { String::new() } }</small>
                        </span>
                    }
                }) }
            </div>
            <div class="walk" role="group" aria-label={ctx.t("held.moves")}>
                { button("step", ctx.t("held.call"), " (↓)", "held-call", Move::NextCall) }
                { button("next-node", ctx.t("held.node"), "", "held-node", Move::NextNode) }
                { button("step-decision", ctx.t("held.point"), " (→)", "held-point", Move::NextPoint) }
                { button("run", ctx.t("held.continue"), "", "held-continue", Move::Continue) }
                { button("to-end", ctx.t("held.finish"), " (End)", "held-finish", Move::Finish) }
            </div>
        </div>
    }
}

/// The call that was just made.
#[component]
pub fn HeldNow(p: &Props) -> Html {
    let ctx = use_ctx();
    let held = &p.held;
    let at = &held.at;
    let (class, word) = verdict_word(&ctx, at.verdict);
    let name = point_name(at.point);
    html! {
        <div class="now held" data-testid="held">
            <p class="now-about"><span class="held-badge"><Icon name="pause" />{ ctx.t("held.badge") }</span>
                if held.breakpoint.is_some() { <span class="breakpoint-dot on" aria-hidden="true" /><span>{ ctx.t("held.breakpoint") }</span> }
                <span>{ ctx.t("held.about") }</span></p>
            if !held.hidden {
                <p class={classes!("now-step", class)} role="status" data-testid="held-now">
                    <span class="num">{ format!("{}/{}", held.cursor + 1, held.calls) }</span>
                    <b>{ name }</b>{ " · " }{ at.plugin.clone() }if !at.node.is_empty() { { " · " }{ at.node.clone() } }{ ": " }{ word }
                    if !at.reasons.is_empty() { <span class="held-reason">{ at.reasons.join("; ") }</span> }
                </p>
                <p class="now-about">{ explain::plugin(ctx.lang, &at.plugin).unwrap_or_default() }</p>
            }
        </div>
    }
}
