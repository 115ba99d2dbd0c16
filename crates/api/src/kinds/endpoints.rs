//! Endpoints. Models `pkg/registry/core/endpoint` and `ValidateEndpoints` of `pkg/apis/core/validation`.

use super::register;
use crate::registration::{Cell, Column, Registration};
use crate::table;
use crate::validate::{each, names, net, text};
use k8s_openapi::api::core::v1::{EndpointAddress, EndpointPort, EndpointSubset, Endpoints};
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, Endpoints);

const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];
/// A table cell lists this many.
const SHOWN_MAX: usize = 3;

impl Registration for Reg {
    type Type = Endpoints;
    const PLURAL: &'static str = "endpoints";
    const SINGULAR: &'static str = "endpoints";
    const SHORT_NAMES: &'static [&'static str] = &["ep"];
    const DEPRECATED: &'static str = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice";
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Endpoints", "string", 0).describe(
            "The set of all endpoints is the union of all subsets. Addresses are placed into subsets according to the IPs \
             they share. A single address with multiple ports, some of which are ready and some of which are not (because \
             they come from different containers) will result in the address being displayed in different subsets for the \
             different ports. No address will appear in both Addresses and NotReadyAddresses in the same subset. Sets of \
             addresses and ports that comprise a service.",
        ),
        Column::AGE,
    ];
    const SAMPLE: &'static str = "\
apiVersion: v1
kind: Endpoints
metadata:
  name: external-database
subsets:
- addresses:
  - ip: 192.0.2.42
  ports:
  - port: 5432
";

    /// Models `SetDefaults_Endpoints`.
    fn default(o: &mut Endpoints) {
        for p in o.subsets.iter_mut().flatten().flat_map(|s| s.ports.iter_mut().flatten()) {
            p.protocol.get_or_insert_with(|| "TCP".into());
        }
    }

    fn validate_create(o: &Endpoints) -> Vec<FieldError> {
        let mut errors = Vec::new();
        for (i, s) in o.subsets.iter().flatten().enumerate() {
            subset(s, &Path::new("subsets").index(i), &mut errors);
        }
        errors
    }
    fn validate_update(new: &Endpoints, _old: &Endpoints) -> Vec<FieldError> {
        Self::validate_create(new)
    }

    /// Models `endpointsWarnings`.
    fn warnings(o: &Endpoints) -> Vec<String> {
        let mut out = Vec::new();
        for (i, s) in o.subsets.iter().flatten().enumerate() {
            let at = Path::new("subsets").index(i);
            for (field, list) in [("addresses", &s.addresses), ("notReadyAddresses", &s.not_ready_addresses)] {
                for (j, a) in list.iter().flatten().enumerate() {
                    out.extend(net::ip_warning(&at.child(field).index(j).child("ip"), &a.ip));
                }
            }
        }
        out
    }

    fn cells(o: &Endpoints, now: Time) -> Vec<Cell> {
        vec![table::name(&o.metadata), shown(o).into(), table::age(&o.metadata, now)]
    }
}

fn subset(s: &EndpointSubset, path: &Path, errors: &mut Vec<FieldError>) {
    let (ready, not) =
        (s.addresses.as_deref().unwrap_or_default(), s.not_ready_addresses.as_deref().unwrap_or_default());
    if ready.is_empty() && not.is_empty() {
        errors.push(FieldError::required(path, "must specify `addresses` or `notReadyAddresses`"));
    }
    for (field, list) in [("addresses", ready), ("notReadyAddresses", not)] {
        list.iter().enumerate().for_each(|(i, a)| address(a, &path.child(field).index(i), errors));
    }
    let ports = s.ports.as_deref().unwrap_or_default();
    for (i, p) in ports.iter().enumerate() {
        port(p, ports.len() > 1, &path.child("ports").index(i), errors);
    }
}

fn address(a: &EndpointAddress, path: &Path, errors: &mut Vec<FieldError>) {
    errors.extend(net::ip(&path.child("ip"), &a.ip));
    if let Some(h) = a.hostname.as_deref().filter(|h| !h.is_empty()) {
        errors.extend(each(&path.child("hostname"), h, names::dns1123_label(h)));
    }
    if let Some(n) = &a.node_name {
        errors.extend(each(&path.child("nodeName"), n, names::dns1123_subdomain(n)));
    }
    if net::sloppy_ip(&a.ip).is_some() {
        errors.extend(net::non_special(&path.child("ip"), &a.ip));
    }
}

fn port(p: &EndpointPort, named: bool, path: &Path, errors: &mut Vec<FieldError>) {
    match text(&p.name) {
        "" if named => errors.push(FieldError::required(&path.child("name"), "")),
        "" => {}
        n => errors.extend(each(&path.child("name"), n, names::dns1123_label(n))),
    }
    let at = path.child("port");
    errors.extend(names::port_number(p.port.into()).into_iter().map(|m| FieldError::invalid(&at, p.port, m)));
    match text(&p.protocol) {
        "" => errors.push(FieldError::required(&path.child("protocol"), "")),
        x if !PROTOCOLS.contains(&x) => {
            errors.push(FieldError::not_supported(&path.child("protocol"), x, PROTOCOLS));
        }
        _ => {}
    }
    if let Some(a) = &p.app_protocol {
        errors.extend(each(&path.child("appProtocol"), a, names::qualified_name(a)));
    }
}

/// Models `formatEndpoints`.
fn shown(o: &Endpoints) -> String {
    let mut all = Vec::new();
    for s in o.subsets.iter().flatten() {
        let ips = || s.addresses.iter().flatten().map(|a| a.ip.as_str());
        let join =
            |ip: &str, port: i32| if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") };
        match s.ports.as_deref() {
            None | Some([]) => all.extend(ips().map(Into::into)),
            Some(ports) => ports.iter().for_each(|p| all.extend(ips().map(|ip| join(ip, p.port)))),
        }
    }
    if o.subsets.as_ref().is_none_or(Vec::is_empty) {
        return table::NONE.into();
    }
    let list = all[..all.len().min(SHOWN_MAX)].join(",");
    if all.len() > SHOWN_MAX { format!("{list} + {} more...", all.len() - SHOWN_MAX) } else { list }
}
