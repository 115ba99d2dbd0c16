//! Why a pod does not do its work: one sentence, what it was concluded from, and remedies that were tried in a copy.

use super::decision::{FixList, short};
use super::icon::Icon;
use crate::ctx::{Ctx, use_ctx};
use crate::i18n::{describe, refusals};
use crate::model::Topic;
use crate::ui::{Action, FileAction, InspectorTab};
use protocol::{Answer, Command, Debug, Detail, Evidence, Remedy};
use std::rc::Rc;
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub detail: Rc<Detail>,
    /// Of the answers.
    pub answers: u64,
}

#[component]
pub fn DiagnosisView(p: &Props) -> Html {
    let ctx = use_ctx();
    let Some(d) = &p.detail.diagnosis else { return html! {} };
    let id = &p.detail.id;
    let remedies = d.remedies.then(|| remedies(&ctx, &id.namespace, &id.name));
    let cycle = p.detail.cycles.first().filter(|_| d.placement).map(|c| c.seq);
    html! {
        <section class={classes!("diagnosis", (!d.underway).then_some("wrong"))} data-testid="diagnosis" aria-label={ctx.t("diagnosis.label")}>
            <p class="sentence"><Icon name={if d.underway { "help" } else { "bolt" }} /><span data-testid="diagnosis-sentence">{ describe::note(ctx.lang, &d.note) }</span></p>
            if !d.evidence.is_empty() {
                <h3>{ ctx.t("diagnosis.evidence") }</h3>
                <ul class="evidence">{ for d.evidence.iter().map(|e| evidence(&ctx, e)) }</ul>
            }
            if let Some(cycle) = cycle {
                <p><button class="chip" data-testid="show-why-pending" onclick={ctx.on(Action::Cycle(cycle))}>{ ctx.t("decision.open") }</button></p>
                <FixList namespace={id.namespace.clone()} name={id.name.clone()} answers={p.answers} />
            }
            { remedies.unwrap_or_default() }
        </section>
    }
}

fn evidence(ctx: &Ctx, e: &Evidence) -> Html {
    html! {
        <li>
            <span>{ describe::note(ctx.lang, &e.note) }</span>
            if !e.quote.is_empty() { <q lang="en">{ e.quote.clone() }</q> }
            if let Some(id) = &e.object {
                if id.kind != "Pod" { <button class="chip" onclick={ctx.on(Action::Inspect(id.clone(), InspectorTab::Summary))}>{ format!("{}/{}", id.kind, id.name) }</button> }
            }
        </li>
    }
}

fn remedies(ctx: &Ctx, namespace: &str, name: &str) -> Html {
    let asked = Debug::Remedies { namespace: namespace.into(), name: name.into() };
    let (answer, waiting) = {
        let model = ctx.model.get();
        (model.answer(Topic::Remedies, &asked), model.waits(Topic::Remedies, &asked))
    };
    let ask = ctx.on(Action::Ask(Topic::Remedies, asked));
    html! {
        <section class="fixes" data-testid="remedies" aria-busy={waiting.to_string()}>
            <h3>{ ctx.t("diagnosis.remedies") }</h3>
            { match answer.as_deref() {
                Some(Answer::Remedies { remedies }) if remedies.is_empty() => html! { <p>{ ctx.t("diagnosis.none") }</p> },
                Some(Answer::Remedies { remedies }) => html! {
                    <>
                        <p><small>{ ctx.tf("diagnosis.tried", &[("n", &remedies.len().to_string())]) }</small></p>
                        <ol class="offers">
                            { for remedies.iter().filter(|r| r.works.is_some()).map(|r| remedy(ctx, r)) }
                            { for remedies.iter().filter(|r| r.works.is_none()).map(|r| remedy(ctx, r)) }
                        </ol>
                    </>
                },
                Some(Answer::Refused { message, .. }) => html! { <p class="error">{ refusals::told(ctx.lang, message) }</p> },
                _ => html! {
                    <button class="ask" data-testid="try-remedies" disabled={waiting} onclick={ask}><Icon name="search" />{ if waiting { ctx.t("diagnosis.trying") } else { ctx.t("diagnosis.try") } }</button>
                },
            } }
        </section>
    }
}

/// One remedy: in words, what it came to in the copy, and how to do it.
fn remedy(ctx: &Ctx, r: &Remedy) -> Html {
    let text = r.documents.iter().map(|d| d.yaml.trim_end()).collect::<Vec<_>>().join("\n---\n") + "\n";
    let name = r.documents.first().map_or_else(String::new, |d| format!("{}.yaml", d.object.name));
    let replace = r.documents.iter().any(|d| d.replace);
    let works = r.works.is_some();
    let carry_out = {
        let together = Command::Together { id: 0, commands: r.commands.clone() };
        ctx.on(Action::Deed(together))
    };
    html! {
        <li data-testid="remedy" class={if works { "helps" } else { "fails" }}>
            <p class="edit"><b>{ describe::note(ctx.lang, &r.note) }</b>
                if let Some(e) = &r.edit {
                    <code>{ format!("{}/{} {}", e.kind, e.name, e.path) }</code>
                    <span class="change"><del>{ short(&e.before) }</del>{ " → " }<ins>{ short(&e.after) }</ins></span>
                }
            </p>
            if let Some(seconds) = r.works {
                <p class="proof"><Icon name="check" />{ ctx.tf("diagnosis.works", &[("n", &seconds.to_string())]) }</p>
                <p class="remedy-buttons">
                    <button class="primary" data-testid="carry-out" onclick={carry_out}><Icon name="run" />{ ctx.t("diagnosis.do") }</button>
                    if !r.documents.is_empty() {
                        <button data-testid="show-remedy" onclick={ctx.on(Action::File(FileAction::Open(name.into(), text.into())))}><Icon name="file" />{ ctx.t("fixes.show") }</button>
                    }
                </p>
                if replace { <small>{ ctx.t("diagnosis.replace") }</small> }
            } else {
                <p class="disproof"><Icon name="close" />{ match &r.still {
                    Some(still) => ctx.tf("diagnosis.fails-still", &[("still", &describe::note(ctx.lang, still))]),
                    None => ctx.t("diagnosis.fails").to_string(),
                } }</p>
            }
        </li>
    }
}
