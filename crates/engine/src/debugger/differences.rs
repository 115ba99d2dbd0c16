//! Two decisions about the same pod, node by node: what differs.

use protocol::debug::{Difference, DifferenceGroup, Differences, Said};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use trace::Cycle;
use trace::cycle::{NodeRecord, Verdict};

/// Lines in one answer.
const LINES_MAX: usize = 500;

fn said(row: Option<&NodeRecord>) -> Said {
    let Some(row) = row else { return Said::Absent };
    match row.filters.iter().find(|f| f.verdict != Verdict::Pass) {
        Some(f) => Said::Refused { plugin: f.plugin.clone(), reason: f.reasons.join("; ") },
        None => Said::Passed { total: row.total },
    }
}

/// The same without the total, for groups.
fn kind(said: &Said) -> Said {
    match said {
        Said::Passed { .. } => Said::Passed { total: None },
        said => said.clone(),
    }
}

fn trend(before: &Said, after: &Said) -> i8 {
    match (before, after) {
        (Said::Passed { total: Some(b) }, Said::Passed { total: Some(a) }) => match a.cmp(b) {
            std::cmp::Ordering::Less => -1,
            std::cmp::Ordering::Equal => 0,
            std::cmp::Ordering::Greater => 1,
        },
        _ => 0,
    }
}

/// Score plugins whose points differ.
fn scores(before: Option<&NodeRecord>, after: Option<&NodeRecord>) -> Vec<(String, Option<i64>, Option<i64>)> {
    let of = |row: Option<&NodeRecord>| -> BTreeMap<String, i64> {
        row.into_iter().flat_map(|r| r.scores.iter()).map(|s| (s.plugin.to_string(), s.weighted)).collect()
    };
    let (b, a) = (of(before), of(after));
    let mut plugins: Vec<&String> = b.keys().chain(a.keys().filter(|p| !b.contains_key(*p))).collect();
    plugins.sort();
    let pairs = plugins.into_iter().map(|p| (p.clone(), b.get(p).copied(), a.get(p).copied()));
    pairs.filter(|(_, b, a)| b != a).collect()
}

/// Compares all nodes; the lines `offset..offset + limit`, of one group when one is named.
pub fn differences(before: &Cycle, after: &Cycle, group: Option<u32>, offset: usize, limit: usize) -> Differences {
    let mut rows: BTreeMap<&str, (Option<&NodeRecord>, Option<&NodeRecord>)> = BTreeMap::new();
    before.nodes.iter().for_each(|r| rows.entry(&r.name).or_default().0 = Some(r));
    after.nodes.iter().for_each(|r| rows.entry(&r.name).or_default().1 = Some(r));
    let chose = |c: &Cycle, node: &str| c.node.as_deref() == Some(node);
    let mut groups: Vec<DifferenceGroup> = Vec::new();
    let mut places: BTreeMap<(Said, Said, i8, bool), usize> = BTreeMap::new();
    let mut lines: Vec<Difference> = Vec::with_capacity(rows.len());
    for (node, (b, a)) in &rows {
        let (before_said, after_said) = (said(*b), said(*a));
        let mut line = Difference {
            node: (*node).into(),
            chosen: (chose(before, node), chose(after, node)),
            before: before_said,
            after: after_said,
            ..Difference::default()
        };
        let trend = trend(&line.before, &line.after);
        let (b, a, differs) = (kind(&line.before), kind(&line.after), line.before != line.after);
        let place = *places.entry((b.clone(), a.clone(), trend, differs)).or_insert_with(|| {
            groups.push(DifferenceGroup { before: b, after: a, trend, differs, count: 0 });
            groups.len() - 1
        });
        groups[place].count += 1;
        line.group = place as u32;
        lines.push(line);
    }
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by_key(|i| (!groups[*i].differs, Reverse(groups[*i].count)));
    let mut place = vec![0; groups.len()];
    order.iter().enumerate().for_each(|(new, old)| place[*old] = new as u32);
    lines.iter_mut().for_each(|l| l.group = place[l.group as usize]);
    let (nodes, changed) = (lines.len(), lines.iter().filter(|l| l.differs()).count());
    if let Some(group) = group {
        lines.retain(|l| l.group == group);
    }
    let points = |l: &Difference| match (&l.before, &l.after) {
        (Said::Passed { total: Some(b) }, Said::Passed { total: Some(a) }) => (a - b).abs(),
        _ => 0,
    };
    // Of those that differ, the few of a kind are not lost behind the many: by group, then the largest change first.
    lines.sort_by_key(|l| (!l.chosen.1, !l.chosen.0, !l.differs(), Reverse(points(l))));
    let of = lines.len();
    let mut page: Vec<Difference> = lines.into_iter().skip(offset).take(limit.min(LINES_MAX)).collect();
    for line in &mut page {
        let (b, a) = rows.get(line.node.as_str()).copied().unwrap_or_default();
        line.scores = scores(b, a);
    }
    Differences { nodes, changed, groups: order.iter().map(|i| groups[*i].clone()).collect(), lines: page, of }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trace::cycle::FilterRecord;

    fn row(name: &str, total: i64) -> NodeRecord {
        NodeRecord { name: name.into(), total: Some(total), ..NodeRecord::default() }
    }
    fn refused(name: &str) -> NodeRecord {
        let f = FilterRecord { plugin: "Taint".into(), verdict: Verdict::Unschedulable, reasons: vec!["no".into()] };
        NodeRecord { name: name.into(), filters: vec![f].into(), ..NodeRecord::default() }
    }
    fn cycle(node: &str, nodes: Vec<NodeRecord>) -> Cycle {
        Cycle { node: Some(node.into()), nodes, ..Cycle::default() }
    }

    #[test]
    fn what_differs_is_found_by_name_and_the_choices_come_first() {
        let before = cycle("a", vec![row("a", 9), refused("b"), row("c", 7)]);
        let after = cycle("b", vec![row("a", 9), row("b", 12), row("c", 7), refused("d")]);
        let d = differences(&before, &after, None, 0, 10);
        let names: Vec<(&str, bool)> = d.lines.iter().map(|l| (l.node.as_str(), l.differs())).collect();
        assert_eq!(names, [("b", true), ("a", true), ("d", true), ("c", false)]);
        assert_eq!((d.nodes, d.changed, d.of), (4, 3, 4));
        assert_eq!(d.lines[0].before, Said::Refused { plugin: "Taint".into(), reason: "no".into() });
    }

    #[test]
    fn thousands_of_nodes_become_groups_and_every_line_can_be_asked_for() {
        let many = |total: i64| (0..3000).map(|i| row(&format!("n{i:04}"), total)).collect::<Vec<_>>();
        let (mut before, mut after) = (cycle("n0000", many(5)), cycle("n2999", many(5)));
        before.nodes[7] = refused("n0007");
        after.nodes[2999].total = Some(9);
        let d = differences(&before, &after, None, 0, 20);
        let told: Vec<(i8, bool, usize)> = d.groups.iter().map(|g| (g.trend, g.differs, g.count)).collect();
        assert_eq!(told, [(0, true, 1), (1, true, 1), (0, false, 2998)]);
        assert_eq!((d.changed, d.of, d.lines.len()), (3, 3000, 20));
        let names: Vec<&str> = d.lines[..3].iter().map(|l| l.node.as_str()).collect();
        assert_eq!(names, ["n2999", "n0000", "n0007"]);
        let rest = differences(&before, &after, Some(2), 2990, 20);
        assert_eq!((rest.of, rest.lines.len()), (2998, 8));
    }
}
