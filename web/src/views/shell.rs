//! The frame: top bar, stage, docks, overlays, and what the page says to screen readers.

use super::dock::Dock;
use super::editor::EditorDock;
use super::icon::Icon;
use super::inspector::Inspector;
use super::lesson::LessonDock;
use super::overlay::OverlayView;
use super::past::PastBanner;
use super::sign::SignDefs;
use super::spotlight::Spotlight;
use super::stage::Stage;
use super::terminal::Terminals;
use super::timeline::Timeline;
use super::toasts::Toasts;
use super::topbar::TopBar;
use crate::ctx::use_ctx;
use crate::model::Versions;
use crate::ui::{Action, BottomTab, Dock as Side, Engine, EngineKind, LeftTab, Notice, Pane, Ui};
use protocol::Clock;
use std::rc::Rc;
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub ui: Rc<Ui>,
    pub clock: Rc<Clock>,
    pub versions: Versions,
}

#[component]
pub fn Shell(p: &Props) -> Html {
    let ctx = use_ctx();
    let (ui, v) = (&p.ui, &p.versions);
    let dock = |side: Side, size: u32, pane: Pane, label: &'static str, children: Html| {
        let front = ui.pane == pane || (pane == Pane::Timeline && ui.pane == Pane::Terminal);
        html! { <Dock {side} {size} open={ui.prefs.open(side)} {front} {label}>{ children }</Dock> }
    };
    let lesson = ui.prefs.left_tab == LeftTab::Lesson;
    // Who applies something in the editor sees there how far the lesson is.
    let steps = ui.lessons.text.as_ref().map_or(0, |t| t.en.steps.len());
    let lesson_label = match &ui.lessons.progress.current {
        Some(c) if steps > 0 => format!("{} {}/{steps}", ctx.t("dock.lesson"), c.state.done),
        _ => ctx.t("dock.lesson").to_string(),
    };
    let left_tab = |tab: LeftTab, label: String, id: &'static str| {
        html! { <button role="tab" aria-selected={(ui.prefs.left_tab == tab).to_string()} data-testid={id} onclick={ctx.on(Action::LeftTab(tab))}>{ label }</button> }
    };
    // The editor stays: what can be undone in it must not be forgotten.
    let left = html! { <>
        <div class="left-tabs segments" role="tablist">{ left_tab(LeftTab::Editor, ctx.t("dock.editor").to_string(), "left-editor") }{ left_tab(LeftTab::Lesson, lesson_label, "left-lesson") }</div>
        <div class="left-pane" hidden={lesson}>
            <EditorDock files={ui.files.clone()} applied={ui.applied.clone()} applying={ui.applying} acting={ui.acting.clone()} storage_error={ui.storage_error.clone()}
                custom={ui.custom.clone()} ready={ui.engine == Engine::Ready} />
        </div>
        if lesson { <LessonDock lessons={ui.lessons.clone()} ready={ui.engine == Engine::Ready} /> }
    </> };
    let right = html! {
        <Inspector tab={ui.tab} object={ui.subscription.object.clone()} why={ui.subscription.why} can_go_back={!ui.history.is_empty()}
            versions={(v.detail, v.why)} answers={v.answers} about={ui.about.clone()} />
    };
    let own = ui.prefs.engine == EngineKind::Worker || !ui.has_server;
    let in_past = ctx.model.get().time.past.is_some();
    let tab = |of: BottomTab, label: &'static str, id: &'static str| {
        html! { <button role="tab" aria-selected={(ui.bottom == of).to_string()} data-testid={id} onclick={ctx.on(Action::Bottom(of))}>{ label }</button> }
    };
    let tabs = html! {
        <div class="segments small bottom-tabs" role="tablist" aria-label={ctx.t("dock.bottom")}>
            { tab(BottomTab::Timeline, ctx.t("dock.timeline"), "tab-timeline") }
            { tab(BottomTab::Terminal, ctx.t("dock.terminal"), "tab-terminal") }
        </div>
    };
    let terminal = ui.bottom == BottomTab::Terminal;
    let bottom = html! {
        <>
            if !terminal { <Timeline version={v.entries} time={v.time} seq={p.clock.seq} {own} selected={ui.subscription.why} tabs={tabs.clone()} /> }
            if !ui.terminals.is_empty() {
                <div class="bottom-pane" hidden={!terminal}>
                    <Terminals open={ui.terminals.clone()} shown={ui.terminal} screen_reader={ui.prefs.screen_reader} {tabs} />
                </div>
            }
        </>
    };
    let stage = html! {
        <Stage center={ui.center} engine={ui.engine.clone()} running={p.clock.running} now={tenths(&p.clock)} versions={p.versions} subscription={ui.subscription.clone()}
            listing={ui.listing.clone()} {own} guess={ui.prefs.guess} front={ui.pane == Pane::Stage} taught={taught(ui)} />
    };
    html! {
        <div class={classes!("app", ui.embed.then_some("embed"), ui.prefs.presenter.then_some("presenter"), in_past.then_some("in-past"))} data-engine={engine_name(&ui.engine)}>
            <SignDefs />
            <TopBar held={ctx.model.get().debugger.held.is_some()} clock={p.clock.clone()} prefs={ui.prefs.clone()} has_server={ui.has_server} ready={ui.engine == Engine::Ready} embed={ui.embed} spotlight={ui.spotlight} />
            <Notices notices={ui.notices.clone()} />
            <PastBanner versions={(v.time, v.entries)} now={p.clock.now} />
            <main class="work">
                { dock(Side::Left, ui.prefs.left_size, Pane::Editor, ctx.t("dock.left"), left) }
                <div class="middle">
                    { stage }
                    { dock(Side::Bottom, ui.prefs.bottom_size, Pane::Timeline, ctx.t("dock.bottom"), bottom) }
                </div>
                { dock(Side::Right, ui.prefs.right_size, Pane::Inspector, ctx.t("dock.inspector"), right) }
            </main>
            <PhoneTabs pane={ui.pane} {lesson} embed={ui.embed} />
            if ui.spotlight && ui.prefs.presenter { <Spotlight /> }
            <Toasts toast={ui.toast.clone()} renewable={ui.renewable} />
            if let Some(overlay) = ui.overlay { <OverlayView {overlay} versions={(v.debugger, v.answers)} time={v.time} shared={ui.shared.clone()} lesson={beside(ui)} lessons={ui.lessons.index.clone()} listing={v.listing} images={v.images} what_if={ui.what_if.clone()} fresh={(ui.prefs.nodes, ui.prefs.cloud, ui.prefs.control_plane_node)} acting={ui.acting.clone()} applied={ui.applied.clone()} /> }
            <div class="visually-hidden" aria-live="polite" data-testid="announcement">{ ui.announcement.clone() }</div>
        </div>
    }
}

/// The lesson under way, when it is one of those beside the page.
fn beside(ui: &Ui) -> Option<Rc<str>> {
    let id = &ui.lessons.text.as_ref()?.id;
    ui.lessons.index.as_ref()?.lessons.iter().any(|e| e.id == *id).then(|| id.as_str().into())
}

/// Whether a lesson is under way, and whether any was done.
fn taught(ui: &Ui) -> (bool, bool) {
    (ui.lessons.progress.current.is_some(), !ui.lessons.progress.done.is_empty())
}

/// The clock in tenths of a second, so that countdowns do not redraw at every frame.
fn tenths(clock: &Clock) -> u64 {
    clock.now / 100_000 * 100_000
}

fn engine_name(engine: &Engine) -> &'static str {
    match engine {
        Engine::Loading | Engine::Replaying(_) => "loading",
        Engine::Ready => "ready",
        Engine::Broken(_) => "broken",
    }
}

#[derive(PartialEq, Properties)]
struct NoticesProps {
    notices: Rc<Vec<Notice>>,
}

#[component]
fn Notices(p: &NoticesProps) -> Html {
    let ctx = use_ctx();
    html! {
        <div class="notices" role="alert">
            { for p.notices.iter().map(|n| html! {
                <div class="notice" key={n.id} data-testid="notice">
                    <div><strong>{ ctx.find(n.title).unwrap_or(n.title) }</strong>{ " " }<span>{ n.text.clone() }</span></div>
                    <button class="icon-button" aria-label={ctx.t("close")} title={ctx.t("close")} onclick={ctx.on(Action::Dismiss(n.id))}><Icon name="close" /></button>
                </div>
            }) }
        </div>
    }
}

#[derive(PartialEq, Properties)]
struct PhoneTabsProps {
    pane: Pane,
    /// The left dock shows the lesson.
    lesson: bool,
    embed: bool,
}

#[component]
fn PhoneTabs(p: &PhoneTabsProps) -> Html {
    let ctx = use_ctx();
    let tab = |pane: Pane, label: &'static str, id: &'static str| {
        html! {
            <button aria-current={(p.pane == pane).then_some("page")} data-testid={id} onclick={ctx.on(Action::Pane(pane))}>{ label }</button>
        }
    };
    let left = |of: LeftTab, label: &'static str, id: &'static str| {
        let shown = p.pane == Pane::Editor && p.lesson == (of == LeftTab::Lesson);
        html! {
            <button aria-current={shown.then_some("page")} data-testid={id} onclick={ctx.on(Action::LeftTab(of))}>{ label }</button>
        }
    };
    if p.embed {
        return html! {
            <nav class="phone-tabs" aria-label={ctx.t("pane.label")}>
                { tab(Pane::Stage, ctx.t("pane.stage"), "pane-stage") }
                if p.lesson { { left(LeftTab::Lesson, ctx.t("dock.lesson"), "pane-lesson") } }
                { tab(Pane::Inspector, ctx.t("dock.inspector"), "pane-inspector") }
            </nav>
        };
    }
    html! {
        <nav class="phone-tabs" aria-label={ctx.t("pane.label")}>
            { tab(Pane::Stage, ctx.t("pane.stage"), "pane-stage") }
            { left(LeftTab::Lesson, ctx.t("dock.lesson"), "pane-lesson") }
            { left(LeftTab::Editor, ctx.t("dock.editor"), "pane-editor") }
            { tab(Pane::Inspector, ctx.t("dock.inspector"), "pane-inspector") }
            { tab(Pane::Timeline, ctx.t("dock.timeline"), "pane-timeline") }
            { tab(Pane::Terminal, ctx.t("dock.terminal"), "pane-terminal") }
        </nav>
    }
}
