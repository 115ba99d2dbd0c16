//! Follow this request, for page and terminal.

use cluster::Cluster;
use cluster::follow::{Journey, Outcome};
use meta::Key;
use network::{Hop, Request};
use protocol::words::{self, Lang};
use protocol::{Follow, FollowHop, ObjectId};

/// Characters of an answer that are shown.
const BODY_MAX: usize = 2000;

/// Sends what is asked for.
///
/// # Errors
/// The URL cannot be read, or there is no such pod in the network.
pub fn send(cluster: &mut Cluster, follow: &Follow) -> Result<Journey, String> {
    cluster.follow_request(&Key::new(&follow.namespace, &follow.pod), &request(follow)?)
}

/// A request to a URL as curl would send it that trusts everybody.
fn request(follow: &Follow) -> Result<Request, String> {
    let url = follow.url.trim();
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    if !matches!(scheme, "http" | "https") {
        return Err(format!("{url:?}: only http and https can be followed"));
    }
    let (authority, path) = rest.find(['/', '?']).map_or((rest, ""), |i| rest.split_at(i));
    let path = if path.starts_with('/') { path.to_string() } else { format!("/{path}") };
    let tls = scheme == "https";
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().map_err(|_| format!("{url:?}: {port:?} is no port"))?),
        None => (authority, if tls { 443 } else { 80 }),
    };
    if host.is_empty() {
        return Err(format!("{url:?}: no host"));
    }
    let header = if follow.host.trim().is_empty() { authority } else { follow.host.trim() };
    Ok(Request { tls, insecure: true, host: host.into(), port, header: header.into(), path, ..Request::default() })
}

pub fn shown(journey: &Journey) -> protocol::Journey {
    let (status, body) = match &journey.outcome {
        Outcome::Answered(r) => (Some(r.status), r.body.chars().take(BODY_MAX).collect()),
        Outcome::Failed(_) | Outcome::Guest(_) => (None, String::new()),
    };
    protocol::Journey { hops: journey.hops.iter().map(hop).collect(), status, body }
}

fn hop(h: &Hop) -> FollowHop {
    let api_version = match h.kind {
        "NetworkPolicy" | "Ingress" => "networking.k8s.io/v1",
        _ => "v1",
    };
    let key = Key::from(h.name.as_str());
    let object = (!h.kind.is_empty()).then(|| ObjectId {
        api_version: api_version.into(),
        kind: h.kind.into(),
        namespace: key.namespace().into(),
        name: key.name().into(),
    });
    FollowHop { stage: h.stage.as_str().into(), object, name: h.name.clone(), ok: h.ok, notes: h.notes.clone() }
}

/// As the terminal shows it: a line for each reason.
pub fn text(journey: &protocol::Journey, lang: Lang) -> String {
    let stages: Vec<&str> =
        journey.hops.iter().map(|h| words::find(lang, &format!("stage.{}", h.stage)).unwrap_or("")).collect();
    let wide = stages.iter().map(|s| s.chars().count()).max().unwrap_or(0);
    let name_wide = journey.hops.iter().map(|h| h.name.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for (h, stage) in journey.hops.iter().zip(stages) {
        let mut notes = h.notes.iter().map(|n| words::note(lang, n));
        let first = notes.next().unwrap_or_default();
        let mark = if h.ok { ' ' } else { '!' };
        out.push_str(&format!("{mark} {stage:wide$}  {:name_wide$}  {first}\n", h.name));
        for note in notes {
            out.push_str(&format!("  {:wide$}  {:name_wide$}  {note}\n", "", ""));
        }
    }
    if !journey.body.is_empty() {
        out.push_str(&format!("\n{}\n", journey.body.trim_end()));
    }
    out
}
