//! A scheduling cycle in plain words, beside upstream's own sentence.

use super::{Lang, fill, find};
use protocol::cycle::Verdict;
use protocol::{CycleView, Row};
use std::collections::BTreeMap;

fn say(lang: Lang, key: &str, args: &[(&str, &str)]) -> String {
    fill(find(lang, key).unwrap_or_default(), args.iter().copied())
}

/// What the cycle came to, in one to four sentences.
pub fn outcome(lang: Lang, cycle: &CycleView) -> Vec<String> {
    let count = |n: usize| n.to_string();
    let mut out = Vec::new();
    let evaluated = if cycle.evaluated_nodes > 0 { cycle.evaluated_nodes } else { cycle.rows_total };
    let total = cycle.total_nodes.max(evaluated);
    if evaluated < total {
        out.push(say(lang, "explain.sampled", &[("n", &count(evaluated)), ("total", &count(total))]));
    }
    let fit = count(cycle.feasible_nodes);
    out.push(say(lang, "explain.feasible", &[("n", &fit), ("total", &count(evaluated))]));
    if !cycle.node.is_empty() {
        out.extend(why_it_won(lang, cycle, &cycle.node));
    } else if !cycle.nominated_node.is_empty() {
        let victims = count(cycle.victims.len());
        out.push(say(lang, "explain.nominated", &[("node", &cycle.nominated_node), ("n", &victims)]));
    } else {
        out.push(say(lang, "explain.nothing", &[]));
    }
    out
}

fn weighted(cycle: &CycleView, row: &Row, column: usize) -> Option<i64> {
    Some(row.scores.get(column)?.1? * cycle.scorers.get(column)?.1)
}

/// The plugin by which `a` leads `b` most, and by how many points.
pub fn lead<'a>(cycle: &'a CycleView, a: &Row, b: &Row) -> Option<(&'a str, i64)> {
    let leads = cycle.scorers.iter().enumerate();
    let leads = leads.filter_map(|(i, (p, _))| Some((p.as_str(), weighted(cycle, a, i)? - weighted(cycle, b, i)?)));
    leads.max_by_key(|(_, lead)| *lead).filter(|(_, lead)| *lead > 0)
}

fn why_it_won(lang: Lang, cycle: &CycleView, winner: &str) -> Vec<String> {
    let mut out = Vec::new();
    let Some(won) = cycle.rows.iter().find(|n| n.node == winner) else { return out };
    let total = won.total.unwrap_or(0).to_string();
    if let Some(tie) = cycle.tie_break.as_ref().filter(|t| t.nodes.len() > 1) {
        let n = tie.nodes.len().to_string();
        out.push(say(lang, "explain.tie", &[("n", &n), ("total", &total), ("node", winner)]));
        return out;
    }
    let rivals = cycle.rows.iter().filter(|n| n.node != winner && n.total.is_some());
    let Some(second) = rivals.max_by_key(|n| n.total) else {
        out.push(say(lang, "explain.only", &[("node", winner)]));
        return out;
    };
    let margin = (won.total.unwrap_or(0) - second.total.unwrap_or(0)).to_string();
    let args = [("node", winner), ("total", &*total), ("second", &*second.node), ("margin", &*margin)];
    out.push(say(lang, "explain.winner", &args));
    if let Some((plugin, lead)) = lead(cycle, won, second) {
        let args = [("plugin", plugin), ("lead", &*lead.to_string()), ("second", &second.node)];
        out.push(say(lang, "explain.lead", &args));
    }
    out
}

/// For a pod that fits nowhere: what would make it fit, per plugin that rejected nodes, commonest first.
pub fn remedies(lang: Lang, cycle: &CycleView) -> Vec<String> {
    let mut plugins: BTreeMap<&str, usize> = BTreeMap::new();
    for group in cycle.groups.iter().filter(|g| !g.plugin.is_empty()) {
        *plugins.entry(&group.plugin).or_default() += group.count;
    }
    for p in cycle.pre_filter.iter().filter(|p| !matches!(p.verdict, Verdict::Pass | Verdict::Skip)) {
        *plugins.entry(&p.plugin).or_default() += cycle.total_nodes.max(1);
    }
    let mut plugins: Vec<_> = plugins.into_iter().collect();
    plugins.sort_by_key(|(name, n)| (std::cmp::Reverse(*n), *name));
    plugins
        .into_iter()
        .filter_map(|(plugin, n)| {
            let text = find(lang, &format!("remedy.{plugin}"))?;
            Some(fill(text, [("n", n.to_string().as_str())]))
        })
        .collect()
}

/// What a plugin looks at, in a sentence; `None` for a plugin the catalogue does not know.
pub fn plugin(lang: Lang, plugin: &str) -> Option<&'static str> {
    find(lang, &format!("plugin.{plugin}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, total: i64) -> Row {
        Row { node: name.into(), scores: vec![(Some(total), Some(total))], total: Some(total), ..Row::default() }
    }

    #[test]
    fn the_winner_is_explained_by_its_greatest_lead() {
        let cycle = CycleView {
            node: "b".into(),
            scorers: vec![("ImageLocality".into(), 1)],
            rows: vec![row("a", 10), row("b", 30)],
            evaluated_nodes: 2,
            ..CycleView::default()
        };
        let text = outcome(Lang::En, &cycle).join(" ");
        assert!(text.contains("ImageLocality") && text.contains("20"), "{text}");
    }

    #[test]
    fn a_pod_that_fits_nowhere_gets_remedies_commonest_first() {
        let rejected =
            |plugin: &str, count| protocol::Group { plugin: plugin.into(), count, ..protocol::Group::default() };
        let groups = vec![rejected("TaintToleration", 1), rejected("NodeResourcesFit", 2)];
        let all = remedies(Lang::En, &CycleView { groups, ..CycleView::default() });
        assert_eq!(all.len(), 2);
        assert!(all[0].contains("cpu") || all[0].contains("request"), "{all:?}");
    }
}
