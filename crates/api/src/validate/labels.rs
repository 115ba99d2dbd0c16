//! Labels and label selectors. Models `k8s.io/apimachinery/pkg/apis/meta/v1/validation`.

use super::{each, names};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use meta::{FieldError, Path};
use std::collections::BTreeMap;

/// Models `ValidateLabelName`.
pub fn validate_label_name(path: &Path, name: &str) -> Vec<FieldError> {
    each(path, name, names::qualified_name(name)).collect()
}

/// Models `ValidateLabels`.
pub fn validate_labels(path: &Path, labels: Option<&BTreeMap<String, String>>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (k, v) in labels.into_iter().flatten() {
        errors.extend(validate_label_name(path, k));
        errors.extend(each(path, v, names::label_value(v)));
    }
    errors
}

/// Models `ValidateLabelSelector`; values of expressions are checked too, as for every newly written object.
pub fn validate_label_selector(path: &Path, selector: &LabelSelector) -> Vec<FieldError> {
    let mut errors = validate_labels(&path.child("matchLabels"), selector.match_labels.as_ref());
    for (i, e) in selector.match_expressions.iter().flatten().enumerate() {
        let at = path.child("matchExpressions").index(i);
        let values = e.values.as_deref().unwrap_or_default();
        match e.operator.as_str() {
            "In" | "NotIn" if values.is_empty() => {
                let why = "must be specified when `operator` is 'In' or 'NotIn'";
                errors.push(FieldError::required(&at.child("values"), why));
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                let why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                errors.push(FieldError::forbidden(&at.child("values"), why));
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => {
                errors.push(FieldError::invalid(&at.child("operator"), other, "not a valid selector operator"));
            }
        }
        errors.extend(validate_label_name(&at.child("key"), &e.key));
        for (j, v) in values.iter().enumerate() {
            errors.extend(each(&at.child("values").index(j), v, names::label_value(v)));
        }
    }
    errors
}
