//! A redis: data in memory, spoken to in RESP. Whoever waits at it (`BLPOP`, a replica) is answered when there is
//! something.

mod aof;
pub mod commands;
pub mod config;
mod data;
mod info;
mod persistence;
pub mod process;
mod rdb;
mod replication;
pub mod reply;
#[cfg(test)]
mod tests;

use super::catalogue::Server;
use super::net::{Answer, Call, Response, Served, Server as Asked};
use commands::{Command, Cx, Done, MISSING};
use config::Config;
use data::{Db, Value};
use meta::{Duration, Rng, Time};
use reply::Reply;
use std::collections::{BTreeMap, VecDeque};

/// What a server takes up that holds nothing.
pub const STARTUP_BYTES: u64 = 900 << 10;
/// And what its program and libraries do beside that.
const PROGRAM_BYTES: u64 = 4 << 20;
/// Connections that nobody has closed are forgotten when there are more.
const CONNECTIONS: usize = 1_000;
/// All that a server keeps here: real ones have their machine's memory.
const DATA_BYTES: u64 = 256 << 20;

/// What a client has said on its connection.
#[derive(Clone, Debug, Default)]
struct Session {
    db: usize,
    known: bool,
    name: String,
    /// Commands after `MULTI`.
    queue: Option<Vec<Vec<String>>>,
    /// One of them was wrong.
    spoilt: bool,
    /// Keys that are to stay as they are until `EXEC`, and their last change.
    watched: Vec<(usize, String, Option<u64>)>,
    /// It has said `QUIT`.
    over: bool,
    opened: u64,
}

/// Who waits for a key.
#[derive(Clone, Debug)]
struct Waiter {
    back: Back,
    db: usize,
    argv: Vec<String>,
    until: Option<Time>,
}

/// Where an answer goes to: the node, and the call that it answers.
#[derive(Clone, Debug)]
pub struct Back {
    pub node: String,
    pub call: Call,
}

impl Back {
    /// The connection: a process's.
    fn connection(&self) -> String {
        let (id, talk) = (&self.call.id, self.call.talk.as_ref());
        let line = talk.map_or(0, |t| t.connection);
        format!("{}/{}/{}/{}/{}/{line}", self.node, id.pod_uid, id.container, id.attempt, self.call.pid)
    }
}

/// An answer that comes later.
pub type Late = (Back, Answer);

#[derive(Clone, Debug, Default)]
pub struct Stats {
    connections: u64,
    commands: u64,
    expired: u64,
    evicted: u64,
    hits: u64,
    misses: u64,
    errors: u64,
}

#[derive(Clone, Debug)]
pub struct Redis {
    pub server: &'static Server,
    pub port: u16,
    /// When it began (or will begin) to listen.
    pub since: Time,
    pub pid: u32,
    pub config: Config,
    pub version: (u32, u32, u32),
    pub run_id: String,
    dbs: BTreeMap<usize, Db>,
    sessions: BTreeMap<String, Session>,
    waiters: VecDeque<Waiter>,
    /// Lines that it has to print: a level and a text.
    pub log: Vec<(char, String)>,
    /// Answers that are due.
    pub late: Vec<Late>,
    /// A client has asked it to end.
    pub ends: bool,
    stats: Stats,
    /// Changes since then.
    dirty: u64,
    /// When it wrote `dump.rdb` last.
    saved: Time,
    save_asked: bool,
    /// How `SHUTDOWN` was said.
    end_save: Option<bool>,
    /// The change up to which the file of commands goes, and when it is to go on.
    logged: u64,
    log_due: Option<Time>,
    /// Why it could not be written, so that this is said once.
    log_trouble: String,
    peak: u64,
    rng: Rng,
    role: replication::Role,
    followers: Vec<replication::Follower>,
    /// Connections to leaders that it has had.
    links: u32,
    /// Those that it ends: since when, to whom, which one.
    goodbyes: Vec<(Time, Asked, u32)>,
    /// All changes of all keys.
    changes: u64,
    /// Bytes that went to replicas.
    pub offset: u64,
}

pub fn served(text: String, now: Time) -> Answer {
    Ok(Some(Served { response: Response::new(200, text), work: Duration::ZERO, done: now }))
}

impl Redis {
    /// A server that holds nothing, and listens from the beginning.
    pub fn new(server: &'static Server, config: Config, version: (u32, u32, u32), rng: Rng) -> Self {
        let port = u16::try_from(config.number("port")).unwrap_or(6379);
        Redis {
            server,
            port,
            since: Time(0),
            pid: 1,
            config,
            version,
            run_id: String::new(),
            dbs: BTreeMap::new(),
            sessions: BTreeMap::new(),
            waiters: VecDeque::new(),
            log: Vec::new(),
            late: Vec::new(),
            ends: false,
            stats: Stats::default(),
            dirty: 0,
            saved: Time(0),
            save_asked: false,
            end_save: None,
            logged: 0,
            log_due: None,
            log_trouble: String::new(),
            peak: 0,
            rng,
            role: replication::Role::Leader,
            followers: Vec::new(),
            links: 0,
            goodbyes: Vec::new(),
            changes: 0,
            offset: 0,
        }
    }
    fn ensure(&mut self, n: usize) -> &mut Db {
        self.dbs.entry(n).or_default()
    }
    fn filled(&self) -> impl Iterator<Item = (usize, &Db)> {
        self.dbs.iter().filter(|(_, db)| db.len() > 0).map(|(n, db)| (*n, db))
    }
    fn forget_all(&mut self) {
        self.dbs.clear();
    }
    /// The time of a use, and its number: virtual time may stand still between two commands.
    fn stamp(&self, now: Time) -> (Time, u64) {
        (now, self.stats.commands)
    }
    fn draw(&mut self, below: usize) -> usize {
        self.rng.below(u32::try_from(below).unwrap_or(u32::MAX)) as usize
    }
    fn connections(&self) -> usize {
        self.sessions.len()
    }
    fn blocked(&self) -> usize {
        self.waiters.len()
    }
    fn reset_stats(&mut self) {
        self.stats = Stats::default();
    }
    fn setting(&self, name: &str) -> String {
        match name {
            "port" => self.port.to_string(),
            "dir" if self.config.get("dir").is_empty() => "/data".into(),
            _ => self.config.get(name).to_string(),
        }
    }

    pub fn used_memory(&self) -> u64 {
        STARTUP_BYTES + self.dbs.values().map(|d| d.bytes).sum::<u64>()
    }
    /// What the container's memory holds of it.
    pub fn resident(&self) -> u64 {
        PROGRAM_BYTES + self.peak.max(self.used_memory())
    }

    /// Evicts keys until what is used fits, as far as the policy lets it; whether it fits now.
    fn make_room(&mut self) -> bool {
        let most = self.config.number("maxmemory");
        while most > 0 && self.used_memory() > most {
            let Some((db, key)) = self.victim() else { return false };
            self.ensure(db).remove(&key);
            self.stats.evicted += 1;
            self.changed(db, &[]);
            self.propagate(db, &["DEL".into(), key]);
        }
        true
    }

    /// Who goes next. Real servers take the oldest of a few that they draw, this one of all.
    fn victim(&mut self) -> Option<(usize, String)> {
        let policy = self.config.get("maxmemory-policy").to_string();
        if policy == "noeviction" {
            return None;
        }
        let only_ending = policy.starts_with("volatile");
        let all = self.dbs.iter().flat_map(|(n, db)| db.iter().map(move |(k, v)| (*n, k, v)));
        let mut all: Vec<_> = all.filter(|(_, _, v)| !only_ending || v.expires.is_some()).collect();
        if policy.ends_with("random") {
            let n = self.rng.below(u32::try_from(all.len()).ok().filter(|n| *n > 0)?) as usize;
            return all.get(n).map(|(n, k, _)| (*n, (*k).clone()));
        }
        all.sort_by_key(|(_, _, v)| if policy.ends_with("ttl") { (v.expires.unwrap_or_default(), 0) } else { v.used });
        all.first().map(|(n, k, _)| (*n, (*k).clone()))
    }

    /// Somebody says something on a connection; what is answered, unless that comes later.
    pub fn talk(&mut self, back: &Back, now: Time) -> Option<Answer> {
        let Some(talk) = back.call.talk.clone() else { return Some(Ok(None)) };
        let id = back.connection();
        if talk.closes && talk.text.is_empty() {
            self.gone(&id);
            return Some(served(String::new(), now));
        }
        self.purge(now);
        self.forget_silent(now);
        let hidden = self.hide(now);
        let mut session = self.sessions.remove(&id).unwrap_or_else(|| {
            self.stats.connections += 1;
            Session { opened: self.stats.connections, ..Session::default() }
        });
        let mut out = String::new();
        let mut waits = false;
        for argv in reply::commands(&talk.text) {
            match self.say(&mut session, &argv, back, now) {
                Some(reply) => reply.encode(&mut out),
                None => waits = true,
            }
        }
        if !talk.closes && !session.over {
            self.sessions.insert(id, session);
            if self.sessions.len() > CONNECTIONS
                && let Some(oldest) = self.sessions.iter().min_by_key(|(_, s)| s.opened).map(|(k, _)| k.clone())
            {
                self.sessions.remove(&oldest);
            }
        }
        for (db, key, value) in hidden {
            self.ensure(db).put_back(key, value);
        }
        self.peak = self.peak.max(self.used_memory());
        (!waits).then(|| served(out, now))
    }

    fn purge(&mut self, now: Time) {
        if self.master().is_some() {
            return;
        }
        for (db, key, _) in self.take_over(now) {
            self.stats.expired += 1;
            self.propagate(db, &["DEL".into(), key]);
        }
    }

    /// A follower's keys end when its leader says so; until then nobody sees them.
    fn hide(&mut self, now: Time) -> Vec<(usize, String, data::Key)> {
        if self.master().is_some() { self.take_over(now) } else { Vec::new() }
    }

    /// Takes out what has come to its end.
    fn take_over(&mut self, now: Time) -> Vec<(usize, String, data::Key)> {
        let one = |(n, db): (&usize, &mut Db)| db.purge(now).into_iter().map(|(k, v)| (*n, k, v)).collect::<Vec<_>>();
        self.dbs.iter_mut().flat_map(one).collect()
    }

    /// Notes that keys have changed.
    fn changed(&mut self, db: usize, keys: &[&str]) {
        self.changes += 1;
        let version = self.changes;
        let data = self.ensure(db);
        for key in keys {
            data.weigh(key);
            data.mark(key, version);
        }
    }

    /// One command of a client. `None`: the answer comes later.
    fn say(&mut self, s: &mut Session, argv: &[String], back: &Back, now: Time) -> Option<Reply> {
        self.stats.commands += 1;
        let reply = self.judge(s, argv, back, now);
        if let Some(Reply::Error(_)) = &reply {
            self.stats.errors += 1;
        }
        reply
    }

    fn judge(&mut self, s: &mut Session, argv: &[String], back: &Back, now: Time) -> Option<Reply> {
        let error = |text: String| Some(Reply::Error(text));
        let name = argv.first().map(|n| n.to_ascii_lowercase())?;
        let own = matches!(
            name.as_str(),
            "auth"
                | "client"
                | "command"
                | "discard"
                | "exec"
                | "hello"
                | "multi"
                | "psync"
                | "quit"
                | "replconf"
                | "reset"
                | "save"
                | "bgsave"
                | "select"
                | "shutdown"
                | "unwatch"
                | "watch"
        );
        let command = Command::find(&name);
        let spoil = |s: &mut Session| s.spoilt |= s.queue.is_some();
        if command.is_none() && !own {
            spoil(s);
            return error(self.unknown(argv));
        }
        if command.is_some_and(|c| !c.takes(argv.len())) {
            spoil(s);
            return error(format!("ERR wrong number of arguments for '{name}' command"));
        }
        let secret = self.config.get("requirepass").to_string();
        if !secret.is_empty() && !s.known && !matches!(name.as_str(), "auth" | "hello" | "quit" | "reset") {
            return error("NOAUTH Authentication required.".into());
        }
        let at_once = matches!(name.as_str(), "discard" | "exec" | "multi" | "quit" | "reset" | "shutdown" | "watch");
        if own && (s.queue.is_none() || at_once) {
            return self.own_command(s, &name, argv, back, now);
        }
        if let Some(refused) = command.and_then(|c| self.refuses(c)) {
            spoil(s);
            return Some(refused);
        }
        if let Some(queue) = &mut s.queue {
            queue.push(argv.to_vec());
            return Some(Reply::Status("QUEUED".into()));
        }
        let command = command?;
        match self.carry_out(command, s.db, argv, now) {
            Done::Reply(reply) => {
                self.wake(now);
                Some(reply)
            }
            Done::Wait(patience) => {
                let until = patience.map(|d| now + d);
                self.waiters.push_back(Waiter { back: back.clone(), db: s.db, argv: argv.to_vec(), until });
                None
            }
        }
    }

    fn unknown(&self, argv: &[String]) -> String {
        let name = &argv[0];
        if MISSING.contains(&name.to_ascii_lowercase().as_str()) {
            return format!("ERR command '{name}' is not simulated");
        }
        let args = &argv[1..];
        match self.version.0 {
            7.. => {
                let args: String = args.iter().map(|a| format!("'{a}' ")).collect();
                format!("ERR unknown command '{name}', with args beginning with: {args}")
            }
            5.. => {
                let args: String = args.iter().map(|a| format!("`{a}`, ")).collect();
                format!("ERR unknown command `{name}`, with args beginning with: {args}")
            }
            _ => format!("ERR unknown command '{name}'"),
        }
    }

    fn refuses(&mut self, command: &Command) -> Option<Reply> {
        if command.grows && !self.make_room() {
            return Some(Reply::Error("OOM command not allowed when used memory > 'maxmemory'.".into()));
        }
        if command.grows && self.used_memory() > DATA_BYTES {
            let most = DATA_BYTES >> 20;
            return Some(Reply::Error(format!("ERR more than {most} MiB of data are not simulated")));
        }
        let read_only = self.master().is_some() && self.config.get("replica-read-only") == "yes";
        (command.writes && read_only)
            .then(|| Reply::Error("READONLY You can't write against a read only replica.".into()))
    }

    /// Runs a command, and notes what it has done to its keys.
    fn carry_out(&mut self, command: &Command, db: usize, argv: &[String], now: Time) -> Done {
        let done = command.run(self, &Cx { argv, db, now });
        let used = self.stamp(now);
        let keys = command.keys(argv);
        let data = self.ensure(db);
        let mut found = 0;
        for key in &keys {
            found += u64::from(data.get(key).is_some());
            data.touch(key, used);
        }
        if !command.writes {
            self.stats.hits += found;
            self.stats.misses += keys.len() as u64 - found;
        } else if let Done::Reply(reply) = &done
            && command.has_changed(argv, reply)
        {
            self.dirty += 1;
            self.changed(db, &keys);
            for argv in self.told(command.name, argv, reply, db) {
                self.propagate(db, &argv);
            }
        } else {
            // What was made for nothing goes.
            let data = self.ensure(db);
            keys.iter().for_each(|key| data.weigh(key));
        }
        done
    }

    /// Serves those who wait, the first one first.
    fn wake(&mut self, now: Time) {
        let mut n = 0;
        while let Some(w) = self.waiters.get(n).cloned() {
            let Some(command) = Command::find(&w.argv[0]) else { break };
            match self.carry_out(command, w.db, &w.argv, now) {
                Done::Reply(reply) => {
                    self.waiters.remove(n);
                    let mut text = String::new();
                    reply.encode(&mut text);
                    self.late.push((w.back, served(text, now)));
                    // What it moved may be what somebody before it waits for.
                    n = 0;
                }
                Done::Wait(_) => n += 1,
            }
        }
    }

    /// Who has waited long enough hears that there is nothing.
    pub fn end_waits(&mut self, now: Time) {
        let (over, on) = self.waiters.drain(..).partition(|w| w.until.is_some_and(|t| t <= now));
        self.waiters = on;
        let over: VecDeque<Waiter> = over;
        for w in over {
            let nothing = if w.argv[0].to_ascii_lowercase().ends_with("pop") { "*-1\r\n" } else { "$-1\r\n" };
            self.late.push((w.back, served(nothing.into(), now)));
        }
    }

    pub fn next_end(&self) -> Option<Time> {
        self.waiters.iter().filter_map(|w| w.until).min()
    }

    /// Commands about the connection.
    fn own_command(&mut self, s: &mut Session, name: &str, argv: &[String], back: &Back, now: Time) -> Option<Reply> {
        let error = |text: &str| Some(Reply::Error(text.into()));
        let arg = |n: usize| argv.get(n).map(String::as_str);
        match name {
            "auth" => Some(self.authenticate(s, &argv[1..])),
            "hello" => Some(self.hello(s, argv)),
            "select" => match arg(1).map(str::parse::<usize>) {
                Some(Ok(n)) if n < usize::try_from(self.config.number("databases")).unwrap_or(16) => {
                    s.db = n;
                    Some(Reply::ok())
                }
                Some(Ok(_)) => error("ERR DB index is out of range"),
                Some(Err(_)) => error("ERR value is not an integer or out of range"),
                None => error("ERR wrong number of arguments for 'select' command"),
            },
            "multi" if s.queue.is_some() => error("ERR MULTI calls can not be nested"),
            "multi" => {
                (s.queue, s.spoilt) = (Some(Vec::new()), false);
                Some(Reply::ok())
            }
            "discard" | "exec" => {
                let Some(queue) = s.queue.take() else {
                    return Some(Reply::Error(format!("ERR {} without MULTI", name.to_ascii_uppercase())));
                };
                let watched = std::mem::take(&mut s.watched);
                if name == "discard" {
                    return Some(Reply::ok());
                }
                if std::mem::take(&mut s.spoilt) {
                    return error("EXECABORT Transaction discarded because of previous errors.");
                }
                // Somebody has come between.
                if watched.iter().any(|(db, key, version)| self.version_of(*db, key) != *version) {
                    return Some(Reply::Array(None));
                }
                let mut all = Vec::new();
                for argv in queue {
                    let Some(command) = Command::find(&argv[0]) else {
                        let own = self.own_command(s, &argv[0].to_ascii_lowercase(), &argv, back, now);
                        all.extend(own);
                        continue;
                    };
                    // Within a transaction nobody waits.
                    all.push(match self.carry_out(command, s.db, &argv, now) {
                        Done::Reply(r) => r,
                        Done::Wait(_) => Reply::nil(),
                    });
                }
                self.wake(now);
                Some(Reply::Array(Some(all)))
            }
            "watch" if s.queue.is_some() => error("ERR WATCH inside MULTI is not allowed"),
            "watch" if argv.len() < 2 => error("ERR wrong number of arguments for 'watch' command"),
            "watch" => {
                for key in &argv[1..] {
                    if !s.watched.iter().any(|(db, k, _)| *db == s.db && k == key) {
                        s.watched.push((s.db, key.clone(), self.version_of(s.db, key)));
                    }
                }
                Some(Reply::ok())
            }
            "unwatch" => {
                s.watched.clear();
                Some(Reply::ok())
            }
            "quit" => {
                s.over = true;
                Some(Reply::ok())
            }
            "reset" => {
                *s = Session { opened: s.opened, ..Session::default() };
                Some(Reply::Status("RESET".into()))
            }
            "client" => match arg(1).map(str::to_ascii_lowercase).as_deref() {
                Some("setname") => {
                    s.name = arg(2).unwrap_or_default().into();
                    Some(Reply::ok())
                }
                Some("getname") => Some(Reply::Bulk(Some(s.name.clone()).filter(|n| !n.is_empty()))),
                Some("id") => Some(Reply::Int(i64::try_from(s.opened).unwrap_or(0))),
                Some("setinfo") => Some(Reply::ok()),
                _ => error("ERR this subcommand of CLIENT is not simulated"),
            },
            "command" => Some(Reply::Int(i64::try_from(commands::COMMANDS.len()).unwrap_or(0))),
            "save" | "bgsave" => {
                self.save_asked = true;
                Some(if name == "save" { Reply::ok() } else { Reply::Status("Background saving started".into()) })
            }
            "shutdown" => {
                self.end_save = match arg(1).map(str::to_ascii_lowercase).as_deref() {
                    None => None,
                    Some("save") => Some(true),
                    Some("nosave") => Some(false),
                    Some("now" | "force" | "abort") => return error("ERR this way to end is not simulated"),
                    Some(_) => return error("ERR syntax error"),
                };
                self.ends = true;
                Some(Reply::ok())
            }
            "psync" => self.begin_sync(back, argv, now),
            "replconf" => self.feed(back, argv, now),
            _ => None,
        }
    }

    fn version_of(&self, db: usize, key: &str) -> Option<u64> {
        self.dbs.get(&db)?.get(key).map(|k| k.version)
    }

    /// `HELLO 2 AUTH user password SETNAME name`
    fn hello(&self, s: &mut Session, argv: &[String]) -> Reply {
        if argv.get(1).is_some_and(|v| v != "2") {
            return Reply::Error("NOPROTO unsupported protocol version".into());
        }
        let mut rest = argv.get(2..).unwrap_or_default();
        while let Some(option) = rest.first() {
            match (option.to_ascii_lowercase().as_str(), rest.len()) {
                ("auth", 3..) => {
                    if let refused @ Reply::Error(_) = self.authenticate(s, &rest[1..3]) {
                        return refused;
                    }
                    rest = &rest[3..];
                }
                ("setname", 2..) => {
                    s.name.clone_from(&rest[1]);
                    rest = &rest[2..];
                }
                _ => return Reply::Error(format!("ERR Syntax error in HELLO option '{option}'")),
            }
        }
        if !self.config.get("requirepass").is_empty() && !s.known {
            return Reply::Error(
                "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH \
                 <user> <pass> option can be used to authenticate the client and select the RESP protocol version at \
                 the same time"
                    .into(),
            );
        }
        let (a, b, c) = self.version;
        let id = Reply::Int(i64::try_from(s.opened).unwrap_or(0));
        let role = if self.master().is_some() { "replica" } else { "master" };
        let text = |t: &str| Reply::text(t);
        Reply::Array(Some(vec![
            text("server"),
            text("redis"),
            text("version"),
            text(&format!("{a}.{b}.{c}")),
            text("proto"),
            Reply::Int(2),
            text("id"),
            id,
            text("mode"),
            text("standalone"),
            text("role"),
            text(role),
            text("modules"),
            Reply::Array(Some(Vec::new())),
        ]))
    }

    fn authenticate(&self, s: &mut Session, args: &[String]) -> Reply {
        let secret = self.config.get("requirepass");
        let (user, password) = match args {
            [password] => ("default", password.as_str()),
            [user, password] if self.version.0 >= 6 => (user.as_str(), password.as_str()),
            [] => return Reply::Error("ERR wrong number of arguments for 'auth' command".into()),
            _ => return Reply::Error("ERR syntax error".into()),
        };
        if secret.is_empty() && args.len() == 1 {
            return Reply::Error(if self.version.0 >= 6 {
                "ERR AUTH <password> called without any password configured for the default user. Are you sure your \
                 configuration is correct?"
                    .into()
            } else {
                "ERR Client sent AUTH, but no password is set".into()
            });
        }
        if user == "default" && (secret.is_empty() || password == secret) {
            s.known = true;
            return Reply::ok();
        }
        Reply::Error(if self.version.0 >= 6 {
            "WRONGPASS invalid username-password pair or user is disabled.".into()
        } else {
            "ERR invalid password".into()
        })
    }
}
