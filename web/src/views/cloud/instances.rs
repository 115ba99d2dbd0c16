//! The machines: whether they run, where they are, what they cost, and what can be done to them.

use super::{PartProps, dollars, more, node_link, order};
use crate::ctx::{Ctx, use_ctx};
use crate::views::menu::{Item, Menu};
use protocol::Command;
use protocol::cloud::{CloudOrder, CloudView, InstanceState, InstanceView};
use yew::prelude::*;

/// What a node takes besides, whatever its machine.
const PODS: &str = "110";

#[component]
pub fn Instances(p: &PartProps) -> Html {
    let ctx = use_ctx();
    let c = &p.cloud.0;
    html! {
        <section class="console-part" aria-label={ctx.t("cloud.instances")}>
            <h2>{ ctx.t("cloud.instances") }<b class="num">{ c.instances_total }</b><small class="num">{ ctx.tf("cloud.of-quota", &[("n", &c.instances_max.to_string())]) }</small>
                <span class="grow" /><Menu label={ctx.t("cloud.add-instance")} testid="cloud-add" items={types(&ctx, c)} /></h2>
            if c.instances.is_empty() { <p class="console-none">{ ctx.t("cloud.instances.none") }</p> } else {
                <table class="console-table" data-testid="cloud-instances">
                    <thead><tr>
                        <th scope="col">{ ctx.t("cloud.column.node") }</th><th scope="col">{ ctx.t("cloud.column.state") }</th><th scope="col">{ ctx.t("cloud.column.type") }</th>
                        <th scope="col">{ ctx.t("cloud.column.zone") }</th><th scope="col" class="roomy">{ ctx.t("cloud.column.addresses") }</th><th scope="col" class="num">{ ctx.t("cloud.column.price") }</th>
                        <th scope="col"><span class="visually-hidden">{ ctx.t("cloud.column.actions") }</span></th>
                    </tr></thead>
                    <tbody>{ for c.instances.iter().map(|i| row(&ctx, i)) }</tbody>
                </table>
                { more(&ctx, c.instances_total, c.instances.len()) }
            }
        </section>
    }
}

fn row(ctx: &Ctx, i: &InstanceView) -> Html {
    let (class, state) = match i.state {
        InstanceState::Running => ("good", ctx.t("cloud.state.running")),
        InstanceState::Stopped => ("warn", ctx.t("cloud.state.stopped")),
        InstanceState::ZoneDown => ("bad", ctx.t("cloud.state.zone-down")),
    };
    html! {
        <tr key={i.id.clone()} data-testid={format!("instance-{}", i.node)}>
            <th scope="row">{ node_link(ctx, &i.node) }<small class="mono">{ i.id.clone() }</small></th>
            <td><span class={classes!("status", class)} data-testid={format!("instance-state-{}", i.node)}>{ state }</span></td>
            <td>{ i.instance_type.clone() }if i.spot { <small title={ctx.t("cloud.spot.about")}>{ ctx.t("cloud.spot") }</small> }</td>
            <td>{ i.zone.clone() }</td>
            <td class="roomy mono">{ i.internal_ip.clone() }<small class="mono">{ i.external_ip.clone() }</small></td>
            <td class="num">{ dollars(i.price_micros) }</td>
            <td class="console-actions"><Menu icon="more" label={ctx.tf("node.menu", &[("node", &i.node)])} testid={format!("instance-menu-{}", i.node)} items={items(ctx, i)} /></td>
        </tr>
    }
}

fn items(ctx: &Ctx, i: &InstanceView) -> Vec<Item> {
    let item =
        |label: &'static str, code: &str, o: CloudOrder| Item::new(label, format!("{code}-{}", i.node), order(ctx, o));
    let node = || i.node.clone();
    let mut items = Vec::new();
    match i.state {
        InstanceState::Running => items.push(
            item(ctx.t("cloud.stop"), "stop", CloudOrder::StopInstance { node: node() })
                .hint(ctx.t("cloud.stop.about"))
                .danger(),
        ),
        InstanceState::Stopped => items.push(
            item(ctx.t("cloud.start"), "start", CloudOrder::StartInstance { node: node() })
                .hint(ctx.t("cloud.start.about")),
        ),
        InstanceState::ZoneDown => {}
    }
    items.push(
        item(ctx.t("cloud.terminate"), "terminate", CloudOrder::TerminateInstance { node: node() })
            .hint(ctx.t("cloud.terminate.about"))
            .danger(),
    );
    if i.spot {
        items.push(
            item(ctx.t("cloud.reclaim"), "reclaim", CloudOrder::ReclaimInstance { node: node() })
                .hint(ctx.t("cloud.spot.about"))
                .danger(),
        );
    }
    items
}

fn types(ctx: &Ctx, c: &CloudView) -> Vec<Item> {
    let of = |t: &protocol::cloud::InstanceTypeView| {
        let (cpu, memory) = (t.cpu.to_string(), format!("{}Gi", t.memory_gib));
        let hint = ctx.tf("cloud.type", &[("cpu", &cpu), ("memory", &memory), ("price", &dollars(t.price_micros))]);
        let command = Command::AddNode { id: 0, cpu, memory, pods: PODS.into() };
        Item::new(t.name.clone(), format!("add-{}", t.name), ctx.on_send(command)).hint(hint)
    };
    c.types.iter().map(of).collect()
}
