//! RuntimeClass: a pod that names one is bound to the nodes that have it, and pays for what it takes. Models
//! `plugin/pkg/admission/runtimeclass`.

use super::forbidden;
use crate::server::Cx;
use api::{ObjectExt, Registered};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::node::v1::RuntimeClass;
use meta::ApiError;

pub(super) fn admit(cx: &Cx<'_>, pod: &mut Pod) -> Result<(), ApiError> {
    let name = pod.spec.as_ref().and_then(|s| s.runtime_class_name.as_deref()).unwrap_or("");
    if name.is_empty() {
        if pod.spec.as_ref().is_some_and(|s| s.overhead.as_ref().is_some_and(|o| !o.is_empty())) {
            let why = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead";
            return Err(forbidden(pod, why));
        }
        return Ok(());
    }
    let entry = cx.object(RuntimeClass::KIND_REF, "", name);
    let Some(class) = entry.and_then(|e| e.value.0.downcast::<RuntimeClass>()) else {
        return Err(forbidden(pod, &format!("pod rejected: RuntimeClass {name:?} not found")));
    };
    apply(class, pod)
}

/// Models `setOverhead` and `setScheduling`.
fn apply(class: &RuntimeClass, pod: &mut Pod) -> Result<(), ApiError> {
    let spec = pod.spec.get_or_insert_default();
    if let Some(overhead) = &class.overhead {
        let fixed = overhead.pod_fixed.clone().unwrap_or_default();
        if spec.overhead.as_ref().is_some_and(|o| *o != fixed) {
            let why = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
            return Err(forbidden(pod, why));
        }
        spec.overhead = Some(fixed);
    }
    let Some(scheduling) = &class.scheduling else { return Ok(()) };
    for (key, value) in scheduling.node_selector.iter().flatten() {
        let spec = pod.spec.get_or_insert_default();
        let other = spec.node_selector.as_ref().and_then(|s| s.get(key)).filter(|v| *v != value);
        if let Some(other) = other {
            let why = format!(
                "conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; pod.spec.nodeSelector[{key}] = {other}"
            );
            return Err(forbidden(pod, &why));
        }
        spec.node_selector.get_or_insert_default().insert(key.clone(), value.clone());
    }
    let spec = pod.spec.get_or_insert_default();
    for toleration in scheduling.tolerations.iter().flatten() {
        let tolerations = spec.tolerations.get_or_insert_default();
        if !tolerations.contains(toleration) {
            tolerations.push(toleration.clone());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
    use serde_json::json;

    fn pod(arch: Option<&str>) -> Pod {
        let selector: Vec<(&str, &str)> = arch.map(|a| ("kubernetes.io/arch", a)).into_iter().collect();
        let selector = std::collections::BTreeMap::from_iter(selector);
        let value = json!({"metadata": {"name": "web"}, "spec": {"containers": [], "nodeSelector": selector}});
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_wasm_pod_goes_to_wasm_nodes() {
        let class = api::kinds::runtimeclass::wasmtime();
        let mut p = pod(None);
        apply(&class, &mut p).unwrap();
        apply(&class, &mut p).unwrap();
        let spec = p.spec.unwrap();
        assert_eq!(spec.node_selector.unwrap()["kubernetes.io/arch"], "wasm32");
        assert_eq!(spec.tolerations.unwrap().len(), 1);
        let refused = apply(&class, &mut pod(Some("amd64"))).unwrap_err().to_string();
        assert!(refused.ends_with("pod.spec.nodeSelector[kubernetes.io/arch] = amd64"), "{refused}");
    }

    #[test]
    fn overhead_is_the_classs() {
        let class: RuntimeClass = serde_json::from_value(
            json!({"metadata": {"name": "vm"}, "handler": "vm", "overhead": {"podFixed": {"memory": "100Mi"}}}),
        )
        .unwrap();
        let mut p = pod(None);
        apply(&class, &mut p).unwrap();
        assert_eq!(p.spec.as_ref().unwrap().overhead.as_ref().unwrap()["memory"].0, "100Mi");
        p.spec.as_mut().unwrap().overhead = Some([("memory".into(), Quantity("1Mi".into()))].into());
        let refused = apply(&class, &mut p).unwrap_err().to_string();
        assert!(
            refused.contains("pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"),
            "{refused}"
        );
    }
}
