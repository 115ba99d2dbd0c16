//! "What would make it fit?": edits that were proved by scheduling, or, until they are asked for, the usual remedies.

use super::ViewRef;
use crate::ctx::{Ctx, use_ctx};
use crate::i18n::{describe, explain, refusals};
use crate::model::Topic;
use crate::ui::{Action, FileAction};
use crate::views::icon::Icon;
use protocol::debug::OfferedFix;
use protocol::{Answer, Command, Debug};
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub namespace: AttrValue,
    pub name: AttrValue,
    /// For the usual remedies.
    #[prop_or_default]
    pub cycle: Option<ViewRef>,
    /// Of the answers.
    pub answers: u64,
}

#[component]
pub fn FixList(p: &Props) -> Html {
    let ctx = use_ctx();
    let asked = Debug::Fixes { namespace: p.namespace.to_string(), name: p.name.to_string() };
    let (answer, waiting) = {
        let model = ctx.model.get();
        (model.answer(Topic::Fixes, &asked), model.waits(Topic::Fixes, &asked))
    };
    let ask = ctx.on(Action::Ask(Topic::Fixes, asked));
    let remedies = p.cycle.as_ref().map(|c| explain::remedies(ctx.lang, &c.0)).unwrap_or_default();
    html! {
        <section class="fixes" data-testid="fixes">
            <h3>{ ctx.t("decision.remedies") }</h3>
            { match answer.as_deref() {
                Some(Answer::Fixes(fixes)) if !fixes.fits.is_empty() => html! { <p class="told good">{ ctx.tf("fixes.fits", &[("node", &fixes.fits)]) }</p> },
                Some(Answer::Fixes(fixes)) if fixes.fixes.is_empty() => html! { <p>{ ctx.tf("fixes.none", &[("n", &fixes.tried.to_string())]) }</p> },
                Some(Answer::Fixes(fixes)) => html! {
                    <>
                        <p><small>{ ctx.tf("fixes.about", &[("n", &fixes.tried.to_string())]) }</small></p>
                        <ol class="offers">{ for fixes.fixes.iter().map(|f| offer(&ctx, f)) }</ol>
                    </>
                },
                Some(Answer::Refused { message, .. }) => html! { <p class="error">{ refusals::told(ctx.lang, message) }</p> },
                _ => html! {
                    <>
                        <ul class="remedies">{ for remedies.into_iter().map(|r| html! { <li>{ r }</li> }) }</ul>
                        <button class="ask" data-testid="find-fixes" disabled={waiting} onclick={ask}><Icon name="search" />{ if waiting { ctx.t("fixes.searching") } else { ctx.t("fixes.find") } }</button>
                    </>
                },
            } }
        </section>
    }
}

/// One offer: the edits in words, where the pod landed with them, and the documents for the editor.
fn offer(ctx: &Ctx, f: &OfferedFix) -> Html {
    let text: String = f.documents.iter().map(|d| d.yaml.trim_end()).collect::<Vec<_>>().join("\n---\n") + "\n";
    let name = f.documents.first().map_or_else(String::new, |d| format!("{}.yaml", d.object.name));
    let replace = f.documents.iter().any(|d| d.replace);
    html! {
        <li data-testid="fix">
            { for f.fix.edits.iter().map(|e| html! {
                <p class="edit"><b>{ describe::note(ctx.lang, &e.note) }</b>
                    if !e.path.is_empty() { <code>{ format!("{}/{} {}", e.kind, e.name, e.path) }</code> }
                    if !e.after.is_null() && e.note.code != "fix.add-node" { <span class="change"><del>{ short(&only(&e.before, &e.after)) }</del>{ " → " }<ins>{ short(&only(&e.after, &e.before)) }</ins></span> }
                </p>
            }) }
            <p class="proof"><Icon name="check" />{ ctx.tf("fixes.proved", &[("node", &f.fix.node)]) }
                if !f.fix.victims.is_empty() { { " " }{ ctx.tf("fixes.victims", &[("pods", &f.fix.victims.iter().map(|v| v.name.clone()).collect::<Vec<_>>().join(", "))]) } }</p>
            if let Some(command) = new_node(f) {
                <button data-testid="fix-add-node" onclick={ctx.on_send(command)}><Icon name="plus" />{ ctx.t("node.add") }</button>
            }
            if !f.documents.is_empty() {
                <button data-testid="show-fix" onclick={ctx.on(Action::File(FileAction::Open(name.into(), text.into())))}><Icon name="file" />{ ctx.t("fixes.show") }</button>
                if replace { <small>{ ctx.t("fixes.replace") }</small> }
            }
        </li>
    }
}

/// An edit that is not a document: one more machine.
fn new_node(f: &OfferedFix) -> Option<Command> {
    let note = f.fix.edits.iter().map(|e| &e.note).find(|n| n.code == "fix.add-node")?;
    let arg = |name: &str| note.args.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    Some(Command::AddNode { id: 0, cpu: arg("cpu")?, memory: arg("memory")?, pods: arg("pods")? })
}

/// Of a list the items that the other one lacks; else the whole value.
fn only(value: &serde_json::Value, other: &serde_json::Value) -> serde_json::Value {
    let (Some(items), Some(others)) = (value.as_array(), other.as_array()) else { return value.clone() };
    let mut own: Vec<_> = items.iter().filter(|i| !others.contains(i)).cloned().collect();
    match own.len() {
        0 => serde_json::Value::Null,
        1 => own.remove(0),
        _ => own.into(),
    }
}

/// A value in a few characters.
pub fn short(value: &serde_json::Value) -> String {
    const MAX: usize = 100;
    let text = match value {
        serde_json::Value::Null => "—".to_string(),
        serde_json::Value::String(s) => s.clone(),
        other => other.to_string(),
    };
    if text.chars().count() > MAX { text.chars().take(MAX).chain(['…']).collect() } else { text }
}
