//! The bottom dock: what happened, one lane a component, or as a list. Both show what the filter lets through.

use super::icon::Icon;
use super::lanes::{Lanes, Shared};
use super::past::Scrubber;
use crate::ctx::use_ctx;
use crate::format;
use crate::i18n::describe;
use crate::model::filtered::Filtered;
use crate::ui::Action;
use protocol::{Entry, What};
use std::sync::Arc;
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// Lines of the list.
const LIST_MAX: usize = 250;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub version: u64,
    /// Of the past, bookmarks and branches.
    pub time: u64,
    /// The newest entry that is shown.
    pub seq: u64,
    /// The cluster is the page's own: it has a session to look back on.
    pub own: bool,
    pub selected: Option<u64>,
    /// The dock's own tabs.
    pub tabs: Html,
}

/// An entry of the trace never changes: two are equal when they are the same one.
#[derive(Clone)]
pub struct EntryRef(pub Arc<Entry>);

impl PartialEq for EntryRef {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

#[component]
pub fn Timeline(p: &Props) -> Html {
    let ctx = use_ctx();
    let filter = use_state(String::new);
    let as_list = use_state(|| false);
    let heartbeats = use_state(|| false);
    let oninput = {
        let filter = filter.clone();
        Callback::from(move |e: InputEvent| {
            if let Some(input) = e.target().and_then(|t| t.dyn_into::<HtmlInputElement>().ok()) {
                filter.set(input.value());
            }
        })
    };
    let model = ctx.model.get();
    let filtered = use_mut_ref(Filtered::default);
    {
        let mut f = filtered.borrow_mut();
        f.set(&filter, *heartbeats);
        f.catch_up(&model);
    }
    let segment = |list: bool, label: &'static str, id: &'static str| {
        let state = as_list.clone();
        let onclick = Callback::from(move |_: MouseEvent| state.set(list));
        html! { <button role="tab" aria-selected={(*as_list == list).to_string()} data-testid={id} {onclick}>{ label }</button> }
    };
    let toggle_heartbeats = {
        let heartbeats = heartbeats.clone();
        Callback::from(move |_: MouseEvent| heartbeats.set(!*heartbeats))
    };
    let shown = filtered.borrow();
    let count = shown.entries.len().to_string();
    html! {
        <div class="timeline" data-testid="timeline">
            <div class="dock-head">
                { p.tabs.clone() }
                <div class="segments small" role="tablist">
                    { segment(false, ctx.t("timeline.lanes"), "timeline-lanes") }
                    { segment(true, ctx.t("timeline.list"), "timeline-list") }
                </div>
                <label class="filter"><Icon name="search" />
                    <input type="search" data-testid="timeline-filter" placeholder={ctx.t("timeline.filter")} aria-label={ctx.t("timeline.filter")} value={(*filter).clone()} {oninput} />
                </label>
                <button class="chip" aria-pressed={heartbeats.to_string()} data-testid="heartbeats" title={ctx.t("timeline.heartbeats.about")} onclick={toggle_heartbeats}>{ ctx.t("timeline.heartbeats") }</button>
                <span class="grow" />
                <small class="num">{ ctx.tf("timeline.count", &[("n", &count)]) }</small>
                if model.skipped > 0 { <small class="num" title={ctx.t("timeline.skipped.about")}>{ ctx.tf("timeline.skipped", &[("n", &model.skipped.to_string())]) }</small> }
            </div>
            if p.own { <Scrubber versions={(p.time, p.version)} seq={p.seq} /> }
            if shown.entries.is_empty() {
                <p class="empty">{ if model.entries.is_empty() { ctx.t("timeline.empty") } else { ctx.t("timeline.nothing-matches") } }</p>
            } else if *as_list {
                <ol class="entries" data-testid="entries">
                    { for shown.entries.iter().rev().take(LIST_MAX).map(|e| html! {
                        <EntryRow key={e.seq} entry={EntryRef(e.clone())} selected={p.selected == Some(e.seq)} future={e.seq > p.seq} />
                    }) }
                </ol>
            } else {
                <Lanes filtered={Shared(filtered.clone())} state={(p.version, (*filter).clone(), *heartbeats)} seq={ctx.model.get().time.past.map(|_| p.seq)} selected={p.selected} />
            }
        </div>
    }
}

#[derive(PartialEq, Properties)]
pub struct RowProps {
    pub entry: EntryRef,
    pub selected: bool,
    /// It comes after the shown moment.
    #[prop_or_default]
    pub future: bool,
}

/// Shape and colour of an entry's mark, as a class: the lanes draw the same.
pub fn mark(entry: &Entry) -> &'static str {
    match &entry.what {
        What::Request { code, .. } if *code >= 400 => "refusal",
        What::Request { revision, .. } if *revision > 0 => "write",
        What::Request { .. } | What::Step { .. } => "watch",
        What::Cycle { .. } => "cycle",
        What::Action { .. } | What::Process { .. } => "action",
    }
}

#[component]
pub fn EntryRow(p: &RowProps) -> Html {
    let ctx = use_ctx();
    let e = &p.entry.0;
    let epoch = ctx.model.get().clock.epoch;
    let action = if matches!(e.what, What::Cycle { .. }) { Action::Cycle(e.seq) } else { Action::Entry(e.seq) };
    html! {
        <li class={classes!("entry", mark(e), p.selected.then_some("selected"), p.future.then_some("future"))} data-testid={format!("entry-{}", e.seq)}>
            <button onclick={ctx.on(action)}>
                <span class="entry-mark" aria-hidden="true" />
                <span class="entry-time num">{ format::moment(e.time.as_micros(), epoch) }</span>
                <span class="entry-actor">{ e.actor.to_string() }</span>
                <span class="entry-text">{ describe::entry(ctx.lang, e) }</span>
            </button>
        </li>
    }
}
