//! ValidatingAdmissionPolicy: rules in CEL about what may be written. Models
//! `pkg/registry/admissionregistration/validatingadmissionpolicy` and its validation.

pub use super::admission::warnings::warnings;

use super::admission::Programs;
use super::{STATUS_VERBS, admission, register};
use crate::registration::{Cell, Column, Registration, Scope, Subresource};
use crate::table;
use crate::validate::{each, names, text};
use cel::Type;
use k8s_openapi::api::admissionregistration::v1::{
    ParamKind, ValidatingAdmissionPolicy, ValidatingAdmissionPolicySpec, Validation,
};
use meta::{FieldError, Path, Time};
use std::collections::BTreeSet;

pub struct Reg;
register!(Reg, ValidatingAdmissionPolicy);

const REASONS: &[&str] = &["Forbidden", "Invalid", "RequestEntityTooLarge"];
const ANNOTATIONS_MAX: usize = 20;
const ANNOTATION_BYTES_MAX: usize = 5 * 1024;

impl Registration for Reg {
    type Type = ValidatingAdmissionPolicy;
    const PLURAL: &'static str = "validatingadmissionpolicies";
    const SINGULAR: &'static str = "validatingadmissionpolicy";
    const CATEGORIES: &'static [&'static str] = &["api-extensions"];
    const SCOPE: Scope = Scope::Cluster;
    const HAS_GENERATION: bool = true;
    const SUBRESOURCES: &'static [Subresource] = &[Subresource { name: "status", gvk: None, verbs: STATUS_VERBS }];
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Validations", "integer", 0).describe("How many expressions are checked."),
        Column::new("ParamKind", "string", 0).describe("The kind of the objects that parameters are read from."),
        Column::AGE,
    ];
    const SAMPLE: &'static str = "\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: few-replicas
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - apiGroups: [apps]
      apiVersions: [v1]
      operations: [CREATE, UPDATE]
      resources: [deployments]
  validations:
  - expression: object.spec.replicas <= 5
";

    fn default(o: &mut ValidatingAdmissionPolicy) {
        let spec = o.spec.get_or_insert_default();
        spec.failure_policy.get_or_insert_with(|| "Fail".into());
        if let Some(m) = &mut spec.match_constraints {
            admission::default(m);
        }
    }
    fn prepare_create(o: &mut ValidatingAdmissionPolicy) {
        o.status = Some(Default::default());
    }
    fn prepare_update(new: &mut ValidatingAdmissionPolicy, old: &ValidatingAdmissionPolicy) {
        new.status.clone_from(&old.status);
    }
    fn prepare_status(new: &mut ValidatingAdmissionPolicy, old: &ValidatingAdmissionPolicy) {
        new.spec.clone_from(&old.spec);
    }

    fn validate_create(o: &ValidatingAdmissionPolicy) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let spec = o.spec.clone().unwrap_or_default();
        validate(text(&o.metadata.name), &spec, &Path::new("spec"), &mut errors);
        errors
    }
    fn validate_update(new: &ValidatingAdmissionPolicy, _: &ValidatingAdmissionPolicy) -> Vec<FieldError> {
        Self::validate_create(new)
    }

    fn cells(o: &ValidatingAdmissionPolicy, now: Time) -> Vec<Cell> {
        let spec = o.spec.clone().unwrap_or_default();
        let params = |p: ParamKind| format!("{}/{}", text(&p.api_version), text(&p.kind));
        let params = spec.param_kind.map_or_else(|| "<unset>".into(), params);
        let count = spec.validations.map_or(0, |v| v.len());
        vec![table::name(&o.metadata), (count as i64).into(), params.into(), table::age(&o.metadata, now)]
    }
}

/// Models `validateValidatingAdmissionPolicySpec`.
fn validate(name: &str, spec: &ValidatingAdmissionPolicySpec, path: &Path, errors: &mut Vec<FieldError>) {
    let at = path.child("failurePolicy");
    match spec.failure_policy.as_deref() {
        None => errors.push(FieldError::required(&at, "")),
        Some("Fail" | "Ignore") => {}
        Some(p) => errors.push(FieldError::not_supported(&at, p, &["Fail", "Ignore"])),
    }
    if let Some(kind) = &spec.param_kind {
        validate_param_kind(kind, &path.child("paramKind"), errors);
    }
    let at = path.child("matchConstraints");
    match &spec.match_constraints {
        None => errors.push(FieldError::required(&at, "")),
        Some(m) => {
            admission::validate(m, &at, errors);
            if m.resource_rules.as_ref().is_none_or(|r| r.is_empty()) {
                errors.push(FieldError::required(&at.child("resourceRules"), ""));
            }
        }
    }
    let params = spec.param_kind.is_some();
    let conditions = spec.match_conditions.as_deref().unwrap_or_default();
    admission::validate_conditions(conditions, &path.child("matchConditions"), &Programs::new(params, true), errors);
    let mut programs = Programs::new(params, true).with_variables(Vec::new());
    for (i, v) in spec.variables.iter().flatten().enumerate() {
        let at = path.child("variables").index(i);
        if v.name.trim().is_empty() {
            errors.push(FieldError::required(&at.child("name"), "name is not specified"));
        } else if !admission::is_identifier(&v.name) {
            let why = "name is not a valid CEL identifier";
            errors.push(FieldError::invalid(&at.child("name"), v.name.as_str(), why));
        }
        let at = at.child("expression");
        let found = match v.expression.trim() {
            "" => Err(FieldError::required(&at, "expression is not specified")),
            _ => programs.compile(&at, &v.expression, &[]),
        };
        // What is wrong with a variable is said once.
        programs.declare(&v.name, found.as_ref().unwrap_or(&Type::Dyn));
        errors.extend(found.err());
    }
    let silent = Programs::new(params, false).with_variables(programs.declared());
    let validations = spec.validations.as_deref().unwrap_or_default();
    let annotations = spec.audit_annotations.as_deref().unwrap_or_default();
    if validations.is_empty() && annotations.is_empty() {
        let why = "validations or auditAnnotations must contain at least one item";
        errors.push(FieldError::required(&path.child("validations"), why));
        errors.push(FieldError::required(&path.child("auditAnnotations"), why));
        return;
    }
    for (i, v) in validations.iter().enumerate() {
        validate_validation(v, &path.child("validations").index(i), &programs, &silent, errors);
    }
    let at = path.child("auditAnnotations");
    if annotations.len() > ANNOTATIONS_MAX {
        let why = format!("must not have more than {ANNOTATIONS_MAX} auditAnnotations");
        errors.push(FieldError::invalid(&at, serde_json::to_value(annotations).unwrap_or_default(), why));
    }
    let mut seen = BTreeSet::new();
    for (i, a) in annotations.iter().enumerate() {
        let at = at.index(i);
        match name {
            "" => {
                let why = "requires metadata.name be non-empty";
                errors.push(FieldError::invalid(&at.child("key"), a.key.as_str(), why));
            }
            name => errors.extend(admission::qualified(&at.child("key"), &format!("{name}/{}", a.key))),
        }
        let value = at.child("valueExpression");
        match a.value_expression.trim() {
            "" => errors.push(FieldError::required(&value, "valueExpression is not specified")),
            e if e.len() > ANNOTATION_BYTES_MAX => {
                let why = format!("must not exceed {ANNOTATION_BYTES_MAX} bytes in length");
                errors.push(FieldError::required(&value, why));
            }
            e => errors.extend(programs.compile(&value, e, &[Type::Text, Type::Null]).err()),
        }
        if !seen.insert(a.key.as_str()) {
            errors.push(FieldError::duplicate(&at.child("key"), a.key.as_str()));
        }
    }
}

/// Models `validateValidation`.
fn validate_validation(
    v: &Validation,
    path: &Path,
    programs: &Programs,
    silent: &Programs,
    errors: &mut Vec<FieldError>,
) {
    match v.expression.trim() {
        "" => errors.push(FieldError::required(&path.child("expression"), "expression is not specified")),
        _ => errors.extend(programs.compile(&path.child("expression"), &v.expression, &[Type::Bool]).err()),
    }
    let at = path.child("messageExpression");
    if let Some(e) = v.message_expression.as_deref().filter(|e| !e.is_empty()) {
        match e.trim() {
            "" => errors.push(FieldError::invalid(&at, e, "must be non-empty if specified")),
            _ => errors.extend(silent.compile(&at, e, &[Type::Text]).err()),
        }
    }
    let (at, message) = (path.child("message"), text(&v.message));
    if !message.is_empty() && message.trim().is_empty() {
        errors.push(FieldError::invalid(&at, message, "message must be non-empty if specified"));
    } else if message.trim().contains(['\n', '\r']) {
        errors.push(FieldError::invalid(&at, message, "message must not contain line breaks"));
    }
    if let Some(r) = v.reason.as_deref().filter(|r| !REASONS.contains(r)) {
        errors.push(FieldError::not_supported(&path.child("reason"), r, REASONS));
    }
}

/// Models `validateParamKind`.
fn validate_param_kind(kind: &ParamKind, path: &Path, errors: &mut Vec<FieldError>) {
    let (at, version) = (path.child("apiVersion"), text(&kind.api_version));
    let (group, v) = version.split_once('/').unwrap_or(("", version));
    if version.is_empty() {
        errors.push(FieldError::required(&at, ""));
    } else if v.contains('/') {
        errors.push(FieldError::invalid(&at, version, format!("unexpected GroupVersion string: {version}")));
    } else {
        if !group.is_empty() {
            errors.extend(each(&at, group, names::dns1123_subdomain(group)));
        }
        match v {
            "" => errors.push(FieldError::invalid(&at, version, "version must be specified")),
            v => errors.extend(each(&at, v, names::dns1035_label(v))),
        }
    }
    let (at, kind) = (path.child("kind"), text(&kind.kind));
    if kind.is_empty() {
        errors.push(FieldError::required(&at, ""));
    } else {
        let wrong = names::dns1035_label(&kind.to_lowercase()).join(",");
        if !wrong.is_empty() {
            let why = format!("may have mixed case, but should otherwise match: {wrong}");
            errors.push(FieldError::invalid(&at, kind, why));
        }
    }
}
