//! Field paths and validation errors. Models `k8s.io/apimachinery/pkg/util/validation/field`.

use std::fmt;

/// `spec.containers[0].name`
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Path(String);

impl Path {
    pub fn new(root: &str) -> Self {
        Path(root.into())
    }
    #[must_use]
    pub fn child(&self, name: &str) -> Path {
        // By hand: every write of every object makes paths, and formatting costs three times as much.
        let mut path = String::with_capacity(self.0.len() + 1 + name.len());
        path.push_str(&self.0);
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(name);
        Path(path)
    }
    #[must_use]
    pub fn index(&self, i: usize) -> Path {
        Path(format!("{}[{i}]", self.0))
    }
    #[must_use]
    pub fn key(&self, k: &str) -> Path {
        Path(format!("{}[{k}]", self.0))
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldErrorType {
    NotFound,
    Required,
    Duplicate,
    Invalid,
    NotSupported,
    Forbidden,
    TooLong,
    TooMany,
    Internal,
    TypeInvalid,
}

impl FieldErrorType {
    /// The `reason` of a `StatusCause`.
    pub fn reason(self) -> &'static str {
        match self {
            Self::NotFound => "FieldValueNotFound",
            Self::Required => "FieldValueRequired",
            Self::Duplicate => "FieldValueDuplicate",
            Self::Invalid => "FieldValueInvalid",
            Self::NotSupported => "FieldValueNotSupported",
            Self::Forbidden => "FieldValueForbidden",
            Self::TooLong => "FieldValueTooLong",
            Self::TooMany => "FieldValueTooMany",
            Self::Internal => "InternalError",
            Self::TypeInvalid => "FieldValueTypeInvalid",
        }
    }
    fn text(self) -> &'static str {
        match self {
            Self::NotFound => "Not found",
            Self::Required => "Required value",
            Self::Duplicate => "Duplicate value",
            Self::Invalid | Self::TypeInvalid => "Invalid value",
            Self::NotSupported => "Unsupported value",
            Self::Forbidden => "Forbidden",
            Self::TooLong => "Too long",
            Self::TooMany => "Too many",
            Self::Internal => "Internal error",
        }
    }
}

/// One field that is wrong, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    pub kind: FieldErrorType,
    pub path: Path,
    /// The bad value as upstream prints it (`"x"` quoted, `-1` bare); empty where it prints none.
    pub value: String,
    pub detail: String,
}

/// How a bad value is printed: strings quoted as Go's `%q`, numbers and booleans bare, the rest as JSON.
pub fn show(value: &serde_json::Value) -> String {
    value.to_string()
}

impl FieldError {
    fn make(kind: FieldErrorType, path: &Path, value: String, detail: impl Into<String>) -> Self {
        FieldError { kind, path: path.clone(), value, detail: detail.into() }
    }
    pub fn required(path: &Path, detail: impl Into<String>) -> Self {
        Self::make(FieldErrorType::Required, path, String::new(), detail)
    }
    pub fn forbidden(path: &Path, detail: impl Into<String>) -> Self {
        Self::make(FieldErrorType::Forbidden, path, String::new(), detail)
    }
    pub fn invalid(path: &Path, value: impl Into<serde_json::Value>, detail: impl Into<String>) -> Self {
        Self::make(FieldErrorType::Invalid, path, show(&value.into()), detail)
    }
    pub fn duplicate(path: &Path, value: impl Into<serde_json::Value>) -> Self {
        Self::make(FieldErrorType::Duplicate, path, show(&value.into()), "")
    }
    pub fn not_found(path: &Path, value: impl Into<serde_json::Value>) -> Self {
        Self::make(FieldErrorType::NotFound, path, show(&value.into()), "")
    }
    pub fn too_long(path: &Path, max_bytes: usize) -> Self {
        Self::make(FieldErrorType::TooLong, path, String::new(), format!("may not be more than {max_bytes} bytes"))
    }
    pub fn too_many(path: &Path, actual: usize, max: usize) -> Self {
        Self::make(FieldErrorType::TooMany, path, actual.to_string(), format!("must have at most {max} items"))
    }
    pub fn not_supported(path: &Path, value: impl Into<serde_json::Value>, supported: &[&str]) -> Self {
        // In the order given, as upstream: sorted where it keeps a set, as declared where it keeps a list.
        let list: Vec<String> = supported.iter().map(|s| format!("{s:?}")).collect();
        Self::make(
            FieldErrorType::NotSupported,
            path,
            show(&value.into()),
            format!("supported values: {}", list.join(", ")),
        )
    }
    /// The message of a `StatusCause`: without the path.
    pub fn body(&self) -> String {
        let mut s = self.kind.text().to_string();
        if !self.value.is_empty() {
            s.push_str(": ");
            s.push_str(&self.value);
        }
        if !self.detail.is_empty() {
            s.push_str(": ");
            s.push_str(&self.detail);
        }
        s
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.body())
    }
}

/// Models `utilerrors.Aggregate`: one message bare, several as `[a, b]`, repeats dropped.
pub fn aggregate(messages: impl IntoIterator<Item = String>) -> String {
    let mut seen: Vec<String> = Vec::new();
    for m in messages {
        if !seen.contains(&m) {
            seen.push(m);
        }
    }
    match seen.len() {
        1 => seen.remove(0),
        _ => format!("[{}]", seen.join(", ")),
    }
}
