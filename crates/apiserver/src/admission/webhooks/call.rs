//! Where a webhook leads to, and the way there. Models `pkg/util/proxy/service.go` and what client-go makes of answers.

use crate::server::Cx;
use api::{ObjectExt, Registered};
use k8s_openapi::api::admissionregistration::v1::{MutatingWebhook, ServiceReference};
use k8s_openapi::api::core::v1::Service;
use meta::Duration;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Who takes the connections that webhooks lead to.
#[derive(Clone, Debug, Default)]
pub struct Callees {
    /// Simulated programs, by a Service's `address:port`: they let everything pass as it is, or these are the words of Go's
    /// HTTP client for what goes wrong. Who is named nowhere refuses connections.
    pub simulated: BTreeMap<String, Result<(), String>>,
    /// Where the addresses of other Services lead to: one after the other is tried.
    pub real: BTreeMap<String, Vec<Target>>,
    /// Who goes there; a tab has nobody.
    pub caller: Option<Arc<dyn Caller>>,
}

/// An end of a connection beyond the simulation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A host, by name or address, and its port.
    Host(String, u16),
    /// A container that really runs, by its pod's address and its port.
    Guest(String, u16),
}

/// A question on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub target: Target,
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Besides the host, which is the server's name when they do not say it.
    pub headers: Vec<(String, String)>,
    pub trust: Trust,
    pub timeout: Duration,
    pub body: Vec<u8>,
}

/// Whom a connection may lead to, and who makes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// The name that the other side's certificate has to be for.
    pub server_name: String,
    /// PEM; empty: what the host trusts.
    pub ca_bundle: Vec<u8>,
    /// Any certificate will do.
    pub insecure: bool,
    /// The API server shows the certificate by which other servers believe it who its clients are.
    pub identified: bool,
}

/// The status and the body of an answer, or the words of Go's HTTP client, without the URL.
pub type Said = Result<(u16, Vec<u8>), String>;

/// Carries questions to webhooks, over HTTPS.
pub trait Caller: Send + Sync + fmt::Debug {
    /// `None`: there is no answer yet. The request is then given up ([`WAITS`]) with nothing written; it is to begin anew when
    /// there is one.
    fn post(&self, call: &Call) -> Option<Said>;
}

/// The code of the refusal of a request that an answer is missing for. No client sees it.
pub const WAITS: u16 = 0;

/// What comes of a call.
pub(crate) enum Outcome {
    /// A simulated program that has nothing against anything.
    Passes,
    /// The body of an answer.
    Said(Vec<u8>),
    /// There is no answer yet.
    Waits,
}

const HEADERS: [(&str, &str); 3] = [
    ("content-type", "application/json"),
    ("accept", "application/json, */*"),
    ("user-agent", "kube-apiserver-admission"),
];

/// Asks the webhook; `question` makes the body when there is somebody to read it.
///
/// # Errors
/// What client-go says of a call that has no answer.
pub(crate) fn ask(cx: &Cx<'_>, hook: &MutatingWebhook, question: impl FnOnce() -> Vec<u8>) -> Result<Outcome, String> {
    let seconds = hook.timeout_seconds.unwrap_or(10);
    let said = |url: &str, why: String| format!("Post \"{url}?timeout={seconds}s\": {why}");
    let (url, targets) = match (&hook.client_config.url, &hook.client_config.service) {
        (Some(url), _) if cx.callees.caller.is_none() => return Err(said(url, outside(url))),
        (Some(url), _) => (url.clone(), vec![by_url(url)]),
        (None, Some(service)) => {
            let port = service.port.unwrap_or(443);
            let path = service.path.as_deref().unwrap_or("").trim_start_matches('/');
            let url = format!("https://{}.{}.svc:{port}/{path}", service.name, service.namespace);
            match by_service(cx, service, port) {
                Ok(Some(targets)) => (url, targets),
                Ok(None) => return Ok(Outcome::Passes),
                Err(why) => return Err(said(&url, why)),
            }
        }
        (None, None) => return Ok(Outcome::Passes),
    };
    let Some(caller) = &cx.callees.caller else { return Err(said(&url, outside(&url))) };
    let path = url.trim_start_matches("https://").split_once('/').map_or("", |(_, path)| path);
    let body = question();
    let mut answer = Err(String::new());
    for target in targets {
        let call = Call {
            target,
            method: "POST".into(),
            path: format!("/{path}?timeout={seconds}s"),
            headers: HEADERS.map(|(name, value)| (name.into(), value.into())).into(),
            trust: Trust {
                server_name: host(&url).0.to_string(),
                ca_bundle: hook.client_config.ca_bundle.as_ref().map(|b| b.0.clone()).unwrap_or_default(),
                ..Trust::default()
            },
            timeout: Duration::from_secs(u64::try_from(seconds).unwrap_or(10)),
            body: body.clone(),
        };
        let Some(said) = caller.post(&call) else {
            cx.waits.set(true);
            return Ok(Outcome::Waits);
        };
        answer = said;
        // Where nobody takes the connection the next connection goes elsewhere.
        if !answer.as_ref().is_err_and(|why| why.starts_with("dial ")) {
            break;
        }
    }
    let (code, body) = answer.map_err(|why| said(&url, why))?;
    if (200..=206).contains(&code) { Ok(Outcome::Said(body)) } else { Err(status(code, &body)) }
}

/// The host of a URL and its port, as written.
fn host(url: &str) -> (&str, Option<u16>) {
    let authority = url.trim_start_matches("https://").split('/').next().unwrap_or("");
    let authority = authority.rsplit_once('@').map_or(authority, |(_, rest)| rest);
    if let Some((v6, rest)) = authority.strip_prefix('[').and_then(|a| a.split_once(']')) {
        return (v6, rest.strip_prefix(':').and_then(|p| p.parse().ok()));
    }
    match authority.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()),
        None => (authority, None),
    }
}

fn by_url(url: &str) -> Target {
    let (name, port) = host(url);
    Target::Host(name.into(), port.unwrap_or(443))
}

/// Where a Service leads to; `None`: to a simulated program that lets everything pass.
fn by_service(cx: &Cx<'_>, service: &ServiceReference, port: i32) -> Result<Option<Vec<Target>>, String> {
    let found = cx.object(Service::KIND_REF, &service.namespace, &service.name);
    let found = found.and_then(|e| e.value.0.downcast::<Service>());
    let address = match resolve(found, &service.name, port)? {
        At::Cluster(address) => address,
        At::Name(name) if cx.callees.caller.is_some() => {
            return Ok(Some(vec![Target::Host(name, u16::try_from(port).unwrap_or(443))]));
        }
        // Names outside the cluster lead nowhere.
        At::Name(name) => return Err(format!("dial tcp: lookup {name}: no such host")),
    };
    if let Some(targets) = cx.callees.real.get(&address) {
        return Ok(Some(targets.clone()));
    }
    let refused = || Err(format!("dial tcp {address}: connect: connection refused"));
    cx.callees.simulated.get(&address).cloned().unwrap_or_else(refused).map(|()| None)
}

/// Where a Service is.
pub enum At {
    /// `address:port` within the cluster.
    Cluster(String),
    /// A host outside.
    Name(String),
}

/// Models `ResolveCluster`: the address that a Service has.
///
/// # Errors
/// There is no such Service or port, or it has no address.
pub fn resolve(service: Option<&Service>, name: &str, port: i32) -> Result<At, String> {
    let spec = service.and_then(|s| s.spec.as_ref()).ok_or_else(|| format!("service {name:?} not found"))?;
    let kind = spec.type_.as_deref().unwrap_or("ClusterIP");
    if kind == "ExternalName" {
        return Ok(At::Name(spec.external_name.clone().unwrap_or_default()));
    }
    let ip = spec.cluster_ip.as_deref().unwrap_or("");
    if kind == "ClusterIP" && ip == "None" {
        return Err("cannot route to service with ClusterIP \"None\"".into());
    }
    if !spec.ports.iter().flatten().any(|p| p.port == port) {
        return Err(format!("no service port {port} found for service {name:?}"));
    }
    Ok(At::Cluster(format!("{ip}:{port}")))
}

/// A tab's world outside has none of the programs that somebody may name.
fn outside(url: &str) -> String {
    let (host, _) = host(url);
    if host.chars().all(|c| c.is_ascii_digit() || c == '.') || host.contains(':') {
        return "context deadline exceeded".into();
    }
    format!("dial tcp: lookup {host}: no such host")
}

/// What client-go says of an answer that is none. Models `newUnstructuredResponseError` and `NewGenericServerResponse`.
fn status(code: u16, body: &[u8]) -> String {
    let tree: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    if tree["kind"] == "Status"
        && let Some(message) = tree["message"].as_str()
    {
        return message.into();
    }
    let text = String::from_utf8_lossy(body);
    let text = if text.trim().is_empty() { "unknown" } else { text.trim() };
    match code {
        400 => "the server rejected our request for an unknown reason".into(),
        401 => "the server has asked for the client to provide credentials".into(),
        403 | 406 | 415 => text.into(),
        404 => "the server could not find the requested resource".into(),
        405 => "the server does not allow this method on the requested resource".into(),
        409 => "the server reported a conflict".into(),
        422 => "the server rejected our request due to an error in our request".into(),
        429 => "the server has received too many requests and has asked us to try again later".into(),
        503 => "the server is currently unable to handle the request".into(),
        504 => {
            "the server was unable to return a response in the time allotted, but may still be processing the request"
                .into()
        }
        500.. => format!("an error on the server ({text:?}) has prevented the request from succeeding"),
        _ => format!("the server responded with the status code {code} but did not return more information"),
    }
}
