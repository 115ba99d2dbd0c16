//! Programs that show files, and what the shell knows besides. Expected output is that of busybox 1.35 and of GNU's.

use super::scripts::run;
use expect_test::{Expect, expect};

const FILES: &str = "cd /tmp; printf 'one\\n\\n\\ntwo\\tx\\n' > a; printf 'one\\ntwo\\nthree\\nfour\\n' > p; \
    printf 'one\\n2\\nthree\\nfour\\nfive\\n' > q; printf abc > n; mkdir d1 d2; echo x>d1/f; echo y>d2/f; echo z>d1/g; ";

fn says(image: &str, shell: &str, command: &str) -> String {
    let all = run(image, &[shell, "-c", &format!("{FILES}{command}; echo rc $?")], 100);
    all.rsplit_once("[exit").map_or(all.as_str(), |(s, _)| s).to_string()
}

fn check(cases: &[(&str, &str, &str)]) {
    for (command, busybox, gnu) in cases {
        assert_eq!(says("busybox:1.36", "sh", command), *busybox, "busybox: {command}");
        let gnu = if gnu.is_empty() { busybox } else { gnu };
        assert_eq!(says("debian:12", "bash", command), *gnu, "GNU: {command}");
    }
}

#[test]
fn cat_nl_and_tac() {
    let numbered = "     1\tone\n     2\t\n     3\t\n     4\ttwo\tx\nrc 0\n";
    let full = "     1\tone\n       \n       \n     2\ttwo\tx\nrc 0\n";
    check(&[
        ("cat -n a", numbered, ""),
        ("(cat a; sleep 1; echo end) | cat -n | tail -n 1", "     5\tend\nrc 0\n", ""),
        ("cat -b a", "     1\tone\n\n\n     2\ttwo\tx\nrc 0\n", ""),
        ("cat -A a", "one$\n$\n$\ntwo^Ix$\nrc 0\n", ""),
        ("printf '\\001\\177\\r\\n' | cat -v", "^A^?^M\nrc 0\n", ""),
        (
            "cat -n n p",
            "     1\tabc\n     2\tone\n     3\ttwo\n     4\tthree\n     5\tfour\nrc 0\n",
            "     1\tabcone\n     2\ttwo\n     3\tthree\n     4\tfour\nrc 0\n",
        ),
        ("nl a", full, ""),
        ("nl -ba a", numbered, ""),
        ("nl -w2 -s: a", " 1:one\n   \n   \n 2:two\tx\nrc 0\n", ""),
        ("nl -v 5 -i 2 p", "     5\tone\n     7\ttwo\n     9\tthree\n    11\tfour\nrc 0\n", ""),
        ("tac p", "four\nthree\ntwo\none\nrc 0\n", ""),
        ("tac n p", "abcfour\nthree\ntwo\none\nrc 0\n", ""),
    ]);
    assert_eq!(says("debian:12", "bash", "cat -s a"), "one\n\ntwo\tx\nrc 0\n");
}

#[test]
fn od_and_hexdump() {
    check(&[
        ("od n", "0000000 061141 000143\n0000003\nrc 0\n", ""),
        ("od -c a", "0000000   o   n   e  \\n  \\n  \\n   t   w   o  \\t   x  \\n\n0000014\nrc 0\n", ""),
        ("od -x p", "0000000 6e6f 0a65 7774 0a6f 6874 6572 0a65 6f66\n0000020 7275 000a\n0000023\nrc 0\n", ""),
        ("od -An -tx1 n", " 61 62 63\nrc 0\n", ""),
        ("od -A d -t c n", "0000000   a   b   c\n0000003\nrc 0\n", ""),
        ("od -N 2 -c p", "0000000   o   n\n0000002\nrc 0\n", ""),
        ("od -b n", "0000000 141 142 143\n0000003\nrc 0\n", ""),
        ("od -d n", "0000000 25185    99\n0000003\nrc 0\n", ""),
    ]);
    let busybox = |command: &str| says("busybox:1.36", "sh", command);
    assert_eq!(
        busybox("hexdump -C p"),
        "00000000  6f 6e 65 0a 74 77 6f 0a  74 68 72 65 65 0a 66 6f  |one.two.three.fo|\n\
         00000010  75 72 0a                                          |ur.|\n00000013\nrc 0\n"
    );
    assert_eq!(busybox("hexdump n"), "0000000 6261 0063                              \n0000003\nrc 0\n");
}

#[test]
fn diff_and_cmp() {
    let hunk = "@@ -1,4 +1,5 @@\n one\n-two\n+2\n three\n four\n+five\nrc 1\n";
    let plain = "2c2\n< two\n---\n> 2\n4a5\n> five\nrc 1\n";
    let unified = format!("--- p\n+++ q\n{hunk}");
    check(&[
        ("diff p q", &unified, plain),
        ("diff -u -L p -L q p q", &unified, ""),
        ("diff -q p q", "Files p and q differ\nrc 1\n", ""),
        ("diff p p", "rc 0\n", ""),
        (
            "diff p nope",
            "diff: can't stat 'nope': No such file or directory\nrc 2\n",
            "diff: nope: No such file or directory\nrc 2\n",
        ),
        (
            "diff -r d1 d2",
            "--- d1/f\n+++ d2/f\n@@ -1 +1 @@\n-x\n+y\nOnly in d1: g\nrc 1\n",
            "diff -r d1/f d2/f\n1c1\n< x\n---\n> y\nOnly in d1: g\nrc 1\n",
        ),
        ("diff -U 0 -L p -L q p q", "--- p\n+++ q\n@@ -2 +2 @@\n-two\n+2\n@@ -4,0 +5 @@\n+five\nrc 1\n", ""),
        (
            "diff -rN d1 d2",
            "--- d1/f\n+++ d2/f\n@@ -1 +1 @@\n-x\n+y\n--- d1/g\n+++ d2/g\n@@ -1 +0,0 @@\n-z\nrc 1\n",
            "diff -rN d1/f d2/f\n1c1\n< x\n---\n> y\ndiff -rN d1/g d2/g\n1d0\n< z\nrc 1\n",
        ),
        ("rm d1/f d2/f d1/g; mkdir d2/s; echo s>d2/s/t; diff -qrN d1 d2", "Files d1/s/t and d2/s/t differ\nrc 1\n", ""),
        (
            "printf 'one\\n\\ntwo\\nthree\\nfour\\n' > pb; diff -B p pb && echo same; diff -q p pb",
            "same\nFiles p and pb differ\nrc 1\n",
            "",
        ),
        ("diff -U 18446744073709551615 -L p -L q p q", &unified, ""),
        (
            "diff -u -L n -L p n p",
            "--- n\n+++ p\n@@ -1 +1,4 @@\n-abc\n\\ No newline at end of file\n+one\n+two\n+three\n+four\nrc 1\n",
            "",
        ),
        ("cmp p q", "p q differ: char 5, line 2\nrc 1\n", ""),
        ("cmp p p; cmp -s p q", "rc 1\n", ""),
        ("cmp p nope", "cmp: nope: No such file or directory\nrc 2\n", ""),
        ("head -c 3 p > p3; cmp p3 p", "cmp: EOF on p3\nrc 1\n", "cmp: EOF on p3 after byte 3, in line 1\nrc 1\n"),
    ]);
}

fn sh(script: &str, want: Expect) {
    // Rust reads no carriage returns in its sources.
    want.assert_eq(&run("busybox:1.36", &["sh", "-c", script], 100).replace('\r', ""));
}

#[test]
fn the_shell_draws_numbers_computes_and_knows_aliases() {
    check(&[
        ("[ $RANDOM -ge 0 ] && [ $((RANDOM % 10)) -lt 10 ] && echo fine", "fine\nrc 0\n", ""),
        ("a=$RANDOM$RANDOM; b=$RANDOM$RANDOM; [ $a = $b ] || echo differ", "differ\nrc 0\n", ""),
        ("RANDOM=7; a=$RANDOM; RANDOM=7; [ $a = $RANDOM ] && echo same", "same\nrc 0\n", ""),
        ("let x=3+4; echo $x; let 'y=0'", "7\nrc 1\n", ""),
        ("alias ll='ls -l'; alias ll", "ll='ls -l'\nrc 0\n", "alias ll='ls -l'\nrc 0\n"),
        ("alias nope", "alias: nope not found\nrc 1\n", "bash: line 1: alias: nope: not found\nrc 1\n"),
    ]);
    assert_eq!(says("busybox:1.36", "sh", "alias ls='ls -a' e='echo hi'\ne you; ls d2"), "hi you\n.\n..\nf\nrc 0\n");
    let aliased = |command: &str| says("busybox:1.36", "sh", command);
    assert_eq!(aliased("alias p='printenv FOO'\nFOO='1 2' p; p"), "1 2\nrc 1\n");
    let plain = "sh: e: not found\n";
    assert_eq!(aliased("alias e='echo hi'; x=e\n\\e; 'e'; $x; e"), format!("{plain}{plain}{plain}hi\nrc 0\n"));
    assert_eq!(aliased("alias ls='LC_ALL=C ls'\nls d2"), "f\nrc 0\n");
    assert_eq!(aliased("f() { echo \"f $@\"; }\nalias f='f -x'\nf a"), "f -x a\nrc 0\n");
    assert_eq!(aliased("alias a='b 1' b='a 2'\na 3"), "sh: a: not found\nrc 127\n");
    assert_eq!(aliased("alias a='b | cat' b='a | cat'\na"), "sh: a: not found\nrc 0\n");
    assert_eq!(says("debian:12", "sh", "echo [$RANDOM]"), "[]\nrc 0\n");
}

#[test]
fn the_kernel_says_what_runs_and_what_it_may() {
    sh(
        "tr '\\0' ' ' < /proc/1/cmdline | cut -c1-5; sleep 100 & sleep 1; tr '\\0' '|' < /proc/$!/cmdline; echo; head -n 1 \
         /proc/$!/status; grep PPid /proc/$!/status; cat /proc/self/cmdline | tr '\\0' ' '; echo; ls -d /proc/1; cat \
         /proc/77/status; cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max; cat /sys/fs/cgroup/nope; echo x > \
         /sys/fs/cgroup/cpu.max; kill $!",
        expect![[r#"
            sh -c
            sleep|100|
            Name:	sleep
            PPid:	1
            cat /proc/self/cmdline 
            /proc/1
            cat: can't open '/proc/77/status': No such file or directory
            max
            max 100000
            cat: can't open '/sys/fs/cgroup/nope': No such file or directory
            sh: can't create /sys/fs/cgroup/cpu.max: Read-only file system
            [exit 0 at 1.1s]"#]],
    );
    sh(
        "free -m; free -h; free; nohup echo hi; traceroute x",
        expect![[r#"
                      total        used        free      shared  buff/cache   available
        Mem:           8192        1024        6144           0        1024        7168
        Swap:             0           0           0
                      total        used        free      shared  buff/cache   available
        Mem:           8.0G        1.0G        6.0G           0        1.0G        7.0G
        Swap:             0           0           0
                      total        used        free      shared  buff/cache   available
        Mem:        8388608     1048576     6291456           0     1048576     7340032
        Swap:             0           0           0
        hi
        traceroute: this program is not simulated
        [exit 1 at 0.1s]"#]],
    );
    expect![[r#"
        nohup: missing operand
        Try 'nohup --help' for more information.
        nohup: failed to run command 'nope': No such file or directory
        hi
        [exit 0 at 0.1s]"#]]
    .assert_eq(&run("debian:12", &["bash", "-c", "nohup; nohup nope; nohup echo hi"], 100));
}

#[test]
fn nc_takes_a_request_that_is_written_by_hand() {
    sh(
        "(printf 'HTTP/1.1 200 OK\\n\\nhello\\n' | nc -lk -p 9000) & sleep 1; \
         printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc localhost 9000; echo $?; printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc localhost 1; \
         echo $?; telnet localhost 1; nc -zv localhost 9000; echo PING | nc localhost 9000",
        expect![[r#"
            HTTP/1.1 200 OK
            Content-Type: text/plain
            Content-Length: 6

            hello
            0
            nc: localhost (localhost:1): Connection refused
            1
            telnet: can't connect to remote host (127.0.0.1): Connection refused
            localhost (localhost:9000) open
            nc: what is answered to anything but HTTP is not simulated
            [exit 1 at 1.1s]"#]],
    );
}

/// What curl's images do with a pod's `args`: their entrypoint runs a command, and gives curl everything else.
#[test]
fn curls_images_put_curl_in_front_of_options_and_addresses() {
    for image in ["curlimages/curl", "alpine/curl:8.5.0"] {
        let said = |args: &[&str]| run(image, &[&["/entrypoint.sh"], args].concat(), 5);
        assert_eq!(said(&["-s", "-w", "%{http_code}", "localhost:1"]), "000[exit 7 at 0.1s]", "{image}");
        assert!(
            said(&["http://localhost:1"]).starts_with("curl: (7) Failed to connect to localhost port 1"),
            "{image}"
        );
        assert!(
            said(&["curl", "localhost:1"]).starts_with("curl: (7) Failed to connect to localhost port 1"),
            "{image}"
        );
        assert_eq!(said(&["echo", "hello"]), "hello\n[exit 0 at 0.1s]", "{image}");
        assert_eq!(said(&["sh", "-c", "exit 3"]), "[exit 3 at 0.1s]", "{image}");
    }
}

#[test]
fn images_of_courses_do_what_their_courses_show() {
    let pi = ["dotnet", "Pi.Web.dll", "-m", "console", "-dp", "6"];
    assert!(run("kiamol/ch05-pi", &pi, 5).starts_with("3.141592\n[exit 0"));
    assert!(run("kiamol/ch05-pi", &[], 5).starts_with("3.141592\n[exit 0"));
    assert!(run("kiamol/ch05-pi", &["dotnet", "Pi.Web.dll", "-m", "web"], 5).starts_with("Running in web mode...\n"));
    assert_eq!(run("kiamol/ch03-sleep", &[], 100), "");
    assert!(run("kiamol/ch09-vweb:v3", &[], 5).contains("this-will-fail: not found\n[exit 127"));
    let log = "Kiada - Kubernetes in Action Demo Application\n---------------------------------------------\n\
               Kiada 0.2 starting...\nLocal hostname is p\nListening on port 8080\n";
    assert_eq!(run("luksa/kiada:0.2", &[], 5), log);
    let ask = "node app.js >/dev/null & sleep 1; wget -qO- localhost:8080";
    let said = "Kiada version 0.2. Request processed by \"p\". Client IP: ::ffff:127.0.0.1\n";
    assert!(run("luksa/kiada:0.2", &["sh", "-c", ask], 5).contains(said));
    let ask = "nginx >/dev/null 2>&1 & sleep 1; wget -qO- localhost";
    assert!(run("sysnet4admin/chk-hn", &["sh", "-c", ask], 5).lines().any(|l| l == "p"));
    assert!(run("luksa/init-demo:0.1", &[], 10).contains("5/5\nInitialization complete!\n[exit 0 at 5."));
}

#[test]
fn curl_reads_its_command_line_as_curl_does() {
    let script = "nginx >/dev/null 2>&1 & sleep 1; cd /tmp; curl -s localhost/index.html -o page; wc -c page; curl -sO localhost/50x.html; \
        ls; curl -O localhost/; echo $?; curl; echo $?; curl -s; curl --nope x; echo $?; curl -@ x; curl -m; curl -m x a; \
        curl -F a=b localhost; curl -s -o /dev/null -w '%{http_code} %{time_total} %{size_download} %{url_effective} \
        %{content_type} %{remote_ip}:%{remote_port} %{method} %{nope}|%%\\n' localhost/; curl -s -w '%{http_code}\\n' \
        localhost:1; echo $?; curl -sS -m 2 http://10.244.9.9; echo $?; curl -sS --connect-timeout 1.5 http://10.244.9.9; \
        curl -sf -w '%{http_code}\\n' localhost/nope; echo $?; curl -V | head -n 1; curl -sI localhost | head -n 1";
    expect![[r#"
        288 page
        50x.html
        page
        curl: Remote file name has no length
        curl: (23) Failed writing received data to disk/application
        23
        curl: try 'curl --help' or 'curl --manual' for more information
        2
        curl: (2) no URL specified
        curl: try 'curl --help' or 'curl --manual' for more information
        curl: option --nope: is unknown
        curl: try 'curl --help' or 'curl --manual' for more information
        2
        curl: option -@: is unknown
        curl: try 'curl --help' or 'curl --manual' for more information
        curl: option -m: requires parameter
        curl: try 'curl --help' or 'curl --manual' for more information
        curl: option -m: expected a proper numerical parameter
        curl: try 'curl --help' or 'curl --manual' for more information
        curl: -F is not simulated
        curl: unknown --write-out variable: 'nope'
        200 0.000150 288 http://localhost/ text/html 127.0.0.1:80 GET |%
        000
        7
        curl: (28) Connection timed out after 2000 milliseconds
        28
        curl: (28) Failed to connect to 10.244.9.9 port 80 after 1500 ms: Timeout was reached
        404
        22
        curl 8.5.0 (x86_64-pc-linux-gnu) libcurl/8.5.0
        HTTP/1.1 200 OK
        [exit 0 at 4.6s]"#]]
    .assert_eq(&run("nginx:1.27", &["bash", "-c", script], 100).replace('\r', ""));
}

#[test]
fn images_of_php_begin_among_their_pages() {
    let out = run("wordpress:6.2.1-apache", &["bash", "-c", "pwd; curl -s localhost:1; echo $?; cd /; pwd"], 100);
    assert_eq!(out, "/var/www/html\n7\n/\n[exit 0 at 0.1s]");
}

#[test]
fn express_tells_of_the_request() {
    let script = |port: u16| format!("node & sleep 2; wget -qO- --header 'X-A: b' 'localhost:{port}/p/q?x=1&y='");
    let ask = |image: &str, port| run(image, &["sh", "-c", &script(port)], 100);
    expect![[r#"{"environment":{"GREETING":"hello world","HOME":"/root","HOSTNAME":"p","PATH":"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},"host":{"hostname":"localhost","ip":"::ffff:127.0.0.1","ips":[]},"http":{"baseUrl":"","method":"GET","originalUrl":"/p/q?x=1&y=","protocol":"http"},"request":{"body":{},"cookies":{},"headers":{"connection":"close","host":"localhost:80","user-agent":"Wget","x-a":"b"},"params":{"0":"/p/q"},"query":{"x":"1","y":""}}}[exit 0 at 2.1s]"#]].assert_eq(&ask("ealen/echo-server", 80));
    expect![[r#"
        {
          "body": "",
          "connection": {},
          "fresh": false,
          "headers": {
            "connection": "close",
            "host": "localhost:8080",
            "user-agent": "Wget",
            "x-a": "b"
          },
          "hostname": "localhost",
          "ip": "::ffff:127.0.0.1",
          "ips": [],
          "method": "GET",
          "os": {
            "hostname": "p"
          },
          "path": "/p/q",
          "protocol": "http",
          "query": {
            "x": "1",
            "y": ""
          },
          "subdomains": [],
          "xhr": false
        }[exit 0 at 2.1s]"#]]
    .assert_eq(&ask("mendhak/http-https-echo", 8080));
}
