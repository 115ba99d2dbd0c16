//! `pods/NAME/ephemeralcontainers`: containers that are added to a pod that runs. Models
//! `podEphemeralContainersStrategy` and `ValidatePodEphemeralContainersUpdate`.

use super::{diff, spec};
use k8s_openapi::api::core::v1::{EphemeralContainer, Pod, PodSpec};
use meta::{FieldError, Path};

/// Only the ephemeral containers of `new` count. Models `dropNonEphemeralContainerUpdates`.
pub fn keep_all_but_ephemeral(new: &mut Pod, old: &Pod) {
    let containers = new.spec.take().and_then(|s| s.ephemeral_containers);
    let version = new.metadata.resource_version.take();
    *new = old.clone();
    if version.as_deref().is_some_and(|v| !v.is_empty()) {
        new.metadata.resource_version = version;
    }
    if let Some(spec) = &mut new.spec {
        spec.ephemeral_containers = containers.filter(|c| !c.is_empty());
    }
}

pub fn validate_ephemeral(new: &Pod, old: &Pod) -> Vec<FieldError> {
    if crate::references::is_mirror(old) {
        return vec![FieldError::forbidden(&Path::new("[]"), "static pods do not support ephemeral containers")];
    }
    let none = PodSpec::default();
    let mut errors = spec::validate_pod_and_spec(new, new.spec.as_ref().unwrap_or(&none));
    let list = |p: &Pod| p.spec.as_ref().and_then(|s| s.ephemeral_containers.clone()).unwrap_or_default();
    let (now, before) = (list(new), list(old));
    let path = Path::new("spec").child("ephemeralContainers");
    for o in &before {
        let name = &o.name;
        match now.iter().find(|n| n.name == o.name) {
            None => {
                let why = format!("existing ephemeral containers {name:?} may not be removed\n");
                errors.push(FieldError::forbidden(&path, why));
            }
            Some(n) if n != o => {
                let one = |c: &EphemeralContainer| PodSpec {
                    ephemeral_containers: Some(vec![c.clone()]),
                    ..Default::default()
                };
                let why = format!("existing ephemeral containers {name:?} may not be changed\n");
                errors.push(FieldError::forbidden(&path, format!("{why}{}", diff::specs(&one(o), &one(n)))));
            }
            Some(_) => {}
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(containers: &serde_json::Value) -> Pod {
        serde_json::from_value(json!({
            "metadata": { "name": "a", "namespace": "default" },
            "spec": {
                "containers": [{ "name": "main", "image": "nginx" }],
                "ephemeralContainers": containers,
            },
        }))
        .unwrap()
    }

    #[test]
    fn containers_are_added_and_never_taken_away() {
        let debugger = json!([{ "name": "debugger", "image": "busybox" }]);
        let (with, without) = (pod(&debugger), pod(&json!([])));
        let about = |e: Vec<FieldError>| -> Vec<String> {
            e.iter().map(ToString::to_string).filter(|e| e.contains("ephemeralContainers:")).collect()
        };
        assert_eq!(about(validate_ephemeral(&with, &without)), Vec::<String>::new());
        let gone = about(validate_ephemeral(&without, &with));
        assert!(gone[0].contains("existing ephemeral containers \"debugger\" may not be removed"), "{gone:?}");
        let other = pod(&json!([{ "name": "debugger", "image": "alpine" }]));
        let changed = about(validate_ephemeral(&other, &with));
        assert!(changed[0].contains("existing ephemeral containers \"debugger\" may not be changed"), "{changed:?}");
    }

    #[test]
    fn nothing_else_is_changed() {
        let old = pod(&json!([]));
        let mut new = pod(&json!([{ "name": "debugger", "image": "busybox" }]));
        new.metadata.labels = Some([("a".to_string(), "b".to_string())].into());
        new.spec.get_or_insert_default().containers[0].image = Some("other".into());
        keep_all_but_ephemeral(&mut new, &old);
        assert_eq!(new.metadata, old.metadata);
        let spec = new.spec.unwrap();
        assert_eq!(spec.containers, old.spec.unwrap().containers);
        assert_eq!(spec.ephemeral_containers.map(|e| e.len()), Some(1));
    }
}
