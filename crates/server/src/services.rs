//! Where traffic for a Service or a pod goes: to a wasm guest or a simulated container that listens. Connections to cluster IPs and NodePorts follow
//! the rules that kube-proxy made, also while it is stopped; the API server's proxy goes by endpoints, as upstream's does.

use crate::wasm::Container;
use crate::wasm::host::Caller;
use crate::world::World;
use apiserver::ConnectTarget;
use cluster::cloud::toy::LoadBalancer;
use k8s_openapi::api::core::v1::{Pod, Service, ServicePort};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kubelet::sim::policy;
use meta::Key;
use network::{Endpoint, KubeProxy};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// Who answers.
#[derive(Clone)]
pub enum Backend {
    Wasm(Arc<Container>),
    /// A pod of a simulated node.
    Simulated {
        node: String,
        ip: String,
        port: u16,
    },
}

/// Why there is nobody to talk to.
#[derive(Debug, PartialEq)]
pub enum NoRoute {
    /// There is no such Service, port or pod.
    Unknown(String),
    /// The Service has no ready endpoint.
    NoEndpoints(String),
    /// Nothing real listens there.
    Refused(String),
}

impl std::fmt::Display for NoRoute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (NoRoute::Unknown(text) | NoRoute::NoEndpoints(text) | NoRoute::Refused(text)) = self;
        f.write_str(text)
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
    fn proxy(&self) -> Option<&KubeProxy> {
        self.cluster.component(network::PROCESS)
    }

    /// Changes when the rules of Services do.
    pub fn rules_version(&self) -> u64 {
        let rules = self.proxy().map_or(0, |p| p.table().version());
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
        let rules = self.proxy().into_iter().flat_map(|p| p.table().rules());
        let tcp = rules.filter(|r| r.protocol == "TCP" && r.node_port != 0);
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
        let (now, client) = (self.cluster.now(), client.to_string());
        let pick = |p: &mut KubeProxy| p.pick_for_node_port(now, &client, port);
        let picked = self.cluster.with_component(network::PROCESS, pick).flatten();
        self.endpoint(picked, "127.0.0.1", port)
    }

    /// A Service without endpoints refuses.
    fn endpoint(&self, picked: Option<Endpoint>, ip: &str, port: u16) -> Result<Backend, NoRoute> {
        match picked {
            Some(e) => self.listener(&e.ip, i32::from(e.port)),
            None => Err(NoRoute::Refused(format!("dial tcp {ip}:{port}: connect: connection refused"))),
        }
    }

    /// A guest behind a Service, for the API server's proxy; `port` is a number, a name, or empty when the Service has only one.
    pub fn service_backend(&mut self, key: &Key, port: &str) -> Result<Backend, NoRoute> {
        let unknown = || NoRoute::Unknown(format!("no service port {port:?} found for service {:?}", key.name()));
        let service = self.cluster.view().get::<Service>(key);
        let service = service.ok_or_else(|| NoRoute::Unknown(format!("services {:?} not found", key.name())))?;
        let ports = service.spec.as_ref().and_then(|s| s.ports.as_deref()).unwrap_or_default();
        let wanted = |p: &&ServicePort| match port {
            "" => ports.len() == 1,
            port => p.port.to_string() == port || p.name.as_deref() == Some(port),
        };
        let name = ports.iter().find(wanted).ok_or_else(unknown)?.name.clone().unwrap_or_default();
        let addresses = self.ready_addresses(key, Some(&name));
        let none = || NoRoute::NoEndpoints(format!("no endpoints available for service {:?}", key.name()));
        let (address, number) = self.one_of(&addresses).ok_or_else(none)?;
        self.listener(&address, number)
    }

    /// The guest of a pod; `port` is a number, a container port's name, or empty for the first one.
    pub fn pod_backend(&self, key: &Key, port: &str) -> Result<Backend, NoRoute> {
        let pod = self.cluster.view().get::<Pod>(key);
        let pod = pod.ok_or_else(|| NoRoute::Unknown(format!("pods {:?} not found", key.name())))?;
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
        self.listener(ip, number)
    }

    /// Where a guest's request to `host` goes: a Service by name or address, or a pod by address.
    pub fn host_backend(&mut self, caller: &Caller, host: &str, port: u16) -> Result<Backend, NoRoute> {
        let unknown = || NoRoute::Unknown(format!("lookup {host}: no such host"));
        let ip = if host.parse::<IpAddr>().is_ok() {
            host.to_string()
        } else {
            let key = service_name(&caller.namespace, host).ok_or_else(unknown)?;
            let service = self.cluster.view().get::<Service>(&key).ok_or_else(unknown)?;
            match service.spec.as_ref().and_then(|s| s.cluster_ip.clone()).as_deref() {
                // The name of a headless Service is its endpoints' addresses.
                Some("None") => {
                    let addresses = self.ready_addresses(&key, None);
                    self.one_of(&addresses).ok_or_else(unknown)?.0
                }
                Some(ip) => ip.to_string(),
                None => return Err(unknown()),
            }
        };
        if self.proxy().is_none_or(|p| p.table().find(&ip, port).is_none()) {
            self.obey_policies(caller, &ip, port)?;
            return self.listener(&ip, i32::from(port));
        }
        let (now, node) = (self.cluster.now(), Some(caller.node.as_str()).filter(|n| !n.is_empty()));
        let pick = |p: &mut KubeProxy| p.pick(now, (&caller.ip, node), &ip, port);
        let picked = self.cluster.with_component(network::PROCESS, pick).flatten();
        if let Some(e) = &picked {
            self.obey_policies(caller, &e.ip, e.port)?;
        }
        self.endpoint(picked, &ip, port)
    }

    fn obey_policies(&self, caller: &Caller, ip: &str, port: u16) -> Result<(), NoRoute> {
        match policy::allows(self.cluster.view(), &caller.ip, ip, port, "TCP") {
            true => Ok(()),
            false => Err(NoRoute::Refused(format!("dial tcp {ip}:{port}: i/o timeout"))),
        }
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

    fn listener(&self, ip: &str, port: i32) -> Result<Backend, NoRoute> {
        if let Some(guest) = self.wasm.values().find_map(|n| n.server(ip)) {
            return Ok(Backend::Wasm(guest));
        }
        let number = u16::try_from(port).unwrap_or(0);
        match self.cluster.node_of_pod_ip(ip) {
            Some(node) if self.cluster.pod_listens(node, ip, number) => {
                Ok(Backend::Simulated { node: node.into(), ip: ip.into(), port: number })
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
        self.listener(&ip, i32::from(port)).map_err(|_| "connection refused".to_string())
    }
}

/// Cluster DNS: `web`, `web.ns`, `web.ns.svc`, `web.ns.svc.cluster.local`.
fn service_name(namespace: &str, host: &str) -> Option<Key> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let host = host.strip_suffix(".svc.cluster.local").or_else(|| host.strip_suffix(".svc")).unwrap_or(host);
    match host.split('.').collect::<Vec<_>>()[..] {
        [name] => Some(Key::new(namespace, name)),
        [name, namespace] => Some(Key::new(namespace, name)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_resolve_as_cluster_dns_does() {
        for (host, key) in [
            ("web", Some("shop/web")),
            ("web.blog", Some("blog/web")),
            ("web.blog.svc", Some("blog/web")),
            ("web.blog.svc.cluster.local", Some("blog/web")),
            ("web.blog.svc.cluster.local.", Some("blog/web")),
            ("www.example.com", None),
        ] {
            assert_eq!(service_name("shop", host).map(|k| k.to_string()).as_deref(), key, "{host}");
        }
    }
}
