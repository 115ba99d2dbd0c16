//! The documents of custom resources, made of their definitions' schemas. Models
//! `apiextensions-apiserver/pkg/controller/openapi/builder`.

use super::{Document, paths, root, schemas};
use api::{KindRef, Kinds};
use serde_json::Map;
use std::collections::BTreeSet;

/// The paths of their documents, below `/openapi/v3`.
pub fn roots(kinds: &Kinds) -> BTreeSet<String> {
    kinds.iter().filter(|k| k.custom.is_some()).map(|k| root(k.group, k.version)).collect()
}

/// `com.example.stable.v1.CronTab`: the group backwards.
pub fn name(kind: KindRef) -> String {
    let group: Vec<&str> = kind.group.rsplit('.').collect();
    format!("{}.{}.{}", group.join("."), kind.version, kind.kind)
}

pub fn document(kinds: &Kinds, path: &str) -> Option<Document> {
    let all: Vec<KindRef> = kinds.iter().filter(|k| k.custom.is_some() && root(k.group, k.version) == path).collect();
    let mut schemas = schemas::Builder::default();
    let mut added = Map::new();
    let mut paths = Map::new();
    for kind in &all {
        schemas.common(kind);
        let name = name(kind);
        paths::add(&mut paths, kind, &name);
        added.insert(format!("{name}List"), schemas::list(kind, &name));
        added.insert(name, kind.custom?.published(kind)?);
    }
    let mut components = schemas.finish();
    components.extend(added);
    (!all.is_empty()).then(|| super::finish(paths, components))
}
