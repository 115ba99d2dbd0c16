//! `find`, `xargs` and `du`. Expected output is that of busybox 1.35 and of GNU findutils 4.10 and coreutils.

use super::scripts::run;

const FILES: &str = "mkdir -p /w/a/b; cd /w; printf x > a/1.txt; truncate -s 1024 a/b/2.log; truncate -s 2000 a/3.tmp; \
                     chmod 600 a/3.tmp; chmod 755 a/1.txt; ";

/// What both programs say to a command line, and the exit code.
fn says(image: &str, shell: &str, command: &str) -> String {
    let all = run(image, &[shell, "-c", &format!("{FILES}{command}; echo rc $?")], 100);
    let said = all.rsplit_once("[exit").map_or(all.as_str(), |(s, _)| s);
    said.to_string()
}

fn check(cases: &[(&str, &str, &str)]) {
    for (command, busybox, gnu) in cases {
        assert_eq!(says("busybox:1.36", "sh", command), *busybox, "busybox: {command}");
        let gnu = if gnu.is_empty() { busybox } else { gnu };
        assert_eq!(says("debian:12", "bash", command), *gnu, "GNU: {command}");
    }
}

#[test]
fn find_tests_what_it_is_told_to() {
    check(&[
        ("find . \\( -name '*.txt' -o -name '*.log' \\) -print", "./a/1.txt\n./a/b/2.log\nrc 0\n", ""),
        ("find . ! \\( -name '*.txt' -o -type d \\)", "./a/3.tmp\n./a/b/2.log\nrc 0\n", ""),
        ("find . -not -type d -a -name '1*'", "./a/1.txt\nrc 0\n", ""),
        ("find . -size 1k -type f", "./a/b/2.log\nrc 0\n", "./a/1.txt\n./a/b/2.log\nrc 0\n"),
        ("find . -size +1 -type f", "./a/3.tmp\n./a/b/2.log\nrc 0\n", ""),
        ("find . -type f -size -2k", "./a/1.txt\n./a/3.tmp\n./a/b/2.log\nrc 0\n", "./a/1.txt\n./a/b/2.log\nrc 0\n"),
        ("find . -type f -size +1023c", "./a/3.tmp\n./a/b/2.log\nrc 0\n", ""),
        ("find . -size +1M", "find: invalid number '1M'\nrc 1\n", "rc 0\n"),
        ("find . -perm 600", "./a/3.tmp\nrc 0\n", ""),
        ("find . -type f -perm -644", "./a/1.txt\n./a/b/2.log\nrc 0\n", ""),
        ("find . -type f -perm /111", "./a/1.txt\nrc 0\n", ""),
        ("find . -type f -perm -u+x", "./a/1.txt\nrc 0\n", ""),
        ("find . -type f -executable", "./a/1.txt\nrc 0\n", ""),
        ("find . -user root -name a; find . -user 0 -name a; find . -user 1", "./a\n./a\nrc 0\n", ""),
        ("find . -name a -quit", "rc 0\n", ""),
        ("find . -name b -print -quit", "./a/b\nrc 0\n", ""),
        ("find a -maxdepth 1 -name b -prune -o -print", "a\na/1.txt\na/3.tmp\nrc 0\n", ""),
        ("find . -regex '.*txt'", "./a/1.txt\nrc 0\n", ""),
        ("find a -depth -type d", "a/b\na\nrc 0\n", ""),
        ("find -type d", ".\n./a\n./a/b\nrc 0\n", ""),
    ]);
}

#[test]
fn nothing_is_nested_without_end() {
    let deep = "mkdir q; cd q; i=0; while [ $i -lt 300 ] && mkdir d; do cd d; i=$((i+1)); done; echo $i; cd /w/q; find . | wc -l; \
                du -s .; rm -r d; find .";
    let (busybox, gnu) = ("mkdir: can't create directory 'd'", "mkdir: cannot create directory 'd'");
    let then = ": File name too long\n254\n255\n1020\t.\n.\nrc 0\n";
    check(&[(deep, &format!("{busybox}{then}"), &format!("{gnu}{then}"))]);
    let long =
        "touch $(printf 'a%.0s' $(seq 256)) 2>&1 | sed 's/.*: //'; touch $(printf 'a%.0s' $(seq 255)); ls | wc -c";
    check(&[(long, "File name too long\n258\nrc 0\n", "")]);
    let not = "find . $(printf '! %.0s' $(seq 99)) -name '*.txt' -type f | wc -l; find . $(printf '! %.0s' $(seq 20000)) -name a";
    check(&[(not, "2\nfind: expression is nested too deep\nrc 1\n", "")]);
    let commands = "find a -name 1.txt $(printf ' -exec true ; %.0s' $(seq 300)) -print";
    check(&[(commands, "a/1.txt\nrc 0\n", "")]);
    let group = "find . $(printf '( %.0s' $(seq 20000)) -name a";
    check(&[(group, "find: expression is nested too deep\nrc 1\n", "")]);
}

#[test]
fn find_has_commands_run_as_they_decide() {
    check(&[
        ("find a -type f -exec grep -q x {} \\; -print", "a/1.txt\nrc 0\n", ""),
        ("find a -type f -exec false {} \\; -o -name '*.tmp' -print", "a/3.tmp\nrc 0\n", ""),
        ("find a -type f ! -exec grep -q x {} \\; -print", "a/3.tmp\na/b/2.log\nrc 0\n", ""),
        ("find a -type f -exec false {} \\;", "rc 0\n", ""),
        ("find a -type f -exec false {} +", "rc 1\n", ""),
        ("find . -type f -name '*.txt' -o -name '*.log' -exec echo hit {} \\;", "hit ./a/b/2.log\nrc 0\n", ""),
        ("find . -name '*.tmp' -exec echo bye {} \\; -delete; ls a", "bye ./a/3.tmp\n1.txt\nb\nrc 0\n", ""),
        ("find . -name '*.tmp' -delete -exec echo bye {} \\;; ls a", "bye ./a/3.tmp\n1.txt\nb\nrc 0\n", ""),
        ("find a/b -print0 | tr '\\0' '!'", "a/b!a/b/2.log!rc 0\n", ""),
    ]);
    let gnu = |command: &str| says("debian:12", "bash", command);
    assert_eq!(gnu("find a/b -type f -execdir echo {} \\;"), "./2.log\nrc 0\n");
    assert_eq!(
        gnu("find . -type f -printf '%p %P %f %h %s %m %u %d\\n'"),
        "./a/1.txt a/1.txt 1.txt ./a 1 755 root 2\n./a/3.tmp a/3.tmp 3.tmp ./a 2000 600 root 2\n\
         ./a/b/2.log a/b/2.log 2.log ./a/b 1024 644 root 3\nrc 0\n"
    );
}

#[test]
fn find_says_what_is_wrong() {
    let no = |what: &str| format!("find: {what}\nrc 1\n");
    for (command, busybox, gnu) in [
        ("find . -user nobodyx", "unknown user nobodyx", "'nobodyx' is not the name of a known user"),
        ("find . -bogus", "unrecognized: -bogus", "unknown predicate `-bogus'"),
        (
            "find . \\( -name a",
            "unpaired '('",
            "invalid expression; I was expecting to find a ')' somewhere but did not see one.",
        ),
        ("find . -name", "-name requires an argument", "missing argument to `-name'"),
        ("find . -name a \\)", "unrecognized: )", "you have too many ')'"),
        ("find . -exec echo {}", "-exec requires an argument", "missing argument to `-exec'"),
        (
            "find . -maxdepth x",
            "invalid number 'x'",
            "Expected a positive decimal integer argument to -maxdepth, but got 'x'",
        ),
        ("find . -type x", "invalid argument 'x' to '-type'", "Unknown argument to -type: x"),
        ("find . -size 1q", "invalid number '1q'", "invalid -size type `q'"),
        ("find . -perm 9", "invalid mode '9'", "invalid mode '9'"),
        ("find x", "x: No such file or directory", "'x': No such file or directory"),
        (
            "find . -atime +7",
            "-atime is not simulated: files have only the time of their last change here",
            "-atime is not simulated: files have only the time of their last change here",
        ),
    ] {
        check(&[(command, &no(busybox), &no(gnu))]);
    }
}

#[test]
fn xargs_takes_words_as_they_are_quoted() {
    let single = "; by default quotes are special to xargs unless you use the -0 option";
    check(&[
        ("printf 'a\"b\"c d' | xargs echo", "abc d\nrc 0\n", ""),
        (
            "echo \"don't\" | xargs echo",
            "xargs: unmatched single quote\nrc 1\n",
            &format!("xargs: unmatched single quote{single}\nrc 1\n"),
        ),
        ("printf 'a\\\\\\\\ b c' | xargs -n1 echo", "a\\\nb\nc\nrc 0\n", ""),
        ("printf \"'a b' c\" | xargs -n1 echo", "a b\nc\nrc 0\n", ""),
        ("printf 'a b\\n\\nc\\n' | xargs -I{} echo '[{}]'", "[a b]\n[c]\nrc 0\n", ""),
        ("printf ' a b \\n' | xargs -I % echo '<%>'", "<a b >\nrc 0\n", ""),
        ("echo 'x y' | xargs -i echo '{}!'", "x y!\nrc 0\n", ""),
        ("echo a | xargs nosuch", "xargs: nosuch: No such file or directory\nrc 127\n", ""),
        ("echo a b c | xargs -n 2 -t echo", "echo a b\na b\necho c\nc\nrc 0\n", ""),
        ("echo a b | xargs -n1 sh -c 'exit 255'", "xargs: sh: exited with status 255; aborting\nrc 124\n", ""),
        ("echo a b | xargs -n1 sh -c 'exit 3'", "rc 123\n", ""),
        ("printf '' | xargs echo x; printf '' | xargs -r echo y", "x\nrc 0\n", ""),
        ("printf 'a\\0b c\\0' | xargs -0 -n1 echo", "a\nb c\nrc 0\n", ""),
        ("echo a b | xargs -P2 -n1 echo", "a\nb\nrc 0\n", ""),
        ("echo a b > f; xargs -a f echo", "a b\nrc 0\n", ""),
    ]);
    let gnu = |command: &str| says("debian:12", "bash", command);
    assert_eq!(gnu("printf 'a b\\nc\\n' | xargs -d '\\n' -n1 echo"), "a b\nc\nrc 0\n");
    assert_eq!(gnu("printf 'a,b' | xargs -d, -n1 echo"), "a\nb\nrc 0\n");
    assert_eq!(gnu("printf '1 2\\n3\\n' | xargs -L 1 echo"), "1 2\n3\nrc 0\n");
    let busybox = |command: &str| says("busybox:1.36", "sh", command);
    assert_eq!(busybox("echo a | xargs -d, echo"), "xargs: invalid option -- 'd'\nrc 1\n");
    assert_eq!(busybox("echo \"it's\" | xargs -I{} echo {}"), "it's\nrc 0\n");
}

#[test]
fn xargs_makes_lines_as_long_as_they_may_be() {
    let long = "truncate -s 70000 z; tr '\\0' a < z > y; ";
    check(&[
        ("seq 20000 | xargs echo | wc -l", "4\nrc 0\n", "1\nrc 0\n"),
        (
            &format!("{long}xargs -I{{}} echo {{}}{{}} < y"),
            "xargs: echo: Argument list too long\nrc 126\n",
            "xargs: command too long\nrc 1\n",
        ),
        (
            &format!("{long}(echo a; cat y; cat y) | xargs echo"),
            "xargs: argument line too long\nrc 1\n",
            "xargs: argument line too long\nrc 1\n",
        ),
    ]);
    assert_eq!(says("debian:12", "bash", "echo a | xargs -I '' echo bc"), "xargs: command too long\nrc 1\n");
}

#[test]
fn du_shows_the_levels_that_are_asked_for() {
    let more = "truncate -s 10000 a/b/big; ";
    for (command, busybox, gnu) in [
        ("du a", "20\ta/b\n32\ta\nrc 0\n", ""),
        ("du -d 1 .", "32\t./a\n36\t.\nrc 0\n", ""),
        ("du -d 0 a", "32\ta\nrc 0\n", ""),
        ("du -sh a a/b", "32.0K\ta\nrc 0\n", "32K\ta\nrc 0\n"),
        ("du -a a", "4\ta/1.txt\n4\ta/3.tmp\n4\ta/b/2.log\n12\ta/b/big\n20\ta/b\n32\ta\nrc 0\n", ""),
        ("du -m a", "1\ta/b\n1\ta\nrc 0\n", ""),
        ("du -c a a/b", "20\ta/b\n32\ta\n32\ttotal\nrc 0\n", ""),
        ("du -sb a", "21217\ta\nrc 0\n", ""),
        (
            "du -s -a a",
            "32\ta\nrc 0\n",
            "du: cannot both summarize and show all entries\nTry 'du --help' for more information.\nrc 1\n",
        ),
        (
            "du -d x a",
            "du: invalid number 'x'\nrc 1\n",
            "du: invalid maximum depth 'x'\nTry 'du --help' for more information.\nrc 1\n",
        ),
    ] {
        check(&[(&format!("{more}{command}"), busybox, gnu)]);
    }
    assert_eq!(says("debian:12", "bash", "du --max-depth=0 a"), "20\ta\nrc 0\n");
}

#[test]
fn truncate_goes_by_what_there_is() {
    check(&[
        ("truncate -s 3 q; truncate -s 2K q; wc -c q", "2048 q\nrc 0\n", ""),
        ("truncate -s 1KB q; wc -c q; truncate -c -s 5 none; [ -e none ]", "1000 q\nrc 1\n", ""),
        ("truncate -s x q", "truncate: invalid number 'x'\nrc 1\n", "truncate: Invalid number: 'x'\nrc 1\n"),
    ]);
    let gnu = |command: &str| says("debian:12", "bash", command);
    assert_eq!(
        gnu(
            "n='stat -c %s q'; truncate -s 2M q; truncate -s +10 q; $n; truncate -s -5 q; $n; truncate -s '>100' q; $n; \
             truncate -s '<100' q; $n; truncate -s %512 q; $n"
        ),
        "2097162\n2097157\n2097157\n100\n512\nrc 0\n"
    );
    assert_eq!(says("busybox:1.36", "sh", "truncate -s +10 q"), "truncate: invalid number '+10'\nrc 1\n");
}
