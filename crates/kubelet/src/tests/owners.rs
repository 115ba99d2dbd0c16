//! Whose files are, and how the kubelet's volumes look from inside.

use super::World;
use expect_test::expect;
use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::json;
use std::sync::Arc;

/// The log of a busybox pod that runs `script`, without times of day and the numbers of dated directories.
fn log(w: &mut World, name: &str, script: &str, mut spec: serde_json::Value) -> String {
    let mut c = json!({ "name": "c", "image": "busybox:1.28", "command": ["sh", "-c", script] });
    for field in ["volumeMounts", "securityContext"] {
        if let Some(v) = spec["container"].get(field) {
            c[field] = v.clone();
        }
    }
    spec.as_object_mut().unwrap().remove("container");
    spec["containers"] = json!([c]);
    spec["restartPolicy"] = "Never".into();
    w.pod(name, spec);
    w.run(15);
    let log = w.logs(name, "c");
    let tidy = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let tidy = words.iter().map(|w| match w.find("..2") {
            Some(at) => {
                let end = w[at..].find(['/', ':']).map_or("", |n| &w[at + n..]);
                format!("{}..DATED{end}", &w[..at])
            }
            None => (*w).to_string(),
        });
        tidy.collect::<Vec<_>>().join(" ")
    };
    log.lines().map(|l| tidy(l) + "\n").collect()
}

/// tasks/configure-pod-container/security-context.md, pods/security/security-context.yaml
#[test]
fn files_belong_to_the_security_contexts_user_and_group() {
    let mut w = World::new();
    let script = "cd /data; ls -l; cd demo; echo hello > testfile; ls -l; id; touch /x; echo y > /etc/y; mkdir -p /tmp/a && \
                  ls -ld /tmp /tmp/a; rm testfile; ls -l; chmod 600 /etc/hosts; [ -w /etc ] || echo no";
    let spec = json!({
        "securityContext": { "runAsUser": 1000, "runAsGroup": 3000, "fsGroup": 2000, "supplementalGroups": [4000] },
        "volumes": [{ "name": "v", "emptyDir": {} }],
        "container": { "volumeMounts": [{ "name": "v", "mountPath": "/data/demo" }] },
    });
    expect![[r#"
        total 4
        drwxrwsrwx    2 root     2000          4096 Jan  1 00:00 demo
        total 4
        -rw-r--r--    1 1000     2000             6 Jan  1 00:00 testfile
        uid=1000 gid=3000 groups=2000,3000,4000
        touch: /x: Permission denied
        sh: can't create /etc/y: Permission denied
        drwxrwxrwt    3 root     root          4096 Jan  1 00:00 /tmp
        drwxr-xr-x    2 1000     3000          4096 Jan  1 00:00 /tmp/a
        total 0
        chmod: /etc/hosts: Operation not permitted
        no
    "#]]
    .assert_eq(&log(&mut w, "sc", script, spec));
}

#[test]
fn root_changes_owners_and_another_user_may_not() {
    let mut w = World::new();
    let script = "cd /v; touch f; mkdir d; chown 1000:2000 f; chmod u+x,o= f; chown nobody d; stat -c '%a %U %G %n' f d .; ls -la";
    let volumes = json!([{ "name": "v", "emptyDir": {} }]);
    let mounts = json!([{ "name": "v", "mountPath": "/v" }]);
    let spec = json!({ "volumes": volumes, "container": { "volumeMounts": mounts } });
    expect![[r#"
        740 1000 2000 f
        755 nobody root d
        777 root root .
        total 12
        drwxrwxrwx    3 root     root          4096 Jan  1 00:00 .
        drwxr-xr-x   19 root     root          4096 Jan  1 00:00 ..
        drwxr-xr-x    2 nobody   root          4096 Jan  1 00:00 d
        -rwxr-----    1 1000     2000             0 Jan  1 00:00 f
    "#]]
    .assert_eq(&log(&mut w, "root", script, spec));
}

/// tasks/inject-data-application/downward-api-volume-expose-pod-information.md lists such a volume.
#[test]
fn a_config_maps_volume_has_a_dated_directory() {
    let mut w = World::new();
    let mut map = ConfigMap::default();
    map.metadata.name = Some("m".into());
    map.metadata.namespace = Some("default".into());
    map.data = Some([("k".to_string(), "v\n".to_string()), ("s".to_string(), "t\n".to_string())].into());
    w.put(Arc::new(map));
    let items = json!([{ "key": "k", "path": "labels" }, { "key": "s", "path": "sub/secret", "mode": 256 }]);
    let spec = json!({
        "volumes": [{ "name": "m", "configMap": { "name": "m", "items": items } }],
        "container": { "volumeMounts": [
            { "name": "m", "mountPath": "/etc/m" },
            { "name": "m", "mountPath": "/etc/one", "subPath": "labels" },
        ] },
    });
    let script = "ls -laR /etc/m; readlink /etc/m/labels; cat /etc/m/..data/labels /etc/m/sub/secret /etc/one; ls /etc/m; \
                  [ -L /etc/m/..data ] && readlink -f /etc/m/labels; ls -l /etc/one; touch /etc/m/x";
    expect![[r#"
        /etc/m:
        total 12
        drwxrwxrwx    3 root     root          4096 Jan  1 00:00 .
        drwxr-xr-x    3 root     root          4096 Jan  1 00:00 ..
        drwxr-xr-x    3 root     root          4096 Jan  1 00:00 ..DATED
        lrwxrwxrwx    1 root     root            32 Jan  1 00:00 ..data -> ..DATED
        lrwxrwxrwx    1 root     root            13 Jan  1 00:00 labels -> ..data/labels
        lrwxrwxrwx    1 root     root            10 Jan  1 00:00 sub -> ..data/sub

        /etc/m/..DATED:
        total 16
        drwxr-xr-x    3 root     root          4096 Jan  1 00:00 .
        drwxrwxrwx    3 root     root          4096 Jan  1 00:00 ..
        -rw-r--r--    1 root     root             2 Jan  1 00:00 labels
        drwxr-xr-x    2 root     root          4096 Jan  1 00:00 sub

        /etc/m/..DATED/sub:
        total 12
        drwxr-xr-x    2 root     root          4096 Jan  1 00:00 .
        drwxr-xr-x    3 root     root          4096 Jan  1 00:00 ..
        -r--------    1 root     root             2 Jan  1 00:00 secret
        ..data/labels
        v
        t
        v
        labels
        sub
        /etc/m/..DATED/labels
        -rw-r--r--    1 root     root             2 Jan  1 00:00 /etc/one
        touch: /etc/m/x: Read-only file system
    "#]]
    .assert_eq(&log(&mut w, "dated", script, spec));
}

/// The capabilities of pods/security/security-context-4.yaml.
#[test]
fn process_one_says_what_it_may_do() {
    let mut w = World::new();
    let script =
        "cd /proc/1; grep Cap status; ls /proc/1; mount | head -n 1; head -n 1 /proc/meminfo; cat /proc/self/uid_map";
    let spec = json!({ "container": { "securityContext": { "capabilities": { "add": ["NET_ADMIN", "SYS_TIME"] } } } });
    expect![[r#"
        CapInh:	0000000000000000
        CapPrm:	00000000aa0435fb
        CapEff:	00000000aa0435fb
        CapBnd:	00000000aa0435fb
        CapAmb:	0000000000000000
        cgroup
        cmdline
        comm
        gid_map
        status
        uid_map
        overlay on / type overlay (rw,relatime)
        MemTotal:        8388608 kB
                 0          0 4294967295
    "#]]
    .assert_eq(&log(&mut w, "caps", script, spec));
}

/// What is not one's own stays in a directory like `/tmp`.
#[test]
fn sticky_directories_keep_what_is_not_ones_own() {
    let mut w = World::new();
    let mounts = json!([{ "name": "v", "mountPath": "/v" }]);
    let made = "cd /v; mkdir open shared; touch open/f shared/f shared/g; chmod 777 open; chmod 1777 shared; chown 1000 shared/g";
    let spec = json!({
        "volumes": [{ "name": "v", "emptyDir": {} }],
        "initContainers": [{ "name": "root", "image": "busybox:1.28", "command": ["sh", "-c", made], "volumeMounts": mounts }],
        "container": { "volumeMounts": mounts, "securityContext": { "runAsUser": 1000 } },
    });
    let script = "cd /v; ls -ld shared; rm -f open/f shared/f shared/g; ls open shared";
    expect![[r#"
        drwxrwxrwt    2 root     root          4096 Jan  1 00:00 shared
        rm: can't remove 'shared/f': Operation not permitted
        open:

        shared:
        f
    "#]]
    .assert_eq(&log(&mut w, "sticky", script, spec));
}

/// Without a word about whom, `chmod` leaves what the umask takes away.
#[test]
fn chmod_minds_the_umask() {
    let mut w = World::new();
    let script = "cd /tmp; touch f; chmod 0 f; chmod +w f; stat -c %a f; chmod a+w f; stat -c %a f; chmod -w f; stat -c %a f; \
                  chmod +rx f; stat -c %a f";
    expect![[r#"
        200
        222
        22
        577
    "#]]
    .assert_eq(&log(&mut w, "umask", script, json!({ "container": {} })));
}

#[test]
fn a_file_that_its_owner_may_not_write_is_still_the_owners() {
    let mut w = World::new();
    let script = "cd /tmp; echo x > a; chmod 400 a; mv a b; ls; touch b && cp -p b c && stat -c %a c";
    let said = log(&mut w, "user", script, json!({"securityContext": {"runAsUser": 1000}}));
    assert_eq!(said, "b\n400\n");
}
