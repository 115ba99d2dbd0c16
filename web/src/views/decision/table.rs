//! The table of a decision: which nodes are lines, in which order and groups. Pure.

use protocol::cycle::Verdict;
use protocol::{CycleView, Row};
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupBy {
    #[default]
    Plugin,
    Reason,
    Verdict,
    Nothing,
}

impl GroupBy {
    pub const ALL: [GroupBy; 4] = [GroupBy::Plugin, GroupBy::Reason, GroupBy::Verdict, GroupBy::Nothing];
    pub fn code(self) -> &'static str {
        match self {
            GroupBy::Plugin => "plugin",
            GroupBy::Reason => "reason",
            GroupBy::Verdict => "verdict",
            GroupBy::Nothing => "nothing",
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Total,
    Name,
    /// As the scheduler looked at them.
    Visited,
    /// By one plugin's weighted score.
    Score(String),
}

/// What is asked of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    pub search: String,
    pub by: GroupBy,
    pub sort: Sort,
    /// Lowest first, or from the end of the alphabet.
    pub reversed: bool,
    /// Only this group.
    pub only: Option<String>,
}

/// Empty is the group of the nodes that passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub key: String,
    pub count: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    Group(Group),
    /// An index into the cycle's rows.
    Node(usize),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    pub groups: Vec<Group>,
    pub lines: Vec<Line>,
}

/// The code of a verdict in the catalogue: `verdict.<code>`.
pub fn verdict_code(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Skip => "skip",
        Verdict::Unschedulable => "unschedulable",
        Verdict::Unresolvable => "unresolvable",
        Verdict::Wait => "wait",
        Verdict::Error => "error",
    }
}

/// The refusal that a row's node met: the plugin, its verdict and its reasons; `None` when it passed every filter.
pub fn refusal<'a>(cycle: &'a CycleView, row: &Row) -> Option<&'a protocol::Group> {
    cycle.groups.get(row.group as usize).filter(|g| !g.plugin.is_empty())
}

fn key_of<'a>(cycle: &'a CycleView, row: &Row, by: GroupBy) -> &'a str {
    let Some(group) = refusal(cycle, row) else { return "" };
    match by {
        GroupBy::Plugin => &group.plugin,
        // Nodes that miss several resources stay with those that miss the first.
        GroupBy::Reason => group.reasons.first().unwrap_or(&group.plugin),
        GroupBy::Verdict => verdict_code(group.verdict),
        GroupBy::Nothing => "",
    }
}

/// Feasible nodes first, then the rejected ones by group, the largest first.
pub fn table(cycle: &CycleView, ask: &Ask) -> Table {
    let search = ask.search.trim().to_lowercase();
    let mut groups: Vec<(&str, Vec<usize>)> = Vec::new();
    let mut at: BTreeMap<&str, usize> = BTreeMap::new();
    for (i, row) in cycle.rows.iter().enumerate() {
        if !search.is_empty() && !row.node.to_lowercase().contains(&search) {
            continue;
        }
        let key = key_of(cycle, row, ask.by);
        let group = *at.entry(key).or_insert_with(|| {
            groups.push((key, Vec::new()));
            groups.len() - 1
        });
        groups[group].1.push(i);
    }
    groups.sort_by(|a, b| (!a.0.is_empty(), b.1.len(), a.0).cmp(&(!b.0.is_empty(), a.1.len(), b.0)));
    let mut out = Table::default();
    for (key, mut nodes) in groups {
        let group = Group { key: key.into(), count: nodes.len() };
        out.groups.push(group.clone());
        if ask.only.as_ref().is_some_and(|only| only != key) {
            continue;
        }
        order(cycle, &mut nodes, ask);
        if ask.by != GroupBy::Nothing {
            out.lines.push(Line::Group(group));
        }
        out.lines.extend(nodes.into_iter().map(Line::Node));
    }
    out
}

fn order(cycle: &CycleView, nodes: &mut [usize], ask: &Ask) {
    let row = |i: &usize| &cycle.rows[*i];
    let name = |a: &usize, b: &usize| row(a).node.cmp(&row(b).node);
    match &ask.sort {
        Sort::Visited => {}
        Sort::Name => nodes.sort_by(name),
        Sort::Total => nodes.sort_by(|a, b| {
            let won = |i: &usize| !cycle.node.is_empty() && cycle.node == row(i).node;
            row(b).total.cmp(&row(a).total).then(won(b).cmp(&won(a))).then_with(|| name(a, b))
        }),
        Sort::Score(plugin) => {
            let Some(column) = cycle.scorers.iter().position(|(p, _)| p == plugin) else { return };
            let score = |i: &usize| row(i).scores.get(column).map(|(raw, normalized)| (*normalized, *raw));
            nodes.sort_by(|a, b| score(b).cmp(&score(a)).then_with(|| name(a, b)));
        }
    }
    if ask.reversed {
        nodes.reverse();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, group: u32, total: Option<i64>) -> Row {
        let scores = total.map(|t| (Some(t), Some(-t))).into_iter().collect();
        Row { node: name.into(), group, total, scores, ..Row::default() }
    }
    fn cycle() -> CycleView {
        let group = |plugin: &str, verdict, count| {
            let reasons = if plugin.is_empty() { Vec::new() } else { vec![format!("no {plugin}")] };
            protocol::Group { plugin: plugin.into(), verdict, reasons, count }
        };
        CycleView {
            node: "c".into(),
            scorers: vec![("Image".into(), 1)],
            groups: vec![
                group("", Verdict::Pass, 2),
                group("Fit", Verdict::Unschedulable, 2),
                group("Taint", Verdict::Unresolvable, 1),
            ],
            rows: vec![
                row("a", 0, Some(10)),
                row("b", 2, None),
                row("c", 0, Some(30)),
                row("d", 1, None),
                row("e", 1, None),
            ],
            ..CycleView::default()
        }
    }
    fn text(ask: &Ask) -> String {
        let c = cycle();
        let line = |l: Line| match l {
            Line::Group(g) => format!("[{} {}]", g.key, g.count),
            Line::Node(i) => c.rows[i].node.clone(),
        };
        table(&c, ask).lines.into_iter().map(line).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn feasible_nodes_come_first_then_rejections_by_number() {
        assert_eq!(text(&Ask::default()), "[ 2] c a [Fit 2] d e [Taint 1] b");
        let ask = Ask { search: "E".into(), sort: Sort::Name, ..Ask::default() };
        assert_eq!(text(&ask), "[Fit 1] e");
    }

    #[test]
    fn nodes_are_grouped_by_reason_by_verdict_or_not_at_all() {
        let by = |by| text(&Ask { by, ..Ask::default() });
        assert_eq!(by(GroupBy::Reason), "[ 2] c a [no Fit 2] d e [no Taint 1] b");
        assert_eq!(by(GroupBy::Verdict), "[ 2] c a [unschedulable 2] d e [unresolvable 1] b");
        assert_eq!(by(GroupBy::Nothing), "c a b d e");
    }

    #[test]
    fn one_group_can_be_looked_at_alone_and_the_others_stay_counted() {
        let ask = Ask { only: Some("Fit".into()), reversed: true, ..Ask::default() };
        assert_eq!(text(&ask), "[Fit 2] e d");
        assert_eq!(table(&cycle(), &ask).groups.len(), 3);
    }

    #[test]
    fn any_score_can_order_the_nodes() {
        let ask = Ask { by: GroupBy::Nothing, sort: Sort::Score("Image".into()), ..Ask::default() };
        assert_eq!(text(&ask), "a c b d e");
        let ask = Ask { sort: Sort::Visited, ..ask };
        assert_eq!(text(&ask), "a b c d e");
    }
}
