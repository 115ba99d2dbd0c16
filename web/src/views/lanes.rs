//! The timeline's lanes on a canvas: a column an entry, the newest at the right, the chosen chain of causes joined.

use super::flow::{colour, context};
use super::icon::Icon;
use super::timeline::mark;
use crate::ctx::{Ctx, use_ctx};
use crate::format;
use crate::i18n::describe;
use crate::model::filtered::{Filtered, lane};
use crate::ui::Action;
use protocol::{Entry, What};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use wasm_bindgen::prelude::*;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, MouseEvent, ResizeObserver, WheelEvent};
use yew::prelude::*;

const COLUMN: f64 = 11.0;
const ROW: f64 = 17.0;
const LABELS: f64 = 178.0;
const AXIS: f64 = 18.0;
/// A jump in time longer than this is marked, microseconds.
const JUMP: u64 = 500_000;

/// The same entries, whatever they are by now: `state` tells when they changed.
#[derive(Clone)]
pub struct Shared(pub Rc<RefCell<Filtered>>);

impl PartialEq for Shared {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

#[derive(PartialEq, Properties)]
pub struct Props {
    pub filtered: Shared,
    /// The model's version and the filter.
    pub state: (u64, String, bool),
    /// While the past is shown: the newest entry of then.
    pub seq: Option<u64>,
    pub selected: Option<u64>,
}

#[component]
pub fn Lanes(p: &Props) -> Html {
    let ctx = use_ctx();
    let canvas = use_node_ref();
    // The last entry in sight; none while the newest are followed.
    let anchor = use_state(|| None::<u64>);
    let hover = use_state(|| None::<u64>);
    let size = use_state(|| (0.0, 0.0));
    let palette = use_mut_ref(|| None::<(bool, Palette)>);
    {
        let (canvas, size) = (canvas.clone(), size.clone());
        use_effect_with((), move |()| {
            let frame = canvas.cast::<HtmlCanvasElement>().and_then(|c| c.parent_element());
            let watched = frame.clone();
            let resized = Closure::<dyn FnMut()>::new(move || {
                if let Some(frame) = &watched {
                    size.set((f64::from(frame.client_width()), f64::from(frame.client_height())));
                }
            });
            let observer = ResizeObserver::new(resized.as_ref().unchecked_ref()).ok();
            if let (Some(observer), Some(frame)) = (&observer, &frame) {
                observer.observe(frame);
            }
            move || {
                if let Some(observer) = observer {
                    observer.disconnect();
                }
                drop(resized);
            }
        });
    }
    let mut filtered = p.filtered.0.borrow_mut();
    let (rows, shared) = filtered.lanes().clone();
    let count = filtered.entries.len();
    let (width, frame_height) = *size;
    let labels = LABELS.min(width * 0.35);
    let height = (AXIS + rows.len() as f64 * ROW + 4.0).max(frame_height - 2.0);
    let visible = ((width - labels - 8.0) / COLUMN).max(1.0) as usize;
    let least = visible.min(count);
    let by = |seq: u64| filtered.entries.partition_point(|e| e.seq <= seq);
    // The shown moment of the past has some of its future beside it.
    let end = match (*anchor, p.seq) {
        (Some(seq), _) => by(seq),
        (None, Some(seq)) => (by(seq) + visible / 4).min(count),
        (None, None) => count,
    };
    let end = end.max(least);
    let window: Rc<Vec<Arc<Entry>>> = Rc::new(filtered.entries.range(end - least..end).cloned().collect());
    {
        let (canvas, window, rows, ctx) = (canvas.clone(), window.clone(), rows.clone(), ctx.clone());
        // Heartbeats come all the time and are mostly left out: what is in sight decides.
        let ends = (window.first().map(|e| e.seq), window.last().map(|e| e.seq), window.len());
        let deps = (ends, *size, p.selected, *hover, ctx.dark, rows.len(), p.seq);
        use_effect_with(deps, move |(.., selected, hover, dark, _, seq)| {
            let Some(canvas) = canvas.cast::<HtmlCanvasElement>() else { return };
            let Some(g) = context(&canvas) else { return };
            let ratio = gloo::utils::window().device_pixel_ratio();
            let pixels = ((width * ratio) as u32, (height * ratio) as u32);
            if (canvas.width(), canvas.height()) == pixels {
                g.clear_rect(0.0, 0.0, width, height);
            } else {
                canvas.set_width(pixels.0);
                canvas.set_height(pixels.1);
            }
            let _ = g.set_transform(ratio, 0.0, 0.0, ratio, 0.0, 0.0);
            let mut palette = palette.borrow_mut();
            if palette.as_ref().is_none_or(|(d, _)| d != dark) {
                *palette = Some((*dark, Palette::of(&canvas)));
            }
            let Some((_, palette)) = &*palette else { return };
            let model = ctx.model.get();
            let drawing = Drawing { g: &g, palette, rows: &rows, shared, labels, width, epoch: model.clock.epoch };
            let why: Vec<u64> = if selected.is_some() { model.why.iter().map(|e| e.seq).collect() } else { Vec::new() };
            drawing.draw(&window, *selected, *hover, &why);
            if let Some(seq) = seq {
                drawing.moment(&window, *seq);
            }
        });
    }
    let at = {
        let window = window.clone();
        move |e: &MouseEvent| -> Option<Arc<Entry>> {
            let x = f64::from(e.offset_x()) - labels;
            // The newest entry is at the right edge; few entries start at the left.
            if x < 0.0 { None } else { window.get((x / COLUMN) as usize).cloned() }
        }
    };
    let onmousemove = {
        let (hover, at) = (hover.clone(), at.clone());
        Callback::from(move |e: MouseEvent| {
            let seq = at(&e).map(|e| e.seq);
            if *hover != seq {
                hover.set(seq);
            }
        })
    };
    let onmouseleave = {
        let hover = hover.clone();
        Callback::from(move |_: MouseEvent| hover.set(None))
    };
    let onclick = {
        let ctx = ctx.clone();
        Callback::from(move |e: MouseEvent| {
            if let Some(entry) = at(&e) {
                open(&ctx, &entry);
            }
        })
    };
    let scroll = {
        let (anchor, filtered) = (anchor.clone(), p.filtered.clone());
        move |by: i64| {
            let to = end.saturating_add_signed(-by as isize).clamp(least, count);
            let last = to.checked_sub(1).and_then(|i| filtered.0.borrow().entries.get(i).map(|e| e.seq));
            anchor.set(last.filter(|_| to < count));
        }
    };
    let onwheel = {
        let scroll = scroll.clone();
        Callback::from(move |e: WheelEvent| {
            let sideways = e.delta_x().abs() > e.delta_y().abs();
            if sideways || e.shift_key() {
                e.prevent_default();
                let delta = if sideways { e.delta_x() } else { e.delta_y() };
                scroll(-(delta / COLUMN).round() as i64);
            }
        })
    };
    // Arrow keys go from entry to entry, Enter opens one.
    let onkeydown = {
        let (ctx, window, hover, scroll) = (ctx.clone(), window.clone(), hover.clone(), scroll.clone());
        Callback::from(move |e: KeyboardEvent| {
            let at = hover.and_then(|seq| window.iter().position(|e| e.seq == seq));
            let to = match (e.key().as_str(), at) {
                ("ArrowLeft" | "ArrowRight", None) => window.len().checked_sub(1),
                ("ArrowLeft", Some(0)) => {
                    scroll(1);
                    None
                }
                ("ArrowLeft", Some(i)) => Some(i - 1),
                ("ArrowRight", Some(i)) if !e.shift_key() => {
                    if i + 1 == window.len() {
                        scroll(-1);
                    }
                    Some(i + 1)
                }
                ("Enter", Some(i)) => {
                    open(&ctx, &window[i]);
                    None
                }
                _ => return,
            };
            e.prevent_default();
            e.stop_propagation();
            if let Some(entry) = to.and_then(|i| window.get(i)) {
                hover.set(Some(entry.seq));
            }
        })
    };
    let page = (visible as i64 * 3 / 4).max(1);
    let (older, newer) = (scroll.clone(), scroll);
    let hovered = hover.and_then(|seq| window.iter().find(|e| e.seq == seq));
    html! {
        <>
            <div class="lanes" tabindex="0" role="application" aria-label={ctx.t("timeline.lanes.keys")} {onkeydown}><canvas ref={canvas} style={format!("width:{width}px;height:{height}px")} role="img" aria-label={ctx.t("timeline.lanes.about")}
                {onmousemove} {onmouseleave} {onclick} {onwheel} /></div>
            <div class="lanes-foot">
                <button class="icon-button" data-testid="timeline-older" disabled={end <= least} aria-label={ctx.t("timeline.older")} title={ctx.t("timeline.older")} onclick={Callback::from(move |_: MouseEvent| older(page))}><Icon name="left" /></button>
                <button class="icon-button" data-testid="timeline-newer" disabled={end == count} aria-label={ctx.t("timeline.newer")} title={ctx.t("timeline.newer")} onclick={Callback::from(move |_: MouseEvent| newer(-page))}><Icon name="right" /></button>
                <span class="hover" aria-live="polite">
                    if let Some(e) = hovered {
                        <b class="num">{ format!("#{}", e.seq) }</b>{ format!(" {} · ", e.actor) }{ describe::entry(ctx.lang, e) }
                    } else {
                        { ctx.t("timeline.hint") }
                    }
                </span>
            </div>
        </>
    }
}

fn open(ctx: &Ctx, entry: &Entry) {
    ctx.act(if matches!(entry.what, What::Cycle { .. }) { Action::Cycle(entry.seq) } else { Action::Entry(entry.seq) });
}

/// The theme's colours, and the page's type: looking them up at every drawing would have the style worked out anew.
struct Palette {
    ink: String,
    soft: String,
    line: String,
    band: String,
    accent: String,
    watch: String,
    bad: String,
    cycle: String,
    past: String,
    ground: String,
    font: String,
}

impl Palette {
    fn of(canvas: &HtmlCanvasElement) -> Palette {
        let get = |name| colour(canvas, name);
        Palette {
            ink: get("--ink"),
            soft: get("--ink-soft"),
            line: get("--line"),
            band: get("--band"),
            accent: get("--accent"),
            watch: get("--watch"),
            bad: get("--bad"),
            cycle: get("--hue-0"),
            past: get("--past"),
            ground: get("--surface"),
            font: get("font-family"),
        }
    }
}

struct Drawing<'a> {
    g: &'a CanvasRenderingContext2d,
    palette: &'a Palette,
    rows: &'a [String],
    shared: bool,
    labels: f64,
    width: f64,
    epoch: u64,
}

impl Drawing<'_> {
    fn row(&self, actor: &str) -> f64 {
        let at = self.rows.iter().position(|r| r == lane(actor, self.shared)).unwrap_or(0);
        AXIS + (at as f64 + 0.5) * ROW
    }

    fn draw(&self, entries: &[Arc<Entry>], selected: Option<u64>, hover: Option<u64>, why: &[u64]) {
        let g = self.g;
        let Palette { ink, soft, line, band, accent, watch, bad, cycle, font, .. } = self.palette;
        g.set_text_baseline("middle");
        for (i, name) in self.rows.iter().enumerate() {
            let y = AXIS + i as f64 * ROW;
            if i % 2 == 0 {
                g.set_fill_style_str(band);
                g.fill_rect(0.0, y, self.width, ROW);
            }
            g.set_fill_style_str(soft);
            g.set_font(&format!("11.5px {font}"));
            let name = name.strip_suffix("-controller").unwrap_or(name);
            let _ = g.fill_text_with_max_width(name, 10.0, y + ROW / 2.0 + 0.5, self.labels - 18.0);
        }
        let x_of = |i: usize| self.labels + (i as f64 + 0.5) * COLUMN;
        self.axis(entries, &x_of, soft, line);
        let height = AXIS + self.rows.len() as f64 * ROW;
        if let Some(i) = hover.and_then(|seq| entries.iter().position(|e| e.seq == seq)) {
            g.set_fill_style_str(line);
            g.fill_rect(x_of(i) - COLUMN / 2.0, AXIS, COLUMN, height - AXIS);
        }
        g.set_stroke_style_str(ink);
        g.set_line_width(1.25);
        let place = |seq: &u64| {
            entries.binary_search_by_key(seq, |e| e.seq).ok().map(|i| (x_of(i), self.row(&entries[i].actor)))
        };
        for pair in why.windows(2) {
            if let (Some((x1, y1)), Some((x0, y0))) = (place(&pair[0]), place(&pair[1])) {
                g.begin_path();
                g.move_to(x0, y0);
                let half = (x0 + x1) / 2.0;
                g.bezier_curve_to(half, y0, half, y1, x1, y1);
                g.stroke();
            }
        }
        for (i, e) in entries.iter().enumerate() {
            let (x, y) = (x_of(i), self.row(&e.actor));
            g.begin_path();
            match mark(e) {
                "write" => {
                    let _ = g.arc(x, y, 3.6, 0.0, std::f64::consts::TAU);
                    g.set_fill_style_str(accent);
                    g.fill();
                }
                "watch" => {
                    let _ = g.arc(x, y, 2.6, 0.0, std::f64::consts::TAU);
                    g.set_stroke_style_str(watch);
                    g.set_line_width(1.4);
                    g.stroke();
                }
                "refusal" => {
                    for (dx, dy) in [(3.2, 3.2), (3.2, -3.2)] {
                        g.move_to(x - dx, y - dy);
                        g.line_to(x + dx, y + dy);
                    }
                    g.set_stroke_style_str(bad);
                    g.set_line_width(2.0);
                    g.stroke();
                }
                "cycle" => {
                    g.move_to(x, y - 5.0);
                    g.line_to(x + 5.0, y);
                    g.line_to(x, y + 5.0);
                    g.line_to(x - 5.0, y);
                    g.close_path();
                    g.set_fill_style_str(cycle);
                    g.fill();
                }
                _ => {
                    g.set_fill_style_str(ink);
                    g.fill_rect(x - 3.5, y - 3.5, 7.0, 7.0);
                }
            }
            if selected == Some(e.seq) {
                g.begin_path();
                let _ = g.arc(x, y, 7.0, 0.0, std::f64::consts::TAU);
                g.set_stroke_style_str(ink);
                g.set_line_width(1.6);
                g.stroke();
            }
        }
    }

    /// The shown moment of the past: what comes after it is pale.
    fn moment(&self, entries: &[Arc<Entry>], seq: u64) {
        let (g, height) = (self.g, AXIS + self.rows.len() as f64 * ROW);
        let x = self.labels + entries.partition_point(|e| e.seq <= seq) as f64 * COLUMN;
        g.set_fill_style_str(&self.palette.ground);
        g.set_global_alpha(0.72);
        g.fill_rect(x, AXIS, (self.width - x).max(0.0), height - AXIS);
        g.set_global_alpha(1.0);
        g.set_fill_style_str(&self.palette.past);
        g.fill_rect(x - 1.0, 0.0, 2.0, height);
    }

    /// Times above the lanes, and a line where time jumps.
    fn axis(&self, entries: &[Arc<Entry>], x_of: &dyn Fn(usize) -> f64, soft: &str, line: &str) {
        let g = self.g;
        g.set_font("10.5px ui-monospace, monospace");
        let mut free = 0.0;
        let mut last = None::<u64>;
        for (i, e) in entries.iter().enumerate() {
            let time = e.time.as_micros();
            let jumped = last.is_none_or(|l| time.saturating_sub(l) >= JUMP);
            last = Some(time);
            if !jumped {
                continue;
            }
            let x = x_of(i) - COLUMN / 2.0;
            let labelled = x >= free && x + 70.0 < self.width;
            g.set_stroke_style_str(line);
            g.set_line_width(1.0);
            g.begin_path();
            g.move_to(x.round() + 0.5, if labelled { 3.0 } else { AXIS });
            g.line_to(x.round() + 0.5, AXIS + self.rows.len() as f64 * ROW);
            g.stroke();
            if labelled {
                g.set_fill_style_str(soft);
                let text = format::moment(time, self.epoch);
                let _ = g.fill_text(&text, x + 4.0, AXIS / 2.0);
                free = x + 92.0;
            }
        }
    }
}
