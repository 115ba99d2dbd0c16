//! What commands complete their arguments and flags' values with, for scripts. Models
//! `k8s.io/kubectl/pkg/util/completion`; which command has which, the commands' `ValidArgsFunction`.

use crate::client::get_json;
use crate::completing::{ERROR_NONE, NO_FILES, NO_SPACE, Words};
use crate::cx::Cx;
use crate::exec;
use crate::flags::Flag;
use crate::mapping::Mapping;
use serde_json::Value;

const FORMATS: &str = "json yaml kyaml name go-template go-template-file template templatefile jsonpath jsonpath-as-json \
                       jsonpath-file custom-columns custom-columns-file wide";
/// Kinds that have pods.
const WITH_PODS: &[&str] =
    &["daemonsets", "deployments", "pods", "jobs", "replicasets", "replicationcontrollers", "services", "statefulsets"];
const ROLLED: &[&str] = &["deployment", "daemonset", "statefulset"];
const SCALED: &[&str] = &["deployment", "replicaset", "replicationcontroller", "statefulset"];
const EXPOSED: &[&str] = &["pod", "service", "replicationcontroller", "deployment", "replicaset"];
const IMAGED: &[&str] =
    &["daemonsets", "deployments", "pods", "cronjobs", "replicasets", "replicationcontrollers", "statefulsets"];

/// Words for an argument; `None` where a command completes none.
pub(crate) async fn arguments(cx: &mut Cx<'_, '_>, last: &str) -> Option<Words> {
    let (path, args) = (cx.command.path, cx.args.clone());
    Some(match path {
        "get"
        | "edit"
        | "delete"
        | "describe"
        | "patch"
        | "label"
        | "annotate"
        | "apply edit-last-applied"
        | "apply view-last-applied" => types(cx, &[], true, last).await,
        "rollout history" | "rollout restart" | "rollout undo" => types(cx, ROLLED, true, last).await,
        "rollout status" => types(cx, ROLLED, false, last).await,
        "rollout pause" | "rollout resume" => types(cx, &["deployment"], true, last).await,
        "scale" | "autoscale" => types(cx, SCALED, true, last).await,
        "expose" => types(cx, EXPOSED, true, last).await,
        "set image" => types(cx, IMAGED, false, last).await,
        "taint" => types(cx, &["node"], true, last).await,
        "cordon" | "uncordon" | "drain" | "top node" => named(cx, "node", &args, last).await,
        "top pod" => named(cx, "pod", &args, last).await,
        "create token" => named(cx, "serviceaccount", &args, last).await,
        "attach" | "exec" | "logs" | "port-forward" if args.is_empty() => pods(cx, last).await,
        "attach" | "exec" => (Vec::new(), NO_FILES),
        "logs" => match args.as_slice() {
            [pod] => (containers(cx, pod, last).await, NO_FILES),
            _ => (Vec::new(), NO_FILES),
        },
        "port-forward" => match args.as_slice() {
            [target] => (ports(cx, target, last).await, NO_FILES),
            _ => (Vec::new(), NO_FILES),
        },
        "cp" if args.is_empty() => (copied(cx, last).await, NO_SPACE),
        "cp" => (Vec::new(), NO_SPACE),
        "completion" if args.is_empty() => {
            let shells = ["bash", "zsh", "fish", "powershell"].into_iter().filter(|s| s.starts_with(last));
            (shells.map(String::from).collect(), NO_FILES)
        }
        "config use-context" | "config set-context" | "config delete-context" | "config rename-context" => {
            (first(cx.env.config.contexts.keys(), &args, last), NO_FILES)
        }
        "config delete-cluster" => (first(cx.env.config.clusters.keys(), &args, last), NO_FILES),
        "config delete-user" => (first(cx.env.config.users.keys(), &args, last), NO_FILES),
        _ => return None,
    })
}

/// Words for a flag's value.
pub(crate) async fn value(cx: &mut Cx<'_, '_>, flag: &Flag, last: &str) -> Words {
    let all = |words: &[&str]| words.iter().map(ToString::to_string).collect();
    let words = match (cx.command.path, flag.name) {
        (_, "namespace") => names(cx, "namespaces", last).await,
        (_, "context") => first(cx.env.config.contexts.keys(), &[], last),
        (_, "cluster") => first(cx.env.config.clusters.keys(), &[], last),
        (_, "user") if flag.global => first(cx.env.config.users.keys(), &[], last),
        ("get", "output") => FORMATS.split(' ').filter(|f| f.starts_with(last)).map(String::from).collect(),
        ("exec", "container") => match cx.args.first().cloned() {
            Some(pod) => containers(cx, &pod, last).await,
            None => Vec::new(),
        },
        ("get" | "edit" | "apply" | "patch" | "replace", "subresource") => all(&["status", "scale", "resize"]),
        ("kustomize", "load-restrictor") => all(&["LoadRestrictionsNone", "LoadRestrictionsRootOnly"]),
        ("create clusterrolebinding", "clusterrole") => names(cx, "clusterroles", last).await,
        _ => return (Vec::new(), ERROR_NONE),
    };
    (words, NO_FILES)
}

fn first<'k>(keys: impl Iterator<Item = &'k String>, args: &[String], last: &str) -> Vec<String> {
    if args.is_empty() { keys.filter(|k| k.starts_with(last)).cloned().collect() } else { Vec::new() }
}

/// Models `ResourceNameCompletionFunc`.
async fn named(cx: &mut Cx<'_, '_>, kind: &str, args: &[String], last: &str) -> Words {
    (if args.is_empty() { names(cx, kind, last).await } else { Vec::new() }, NO_FILES)
}

/// Models `resourceTypeAndNameCompletionFunc`; no types mean all.
async fn types(cx: &mut Cx<'_, '_>, allowed: &[&str], repeated: bool, last: &str) -> Words {
    let args = cx.args.clone();
    if args.first().is_some_and(|a| !a.contains('/')) {
        if !repeated && args.len() > 1 {
            return (Vec::new(), NO_FILES);
        }
        let mut words = names(cx, &args[0], last).await;
        words.retain(|w| !args[1..].contains(w));
        return (words, NO_FILES);
    }
    if !args.is_empty() && !repeated {
        return (Vec::new(), NO_FILES);
    }
    if let Some((kind, name)) = last.split_once('/') {
        let mut words = slashed(cx, kind, name).await;
        words.retain(|w| !args.contains(w));
        return (words, NO_FILES);
    }
    let words: Vec<String> = match allowed {
        [] => kinds(cx, last).await,
        some => some.iter().filter(|t| t.starts_with(last)).map(ToString::to_string).collect(),
    };
    if args.is_empty() {
        return (words, NO_FILES);
    }
    (words.into_iter().map(|w| w + "/").collect(), NO_FILES | NO_SPACE)
}

/// Of words parted by commas, the last one is completed. Models `compGetResourceList`.
async fn kinds(cx: &mut Cx<'_, '_>, last: &str) -> Vec<String> {
    let Ok(discovery) = cx.discovery().await else { return Vec::new() };
    let (before, last) = last.rfind(',').map_or(("", last), |at| last.split_at(at + 1));
    let mut all: Vec<&Mapping> = Vec::new();
    for m in discovery.groups().iter().flat_map(|g| &g.versions).flat_map(|(_, list)| list) {
        let known = all.iter().any(|o| (&o.group, &o.resource) == (&m.group, &m.resource));
        if !known && m.verbs.iter().any(|v| v == "get") && !m.resource.contains('/') {
            all.push(m);
        }
    }
    all.sort_by(|a, b| (&a.group, &a.resource).cmp(&(&b.group, &b.resource)));
    let words = all.iter().map(|m| m.qualified()).filter(|q| q.starts_with(last));
    words.map(|w| format!("{before}{w}")).collect()
}

async fn slashed(cx: &mut Cx<'_, '_>, kind: &str, name: &str) -> Vec<String> {
    names(cx, kind, name).await.into_iter().map(|n| format!("{kind}/{n}")).collect()
}

async fn names(cx: &mut Cx<'_, '_>, kind: &str, last: &str) -> Vec<String> {
    let namespace = cx.namespace();
    names_in(cx, &namespace, kind, last).await
}

/// Models `CompGetResource`.
async fn names_in(cx: &mut Cx<'_, '_>, namespace: &str, kinds: &str, last: &str) -> Vec<String> {
    let Ok(discovery) = cx.discovery().await else { return Vec::new() };
    let mut words = Vec::new();
    for kind in kinds.split(',') {
        let Ok(m) = discovery.resource(kind) else { return Vec::new() };
        let Ok(list) = get_json(cx.client(), &m.path(Some(namespace), None)).await else { return Vec::new() };
        let all = list["items"].as_array().into_iter().flatten().filter_map(|o| o["metadata"]["name"].as_str());
        words.extend(all.filter(|n| n.starts_with(last)).map(String::from));
    }
    words
}

/// Models `doPodResourceCompletion`.
async fn pods(cx: &mut Cx<'_, '_>, last: &str) -> Words {
    if let Some((kind, name)) = last.split_once('/') {
        return (slashed(cx, kind, name).await, NO_FILES);
    }
    let mut words = names(cx, "pods", last).await;
    let directive = if words.is_empty() { NO_FILES | NO_SPACE } else { NO_FILES };
    words.extend(WITH_PODS.iter().filter(|t| t.starts_with(last)).map(|t| format!("{t}/")));
    (words, directive)
}

async fn containers(cx: &mut Cx<'_, '_>, target: &str, last: &str) -> Vec<String> {
    let Ok(pod) = exec::pod_for(cx, target).await else { return Vec::new() };
    let lists = ["initContainers", "containers"].map(|f| &pod["spec"][f]);
    let names = lists.into_iter().filter_map(Value::as_array).flatten().filter_map(|c| c["name"].as_str());
    names.filter(|n| n.starts_with(last)).map(String::from).collect()
}

/// `80:80`: of a Service its own ports, else those of the containers.
async fn ports(cx: &mut Cx<'_, '_>, target: &str, last: &str) -> Vec<String> {
    let local = last.split(':').next().filter(|l| !l.is_empty());
    let numbers: Vec<i64> = match target.split_once('/') {
        Some(("service" | "services" | "svc", name)) => {
            let path = format!("/api/v1/namespaces/{}/services/{name}", cx.namespace());
            let Ok(service) = get_json(cx.client(), &path).await else { return Vec::new() };
            let ports = service["spec"]["ports"].as_array().into_iter().flatten();
            ports.filter_map(|p| p["port"].as_i64()).collect()
        }
        _ => {
            let Ok(pod) = exec::pod_for(cx, target).await else { return Vec::new() };
            let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
            let ports = containers.flat_map(|c| c["ports"].as_array().into_iter().flatten());
            ports.filter_map(|p| p["containerPort"].as_i64()).collect()
        }
    };
    let pairs = numbers.into_iter().map(|n| format!("{}:{n}", local.map_or_else(|| n.to_string(), String::from)));
    pairs.filter(|p| p.starts_with(last)).collect()
}

/// Files are the shell's, until there is something else that fits.
async fn copied(cx: &mut Cx<'_, '_>, last: &str) -> Vec<String> {
    if last.starts_with(['/', '.', '~']) || last.contains(':') {
        return Vec::new();
    }
    if let Some((namespace, pod)) = last.split_once('/') {
        let found = names_in(cx, namespace, "pods", pod).await;
        return found.into_iter().map(|n| format!("{namespace}/{n}:")).collect();
    }
    let mut words: Vec<String> = names(cx, "namespaces", last).await.into_iter().map(|n| n + "/").collect();
    words.extend(names(cx, "pods", last).await.into_iter().map(|n| n + ":"));
    if last.is_empty() {
        words.extend(["./".to_string(), "/".to_string()]);
    } else if !words.is_empty() {
        let mut files = cx.env.files.list(".").unwrap_or_default();
        files.sort();
        for name in files.into_iter().filter(|n| n.starts_with(last)) {
            let slash = if cx.env.files.list(&name).is_some() { "/" } else { "" };
            words.push(name + slash);
        }
    }
    words
}
