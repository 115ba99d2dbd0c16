//! The PodScheduled message.

use crate::support::*;
use expect_test::expect;
use scheduler::Config;
use serde_json::json;

fn tainted(name: &str) -> k8s_openapi::api::core::v1::Node {
    node(name, json!({"spec": {"taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]}}))
}

#[test]
fn no_nodes() {
    check(
        world(vec![], vec![pod("p", json!({}))]),
        &Config::default(),
        expect![[r#"
        p: no nodes available to schedule pods
    "#]],
    );
}

#[test]
fn reasons_are_counted_and_sorted_as_text() {
    let nodes = vec![tainted("cp"), node("w1", json!({})), node("w2", json!({}))];
    let big = pod("big", requests(json!({"cpu": "5"})));
    check(
        world(nodes, vec![big]),
        &Config::default(),
        expect![[r#"
        big: 0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.
    "#]],
    );
}

#[test]
fn room_that_equals_hold() {
    let nodes = vec![node("w1", json!({})), node("w2", json!({}))];
    let full = |n: &str| {
        pod(
            &format!("full-{n}"),
            json!({"nodeName": n, "containers": [{"name": "c", "image": "app", "resources": {"requests": {"cpu": "3800m", "memory": "8Gi"}}}]}),
        )
    };
    check(
        world(nodes, vec![full("w1"), full("w2"), pod("p", json!({}))]),
        &Config::default(),
        expect![[r#"
            p: 0/2 nodes are available: 2 Insufficient cpu, 2 Insufficient memory. no new claims to deallocate, preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.
        "#]],
    );
}

#[test]
fn twelve_nodes_sort_before_two() {
    let mut nodes: Vec<_> = (0..12).map(|i| node(&format!("w{i}"), json!({}))).collect();
    nodes.extend([tainted("cp1"), tainted("cp2")]);
    check(
        world(nodes, vec![pod("big", requests(json!({"cpu": "5"})))]),
        &Config::default(),
        expect![[r#"
        big: 0/14 nodes are available: 12 Insufficient cpu, 2 node(s) had untolerated taint(s). no new claims to deallocate, preemption: 0/14 nodes are available: 14 Preemption is not helpful for scheduling.
    "#]],
    );
}

#[test]
fn a_prefilter_refusal_is_the_whole_reason() {
    let term = |name: &str| json!({"key": "metadata.name", "operator": "In", "values": [name]});
    let affinity = json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{"matchFields": [term("a"), term("b")]}]}}}});
    let nodes = vec![node("a", json!({})), node("b", json!({}))];
    check(
        world(nodes, vec![pod("p", affinity)]),
        &Config::default(),
        expect![[r#"
        p: 0/2 nodes are available: pod affinity terms conflict. not found
    "#]],
    );
}

#[test]
fn nodes_that_a_prefilter_left_out_count_too() {
    let affinity = json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["a"]}]}]}}}});
    let nodes = vec![tainted("a"), node("b", json!({})), node("c", json!({}))];
    check(
        world(nodes, vec![pod("daemon", affinity)]),
        &Config::default(),
        expect![[r#"
        daemon: 0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) didn't satisfy plugin(s) [NodeAffinity]. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.
    "#]],
    );
}

#[test]
fn without_postfilter_plugins_nothing_is_said_of_preemption() {
    let config = only(&["NodeResourcesFit"], json!([]));
    check(
        world(vec![node("a", json!({}))], vec![pod("p", requests(json!({"cpu": "5"})))]),
        &config,
        expect![[r#"
        p: 0/1 nodes are available: 1 Insufficient cpu.
    "#]],
    );
}

#[test]
fn gates_and_strangers() {
    let pods = vec![
        pod("gated", json!({"schedulingGates": [{"name": "example.com/a"}]})),
        pod("foreign", json!({"schedulerName": "other"})),
    ];
    check(
        world(vec![node("a", json!({}))], pods),
        &Config::default(),
        expect![[r#"
        gated: Scheduling is blocked due to non-empty scheduling gates
        foreign: profile not found for scheduler name "other"
    "#]],
    );
}
