//! What an OpenAPI schema may say. Models `ValidateCustomResourceDefinitionOpenAPISchema`.

use super::programs::{Place, Programs, Repeated};
use super::{rules, structural};
use crate::custom::check_default;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps as Schema, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use meta::{FieldError, Path};

type Errors = Vec<FieldError>;

/// In ascending order, as upstream prints a set.
const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

/// `costs_checked`: no rule may cost too much by itself; those that are stored already may.
pub(super) fn validate(s: &Schema, path: &Path, costs_checked: bool, errors: &mut Errors) {
    if s.nullable == Some(true) {
        errors.push(FieldError::forbidden(&path.child("nullable"), "nullable cannot be true at the root"));
    }
    let mut wrong = structural::validate(s, path);
    if wrong.is_empty() {
        defaults(s, path, true, &mut wrong);
    }
    // Programs are looked at only if the types are known that they see.
    let repeated = if wrong.is_empty() { Repeated::Times(1) } else { Repeated::Unknown };
    errors.append(&mut wrong);
    let mut programs = Programs::new(costs_checked);
    walk(s, path, &Place { is_root: true, repeated, no_old_within: None }, errors, &mut programs);
    errors.extend(programs.errors(path));
}

fn unsupported(s: &Schema, path: &Path, errors: &mut Errors) {
    for (field, said) in [
        ("id", s.id.as_deref().is_some_and(|t| !t.is_empty())),
        ("additionalItems", s.additional_items.is_some()),
        ("patternProperties", s.pattern_properties.as_ref().is_some_and(|m| !m.is_empty())),
        ("definitions", s.definitions.as_ref().is_some_and(|m| !m.is_empty())),
        ("dependencies", s.dependencies.as_ref().is_some_and(|m| !m.is_empty())),
        ("$ref", s.ref_path.as_deref().is_some_and(|t| !t.is_empty())),
    ] {
        if said {
            errors.push(FieldError::forbidden(&path.child(field), format!("{field} is not supported")));
        }
    }
    if s.unique_items == Some(true) {
        let why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
        errors.push(FieldError::forbidden(&path.child("uniqueItems"), why));
    }
    if let Some(JSONSchemaPropsOrArray::Schemas(_)) = &s.items {
        errors.push(FieldError::forbidden(&path.child("items"), "items must be a schema object and not an array"));
    }
}

/// What is asked of every schema, those of alternatives among them.
fn walk(s: &Schema, path: &Path, place: &Place, errors: &mut Errors, programs: &mut Programs) {
    let before = errors.len();
    unsupported(s, path, errors);
    kind(s, path, errors);
    let has_properties = s.properties.as_ref().is_some_and(|p| !p.is_empty());
    if let (true, Some(additional)) = (has_properties, &s.additional_properties)
        && !matches!(additional, JSONSchemaPropsOrBool::Bool(true))
    {
        let why = "additionalProperties and properties are mutual exclusive";
        errors.push(FieldError::forbidden(&path.child("additionalProperties"), why));
    }
    let inner = place.inside(s);
    if let Some(JSONSchemaPropsOrBool::Schema(of)) = &s.additional_properties {
        walk(of, &path.child("additionalProperties"), &inner, errors, programs);
    }
    let is_atomic = s.x_kubernetes_map_type.as_deref() == Some("atomic");
    let fields = if is_atomic { inner.without_old(path) } else { inner.clone() };
    for (name, of) in s.properties.iter().flatten() {
        walk(of, &path.child("properties").key(name), &fields, errors, programs);
    }
    let alternative = Place { repeated: Repeated::Unknown, ..inner.clone() };
    if let Some(not) = &s.not {
        walk(not, &path.child("not"), &alternative, errors, programs);
    }
    for (field, list) in [("allOf", &s.all_of), ("oneOf", &s.one_of), ("anyOf", &s.any_of)] {
        for (i, of) in list.iter().flatten().enumerate() {
            walk(of, &path.child(field).index(i), &alternative, errors, programs);
        }
    }
    if let Some(JSONSchemaPropsOrArray::Schema(of)) = &s.items {
        // Items of other lists cannot be told to be the same as before.
        let is_map = s.x_kubernetes_list_type.as_deref() == Some("map");
        let items = if is_map { inner } else { inner.without_old(path) };
        walk(of, &path.child("items"), &items, errors, programs);
    }
    if s.x_kubernetes_preserve_unknown_fields == Some(false) {
        let at = path.child("x-kubernetes-preserve-unknown-fields");
        errors.push(FieldError::invalid(&at, false, "must be true or undefined"));
    }
    lists_and_maps(s, path, errors);
    rules::validate(s, path, errors);
    if errors.len() == before {
        programs.check(s, path, place);
    }
}

fn kind(s: &Schema, path: &Path, errors: &mut Errors) {
    let at = path.child("type");
    match s.type_.as_deref().unwrap_or("") {
        "" => {}
        "null" => {
            errors.push(FieldError::forbidden(&at, "type cannot be set to null, use nullable as an alternative"));
        }
        t if !TYPES.contains(&t) => errors.push(FieldError::not_supported(&at, t, &TYPES)),
        _ => {}
    }
}

/// Models `structuraldefaulting.ValidateDefaults`.
fn defaults(s: &Schema, path: &Path, is_root: bool, errors: &mut Errors) {
    if let Some(d) = s.default.as_ref().filter(|_| !is_root) {
        errors.extend(check_default(&d.0, s, &path.child("default")));
    }
    if let Some(JSONSchemaPropsOrArray::Schema(of)) = &s.items {
        defaults(of, &path.child("items"), false, errors);
    }
    for (name, of) in s.properties.iter().flatten() {
        defaults(of, &path.child("properties").key(name), false, errors);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(of)) = &s.additional_properties {
        defaults(of, &path.child("additionalProperties"), false, errors);
    }
}

fn lists_and_maps(s: &Schema, path: &Path, errors: &mut Errors) {
    let t = s.type_.as_deref().unwrap_or("");
    let items = match &s.items {
        Some(JSONSchemaPropsOrArray::Schema(of)) => Some(&**of),
        _ => None,
    };
    let at = path.child("x-kubernetes-list-type");
    let keys_at = path.child("x-kubernetes-list-map-keys");
    let keys = s.x_kubernetes_list_map_keys.as_deref().unwrap_or_default();
    if let Some(list) = s.x_kubernetes_list_type.as_deref() {
        if t != "array" {
            let why = "must be array if x-kubernetes-list-type is specified";
            errors.push(if t.is_empty() {
                FieldError::required(&path.child("type"), why)
            } else {
                FieldError::invalid(&path.child("type"), t, why)
            });
        }
        if !matches!(list, "atomic" | "set" | "map") {
            errors.push(FieldError::not_supported(&at, list, &["atomic", "set", "map"]));
        }
        if let ("array", "set", Some(of)) = (t, list, items) {
            let why = "must be atomic as item of a list with x-kubernetes-list-type=set";
            let at = path.child("items");
            let given = of.x_kubernetes_list_type.as_deref();
            match of.type_.as_deref() {
                Some("array") if given.is_some_and(|g| g != "atomic") => {
                    errors.push(FieldError::invalid(&at.child("x-kubernetes-list-type"), given.unwrap_or(""), why));
                }
                Some("object") if of.x_kubernetes_map_type.as_deref() != Some("atomic") => {
                    let at = at.child("x-kubernetes-map-type");
                    errors.push(given.map_or_else(
                        || FieldError::invalid(&at, serde_json::Value::Null, why),
                        |g| FieldError::invalid(&at, g, why),
                    ));
                }
                _ => {}
            }
        }
        if matches!(list, "set" | "map") && items.is_some_and(|i| i.nullable == Some(true)) {
            let why = format!("cannot be nullable when x-kubernetes-list-type is {list}");
            errors.push(FieldError::forbidden(&path.child("items").child("nullable"), why));
        }
        if list == "map" {
            if keys.is_empty() {
                errors.push(FieldError::required(&keys_at, "must not be empty if x-kubernetes-list-type is map"));
            }
            match items {
                Some(i) if i.type_.as_deref() == Some("object") => {}
                Some(i) => errors.push(FieldError::invalid(
                    &path.child("items").child("type"),
                    i.type_.as_deref().unwrap_or(""),
                    "must be object if parent array's x-kubernetes-list-type is map",
                )),
                None => errors.push(FieldError::required(
                    &path.child("items"),
                    "must have a schema if x-kubernetes-list-type is map",
                )),
            }
            for (i, key) in keys.iter().enumerate() {
                let of = items.and_then(|s| s.properties.as_ref()?.get(key));
                match of {
                    None => errors.push(FieldError::invalid(
                        &keys_at.index(i),
                        key.as_str(),
                        "entries must all be names of item properties",
                    )),
                    Some(of) => {
                        let required = items.and_then(|s| s.required.as_ref()).is_some_and(|r| r.contains(key));
                        if !required && of.default.is_none() {
                            let at = path.child("items").child("properties").key(key).child("default");
                            let why = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required \
                                       property";
                            errors.push(FieldError::required(&at, why));
                        }
                    }
                }
            }
        }
    }
    if !keys.is_empty() && s.x_kubernetes_list_type.as_deref() != Some("map") {
        let why = "must be map if x-kubernetes-list-map-keys is non-empty";
        errors.push(match s.x_kubernetes_list_type.as_deref() {
            None => FieldError::required(&at, why),
            Some(list) => FieldError::invalid(&at, list, why),
        });
    }
    if let Some(map) = s.x_kubernetes_map_type.as_deref() {
        if t != "object" {
            let why = "must be object if x-kubernetes-map-type is specified";
            errors.push(match t {
                "" => FieldError::required(&path.child("type"), why),
                t => FieldError::invalid(&path.child("type"), t, why),
            });
        }
        if !matches!(map, "atomic" | "granular") {
            errors.push(FieldError::not_supported(&path.child("x-kubernetes-map-type"), map, &["atomic", "granular"]));
        }
    }
}
