//! Requests on their way to a pod's own HTTP server: through the API server's proxy paths, from NodePorts, and from
//! guests to each other.

use super::api::{finish, refuse};
use super::body::{Body, full};
use crate::services::{Backend, NoRoute, OpenPort};
use crate::wasm::Container;
use crate::wasm::host::{BoxFuture, Caller, Network};
use crate::world::{Handle, World};
use apiserver::Credentials;
use apiserver::http::HttpRequest;
use cluster::http::HttpOutcome;
use http::header::{LOCATION, UPGRADE};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use meta::ApiError;
use std::net::IpAddr;
use std::sync::Arc;
use wasmtime_wasi_http::{Error as HttpError, WasiBody};

/// Headers that belong to one connection.
pub const HOP_BY_HOP: [&str; 7] =
    ["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"];
/// A guest's request is held whole before it is passed on: a guest that does not read it must not stop the other.
const GUEST_BODY_BYTES_MAX: usize = 16 << 20;
/// What a simulated program is sent.
const SIMULATED_BODY_BYTES_MAX: usize = 1 << 20;

/// Whether a path leads through the API server to somewhere else.
pub fn is_proxy(path: &str) -> bool {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    matches!(parts.as_slice(), ["api", "v1", "namespaces", _, "pods" | "services", _, "proxy", ..])
}

/// Carries a request to `…/pods/NAME:PORT/proxy/…` or `…/services/NAME:PORT/proxy/…`.
pub async fn handle(handle: Handle, who: Credentials, request: Request<Incoming>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let (method, uri) = (parts.method.clone(), parts.uri.clone());
    let found = handle.try_until(move |w, errand| {
        let user = match w.cluster.identify(&who) {
            Ok(user) => user,
            Err(e) => return Ok(Err(e)),
        };
        let request = HttpRequest::bare(method.as_str(), uri.path(), uri.query().unwrap_or(""), user);
        Ok(match w.cluster.try_http(request, errand)? {
            HttpOutcome::Proxy(target) => {
                let port = target.port.clone();
                let backend = if target.kind.kind == "Pod" {
                    w.pod_backend(&target.key, &port)
                } else {
                    w.service_backend(&target.key, &port)
                };
                backend.map(|b| (b, target.path)).map_err(|e| no_route(&e))
            }
            HttpOutcome::Response(r) => Err(refusal(&r.body, r.code)),
            _ => Err(ApiError::internal("not a proxy request")),
        })
    });
    let (backend, path) = match found.await {
        Ok(Ok(found)) => found,
        Ok(Err(e)) => return refuse(&e),
        Err(e) => return refuse(&ApiError::new(503, "ServiceUnavailable", e.to_string())),
    };
    let query = parts.uri.query().map(|q| format!("?{q}")).unwrap_or_default();
    // So that a page's relative links lead somewhere. Models `UpgradeAwareHandler.ServeHTTP`.
    let bare = is_proxy(parts.uri.path()) && parts.uri.path().trim_matches('/').split('/').count() == 7;
    let upgrades = parts.headers.contains_key(UPGRADE);
    if matches!(parts.method, Method::GET | Method::HEAD) && bare && !parts.uri.path().ends_with('/') && !upgrades {
        let to = format!("{}/{query}", parts.uri.path());
        return finish(Response::builder().status(StatusCode::MOVED_PERMANENTLY).header(LOCATION, to).body(full("")));
    }
    let mut inner = Request::from_parts(parts, body);
    inner.headers_mut().remove("authorization");
    match format!("{path}{query}").parse() {
        Ok(uri) => *inner.uri_mut() = uri,
        Err(e) => return refuse(&ApiError::bad_request(format!("{path:?}: {e}"))),
    }
    match to_backend(handle, backend, inner).await {
        Ok(response) => response,
        Err(e) => refuse(&ApiError::new(503, "ServiceUnavailable", format!("error trying to reach service: {e:#}"))),
    }
}

pub fn refusal(body: &[u8], code: u16) -> ApiError {
    match serde_json::from_slice(body) {
        Ok(status) => ApiError(Box::new(status)),
        Err(_) => ApiError::new(code, "", String::from_utf8_lossy(body)),
    }
}

fn no_route(e: &NoRoute) -> ApiError {
    match e {
        NoRoute::Missing { plural, name } => ApiError::not_found("", plural, name),
        NoRoute::Unknown(text) => ApiError::new(404, "NotFound", text.as_str()),
        NoRoute::NoEndpoints(text) => ApiError::new(503, "ServiceUnavailable", text.as_str()),
        NoRoute::Refused(text) => {
            ApiError::new(503, "ServiceUnavailable", format!("error trying to reach service: {text}"))
        }
    }
}

/// One request to whoever answers it.
///
/// # Errors
/// The other side does not speak HTTP, or is gone.
pub async fn to_backend(
    handle: Handle,
    backend: Backend,
    request: Request<Incoming>,
) -> anyhow::Result<Response<Body>> {
    let (parts, body) = request.into_parts();
    let (backend, request) = match backend {
        Backend::Gateway { tls, from } => match at_gateway(&handle, tls, from, for_gateway(&parts)).await? {
            Err(answer) => return Ok(simulated(answer)),
            Ok((backend, path)) => {
                let mut request = Request::from_parts(parts, body);
                *request.uri_mut() = path.parse()?;
                (backend, request)
            }
        },
        backend => (backend, Request::from_parts(parts, body)),
    };
    match backend {
        Backend::Wasm(guest) => forward(&guest, request.map(|b| b.map_err(HttpError::from).boxed_unsync())).await,
        Backend::Simulated { node, server } => {
            let (parts, body) = request.into_parts();
            let body = http_body_util::Limited::new(body, SIMULATED_BODY_BYTES_MAX).collect().await;
            let body = body.map_err(|e| anyhow::anyhow!("{e}"))?.to_bytes();
            let asked = asked(server, &parts, &body);
            let answer = handle.ask(move |w| w.cluster.pod_http(&node, &asked)).await?;
            Ok(simulated(answer.map_err(|e| anyhow::anyhow!("{e:?}"))?))
        }
        Backend::Gateway { .. } => Err(anyhow::anyhow!("the ingress controller is a backend of its own")),
    }
}

/// What a simulated program is asked. Behind the ingress controller it gets what that has made of the request.
fn asked(server: network::Server, parts: &http::request::Parts, body: &[u8]) -> network::Server {
    let mut asked = network::Server { path: whole_path(&parts.uri), ..server };
    if asked.proxied {
        asked.said.body = String::from_utf8_lossy(body).into_owned();
        return asked;
    }
    asked.host = host_header(parts);
    asked.said = said(parts, body);
    asked
}

fn host_header(parts: &http::request::Parts) -> String {
    let named = parts.headers.get(http::header::HOST).and_then(|h| h.to_str().ok());
    named.or(parts.uri.authority().map(|a| a.as_str())).unwrap_or("").to_string()
}

/// Method, headers (but `Host`) and body.
fn said(parts: &http::request::Parts, body: &[u8]) -> network::Said {
    let text = |v: &http::HeaderValue| String::from_utf8_lossy(v.as_bytes()).into_owned();
    let others = parts.headers.iter().filter(|(name, _)| *name != http::header::HOST);
    let headers = others.map(|(name, value)| (name.to_string(), text(value))).collect();
    network::Said { method: parts.method.to_string(), headers, body: String::from_utf8_lossy(body).into_owned() }
}

/// The path with its query.
fn whole_path(uri: &http::Uri) -> String {
    uri.path_and_query().map_or("/", |p| p.as_str()).to_string()
}

/// A request as the ingress controller looks at it.
fn for_gateway(parts: &http::request::Parts) -> network::Request {
    let (header, path) = (host_header(parts), whole_path(&parts.uri));
    network::Request { header, path, said: said(parts, b""), ..network::Request::default() }
}

/// What the ingress controller does with a request: who answers and by which path, or its own answer.
async fn at_gateway(
    handle: &Handle,
    tls: bool,
    from: String,
    asked: network::Request,
) -> anyhow::Result<Result<(Backend, String), network::Response>> {
    let passed = handle.ask(move |w| w.through_gateway(tls, from, &asked)).await?;
    passed.map_err(|e| anyhow::anyhow!("{e:?}"))
}

/// The answer of something simulated.
fn simulated(answer: network::Response) -> Response<Body> {
    let kind = match answer.body.trim_start().as_bytes().first() {
        Some(b'<') => "text/html",
        Some(b'{' | b'[') => "application/json",
        _ => "text/plain; charset=utf-8",
    };
    let mut response = Response::builder().status(answer.status).header("content-type", kind);
    if let Some(location) = answer.location {
        response = response.header("location", location);
    }
    finish(response.body(full(answer.body)))
}

/// One request to one guest, with the connection's own headers taken off both ways.
pub async fn forward(container: &Arc<Container>, mut request: Request<WasiBody>) -> anyhow::Result<Response<Body>> {
    for name in HOP_BY_HOP {
        request.headers_mut().remove(name);
    }
    if request.uri().authority().is_none() && !request.headers().contains_key("host") {
        request.headers_mut().insert("host", http::HeaderValue::from_static("localhost"));
    }
    let mut response = container.handle(request).await?;
    for name in HOP_BY_HOP {
        response.headers_mut().remove(name);
    }
    Ok(response.map(|b| b.map_err(|e| anyhow::anyhow!("{e:?}")).boxed_unsync()))
}

/// A request that came in on a NodePort, or through a load balancer.
pub async fn from_outside(
    handle: Handle,
    port: OpenPort,
    client: IpAddr,
    request: Request<Incoming>,
) -> Response<Body> {
    let text =
        |code: StatusCode, text: String| finish(Response::builder().status(code).body(full(format!("{text}\n"))));
    let find = move |w: &mut World| w.port_backend(&port, client);
    let backend = match handle.ask(find).await {
        Ok(Ok(backend)) => backend,
        Ok(Err(e)) => return text(StatusCode::BAD_GATEWAY, e.to_string()),
        Err(e) => return text(StatusCode::SERVICE_UNAVAILABLE, e.to_string()),
    };
    match to_backend(handle, backend, request).await {
        Ok(response) => response,
        Err(e) => text(StatusCode::BAD_GATEWAY, format!("{e:#}")),
    }
}

/// The cluster's network as guests use it.
pub struct ClusterNetwork(pub Handle);

impl Network for ClusterNetwork {
    fn send(
        &self,
        caller: &Caller,
        request: http::Request<WasiBody>,
    ) -> BoxFuture<Result<http::Response<WasiBody>, HttpError>> {
        let (handle, caller) = (self.0.clone(), caller.clone());
        Box::pin(async move {
            let uri = request.uri().clone();
            let host = uri.host().unwrap_or("").to_string();
            if uri.scheme_str() == Some("https") {
                return Err(HttpError::TlsProtocolError);
            }
            let port = uri.port_u16().unwrap_or(80);
            let find = move |w: &mut World| w.host_backend(&caller, &host, port);
            let backend = match handle.ask(find).await {
                Ok(Ok(backend)) => backend,
                Ok(Err(NoRoute::Unknown(text))) => {
                    return Err(HttpError::DnsError { rcode: Some(text), info_code: None });
                }
                _ => return Err(HttpError::ConnectionRefused),
            };
            let answered = |answer: network::Response| {
                let body = Full::new(answer.body.into()).map_err(|e| match e {}).boxed_unsync();
                let built = http::Response::builder().status(answer.status).body(body);
                built.map_err(|_| HttpError::HttpProtocolError)
            };
            let (parts, body) = request.into_parts();
            let (backend, path) = match backend {
                Backend::Gateway { tls, from } => match at_gateway(&handle, tls, from, for_gateway(&parts)).await {
                    Ok(Ok(found)) => found,
                    Ok(Err(answer)) => return answered(answer),
                    Err(_) => return Err(HttpError::ConnectionTerminated),
                },
                backend => (backend, whole_path(&uri)),
            };
            let container = match backend {
                Backend::Wasm(container) => container,
                Backend::Simulated { node, server } => {
                    let body = http_body_util::Limited::new(body, SIMULATED_BODY_BYTES_MAX).collect().await;
                    let body = body.map_err(|_| HttpError::HttpRequestBodySize(None))?.to_bytes();
                    let asked = network::Server { path, ..asked(server, &parts, &body) };
                    let answer = handle.ask(move |w| w.cluster.pod_http(&node, &asked)).await;
                    let Ok(Ok(answer)) = answer else { return Err(HttpError::ConnectionTerminated) };
                    return answered(answer);
                }
                Backend::Gateway { .. } => return Err(HttpError::ConnectionTerminated),
            };
            let body = http_body_util::Limited::new(body, GUEST_BODY_BYTES_MAX).collect().await;
            let body = body.map_err(|_| HttpError::HttpRequestBodySize(None))?.to_bytes();
            let body = Full::new(body).map_err(|e| match e {}).boxed_unsync();
            let response = container.handle(Request::from_parts(parts, body)).await;
            response.map_err(|_| HttpError::ConnectionTerminated)
        })
    }
}
