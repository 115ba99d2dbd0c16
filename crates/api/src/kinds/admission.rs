//! What policies of admission and webhooks have in common: which requests they are about. Models
//! `pkg/apis/admissionregistration/{v1/defaults.go,validation}`.

mod programs;
pub(super) mod warnings;

pub(super) use programs::Programs;

use crate::validate::{each, names, names::rule, validate_label_selector};
use cel::Type;
use k8s_openapi::api::admissionregistration::v1::{MatchCondition, MatchResources, NamedRuleWithOperations};
use meta::{FieldError, Path};
use std::collections::BTreeSet;

const OPERATIONS: &[&str] = &["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
const CONDITIONS_MAX: usize = 64;
const SCOPES: &[&str] = &["*", "Cluster", "Namespaced"];

/// Models `SetDefaults_MatchResources` and `SetDefaults_Rule`.
pub(super) fn default(m: &mut MatchResources) {
    m.match_policy.get_or_insert_with(|| "Equivalent".into());
    m.namespace_selector.get_or_insert_default();
    m.object_selector.get_or_insert_default();
    for rule in m.resource_rules.iter_mut().chain(&mut m.exclude_resource_rules).flatten() {
        rule.scope.get_or_insert_with(|| "*".into());
    }
}

/// Models `validateMatchResources`.
pub(super) fn validate(m: &MatchResources, path: &Path, errors: &mut Vec<FieldError>) {
    let at = path.child("matchPolicy");
    match m.match_policy.as_deref() {
        None => errors.push(FieldError::required(&at, "")),
        Some("Exact" | "Equivalent") => {}
        Some(p) => errors.push(FieldError::not_supported(&at, p, &["Equivalent", "Exact"])),
    }
    for (name, selector) in [("namespaceSelector", &m.namespace_selector), ("objectSelector", &m.object_selector)] {
        match selector {
            None => errors.push(FieldError::required(&path.child(name), "")),
            Some(s) => errors.extend(validate_label_selector(&path.child(name), s)),
        }
    }
    for (name, rules) in [("resourceRules", &m.resource_rules), ("excludeResourceRules", &m.exclude_resource_rules)] {
        for (i, r) in rules.iter().flatten().enumerate() {
            validate_rule(r, &path.child(name).index(i), errors);
        }
    }
}

/// Models `validateNamedRuleWithOperations`.
pub(super) fn validate_rule(r: &NamedRuleWithOperations, path: &Path, errors: &mut Vec<FieldError>) {
    let mut seen = BTreeSet::new();
    for (i, name) in r.resource_names.iter().flatten().enumerate() {
        let at = path.child("resourceNames").index(i);
        errors.extend(each(&at, name, rule::path_segment(name, false)));
        if !seen.insert(name) {
            errors.push(FieldError::duplicate(&at, name.as_str()));
        }
    }
    let (at, operations) = (path.child("operations"), r.operations.as_deref().unwrap_or_default());
    if operations.is_empty() {
        errors.push(FieldError::required(&at, ""));
    }
    if alone(operations) {
        let why = "if '*' is present, must not specify other operations";
        errors.push(FieldError::invalid(&at, operations, why));
    }
    for (i, o) in operations.iter().enumerate().filter(|(_, o)| !OPERATIONS.contains(&o.as_str())) {
        errors.push(FieldError::not_supported(&at.index(i), o.as_str(), OPERATIONS));
    }
    for (name, what, list) in
        [("apiGroups", "API groups", &r.api_groups), ("apiVersions", "API versions", &r.api_versions)]
    {
        let (at, list) = (path.child(name), list.as_deref().unwrap_or_default());
        if list.is_empty() {
            errors.push(FieldError::required(&at, ""));
        }
        if alone(list) {
            let why = format!("if '*' is present, must not specify other {what}");
            errors.push(FieldError::invalid(&at, list, why));
        }
        if name == "apiVersions" {
            let empty = list.iter().enumerate().filter(|(_, v)| v.is_empty());
            errors.extend(empty.map(|(i, _)| FieldError::required(&at.index(i), "")));
        }
    }
    let (at, resources) = (path.child("resources"), r.resources.as_deref().unwrap_or_default());
    if resources.is_empty() {
        errors.push(FieldError::required(&at, ""));
    } else {
        validate_resources(resources, &at, errors);
    }
    if let Some(s) = r.scope.as_deref().filter(|s| !SCOPES.contains(s)) {
        errors.push(FieldError::not_supported(&path.child("scope"), s, SCOPES));
    }
}

/// Whether a `*` has company, which it must not have.
fn alone(list: &[String]) -> bool {
    list.len() > 1 && list.iter().any(|v| v == "*")
}

/// Models `validateResources`.
fn validate_resources(resources: &[String], path: &Path, errors: &mut Vec<FieldError>) {
    let (mut whole, mut of_any) = (BTreeSet::new(), BTreeSet::new());
    let any = resources.iter().any(|r| r == "*");
    let everything = resources.iter().any(|r| r == "*/*");
    for (i, resource) in resources.iter().enumerate() {
        let at = path.index(i);
        if resource.is_empty() {
            errors.push(FieldError::required(&at, ""));
            continue;
        }
        let mut wrong = |why: String| errors.push(FieldError::invalid(&at, resource.as_str(), why));
        let (of, sub) = resource.split_once('/').unwrap_or((resource, ""));
        if everything && resource.contains('/') && resource != "*/*" {
            wrong("if '*/*' is present, must not specify other resources".into());
        }
        if any && sub.is_empty() && resource != "*" {
            wrong("if '*' is present, must not specify other resources without subresources".into());
        }
        if sub == "*" {
            whole.insert(of);
        } else if whole.contains(of) && !sub.is_empty() {
            wrong(format!("if '{of}/*' is present, must not specify {resource}"));
        }
        if of == "*" {
            of_any.insert(sub);
        } else if of_any.contains(sub) && !sub.is_empty() {
            wrong(format!("if '*/{sub}' is present, must not specify {resource}"));
        }
    }
    if everything && resources.len() > 1 {
        let why = "if '*/*' is present, must not specify other resources";
        errors.push(FieldError::invalid(path, resources, why));
    }
}

/// Models `validateMatchConditions`.
pub(super) fn validate_conditions(
    conditions: &[MatchCondition],
    path: &Path,
    programs: &Programs,
    errors: &mut Vec<FieldError>,
) {
    if conditions.len() > CONDITIONS_MAX {
        errors.push(FieldError::too_many(path, conditions.len(), CONDITIONS_MAX));
    }
    let mut seen = BTreeSet::new();
    for (i, c) in conditions.iter().enumerate() {
        let at = path.index(i);
        match c.expression.trim() {
            "" => errors.push(FieldError::required(&at.child("expression"), "")),
            e => errors.extend(programs.compile(&at.child("expression"), e, &[Type::Bool]).err()),
        }
        match c.name.as_str() {
            "" => errors.push(FieldError::required(&at.child("name"), "")),
            n => errors.extend(qualified(&at.child("name"), n)),
        }
        if !c.name.is_empty() && !seen.insert(c.name.as_str()) {
            errors.push(FieldError::duplicate(&at.child("name"), c.name.as_str()));
        }
    }
}

/// Models `isCELIdentifier`.
pub(super) fn is_identifier(name: &str) -> bool {
    let first = |c: char| c == '_' || c.is_ascii_alphabetic();
    name.starts_with(first) && name.chars().all(|c| first(c) || c.is_ascii_digit()) && !cel::is_reserved(name)
}

/// Models `ValidateQualifiedName`.
pub(super) fn qualified(path: &Path, name: &str) -> impl Iterator<Item = FieldError> {
    each(path, name, names::qualified_name(name))
}
