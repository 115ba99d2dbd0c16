//! Any Kubernetes object behind one pointer, typed underneath.

use crate::registration::{Kind, KindRef, Registered};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use meta::Key;
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// A shared, immutable object: what the store keeps and views hand out.
pub type Obj = Arc<dyn Object>;

/// Implemented for every registered type and for custom resources.
pub trait Object: Any + Send + Sync {
    fn kind(&self) -> KindRef;
    fn meta(&self) -> &ObjectMeta;
    fn meta_mut(&mut self) -> &mut ObjectMeta;
    fn clone_object(&self) -> Box<dyn Object>;
    /// Whether both are of one kind and equal in every field: how a write that changes nothing is recognized.
    fn equals(&self, other: &dyn Object) -> bool;
    /// With `apiVersion` and `kind`, fields in upstream's order of serialization.
    fn to_value(&self) -> serde_json::Value;
    fn to_json(&self) -> Vec<u8>;
    fn as_any(&self) -> &dyn Any;
    fn as_any_mut(&mut self) -> &mut dyn Any;
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

impl<T: Registered> Object for T {
    fn kind(&self) -> KindRef {
        T::KIND_REF
    }
    fn meta(&self) -> &ObjectMeta {
        self.metadata()
    }
    fn meta_mut(&mut self) -> &mut ObjectMeta {
        self.metadata_mut()
    }
    fn clone_object(&self) -> Box<dyn Object> {
        Box::new(self.clone())
    }
    fn equals(&self, other: &dyn Object) -> bool {
        other.as_any().downcast_ref::<T>() == Some(self)
    }
    fn to_value(&self) -> serde_json::Value {
        // By way of the bytes: each type's serializer is compiled once. What was just written can be read.
        serde_json::from_slice(&self.to_json()).unwrap_or_default()
    }
    fn to_json(&self) -> Vec<u8> {
        let kind = self.kind();
        crate::encode::json(self, &crate::declared::type_name(kind.group, kind.version, kind.kind))
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

impl fmt::Debug for dyn Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind().kind, self.key())
    }
}

/// What can be asked of any object.
pub trait ObjectExt {
    fn key(&self) -> Key;
    fn name(&self) -> &str;
    /// Empty for cluster-scoped objects.
    fn namespace(&self) -> &str;
    fn uid(&self) -> &str;
    fn controller_ref(&self) -> Option<&OwnerReference>;
    fn is_terminating(&self) -> bool;
    fn downcast<T: Registered>(&self) -> Option<&T>;
}

impl ObjectExt for dyn Object {
    fn key(&self) -> Key {
        Key::new(self.namespace(), self.name())
    }
    fn name(&self) -> &str {
        self.meta().name.as_deref().unwrap_or("")
    }
    fn namespace(&self) -> &str {
        self.meta().namespace.as_deref().unwrap_or("")
    }
    fn uid(&self) -> &str {
        self.meta().uid.as_deref().unwrap_or("")
    }
    fn controller_ref(&self) -> Option<&OwnerReference> {
        controller_of(self.meta())
    }
    fn is_terminating(&self) -> bool {
        self.meta().deletion_timestamp.is_some()
    }
    fn downcast<T: Registered>(&self) -> Option<&T> {
        self.as_any().downcast_ref()
    }
}

/// Models `metav1.GetControllerOf`.
pub fn controller_of(meta: &ObjectMeta) -> Option<&OwnerReference> {
    meta.owner_references.iter().flatten().find(|r| r.controller == Some(true))
}

/// Shares a typed object again as an untyped one: `obj(Arc<Pod>)`.
pub fn obj<T: Registered>(value: T) -> Obj {
    Arc::new(value)
}

/// `apps/v1` or `v1`.
pub fn api_version(kind: &Kind) -> String {
    if kind.group.is_empty() { kind.version.into() } else { format!("{}/{}", kind.group, kind.version) }
}
