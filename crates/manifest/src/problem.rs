//! What is wrong, where, and what kubectl says about it.

use crate::Position;
use std::fmt;

/// One thing wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// The field the problem is about (`spec.replicas`); empty when the text could not be read that far.
    pub path: String,
    /// The heart of it, in upstream's words: `key "x" already set in map`.
    pub message: String,
    /// The whole sentence as kubectl prints it after `error: `.
    pub kubectl: String,
    /// One of [`HINTS`]: which explanation to show beside the message.
    pub hint: &'static str,
    /// What was probably meant: a kind, an apiVersion, a field name.
    pub suggestion: Option<String>,
}

/// Every hint code. Each has a sentence in each language's catalogue.
pub const HINTS: &[&str] = &[
    "alias-bomb",
    "anchor",
    "api-version",
    "bracket",
    "colon",
    "duplicate-key",
    "immutable",
    "indent",
    "invalid",
    "kind-case",
    "map-key",
    "missing-type",
    "not-found",
    "number",
    "quote",
    "required",
    "root-type",
    "syntax",
    "tabs",
    "tag",
    "too-big",
    "too-deep",
    "unknown-field",
    "unknown-kind",
    "wrong-type",
];

impl Problem {
    pub(crate) fn new(file: &str, at: Position, hint: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Problem {
            file: file.into(),
            line: at.line,
            column: at.column,
            path: String::new(),
            kubectl: message.clone(),
            message,
            hint,
            suggestion: None,
        }
    }
    /// A problem of the YAML itself. Models the wrapping of `util/yaml.YAMLSyntaxError`.
    pub(crate) fn yaml(file: &str, at: Position, hint: &'static str, message: impl Into<String>) -> Self {
        let mut p = Self::new(file, at, hint, message);
        p.kubectl = format!("error parsing {file}: error converting YAML to JSON: {}", p.message);
        p
    }
    pub(crate) fn at_path(mut self, path: &str) -> Self {
        self.path = path.into();
        self
    }
    pub(crate) fn said(mut self, kubectl: String) -> Self {
        self.kubectl = kubectl;
        self
    }
    pub(crate) fn meant(mut self, suggestion: Option<String>) -> Self {
        self.suggestion = suggestion;
        self
    }
}

/// `app.yaml:3:5: key "x" already set in map`
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)
    }
}
impl std::error::Error for Problem {}
