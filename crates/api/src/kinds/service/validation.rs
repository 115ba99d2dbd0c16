//! Models `ValidateService` and `ValidateServiceUpdate` of `pkg/apis/core/validation`.

use super::normalize::{externally_accessible, is_headless, needs_cluster_ip, needs_health_check};
use crate::validate::{IMMUTABLE, each, json_text, names, net, text, validate_labels};
use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use meta::{FieldError, Path};

pub const TOPOLOGY_MODE: &str = "service.kubernetes.io/topology-mode";
pub const TOPOLOGY_HINTS: &str = "service.kubernetes.io/topology-aware-hints";
const SOURCE_RANGES: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";
const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];

pub fn validate(o: &Service) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let e = &mut errors;
    let none = ServiceSpec::default();
    let s = o.spec.as_ref().unwrap_or(&none);
    let path = Path::new("spec");
    let kind = text(&s.type_);
    let ports = s.ports.as_deref().unwrap_or_default();
    let annotation = |key: &str| o.metadata.annotations.as_ref().and_then(|a| a.get(key));
    if let (Some(mode), Some(hints)) = (annotation(TOPOLOGY_MODE), annotation(TOPOLOGY_HINTS))
        && mode != hints
    {
        let at = Path::new("metadata").child("annotations").key(TOPOLOGY_MODE);
        let why = format!("must match annotations[{TOPOLOGY_HINTS}] when both are specified");
        e.push(FieldError::invalid(&at, mode.as_str(), why));
    }
    if ports.is_empty() && !is_headless(s) && kind != "ExternalName" {
        e.push(FieldError::required(&path.child("ports"), ""));
    }
    by_type(s, &path, e);
    let mut seen = Vec::new();
    for (i, p) in ports.iter().enumerate() {
        port(p, ports.len() > 1, &mut seen, &path.child("ports").index(i), e);
    }
    e.extend(validate_labels(&path.child("selector"), s.selector.as_ref()));
    session_affinity(s, &path, e);
    cluster_ips(s, &path, e);
    for (i, ip) in s.external_ips.iter().flatten().enumerate() {
        let at = path.child("externalIPs").index(i);
        let bad = net::ip(&at, ip);
        if bad.is_empty() {
            e.extend(net::non_special(&at, ip));
        } else {
            e.extend(bad);
        }
    }
    let types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
    supported(kind, &types, &path.child("type"), e);
    duplicate_ports(ports, kind, &path.child("ports"), e);
    load_balancer(s, annotation(SOURCE_RANGES), &path, e);
    traffic_policies(s, &path, e);
    errors
}

fn supported(value: &str, list: &[&str], path: &Path, errors: &mut Vec<FieldError>) {
    if value.is_empty() {
        errors.push(FieldError::required(path, ""));
    } else if !list.contains(&value) {
        errors.push(FieldError::not_supported(path, value, list));
    }
}

fn by_type(s: &ServiceSpec, path: &Path, errors: &mut Vec<FieldError>) {
    match text(&s.type_) {
        kind @ ("LoadBalancer" | "NodePort") if is_headless(s) => {
            let why = format!("may not be set to 'None' for {kind} services");
            errors.push(FieldError::invalid(&path.child("clusterIPs").index(0), "None", why));
        }
        "ExternalName" => {
            for (field, set) in [
                ("clusterIPs", s.cluster_ips.as_ref().is_some_and(|v| !v.is_empty())),
                ("ipFamilies", s.ip_families.as_ref().is_some_and(|v| !v.is_empty())),
                ("ipFamilyPolicy", s.ip_family_policy.is_some()),
            ] {
                if set {
                    let why = "may not be set for ExternalName services";
                    errors.push(FieldError::forbidden(&path.child(field), why));
                }
            }
            let name = text(&s.external_name);
            let cname = name.strip_suffix('.').unwrap_or(name);
            let at = path.child("externalName");
            if cname.is_empty() {
                errors.push(FieldError::required(&at, ""));
            } else {
                errors.extend(each(&at, cname, names::dns1123_subdomain(cname)));
            }
        }
        _ => {}
    }
}

fn port<'a>(p: &'a ServicePort, name_needed: bool, seen: &mut Vec<&'a str>, path: &Path, errors: &mut Vec<FieldError>) {
    let name = text(&p.name);
    let at = path.child("name");
    if name.is_empty() {
        if name_needed {
            errors.push(FieldError::required(&at, ""));
        }
    } else {
        errors.extend(each(&at, name, names::dns1123_label(name)));
        if seen.contains(&name) {
            errors.push(FieldError::duplicate(&at, name));
        } else {
            seen.push(name);
        }
    }
    for msg in names::port_number(p.port.into()) {
        errors.push(FieldError::invalid(&path.child("port"), p.port, msg));
    }
    supported(text(&p.protocol), PROTOCOLS, &path.child("protocol"), errors);
    let at = path.child("targetPort");
    match p.target_port.as_ref().unwrap_or(&IntOrString::Int(0)) {
        IntOrString::Int(n) => {
            for msg in names::port_number((*n).into()) {
                errors.push(FieldError::invalid(&at, *n, msg));
            }
        }
        IntOrString::String(t) => errors.extend(each(&at, t, names::port_name(t))),
    }
    if let Some(a) = &p.app_protocol {
        errors.extend(each(&path.child("appProtocol"), a, names::qualified_name(a)));
    }
}

fn session_affinity(s: &ServiceSpec, path: &Path, errors: &mut Vec<FieldError>) {
    const MAX_SECONDS: i32 = 86400;
    let affinity = text(&s.session_affinity);
    supported(affinity, &["ClientIP", "None"], &path.child("sessionAffinity"), errors);
    let at = path.child("sessionAffinityConfig");
    let needed = "when session affinity type is ClientIP";
    match (affinity, &s.session_affinity_config) {
        ("ClientIP", None) => errors.push(FieldError::required(&at, needed)),
        ("ClientIP", Some(c)) => {
            let at = at.child("clientIP");
            match c.client_ip.as_ref().map(|c| c.timeout_seconds) {
                None => errors.push(FieldError::required(&at, needed)),
                Some(None) => errors.push(FieldError::required(&at.child("timeoutSeconds"), needed)),
                Some(Some(t)) if t <= 0 || t > MAX_SECONDS => {
                    let why = format!("must be greater than 0 and less than {MAX_SECONDS}");
                    errors.push(FieldError::invalid(&at.child("timeoutSeconds"), t, why));
                }
                Some(Some(_)) => {}
            }
        }
        ("None", Some(_)) => {
            let why = "must not be set when session affinity is None";
            errors.push(FieldError::forbidden(&at, why));
        }
        _ => {}
    }
}

/// Models `ValidateServiceClusterIPsRelatedFields`.
fn cluster_ips(s: &ServiceSpec, path: &Path, errors: &mut Vec<FieldError>) {
    if text(&s.type_) == "ExternalName" {
        return;
    }
    let at = path.child("clusterIPs");
    let list = s.cluster_ips.as_deref().unwrap_or_default();
    let first = text(&s.cluster_ip);
    match list.first() {
        Some(_) if first.is_empty() => {
            let why = "must be empty when `clusterIP` is not specified";
            errors.push(FieldError::invalid(&at, serde_json::json!(list), why));
        }
        Some(f) if f != first => {
            let why = "first value must match `clusterIP`";
            errors.push(FieldError::invalid(&at, serde_json::json!(list), why));
        }
        None if !first.is_empty() => errors.push(FieldError::required(&at, "")),
        _ => {}
    }
    let families = s.ip_families.as_deref().unwrap_or_default();
    for (i, f) in families.iter().enumerate() {
        let at = path.child("ipFamilies").index(i);
        if !["IPv4", "IPv6"].contains(&f.as_str()) {
            errors.push(FieldError::not_supported(&at, f.as_str(), &["IPv4", "IPv6"]));
        }
        if families[..i].contains(f) {
            errors.push(FieldError::duplicate(&at, f.as_str()));
        }
    }
    if let Some(p) = s.ip_family_policy.as_deref() {
        let policies = ["PreferDualStack", "RequireDualStack", "SingleStack"];
        if !policies.contains(&p) {
            errors.push(FieldError::not_supported(&path.child("ipFamilyPolicy"), p, &policies));
        }
    }
    let mut bad_ips = false;
    for (i, ip) in list.iter().enumerate() {
        if i == 0 && ip == "None" {
            if list.len() > 1 {
                bad_ips = true;
                let why = "'None' must be the first and only value";
                errors.push(FieldError::invalid(&at, serde_json::json!(list), why));
            }
            continue;
        }
        let bad = net::ip(&at.index(i), ip);
        bad_ips |= !bad.is_empty();
        errors.extend(bad);
    }
    if list.len() > 2 {
        errors.push(FieldError::invalid(&at, serde_json::json!(list), "may only hold up to 2 values"));
    }
    if bad_ips {
        return;
    }
    if list.len() > 1 && !net::is_dual_stack(list.iter().map(String::as_str)) {
        let why = "may specify no more than one IP for each IP family";
        errors.push(FieldError::invalid(&at, serde_json::json!(list), why));
    }
    if is_headless(s) {
        return;
    }
    for (i, (ip, family)) in list.iter().zip(families).enumerate() {
        let v6 = net::sloppy_ip(ip).is_some_and(|ip| ip.is_ipv6());
        if matches!(family.as_str(), "IPv4" | "IPv6") && v6 != (family == "IPv6") {
            let why = format!("expected an {family} value as indicated by `ipFamilies[{i}]`");
            errors.push(FieldError::invalid(&at.index(i), ip.as_str(), why));
        }
    }
}

fn duplicate_ports(ports: &[ServicePort], kind: &str, path: &Path, errors: &mut Vec<FieldError>) {
    let node_port = |p: &ServicePort| p.node_port.unwrap_or(0);
    for (i, p) in ports.iter().enumerate() {
        if kind == "ClusterIP" && node_port(p) != 0 {
            let why = "may not be used when `type` is 'ClusterIP'";
            errors.push(FieldError::forbidden(&path.index(i).child("nodePort"), why));
        }
    }
    for (i, p) in ports.iter().enumerate().filter(|(_, p)| node_port(p) != 0) {
        if ports[..i].iter().any(|o| node_port(o) == node_port(p) && o.protocol == p.protocol) {
            errors.push(FieldError::duplicate(&path.index(i).child("nodePort"), node_port(p)));
        }
    }
    for (i, p) in ports.iter().enumerate() {
        if ports[..i].iter().any(|o| o.port == p.port && o.protocol == p.protocol) {
            let mut e = FieldError::duplicate(&path.index(i), "");
            // Upstream shows its internal struct with all but the key left zero.
            e.value = format!(
                "{{\"Name\":\"\",\"Protocol\":{},\"AppProtocol\":null,\"Port\":{},\"TargetPort\":0,\"NodePort\":0}}",
                json_text(&text(&p.protocol)),
                p.port
            );
            errors.push(e);
        }
    }
}

/// `annotated` is the old way to say the source ranges.
fn load_balancer(s: &ServiceSpec, annotated: Option<&String>, path: &Path, errors: &mut Vec<FieldError>) {
    let is_lb = text(&s.type_) == "LoadBalancer";
    let only = "may only be used when `type` is 'LoadBalancer'";
    let ranges = s.load_balancer_source_ranges.as_deref().unwrap_or_default();
    let at = path.child("LoadBalancerSourceRanges");
    if !ranges.is_empty() && !is_lb {
        errors.push(FieldError::forbidden(&at, only));
    }
    for (i, r) in ranges.iter().enumerate() {
        errors.extend(net::cidr(&at.index(i), r.trim()));
    }
    if let Some(list) = annotated.filter(|_| ranges.is_empty()) {
        let at = Path::new("metadata").child("annotations").key(SOURCE_RANGES);
        if !is_lb {
            errors.push(FieldError::forbidden(&at, only));
        }
        let list = list.trim();
        for r in list.split(',').filter(|_| !list.is_empty()) {
            errors.extend(net::cidr(&at, r.trim()));
        }
    }
    match (s.allocate_load_balancer_node_ports, is_lb) {
        (Some(_), false) => {
            errors.push(FieldError::forbidden(&path.child("allocateLoadBalancerNodePorts"), only));
        }
        (None, true) => errors.push(FieldError::required(&Path::new("allocateLoadBalancerNodePorts"), "")),
        _ => {}
    }
    if let Some(class) = &s.load_balancer_class {
        let at = path.child("loadBalancerClass");
        if is_lb {
            errors.extend(each(&at, class, names::qualified_name(class)));
        } else {
            errors.push(FieldError::forbidden(&at, only));
        }
    }
}

fn traffic_policies(s: &ServiceSpec, path: &Path, errors: &mut Vec<FieldError>) {
    let at = path.child("externalTrafficPolicy");
    let policy = text(&s.external_traffic_policy);
    if externally_accessible(s) {
        supported(policy, &["Cluster", "Local"], &at, errors);
    } else if !policy.is_empty() {
        errors.push(FieldError::invalid(&at, policy, "may only be set for externally-accessible services"));
    }
    let at = path.child("healthCheckNodePort");
    let port = s.health_check_node_port.unwrap_or(0);
    if !needs_health_check(s) {
        if port != 0 {
            let why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
            errors.push(FieldError::invalid(&at, port, why));
        }
    } else if port != 0 {
        // The allocator sets a missing one after validation here.
        for msg in names::port_number(port.into()) {
            errors.push(FieldError::invalid(&at, port, msg));
        }
    }
    let at = path.child("internalTrafficPolicy");
    match s.internal_traffic_policy.as_deref() {
        None if needs_cluster_ip(s) => errors.push(FieldError::required(&at, "")),
        Some(p) if !["Cluster", "Local"].contains(&p) => {
            errors.push(FieldError::not_supported(&at, p, &["Cluster", "Local"]));
        }
        _ => {}
    }
    let distributions = ["PreferClose", "PreferSameZone", "PreferSameNode"];
    if let Some(d) = s.traffic_distribution.as_deref().filter(|d| !distributions.contains(d)) {
        errors.push(FieldError::not_supported(&path.child("trafficDistribution"), d, &distributions));
    }
}

pub fn validate_update(new: &Service, old: &Service) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let none = ServiceSpec::default();
    let (n, o) = (new.spec.as_ref().unwrap_or(&none), old.spec.as_ref().unwrap_or(&none));
    let path = Path::new("spec");
    if text(&n.type_) != "ExternalName" && text(&o.type_) != "ExternalName" {
        if !(is_headless(o) && is_headless(n)) {
            cluster_ips_kept(n, o, &path, &mut errors);
        }
        if !is_headless(o) && !is_headless(n) {
            families_kept(n, o, &path, &mut errors);
        }
    }
    let both_lb = text(&o.type_) == "LoadBalancer" && text(&n.type_) == "LoadBalancer";
    if both_lb && o.load_balancer_class != n.load_balancer_class {
        let at = path.child("loadBalancerClass");
        errors.push(FieldError::invalid(&at, serde_json::json!(n.load_balancer_class), "may not change once set"));
    }
    if needs_health_check(o) && needs_health_check(n) && o.health_check_node_port != n.health_check_node_port {
        errors.push(FieldError::forbidden(&path.child("healthCheckNodePort"), IMMUTABLE));
    }
    errors.extend(validate(new));
    errors
}

const CHANGED: &str = "may not change once set";

/// Models `validateUpgradeDowngradeClusterIPs`: secondaries come and go, the rest stays.
fn cluster_ips_kept(n: &ServiceSpec, o: &ServiceSpec, path: &Path, errors: &mut Vec<FieldError>) {
    let (new, old) = (n.cluster_ips.as_deref().unwrap_or_default(), o.cluster_ips.as_deref().unwrap_or_default());
    let at = path.child("clusterIPs");
    let mut refuse = |i: usize, why: &str| {
        errors.push(FieldError::invalid(&at.index(i), serde_json::json!(n.cluster_ips), why));
    };
    if new.len() == old.len() {
        for (i, _) in old.iter().zip(new).enumerate().filter(|(_, (was, is))| was != is) {
            refuse(i, CHANGED);
        }
        return;
    }
    if new.is_empty() {
        refuse(0, "primary clusterIP can not be unset");
    } else if old.first().is_some_and(|was| *was != new[0]) {
        refuse(0, CHANGED);
    }
    if old.len() > new.len() && new.len() == 1 {
        single_stack(n, "clusterIP", path, errors);
    }
}

/// Giving up the second address or family needs saying so.
fn single_stack(n: &ServiceSpec, what: &str, path: &Path, errors: &mut Vec<FieldError>) {
    if n.ip_family_policy.as_deref() != Some("SingleStack") {
        let why = format!("must be set to 'SingleStack' when releasing the secondary {what}");
        errors.push(FieldError::invalid(&path.child("ipFamilyPolicy"), serde_json::json!(n.ip_family_policy), why));
    }
}

/// Models `validateUpgradeDowngradeIPFamilies`; the errors are always on the first, and show the cluster IPs where
/// the number changed, as upstream's do.
fn families_kept(n: &ServiceSpec, o: &ServiceSpec, path: &Path, errors: &mut Vec<FieldError>) {
    let (new, old) = (n.ip_families.as_deref().unwrap_or_default(), o.ip_families.as_deref().unwrap_or_default());
    let at = path.child("ipFamilies").index(0);
    if new.len() == old.len() {
        for _ in old.iter().zip(new).filter(|(was, is)| was != is) {
            errors.push(FieldError::invalid(&at, serde_json::json!(new), CHANGED));
        }
        return;
    }
    if old.len() > new.len() && n.cluster_ips.as_ref().is_none_or(Vec::is_empty) {
        let why = "primary ipFamily can not be unset";
        errors.push(FieldError::invalid(&at, serde_json::json!(n.ip_families), why));
    }
    if let (Some(was), Some(is)) = (old.first(), new.first())
        && was != is
    {
        errors.push(FieldError::invalid(&at, serde_json::json!(n.cluster_ips), CHANGED));
    }
    if old.len() > new.len() && new.len() == 1 {
        single_stack(n, "ipFamily", path, errors);
    }
}

/// Models `ValidateLoadBalancerStatus`.
pub fn validate_status(o: &Service) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let lb = o.status.as_ref().and_then(|s| s.load_balancer.as_ref());
    let ingress = lb.and_then(|l| l.ingress.as_deref()).unwrap_or_default();
    let path = Path::new("status").child("loadBalancer").child("ingress");
    let kind = o.spec.as_ref().map_or("", |s| text(&s.type_));
    if !ingress.is_empty() && kind != "LoadBalancer" {
        let why = "may only be used when `spec.type` is 'LoadBalancer'";
        errors.push(FieldError::forbidden(&path, why));
        return errors;
    }
    for (i, g) in ingress.iter().enumerate() {
        let at = path.index(i);
        if !text(&g.ip).is_empty() {
            errors.extend(net::ip(&at.child("ip"), text(&g.ip)));
        }
        if g.ip_mode.is_none() && !text(&g.ip).is_empty() {
            errors.push(FieldError::required(&at.child("ipMode"), "must be specified when `ip` is set"));
        }
        if let Some(mode) = g.ip_mode.as_deref() {
            if text(&g.ip).is_empty() {
                let why = "may not be specified when `ip` is not set";
                errors.push(FieldError::forbidden(&at.child("ipMode"), why));
            } else if !["Proxy", "VIP"].contains(&mode) {
                errors.push(FieldError::not_supported(&at.child("ipMode"), mode, &["Proxy", "VIP"]));
            }
        }
        let host = text(&g.hostname);
        if !host.is_empty() {
            errors.extend(each(&at.child("hostname"), host, names::dns1123_subdomain(host)));
            if net::sloppy_ip(host).is_some() {
                let why = "must be a DNS name, not an IP address";
                errors.push(FieldError::invalid(&at.child("hostname"), host, why));
            }
        }
    }
    errors
}
