//! Where a Service can be reached, and which endpoints stand behind it.

use super::{ROWS_MAX, id, list};
use cluster::Cluster;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{EndpointAddress, EndpointPort as CorePort, Endpoints, Pod, Service, ServicePort};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointPort, EndpointSlice};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use meta::Key;
use protocol::ObjectId;
use protocol::panel::{EndpointRow, EndpointsPanel, RouteRow, TrafficRow};
use reconcile::usage;
use std::collections::BTreeSet;

/// Names the Service of an EndpointSlice.
const SERVICE_NAME: &str = "kubernetes.io/service-name";
/// Names the Service that a pod of the page asks for (`web/src/model/traffic.rs`).
const TRAFFIC: &str = "traffic-for";

pub fn service(cluster: &Cluster, service: &Service) -> EndpointsPanel {
    let (namespace, name) = names(service);
    let mut panel = EndpointsPanel { routes: routes(service), ..EndpointsPanel::default() };
    let mine = |s: &&EndpointSlice| {
        s.metadata.labels.as_ref().is_some_and(|l| l.get(SERVICE_NAME).map(String::as_str) == Some(name))
    };
    for s in cluster.view().list_in::<EndpointSlice>(namespace).filter(mine) {
        add(&mut panel, s);
    }
    let now = cluster.now();
    let pods: Vec<&Pod> = panel.endpoints.iter().filter_map(|e| pod_of(cluster, e.target.as_ref()?)).collect();
    panel.scalers = scalers(cluster, namespace, &pods);
    for e in &mut panel.endpoints {
        let used = e.target.as_ref().and_then(|t| usage::of_pod(cluster.view(), pod_of(cluster, t)?, now));
        e.cpu = used.map_or_else(String::new, |u| {
            let nanocores: u64 = u.usage.iter().map(|(_, s)| s.nanocores).sum();
            format!("{}m", nanocores / 1_000_000)
        });
    }
    panel.traffic = cluster.view().list_in::<Pod>(namespace).find_map(|p| traffic(p, namespace, name));
    panel
}

fn pod_of<'a>(cluster: &'a Cluster, id: &ObjectId) -> Option<&'a Pod> {
    cluster.view().get::<Pod>(&Key::new(&id.namespace, &id.name))
}

fn traffic(pod: &Pod, namespace: &str, service: &str) -> Option<TrafficRow> {
    let labels = pod.metadata.labels.as_ref()?;
    if labels.get(TRAFFIC).is_none_or(|s| s != service) || pod.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let said = |key: &str| pod.metadata.annotations.as_ref().and_then(|a| a.get(key)).cloned().unwrap_or_default();
    Some(TrafficRow {
        pod: id("v1", "Pod", namespace, pod.metadata.name.as_deref().unwrap_or("")),
        rate: said("requests-per-second"),
        pattern: said("pattern"),
        ready: api::pods::is_ready(pod),
    })
}

/// Autoscalers of what owns the pods: of their controller, or of its Deployment, whose name its ReplicaSets begin with.
fn scalers(cluster: &Cluster, namespace: &str, pods: &[&Pod]) -> Vec<ObjectId> {
    let owners: BTreeSet<&str> = pods
        .iter()
        .flat_map(|p| p.metadata.owner_references.iter().flatten())
        .flat_map(|o| [Some(o.name.as_str()), o.name.rsplit_once('-').map(|(deployment, _)| deployment)])
        .flatten()
        .collect();
    let all = cluster.view().list_in::<HorizontalPodAutoscaler>(namespace);
    let mine = all.filter(|h| h.spec.as_ref().is_some_and(|s| owners.contains(s.scale_target_ref.name.as_str())));
    mine.map(|h| id("autoscaling/v2", "HorizontalPodAutoscaler", namespace, h.metadata.name.as_deref().unwrap_or("")))
        .collect()
}

pub fn slice(slice: &EndpointSlice) -> EndpointsPanel {
    let mut panel = EndpointsPanel::default();
    add(&mut panel, slice);
    panel
}

pub fn endpoints(endpoints: &Endpoints) -> EndpointsPanel {
    let mut panel = EndpointsPanel::default();
    for subset in endpoints.subsets.iter().flatten() {
        let port = |p: &CorePort| port_text(p.name.as_deref(), p.protocol.as_deref(), Some(p.port));
        let ports = list(subset.ports.iter().flatten().map(port));
        let mut add = |addresses: &Option<Vec<EndpointAddress>>, ready: bool| {
            for a in addresses.iter().flatten() {
                panel.total += 1;
                if panel.endpoints.len() < ROWS_MAX {
                    let target = a.target_ref.as_ref();
                    panel.endpoints.push(EndpointRow {
                        address: a.ip.clone(),
                        ports: ports.clone(),
                        target: target.and_then(|r| pod(r.kind.as_deref(), r.namespace.as_deref(), r.name.as_deref())),
                        node: a.node_name.clone().unwrap_or_default(),
                        ready,
                        terminating: false,
                        cpu: String::new(),
                    });
                }
            }
        };
        add(&subset.addresses, true);
        add(&subset.not_ready_addresses, false);
    }
    panel
}

fn names(service: &Service) -> (&str, &str) {
    (service.metadata.namespace.as_deref().unwrap_or(""), service.metadata.name.as_deref().unwrap_or(""))
}

fn add(panel: &mut EndpointsPanel, slice: &EndpointSlice) {
    let port = |p: &EndpointPort| port_text(p.name.as_deref(), p.protocol.as_deref(), p.port);
    let ports = list(slice.ports.iter().flatten().map(port));
    panel.total += slice.endpoints.len();
    let room = ROWS_MAX.saturating_sub(panel.endpoints.len());
    panel.endpoints.extend(slice.endpoints.iter().take(room).map(|e| endpoint(e, &ports)));
}

fn endpoint(e: &Endpoint, ports: &str) -> EndpointRow {
    let target = e.target_ref.as_ref();
    let conditions = e.conditions.as_ref();
    EndpointRow {
        address: list(&e.addresses),
        ports: ports.into(),
        target: target.and_then(|r| pod(r.kind.as_deref(), r.namespace.as_deref(), r.name.as_deref())),
        node: e.node_name.clone().unwrap_or_default(),
        // Unknown is to be taken for ready.
        ready: conditions.and_then(|c| c.ready).unwrap_or(true),
        terminating: conditions.and_then(|c| c.terminating) == Some(true),
        cpu: String::new(),
    }
}

fn pod(kind: Option<&str>, namespace: Option<&str>, name: Option<&str>) -> Option<ObjectId> {
    (kind == Some("Pod")).then(|| id("v1", "Pod", namespace.unwrap_or(""), name.unwrap_or("")))
}

/// `http 8080/TCP`
fn port_text(name: Option<&str>, protocol: Option<&str>, port: Option<i32>) -> String {
    let name = name.filter(|n| !n.is_empty()).map(|n| format!("{n} ")).unwrap_or_default();
    let port = port.map_or_else(|| "*".into(), |p| p.to_string());
    format!("{name}{port}/{}", protocol.unwrap_or("TCP"))
}

fn routes(service: &Service) -> Vec<RouteRow> {
    let (namespace, name) = names(service);
    let Some(spec) = &service.spec else { return Vec::new() };
    let route = |via: &str, from: String, to: String| RouteRow { via: via.into(), from, to };
    let dns = format!("{name}.{namespace}.svc.cluster.local");
    if spec.type_.as_deref() == Some("ExternalName") {
        return vec![route("ExternalName", dns, spec.external_name.clone().unwrap_or_default())];
    }
    let ports = spec.ports.as_deref().unwrap_or_default();
    let ip = spec.cluster_ip.as_deref().unwrap_or("");
    let mut routes = Vec::new();
    if ip == "None" {
        routes.extend(ports.iter().map(|p| route("DNS", dns.clone(), target(p))));
        return routes;
    }
    for p in ports {
        routes.push(route("ClusterIP", format!("{ip}:{}", p.port), target(p)));
    }
    for p in ports {
        if let Some(node_port) = p.node_port.filter(|n| *n > 0) {
            routes.push(route("NodePort", format!("*:{node_port}"), target(p)));
        }
    }
    let ingress = service.status.iter().flat_map(|s| s.load_balancer.iter().flat_map(|l| l.ingress.iter().flatten()));
    for address in ingress.filter_map(|i| i.ip.as_ref().or(i.hostname.as_ref())) {
        routes.extend(ports.iter().map(|p| route("LoadBalancer", format!("{address}:{}", p.port), target(p))));
    }
    for address in spec.external_ips.iter().flatten() {
        routes.extend(ports.iter().map(|p| route("ExternalIP", format!("{address}:{}", p.port), target(p))));
    }
    routes
}

/// The port of the pods: `http/TCP`, `8080/TCP`.
fn target(p: &ServicePort) -> String {
    let port = match &p.target_port {
        Some(IntOrString::Int(n)) if *n > 0 => n.to_string(),
        Some(IntOrString::String(s)) if !s.is_empty() => s.clone(),
        _ => p.port.to_string(),
    };
    format!("{port}/{}", p.protocol.as_deref().unwrap_or("TCP"))
}
