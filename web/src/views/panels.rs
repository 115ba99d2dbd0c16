//! What the inspector's summary shows of some kinds beyond their columns.

mod access;
mod curve;
mod network;
mod work;

use crate::ctx::{Ctx, use_ctx};
use crate::ui::{Action, InspectorTab};
use protocol::{Detail, ObjectId, Panel};
use std::rc::Rc;
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub detail: Rc<Detail>,
}

#[component]
pub fn Panels(p: &Props) -> Html {
    let ctx = use_ctx();
    match &p.detail.panel {
        None => html! {},
        Some(Panel::Job(job)) => work::job(&ctx, job),
        Some(Panel::CronJob(cron)) => work::cron(&ctx, cron),
        Some(Panel::Quota { rows }) => work::quota(&ctx, rows),
        Some(Panel::Autoscaler(a)) => curve::autoscaler(&ctx, a),
        Some(Panel::Endpoints(e)) => network::endpoints(&ctx, e),
        Some(Panel::Volumes { rows }) => network::volumes(&ctx, rows, &p.detail.id.kind),
        Some(Panel::Access(a)) => access::access(&ctx, a),
    }
}

/// Another object, as a way to it.
fn link(ctx: &Ctx, id: &ObjectId) -> Html {
    html! {
        <button class="object-link" onclick={ctx.on(Action::Inspect(id.clone(), InspectorTab::Summary))}><small>{ id.kind.clone() }</small>{ id.name.clone() }</button>
    }
}

fn section(ctx: &Ctx, title: &'static str, testid: &'static str, body: Html) -> Html {
    let title = ctx.find(title).unwrap_or(title);
    html! { <section class="panel" data-testid={testid} aria-label={title}><h3>{ title }</h3>{ body }</section> }
}

/// A bar with what it measures.
fn meter(name: &str, text: String, permille: u32) -> Html {
    let over = permille > 1000;
    let percent = f64::from(permille.min(1000)) / 10.0;
    let full = permille >= 900;
    html! {
        <div class={classes!("meter", over.then_some("over"))}>
            <span class="meter-name">{ name.to_string() }</span><span class="num">{ text.clone() }</span>
            <span class="bar-track" role="meter" aria-label={format!("{name}: {text}")} aria-valuemin="0" aria-valuemax="100" aria-valuenow={format!("{percent:.0}")}>
                <span class={classes!("bar-fill", full.then_some("full"))} style={format!("width:{percent:.1}%")} />
            </span>
        </div>
    }
}
