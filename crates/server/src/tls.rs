//! The server's certificate and the administrator's client certificate, by the cluster's authority. They are made anew at every
//! start: a bottle has no secrets worth keeping.

use crate::webhooks::Identity;
use anyhow::{Context, anyhow};
use pki::Authority;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use std::net::IpAddr;
use std::sync::Arc;
use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;

/// What goes into a kubeconfig, PEM.
pub struct Credentials {
    pub ca: String,
    pub certificate: String,
    pub key: String,
}

/// Makes everything for a server that listens at `ip`.
///
/// # Errors
/// Only those of the cryptography library.
pub fn generate(ip: IpAddr, authority: &Authority) -> anyhow::Result<(Arc<rustls::ServerConfig>, Credentials)> {
    let key = authority.key_der().map_err(|e| anyhow!(e))?;
    let ca_key = KeyPair::try_from(&PrivatePkcs8KeyDer::from(key))?;
    let ca = CertificateDer::from(authority.der().to_vec());
    let issuer = Issuer::from_ca_cert_der(&ca, ca_key)?;

    // The names kubeadm puts into apiserver.crt.
    let mut names: Vec<String> =
        ["kubernetes", "kubernetes.default", "kubernetes.default.svc"].map(String::from).into();
    names.extend(
        ["kubernetes.default.svc.cluster.local", "localhost", "127.0.0.1", "::1", "10.96.0.1"].map(String::from),
    );
    let own = ip.to_string();
    if !ip.is_unspecified() && !names.contains(&own) {
        names.push(own);
    }
    let server_key = KeyPair::generate()?;
    let mut server = named("kube-apiserver", &names)?;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let server_certificate = server.signed_by(&server_key, &issuer)?;

    let client_key = KeyPair::generate()?;
    let mut client = named("kubernetes-admin", &[])?;
    // kubeadm's `kubeadm:cluster-admins` needs RBAC; `system:masters` is what its super-admin.conf uses.
    client.distinguished_name.push(DnType::OrganizationName, "system:masters");
    client.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let client_certificate = client.signed_by(&client_key, &issuer)?;

    let config = tls(ca, server_certificate.der().clone(), &server_key)?;
    let credentials =
        Credentials { ca: authority.pem(), certificate: client_certificate.pem(), key: client_key.serialize_pem() };
    Ok((config, credentials))
}

/// How this server shows other API servers that it may say who its clients are: kubeadm's `front-proxy-client`, and the PEM of
/// the authority behind it.
///
/// # Errors
/// Only those of the cryptography library.
pub fn front_proxy() -> anyhow::Result<(Identity, String)> {
    let ca_key = KeyPair::generate()?;
    let mut ca = named("front-proxy-ca", &[])?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign];
    let pem = ca.self_signed(&ca_key)?.pem();
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate()?;
    let mut client = named("front-proxy-client", &[])?;
    client.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let certificate = client.signed_by(&key, &issuer)?.der().clone();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    Ok((Identity { certificate, key }, pem))
}

/// Thirty-two random bytes, of which a key is made.
///
/// # Errors
/// The system has no randomness.
pub fn secret() -> anyhow::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    let random = rustls::crypto::ring::default_provider().secure_random;
    random.fill(&mut bytes).map_err(|_| anyhow!("the system has no randomness"))?;
    Ok(bytes)
}

/// A random UUID (version 4) as text.
///
/// # Errors
/// The system has no randomness.
pub fn random_uuid() -> anyhow::Result<String> {
    let random = secret()?;
    let mut n = u128::from_be_bytes(std::array::from_fn(|i| random[i]));
    n = n & !(0xf << 76) | 0x4 << 76;
    n = n & !(0x3 << 62) | 0x2 << 62;
    let hex = format!("{n:032x}");
    Ok(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
}

fn named(common_name: &str, alternatives: &[String]) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::new(alternatives)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn tls(
    ca: CertificateDer<'static>,
    certificate: CertificateDer<'static>,
    key: &KeyPair,
) -> anyhow::Result<Arc<rustls::ServerConfig>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(ca)?;
    // A client without a certificate may still have a token, or ask for what anybody may see.
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .allow_unauthenticated()
        .build()
        .context("client certificate verifier")?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate], key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
