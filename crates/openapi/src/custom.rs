//! The documents of custom resources, made of their definitions' schemas. Models
//! `apiextensions-apiserver/pkg/controller/openapi/builder`.

use super::{Document, paths, root, schemas};
use api::{KindRef, Kinds};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

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
        added.insert(name, schema(kind)?);
    }
    let mut components = schemas.finish();
    components.extend(added);
    (!all.is_empty()).then(|| super::finish(paths, components))
}

/// The schema as it was given, without what only the server reads, with the fields that every object has.
fn schema(kind: KindRef) -> Option<Value> {
    let mut schema = published(&kind.custom?.schema);
    let fields = schema.as_object_mut()?;
    fields.insert("type".into(), "object".into());
    let properties = fields.entry("properties").or_insert_with(|| json!({})).as_object_mut()?;
    // Among the words that every list has are those for its version and kind.
    let words = schemas::list(kind, "");
    for name in ["apiVersion", "kind"] {
        properties.insert(name.into(), words["properties"][name].clone());
    }
    let about = "Standard object's metadata. More info: \
                 https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";
    let meta = json!({"description": about, "allOf": [{"$ref": format!("#/components/schemas/{META}")}]});
    properties.insert("metadata".into(), meta);
    let gvk = json!([{"group": kind.group, "kind": kind.kind, "version": kind.version}]);
    fields.insert("x-kubernetes-group-version-kind".into(), gvk);
    Some(schema)
}

fn published(s: &JSONSchemaProps) -> Value {
    serde_json::to_value(s).unwrap_or_else(|_| json!({}))
}
