//! From Services and EndpointSlices to rules. Models `pkg/proxy/topology.go` (`CategorizeEndpoints`) and
//! `pkg/proxy/servicechangetracker.go`.

use k8s_openapi::api::core::v1::{Service, ServicePort};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use meta::Key;
use std::collections::BTreeMap;

/// Where a connection may end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    pub ip: String,
    pub port: u16,
    /// The pod behind it, as `namespace/name`; empty when the slice names none.
    pub pod: String,
    pub node: String,
    pub ready: bool,
    pub serving: bool,
    pub terminating: bool,
}

/// One port of one Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub service: Key,
    pub port_name: String,
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: String,
    /// Empty for a headless Service.
    pub cluster_ip: String,
    pub port: u16,
    /// 0: none.
    pub node_port: u16,
    /// `ClientIP` affinity's seconds; `None`: every connection is free to go elsewhere.
    pub affinity_seconds: Option<i32>,
    pub internal_local: bool,
    pub external_local: bool,
    /// All of them, usable or not; [`Rule::usable`] says which get traffic.
    pub endpoints: Vec<Endpoint>,
}

impl Rule {
    /// Ready endpoints; when there is none, those that are terminating but still serve.
    /// `node`: the client's node, which matters when the internal traffic policy is Local.
    pub fn usable(&self, node: Option<&str>) -> Vec<&Endpoint> {
        let here = |e: &&Endpoint| !self.internal_local || node.is_none_or(|n| e.node == n);
        let ready: Vec<&Endpoint> = self.endpoints.iter().filter(here).filter(|e| e.ready).collect();
        if !ready.is_empty() {
            return ready;
        }
        self.endpoints.iter().filter(here).filter(|e| e.serving && e.terminating).collect()
    }
}

/// The rules of all Services, in order of Service and port.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rules: BTreeMap<Key, Vec<Rule>>,
    by_ip: BTreeMap<String, Key>,
    by_node_port: BTreeMap<u16, Key>,
    version: u64,
}

impl Table {
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values().flatten()
    }
    pub fn of(&self, service: &Key) -> &[Rule] {
        self.rules.get(service).map(Vec::as_slice).unwrap_or_default()
    }
    /// Grows with every change.
    pub fn version(&self) -> u64 {
        self.version
    }
    pub fn set(&mut self, service: &Key, rules: Vec<Rule>) {
        self.remove(service);
        for r in &rules {
            if !r.cluster_ip.is_empty() {
                self.by_ip.insert(r.cluster_ip.clone(), service.clone());
            }
            if r.node_port != 0 {
                self.by_node_port.insert(r.node_port, service.clone());
            }
        }
        if !rules.is_empty() {
            self.rules.insert(service.clone(), rules);
        }
    }
    pub fn remove(&mut self, service: &Key) {
        self.version += 1;
        self.rules.remove(service);
        self.by_ip.retain(|_, s| s != service);
        self.by_node_port.retain(|_, s| s != service);
    }

    /// The rule for a cluster IP, or for a Service as `namespace/name`.
    pub fn find(&self, ip_or_service: &str, port: u16) -> Option<&Rule> {
        let key = self.by_ip.get(ip_or_service).cloned().unwrap_or_else(|| Key::from(ip_or_service));
        self.of(&key).iter().find(|r| r.port == port)
    }
    /// The rule behind a node port, on any node.
    pub fn find_node_port(&self, port: u16) -> Option<&Rule> {
        let key = self.by_node_port.get(&port)?;
        self.of(key).iter().find(|r| r.node_port == port)
    }
}

/// The rules of one Service. Nothing for ExternalName.
pub fn rules<'a>(key: &Key, service: &Service, slices: impl Iterator<Item = &'a EndpointSlice>) -> Vec<Rule> {
    let Some(spec) = &service.spec else { return Vec::new() };
    if spec.type_.as_deref() == Some("ExternalName") {
        return Vec::new();
    }
    let slices: Vec<&EndpointSlice> = slices.collect();
    let ports = spec.ports.as_deref().unwrap_or_default();
    let local = |policy: &Option<String>| policy.as_deref() == Some("Local");
    let affinity = (spec.session_affinity.as_deref() == Some("ClientIP")).then(|| {
        let config = spec.session_affinity_config.as_ref().and_then(|c| c.client_ip.as_ref());
        config.and_then(|c| c.timeout_seconds).unwrap_or(10_800)
    });
    ports
        .iter()
        .map(|p| Rule {
            service: key.clone(),
            port_name: p.name.clone().unwrap_or_default(),
            protocol: p.protocol.clone().unwrap_or_else(|| "TCP".into()),
            cluster_ip: spec.cluster_ip.clone().filter(|ip| ip != "None").unwrap_or_default(),
            port: number(p.port),
            node_port: p.node_port.map_or(0, number),
            affinity_seconds: affinity,
            internal_local: local(&spec.internal_traffic_policy),
            external_local: local(&spec.external_traffic_policy),
            endpoints: endpoints(key, p, &slices),
        })
        .collect()
}

fn number(port: i32) -> u16 {
    u16::try_from(port).unwrap_or(0)
}

fn endpoints(service: &Key, port: &ServicePort, slices: &[&EndpointSlice]) -> Vec<Endpoint> {
    let name = port.name.as_deref().unwrap_or("");
    let mut out = Vec::new();
    for s in slices {
        let found = s.ports.iter().flatten().find(|p| p.name.as_deref().unwrap_or("") == name);
        let Some(target) = found.and_then(|p| p.port) else { continue };
        for e in &s.endpoints {
            let c = e.conditions.clone().unwrap_or_default();
            // An unknown readiness counts as ready.
            let ready = c.ready.unwrap_or(true);
            let pod = e.target_ref.as_ref().filter(|t| t.kind.as_deref() == Some("Pod"));
            for ip in e.addresses.iter().take(1) {
                out.push(Endpoint {
                    ip: ip.clone(),
                    port: number(target),
                    pod: pod
                        .and_then(|t| t.name.as_ref())
                        .map_or(String::new(), |n| format!("{}/{n}", service.namespace())),
                    node: e.node_name.clone().unwrap_or_default(),
                    ready,
                    serving: c.serving.unwrap_or(ready),
                    terminating: c.terminating.unwrap_or(false),
                });
            }
        }
    }
    out.sort();
    out.dedup();
    out
}
