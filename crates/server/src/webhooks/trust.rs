//! Whom a connection is trusted to lead to, and the words of Go's crypto/tls where it is not.

use apiserver::Trust;
use std::io::ErrorKind;
use std::sync::Arc;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    self, CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};

/// Where Go looks for the certificates that a Linux system trusts.
const SYSTEM_CERTIFICATES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// A certificate and its key, for a client to show.
#[derive(Debug)]
pub struct Identity {
    pub certificate: CertificateDer<'static>,
    pub key: PrivateKeyDer<'static>,
}

/// The client's side of a connection.
///
/// # Errors
/// The certificates that are to be trusted cannot be read.
pub fn config(trust: &Trust, identity: Option<&Identity>) -> Result<ClientConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|e| e.to_string())?.dangerous();
    let verifier: Arc<dyn ServerCertVerifier> = match trust.insecure {
        true => Arc::new(Anybody(provider)),
        false => {
            let roots = Arc::new(roots(&trust.ca_bundle)?);
            WebPkiServerVerifier::builder_with_provider(roots, provider).build().map_err(|e| e.to_string())?
        }
    };
    let builder = builder.with_custom_certificate_verifier(verifier);
    match identity.filter(|_| trust.identified) {
        Some(own) => {
            builder.with_client_auth_cert(vec![own.certificate.clone()], own.key.clone_key()).map_err(|e| e.to_string())
        }
        None => Ok(builder.with_no_client_auth()),
    }
}

/// Whom to trust: the configuration's certificates, else the system's.
fn roots(ca_bundle: &[u8]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    if ca_bundle.is_empty() {
        let system = SYSTEM_CERTIFICATES.iter().find_map(|path| std::fs::read(path).ok()).unwrap_or_default();
        roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&system).filter_map(Result::ok));
        return Ok(roots);
    }
    let mut found = false;
    for certificate in CertificateDer::pem_slice_iter(ca_bundle).filter_map(Result::ok) {
        found |= roots.add(certificate).is_ok();
    }
    match found {
        true => Ok(roots),
        false => Err("unable to load root certificates: unable to parse bytes as PEM block".into()),
    }
}

/// `insecureSkipTLSVerify`
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
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
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// The words of Go's crypto/tls for a handshake that fails.
pub fn handshake(e: &std::io::Error, name: &str) -> String {
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
