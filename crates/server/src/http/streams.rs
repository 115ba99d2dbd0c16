//! `exec`, `attach` and `portforward`: requests that turn their connection into streams. Models
//! `pkg/registry/core/pod/rest/subresources.go` and `apiserver/pkg/util/proxy/streamtranslator.go`.

use super::api::{finish, refuse};
use super::body::{Body, full};
use super::spdy::link::{over_connection, over_websocket};
use super::wire::Wire;
use super::{channels, forward, proxy, spdy};
use crate::world::Handle;
use apiserver::http::HttpRequest;
use apiserver::{Connect, ConnectTarget, Credentials};
use cluster::http::HttpOutcome;
use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use http::{HeaderMap, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use meta::ApiError;
use std::future::Future;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};

pub type Socket = WebSocketStream<TokioIo<Upgraded>>;

pub const V5: &str = "v5.channel.k8s.io";
const CHANNELS: &str = "v4.channel.k8s.io";
const BASE64: &str = "v4.base64.channel.k8s.io";
/// What a client that offers no protocol gets.
const UNNAMED: &str = "";
/// The newest protocol first.
const EXEC: [&str; 6] = [V5, CHANNELS, BASE64, "channel.k8s.io", "base64.channel.k8s.io", UNNAMED];
const EXEC_SPDY: [&str; 1] = [CHANNELS];
const FORWARD_TUNNEL: &str = "SPDY/3.1+portforward.k8s.io";
const FORWARD: [&str; 4] = [FORWARD_TUNNEL, CHANNELS, BASE64, UNNAMED];
const FORWARD_SPDY: [&str; 1] = ["portforward.k8s.io"];
/// Where SPDY clients say which protocols they know.
const STREAM_PROTOCOL: &str = "x-stream-protocol-version";

/// What ends a WebSocket; clients take an end without a code for an error.
pub fn goodbye() -> Message {
    Message::Close(Some(CloseFrame { code: CloseCode::Normal, reason: "".into() }))
}

/// Whether a path names streams of a pod.
pub fn is_stream(path: &str) -> bool {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    matches!(parts.as_slice(), ["api", "v1", "namespaces", _, "pods", _, "exec" | "attach" | "portforward"])
}

pub async fn handle(handle: Handle, who: Credentials, request: Request<Incoming>) -> Response<Body> {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let found = handle.try_until(move |w, errand| {
        let user = match w.cluster.identify(&who) {
            Ok(user) => user,
            Err(e) => return Ok(Err(e)),
        };
        let request = HttpRequest::bare(method.as_str(), uri.path(), uri.query().unwrap_or(""), user);
        Ok(match w.cluster.try_http(request, errand)? {
            HttpOutcome::Connect(target) => Ok(target),
            HttpOutcome::Response(r) => Err(proxy::refusal(&r.body, r.code)),
            _ => Err(ApiError::internal("not a stream")),
        })
    });
    let target = match found.await {
        Ok(Ok(target)) => target,
        Ok(Err(e)) => return refuse(&e),
        Err(e) => return refuse(&ApiError::new(503, "ServiceUnavailable", e.to_string())),
    };
    match connect(handle, target, request).await {
        Ok(response) => response,
        Err(e) => refuse(&e),
    }
}

/// The protocols a client offers, in its order.
fn offered(headers: &HeaderMap, spdy: bool) -> Vec<&str> {
    let name = if spdy { STREAM_PROTOCOL } else { SEC_WEBSOCKET_PROTOCOL.as_str() };
    let lists = headers.get_all(name).iter().filter_map(|v| v.to_str().ok());
    lists.flat_map(|l| l.split(',')).map(str::trim).collect()
}

async fn connect(
    handle: Handle,
    target: ConnectTarget,
    request: Request<Incoming>,
) -> Result<Response<Body>, ApiError> {
    let upgrade = request.headers().get(UPGRADE).and_then(|v| v.to_str().ok()).unwrap_or("").to_lowercase();
    let spdy = match upgrade.as_str() {
        "websocket" => false,
        "spdy/3.1" => true,
        _ => return Err(ApiError::bad_request("Upgrade request required")),
    };
    let ports = target.connect == Connect::PortForward;
    let accepted = match (spdy, ports) {
        (false, false) => EXEC.as_slice(),
        (false, true) => &FORWARD,
        (true, false) => &EXEC_SPDY,
        (true, true) => &FORWARD_SPDY,
    };
    let mut offers = offered(request.headers(), spdy);
    if offers.is_empty() && !spdy {
        offers.push(UNNAMED);
    }
    let Some(protocol) = accepted.iter().find(|p| offers.contains(p)) else {
        let why = format!("unable to negotiate protocol: client supports {offers:?}, server accepts {accepted:?}");
        return Err(ApiError::new(403, "Forbidden", format!("unable to upgrade: {why}")));
    };
    if ports {
        return match (spdy, *protocol) {
            (true, _) => over_spdy(request, protocol, move |c| spdy::forward(handle, target, over_connection(c))),
            (_, FORWARD_TUNNEL) => {
                websocket(request, protocol, move |s| spdy::forward(handle, target, over_websocket(s)))
            }
            _ => websocket(request, protocol, move |s| forward::channels(handle, target, s, Wire::of(protocol))),
        };
    }
    let o = &target.options;
    if !(o.stdin || o.stdout || o.stderr) {
        return Err(ApiError::bad_request("you must specify at least 1 of stdin, stdout, stderr"));
    }
    let asked = target.clone();
    let session = handle.ask(move |w| w.open_session(&asked)).await;
    let session = session.map_err(|e| ApiError::new(503, "ServiceUnavailable", e.to_string()))?;
    let v5 = *protocol == V5;
    let session = match session {
        // The kubelet's own answer: with v5 the API server has upgraded before it asks.
        Err(why) if !v5 => return Err(ApiError::internal(why)),
        session => session,
    };
    if spdy {
        return over_spdy(request, protocol, move |c| spdy::exec(handle, target, over_connection(c), session));
    }
    websocket(request, protocol, move |socket| channels::run(handle, target, socket, session, protocol))
}

fn over_spdy<F: Future<Output = ()> + Send + 'static>(
    mut request: Request<Incoming>,
    protocol: &'static str,
    serve: impl FnOnce(TokioIo<Upgraded>) -> F + Send + 'static,
) -> Result<Response<Body>, ApiError> {
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        if let Ok(connection) = upgraded.await {
            serve(TokioIo::new(connection)).await;
        }
    });
    let response = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS).header(CONNECTION, "Upgrade");
    Ok(finish(response.header(UPGRADE, "SPDY/3.1").header(STREAM_PROTOCOL, protocol).body(full(""))))
}

/// Answers the handshake; `serve` gets the connection.
fn websocket<F: Future<Output = ()> + Send + 'static>(
    mut request: Request<Incoming>,
    protocol: &'static str,
    serve: impl FnOnce(Socket) -> F + Send + 'static,
) -> Result<Response<Body>, ApiError> {
    let key = request.headers().get(SEC_WEBSOCKET_KEY).ok_or_else(|| ApiError::bad_request("no WebSocket key"))?;
    let accept = derive_accept_key(key.as_bytes());
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        // A client that is gone by now is no news.
        if let Ok(connection) = upgraded.await {
            serve(WebSocketStream::from_raw_socket(TokioIo::new(connection), Role::Server, None).await).await;
        }
    });
    let response = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_ACCEPT, accept);
    let response = match protocol {
        UNNAMED => response,
        _ => response.header(SEC_WEBSOCKET_PROTOCOL, protocol),
    };
    Ok(finish(response.body(full(""))))
}
