//! From Services and EndpointSlices to rules. Models `pkg/proxy/servicechangetracker.go`.

use k8s_openapi::api::core::v1::{Service, ServicePort};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use meta::Key;
use reconcile::services::{Endpoint, Rule};

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
    let balancer = service.status.as_ref().and_then(|s| s.load_balancer.as_ref());
    let balanced = balancer.into_iter().flat_map(|l| l.ingress.iter().flatten()).filter_map(|i| i.ip.clone());
    let external_ips: Vec<String> = balanced.chain(spec.external_ips.iter().flatten().cloned()).collect();
    ports
        .iter()
        .map(|p| Rule {
            service: key.clone(),
            port_name: p.name.clone().unwrap_or_default(),
            protocol: p.protocol.clone().unwrap_or_else(|| "TCP".into()),
            cluster_ip: spec.cluster_ip.clone().filter(|ip| ip != "None").unwrap_or_default(),
            external_ips: external_ips.clone(),
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
            let hints = e.hints.clone().unwrap_or_default();
            let zones = hints.for_zones.into_iter().flatten().map(|z| z.name).collect::<Vec<_>>();
            let nodes = hints.for_nodes.into_iter().flatten().map(|n| n.name).collect::<Vec<_>>();
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
                    zones: zones.clone(),
                    nodes: nodes.clone(),
                });
            }
        }
    }
    out.sort();
    out.dedup();
    out
}
