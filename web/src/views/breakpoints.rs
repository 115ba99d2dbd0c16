//! Where the debugger stops: hold the next decision, and a list of breakpoints at extension points.

use super::icon::Icon;
use crate::ctx::{Ctx, use_ctx};
use crate::model::Topic;
use crate::ui::{Action, Overlay};
use protocol::{Breakpoint, Debug, Point};
use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

pub const POINTS: [Point; 12] = [
    Point::PreEnqueue,
    Point::QueueSort,
    Point::PreFilter,
    Point::Filter,
    Point::PostFilter,
    Point::PreScore,
    Point::Score,
    Point::NormalizeScore,
    Point::Reserve,
    Point::Permit,
    Point::PreBind,
    Point::Bind,
];

/// Upstream's name of the extension point; never translated.
pub fn point_name(point: Point) -> &'static str {
    match point {
        Point::PreEnqueue => "PreEnqueue",
        Point::QueueSort => "QueueSort",
        Point::PreFilter => "PreFilter",
        Point::Filter => "Filter",
        Point::PostFilter => "PostFilter",
        Point::PreScore => "PreScore",
        Point::Score => "Score",
        Point::NormalizeScore => "NormalizeScore",
        Point::Reserve => "Reserve",
        Point::Permit => "Permit",
        Point::PreBind => "PreBind",
        Point::Bind => "Bind",
    }
}

pub fn order(ctx: &Ctx, debug: Debug) {
    ctx.act(Action::Ask(Topic::Order, debug));
}

#[derive(PartialEq, Properties)]
pub struct BarProps {
    /// Of the debugger.
    pub version: u64,
    /// The next decision is held hidden, for the learner to guess.
    pub quiz: bool,
}

/// At the head of the stage.
#[component]
pub fn DebugBar(p: &BarProps) -> Html {
    let ctx = use_ctx();
    let debugger = ctx.model.get().debugger.clone();
    let (waiting, held) = (!debugger.waiting.is_empty(), debugger.held.is_some());
    let on = debugger.breakpoints.iter().filter(|b| !b.disabled).count();
    let hold = {
        let (ctx, quiz) = (ctx.clone(), p.quiz);
        Callback::from(move |_: MouseEvent| order(&ctx, Debug::Hold { pod: String::new(), quiz, off: waiting }))
    };
    html! {
        <div class="debug-bar" role="group" aria-label={ctx.t("debug.label")}>
            <button data-testid="hold" aria-pressed={waiting.to_string()} disabled={held} title={ctx.t("debug.hold.about")} aria-label={ctx.t("debug.hold")} onclick={hold}>
                <Icon name="into" /><span class="wide">{ if waiting { ctx.t("debug.waiting") } else { ctx.t("debug.hold") } }</span></button>
            <button data-testid="breakpoints" title={ctx.t("debug.breakpoints.about")} aria-label={ctx.t("debug.breakpoints")} onclick={ctx.on(Action::Overlay(Some(Overlay::Breakpoints)))}>
                <span class={classes!("breakpoint-dot", (on > 0).then_some("on"))} aria-hidden="true" /><span class="wide">{ ctx.t("debug.breakpoints") }</span>if on > 0 { <b class="num">{ on }</b> }</button>
            <button data-testid="scheduler-config" title={ctx.t("config.about")} aria-label={ctx.t("config.title")} onclick={ctx.on(Action::Overlay(Some(Overlay::Config)))}><Icon name="gear" /></button>
        </div>
    }
}

/// A breakpoint in a line.
fn told(ctx: &Ctx, b: &Breakpoint) -> String {
    let mut parts = vec![b.point.map_or(ctx.t("debug.any-point"), point_name).to_string()];
    for (key, value) in
        [("debug.plugin", &b.plugin), ("debug.node", &b.node), ("debug.pod", &b.pod), ("debug.labels", &b.labels)]
    {
        if !value.is_empty() {
            parts.push(format!("{} {value}", ctx.find(key).unwrap_or(key)));
        }
    }
    if b.when_fails {
        parts.push(ctx.t("debug.when-fails").to_string());
    }
    parts.join(" · ")
}

#[derive(PartialEq, Properties)]
pub struct ListProps {
    pub version: u64,
}

/// The dialog: the list, and a form for one more.
#[component]
pub fn Breakpoints(p: &ListProps) -> Html {
    let _ = p.version;
    let ctx = use_ctx();
    let all = ctx.model.get().debugger.breakpoints.clone();
    let draft = use_state(|| Breakpoint { point: Some(Point::Filter), ..Breakpoint::default() });
    let change = |with: fn(&mut Breakpoint, String)| {
        let draft = draft.clone();
        Callback::from(move |value: String| {
            let mut b = (*draft).clone();
            with(&mut b, value);
            draft.set(b);
        })
    };
    let typed = |e: InputEvent| {
        e.target().and_then(|t| t.dyn_into::<HtmlInputElement>().ok()).map(|i| i.value()).unwrap_or_default()
    };
    let replace = {
        let ctx = ctx.clone();
        move |breakpoints: Vec<Breakpoint>| order(&ctx, Debug::Breakpoints { breakpoints })
    };
    let on_point =
        change(|b, name| b.point = POINTS.into_iter().find(|p| point_name(*p) == name)).reform(|e: Event| {
            e.target().and_then(|t| t.dyn_into::<HtmlSelectElement>().ok()).map(|s| s.value()).unwrap_or_default()
        });
    let field = |label: &'static str, id: &'static str, value: &str, hint: &'static str, on: Callback<String>| {
        html! { <label class="field"><span>{ label }</span><input data-testid={id} value={value.to_string()} placeholder={hint} oninput={on.reform(typed)} /></label> }
    };
    let add = {
        let (replace, all, draft) = (replace.clone(), all.clone(), draft.clone());
        Callback::from(move |e: SubmitEvent| {
            e.prevent_default();
            let mut all = all.clone();
            all.push((*draft).clone());
            replace(all);
        })
    };
    html! {
        <div class="breakpoints">
            <p>{ ctx.t("debug.breakpoints.about") }</p>
            if all.is_empty() { <p class="empty">{ ctx.t("debug.none") }</p> }
            <ul data-testid="breakpoint-list">
                { for all.iter().enumerate().map(|(i, b)| {
                    let toggle = { let (replace, mut all) = (replace.clone(), all.clone()); all[i].disabled = !b.disabled; Callback::from(move |_: Event| replace(all.clone())) };
                    let remove = { let (replace, mut all) = (replace.clone(), all.clone()); all.remove(i); Callback::from(move |_: MouseEvent| replace(all.clone())) };
                    html! {
                        <li class={classes!(b.disabled.then_some("off"))}>
                            <label class="check"><input type="checkbox" checked={!b.disabled} onchange={toggle} /><span>{ told(&ctx, b) }</span></label>
                            <button class="icon-button" aria-label={ctx.t("debug.remove")} title={ctx.t("debug.remove")} onclick={remove}><Icon name="close" /></button>
                        </li>
                    }
                }) }
            </ul>
            <form onsubmit={add}>
                <label class="field"><span>{ ctx.t("debug.point") }</span>
                    <select data-testid="breakpoint-point" onchange={on_point}>
                        <option value="" selected={draft.point.is_none()}>{ ctx.t("debug.any-point") }</option>
                        { for POINTS.into_iter().map(|p| html! { <option value={point_name(p)} selected={draft.point == Some(p)}>{ point_name(p) }</option> }) }
                    </select></label>
                { field(ctx.t("debug.plugin"), "breakpoint-plugin", &draft.plugin, "NodeResourcesFit", change(|b, v| b.plugin = v.trim().into())) }
                { field(ctx.t("debug.node"), "breakpoint-node", &draft.node, "node-1", change(|b, v| b.node = v.trim().into())) }
                { field(ctx.t("debug.pod"), "breakpoint-pod", &draft.pod, "default/web", change(|b, v| b.pod = v.trim().into())) }
                { field(ctx.t("debug.labels"), "breakpoint-labels", &draft.labels, "app=web", change(|b, v| b.labels = v.trim().into())) }
                <label class="check"><input type="checkbox" data-testid="breakpoint-fails" checked={draft.when_fails}
                    onchange={let draft = draft.clone(); Callback::from(move |_: Event| draft.set(Breakpoint { when_fails: !draft.when_fails, ..(*draft).clone() }))} />{ ctx.t("debug.when-fails") }</label>
                <button class="primary" data-testid="breakpoint-add">{ ctx.t("debug.add") }</button>
            </form>
        </div>
    }
}
