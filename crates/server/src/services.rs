//! Where traffic for a Service or a pod goes: to a wasm guest that listens, chosen as kube-proxy would.

use crate::wasm::Container;
use crate::world::World;
use api::ObjectExt;
use k8s_openapi::api::core::v1::{Pod, Service, ServicePort};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use meta::Key;
use std::sync::Arc;

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

/// A NodePort and what it leads to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodePort {
    pub port: u16,
    pub service: Key,
    pub service_port: i32,
}

impl World {
    /// All TCP NodePorts.
    pub fn node_ports(&self) -> Vec<NodePort> {
        let mut out = Vec::new();
        for s in self.cluster.view().list::<Service>() {
            let key = (s as &dyn api::Object).key();
            let ports = s.spec.iter().flat_map(|s| s.ports.iter().flatten());
            for p in ports.filter(|p| p.protocol.as_deref().unwrap_or("TCP") == "TCP") {
                let Some(port) = p.node_port.and_then(|n| u16::try_from(n).ok()).filter(|n| *n > 0) else { continue };
                out.push(NodePort { port, service: key.clone(), service_port: p.port });
            }
        }
        out
    }

    /// A guest behind a Service; `port` is a number, a name, or empty when the Service has only one.
    pub fn service_backend(&mut self, key: &Key, port: &str) -> Result<Arc<Container>, NoRoute> {
        let unknown = || NoRoute::Unknown(format!("no service port {port:?} found for service {:?}", key.name()));
        let service = self.cluster.view().get::<Service>(key);
        let service = service.ok_or_else(|| NoRoute::Unknown(format!("services {:?} not found", key.name())))?;
        let ports = service.spec.as_ref().and_then(|s| s.ports.as_deref()).unwrap_or_default();
        let wanted = |p: &&ServicePort| match port {
            "" => ports.len() == 1,
            port => p.port.to_string() == port || p.name.as_deref() == Some(port),
        };
        let name = ports.iter().find(wanted).ok_or_else(unknown)?.name.clone().unwrap_or_default();
        let mut addresses = Vec::new();
        for slice in self.cluster.view().list::<EndpointSlice>() {
            let m = &slice.metadata;
            let of = m.labels.as_ref().and_then(|l| l.get("kubernetes.io/service-name"));
            if m.namespace.as_deref() != Some(key.namespace()) || of.map(String::as_str) != Some(key.name()) {
                continue;
            }
            let port = slice.ports.iter().flatten().find(|p| p.name.as_deref().unwrap_or("") == name);
            let Some(number) = port.and_then(|p| p.port) else { continue };
            for e in &slice.endpoints {
                if e.conditions.as_ref().and_then(|c| c.ready) != Some(false) {
                    addresses.extend(e.addresses.iter().map(|a| (a.clone(), number)));
                }
            }
        }
        if addresses.is_empty() {
            return Err(NoRoute::NoEndpoints(format!("no endpoints available for service {:?}", key.name())));
        }
        let first = usize::try_from(self.turn()).unwrap_or(0);
        let (address, number) = &addresses[first % addresses.len()];
        self.listener(address, *number)
    }

    /// The guest of a pod; `port` is a number, a container port's name, or empty for the first one.
    pub fn pod_backend(&self, key: &Key, port: &str) -> Result<Arc<Container>, NoRoute> {
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
    pub fn host_backend(&mut self, namespace: &str, host: &str, port: u16) -> Result<Arc<Container>, NoRoute> {
        if host.parse::<std::net::IpAddr>().is_err() {
            return match service_name(namespace, host) {
                Some(key) => self.service_backend(&key, &port.to_string()),
                None => Err(NoRoute::Unknown(format!("lookup {host}: no such host"))),
            };
        }
        let with_ip = |s: &&Service| s.spec.as_ref().and_then(|s| s.cluster_ip.as_deref()) == Some(host);
        let key = self.cluster.view().list::<Service>().find(with_ip).map(|s| (s as &dyn api::Object).key());
        match key {
            Some(key) => self.service_backend(&key, &port.to_string()),
            None => self.listener(host, i32::from(port)),
        }
    }

    fn listener(&self, ip: &str, port: i32) -> Result<Arc<Container>, NoRoute> {
        let refused = || NoRoute::Refused(format!("dial tcp {ip}:{port}: connect: connection refused"));
        self.wasm.values().find_map(|n| n.server(ip)).ok_or_else(refused)
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
