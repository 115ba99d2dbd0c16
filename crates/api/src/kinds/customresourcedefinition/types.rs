//! What types a schema's values have in programs, and how large they may be. Models `k8s.io/apiserver/pkg/cel/common/schemas.go`.

use cel::{Declared, Shape};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps as Schema, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Of a request, in bytes.
pub(super) const REQUEST_MAX: u64 = 3 * 1024 * 1024;

/// Of durations and moments as JSON.
const TIME_SIZE_MAX: u64 = 32;
const DATE_SIZE: u64 = 12;

pub(super) fn items(s: &Schema) -> Option<&Schema> {
    match &s.items {
        Some(JSONSchemaPropsOrArray::Schema(of)) => Some(of),
        _ => None,
    }
}

/// `None`: programs do not see it. `is_resource`: it has a kind and a name, whatever it says.
pub(super) fn declared(s: &Schema, is_resource: bool) -> Option<Rc<Declared>> {
    let of = |shape, max_elements, min_size| Some(Rc::new(Declared { shape, max_elements, min_size }));
    if s.x_kubernetes_int_or_string == Some(true) {
        let max = s.max_length.map_or(REQUEST_MAX - 2, |n| limit(n) * 4);
        return of(Shape::Dyn, max, 1);
    }
    match s.type_.as_deref().unwrap_or("") {
        "array" => {
            let item = items(s)?;
            let item = declared(item, is_embedded(item))?;
            let max = s.max_items.map_or_else(|| (REQUEST_MAX - 2) / (item.min_size + 1), limit);
            of(Shape::List(item), max, 2)
        }
        "object" => match &s.additional_properties {
            Some(JSONSchemaPropsOrBool::Schema(value)) => {
                let value = declared(value, is_embedded(value))?;
                let max = s.max_properties.map_or_else(|| (REQUEST_MAX - 2) / (value.min_size + 6), limit);
                of(Shape::Map(value), max, 2)
            }
            _ => {
                let (fields, size) = fields(s, is_resource);
                of(Shape::Object(fields), 0, size)
            }
        },
        "string" => {
            let (shape, max, min) = text(s);
            of(shape, max, min)
        }
        "boolean" => of(Shape::Bool, 0, 4),
        "number" => of(Shape::Double, 0, 1),
        "integer" => of(Shape::Int, 0, 1),
        _ => None,
    }
}

fn is_embedded(s: &Schema) -> bool {
    s.x_kubernetes_embedded_resource == Some(true)
}

fn limit(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

fn text(s: &Schema) -> (Shape, u64, u64) {
    let most = s.max_length.map(limit);
    match s.format.as_deref().unwrap_or("") {
        "byte" => (Shape::Bytes, most.unwrap_or(REQUEST_MAX - 2), 2),
        "duration" => (Shape::Duration, TIME_SIZE_MAX, 3),
        "date" => (Shape::Timestamp, DATE_SIZE, DATE_SIZE),
        "date-time" => (Shape::Timestamp, TIME_SIZE_MAX, 21),
        _ => {
            let values = s.enum_.as_deref().unwrap_or_default();
            let longest = || values.iter().filter_map(|v| v.0.as_str()).map(|t| t.len() as u64).max().unwrap_or(0);
            let max = match most {
                // Of four bytes each.
                Some(n) => n * 4,
                None if !values.is_empty() => longest(),
                None => REQUEST_MAX - 2,
            };
            (Shape::Text, max, 2)
        }
    }
}

/// The fields under their escaped names, and the size of an object that has only what it must have.
fn fields(s: &Schema, is_resource: bool) -> (BTreeMap<String, Rc<Declared>>, u64) {
    let mut fields = BTreeMap::new();
    let mut size = 2;
    let of = |t: &str| Schema { type_: Some(t.into()), ..Schema::default() };
    let mut properties = s.properties.clone().unwrap_or_default();
    if is_resource {
        let names = ["name", "generateName"].map(|n| (n.to_string(), of("string")));
        let is = |of: Option<&Schema>, t: &str| of.is_some_and(|s| s.type_.as_deref() == Some(t));
        let meta = properties.get("metadata").filter(|m| is(Some(m), "object")).and_then(|m| m.properties.as_ref());
        let has_names = meta.is_some_and(|m| names.iter().all(|(n, _)| is(m.get(n), "string")));
        let has_kind = ["kind", "apiVersion"].iter().all(|n| is(properties.get(*n), "string"));
        if !has_names || !has_kind {
            properties.insert("kind".into(), of("string"));
            properties.insert("apiVersion".into(), of("string"));
            let metadata = Schema { properties: Some(names.into_iter().collect()), ..of("object") };
            properties.insert("metadata".into(), metadata);
        }
    }
    let required = s.required.as_deref().unwrap_or_default();
    for (name, property) in &properties {
        let Some(field) = declared(property, is_embedded(property)) else { continue };
        if required.contains(name) && property.default.is_none() {
            size += name.len() as u64 + field.min_size + 4;
        }
        if let Some(name) = cel::escaped(name) {
            fields.insert(name, field);
        }
    }
    (fields, size)
}
