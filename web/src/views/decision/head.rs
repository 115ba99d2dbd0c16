//! Which decision: older, newer, one of the list, or always the newest; and whether the learner guesses first.

use crate::ctx::use_ctx;
use crate::format;
use crate::ui::Action;
use crate::views::icon::Icon;
use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub list: u64,
    pub shown: Option<u64>,
    pub follow: bool,
    pub guess: bool,
    /// The held cycle, which is in no list yet: its number, and whose it is.
    pub held: Option<(u64, AttrValue)>,
}

#[component]
pub fn Head(p: &Props) -> Html {
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
    let pods = |c: &protocol::CycleSummary| {
        // Who guesses does not want to read the answer here.
        let result = match (p.guess, c.node.is_empty()) {
            (true, _) => "?".to_string(),
            (false, true) => ctx.t("decision.nowhere").to_string(),
            (false, false) => c.node.clone(),
        };
        let time = format::moment(c.time, model.clock.epoch);
        format!("{time}  {}/{} → {result}", c.namespace, c.name)
    };
    html! {
        <div class="decision-head">
            { go(neighbour(-1), "left", ctx.t("decision.older")) }
            { go(neighbour(1), "right", ctx.t("decision.newer")) }
            <select ref={select} data-testid="decisions" aria-label={ctx.t("decision.pick")} {onchange}>
                if let Some((seq, pod)) = &p.held { <option value={seq.to_string()} selected=true>{ ctx.tf("held.option", &[("pod", pod)]) }</option> }
                { for model.cycles.iter().rev().take(LISTED_MAX).map(|c| {
                    html! { <option key={c.seq} value={c.seq.to_string()} selected={p.shown == Some(c.seq)}>{ pods(c) }</option> }
                }) }
            </select>
            <label class="check"><input type="checkbox" data-testid="follow" checked={p.follow} onchange={on_follow} />{ ctx.t("decision.follow") }</label>
            <button class="guess-toggle" data-testid="guess" aria-pressed={p.guess.to_string()} title={ctx.t("guess.about")} onclick={ctx.on(Action::Guess(!p.guess))}>
                <Icon name="hat" /><span>{ ctx.t("guess.toggle") }</span></button>
        </div>
    }
}
