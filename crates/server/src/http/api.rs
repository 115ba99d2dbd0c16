//! Kubernetes requests over HTTPS.

use super::auth;
use super::body::{Body, full, stream};
use super::{aggregation, faults, follow, processes, proxy, streams};
use crate::protobuf;
use crate::tls;
use crate::webhooks::Webhooks;
use crate::world::Handle;
use api::Kinds;
use apiserver::Credentials;
use apiserver::http::HttpRequest;
use bytes::Bytes;
use cluster::aggregation::Passed;
use cluster::http::{HttpOutcome, LogRequest};
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION, USER_AGENT,
    VARY,
};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use meta::{ApiError, User};
use sha2::{Digest, Sha512};
use std::fmt::Write as _;
use std::io::Write;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Upstream's `MaxRequestBodyBytes`.
const BODY_BYTES_MAX: usize = 3 << 20;
/// `--min-request-timeout`: upstream ends watches without a timeout after 30 to 60 minutes.
const WATCH_TIMEOUT: Duration = Duration::from_secs(45 * 60);
const AUDIT_ID: &str = "audit-id";
const FLOW_SCHEMA: &str = "x-kubernetes-pf-flowschema-uid";
const PRIORITY_LEVEL: &str = "x-kubernetes-pf-prioritylevel-uid";
/// How often a followed log is looked at.
const LOG_POLL: Duration = Duration::from_millis(200);

/// All of a body.
async fn whole(body: Incoming) -> Result<Vec<u8>, ApiError> {
    match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(body) => Ok(body.to_bytes().to_vec()),
        Err(e) if e.is::<http_body_util::LengthLimitError>() => {
            let message = format!("Request entity too large: limit is {BODY_BYTES_MAX}");
            Err(ApiError::new(413, "RequestEntityTooLarge", message))
        }
        Err(e) => Err(ApiError::bad_request(e.to_string())),
    }
}

/// Answers one request, under the name that its audit event would have: the client's own, or a new one. `certified` is
/// the client certificate's user. Models `WithAuditInit` of `apiserver/pkg/endpoints/filters/audit_init.go`.
pub async fn handle(handle: Handle, certified: Option<User>, request: Request<Incoming>) -> Response<Body> {
    let given = request.headers().get(AUDIT_ID).filter(|id| !id.is_empty()).cloned();
    let id = given.or_else(|| HeaderValue::try_from(tls::random_uuid().ok()?).ok());
    let is_head = request.method() == Method::HEAD;
    let mut response = answer(handle, certified, request).await;
    // HTTP/2 would break the stream off over a body.
    if is_head {
        *response.body_mut() = full("");
    }
    if let Some(id) = id {
        response.headers_mut().insert(AUDIT_ID, id);
    }
    response
}

async fn answer(handle: Handle, certified: Option<User>, request: Request<Incoming>) -> Response<Body> {
    let who = auth::credentials(certified.as_ref(), request.headers());
    let zips = request.headers().get(ACCEPT_ENCODING).and_then(|v| v.to_str().ok());
    let zips = zips.is_some_and(|v| v.split(',').any(|e| e.split(';').next().is_some_and(|e| e.trim() == "gzip")));
    let path = request.uri().path();
    if path.starts_with("/openapi/") || processes::is_process(path) || path == faults::PATH || path == follow::PATH {
        let again = who.clone();
        let kinds = match may(&handle, who, request.method().as_str(), path).await {
            Ok(kinds) => kinds,
            Err(refusal) => return refuse(&refusal),
        };
        if path.starts_with("/openapi/") {
            return match aggregation::document(&handle, &kinds, again, &request).await {
                Some(response) => response,
                None => openapi_document(&kinds, &request, zips),
            };
        }
        if path == follow::PATH {
            return follow::handle(handle, request.uri().query().unwrap_or("")).await;
        }
        if path == faults::PATH {
            let method = request.method().clone();
            return match whole(request.into_body()).await {
                Ok(body) => faults::handle(handle, method, body).await,
                Err(refusal) => refuse(&refusal),
            };
        }
        return processes::handle(handle, request.method().clone(), path.to_string()).await;
    }
    if proxy::is_proxy(path) {
        return proxy::handle(handle, who, request).await;
    }
    if streams::is_stream(request.uri().path()) {
        return streams::handle(handle, who, request).await;
    }
    let (mut parts, body) = request.into_parts();
    let mut body = match whole(body).await {
        Ok(body) => Bytes::from(body),
        Err(refusal) => return refuse(&refusal),
    };
    // Another server gets it as it came.
    let sent = (parts.clone(), body.clone());
    let mut unreadable = None;
    if parts.headers.get(CONTENT_TYPE).is_some_and(|t| t.as_bytes().starts_with(protobuf::CONTENT_TYPE.as_bytes())) {
        match protobuf::to_json(&body) {
            Ok(value) => body = value.to_string().into(),
            Err(e) => unreadable = Some(ApiError::bad_request(e)),
        }
        parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    let asked = handle.try_until(move |w, errand| {
        if let Some(e) = unreadable.clone().filter(|_| !w.is_remote(parts.uri.path())) {
            return Ok((Next::Refusal(e), None));
        }
        let user = match w.cluster.identify(&who) {
            Ok(user) => user,
            Err(e) => return Ok((Next::Refusal(e), None)),
        };
        let header = |name| parts.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or("");
        let request = HttpRequest {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or(""),
            accept: header(ACCEPT),
            content_type: header(CONTENT_TYPE),
            user_agent: header(USER_AGENT),
            user,
            body: body.to_vec(),
        };
        let flow = w.cluster.flow(&request);
        let next = match w.cluster.try_http(request, errand)? {
            HttpOutcome::Watch { watcher, initial } => {
                let timeout = watcher.spec().timeout_seconds.map_or(WATCH_TIMEOUT, Duration::from_secs);
                Next::Watch { initial: initial.into(), timeout, frames: w.add_watch(watcher) }
            }
            HttpOutcome::Response(r) => Next::Answer(r),
            HttpOutcome::Passed(passed) => match &w.webhooks {
                Some(m) => Next::Pass(m.webhooks.clone(), passed),
                None => Next::Refusal(ApiError::internal("nobody carries requests")),
            },
            HttpOutcome::Logs(log) => Next::Log(w.read_log(&log), log),
            // `is_proxy` and `is_stream` have caught these before the body was read.
            HttpOutcome::Proxy(_) | HttpOutcome::Connect(_) => Next::Refusal(ApiError::internal("not an API request")),
        };
        Ok((next, flow))
    });
    let (next, flow) = match asked.await {
        Ok(next) => next,
        Err(e) => return refuse(&ApiError::new(503, "ServiceUnavailable", e.to_string())),
    };
    let mut response = match next {
        Next::Pass(webhooks, passed) => aggregation::pass(&webhooks, &passed, &sent.0, &sent.1).await,
        next => render(handle, next, sent.0.headers.get(IF_NONE_MATCH), zips),
    };
    for (name, uid) in flow.map(|f| [(FLOW_SCHEMA, f.schema), (PRIORITY_LEVEL, f.level)]).into_iter().flatten() {
        if let Ok(uid) = HeaderValue::try_from(uid) {
            response.headers_mut().insert(name, uid);
        }
    }
    response
}

/// `known` is what the client has already (`If-None-Match`).
fn render(handle: Handle, next: Next, known: Option<&HeaderValue>, zips: bool) -> Response<Body> {
    match next {
        Next::Refusal(e) | Next::Log(Err(e), _) => refuse(&e),
        Next::Pass(..) => refuse(&ApiError::internal("somebody else answers")),
        Next::Answer(r) => {
            if r.content_type.ends_with("as=APIGroupDiscoveryList") {
                return discovered(r, known, zips);
            }
            let mut response = Response::builder().status(r.code).header(CONTENT_TYPE, r.content_type);
            response = response.header(CACHE_CONTROL, r.cache_control);
            if r.content_type == "text/plain; charset=utf-8" {
                response = response.header("X-Content-Type-Options", "nosniff");
            }
            for warning in r.warnings {
                response = response.header("Warning", warning);
            }
            if zips && r.body.len() > GZIP_BYTES_MIN {
                response = response.header(CONTENT_ENCODING, "gzip").header(VARY, "Accept-Encoding");
                return finish(response.body(full(zipped(&r.body))));
            }
            finish(response.body(full(r.body)))
        }
        Next::Watch { initial, timeout, frames } => {
            streaming("application/json", stream(initial, frames, Some(Instant::now() + timeout)))
        }
        Next::Log(Ok(text), log) if log.options.follow => {
            streaming("text/plain", stream(text.into(), follow(handle, log), None))
        }
        Next::Log(Ok(text), _) => finish(Response::builder().header(CONTENT_TYPE, "text/plain").body(full(text))),
    }
}

/// Aggregated discovery: who has it already is told so. Models `aggregated.ServeHTTPWithETag`.
fn discovered(r: apiserver::http::HttpResponse, known: Option<&HeaderValue>, zips: bool) -> Response<Body> {
    let mut etag = String::from('"');
    for b in Sha512::digest(&r.body) {
        // Writing to a string cannot fail.
        let _ = write!(etag, "{b:02X}");
    }
    etag.push('"');
    let response = Response::builder().header(ETAG, &etag).header(CACHE_CONTROL, "public");
    if known.is_some_and(|v| v.as_bytes() == etag.as_bytes()) {
        return finish(response.status(StatusCode::NOT_MODIFIED).header(VARY, "Accept").body(full("")));
    }
    let response = response.status(r.code).header(CONTENT_TYPE, r.content_type);
    if zips && r.body.len() > GZIP_BYTES_MIN {
        let response = response.header(CONTENT_ENCODING, "gzip").header(VARY, "Accept, Accept-Encoding");
        return finish(response.body(full(zipped(&r.body))));
    }
    finish(response.header(VARY, "Accept").body(full(r.body)))
}

enum Next {
    Answer(apiserver::http::HttpResponse),
    Refusal(ApiError),
    Pass(Webhooks, Passed),
    Watch { initial: Bytes, timeout: Duration, frames: mpsc::Receiver<Bytes> },
    Log(Result<Vec<u8>, ApiError>, LogRequest),
}

/// Whether somebody may use a path that this server answers itself; the kinds that are served meanwhile.
async fn may(handle: &Handle, who: Credentials, method: &str, path: &str) -> Result<Kinds, ApiError> {
    let (verb, path) = (method.to_lowercase(), path.to_string());
    let asked = handle.ask(move |w| {
        let user = w.cluster.identify(&who)?;
        w.cluster.authorize_path(&user, &verb, &path)?;
        Ok(w.cluster.api().kinds().clone())
    });
    asked.await.unwrap_or_else(|e| Err(ApiError::new(503, "ServiceUnavailable", e.to_string())))
}

pub fn refuse(e: &ApiError) -> Response<Body> {
    let answer = apiserver::Answer::refusal(e.clone());
    let r = apiserver::http::render(&answer, &apiserver::http::Wants::default(), meta::Time(0));
    let response = Response::builder().status(r.code).header(CONTENT_TYPE, r.content_type);
    finish(response.header(CACHE_CONTROL, "no-cache, private").body(full(r.body)))
}

/// Models `defaultGzipThresholdBytes`.
const GZIP_BYTES_MIN: usize = 128 << 10;

fn zipped(body: &[u8]) -> Vec<u8> {
    // The level that upstream takes.
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(1));
    // Writing to a vector cannot fail.
    let _ = writer.write_all(body);
    writer.finish().unwrap_or_default()
}

fn streaming(content_type: &'static str, body: Body) -> Response<Body> {
    finish(Response::builder().header(CONTENT_TYPE, content_type).header(CACHE_CONTROL, "no-cache, private").body(body))
}

/// Headers made here are valid, so the builder cannot fail; if it does the client learns it.
pub fn finish(built: Result<Response<Body>, http::Error>) -> Response<Body> {
    built.unwrap_or_else(|e| {
        let mut r = Response::new(full(e.to_string()));
        *r.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        r
    })
}

/// What kubectl asks `/openapi/v2` for when `/openapi/v3` does not know a kind.
const OPENAPI_V2_PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/// `/openapi/v3` and below, and `/openapi/v2`.
fn openapi_document(kinds: &Kinds, request: &Request<Incoming>, zips: bool) -> Response<Body> {
    let path = request.uri().path().trim_end_matches('/');
    let accept = request.headers().get(ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or("");
    let json = accept.is_empty() || ["json", "*/*", "application/*"].iter().any(|t| accept.contains(t));
    if path == "/openapi/v2" {
        if !json {
            let document = openapi::v2::protobuf(kinds);
            return finish(Response::builder().header(CONTENT_TYPE, OPENAPI_V2_PROTOBUF).body(full(document)));
        }
        return send_document(&openapi::v2::document(kinds), request, zips);
    }
    if path == "/openapi/v3" {
        let body = openapi::index(kinds);
        let hash = Sha512::digest(&body).iter().map(|b| format!("{b:02X}")).collect();
        return send_document(&openapi::Document { body, hash }, request, false);
    }
    let Some(document) = path.strip_prefix("/openapi/v3/").and_then(|p| openapi::get(kinds, p)) else {
        return refuse(&ApiError::new(404, "NotFound", "the server could not find the requested resource"));
    };
    if !json {
        return finish(Response::builder().status(StatusCode::NOT_ACCEPTABLE).header(VARY, "Accept").body(full("")));
    }
    // Who knows an older one is sent to that which is there now. Models `HandleGroupVersion` of `kube-openapi/pkg/handler3`.
    let pairs = apiserver::http::query_pairs(request.uri().query().unwrap_or(""));
    if pairs.iter().any(|(k, v)| k == "hash" && !v.is_empty() && *v != document.hash) {
        let to = format!("{path}?hash={}", document.hash);
        return finish(Response::builder().status(StatusCode::MOVED_PERMANENTLY).header(LOCATION, to).body(full("")));
    }
    send_document(&document, request, zips)
}

fn send_document(document: &openapi::Document, request: &Request<Incoming>, zips: bool) -> Response<Body> {
    let etag = format!("\"{}\"", document.hash);
    if request.headers().get(IF_NONE_MATCH).is_some_and(|v| v.as_bytes() == etag.as_bytes()) {
        return finish(Response::builder().status(StatusCode::NOT_MODIFIED).header(ETAG, etag).body(full("")));
    }
    let asked_by_hash = request.uri().query().is_some_and(|q| q.contains("hash="));
    let cache = if asked_by_hash { "public, immutable" } else { "no-cache, private" };
    let response = Response::builder().header(CONTENT_TYPE, "application/json").header(ETAG, etag);
    let response = response.header(CACHE_CONTROL, cache).header(VARY, "Accept-Encoding, Accept");
    if zips {
        return finish(response.header(CONTENT_ENCODING, "gzip").body(full(zipped(&document.body))));
    }
    finish(response.body(full(document.body.clone())))
}

/// Sends what a container prints from now on; ends when it has ended.
fn follow(handle: Handle, log: LogRequest) -> mpsc::Receiver<Bytes> {
    let (tx, rx) = mpsc::channel(16);
    tokio::spawn(async move {
        let mut all = log.clone();
        all.options.tail_lines = None;
        all.options.since_seconds = None;
        all.options.since_time = None;
        all.options.limit_bytes = None;
        let mut sent = None;
        loop {
            let asked = all.clone();
            let Ok((text, ended)) = handle.ask(move |w| (w.read_log(&asked), w.cluster.container_ended(&asked))).await
            else {
                return;
            };
            let Ok(text) = text else { return };
            let from = *sent.get_or_insert(text.len());
            if text.len() < from {
                return;
            }
            if text.len() > from {
                sent = Some(text.len());
                if tx.send(Bytes::copy_from_slice(&text[from..])).await.is_err() {
                    return;
                }
            }
            if ended || tx.is_closed() {
                return;
            }
            tokio::time::sleep(LOG_POLL).await;
        }
    });
    rx
}
