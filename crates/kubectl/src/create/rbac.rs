//! Roles and bindings of words.

use super::{metadata, name};
use crate::cx::Cx;
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
    let urls = if cluster { cx.flags.list("non-resource-url") } else { Vec::new() };
    let aggregation = if cluster { cx.flags.string("aggregation-rule").to_string() } else { String::new() };
    if !aggregation.is_empty() {
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
        if !VERBS.contains(&v.as_str()) && urls.is_empty() {
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
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for r in &resources {
        let (resource, sub) = r.split_once('/').map_or((r.as_str(), ""), |(r, s)| (r, s));
        let (word, group) = resource.split_once('.').unwrap_or((resource, ""));
        if word.is_empty() {
            return Err(Error::text("resource must be specified if apiGroup/subresource specified"));
        }
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
    for url in &urls {
        if !url.starts_with('/') && url != "*" {
            return Err(Error::text("nonResourceURL should start with /"));
        }
    }
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
