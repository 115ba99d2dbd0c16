//! Nobody gives what they do not have: what roles and bindings are checked for beyond the permission to write them. Models
//! `pkg/registry/rbac/{role, clusterrole, rolebinding, clusterrolebinding}/policybased` and `escalation_check.go`.

use super::{Attributes, is_master, rbac, rules};
use crate::request::Request;
use crate::server::Cx;
use api::kinds::rbac::GROUP;
use api::{Object, ObjectExt};
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef};
use meta::ApiError;

/// `old` is absent in a create.
pub(crate) fn check(cx: &Cx<'_>, req: &Request, new: &dyn Object, old: Option<&dyn Object>) -> Result<(), ApiError> {
    if req.kind.group != GROUP || is_master(&req.user) {
        return Ok(());
    }
    if old.is_some_and(|old| only_gc_fields(new, old)) {
        return Ok(());
    }
    if let Some(role) = new.downcast::<Role>() {
        return check_role(cx, req, new, role.rules.as_deref().unwrap_or_default(), false);
    }
    if let Some(role) = new.downcast::<ClusterRole>() {
        let before = old.and_then(|o| o.downcast::<ClusterRole>());
        let aggregated = aggregates(role) || before.is_some_and(aggregates);
        return check_role(cx, req, new, role.rules.as_deref().unwrap_or_default(), aggregated);
    }
    let role = new.downcast::<RoleBinding>().map(|b| &b.role_ref);
    let role = role.or_else(|| Some(&new.downcast::<ClusterRoleBinding>()?.role_ref));
    role.map_or(Ok(()), |role| check_binding(cx, req, new, role))
}

fn aggregates(role: &ClusterRole) -> bool {
    let selectors = role.aggregation_rule.as_ref().and_then(|r| r.cluster_role_selectors.as_ref());
    selectors.is_some_and(|s| !s.is_empty())
}

fn may(cx: &Cx<'_>, req: &Request, verb: &str, resource: &str, namespace: &str, name: &str) -> bool {
    let a = Attributes {
        user: &req.user,
        verb,
        group: GROUP,
        resource,
        subresource: "",
        namespace,
        name,
        field_selector: "",
        path: None,
    };
    cx.server.authz().authorize(cx.store, &a).allowed
}

fn check_role(
    cx: &Cx<'_>,
    req: &Request,
    new: &dyn Object,
    rules: &[PolicyRule],
    aggregated: bool,
) -> Result<(), ApiError> {
    if may(cx, req, "escalate", req.kind.plural, &req.namespace, &req.name) {
        return Ok(());
    }
    confirm(cx, req, new, rules)?;
    if aggregated && confirm(cx, req, new, &everything()).is_err() {
        let why = "must have cluster-admin privileges to use the aggregationRule";
        return Err(ApiError::forbidden(GROUP, req.kind.plural, new.name(), why));
    }
    Ok(())
}

fn everything() -> [PolicyRule; 2] {
    let all = || Some(vec!["*".to_string()]);
    let verbs = || vec!["*".to_string()];
    [
        PolicyRule { verbs: verbs(), api_groups: all(), resources: all(), ..Default::default() },
        PolicyRule { verbs: verbs(), non_resource_urls: all(), ..Default::default() },
    ]
}

fn check_binding(cx: &Cx<'_>, req: &Request, new: &dyn Object, role: &RoleRef) -> Result<(), ApiError> {
    let resource = match role.kind.as_str() {
        "Role" => "roles",
        _ => "clusterroles",
    };
    if may(cx, req, "bind", resource, &req.namespace, &role.name) {
        return Ok(());
    }
    let rules = rbac::rules_of(cx.store, role, &req.namespace)
        .map_err(|_| ApiError::not_found(GROUP, resource.trim_end_matches('s'), &role.name))?;
    confirm(cx, req, new, rules)
}

/// Models `ConfirmNoEscalation`.
fn confirm(cx: &Cx<'_>, req: &Request, new: &dyn Object, wanted: &[PolicyRule]) -> Result<(), ApiError> {
    let (owned, errors) = cx.server.authz().rules_for(cx.store, &req.user, &req.namespace);
    let missing = rules::missing(&owned, wanted);
    if missing.is_empty() {
        return Ok(());
    }
    let mut why = format!(
        "user {:?} (groups={}) is attempting to grant RBAC permissions not currently held:\n{}",
        req.user.name,
        rules::go_list(&req.user.groups),
        rules::describe(&missing)
    );
    if !errors.is_empty() {
        why.push_str(&format!("; resolution errors: [{}]", meta::field::aggregate(errors)));
    }
    Err(ApiError::forbidden(GROUP, req.kind.plural, new.name(), &why))
}

/// Models `IsOnlyMutatingGCFields`.
fn only_gc_fields(new: &dyn Object, old: &dyn Object) -> bool {
    let mut copy = new.clone_object();
    let (m, before) = (copy.meta_mut(), old.meta());
    m.owner_references.clone_from(&before.owner_references);
    m.finalizers.clone_from(&before.finalizers);
    m.managed_fields.clone_from(&before.managed_fields);
    m.resource_version.clone_from(&before.resource_version);
    copy.equals(old)
}
