//! RuntimeClass: a pod that names one is bound to the nodes that have it. Models `plugin/pkg/admission/runtimeclass`.

use super::forbidden;
use k8s_openapi::api::core::v1::{Pod, Toleration};
use meta::ApiError;

/// A class as every cluster has it from the start; objects of this kind are not served.
struct Class {
    name: &'static str,
    /// `scheduling.nodeSelector`, and the taint of the same nodes for `scheduling.tolerations`.
    label: (&'static str, &'static str),
}

/// WebAssembly components on nodes that run nothing else.
const WASMTIME: Class = Class { name: "wasmtime", label: ("kubernetes.io/arch", "wasm32") };

pub(super) fn admit(pod: &mut Pod) -> Result<(), ApiError> {
    let name = pod.spec.as_ref().and_then(|s| s.runtime_class_name.as_deref()).unwrap_or("");
    if name.is_empty() {
        return Ok(());
    }
    if name != WASMTIME.name {
        return Err(forbidden(pod, &format!("pod rejected: RuntimeClass {name:?} not found")));
    }
    let (key, value) = WASMTIME.label;
    let other = pod.spec.as_ref().and_then(|s| s.node_selector.as_ref()?.get(key)).filter(|v| *v != value);
    if let Some(other) = other {
        let why = format!(
            "conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; pod.spec.nodeSelector[{key}] = {other}"
        );
        return Err(forbidden(pod, &why));
    }
    let spec = pod.spec.get_or_insert_default();
    spec.node_selector.get_or_insert_default().insert(key.into(), value.into());
    let toleration = Toleration {
        key: Some(key.into()),
        operator: Some("Equal".into()),
        value: Some(value.into()),
        effect: Some("NoSchedule".into()),
        ..Toleration::default()
    };
    let tolerations = spec.tolerations.get_or_insert_default();
    if !tolerations.contains(&toleration) {
        tolerations.push(toleration);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(class: &str, arch: Option<&str>) -> Pod {
        let selector: Vec<(&str, &str)> = arch.map(|a| ("kubernetes.io/arch", a)).into_iter().collect();
        let value = serde_json::json!({
            "metadata": {"name": "web"},
            "spec": {"containers": [], "runtimeClassName": class, "nodeSelector": std::collections::BTreeMap::from_iter(selector)}
        });
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_wasm_pod_goes_to_wasm_nodes() {
        let mut p = pod("wasmtime", None);
        admit(&mut p).unwrap();
        admit(&mut p).unwrap();
        let spec = p.spec.unwrap();
        assert_eq!(spec.node_selector.unwrap()["kubernetes.io/arch"], "wasm32");
        assert_eq!(spec.tolerations.unwrap().len(), 1);
    }

    #[test]
    fn refusals_are_upstreams() {
        let refused = |mut p: Pod| admit(&mut p).unwrap_err().to_string();
        assert_eq!(
            refused(pod("gvisor", None)),
            r#"pods "web" is forbidden: pod rejected: RuntimeClass "gvisor" not found"#
        );
        assert!(refused(pod("wasmtime", Some("amd64"))).ends_with("pod.spec.nodeSelector[kubernetes.io/arch] = amd64"));
    }
}
