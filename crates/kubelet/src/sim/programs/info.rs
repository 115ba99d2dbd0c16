//! Programs that tell about the container.

use super::clock::{told, told_gnu};
use super::list::{human as human_size, named};
use super::{Io, Outcome};
use crate::sim::neighbours;
use crate::sim::procfs::mount_lines;

pub fn date(io: &mut Io) -> i32 {
    let options = io.parsed();
    let format = options.operands.iter().find_map(|a| a.strip_prefix('+')).map(str::to_string);
    // A word that no option takes would set the clock.
    let set = options.operands.iter().find(|a| !a.starts_with('+')).cloned();
    let told = options
        .value('d')
        .map(|text| (if io.is_busybox() { told } else { told_gnu })(text, io.now).ok_or_else(|| text.to_string()));
    let file = options.value('r').map(str::to_string);
    let of_file = file.as_deref().map(|f| io.m.fs.changed_at(&io.path(f), io.world.volumes));
    if let (Some(None), Some(f)) = (of_file, &file) {
        io.complain(match io.is_busybox() {
            true => format!("date: can't stat '{f}': No such file or directory"),
            false => format!("date: {f}: No such file or directory"),
        });
        return 1;
    }
    let time = match (set, told) {
        (Some(word), _) | (None, Some(Err(word))) => {
            io.complain(format!("date: invalid date '{word}'"));
            return 1;
        }
        (None, Some(Ok(time))) => time,
        (None, None) => of_file.flatten().unwrap_or(io.now),
    };
    let iso = io.argv.iter().any(|a| a.starts_with("-I"));
    let format = match format {
        Some(f) => f,
        None if iso => "%F".into(),
        None => "%a %b %e %H:%M:%S %Z %Y".into(),
    };
    let text = super::clock::format(time, &format);
    io.line(text);
    0
}

fn id(io: &Io) -> String {
    let who = &io.m.spec.identity;
    if io.flag('u') {
        return who.uid.to_string();
    }
    if io.flag('g') {
        return who.gid.to_string();
    }
    let full = |file: &str, id: i64| {
        let name = named(io, file, id);
        if name == id.to_string() { name } else { format!("{id}({name})") }
    };
    let groups = if who.groups.is_empty() { vec![who.gid] } else { who.groups.clone() };
    let groups: Vec<String> = groups.into_iter().map(|g| full("/etc/group", g)).collect();
    format!("uid={} gid={} groups={}", full("/etc/passwd", who.uid), full("/etc/group", who.gid), groups.join(","))
}

/// What is mounted.
pub fn mount(io: &mut Io) -> i32 {
    let lines: Vec<String> = mount_lines(io.m.fs.mount_paths())
        .map(|(what, at, kind)| format!("{what} on {at} type {kind} (rw,relatime)"))
        .collect();
    lines.iter().for_each(|l| io.line(l));
    0
}

/// `nohup COMMAND`: the command runs in its place. Nobody hangs up here.
pub fn nohup(io: &mut Io) -> Outcome {
    let rest = io.argv[1..].to_vec();
    let Some(name) = rest.first().cloned() else {
        io.complain("nohup: missing operand\nTry 'nohup --help' for more information.");
        return Outcome::Exit(125);
    };
    if !super::exists(io.m.image, &name) {
        io.complain(format!("nohup: failed to run command '{name}': No such file or directory"));
        return Outcome::Exit(127);
    }
    let Some(p) = io.m.procs.get_mut(&io.pid) else { return Outcome::Exit(125) };
    p.argv = rest;
    Outcome::Sleep(io.now, super::Running::Start)
}

/// The node's memory, which is what a container sees, too.
fn free(io: &Io) -> String {
    let busybox = io.is_busybox();
    let total = crate::sim::procfs::MEMORY_KIB;
    // As /proc/meminfo says.
    let (available, unused, cached) = (7 << 20, 6 << 20, 1 << 20);
    let said = |kib: u64| match () {
        () if io.flag('h') && busybox => super::list::human_one(kib as f64 * 1024.0),
        () if io.flag('h') => format!("{}i", human_size(kib << 10)).replace("0i", if kib == 0 { "0B" } else { "0i" }),
        () if io.flag('g') => (kib >> 20).to_string(),
        () if io.flag('m') => (kib >> 10).to_string(),
        () if io.flag('b') => (kib << 10).to_string(),
        () => kib.to_string(),
    };
    let first = if busybox { 6 } else { 8 };
    let row = |name: &str, numbers: &[u64]| {
        // The numbers stand below the ends of their headings.
        let cells: String = numbers.iter().map(|n| format!("{:>12}", said(*n))).collect();
        let cells = if busybox { cells.replacen("", " ", 1) } else { cells };
        format!("{name:<first$}{cells}")
    };
    let head = match busybox {
        true => "              total        used        free      shared  buff/cache   available",
        false => "               total        used        free      shared  buff/cache   available",
    };
    let memory = [total, total - unused - cached, unused, 0, cached, available];
    format!("{head}\n{}\n{}\n", row("Mem:", &memory), row("Swap:", &[0, 0, 0]))
}

pub fn run(io: &mut Io, name: &str) -> Outcome {
    let operands = io.operands();
    let first = operands.first().cloned().unwrap_or_default();
    let mut code = 0;
    match name {
        "hostname" => {
            let spec = &io.m.spec;
            let full = if spec.fqdn.is_empty() { &spec.hostname } else { &spec.fqdn };
            let (short, domain) = full.split_once('.').unwrap_or((full, ""));
            let text = match () {
                () if io.flag('i') || io.flag('I') => spec.pod_ip.clone(),
                () if io.flag('f') => full.clone(),
                () if io.flag('d') => domain.to_string(),
                () if io.flag('s') => short.to_string(),
                () => spec.hostname.clone(),
            };
            io.line(text);
        }
        "env" | "printenv" if first.is_empty() => {
            let all: Vec<String> = io.env.iter().map(|(k, v)| format!("{k}={v}")).collect();
            all.iter().for_each(|l| io.line(l));
        }
        "printenv" => {
            for name in io.argv.iter().skip(1).cloned().collect::<Vec<_>>() {
                match io.env.get(&name).cloned() {
                    Some(v) => io.line(v),
                    None => code = 1,
                }
            }
        }
        "uname" => {
            let host = io.m.spec.hostname.clone();
            let text = match io.argv.get(1).map(String::as_str) {
                Some("-a") => format!("Linux {host} 6.12.0-kubottle #1 SMP x86_64 GNU/Linux"),
                Some("-r") => "6.12.0-kubottle".into(),
                Some("-m") => "x86_64".into(),
                Some("-n") => host,
                _ => "Linux".into(),
            };
            io.line(text);
        }
        "id" => {
            let text = id(io);
            io.line(text);
        }
        "whoami" => match (io.m.spec.identity.uid, named(io, "/etc/passwd", io.m.spec.identity.uid)) {
            (uid, name) if name != uid.to_string() => io.line(name),
            (uid, _) => {
                io.complain(if io.is_busybox() {
                    format!("whoami: unknown uid {uid}")
                } else {
                    format!("whoami: cannot find name for user ID {uid}")
                });
                code = 1;
            }
        },
        "nproc" => {
            let n = io.m.spec.cpu_limit_milli.map_or(4, |m| (m + 999) / 1000).max(1);
            io.line(n.to_string());
        }
        "pwd" => {
            let cwd = crate::sim::fs::seen(&io.cwd).to_string();
            io.line(cwd);
        }
        "basename" => {
            let mut base = first.trim_end_matches('/').rsplit('/').next().unwrap_or("").to_string();
            if let Some(s) = operands.get(1).and_then(|suffix| base.strip_suffix(suffix.as_str())) {
                base = s.to_string();
            }
            io.line(base);
        }
        "dirname" => {
            let dir = match first.trim_end_matches('/').rsplit_once('/') {
                Some(("", _)) => "/",
                Some((d, _)) => d,
                None => ".",
            };
            io.line(dir);
        }
        "which" => {
            for o in &operands {
                if super::exists(io.m.image, o) {
                    io.line(format!("/bin/{o}"));
                } else {
                    code = 1;
                }
            }
        }
        "ps" | "top" => {
            io.line("PID   USER     TIME  COMMAND");
            for r in neighbours::rows(io.m, io.world.peers) {
                // The sandbox's user has no name in any image.
                let user = named(io, "/etc/passwd", r.uid);
                io.line(format!("{:>5} {user:<8}  0:00 {}", r.pid, r.title));
            }
        }
        "df" => {
            let human = io.flag('h');
            io.line(if human {
                "Filesystem                Size      Used Available Use% Mounted on"
            } else {
                "Filesystem           1K-blocks      Used Available Use% Mounted on"
            });
            let places = io.operands();
            for path in if places.is_empty() { vec!["/".to_string()] } else { places } {
                let full = io.m.fs.is_full(&io.path(&path), io.world.volumes);
                let (used, free, share) = if full { (104_857_600, 0, 100) } else { (10_485_760, 94_371_840, 10) };
                let size = |kib: u64| if human { human_size(kib << 10) } else { kib.to_string() };
                let (all, used, free) = (size(104_857_600), size(used), size(free));
                io.line(format!("overlay              {all:>9} {used:>9} {free:>9} {share:>3}% {path}"));
            }
        }
        "free" => {
            let text = free(io);
            io.say(text);
        }
        "uptime" => {
            let text = super::clock::format(io.now, " %H:%M:%S up 1 day, load average: 0.00, 0.00, 0.00");
            io.line(text);
        }
        // `env NAME=VALUE command`: the command runs in place of env.
        "env" => {
            let mut env = (*io.env).clone();
            let mut rest = io.argv[1..].to_vec();
            while let Some((k, v)) = rest.first().and_then(|a| a.split_once('=')) {
                env.insert(k.into(), v.into());
                rest.remove(0);
            }
            if rest.is_empty() {
                let all: Vec<String> = env.iter().map(|(k, v)| format!("{k}={v}")).collect();
                all.iter().for_each(|l| io.line(l));
                return Outcome::Exit(0);
            }
            if let Some(p) = io.m.procs.get_mut(&io.pid).filter(|p| p.argv == io.argv) {
                p.argv = rest;
                p.env = std::sync::Arc::new(env);
                return Outcome::Sleep(io.now, super::Running::Start);
            }
            return Outcome::Block(super::Running::Start);
        }
        _ => code = 1,
    }
    Outcome::Exit(code)
}
