//! `configMapGenerator` and `secretGenerator`. Models `kustomize/api/internal/generators`, `kustomize/api/kv` and
//! `AbsorbAll`.

use super::loader::Root;
use super::resource::{Id, Resource, append, by_any_id};
use super::{list, strings, text};
use crate::error::Error;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};

/// Longer values of a Secret are broken after so many characters.
const LINE: usize = 70;

pub(super) fn run(root: &Root<'_>, k: &Map<String, Value>, all: &mut Vec<Resource>) -> Result<(), Error> {
    let general = k.get("generatorOptions").cloned().unwrap_or(Value::Null);
    for (field, kind) in [("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")] {
        for entry in list(k, field) {
            let made = one(root, kind, entry, &general)?;
            take(entry, made, all).map_err(merging)?;
        }
    }
    Ok(())
}

/// As Go's `%#v` has it.
fn go(id: &Id) -> String {
    format!(
        "resid.ResId{{Gvk:resid.Gvk{{Group:{:?}, Version:{:?}, Kind:{:?}, isClusterScoped:false}}, Name:{:?}, \
         Namespace:{:?}}}",
        id.group, id.version, id.kind, id.name, id.namespace
    )
}

/// Upstream prints where its generator is in memory.
pub(super) fn merging(e: Error) -> Error {
    text(format!("merging from generator &{{0xc000000000 <nil>}}: {}", e.go()))
}

/// Models `appendReplaceOrMerge`.
pub(super) fn take(entry: &Value, mut made: Resource, all: &mut Vec<Resource>) -> Result<(), Error> {
    let id = made.id();
    let behavior = entry["behavior"].as_str().unwrap_or("");
    let at = match by_any_id(all, |o| id.equals(o))[..] {
        [] if matches!(behavior, "merge" | "replace") => {
            return Err(text(format!("id {} does not exist; cannot merge or replace", go(&id))));
        }
        [] => return append(all, made),
        [at] => at,
        _ => return Err(text(format!("found multiple objects that could accept merge of {id}"))),
    };
    if !matches!(behavior, "merge" | "replace") {
        return Err(text(format!("id {} exists; behavior must be merge or replace", go(&id))));
    }
    let old = &mut all[at];
    if behavior == "merge" {
        for field in ["data", "binaryData"] {
            let before = old.object[field].as_object().cloned().unwrap_or_default();
            let after = made.object[field].as_object().cloned().unwrap_or_default();
            let both: Map<String, Value> = before.into_iter().chain(after).collect();
            if !both.is_empty() {
                made.object[field] = both.into();
            }
        }
    }
    // What is said of the object adds up.
    let mut metadata = old.metadata().clone();
    for field in ["labels", "annotations"] {
        if let Some(more) = made.object["metadata"][field].as_object() {
            let mut both = metadata.get(field).and_then(Value::as_object).cloned().unwrap_or_default();
            both.extend(more.clone());
            metadata.insert(field.into(), both.into());
        }
    }
    made.object["metadata"] = metadata.into();
    old.object = made.object;
    // Whether there is a hash, the older one says, unless the newer wants none.
    old.hashed &= made.hashed;
    if behavior == "replace" {
        old.origin = made.origin;
    }
    Ok(())
}

/// A file's source: its key and its path. Models `ParseFileSource`.
fn file_source(source: &str) -> Result<(&str, &str), String> {
    match source.matches('=').count() {
        0 => Ok((source.rsplit('/').next().unwrap_or(source), source)),
        1 => match source.split_once('=').unwrap_or((source, "")) {
            ("", path) => Err(format!("missing key name for file path {path:?} in source {source:?}")),
            (key, "") => Err(format!("missing file path for key name {key:?} in source {source:?}")),
            pair => Ok(pair),
        },
        _ => Err(format!("source {source:?} key name or file path contains '='")),
    }
}

/// Models `kv.Load`.
fn pairs(root: &Root<'_>, entry: &Value, fields: &Map<String, Value>) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let mut data: Vec<(String, Vec<u8>)> = Vec::new();
    let of = |what: &str, sources: &[&str], why: &str| {
        text(format!("loading KV pairs: {what} [{}]: {why}", sources.join(" ")))
    };
    let envs: Vec<&str> = strings(fields, "envs").chain(entry["env"].as_str()).collect();
    for path in &envs {
        let source = root.load(path).map_err(|e| of("env source files:", &envs, &e.go()))?;
        let source = source.strip_prefix('\u{feff}').unwrap_or(&source);
        for line in source.lines().map(str::trim_start).filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            data.push((key.into(), value.into()));
        }
    }
    let literals: Vec<&str> = strings(fields, "literals").collect();
    for literal in &literals {
        let Some((key, value)) = literal.split_once('=').filter(|(k, _)| !k.is_empty()) else {
            let why = format!("invalid literal source {literal}, expected key=value");
            return Err(of("literal sources", &literals, &why));
        };
        let quoted = |q: char| value.strip_prefix(q).and_then(|v| v.strip_suffix(q)).filter(|_| value.len() > 1);
        data.push((key.into(), quoted('"').or(quoted('\'')).unwrap_or(value).into()));
    }
    let files: Vec<&str> = strings(fields, "files").collect();
    for source in &files {
        let (key, path) = file_source(source).map_err(|why| of("file sources:", &files, &why))?;
        data.push((key.into(), root.load_bytes(path).map_err(|e| of("file sources:", &files, &e.go()))?));
    }
    Ok(data)
}

pub(super) fn one(root: &Root<'_>, kind: &str, entry: &Value, general: &Value) -> Result<Resource, Error> {
    let Some(fields) = entry.as_object() else { return Err(text("a generator is an object")) };
    let name = entry["name"].as_str().unwrap_or("");
    if name.is_empty() {
        return Err(text("a configmap must have a name"));
    }
    let mut object = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}});
    if let Some(namespace) = entry["namespace"].as_str().filter(|n| !n.is_empty()) {
        object["metadata"]["namespace"] = namespace.into();
    }
    if kind == "Secret" {
        object["type"] = entry["type"].as_str().filter(|t| !t.is_empty()).unwrap_or("Opaque").into();
    }
    for (key, value) in pairs(root, entry, fields)? {
        if object["data"].get(&key).or(object["binaryData"].get(&key)).is_some() {
            return Err(text(format!("configmap {name} illegally repeats the key `{key}`")));
        }
        match String::from_utf8(value) {
            Ok(text) if kind != "Secret" => object["data"][key] = text.into(),
            Ok(text) => object["data"][key] = encoded(text.as_bytes()).into(),
            Err(e) => {
                // What is no text has a place of its own in ConfigMaps.
                let field = if kind == "Secret" { "data" } else { "binaryData" };
                object[field][key] = encoded(e.as_bytes()).into();
            }
        }
    }
    let options = &entry["options"];
    // One's own labels come before those of all.
    for field in ["labels", "annotations"] {
        let pairs: Map<String, Value> =
            [&general[field], &options[field]].iter().filter_map(|v| v.as_object().cloned()).flatten().collect();
        if !pairs.is_empty() {
            object["metadata"][field] = pairs.into();
        }
    }
    let flag = |f: &str| options[f] == true || general[f] == true;
    if flag("immutable") {
        object["immutable"] = true.into();
    }
    let file = root.way_to(super::target::NAMES[0]);
    let origin = format!("configuredIn: {file}\nconfiguredBy:\n  apiVersion: builtin\n  kind: {kind}Generator\n");
    let mut made = Resource { origin, ..Resource::new(object) };
    made.generated = true;
    made.behavior = entry["behavior"].as_str().unwrap_or("").into();
    made.hashed = !flag("disableNameSuffixHash");
    Ok(made)
}

fn encoded(value: &[u8]) -> String {
    let all = BASE64.encode(value);
    if all.len() < LINE {
        return all;
    }
    let lines: Vec<&str> = all.as_bytes().chunks(LINE).filter_map(|c| std::str::from_utf8(c).ok()).collect();
    lines.iter().map(|l| format!("{l}\n")).collect()
}
