//! The name, the transport, the virtual clock, and the page's own switches.

use super::icon::Icon;
use super::menu::{Item, Menu};
use crate::address;
use crate::ctx::use_ctx;
use crate::format;
use crate::i18n::Lang;
use crate::ui::{Action, Dock, EngineKind, Overlay, Prefs, Theme};
use protocol::{Clock, Command, Speed};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::HtmlSelectElement;
use yew::prelude::*;

/// Thousandths of real time; the last, 0, is as fast as possible.
const SPEEDS: &[u32] = &[100, 250, 500, 1000, 2000, 5000, 10_000, 30_000, 100_000, 1_000_000, 0];

#[derive(PartialEq, Properties)]
pub struct Props {
    pub clock: Rc<Clock>,
    pub prefs: Prefs,
    pub has_server: bool,
    pub ready: bool,
    /// A scheduling cycle is held: time stands still though the cluster runs.
    pub held: bool,
    /// The page is a part of another one.
    pub embed: bool,
    pub spotlight: bool,
}

#[component]
pub fn TopBar(p: &Props) -> Html {
    html! {
        <header class="topbar">
            <div class="brand">
                <svg viewBox="0 0 32 32" aria-hidden="true" class="logo">
                    <path d="M12.5 3h7M14 3v6.5L8.2 14A6 6 0 0 0 6 18.7V25a4 4 0 0 0 4 4h12a4 4 0 0 0 4-4v-6.3a6 6 0 0 0-2.2-4.7L18 9.5V3" />
                    <path class="level" d="M6.5 19.5h19V25a3.5 3.5 0 0 1-3.5 3.5H10A3.5 3.5 0 0 1 6.5 25z" />
                </svg>
                <h1>{ "Kubottle" }</h1>
            </div>
            if !p.embed { <EngineMenu kind={p.prefs.engine} has_server={p.has_server} /> }
            <div class="transport-and-clock">
                <Transport running={p.clock.running} speed={p.clock.speed} ready={p.ready} />
                <VirtualClock clock={p.clock.clone()} held={p.held} />
            </div>
            if p.embed { <InFull /> } else { <Switches prefs={p.prefs.clone()} spotlight={p.spotlight} /> }
        </header>
    }
}

#[derive(PartialEq, Properties)]
struct EngineProps {
    kind: EngineKind,
    has_server: bool,
}

#[component]
fn EngineMenu(p: &EngineProps) -> Html {
    let ctx = use_ctx();
    let shown = if p.has_server { p.kind } else { EngineKind::Worker };
    let label = match shown {
        EngineKind::Worker => ctx.t("engine.worker"),
        EngineKind::Server => ctx.t("engine.server"),
    };
    let mut items = Vec::new();
    if p.has_server {
        let pick = |kind, label: &'static str, id: &'static str| Item::new(label, id, ctx.on(Action::Engine(kind)));
        items.push(pick(EngineKind::Worker, ctx.t("engine.worker"), "engine-worker"));
        items.push(pick(EngineKind::Server, ctx.t("engine.server"), "engine-server"));
    }
    if shown == EngineKind::Worker {
        let dialog = Action::Overlay(Some(Overlay::NewCluster));
        items.push(Item::new(ctx.t("share.title"), "share", ctx.on(Action::Share)).hint(ctx.t("share.hint")));
        items.push(Item::new(ctx.t("engine.fresh"), "fresh", ctx.on(dialog)).hint(ctx.t("engine.fresh.about")));
    }
    html! { <Menu class="engine-menu" {label} testid="engine" {items} /> }
}

#[derive(PartialEq, Properties)]
struct TransportProps {
    running: bool,
    speed: u32,
    ready: bool,
}

#[component]
fn Transport(p: &TransportProps) -> Html {
    let ctx = use_ctx();
    let on_speed = {
        let ctx = ctx.clone();
        Callback::from(move |e: Event| {
            let select = e.target().and_then(|t| t.dyn_into::<HtmlSelectElement>().ok());
            let Some(value) = select.and_then(|s| s.value().parse::<u32>().ok()) else { return };
            let speed = if value == 0 { Speed::Max } else { Speed::Times(value) };
            ctx.act(Action::Send(Command::SetSpeed { speed }));
        })
    };
    // A list that was chosen from ignores which option is marked: its value has to be set.
    let select = use_node_ref();
    {
        let select = select.clone();
        use_effect_with(p.speed, move |speed| {
            if let Some(select) = select.cast::<HtmlSelectElement>() {
                select.set_value(&speed.to_string());
            }
        });
    }
    let known = SPEEDS.contains(&p.speed);
    let tip = |text: &str, key: &str| format!("{text} ({key})");
    html! {
        <div class="transport" role="group" aria-label={ctx.t("transport.label")}>
            if p.running {
                <button class="play on" data-testid="pause" disabled={!p.ready} title={tip(ctx.t("transport.pause"), "Space")}
                    aria-label={ctx.t("transport.pause")} onclick={ctx.on_send(Command::Pause)}><Icon name="pause" /></button>
            } else {
                <button class="play" data-testid="run" disabled={!p.ready} title={tip(ctx.t("transport.run"), "Space")}
                    aria-label={ctx.t("transport.run")} onclick={ctx.on_send(Command::Run)}><Icon name="run" /></button>
            }
            <button data-testid="step" disabled={!p.ready} title={tip(ctx.t("transport.step"), "→")} aria-label={ctx.t("transport.step")}
                onclick={ctx.on(Action::Step)}><Icon name="step" /></button>
            <button data-testid="step-decision" disabled={!p.ready} title={tip(ctx.t("transport.step-decision"), "Shift →")}
                aria-label={ctx.t("transport.step-decision")} onclick={ctx.on(Action::StepDecision)}><Icon name="step-decision" /></button>
            <select ref={select} data-testid="speed" aria-label={ctx.t("transport.speed")} title={ctx.t("transport.speed")} onchange={on_speed}>
                if !known { <option value={p.speed.to_string()} selected=true>{ format::speed(p.speed) }</option> }
                { for SPEEDS.iter().map(|s| html! {
                    <option value={s.to_string()} selected={*s == p.speed}>
                        { if *s == 0 { ctx.t("transport.max").to_string() } else { format::speed(*s) } }
                    </option>
                }) }
            </select>
        </div>
    }
}

#[derive(PartialEq, Properties)]
struct ClockProps {
    clock: Rc<Clock>,
    held: bool,
}

/// The one part of the top bar that changes at every frame.
#[component]
fn VirtualClock(p: &ClockProps) -> Html {
    let ctx = use_ctx();
    let clock = &p.clock;
    let state = match (clock.running, clock.idle) {
        _ if p.held => ctx.t("held.badge"),
        (false, _) => ctx.t("clock.paused"),
        (true, true) => ctx.t("clock.idle"),
        (true, false) => ctx.t("clock.busy"),
    };
    html! {
        <div class="clock" title={ctx.t("clock.virtual")}>
            <span class="clock-time" role="timer" data-testid="clock" aria-label={ctx.t("clock.virtual")}>{ format::clock(clock.now, clock.epoch) }</span>
            <span class={classes!("clock-state", (!clock.running || p.held).then_some("paused"))} data-testid="clock-state">{ state }</span>
        </div>
    }
}

/// From a page within another to the page by itself.
#[component]
fn InFull() -> Html {
    let ctx = use_ctx();
    html! { <a class="in-full" href={address::in_full()} target="_blank" rel="noopener" data-testid="in-full">{ ctx.t("embed.full") }<Icon name="out" /></a> }
}

#[derive(PartialEq, Properties)]
struct SwitchesProps {
    prefs: Prefs,
    spotlight: bool,
}

#[component]
fn Switches(p: &SwitchesProps) -> Html {
    let ctx = use_ctx();
    let dock = |dock: Dock, icon: &'static str, label: &'static str, id: &'static str| {
        html! {
            <button class="icon-button dock-toggle" data-testid={id} aria-pressed={p.prefs.open(dock).to_string()} title={label} aria-label={label}
                onclick={ctx.on(Action::ToggleDock(dock))}><Icon name={icon} /></button>
        }
    };
    let theme = p.prefs.theme;
    let theme_name = match theme {
        Theme::Auto => ctx.t("theme.auto"),
        Theme::Light => ctx.t("theme.light"),
        Theme::Dark => ctx.t("theme.dark"),
    };
    let (other, other_name) = match ctx.lang {
        Lang::Ko => (Lang::En, "English"),
        Lang::En => (Lang::Ko, "한국어"),
    };
    html! {
        <div class="switches">
            { dock(Dock::Left, "dock-left", ctx.t("dock.editor"), "toggle-left") }
            { dock(Dock::Bottom, "dock-bottom", ctx.t("dock.timeline"), "toggle-bottom") }
            { dock(Dock::Right, "dock-right", ctx.t("dock.inspector"), "toggle-right") }
            <span class="divider" />
            <button class="icon-button" data-testid="palette" title={format!("{} (Ctrl K)", ctx.t("palette.title"))}
                aria-label={ctx.t("palette.title")} onclick={ctx.on(Action::Overlay(Some(Overlay::Palette)))}><Icon name="search" /></button>
            <button class="text-button" data-testid="lang" lang={other.code()} title={other_name} onclick={ctx.on(Action::SetLang(other))}>
                { if ctx.lang == Lang::Ko { "EN" } else { "한" } }</button>
            <button class="icon-button" data-testid="theme" title={theme_name} aria-label={theme_name}
                onclick={ctx.on(Action::SetTheme(theme.next()))}><Icon name={format!("theme-{}", theme.name())} /></button>
            <button class="icon-button presenter-button" data-testid="presenter" aria-pressed={p.prefs.presenter.to_string()} title={format!("{} (P)", ctx.t("presenter.title"))}
                aria-label={ctx.t("presenter.title")} onclick={ctx.on(Action::Presenter)}><Icon name="screen" /></button>
            if p.prefs.presenter {
                <button class="icon-button presenter-button" data-testid="spotlight-button" aria-pressed={p.spotlight.to_string()} title={format!("{} (S)", ctx.t("spotlight.title"))}
                    aria-label={ctx.t("spotlight.title")} onclick={ctx.on(Action::Spotlight)}><Icon name="spotlight" /></button>
            }
            <button class="icon-button" data-testid="help" title={format!("{} (?)", ctx.t("help.title"))} aria-label={ctx.t("help.title")}
                onclick={ctx.on(Action::Overlay(Some(Overlay::Help)))}><Icon name="help" /></button>
        </div>
    }
}
