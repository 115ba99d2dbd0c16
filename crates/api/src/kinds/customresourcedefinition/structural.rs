//! Whether a schema is structural: what a value is has to be said outside of alternatives, and only there. Models
//! `apiextensions-apiserver/pkg/apiserver/schema` (`validation.go`, `complete.go`).

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps as Schema, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use meta::{FieldError, Path};

type Errors = Vec<FieldError>;

#[derive(Clone, Copy, PartialEq)]
enum Level {
    Root,
    Item,
    Field,
}

/// In the order of their texts.
pub(super) fn validate(s: &Schema, path: &Path) -> Errors {
    let mut errors = Vec::new();
    invariants(s, Level::Root, path, &mut errors);
    complete(s, s, path, path, &mut errors);
    errors.sort_by_cached_key(ToString::to_string);
    errors
}

fn text(field: Option<&String>) -> &str {
    field.map_or("", String::as_str)
}

fn items(s: &Schema) -> Option<&Schema> {
    match &s.items {
        Some(JSONSchemaPropsOrArray::Schema(of)) => Some(of),
        _ => None,
    }
}

fn additional(s: &Schema) -> Option<&Schema> {
    match &s.additional_properties {
        Some(JSONSchemaPropsOrBool::Schema(of)) => Some(of),
        _ => None,
    }
}

fn invariants(s: &Schema, level: Level, path: &Path, errors: &mut Errors) {
    let t = text(s.type_.as_ref());
    let type_at = path.child("type");
    if t == "array" && s.items.is_none() {
        errors.push(FieldError::required(&path.child("items"), "must be specified"));
    }
    if let Some(of) = items(s) {
        invariants(of, Level::Item, &path.child("items"), errors);
    }
    for (name, of) in s.properties.iter().flatten() {
        invariants(of, Level::Field, &path.child("properties").key(name), errors);
    }
    let is_embedded = s.x_kubernetes_embedded_resource == Some(true);
    let is_loose = s.x_kubernetes_preserve_unknown_fields == Some(true);
    if s.additional_properties.is_some() {
        let at = path.child("additionalProperties");
        if level == Level::Root {
            errors.push(FieldError::forbidden(&at, "must not be used at the root"));
        }
        if is_embedded {
            let why = "must not be used if x-kubernetes-embedded-resource is set";
            errors.push(FieldError::forbidden(&at, why));
        }
        if let Some(of) = additional(s) {
            invariants(of, Level::Field, &at, errors);
        }
    }
    let is_either = s.x_kubernetes_int_or_string == Some(true);
    for (field, said) in
        [("x-kubernetes-preserve-unknown-fields", is_loose), ("x-kubernetes-embedded-resource", is_embedded)]
    {
        if is_either && said {
            let why = "must be false if x-kubernetes-int-or-string is true";
            errors.push(FieldError::invalid(&path.child(field), true, why));
        }
    }
    let first_all = s.all_of.as_ref().and_then(|all| all.first());
    alternatives(s, is_int_or_string(s), first_all.is_some_and(is_int_or_string), path, errors);
    if is_embedded && t != "object" {
        let why = "must be object if x-kubernetes-embedded-resource is true";
        errors.push(match t {
            "" => FieldError::required(&type_at, why),
            t => FieldError::invalid(&type_at, t, why),
        });
    } else if t.is_empty() && !is_either && !is_loose {
        let why = match level {
            Level::Root => "must not be empty at the root",
            Level::Item => "must not be empty for specified array items",
            Level::Field => "must not be empty for specified object fields",
        };
        errors.push(FieldError::required(&type_at, why));
    }
    if level == Level::Root && !t.is_empty() && t != "object" {
        errors.push(FieldError::invalid(&type_at, t, "must be object at the root"));
    }
    if level == Level::Root || is_embedded {
        meta(s, level, path, errors);
    }
    if is_embedded && !is_loose && s.properties.as_ref().is_none_or(|p| p.is_empty()) {
        let why =
            "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
        errors.push(FieldError::required(&path.child("properties"), why));
    }
}

/// `kind`, `apiVersion` and `metadata` are what they are: at the root only names may be restricted.
fn meta(s: &Schema, level: Level, path: &Path, errors: &mut Errors) {
    for (name, wanted) in [("kind", "string"), ("apiVersion", "string"), ("metadata", "object")] {
        let Some(of) = s.properties.as_ref().and_then(|p| p.get(name)) else { continue };
        let t = text(of.type_.as_ref());
        if t != wanted {
            let at = path.child("properties").key(name).child("type");
            errors.push(FieldError::invalid(&at, t, format!("must be {wanted}")));
        }
    }
    let Some(of) = s.properties.as_ref().and_then(|p| p.get("metadata")).filter(|_| level == Level::Root) else {
        return;
    };
    let mut rest = of.clone();
    rest.type_ = None;
    rest.default = None;
    rest.nullable = rest.nullable.filter(|n| *n);
    if rest.properties.iter().flatten().all(|(n, _)| n == "name" || n == "generateName") {
        rest.properties = None;
    }
    if rest != Schema::default() {
        let why = "must not specify anything other than name and generateName, but metadata is implicitly specified";
        errors.push(FieldError::forbidden(&path.child("properties").key("metadata"), why));
    }
}

/// A number and a string may be told apart like this.
fn is_int_or_string(s: &Schema) -> bool {
    let only = |of: &Schema, t: &str| *of == Schema { type_: Some(t.into()), ..Schema::default() };
    matches!(s.any_of.as_deref(), Some([a, b]) if only(a, "integer") && only(b, "string"))
}

fn alternatives(s: &Schema, skip_any: bool, skip_first_all: bool, path: &Path, errors: &mut Errors) {
    for (i, of) in s.any_of.iter().flatten().enumerate().filter(|_| !skip_any) {
        nested(of, false, &path.child("anyOf").index(i), errors);
    }
    for (i, of) in s.all_of.iter().flatten().enumerate() {
        nested(of, skip_first_all && i == 0, &path.child("allOf").index(i), errors);
    }
    for (i, of) in s.one_of.iter().flatten().enumerate() {
        nested(of, false, &path.child("oneOf").index(i), errors);
    }
    if let Some(not) = &s.not {
        nested(not, false, &path.child("not"), errors);
    }
    if let Some(p) = s.pattern.as_deref().filter(|p| !p.is_empty())
        && let Some(why) = cel::pattern_error(p)
    {
        let why = format!("must be a valid regular expression, but isn't: {why}");
        errors.push(FieldError::invalid(&path.child("pattern"), p, why));
    }
}

/// Inside `allOf`, `anyOf`, `oneOf`, `not`.
fn nested(s: &Schema, skip_any: bool, path: &Path, errors: &mut Errors) {
    alternatives(s, skip_any, false, path, errors);
    if let Some(of) = items(s) {
        nested(of, false, &path.child("items"), errors);
    }
    for (name, of) in s.properties.iter().flatten() {
        nested(of, false, &path.child("properties").key(name), errors);
    }
    const EMPTY: &str = "must be empty to be structural";
    const UNDEFINED: &str = "must be undefined to be structural";
    const FALSE: &str = "must be false to be structural";
    let some = |field: &Option<String>| field.as_deref().is_some_and(|t| !t.is_empty());
    for (field, said, why) in [
        ("type", some(&s.type_), EMPTY),
        ("additionalProperties", s.additional_properties.is_some(), UNDEFINED),
        ("default", s.default.is_some(), UNDEFINED),
        ("title", some(&s.title), EMPTY),
        ("description", some(&s.description), EMPTY),
        ("nullable", s.nullable == Some(true), FALSE),
        ("externalDocs", s.external_docs.is_some(), UNDEFINED),
        ("x-kubernetes-preserve-unknown-fields", s.x_kubernetes_preserve_unknown_fields == Some(true), FALSE),
        ("x-kubernetes-embedded-resource", s.x_kubernetes_embedded_resource == Some(true), FALSE),
        ("x-kubernetes-int-or-string", s.x_kubernetes_int_or_string == Some(true), FALSE),
        ("x-kubernetes-list-map-keys", s.x_kubernetes_list_map_keys.as_ref().is_some_and(|k| !k.is_empty()), EMPTY),
        ("x-kubernetes-list-type", s.x_kubernetes_list_type.is_some(), UNDEFINED),
        ("x-kubernetes-map-type", s.x_kubernetes_map_type.is_some(), UNDEFINED),
        ("x-kubernetes-validations", s.x_kubernetes_validations.as_ref().is_some_and(|v| !v.is_empty()), EMPTY),
    ] {
        if said {
            errors.push(FieldError::forbidden(&path.child(field), why));
        }
    }
    if s.properties.as_ref().is_some_and(|p| p.contains_key("metadata")) {
        let at = path.child("properties").key("metadata");
        errors.push(FieldError::forbidden(&at, "must not be specified in a nested context"));
    }
}

/// What the alternatives of `v` speak of has to be specified by `s`, too.
fn complete(v: &Schema, s: &Schema, s_path: &Path, v_path: &Path, errors: &mut Errors) {
    let not = v.not.iter().map(|of| (&**of, v_path.child("not")));
    let lists = [("allOf", &v.all_of), ("anyOf", &v.any_of), ("oneOf", &v.one_of)];
    let all = lists
        .iter()
        .flat_map(|(field, list)| list.iter().flatten().enumerate().map(|(i, of)| (of, v_path.child(field).index(i))));
    for (of, at) in not.chain(all) {
        complete_nested(of, s, s_path, &at, errors);
    }
}

fn complete_nested(v: &Schema, s: &Schema, s_path: &Path, v_path: &Path, errors: &mut Errors) {
    let lacks = |at: &Path, v_at: &Path| FieldError::required(at, format!("because it is defined in {v_at}"));
    complete(v, s, s_path, v_path, errors);
    if let Some(of) = items(v) {
        let (at, v_at) = (s_path.child("items"), v_path.child("items"));
        match items(s) {
            Some(s) => complete_nested(of, s, &at, &v_at, errors),
            None => errors.push(lacks(&at, &v_at)),
        }
    }
    for (name, of) in v.properties.iter().flatten() {
        let (at, v_at) = (s_path.child("properties").key(name), v_path.child("properties").key(name));
        match s.properties.as_ref().and_then(|p| p.get(name)) {
            Some(s) => complete_nested(of, s, &at, &v_at, errors),
            None => errors.push(lacks(&at, &v_at)),
        }
    }
}
