//! Servers by themselves: what they answer, and what one hears from another.

use super::config::Config;
use super::{Back, Redis, reply};
use crate::runtime::ContainerId;
use crate::sim::catalogue::servers::REDIS;
use crate::sim::net::{Call, NetError, Server, Talk};
use meta::{Duration, Rng, Time};

const NOW: Time = Time::SIMULATION_START;

fn redis(lines: &str) -> Redis {
    let mut config = Config::default();
    config.read(lines).unwrap();
    Redis::new(&REDIS, config, (7, 2, 5), Rng::new(1))
}

/// A connection of process `pid` of a pod.
fn back(pod: &str, pid: u32, text: String) -> Back {
    let id = ContainerId { pod_uid: pod.into(), container: "c".into(), attempt: 0 };
    let server = Server { from: pod.into(), ..Server::default() };
    let talk = Talk { text, connection: 0, closes: false };
    Back { node: "n".into(), call: Call { id, pid, server, http: false, api: None, talk: Some(talk) } }
}

/// What a client hears; empty: not yet.
fn said(r: &mut Redis, pid: u32, line: &str, now: Time) -> String {
    let argv = reply::words(line).unwrap();
    match r.talk(&back("client", pid, reply::command(&argv)), now) {
        Some(Ok(Some(served))) => served.response.body.trim_end().replace("\r\n", " "),
        Some(other) => format!("{other:?}"),
        None => String::new(),
    }
}

fn say(r: &mut Redis, line: &str) -> String {
    said(r, 7, line, NOW)
}

/// What was answered later.
fn late(r: &mut Redis) -> Vec<(u32, String)> {
    let all = std::mem::take(&mut r.late).into_iter();
    all.map(|(b, a)| (b.call.pid, a.unwrap().map_or(String::new(), |s| s.response.body.replace("\r\n", " ")))).collect()
}

#[test]
fn nothing_is_made_that_would_not_fit() {
    let mut r = redis("");
    let long = "-ERR texts of more than 64 MiB are not simulated";
    assert_eq!(say(&mut r, "setrange k 536870000 x"), long);
    assert_eq!(
        say(&mut r, "setrange k 4294967295 xx"),
        "-ERR string exceeds maximum allowed size (proto-max-bulk-len)"
    );
    assert_eq!(say(&mut r, "setrange k 9223372036854775807 xx"), say(&mut r, "setrange k 4294967295 xx"));
    assert_eq!(say(&mut r, "setrange k 9223372036854775807 ''"), ":0");
    assert_eq!((say(&mut r, "setrange k 3 xx"), say(&mut r, "strlen k")), (":5".into(), ":5".into()));
    // Many texts that fit are too much together.
    let all: Vec<String> = (0..6).map(|n| say(&mut r, &format!("setrange long{n} 67000000 x"))).collect();
    assert_eq!(all[0], ":67000001");
    assert_eq!(all[5], "-ERR more than 256 MiB of data are not simulated");
    say(&mut r, "flushall");
    say(&mut r, "sadd s a");
    assert_eq!(say(&mut r, "srandmember s -3"), "*3 $1 a $1 a $1 a");
    assert_eq!(say(&mut r, "srandmember s -1000000000"), "-ERR more than 100000 members at once are not simulated");
    assert_eq!(say(&mut r, "srandmember s 1000000000"), "*1 $1 a");
    assert_eq!(say(&mut r, "srandmember s -9223372036854775808"), say(&mut r, "srandmember s -1000000000"));
}

#[test]
fn ends_beyond_all_time_are_refused() {
    let mut r = redis("");
    let invalid = |name: &str| format!("-ERR invalid expire time in '{name}' command");
    for n in ["9223372036854775807", "9223372036854775", "0", "-1"] {
        assert_eq!(say(&mut r, &format!("set k v ex {n}")), invalid("set"), "{n}");
        assert_eq!(say(&mut r, &format!("setex k {n} v")), invalid("setex"), "{n}");
    }
    assert_eq!(say(&mut r, "set k v px 9223372036854775807"), invalid("set"));
    assert_eq!((say(&mut r, "set k v ex 100"), say(&mut r, "ttl k")), ("+OK".into(), ":100".into()));
    assert_eq!(say(&mut r, "expire k 9223372036854775807"), invalid("expire"));
    assert_eq!(say(&mut r, "pexpireat k 9223372036854775807"), ":1");
    assert_eq!(say(&mut r, "expire k -9223372036854775808"), invalid("expire"));
    assert_eq!((say(&mut r, "expire k -1"), say(&mut r, "exists k")), (":1".into(), ":0".into()));
    r.version = (6, 2, 0);
    assert_eq!(say(&mut r, "set k v ex 0"), "-ERR invalid expire time in set");
}

#[test]
fn a_wrong_timeout_takes_nothing() {
    let mut r = redis("");
    say(&mut r, "rpush q a b");
    let not = "-ERR timeout is not a float or out of range";
    assert_eq!([say(&mut r, "blpop q abc"), say(&mut r, "brpop q nan")], [not, not]);
    assert_eq!(say(&mut r, "blpop q inf"), "-ERR timeout is out of range");
    assert_eq!(say(&mut r, "blmove q p left right 1e300"), "-ERR timeout is out of range");
    assert_eq!(say(&mut r, "brpoplpush q p -1"), "-ERR timeout is negative");
    assert_eq!(say(&mut r, "lrange q 0 -1"), "*2 $1 a $1 b");
    assert_eq!(say(&mut r, "blpop q 0"), "*2 $1 q $1 a");
    // Who waits gets what comes.
    assert_eq!(said(&mut r, 8, "blpop none 1.5", NOW), "");
    assert_eq!(r.next_end(), Some(NOW + Duration::from_millis(1_500)));
    say(&mut r, "lpush none x");
    assert_eq!(late(&mut r), [(8, "*2 $4 none $1 x ".to_string())]);
}

#[test]
fn an_empty_array_says_nothing() {
    let mut r = redis("");
    let text = "*0\r\n".to_string() + &reply::command(&["PING".into()]) + "*0\r\n";
    let answer = r.talk(&back("client", 1, text), NOW).unwrap().unwrap().unwrap();
    assert_eq!(answer.response.body, "+PONG\r\n");
    assert!(r.talk(&back("client", 1, "*0\r\n".into()), NOW).is_some());
}

/// Servers that follow each other; what was said to whom and is not answered yet.
struct Servers {
    all: Vec<Redis>,
    now: Time,
    /// Nobody reaches the first one.
    cut: bool,
}

impl Servers {
    fn new(n: u32) -> Self {
        let one = |i: u32| {
            let mut r = redis("");
            (r.run_id, r.rng) = (format!("id{i}"), Rng::new(u64::from(i)));
            r
        };
        Servers { all: (0..n).map(one).collect(), now: NOW, cut: false }
    }
    fn say(&mut self, i: usize, line: &str) -> String {
        let said = said(&mut self.all[i], 7, line, self.now);
        self.all[i].feed_followers(self.now);
        said
    }
    fn follow(&mut self, i: usize, leader: usize) {
        assert_eq!(self.say(i, &format!("replicaof {leader} 6379")), "+OK");
    }
    /// Carries what is said, for so long.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            for i in 0..self.all.len() {
                let from = u32::try_from(i).unwrap();
                for (to, number) in self.all[i].ended_links() {
                    let mut call = back(&format!("s{i}"), from, String::new());
                    call.call.talk = Some(Talk { text: String::new(), connection: number, closes: true });
                    self.all[usize::from(to.port)].talk(&call, self.now);
                }
                let Some(ask) = self.all[i].ask_leader(self.now) else { continue };
                let leader: u16 = ask.host.parse().unwrap();
                self.all[i].connected(&Server { port: leader, ..Server::default() });
                let mut call = back(&format!("s{i}"), from, ask.text);
                call.call.talk.as_mut().unwrap().connection = ask.number;
                let cut = self.cut && leader == 0;
                let answer = match cut {
                    true => Some(Err(NetError::Unreachable)),
                    false => self.all[usize::from(leader)].talk(&call, self.now),
                };
                if let Some(answer) = answer {
                    self.all[i].heard(ask.number, answer, self.now);
                }
            }
            for i in 0..self.all.len() {
                self.all[i].feed_followers(self.now);
                for (to, answer) in std::mem::take(&mut self.all[i].late) {
                    let Some(r) = self.all.get_mut(to.call.pid as usize).filter(|_| to.call.pid < 7) else { continue };
                    // On its way it is lost.
                    if !(self.cut && i == 0) {
                        r.heard(to.call.talk.unwrap().connection, answer, self.now);
                    }
                }
            }
            self.now += Duration::from_millis(100);
        }
    }
    fn second(&mut self) {
        self.pass(Duration::from_secs(1));
    }
    fn status(&mut self, i: usize) -> String {
        let info = self.say(i, "info replication");
        let word = |name: &str| info.split_whitespace().find_map(|w| w.strip_prefix(name)).unwrap_or("-").to_string();
        format!("{} {} {}", word("role:"), word("master_link_status:"), word("connected_slaves:"))
    }
}

#[test]
fn a_promoted_replica_keeps_what_it_has() {
    let mut s = Servers::new(3);
    s.say(0, "mset a 1 b 2");
    s.follow(1, 0);
    s.second();
    assert_eq!((s.say(1, "dbsize"), s.status(1), s.status(0)), (":2".into(), "slave up 0".into(), "master - 1".into()));
    assert_eq!(s.say(1, "replicaof 0 6379"), "+OK Already connected to specified master");
    s.say(1, "replicaof no one");
    s.say(0, "set c 3");
    s.second();
    assert_eq!((s.say(1, "dbsize"), s.status(1), s.status(0)), (":2".into(), "master - 0".into(), "master - 0".into()));
    // What an earlier leader has to say is not heard by who follows another one.
    s.follow(1, 0);
    s.second();
    s.say(2, "set other 1");
    s.follow(1, 2);
    s.say(0, "set d 4");
    s.second();
    assert_eq!(
        (s.say(1, "keys *"), s.status(0), s.status(2)),
        ("*1 $5 other".into(), "master - 0".into(), "master - 1".into())
    );
}

#[test]
fn a_circle_comes_to_rest() {
    let mut s = Servers::new(2);
    s.say(0, "rpush l a b");
    s.follow(0, 0);
    s.pass(Duration::from_secs(5));
    assert_eq!((s.say(0, "llen l"), s.status(0)), (":2".into(), "slave down 0".into()));
    let why = "MASTER is currently unable to PSYNC but should be in the future: -NOMASTERLINK Can't SYNC while not \
               connected with my master";
    assert!(s.all[0].log.iter().any(|(_, l)| l == why), "{:?}", s.all[0].log);
    s.say(0, "replicaof no one");
    s.follow(1, 0);
    s.second();
    // The one that it follows follows it.
    s.follow(0, 1);
    s.pass(Duration::from_secs(10));
    assert_eq!((s.say(0, "llen l"), s.say(1, "llen l")), (":2".into(), ":2".into()));
    assert!(s.all[1].offset < 1_000, "{}", s.all[1].offset);
    assert!(s.status(0) != "slave up 1" || s.status(1) != "slave up 1");
    // Somebody leads again.
    s.say(1, "replicaof no one");
    s.pass(Duration::from_secs(3));
    s.say(1, "rpush l c");
    s.second();
    assert_eq!((s.say(0, "llen l"), s.status(0)), (":3".into(), "slave up 0".into()));
}

#[test]
fn followers_of_followers_have_the_same() {
    let mut s = Servers::new(3);
    s.say(0, "rpush l a");
    s.follow(1, 0);
    s.second();
    s.follow(2, 1);
    s.second();
    s.say(0, "rpush l b");
    s.say(0, "setex k 1 v");
    s.second();
    assert_eq!((s.say(2, "llen l"), s.status(1)), (":2".into(), "slave up 1".into()));
    assert_eq!((s.all[0].offset, s.all[1].offset), (s.all[2].offset, s.all[2].offset));
    // A leader that had to begin anew makes them begin anew, too.
    s.say(1, "replicaof no one");
    s.follow(1, 0);
    s.say(0, "rpush l c");
    s.pass(Duration::from_secs(3));
    assert_eq!(s.say(2, "llen l"), ":3");
}

#[test]
fn a_leader_that_cannot_be_reached_is_down_after_a_minute_and_nothing_is_lost_before() {
    let mut s = Servers::new(2);
    s.follow(1, 0);
    s.second();
    s.say(0, "rpush l a");
    s.second();
    // The answer to the follower gets lost on its way.
    s.cut = true;
    s.say(0, "rpush l b");
    s.pass(Duration::from_secs(30));
    assert_eq!((s.status(1), s.say(1, "llen l")), ("slave up 0".into(), ":1".into()));
    s.cut = false;
    s.pass(Duration::from_secs(11));
    assert_eq!((s.status(1), s.say(1, "lrange l 0 -1")), ("slave up 0".into(), "*2 $1 a $1 b".into()));
    s.cut = true;
    s.pass(Duration::from_secs(75));
    assert_eq!((s.status(1), s.status(0)), ("slave down 0".into(), "master - 0".into()));
    assert!(s.all[1].log.iter().any(|(_, l)| l == "MASTER timeout: no data nor PING received..."));
    s.say(0, "rpush l c");
    s.cut = false;
    s.pass(Duration::from_secs(3));
    assert_eq!((s.status(1), s.say(1, "llen l")), ("slave up 0".into(), ":3".into()));
}

#[test]
fn a_follower_has_what_was_drawn_and_what_has_ended_at_its_leader() {
    let mut s = Servers::new(2);
    s.say(0, "sadd s a b c d e f g h i j");
    s.follow(1, 0);
    s.second();
    s.say(0, "spop s 4");
    s.say(0, "spop s");
    s.say(0, "rpush q x y");
    s.say(0, "blpop none q 0");
    s.say(0, "brpoplpush q p 0");
    s.say(0, "set k old ex 1");
    s.say(0, "set n 5 px 1000");
    s.say(0, "set once 1 nx get");
    s.say(0, "getset new 1");
    s.pass(Duration::from_millis(500));
    assert_eq!(s.say(1, "exists k n once new"), ":4");
    s.pass(Duration::from_secs(2));
    // Over, though its leader has not said so.
    assert_eq!((s.say(1, "get k"), s.say(1, "dbsize")), ("$-1".into(), ":4".into()));
    assert_eq!((s.say(0, "setnx k new"), s.say(0, "incr n")), (":1".into(), ":1".into()));
    s.second();
    for line in ["smembers s", "lrange p 0 -1", "exists q", "get k", "get n", "ttl n", "dbsize"] {
        assert_eq!(s.say(0, line), s.say(1, line), "{line}");
    }
    assert_eq!(s.say(1, "get n"), "$1 1");
}

#[test]
fn who_is_gone_takes_nothing() {
    let mut r = redis("");
    assert_eq!(said(&mut r, 8, "blpop jobs 0", NOW), "");
    let mut gone = back("client", 8, String::new());
    gone.call.talk = Some(Talk { text: String::new(), connection: 0, closes: true });
    assert!(r.talk(&gone, NOW).is_some());
    assert_eq!((say(&mut r, "rpush jobs a"), say(&mut r, "llen jobs")), (":1".into(), ":1".into()));
    assert!(late(&mut r).is_empty());
}

#[test]
fn a_transaction_is_carried_out_when_nobody_has_come_between() {
    let mut r = redis("");
    let mut both = |a: &str, b: &str, c: &str| {
        say(&mut r, "set k 1");
        say(&mut r, a);
        said(&mut r, 8, b, NOW);
        say(&mut r, c);
        say(&mut r, "multi");
        say(&mut r, "incr n");
        say(&mut r, "exec")
    };
    assert_eq!(both("watch k other", "set k 2", "ping"), "*-1");
    assert_eq!(both("watch k", "set other 2", "ping"), "*1 :1");
    assert_eq!(both("watch k", "del k", "ping"), "*-1");
    assert_eq!(both("watch none", "flushall", "ping"), "*1 :1");
    assert_eq!(both("watch k", "flushall", "ping"), "*-1");
    assert_eq!(both("watch k", "setnx k 3", "ping"), "*1 :1");
    assert_eq!(both("watch k", "set k 2", "unwatch"), "*1 :2");
    say(&mut r, "watch k");
    say(&mut r, "multi");
    assert_eq!(say(&mut r, "watch k"), "-ERR WATCH inside MULTI is not allowed");
    assert_eq!([say(&mut r, "select 2"), say(&mut r, "set far 1")], ["+QUEUED", "+QUEUED"]);
    assert_eq!(say(&mut r, "exists n"), "+QUEUED");
    assert_eq!(say(&mut r, "exec"), "*3 +OK +OK :0");
    assert_eq!(say(&mut r, "exists far"), ":1");
    say(&mut r, "quit");
    assert_eq!(say(&mut r, "exists far"), ":0");
}

#[test]
fn hello_logs_in() {
    let mut r = redis("requirepass secret");
    assert!(say(&mut r, "hello 2").starts_with("-NOAUTH HELLO must be called"));
    assert!(say(&mut r, "hello 2 auth default wrong").starts_with("-WRONGPASS"));
    assert_eq!(say(&mut r, "ping"), "-NOAUTH Authentication required.");
    let said = say(&mut r, "hello 2 auth default secret setname me");
    assert!(said.contains("$5 7.2.5") && said.ends_with("$7 modules *0"), "{said}");
    assert_eq!((say(&mut r, "ping"), say(&mut r, "client getname")), ("+PONG".into(), "$2 me".into()));
}

#[test]
fn replicas_with_the_same_address_are_several() {
    let mut r = redis("");
    let mut sync = |container: &str, attempt: u32, pid: u32, connection: u32| {
        let mut from = back("pod", pid, reply::command(&["PSYNC".into(), "other".into(), "-1".into()]));
        (from.call.id.container, from.call.id.attempt) = (container.into(), attempt);
        from.call.talk.as_mut().unwrap().connection = connection;
        r.talk(&from, NOW);
        r.replicas().len()
    };
    assert_eq!([sync("a", 0, 1, 1), sync("b", 0, 1, 1), sync("b", 0, 9, 1)], [1, 2, 3]);
    // Who begins anew does so in the place of its earlier connection, also after a restart of the container.
    assert_eq!([sync("b", 0, 9, 2), sync("a", 1, 1, 1), sync("b", 1, 1, 1)], [3, 3, 2]);
}

#[test]
fn what_is_had_is_written_only_as_far_as_it_fits() {
    let mut r = redis("");
    (0..100).for_each(|n| _ = say(&mut r, &format!("set key{n} {}", "x".repeat(1_000))));
    assert!(r.everything(usize::MAX).len() > 100_000);
    assert!((5_000..7_000).contains(&r.everything(5_000).len()));
}
