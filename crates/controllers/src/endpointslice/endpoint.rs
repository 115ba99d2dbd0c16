//! From a pod to an endpoint. Models `k8s.io/endpointslice/utils.go` and `util/controller_utils.go`.

use crate::pods;
use k8s_openapi::api::core::v1::{Node, ObjectReference, Pod, Service, ServicePort};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointConditions, EndpointPort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use meta::Key;
use reconcile::View;
use rustc_hash::FxHashMap;

const ZONE: &str = "topology.kubernetes.io/zone";

/// Endpoints with the same ports share slices.
pub struct Desired {
    pub by_ports: Vec<(Vec<EndpointPort>, Vec<Endpoint>)>,
    /// A pod was left out because its node is not known.
    pub missing_node: bool,
}

fn ips(pod: &Pod) -> Vec<String> {
    let Some(status) = &pod.status else { return Vec::new() };
    let mut ips: Vec<String> = status.pod_ips.iter().flatten().map(|i| i.ip.clone()).collect();
    if ips.is_empty() {
        ips.extend(status.pod_ip.clone());
    }
    ips.retain(|i| !i.is_empty());
    ips
}

/// Models `ShouldPodBeInEndpoints` with terminating pods included.
pub fn should_be_in_endpoints(pod: &Pod) -> bool {
    !pods::is_terminal(pod) && !ips(pod).is_empty()
}

/// Whether an endpoint made of the pod would differ. Models `podEndpointsChanged`.
pub fn changed(old: &Pod, new: &Pod) -> bool {
    let aspects = |p: &Pod| {
        (
            should_be_in_endpoints(p),
            pods::is_ready(p),
            p.metadata.deletion_timestamp.is_some(),
            ips(p),
            pods::node_name(p).to_string(),
            p.spec.as_ref().map(|s| (s.hostname.clone(), s.subdomain.clone())),
        )
    };
    aspects(old) != aspects(new)
}

pub fn is_headless(service: &Service) -> bool {
    service.spec.as_ref().and_then(|s| s.cluster_ip.as_deref()) == Some("None")
}

pub fn desired_endpoints(view: &View, service: &Service, selected: &[&Pod]) -> Desired {
    let mut desired = Desired { by_ports: Vec::new(), missing_node: false };
    let mut nodes: FxHashMap<&str, Option<&Node>> = FxHashMap::default();
    for pod in selected {
        let node_name = pods::node_name(pod);
        let node = *nodes.entry(node_name).or_insert_with(|| view.get::<Node>(&Key::new("", node_name)));
        if node.is_none() && !node_name.is_empty() {
            desired.missing_node = true;
            continue;
        }
        let endpoint = endpoint(service, pod, node);
        if endpoint.addresses.is_empty() {
            continue;
        }
        let ports = ports(service, pod);
        match desired.by_ports.iter_mut().find(|(p, _)| *p == ports) {
            Some((_, list)) => list.push(endpoint),
            None => desired.by_ports.push((ports, vec![endpoint])),
        }
    }
    desired
}

/// Models `podToEndpoint` for addressType IPv4.
fn endpoint(service: &Service, pod: &Pod, node: Option<&Node>) -> Endpoint {
    let spec = pod.spec.as_ref();
    let serving = pods::is_ready(pod);
    let terminating = pod.metadata.deletion_timestamp.is_some();
    let publish = service.spec.as_ref().and_then(|s| s.publish_not_ready_addresses) == Some(true);
    let named = |s: &Option<String>| s.clone().filter(|s| !s.is_empty());
    let in_subdomain = spec.and_then(|s| named(&s.subdomain)) == service.metadata.name;
    Endpoint {
        addresses: ips(pod).into_iter().filter(|ip| !ip.contains(':')).collect(),
        conditions: Some(EndpointConditions {
            ready: Some(publish || (serving && !terminating)),
            serving: Some(serving),
            terminating: Some(terminating),
        }),
        hostname: spec.and_then(|s| named(&s.hostname)).filter(|_| in_subdomain),
        node_name: spec.and_then(|s| named(&s.node_name)),
        zone: node.and_then(|n| n.metadata.labels.as_ref()?.get(ZONE).cloned()),
        target_ref: Some(ObjectReference {
            kind: Some("Pod".into()),
            namespace: pod.metadata.namespace.clone(),
            name: pod.metadata.name.clone(),
            uid: pod.metadata.uid.clone(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Models `getEndpointPorts`: a named target port can differ from pod to pod; one the pod lacks is left out.
fn ports(service: &Service, pod: &Pod) -> Vec<EndpointPort> {
    let Some(ports) = service.spec.as_ref().and_then(|s| s.ports.as_ref()) else { return Vec::new() };
    let endpoint_port = |p: &ServicePort| {
        Some(EndpointPort {
            // An unnamed port is written with an empty name, as upstream's pointer to "" is.
            name: Some(p.name.clone().unwrap_or_default()),
            port: Some(find_port(pod, p)?),
            protocol: Some(p.protocol.clone().unwrap_or_else(|| "TCP".into())),
            app_protocol: p.app_protocol.clone(),
        })
    };
    ports.iter().filter_map(endpoint_port).collect()
}

/// Models `podutil.FindPort`.
pub fn find_port(pod: &Pod, port: &ServicePort) -> Option<i32> {
    let name = match &port.target_port {
        None => return Some(port.port),
        Some(IntOrString::Int(0)) => return Some(port.port),
        Some(IntOrString::Int(n)) => return Some(*n),
        Some(IntOrString::String(s)) => s,
    };
    let spec = pod.spec.as_ref()?;
    let protocol = port.protocol.as_deref().unwrap_or("TCP");
    let sidecars = spec.init_containers.iter().flatten().filter(|c| c.restart_policy.as_deref() == Some("Always"));
    spec.containers.iter().chain(sidecars).flat_map(|c| c.ports.iter().flatten()).find_map(|p| {
        let same = p.name.as_ref() == Some(name) && p.protocol.as_deref().unwrap_or("TCP") == protocol;
        same.then_some(p.container_port)
    })
}
