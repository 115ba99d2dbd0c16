//! Cycles as text for a terminal.

use std::fmt::Write;
use trace::Cycle;
use trace::cycle::{FilterRecord, NodeRecord, Verdict};

/// Rows of cells with columns padded to their widest cell.
struct Grid(Vec<Vec<String>>);

impl Grid {
    fn print(&self, out: &mut String) {
        let columns = self.0.iter().map(Vec::len).max().unwrap_or(0);
        let width = |c: usize| self.0.iter().filter_map(|r| r.get(c)).map(|s| s.chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.0 {
            let mut line = String::from("  ");
            for (cell, w) in row.iter().zip(&widths) {
                let _ = write!(line, "{cell:<w$}   ");
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
}

/// One block per pod: the verdict, what every node's filters and scores said, and the message when nothing fits.
pub fn table(cycles: &[Cycle]) -> String {
    let mut out = String::new();
    for (i, cycle) in cycles.iter().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        one(cycle, &mut out);
    }
    out
}

fn one(cycle: &Cycle, out: &mut String) {
    let name = format!("{}/{}", cycle.pod.namespace, cycle.pod.name);
    let _ = match &cycle.node {
        Some(node) => writeln!(out, "{name} -> {node}"),
        None => writeln!(out, "{name} -> <none>"),
    };
    if !cycle.message.is_empty() {
        let _ = writeln!(out, "  {}", cycle.message);
    }
    if let Some(node) = &cycle.nominated_node {
        let victims: Vec<String> = cycle.victims.iter().map(|v| format!("{}/{}", v.namespace, v.name)).collect();
        let _ = writeln!(out, "  nominated to {node}; victims: {}", victims.join(", "));
    }
    for r in cycle.pre_filter.iter().filter(|r| !matches!(r.verdict, Verdict::Pass | Verdict::Skip)) {
        let _ = writeln!(out, "  PreFilter {}: {}", r.plugin, r.reasons.join(", "));
    }
    let plugins: Vec<&str> = match cycle.nodes.iter().find(|n| !n.scores.is_empty()) {
        Some(node) => node.scores.iter().map(|s| &*s.plugin).collect(),
        None => Vec::new(),
    };
    let mut grid = Grid(Vec::new());
    if !cycle.nodes.is_empty() {
        let mut head = vec![String::new(), "NODE".to_string(), "FILTER".to_string()];
        head.extend(plugins.iter().map(|p| p.to_string()));
        if !plugins.is_empty() {
            head.push("TOTAL".into());
        }
        grid.0.push(head);
    }
    let shown = shown_rows(cycle);
    grid.0.extend(shown.iter().map(|n| row(cycle, n, &plugins)));
    grid.print(out);
    if shown.len() < cycle.nodes.len() {
        rest(cycle, &shown, out);
    }
    if let Some(tie) = &cycle.tie_break {
        let _ = writeln!(out, "  tie between {}: drew {}", tie.nodes.join(", "), tie.nodes[tie.drawn]);
    }
}

/// Tables up to this long are printed whole; of longer ones the best nodes, and of those that refuse only how many.
const ROWS_WHOLE: usize = 40;
const ROWS_BEST: usize = 10;

fn shown_rows(cycle: &Cycle) -> Vec<&NodeRecord> {
    if cycle.nodes.len() <= ROWS_WHOLE {
        return cycle.nodes.iter().collect();
    }
    let mut best: Vec<&NodeRecord> = cycle.nodes.iter().filter(|n| n.total.is_some()).collect();
    best.sort_by_key(|n| (cycle.node.as_deref() != Some(&n.name), std::cmp::Reverse(n.total)));
    best.truncate(ROWS_BEST);
    best
}

/// The nodes without a row, counted by what their filters say.
fn rest(cycle: &Cycle, shown: &[&NodeRecord], out: &mut String) {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for n in cycle.nodes.iter().filter(|n| !shown.iter().any(|s| std::ptr::eq(*s, *n))) {
        let refusal = n.filters.iter().find(|f| f.verdict != Verdict::Pass);
        let said = match refusal {
            Some(f) => format!("{}: {}", f.plugin, f.reasons.join(", ")),
            None if n.total.is_some() => "ok, with fewer points".into(),
            None => "ok, not scored".into(),
        };
        match counts.iter_mut().find(|(s, _)| *s == said) {
            Some((_, count)) => *count += 1,
            None => counts.push((said, 1)),
        }
    }
    counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    for (said, n) in counts {
        let _ = writeln!(out, "  and {n} more: {said}");
    }
}

fn row(cycle: &Cycle, node: &NodeRecord, plugins: &[&str]) -> Vec<String> {
    let mark = if cycle.node.as_deref() == Some(&node.name) { "*" } else { "" };
    let refusal = node.filters.iter().find(|f| f.verdict != Verdict::Pass);
    let filter = refusal.map_or("ok".into(), |f: &FilterRecord| format!("{}: {}", f.plugin, f.reasons.join(", ")));
    let mut cells = vec![mark.to_string(), node.name.clone(), filter];
    for plugin in plugins {
        // raw, normalized and weight: `1 -> 100 x 3`.
        let score = node.scores.iter().find(|s| s.plugin == *plugin);
        cells.push(score.map_or(String::new(), |s| format!("{} -> {} x{}", s.raw, s.normalized, s.weight)));
    }
    if !plugins.is_empty() {
        cells.push(node.total.map_or(String::new(), |t| t.to_string()));
    }
    cells
}
