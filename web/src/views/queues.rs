//! The scheduler's queues as a board: where every waiting pod is, since when, and what brought or keeps it there.

use super::icon::Icon;
use crate::ctx::{Ctx, use_ctx};
use crate::format;
use crate::i18n::explain;
use crate::model::Topic;
use crate::ui::{Action, InspectorTab};
use protocol::debug::Queue;
use protocol::{Answer, Debug, QueueEntry};
use yew::prelude::*;

/// Rows of one queue that are asked for at once.
const MORE: usize = 200;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub queues: u64,
    pub pending: u64,
    /// For countdowns, microseconds.
    pub now: u64,
    pub answers: u64,
}

const QUEUES: [(Queue, &str); 5] = [
    (Queue::Active, "active"),
    (Queue::InFlight, "in-flight"),
    (Queue::Unschedulable, "unschedulable"),
    (Queue::Backoff, "backoff"),
    (Queue::Gated, "gated"),
];

#[component]
pub fn Queues(p: &Props) -> Html {
    let ctx = use_ctx();
    let model = ctx.model.get();
    let q = &model.queues;
    let n = q.lengths;
    let total = n.active + n.backoff + n.unschedulable + n.gated + n.in_flight;
    let (unqueued, _) = model.unqueued(0);
    html! {
        <div class="board" data-testid="board">
            <p class="board-about">{ ctx.t("queue.board.about") }
                if unqueued > 0 { <b data-testid="board-none">{ ctx.tf("queue.board.none", &[("n", &unqueued.to_string())]) }</b> }</p>
            <div class="board-columns">
                { for QUEUES.into_iter().map(|(queue, code)| {
                    let (list, length) = match queue {
                        Queue::Active => (&q.active, n.active),
                        Queue::InFlight => (&q.in_flight, n.in_flight),
                        Queue::Unschedulable => (&q.unschedulable, n.unschedulable),
                        Queue::Backoff => (&q.backoff, n.backoff),
                        Queue::Gated => (&q.gated, n.gated),
                    };
                    column(&ctx, queue, code, list, length, p.now)
                }) }
            </div>
            if total + unqueued == 0 { <p class="board-empty">{ ctx.t("queue.board.empty") }</p> }
        </div>
    }
}

fn column(ctx: &Ctx, queue: Queue, code: &'static str, first: &[QueueEntry], length: usize, now: u64) -> Html {
    let asked = Debug::Queue { queue, offset: 0, limit: MORE };
    let answer = ctx.model.get().answer(Topic::Queue, &asked);
    // The newest first rows, then those that were asked for.
    let more: &[QueueEntry] = match answer.as_deref() {
        Some(Answer::Queue { rows, .. }) if length > first.len() => rows.get(first.len()..).unwrap_or_default(),
        _ => &[],
    };
    let shown = first.len() + more.len();
    let title = ctx.find(&format!("queue.{code}")).unwrap_or(code);
    let about = ctx.find(&format!("queue.{code}.about")).unwrap_or_default();
    html! {
        <section class={classes!("board-column", code, (length == 0).then_some("none"))} data-testid={format!("board-{code}")} aria-label={title}>
            <h2>{ title }<b class="num">{ length }</b></h2>
            <p class="board-why">{ about }</p>
            <ol>
                { for first.iter().chain(more).map(|e| entry(ctx, queue, e, now)) }
            </ol>
            if shown < length {
                <button class="chip" data-testid={format!("board-more-{code}")} onclick={ctx.on(Action::Ask(Topic::Queue, asked))}>{ ctx.tf("queue.more", &[("n", &(length - shown).to_string())]) }</button>
            }
        </section>
    }
}

fn entry(ctx: &Ctx, queue: Queue, e: &QueueEntry, now: u64) -> Html {
    let id = crate::model::kinds::pod(&e.namespace, &e.name);
    let tab = if e.attempts > 0 { InspectorTab::Decisions } else { InspectorTab::Summary };
    let left = e.ready_at.saturating_sub(now);
    let waits = queue == Queue::Backoff && e.ready_at > 0;
    let whole = e.ready_at.saturating_sub(e.since).max(1);
    let event = ctx.find(&format!("queue.event.{}", e.event)).unwrap_or(&e.event);
    html! {
        <li key={format!("{}/{}", e.namespace, e.name)} data-testid={format!("queued-{}", e.name)}>
            <button class="board-pod" title={format!("{}/{}", e.namespace, e.name)} onclick={ctx.on(Action::Inspect(id, tab))}><b>{ e.name.clone() }</b>if e.namespace != "default" { <small>{ e.namespace.clone() }</small> }</button>
            if waits {
                <div class="countdown" role="timer" data-testid={format!("countdown-{}", e.name)} aria-label={ctx.tf("queue.left", &[("span", &format::span(left))])}>
                    <span class="score-track"><span style={format!("width:{:.1}%", format::percent(left as i64, whole as i64))} /></span>
                    <span class="num">{ format::span(left) }</span>
                </div>
            }
            <p class="board-facts">
                if e.attempts > 0 { <span>{ ctx.tf("queue.attempts", &[("n", &e.attempts.to_string())]) }</span> }
                if e.priority != 0 { <span>{ ctx.tf("queue.priority", &[("n", &e.priority.to_string())]) }</span> }
                if (1..now).contains(&e.since) && !waits { <span>{ ctx.tf("queue.since", &[("span", &format::span(now.saturating_sub(e.since)))]) }</span> }
            </p>
            if !event.is_empty() { <p class="board-event" title={e.event.clone()}><Icon name="right" />{ event }</p> }
            if !e.plugins.is_empty() {
                <p class="board-plugins">{ for e.plugins.iter().map(|p| html! { <span class="plugin" title={explain::plugin(ctx.lang, p)}>{ p.clone() }</span> }) }</p>
            }
        </li>
    }
}
