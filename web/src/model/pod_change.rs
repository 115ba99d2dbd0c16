//! Merge patches (RFC 7386) of a pod. Lists are replaced whole, so a patch of a container carries all of them. Pure.

use serde_json::{Value, json};

/// The first container's request for `resource` becomes `value`; a limit below it goes.
pub fn request(pod: &Value, resource: &str, value: &str) -> Value {
    let mut containers = pod["spec"]["containers"].clone();
    if let Some(first) = containers.get_mut(0).and_then(Value::as_object_mut) {
        let resources = first.entry("resources").or_insert_with(|| json!({}));
        if !resources.is_object() {
            *resources = json!({});
        }
        resources["requests"][resource] = value.into();
        if let Some(limits) = resources.get_mut("limits").and_then(Value::as_object_mut) {
            limits.remove(resource);
        }
    }
    json!({"spec": {"containers": containers}})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_request_changes_and_the_containers_stay() {
        let pod = json!({"spec": {"containers": [
            {"name": "a", "resources": {"requests": {"cpu": "64", "memory": "1Gi"}, "limits": {"cpu": "64"}}},
            {"name": "b"},
        ]}});
        let patch = request(&pod, "cpu", "1");
        let want = json!({"spec": {"containers": [
            {"name": "a", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {}}},
            {"name": "b"},
        ]}});
        assert_eq!(patch, want);
        let bare = request(&json!({"spec": {"containers": [{"name": "a"}]}}), "cpu", "1");
        assert_eq!(bare["spec"]["containers"][0]["resources"]["requests"]["cpu"], "1");
    }
}
