//! What a request asks for, by its path alone. Models `apiserver/pkg/endpoints/request.RequestInfoFactory`.

use super::path::HttpRequest;
use super::query;
use crate::authz::{Attributes, named};

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
