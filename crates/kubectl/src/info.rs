//! What the server and this kubectl are: `api-resources`, `api-versions`, `version`, `cluster-info`, `auth`.

use crate::client::Request;
use crate::cx::Cx;
use crate::error::Error;
use crate::mapping::Mapping;
use crate::print::{Printer, gojson, table, yaml};
use serde_json::{Value, json};

/// What this is a model of.
const VERSION: &str = "v1.35.0";
pub(crate) const KUSTOMIZE: &str = "v5.7.1";

fn no_arguments(cx: &Cx<'_, '_>) -> Result<(), Error> {
    if cx.args.is_empty() {
        return Ok(());
    }
    Err(cx.usage(format!("unexpected arguments: [{}]", cx.args.join(" "))))
}

pub(crate) async fn api_resources(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    no_arguments(cx)?;
    let sort = cx.flags.string("sort-by").to_string();
    if !matches!(sort.as_str(), "" | "name" | "kind") {
        return Err(Error::text("--sort-by accepts only name or kind"));
    }
    let output = cx.flags.string("output").to_string();
    if !matches!(output.as_str(), "" | "wide" | "name" | "json" | "yaml") {
        return Err(Error::text(format!(
            "unable to match a printer suitable for the output format {output:?}, allowed formats are: json,name,wide,yaml"
        )));
    }
    let discovery = cx.discovery().await?;
    let (verbs, categories) = (cx.flags.list("verbs"), cx.flags.list("categories"));
    let mut list: Vec<Mapping> = Vec::new();
    for g in discovery.groups() {
        // Each resource in the version that is preferred among those that have it.
        for (_, mappings) in &g.versions {
            for m in mappings {
                let known = list.iter().any(|o| o.group == m.group && o.resource == m.resource);
                let fits = !m.verbs.is_empty()
                    && (!cx.flags.changed("api-group") || cx.flags.string("api-group") == m.group)
                    && (!cx.flags.changed("namespaced") || cx.flags.bool("namespaced") == m.namespaced)
                    && verbs.iter().all(|v| m.verbs.contains(v))
                    && categories.iter().all(|c| m.categories.contains(c));
                if !known && fits {
                    list.push(m.clone());
                }
            }
        }
    }
    match sort.as_str() {
        "kind" => list.sort_by(|a, b| a.kind.cmp(&b.kind)),
        "name" => list.sort_by(|a, b| a.resource.cmp(&b.resource)),
        _ => list.sort_by(|a, b| (&a.group, &a.resource).cmp(&(&b.group, &b.resource))),
    }
    if list.is_empty() {
        // The real one finds lists without resources, and prints its header.
        list.clear();
    }
    if output == "name" {
        let text: String = list.iter().map(|m| format!("{}\n", m.qualified())).collect();
        cx.out(&text);
        return Ok(());
    }
    if matches!(output.as_str(), "json" | "yaml") {
        return Err(Error::text(format!("--output {output} is not available")));
    }
    let wide = output == "wide";
    let mut rows: Vec<Vec<String>> = Vec::new();
    if !cx.flags.bool("no-headers") {
        let mut head = vec!["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"];
        if wide {
            head.extend(["VERBS", "CATEGORIES"]);
        }
        rows.push(head.into_iter().map(String::from).collect());
    }
    for m in list {
        let mut row = vec![
            m.resource.clone(),
            m.short_names.join(","),
            m.api_version(),
            m.namespaced.to_string(),
            m.kind.clone(),
        ];
        if wide {
            row.push(m.verbs.join(","));
            row.push(m.categories.join(","));
        }
        rows.push(row);
    }
    cx.out(&table::columns(rows));
    Ok(())
}

pub(crate) async fn api_versions(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    no_arguments(cx)?;
    let discovery = cx.discovery().await?;
    let mut list: Vec<String> = discovery
        .groups()
        .iter()
        .flat_map(|g| {
            g.versions.iter().map(|(v, _)| if g.name.is_empty() { v.clone() } else { format!("{}/{v}", g.name) })
        })
        .collect();
    list.sort();
    let text: String = list.iter().map(|v| format!("{v}\n")).collect();
    cx.out(&text);
    Ok(())
}

pub(crate) async fn version(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let output = cx.flags.string("output").to_string();
    if !cx.args.is_empty() {
        return Err(Error::text(format!("extra arguments: [{}]", cx.args.join(" "))));
    }
    if !matches!(output.as_str(), "" | "yaml" | "json") {
        return Err(Error::text("--output must be 'yaml' or 'json'"));
    }
    let server = if cx.flags.bool("client") { Ok(None) } else { cx.get("/version".into()).await.map(Some) };
    let (server, failed) = match server {
        Ok(s) => (s, None),
        Err(e) => (None, Some(e)),
    };
    let client = json!({
        "major": "1", "minor": "35", "gitVersion": VERSION, "gitCommit": "", "gitTreeState": "", "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "", "compiler": "", "platform": "page/wasm32",
    });
    match output.as_str() {
        "" => {
            let mut text = format!("Client Version: {VERSION}\nKustomize Version: {KUSTOMIZE}\n");
            if let Some(s) = &server {
                text.push_str(&format!("Server Version: {}\n", s["gitVersion"].as_str().unwrap_or("")));
            }
            cx.out(&text);
        }
        o => {
            let mut v = json!({"clientVersion": client, "kustomizeVersion": KUSTOMIZE});
            if let Some(s) = &server {
                v["serverVersion"] = s.clone();
            }
            let text = if o == "yaml" { yaml::to_yaml(&v) + "\n" } else { gojson::indented(&v).replace("    ", "  ") };
            cx.out(&text);
        }
    }
    failed.map_or(Ok(()), Err)
}

pub(crate) async fn cluster_info(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let server = cx.env.config.server();
    let mut text = format!("Kubernetes control plane is running at {server}\n");
    let path = "/api/v1/namespaces/kube-system/services?labelSelector=kubernetes.io%2Fcluster-service%3Dtrue";
    let services = cx.get(path.into()).await?;
    for s in services["items"].as_array().into_iter().flatten() {
        let m = &s["metadata"];
        let name = m["labels"]["kubernetes.io/name"].as_str().or(m["name"].as_str()).unwrap_or("").to_string();
        let ports = s["spec"]["ports"].as_array().cloned().unwrap_or_default();
        let scheme = if ports.iter().any(|p| p["port"] == 443) { "https:" } else { "" };
        let port = ports.first().and_then(|p| p["name"].as_str()).unwrap_or("");
        text.push_str(&format!(
            "{name} is running at {server}/api/v1/namespaces/kube-system/services/{scheme}{}:{port}/proxy\n",
            m["name"].as_str().unwrap_or("")
        ));
    }
    text.push_str("\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.\n");
    cx.out(&text);
    Ok(())
}

pub(crate) async fn can_i(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let (list, quiet, all) = (cx.flags.bool("list"), cx.flags.bool("quiet"), cx.flags.bool("all-namespaces"));
    let namespace = if all { String::new() } else { cx.namespace() };
    if list {
        if !cx.args.is_empty() {
            return Err(Error::text("list option must be specified with no arguments"));
        }
        return access_list(cx, &namespace).await;
    }
    if cx.args.len() != 2 {
        return Err(Error::text(
            "you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'kubectl auth can-i -h' for \
             help and examples.",
        ));
    }
    if cx.flags.bool("no-headers") {
        return Err(Error::text("--no-headers cannot be set without --list specified"));
    }
    let (verb, target) = (cx.args[0].clone(), cx.args[1].clone());
    let spec = if target.starts_with('/') {
        const VERBS: &[&str] = &["get", "put", "post", "head", "options", "delete", "patch", "*"];
        if !VERBS.contains(&verb.as_str()) {
            cx.err(&format!("Warning: verb '{verb}' is not a known verb\n\n"));
        }
        json!({"nonResourceAttributes": {"path": target, "verb": verb}})
    } else {
        let (word, name) = target.split_once('/').unwrap_or((&target, ""));
        let discovery = cx.discovery().await?;
        let (group, resource) = match discovery.find(word) {
            _ if word == "*" => (String::new(), "*".to_string()),
            Some(m) => {
                if !m.namespaced && !all {
                    let group = if m.group.is_empty() { String::new() } else { format!(" in group '{}'", m.group) };
                    cx.err(&format!("Warning: resource '{}' is not namespace scoped{group}\n\n", m.resource));
                }
                (m.group.clone(), m.resource.clone())
            }
            // Whom one may act as is no resource.
            None if matches!(word, "users" | "groups") => (String::new(), word.to_string()),
            None => {
                let (r, g) = word.split_once('.').unwrap_or((word, ""));
                let group = if g.is_empty() { String::new() } else { format!(" in group '{g}'") };
                cx.err(&format!("Warning: the server doesn't have a resource type '{r}'{group}\n\n"));
                (g.to_string(), r.to_string())
            }
        };
        const VERBS: &[&str] = &[
            "get",
            "list",
            "watch",
            "create",
            "update",
            "patch",
            "delete",
            "deletecollection",
            "use",
            "bind",
            "impersonate",
            "*",
            "approve",
            "sign",
            "escalate",
            "attest",
        ];
        if !VERBS.contains(&verb.as_str()) {
            cx.err(&format!("Warning: verb '{verb}' is not a known verb\n\n"));
        }
        let mut a = json!({"verb": verb, "resource": resource});
        for (k, v) in [
            ("namespace", namespace.as_str()),
            ("group", &group),
            ("name", name),
            ("subresource", cx.flags.string("subresource")),
        ] {
            if !v.is_empty() {
                a[k] = v.into();
            }
        }
        json!({"resourceAttributes": a})
    };
    let answer = review(cx, "SelfSubjectAccessReview", "selfsubjectaccessreviews", spec).await?;
    let s = &answer["status"];
    if s["allowed"] == true {
        if !quiet {
            cx.out("yes\n");
        }
        return Ok(());
    }
    let mut text = "no".to_string();
    for field in ["reason", "evaluationError"] {
        if let Some(r) = s[field].as_str().filter(|r| !r.is_empty()) {
            text.push_str(&format!(" - {r}"));
        }
    }
    if !quiet {
        cx.out(&format!("{text}\n"));
    }
    Err(Error::Exit(1))
}

async fn review(cx: &mut Cx<'_, '_>, kind: &str, resource: &str, spec: Value) -> Result<Value, Error> {
    let body = json!({"kind": kind, "apiVersion": "authorization.k8s.io/v1", "metadata": {}, "spec": spec});
    let r = Request::new("POST", format!("/apis/authorization.k8s.io/v1/{resource}"));
    cx.send(r.header("Accept", "application/json").json(&body)).await
}

/// What may be done.
#[derive(Debug, Default)]
struct Rule {
    verbs: Vec<String>,
    group: String,
    resource: String,
    names: Vec<String>,
    url: String,
}

async fn access_list(cx: &mut Cx<'_, '_>, namespace: &str) -> Result<(), Error> {
    let spec = json!({"namespace": namespace});
    let answer = review(cx, "SelfSubjectRulesReview", "selfsubjectrulesreviews", spec).await?;
    let strings = |v: &Value| -> Vec<String> {
        v.as_array().into_iter().flatten().filter_map(Value::as_str).map(String::from).collect()
    };
    // One row for each resource of a group and each path; what is said of a resource more than once together.
    let mut rules: Vec<Rule> = Vec::new();
    for r in answer["status"]["resourceRules"].as_array().into_iter().flatten() {
        for group in strings(&r["apiGroups"]) {
            for resource in strings(&r["resources"]) {
                let names = strings(&r["resourceNames"]);
                match rules.iter_mut().find(|o| o.group == group && o.resource == resource && o.names == names) {
                    Some(old) => {
                        for v in strings(&r["verbs"]) {
                            if !old.verbs.contains(&v) {
                                old.verbs.push(v);
                            }
                        }
                    }
                    None => {
                        let group = group.clone();
                        rules.push(Rule { verbs: strings(&r["verbs"]), group, resource, names, url: String::new() });
                    }
                }
            }
        }
    }
    for r in answer["status"]["nonResourceRules"].as_array().into_iter().flatten() {
        for url in strings(&r["nonResourceURLs"]) {
            rules.push(Rule { verbs: strings(&r["verbs"]), url, ..Rule::default() });
        }
    }
    let shown = |l: &[String]| format!("[{}]", l.join(" "));
    let one = |t: &str| if t.is_empty() { "[]".to_string() } else { format!("[{t}]") };
    // Compared as they are printed.
    rules.sort_by_cached_key(|r| [shown(&r.verbs), one(&r.group), one(&r.resource), shown(&r.names), one(&r.url)]);
    let mut rows: Vec<Vec<String>> = Vec::new();
    if !cx.flags.bool("no-headers") {
        rows.push(["Resources", "Non-Resource URLs", "Resource Names", "Verbs"].map(String::from).to_vec());
    }
    for r in rules {
        let resource = if r.group.is_empty() { r.resource } else { format!("{}.{}", r.resource, r.group) };
        rows.push(vec![resource, format!("[{}]", r.url), shown(&r.names), shown(&r.verbs)]);
    }
    cx.out(&table::columns(rows));
    Ok(())
}

pub(crate) async fn whoami(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let body = json!({"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1", "metadata": {}});
    let r =
        Request::new("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews").header("Accept", "application/json");
    let answer = cx.send(r.json(&body)).await?;
    if let Some(mut p) = Printer::of(cx, false)?.map(Printer::typed) {
        let text = p.print(&answer, false)?;
        cx.out(&text);
        return Ok(());
    }
    let u = &answer["status"]["userInfo"];
    let mut rows = vec![vec!["ATTRIBUTE".to_string(), "VALUE".to_string()]];
    for (name, field) in [("Username", "username"), ("UID", "uid")] {
        if let Some(v) = u[field].as_str().filter(|v| !v.is_empty()) {
            rows.push(vec![name.into(), v.into()]);
        }
    }
    if u["groups"].is_array() {
        rows.push(vec!["Groups".into(), crate::print::jsonpath::go_value(&u["groups"])]);
    }
    for (k, v) in u["extra"].as_object().into_iter().flatten() {
        rows.push(vec![format!("Extra: {k}"), crate::print::jsonpath::go_value(v)]);
    }
    cx.out(&table::columns(rows));
    Ok(())
}
