//! Which pods go first when there are too many. Models `ActivePodsWithRanks`.

use crate::pods;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use meta::Time;
use std::cmp::Ordering;
use std::collections::BTreeMap;

const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";

/// The `n` pods to delete and the rule that put each before the next one (`all` when everything goes).
/// `related` are the active pods whose number on a node makes that node crowded.
pub fn pods_to_delete<'a>(active: &[&'a Pod], related: &[&Pod], n: usize, now: Time) -> Vec<(&'a Pod, &'static str)> {
    if n >= active.len() {
        return active.iter().map(|p| (*p, "all")).collect();
    }
    let mut on_node: BTreeMap<&str, usize> = BTreeMap::new();
    for p in related {
        *on_node.entry(pods::node_name(p)).or_default() += 1;
    }
    // Equal times fall through to the next rule and unequal ones of a rank do not, so the rules contradict each other in rare
    // cases, as upstream's do. The standard library's sort panics then; this puts each where it first fits.
    let mut ranked: Vec<(&Pod, usize)> = Vec::with_capacity(active.len());
    for p in active {
        let p = (*p, on_node.get(pods::node_name(p)).copied().unwrap_or(0));
        let at = ranked.partition_point(|q| compare(*q, p, now).0.is_le());
        ranked.insert(at, p);
    }
    (0..n).map(|i| (ranked[i].0, compare(ranked[i], ranked[n], now).1)).collect()
}

/// `Less` goes first; with the name of the rule that decided.
fn compare((a, rank_a): (&Pod, usize), (b, rank_b): (&Pod, usize), now: Time) -> (Ordering, &'static str) {
    let mut rules: Vec<(&'static str, Ordering)> = vec![
        ("unassigned", pods::node_name(b).is_empty().cmp(&pods::node_name(a).is_empty())),
        ("phase", phase_order(a).cmp(&phase_order(b))),
        ("not-ready", pods::is_ready(a).cmp(&pods::is_ready(b))),
        ("deletion-cost", deletion_cost(a).cmp(&deletion_cost(b))),
        // The more of its kind on a node, the sooner.
        ("colocated", rank_b.cmp(&rank_a)),
    ];
    if pods::is_ready(a) && pods::is_ready(b) {
        rules.push(("ready-time", younger_first(pods::ready_transition(a), pods::ready_transition(b), a, b, now)));
    }
    rules.push(("restarts", restarts(b, false).cmp(&restarts(a, false))));
    rules.push(("sidecar-restarts", restarts(b, true).cmp(&restarts(a, true))));
    let created = |p: &Pod| p.metadata.creation_timestamp.as_ref().map(Time::from_k8s);
    rules.push(("age", younger_first(created(a), created(b), a, b, now)));
    rules.into_iter().find(|(_, o)| o.is_ne()).map_or((Ordering::Equal, "equal"), |(rule, o)| (o, rule))
}

fn phase_order(p: &Pod) -> u8 {
    match pods::phase(p) {
        "Unknown" => 1,
        "Running" => 2,
        _ => 0,
    }
}

fn deletion_cost(p: &Pod) -> i32 {
    let cost = p.metadata.annotations.as_ref().and_then(|a| a.get(DELETION_COST));
    cost.and_then(|c| c.parse().ok()).unwrap_or(0)
}

/// Unknown times first, then the younger; ages of the same power of two (in nanoseconds) count as equal and
/// the UID decides, so that scaling down does not always hit the newest. Models `logarithmicRankDiff`.
fn younger_first(ta: Option<Time>, tb: Option<Time>, a: &Pod, b: &Pod, now: Time) -> Ordering {
    let (ta, tb) = match (ta, tb) {
        (Some(ta), Some(tb)) => (ta, tb),
        (ta, tb) => return ta.is_some().cmp(&tb.is_some()),
    };
    if ta == tb {
        return Ordering::Equal;
    }
    let rank = |t: Time| now.since(t).as_micros().saturating_mul(1000).checked_ilog2();
    rank(ta).cmp(&rank(tb)).then_with(|| a.metadata.uid.cmp(&b.metadata.uid))
}

/// The most restarts of any container; of the restartable init containers when `sidecars`.
fn restarts(p: &Pod, sidecars: bool) -> i32 {
    let Some(status) = &p.status else { return 0 };
    let most = |list: &mut dyn Iterator<Item = &ContainerStatus>| list.map(|c| c.restart_count).max().unwrap_or(0);
    if !sidecars {
        return most(&mut status.container_statuses.iter().flatten());
    }
    let init = p.spec.as_ref().and_then(|s| s.init_containers.as_deref()).unwrap_or_default();
    let is_sidecar = |name: &str| init.iter().any(|c| c.name == name && c.restart_policy.as_deref() == Some("Always"));
    most(&mut status.init_container_statuses.iter().flatten().filter(|c| is_sidecar(&c.name)))
}
