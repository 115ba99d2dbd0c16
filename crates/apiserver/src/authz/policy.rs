//! The roles and bindings that every cluster has from the start, read from texts beside this file. Models
//! `plugin/pkg/auth/authorizer/rbac/bootstrappolicy` with the feature gates as v1.35 has them by default; those of
//! metrics-server and ingress-nginx are their manifests'.
//!
//! A role is its name (with its namespace; `+label` for `rbac.authorization.k8s.io/label: "true"`) and indented rules:
//! `verbs groups: resources = names` or `verbs /url /url`; `@ label` aggregates roles. A binding is one line:
//! the role's name (or `name=role`) and its subjects.

use api::Object;
use api::kinds::rbac::GROUP;
use k8s_openapi::api::rbac::v1::{
    AggregationRule, ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use std::collections::BTreeMap;

const CLUSTER_ROLES: &str = include_str!("policy/cluster_roles.txt");
const CONTROLLER_ROLES: &str = include_str!("policy/controller_roles.txt");
const NAMESPACE_ROLES: &str = include_str!("policy/namespace_roles.txt");
const BINDINGS: &str = include_str!("policy/bindings.txt");
/// What comes with a manifest of its own, as that has it.
const ADDONS: &[Addon] = &[
    Addon {
        cluster_roles: include_str!("policy/metrics_server.txt"),
        roles: "",
        bindings: include_str!("policy/metrics_server_bindings.txt"),
        labels: &[("k8s-app", "metrics-server")],
    },
    Addon {
        cluster_roles: include_str!("policy/ingress_nginx.txt"),
        roles: include_str!("policy/ingress_nginx_roles.txt"),
        bindings: include_str!("policy/ingress_nginx_bindings.txt"),
        labels: &[("app.kubernetes.io/instance", "ingress-nginx"), ("app.kubernetes.io/name", "ingress-nginx")],
    },
];
const CONTROLLER: &str = "system:controller:";

struct Addon {
    cluster_roles: &'static str,
    /// Of namespaces.
    roles: &'static str,
    bindings: &'static str,
    labels: &'static [(&'static str, &'static str)],
}

/// Everything, in the order in which it is created: roles before their bindings.
pub fn bootstrap() -> Vec<Box<dyn Object>> {
    let mut all: Vec<Box<dyn Object>> = Vec::new();
    all.extend(cluster_roles().into_iter().map(|r| Box::new(r) as Box<dyn Object>));
    for role in roles(NAMESPACE_ROLES) {
        all.push(Box::new(Role { metadata: role.metadata, rules: role.rules }));
    }
    for line in BINDINGS.lines() {
        let mut words = line.split(' ');
        let name = words.next().unwrap_or("");
        all.push(binding(name, words.map(subject).collect()));
    }
    for role in roles(CONTROLLER_ROLES) {
        let name = role.metadata.name.unwrap_or_default();
        let account = name.strip_prefix(CONTROLLER).unwrap_or(&name);
        all.push(binding(&name, vec![subject(&format!("account:kube-system/{account}"))]));
    }
    for addon in ADDONS {
        for mut role in roles(addon.roles) {
            addon.mark(&mut role.metadata);
            all.push(Box::new(Role { metadata: role.metadata, rules: role.rules }));
        }
        for line in addon.bindings.lines() {
            let (name, account) = line.split_once(' ').unwrap_or((line, ""));
            let mut object = binding(name, vec![subject(account)]);
            addon.mark(object.meta_mut());
            all.push(object);
        }
    }
    all
}

impl Addon {
    /// As the manifest has it, not as the API server makes its own.
    fn mark(&self, m: &mut ObjectMeta) {
        m.annotations = None;
        let labels = m.labels.get_or_insert_default();
        labels.remove("kubernetes.io/bootstrapping");
        labels.extend(self.labels.iter().map(|(k, v)| ((*k).into(), (*v).into())));
    }
}

/// The cluster roles, controllers' included. The aggregated ones are here as the aggregation makes them, so that a cluster
/// begins with them filled.
fn cluster_roles() -> Vec<ClusterRole> {
    let of_addons = ADDONS.iter().flat_map(|addon| {
        roles(addon.cluster_roles).map(|mut r| {
            addon.mark(&mut r.metadata);
            r
        })
    });
    let mut all: Vec<ClusterRole> = roles(CLUSTER_ROLES).chain(roles(CONTROLLER_ROLES)).chain(of_addons).collect();
    // `view` goes into `edit`, and `edit` into `admin`.
    for name in ["view", "edit", "admin"] {
        let Some(i) = all.iter().position(|r| r.metadata.name.as_deref() == Some(name)) else { continue };
        let rules = api::kinds::rbac::aggregate(&all[i], &all.iter().collect::<Vec<_>>());
        all[i].rules = Some(rules);
    }
    all
}

/// The rules of `system:node`: what the Node authorizer gives every node beyond what it looks at in detail.
pub(super) fn node_rules() -> Vec<PolicyRule> {
    let node = roles(CLUSTER_ROLES).find(|r| r.metadata.name.as_deref() == Some("system:node"));
    node.and_then(|r| r.rules).unwrap_or_default()
}

/// Models `addDefaultMetadata`.
fn metadata(name: &str) -> ObjectMeta {
    let (namespace, name) = match name.split_once('/') {
        Some((namespace, name)) => (Some(namespace.into()), name),
        None => (None, name),
    };
    let one = |k: &str, v: &str| Some(BTreeMap::from([(k.to_string(), v.to_string())]));
    ObjectMeta {
        name: Some(name.into()),
        namespace,
        labels: one("kubernetes.io/bootstrapping", "rbac-defaults"),
        annotations: one("rbac.authorization.kubernetes.io/autoupdate", "true"),
        ..Default::default()
    }
}

/// Roles of a namespace come as cluster roles, too, with the namespace in their metadata.
fn roles(text: &str) -> impl Iterator<Item = ClusterRole> {
    let mut lines = text.lines().peekable();
    std::iter::from_fn(move || {
        let mut head = lines.next()?.split(" +");
        let mut metadata = metadata(head.next().unwrap_or(""));
        let labels = metadata.labels.get_or_insert_default();
        labels.extend(head.map(|l| (format!("{GROUP}/{l}"), "true".into())));
        let (mut rules, mut aggregation_rule) = (Vec::new(), None);
        while let Some(line) = lines.next_if(|l| l.starts_with("  ")) {
            match line.trim_start().strip_prefix("@ ") {
                Some(label) => aggregation_rule = Some(aggregates(label)),
                None => rules.push(rule(line.trim_start())),
            }
        }
        Some(ClusterRole { metadata, aggregation_rule, rules: (!rules.is_empty()).then_some(rules) })
    })
}

fn aggregates(label: &str) -> AggregationRule {
    let labels = BTreeMap::from([(format!("{GROUP}/{label}"), "true".to_string())]);
    let selector = LabelSelector { match_labels: Some(labels), ..Default::default() };
    AggregationRule { cluster_role_selectors: Some(vec![selector]) }
}

fn rule(line: &str) -> PolicyRule {
    let list = |s: &str, by: char| s.split(by).filter(|w| !w.is_empty()).map(String::from).collect::<Vec<_>>();
    let (verbs, what) = line.split_once(' ').unwrap_or((line, ""));
    let verbs = list(verbs, ',');
    let Some((groups, resources)) = what.split_once(": ") else {
        return PolicyRule { verbs, non_resource_urls: Some(list(what, ' ')), ..Default::default() };
    };
    let (resources, names) = resources.split_once(" = ").unwrap_or((resources, ""));
    let groups = groups.split(',').map(|g| if g == "core" { String::new() } else { g.into() });
    PolicyRule {
        verbs,
        api_groups: Some(groups.collect()),
        resources: Some(list(resources, ',')),
        resource_names: Some(list(names, ' ')).filter(|n| !n.is_empty()),
        ..Default::default()
    }
}

fn subject(word: &str) -> Subject {
    let (kind, name) = word.split_once(':').unwrap_or(("user", word));
    match kind {
        "account" => {
            let (namespace, name) = name.split_once('/').unwrap_or(("", name));
            let (kind, namespace) = ("ServiceAccount".into(), Some(namespace.into()));
            Subject { kind, namespace, name: name.into(), api_group: None }
        }
        kind => Subject {
            kind: if kind == "group" { "Group" } else { "User" }.into(),
            name: name.into(),
            api_group: Some(GROUP.into()),
            namespace: None,
        },
    }
}

fn binding(name: &str, subjects: Vec<Subject>) -> Box<dyn Object> {
    let (name, role) = name.split_once('=').unwrap_or((name, name.rsplit('/').next().unwrap_or(name)));
    let metadata = metadata(name);
    let subjects = Some(subjects).filter(|s| !s.is_empty());
    let kind = if metadata.namespace.is_some() { "Role" } else { "ClusterRole" };
    let role_ref = RoleRef { api_group: GROUP.into(), kind: kind.into(), name: role.into() };
    match metadata.namespace {
        Some(_) => Box::new(RoleBinding { metadata, role_ref, subjects }),
        None => Box::new(ClusterRoleBinding { metadata, role_ref, subjects }),
    }
}
