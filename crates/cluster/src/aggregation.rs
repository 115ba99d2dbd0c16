//! What kube-aggregator does for APIServices of other servers: it asks whether these are there and what they have, and passes
//! requests on to them. Models `kube-aggregator/pkg/apiserver/{handler_proxy, handler_discovery}.go`. A server with sockets
//! carries the questions and the requests; simulated programs are asked here.

mod discovered;

use crate::{Cluster, HttpOutcome};
use api::{Remote, RemoteSaid};
use apiserver::http::{HttpRequest, HttpResponse, NO_CACHE};
use apiserver::{At, Call, Said, Target, Trust, resolve};
use controllers::aggregator::RemoteAvailable;
use k8s_openapi::api::core::v1::Service;
use meta::{Duration, Key, User};
use network::policy::CONTROL_PLANE_ADDRESS;
use network::{NetError, Server, Wire};
use reconcile::services::Spot;
use reconcile::{Controller, Runner};
use std::sync::Arc;

/// Of a question whether somebody is there, and of one what there is.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(5);
/// Of a request that the whole cluster waits for.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Whom the API server asks as.
const AGGREGATOR: &str = "system:kube-aggregator";

/// Where the requests for an APIService go.
#[derive(Clone, Debug)]
pub struct Way {
    /// One after the other is tried.
    pub targets: Vec<Target>,
    /// The address that they stand behind, with its port.
    pub address: String,
    pub trust: Trust,
}

/// A request for another server, for the host to carry.
#[derive(Clone, Debug)]
pub struct Passed {
    pub way: Way,
    /// Headers that say who asks.
    pub identity: Vec<(String, String)>,
}

/// An APIService whose server is to be asked whether it is there and what it has.
#[derive(Clone, Debug)]
pub struct Check {
    pub key: Key,
    group: String,
    version: String,
    root: String,
    way: Way,
}

impl Way {
    /// One request; it names no target yet.
    pub fn call(&self, method: &str, path: &str, mut headers: Vec<(String, String)>, body: Vec<u8>) -> Call {
        headers.push(("host".into(), self.address.clone()));
        Call {
            target: Target::Host(String::new(), 0),
            method: method.into(),
            path: path.into(),
            headers,
            trust: self.trust.clone(),
            timeout: QUESTION_TIMEOUT,
            body,
        }
    }

    /// Go dials the address that the server stands behind.
    pub fn worded(&self, why: &str) -> String {
        match why.strip_prefix("dial tcp ").and_then(|rest| rest.split_once(": connect: ")) {
            Some((_, rest)) => format!("dial tcp {}: connect: {rest}", self.address),
            None => why.into(),
        }
    }
}

impl Check {
    /// Where the server is.
    pub fn targets(&self) -> &[Target] {
        &self.way.targets
    }
    fn url(&self) -> String {
        format!("https://{}/{}", self.way.address, self.root)
    }
    /// Whether it is there. Whoever it is: somebody who owns the network may say so.
    pub fn there(&self) -> Call {
        let trust = Trust { insecure: true, ..self.way.trust.clone() };
        Way { trust, ..self.way.clone() }.call("GET", &format!("/{}", self.root), identity(&aggregator()), Vec::new())
    }
    /// All that it has, and the same in the older form, of this group and version only.
    pub fn discovery(&self) -> Call {
        self.get("/apis", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")
    }
    pub fn legacy_discovery(&self) -> Call {
        self.get(&format!("/{}", self.root), "application/json")
    }
    pub fn openapi(&self) -> Call {
        self.get("/openapi/v3", "application/json")
    }
    fn get(&self, path: &str, accept: &str) -> Call {
        let mut headers = identity(&aggregator());
        headers.push(("accept".into(), accept.into()));
        self.way.call("GET", path, headers, Vec::new())
    }

    /// What becomes of the first answer.
    ///
    /// # Errors
    /// Why the server counts as away.
    pub fn is_there(&self, said: Said) -> Result<(), String> {
        let url = self.url();
        let why = match said {
            Ok((200..300, _)) => return Ok(()),
            Ok((code, _)) => format!("bad status from {url}: {code}"),
            Err(why) => {
                let late = why == "context deadline exceeded";
                let late = if late { " (Client.Timeout exceeded while awaiting headers)" } else { "" };
                format!("Get {url:?}: {}{late}", self.way.worded(&why))
            }
        };
        Err(format!("failing or missing response from {url}: {why}"))
    }

    /// Its resources, by one or the other discovery.
    pub fn resources(&self, said: Said) -> Option<Arc<serde_json::Value>> {
        let (200, body) = said.ok()? else { return None };
        let document = serde_json::from_slice(&body).ok()?;
        discovered::resources(&document, &self.group, &self.version).map(Arc::new)
    }

    /// What changes with its OpenAPI document.
    pub fn openapi_hash(&self, said: Said) -> String {
        let index: serde_json::Value = match said {
            Ok((200, body)) => serde_json::from_slice(&body).unwrap_or_default(),
            _ => return String::new(),
        };
        let url = index["paths"][&self.root]["serverRelativeURL"].as_str().unwrap_or("");
        url.split_once("hash=").map_or("", |(_, hash)| hash).into()
    }
}

fn aggregator() -> User {
    User::new(AGGREGATOR, &["system:masters"])
}

/// Models `SetAuthProxyHeaders` of client-go.
fn identity(user: &User) -> Vec<(String, String)> {
    let one = |name: &str, value: &str| (name.to_string(), value.to_string());
    let mut headers = vec![one("X-Remote-User", &user.name)];
    if !user.uid.is_empty() {
        headers.push(one("X-Remote-Uid", &user.uid));
    }
    headers.extend(user.groups.iter().map(|g| one("X-Remote-Group", g)));
    for (key, values) in &user.extra {
        let name = format!("X-Remote-Extra-{}", escaped(key));
        headers.extend(values.iter().map(|v| one(&name, v)));
    }
    headers
}

/// Models `headerKeyEscape`.
fn escaped(key: &str) -> String {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"!#$&'*+-.^_`|~".contains(&b);
    key.bytes().map(|b| if legal(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

fn tell(runner: &mut Runner<RemoteAvailable>, key: &Key, there: Result<(), String>) {
    runner.controller_mut().hear(key, there);
    runner.queue(key.clone());
}

impl Cluster {
    /// The way to the server behind an APIService.
    ///
    /// # Errors
    /// Its Service has no address, in the aggregator's words.
    fn way(&self, remote: &Remote) -> Result<Way, String> {
        let (namespace, name) =
            (remote.service.namespace.as_deref().unwrap_or(""), remote.service.name.as_deref().unwrap_or(""));
        let (port, caller) = (remote.port(), self.webhook_caller.is_some());
        let service = self.view.get::<Service>(&Key::new(namespace, name));
        let (targets, address) = match resolve(service, name, i32::from(port))? {
            At::Name(host) if caller => (vec![Target::Host(host.clone(), port)], format!("{host}:{port}")),
            At::Name(host) => (Vec::new(), format!("{host}:{port}")),
            At::Cluster(address) => {
                let ip = address.rsplit_once(':').map_or("", |(ip, _)| ip);
                (if caller { self.beyond(ip, port) } else { Vec::new() }, address)
            }
        };
        let trust = Trust {
            server_name: format!("{name}.{namespace}.svc"),
            ca_bundle: remote.ca_bundle.clone(),
            insecure: remote.insecure,
            identified: true,
        };
        Ok(Way { targets, address, trust })
    }

    /// Makes the checks that the controller of slot `i` asks for; the host's are for it to take.
    pub(crate) fn check_remotes(&mut self, i: usize) {
        let Some(runner) = self.slots[i].component.as_any_mut().downcast_mut::<Runner<RemoteAvailable>>() else {
            return;
        };
        for key in runner.controller_mut().take_asked() {
            let Some(remote) = self.api.kinds().remote_named(key.name()).cloned() else { continue };
            let said = match self.way(&remote) {
                Err(why) => Err(why),
                Ok(way) => {
                    let (group, version, root) = (remote.group.clone(), remote.version.clone(), remote.root());
                    let check = Check { key: key.clone(), group, version, root, way };
                    if !check.way.targets.is_empty() && self.waiting.on {
                        self.waiting.checks.push(check);
                        continue;
                    }
                    let said = self.ask_remote(&check.way, check.there());
                    check.is_there(said)
                }
            };
            // It is still this controller's turn.
            if let Some(runner) = self.slots[i].component.as_any_mut().downcast_mut::<Runner<RemoteAvailable>>() {
                tell(runner, &key, said);
            }
        }
    }

    /// APIServices whose servers the host is to ask, for [`Cluster::checked`].
    pub fn take_checks(&mut self) -> Vec<Check> {
        std::mem::take(&mut self.waiting.checks)
    }

    /// What came of a check, and what the server has if it is there.
    pub fn checked(&mut self, key: &Key, there: Result<(), String>, has: Option<RemoteSaid>) {
        if let Some(has) = has {
            self.api.learn_remote(key.name(), has);
        }
        self.with_component(RemoteAvailable::NAME, |runner| tell(runner, key, there));
    }

    /// A request for a path that another server answers at, which can be reached.
    pub(crate) fn pass_on(&mut self, remote: &Remote, req: &HttpRequest<'_>, hands_out: bool) -> HttpOutcome {
        let text = |code: u16, text: String| {
            let (content_type, warnings) = ("text/plain; charset=utf-8", Vec::new());
            HttpOutcome::Response(HttpResponse {
                code,
                content_type,
                cache_control: NO_CACHE,
                warnings,
                body: text.into_bytes(),
            })
        };
        let Ok(way) = self.way(remote) else { return text(503, "service unavailable\n".into()) };
        let mut headers = identity(&req.user);
        if hands_out && !way.targets.is_empty() {
            return HttpOutcome::Passed(Passed { way, identity: headers });
        }
        let given = [("accept", req.accept), ("content-type", req.content_type), ("user-agent", req.user_agent)];
        headers.extend(given.iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| ((*k).to_string(), (*v).to_string())));
        let query = if req.query.is_empty() { String::new() } else { format!("?{}", req.query) };
        let watches =
            apiserver::http::query_pairs(req.query).iter().any(|(k, v)| k == "watch" && v != "false" && v != "0");
        // The cluster would wait until the watch ends.
        let said = if watches && !way.targets.is_empty() {
            Err("context deadline exceeded".into())
        } else {
            let call = way.call(req.method, &format!("{}{query}", req.path), headers, req.body.clone());
            self.ask_remote(&way, Call { timeout: REQUEST_TIMEOUT, ..call })
        };
        match said {
            Ok((code, body)) => {
                let is_json = matches!(body.first(), Some(b'{' | b'['));
                let content_type = if is_json { "application/json" } else { "text/plain; charset=utf-8" };
                HttpOutcome::Response(HttpResponse {
                    code,
                    content_type,
                    cache_control: NO_CACHE,
                    warnings: Vec::new(),
                    body,
                })
            }
            Err(why) => text(503, format!("error trying to reach service: {}\n", way.worded(&why))),
        }
    }

    /// The way that a request for an APIService's OpenAPI document takes, if it has one.
    pub fn pass_document(&mut self, remote: &Remote, user: &User) -> Option<Passed> {
        let way = self.way(remote).ok().filter(|w| !w.targets.is_empty() && remote.available)?;
        Some(Passed { way, identity: identity(user) })
    }

    /// Asks while the cluster waits: the host's programs one after the other, else a simulated one.
    fn ask_remote(&mut self, way: &Way, mut call: Call) -> Said {
        let Some(caller) = self.webhook_caller.clone().filter(|_| !way.targets.is_empty()) else {
            return self.ask_simulated(way, &call);
        };
        let mut said = Err(format!("dial tcp {}: connect: connection refused", way.address));
        for target in &way.targets {
            call.target = target.clone();
            said = caller.post(&call).unwrap_or(said);
            if !said.as_ref().is_err_and(|why| why.starts_with("dial ")) {
                break;
            }
        }
        said
    }

    /// The programs that listen there speak TLS or not; none of them has the API.
    fn ask_simulated(&mut self, way: &Way, call: &Call) -> Said {
        let (ip, port) = way.address.rsplit_once(':').unwrap_or((&way.address, ""));
        if ip.parse::<std::net::IpAddr>().is_err() {
            return Err(format!("dial tcp: lookup {ip}: no such host"));
        }
        let rule = self.view.services.find(ip, port.parse().unwrap_or(0));
        let ends = rule.map(|r| r.usable(Spot::default()).0).unwrap_or_default();
        let ends: Vec<(String, u16)> = ends.into_iter().map(|e| (e.ip.to_string(), e.port)).collect();
        let refused = || Err(format!("dial tcp {}: connect: connection refused", way.address));
        let mut said = refused();
        for (ip, port) in ends {
            let Some(node) = self.node_of_pod_ip(&ip).map(str::to_string) else { continue };
            let (from, wire) = (CONTROL_PLANE_ADDRESS.into(), Wire::Tls { insecure: call.trust.insecure });
            let asked = Server { ip, port, path: call.path.clone(), from, wire, ..Server::default() };
            said = match self.pod_http(&node, &asked) {
                Ok(response) => return Ok((response.status, response.body.into_bytes())),
                Err(NetError::Refused | NetError::NoSuchHost) => refused(),
                Err(NetError::NotTls) => Err("http: server gave HTTP response to HTTPS client".into()),
                Err(NetError::Untrusted) => {
                    Err("tls: failed to verify certificate: x509: certificate signed by unknown authority".into())
                }
                Err(NetError::NotHttp) => Err("EOF".into()),
                Err(NetError::Unreachable | NetError::Waiting) => Err("context deadline exceeded".into()),
            };
        }
        said
    }
}

#[cfg(test)]
mod tests;
