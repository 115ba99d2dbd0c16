//! Victims and candidates.

use crate::support::*;
use expect_test::expect;
use k8s_openapi::api::core::v1::Pod;
use scheduler::Config;
use serde_json::{Value, json};

fn running(name: &str, on: &str, priority: i32, cpu: &str, start: &str) -> Pod {
    let mut spec = requests(json!({"cpu": cpu}));
    merge(&mut spec, &json!({"nodeName": on, "priority": priority}));
    let mut p = serde_json::to_value(pod(name, spec)).expect("json");
    merge(&mut p, &json!({"metadata": {"labels": {"app": name}}, "status": {"phase": "Running", "startTime": start}}));
    serde_json::from_value(p).expect("a pod")
}

fn wanting(cpu: &str, more: Value) -> Pod {
    let mut spec = requests(json!({"cpu": cpu}));
    merge(&mut spec, &json!({"priority": 100}));
    merge(&mut spec, &more);
    pod("p", spec)
}

const EARLY: &str = "2026-01-01T00:00:00Z";
const LATE: &str = "2026-01-02T00:00:00Z";

#[test]
fn spares_the_important_and_the_old() {
    let pods = vec![
        running("low-old", "a", 10, "1", EARLY),
        running("low-new", "a", 10, "1", LATE),
        running("mid", "a", 50, "1", EARLY),
        running("high", "a", 200, "1", EARLY),
        wanting("1", json!({})),
    ];
    check(
        world(vec![node("a", json!({}))], pods),
        &Config::default(),
        expect![[r#"
        p: 0/1 nodes are available: 1 Insufficient cpu. [nominated a, victims ["low-new"]]
    "#]],
    );
}

#[test]
fn prefers_the_node_with_the_lowest_victims() {
    let nodes = vec![node("a", json!({})), node("b", json!({})), node("c", json!({}))];
    let pods = vec![
        running("a1", "a", 20, "4", EARLY),
        running("b1", "b", 10, "2", EARLY),
        running("b2", "b", 10, "2", EARLY),
        running("c1", "c", 10, "4", EARLY),
        wanting("4", json!({})),
    ];
    check(
        world(nodes, pods),
        &Config::default(),
        expect![[r#"
        p: 0/3 nodes are available: 3 Insufficient cpu. [nominated c, victims ["c1"]]
    "#]],
    );
}

#[test]
fn never_and_nobody_lower() {
    let pods = vec![running("a1", "a", 10, "4", EARLY), wanting("1", json!({"preemptionPolicy": "Never"}))];
    check(
        world(vec![node("a", json!({}))], pods),
        &Config::default(),
        expect![[r#"
        p: 0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.
    "#]],
    );
    let pods = vec![running("a1", "a", 100, "4", EARLY), wanting("1", json!({}))];
    check(
        world(vec![node("a", json!({}))], pods),
        &Config::default(),
        expect![[r#"
        p: 0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.
    "#]],
    );
}

#[test]
fn budgets_are_respected_where_possible() {
    let pdb = json!({"metadata": {"name": "b", "namespace": "default"},
        "spec": {"selector": {"matchLabels": {"app": "guarded"}}}, "status": {
            "disruptionsAllowed": 0, "currentHealthy": 1, "desiredHealthy": 1, "expectedPods": 1}});
    let pods =
        vec![running("guarded", "a", 0, "4", EARLY), running("free", "b", 5, "4", EARLY), wanting("1", json!({}))];
    let mut w = world(vec![node("a", json!({})), node("b", json!({}))], pods);
    w.pod_disruption_budgets = vec![serde_json::from_value(pdb).expect("a budget")];
    check(
        w,
        &Config::default(),
        expect![[r#"
        p: 0/2 nodes are available: 2 Insufficient cpu. [nominated b, victims ["free"]]
    "#]],
    );
}

#[test]
fn the_nominated_pod_keeps_its_place() {
    let pods = vec![running("a1", "a", 10, "4", EARLY), wanting("4", json!({})), pod("later", json!({"priority": 50}))];
    check(
        world(vec![node("a", json!({}))], pods),
        &Config::default(),
        expect![[r#"
        p: 0/1 nodes are available: 1 Insufficient cpu. [nominated a, victims ["a1"]]
        later: 0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Insufficient cpu.
    "#]],
    );
}

#[test]
fn the_rule_that_chose_is_told() {
    let rule = |pods: Vec<Pod>, nodes: &[&str]| {
        let mut pods = pods;
        pods.push(wanting("4", json!({})));
        let nodes = nodes.iter().map(|n| node(n, json!({}))).collect();
        let cycles = run(world(nodes, pods), &Config::default());
        cycles[0].preemption.clone().expect("candidates").rule
    };
    let one = |name: &str, on: &str, priority, start| running(name, on, priority, "4", start);
    assert_eq!(rule(vec![one("x", "a", 1, EARLY)], &["a"]), "only");
    assert_eq!(rule(vec![one("x", "a", 1, EARLY), one("y", "b", 2, EARLY)], &["a", "b"]), "highest-priority");
    let halves = vec![running("x", "a", 1, "2", EARLY), running("y", "a", 1, "2", EARLY), one("z", "b", 1, EARLY)];
    assert_eq!(rule(halves, &["a", "b"]), "priority-sum");
    assert_eq!(rule(vec![one("x", "a", 1, EARLY), one("y", "b", 1, LATE)], &["a", "b"]), "latest-start");
    assert_eq!(rule(vec![one("x", "a", 1, EARLY), one("y", "b", 1, EARLY)], &["a", "b"]), "first");
}

#[test]
fn what_the_rules_compared_is_told() {
    let one = |name: &str, on: &str, priority, start| running(name, on, priority, "4", start);
    let mut pods = vec![
        one("a1", "a", 7, EARLY),
        one("b1", "b", 7, LATE),
        one("c1", "c", 9, EARLY),
        one("kept", "d", 1, EARLY),
        wanting("4", json!({})),
    ];
    pods.push(running("far-too-important", "e", 200, "4", EARLY));
    let mut w = world(["a", "b", "c", "d", "e"].map(|n| node(n, json!({}))).to_vec(), pods);
    w.pod_disruption_budgets.push(
        serde_json::from_value(json!({"metadata": {"name": "kept", "namespace": "default"},
            "spec": {"selector": {"matchLabels": {"app": "kept"}}}, "status": {"disruptionsAllowed": 0}}))
        .expect("a budget"),
    );
    let p = run(w, &Config::default())[0].preemption.clone().expect("candidates");
    let mut text = format!("{} of {} nodes tried\n", p.tried_nodes, p.potential_nodes);
    for r in &p.rules {
        text += &format!("{}: {:?} against {:?}, {} of {} left\n", r.rule, r.best, r.next, r.left, r.before);
    }
    let mut candidates = p.candidates;
    candidates.sort_by(|a, b| a.node.cmp(&b.node));
    for c in &candidates {
        let v = &c.victims[0];
        text +=
            &format!("{} out by {:?}: {} priority {} violates {}\n", c.node, c.out_by, v.name, v.priority, v.violates);
    }
    expect![[r#"
        5 of 5 nodes tried
        pdb-violations: "0" against "1", 3 of 4 left
        highest-priority: "7" against "9", 2 of 3 left
        priority-sum: "2147483655" against "", 2 of 2 left
        victim-count: "1" against "", 2 of 2 left
        latest-start: "2026-01-02T00:00:00Z" against "2026-01-01T00:00:00Z", 1 of 2 left
        a out by "latest-start": a1 priority 7 violates false
        b out by "": b1 priority 7 violates false
        c out by "highest-priority": c1 priority 9 violates false
        d out by "pdb-violations": kept priority 1 violates true
    "#]]
    .assert_eq(&text);
}
