//! EndpointSlice. Models `pkg/registry/discovery/endpointslice` and `pkg/apis/discovery/validation`.

use super::register;
use crate::registration::{Cell, Column, Registration};
use crate::table;
use crate::validate::{each, immutable, names, net, text};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointPort, EndpointSlice};
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, EndpointSlice);

const TYPES: &[&str] = &["FQDN", "IPv4", "IPv6"];
const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];
const ENDPOINTS_MAX: usize = 1000;
const ADDRESSES_MAX: usize = 100;
const PORTS_MAX: usize = 20000;
const HINTS_MAX: usize = 8;
/// A table cell lists this many.
const SHOWN_MAX: usize = 3;

impl Registration for Reg {
    type Type = EndpointSlice;
    const PLURAL: &'static str = "endpointslices";
    const SINGULAR: &'static str = "endpointslice";
    const HAS_GENERATION: bool = true;
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("AddressType", "string", 0).describe(
            "addressType specifies the type of address carried by this EndpointSlice. All addresses in this slice must \
             be the same type. This field is immutable after creation. The following address types are currently \
             supported: * IPv4: Represents an IPv4 Address. * IPv6: Represents an IPv6 Address. * FQDN: Represents a \
             Fully Qualified Domain Name.",
        ),
        Column::new("Ports", "string", 0).describe(
            "ports specifies the list of network ports exposed by each endpoint in this slice. Each port must have a \
             unique name. When ports is empty, it indicates that there are no defined ports. When a port is defined \
             with a nil port value, it indicates \"all ports\". Each slice may include a maximum of 100 ports.",
        ),
        Column::new("Endpoints", "string", 0).describe(
            "endpoints is a list of unique endpoints in this slice. Each slice may include a maximum of 1000 endpoints.",
        ),
        Column::AGE,
    ];
    const SAMPLE: &'static str = "\
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: my-service-1
  labels:
    kubernetes.io/service-name: my-service
addressType: IPv4
ports:
- name: http
  protocol: TCP
  port: 9376
endpoints:
- addresses:
  - \"10.4.5.6\"
";

    /// Models `SetDefaults_EndpointPort`.
    fn default(o: &mut EndpointSlice) {
        for p in o.ports.iter_mut().flatten() {
            p.name.get_or_insert_default();
            p.protocol.get_or_insert_with(|| "TCP".into());
        }
    }

    fn validate_create(o: &EndpointSlice) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let at = Path::new("addressType");
        if o.address_type.is_empty() {
            errors.push(FieldError::required(&at, ""));
        } else if !TYPES.contains(&o.address_type.as_str()) {
            errors.push(FieldError::not_supported(&at, o.address_type.as_str(), TYPES));
        }
        ports(o.ports.as_deref().unwrap_or_default(), &mut errors);
        endpoints(o, &mut errors);
        errors
    }

    fn prepare_create(o: &mut EndpointSlice) {
        o.endpoints.iter_mut().for_each(|e| e.deprecated_topology = None);
    }
    fn prepare_update(new: &mut EndpointSlice, old: &EndpointSlice) {
        if new.endpoints != old.endpoints {
            Self::prepare_create(new);
        }
    }

    fn validate_update(new: &EndpointSlice, old: &EndpointSlice) -> Vec<FieldError> {
        let mut errors = Self::validate_create(new);
        // What was stored before a rule was made stays valid.
        if new.endpoints == old.endpoints {
            errors.retain(|e| !e.path.as_str().starts_with("endpoints"));
        }
        immutable(&Path::new("addressType"), &new.address_type, &old.address_type, &mut errors);
        errors
    }

    fn warnings(o: &EndpointSlice) -> Vec<String> {
        let mut out = Vec::new();
        if o.address_type == "FQDN" {
            out.push("spec.addressType: FQDN endpoints are deprecated".into());
        }
        let manager = o.metadata.labels.as_ref().and_then(|l| l.get("endpointslice.kubernetes.io/managed-by"));
        let ours = ["endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io"];
        if manager.is_some_and(|m| ours.contains(&m.as_str())) {
            return out;
        }
        for (i, e) in o.endpoints.iter().enumerate() {
            let at = Path::new("endpoints").index(i).child("addresses");
            out.extend(e.addresses.iter().enumerate().filter_map(|(j, a)| net::ip_warning(&at.index(j), a)));
        }
        out
    }

    fn cells(o: &EndpointSlice, now: Time) -> Vec<Cell> {
        let port = |p: &EndpointPort| match (p.port, &p.name) {
            (Some(n), _) => n.to_string(),
            (None, Some(name)) => name.clone(),
            (None, None) => "*".into(),
        };
        let ports: Vec<String> = o.ports.iter().flatten().map(port).collect();
        let addresses: Vec<String> = o.endpoints.iter().flat_map(|e| e.addresses.iter().cloned()).collect();
        vec![
            table::name(&o.metadata),
            o.address_type.as_str().into(),
            few(&ports).into(),
            few(&addresses).into(),
            table::age(&o.metadata, now),
        ]
    }
}

/// Models `listWithMoreString`.
fn few(list: &[String]) -> String {
    let shown = list[..list.len().min(SHOWN_MAX)].join(",");
    if list.len() > SHOWN_MAX {
        format!("{shown} + {} more...", list.len() - SHOWN_MAX)
    } else if shown.is_empty() {
        "<unset>".into()
    } else {
        shown
    }
}

fn endpoints(o: &EndpointSlice, errors: &mut Vec<FieldError>) {
    let path = Path::new("endpoints");
    if o.endpoints.len() > ENDPOINTS_MAX {
        errors.push(FieldError::too_many(&path, o.endpoints.len(), ENDPOINTS_MAX));
        return;
    }
    for (i, e) in o.endpoints.iter().enumerate() {
        endpoint(e, &o.address_type, &path.index(i), errors);
    }
}

fn endpoint(e: &Endpoint, kind: &str, path: &Path, errors: &mut Vec<FieldError>) {
    let at = path.child("addresses");
    if e.addresses.is_empty() {
        errors.push(FieldError::required(&at, "must contain at least 1 address"));
    } else if e.addresses.len() > ADDRESSES_MAX {
        errors.push(FieldError::too_many(&at, e.addresses.len(), ADDRESSES_MAX));
    }
    for (i, a) in e.addresses.iter().enumerate() {
        match kind {
            "IPv4" | "IPv6" => {
                let bad = if kind == "IPv4" { net::ip(&at.index(i), a) } else { net::strict_ip(&at.index(i), a) };
                if !bad.is_empty() {
                    errors.extend(bad);
                    continue;
                }
                if net::sloppy_ip(a).is_some_and(|ip| ip.is_ipv4() != (kind == "IPv4")) {
                    errors.push(FieldError::invalid(&at, a.as_str(), format!("must be an {kind} address")));
                }
                errors.extend(net::non_special(&at.index(i), a));
            }
            "FQDN" => fqdn(a, &at.index(i), errors),
            _ => {}
        }
    }
    if let Some(n) = &e.node_name {
        errors.extend(each(&path.child("nodeName"), n, names::dns1123_subdomain(n)));
    }
    if let Some(h) = &e.hostname {
        errors.extend(each(&path.child("hostname"), h, names::dns1123_label(h)));
    }
    if let Some(h) = &e.hints {
        let zones = h.for_zones.iter().flatten().map(|z| z.name.as_str()).collect();
        let nodes = h.for_nodes.iter().flatten().map(|n| n.name.as_str()).collect();
        let at = path.child("hints");
        if hints(zones, names::label_value, &at.child("forZones"), errors) {
            hints(nodes, names::dns1123_subdomain, &at.child("forNodes"), errors);
        }
    }
}

/// Returns whether there were few enough.
fn hints(list: Vec<&str>, rule: fn(&str) -> Vec<String>, path: &Path, errors: &mut Vec<FieldError>) -> bool {
    if list.len() > HINTS_MAX {
        errors.push(FieldError::too_many(path, list.len(), HINTS_MAX));
        return false;
    }
    for (i, name) in list.iter().enumerate() {
        let at = path.index(i).child("name");
        if list[..i].contains(name) {
            errors.push(FieldError::duplicate(&at, *name));
        }
        errors.extend(each(&at, name, rule(name)));
    }
    true
}

/// Models `IsFullyQualifiedDomainName`.
fn fqdn(name: &str, path: &Path, errors: &mut Vec<FieldError>) {
    if name.is_empty() {
        errors.push(FieldError::required(path, ""));
        return;
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    let bad = names::dns1123_subdomain(name);
    if !bad.is_empty() {
        errors.push(FieldError::invalid(path, name, bad.join(",")));
    } else if !name.contains('.') {
        let why = "should be a domain with at least two segments separated by dots";
        errors.push(FieldError::invalid(path, name, why));
    } else {
        for label in name.split('.') {
            let bad = names::dns1123_label(label);
            if !bad.is_empty() {
                errors.push(FieldError::invalid(path, label, bad.join(",")));
            }
        }
    }
}

fn ports(list: &[EndpointPort], errors: &mut Vec<FieldError>) {
    let path = Path::new("ports");
    if list.len() > PORTS_MAX {
        errors.push(FieldError::too_many(&path, list.len(), PORTS_MAX));
        return;
    }
    let mut seen: Vec<&str> = Vec::new();
    for (i, p) in list.iter().enumerate() {
        let at = path.index(i);
        let name = text(&p.name);
        if !name.is_empty() {
            errors.extend(each(&at.child("name"), name, names::dns1123_label(name)));
        }
        if seen.contains(&name) {
            errors.push(FieldError::duplicate(&at.child("name"), name));
        } else {
            seen.push(name);
        }
        match p.protocol.as_deref() {
            None => errors.push(FieldError::required(&at.child("protocol"), "")),
            Some(x) if !PROTOCOLS.contains(&x) => {
                errors.push(FieldError::not_supported(&at.child("protocol"), x, PROTOCOLS));
            }
            Some(_) => {}
        }
        if let Some(a) = &p.app_protocol {
            errors.extend(each(&at.child("appProtocol"), a, names::qualified_name(a)));
        }
    }
}
