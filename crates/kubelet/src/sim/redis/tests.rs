//! Servers by themselves: what they answer, and what one hears from another.

use super::config::Config;
use super::{Back, Redis, reply};
use crate::runtime::ContainerId;
use crate::sim::catalogue::servers::REDIS;
use crate::sim::net::{Call, Server, Talk};
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
