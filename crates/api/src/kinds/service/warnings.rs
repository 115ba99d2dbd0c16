//! Warnings about a Service. Models `pkg/api/service/warnings.go`.

use super::normalize::is_headless;
use super::validation::{TOPOLOGY_HINTS, TOPOLOGY_MODE};
use crate::validate::{net, text};
use k8s_openapi::api::core::v1::Service;
use meta::Path;

pub fn of(o: &Service) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    if o.metadata.annotations.as_ref().is_some_and(|a| a.contains_key(TOPOLOGY_HINTS)) {
        out.push(format!("annotation {TOPOLOGY_HINTS} is deprecated, please use {TOPOLOGY_MODE} instead"));
    }
    let Some(s) = &o.spec else { return out };
    let at = Path::new("spec");
    let external_ips = s.external_ips.as_deref().unwrap_or_default();
    let external_name = text(&s.type_) == "ExternalName";
    if !is_headless(s) && !external_name {
        for (i, ip) in s.cluster_ips.iter().flatten().enumerate() {
            out.extend(net::ip_warning(&at.child("clusterIPs").index(i), ip));
        }
    }
    if is_headless(s) && text(&s.type_) == "ClusterIP" {
        if !text(&s.load_balancer_ip).is_empty() {
            out.push("spec.loadBalancerIP is ignored for headless services".into());
        }
        if !external_ips.is_empty() {
            out.push("spec.externalIPs is ignored for headless services".into());
        }
        if text(&s.session_affinity) != "None" {
            out.push("spec.SessionAffinity is ignored for headless services".into());
        }
    }
    for (i, ip) in external_ips.iter().enumerate() {
        out.extend(net::ip_warning(&at.child("externalIPs").index(i), ip));
    }
    if !text(&s.load_balancer_ip).is_empty() {
        out.extend(net::ip_warning(&at.child("loadBalancerIP"), text(&s.load_balancer_ip)));
    }
    for (i, range) in s.load_balancer_source_ranges.iter().flatten().enumerate() {
        out.extend(net::cidr_warnings(&at.child("loadBalancerSourceRanges").index(i), range));
    }
    if external_name && !external_ips.is_empty() {
        out.push("spec.externalIPs is ignored when spec.type is \"ExternalName\"".into());
    }
    if !external_name && !text(&s.external_name).is_empty() {
        out.push("spec.externalName is ignored when spec.type is not \"ExternalName\"".into());
    }
    if text(&s.traffic_distribution) == "PreferClose" {
        out.push("spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"".into());
    }
    out
}
