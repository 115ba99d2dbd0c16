//! The scheduler's configuration, edited live: refused whole with the fields' paths, or in force at once.

use super::yaml::{Mark, Yaml};
use crate::ctx::use_ctx;
use crate::i18n::refusals;
use crate::model::Topic;
use crate::ui::Action;
use protocol::{Answer, Debug};
use std::rc::Rc;
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct Props {
    /// Of the answers.
    pub answers: u64,
}

#[component]
pub fn Config(p: &Props) -> Html {
    let _ = p.answers;
    let ctx = use_ctx();
    let text = use_state(|| None::<Rc<str>>);
    {
        let ctx = ctx.clone();
        use_effect_with((), move |()| ctx.act(Action::Ask(Topic::Config, Debug::Config)));
    }
    let current = ctx.model.get().answer(Topic::Config, &Debug::Config);
    let (yaml, schedulers): (Rc<str>, Vec<String>) = match current.as_deref() {
        Some(Answer::Config { yaml, schedulers }) => (yaml.as_str().into(), schedulers.clone()),
        Some(Answer::Refused { message, .. }) => {
            return html! { <p class="empty">{ refusals::told(ctx.lang, message) }</p> };
        }
        _ => return html! { <p class="empty">{ ctx.t("inspector.loading") }</p> },
    };
    let shown = (*text).clone().unwrap_or_else(|| yaml.clone());
    let asked = Debug::SetConfig { yaml: shown.to_string() };
    let (answer, waits) = {
        let model = ctx.model.get();
        (model.answer(Topic::SetConfig, &asked), model.waits(Topic::SetConfig, &asked))
    };
    let set = ctx.on(Action::Ask(Topic::SetConfig, asked));
    let on_apply = ctx.on(Action::Ask(Topic::SetConfig, Debug::SetConfig { yaml: shown.to_string() }));
    let errors = match answer.as_deref() {
        Some(Answer::Refused { message, errors }) => Some((message.clone(), errors.clone())),
        _ => None,
    };
    let marks: Vec<Mark> = errors
        .iter()
        .flat_map(|(_, errors)| errors)
        .filter(|e| e.line > 0)
        .map(|e| Mark { line: e.line, column: e.column.max(1), message: e.message.clone(), severity: "error" })
        .collect();
    let changed = shown != yaml;
    let on_change = {
        let text = text.clone();
        Callback::from(move |t: Rc<str>| text.set(Some(t)))
    };
    let reset = {
        let text = text.clone();
        Callback::from(move |_: MouseEvent| text.set(None))
    };
    html! {
        <div class="config" data-testid="config">
            <p>{ ctx.t("config.about") }{ " " }<small>{ ctx.tf("config.schedulers", &[("names", &schedulers.join(", "))]) }</small></p>
            <div class="config-body"><Yaml text={shown} label={ctx.t("config.title")} testid="config-yaml" {marks} {on_change} {on_apply} /></div>
            <div class="editor-actions">
                <button class="primary" data-testid="config-set" disabled={waits} onclick={set}>{ ctx.t("config.set") }<kbd>{ "Ctrl ⏎" }</kbd></button>
                <button data-testid="config-reset" disabled={!changed} onclick={reset}>{ ctx.t("config.reset") }</button>
                <span role="status" data-testid="config-status">
                    if let Some(Answer::Done) = answer.as_deref() { <span class="status good">{ ctx.t("config.done") }</span> }
                </span>
            </div>
            if let Some((message, errors)) = errors {
                <div class="results diagnostics" role="alert" data-testid="config-errors">
                    <p class="results-title bad">{ ctx.t("config.refused") }</p>
                    <ul>
                        if errors.is_empty() { <li><span>{ message }</span></li> }
                        { for errors.iter().map(|e| html! {
                            <li>if e.line > 0 { <span class="where">{ ctx.tf("editor.place", &[("line", &e.line.to_string()), ("column", &e.column.to_string())]) }</span> }
                                if !e.path.is_empty() { <code>{ e.path.clone() }</code> }<span>{ e.message.clone() }</span></li>
                        }) }
                    </ul>
                </div>
            }
        </div>
    }
}
