//! `images` and `replicas`. Models kustomize's image tag and replica count transformers.

use super::{Resource, list, text};
use crate::error::Error;
use serde_json::{Map, Value};

pub(super) fn replicas(k: &Map<String, Value>, all: &mut [Resource]) -> Result<(), Error> {
    for entry in list(k, "replicas") {
        let name = entry["name"].as_str().unwrap_or("");
        let mut found = false;
        for r in all.iter_mut() {
            let scales = matches!(r.kind(), "Deployment" | "ReplicationController" | "ReplicaSet" | "StatefulSet");
            if scales && r.was_called(name) {
                r.object["spec"]["replicas"] = entry["count"].clone();
                found = true;
            }
        }
        if !found {
            return Err(text(format!(
                "resource with name {name} does not match a config with the following GVK [Deployment.[noVer].[noGrp] \
                 StatefulSet.[noVer].[noGrp] ReplicaSet.[noVer].[noGrp] ReplicationController.[noVer].[noGrp]]"
            )));
        }
    }
    Ok(())
}

pub(super) fn run(k: &Map<String, Value>, all: &mut [Resource]) {
    for entry in list(k, "images") {
        for r in all.iter_mut().filter(|r| r.kind() != "CustomResourceDefinition") {
            walk(&mut r.object, entry);
        }
    }
}

/// Every list of containers, wherever it is.
fn walk(v: &mut Value, entry: &Value) {
    match v {
        Value::Object(map) => {
            for (key, value) in map {
                if matches!(key.as_str(), "containers" | "initContainers") {
                    for c in value.as_array_mut().into_iter().flatten() {
                        if let Some(new) = c["image"].as_str().and_then(|i| replaced(i, entry)) {
                            c["image"] = new.into();
                        }
                    }
                }
                walk(value, entry);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|v| walk(v, entry)),
        _ => {}
    }
}

/// Name, tag and digest. Models `image.Split`.
fn split(image: &str) -> (&str, &str, &str) {
    let (rest, digest) = image.split_once('@').unwrap_or((image, ""));
    let slash = rest.find('/').unwrap_or(0);
    match rest.rfind(':').filter(|i| *i > slash && !rest[*i..].contains('/')) {
        Some(i) => (&rest[..i], &rest[i + 1..], digest),
        None => (rest, "", digest),
    }
}

fn replaced(image: &str, entry: &Value) -> Option<String> {
    let (name, mut tag, mut digest) = split(image);
    let field = |f: &str| entry[f].as_str().unwrap_or("");
    if name != field("name") {
        return None;
    }
    let name = if field("newName").is_empty() { name } else { field("newName") };
    match (field("newTag"), field("digest")) {
        ("", "") => {}
        (new, "") => (tag, digest) = (new, ""),
        ("", new) => (tag, digest) = ("", new),
        (t, d) => (tag, digest) = (t, d),
    }
    let suffix = entry["tagSuffix"].as_str().unwrap_or("");
    let tag = if tag.is_empty() { String::new() } else { format!(":{tag}{suffix}") };
    let digest = if digest.is_empty() { String::new() } else { format!("@{digest}") };
    Some(format!("{name}{tag}{digest}"))
}
