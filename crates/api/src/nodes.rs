//! What components ask of nodes.

use k8s_openapi::api::core::v1::{NodeSelectorRequirement, NodeSelectorTerm, PodSpec, Taint, Toleration};
use meta::labels::{Labels, Op, Requirement};

/// Models `helper.IsExtendedResourceName`.
pub fn is_extended_resource(name: &str) -> bool {
    crate::kinds::pod::resources::is_extended(name)
}

/// `nodeSelector` and the required node affinity. Models `component-helpers/scheduling/corev1/nodeaffinity`.
/// The node is known by its labels and its name.
pub fn matches(spec: &PodSpec, labels: &Labels, name: &str) -> bool {
    if spec.node_selector.iter().flatten().any(|(k, v)| labels.get(k) != Some(v)) {
        return false;
    }
    let required = spec
        .affinity
        .as_ref()
        .and_then(|a| a.node_affinity.as_ref())
        .and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref());
    required.is_none_or(|r| r.node_selector_terms.iter().any(|t| matches_term(t, labels, name)))
}

fn matches_term(t: &NodeSelectorTerm, labels: &Labels, name: &str) -> bool {
    let expressions = t.match_expressions.as_deref().unwrap_or_default();
    let fields = t.match_fields.as_deref().unwrap_or_default();
    if expressions.is_empty() && fields.is_empty() {
        return false;
    }
    let field_labels = Labels::from([("metadata.name".to_string(), name.to_string())]);
    let all = |rs: &[NodeSelectorRequirement], on: &Labels| {
        rs.iter().all(|r| requirement(r).is_some_and(|r| r.matches(Some(on))))
    };
    all(expressions, labels) && all(fields, &field_labels)
}

fn requirement(r: &NodeSelectorRequirement) -> Option<Requirement> {
    let op = match r.operator.as_str() {
        "In" => Op::In,
        "NotIn" => Op::NotIn,
        "Exists" => Op::Exists,
        "DoesNotExist" => Op::DoesNotExist,
        "Gt" => Op::Gt,
        "Lt" => Op::Lt,
        _ => return None,
    };
    Some(Requirement { key: r.key.clone(), op, values: r.values.clone().unwrap_or_default() })
}

/// Models `Toleration.ToleratesTaint`.
pub fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    let text = |s: &Option<String>| s.clone().unwrap_or_default();
    let (effect, key) = (text(&toleration.effect), text(&toleration.key));
    if !(effect.is_empty() || effect == taint.effect) || !(key.is_empty() || key == taint.key) {
        return false;
    }
    match text(&toleration.operator).as_str() {
        "" | "Equal" => text(&toleration.value) == text(&taint.value),
        "Exists" => true,
        _ => false,
    }
}
