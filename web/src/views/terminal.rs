//! The terminals of the bottom dock: xterm.js, loaded when the first is opened, each with a shell of its own.

use super::icon::Icon;
use super::yaml::js;
use crate::ctx::use_ctx;
use crate::persist;
use crate::screens::{create, library, load};
use crate::ui::{Action, TerminalAction};
use protocol::Shell;
use serde_json::json;
use wasm_bindgen::prelude::*;
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub open: Vec<u64>,
    pub shown: u64,
    pub screen_reader: bool,
    /// The dock's own tabs.
    pub tabs: Html,
}

#[component]
pub fn Terminals(p: &Props) -> Html {
    let ctx = use_ctx();
    let on = |a: TerminalAction| ctx.on::<MouseEvent>(Action::Terminal(a));
    let tab = |n: u64| {
        let label = ctx.tf("terminal.name", &[("n", &n.to_string())]);
        html! {
            <span key={n} class={classes!("tab", (n == p.shown).then_some("shown"))}>
                <button class="tab-name" role="tab" aria-selected={(n == p.shown).to_string()} data-testid={format!("terminal-tab-{n}")} onclick={on(TerminalAction::Show(n))}>{ label.clone() }</button>
                if p.open.len() > 1 {
                    <button class="tab-close" aria-label={ctx.tf("terminal.close", &[("name", &label)])} onclick={on(TerminalAction::Close(n))}><Icon name="close" /></button>
                }
            </span>
        }
    };
    html! {
        <div class="terminals" data-testid="terminals">
            <div class="dock-head">
                { p.tabs.clone() }
                <div class="tabs" role="tablist" aria-label={ctx.t("dock.terminal")}>{ for p.open.iter().map(|n| tab(*n)) }</div>
                <button class="icon-button" data-testid="terminal-new" aria-label={ctx.t("terminal.new")} title={ctx.t("terminal.new")} onclick={on(TerminalAction::New)}><Icon name="plus" /></button>
                <span class="grow" />
                <button class="chip" aria-pressed={p.screen_reader.to_string()} data-testid="terminal-reader" title={ctx.t("terminal.reader.about")} onclick={on(TerminalAction::ScreenReader(!p.screen_reader))}>{ ctx.t("terminal.reader") }</button>
                <small class="wide"><kbd>{ "Ctrl `" }</kbd></small>
            </div>
            // By themselves: among others without keys they would be made anew when one more is opened.
            <div class="terminal-screens">{ for p.open.iter().map(|n| html! { <One key={*n} number={*n} shown={*n == p.shown} screen_reader={p.screen_reader} /> }) }</div>
        </div>
    }
}

#[derive(PartialEq, Properties)]
struct OneProps {
    number: u64,
    shown: bool,
    screen_reader: bool,
}

#[component]
fn One(p: &OneProps) -> Html {
    let ctx = use_ctx();
    let place = use_node_ref();
    let broken = use_state(|| None::<String>);
    let there = use_state(|| false);
    let number = p.number;
    let words = json!({
        "label": ctx.t("terminal.label"),
        "editing": ctx.t("terminal.editing"),
    });
    {
        let (ctx, place, words, there, broken) =
            (ctx.clone(), place.clone(), words.clone(), there.clone(), broken.clone());
        let screen_reader = p.screen_reader;
        use_effect_with((), move |()| {
            let say = {
                let ctx = ctx.clone();
                move |shell: Shell| ctx.act(Action::Shell(shell))
            };
            let text = |make: fn(u64, String) -> Shell| {
                let say = say.clone();
                Closure::<dyn Fn(String)>::new(move |text: String| say(make(number, text)))
            };
            let plain = |make: fn(u64) -> Shell| {
                let say = say.clone();
                Closure::<dyn Fn()>::new(move || say(make(number)))
            };
            let line = text(|number, line| Shell::Line { number, line, acting: None });
            let keys = text(|number, keys| Shell::Keys { number, keys });
            let complete = text(|number, line| Shell::Complete { number, line, acting: None });
            let interrupt = plain(|number| Shell::Interrupt { number });
            let end = plain(|number| Shell::End { number });
            let options = js(&words);
            for (key, value) in [
                ("onLine", line.as_ref()),
                ("onKeys", keys.as_ref()),
                ("onComplete", complete.as_ref()),
                ("onInterrupt", interrupt.as_ref()),
                ("onEnd", end.as_ref()),
                ("screenReader", &JsValue::from_bool(screen_reader)),
            ] {
                let _ = js_sys::Reflect::set(&options, &key.into(), value);
            }
            let screens = ctx.screens.clone();
            let failed = {
                let broken = broken.clone();
                Closure::<dyn FnMut(JsValue)>::new(move |why: JsValue| broken.set(Some(persist::words(&why))))
            };
            let loaded = Closure::<dyn FnMut(JsValue)>::new(move |_: JsValue| {
                let Some(element) = place.cast::<web_sys::Element>() else { return };
                match create(&element, &options) {
                    Ok(screen) => {
                        screens.put(number, screen);
                        there.set(true);
                    }
                    Err(why) => broken.set(Some(persist::words(&why))),
                }
            });
            let read = Closure::<dyn FnMut(JsValue)>::new(move |all: JsValue| {
                let text = |name: &str| js_sys::Reflect::get(&all, &name.into()).ok().and_then(|v| v.as_string());
                let text = |name| text(name).unwrap_or_default();
                say(Shell::Library { schemas: text("schemas"), help: text("help") });
            });
            if let Ok(promise) = library() {
                let _ = promise.then(&read);
            }
            if let Ok(promise) = load() {
                let _ = promise.then(&loaded).catch(&failed);
            }
            move || {
                if let Some(screen) = ctx.screens.remove(number) {
                    screen.destroy();
                }
                drop((line, keys, complete, interrupt, end, read, loaded, failed));
            }
        });
    }
    {
        let screens = ctx.screens.clone();
        // A theme is in the page's style once this was drawn.
        let presenter = gloo::utils::document().document_element().and_then(|r| r.get_attribute("data-presenter"));
        use_effect_with((ctx.dark, ctx.lang, presenter, *there), move |_| {
            if let Some(screen) = screens.get(number) {
                screen.dress(&js(&words));
            }
        });
    }
    {
        let screens = ctx.screens.clone();
        use_effect_with(p.screen_reader, move |on| {
            if let Some(screen) = screens.get(number) {
                screen.screen_reader(*on);
            }
        });
    }
    html! {
        <div class="terminal" hidden={!p.shown} ref={place} data-testid={format!("terminal-{number}")}>
            if let Some(why) = &*broken { <p class="error">{ ctx.tf("terminal.broken", &[("why", why)]) }</p> }
        </div>
    }
}
