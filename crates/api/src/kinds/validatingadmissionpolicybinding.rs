//! ValidatingAdmissionPolicyBinding: where a policy counts, and what comes of it. Models
//! `pkg/registry/admissionregistration/validatingadmissionpolicybinding` and its validation.

use super::{admission, register};
use crate::registration::{Cell, Column, Registration, Scope};
use crate::table;
use crate::validate::names::rule;
use crate::validate::{each, text, validate_label_selector};
use k8s_openapi::api::admissionregistration::v1::{ParamRef, ValidatingAdmissionPolicyBinding};
use meta::{FieldError, Path, Time};
use std::collections::BTreeSet;

pub struct Reg;
register!(Reg, ValidatingAdmissionPolicyBinding);

const ACTIONS: &[&str] = &["Audit", "Deny", "Warn"];

impl Registration for Reg {
    type Type = ValidatingAdmissionPolicyBinding;
    const PLURAL: &'static str = "validatingadmissionpolicybindings";
    const SINGULAR: &'static str = "validatingadmissionpolicybinding";
    const CATEGORIES: &'static [&'static str] = &["api-extensions"];
    const SCOPE: Scope = Scope::Cluster;
    const HAS_GENERATION: bool = true;
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("PolicyName", "string", 0).describe("The policy that is bound."),
        Column::new("ParamRef", "string", 0).describe("The objects that the policy's parameters are read from."),
        Column::AGE,
    ];
    const SAMPLE: &'static str = "\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: few-replicas
spec:
  policyName: few-replicas
  validationActions: [Deny]
  matchResources:
    namespaceSelector:
      matchLabels:
        environment: test
";

    fn default(o: &mut ValidatingAdmissionPolicyBinding) {
        if let Some(m) = o.spec.as_mut().and_then(|s| s.match_resources.as_mut()) {
            admission::default(m);
        }
    }

    fn validate_create(o: &ValidatingAdmissionPolicyBinding) -> Vec<FieldError> {
        let (mut errors, path) = (Vec::new(), Path::new("spec"));
        let spec = o.spec.clone().unwrap_or_default();
        let (at, policy) = (path.child("policyName"), text(&spec.policy_name));
        match policy {
            "" => errors.push(FieldError::required(&at, "")),
            p => errors.extend(each(&at, p, rule::subdomain(p, false))),
        }
        if let Some(p) = &spec.param_ref {
            validate_param_ref(p, &path.child("paramRef"), &mut errors);
        }
        if let Some(m) = &spec.match_resources {
            admission::validate(m, &path.child("matchResources"), &mut errors);
        }
        validate_actions(
            spec.validation_actions.as_deref().unwrap_or_default(),
            &path.child("validationActions"),
            &mut errors,
        );
        errors
    }
    fn validate_update(
        new: &ValidatingAdmissionPolicyBinding,
        _: &ValidatingAdmissionPolicyBinding,
    ) -> Vec<FieldError> {
        Self::validate_create(new)
    }

    fn cells(o: &ValidatingAdmissionPolicyBinding, now: Time) -> Vec<Cell> {
        let spec = o.spec.clone().unwrap_or_default();
        let params = spec.param_ref.map_or_else(
            || "<unset>".into(),
            |p| match text(&p.name) {
                "" => p.selector.as_ref().map_or_else(String::new, crate::table::selector_text),
                name => format!("{}/{name}", p.namespace.as_deref().filter(|n| !n.is_empty()).unwrap_or("*")),
            },
        );
        vec![table::name(&o.metadata), text(&spec.policy_name).into(), params.into(), table::age(&o.metadata, now)]
    }
}

/// Models `validateParamRef`.
fn validate_param_ref(p: &ParamRef, path: &Path, errors: &mut Vec<FieldError>) {
    const EITHER: &str = "name and selector are mutually exclusive";
    let name = text(&p.name);
    if !name.is_empty() {
        errors.extend(each(&path.child("name"), name, rule::path_segment(name, false)));
        if p.selector.is_some() {
            errors.push(FieldError::forbidden(&path.child("name"), EITHER));
        }
    }
    if let Some(s) = &p.selector {
        errors.extend(validate_label_selector(&path.child("selector"), s));
        if !name.is_empty() {
            errors.push(FieldError::forbidden(&path.child("selector"), EITHER));
        }
    } else if name.is_empty() {
        errors.push(FieldError::required(path, "one of name or selector must be specified"));
    }
    let at = path.child("parameterNotFoundAction");
    match text(&p.parameter_not_found_action) {
        "" => errors.push(FieldError::required(&at, "")),
        "Allow" | "Deny" => {}
        other => errors.push(FieldError::not_supported(&at, other, &["Deny", "Allow"])),
    }
}

/// Models `validateValidationActions`.
fn validate_actions(actions: &[String], path: &Path, errors: &mut Vec<FieldError>) {
    let mut seen = BTreeSet::new();
    for (i, a) in actions.iter().enumerate() {
        if !ACTIONS.contains(&a.as_str()) {
            errors.push(FieldError::not_supported(&path.index(i), a.as_str(), ACTIONS));
        }
        if !seen.insert(a.as_str()) {
            errors.push(FieldError::duplicate(&path.index(i), a.as_str()));
        }
    }
    if seen.contains("Deny") && seen.contains("Warn") {
        let why = "must not contain both Deny and Warn (repeating the same validation failure information in the API \
                   response and headers serves no purpose)";
        errors.push(FieldError::invalid(path, actions, why));
    }
    if seen.is_empty() {
        errors.push(FieldError::required(path, "at least one validation action is required"));
    }
}
