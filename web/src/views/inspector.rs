//! The right dock: any object, and why it is as it is.

use super::history::History;
use super::icon::Icon;
use super::inspector_tabs::{Events, Logs, Owners, Summary, Why};
use super::placement::Placement;
use super::yaml::Yaml;
use crate::ctx::{Ctx, use_ctx};
use crate::model::editable::editable;
use crate::ui::{Action, Dock, FileAction, InspectorTab as Tab};
use protocol::{ApplyMode, Command, Detail, File, ObjectId};
use std::rc::Rc;
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub tab: Tab,
    pub object: Option<ObjectId>,
    /// The entry whose causes are shown.
    pub why: Option<u64>,
    pub can_go_back: bool,
    /// Of the detail, and of the chain of causes.
    pub versions: (u64, u64),
    /// Of the debugger's answers.
    pub answers: u64,
    /// "Why not here?" as it was asked elsewhere.
    pub about: Option<(Rc<str>, u64)>,
}

/// Deletes the object as kubectl does.
fn delete(id: &ObjectId) -> Command {
    let mut text = format!("apiVersion: {}\nkind: {}\nmetadata:\n  name: {:?}\n", id.api_version, id.kind, id.name);
    if !id.namespace.is_empty() {
        text.push_str(&format!("  namespace: {:?}\n", id.namespace));
    }
    let files = vec![File { name: format!("{}.yaml", id.name), text }];
    Command::Apply { id: 0, mode: ApplyMode::Delete, files }
}

/// The object as a file of the editor.
fn edit(ctx: &Ctx, detail: Rc<Detail>) -> Callback<MouseEvent> {
    let ctx = ctx.clone();
    Callback::from(move |_| {
        let name = format!("{}.yaml", detail.id.name);
        ctx.act(Action::File(FileAction::Open(name.into(), editable(&detail.yaml).into())));
    })
}

#[component]
pub fn Inspector(p: &Props) -> Html {
    let ctx = use_ctx();
    let detail = ctx.model.get().detail.clone().filter(|d| Some(&d.id) == p.object.as_ref());
    let close = html! {
        <button class="icon-button" data-testid="close-inspector" aria-label={ctx.t("close")} title={ctx.t("close")} onclick={ctx.on(Action::SetDock(Dock::Right, false))}><Icon name="close" /></button>
    };
    let back = html! {
        if p.can_go_back { <button class="icon-button" data-testid="inspector-back" aria-label={ctx.t("back")} title={ctx.t("back")} onclick={ctx.on(Action::InspectBack)}><Icon name="left" /></button> }
    };
    let Some(object) = &p.object else {
        return html! {
            <div class="inspector" data-testid="inspector">
                <div class="dock-head">{ back }<h2>{ if p.why.is_some() { ctx.t("inspector.entry") } else { ctx.t("dock.inspector") } }</h2><span class="grow" />{ close }</div>
                if p.why.is_some() { <div class="tab-body"><Why version={p.versions.1} seq={p.why} /></div> } else { <p class="empty">{ ctx.t("inspector.empty") }</p> }
            </div>
        };
    };
    let tabs: &[(Tab, &'static str, &'static str)] = &[
        (Tab::Summary, ctx.t("inspector.summary"), "tab-summary"),
        (Tab::Why, ctx.t("inspector.why"), "tab-why"),
        (Tab::Events, ctx.t("inspector.events"), "tab-events"),
        (Tab::Yaml, "YAML", "tab-yaml"),
        (Tab::Owners, ctx.t("inspector.owners"), "tab-owners"),
        (Tab::Logs, ctx.t("inspector.logs"), "tab-logs"),
        (Tab::Decisions, ctx.t("inspector.decisions"), "tab-decisions"),
        (Tab::Placement, ctx.t("inspector.placement"), "tab-placement"),
    ];
    let pod = object.kind == "Pod";
    let has = |tab: Tab| pod || !matches!(tab, Tab::Logs | Tab::Decisions | Tab::Placement);
    let tab = if has(p.tab) { p.tab } else { Tab::Summary };
    html! {
        <div class="inspector" data-testid="inspector">
            <div class="dock-head object-head">
                { back }
                <div class="object-name"><small>{ &object.kind }{ if object.namespace.is_empty() { String::new() } else { format!(" · {}", object.namespace) } }</small>
                    <h2 title={object.name.clone()} data-testid="inspector-name">{ &object.name }</h2></div>
                if detail.as_ref().is_some_and(|d| !d.exists) { <span class="status bad" data-testid="deleted">{ ctx.t("inspector.deleted") }</span> }
                <span class="grow" />
                if let Some(d) = detail.as_ref().filter(|d| d.exists) {
                    <button class="icon-button" data-testid="edit-object" aria-label={ctx.t("inspector.edit")} title={ctx.t("inspector.edit")} onclick={edit(&ctx, d.clone())}><Icon name="pen" /></button>
                    <button class="icon-button" data-testid="delete-object" aria-label={ctx.t("inspector.delete")} title={ctx.t("inspector.delete")} onclick={ctx.on_send(delete(object))}><Icon name="bin" /></button>
                }
                { close }
            </div>
            <div class="segments tabs-line" role="tablist">
                { for tabs.iter().filter(|(t, ..)| has(*t)).map(|(t, label, id)| html! {
                    <button role="tab" aria-selected={(tab == *t).to_string()} data-testid={*id} onclick={ctx.on(Action::Tab(*t))}>{ *label }</button>
                }) }
            </div>
            <div class="tab-body" role="tabpanel">
                if let Some(d) = detail {
                    { match tab {
                        Tab::Summary => html! { <Summary detail={d} answers={p.answers} /> },
                        Tab::Yaml => html! { <Yaml text={Rc::<str>::from(d.yaml.as_str())} label={ctx.tf("inspector.yaml.label", &[("name", &object.name)])} testid="object-yaml" read_only=true /> },
                        Tab::Events => html! { <Events detail={d} /> },
                        Tab::Owners => html! { <Owners detail={d} /> },
                        Tab::Logs => html! { <Logs detail={d} /> },
                        Tab::Why => html! { <Why version={p.versions.1} seq={p.why} detail={d} /> },
                        Tab::Placement => html! { <Placement detail={d} answers={p.answers} about={p.about.clone().map(|(node, cycle)| (AttrValue::from(node), cycle))} /> },
                        Tab::Decisions => html! { <History detail={d} answers={p.answers} /> },
                    } }
                } else {
                    <p class="empty">{ ctx.t("inspector.loading") }</p>
                }
            </div>
        </div>
    }
}
