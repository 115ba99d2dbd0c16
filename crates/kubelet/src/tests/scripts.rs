//! Command lines in simulated containers.

use crate::runtime::{
    ContainerId, ContainerSpec, Identity, LogOptions, Processes, Runtime, RuntimeCommand, RuntimeEvent,
};
use crate::sim::SimRuntime;
use expect_test::{Expect, expect};
use meta::{Duration, Time};

/// A container named `c` of a pod `u` that runs `command`.
pub fn container(image: &str, command: &[&str]) -> ContainerSpec {
    ContainerSpec {
        id: ContainerId { pod_uid: "u".into(), container: "c".into(), attempt: 0 },
        namespace: "default".into(),
        pod: "p".into(),
        hostname: "p".into(),
        fqdn: String::new(),
        host_network: false,
        node: "n".into(),
        image: image.into(),
        command: command.iter().map(|s| (*s).to_string()).collect(),
        args: Vec::new(),
        env: vec![("GREETING".into(), "hello world".into())],
        working_dir: String::new(),
        mounts: Vec::new(),
        cpu_limit_milli: None,
        memory_limit_bytes: None,
        pod_ip: "10.244.0.5".into(),
        resolver: network::Resolver::of_cluster("default"),
        host_aliases: Vec::new(),
        ports: Vec::new(),
        termination_message_path: "/dev/termination-log".into(),
        runtime_class: String::new(),
        stdin: false,
        stdin_once: false,
        tty: false,
        identity: Identity::default(),
        read_only_root: false,
        first_host_id: None,
        processes: Processes::default(),
    }
}

/// Runs a command line and shows its log and its end, after at most so many seconds.
pub fn run(image: &str, command: &[&str], seconds: u64) -> String {
    let mut rt = SimRuntime::new(1, 1);
    let start = Time::SIMULATION_START;
    let spec = container(image, command);
    rt.command(start, RuntimeCommand::RunContainer(Box::new(spec)));
    let end = start + Duration::from_secs(seconds);
    let mut events = Vec::new();
    while let Some(at) = rt.next_at().filter(|t| *t <= end) {
        rt.poll(at.max(start), &mut events);
    }
    let log = rt.logs("u", "c", &LogOptions::default()).unwrap();
    let mut text = String::from_utf8_lossy(&log).into_owned();
    for e in events {
        match e {
            RuntimeEvent::Exited { code, at, message, .. } => {
                let ms = at.since(start).as_millis();
                text.push_str(&format!("[exit {code} at {}.{}s]", ms / 1000, ms % 1000 / 100));
                if !message.is_empty() {
                    text.push_str(&format!("[message {message:?}]"));
                }
            }
            RuntimeEvent::StartFailed { message, .. } => text.push_str(&format!("[{message}]")),
            _ => {}
        }
    }
    text
}

fn sh(script: &str, want: Expect) {
    want.assert_eq(&run("busybox:1.36", &["sh", "-c", script], 100));
}

#[test]
fn lists_conditions_and_variables() {
    sh(
        "echo hi; exit 3",
        expect![[r#"
        hi
        [exit 3 at 0.1s]"#]],
    );
    sh(
        "false && echo no || echo yes; true && echo on",
        expect![[r#"
        yes
        on
        [exit 0 at 0.1s]"#]],
    );
    sh(
        "x=5; echo \"$x-${x}\" '$x' \"$GREETING\" $GREETING; echo ${nope:-default} ${#x}",
        expect![[r#"
        5-5 $x hello world hello world
        default 1
        [exit 0 at 0.1s]"#]],
    );
    sh(
        "echo $((2*(3+4))) $((7%4)); i=1; i=$((i+1)); echo $i",
        expect![[r#"
        14 3
        2
        [exit 0 at 0.1s]"#]],
    );
    sh(
        "echo a$(echo b; echo c)d `echo e`; echo \"$(printf '%s-%03d' x 7)\"",
        expect![[r#"
        ab cd e
        x-007
        [exit 0 at 0.1s]"#]],
    );
    sh(
        "! true; echo $?; ! false; echo $?",
        expect![[r#"
        1
        0
        [exit 0 at 0.1s]"#]],
    );
    sh(
        "f=/a/b/c.txt; echo ${f##*/} ${f%.txt} ${f#/a}",
        expect![[r#"
        c.txt /a/b/c /b/c.txt
        [exit 0 at 0.1s]"#]],
    );
    sh(
        "nosuch; echo $?",
        expect![[r#"
        sh: nosuch: not found
        127
        [exit 0 at 0.1s]"#]],
    );
}

#[test]
fn loops_and_cases() {
    sh(
        "for i in 1 2 3; do [ $i = 2 ] && continue; echo $i; done",
        expect![[r#"
        1
        3
        [exit 0 at 0.1s]"#]],
    );
    sh(
        "i=0; while [ $i -lt 3 ]; do echo $i; i=$((i+1)); done; until false; do break; done; echo end",
        expect![[r#"
        0
        1
        2
        end
        [exit 0 at 0.1s]"#]],
    );
    sh(
        "for i in a b; do for j in 1 2; do echo $i$j; [ $j = 1 ] && continue 2; done; done; echo $j",
        expect![[r#"
        a1
        b1
        1
        [exit 0 at 0.1s]"#]],
    );
    sh(
        "case abc in x*) echo x;; a?c|z) echo hit;; *) echo no;; esac",
        expect![[r#"
        hit
        [exit 0 at 0.1s]"#]],
    );
    sh(
        "if [ -f /etc/hosts ]; then echo file; elif true; then echo no; else echo no; fi",
        expect![[r#"
        file
        [exit 0 at 0.1s]"#]],
    );
    sh(
        "greet() { echo \"hi $1\"; return 4; }; greet you; echo $?",
        expect![[r#"
        hi you
        4
        [exit 0 at 0.1s]"#]],
    );
    sh(
        "for i in $(seq 1 5); do echo -n \"$i \"; done; echo",
        expect![[r#"
        1 2 3 4 5 
        [exit 0 at 0.1s]"#]],
    );
}

#[test]
fn files_pipes_and_redirections() {
    sh(
        "echo one > /tmp/a; echo two >> /tmp/a; cat /tmp/a; wc -l < /tmp/a",
        expect![[r#"
        one
        two
        2
        [exit 0 at 0.1s]"#]],
    );
    sh(
        "printf 'b\\na\\nb\\n' | sort | uniq -c",
        expect![[r#"
              1 a
              2 b
        [exit 0 at 0.1s]"#]],
    );
    sh(
        "echo a b c | while read x y; do echo \"$y/$x\"; done",
        expect![[r#"
        b c/a
        [exit 0 at 0.1s]"#]],
    );
    sh(
        "cat /nope; echo $?; cat /nope 2>/dev/null || echo quiet",
        expect![[r#"
        cat: can't open '/nope': No such file or directory
        1
        quiet
        [exit 0 at 0.1s]"#]],
    );
    sh(
        "cat <<EOF\nhello $GREETING\nEOF",
        expect![[r#"
        hello hello world
        [exit 0 at 0.1s]"#]],
    );
    sh(
        "{ echo out; echo err >&2; } > /tmp/o 2>&1; cat /tmp/o",
        expect![[r#"
        out
        err
        [exit 0 at 0.1s]"#]],
    );
    sh("echo done > /dev/termination-log", expect![[r#"[exit 0 at 0.1s][message "done\n"]"#]]);
    sh(
        "(cd /tmp && touch x y && ls); pwd; ls /tmp/*",
        expect![[r#"
            x
            y
            /
            /tmp/x
            /tmp/y
            [exit 0 at 0.1s]"#]],
    );
    sh(
        "echo foobar | grep -q oba && echo found; seq 20 | head -n 2; seq 20 | tail -n 1",
        expect![[r#"
        found
        1
        2
        20
        [exit 0 at 0.1s]"#]],
    );
}

#[test]
fn time_passes() {
    sh(
        "date; sleep 1.5; date +%T; sleep 1m; date +%s",
        expect![[r#"
        Thu Jan  1 00:00:00 UTC 2026
        00:00:01
        1767225661
        [exit 0 at 61.6s]"#]],
    );
    sh(
        "sleep 5 & sleep 2; echo two; wait; echo five",
        expect![[r#"
        two
        five
        [exit 0 at 5.1s]"#]],
    );
    sh(
        "set -e; echo a; false; echo b",
        expect![[r#"
        a
        [exit 1 at 0.1s]"#]],
    );
    sh(
        "trap 'echo bye; exit 0' TERM; kill -TERM $$; sleep 100",
        expect![[r#"
        bye
        [exit 0 at 0.1s]"#]],
    );
    sh(
        "trap 'echo caught' USR1; (sleep 1; kill -USR1 1) & sleep 50 & wait; echo $?",
        expect![[r#"
        caught
        138
        [exit 0 at 1.1s]"#]],
    );
    sh("sleep infinity", expect![[""]]);
    sh(
        "x=$(sleep 3; echo late); echo $x",
        expect![[r#"
        late
        [exit 0 at 3.1s]"#]],
    );
    sh("while :; do :; done", expect![[""]]);
    sh("exec sleep 2", expect!["[exit 0 at 2.1s]"]);
    sh(
        "echo 'unclosed",
        expect![[r#"
        sh: syntax error: unterminated single quote at 1,6 (detected near line 1 col 15)
        [exit 2 at 0.1s]"#]],
    );
}

#[test]
fn images_behave_as_their_programs() {
    let check = |image: &str, command: &[&str], want: Expect| want.assert_eq(&run(image, command, 60));
    check("busybox", &[], expect!["[exit 0 at 0.1s]"]);
    check(
        "nginx",
        &["nosuch"],
        expect![[
            r#"[failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "nosuch": executable file not found in $PATH: unknown]"#
        ]],
    );
    check(
        "registry.k8s.io/pause:3.10",
        &["sh"],
        expect![[
            r#"[failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "sh": executable file not found in $PATH: unknown]"#
        ]],
    );
    check(
        "mysql:8.0",
        &[],
        expect![[r#"
        [Note] [Entrypoint]: Entrypoint script for MySQL Server 8.0 started.
        [Note] [Entrypoint]: Switching to dedicated user 'mysql'
        [Note] [Entrypoint]: Entrypoint script for MySQL Server 8.0 started.
        [ERROR] [Entrypoint]: Database is uninitialized and password option is not specified
            You need to specify one of the following as an environment variable:
            - MYSQL_ROOT_PASSWORD
            - MYSQL_ALLOW_EMPTY_PASSWORD
            - MYSQL_RANDOM_ROOT_PASSWORD
        [exit 1 at 0.1s]"#]],
    );
    check(
        "perl:5.34.0",
        &["perl", "-Mbignum=bpi", "-wle", "print bpi(60)"],
        expect![[r#"
        3.14159265358979323846264338327950288419716939937510582097494
        [exit 0 at 0.2s]"#]],
    );
    check(
        "gcr.io/google-samples/hello-app:1.0",
        &[],
        expect![[r#"
        Server listening on port 8080
    "#]],
    );
    check(
        "nginx",
        &["sh", "-c", "nginx & sleep 1; curl -s localhost | grep -c Welcome; wget x"],
        expect![[r#"
            2026/01/01 00:00:00 [notice] 2#2: using the "epoll" event method
            2026/01/01 00:00:00 [notice] 2#2: nginx/1.29.3
            2026/01/01 00:00:00 [notice] 2#2: OS: Linux 6.12.0-kubottle
            2026/01/01 00:00:00 [notice] 2#2: getrlimit(RLIMIT_NOFILE): 1048576:1048576
            2026/01/01 00:00:00 [notice] 2#2: start worker processes
            2026/01/01 00:00:00 [notice] 2#2: start worker process 4
            2026/01/01 00:00:00 [notice] 2#2: start worker process 5
            2026/01/01 00:00:00 [notice] 2#2: start worker process 6
            2026/01/01 00:00:00 [notice] 2#2: start worker process 7
            127.0.0.1 - - [01/Jan/2026:00:00:01 +0000] "GET / HTTP/1.1" 200 288 "-" "curl/8.5.0" "-"
            2
            sh: wget: not found
            [exit 127 at 1.1s]"#]],
    );
    check(
        "busybox",
        &["wget", "-qO-", "http://10.0.0.1:8080/"],
        expect![[r#"
        wget: download timed out
        [exit 1 at 5.1s]"#]],
    );
    check(
        "busybox",
        &["wget", "-O-", "10.0.0.1:8080", "--timeout", "2"],
        expect![[r#"
        Connecting to 10.0.0.1:8080 (10.0.0.1:8080)
        wget: download timed out
        [exit 1 at 2.1s]"#]],
    );
    check(
        "nginx",
        &["sh", "-c", "nginx & sleep 1; curl --fail -s localhost/none; echo $?; curl -fsS localhost/none"],
        expect![[r#"
            2026/01/01 00:00:00 [notice] 2#2: using the "epoll" event method
            2026/01/01 00:00:00 [notice] 2#2: nginx/1.29.3
            2026/01/01 00:00:00 [notice] 2#2: OS: Linux 6.12.0-kubottle
            2026/01/01 00:00:00 [notice] 2#2: getrlimit(RLIMIT_NOFILE): 1048576:1048576
            2026/01/01 00:00:00 [notice] 2#2: start worker processes
            2026/01/01 00:00:00 [notice] 2#2: start worker process 4
            2026/01/01 00:00:00 [notice] 2#2: start worker process 5
            2026/01/01 00:00:00 [notice] 2#2: start worker process 6
            2026/01/01 00:00:00 [notice] 2#2: start worker process 7
            2026/01/01 00:00:01 [error] 4#4: *1 open() "/usr/share/nginx/html/none" failed (2: No such file or directory), client: 127.0.0.1, server: localhost, request: "GET /none HTTP/1.1", host: "localhost"
            127.0.0.1 - - [01/Jan/2026:00:00:01 +0000] "GET /none HTTP/1.1" 404 153 "-" "curl/8.5.0" "-"
            22
            2026/01/01 00:00:01 [error] 4#4: *2 open() "/usr/share/nginx/html/none" failed (2: No such file or directory), client: 127.0.0.1, server: localhost, request: "GET /none HTTP/1.1", host: "localhost"
            127.0.0.1 - - [01/Jan/2026:00:00:01 +0000] "GET /none HTTP/1.1" 404 153 "-" "curl/8.5.0" "-"
            curl: (22) The requested URL returned error: 404
            [exit 22 at 1.1s]"#]],
    );
    check(
        "busybox",
        &["nslookup", "kubernetes"],
        expect![[r#"
        Server:		10.96.0.10
        Address:	10.96.0.10:53

        ** server can't find kubernetes: NXDOMAIN

        [exit 1 at 0.1s]"#]],
    );
    check(
        "python:3.12",
        &["python3", "-c", "print('hi'); exit(3)"],
        expect![[r#"
        hi
        [exit 3 at 0.1s]"#]],
    );
}

#[test]
fn an_endless_writer_stays_bounded() {
    let text = run("busybox", &["sh", "-c", "while true; do echo line; done"], 60);
    assert!(text.lines().count() <= 20_000, "{}", text.lines().count());
}

#[test]
fn nginx_ends_when_it_is_told_to() {
    // The documentation's preStop hook: the loop is over at once, for the image has no `killall`.
    let hook =
        "nginx -g 'daemon off;' & sleep 1; nginx -s quit; while killall -0 nginx; do sleep 1; done; wait; echo gone";
    let said = run("nginx", &["sh", "-c", hook], 30);
    assert!(said.contains("gone\n"), "{said}");
}

#[test]
fn what_is_redirected_into_a_loop_is_read_once() {
    let said = |script: &str| run("busybox:1.36", &["sh", "-c", script], 100);
    assert!(said("printf 'a\\nb\\n' > f; while read l; do echo got $l; done < f").starts_with("got a\ngot b\n[exit"));
    assert!(said("printf 'a\\nb\\n' > f; { read a; read b; echo $a/$b; } < f").starts_with("a/b\n"));
    assert!(said("while read l; do echo got $l; done <<E\na\nb\nE").starts_with("got a\ngot b\n[exit"));
    assert!(
        said("printf 'a\\nb\\n' > f; echo z > g; while read l; do read m < g; echo $l$m; done < f")
            .starts_with("az\nbz\n[exit")
    );
}

#[test]
fn two_dashes_end_a_shells_options() {
    for shell in ["sh", "bash"] {
        let image = if shell == "sh" { "busybox:1.36" } else { "debian:12" };
        assert!(run(image, &[shell, "-c", "--", "echo ok"], 10).starts_with("ok\n[exit"));
    }
}

#[test]
fn a_loop_of_programs_that_never_sleeps_takes_time() {
    for script in
        ["while true; do echo abc | cut -c1 > f; done", "while true; do (true); done", "while true; do sleep 0; done"]
    {
        let all = run("busybox:1.36", &["sh", "-c", script], 5);
        assert!(!all.contains("[exit"), "{script}: {all}");
    }
}
