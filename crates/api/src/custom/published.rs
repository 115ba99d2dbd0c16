//! A custom resource's schema as the API server publishes it. Models
//! `apiextensions-apiserver/pkg/controller/openapi/builder`.

use super::Custom;
use crate::registration::KindRef;
use serde_json::{Map, Value, json};

/// What upstream says of every object's `apiVersion`.
pub const API_VERSION: &str = "APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources";
/// What upstream says of every object's `kind`.
pub const KIND: &str = "Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds";
const META: &str = "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
const GVK: &str = "x-kubernetes-group-version-kind";
const PRESERVE: &str = "x-kubernetes-preserve-unknown-fields";

impl Custom {
    /// The schema as it was given, without what only the server reads, with the fields that every object has.
    pub fn published(&self, kind: KindRef) -> Option<Value> {
        let mut schema = serde_json::to_value(&self.schema).ok()?;
        let fields = schema.as_object_mut()?;
        embedded(fields, false);
        described(fields, kind);
        Some(schema)
    }

    /// The same for `/openapi/v2`. An object that keeps unknown fields has no properties there: kubectl, which checks lists by
    /// this document, would take every other field for a mistake.
    pub fn published_v2(&self, kind: KindRef) -> Option<Value> {
        if self.schema.x_kubernetes_preserve_unknown_fields == Some(true) {
            return Some(json!({"type": "object", GVK: group_version_kind(kind)}));
        }
        let mut schema = serde_json::to_value(&self.schema).ok()?;
        let fields = schema.as_object_mut()?;
        older(fields);
        embedded(fields, true);
        described(fields, kind);
        Some(schema)
    }
}

fn group_version_kind(kind: KindRef) -> Value {
    json!([{"group": kind.group, "kind": kind.kind, "version": kind.version}])
}

fn described(fields: &mut Map<String, Value>, kind: KindRef) {
    fields.insert("type".into(), "object".into());
    add_meta(fields);
    fields.insert(GVK.into(), group_version_kind(kind));
}

/// `apiVersion`, `kind` and `metadata`.
fn add_meta(fields: &mut Map<String, Value>) {
    let Some(properties) = fields.entry("properties").or_insert_with(|| json!({})).as_object_mut() else { return };
    properties.insert("apiVersion".into(), json!({"type": "string", "description": API_VERSION}));
    properties.insert("kind".into(), json!({"type": "string", "description": KIND}));
    let about = "Standard object's metadata. More info: \
                 https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";
    properties.insert("metadata".into(), json!({"description": about, "allOf": [{"$ref": META}]}));
}

/// The schemas directly within one.
fn parts(fields: &mut Map<String, Value>) -> impl Iterator<Item = &mut Map<String, Value>> {
    fields.iter_mut().flat_map(|(word, of)| -> Vec<&mut Map<String, Value>> {
        match (word.as_str(), of) {
            ("properties", Value::Object(all)) => all.values_mut().filter_map(Value::as_object_mut).collect(),
            ("items" | "additionalProperties", Value::Object(of)) => vec![of],
            _ => Vec::new(),
        }
    })
}

/// Objects within objects have a version, a kind and metadata, too. Models `addEmbeddedProperties`.
fn embedded(fields: &mut Map<String, Value>, v2: bool) {
    parts(fields).for_each(|f| embedded(f, v2));
    let says = |word: &str| fields.get(word) == Some(&Value::Bool(true));
    if !says("x-kubernetes-embedded-resource") || v2 && says(PRESERVE) {
        return;
    }
    add_meta(fields);
    let Some(required) = fields.entry("required").or_insert_with(|| json!([])).as_array_mut() else { return };
    for name in ["kind", "apiVersion"] {
        if !required.iter().any(|r| r == name) {
            required.push(name.into());
        }
    }
}

/// What v2, and kubectl's reading of it, has no words for. Models
/// `apiextensions-apiserver/pkg/controller/openapi/v2/conversion.go`.
fn older(fields: &mut Map<String, Value>) {
    fields.retain(|word, _| !matches!(word.as_str(), "allOf" | "anyOf" | "oneOf" | "not"));
    let is = |fields: &Map<String, Value>, word: &str| fields.get(word) == Some(&Value::Bool(true));
    let (nullable, preserve) = (is(fields, "nullable"), is(fields, PRESERVE));
    if nullable || preserve {
        fields.remove("items");
        fields.remove("properties");
    }
    let of = fields.get("type").and_then(Value::as_str);
    if nullable || of == Some("array") && !fields.contains_key("items") || preserve && of == Some("object") {
        fields.remove("type");
    }
    fields.remove("nullable");
    let may_be_null = |s: &Value| s["nullable"] == true;
    let optional: Vec<String> = match fields.get("properties").and_then(Value::as_object) {
        Some(all) => all.iter().filter(|(_, s)| may_be_null(s)).map(|(name, _)| name.clone()).collect(),
        None => Vec::new(),
    };
    let values_may = fields.get("additionalProperties").is_some_and(may_be_null);
    if let Some(Value::Array(required)) = fields.get_mut("required") {
        required.retain(|r| !values_may && r.as_str().is_none_or(|r| !optional.iter().any(|o| o == r)));
        if required.is_empty() {
            fields.remove("required");
        }
    }
    parts(fields).for_each(older);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_v2(mut schema: Value) -> Value {
        older(schema.as_object_mut().unwrap());
        schema
    }

    #[test]
    fn v2_has_no_junctors_and_no_null() {
        let given = json!({
            "type": "object",
            "required": ["size", "maybe"],
            "anyOf": [{"required": ["size"]}],
            "properties": {
                "size": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]},
                "maybe": {"type": "object", "nullable": true, "properties": {"a": {"type": "string"}}},
                "anyOf": {"type": "string"}
            }
        });
        let properties = json!({
            "size": {"x-kubernetes-int-or-string": true}, "maybe": {}, "anyOf": {"type": "string"}
        });
        assert_eq!(in_v2(given), json!({"type": "object", "required": ["size"], "properties": properties}));
    }

    #[test]
    fn what_keeps_unknown_fields_is_open_in_v2() {
        let open = json!({"type": "object", PRESERVE: true, "properties": {"a": {"type": "string"}}});
        let of_open = json!({"type": "array", PRESERVE: true, "items": {"type": "object"}});
        let given = json!({"type": "object", "properties": {"a": open, "b": of_open}});
        let open = json!({PRESERVE: true});
        assert_eq!(in_v2(given), json!({"type": "object", "properties": {"a": open, "b": open}}));
    }

    #[test]
    fn embedded_objects_have_metadata() {
        let embedded_one = json!({"type": "object", "x-kubernetes-embedded-resource": true, PRESERVE: true});
        let given = json!({"type": "object", "properties": {"list": {"type": "array", "items": embedded_one}}});
        for (v2, names) in [(false, vec!["apiVersion", "kind", "metadata"]), (true, vec![])] {
            let mut schema = given.clone();
            embedded(schema.as_object_mut().unwrap(), v2);
            let inner = &schema["properties"]["list"]["items"];
            let found: Vec<&str> =
                inner["properties"].as_object().into_iter().flat_map(Map::keys).map(|k| k.as_str()).collect();
            assert_eq!(found, names);
            assert_eq!(inner["required"], if v2 { Value::Null } else { json!(["kind", "apiVersion"]) });
        }
    }
}
