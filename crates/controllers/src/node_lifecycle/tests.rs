//! Cases modelled on `node_lifecycle_controller_test.go`.

use super::{MONITOR, NodeLifecycle};
use crate::testing::{World, at, merged, pod, ready_since, rfc3339};
use expect_test::expect;
use serde_json::{Value, json};

fn node(name: &str, ready: &str, over: Value) -> Value {
    merged(
        json!({"apiVersion": "v1", "kind": "Node",
               "metadata": {"name": name, "uid": format!("uid-{name}"), "creationTimestamp": rfc3339(0)},
               "status": {"conditions": [{"type": "Ready", "status": ready, "lastHeartbeatTime": rfc3339(0)}]}}),
        over,
    )
}

fn lease(name: &str, secs: u64) -> Value {
    json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
           "metadata": {"name": name, "namespace": "kube-node-lease"},
           "spec": {"renewTime": rfc3339(secs).replace('Z', ".000000Z")}})
}

/// Runs the monitor from `from` to `to` seconds, every 5; what it said, with the second.
fn monitor(w: &mut World<NodeLifecycle>, from: u64, to: u64) -> String {
    let mut text = String::new();
    for s in (from..=to).step_by(5) {
        w.now = at(s);
        let said = w.run(MONITOR).replace("requeue after 5s\n", "");
        if !said.is_empty() {
            text += &format!("at {s}s\n{said}");
        }
    }
    text
}

#[test]
fn a_silent_node_becomes_unknown_after_fifty_seconds() {
    let mut w = World::<NodeLifecycle>::new([
        node("node-1", "True", json!({})),
        node("node-2", "True", json!({})),
        lease("node-1", 0),
        pod("a", None, ready_since(0)),
    ]);
    expect![[r#"
        at 0s
        event Normal RegisteredNode node-1: Node node-1 event: Registered Node node-1 in Controller
        event Normal RegisteredNode node-2: Node node-2 event: Registered Node node-2 in Controller
    "#]]
    .assert_eq(&monitor(&mut w, 0, 10));
    w.put(lease("node-1", 8));
    w.put(lease("node-2", 8));
    assert_eq!(monitor(&mut w, 15, 60), "");
    w.put(lease("node-2", 62));
    expect![[r#"
        at 70s
        # node.silent node=node-1 seconds=55
        # node.pod-not-ready pod=default/a node=node-1
        update-status nodes node-1 {"conditions":[{"lastHeartbeatTime":"2026-01-01T00:00:00Z","lastTransitionTime":"2026-01-01T00:01:10Z","message":"Kubelet stopped posting node status.","reason":"NodeStatusUnknown","status":"Unknown","type":"Ready"},{"lastHeartbeatTime":"2026-01-01T00:00:00Z","lastTransitionTime":"2026-01-01T00:01:10Z","message":"Kubelet never posted node status.","reason":"NodeStatusNeverUpdated","status":"Unknown","type":"MemoryPressure"},{"lastHeartbeatTime":"2026-01-01T00:00:00Z","lastTransitionTime":"2026-01-01T00:01:10Z","message":"Kubelet never posted node status.","reason":"NodeStatusNeverUpdated","status":"Unknown","type":"DiskPressure"},{"lastHeartbeatTime":"2026-01-01T00:00:00Z","lastTransitionTime":"2026-01-01T00:01:10Z","message":"Kubelet never posted node status.","reason":"NodeStatusNeverUpdated","status":"Unknown","type":"PIDPressure"}]}
        event Normal NodeNotReady node-1: Node node-1 status is now: NodeNotReady
        update-status pods default/a {"conditions":[{"lastProbeTime":null,"lastTransitionTime":"2026-01-01T00:01:10Z","status":"False","type":"Ready"}],"phase":"Running"}
        event Warning NodeNotReady a: Node is not ready
    "#]].assert_eq(&monitor(&mut w, 65, 70));
}

#[test]
fn a_node_that_never_reported_has_sixty_seconds() {
    let mut w = World::<NodeLifecycle>::new([node("node-1", "True", json!({"status": {"conditions": []}}))]);
    monitor(&mut w, 0, 60);
    let said = monitor(&mut w, 65, 65);
    assert!(said.contains("NodeStatusNeverUpdated") && said.contains("Kubelet never posted node status."), "{said}");
}

#[test]
fn unreachable_nodes_are_emptied_one_in_ten_seconds() {
    let mut w = World::<NodeLifecycle>::new([
        node("a", "True", json!({})),
        node("b", "True", json!({})),
        node("c", "Unknown", json!({})),
        node("d", "False", json!({"spec": {"taints": [{"key": "x", "effect": "NoSchedule"}]}})),
    ]);
    w.run(MONITOR);
    // Refused the first time, so to say: the view does not change, and the limiter says when.
    w.controller = NodeLifecycle::default();
    expect![[r#"
        at 0s
        # node.evict-taint node=c taint=node.kubernetes.io/unreachable
        # node.evict-wait node=d
        event Normal RegisteredNode a: Node a event: Registered Node a in Controller
        event Normal RegisteredNode b: Node b event: Registered Node b in Controller
        event Normal RegisteredNode c: Node c event: Registered Node c in Controller
        event Normal RegisteredNode d: Node d event: Registered Node d in Controller
        patch nodes c  {"spec":{"taints":[{"effect":"NoExecute","key":"node.kubernetes.io/unreachable","timeAdded":"2026-01-01T00:00:00Z"}]}}
    "#]].assert_eq(&monitor(&mut w, 0, 0));
    let tainted = json!({"spec": {"taints": [{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}]}});
    w.put(node("c", "Unknown", tainted.clone()));
    expect![[r#"
        at 10s
        # node.evict-taint node=d taint=node.kubernetes.io/not-ready
        patch nodes d  {"spec":{"taints":[{"effect":"NoSchedule","key":"x"},{"effect":"NoExecute","key":"node.kubernetes.io/not-ready","timeAdded":"2026-01-01T00:00:10Z"}]}}
    "#]].assert_eq(&monitor(&mut w, 5, 10));
    // Back again.
    w.put(node("c", "True", tainted));
    w.put(node("d", "True", json!({})));
    expect![[r#"
        at 15s
        # node.reachable node=c
        patch nodes c  {"spec":{"taints":null}}
    "#]]
    .assert_eq(&monitor(&mut w, 15, 15));
}

#[test]
fn when_every_node_is_silent_nothing_is_emptied() {
    let tainted = json!({"spec": {"taints": [{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}]}});
    let mut w = World::<NodeLifecycle>::new([node("a", "Unknown", json!({})), node("b", "Unknown", tainted)]);
    expect![[r#"
        at 0s
        # node.zone zone= state=full ready=0 not_ready=2
        # node.reachable node=b
        event Normal RegisteredNode a: Node a event: Registered Node a in Controller
        event Normal RegisteredNode b: Node b event: Registered Node b in Controller
        patch nodes b  {"spec":{"taints":null}}
    "#]]
    .assert_eq(&monitor(&mut w, 0, 0));
}

#[test]
fn conditions_and_cordon_become_no_schedule_taints() {
    let over = json!({
        "metadata": {"labels": {"kubernetes.io/os": "linux", "beta.kubernetes.io/os": "linux",
                                "kubernetes.io/arch": "amd64"}},
        "spec": {"unschedulable": true, "taints": [
            {"key": "node.kubernetes.io/unreachable", "effect": "NoSchedule"},
            {"key": "mine", "effect": "NoSchedule"}]},
        "status": {"conditions": [{"type": "Ready", "status": "False"}, {"type": "MemoryPressure", "status": "True"},
                                  {"type": "DiskPressure", "status": "False"}]}});
    let mut w = World::<NodeLifecycle>::new([node("a", "False", over)]);
    expect![[r##"
        # node.taint node=a taint=node.kubernetes.io/not-ready
        # node.taint node=a taint=node.kubernetes.io/memory-pressure
        # node.taint node=a taint=node.kubernetes.io/unschedulable
        # node.untaint node=a taint=node.kubernetes.io/unreachable
        # node.labels node=a
        patch nodes a  {"spec":{"taints":[{"effect":"NoSchedule","key":"mine"},{"effect":"NoSchedule","key":"node.kubernetes.io/not-ready","timeAdded":"2026-01-01T00:00:00Z"},{"effect":"NoSchedule","key":"node.kubernetes.io/memory-pressure","timeAdded":"2026-01-01T00:00:00Z"},{"effect":"NoSchedule","key":"node.kubernetes.io/unschedulable","timeAdded":"2026-01-01T00:00:00Z"}]}}
        patch nodes a  {"metadata":{"labels":{"beta.kubernetes.io/arch":"amd64"}}}
    "##]].assert_eq(&w.run("a"));
}

#[test]
fn a_pod_bound_to_an_unready_node_is_not_ready() {
    let mut w = World::<NodeLifecycle>::new([node("node-1", "Unknown", json!({}))]);
    let bound = w.put(pod("a", None, ready_since(0)));
    assert_eq!(format!("{bound:?}"), "[default/a]");
    assert!(w.run("default/a").contains("event Warning NodeNotReady a: Node is not ready"));
}

#[test]
fn removed_nodes_are_announced() {
    let mut w = World::<NodeLifecycle>::new([node("a", "True", json!({}))]);
    w.run(MONITOR);
    w.delete("v1", "Node", "a");
    assert_eq!(
        monitor(&mut w, 5, 5),
        "at 5s\nevent Normal RemovingNode a: Node a event: Removing Node a from Controller\n"
    );
}
