//! Services of words.

use super::{metadata, name};
use crate::cx::Cx;
use crate::error::Error;
use serde_json::{Value, json};

pub(crate) struct Port {
    pub port: i64,
    /// A number or a name.
    pub target: Value,
}

/// `80` or `80:8080`. Models `parsePorts`.
pub(crate) fn port_of(text: &str) -> Result<Port, Error> {
    let (port, target) = match text.split_once(':') {
        Some((p, t)) => (p, Some(t)),
        None => (text, None),
    };
    let number = |t: &str| {
        let n: i64 = t.parse().map_err(|_| Error::text(format!("strconv.Atoi: parsing {t:?}: invalid syntax")))?;
        if (1..=65535).contains(&n) { Ok(n) } else { Err(Error::text("must be between 1 and 65535, inclusive")) }
    };
    let bits = |why: &str| Error::text(format!("strconv.ParseUint: parsing {port:?}: {why}"));
    // 0 stands for a port that is set later.
    let port = match port.bytes().all(|b| b.is_ascii_digit()) && !port.is_empty() {
        true => i64::from(port.parse::<u16>().map_err(|_| bits("value out of range"))?),
        false => return Err(bits("invalid syntax")),
    };
    let target = match target {
        None => json!(port),
        Some(t) if t.parse::<i64>().is_ok() => json!(number(t)?),
        Some(t) => json!(t),
    };
    Ok(Port { port, target })
}

pub(super) fn service(cx: &Cx<'_, '_>) -> Result<Value, Error> {
    let name = name(cx)?;
    let kind = match cx.command.name() {
        "clusterip" => "ClusterIP",
        "nodeport" => "NodePort",
        "loadbalancer" => "LoadBalancer",
        _ => "ExternalName",
    };
    let tcp = cx.flags.list("tcp");
    let cluster_ip = if kind == "ClusterIP" { cx.flags.string("clusterip") } else { "" };
    if tcp.is_empty() && cluster_ip != "None" && kind != "ExternalName" {
        return Err(Error::text("at least one tcp port specifier must be provided"));
    }
    let mut ports = Vec::new();
    for t in &tcp {
        let p = port_of(t)?;
        let mut port = json!({"name": t.replace(':', "-"), "port": p.port, "protocol": "TCP", "targetPort": p.target});
        if kind == "NodePort" && cx.flags.int("node-port") != 0 {
            port["nodePort"] = cx.flags.int("node-port").into();
        }
        ports.push(port);
    }
    if kind == "ExternalName" {
        let external = cx.flags.string("external-name");
        if !meta::validate::dns1123_subdomain(external).is_empty() {
            return Err(Error::text(format!("invalid service external name {external}")));
        }
    }
    let mut meta = metadata(cx, &name, true);
    meta["labels"] = json!({"app": name});
    let mut spec = json!({"type": kind, "selector": {"app": name}});
    if !ports.is_empty() {
        spec["ports"] = json!(ports);
    }
    if !cluster_ip.is_empty() {
        spec["clusterIP"] = cluster_ip.into();
    }
    if kind == "ExternalName" {
        spec["externalName"] = cx.flags.string("external-name").into();
    }
    Ok(json!({
        "apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec, "status": {"loadBalancer": {}},
    }))
}
