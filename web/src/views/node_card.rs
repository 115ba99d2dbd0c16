//! A node: its agents' lamps, its pods, its capacity, and what can be done to it.

use super::control_plane::ProcessHead;
use super::faults;
use super::menu::{Item, Menu};
use super::sign::PodChip;
use crate::ctx::{Ctx, use_ctx};
use crate::format;
use crate::model::kinds;
use crate::ui::{Action, InspectorTab};
use protocol::{Command, Lamp, NodeView};
use std::rc::Rc;
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub node: Rc<NodeView>,
    pub version: u64,
    pub named: bool,
    /// The key of the inspected pod, when it is here.
    pub selected: Option<String>,
    pub chosen: bool,
}

#[component]
pub fn NodeCard(p: &Props) -> Html {
    let ctx = use_ctx();
    let model = ctx.model.get();
    let n = &p.node;
    let ready = n.status == "Ready";
    let kubelet = format!("kubelet/{}", n.name);
    let component = model.components.get(&kubelet);
    // A crashed or a paused one says so itself; in a large cluster there is only whether it runs.
    let lamp = match component.map(|c| c.lamp) {
        Some(lamp) if n.powered => lamp,
        None if n.powered && n.kubelet_running => Lamp::Running,
        _ => Lamp::Stopped,
    };
    let slow = component.map_or(1, |c| c.slow);
    let proxy = model.components.get(&format!("kube-proxy/{}", n.name));
    let doing = model
        .components
        .get(&kubelet)
        .filter(|c| lamp == Lamp::Running && !c.doing.is_empty())
        .map(|c| c.doing.clone());
    let class = classes!(
        "node",
        "box",
        (!ready).then_some("not-ready"),
        (!n.powered).then_some("off"),
        p.chosen.then_some("selected")
    );
    html! {
        <article {class} data-port={format!("node:{}", n.name)} data-testid={format!("node-{}", n.name)} data-status={n.status.clone()} aria-label={n.name.clone()}>
            <header>
                <button class="node-name" onclick={ctx.on(Action::Inspect(kinds::node(&n.name), InspectorTab::Summary))}>{ n.name.clone() }</button>
                <span class={classes!("status", if ready { "good" } else { "bad" })}>{ n.status.clone() }</span>
                if n.unschedulable { <span class="status warn" title={ctx.t("node.cordoned.about")}>{ ctx.t("node.cordoned") }</span> }
                if n.cut { <span class="status bad" data-testid={format!("cut-off-{}", n.name)} title={ctx.t("fault.cut.about")}>{ ctx.t("fault.cut.is") }</span> }
                if n.full { <span class="status bad" data-testid={format!("full-{}", n.name)} title={ctx.t("fault.fill.about")}>{ ctx.t("fault.fill.is") }</span> }
                <span class="grow" />
                <Menu icon="more" label={ctx.tf("node.menu", &[("node", &n.name)])} testid={format!("node-menu-{}", n.name)} items={items(&ctx, n)} />
            </header>
            if !n.zone.is_empty() || !n.taints.is_empty() || n.arch == "wasm32" {
                <p class="node-tags">
                    if !n.zone.is_empty() { <span>{ n.zone.clone() }</span> }
                    if n.arch == "wasm32" { <span>{ n.arch.clone() }</span> }
                    { for n.taints.iter().map(|t| html! { <span class="taint" title={t.clone()}>{ t.clone() }</span> }) }
                </p>
            }
            <div class="agents">
                <ProcessHead process={kubelet} name="kubelet" {lamp} {slow} fixed={!n.powered} />
                if let Some(proxy) = proxy { <ProcessHead process={proxy.process.clone()} name="kube-proxy" lamp={proxy.lamp} slow={proxy.slow} fixed={proxy.process.starts_with("kubelet/") || !n.powered} /> }
                <span class="doing">{ if n.powered { doing.unwrap_or_default() } else { ctx.t("node.no-power").to_string() } }</span>
            </div>
            <div class={classes!("pods", p.named.then_some("named"))}>
                { for model.pods_on(&n.name).map(|(key, pod, _)| html! {
                    <PodChip key={key.to_string()} pod={pod.clone()} named={p.named} selected={p.selected.as_deref() == Some(&**key)} />
                }) }
                if model.pods_on(&n.name).next().is_none() { <span class="pods-empty">{ ctx.t("node.no-pods") }</span> }
            </div>
            <div class="bars">
                { bar(&ctx, "cpu", n.cpu_requested, n.cpu, format::cpu) }
                { bar(&ctx, "memory", n.memory_requested, n.memory, format::memory) }
                { bar(&ctx, "pods", n.pods_running, n.pods, |n| n.to_string()) }
            </div>
        </article>
    }
}

fn bar(ctx: &Ctx, name: &'static str, used: i64, whole: i64, show: impl Fn(i64) -> String) -> Html {
    let percent = format::percent(used, whole);
    let (used, whole) = (show(used), show(whole));
    let label = ctx.tf("node.capacity", &[("resource", name), ("used", &used), ("whole", &whole)]);
    html! {
        <div class="bar" title={label.clone()}>
            <span class="bar-name">{ name }</span>
            <span class="bar-track" role="meter" aria-label={label} aria-valuemin="0" aria-valuemax="100" aria-valuenow={format!("{percent:.0}")}>
                <span class={classes!("bar-fill", (percent >= 90.0).then_some("full"))} style={format!("width:{percent:.1}%")} />
            </span>
            <span class="bar-text num">{ used }{ " / " }{ whole }</span>
        </div>
    }
}

fn items(ctx: &Ctx, n: &NodeView) -> Vec<Item> {
    let node = || n.name.clone();
    let item = |label: &'static str, code: &str, command: Command| {
        Item::new(label, format!("{code}-{}", n.name), ctx.on_send(command))
    };
    let mut items = vec![
        if n.unschedulable {
            item(ctx.t("node.uncordon"), "uncordon", Command::Cordon { id: 0, node: node(), on: false })
        } else {
            item(ctx.t("node.cordon"), "cordon", Command::Cordon { id: 0, node: node(), on: true })
        }
        .hint(ctx.t("node.cordon.about")),
        item(ctx.t("node.drain"), "drain", Command::Drain { id: 0, node: node() }).hint(ctx.t("node.drain.about")),
    ];
    if n.powered {
        items.push(
            item(ctx.t("node.kill"), "kill", Command::KillNode { id: 0, node: node() })
                .hint(ctx.t("node.kill.about"))
                .danger(),
        );
    } else {
        items.push(
            item(ctx.t("node.revive"), "revive", Command::ReviveNode { id: 0, node: node() })
                .hint(ctx.t("node.revive.about")),
        );
    }
    items.push(faults::of_node(ctx, n));
    items.push(faults::of_disk(ctx, n));
    items.push(
        item(ctx.t("node.remove"), "remove", Command::RemoveNode { id: 0, node: node() })
            .hint(ctx.t("node.remove.about"))
            .danger(),
    );
    items
}
