//! The load balancers: their addresses, their ports, and which nodes answer behind them.

use super::PartProps;
use crate::ctx::{Ctx, use_ctx};
use crate::model::kinds;
use crate::ui::Action;
use crate::views::icon::Icon;
use protocol::cloud::LoadBalancerView;
use yew::prelude::*;

#[component]
pub fn Balancers(p: &PartProps) -> Html {
    let ctx = use_ctx();
    let c = &p.cloud.0;
    html! {
        <section class="console-part" aria-label={ctx.t("cloud.balancers")}>
            <h2>{ ctx.t("cloud.balancers") }<b class="num">{ c.load_balancers.len() }</b><small class="num">{ ctx.tf("cloud.of-quota", &[("n", &c.load_balancers_max.to_string())]) }</small></h2>
            if c.load_balancers.is_empty() { <p class="console-none">{ ctx.t("cloud.balancers.none") }</p> }
            <ul class="balancers" data-testid="cloud-balancers">{ for c.load_balancers.iter().map(|lb| balancer(&ctx, lb)) }</ul>
        </section>
    }
}

fn balancer(ctx: &Ctx, lb: &LoadBalancerView) -> Html {
    let service = kinds::object("services", &lb.service);
    let healthy = lb.targets.iter().filter(|t| t.healthy).count();
    html! {
        <li key={lb.name.clone()} data-testid={format!("balancer-{}", lb.service)}>
            <div class="balancer-head">
                if let Some(id) = service { <button class="link" onclick={ctx.on(Action::Inspect(id, Default::default()))}>{ lb.service.clone() }</button> }
                if lb.active { <span class="status good">{ ctx.t("cloud.active") }</span> } else { <span class="status warn">{ ctx.t("cloud.setting-up") }</span> }
                <span class="grow" /><code>{ lb.ip.clone() }</code>
            </div>
            <p class="balancer-ports">{ for lb.ports.iter().map(|port| html! {
                <span class="num">{ format!("{} {}", port.protocol, port.port) }<Icon name="right" />{ ctx.tf("cloud.node-port", &[("port", &port.node_port.to_string())]) }</span>
            }) }</p>
            <ul class="targets" aria-label={ctx.tf("cloud.targets", &[("healthy", &healthy.to_string()), ("n", &lb.targets.len().to_string())])}>
                { for lb.targets.iter().map(|t| {
                    let word = if t.healthy { ctx.t("cloud.healthy") } else { ctx.t("cloud.unhealthy") };
                    html! { <li class={if t.healthy { "good" } else { "bad" }} title={word}><Icon name={if t.healthy { "check" } else { "cross" }} />{ t.node.clone() }<span class="visually-hidden">{ word }</span></li> }
                }) }
                if lb.targets.is_empty() { <li class="bad">{ ctx.t("cloud.targets.none") }</li> }
            </ul>
            <small class="mono">{ lb.name.clone() }</small>
        </li>
    }
}
