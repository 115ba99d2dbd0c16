//! Programs that reach out. They find the node's own pods, and whatever the cluster's network lends them.

use super::{Io, Late, Outcome, Running, after};
use crate::sim::net::{NetError, Sent, Served};
use crate::sim::server;
use meta::{Duration, Time};

/// How long a packet to nowhere is waited for.
const DIAL_TIMEOUT: Duration = Duration::from_secs(5);
/// An answer that takes no longer is there at once.
const AT_ONCE: Duration = Duration::from_millis(1);

/// Scheme, host, port and path of a URL.
fn parse_url(url: &str) -> (String, String, u16, String) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let (authority, path) = match rest.find('/') {
        Some(i) => (&rest[..i], &rest[i..]),
        None => (rest, "/"),
    };
    let default = if scheme == "https" { 443 } else { 80 };
    let (host, port) = match authority.rsplit_once(':') {
        Some((h, p)) => (h, p.parse().unwrap_or(default)),
        None => (authority, default),
    };
    (scheme.into(), host.into(), port, path.into())
}

fn resolve(io: &Io, host: &str) -> Vec<String> {
    if host == "localhost" || host == io.m.spec.hostname || host.starts_with("127.") {
        return vec![io.m.spec.pod_ip.clone()];
    }
    if host.split('.').count() == 4 && host.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return vec![host.into()];
    }
    // A name server that does not answer knows nothing.
    let network = io.world.network.filter(|n| n.allows_names(&io.m.spec.pod_ip));
    network.map(|n| n.resolve(&io.m.spec.namespace, host)).unwrap_or_default()
}

/// Where a connection to `host` ends: an address, or behind a Service's address one of its endpoints.
fn reach(io: &Io, host: &str, port: u16) -> Result<(String, u16), NetError> {
    let ip = resolve(io, host).into_iter().next().ok_or(NetError::NoSuchHost)?;
    let Some(network) = io.world.network else { return Ok((ip, port)) };
    let (ip, port) = network.route(&ip, port).unwrap_or(Ok((ip, port)))?;
    // What a policy forbids is dropped on the way.
    if network.allows(&io.m.spec.pod_ip, &ip, port) { Ok((ip, port)) } else { Err(NetError::Unreachable) }
}

pub fn connect(io: &Io, host: &str, port: u16) -> Result<(), NetError> {
    let (ip, port) = reach(io, host, port)?;
    match server::connect(io.world.peers, Some(io.m), &ip, port, io.now) {
        Err(NetError::Unreachable) => match io.world.network {
            Some(n) => n.connect(&ip, port),
            None => Err(NetError::Unreachable),
        },
        result => result,
    }
}

/// Sends a request; the answer and when it is there.
fn http(io: &mut Io, host: &str, port: u16, path: &str) -> Result<Served, NetError> {
    let (ip, port) = reach(io, host, port)?;
    let served = match server::http(io.world.peers, Some(io.m), io.world.volumes, &ip, port, path, io.now) {
        Err(NetError::Unreachable) => match io.world.network {
            Some(n) => n.http(&ip, port, "GET", path),
            None => Err(NetError::Unreachable),
        },
        result => result,
    }?;
    io.world.sent.push(Sent { node: served.node.clone(), ip, port, at: io.now, work: served.work });
    Ok(served)
}

pub fn run(io: &mut Io, name: &str) -> Outcome {
    match name {
        "wget" | "curl" => fetch(io, name),
        "nc" => netcat(io),
        "nslookup" | "dig" | "host" => Outcome::Exit(lookup(io)),
        "ping" => ping(io),
        "redis-cli" => {
            let up = connect(io, "localhost", 6379).is_ok();
            if up {
                io.line("PONG");
            } else {
                io.complain("Could not connect to Redis at 127.0.0.1:6379: Connection refused");
            }
            Outcome::Exit(i32::from(!up))
        }
        "pg_isready" | "psql" => {
            let up = connect(io, "localhost", 5432).is_ok();
            io.line(if up {
                "/var/run/postgresql:5432 - accepting connections"
            } else {
                "/var/run/postgresql:5432 - no response"
            });
            Outcome::Exit(if up { 0 } else { 2 })
        }
        "apt-get" | "pip" | "npm" => {
            io.complain(format!("{name}: a simulated container has no package registry to reach"));
            Outcome::Exit(100)
        }
        "ip" => {
            let ip = io.m.spec.pod_ip.clone();
            io.line(format!("2: eth0@if7: <BROADCAST,MULTICAST,UP,LOWER_UP>\n    inet {ip}/24 scope global eth0"));
            Outcome::Exit(0)
        }
        _ => Outcome::Exit(0),
    }
}

pub fn option(io: &Io, names: &[&str]) -> Option<String> {
    let mut args = io.argv.iter();
    while let Some(a) = args.next() {
        if names.contains(&a.as_str()) {
            return args.next().cloned();
        }
        if let Some(v) = names.iter().filter(|n| n.starts_with("--")).find_map(|n| a.strip_prefix(&format!("{n}="))) {
            return Some(v.to_string());
        }
    }
    None
}

fn fetch(io: &mut Io, name: &str) -> Outcome {
    let to_file = option(io, &["-O", "-o", "--output"]);
    let valued = [
        "-O",
        "-o",
        "-T",
        "-m",
        "-H",
        "-X",
        "-d",
        "-w",
        "--max-time",
        "--header",
        "--output",
        "-t",
        "--connect-timeout",
        "--retry",
    ];
    let mut url = String::new();
    let mut args = io.argv.iter().skip(1);
    while let Some(a) = args.next() {
        if valued.contains(&a.as_str()) {
            args.next();
        } else if !a.starts_with('-') {
            url = a.clone();
        }
    }
    let clustered =
        io.argv.iter().find_map(|a| a.strip_prefix("-qO").or_else(|| a.strip_prefix("-O"))).filter(|v| !v.is_empty());
    let stdout = name == "curl" && to_file.is_none()
        || clustered == Some("-")
        || to_file.as_deref() == Some("-")
        || io.argv.iter().any(|a| a == "-qO-" || a == "-O-");
    let quiet = io.flag('s') || io.flag('q');
    let (scheme, host, port, path) = parse_url(&url);
    let result = if url.is_empty() { Err(NetError::NoSuchHost) } else { http(io, &host, port, &path) };
    let done = result.as_ref().map_or(io.now, |served| served.done);
    let result = result.map(|served| served.response);
    let ip = resolve(io, &host).first().cloned().unwrap_or_default();
    let seconds = |io: &Io, names: &[&str]| option(io, names).and_then(|s| s.parse().ok()).map(Duration::from_secs);
    let limit = seconds(io, &["-T", "-m", "--max-time", "--timeout"]);
    let patience = limit.or_else(|| seconds(io, &["--connect-timeout"])).unwrap_or(DIAL_TIMEOUT);
    if name == "wget" && !quiet && !ip.is_empty() {
        io.complain(format!("Connecting to {host}:{port} ({ip}:{port})"));
    }
    if let Ok(r) = &result
        && name == "wget"
        && (io.flag('S') || io.argv.iter().any(|a| a == "--server-response"))
    {
        let reason = match r.status {
            200 => "OK",
            404 => "Not Found",
            _ => "Error",
        };
        let line = format!("  HTTP/1.1 {} {reason}", r.status);
        io.complain(line);
    }
    let fails = io.flag('f') || name == "wget";
    let mute = name == "curl" && io.flag('s') && !io.flag('S');
    if let Some(limit) = limit.filter(|l| done.since(io.now) > *l) {
        io.complain(match name {
            "curl" => {
                format!("curl: (28) Operation timed out after {} milliseconds with 0 bytes received", limit.as_millis())
            }
            _ => "wget: download timed out".into(),
        });
        return answered(io, io.now + limit, if name == "curl" { 28 } else { 1 });
    }
    let code = match result {
        Ok(_) if scheme == "https" => {
            io.complain(format!("{name}: the simulated network has no TLS"));
            if name == "curl" { 35 } else { 1 }
        }
        Ok(r) if r.status >= 400 && fails => {
            let text = if r.status == 404 { "Not Found" } else { "Error" };
            let said = match name {
                "curl" => format!("curl: (22) The requested URL returned error: {}", r.status),
                _ => format!("wget: server returned error: HTTP/1.1 {} {text}", r.status),
            };
            if !mute {
                io.complain(said);
            }
            if name == "curl" { 22 } else { 1 }
        }
        Ok(r) => {
            if stdout {
                io.say(r.body);
            } else {
                let last = path.rsplit('/').next().filter(|n| !n.is_empty()).unwrap_or("index.html").to_string();
                let file = to_file.unwrap_or(last);
                let target = io.path(&file);
                if let Err(e) = io.m.fs.write(&target, r.body.as_bytes(), false, io.world.volumes) {
                    io.complain(format!("{name}: can't open '{file}': {}", e.text()));
                    return Outcome::Exit(1);
                }
            }
            0
        }
        Err(e) => {
            let (text, code) = match (name, e) {
                ("curl", NetError::NoSuchHost) => (format!("curl: (6) Could not resolve host: {host}"), 6),
                ("curl", NetError::Refused) => (
                    format!("curl: (7) Failed to connect to {host} port {port} after 0 ms: Couldn't connect to server"),
                    7,
                ),
                ("curl", NetError::NotHttp) => ("curl: (52) Empty reply from server".into(), 52),
                ("curl", NetError::Unreachable) => {
                    (format!("curl: (28) Failed to connect to {host} port {port}: Timeout was reached"), 28)
                }
                (_, NetError::NoSuchHost) => (format!("wget: bad address '{host}'"), 1),
                (_, NetError::Refused) => (format!("wget: can't connect to remote host ({ip}): Connection refused"), 1),
                (_, NetError::NotHttp) => ("wget: error getting response".into(), 1),
                (_, NetError::Unreachable) => ("wget: download timed out".into(), 1),
            };
            if !mute {
                io.complain(text);
            }
            if e == NetError::Unreachable {
                return Outcome::Sleep(after(io, patience), Running::Ending(code));
            }
            code
        }
    };
    if done.since(io.now) > AT_ONCE { answered(io, done, code) } else { Outcome::Exit(code) }
}

/// What was said so far is said when the answer is there.
fn answered(io: &mut Io, at: Time, code: i32) -> Outcome {
    let late = Late { out: std::mem::take(&mut io.out), err: std::mem::take(&mut io.err), code };
    Outcome::Sleep(at, Running::Answered(Box::new(late)))
}

fn netcat(io: &mut Io) -> Outcome {
    let operands = io.operands();
    let [host, port, ..] = operands.as_slice() else {
        if io.flag('l') {
            return Outcome::Block(Running::Forever);
        }
        io.complain("nc: usage: nc [-zv] HOST PORT");
        return Outcome::Exit(1);
    };
    let verbose = io.flag('v');
    match connect(io, host, port.parse().unwrap_or(0)) {
        Ok(()) => {
            if verbose {
                io.complain(format!("{host} ({host}:{port}) open"));
            }
            Outcome::Exit(0)
        }
        Err(NetError::NoSuchHost) => {
            io.complain(format!("nc: bad address '{host}'"));
            Outcome::Exit(1)
        }
        Err(NetError::Unreachable) => {
            io.complain(format!("nc: {host} ({host}:{port}): Connection timed out"));
            Outcome::Sleep(after(io, DIAL_TIMEOUT), Running::Ending(1))
        }
        Err(_) => {
            io.complain(format!("nc: {host} ({host}:{port}): Connection refused"));
            Outcome::Exit(1)
        }
    }
}

fn lookup(io: &mut Io) -> i32 {
    let host = io.operands().first().cloned().unwrap_or_default();
    io.line("Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n");
    let ips = resolve(io, &host);
    if ips.is_empty() {
        io.line(format!("** server can't find {host}: NXDOMAIN\n"));
        return 1;
    }
    for ip in ips {
        io.line(format!("Name:\t{host}\nAddress: {ip}\n"));
    }
    0
}

fn ping(io: &mut Io) -> Outcome {
    let host = io.operands().first().cloned().unwrap_or_default();
    match resolve(io, &host).first().cloned() {
        None => {
            io.complain(format!("ping: bad address '{host}'"));
            Outcome::Exit(1)
        }
        Some(ip) => {
            io.line(format!("PING {host} ({ip}): 56 data bytes"));
            let known =
                io.m.spec.pod_ip == ip || io.world.peers.keys().any(|_| connect(io, &ip, 0) == Err(NetError::Refused));
            if known {
                io.line(format!("64 bytes from {ip}: seq=0 ttl=64 time=0.050 ms"));
            }
            Outcome::Exit(i32::from(!known))
        }
    }
}
