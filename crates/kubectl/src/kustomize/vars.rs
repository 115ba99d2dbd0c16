//! `vars`: values read off fields that stand for `$(NAME)` elsewhere. Models kustomize's `MergeVars`, `ResolveVars` and
//! `kustomize/api/filters/refvar`.

use super::places::{Spec, split};
use super::replacements::find;
use super::resource::{Id, by_any_id};
use super::target::Gathered;
use super::{list, text};
use crate::error::Error;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Kinds with pods, and where those are described.
const PODS: &[(&str, &str)] = &[
    ("CronJob", "spec/jobTemplate/spec/template/spec"),
    ("DaemonSet", "spec/template/spec"),
    ("Deployment", "spec/template/spec"),
    ("Job", "spec/template/spec"),
    ("Pod", "spec"),
    ("ReplicaSet", "spec/template/spec"),
    ("StatefulSet", "spec/template/spec"),
];
const IN_PODS: &[&str] = &[
    "containers/args",
    "containers/command",
    "containers/env/value",
    "containers/volumeMounts/mountPath",
    "initContainers/args",
    "initContainers/command",
    "initContainers/env/value",
    "initContainers/volumeMounts/mountPath",
];
/// Some of these lead nowhere upstream, too.
const OTHERS: &[(&str, &str)] = &[
    ("CronJob", "spec/jobTemplate/spec/template/volumes/nfs/server"),
    ("DaemonSet", "spec/template/spec/volumes/nfs/server"),
    ("Deployment", "spec/template/spec/volumes/nfs/server"),
    ("Job", "spec/template/spec/volumes/nfs/server"),
    ("Pod", "spec/volumes/nfs/server"),
    ("ReplicaSet", "spec/template/spec/volumes/nfs/server"),
    ("Deployment", "spec/template/metadata/annotations"),
    ("Ingress", "spec/rules/host"),
    ("Ingress", "spec/tls/hosts"),
    ("Ingress", "spec/tls/secretName"),
    ("Service", "spec/ports/port"),
    ("Service", "spec/ports/targetPort"),
    ("StatefulSet", "spec/volumeClaimTemplates/spec/nfs/server"),
    ("PersistentVolume", "spec/nfs/server"),
    ("", "metadata/labels"),
    ("", "metadata/annotations"),
];

fn field<'v>(v: &'v Value, pointer: &str) -> &'v str {
    v.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

/// `spec.ports[0].port` as its steps.
fn steps(path: &str) -> Vec<String> {
    split(&path.replace('[', ".["), '.').into_iter().map(|s| s.trim_matches(['[', ']']).to_string()).collect()
}

/// Models `VarSet.Merge`.
pub(super) fn add(vars: &mut Vec<Value>, v: Value) -> Result<(), Error> {
    if vars.iter().any(|o| o["name"] == v["name"]) {
        return Err(text(format!("var '{}' already encountered", field(&v, "/name"))));
    }
    vars.push(v);
    Ok(())
}

/// A kustomization's variables: what they are read off is marked while it has the names they know. Models `MergeVars`.
pub(super) fn gather(k: &Map<String, Value>, g: &mut Gathered) -> Result<(), Error> {
    for v in list(k, "vars") {
        let of = |f: &str| field(v, &format!("/objref/{f}")).to_string();
        let api_version = of("apiVersion");
        let (group, version) = match api_version.split_once('/') {
            Some((group, version)) => (group.to_string(), version.to_string()),
            None if api_version.is_empty() => (of("group"), of("version")),
            None => (of("group"), api_version),
        };
        let wanted = Id { group, version, kind: of("kind"), name: of("name"), namespace: of("namespace") };
        let exact = !wanted.namespace.is_empty() || wanted.is_cluster_scoped();
        let is = |id: &Id| if exact { wanted.equals(id) } else { wanted.same_kind_and_name(id) };
        match by_any_id(&g.all, is)[..] {
            [] => {}
            [at] => g.all[at].vars.push(field(v, "/name").into()),
            ref found => {
                let (count, name) = (found.len(), field(v, "/name"));
                return Err(text(format!(
                    "merging vars: found {count} resId matches for var {name} (unable to disambiguate)"
                )));
            }
        }
        add(&mut g.vars, v.clone()).map_err(|e| text(format!("merging vars: {}", e.go())))?;
    }
    Ok(())
}

/// Puts the values in. Models `ResolveVars`.
pub(super) fn resolve(g: &mut Gathered, warnings: &mut Vec<String>) -> Result<(), Error> {
    let mut values: BTreeMap<String, Value> = BTreeMap::new();
    for v in &g.vars {
        let name = field(v, "/name");
        let Some(r) = g.all.iter().find(|r| r.vars.iter().any(|n| n == name)) else {
            return Err(text(format!("var '{name}' cannot be mapped to a field in the set of known resources")));
        };
        let path = match field(v, "/fieldref/fieldPath") {
            "" => "metadata.name",
            path => path,
        };
        let Some(value) = find(&r.object, &steps(path)) else {
            return Err(text(format!("field specified in var '{name}' not found in corresponding resource")));
        };
        values.insert(name.into(), value.clone());
    }
    if values.is_empty() {
        return Ok(());
    }
    let mut used: BTreeSet<String> = BTreeSet::new();
    for r in &mut g.all {
        for (kind, path) in PODS.iter().flat_map(|(k, spec)| IN_PODS.iter().map(move |p| (*k, format!("{spec}/{p}")))) {
            Spec { group: "", version: "", kind, path: &path, create: false }
                .each(r, &mut |v| put(v, &values, &mut used))?;
        }
        for (kind, path) in OTHERS {
            Spec { group: "", version: "", kind, path, create: false }.each(r, &mut |v| put(v, &values, &mut used))?;
        }
        for place in g.config.of("varReference") {
            place.spec().each(r, &mut |v| put(v, &values, &mut used))?;
        }
    }
    let left: Vec<&str> = values.keys().filter(|n| !used.contains(*n)).map(String::as_str).collect();
    if !left.is_empty() {
        let left = left.join(",");
        warnings.push(format!(
            "I0000 00:00:00.000000       1 log.go:245] well-defined vars that were never replaced: {left}"
        ));
    }
    Ok(())
}

fn put(v: &mut Value, values: &BTreeMap<String, Value>, used: &mut BTreeSet<String>) -> Result<(), String> {
    match v {
        Value::String(s) => *v = replaced(s, values, used),
        Value::Array(list) => {
            for item in list {
                if let Value::String(s) = item {
                    *item = replaced(s, values, used);
                }
            }
        }
        Value::Object(map) => {
            for item in map.values_mut() {
                if let Value::String(s) = item {
                    // A map of strings stays one.
                    let new = replaced(s, values, used);
                    *item = if new.is_string() { new } else { new.to_string().into() };
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// Models `DoReplacements`: `$$` is a dollar, and a value that is the whole text keeps its type.
fn replaced(input: &str, values: &BTreeMap<String, Value>, used: &mut BTreeSet<String>) -> Value {
    let mut out = String::new();
    let mut rest = input;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            rest = after;
            continue;
        }
        let Some((name, after)) = after.strip_prefix('(').and_then(|a| a.split_once(')')) else {
            out.push('$');
            rest = after;
            continue;
        };
        rest = after;
        match values.get(name).filter(|v| !v.is_array() && !v.is_object() && !v.is_null()) {
            Some(value) => {
                used.insert(name.into());
                if input == format!("$({name})") {
                    return value.clone();
                }
                out.push_str(&value.as_str().map_or_else(|| value.to_string(), String::from));
            }
            None => out.push_str(&format!("$({name})")),
        }
    }
    out.push_str(rest);
    out.into()
}
