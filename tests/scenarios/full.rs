//! Full disks: of nodes, and of claims.

use cluster::Cluster;
use engine::faults;
use expect_test::expect;
use k8s_openapi::api::core::v1::Pod;
use meta::Key;
use testkit::{apply, cluster, events, run};

const WRITER: &str = "\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: writer}
spec:
  # It stays when a node without room drives the others away.
  priorityClassName: system-node-critical
  tolerations: [{operator: Exists}]
  containers:
  - name: main
    image: busybox
    command: [sh, -c, 'while true; do echo a > /tmp/a && echo own; echo b > /data/b && echo claim; echo c > /cache/c && echo empty; sleep 10; done']
    volumeMounts: [{name: data, mountPath: /data}, {name: cache, mountPath: /cache}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}, {name: cache, emptyDir: {}}]
";

fn say(c: &mut Cluster, line: &str) -> Option<String> {
    match engine::act(c, &faults::command(line).expect("it means something")) {
        Some(protocol::Reply::Done { error, .. }) => error,
        _ => None,
    }
}

fn newest(c: &Cluster, lines: i64) -> String {
    let pod = c.view().get::<Pod>(&Key::new("default", "writer")).cloned().expect("it was made");
    c.log_tail(&pod, "main", lines).unwrap_or_default()
}

#[test]
fn nothing_fits_on_a_full_node() {
    let mut c = cluster(1);
    apply(&mut c, WRITER);
    run(&mut c, 30);
    assert_eq!(newest(&c, 3), "own\nclaim\nempty\n");
    assert_eq!(say(&mut c, "fill-disk node-1"), None);
    assert!(say(&mut c, "fill-disk node-1").unwrap().contains("not found"));
    run(&mut c, 10);
    let full = "sh: write error: No space left on device\n";
    assert_eq!(newest(&c, 3), full.repeat(3));
    // Nor do images.
    apply(
        &mut c,
        "apiVersion: v1\nkind: Pod\nmetadata: {name: late}\nspec: {priorityClassName: system-node-critical, tolerations: [{operator: Exists}], containers: [{name: main, image: redis}]}\n",
    );
    run(&mut c, 10);
    let events = events(&c, "late");
    assert!(events.contains("failed to pull and unpack image \"docker.io/library/redis:latest\""), "{events}");
    assert!(events.contains("no space left on device"), "{events}");
    let mend: Vec<String> = faults::mend(&c).iter().map(faults::words).collect();
    assert_eq!(mend, ["free-disk node-1"]);
    assert_eq!(say(&mut c, "free-disk node-1"), None);
    run(&mut c, 10);
    assert_eq!(newest(&c, 3), "own\nclaim\nempty\n");
}

#[test]
fn nothing_fits_on_a_full_volume() {
    let mut c = cluster(1);
    assert!(say(&mut c, "fill-volume default/data").unwrap().contains("not found"));
    apply(&mut c, WRITER);
    run(&mut c, 30);
    assert_eq!(say(&mut c, "fill-volume default/data"), None);
    run(&mut c, 10);
    expect![[r#"
        own
        sh: write error: No space left on device
        empty
    "#]]
    .assert_eq(&newest(&c, 3));
    assert_eq!(say(&mut c, "free-volume default/data"), None);
    run(&mut c, 10);
    assert_eq!(newest(&c, 3), "own\nclaim\nempty\n");
}
