//! `patches`, `patchesStrategicMerge` and `patchesJson6902`. Models kustomize's patch transformers.

use super::{Resource, id, join, list, parse, read, strings, text};
use crate::env::Files;
use crate::error::Error;
use meta::labels::Selector;
use meta::strategic::{ListStrategy, strategy};
use regex_lite::Regex;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

pub(super) fn merges(
    files: &dyn Files,
    dir: &str,
    k: &Map<String, Value>,
    all: &mut Vec<Resource>,
) -> Result<(), Error> {
    for entry in strings(k, "patchesStrategicMerge") {
        let path = join(dir, entry);
        let found = if files.read(&path).is_some() { read(files, &path)? } else { parse("patch", entry)? };
        for patch in found {
            merge_into(&patch, all)?;
        }
    }
    for entry in list(k, "patches") {
        one(files, dir, entry, all)?;
    }
    Ok(())
}

pub(super) fn json(files: &dyn Files, dir: &str, k: &Map<String, Value>, all: &mut Vec<Resource>) -> Result<(), Error> {
    for entry in list(k, "patchesJson6902") {
        one(files, dir, entry, all)?;
    }
    Ok(())
}

fn one(files: &dyn Files, dir: &str, entry: &Value, all: &mut Vec<Resource>) -> Result<(), Error> {
    let (name, source) = match (entry["path"].as_str(), entry["patch"].as_str()) {
        (Some(path), None) => {
            let at = join(dir, path);
            let Some(source) = files.read(&at) else {
                let at = files.absolute(&at);
                return Err(text(format!(
                    "failed to get the patch file from path({path}): evalsymlink failure on '{at}' : lstat {at}: no such file or \
                     directory"
                )));
            };
            (path, source)
        }
        (None, Some(patch)) => ("patch", patch.to_string()),
        (None, None) => return Err(text("must specify one of patch and path in\n")),
        _ => return Err(text("patch and path can't be set at the same time")),
    };
    let target = entry.get("target").filter(|t| t.is_object());
    let operations = source.trim_start().starts_with('[') || source.trim_start().starts_with("- ");
    if operations {
        let Some(target) = target else { return Err(text("must specify a target for JSON patch\n")) };
        let found = wrapped(name, &source)?;
        let list: json_patch::Patch = serde_json::from_value(found).map_err(|e| text(e.to_string()))?;
        for r in chosen(target, all)? {
            json_patch::patch(&mut r.object, &list).map_err(|e| text(e.to_string()))?;
        }
        return Ok(());
    }
    for patch in parse(name, &source)? {
        let Some(target) = target else {
            merge_into(&patch, all)?;
            continue;
        };
        let gone = patch["$patch"] == "delete";
        let options = |f: &str| entry["options"][f].as_bool() == Some(true);
        for r in chosen(target, all)? {
            if gone {
                r.object = Value::Null;
                continue;
            }
            let (kind, name) = (r.object["kind"].clone(), r.object["metadata"]["name"].clone());
            let (version, namespace) = (r.object["apiVersion"].clone(), r.object["metadata"].get("namespace").cloned());
            r.object = merged(r.object.clone(), &patch);
            if !options("allowKindChange") {
                (r.object["kind"], r.object["apiVersion"]) = (kind, version);
            }
            if !options("allowNameChange") {
                r.object["metadata"]["name"] = name;
                if let Some(n) = namespace {
                    r.object["metadata"]["namespace"] = n;
                }
            }
        }
        all.retain(|r| !r.object.is_null());
    }
    Ok(())
}

/// A list of operations is no document for the parser: it is read as a field.
fn wrapped(name: &str, source: &str) -> Result<Value, Error> {
    let source = source.trim_start_matches("---\n");
    let indented: String = source.lines().map(|l| format!("  {l}\n")).collect();
    let found = parse(name, &format!("operations:\n{indented}"))?;
    Ok(found.into_iter().next().map_or(Value::Null, |mut v| v["operations"].take()))
}

/// Finds what a patch names, and merges it in.
fn merge_into(patch: &Value, all: &mut Vec<Resource>) -> Result<(), Error> {
    let p = Resource::new(patch.clone());
    let same = |r: &Resource| {
        let namespaces = p.namespace().is_empty()
            || r.namespace() == p.namespace()
            || r.former.iter().any(|(_, n)| n == p.namespace());
        (r.kind(), r.group()) == (p.kind(), p.group()) && r.was_called(p.name()) && namespaces
    };
    let Some(at) = all.iter().position(same) else {
        let id = id(patch);
        return Err(text(format!(
            "no resource matches strategic merge patch {id:?}: no matches for Id {id}; failed to find unique target for patch \
             {id}"
        )));
    };
    if patch["$patch"] == "delete" {
        all.remove(at);
        return Ok(());
    }
    let (name, namespace) =
        (all[at].object["metadata"]["name"].clone(), all[at].object["metadata"].get("namespace").cloned());
    let mut object = merged(all[at].object.clone(), patch);
    object["metadata"]["name"] = name;
    if let Some(n) = namespace {
        object["metadata"]["namespace"] = n;
    }
    all[at].object = object;
    Ok(())
}

fn chosen<'r>(target: &Value, all: &'r mut [Resource]) -> Result<Vec<&'r mut Resource>, Error> {
    let field = |f: &str| target[f].as_str().unwrap_or("");
    let pattern = |f: &str| {
        let whole = format!("^(?:{})$", field(f));
        Regex::new(&whole).map(Some).map_err(|e| text(e.to_string())).map(|r| r.filter(|_| !field(f).is_empty()))
    };
    let fits = |r: &Option<Regex>, text: &str| r.as_ref().is_none_or(|r| r.is_match(text));
    let (kind, group, version) = (pattern("kind")?, pattern("group")?, pattern("version")?);
    let (name, namespace) = (pattern("name")?, pattern("namespace")?);
    let selector = |f: &str| Selector::parse(field(f)).map_err(|e| text(e.to_string()));
    let (labels, annotations) = (selector("labelSelector")?, selector("annotationSelector")?);
    let map = |r: &Resource, f: &str| {
        let pairs = r.object["metadata"][f].as_object().cloned().unwrap_or_default();
        let text = |(k, v): (String, Value)| (k, v.as_str().unwrap_or("").to_string());
        pairs.into_iter().map(text).collect::<BTreeMap<String, String>>()
    };
    let is = |r: &&mut Resource| {
        let former = |pick: fn(&(String, String)) -> &str, p: &Option<Regex>| r.former.iter().any(|f| fits(p, pick(f)));
        fits(&kind, r.kind())
            && fits(&group, r.group().0)
            && fits(&version, r.group().1)
            && (fits(&name, r.name()) || former(|f| &f.0, &name))
            && (fits(&namespace, r.namespace()) || former(|f| &f.1, &namespace))
            && labels.matches(Some(&map(r, "labels")))
            && annotations.matches(Some(&map(r, "annotations")))
    };
    Ok(all.iter_mut().filter(is).collect())
}

fn merged(object: Value, patch: &Value) -> Value {
    let kind = object["kind"].as_str().unwrap_or("").to_string();
    merge(&kind, &mut Vec::new(), object, patch)
}

/// Models kyaml's `merge2` with `MergeOptionsListPrepend`: what a patch says of a list comes first.
fn merge(kind: &str, path: &mut Vec<String>, old: Value, patch: &Value) -> Value {
    let (Value::Object(mut old), Value::Object(new)) = (old, patch) else { return without_directives(patch.clone()) };
    match new.get("$patch").and_then(Value::as_str) {
        Some("replace") => return without_directives(patch.clone()),
        Some("delete") => return Value::Null,
        _ => {}
    }
    for (key, value) in new {
        if key == "$patch" {
            continue;
        }
        let before = old.remove(key).unwrap_or_default();
        let by = strategy(kind, path, key);
        let after = match (before, value) {
            (_, Value::Null) => Value::Null,
            (Value::Array(before), Value::Array(list)) => items(kind, path, key, by, before, list),
            (before @ Value::Object(_), value @ Value::Object(_)) => {
                path.push(key.clone());
                let v = merge(kind, path, before, value);
                path.pop();
                v
            }
            (_, value) => without_directives(value.clone()),
        };
        if !after.is_null() {
            old.insert(key.clone(), after);
        }
    }
    Value::Object(old)
}

fn items(
    kind: &str,
    path: &mut Vec<String>,
    key: &str,
    by: ListStrategy,
    mut before: Vec<Value>,
    list: &[Value],
) -> Value {
    let replaces = list.iter().any(|v| v["$patch"] == "replace");
    match by {
        _ if replaces => without_directives(Value::Array(list.to_vec())),
        ListStrategy::Replace => without_directives(Value::Array(list.to_vec())),
        ListStrategy::MergeValues => {
            let mut all = list.to_vec();
            all.extend(before.into_iter().filter(|v| !list.contains(v)));
            Value::Array(all)
        }
        ListStrategy::MergeBy(field) => {
            let mut all = Vec::new();
            path.push(key.to_string());
            for item in list {
                let at = before.iter().position(|b| b[field] == item[field]);
                let old = at.map(|i| before.remove(i));
                if item["$patch"] == "delete" {
                    continue;
                }
                all.push(match old {
                    Some(old) => merge(kind, path, old, item),
                    None => without_directives(item.clone()),
                });
            }
            path.pop();
            all.extend(before);
            Value::Array(all)
        }
    }
}

/// Without `$patch` and what is to be deleted.
fn without_directives(v: Value) -> Value {
    match v {
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(k, v)| k != "$patch" && !v.is_null());
            Value::Object(kept.map(|(k, v)| (k, without_directives(v))).collect())
        }
        Value::Array(list) => {
            let only = |v: &Value| v.as_object().is_some_and(|m| m.len() == 1 && m.contains_key("$patch"));
            Value::Array(list.into_iter().filter(|v| !only(v)).map(without_directives).collect())
        }
        other => other,
    }
}
