//! Who asks. Models `k8s.io/apiserver/pkg/authentication/request/{x509,anonymous}` and `endpoints/filters`.

use http::HeaderMap;
use meta::User;
use tokio_rustls::rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

/// The identity in a verified client certificate: CN is the user, O are the groups.
pub fn from_certificate(der: &CertificateDer<'_>) -> Option<User> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let subject = certificate.subject();
    let name = subject.iter_common_name().next()?.as_str().ok()?;
    let mut groups: Vec<&str> = subject.iter_organization().filter_map(|o| o.as_str().ok()).collect();
    groups.push("system:authenticated");
    Some(User::new(name, &groups))
}

pub fn anonymous() -> User {
    User::new("system:anonymous", &["system:unauthenticated"])
}

/// What became of a request's credentials.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    User(User),
    /// A token that nobody issued.
    Unauthorized,
    /// `--as` by somebody who may not.
    Forbidden(String),
}

/// The certificate's user, or nobody; and `kubectl --as`.
pub fn identify(certified: Option<&User>, headers: &HeaderMap) -> Outcome {
    let user = match certified {
        Some(user) => user.clone(),
        None if headers.contains_key("authorization") => return Outcome::Unauthorized,
        None => anonymous(),
    };
    let value = |h: &http::HeaderValue| String::from_utf8_lossy(h.as_bytes()).into_owned();
    let Some(other) = headers.get("impersonate-user").map(value) else { return Outcome::User(user) };
    if !user.groups.iter().any(|g| g == "system:masters") {
        return Outcome::Forbidden(format!(
            "users {other:?} is forbidden: User {:?} cannot impersonate resource \"users\" in API group \"\" at the cluster scope",
            user.name
        ));
    }
    let mut groups: Vec<String> = headers.get_all("impersonate-group").iter().map(value).collect();
    if groups.is_empty()
        && let Some((namespace, _)) = other.strip_prefix("system:serviceaccount:").and_then(|r| r.split_once(':'))
    {
        groups.extend(["system:serviceaccounts".into(), format!("system:serviceaccounts:{namespace}")]);
    }
    let everyone = if other == "system:anonymous" { "system:unauthenticated" } else { "system:authenticated" };
    if !groups.iter().any(|g| g == everyone) {
        groups.push(everyone.into());
    }
    Outcome::User(User { name: other, groups })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (http::HeaderName::from_static(k), http::HeaderValue::from_static(v))).collect()
    }

    #[test]
    fn a_stranger_is_anonymous_and_a_token_nobody_knows_is_refused() {
        assert_eq!(identify(None, &headers(&[])), Outcome::User(anonymous()));
        assert_eq!(identify(None, &headers(&[("authorization", "Bearer x")])), Outcome::Unauthorized);
    }

    #[test]
    fn only_masters_may_act_as_somebody_else() {
        let asked = headers(&[("impersonate-user", "jane")]);
        let jane = User::new("jane", &["system:authenticated"]);
        assert_eq!(identify(Some(&User::admin()), &asked), Outcome::User(jane.clone()));
        assert!(matches!(identify(Some(&jane), &asked), Outcome::Forbidden(_)));
        let robot = headers(&[("impersonate-user", "system:serviceaccount:ci:robot")]);
        let Outcome::User(robot) = identify(Some(&User::admin()), &robot) else { panic!() };
        assert_eq!(robot.groups, ["system:serviceaccounts", "system:serviceaccounts:ci", "system:authenticated"]);
    }
}
