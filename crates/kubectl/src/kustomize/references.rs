//! Names of other objects follow their objects. Models kustomize's name reference transformer and its table
//! (`builtinpluginconsts/namereference.go`).

use super::Resource;
use super::places::{each, pod_spec};
use serde_json::Value;
use std::collections::BTreeMap;

/// In a pod's spec: the kind that is named, and where.
const IN_PODS: &[(&str, &str)] = &[
    ("ConfigMap", "volumes[]/configMap/name"),
    ("ConfigMap", "volumes[]/projected/sources[]/configMap/name"),
    ("ConfigMap", "containers[]/env[]/valueFrom/configMapKeyRef/name"),
    ("ConfigMap", "initContainers[]/env[]/valueFrom/configMapKeyRef/name"),
    ("ConfigMap", "containers[]/envFrom[]/configMapRef/name"),
    ("ConfigMap", "initContainers[]/envFrom[]/configMapRef/name"),
    ("Secret", "volumes[]/secret/secretName"),
    ("Secret", "volumes[]/projected/sources[]/secret/name"),
    ("Secret", "containers[]/env[]/valueFrom/secretKeyRef/name"),
    ("Secret", "initContainers[]/env[]/valueFrom/secretKeyRef/name"),
    ("Secret", "containers[]/envFrom[]/secretRef/name"),
    ("Secret", "initContainers[]/envFrom[]/secretRef/name"),
    ("Secret", "imagePullSecrets[]/name"),
    ("ServiceAccount", "serviceAccountName"),
    ("PersistentVolumeClaim", "volumes[]/persistentVolumeClaim/claimName"),
    ("PersistentVolumeClaim", "volumes[]/ephemeral/volumeClaimTemplate/spec/volumeName"),
    ("PriorityClass", "priorityClassName"),
    ("RuntimeClass", "runtimeClassName"),
];

/// Elsewhere: the kind that is named, the kind that names it, and where.
const OTHERS: &[(&str, &str, &str)] = &[
    ("Secret", "Ingress", "spec/tls[]/secretName"),
    ("Secret", "ServiceAccount", "imagePullSecrets[]/name"),
    ("Secret", "ServiceAccount", "secrets[]/name"),
    ("Service", "StatefulSet", "spec/serviceName"),
    ("Service", "Ingress", "spec/rules[]/http/paths[]/backend/service/name"),
    ("Service", "Ingress", "spec/defaultBackend/service/name"),
    ("Service", "APIService", "spec/service/name"),
    ("Service", "ValidatingWebhookConfiguration", "webhooks[]/clientConfig/service/name"),
    ("Service", "MutatingWebhookConfiguration", "webhooks[]/clientConfig/service/name"),
    ("PersistentVolume", "PersistentVolumeClaim", "spec/volumeName"),
    ("StorageClass", "PersistentVolumeClaim", "spec/storageClassName"),
    ("StorageClass", "PersistentVolume", "spec/storageClassName"),
    ("StorageClass", "StatefulSet", "spec/volumeClaimTemplates[]/spec/storageClassName"),
    ("IngressClass", "Ingress", "spec/ingressClassName"),
    ("ConfigMap", "Role", "rules[]/resourceNames[]"),
    ("ConfigMap", "ClusterRole", "rules[]/resourceNames[]"),
    ("Secret", "Role", "rules[]/resourceNames[]"),
    ("Secret", "ClusterRole", "rules[]/resourceNames[]"),
];

/// Kind and name, and what has it now: its namespace before, its name and its namespace.
type Known = BTreeMap<(String, String), Vec<(String, String, String)>>;

pub(super) fn update(all: &mut [Resource]) {
    let mut known: Known = BTreeMap::new();
    for r in all.iter() {
        let now = (r.name().to_string(), r.namespace().to_string());
        for (name, namespace) in r.former.iter().chain([&now]) {
            let entry = known.entry((r.kind().to_string(), name.clone())).or_default();
            entry.push((namespace.clone(), now.0.clone(), now.1.clone()));
        }
    }
    for r in all {
        let (kind, namespace) = (r.kind().to_string(), r.namespace().to_string());
        let find = |target: &str, name: &str| -> Option<(String, String)> {
            let found = known.get(&(target.to_string(), name.to_string()))?;
            let near = found.iter().find(|(_, _, now)| *now == namespace).or(found.first())?;
            Some((near.1.clone(), near.2.clone()))
        };
        let follow = |object: &mut Value, target: &str, path: &str| {
            each(object, path, false, &mut |v| {
                if let Some((name, _)) = v.as_str().and_then(|n| find(target, n)) {
                    *v = name.into();
                }
            });
        };
        if let Some(spec) = pod_spec(&kind) {
            IN_PODS.iter().for_each(|(target, path)| follow(&mut r.object, target, &format!("{spec}/{path}")));
        }
        for (target, of, path) in OTHERS {
            if *of == kind {
                follow(&mut r.object, target, path);
            }
        }
        // Where the kind stands beside the name.
        let beside = |v: &mut Value| {
            if let Some((name, _)) = v["kind"].as_str().and_then(|k| find(k, v["name"].as_str()?)) {
                v["name"] = name.into();
            }
        };
        match kind.as_str() {
            "HorizontalPodAutoscaler" => beside(&mut r.object["spec"]["scaleTargetRef"]),
            "RoleBinding" | "ClusterRoleBinding" => {
                beside(&mut r.object["roleRef"]);
                for s in r.object.get_mut("subjects").and_then(Value::as_array_mut).into_iter().flatten() {
                    let account = s["kind"] == "ServiceAccount";
                    if account
                        && let Some((name, namespace)) = s["name"].as_str().and_then(|n| find("ServiceAccount", n))
                    {
                        s["name"] = name.into();
                        if !namespace.is_empty() {
                            s["namespace"] = namespace.into();
                        }
                    }
                }
            }
            _ => {}
        }
    }
}
