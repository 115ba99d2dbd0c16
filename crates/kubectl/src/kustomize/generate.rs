//! `configMapGenerator` and `secretGenerator`. Models `kustomize/api/internal/generators`.

use super::{Resource, join, list, strings, text};
use crate::env::Files;
use crate::error::Error;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};

/// Longer values of a Secret are broken after so many characters.
const LINE: usize = 70;

pub(super) fn run(files: &dyn Files, dir: &str, k: &Map<String, Value>, all: &mut Vec<Resource>) -> Result<(), Error> {
    let general = k.get("generatorOptions").cloned().unwrap_or(Value::Null);
    for (field, kind) in [("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")] {
        for entry in list(k, field) {
            let made = one(files, dir, kind, entry, &general)?;
            take(entry, made, all)?;
        }
    }
    Ok(())
}

fn take(entry: &Value, made: Resource, all: &mut Vec<Resource>) -> Result<(), Error> {
    let same = |r: &Resource| r.kind() == made.kind() && r.was_called(made.name());
    let at = all.iter().position(same);
    let id = super::id(&made.object);
    match (entry["behavior"].as_str().unwrap_or("create"), at) {
        ("create" | "unspecified" | "", None) => all.push(made),
        ("create" | "unspecified" | "", Some(_)) => {
            return Err(text(format!(
                "merging from generator: id resid.ResId exists; behavior must be merge or replace: {id}"
            )));
        }
        (behavior @ ("merge" | "replace"), Some(at)) => {
            let old = &mut all[at];
            let mut object = made.object;
            if behavior == "merge" {
                for field in ["data", "binaryData"] {
                    let before = old.object[field].as_object().cloned().unwrap_or_default();
                    let after = object[field].as_object().cloned().unwrap_or_default();
                    let both: Map<String, Value> = before.into_iter().chain(after).collect();
                    if !both.is_empty() {
                        object[field] = both.into();
                    }
                }
            }
            // What is said of the object adds up.
            let mut metadata = old.object["metadata"].clone();
            for field in ["labels", "annotations"] {
                if let Some(more) = object["metadata"][field].as_object() {
                    let mut both = metadata[field].as_object().cloned().unwrap_or_default();
                    both.extend(more.clone());
                    metadata[field] = both.into();
                }
            }
            object["metadata"] = metadata;
            old.object = object;
            old.hashed |= made.hashed;
        }
        (behavior, _) => {
            return Err(text(format!("merging from generator: id {id} does not exist; cannot {behavior}")));
        }
    }
    Ok(())
}

fn one(files: &dyn Files, dir: &str, kind: &str, entry: &Value, general: &Value) -> Result<Resource, Error> {
    let Some(fields) = entry.as_object() else { return Err(text("a generator is an object")) };
    let mut data: Vec<(String, String)> = Vec::new();
    let missing = |path: &str| {
        let at = files.absolute(&join(dir, path));
        text(format!(
            "loading KV pairs: file sources: [{path}]: evalsymlink failure on '{at}' : lstat {at}: no such file or directory"
        ))
    };
    for path in strings(fields, "envs").chain(entry["env"].as_str()) {
        let source = files.read(&join(dir, path)).ok_or_else(|| missing(path))?;
        for line in source.lines().map(str::trim_start).filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            data.push((key.into(), value.into()));
        }
    }
    for literal in strings(fields, "literals") {
        let Some((key, value)) = literal.split_once('=').filter(|(k, _)| !k.is_empty()) else {
            return Err(text(format!(
                "loading KV pairs: literal sources: [{literal}]: invalid literal source {literal}, expected key=value"
            )));
        };
        let quoted = |q: char| value.strip_prefix(q).and_then(|v| v.strip_suffix(q)).filter(|_| value.len() > 1);
        data.push((key.into(), quoted('"').or(quoted('\'')).unwrap_or(value).into()));
    }
    for source in strings(fields, "files") {
        let (key, path) = source.split_once('=').unwrap_or((source.rsplit('/').next().unwrap_or(source), source));
        data.push((key.into(), files.read(&join(dir, path)).ok_or_else(|| missing(path))?));
    }
    let name = entry["name"].as_str().unwrap_or("");
    let mut object = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}});
    if let Some(namespace) = entry["namespace"].as_str() {
        object["metadata"]["namespace"] = namespace.into();
    }
    if kind == "Secret" {
        object["type"] = entry["type"].as_str().filter(|t| !t.is_empty()).unwrap_or("Opaque").into();
    }
    for (key, value) in data {
        if object["data"].get(&key).is_some() {
            return Err(text(format!(
                "cannot add key {key}, another key by that name already exists: {}",
                object["data"]
            )));
        }
        object["data"][key] = if kind == "Secret" { encoded(&value).into() } else { value.into() };
    }
    let options = |f: &str| entry["options"].get(f).or(general.get(f)).cloned().unwrap_or(Value::Null);
    for field in ["labels", "annotations"] {
        let pairs: Map<String, Value> = [&general[field], &entry["options"][field]]
            .iter()
            .filter_map(|v| v.as_object().cloned())
            .flatten()
            .collect();
        if !pairs.is_empty() {
            object["metadata"][field] = pairs.into();
        }
    }
    if options("immutable") == true {
        object["immutable"] = true.into();
    }
    let mut made = Resource::new(object);
    made.hashed = options("disableNameSuffixHash") != true;
    Ok(made)
}

fn encoded(value: &str) -> String {
    let all = BASE64.encode(value);
    if all.len() < LINE {
        return all;
    }
    let lines: Vec<&str> = all.as_bytes().chunks(LINE).filter_map(|c| std::str::from_utf8(c).ok()).collect();
    lines.iter().map(|l| format!("{l}\n")).collect()
}
