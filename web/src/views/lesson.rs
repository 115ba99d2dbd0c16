//! The lesson in the left dock: goal, steps with live ticks, questions, hints, recap.

mod contents;
mod step;

use super::icon::Icon;
use crate::ctx::{Ctx, use_ctx};
use crate::lessons::{Current, LessonAction, Lessons, words};
use crate::ui::Action;
use contents::Contents;
use protocol::LessonText;
use std::rc::Rc;
use step::StepView;
use wasm_bindgen::JsCast;
use web_sys::Element;
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub lessons: Rc<Lessons>,
    pub ready: bool,
}

/// HTML that the engine made of an author's Markdown: it lets nothing through that is not text.
pub fn prose(html: &str) -> Html {
    html! { <div class="prose">{ Html::from_html_unchecked(AttrValue::from(html.to_string())) }</div> }
}

/// A click on a manifest's button, which is in the prose.
fn open_file(ctx: &Ctx) -> Callback<MouseEvent> {
    let ctx = ctx.clone();
    Callback::from(move |e: MouseEvent| {
        let clicked = e.target().and_then(|t| t.dyn_into::<Element>().ok());
        let button = clicked.and_then(|c| c.closest("[data-file]").ok().flatten());
        if let Some(name) = button.and_then(|b| b.get_attribute("data-file")) {
            ctx.act(Action::LessonFile(name));
        }
    })
}

#[component]
pub fn LessonDock(p: &Props) -> Html {
    let ctx = use_ctx();
    let l = &p.lessons;
    match (&l.progress.current, &l.text) {
        (Some(current), Some(text)) if !l.contents => {
            html! { <Lesson lessons={l.clone()} text={text.clone()} current={Rc::new(current.clone())} /> }
        }
        (Some(_), None) if !l.contents && !l.problems.is_empty() => html! { <Problems lessons={l.clone()} /> },
        (Some(_), None) if !l.contents => {
            html! { <p class="empty" role="status">{ ctx.t("lesson.loading") }</p> }
        }
        _ => html! { <Contents lessons={l.clone()} /> },
    }
}

#[derive(PartialEq, Properties)]
struct ProblemsProps {
    lessons: Rc<Lessons>,
}

/// A file that is no lesson.
#[component]
fn Problems(p: &ProblemsProps) -> Html {
    let ctx = use_ctx();
    html! {
        <div class="lesson" data-testid="lesson-problems">
            <h2>{ ctx.t("lesson.bad") }</h2>
            <ul class="diagnostics" role="alert">
                { for p.lessons.problems.iter().map(|d| html! {
                    <li class="error"><span class="where">{ ctx.tf("editor.place", &[("line", &d.line.to_string()), ("column", &d.column.to_string())]) }</span><span>{ d.message.clone() }</span></li>
                }) }
            </ul>
            <p><button onclick={ctx.on(Action::Lesson(LessonAction::Leave))}>{ ctx.t("lesson.contents") }</button></p>
        </div>
    }
}

#[derive(PartialEq, Properties)]
struct LessonProps {
    lessons: Rc<Lessons>,
    text: Rc<LessonText>,
    current: Rc<Current>,
}

#[component]
fn Lesson(p: &LessonProps) -> Html {
    let ctx = use_ctx();
    let (words, state) = (words(&p.text, ctx.lang), &p.current.state);
    let all = words.steps.len() as u32;
    let done = state.done.min(all);
    let minutes = ctx.tf("lesson.minutes", &[("n", &p.text.minutes.to_string())]);
    let next = p.lessons.index.as_ref().and_then(|i| i.after(&p.text.id)).cloned();
    let act = |action: LessonAction| ctx.on(Action::Lesson(action));
    html! {
        <div class="lesson" data-testid="lesson" data-lesson={p.text.id.clone()} data-done={done.to_string()} onclick={open_file(&ctx)}>
            <header class="lesson-head">
                <button class="icon-button" data-testid="lesson-contents" aria-label={ctx.t("lesson.contents")} title={ctx.t("lesson.contents")} onclick={act(LessonAction::Contents(true))}><Icon name="list" /></button>
                <div>
                    <h2 data-testid="lesson-title">{ words.title.clone() }</h2>
                    <small>{ match p.text.level {
                        Some(level) => format!("{} · {minutes}", ctx.tf("lesson.level", &[("n", &level.to_string())])),
                        None => minutes,
                    } }</small>
                </div>
                <progress max={all.to_string()} value={done.to_string()} aria-label={ctx.tf("lesson.progress", &[("n", &done.to_string()), ("all", &all.to_string())])} />
            </header>
            <div class="lesson-body" tabindex="0" role="region" aria-label={words.title.clone()}>
                <section class="goal"><h3>{ ctx.t("lesson.goal") }</h3>{ prose(&words.goal) }</section>
                { for words.steps.iter().enumerate().take(done as usize + 1).map(|(i, s)| html! {
                    <StepView key={i} number={i as u32} all={all} words={s.clone()} current={p.current.clone()} />
                }) }
                if done >= all {
                    <section class="recap" data-testid="recap">
                        <h3>{ ctx.t("lesson.recap") }</h3>
                        { prose(&words.recap) }
                        <p class="buttons">
                            if let Some(next) = next {
                                <button class="primary" data-testid="next-lesson" onclick={act(LessonAction::Begin(next.file.clone()))}>{ ctx.tf("lesson.next", &[("title", next.title(ctx.lang))]) }</button>
                            }
                            <button onclick={act(LessonAction::Contents(true))}>{ ctx.t("lesson.contents") }</button>
                        </p>
                    </section>
                }
                <p class="lesson-foot">
                    <button class="quiet" data-testid="lesson-again" onclick={act(LessonAction::Again)}>{ ctx.t("lesson.again") }</button>
                    <button class="quiet" data-testid="lesson-leave" title={ctx.t("lesson.leave.about")} onclick={act(LessonAction::Leave)}>{ ctx.t("lesson.leave") }</button>
                </p>
            </div>
        </div>
    }
}
