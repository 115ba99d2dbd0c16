//! The timeline's entries: those that the filter lets through, and the lanes they are in. Kept current entry by entry:
//! thousands are there, a few are new. Pure.

use super::Model;
use protocol::{Entry, What};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// More nodes' agents than these share one lane.
const AGENTS_MAX: usize = 4;

#[derive(Default)]
pub struct Filtered {
    words: Vec<String>,
    heartbeats: bool,
    /// The model's, see [`Model::since`].
    since: u64,
    /// The newest entry looked at.
    seq: u64,
    /// Oldest first.
    pub entries: VecDeque<Arc<Entry>>,
    /// How many of the entries are whose.
    actors: BTreeMap<Arc<str>, usize>,
    /// From the top; and whether agents of all nodes share a lane.
    lanes: Option<(Vec<String>, bool)>,
}

/// What the filter's words are looked up in: actor, verb, resource, key.
fn matches(entry: &Entry, words: &[String]) -> bool {
    words.iter().all(|w| {
        let has = |s: &str| s.to_lowercase().contains(w.as_str());
        has(&entry.actor)
            || match &entry.what {
                What::Action { action, target } => has(action) || has(target),
                What::Request { verb, resource, key, message, .. } => {
                    has(verb) || has(resource) || has(key.as_str()) || has(message)
                }
                What::Step { item, notes } => has(item) || notes.iter().any(|n| has(&n.code)),
                What::Cycle { cycle } => {
                    let cycle = cycle.outcome();
                    has(&cycle.pod.name) || cycle.node.as_deref().is_some_and(has)
                }
                What::Process { process, state } => has(process) || has(state),
            }
    })
}

/// Lease renewals and node heartbeats: most of a quiet cluster's trace.
fn heartbeat(entry: &Entry) -> bool {
    match &entry.what {
        What::Request { resource, subresource, key, code, .. } => {
            *code < 400
                && (resource.starts_with("leases")
                    || (resource == "nodes" && subresource == "status")
                    || key.namespace() == "kube-node-lease")
        }
        What::Step { item, .. } => item.starts_with("lease") || item.starts_with("kube-node-lease/"),
        _ => false,
    }
}

impl Filtered {
    pub fn set(&mut self, filter: &str, heartbeats: bool) {
        let words: Vec<String> = filter.split_whitespace().map(str::to_lowercase).collect();
        if words != self.words || heartbeats != self.heartbeats {
            *self = Filtered { words, heartbeats, ..Filtered::default() };
        }
    }

    /// Takes in what is new to the model and lets go of what the model let go of.
    pub fn catch_up(&mut self, model: &Model) {
        if model.since != self.since {
            let (words, heartbeats) = (std::mem::take(&mut self.words), self.heartbeats);
            *self = Filtered { words, heartbeats, since: model.since, ..Filtered::default() };
        }
        let first = model.entries.front().map_or(u64::MAX, |e| e.seq);
        while self.entries.front().is_some_and(|e| e.seq < first) {
            let Some(old) = self.entries.pop_front() else { break };
            if let Some(n) = self.actors.get_mut(&old.actor) {
                *n -= 1;
                if *n == 0 {
                    self.actors.remove(&old.actor);
                    self.lanes = None;
                }
            }
        }
        let start = model.entries.partition_point(|e| e.seq <= self.seq);
        for e in model.entries.range(start..) {
            self.seq = e.seq;
            if (!self.heartbeats && heartbeat(e)) || !matches(e, &self.words) {
                continue;
            }
            match self.actors.get_mut(&e.actor) {
                Some(n) => *n += 1,
                None => {
                    self.actors.insert(e.actor.clone(), 1);
                    self.lanes = None;
                }
            }
            self.entries.push_back(e.clone());
        }
    }

    /// From the top; and whether agents of all nodes share a lane.
    pub fn lanes(&mut self) -> &(Vec<String>, bool) {
        self.lanes.get_or_insert_with(|| lanes(self.actors.keys().map(|a| &**a)))
    }
}

/// The lane of an actor, when agents of all nodes share one.
pub fn lane(actor: &str, shared: bool) -> &str {
    match actor.split_once('/') {
        Some((agent, _)) if shared => agent,
        _ => actor,
    }
}

/// You first, then the control plane, then the nodes' agents.
fn rank(lane: &str) -> (u8, &str) {
    let group = match lane {
        "you" => 0,
        "kube-apiserver" => 1,
        "kube-scheduler" => 2,
        _ if lane.starts_with("kubelet") => 4,
        _ if lane.starts_with("kube-proxy") => 5,
        _ => 3,
    };
    (group, lane)
}

fn lanes<'a>(actors: impl Iterator<Item = &'a str> + Clone) -> (Vec<String>, bool) {
    let shared = actors.clone().filter(|a| a.starts_with("kubelet/")).count() > AGENTS_MAX;
    let mut lanes: Vec<String> = actors.map(|a| lane(a, shared).to_string()).collect();
    lanes.sort_by(|a, b| rank(a).cmp(&rank(b)));
    lanes.dedup();
    (lanes, shared)
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Update;

    #[test]
    fn you_come_first_and_many_kubelets_share_a_lane() {
        let few = ["kubelet/n1", "deployment-controller", "you", "kube-scheduler"];
        assert_eq!(lanes(few.into_iter()).0, ["you", "kube-scheduler", "deployment-controller", "kubelet/n1"]);
        let many: Vec<String> = (0..9).map(|i| format!("kubelet/n{i}")).collect();
        assert_eq!(lanes(many.iter().map(String::as_str)), (vec!["kubelet".to_string()], true));
    }

    fn update(reset: bool, entries: &[(u64, &str)]) -> Update {
        let entry = |(seq, actor): &(u64, &str)| {
            let json = format!(
                r#"{{"seq":{seq},"time":0,"cause":0,"actor":"{actor}","what":"process","process":"p","state":"s"}}"#
            );
            serde_json::from_str(&json).unwrap()
        };
        Update { reset, entries: entries.iter().map(entry).collect(), ..Update::default() }
    }
    fn seqs(f: &Filtered) -> Vec<u64> {
        f.entries.iter().map(|e| e.seq).collect()
    }

    #[test]
    fn new_entries_are_added_and_another_filter_looks_at_all() {
        let (mut m, mut f) = (Model::default(), Filtered::default());
        m.apply(update(false, &[(1, "you"), (2, "kube-scheduler")]));
        f.catch_up(&m);
        m.apply(update(false, &[(3, "you")]));
        f.catch_up(&m);
        assert_eq!((seqs(&f), f.lanes().0.len()), (vec![1, 2, 3], 2));
        f.set("YOU", false);
        f.catch_up(&m);
        assert_eq!((seqs(&f), f.lanes().0.clone()), (vec![1, 3], vec!["you".to_string()]));
    }

    #[test]
    fn another_cluster_begins_again() {
        let (mut m, mut f) = (Model::default(), Filtered::default());
        m.apply(update(false, &[(8, "you")]));
        f.catch_up(&m);
        m.apply(update(true, &[(1, "you")]));
        f.catch_up(&m);
        assert_eq!(seqs(&f), [1]);
    }
}
