//! The tokens that the kubelet gets for its pods' service accounts. Models `pkg/kubelet/token/token_manager.go` and what the
//! API server answers it. Signing one for every pod of a large cluster would take seconds: it is signed when somebody reads it.

use super::SyncCx;
use api::ObjectExt;
use k8s_openapi::api::core::v1::{Pod, PodSpec, ServiceAccount, ServiceAccountTokenProjection};
use meta::{Duration, Key, Time};
use pki::{Claims, ISSUER, TokenKey};
use sha2::{Digest, Sha256};
use std::sync::{Arc, OnceLock};

/// No token is older, whatever it was asked for.
const AGE_MAX: u64 = 24 * 3600;
/// Models `SetDefaults_ServiceAccountTokenProjection`.
const SECONDS_DEFAULT: u64 = 3600;
/// What the admission plugin asks for: the API server makes a year of it.
const EXTENDED: u64 = 3607;

/// A file that the kubelet writes.
#[derive(Clone, Debug, PartialEq)]
pub enum FileData {
    Bytes(Arc<[u8]>),
    Token(Arc<Token>),
}

impl FileData {
    pub fn bytes(&self) -> &Arc<[u8]> {
        match self {
            FileData::Bytes(bytes) => bytes,
            FileData::Token(token) => token.signed(),
        }
    }
}

impl<T: Into<Arc<[u8]>>> From<T> for FileData {
    fn from(bytes: T) -> Self {
        FileData::Bytes(bytes.into())
    }
}

/// What a token is to say.
#[derive(Clone, Debug, PartialEq)]
struct Wanted {
    namespace: String,
    account: (String, String),
    pod: (String, String),
    node: (String, String),
    audiences: Vec<String>,
    issued: Time,
    seconds: u64,
}

#[derive(Clone, Debug)]
pub struct Token {
    wanted: Wanted,
    /// `None`: a kubelet that reaches no API server.
    key: Option<TokenKey>,
    signed: OnceLock<Arc<[u8]>>,
}

impl PartialEq for Token {
    fn eq(&self, other: &Token) -> bool {
        self.wanted == other.wanted
    }
}

impl Token {
    fn signed(&self) -> &Arc<[u8]> {
        self.signed.get_or_init(|| {
            let Some(key) = &self.key else { return Arc::from([]) };
            let w = &self.wanted;
            let id = id(&format!("{} {} {:?}", w.pod.1, w.issued.as_secs(), w.audiences));
            let claims = Claims {
                namespace: &w.namespace,
                account: (&w.account.0, &w.account.1),
                bound: &[("pod", (&w.pod.0, &w.pod.1)), ("node", (&w.node.0, &w.node.1))],
                id: &id,
                audiences: &w.audiences,
                issued: w.issued.as_secs(),
                seconds: w.seconds,
            };
            Arc::from(key.sign(&claims.value()).into_bytes())
        })
    }
}

/// A UUID that the same token has again.
fn id(of: &str) -> String {
    let mut b: [u8; 16] = std::array::from_fn(|i| Sha256::digest(of)[i]);
    b[6] = b[6] & 0x0f | 0x40;
    b[8] = b[8] & 0x3f | 0x80;
    let hex: String = b.iter().map(|b| format!("{b:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// How long a token is shown before there is a new one. Models `requiresRefresh`, without its jitter.
fn period(seconds: u64) -> u64 {
    (seconds - seconds / 5).clamp(1, AGE_MAX)
}

/// When the token that a pod has now was issued: the first one when the pod came to the node.
fn issued(pod: &Pod, now: Time, seconds: u64) -> Time {
    let status = pod.status.as_ref();
    let conditions = status.and_then(|s| s.conditions.as_deref()).unwrap_or_default();
    let scheduled = conditions.iter().find(|c| c.type_ == "PodScheduled").and_then(|c| c.last_transition_time.as_ref());
    let first = scheduled.or(status.and_then(|s| s.start_time.as_ref())).map_or(now, Time::from_k8s).min(now);
    let age = now.since(first).as_secs();
    first + Duration::from_secs(age - age % period(seconds))
}

/// When the next token of a running pod is due. What every pod has lasts a year, whatever it says, and is left alone. Models
/// `requiresRefresh` with the volume manager's remounts.
pub fn renewal(pod: &Pod, spec: &PodSpec, now: Time) -> Option<Time> {
    let sources =
        spec.volumes.iter().flatten().filter_map(|v| v.projected.as_ref()).flat_map(|p| p.sources.iter().flatten());
    let short = sources.filter_map(|s| s.service_account_token.as_ref()).map(seconds).filter(|s| *s != EXTENDED);
    short.map(|s| issued(pod, now, s) + Duration::from_secs(period(s))).min()
}

fn seconds(s: &ServiceAccountTokenProjection) -> u64 {
    s.expiration_seconds.and_then(|s| u64::try_from(s).ok()).unwrap_or(SECONDS_DEFAULT)
}

pub fn file(pod: &Pod, s: &ServiceAccountTokenProjection, cx: &SyncCx) -> FileData {
    let o: &dyn api::Object = pod;
    let account = pod.spec.as_ref().and_then(|s| s.service_account_name.as_deref()).unwrap_or("");
    let found = cx.view.get::<ServiceAccount>(&Key::new(o.namespace(), account));
    let uid = |o: Option<&dyn api::Object>| o.map_or("", |o| o.uid()).to_string();
    let audience = s.audience.as_deref().filter(|a| !a.is_empty()).unwrap_or(ISSUER);
    let seconds = seconds(s);
    let wanted = Wanted {
        namespace: o.namespace().into(),
        account: (account.into(), uid(found.map(|a| a as &dyn api::Object))),
        pod: (o.name().into(), o.uid().into()),
        node: (cx.config.name.clone(), uid(cx.node.map(|n| n as &dyn api::Object))),
        audiences: vec![audience.into()],
        issued: issued(pod, cx.now, seconds),
        seconds,
    };
    FileData::Token(Arc::new(Token { wanted, key: cx.config.tokens.clone(), signed: OnceLock::new() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(key: Option<TokenKey>) -> Token {
        let pair = |a: &str, b: &str| (a.to_string(), b.to_string());
        let wanted = Wanted {
            namespace: "default".into(),
            account: pair("builder", "u-account"),
            pod: pair("web", "u-pod"),
            node: pair("node-1", "u-node"),
            audiences: vec![ISSUER.into()],
            issued: Time::from_secs(1000),
            seconds: 3607,
        };
        Token { wanted, key, signed: OnceLock::new() }
    }

    #[test]
    fn a_token_says_whose_it_is_and_is_signed_when_it_is_read() {
        let key = TokenKey::new(&[1; 32]);
        let made = token(Some(key.clone()));
        let text = String::from_utf8(made.signed().to_vec()).unwrap();
        let claims = key.verify(&text).unwrap();
        assert_eq!(claims["sub"], "system:serviceaccount:default:builder");
        assert_eq!(claims["iat"], 1000);
        assert_eq!(claims["exp"], 1000 + 365 * 24 * 3600);
        let private = serde_json::json!({
            "namespace": "default", "serviceaccount": {"name": "builder", "uid": "u-account"},
            "pod": {"name": "web", "uid": "u-pod"}, "node": {"name": "node-1", "uid": "u-node"}, "warnafter": 4607,
        });
        assert_eq!(claims["kubernetes.io"], private);
        assert_eq!(made.signed(), token(Some(key)).signed());
        assert!(token(None).signed().is_empty());
    }

    #[test]
    fn a_token_is_exchanged_after_four_fifths_of_its_time() {
        let pod: Pod = serde_json::from_value(serde_json::json!({
            "metadata": {"name": "web"},
            "status": {"startTime": "1970-01-01T00:16:40Z"},
        }))
        .unwrap();
        let at = |secs: u64| issued(&pod, Time::from_secs(secs), 3607).as_secs();
        assert_eq!([at(1000), at(3885), at(3886), at(6771), at(6772)], [1000, 1000, 3886, 3886, 6772]);
        assert_eq!(period(1 << 32), AGE_MAX);
    }

    #[test]
    fn only_short_tokens_are_renewed() {
        let pod = |seconds: u64| -> Pod {
            serde_json::from_value(serde_json::json!({
                "spec": {"containers": [], "volumes": [{"name": "t", "projected": {"sources": [
                    {"serviceAccountToken": {"path": "t", "expirationSeconds": seconds}}]}}]},
                "status": {"startTime": "1970-01-01T00:00:00Z"},
            }))
            .unwrap()
        };
        let due = |seconds: u64, now: u64| {
            let pod = pod(seconds);
            renewal(&pod, pod.spec.as_ref().unwrap(), Time::from_secs(now)).map(Time::as_secs)
        };
        assert_eq!((due(600, 0), due(600, 479), due(600, 480)), (Some(480), Some(480), Some(960)));
        assert_eq!(due(EXTENDED, 0), None);
    }
}
