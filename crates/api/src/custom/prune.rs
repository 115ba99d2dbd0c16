//! What a schema does to a value before it is looked at: unknown fields go, defaults come. Models
//! `apiextensions-apiserver/pkg/apiserver/schema/{pruning,defaulting}`.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use serde_json::{Map, Value};

/// What every object has, whatever its schema says.
const TYPE_AND_META: [&str; 3] = ["apiVersion", "kind", "metadata"];

pub(super) fn items(s: &JSONSchemaProps) -> Option<&JSONSchemaProps> {
    match &s.items {
        Some(JSONSchemaPropsOrArray::Schema(one)) => Some(one),
        _ => None,
    }
}

/// The schema of the values of a map.
pub(super) fn additional(s: &JSONSchemaProps) -> Option<&JSONSchemaProps> {
    match &s.additional_properties {
        Some(JSONSchemaPropsOrBool::Schema(one)) => Some(one),
        _ => None,
    }
}

pub(super) fn property<'s>(s: &'s JSONSchemaProps, name: &str) -> Option<&'s JSONSchemaProps> {
    s.properties.as_ref().and_then(|p| p.get(name)).or_else(|| additional(s))
}

fn keeps_unknown(s: &JSONSchemaProps) -> bool {
    s.x_kubernetes_preserve_unknown_fields == Some(true)
        || matches!(s.additional_properties, Some(JSONSchemaPropsOrBool::Bool(true)))
}

/// Drops the fields that `s` does not know; `unknown` gets a sentence for each. `root`: the fields of a resource, and of one inside
/// another, are known.
pub(super) fn prune(
    fields: &mut Map<String, Value>,
    s: &JSONSchemaProps,
    root: bool,
    path: &str,
    unknown: &mut Vec<String>,
) {
    let own = root || s.x_kubernetes_embedded_resource == Some(true);
    let keeps = keeps_unknown(s);
    fields.retain(|name, value| {
        if own && TYPE_AND_META.contains(&name.as_str()) {
            return true;
        }
        let at = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match property(s, name) {
            Some(of) => prune_value(value, of, &at, unknown),
            None if keeps => {}
            None => {
                unknown.push(format!("unknown field {at:?}"));
                return false;
            }
        }
        true
    });
}

fn prune_value(value: &mut Value, s: &JSONSchemaProps, path: &str, unknown: &mut Vec<String>) {
    match value {
        Value::Object(fields) => prune(fields, s, false, path, unknown),
        Value::Array(list) if keeps_unknown(s) => keep_elements(list, s, path, unknown),
        Value::Array(list) => {
            let nothing = JSONSchemaProps::default();
            let of = items(s).unwrap_or(&nothing);
            for (i, v) in list.iter_mut().enumerate() {
                prune_value(v, of, &format!("{path}[{i}]"), unknown);
            }
        }
        _ => {}
    }
}

/// What a list may hold that keeps unknown fields: so do its elements, but not what they are known to hold. Models `skipPrune`.
fn keep_elements(list: &mut [Value], s: &JSONSchemaProps, path: &str, unknown: &mut Vec<String>) {
    let Some(of) = items(s) else { return };
    for (i, v) in list.iter_mut().enumerate() {
        let at = format!("{path}[{i}]");
        match v {
            Value::Array(list) => keep_elements(list, of, &at, unknown),
            Value::Object(fields) => {
                let meta = of.x_kubernetes_embedded_resource == Some(true);
                for (name, v) in fields.iter_mut().filter(|(n, _)| !(meta && TYPE_AND_META.contains(&n.as_str()))) {
                    if let Some(of) = property(of, name) {
                        prune_value(v, of, &format!("{at}.{name}"), unknown);
                    }
                }
            }
            _ => {}
        }
    }
}

/// A null where the schema allows none.
fn is_forbidden_null(v: &Value, s: &JSONSchemaProps) -> bool {
    v.is_null() && s.nullable != Some(true)
}

/// Nulls that may not be and have no default count as not said. Models `PruneNonNullableNullsWithoutDefaults`.
pub(super) fn drop_nulls(fields: &mut Map<String, Value>, s: &JSONSchemaProps) {
    fields.retain(|name, value| match property(s, name) {
        Some(of) if is_forbidden_null(value, of) && of.default.is_none() => false,
        Some(of) => {
            drop_nulls_in(value, of);
            true
        }
        None => true,
    });
}

fn drop_nulls_in(value: &mut Value, s: &JSONSchemaProps) {
    match value {
        Value::Object(fields) => drop_nulls(fields, s),
        Value::Array(list) => {
            if let Some(of) = items(s) {
                list.iter_mut().for_each(|v| drop_nulls_in(v, of));
            }
        }
        _ => {}
    }
}

/// Models `structuraldefaulting.Default`.
pub(super) fn default(fields: &mut Map<String, Value>, s: &JSONSchemaProps) {
    for (name, of) in s.properties.iter().flatten() {
        if let Some(d) = &of.default
            && fields.get(name).is_none_or(|v| is_forbidden_null(v, of))
        {
            fields.insert(name.clone(), d.0.clone());
        }
    }
    for (name, value) in fields.iter_mut() {
        if let Some(of) = property(s, name) {
            default_value(value, of);
        }
    }
}

fn default_value(value: &mut Value, s: &JSONSchemaProps) {
    if let (true, Some(d)) = (is_forbidden_null(value, s), &s.default) {
        *value = d.0.clone();
    }
    match value {
        Value::Object(fields) => default(fields, s),
        Value::Array(list) => {
            if let Some(of) = items(s) {
                list.iter_mut().for_each(|v| default_value(v, of));
            }
        }
        _ => {}
    }
}
