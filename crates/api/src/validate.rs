//! Checks that many kinds share: names and formats, ObjectMeta, label selectors.

pub mod labels;
pub mod meta;
pub mod net;

pub use self::meta::{validate_meta, validate_meta_update};
pub use labels::{validate_label_selector, validate_labels};
pub use names::NameRule;

pub use ::meta::validate as names;
use ::meta::{FieldError, Path};
use serde::Serialize;

/// Models `apimachinery/pkg/api/validation.FieldImmutableErrorMsg`.
pub const IMMUTABLE: &str = "field is immutable";
pub const NOT_NEGATIVE: &str = "must be greater than or equal to 0";
pub const NOT_INTEGER: &str = "must be an integer";

/// An unset string and an empty one are the same to upstream's Go structs.
pub(crate) fn text(s: &Option<String>) -> &str {
    s.as_deref().unwrap_or("")
}

/// A value as JSON, with the fields in the type's own order; what `%v` of a bad value prints.
pub(crate) fn json_text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// `Invalid value: <json>` of a structured value.
pub(crate) fn invalid_json(path: &Path, value: &impl Serialize, detail: &str) -> FieldError {
    let mut e = FieldError::invalid(path, "", detail);
    e.value = json_text(value);
    e
}

/// One error per message, all about one value.
pub(crate) fn each(path: &Path, value: &str, messages: Vec<String>) -> impl Iterator<Item = FieldError> {
    let (path, value) = (path.clone(), value.to_string());
    messages.into_iter().map(move |m| FieldError::invalid(&path, value.as_str(), m))
}

/// Models `ValidateNonnegativeField`.
pub(crate) fn nonnegative(path: &Path, value: i64, errors: &mut Vec<FieldError>) {
    if value < 0 {
        errors.push(FieldError::invalid(path, value, NOT_NEGATIVE));
    }
}

/// Models `ValidateImmutableField`.
pub fn immutable<T: PartialEq + Serialize>(path: &Path, new: &T, old: &T, errors: &mut Vec<FieldError>) {
    if new != old {
        errors.push(invalid_json(path, new, IMMUTABLE));
    }
}
