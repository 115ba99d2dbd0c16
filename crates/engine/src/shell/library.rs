//! What the page hands over for kubectl to read: the built-in kinds' schemas, which would double the engine, and help. The
//! schemas are answered as the API server's `/openapi/v3`. Models `k8s.io/kube-openapi/pkg/handler3`.

use cluster::Cluster;
use kubectl::Response;
use serde_json::{Map, Value, json};

#[derive(Default)]
pub struct Library {
    /// An OpenAPI v3 document; empty when the page could not read it.
    pub schemas: String,
    pub help: String,
}

/// Whether a request is for what the library has.
pub fn is_meant(method: &str, path: &str) -> bool {
    method == "GET" && matches!(path.split('?').next(), Some(p) if p == "/openapi/v3" || p.starts_with("/openapi/v3/"))
}

/// `api/v1`, `apis/apps/v1`
fn root(group: &str, version: &str) -> String {
    if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") }
}

impl Library {
    pub fn answer(&self, cluster: &Cluster, path: &str) -> Response {
        let path = path.split('?').next().unwrap_or("").trim_end_matches('/');
        let kinds = cluster.api().kinds();
        if path == "/openapi/v3" {
            let url = |root: String| {
                let url = json!({"serverRelativeURL": format!("/openapi/v3/{root}")});
                (root, url)
            };
            let paths: Map<String, Value> = kinds.iter().map(|k| url(root(k.group, k.version))).collect();
            return found(json!({ "paths": paths }).to_string());
        }
        let wanted = path.strip_prefix("/openapi/v3/").unwrap_or("");
        let of_path = || kinds.iter().filter(|k| root(k.group, k.version) == wanted);
        if self.schemas.is_empty() || of_path().next().is_none() {
            let message = "the server could not find the requested resource";
            let e = meta::ApiError::new(404, "NotFound", message);
            let body = serde_json::to_vec(&*e.0).unwrap_or_default();
            return Response { status: 404, headers: json_type(), body };
        }
        let custom: Vec<(String, Value)> = of_path()
            .filter_map(|k| {
                let group: Vec<&str> = k.group.rsplit('.').collect();
                Some((format!("{}.{}.{}", group.join("."), k.version, k.kind), k.custom?.published(k)?))
            })
            .collect();
        // All built-in kinds are in one document: whoever reads it looks for group, version and kind.
        if custom.is_empty() {
            return found(self.schemas.clone());
        }
        let mut document: Value = serde_json::from_str(&self.schemas).unwrap_or_default();
        let mut schemas = Map::new();
        const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.";
        if let Some(all) = document["components"]["schemas"].as_object_mut() {
            all.retain(|name, _| name.starts_with(META));
            schemas.append(all);
        }
        schemas.extend(custom);
        found(json!({"openapi": "3.0.0", "components": {"schemas": schemas}}).to_string())
    }
}

fn json_type() -> Vec<(String, String)> {
    vec![("Content-Type".into(), "application/json".into())]
}

fn found(body: String) -> Response {
    Response { status: 200, headers: json_type(), body: body.into_bytes() }
}
