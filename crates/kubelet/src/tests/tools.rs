//! Small tools of images.

use super::scripts::run;
use expect_test::{Expect, expect};

fn sh(script: &str, want: Expect) {
    want.assert_eq(&run("busybox:1.36", &["sh", "-c", script], 100));
}
fn bash(script: &str, want: Expect) {
    want.assert_eq(&run("debian:12", &["bash", "-c", script], 100));
}

#[test]
fn links_lead_where_they_were_made_to_lead() {
    sh(
        "mkdir -p /d/e; echo one > /d/e/f; ln -s /d/e /l; ln -s e/f /d/g; cat /l/f /d/g; readlink /l; readlink -f /d/g; \
         ls -l /l | cut -c1-10; ls /l; echo two > /d/g; cat /d/e/f; rm /l; ls /d; ls /d/e; [ -L /d/g ] && echo link; \
         ln -s nowhere /x; cat /x; ln -s a /x; ln -sf /d/e/f /x; cat /x",
        expect![[r#"
            one
            one
            /d/e
            /d/e/f
            lrwxrwxrwx
            f
            two
            e
            g
            f
            link
            cat: can't open '/x': No such file or directory
            ln: /x: File exists
            two
            [exit 0 at 0.1s]"#]],
    );
}

#[test]
fn files_are_found_and_handed_on() {
    sh(
        "mkdir -p /w/a/b; cd /w; touch a/1.txt a/b/2.txt a/3.log; find . -name '*.txt'; find /w -type d; find a -maxdepth 1 \
         -type f ! -name '*.txt'; find . -name '*.txt' -exec echo found {} \\;; find a -name '*.log' -delete; find a -name \
         '*.log'; find . -type f | xargs ls; echo 1 2 3 | xargs -n 2 echo n; printf 'x\\ny\\n' | xargs -I{} echo [{}]; \
         echo a b | xargs false; echo $?; find . -bogus; find nope",
        expect![[r#"
            ./a/1.txt
            ./a/b/2.txt
            /w
            /w/a
            /w/a/b
            a/3.log
            found ./a/1.txt
            found ./a/b/2.txt
            ./a/1.txt
            ./a/b/2.txt
            n 1 2
            n 3
            [x]
            [y]
            123
            find: unrecognized: -bogus
            find: nope: No such file or directory
            [exit 1 at 0.1s]"#]],
    );
}

#[test]
fn sizes_sums_and_copies() {
    sh(
        "cd /tmp; printf abc > a; md5sum a; sha256sum a | cut -c1-16; printf abc | sha1sum; md5sum a > s; md5sum -c s; \
         dd if=/dev/zero of=z bs=1M count=10; ls -l z | awk '{print $5}'; du -sh z; du -k a; truncate -s 5 a; wc -c a; \
         printf hello | dd bs=1 count=2 2>/dev/null; echo; dd if=nope; md5sum nope",
        expect![[r#"
            900150983cd24fb0d6963f7d28e17f72  a
            ba7816bf8f01cfea
            a9993e364706816aba3e25717850c26c9cd0d89d  -
            a: OK
            10+0 records in
            10+0 records out
            10485760 bytes (10.0MB) copied, 0.010485 seconds, 953.7MB/s
            10485760
            10.0M	z
            4	a
            5 a
            he
            dd: can't open 'nope': No such file or directory
            md5sum: can't open 'nope': No such file or directory
            [exit 1 at 0.1s]"#]],
    );
    bash(
        "cd /tmp; dd if=/dev/zero of=z bs=1M count=10; dd if=/dev/zero of=y bs=100 count=1 status=none; du -sh z y; find nope",
        expect![[r#"
            10+0 records in
            10+0 records out
            10485760 bytes (10 MB, 10 MiB) copied, 0.010485 s, 1.0 GB/s
            10M	z
            4.0K	y
            find: 'nope': No such file or directory
            [exit 1 at 0.1s]"#]],
    );
}

#[test]
fn processes_are_found_by_name() {
    sh(
        "sleep 100 & p=$!; [ $(pidof sleep) = $p ] && echo same; [ $(pgrep sleep) = $p ] && echo same; pkill sleep; wait; \
         pidof sleep; echo $?",
        expect![[r#"
            same
            same
            1
            [exit 0 at 0.1s]"#]],
    );
}
