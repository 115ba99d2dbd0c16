//! Roles: what they allow and whom.

use super::{link, section};
use crate::ctx::Ctx;
use protocol::panel::AccessPanel;
use yew::prelude::*;

pub fn access(ctx: &Ctx, a: &AccessPanel) -> Html {
    html! {
        <>
            if !a.subjects.is_empty() {
                { section(ctx, "panel.subjects", "panel-subjects", html! {
                    <>
                        <ul class="subjects">{ for a.subjects.iter().map(|(kind, namespace, name)| html! {
                            <li><small>{ kind.clone() }</small>{ if namespace.is_empty() { name.clone() } else { format!("{namespace}/{name}") } }</li>
                        }) }</ul>
                        if let Some(role) = &a.role { <p class="breadcrumb">{ ctx.t("panel.access.may") }{ link(ctx, role) }</p> }
                    </>
                }) }
            }
            { section(ctx, "panel.rules", "panel-rules", html! {
                <>
                    if a.rules.is_empty() { <p class="console-none">{ ctx.t("panel.rules.none") }</p> } else {
                        <table class="console-table rules"><thead><tr><th scope="col">{ ctx.t("panel.rules.verbs") }</th><th scope="col">{ ctx.t("panel.rules.resources") }</th></tr></thead>
                            <tbody>{ for a.rules.iter().map(|r| html! {
                                <tr><th scope="row">{ r.verbs.clone() }</th><td>{ r.resources.clone() }if !r.names.is_empty() { <small>{ ctx.tf("panel.rules.names", &[("names", &r.names)]) }</small> }</td></tr>
                            }) }</tbody></table>
                    }
                    if a.role.is_none() && a.subjects.is_empty() {
                        <p class="breadcrumb">{ if a.bindings.is_empty() { ctx.t("panel.access.unbound") } else { ctx.t("panel.access.bound") } }{ for a.bindings.iter().map(|b| link(ctx, b)) }</p>
                    }
                </>
            }) }
        </>
    }
}
