//! The links of the diagram and what travels along them: a canvas below the boxes, drawn only while something moves.

use super::flow_paths::{self, Boxes, Line, Rect};
use crate::ctx::use_ctx;
use crate::model::flow::{Port, Sign, hops};
use crate::ui::Action;
use gloo::render::{AnimationFrame, request_animation_frame};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{CanvasRenderingContext2d, Element, HtmlCanvasElement, PointerEvent, ResizeObserver};
use yew::prelude::*;

/// More dots than these on one link become the link's width.
const DOTS_MAX: usize = 10;
/// Pixels a millisecond.
const PACE: f64 = 0.9;
const TRAVEL_MS: (f64, f64) = (220.0, 620.0);
/// How long a link stays lit, milliseconds.
const GLOW_MS: f64 = 500.0;
const RADIUS: f64 = 4.0;

struct Dot {
    seq: u64,
    end: Port,
    outward: bool,
    sign: Sign,
    /// Milliseconds of the page's clock; 0 until the first frame.
    start: f64,
    delay: f64,
    lasts: f64,
    at: (f64, f64),
}

#[derive(Default)]
struct Scene {
    canvas: Option<HtmlCanvasElement>,
    links: BTreeMap<Port, Line>,
    dots: Vec<Dot>,
    /// When a link was last used, how often in that glow, and by what.
    glow: BTreeMap<Port, (f64, u32, Sign)>,
    last_seq: u64,
    calm: bool,
    frame: Option<AnimationFrame>,
}

type Shared = Rc<RefCell<Scene>>;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub entries: u64,
    /// The set of nodes changed, so boxes may have moved.
    pub nodes: u64,
}

#[component]
pub fn Flow(p: &Props) -> Html {
    let ctx = use_ctx();
    let canvas = use_node_ref();
    let scene = use_mut_ref(Scene::default);
    {
        let (canvas, scene, model) = (canvas.clone(), scene.clone(), ctx.model.clone());
        use_effect_with((), move |()| {
            {
                let mut scene = scene.borrow_mut();
                scene.canvas = canvas.cast();
                scene.last_seq = model.get().clock.seq;
                scene.calm = reduced_motion();
            }
            let shared = scene.clone();
            let resized = Closure::<dyn FnMut()>::new(move || measure(&shared));
            let observer = ResizeObserver::new(resized.as_ref().unchecked_ref()).ok();
            if let (Some(observer), Some(parent)) = (&observer, diagram(&scene)) {
                observer.observe(&parent);
            }
            move || {
                if let Some(observer) = observer {
                    observer.disconnect();
                }
                scene.borrow_mut().frame = None;
                drop(resized);
            }
        });
    }
    {
        let scene = scene.clone();
        use_effect_with((p.nodes, ctx.dark), move |_| measure(&scene));
    }
    {
        let (scene, model) = (scene.clone(), ctx.model.clone());
        use_effect_with(p.entries, move |_| {
            let model = model.get();
            let mut s = scene.borrow_mut();
            // After a reset the trace may start again below what was seen.
            let newest = model.entries.back().map_or(0, |e| e.seq);
            if newest < s.last_seq {
                s.last_seq = 0;
            }
            let first = model.entries.partition_point(|e| e.seq <= s.last_seq);
            for entry in model.entries.range(first..) {
                for hop in hops(&model, entry) {
                    s.launch(hop);
                }
            }
            s.last_seq = newest;
            drop(s);
            animate(&scene);
        });
    }
    let onpointerdown = {
        let (scene, ctx) = (scene.clone(), ctx.clone());
        Callback::from(move |e: PointerEvent| {
            let (x, y) = (f64::from(e.offset_x()), f64::from(e.offset_y()));
            let s = scene.borrow();
            let near = |d: &&Dot| (d.at.0 - x).hypot(d.at.1 - y) < 14.0;
            if let Some(dot) = s.dots.iter().find(near) {
                ctx.act(Action::Entry(dot.seq));
            }
        })
    };
    html! { <canvas class="flow" ref={canvas} aria-hidden="true" {onpointerdown} /> }
}

impl Scene {
    fn launch(&mut self, hop: crate::model::flow::Hop) {
        let outward = hop.from == Port::ApiServer;
        let end = if outward { hop.to } else { hop.from };
        let Some(line) = self.links.get(&end) else { return };
        let lasts = (flow_paths::length(line) / PACE).clamp(TRAVEL_MS.0, TRAVEL_MS.1);
        let now = now();
        let glow = self.glow.entry(end.clone()).or_insert((now, 0, hop.sign));
        *glow = (now, glow.1 + 1, glow.2.max(hop.sign));
        if self.calm || self.dots.iter().filter(|d| d.end == end).count() >= DOTS_MAX {
            return;
        }
        let delay = f64::from(hop.after) * 260.0;
        self.dots.push(Dot {
            seq: hop.seq,
            end,
            outward,
            sign: hop.sign,
            start: 0.0,
            delay,
            lasts,
            at: (-99.0, -99.0),
        });
    }

    fn draw(&mut self) {
        let Some(canvas) = &self.canvas else { return };
        let Some(g) = context(canvas) else { return };
        let now = now();
        let ratio = gloo::utils::window().device_pixel_ratio();
        let _ = g.set_transform(ratio, 0.0, 0.0, ratio, 0.0, 0.0);
        g.clear_rect(0.0, 0.0, f64::from(canvas.width()), f64::from(canvas.height()));
        let colours = Colours::of(canvas);
        self.glow.retain(|_, (since, ..)| now - *since < GLOW_MS);
        g.set_line_join("round");
        for (end, line) in &self.links {
            g.set_stroke_style_str(&colours.line);
            g.set_line_width(1.5);
            trace(&g, line, if *end == Port::Etcd { 2.5 } else { 0.0 });
            if *end == Port::Etcd {
                trace(&g, line, -2.5);
            }
            if let Some((since, n, sign)) = self.glow.get(end) {
                g.set_global_alpha(0.75 * (1.0 - (now - since) / GLOW_MS));
                g.set_stroke_style_str(colours.sign(*sign));
                // At high rates the flow's width says how much passes.
                g.set_line_width(2.0 + (f64::from(*n) / DOTS_MAX as f64).min(1.0) * 5.0);
                trace(&g, line, 0.0);
                g.set_global_alpha(1.0);
            }
        }
        for dot in &mut self.dots {
            if dot.start == 0.0 {
                dot.start = now + dot.delay;
            }
            let share = (now - dot.start) / dot.lasts;
            if share < 0.0 {
                continue;
            }
            let eased = 1.0 - (1.0 - share.min(1.0)).powi(2);
            let Some(line) = self.links.get(&dot.end) else { continue };
            dot.at = flow_paths::at(line, if dot.outward { eased } else { 1.0 - eased });
            g.begin_path();
            let _ = g.arc(dot.at.0, dot.at.1, RADIUS, 0.0, std::f64::consts::TAU);
            if dot.sign == Sign::Watch {
                g.set_fill_style_str(&colours.ground);
                g.fill();
                g.set_line_width(2.0);
                g.set_stroke_style_str(&colours.watch);
                g.stroke();
            } else {
                g.set_fill_style_str(colours.sign(dot.sign));
                g.fill();
            }
        }
        self.dots.retain(|d| d.start == 0.0 || now < d.start + d.lasts);
    }
}

struct Colours {
    line: String,
    ground: String,
    write: String,
    watch: String,
    bad: String,
}

impl Colours {
    fn of(canvas: &HtmlCanvasElement) -> Colours {
        let get = |name| colour(canvas, name);
        Colours {
            line: get("--link"),
            ground: get("--ground"),
            write: get("--accent"),
            watch: get("--watch"),
            bad: get("--bad"),
        }
    }
    fn sign(&self, sign: Sign) -> &str {
        match sign {
            Sign::Write => &self.write,
            Sign::Watch => &self.watch,
            Sign::Refusal => &self.bad,
        }
    }
}

/// A token's value at an element.
pub fn colour(element: &Element, name: &str) -> String {
    let style = gloo::utils::window().get_computed_style(element).ok().flatten();
    style.and_then(|s| s.get_property_value(name).ok()).map(|v| v.trim().to_string()).unwrap_or_default()
}

pub fn context(canvas: &HtmlCanvasElement) -> Option<CanvasRenderingContext2d> {
    canvas.get_context("2d").ok()??.dyn_into().ok()
}

pub fn reduced_motion() -> bool {
    let query = gloo::utils::window().match_media("(prefers-reduced-motion: reduce)").ok().flatten();
    query.is_some_and(|q| q.matches())
}

fn now() -> f64 {
    gloo::utils::window().performance().map_or(0.0, |p| p.now())
}

fn trace(g: &CanvasRenderingContext2d, line: &[(f64, f64)], shift: f64) {
    g.begin_path();
    for (i, (x, y)) in line.iter().enumerate() {
        if i == 0 { g.move_to(*x, y + shift) } else { g.line_to(*x, y + shift) }
    }
    g.stroke();
}

fn diagram(scene: &Shared) -> Option<Element> {
    scene.borrow().canvas.as_ref()?.closest("[data-diagram]").ok()?
}

/// Finds the boxes, gives the canvas their extent, and draws once.
fn measure(scene: &Shared) {
    let Some(root) = diagram(scene) else { return };
    let origin = root.get_bounding_client_rect();
    let Ok(list) = root.query_selector_all("[data-port]") else { return };
    let mut boxes = Boxes::new();
    for i in 0..list.length() {
        let Some(element) = list.item(i).and_then(|n| n.dyn_into::<Element>().ok()) else { continue };
        let Some(port) = element.get_attribute("data-port").and_then(|p| Port::parse(&p)) else { continue };
        let r = element.get_bounding_client_rect();
        boxes.insert(port, Rect { x: r.x() - origin.x(), y: r.y() - origin.y(), w: r.width(), h: r.height() });
    }
    {
        let mut s = scene.borrow_mut();
        s.links = boxes.keys().filter_map(|end| Some((end.clone(), flow_paths::link(&boxes, end)?))).collect();
        let Some(canvas) = &s.canvas else { return };
        let ratio = gloo::utils::window().device_pixel_ratio();
        let (w, h) = ((origin.width() * ratio) as u32, (origin.height() * ratio) as u32);
        if (canvas.width(), canvas.height()) != (w, h) {
            canvas.set_width(w);
            canvas.set_height(h);
        }
        s.draw();
    }
}

/// Draws frames until nothing moves.
fn animate(scene: &Shared) {
    let mut s = scene.borrow_mut();
    if s.frame.is_some() || (s.dots.is_empty() && s.glow.is_empty()) {
        return;
    }
    let shared = scene.clone();
    s.frame = Some(request_animation_frame(move |_| {
        {
            let mut s = shared.borrow_mut();
            s.draw();
            s.frame = None;
            if s.dots.is_empty() && s.glow.is_empty() {
                return;
            }
        }
        animate(&shared);
    }));
}
