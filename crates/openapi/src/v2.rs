//! `/openapi/v2`: all documents of v3 as one, in the older form (Swagger). Models `k8s.io/kube-openapi/pkg/handler`, with
//! `pkg/schemaconv` turned round.

use super::custom::same;
use super::{Document, documents, hash};
use api::{KindRef, Kinds};
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

const V3: &str = "#/components/schemas/";
const V2: &str = "#/definitions/";

#[derive(Clone, Default)]
struct Parts {
    paths: Map<String, Value>,
    definitions: Map<String, Value>,
}

impl Parts {
    fn add(&mut self, document: &Document) {
        let Ok(mut value) = serde_json::from_slice::<Value>(&document.body) else { return };
        if let Value::Object(schemas) = value["components"]["schemas"].take() {
            self.definitions.extend(schemas.into_iter().map(|(name, s)| (name, schema(s))));
        }
        if let Value::Object(paths) = value["paths"].take() {
            self.paths.extend(paths.into_iter().map(|(name, p)| (name, path(p))));
        }
    }
}

/// In both forms, made anew only when a custom kind is another one.
struct Made {
    of: Vec<KindRef>,
    document: Arc<Document>,
    protobuf: Arc<OnceLock<Vec<u8>>>,
}

fn made(kinds: &Kinds) -> (Arc<Document>, Arc<OnceLock<Vec<u8>>>) {
    static MADE: Mutex<Option<Made>> = Mutex::new(None);
    let of: Vec<KindRef> = kinds.iter().filter(|k| k.custom.is_some()).collect();
    let mut last = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let known = last.take().filter(|m| same(&m.of, &of));
    let made = known.unwrap_or_else(|| Made { of, document: Arc::new(make(kinds)), protobuf: Arc::default() });
    let both = (made.document.clone(), made.protobuf.clone());
    *last = Some(made);
    both
}

/// The same as protobuf: see [`super::v2_proto`].
pub fn protobuf(kinds: &Kinds) -> Vec<u8> {
    let (document, protobuf) = made(kinds);
    let encode = || super::v2_proto::encode(&serde_json::from_slice(&document.body).unwrap_or_default());
    protobuf.get_or_init(encode).clone()
}

/// The whole document. What is built in is put together once.
pub fn document(kinds: &Kinds) -> Arc<Document> {
    made(kinds).0
}

fn make(kinds: &Kinds) -> Document {
    static BUILT_IN: OnceLock<Parts> = OnceLock::new();
    let built_in = || {
        let mut parts = Parts::default();
        documents().values().for_each(|d| parts.add(d));
        parts
    };
    let mut parts = BUILT_IN.get_or_init(built_in).clone();
    let custom = super::custom::roots(kinds);
    custom.iter().filter_map(|p| super::custom::document(kinds, p)).for_each(|d| parts.add(&d));
    for kind in kinds.iter() {
        let Some(of) = kind.custom.and_then(|c| c.published_v2(kind)) else { continue };
        parts.definitions.insert(super::custom::name(kind), schema(of));
    }
    finish(parts)
}

fn finish(parts: Parts) -> Document {
    let value = json!({
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": "v1.35.0"},
        "paths": parts.paths,
        "definitions": parts.definitions,
        "securityDefinitions": {
            "BearerToken": {
                "description": "Bearer Token authentication",
                "type": "apiKey",
                "name": "authorization",
                "in": "header"
            }
        },
        "security": [{"BearerToken": []}]
    });
    let body = value.to_string().into_bytes();
    let hash = hash(&body);
    Document { body, hash }
}

/// A reference stands alone in `allOf` only because v3 ignores what is beside one. Numbers that may be words, and what may be
/// null, have no word in v2.
fn schema(value: Value) -> Value {
    match value {
        Value::String(s) => s.strip_prefix(V3).map_or(Value::String(s.clone()), |name| format!("{V2}{name}").into()),
        Value::Array(list) => list.into_iter().map(schema).collect(),
        Value::Object(map) => {
            let mut map: Map<String, Value> = map.into_iter().map(|(k, v)| (k, schema(v))).collect();
            let one = map.get("allOf").and_then(Value::as_array).filter(|all| all.len() == 1);
            if let Some(reference) = one.and_then(|all| all[0].get("$ref")).cloned() {
                map.remove("allOf");
                map.insert("$ref".into(), reference);
            }
            // JSONSchemaProps has properties of these names: their values are schemas.
            if map.get("oneOf").is_some_and(Value::is_array) {
                map.remove("oneOf");
                map.entry("type").or_insert_with(|| "string".into());
            }
            if map.get("nullable").is_some_and(Value::is_boolean) {
                map.remove("nullable");
            }
            map.into()
        }
        other => other,
    }
}

fn path(value: Value) -> Value {
    let Value::Object(operations) = value else { return value };
    operations.into_iter().map(|(method, o)| (method, operation(o))).collect::<Map<_, _>>().into()
}

fn operation(mut o: Value) -> Value {
    let body = o.as_object_mut().and_then(|o| o.remove("requestBody"));
    let mut parameters: Vec<Value> = o["parameters"].as_array_mut().map(std::mem::take).unwrap_or_default();
    parameters.iter_mut().filter_map(Value::as_object_mut).for_each(|p| {
        if let Some(Value::Object(schema)) = p.remove("schema") {
            p.extend(schema);
        }
    });
    if let Some(Value::Object(content)) = body.as_ref().map(|b| b["content"].clone()) {
        o["consumes"] = content.keys().map(String::as_str).collect();
        let (required, of) = (body.is_some_and(|b| b["required"] == true), content.into_iter().next());
        let of = of.map(|(_, mut c)| schema(c["schema"].take()));
        let mut parameter = json!({"name": "body", "in": "body", "schema": of});
        if required {
            parameter["required"] = true.into();
        }
        parameters.push(parameter);
    }
    o["parameters"] = parameters.into();
    let mut produces = Vec::new();
    for response in o["responses"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        let Some(Value::Object(content)) = response.as_object_mut().and_then(|r| r.remove("content")) else { continue };
        produces = content.keys().cloned().collect();
        if let Some((_, mut first)) = content.into_iter().next() {
            response["schema"] = schema(first["schema"].take());
        }
    }
    if !produces.is_empty() {
        o["produces"] = produces.into();
    }
    o["schemes"] = json!(["https"]);
    o
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_in_older_words() {
        let doc = document(&Kinds::default());
        let text = String::from_utf8_lossy(&doc.body);
        assert!(!text.contains(V3) && !text.contains("requestBody") && !text.contains("\"content\":"));
        let value: Value = serde_json::from_slice(&doc.body).unwrap();
        for part in text.split("\"$ref\":\"#/definitions/").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(value["definitions"].get(name).is_some(), "{name}");
        }
        let template = &value["definitions"]["io.k8s.api.apps.v1.DeploymentSpec"]["properties"]["template"];
        assert_eq!(template["$ref"], "#/definitions/io.k8s.api.core.v1.PodTemplateSpec");
        let create = &value["paths"]["/api/v1/namespaces/{namespace}/pods"]["post"];
        let body = create["parameters"].as_array().unwrap().iter().find(|p| p["in"] == "body").unwrap();
        assert_eq!(body["schema"]["$ref"], "#/definitions/io.k8s.api.core.v1.Pod");
        assert_eq!(create["responses"]["200"]["schema"]["$ref"], "#/definitions/io.k8s.api.core.v1.Pod");
        assert_eq!(create["produces"][0], "application/json");
        let namespace = create["parameters"].as_array().unwrap().iter().find(|p| p["name"] == "namespace").unwrap();
        assert_eq!((&namespace["in"], &namespace["type"]), (&json!("path"), &json!("string")));
    }
}
