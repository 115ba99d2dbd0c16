//! Pods leave a node that is short of memory or disk.

use super::World;
use crate::runtime::Full;
use expect_test::expect;
use k8s_openapi::api::core::v1::Node;
use meta::Key;
use serde_json::json;

fn hog(megabytes: u32) -> serde_json::Value {
    let args = ["--vm", "1", "--vm-bytes", &format!("{megabytes}M")];
    json!({ "containers": [{ "name": "hog", "image": "polinux/stress", "command": ["stress"], "args": args }] })
}

/// What is said of evictions, without the rest.
fn story(w: &mut World) -> String {
    let words = ["Evict", "Attempting", "NodeHas", "rejected", "Killing", "phase", "Failed"];
    let log = w.take_log();
    let lines = log.lines().filter(|l| words.iter().any(|x| l.contains(x)));
    lines.map(|l| format!("{l}\n")).collect()
}

fn conditions(w: &World) -> String {
    let node = w.view.get::<Node>(&Key::new("", "node-1")).and_then(|n| n.status.clone());
    let all = node.and_then(|s| s.conditions).unwrap_or_default();
    let on = all.iter().filter(|c| c.type_ != "Ready" && c.status == "True");
    on.map(|c| format!("{} {} {}", c.type_, c.reason.as_deref().unwrap_or(""), c.message.as_deref().unwrap_or("")))
        .collect()
}

#[test]
fn the_pod_that_uses_most_beyond_its_request_leaves_when_memory_runs_out() {
    let mut w = World::new();
    let web =
        json!({ "containers": [{ "name": "c", "image": "nginx", "resources": { "requests": { "memory": "1Gi" } } }] });
    w.pod("web", web);
    w.pod("small", hog(3000));
    w.pod("large", hog(4800));
    w.run(60);
    expect![[r#"
        0.0s Normal NodeHasSufficientMemory node-1: Node node-1 status is now: NodeHasSufficientMemory
        0.0s Normal NodeHasNoDiskPressure node-1: Node node-1 status is now: NodeHasNoDiskPressure
        0.0s Normal NodeHasSufficientPID node-1: Node node-1 status is now: NodeHasSufficientPID
        60.0s Warning EvictionThresholdMet node-1: Attempting to reclaim memory
        60.0s Warning Evicted large: The node was low on resource: memory. Threshold quantity: 100Mi, available: 88Mi. Container hog was using 4800Mi, request is 0, has larger consumption of memory. 
        60.0s Normal NodeHasInsufficientMemory node-1: Node node-1 status is now: NodeHasInsufficientMemory
        60.0s Normal Killing large: Stopping container hog
        62.0s status large: Failed reason=Evicted Ready=False hog:Error(137)
    "#]].assert_eq(&story(&mut w));
    expect!["MemoryPressure KubeletHasInsufficientMemory kubelet has insufficient memory available"]
        .assert_eq(&conditions(&w));
    // Nobody who asks for nothing is taken now.
    w.pod("late", hog(1));
    w.pod(
        "asks",
        json!({ "containers": [{ "name": "c", "image": "nginx", "resources": { "requests": { "memory": "1Mi" } } }] }),
    );
    w.run(20);
    expect![[r#"
        62.0s Warning Evicted late: The node had condition: [MemoryPressure]. 
        62.0s status late: Failed reason=Evicted
    "#]]
    .assert_eq(&story(&mut w));
    let large = w.get("large").and_then(|p| p.status.clone()).expect("a status");
    let target = large.conditions.iter().flatten().find(|c| c.type_ == "DisruptionTarget").expect("the condition");
    assert_eq!((target.reason.as_deref(), large.reason.as_deref()), (Some("TerminationByKubelet"), Some("Evicted")));
    assert_eq!(target.message, large.message);
    // The condition stays for five minutes.
    w.run(200);
    assert!(conditions(&w).starts_with("MemoryPressure"));
    w.run(120);
    assert_eq!(conditions(&w), "");
    expect![[r#"
        360.0s Normal NodeHasSufficientMemory node-1: Node node-1 status is now: NodeHasSufficientMemory
    "#]]
    .assert_eq(&story(&mut w));
}

#[test]
fn a_full_disk_drives_all_away_until_there_is_room() {
    let mut w = World::new();
    w.pod("web", json!({ "containers": [{ "name": "c", "image": "nginx" }] }));
    w.pod("system", json!({ "priority": 2_000_001_000, "containers": [{ "name": "c", "image": "nginx" }] }));
    w.run(20);
    w.take_log();
    w.kubelet.fill(Full { node: true, ..Full::default() });
    w.run(40);
    expect![[r#"
        22.0s Warning EvictionThresholdMet node-1: Attempting to reclaim ephemeral-storage
        22.0s Warning Evicted web: The node was low on resource: ephemeral-storage. Threshold quantity: 10737418400, available: 0. Container c was using 1288, request is 0, has larger consumption of ephemeral-storage. 
        22.0s Normal NodeHasDiskPressure node-1: Node node-1 status is now: NodeHasDiskPressure
        22.0s Normal Killing web: Stopping container c
        22.0s status web: Failed reason=Evicted Ready=False c:Completed(0)
        23.0s Warning EvictionThresholdMet node-1: Attempting to reclaim ephemeral-storage
        33.0s Warning EvictionThresholdMet node-1: Attempting to reclaim ephemeral-storage
        43.0s Warning EvictionThresholdMet node-1: Attempting to reclaim ephemeral-storage
        53.0s Warning EvictionThresholdMet node-1: Attempting to reclaim ephemeral-storage
    "#]].assert_eq(&story(&mut w));
    expect!["DiskPressure KubeletHasDiskPressure kubelet has disk pressure"].assert_eq(&conditions(&w));
    w.kubelet.fill(Full::default());
    w.run(320);
    assert_eq!(conditions(&w), "");
}

#[test]
fn who_writes_more_than_it_may_leaves() {
    let mut w = World::new();
    let write = |to: &str| json!(["sh", "-c", format!("dd if=/dev/zero of={to} bs=1M count=20; sleep 3600")]);
    w.pod(
        "volume",
        json!({ "containers": [{ "name": "c", "image": "busybox", "command": write("/data/x"),
            "volumeMounts": [{ "name": "data", "mountPath": "/data" }] }],
            "volumes": [{ "name": "data", "emptyDir": { "sizeLimit": "1Mi" } }] }),
    );
    let limited = |to: &str, limit: &str| {
        json!({ "containers": [{ "name": "c", "image": "busybox", "command": write(to),
            "resources": { "limits": { "ephemeral-storage": limit } } }] })
    };
    w.pod("layer", limited("/x", "1Mi"));
    w.pod("enough", limited("/x", "80Mi"));
    w.run(40);
    expect![[r#"
        0.0s Normal NodeHasSufficientMemory node-1: Node node-1 status is now: NodeHasSufficientMemory
        0.0s Normal NodeHasNoDiskPressure node-1: Node node-1 status is now: NodeHasNoDiskPressure
        0.0s Normal NodeHasSufficientPID node-1: Node node-1 status is now: NodeHasSufficientPID
        10.0s Warning Evicted layer: Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. 
        10.0s Warning Evicted volume: Usage of EmptyDir volume "data" exceeds the limit "1Mi". 
        10.0s Normal Killing layer: Stopping container c
        10.0s Normal Killing volume: Stopping container c
        12.0s status layer: Failed reason=Evicted Ready=False c:Error(137)
        12.0s status volume: Failed reason=Evicted Ready=False c:Error(137)
    "#]]
    .assert_eq(&story(&mut w));
    assert_eq!(conditions(&w), "");
}

#[test]
fn dd_without_a_count_writes_until_somebody_minds() {
    let mut w = World::new();
    w.pod(
        "volume",
        json!({ "containers": [{ "name": "c", "image": "busybox",
            "command": ["sh", "-c", "dd if=/dev/zero of=/data/x bs=1M; sleep 3600"],
            "volumeMounts": [{ "name": "data", "mountPath": "/data" }] }],
            "volumes": [{ "name": "data", "emptyDir": { "sizeLimit": "3Gi" } }] }),
    );
    w.run(40);
    expect![[r#"
        0.0s Normal NodeHasSufficientMemory node-1: Node node-1 status is now: NodeHasSufficientMemory
        0.0s Normal NodeHasNoDiskPressure node-1: Node node-1 status is now: NodeHasNoDiskPressure
        0.0s Normal NodeHasSufficientPID node-1: Node node-1 status is now: NodeHasSufficientPID
        10.0s Warning Evicted volume: Usage of EmptyDir volume "data" exceeds the limit "3Gi". 
        10.0s Normal Killing volume: Stopping container c
        12.0s status volume: Failed reason=Evicted Ready=False c:Error(137)
    "#]]
    .assert_eq(&story(&mut w));
    let command = ["sh", "-c", "sleep 2; dd if=/dev/zero of=/x bs=1M; echo $?; sleep 3600"];
    w.pod("disk", json!({ "containers": [{ "name": "c", "image": "busybox", "command": command }] }));
    w.run(5);
    w.kubelet.fill(Full { node: true, ..Full::default() });
    w.run(3);
    expect![[r#"
        dd: error writing '/x': No space left on device
        1907+1 records in
        1907+1 records out
        2000000000 bytes (1.9GB) copied, 2.000000 seconds, 953.7MB/s
        1
    "#]]
    .assert_eq(&w.logs("disk", "c"));
}
