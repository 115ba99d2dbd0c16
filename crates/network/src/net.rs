//! A connection's way through the cluster: from a name to an address, from a Service's address to an endpoint, past the
//! policies of both ends, and through the ingress controller when that is where it leads. Whoever sends anything goes this
//! way: simulated containers, wasm guests, ports of the host; and so does who only wants to see the way.

use crate::balance::Balancer;
use crate::dns::{self, OUTSIDE};
use crate::gateway::{self, Passed};
use crate::hop::{Stage, Trail};
use crate::policy::{self, CONTROL_PLANE_ADDRESS, DNS_ADDRESS, Direction, Ruling};
use crate::resolver::{NODE_DNS, Resolver};
use crate::source;
use k8s_openapi::api::core::v1::{Node, Pod};
use meta::{Key, Time};
use reconcile::View;
use reconcile::services::{Rule, Spot};
use std::net::IpAddr;
use trace::note;

const OUTSIDE_PAGE: &str = "<html><head></head><body><header>\n<title>http://info.cern.ch</title>\n</header>\n\n\
     <h1>http://info.cern.ch - home of the first website</h1>\n</body></html>\n";
/// What Go's server says on a port for TLS.
pub const PLAIN_TO_TLS: &str = "Client sent an HTTP request to an HTTPS server.\n";
const API_SERVER_PORT: u16 = 6443;
const DNS_PORT: u16 = 53;
const ZONE: &str = "topology.kubernetes.io/zone";

/// Why nothing answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetError {
    /// The name does not resolve.
    NoSuchHost,
    /// Nobody listens at that port.
    Refused,
    /// Nobody has that address, or a policy drops what is sent there.
    Unreachable,
    /// Somebody listens who does not speak HTTP.
    NotHttp,
    /// Somebody listens who does not speak TLS.
    NotTls,
    /// Somebody speaks TLS whose certificate the client does not trust.
    Untrusted,
    /// The answer is under way.
    Waiting,
}

/// An HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub body: String,
    /// Where a redirect leads to.
    pub location: Option<String>,
    /// What the server says of it, where that is known.
    pub headers: Vec<(String, String)>,
    /// The server asks another one, whose answer it hands on: the first of these that is there.
    pub forward: Vec<Request>,
}

impl Response {
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        Response { status, body: body.into(), location: None, headers: Vec::new(), forward: Vec::new() }
    }
}

/// Who asks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Client<'a> {
    pub ip: &'a str,
    /// How it asks for names; nobody's: cluster DNS is asked, past all policies.
    pub resolver: Option<&'a Resolver>,
    /// Unknown for what comes from outside.
    pub node: Option<&'a str>,
    /// What its `/etc/hosts` says: its own name, and addresses with theirs.
    pub hostname: &'a str,
    pub aliases: &'a [(String, Vec<String>)],
}

impl Client<'_> {
    /// Whether a host is the client itself.
    pub fn is_own(&self, host: &str) -> bool {
        host == "localhost" || host.starts_with("127.") || (host == self.hostname && !host.is_empty())
    }
}

/// An HTTP request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    pub tls: bool,
    /// Whoever answers over TLS is trusted.
    pub insecure: bool,
    /// Whom to connect to.
    pub host: String,
    pub port: u16,
    /// The `Host` header, with a port where one is written.
    pub header: String,
    /// With the query.
    pub path: String,
    /// Besides where it goes.
    pub said: Said,
}

/// What a request says to whoever answers it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Empty: GET.
    pub method: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Said {
    /// Sets a header that is not there yet.
    pub fn default_header(&mut self, name: &str, value: &str) {
        if !self.headers.iter().any(|(k, _)| k.eq_ignore_ascii_case(name)) {
            self.headers.push((name.into(), value.into()));
        }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(k, _)| k.eq_ignore_ascii_case(name)).map_or("", |(_, v)| v)
    }
}

impl Request {
    /// The request as it is when it gets to a server at once.
    pub fn to(&self, ip: String, port: u16, from: String) -> Server {
        let wire = if self.tls { Wire::Tls { insecure: self.insecure } } else { Wire::Plain };
        let (path, host, said) = (self.path.clone(), self.header.clone(), self.said.clone());
        Server { ip, port, path, proxied: false, from, wire, host, said }
    }
}

/// Where a connection goes, and the address that it comes from there.
#[derive(Clone, Debug)]
struct Way {
    ip: String,
    port: u16,
    from: String,
}

/// Who is at the end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Some pod or machine, and the address that it sees the client by.
    Port {
        ip: String,
        port: u16,
        from: String,
    },
    Gateway {
        tls: bool,
        from: String,
    },
    ApiServer,
    Outside,
}

/// Where a request has got to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reached {
    /// Whoever listens there answers.
    Server(Server),
    Answer(Response),
    /// It answers those whom it knows.
    ApiServer,
}

/// How a request is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wire {
    /// As whoever listens would have it.
    #[default]
    Any,
    Plain,
    Tls {
        /// The client takes any certificate.
        insecure: bool,
    },
}

/// Who is to answer, and what it is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Server {
    pub ip: String,
    pub port: u16,
    /// As the server sees it, with the query.
    pub path: String,
    /// The ingress controller stands between.
    pub proxied: bool,
    /// The address that the connection comes from, as the server sees it; empty: nobody knows.
    pub from: String,
    pub wire: Wire,
    /// The `Host` header.
    pub host: String,
    pub said: Said,
}

impl Server {
    /// What the client gets: the ingress controller answers for a server that does not.
    ///
    /// # Errors
    /// Nobody stands between.
    pub fn answer<T>(&self, result: Result<T, NetError>, own: impl FnOnce(Response) -> T) -> Result<T, NetError> {
        match result {
            Err(NetError::Unreachable) if self.proxied => Ok(own(gateway::page(504))),
            Err(NetError::Refused | NetError::NotHttp | NetError::NotTls) if self.proxied => {
                Ok(own(gateway::page(502)))
            }
            result => result,
        }
    }
}

/// The network as one node's programs find it.
pub struct Net<'a> {
    pub view: &'a View,
    pub balancer: &'a mut Balancer,
    pub now: Time,
    pub trail: &'a mut Trail,
}

impl Net<'_> {
    /// Addresses of a host.
    ///
    /// # Errors
    /// Nobody has that name, or policies keep the client from asking.
    pub fn resolve(&mut self, client: &Client, host: &str) -> Result<Vec<String>, NetError> {
        if client.is_own(host) {
            self.trail.hop(Stage::Dns, "", "/etc/hosts");
            self.trail.note(|| note!("hop.own", name = host));
            return Ok(vec![client.ip.into()]);
        }
        if host.parse::<IpAddr>().is_ok() {
            return Ok(vec![host.into()]);
        }
        if let Some((ip, _)) = client.aliases.iter().find(|(_, names)| names.iter().any(|n| n == host)) {
            self.trail.hop(Stage::Dns, "", "/etc/hosts");
            self.trail.note(|| note!("hop.dns-found", name = host, addresses = ip));
            return Ok(vec![ip.clone()]);
        }
        match client.resolver {
            None => self.ask_cluster(client, host),
            Some(r) => {
                // The next one is asked when one does not answer, not when it says that there is no such name.
                for server in &r.servers {
                    if server == DNS_ADDRESS || self.view.services.with_ip(server).is_some() {
                        return self.ask_cluster(client, host);
                    }
                    if server == NODE_DNS {
                        return self.ask_node(r, host);
                    }
                    self.trail.hop(Stage::Dns, "", server);
                    self.trail.note(|| note!("hop.dns-silent", server = server));
                }
                self.trail.fail(|| note!("hop.dns-none", name = host));
                Err(NetError::NoSuchHost)
            }
        }
    }

    fn ask_cluster(&mut self, client: &Client, host: &str) -> Result<Vec<String>, NetError> {
        let server = self.name_server(client)?;
        self.trail.hop(Stage::Dns, "", &server.0);
        // A name server that does not answer knows nothing.
        if client.resolver.is_some() && !policy::allows(self.view, client.ip, &server.0, server.1, "UDP") {
            self.trail.fail(|| note!("hop.dns-closed"));
            return Err(NetError::NoSuchHost);
        }
        let found = dns::resolve(self.view, client.resolver, host, self.trail);
        if found.is_empty() {
            self.trail.fail(|| note!("hop.dns-none", name = host));
            return Err(NetError::NoSuchHost);
        }
        Ok(found)
    }

    /// The machine's own name server knows the world outside only.
    fn ask_node(&mut self, resolver: &Resolver, host: &str) -> Result<Vec<String>, NetError> {
        self.trail.hop(Stage::Dns, "", NODE_DNS);
        for name in resolver.names(host) {
            if name == OUTSIDE.0 {
                self.trail.note(|| note!("hop.dns-found", name = name, addresses = OUTSIDE.1));
                return Ok(vec![OUTSIDE.1.into()]);
            }
            self.trail.note(|| note!("hop.dns-nothing", name = name));
        }
        self.trail.fail(|| note!("hop.dns-none", name = host));
        Err(NetError::NoSuchHost)
    }

    /// Whether cluster DNS answers the client, when that is whom it asks. `None`: it asks somebody else.
    ///
    /// # Errors
    /// The way there is closed.
    pub fn reaches_cluster_dns(&mut self, client: &Client, server: &str) -> Option<Result<(), NetError>> {
        (server == DNS_ADDRESS || self.view.services.with_ip(server).is_some()).then(|| {
            let (ip, port) = self.name_server(client)?;
            match policy::allows(self.view, client.ip, &ip, port, "UDP") {
                true => Ok(()),
                false => Err(NetError::Unreachable),
            }
        })
    }

    /// Who answers at the address of cluster DNS: a process of the cluster, or the pods of a Service that has the address.
    fn name_server(&mut self, client: &Client) -> Result<(String, u16), NetError> {
        // It has one rule for each protocol, with the same endpoints.
        match self.view.services.with_ip(DNS_ADDRESS) {
            Some(_) => match self.route(client, DNS_ADDRESS, DNS_PORT) {
                Ok(way) => Ok((way.ip, way.port)),
                Err(_) => Err(NetError::NoSuchHost),
            },
            None => Ok((DNS_ADDRESS.into(), DNS_PORT)),
        }
    }

    /// Who a connection to a host's port ends at.
    ///
    /// # Errors
    /// It ends before.
    pub fn connect(&mut self, client: &Client, host: &str, port: u16) -> Result<End, NetError> {
        let ip = self.resolve(client, host)?.into_iter().next().ok_or(NetError::NoSuchHost)?;
        let way = self.route(client, &ip, port)?;
        self.arrive(client.ip, way)
    }

    /// Where the rules of Services lead an address and port.
    fn route(&mut self, client: &Client, ip: &str, port: u16) -> Result<Way, NetError> {
        if let Some(rule) = self.view.services.find(ip, port) {
            // Addresses of its clients outside lead to its endpoints at once, wherever they are.
            let local = rule.internal_local && rule.cluster_ip == ip;
            return self.follow(client, rule, ip, port, local);
        }
        if let Some(service) = self.view.services.with_ip(ip) {
            self.trail.hop(Stage::Service, "Service", service);
            self.trail.fail(|| note!("hop.no-port", ip = ip, port = port));
            return Err(NetError::Unreachable);
        }
        if let Some(rule) = self.view.services.find_node_port(port).filter(|r| r.protocol == "TCP")
            && let Some(node) = node_at(self.view, ip)
        {
            let client = Client { node: Some(node), ..*client };
            return self.follow(&client, rule, ip, port, rule.external_local);
        }
        if let Some((pod, own, to)) = host_port(self.view, ip, port) {
            self.trail.hop(Stage::HostPort, "Pod", key_of(pod));
            self.trail.note(|| note!("hop.host-port", ip = ip, port = port, own = own, to = to));
            return Ok(Way { ip: own.into(), port: to, from: client.ip.into() });
        }
        Ok(Way { ip: ip.into(), port, from: client.ip.into() })
    }

    /// A connection that comes to a node's port from outside. `node`: where it comes in, if that matters.
    ///
    /// # Errors
    /// It ends before.
    pub fn enter(&mut self, client: &str, node: Option<&str>, node_port: u16) -> Result<End, NetError> {
        let rule = self.view.services.find_node_port(node_port).ok_or(NetError::Refused)?;
        let client = Client { ip: client, node, ..Client::default() };
        let way = self.follow(&client, rule, "*", node_port, rule.external_local)?;
        self.arrive(client.ip, way)
    }

    fn follow(&mut self, client: &Client, rule: &Rule, ip: &str, port: u16, local: bool) -> Result<Way, NetError> {
        let node = client.node.and_then(|n| self.view.get::<Node>(&Key::from(n)));
        let label = |name: &str| node.and_then(|n| n.metadata.labels.as_ref()?.get(name)).map(String::as_str);
        let spot = Spot { node: client.node, zone: label(ZONE), local };
        self.trail.hop(Stage::Service, "Service", &rule.service);
        let ready = rule.endpoints.iter().filter(|e| e.ready).count();
        self.trail.note(|| {
            let all = rule.endpoints.len();
            match rule.port_name.as_str() {
                "" => note!("hop.rule-unnamed", ip = ip, port = port, ready = ready, all = all),
                name => note!("hop.rule", ip = ip, port = port, name = name, ready = ready, all = all),
            }
        });
        let chosen = self.balancer.choose(self.now, rule, spot, client.ip, self.trail)?;
        let from = source::seen(self.view, client, rule, ip, &chosen);
        Ok(Way { ip: chosen.ip, port: chosen.port, from })
    }

    /// Past the policies, to whoever has the address.
    fn arrive(&mut self, from: &str, way: Way) -> Result<End, NetError> {
        let (ip, port) = (way.ip.as_str(), way.port);
        self.pass(from, ip, port)?;
        if (ip, port) == (CONTROL_PLANE_ADDRESS, API_SERVER_PORT) {
            self.trail.hop(Stage::Server, "", "kube-apiserver");
            return Ok(End::ApiServer);
        }
        match (ip, port) {
            (CONTROL_PLANE_ADDRESS, 80 | 443) => {
                self.trail.hop(Stage::Ingress, "", gateway::PROCESS);
                match self.view.gateway.listening {
                    true => {
                        self.trail.note(|| note!("hop.gateway", port = port));
                        Ok(End::Gateway { tls: port == 443, from: way.from })
                    }
                    false => {
                        self.trail.fail(|| note!("hop.refused", ip = ip, port = port));
                        Err(NetError::Refused)
                    }
                }
            }
            (ip, port) if ip == OUTSIDE.1 => match port {
                80 => Ok(End::Outside),
                _ => Err(NetError::Unreachable),
            },
            _ => Ok(End::Port { ip: way.ip, port, from: way.from }),
        }
    }

    fn pass(&mut self, from: &str, ip: &str, port: u16) -> Result<(), NetError> {
        for (direction, ruling) in policy::verdict(self.view, from, ip, port, "TCP") {
            let end = if direction == Direction::Egress { from } else { ip };
            let way = direction.as_str();
            match ruling {
                Ruling::Open => {
                    // What is no pod has no policies that could be told about.
                    if let Some(pod) = policy::pod_at(self.view, end) {
                        self.trail.hop(Stage::Policy, "Pod", key_of(pod));
                        self.trail.note(|| note!("hop.policy-open", way = way));
                    }
                }
                Ruling::Allowed { policy, rule } => {
                    self.trail.hop(Stage::Policy, "NetworkPolicy", &policy);
                    self.trail.note(|| note!("hop.policy-allows", way = way, rule = rule + 1));
                }
                Ruling::Denied { policies } => {
                    self.trail.hop(Stage::Policy, "NetworkPolicy", &policies[0]);
                    let names: Vec<&str> = policies.iter().map(Key::as_str).collect();
                    self.trail.fail(|| note!("hop.policy-denies", way = way, policies = names.join(", ")));
                    return Err(NetError::Unreachable);
                }
            }
        }
        Ok(())
    }

    /// Who answers a request, or the answer of somebody who is no pod.
    ///
    /// # Errors
    /// Nobody does.
    pub fn request(&mut self, client: &Client, request: &Request) -> Result<Reached, NetError> {
        let end = self.connect(client, &request.host, request.port)?;
        self.ask(end, request)
    }

    /// The same for a connection that is there.
    ///
    /// # Errors
    /// Nobody answers.
    pub fn ask(&mut self, end: End, request: &Request) -> Result<Reached, NetError> {
        match end {
            End::Port { ip, port, from } => Ok(Reached::Server(request.to(ip, port, from))),
            End::ApiServer if request.tls => Ok(Reached::ApiServer),
            End::ApiServer => Ok(Reached::Answer(Response::new(400, PLAIN_TO_TLS))),
            End::Outside if request.tls => Err(NetError::NotTls),
            End::Outside => Ok(Reached::Answer(Response::new(200, OUTSIDE_PAGE))),
            End::Gateway { tls, from } => match gateway::pass(self, tls, &from, request)? {
                Passed::Answer(response) => Ok(Reached::Answer(response)),
                Passed::To { ip, port, path, secure, said } => {
                    let (from, host) = (CONTROL_PLANE_ADDRESS.into(), request.header.clone());
                    // Of backends it takes any certificate.
                    let wire = if secure { Wire::Tls { insecure: true } } else { Wire::Plain };
                    let server = Server { ip, port, path, proxied: true, from, wire, host, said };
                    // Its own connection goes past policies, too.
                    match self.pass(CONTROL_PLANE_ADDRESS, &server.ip, server.port) {
                        Ok(()) => Ok(Reached::Server(server)),
                        Err(e) => server.answer(Err(e), Reached::Answer),
                    }
                }
            },
        }
    }
}

pub(crate) fn key_of(pod: &Pod) -> Key {
    Key::new(pod.metadata.namespace.as_deref().unwrap_or(""), pod.metadata.name.as_deref().unwrap_or(""))
}

/// The pod whose `hostPort` a node's address and port are, with its own address and port. Models the CNI plugin `portmap`.
fn host_port<'a>(view: &'a View, ip: &str, port: u16) -> Option<(&'a Pod, &'a str, u16)> {
    // Addresses of pods are no nodes' addresses: most connections end here.
    if policy::pod_at(view, ip).is_some() {
        return None;
    }
    let node = node_at(view, ip)?;
    let mut here = view.list::<Pod>().filter(|p| p.spec.as_ref().and_then(|s| s.node_name.as_deref()) == Some(node));
    here.find_map(|p| {
        let own = p.status.as_ref()?.pod_ip.as_deref().filter(|own| *own != ip)?;
        if api::pods::is_terminal(p) {
            return None;
        }
        let spec = p.spec.as_ref()?;
        let sidecars = spec.init_containers.iter().flatten().filter(|c| c.restart_policy.as_deref() == Some("Always"));
        let mut ports = spec.containers.iter().chain(sidecars).flat_map(|c| c.ports.iter().flatten());
        let mapped = ports.find(|p| {
            let any = p.host_ip.as_deref().is_none_or(|h| matches!(h, "" | "0.0.0.0") || h == ip);
            p.host_port == Some(i32::from(port)) && p.protocol.as_deref().unwrap_or("TCP") == "TCP" && any
        })?;
        Some((p, own, u16::try_from(mapped.container_port).ok()?))
    })
}

/// The node that has an address.
pub(crate) fn node_at<'a>(view: &'a View, ip: &str) -> Option<&'a str> {
    let has = |n: &&Node| n.status.iter().flat_map(|s| s.addresses.iter().flatten()).any(|a| a.address == ip);
    view.list::<Node>().find(has)?.metadata.name.as_deref()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{codes, put, world};
    use serde_json::json;

    const CLIENT: Client =
        Client { ip: "10.244.1.1", resolver: None, node: Some("b"), hostname: "visitor", aliases: &[] };

    fn connect(view: &View, host: &str, port: u16) -> (Result<End, NetError>, String) {
        let (mut balancer, mut trail) = (Balancer::new(1), Trail::on());
        let mut net = Net { view, balancer: &mut balancer, now: Time(0), trail: &mut trail };
        let resolver = Resolver::of_cluster("blog");
        let result = net.connect(&Client { resolver: Some(&resolver), ..CLIENT }, host, port);
        (result, codes(&trail.into_hops()))
    }

    fn port(ip: &str, port: u16) -> Result<End, NetError> {
        from(ip, port, CLIENT.ip)
    }

    fn from(ip: &str, port: u16, from: &str) -> Result<End, NetError> {
        Ok(End::Port { ip: ip.into(), port, from: from.into() })
    }

    #[test]
    fn a_connection_goes_by_name_service_and_policy_and_says_so() {
        let view = world();
        let (end, hops) = connect(&view, "web.shop", 80);
        assert_eq!(end, port("10.244.0.1", 8080));
        assert_eq!(
            hops,
            "dns: dns-nothing dns-found; service shop/web: rule chosen-only endpoint; policy blog/visitor: policy-open; \
             policy shop/web-0: policy-open"
        );
        let (end, hops) = connect(&view, "10.244.0.2", 5432);
        assert_eq!(
            (end, hops.as_str()),
            (port("10.244.0.2", 5432), "policy blog/visitor: policy-open; policy shop/db-0: policy-open")
        );
    }

    #[test]
    fn what_leads_nowhere_says_where_it_ends() {
        let mut view = world();
        let ends = |view: &View, host: &str, port: u16| {
            let (end, hops) = connect(view, host, port);
            (end.unwrap_err(), hops.rsplit("; ").next().unwrap_or("").to_string())
        };
        let (e, last) = ends(&view, "nobody", 80);
        assert_eq!((e, last.ends_with("dns-none !")), (NetError::NoSuchHost, true), "{last}");
        assert_eq!(ends(&view, "web.shop", 81), (NetError::Unreachable, "service shop/web: no-port !".into()));
        assert_eq!(
            ends(&view, "empty.shop", 80),
            (NetError::Refused, "service shop/empty: rule-unnamed no-endpoints !".into())
        );
        put(
            &mut view,
            json!({ "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": { "name": "closed", "namespace": "shop" },
            "spec": { "podSelector": {}, "policyTypes": ["Ingress"] } }),
        );
        let denied = (NetError::Unreachable, "policy shop/closed: policy-denies !".into());
        assert_eq!(ends(&view, "web.shop", 80), denied);
    }

    #[test]
    fn node_ports_lead_from_every_node_and_from_outside() {
        let view = world();
        assert_eq!(connect(&view, "172.18.0.3", 30080).0, from("10.244.0.1", 8080, "172.18.0.3"));
        assert_eq!(connect(&view, "172.18.0.9", 30080).0, port("172.18.0.9", 30080), "no node has that address");
        let (mut balancer, mut trail) = (Balancer::new(1), Trail::off());
        let mut net = Net { view: &view, balancer: &mut balancer, now: Time(0), trail: &mut trail };
        assert_eq!(net.enter("127.0.0.1", None, 30080), from("10.244.0.1", 8080, "172.18.0.3"));
        assert_eq!(net.enter("127.0.0.1", None, 30081), Err(NetError::Refused));
    }

    #[test]
    fn what_hosts_says_is_asked_first() {
        let view = world();
        let aliases = [("10.244.0.2".to_string(), vec!["web".to_string()])];
        let client = Client { aliases: &aliases, ..CLIENT };
        let (mut balancer, mut trail) = (Balancer::new(1), Trail::off());
        let mut net = Net { view: &view, balancer: &mut balancer, now: Time(0), trail: &mut trail };
        assert_eq!(net.connect(&client, "web", 5432), port("10.244.0.2", 5432));
        assert_eq!(net.connect(&client, "localhost", 80), port("10.244.1.1", 80));
        assert_eq!(net.connect(&client, "visitor", 80), port("10.244.1.1", 80));
    }

    #[test]
    fn host_ports_lead_to_the_pod_of_that_node() {
        let mut view = world();
        let ports = json!([{ "containerPort": 9100, "hostPort": 9100 }, { "containerPort": 53, "hostPort": 53, "protocol": "UDP" },
                           { "containerPort": 8080, "hostPort": 8081, "hostIP": "127.0.0.1" }]);
        put(
            &mut view,
            json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "exporter", "namespace": "shop" },
            "spec": { "nodeName": "a", "containers": [{ "name": "c", "image": "x", "ports": ports }] },
            "status": { "phase": "Running", "podIP": "10.244.0.9" } }),
        );
        let (end, hops) = connect(&view, "172.18.0.3", 9100);
        assert_eq!(end, port("10.244.0.9", 9100));
        assert!(hops.starts_with("host-port shop/exporter: host-port; policy"), "{hops}");
        assert_eq!(connect(&view, "172.18.0.3", 53).0, port("172.18.0.3", 53), "that is UDP");
        assert_eq!(connect(&view, "172.18.0.3", 8081).0, port("172.18.0.3", 8081), "that is another address");
    }

    #[test]
    fn a_pod_asks_the_name_servers_that_it_has() {
        let view = world();
        let resolve = |servers: &[&str], host: &str| {
            let servers = servers.iter().map(|s| (*s).to_string()).collect();
            let resolver = Resolver { servers, ..Resolver::of_cluster("shop") };
            let (mut balancer, mut trail) = (Balancer::new(1), Trail::on());
            let mut net = Net { view: &view, balancer: &mut balancer, now: Time(0), trail: &mut trail };
            let found = net.resolve(&Client { resolver: Some(&resolver), ..CLIENT }, host).ok();
            (found.map(|f| f.join(" ")), codes(&trail.into_hops()))
        };
        let (found, hops) = resolve(&["192.0.2.1", DNS_ADDRESS], "web");
        assert_eq!((found.as_deref(), hops.as_str()), (Some("10.96.0.7"), "dns: dns-silent; dns: dns-found"));
        assert_eq!(resolve(&[NODE_DNS, DNS_ADDRESS], "web").0, None, "it knows nothing of the cluster, and says so");
        assert_eq!(resolve(&[NODE_DNS], OUTSIDE.0).0.as_deref(), Some(OUTSIDE.1));
        assert_eq!(resolve(&[], "web").0, None);
    }
}
