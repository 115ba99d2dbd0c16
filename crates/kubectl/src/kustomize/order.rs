//! The order objects are printed and sent in. Models kustomize's `SortOrderTransformer`.

use super::resource::{Id, Resource};
use super::text;
use crate::error::Error;
use serde_json::Value;

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

/// By `sortOptions`; without them in the legacy order.
pub(super) fn sort(options: Option<&Value>, all: &mut [Resource]) -> Result<(), Error> {
    let Some(options) = options else {
        legacy(FIRST, LAST, all);
        return Ok(());
    };
    let lists = options.get("legacySortOptions");
    match (options["order"].as_str().unwrap_or(""), lists) {
        ("fifo", None) => {}
        ("fifo", Some(_)) => {
            return Err(text(
                "the field 'sortOptions.legacySortOptions' is set but the selected sort order is 'fifo', not 'legacy'",
            ));
        }
        ("legacy", None) => legacy(FIRST, LAST, all),
        ("legacy", Some(lists)) => {
            let list =
                |f: &str| lists[f].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>();
            legacy(&list("orderFirst"), &list("orderLast"), all);
        }
        _ => return Err(text("the field 'sortOptions.order' must be one of [fifo, legacy]")),
    }
    Ok(())
}

fn legacy(first: &[&str], last: &[&str], all: &mut [Resource]) {
    all.sort_by_cached_key(|r| {
        let id = r.id();
        // Of a kind that is named twice the last place counts.
        let at = |list: &[&str]| list.iter().rposition(|k| *k == id.kind);
        let place = match (at(first), at(last)) {
            (_, Some(i)) => 1 + i as i64,
            (Some(i), _) => i as i64 - first.len() as i64,
            _ => 0,
        };
        (place, kind_key(&id), format!("{}|{}", or(&id.namespace, "~X"), or(&id.name, "~N")))
    });
}

fn or<'t>(text: &'t str, other: &'t str) -> &'t str {
    if text.is_empty() { other } else { text }
}

fn kind_key(id: &Id) -> String {
    // The core's Namespace is before all others of that name.
    if id.kind == "Namespace" && id.group.is_empty() {
        return String::new();
    }
    format!("{}_{}_{}", or(&id.group, "~G"), or(&id.version, "~V"), or(&id.kind, "~K"))
}
