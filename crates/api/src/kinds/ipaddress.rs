//! IPAddress: an address that a Service has. Models `pkg/registry/networking/ipaddress` and `ValidateIPAddress`.

use super::register;
use crate::registration::{Cell, Column, Registration, Scope};
use crate::table;
use crate::validate::names::{self, NameRule};
use crate::validate::{immutable, net};
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::networking::v1::{IPAddress, IPAddressSpec, ParentReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{FieldError, Path, Time};
use serde::Serialize;
use std::net::IpAddr;

pub struct Reg;
register!(Reg, IPAddress);

/// The family of the address, and who made the object.
pub const FAMILY: &str = "ipaddress.kubernetes.io/ip-family";
pub const MANAGED_BY: &str = "ipaddress.kubernetes.io/managed-by";
/// The value of [`MANAGED_BY`] of those that the API server makes for Services.
pub const ALLOCATOR: &str = "ipallocator.k8s.io";

/// The addresses that a Service has.
pub fn of_service(service: &Service) -> impl Iterator<Item = &str> {
    let ips = service.spec.iter().flat_map(|s| s.cluster_ips.iter().flatten());
    ips.map(String::as_str).filter(|ip| ip.parse::<IpAddr>().is_ok())
}

/// The address `ip` of the Service with that metadata. Models `newIPAddress`.
pub fn for_service(ip: &str, service: &ObjectMeta) -> IPAddress {
    let family = if ip.contains(':') { "IPv6" } else { "IPv4" };
    let labels = [(FAMILY, family), (MANAGED_BY, ALLOCATOR)];
    let labels = labels.iter().map(|(k, v)| ((*k).to_string(), (*v).to_string())).collect();
    let parent_ref = ParentReference {
        group: None,
        resource: "services".into(),
        namespace: service.namespace.clone(),
        name: service.name.clone().unwrap_or_default(),
    };
    IPAddress {
        metadata: ObjectMeta { name: Some(ip.into()), labels: Some(labels), ..ObjectMeta::default() },
        spec: Some(IPAddressSpec { parent_ref }),
    }
}

/// Whether the address is that of the Service.
pub fn belongs_to(ip: &IPAddress, namespace: &str, name: &str) -> bool {
    ip.spec.as_ref().map(|s| &s.parent_ref).is_some_and(|p| {
        let core = p.group.as_deref().unwrap_or_default().is_empty() && p.resource == "services";
        core && p.name == name && p.namespace.as_deref() == Some(namespace)
    })
}

/// Whether the API server made it for a Service.
pub fn is_managed(ip: &IPAddress) -> bool {
    ip.metadata.labels.as_ref().and_then(|l| l.get(MANAGED_BY)).is_some_and(|by| by == ALLOCATOR)
}

/// A parent as Go prints upstream's internal type, which has no JSON names.
#[derive(Serialize, PartialEq)]
#[serde(rename_all = "PascalCase")]
struct Written<'a> {
    group: &'a str,
    resource: &'a str,
    namespace: &'a str,
    name: &'a str,
}

impl<'a> From<&'a ParentReference> for Written<'a> {
    fn from(p: &'a ParentReference) -> Self {
        let (group, namespace) = (p.group.as_deref().unwrap_or_default(), p.namespace.as_deref().unwrap_or_default());
        Written { group, resource: &p.resource, namespace, name: &p.name }
    }
}

/// Models `ValidateIPAddressName`.
fn name_rule(name: &str, _prefix: bool) -> Vec<String> {
    net::strict_ip(&Path::default(), name).into_iter().map(|e| e.detail).collect()
}

impl Registration for Reg {
    type Type = IPAddress;
    const PLURAL: &'static str = "ipaddresses";
    const SINGULAR: &'static str = "ipaddress";
    const SHORT_NAMES: &'static [&'static str] = &["ip"];
    const SCOPE: Scope = Scope::Cluster;
    const HAS_GENERATION: bool = false;
    const NAME_RULE: NameRule = name_rule;
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("ParentRef", "string", 0).describe(
            "ParentRef references the resource that an IPAddress is attached to. An IPAddress must reference a parent \
             object.",
        ),
        Column::AGE,
    ];
    const SAMPLE: &'static str = "\
apiVersion: networking.k8s.io/v1
kind: IPAddress
metadata:
  name: 10.96.0.200
spec:
  parentRef:
    resource: services
    namespace: default
    name: web
";

    fn validate_create(o: &IPAddress) -> Vec<FieldError> {
        let (mut errors, at) = (Vec::new(), Path::new("spec").child("parentRef"));
        let Some(parent) = o.spec.as_ref().map(|s| &s.parent_ref) else {
            return vec![FieldError::required(&at, "")];
        };
        if let Some(group) = parent.group.as_deref().filter(|g| !g.is_empty()) {
            errors.extend(
                names::dns1123_subdomain(group)
                    .into_iter()
                    .map(|why| FieldError::invalid(&at.child("group"), group, why)),
            );
        }
        let namespace = parent.namespace.as_ref().filter(|n| !n.is_empty());
        let segments = [("resource", Some(&parent.resource)), ("name", Some(&parent.name)), ("namespace", namespace)];
        for (field, value) in segments {
            match value.map(String::as_str) {
                Some("") => errors.push(FieldError::required(&at.child(field), "")),
                Some(value) => {
                    let wrong = names::rule::path_segment(value, false).into_iter();
                    errors.extend(wrong.map(|why| FieldError::invalid(&at.child(field), value, why)));
                }
                None => {}
            }
        }
        errors
    }
    fn validate_update(new: &IPAddress, old: &IPAddress) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let at = Path::new("spec").child("parentRef");
        let parent = |s: &'_ IPAddressSpec| s.parent_ref.clone();
        let (new, old) = (new.spec.as_ref().map(parent), old.spec.as_ref().map(parent));
        let (new, old) = (new.as_ref().map(Written::from), old.as_ref().map(Written::from));
        immutable(&at, &new, &old, &mut errors);
        errors
    }

    fn cells(o: &IPAddress, now: Time) -> Vec<Cell> {
        let shown = o.spec.as_ref().map(|s| &s.parent_ref).map(|p| {
            let group = p.group.as_deref().filter(|g| !g.is_empty()).map(|g| format!(".{g}")).unwrap_or_default();
            let namespace = p.namespace.as_deref().filter(|n| !n.is_empty()).map(|n| format!("{n}/"));
            format!("{}{group}/{}{}", p.resource, namespace.unwrap_or_default(), p.name).to_lowercase()
        });
        vec![table::name(&o.metadata), shown.unwrap_or_else(|| "<none>".into()).into(), table::age(&o.metadata, now)]
    }
}
