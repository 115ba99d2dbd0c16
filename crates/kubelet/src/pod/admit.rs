//! Whether the node takes a pod that was bound to it. Models `pkg/kubelet/lifecycle/predicate.go`.

use super::resources::{Resources, pod_requests};
use super::{SyncCx, Verdict};
use crate::node;
use k8s_openapi::api::core::v1::Pod;
use meta::Quantity;

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
    if !api::nodes::matches(spec, &labels, &cx.config.name) {
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
