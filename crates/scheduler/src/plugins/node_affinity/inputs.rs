//! What NodeAffinity looks at on a node, requirement by requirement.

use super::node_affinity;
use crate::framework::{NodeInfo, PodInfo};
use crate::plugins::node_selector::{PreferredTerms, Terms};
use k8s_openapi::api::core::v1::{NodeSelector, NodeSelectorRequirement, NodeSelectorTerm};
use meta::Path;
use trace::explain::Inputs;
use trace::{Note, note};

fn text(r: &NodeSelectorRequirement) -> String {
    let values = r.values.clone().unwrap_or_default();
    match r.operator.as_str() {
        "Exists" | "DoesNotExist" => format!("{} {}", r.key, r.operator),
        "In" | "NotIn" => format!("{} {} [{}]", r.key, r.operator, values.join(", ")),
        operator => format!("{} {operator} {}", r.key, values.join(", ")),
    }
}

/// The requirements of a term that the node does not meet.
fn unmet(term: &NodeSelectorTerm, index: usize, node: &NodeInfo) -> Vec<Note> {
    let alone = |expression: Option<&NodeSelectorRequirement>, field: Option<&NodeSelectorRequirement>| {
        let term = NodeSelectorTerm {
            match_expressions: expression.map(|r| vec![r.clone()]),
            match_fields: field.map(|r| vec![r.clone()]),
        };
        Terms::new(&NodeSelector { node_selector_terms: vec![term] }).matches(&node.node)
    };
    let mut notes = Vec::new();
    for r in term.match_expressions.iter().flatten().filter(|r| !alone(Some(r), None)) {
        notes.push(match node.labels().and_then(|l| l.get(&r.key)) {
            Some(have) => note!("cell.requirement", term = index + 1, requirement = text(r), key = &r.key, have = have),
            None => note!("cell.requirement-absent", term = index + 1, requirement = text(r), key = &r.key),
        });
    }
    for r in term.match_fields.iter().flatten().filter(|r| !alone(None, Some(r))) {
        notes.push(note!("cell.requirement", term = index + 1, requirement = text(r), key = &r.key, have = &node.name));
    }
    notes
}

/// The pod's nodeSelector and required terms. Terms are alternatives: when one matches, the others are not told of.
pub fn filter(pod: &PodInfo, node: &NodeInfo) -> Inputs {
    let mut inputs = Inputs::default();
    for (key, want) in pod.pod.spec.iter().flat_map(|s| s.node_selector.iter().flatten()) {
        inputs.notes.push(match node.labels().and_then(|l| l.get(key)) {
            Some(have) if have == want => note!("cell.selector-matches", key = key, want = want),
            Some(have) => note!("cell.selector-differs", key = key, want = want, have = have),
            None => note!("cell.selector-absent", key = key, want = want),
        });
    }
    let required = node_affinity(pod).and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref());
    let terms = required.map(|r| r.node_selector_terms.as_slice()).unwrap_or_default();
    let failed: Vec<Vec<Note>> = terms.iter().enumerate().map(|(i, t)| unmet(t, i, node)).collect();
    match failed.iter().position(Vec::is_empty) {
        Some(i) => inputs.notes.push(note!("cell.term-matches", term = i + 1)),
        None => inputs.notes.extend(failed.into_iter().flatten()),
    }
    inputs
}

/// The preferred terms that speak for the node.
pub fn score(pod: &PodInfo, node: &NodeInfo) -> Inputs {
    let preferred = node_affinity(pod).and_then(|a| a.preferred_during_scheduling_ignored_during_execution.as_ref());
    let mut inputs = Inputs::default();
    for (i, t) in preferred.into_iter().flatten().enumerate() {
        let speaks =
            PreferredTerms::parse(std::slice::from_ref(t), &Path::default()).is_ok_and(|p| p.score(&node.node) > 0);
        inputs.notes.push(match speaks {
            true => note!("cell.preference", term = i + 1, weight = t.weight),
            false => note!("cell.preference-unmet", term = i + 1, weight = t.weight),
        });
    }
    inputs
}
