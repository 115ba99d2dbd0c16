//! What a command line may go on with: verbs, flags and their values, kinds, names. Models
//! `k8s.io/kubectl/pkg/util/completion`.

use crate::client::{Future, get_json};
use crate::discovery::Discovery;
use crate::env::Env;
use crate::flags::{Command, Flag, commands};
use crate::mapping::Mapping;
use serde_json::Value;

/// Words that the last of `words`, as far as it is typed, may become. Boxed as [`crate::run`] is.
pub fn complete<'a>(words: &'a [String], env: &'a mut Env<'_>) -> Future<'a, Vec<String>> {
    Box::pin(candidates(words, env))
}

async fn candidates(words: &[String], env: &mut Env<'_>) -> Vec<String> {
    let Some((last, before)) = words.split_last() else { return Vec::new() };
    let line = Line::read(before);
    let mut found = line.candidates(last, env).await;
    found.retain(|w| w.starts_with(last.as_str()));
    found.sort();
    found.dedup();
    found
}

/// What stands before the word that is completed.
struct Line {
    all: Vec<Command>,
    command: Command,
    args: Vec<String>,
    namespace: Option<String>,
    /// A flag that waits for its value.
    open: Option<Flag>,
    dash: bool,
}

const FORMATS: &[&str] = &["custom-columns=", "go-template=", "json", "jsonpath=", "name", "wide", "yaml"];
/// Whose first argument is a pod, as it is or as TYPE/NAME.
const OF_PODS: &[&str] = &["attach", "exec", "logs", "port-forward", "debug"];
const OF_NODES: &[&str] = &["cordon", "drain", "uncordon", "top node"];
/// Kinds that rollouts are of.
const ROLLED: &[&str] = &["deployments", "daemonsets", "statefulsets"];

impl Line {
    fn read(words: &[String]) -> Line {
        let all = commands();
        let mut line = Line {
            command: all.first().cloned().unwrap_or_default(),
            all,
            args: Vec::new(),
            namespace: None,
            open: None,
            dash: false,
        };
        for w in words {
            if let Some(flag) = line.open.take() {
                line.value(&flag, w);
            } else if line.dash {
                line.args.push(w.clone());
            } else if w == "--" {
                line.dash = true;
            } else if let Some(flag) = w.strip_prefix('-').filter(|f| !f.is_empty()) {
                let (name, value) =
                    flag.trim_start_matches('-').split_once('=').map_or((flag, None), |(n, v)| (n, Some(v)));
                let name = name.trim_start_matches('-');
                let by_letter = |f: &&Flag| f.shorthand.is_some_and(|s| name.len() == 1 && name.starts_with(s));
                let found = line.command.flags.iter().find(|f| f.name == name || by_letter(f)).cloned();
                match (found, value) {
                    (Some(f), Some(v)) => line.value(&f, v),
                    (Some(f), None) if f.bare.is_none() => line.open = Some(f),
                    _ => {}
                }
            } else {
                match line.child(w) {
                    Some(child) if line.args.is_empty() => line.command = child,
                    _ => line.args.push(w.clone()),
                }
            }
        }
        line
    }

    fn value(&mut self, flag: &Flag, value: &str) {
        if flag.name == "namespace" {
            self.namespace = Some(value.into());
        }
    }

    fn children(&self) -> impl Iterator<Item = &Command> {
        self.all.iter().filter(|c| !c.path.is_empty() && c.parent() == self.command.path)
    }

    fn child(&self, word: &str) -> Option<Command> {
        self.children().find(|c| c.name() == word || c.aliases.contains(&word)).cloned()
    }

    async fn candidates(&self, last: &str, env: &mut Env<'_>) -> Vec<String> {
        if let Some(flag) = &self.open {
            return self.values(flag.name, last, env).await;
        }
        if self.dash {
            return Vec::new();
        }
        if last.starts_with('-') {
            if let Some((flag, value)) = last.split_once('=') {
                let values = self.values(flag.trim_start_matches('-'), value, env).await;
                return values.into_iter().map(|v| format!("{flag}={v}")).collect();
            }
            let mark = |f: &Flag| if f.bare.is_none() { "=" } else { "" };
            return self.command.flags.iter().map(|f| format!("--{}{}", f.name, mark(f))).collect();
        }
        let children: Vec<String> = self.children().map(|c| c.name().to_string()).collect();
        if !children.is_empty() && self.args.is_empty() {
            return children;
        }
        let Ok(d) = Discovery::load(env.client).await else { return Vec::new() };
        let path = self.command.path;
        let first = self.args.is_empty();
        match path {
            p if OF_PODS.contains(&p) && first => {
                let mut found = self.names(&d, "pods", "", env).await;
                found.extend(self.slashed(&d, last, env).await);
                found
            }
            p if OF_NODES.contains(&p) => self.names(&d, "nodes", "", env).await,
            "top pod" => self.names(&d, "pods", "", env).await,
            "taint" if first => vec!["nodes".into()],
            "explain" => types(&d, |_| true),
            "config use-context"
            | "config set-context"
            | "config get-contexts"
            | "config delete-context"
            | "config rename-context" => env.config.contexts.keys().cloned().collect(),
            "config delete-cluster" => env.config.clusters.keys().cloned().collect(),
            "config delete-user" => env.config.users.keys().cloned().collect(),
            "rollout history" | "rollout pause" | "rollout restart" | "rollout resume" | "rollout status"
            | "rollout undo" | "set image" | "set env" | "set resources"
                if first =>
            {
                let mut found = self.slashed(&d, last, env).await;
                if !last.contains('/') {
                    found.extend(ROLLED.iter().map(|r| format!("{r}/")));
                    found.extend(ROLLED.iter().map(ToString::to_string));
                }
                found
            }
            p if p.starts_with("create ") || matches!(p, "run" | "api-resources" | "version" | "cluster-info") => {
                Vec::new()
            }
            _ if first && last.contains('/') => self.slashed(&d, last, env).await,
            _ if first => types(&d, |m| m.verbs.iter().any(|v| v == verb(path))),
            _ if self.args[0].contains('/') => self.slashed(&d, last, env).await,
            _ => self.names(&d, &self.args[0], "", env).await,
        }
    }

    async fn values(&self, flag: &str, last: &str, env: &mut Env<'_>) -> Vec<String> {
        match flag {
            "namespace" | "n" => match Discovery::load(env.client).await {
                Ok(d) => self.names(&d, "namespaces", "", env).await,
                Err(_) => Vec::new(),
            },
            "output" | "o" => FORMATS.iter().map(ToString::to_string).collect(),
            "filename" | "f" | "kustomize" | "k" => files(last, env),
            "container" | "c" => self.containers(env).await,
            "dry-run" => ["client", "none", "server"].map(String::from).to_vec(),
            "context" => env.config.contexts.keys().cloned().collect(),
            "cluster" => env.config.clusters.keys().cloned().collect(),
            "user" => env.config.users.keys().cloned().collect(),
            "cascade" => ["background", "foreground", "orphan"].map(String::from).to_vec(),
            "for" => ["condition=", "create", "delete", "jsonpath="].map(String::from).to_vec(),
            _ => Vec::new(),
        }
    }

    fn at(&self, env: &Env<'_>) -> String {
        match (&self.namespace, env.config.namespace().as_str()) {
            (Some(ns), _) => ns.clone(),
            (None, "") => "default".into(),
            (None, ns) => ns.into(),
        }
    }

    /// The names of a kind's objects, those that were named already left out.
    async fn names(&self, d: &Discovery, kind: &str, prefix: &str, env: &Env<'_>) -> Vec<String> {
        // Of several kinds the first.
        let kind = kind.split(',').next().unwrap_or(kind);
        let Ok(m) = d.resource(kind) else { return Vec::new() };
        let path = m.path(Some(&self.at(env)), None);
        let Ok(list) = get_json(env.client, &path).await else { return Vec::new() };
        let names = list["items"].as_array().into_iter().flatten().filter_map(|i| i["metadata"]["name"].as_str());
        names.map(|n| format!("{prefix}{n}")).filter(|n| !self.args.contains(n)).collect()
    }

    /// `TYPE/NAME`, once the type is there.
    async fn slashed(&self, d: &Discovery, last: &str, env: &Env<'_>) -> Vec<String> {
        match last.split_once('/') {
            Some((kind, _)) => self.names(d, kind, &format!("{kind}/"), env).await,
            None => Vec::new(),
        }
    }

    async fn containers(&self, env: &Env<'_>) -> Vec<String> {
        let Some(pod) = self.args.first() else { return Vec::new() };
        let path = format!("/api/v1/namespaces/{}/pods/{}", self.at(env), pod.trim_start_matches("pod/"));
        let Ok(pod) = get_json(env.client, &path).await else { return Vec::new() };
        let lists = ["initContainers", "containers", "ephemeralContainers"].map(|f| &pod["spec"][f]);
        let all = lists.into_iter().filter_map(Value::as_array).flatten();
        all.filter_map(|c| c["name"].as_str().map(String::from)).collect()
    }
}

/// What the server must be able to do with a kind that a command takes.
fn verb(path: &str) -> &'static str {
    match path {
        "delete" => "delete",
        "annotate" | "apply" | "edit" | "label" | "patch" | "replace" | "scale" => "patch",
        "wait" => "watch",
        _ => "get",
    }
}

fn types(d: &Discovery, fits: impl Fn(&Mapping) -> bool) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for m in d.groups().iter().flat_map(|g| g.versions.iter().take(1)).flat_map(|(_, list)| list) {
        if fits(m) && !m.resource.contains('/') {
            // The same word in two groups means the first.
            out.push(if out.contains(&m.resource) { m.qualified() } else { m.resource.clone() });
        }
    }
    out
}

/// Files and directories below the one that is being typed.
fn files(last: &str, env: &Env<'_>) -> Vec<String> {
    let (dir, prefix) = last.rfind('/').map_or((".", ""), |i| (&last[..i], &last[..=i]));
    let names = env.files.list(if dir.is_empty() { "/" } else { dir }).unwrap_or_default();
    let named = |n: String| {
        let path = format!("{prefix}{n}");
        if env.files.list(&path).is_some() { path + "/" } else { path }
    };
    names.into_iter().map(named).collect()
}
