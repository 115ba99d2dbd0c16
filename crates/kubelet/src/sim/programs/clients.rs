//! The clients of databases and queues that probes and init containers call: they connect, and say whether they could.

use super::net::{connect, option};
use super::{Io, Outcome, Running};
use crate::sim::catalogue::Server;
use crate::sim::catalogue::servers::NCAT;
use meta::Duration;

/// What a client says when the server answers, and when it does not.
struct Client {
    names: &'static [&'static str],
    port: u16,
    ok: &'static str,
    bad: &'static str,
    code: i32,
}

const NO_MYSQL: &str = "error: 'Can't connect to MySQL server on '{host}:{port}' (111)'";

const CLIENTS: &[Client] = &[
    Client { names: &["mysqladmin", "mariadb-admin"], port: 3306, ok: "mysqld is alive", bad: NO_MYSQL, code: 1 },
    Client { names: &["podcli"], port: 9898, ok: "", bad: "check failed", code: 1 },
    Client { names: &["healthcheck.sh"], port: 3306, ok: "", bad: NO_MYSQL, code: 1 },
    Client { names: &["zookeeper-ready"], port: 2181, ok: "", bad: "", code: 1 },
    Client { names: &["ready-probe.sh"], port: 9042, ok: "", bad: "Cassandra is not ready", code: 1 },
    Client {
        names: &["nodetool"],
        port: 7199,
        ok: "",
        bad: "nodetool: Failed to connect to '127.0.0.1:7199' - ConnectException: 'Connection refused (Connection refused)'.",
        code: 1,
    },
    Client {
        names: &["rabbitmq-diagnostics", "rabbitmqctl"],
        port: 5672,
        ok: "Will ping rabbit@{me}. This only checks if the OS process is running and registered with epmd\nPing succeeded",
        bad: "Error: unable to perform an operation on node 'rabbit@{me}'.",
        code: 69,
    },
    Client {
        names: &["mongo", "mongosh"],
        port: 27017,
        ok: "{ ok: 1 }",
        bad: "MongoNetworkError: connect ECONNREFUSED {host}:{port}",
        code: 1,
    },
    Client {
        names: &["etcdctl"],
        port: 2379,
        ok: "127.0.0.1:2379 is healthy: successfully committed proposal",
        bad: "Error: context deadline exceeded",
        code: 1,
    },
];

pub const NAMES: &[&str] = &["mysql", "mariadb", "ncat", "xbstream", "xtrabackup", "pg_isready", "psql"];

pub fn is_client(name: &str) -> bool {
    NAMES.contains(&name) || CLIENTS.iter().any(|c| c.names.contains(&name))
}

pub fn run(io: &mut Io, name: &str) -> Outcome {
    match name {
        "mysql" | "mariadb" => Outcome::Exit(mysql(io)),
        "pg_isready" => Outcome::Exit(pg_isready(io)),
        "psql" => Outcome::Exit(psql(io)),
        "ncat" => ncat(io),
        // A simulated server has no data: its backup is empty.
        "xbstream" => Outcome::Exit(0),
        "xtrabackup" => {
            io.complain("completed OK!");
            Outcome::Exit(0)
        }
        _ => {
            let Some(c) = CLIENTS.iter().find(|c| c.names.contains(&name)) else { return Outcome::Exit(1) };
            if name == "etcdctl" && !asks_for_health(io) {
                io.complain("etcdctl: a simulated etcd only tells whether it is there: etcdctl endpoint health");
                return Outcome::Exit(1);
            }
            let (host, port) = server(io, c.port);
            let up = connect(io, &host, port).is_ok();
            let text = if up { c.ok } else { c.bad };
            let text = text.replace("{host}", &host).replace("{port}", &port.to_string());
            let text = text.replace("{me}", &io.m.spec.hostname);
            match (text.is_empty(), up) {
                (true, _) => {}
                (_, true) => io.line(text),
                (_, false) => io.complain(text),
            }
            Outcome::Exit(if up { 0 } else { c.code })
        }
    }
}

/// Its data is the cluster's, which it cannot reach: nothing is read, saved or restored.
fn asks_for_health(io: &Io) -> bool {
    io.argv.windows(2).any(|a| a[0] == "endpoint" && a[1] == "health") || io.argv.iter().any(|a| a == "cluster-health")
}

/// `-h HOST`, `--host=HOST`, `-hHOST`; `-P PORT`, `--port=PORT`.
fn server(io: &Io, port: u16) -> (String, u16) {
    let clustered = io.argv.iter().find_map(|a| a.strip_prefix("-h")).filter(|h| !h.is_empty()).map(str::to_string);
    let host = option(io, &["-h", "--host"]).or(clustered).unwrap_or_else(|| "127.0.0.1".into());
    let port = option(io, &["-P", "--port"]).and_then(|p| p.parse().ok()).unwrap_or(port);
    (host, port)
}

/// `SELECT 1` is what everybody asks whether a server is there; tables are not simulated.
fn mysql(io: &mut Io) -> i32 {
    let (host, port) = server(io, 3306);
    if connect(io, &host, port).is_err() {
        io.complain(format!("ERROR 2003 (HY000): Can't connect to MySQL server on '{host}:{port}' (111)"));
        return 1;
    }
    if let Some(why) = denied(io, &host) {
        io.complain(why);
        return 1;
    }
    let statement = option(io, &["-e", "--execute"]).unwrap_or_default();
    let number = statement.trim().trim_end_matches(';').to_lowercase();
    match number.strip_prefix("select ").and_then(|n| n.trim().parse::<i64>().ok()) {
        Some(n) => {
            io.line(format!("{n}\n{n}"));
            0
        }
        None => {
            io.complain("ERROR 1235 (42000): a simulated MySQL has no tables: it only answers SELECT NUMBER");
            1
        }
    }
}

/// Who asks a server of the same container must know the password that its variables name.
fn denied(io: &Io, host: &str) -> Option<String> {
    let joined = |short: &str, long: &str| {
        let given = |a: &String| a.strip_prefix(long).or_else(|| a.strip_prefix(short)).map(str::to_string);
        io.argv.iter().skip(1).filter(|a| *a != short).find_map(given)
    };
    let user = joined("-u", "--user=").or_else(|| option(io, &["-u", "--user"])).unwrap_or_else(|| "root".into());
    let password = joined("-p", "--password=").or_else(|| io.env.get("MYSQL_PWD").cloned());
    let server = io.m.environment();
    let set = |names: &[&str]| names.iter().find_map(|n| server.get(*n)).cloned();
    let wanted = if user == "root" {
        set(&["MYSQL_ROOT_PASSWORD", "MARIADB_ROOT_PASSWORD"])?
    } else {
        set(&["MYSQL_USER", "MARIADB_USER"]).filter(|u| *u == user)?;
        set(&["MYSQL_PASSWORD", "MARIADB_PASSWORD"])?
    };
    let is_here = matches!(host, "127.0.0.1" | "localhost");
    (is_here && password.as_deref().unwrap_or("") != wanted).then(|| {
        let using = if password.is_some() { "YES" } else { "NO" };
        format!("ERROR 1045 (28000): Access denied for user '{user}'@'localhost' (using password: {using})")
    })
}

/// Where PostgreSQL's clients connect to: a socket unless a host is named.
fn postgres(io: &Io) -> (Option<String>, u16) {
    let host = option(io, &["-h", "--host"]).or_else(|| io.env.get("PGHOST").cloned());
    let port = option(io, &["-p", "--port"]).or_else(|| io.env.get("PGPORT").cloned());
    (host, port.and_then(|p| p.parse().ok()).unwrap_or(5432))
}

fn pg_isready(io: &mut Io) -> i32 {
    let (host, port) = postgres(io);
    let up = connect(io, host.as_deref().unwrap_or("localhost"), port).is_ok();
    let at = host.unwrap_or_else(|| "/var/run/postgresql".into());
    io.line(format!("{at}:{port} - {}", if up { "accepting connections" } else { "no response" }));
    if up { 0 } else { 2 }
}

/// `SELECT 1` as for MySQL; tables are not simulated.
fn psql(io: &mut Io) -> i32 {
    let (host, port) = postgres(io);
    if connect(io, host.as_deref().unwrap_or("localhost"), port).is_err() {
        io.complain(match host {
            Some(host) => format!(
                "psql: error: connection to server at \"{host}\", port {port} failed: Connection refused\n\tIs the server running \
                 on that host and accepting TCP/IP connections?"
            ),
            None => format!(
                "psql: error: connection to server on socket \"/var/run/postgresql/.s.PGSQL.{port}\" failed: No such file or \
                 directory\n\tIs the server running locally and accepting connections on that socket?"
            ),
        });
        return 2;
    }
    // `-tAc 'SELECT 1'`: single letters together, the last with the statement.
    let letters = |a: &String| a.starts_with('-') && !a.starts_with("--");
    let after = |w: &[String]| (letters(&w[0]) && w[0].ends_with('c')).then(|| w[1].clone());
    let statement = io.argv.windows(2).find_map(after).or_else(|| option(io, &["--command"])).unwrap_or_default();
    let number = statement.trim().trim_end_matches(';').to_lowercase();
    let Some(n) = number.strip_prefix("select ").and_then(|n| n.trim().parse::<i64>().ok()) else {
        io.complain("psql: error: a simulated PostgreSQL has no tables: it only answers SELECT NUMBER");
        return 1;
    };
    let has = |letter: char, long: &str| io.argv.iter().any(|a| *a == long || letters(a) && a.contains(letter));
    let text = match (has('t', "--tuples-only"), has('A', "--no-align")) {
        (true, true) => format!("{n}"),
        (true, false) => format!(" {n:>8}\n"),
        (false, true) => format!("?column?\n{n}\n(1 row)"),
        (false, false) => format!(" ?column? \n----------\n {n:>8}\n(1 row)\n"),
    };
    io.line(text);
    0
}

/// Listens at a port, or connects and receives nothing.
fn ncat(io: &mut Io) -> Outcome {
    let listens = io.flag('l') || io.argv.iter().any(|a| a == "--listen");
    let numbers: Vec<u16> = io.argv.iter().filter_map(|a| a.parse().ok()).collect();
    let port = numbers.last().copied().unwrap_or(31337);
    if listens {
        let since = io.now + io.world.scaled(Duration::from_millis(50));
        let server: &'static Server = &NCAT;
        return Outcome::Block(Running::Serving { server, ports: vec![port], since });
    }
    let host = io.operands().first().cloned().unwrap_or_default();
    if connect(io, &host, port).is_ok() {
        return Outcome::Exit(0);
    }
    io.complain("Ncat: Connection refused.");
    Outcome::Exit(1)
}
