//! `images` and `replicas`. Models kustomize's image tag and replica count transformers.

use super::config::{Config, Place};
use super::places::Spec;
use super::resource::{Resource, by_any_id};
use super::{list, text};
use crate::error::Error;
use regex_lite::Regex;
use serde_json::{Map, Value};

const SCALED: [&str; 4] = ["Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"];

pub(super) fn replicas(k: &Map<String, Value>, config: &Config, all: &mut [Resource]) -> Result<(), Error> {
    let scaled =
        |kind: &str| Place { kind: kind.into(), path: "spec/replicas".into(), create: true, ..Place::default() };
    let mut places: Vec<Place> = SCALED.iter().map(|kind| scaled(kind)).collect();
    places.extend(config.of("replicas").iter().cloned());
    list(k, "replicas").try_for_each(|entry| replica(entry, &places, all))
}

/// Models `ReplicaCountTransformer`.
pub(super) fn replica(entry: &Value, places: &[Place], all: &mut [Resource]) -> Result<(), Error> {
    let name = entry["name"].as_str().unwrap_or("");
    let count = entry.get("count").cloned().unwrap_or_else(|| 0.into());
    let mut found = false;
    for p in places {
        for i in by_any_id(all, |id| id.name == name && id.is_kind(&p.group, &p.version, &p.kind)) {
            found = true;
            p.spec().each(&mut all[i], &mut |v| {
                *v = count.clone();
                Ok(())
            })?;
        }
    }
    if found {
        return Ok(());
    }
    let or = |s: &str, none: &str| if s.is_empty() { none.to_string() } else { s.to_string() };
    let called =
        |p: &Place| format!("{}.{}.{}", or(&p.kind, "[noKind]"), or(&p.version, "[noVer]"), or(&p.group, "[noGrp]"));
    let kinds: Vec<String> = places.iter().map(called).collect();
    Err(text(format!("resource with name {name} does not match a config with the following GVK [{}]", kinds.join(" "))))
}

/// Places that are looked at after every list of containers was: a suffix of the tag is put there twice, as kustomize
/// does.
const PLACES: [&str; 6] = [
    "spec/containers[]/image",
    "spec/initContainers[]/image",
    "spec/volumes[]/image/reference",
    "spec/template/spec/containers[]/image",
    "spec/template/spec/initContainers[]/image",
    "spec/template/spec/volumes[]/image/reference",
];

pub(super) fn run(k: &Map<String, Value>, config: &Config, all: &mut [Resource]) -> Result<(), Error> {
    let own = config.of("images").iter().map(Place::spec);
    let known = PLACES.iter().map(|path| Spec { group: "", version: "", kind: "", path, create: false });
    let places: Vec<Spec<'_>> = known.chain(own).collect();
    list(k, "images").chain(list(k, "imageTags")).try_for_each(|entry| image(entry, &places, all))
}

/// Models `ImageTagTransformer`.
pub(super) fn image(entry: &Value, places: &[Spec<'_>], all: &mut [Resource]) -> Result<(), Error> {
    let name = entry["name"].as_str().unwrap_or("");
    // The name is a pattern.
    let Ok(is_meant) = Regex::new(&format!("^{name}(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?$")) else {
        return Err(text(format!("the image name {name:?} is no regular expression")));
    };
    let mut change = |v: &mut Value| {
        if let Some(new) = v.as_str().filter(|i| is_meant.is_match(i)).map(|i| replaced(i, entry)) {
            *v = new.into();
        }
    };
    for r in all.iter_mut().filter(|r| r.kind() != "CustomResourceDefinition") {
        walk(&mut r.object, &mut change);
        for spec in places {
            // A field of that name in an object of another kind may be anything.
            let _ = spec.each(r, &mut |v| {
                change(v);
                Ok(())
            });
        }
    }
    Ok(())
}

/// Every list of containers, wherever it is.
fn walk(v: &mut Value, change: &mut dyn FnMut(&mut Value)) {
    match v {
        Value::Object(map) => {
            for (key, value) in map {
                walk(value, change);
                if matches!(key.as_str(), "containers" | "initContainers") {
                    let containers = value.as_array_mut().into_iter().flatten();
                    containers.filter_map(|c| c.get_mut("image")).for_each(&mut *change);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|v| walk(v, change)),
        _ => {}
    }
}

/// Name, tag and digest. Models `image.Split`.
fn split(image: &str) -> (&str, &str, &str) {
    let (rest, digest) = image.split_once('@').unwrap_or((image, ""));
    let slash = rest.find('/').unwrap_or(0);
    match rest[slash..].find(':') {
        Some(i) => (&rest[..slash + i], &rest[slash + i + 1..], digest),
        None => (rest, "", digest),
    }
}

fn replaced(image: &str, entry: &Value) -> String {
    let (name, tag, digest) = split(image);
    let field = |f: &str| entry[f].as_str().unwrap_or("");
    let name = if field("newName").is_empty() { name } else { field("newName") };
    // Either replaces both.
    let (tag, digest) = match (field("newTag"), field("digest"), field("tagSuffix")) {
        ("", "", "") => (tag.to_string(), digest),
        ("", "", suffix) => (format!("{tag}{suffix}"), ""),
        (tag, digest, _) => (tag.to_string(), digest),
    };
    let tag = if tag.is_empty() { tag } else { format!(":{tag}") };
    let digest = if digest.is_empty() { String::new() } else { format!("@{digest}") };
    format!("{name}{tag}{digest}")
}
