//! What commands ask of objects of several kinds. Models `kubectl/pkg/polymorphichelpers`.

use serde_json::{Map, Value};

fn kind(o: &Value) -> &str {
    o["kind"].as_str().unwrap_or("")
}

/// Labels that pick an object's pods. Models `mapBasedSelectorForObject`.
pub(crate) fn map_selector(o: &Value) -> Result<Map<String, Value>, String> {
    let of = |v: &Value| v.as_object().cloned().unwrap_or_default();
    match kind(o) {
        "ReplicationController" => Ok(of(&o["spec"]["selector"])),
        "Pod" => {
            let labels = of(&o["metadata"]["labels"]);
            if labels.is_empty() {
                return Err("the pod has no labels and cannot be exposed".into());
            }
            Ok(labels)
        }
        "Service" => {
            let selector = of(&o["spec"]["selector"]);
            if selector.is_empty() {
                return Err("the service has no pod selector set".into());
            }
            Ok(selector)
        }
        "Deployment" if of(&o["spec"]["selector"]["matchLabels"]).is_empty() => {
            Err("invalid deployment: no selectors, therefore cannot be exposed".into())
        }
        "ReplicaSet" if of(&o["spec"]["selector"]["matchLabels"]).is_empty() => {
            Err("invalid replicaset: no selectors, therefore cannot be exposed".into())
        }
        _ => {
            if let Some(list) = o["spec"]["selector"]["matchExpressions"].as_array().filter(|e| !e.is_empty()) {
                let shown: Vec<String> = list.iter().map(requirement).collect();
                return Err(format!(
                    "couldn't convert expressions - \"[{}]\" to map-based selector format",
                    shown.join(" ")
                ));
            }
            Ok(of(&o["spec"]["selector"]["matchLabels"]))
        }
    }
}

/// `%+v` of a requirement.
fn requirement(e: &Value) -> String {
    let text = |f: &str| e[f].as_str().unwrap_or("").to_string();
    let values: Vec<&str> = e["values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    format!("{{Key:{} Operator:{} Values:[{}]}}", text("key"), text("operator"), values.join(" "))
}

/// The template of the pods, or the pod itself.
pub(crate) fn pod_spec(o: &Value) -> Option<&'static str> {
    match kind(o) {
        "Pod" => Some("/spec"),
        "CronJob" => Some("/spec/jobTemplate/spec/template/spec"),
        "Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet" | "Job" | "ReplicationController" => {
            Some("/spec/template/spec")
        }
        _ => None,
    }
}

/// Ports with their protocols, in the object's order.
pub(crate) fn ports(o: &Value) -> Vec<(i64, String)> {
    let of = |list: &Value, field: &str| -> Vec<(i64, String)> {
        list.as_array()
            .into_iter()
            .flatten()
            .filter_map(|p| Some((p[field].as_i64()?, p["protocol"].as_str().unwrap_or("TCP").to_string())))
            .collect()
    };
    if kind(o) == "Service" {
        return of(&o["spec"]["ports"], "port");
    }
    let Some(spec) = pod_spec(o).and_then(|p| o.pointer(p)) else { return Vec::new() };
    spec["containers"].as_array().into_iter().flatten().flat_map(|c| of(&c["ports"], "containerPort")).collect()
}

/// The selector of an object's pods, as a query has it. Models `SelectorsForObject`.
pub(crate) fn pod_selector(o: &Value) -> Option<String> {
    let selector = match kind(o) {
        "ReplicationController" | "Service" => &o["spec"]["selector"],
        "Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet" | "Job" => {
            return Some(of_label_selector(&o["spec"]["selector"]));
        }
        _ => return None,
    };
    selector.as_object().filter(|m| !m.is_empty()).map(equalities)
}

fn equalities(m: &Map<String, Value>) -> String {
    let pairs: Vec<String> = m.iter().map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or(""))).collect();
    pairs.join(",")
}

pub(crate) fn of_label_selector(s: &Value) -> String {
    let mut parts: Vec<String> = Vec::new();
    if let Some(m) = s["matchLabels"].as_object().filter(|m| !m.is_empty()) {
        parts.push(equalities(m));
    }
    for e in s["matchExpressions"].as_array().into_iter().flatten() {
        let (key, operator) = (e["key"].as_str().unwrap_or(""), e["operator"].as_str().unwrap_or(""));
        let values: Vec<&str> = e["values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let values = values.join(",");
        parts.push(match operator {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key.to_string(),
            _ => format!("!{key}"),
        });
    }
    parts.join(",")
}
