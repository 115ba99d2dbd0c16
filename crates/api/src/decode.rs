//! From bytes to a typed object, noting what strict field validation complains about.

mod duplicates;
mod go_error;

use crate::object::Object;
use crate::registration::{Registered, Registration};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use meta::{ApiError, Quantity};
use serde_json::Value;

/// A decoded object and what strict decoding found: `unknown field "spec.foo"`, `duplicate field "spec.bar"`.
pub struct Decoded {
    pub object: Box<dyn Object>,
    pub strict: Vec<String>,
}

/// Upstream stops listing strict errors here.
const STRICT_ERRORS_MAX: usize = 100;

/// Decodes JSON. Unknown and duplicate fields are collected, not refused: `fieldValidation` decides what
/// happens to them. A wrong type is refused in the words of Go's JSON decoder.
pub fn decode<T: Registered>(json: &[u8]) -> Result<Decoded, ApiError> {
    let (object, strict) = typed::<T>(json)?;
    Ok(Decoded { object: Box::new(object), strict })
}

/// As [`decode`], for a registered kind: quantities are checked and put in canonical form.
pub(crate) fn decode_kind<R: Registration>(json: &[u8]) -> Result<Decoded, ApiError> {
    let (mut object, strict) = typed::<R::Type>(json)?;
    canonical_quantities::<R>(&mut object).map_err(|e| ApiError::bad_request(cannot_handle::<R::Type>(&e)))?;
    Ok(Decoded { object: Box::new(object), strict })
}

/// Decodes without looking for unknown or duplicate fields: `fieldValidation=Ignore`.
pub(crate) fn decode_ignoring<R: Registration>(json: &[u8]) -> Result<Box<dyn Object>, ApiError> {
    let mut object: R::Type = match serde_json::from_slice(json) {
        Ok(o) => o,
        Err(e) => without_nulls(json, &e).ok_or_else(|| refusal::<R::Type>(json, &e))?,
    };
    canonical_quantities::<R>(&mut object).map_err(|e| ApiError::bad_request(cannot_handle::<R::Type>(&e)))?;
    Ok(Box::new(object))
}

/// Upstream's `Quantity` refuses malformed text and always prints itself canonically.
pub(crate) fn canonical_quantities<R: Registration>(object: &mut R::Type) -> Result<(), String> {
    let mut result = Ok(());
    R::quantities(object, &mut |q: &mut ApiQuantity| match Quantity::parse(q.0.trim()) {
        Ok(parsed) => {
            let text = parsed.to_string();
            if text != q.0 {
                q.0 = text;
            }
        }
        Err(e) => result = Err(e.to_string()),
    });
    result
}

fn typed<T: Registered>(json: &[u8]) -> Result<(T, Vec<String>), ApiError> {
    let mut strict = Vec::new();
    let mut de = serde_json::Deserializer::from_slice(json);
    let object: T = serde_ignored::deserialize(&mut de, |path| {
        if strict.len() < STRICT_ERRORS_MAX {
            strict.push(format!("unknown field {:?}", path_text(&path)));
        }
    })
    .and_then(|o| de.end().map(|()| o))
    .or_else(|e| without_nulls(json, &e).ok_or_else(|| refusal::<T>(json, &e)))?;
    duplicates::find(json, &mut strict);
    strict.truncate(STRICT_ERRORS_MAX);
    Ok((object, strict))
}

/// Fields that are maps of strings, where upstream reads a null value (`labels: {tier: }`) as "".
const STRING_MAPS: &[&str] =
    &["annotations", "data", "labels", "matchLabels", "nodeSelector", "selector", "stringData"];

/// Decodes again with such nulls made empty, if a null was what could not be decoded.
fn without_nulls<T: Registered>(json: &[u8], e: &serde_json::Error) -> Option<T> {
    fn fill(v: &mut Value, in_map: bool) {
        match v {
            Value::Object(fields) => {
                for (k, v) in fields {
                    if in_map && v.is_null() {
                        *v = Value::from("");
                    }
                    fill(v, STRING_MAPS.contains(&k.as_str()));
                }
            }
            Value::Array(list) => list.iter_mut().for_each(|v| fill(v, false)),
            _ => {}
        }
    }
    if !e.to_string().contains("invalid type: null") {
        return None;
    }
    let mut value: Value = serde_json::from_slice(json).ok()?;
    fill(&mut value, false);
    serde_json::from_value(value).ok()
}

fn refusal<T: Registered>(json: &[u8], e: &serde_json::Error) -> ApiError {
    if e.is_data() {
        if let Some(text) = go_error::explain::<T>(json) {
            return ApiError::bad_request(cannot_handle::<T>(&text));
        }
        return ApiError::bad_request(cannot_handle::<T>(&e.to_string()));
    }
    ApiError::bad_request(format!("couldn't get version/kind; json parse error: {e}"))
}

/// Models `transformDecodeError` of the API server's handlers.
fn cannot_handle<T: Registered>(why: &str) -> String {
    format!("{} in version {:?} cannot be handled as a {}: {why}", T::KIND, T::VERSION, T::KIND)
}

/// `spec.containers[0].foo`, as upstream writes paths.
fn path_text(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path;
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => format!("{}[{index}]", path_text(parent)),
        Path::Map { parent, key } => {
            let parent = path_text(parent);
            if parent.is_empty() { key.clone() } else { format!("{parent}.{key}") }
        }
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => path_text(parent),
    }
}

#[cfg(test)]
mod tests;
