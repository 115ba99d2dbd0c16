//! What the node's listening containers answer.

use super::Containers;
use super::catalogue::{Http, Server};
use super::fs::{Volumes, normalize};
use super::machine::Machine;
use super::net::{NetError, Response, Sent, Served, Server as Asked};
use super::parts::{COMPONENT_PORTS, NAMESPACE};
use super::{echo, httpbin, nginx, requests};
use crate::pod::images::ImageRef;
use crate::runtime::ContainerId;
use meta::{Duration, Time};
use network::{Wire, gateway};
use std::sync::Arc;

/// The container of the node that has `ip` and listens at `port` at `now`.
fn find<'a>(
    containers: &'a Containers,
    own: Option<&'a Machine>,
    ip: &str,
    port: u16,
    now: Time,
) -> Result<(&'a Machine, &'static Server, &'a [String], Time), NetError> {
    let mut known = false;
    for m in own.into_iter().chain(containers.values().filter_map(|c| c.machine.as_ref())) {
        if m.spec.pod_ip != ip || m.exit.is_some() {
            continue;
        }
        known = true;
        if let Some((_, s, argv, since)) = m.listeners().find(|(p, _, _, since)| *p == port && *since <= now) {
            return Ok((m, s, argv, since));
        }
    }
    Err(if known { NetError::Refused } else { NetError::Unreachable })
}

/// # Errors
/// Why there is no connection.
pub fn connect(containers: &Containers, own: Option<&Machine>, ip: &str, port: u16, now: Time) -> Result<(), NetError> {
    find(containers, own, ip, port, now).map(|_| ())
}

/// Ports on which the programs that listen there from the start speak TLS.
const TLS_PORTS: [u16; 10] = [443, 2746, 4443, 6443, 8443, 9443, 10250, 10257, 10258, 10259];

/// Whether who listens there speaks TLS.
pub fn speaks_tls(containers: &Containers, ip: &str, port: u16, now: Time) -> bool {
    let found = find(containers, None, ip, port, now);
    found.is_ok_and(|(m, server, argv, _)| is_secure(m, server, argv, port))
}

fn is_secure(m: &Machine, server: &Server, argv: &[String], port: u16) -> bool {
    if nginx::is(server) {
        return m.nginx.as_ref().is_some_and(|n| n.speaks_tls(port));
    }
    let secure = || argv.iter().any(|a| a.strip_prefix("--secure-port=").is_some_and(|p| p == port.to_string()));
    server.ports.contains(&port) && TLS_PORTS.contains(&port) || secure()
}

/// Whether the answer is for the cluster to give, because a process of it is asked.
pub fn is_of_cluster(containers: &Containers, asked: &Asked, now: Time) -> bool {
    let Some((process, _)) = COMPONENT_PORTS.iter().find(|(_, port)| *port == asked.port) else { return false };
    let found = find(containers, None, &asked.ip, asked.port, now);
    found.is_ok_and(|(m, server, ..)| m.spec.namespace == NAMESPACE && server.program == *process)
}

/// Who listens: container and program.
pub fn listener(containers: &Containers, ip: &str, port: u16, now: Time) -> Option<(String, String)> {
    let (m, server, ..) = find(containers, None, ip, port, now).ok()?;
    Some((m.spec.id.container.to_string(), server.program.trim_start_matches('/').to_string()))
}

/// # Errors
/// Why there is no answer.
pub fn http(
    containers: &Containers,
    own: Option<&Machine>,
    volumes: &Volumes,
    asked: &Asked,
    now: Time,
) -> Result<Served, NetError> {
    let (m, server, argv, since) = find(containers, own, &asked.ip, asked.port, now)?;
    let secure = || is_secure(m, server, argv, asked.port);
    let response = match asked.wire {
        Wire::Tls { .. } if !secure() => return Err(NetError::NotTls),
        Wire::Tls { insecure: false } => return Err(NetError::Untrusted),
        Wire::Plain if secure() && server.program == "nginx" => gateway::page(400),
        // Go's server, as most are.
        Wire::Plain if secure() => Response::new(400, network::PLAIN_TO_TLS),
        _ => respond(m, server, argv, since, volumes, asked, now)?,
    };
    let work = server.work();
    let late = if matches!(server.http, Http::Bin { .. }) { httpbin::delay(&asked.path) } else { Duration::ZERO };
    Ok(Served { response, work, done: m.meter.done_at(now, work, m.spec.cpu_limit_milli) + late })
}

/// The container that listens there takes a request on; which one it is.
pub fn serve(containers: &mut Containers, volumes: &mut Volumes, sent: &Sent) -> Option<ContainerId> {
    let asked = &sent.asked;
    let (id, m) = listening(containers, asked)?;
    m.serve(sent.at, sent.work);
    let called = m.listeners().find(|(p, ..)| *p == asked.port).map(|(_, server, argv, _)| (server, argv));
    let leaves = called.and_then(|(server, argv)| told_to_exit(server, argv, &asked.path));
    note(m, volumes, sent);
    if let Some((code, after)) = leaves {
        m.leave(asked.port, code, sent.at + after);
    }
    Some(id)
}

/// What a server writes of a request that it answered.
pub fn note(m: &mut Machine, volumes: &mut Volumes, sent: &Sent) {
    let asked = &sent.asked;
    let Some(answered) = sent.answered else { return };
    m.requests += 1;
    let Some((_, server, argv, since)) = m.listeners().find(|(p, ..)| *p == asked.port) else { return };
    if !nginx::is(server) {
        if let Some(line) = requests::line(m, (server, argv, since), asked, answered, sent.at) {
            m.print_request(sent.at, format!("{line}\n").as_bytes());
        }
        return;
    }
    let complains = answered.0 >= 400 && !is_plain_to_tls(m, asked);
    let live = m.nginx.as_ref().filter(|_| complains);
    let complaint = live.and_then(|live| nginx::answer::answer(live, m, volumes, asked, sent.at).1);
    nginx::log::note(m, volumes, asked, answered, complaint.as_deref(), sent.at);
}

/// A server that asked another one has its answer.
pub fn handed_on(containers: &mut Containers, volumes: &mut Volumes, asked: &Asked, answered: (u16, usize), now: Time) {
    if let Some((_, m)) = listening(containers, asked) {
        m.requests += 1;
        m.handed_on += 1;
        nginx::log::note(m, volumes, asked, answered, None, now);
    }
}

fn listening<'a>(containers: &'a mut Containers, asked: &Asked) -> Option<(ContainerId, &'a mut Machine)> {
    let listens =
        |m: &Machine| m.spec.pod_ip == asked.ip && m.exit.is_none() && m.listeners().any(|(p, ..)| p == asked.port);
    let (id, c) = containers.iter_mut().find(|(_, c)| c.machine.as_ref().is_some_and(listens))?;
    Some((id.clone(), Arc::make_mut(c).machine.as_mut()?))
}

fn is_plain_to_tls(m: &Machine, asked: &Asked) -> bool {
    asked.wire == Wire::Plain && m.nginx.as_ref().is_some_and(|n| n.speaks_tls(asked.port))
}

fn respond(
    m: &Machine,
    server: &Server,
    argv: &[String],
    since: Time,
    volumes: &Volumes,
    asked: &Asked,
    now: Time,
) -> Result<Response, NetError> {
    let ok = |body: String| Ok(Response::new(200, body));
    let port = asked.port;
    let path = asked.path.split('?').next().unwrap_or("/");
    match server.http {
        Http::No | Http::Grpc => Err(NetError::NotHttp),
        Http::Healthz if path == "/healthz" => ok("ok".into()),
        Http::Healthz => Ok(Response::new(404, "default backend - 404")),
        Http::Status(status) => Ok(Response::new(status, "")),
        Http::Always(body) => ok(format!("{}\n", requests::page(body, m, asked, now))),
        Http::EchoServer => {
            let tag = ImageRef::parse(&m.spec.image).map(|r| r.tag).unwrap_or_default();
            Ok(echo::echoserver(m, asked, port, matches!(tag.as_str(), "1.0" | "1.1" | "1.2" | "1.3" | "1.4")))
        }
        Http::EchoJson { ealen } => Ok(echo::json(m, asked, ealen)),
        Http::Whoami => Ok(echo::whoami(m, asked, now)),
        Http::Bin { go } => Ok(httpbin::reply(m, asked, go)),
        Http::Hostname => ok(format!("{}\n", m.spec.hostname)),
        Http::Hello(version) => ok(format!("Hello, world!\nVersion: {version}\nHostname: {}\n", m.spec.hostname)),
        Http::Echo if path == "/health" => ok("{\"status\":\"ok\"}\n".into()),
        Http::Echo => {
            let said = argv.iter().find_map(|a| a.trim_start_matches('-').strip_prefix("text="));
            let text = said.map(String::from).or_else(|| m.environment().remove("ECHO_TEXT"));
            ok(format!("{}\n", text.as_deref().unwrap_or("hello-world")))
        }
        Http::Given => m.given(port).and_then(as_http).ok_or(NetError::NotHttp),
        Http::Agnhost => agnhost(m, argv, asked, now, now.since(since)),
        Http::Files(_) if nginx::is(server) => {
            let live = m.nginx.as_ref().ok_or(NetError::Refused)?;
            Ok(nginx::answer::answer(live, m, volumes, asked, now).0)
        }
        Http::Files(root) => {
            let mut file = normalize("/", &format!("{root}{path}"));
            if m.fs.is_dir(&file, volumes) {
                file = format!("{file}/index.html");
            }
            match m.fs.read(&file, volumes) {
                Ok(data) => ok(String::from_utf8_lossy(&data).into_owned()),
                Err(_) => Ok(Response::new(404, "<h1>404 Not Found</h1>\n")),
            }
        }
    }
}

/// The value of `name` in a path's query.
fn parameter<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    let (_, query) = path.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

/// A response that somebody wrote by hand.
fn as_http(text: &[u8]) -> Option<Response> {
    let text = String::from_utf8_lossy(text).replace("\r\n", "\n");
    let (head, body) = text.split_once("\n\n").unwrap_or((text.as_str(), ""));
    let mut lines = head.lines();
    let mut status = lines.next()?.strip_prefix("HTTP/")?.split(' ');
    let mut response = Response::new(status.nth(1)?.parse().ok()?, body);
    for (name, value) in lines.filter_map(|l| l.split_once(':')) {
        match name.to_ascii_lowercase().as_str() {
            "content-length" => {
                let length: usize = value.trim().parse().ok()?;
                response.body = body.get(..length).unwrap_or(body).into();
            }
            "location" => response.location = Some(value.trim().into()),
            _ => {}
        }
    }
    Some(response)
}

/// Who ends after this request: with what code, how long after the answer. `nc -l` does unless it keeps on (`-k`), and
/// `agnhost netexec` when it is asked to, as test/images/agnhost/netexec/netexec.go exitHandler does.
fn told_to_exit(server: &Server, argv: &[String], path: &str) -> Option<(i32, Duration)> {
    if server.http == Http::Given {
        let keeps_on = argv.iter().skip(1).any(|a| a.starts_with('-') && a.contains('k'));
        return (!keeps_on).then_some((0, Duration::from_millis(1)));
    }
    let is_netexec = server.http == Http::Agnhost && argv.get(1).is_some_and(|a| a == "netexec");
    let code = match path.split('?').next() {
        Some("/exit") if is_netexec => parameter(path, "code").map_or(Some(0), |c| c.parse().ok())?,
        Some("/shutdown") if is_netexec => 0,
        _ => return None,
    };
    // The server waits for whom it still answers, which takes no time here.
    let wait = parameter(path, "wait").and_then(|w| w.strip_suffix('s')?.parse().ok()).unwrap_or(0);
    Some((code, Duration::from_secs(wait) + Duration::from_millis(5)))
}

/// `agnhost liveness` is well for ten seconds; the other subcommands answer always.
fn agnhost(m: &Machine, argv: &[String], asked: &Asked, now: Time, up: Duration) -> Result<Response, NetError> {
    let whole = asked.path.as_str();
    let path = whole.split('?').next().unwrap_or("/");
    let sub = argv.get(1).map_or("", String::as_str);
    let ok = |body: String| Ok(Response::new(200, body));
    let is_liveness = sub == "liveness" || argv.first().is_some_and(|a| a == "/server");
    match (sub, path) {
        _ if is_liveness && up > Duration::from_secs(10) => {
            Ok(Response::new(500, format!("error: {}", up.go_string())))
        }
        _ if is_liveness => ok("ok".into()),
        ("pause", _) => Err(NetError::NotHttp),
        (_, "/hostname") => ok(m.spec.hostname.clone()),
        (_, "/healthz" | "/readyz") => ok("ok".into()),
        ("serve-hostname", _) => ok(format!("{}\n", m.spec.hostname)),
        ("netexec", "/hostName") => ok(m.spec.hostname.clone()),
        ("netexec", "/echo") => {
            let status = parameter(whole, "code").and_then(|c| c.parse().ok()).unwrap_or(200);
            Ok(Response::new(status, parameter(whole, "msg").unwrap_or_default()))
        }
        ("netexec", "/clientip") => ok(echo::remote(asked, now)),
        ("netexec", "/header") => ok(asked.said.header(parameter(whole, "key").unwrap_or_default()).into()),
        ("netexec", "/") => ok(format!("NOW: {}", m.started)),
        _ => ok(String::new()),
    }
}
