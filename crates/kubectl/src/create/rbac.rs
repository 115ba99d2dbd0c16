//! Roles and bindings of words.

use super::{metadata, name};
use crate::cx::Cx;
use crate::discovery::Discovery;
use crate::error::Error;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const GROUP: &str = "rbac.authorization.k8s.io";
const VERBS: &[&str] = &[
    "*",
    "get",
    "delete",
    "list",
    "create",
    "update",
    "patch",
    "watch",
    "proxy",
    "deletecollection",
    "use",
    "bind",
    "approve",
    "sign",
    "escalate",
    "impersonate",
];

/// Verbs that only a few resources know: group and resource of each.
const SPECIAL: &[(&str, &[(&str, &str)])] = &[
    ("use", &[("policy", "podsecuritypolicies"), ("extensions", "podsecuritypolicies")]),
    ("bind", &[(GROUP, "roles"), (GROUP, "clusterroles")]),
    ("escalate", &[(GROUP, "roles"), (GROUP, "clusterroles")]),
    ("impersonate", &[("", "users"), ("", "serviceaccounts"), ("", "groups"), ("authentication.k8s.io", "userextras")]),
];
const NON_RESOURCE_VERBS: &[&str] = &["*", "get", "post", "put", "delete", "patch", "head", "options"];

/// Models `validateResource`.
fn check_resources(discovery: &Discovery, resources: &[String], verbs: &[String]) -> Result<(), Error> {
    for r in resources {
        let word = r.split('/').next().unwrap_or("");
        let (resource, group) = word.split_once('.').unwrap_or((word, ""));
        if resource.is_empty() {
            return Err(Error::text("resource must be specified if apiGroup/subresource specified"));
        }
        if resource == "*" {
            return Ok(());
        }
        // No version stands between them here.
        let found = discovery.find(word).filter(|m| m.group.starts_with(group));
        let (resource, group) = found.map_or((resource, group), |m| (m.resource.as_str(), m.group.as_str()));
        let mut known = found.is_some();
        for v in verbs {
            let Some((_, of)) = SPECIAL.iter().find(|(s, _)| s == v) else { continue };
            if !of.contains(&(group, resource)) {
                return Err(Error::text(format!("can not perform '{v}' on '{resource}' in group '{group}'")));
            }
            known = true;
        }
        if !known {
            let group = if group.is_empty() { String::new() } else { format!(" in group {group:?}") };
            return Err(Error::Plain(format!("the server doesn't have a resource type {resource:?}{group}")));
        }
    }
    Ok(())
}

/// Models `validNonResourceVerbs` and what a path may be.
fn check_urls(urls: &[String], verbs: &[String]) -> Result<(), Error> {
    if let Some(v) = verbs.iter().find(|v| !urls.is_empty() && !NON_RESOURCE_VERBS.contains(&v.as_str())) {
        return Err(Error::text(format!("invalid verb: '{v}' for nonResourceURL")));
    }
    for url in urls.iter().filter(|u| *u != "*") {
        if !url.starts_with('/') {
            return Err(Error::text("nonResourceURL should start with /"));
        }
        if url.strip_suffix('*').unwrap_or(url).contains('*') {
            return Err(Error::text("nonResourceURL only supports wildcard matches when '*' is at the end"));
        }
    }
    Ok(())
}

fn unique(list: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for v in list {
        if !out.contains(&v) {
            out.push(v);
        }
    }
    out
}

pub(super) async fn role(cx: &mut Cx<'_, '_>, cluster: bool) -> Result<Value, Error> {
    let name = name(cx)?;
    let mut verbs = unique(cx.flags.list("verb").iter().map(|v| v.trim().to_string()).collect());
    if verbs.iter().any(|v| v == "*") {
        verbs = vec!["*".into()];
    }
    let kind = if cluster { "ClusterRole" } else { "Role" };
    let mut o = json!({
        "apiVersion": format!("{GROUP}/v1"), "kind": kind, "metadata": metadata(cx, &name, !cluster),
    });
    let resources = cx.flags.list("resource");
    let urls = if cluster { unique(cx.flags.list("non-resource-url")) } else { Vec::new() };
    let aggregation = if cluster { cx.flags.string("aggregation-rule").to_string() } else { String::new() };
    if !aggregation.is_empty() {
        if aggregation.split(',').any(|p| !p.contains('=')) {
            return Err(Error::text(format!(
                "invalid argument {aggregation:?} for \"--aggregation-rule\" flag: malformed pair, expect \
                 string=string\nSee '{} --help' for usage.",
                cx.command.full()
            )));
        }
        if !verbs.is_empty() || !resources.is_empty() || !urls.is_empty() {
            return Err(Error::text(
                "aggregation rule must be specified without nonResourceURLs, verbs, resources or resourceNames",
            ));
        }
        let labels: BTreeMap<&str, &str> = aggregation.split(',').filter_map(|p| p.split_once('=')).collect();
        o["aggregationRule"] = json!({"clusterRoleSelectors": [{"matchLabels": labels}]});
        o["rules"] = Value::Null;
        return Ok(o);
    }
    if verbs.is_empty() {
        return Err(Error::text("at least one verb must be specified"));
    }
    for v in verbs.clone() {
        if !VERBS.contains(&v.as_str()) && (!cluster || !resources.is_empty()) {
            cx.err(&format!("Warning: '{v}' is not a standard resource verb\n"));
        }
    }
    if cluster && resources.is_empty() && urls.is_empty() {
        return Err(Error::text("one of resource or nonResourceURL must be specified"));
    }
    if !cluster && resources.is_empty() {
        return Err(Error::text("at least one resource must be specified"));
    }
    let discovery = cx.discovery().await?;
    check_resources(&discovery, &resources, &verbs)?;
    check_urls(&urls, &verbs)?;
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for r in &resources {
        let (resource, sub) = r.split_once('/').map_or((r.as_str(), ""), |(r, s)| (r, s));
        let (word, group) = resource.split_once('.').unwrap_or((resource, ""));
        if word == "*" && group.is_empty() && sub.is_empty() {
            groups = BTreeMap::from([(String::new(), vec!["*".to_string()])]);
            break;
        }
        let (group, mut resource) = match discovery.find(resource) {
            Some(m) if word != "*" => (m.group.clone(), m.resource.clone()),
            _ => (group.to_string(), word.to_string()),
        };
        if !sub.is_empty() {
            resource = format!("{resource}/{sub}");
        }
        let list = groups.entry(group).or_default();
        if !list.contains(&resource) {
            list.push(resource);
        }
    }
    let names = unique(cx.flags.list("resource-name"));
    let mut rules: Vec<Value> = groups
        .into_iter()
        .map(|(group, resources)| {
            let mut rule = json!({"apiGroups": [group], "resources": resources, "verbs": verbs});
            if !names.is_empty() {
                rule["resourceNames"] = json!(names);
            }
            rule
        })
        .collect();
    if !urls.is_empty() {
        rules.push(json!({"nonResourceURLs": urls, "verbs": verbs}));
    }
    o["rules"] = json!(rules);
    Ok(o)
}

pub(super) fn binding(cx: &Cx<'_, '_>, cluster: bool) -> Result<Value, Error> {
    let name = name(cx)?;
    let (role, cluster_role) = (if cluster { "" } else { cx.flags.string("role") }, cx.flags.string("clusterrole"));
    if role.is_empty() == cluster_role.is_empty() {
        return Err(Error::text("exactly one of clusterrole or role must be specified"));
    }
    let (kind, role) = if role.is_empty() { ("ClusterRole", cluster_role) } else { ("Role", role) };
    let mut subjects = Vec::new();
    for (flag, kind) in [("user", "User"), ("group", "Group")] {
        for n in cx.flags.list(flag) {
            subjects.push(json!({"apiGroup": GROUP, "kind": kind, "name": n}));
        }
    }
    for sa in cx.flags.list("serviceaccount") {
        let parts: Vec<&str> = sa.split(':').collect();
        let [ns, n] = parts.as_slice() else { return Err(Error::text("serviceaccount must be <namespace>:<name>")) };
        if ns.is_empty() || n.is_empty() {
            return Err(Error::text("serviceaccount must be <namespace>:<name>"));
        }
        subjects.push(json!({"kind": "ServiceAccount", "name": n, "namespace": ns}));
    }
    let mut o = json!({
        "apiVersion": format!("{GROUP}/v1"),
        "kind": if cluster { "ClusterRoleBinding" } else { "RoleBinding" },
        "metadata": metadata(cx, &name, !cluster),
        "roleRef": {"apiGroup": GROUP, "kind": kind, "name": role},
    });
    if !subjects.is_empty() {
        o["subjects"] = json!(subjects);
    }
    Ok(o)
}
