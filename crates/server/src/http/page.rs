//! The page's files and its WebSocket, over plain HTTP for this machine only.

use super::socket;
use crate::world::Handle;
use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{any, get};
use std::path::PathBuf;
use tower_http::services::ServeDir;

/// Everything a browser asks for.
pub fn router(handle: Handle, dir: Option<PathBuf>) -> Router {
    let router = Router::new().route("/kubottle/ws", any(upgrade)).with_state(handle);
    let router = match dir {
        Some(dir) => {
            let index = dir.join("index.html");
            router.route("/", get(move || marked(index.clone()))).fallback_service(ServeDir::new(dir))
        }
        None => router.fallback(|| async { (StatusCode::NOT_FOUND, "this server was started without a page\n") }),
    };
    router.layer(axum::middleware::map_response(fresh)).layer(axum::middleware::from_fn(local))
}

/// The page, told that a cluster's server stands behind it: only then does it offer that cluster.
async fn marked(index: PathBuf) -> Response {
    match tokio::fs::read_to_string(&index).await {
        Ok(html) => {
            let mark = "<head><meta name=\"kubottle-server\" content=\"kubottle/ws\">";
            Html(html.replacen("<head>", mark, 1)).into_response()
        }
        Err(e) => (StatusCode::NOT_FOUND, format!("{}: {e}\n", index.display())).into_response(),
    }
}

/// The worker's files keep their names from build to build: the browser has to ask each time.
async fn fresh(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// A name that was made to point here (DNS rebinding) is not this server's.
async fn local(request: Request, next: axum::middleware::Next) -> Response {
    match request.headers().get(HOST).and_then(|h| h.to_str().ok()) {
        Some(host) if is_local(host) => next.run(request).await,
        _ => (StatusCode::MISDIRECTED_REQUEST, "ask for 127.0.0.1 or localhost\n").into_response(),
    }
}

fn is_local(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    name == "localhost" || address.is_ok_and(|a| a.is_loopback())
}

async fn upgrade(State(handle): State<Handle>, headers: HeaderMap, ws: WebSocketUpgrade) -> Response {
    if !same_origin(&headers) {
        return (StatusCode::FORBIDDEN, "the page of another site may not speak to this cluster\n").into_response();
    }
    // Manifests of several megabytes come in one message.
    ws.max_message_size(64 << 20).on_upgrade(move |socket| socket::run(handle, socket))
}

/// A browser always says where a page comes from; programs that are no browser say nothing.
fn same_origin(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let (origin, host) = (origin.to_str().unwrap_or(""), headers.get(HOST).and_then(|h| h.to_str().ok()).unwrap_or(""));
    origin.strip_prefix("http://") == Some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machines_own_page_may_connect() {
        for (host, origin, allowed) in [
            ("127.0.0.1:8080", None, true),
            ("127.0.0.1:8080", Some("http://127.0.0.1:8080"), true),
            ("127.0.0.1:8080", Some("http://127.0.0.1:9090"), false),
            ("127.0.0.1:8080", Some("https://evil.example"), false),
            ("127.0.0.1:8080", Some("null"), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static(host));
            if let Some(origin) = origin {
                headers.insert(ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(same_origin(&headers), allowed, "{host} {origin:?}");
        }
        for (host, local) in
            [("localhost:8080", true), ("[::1]:8080", true), ("127.0.0.1", true), ("evil.example:8080", false)]
        {
            assert_eq!(is_local(host), local, "{host}");
        }
    }
}
