//! One redis has what another one has. The follower asks for everything, then for what is new, and is answered when
//! there is something; real ones keep a connection on which the commands come.

use super::reply::{self, Reply};
use super::{Back, Cx, Db, Done, Redis, Value, served};
use crate::sim::net::{Answer, NetError};
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
    Follower {
        host: String,
        port: u16,
        up: bool,
        /// When to ask (again); `None`: an answer is under way.
        next: Option<Time>,
    },
}

/// Who wants to know what changes, and what it has not been told yet.
#[derive(Clone, Debug)]
pub struct Follower {
    connection: String,
    pub ip: String,
    news: String,
    /// It waits for them.
    back: Option<Back>,
}

impl Redis {
    pub fn master(&self) -> Option<(&str, u16)> {
        match &self.role {
            Role::Leader => None,
            Role::Follower { host, port, .. } => Some((host, *port)),
        }
    }
    pub fn link_is_up(&self) -> bool {
        matches!(self.role, Role::Follower { up: true, .. })
    }
    pub fn replicas(&self) -> Vec<String> {
        self.followers.iter().map(|f| f.ip.clone()).collect()
    }

    pub fn lead(&mut self, _now: Time) {
        if !matches!(self.role, Role::Leader) {
            self.log.push(('*', "MASTER MODE enabled (user request)".into()));
        }
        self.role = Role::Leader;
        self.config.put("replicaof", "");
    }
    pub fn follow(&mut self, host: &str, port: &str, now: Time) {
        self.config.put("replicaof", &format!("{host} {port}"));
        let port = port.parse().unwrap_or(6379);
        self.role = Role::Follower { host: host.into(), port, up: false, next: Some(now) };
    }
    /// When it asks its leader again.
    pub fn next_sync(&self) -> Option<Time> {
        match self.role {
            Role::Follower { next, .. } => next,
            Role::Leader => None,
        }
    }

    /// What it says to its leader now; it waits for the answer.
    pub fn ask_leader(&mut self) -> Option<(String, u16, String)> {
        let secret = self.config.get("masterauth").to_string();
        let Role::Follower { host, port, up, next } = &mut self.role else { return None };
        next.take()?;
        let mut text = String::new();
        if !*up {
            self.log.push(('*', format!("Connecting to MASTER {host}:{port}")));
            self.log.push(('*', "MASTER <-> REPLICA sync started".into()));
            if !secret.is_empty() {
                text = reply::command(&["AUTH".into(), secret]);
            }
            text.push_str(&reply::command(&["PSYNC".into(), "?".into(), "-1".into()]));
        } else {
            text.push_str(&reply::command(&["REPLCONF".into(), "ACK".into(), self.offset.to_string()]));
        }
        Some((host.clone(), *port, text))
    }

    /// The leader's answer.
    pub fn heard(&mut self, answer: Answer, now: Time) {
        let was_up = self.link_is_up();
        let got = match answer {
            Ok(Some(served)) => served.response.body,
            other => {
                let why = match other {
                    Err(NetError::NoSuchHost) => "Unable to connect to MASTER: Name or service not known",
                    _ if was_up => "Connection with master lost.",
                    Err(NetError::Unreachable) => "Timeout connecting to the MASTER...",
                    _ => "Error condition on socket for SYNC: Connection refused",
                };
                self.log.push(('#', why.into()));
                return self.try_later(now);
            }
        };
        let mut rest = got.as_str();
        let mut all = Vec::new();
        while let Some((reply, after)) = Reply::decode(rest) {
            all.push(reply);
            rest = after;
        }
        if let Some(Reply::Error(why)) = all.iter().find(|r| matches!(r, Reply::Error(_))) {
            let why = why.clone();
            self.log.push(('#', format!("MASTER aborted replication with an error: {why}")));
            return self.try_later(now);
        }
        let Some(Reply::Array(Some(parts))) = all.pop() else { return self.try_later(now) };
        if !was_up {
            self.forget_all();
        }
        for part in &parts {
            if let Reply::Bulk(Some(text)) = part {
                self.apply(text, now);
                if was_up {
                    self.offset += text.len() as u64;
                }
            } else if let Reply::Int(n) = part {
                self.offset = u64::try_from(*n).unwrap_or(0);
            }
        }
        if !was_up {
            self.log.push(('*', "MASTER <-> REPLICA sync: Flushing old data".into()));
            self.log.push(('*', "MASTER <-> REPLICA sync: Loading DB in memory".into()));
            self.log.push(('*', "MASTER <-> REPLICA sync: Finished with success".into()));
        }
        if let Role::Follower { up, next, .. } = &mut self.role {
            (*up, *next) = (true, Some(now));
        }
    }

    fn try_later(&mut self, now: Time) {
        if let Role::Follower { up, next, .. } = &mut self.role {
            (*up, *next) = (false, Some(now + RETRY));
        }
    }

    /// Carries out what the leader has. Its first word is the database.
    fn apply(&mut self, text: &str, now: Time) {
        let mut db = 0;
        for argv in reply::commands(text) {
            if argv[0].eq_ignore_ascii_case("select") {
                db = argv.get(1).and_then(|n| n.parse().ok()).unwrap_or(0);
            } else if let Some(command) = Command::find(&argv[0]) {
                let done: Done = command.run(self, &Cx { argv: &argv, db, now });
                if matches!(done, Done::Reply(_)) {
                    for key in command.keys(&argv) {
                        self.ensure(db).weigh(key);
                    }
                    self.propagate(db, &argv);
                }
            }
        }
    }

    /// A write goes to those who follow.
    pub fn propagate(&mut self, db: usize, argv: &[String]) {
        if self.followers.is_empty() {
            return;
        }
        let text = reply::command(&["SELECT".into(), db.to_string()]) + &reply::command(argv);
        self.offset += text.len() as u64;
        // Who does not fetch what it is told is let go.
        self.followers.retain(|f| f.news.len() < BACKLOG_BYTES);
        for f in &mut self.followers {
            f.news.push_str(&text);
        }
    }

    /// Answers the followers that wait, when there are news.
    pub fn feed_followers(&mut self, now: Time) {
        let mut out = Vec::new();
        for f in self.followers.iter_mut().filter(|f| !f.news.is_empty()) {
            if let Some(back) = f.back.take() {
                let mut text = String::new();
                Reply::list([std::mem::take(&mut f.news)]).encode(&mut text);
                out.push((back, served(text, now)));
            }
        }
        self.late.append(&mut out);
    }

    /// `PSYNC`: everything at once.
    pub(super) fn begin_sync(&mut self, back: &Back, _now: Time) -> Option<Reply> {
        let ip = back.call.server.from.clone();
        let connection = back.connection();
        self.followers.retain(|f| f.connection != connection && f.ip != ip);
        self.log.push(('*', format!("Replica {ip}:{} asks for synchronization", self.port)));
        self.log.push(('*', format!("Full resync requested by replica {ip}:{}", self.port)));
        let all: String = self.dbs.iter().map(|(n, db)| everything(*n, db)).collect();
        self.log.push(('*', format!("Synchronization with replica {ip}:{} succeeded", self.port)));
        self.followers.push(Follower { connection, ip, news: String::new(), back: None });
        let offset = i64::try_from(self.offset).unwrap_or(0);
        Some(Reply::Array(Some(vec![Reply::Int(offset), Reply::text(all)])))
    }

    /// `REPLCONF ACK`: it has what it was told, and waits for more.
    pub(super) fn feed(&mut self, back: &Back, now: Time) -> Option<Reply> {
        let connection = back.connection();
        let Some(f) = self.followers.iter_mut().find(|f| f.connection == connection) else {
            return Some(Reply::Error("ERR not a replica".into()));
        };
        f.back = Some(back.clone());
        self.feed_followers(now);
        None
    }

    /// All connections end: who waits on one hears that.
    pub fn hang_up(&mut self) -> Vec<super::Late> {
        let waiting = self.waiters.drain(..).map(|w| w.back);
        let following = self.followers.drain(..).filter_map(|f| f.back);
        let mut all: Vec<super::Late> = waiting.chain(following).map(|b| (b, Err(NetError::NotHttp))).collect();
        all.splice(0..0, self.late.drain(..));
        all
    }
}

/// The commands that make a database.
fn everything(n: usize, db: &Db) -> String {
    let mut out = reply::command(&["SELECT".into(), n.to_string()]);
    for (name, key) in db.iter() {
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
            out.push_str(&reply::command(&["PEXPIREAT".into(), name.clone(), (at.as_micros() / 1_000).to_string()]));
        }
    }
    out
}
