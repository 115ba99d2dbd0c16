//! A custom resource: metadata and whatever its schema lets be there.

use super::Custom;
use crate::object::Object;
use crate::registration::KindRef;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::{Map, Value};
use std::any::Any;

#[derive(Clone, Debug)]
pub struct CustomObject {
    pub(super) kind: KindRef,
    pub metadata: ObjectMeta,
    /// All but `apiVersion`, `kind` and `metadata`.
    pub fields: Map<String, Value>,
}

impl CustomObject {
    pub(super) fn definition(&self) -> Option<&'static Custom> {
        self.kind.custom
    }

    /// As JSONPaths see it.
    pub(super) fn tree(&self) -> Value {
        let mut all = self.fields.clone();
        all.insert("apiVersion".into(), self.kind.api_version().into());
        all.insert("kind".into(), self.kind.kind.into());
        all.insert("metadata".into(), serde_json::to_value(&self.metadata).unwrap_or_default());
        Value::Object(all)
    }

    /// What lies at a path of fields.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.fields.get(*first)?, |v, name| v.get(name))
    }

    /// Sets what lies at a path of fields, which are made when they are missing.
    pub(super) fn set(&mut self, path: &[&str], value: Value) {
        let Some((last, parents)) = path.split_last() else { return };
        let mut fields = &mut self.fields;
        for name in parents {
            let next = fields.entry((*name).to_string()).or_insert_with(|| Value::Object(Map::new()));
            if !next.is_object() {
                *next = Value::Object(Map::new());
            }
            let Some(map) = next.as_object_mut() else { return };
            fields = map;
        }
        fields.insert((*last).into(), value);
    }
}

impl Object for CustomObject {
    fn kind(&self) -> KindRef {
        self.kind
    }
    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }
    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
    fn clone_object(&self) -> Box<dyn Object> {
        Box::new(self.clone())
    }
    fn equals(&self, other: &dyn Object) -> bool {
        let other: Option<&CustomObject> = other.as_any().downcast_ref();
        other.is_some_and(|o| o.kind == self.kind && o.metadata == self.metadata && o.fields == self.fields)
    }
    fn to_value(&self) -> Value {
        self.tree()
    }
    fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(&self.tree()).unwrap_or_default()
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
