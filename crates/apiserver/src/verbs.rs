//! The handlers, one file per verb or subresource. Each is a function from the state and a request to a [`Plan`].

use crate::request::{Request, RequestVerb};
use crate::server::{Cx, Plan};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::StatusDetails;
use meta::ApiError;

pub(crate) mod apply;
pub(crate) mod binding;
pub(crate) mod connect;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod eviction;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod patch;
pub(crate) mod review;
pub(crate) mod scale;
pub(crate) mod token;
pub(crate) mod update;

/// Everything but the resource itself and `/status`.
pub(crate) fn subresource(cx: &mut Cx<'_>, req: Request) -> Result<Plan, ApiError> {
    match (req.kind.kind, req.subresource, req.verb) {
        ("Pod", "binding", RequestVerb::Create) => binding::bind(cx, req),
        ("Pod", "eviction", RequestVerb::Create) => eviction::evict(cx, req),
        ("Pod", "log", RequestVerb::Get) => connect::log(cx, &req),
        ("Pod", "ephemeralcontainers" | "resize", RequestVerb::Get) => get::get(cx, &req),
        ("Pod", "ephemeralcontainers" | "resize", RequestVerb::Update) => update::update(cx, req),
        ("Pod", "ephemeralcontainers" | "resize", RequestVerb::Patch(how)) => patch::patch(cx, req, how),
        ("CertificateSigningRequest", "approval", RequestVerb::Get) => get::get(cx, &req),
        ("CertificateSigningRequest", "approval", RequestVerb::Update) => update::update(cx, req),
        ("CertificateSigningRequest", "approval", RequestVerb::Patch(how)) => patch::patch(cx, req, how),
        ("Pod", "exec" | "attach" | "portforward", _) => connect::stream(cx, &req),
        ("Pod" | "Service" | "Node", "proxy", _) => connect::proxy(cx, &req),
        ("ServiceAccount", "token", RequestVerb::Create) => token::request(cx, req),
        ("Namespace", "finalize", RequestVerb::Update) => update::update(cx, req),
        (_, "scale", _) => scale::scale(cx, req),
        _ => Err(no_such_resource()),
    }
}

/// The 404 for a path that names nothing. Models `errors.NewGenericServerResponse`.
pub(crate) fn no_such_resource() -> ApiError {
    let mut e = ApiError::new(404, "NotFound", "the server could not find the requested resource");
    // Clients tell it from an object that is missing by details that name nothing; kubectl debug fails without any.
    e.0.details = Some(StatusDetails::default());
    e
}
