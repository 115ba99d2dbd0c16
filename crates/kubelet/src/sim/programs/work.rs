//! Programs that take time or memory: servers, `sleep`, `stress`, interpreters.

use super::{Io, Outcome, Running, after, calc};
use crate::sim::catalogue::{Http, Server};
use crate::sim::machine::{Machine, SIGKILL, World};
use crate::sim::{neighbours, nginx, requests};
use meta::Duration;
use std::collections::BTreeMap;

/// How fast `stress --vm` fills memory.
const GROWTH_BYTES_PER_SECOND: i64 = 100 << 20;
const GROWTH_STEP: Duration = Duration::from_millis(200);

/// Starts a server of the catalogue.
pub fn serve(m: &mut Machine, pid: u32, server: &'static Server, world: &mut World) -> Outcome {
    let Some(p) = m.procs.get(&pid) else { return Outcome::Exit(0) };
    let (argv, env, now) = (p.argv.clone(), p.env.clone(), p.clock);
    let set = |n: &&str| env.get(*n).is_some_and(|v| !v.is_empty());
    if !server.needs.is_empty() && !server.needs.iter().any(set) {
        for line in server.needs_log {
            m.emit(pid, &format!("{line}\n"), true, world);
        }
        return Outcome::Exit(1);
    }
    if server.program == "nginx"
        && let Some(outcome) = super::nginx::instead(m, pid, &argv, now, world)
    {
        return outcome;
    }
    if let Some(outcome) = super::pi_web::instead(m, pid, &argv, world) {
        return outcome;
    }
    if argv.iter().any(|a| matches!(a.as_str(), "-v" | "-V" | "--version" | "version" | "--help" | "-t")) {
        m.emit(pid, &format!("{}\n", server.program), false, world);
        return Outcome::Exit(0);
    }
    if m.spec.memory_limit_bytes.is_some_and(|l| l < i64::from(server.memory_mib) << 20) {
        return Outcome::Oom;
    }
    let is_nginx = nginx::is(server);
    let mut configured = Vec::new();
    if is_nginx {
        match nginx::Config::read(&m.fs, world.volumes) {
            Ok(config) => {
                configured = config.ports();
                m.nginx = Some(nginx::Live::new(config));
            }
            Err(why) => {
                m.emit(pid, &format!("nginx: [emerg] {why}\n"), true, world);
                return Outcome::Exit(1);
            }
        }
        if let Some((host, place)) = super::nginx::missing_host(m, pid, world) {
            let stamp = super::clock::format(now, "%Y/%m/%d %H:%M:%S");
            let why = format!("host not found in upstream \"{host}\" in {place}");
            m.emit(pid, &format!("{stamp} [emerg] {pid}#{pid}: {why}\nnginx: [emerg] {why}\n"), true, world);
            return Outcome::Exit(1);
        }
    }
    super::secrets::make(m, server.program, &env, world);
    let log: &[&str] = match server.http {
        Http::Agnhost => agnhost_log(&argv),
        // The image's entrypoint says this, not nginx.
        _ if is_nginx && pid != m.first => &[],
        _ => server.log,
    };
    for line in log {
        let script = "10-listen-on-ipv6-by-default.sh";
        if line.ends_with(script) {
            m.emit(pid, &format!("{line}\n"), false, world);
            for said in super::nginx::of_default_server(m, world) {
                m.emit(pid, &format!("{script}: info: {said}\n"), false, world);
            }
            continue;
        }
        let line = requests::filled(line, m, now);
        m.emit(pid, &format!("{line}\n"), false, world);
    }
    if is_nginx && let Some(why) = super::nginx::unwritable(m, world) {
        let stamp = super::clock::format(now, "%Y/%m/%d %H:%M:%S");
        m.emit(pid, &format!("{stamp} [emerg] {pid}#{pid}: {why}\nnginx: [emerg] {why}\n"), true, world);
        return Outcome::Exit(1);
    }
    if is_nginx {
        super::nginx::begins(m, pid, now, world);
        super::nginx::fork_workers(m, pid, now, world);
    }
    let since = now + world.scaled(Duration::from_millis(u64::from(server.ready_ms)));
    let option = |names: &[&str]| {
        let mut args = argv.iter();
        while let Some(a) = args.next() {
            for n in names {
                if let Some(v) = a.strip_prefix(n) {
                    return v.strip_prefix('=').map(str::to_string).or_else(|| args.next().cloned());
                }
            }
        }
        None
    };
    let own = option(&["--secure-port", "--http-port", "--listen-port", "--port", "-p"]);
    let own = own.and_then(|p| p.parse::<u16>().ok()).or_else(|| told(server, &env));
    let ports = match (server.http, argv.get(1).map(String::as_str)) {
        (Http::Agnhost, Some("pause")) => Vec::new(),
        (Http::Agnhost, Some("serve-hostname")) => vec![own.unwrap_or(9376)],
        (Http::Agnhost, Some("guestbook")) => vec![own.unwrap_or(3000)],
        (Http::Hello(_) | Http::Grpc, _) => {
            env.get("PORT").and_then(|p| p.parse().ok()).map_or_else(|| server.ports.to_vec(), |p| vec![p])
        }
        _ if is_nginx => configured,
        // The first is what it is there for; the others are for metrics, health and the like.
        _ => match (own, server.ports.split_first()) {
            (Some(p), Some((_, others))) if !others.contains(&p) => [&[p], others].concat(),
            (Some(p), None) => vec![p],
            _ => server.ports.to_vec(),
        },
    };
    Outcome::Block(Running::Serving { server, ports, since })
}

/// The port that the environment names: `ASPNETCORE_URLS=http://+:5001` for ASP.NET.
fn told(server: &Server, env: &BTreeMap<String, String>) -> Option<u16> {
    let said = match server.program {
        "dotnet" => env.get("ASPNETCORE_URLS")?,
        "/webcolor" => env.get("PORT")?,
        "/echo-basic" => env.get("HTTP_PORT")?,
        _ => return None,
    };
    said.trim_end_matches('/').rsplit(':').next()?.parse().ok()
}

fn agnhost_log(argv: &[String]) -> &'static [&'static str] {
    match argv.get(1).map(String::as_str) {
        Some("pause") => &["Paused"],
        Some("netexec") => &["{go} Started HTTP server on port 8080", "{go} Started UDP server on port  8081"],
        Some("serve-hostname") => &["Serving on port 9376."],
        _ => &[],
    }
}

/// `1.5`, `2m`, `1h`, `infinity`; several add up. `None`: for ever.
fn duration(args: &[String], unit_micros: u64) -> Result<Option<Duration>, String> {
    let mut total = Duration::ZERO;
    for a in args {
        if a == "infinity" || a == "inf" {
            return Ok(None);
        }
        let (number, unit) = match a.as_bytes().last() {
            Some(b's') => (&a[..a.len() - 1], 1_000_000),
            Some(b'm') => (&a[..a.len() - 1], 60_000_000),
            Some(b'h') => (&a[..a.len() - 1], 3_600_000_000),
            Some(b'd') => (&a[..a.len() - 1], 86_400_000_000),
            _ => (a.as_str(), unit_micros),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let bad = || a.clone();
        let mut micros =
            (if whole.is_empty() { 0 } else { whole.parse::<u64>().map_err(|_| bad())? }).saturating_mul(unit);
        let mut scale = unit;
        for d in fraction.chars() {
            scale /= 10;
            micros += u64::from(d.to_digit(10).ok_or_else(bad)?) * scale;
        }
        total = total + Duration(micros);
    }
    Ok(Some(total))
}

pub fn sleep(io: &mut Io) -> Outcome {
    let micros = if io.argv[0].ends_with("usleep") { 1 } else { 1_000_000 };
    let args = io.operands();
    if args.is_empty() {
        io.complain(if io.is_busybox() {
            "sleep: missing operand"
        } else {
            "sleep: missing operand\nTry 'sleep --help' for more information."
        });
        return Outcome::Exit(1);
    }
    match duration(&args, micros) {
        Ok(None) => Outcome::Block(Running::Forever),
        Ok(Some(d)) => Outcome::Sleep(after(io, d), Running::Ending(0)),
        Err(bad) => {
            io.complain(if io.is_busybox() {
                format!("sleep: invalid number '{bad}'")
            } else {
                format!("sleep: invalid time interval '{bad}'\nTry 'sleep --help' for more information.")
            });
            Outcome::Exit(1)
        }
    }
}

/// `timeout 5 sleep 10`: the command itself, or 124 when it would take longer.
pub fn timeout(io: &mut Io) -> Outcome {
    let operands = io.operands();
    let limit = duration(&operands[..operands.len().min(1)], 1_000_000).ok().flatten();
    let Some(limit) = limit.filter(|_| operands.len() > 1) else { return Outcome::Exit(125) };
    let at = io.argv.iter().position(|a| *a == operands[1]).unwrap_or(1);
    let rest = io.argv[at..].to_vec();
    if rest[0].ends_with("sleep") {
        return match duration(&rest[1..], 1_000_000) {
            Ok(Some(d)) if d <= limit => Outcome::Sleep(after(io, d), Running::Ending(0)),
            _ => Outcome::Sleep(after(io, limit), Running::Ending(124)),
        };
    }
    match io.m.procs.get_mut(&io.pid).filter(|p| p.argv == io.argv) {
        Some(p) => {
            p.argv = rest;
            Outcome::Sleep(io.now, Running::Start)
        }
        // Not in a process of its own yet: the shell makes one and comes back.
        None => Outcome::Block(Running::Start),
    }
}

pub fn kill(io: &mut Io) -> i32 {
    let (mut signal, mut code) = (15, 0);
    let mut pids = Vec::new();
    let mut args = io.argv.iter().skip(1);
    while let Some(a) = args.next() {
        let name = match a.strip_prefix('-') {
            Some("s") => args.next().map(String::as_str),
            other => other,
        };
        match name {
            Some(n) => signal = signal_number(n).unwrap_or(15),
            None => pids.push(a.clone()),
        }
    }
    for p in pids {
        let known = p.parse().is_ok_and(|pid: u32| send(io, pid, signal));
        if !known {
            io.complain(format!("sh: can't kill pid {p}: No such process"));
            code = 1;
        }
    }
    code
}

/// `pidof NAME`, `pgrep [-l] [-f] PATTERN`, `pkill [-SIGNAL] PATTERN`, `killall NAME`
pub fn by_name(io: &mut Io, program: &str) -> i32 {
    let mut signal = 15;
    for a in io.argv.iter().skip(1) {
        if let Some(n) = a.strip_prefix('-').and_then(signal_number) {
            signal = n;
        }
    }
    let wanted = io.operands();
    let (whole, long) = (io.flag('f'), io.flag('l'));
    let own = io.pid;
    let fits = |title: &str| {
        let first = title.split(' ').next().unwrap_or("");
        let name = first.rsplit('/').next().unwrap_or(first).trim_end_matches(':');
        wanted.iter().any(|w| match program {
            "pidof" | "killall" => name == w.rsplit('/').next().unwrap_or(w),
            _ if whole => regex_lite::Regex::new(w).is_ok_and(|r| r.is_match(title)),
            _ => regex_lite::Regex::new(w).is_ok_and(|r| r.is_match(name)),
        })
    };
    let mut found = neighbours::rows(io.m, io.world.peers);
    found.retain(|r| r.pid != own && fits(&r.title));
    match program {
        // The newest first.
        "pidof" if !found.is_empty() => {
            let all: Vec<String> = found.iter().rev().map(|r| r.pid.to_string()).collect();
            io.line(all.join(" "));
        }
        "pgrep" => {
            for r in &found {
                io.line(if long { format!("{} {}", r.pid, r.title) } else { r.pid.to_string() });
            }
        }
        "pkill" | "killall" => {
            for r in &found {
                send(io, r.pid, signal);
            }
            if program == "killall" && found.is_empty() {
                io.complain(format!("killall: {}: no process killed", wanted.first().map_or("", String::as_str)));
            }
        }
        _ => {}
    }
    i32::from(found.is_empty())
}

/// Sends a signal to a process that this one sees.
fn send(io: &mut Io, pid: u32, signal: i32) -> bool {
    // The namespace's first process is safe from its own.
    if pid == 1 && (signal == SIGKILL || neighbours::has_sandbox(io.m)) {
        return true;
    }
    if signal == 0 && io.m.procs.contains_key(&pid) || io.m.signal(pid, signal, io.now) {
        return true;
    }
    let Some(id) = neighbours::owner(io.m, io.world.peers, pid) else { return false };
    io.world.signals.push((id, pid, signal));
    true
}

pub fn signal_number(name: &str) -> Option<i32> {
    let name = name.strip_prefix("SIG").unwrap_or(name);
    Some(match name {
        "HUP" => 1,
        "INT" => 2,
        "QUIT" => 3,
        "KILL" => 9,
        "USR1" => 10,
        "USR2" => 12,
        "TERM" => 15,
        "EXIT" => 0,
        n => n.parse().ok()?,
    })
}

fn bytes(s: &str) -> i64 {
    let digits = s.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match s[digits.len()..].to_ascii_uppercase().as_str() {
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        _ => 1,
    };
    digits.parse::<i64>().unwrap_or(0).saturating_mul(unit)
}

/// The documentation's memory example: `stress --vm 1 --vm-bytes 250M --vm-hang 1`.
pub fn stress(io: &mut Io, name: &str) -> Outcome {
    let option = |name: &str| {
        let i = io.argv.iter().position(|a| a == name)?;
        io.argv.get(i + 1).cloned()
    };
    let hogs = |n: &str| option(n).and_then(|s| s.parse::<i64>().ok()).unwrap_or(0);
    let (cpu, io_hogs) = (hogs("--cpu").max(hogs("-c")), hogs("--io").max(hogs("-i")));
    let vm = hogs("--vm").max(hogs("-m"));
    let vm_bytes = option("--vm-bytes").map_or(256 << 20, |s| bytes(&s));
    let time = option("--timeout").or_else(|| option("-t"));
    if name == "stress-ng" {
        let hogs = [(cpu, "cpu"), (io_hogs, "io"), (vm, "vm")].into_iter().filter(|(n, _)| *n > 0);
        let hogs: Vec<String> = hogs.map(|(n, what)| format!("{n} {what}")).collect();
        io.line(format!("stress-ng: info:  [1] dispatching hogs: {}", hogs.join(", ")));
    } else {
        io.line(format!("stress: info: [1] dispatching hogs: {cpu} cpu, {io_hogs} io, {vm} vm, 0 hdd"));
    }
    if vm > 0 {
        let wanted = vm.saturating_mul(vm_bytes);
        return Outcome::Sleep(after(io, GROWTH_STEP), Running::Growing(-wanted));
    }
    let hogging = Running::Hogging { milli: u64::try_from(cpu).unwrap_or(0) * 1000, code: 0 };
    match time.map(|t| duration(&[t], 1_000_000)) {
        Some(Ok(Some(d))) => Outcome::Sleep(after(io, d), hogging),
        _ => Outcome::Block(hogging),
    }
}

/// `vish/stress`: `-cpus N`, `-mem-total BYTES`; it never ends by itself.
pub fn go_stress(io: &mut Io) -> Outcome {
    let option = |name: &str| {
        let i = io.argv.iter().position(|a| a.trim_start_matches('-') == name)?;
        io.argv.get(i + 1).cloned()
    };
    let (cpus, mem) = (option("cpus").unwrap_or_else(|| "0".into()), option("mem-total").unwrap_or_else(|| "0".into()));
    let wanted = bytes(&mem);
    let head = requests::klog(io.now);
    io.complain(format!(
        "{head} main.go:26] Allocating {mem:?} memory, in \"4Ki\" chunks, with a 1ms sleep between allocations"
    ));
    io.complain(format!("{head} main.go:39] Spawning {cpus} cpu goroutines to consume cpu"));
    if wanted > 0 {
        return Outcome::Sleep(after(io, GROWTH_STEP), Running::Growing(-wanted));
    }
    let milli = cpus.parse::<u64>().unwrap_or(0) * 1000;
    Outcome::Block(Running::Hogging { milli, code: 0 })
}

/// How much of `wanted` a growing program has taken after so long.
pub fn grown(wanted: u64, after: Duration) -> u64 {
    wanted.min(after.0.saturating_mul(GROWTH_BYTES_PER_SECOND.unsigned_abs()) / 1_000_000)
}

/// What is still wanted is negative; the limit is met on the way or never.
pub fn grow(m: &mut Machine, pid: u32, left: i64, world: &mut World) -> Outcome {
    let Some(p) = m.procs.get(&pid) else { return Outcome::Exit(0) };
    let wanted = -left;
    match m.spec.memory_limit_bytes {
        Some(limit) if wanted > limit => {
            let micros = limit.saturating_mul(1_000_000) / GROWTH_BYTES_PER_SECOND;
            let full = m.started + world.scaled(Duration(u64::try_from(micros).unwrap_or(0)));
            if p.clock < full {
                return Outcome::Sleep(full, Running::Growing(left));
            }
            Outcome::Oom
        }
        _ => {
            let full = m.started
                + world.scaled(Duration(
                    u64::try_from(wanted.saturating_mul(1_000_000) / GROWTH_BYTES_PER_SECOND).unwrap_or(0),
                ));
            if p.clock < full {
                // It is looked at once more when it is as big as it gets.
                return Outcome::Sleep(full, Running::Growing(left));
            }
            Outcome::Block(Running::Growing(left))
        }
    }
}

/// `tail -f FILE`: looks again every second.
pub fn follow(m: &mut Machine, pid: u32, path: String, seen: usize, world: &mut World) -> Outcome {
    let data = m.fs.read(&path, world.volumes).unwrap_or_default();
    if data.len() > seen {
        m.emit_bytes(pid, &data[seen..], false, world);
    }
    let at = m.procs.get(&pid).map_or(meta::Time(0), |p| p.clock) + world.scaled(Duration::from_secs(1));
    Outcome::Sleep(at, Running::Following(path, data.len()))
}

/// Interpreters know the one-liners of documentation's examples.
pub fn interpreter(io: &mut Io, name: &str) -> Outcome {
    let args = &io.argv[1..];
    let text = args.join(" ");
    if args.is_empty() {
        return Outcome::Exit(0);
    }
    if args.iter().any(|a| matches!(a.as_str(), "--version" | "-V" | "-v" | "version")) {
        let version = match name {
            "python" | "python3" => "Python 3.12.5",
            "node" => "v22.6.0",
            "go" => "go version go1.23.0 linux/amd64",
            _ => "This is perl 5, version 40",
        };
        io.line(version);
        return Outcome::Exit(0);
    }
    if let Some(n) = text.split("bpi(").nth(1).and_then(|t| t.split(')').next()) {
        let digits: usize = n.parse().unwrap_or(100);
        let pi = calc::pi(digits);
        io.line(pi);
        // Perl needs some seconds for two thousand digits.
        let micros = u64::try_from(digits.min(10_000)).unwrap_or(0) * 2_000;
        return Outcome::Sleep(after(io, Duration(micros)), Running::Hogging { milli: 1000, code: 0 });
    }
    if let Some(port) = text.strip_prefix("-m http.server").map(str::trim) {
        let port = port.split(' ').next().and_then(|p| p.parse().ok()).unwrap_or(8000);
        io.line(format!("Serving HTTP on 0.0.0.0 port {port} (http://0.0.0.0:{port}/) ..."));
        static PYTHON: Server =
            Server { program: "python3", http: Http::Files("/"), ..crate::sim::catalogue::servers::HELLO_1 };
        let since = after(io, Duration::from_millis(200));
        return Outcome::Block(Running::Serving { server: &PYTHON, ports: vec![port], since });
    }
    if let Some(i) = args.iter().position(|a| matches!(a.as_str(), "-c" | "-e"))
        && let Some(code) = args.get(i + 1).cloned()
    {
        if name.starts_with("python") {
            let argv = std::iter::once("-c".into()).chain(args[i + 2..].iter().cloned()).collect();
            return super::python::start(io, &code, argv);
        }
        return Outcome::Exit(one_liner(io, &code));
    }
    let file = args.iter().find(|a| !a.starts_with('-')).cloned().unwrap_or_default();
    let path = io.path(&file);
    if !io.m.fs.exists(&path, io.world.volumes) {
        io.complain(format!("{name}: can't open file '{path}': [Errno 2] No such file or directory"));
        return Outcome::Exit(2);
    }
    io.complain(format!("{name}: only one-line programs are simulated"));
    Outcome::Exit(1)
}

/// `print("text")`, `exit(3)`, `raise ...`; statements apart by `;`.
fn one_liner(io: &mut Io, code: &str) -> i32 {
    for statement in code.split([';', '\n']).map(str::trim).filter(|s| !s.is_empty()) {
        let call = statement.split_once('(').map(|(f, a)| (f.trim(), a.trim_end_matches(')').trim()));
        match call {
            Some(("print" | "console.log", arg)) => {
                let text = arg.trim_matches(['"', '\'']).to_string();
                io.line(text);
            }
            Some(("exit" | "sys.exit" | "os._exit" | "process.exit", arg)) => return arg.parse().unwrap_or(0),
            _ if statement.starts_with("import ") => {}
            _ if statement.starts_with("raise") => {
                io.complain(format!("Traceback (most recent call last):\n{statement}"));
                return 1;
            }
            _ => {
                io.complain(format!("{statement}: this program is not simulated"));
                return 1;
            }
        }
    }
    0
}
