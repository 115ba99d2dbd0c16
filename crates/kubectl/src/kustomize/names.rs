//! `namespace`, `namePrefix` and `nameSuffix`. Models kustomize's namespace, prefix and suffix transformers.

use super::Resource;
use serde_json::{Map, Value};

/// Built-in kinds that are in no namespace.
const CLUSTER: &[&str] = &[
    "APIService",
    "CSIDriver",
    "CSINode",
    "CertificateSigningRequest",
    "ClusterRole",
    "ClusterRoleBinding",
    "ComponentStatus",
    "CustomResourceDefinition",
    "DeviceClass",
    "FlowSchema",
    "IPAddress",
    "IngressClass",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PriorityClass",
    "PriorityLevelConfiguration",
    "ResourceSlice",
    "RuntimeClass",
    "ServiceCIDR",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
    "VolumeAttributesClass",
];

pub(super) fn namespace(k: &Map<String, Value>, all: &mut [Resource]) {
    let Some(namespace) = k.get("namespace").and_then(Value::as_str).filter(|n| !n.is_empty()) else { return };
    for r in all {
        if r.kind() == "Namespace" {
            r.rename(namespace.to_string());
        } else if !CLUSTER.contains(&r.kind()) {
            let name = r.name().to_string();
            r.former.push((name, r.namespace().to_string()));
            r.object["metadata"]["namespace"] = namespace.into();
        }
        // The account that is there by itself; others follow the accounts they name.
        if matches!(r.kind(), "RoleBinding" | "ClusterRoleBinding") {
            for s in r.object.get_mut("subjects").and_then(Value::as_array_mut).into_iter().flatten() {
                if s["kind"] == "ServiceAccount" && s["name"] == "default" {
                    s["namespace"] = namespace.into();
                }
            }
        }
    }
}

pub(super) fn affixes(k: &Map<String, Value>, all: &mut [Resource]) {
    let text = |f: &str| k.get(f).and_then(Value::as_str).unwrap_or("");
    let (prefix, suffix) = (text("namePrefix"), text("nameSuffix"));
    if prefix.is_empty() && suffix.is_empty() {
        return;
    }
    for r in all {
        if matches!(r.kind(), "CustomResourceDefinition" | "APIService" | "Namespace") {
            continue;
        }
        let name = format!("{prefix}{}{suffix}", r.name());
        r.rename(name);
    }
}
