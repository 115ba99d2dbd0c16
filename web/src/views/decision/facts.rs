//! What a learner knows about a node before the verdicts: the same that the scheduler looks at.

use crate::ctx::Ctx;
use crate::format;
use yew::prelude::*;

/// In order; `fact.column.<code>` names them.
pub(super) const COLUMNS: &[&str] = &["cpu", "memory", "pods", "taints", "zone"];

pub(super) fn cell(ctx: &Ctx, node: &str, code: &str) -> Html {
    let model = ctx.model.get();
    let Some(n) = model.nodes.get(node) else {
        return html! { <span class="gone">{ ctx.t("guess.node-gone") }</span> };
    };
    let free = |used: i64, whole: i64, text: fn(i64) -> String| {
        let title = ctx.tf("guess.free", &[("free", &text(whole - used)), ("whole", &text(whole))]);
        html! {
            <span class="free" title={title.clone()}>
                <span class="score-track"><span style={format!("width:{:.0}%", format::percent(whole - used, whole))} /></span>
                <span class="num">{ title }</span>
            </span>
        }
    };
    match code {
        "cpu" => free(n.cpu_requested, n.cpu, format::cpu),
        "memory" => free(n.memory_requested, n.memory, format::memory),
        "pods" => html! { <span class="num">{ format!("{}/{}", n.pods_running, n.pods) }</span> },
        "taints" => {
            let mut all = n.taints.clone();
            if n.unschedulable && !all.iter().any(|t| t.contains("unschedulable")) {
                all.push(ctx.t("node.cordoned").to_string());
            }
            let text = all.join(", ");
            html! { <span title={text.clone()}>{ text.clone() }</span> }
        }
        _ => html! { <span>{ n.zone.clone() }</span> },
    }
}
