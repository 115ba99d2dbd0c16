//! A conversation with a redis.

use super::scripts::container;
use super::sessions::Host;
use crate::runtime::{Runtime, SessionEnd};

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
