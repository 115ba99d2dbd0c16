//! What a request says about who makes it. Models `k8s.io/apiserver/pkg/authentication/request/{x509, bearertoken}`.

use apiserver::{Credentials, Impersonate};
use http::HeaderMap;
use meta::User;
use tokio_rustls::rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

const EXTRA: &str = "impersonate-extra-";

/// The identity in a verified client certificate: CN is the user, O are the groups.
pub fn from_certificate(der: &CertificateDer<'_>) -> Option<User> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let subject = certificate.subject();
    let name = subject.iter_common_name().next()?.as_str().ok()?;
    let mut groups: Vec<&str> = subject.iter_organization().filter_map(|o| o.as_str().ok()).collect();
    groups.push("system:authenticated");
    Some(User::new(name, &groups))
}

/// The certificate's user, the token, and `kubectl --as`.
pub fn credentials(certified: Option<&User>, headers: &HeaderMap) -> Credentials {
    let text = |h: &http::HeaderValue| String::from_utf8_lossy(h.as_bytes()).into_owned();
    let one = |name: &str| headers.get(name).map(text);
    let extra = headers.iter().filter_map(|(name, value)| {
        let key = name.as_str().strip_prefix(EXTRA)?;
        Some((decode(key), text(value)))
    });
    Credentials {
        certified: certified.cloned(),
        authorization: one("authorization"),
        impersonate: Impersonate {
            user: one("impersonate-user").unwrap_or_default(),
            groups: headers.get_all("impersonate-group").iter().map(text).collect(),
            uid: one("impersonate-uid").unwrap_or_default(),
            extra: extra.collect(),
        },
    }
}

/// Percent-decoding of a header's name: a slash cannot stand there.
fn decode(key: &str) -> String {
    let mut out = Vec::new();
    let mut rest = key.as_bytes();
    while let Some((&b, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|h| std::str::from_utf8(h).ok()).and_then(|h| u8::from_str_radix(h, 16).ok());
        rest = match (b, hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                &tail[2..]
            }
            _ => {
                out.push(b);
                tail
            }
        };
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_say_who_asks_and_whom_they_act_as() {
        let pairs = [
            ("authorization", "Bearer x"),
            ("impersonate-user", "jane"),
            ("impersonate-group", "developers"),
            ("impersonate-group", "admins"),
            ("impersonate-uid", "u1"),
            ("impersonate-extra-acme.com%2fproject", "p1"),
        ];
        let header = |(k, v): (&'static str, &'static str)| {
            (http::HeaderName::from_static(k), http::HeaderValue::from_static(v))
        };
        let mut headers = HeaderMap::new();
        pairs.into_iter().map(header).for_each(|(k, v)| {
            headers.append(k, v);
        });
        let c = credentials(None, &headers);
        assert_eq!(c.authorization.as_deref(), Some("Bearer x"));
        let want = Impersonate {
            user: "jane".into(),
            groups: vec!["developers".into(), "admins".into()],
            uid: "u1".into(),
            extra: vec![("acme.com/project".into(), "p1".into())],
        };
        assert_eq!(c.impersonate, want);
    }
}
