//! Programs that reach out: into the cluster's network where there is one, else only to the node's own pods.

use super::fetch::fetch;
use super::{Io, Outcome, Running, after, names};
use crate::runtime::ContainerSpec;
use crate::sim::net::{Answer, ApiRequest, Call, NetError, Sent, Served, Server};
use crate::sim::server;
use meta::Duration;
use network::{Client, End, Net, Reached, Request, Trail};
use std::net::IpAddr;

/// How long a packet to nowhere is waited for.
pub const DIAL_TIMEOUT: Duration = Duration::from_secs(5);

/// Where the container is in the network.
pub fn client(spec: &ContainerSpec) -> Client<'_> {
    Client {
        ip: &spec.pod_ip,
        resolver: Some(&spec.resolver),
        node: Some(spec.node.as_str()).filter(|n| !n.is_empty()),
        hostname: &spec.hostname,
        aliases: &spec.host_aliases,
    }
}

/// With the network that the node's programs find; `None`: the node is in no cluster.
pub fn with_net<R>(io: &mut Io, f: impl FnOnce(&mut Net, &Client) -> R) -> Option<R> {
    let view = io.world.view?;
    let mut trail = Trail::off();
    let mut net = Net { view, balancer: &mut *io.world.balancer, now: io.now, trail: &mut trail };
    Some(f(&mut net, &client(&io.m.spec)))
}

/// The address that a host has for a node in no cluster.
fn alone(io: &Io, host: &str) -> Option<String> {
    match client(&io.m.spec).is_own(host) {
        true => Some(io.m.spec.pod_ip.clone()),
        false => host.parse::<IpAddr>().is_ok().then(|| host.into()),
    }
}

pub fn resolve(io: &mut Io, host: &str) -> Vec<String> {
    match with_net(io, |net, client| net.resolve(client, host)) {
        Some(found) => found.unwrap_or_default(),
        None => alone(io, host).into_iter().collect(),
    }
}

/// What the program was told the last time it asked for this; while it waits for one answer it gets no other.
fn recall(io: &mut Io) -> Option<Answer> {
    if io.asked.call.is_some() {
        return Some(Err(NetError::Waiting));
    }
    let known = io.asked.answers.get(io.asked.taken).cloned()?;
    io.asked.taken += 1;
    Some(known)
}

fn remember(io: &mut Io, answer: &Answer) {
    if *answer != Err(NetError::Waiting) {
        io.asked.answers.push(answer.clone());
        io.asked.taken += 1;
    }
}

/// Who is on another node answers later.
fn call(io: &mut Io, server: Server, http: bool) -> Answer {
    if io.world.view.is_none() {
        return Err(NetError::Unreachable);
    }
    io.asked.call = Some(Call { id: io.m.spec.id.clone(), pid: io.pid, server, http, api: None, talk: None });
    Err(NetError::Waiting)
}

fn ask_api_server(io: &mut Io, request: &Request) -> Answer {
    let spec = &io.m.spec;
    let api = ApiRequest {
        namespace: spec.namespace.clone(),
        pod: spec.pod.clone(),
        path: request.path.clone(),
        user_agent: if io.argv[0].ends_with("wget") { "Wget" } else { super::fetch::CURL },
        said: request.said.clone(),
    };
    let server = Server { port: request.port, ..Server::default() };
    let (id, pid) = (spec.id.clone(), io.pid);
    io.asked.call = Some(Call { id, pid, server, http: true, api: Some(Box::new(api)), talk: None });
    Err(NetError::Waiting)
}

fn connect_to(io: &mut Io, server: Server) -> Answer {
    match server::connect(io.world.peers, Some(io.m), &server.ip, server.port, io.now) {
        Err(NetError::Unreachable) => call(io, server, false),
        result => result.map(|()| None),
    }
}

/// The way to who listens at a host's port: the server, as it sees this container. Whether anybody listens is not asked.
///
/// # Errors
/// There is no way.
pub fn reach(io: &mut Io, host: &str, port: u16) -> Result<Server, NetError> {
    let own = io.m.spec.pod_ip.clone();
    let to = |ip: String, port, from| Server { ip, port, from, ..Server::default() };
    match with_net(io, |net, client| net.connect(client, host, port)) {
        Some(Ok(End::Port { ip, port, from })) => Ok(to(ip, port, from)),
        Some(Ok(_)) => Err(NetError::NotHttp),
        Some(Err(e)) => Err(e),
        None => Ok(to(alone(io, host).ok_or(NetError::NoSuchHost)?, port, own)),
    }
}

/// # Errors
/// Why there is no connection.
pub fn connect(io: &mut Io, host: &str, port: u16) -> Result<(), NetError> {
    if let Some(known) = recall(io) {
        return known.map(|_| ());
    }
    let to = |ip: &str, port| Server { ip: ip.into(), port, ..Server::default() };
    let answer = match with_net(io, |net, client| net.connect(client, host, port)) {
        Some(Ok(End::Port { ip, port, .. })) => connect_to(io, to(&ip, port)),
        Some(Ok(_)) => Ok(None),
        Some(Err(e)) => Err(e),
        None => match alone(io, host) {
            Some(ip) => connect_to(io, to(&ip, port)),
            None => Err(NetError::NoSuchHost),
        },
    };
    remember(io, &answer);
    answer.map(|_| ())
}

/// Sends a request; the answer and when it is there.
///
/// # Errors
/// Why there is none.
pub fn http(io: &mut Io, request: &Request) -> Result<Served, NetError> {
    if let Some(known) = recall(io) {
        return known?.ok_or(NetError::NotHttp);
    }
    let own = io.m.spec.pod_ip.clone();
    let to = |ip| Reached::Server(request.to(ip, request.port, own));
    let reached = match with_net(io, |net, client| net.request(client, request)) {
        Some(reached) => reached,
        None => alone(io, &request.host).map(to).ok_or(NetError::NoSuchHost),
    };
    let answer = match reached {
        Ok(Reached::Server(mut server)) => {
            // By the loopback interface. A process of the cluster knows by the pod whose token it is.
            let loopback = request.host == "localhost" || request.host.starts_with("127.");
            if loopback && !server::is_of_cluster(io.world.peers, &server, io.now) {
                server.from = "127.0.0.1".into();
            }
            ask(io, server)
        }
        Ok(Reached::ApiServer) if !request.insecure => Err(NetError::Untrusted),
        Ok(Reached::ApiServer) => ask_api_server(io, request),
        Ok(Reached::Answer(response)) => Ok(Some(Served { response, work: Duration::ZERO, done: io.now })),
        Err(e) => Err(e),
    };
    remember(io, &answer);
    answer?.ok_or(NetError::NotHttp)
}

fn ask(io: &mut Io, to: Server) -> Answer {
    if server::is_of_cluster(io.world.peers, &to, io.now) {
        return call(io, to, true);
    }
    let served = match server::http(io.world.peers, Some(io.m), io.world.volumes, &to, io.now) {
        Err(NetError::Unreachable) => return call(io, to, true),
        served => served,
    };
    // A server that asks another one does so over the network.
    if served.as_ref().is_ok_and(|s| !s.response.forward.is_empty()) {
        return call(io, to, true);
    }
    if let Ok(served) = &served {
        let mut sent = Sent::new(to.clone(), io.now, served);
        // Its own container's server: the log has it in its place, also when that ends with this step.
        if to.ip == io.m.spec.pod_ip && io.m.listeners().any(|(p, ..)| p == to.port) {
            server::note(io.m, io.world.volumes, &sent);
            sent.answered = None;
        }
        io.world.sent.push(sent);
    }
    let now = io.now;
    to.answer(served.map(Some), |response| Some(Served { response, work: Duration::ZERO, done: now }))
}

pub fn run(io: &mut Io, name: &str) -> Outcome {
    match name {
        "wget" | "curl" => fetch(io, name),
        "nc" => netcat(io),
        "telnet" => telnet(io),
        "nslookup" | "dig" | "host" => Outcome::Exit(names::look_up(io, name)),
        "apt" | "apt-get" | "pip" | "npm" => {
            io.complain(format!("{name}: a simulated container has no package registry to reach"));
            Outcome::Exit(100)
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

/// What is left of nc's arguments without its options, some of which have a value: `-zw 5`.
fn netcat_operands(argv: &[String]) -> Vec<String> {
    let mut operands = Vec::new();
    let mut args = argv.iter().skip(1);
    while let Some(a) = args.next() {
        if !a.starts_with('-') {
            operands.push(a.clone());
        } else if a.ends_with(['w', 'i', 'p', 's', 'e', 'q']) {
            args.next();
        }
    }
    operands
}

/// A request that somebody wrote by hand: `GET / HTTP/1.0`, headers, an empty line.
fn spoken(text: &str, host: &str, port: u16) -> Option<Request> {
    let text = text.replace("\r\n", "\n");
    let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end_matches('\n'), ""));
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?, first.next()?);
    first.next().filter(|v| v.starts_with("HTTP/1."))?;
    let mut said = network::Said { method: method.into(), body: body.into(), ..network::Said::default() };
    let mut header = String::new();
    for (name, value) in lines.filter_map(|l| l.split_once(':')) {
        match name.eq_ignore_ascii_case("host") {
            true => header = value.trim().into(),
            false => said.headers.push((name.trim().into(), value.trim().into())),
        }
    }
    let (host, path) = (host.to_string(), path.to_string());
    Some(Request { host, port, header, path, said, ..Request::default() })
}

/// Sends such a request, and shows the answer as it comes.
fn said_by_hand(io: &mut Io, request: &Request) -> Outcome {
    let (host, port) = (&request.host, request.port);
    match http(io, request) {
        Ok(served) => {
            let lines: String = super::fetch::head(&served.response).iter().map(|l| format!("{l}\r\n")).collect();
            io.say(format!("{lines}\r\n{}", served.response.body));
            Outcome::Exit(0)
        }
        Err(NetError::Waiting) => Outcome::Exit(1),
        Err(NetError::NoSuchHost) => {
            io.complain(format!("nc: bad address '{host}'"));
            Outcome::Exit(1)
        }
        Err(NetError::Unreachable) => {
            io.complain(format!("nc: {host} ({host}:{port}): Connection timed out"));
            Outcome::Sleep(after(io, DIAL_TIMEOUT), Running::Ending(1))
        }
        Err(NetError::Refused) => {
            io.complain(format!("nc: {host} ({host}:{port}): Connection refused"));
            Outcome::Exit(1)
        }
        // Who does not speak it hangs up.
        Err(_) => Outcome::Exit(0),
    }
}

/// `telnet HOST [PORT]`: whether there is a connection. What is typed then goes nowhere, but for HTTP's requests.
fn telnet(io: &mut Io) -> Outcome {
    let operands = io.operands();
    let Some(host) = operands.first().cloned() else {
        io.complain("telnet: a host is missing");
        return Outcome::Exit(1);
    };
    let port = operands.get(1).and_then(|p| p.parse().ok()).unwrap_or(23);
    let ip = resolve(io, &host).first().cloned().unwrap_or_default();
    let ip = if host == "localhost" { "127.0.0.1".to_string() } else { ip };
    match connect(io, &host, port) {
        Err(NetError::Waiting) => Outcome::Exit(1),
        Ok(()) => {
            io.line(format!("Connected to {host}"));
            let text = String::from_utf8_lossy(&std::mem::take(&mut io.stdin)).into_owned();
            match spoken(&text, &host, port) {
                Some(request) => said_by_hand(io, &request),
                None => {
                    io.complain("telnet: what is typed now is not simulated");
                    Outcome::Exit(1)
                }
            }
        }
        Err(NetError::NoSuchHost) => {
            io.complain(format!("telnet: bad address '{host}'"));
            Outcome::Exit(1)
        }
        Err(NetError::Unreachable) => {
            let late = format!("telnet: can't connect to remote host ({ip}): Connection timed out\n");
            let late = super::Late { out: Vec::new(), err: late.into_bytes(), code: 1 };
            Outcome::Sleep(after(io, DIAL_TIMEOUT), Running::Answered(Box::new(late)))
        }
        Err(_) => {
            io.complain(format!("telnet: can't connect to remote host ({ip}): Connection refused"));
            Outcome::Exit(1)
        }
    }
}

fn netcat(io: &mut Io) -> Outcome {
    if io.flag('l') {
        // `-l -p 80`, `-lp 80` and `-l 80`.
        let ports: Vec<u16> = io.argv.iter().skip(1).filter_map(|a| a.parse().ok()).collect();
        let (text, since) = (std::mem::take(&mut io.stdin), after(io, Duration::from_millis(1)));
        return Outcome::Block(Running::Answering { text, ports, since });
    }
    let operands = netcat_operands(&io.argv);
    let [host, port, ..] = operands.as_slice() else {
        io.complain("nc: usage: nc [-zv] HOST PORT");
        return Outcome::Exit(1);
    };
    let verbose = io.flag('v');
    let (host, port) = (host.clone(), port.clone());
    let number = port.parse().unwrap_or(0);
    let text = String::from_utf8_lossy(&std::mem::take(&mut io.stdin)).into_owned();
    if let Some(request) = spoken(&text, &host, number) {
        return said_by_hand(io, &request);
    }
    match connect(io, &host, number) {
        Err(NetError::Waiting) => Outcome::Exit(1),
        Ok(()) => {
            if verbose {
                io.complain(format!("{host} ({host}:{port}) open"));
            }
            if !text.trim().is_empty() {
                io.complain("nc: what is answered to anything but HTTP is not simulated");
                return Outcome::Exit(1);
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

#[cfg(test)]
mod tests {
    #[test]
    fn options_of_nc_may_have_values() {
        let of = |line: &str| super::netcat_operands(&line.split(' ').map(String::from).collect::<Vec<_>>());
        assert_eq!(of("nc -z -w 5 db 5432"), ["db", "5432"]);
        assert_eq!(of("nc -zvw1 db 5432"), ["db", "5432"]);
        assert_eq!(of("nc db 5432 -w 2"), ["db", "5432"]);
        assert!(of("nc -l -p 8080").is_empty());
    }
}
