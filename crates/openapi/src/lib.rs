//! `/openapi/v3` and `/openapi/v2`: what kubectl's `explain`, `apply` and `diff` read, made from the kind registry and the schemas
//! that k8s-openapi carries. Models `k8s.io/kube-openapi/pkg/handler3`.

mod custom;
mod enums;
mod metrics;
pub mod page;
mod paths;
mod schemas;
pub mod v2;
mod v2_proto;

use api::kinds::KINDS;
use api::{Kinds, Remote};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// A document ready to be sent.
pub struct Document {
    pub body: Vec<u8>,
    /// Changes with the content; quoted, it is the ETag.
    pub hash: String,
}

/// One document per group and version, by its path below `/openapi/v3`: `api/v1`, `apis/apps/v1`.
fn documents() -> &'static BTreeMap<String, Arc<Document>> {
    static DOCUMENTS: OnceLock<BTreeMap<String, Arc<Document>>> = OnceLock::new();
    DOCUMENTS.get_or_init(|| {
        let mut versions: Vec<(&str, &str)> = KINDS.iter().map(|k| (k.group, k.version)).collect();
        versions.sort_unstable();
        versions.dedup();
        let built_in = versions.into_iter().map(|(group, version)| (root(group, version), document(group, version)));
        let all = built_in.chain([(metrics::root(), metrics::document())]);
        all.map(|(path, document)| (path, Arc::new(document))).collect()
    })
}

/// `api/v1`, `apis/apps/v1`
fn root(group: &str, version: &str) -> String {
    if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") }
}

fn document(group: &str, version: &str) -> Document {
    let mut paths = Map::new();
    let mut builder = schemas::Builder::default();
    for kind in KINDS.iter().filter(|k| k.group == group && k.version == version) {
        builder.add(kind);
        paths::add(&mut paths, kind, builder.name(kind));
    }
    finish(paths, builder.finish())
}

fn finish(paths: Map<String, Value>, schemas: Map<String, Value>) -> Document {
    let value = json!({
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.35.0"},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "BearerToken": {
                    "description": "Bearer Token authentication",
                    "type": "apiKey",
                    "name": "authorization",
                    "in": "header"
                }
            }
        }
    });
    let body = value.to_string().into_bytes();
    let hash = hash(&body);
    Document { body, hash }
}

/// A type's schema, whichever document it is in: `io.k8s.api.core.v1.Pod`.
pub fn schema(name: &str) -> Option<&'static Value> {
    static SCHEMAS: OnceLock<BTreeMap<String, Value>> = OnceLock::new();
    let all = SCHEMAS.get_or_init(|| {
        let mut builder = schemas::Builder::default();
        KINDS.iter().for_each(|kind| builder.add(kind));
        builder.finish().into_iter().collect()
    });
    all.get(name)
}

/// FNV-1a, 128 bits in upper-case hexadecimal: only equality matters.
fn hash(bytes: &[u8]) -> String {
    let fold = |h: u128, b: &u8| (h ^ u128::from(*b)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    format!("{:032X}", bytes.iter().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, fold))
}

/// The index: `{"paths":{"api/v1":{"serverRelativeURL":"/openapi/v3/api/v1?hash=…"}}}`.
pub fn index(kinds: &Kinds) -> Vec<u8> {
    let custom: Vec<(String, Arc<Document>)> =
        custom::roots(kinds).into_iter().filter_map(|p| Some((p.clone(), custom::document(kinds, &p)?))).collect();
    let paths: Map<String, Value> = documents()
        .iter()
        .chain(custom.iter().map(|(p, d)| (p, d)))
        .map(|(path, d)| {
            let url = format!("/openapi/v3/{path}?hash={}", d.hash);
            (path.clone(), json!({"serverRelativeURL": url}))
        })
        .chain(kinds.remote().filter_map(remote))
        .collect();
    json!({ "paths": paths }).to_string().into_bytes()
}

/// What another server has a document of, it answers for itself.
fn remote(r: &Remote) -> Option<(String, Value)> {
    let (root, hash) = (r.root(), r.said.openapi_hash.as_str());
    let url = format!("/openapi/v3/{root}?hash={hash}");
    (r.available && !hash.is_empty()).then(|| (root, json!({"serverRelativeURL": url})))
}

/// The document at `path` below `/openapi/v3/`.
pub fn get(kinds: &Kinds, path: &str) -> Option<Arc<Document>> {
    documents().get(path).cloned().or_else(|| custom::document(kinds, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(path: &str) -> Value {
        serde_json::from_slice(&get(&Kinds::default(), path).unwrap().body).unwrap()
    }

    #[test]
    fn every_kind_has_a_schema_with_its_kind() {
        for kind in KINDS {
            let doc = parsed(&root(kind.group, kind.version));
            let schemas = doc["components"]["schemas"].as_object().unwrap();
            let gvk = json!([{"group": kind.group, "kind": kind.kind, "version": kind.version}]);
            assert!(schemas.values().any(|s| s["x-kubernetes-group-version-kind"] == gvk), "{}", kind.kind);
        }
    }

    #[test]
    fn documents_may_do_without_metadata() {
        let reviews = parsed("apis/authorization.k8s.io/v1");
        let review = &reviews["components"]["schemas"]["io.k8s.api.authorization.v1.SubjectAccessReview"];
        assert_eq!(review["required"], json!(["spec"]));
        let core = parsed("api/v1");
        let schemas = &core["components"]["schemas"];
        assert_eq!(schemas["io.k8s.api.core.v1.Pod"].get("required"), None);
        assert_eq!(schemas["io.k8s.api.core.v1.Event"]["required"], json!(["involvedObject", "metadata"]));
    }

    #[test]
    fn references_lead_somewhere() {
        for (path, doc) in documents() {
            let text = String::from_utf8_lossy(&doc.body);
            let doc = parsed(path);
            for part in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
                let name = part.split('"').next().unwrap();
                assert!(doc["components"]["schemas"].get(name).is_some(), "{path}: {name}");
            }
        }
    }

    #[test]
    fn patches_take_the_parameters_kubectl_looks_for() {
        let doc = parsed("apis/apps/v1");
        let patch = &doc["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"];
        assert_eq!(
            patch["x-kubernetes-group-version-kind"],
            json!({"group":"apps","kind":"Deployment","version":"v1"})
        );
        let names: Vec<&str> =
            patch["parameters"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["name", "namespace", "pretty", "dryRun", "fieldManager", "fieldValidation", "force"]);
    }

    #[test]
    fn fields_say_what_they_are() {
        let doc = parsed("apis/apps/v1");
        let strategy = &doc["components"]["schemas"]["io.k8s.api.apps.v1.DeploymentSpec"]["properties"]["strategy"];
        assert_eq!(
            strategy,
            &json!({
                "allOf": [{"$ref": "#/components/schemas/io.k8s.api.apps.v1.DeploymentStrategy"}],
                "description": "The deployment strategy to use to replace existing pods with new ones."
            })
        );
    }
}
