//! Custom resources: objects whose kind a CustomResourceDefinition makes while the cluster runs. Each version of a definition
//! becomes a [`Kind`](crate::Kind) like any other; what is special about it is in its [`Custom`].

mod build;
mod check;
mod embedded;
mod formats;
pub mod jsonpath;
mod kinds;
mod object;
mod prune;
mod published;
pub mod remote;
mod rules;

pub use formats::is_known as is_known_format;
pub use jsonpath::JsonPath;
pub use kinds::{Kinds, is_true};
pub use object::CustomObject;
pub use published::{API_VERSION, KIND};

use crate::object::{Obj, Object};
use crate::registration::KindRef;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use meta::{FieldError, Path};
use regex_lite::Regex;
use serde_json::{Map, Value};
use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// What one version of a definition says beyond what every kind has.
pub struct Custom {
    /// The definition's: `crontabs.stable.example.com`.
    pub name: String,
    pub list_kind: &'static str,
    pub served: bool,
    pub storage: bool,
    pub has_status: bool,
    pub schema: JSONSchemaProps,
    patterns: Patterns,
    rules: rules::Rules,
    columns: Vec<Column>,
    scale: Option<ScalePaths>,
    selectable: Vec<(&'static str, JsonPath)>,
    /// Whatever others make of the schema, once.
    pub derived: OnceLock<Box<dyn Any + Send + Sync>>,
}

struct Column {
    path: Option<JsonPath>,
    kind: &'static str,
}

struct ScalePaths {
    spec_replicas: JsonPath,
    status_replicas: JsonPath,
    selector: Option<JsonPath>,
}

/// The schema's patterns, compiled.
#[derive(Default)]
struct Patterns(BTreeMap<String, Regex>);

impl Patterns {
    fn add(&mut self, pattern: Option<&str>) {
        if let Some(text) = pattern
            && let Ok(regex) = Regex::new(text)
        {
            self.0.insert(text.into(), regex);
        }
    }
    fn get(&self, pattern: &str) -> Option<&Regex> {
        self.0.get(pattern)
    }
}

impl Custom {
    fn check(&self, fields: &Map<String, Value>, old: Option<&Map<String, Value>>) -> Vec<FieldError> {
        let mut c = check::Checker { patterns: &self.patterns, errors: Vec::new() };
        // The metadata has been looked at elsewhere.
        let whole = |f: &Map<String, Value>| {
            let mut f = f.clone();
            for name in ["apiVersion", "kind", "metadata"] {
                f.insert(name.into(), Value::Null);
            }
            Value::Object(f)
        };
        let mut schema = self.schema.clone();
        let properties = schema.properties.get_or_insert_default();
        for name in ["apiVersion", "kind", "metadata"] {
            properties.insert(name.into(), JSONSchemaProps { nullable: Some(true), ..JSONSchemaProps::default() });
        }
        let (new, old) = (whole(fields), old.map(whole));
        c.value(&new, old.as_ref(), &schema, &Path::default());
        c.errors
    }
}

/// Whether a default fits its own schema; the errors are at `path`.
pub fn check_default(value: &Value, schema: &JSONSchemaProps, path: &Path) -> Vec<FieldError> {
    let mut patterns = Patterns::default();
    each_schema(schema, &mut |s| patterns.add(s.pattern.as_deref()));
    let mut c = check::Checker { patterns: &patterns, errors: Vec::new() };
    c.value(value, None, schema, path);
    c.errors
}

/// Shows a schema and all below it.
pub fn each_schema(s: &JSONSchemaProps, f: &mut dyn FnMut(&JSONSchemaProps)) {
    f(s);
    s.properties.iter().flat_map(BTreeMap::values).for_each(|p| each_schema(p, f));
    match &s.items {
        Some(JSONSchemaPropsOrArray::Schema(one)) => each_schema(one, f),
        Some(JSONSchemaPropsOrArray::Schemas(many)) => many.iter().for_each(|p| each_schema(p, f)),
        None => {}
    }
    if let Some(JSONSchemaPropsOrBool::Schema(one)) = &s.additional_properties {
        each_schema(one, f);
    }
    for list in [&s.all_of, &s.any_of, &s.one_of] {
        list.iter().flatten().for_each(|p| each_schema(p, f));
    }
    if let Some(not) = &s.not {
        each_schema(not, f);
    }
}

pub fn custom_of(o: &dyn Object) -> Option<&CustomObject> {
    o.as_any().downcast_ref()
}
fn custom_of_mut(o: &mut dyn Object) -> Option<&mut CustomObject> {
    o.as_any_mut().downcast_mut()
}

/// An object of `kind` from what was decoded.
///
/// # Errors
/// An object inside it has metadata that is none.
pub(crate) fn object(
    kind: KindRef,
    metadata: k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta,
    fields: Map<String, Value>,
    unknown: &mut Vec<String>,
) -> Result<Box<dyn Object>, FieldError> {
    let mut o = CustomObject { kind, metadata, fields };
    o.prune(unknown);
    o.coerce(unknown)?;
    Ok(Box::new(o))
}

/// A stored object in the version (and by the schema) that is asked for: conversion `None`.
pub fn convert(to: KindRef, o: &Obj) -> Obj {
    if std::ptr::eq(o.kind(), to) {
        return o.clone();
    }
    let Some(custom) = custom_of(&**o) else { return o.clone() };
    let mut new = custom.clone();
    new.kind = to;
    new.prune(&mut Vec::new());
    new.default();
    Arc::new(new)
}

#[cfg(test)]
mod tests;
