//! What kinds of workloads share: a selector, a template, replicas. Models `pkg/apis/apps/validation`.

use super::pod::{self, validate_pod_template};
use crate::registration::{Column, Subresource, Verb};
use crate::validate::{json_text, text, validate_label_selector};
use k8s_openapi::api::core::v1::{Container, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
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

/// Of kinds that nobody scales.
pub const STATUS_ONLY: &[Subresource] = &[Subresource { name: "status", gvk: None, verbs: super::STATUS_VERBS }];

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

/// Models `GetWarningsForPodTemplate`.
pub fn template_warnings(path: &Path, t: Option<&PodTemplateSpec>) -> Vec<String> {
    let Some((t, spec)) = t.and_then(|t| Some((t, t.spec.as_ref()?))) else { return Vec::new() };
    pod::warnings::of(path, spec, &t.metadata.clone().unwrap_or_default(), true)
}

/// Warnings about a workload whose pods are named after it.
pub fn warnings(m: &ObjectMeta, t: Option<&PodTemplateSpec>) -> Vec<String> {
    let mut out: Vec<String> = pod::warnings::long_name(text(&m.name), "Pod names and hostnames").into_iter().collect();
    out.extend(template_warnings(&Path::new("spec").child("template"), t));
    out
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
pub fn selector_json(s: &LabelSelector) -> String {
    let fields = [
        s.match_labels.as_ref().map(|m| format!("\"matchLabels\":{}", json_text(m))),
        s.match_expressions.as_ref().map(|m| format!("\"matchExpressions\":{}", json_text(m))),
    ];
    format!("{{{}}}", fields.into_iter().flatten().collect::<Vec<_>>().join(","))
}

/// Whether the template has the labels that the selector asks for. False: the selector cannot be read.
pub fn validate_template_labels(
    s: &LabelSelector,
    t: &PodTemplateSpec,
    path: &Path,
    errors: &mut Vec<FieldError>,
) -> bool {
    let labels = t.metadata.as_ref().and_then(|m| m.labels.as_ref());
    let Ok(parsed) = Selector::from_api(Some(s)) else { return false };
    if is_empty(s) || !parsed.matches(labels) {
        let mut e = FieldError::invalid(
            &path.child("metadata").child("labels"),
            "",
            "`selector` does not match template `labels`",
        );
        e.value = json_text(&labels);
        errors.push(e);
    }
    true
}

/// Pods of a workload that never ends start again and have no deadline.
pub fn validate_runs_forever(kind: &str, t: &PodTemplateSpec, path: &Path, errors: &mut Vec<FieldError>) {
    let Some(spec) = &t.spec else { return };
    let at = path.child("spec");
    let policy = text(&spec.restart_policy);
    if policy != "Always" {
        errors.push(FieldError::not_supported(&at.child("restartPolicy"), policy, &["Always"]));
    }
    if spec.active_deadline_seconds.is_some() {
        let why = format!("activeDeadlineSeconds in {kind} is not Supported");
        errors.push(FieldError::forbidden(&at.child("activeDeadlineSeconds"), why));
    }
}

/// Not at all when the selector cannot be read. Models `ValidatePodTemplateSpecForReplicaSet`.
pub fn validate_template(s: &LabelSelector, t: &PodTemplateSpec, path: &Path, errors: &mut Vec<FieldError>) {
    if !validate_template_labels(s, t, path, errors) {
        return;
    }
    errors.extend(validate_pod_template(t, path));
    validate_runs_forever("ReplicaSet", t, path, errors);
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

/// Models `IsDecremented` of a status's collision count.
pub fn validate_collision_count(new: Option<i32>, old: Option<i32>, errors: &mut Vec<FieldError>) {
    if old.is_some_and(|b| new.is_none_or(|c| c < b)) {
        let at = Path::new("status").child("collisionCount");
        errors.push(FieldError::invalid(&at, new.unwrap_or(0), "cannot be decremented"));
    }
}
