//! What bash has beyond POSIX, and the small languages: awk and Python.

use super::scripts::run;
use expect_test::{Expect, expect};

fn bash(script: &str, want: Expect) {
    want.assert_eq(&run("bash:5", &["bash", "-c", script], 100));
}

#[test]
fn arrays() {
    bash(
        "items=(foo bar baz); i=1; echo ${items[$i]} ${items[0]} $items ${#items[@]} ${items[-1]}",
        expect![[r#"
            bar foo foo 3 baz
            [exit 0 at 0.1s]"#]],
    );
    bash(
        "a=(x 'y z'); a+=(w); a[5]=v; for e in \"${a[@]}\"; do echo \"<$e>\"; done; echo ${!a[@]} \"${a[*]}\"; unset a; echo \"[${a[0]}]\"",
        expect![[r#"
            <x>
            <y z>
            <w>
            <v>
            0 1 2 5 x y z w v
            []
            [exit 0 at 0.1s]"#]],
    );
    bash(
        "n=(3 4); echo $((n[0] * n[1])); n[0]=$((n[0] + 1)); echo ${n[0]}; list=($(echo 1 2)); echo ${#list[@]}",
        expect![[r#"
            12
            4
            2
            [exit 0 at 0.1s]"#]],
    );
}

#[test]
fn extended_conditions() {
    bash(
        "[[ web-12 =~ -([0-9]+)$ ]] && echo ${BASH_REMATCH[1]}; [[ web =~ -([0-9]+)$ ]] || echo none",
        expect![[r#"
            12
            none
            [exit 0 at 0.1s]"#]],
    );
    bash(
        "x='a b'; [[ $x == a* && -n $x ]] && echo pattern; [[ $x != \"a*\" ]] && echo literal; [[ -z $y || ! -f /none ]] && echo or; [[ 3 -lt 10 ]] && echo number",
        expect![[r#"
            pattern
            literal
            or
            number
            [exit 0 at 0.1s]"#]],
    );
    bash(
        "set -e; if [[ a == b ]]; then echo no; fi; [[ a == b ]] || echo on; [[ a == b ]]; echo never",
        expect![[r#"
            on
            [exit 1 at 0.1s]"#]],
    );
}

fn python(program: &str, want: Expect) {
    want.assert_eq(&run("python:3.12", &["python3", "-c", program], 100));
}

#[test]
fn python_decides_and_exits() {
    python(
        "import os, sys\nprint(\"Hello world\")\nif int(os.environ.get(\"N\", 4)) % 2 == 0:\n  sys.exit(1)\nprint('odd')\n",
        expect![[r#"
            Hello world
            [exit 1 at 0.1s]"#]],
    );
    python(
        "import os, sys\nif os.environ.get('JOB') == '2' or not os.environ['GREETING'].startswith('hello'):\n    sys.exit(3)\nelif len(sys.argv) > 1:\n    print('args')\nelse:\n    print(f\"{os.environ['GREETING']}!\", 7 // 2, -7 // 2, 1 / 2, 'x' in 'xyz', sep='|')\n",
        expect![[r#"
            hello world!|3|-4|0.5|True
            [exit 0 at 0.1s]"#]],
    );
}

#[test]
fn python_loops_and_sleeps() {
    python(
        "import time\nfor i in range(1, 4):\n    if i == 2:\n        continue\n    print(i, end=' ')\n    time.sleep(1.5)\nn = 0\nwhile True:\n    n += 1\n    if n > 3: break\nprint('n=%d' % n)\nexit(0 if n == 4 else 1)",
        expect![[r#"
            1 3 n=4
            [exit 0 at 3.1s]"#]],
    );
}

#[test]
fn pythons_errors_are_its_own() {
    python(
        "import os\nprint(os.environ['NOPE'])",
        expect![[r#"
            Traceback (most recent call last):
              File "<string>", line 2, in <module>
            KeyError: 'NOPE'
            [exit 1 at 0.1s]"#]],
    );
    python(
        "import requests",
        expect![[r#"
            Traceback (most recent call last):
              File "<string>", line 1, in <module>
            ModuleNotFoundError: No module named 'requests'
            [exit 1 at 0.1s]"#]],
    );
    python(
        "raise ValueError('no')",
        expect![[r#"
            Traceback (most recent call last):
              File "<string>", line 1, in <module>
            ValueError: no
            [exit 1 at 0.1s]"#]],
    );
    python(
        "x = int('a'",
        expect![[r#"
              File "<string>", line 1
            SyntaxError: '(' was never closed
            [exit 1 at 0.1s]"#]],
    );
}

fn awk(script: &str, want: Expect) {
    want.assert_eq(&run("busybox:1.36", &["sh", "-c", script], 100));
}

#[test]
fn awk_picks_fields_and_lines() {
    awk(
        "printf 'a b c\\nd e f\\n' | awk '{print $2, $NF}'; echo x:y:z | awk -F: '{print $2 \"-\" $3}'",
        expect![[r#"
            b c
            e f
            y-z
            [exit 0 at 0.1s]"#]],
    );
    awk(
        "printf '  HTTP/1.1 200 OK\\n  Server: x\\n' | awk '/^  HTTP/{print $2}'; seq 5 | awk 'NR == 2 || $1 > 4'",
        expect![[r#"
            200
            2
            5
            [exit 0 at 0.1s]"#]],
    );
    awk(
        "seq 4 | awk -v k=10 'BEGIN {s = 0} {s += $1 * k} END {printf \"%d of %d\\n\", s, NR; exit 3}'; echo $?",
        expect![[r#"
            100 of 4
            3
            [exit 0 at 0.1s]"#]],
    );
    awk(
        "printf 'a\\nb\\na\\n' | awk '{n[$1]++} END {for (k in n) print k, n[k]; if (\"a\" in n) print \"has a\"}'",
        expect![[r#"
            a 2
            b 1
            has a
            [exit 0 at 0.1s]"#]],
    );
    awk(
        "echo 'foo bar' | awk '{gsub(/o/, \"0\"); $2 = toupper($2); print; print length($1), substr($0, 2, 3), index($0, \"B\")}'",
        expect![[r#"
            f00 BAR
            3 00  5
            [exit 0 at 0.1s]"#]],
    );
    awk(
        "awk 'BEGIN {for (i = 0; i < 3; i++) {if (i == 1) continue; print i, (i > 0 ? \"more\" : \"none\")}}'; echo a | awk '{print $1'",
        expect![[r#"
            0 none
            2 more
            awk: cmd. line:1: syntax error: unexpected end of program
            [exit 2 at 0.1s]"#]],
    );
}

#[test]
fn clients_say_whether_the_server_answers() {
    awk(
        "echo olleh | rev",
        expect![[r#"
            hello
            [exit 0 at 0.1s]"#]],
    );
    expect![[r#"
        ERROR 2003 (HY000): Can't connect to MySQL server on '127.0.0.1:3306' (111)
        1
        [exit 1 at 0.1s]"#]]
    .assert_eq(&run(
        "mysql:8",
        &["bash", "-c", "mysql -h 127.0.0.1 -e 'SELECT 1'; echo $?; mysqladmin ping 2> /dev/null"],
        10,
    ));
}

#[test]
fn a_file_in_a_substitution() {
    bash(
        "echo one > /tmp/f; x=$(< /tmp/f); echo \"<$x>\"",
        expect![[r#"
            <one>
            [exit 0 at 0.1s]"#]],
    );
}

#[test]
fn gzip_packs_what_it_unpacks() {
    awk(
        "echo hello | gzip | gunzip; echo again > /tmp/f; gzip /tmp/f && ls /tmp && zcat /tmp/f.gz; echo x | gunzip; echo $?",
        expect![[r#"
            hello
            f.gz
            again
            gunzip: invalid magic
            1
            [exit 0 at 0.1s]"#]],
    );
}

/// nginx with this configuration, asked from a shell beside it.
fn nginx(config: &str, ask: &str, want: Expect) {
    let script = format!("cat > /etc/nginx/conf.d/default.conf <<'EOF'\n{config}\nEOF\nnginx & sleep 1; {ask}");
    let log = run("nginx:1.27", &["bash", "-c", &script], 3);
    let said: Vec<&str> = log.lines().filter(|l| !l.contains("docker-entrypoint") && !l.contains("1#1")).collect();
    let said: Vec<&str> = said.into_iter().filter(|l| !l.starts_with("10-listen")).collect();
    want.assert_eq(&said.join("\n"));
}

#[test]
fn nginx_listens_and_answers_as_configured() {
    nginx(
        "server {\n  listen 8080 default_server; # here\n  location = /healthz { return 200 \"ok\\n\"; }\n  location / { root /var/www; index index.html; }\n}",
        "mkdir -p /var/www; echo page > /var/www/index.html; curl -s localhost:8080/healthz; curl -s localhost:8080/; curl -s localhost:80 || echo $?",
        expect![[r#"
            2026/01/01 00:00:00 [notice] 3#3: using the "epoll" event method
            2026/01/01 00:00:00 [notice] 3#3: nginx/1.27.5
            2026/01/01 00:00:00 [notice] 3#3: OS: Linux 6.12.0-kubottle
            2026/01/01 00:00:00 [notice] 3#3: getrlimit(RLIMIT_NOFILE): 1048576:1048576
            2026/01/01 00:00:00 [notice] 3#3: start worker processes
            2026/01/01 00:00:00 [notice] 3#3: start worker process 5
            2026/01/01 00:00:00 [notice] 3#3: start worker process 6
            2026/01/01 00:00:00 [notice] 3#3: start worker process 7
            2026/01/01 00:00:00 [notice] 3#3: start worker process 8
            127.0.0.1 - - [01/Jan/2026:00:00:01 +0000] "GET /healthz HTTP/1.1" 200 3 "-" "curl/8.5.0" "-"
            ok
            127.0.0.1 - - [01/Jan/2026:00:00:01 +0000] "GET / HTTP/1.1" 200 5 "-" "curl/8.5.0" "-"
            page
            7
            [exit 0 at 1.1s]"#]],
    );
    nginx(
        "server { listen 80; location /old { return 404; } location ~ \\.txt$ { return 200 text; } }",
        "curl -s -o /dev/null -f localhost/old || echo $?; curl -s localhost/a.txt",
        expect![[r#"
            2026/01/01 00:00:00 [notice] 3#3: using the "epoll" event method
            2026/01/01 00:00:00 [notice] 3#3: nginx/1.27.5
            2026/01/01 00:00:00 [notice] 3#3: OS: Linux 6.12.0-kubottle
            2026/01/01 00:00:00 [notice] 3#3: getrlimit(RLIMIT_NOFILE): 1048576:1048576
            2026/01/01 00:00:00 [notice] 3#3: start worker processes
            2026/01/01 00:00:00 [notice] 3#3: start worker process 5
            2026/01/01 00:00:00 [notice] 3#3: start worker process 6
            2026/01/01 00:00:00 [notice] 3#3: start worker process 7
            2026/01/01 00:00:00 [notice] 3#3: start worker process 8
            127.0.0.1 - - [01/Jan/2026:00:00:01 +0000] "GET /old HTTP/1.1" 404 153 "-" "curl/8.5.0" "-"
            22
            127.0.0.1 - - [01/Jan/2026:00:00:01 +0000] "GET /a.txt HTTP/1.1" 200 4 "-" "curl/8.5.0" "-"
            text[exit 0 at 1.1s]"#]],
    );
    nginx(
        "server { listen 80; ",
        "wait; echo",
        expect![[r#"
            nginx: [emerg] unexpected end of file, expecting "}" in /etc/nginx/conf.d/default.conf:2

            [exit 0 at 1.1s]"#]],
    );
}
