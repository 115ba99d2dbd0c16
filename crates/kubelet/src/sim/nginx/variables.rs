//! nginx' variables, as far as something here has their values.

use super::parse::Directive;
use crate::sim::machine::Machine;
use crate::sim::net::Server as Asked;
use crate::sim::{echo, programs};
use meta::Time;

/// What is known of a request when a text is expanded.
pub struct Request<'a> {
    pub m: &'a Machine,
    pub asked: &'a Asked,
    pub server: Option<&'a Directive>,
    /// The path as rewritten so far, without the query.
    pub uri: &'a str,
    /// Set by `set`.
    pub set: &'a [(String, String)],
    pub now: Time,
    /// What it was answered, when that is known.
    pub status: u16,
    pub bytes: usize,
}

impl Request<'_> {
    /// `$name` and `${name}` in a text; `none` stands for what has no value.
    pub fn expand(&self, text: &str, none: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            out.push_str(&rest[..at]);
            let after = &rest[at + 1..];
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let (name, left) = match after.strip_prefix('{').and_then(|a| a.split_once('}')) {
                Some((name, left)) => (name, left),
                None => after.split_at(after.find(|c| !is_name(c)).unwrap_or(after.len())),
            };
            match self.value(name) {
                _ if name.is_empty() => out.push('$'),
                Some(v) if !v.is_empty() => out.push_str(&v),
                _ => out.push_str(none),
            }
            rest = left;
        }
        out.push_str(rest);
        out
    }

    fn value(&self, name: &str) -> Option<String> {
        if let Some((_, v)) = self.set.iter().rev().find(|(k, _)| k == name) {
            return Some(v.clone());
        }
        let asked = self.asked;
        let query = asked.path.split_once('?').map_or("", |(_, q)| q);
        let date = |format: &str| programs::clock::format(self.now, format);
        let host = || {
            let host = asked.host.rsplit_once(':').map_or(asked.host.as_str(), |(h, _)| h);
            if host.is_empty() { self.server_name() } else { host.to_ascii_lowercase() }
        };
        let method = || if asked.said.method.is_empty() { "GET" } else { &asked.said.method }.to_string();
        let header = |name: &str| Some(asked.said.header(name)).filter(|v| !v.is_empty()).map(String::from);
        Some(match name {
            "remote_addr" => asked.from.clone(),
            "remote_port" => echo::remote(asked, self.now).rsplit(':').next()?.to_string(),
            "time_local" => date("%d/%b/%Y:%H:%M:%S +0000"),
            "time_iso8601" => date("%Y-%m-%dT%H:%M:%S+00:00"),
            "msec" => format!("{}.{:03}", self.now.as_secs(), self.now.as_micros() / 1000 % 1000),
            "request" => format!("{} {} HTTP/1.1", method(), asked.path),
            "request_method" => method(),
            "request_uri" => asked.path.clone(),
            "uri" | "document_uri" => self.uri.into(),
            "args" | "query_string" => query.into(),
            "is_args" => if query.is_empty() { "" } else { "?" }.into(),
            "status" => self.status.to_string(),
            "body_bytes_sent" => self.bytes.to_string(),
            "request_time" => "0.000".into(),
            "request_body" => asked.said.body.clone(),
            "scheme" => if matches!(asked.wire, network::Wire::Tls { .. }) { "https" } else { "http" }.into(),
            "host" => host(),
            "http_host" => asked.host.clone(),
            "hostname" => self.m.spec.hostname.clone(),
            "server_addr" => self.m.spec.pod_ip.clone(),
            "server_port" => asked.port.to_string(),
            "server_name" => self.server_name(),
            "server_protocol" => "HTTP/1.1".into(),
            "nginx_version" => programs::nginx::version(&self.m.spec.image),
            "proxy_add_x_forwarded_for" => match header("X-Forwarded-For") {
                Some(before) => format!("{before}, {}", asked.from),
                None => asked.from.clone(),
            },
            _ => {
                if let Some(argument) = name.strip_prefix("arg_") {
                    let mut pairs = query.split('&').filter_map(|p| p.split_once('='));
                    return pairs.find(|(k, _)| k.eq_ignore_ascii_case(argument)).map(|(_, v)| v.to_string());
                }
                return header(&name.strip_prefix("http_")?.replace('_', "-"));
            }
        })
    }

    fn server_name(&self) -> String {
        self.server.and_then(|s| s.inside("server_name").next()).map_or(String::new(), |d| d.arg(0).into())
    }
}
