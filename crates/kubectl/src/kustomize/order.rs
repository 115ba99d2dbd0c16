//! The order objects are printed and sent in. Models kustomize's `legacy` order.

use super::Resource;

const FIRST: &[&str] = &[
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];
const LAST: &[&str] = &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

pub(super) fn legacy(all: &mut [Resource]) {
    all.sort_by_cached_key(|r| {
        let at = |list: &[&str]| list.iter().position(|k| *k == r.kind());
        let place = match (at(FIRST), at(LAST)) {
            (Some(i), _) => i as i64 - FIRST.len() as i64,
            (_, Some(i)) => 1 + i as i64,
            _ => 0,
        };
        let (group, version) = r.group();
        let or = |s: &str, other: &str| if s.is_empty() { other.to_string() } else { s.to_string() };
        let gvk = format!("{}_{}_{}", or(group, "~G"), or(version, "~V"), r.kind());
        (place, gvk, format!("{}_{}", or(r.namespace(), "~X"), or(r.name(), "~N")))
    });
}
