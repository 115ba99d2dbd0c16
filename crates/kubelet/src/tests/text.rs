//! Programs over text, as busybox and GNU have them.

use super::scripts::run;

/// What a script prints in a busybox container.
fn busybox(script: &str) -> String {
    run("busybox:1.36", &["sh", "-c", script], 100)
}

/// What it prints, and no failure.
fn says(cases: &[(&str, &str)]) {
    for (script, want) in cases {
        let all = busybox(script);
        let said = all.rsplit_once("[exit").map_or(all.as_str(), |(s, _)| s);
        assert_eq!(said, *want, "{script}");
    }
}

#[test]
fn grep_at_the_end_of_a_pipe_says_whether_it_found_something() {
    says(&[
        ("echo foo | grep foo; echo $?", "foo\n0\n"),
        ("echo foo | grep bar; echo $?", "1\n"),
        ("if echo foo | grep foo >/dev/null; then echo yes; else echo no; fi", "yes\n"),
        ("(echo foo; sleep 1; echo bar) | grep foo; echo $?", "foo\n0\n"),
        ("(echo foo; sleep 1; echo bar) | grep -n bar; echo $?", "2:bar\n0\n"),
        ("printf foo | grep -c foo; echo $?", "1\n0\n"),
        ("(echo a; sleep 1; echo ab) | grep -c a", "2\n"),
        ("echo foo | grep -v foo; echo $?", "1\n"),
        ("seq 3 | cat | tee /tmp/t | tr 1 x; echo $?; cat /tmp/t", "x\n2\n3\n0\n1\n2\n3\n"),
        ("(echo a; sleep 1; echo b) | tee /tmp/t; cat /tmp/t", "a\nb\na\nb\n"),
    ]);
    assert!(busybox("(echo ready; sleep 60) | grep -q ready && echo at once").starts_with("at once"));
    assert!(busybox("echo foo | grep foo").contains("[exit 0"));
}

#[test]
fn grep_has_its_options() {
    let files = "cd /tmp; printf 'root x\\nfoo\\nbar root\\nend\\n' > a; printf 'zz\\nroot\\n' > b; ";
    let with = |s: &str| busybox(&format!("{files}{s}")).rsplit_once("[exit").unwrap().0.to_string();
    for (script, want) in [
        ("echo foo | grep -qi FOO && echo yes", "yes\n"),
        ("grep -in ROOT a", "1:root x\n3:bar root\n"),
        ("grep -o 'o[ot]' a", "oo\noo\noo\n"),
        ("grep -no oo a", "1:oo\n2:oo\n3:oo\n"),
        ("grep -rn foo .", "./a:2:foo\n"),
        ("grep -r zz", "b:zz\n"),
        ("grep -A1 root a", "root x\nfoo\nbar root\nend\n"),
        ("grep -n -B 1 bar a", "2-foo\n3:bar root\n"),
        ("grep -C1 foo a", "root x\nfoo\nbar root\n"),
        ("printf 'x\\n1\\n2\\nx\\n' | grep -A1 -B0 x", "x\n1\n--\nx\n"),
        ("grep -w roo a; echo $?; grep -w root b", "1\nroot\n"),
        ("grep -x root a; echo $?", "1\n"),
        ("grep -l zz a b; grep -L zz a b", "b\na\n"),
        ("grep -c root a b", "a:2\nb:1\n"),
        ("grep -m 1 root a", "root x\n"),
        ("grep -h root a b", "root x\nbar root\nroot\n"),
        ("grep -H zz b", "b:zz\n"),
        ("egrep 'fo+|zz' a b", "a:foo\nb:zz\n"),
        ("echo 'a.b axb' | fgrep -o a.b", "a.b\n"),
        ("grep -e foo -e bar a", "foo\nbar root\n"),
        ("echo foo > p; grep -f p a", "foo\n"),
        ("grep -E '^(root|foo)' a", "root x\nfoo\n"),
        ("grep 'o\\{2\\}t x' a", "root x\n"),
        ("grep nope a nope; echo $?", "grep: nope: No such file or directory\n2\n"),
        ("seq 30 | grep -A 2 -n ^7", "7:7\n8-8\n9-9\n"),
    ] {
        // In another order where both are said: see what grep itself says.
        assert_eq!(with(script), want, "{script}");
    }
}

#[test]
fn ping_takes_values_in_words_of_their_own() {
    says(&[
        (
            "ping -c 1 10.244.0.5; echo $?",
            "PING 10.244.0.5 (10.244.0.5): 56 data bytes\n64 bytes from 10.244.0.5: seq=0 ttl=64 time=0.050 ms\n\n\
             --- 10.244.0.5 ping statistics ---\n1 packets transmitted, 1 packets received, 0% packet loss\n\
             round-trip min/avg/max = 0.050/0.050/0.050 ms\n0\n",
        ),
        (
            "ping -q -c 3 -i 2 localhost; date +%S",
            "PING localhost (10.244.0.5): 56 data bytes\n\n--- localhost ping statistics ---\n\
             3 packets transmitted, 3 packets received, 0% packet loss\n\
             round-trip min/avg/max = 0.050/0.050/0.050 ms\n04\n",
        ),
        ("ping -c 1 -W 1 nowhere; echo $?", "ping: bad address 'nowhere'\n1\n"),
        (
            "ping -w 3 10.9.9.9; echo $?; date +%S",
            "PING 10.9.9.9 (10.9.9.9): 56 data bytes\n\n--- 10.9.9.9 ping statistics ---\n\
             3 packets transmitted, 0 packets received, 100% packet loss\n1\n03\n",
        ),
    ]);
}

/// What busybox 1.35 prints.
#[test]
fn sed_has_its_language() {
    says(&[
        ("printf 'a\\nb\\nc\\n' | sed 1d", "b\nc\n"),
        ("printf 'a\\nb\\nc\\n' | sed -n '2,3p'", "b\nc\n"),
        ("printf 'a\\nb\\nc\\n' | sed -n '$p'", "c\n"),
        ("printf 'a\\nb\\nc\\n' | sed -e 's/a/x/' -e 's/b/y/'", "x\ny\nc\n"),
        ("echo hello | sed -E 's/(l+)/<\\1>/g'", "he<ll>o\n"),
        ("echo hello | sed 's/\\(l\\)\\(o\\)/\\2\\1/'", "helol\n"),
        ("echo aXbXc | sed 's/X/-/2'", "aXb-c\n"),
        ("echo aaa | sed 's/a/b/g;s/b/c/'", "cbb\n"),
        ("echo HELLO | sed 's/hello/bye/I'", "bye\n"),
        ("printf 'a\\nb\\nc\\n' | sed '/b/d'", "a\nc\n"),
        ("printf 'a\\nb\\nc\\nd\\n' | sed '/b/,/c/d'", "a\nd\n"),
        ("printf 'a\\nb\\nc\\n' | sed '2i new'", "a\nnew\nb\nc\n"),
        ("printf 'a\\nb\\nc\\n' | sed '2a new'", "a\nb\nnew\nc\n"),
        ("printf 'a\\nb\\nc\\n' | sed '2c new'", "a\nnew\nc\n"),
        ("printf 'a\\nb\\nc\\n' | sed 2q", "a\nb\n"),
        ("printf 'a\\nb\\nc\\n' | sed -n '/b/='", "2\n"),
        ("printf 'a\\nb\\n' | sed 'N;s/\\n/,/'", "a,b\n"),
        ("printf 'a\\nb\\nc\\n' | sed ':x;N;$!bx;s/\\n/,/g'", "a,b,c\n"),
        ("printf 'a\\nb\\nc\\n' | sed '1!G;h;$!d'", "c\nb\na\n"),
        ("echo abc | sed 'y/abc/xyz/'", "xyz\n"),
        ("echo '/usr/bin' | sed 's|/|:|g'", ":usr:bin\n"),
        ("echo abc | sed 's/b/[&]/'", "a[b]c\n"),
        ("printf 'k: v\\n' | sed 's/^/  /'", "  k: v\n"),
    ]);
}

/// What busybox 1.35 prints.
#[test]
fn sort_has_its_keys() {
    says(&[
        ("printf 'b 2\\na 10\\nc 1\\n' | sort", "a 10\nb 2\nc 1\n"),
        ("printf 'b 2\\na 10\\nc 1\\n' | sort -k 2", "c 1\na 10\nb 2\n"),
        ("printf 'b 2\\na 10\\nc 1\\n' | sort -k2 -n", "c 1\nb 2\na 10\n"),
        ("printf 'b 2\\na 10\\nc 1\\n' | sort -k2,2nr", "a 10\nb 2\nc 1\n"),
        ("printf 'x,3\\ny,1\\nz,2\\n' | sort -t, -k2,2n", "y,1\nz,2\nx,3\n"),
        ("printf 'x,3\\ny,1\\nz,2\\n' | sort -t , -k 2", "y,1\nz,2\nx,3\n"),
        ("printf '3\\n1\\n3\\n2\\n' | sort -u", "1\n2\n3\n"),
        ("printf '10\\n9\\n2\\n' | sort -rn", "10\n9\n2\n"),
        ("printf 'b\\nA\\na\\nB\\n' | sort -f", "A\na\nB\nb\n"),
        ("printf 'a 1\\na 2\\nb 1\\n' | sort -k1,1 -u", "a 1\nb 1\n"),
    ]);
}

/// What busybox 1.35 prints.
#[test]
fn read_splits_at_the_field_separators() {
    says(&[
        ("echo a:b:c | { IFS=: read x y z; echo \"$x,$y,$z\"; }", "a,b,c\n"),
        ("echo a:b:c:d | { IFS=: read x y; echo \"$x,$y\"; }", "a,b:c:d\n"),
        ("echo ' a  b c ' | { read x y; echo \"[$x][$y]\"; }", "[a][b c]\n"),
        ("echo ' a  b ' | { IFS= read -r x; echo \"[$x]\"; }", "[ a  b ]\n"),
        ("echo 'a::c' | { IFS=: read x y z; echo \"$x,$y,$z\"; }", "a,,c\n"),
        ("echo 'a , b' | { IFS=', ' read x y; echo \"[$x][$y]\"; }", "[a][b]\n"),
        ("echo a:b | { IFS=: read x y; v='p q'; for w in $v; do echo $w; done; }", "p\nq\n"),
        ("printf 'k=v\\nl=w\\n' | while IFS== read -r k v; do echo \"$k is $v\"; done", "k is v\nl is w\n"),
    ]);
}

/// What busybox 1.35 prints.
#[test]
fn base64_wraps_its_lines() {
    says(&[
        (
            "echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa | base64",
            "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh\nYWFhYWFhYQo=\n",
        ),
        (
            "echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa | base64 -w 0",
            "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYQo=",
        ),
        ("echo aaaaaaaaaaaa | base64 -w 8", "YWFhYWFh\nYWFhYWFh\nCg==\n"),
        ("echo -n hi | base64 | base64 -d", "hi"),
    ]);
}

/// What busybox 1.35 prints.
#[test]
fn date_shows_the_time_that_is_given() {
    says(&[
        ("date -u -d @0 +%Y-%m-%dT%H:%M:%SZ", "1970-01-01T00:00:00Z\n"),
        ("date -u -d '2024-01-02 03:04:05' +%s", "1704164645\n"),
        ("date -u -d 2024-01-02 +%d/%m/%y", "02/01/24\n"),
        ("date -u -d @86400", "Fri Jan  2 00:00:00 UTC 1970\n"),
    ]);
}

/// What busybox 1.35 prints.
#[test]
fn sed_takes_several_files_as_one() {
    let files = "cd /tmp; printf '1\\n2\\n3\\n' > a; printf '4\\n5' > b; ";
    let with: Vec<(String, &str)> = [
        ("sed 'N;s/\\n/,/' a b", "1,2\n3,4\n5"),
        ("sed -n '$p' a b", "5\n"),
        ("sed -n 4p a b", "4\n"),
        ("sed -i 'N;s/\\n/,/' a b; cat a b", "1,2\n3\n4,5"),
        ("sed n a | tail -n 1", "3\n"),
    ]
    .map(|(script, want)| (format!("{files}{script}"), want))
    .into();
    says(&with.iter().map(|(s, w)| (s.as_str(), *w)).collect::<Vec<_>>());
}

#[test]
fn what_goes_round_and_round_ends() {
    for script in ["echo x | sed ':a;s/.*/&&/;ta'", "echo x | sed ':a;ba'", "yes | head -n 3 | sed 'H;G;h;:a;G;ba'"] {
        assert!(busybox(script).contains("[exit 4"), "{script}: {}", busybox(script));
    }
    assert!(
        busybox("seq 300000 > /tmp/f; sed -e s/1/a/ -e s/2/b/ -e s/3/c/ -e s/4/d/ /tmp/f | tail -n 1")
            .starts_with("c00000")
    );
    let circle = "mkdir /tmp/d; cd /tmp/d; echo x > f; ln -s . a; ln -s . b; ";
    assert!(busybox(&format!("{circle}grep -r x .")).starts_with("./f:x\n[exit 0"));
    assert!(
        busybox(&format!("{circle}cp -r /tmp/d /tmp/e; chmod -R 700 /tmp/e; find /tmp/e | wc -l")).starts_with("4\n")
    );
    assert!(busybox("ping -i 0 -c 3 127.0.0.1 | tail -n 2").contains("3 packets transmitted"));
}
