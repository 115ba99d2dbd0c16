//! Servers that cannot start as they are, and the clients that ask them.

use super::World;
use serde_json::json;

#[test]
fn nginx_says_what_it_may_not_write() {
    let mut w = World::new();
    let pod = |mounts: &[&str]| {
        let mounts: Vec<_> = mounts.iter().map(|m| json!({"name": "v", "mountPath": m, "subPath": &m[1..]})).collect();
        json!({
            "restartPolicy": "Never", "volumes": [{"name": "v", "emptyDir": {}}],
            "containers": [{"name": "a", "image": "nginx:1.29", "securityContext": {"readOnlyRootFilesystem": true}, "volumeMounts": mounts}],
        })
    };
    w.pod("none", pod(&[]));
    w.pod("cache", pod(&["/var/cache/nginx"]));
    w.pod("both", pod(&["/var/cache/nginx", "/var/run"]));
    w.run(30);
    let none = w.logs("none", "a");
    assert!(none.contains("info: can not modify /etc/nginx/conf.d/default.conf (read-only file system?)\n"), "{none}");
    let why = "nginx: [emerg] mkdir() \"/var/cache/nginx/client_temp\" failed (30: Read-only file system)\n";
    assert!(none.ends_with(why), "{none}");
    let cache = w.logs("cache", "a");
    assert!(
        cache.ends_with("nginx: [emerg] open() \"/run/nginx.pid\" failed (30: Read-only file system)\n"),
        "{cache}"
    );
    let both = w.logs("both", "a");
    assert!(both.contains("start worker process"), "{both}");
}

#[test]
fn only_the_privileged_set_the_kernel() {
    let mut w = World::new();
    let pod = |privileged: bool| {
        json!({
            "restartPolicy": "Never",
            "containers": [{"name": "a", "image": "busybox", "securityContext": {"privileged": privileged},
                            "command": ["sysctl", "-w", "vm.max_map_count=262144"]}],
        })
    };
    w.pod("yes", pod(true));
    w.pod("no", pod(false));
    w.run(20);
    assert_eq!(w.logs("yes", "a"), "vm.max_map_count = 262144\n");
    assert_eq!(w.logs("no", "a"), "sysctl: error setting key 'vm.max_map_count': Read-only file system\n");
}

#[test]
fn postgres_answers_what_it_can() {
    let mut w = World::new();
    let script = "pg_isready; psql -c 'select 1'; echo $?; sleep 20; pg_isready -h localhost; psql -h localhost -tAc 'SELECT 1;'; \
                  psql -h localhost -t -c 'select 2'; psql -h localhost -c 'select 30'; psql -h localhost -c '\\l'; echo $?";
    w.pod(
        "db",
        json!({
            "restartPolicy": "Never",
            "containers": [
                {"name": "a", "image": "postgres:16", "env": [{"name": "POSTGRES_PASSWORD", "value": "x"}]},
                {"name": "b", "image": "postgres:16", "command": ["sh", "-c", script]},
            ],
        }),
    );
    w.run(60);
    let said = w.logs("db", "b");
    let (before, after) = said.split_once("localhost:5432").unwrap_or((&said, ""));
    assert!(before.ends_with("connections on that socket?\n2\n"), "{said}");
    assert_eq!(
        after,
        " - accepting connections\n1\n        2\n\n ?column? \n----------\n       30\n(1 row)\n\npsql: error: a simulated \
         PostgreSQL has no tables: it only answers SELECT NUMBER\n1\n"
    );
}

#[test]
fn mysql_knows_its_password() {
    let mut w = World::new();
    let ask = "mysql -uroot -pwrong -e 'select 1'; mysql -u root -e 'select 1'; mysql -uroot -px -e 'select 1'";
    w.pod(
        "db",
        json!({
            "restartPolicy": "Never",
            "containers": [{"name": "a", "image": "mysql:8.0", "env": [{"name": "MYSQL_ROOT_PASSWORD", "value": "x"}],
                "lifecycle": {"postStart": {"exec": {"command": ["sh", "-c", format!("sleep 40; ({ask}) > /proc/1/fd/1 2>&1")]}}}}],
        }),
    );
    w.run(100);
    let said = w.logs("db", "a");
    let denied = |using: &str| {
        format!("ERROR 1045 (28000): Access denied for user 'root'@'localhost' (using password: {using})\n")
    };
    assert!(said.ends_with(&format!("{}{}1\n1\n", denied("YES"), denied("NO"))), "{said}");
}
