//! The frame: top bar, stage, docks, overlays, and what the page says to screen readers.

use super::dock::Dock;
use super::editor::EditorDock;
use super::icon::Icon;
use super::inspector::Inspector;
use super::overlay::OverlayView;
use super::sign::SignDefs;
use super::stage::Stage;
use super::terminal::Terminals;
use super::timeline::Timeline;
use super::topbar::TopBar;
use crate::ctx::use_ctx;
use crate::model::Versions;
use crate::ui::{Action, BottomTab, Dock as Side, Engine, EngineKind, Notice, Pane, Ui};
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
    let left = html! {
        <EditorDock files={ui.files.clone()} applied={ui.applied.clone()} applying={ui.applying} acting={ui.acting.clone()} storage_error={ui.storage_error.clone()}
            ready={ui.engine == Engine::Ready} />
    };
    let right = html! {
        <Inspector tab={ui.tab} object={ui.subscription.object.clone()} why={ui.subscription.why} can_go_back={!ui.history.is_empty()}
            versions={(v.detail, v.why)} answers={v.answers} about={ui.about.clone()} />
    };
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
            if !terminal { <Timeline version={v.entries} selected={ui.subscription.why} tabs={tabs.clone()} /> }
            if !ui.terminals.is_empty() {
                <div class="bottom-pane" hidden={!terminal}>
                    <Terminals open={ui.terminals.clone()} shown={ui.terminal} screen_reader={ui.prefs.screen_reader} {tabs} />
                </div>
            }
        </>
    };
    let stage = html! {
        <Stage center={ui.center} engine={ui.engine.clone()} running={p.clock.running} now={tenths(&p.clock)} versions={p.versions} subscription={ui.subscription.clone()}
            listing={ui.listing.clone()} own={ui.prefs.engine == EngineKind::Worker || !ui.has_server} guess={ui.prefs.guess} front={ui.pane == Pane::Stage} />
    };
    html! {
        <div class={classes!("app", ui.prefs.presenter.then_some("presenter"))} data-engine={engine_name(&ui.engine)}>
            <SignDefs />
            <TopBar held={ctx.model.get().debugger.held.is_some()} clock={p.clock.clone()} prefs={ui.prefs.clone()} has_server={ui.has_server} ready={ui.engine == Engine::Ready} />
            <Notices notices={ui.notices.clone()} />
            <main class="work">
                { dock(Side::Left, ui.prefs.left_size, Pane::Editor, ctx.t("dock.editor"), left) }
                <div class="middle">
                    { stage }
                    { dock(Side::Bottom, ui.prefs.bottom_size, Pane::Timeline, ctx.t("dock.bottom"), bottom) }
                </div>
                { dock(Side::Right, ui.prefs.right_size, Pane::Inspector, ctx.t("dock.inspector"), right) }
            </main>
            <PhoneTabs pane={ui.pane} />
            if let Some(overlay) = ui.overlay { <OverlayView {overlay} versions={(v.debugger, v.answers)} images={v.images} what_if={ui.what_if.clone()} fresh={(ui.prefs.nodes, ui.prefs.cloud, ui.prefs.control_plane_node)} acting={ui.acting.clone()} /> }
            <div class="visually-hidden" aria-live="polite" data-testid="announcement">{ ui.announcement.clone() }</div>
        </div>
    }
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
}

#[component]
fn PhoneTabs(p: &PhoneTabsProps) -> Html {
    let ctx = use_ctx();
    let tab = |pane: Pane, label: &'static str, id: &'static str| {
        html! {
            <button aria-current={(p.pane == pane).then_some("page")} data-testid={id} onclick={ctx.on(Action::Pane(pane))}>{ label }</button>
        }
    };
    html! {
        <nav class="phone-tabs" aria-label={ctx.t("pane.label")}>
            { tab(Pane::Stage, ctx.t("pane.stage"), "pane-stage") }
            { tab(Pane::Editor, ctx.t("dock.editor"), "pane-editor") }
            { tab(Pane::Inspector, ctx.t("dock.inspector"), "pane-inspector") }
            { tab(Pane::Timeline, ctx.t("dock.timeline"), "pane-timeline") }
            { tab(Pane::Terminal, ctx.t("dock.terminal"), "pane-terminal") }
        </nav>
    }
}
