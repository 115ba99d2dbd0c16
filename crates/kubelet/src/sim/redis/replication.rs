//! One redis has what another one has. The follower asks for everything, then for what is new, and is answered when
//! there is something; real ones keep a connection on which the commands come.

use super::reply::{self, Reply};
use super::{Back, Cx, Db, Redis, Value, served};
use crate::runtime::ContainerId;
use crate::sim::net::{Answer, NetError, Server as Asked};
use crate::sim::redis::commands::Command;
use crate::sim::redis::commands::float;
use meta::{Duration, Time};

/// How long after a failed attempt the next one comes.
const RETRY: Duration = Duration::from_secs(1);
const BACKLOG_BYTES: usize = 1 << 20;

#[derive(Clone, Debug, Default)]
pub enum Role {
    #[default]
    Leader,
    Follower(Box<Link>),
}

/// A follower's way to its leader.
#[derive(Clone, Debug)]
pub struct Link {
    host: String,
    port: u16,
    /// Which connection it is: what comes on an earlier one is not heard.
    number: u32,
    /// Who is at its other end.
    server: Option<Asked>,
    up: bool,
    /// When to ask (again).
    next: Time,
    /// How often in a row nobody could be reached, and whether that was so the last time.
    missed: u64,
    failed: bool,
    /// Who is above: the leader, its leader and so on.
    above: Vec<String>,
}

/// What a follower says.
pub struct Ask {
    pub host: String,
    pub port: u16,
    pub server: Option<Asked>,
    pub number: u32,
    pub text: String,
}

/// Who wants to know what changes, and what it has not yet said that it has.
#[derive(Clone, Debug)]
pub struct Follower {
    pub(super) connection: String,
    /// The process.
    id: ContainerId,
    pid: u32,
    pub ip: String,
    /// So far it has everything; then come the news.
    has: u64,
    news: String,
    /// It waits for them.
    back: Option<Back>,
    /// When it was heard of.
    heard: Time,
}

/// Why a command is not repeated.
pub enum Unfit {
    Unknown,
    /// It has too many words, or too few.
    Words,
}

impl Redis {
    pub fn master(&self) -> Option<(&str, u16)> {
        match &self.role {
            Role::Leader => None,
            Role::Follower(link) => Some((&link.host, link.port)),
        }
    }
    pub fn link_is_up(&self) -> bool {
        matches!(&self.role, Role::Follower(link) if link.up)
    }
    pub fn replicas(&self) -> Vec<String> {
        self.followers.iter().map(|f| f.ip.clone()).collect()
    }
    fn seconds(&self, setting: &str) -> Duration {
        Duration::from_secs(self.config.number(setting).clamp(1, 1 << 20))
    }

    pub fn lead(&mut self, now: Time) {
        if matches!(self.role, Role::Leader) {
            return;
        }
        self.leave(now);
        self.log.push(('*', "MASTER MODE enabled (user request)".into()));
        self.role = Role::Leader;
        self.config.put("replicaof", "");
    }
    pub fn follow(&mut self, host: &str, port: u16, now: Time) {
        self.leave(now);
        self.config.put("replicaof", &format!("{host} {port}"));
        self.role = Role::Follower(Box::new(Link {
            host: host.into(),
            port,
            number: 0,
            server: None,
            up: false,
            next: now,
            missed: 0,
            failed: false,
            above: Vec::new(),
        }));
        // A follower's keys are not for taking.
        let why = "-UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)\r\n";
        let waiting: Vec<_> = self.waiters.drain(..).map(|w| (w.back, served(why.into(), now))).collect();
        self.late.extend(waiting);
    }

    /// Its leader is another one from now on: that hears it, and its own followers begin anew.
    fn leave(&mut self, now: Time) {
        if let Role::Follower(link) = &mut self.role
            && let Some(server) = link.server.take()
        {
            self.goodbyes.push((now, server, link.number));
        }
        self.let_go(|_| true);
    }

    /// Ends the connections of followers.
    fn let_go(&mut self, who: impl Fn(&Follower) -> bool) -> Vec<String> {
        let (gone, on): (Vec<_>, Vec<_>) = self.followers.drain(..).partition(who);
        self.followers = on;
        let ips = gone.iter().map(|f| f.ip.clone()).collect();
        self.late.extend(gone.into_iter().filter_map(|f| Some((f.back?, Err(NetError::NotHttp)))));
        ips
    }

    /// Who has said nothing for long is no follower any more.
    pub(super) fn forget_silent(&mut self, now: Time) {
        let patience = self.seconds("repl-timeout");
        for ip in self.let_go(|f| now.since(f.heard) > patience) {
            self.log.push(('#', format!("Disconnecting timedout replica (streaming sync): {ip}:{}", self.port)));
        }
    }

    /// When it asks its leader again.
    pub fn next_sync(&self) -> Option<Time> {
        let next = match &self.role {
            Role::Follower(link) => Some(link.next),
            Role::Leader => None,
        };
        self.goodbyes.iter().map(|(at, ..)| *at).chain(next).min()
    }

    /// The connection that it ends when it ends itself.
    pub fn last_words(&mut self) -> Vec<(Asked, u32)> {
        self.leave(Time(0));
        self.ended_links()
    }
    /// Connections to tell that they are ended.
    pub fn ended_links(&mut self) -> Vec<(Asked, u32)> {
        self.goodbyes.drain(..).map(|(_, server, number)| (server, number)).collect()
    }

    /// What it says to its leader now, if it is time; it waits for the answer.
    pub fn ask_leader(&mut self, now: Time) -> Option<Ask> {
        let (again, patience) = (self.seconds("repl-ping-replica-period"), self.seconds("repl-timeout"));
        let secret = self.config.get("masterauth").to_string();
        let Role::Follower(link) = &mut self.role else { return None };
        if link.next > now {
            return None;
        }
        let mut text = String::new();
        if link.up {
            // Who has not been told otherwise since has been heard.
            link.missed = if std::mem::take(&mut link.failed) { link.missed } else { 0 };
            link.next = now + again;
            text.push_str(&reply::command(&["REPLCONF".into(), "ACK".into(), self.offset.to_string()]));
        } else {
            self.links += 1;
            (link.number, link.server, link.next) = (self.links, None, now + patience);
            self.log.push(('*', format!("Connecting to MASTER {}:{}", link.host, link.port)));
            self.log.push(('*', "MASTER <-> REPLICA sync started".into()));
            if !secret.is_empty() {
                text = reply::command(&["AUTH".into(), secret]);
            }
            text.push_str(&reply::command(&["PSYNC".into(), self.run_id.clone(), "-1".into()]));
        }
        let (host, server) = (link.host.clone(), link.server.clone());
        Some(Ask { host, port: link.port, server, number: link.number, text })
    }
    /// It has found whom to ask.
    pub fn connected(&mut self, to: &Asked) {
        if let Role::Follower(link) = &mut self.role {
            link.server = Some(to.clone());
        }
    }

    /// What a leader says on connection `number`.
    pub fn heard(&mut self, number: u32, answer: Answer, now: Time) {
        let (again, patience) = (self.seconds("repl-ping-replica-period"), self.seconds("repl-timeout"));
        let Role::Follower(link) = &mut self.role else { return };
        if link.number != number {
            return;
        }
        let up = link.up;
        let got = match answer {
            Ok(Some(served)) => served.response.body,
            // A connection lives on for a while when nothing comes through.
            Err(NetError::Unreachable) if up && (link.missed + 1) * again.0 < patience.0 => {
                (link.missed, link.failed) = (link.missed + 1, true);
                return;
            }
            other => {
                let why = match other {
                    Err(NetError::Unreachable) if up => "MASTER timeout: no data nor PING received...",
                    Err(NetError::NoSuchHost) => "Unable to connect to MASTER: Name or service not known",
                    _ if up => "Connection with master lost.",
                    Err(NetError::Unreachable) => "Timeout connecting to the MASTER...",
                    _ => "Error condition on socket for SYNC: Connection refused",
                };
                return self.try_later('#', why.into(), now);
            }
        };
        let mut rest = got.as_str();
        let mut all = Vec::new();
        while let Some((reply, after)) = Reply::decode(rest) {
            all.push(reply);
            rest = after;
        }
        if let Some(Reply::Error(why)) = all.iter().find(|r| matches!(r, Reply::Error(_))) {
            return match why.starts_with("NOMASTERLINK") {
                true => {
                    let why = format!("MASTER is currently unable to PSYNC but should be in the future: -{why}");
                    self.try_later('*', why, now)
                }
                false => self.try_later('#', format!("MASTER aborted replication with an error: {why}"), now),
            };
        }
        let Some(Reply::Array(Some(parts))) = all.pop() else {
            return self.try_later('#', "Connection with master lost.".into(), now);
        };
        let [Reply::Int(from), Reply::Bulk(Some(text)), above @ ..] = parts.as_slice() else {
            return self.try_later('#', "Connection with master lost.".into(), now);
        };
        let from = u64::try_from(*from).unwrap_or(0);
        if !up {
            self.take_all(from, text, above, now);
        } else if let Some(new) = self.offset.checked_sub(from).and_then(|n| text.get(usize::try_from(n).ok()?..)) {
            // What it has already heard is not new.
            let new = new.to_string();
            self.apply(&new, now);
            self.pass_on(&new);
        } else {
            return self.try_later('#', "Connection with master lost.".into(), now);
        }
        if let Role::Follower(link) = &mut self.role {
            (link.up, link.next, link.missed) = (true, now, 0);
        }
    }

    /// A full sync: nothing stays, and its own followers begin anew.
    fn take_all(&mut self, offset: u64, text: &str, above: &[Reply], now: Time) {
        self.let_go(|_| true);
        self.forget_all();
        self.apply(text, now);
        self.offset = offset;
        let name = |r: &Reply| if let Reply::Bulk(id) = r { id.clone() } else { None };
        if let Role::Follower(link) = &mut self.role {
            link.above = above.iter().filter_map(name).collect();
        }
        self.log.push(('*', "MASTER <-> REPLICA sync: Flushing old data".into()));
        self.log.push(('*', "MASTER <-> REPLICA sync: Loading DB in memory".into()));
        self.log.push(('*', "MASTER <-> REPLICA sync: Finished with success".into()));
    }

    fn try_later(&mut self, level: char, why: String, now: Time) {
        self.log.push((level, why));
        if let Role::Follower(link) = &mut self.role {
            (link.up, link.next, link.server, link.missed) = (false, now + RETRY, None, 0);
        }
    }

    /// Carries out what the leader has. Its first word is the database.
    pub(super) fn apply(&mut self, text: &str, now: Time) {
        let mut db = 0;
        for argv in reply::commands(text) {
            // What it does not know it does not have.
            let _ = self.repeat(&mut db, &argv, now);
        }
    }

    /// One of the commands that a leader or a file has. `Err`: it is none.
    pub(super) fn repeat(&mut self, db: &mut usize, argv: &[String], now: Time) -> Result<(), Unfit> {
        let Some(command) = Command::find(&argv[0]) else {
            return match argv[0].to_ascii_lowercase().as_str() {
                "select" => {
                    let most = usize::try_from(self.config.number("databases")).unwrap_or(16);
                    *db = argv.get(1).and_then(|n| n.parse().ok()).filter(|n| *n < most).unwrap_or(*db);
                    Ok(())
                }
                // All of it is carried out at once anyway.
                "multi" | "exec" => Ok(()),
                _ => Err(Unfit::Unknown),
            };
        };
        if !command.takes(argv.len()) {
            return Err(Unfit::Words);
        }
        // What only reads is nothing to have.
        if command.writes {
            command.run(self, &Cx { argv, db: *db, now });
            self.dirty += 1;
            self.changed(*db, &command.keys(argv));
        }
        Ok(())
    }

    /// A write goes to those who follow. What a follower writes by itself does not.
    pub(super) fn propagate(&mut self, db: usize, argv: &[String]) {
        if !self.followers.is_empty() && self.master().is_none() {
            self.pass_on(&(reply::command(&["SELECT".into(), db.to_string()]) + &reply::command(argv)));
        }
    }
    fn pass_on(&mut self, text: &str) {
        self.offset += text.len() as u64;
        for f in &mut self.followers {
            f.news.push_str(text);
        }
        // Who does not fetch what it is told is let go.
        self.let_go(|f| f.news.len() > BACKLOG_BYTES);
    }

    /// What a command that has changed something is for those who follow: to the same effect there, whenever it gets there
    /// and whatever is drawn.
    pub(super) fn told(&self, name: &str, argv: &[String], reply: &Reply, db: usize) -> Vec<Vec<String>> {
        let key = argv.get(1).cloned().unwrap_or_default();
        let words = |all: &[&str]| all.iter().map(|w| (*w).to_string()).collect::<Vec<_>>();
        let found = self.dbs.get(&db).and_then(|d| d.get(&key));
        let end = found.and_then(|k| k.expires).map(|at| words(&["PEXPIREAT", &key, &millis(at)]));
        let texts = |r: &Reply| match r {
            Reply::Bulk(Some(s)) => vec![s.clone()],
            Reply::Array(Some(all)) => {
                all.iter().filter_map(|r| if let Reply::Bulk(s) = r { s.clone() } else { None }).collect()
            }
            _ => Vec::new(),
        };
        match (name, found) {
            ("spop", _) => vec![[words(&["SREM", &key]), texts(reply)].concat()],
            ("blpop" | "brpop", _) => {
                let from = texts(reply).into_iter().next();
                from.map(|key| words(&[&name[1..], &key])).into_iter().collect()
            }
            ("brpoplpush", _) => vec![words(&["RPOPLPUSH", &key, &argv[2]])],
            ("blmove", _) => vec![words(&["LMOVE", &key, &argv[2], &argv[3], &argv[4]])],
            ("set" | "setex" | "psetex", Some(k)) => {
                let Value::Text(text) = &k.value else { return Vec::new() };
                std::iter::once(words(&["SET", &key, text])).chain(end).collect()
            }
            ("expire" | "pexpire" | "expireat" | "pexpireat", Some(_)) => end.into_iter().collect(),
            ("expire" | "pexpire" | "expireat" | "pexpireat", None) => vec![words(&["DEL", &key])],
            _ => vec![argv.to_vec()],
        }
    }

    /// Answers the followers that wait, when there are news.
    pub fn feed_followers(&mut self, now: Time) {
        for f in self.followers.iter_mut().filter(|f| !f.news.is_empty()) {
            if let Some(back) = f.back.take() {
                let has = Reply::Int(i64::try_from(f.has).unwrap_or(0));
                let mut text = String::new();
                Reply::Array(Some(vec![has, Reply::text(&f.news)])).encode(&mut text);
                self.late.push((back, served(text, now)));
            }
        }
    }

    /// `PSYNC id -1`: everything at once, and who is above.
    pub(super) fn begin_sync(&mut self, back: &Back, argv: &[String], now: Time) -> Option<Reply> {
        let mut above = vec![self.run_id.clone()];
        if let Role::Follower(link) = &self.role {
            above.extend(link.above.iter().cloned());
        }
        let circle = argv.get(1).is_some_and(|id| above.contains(id));
        if circle || self.master().is_some() && !self.link_is_up() {
            return Some(Reply::Error("NOMASTERLINK Can't SYNC while not connected with my master".into()));
        }
        let ip = back.call.server.from.clone();
        let connection = back.connection();
        // Who begins anew, in this process or in the container's next run, has let its last connection go. Others may have
        // the same address.
        let (id, pid) = (back.call.id.clone(), back.call.pid);
        self.followers.retain(|f| {
            let other = (&f.id.pod_uid, &f.id.container) != (&id.pod_uid, &id.container);
            other || f.id.attempt == id.attempt && f.pid != pid
        });
        self.log.push(('*', format!("Replica {ip}:{} asks for synchronization", self.port)));
        self.log.push(('*', format!("Full resync requested by replica {ip}:{}", self.port)));
        let all = self.everything(usize::MAX);
        self.log.push(('*', format!("Synchronization with replica {ip}:{} succeeded", self.port)));
        let has = self.offset;
        self.followers.push(Follower { connection, id, pid, ip, has, news: String::new(), back: None, heard: now });
        let mut parts = vec![Reply::Int(i64::try_from(has).unwrap_or(0)), Reply::text(all)];
        parts.extend(above.into_iter().map(Reply::text));
        Some(Reply::Array(Some(parts)))
    }

    /// The commands that make all of it. What is longer than `most` ends somewhere beyond that.
    pub(super) fn everything(&self, most: usize) -> String {
        let mut out = String::new();
        self.dbs.iter().for_each(|(n, db)| everything(*n, db, most, &mut out));
        out
    }

    /// `REPLCONF ACK offset`: so far it has what it was told, and waits for more.
    pub(super) fn feed(&mut self, back: &Back, argv: &[String], now: Time) -> Option<Reply> {
        if !argv.get(1).is_some_and(|w| w.eq_ignore_ascii_case("ack")) {
            return Some(Reply::ok());
        }
        let connection = back.connection();
        let has = argv.get(2).and_then(|n| n.parse::<u64>().ok());
        let known = self.followers.iter_mut().find(|f| f.connection == connection);
        let fits = |f: &mut Follower| {
            let new = usize::try_from(has?.checked_sub(f.has)?).ok()?;
            f.news = f.news.get(new..)?.to_string();
            (f.has, f.heard, f.back) = (has?, now, Some(back.clone()));
            Some(())
        };
        if known.and_then(fits).is_none() {
            self.followers.retain(|f| f.connection != connection);
            return Some(Reply::Error("ERR not a replica".into()));
        }
        self.feed_followers(now);
        None
    }

    /// A client is gone: nobody waits on its connection any more.
    pub(super) fn gone(&mut self, connection: &str) {
        self.sessions.remove(connection);
        self.waiters.retain(|w| w.back.connection() != connection);
        self.followers.retain(|f| f.connection != connection);
    }

    /// All connections end: who waits on one hears that.
    pub fn hang_up(&mut self) -> Vec<super::Late> {
        let mut all = std::mem::take(&mut self.late);
        all.extend(self.waiters.drain(..).map(|w| (w.back, Err(NetError::NotHttp))));
        self.let_go(|_| true);
        all.append(&mut self.late);
        all
    }
}

fn millis(at: Time) -> String {
    (at.as_micros() / 1_000).to_string()
}

/// The commands that make a database.
fn everything(n: usize, db: &Db, most: usize, out: &mut String) {
    out.push_str(&reply::command(&["SELECT".into(), n.to_string()]));
    for (name, key) in db.iter() {
        if out.len() > most {
            return;
        }
        let mut argv = vec![String::new(), name.clone()];
        argv[0] = match &key.value {
            Value::Text(s) => {
                argv.push(s.clone());
                "SET"
            }
            Value::List(l) => {
                argv.extend(l.iter().cloned());
                "RPUSH"
            }
            Value::Hash(h) => {
                argv.extend(h.iter().flat_map(|(k, v)| [k.clone(), v.clone()]));
                "HSET"
            }
            Value::Set(s) => {
                argv.extend(s.names());
                "SADD"
            }
            Value::Sorted(z) => {
                argv.extend(z.iter().flat_map(|(k, s)| [float(*s), k.clone()]));
                "ZADD"
            }
        }
        .into();
        out.push_str(&reply::command(&argv));
        if let Some(at) = key.expires {
            out.push_str(&reply::command(&["PEXPIREAT".into(), name.clone(), millis(at)]));
        }
    }
}
