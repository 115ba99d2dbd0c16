//! Where traffic for a Service or a pod goes: to a wasm guest, a simulated container that listens, or the ingress controller.
//! Connections to cluster IPs and NodePorts take the way of all traffic ([`network::Net`]); the API server's proxy goes by
//! endpoints, as upstream's does.

use crate::wasm::Container;
use crate::wasm::host::Caller;
use crate::world::World;
use apiserver::ConnectTarget;
use cluster::cloud::toy::LoadBalancer;
use k8s_openapi::api::core::v1::{Pod, Service, ServicePort};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use meta::Key;
use network::gateway;
use network::policy::{CONTROL_PLANE_ADDRESS, HOST_ADDRESS};
use network::{Client, End, Net, NetError, Reached, Request, Resolver, Response, Server, Trail};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// Who answers.
#[derive(Clone)]
pub enum Backend {
    Wasm(Arc<Container>),
    /// A pod of a simulated node; what it is asked is still to come.
    Simulated {
        node: String,
        server: Server,
    },
    /// The ingress controller's web server, for whom the request itself says where it goes.
    Gateway {
        tls: bool,
        /// The address that it sees the client by.
        from: String,
    },
}

/// Why there is nobody to talk to.
#[derive(Debug, PartialEq)]
pub enum NoRoute {
    /// There is no host of that name.
    Unknown(String),
    /// There is no such Service or pod.
    Missing { plural: &'static str, name: String },
    /// The Service has no ready endpoint.
    NoEndpoints(String),
    /// Nothing real listens there.
    Refused(String),
}

impl std::fmt::Display for NoRoute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NoRoute::Unknown(text) | NoRoute::NoEndpoints(text) | NoRoute::Refused(text) => f.write_str(text),
            NoRoute::Missing { plural, name } => write!(f, "{plural} {name:?} not found"),
        }
    }
}

/// A port of this machine that leads to a Service: a NodePort, or one of a load balancer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenPort {
    pub ip: Ipv4Addr,
    pub port: u16,
    /// Where it leads to.
    pub node_port: u16,
    /// The load balancer's; empty: none.
    pub load_balancer: String,
    pub service: Key,
}

impl World {
    /// Changes when the rules of Services do.
    pub fn rules_version(&self) -> u64 {
        let rules = self.cluster.view().services.version();
        // Load balancers are few, and fewer than a thousand are being set up.
        rules * 1_000_000 + self.cluster.cloud().map_or(0, |c| c.version() * 1000 + self.balancers().count() as u64)
    }

    /// The load balancers that this machine can stand in for: their address is one of its own, and they are set up.
    fn balancers(&self) -> impl Iterator<Item = &LoadBalancer> {
        let all = self.cluster.cloud().into_iter().flat_map(|c| c.load_balancers());
        all.filter(|l| l.ip.is_loopback() && l.active_at <= self.cluster.now())
    }

    /// All TCP NodePorts, and the ports of load balancers.
    pub fn open_ports(&self) -> Vec<OpenPort> {
        let tcp = self.cluster.view().services.rules().filter(|r| r.protocol == "TCP" && r.node_port != 0);
        let mut open: Vec<OpenPort> = tcp
            .map(|r| OpenPort {
                ip: Ipv4Addr::LOCALHOST,
                port: r.node_port,
                node_port: r.node_port,
                load_balancer: String::new(),
                service: r.service.clone(),
            })
            .collect();
        for l in self.balancers() {
            for p in l.wanted.ports.iter().filter(|p| p.protocol == "TCP") {
                let (Ok(port), Ok(node_port)) = (u16::try_from(p.port), u16::try_from(p.node_port)) else { continue };
                let (load_balancer, service) = (l.wanted.name.clone(), l.wanted.service.clone());
                open.push(OpenPort { ip: l.ip, port, node_port, load_balancer, service });
            }
        }
        open
    }

    /// A guest behind a NodePort, by way of a load balancer if there is one.
    pub fn port_backend(&mut self, open: &OpenPort, client: IpAddr) -> Result<Backend, NoRoute> {
        let port = open.node_port;
        let through = self.balancers().find(|l| l.wanted.name == open.load_balancer);
        if through.is_some_and(|l| self.cluster.healthy_hosts(l).next().is_none()) {
            return Err(NoRoute::NoEndpoints(format!("the load balancer of {} has no healthy host", open.service)));
        }
        let client = if client.is_loopback() { HOST_ADDRESS.to_string() } else { client.to_string() };
        let end = self.cluster.with_net(&mut Trail::off(), |net: &mut Net| net.enter(&client, None, port));
        self.backend(end, "127.0.0.1", port)
    }

    /// Who answers at the end of a connection that was made to a host's port.
    fn backend(&self, end: Result<End, NetError>, host: &str, port: u16) -> Result<Backend, NoRoute> {
        match end {
            Ok(End::Port { ip, port, from }) => self.listener(&ip, i32::from(port), &from),
            Ok(End::Gateway { tls, from }) => Ok(Backend::Gateway { tls, from }),
            Err(NetError::NoSuchHost) => Err(NoRoute::Unknown(format!("lookup {host}: no such host"))),
            Err(NetError::Unreachable) => Err(NoRoute::Refused(format!("dial tcp {host}:{port}: i/o timeout"))),
            Ok(End::ApiServer | End::Outside) | Err(_) => {
                Err(NoRoute::Refused(format!("dial tcp {host}:{port}: connect: connection refused")))
            }
        }
    }

    /// What the ingress controller does with a request: who answers and by which path, or its own answer.
    ///
    /// # Errors
    /// Client and server do not come to speak HTTP.
    pub fn through_gateway(
        &mut self,
        tls: bool,
        from: String,
        request: &Request,
    ) -> Result<Result<(Backend, String), Response>, NetError> {
        let reached =
            self.cluster.with_net(&mut Trail::off(), |net: &mut Net| net.ask(End::Gateway { tls, from }, request))?;
        Ok(match reached {
            Reached::Answer(response) => Err(response),
            Reached::ApiServer => Err(gateway::page(502)),
            Reached::Server(server) => match self.listener(&server.ip, i32::from(server.port), &server.from) {
                Ok(Backend::Simulated { node, .. }) => {
                    let path = server.path.clone();
                    Ok((Backend::Simulated { node, server }, path))
                }
                Ok(backend) => Ok((backend, server.path)),
                Err(_) => Err(gateway::page(502)),
            },
        })
    }

    /// A guest behind a Service, for the API server's proxy; `port` is a number, a name, or empty when the Service has only one.
    pub fn service_backend(&mut self, key: &Key, port: &str) -> Result<Backend, NoRoute> {
        // Models `REST.ResourceLocation`: a number that the Service does not have, or a name that its endpoints do not.
        let unknown = || {
            NoRoute::NoEndpoints(match port.parse::<u16>() {
                Ok(number) => format!("no service port {number} found for service {:?}", key.name()),
                Err(_) => format!("no endpoints available for service {:?}", key.name()),
            })
        };
        let service = self.cluster.view().get::<Service>(key);
        let service = service.ok_or_else(|| NoRoute::Missing { plural: "services", name: key.name().into() })?;
        let ports = service.spec.as_ref().and_then(|s| s.ports.as_deref()).unwrap_or_default();
        let wanted = |p: &&ServicePort| match port {
            "" => ports.len() == 1,
            port => p.port.to_string() == port || p.name.as_deref() == Some(port),
        };
        let name = ports.iter().find(wanted).ok_or_else(unknown)?.name.clone().unwrap_or_default();
        let addresses = self.ready_addresses(key, Some(&name));
        let none = || NoRoute::NoEndpoints(format!("no endpoints available for service {:?}", key.name()));
        let (address, number) = self.one_of(&addresses).ok_or_else(none)?;
        self.listener(&address, number, CONTROL_PLANE_ADDRESS)
    }

    /// The guest of a pod; `port` is a number, a container port's name, or empty for the first one.
    pub fn pod_backend(&self, key: &Key, port: &str) -> Result<Backend, NoRoute> {
        let pod = self.cluster.view().get::<Pod>(key);
        let pod = pod.ok_or_else(|| NoRoute::Missing { plural: "pods", name: key.name().into() })?;
        let ip = pod.status.as_ref().and_then(|s| s.pod_ip.as_deref()).unwrap_or("");
        if ip.is_empty() {
            return Err(NoRoute::NoEndpoints(format!("address not allowed: pod {:?} has no IP yet", key.name())));
        }
        let mut ports = pod.spec.iter().flat_map(|s| &s.containers).flat_map(|c| c.ports.iter().flatten());
        let number = match port.parse() {
            Ok(number) => number,
            Err(_) => {
                ports.find(|p| port.is_empty() || p.name.as_deref() == Some(port)).map_or(80, |p| p.container_port)
            }
        };
        self.listener(ip, number, CONTROL_PLANE_ADDRESS)
    }

    /// Where a guest's request to `host` goes: a Service by name or address, or a pod by address.
    pub fn host_backend(&mut self, caller: &Caller, host: &str, port: u16) -> Result<Backend, NoRoute> {
        let node = Some(caller.node.as_str()).filter(|n| !n.is_empty());
        let resolver = Resolver::of_cluster(&caller.namespace);
        let client = Client { ip: &caller.ip, resolver: Some(&resolver), node, hostname: "", aliases: &[] };
        let end = self.cluster.with_net(&mut Trail::off(), |net: &mut Net| net.connect(&client, host, port));
        self.backend(end, host, port)
    }

    /// Addresses of the ready endpoints of a Service, with the number of the port of that name, or any.
    fn ready_addresses(&self, key: &Key, port_name: Option<&str>) -> Vec<(String, i32)> {
        let mut addresses = Vec::new();
        for slice in self.cluster.view().list_in::<EndpointSlice>(key.namespace()) {
            let of = slice.metadata.labels.as_ref().and_then(|l| l.get("kubernetes.io/service-name"));
            if of.map(String::as_str) != Some(key.name()) {
                continue;
            }
            let number = match port_name {
                Some(name) => {
                    let port = slice.ports.iter().flatten().find(|p| p.name.as_deref().unwrap_or("") == name);
                    let Some(number) = port.and_then(|p| p.port) else { continue };
                    number
                }
                None => 0,
            };
            for e in &slice.endpoints {
                if e.conditions.as_ref().and_then(|c| c.ready) != Some(false) {
                    addresses.extend(e.addresses.iter().map(|a| (a.clone(), number)));
                }
            }
        }
        addresses
    }

    fn one_of(&mut self, addresses: &[(String, i32)]) -> Option<(String, i32)> {
        let turn = usize::try_from(self.turn()).unwrap_or(0);
        addresses.get(turn.checked_rem(addresses.len())?).cloned()
    }

    /// Who listens at an address, for somebody whom it sees by the address `from`.
    pub fn listener(&self, ip: &str, port: i32, from: &str) -> Result<Backend, NoRoute> {
        if let Some(guest) = self.wasm.values().find_map(|n| n.server(ip)) {
            return Ok(Backend::Wasm(guest));
        }
        let number = u16::try_from(port).unwrap_or(0);
        if (ip, self.cluster.view().gateway.listening) == (CONTROL_PLANE_ADDRESS, true) && matches!(number, 80 | 443) {
            return Ok(Backend::Gateway { tls: number == 443, from: from.into() });
        }
        match self.cluster.node_of_pod_ip(ip) {
            Some(node) if self.cluster.pod_listens(node, ip, number) => {
                let server = Server { ip: ip.into(), port: number, from: from.into(), ..Server::default() };
                Ok(Backend::Simulated { node: node.into(), server })
            }
            _ => Err(NoRoute::Refused(format!("dial tcp {ip}:{port}: connect: connection refused"))),
        }
    }

    /// What listens at a port inside a pod.
    ///
    /// # Errors
    /// Why the connection fails, in the system's words.
    pub fn forward_backend(&self, target: &ConnectTarget, port: u16) -> Result<Backend, String> {
        let pod = self.cluster.view().get::<Pod>(&target.pod);
        let ip = pod.and_then(|p| p.status.as_ref()?.pod_ip.clone()).unwrap_or_default();
        self.listener(&ip, i32::from(port), "127.0.0.1").map_err(|_| "connection refused".to_string())
    }
}
