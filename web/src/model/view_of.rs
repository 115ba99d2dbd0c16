//! A whole cycle as the view that the page shows. Pure.

use protocol::cycle::{NodeRecord, Verdict};
use protocol::{Cycle, CycleView, Group, Row};

/// The plugins that filtered any node, in the order they ran.
fn filters(cycle: &Cycle) -> Vec<String> {
    // The node that got furthest went through every filter that ran; others may add none.
    let mut filters: Vec<String> = Vec::new();
    let mut by_length: Vec<&NodeRecord> = cycle.nodes.iter().collect();
    by_length.sort_by_key(|n| std::cmp::Reverse(n.filters.len()));
    for node in by_length.iter().take(32) {
        let mut at = 0;
        for f in &node.filters {
            match filters.iter().position(|p| *p == f.plugin) {
                Some(i) => at = i + 1,
                None => {
                    filters.insert(at, f.plugin.clone());
                    at += 1;
                }
            }
        }
    }
    filters
}

fn group_of(node: &NodeRecord) -> Group {
    let refusal = node.filters.iter().find(|f| !matches!(f.verdict, Verdict::Pass | Verdict::Skip));
    refusal.map_or_else(Group::default, |f| Group {
        plugin: f.plugin.clone(),
        verdict: f.verdict,
        reasons: f.reasons.clone(),
        count: 0,
    })
}

pub fn view_of(seq: u64, cycle: &Cycle) -> CycleView {
    let filters = filters(cycle);
    let scored = cycle.nodes.iter().max_by_key(|n| n.scores.len());
    let scorers: Vec<(String, i64)> =
        scored.map(|n| n.scores.iter().map(|s| (s.plugin.clone(), s.weight)).collect()).unwrap_or_default();
    let mut groups: Vec<Group> = Vec::new();
    let mut rows = Vec::new();
    for node in &cycle.nodes {
        let group = group_of(node);
        let same = |g: &Group| g.plugin == group.plugin && g.verdict == group.verdict && g.reasons == group.reasons;
        let at = match groups.iter().position(same) {
            Some(at) => at,
            None => {
                groups.push(group);
                groups.len() - 1
            }
        };
        groups[at].count += 1;
        let score = |plugin: &String| node.scores.iter().find(|s| s.plugin == *plugin);
        rows.push(Row {
            node: node.name.clone(),
            group: at as u32,
            filters: filters.iter().map(|p| node.filters.iter().find(|f| f.plugin == *p).map(|f| f.verdict)).collect(),
            scores: scorers.iter().map(|(p, _)| (score(p).map(|s| s.raw), score(p).map(|s| s.normalized))).collect(),
            total: node.total,
        });
    }
    CycleView {
        seq,
        time: 0,
        pod: cycle.pod.clone(),
        profile: cycle.profile.clone(),
        attempt: cycle.attempt,
        node: cycle.node.clone().unwrap_or_default(),
        nominated_node: cycle.nominated_node.clone().unwrap_or_default(),
        victims: cycle.victims.clone(),
        message: cycle.message.clone(),
        pre_filter: cycle.pre_filter.clone(),
        preemption: cycle.preemption.clone(),
        points: cycle.points.clone(),
        tie_break: cycle.tie_break.clone(),
        total_nodes: cycle.total_nodes,
        evaluated_nodes: cycle.evaluated_nodes,
        feasible_nodes: cycle.feasible_nodes.max(rows.iter().filter(|r| r.total.is_some()).count()),
        thinned: cycle.thinned,
        upto: None,
        filters,
        scorers,
        groups,
        rows_total: rows.len(),
        rows,
    }
}
