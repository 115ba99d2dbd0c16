//! Cycles in compact form, and only as far as a held one has come.

use super::calls::Calls;
use protocol::debug::{Point, RowsQuery};
use protocol::{CycleView, Group, Row};
use trace::Cycle;
use trace::cycle::{NodeRecord, PointRecord, Verdict};

/// Tables up to this long are sent whole.
const ROWS_WHOLE: usize = 200;
/// Of longer ones: the first of every group, and the best.
const ROWS_OF_GROUP: usize = 5;
const ROWS_BEST: usize = 50;
/// A page asks for no more rows than this at once.
const ROWS_MAX: usize = 1000;

/// How much of a cycle is told.
#[derive(Clone, Copy)]
pub enum Mask<'a> {
    Whole,
    /// Calls up to this one.
    Upto(&'a Calls, usize),
    /// Nothing but whose cycle it is and which nodes there are.
    Hidden,
}

impl Mask<'_> {
    fn at(&self) -> Option<super::calls::At> {
        match self {
            Mask::Upto(calls, i) => calls.at(*i),
            _ => None,
        }
    }
    /// How many of the calls at a point are told, when the point has `all` of them in one row.
    fn many(&self, point: Point, row: usize, all: usize) -> usize {
        let Some(at) = self.at() else { return if matches!(self, Mask::Hidden) { 0 } else { all } };
        let by_row = matches!(point, Point::Filter | Point::Score);
        match (at.point.cmp(&point), by_row) {
            (std::cmp::Ordering::Less, _) => 0,
            (std::cmp::Ordering::Greater, _) => all,
            (_, true) if (at.row as usize) < row => 0,
            (_, true) if (at.row as usize) > row => all,
            _ => (at.sub as usize + 1).min(all),
        }
    }
    fn is_past(&self, point: Point) -> bool {
        match self {
            Mask::Whole => true,
            Mask::Hidden => false,
            Mask::Upto(calls, i) => calls.at(i + 1).is_none_or(|next| next.point > point),
        }
    }
    fn is_over(&self) -> bool {
        match self {
            Mask::Whole => true,
            Mask::Hidden => false,
            Mask::Upto(calls, i) => i + 1 >= calls.len(),
        }
    }
}

/// The table's columns and groups, and where each row belongs.
#[derive(Clone)]
pub struct Table {
    filters: Vec<String>,
    scorers: Vec<(String, i64)>,
    groups: Vec<Group>,
    of_row: Vec<u32>,
}

impl Table {
    pub fn of(c: &Cycle, mask: Mask) -> Table {
        let mut filters: Vec<String> = Vec::new();
        if let Some(longest) = c.nodes.iter().max_by_key(|n| n.filters.len()) {
            filters = longest.filters.iter().map(|f| f.plugin.clone()).collect();
        }
        for f in c.nodes.iter().filter_map(|n| n.filters.first()) {
            if !filters.contains(&f.plugin) {
                filters.push(f.plugin.clone());
            }
        }
        let scored = c.nodes.iter().find(|n| !n.scores.is_empty());
        let scorers = scored.map(|n| n.scores.iter().map(|s| (s.plugin.to_string(), s.weight)).collect());
        let (mut groups, mut of_row): (Vec<Group>, Vec<u32>) = (Vec::new(), Vec::with_capacity(c.nodes.len()));
        for (row, n) in c.nodes.iter().enumerate() {
            let told = mask.many(Point::Filter, row, n.filters.len());
            let refused = n.filters[..told].iter().find(|f| f.verdict != Verdict::Pass);
            let (plugin, verdict, reasons) = match refused {
                Some(f) => (f.plugin.as_str(), f.verdict, f.reasons.as_slice()),
                None if told < n.filters.len() || matches!(mask, Mask::Hidden) => ("", Verdict::Wait, [].as_slice()),
                None => ("", Verdict::Pass, [].as_slice()),
            };
            let same = |g: &Group| g.plugin == plugin && g.verdict == verdict && g.reasons == reasons;
            let i = groups.iter().position(same).unwrap_or_else(|| {
                groups.push(Group { plugin: plugin.into(), verdict, reasons: reasons.to_vec(), count: 0 });
                groups.len() - 1
            });
            groups[i].count += 1;
            of_row.push(i as u32);
        }
        // Feasible ones first, those not looked at yet last.
        let mut order: Vec<usize> = (0..groups.len()).collect();
        order.sort_by_key(|i| {
            let g = &groups[*i];
            (g.verdict == Verdict::Wait, g.verdict != Verdict::Pass, std::cmp::Reverse(g.count))
        });
        let mut place = vec![0; groups.len()];
        order.iter().enumerate().for_each(|(new, old)| place[*old] = new as u32);
        of_row.iter_mut().for_each(|g| *g = place[*g as usize]);
        let groups = order.iter().map(|i| groups[*i].clone()).collect();
        Table { filters, scorers: scorers.unwrap_or_default(), groups, of_row }
    }

    fn row(&self, c: &Cycle, mask: Mask, i: usize) -> Row {
        let n = &c.nodes[i];
        let told = mask.many(Point::Filter, i, n.filters.len());
        let mut filters = vec![None; self.filters.len()];
        for (k, f) in n.filters[..told].iter().enumerate() {
            // Mostly the same order; a record may also hold one plugin alone.
            let at = if self.filters.get(k) == Some(&f.plugin) { Some(k) } else { None };
            if let Some(at) = at.or_else(|| self.filters.iter().position(|p| *p == f.plugin)) {
                filters[at] = Some(f.verdict);
            }
        }
        let raw = mask.many(Point::Score, i, n.scores.len());
        let normalized = mask.many(Point::NormalizeScore, 0, n.scores.len());
        let score = |(k, s): (usize, &trace::cycle::ScoreRecord)| {
            ((k < raw).then_some(s.raw), (k < normalized).then_some(s.normalized))
        };
        Row {
            node: n.name.clone(),
            group: self.of_row[i],
            filters,
            scores: n.scores.iter().enumerate().map(score).collect(),
            total: self.total(n, mask),
        }
    }

    fn total(&self, n: &NodeRecord, mask: Mask) -> Option<i64> {
        n.total.filter(|_| mask.is_past(Point::NormalizeScore))
    }
}

/// The view of a cycle.
pub fn cycle_view(seq: u64, time: u64, c: &Cycle, mask: Mask) -> CycleView {
    view_of(seq, time, c, mask, &Table::of(c, mask))
}

/// The same when its table is known.
pub fn view_of(seq: u64, time: u64, c: &Cycle, mask: Mask, table: &Table) -> CycleView {
    let (chosen, over) = (mask.is_past(Point::NormalizeScore), mask.is_over());
    let told = |p: &PointRecord| {
        let upto = mask.many(point_of(&p.point), 0, usize::MAX);
        c.points.iter().position(|q| q == p).is_some_and(|i| i < upto)
    };
    let post = mask.is_past(Point::PostFilter);
    let hidden = matches!(mask, Mask::Hidden);
    CycleView {
        seq,
        time,
        pod: c.pod.clone(),
        profile: c.profile.clone(),
        attempt: c.attempt,
        node: c.node.clone().filter(|_| chosen).unwrap_or_default(),
        nominated_node: c.nominated_node.clone().filter(|_| post).unwrap_or_default(),
        victims: if post { c.victims.clone() } else { Vec::new() },
        message: if over { c.message.clone() } else { String::new() },
        pre_filter: c.pre_filter[..mask.many(Point::PreFilter, 0, c.pre_filter.len())].to_vec(),
        preemption: c.preemption.clone().filter(|_| post),
        points: c.points.iter().filter(|p| told(p)).cloned().collect(),
        tie_break: c.tie_break.clone().filter(|_| chosen),
        total_nodes: c.total_nodes,
        evaluated_nodes: if hidden { 0 } else { c.evaluated_nodes },
        feasible_nodes: match mask {
            Mask::Whole => c.feasible_nodes,
            _ => table.groups.iter().filter(|g| g.verdict == Verdict::Pass).map(|g| g.count).sum(),
        },
        thinned: c.thinned,
        upto: match mask {
            Mask::Whole => None,
            Mask::Hidden => Some(0),
            Mask::Upto(_, i) => Some(i + 1),
        },
        rows: first_rows(c, mask, table),
        rows_total: c.nodes.len(),
        filters: table.filters.clone(),
        scorers: if hidden { Vec::new() } else { table.scorers.clone() },
        groups: table.groups.clone(),
    }
}

fn point_of(name: &str) -> Point {
    match name {
        "PreEnqueue" => Point::PreEnqueue,
        "PostFilter" => Point::PostFilter,
        "Reserve" => Point::Reserve,
        "Permit" => Point::Permit,
        "PreBind" => Point::PreBind,
        _ => Point::Bind,
    }
}

fn first_rows(c: &Cycle, mask: Mask, table: &Table) -> Vec<Row> {
    let all = c.nodes.len();
    if all <= ROWS_WHOLE {
        return (0..all).map(|i| table.row(c, mask, i)).collect();
    }
    let mut wanted = vec![false; all];
    let mut of_group = vec![0; table.groups.len()];
    for (i, g) in table.of_row.iter().enumerate() {
        of_group[*g as usize] += 1;
        wanted[i] = of_group[*g as usize] <= ROWS_OF_GROUP
            || c.node.as_deref() == Some(&c.nodes[i].name) && mask.is_past(Point::NormalizeScore);
    }
    let mut best: Vec<(i64, usize)> =
        c.nodes.iter().enumerate().filter_map(|(i, n)| Some((-table.total(n, mask)?, i))).collect();
    best.sort_unstable();
    best.iter().take(ROWS_BEST).for_each(|(_, i)| wanted[*i] = true);
    (0..all).filter(|i| wanted[*i]).map(|i| table.row(c, mask, i)).collect()
}

/// The rows that a query asks for, and how many there are in all.
pub fn rows(c: &Cycle, mask: Mask, table: &Table, q: &RowsQuery) -> (usize, Vec<Row>) {
    let matches = |i: &usize| {
        q.group.is_none_or(|g| table.of_row[*i] == g)
            && (q.search.is_empty() || c.nodes[*i].name.contains(q.search.as_str()))
    };
    let mut found: Vec<usize> = (0..c.nodes.len()).filter(matches).collect();
    if q.by_total {
        found.sort_by_key(|i| (std::cmp::Reverse(table.total(&c.nodes[*i], mask)), *i));
    }
    let page = found.iter().skip(q.offset).take(q.limit.min(ROWS_MAX));
    (found.len(), page.map(|i| table.row(c, mask, *i)).collect())
}
