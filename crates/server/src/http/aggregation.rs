//! Requests that another API server answers, on their way there and back. Models `kube-aggregator/pkg/apiserver/handler_proxy.go`
//! and the proxy beneath it, `apimachinery/pkg/util/proxy/upgradeaware.go`.

use super::api::finish;
use super::body::{Body, full};
use super::proxy::HOP_BY_HOP;
use crate::webhooks::Webhooks;
use crate::world::Handle;
use api::Kinds;
use apiserver::{Call, Credentials};
use bytes::Bytes;
use cluster::aggregation::Passed;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST, LOCATION};
use http::request::Parts;
use http::{HeaderMap, Request, Response, StatusCode};
use hyper::body::Incoming;
use std::time::Duration;

/// How long the other server may think before it begins to answer.
const HEAD_MAX: Duration = Duration::from_secs(60);

/// Carries a request there, and the answer back as it comes.
pub async fn pass(webhooks: &Webhooks, passed: &Passed, parts: &Parts, body: &Bytes) -> Response<Body> {
    let path = parts.uri.path_and_query().map_or("/", |p| p.as_str());
    let mut headers = forwarded(&parts.headers);
    headers.extend(passed.identity.iter().cloned());
    headers.push(("x-forwarded-uri".into(), parts.uri.path().into()));
    let call = passed.way.call(parts.method.as_str(), path, headers, body.to_vec());
    let mut opened = Err(String::new());
    for target in &passed.way.targets {
        let call = Call { target: target.clone(), ..call.clone() };
        let late = |_| Err("context deadline exceeded".into());
        opened = tokio::time::timeout(HEAD_MAX, webhooks.open(&call)).await.unwrap_or_else(late);
        if !opened.as_ref().is_err_and(|why| why.starts_with("dial ")) {
            break;
        }
    }
    match opened {
        Err(why) => {
            let why = format!("error trying to reach service: {}\n", passed.way.worded(&why));
            text(StatusCode::SERVICE_UNAVAILABLE, why)
        }
        Ok(response) if response.status().is_redirection() && response.headers().contains_key(LOCATION) => {
            let why = "the backend attempted to redirect this request, which is not permitted";
            text(StatusCode::BAD_GATEWAY, why.into())
        }
        Ok(mut response) => {
            HOP_BY_HOP.iter().for_each(|name| drop(response.headers_mut().remove(*name)));
            response
        }
    }
}

/// What of a request's headers is for the other server: not who asks, which it would not know what to do with.
fn forwarded(headers: &HeaderMap) -> Vec<(String, String)> {
    let of_connection = |name: &str| HOP_BY_HOP.contains(&name) || name == HOST || name == CONTENT_LENGTH;
    let of_client =
        |name: &str| name == AUTHORIZATION || name.starts_with("impersonate-") || name.starts_with("x-remote-");
    let kept = headers.iter().filter(|(name, _)| !of_connection(name.as_str()) && !of_client(name.as_str()));
    kept.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect()
}

/// The OpenAPI document of a group and version that another server has.
pub async fn document(
    handle: &Handle,
    kinds: &Kinds,
    who: Credentials,
    request: &Request<Incoming>,
) -> Option<Response<Body>> {
    let path = request.uri().path().strip_prefix("/openapi/v3/")?;
    let remote = kinds.remote().find(|r| r.root() == path)?.clone();
    let found = handle.ask(move |w| {
        let user = w.cluster.identify(&who).ok()?;
        let passed = w.cluster.pass_document(&remote, &user)?;
        Some((w.webhooks.as_ref()?.webhooks.clone(), passed))
    });
    let (webhooks, passed) = found.await.ok()??;
    let mut whole = Request::builder().method(request.method()).uri(request.uri()).body(()).ok()?;
    whole.headers_mut().clone_from(request.headers());
    let parts = whole.into_parts().0;
    Some(pass(&webhooks, &passed, &parts, &Bytes::new()).await)
}

fn text(code: StatusCode, text: String) -> Response<Body> {
    let response = Response::builder().status(code).header("content-type", "text/plain; charset=utf-8");
    finish(response.header("x-content-type-options", "nosniff").body(full(text)))
}
