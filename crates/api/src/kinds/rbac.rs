//! What the four kinds of RBAC share. Models `pkg/apis/rbac/{v1,validation}` and `printers.printRoleBinding`.

use crate::registration::{Cell, Column};
use crate::table;
use crate::validate::{each, names, text};
use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule, RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::labels::Selector;
use meta::{FieldError, Path, Time};

pub const GROUP: &str = "rbac.authorization.k8s.io";

/// Roles have no printer of their own: name and time, as `rest.NewDefaultTableConvertor` shows every object.
pub(super) const ROLE_COLUMNS: &[Column] =
    &[Column::NAME, Column::new("Created At", "date", 0).describe(table::AGE_DESCRIPTION)];

pub(super) fn role_cells(m: &ObjectMeta) -> Vec<Cell> {
    let at = m.creation_timestamp.as_ref().map_or_else(String::new, |t| Time::from_k8s(t).rfc3339());
    vec![table::name(m), at.into()]
}

/// Models `ValidatePolicyRule`.
pub(super) fn validate_rules(rules: Option<&Vec<PolicyRule>>, namespaced: bool) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let none = |l: &Option<Vec<String>>| l.as_ref().is_none_or(Vec::is_empty);
    for (i, r) in rules.into_iter().flatten().enumerate() {
        let path = Path::new("rules").index(i);
        if r.verbs.is_empty() {
            errors.push(FieldError::required(&path.child("verbs"), "verbs must contain at least one value"));
        }
        if let Some(urls) = r.non_resource_urls.as_ref().filter(|u| !u.is_empty()) {
            let at = path.child("nonResourceURLs");
            if namespaced {
                let why = "namespaced rules cannot apply to non-resource URLs";
                errors.push(FieldError::invalid(&at, urls.clone(), why));
            }
            if !(none(&r.api_groups) && none(&r.resources) && none(&r.resource_names)) {
                let why = "rules cannot apply to both regular resources and non-resource URLs";
                errors.push(FieldError::invalid(&at, urls.clone(), why));
            }
            continue;
        }
        if none(&r.api_groups) {
            let why = "resource rules must supply at least one api group";
            errors.push(FieldError::required(&path.child("apiGroups"), why));
        }
        if none(&r.resources) {
            let why = "resource rules must supply at least one resource";
            errors.push(FieldError::required(&path.child("resources"), why));
        }
    }
    errors
}

/// Models `SetDefaults_RoleBinding`, `SetDefaults_ClusterRoleBinding` and `SetDefaults_Subject`.
pub(super) fn default_binding(role_ref: &mut RoleRef, subjects: Option<&mut Vec<Subject>>) {
    if role_ref.api_group.is_empty() {
        role_ref.api_group = GROUP.into();
    }
    for s in subjects.into_iter().flatten() {
        s.api_group = s.api_group.take().filter(|g| !g.is_empty());
        s.namespace = s.namespace.take().filter(|n| !n.is_empty());
        if s.api_group.is_none() && matches!(s.kind.as_str(), "User" | "Group") {
            s.api_group = Some(GROUP.into());
        }
    }
}

/// Models `ValidateRoleBinding` and `ValidateClusterRoleBinding`.
pub(super) fn validate_binding(
    role_ref: &RoleRef,
    subjects: Option<&Vec<Subject>>,
    namespaced: bool,
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let path = Path::new("roleRef");
    if role_ref.api_group != GROUP {
        errors.push(FieldError::not_supported(&path.child("apiGroup"), role_ref.api_group.as_str(), &[GROUP]));
    }
    let kinds: &[&str] = if namespaced { &["Role", "ClusterRole"] } else { &["ClusterRole"] };
    if !kinds.contains(&role_ref.kind.as_str()) {
        errors.push(FieldError::not_supported(&path.child("kind"), role_ref.kind.as_str(), kinds));
    }
    let at = path.child("name");
    if role_ref.name.is_empty() {
        errors.push(FieldError::required(&at, ""));
    } else {
        errors.extend(each(&at, &role_ref.name, names::rule::path_segment(&role_ref.name, false)));
    }
    for (i, s) in subjects.into_iter().flatten().enumerate() {
        validate_subject(s, namespaced, &Path::new("subjects").index(i), &mut errors);
    }
    errors
}

fn validate_subject(s: &Subject, namespaced: bool, path: &Path, errors: &mut Vec<FieldError>) {
    if s.name.is_empty() {
        errors.push(FieldError::required(&path.child("name"), ""));
    }
    let group = text(&s.api_group);
    match s.kind.as_str() {
        "ServiceAccount" => {
            if !s.name.is_empty() {
                errors.extend(each(&path.child("name"), &s.name, names::rule::subdomain(&s.name, false)));
            }
            if !group.is_empty() {
                errors.push(FieldError::not_supported(&path.child("apiGroup"), group, &[""]));
            }
            if !namespaced && text(&s.namespace).is_empty() {
                errors.push(FieldError::required(&path.child("namespace"), ""));
            }
        }
        "User" | "Group" => {
            if group != GROUP {
                errors.push(FieldError::not_supported(&path.child("apiGroup"), group, &[GROUP]));
            }
        }
        other => {
            let kinds = ["ServiceAccount", "User", "Group"];
            errors.push(FieldError::not_supported(&path.child("kind"), other, &kinds));
        }
    }
}

/// The reference itself is for ever: another role is another binding.
pub(super) fn same_role(new: &RoleRef, old: &RoleRef) -> Option<FieldError> {
    let value = || serde_json::json!({"APIGroup": new.api_group, "Kind": new.kind, "Name": new.name});
    (new != old).then(|| FieldError::invalid(&Path::new("roleRef"), value(), "cannot change roleRef"))
}

/// The columns of a binding. `kind` is what the descriptions call it.
macro_rules! binding_columns {
    ($kind:literal, $role:literal) => {
        &[
            Column::NAME,
            Column::new("Role", "string", 0).describe($role),
            Column::AGE,
            Column::new("Users", "string", 1).describe(concat!("Users in the ", $kind)),
            Column::new("Groups", "string", 1).describe(concat!("Groups in the ", $kind)),
            Column::new("ServiceAccounts", "string", 1).describe(concat!("ServiceAccounts in the ", $kind)),
        ]
    };
}
pub(super) use binding_columns;

pub(super) fn binding_cells(m: &ObjectMeta, role: &RoleRef, subjects: Option<&Vec<Subject>>, now: Time) -> Vec<Cell> {
    let of = |kind: &str| {
        let all = subjects.into_iter().flatten().filter(|s| s.kind == kind);
        let names = all.map(|s| match kind {
            "ServiceAccount" => format!("{}/{}", text(&s.namespace), s.name),
            _ => s.name.clone(),
        });
        Cell::from(names.collect::<Vec<_>>().join(", "))
    };
    vec![
        table::name(m),
        format!("{}/{}", role.kind, role.name).into(),
        table::age(m, now),
        of("User"),
        of("Group"),
        of("ServiceAccount"),
    ]
}

/// What an aggregated cluster role consists of, as the controller and the roles of a new cluster make it: the rules of every
/// other role that one of the selectors of `role` selects, in order of
/// names, each once. Models `syncClusterRole` of `pkg/controller/clusterroleaggregation`.
pub fn aggregate(role: &ClusterRole, all: &[&ClusterRole]) -> Vec<PolicyRule> {
    let selectors = role.aggregation_rule.as_ref().and_then(|r| r.cluster_role_selectors.as_deref());
    let mut rules: Vec<PolicyRule> = Vec::new();
    for selector in selectors.unwrap_or_default() {
        let Ok(selector) = Selector::from_api(Some(selector)) else { continue };
        let mut selected: Vec<&ClusterRole> = all
            .iter()
            .copied()
            .filter(|r| r.metadata.name != role.metadata.name)
            .filter(|r| selector.matches(r.metadata.labels.as_ref()))
            .collect();
        selected.sort_by_key(|r| r.metadata.name.as_deref().unwrap_or(""));
        for r in selected.iter().flat_map(|r| r.rules.iter().flatten()) {
            if !rules.contains(r) {
                rules.push(r.clone());
            }
        }
    }
    rules
}
