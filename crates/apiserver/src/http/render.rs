//! Answers as bytes. Models `apiserver/pkg/endpoints/handlers/responsewriters`.

use super::accept::Wants;
use crate::response::{Answer, Response};
use crate::table::{As, Include, ListMeta, Look, partial, partial_list, scale_table, table};
use api::{KindRef, Obj, Object};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{self as meta_v1, Status};
use meta::{ApiError, Time};
use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpResponse {
    pub code: u16,
    pub content_type: &'static str,
    pub cache_control: &'static str,
    /// Values of `Warning` headers, quoted and ready to send.
    pub warnings: Vec<String>,
    pub body: Vec<u8>,
}

/// What the host must stream or connect itself (watches, logs, proxies) renders as an empty body.
pub fn render(answer: &Answer, wants: &Wants, now: Time) -> HttpResponse {
    // Reviews have no `TableConvertor`.
    if let (Response::Object(o), As::Table(_)) = (&answer.response, wants.form)
        && matches!(o.kind().group, "authorization.k8s.io" | "authentication.k8s.io")
    {
        let plain = Wants { form: As::Object, ..*wants };
        return match wants.plain_too {
            true => render(answer, &plain, now),
            false => render(&Answer::refusal(super::accept::not_acceptable()), &plain, now),
        };
    }
    if let Some(refusal) = mismatch(&answer.response, wants.form) {
        return render(&Answer::refusal(refusal), &Wants { form: As::Object, ..*wants }, now);
    }
    let (mut content_type, mut body) = match &answer.response {
        Response::Object(o) => (JSON, object(o, wants, now)),
        Response::List { kind, items, resource_version, continue_token, remaining } => {
            let metadata = ListMeta {
                // Of what is not stored there are no revisions.
                resource_version: if kind.stored { resource_version.to_string() } else { String::new() },
                continue_token: continue_token.clone(),
                remaining_item_count: *remaining,
            };
            (JSON, list(kind, items, metadata, wants, now))
        }
        Response::Status(s) => (JSON, status(s)),
        Response::Json(bytes) => (JSON, json(bytes, wants, now)),
        Response::Document(bytes) => (JSON, bytes.clone()),
        Response::Discovery(bytes) => (DISCOVERY, bytes.clone()),
        Response::Text(text) => (TEXT, text.clone().into_bytes()),
        Response::Watch(_) => (JSON, Vec::new()),
        Response::Logs { .. } | Response::Proxy(_) | Response::Connect(_) | Response::Live(_) => (TEXT, Vec::new()),
    };
    let negotiated = !matches!(answer.response, Response::Document(_) | Response::Watch(_));
    if negotiated && content_type != TEXT {
        if wants.yaml && content_type == JSON {
            (content_type, body) = ("application/yaml", yaml(&body));
        } else if wants.pretty {
            body = indent(&api::encode::escape_html(body));
        } else {
            body = api::encode::escape_html(body);
            // Go's encoder ends every value with a line's end, its indenter does not.
            body.push(b'\n');
        }
    }
    // RFC 7234: code 299, no agent.
    let warnings = answer.warnings.iter().map(|w| format!("299 - {}", quoted(w))).collect();
    HttpResponse { code: answer.code, content_type, cache_control: NO_CACHE, warnings, body }
}

/// A list was asked for as one object's metadata, or the other way round. Models `asPartialObjectMetadata` and
/// `asPartialObjectMetadataList`.
fn mismatch(response: &Response, form: As) -> Option<ApiError> {
    let message = match (response, form) {
        (Response::List { kind, .. }, As::Metadata) => {
            let list = go_type(kind, list_kind(kind));
            format!("you requested PartialObjectMetadata, but the requested object is a list ({list})")
        }
        (Response::Object(o), As::MetadataList) => {
            let object = go_type(o.kind(), o.kind().kind.into());
            format!("you requested PartialObjectMetadataList, but the requested object is not a list ({object})")
        }
        _ => return None,
    };
    Some(ApiError::new(406, "NotAcceptable", message))
}

/// The internal type's name in upstream's code.
fn go_type(kind: KindRef, name: String) -> String {
    if kind.custom.is_some() {
        return if name == kind.kind { "*unstructured.Unstructured" } else { "*unstructured.UnstructuredList" }.into();
    }
    let package = match kind.group.split('.').next() {
        None | Some("" | "events") => "core",
        Some(group) => group,
    };
    format!("*{package}.{name}")
}

/// Models `WithCacheControl`.
pub const NO_CACHE: &str = "no-cache, private";
const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";
const DISCOVERY: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

fn bytes<T: Serialize>(v: &T) -> Vec<u8> {
    serde_json::to_vec(v).unwrap_or_default()
}

fn look(wants: &Wants, include: Include) -> Look {
    Look { version: wants.forms_version(), include, columns: true }
}

fn object(o: &Obj, wants: &Wants, now: Time) -> Vec<u8> {
    match wants.form {
        As::Object => o.to_json(),
        As::Metadata | As::MetadataList => partial(o.meta(), wants.forms_version()),
        As::Table(include) => {
            let version = o.meta().resource_version.clone().unwrap_or_default();
            let metadata = ListMeta { resource_version: version, ..ListMeta::default() };
            table(o.kind(), std::iter::once(&**o), &metadata, look(wants, include), now)
        }
    }
}

/// Of what is not stored, a Scale alone can be asked for as a Table.
fn json(plain: &[u8], wants: &Wants, now: Time) -> Vec<u8> {
    if let As::Table(include) = wants.form
        && let Ok(v) = serde_json::from_slice::<serde_json::Value>(plain)
        && v["kind"] == "Scale"
    {
        return scale_table(&v, plain, look(wants, include), now);
    }
    plain.to_vec()
}

fn list(kind: KindRef, items: &[Obj], metadata: ListMeta, wants: &Wants, now: Time) -> Vec<u8> {
    let objects = items.iter().map(|o| &**o as &dyn Object);
    match wants.form {
        As::Table(include) => table(kind, objects, &metadata, look(wants, include), now),
        As::Metadata | As::MetadataList => partial_list(objects, metadata, wants.forms_version()),
        As::Object => {
            let head =
                format!("{{\"kind\":\"{}\",\"apiVersion\":\"{}\",\"metadata\":", list_kind(kind), kind.api_version());
            let mut out = head.into_bytes();
            out.extend(bytes(&metadata));
            out.extend_from_slice(b",\"items\":[");
            for (i, o) in objects.enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                out.extend(item(o, kind));
            }
            out.extend_from_slice(b"]}");
            out
        }
    }
}

fn list_kind(kind: KindRef) -> String {
    kind.custom.map_or_else(|| format!("{}List", kind.kind), |c| c.list_kind.into())
}

/// An item of a list, but of custom resources, goes without `apiVersion` and `kind`, which the serialization always puts first.
fn item(o: &dyn Object, kind: KindRef) -> Vec<u8> {
    let json = o.to_json();
    if kind.custom.is_some() {
        return json;
    }
    let head = format!("{{\"kind\":\"{}\",\"apiVersion\":\"{}\",", kind.kind, kind.api_version());
    match json.strip_prefix(head.as_bytes()) {
        Some(rest) => [b"{", rest].concat(),
        None => json,
    }
}

/// Status with its fields in upstream's order: clients compare the text.
pub(crate) fn status(s: &Status) -> Vec<u8> {
    let details = s.details.as_ref().map(|d| Details {
        name: d.name.as_deref(),
        group: d.group.as_deref(),
        kind: d.kind.as_deref(),
        uid: d.uid.as_deref(),
        causes: d
            .causes
            .iter()
            .flatten()
            .map(|c| Cause { reason: c.reason.as_deref(), message: c.message.as_deref(), field: c.field.as_deref() })
            .collect(),
        retry_after_seconds: d.retry_after_seconds,
    });
    bytes(&Refusal {
        kind: "Status",
        api_version: "v1",
        metadata: &s.metadata,
        status: s.status.as_deref(),
        message: s.message.as_deref(),
        reason: s.reason.as_deref(),
        details,
        code: s.code,
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Refusal<'a> {
    kind: &'a str,
    api_version: &'a str,
    metadata: &'a meta_v1::ListMeta,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<i32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Details<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    causes: Vec<Cause<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<i32>,
}

#[derive(Serialize)]
struct Cause<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
}

/// As Go's `json.Indent` does with two spaces: the order of the fields stays.
pub(crate) fn indent(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len() * 2);
    let (mut depth, mut in_string, mut escaped) = (0, false, false);
    let line = |out: &mut Vec<u8>, depth: usize| {
        out.push(b'\n');
        out.extend(std::iter::repeat_n(b' ', depth * 2));
    };
    for (i, b) in json.iter().enumerate() {
        if in_string {
            out.push(*b);
            in_string = escaped || *b != b'"';
            escaped = *b == b'\\' && !escaped;
            continue;
        }
        match b {
            b'{' | b'[' => {
                out.push(*b);
                depth += 1;
                if !matches!(json.get(i + 1), Some(b'}' | b']')) {
                    line(&mut out, depth);
                }
            }
            b'}' | b']' => {
                depth -= 1;
                if !matches!(out.last(), Some(b'{' | b'[')) {
                    line(&mut out, depth);
                }
                out.push(*b);
            }
            b',' => {
                out.push(*b);
                line(&mut out, depth);
            }
            b':' => out.extend_from_slice(b": "),
            b'"' => {
                in_string = true;
                out.push(*b);
            }
            other => out.push(*other),
        }
    }
    out
}

/// As `sigs.k8s.io/yaml` writes it: keys in alphabetical order.
fn yaml(json: &[u8]) -> Vec<u8> {
    let tree: serde_json::Value = serde_json::from_slice(json).unwrap_or_default();
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
    let mut out = String::new();
    // Writing a JSON tree to a string cannot fail.
    let _ = serde_saphyr::to_fmt_writer_with_options(&mut out, &tree, options);
    out.into_bytes()
}

/// Models `net.NewWarningHeader`: control characters are dropped, quotes and backslashes escaped.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars().filter(|c| !c.is_control()) {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}
