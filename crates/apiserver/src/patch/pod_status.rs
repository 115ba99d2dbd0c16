//! The patch that clusters are made of: a kubelet's merge patch of `pods/NAME/status`. The same result as by way of a
//! JSON tree of the whole pod, without making one.

use k8s_openapi::api::core::v1::{Pod, PodStatus};
use meta::Quantity;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The patched pod without its spec, which a write of the status takes from the stored pod. `None` when the patch is
/// more than new values for top-level fields of the status: the general way knows what to do and what to say.
pub fn merge(old: &Pod, patch: &Value) -> Option<Pod> {
    let mut metadata = old.metadata.clone();
    let mut fields = None;
    for (part, value) in patch.as_object()? {
        match part.as_str() {
            "status" => fields = Some(value.as_object()?),
            "metadata" => {
                let meta = value.as_object()?;
                if meta.keys().any(|k| k != "uid") {
                    return None;
                }
                metadata.uid = Some(meta.get("uid")?.as_str()?.into());
            }
            _ => return None,
        }
    }
    let status = overlay(old.status.as_ref(), fields?)?;
    Some(Pod { metadata, spec: None, status: Some(status) })
}

fn overlay(old: Option<&PodStatus>, fields: &Map<String, Value>) -> Option<PodStatus> {
    // Null takes a field away, and an object is merged with what is there.
    if fields.values().any(|v| v.is_null() || v.is_object()) {
        return None;
    }
    let mut new = PodStatus::deserialize(&Value::Object(fields.clone())).ok()?;
    if !quantities_are_canonical(&new) {
        return None;
    }
    let Some(old) = old else { return Some(new) };
    macro_rules! keep {
        ($($field:ident)*) => {$(
            if new.$field.is_none() {
                new.$field.clone_from(&old.$field);
            }
        )*};
    }
    keep!(allocated_resources conditions container_statuses ephemeral_container_statuses);
    keep!(extended_resource_claim_status host_ip host_ips init_container_statuses message nominated_node_name);
    keep!(observed_generation phase pod_ip pod_ips qos_class reason resize resource_claim_statuses resources start_time);
    Some(new)
}

/// Decoding puts quantities in canonical form; these need it no more.
fn quantities_are_canonical(status: &PodStatus) -> bool {
    let lists = [&status.container_statuses, &status.init_container_statuses, &status.ephemeral_container_statuses];
    let containers = lists.into_iter().flatten().flatten();
    let amounts = containers.flat_map(|c| {
        let limits = c.resources.as_ref().and_then(|r| r.limits.as_ref());
        let requests = c.resources.as_ref().and_then(|r| r.requests.as_ref());
        [c.allocated_resources.as_ref(), limits, requests]
    });
    amounts.flatten().flat_map(|list| list.values()).all(|q| Quantity::parse(&q.0).is_ok_and(|p| p.to_string() == q.0))
}

#[cfg(test)]
mod tests {
    use super::merge;
    use crate::patch::apply;
    use crate::request::PatchType;
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::{Value, json};

    fn pod() -> Value {
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "web", "namespace": "default", "uid": "u", "labels": {"app": "web"}},
            "spec": {"containers": [{"name": "c", "image": "nginx"}]},
            "status": {"phase": "Pending", "qosClass": "BestEffort", "conditions": [{"type": "Ready", "status": "False"}]},
        })
    }

    /// Whether the short way was taken; when it was, it gave what the long way gives.
    fn check(patch: &Value) -> bool {
        let old: Pod = serde_json::from_value(pod()).expect("a pod");
        let Some(short) = merge(&old, patch) else { return false };
        let long = apply(PatchType::Merge, pod(), patch, "Pod").expect("a merge");
        let mut long: Pod = serde_json::from_value(long).expect("a pod");
        long.spec = None;
        assert_eq!(short, long);
        true
    }

    #[test]
    fn the_short_way_agrees_with_the_long_one() {
        for patch in [
            json!({"status": {"phase": "Running"}}),
            json!({"metadata": {"uid": "u"}, "status": {"podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}]}}),
            json!({"metadata": {"uid": "other"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}),
            json!({"status": {"containerStatuses": [{"name": "c", "image": "nginx", "imageID": "", "ready": true,
                   "restartCount": 0, "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}]}}),
            json!({"status": {"unheardOf": "x"}}),
        ] {
            assert!(check(&patch), "{patch}");
        }
    }

    #[test]
    fn everything_else_goes_the_long_way() {
        for patch in [
            json!({}),
            json!({"status": null}),
            json!({"status": {"phase": null}}),
            json!({"status": {"resources": {"requests": {"cpu": "1"}}}}),
            json!({"status": {"containerStatuses": [{"name": "c", "image": "nginx", "imageID": "", "ready": true,
                   "restartCount": 0, "allocatedResources": {"cpu": "1000m"}}]}}),
            json!({"status": {"phase": 3}}),
            json!({"metadata": {"labels": {"a": "b"}}, "status": {"phase": "Running"}}),
            json!({"metadata": {"uid": null}, "status": {"phase": "Running"}}),
            json!({"spec": {"nodeName": "n"}, "status": {"phase": "Running"}}),
        ] {
            assert!(!check(&patch), "{patch}");
        }
    }
}
