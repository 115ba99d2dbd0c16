//! What an OpenAPI schema may say: it must be structural. Models `ValidateCustomResourceDefinitionOpenAPISchema` and
//! `apiextensions-apiserver/pkg/apiserver/schema/validation.go`.

use crate::custom::{check_default, check_rules, pattern_error};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps as Schema, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use meta::{FieldError, Path};

type Errors = Vec<FieldError>;

/// In ascending order, as upstream prints a set.
const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Root,
    Field,
    Item,
    /// Inside `allOf`, `anyOf`, `oneOf`, `not`.
    Alternative,
}

pub(super) fn validate(s: &Schema, path: &Path, errors: &mut Errors) {
    if let Some(t) = s.type_.as_deref().filter(|t| !t.is_empty() && *t != "object") {
        errors.push(FieldError::invalid(&path.child("type"), t, "must be object at the root"));
    }
    if s.nullable == Some(true) {
        errors.push(FieldError::forbidden(&path.child("nullable"), "nullable cannot be true at the root"));
    }
    walk(s, path, Place::Root, errors);
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

fn walk(s: &Schema, path: &Path, place: Place, errors: &mut Errors) {
    unsupported(s, path, errors);
    errors.extend(check_rules(s, path));
    kind(s, path, place, errors);
    if let Some(p) = s.pattern.as_deref().filter(|p| !p.is_empty())
        && let Some(why) = pattern_error(p)
    {
        let why = format!("must be a valid regular expression, but isn't: {why}");
        errors.push(FieldError::invalid(&path.child("pattern"), p, why));
    }
    if place == Place::Alternative {
        alternative(s, path, errors);
    } else {
        lists_and_maps(s, path, errors);
    }
    if let Some(d) = &s.default {
        let at = path.child("default");
        if place == Place::Alternative {
            errors.push(FieldError::forbidden(&at, "must be undefined to be structural"));
        } else if place != Place::Root {
            errors.extend(check_default(&d.0, s, &at));
        }
    }
    let has_properties = s.properties.as_ref().is_some_and(|p| !p.is_empty());
    if let (true, Some(additional)) = (has_properties, &s.additional_properties)
        && !matches!(additional, JSONSchemaPropsOrBool::Bool(true))
    {
        let why = "additionalProperties and properties are mutual exclusive";
        errors.push(FieldError::forbidden(&path.child("additionalProperties"), why));
    }
    let below = if place == Place::Alternative { Place::Alternative } else { Place::Field };
    for (name, of) in s.properties.iter().flatten() {
        let at = path.child("properties").key(name);
        let own = place == Place::Root || s.x_kubernetes_embedded_resource == Some(true);
        if own && name == "metadata" && below == Place::Field {
            metadata(of, &at, errors);
        }
        walk(of, &at, below, errors);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(of)) = &s.additional_properties {
        let at = path.child("additionalProperties");
        if place == Place::Root {
            errors.push(FieldError::forbidden(&at, "must not be used at the root"));
        }
        walk(of, &at, below, errors);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(of)) = &s.items {
        walk(of, &path.child("items"), if below == Place::Alternative { below } else { Place::Item }, errors);
    }
    for (field, list) in [("allOf", &s.all_of), ("anyOf", &s.any_of), ("oneOf", &s.one_of)] {
        // The two forms of a number or a string may be told apart like this.
        let exempt = s.x_kubernetes_int_or_string == Some(true) && field != "oneOf";
        for (i, of) in list.iter().flatten().enumerate().filter(|_| !exempt) {
            walk(of, &path.child(field).index(i), Place::Alternative, errors);
        }
    }
    if let Some(not) = &s.not {
        walk(not, &path.child("not"), Place::Alternative, errors);
    }
}

fn kind(s: &Schema, path: &Path, place: Place, errors: &mut Errors) {
    let at = path.child("type");
    let t = s.type_.as_deref().unwrap_or("");
    if !t.is_empty() {
        if t == "null" {
            errors.push(FieldError::forbidden(&at, "type cannot be set to null, use nullable as an alternative"));
        } else if !TYPES.contains(&t) {
            errors.push(FieldError::not_supported(&at, t, &TYPES));
        }
    }
    let loose = s.x_kubernetes_int_or_string == Some(true) || s.x_kubernetes_preserve_unknown_fields == Some(true);
    let missing = t.is_empty() && (!loose || place == Place::Root);
    match place {
        Place::Root if missing => errors.push(FieldError::required(&at, "must not be empty at the root")),
        Place::Field if missing => {
            errors.push(FieldError::required(&at, "must not be empty for specified object fields"))
        }
        Place::Item if missing => errors.push(FieldError::required(&at, "must not be empty for specified array items")),
        _ => {}
    }
    if s.x_kubernetes_preserve_unknown_fields == Some(false) {
        let at = path.child("x-kubernetes-preserve-unknown-fields");
        errors.push(FieldError::invalid(&at, false, "must be true or undefined"));
    }
    if s.x_kubernetes_int_or_string == Some(true) && !t.is_empty() {
        errors.push(FieldError::invalid(&at, t, "must be empty if x-kubernetes-int-or-string is true"));
    }
    if s.x_kubernetes_embedded_resource == Some(true) {
        if t != "object" {
            errors.push(FieldError::invalid(&at, t, "must be object if x-kubernetes-embedded-resource is true"));
        }
        let empty = s.properties.as_ref().is_none_or(|p| p.is_empty());
        if empty && s.x_kubernetes_preserve_unknown_fields != Some(true) {
            let why = "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
            errors.push(FieldError::required(&path.child("properties"), why));
        }
    }
    if t == "array" && s.items.is_none() && place != Place::Alternative {
        errors.push(FieldError::required(&path.child("items"), "must be specified"));
    }
}

/// What says what a value is may not stand in an alternative.
fn alternative(s: &Schema, path: &Path, errors: &mut Errors) {
    const WHY: &str = "must be empty to be structural";
    for (field, said) in [
        ("type", s.type_.as_deref().is_some_and(|t| !t.is_empty())),
        ("title", s.title.as_deref().is_some_and(|t| !t.is_empty())),
        ("description", s.description.as_deref().is_some_and(|t| !t.is_empty())),
    ] {
        if said {
            errors.push(FieldError::forbidden(&path.child(field), WHY));
        }
    }
    if s.additional_properties.is_some() {
        let why = "must be undefined to be structural";
        errors.push(FieldError::forbidden(&path.child("additionalProperties"), why));
    }
    for (field, said) in [
        ("nullable", s.nullable),
        ("x-kubernetes-preserve-unknown-fields", s.x_kubernetes_preserve_unknown_fields),
        ("x-kubernetes-embedded-resource", s.x_kubernetes_embedded_resource),
        ("x-kubernetes-int-or-string", s.x_kubernetes_int_or_string),
    ] {
        if said == Some(true) {
            errors.push(FieldError::forbidden(&path.child(field), "must be false to be structural"));
        }
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
            errors.push(FieldError::invalid(&path.child("type"), t, why));
        }
        if !matches!(map, "atomic" | "granular") {
            errors.push(FieldError::not_supported(&path.child("x-kubernetes-map-type"), map, &["atomic", "granular"]));
        }
    }
}

/// Metadata is what it is: only names may be restricted.
fn metadata(s: &Schema, path: &Path, errors: &mut Errors) {
    if s.type_.as_deref().is_some_and(|t| !t.is_empty() && t != "object") {
        errors.push(FieldError::invalid(&path.child("type"), s.type_.as_deref().unwrap_or(""), "must be object"));
    }
    let others = s.properties.iter().flatten().any(|(n, _)| n != "name" && n != "generateName");
    if others {
        let why = "must not specify anything other than name and generateName, but metadata is implicitly specified";
        errors.push(FieldError::forbidden(path, why));
    }
}
