//! NetworkPolicy. Models `pkg/registry/networking/networkpolicy` and `pkg/apis/networking/validation`.

use super::register;
use crate::registration::{Cell, Column, Registration};
use crate::table;
use crate::validate::{each, names, net, validate_label_selector};
use k8s_openapi::api::networking::v1::{
    IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, NetworkPolicy);

const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];
const TYPES: &[&str] = &["Egress", "Ingress"];

impl Registration for Reg {
    type Type = NetworkPolicy;
    const PLURAL: &'static str = "networkpolicies";
    const SINGULAR: &'static str = "networkpolicy";
    const SHORT_NAMES: &'static [&'static str] = &["netpol"];
    const HAS_GENERATION: bool = true;
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Pod-Selector", "string", 0).describe(
            "Selects the pods to which this NetworkPolicy object applies.  The array of ingress rules is applied to any \
             pods selected by this field. Multiple network policies can select the same set of pods.  In this case, the \
             ingress rules for each are combined additively. This field is NOT optional and follows standard label \
             selector semantics. An empty podSelector matches all pods in this namespace.",
        ),
        Column::AGE,
    ];
    const SAMPLE: &'static str = "\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: default-deny-ingress
spec:
  podSelector: {}
  policyTypes:
  - Ingress
";

    /// Models `SetDefaults_NetworkPolicy`.
    fn default(o: &mut NetworkPolicy) {
        let s = o.spec.get_or_insert_default();
        s.pod_selector.get_or_insert_default();
        let ports = s.ingress.iter_mut().flatten().flat_map(|r| r.ports.iter_mut().flatten());
        ports.for_each(default_port);
        let ports = s.egress.iter_mut().flatten().flat_map(|r| r.ports.iter_mut().flatten());
        ports.for_each(default_port);
        if s.policy_types.as_ref().is_none_or(Vec::is_empty) {
            let mut types = vec!["Ingress".to_string()];
            if s.egress.as_ref().is_some_and(|e| !e.is_empty()) {
                types.push("Egress".into());
            }
            s.policy_types = Some(types);
        }
    }

    fn validate_create(o: &NetworkPolicy) -> Vec<FieldError> {
        let mut errors = Vec::new();
        spec(&o.spec.clone().unwrap_or_default(), &[], &mut errors);
        errors
    }
    fn validate_update(new: &NetworkPolicy, old: &NetworkPolicy) -> Vec<FieldError> {
        let mut errors = Vec::new();
        // What was there before may stay, whatever it looks like.
        let old = old.spec.clone().unwrap_or_default();
        let from = old.ingress.into_iter().flatten().flat_map(|r| r.from.into_iter().flatten());
        let to = old.egress.into_iter().flatten().flat_map(|r| r.to.into_iter().flatten());
        let blocks = from.chain(to).filter_map(|p| p.ip_block);
        let known: Vec<String> =
            blocks.flat_map(|b| std::iter::once(b.cidr).chain(b.except.into_iter().flatten())).collect();
        spec(&new.spec.clone().unwrap_or_default(), &known, &mut errors);
        errors
    }

    fn cells(o: &NetworkPolicy, now: Time) -> Vec<Cell> {
        let selector = o.spec.as_ref().and_then(|s| s.pod_selector.clone()).unwrap_or_default();
        vec![table::name(&o.metadata), table::selector(&selector), table::age(&o.metadata, now)]
    }
}

fn default_port(p: &mut NetworkPolicyPort) {
    p.protocol.get_or_insert_with(|| "TCP".into());
}

/// Models `ValidateNetworkPolicySpec`.
fn spec(s: &NetworkPolicySpec, known: &[String], errors: &mut Vec<FieldError>) {
    let path = Path::new("spec");
    let selector = s.pod_selector.clone().unwrap_or_default();
    errors.extend(validate_label_selector(&path.child("podSelector"), &selector));
    for (i, r) in s.ingress.iter().flatten().enumerate() {
        let at = path.child("ingress").index(i);
        rule(r.ports.as_deref(), ("from", r.from.as_deref()), known, &at, errors);
    }
    for (i, r) in s.egress.iter().flatten().enumerate() {
        let at = path.child("egress").index(i);
        rule(r.ports.as_deref(), ("to", r.to.as_deref()), known, &at, errors);
    }
    let at = path.child("policyTypes");
    let types = s.policy_types.as_deref().unwrap_or_default();
    if types.len() > TYPES.len() {
        let mut e = FieldError::invalid(&at, "", "may not specify more than two policyTypes");
        e.value = crate::validate::json_text(&types);
        return errors.push(e);
    }
    for (i, t) in types.iter().enumerate().filter(|(_, t)| !TYPES.contains(&t.as_str())) {
        errors.push(FieldError::not_supported(&at.index(i), t.as_str(), TYPES));
    }
}

fn rule(
    ports: Option<&[NetworkPolicyPort]>,
    (side, peers): (&str, Option<&[NetworkPolicyPeer]>),
    known: &[String],
    path: &Path,
    errors: &mut Vec<FieldError>,
) {
    for (i, p) in ports.into_iter().flatten().enumerate() {
        port(p, &path.child("ports").index(i), errors);
    }
    for (i, p) in peers.into_iter().flatten().enumerate() {
        peer(p, known, &path.child(side).index(i), errors);
    }
}

/// Models `ValidateNetworkPolicyPort`.
fn port(p: &NetworkPolicyPort, path: &Path, errors: &mut Vec<FieldError>) {
    if let Some(x) = p.protocol.as_deref().filter(|x| !PROTOCOLS.contains(x)) {
        errors.push(FieldError::not_supported(&path.child("protocol"), x, PROTOCOLS));
    }
    let (at, end) = (path.child("port"), path.child("endPort"));
    match (&p.port, p.end_port) {
        (Some(IntOrString::Int(n)), last) => {
            errors.extend(names::port_number((*n).into()).into_iter().map(|m| FieldError::invalid(&at, *n, m)));
            let Some(last) = last else { return };
            if last < *n {
                errors.push(FieldError::invalid(&end, last, "must be greater than or equal to `port`"));
            }
            errors.extend(names::port_number(last.into()).into_iter().map(|m| FieldError::invalid(&end, last, m)));
        }
        (Some(IntOrString::String(name)), last) => {
            if let Some(last) = last {
                errors.push(FieldError::invalid(&end, last, "may not be specified when `port` is non-numeric"));
            }
            errors.extend(each(&at, name, names::port_name(name)));
        }
        (None, Some(last)) => {
            errors.push(FieldError::invalid(&end, last, "may not be specified when `port` is not specified"));
        }
        (None, None) => {}
    }
}

/// Models `ValidateNetworkPolicyPeer`.
fn peer(p: &NetworkPolicyPeer, known: &[String], path: &Path, errors: &mut Vec<FieldError>) {
    let selectors = [("podSelector", &p.pod_selector), ("namespaceSelector", &p.namespace_selector)];
    for (field, selector) in &selectors {
        if let Some(s) = selector {
            errors.extend(validate_label_selector(&path.child(field), s));
        }
    }
    if let Some(b) = &p.ip_block {
        block(b, known, &path.child("ipBlock"), errors);
    }
    let selects = selectors.iter().any(|(_, s)| s.is_some());
    if !selects && p.ip_block.is_none() {
        errors.push(FieldError::required(path, "must specify a peer"));
    } else if selects && p.ip_block.is_some() {
        errors.push(FieldError::forbidden(path, "may not specify both ipBlock and another peer"));
    }
}

/// Models `ValidateIPBlock`.
fn block(b: &IPBlock, known: &[String], path: &Path, errors: &mut Vec<FieldError>) {
    let check = |at: &Path, cidr: &str| if known.iter().any(|k| k == cidr) { Vec::new() } else { net::cidr(at, cidr) };
    if b.cidr.is_empty() {
        return errors.push(FieldError::required(&path.child("cidr"), ""));
    }
    errors.extend(check(&path.child("cidr"), &b.cidr));
    if net::cidr(path, &b.cidr).is_empty() {
        for (i, e) in b.except.iter().flatten().enumerate() {
            let at = path.child("except").index(i);
            errors.extend(check(&at, e));
            if net::is_strict_subnet(e, &b.cidr) == Some(false) {
                errors.push(FieldError::invalid(&at, e.as_str(), "must be a strict subset of `cidr`"));
            }
        }
    }
}
