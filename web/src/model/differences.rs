//! Two decisions about the same pod, node by node: what differs. Pure.

use protocol::{CycleView, Row};
use std::collections::BTreeMap;

/// What a decision says of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It was not in the cluster, or not looked at.
    Absent,
    Refused {
        plugin: String,
        reason: String,
    },
    Total(i64),
    /// Passed every filter, not scored.
    Passed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub node: String,
    pub before: Said,
    pub after: Said,
    /// It was, or is, the choice.
    pub chosen: (bool, bool),
    pub scores: Vec<(String, Option<i64>, Option<i64>)>,
}

impl Line {
    pub fn differs(&self) -> bool {
        self.before != self.after || self.chosen.0 != self.chosen.1
    }
}

fn said(cycle: &CycleView, row: Option<&Row>) -> Said {
    let Some(row) = row else { return Said::Absent };
    match cycle.groups.get(row.group as usize).filter(|g| !g.plugin.is_empty()) {
        Some(group) => Said::Refused { plugin: group.plugin.clone(), reason: group.reasons.join("; ") },
        None => row.total.map_or(Said::Passed, Said::Total),
    }
}

fn weighted(cycle: &CycleView, row: Option<&Row>, plugin: &str) -> Option<i64> {
    let column = cycle.scorers.iter().position(|(p, _)| p == plugin)?;
    Some(row?.scores.get(column)?.1? * cycle.scorers[column].1)
}

/// What differs first, then the choices, then by name.
pub fn differences(before: &CycleView, after: &CycleView) -> Vec<Line> {
    let mut rows: BTreeMap<&str, (Option<&Row>, Option<&Row>)> = BTreeMap::new();
    before.rows.iter().for_each(|r| rows.entry(&r.node).or_default().0 = Some(r));
    after.rows.iter().for_each(|r| rows.entry(&r.node).or_default().1 = Some(r));
    let mut plugins: Vec<&str> = before.scorers.iter().map(|(p, _)| p.as_str()).collect();
    plugins
        .extend(after.scorers.iter().map(|(p, _)| p.as_str()).filter(|p| !before.scorers.iter().any(|(q, _)| p == q)));
    let line = |(node, (b, a)): (&str, (Option<&Row>, Option<&Row>))| {
        let scores = plugins.iter().map(|p| (p.to_string(), weighted(before, b, p), weighted(after, a, p)));
        Line {
            node: node.into(),
            before: said(before, b),
            after: said(after, a),
            chosen: (before.node == node, after.node == node),
            scores: scores.filter(|(_, b, a)| b != a).collect(),
        }
    };
    let mut lines: Vec<Line> = rows.into_iter().map(line).collect();
    lines.sort_by_key(|l| (!l.chosen.1, !l.chosen.0, !l.differs()));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Group;

    #[test]
    fn what_differs_is_found_by_name() {
        let row = |node: &str, group, total| Row { node: node.into(), group, total, ..Row::default() };
        let groups =
            vec![Group::default(), Group { plugin: "Taint".into(), reasons: vec!["no".into()], ..Group::default() }];
        let before = CycleView {
            node: "a".into(),
            groups: groups.clone(),
            rows: vec![row("a", 0, Some(9)), row("b", 1, None), row("c", 0, Some(7))],
            ..CycleView::default()
        };
        let after = CycleView {
            node: "b".into(),
            groups,
            rows: vec![row("a", 0, Some(9)), row("b", 0, Some(12)), row("c", 0, Some(7)), row("d", 0, None)],
            ..CycleView::default()
        };
        let lines = differences(&before, &after);
        let names: Vec<(&str, bool)> = lines.iter().map(|l| (l.node.as_str(), l.differs())).collect();
        assert_eq!(names, [("b", true), ("a", true), ("d", true), ("c", false)]);
        assert_eq!(lines[0].before, Said::Refused { plugin: "Taint".into(), reason: "no".into() });
        assert_eq!((&lines[2].before, &lines[2].after), (&Said::Absent, &Said::Passed));
    }
}
