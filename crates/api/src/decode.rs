//! From bytes to a typed object, noting what strict field validation complains about.

mod go_error;
mod node;
pub mod syntax;
mod typed;

use crate::object::Object;
use crate::registration::{KindRef, Registration};
use k8s_openapi::Resource;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{ApiError, Quantity};
use node::Node;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What an object is decoded from.
pub enum Source<'a> {
    Json(&'a [u8]),
    Value(Value),
}

/// A decoded object and what strict decoding found: `unknown field "spec.foo"`, `duplicate field "spec.bar"`.
pub struct Decoded {
    pub object: Box<dyn Object>,
    pub strict: Vec<String>,
}

/// Upstream stops listing strict errors here.
const STRICT_ERRORS_MAX: usize = 100;

/// Decodes any of Kubernetes' types, with what strict decoding found.
///
/// # Errors
/// What cannot be read, in the words of Go's JSON decoder.
pub fn unregistered<T: Resource + DeserializeOwned>(value: Value) -> Result<(T, Vec<String>), ApiError> {
    from_node(value.into(), Vec::new())
}

/// An object of a registered kind. Unknown and duplicate fields are collected, not refused: `fieldValidation` decides
/// what happens to them. Quantities are checked and put in canonical form.
pub(crate) fn decode_kind<R: Registration>(_: KindRef, source: Source<'_>) -> Result<Decoded, ApiError> {
    let mut duplicates = Vec::new();
    let node = match source {
        Source::Json(json) => parse(json, &mut duplicates)?,
        Source::Value(value) => value.into(),
    };
    let (mut object, strict) = from_node::<R::Type>(node, duplicates)?;
    canonical_quantities::<R>(&mut object).map_err(|e| ApiError::bad_request(cannot_handle::<R::Type>(&e)))?;
    Ok(Decoded { object: Box::new(object), strict })
}

/// A custom resource: its metadata typed, the rest as its schema has it. What the schema does not know is dropped.
pub(crate) fn decode_custom(kind: KindRef, source: Source<'_>) -> Result<Decoded, ApiError> {
    let refused = |why: &str| {
        ApiError::bad_request(format!(
            "{0} in version {1:?} cannot be handled as a {0}: {why}",
            kind.kind, kind.version
        ))
    };
    let mut strict = Vec::new();
    let value = match source {
        Source::Json(json) => parse(json, &mut strict)?.into_value(),
        Source::Value(value) => value,
    };
    let Value::Object(mut fields) = value else { return Err(refused("the object is no JSON object")) };
    for name in ["apiVersion", "kind"] {
        fields.remove(name);
    }
    let mut notes = typed::Notes::within("metadata");
    let metadata = fields.remove("metadata").unwrap_or_else(|| Value::Object(serde_json::Map::new()));
    let metadata =
        typed::decode(metadata.into(), &mut notes).map_err(|e| refused(notes.error.as_deref().unwrap_or(&e.0)))?;
    let mut unknown = Vec::new();
    let object = crate::custom::object(kind, metadata, fields, &mut unknown).map_err(|e| refused(&e.to_string()))?;
    strict.extend(notes.unknown);
    strict.extend(unknown);
    strict.truncate(STRICT_ERRORS_MAX);
    Ok(Decoded { object, strict })
}

/// The metadata of an object inside another; unknown fields are named as those of `path`.
pub(crate) fn metadata(path: &str, value: Value, unknown: &mut Vec<String>) -> Result<ObjectMeta, String> {
    let mut notes = typed::Notes::within(path);
    let metadata = typed::decode(value.into(), &mut notes).map_err(|e| notes.error.take().unwrap_or(e.0))?;
    unknown.extend(notes.unknown);
    Ok(metadata)
}

/// A value of a type that is no registered kind (options, a Binding), unknown fields ignored.
///
/// # Errors
/// What Go's JSON decoder would say.
pub fn plain<T: DeserializeOwned>(json: &[u8]) -> Result<T, String> {
    let node = Node::parse(json, &mut Vec::new()).map_err(|e| syntax::words(json, &e))?;
    let mut notes = typed::Notes::default();
    typed::decode(node, &mut notes).map_err(|e| notes.error.unwrap_or(e.0))
}

fn parse<'a>(json: &'a [u8], duplicates: &mut Vec<String>) -> Result<Node<'a>, ApiError> {
    let broken = |e| format!("couldn't get version/kind; json parse error: {}", syntax::words(json, &e));
    Node::parse(json, duplicates).map_err(|e| ApiError::bad_request(broken(e)))
}

fn from_node<T: Resource + DeserializeOwned>(
    node: Node<'_>,
    duplicates: Vec<String>,
) -> Result<(T, Vec<String>), ApiError> {
    let mut notes = typed::Notes::default();
    let object = typed::decode::<T>(node, &mut notes)
        .map_err(|e| ApiError::bad_request(cannot_handle::<T>(notes.error.as_deref().unwrap_or(&e.0))))?;
    let mut strict = notes.unknown;
    strict.extend(duplicates);
    strict.truncate(STRICT_ERRORS_MAX);
    Ok((object, strict))
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

/// Models `transformDecodeError` of the API server's handlers.
fn cannot_handle<T: Resource>(why: &str) -> String {
    format!("{} in version {:?} cannot be handled as a {}: {why}", T::KIND, T::VERSION, T::KIND)
}

#[cfg(test)]
mod tests;
