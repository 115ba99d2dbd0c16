//! Hundreds of nodes and thousands of pods: a canvas with level of detail. Wheel zooms, dragging moves, a click opens.
//! Far away a node is a tile in the colour of its load; nearer its pods are dots; nearest it has its name.

use super::flow::{colour, context};
use crate::ctx::{Ctx, use_ctx};
use crate::model::{Model, kinds};
use crate::ui::{Action, InspectorTab};
use gloo::render::{AnimationFrame, request_animation_frame};
use protocol::PodState;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, PointerEvent, ResizeObserver, WheelEvent};
use yew::prelude::*;

/// A node's tile in the map's own units.
const TILE: f64 = 44.0;
const GAP: f64 = 6.0;
const HEAD: f64 = 7.0;
const ZOOM: (f64, f64) = (0.2, 8.0);
/// Below these scales pods, and names, are left out.
const PODS_FROM: f64 = 0.3;
const NAMES_FROM: f64 = 1.6;

#[derive(Default)]
struct View {
    canvas: Option<HtmlCanvasElement>,
    /// 0 until the map was fitted into its frame.
    scale: f64,
    x: f64,
    y: f64,
    /// Where a drag began, and whether it has moved.
    drag: Option<(f64, f64, bool)>,
    frame: Option<AnimationFrame>,
    columns: usize,
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
            let (shared, model) = (view.clone(), ctx.clone());
            let resized = Closure::<dyn FnMut()>::new(move || redraw(&shared, &model, None));
            let observer = ResizeObserver::new(resized.as_ref().unchecked_ref()).ok();
            if let (Some(observer), Some(canvas)) =
                (&observer, view.borrow().canvas.as_ref().and_then(|c| c.parent_element()))
            {
                observer.observe(&canvas);
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
        use_effect_with((p.version, p.selected.clone(), ctx.theme), move |(_, selected, _)| {
            redraw(&view, &ctx, selected.clone())
        });
    }
    let selected = p.selected.clone();
    let onwheel = {
        let (view, ctx, selected) = (view.clone(), ctx.clone(), selected.clone());
        Callback::from(move |e: WheelEvent| {
            e.prevent_default();
            {
                let mut v = view.borrow_mut();
                let (px, py) = (f64::from(e.offset_x()), f64::from(e.offset_y()));
                let scale = (v.scale * (-e.delta_y() / 400.0).exp()).clamp(ZOOM.0, ZOOM.1);
                let k = scale / v.scale.max(0.01);
                (v.x, v.y, v.scale) = (px - (px - v.x) * k, py - (py - v.y) * k, scale);
            }
            redraw(&view, &ctx, selected.clone());
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
        let (view, ctx, hover, selected) = (view.clone(), ctx.clone(), hover.clone(), selected.clone());
        Callback::from(move |e: PointerEvent| {
            let mut v = view.borrow_mut();
            if let Some((x, y, moved)) = v.drag {
                let (cx, cy) = (f64::from(e.client_x()), f64::from(e.client_y()));
                if moved || (cx - x).hypot(cy - y) > 4.0 {
                    v.drag = Some((cx, cy, true));
                    v.x += cx - x;
                    v.y += cy - y;
                    drop(v);
                    redraw(&view, &ctx, selected.clone());
                }
                return;
            }
            let text = match v.hit(&ctx.model.get(), f64::from(e.offset_x()), f64::from(e.offset_y())) {
                Some(Hit::Pod(key)) => ctx.model.get().pods.get(&*key).map(|pod| format!("{key} · {}", pod.status)),
                Some(Hit::Node(name)) => ctx.model.get().nodes.get(&name).map(|n| format!("{name} · {}", n.status)),
                None => None,
            };
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
            let hit = v.hit(&ctx.model.get(), f64::from(e.offset_x()), f64::from(e.offset_y()));
            let id = match hit {
                Some(Hit::Pod(key)) => key.split_once('/').map(|(ns, n)| kinds::pod(ns, n)),
                Some(Hit::Node(name)) => Some(kinds::node(&name)),
                None => None,
            };
            if let Some(id) = id {
                ctx.act(Action::Inspect(id, InspectorTab::Summary));
            }
        })
    };
    let zoom = |by: f64, label: &'static str, sign: &'static str| {
        let (view, ctx, selected) = (view.clone(), ctx.clone(), selected.clone());
        let onclick = Callback::from(move |_: MouseEvent| {
            {
                let mut v = view.borrow_mut();
                if by == 0.0 { v.scale = 0.0 } else { v.scale = (v.scale * by).clamp(ZOOM.0, ZOOM.1) }
            }
            redraw(&view, &ctx, selected.clone());
        });
        html! { <button aria-label={label} title={label} {onclick}>{ sign }</button> }
    };
    let model = ctx.model.get();
    let summary = ctx
        .tf("heatmap.summary", &[("nodes", &model.nodes.len().to_string()), ("pods", &model.pods.len().to_string())]);
    html! {
        <div class="heatmap" data-testid="heatmap">
            <div class="heatmap-head">
                <span>{ summary.clone() }</span>
                <span class="hover">{ (*hover).clone().unwrap_or_default() }</span>
                <span class="grow" />
                { zoom(1.0 / 1.5, ctx.t("heatmap.out"), "−") }{ zoom(1.5, ctx.t("heatmap.in"), "+") }{ zoom(0.0, ctx.t("heatmap.fit"), "⤢") }
            </div>
            <div class="heatmap-frame"><canvas ref={canvas} role="img" aria-label={summary} {onwheel} {onpointerdown} {onpointermove} {onpointerup} /></div>
        </div>
    }
}

enum Hit {
    Node(String),
    Pod(Rc<str>),
}

/// The grid of pods within a tile: columns and the size of a cell.
fn cells(pods: usize) -> (usize, f64) {
    let columns = (pods as f64).sqrt().ceil().max(3.0);
    (columns as usize, (TILE - 4.0) / columns)
}

impl View {
    fn tile(&self, index: usize) -> (f64, f64) {
        let columns = self.columns.max(1);
        let step = TILE + GAP;
        ((index % columns) as f64 * step, (index / columns) as f64 * (step + HEAD))
    }

    fn fit(&mut self, nodes: usize, w: f64, h: f64) {
        let ratio = (w / h.max(1.0)).max(0.2);
        self.columns = ((nodes as f64 * ratio).sqrt().ceil() as usize).max(1);
        let rows = nodes.div_ceil(self.columns).max(1);
        let (tw, th) = (self.columns as f64 * (TILE + GAP), rows as f64 * (TILE + GAP + HEAD));
        self.scale = ((w - 16.0) / tw).min((h - 16.0) / th).clamp(ZOOM.0, 2.0);
        self.x = (w - tw * self.scale) / 2.0;
        self.y = 8.0;
    }

    fn hit(&self, model: &Model, px: f64, py: f64) -> Option<Hit> {
        let (x, y) = ((px - self.x) / self.scale, (py - self.y) / self.scale);
        if x < 0.0 || y < 0.0 {
            return None;
        }
        let (column, row) = ((x / (TILE + GAP)) as usize, (y / (TILE + GAP + HEAD)) as usize);
        if column >= self.columns {
            return None;
        }
        let index = row * self.columns + column;
        let name = model.nodes.keys().nth(index)?;
        let (tx, ty) = self.tile(index);
        if self.scale >= PODS_FROM {
            let placed = model.placed.get(name)?;
            let (columns, cell) = cells(placed.pods.len());
            let (cx, cy) = ((x - tx - 2.0) / cell, (y - ty - HEAD - 2.0) / cell);
            if cx >= 0.0 && cy >= 0.0 && (cx as usize) < columns {
                let at = cy as usize * columns + cx as usize;
                if let Some(key) = placed.pods.keys().nth(at) {
                    return Some(Hit::Pod(key.clone()));
                }
            }
        }
        Some(Hit::Node(name.clone()))
    }

    fn draw(&mut self, model: &Model, selected: Option<&str>) {
        let Some(canvas) = self.canvas.clone() else { return };
        let (Some(g), Some(frame)) = (context(&canvas), canvas.parent_element()) else { return };
        let (w, h) = (f64::from(frame.client_width()), f64::from(frame.client_height()));
        let ratio = gloo::utils::window().device_pixel_ratio();
        let size = ((w * ratio) as u32, (h * ratio) as u32);
        if (canvas.width(), canvas.height()) != size {
            canvas.set_width(size.0);
            canvas.set_height(size.1);
        }
        if self.scale == 0.0 {
            self.fit(model.nodes.len(), w, h);
        }
        let _ = g.set_transform(ratio, 0.0, 0.0, ratio, 0.0, 0.0);
        g.clear_rect(0.0, 0.0, w, h);
        let paint = Paint::of(&canvas);
        let s = self.scale;
        let mut pods = Pods::new();
        let mut tiles: Vec<Tile> = Vec::new();
        let mut names = Vec::new();
        for (index, (name, node)) in model.nodes.iter().enumerate() {
            let (tx, ty) = self.tile(index);
            let (x, y) = (self.x + tx * s, self.y + ty * s);
            let (tw, th) = (TILE * s, (TILE + HEAD) * s);
            if x > w || y > h || x + tw < 0.0 || y + th < 0.0 {
                continue;
            }
            let ready = node.status == "Ready";
            let load = if node.cpu > 0 { (node.cpu_requested as f64 / node.cpu as f64).clamp(0.0, 1.0) } else { 0.0 };
            tiles.push(Tile { x, y, w: tw, h: th, load, ready });
            if s >= PODS_FROM {
                self.collect(&mut pods, model, name, (x, y), selected);
            }
            if s >= NAMES_FROM {
                names.push((name, x, y, tw));
            }
        }
        draw_tiles(&g, &paint, &tiles, s);
        pods.draw(&g, &paint);
        g.set_fill_style_str(&paint.ink);
        g.set_font(&format!("{}px system-ui, sans-serif", (HEAD * s * 0.8).min(13.0)));
        for (name, x, y, w) in names {
            let _ = g.fill_text_with_max_width(name, x, y - 2.0, w);
        }
    }

    fn collect(&self, pods: &mut Pods, model: &Model, node: &str, at: (f64, f64), selected: Option<&str>) {
        let Some(placed) = model.placed.get(node) else { return };
        let (columns, cell) = cells(placed.pods.len());
        let s = self.scale;
        let size = (cell - 1.5).max(1.0) * s;
        for (i, (key, pod, tint)) in model.pods_on(node).enumerate() {
            let x = at.0 + (2.0 + (i % columns) as f64 * cell) * s;
            let y = at.1 + (HEAD + 2.0 + (i / columns) as f64 * cell) * s;
            let hue = &mut pods.hues[tint.hue];
            match pod.state {
                PodState::BackOff | PodState::Failed => pods.failed.push((x, y, size)),
                PodState::Ready => hue.full.push((x, y, size)),
                PodState::Running => {
                    hue.half.push((x, y, size));
                    hue.outline.push((x, y, size));
                }
                PodState::Terminating => hue.faded.push((x, y, size)),
                _ => hue.outline.push((x, y, size)),
            }
            if selected == Some(&**key) {
                pods.selected.push((x, y, size));
            }
        }
    }
}

struct Tile {
    x: f64,
    y: f64,
    w: f64,
    h: f64,
    /// CPU requested of allocatable, 0 to 1.
    load: f64,
    ready: bool,
}

/// The head of a tile is the node's CPU requests, as its bar would be; red all over when the node is not ready.
fn draw_tiles(g: &CanvasRenderingContext2d, paint: &Paint, tiles: &[Tile], scale: f64) {
    let head = (HEAD - 2.0) * scale;
    g.set_fill_style_str(&paint.surface);
    tiles.iter().for_each(|t| g.fill_rect(t.x, t.y, t.w, t.h));
    if scale < PODS_FROM {
        // Too far for pods: the tile itself is as dark as the node is full.
        g.set_fill_style_str(&paint.accent);
        for t in tiles {
            g.set_global_alpha(t.load * 0.8);
            g.fill_rect(t.x, t.y, t.w, t.h);
        }
        g.set_global_alpha(1.0);
    }
    g.set_fill_style_str(&paint.track);
    tiles.iter().for_each(|t| g.fill_rect(t.x, t.y, t.w, head));
    g.set_fill_style_str(&paint.accent);
    tiles.iter().filter(|t| t.ready).for_each(|t| g.fill_rect(t.x, t.y, t.w * t.load, head));
    g.set_fill_style_str(&paint.bad);
    g.set_stroke_style_str(&paint.bad);
    g.set_line_width(2.0);
    for t in tiles.iter().filter(|t| !t.ready) {
        g.fill_rect(t.x, t.y, t.w, head);
        g.stroke_rect(t.x, t.y, t.w, t.h);
    }
}

type Squares = Vec<(f64, f64, f64)>;

#[derive(Default)]
struct Hue {
    full: Squares,
    half: Squares,
    outline: Squares,
    faded: Squares,
}

/// Pods by how they are drawn: changing a canvas's colour costs more than drawing a square.
struct Pods {
    hues: Vec<Hue>,
    failed: Squares,
    selected: Squares,
}

impl Pods {
    fn new() -> Pods {
        let hues = (0..crate::model::owners::HUES).map(|_| Hue::default()).collect();
        Pods { hues, failed: Vec::new(), selected: Vec::new() }
    }

    fn draw(&self, g: &CanvasRenderingContext2d, paint: &Paint) {
        for (hue, colour) in self.hues.iter().zip(&paint.hues) {
            g.set_fill_style_str(colour);
            hue.full.iter().for_each(|(x, y, s)| g.fill_rect(*x, *y, *s, *s));
            hue.half.iter().for_each(|(x, y, s)| g.fill_rect(*x, *y + s / 2.0, *s, *s / 2.0));
            g.set_global_alpha(0.35);
            hue.faded.iter().for_each(|(x, y, s)| g.fill_rect(*x, *y, *s, *s));
            g.set_global_alpha(1.0);
            g.set_stroke_style_str(colour);
            g.set_line_width(1.0);
            hue.outline.iter().for_each(|(x, y, s)| g.stroke_rect(x + 0.5, y + 0.5, s - 1.0, s - 1.0));
        }
        g.set_fill_style_str(&paint.bad);
        g.begin_path();
        for (x, y, s) in &self.failed {
            g.move_to(x + s / 2.0, *y);
            g.line_to(x + s, y + s);
            g.line_to(*x, y + s);
        }
        g.fill();
        g.set_line_width(2.0);
        g.set_stroke_style_str(&paint.ink);
        self.selected.iter().for_each(|(x, y, s)| g.stroke_rect(x - 1.5, y - 1.5, s + 3.0, s + 3.0));
    }
}

struct Paint {
    surface: String,
    track: String,
    accent: String,
    bad: String,
    ink: String,
    hues: Vec<String>,
}

impl Paint {
    fn of(canvas: &HtmlCanvasElement) -> Paint {
        let get = |name: &str| colour(canvas, name);
        Paint {
            surface: get("--surface"),
            track: get("--track"),
            accent: get("--accent"),
            bad: get("--bad"),
            ink: get("--ink"),
            hues: (0..crate::model::owners::HUES).map(|n| get(&format!("--hue-{n}"))).collect(),
        }
    }
}

/// Draws at the next frame, once however often it is asked for.
fn redraw(view: &Shared, ctx: &Ctx, selected: Option<String>) {
    let (shared, model) = (view.clone(), ctx.model.clone());
    let frame = request_animation_frame(move |_| {
        let mut v = shared.borrow_mut();
        v.frame = None;
        v.draw(&model.get(), selected.as_deref());
    });
    view.borrow_mut().frame = Some(frame);
}
