//! httpbin, in Python and in Go: what requests say, as JSON, and answers that are asked for. Models
//! `mccutchen/go-httpbin` (`httpbin/handlers.go`) and `postmanlabs/httpbin` (`httpbin/core.py`).

use super::machine::Machine;
use super::net::{Response, Server as Asked};
use meta::Duration;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The longest delay.
const DELAY_MAX: Duration = Duration::from_secs(10);
const TEAPOT: &str = "\n    -=[ teapot ]=-\n\n       _...._\n     .'  _ _ `.\n    | .\"` ^ `\". _,\n    \\_;`\"---\"`|//\n      \
    |       ;/\n      \\_     _/\n        `\"\"\"`\n";

/// How long the answer takes beside the work: `/delay/N`.
pub fn delay(path: &str) -> Duration {
    let seconds = path.split('?').next().and_then(|p| p.strip_prefix("/delay/")).map(|n| n.trim_end_matches('s'));
    let micros = seconds.and_then(|n| n.parse::<f64>().ok()).map_or(0.0, |n| n.clamp(0.0, 10.0) * 1e6);
    // Whole and not negative.
    Duration(micros as u64).min(DELAY_MAX)
}

/// `X-Forwarded-For`, however it was written.
fn canonical(name: &str) -> String {
    let word = |w: &str| {
        let (first, rest) = w.split_at(w.chars().next().map_or(0, char::len_utf8));
        format!("{}{}", first.to_ascii_uppercase(), rest.to_ascii_lowercase())
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

/// `a=1&b=2`, decoded.
fn pairs(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (k, v) in text.split('&').filter(|p| !p.is_empty()).map(|p| p.split_once('=').unwrap_or((p, ""))) {
        all.entry(decoded(k)).or_default().push(decoded(v));
    }
    all
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while let Some(b) = bytes.get(i) {
        let hex = text.get(i + 1..i + 3).and_then(|h| u8::from_str_radix(h, 16).ok());
        match (b, hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                i += 2;
            }
            (b'+', _) => out.push(b' '),
            _ => out.push(*b),
        }
        i += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// One request, in the words of one of the two programs.
struct Seen<'a> {
    asked: &'a Asked,
    go: bool,
}

impl Seen<'_> {
    /// Several values of a name: Go's is always a list of them.
    fn values(&self, all: BTreeMap<String, Vec<String>>) -> Value {
        let one = |(k, v): (String, Vec<String>)| match (self.go, v.as_slice()) {
            (false, [only]) => (k, json!(only)),
            _ => (k, json!(v)),
        };
        Value::Object(all.into_iter().map(one).collect())
    }
    fn headers(&self) -> Value {
        let mut all = BTreeMap::from([("Host".to_string(), vec![self.asked.host.clone()])]);
        for (name, value) in &self.asked.said.headers {
            all.entry(canonical(name)).or_default().push(value.clone());
        }
        self.values(all)
    }
    fn origin(&self) -> String {
        let forwarded = self.asked.said.header("X-Forwarded-For");
        match forwarded.split(',').next().map(str::trim) {
            Some(first) if !first.is_empty() => first.into(),
            _ => self.asked.from.clone(),
        }
    }
    fn url(&self, path: &str) -> String {
        let scheme = Some(self.asked.said.header("X-Forwarded-Proto")).filter(|s| !s.is_empty()).unwrap_or("http");
        format!("{scheme}://{}{path}", self.asked.host)
    }
    fn method(&self) -> &str {
        if self.asked.said.method.is_empty() { "GET" } else { &self.asked.said.method }
    }
    /// What was sent: as it is, as a form, as JSON.
    fn sent(&self) -> (Value, Value, Value) {
        let body = self.asked.said.body.as_str();
        let kind = self.asked.said.header("Content-Type").split(';').next().unwrap_or("").trim();
        let form = if kind == "application/x-www-form-urlencoded" { pairs(body) } else { BTreeMap::new() };
        let parsed =
            if kind == "application/json" { serde_json::from_str(body).unwrap_or_default() } else { Value::Null };
        // The Python program keeps a form out of the data.
        let data = if !self.go && !form.is_empty() { "" } else { body };
        (json!(data), self.values(form), parsed)
    }
    fn whole(&self, with_body: bool) -> Response {
        let query = self.asked.path.split_once('?').map_or("", |(_, q)| q);
        let (args, headers) = (self.values(pairs(query)), self.headers());
        let (method, origin, url) = (json!(self.method()), json!(self.origin()), json!(self.url(&self.asked.path)));
        let (data, form, parsed) = self.sent();
        let fields = match (self.go, with_body) {
            (true, false) => {
                vec![("args", args), ("headers", headers), ("method", method), ("origin", origin), ("url", url)]
            }
            (true, true) => vec![
                ("args", args),
                ("headers", headers),
                ("method", method),
                ("origin", origin),
                ("url", url),
                ("data", data),
                ("files", json!({})),
                ("form", form),
                ("json", parsed),
            ],
            (false, false) => vec![("args", args), ("headers", headers), ("origin", origin), ("url", url)],
            (false, true) => {
                let mut fields = vec![
                    ("args", args),
                    ("data", data),
                    ("files", json!({})),
                    ("form", form),
                    ("headers", headers),
                    ("json", parsed),
                    ("origin", origin),
                    ("url", url),
                ];
                if self.asked.path.starts_with("/anything") {
                    fields.insert(6, ("method", method));
                }
                fields
            }
        };
        object(200, &fields)
    }
}

/// An object with its fields in this order, indented by two.
fn object(status: u16, fields: &[(&str, Value)]) -> Response {
    let one = |(k, v): &(&str, Value)| {
        let v = serde_json::to_string_pretty(v).unwrap_or_default().replace('\n', "\n  ");
        format!("  {k:?}: {v}")
    };
    Response::new(status, format!("{{\n{}\n}}\n", fields.iter().map(one).collect::<Vec<_>>().join(",\n")))
}

fn not_found(go: bool) -> Response {
    if go {
        return object(404, &[("status_code", json!(404)), ("error", json!("Not Found"))]);
    }
    Response::new(
        404,
        "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 3.2 Final//EN\">\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n\
         <p>The requested URL was not found on the server.  If you entered the URL manually please check your spelling \
         and try again.</p>\n",
    )
}

fn status(go: bool, code: &str) -> Response {
    // Of several the first, without a draw.
    let code = code.split([',', ':']).next().unwrap_or("");
    match code.parse::<u16>() {
        Ok(code @ (301..=303 | 305 | 307)) => {
            Response { location: Some("/redirect/1".into()), ..Response::new(code, "") }
        }
        Ok(418) => Response::new(418, if go { "I'm a teapot!" } else { TEAPOT }),
        Ok(code @ 100..=599) => Response::new(code, ""),
        _ if go => {
            let detail = format!("invalid status code: {code} not in range [100, 599]");
            let fields = [("status_code", json!(400)), ("error", json!("Bad Request")), ("detail", json!(detail))];
            object(400, &fields)
        }
        _ => Response::new(400, "Invalid status code"),
    }
}

/// The answer to a request; `go`: of the program in Go.
pub fn reply(m: &Machine, asked: &Asked, go: bool) -> Response {
    let seen = Seen { asked, go };
    let path = asked.path.split('?').next().unwrap_or("/");
    let mut parts = path.trim_start_matches('/').splitn(2, '/');
    let (first, rest) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let takes = |method: &str| seen.method().eq_ignore_ascii_case(method);
    match first {
        "" => Response::new(200, format!("<title>{}</title>\n", if go { "go-httpbin" } else { "httpbin.org" })),
        "get" | "head" if takes("GET") || takes("HEAD") => seen.whole(false),
        "post" | "put" | "patch" | "delete" if takes(first) => seen.whole(true),
        "get" | "head" | "post" | "put" | "patch" | "delete" if go => {
            object(405, &[("status_code", json!(405)), ("error", json!("Method Not Allowed"))])
        }
        "get" | "post" | "put" | "patch" | "delete" => Response::new(405, "Method Not Allowed\n"),
        "anything" | "delay" => seen.whole(true),
        "headers" => object(200, &[("headers", seen.headers())]),
        "ip" => object(200, &[("origin", json!(seen.origin()))]),
        "user-agent" => object(200, &[("user-agent", json!(asked.said.header("User-Agent")))]),
        "hostname" if go => object(200, &[("hostname", json!(m.spec.hostname))]),
        "status" => status(go, rest),
        "redirect" | "relative-redirect" => {
            let left = rest.parse::<u32>().unwrap_or(1).saturating_sub(1);
            let to = if left == 0 { "/get".into() } else { format!("/relative-redirect/{left}") };
            Response { location: Some(to), ..Response::new(302, "") }
        }
        _ => not_found(go),
    }
}
