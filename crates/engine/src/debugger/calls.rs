//! A cycle as the row of plugin calls it was, in the order upstream makes them.

use protocol::Breakpoint;
use protocol::debug::{Call, Point, PointSpan};
use scheduler::Moment;
use std::sync::Arc;
use trace::Cycle;
use trace::cycle::Verdict;

/// One call: its point, the row of its node, and which plugin's it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    pub point: Point,
    pub row: u32,
    pub sub: u32,
}

pub struct Calls {
    pub cycle: Arc<Cycle>,
    list: Vec<At>,
    /// Plugins at the points that the record does not list.
    pre_enqueue: Vec<&'static str>,
    queue_sort: Vec<&'static str>,
    pre_score: Vec<&'static str>,
}

impl Calls {
    pub fn of(moment: &Moment) -> Calls {
        let cycle = moment.cycle();
        let at = |point: &str| moment.framework().map(|f| f.plugins_at(point)).unwrap_or_default();
        let scored = |c: &Cycle| c.nodes.iter().any(|n| !n.scores.is_empty());
        let mut calls = Calls {
            pre_enqueue: at("preEnqueue"),
            queue_sort: at("queueSort"),
            pre_score: if scored(&cycle) { at("preScore") } else { Vec::new() },
            list: Vec::new(),
            cycle,
        };
        let c = calls.cycle.clone();
        let mut list = Vec::new();
        let mut push = |point, row: usize, sub: usize| list.push(At { point, row: row as u32, sub: sub as u32 });
        (0..calls.pre_enqueue.len()).for_each(|i| push(Point::PreEnqueue, 0, i));
        (0..calls.queue_sort.len()).for_each(|i| push(Point::QueueSort, 0, i));
        (0..c.pre_filter.len()).for_each(|i| push(Point::PreFilter, 0, i));
        for (row, n) in c.nodes.iter().enumerate().take(c.evaluated_nodes) {
            (0..n.filters.len()).for_each(|i| push(Point::Filter, row, i));
        }
        let mut points = |name: &str, point| {
            for (i, _) in c.points.iter().enumerate().filter(|(_, p)| p.point == name) {
                push(point, 0, i);
            }
        };
        points("PostFilter", Point::PostFilter);
        (0..calls.pre_score.len()).for_each(|i| push(Point::PreScore, 0, i));
        for (row, n) in c.nodes.iter().enumerate() {
            (0..n.scores.len()).for_each(|i| push(Point::Score, row, i));
        }
        if let Some((row, n)) = c.nodes.iter().enumerate().find(|(_, n)| !n.scores.is_empty()) {
            (0..n.scores.len()).for_each(|i| push(Point::NormalizeScore, row, i));
        }
        let mut points = |name: &str, point| {
            for (i, _) in c.points.iter().enumerate().filter(|(_, p)| p.point == name) {
                push(point, 0, i);
            }
        };
        points("Reserve", Point::Reserve);
        points("Permit", Point::Permit);
        points("PreBind", Point::PreBind);
        points("Bind", Point::Bind);
        calls.list = list;
        calls
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
    pub fn at(&self, i: usize) -> Option<At> {
        self.list.get(i).copied()
    }

    /// The call in words.
    pub fn call(&self, i: usize) -> Call {
        let Some(at) = self.at(i) else { return Call::default() };
        let (c, sub) = (&*self.cycle, at.sub as usize);
        let plain = |plugin: &str| Call { point: at.point, plugin: plugin.into(), ..Call::default() };
        match at.point {
            Point::PreEnqueue => plain(self.pre_enqueue[sub]),
            Point::QueueSort => plain(self.queue_sort[sub]),
            Point::PreFilter => {
                let r = &c.pre_filter[sub];
                Call { verdict: r.verdict, reasons: r.reasons.clone(), ..plain(&r.plugin) }
            }
            Point::Filter => {
                let (n, f) = (&c.nodes[at.row as usize], &c.nodes[at.row as usize].filters[sub]);
                Call { node: n.name.clone(), verdict: f.verdict, reasons: f.reasons.clone(), ..plain(&f.plugin) }
            }
            Point::PreScore => {
                let plugin = self.pre_score[sub];
                let scores = c.nodes.iter().find(|n| !n.scores.is_empty()).map(|n| &n.scores);
                let spoke = scores.is_some_and(|s| s.iter().any(|s| s.plugin == plugin));
                Call { verdict: if spoke { Verdict::Pass } else { Verdict::Skip }, ..plain(plugin) }
            }
            Point::Score => {
                let n = &c.nodes[at.row as usize];
                Call { node: n.name.clone(), ..plain(&n.scores[sub].plugin) }
            }
            Point::NormalizeScore => plain(&c.nodes[at.row as usize].scores[sub].plugin),
            Point::PostFilter | Point::Reserve | Point::Permit | Point::PreBind | Point::Bind => {
                let r = &c.points[sub];
                Call { verdict: r.verdict, reasons: r.reasons.clone(), ..plain(&r.plugin) }
            }
        }
    }

    pub fn spans(&self) -> Vec<PointSpan> {
        let mut spans: Vec<PointSpan> = Vec::new();
        for (i, at) in self.list.iter().enumerate() {
            match spans.last_mut().filter(|s| s.point == at.point) {
                Some(s) => s.calls += 1,
                None => spans.push(PointSpan { point: at.point, first: i, calls: 1 }),
            }
        }
        spans
    }

    /// The first call after `after` (all of them, when `None`) that one of the breakpoints stops at, and which.
    pub fn next_stop(&self, stops: &[(usize, &Breakpoint)], after: Option<usize>) -> Option<(usize, usize)> {
        let from = after.map_or(0, |i| i + 1);
        (from..self.len()).find_map(|i| {
            let at = self.list[i];
            // Most calls are at a point that nobody asked for.
            let near = stops.iter().filter(|(_, b)| b.point.is_none_or(|p| p == at.point));
            near.into_iter().find(|(_, b)| self.stops_at(b, i)).map(|(n, _)| (i, *n))
        })
    }

    fn stops_at(&self, b: &Breakpoint, i: usize) -> bool {
        if b.point.is_none() && b.plugin.is_empty() && b.node.is_empty() && !b.when_fails {
            // About the pod alone: once a cycle.
            return i == 0;
        }
        let call = self.call(i);
        (b.plugin.is_empty() || b.plugin == call.plugin)
            && (b.node.is_empty() || b.node == call.node)
            && (!b.when_fails || !matches!(call.verdict, Verdict::Pass | Verdict::Skip))
    }

    pub fn next_node(&self, from: usize) -> usize {
        let Some(here) = self.at(from) else { return self.len() };
        let other = |a: &At| a.point != here.point || a.row != here.row;
        let by_node = matches!(here.point, Point::Filter | Point::Score);
        let next = (from + 1..self.len()).find(|i| other(&self.list[*i]));
        if by_node { next.unwrap_or(self.len()) } else { self.next_point(from) }
    }
    pub fn next_point(&self, from: usize) -> usize {
        let Some(here) = self.at(from) else { return self.len() };
        (from + 1..self.len()).find(|i| self.list[*i].point != here.point).unwrap_or(self.len())
    }
}
