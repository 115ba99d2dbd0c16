//! From method and path to a request. Models `apiserver/pkg/endpoints/request.RequestInfoFactory` and the routes
//! that `endpoints/installer.go` makes.

use super::accept::{self, Wants};
use super::query;
use crate::decode::media_type;
use crate::discovery;
use crate::request::{Body, PatchType, Request, RequestOptions, RequestVerb};
use crate::response::{Answer, Response, unavailable};
use crate::table::As;
use crate::verbs::no_such_resource;
use api::{KindRef, Kinds, Remote, Verb};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::StatusDetails;
use meta::{ApiError, User};

/// A request as it came in, its body read whole.
pub struct HttpRequest<'a> {
    /// `GET`, `POST`, ...
    pub method: &'a str,
    /// Without the query; still percent-encoded.
    pub path: &'a str,
    /// Without the question mark.
    pub query: &'a str,
    pub accept: &'a str,
    pub content_type: &'a str,
    /// Names the manager of the fields that are written, unless the query does.
    pub user_agent: &'a str,
    pub user: User,
    pub body: Vec<u8>,
}

impl<'a> HttpRequest<'a> {
    /// One whose headers do not matter and whose body is somebody else's to read.
    pub fn bare(method: &'a str, path: &'a str, query: &'a str, user: User) -> Self {
        HttpRequest { method, path, query, accept: "", content_type: "", user_agent: "", user, body: Vec::new() }
    }
}

/// Where a request goes.
pub enum Routed {
    /// To [`crate::ApiServer::handle`]; the answer is then rendered as the client wants it.
    Api(Box<Request>, Wants),
    /// Answered without the store: discovery, version, health, and refusals. (`/openapi/v2` and `/openapi/v3` are
    /// the host's: it serves them before it routes.)
    Direct(Answer, Wants),
}

/// The other server that answers at a path.
pub fn remote<'k>(kinds: &'k Kinds, path: &str) -> Option<&'k Remote> {
    let path = query::decode(path, false);
    let mut parts = path.trim_start_matches('/').split('/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some("apis"), Some(group), Some(version)) => kinds.remote_at(group, version),
        _ => None,
    }
}

/// Finds out what a request is about.
pub fn route(kinds: &Kinds, http: HttpRequest<'_>) -> Routed {
    let path = query::decode(http.path, false);
    let query = query::parse(http.query);
    let pretty = accept::pretty(&query, http.user_agent);
    let plain = Wants { pretty, ..Wants::default() };
    if let Some(answer) = special(kinds, &http, &path, &query) {
        // What cannot be had in another form is answered as it is.
        let wants = accept::negotiate(http.accept, "", pretty).map_or(plain, |w| Wants { form: As::Object, ..w });
        return Routed::Direct(answer, wants);
    }
    match resource(kinds, http, &path, &query, plain) {
        Ok((request, wants)) => Routed::Api(Box::new(request), wants),
        Err(e) => Routed::Direct(Answer::refusal(e), plain),
    }
}

fn special(kinds: &Kinds, http: &HttpRequest<'_>, path: &str, query: &[(String, String)]) -> Option<Answer> {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let json = |v: Vec<u8>| Answer::new(200, Response::Json(v));
    let document = |v: Vec<u8>| Answer::new(200, Response::Document(v));
    let not_found = || Answer::new(404, Response::Text("404 page not found\n".into()));
    let aggregated = accept::aggregated(http.accept);
    let found = match parts.as_slice() {
        [""] => document(discovery::root(kinds)),
        ["version"] => document(discovery::version()),
        ["healthz" | "livez" | "readyz", rest @ ..] => discovery::health(parts[0], rest, query),
        ["api"] if aggregated => Answer::new(200, Response::Discovery(discovery::aggregated(kinds, true))),
        ["apis"] if aggregated => Answer::new(200, Response::Discovery(discovery::aggregated(kinds, false))),
        ["api"] => json(discovery::api_versions(kinds)),
        ["apis"] => json(discovery::groups(kinds)),
        // Nobody is left who could know it. Models `notfoundhandler`.
        ["apis", group] => discovery::group(kinds, group).map_or_else(not_found, json),
        ["api", version] => discovery::resources(kinds, "", version).map_or_else(not_found, json),
        ["apis", group, _, ..] if kinds.is_stale(group) => return Some(unavailable()),
        // Whoever can pass requests on has done so before.
        ["apis", group, version, ..] if kinds.remote_at(group, version).is_some() => return Some(unavailable()),
        ["apis", group, version] => discovery::resources(kinds, group, version).map_or_else(not_found, json),
        ["api" | "apis", ..] => return None,
        _ => not_found(),
    };
    if matches!(http.method, "GET" | "HEAD") {
        return Some(found);
    }
    Some(Answer::refusal(method_not_allowed()))
}

/// Models `errors.NewGenericServerResponse` for 405.
fn method_not_allowed() -> ApiError {
    let mut e =
        ApiError::new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
    e.0.details = Some(StatusDetails::default());
    e
}

/// What a path names.
struct Target<'a> {
    namespace: &'a str,
    plural: &'a str,
    name: &'a str,
    subresource: &'a str,
    /// Behind a proxy.
    rest: Vec<&'a str>,
    /// The deprecated `/watch/` prefix.
    watch: bool,
}

fn target<'a>(mut parts: &[&'a str]) -> Target<'a> {
    let watch = parts.first() == Some(&"watch");
    if watch {
        parts = &parts[1..];
    }
    let get = |i: usize, p: &[&'a str]| p.get(i).copied().unwrap_or("");
    let mut namespace = "";
    // `namespaces/NAME/status` is the namespace's own.
    if get(0, parts) == "namespaces" && parts.len() > 2 && !matches!(parts[2], "status" | "finalize") {
        namespace = parts[1];
        parts = &parts[2..];
    }
    Target {
        namespace,
        plural: get(0, parts),
        name: get(1, parts),
        subresource: get(2, parts),
        rest: parts.get(3..).unwrap_or_default().to_vec(),
        watch,
    }
}

fn resource(
    kinds: &Kinds,
    http: HttpRequest<'_>,
    path: &str,
    query: &[(String, String)],
    plain: Wants,
) -> Result<(Request, Wants), ApiError> {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let (group, version, rest) = match parts.as_slice() {
        ["api", version, rest @ ..] => ("", *version, rest),
        ["apis", group, version, rest @ ..] => (*group, *version, rest),
        _ => return Err(no_such_resource()),
    };
    if !kinds.iter().any(|k| k.group == group && k.version == version) {
        return Err(no_such_resource());
    }
    let rest = match rest {
        [head @ .., ""] => head,
        all => all,
    };
    let t = target(rest);
    let mut body = Body::Raw { content_type: http.content_type.into(), bytes: http.body };
    // The old form of a binding, still used by some schedulers.
    if group.is_empty() && t.plural == "bindings" && t.name.is_empty() {
        return old_binding(http.user, t.namespace, http.method, body, query);
    }
    let kind = kinds.by_plural(group, version, t.plural).ok_or_else(no_such_resource)?;
    if kind.namespaced() == t.namespace.is_empty() && (!kind.namespaced() || !t.name.is_empty()) {
        return Err(no_such_resource());
    }
    let subresource = subresource(kind, t.subresource)?;
    if subresource != "proxy" && !t.rest.is_empty() {
        return Err(no_such_resource());
    }
    let watching = t.watch || query.iter().any(|(k, v)| k == "watch" && !matches!(v.as_str(), "false" | "0"));
    let verb = verb(http.method, http.content_type, t.name.is_empty(), watching, subresource)?;
    if kind.custom.is_some() && verb == RequestVerb::Patch(PatchType::Strategic) {
        return Err(unknown_patch(CUSTOM_PATCHES));
    }
    check_verb(kind, subresource, verb)?;
    let needs_namespace = matches!(verb, RequestVerb::Create | RequestVerb::DeleteCollection);
    if kind.namespaced() && t.namespace.is_empty() && needs_namespace {
        return Err(method_not_allowed());
    }
    let mut options = query::options(query, verb)?;
    if subresource == "proxy" {
        options.path = t.rest.join("/");
        if path.ends_with('/') && !options.path.is_empty() {
            options.path.push('/');
        }
    }
    if matches!(verb, RequestVerb::Delete | RequestVerb::DeleteCollection)
        && matches!(&body, Body::Raw { bytes, .. } if bytes.is_empty())
    {
        body = Body::DeleteOptions(Box::new(query::delete_options(query)?));
    }
    let get = |name: &str| query.iter().find(|(k, _)| k == name).map_or("", |(_, v)| v.as_str());
    // Logs, proxied answers and streams are not the API's JSON.
    let wants = match subresource {
        "log" | "proxy" | "exec" | "attach" | "portforward" => plain,
        _ => accept::negotiate(http.accept, get("includeObject"), plain.pretty)?,
    };
    options.show_managed = !matches!(wants.form, As::Table(_));
    if options.field_manager.is_empty() {
        options.field_manager = manager_of(http.user_agent);
    }
    let request = Request {
        user: http.user,
        verb,
        kind,
        namespace: t.namespace.into(),
        name: t.name.into(),
        subresource,
        options,
        body,
    };
    Ok((request, wants))
}

/// `kubectl/v1.35.0 (linux/amd64) …`: what comes before the first slash. Models `prefixFromUserAgent`.
fn manager_of(user_agent: &str) -> String {
    let name: String = user_agent.split('/').next().unwrap_or("").chars().filter(|c| !c.is_control()).collect();
    let end = (0..=name.len().min(query::FIELD_MANAGER_MAX)).rev().find(|i| name.is_char_boundary(*i));
    name[..end.unwrap_or(0)].into()
}

/// Known to the registration; the empty one is the resource itself.
fn subresource(kind: KindRef, name: &str) -> Result<&'static str, ApiError> {
    if name.is_empty() {
        return Ok("");
    }
    kind.subresource(name).map(|s| s.name).ok_or_else(no_such_resource)
}

fn verb(
    method: &str,
    content_type: &str,
    collection: bool,
    watching: bool,
    subresource: &str,
) -> Result<RequestVerb, ApiError> {
    Ok(match (method, collection) {
        ("GET", true) if watching => RequestVerb::Watch,
        // Only the deprecated /watch/ prefix and old clients watch a name.
        ("GET", false) if watching && subresource.is_empty() => RequestVerb::Watch,
        ("GET", true) => RequestVerb::List,
        ("GET", false) => RequestVerb::Get,
        // Resources have no route for it; what is proxied has one for every method.
        ("HEAD" | "OPTIONS", false) if subresource == "proxy" => RequestVerb::Get,
        ("POST", true) => RequestVerb::Create,
        ("POST", false) if !subresource.is_empty() => RequestVerb::Create,
        ("PUT", false) => RequestVerb::Update,
        ("PATCH", false) if subresource == "proxy" => RequestVerb::Patch(PatchType::Merge),
        ("PATCH", false) => RequestVerb::Patch(patch_type(content_type)?),
        ("DELETE", true) => RequestVerb::DeleteCollection,
        ("DELETE", false) => RequestVerb::Delete,
        _ => return Err(method_not_allowed()),
    })
}

const PATCHES: &str = "application/json-patch+json, application/merge-patch+json, \
                       application/strategic-merge-patch+json, application/apply-patch+yaml";
/// Nobody knows how to merge the lists of custom resources.
const CUSTOM_PATCHES: &str = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";

fn unknown_patch(accepted: &str) -> ApiError {
    let why = "the body of the request was in an unknown format - accepted media types include:";
    ApiError::unsupported_media_type(format!("{why} {accepted}"))
}

fn patch_type(content_type: &str) -> Result<PatchType, ApiError> {
    match media_type(content_type) {
        "application/json-patch+json" => Ok(PatchType::Json),
        "application/merge-patch+json" => Ok(PatchType::Merge),
        "application/strategic-merge-patch+json" => Ok(PatchType::Strategic),
        "application/apply-patch+yaml" => Ok(PatchType::Apply),
        _ => Err(unknown_patch(PATCHES)),
    }
}

/// Whether the kind (or its subresource) has the verb.
fn check_verb(kind: KindRef, subresource: &str, verb: RequestVerb) -> Result<(), ApiError> {
    if subresource == "proxy" {
        return Ok(());
    }
    let verbs = kind.subresource(subresource).map_or(kind.verbs, |s| s.verbs);
    let needed = match verb {
        RequestVerb::Get => Verb::Get,
        RequestVerb::List => Verb::List,
        RequestVerb::Watch => Verb::Watch,
        RequestVerb::Create => Verb::Create,
        RequestVerb::Update => Verb::Update,
        RequestVerb::Patch(_) => Verb::Patch,
        RequestVerb::Delete => Verb::Delete,
        RequestVerb::DeleteCollection => Verb::DeleteCollection,
    };
    if verbs.contains(&needed) { Ok(()) } else { Err(method_not_allowed()) }
}

/// `POST namespaces/NS/bindings`: the pod's name stands in the body only.
fn old_binding(
    user: User,
    namespace: &str,
    method: &str,
    body: Body,
    query: &[(String, String)],
) -> Result<(Request, Wants), ApiError> {
    if method != "POST" || namespace.is_empty() {
        return Err(method_not_allowed());
    }
    let pods = api::by_plural("", "v1", "pods").ok_or_else(no_such_resource)?;
    let options: RequestOptions = query::options(query, RequestVerb::Create)?;
    let mut request = Request::new(user, RequestVerb::Create, pods, namespace, "").subresource("binding").body(body);
    let binding = crate::decode::binding(&mut request)?;
    request.name = binding.metadata.name.clone().unwrap_or_default();
    request.options = options;
    request.body = Body::Binding(Box::new(binding));
    Ok((request, Wants::default()))
}
