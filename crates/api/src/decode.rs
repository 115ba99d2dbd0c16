//! From bytes to a typed object, noting what strict field validation complains about.

use crate::object::Object;
use crate::registration::Registered;
use meta::ApiError;

/// A decoded object and what strict decoding found: `unknown field "spec.foo"`, `duplicate field "spec.bar"`.
pub struct Decoded {
    pub object: Box<dyn Object>,
    pub strict: Vec<String>,
}

/// Decodes JSON. Unknown fields are collected, not refused: `fieldValidation` decides what happens to them.
pub fn decode<T: Registered>(json: &[u8]) -> Result<Decoded, ApiError> {
    let mut strict = Vec::new();
    let mut de = serde_json::Deserializer::from_slice(json);
    let object: T =
        serde_ignored::deserialize(&mut de, |path| strict.push(format!("unknown field {:?}", path.to_string())))
            .map_err(|e| ApiError::bad_request(e.to_string()))?;
    Ok(Decoded { object: Box::new(object), strict })
}
