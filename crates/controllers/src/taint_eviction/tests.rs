//! Cases modelled on `taint_eviction_test.go` and `timed_workers_test.go`.

use super::TaintEviction;
use crate::testing::{World, at, pod};
use expect_test::expect;
use serde_json::{Value, json};

fn node(taints: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}, "spec": {"taints": taints}})
}

fn unreachable() -> Value {
    json!([{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}])
}

fn tolerating(seconds: Option<i64>) -> Value {
    let t = json!({"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute",
                   "tolerationSeconds": seconds});
    pod("a", None, json!({"metadata": {"generation": 1}, "spec": {"tolerations": [t]}}))
}

#[test]
fn a_pod_without_toleration_goes_at_once() {
    let mut w = World::<TaintEviction>::new([node(unreachable()), pod("a", None, json!({}))]);
    expect![[r##"
        # taint.not-tolerated pod=default/a node=node-1 taint=node.kubernetes.io/unreachable
        event Normal TaintManagerEviction a: Marking for deletion Pod default/a
        update-status pods default/a {"conditions":[{"lastProbeTime":null,"lastTransitionTime":"2026-01-01T00:00:00Z","message":"Taint manager: deleting due to NoExecute taint","reason":"DeletionByTaintManager","status":"True","type":"DisruptionTarget"}],"phase":"Running"}
        delete pods default/a grace=None propagation=Some(Background)
    "##]].assert_eq(&w.run("default/a"));
}

#[test]
fn tolerated_for_five_minutes() {
    let mut w = World::<TaintEviction>::new([node(unreachable()), tolerating(Some(300))]);
    expect![[r#"
        # taint.wait pod=default/a node=node-1 seconds=300
        requeue after 5m0s
    "#]]
    .assert_eq(&w.run("default/a"));
    w.now = at(100);
    assert_eq!(w.run("default/a"), "requeue after 3m20s\n", "the time that went by counts");
    w.now = at(300);
    expect![[r##"
        # taint.time-is-up pod=default/a seconds=300
        event Normal TaintManagerEviction a: Marking for deletion Pod default/a
        update-status pods default/a {"conditions":[{"lastProbeTime":null,"lastTransitionTime":"2026-01-01T00:05:00Z","message":"Taint manager: deleting due to NoExecute taint","observedGeneration":1,"reason":"DeletionByTaintManager","status":"True","type":"DisruptionTarget"}],"phase":"Running"}
        delete pods default/a grace=None propagation=Some(Background)
    "##]].assert_eq(&w.run("default/a"));
}

#[test]
fn a_node_that_comes_back_cancels_the_deletion() {
    let mut w = World::<TaintEviction>::new([node(unreachable()), tolerating(Some(300))]);
    w.run("default/a");
    assert_eq!(format!("{:?}", w.put(node(json!([])))), "[default/a]");
    expect![[r#"
        # taint.cancel pod=default/a why=taint-gone
        event Normal TaintManagerEviction a: Cancelling deletion of Pod default/a
    "#]]
    .assert_eq(&w.run("default/a"));
    assert_eq!(w.run("default/a"), "");
}

#[test]
fn forever_or_sooner() {
    let mut w = World::<TaintEviction>::new([node(unreachable()), tolerating(None)]);
    assert_eq!(w.run("default/a"), "");
    w.put(tolerating(Some(300)));
    w.run("default/a");
    w.put(tolerating(Some(60)));
    w.now = at(10);
    expect![[r#"
        # taint.cancel pod=default/a why=sooner
        # taint.wait pod=default/a node=node-1 seconds=60
        event Normal TaintManagerEviction a: Cancelling deletion of Pod default/a
        requeue after 50s
    "#]]
    .assert_eq(&w.run("default/a"));
}

#[test]
fn only_no_execute_counts() {
    let taints = json!([{"key": "k", "effect": "NoSchedule"}]);
    let mut w = World::<TaintEviction>::new([node(taints), pod("a", None, json!({}))]);
    assert_eq!(w.run("default/a"), "");
}

#[test]
fn pods_on_untainted_nodes_are_not_even_looked_at() {
    let mut w = World::<TaintEviction>::new([node(json!([]))]);
    assert_eq!(w.put(pod("a", None, json!({}))), []);
    assert_eq!(w.put(node(unreachable())).len(), 1);
    assert_eq!(w.delete("v1", "Pod", "default/a").len(), 1);
}
