//! What an update changed, by the labels that upstream's metrics and log lines have for it. Models
//! `NodeSchedulingPropertiesChange` and `PodSchedulingPropertiesChange` of `pkg/scheduler/framework/events.go`.

use super::pod_info::PodInfo;
use super::resource::{ApiList, Resource};
use k8s_openapi::api::core::v1::Node;
use std::collections::BTreeMap;

type Labels = Vec<&'static str>;

fn those_that_hold<const N: usize>(changes: [(&'static str, bool); N]) -> Labels {
    changes.into_iter().filter(|(_, holds)| *holds).map(|(label, _)| label).collect()
}

/// What changed of a node that may help a pod, in upstream's order; nothing for a heartbeat or a cordon.
pub fn of_node(old: &Node, new: &Node) -> Labels {
    fn status(n: &Node) -> (Option<&ApiList>, BTreeMap<&str, &str>) {
        let s = n.status.as_ref();
        let conditions = s.and_then(|s| s.conditions.as_ref());
        let conditions = conditions.into_iter().flatten().map(|c| (c.type_.as_str(), c.status.as_str()));
        (s.and_then(|s| s.allocatable.as_ref()), conditions.collect())
    }
    let taints = |n: &Node| n.spec.as_ref().and_then(|s| s.taints.clone()).unwrap_or_default();
    let cordoned = |n: &Node| n.spec.as_ref().and_then(|s| s.unschedulable).unwrap_or(false);
    let ((old_amounts, old_conditions), (new_amounts, new_conditions)) = (status(old), status(new));
    let (m, n) = (&old.metadata, &new.metadata);
    those_that_hold([
        // Upstream has no label of its own for this one.
        ("NodeUpdateNodeTaint", cordoned(old) && !cordoned(new)),
        ("NodeUpdateNodeAllocatable", old_amounts != new_amounts),
        ("NodeUpdateNodeLabel", m.labels != n.labels),
        ("NodeUpdateNodeTaint", taints(old) != taints(new)),
        ("NodeUpdateNodeCondition", old_conditions != new_conditions),
        ("NodeUpdateNodeAnnotation", m.annotations != n.annotations),
    ])
}

/// The same of a pod, on a node or waiting for one.
pub fn of_pod(old: &PodInfo, new: &PodInfo) -> Labels {
    let gated = |p: &PodInfo| p.pod.spec.iter().any(|s| s.scheduling_gates.iter().any(|g| !g.is_empty()));
    let generated = |p: &PodInfo| p.pod.status.as_ref().and_then(|s| s.resource_claim_statuses.clone());
    let changed = [
        old.pod.metadata.labels != new.pod.metadata.labels,
        shrank(&old.requests, &new.requests),
        gated(old) && !gated(new),
        // Tolerations can only be added.
        old.tolerations().len() != new.tolerations().len(),
        generated(old) != generated(new),
    ];
    let [label, less, gates, toleration, claims] = changed;
    let some = if new.node_name().is_some() {
        those_that_hold([
            ("AssignedPodUpdatePodLabel", label),
            ("AssignedPodUpdatePodScaleDown", less),
            ("AssignedPodUpdatePodToleration", toleration),
        ])
    } else {
        those_that_hold([
            ("UnschedulablePodUpdatePodLabel", label),
            ("UnschedulablePodUpdatePodScaleDown", less),
            ("UnschedulablePodUpdatePodSchedulingGatesEliminated", gates),
            ("UnschedulablePodUpdatePodToleration", toleration),
            ("UnschedulablePodUpdatePodGeneratedResourceClaim", claims),
        ])
    };
    match (some.is_empty(), new.node_name()) {
        (false, _) => some,
        (true, Some(_)) => vec!["AssignedPodUpdate"],
        (true, None) => vec!["UnschedulablePodUpdate"],
    }
}

fn shrank(old: &Resource, new: &Resource) -> bool {
    let scalars = old.scalar.iter().any(|(name, n)| new.scalar(name).unwrap_or(0) < *n);
    scalars || ["cpu", "memory", "ephemeral-storage"].iter().any(|name| new.amount(name) < old.amount(name))
}

/// The change that `plugin` asked to hear of; the first one when it asked for none of these, or nobody was asked. Models
/// the action types of `EventsToRegister`.
pub fn that_concerns(plugin: &str, changes: &Labels) -> &'static str {
    let registered: &[&str] = match plugin {
        "NodeResourcesFit" => &["UpdateNodeAllocatable", "UpdatePodScaleDown"],
        "NodeUnschedulable" | "TaintToleration" => &["UpdateNodeTaint", "UpdatePodToleration"],
        "SchedulingGates" => &["UpdatePodSchedulingGatesEliminated"],
        "DynamicResources" => &["UpdatePodGeneratedResourceClaim", "UpdateNodeLabel", "UpdateNodeTaint"],
        _ => &["UpdateNodeLabel", "UpdatePodLabel", "UpdatePodToleration"],
    };
    let concerns = |label: &&&str| registered.iter().any(|action| label.ends_with(action));
    changes.iter().find(concerns).or(changes.first()).copied().unwrap_or_default()
}
