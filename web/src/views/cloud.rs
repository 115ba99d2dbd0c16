//! The cloud's console: what the cluster has of the cloud, what was asked of it, and what can go wrong with it.

mod balancers;
mod calls;
mod disks;
mod instances;
mod weather;

use super::icon::Icon;
use crate::ctx::{Ctx, use_ctx};
use crate::ui::{Action, Overlay};
use protocol::Command;
use protocol::cloud::{CloudOrder, CloudView};
use std::rc::Rc;
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct Props {
    /// Of what the engine said.
    pub version: u64,
    /// A cluster in this page, which can begin anew.
    pub own: bool,
}

/// An update replaces it: the pointer tells whether it is another.
#[derive(Clone)]
pub struct CloudRef(Rc<CloudView>);

impl PartialEq for CloudRef {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

#[component]
pub fn Cloud(p: &Props) -> Html {
    let ctx = use_ctx();
    let Some(cloud) = ctx.model.get().cloud.clone().map(CloudRef) else {
        return html! { <div class="stage-message" role="status"><div class="pulse" aria-hidden="true" /><p>{ ctx.t("cloud.loading") }</p></div> };
    };
    if !cloud.0.connected {
        return html! {
            <div class="stage-message" data-testid="cloud-none">
                <h2>{ ctx.t("cloud.none") }</h2>
                <p>{ ctx.t("cloud.none.about") }</p>
                <p class="buttons">
                    <button class="primary" data-testid="cloud-connect" onclick={order(&ctx, CloudOrder::Connect)}><Icon name="cloud" />{ ctx.t("cloud.connect") }</button>
                    if p.own { <button data-testid="cloud-new" onclick={ctx.on(Action::Overlay(Some(Overlay::NewCluster)))}>{ ctx.t("cloud.new") }</button> }
                </p>
            </div>
        };
    }
    html! {
        <div class="console" data-testid="console">
            <weather::Weather cloud={cloud.clone()} />
            <div class="console-body">
                <div class="console-main">
                    <instances::Instances cloud={cloud.clone()} />
                    <balancers::Balancers cloud={cloud.clone()} />
                    <disks::Disks cloud={cloud.clone()} />
                    <Routes cloud={cloud.clone()} />
                </div>
                <calls::Calls {cloud} />
            </div>
        </div>
    }
}

fn order<E: 'static>(ctx: &Ctx, order: CloudOrder) -> Callback<E> {
    ctx.on_send(Command::Cloud { id: 0, order })
}

/// Millionths of a dollar as an amount: `$0.0850`.
fn dollars(micros: u64) -> String {
    format!("${}.{:04}", micros / 1_000_000, micros % 1_000_000 / 100)
}

#[derive(PartialEq, Properties)]
pub struct PartProps {
    pub cloud: CloudRef,
}

/// Which node each pod CIDR leads to.
#[component]
fn Routes(p: &PartProps) -> Html {
    let ctx = use_ctx();
    let c = &p.cloud.0;
    html! {
        <section class="console-part" aria-label={ctx.t("cloud.routes")}>
            <h2>{ ctx.t("cloud.routes") }<b class="num">{ c.routes_total }</b></h2>
            if c.routes.is_empty() { <p class="console-none">{ ctx.t("cloud.routes.none") }</p> } else {
                <table class="console-table" data-testid="cloud-routes">
                    <thead><tr><th scope="col">{ ctx.t("cloud.column.cidr") }</th><th scope="col">{ ctx.t("cloud.column.target") }</th><th scope="col">{ ctx.t("cloud.column.state") }</th></tr></thead>
                    <tbody>
                        { for c.routes.iter().map(|r| html! {
                            <tr key={r.name.clone()}>
                                <th scope="row" class="mono">{ r.cidr.clone() }</th>
                                <td>{ node_link(&ctx, &r.node) }</td>
                                <td>if r.blackhole { <span class="status bad" title={ctx.t("cloud.blackhole.about")}>{ ctx.t("cloud.blackhole") }</span> } else { <span class="status good">{ ctx.t("cloud.active") }</span> }</td>
                            </tr>
                        }) }
                    </tbody>
                </table>
                { more(&ctx, c.routes_total, c.routes.len()) }
            }
        </section>
    }
}

fn node_link(ctx: &Ctx, node: &str) -> Html {
    html! { <button class="link" onclick={ctx.on(Action::Inspect(crate::model::kinds::node(node), Default::default()))}>{ node.to_string() }</button> }
}

/// How many there are beyond those that are shown.
fn more(ctx: &Ctx, total: usize, shown: usize) -> Html {
    let left = total.saturating_sub(shown);
    if left == 0 {
        return html! {};
    }
    html! { <p class="console-none">{ ctx.tf("cloud.more", &[("n", &left.to_string())]) }</p> }
}

#[cfg(test)]
mod tests {
    #[test]
    fn amounts_have_four_places() {
        let got = [0, 85_000, 1_234_567].map(super::dollars);
        assert_eq!(got, ["$0.0000", "$0.0850", "$1.2345"]);
    }
}
