//! A redis in a pod: what other pods put into it is there for others, on whatever node they are.

use k8s_openapi::api::core::v1::Pod;
use meta::Key;
use testkit::{apply, cluster, exec, run};

const QUEUE: &str = "
apiVersion: v1
kind: Pod
metadata: {name: redis-master, labels: {app: redis}}
spec:
  nodeName: node-1
  containers:
  - name: master
    image: registry.k8s.io/redis:e2e
    env: [{name: MASTER, value: 'true'}]
    ports: [{containerPort: 6379}]
---
apiVersion: v1
kind: Service
metadata: {name: redis}
spec: {ports: [{port: 6379, targetPort: 6379}], selector: {app: redis}}
---
apiVersion: v1
kind: Pod
metadata: {name: temp}
spec:
  nodeName: node-2
  containers: [{name: temp, image: redis, command: [sleep, infinity]}]
---
apiVersion: v1
kind: Pod
metadata: {name: near}
spec:
  nodeName: node-1
  containers: [{name: temp, image: 'redis:7', command: [sleep, infinity]}]
";

#[test]
fn a_queue_is_filled_from_one_node_and_emptied_from_another() {
    let mut c = cluster(2);
    apply(&mut c, QUEUE);
    run(&mut c, 40);
    let said = exec(
        &mut c,
        "temp",
        "redis-cli -h redis rpush job2 apple banana; redis-cli -h redis --no-raw lrange job2 0 -1",
    );
    assert_eq!(said, "2\n1) \"apple\"\n2) \"banana\"\n");
    // rediswq.py leases items this way.
    let said =
        exec(&mut c, "near", "redis-cli -h redis brpoplpush job2 job2:processing 1; redis-cli -h redis llen job2");
    assert_eq!(said, "banana\n1\n");
    let said = exec(&mut c, "near", "redis-cli -h redis setex lease 30 me; redis-cli -h redis ttl lease");
    assert_eq!(said, "OK\n30\n");
    run(&mut c, 31);
    assert_eq!(exec(&mut c, "temp", "redis-cli -h redis exists lease"), "0\n");
    // Who waits is served when something comes, from wherever.
    exec(&mut c, "temp", "redis-cli -h redis del job2");
    exec(&mut c, "temp", "(redis-cli -h redis blpop job2 0 > /tmp/got; echo done >> /tmp/got) & sleep 0.1");
    exec(&mut c, "near", "redis-cli -h redis blpop other 2 > /tmp/nothing & sleep 0.1");
    exec(&mut c, "near", "redis-cli -h redis lpush job2 cherry");
    run(&mut c, 5);
    assert_eq!(exec(&mut c, "temp", "cat /tmp/got; redis-cli -h redis exists job2"), "job2\ncherry\ndone\n0\n");
    assert_eq!(exec(&mut c, "near", "cat /tmp/nothing"), "\n");
}

const CONFIGURED: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: example-redis-config}
data:
  redis-config: |
    maxmemory 2mb
    maxmemory-policy allkeys-lru
---
apiVersion: v1
kind: Pod
metadata: {name: redis}
spec:
  containers:
  - name: redis
    image: redis:8.0.2
    command: [redis-server, /redis-master/redis.conf]
    ports: [{containerPort: 6379}]
    volumeMounts:
    - {mountPath: /redis-master-data, name: data}
    - {mountPath: /redis-master, name: config}
  volumes:
  - {name: data, emptyDir: {}}
  - name: config
    configMap: {name: example-redis-config, items: [{key: redis-config, path: redis.conf}]}
";

#[test]
fn a_config_map_configures_it_and_memory_is_kept_below_its_limit() {
    let mut c = cluster(1);
    apply(&mut c, CONFIGURED);
    run(&mut c, 40);
    let said = exec(&mut c, "redis", "redis-cli --no-raw config get maxmemory; redis-cli config get maxmemory-policy");
    assert_eq!(said, "1) \"maxmemory\"\n2) \"2097152\"\nmaxmemory-policy\nallkeys-lru\n");
    // The oldest make room for the newest.
    let fill = "x=a; for i in $(seq 1 17); do x=$x$x; done; for i in $(seq 1 30); do redis-cli set k$i $x >/dev/null; done; \
                redis-cli exists k1; redis-cli exists k30; redis-cli info stats | grep evicted | tr -d '\\r'";
    let said = exec(&mut c, "redis", fill);
    assert!(said.starts_with("0\n1\nevicted_keys:") && !said.contains("evicted_keys:0"), "{said}");
    exec(&mut c, "redis", "redis-cli config set maxmemory-policy noeviction");
    let said = exec(
        &mut c,
        "redis",
        "x=a; for i in $(seq 1 20); do x=$x$x; done; redis-cli set more $x; redis-cli set more x",
    );
    assert!(said.contains("OOM command not allowed when used memory > 'maxmemory'."), "{said}");
}

#[test]
fn a_password_is_asked_for_and_a_wrong_configuration_does_not_start() {
    let mut c = cluster(1);
    apply(
        &mut c,
        "
apiVersion: v1
kind: Pod
metadata: {name: locked}
spec:
  containers:
  - {name: redis, image: 'redis:7.2', args: [--requirepass, secret]}
---
apiVersion: v1
kind: Pod
metadata: {name: wrong}
spec:
  restartPolicy: Never
  containers:
  - {name: redis, image: 'redis:7.2', args: [--maxmemory-policy, none]}
",
    );
    run(&mut c, 40);
    let said = exec(&mut c, "locked", "redis-cli ping; redis-cli -a secret ping; REDISCLI_AUTH=secret redis-cli ping");
    let words = "NOAUTH Authentication required.\n\nPONG\nPONG\nWarning: Using a password with '-a' or '-u' option on the \
                 command line interface may not be safe.\n";
    assert_eq!(said, words);
    let wrong = c.view().get::<Pod>(&Key::new("default", "wrong")).unwrap();
    assert_eq!(wrong.status.as_ref().and_then(|s| s.phase.as_deref()), Some("Failed"));
}

const GUESTBOOK: &str = "
apiVersion: v1
kind: Pod
metadata: {name: leader, labels: {role: leader}}
spec:
  nodeName: node-1
  containers: [{name: leader, image: 'docker.io/redis:6.0.5'}]
---
apiVersion: v1
kind: Service
metadata: {name: redis-leader}
spec: {ports: [{port: 6379}], selector: {role: leader}}
---
apiVersion: v1
kind: Pod
metadata: {name: follower}
spec:
  nodeName: node-2
  containers: [{name: follower, image: us-docker.pkg.dev/google-samples/containers/gke/gb-redis-follower:v2}]
";

#[test]
fn a_follower_has_what_its_leader_has() {
    let mut c = cluster(2);
    apply(&mut c, GUESTBOOK);
    run(&mut c, 60);
    exec(&mut c, "leader", "redis-cli set guestbook ,hello; redis-cli rpush l a b; redis-cli -n 2 hset h f v");
    run(&mut c, 2);
    let said = exec(
        &mut c,
        "follower",
        "redis-cli get guestbook; redis-cli lrange l 0 -1; redis-cli -n 2 hget h f; redis-cli set a b",
    );
    assert_eq!(said, ",hello\na\nb\nv\nREADONLY You can't write against a read only replica.\n\n");
    let said = exec(&mut c, "leader", "redis-cli info replication | grep -E 'role|connected' | tr -d '\\r'");
    assert_eq!(said, "role:master\nconnected_slaves:1\n");
    let said = exec(&mut c, "follower", "redis-cli info replication | grep -E 'role|link_status' | tr -d '\\r'");
    assert_eq!(said, "role:slave\nmaster_link_status:up\n");
    // A leader that comes back empty makes its follower empty.
    exec(&mut c, "leader", "redis-cli shutdown nosave");
    run(&mut c, 30);
    let said = exec(
        &mut c,
        "follower",
        "redis-cli exists guestbook; redis-cli info replication | grep link_status | tr -d '\\r'",
    );
    assert_eq!(said, "0\nmaster_link_status:up\n");
}

#[test]
fn pods_are_reached_whatever_became_of_their_kubelet() {
    let mut c = cluster(2);
    apply(&mut c, QUEUE);
    run(&mut c, 40);
    let ping = |c: &mut cluster::Cluster| exec(c, "temp", "redis-cli -h redis ping");
    assert_eq!(ping(&mut c), "PONG\n");
    for (goes, comes) in [("pause kubelet/node-1", "resume kubelet/node-1"), ("cut node-1", "heal node-1")] {
        let say = |c: &mut cluster::Cluster, words: &str| {
            let command = engine::faults::command(words).expect("it is understood");
            let done = Some(protocol::Reply::Done { id: 0, error: None });
            assert_eq!(engine::act(c, &command), done, "{words}");
        };
        say(&mut c, goes);
        assert_eq!(ping(&mut c), "PONG\n", "{goes}");
        say(&mut c, comes);
        run(&mut c, 20);
    }
}
