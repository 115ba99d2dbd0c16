//! What roles allow, and whom.

use super::{ROWS_MAX, id, list};
use cluster::Cluster;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject};
use meta::Key;
use protocol::ObjectId;
use protocol::panel::{AccessPanel, RuleRow};

const API: &str = "rbac.authorization.k8s.io/v1";

/// A Role, or a ClusterRole when the namespace is empty.
pub fn role(cluster: &Cluster, namespace: &str, name: &str, rules: Option<&[PolicyRule]>) -> AccessPanel {
    let kind = if namespace.is_empty() { "ClusterRole" } else { "Role" };
    let names = |r: &RoleRef| r.kind == kind && r.name == name;
    let view = cluster.view();
    let mut bindings: Vec<ObjectId> = Vec::new();
    if namespace.is_empty() {
        let found = view.list::<ClusterRoleBinding>().filter(|b| names(&b.role_ref));
        bindings.extend(found.map(|b| id(API, "ClusterRoleBinding", "", b.metadata.name.as_deref().unwrap_or(""))));
    }
    let within = |b: &&RoleBinding| namespace.is_empty() || b.metadata.namespace.as_deref() == Some(namespace);
    let found = view.list::<RoleBinding>().filter(within).filter(|b| names(&b.role_ref));
    bindings.extend(found.map(|b| {
        let (namespace, name) = (b.metadata.namespace.as_deref(), b.metadata.name.as_deref());
        id(API, "RoleBinding", namespace.unwrap_or(""), name.unwrap_or(""))
    }));
    bindings.truncate(ROWS_MAX);
    AccessPanel { rules: rows(rules), bindings, ..AccessPanel::default() }
}

pub fn binding(cluster: &Cluster, namespace: &str, r: &RoleRef, subjects: Option<&[Subject]>) -> AccessPanel {
    let of_namespace = r.kind == "Role";
    let rules = if of_namespace {
        cluster.view().get::<Role>(&Key::new(namespace, &r.name)).and_then(|x| x.rules.as_deref())
    } else {
        cluster.view().get::<ClusterRole>(&Key::from(r.name.as_str())).and_then(|x| x.rules.as_deref())
    };
    let subject = |s: &Subject| (s.kind.clone(), s.namespace.clone().unwrap_or_default(), s.name.clone());
    AccessPanel {
        role: Some(id(API, &r.kind, if of_namespace { namespace } else { "" }, &r.name)),
        rules: rows(rules),
        subjects: subjects.unwrap_or_default().iter().take(ROWS_MAX).map(subject).collect(),
        bindings: Vec::new(),
    }
}

fn rows(rules: Option<&[PolicyRule]>) -> Vec<RuleRow> {
    rules.unwrap_or_default().iter().take(ROWS_MAX).map(row).collect()
}

fn row(rule: &PolicyRule) -> RuleRow {
    let groups = rule.api_groups.as_deref().unwrap_or_default();
    let named = |resource: &String| match groups {
        [] => resource.clone(),
        [one] if one.is_empty() => resource.clone(),
        groups => list(groups.iter().map(|g| if g.is_empty() { resource.clone() } else { format!("{resource}.{g}") })),
    };
    let resources = rule.resources.iter().flatten().map(named);
    RuleRow {
        verbs: list(&rule.verbs),
        resources: list(resources.chain(rule.non_resource_urls.iter().flatten().cloned())),
        names: list(rule.resource_names.iter().flatten()),
    }
}
