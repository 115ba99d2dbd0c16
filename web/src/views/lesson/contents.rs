//! The table of contents: lessons by chapter, and by what there is to learn, with how far the learner has come.

use crate::ctx::{Ctx, use_ctx};
use crate::lessons::{Entry, Group, Index, LessonAction, Lessons};
use crate::ui::Action;
use crate::views::icon::Icon;
use std::rc::Rc;
use web_sys::HtmlInputElement;
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub lessons: Rc<Lessons>,
}

#[component]
pub fn Contents(p: &Props) -> Html {
    let ctx = use_ctx();
    let by_topic = use_state_eq(|| false);
    let l = &p.lessons;
    let Some(index) = &l.index else {
        return match &l.error {
            Some(why) => html! { <p class="error" role="alert">{ ctx.tf("lesson.not-loaded", &[("why", why)]) }</p> },
            None => html! { <p class="empty" role="status">{ ctx.t("lesson.loading") }</p> },
        };
    };
    let done = index.lessons.iter().filter(|e| l.progress.done.contains(&e.id)).count();
    let [n, all] = [done, index.lessons.len()].map(|n| n.to_string());
    let tab = |topics: bool, label: &'static str, id: &'static str| {
        let by_topic = by_topic.clone();
        html! { <button role="tab" aria-selected={(*by_topic == topics).to_string()} data-testid={id} onclick={Callback::from(move |_: MouseEvent| by_topic.set(topics))}>{ label }</button> }
    };
    html! {
        <div class="lesson contents" data-testid="contents">
            <header class="lesson-head">
                if l.progress.current.is_some() {
                    <button class="icon-button" data-testid="back-to-lesson" aria-label={ctx.t("lesson.back")} title={ctx.t("lesson.back")} onclick={ctx.on(Action::Lesson(LessonAction::Contents(false)))}><Icon name="left" /></button>
                }
                <div><h2>{ ctx.t("lesson.contents") }</h2><small data-testid="lessons-done">{ ctx.tf("lesson.done-of", &[("n", &n), ("all", &all)]) }</small></div>
                <progress max={all.clone()} value={n.clone()} aria-hidden="true" />
            </header>
            <div class="lesson-body" tabindex="0" role="region" aria-label={ctx.t("lesson.contents")}>
                if let Some(why) = &l.error { <p class="error" role="alert">{ ctx.tf("lesson.not-loaded", &[("why", why)]) }</p> }
                <div class="segments" role="tablist">{ tab(false, ctx.t("lesson.by-chapter"), "by-chapter") }{ tab(true, ctx.t("lesson.by-topic"), "by-topic") }</div>
                if *by_topic {
                    { for index.syllabus.iter().map(|g| topics(&ctx, index, g, l)) }
                } else {
                    { for index.chapters().into_iter().map(|(chapter, entries)| html! {
                        <section key={chapter}>
                            <h3>{ ctx.find(&format!("lesson.chapter.{chapter}")).unwrap_or_default() }</h3>
                            <ol class="lesson-list">{ for entries.into_iter().map(|e| html! { <li key={e.id.clone()}>{ entry(&ctx, e, l) }</li> }) }</ol>
                        </section>
                    }) }
                }
                <Others />
            </div>
        </div>
    }
}

/// How far the learner has come with a lesson.
fn mark(ctx: &Ctx, e: &Entry, l: &Lessons) -> Html {
    let done = l.progress.done.contains(&e.id);
    let begun = l.progress.steps.get(&e.id).copied().unwrap_or(0) > 0;
    let (class, word) = match (done, begun) {
        (true, _) => ("holds", ctx.t("lesson.is-done")),
        (_, true) => ("begun", ctx.t("lesson.is-begun")),
        _ => ("", ctx.t("lesson.is-new")),
    };
    html! { <span class={classes!("box", class)} title={word}>if done { <Icon name="check" /> }<span class="visually-hidden">{ word }</span></span> }
}

fn entry(ctx: &Ctx, e: &Entry, l: &Lessons) -> Html {
    let minutes = ctx.tf("lesson.minutes", &[("n", &e.minutes.to_string())]);
    html! {
        <button class="lesson-entry" data-testid={format!("lesson-{}", e.id)} onclick={ctx.on(Action::Lesson(LessonAction::Begin(e.file.clone())))}>
            { mark(ctx, e, l) }
            <span>{ e.title(ctx.lang).to_string() }</span>
            <small>{ format!("{}{minutes}", e.level.map(|n| "★".repeat(n as usize) + " ").unwrap_or_default()) }</small>
        </button>
    }
}

fn topics(ctx: &Ctx, index: &Index, group: &Group, l: &Lessons) -> Html {
    let title = ctx.find(&format!("lesson.topic.{}", group.topic)).unwrap_or_default();
    html! {
        <section key={group.topic.clone()}>
            <h3>{ title }</h3>
            <dl class="topics">
                { for group.names.iter().map(|name| html! { <>
                    <dt>{ ctx.find(&format!("lesson.name.{name}")).unwrap_or(name).to_string() }</dt>
                    <dd>
                        { for index.about(name).take(4).map(|e| html! {
                            <button class="lesson-link" key={e.id.clone()} onclick={ctx.on(Action::Lesson(LessonAction::Begin(e.file.clone())))}>{ mark(ctx, e, l) }<span>{ e.title(ctx.lang).to_string() }</span></button>
                        }) }
                    </dd>
                </> }) }
            </dl>
        </section>
    }
}

/// Lessons from elsewhere, and progress to keep.
#[component]
fn Others() -> Html {
    let ctx = use_ctx();
    let address = use_node_ref();
    let get = {
        let (ctx, address) = (ctx.clone(), address.clone());
        Callback::from(move |e: SubmitEvent| {
            e.prevent_default();
            let url = address.cast::<HtmlInputElement>().map(|i| i.value()).unwrap_or_default();
            if !url.trim().is_empty() {
                ctx.act(Action::Lesson(LessonAction::Get(url.trim().into())));
            }
        })
    };
    let act = |action: LessonAction| ctx.on(Action::Lesson(action));
    html! {
        <section class="others-lessons">
            <h3>{ ctx.t("lesson.others") }</h3>
            <form class="lesson-address" onsubmit={get}>
                <input ref={address} type="url" placeholder="https://…/lesson.md" aria-label={ctx.t("lesson.address")} data-testid="lesson-address" />
                <button data-testid="lesson-get">{ ctx.t("lesson.get") }</button>
            </form>
            <p class="buttons">
                <button data-testid="lesson-file" onclick={act(LessonAction::Choose)}>{ ctx.t("lesson.file") }</button>
                <button data-testid="progress-export" onclick={act(LessonAction::Export)}>{ ctx.t("lesson.export") }</button>
                <button data-testid="progress-import" onclick={act(LessonAction::Import)}>{ ctx.t("lesson.import") }</button>
            </p>
        </section>
    }
}
