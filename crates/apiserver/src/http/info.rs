//! What a request asks for, by its path alone. Models `apiserver/pkg/endpoints/request.RequestInfoFactory`.

use super::path::HttpRequest;
use super::query;
use crate::authz::{Attributes, named};
use meta::ApiError;

/// How long the client is ready to wait for an answer is said in words that can be read. What runs as long as it likes may say
/// anything. Models `WithRequestDeadline` and `BasicLongRunningRequestCheck`.
///
/// # Errors
/// The refusal.
pub fn check_timeout(http: &HttpRequest<'_>) -> Result<(), ApiError> {
    let pairs = query::parse(http.query);
    let Some((_, timeout)) = pairs.iter().find(|(k, _)| k == "timeout").filter(|(_, v)| !v.is_empty()) else {
        return Ok(());
    };
    let long = asked(http, |a| {
        let streams = matches!(a.subresource, "attach" | "exec" | "proxy" | "log" | "portforward");
        a.verb == "watch" || streams || a.path.is_some_and(|p| p.starts_with("/debug/pprof/"))
    });
    match meta::go::parse_duration(timeout) {
        Err(e) if !long => Err(ApiError::bad_request(format!("invalid timeout specified in the request URL - {e}"))),
        _ => Ok(()),
    }
}

/// Lets `f` judge the request.
pub(crate) fn asked<R>(http: &HttpRequest<'_>, f: impl FnOnce(&Attributes<'_>) -> R) -> R {
    let path = query::decode(http.path, false);
    let query = query::parse(http.query);
    let method = http.method.to_ascii_lowercase();
    let trimmed = path.trim_matches('/');
    let mut parts: Vec<&str> = trimmed.split('/').collect();
    let plain = Attributes::path(&http.user, &method, &path);
    let group = match parts.as_slice() {
        ["api", _, _, ..] => "",
        ["apis", group, _, _, ..] => group,
        _ => return f(&plain),
    };
    parts.drain(..if parts[0] == "api" { 2 } else { 3 });
    let mut verb = match method.as_str() {
        "post" => "create",
        "get" | "head" => "get",
        "put" => "update",
        "patch" => "patch",
        "delete" => "delete",
        _ => "",
    };
    let prefixed = parts[0] == "watch" && parts.len() > 1;
    if prefixed {
        verb = "watch";
        parts.remove(0);
    }
    let mut namespace = "";
    if parts[0] == "namespaces" && parts.len() > 1 {
        namespace = parts[1];
        if parts.len() > 2 && !matches!(parts[2], "status" | "finalize") {
            parts.drain(..2);
        }
    }
    let at = |i: usize| parts.get(i).copied().unwrap_or("");
    let of = |name: &str| query.iter().find(|(k, _)| k == name).map_or("", |(_, v)| v.as_str());
    let mut name = at(1);
    if name.is_empty() && verb == "get" {
        let watching = query.iter().any(|(k, v)| k == "watch" && !matches!(v.as_str(), "false" | "0"));
        verb = if watching { "watch" } else { "list" };
        name = named(of("fieldSelector"));
    }
    if name.is_empty() && verb == "delete" {
        verb = "deletecollection";
    }
    let many = matches!(verb, "list" | "watch" | "deletecollection") && !prefixed;
    let field_selector = if many { of("fieldSelector") } else { "" };
    let (resource, subresource) = (at(0), at(2));
    f(&Attributes { verb, group, resource, subresource, namespace, name, field_selector, path: None, ..plain })
}
