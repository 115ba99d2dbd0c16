//! Carries the scheduler's questions to its extenders over HTTP. Models the client of `pkg/scheduler/extender.go`.

use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use scheduler::Caller;
use scheduler::extender::{Config, Tls};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{DigitallySignedStruct, SignatureScheme};

/// Answers are held whole: a list of nodes may be long.
const ANSWER_BYTES_MAX: usize = 256 << 20;

/// Calls extenders one at a time, each call on a connection of its own.
pub struct HttpCaller(tokio::runtime::Runtime);

impl HttpCaller {
    pub fn new() -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(HttpCaller(runtime.context("cannot start the calls to extenders")?))
    }
}

impl Caller for HttpCaller {
    fn post(&self, extender: &Config, url: &str, body: Vec<u8>) -> Result<(u16, Vec<u8>), String> {
        let limit = Duration::from_micros(extender.http_timeout.as_micros());
        let call = async { tokio::time::timeout(limit, post(extender, url, body)).await };
        match self.0.block_on(call) {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(e)) => Err(format!("Post {url:?}: {e:#}")),
            Err(_) => {
                Err(format!("Post {url:?}: context deadline exceeded (Client.Timeout exceeded while awaiting headers)"))
            }
        }
    }
}

async fn post(extender: &Config, url: &str, body: Vec<u8>) -> anyhow::Result<(u16, Vec<u8>)> {
    let uri: Uri = url.parse().context("this is no URL")?;
    let host = uri.host().ok_or_else(|| anyhow!("no Host in request URL"))?.trim_matches(['[', ']']).to_string();
    let tls = match uri.scheme_str() {
        Some("http") => false,
        Some("https") => true,
        other => bail!("unsupported protocol scheme {:?}", other.unwrap_or_default()),
    };
    let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
    let stream = TcpStream::connect((host.as_str(), port)).await.with_context(|| format!("dial tcp {host}:{port}"))?;
    let path = uri.path_and_query().map_or("/", |p| p.as_str());
    let request = Request::post(path)
        .header("host", uri.authority().map_or("", |a| a.as_str()))
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))?;
    if !tls {
        return exchange(stream, request).await;
    }
    let plain = Tls::default();
    let config = extender.tls.as_ref().unwrap_or(&plain);
    let name = if config.server_name.is_empty() { host } else { config.server_name.clone() };
    let name = ServerName::try_from(name).context("the extender's server name")?;
    let connector = TlsConnector::from(Arc::new(client_config(config, extender.enable_https)?));
    exchange(connector.connect(name, stream).await?, request).await
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    request: Request<Full<Bytes>>,
) -> anyhow::Result<(u16, Vec<u8>)> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    let code = response.status().as_u16();
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
    driver.abort();
    let body = body.map_err(|e| anyhow!("reading the extender's answer: {e}"))?;
    Ok((code, body.to_bytes().to_vec()))
}

/// PEM from the data, else from the file.
fn pem(data: &[u8], file: &str) -> anyhow::Result<Option<Vec<u8>>> {
    if !data.is_empty() {
        return Ok(Some(data.to_vec()));
    }
    if file.is_empty() {
        return Ok(None);
    }
    std::fs::read(file).map(Some).with_context(|| format!("cannot read {file}"))
}

fn certificates(pem: &[u8]) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_slice_iter(pem).map(|c| c.map_err(|e| anyhow!("a certificate: {e}"))).collect()
}

fn client_config(tls: &Tls, enable_https: bool) -> anyhow::Result<rustls::ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        rustls::ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
    let ca = pem(&tls.ca_data, &tls.ca_file)?;
    let builder = match ca {
        // As upstream has it: HTTPS that is switched on without a CA trusts anybody.
        None if tls.insecure || enable_https => {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(TrustAll(provider)))
        }
        None => bail!("tls: failed to verify certificate: no CA is given for the extender (tlsConfig.caFile)"),
        Some(_) if tls.insecure => {
            bail!("specifying a root certificates file with the insecure flag is not allowed")
        }
        Some(ca) => {
            let mut roots = rustls::RootCertStore::empty();
            for certificate in certificates(&ca)? {
                roots.add(certificate)?;
            }
            builder.with_root_certificates(roots)
        }
    };
    let (certificate, key) = (pem(&tls.cert_data, &tls.cert_file)?, pem(&tls.key_data, &tls.key_file)?);
    match (certificate, key) {
        (Some(certificate), Some(key)) => {
            let key = PrivateKeyDer::from_pem_slice(&key).map_err(|e| anyhow!("the extender's key: {e}"))?;
            Ok(builder.with_client_auth_cert(certificates(&certificate)?, key)?)
        }
        _ => Ok(builder.with_no_client_auth()),
    }
}

/// Checks signatures, but not whose they are.
#[derive(Debug)]
struct TrustAll(Arc<rustls::crypto::CryptoProvider>);

impl ServerCertVerifier for TrustAll {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
