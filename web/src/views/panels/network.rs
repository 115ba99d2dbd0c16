//! Services with their routes and endpoints; volumes with what they are bound to.

use super::{link, section};
use crate::ctx::Ctx;
use crate::model::kinds;
use crate::ui::{Action, InspectorTab};
use crate::views::icon::Icon;
use protocol::panel::{EndpointRow, EndpointsPanel, VolumeRow};
use protocol::{Command, Fault};
use yew::prelude::*;

pub fn endpoints(ctx: &Ctx, e: &EndpointsPanel) -> Html {
    let ready = e.endpoints.iter().filter(|e| e.ready).count();
    html! {
        <>
            if !e.routes.is_empty() {
                { section(ctx, "panel.routes", "panel-routes", html! {
                    <ul class="route-list">{ for e.routes.iter().map(|r| html! {
                        <li><small>{ r.via.clone() }</small><code>{ r.from.clone() }</code><Icon name="right" /><code>{ r.to.clone() }</code></li>
                    }) }</ul>
                }) }
            }
            { section(ctx, "panel.endpoints", "panel-endpoints", html! {
                <>
                    <p class="panel-facts">{ ctx.tf("panel.endpoints.ready", &[("ready", &ready.to_string()), ("n", &e.total.to_string())]) }</p>
                    if e.total == 0 { <p class="console-none">{ ctx.t("panel.endpoints.none") }</p> }
                    <ul class="endpoint-list">{ for e.endpoints.iter().map(|e| endpoint(ctx, e)) }</ul>
                    if e.total > e.endpoints.len() { <p class="console-none">{ ctx.tf("cloud.more", &[("n", &(e.total - e.endpoints.len()).to_string())]) }</p> }
                </>
            }) }
        </>
    }
}

fn endpoint(ctx: &Ctx, e: &EndpointRow) -> Html {
    let (class, word) = match (e.ready, e.terminating) {
        (_, true) => ("warn", ctx.t("panel.endpoint.terminating")),
        (true, false) => ("good", ctx.t("panel.endpoint.ready")),
        (false, false) => ("bad", ctx.t("panel.endpoint.not-ready")),
    };
    html! {
        <li>
            <span class={classes!("status", class)}>{ word }</span>
            <code>{ e.address.clone() }</code><small>{ e.ports.clone() }</small>
            if !e.cpu.is_empty() { <span class="num endpoint-cpu" title={ctx.t("panel.endpoint.cpu")} data-testid="endpoint-cpu">{ "cpu " }{ e.cpu.clone() }</span> }
            <span class="grow" />
            if let Some(target) = &e.target { { link(ctx, target) } }
            if !e.node.is_empty() { <button class="link" onclick={ctx.on(Action::Inspect(kinds::node(&e.node), InspectorTab::Summary))}>{ e.node.clone() }</button> }
        </li>
    }
}

/// The volume of a bound claim is filled up, or has room again.
fn filling(ctx: &Ctx, r: &VolumeRow) -> Html {
    if r.key.is_empty() || r.phase != "Bound" {
        return html! {};
    }
    let send = |on| ctx.on_send(Command::Fault { id: 0, fault: Fault::FillVolume { claim: r.key.clone(), on } });
    if r.full {
        html! { <><span class="status bad" data-testid="volume-full">{ ctx.t("fault.volume.full") }</span><button class="chip" data-testid="free-volume" onclick={send(false)}><Icon name="check" />{ ctx.t("fault.volume.free") }</button></> }
    } else {
        html! { <button class="chip" data-testid="fill-volume" title={ctx.t("fault.volume.fill.about")} onclick={send(true)}><Icon name="bolt" />{ ctx.t("fault.volume.fill") }</button> }
    }
}

/// Each as the way from the pod over its claim to the volume, as far as it goes.
pub fn volumes(ctx: &Ctx, rows: &[VolumeRow], kind: &str) -> Html {
    section(
        ctx,
        "panel.volumes",
        "panel-volumes",
        html! {
            <ul class="volume-list">{ for rows.iter().map(|r| {
                let bound = r.phase == "Bound";
                html! {
                    <li>
                        if !r.name.is_empty() { <b>{ r.name.clone() }</b><small>{ r.source.clone() }</small> }
                        { for r.pods.iter().map(|p| link(ctx, p)) }
                        if kind == "PersistentVolumeClaim" && r.pods.is_empty() { <small>{ ctx.t("panel.volumes.unused") }</small> }
                        if let Some(claim) = &r.claim { <span class="arrow"><Icon name="right" /></span>{ link(ctx, claim) } }
                        if let Some(volume) = &r.volume { <span class="arrow"><Icon name="right" /></span>{ link(ctx, volume) } }
                        if !r.phase.is_empty() { <span class={classes!("status", if bound { "good" } else { "warn" })}>{ r.phase.clone() }</span> }
                        if let Some(class) = &r.class { { link(ctx, class) } }
                        { filling(ctx, r) }
                    </li>
                }
            }) }</ul>
        },
    )
}
