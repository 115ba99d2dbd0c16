//! `pods/NAME/resize`: other resources for containers that run. Models `podResizeStrategy` and `ValidatePodResize`.

use super::{diff, spec};
use crate::pods;
use k8s_openapi::api::core::v1::{Container, Pod, PodSpec, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use meta::{FieldError, Path};
use std::collections::BTreeMap;

type List = Option<BTreeMap<String, Quantity>>;

/// Only the containers' resources and resize policies of `new` count. Models `dropNonResizeUpdates`.
pub fn keep_all_but_resources(new: &mut Pod, old: &Pod) {
    let given = new.spec.take().unwrap_or_default();
    let version = new.metadata.resource_version.take();
    *new = old.clone();
    if version.as_deref().is_some_and(|v| !v.is_empty()) {
        new.metadata.resource_version = version;
    }
    let Some(spec) = &mut new.spec else { return };
    let merge = |now: Vec<Container>, then: &mut Vec<Container>| {
        // Other containers are a mistake that validation will find.
        if now.len() != then.len() || now.iter().zip(then.iter()).any(|(n, t)| n.name != t.name) {
            *then = now;
            return;
        }
        for (n, t) in now.into_iter().zip(then) {
            t.resources = n.resources;
            t.resize_policy = n.resize_policy;
        }
    };
    merge(given.containers, &mut spec.containers);
    if let Some(init) = &mut spec.init_containers {
        merge(given.init_containers.unwrap_or_default(), init);
    }
}

pub fn validate_resize(new: &Pod, old: &Pod) -> Vec<FieldError> {
    let path = Path::new("spec");
    let none = PodSpec::default();
    let (now, then) = (new.spec.as_ref().unwrap_or(&none), old.spec.as_ref().unwrap_or(&none));
    let mut errors = spec::validate_pod_and_spec(new, now);
    if crate::references::is_mirror(old) {
        return vec![FieldError::forbidden(&Path::new("[]"), "static pods cannot be resized")];
    }
    let (before, after) = (pods::qos_class(old), pods::qos_class(new));
    if before != after {
        errors.push(FieldError::invalid(&path, after, "Pod QOS Class may not change as a result of resizing"));
    }
    if now.containers.len() != then.containers.len() {
        errors.push(FieldError::forbidden(&path, "containers may not be renamed or reordered on resize"));
        return errors;
    }
    let mut munged = now.clone();
    for (i, (m, o)) in munged.containers.iter_mut().zip(&then.containers).enumerate() {
        if m.name != o.name {
            errors.push(FieldError::forbidden(&path, "containers may not be renamed or reordered on resize"));
            return errors;
        }
        let at = path.child("containers").index(i).child("resources");
        container(m, o, &at, &mut errors);
    }
    for (i, m) in munged.init_containers.iter_mut().flatten().enumerate() {
        let Some(o) = then.init_containers.as_ref().and_then(|l| l.get(i)) else { continue };
        if pods::is_restartable_init(o) {
            let at = path.child("initContainers").index(i).child("resources");
            container(m, o, &at, &mut errors);
        } else if m.resources != o.resources {
            let at = path.child("initContainers");
            errors.push(FieldError::forbidden(&at, "resources for non-sidecar init containers are immutable"));
            m.resources.clone_from(&o.resources);
        }
    }
    if munged != *then {
        let why = format!("only cpu and memory resources are mutable\n{}", diff::specs(then, &munged));
        errors.push(FieldError::forbidden(&path, why));
    }
    errors
}

/// Puts what may change back as it was, and says what may not be taken away. Models `validateContainerResize`.
fn container(new: &mut Container, old: &Container, path: &Path, errors: &mut Vec<FieldError>) {
    let none = ResourceRequirements::default();
    let before = old.resources.as_ref().unwrap_or(&none);
    let mut now = new.resources.clone().unwrap_or_default();
    for (field, n, o, what) in [
        ("requests", &mut now.requests, &before.requests, "resource requests cannot be removed"),
        ("limits", &mut now.limits, &before.limits, "resource limits cannot be removed"),
    ] {
        let removed = o.iter().flatten().any(|(k, _)| !n.as_ref().is_some_and(|n| n.contains_key(k)));
        if removed {
            errors.push(FieldError::forbidden(&path.child(field), what));
        }
        restore(n, o);
    }
    new.resize_policy.clone_from(&old.resize_policy);
    new.resources = if now == *before { old.resources.clone() } else { Some(now) };
}

fn restore(new: &mut List, old: &List) {
    for name in ["cpu", "memory"] {
        match old.as_ref().and_then(|o| o.get(name)) {
            Some(q) => {
                new.get_or_insert_default().insert(name.into(), q.clone());
            }
            None => {
                if let Some(n) = new {
                    n.remove(name);
                }
            }
        }
    }
    if old.is_none() && new.as_ref().is_some_and(BTreeMap::is_empty) {
        *new = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn pod(resources: &Value) -> Pod {
        serde_json::from_value(json!({
            "metadata": { "name": "a", "namespace": "default" },
            "spec": { "containers": [{ "name": "main", "image": "nginx", "resources": resources }] },
        }))
        .unwrap()
    }

    fn errors(new: &Value, old: &Value) -> Vec<String> {
        let about = ["QOS", "removed", "mutable"];
        let all = validate_resize(&pod(new), &pod(old));
        all.iter().map(ToString::to_string).filter(|e| about.iter().any(|a| e.contains(a))).collect()
    }

    #[test]
    fn cpu_and_memory_change_within_the_class() {
        let old =
            json!({ "requests": { "cpu": "700m", "memory": "200Mi" }, "limits": { "cpu": "700m", "memory": "200Mi" } });
        let more =
            json!({ "requests": { "cpu": "800m", "memory": "200Mi" }, "limits": { "cpu": "800m", "memory": "200Mi" } });
        assert_eq!(errors(&more, &old), Vec::<String>::new());
        let half =
            json!({ "requests": { "cpu": "600m", "memory": "200Mi" }, "limits": { "cpu": "700m", "memory": "200Mi" } });
        let wrong = errors(&half, &old);
        assert_eq!(wrong, ["spec: Invalid value: \"Burstable\": Pod QOS Class may not change as a result of resizing"]);
        let small = json!({ "requests": { "cpu": "100m" }, "limits": { "memory": "1Gi" } });
        let none = json!({ "requests": { "cpu": "100m" } });
        let wrong = errors(&none, &small);
        assert_eq!(wrong, ["spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed"]);
        let disk = json!({ "requests": { "cpu": "100m", "ephemeral-storage": "1Gi" }, "limits": { "memory": "1Gi" } });
        let wrong = errors(&disk, &small);
        assert!(wrong[0].starts_with("spec: Forbidden: only cpu and memory resources are mutable"), "{wrong:?}");
    }
}
