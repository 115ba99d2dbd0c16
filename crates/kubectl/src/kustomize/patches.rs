//! `patches`, `patchesStrategicMerge` and `patchesJson6902`. Models kustomize's patch transformers.

use super::loader::Root;
use super::merge::merged;
use super::resource::{Id, Resource, append, by_id, select};
use super::{documents, list, parse, strings, text, trouble};
use crate::error::Error;
use crate::jsonpatch;
use crate::print::gojson;
use crate::print::yaml::to_yaml;
use json_patch::Patch;
use meta::go::json_kind;
use serde_json::{Map, Value, json};

pub(super) fn merges(root: &Root<'_>, k: &Map<String, Value>, all: &mut Vec<Resource>) -> Result<(), Error> {
    let entries: Vec<&str> = strings(k, "patchesStrategicMerge").collect();
    if !entries.is_empty() {
        let wrong = |why: String| trouble("PatchStrategicMergeTransformer", &json!({"paths": entries}), &why);
        merge_all(&load_merges(root, &entries, "").map_err(wrong)?, all)?;
    }
    // What cannot be read is told before anything is patched.
    let read = |entry| load(root, entry, entry).map_err(|why| trouble("PatchTransformer", entry, &why));
    let read: Vec<Loaded> = list(k, "patches").map(read).collect::<Result<_, _>>()?;
    read.iter().try_for_each(|patch| patch.apply(all))
}

/// Strategic merges, each of `paths` either one or the path of one, and those of a text. Models
/// `PatchStrategicMergeTransformer.Config`.
pub(super) fn load_merges(root: &Root<'_>, paths: &[&str], more: &str) -> Result<Vec<Value>, String> {
    if paths.is_empty() && more.is_empty() {
        return Err("empty file path and empty patch content".into());
    }
    let mut found = Vec::new();
    for path in paths {
        let read = || root.load(path).map_err(|e| e.go()).and_then(|source| documents(&source));
        found.extend(documents(path).or_else(|_| read())?);
    }
    if !more.is_empty() {
        found.extend(documents(more)?);
    }
    if found.is_empty() {
        return Err(format!("patch appears to be empty; files=[{}], Patch={more}", paths.join(" ")));
    }
    Ok(found)
}

pub(super) fn merge_all(patches: &[Value], all: &mut Vec<Resource>) -> Result<(), Error> {
    for patch in patches {
        let at = by_id(all, &Id::of(patch))?;
        merge_into(at, patch, Changes::default(), all)?;
    }
    Ok(())
}

/// What a patch may change besides.
#[derive(Clone, Copy, Default)]
struct Changes {
    name: bool,
    kind: bool,
}

/// An entry of `patches`.
pub(super) struct Loaded {
    patch: Either,
    /// What it is called in errors.
    said: String,
    target: Option<Value>,
    changes: Changes,
}

enum Either {
    Operations(Patch),
    Merges(Vec<Value>),
}

/// `written` is the entry as errors show it. Models `PatchTransformer.Config`.
pub(super) fn load(root: &Root<'_>, entry: &Value, written: &Value) -> Result<Loaded, String> {
    let field = |f: &str| entry[f].as_str().unwrap_or("");
    let (source, said) = match (field("path"), field("patch").trim()) {
        ("", "") => return Err(format!("must specify one of patch and path in\n{}", to_yaml(written))),
        ("", patch) => (patch.to_string(), format!("[patch: {patch:?}]")),
        (path, "") => {
            let source = root.load(path);
            let source = source.map_err(|e| format!("failed to get the patch file from path({path}): {}", e.go()))?;
            (source, format!("[path: {path:?}]"))
        }
        _ => return Err(format!("patch and path can't be set at the same time\n{}", to_yaml(written))),
    };
    let patch = if is_operations(&source) {
        operations(&source).map(Either::Operations)
    } else {
        documents(&source).map(Either::Merges)
    };
    let patch = patch.map_err(|_| format!("unable to parse SM or JSON patch from {said}"))?;
    let option = |f: &str| entry["options"][f] == true;
    let changes = Changes { name: option("allowNameChange"), kind: option("allowKindChange") };
    Ok(Loaded { patch, said, target: entry.get("target").filter(|t| t.is_object()).cloned(), changes })
}

impl Loaded {
    /// Models `PatchTransformer.Transform`.
    pub fn apply(&self, all: &mut Vec<Resource>) -> Result<(), Error> {
        let said = &self.said;
        match (&self.patch, &self.target) {
            (Either::Operations(_), None) => Err(text(format!("must specify a target for JSON patch {said}"))),
            (Either::Operations(operations), Some(target)) => {
                for i in select(all, target)? {
                    all[i].store_id();
                    apply_noted(&mut all[i], operations)?;
                }
                Ok(())
            }
            (Either::Merges(patches), None) => {
                for patch in patches {
                    let id = Id::of(patch);
                    let at = by_id(all, &id).map_err(|e| {
                        text(format!("no resource matches strategic merge patch {:?}: {}", id.to_string(), e.go()))
                    })?;
                    merge_into(at, patch, self.changes, all)?;
                }
                Ok(())
            }
            (Either::Merges(patches), Some(target)) => {
                let patch = match patches.as_slice() {
                    [] => return Ok(()),
                    [patch] => patch,
                    _ => {
                        return Err(text(format!(
                            "Multiple Strategic-Merge Patches in one `patches` entry is not allowed to set \
                             `patches.target` field: {said}"
                        )));
                    }
                };
                // From behind: a patch may delete.
                for i in select(all, target)?.into_iter().rev() {
                    let mut patch = patch.clone();
                    patch["apiVersion"] = all[i].object["apiVersion"].clone();
                    merge_into(i, &patch, self.changes, all)?;
                }
                for r in std::mem::take(all) {
                    append(all, r)?;
                }
                Ok(())
            }
        }
    }
}

/// Merges a patch into the object at a place, which goes when the patch says so. Models `Resource.ApplySmPatch`.
fn merge_into(at: usize, patch: &Value, changes: Changes, all: &mut Vec<Resource>) -> Result<(), Error> {
    let r = &mut all[at];
    let before = r.id();
    if changes.name || changes.kind {
        r.store_id();
    }
    let object = merged(std::mem::take(&mut r.object), patch);
    if object.as_object().is_none_or(Map::is_empty) {
        all.remove(at);
        return Ok(());
    }
    r.object = object;
    if !changes.kind {
        r.object["kind"] = before.kind.into();
    }
    if !changes.name {
        r.set_name(&before.name);
    }
    r.set_namespace(&before.namespace);
    Ok(())
}

/// Models `PatchJson6902Transformer`.
pub(super) fn json(root: &Root<'_>, k: &Map<String, Value>, all: &mut [Resource]) -> Result<(), Error> {
    for entry in list(k, "patchesJson6902") {
        let mut config = entry.clone();
        if let Some(config) = config.as_object_mut()
            && let Some(patch) = config.remove("patch")
        {
            config.insert("jsonOp".into(), patch);
        }
        let operations =
            load_operations(root, &config).map_err(|why| trouble("PatchJson6902Transformer", &config, &why))?;
        operate(&operations, &entry["target"], all)?;
    }
    Ok(())
}

/// Models `PatchJson6902Transformer.Config`.
pub(super) fn load_operations(root: &Root<'_>, config: &Value) -> Result<Patch, String> {
    let field = |f: &str| config[f].as_str().unwrap_or("");
    if config["target"]["name"].as_str().unwrap_or("").is_empty() {
        return Err("must specify the target name".into());
    }
    let source = match (field("path"), field("jsonOp")) {
        ("", "") => return Err("empty file path and empty jsonOp".into()),
        ("", patch) => patch.to_string(),
        (path, "") => {
            let source = root.load(path).map_err(|e| e.go())?;
            if source.is_empty() {
                return Err(format!("patch file '{path}' empty seems to be empty"));
            }
            source
        }
        _ => return Err("must specify a file path or jsonOp, not both".into()),
    };
    let patch = operations(&source)?;
    if patch.0.is_empty() {
        let (path, source) = (field("path"), source.trim_end());
        return Err(format!("patch appears to be empty; file={path}, JsonOp={source}"));
    }
    Ok(patch)
}

pub(super) fn operate(operations: &Patch, target: &Value, all: &mut [Resource]) -> Result<(), Error> {
    for i in select(all, target)? {
        apply_noted(&mut all[i], operations)?;
    }
    Ok(())
}

/// What comes after blank lines, comments and a document's begin.
fn begun(source: &str) -> &str {
    let mut rest = source;
    loop {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let line = line.trim();
        if rest.is_empty() || !(line.is_empty() || line.starts_with('#') || line == "---") {
            return rest;
        }
        rest = after;
    }
}

/// Whether a patch is a list.
fn is_operations(source: &str) -> bool {
    let begun = begun(source).trim_start();
    begun.starts_with('[') || begun.starts_with("- ") || begun.starts_with("-\n")
}

/// A list is no document for the parser: it is read as a field. What begins with a bracket must be JSON.
fn operations(source: &str) -> Result<Patch, String> {
    if source.starts_with('[') {
        return serde_json::from_str(source).map_err(|e| e.to_string());
    }
    let indented: String = begun(source).lines().map(|l| format!("  {l}\n")).collect();
    let found = parse(&format!("operations:\n{indented}"))?;
    let list = found.into_iter().next().map_or(Value::Null, |mut v| v["operations"].take());
    if matches!(list, Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Object(_)) {
        let (text, kind) = (gojson::compact(&list), json_kind(&list));
        return Err(format!("decoding {text}: json: cannot unmarshal {kind} into Go value of type jsonpatch.Patch"));
    }
    serde_json::from_value(list).map_err(|e| e.to_string())
}

/// What upstream notes on the way stands in annotations, so there are some already for the operations of an object with
/// notes. They are put back after, whatever the operations made of the annotations.
fn apply_noted(r: &mut Resource, operations: &Patch) -> Result<(), Error> {
    if !r.has_notes() {
        return jsonpatch::apply(&mut r.object, operations).map_err(text);
    }
    r.metadata().entry("annotations").or_insert_with(|| json!({}));
    jsonpatch::apply(&mut r.object, operations).map_err(text)?;
    let annotations = r.object.pointer("/metadata/annotations");
    if annotations.is_some_and(|a| a.as_object().is_none_or(Map::is_empty)) {
        r.metadata().remove("annotations");
    }
    Ok(())
}
