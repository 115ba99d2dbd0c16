//! Where the diagram's links run, from where its boxes are. Pure.

use crate::model::flow::Port;
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect {
    pub x: f64,
    pub y: f64,
    pub w: f64,
    pub h: f64,
}

impl Rect {
    fn right(&self) -> f64 {
        self.x + self.w
    }
    fn bottom(&self) -> f64 {
        self.y + self.h
    }
    fn middle(&self) -> (f64, f64) {
        (self.x + self.w / 2.0, self.y + self.h / 2.0)
    }
}

pub type Boxes = BTreeMap<Port, Rect>;
pub type Line = Vec<(f64, f64)>;

/// Half of the space between node cards.
const GUTTER: f64 = 9.0;

impl Port {
    /// From a box's `data-port`.
    pub fn parse(text: &str) -> Option<Port> {
        Some(match text {
            "you" => Port::You,
            "apiserver" => Port::ApiServer,
            "etcd" => Port::Etcd,
            "scheduler" => Port::Scheduler,
            "manager" => Port::ControllerManager,
            _ => match text.split_once(':')? {
                ("process", name) => Port::Process(name.into()),
                ("node", name) => Port::Node(name.into()),
                _ => return None,
            },
        })
    }
}

/// The link between the API server and `end`, from the API server.
pub fn link(boxes: &Boxes, end: &Port) -> Option<Line> {
    let api = boxes.get(&Port::ApiServer)?;
    let to = boxes.get(end)?;
    let (_, api_y) = api.middle();
    let (x, y) = to.middle();
    Some(match end {
        Port::ApiServer => return None,
        Port::Etcd if to.x >= api.right() => vec![(api.right(), api_y), (to.x, api_y)],
        Port::You if to.right() <= api.x => vec![(api.x, api_y), (to.right(), api_y)],
        Port::Etcd | Port::You if to.bottom() <= api.y => vec![(x.clamp(api.x, api.right()), api.y), (x, to.bottom())],
        Port::Etcd | Port::You | Port::Scheduler | Port::ControllerManager => {
            let down = x.clamp(api.x + 12.0, (api.right() - 12.0).max(api.x + 12.0));
            // Stacked boxes, as on a phone: the link runs along their left side.
            let blocked = boxes
                .iter()
                .any(|(p, b)| p != end && b.y > api.bottom() && b.bottom() < to.y && b.x < down && down < b.right());
            if blocked {
                let side = leftmost(boxes) - GUTTER;
                vec![(api.x, api_y), (side, api_y), (side, y), (to.x, y)]
            } else {
                vec![(down, api.bottom()), (down, to.y)]
            }
        }
        Port::Process(_) => {
            let mut line = to_trunk(boxes, api);
            let (trunk, _) = line[line.len() - 1];
            // A box on the trunk's left is reached at its right side.
            line.extend([(trunk, y), (if to.x < trunk { to.right() } else { to.x }, y)]);
            line
        }
        Port::Node(_) => {
            let nodes = || boxes.iter().filter(|(p, _)| matches!(p, Port::Node(_))).map(|(_, b)| b);
            let first_row = nodes().map(|b| b.y).fold(f64::INFINITY, f64::min);
            let bus = first_row - 2.0 * GUTTER;
            let mut line = to_trunk(boxes, api);
            line.push((line[line.len() - 1].0, bus));
            if to.y > first_row + 1.0 {
                let side = to.x - GUTTER;
                line.extend([(side, bus), (side, to.y - GUTTER), (x, to.y - GUTTER)]);
            } else {
                line.push((x, bus));
            }
            line.push((x, to.y));
            line
        }
    })
}

/// From the API server to the trunk that nodes, and processes below the first row, hang on.
fn to_trunk(boxes: &Boxes, api: &Rect) -> Line {
    let (trunk, (_, api_y)) = (trunk(boxes, api), api.middle());
    if trunk < api.x { vec![(api.x, api_y), (trunk, api_y)] } else { vec![(trunk, api.bottom())] }
}

/// The nodes' trunk runs between the scheduler and the controller manager, or left of everything.
fn trunk(boxes: &Boxes, api: &Rect) -> f64 {
    match (boxes.get(&Port::Scheduler), boxes.get(&Port::ControllerManager)) {
        (Some(s), Some(m)) if m.x > s.right() => (s.right() + m.x) / 2.0,
        (None, None) => api.middle().0,
        _ => leftmost(boxes) - GUTTER,
    }
}

fn leftmost(boxes: &Boxes) -> f64 {
    boxes.values().map(|b| b.x).fold(f64::INFINITY, f64::min)
}

pub fn length(line: &[(f64, f64)]) -> f64 {
    line.windows(2).map(|p| (p[1].0 - p[0].0).hypot(p[1].1 - p[0].1)).sum()
}

/// The point at `share` (0 to 1) of the line's length.
pub fn at(line: &[(f64, f64)], share: f64) -> (f64, f64) {
    let mut left = length(line) * share.clamp(0.0, 1.0);
    for p in line.windows(2) {
        let step = (p[1].0 - p[0].0).hypot(p[1].1 - p[0].1);
        if step >= left && step > 0.0 {
            let t = left / step;
            return (p[0].0 + (p[1].0 - p[0].0) * t, p[0].1 + (p[1].1 - p[0].1) * t);
        }
        left -= step;
    }
    line.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxes() -> Boxes {
        let r = |x, y, w, h| Rect { x, y, w, h };
        BTreeMap::from([
            (Port::ApiServer, r(100.0, 0.0, 400.0, 50.0)),
            (Port::Etcd, r(540.0, 0.0, 100.0, 50.0)),
            (Port::Scheduler, r(100.0, 90.0, 180.0, 100.0)),
            (Port::ControllerManager, r(310.0, 90.0, 180.0, 100.0)),
            (Port::Node("a".into()), r(100.0, 240.0, 200.0, 100.0)),
            (Port::Node("b".into()), r(100.0, 360.0, 200.0, 100.0)),
        ])
    }

    #[test]
    fn links_end_at_their_boxes() {
        let b = boxes();
        assert_eq!(link(&b, &Port::Etcd), Some(vec![(500.0, 25.0), (540.0, 25.0)]));
        assert_eq!(link(&b, &Port::Scheduler), Some(vec![(190.0, 50.0), (190.0, 90.0)]));
        let to_node = link(&b, &Port::Node("a".into())).unwrap();
        assert_eq!((to_node[0], *to_node.last().unwrap()), ((295.0, 50.0), (200.0, 240.0)));
        assert_eq!(link(&b, &Port::You), None);
    }

    #[test]
    fn processes_below_the_first_row_hang_on_the_trunk() {
        let mut b = boxes();
        b.insert(Port::Process("p".into()), Rect { x: 310.0, y: 200.0, w: 180.0, h: 20.0 });
        let line = link(&b, &Port::Process("p".into()));
        assert_eq!(line, Some(vec![(295.0, 50.0), (295.0, 210.0), (310.0, 210.0)]));
        b.insert(Port::Process("q".into()), Rect { x: 100.0, y: 200.0, w: 180.0, h: 20.0 });
        let line = link(&b, &Port::Process("q".into()));
        assert_eq!(line, Some(vec![(295.0, 50.0), (295.0, 210.0), (280.0, 210.0)]));
    }

    #[test]
    fn a_second_row_is_reached_through_the_gutter() {
        let line = link(&boxes(), &Port::Node("b".into())).unwrap();
        assert!(line.contains(&(91.0, 222.0)) && line.contains(&(91.0, 351.0)), "{line:?}");
    }

    #[test]
    fn points_lie_along_the_line() {
        let line = vec![(0.0, 0.0), (10.0, 0.0), (10.0, 10.0)];
        assert_eq!(
            [at(&line, 0.0), at(&line, 0.5), at(&line, 0.75), at(&line, 1.0)],
            [(0.0, 0.0), (10.0, 0.0), (10.0, 5.0), (10.0, 10.0)]
        );
    }
}
