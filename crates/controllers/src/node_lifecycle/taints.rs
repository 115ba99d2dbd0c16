//! Taints that mirror conditions. Models `doNoScheduleTaintingPass` and `SwapNodeControllerTaint`.

use super::name;
use api::{Object, ObjectExt};
use k8s_openapi::api::core::v1::{Node, Taint};
use meta::Time;
use reconcile::{Cx, Intent, Outcome};
use serde_json::json;
use trace::note;

pub const NO_EXECUTE: &str = "NoExecute";
const NO_SCHEDULE: &str = "NoSchedule";
pub const NOT_READY: &str = "node.kubernetes.io/not-ready";
pub const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

/// Condition, its status, and the taint that says so.
const BY_CONDITION: &[(&str, &str, &str)] = &[
    ("Ready", "False", NOT_READY),
    ("Ready", "Unknown", UNREACHABLE),
    ("MemoryPressure", "True", "node.kubernetes.io/memory-pressure"),
    ("DiskPressure", "True", "node.kubernetes.io/disk-pressure"),
    ("NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"),
    ("PIDPressure", "True", "node.kubernetes.io/pid-pressure"),
];

pub fn list(node: &Node) -> impl Iterator<Item = &Taint> {
    node.spec.iter().flat_map(|s| s.taints.iter().flatten())
}

pub fn new(key: &str, effect: &str, now: Time) -> Taint {
    Taint { key: key.into(), effect: effect.into(), value: None, time_added: Some(now.to_k8s()) }
}

/// Replaces the node's taints. Others may have changed them meanwhile, so the version is a precondition.
pub fn write(node: &Node, taints: Vec<Taint>) -> Intent {
    let taints = if taints.is_empty() { serde_json::Value::Null } else { json!(taints) };
    let mut patch = json!({ "spec": { "taints": taints } });
    if let Some(rv) = &node.metadata.resource_version {
        patch["metadata"] = json!({ "resourceVersion": rv });
    }
    let o: &dyn Object = node;
    Intent::patch(o.kind(), o.key(), "", patch)
}

pub fn sync_no_schedule(cx: &Cx, node: &Node, out: &mut Outcome) {
    let mut wanted: Vec<&str> = Vec::new();
    for c in node.status.iter().flat_map(|s| s.conditions.iter().flatten()) {
        wanted.extend(BY_CONDITION.iter().filter(|(t, s, _)| *t == c.type_ && *s == c.status).map(|(_, _, key)| *key));
    }
    if node.spec.as_ref().and_then(|s| s.unschedulable) == Some(true) {
        wanted.push(UNSCHEDULABLE);
    }
    let ours = |t: &Taint| {
        t.effect == NO_SCHEDULE && (t.key == UNSCHEDULABLE || BY_CONDITION.iter().any(|(_, _, key)| *key == t.key))
    };
    let has = |key: &str| list(node).any(|t| t.effect == NO_SCHEDULE && t.key == key);
    let add: Vec<&str> = wanted.iter().copied().filter(|k| !has(k)).collect();
    let remove: Vec<&str> =
        list(node).filter(|t| ours(t) && !wanted.contains(&t.key.as_str())).map(|t| t.key.as_str()).collect();
    if add.is_empty() && remove.is_empty() {
        return;
    }
    if cx.recording {
        for key in &add {
            out.note(note!("node.taint", node = name(node), taint = key));
        }
        for key in &remove {
            out.note(note!("node.untaint", node = name(node), taint = key));
        }
    }
    let mut taints: Vec<Taint> = list(node).filter(|t| !ours(t) || wanted.contains(&t.key.as_str())).cloned().collect();
    taints.extend(add.iter().map(|key| new(key, NO_SCHEDULE, cx.now)));
    out.push(write(node, taints));
}
