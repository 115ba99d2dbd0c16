//! Carries the API server's questions to webhooks: over HTTPS to hosts, and straight to guests, before which this server ends
//! the encryption as a sidecar would. Models the client that `apiserver/pkg/util/webhook/client.go` makes.

use crate::wasm::Container;

use apiserver::{Call, Caller, Said, Target};
use bytes::Bytes;
use http::Request;
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
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, CertificateError, ClientConfig, RootCertStore};
use wasmtime_wasi_http::WasiBody;

/// `maxRequestBodyBytes`-like: what an AdmissionReview may hold.
const ANSWER_BYTES_MAX: usize = 3 << 20;
/// Where Go looks for the certificates that a Linux system trusts.
const SYSTEM_CERTIFICATES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

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
            match &call.target {
                Target::Host(host, port) => to_host(call, host, *port).await,
                Target::Guest(ip, port) => match self.guests.at(ip) {
                    Some(guest) => to_guest(call, &guest).await,
                    None => Err(format!("dial tcp {ip}:{port}: connect: connection refused")),
                },
            }
        };
        let late = |_| Err("context deadline exceeded".into());
        tokio::time::timeout(limit, answer).await.unwrap_or_else(late)
    }
}

/// For whoever does not come again when there is an answer, as the page's commands do not: the cluster's thread waits.
impl Caller for Webhooks {
    fn post(&self, call: &Call) -> Option<Said> {
        Some(self.tokio.block_on(self.answer(call)))
    }
}

fn request<B>(call: &Call, body: B) -> Result<Request<B>, String> {
    let request = Request::post(&call.path)
        .header("host", &call.server_name)
        .header("content-type", "application/json")
        .header("accept", "application/json, */*")
        .header("user-agent", "kube-apiserver-admission")
        .body(body);
    request.map_err(|e| e.to_string())
}

async fn to_guest(call: &Call, guest: &Arc<Container>) -> Result<(u16, Vec<u8>), String> {
    let body: WasiBody = Full::new(Bytes::from(call.body.clone())).map_err(|never| match never {}).boxed_unsync();
    let response = crate::http::proxy::forward(guest, request(call, body)?).await.map_err(|e| format!("{e:#}"))?;
    let code = response.status().as_u16();
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
    Ok((code, body.map_err(|e| e.to_string())?.to_bytes().to_vec()))
}

async fn to_host(call: &Call, host: &str, port: u16) -> Result<(u16, Vec<u8>), String> {
    let config = Arc::new(trust(&call.ca_bundle)?);
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
    let name = ServerName::try_from(call.server_name.clone()).map_err(|e| e.to_string())?;
    let stream =
        TlsConnector::from(config).connect(name, stream).await.map_err(|e| handshake(&e, &call.server_name))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| said(&e))?;
    let driver = tokio::spawn(connection);
    let response =
        sender.send_request(request(call, Full::new(Bytes::from(call.body.clone())))?).await.map_err(|e| said(&e))?;
    let code = response.status().as_u16();
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
    driver.abort();
    Ok((code, body.map_err(|e| e.to_string())?.to_bytes().to_vec()))
}

/// The other side hung up, or something else.
fn said(e: &hyper::Error) -> String {
    let cause = e.source().and_then(|s| s.downcast_ref::<std::io::Error>());
    let ended = cause.is_some_and(|e| matches!(e.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset));
    if ended || e.is_incomplete_message() { "EOF".into() } else { e.to_string() }
}

/// The words of Go's crypto/tls for a handshake that fails.
fn handshake(e: &std::io::Error, name: &str) -> String {
    let certificate = |why: String| format!("tls: failed to verify certificate: x509: {why}");
    match e.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidMessage(_)) => "http: server gave HTTP response to HTTPS client".into(),
        Some(rustls::Error::InvalidCertificate(why)) => certificate(match why {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                "certificate signed by unknown authority".into()
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "certificate has expired or is not yet valid".into()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "certificate has expired or is not yet valid".into()
            }
            CertificateError::NotValidForName => {
                format!("certificate is not valid for any names, but wanted to match {name}")
            }
            CertificateError::NotValidForNameContext { presented, .. } => match presented.as_slice() {
                [] => format!("certificate is not valid for any names, but wanted to match {name}"),
                names => format!("certificate is valid for {}, not {name}", shown(names)),
            },
            other => format!("{other}"),
        }),
        Some(other) => format!("tls: {other}"),
        None if e.kind() == ErrorKind::UnexpectedEof => "EOF".into(),
        None => e.to_string(),
    }
}

/// `DnsName("hook.example.com")` as Go says it.
fn shown(names: &[String]) -> String {
    let plain = |n: &String| match n.split_once('(') {
        Some((_, rest)) => rest.trim_end_matches(')').trim_matches('"').to_string(),
        None => n.clone(),
    };
    names.iter().map(plain).collect::<Vec<_>>().join(", ")
}

/// Whom to trust: the configuration's certificates, else the system's.
fn trust(ca_bundle: &[u8]) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    if ca_bundle.is_empty() {
        let system = SYSTEM_CERTIFICATES.iter().find_map(|path| std::fs::read(path).ok()).unwrap_or_default();
        roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&system).filter_map(Result::ok));
    } else {
        let mut found = false;
        for certificate in CertificateDer::pem_slice_iter(ca_bundle).filter_map(Result::ok) {
            found |= roots.add(certificate).is_ok();
        }
        if !found {
            return Err("unable to load root certificates: unable to parse bytes as PEM block".into());
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(builder.map_err(|e| e.to_string())?.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests;
