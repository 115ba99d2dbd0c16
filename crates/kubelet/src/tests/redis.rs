//! A conversation with a redis.

use super::scripts::container;
use super::sessions::Host;
use crate::runtime::{ContainerId, FileModes, LogOptions, Mount, MountSource, Runtime, RuntimeCommand, SessionEnd};
use meta::Duration;

fn redis() -> Host {
    let mut h = Host::new(container("redis:7.2", &["redis-server"]));
    h.pass(1);
    h
}

#[test]
fn redis_cli_converses_at_a_terminal() {
    let mut h = redis();
    let s = h.open(Some(&["redis-cli"]), true, true);
    h.pass(1);
    assert_eq!(String::from_utf8_lossy(&h.take(s).stdout), "127.0.0.1:6379> ");
    let mut says = |line: &str| {
        let said = h.say(s, &format!("{line}\r")).replace("\r\n", "\n");
        said.strip_prefix(&format!("{line}\n")).map(str::to_string).unwrap_or(said)
    };
    assert_eq!(says("rpush job2 \"apple\""), "(integer) 1\n127.0.0.1:6379> ");
    assert_eq!(says("config get maxmemory"), "1) \"maxmemory\"\n2) \"0\"\n127.0.0.1:6379> ");
    assert_eq!(
        says("get job2"),
        "(error) WRONGTYPE Operation against a key holding the wrong kind of value\n127.0.0.1:6379> "
    );
    assert_eq!(says("lrange nope 0 -1"), "(empty array)\n127.0.0.1:6379> ");
    assert_eq!(says("select 3"), "OK\n127.0.0.1:6379[3]> ");
    assert_eq!(says("multi"), "OK\n127.0.0.1:6379[3](TX)> ");
    assert_eq!(says("incr n"), "QUEUED\n127.0.0.1:6379[3](TX)> ");
    assert_eq!(says("exec"), "1) (integer) 1\n127.0.0.1:6379[3]> ");
    assert_eq!(
        says("nope 1"),
        "(error) ERR unknown command 'nope', with args beginning with: '1' \n127.0.0.1:6379[3]> "
    );
    assert_eq!(says("set a 'q"), "Invalid argument(s)\n127.0.0.1:6379[3]> ");
    assert_eq!(says("blpop nope 0.6"), "(nil)\n(0.60s)\n127.0.0.1:6379[3]> ");
    says("exit");
    assert_eq!(h.take(s).end, Some(SessionEnd::Exited(0)));
    let ended = |code| Some(SessionEnd::Exited(code));
    assert_eq!(h.run(&["redis-cli", "-n", "3", "get", "n"]), ("1\n".into(), String::new(), ended(0)));
    let refused = "Could not connect to Redis at 127.0.0.1:1: Connection refused\n".to_string();
    assert_eq!(h.run(&["redis-cli", "-p", "1", "ping"]), (String::new(), refused, ended(1)));
    let piped =
        h.run(&["sh", "-c", "printf 'set a 1\\nincr a\\n' | redis-cli; echo hi | redis-cli -x set p; redis-cli get p"]);
    assert_eq!(piped.0, "OK\n2\nOK\nhi\n\n");
}

#[test]
fn what_does_not_fit_into_the_containers_memory_ends_it() {
    let mut spec = container("redis:7.2", &["redis-server"]);
    spec.memory_limit_bytes = Some(16 << 20);
    let mut h = Host::new(spec);
    h.pass(1);
    h.run(&[
        "sh",
        "-c",
        "x=a; for i in $(seq 1 21); do x=$x$x; done; for i in 1 2 3 4 5 6 7 8; do redis-cli set k$i $x; done",
    ]);
    let ended = h.rt.containers()[0].exited.clone();
    let oom = crate::runtime::ExitReason::OomKilled;
    assert!(matches!(&ended, Some(crate::RuntimeEvent::Exited { reason, .. }) if *reason == oom), "{ended:?}");
}

#[test]
fn commands_are_repeated_one_after_the_other() {
    let mut h = redis();
    let s = h.open(Some(&["redis-cli"]), true, false);
    assert_eq!(h.say(s, "2 incr n\n"), "1\n2\n");
    let bad = "Invalid redis-cli repeat command option value.\n";
    assert_eq!(h.say(s, "0 ping\n-3 ping\n99999999999999999999 ping\n"), bad.repeat(3));
    // So many copies would not fit into any memory; it lasts until somebody ends it.
    let s = h.open(Some(&["redis-cli"]), true, true);
    let said = h.say(s, "99999999999 incr n\r");
    assert!(said.contains("(integer) 3\r\n(integer) 4\r\n"), "{said}");
    h.say(s, "\x03");
    assert!(h.take(s).end.is_some());
    let script = "redis-cli -r -1 -i 1 incr m & sleep 4.5; kill $!; redis-cli -r 2 incr m; redis-cli -r 0 incr m; redis-cli get m";
    let s = h.open(Some(&["sh", "-c", script]), false, false);
    h.pass(7);
    assert_eq!(String::from_utf8_lossy(&h.take(s).stdout), "1\n2\n3\n4\n5\n6\n7\n7\n");
}

#[test]
fn a_client_that_is_killed_takes_nothing_from_a_queue() {
    let mut h = redis();
    let s = h.open(Some(&["redis-cli", "blpop", "jobs", "0"]), true, true);
    h.pass(1);
    h.say(s, "\x03");
    assert!(h.take(s).end.is_some());
    let script = "redis-cli blpop jobs 0 & sleep 0.1; kill -9 $!; redis-cli info clients | grep -c blocked_clients:0";
    assert_eq!(h.run(&["sh", "-c", script]).0, "1\n");
    assert_eq!(h.run(&["sh", "-c", "redis-cli rpush jobs a; redis-cli llen jobs"]).0, "1\n1\n");
}

/// A redis whose data are on a volume, started with these arguments.
fn kept(args: &[&str], attempt: u32) -> crate::runtime::ContainerSpec {
    let mut spec = container("redis:7.2", &[&["redis-server"], args].concat());
    spec.id.attempt = attempt;
    spec.mounts = vec![Mount {
        path: "/data".into(),
        read_only: false,
        source: MountSource::Disk("d".into()),
        modes: FileModes::default(),
    }];
    spec
}

/// Ends the container and starts another one; what that has logged.
fn restart(h: &mut Host, spec: crate::runtime::ContainerSpec) -> String {
    let id = ContainerId { attempt: spec.id.attempt - 1, ..spec.id.clone() };
    h.rt.command(h.now, RuntimeCommand::StopContainer { id, grace: Duration::from_secs(30) });
    h.pass(1);
    h.rt.command(h.now, RuntimeCommand::RunContainer(Box::new(spec)));
    h.pass(2);
    String::from_utf8_lossy(&h.rt.logs("u", "c", &LogOptions::default()).unwrap()).into_owned()
}

#[test]
fn what_is_on_a_volume_outlives_the_container() {
    let mut h = Host::new(kept(&[], 0));
    h.pass(1);
    let fill = "redis-cli set text héllo; redis-cli rpush list a b; redis-cli sadd set x y; redis-cli hset hash f v; \
                redis-cli zadd sorted 1.5 m; redis-cli -n 3 set far 1 ex 1000; redis-cli set short 1 ex 2; \
                redis-cli setrange long 20000 x";
    h.run(&["sh", "-c", fill]);
    h.pass(3);
    let log = restart(&mut h, kept(&[], 1));
    assert!(log.contains("Done loading RDB, keys loaded: 7, keys expired: 0."), "{log}");
    assert!(log.contains("Loading RDB produced by version 7.2.11"), "{log}");
    let look = "redis-cli get text; redis-cli lrange list 0 -1; redis-cli smembers set; redis-cli hget hash f; \
                redis-cli zscore sorted m; redis-cli strlen long; redis-cli -n 3 pttl far; head -c 9 /data/dump.rdb";
    let said = h.run(&["sh", "-c", look]).0;
    assert!(said.starts_with("héllo\na\nb\nx\ny\nv\n1.5\n20001\n99") && said.ends_with("\nREDIS0011"), "{said}");
    // What comes after the last save is gone when nobody asks for another one.
    h.run(&["sh", "-c", "redis-cli save; redis-cli set new 1; redis-cli shutdown nosave"]);
    restart(&mut h, kept(&[], 2));
    assert_eq!(h.run(&["sh", "-c", "redis-cli exists new; redis-cli exists text"]).0, "0\n1\n");
    // An older server does not read it.
    let mut older = kept(&[], 3);
    older.image = "redis:6.0".into();
    let log = restart(&mut h, older);
    assert!(log.contains("Can't handle RDB format version 11"), "{log}");
}

#[test]
fn with_a_file_of_commands_a_kill_loses_at_most_a_second() {
    let args = ["--appendonly", "yes", "--save", ""];
    let mut h = Host::new(kept(&args, 0));
    h.pass(1);
    h.run(&["sh", "-c", "redis-cli rpush l a b; redis-cli set k v"]);
    h.pass(2);
    assert_eq!(h.run(&["ls", "/data", "/data/appendonlydir"]).0.matches("appendonly.aof").count(), 2);
    let kill = RuntimeCommand::StopContainer { id: kept(&args, 0).id, grace: Duration::ZERO };
    h.rt.command(h.now, kill);
    let log = restart(&mut h, kept(&args, 1));
    assert!(log.contains("DB loaded from append only file"), "{log}");
    assert_eq!(h.run(&["sh", "-c", "redis-cli llen l; redis-cli get k; ls /data"]).0, "2\nv\nappendonlydir\n");
    // What it has read is no change.
    assert_eq!(h.run(&["sh", "-c", "redis-cli info persistence | grep -c last_save:0"]).0, "1\n");
}

#[test]
fn who_cannot_save_does_not_end() {
    let mut spec = kept(&[], 0);
    spec.mounts[0].read_only = true;
    let mut h = Host::new(spec);
    h.pass(1);
    assert_eq!(h.run(&["redis-cli", "save"]).0, "ERR\n\n");
    let said = h.run(&["redis-cli", "shutdown"]).0;
    assert_eq!(said, "ERR Errors trying to SHUTDOWN. Check logs.\n\n");
    assert_eq!(h.run(&["redis-cli", "ping"]).0, "PONG\n");
    let log = String::from_utf8_lossy(&h.rt.logs("u", "c", &LogOptions::default()).unwrap()).into_owned();
    assert!(log.contains("(in server root dir /data) for saving: Read-only file system"), "{log}");
}

/// What a server with a file of commands logs and answers (`GET k`) when it is started with something behind `SET k v` in it.
fn damaged(behind: &str, more: &[&str]) -> (Host, String) {
    let args = [&["--appendonly", "yes", "--save", ""], more].concat();
    let mut h = Host::new(kept(&args, 0));
    h.pass(1);
    h.run(&["redis-cli", "set", "k", "v"]);
    h.pass(2);
    h.run(&["sh", "-c", &format!("printf '{behind}' >> /data/appendonlydir/appendonly.aof.1.incr.aof")]);
    let log = restart(&mut h, kept(&args, 1));
    (h, log)
}

#[test]
fn a_damaged_file_of_commands_is_not_read() {
    let file = "append only file appendonly.aof.1.incr.aof";
    for behind in ["BLPOP\\r\\n", "*1\\r\\n*1\\r\\n*1\\r\\n", "*1\\r\\n$5\\r\\nBLPOP\\r\\n"] {
        let (_, log) = damaged(behind, &[]);
        assert!(log.contains(&format!("# Bad file format reading the {file}: make a backup")), "{behind}: {log}");
        assert!(!log.contains("Ready to accept"), "{log}");
    }
    let (_, log) = damaged("*2\\r\\n$4\\r\\nNOPE\\r\\n$1\\r\\nx\\r\\n", &[]);
    assert!(log.contains(&format!("# Unknown command 'NOPE' reading the {file}\n")), "{log}");
    // What ends too early is cut off, unless that is not wanted.
    let early = "*3\\r\\n$3\\r\\nSET\\r\\n$1";
    let (mut h, log) = damaged(early, &[]);
    assert!(
        log.contains("# AOF appendonly.aof.1.incr.aof loaded anyway because aof-load-truncated is enabled"),
        "{log}"
    );
    let look = "redis-cli get k; grep -c SET /data/appendonlydir/appendonly.aof.1.incr.aof";
    assert_eq!(h.run(&["sh", "-c", look]).0, "v\n1\n");
    let (_, log) = damaged(early, &["--aof-load-truncated", "no"]);
    assert!(log.contains(&format!("# Unexpected end of file reading the {file}. You can: 1)")), "{log}");
    assert!(!log.contains("Ready to accept"), "{log}");
}

#[test]
fn a_file_of_commands_that_would_be_too_long_is_refused_once() {
    let mut h = Host::new(kept(&["--appendonly", "yes", "--save", "2 1"], 0));
    h.pass(1);
    h.run(&["redis-cli", "setrange", "long", "9000000", "x"]);
    h.pass(10);
    h.run(&["redis-cli", "append", "long", "y"]);
    h.pass(10);
    let log = String::from_utf8_lossy(&h.rt.logs("u", "c", &LogOptions::default()).unwrap()).into_owned();
    assert_eq!(log.matches("MiB are not simulated: the append-only file is not written").count(), 1, "{log}");
    assert_eq!(log.matches("MiB are not simulated: a snapshot of").count(), 2, "{log}");
    // When it fits again it is written.
    h.run(&["sh", "-c", "redis-cli del long; redis-cli set k v"]);
    h.pass(2);
    assert_eq!(h.run(&["sh", "-c", "grep -c SET /data/appendonlydir/*.aof"]).0, "1\n");
}
