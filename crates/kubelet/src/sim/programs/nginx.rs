//! The process `nginx`: its workers, and what its options ask of it instead of serving.

use super::{Outcome, Running};
use crate::pod::images::ImageRef;
use crate::sim::machine::{Input, Kind, Machine, Output, Proc, SIGHUP, SIGINT, SIGQUIT, SIGTERM, State, World};
use crate::sim::nginx;
use meta::Time;
use std::sync::Arc;

const CONFIG: &str = "/etc/nginx/nginx.conf";

/// The version that an image's tag names.
pub fn version(image: &str) -> String {
    let r = ImageRef::parse(image).ok();
    let nginx =
        r.as_ref().is_some_and(|r| r.repository == "library/nginx" || r.repository.ends_with("nginx-unprivileged"));
    let tag = r.filter(|_| nginx).map(|r| r.tag).unwrap_or_default();
    let numbers: Vec<&str> = tag.split('-').next().unwrap_or("").split('.').collect();
    match numbers.as_slice() {
        [a, b, c] => format!("{a}.{b}.{c}"),
        // The newest of each line.
        ["1", minor] => {
            let patch = match *minor {
                "7" => 12,
                "8" => 1,
                "9" => 15,
                "10" => 3,
                "11" => 13,
                "12" => 2,
                "13" => 12,
                "14" => 2,
                "15" => 12,
                "16" => 1,
                "17" => 10,
                "18" => 0,
                "19" => 10,
                "20" => 2,
                "21" => 6,
                "22" => 1,
                "23" => 4,
                "24" => 0,
                "25" => 5,
                "26" => 3,
                "27" => 5,
                "28" => 0,
                _ => 3,
            };
            format!("1.{minor}.{patch}")
        }
        _ => "1.29.3".into(),
    }
}

/// The first host that its configuration names and nobody knows, and where it stands.
pub fn missing_host(m: &mut Machine, pid: u32, world: &mut World) -> Option<(String, String)> {
    let mut all = m.nginx.as_ref().map(|n| n.asked_for().to_vec()).unwrap_or_default().into_iter();
    // Without a cluster there is nobody to ask.
    world.view?;
    let mut io = super::io(m, pid, Vec::new(), world)?;
    all.find(|(host, _)| super::net::resolve(&mut io, host).is_empty())
}

const DEFAULT: &str = "/etc/nginx/conf.d/default.conf";

/// What the image's script `10-listen-on-ipv6-by-default.sh` has to say of the default server's file.
pub fn of_default_server(m: &Machine, world: &World) -> &'static [&'static str] {
    let Ok(text) = m.fs.read(DEFAULT, world.volumes) else {
        return &["/etc/nginx/conf.d/default.conf is not a file or does not exist"];
    };
    if m.fs.is_read_only(DEFAULT) {
        return &["can not modify /etc/nginx/conf.d/default.conf (read-only file system?)"];
    }
    const CHECKSUM: &str = "Getting the checksum of /etc/nginx/conf.d/default.conf";
    if m.image.files.iter().any(|(path, packaged)| *path == DEFAULT && packaged.as_bytes() == &*text) {
        return &[CHECKSUM, "Enabled listen on IPv6 in /etc/nginx/conf.d/default.conf"];
    }
    if String::from_utf8_lossy(&text).contains("listen  [::]:80;") {
        return &["IPv6 listen already enabled"];
    }
    &[CHECKSUM, "/etc/nginx/conf.d/default.conf differs from the packaged version"]
}

/// What nginx must make before it serves and cannot, on a file system that nobody may write to.
pub fn unwritable(m: &Machine, world: &World) -> Option<String> {
    if m.image.name != "docker.io/library/nginx" {
        return None;
    }
    let temp = "/var/cache/nginx/client_temp";
    if m.fs.is_read_only(temp) {
        return Some(format!("mkdir() \"{temp}\" failed (30: Read-only file system)"));
    }
    let config = m.fs.read(CONFIG, world.volumes).ok()?;
    let config = String::from_utf8_lossy(&config).into_owned();
    let pid = config
        .lines()
        .find_map(|l| l.trim().strip_prefix("pid ")?.trim().strip_suffix(';'))
        .unwrap_or("/run/nginx.pid");
    // `/var/run` leads to `/run`.
    let other = pid.strip_prefix("/var").map_or_else(|| format!("/var{pid}"), str::to_string);
    let is_read_only = m.fs.is_read_only(pid) && m.fs.is_read_only(&other);
    is_read_only.then(|| format!("open() \"{pid}\" failed (30: Read-only file system)"))
}

/// Notes what it does, when its error log is to have that.
pub fn notice(m: &mut Machine, pid: u32, text: &str, now: Time, world: &mut World) {
    if m.nginx.as_ref().is_some_and(nginx::Live::notices) {
        let stamp = super::clock::format(now, "%Y/%m/%d %H:%M:%S");
        m.emit(pid, &format!("{stamp} [notice] {pid}#{pid}: {text}\n"), true, world);
    }
}

/// What it notes when it begins.
pub fn begins(m: &mut Machine, pid: u32, now: Time, world: &mut World) {
    let version = version(&m.spec.image);
    for text in [
        "using the \"epoll\" event method",
        &format!("nginx/{version}"),
        "OS: Linux 6.12.0-kubottle",
        "getrlimit(RLIMIT_NOFILE): 1048576:1048576",
    ] {
        notice(m, pid, text, now, world);
    }
}

/// It was told to end: at once, or when all are answered.
pub fn ends(m: &mut Machine, pid: u32, signal: i32, now: Time, world: &mut World) {
    let text = match signal {
        SIGQUIT => "signal 3 (SIGQUIT) received, shutting down",
        SIGINT => "signal 2 (SIGINT) received, exiting",
        _ => "signal 15 (SIGTERM) received, exiting",
    };
    notice(m, pid, text, now, world);
    for w in workers(m, pid) {
        notice(m, pid, &format!("signal 17 (SIGCHLD) received from {w}"), now, world);
        notice(m, pid, &format!("worker process {w} exited with code 0"), now, world);
    }
    notice(m, pid, "exit", now, world);
}

fn workers(m: &Machine, master: u32) -> Vec<u32> {
    let is = |p: &Proc| p.parent == master && matches!(p.kind, Kind::Program(Running::Worker));
    m.procs.iter().filter(|(_, p)| is(p)).map(|(id, _)| *id).collect()
}

/// A master's children.
pub fn fork_workers(m: &mut Machine, master: u32, now: Time, world: &mut World) {
    notice(m, master, "start worker processes", now, world);
    let count = m.nginx.as_ref().map_or(0, nginx::Live::workers);
    let Some((env, cwd, mut fds)) = m.procs.get(&master).map(|p| (p.env.clone(), p.cwd.clone(), p.fds.clone())) else {
        return;
    };
    // What they write goes where their master's words go; nobody waits for them at a pipe.
    fds.stdin = Input::Null;
    if !matches!(fds.stdout, Output::Log) {
        (fds.stdout, fds.stderr) = (Output::Null, Output::Null);
    }
    for _ in 0..count {
        m.add(Proc {
            parent: master,
            kind: Kind::Program(Running::Worker),
            argv: vec!["nginx".into()],
            env: Arc::clone(&env),
            cwd: cwd.clone(),
            fds: fds.clone(),
            state: State::Forever,
            clock: now,
            pending: Vec::new(),
        });
    }
    for w in workers(m, master) {
        notice(m, master, &format!("start worker process {w}"), now, world);
    }
}

/// Its workers end.
pub fn end_workers(m: &mut Machine, master: u32) {
    m.procs.retain(|_, p| p.parent != master || !matches!(p.kind, Kind::Program(Running::Worker)));
}

/// `reload`: the ports are those of the configuration as it is now, and the workers are new ones. With a configuration that
/// is wrong it stays as it is.
pub fn renew(m: &mut Machine, master: u32, world: &mut World) {
    let now = m.procs.get(&master).map_or(Time(0), |p| p.clock);
    match nginx::Config::read(&m.fs, world.volumes) {
        Ok(config) => {
            m.nginx.get_or_insert_default().renew(config);
            notice(m, master, "signal 1 (SIGHUP) received, reconfiguring", now, world);
            notice(m, master, "reconfiguring", now, world);
            end_workers(m, master);
            fork_workers(m, master, now, world);
        }
        Err(why) => {
            let stamp = super::clock::format(now, "%Y/%m/%d %H:%M:%S");
            m.emit(master, &format!("{stamp} [emerg] {master}#{master}: {why}\n"), true, world);
        }
    }
}

/// `-v`, `-V`, `-t` and `-s SIGNAL`.
pub fn instead(m: &mut Machine, pid: u32, argv: &[String], now: Time, world: &mut World) -> Option<Outcome> {
    let has = |o: &str| argv.iter().skip(1).any(|a| a == o);
    if has("-v") || has("-V") {
        let version = version(&m.spec.image);
        m.emit(pid, &format!("nginx version: nginx/{version}\n"), true, world);
        return Some(Outcome::Exit(0));
    }
    let tests = has("-t") || has("-T");
    let signal = argv.iter().position(|a| a == "-s").map(|i| argv.get(i + 1).cloned().unwrap_or_default());
    if !tests && signal.is_none() {
        return None;
    }
    if let Err(why) = nginx::Config::read(&m.fs, world.volumes) {
        let failed = if tests { format!("nginx: configuration file {CONFIG} test failed\n") } else { String::new() };
        m.emit(pid, &format!("nginx: [emerg] {why}\n{failed}"), true, world);
        return Some(Outcome::Exit(1));
    }
    if tests {
        let said = format!(
            "nginx: the configuration file {CONFIG} syntax is ok\nnginx: configuration file {CONFIG} test is successful\n"
        );
        m.emit(pid, &said, true, world);
        return Some(Outcome::Exit(0));
    }
    let signal = signal.unwrap_or_default();
    let number = match signal.as_str() {
        "stop" => SIGTERM,
        "quit" => SIGQUIT,
        "reload" => SIGHUP,
        "reopen" => 10,
        other => {
            m.emit(pid, &format!("nginx: invalid option: \"-s {other}\"\n"), true, world);
            return Some(Outcome::Exit(1));
        }
    };
    let serves = |k: &Kind| matches!(k, Kind::Program(Running::Serving { server, .. }) if nginx::is(server));
    let Some(master) = m.procs.iter().find(|(id, p)| **id != pid && serves(&p.kind)).map(|(id, _)| *id) else {
        m.emit(pid, "nginx: [error] invalid PID number \"\" in \"/run/nginx.pid\"\n", true, world);
        return Some(Outcome::Exit(1));
    };
    let stamp = super::clock::format(now, "%Y/%m/%d %H:%M:%S");
    m.emit(pid, &format!("{stamp} [notice] {pid}#{pid}: signal process started\n"), true, world);
    if number != 10 {
        m.signal(master, number, now);
    }
    Some(Outcome::Exit(0))
}

#[cfg(test)]
mod tests {
    #[test]
    fn tags_name_versions() {
        let of = |image: &str| super::version(image);
        assert_eq!([of("nginx:1.14.2"), of("nginx:1.25-alpine"), of("nginx")], ["1.14.2", "1.25.5", "1.29.3"]);
    }
}
