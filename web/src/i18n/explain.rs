//! A scheduling cycle in plain words, beside upstream's own sentence.

use super::{Lang, fill, find};
use protocol::Cycle;
use protocol::cycle::{NodeRecord, Verdict};
use std::collections::BTreeMap;

fn say(lang: Lang, key: &str, args: &[(&str, &str)]) -> String {
    fill(find(lang, key).unwrap_or_default(), args.iter().copied())
}

/// The plugin that rejected a node and its reasons; `None` when the node passed every filter.
pub fn rejection(node: &NodeRecord) -> Option<(&str, &[String])> {
    node.filters
        .iter()
        .find(|f| !matches!(f.verdict, Verdict::Pass | Verdict::Skip))
        .map(|f| (f.plugin.as_str(), f.reasons.as_slice()))
}

/// What the cycle came to, in one to four sentences.
pub fn outcome(lang: Lang, cycle: &Cycle) -> Vec<String> {
    let count = |n: usize| n.to_string();
    let mut out = Vec::new();
    let evaluated = if cycle.evaluated_nodes > 0 { cycle.evaluated_nodes } else { cycle.nodes.len() };
    let total = cycle.total_nodes.max(evaluated);
    if evaluated < total {
        out.push(say(lang, "explain.sampled", &[("n", &count(evaluated)), ("total", &count(total))]));
    }
    let fit = cycle.nodes.iter().filter(|n| n.total.is_some()).count().max(cycle.feasible_nodes);
    out.push(say(lang, "explain.feasible", &[("n", &count(fit)), ("total", &count(evaluated))]));
    match &cycle.node {
        Some(winner) => out.extend(why_it_won(lang, cycle, winner)),
        None => {
            if let Some(nominated) = &cycle.nominated_node {
                out.push(say(lang, "explain.nominated", &[("node", nominated), ("n", &count(cycle.victims.len()))]));
            } else {
                out.push(say(lang, "explain.nothing", &[]));
            }
        }
    }
    out
}

fn why_it_won(lang: Lang, cycle: &Cycle, winner: &str) -> Vec<String> {
    let mut out = Vec::new();
    let Some(won) = cycle.nodes.iter().find(|n| n.name == winner) else { return out };
    let total = won.total.unwrap_or(0).to_string();
    let rivals: Vec<&NodeRecord> = cycle.nodes.iter().filter(|n| n.name != winner && n.total.is_some()).collect();
    if let Some(tie) = cycle.tie_break.as_ref().filter(|t| t.nodes.len() > 1) {
        let n = tie.nodes.len().to_string();
        out.push(say(lang, "explain.tie", &[("n", &n), ("total", &total), ("node", winner)]));
        return out;
    }
    let Some(second) = rivals.iter().max_by_key(|n| n.total) else {
        out.push(say(lang, "explain.only", &[("node", winner)]));
        return out;
    };
    let margin = (won.total.unwrap_or(0) - second.total.unwrap_or(0)).to_string();
    out.push(say(
        lang,
        "explain.winner",
        &[("node", winner), ("total", &total), ("second", &second.name), ("margin", &margin)],
    ));
    let lead = won
        .scores
        .iter()
        .filter_map(|s| {
            let other = second.scores.iter().find(|o| o.plugin == s.plugin)?;
            Some((s.weighted - other.weighted, s))
        })
        .max_by_key(|(lead, _)| *lead);
    if let Some((lead, score)) = lead.filter(|(lead, _)| *lead > 0) {
        let args = [("plugin", score.plugin.as_str()), ("lead", &lead.to_string()), ("second", &second.name)];
        out.push(say(lang, "explain.lead", &args));
    }
    out
}

/// For a pod that fits nowhere: what would make it fit, per plugin that rejected nodes, commonest first.
pub fn remedies(lang: Lang, cycle: &Cycle) -> Vec<String> {
    let mut plugins: BTreeMap<&str, usize> = BTreeMap::new();
    for node in &cycle.nodes {
        if let Some((plugin, _)) = rejection(node) {
            *plugins.entry(plugin).or_default() += 1;
        }
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
    use protocol::cycle::{FilterRecord, ScoreRecord};

    fn node(name: &str, total: i64) -> NodeRecord {
        let scores = vec![ScoreRecord { plugin: "ImageLocality".into(), weighted: total, ..ScoreRecord::default() }];
        NodeRecord { name: name.into(), scores, total: Some(total), ..NodeRecord::default() }
    }

    #[test]
    fn the_winner_is_explained_by_its_greatest_lead() {
        let cycle = Cycle {
            node: Some("b".into()),
            nodes: vec![node("a", 10), node("b", 30)],
            evaluated_nodes: 2,
            ..Cycle::default()
        };
        let text = outcome(Lang::En, &cycle).join(" ");
        assert!(text.contains("ImageLocality") && text.contains("20"), "{text}");
    }

    #[test]
    fn a_pod_that_fits_nowhere_gets_remedies_commonest_first() {
        let rejected = |plugin: &str| NodeRecord {
            filters: vec![FilterRecord {
                plugin: plugin.into(),
                verdict: Verdict::Unschedulable,
                ..FilterRecord::default()
            }],
            ..NodeRecord::default()
        };
        let nodes = vec![rejected("NodeResourcesFit"), rejected("TaintToleration"), rejected("NodeResourcesFit")];
        let cycle = Cycle { nodes, ..Cycle::default() };
        let all = remedies(Lang::En, &cycle);
        assert_eq!(all.len(), 2);
        assert!(all[0].contains("cpu") || all[0].contains("request"), "{all:?}");
    }
}
