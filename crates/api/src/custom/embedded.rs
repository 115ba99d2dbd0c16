//! Objects inside custom resources (`x-kubernetes-embedded-resource`): they say what they are, and their metadata is that of
//! any object. Models `apiextensions-apiserver/pkg/apiserver/schema/objectmeta`.

use super::prune::{additional, items};
use crate::decode;
use crate::registration::Scope;
use crate::validate::meta::validate_meta;
use crate::validate::names::{self, rule};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use meta::{FieldError, Path};
use serde_json::{Map, Value};

fn is_embedded(s: &JSONSchemaProps) -> bool {
    s.x_kubernetes_embedded_resource == Some(true)
}

/// The schema of a field, and where it is.
fn field<'s>(s: &'s JSONSchemaProps, name: &str, path: &Path) -> Option<(&'s JSONSchemaProps, Path)> {
    match s.properties.as_ref().and_then(|p| p.get(name)) {
        Some(of) => Some((of, path.child(name))),
        None => additional(s).map(|of| (of, path.key(name))),
    }
}

/// Reads the metadata of all objects inside: unknown fields go and are named.
///
/// # Errors
/// The first thing that is of another type.
pub(super) fn coerce(
    fields: &mut Map<String, Value>,
    s: &JSONSchemaProps,
    path: &Path,
    unknown: &mut Vec<String>,
) -> Result<(), FieldError> {
    for (name, value) in fields.iter_mut() {
        if is_embedded(s) {
            let at = path.child(name);
            match name.as_str() {
                "apiVersion" | "kind" if !value.is_string() => {
                    return Err(FieldError::invalid(&at, value.clone(), "must be a string"));
                }
                "metadata" => {
                    let read = decode::metadata(at.as_str(), value.clone(), unknown);
                    let metadata = read.map_err(|why| FieldError::invalid(&at, value.clone(), why))?;
                    *value = serde_json::to_value(metadata).unwrap_or_default();
                }
                _ => {}
            }
        }
        if let Some((of, at)) = field(s, name, path) {
            coerce_value(value, of, &at, unknown)?;
        }
    }
    Ok(())
}

fn coerce_value(
    value: &mut Value,
    s: &JSONSchemaProps,
    path: &Path,
    unknown: &mut Vec<String>,
) -> Result<(), FieldError> {
    match value {
        Value::Object(fields) => coerce(fields, s, path, unknown),
        Value::Array(list) => {
            let Some(of) = items(s) else { return Ok(()) };
            list.iter_mut().enumerate().try_for_each(|(i, v)| coerce_value(v, of, &path.index(i), unknown))
        }
        _ => Ok(()),
    }
}

/// What the objects inside have to be, whatever their schemas say.
pub(super) fn validate(fields: &Map<String, Value>, s: &JSONSchemaProps, path: &Path, errors: &mut Vec<FieldError>) {
    if is_embedded(s) {
        object(fields, path, errors);
    }
    for (name, value) in fields {
        if let Some((of, at)) = field(s, name, path) {
            validate_value(value, of, &at, errors);
        }
    }
}

fn validate_value(value: &Value, s: &JSONSchemaProps, path: &Path, errors: &mut Vec<FieldError>) {
    match value {
        Value::Object(fields) => validate(fields, s, path, errors),
        Value::Array(list) => {
            if let Some(of) = items(s) {
                list.iter().enumerate().for_each(|(i, v)| validate_value(v, of, &path.index(i), errors));
            }
        }
        _ => {}
    }
}

/// Models `validateEmbeddedResource`.
fn object(fields: &Map<String, Value>, path: &Path, errors: &mut Vec<FieldError>) {
    for name in ["apiVersion", "kind"] {
        let at = path.child(name);
        match fields.get(name).map(|v| v.as_str()) {
            None | Some(Some("")) => errors.push(FieldError::required(&at, "")),
            Some(None) => errors.push(FieldError::invalid(&at, fields[name].clone(), "must be a string")),
            Some(Some(version)) if name == "apiVersion" && version.matches('/').count() > 1 => {
                let why = format!("unexpected GroupVersion string: {version}");
                errors.push(FieldError::invalid(&at, version, why));
            }
            Some(Some(kind)) if name == "kind" => {
                let wrong = names::dns1035_label(&kind.to_lowercase());
                if !wrong.is_empty() {
                    let why = format!("may have mixed case, but should otherwise match: {}", wrong.join(","));
                    errors.push(FieldError::invalid(&at, kind, why));
                }
            }
            Some(Some(_)) => {}
        }
    }
    let Some(metadata) = fields.get("metadata") else { return };
    let at = path.child("metadata");
    match decode::metadata(at.as_str(), metadata.clone(), &mut Vec::new()) {
        Err(why) => errors.push(FieldError::invalid(&at, metadata.clone(), why)),
        Ok(mut m) => {
            if m.name.as_deref().unwrap_or("").is_empty() {
                // One without a name is a template.
                m.name = Some("fakename".into());
            }
            let scope = match m.namespace.as_deref() {
                None | Some("") => Scope::Cluster,
                Some(_) => Scope::Namespaced,
            };
            errors.extend(validate_meta(&m, scope, rule::path_segment, &at));
        }
    }
}
