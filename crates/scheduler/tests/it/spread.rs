//! PodTopologySpread and InterPodAffinity.

use crate::support::*;
use expect_test::{Expect, expect};
use k8s_openapi::api::core::v1::{Node, Pod};
use scheduler::{Config, World};
use serde_json::{Value, json};

const ZONE: &str = "topology.kubernetes.io/zone";

fn zones(list: &[(&str, &str)]) -> Vec<Node> {
    list.iter().map(|(n, z)| node(n, json!({"metadata": {"labels": {ZONE: z}}}))).collect()
}

fn four() -> Vec<Node> {
    zones(&[("a1", "a"), ("a2", "a"), ("b1", "b"), ("b2", "b")])
}

fn labelled(name: &str, labels: Value, spec: Value) -> Pod {
    let mut p = serde_json::to_value(pod(name, spec)).expect("json");
    merge(&mut p, &json!({"metadata": {"labels": labels}}));
    serde_json::from_value(p).expect("a pod")
}

fn on(name: &str, node: &str) -> Pod {
    labelled(name, json!({"app": "web"}), json!({"nodeName": node}))
}

fn constraint(skew: i32, key: &str, when: &str) -> Value {
    json!({"maxSkew": skew, "topologyKey": key, "whenUnsatisfiable": when, "labelSelector": {"matchLabels": {"app": "web"}}})
}

fn spreading(constraints: Value) -> Pod {
    labelled("p", json!({"app": "web"}), json!({"topologySpreadConstraints": constraints}))
}

fn filters(pods: Vec<Pod>, e: Expect) {
    check_filters(
        world(four(), pods),
        &only(&["PodTopologySpread", "InterPodAffinity", "ImageLocality"], json!([])),
        e,
    );
}

#[test]
fn hard_spread() {
    let hard = |skew| spreading(json!([constraint(skew, ZONE, "DoNotSchedule")]));
    filters(
        vec![on("x", "a1"), hard(1)],
        expect![[r#"
        PreFilter InterPodAffinity Skip [] None
        a1: PodTopologySpread Unschedulable ["node(s) didn't match pod topology spread constraints"]
        b1: pass
        a2: PodTopologySpread Unschedulable ["node(s) didn't match pod topology spread constraints"]
        b2: pass
    "#]],
    );
    filters(
        vec![on("x", "a1"), on("y", "a2"), on("z", "b1"), hard(1)],
        expect![[r#"
        PreFilter InterPodAffinity Skip [] None
        a1: PodTopologySpread Unschedulable ["node(s) didn't match pod topology spread constraints"]
        b1: pass
        a2: PodTopologySpread Unschedulable ["node(s) didn't match pod topology spread constraints"]
        b2: pass
    "#]],
    );
    filters(
        vec![on("x", "a1"), hard(2)],
        expect![[r#"
        PreFilter InterPodAffinity Skip [] None
        a1: pass
        b1: pass
        a2: pass
        b2: pass
    "#]],
    );
    // Too few domains: the minimum counts as 0.
    let mut c = constraint(1, ZONE, "DoNotSchedule");
    merge(&mut c, &json!({"minDomains": 3}));
    filters(
        vec![on("x", "a1"), on("y", "b1"), spreading(json!([c]))],
        expect![[r#"
        PreFilter InterPodAffinity Skip [] None
        a1: PodTopologySpread Unschedulable ["node(s) didn't match pod topology spread constraints"]
        b1: PodTopologySpread Unschedulable ["node(s) didn't match pod topology spread constraints"]
        a2: PodTopologySpread Unschedulable ["node(s) didn't match pod topology spread constraints"]
        b2: PodTopologySpread Unschedulable ["node(s) didn't match pod topology spread constraints"]
    "#]],
    );
    // Nodes that the pod cannot go to do not count as domains, unless told so.
    let mut picky = spreading(json!([constraint(1, "kubernetes.io/hostname", "DoNotSchedule")]));
    picky.spec.as_mut().expect("a spec").node_selector = Some([(ZONE.to_string(), "a".to_string())].into());
    filters(
        vec![on("x", "a1"), picky],
        expect![[r#"
        PreFilter InterPodAffinity Skip [] None
        a1: PodTopologySpread Unschedulable ["node(s) didn't match pod topology spread constraints"]
        b1: pass
        a2: pass
        b2: pass
    "#]],
    );
    let missing = spreading(json!([constraint(1, "rack", "DoNotSchedule")]));
    filters(
        vec![missing],
        expect![[r#"
        PreFilter InterPodAffinity Skip [] None
        a1: PodTopologySpread Unresolvable ["node(s) didn't match pod topology spread constraints (missing required label)"]
        b1: PodTopologySpread Unresolvable ["node(s) didn't match pod topology spread constraints (missing required label)"]
        a2: PodTopologySpread Unresolvable ["node(s) didn't match pod topology spread constraints (missing required label)"]
        b2: PodTopologySpread Unresolvable ["node(s) didn't match pod topology spread constraints (missing required label)"]
    "#]],
    );
}

#[test]
fn soft_spread() {
    let config = only(&["PodTopologySpread"], json!([]));
    let soft =
        json!([constraint(1, ZONE, "ScheduleAnyway"), constraint(1, "kubernetes.io/hostname", "ScheduleAnyway")]);
    let pods = vec![on("x", "a1"), on("y", "a1"), on("z", "b1"), spreading(soft)];
    check_scores(
        world(four(), pods),
        &config,
        expect![[r#"
        a1: PodTopologySpread 6/16 x1 = Some(16)
        b1: PodTopologySpread 3/66 x1 = Some(66)
        a2: PodTopologySpread 3/66 x1 = Some(66)
        b2: PodTopologySpread 1/100 x1 = Some(100)
    "#]],
    );
}

#[test]
fn pods_of_a_service_spread_by_default() {
    let service = json!({"metadata": {"name": "web", "namespace": "default"}, "spec": {"selector": {"app": "web"}}});
    let pods = vec![on("x", "a1"), on("y", "a1"), on("z", "b1"), labelled("p", json!({"app": "web"}), json!({}))];
    let w = World { services: vec![serde_json::from_value(service).expect("a service")], ..world(four(), pods) };
    check_scores(
        w,
        &only(&["PodTopologySpread"], json!([])),
        expect![[r#"
        a1: PodTopologySpread 12/58 x1 = Some(58)
        b1: PodTopologySpread 9/83 x1 = Some(83)
        a2: PodTopologySpread 9/83 x1 = Some(83)
        b2: PodTopologySpread 7/100 x1 = Some(100)
    "#]],
    );
}

fn affine(kind: &str, key: &str, label: &str) -> Value {
    let term = json!({"topologyKey": key, "labelSelector": {"matchLabels": {"app": label}}});
    json!({"affinity": {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}})
}

#[test]
fn required_affinity() {
    filters(
        vec![on("x", "a1"), pod("p", affine("podAffinity", ZONE, "web"))],
        expect![[r#"
        PreFilter PodTopologySpread Skip [] None
        a1: pass
        b1: InterPodAffinity Unresolvable ["node(s) didn't match pod affinity rules"]
        a2: pass
        b2: InterPodAffinity Unresolvable ["node(s) didn't match pod affinity rules"]
    "#]],
    );
    filters(
        vec![on("x", "a1"), pod("p", affine("podAffinity", ZONE, "db"))],
        expect![[r#"
        PreFilter PodTopologySpread Skip [] None
        a1: InterPodAffinity Unresolvable ["node(s) didn't match pod affinity rules"]
        b1: InterPodAffinity Unresolvable ["node(s) didn't match pod affinity rules"]
        a2: InterPodAffinity Unresolvable ["node(s) didn't match pod affinity rules"]
        b2: InterPodAffinity Unresolvable ["node(s) didn't match pod affinity rules"]
    "#]],
    );
    // The first of its kind may go anywhere.
    let first = labelled("p", json!({"app": "db"}), affine("podAffinity", ZONE, "db"));
    filters(
        vec![on("x", "a1"), first],
        expect![[r#"
        PreFilter PodTopologySpread Skip [] None
        a1: pass
        b1: pass
        a2: pass
        b2: pass
    "#]],
    );
}

#[test]
fn required_anti_affinity() {
    filters(
        vec![on("x", "a1"), pod("p", affine("podAntiAffinity", "kubernetes.io/hostname", "web"))],
        expect![[r#"
        PreFilter PodTopologySpread Skip [] None
        a1: InterPodAffinity Unschedulable ["node(s) didn't match pod anti-affinity rules"]
        b1: pass
        a2: pass
        b2: pass
    "#]],
    );
    // And the other way round: the one that is there wants to be alone.
    let mut lonely = affine("podAntiAffinity", ZONE, "web");
    merge(&mut lonely, &json!({"nodeName": "b1"}));
    let p = labelled("p", json!({"app": "web"}), json!({}));
    filters(
        vec![labelled("lonely", json!({"app": "db"}), lonely), p],
        expect![[r#"
        PreFilter PodTopologySpread Skip [] None
        a1: pass
        b1: InterPodAffinity Unschedulable ["node(s) didn't satisfy existing pods anti-affinity rules"]
        a2: pass
        b2: InterPodAffinity Unschedulable ["node(s) didn't satisfy existing pods anti-affinity rules"]
    "#]],
    );
}

#[test]
fn namespaces() {
    let mut other = serde_json::to_value(on("x", "a1")).expect("json");
    merge(&mut other, &json!({"metadata": {"namespace": "team"}}));
    let other: Pod = serde_json::from_value(other).expect("a pod");
    let mut term = affine("podAffinity", ZONE, "web");
    let list = &mut term["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][0];
    merge(list, &json!({"namespaceSelector": {"matchLabels": {"team": "a"}}}));
    let namespace = json!({"metadata": {"name": "team", "labels": {"team": "a"}}});
    let w = World {
        namespaces: vec![serde_json::from_value(namespace).expect("a namespace")],
        ..world(four(), vec![other, pod("p", term)])
    };
    check_filters(
        w,
        &only(&["InterPodAffinity", "ImageLocality"], json!([])),
        expect![[r#"
        a1: pass
        b1: InterPodAffinity Unresolvable ["node(s) didn't match pod affinity rules"]
        a2: pass
        b2: InterPodAffinity Unresolvable ["node(s) didn't match pod affinity rules"]
    "#]],
    );
}

#[test]
fn preferences() {
    let term = |w: i32, label: &str| json!({"weight": w, "podAffinityTerm": {"topologyKey": ZONE, "labelSelector": {"matchLabels": {"app": label}}}});
    let spec = json!({"affinity": {
        "podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [term(10, "web")]},
        "podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [term(4, "db")]},
    }});
    let db = labelled("d", json!({"app": "db"}), json!({"nodeName": "b2"}));
    let nodes = zones(&[("a1", "a"), ("b1", "b"), ("b2", "b"), ("c1", "c")]);
    let config = only(&["InterPodAffinity"], json!([]));
    check_scores(
        world(nodes, vec![on("x", "a1"), db, pod("p", spec)]),
        &config,
        expect![[r#"
        a1: InterPodAffinity 10/100 x1 = Some(100)
        b1: InterPodAffinity -4/0 x1 = Some(0)
        c1: InterPodAffinity 0/28 x1 = Some(28)
        b2: InterPodAffinity -4/0 x1 = Some(0)
    "#]],
    );
    // An existing pod's required affinity draws those it is about.
    let mut fond = affine("podAffinity", ZONE, "web");
    merge(&mut fond, &json!({"nodeName": "b1"}));
    let pods = vec![labelled("fond", json!({"app": "web"}), fond), labelled("p", json!({"app": "web"}), json!({}))];
    check_scores(
        world(four(), pods),
        &config,
        expect![[r#"
        a1: InterPodAffinity 0/0 x1 = Some(0)
        b1: InterPodAffinity 1/100 x1 = Some(100)
        a2: InterPodAffinity 0/0 x1 = Some(0)
        b2: InterPodAffinity 1/100 x1 = Some(100)
    "#]],
    );
}

#[test]
fn preemption_counts_domains_anew() {
    // One web pod per zone; a more important one may take the place of any.
    let mut pods = vec![on("x", "a1"), on("y", "b1")];
    let mut p = labelled("p", json!({"app": "web"}), affine("podAntiAffinity", ZONE, "web"));
    p.spec.as_mut().expect("a spec").priority = Some(10);
    pods.push(p);
    check(
        world(four(), pods),
        &Config::default(),
        expect![[r#"
        p: 0/4 nodes are available: 4 node(s) didn't match pod anti-affinity rules. [nominated a1, victims ["x"]]
    "#]],
    );
}
