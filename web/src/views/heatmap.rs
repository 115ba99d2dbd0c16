//! Hundreds of nodes and thousands of pods: a canvas with level of detail. Wheel zooms, dragging moves, a click opens.
//! Far away a node is a tile in the colour of its load; nearer its pods are dots; nearest it has its name.

use super::tiles::{Hit, Map};
use crate::ctx::{Ctx, use_ctx};
use crate::model::kinds;
use crate::ui::{Action, InspectorTab};
use gloo::render::{AnimationFrame, request_animation_frame};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{HtmlCanvasElement, PointerEvent, ResizeObserver, WheelEvent};
use yew::prelude::*;

#[derive(Default)]
struct View {
    canvas: Option<HtmlCanvasElement>,
    map: Map,
    /// Where a drag began, and whether it has moved.
    drag: Option<(f64, f64, bool)>,
    frame: Option<AnimationFrame>,
    selected: Option<String>,
}

type Shared = Rc<RefCell<View>>;

#[derive(PartialEq, Properties)]
pub struct Props {
    /// Of nodes and pods.
    pub version: (u64, u64),
    pub selected: Option<String>,
}

#[component]
pub fn HeatMap(p: &Props) -> Html {
    let ctx = use_ctx();
    let canvas = use_node_ref();
    let view = use_mut_ref(View::default);
    let hover = use_state(|| None::<String>);
    {
        let (canvas, view, ctx) = (canvas.clone(), view.clone(), ctx.clone());
        use_effect_with((), move |()| {
            view.borrow_mut().canvas = canvas.cast();
            let (shared, resized_ctx) = (view.clone(), ctx.clone());
            let resized = Closure::<dyn FnMut()>::new(move || {
                {
                    let mut v = shared.borrow_mut();
                    let size = v.measure();
                    v.map.resize(size);
                }
                // At once, in the frame in which the canvas changes its size: a frame later it would flash.
                draw(&shared, &resized_ctx);
            });
            let observer = ResizeObserver::new(resized.as_ref().unchecked_ref()).ok();
            if let (Some(observer), Some(frame)) =
                (&observer, view.borrow().canvas.as_ref().and_then(|c| c.parent_element()))
            {
                observer.observe(&frame);
            }
            move || {
                if let Some(observer) = observer {
                    observer.disconnect();
                }
                view.borrow_mut().frame = None;
                drop(resized);
            }
        });
    }
    {
        let (view, ctx) = (view.clone(), ctx.clone());
        use_effect_with((p.version, p.selected.clone(), ctx.dark), move |(_, selected, _)| {
            view.borrow_mut().selected.clone_from(selected);
            // Updates come at most once a frame, and in one: there is no later moment to wait for.
            draw(&view, &ctx);
        });
    }
    let onwheel = {
        let (view, ctx) = (view.clone(), ctx.clone());
        Callback::from(move |e: WheelEvent| {
            e.prevent_default();
            let by = (-e.delta_y() / 400.0).exp();
            view.borrow_mut().map.zoom(by, f64::from(e.offset_x()), f64::from(e.offset_y()));
            redraw(&view, &ctx);
        })
    };
    let onpointerdown = {
        let view = view.clone();
        Callback::from(move |e: PointerEvent| {
            let mut v = view.borrow_mut();
            v.drag = Some((f64::from(e.client_x()), f64::from(e.client_y()), false));
            if let Some(canvas) = &v.canvas {
                let _ = canvas.set_pointer_capture(e.pointer_id());
            }
        })
    };
    let onpointermove = {
        let (view, ctx, hover) = (view.clone(), ctx.clone(), hover.clone());
        Callback::from(move |e: PointerEvent| {
            let mut v = view.borrow_mut();
            if let Some((x, y, moved)) = v.drag {
                let (cx, cy) = (f64::from(e.client_x()), f64::from(e.client_y()));
                if moved || (cx - x).hypot(cy - y) > 4.0 {
                    v.drag = Some((cx, cy, true));
                    v.map.shift(cx - x, cy - y);
                    drop(v);
                    redraw(&view, &ctx);
                }
                return;
            }
            let text = name_of(&ctx, v.hit(&ctx, &e).as_ref());
            if *hover != text {
                hover.set(text);
            }
        })
    };
    let onpointerup = {
        let (view, ctx) = (view.clone(), ctx.clone());
        Callback::from(move |e: PointerEvent| {
            let mut v = view.borrow_mut();
            if v.drag.take().is_none_or(|(.., moved)| moved) {
                return;
            }
            let hit = v.hit(&ctx, &e);
            drop(v);
            open(&ctx, hit);
        })
    };
    let onkeydown = {
        let (view, ctx, hover) = (view.clone(), ctx.clone(), hover.clone());
        Callback::from(move |e: KeyboardEvent| {
            let mut v = view.borrow_mut();
            let (w, h) = v.map.size;
            match e.key().as_str() {
                "ArrowLeft" => v.map.step(-1, 0),
                "ArrowRight" if !e.shift_key() => v.map.step(1, 0),
                "ArrowUp" => v.map.step(0, -1),
                "ArrowDown" => v.map.step(0, 1),
                "+" | "=" => v.map.zoom(1.5, w / 2.0, h / 2.0),
                "-" => v.map.zoom(1.0 / 1.5, w / 2.0, h / 2.0),
                "0" => v.map.scale = 0.0,
                "Enter" => {
                    let hit = v.map.cursor();
                    drop(v);
                    return open(&ctx, hit);
                }
                _ => return,
            }
            e.prevent_default();
            e.stop_propagation();
            hover.set(name_of(&ctx, v.map.cursor().as_ref()));
            drop(v);
            redraw(&view, &ctx);
        })
    };
    let zoom = |by: f64, label: &'static str, sign: &'static str| {
        let (view, ctx) = (view.clone(), ctx.clone());
        let onclick = Callback::from(move |_: MouseEvent| {
            {
                let mut v = view.borrow_mut();
                let (w, h) = v.map.size;
                if by == 0.0 { v.map.scale = 0.0 } else { v.map.zoom(by, w / 2.0, h / 2.0) }
            }
            redraw(&view, &ctx);
        });
        html! { <button class="icon-button" aria-label={label} title={label} {onclick}>{ sign }</button> }
    };
    let model = ctx.model.get();
    let summary = ctx
        .tf("heatmap.summary", &[("nodes", &model.nodes.len().to_string()), ("pods", &model.pods.len().to_string())]);
    html! {
        <div class="heatmap" data-testid="heatmap">
            <div class="heatmap-head">
                <span data-testid="heatmap-summary">{ summary.clone() }</span>
                <span class="hover" aria-live="polite" data-testid="heatmap-hover">{ (*hover).clone().unwrap_or_default() }</span>
                <span class="grow" />
                { zoom(1.0 / 1.5, ctx.t("heatmap.out"), "−") }{ zoom(1.5, ctx.t("heatmap.in"), "+") }{ zoom(0.0, ctx.t("heatmap.fit"), "⤢") }
            </div>
            <div class="heatmap-frame"><canvas ref={canvas} role="application" tabindex="0" aria-label={format!("{summary}. {}", ctx.t("heatmap.about"))}
                {onwheel} {onpointerdown} {onpointermove} {onpointerup} {onkeydown} /></div>
        </div>
    }
}

impl View {
    fn hit(&self, ctx: &Ctx, e: &PointerEvent) -> Option<Hit> {
        self.map.hit(&ctx.model.get(), f64::from(e.offset_x()), f64::from(e.offset_y()))
    }
    /// Of the frame, in CSS pixels.
    fn measure(&self) -> (f64, f64) {
        let frame = self.canvas.as_ref().and_then(|c| c.parent_element());
        frame.map_or((0.0, 0.0), |f| (f64::from(f.client_width()), f64::from(f.client_height())))
    }
}

fn name_of(ctx: &Ctx, hit: Option<&Hit>) -> Option<String> {
    let model = ctx.model.get();
    match hit? {
        Hit::Pod(key) => model.pods.get(&**key).map(|pod| format!("{key} · {}", pod.status)),
        Hit::Node(name) => {
            model.nodes.get(name).map(|n| format!("{name} · {} · {}/{}", n.status, n.pods_running, n.pods))
        }
    }
}

fn open(ctx: &Ctx, hit: Option<Hit>) {
    let id = match hit {
        Some(Hit::Pod(key)) => key.split_once('/').map(|(ns, n)| kinds::pod(ns, n)),
        Some(Hit::Node(name)) => Some(kinds::node(&name)),
        None => None,
    };
    if let Some(id) = id {
        ctx.act(Action::Inspect(id, InspectorTab::Summary));
    }
}

fn draw(view: &Shared, ctx: &Ctx) {
    let mut v = view.borrow_mut();
    let View { canvas: Some(canvas), map, selected, .. } = &mut *v else { return };
    map.draw(canvas, &ctx.model.get(), ctx.dark, selected.as_deref());
}

/// Draws at the next frame, once however often it is asked for.
fn redraw(view: &Shared, ctx: &Ctx) {
    if view.borrow().frame.is_some() {
        return;
    }
    let (shared, frame_ctx) = (view.clone(), ctx.clone());
    let frame = request_animation_frame(move |_| {
        shared.borrow_mut().frame = None;
        draw(&shared, &frame_ctx);
    });
    view.borrow_mut().frame = Some(frame);
}
