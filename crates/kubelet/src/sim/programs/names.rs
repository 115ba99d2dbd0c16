//! Programs that ask for names: `nslookup` as busybox and BIND have it, `dig` and `host`.

use super::Io;
use super::net::{client, with_net};
use crate::sim::catalogue::Tools;
use network::dns::{self, Data, OUTSIDE, Record, Type, hosts_at};
use network::resolver::NODE_DNS;

/// What a name server says.
enum Said {
    Records(Vec<Record>),
    /// There is no such name.
    Nothing,
    /// Nobody answers.
    Silence,
}

/// Asks one server for a full name.
fn ask(io: &mut Io, server: &str, name: &str, wanted: Type) -> Said {
    let reaches = with_net(io, |net, client| net.reaches_cluster_dns(client, server));
    match reaches {
        // A node in no cluster has a name server that knows nothing.
        None => Said::Nothing,
        Some(Some(Ok(()))) => {
            let Some(view) = io.world.view else { return Said::Nothing };
            dns::query(view, name, wanted).map_or(Said::Nothing, Said::Records)
        }
        Some(Some(Err(_))) => Said::Silence,
        Some(None) if server == NODE_DNS => match (name.trim_end_matches('.') == OUTSIDE.0, wanted) {
            (true, Type::A) => Said::Records(vec![Record { name: OUTSIDE.0.into(), data: Data::A(OUTSIDE.1.into()) }]),
            (true, _) => Said::Records(Vec::new()),
            (false, _) => Said::Nothing,
        },
        Some(None) => Said::Silence,
    }
}

/// What a command line asks for.
struct Question {
    host: String,
    wanted: Type,
    /// Empty: those that the pod has.
    server: String,
    short: bool,
    search: bool,
}

fn type_of(word: &str) -> Option<Type> {
    match word.to_ascii_uppercase().as_str() {
        "A" => Some(Type::A),
        "SRV" => Some(Type::Srv),
        "PTR" => Some(Type::Ptr),
        "CNAME" => Some(Type::Cname),
        _ => None,
    }
}

fn reverse(ip: &str) -> Option<String> {
    let ip: std::net::Ipv4Addr = ip.parse().ok()?;
    let [a, b, c, d] = ip.octets();
    Some(format!("{d}.{c}.{b}.{a}.in-addr.arpa"))
}

fn question(io: &Io, program: &str) -> Question {
    let mut q = Question {
        host: String::new(),
        wanted: Type::A,
        server: String::new(),
        short: false,
        search: program != "dig",
    };
    let mut args = io.argv.iter().skip(1);
    while let Some(a) = args.next() {
        let lower = a.to_ascii_lowercase();
        let named = ["-type=", "-querytype=", "-query=", "-q="].iter().find_map(|p| lower.strip_prefix(p));
        match a.as_str() {
            "-t" | "-q" if program != "nslookup" => q.wanted = args.next().and_then(|t| type_of(t)).unwrap_or(q.wanted),
            "-x" => {
                q.host = args.next().and_then(|ip| reverse(ip)).unwrap_or_default();
                q.wanted = Type::Ptr;
            }
            "+short" => q.short = true,
            "+search" => q.search = true,
            _ if named.is_some() => q.wanted = named.and_then(type_of).unwrap_or(q.wanted),
            _ if a.starts_with('@') => q.server = a[1..].into(),
            _ if a.starts_with(['-', '+']) => {}
            word if program == "dig" && type_of(word).is_some() => q.wanted = type_of(word).unwrap_or(q.wanted),
            word if program == "dig" && word.eq_ignore_ascii_case("IN") => {}
            word if q.host.is_empty() => q.host = word.into(),
            word if q.server.is_empty() => q.server = word.into(),
            _ => {}
        }
    }
    if program != "dig"
        && q.wanted == Type::A
        && let Some(name) = reverse(&q.host)
    {
        (q.host, q.wanted) = (name, Type::Ptr);
    }
    q
}

/// The server that answered, and what it said of the names that the pod's resolver makes of the host.
fn answer(io: &mut Io, q: &Question) -> (String, Said) {
    let resolver = client(&io.m.spec).resolver.cloned().unwrap_or_default();
    let servers = if q.server.is_empty() { resolver.servers.clone() } else { vec![address(io, &q.server)] };
    let names = match q.search && q.wanted != Type::Ptr {
        true => resolver.names(&q.host),
        false => vec![q.host.trim_end_matches('.').to_string()],
    };
    let mut last = servers.last().cloned().unwrap_or_default();
    for server in servers {
        let mut said = Said::Silence;
        for name in &names {
            said = ask(io, &server, name, q.wanted);
            if matches!(said, Said::Records(_) | Said::Silence) {
                break;
            }
        }
        last = server;
        if !matches!(said, Said::Silence) {
            return (last, said);
        }
    }
    (last, Said::Silence)
}

/// A server may be named, too.
fn address(io: &mut Io, server: &str) -> String {
    match super::net::resolve(io, server).into_iter().next() {
        Some(ip) => ip,
        None => server.into(),
    }
}

/// The exit code.
pub fn look_up(io: &mut Io, program: &str) -> i32 {
    let q = question(io, program);
    let (server, said) = answer(io, &q);
    match program {
        "dig" => dig(io, &q, &server, said),
        "host" => host(io, &q, said),
        _ if io.m.image.tools == Tools::Busybox && is_old_busybox(&io.m.spec.image) => {
            old_nslookup(io, &q, &server, said)
        }
        _ => nslookup(io, &q, &server, said),
    }
}

/// Until 1.28 busybox had an `nslookup` of its own style, for which many manifests name that version.
fn is_old_busybox(image: &str) -> bool {
    let tag = image.rsplit_once(':').filter(|(name, _)| name.ends_with("busybox")).map_or("", |(_, tag)| tag);
    let minor = tag.strip_prefix("1.").and_then(|t| t.split(['.', '-']).next()?.parse::<u32>().ok());
    minor.is_some_and(|m| m <= 28)
}

fn old_nslookup(io: &mut Io, q: &Question, server: &str, said: Said) -> i32 {
    let named = |io: &Io, ip: &str| {
        let names = io.world.view.map_or_else(Vec::new, |v| hosts_at(v, ip));
        names.first().map_or(String::new(), |n| format!(" {n}"))
    };
    let of_server = named(io, server);
    io.line(format!("Server:    {server}\nAddress 1: {server}{of_server}\n"));
    let asked = client_text(q);
    let records = match said {
        Said::Records(r) if !r.is_empty() => r,
        _ => {
            io.complain(format!("nslookup: can't resolve '{asked}'"));
            return 1;
        }
    };
    io.line(format!("Name:      {asked}"));
    let mut n = 0;
    for r in records {
        let text = match r.data {
            Data::A(ip) => {
                let name = named(io, &ip);
                format!("{ip}{name}")
            }
            Data::Ptr(name) => format!("{asked} {name}"),
            _ => continue,
        };
        n += 1;
        io.line(format!("Address {n}: {text}"));
    }
    0
}

/// The host as it was written.
fn client_text(q: &Question) -> String {
    match q.host.strip_suffix(".in-addr.arpa") {
        Some(r) if q.wanted == Type::Ptr => r.rsplit('.').collect::<Vec<_>>().join("."),
        _ => q.host.clone(),
    }
}

fn nslookup(io: &mut Io, q: &Question, server: &str, said: Said) -> i32 {
    let busybox = io.is_busybox();
    let records = match said {
        Said::Silence => {
            io.line(";; connection timed out; no servers could be reached\n");
            return 1;
        }
        Said::Nothing => Vec::new(),
        Said::Records(r) => r,
    };
    // Where `dig` is, `nslookup` is BIND's, too.
    let bind = !busybox || io.m.image.extra.contains(&"dig");
    let at = if bind { '#' } else { ':' };
    io.line(format!("Server:\t\t{server}\nAddress:\t{server}{at}53\n"));
    if records.is_empty() {
        io.line(format!("** server can't find {}: NXDOMAIN\n", q.host));
        return 1;
    }
    for r in records {
        io.line(match r.data {
            Data::A(ip) => format!("Name:\t{}\nAddress: {ip}\n", r.name),
            Data::Cname(to) => format!("{}\tcanonical name = {to}{}", r.name, if busybox { "" } else { "." }),
            Data::Srv(port, to) => format!("{}\tservice = 0 100 {port} {to}{}", r.name, if busybox { "" } else { "." }),
            Data::Ptr(to) => format!("{}\tname = {to}{}", r.name, if busybox { "" } else { "." }),
        });
    }
    0
}

fn host(io: &mut Io, q: &Question, said: Said) -> i32 {
    let records = match said {
        Said::Silence => {
            io.line(";; connection timed out; no servers could be reached");
            return 1;
        }
        Said::Nothing => {
            io.line(format!("Host {} not found: 3(NXDOMAIN)", q.host));
            return 1;
        }
        Said::Records(r) => r,
    };
    if records.is_empty() {
        io.line(format!("{} has no {} record", q.host, kind(q.wanted)));
        return 1;
    }
    for r in records {
        io.line(match r.data {
            Data::A(ip) => format!("{} has address {ip}", r.name),
            Data::Cname(to) => format!("{} is an alias for {to}.", r.name),
            Data::Srv(port, to) => format!("{} has SRV record 0 100 {port} {to}.", r.name),
            Data::Ptr(to) => format!("{} domain name pointer {to}.", r.name),
        });
    }
    0
}

fn kind(wanted: Type) -> &'static str {
    match wanted {
        Type::A => "A",
        Type::Srv => "SRV",
        Type::Ptr => "PTR",
        Type::Cname => "CNAME",
    }
}

fn dig(io: &mut Io, q: &Question, server: &str, said: Said) -> i32 {
    let (status, records) = match said {
        Said::Silence => {
            io.line(format!(";; communications error to {server}#53: timed out\n;; no servers could be reached"));
            return 9;
        }
        Said::Nothing => ("NXDOMAIN", Vec::new()),
        Said::Records(r) => ("NOERROR", r),
    };
    let data = |d: &Data| match d {
        Data::A(ip) => ("A", ip.clone()),
        Data::Cname(to) => ("CNAME", format!("{to}.")),
        Data::Srv(port, to) => ("SRV", format!("0 100 {port} {to}.")),
        Data::Ptr(to) => ("PTR", format!("{to}.")),
    };
    if q.short {
        for r in &records {
            io.line(data(&r.data).1);
        }
        return 0;
    }
    let args = io.argv[1..].join(" ");
    io.line(format!("\n; <<>> DiG 9.18.28 <<>> {args}\n;; global options: +cmd\n;; Got answer:"));
    io.line(format!(";; ->>HEADER<<- opcode: QUERY, status: {status}, id: {}", 10_000 + io.pid % 50_000));
    let count = records.len();
    io.line(format!(";; flags: qr aa rd; QUERY: 1, ANSWER: {count}, AUTHORITY: 0, ADDITIONAL: 1"));
    io.line(";; WARNING: recursion requested but not available\n");
    io.line(";; OPT PSEUDOSECTION:\n; EDNS: version: 0, flags:; udp: 1232\n;; QUESTION SECTION:");
    let asked = records.first().map_or_else(|| q.host.trim_end_matches('.').to_string(), |r| r.name.clone());
    io.line(format!(";{asked}.\tIN\t{}\n", kind(q.wanted)));
    if count > 0 {
        io.line(";; ANSWER SECTION:");
        for r in &records {
            let (kind, text) = data(&r.data);
            io.line(format!("{}.\t30\tIN\t{kind}\t{text}", r.name));
        }
        io.line("");
    }
    io.line(format!(";; Query time: 0 msec\n;; SERVER: {server}#53({server}) (UDP)\n"));
    0
}
