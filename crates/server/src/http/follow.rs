//! Follow this request, from the terminal: `kubectl get --raw '/kubottle/follow?from=NAMESPACE/POD&url=http://web'` has the
//! pod send it and tells its way, hop by hop. `&host=NAME` sets the Host header, `&format=json` gives data, `&lang=ko` Korean.

use super::api::{finish, refuse};
use super::body::{Body, full};
use super::proxy;
use crate::services::Backend;
use crate::wasm::Container;
use crate::world::{Handle, World};
use apiserver::http::query_pairs;
use bytes::Bytes;
use cluster::follow::Outcome;
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use meta::{ApiError, Duration};
use network::NetError;
use protocol::Follow;
use protocol::words::Lang;
use std::sync::Arc;
use std::time::Instant;

pub const PATH: &str = "/kubottle/follow";
/// What a guest may answer.
const BODY_BYTES_MAX: usize = 1 << 20;

pub async fn handle(handle: Handle, query: &str) -> Response<Body> {
    let all = query_pairs(query);
    let value = |name: &str| all.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.as_str());
    let from = value("from");
    if from.is_empty() || value("url").is_empty() {
        return refuse(&ApiError::bad_request(format!("want {PATH}?from=NAMESPACE/POD&url=http://HOST:PORT/PATH")));
    }
    let (namespace, pod) = from.split_once('/').unwrap_or(("default", from));
    let (url, host) = (value("url").to_string(), value("host").to_string());
    let follow = Follow { namespace: namespace.into(), pod: pod.into(), url, host };
    let asked = handle.ask(move |w: &mut World| {
        let journey = engine::follow::send(&mut w.cluster, &follow)?;
        let guest = match &journey.outcome {
            Outcome::Guest(server) => w.listener(&server.ip, i32::from(server.port), &server.from).ok(),
            _ => None,
        };
        Ok::<_, String>((journey, guest))
    });
    let (mut journey, guest) = match asked.await {
        Ok(Ok(found)) => found,
        Ok(Err(why)) => return refuse(&ApiError::bad_request(why)),
        Err(e) => return refuse(&ApiError::new(503, "ServiceUnavailable", e.to_string())),
    };
    if let Outcome::Guest(server) = &journey.outcome {
        let answer = match guest {
            Some(Backend::Wasm(container)) => ask(&container, &server.path).await,
            _ => Err(NetError::Refused),
        };
        journey.finish(answer);
    }
    let shown = engine::follow::shown(&journey);
    let (kind, text) = match value("format") {
        "json" => ("application/json", serde_json::to_string(&shown).unwrap_or_default()),
        _ => {
            let lang = Lang::of(if value("lang").is_empty() { "en" } else { value("lang") });
            ("text/plain; charset=utf-8", engine::follow::text(&shown, lang))
        }
    };
    finish(Response::builder().header(CONTENT_TYPE, kind).body(full(text)))
}

/// A wasm guest answers.
async fn ask(container: &Arc<Container>, path: &str) -> Result<(network::Response, Duration), NetError> {
    let began = Instant::now();
    let body = Full::new(Bytes::new()).map_err(|e| match e {}).boxed_unsync();
    let request = Request::builder().uri(path).body(body).map_err(|_| NetError::NotHttp)?;
    let response = proxy::forward(container, request).await.map_err(|_| NetError::NotHttp)?;
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), BODY_BYTES_MAX).collect().await.map_err(|_| NetError::NotHttp)?;
    let took = Duration::from_micros(u64::try_from(began.elapsed().as_micros()).unwrap_or(0));
    Ok((network::Response::new(status, String::from_utf8_lossy(&body.to_bytes())), took))
}
