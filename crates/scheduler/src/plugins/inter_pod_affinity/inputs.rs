//! What InterPodAffinity looks at: the terms, the node's domain, and the pods that matter there.

use super::{AffinityTerm, Filtering, Scoring, is_about};
use crate::framework::topology::value;
use crate::framework::{Handle, NodeInfo, PodInfo};
use trace::explain::Inputs;
use trace::{Note, note};

/// Pods that a note names.
const NAMED_MAX: usize = 3;

/// The first pods of the node's domain that `matters` is true of, and how many there are.
fn pods_in_domain(h: &Handle, key: &str, domain: &str, matters: impl Fn(&PodInfo) -> bool) -> (String, usize) {
    let there = h.snapshot.nodes.iter().filter(|n| value(n, key) == Some(domain));
    let found: Vec<&PodInfo> = there.flat_map(|n| &n.pods).map(|p| &**p).filter(|p| matters(p)).collect();
    let named: Vec<&str> = found.iter().take(NAMED_MAX).map(|p| p.key.as_str()).collect();
    (named.join(", "), found.len())
}

fn with(code: &'static str, t: &AffinityTerm, domain: &str, (pods, n): (String, usize)) -> Note {
    Note::new(code).with("key", &t.topology_key).with("domain", domain).with("n", n).with("pods", pods)
}

pub fn filter(s: &Filtering, h: &Handle, pod: &PodInfo, node: &NodeInfo) -> Inputs {
    let mut inputs = Inputs::default();
    let first_of_series = s.affinity.is_zero() && super::matches_all(&s.terms, pod);
    for t in &*s.terms {
        let Some(domain) = value(node, &t.topology_key) else {
            inputs.notes.push(note!("cell.affinity-no-key", key = &t.topology_key));
            continue;
        };
        let near = pods_in_domain(h, &t.topology_key, domain, |p| super::matches_all(&s.terms, p));
        let code = match near.1 {
            0 if first_of_series => "cell.affinity-first",
            0 => "cell.affinity-unmet",
            _ => "cell.affinity-met",
        };
        inputs.notes.push(with(code, t, domain, near));
    }
    for t in &*s.anti_terms {
        let Some(domain) = value(node, &t.topology_key) else { continue };
        let near = pods_in_domain(h, &t.topology_key, domain, |p| is_about(t, p, None));
        let code = if near.1 > 0 { "cell.anti-affinity-unmet" } else { "cell.anti-affinity-met" };
        inputs.notes.push(with(code, t, domain, near));
    }
    let labels = s.namespace_labels.as_ref();
    for d in &s.existing_anti.0 {
        let Some(domain) = value(node, d.key()).filter(|_| d.at(node).is_some_and(|n| n > 0)) else { continue };
        let keeps = |p: &PodInfo| {
            p.affinity.required_anti.iter().any(|t| t.topology_key == d.key() && is_about(t, pod, labels))
        };
        let (pods, n) = pods_in_domain(h, d.key(), domain, keeps);
        inputs.notes.push(note!("cell.existing-anti", key = d.key(), domain = domain, n = n, pods = pods));
    }
    inputs
}

/// The weights that speak for the node's domains.
pub fn score(s: &Scoring, node: &NodeInfo) -> Inputs {
    let mut inputs = Inputs::default();
    for d in &s.0.0 {
        let Some(domain) = value(node, d.key()) else { continue };
        if let Some(n) = d.at(node) {
            inputs.notes.push(note!("cell.affinity-score", key = d.key(), domain = domain, sum = n));
        }
    }
    inputs
}
