//! The process `redis-server`: how it starts, what it prints, how it ends.

use super::config::{Config, arguments};
use super::{Back, Redis, persistence, served};
use crate::pod::images::ImageRef;
use crate::runtime::ContainerId;
use crate::sim::catalogue::Server;
use crate::sim::fs::normalize;
use crate::sim::machine::{Kind, Machine, State, World};
use crate::sim::net::{Answer, Call, NetError, Server as Asked, Talk};
use crate::sim::programs::{self, Outcome, Running, clock};
use meta::{Duration, Rng, Time};
use std::collections::BTreeMap;

/// What a command takes.
const WORK: Duration = Duration::from_micros(20);

/// The newest of the lines of versions that tags name in part.
const NEWEST: &[(u32, u32, u32)] = &[
    (2, 6, 17),
    (2, 8, 23),
    (3, 0, 7),
    (3, 2, 12),
    (4, 0, 14),
    (5, 0, 14),
    (6, 0, 20),
    (6, 2, 19),
    (7, 0, 15),
    (7, 2, 11),
    (7, 4, 6),
    (8, 0, 4),
    (8, 2, 2),
];

/// The version that an image's tag names.
fn version(image: &str) -> (u32, u32, u32) {
    let r = ImageRef::parse(image).ok();
    let repository = r.as_ref().map(|r| r.repository.clone()).unwrap_or_default();
    // These have a version of their own.
    let tag = match repository.as_str() {
        r if r.ends_with("gb-redis-follower") => "6.0".to_string(),
        r if r.ends_with("gb-redisslave") || r.ends_with("redis-slave") || r == "redis" => "3.2".to_string(),
        _ => r.map(|r| r.tag).unwrap_or_default(),
    };
    let tag = if repository == "library/redis" && tag.starts_with(|c: char| !c.is_ascii_digit()) {
        "8.2".into()
    } else {
        tag
    };
    let numbers: Vec<u32> = tag.split(['-', '.']).map_while(|n| n.parse().ok()).collect();
    let fits =
        |v: &&(u32, u32, u32)| numbers.first().is_none_or(|n| *n == v.0) && numbers.get(1).is_none_or(|n| *n == v.1);
    match numbers.as_slice() {
        [a, b, c, ..] => (*a, *b, *c),
        _ => NEWEST.iter().rfind(fits).copied().unwrap_or(match numbers.as_slice() {
            [a, b, ..] => (*a, *b, 0),
            [a] => (*a, 0, 0),
            [] => (8, 2, 2),
        }),
    }
}

/// What an image's own start script adds to the command line.
fn completed(mut argv: Vec<String>, image: &str, env: &BTreeMap<String, String>) -> Result<Vec<String>, String> {
    let repository = ImageRef::parse(image).map(|r| r.repository).unwrap_or_default();
    let get = |n: &str| env.get(n).map(String::as_str).unwrap_or_default();
    let alone = argv.len() == 1;
    let leader = match repository.as_str() {
        r if r.ends_with("gb-redis-follower") => Some(("--replicaof", "redis-leader", "REDIS_LEADER_SERVICE_HOST")),
        r if r.ends_with("gb-redisslave") || r.ends_with("/redis-slave") || r == "redis-slave" => {
            Some(("--slaveof", "redis-master", "REDIS_MASTER_SERVICE_HOST"))
        }
        _ => None,
    };
    if let (Some((option, name, variable)), true) = (leader, alone) {
        let host = if get("GET_HOSTS_FROM") == "env" { get(variable) } else { name };
        argv.extend([option.into(), host.into(), "6379".into()]);
    }
    if repository.ends_with("bitnami/redis") && alone {
        let password = get("REDIS_PASSWORD");
        if password.is_empty() && get("ALLOW_EMPTY_PASSWORD") != "yes" {
            return Err("The REDIS_PASSWORD environment variable is empty or not set. Set the environment variable \
                        ALLOW_EMPTY_PASSWORD=yes to allow the container to be started with blank passwords. This is \
                        recommended only for development."
                .into());
        }
        if !password.is_empty() {
            argv.extend(["--requirepass".into(), password.into()]);
        }
        if !get("REDIS_PORT_NUMBER").is_empty() {
            argv.extend(["--port".into(), get("REDIS_PORT_NUMBER").into()]);
        }
        if matches!(get("REDIS_REPLICATION_MODE"), "slave" | "replica") {
            let port = Some(get("REDIS_MASTER_PORT_NUMBER")).filter(|p| !p.is_empty()).unwrap_or("6379");
            argv.extend(["--replicaof".into(), get("REDIS_MASTER_HOST").into(), port.into()]);
            if !get("REDIS_MASTER_PASSWORD").is_empty() {
                argv.extend(["--masterauth".into(), get("REDIS_MASTER_PASSWORD").into()]);
            }
        }
    }
    Ok(argv)
}

pub(super) fn print(m: &mut Machine, pid: u32, role: char, line: &(char, String), world: &mut World) {
    let now = m.procs.get(&pid).map_or(Time(0), |p| p.clock);
    let stamp = clock::format(now, "%d %b %Y %H:%M:%S");
    let millis = now.as_micros() / 1_000 % 1_000;
    let (level, text) = line;
    m.emit(pid, &format!("{pid}:{role} {stamp}.{millis:03} {level} {text}\n"), false, world);
}

/// `redis-server ...`
pub fn start(m: &mut Machine, pid: u32, server: &'static Server, world: &mut World) -> Outcome {
    let Some(p) = m.procs.get(&pid) else { return Outcome::Exit(0) };
    let (argv, env, cwd, now) = (p.argv.clone(), p.env.clone(), p.cwd.clone(), p.clock);
    let version = version(&m.spec.image);
    let (a, b, c) = version;
    if argv.iter().skip(1).any(|a| a == "-v" || a == "--version") {
        m.emit(
            pid,
            &format!("Redis server v={a}.{b}.{c} sha=00000000:0 malloc=jemalloc-5.3.0 bits=64\n"),
            false,
            world,
        );
        return Outcome::Exit(0);
    }
    let argv = match completed(argv, &m.spec.image, &env) {
        Ok(argv) => argv,
        Err(why) => {
            m.emit(pid, &format!("redis ERROR ==> {why}\n"), true, world);
            return Outcome::Exit(1);
        }
    };
    let (file, lines) = arguments(&argv);
    let mut config = Config::default();
    let mut text = String::new();
    if let Some(file) = &file {
        let path = normalize(&cwd, file);
        match m.fs.read(&path, world.volumes) {
            Ok(data) => text = String::from_utf8_lossy(&data).into_owned() + "\n",
            Err(e) => {
                let why = format!("Fatal error, can't open config file '{path}': {}", e.text());
                print(m, pid, 'C', &('#', why), world);
                return Outcome::Exit(1);
            }
        }
        config.file = Some(path);
    }
    text.push_str(&lines);
    if let Err((n, line, why)) = config.read(&text) {
        let said = format!(
            "\n*** FATAL CONFIG FILE ERROR (Redis {a}.{b}.{c}) ***\nReading the configuration file, at line {n}\n>>> '{line}'\n{why}\n"
        );
        m.emit(pid, &said, true, world);
        return Outcome::Exit(1);
    }
    let dir = config.get("dir");
    if !dir.is_empty() && !m.fs.is_dir(dir, world.volumes) {
        let line = text.lines().position(|l| l.trim_start().starts_with("dir ")).map_or(0, |n| n + 1);
        let said = format!(
            "\n*** FATAL CONFIG FILE ERROR (Redis {a}.{b}.{c}) ***\nReading the configuration file, at line {line}\n>>> 'dir {dir}'\nNo such file or directory\n"
        );
        m.emit(pid, &said, true, world);
        return Outcome::Exit(1);
    }
    if m.spec.memory_limit_bytes.is_some_and(|l| l < i64::from(server.memory_mib) << 20) {
        return Outcome::Oom;
    }
    let port = u16::try_from(config.number("port")).unwrap_or(6379);
    let mut rng = Rng::new(m.rng.next_u64());
    let run_id = (0..5).map(|_| format!("{:08x}", rng.next_u32())).collect();
    let since = now + world.scaled(Duration::from_millis(u64::from(server.ready_ms)));
    let told = file.is_some() || argv.len() > 1;
    let mut r = Redis::new(server, config, version, rng);
    (r.since, r.saved, r.pid, r.run_id) = (since, now, pid, run_id);
    let leader: Vec<String> = r.config.get("replicaof").split(' ').map(String::from).collect();
    if let [host, port] = leader.as_slice() {
        r.follow(host, port.parse().unwrap_or(6379), since);
    }
    // What was a warning is a notice since 7.2.
    let level = if version >= (7, 2, 0) { '*' } else { '#' };
    print(m, pid, 'C', &(level, "oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo".into()), world);
    let started = format!("Redis version={a}.{b}.{c}, bits=64, commit=00000000, modified=0, pid={pid}, just started");
    print(m, pid, 'C', &(level, started), world);
    let no_file = "Warning: no config file specified, using the default config. In order to specify a config file use \
                   redis-server /path/to/redis.conf";
    let read = if told { (level, "Configuration loaded".into()) } else { ('#', no_file.into()) };
    print(m, pid, 'C', &read, world);
    let letter = role(&r);
    if version >= (6, 2, 0) {
        print(m, pid, letter, &('*', "monotonic clock: POSIX clock_gettime".into()), world);
    }
    print(m, pid, letter, &('*', format!("Running mode=standalone, port={port}.")), world);
    print(m, pid, letter, &(level, "Server initialized".into()), world);
    if r.has_own_volume() && !m.fs.is_dir(&r.setting("dir"), world.volumes) {
        // Where nothing can be written, what is there ends with the container all the same.
        let _ = m.fs.mkdir(&r.setting("dir"), world.volumes);
    }
    if !persistence::load(&mut r, now, m, world) {
        return Outcome::Exit(1);
    }
    let ready = if version >= (7, 2, 0) { "Ready to accept connections tcp" } else { "Ready to accept connections" };
    print(m, pid, letter, &('*', ready.into()), world);
    on(Box::new(r), now)
}

pub(super) fn role(r: &Redis) -> char {
    if r.master().is_some() { 'S' } else { 'M' }
}

impl Redis {
    /// When something is due.
    fn next(&mut self, now: Time) -> Option<Time> {
        [self.next_end(), self.next_sync(), self.next_save(now)].into_iter().flatten().min()
    }
}

/// A machine's redis, for a while without it.
fn taken(m: &mut Machine, pid: u32) -> Option<Box<Redis>> {
    let kind = &mut m.procs.get_mut(&pid)?.kind;
    match std::mem::replace(kind, Kind::Taken) {
        Kind::Program(Running::Redis(r)) => Some(r),
        other => {
            *kind = other;
            None
        }
    }
}

/// It sleeps until something is due.
fn on(mut r: Box<Redis>, now: Time) -> Outcome {
    match r.next(now) {
        Some(at) => Outcome::Sleep(at, Running::Redis(r)),
        None => Outcome::Block(Running::Redis(r)),
    }
}

/// Something is due.
pub fn run(mut r: Box<Redis>, m: &mut Machine, pid: u32, world: &mut World) -> Outcome {
    let Some(now) = m.procs.get(&pid).map(|p| p.clock) else { return Outcome::Exit(0) };
    r.end_waits(now);
    for (server, number) in r.ended_links() {
        world.calls.push(call(&m.spec.id, pid, server, number, String::new(), true));
    }
    if let Some(ask) = r.ask_leader(now) {
        let server = match ask.server {
            Some(server) => Ok(server),
            None => programs::reach(m, pid, &ask.host, ask.port, world),
        };
        match server {
            Ok(server) => {
                r.connected(&server);
                world.calls.push(call(&m.spec.id, pid, server, ask.number, ask.text, false));
            }
            Err(e) => r.heard(ask.number, Err(e), now),
        }
    }
    r.feed_followers(now);
    persistence::keep(&mut r, now, m, world);
    speak(&mut r, m, pid, world);
    on(r, now)
}

/// What somebody says to whoever listens at a server's port.
pub fn call(id: &ContainerId, pid: u32, server: Asked, connection: u32, text: String, closes: bool) -> Call {
    let talk = Talk { text, connection, closes };
    Call { id: id.clone(), pid, server, http: false, api: None, talk: Some(talk) }
}

fn speak(r: &mut Redis, m: &mut Machine, pid: u32, world: &mut World) {
    world.late.append(&mut r.late);
    let letter = role(r);
    for line in std::mem::take(&mut r.log) {
        print(m, pid, letter, &line, world);
    }
}

/// The redis of a machine that listens at a port.
fn listening(m: &Machine, port: u16, now: Time) -> Option<u32> {
    let at = |k: &Kind| matches!(k, Kind::Program(Running::Redis(r)) if r.port == port && r.since <= now);
    m.procs.iter().find(|(_, p)| !matches!(p.state, State::Done(_)) && at(&p.kind)).map(|(pid, _)| *pid)
}

/// Somebody talks to a container of the node. `Err`: nobody there speaks RESP; `Ok(None)`: the answer comes later.
pub fn talk(m: &mut Machine, back: &Back, now: Time, world: &mut World) -> Result<Option<Answer>, NetError> {
    let pid = listening(m, back.call.server.port, now).ok_or(NetError::NotHttp)?;
    let change = |m: &mut Machine, f: &mut dyn FnMut(&mut Redis)| {
        if let Some(Kind::Program(Running::Redis(r))) = m.procs.get_mut(&pid).map(|p| &mut p.kind) {
            f(r);
        }
    };
    if let Some(p) = m.procs.get_mut(&pid) {
        p.clock = p.clock.max(now);
    }
    m.serve(now, WORK);
    let mut answer = None;
    let mut lines = Vec::new();
    let (mut letter, mut memory) = ('M', 0);
    change(m, &mut |r| {
        answer = r.talk(back, now);
        r.feed_followers(now);
        world.late.append(&mut r.late);
        lines = std::mem::take(&mut r.log);
        (letter, memory) = (role(r), r.resident());
    });
    for line in &lines {
        print(m, pid, letter, line, world);
    }
    let over = m.spec.memory_limit_bytes.and_then(|l| u64::try_from(l).ok()).is_some_and(|l| memory > l);
    if over {
        m.out_of_memory(now);
        return Ok(Some(Err(NetError::NotHttp)));
    }
    let Some(mut r) = taken(m, pid) else { return Err(NetError::NotHttp) };
    if std::mem::take(&mut r.ends) {
        let save = r.end_save.take();
        if farewell(&mut r, save, now, m, world) {
            if let Some(p) = m.procs.get_mut(&pid) {
                p.kind = Kind::Program(Running::Ending(0));
                p.state = State::Sleeping(now);
            }
            return Ok(Some(Err(NetError::NotHttp)));
        }
        answer = Some(served("-ERR Errors trying to SHUTDOWN. Check logs.\r\n".into(), now));
    }
    if !persistence::keep(&mut r, now, m, world) {
        answer = Some(served("-ERR\r\n".into(), now));
    }
    let next = r.next(now);
    if let Some(p) = m.procs.get_mut(&pid) {
        p.kind = Kind::Program(Running::Redis(r));
    }
    if let Some(p) = m.procs.get_mut(&pid) {
        p.state = next.map_or(State::Forever, State::Sleeping);
    }
    m.count(now, world);
    Ok(answer)
}

/// The machine's processes are gone: who waits at them hears that.
pub fn hang_up(m: &mut Machine) -> Vec<super::Late> {
    let all = m.procs.values_mut().filter_map(|p| match &mut p.kind {
        Kind::Program(Running::Redis(r)) => Some(r.hang_up()),
        _ => None,
    });
    all.flatten().collect()
}

/// SIGTERM: what it says, and that its clients are on their own. Whether it ends.
pub fn terminate(r: &mut Redis, m: &mut Machine, pid: u32, signal: i32, world: &mut World) -> bool {
    let now = m.procs.get(&pid).map_or(Time(0), |p| p.clock);
    let name = if signal == crate::sim::machine::SIGINT { "SIGINT" } else { "SIGTERM" };
    m.emit(
        pid,
        &format!("{pid}:signal-handler ({}) Received {name} scheduling shutdown...\n", now.as_secs()),
        false,
        world,
    );
    farewell(r, None, now, m, world)
}

/// The end of a server, by a signal or a client. Whether it comes to it: not when data cannot be saved.
fn farewell(r: &mut Redis, save: Option<bool>, now: Time, m: &mut Machine, world: &mut World) -> bool {
    let (pid, letter) = (r.pid, role(r));
    let level = if r.version >= (7, 2, 0) { '*' } else { '#' };
    print(m, pid, letter, &(level, "User requested shutdown...".into()), world);
    if !persistence::finish(r, save, now, m, world) {
        let why = "Errors trying to shut down the server. Check the logs for more information.";
        print(m, pid, letter, &('#', why.into()), world);
        return false;
    }
    world.late.append(&mut r.hang_up());
    for (server, number) in r.last_words() {
        world.calls.push(call(&m.spec.id, pid, server, number, String::new(), true));
    }
    print(m, pid, letter, &('#', "Redis is now ready to exit, bye bye...".into()), world);
    true
}

/// What a process that is gone leaves to be said: that its connections are.
pub fn goodbyes(id: &ContainerId, pid: u32, kind: &mut Kind) -> Vec<Call> {
    let all = match kind {
        Kind::Program(Running::RedisCli(cli)) => cli.server.take().map(|server| (server, 0)).into_iter().collect(),
        Kind::Program(Running::Redis(r)) => r.last_words(),
        _ => Vec::new(),
    };
    all.into_iter().map(|(server, number)| call(id, pid, server, number, String::new(), true)).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn tags_name_versions() {
        let of = |image: &str| super::version(image);
        assert_eq!(
            (of("redis:8.0.2"), of("redis:7"), of("redis:6.0-alpine"), of("redis:5.0.4")),
            ((8, 0, 2), (7, 4, 6), (6, 0, 20), (5, 0, 4))
        );
        assert_eq!(
            (of("redis"), of("redis:alpine"), of("bitnami/redis:7.2.4-debian-12-r9").1),
            ((8, 2, 2), (8, 2, 2), 2)
        );
    }
}
