//! Score plugins, one at a time.

use crate::support::*;
use expect_test::expect;
use serde_json::{Value, json};

/// Two nodes, the first half full; scores of a pod of 1 CPU and 2Gi.
fn resources(plugin: &str, args: Value, e: expect_test::Expect) {
    let size = |cpu: &str, memory: &str| json!({"status": {"allocatable": {"cpu": cpu, "memory": memory}}});
    let nodes = vec![node("half", size("4", "8Gi")), node("wide", size("6", "8Gi")), node("small", size("2", "3Gi"))];
    let mut used = requests(json!({"cpu": "2", "memory": "3Gi"}));
    merge(&mut used, &json!({"nodeName": "half"}));
    let p = pod("p", requests(json!({"cpu": "1", "memory": "2Gi"})));
    let config = only(&[plugin], json!([{"name": plugin, "args": args}]));
    check_scores(world(nodes, vec![pod("used", used), p]), &config, e);
}

#[test]
fn least_allocated() {
    resources(
        "NodeResourcesFit",
        json!({}),
        expect![[r#"
        half: NodeResourcesFit 31/31 x1 = Some(31)
        wide: NodeResourcesFit 79/79 x1 = Some(79)
        small: NodeResourcesFit 41/41 x1 = Some(41)
    "#]],
    );
    let weighted = json!({"scoringStrategy": {"type": "LeastAllocated", "resources": [{"name": "cpu", "weight": 2}, {"name": "memory", "weight": 1}]}});
    resources(
        "NodeResourcesFit",
        weighted,
        expect![[r#"
        half: NodeResourcesFit 29/29 x1 = Some(29)
        wide: NodeResourcesFit 80/80 x1 = Some(80)
        small: NodeResourcesFit 44/44 x1 = Some(44)
    "#]],
    );
}

#[test]
fn most_allocated() {
    resources(
        "NodeResourcesFit",
        json!({"scoringStrategy": {"type": "MostAllocated"}}),
        expect![[r#"
        half: NodeResourcesFit 68/68 x1 = Some(68)
        wide: NodeResourcesFit 20/20 x1 = Some(20)
        small: NodeResourcesFit 58/58 x1 = Some(58)
    "#]],
    );
}

#[test]
fn requested_to_capacity_ratio() {
    let shape = json!({"scoringStrategy": {
        "type": "RequestedToCapacityRatio",
        "resources": [{"name": "cpu", "weight": 1}, {"name": "memory", "weight": 3}],
        "requestedToCapacityRatio": {"shape": [{"utilization": 0, "score": 0}, {"utilization": 70, "score": 9}, {"utilization": 100, "score": 10}]},
    }});
    resources(
        "NodeResourcesFit",
        shape,
        expect![[r#"
        half: NodeResourcesFit 82/82 x1 = Some(82)
        wide: NodeResourcesFit 29/29 x1 = Some(29)
        small: NodeResourcesFit 79/79 x1 = Some(79)
    "#]],
    );
}

#[test]
fn balanced_allocation() {
    resources(
        "NodeResourcesBalancedAllocation",
        json!({}),
        expect![[r#"
        half: NodeResourcesBalancedAllocation 93/93 x1 = Some(93)
        wide: NodeResourcesBalancedAllocation 95/95 x1 = Some(95)
        small: NodeResourcesBalancedAllocation 91/91 x1 = Some(91)
    "#]],
    );
    let three = json!({"resources": [{"name": "cpu"}, {"name": "memory"}, {"name": "example.com/gpu"}]});
    let args = json!([{"name": "NodeResourcesBalancedAllocation", "args": three}]);
    let nodes =
        vec![node("gpu", json!({"status": {"allocatable": {"example.com/gpu": "8"}}})), node("plain", json!({}))];
    let p = pod("p", requests(json!({"cpu": "3", "memory": "5Gi", "example.com/gpu": "3"})));
    check_scores(
        world(nodes, vec![p]),
        &only(&["NodeResourcesBalancedAllocation"], args),
        expect![[r#"
        gpu: NodeResourcesBalancedAllocation 84/84 x1 = Some(84)
        plain: NodeResourcesBalancedAllocation 93/93 x1 = Some(93)
    "#]],
    );
}

#[test]
fn pods_without_requests_count_with_defaults() {
    let config = only(&["NodeResourcesFit", "NodeResourcesBalancedAllocation"], json!([]));
    check_scores(
        world(vec![node("n", json!({}))], vec![pod("p", requests(json!({})))]),
        &config,
        expect![[r#"
        n: NodeResourcesFit 97/97 x1 = Some(97)
    "#]],
    );
}

#[test]
fn soft_taints() {
    let soft = |n: usize| {
        let taints: Vec<Value> =
            (0..n).map(|i| json!({"key": format!("k{i}"), "value": "v", "effect": "PreferNoSchedule"})).collect();
        json!({"spec": {"taints": taints}})
    };
    let nodes = || vec![node("three", soft(3)), node("two", soft(2)), node("none", json!({}))];
    let config = only(&["TaintToleration"], json!([]));
    check_scores(
        world(nodes(), vec![pod("p", json!({}))]),
        &config,
        expect![[r#"
        three: TaintToleration 3/0 x1 = Some(0)
        two: TaintToleration 2/34 x1 = Some(34)
        none: TaintToleration 0/100 x1 = Some(100)
    "#]],
    );
    let k0 = json!({"tolerations": [{"key": "k0", "operator": "Exists", "effect": "PreferNoSchedule"}]});
    check_scores(
        world(nodes(), vec![pod("p", k0)]),
        &config,
        expect![[r#"
        three: TaintToleration 2/0 x1 = Some(0)
        two: TaintToleration 1/50 x1 = Some(50)
        none: TaintToleration 0/100 x1 = Some(100)
    "#]],
    );
}

#[test]
fn preferred_node_affinity() {
    let term =
        |w: i32, k: &str| json!({"weight": w, "preference": {"matchExpressions": [{"key": k, "operator": "Exists"}]}});
    let spec = json!({"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution":
        [term(2, "a"), term(5, "b"), {"weight": 10, "preference": {}}]}}});
    let nodes = vec![
        node("both", json!({"metadata": {"labels": {"a": "1", "b": "1"}}})),
        node("b", json!({"metadata": {"labels": {"b": "1"}}})),
        node("none", json!({})),
    ];
    check_scores(
        world(nodes, vec![pod("p", spec)]),
        &only(&["NodeAffinity"], json!([])),
        expect![[r#"
        both: NodeAffinity 7/100 x1 = Some(100)
        b: NodeAffinity 5/71 x1 = Some(71)
        none: NodeAffinity 0/0 x1 = Some(0)
    "#]],
    );
}

#[test]
fn image_locality() {
    let has = |images: Value| json!({"status": {"images": images}});
    let image = |name: &str, mb: i64| json!({"names": [name], "sizeBytes": mb * 1024 * 1024});
    let nodes = vec![
        node("small", has(json!([image("gcr.io/40:latest", 40), image("gcr.io/300:latest", 300)]))),
        node("large", has(json!([image("gcr.io/250:latest", 250), image("gcr.io/10:v1", 10)]))),
        node("none", json!({})),
    ];
    let container = |i: usize, image: &str| json!({"name": format!("c{i}"), "image": image});
    let p = pod("p", json!({"containers": [container(0, "gcr.io/40"), container(1, "gcr.io/250")]}));
    check_scores(
        world(nodes, vec![p]),
        &only(&["ImageLocality"], json!([])),
        expect![[r#"
        small: ImageLocality 0/0 x1 = Some(0)
        large: ImageLocality 3/3 x1 = Some(3)
        none: ImageLocality 0/0 x1 = Some(0)
    "#]],
    );
}
