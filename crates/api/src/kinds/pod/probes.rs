//! Probes and lifecycle hooks. Models `validateProbe` and `validateHandler` of `pkg/apis/core/validation`.

use crate::validate::{names, nonnegative, text};
use k8s_openapi::api::core::v1::{
    Container, ExecAction, GRPCAction, HTTPGetAction, LifecycleHandler, Probe, SleepAction, TCPSocketAction,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use meta::{FieldError, Path};

/// What a probe or a hook does: exactly one of these.
#[derive(Default)]
struct Handler<'a> {
    exec: Option<&'a ExecAction>,
    http_get: Option<&'a HTTPGetAction>,
    tcp_socket: Option<&'a TCPSocketAction>,
    grpc: Option<&'a GRPCAction>,
    sleep: Option<&'a SleepAction>,
}

impl<'a> From<&'a LifecycleHandler> for Handler<'a> {
    fn from(h: &'a LifecycleHandler) -> Self {
        Handler {
            exec: h.exec.as_ref(),
            http_get: h.http_get.as_ref(),
            tcp_socket: h.tcp_socket.as_ref(),
            sleep: h.sleep.as_ref(),
            grpc: None,
        }
    }
}

impl<'a> From<&'a Probe> for Handler<'a> {
    fn from(p: &'a Probe) -> Self {
        Handler {
            exec: p.exec.as_ref(),
            http_get: p.http_get.as_ref(),
            tcp_socket: p.tcp_socket.as_ref(),
            grpc: p.grpc.as_ref(),
            sleep: None,
        }
    }
}

/// Probes and hooks of a container that runs beside others.
pub fn validate(c: &Container, grace: Option<i64>, path: &Path, errors: &mut Vec<FieldError>) {
    if let Some(l) = &c.lifecycle {
        let at = path.child("lifecycle");
        for (name, hook) in [("postStart", &l.post_start), ("preStop", &l.pre_stop)] {
            if let Some(h) = hook {
                handler(&h.into(), grace, &at.child(name), errors);
            }
        }
    }
    for (name, p, must_be_one) in [
        ("livenessProbe", &c.liveness_probe, true),
        ("readinessProbe", &c.readiness_probe, false),
        ("startupProbe", &c.startup_probe, true),
    ] {
        let Some(p) = p else { continue };
        let at = path.child(name);
        probe(p, grace, &at, errors);
        let success = p.success_threshold.unwrap_or(0);
        if must_be_one && success != 1 {
            errors.push(FieldError::invalid(&at.child("successThreshold"), success, "must be 1"));
        }
        if let (false, Some(t)) = (must_be_one, p.termination_grace_period_seconds) {
            let at = at.child("terminationGracePeriodSeconds");
            errors.push(FieldError::invalid(&at, t, "must not be set for readinessProbes"));
        }
    }
}

fn probe(p: &Probe, grace: Option<i64>, path: &Path, errors: &mut Vec<FieldError>) {
    handler(&p.into(), grace, path, errors);
    for (name, value) in [
        ("initialDelaySeconds", p.initial_delay_seconds),
        ("timeoutSeconds", p.timeout_seconds),
        ("periodSeconds", p.period_seconds),
        ("successThreshold", p.success_threshold),
        ("failureThreshold", p.failure_threshold),
    ] {
        nonnegative(&path.child(name), value.unwrap_or(0).into(), errors);
    }
    if let Some(t) = p.termination_grace_period_seconds.filter(|t| *t <= 0) {
        errors.push(FieldError::invalid(&path.child("terminationGracePeriodSeconds"), t, "must be greater than 0"));
    }
}

fn handler(h: &Handler<'_>, grace: Option<i64>, path: &Path, errors: &mut Vec<FieldError>) {
    let set = [
        ("exec", h.exec.is_some()),
        ("httpGet", h.http_get.is_some()),
        ("tcpSocket", h.tcp_socket.is_some()),
        ("grpc", h.grpc.is_some()),
        ("sleep", h.sleep.is_some()),
    ];
    let mut given = set.iter().filter(|(_, is)| *is).map(|(name, _)| *name);
    match given.next() {
        None => errors.push(FieldError::required(path, "must specify a handler type")),
        Some("exec") => {
            if h.exec.is_some_and(|e| e.command.as_ref().is_none_or(Vec::is_empty)) {
                errors.push(FieldError::required(&path.child("exec").child("command"), ""));
            }
        }
        Some("httpGet") => {
            if let Some(get) = h.http_get {
                http_get(get, &path.child("httpGet"), errors);
            }
        }
        Some("tcpSocket") => {
            if let Some(t) = h.tcp_socket {
                port(&t.port, &path.child("tcpSocket").child("port"), errors);
            }
        }
        Some("grpc") => {
            if let Some(g) = h.grpc {
                port(&IntOrString::Int(g.port), &path.child("grpc").child("port"), errors);
            }
        }
        Some(_) => {
            if let (Some(s), Some(grace)) = (h.sleep, grace)
                && (s.seconds < 0 || s.seconds > grace)
            {
                let why = format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
                errors.push(FieldError::invalid(&path.child("sleep"), s.seconds, why));
            }
        }
    }
    for extra in given {
        errors.push(FieldError::forbidden(&path.child(extra), "may not specify more than 1 handler type"));
    }
}

fn http_get(get: &HTTPGetAction, path: &Path, errors: &mut Vec<FieldError>) {
    if text(&get.path).is_empty() {
        errors.push(FieldError::required(&path.child("path"), ""));
    }
    port(&get.port, &path.child("port"), errors);
    let scheme = text(&get.scheme);
    if !["HTTP", "HTTPS"].contains(&scheme) {
        errors.push(FieldError::not_supported(&path.child("scheme"), scheme, &["HTTP", "HTTPS"]));
    }
    for h in get.http_headers.iter().flatten() {
        for msg in names::http_header_name(&h.name) {
            errors.push(FieldError::invalid(&path.child("httpHeaders"), h.name.as_str(), msg));
        }
    }
}

/// Models `ValidatePortNumOrName`.
pub fn port(p: &IntOrString, path: &Path, errors: &mut Vec<FieldError>) {
    match p {
        IntOrString::Int(n) => {
            for msg in names::port_number((*n).into()) {
                errors.push(FieldError::invalid(path, *n, msg));
            }
        }
        IntOrString::String(s) => {
            for msg in names::port_name(s) {
                errors.push(FieldError::invalid(path, s.as_str(), msg));
            }
        }
    }
}
