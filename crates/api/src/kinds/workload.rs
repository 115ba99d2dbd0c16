//! What ReplicaSets and Deployments share: a selector, a template, replicas. Models `pkg/apis/apps/validation`.

use super::pod::validate_pod_template;
use crate::registration::{Column, Subresource, Verb};
use crate::validate::{json_text, text, validate_label_selector};
use k8s_openapi::api::core::v1::{Container, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use meta::labels::Selector;
use meta::{FieldError, Path};

pub const SUBRESOURCES: &[Subresource] = &[
    Subresource {
        name: "scale",
        gvk: Some(("autoscaling", "v1", "Scale")),
        verbs: &[Verb::Get, Verb::Patch, Verb::Update],
    },
    Subresource { name: "status", gvk: None, verbs: super::STATUS_VERBS },
];

pub const CONTAINERS: Column =
    Column::new("Containers", "string", 1).describe("Names of each container in the template.");
pub const IMAGES: Column =
    Column::new("Images", "string", 1).describe("Images referenced by each container in the template.");

/// The selector as the query string that `/scale` reports.
pub fn selector_query(s: &LabelSelector) -> String {
    Selector::from_api(Some(s)).map(|s| s.to_string()).unwrap_or_default()
}

pub fn template_containers(t: Option<&PodTemplateSpec>) -> &[Container] {
    t.and_then(|t| t.spec.as_ref()).map_or(&[], |s| &s.containers)
}

pub fn is_empty(s: &LabelSelector) -> bool {
    s.match_labels.as_ref().is_none_or(|m| m.is_empty()) && s.match_expressions.as_ref().is_none_or(Vec::is_empty)
}

/// The selector itself: there, and well formed.
pub fn validate_selector(s: &LabelSelector, path: &Path, errors: &mut Vec<FieldError>) {
    // A missing and an empty selector cannot be told apart here; the missing one is the common mistake.
    if is_empty(s) {
        errors.push(FieldError::required(path, ""));
    }
    errors.extend(validate_label_selector(path, s));
    if Selector::from_api(Some(s)).is_err() {
        let mut e = FieldError::invalid(path, "", "invalid label selector");
        e.value = selector_json(s);
        errors.push(e);
    }
}

/// In the order of upstream's struct.
fn selector_json(s: &LabelSelector) -> String {
    let fields = [
        s.match_labels.as_ref().map(|m| format!("\"matchLabels\":{}", json_text(m))),
        s.match_expressions.as_ref().map(|m| format!("\"matchExpressions\":{}", json_text(m))),
    ];
    format!("{{{}}}", fields.into_iter().flatten().collect::<Vec<_>>().join(","))
}

/// Not at all when the selector cannot be read. Models `ValidatePodTemplateSpecForReplicaSet`.
pub fn validate_template(s: &LabelSelector, t: &PodTemplateSpec, path: &Path, errors: &mut Vec<FieldError>) {
    let labels = t.metadata.as_ref().and_then(|m| m.labels.as_ref());
    let Ok(parsed) = Selector::from_api(Some(s)) else { return };
    if is_empty(s) || !parsed.matches(labels) {
        let mut e = FieldError::invalid(
            &path.child("metadata").child("labels"),
            "",
            "`selector` does not match template `labels`",
        );
        e.value = json_text(&labels);
        errors.push(e);
    }
    errors.extend(validate_pod_template(t, path));
    let Some(spec) = &t.spec else { return };
    let at = path.child("spec");
    let policy = text(&spec.restart_policy);
    if policy != "Always" {
        errors.push(FieldError::not_supported(&at.child("restartPolicy"), policy, &["Always"]));
    }
    if spec.active_deadline_seconds.is_some() {
        let why = "activeDeadlineSeconds in ReplicaSet is not Supported";
        errors.push(FieldError::forbidden(&at.child("activeDeadlineSeconds"), why));
    }
}

/// `spec.selector` stays what it was.
pub fn validate_selector_unchanged(new: &LabelSelector, old: &LabelSelector, errors: &mut Vec<FieldError>) {
    if new != old {
        let mut e = FieldError::invalid(&Path::new("spec").child("selector"), "", crate::validate::IMMUTABLE);
        e.value = selector_json(new);
        errors.push(e);
    }
}

/// Counts of a status: none negative, none above the total. `counts` are field, value, and whether it is
/// part of the total.
pub fn validate_counts(counts: &[(&str, i64, bool)], errors: &mut Vec<FieldError>) {
    let path = Path::new("status");
    let value = |name: &str| counts.iter().find(|c| c.0 == name).map_or(0, |c| c.1);
    for (name, v, _) in counts {
        crate::validate::nonnegative(&path.child(name), *v, errors);
    }
    let total = value("replicas");
    for (name, v, _) in counts.iter().filter(|c| c.2 && c.1 > total) {
        errors.push(FieldError::invalid(&path.child(name), *v, "cannot be greater than status.replicas"));
    }
    let available = value("availableReplicas");
    if available > value("readyReplicas") {
        let at = path.child("availableReplicas");
        errors.push(FieldError::invalid(&at, available, "cannot be greater than readyReplicas"));
    }
}
