//! Whether the node takes a pod that was bound to it. Models `pkg/kubelet/lifecycle/predicate.go`.

use super::resources::{Resources, pod_requests};
use super::{SyncCx, Verdict};
use crate::node;
use k8s_openapi::api::core::v1::{NodeSelectorRequirement, NodeSelectorTerm, Pod, PodSpec};
use meta::Quantity;
use meta::labels::{Labels, Op, Requirement};

/// `used` is what the pods already admitted request, and `pods` how many they are.
pub fn admit(cx: &SyncCx, pod: &Pod, used: &Resources, pods: i64) -> Option<Verdict> {
    let spec = pod.spec.as_ref()?;
    let allocatable = node::allocatable(cx.config);
    let capacity = |name: &str| allocatable.get(name).map_or(Quantity::ZERO, Quantity::of);
    if pods + 1 > cx.config.capacity.pods {
        return Some(out_of("pods", 1, pods, cx.config.capacity.pods));
    }
    for (name, wanted) in pod_requests(spec) {
        if wanted.is_zero() {
            continue;
        }
        let (have, taken) = (capacity(&name), used.get(&name).copied().unwrap_or_default());
        if taken + wanted > have {
            let n = |q: Quantity| if name == "cpu" { q.milli_value() } else { q.value() };
            return Some(out_of(&name, n(wanted), n(taken), n(have)));
        }
    }
    let labels = cx.node.and_then(|n| n.metadata.labels.clone()).unwrap_or_else(|| node::labels(cx.config));
    if !matches_node(spec, &labels, &cx.config.name) {
        let message = "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector";
        return Some(Verdict { reason: "NodeAffinity".into(), message: message.into() });
    }
    None
}

fn out_of(resource: &str, requested: i64, used: i64, capacity: i64) -> Verdict {
    Verdict {
        reason: format!("OutOf{resource}"),
        message: format!(
            "Node didn't have enough resource: {resource}, requested: {requested}, used: {used}, capacity: {capacity}"
        ),
    }
}

/// `nodeSelector` and the required node affinity. Models `component-helpers/scheduling/corev1/nodeaffinity`.
pub fn matches_node(spec: &PodSpec, labels: &Labels, name: &str) -> bool {
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
