//! A custom resource's schema as the API server publishes it. Models
//! `apiextensions-apiserver/pkg/controller/openapi/builder`.

use super::Custom;
use crate::registration::KindRef;
use serde_json::{Value, json};

/// What upstream says of every object's `apiVersion`.
pub const API_VERSION: &str = "APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources";
/// What upstream says of every object's `kind`.
pub const KIND: &str = "Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds";
const META: &str = "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

impl Custom {
    /// The schema as it was given, without what only the server reads, with the fields that every object has.
    pub fn published(&self, kind: KindRef) -> Option<Value> {
        let mut schema = serde_json::to_value(&self.schema).ok()?;
        let fields = schema.as_object_mut()?;
        fields.insert("type".into(), "object".into());
        let properties = fields.entry("properties").or_insert_with(|| json!({})).as_object_mut()?;
        properties.insert("apiVersion".into(), json!({"type": "string", "description": API_VERSION}));
        properties.insert("kind".into(), json!({"type": "string", "description": KIND}));
        let about = "Standard object's metadata. More info: \
                     https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";
        properties.insert("metadata".into(), json!({"description": about, "allOf": [{"$ref": META}]}));
        let gvk = json!([{"group": kind.group, "kind": kind.kind, "version": kind.version}]);
        fields.insert("x-kubernetes-group-version-kind".into(), gvk);
        Some(schema)
    }
}
