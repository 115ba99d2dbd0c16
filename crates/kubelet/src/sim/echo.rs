//! Programs that answer with the request they got: echoserver and whoami.

use super::machine::Machine;
use super::net::{Response, Server as Asked};
use meta::Time;
use std::collections::BTreeMap;

/// Linux' range of ports for connections that go out (`ip_local_port_range`).
const EPHEMERAL: std::ops::Range<u16> = 32768..60999;
const NO_BODY: &str = "-no body in request-";

/// `10.244.0.5:45342`: a client's address and the port that it connects from.
pub fn remote(asked: &Asked, now: Time) -> String {
    let range = u64::from(EPHEMERAL.end - EPHEMERAL.start);
    format!("{}:{}", asked.from, u64::from(EPHEMERAL.start) + now.0 % range)
}

fn method(asked: &Asked) -> &str {
    if asked.said.method.is_empty() { "GET" } else { &asked.said.method }
}

/// The headers as nginx tells Lua of them: in lower case, by name.
fn headers(asked: &Asked) -> BTreeMap<String, &str> {
    let mut all = BTreeMap::from([("host".to_string(), asked.host.as_str())]);
    all.extend(asked.said.headers.iter().map(|(k, v)| (k.to_ascii_lowercase(), v.as_str())));
    all
}

fn body(asked: &Asked) -> &str {
    if asked.said.body.is_empty() { NO_BODY } else { &asked.said.body }
}

/// `registry.k8s.io/echoserver`; `old`: up to version 1.4.
pub fn echoserver(m: &Machine, asked: &Asked, port: u16, old: bool) -> Response {
    let (from, method, path) = (&asked.from, method(asked), &asked.path);
    let query = path.split_once('?').map_or("", |(_, q)| q);
    let host = asked.host.split(':').next().unwrap_or("");
    let list = |indent: &str| -> String {
        headers(asked).iter().map(|(name, value)| format!("{indent}{name}={value}\n")).collect()
    };
    if old {
        let query = if query.is_empty() { "nil" } else { query };
        return Response::new(
            200,
            format!(
                "CLIENT VALUES:\nclient_address={from}\ncommand={method}\nreal path={path}\nquery={query}\n\
                 request_version=1.1\nrequest_uri=http://{host}:{port}{path}\n\nSERVER VALUES:\n\
                 server_version=nginx: 1.10.0 - lua: 10001\n\nHEADERS RECEIVED:\n{}BODY:\n{}",
                list(""),
                body(asked)
            ),
        );
    }
    let environment = m.environment();
    let told = [
        ("NODE_NAME", "node name"),
        ("POD_NAME", "pod name"),
        ("POD_NAMESPACE", "pod namespace"),
        ("POD_IP", "pod IP"),
    ];
    let told = told.iter().filter_map(|(variable, what)| Some(format!("\t{what}:\t{}\n", environment.get(*variable)?)));
    let mut pod: String = told.collect();
    if pod.is_empty() {
        pod = "\t-no pod information available-\n".into();
    }
    let scheme = if port == 8443 { "https" } else { "http" };
    Response::new(
        200,
        format!(
            "\n\nHostname: {}\n\nPod Information:\n{pod}\nServer values:\n\tserver_version=nginx: 1.13.3 - lua: 10008\n\n\
             Request Information:\n\tclient_address={from}\n\tmethod={method}\n\treal path={path}\n\tquery={query}\n\
             \trequest_version=1.1\n\trequest_scheme={scheme}\n\trequest_uri={scheme}://{host}:{port}{path}\n\n\
             Request Headers:\n{}\nRequest Body:\n\t{}\n\n",
            m.spec.hostname,
            list("\t"),
            body(asked)
        ),
    )
}

/// `traefik/whoami`.
pub fn whoami(m: &Machine, asked: &Asked, now: Time) -> Response {
    let list: String = asked.said.headers.iter().map(|(k, v)| format!("{k}: {v}\n")).collect();
    Response::new(
        200,
        format!(
            "Hostname: {}\nIP: 127.0.0.1\nIP: {}\nRemoteAddr: {}\n{} {} HTTP/1.1\nHost: {}\n{list}\n",
            m.spec.hostname,
            m.spec.pod_ip,
            remote(asked, now),
            method(asked),
            asked.path,
            asked.host
        ),
    )
}

/// A query's parameters.
fn query(path: &str) -> serde_json::Value {
    let text = path.split_once('?').map_or("", |(_, q)| q);
    let pairs = text.split('&').filter(|p| !p.is_empty()).map(|p| p.split_once('=').unwrap_or((p, "")));
    pairs.map(|(k, v)| (k.to_string(), v.into())).collect::<serde_json::Map<_, _>>().into()
}

/// `ealen/echo-server` and `mendhak/http-https-echo`: what Express says of the request.
pub fn json(m: &Machine, asked: &Asked, ealen: bool) -> Response {
    let secure = matches!(asked.wire, network::Wire::Tls { .. });
    let protocol = if secure { "https" } else { "http" };
    let host = asked.host.split(':').next().unwrap_or("");
    let ip = format!("::ffff:{}", asked.from);
    let (path, method) = (asked.path.split('?').next().unwrap_or("/"), method(asked));
    let text = asked.said.body.as_str();
    let parsed = serde_json::from_str::<serde_json::Value>(text).ok();
    let body = if ealen {
        let environment: serde_json::Map<_, _> = m.environment().into_iter().map(|(k, v)| (k, v.into())).collect();
        serde_json::json!({
            "host": { "hostname": host, "ip": ip, "ips": [] },
            "http": { "method": method, "baseUrl": "", "originalUrl": asked.path, "protocol": protocol },
            "request": {
                "params": { "0": path },
                "query": query(&asked.path),
                "cookies": {},
                "body": parsed.unwrap_or_else(|| serde_json::json!({})),
                "headers": headers(asked),
            },
            "environment": environment,
        })
        .to_string()
    } else {
        let mut all = serde_json::json!({
            "path": path,
            "headers": headers(asked),
            "method": method,
            "body": text,
            "fresh": false,
            "hostname": host,
            "ip": ip,
            "ips": [],
            "protocol": protocol,
            "query": query(&asked.path),
            "subdomains": [],
            "xhr": false,
            "os": { "hostname": m.spec.hostname },
            "connection": {},
        });
        if let Some(parsed) = parsed {
            all["json"] = parsed;
        }
        format!("{all:#}")
    };
    let kind = ("Content-Type".to_string(), "application/json; charset=utf-8".to_string());
    let length = ("Content-Length".to_string(), body.len().to_string());
    Response { headers: vec![kind, length], ..Response::new(200, body) }
}
