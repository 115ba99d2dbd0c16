//! The cloud's disks: where each is, and which machine has it.

use super::{PartProps, dollars, more, node_link};
use crate::ctx::use_ctx;
use yew::prelude::*;

#[component]
pub fn Disks(p: &PartProps) -> Html {
    let ctx = use_ctx();
    let c = &p.cloud.0;
    let head =
        ["cloud.column.disk", "cloud.column.size", "cloud.column.zone", "cloud.column.attached", "cloud.column.price"];
    html! {
        <section class="console-part" aria-label={ctx.t("cloud.disks")}>
            <h2>{ ctx.t("cloud.disks") }<b class="num">{ c.disks_total }</b></h2>
            if c.disks.is_empty() { <p class="console-none">{ ctx.t("cloud.disks.none") }</p> } else {
                <table class="console-table" data-testid="cloud-disks">
                    <thead><tr>{ for head.iter().map(|h| html! { <th scope="col">{ ctx.t(h) }</th> }) }</tr></thead>
                    <tbody>
                        { for c.disks.iter().map(|d| html! {
                            <tr key={d.id.clone()}>
                                <th scope="row" class="mono" title={d.name.clone()}>{ d.id.clone() }</th>
                                <td class="num">{ format!("{} GiB", d.gib) }</td>
                                <td>{ d.zone.clone() }</td>
                                <td>if d.node.is_empty() { <span class="status">{ ctx.t("cloud.disk.free") }</span> } else { { node_link(&ctx, &d.node) }<code>{ d.device.clone() }</code> }</td>
                                <td class="num">{ dollars(d.price_micros) }</td>
                            </tr>
                        }) }
                    </tbody>
                </table>
                { more(&ctx, c.disks_total, c.disks.len()) }
            }
        </section>
    }
}
