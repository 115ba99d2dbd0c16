//! Ingress. Models `pkg/registry/networking/ingress` and `pkg/apis/networking/validation`.

use super::register;
use crate::registration::{Cell, Column, Registration, Subresource};
use crate::table;
use crate::validate::names::{self, rule};
use crate::validate::{each, net, text};
use k8s_openapi::api::core::v1::TypedLocalObjectReference;
use k8s_openapi::api::networking::v1::{
    HTTPIngressPath, Ingress, IngressBackend, IngressLoadBalancerStatus, IngressRule, IngressTLS,
};
use meta::{FieldError, Path, Time};
use std::collections::BTreeSet;

pub struct Reg;
register!(Reg, Ingress);

/// The class in the time before `spec.ingressClassName`.
pub const CLASS_ANNOTATION: &str = "kubernetes.io/ingress.class";
const PATH_TYPES: &[&str] = &["Exact", "ImplementationSpecific", "Prefix"];
/// A table cell lists this many hosts.
const HOSTS_MAX: usize = 3;
/// And so many characters of the addresses.
const ADDRESS_WIDTH: usize = 16;

impl Registration for Reg {
    type Type = Ingress;
    const PLURAL: &'static str = "ingresses";
    const SINGULAR: &'static str = "ingress";
    const SHORT_NAMES: &'static [&'static str] = &["ing"];
    const SUBRESOURCES: &'static [Subresource] =
        &[Subresource { name: "status", gvk: None, verbs: super::STATUS_VERBS }];
    const HAS_GENERATION: bool = true;
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Class", "string", 0)
            .describe("The name of the IngressClass resource that should be used for additional configuration"),
        Column::new("Hosts", "string", 0)
            .describe("Hosts that incoming requests are matched against before the ingress rule"),
        Column::new("Address", "string", 0)
            .describe("Address is a list containing ingress points for the load-balancer"),
        Column::new("Ports", "string", 0).describe("Ports of TLS configurations that open"),
        Column::AGE,
    ];
    const SAMPLE: &'static str = "\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: minimal-ingress
spec:
  ingressClassName: nginx-example
  rules:
  - http:
      paths:
      - path: /testpath
        pathType: Prefix
        backend:
          service:
            name: test
            port:
              number: 80
";

    fn prepare_create(o: &mut Ingress) {
        o.status = Some(Default::default());
        o.status.get_or_insert_default().load_balancer.get_or_insert_default();
    }
    fn prepare_update(new: &mut Ingress, old: &Ingress) {
        new.status.clone_from(&old.status);
    }
    fn prepare_status(new: &mut Ingress, old: &Ingress) {
        new.spec.clone_from(&old.spec);
    }

    fn validate_create(o: &Ingress) -> Vec<FieldError> {
        let mut errors = spec(o);
        let annotation = o.metadata.annotations.as_ref().and_then(|a| a.get(CLASS_ANNOTATION));
        let class = o.spec.as_ref().and_then(|s| s.ingress_class_name.as_ref());
        if let (Some(a), Some(c)) = (annotation, class)
            && a != c
        {
            let why = "must match `ingressClassName` when both are specified";
            errors.push(FieldError::invalid(&Path::new("annotations").child(CLASS_ANNOTATION), a.as_str(), why));
        }
        errors
    }
    fn validate_update(new: &Ingress, _old: &Ingress) -> Vec<FieldError> {
        spec(new)
    }
    fn validate_status(new: &Ingress, _old: &Ingress) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let lb = new.status.as_ref().and_then(|s| s.load_balancer.as_ref());
        for (i, x) in lb.and_then(|l| l.ingress.as_ref()).into_iter().flatten().enumerate() {
            let at = Path::new("status").child("loadBalancer").child("ingress").index(i);
            if let Some(ip) = x.ip.as_deref().filter(|ip| !ip.is_empty()) {
                errors.extend(net::ip(&at.child("ip"), ip));
            }
            if let Some(host) = x.hostname.as_deref().filter(|h| !h.is_empty()) {
                let at = at.child("hostname");
                errors.extend(each(&at, host, names::dns1123_subdomain(host)));
                not_an_ip(host, &at, &mut errors);
            }
        }
        errors
    }

    /// On creation only.
    fn warnings(o: &Ingress) -> Vec<String> {
        let annotated = o.metadata.annotations.as_ref().is_some_and(|a| a.contains_key(CLASS_ANNOTATION));
        let named = o.spec.as_ref().is_some_and(|s| s.ingress_class_name.is_some());
        let text = format!("annotation {CLASS_ANNOTATION:?} is deprecated, please use 'spec.ingressClassName' instead");
        (annotated && !named).then_some(text).into_iter().collect()
    }

    fn cells(o: &Ingress, now: Time) -> Vec<Cell> {
        let spec = o.spec.clone().unwrap_or_default();
        let tls = spec.tls.as_ref().is_some_and(|t| !t.is_empty());
        let lb = o.status.as_ref().and_then(|s| s.load_balancer.as_ref());
        vec![
            table::name(&o.metadata),
            spec.ingress_class_name.as_deref().unwrap_or(table::NONE).into(),
            hosts(spec.rules.as_deref().unwrap_or_default()).into(),
            addresses(lb).into(),
            if tls { "80, 443" } else { "80" }.into(),
            table::age(&o.metadata, now),
        ]
    }
}

/// Models `formatHosts`.
fn hosts(rules: &[IngressRule]) -> String {
    let mut list = Vec::new();
    let mut more = false;
    for r in rules {
        more |= list.len() == HOSTS_MAX;
        let host = text(&r.host);
        if !more && !host.is_empty() {
            list.push(host);
        }
    }
    match list.join(",") {
        all if all.is_empty() => "*".into(),
        all if more => format!("{all} + {} more...", rules.len() - HOSTS_MAX),
        all => all,
    }
}

/// Models `ingressLoadBalancerStatusStringer`, as it is printed when not wide.
fn addresses(lb: Option<&IngressLoadBalancerStatus>) -> String {
    let all = lb.and_then(|l| l.ingress.as_ref()).into_iter().flatten();
    let set: BTreeSet<&str> =
        all.filter_map(|i| [text(&i.ip), text(&i.hostname)].into_iter().find(|t| !t.is_empty())).collect();
    let all = set.into_iter().collect::<Vec<_>>().join(",");
    if all.len() > ADDRESS_WIDTH { format!("{}...", &all[..ADDRESS_WIDTH - 3]) } else { all }
}

fn not_an_ip(host: &str, path: &Path, errors: &mut Vec<FieldError>) {
    if net::sloppy_ip(host).is_some() {
        errors.push(FieldError::invalid(path, host, "must be a DNS name, not an IP address"));
    }
}

fn host_name(host: &str, path: &Path, errors: &mut Vec<FieldError>) {
    let bad = if host.contains('*') { names::wildcard_dns1123_subdomain(host) } else { names::dns1123_subdomain(host) };
    errors.extend(each(path, host, bad));
}

/// Models `ValidateIngressSpec`.
fn spec(o: &Ingress) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let path = Path::new("spec");
    let s = o.spec.clone().unwrap_or_default();
    let rules = s.rules.unwrap_or_default();
    if rules.is_empty() && s.default_backend.is_none() {
        let mut e = FieldError::invalid(&path, "", "either `defaultBackend` or `rules` must be specified");
        e.value = "null".into();
        errors.push(e);
    }
    if let Some(b) = &s.default_backend {
        backend(b, &path.child("defaultBackend"), &mut errors);
    }
    for (i, r) in rules.iter().enumerate() {
        let at = path.child("rules").index(i);
        if let Some(host) = r.host.as_deref().filter(|h| !h.is_empty()) {
            not_an_ip(host, &at.child("host"), &mut errors);
            host_name(host, &at.child("host"), &mut errors);
        }
        if let Some(http) = &r.http {
            let at = at.child("http").child("paths");
            if http.paths.is_empty() {
                errors.push(FieldError::required(&at, ""));
            }
            http.paths.iter().enumerate().for_each(|(i, p)| http_path(p, &at.index(i), &mut errors));
        }
    }
    for (i, t) in s.tls.iter().flatten().enumerate() {
        tls(t, &path.child("tls").index(i), &mut errors);
    }
    if let Some(c) = &s.ingress_class_name {
        errors.extend(each(&path.child("ingressClassName"), c, rule::subdomain(c, false)));
    }
    errors
}

fn tls(t: &IngressTLS, path: &Path, errors: &mut Vec<FieldError>) {
    for (i, host) in t.hosts.iter().flatten().enumerate() {
        host_name(host, &path.child("hosts").index(i), errors);
    }
    if let Some(s) = t.secret_name.as_deref().filter(|s| !s.is_empty()) {
        errors.extend(each(&path.child("secretName"), s, rule::subdomain(s, false)));
    }
}

/// Models `validateHTTPIngressPath`.
fn http_path(p: &HTTPIngressPath, path: &Path, errors: &mut Vec<FieldError>) {
    let (at, value) = (path.child("path"), text(&p.path));
    let mut bad = |why: String| errors.push(FieldError::invalid(&at, value, why));
    match p.path_type.as_str() {
        "" => {
            errors.push(FieldError::required(&path.child("pathType"), "pathType must be specified"));
            return;
        }
        "Exact" | "Prefix" => {
            if !value.starts_with('/') {
                bad("must be an absolute path".into());
            }
            for part in ["//", "/./", "/../", "%2f", "%2F"].iter().filter(|s| value.contains(**s)) {
                bad(format!("must not contain '{part}'"));
            }
            for end in ["/..", "/."].iter().filter(|s| value.ends_with(**s)) {
                bad(format!("cannot end with '{end}'"));
            }
        }
        "ImplementationSpecific" => {
            if !value.is_empty() && !value.starts_with('/') {
                bad("must be an absolute path".into());
            }
        }
        other => errors.push(FieldError::not_supported(&path.child("pathType"), other, PATH_TYPES)),
    }
    backend(&p.backend, &path.child("backend"), errors);
}

/// Models `validateIngressBackend`.
fn backend(b: &IngressBackend, path: &Path, errors: &mut Vec<FieldError>) {
    let service = match (&b.resource, &b.service) {
        (Some(_), Some(_)) => {
            return errors.push(FieldError::invalid(path, "", "cannot set both resource and service backends"));
        }
        (None, None) => return errors.push(FieldError::invalid(path, "", "resource or service backend is required")),
        (Some(r), None) => return reference(r, &path.child("resource"), errors),
        (None, Some(s)) => s,
    };
    let at = path.child("service");
    if service.name.is_empty() {
        errors.push(FieldError::required(&at.child("name"), ""));
    } else {
        errors.extend(each(&at.child("name"), &service.name, rule::label_1035(&service.name, false)));
    }
    let port = service.port.clone().unwrap_or_default();
    let (name, number) = (text(&port.name), port.number.unwrap_or(0));
    let at = at.child("port");
    match (name, number) {
        ("", 0) => errors.push(FieldError::required(path, "port name or number is required")),
        ("", n) => {
            let at = at.child("number");
            errors.extend(names::port_number(n.into()).into_iter().map(|m| FieldError::invalid(&at, n, m)));
        }
        (name, 0) => errors.extend(each(&at.child("name"), name, names::port_name(name))),
        _ => errors.push(FieldError::invalid(path, "", "cannot set both port name & port number")),
    }
}

/// Models `validateIngressTypedLocalObjectReference`.
fn reference(r: &TypedLocalObjectReference, path: &Path, errors: &mut Vec<FieldError>) {
    group_kind_name(r.api_group.as_deref(), &r.kind, &r.name, path, errors);
}

pub(super) fn group_kind_name(group: Option<&str>, kind: &str, name: &str, path: &Path, errors: &mut Vec<FieldError>) {
    if let Some(g) = group {
        errors.extend(each(&path.child("apiGroup"), g, names::dns1123_subdomain(g)));
    }
    for (field, value) in [("kind", kind), ("name", name)] {
        let at = path.child(field);
        if value.is_empty() {
            errors.push(FieldError::required(&at, ""));
        } else {
            errors.extend(each(&at, value, rule::path_segment(value, false)));
        }
    }
}
