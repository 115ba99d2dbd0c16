//! The documents of custom resources, made of their definitions' schemas. Models
//! `apiextensions-apiserver/pkg/controller/openapi/builder`.

use super::{Document, paths, root, schemas};
use api::{KindRef, Kinds};
use serde_json::Map;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// The paths of their documents, below `/openapi/v3`.
pub fn roots(kinds: &Kinds) -> BTreeSet<String> {
    kinds.iter().filter(|k| k.custom.is_some()).map(|k| root(k.group, k.version)).collect()
}

/// `com.example.stable.v1.CronTab`: the group backwards.
pub fn name(kind: KindRef) -> String {
    let group: Vec<&str> = kind.group.rsplit('.').collect();
    format!("{}.{}.{}", group.join("."), kind.version, kind.kind)
}

/// Made anew only when a kind in it is another one: clients ask for the index before each command.
pub fn document(kinds: &Kinds, path: &str) -> Option<Arc<Document>> {
    type Made = (Vec<KindRef>, Arc<Document>);
    static MADE: Mutex<BTreeMap<String, Made>> = Mutex::new(BTreeMap::new());
    let all: Vec<KindRef> = kinds.iter().filter(|k| k.custom.is_some() && root(k.group, k.version) == path).collect();
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, document)) = made.get(path).filter(|(of, _)| same(of, &all)) {
        return Some(document.clone());
    }
    let document = Arc::new(make(&all)?);
    made.insert(path.to_string(), (all, document.clone()));
    Some(document)
}

/// Kinds live for ever: whoever is at the same place is the same.
pub fn same(a: &[KindRef], b: &[KindRef]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| std::ptr::eq(*a, *b))
}

fn make(all: &[KindRef]) -> Option<Document> {
    let mut schemas = schemas::Builder::default();
    let mut added = Map::new();
    let mut paths = Map::new();
    for kind in all {
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
