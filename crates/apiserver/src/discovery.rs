//! What the server says about itself: groups, resources, version, health. Everything is derived from the
//! registered kinds. Models `apiserver/pkg/endpoints/discovery` (legacy and aggregated), `server/healthz`, and
//! `component-base/version`.

use crate::http::indent;
use crate::response::{Answer, Response};
use api::{Kind, KindRef, Kinds, Remote, Verb};
use base64::Engine;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Where the `kubernetes` Service leads. Clients keep to the address they came by.
const ADDRESS: &str = "10.96.0.1:443";
const GIT_VERSION: &str = "v1.35.0";

fn bytes(v: &Value) -> Vec<u8> {
    v.to_string().into_bytes()
}

fn verb(v: Verb) -> &'static str {
    match v {
        Verb::Create => "create",
        Verb::Delete => "delete",
        Verb::DeleteCollection => "deletecollection",
        Verb::Get => "get",
        Verb::List => "list",
        Verb::Patch => "patch",
        Verb::Update => "update",
        Verb::Watch => "watch",
    }
}

fn verbs(list: &[Verb]) -> Vec<&'static str> {
    let mut names: Vec<&str> = list.iter().map(|v| verb(*v)).collect();
    names.sort_unstable();
    names
}

/// `(group, version)` pairs in the order of registration.
fn group_versions(kinds: &Kinds) -> Vec<(&'static str, &'static str)> {
    let mut list: Vec<(&str, &str)> = Vec::new();
    for k in kinds.iter() {
        if !list.contains(&(k.group, k.version)) {
            list.push((k.group, k.version));
        }
    }
    list
}

fn kinds_of(kinds: &Kinds, group: &str, version: &str) -> Vec<KindRef> {
    let mut found: Vec<KindRef> = kinds.iter().filter(|k| k.group == group && k.version == version).collect();
    found.sort_by_key(|k| k.plural);
    found
}

/// `/`
pub(crate) fn root(kinds: &Kinds) -> Vec<u8> {
    let mut paths: BTreeSet<String> = [
        crate::authn::ISSUER_PATH,
        "/api",
        "/apis",
        "/metrics",
        "/metrics/slis",
        "/openapi/v2",
        "/openapi/v3",
        crate::authn::KEYS_PATH,
        "/version",
    ]
    .map(String::from)
    .into();
    for endpoint in ["healthz", "livez", "readyz"] {
        paths.insert(format!("/{endpoint}"));
        paths.extend(checks(endpoint).map(|c| format!("/{endpoint}/{c}")));
    }
    for (group, version) in group_versions(kinds) {
        if group.is_empty() {
            paths.insert(format!("/api/{version}"));
        } else {
            paths.insert(format!("/apis/{group}"));
            paths.insert(format!("/apis/{group}/{version}"));
        }
    }
    indent(&bytes(&json!({ "paths": paths })))
}

/// `/version`
pub(crate) fn version() -> Vec<u8> {
    indent(&bytes(&json!({
        "major": "1",
        "minor": "35",
        "emulationMajor": "1",
        "emulationMinor": "35",
        "minCompatibilityMajor": "1",
        "minCompatibilityMinor": "34",
        "gitVersion": GIT_VERSION,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "2025-12-17T00:00:00Z",
        "goVersion": "",
        "compiler": "rustc",
        "platform": "kubottle",
    })))
}

/// `/api`
pub(crate) fn api_versions(kinds: &Kinds) -> Vec<u8> {
    let versions: Vec<&str> = group_versions(kinds).into_iter().filter(|(g, _)| g.is_empty()).map(|(_, v)| v).collect();
    bytes(&json!({
        "kind": "APIVersions",
        "versions": versions,
        "serverAddressByClientCIDRs": [{ "clientCIDR": "0.0.0.0/0", "serverAddress": ADDRESS }],
    }))
}

fn group_value(kinds: &Kinds, name: &str) -> Option<Value> {
    let own: Vec<(&str, &str)> = group_versions(kinds);
    let remote = kinds.remote().map(|r| (r.group.as_str(), r.version.as_str()));
    let versions: Vec<Value> = own
        .into_iter()
        .chain(remote)
        .filter(|(g, _)| *g == name && !name.is_empty())
        .map(|(g, v)| json!({ "groupVersion": format!("{g}/{v}"), "version": v }))
        .collect();
    let preferred = versions.first()?.clone();
    Some(json!({ "name": name, "versions": versions, "preferredVersion": preferred }))
}

fn group_names(kinds: &Kinds) -> Vec<&'static str> {
    let mut names: Vec<&str> = Vec::new();
    for (g, _) in group_versions(kinds) {
        if !g.is_empty() && !names.contains(&g) {
            names.push(g);
        }
    }
    names
}

/// Groups that only other servers have.
fn remote_groups(kinds: &Kinds) -> Vec<&str> {
    let known = group_names(kinds);
    let mut names: Vec<&str> = Vec::new();
    for group in kinds.remote().map(|r| r.group.as_str()) {
        if !known.contains(&group) && !names.contains(&group) && !group.is_empty() {
            names.push(group);
        }
    }
    names
}

/// `/apis`
pub(crate) fn groups(kinds: &Kinds) -> Vec<u8> {
    let names = group_names(kinds).into_iter().chain(remote_groups(kinds));
    let groups: Vec<Value> = names.filter_map(|g| group_value(kinds, g)).collect();
    bytes(&json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups }))
}

/// `/apis/GROUP`; `None` when there is no such group.
pub(crate) fn group(kinds: &Kinds, name: &str) -> Option<Vec<u8>> {
    let mut value = group_value(kinds, name)?;
    value["kind"] = "APIGroup".into();
    value["apiVersion"] = "v1".into();
    Some(bytes(&value))
}

/// Models `metav1.APIResource`: the order of its fields is that of its JSON.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct ApiResource {
    name: String,
    singular_name: &'static str,
    namespaced: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    group: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    version: &'static str,
    kind: &'static str,
    verbs: Vec<&'static str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    short_names: &'static [&'static str],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    categories: &'static [&'static str],
    #[serde(skip_serializing_if = "String::is_empty")]
    storage_version_hash: String,
}

/// Models `metav1.APIResourceList`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ApiResourceList {
    kind: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    api_version: &'static str,
    group_version: String,
    resources: Vec<ApiResource>,
}

/// Which version objects are stored in, for clients that compare. Models `discovery.StorageVersionHash`.
fn storage_version_hash(kinds: &Kinds, k: KindRef) -> String {
    let stored = match (k.alias, k.custom) {
        _ if !k.stored => return String::new(),
        (Some(alias), _) => alias.of,
        (None, Some(custom)) => kinds.custom().find(|o| o.custom.is_some_and(|c| c.name == custom.name)).unwrap_or(k),
        (None, None) => k,
    };
    let digest = Sha256::digest(format!("{}/{}/{}", stored.group, stored.version, stored.kind));
    base64::engine::general_purpose::STANDARD.encode(&digest[..8])
}

/// `/api/VERSION` and `/apis/GROUP/VERSION`
pub(crate) fn resources(kinds: &Kinds, group: &str, version: &str) -> Option<Vec<u8>> {
    let found = kinds_of(kinds, group, version);
    if found.is_empty() {
        return None;
    }
    let mut list = Vec::new();
    for k in found {
        list.push(ApiResource {
            name: k.plural.into(),
            singular_name: k.singular,
            namespaced: k.namespaced(),
            kind: k.kind,
            verbs: verbs(k.verbs),
            short_names: k.short_names,
            categories: k.categories,
            storage_version_hash: storage_version_hash(kinds, k),
            ..ApiResource::default()
        });
        let mut subresources: Vec<_> = k.subresources.iter().collect();
        subresources.sort_by_key(|s| s.name);
        list.extend(subresources.into_iter().map(|s| {
            let (group, version, kind) = s.gvk.unwrap_or((k.group, k.version, k.kind));
            let other = (group, version) != (k.group, k.version);
            ApiResource {
                name: format!("{}/{}", k.plural, s.name),
                namespaced: k.namespaced(),
                group: if other { group } else { "" },
                version: if other { version } else { "" },
                kind,
                verbs: verbs(s.verbs),
                ..ApiResource::default()
            }
        }));
    }
    if group.is_empty() {
        let (name, singular_name, verbs) = ("bindings".into(), "binding", vec!["create"]);
        let old =
            ApiResource { name, singular_name, namespaced: true, kind: "Binding", verbs, ..ApiResource::default() };
        list.insert(0, old);
    }
    let (api_version, group_version) =
        if group.is_empty() { ("", version.to_string()) } else { ("v1", format!("{group}/{version}")) };
    let list = ApiResourceList { kind: "APIResourceList", api_version, group_version, resources: list };
    serde_json::to_vec(&list).ok()
}

/// `/api` (`core`) or `/apis` as one document, `apidiscovery.k8s.io/v2`.
pub(crate) fn aggregated(kinds: &Kinds, core: bool) -> Vec<u8> {
    let names = if core { vec![""] } else { group_names(kinds) };
    let mut items: Vec<Value> = names
        .into_iter()
        .map(|name| {
            let versions: Vec<Value> = group_versions(kinds)
                .into_iter()
                .filter(|(g, _)| *g == name)
                .map(|(g, v)| {
                    let mut resources: Vec<Value> =
                        kinds_of(kinds, g, v).into_iter().map(aggregated_resource).collect();
                    if g.is_empty() {
                        resources.insert(0, aggregated_binding());
                    }
                    let freshness = if kinds.is_stale(g) { "Stale" } else { "Current" };
                    json!({ "version": v, "resources": resources, "freshness": freshness })
                })
                .chain(kinds.remote().filter(|r| r.group == name).map(aggregated_remote))
                .collect();
            let metadata = if name.is_empty() { json!({}) } else { json!({ "name": name }) };
            json!({ "metadata": metadata, "versions": versions })
        })
        .collect();
    for name in remote_groups(kinds).into_iter().filter(|_| !core) {
        let versions: Vec<Value> = kinds.remote().filter(|r| r.group == name).map(aggregated_remote).collect();
        items.push(json!({ "metadata": { "name": name }, "versions": versions }));
    }
    bytes(&json!({
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    }))
}

/// What another server answers for. Models `syncAPIService` of `kube-aggregator/pkg/apiserver/handler_discovery.go`.
fn aggregated_remote(r: &Remote) -> Value {
    match r.said.resources.as_deref().filter(|_| r.available) {
        Some(resources) => json!({ "version": r.version, "resources": resources, "freshness": "Current" }),
        None => json!({ "version": r.version, "freshness": "Stale" }),
    }
}

/// The old way to bind a pod; it has no kind of its own in the registry.
fn aggregated_binding() -> Value {
    json!({
        "resource": "bindings",
        "responseKind": { "group": "", "version": "v1", "kind": "Binding" },
        "scope": "Namespaced",
        "singularResource": "binding",
        "verbs": ["create"],
    })
}

fn aggregated_resource(k: &'static Kind) -> Value {
    let gvk = |(group, version, kind): (&str, &str, &str)| json!({ "group": group, "version": version, "kind": kind });
    let own = (k.group, k.version, k.kind);
    let mut r = json!({
        "resource": k.plural,
        "responseKind": gvk(own),
        "scope": if k.namespaced() { "Namespaced" } else { "Cluster" },
        "singularResource": k.singular,
        "verbs": verbs(k.verbs),
    });
    if !k.short_names.is_empty() {
        r["shortNames"] = json!(k.short_names);
    }
    if !k.categories.is_empty() {
        r["categories"] = json!(k.categories);
    }
    if !k.subresources.is_empty() {
        let mut subresources: Vec<_> = k.subresources.iter().collect();
        subresources.sort_by_key(|s| s.name);
        r["subresources"] = subresources
            .into_iter()
            .map(|s| {
                json!({ "subresource": s.name, "responseKind": gvk(s.gvk.unwrap_or(own)), "verbs": verbs(s.verbs) })
            })
            .collect();
    }
    r
}

const FIRST: &[&str] = &["ping", "log", "etcd"];
/// What is done before the first request is answered: upstream's hooks, without those whose work nobody does here (flow control
/// is not enforced, the server reads the store itself and needs no informers).
const HOOKS: &[&str] = &[
    "poststarthook/start-apiextensions-controllers",
    "poststarthook/start-system-namespaces-controller",
    "poststarthook/rbac/bootstrap-roles",
    "poststarthook/scheduling/bootstrap-system-priority-classes",
    "poststarthook/priority-and-fairness-config-producer",
    "poststarthook/bootstrap-controller",
    "poststarthook/apiservice-status-remote-available-controller",
    "poststarthook/apiservice-registration-controller",
    "poststarthook/kube-apiserver-autoregistration",
    "autoregister-completion",
    "poststarthook/apiservice-openapi-controller",
    "poststarthook/apiservice-openapiv3-controller",
];

/// The checks of an endpoint, in order.
pub fn checks(endpoint: &str) -> impl Iterator<Item = &'static str> {
    let (early, late): (&[&str], &[&str]) =
        if endpoint == "readyz" { (&["etcd-readiness", "informer-sync"], &["shutdown"]) } else { (&[], &[]) };
    [FIRST, early, HOOKS, late].into_iter().flatten().copied()
}

/// `/healthz`, `/livez`, `/readyz` and their single checks. While the server answers at all, all is well.
pub(crate) fn health(endpoint: &str, rest: &[&str], query: &[(String, String)]) -> Answer {
    let checks: Vec<&str> = checks(endpoint).collect();
    let text = |code: u16, t: String| Answer::new(code, Response::Text(t));
    match rest {
        [] | [""] => {}
        _ if checks.contains(&rest.join("/").as_str()) => return text(200, "ok".into()),
        _ => return text(404, "404 page not found\n".into()),
    }
    if !query.iter().any(|(k, _)| k == "verbose") {
        return text(200, "ok".into());
    }
    let excluded: Vec<&str> = query.iter().filter(|(k, _)| k == "exclude").map(|(_, v)| v.as_str()).collect();
    let mut out = String::new();
    for c in &checks {
        let state = if excluded.contains(c) { "excluded: ok" } else { "ok" };
        out.push_str(&format!("[+]{c} {state}\n"));
    }
    let unknown: Vec<String> = excluded.iter().filter(|e| !checks.contains(e)).map(|e| format!("{e:?}")).collect();
    if !unknown.is_empty() {
        out.push_str(&format!("warn: some health checks cannot be excluded: no matches for {}\n", unknown.join(",")));
    }
    out.push_str(&format!("{endpoint} check passed\n"));
    text(200, out)
}
