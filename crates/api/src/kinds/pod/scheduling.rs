//! What steers a pod's placement: tolerations, gates, spread constraints. Models `pkg/apis/core/validation`.

use crate::validate::labels::validate_label_name;
use crate::validate::{each, names, text, validate_label_selector};
use k8s_openapi::api::core::v1::{PodSchedulingGate, Toleration, TopologySpreadConstraint};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use meta::{FieldError, Path};

const EFFECTS: &[&str] = &["NoSchedule", "PreferNoSchedule", "NoExecute"];

/// Models `validateTaintEffect`.
pub fn validate_taint_effect(effect: &str, allow_empty: bool, path: &Path, errors: &mut Vec<FieldError>) {
    if !allow_empty && effect.is_empty() {
        errors.push(FieldError::required(path, ""));
    } else if !EFFECTS.contains(&effect) {
        errors.push(FieldError::not_supported(path, effect, EFFECTS));
    }
}

/// Models `ValidateTolerations`.
pub fn tolerations(list: &[Toleration], path: &Path, errors: &mut Vec<FieldError>) {
    for (i, t) in list.iter().enumerate() {
        let at = path.index(i);
        let (key, operator, value, effect) = (text(&t.key), text(&t.operator), text(&t.value), text(&t.effect));
        if !key.is_empty() {
            errors.extend(validate_label_name(&at.child("key"), key));
        }
        if key.is_empty() && operator != "Exists" {
            let why = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            errors.push(FieldError::invalid(&at.child("operator"), operator, why));
        }
        if t.toleration_seconds.is_some() && effect != "NoExecute" {
            let why = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            errors.push(FieldError::invalid(&at.child("effect"), effect, why));
        }
        match operator {
            "Equal" | "" => {
                let bad = names::label_value(value);
                if !bad.is_empty() {
                    errors.push(FieldError::invalid(&at.child("operator"), value, bad.join(";")));
                }
            }
            "Exists" => {
                if !value.is_empty() {
                    let why = "value must be empty when `operator` is 'Exists'";
                    errors.push(FieldError::invalid(&at.child("operator"), value, why));
                }
            }
            // Known, though the feature that allows them is off.
            other @ ("Lt" | "Gt") => {
                let known = ["Equal", "Exists", "Lt", "Gt"];
                errors.push(FieldError::not_supported(&at.child("operator"), other, &known));
            }
            other => errors.push(FieldError::not_supported(&at.child("operator"), other, &["Equal", "Exists"])),
        }
        if !effect.is_empty() {
            validate_taint_effect(effect, true, &at.child("effect"), errors);
        }
    }
}

/// Models `validateSchedulingGates`.
pub fn gates(list: &[PodSchedulingGate], path: &Path, errors: &mut Vec<FieldError>) {
    for (i, g) in list.iter().enumerate() {
        errors.extend(each(&path.index(i), &g.name, names::qualified_name(&g.name)));
        if list[..i].iter().any(|o| o.name == g.name) {
            errors.push(FieldError::duplicate(&path.index(i), g.name.as_str()));
        }
    }
}

/// Models `validateTopologySpreadConstraints`.
pub fn spread(list: &[TopologySpreadConstraint], path: &Path, errors: &mut Vec<FieldError>) {
    const POSITIVE: &str = "must be greater than zero";
    for (i, c) in list.iter().enumerate() {
        let at = path.index(i);
        if c.max_skew <= 0 {
            errors.push(FieldError::invalid(&at.child("maxSkew"), c.max_skew, POSITIVE));
        }
        if c.topology_key.is_empty() {
            errors.push(FieldError::required(&at.child("topologyKey"), "can not be empty"));
        }
        let actions = ["DoNotSchedule", "ScheduleAnyway"];
        if !actions.contains(&c.when_unsatisfiable.as_str()) {
            let at = at.child("whenUnsatisfiable");
            errors.push(FieldError::not_supported(&at, c.when_unsatisfiable.as_str(), &actions));
        }
        let same = |o: &&TopologySpreadConstraint| {
            o.topology_key == c.topology_key && o.when_unsatisfiable == c.when_unsatisfiable
        };
        if list[i + 1..].iter().any(|o| same(&o)) {
            let value = format!("{{{}, {}}}", c.topology_key, c.when_unsatisfiable);
            errors.push(FieldError::duplicate(&at.child("{topologyKey, whenUnsatisfiable}"), value));
        }
        if let Some(min) = c.min_domains {
            let at = at.child("minDomains");
            if min <= 0 {
                errors.push(FieldError::invalid(&at, min, POSITIVE));
            }
            if c.when_unsatisfiable != "DoNotSchedule" {
                let why =
                    format!("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {}", c.when_unsatisfiable);
                errors.push(FieldError::invalid(&at, min, why));
            }
        }
        for (field, policy) in
            [("nodeAffinityPolicy", &c.node_affinity_policy), ("nodeTaintsPolicy", &c.node_taints_policy)]
        {
            if let Some(p) = policy.as_deref().filter(|p| !["Honor", "Ignore"].contains(p)) {
                errors.push(FieldError::not_supported(&at.child(field), p, &["Honor", "Ignore"]));
            }
        }
        let keys = c.match_label_keys.as_deref().unwrap_or_default();
        match_label_keys(keys, &[], c.label_selector.as_ref(), &at, errors);
        if let Some(s) = &c.label_selector {
            errors.extend(validate_label_selector(&at.child("labelSelector"), s));
        }
    }
}

/// Models `ValidateMatchLabelKeysAndMismatchLabelKeys`.
pub fn match_label_keys(
    matched: &[String],
    mismatched: &[String],
    selector: Option<&LabelSelector>,
    path: &Path,
    errors: &mut Vec<FieldError>,
) {
    for (field, keys) in [("matchLabelKeys", matched), ("mismatchLabelKeys", mismatched)] {
        let at = path.child(field);
        if !keys.is_empty() && selector.is_none() {
            errors.push(FieldError::forbidden(&at, "must not be specified when labelSelector is not set"));
            continue;
        }
        for (i, k) in keys.iter().enumerate() {
            errors.extend(validate_label_name(&at.index(i), k));
        }
    }
    // A key said twice in the selector may be one that an earlier write merged into it.
    let mut said: Vec<&String> =
        selector.iter().flat_map(|s| s.match_labels.iter().flatten()).map(|(k, _)| k).collect();
    for e in selector.iter().flat_map(|s| s.match_expressions.iter().flatten()) {
        if let Some(i) = matched.iter().rposition(|k| *k == e.key)
            && said.contains(&&e.key)
        {
            let why = "exists in both matchLabelKeys and labelSelector";
            errors.push(FieldError::invalid(&path.index(i), e.key.as_str(), why));
        }
        said.push(&e.key);
    }
    for (i, k) in matched.iter().enumerate().filter(|(_, k)| mismatched.contains(k)) {
        let why = "exists in both matchLabelKeys and mismatchLabelKeys";
        errors.push(FieldError::invalid(&path.child("matchLabelKeys").index(i), k.as_str(), why));
    }
}
