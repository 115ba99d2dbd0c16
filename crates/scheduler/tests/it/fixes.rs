//! Edits that make a pod fit, found and proved.

use crate::support::*;
use expect_test::{Expect, expect};
use scheduler::{Config, World, fixes, whatif_moment};
use serde_json::json;

/// One line per fix: cost, the edits with their notes, and where the pod lands.
fn check_fixes(world: World, classes: &[(String, i32)], expect: Expect) {
    let moment =
        whatif_moment(world, &Config::default(), 1, None, &"default/p".into()).expect("sound").expect("a moment");
    let found = fixes::search(&moment, classes);
    let mut text = String::new();
    for f in &found.fixes {
        let edits: Vec<String> = f
            .fix
            .edits
            .iter()
            .map(|e| {
                let args: Vec<String> = e.note.args.iter().map(|(n, v)| format!("{n}={v}")).collect();
                format!("{} {} ({} {})", e.note.code, args.join(" "), e.kind, e.path)
            })
            .collect();
        let victims: Vec<&str> = f.fix.victims.iter().map(|v| v.name.as_str()).collect();
        let victims = if victims.is_empty() { String::new() } else { format!(" victims {victims:?}") };
        text += &format!("{} {} -> {}{victims}\n", f.fix.cost, edits.join(" + "), f.fix.node);
    }
    expect.assert_eq(&text);
}

fn tainted(name: &str) -> k8s_openapi::api::core::v1::Node {
    node(name, json!({"spec": {"taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]}}))
}

#[test]
fn a_taint_is_tolerated_or_taken_away() {
    check_fixes(
        world(vec![tainted("a")], vec![pod("p", json!({}))]),
        &[],
        expect![[r#"
            2 fix.tolerate taint=gpu=yes:NoSchedule (Pod spec.tolerations) -> a
            5 fix.untaint node=a taint=gpu=yes:NoSchedule (Node spec.taints) -> a
            9 fix.add-node cpu=4 memory=8Gi pods=110 (Node ) -> node-1
        "#]],
    );
}

#[test]
fn a_request_is_lowered_to_the_most_that_fits() {
    let filler = pod("f", json!({"nodeName": "a", "containers": requests(json!({"cpu": "1500m"}))["containers"]}));
    let p = pod("p", requests(json!({"cpu": "3", "memory": "1Gi"})));
    check_fixes(
        world(vec![node("a", json!({}))], vec![filler, p]),
        &[("high".into(), 1000)],
        expect![[r#"
            4 fix.request resource=cpu was=3 to=2500m container=c (Pod spec.containers[0].resources) -> a
            7 fix.priority class=high value=1000 (Pod spec.priorityClassName) -> a victims ["f"]
            9 fix.add-node cpu=4 memory=8Gi pods=110 (Node ) -> node-1
        "#]],
    );
}

#[test]
fn what_does_not_help_alone_is_tried_in_pairs() {
    let a = node("a", json!({"metadata": {"labels": {"disk": "hdd"}}, "spec": {"unschedulable": true}}));
    let p = pod("p", json!({"nodeSelector": {"disk": "ssd"}}));
    check_fixes(
        world(vec![a], vec![p]),
        &[],
        expect![[r#"
            5 fix.selector-change key=disk was=ssd value=hdd (Pod spec.nodeSelector) + fix.uncordon node=a (Node spec.unschedulable) -> a
            6 fix.selector-drop key=disk value=ssd (Pod spec.nodeSelector) + fix.uncordon node=a (Node spec.unschedulable) -> a
            7 fix.label node=a key=disk value=ssd (Node metadata.labels) + fix.uncordon node=a (Node spec.unschedulable) -> a
            12 fix.add-node cpu=4 memory=8Gi pods=110 (Node ) + fix.selector-drop key=disk value=ssd (Pod spec.nodeSelector) -> node-1
        "#]],
    );
}

#[test]
fn gates_spread_ports_and_anti_affinity() {
    let gated = pod("p", json!({"schedulingGates": [{"name": "example.com/wait"}]}));
    check_fixes(
        world(vec![node("a", json!({}))], vec![gated]),
        &[],
        expect![[r#"
        1 fix.ungate gates=example.com/wait (Pod spec.schedulingGates) -> a
    "#]],
    );
    let port = json!({"containers": [{"name": "c", "image": "app", "ports": [{"containerPort": 80, "hostPort": 80}]}]});
    let mut taken = port.clone();
    merge(&mut taken, &json!({"nodeName": "a"}));
    check_fixes(
        world(vec![node("a", json!({}))], vec![pod("q", taken), pod("p", port)]),
        &[],
        expect![[r#"
            3 fix.host-port port=80 container=c (Pod spec.containers[0].ports[0]) -> a
            8 fix.priority-new class=priority-1 value=1 (Pod spec.priorityClassName) -> a victims ["q"]
            9 fix.add-node cpu=4 memory=8Gi pods=110 (Node ) -> node-1
        "#]],
    );
    let anti = json!({"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"topologyKey": "kubernetes.io/hostname", "labelSelector": {}}]}}});
    check_fixes(
        world(vec![node("a", json!({}))], vec![pod("q", json!({"nodeName": "a"})), pod("p", anti)]),
        &[],
        expect![[r#"
            4 fix.pod-anti-affinity-drop term=1 key=kubernetes.io/hostname (Pod spec.affinity.podAntiAffinity) -> a
            8 fix.priority-new class=priority-1 value=1 (Pod spec.priorityClassName) -> a victims ["q"]
            9 fix.add-node cpu=4 memory=8Gi pods=110 (Node ) -> node-1
        "#]],
    );
}
