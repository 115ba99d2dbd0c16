//! Fields of objects by path: `spec/template/spec/containers[]/name`, `[]` meaning every item.

use serde_json::{Value, json};

/// Calls `f` with every field that a path leads to. With `create`, maps on the way are made.
pub(super) fn each(v: &mut Value, path: &str, create: bool, f: &mut dyn FnMut(&mut Value)) {
    let Some((step, rest)) = path.split_once('/').or((!path.is_empty()).then_some((path, ""))) else {
        return f(v);
    };
    let (field, items) = step.strip_suffix("[]").map_or((step, false), |s| (s, true));
    let Some(map) = v.as_object_mut() else { return };
    if !map.contains_key(field) || map[field].is_null() {
        if !create || items {
            return;
        }
        map.insert(field.into(), json!({}));
    }
    let Some(next) = map.get_mut(field) else { return };
    match (next, items) {
        (Value::Array(list), true) => list.iter_mut().for_each(|i| each(i, rest, create, f)),
        (next, false) => each(next, rest, create, f),
        _ => {}
    }
}

/// Where an object's pods are described: the path of what has `metadata` and `spec`.
pub(super) fn template(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet" | "Job" | "ReplicationController" => "spec/template",
        "CronJob" => "spec/jobTemplate/spec/template",
        "PodTemplate" => "template",
        _ => return None,
    })
}

/// The path of a pod's spec in an object.
pub(super) fn pod_spec(kind: &str) -> Option<String> {
    match kind {
        "Pod" => Some("spec".into()),
        kind => template(kind).map(|t| format!("{t}/spec")),
    }
}
