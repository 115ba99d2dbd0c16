//! Programs of ours behind real sockets.

mod live;

use super::{Guests, Webhooks};
use apiserver::{Call, Caller, Target, Trust};
use meta::Duration;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// An authority's certificate, as PEM, and the TLS of a server that it has certified under a name.
fn certified(name: &str) -> (Vec<u8>, TlsAcceptor) {
    let mut ca = CertificateParams::new(Vec::new()).expect("parameters");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_key = KeyPair::generate().expect("a key");
    let ca_certificate = ca.self_signed(&ca_key).expect("a certificate");
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate().expect("a key");
    let own = CertificateParams::new(vec![name.to_string()]).expect("parameters");
    let own = own.signed_by(&key, &issuer).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = config.expect("versions").with_no_client_auth().with_single_cert(vec![own.der().clone()], key);
    (ca_certificate.pem().into_bytes(), TlsAcceptor::from(Arc::new(config.expect("a server"))))
}

/// Answers one request with its own body, or hangs up, or says nothing for ever.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, how: &'static str) {
    let mut request = Vec::new();
    let body = loop {
        let mut piece = [0; 1024];
        let n = stream.read(&mut piece).await.unwrap_or(0);
        request.extend_from_slice(&piece[..n]);
        let text = String::from_utf8_lossy(&request).into_owned();
        match text.split_once("\r\n\r\n") {
            Some((head, body)) if head.contains(&format!("content-length: {}", body.len())) => break body.to_string(),
            _ if n == 0 => return,
            _ => {}
        }
    };
    match how {
        "hang up" => {}
        "sleep" => std::future::pending().await,
        _ => {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    }
}

#[test]
fn calls_are_made_and_fail_in_the_words_of_go() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let (ca, tls) = certified("hook.default.svc");
    let (other, _) = certified("x");
    let start = |tls: Option<TlsAcceptor>, how: &'static str| {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let tls = tls.clone();
                tokio::spawn(async move {
                    match tls {
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, how).await;
                            }
                        }
                        None => {
                            let mut stream = stream;
                            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
                        }
                    }
                });
            }
        });
        port
    };
    let caller = Webhooks { tokio: runtime.handle().clone(), guests: Guests::default(), identity: None };
    let call = |port: u16, name: &str, ca: &[u8]| {
        let call = Call {
            target: Target::Host("127.0.0.1".into(), port),
            method: "POST".into(),
            path: "/check?timeout=1s".into(),
            headers: Vec::new(),
            trust: Trust { server_name: name.into(), ca_bundle: ca.to_vec(), ..Trust::default() },
            timeout: Duration::from_secs(1),
            body: b"{\"a\":1}".to_vec(),
        };
        caller.post(&call).expect("an answer")
    };
    let good = start(Some(tls.clone()), "answer");
    assert_eq!(call(good, "hook.default.svc", &ca), Ok((200, b"{\"a\":1}".to_vec())));
    let failed = |port: u16, name: &str, ca: &[u8]| call(port, name, ca).expect_err("a failure");
    let x509 = "tls: failed to verify certificate: x509: ";
    assert_eq!(failed(good, "hook.default.svc", &other), format!("{x509}certificate signed by unknown authority"));
    assert_eq!(
        failed(good, "else.default.svc", &ca),
        format!("{x509}certificate is valid for hook.default.svc, not else.default.svc")
    );
    let pem = "unable to load root certificates: unable to parse bytes as PEM block";
    assert_eq!(failed(good, "hook.default.svc", b"a"), pem);
    assert_eq!(failed(start(None, ""), "hook.default.svc", &ca), "http: server gave HTTP response to HTTPS client");
    assert_eq!(failed(start(Some(tls.clone()), "hang up"), "hook.default.svc", &ca), "EOF");
    assert_eq!(failed(start(Some(tls), "sleep"), "hook.default.svc", &ca), "context deadline exceeded");
    let nobody = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port").local_addr().expect("an address");
    assert_eq!(
        failed(nobody.port(), "hook.default.svc", &ca),
        format!("dial tcp {nobody}: connect: connection refused")
    );
    let guest = Target::Guest("10.244.1.2".into(), 443);
    let call = Call {
        target: guest,
        method: "POST".into(),
        path: "/".into(),
        headers: Vec::new(),
        trust: Trust { server_name: "x".into(), ..Trust::default() },
        timeout: Duration::from_secs(1),
        body: Vec::new(),
    };
    assert_eq!(
        caller.post(&call).expect("an answer").expect_err("nobody"),
        "dial tcp 10.244.1.2:443: connect: connection refused"
    );
}
