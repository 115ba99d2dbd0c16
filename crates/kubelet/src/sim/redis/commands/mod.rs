//! The commands that a redis knows.

mod hashes;
mod keys;
mod lists;
mod server;
mod sets;
mod sorted;
mod strings;

use super::Redis;
use super::data::{Db, Value};
use super::reply::Reply;
use meta::{Duration, Time};

pub use strings::float;

/// A command: how many words it has (negative: at least), whether it writes, whether it needs memory, and which of its
/// words are keys (first, last, step).
pub struct Command {
    pub name: &'static str,
    pub arity: i32,
    pub writes: bool,
    pub grows: bool,
    pub keys: (i32, i32, usize),
    run: fn(&mut Redis, &Cx) -> Done,
}

/// What a command sees beside the server.
pub struct Cx<'a> {
    pub argv: &'a [String],
    pub db: usize,
    pub now: Time,
}

impl Cx<'_> {
    fn arg(&self, n: usize) -> &str {
        self.argv.get(n).map_or("", String::as_str)
    }
    fn rest(&self, n: usize) -> &[String] {
        self.argv.get(n..).unwrap_or_default()
    }
    fn word(&self, n: usize) -> String {
        self.arg(n).to_ascii_lowercase()
    }
}

/// What comes of a command.
pub enum Done {
    Reply(Reply),
    /// It waits for one of its keys to hold something, at most so long.
    Wait(Option<Duration>),
}

impl From<Reply> for Done {
    fn from(r: Reply) -> Done {
        Done::Reply(r)
    }
}

type Outcome = Result<Reply, &'static str>;

impl From<Outcome> for Done {
    fn from(r: Outcome) -> Done {
        Done::Reply(r.unwrap_or_else(|e| Reply::Error(e.into())))
    }
}

const WRONG_TYPE: &str = "WRONGTYPE Operation against a key holding the wrong kind of value";
const SYNTAX: &str = "ERR syntax error";
const NOT_INT: &str = "ERR value is not an integer or out of range";
const NOT_FLOAT: &str = "ERR value is not a valid float";
const NO_KEY: &str = "ERR no such key";

/// The type's methods for one kind of value: look, and look or make.
macro_rules! kind {
    ($look:ident, $make:ident, $variant:ident, $of:ty) => {
        #[allow(dead_code)]
        fn $look<'a>(db: &'a mut Db, key: &str) -> Result<Option<&'a mut $of>, &'static str> {
            match db.value(key) {
                None => Ok(None),
                Some(Value::$variant(v)) => Ok(Some(v)),
                Some(_) => Err(WRONG_TYPE),
            }
        }
        #[allow(dead_code)]
        fn $make<'a>(db: &'a mut Db, key: &str, cx: &Cx) -> Result<&'a mut $of, &'static str> {
            if db.get(key).is_none() {
                db.put_empty(key, Value::$variant(Default::default()), (cx.now, 0));
            }
            match db.value(key) {
                Some(Value::$variant(v)) => Ok(v),
                _ => Err(WRONG_TYPE),
            }
        }
    };
}
kind!(text, text_made, Text, String);
kind!(list, list_made, List, std::collections::VecDeque<String>);
kind!(hash, hash_made, Hash, super::data::Named<String>);
kind!(set, set_made, Set, super::data::Named<()>);
kind!(sorted, sorted_made, Sorted, super::data::Named<f64>);

/// When what is to end after `n` seconds (or milliseconds), or at that second, ends. `None`: it is no such time.
fn end(n: i64, seconds: bool, at: bool, now: Time) -> Option<Time> {
    let millis = if seconds { n.checked_mul(1_000)? } else { n };
    let from = if at { 0 } else { i64::try_from(now.as_micros() / 1_000).unwrap_or(i64::MAX) };
    let millis = millis.checked_add(from)?;
    Some(Time(u64::try_from(millis).unwrap_or(0).saturating_mul(1_000)))
}

fn invalid_end(r: &Redis, cx: &Cx) -> Reply {
    let name = cx.word(0);
    let name = if r.version.0 >= 7 { format!("'{name}' command") } else { name };
    Reply::Error(format!("ERR invalid expire time in {name}"))
}

fn int(s: &str) -> Result<i64, &'static str> {
    s.parse().map_err(|_| NOT_INT)
}

fn number(s: &str) -> Result<f64, &'static str> {
    let n: f64 = s.parse().map_err(|_| NOT_FLOAT)?;
    if n.is_nan() { Err(NOT_FLOAT) } else { Ok(n) }
}

/// Where in a sequence of `len` a range from `start` to `stop` is; negative numbers count from the end.
fn range(start: i64, stop: i64, len: usize) -> std::ops::Range<usize> {
    let size = i64::try_from(len).unwrap_or(i64::MAX);
    let from = if start < 0 { (start + size).max(0) } else { start };
    let to = if stop < 0 { stop + size } else { stop.min(size - 1) } + 1;
    let at = |n: i64| usize::try_from(n.clamp(0, size)).unwrap_or(0);
    at(from)..at(to).max(at(from))
}

/// Whether a name fits a pattern of `KEYS` and `SCAN`.
fn fits(pattern: &str, name: &str) -> bool {
    crate::sim::shell::pattern::matches(pattern, name)
}

impl Redis {
    fn db(&mut self, cx: &Cx) -> &mut Db {
        self.ensure(cx.db)
    }
}

macro_rules! commands {
    ($( $name:literal $arity:literal [$($flag:ident)*] ($first:literal, $last:literal, $step:literal) $run:path; )*) => {
        pub const COMMANDS: &[Command] = &[$( Command {
            name: $name,
            arity: $arity,
            writes: commands!(@write $($flag)*),
            grows: commands!(@grow $($flag)*),
            keys: ($first, $last, $step),
            run: |r, cx| $run(r, cx).into(),
        } ),*];
    };
    (@write) => { false };
    (@write write) => { true };
    (@write write grow) => { true };
    (@grow write grow) => { true };
    (@grow $($any:ident)*) => { false };
}

commands! {
    "append" 3 [write grow] (1, 1, 1) strings::append;
    "blmove" 6 [write grow] (1, 2, 1) lists::blocking_move;
    "blpop" -3 [write] (1, -2, 1) lists::blocking_pop;
    "brpop" -3 [write] (1, -2, 1) lists::blocking_pop;
    "brpoplpush" 4 [write grow] (1, 2, 1) lists::blocking_move;
    "config" -2 [] (0, 0, 0) server::config;
    "dbsize" 1 [] (0, 0, 0) keys::dbsize;
    "decr" 2 [write grow] (1, 1, 1) strings::step;
    "decrby" 3 [write grow] (1, 1, 1) strings::step;
    "del" -2 [write] (1, -1, 1) keys::del;
    "echo" 2 [] (0, 0, 0) server::echo;
    "exists" -2 [] (1, -1, 1) keys::exists;
    "expire" -3 [write] (1, 1, 1) keys::expire;
    "expireat" -3 [write] (1, 1, 1) keys::expire;
    "flushall" -1 [write] (0, 0, 0) keys::flush;
    "flushdb" -1 [write] (0, 0, 0) keys::flush;
    "get" 2 [] (1, 1, 1) strings::get;
    "getdel" 2 [write] (1, 1, 1) strings::getdel;
    "getrange" 4 [] (1, 1, 1) strings::getrange;
    "getset" 3 [write grow] (1, 1, 1) strings::getset;
    "hdel" -3 [write] (1, 1, 1) hashes::del;
    "hexists" 3 [] (1, 1, 1) hashes::exists;
    "hget" 3 [] (1, 1, 1) hashes::get;
    "hgetall" 2 [] (1, 1, 1) hashes::all;
    "hincrby" 4 [write grow] (1, 1, 1) hashes::incr;
    "hkeys" 2 [] (1, 1, 1) hashes::all;
    "hlen" 2 [] (1, 1, 1) hashes::len;
    "hmget" -3 [] (1, 1, 1) hashes::mget;
    "hmset" -4 [write grow] (1, 1, 1) hashes::set;
    "hset" -4 [write grow] (1, 1, 1) hashes::set;
    "hsetnx" 4 [write grow] (1, 1, 1) hashes::setnx;
    "hvals" 2 [] (1, 1, 1) hashes::all;
    "incr" 2 [write grow] (1, 1, 1) strings::step;
    "incrby" 3 [write grow] (1, 1, 1) strings::step;
    "incrbyfloat" 3 [write grow] (1, 1, 1) strings::step_float;
    "info" -1 [] (0, 0, 0) server::info;
    "keys" 2 [] (0, 0, 0) keys::keys;
    "lastsave" 1 [] (0, 0, 0) server::lastsave;
    "lindex" 3 [] (1, 1, 1) lists::index;
    "linsert" 5 [write grow] (1, 1, 1) lists::insert;
    "llen" 2 [] (1, 1, 1) lists::len;
    "lmove" 5 [write grow] (1, 2, 1) lists::moved;
    "lpop" -2 [write] (1, 1, 1) lists::pop;
    "lpush" -3 [write grow] (1, 1, 1) lists::push;
    "lpushx" -3 [write grow] (1, 1, 1) lists::push;
    "lrange" 4 [] (1, 1, 1) lists::range_of;
    "lrem" 4 [write] (1, 1, 1) lists::rem;
    "lset" 4 [write grow] (1, 1, 1) lists::set;
    "ltrim" 4 [write] (1, 1, 1) lists::trim;
    "memory" -2 [] (2, 2, 1) server::memory;
    "mget" -2 [] (1, -1, 1) strings::mget;
    "mset" -3 [write grow] (1, -1, 2) strings::mset;
    "msetnx" -3 [write grow] (1, -1, 2) strings::mset;
    "object" -2 [] (2, 2, 1) keys::object;
    "persist" 2 [write] (1, 1, 1) keys::persist;
    "pexpire" -3 [write] (1, 1, 1) keys::expire;
    "pexpireat" -3 [write] (1, 1, 1) keys::expire;
    "ping" -1 [] (0, 0, 0) server::ping;
    "psetex" 4 [write grow] (1, 1, 1) strings::setex;
    "pttl" 2 [] (1, 1, 1) keys::ttl;
    "publish" 3 [] (0, 0, 0) server::publish;
    "randomkey" 1 [] (0, 0, 0) keys::randomkey;
    "rename" 3 [write] (1, 2, 1) keys::rename;
    "renamenx" 3 [write] (1, 2, 1) keys::rename;
    "replicaof" 3 [] (0, 0, 0) server::replicaof;
    "role" 1 [] (0, 0, 0) server::role;
    "rpop" -2 [write] (1, 1, 1) lists::pop;
    "rpoplpush" 3 [write grow] (1, 2, 1) lists::moved;
    "rpush" -3 [write grow] (1, 1, 1) lists::push;
    "rpushx" -3 [write grow] (1, 1, 1) lists::push;
    "sadd" -3 [write grow] (1, 1, 1) sets::add;
    "scan" -2 [] (0, 0, 0) keys::scan;
    "scard" 2 [] (1, 1, 1) sets::card;
    "sdiff" -2 [] (1, -1, 1) sets::combine;
    "sdiffstore" -3 [write grow] (1, -1, 1) sets::store;
    "set" -3 [write grow] (1, 1, 1) strings::set;
    "setex" 4 [write grow] (1, 1, 1) strings::setex;
    "setnx" 3 [write grow] (1, 1, 1) strings::setnx;
    "setrange" 4 [write grow] (1, 1, 1) strings::setrange;
    "sinter" -2 [] (1, -1, 1) sets::combine;
    "sinterstore" -3 [write grow] (1, -1, 1) sets::store;
    "sismember" 3 [] (1, 1, 1) sets::is_member;
    "slaveof" 3 [] (0, 0, 0) server::replicaof;
    "smembers" 2 [] (1, 1, 1) sets::members;
    "smismember" -3 [] (1, 1, 1) sets::is_member;
    "smove" 4 [write] (1, 2, 1) sets::moved;
    "spop" -2 [write] (1, 1, 1) sets::pop;
    "srandmember" -2 [] (1, 1, 1) sets::random;
    "srem" -3 [write] (1, 1, 1) sets::rem;
    "strlen" 2 [] (1, 1, 1) strings::strlen;
    "sunion" -2 [] (1, -1, 1) sets::combine;
    "sunionstore" -3 [write grow] (1, -1, 1) sets::store;
    "time" 1 [] (0, 0, 0) server::time;
    "touch" -2 [] (1, -1, 1) keys::exists;
    "ttl" 2 [] (1, 1, 1) keys::ttl;
    "type" 2 [] (1, 1, 1) keys::kind_of;
    "unlink" -2 [write] (1, -1, 1) keys::del;
    "wait" 3 [] (0, 0, 0) server::wait;
    "zadd" -4 [write grow] (1, 1, 1) sorted::add;
    "zcard" 2 [] (1, 1, 1) sorted::card;
    "zcount" 4 [] (1, 1, 1) sorted::count;
    "zincrby" 4 [write grow] (1, 1, 1) sorted::incr;
    "zpopmax" -2 [write] (1, 1, 1) sorted::pop;
    "zpopmin" -2 [write] (1, 1, 1) sorted::pop;
    "zrange" -4 [] (1, 1, 1) sorted::range_of;
    "zrangebyscore" -4 [] (1, 1, 1) sorted::by_score;
    "zrank" 3 [] (1, 1, 1) sorted::rank;
    "zrem" -3 [write] (1, 1, 1) sorted::rem;
    "zremrangebyrank" 4 [write] (1, 1, 1) sorted::rem_range;
    "zremrangebyscore" 4 [write] (1, 1, 1) sorted::rem_range;
    "zrevrange" -4 [] (1, 1, 1) sorted::range_of;
    "zrevrangebyscore" -4 [] (1, 1, 1) sorted::by_score;
    "zrevrank" 3 [] (1, 1, 1) sorted::rank;
    "zscore" 3 [] (1, 1, 1) sorted::score;
}

impl Command {
    pub fn find(name: &str) -> Option<&'static Command> {
        let name = name.to_ascii_lowercase();
        COMMANDS.binary_search_by(|c| c.name.cmp(name.as_str())).ok().map(|i| &COMMANDS[i])
    }
    pub fn takes(&self, words: usize) -> bool {
        let words = i32::try_from(words).unwrap_or(i32::MAX);
        if self.arity < 0 { words >= -self.arity } else { words == self.arity }
    }
    pub fn keys<'a>(&self, argv: &'a [String]) -> Vec<&'a str> {
        let (first, last, step) = self.keys;
        let size = i32::try_from(argv.len()).unwrap_or(i32::MAX);
        let last = if last < 0 { size + last } else { last.min(size - 1) };
        if first == 0 || last < first {
            return Vec::new();
        }
        let at = |n: i32| usize::try_from(n).unwrap_or(0);
        argv[at(first)..=at(last)].iter().step_by(step).map(String::as_str).collect()
    }
    /// Whether a command that writes has written anything, by its reply.
    pub fn has_changed(&self, argv: &[String], reply: &Reply) -> bool {
        match (self.name, reply) {
            (_, Reply::Error(_)) => false,
            // What they answer is what was there before.
            ("getset", _) => true,
            ("set", Reply::Bulk(_)) => argv.iter().skip(3).any(|w| w.eq_ignore_ascii_case("get")),
            (_, Reply::Bulk(None) | Reply::Array(None)) => false,
            (_, Reply::Array(Some(all))) => !all.is_empty(),
            (
                "del" | "expire" | "expireat" | "hdel" | "hsetnx" | "linsert" | "lpushx" | "lrem" | "msetnx"
                | "persist" | "pexpire" | "pexpireat" | "renamenx" | "rpushx" | "sadd" | "setnx" | "smove" | "srem"
                | "unlink" | "zrem" | "zremrangebyrank" | "zremrangebyscore",
                Reply::Int(n),
            ) => *n > 0,
            _ => true,
        }
    }
    pub fn run(&self, redis: &mut Redis, cx: &Cx) -> Done {
        (self.run)(redis, cx)
    }
}

/// Commands of redis that are not simulated.
pub const MISSING: &[&str] = &[
    "acl",
    "bgrewriteaof",
    "bitcount",
    "bitfield",
    "bitop",
    "bitpos",
    "bzpopmax",
    "bzpopmin",
    "cluster",
    "copy",
    "debug",
    "dump",
    "eval",
    "evalsha",
    "failover",
    "fcall",
    "function",
    "geoadd",
    "geodist",
    "geohash",
    "geopos",
    "georadius",
    "geosearch",
    "getbit",
    "getex",
    "hincrbyfloat",
    "hrandfield",
    "hscan",
    "hstrlen",
    "latency",
    "lolwut",
    "lpos",
    "migrate",
    "module",
    "monitor",
    "move",
    "pfadd",
    "pfcount",
    "pfmerge",
    "psubscribe",
    "pubsub",
    "restore",
    "script",
    "setbit",
    "slowlog",
    "sort",
    "sscan",
    "subscribe",
    "swapdb",
    "unsubscribe",
    "xack",
    "xadd",
    "xdel",
    "xgroup",
    "xinfo",
    "xlen",
    "xpending",
    "xrange",
    "xread",
    "xreadgroup",
    "xrevrange",
    "xtrim",
    "zdiff",
    "zinter",
    "zinterstore",
    "zlexcount",
    "zmscore",
    "zrangebylex",
    "zrangestore",
    "zscan",
    "zunion",
    "zunionstore",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_in_order_and_know_their_keys() {
        assert!(COMMANDS.is_sorted_by_key(|c| c.name));
        let of = |line: &str| {
            let argv: Vec<String> = line.split(' ').map(String::from).collect();
            Command::find(&argv[0]).unwrap().keys(&argv).join(",")
        };
        assert_eq!(
            (of("BLPOP a b 0"), of("mset a 1 b 2"), of("get a"), of("ping")),
            ("a,b".into(), "a,b".into(), "a".into(), String::new())
        );
        assert_eq!((range(0, -1, 3), range(-2, 9, 3), range(5, 9, 3), range(0, -9, 3)), (0..3, 1..3, 3..3, 0..0));
    }
}
