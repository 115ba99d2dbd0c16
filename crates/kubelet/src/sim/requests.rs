//! What servers write of the requests that they answer.

use super::catalogue::{Http, Server};
use super::echo;
use super::machine::Machine;
use super::net::Server as Asked;
use super::programs::clock;
use meta::{Duration, Time};

/// A server's words before it begins, with what it fills in: `{host}`, `{ip}`, and the time as it writes it.
pub fn filled(line: &str, m: &Machine, now: Time) -> String {
    let micros = now.as_micros() % 1_000_000;
    variables(line, m)
        .replace("{host}", &m.spec.hostname)
        .replace("{ip}", &m.spec.pod_ip)
        .replace("{iso}", &clock::format(now, "%Y-%m-%dT%H:%M:%S.000Z"))
        .replace("{now}", &clock::format(now, "%Y-%m-%dT%H:%M:%SZ"))
        .replace("{apache}", &format!("[{}.{micros:06} {}]", clock::format(now, "%a %b %d %H:%M:%S"), year(now)))
        .replace("{postgres}", &format!("{}.{:03} UTC [1]", clock::format(now, "%F %T"), micros / 1000))
        .replace("{go}", &clock::format(now, "%Y/%m/%d %H:%M:%S"))
        .replace("{klog}", &klog(now))
}

/// A page with what the pod and the request give it: `{host}`, `{namespace}`, the client's address `{from}` and with
/// its port `{remote}`, `{path}`, `{method}`, `{agent}`, the host that was `{asked}`, and variables of the
/// environment; `{env}` alone is all of them.
pub fn page(body: &str, m: &Machine, asked: &Asked, now: Time) -> String {
    if body == "{env}" {
        return serde_json::to_string(&m.environment()).unwrap_or_default();
    }
    variables(body, m)
        .replace("{host}", &m.spec.hostname)
        .replace("{namespace}", &m.spec.namespace)
        .replace("{from}", &asked.from)
        .replace("{remote}", &echo::remote(asked, now))
        .replace("{path}", &asked.path)
        .replace("{method}", if asked.said.method.is_empty() { "GET" } else { &asked.said.method })
        .replace("{agent}", asked.said.header("User-Agent"))
        .replace("{asked}", &asked.host)
}

/// `{$NAME|words}` is the variable's value, or the words when it is empty or not set.
fn variables(text: &str, m: &Machine) -> String {
    if !text.contains("{$") {
        return text.into();
    }
    let (env, mut filled, mut rest) = (m.environment(), String::new(), text);
    while let Some((before, (inside, after))) = rest.split_once("{$").and_then(|(b, a)| Some((b, a.split_once('}')?))) {
        let (name, otherwise) = inside.split_once('|').unwrap_or((inside, ""));
        filled.push_str(before);
        filled.push_str(env.get(name).filter(|v| !v.is_empty()).map_or(otherwise, String::as_str));
        rest = after;
    }
    filled + rest
}

/// The head of klog's lines up to the process: `I1129 03:02:01.000123       1`.
pub fn klog(now: Time) -> String {
    format!("I{}.{:06}       1", clock::format(now, "%m%d %H:%M:%S"), now.as_micros() % 1_000_000)
}

fn year(now: Time) -> String {
    clock::format(now, "%Y")
}

/// The line for a request, of those servers whose lines are known.
pub fn line(
    m: &Machine,
    (server, argv, since): (&Server, &[String], Time),
    asked: &Asked,
    (status, bytes): (u16, usize),
    now: Time,
) -> Option<String> {
    let method = if asked.said.method.is_empty() { "GET" } else { &asked.said.method };
    let from = if asked.from.is_empty() { "-" } else { &asked.from };
    let request = format!("{method} {} HTTP/1.1", asked.path);
    let bytes = if bytes == 0 { "-".to_string() } else { bytes.to_string() };
    Some(match (server.program, server.http) {
        // `LogFormat common` of the image's httpd.conf.
        ("httpd", _) => {
            format!("{from} - - [{}] \"{request}\" {status} {bytes}", clock::format(now, "%d/%b/%Y:%H:%M:%S +0000"))
        }
        // The PHP images' `combined`.
        ("apache2-foreground", _) => {
            let or = |v: &str| if v.is_empty() { "-".to_string() } else { v.to_string() };
            format!(
                "{from} - - [{}] \"{request}\" {status} {bytes} \"{}\" \"{}\"",
                clock::format(now, "%d/%b/%Y:%H:%M:%S +0000"),
                or(asked.said.header("Referer")),
                or(asked.said.header("User-Agent"))
            )
        }
        ("python3", Http::Files(_)) => {
            format!("{from} - - [{}] \"{request}\" {status} -", clock::format(now, "%d/%b/%Y %H:%M:%S"))
        }
        ("bootcamp", _) => format!(
            "Running On: {} | Total Requests: {} | App Uptime: {} seconds | Log Time: {}",
            m.spec.hostname,
            m.requests,
            seconds(now.since(since)),
            clock::format(now, "%Y-%m-%dT%H:%M:%S.000Z")
        ),
        // Kiada, from its version 0.5 on with the time in front.
        ("node", _) if server.log.first().is_some_and(|l| l.contains("Kiada - ")) => {
            let dated = server.log.first().is_some_and(|l| l.starts_with("{iso}"));
            let time = if dated { clock::format(now, "%Y-%m-%dT%H:%M:%S.000Z ") } else { String::new() };
            format!("{time}Received request for {} from ::ffff:{from}", asked.path)
        }
        ("/webcolor", _) => {
            format!(
                "{} {method} {} HTTP/1.1 [{}]",
                echo::remote(asked, now),
                asked.path,
                asked.said.header("User-Agent")
            )
        }
        (_, Http::Agnhost) if argv.get(1).is_some_and(|a| a == "netexec") => {
            format!("{} {}", clock::format(now, "%Y/%m/%d %H:%M:%S"), netexec(asked)?)
        }
        _ => return None,
    })
}

/// As test/images/agnhost/netexec/netexec.go words it.
fn netexec(asked: &Asked) -> Option<String> {
    let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
    let value = |name: &str| {
        let mut pairs = query.split('&').filter_map(|p| p.split_once('='));
        pairs.find(|(k, _)| *k == name).map_or("", |(_, v)| v)
    };
    Some(match path {
        "/echo" => format!("GET /echo?msg={}&code={}", value("msg"), value("code")),
        "/exit" => format!("GET /exit?code={}&timeout={}&wait={}", value("code"), value("timeout"), value("wait")),
        "/clientip" | "/hostname" | "/hostName" | "/healthz" | "/shutdown" => format!("GET {path}"),
        "/" => "GET /".into(),
        _ => return None,
    })
}

fn seconds(d: Duration) -> String {
    let ms = d.as_millis();
    format!("{}.{:03}", ms / 1000, ms % 1000)
}
