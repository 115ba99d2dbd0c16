//! What PodTopologySpread counts, domain by domain.

use super::{Filtering, HOSTNAME, Scoring};
use crate::framework::NodeInfo;
use crate::framework::topology::Domains;
use trace::explain::Inputs;
use trace::{Note, note};

/// More domains than this are only counted.
const DOMAINS_MAX: usize = 12;

fn domains(counts: &Domains) -> impl Iterator<Item = Note> {
    let all = counts.by_value();
    let more = all.len().saturating_sub(DOMAINS_MAX);
    let shown: Vec<Note> = all
        .into_iter()
        .take(DOMAINS_MAX)
        .map(|(value, n)| note!("cell.domain", key = counts.key(), domain = value, pods = n))
        .collect();
    shown.into_iter().chain((more > 0).then(|| note!("cell.domains-more", key = counts.key(), n = more)))
}

pub fn filter(s: &Filtering, node: &NodeInfo) -> Inputs {
    let mut inputs = Inputs::default();
    for (i, c) in s.constraints.iter().enumerate() {
        let Some(at) = s.counts[i].of(node) else {
            inputs.notes.push(note!("cell.spread-no-key", key = &c.topology_key));
            continue;
        };
        let known = s.counts[i].known();
        let min = if known < c.min_domains { 0 } else { s.min[i] };
        let here = s.counts[i].get(at).unwrap_or(0);
        let skew = here + i64::from(s.own[i]) - min;
        if known < c.min_domains {
            inputs.notes.push(note!("cell.min-domains", key = &c.topology_key, want = c.min_domains, have = known));
        }
        let args = |code| {
            Note::new(code)
                .with("key", &c.topology_key)
                .with("domain", s.counts[i].value(at))
                .with("here", here)
                .with("min", min)
                .with("skew", skew)
                .with("max", c.max_skew)
                .with("selector", &c.selector)
        };
        inputs.notes.push(args(if skew > c.max_skew { "cell.spread-skewed" } else { "cell.spread" }));
        inputs.notes.extend(domains(&s.counts[i]));
    }
    inputs
}

pub fn score(s: &Scoring, node: &NodeInfo) -> Inputs {
    let mut inputs = Inputs::default();
    for (i, c) in s.constraints.iter().enumerate() {
        let Some(at) = s.counts[i].of(node) else {
            inputs.notes.push(note!("cell.spread-no-key", key = &c.topology_key));
            continue;
        };
        let here = match c.topology_key == HOSTNAME {
            true => s.on_host(i, node),
            false => s.counts[i].get(at).unwrap_or(0),
        };
        let weight = format!("{:.3}", s.weights[i]);
        inputs.notes.push(note!(
            "cell.spread-score",
            key = &c.topology_key,
            domain = s.counts[i].value(at),
            here = here,
            weight = weight,
            max = c.max_skew
        ));
    }
    inputs
}
