//! Filter plugins, one at a time.

use crate::support::*;
use expect_test::expect;
use serde_json::{Value, json};

#[test]
fn node_unschedulable() {
    let nodes = || vec![node("cordoned", json!({"spec": {"unschedulable": true}})), node("open", json!({}))];
    let config = only(&["NodeUnschedulable", "ImageLocality"], json!([]));
    check_filters(
        world(nodes(), vec![pod("p", json!({}))]),
        &config,
        expect![[r#"
        cordoned: NodeUnschedulable Unresolvable ["node(s) were unschedulable"]
        open: pass
    "#]],
    );
    let tolerant = json!({"tolerations": [{"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"}]});
    check_filters(
        world(nodes(), vec![pod("p", tolerant)]),
        &config,
        expect![[r#"
        cordoned: pass
        open: pass
    "#]],
    );
}

#[test]
fn taint_toleration() {
    let taint = |k: &str, v: &str, e: &str| json!({"spec": {"taints": [{"key": k, "value": v, "effect": e}]}});
    let nodes = || {
        vec![
            node("dedicated", taint("dedicated", "user1", "NoSchedule")),
            node("leaving", taint("dedicated", "user1", "NoExecute")),
            node("soft", taint("dedicated", "user1", "PreferNoSchedule")),
            node("plain", json!({})),
        ]
    };
    let config = only(&["TaintToleration"], json!([]));
    let with = |t: Value| world(nodes(), vec![pod("p", json!({"tolerations": t}))]);
    check_filters(
        with(json!([])),
        &config,
        expect![[r#"
        dedicated: TaintToleration Unresolvable ["node(s) had untolerated taint(s)"]
        leaving: TaintToleration Unresolvable ["node(s) had untolerated taint(s)"]
        soft: pass
        plain: pass
    "#]],
    );
    // The wrong value, then the right one for one effect, then any value and effect.
    check_filters(
        with(json!([{"key": "dedicated", "value": "user2"}])),
        &config,
        expect![[r#"
        dedicated: TaintToleration Unresolvable ["node(s) had untolerated taint(s)"]
        leaving: TaintToleration Unresolvable ["node(s) had untolerated taint(s)"]
        soft: pass
        plain: pass
    "#]],
    );
    check_filters(
        with(json!([{"key": "dedicated", "value": "user1", "effect": "NoSchedule"}])),
        &config,
        expect![[r#"
        dedicated: pass
        leaving: TaintToleration Unresolvable ["node(s) had untolerated taint(s)"]
        soft: pass
        plain: pass
    "#]],
    );
    check_filters(
        with(json!([{"operator": "Exists"}])),
        &config,
        expect![[r#"
        dedicated: pass
        leaving: pass
        soft: pass
        plain: pass
    "#]],
    );
}

#[test]
fn node_affinity() {
    let nodes = || {
        vec![
            node("ssd", json!({"metadata": {"labels": {"disk": "ssd", "gen": "7"}}})),
            node("hdd", json!({"metadata": {"labels": {"disk": "hdd", "gen": "3"}}})),
            node("none", json!({})),
        ]
    };
    let config = only(&["NodeAffinity"], json!([]));
    let required = |terms: Value| {
        let required = json!({"nodeSelectorTerms": terms});
        json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}})
    };
    let go = |spec: Value, e: expect_test::Expect| check_filters(world(nodes(), vec![pod("p", spec)]), &config, e);
    let expr = |k: &str, op: &str, v: Value| json!([{"matchExpressions": [{"key": k, "operator": op, "values": v}]}]);
    go(
        json!({}),
        expect![[r#"
        PreFilter NodeAffinity Skip [] None
        ssd: pass
        hdd: pass
        none: pass
    "#]],
    );
    go(
        json!({"nodeSelector": {"disk": "ssd"}}),
        expect![[r#"
        ssd: pass
        hdd: NodeAffinity Unresolvable ["node(s) didn't match Pod's node affinity/selector"]
        none: NodeAffinity Unresolvable ["node(s) didn't match Pod's node affinity/selector"]
    "#]],
    );
    go(
        required(expr("disk", "NotIn", json!(["ssd"]))),
        expect![[r#"
        ssd: NodeAffinity Unresolvable ["node(s) didn't match Pod's node affinity/selector"]
        hdd: pass
        none: pass
    "#]],
    );
    go(
        required(expr("gen", "Gt", json!(["5"]))),
        expect![[r#"
        ssd: pass
        hdd: NodeAffinity Unresolvable ["node(s) didn't match Pod's node affinity/selector"]
        none: NodeAffinity Unresolvable ["node(s) didn't match Pod's node affinity/selector"]
    "#]],
    );
    // An empty term and one that cannot be read match nothing.
    go(
        required(json!([{}])),
        expect![[r#"
        ssd: NodeAffinity Unresolvable ["node(s) didn't match Pod's node affinity/selector"]
        hdd: NodeAffinity Unresolvable ["node(s) didn't match Pod's node affinity/selector"]
        none: NodeAffinity Unresolvable ["node(s) didn't match Pod's node affinity/selector"]
    "#]],
    );
    go(
        required(expr("gen", "Gt", json!(["five"]))),
        expect![[r#"
        ssd: NodeAffinity Unresolvable ["node(s) didn't match Pod's node affinity/selector"]
        hdd: NodeAffinity Unresolvable ["node(s) didn't match Pod's node affinity/selector"]
        none: NodeAffinity Unresolvable ["node(s) didn't match Pod's node affinity/selector"]
    "#]],
    );
    // Terms are alternatives.
    go(
        required(json!([
            {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["tape"]}]},
            {"matchExpressions": [{"key": "disk", "operator": "DoesNotExist"}]},
        ])),
        expect![[r#"
            ssd: NodeAffinity Unresolvable ["node(s) didn't match Pod's node affinity/selector"]
            hdd: NodeAffinity Unresolvable ["node(s) didn't match Pod's node affinity/selector"]
            none: pass
        "#]],
    );
    // Both the selector and the affinity must hold.
    let mut both = required(expr("gen", "Exists", json!(null)));
    merge(&mut both, &json!({"nodeSelector": {"disk": "hdd"}}));
    go(
        both,
        expect![[r#"
        ssd: NodeAffinity Unresolvable ["node(s) didn't match Pod's node affinity/selector"]
        hdd: pass
        none: NodeAffinity Unresolvable ["node(s) didn't match Pod's node affinity/selector"]
    "#]],
    );
    go(
        required(json!([{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["hdd"]}]}])),
        expect![[r#"
            PreFilter NodeAffinity Pass [] Some(["hdd"])
            hdd: pass
            ssd: NodeAffinity Unresolvable ["node(s) didn't satisfy plugin(s) [NodeAffinity]"]
            none: NodeAffinity Unresolvable ["node(s) didn't satisfy plugin(s) [NodeAffinity]"]
        "#]],
    );
}

#[test]
fn added_affinity() {
    let added = json!([{"name": "NodeAffinity", "args": {"addedAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "pool", "operator": "In", "values": ["team"]}]}]}}}}]);
    let nodes = vec![node("team", json!({"metadata": {"labels": {"pool": "team"}}})), node("other", json!({}))];
    check_filters(
        world(nodes, vec![pod("p", json!({}))]),
        &only(&["NodeAffinity", "ImageLocality"], added),
        expect![[r#"
        team: pass
        other: NodeAffinity Unresolvable ["node(s) didn't match scheduler-enforced node affinity"]
    "#]],
    );
}

#[test]
fn node_ports() {
    let port = |ip: &str, protocol: &str, n: i32| json!({"containers": [{"name": "c", "image": "app", "ports": [{"containerPort": 80, "hostPort": n, "hostIP": ip, "protocol": protocol}]}]});
    let config = only(&["NodePorts"], json!([]));
    let go = |used: Value, wanted: Value, e: expect_test::Expect| {
        let mut used = used;
        merge(&mut used, &json!({"nodeName": "n"}));
        let pods = vec![pod("used", used), pod("p", wanted)];
        check_filters(world(vec![node("n", json!({}))], pods), &config, e);
    };
    go(
        port("", "TCP", 8080),
        json!({}),
        expect![[r#"
        PreFilter NodePorts Skip [] None
        n: pass
    "#]],
    );
    go(
        port("", "TCP", 8080),
        port("127.0.0.1", "TCP", 8080),
        expect![[r#"
        n: NodePorts Unschedulable ["node(s) didn't have free ports for the requested pod ports"]
    "#]],
    );
    go(
        port("127.0.0.1", "TCP", 8080),
        port("127.0.0.2", "TCP", 8080),
        expect![[r#"
        n: pass
    "#]],
    );
    go(
        port("0.0.0.0", "UDP", 8080),
        port("", "TCP", 8080),
        expect![[r#"
        n: pass
    "#]],
    );
}

#[test]
fn node_resources_fit() {
    let config = only(&["NodeResourcesFit"], json!([]));
    let go = |allocatable: Value, used: Value, spec: Value, e: expect_test::Expect| {
        let mut used = requests(used);
        merge(&mut used, &json!({"nodeName": "n"}));
        let n = node("n", json!({"status": {"allocatable": allocatable}}));
        check_filters(world(vec![n], vec![pod("used", used), pod("p", spec)]), &config, e);
    };
    go(
        json!({}),
        json!({"cpu": "4"}),
        requests(json!({})),
        expect![[r#"
        n: pass
    "#]],
    );
    go(
        json!({}),
        json!({"cpu": "3900m", "memory": "8000Mi"}),
        requests(json!({"cpu": "200m", "memory": "1Gi"})),
        expect![[r#"
        n: NodeResourcesFit Unschedulable ["Insufficient cpu", "Insufficient memory"]
    "#]],
    );
    // More than the whole node: preemption cannot help.
    go(
        json!({}),
        json!({}),
        requests(json!({"cpu": "8", "memory": "1Gi"})),
        expect![[r#"
        n: NodeResourcesFit Unresolvable ["Insufficient cpu"]
    "#]],
    );
    go(
        json!({"pods": "1"}),
        json!({}),
        requests(json!({"cpu": "5", "ephemeral-storage": "1Gi"})),
        expect![[r#"
        n: NodeResourcesFit Unresolvable ["Too many pods", "Insufficient cpu", "Insufficient ephemeral-storage"]
    "#]],
    );
    go(
        json!({"example.com/gpu": "2"}),
        json!({"example.com/gpu": "1"}),
        requests(json!({"example.com/gpu": "2"})),
        expect![[r#"
        n: NodeResourcesFit Unschedulable ["Insufficient example.com/gpu"]
    "#]],
    );
    // Init containers are a floor, sidecars add up, overhead comes on top.
    let c = |name: &str, cpu: &str, restart: Value| json!({"name": name, "image": "app", "restartPolicy": restart, "resources": {"requests": {"cpu": cpu}}});
    let sidecars = |overhead: &str| {
        json!({
            "initContainers": [c("side", "1", json!("Always")), c("init", "2900m", json!(null))],
            "containers": [c("main", "1", json!(null))],
            "overhead": {"cpu": overhead},
        })
    };
    go(
        json!({}),
        json!({}),
        sidecars("100m"),
        expect![[r#"
        n: pass
    "#]],
    );
    go(
        json!({}),
        json!({}),
        sidecars("101m"),
        expect![[r#"
        n: NodeResourcesFit Unresolvable ["Insufficient cpu"]
    "#]],
    );
    // Pod-level requests replace the containers' sum.
    let mut pod_level = requests(json!({"cpu": "8"}));
    merge(&mut pod_level, &json!({"resources": {"requests": {"cpu": "2"}}}));
    go(
        json!({}),
        json!({}),
        pod_level,
        expect![[r#"
        n: pass
    "#]],
    );
}

#[test]
fn ignored_extended_resources() {
    let args = json!([{"name": "NodeResourcesFit", "args": {"ignoredResources": ["example.com/aa"], "ignoredResourceGroups": ["b.example.com"]}}]);
    let config = only(&["NodeResourcesFit"], args);
    let go = |list: Value, e: expect_test::Expect| {
        check_filters(world(vec![node("n", json!({}))], vec![pod("p", requests(list))]), &config, e);
    };
    go(
        json!({"example.com/aa": "1", "b.example.com/x": "2"}),
        expect![[r#"
        n: pass
    "#]],
    );
    go(
        json!({"example.com/bb": "1"}),
        expect![[r#"
        n: NodeResourcesFit Unresolvable ["Insufficient example.com/bb"]
    "#]],
    );
}
