//! The scheduler's queues, and pods that are in none of them.

use super::sign::PodChip;
use crate::ctx::use_ctx;
use crate::format;
use protocol::QueueEntry;
use yew::prelude::*;

/// More chips than this in one lane become a number.
const CHIPS_MAX: usize = 24;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub queues: u64,
    pub pending: u64,
    /// For countdowns, microseconds; 0 while nothing waits for a time.
    pub now: u64,
    pub stopped: bool,
    pub compact: bool,
}

#[component]
pub fn Pending(p: &Props) -> Html {
    let ctx = use_ctx();
    let model = ctx.model.get();
    let q = &model.queues;
    // In a large cluster there is room for the numbers only.
    let most = if p.compact { 0 } else { CHIPS_MAX };
    let chip = |namespace: &str, name: &str, note: String| {
        let pod = model.pods.get(format!("{namespace}/{name}").as_str())?.clone();
        Some(html! {
            <span class="waiting" key={format!("{namespace}/{name}")}>
                <PodChip {pod} named=true />
                if !note.is_empty() { <small class="num">{ note }</small> }
            </span>
        })
    };
    let entry = |e: &QueueEntry| {
        let left = e.ready_at.saturating_sub(p.now);
        let note = if e.ready_at > 0 && p.now > 0 && left > 0 { format::span(left) } else { String::new() };
        chip(&e.namespace, &e.name, note)
    };
    let lane = |code: &'static str, title: &'static str, about: &'static str, n: usize, chips: Vec<Html>| {
        let more = n.saturating_sub(chips.len());
        html! {
            <div class={classes!("queue", (n == 0).then_some("empty"))} data-testid={format!("queue-{code}")} title={about}>
                <span class="queue-name">{ title }<b class="num">{ n }</b></span>
                if most > 0 { <span class="queue-pods">{ chips }if more > 0 { <small class="num">{ format!("+{more}") }</small> }</span> }
            </div>
        }
    };
    let queue = |list: &[QueueEntry]| list.iter().take(most).filter_map(entry).collect::<Vec<_>>();
    let (unqueued, loose) = model.unqueued(most);
    let loose =
        loose.iter().filter_map(|key| key.split_once('/').and_then(|(ns, n)| chip(ns, n, String::new()))).collect();
    html! {
        <div class={classes!("queues", p.stopped.then_some("stopped"))} data-testid="pending" aria-label={ctx.t("queue.label")}>
            if unqueued > 0 { { lane("none", ctx.t("queue.none"), ctx.t("queue.none.about"), unqueued, loose) } }
            { lane("active", ctx.t("queue.active"), ctx.t("queue.active.about"), q.lengths.active, queue(&q.active)) }
            { lane("backoff", ctx.t("queue.backoff"), ctx.t("queue.backoff.about"), q.lengths.backoff, queue(&q.backoff)) }
            { lane("unschedulable", ctx.t("queue.unschedulable"), ctx.t("queue.unschedulable.about"), q.lengths.unschedulable, queue(&q.unschedulable)) }
            { lane("gated", ctx.t("queue.gated"), ctx.t("queue.gated.about"), q.lengths.gated, queue(&q.gated)) }
        </div>
    }
}
