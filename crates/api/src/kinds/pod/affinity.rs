//! Node and pod affinity. Models `validateAffinity` of `pkg/apis/core/validation`.

use super::scheduling::match_label_keys;
use crate::validate::labels::validate_label_name;
use crate::validate::{each, names, validate_label_selector};
use k8s_openapi::api::core::v1::{
    Affinity, NodeAffinity, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PodAffinityTerm, PodSpec,
    WeightedPodAffinityTerm,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use meta::{FieldError, Path};
use std::collections::BTreeMap;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

pub fn validate(a: &Affinity, path: &Path, errors: &mut Vec<FieldError>) {
    if let Some(n) = &a.node_affinity {
        node_affinity(n, &path.child("nodeAffinity"), errors);
    }
    if let Some(p) = &a.pod_affinity {
        let (required, preferred) = (
            p.required_during_scheduling_ignored_during_execution.as_deref(),
            p.preferred_during_scheduling_ignored_during_execution.as_deref(),
        );
        pod_terms(required, preferred, &path.child("podAffinity"), errors);
    }
    if let Some(p) = &a.pod_anti_affinity {
        let (required, preferred) = (
            p.required_during_scheduling_ignored_during_execution.as_deref(),
            p.preferred_during_scheduling_ignored_during_execution.as_deref(),
        );
        pod_terms(required, preferred, &path.child("podAntiAffinity"), errors);
    }
}

fn weight(w: i32, path: &Path, errors: &mut Vec<FieldError>) {
    if !(1..=100).contains(&w) {
        errors.push(FieldError::invalid(&path.child("weight"), w, "must be in the range 1-100"));
    }
}

fn node_affinity(n: &NodeAffinity, path: &Path, errors: &mut Vec<FieldError>) {
    if let Some(r) = &n.required_during_scheduling_ignored_during_execution {
        node_selector(r, &path.child(REQUIRED), errors);
    }
    let at = path.child(PREFERRED);
    for (i, t) in n.preferred_during_scheduling_ignored_during_execution.iter().flatten().enumerate() {
        weight(t.weight, &at.index(i), errors);
        node_term(&t.preference, true, &at.index(i).child("preference"), errors);
    }
}

/// Models `ValidateNodeSelector`.
pub fn node_selector(s: &NodeSelector, path: &Path, errors: &mut Vec<FieldError>) {
    let at = path.child("nodeSelectorTerms");
    if s.node_selector_terms.is_empty() {
        errors.push(FieldError::required(&at, "must have at least one node selector term"));
    }
    for (i, t) in s.node_selector_terms.iter().enumerate() {
        node_term(t, false, &at.index(i), errors);
    }
}

fn node_term(t: &NodeSelectorTerm, any_value: bool, path: &Path, errors: &mut Vec<FieldError>) {
    for (i, r) in t.match_expressions.iter().flatten().enumerate() {
        node_requirement(r, any_value, &path.child("matchExpressions").index(i), errors);
    }
    for (i, r) in t.match_fields.iter().flatten().enumerate() {
        field_requirement(r, &path.child("matchFields").index(i), errors);
    }
}

fn node_requirement(r: &NodeSelectorRequirement, any_value: bool, path: &Path, errors: &mut Vec<FieldError>) {
    let values = r.values.as_deref().unwrap_or_default();
    let at = path.child("values");
    match r.operator.as_str() {
        "In" | "NotIn" => {
            if values.is_empty() {
                errors.push(FieldError::required(&at, "must be specified when `operator` is 'In' or 'NotIn'"));
            }
        }
        "Exists" | "DoesNotExist" => {
            if !values.is_empty() {
                let why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                errors.push(FieldError::forbidden(&at, why));
            }
        }
        "Gt" | "Lt" => {
            if values.len() != 1 {
                let why = "must be specified single value when `operator` is 'Lt' or 'Gt'";
                errors.push(FieldError::required(&at, why));
            }
        }
        other => errors.push(FieldError::invalid(&path.child("operator"), other, "not a valid selector operator")),
    }
    errors.extend(validate_label_name(&path.child("key"), &r.key));
    if !any_value {
        for (i, v) in values.iter().enumerate() {
            errors.extend(each(&at.index(i), v, names::label_value(v)));
        }
    }
}

fn field_requirement(r: &NodeSelectorRequirement, path: &Path, errors: &mut Vec<FieldError>) {
    let values = r.values.as_deref().unwrap_or_default();
    match r.operator.as_str() {
        "In" | "NotIn" => {
            if values.len() != 1 {
                let why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
                errors.push(FieldError::required(&path.child("values"), why));
            }
        }
        other => errors.push(FieldError::invalid(&path.child("operator"), other, "not a valid selector operator")),
    }
    if r.key != "metadata.name" {
        errors.push(FieldError::invalid(&path.child("key"), r.key.as_str(), "not a valid field selector key"));
        return;
    }
    for (i, v) in values.iter().enumerate() {
        errors.extend(each(&path.child("values").index(i), v, names::dns1123_subdomain(v)));
    }
}

fn pod_terms(
    required: Option<&[PodAffinityTerm]>,
    preferred: Option<&[WeightedPodAffinityTerm]>,
    path: &Path,
    errors: &mut Vec<FieldError>,
) {
    for (i, t) in required.into_iter().flatten().enumerate() {
        pod_term(t, &path.child(REQUIRED).index(i), errors);
    }
    for (i, t) in preferred.into_iter().flatten().enumerate() {
        let at = path.child(PREFERRED).index(i);
        weight(t.weight, &at, errors);
        pod_term(&t.pod_affinity_term, &at.child("podAffinityTerm"), errors);
    }
}

fn pod_term(t: &PodAffinityTerm, path: &Path, errors: &mut Vec<FieldError>) {
    if let Some(s) = &t.label_selector {
        errors.extend(validate_label_selector(&path.child("labelSelector"), s));
    }
    if let Some(s) = &t.namespace_selector {
        errors.extend(validate_label_selector(&path.child("namespaceSelector"), s));
    }
    for n in t.namespaces.iter().flatten() {
        errors.extend(each(&path.child("namespace"), n, names::dns1123_label(n)));
    }
    let (matched, mismatched) =
        (t.match_label_keys.as_deref().unwrap_or_default(), t.mismatch_label_keys.as_deref().unwrap_or_default());
    match_label_keys(matched, mismatched, t.label_selector.as_ref(), path, errors);
    if t.topology_key.is_empty() {
        errors.push(FieldError::required(&path.child("topologyKey"), "can not be empty"));
    }
    errors.extend(validate_label_name(&path.child("topologyKey"), &t.topology_key));
}

/// Writes what `matchLabelKeys` and `mismatchLabelKeys` mean into the label selectors, from the pod's own
/// labels. Models `applyMatchLabelKeysAndMismatchLabelKeys` and `applyMatchLabelKeys` of the pod strategy.
pub fn apply_match_label_keys(spec: &mut PodSpec, labels: Option<&BTreeMap<String, String>>) {
    let Some(labels) = labels else { return };
    let add = |selector: &mut Option<LabelSelector>, keys: Option<&Vec<String>>, operator: &str| {
        let Some(selector) = selector else { return };
        for k in keys.into_iter().flatten() {
            let Some(v) = labels.get(k) else { continue };
            selector.match_expressions.get_or_insert_default().push(LabelSelectorRequirement {
                key: k.clone(),
                operator: operator.into(),
                values: Some(vec![v.clone()]),
            });
        }
    };
    for c in spec.topology_spread_constraints.iter_mut().flatten() {
        add(&mut c.label_selector, c.match_label_keys.as_ref(), "In");
    }
    let mut term = |t: &mut PodAffinityTerm| {
        add(&mut t.label_selector, t.match_label_keys.as_ref(), "In");
        add(&mut t.label_selector, t.mismatch_label_keys.as_ref(), "NotIn");
    };
    let Some(a) = &mut spec.affinity else { return };
    if let Some(p) = &mut a.pod_affinity {
        p.required_during_scheduling_ignored_during_execution.iter_mut().flatten().for_each(&mut term);
        let soft = p.preferred_during_scheduling_ignored_during_execution.iter_mut().flatten();
        soft.for_each(|w| term(&mut w.pod_affinity_term));
    }
    if let Some(p) = &mut a.pod_anti_affinity {
        p.required_during_scheduling_ignored_during_execution.iter_mut().flatten().for_each(&mut term);
        let soft = p.preferred_during_scheduling_ignored_during_execution.iter_mut().flatten();
        soft.for_each(|w| term(&mut w.pod_affinity_term));
    }
}
