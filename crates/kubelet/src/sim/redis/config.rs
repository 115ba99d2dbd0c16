//! What a redis is told: `redis.conf`, arguments, `CONFIG SET`.

use super::reply::words;
use std::collections::BTreeMap;

/// What a parameter may be.
#[derive(Clone, Copy, PartialEq)]
enum Takes {
    Memory,
    Number,
    YesNo,
    Policy,
    Text,
    /// Any number of words.
    Words,
    /// Save points, as many as one likes.
    Points,
}
use Takes::{Memory, Number, Points, Policy, Text, Words, YesNo};

pub const POLICIES: &[&str] = &[
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "noeviction",
];

/// Parameters, what they are without a word about them, and whether they change while the server runs.
const PARAMETERS: &[(&str, &str, Takes, bool)] = &[
    ("acllog-max-len", "128", Number, true),
    ("activedefrag", "no", YesNo, true),
    ("activerehashing", "yes", YesNo, true),
    ("always-show-logo", "no", YesNo, false),
    ("aof-load-truncated", "yes", YesNo, true),
    ("aof-rewrite-incremental-fsync", "yes", YesNo, true),
    ("aof-use-rdb-preamble", "yes", YesNo, true),
    ("appenddirname", "appendonlydir", Text, false),
    ("appendfilename", "appendonly.aof", Text, false),
    ("appendfsync", "everysec", Text, true),
    ("appendonly", "no", YesNo, true),
    ("auto-aof-rewrite-min-size", "67108864", Memory, true),
    ("auto-aof-rewrite-percentage", "100", Number, true),
    ("bind", "* -::*", Words, true),
    ("client-output-buffer-limit", "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60", Words, true),
    ("client-query-buffer-limit", "1073741824", Memory, true),
    ("cluster-config-file", "nodes.conf", Text, false),
    ("cluster-enabled", "no", YesNo, false),
    ("cluster-node-timeout", "15000", Number, true),
    ("cluster-require-full-coverage", "yes", YesNo, true),
    ("daemonize", "no", YesNo, false),
    ("databases", "16", Number, false),
    ("dbfilename", "dump.rdb", Text, true),
    ("dir", "", Text, true),
    ("disable-thp", "yes", YesNo, false),
    ("dynamic-hz", "yes", YesNo, true),
    ("enable-debug-command", "no", Text, false),
    ("enable-module-command", "no", Text, false),
    ("enable-protected-configs", "no", Text, false),
    ("hash-max-listpack-entries", "512", Number, true),
    ("hash-max-listpack-value", "64", Number, true),
    ("hash-max-ziplist-entries", "512", Number, true),
    ("hash-max-ziplist-value", "64", Number, true),
    ("hll-sparse-max-bytes", "3000", Memory, true),
    ("hz", "10", Number, true),
    ("io-threads", "1", Number, false),
    ("io-threads-do-reads", "no", YesNo, false),
    ("jemalloc-bg-thread", "yes", YesNo, true),
    ("latency-monitor-threshold", "0", Number, true),
    ("lazyfree-lazy-eviction", "no", YesNo, true),
    ("lazyfree-lazy-expire", "no", YesNo, true),
    ("lazyfree-lazy-server-del", "no", YesNo, true),
    ("lazyfree-lazy-user-del", "no", YesNo, true),
    ("lazyfree-lazy-user-flush", "no", YesNo, true),
    ("lfu-decay-time", "1", Number, true),
    ("lfu-log-factor", "10", Number, true),
    ("list-compress-depth", "0", Number, true),
    ("list-max-listpack-size", "-2", Number, true),
    ("list-max-ziplist-size", "-2", Number, true),
    ("logfile", "", Text, false),
    ("loglevel", "notice", Text, true),
    ("lua-time-limit", "5000", Number, true),
    ("masterauth", "", Text, true),
    ("masteruser", "", Text, true),
    ("maxclients", "10000", Number, true),
    ("maxmemory", "0", Memory, true),
    ("maxmemory-clients", "0", Memory, true),
    ("maxmemory-eviction-tenacity", "10", Number, true),
    ("maxmemory-policy", "noeviction", Policy, true),
    ("maxmemory-samples", "5", Number, true),
    ("min-replicas-max-lag", "10", Number, true),
    ("min-replicas-to-write", "0", Number, true),
    ("no-appendfsync-on-rewrite", "no", YesNo, true),
    ("notify-keyspace-events", "", Text, true),
    ("oom-score-adj", "no", Text, true),
    ("oom-score-adj-values", "0 200 800", Words, true),
    ("pidfile", "", Text, false),
    ("port", "6379", Number, false),
    ("proc-title-template", "{title} {listen-addr} {server-mode}", Words, true),
    ("protected-mode", "yes", YesNo, true),
    ("proto-max-bulk-len", "536870912", Memory, true),
    ("rdb-del-sync-files", "no", YesNo, true),
    ("rdb-save-incremental-fsync", "yes", YesNo, true),
    ("rdbchecksum", "yes", YesNo, false),
    ("rdbcompression", "yes", YesNo, true),
    ("rename-command", "", Words, false),
    ("repl-backlog-size", "1048576", Memory, true),
    ("repl-backlog-ttl", "3600", Number, true),
    ("repl-disable-tcp-nodelay", "no", YesNo, true),
    ("repl-diskless-load", "disabled", Text, true),
    ("repl-diskless-sync", "yes", YesNo, true),
    ("repl-diskless-sync-delay", "5", Number, true),
    ("repl-ping-replica-period", "10", Number, true),
    ("repl-timeout", "60", Number, true),
    ("replica-announce-ip", "", Text, true),
    ("replica-announce-port", "0", Number, true),
    ("replica-lazy-flush", "yes", YesNo, true),
    ("replica-priority", "100", Number, true),
    ("replica-read-only", "yes", YesNo, true),
    ("replica-serve-stale-data", "yes", YesNo, true),
    ("replicaof", "", Words, false),
    ("requirepass", "", Text, true),
    ("save", "3600 1 300 100 60 10000", Points, true),
    ("set-max-intset-entries", "512", Number, true),
    ("set-max-listpack-entries", "128", Number, true),
    ("set-max-listpack-value", "64", Number, true),
    ("slave-read-only", "yes", YesNo, true),
    ("slave-serve-stale-data", "yes", YesNo, true),
    ("slaveof", "", Words, false),
    ("slowlog-log-slower-than", "10000", Number, true),
    ("slowlog-max-len", "128", Number, true),
    ("stop-writes-on-bgsave-error", "yes", YesNo, true),
    ("stream-node-max-bytes", "4096", Memory, true),
    ("stream-node-max-entries", "100", Number, true),
    ("supervised", "no", Text, false),
    ("syslog-enabled", "no", YesNo, false),
    ("tcp-backlog", "511", Number, false),
    ("tcp-keepalive", "300", Number, true),
    ("timeout", "0", Number, true),
    ("tls-port", "0", Number, true),
    ("tracking-table-max-keys", "1000000", Number, true),
    ("unixsocket", "", Text, false),
    ("unixsocketperm", "0", Text, false),
    ("user", "", Words, false),
    ("watchdog-period", "0", Number, true),
    ("zset-max-listpack-entries", "128", Number, true),
    ("zset-max-listpack-value", "64", Number, true),
    ("zset-max-ziplist-entries", "128", Number, true),
    ("zset-max-ziplist-value", "64", Number, true),
];

fn parameter(name: &str) -> Option<&'static (&'static str, &'static str, Takes, bool)> {
    PARAMETERS.iter().find(|(n, ..)| *n == name)
}

/// `2mb`, `1g`, `100`: in bytes. Models `memtoull`.
pub fn memory(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" => 1_000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

/// Save points: after so many seconds with so many changes. `None`: that is not what they are.
pub fn points(text: &str) -> Option<Vec<(u64, u64)>> {
    let all: Vec<u64> = text.split_whitespace().map(|n| n.parse().ok()).collect::<Option<_>>()?;
    let points: Vec<_> = all.chunks_exact(2).map(|p| (p[0], p[1])).collect();
    (all.len().is_multiple_of(2) && points.iter().all(|(seconds, _)| *seconds > 0)).then_some(points)
}

/// Why a value does not do.
fn check(takes: Takes, value: &str) -> Result<String, String> {
    match takes {
        Memory => memory(value).map(|n| n.to_string()).ok_or_else(|| "argument must be a memory value".into()),
        Number => {
            let number = value.parse::<i64>().map(|n| n.to_string());
            number.map_err(|_| "argument couldn't be parsed into an integer".into())
        }
        YesNo if matches!(value.to_ascii_lowercase().as_str(), "yes" | "no") => Ok(value.to_ascii_lowercase()),
        YesNo => Err("argument must be 'yes' or 'no'".into()),
        Policy if POLICIES.contains(&value.to_ascii_lowercase().as_str()) => Ok(value.to_ascii_lowercase()),
        Policy => Err(format!("argument must be one of the following: {}", POLICIES.join(", "))),
        Points if points(value).is_none() => Err("Invalid save parameters".into()),
        Points | Text | Words => Ok(value.into()),
    }
}

/// What was said; the rest is as [`PARAMETERS`] has it.
#[derive(Clone, Debug, Default)]
pub struct Config {
    said: BTreeMap<&'static str, String>,
    /// The file it was read from.
    pub file: Option<String>,
}

impl Config {
    pub fn get(&self, name: &str) -> &str {
        match self.said.get(name) {
            Some(v) => v,
            None => parameter(name).map_or("", |p| p.1),
        }
    }
    pub fn number(&self, name: &str) -> u64 {
        self.get(name).parse().unwrap_or(0)
    }
    pub fn names() -> impl Iterator<Item = &'static str> {
        PARAMETERS.iter().map(|(n, ..)| *n).filter(|n| !matches!(*n, "rename-command" | "user"))
    }
    pub fn put(&mut self, name: &'static str, value: &str) {
        self.said.insert(name, value.into());
    }

    /// A line of a configuration: `Err` is why it does not do.
    fn directive(&mut self, line: &[String]) -> Result<(), String> {
        let name = line[0].to_ascii_lowercase();
        let Some((name, _, takes, _)) = parameter(&name) else {
            return Err("Bad directive or wrong number of arguments".into());
        };
        let args = &line[1..];
        let enough = match (*takes, *name) {
            (_, "replicaof" | "slaveof" | "rename-command") => args.len() == 2,
            (Words | Points, _) => !args.is_empty(),
            _ => args.len() == 1,
        };
        if !enough {
            return Err("wrong number of arguments".into());
        }
        let value = check(*takes, &args.join(" "))?;
        let value = match (*name, self.said.get("save")) {
            // Every line adds its points, the empty one takes them away.
            ("save", Some(before)) if !value.is_empty() && !before.is_empty() => format!("{before} {value}"),
            ("replicaof" | "slaveof", _) if value.eq_ignore_ascii_case("no one") => String::new(),
            _ => value,
        };
        let name = if *name == "slaveof" { "replicaof" } else { name };
        self.said.insert(name, value);
        Ok(())
    }

    /// A whole file, and arguments after it.
    ///
    /// # Errors
    /// The number of the line, the line, and what is wrong with it.
    pub fn read(&mut self, text: &str) -> Result<(), (usize, String, String)> {
        for (n, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let bad = |why: String| (n + 1, line.to_string(), why);
            let all = words(line).ok_or_else(|| bad("Unbalanced quotes in configuration line".into()))?;
            self.directive(&all).map_err(bad)?;
        }
        Ok(())
    }

    /// `CONFIG SET`. `Err(None)`: there is no such parameter, or it cannot change.
    ///
    /// # Errors
    /// Why it is not set.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), Option<String>> {
        let name = name.to_ascii_lowercase();
        let (name, _, takes, changes) = parameter(&name).ok_or(None)?;
        if !changes {
            return Err(None);
        }
        let value = check(*takes, value).map_err(Some)?;
        self.said.insert(name, value);
        Ok(())
    }
}

/// `redis-server [FILE] [--NAME VALUE...]...` as the lines of a configuration after the file's; the file's name.
pub fn arguments(argv: &[String]) -> (Option<String>, String) {
    let file = argv.get(1).filter(|a| !a.starts_with("--") && *a != "-").cloned();
    let mut lines = String::new();
    for a in argv.iter().skip(1 + usize::from(file.is_some())) {
        match a.strip_prefix("--") {
            Some(name) => lines.push_str(&format!("\n{name} ")),
            None if a.is_empty() || a.contains(char::is_whitespace) && !a.contains('"') => {
                // `--save "60 1"` is two words, an empty one is none.
                lines.push_str(&if a.is_empty() { "\"\" ".to_string() } else { format!("{a} ") });
            }
            None => lines.push_str(&format!("{a} ")),
        }
    }
    (file, lines.trim_start().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations_are_read() {
        let mut c = Config::default();
        c.read("# of a tutorial\nmaxmemory 2mb\nmaxmemory-policy allkeys-lru\nsave 60 1\nsave 300 10\n").unwrap();
        assert_eq!(
            (c.get("maxmemory"), c.get("maxmemory-policy"), c.get("save")),
            ("2097152", "allkeys-lru", "60 1 300 10")
        );
        let bad = Config::default().read("\nbogus 1").unwrap_err();
        assert_eq!(bad, (2, "bogus 1".into(), "Bad directive or wrong number of arguments".into()));
        assert_eq!(Config::default().read("maxmemory").unwrap_err().2, "wrong number of arguments");
        for no in ["0 1", "60", "abc", "60 1 0 1", "-1 1"] {
            let why = "Invalid save parameters".to_string();
            assert_eq!(c.read(&format!("save {no}")), Err((1, format!("save {no}"), why.clone())));
            assert_eq!(c.set("save", no), Err(Some(why)), "{no}");
        }
        assert_eq!((c.get("save"), Config::default().set("save", "1 0")), ("60 1 300 10", Ok(())));
        let argv: Vec<String> = ["redis-server", "/c.conf", "--port", "7000", "--save", "", "--replicaof", "a", "1"]
            .map(String::from)
            .into();
        let (file, lines) = arguments(&argv);
        c.read(&lines).unwrap();
        assert_eq!(
            (file.as_deref(), c.get("port"), c.get("save"), c.get("replicaof")),
            (Some("/c.conf"), "7000", "", "a 1")
        );
    }
}
