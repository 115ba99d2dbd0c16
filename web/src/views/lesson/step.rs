//! One step of a lesson.

use super::prose;
use crate::ctx::use_ctx;
use crate::lessons::{Current, LessonAction};
use crate::ui::Action;
use crate::views::icon::Icon;
use protocol::lesson::{PredictWords, StepWords};
use std::rc::Rc;
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub number: u32,
    pub all: u32,
    pub words: StepWords,
    pub current: Rc<Current>,
}

#[component]
pub fn StepView(p: &Props) -> Html {
    let ctx = use_ctx();
    let state = &p.current.state;
    let done = p.number < state.done;
    let act = |action: LessonAction| ctx.on(Action::Lesson(action));
    let open = p.current.hints.get(&p.number).copied().unwrap_or(0) as usize;
    let hints = p.words.hints.len();
    let of = ctx.tf("lesson.step", &[("n", &(p.number + 1).to_string()), ("all", &p.all.to_string())]);
    html! {
        <section class={classes!("step", done.then_some("done"))} data-testid={format!("step-{}", p.number + 1)} data-done={done.to_string()}>
            <h3>if done { <Icon name="check" /> }<small>{ of }</small>{ p.words.title.clone() }</h3>
            { prose(&p.words.text) }
            if let Some(predict) = &p.words.predict {
                <Predict number={p.number} words={predict.clone()} picked={p.current.picks.get(&p.number).copied()}
                    right={state.answers.get(p.number as usize).copied().flatten()} {done} />
            }
            if !p.words.checks.is_empty() {
                <ul class="ticks" aria-live="polite" aria-label={ctx.t("lesson.checks")}>
                    { for p.words.checks.iter().enumerate().map(|(i, text)| {
                        let holds = done || state.ticks.get(i).copied().unwrap_or(false);
                        html! {
                            <li class={classes!(holds.then_some("holds"))} data-testid={format!("tick-{}-{}", p.number + 1, i + 1)} data-holds={holds.to_string()}>
                                <span class="box" aria-hidden="true">if holds { <Icon name="check" /> }</span>
                                <span>{ text.clone() }<span class="visually-hidden">{ if holds { ctx.t("lesson.holds") } else { ctx.t("lesson.not-yet") } }</span></span>
                            </li>
                        }
                    }) }
                </ul>
            }
            if !done && !p.words.checks.is_empty() {
                if open > 0 {
                    <ol class="hints" data-testid="hints">{ for p.words.hints.iter().take(open).map(|h| html! { <li>{ prose(h) }</li> }) }</ol>
                }
                <p class="step-help">
                    if open < hints {
                        <button data-testid="hint" onclick={act(LessonAction::Hint(p.number))}>{ ctx.tf("lesson.hint", &[("n", &(open + 1).to_string()), ("all", &hints.to_string())]) }</button>
                    }
                    <button class="quiet" data-testid="show-me" disabled={state.showing} onclick={act(LessonAction::Show)}>{ if state.showing { ctx.t("lesson.showing") } else { ctx.t("lesson.show") } }</button>
                </p>
                if !state.error.is_empty() { <p class="error" role="alert">{ state.error.clone() }</p> }
            }
        </section>
    }
}

#[derive(PartialEq, Properties)]
struct PredictProps {
    number: u32,
    words: PredictWords,
    picked: Option<u32>,
    right: Option<u32>,
    done: bool,
}

/// A guess first; what came true, and why, when the step is done.
#[component]
fn Predict(p: &PredictProps) -> Html {
    let ctx = use_ctx();
    html! {
        <fieldset class="predict" data-testid={format!("predict-{}", p.number + 1)}>
            <legend>{ ctx.t("lesson.predict") }</legend>
            { prose(&p.words.question) }
            { for p.words.choices.iter().enumerate().map(|(i, choice)| {
                let i = i as u32;
                let (picked, right) = (p.picked == Some(i), p.done && p.right == Some(i));
                let wrong = p.done && picked && p.right.is_some() && !right;
                let class = classes!("choice", picked.then_some("picked"), right.then_some("right"), wrong.then_some("wrong"));
                html! {
                    <button {class} aria-pressed={picked.to_string()} disabled={p.done} data-testid={format!("choice-{}-{}", p.number + 1, i + 1)}
                        onclick={ctx.on(Action::Lesson(LessonAction::Pick(p.number, i)))}>
                        <span class="box" aria-hidden="true">if right { <Icon name="check" /> } else if wrong { <Icon name="cross" /> }</span>
                        { prose(choice) }
                        if picked { <small>{ ctx.t("lesson.your-guess") }</small> }
                        if right { <span class="visually-hidden">{ ctx.t("lesson.came-true") }</span> }
                    </button>
                }
            }) }
            if p.done {
                <div class="reveal" data-testid={format!("reveal-{}", p.number + 1)}>
                    if let Some(picked) = p.picked {
                        if let Some(right) = p.right {
                            <strong>{ if picked == right { ctx.t("lesson.right") } else { ctx.t("lesson.wrong") } }</strong>
                        }
                    }
                    { prose(&p.words.reveal) }
                </div>
            } else if p.picked.is_some() {
                <p class="soft">{ ctx.t("lesson.will-see") }</p>
            }
        </fieldset>
    }
}
