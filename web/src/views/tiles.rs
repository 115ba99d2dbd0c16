//! The heat map's picture: where nodes' tiles are, and drawing the ones that changed. A picture of a thousand nodes is
//! kept between frames; only a move, a zoom, another theme or another set of nodes draws all of it again.

use super::flow::{colour, context};
use crate::model::Model;
use crate::model::owners::HUES;
use protocol::PodState;
use std::collections::BTreeMap;
use std::rc::Rc;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

/// A node's tile in the map's own units.
const TILE: f64 = 44.0;
const GAP: f64 = 6.0;
const HEAD: f64 = 7.0;
pub const ZOOM: (f64, f64) = (0.2, 8.0);
/// Below these scales pods, and names, are left out.
const PODS_FROM: f64 = 0.24;
const NAMES_FROM: f64 = 1.6;

pub enum Hit {
    Node(String),
    Pod(Rc<str>),
}

/// All that the whole picture depends on, beside the nodes themselves.
#[derive(Clone, Debug, Default, PartialEq)]
struct Frame {
    scale: f64,
    x: f64,
    y: f64,
    size: (u32, u32),
    ratio: f64,
    dark: bool,
    node_set: u64,
    selected: Option<String>,
    cursor: Option<usize>,
}

#[derive(Default)]
pub struct Map {
    /// 0 until the map was fitted into its frame.
    pub scale: f64,
    pub x: f64,
    pub y: f64,
    /// Of the frame, in CSS pixels. Whoever draws sets it: asking for it at every drawing would lay the page out.
    pub size: (f64, f64),
    columns: usize,
    /// Nobody has moved the map since it was fitted: it stays fitted when nodes come and go.
    fitted: bool,
    /// Nodes' places in the order of their names.
    index: BTreeMap<Rc<str>, usize>,
    names: Vec<Rc<str>>,
    /// The tile that arrow keys have reached.
    cursor: Option<usize>,
    drawn: Frame,
    /// The model's update that the picture shows.
    tick: u64,
    paint: Option<Paint>,
}

/// The grid of pods within a tile: columns and the size of a cell.
fn cells(pods: usize) -> (usize, f64) {
    let columns = (pods as f64).sqrt().ceil().max(3.0);
    (columns as usize, (TILE - 4.0) / columns)
}

impl Map {
    fn tile(&self, index: usize) -> (f64, f64) {
        let columns = self.columns.max(1);
        let step = TILE + GAP;
        ((index % columns) as f64 * step, (index / columns) as f64 * (step + HEAD))
    }

    fn fit(&mut self, nodes: usize, w: f64, h: f64) {
        // The grid whose tiles come out largest.
        let fits = |columns: usize| {
            let rows = nodes.div_ceil(columns).max(1);
            let (tw, th) = (columns as f64 * (TILE + GAP) - GAP, rows as f64 * (TILE + GAP + HEAD) - GAP);
            (((w - 16.0) / tw).min((h - 16.0) / th), tw)
        };
        let best = (1..=nodes.clamp(1, 400)).map(|c| (c, fits(c))).max_by(|a, b| a.1.0.total_cmp(&b.1.0));
        let (columns, (scale, tw)) = best.unwrap_or((1, (1.0, TILE)));
        self.columns = columns;
        self.scale = scale.clamp(ZOOM.0, 2.0);
        self.x = (w - tw * self.scale) / 2.0;
        self.y = 8.0;
        self.fitted = true;
    }

    pub fn shift(&mut self, dx: f64, dy: f64) {
        self.x += dx;
        self.y += dy;
        self.fitted = false;
    }

    /// A new size of the frame: what was fitted is fitted again.
    pub fn resize(&mut self, size: (f64, f64)) {
        if self.fitted && size != self.size {
            self.scale = 0.0;
        }
        self.size = size;
    }

    pub fn zoom(&mut self, by: f64, px: f64, py: f64) {
        let scale = (self.scale * by).clamp(ZOOM.0, ZOOM.1);
        let k = scale / self.scale.max(0.01);
        (self.x, self.y, self.scale) = (px - (px - self.x) * k, py - (py - self.y) * k, scale);
        self.fitted = false;
    }

    /// Moves the cursor by so many tiles; the first step puts it on the first one.
    pub fn step(&mut self, dx: i64, dy: i64) {
        let by = dx + dy * self.columns as i64;
        let last = self.names.len().saturating_sub(1);
        self.cursor = Some(match self.cursor {
            None => 0,
            Some(at) => usize::try_from(at as i64 + by).ok().filter(|i| *i <= last).unwrap_or(at.min(last)),
        });
    }

    pub fn cursor(&self) -> Option<Hit> {
        self.names.get(self.cursor?).map(|name| Hit::Node(name.to_string()))
    }

    pub fn hit(&self, model: &Model, px: f64, py: f64) -> Option<Hit> {
        let (x, y) = ((px - self.x) / self.scale, (py - self.y) / self.scale);
        if x < 0.0 || y < 0.0 {
            return None;
        }
        let (column, row) = ((x / (TILE + GAP)) as usize, (y / (TILE + GAP + HEAD)) as usize);
        if column >= self.columns {
            return None;
        }
        let index = row * self.columns + column;
        let name = self.names.get(index)?;
        let (tx, ty) = self.tile(index);
        if self.scale >= PODS_FROM
            && let Some(placed) = model.placed.get(&**name)
        {
            let (columns, cell) = cells(placed.pods.len());
            let (cx, cy) = ((x - tx - 2.0) / cell, (y - ty - HEAD - 2.0) / cell);
            if cx >= 0.0 && cy >= 0.0 && (cx as usize) < columns {
                let at = cy as usize * columns + cx as usize;
                if let Some(key) = placed.pods.keys().nth(at) {
                    return Some(Hit::Pod(key.clone()));
                }
            }
        }
        Some(Hit::Node(name.to_string()))
    }

    /// Brings the picture up to the model; how many tiles that took.
    pub fn draw(&mut self, canvas: &HtmlCanvasElement, model: &Model, dark: bool, selected: Option<&str>) -> usize {
        let Some(g) = context(canvas) else { return 0 };
        let (w, h) = self.size;
        if w < 1.0 || h < 1.0 {
            return 0;
        }
        if model.versions.node_set != self.drawn.node_set || self.names.len() != model.nodes.len() {
            self.names = model.nodes.keys().map(|n| n.as_str().into()).collect();
            self.index = self.names.iter().enumerate().map(|(i, n)| (n.clone(), i)).collect();
            if self.fitted {
                self.scale = 0.0;
            }
        }
        if self.scale == 0.0 && !self.names.is_empty() {
            self.fit(self.names.len(), w, h);
        }
        let ratio = gloo::utils::window().device_pixel_ratio();
        let next = Frame {
            scale: self.scale,
            x: self.x,
            y: self.y,
            size: ((w * ratio) as u32, (h * ratio) as u32),
            ratio,
            dark,
            node_set: model.versions.node_set,
            selected: selected.map(Into::into),
            cursor: self.cursor,
        };
        let changed: Option<Vec<usize>> = match model.touched_since(self.tick) {
            Some(touched) if next == self.drawn => {
                Some(touched.filter_map(|name| self.index.get(name).copied()).collect())
            }
            _ => None,
        };
        if next.dark != self.drawn.dark || self.paint.is_none() {
            self.paint = Some(Paint::of(canvas));
        }
        if next.size != self.drawn.size {
            canvas.set_width(next.size.0);
            canvas.set_height(next.size.1);
        }
        let _ = g.set_transform(ratio, 0.0, 0.0, ratio, 0.0, 0.0);
        (self.drawn, self.tick) = (next, model.tick);
        let tiles = match changed {
            Some(mut tiles) => {
                tiles.sort_unstable();
                tiles.dedup();
                // A tile's frame and a chosen pod's reach a little over its edge.
                for i in &tiles {
                    let (tx, ty) = self.tile(*i);
                    let (x, y) = (self.x + tx * self.scale, self.y + ty * self.scale);
                    g.clear_rect(x - 1.5, y - 1.5, TILE * self.scale + 3.0, (TILE + HEAD) * self.scale + 3.0);
                }
                tiles
            }
            None => {
                g.clear_rect(0.0, 0.0, w, h);
                (0..self.names.len()).collect()
            }
        };
        self.paint_tiles(&g, model, &tiles, (w, h), selected)
    }

    fn paint_tiles(
        &self,
        g: &CanvasRenderingContext2d,
        model: &Model,
        which: &[usize],
        (w, h): (f64, f64),
        selected: Option<&str>,
    ) -> usize {
        let Some(paint) = &self.paint else { return 0 };
        let s = self.scale;
        let mut pods = Pods::new();
        let mut tiles: Vec<Tile> = Vec::new();
        let mut names = Vec::new();
        for index in which {
            let name = &self.names[*index];
            let Some(node) = model.nodes.get(&**name) else { continue };
            let (tx, ty) = self.tile(*index);
            let (x, y) = (self.x + tx * s, self.y + ty * s);
            let (tw, th) = (TILE * s, (TILE + HEAD) * s);
            if x > w || y > h || x + tw < 0.0 || y + th < 0.0 {
                continue;
            }
            let ready = node.status == "Ready";
            let load = if node.cpu > 0 { (node.cpu_requested as f64 / node.cpu as f64).clamp(0.0, 1.0) } else { 0.0 };
            tiles.push(Tile { x, y, w: tw, h: th, load, ready, cordoned: node.unschedulable });
            if s >= PODS_FROM {
                self.collect(&mut pods, model, name, (x, y), selected);
            }
            if s >= NAMES_FROM {
                names.push((name, x, y, tw));
            }
        }
        draw_tiles(g, paint, &tiles, s);
        pods.draw(g, paint);
        g.set_fill_style_str(&paint.ink);
        let size = (HEAD * s * 0.8).min(13.0);
        g.set_font(&format!("{size}px {}", paint.font));
        for (name, x, y, w) in names {
            // Within the tile's head, so that a tile drawn again covers its own name.
            let _ = g.fill_text_with_max_width(name, x + 2.0, y + size * 0.86, w - 4.0);
        }
        if let Some(at) = self.cursor.filter(|at| which.contains(at)) {
            let (tx, ty) = self.tile(at);
            g.set_line_width(2.0);
            g.set_stroke_style_str(&paint.focus);
            g.stroke_rect(self.x + tx * s, self.y + ty * s, TILE * s, (TILE + HEAD) * s);
        }
        tiles.len()
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
    cordoned: bool,
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
    // No new pods come here: the head is barred.
    g.set_fill_style_str(&paint.warn);
    for t in tiles.iter().filter(|t| t.cordoned) {
        g.fill_rect(t.x, t.y + head * 0.3, t.w, head * 0.4);
    }
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
        let hues = (0..HUES).map(|_| Hue::default()).collect();
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
    warn: String,
    focus: String,
    ink: String,
    font: String,
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
            warn: get("--warn"),
            focus: get("--focus"),
            font: get("font-family"),
            ink: get("--ink"),
            hues: (0..HUES).map(|n| get(&format!("--hue-{n}"))).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_nodes_fit_into_their_frame() {
        for (nodes, w, h) in [(1000, 852.0, 300.0), (1000, 1500.0, 620.0), (61, 340.0, 500.0), (5000, 1500.0, 620.0)] {
            let mut map = Map::default();
            map.fit(nodes, w, h);
            let (x, y) = map.tile(nodes - 1);
            let bottom = map.y + (y + TILE + HEAD) * map.scale;
            let right = map.x + (map.columns as f64 * (TILE + GAP) - GAP) * map.scale;
            assert!(map.scale <= ZOOM.0 || (bottom <= h && right <= w + 0.1 && x >= 0.0), "{nodes} {w} {h}");
        }
    }
}
