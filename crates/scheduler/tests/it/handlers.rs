//! What changes of objects do to the pods that wait. Models `pkg/scheduler/eventhandlers_test.go` and the node cases of
//! `framework/events_test.go`.

use crate::component::Lab;
use crate::support::*;
use k8s_openapi::api::core::v1::{Node, Pod};
use serde_json::{Value, json};

/// A pod of 4 CPU with this priority, nominated to `on` unless that is empty.
fn wanting(name: &str, priority: i32, on: &str) -> Pod {
    let mut spec = requests(json!({"cpu": "4"}));
    merge(&mut spec, &json!({"priority": priority}));
    let mut p = pod(name, spec);
    if !on.is_empty() {
        p.status = serde_json::from_value(json!({"nominatedNodeName": on})).expect("a status");
    }
    p
}

/// Two nodes that are full of pods that nobody may evict, and four pods that wait; one of them is nominated.
fn four() -> Lab {
    let mut lab = Lab::new();
    for n in ["node1", "node2"] {
        lab.put(node(n, json!({})));
        let mut full = requests(json!({"cpu": "4"}));
        merge(&mut full, &json!({"nodeName": n, "priority": 100_000}));
        lab.put(pod(&format!("full-{n}"), full));
    }
    for p in [wanting("hpp", 1000, ""), wanting("mpp", 100, "node1"), wanting("smpp", 100, ""), wanting("lpp", 0, "")] {
        lab.put(p);
        lab.step();
    }
    assert_eq!(lab.queued(), "", "all were refused");
    lab
}

#[test]
fn room_that_was_promised_and_is_not_any_more_is_for_those_not_more_important() {
    for to in ["node2", ""] {
        let mut lab = four();
        lab.put(wanting("mpp", 100, to));
        assert_eq!(lab.queued(), "lpp mpp smpp", "nominated to {to:?} now");
    }
    let mut lab = four();
    lab.delete::<Pod>("default/mpp");
    assert_eq!(lab.queued(), "lpp smpp", "deleted");
}

#[test]
fn a_new_promise_and_a_waiting_pod_that_goes_wake_nobody() {
    let mut lab = four();
    lab.put(wanting("hpp", 1000, "node2"));
    assert_eq!(lab.queued(), "");
    lab.delete::<Pod>("default/lpp");
    assert_eq!(lab.queued(), "");
}

/// The scheduler nominated the pod; an update from before that was written must not take the promise back.
#[test]
fn an_older_update_leaves_the_promise() {
    let mut lab = Lab::new();
    lab.put(node("n1", json!({})));
    let mut low = requests(json!({"cpu": "4"}));
    merge(&mut low, &json!({"nodeName": "n1", "priority": 1}));
    lab.put(pod("low", low));
    lab.put(wanting("high", 9, ""));
    assert!(lab.step().contains("\"nominatedNodeName\":\"n1\""));
    let mut relabelled = wanting("high", 9, "");
    relabelled.metadata.labels = Some([("a".to_string(), "b".to_string())].into());
    lab.put(relabelled);
    lab.delete::<Pod>("default/low");
    // Less important and smaller: it would fit, were the room not promised.
    lab.put(pod("small", json!({})));
    let small = lab.scheduler.explain(&pod("small", json!({}))).expect("a decision");
    assert_eq!(small.node, None, "{}", small.message);
    // Written and taken back, the promise is over.
    lab.put(wanting("high", 9, "n1"));
    lab.put(wanting("high", 9, ""));
    let small = lab.scheduler.explain(&pod("small", json!({}))).expect("a decision");
    assert_eq!(small.node.as_deref(), Some("n1"));
}

/// A pod whose volumes are being bound has its room; when it is to be deleted, others get it.
#[test]
fn an_assumed_pod_that_is_to_be_deleted_gives_its_room_back() {
    let mut lab = Lab::new();
    lab.put(node("n1", json!({})));
    lab.put(crate::volumes::class("wait", "WaitForFirstConsumer", "example.com/disks"));
    lab.put(crate::volumes::claim("data", "wait", json!({})));
    let mut spec = requests(json!({"cpu": "4"}));
    merge(&mut spec, &crate::volumes::mounts(&["data"]));
    let waiting = pod("first", spec);
    lab.put(waiting.clone());
    assert!(lab.step().contains("selected-node"), "its volume is asked for");
    lab.put(wanting("second", 0, ""));
    assert!(lab.step().contains("FailedScheduling second"));
    let mut leaving = waiting;
    leaving.metadata.deletion_timestamp = Some(lab.now.to_k8s());
    lab.put(leaving);
    assert_eq!(lab.queued(), "second");
    assert!(lab.step().starts_with("bind default/second -> n1"));
}

/// Volumes may take their time: meanwhile the pod's status says where it will go, and no more when they do not come.
#[test]
fn a_pod_that_waits_for_its_volumes_says_where_it_goes() {
    let mut lab = Lab::new();
    lab.put(node("n1", json!({})));
    lab.put(crate::volumes::class("wait", "WaitForFirstConsumer", "example.com/disks"));
    lab.put(crate::volumes::claim("data", "wait", json!({})));
    let mut waiting = pod("p", crate::volumes::mounts(&["data"]));
    lab.put(waiting.clone());
    let step = lab.step();
    assert!(step.starts_with("patch pods default/p status {\"status\":{\"nominatedNodeName\":\"n1\"}}\n"), "{step}");
    assert!(step.contains("selected-node"), "{step}");
    waiting.status = serde_json::from_value(json!({"nominatedNodeName": "n1"})).expect("a status");
    lab.put(waiting);
    assert_eq!(lab.step(), "idle\n");
    lab.now += meta::Duration::from_secs(601);
    let step = lab.step();
    assert!(
        step.contains("running PreBind plugin \"VolumeBinding\": binding volumes: context deadline exceeded"),
        "{step}"
    );
    assert!(step.contains("\"nominatedNodeName\":null"), "{step}");
}

/// Whether a pod that has to spread over a label, and found no node with it, is tried again when the node changes so.
fn wakes(old: Value, new: Value) -> bool {
    let mut lab = Lab::new();
    lab.put(node("n1", old));
    let spread = json!({"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "rack",
        "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}}]});
    lab.put(pod("p", spread));
    assert!(lab.step().contains("FailedScheduling"));
    lab.put(node("n1", new));
    lab.queued() == "p"
}

#[test]
fn changes_of_a_node_that_pods_hear_of() {
    let rack = json!({"metadata": {"labels": {"rack": "a"}}});
    assert!(wakes(json!({}), rack), "the label that was missing");
    assert!(!wakes(json!({}), json!({})));
    let heart = |status: &str, at: u32| json!({"status": {"conditions": [{"type": "Ready", "status": status, "lastHeartbeatTime": format!("2026-01-01T00:00:{at:02}Z")}]}});
    assert!(!wakes(heart("True", 1), heart("True", 2)), "a heartbeat");
    assert!(!wakes(json!({}), json!({"spec": {"unschedulable": true}})), "a cordon");
}

#[test]
fn a_node_that_is_gone_helps_those_that_spread_over_it() {
    let mut lab = Lab::new();
    for (name, rack) in [("n1", "a"), ("n2", "b")] {
        lab.put(node(name, json!({"metadata": {"labels": {"rack": rack}}, "spec": {"unschedulable": rack == "b"}})));
    }
    lab.put(pod("there", json!({"nodeName": "n1"})));
    let spread = json!({"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "rack",
        "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}}]});
    lab.put(pod("p", spread));
    assert!(lab.step().contains("FailedScheduling"));
    lab.delete::<Node>("n2");
    assert_eq!(lab.queued(), "p");
}

/// A more important pod takes the node that another was promised: that one looks for a place again.
#[test]
fn a_preemptor_takes_the_promise_of_less_important_pods() {
    let mut lab = Lab::new();
    lab.put(node("n1", json!({})));
    let mut low = requests(json!({"cpu": "4"}));
    merge(&mut low, &json!({"nodeName": "n1", "priority": 1}));
    lab.put(pod("low", low));
    lab.put(wanting("middle", 5, "n1"));
    lab.put(wanting("high", 9, ""));
    let step = lab.step();
    assert!(
        step.starts_with(
            "patch pods default/middle status {\"status\":{\"nominatedNodeName\":null}}\npatch pods default/low"
        ),
        "{step}"
    );
    assert!(step.contains("Preempted by pod high on node n1"), "{step}");
    // When that is written, it is tried again.
    assert!(lab.step().contains("FailedScheduling middle"));
    lab.put(wanting("middle", 5, ""));
    assert_eq!(lab.queued(), "middle");
}
