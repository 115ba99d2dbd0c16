//! `kubectl kustomize` and `-k`: a directory's kustomization as objects. Models `sigs.k8s.io/kustomize/api/krusty` without
//! schemas of one's own, Helm charts, programs as plugins and addresses, which are refused.

mod config;
mod fields;
mod generate;
mod hash;
mod images;
mod labels;
mod loader;
mod merge;
mod names;
mod order;
mod patches;
mod places;
mod plugins;
mod references;
mod replacements;
mod resource;
mod target;
#[cfg(test)]
mod tests;
mod valueadd;
mod vars;

pub(crate) use hash::of_object as hash;

use crate::cx::Cx;
use crate::env::Files;
use crate::error::Error;
use crate::print::yaml::to_yaml;
use loader::Root;
use manifest::{Limits, Scalars};
use serde_json::{Map, Value};
use target::Gathered;

fn text(message: impl Into<String>) -> Error {
    Error::text(message)
}

/// Carries out a directory's kustomization: its objects in order. What is to be told besides is added to `warnings`, a
/// line each. `free`: files may be outside of the directories that name them.
///
/// # Errors
/// Upstream's words where it has them.
fn build(files: &dyn Files, dir: &str, free: bool, warnings: &mut Vec<String>) -> Result<Vec<Value>, Error> {
    let root = Root::begin(files, dir, free)?;
    let k = target::load(&root, warnings)?;
    let mut g = target::accumulate(&root, &k, Gathered::default(), warnings)?;
    hash_names(&mut g.all);
    references::update(&mut g.all, &g.config)?;
    vars::resolve(&mut g, warnings)?;
    g.all.retain(|r| {
        let local = r.object.pointer("/metadata/annotations/config.kubernetes.io~1local-config");
        local.is_none_or(|v| v == "false")
    });
    order::sort(k.get("sortOptions"), &mut g.all)?;
    if strings(&k, "buildMetadata").any(|o| o == "managedByLabel") {
        names::managed_by(&mut g.all, crate::info::KUSTOMIZE);
    }
    if strings(&k, "buildMetadata").any(|o| o == "originAnnotations") {
        for r in &mut g.all {
            let origin = std::mem::take(&mut r.origin);
            r.metadata();
            if let Some(metadata) = r.object.get_mut("metadata") {
                resource::map_at(metadata, "annotations").insert("config.kubernetes.io/origin".into(), origin.into());
            }
        }
    }
    if strings(&k, "buildMetadata").any(|o| o == "transformerAnnotations") {
        for r in g.all.iter_mut().filter(|r| !r.transformed.is_empty()) {
            let all = r.transformed.concat();
            r.metadata();
            if let Some(metadata) = r.object.get_mut("metadata") {
                let annotations = resource::map_at(metadata, "annotations");
                annotations.insert("alpha.config.kubernetes.io/transformations".into(), all.into());
            }
        }
    }
    // What is noted on the way stands in annotations upstream: taking it out makes texts of them all.
    for r in &mut g.all {
        let annotations = r.object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut);
        for v in annotations.into_iter().flat_map(Map::values_mut) {
            if matches!(v, Value::Number(_) | Value::Bool(_)) {
                *v = v.to_string().into();
            }
        }
    }
    Ok(g.all.into_iter().map(|r| r.object).collect())
}

/// Models `HashTransformer`.
fn hash_names(all: &mut [resource::Resource]) {
    for r in all.iter_mut().filter(|r| r.hashed) {
        let name = format!("{}-{}", r.name(), hash::of_object(&r.object, ""));
        r.store_id();
        r.set_name(&name);
    }
}

/// What a generator or transformer says when it cannot be set up.
fn trouble(name: &str, config: &Value, why: &str) -> Error {
    text(format!("trouble configuring builtin {name} with config: `\n{}`: {why}", to_yaml(config)))
}

/// As [`build`], with the warnings told.
pub(crate) fn objects(cx: &mut Cx<'_, '_>, dir: &str) -> Result<Vec<Value>, Error> {
    told(cx, dir, false)
}

fn told(cx: &mut Cx<'_, '_>, dir: &str, free: bool) -> Result<Vec<Value>, Error> {
    let mut warnings = Vec::new();
    let objects = build(cx.env.files, dir, free, &mut warnings);
    for w in warnings {
        cx.err(&format!("{w}\n"));
    }
    objects
}

pub(crate) fn run(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let dir = match cx.args.as_slice() {
        [] => ".".to_string(),
        [dir] => dir.clone(),
        _ => return Err(text("specify one path to kustomization.yaml")),
    };
    let free = match cx.flags.string("load-restrictor") {
        "LoadRestrictionsRootOnly" => false,
        "LoadRestrictionsNone" => true,
        other => {
            return Err(text(format!(
                "illegal flag value --load-restrictor {other}; legal values: [LoadRestrictionsRootOnly \
                 LoadRestrictionsNone]"
            )));
        }
    };
    if cx.flags.bool("enable-helm") {
        return Err(text("kustomize's --enable-helm is not in this terminal"));
    }
    let objects = told(cx, &dir, free)?;
    let documents: Vec<String> = objects.iter().map(to_yaml).collect();
    let output = cx.flags.string("output").to_string();
    if output.is_empty() {
        cx.out(&documents.join("---\n"));
        return Ok(());
    }
    if cx.env.files.list(&output).is_some() {
        for (object, document) in objects.iter().zip(&documents) {
            let path = format!("{}/{}", output.trim_end_matches('/'), file_name(object, &objects));
            cx.env.files.write(&path, document).map_err(|why| text(format!("open {path}: {}", why.to_lowercase())))?;
        }
        return Ok(());
    }
    let above = output.rsplit_once('/').map_or(".", |(dir, _)| if dir.is_empty() { "/" } else { dir });
    if cx.env.files.list(above).is_none() {
        return Err(text(format!("open {output}: no such file or directory")));
    }
    let written = cx.env.files.write(&output, &documents.join("---\n"));
    written.map_err(|why| text(format!("open {output}: {}", why.to_lowercase())))
}

/// `apps_v1_deployment_web.yaml`, after its namespace when the objects are in several. Models `WriteIndividualFiles`.
fn file_name(object: &Value, all: &[Value]) -> String {
    let id = resource::Id::of(object);
    let mut namespaces: Vec<String> = all.iter().map(|o| resource::Id::of(o).namespace).collect();
    namespaces.sort();
    namespaces.dedup();
    let mut parts = vec![id.group, id.version, id.kind, id.name];
    if namespaces.len() > 1 {
        parts.insert(0, id.namespace);
    }
    parts.retain(|p| !p.is_empty());
    format!("{}.yaml", parts.join("_").to_lowercase())
}

/// A text's documents as kubectl reads them, which is how kustomizations and operations are read; items of lists by
/// themselves. Errors are YAML's words.
fn parse(source: &str) -> Result<Vec<Value>, String> {
    parse_as(source, Scalars::Kubectl)
}

fn parse_as(source: &str, scalars: Scalars) -> Result<Vec<Value>, String> {
    let documents = manifest::parse_values_as(&[("", source)], Limits::REQUEST, scalars).map_err(|problems| {
        let said = problems.into_iter().next().map_or(String::new(), |p| p.kubectl);
        let begin = ["yaml: ", "json: "].iter().filter_map(|w| said.find(w)).min().unwrap_or(0);
        said[begin..].to_string()
    })?;
    Ok(documents.into_iter().map(|d| d.value).collect())
}

/// A text's objects as kyaml reads them, all of which have a kind and a name. Models `SliceFromBytes` and `GetValidatedMetadata`.
fn documents(source: &str) -> Result<Vec<Value>, String> {
    let found = parse_as(source, Scalars::Kyaml).map_err(|why| {
        if why.starts_with("json: cannot unmarshal") {
            "missing Resource metadata".to_string()
        } else {
            format!("MalformedYAMLError: {why}")
        }
    })?;
    let found: Vec<Value> = found.into_iter().filter(|v| v.as_object().is_none_or(|m| !m.is_empty())).collect();
    found.iter().try_for_each(validated)?;
    Ok(found)
}

fn validated(v: &Value) -> Result<(), String> {
    let at = |pointer: &str| match v.pointer(pointer) {
        Some(Value::String(s)) => s.clone(),
        Some(v @ (Value::Number(_) | Value::Bool(_))) => v.to_string(),
        _ => String::new(),
    };
    let (api_version, kind) = (at("/apiVersion"), at("/kind"));
    let (name, namespace) = (at("/metadata/name"), at("/metadata/namespace"));
    let missing = |what: &str| {
        let map = |field: &str| {
            let pairs = v.pointer(&format!("/metadata/{field}")).and_then(Value::as_object).into_iter().flatten();
            pairs.map(|(k, v)| format!("{k}:{}", v.as_str().unwrap_or(""))).collect::<Vec<_>>().join(" ")
        };
        let (labels, annotations) = (map("labels"), map("annotations"));
        format!(
            "missing {what} in object {{{{{api_version} {kind}}} {{{{{name} {namespace}}} map[{labels}] map[{annotations}]}}}}"
        )
    };
    if v.as_object().is_none_or(|m| !["apiVersion", "kind", "metadata"].iter().any(|f| m.contains_key(*f))) {
        return Err("missing Resource metadata".into());
    }
    if kind.is_empty() {
        return Err(missing("kind"));
    }
    if name.is_empty() && !kind.ends_with("List") {
        return Err(missing("metadata.name"));
    }
    // What is read as text everywhere else must be text.
    for pointer in ["/apiVersion", "/kind", "/metadata/name", "/metadata/namespace"] {
        if v.pointer(pointer).is_some_and(|v| !v.is_string() && !v.is_null()) {
            return Err(format!(
                "{} is no string in object {kind} {name}",
                pointer.replace('/', ".").trim_start_matches('.')
            ));
        }
    }
    Ok(())
}

fn strings<'k>(k: &'k Map<String, Value>, field: &str) -> impl Iterator<Item = &'k str> {
    k.get(field).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn list<'k>(k: &'k Map<String, Value>, field: &str) -> impl Iterator<Item = &'k Value> {
    k.get(field).and_then(Value::as_array).into_iter().flatten()
}
