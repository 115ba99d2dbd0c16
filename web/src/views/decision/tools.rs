//! Over the table: search, grouping, and how many nodes each group holds.

use super::table::{Ask, Group, GroupBy};
use crate::ctx::{Ctx, use_ctx};
use crate::views::icon::Icon;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

/// More groups than these are not offered one by one: reasons may differ from node to node.
const GROUPS_MAX: usize = 12;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub ask: Ask,
    pub groups: Rc<Vec<Group>>,
    pub count: usize,
    /// Nothing may be told yet: only the search is offered.
    pub plain: bool,
    pub on: Callback<Ask>,
}

/// A group in words, with its number.
pub(super) fn title(ctx: &Ctx, group: &Group, by: GroupBy) -> String {
    let n = group.count.to_string();
    let key = group.key.as_str();
    if key.is_empty() {
        return ctx.tf("grid.feasible", &[("n", &n)]);
    }
    match by {
        GroupBy::Plugin => ctx.tf("grid.rejected", &[("n", &n), ("plugin", key)]),
        GroupBy::Reason => format!("{key}: {n}"),
        _ => format!("{}: {n}", ctx.find(&format!("verdict.{key}")).unwrap_or(key)),
    }
}

#[component]
pub fn Tools(p: &Props) -> Html {
    let ctx = use_ctx();
    let change = |with: fn(&mut Ask, String)| {
        let (on, ask) = (p.on.clone(), p.ask.clone());
        Callback::from(move |value: String| {
            let mut ask = ask.clone();
            with(&mut ask, value);
            on.emit(ask);
        })
    };
    let oninput = change(|ask, text| ask.search = text).reform(|e: InputEvent| {
        e.target().and_then(|t| t.dyn_into::<HtmlInputElement>().ok()).map(|i| i.value()).unwrap_or_default()
    });
    let onchange = change(|ask, code| {
        ask.by = GroupBy::ALL.into_iter().find(|b| b.code() == code).unwrap_or_default();
        ask.only = None;
    })
    .reform(|e: Event| {
        e.target().and_then(|t| t.dyn_into::<HtmlSelectElement>().ok()).map(|s| s.value()).unwrap_or_default()
    });
    let toggle = change(|ask, key| ask.only = if ask.only.as_ref() == Some(&key) { None } else { Some(key) });
    let by_name = |by: GroupBy| match by {
        GroupBy::Plugin => ctx.t("grid.by-plugin"),
        GroupBy::Reason => ctx.t("grid.by-reason"),
        GroupBy::Verdict => ctx.t("grid.by-verdict"),
        GroupBy::Nothing => ctx.t("grid.by-nothing"),
    };
    let chips = !p.plain && p.ask.by != GroupBy::Nothing && p.groups.len() > 1;
    html! {
        <div class="grid-tools">
            <label class="filter"><Icon name="search" /><input type="search" data-testid="grid-search" placeholder={ctx.t("grid.search")} aria-label={ctx.t("grid.search")} value={p.ask.search.clone()} {oninput} /></label>
            if !p.plain {
                <select data-testid="grid-by" aria-label={ctx.t("grid.by")} {onchange}>
                    { for GroupBy::ALL.into_iter().map(|by| html! { <option value={by.code()} selected={p.ask.by == by}>{ by_name(by) }</option> }) }
                </select>
            }
            if chips {
                <div class="group-chips" role="group" aria-label={ctx.t("grid.only")}>
                    { for p.groups.iter().take(GROUPS_MAX).map(|g| {
                        let name = if g.key.is_empty() { ctx.t("grid.passed").to_string() } else if p.ask.by == GroupBy::Verdict { ctx.find(&format!("verdict.{}", g.key)).unwrap_or(&g.key).to_string() } else { g.key.clone() };
                        let on = p.ask.only.as_ref() == Some(&g.key);
                        let key = g.key.clone();
                        html! {
                            <button key={g.key.clone()} class={classes!("chip", if g.key.is_empty() { "good" } else { "bad" })} aria-pressed={on.to_string()} title={name.clone()}
                                data-testid={format!("only-{}", if g.key.is_empty() { "passed" } else { &g.key })} onclick={toggle.reform(move |_| key.clone())}>
                                <span>{ name }</span><b class="num">{ g.count }</b></button>
                        }
                    }) }
                    if p.groups.len() > GROUPS_MAX { <small>{ format!("+{}", p.groups.len() - GROUPS_MAX) }</small> }
                </div>
            }
            <span class="grow" />
            <small class="num">{ ctx.tf("grid.count", &[("n", &p.count.to_string())]) }</small>
        </div>
    }
}
