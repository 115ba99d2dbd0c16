//! What a write of a Service fills in or drops. Models `pkg/registry/core/service/strategy.go` and
//! `pkg/registry/core/service/storage/storage.go`.

use crate::validate::text;
use k8s_openapi::api::core::v1::{Service, ServiceSpec};
use std::collections::BTreeMap;

pub fn is_headless(s: &ServiceSpec) -> bool {
    s.cluster_ips.as_ref().is_some_and(|i| i.len() == 1 && i[0] == "None") || text(&s.cluster_ip) == "None"
}

/// ClusterIP, NodePort and LoadBalancer services have a cluster IP (perhaps `None`).
pub fn needs_cluster_ip(s: &ServiceSpec) -> bool {
    matches!(text(&s.type_), "ClusterIP" | "NodePort" | "LoadBalancer")
}

pub fn needs_node_port(s: &ServiceSpec) -> bool {
    match text(&s.type_) {
        "NodePort" => true,
        "LoadBalancer" => s.allocate_load_balancer_node_ports != Some(false),
        _ => false,
    }
}

/// Models `apiservice.ExternallyAccessible`.
pub fn externally_accessible(s: &ServiceSpec) -> bool {
    match text(&s.type_) {
        "LoadBalancer" | "NodePort" => true,
        "ClusterIP" => s.external_ips.as_ref().is_some_and(|i| !i.is_empty()),
        _ => false,
    }
}

/// Models `apiservice.NeedsHealthCheck`.
pub fn needs_health_check(s: &ServiceSpec) -> bool {
    text(&s.type_) == "LoadBalancer" && text(&s.external_traffic_policy) == "Local"
}

/// Makes `clusterIP` and `clusterIPs` agree for clients that know only one of them. Models
/// `NormalizeClusterIPs`.
pub fn normalize_cluster_ips(old: Option<&Service>, new: &mut Service) {
    let Some(n) = &mut new.spec else { return };
    let none = ServiceSpec::default();
    let first = |s: &ServiceSpec| text(&s.cluster_ip).to_string();
    let list = |s: &ServiceSpec| s.cluster_ips.clone().unwrap_or_default();
    let Some(o) = old.map(|o| o.spec.as_ref().unwrap_or(&none)) else {
        if !first(n).is_empty() && list(n).is_empty() {
            n.cluster_ips = Some(vec![first(n)]);
        }
        return;
    };
    if first(n) != first(o) {
        // The client changed only the singular field: the plural follows.
        if first(n).is_empty() && list(n) == list(o) {
            n.cluster_ips = None;
        } else if !first(n).is_empty() && (list(n) == list(o) || list(n).is_empty()) {
            n.cluster_ips = Some(vec![first(n)]);
        }
    } else if list(n) != list(o) && list(n).is_empty() && !list(o).is_empty() {
        n.cluster_ip = None;
    }
}

/// Keeps what was allocated before when the client left it out. Models `patchAllocatedValues`.
pub fn patch_allocated(old: &Service, new: &mut Service) {
    let (Some(o), Some(n)) = (&old.spec, &mut new.spec) else { return };
    if needs_cluster_ip(o) && needs_cluster_ip(n) {
        if text(&n.cluster_ip).is_empty() {
            n.cluster_ip = o.cluster_ip.clone();
        }
        if n.cluster_ips.as_ref().is_none_or(Vec::is_empty) && n.cluster_ip == o.cluster_ip {
            n.cluster_ips = o.cluster_ips.clone();
        }
    }
    if needs_node_port(o) && needs_node_port(n) {
        let before: BTreeMap<&str, i32> =
            o.ports.iter().flatten().map(|p| (text(&p.name), p.node_port.unwrap_or(0))).collect();
        let used: Vec<i32> = n.ports.iter().flatten().filter_map(|p| p.node_port).filter(|p| *p != 0).collect();
        for p in n.ports.iter_mut().flatten().filter(|p| p.node_port.unwrap_or(0) == 0) {
            let had = before.get(text(&p.name)).copied().unwrap_or(0);
            if had != 0 && !used.contains(&had) {
                p.node_port = Some(had);
            }
        }
    }
    if needs_health_check(o) && needs_health_check(n) && n.health_check_node_port.unwrap_or(0) == 0 {
        n.health_check_node_port = o.health_check_node_port;
    }
}

/// Clears what the new type cannot have, where the client did not touch it. Models `dropTypeDependentFields`.
pub fn drop_type_dependent(old: &Service, new: &mut Service) {
    let (Some(o), Some(n)) = (&old.spec, &mut new.spec) else { return };
    if needs_cluster_ip(o) && !needs_cluster_ip(n) {
        if o.cluster_ip == n.cluster_ip && o.cluster_ips == n.cluster_ips {
            n.cluster_ip = None;
            n.cluster_ips = None;
        }
        if o.ip_families == n.ip_families {
            n.ip_families = None;
        }
        if o.ip_family_policy == n.ip_family_policy {
            n.ip_family_policy = None;
        }
    }
    let node_ports = |s: &ServiceSpec| -> Vec<i32> {
        s.ports.iter().flatten().filter_map(|p| p.node_port).filter(|p| *p != 0).collect()
    };
    if needs_node_port(o) && !needs_node_port(n) && node_ports(o) == node_ports(n) {
        n.ports.iter_mut().flatten().for_each(|p| p.node_port = None);
    }
    if needs_health_check(o) && !needs_health_check(n) && o.health_check_node_port == n.health_check_node_port {
        n.health_check_node_port = None;
    }
    let was_lb = text(&o.type_) == "LoadBalancer" && text(&n.type_) != "LoadBalancer";
    if was_lb && o.allocate_load_balancer_node_ports == n.allocate_load_balancer_node_ports {
        n.allocate_load_balancer_node_ports = None;
    }
    if was_lb && o.load_balancer_class == n.load_balancer_class {
        n.load_balancer_class = None;
    }
    if externally_accessible(o) && !externally_accessible(n) && o.external_traffic_policy == n.external_traffic_policy {
        n.external_traffic_policy = None;
    }
}
