//! What lies over the page: the palette, the sheet of keys and signs, the form for a new node.

use super::acting::ActAs;
use super::branches::Branches;
use super::breakpoints::Breakpoints;
use super::config::Config;
use super::differences::Differences;
use super::faults::Images;
use super::icon::Icon;
use super::palette::Palette;
use super::run_until::RunUntil;
use super::share::Share;
use super::sign::{Sign, state_name};
use super::what_if::WhatIf;
use crate::ctx::use_ctx;
use crate::keys;
use crate::lessons::Index;
use crate::model::owners::Tint;
use crate::ui::{Action, Applied, Overlay};
use protocol::{Command, PodState};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, HtmlInputElement};
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub overlay: Overlay,
    /// Of the debugger, and of the answers.
    pub versions: (u64, u64),
    /// Of the images that no registry gives.
    pub images: u64,
    /// Of the past, bookmarks and branches.
    pub time: u64,
    /// The session as a packed word.
    pub shared: Option<std::rc::Rc<str>>,
    /// The lesson under way, when it is one of those beside the page.
    pub lesson: Option<std::rc::Rc<str>>,
    pub lessons: Option<std::rc::Rc<Index>>,
    /// Of the list of objects.
    pub listing: u64,
    pub what_if: Option<(protocol::ObjectId, u64)>,
    /// How the last new cluster began: nodes, whether in the toy cloud, and whether with a node for the control plane.
    pub fresh: (u32, bool, bool),
    pub acting: Option<protocol::Identity>,
    pub applied: Option<std::rc::Rc<Applied>>,
}

#[component]
pub fn OverlayView(p: &Props) -> Html {
    let ctx = use_ctx();
    let root = use_node_ref();
    // Focus goes into the overlay and back to where it was.
    {
        let root = root.clone();
        use_effect_with(p.overlay, move |_| {
            let before = gloo::utils::document().active_element().and_then(|e| e.dyn_into::<HtmlElement>().ok());
            let first = root.cast::<Element>().and_then(|r| r.query_selector("input, button").ok().flatten());
            let _ = first.and_then(|e| e.dyn_into::<HtmlElement>().ok()).map(|e| e.focus());
            move || {
                let _ = before.map(|e| e.focus());
            }
        });
    }
    let on_back = {
        let ctx = ctx.clone();
        Callback::from(move |e: MouseEvent| {
            let backdrop = e
                .target()
                .and_then(|t| t.dyn_into::<Element>().ok())
                .is_some_and(|t| t.class_list().contains("backdrop"));
            if backdrop {
                ctx.act(Action::Overlay(None));
            }
        })
    };
    let onkeydown = {
        let (ctx, root) = (ctx.clone(), root.clone());
        Callback::from(move |e: KeyboardEvent| match e.key().as_str() {
            "Escape" => {
                e.prevent_default();
                e.stop_propagation();
                ctx.act(Action::Overlay(None));
            }
            "Tab" => keep_inside(&e, root.cast::<Element>()),
            _ => {}
        })
    };
    let (title, class, body) = match p.overlay {
        Overlay::Palette => {
            (ctx.t("palette.title"), "palette", html! { <Palette lessons={p.lessons.clone()} listing={p.listing} /> })
        }
        Overlay::Help => (ctx.t("help.title"), "sheet", html! { <Help /> }),
        Overlay::NewCluster => {
            let (nodes, cloud, control_plane) = p.fresh;
            (ctx.t("new-cluster.title"), "small", html! { <NewCluster {nodes} {cloud} {control_plane} /> })
        }
        Overlay::ActAs => (ctx.t("acting.title"), "small", html! { <ActAs acting={p.acting.clone()} /> }),
        Overlay::Images => (ctx.t("fault.images"), "small", html! { <Images version={p.images} /> }),
        Overlay::NewNode => (ctx.t("node.add"), "small", html! { <NewNode /> }),
        Overlay::Breakpoints => {
            (ctx.t("debug.breakpoints"), "medium", html! { <Breakpoints version={p.versions.0} /> })
        }
        Overlay::WhatIf => {
            let (object, cycle) = p.what_if.clone().map_or((None, 0), |(o, c)| (Some(o), c));
            (ctx.t("what-if.title"), "large", html! { <WhatIf {object} {cycle} answers={p.versions.1} /> })
        }
        Overlay::Branches => (ctx.t("branch.list"), "large", html! { <Branches versions={(p.time, p.versions.1)} /> }),
        Overlay::Share => {
            (ctx.t("share.title"), "medium", html! { <Share session={p.shared.clone()} lesson={p.lesson.clone()} /> })
        }
        Overlay::RunUntil => (ctx.t("until.title"), "small", html! { <RunUntil /> }),
        Overlay::Differences => {
            (ctx.t("differences.title"), "large", html! { <Differences applied={p.applied.clone()} /> })
        }
        Overlay::Config => (ctx.t("config.title"), "large", html! { <Config answers={p.versions.1} /> }),
    };
    html! {
        <div class="backdrop" onmousedown={on_back} {onkeydown}>
            <div class={classes!("overlay", class)} role="dialog" aria-modal="true" aria-label={title} ref={root} data-testid="overlay">
                if p.overlay != Overlay::Palette {
                    <div class="overlay-head"><h2>{ title }</h2><span class="grow" />
                        <button class="icon-button" aria-label={ctx.t("close")} onclick={ctx.on(Action::Overlay(None))}><Icon name="close" /></button></div>
                }
                { body }
            </div>
        </div>
    }
}

/// Tab goes round within the dialog.
fn keep_inside(e: &KeyboardEvent, root: Option<Element>) {
    let Some(root) = root else { return };
    let Ok(all) = root.query_selector_all("button:not(:disabled), input, select, textarea, [contenteditable=true]")
    else {
        return;
    };
    let Some(edge) = (if e.shift_key() { all.item(0) } else { all.item(all.length().saturating_sub(1)) }) else {
        return;
    };
    if gloo::utils::document().active_element().as_deref() == Some(&edge) {
        let other = if e.shift_key() { all.item(all.length().saturating_sub(1)) } else { all.item(0) };
        e.prevent_default();
        let _ = other.and_then(|o| o.dyn_into::<HtmlElement>().ok()).map(|o| o.focus());
    }
}

#[component]
fn Help() -> Html {
    let ctx = use_ctx();
    let signs = [
        PodState::Pending,
        PodState::Gated,
        PodState::Creating,
        PodState::Running,
        PodState::Ready,
        PodState::Terminating,
        PodState::BackOff,
        PodState::Failed,
        PodState::Succeeded,
    ];
    html! {
        <div class="help">
            <section><h3>{ ctx.t("help.keys") }</h3>
                { for keys::SHEET.iter().map(|(place, all)| html! {
                    <section class="keys"><h4>{ ctx.find(place).unwrap_or(place) }</h4>
                        <dl>{ for all.iter().map(|(key, text)| html! { <><dt>{ for key.split("  ").map(|k| html! { <kbd>{ k }</kbd> }) }</dt><dd>{ ctx.find(text).unwrap_or(text) }</dd></> }) }</dl></section>
                }) }</section>
            <section><h3>{ ctx.t("help.signs") }</h3>
                <ul class="legend">{ for signs.iter().map(|s| html! {
                    <li><Sign state={*s} tint={Tint { hue: 0, pattern: 0 }} />{ ctx.find(&format!("pod.{}", state_name(*s))).unwrap_or_default() }</li>
                }) }</ul>
                <p>{ ctx.t("help.hues") }</p>
                <ul class="legend dots">
                    <li class="write"><span class="entry-mark" />{ ctx.t("help.write") }</li>
                    <li class="watch"><span class="entry-mark" />{ ctx.t("help.watch") }</li>
                    <li class="refusal"><span class="entry-mark" />{ ctx.t("help.refusal") }</li>
                    <li class="cycle"><span class="entry-mark" />{ ctx.t("help.cycle") }</li>
                </ul></section>
        </div>
    }
}

#[derive(PartialEq, Properties)]
struct NewClusterProps {
    nodes: u32,
    cloud: bool,
    control_plane: bool,
}

#[component]
fn NewCluster(p: &NewClusterProps) -> Html {
    let ctx = use_ctx();
    let (nodes, cloud, control_plane) = (use_node_ref(), use_node_ref(), use_node_ref());
    let onsubmit = {
        let (ctx, nodes) = (ctx.clone(), nodes.clone());
        let (cloud, control_plane) = (cloud.clone(), control_plane.clone());
        Callback::from(move |e: SubmitEvent| {
            e.prevent_default();
            let checked = |r: &NodeRef| r.cast::<HtmlInputElement>().is_some_and(|i| i.checked());
            let Some(nodes) = nodes.cast::<HtmlInputElement>() else { return };
            let nodes = nodes.value().parse::<u32>().unwrap_or(3).min(NODES_MAX);
            let (cloud, control_plane_node) = (checked(&cloud), checked(&control_plane));
            ctx.act(Action::Overlay(None));
            ctx.act(Action::NewCluster { nodes, cloud, control_plane_node });
        })
    };
    html! {
        <form class="form" {onsubmit}>
            <p>{ ctx.t("new-cluster.about") }</p>
            <label>{ ctx.t("new-cluster.nodes") }<input ref={nodes} type="number" ~defaultValue={p.nodes.to_string()} min="0" max={NODES_MAX.to_string()} required=true data-testid="new-cluster-nodes" /></label>
            <label class="check"><input ref={cloud} type="checkbox" checked={p.cloud} data-testid="new-cluster-cloud" />{ ctx.t("new-cluster.cloud") }</label>
            <label class="check"><input ref={control_plane} type="checkbox" checked={p.control_plane} data-testid="new-cluster-control-plane" />{ ctx.t("new-cluster.control-plane") }</label>
            <button class="primary" type="submit" data-testid="new-cluster-start">{ ctx.t("new-cluster.start") }</button>
        </form>
    }
}

/// At once.
const NODES_MAX: u32 = 1000;

#[component]
fn NewNode() -> Html {
    let ctx = use_ctx();
    let (cpu, memory, pods, count) = (use_node_ref(), use_node_ref(), use_node_ref(), use_node_ref());
    let onsubmit = {
        let (ctx, cpu, memory) = (ctx.clone(), cpu.clone(), memory.clone());
        let (pods, count) = (pods.clone(), count.clone());
        Callback::from(move |e: SubmitEvent| {
            e.prevent_default();
            let value =
                |r: &NodeRef| r.cast::<HtmlInputElement>().map(|i| i.value().trim().to_string()).unwrap_or_default();
            for _ in 0..value(&count).parse::<u32>().unwrap_or(1).clamp(1, NODES_MAX) {
                let (cpu, memory, pods) = (value(&cpu), value(&memory), value(&pods));
                ctx.act(Action::Send(Command::AddNode { id: 0, cpu, memory, pods }));
            }
            ctx.act(Action::Overlay(None));
        })
    };
    html! {
        <form class="form" {onsubmit}>
            <p>{ ctx.t("node.add.about") }</p>
            <label>{ "cpu" }<input ref={cpu} ~defaultValue="4" required=true pattern="[0-9.]+m?" data-testid="new-node-cpu" /></label>
            <label>{ "memory" }<input ref={memory} ~defaultValue="8Gi" required=true pattern="[0-9.]+([kKMGTPE]i?)?" data-testid="new-node-memory" /></label>
            <label>{ "pods" }<input ref={pods} ~defaultValue="110" required=true pattern="[0-9]+" data-testid="new-node-pods" /></label>
            <label>{ ctx.t("node.add.count") }<input ref={count} type="number" ~defaultValue="1" min="1" max={NODES_MAX.to_string()} required=true data-testid="new-node-count" /></label>
            <button class="primary" type="submit" data-testid="new-node-add">{ ctx.t("node.add") }</button>
        </form>
    }
}
