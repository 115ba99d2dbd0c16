//! The requests that components and the page's buttons make, in typed form.

use api::{KindRef, Object};
use apiserver::{Body, PatchType, Request, RequestVerb};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::DeleteOptions;
use meta::{Key, User};

pub fn create(user: User, o: Box<dyn Object>) -> Request {
    let namespace = o.meta().namespace.clone().unwrap_or_default();
    Request::new(user, RequestVerb::Create, o.kind(), &namespace, "").body(Body::Object(o))
}

/// `subresource` is empty, `status` or `finalize`.
pub fn update(user: User, subresource: &'static str, o: Box<dyn Object>) -> Request {
    let m = o.meta();
    let (namespace, name) = (m.namespace.clone().unwrap_or_default(), m.name.clone().unwrap_or_default());
    Request::new(user, RequestVerb::Update, o.kind(), &namespace, &name).subresource(subresource).body(Body::Object(o))
}

pub fn scale(user: User, kind: KindRef, key: &Key, replicas: i32) -> Request {
    let body = serde_json::json!({
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": { "name": key.name(), "namespace": key.namespace() },
        "spec": { "replicas": replicas },
    });
    Request::new(user, RequestVerb::Update, kind, key.namespace(), key.name())
        .subresource("scale")
        .body(Body::Json(body))
}

pub fn patch(
    user: User,
    kind: KindRef,
    key: &Key,
    subresource: &'static str,
    patch_type: PatchType,
    patch: serde_json::Value,
) -> Request {
    Request::new(user, RequestVerb::Patch(patch_type), kind, key.namespace(), key.name())
        .subresource(subresource)
        .body(Body::Json(patch))
}

/// A merge patch whose body is the object with what changes in its status.
pub fn patch_status(user: User, o: Box<dyn Object>) -> Request {
    let m = o.meta();
    let (namespace, name) = (m.namespace.clone().unwrap_or_default(), m.name.clone().unwrap_or_default());
    Request::new(user, RequestVerb::Patch(PatchType::Merge), o.kind(), &namespace, &name)
        .subresource("status")
        .body(Body::Object(o))
}

pub fn delete(user: User, kind: KindRef, key: &Key, options: DeleteOptions) -> Request {
    Request::new(user, RequestVerb::Delete, kind, key.namespace(), key.name())
        .body(Body::DeleteOptions(Box::new(options)))
}

/// A POST to a subresource of a pod: `binding`, `eviction`.
pub fn post(user: User, kind: KindRef, key: &Key, subresource: &'static str, body: Body) -> Request {
    Request::new(user, RequestVerb::Create, kind, key.namespace(), key.name()).subresource(subresource).body(body)
}
