//! When files were changed.

use super::World;
use serde_json::json;

fn said(image: &str, script: &str) -> String {
    let mut w = World::new();
    let container = json!({ "name": "c", "image": image, "command": ["sh", "-c", script] });
    w.pod("p", json!({ "restartPolicy": "Never", "containers": [container] }));
    w.run(400);
    w.logs("p", "c")
}

#[test]
fn what_is_written_later_is_newer() {
    for image in ["busybox", "debian"] {
        let script = "cd /tmp; touch a; sleep 100; echo x > b; [ b -nt a ] && echo newer; [ a -ot b ] && echo older; \
            [ a -nt b ] || echo not; sleep 10; echo y >> a; [ a -nt b ] && echo appended; ls -t; ls -tr; \
            find . -type f -newer b; find . -type f -mmin +1";
        let expected = "newer\nolder\nnot\nappended\na\nb\nb\na\n./a\n";
        assert_eq!(said(image, script), expected, "{image}");
    }
}

#[test]
fn times_can_be_told() {
    for image in ["busybox", "debian"] {
        let script = "cd /tmp; touch -d '2025-12-20 10:11:12' a; stat -c '%y %Y' a; date -r a '+%F %T'; touch -r a b; \
            touch -t 202511020304.05 c; date -r c '+%F %T'; cp -p a d; cp a e; mv c f; \
            find . -type f -mtime +3 | sort; ls -l a | awk '{print $6, $7}'; \
            mkdir x y; cp -p a x; tar -C x -cf t.tar a; tar -C y -xf t.tar; date -r y/a +%F; touch -c none; ls none";
        let expected = "2025-12-20 10:11:12.000000000 +0000 1766225472\n2025-12-20 10:11:12\n2025-11-02 03:04:05\n\
            ./a\n./b\n./d\n./f\nDec 20\n2025-12-20\n";
        let out = said(image, script);
        assert!(out.starts_with(expected), "{image}: {out}");
        assert!(out.trim_end().ends_with("No such file or directory"), "{out}");
    }
    let script = "touch -d '3 days ago' /tmp/old; touch /tmp/new; find /tmp -type f -mtime +2; find /tmp -type f -mtime -1; \
        ls -l --full-time /tmp/old | grep -c '2025-12-29'";
    assert_eq!(said("debian", script), "/tmp/old\n/tmp/new\n1\n");
}

/// A directory changes with the names in it, a kubelet's files with its writing.
#[test]
fn directories_and_volumes_have_times() {
    let script = "mkdir /tmp/d; sleep 60; touch /tmp/m; sleep 60; [ /tmp/d -ot /tmp/m ] && echo before; echo > /tmp/d/x; \
        [ /tmp/d -nt /tmp/m ] && echo after; [ /etc/passwd -ot /tmp/m ] && echo image; [ /etc/passwd -nt /tmp/none ] && echo there";
    assert_eq!(said("busybox", script), "before\nafter\nimage\nthere\n");
}
