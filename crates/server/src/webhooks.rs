//! Carries the API server's questions to webhooks and to other API servers: over HTTPS to hosts, and straight to guests, before which this server ends
//! the encryption as a sidecar would. Models the client that `apiserver/pkg/util/webhook/client.go` makes.

mod trust;

pub use trust::Identity;

use crate::http::body::{Body, full};
use crate::wasm::Container;
use apiserver::{Call, Caller, Said, Target};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use std::collections::BTreeMap;
use std::error::Error as _;
use std::fmt;
use std::io::ErrorKind;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use wasmtime_wasi_http::Error as HttpError;

/// `maxRequestBodyBytes`-like: what an AdmissionReview may hold.
const ANSWER_BYTES_MAX: usize = 3 << 20;
/// The HTTP components that run, by their pod's address.
#[derive(Clone, Default)]
pub struct Guests(Arc<Mutex<BTreeMap<String, Arc<Container>>>>);

impl Guests {
    pub fn add(&self, pod_ip: &str, container: Arc<Container>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(pod_ip.into(), container);
    }
    /// Takes the container away, but not one that has come in its place.
    pub fn remove(&self, pod_ip: &str, container: &Arc<Container>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.get(pod_ip).is_some_and(|c| Arc::ptr_eq(c, container)) {
            all.remove(pod_ip);
        }
    }
    fn at(&self, pod_ip: &str) -> Option<Arc<Container>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(pod_ip).cloned()
    }
}

/// Each call is a connection of its own, made on `tokio`.
#[derive(Clone)]
pub struct Webhooks {
    pub tokio: tokio::runtime::Handle,
    pub guests: Guests,
    /// The certificate by which other API servers know this one.
    pub identity: Option<Arc<Identity>>,
}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Webhooks")
    }
}

impl Webhooks {
    pub async fn answer(&self, call: &Call) -> Said {
        let limit = Duration::from_micros(call.timeout.as_micros());
        let answer = async {
            let response = self.open(call).await?;
            let code = response.status().as_u16();
            let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
            Ok((code, body.map_err(|e| e.to_string())?.to_bytes().to_vec()))
        };
        let late = |_| Err("context deadline exceeded".into());
        tokio::time::timeout(limit, answer).await.unwrap_or_else(late)
    }

    /// The answer of the first target that takes the connection.
    pub async fn first_answer(&self, targets: &[Target], call: Call) -> Said {
        let mut said = Err("no endpoints".into());
        for target in targets {
            said = self.answer(&Call { target: target.clone(), ..call.clone() }).await;
            if !said.as_ref().is_err_and(|why| why.starts_with("dial ")) {
                break;
            }
        }
        said
    }

    /// The answer's head; the body is still to come.
    ///
    /// # Errors
    /// The words of Go's HTTP client.
    pub async fn open(&self, call: &Call) -> Result<Response<Body>, String> {
        match &call.target {
            Target::Host(host, port) => to_host(call, host, *port, self.identity.as_deref()).await,
            Target::Guest(ip, port) => match self.guests.at(ip) {
                Some(guest) => {
                    let body = full(call.body.clone()).map_err(|e| HttpError::InternalError(Some(e.to_string())));
                    let request = request(call, body.boxed_unsync())?;
                    crate::http::proxy::forward(&guest, request).await.map_err(|e| format!("{e:#}"))
                }
                None => Err(format!("dial tcp {ip}:{port}: connect: connection refused")),
            },
        }
    }
}

/// For whoever does not come again when there is an answer, as the page's commands do not: the cluster's thread waits.
impl Caller for Webhooks {
    fn post(&self, call: &Call) -> Option<Said> {
        Some(self.tokio.block_on(self.answer(call)))
    }
}

fn request<B>(call: &Call, body: B) -> Result<Request<B>, String> {
    let mut request = Request::builder().method(call.method.as_str()).uri(&call.path);
    if !call.headers.iter().any(|(name, _)| name == "host") {
        request = request.header("host", &call.trust.server_name);
    }
    for (name, value) in &call.headers {
        request = request.header(name, value);
    }
    request.body(body).map_err(|e| e.to_string())
}

async fn to_host(call: &Call, host: &str, port: u16, identity: Option<&Identity>) -> Result<Response<Body>, String> {
    let config = Arc::new(trust::config(&call.trust, identity)?);
    let addresses = tokio::net::lookup_host((host, port)).await;
    let addresses: Vec<_> = addresses.map_err(|_| format!("dial tcp: lookup {host}: no such host"))?.collect();
    let address = addresses.first().ok_or_else(|| format!("dial tcp: lookup {host}: no such host"))?;
    let dial = |e: std::io::Error| {
        let why = match e.kind() {
            ErrorKind::ConnectionRefused => "connection refused".to_string(),
            ErrorKind::HostUnreachable => "no route to host".to_string(),
            ErrorKind::NetworkUnreachable => "network is unreachable".to_string(),
            _ => e.to_string(),
        };
        format!("dial tcp {address}: connect: {why}")
    };
    let stream = TcpStream::connect(addresses.as_slice()).await.map_err(dial)?;
    let own_name = &call.trust.server_name;
    let name = ServerName::try_from(own_name.clone()).map_err(|e| e.to_string())?;
    let stream = TlsConnector::from(config).connect(name, stream).await.map_err(|e| trust::handshake(&e, own_name))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| said(&e))?;
    // It ends with the answer's body.
    tokio::spawn(connection);
    let request = request(call, Full::new(Bytes::from(call.body.clone())))?;
    let response = sender.send_request(request).await.map_err(|e| said(&e))?;
    Ok(response.map(|body| body.map_err(anyhow::Error::from).boxed_unsync()))
}

/// The other side hung up, or something else.
fn said(e: &hyper::Error) -> String {
    let cause = e.source().and_then(|s| s.downcast_ref::<std::io::Error>());
    let ended = cause.is_some_and(|e| matches!(e.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset));
    if ended || e.is_incomplete_message() { "EOF".into() } else { e.to_string() }
}

#[cfg(test)]
mod tests;
