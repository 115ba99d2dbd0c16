//! What the API server gives to Services: cluster IPs, IP families, node ports. Models
//! `pkg/registry/core/service/storage/alloc.go`.
//!
//! Which addresses are taken is read from the IPAddresses, which are written with the Services, and which ports from the
//! Services themselves: a release needs no bookkeeping and nothing can leak.

mod addresses;
mod ranges;

pub(crate) use addresses::follow;
pub use ranges::Ranges;

use crate::keys;
use crate::server::Cx;
use api::kinds::ipaddress;
use api::{Object, ObjectExt, Registered};
use k8s_openapi::api::core::v1::{Service, ServiceSpec};
use k8s_openapi::api::networking::v1::{IPAddress, ServiceCIDR};
use meta::{ApiError, FieldError, Path};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

const NONE: &str = "None";

struct Taken {
    ips: BTreeSet<u32>,
    ports: BTreeSet<u16>,
}

/// What all Services but this one hold.
fn taken(cx: &Cx<'_>, namespace: &str, name: &str) -> Taken {
    let prefix = keys::prefix(Service::KIND_REF, "");
    let mut taken = Taken { ips: BTreeSet::new(), ports: BTreeSet::new() };
    let own = cx.object(Service::KIND_REF, namespace, name).and_then(|e| e.value.0.downcast::<Service>());
    let own = |ip: &Ipv4Addr| own.is_some_and(|s| ipaddress::of_service(s).any(|i| i.parse() == Ok(*ip)));
    let addresses = keys::prefix(IPAddress::KIND_REF, "");
    for (_, e) in cx.store.iter_range(&addresses, &keys::range_end(&addresses)) {
        taken.ips.extend(e.value.0.name().parse::<Ipv4Addr>().ok().filter(|ip| !own(ip)).map(u32::from));
    }
    for (_, e) in cx.store.iter_range(&prefix, &keys::range_end(&prefix)) {
        let o = &*e.value.0;
        let Some(spec) = o.downcast::<Service>().and_then(|s| s.spec.as_ref()) else { continue };
        if o.name() == name && o.namespace() == namespace {
            continue;
        }
        let ips = spec.cluster_ips.iter().flatten().chain(&spec.cluster_ip);
        taken.ips.extend(ips.filter_map(|ip| ip.parse::<Ipv4Addr>().ok()).map(u32::from));
        let ports = spec.ports.iter().flatten().filter_map(|p| p.node_port).chain(spec.health_check_node_port);
        taken.ports.extend(ports.filter(|p| *p != 0).filter_map(|p| u16::try_from(p).ok()));
    }
    taken
}

/// The ranges that ServiceCIDRs add to the cluster's own. Models `syncAllocators` of `ipallocator/cidrallocator.go`.
fn more_ranges(cx: &Cx<'_>) -> Vec<String> {
    let prefix = keys::prefix(ServiceCIDR::KIND_REF, "");
    let mut all = Vec::new();
    for (_, e) in cx.store.iter_range(&prefix, &keys::range_end(&prefix)) {
        let Some(o) = e.value.0.downcast::<ServiceCIDR>() else { continue };
        let mut conditions = o.status.iter().flat_map(|s| s.conditions.iter().flatten());
        let ready = conditions.find(|c| c.type_ == "Ready").is_none_or(|c| c.status == "True");
        if ready && o.metadata.deletion_timestamp.is_none() {
            all.extend(o.spec.iter().flat_map(|s| s.cidrs.iter().flatten()).cloned());
        }
    }
    all
}

fn service_type(spec: &ServiceSpec) -> &str {
    spec.type_.as_deref().filter(|t| !t.is_empty()).unwrap_or("ClusterIP")
}
fn needs_ip(spec: &ServiceSpec) -> bool {
    service_type(spec) != "ExternalName"
}
fn needs_node_ports(spec: &ServiceSpec) -> bool {
    match service_type(spec) {
        "NodePort" => true,
        "LoadBalancer" => spec.allocate_load_balancer_node_ports != Some(false),
        _ => false,
    }
}
fn needs_health_check_port(spec: &ServiceSpec) -> bool {
    service_type(spec) == "LoadBalancer" && spec.external_traffic_policy.as_deref() == Some("Local")
}
fn set(ip: &Option<String>) -> Option<&str> {
    ip.as_deref().filter(|i| !i.is_empty())
}

/// What the Service needs and does not say. The strategy has normalized the object before, and on an update kept
/// what was allocated and dropped what the new type has no use for.
pub(crate) fn allocate(cx: &mut Cx<'_>, o: &mut dyn Object) -> Result<(), ApiError> {
    let (namespace, name) = (o.namespace().to_string(), o.name().to_string());
    match o.as_any_mut().downcast_mut::<Service>() {
        Some(service) => allocate_spec(cx, &namespace, &name, service.spec.get_or_insert_default()),
        None => Ok(()),
    }
}

fn allocate_spec(cx: &mut Cx<'_>, namespace: &str, name: &str, spec: &mut ServiceSpec) -> Result<(), ApiError> {
    if !needs_ip(spec) {
        return Ok(());
    }
    let invalid = |e: FieldError| ApiError::invalid("", "Service", name, &[e]);
    families(spec).map_err(invalid)?;
    let headless = spec.cluster_ip.as_deref() == Some(NONE);
    let taken = taken(cx, namespace, name);
    let ranges = cx.server.ranges().with(more_ranges(cx).iter().map(String::as_str));
    if !headless {
        let path = Path::new("spec").child("clusterIPs");
        let ip = match set(&spec.cluster_ip) {
            Some(text) => {
                let ip: Ipv4Addr = text.parse().map_err(|_| {
                    let why = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
                    invalid(FieldError::invalid(&path.index(0), text, why))
                })?;
                ranges.check_ip(ip, &taken.ips).map_err(|why| {
                    let list = spec.cluster_ips.clone().unwrap_or_else(|| vec![text.into()]);
                    invalid(FieldError::invalid(&path, list, format!("failed to allocate IP {text}: {why}")))
                })?;
                ip
            }
            None if (namespace, name) == ("default", "kubernetes") => ranges.first_ip(),
            None => ranges
                .pick_ip(cx.rng, &taken.ips)
                .ok_or_else(|| ApiError::internal("failed to allocate a serviceIP: range is full"))?,
        };
        spec.cluster_ip = Some(ip.to_string());
        spec.cluster_ips = Some(vec![ip.to_string()]);
    }
    node_ports(cx, name, spec, &ranges, taken.ports)
}

/// This cluster is IPv4 only. Models `initIPFamilyFields`.
fn families(spec: &mut ServiceSpec) -> Result<(), FieldError> {
    let path = Path::new("spec");
    let headless = spec.cluster_ip.as_deref() == Some(NONE);
    let selectorless = spec.selector.as_ref().is_none_or(|s| s.is_empty());
    if headless && selectorless {
        // Whoever writes the endpoints decides, so nothing is refused.
        let policy = spec.ip_family_policy.get_or_insert_with(|| "RequireDualStack".into());
        let dual = policy != "SingleStack";
        let list = spec.ip_families.get_or_insert_default();
        if list.is_empty() {
            list.push("IPv4".into());
        }
        if dual && list.len() == 1 {
            let other = if list[0] == "IPv4" { "IPv6" } else { "IPv4" };
            list.push(other.into());
        }
        return Ok(());
    }
    for (i, f) in spec.ip_families.iter().flatten().enumerate() {
        if f != "IPv4" {
            let at = path.child("ipFamilies").index(i);
            return Err(FieldError::invalid(&at, f.as_str(), "not configured on this cluster"));
        }
    }
    if spec.ip_family_policy.as_deref() == Some("RequireDualStack") {
        let why = "this cluster is not configured for dual-stack services";
        return Err(FieldError::invalid(&path.child("ipFamilyPolicy"), "RequireDualStack", why));
    }
    spec.ip_family_policy.get_or_insert_with(|| "SingleStack".into());
    let list = spec.ip_families.get_or_insert_default();
    if list.is_empty() {
        list.push("IPv4".into());
    }
    Ok(())
}

fn node_ports(
    cx: &mut Cx<'_>,
    name: &str,
    spec: &mut ServiceSpec,
    ranges: &Ranges,
    mut taken: BTreeSet<u16>,
) -> Result<(), ApiError> {
    let path = Path::new("spec");
    let invalid = |e: FieldError| ApiError::invalid("", "Service", name, &[e]);
    let full = || ApiError::internal("failed to allocate a nodePort: range is full");
    if needs_node_ports(spec) {
        // TCP and UDP of one Service may share a number.
        let mut own: Vec<(u16, Option<String>)> = Vec::new();
        for (i, p) in spec.ports.iter().flatten().enumerate() {
            let Some(n) = p.node_port.filter(|n| *n != 0) else { continue };
            let at = path.child("ports").index(i).child("nodePort");
            let shared = own.iter().any(|(o, proto)| i32::from(*o) == n && *proto != p.protocol);
            let nobody = BTreeSet::new();
            let port = ranges
                .check_port(n, if shared { &nobody } else { &taken })
                .map_err(|why| invalid(FieldError::invalid(&at, n, why)))?;
            own.push((port, p.protocol.clone()));
            taken.insert(port);
        }
        for p in spec.ports.iter_mut().flatten().filter(|p| p.node_port.unwrap_or(0) == 0) {
            let port = ranges.pick_port(cx.rng, &taken).ok_or_else(full)?;
            p.node_port = Some(i32::from(port));
            taken.insert(port);
        }
    }
    if needs_health_check_port(spec) {
        let at = path.child("healthCheckNodePort");
        match spec.health_check_node_port.filter(|n| *n != 0) {
            Some(n) => {
                ranges.check_port(n, &taken).map_err(|why| invalid(FieldError::invalid(&at, n, why)))?;
            }
            None => {
                spec.health_check_node_port = Some(i32::from(ranges.pick_port(cx.rng, &taken).ok_or_else(full)?));
            }
        }
    }
    Ok(())
}
