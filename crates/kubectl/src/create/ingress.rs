//! Ingresses of rules like `host/path*=service:port,tls=secret`.

use super::{metadata, name};
use crate::cx::Cx;
use crate::error::Error;
use serde_json::{Value, json};

struct Rule {
    host: String,
    path: String,
    backend: Value,
    /// Whether TLS is wanted, and the secret.
    tls: Option<String>,
}

fn backend(text: &str) -> Value {
    let (service, port) = text.split_once(':').unwrap_or((text, ""));
    let port = match port.parse::<i64>() {
        Ok(n) => json!({"number": n}),
        Err(_) => json!({"name": port}),
    };
    json!({"service": {"name": service, "port": port}})
}

/// Models `ruleRegex`.
fn rule(text: &str) -> Option<Rule> {
    let (head, tls) = match text.split_once(',') {
        Some((h, t)) => (h, Some(t)),
        None => (text, None),
    };
    let (host, rest) = head.split_once('/')?;
    let (path, service) = rest.split_once('=')?;
    let (name, port) = service.split_once(':')?;
    if name.is_empty() || port.is_empty() || service.contains('=') || port.contains(':') {
        return None;
    }
    let tls = match tls {
        None => None,
        Some("tls") => Some(String::new()),
        Some(t) => t.strip_prefix("tls=").map(String::from),
    };
    Some(Rule { host: host.into(), path: format!("/{path}"), backend: backend(service), tls })
}

pub(super) fn ingress(cx: &Cx<'_, '_>) -> Result<Value, Error> {
    let name = name(cx)?;
    let (rules, default) = (cx.flags.list("rule"), cx.flags.string("default-backend"));
    if rules.is_empty() && default.is_empty() {
        return Err(Error::text(
            "not enough information provided: every ingress has to either specify a default-backend (which catches all \
             traffic) or a list of rules (which catch specific paths)",
        ));
    }
    let mut parsed = Vec::new();
    for text in &rules {
        parsed.push(rule(text).ok_or_else(|| {
            Error::text(format!(
                "rule {text} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]"
            ))
        })?);
    }
    let mut meta = metadata(cx, &name, true);
    for a in cx.flags.list("annotation") {
        let Some((k, v)) = a.split_once('=') else {
            return Err(Error::text(format!("annotation {a} is invalid and should be in format key=[value]")));
        };
        meta["annotations"][k] = v.into();
    }
    let mut spec = json!({});
    if !cx.flags.string("class").is_empty() {
        spec["ingressClassName"] = cx.flags.string("class").into();
    }
    if !default.is_empty() {
        if default.split(':').count() != 2 {
            return Err(Error::text("default-backend should be in format servicename:serviceport"));
        }
        spec["defaultBackend"] = backend(default);
    }
    let tls = tls(&parsed);
    if !tls.is_empty() {
        spec["tls"] = json!(tls);
    }
    let mut hosts: Vec<(String, Vec<Value>)> = Vec::new();
    for r in parsed {
        let (path, kind) = match r.path.strip_suffix('*') {
            Some(p) => (p.to_string(), "Prefix"),
            None => (r.path.clone(), "Exact"),
        };
        let path = json!({"backend": r.backend, "path": path, "pathType": kind});
        match hosts.iter_mut().find(|(h, _)| *h == r.host) {
            Some((_, paths)) => paths.push(path),
            None => hosts.push((r.host, vec![path])),
        }
    }
    let list: Vec<Value> = hosts
        .into_iter()
        .map(|(host, paths)| {
            let mut rule = json!({"http": {"paths": paths}});
            if !host.is_empty() {
                rule["host"] = host.into();
            }
            rule
        })
        .collect();
    if !list.is_empty() {
        spec["rules"] = json!(list);
    }
    Ok(json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": meta, "spec": spec,
        "status": {"loadBalancer": {}},
    }))
}

/// Each host once, hosts of one secret together.
fn tls(rules: &[Rule]) -> Vec<Value> {
    let (mut out, mut seen): (Vec<(String, Vec<String>)>, Vec<&str>) = (Vec::new(), Vec::new());
    for r in rules {
        let Some(secret) = &r.tls else { continue };
        if seen.contains(&r.host.as_str()) {
            continue;
        }
        seen.push(&r.host);
        match out.iter_mut().find(|(s, _)| s == secret) {
            Some((_, hosts)) => hosts.push(r.host.clone()),
            None if !r.host.is_empty() || !secret.is_empty() => {
                let hosts = if r.host.is_empty() { Vec::new() } else { vec![r.host.clone()] };
                out.push((secret.clone(), hosts));
            }
            None => {}
        }
    }
    out.into_iter()
        .map(|(secret, hosts)| {
            let mut t = json!({});
            if !hosts.is_empty() {
                t["hosts"] = json!(hosts);
            }
            if !secret.is_empty() {
                t["secretName"] = secret.into();
            }
            t
        })
        .collect()
}
