//! Refusals as the API server words them. Models `k8s.io/apimachinery/pkg/api/errors`.

use crate::field::{FieldError, aggregate};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Status, StatusCause, StatusDetails};
use std::fmt;

/// A request refused: an HTTP code, a reason, and a message that says what and where.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiError(pub Box<Status>);

/// What a refusal is about: `kind` is the resource (`pods`) in most messages, the kind (`Pod`) in `invalid`.
fn details(group: &str, kind: &str, name: &str) -> StatusDetails {
    let some = |s: &str| (!s.is_empty()).then(|| s.to_string());
    StatusDetails { group: some(group), kind: some(kind), name: some(name), ..Default::default() }
}

/// `deployments.apps`, or `pods` in the core group.
pub fn group_resource(group: &str, resource: &str) -> String {
    if group.is_empty() { resource.into() } else { format!("{resource}.{group}") }
}

impl ApiError {
    pub fn new(code: u16, reason: &str, message: impl Into<String>) -> Self {
        ApiError(Box::new(Status {
            code: Some(i32::from(code)),
            reason: (!reason.is_empty()).then(|| reason.into()),
            message: Some(message.into()),
            status: Some("Failure".into()),
            ..Default::default()
        }))
    }
    fn with_details(mut self, d: StatusDetails) -> Self {
        self.0.details = Some(d);
        self
    }
    pub fn not_found(group: &str, resource: &str, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{} {name:?} not found", group_resource(group, resource)))
            .with_details(details(group, resource, name))
    }
    pub fn already_exists(group: &str, resource: &str, name: &str) -> Self {
        Self::new(409, "AlreadyExists", format!("{} {name:?} already exists", group_resource(group, resource)))
            .with_details(details(group, resource, name))
    }
    pub fn conflict(group: &str, resource: &str, name: &str, why: &str) -> Self {
        let gr = group_resource(group, resource);
        Self::new(409, "Conflict", format!("Operation cannot be fulfilled on {gr} {name:?}: {why}"))
            .with_details(details(group, resource, name))
    }
    /// The conflict of optimistic concurrency.
    pub fn modified(group: &str, resource: &str, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(group, resource, name, why)
    }
    pub fn invalid(group: &str, kind: &str, name: &str, errors: &[FieldError]) -> Self {
        let list = aggregate(errors.iter().map(ToString::to_string));
        let gk = group_resource(group, kind);
        let mut d = details(group, kind, name);
        d.causes = Some(
            errors
                .iter()
                .map(|e| StatusCause {
                    reason: Some(e.kind.reason().into()),
                    message: Some(e.body()),
                    field: Some(e.path.to_string()),
                })
                .collect(),
        );
        Self::new(422, "Invalid", format!("{gk} {name:?} is invalid: {list}")).with_details(d)
    }
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }
    pub fn forbidden(group: &str, resource: &str, name: &str, why: &str) -> Self {
        let gr = group_resource(group, resource);
        let message = if name.is_empty() {
            format!("{gr} is forbidden: {why}")
        } else {
            format!("{gr} {name:?} is forbidden: {why}")
        };
        Self::new(403, "Forbidden", message).with_details(details(group, resource, name))
    }
    pub fn method_not_supported(group: &str, resource: &str, verb: &str) -> Self {
        let gr = group_resource(group, resource);
        Self::new(405, "MethodNotAllowed", format!("{verb} is not supported on resources of kind {gr:?}"))
            .with_details(details(group, resource, ""))
    }
    pub fn too_many_requests(message: impl Into<String>, retry_after_seconds: i32) -> Self {
        let d = StatusDetails { retry_after_seconds: Some(retry_after_seconds), ..Default::default() };
        Self::new(429, "TooManyRequests", message).with_details(d)
    }
    /// A watch or continue token from before the last compaction.
    pub fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }
    pub fn unsupported_media_type(message: impl Into<String>) -> Self {
        Self::new(415, "UnsupportedMediaType", message)
    }
    pub fn internal(message: impl fmt::Display) -> Self {
        Self::new(500, "InternalError", format!("Internal error occurred: {message}"))
    }

    pub fn code(&self) -> u16 {
        self.0.code.and_then(|c| u16::try_from(c).ok()).unwrap_or(500)
    }
    pub fn reason(&self) -> &str {
        self.0.reason.as_deref().unwrap_or("")
    }
    pub fn message(&self) -> &str {
        self.0.message.as_deref().unwrap_or("")
    }
    pub fn is_not_found(&self) -> bool {
        self.reason() == "NotFound"
    }
    pub fn is_already_exists(&self) -> bool {
        self.reason() == "AlreadyExists"
    }
    pub fn is_conflict(&self) -> bool {
        self.reason() == "Conflict"
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}
impl std::error::Error for ApiError {}
