//! Tables of cases for the resource plugins, with the scores that upstream's own tables give them.

use crate::support::*;
use scheduler::Config;
use serde_json::{Value, json};
use trace::cycle::Verdict;

/// A node of so many millicores and bytes, with more resources in `extra`.
fn sized(name: &str, cpu: i64, memory: i64, extra: Value) -> k8s_openapi::api::core::v1::Node {
    let mut allocatable = json!({"cpu": format!("{cpu}m"), "memory": memory.to_string(), "pods": "32"});
    merge(&mut allocatable, &extra);
    let mut n = node(name, json!({}));
    n.status = serde_json::from_value(json!({"allocatable": allocatable})).expect("a status");
    n
}

/// A pod spec with a container per list of requests.
fn containers(lists: &[Value]) -> Value {
    let one = |(i, r): (usize, &Value)| json!({"name": format!("c{i}"), "image": "app", "resources": {"requests": r}});
    json!({"containers": lists.iter().enumerate().map(one).collect::<Vec<_>>()})
}

/// 3000 millicores, no memory.
fn cpu_only() -> Value {
    containers(&[json!({"cpu": "1000m", "memory": "0"}), json!({"cpu": "2000m", "memory": "0"})])
}

/// 3000 millicores, 5000 bytes.
fn cpu_and_memory() -> Value {
    containers(&[json!({"cpu": "1000m", "memory": "2000"}), json!({"cpu": "2000m", "memory": "3000"})])
}

fn on(node: &str, name: &str, spec: Value) -> k8s_openapi::api::core::v1::Pod {
    let mut spec = spec;
    merge(&mut spec, &json!({"nodeName": node}));
    pod(name, spec)
}

/// A profile with only the plugin's scores, so that no node is too small.
fn scoring(plugin: &str, args: Value) -> Config {
    let on = |name: &str| json!({"enabled": [{"name": name}]});
    let plugins = json!({"multiPoint": {"disabled": [{"name": "*"}]}, "queueSort": on("PrioritySort"),
        "bind": on("DefaultBinder"), "preScore": on(plugin), "score": on(plugin)});
    let doc = json!({"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration",
        "profiles": [{"plugins": plugins, "pluginConfig": [{"name": plugin, "args": args}]}]});
    Config::parse(&doc).expect("a configuration")
}

/// The raw scores by node name; -1 when the plugin left scoring out.
fn scores(config: &Config, w: scheduler::World) -> Vec<i64> {
    let cycles = run(w, config);
    let mut nodes = cycles.last().expect("a cycle").nodes.clone();
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    nodes.iter().map(|n| n.scores.first().map_or(-1, |s| s.raw)).collect()
}

struct Case {
    nodes: [(i64, i64); 2],
    existing: [Vec<Value>; 2],
    pod: Value,
    want: [i64; 2],
}

/// Two nodes with pods on them, and what a strategy makes of the incoming pod.
fn table(config: &Config, cases: Vec<Case>) {
    for (i, case) in cases.into_iter().enumerate() {
        let nodes = case.nodes.iter().zip(["n1", "n2"]).map(|((cpu, memory), n)| sized(n, *cpu, *memory, json!({})));
        let mut pods = Vec::new();
        for (n, specs) in ["n1", "n2"].iter().zip(case.existing) {
            pods.extend(specs.into_iter().enumerate().map(|(j, s)| on(n, &format!("{n}-{j}"), s)));
        }
        pods.push(pod("p", case.pod));
        assert_eq!(scores(config, world(nodes.collect(), pods)), case.want, "case {i}");
    }
}

fn case(nodes: [(i64, i64); 2], existing: [Vec<Value>; 2], pod: Value, want: [i64; 2]) -> Case {
    Case { nodes, existing, pod, want }
}

const SMALL: [(i64, i64); 2] = [(4000, 10000), (4000, 10000)];
const UNLIKE: [(i64, i64); 2] = [(4000, 10000), (6000, 10000)];
const WIDE: [(i64, i64); 2] = [(10000, 20000), (10000, 20000)];
const TALL: [(i64, i64); 2] = [(10000, 20000), (10000, 50000)];
const NOTHING: [(i64, i64); 2] = [(0, 0), (0, 0)];

fn one(a: Value, b: Value) -> [Vec<Value>; 2] {
    [vec![a], vec![b]]
}

fn none() -> [Vec<Value>; 2] {
    [Vec::new(), Vec::new()]
}

#[test]
fn least_allocated_table() {
    let least = |resources: Value| {
        let strategy = json!({"scoringStrategy": {"type": "LeastAllocated", "resources": resources}});
        scoring("NodeResourcesFit", strategy)
    };
    let empty = || json!({"containers": []});
    table(
        &least(json!([])),
        vec![
            case(SMALL, none(), empty(), [100, 100]),
            case(UNLIKE, none(), cpu_and_memory(), [37, 50]),
            case(WIDE, [vec![cpu_only(), cpu_only()], vec![cpu_only(), cpu_and_memory()]], empty(), [70, 57]),
            case(WIDE, one(cpu_only(), cpu_and_memory()), cpu_and_memory(), [57, 45]),
            case(TALL, one(cpu_only(), cpu_and_memory()), cpu_and_memory(), [57, 60]),
            // More than the node has counts nothing.
            case([(4000, 10000), (4000, 10000)], one(cpu_only(), cpu_and_memory()), cpu_only(), [50, 25]),
            case(NOTHING, one(cpu_only(), cpu_and_memory()), empty(), [0, 0]),
        ],
    );
    table(
        &least(json!([{"name": "cpu", "weight": 1}, {"name": "memory", "weight": 2}])),
        vec![case(UNLIKE, none(), cpu_and_memory(), [41, 50])],
    );
    // A weight of 0 counts as not given.
    table(
        &least(json!([{"name": "cpu", "weight": 0}, {"name": "memory", "weight": 1}])),
        vec![case(UNLIKE, none(), cpu_and_memory(), [37, 50])],
    );
}

#[test]
fn most_allocated_table() {
    let most = |resources: Value| {
        scoring("NodeResourcesFit", json!({"scoringStrategy": {"type": "MostAllocated", "resources": resources}}))
    };
    table(
        &most(json!([])),
        vec![
            case(SMALL, none(), json!({"containers": []}), [0, 0]),
            case(UNLIKE, none(), cpu_and_memory(), [62, 50]),
            case(WIDE, one(cpu_only(), cpu_and_memory()), cpu_and_memory(), [42, 55]),
            // Full is full, however much more is asked for.
            case([(2000, 10000), (6000, 10000)], none(), cpu_and_memory(), [75, 50]),
            // Without requests a container counts 100m and 200Mi.
            case([(1000, 419_430_400), (4000, 1)], none(), containers(&[json!({})]), [30, 51]),
            case(NOTHING, none(), cpu_only(), [0, 0]),
        ],
    );
    table(
        &most(json!([{"name": "cpu", "weight": 2}, {"name": "memory", "weight": 1}])),
        vec![case(UNLIKE, none(), cpu_and_memory(), [66, 50])],
    );
}

fn ratio(resources: Value, shape: &[(i32, i32)]) -> Config {
    let shape: Vec<Value> = shape.iter().map(|(u, s)| json!({"utilization": u, "score": s})).collect();
    let strategy = json!({"type": "RequestedToCapacityRatio", "resources": resources, "requestedToCapacityRatio": {"shape": shape}});
    scoring("NodeResourcesFit", json!({"scoringStrategy": strategy}))
}

#[test]
fn requested_to_capacity_ratio_table() {
    let spreading = [(0, 10), (100, 0)];
    table(
        &ratio(json!([]), &spreading),
        vec![
            case(SMALL, none(), json!({"containers": []}), [100, 100]),
            case(UNLIKE, none(), cpu_and_memory(), [38, 50]),
            case(UNLIKE, one(cpu_and_memory(), cpu_and_memory()), json!({"containers": []}), [38, 50]),
            // A node without the resource does not count it at all.
            case(NOTHING, none(), cpu_and_memory(), [0, 0]),
        ],
    );
    // Straight lines between the points, flat outside: 50 percent of cpu alone.
    let at_half = |shape: &[(i32, i32)]| {
        let w = world(vec![sized("n", 6000, 1, json!({}))], vec![pod("p", cpu_only())]);
        scores(&ratio(json!([{"name": "cpu", "weight": 1}]), shape), w)
    };
    assert_eq!(at_half(&[(0, 0), (100, 10)]), [50]);
    assert_eq!(at_half(&[(60, 3), (100, 10)]), [30]);
    assert_eq!(at_half(&[(10, 1), (40, 7)]), [70]);
    assert_eq!(at_half(&[(40, 2), (70, 9)]), [43]);
    assert_eq!(at_half(&[(40, 9), (70, 2)]), [67]);
    // Resources that score nothing leave the mean alone.
    assert_eq!(at_half(&[(0, 0), (50, 0), (100, 10)]), [0]);
}

#[test]
fn bin_packing_of_extended_resources() {
    let foo = |n: i64| json!({"example.com/foo": n.to_string()});
    let nodes = || vec![sized("n1", 4000, 10_000_000, foo(8)), sized("n2", 4000, 10_000_000, foo(4))];
    let packing = ratio(json!([{"name": "example.com/foo", "weight": 1}]), &[(0, 0), (100, 1)]);
    let go = |existing: Vec<k8s_openapi::api::core::v1::Pod>, spec: Value| {
        let mut pods = existing;
        pods.push(pod("p", spec));
        scores(&packing, world(nodes(), pods))
    };
    // What the pod does not ask for is not scored.
    assert_eq!(go(vec![], containers(&[json!({})])), [0, 0]);
    assert_eq!(go(vec![], containers(&[foo(2)])), [2, 5]);
    assert_eq!(go(vec![on("n2", "used", containers(&[foo(2)]))], containers(&[foo(2)])), [2, 10]);
    assert_eq!(go(vec![], containers(&[foo(4)])), [5, 10]);
    let both = |foo: i64, bar: i64| json!({"example.com/foo": foo.to_string(), "example.com/bar": bar.to_string()});
    let two = ratio(
        json!([{"name": "example.com/foo", "weight": 3}, {"name": "example.com/bar", "weight": 5}]),
        &[(0, 0), (100, 1)],
    );
    let nodes = || vec![sized("n1", 4000, 10_000_000, both(8, 4)), sized("n2", 4000, 10_000_000, both(4, 8))];
    let w = |existing: Vec<k8s_openapi::api::core::v1::Pod>, spec: Value| {
        let mut pods = existing;
        pods.push(pod("p", spec));
        scores(&two, world(nodes(), pods))
    };
    assert_eq!(w(vec![], containers(&[both(2, 2)])), [4, 3]);
    assert_eq!(w(vec![on("n2", "used", containers(&[both(2, 2)]))], containers(&[both(2, 2)])), [4, 7]);
    assert_eq!(w(vec![], containers(&[both(4, 2)])), [5, 5]);
    // Ones that only one node has, with the other strategies.
    let with_gpu = |kind: &str| {
        let resources = json!([{"name": "cpu", "weight": 1}, {"name": "example.com/gpu", "weight": 3}]);
        let config = scoring("NodeResourcesFit", json!({"scoringStrategy": {"type": kind, "resources": resources}}));
        let gpu = |n: i64| json!({"example.com/gpu": n.to_string()});
        let nodes = vec![sized("n1", 4000, 10_000, gpu(4)), sized("n2", 4000, 10_000, json!({}))];
        scores(&config, world(nodes, vec![pod("p", containers(&[json!({"cpu": "1", "example.com/gpu": "1"})]))]))
    };
    assert_eq!(with_gpu("LeastAllocated"), [75, 75]);
    assert_eq!(with_gpu("MostAllocated"), [25, 25]);
}

#[test]
fn balanced_allocation_table() {
    let balanced = scoring("NodeResourcesBalancedAllocation", json!({}));
    table(
        &balanced,
        vec![
            // A best-effort pod is not scored.
            case(SMALL, none(), containers(&[json!({})]), [-1, -1]),
            case(UNLIKE, none(), cpu_and_memory(), [87, 100]),
            case(WIDE, one(cpu_only(), cpu_and_memory()), cpu_and_memory(), [82, 95]),
            case(TALL, one(cpu_only(), cpu_and_memory()), cpu_and_memory(), [82, 80]),
            case([(6000, 10000), (6000, 10000)], one(cpu_only(), cpu_and_memory()), cpu_only(), [50, 75]),
            case(NOTHING, one(cpu_only(), cpu_and_memory()), cpu_only(), [100, 100]),
        ],
    );
    // A share of more than everything counts as everything.
    table(&balanced, vec![case([(2000, 5000), (2000, 10000)], none(), cpu_and_memory(), [100, 75])]);
}

#[test]
fn what_a_pod_counts_for() {
    let c = |cpu: Value, restart: Value| json!({"name": "x", "image": "app", "restartPolicy": restart, "resources": {"requests": cpu}});
    let cpu = |m: i64| json!({"cpu": format!("{m}m"), "memory": "0"});
    // MostAllocated of a node of 10 CPU: one percent is 100m.
    let config = scoring(
        "NodeResourcesFit",
        json!({"scoringStrategy": {"type": "MostAllocated", "resources": [{"name": "cpu", "weight": 1}]}}),
    );
    let bound_and_new = |spec: Value| {
        let nodes = || vec![sized("n", 10_000, 1, json!({}))];
        let zero = containers(&[json!({"cpu": "0", "memory": "0"})]);
        let new = scores(&config, world(nodes(), vec![pod("p", spec.clone())]));
        let bound = scores(&config, world(nodes(), vec![on("n", "used", spec), pod("p", zero)]));
        [bound[0], new[0]]
    };
    let always = json!("Always");
    // Plain containers add up, init containers are a floor.
    let spec = json!({"initContainers": [c(cpu(2500), json!(null)), c(cpu(3500), json!(null))], "containers": [c(cpu(1000), json!(null)), c(cpu(1000), json!(null))]});
    assert_eq!(bound_and_new(spec), [35, 35]);
    // Sidecars add up with the containers, and with the init containers after them.
    let spec = json!({"initContainers": [c(cpu(2000), always.clone()), c(cpu(1500), json!(null))], "containers": [c(cpu(1000), json!(null))]});
    assert_eq!(bound_and_new(spec), [35, 35]);
    // An init container before the sidecar does not run beside it.
    let spec = json!({"initContainers": [c(cpu(1500), json!(null)), c(cpu(2000), always)], "containers": [c(cpu(1000), json!(null))]});
    assert_eq!(bound_and_new(spec), [30, 30]);
    // Overhead comes on top of the defaults.
    let spec =
        json!({"containers": [c(json!({}), json!(null)), c(json!({}), json!(null))], "overhead": {"cpu": "500m"}});
    assert_eq!(bound_and_new(spec), [7, 7]);
    // Pod-level requests replace the sum; only what they leave out is filled in.
    let spec = json!({"containers": [c(json!({}), json!(null))], "resources": {"requests": {"cpu": "2"}}});
    assert_eq!(bound_and_new(spec), [20, 20]);
}

#[test]
fn fit_of_extended_and_native_resources() {
    let config = only(&["NodeResourcesFit"], json!([]));
    let refused = |allocatable: Value, used: Value, wanted: Value| {
        let pods = vec![on("n", "used", containers(&[used])), pod("p", containers(&[wanted]))];
        let cycles = run(world(vec![sized("n", 10, 20, allocatable)], pods), &config);
        let f = cycles[0].nodes[0].filters[0].clone();
        (f.verdict, f.reasons.join(", "))
    };
    let pass = (Verdict::Pass, String::new());
    let one = |name: &str, n: i64| json!({name: n.to_string()});
    let gpu = "example.com/gpu";
    assert_eq!(refused(one(gpu, 5), json!({}), one(gpu, 5)), pass);
    assert_eq!(refused(one(gpu, 5), one(gpu, 1), one(gpu, 5)), (Verdict::Unschedulable, format!("Insufficient {gpu}")));
    assert_eq!(refused(json!({}), json!({}), one(gpu, 1)), (Verdict::Unresolvable, format!("Insufficient {gpu}")));
    // Nothing wanted is nothing missing, also of a resource the node does not have.
    assert_eq!(refused(json!({}), json!({}), one(gpu, 0)), pass);
    for name in ["hugepages-2Mi", "kubernetes.io/something", "attachable-volumes-x"] {
        let want = (Verdict::Unresolvable, format!("Insufficient {name}"));
        assert_eq!(refused(one(name, 4), json!({}), one(name, 5)), want);
        assert_eq!(refused(one(name, 5), json!({}), one(name, 5)), pass);
    }
    // A name that is no resource of the scheduler's is nobody's business.
    assert_eq!(refused(json!({}), json!({}), one("storage", 5)), pass);
    let storage = |n: i64| one("ephemeral-storage", n);
    let missing = "Insufficient ephemeral-storage".to_string();
    assert_eq!(refused(storage(20), storage(10), storage(10)), pass);
    assert_eq!(refused(storage(20), storage(11), storage(10)), (Verdict::Unschedulable, missing.clone()));
    assert_eq!(refused(storage(20), json!({}), storage(25)), (Verdict::Unresolvable, missing));
    // A pod without requests fits a node that is overcommitted.
    assert_eq!(refused(json!({}), json!({"cpu": "1"}), json!({})), pass);
    // One resource too many for the whole node makes the refusal final.
    let wanted = json!({"cpu": "11m", "memory": "5"});
    let both = "Insufficient cpu, Insufficient memory".to_string();
    assert_eq!(refused(json!({}), json!({"memory": "16"}), wanted), (Verdict::Unresolvable, both));
}

#[test]
fn ignored_resources_are_only_ignored_when_extended() {
    let refused = |args: Value, wanted: Value| {
        let config = only(&["NodeResourcesFit"], json!([{"name": "NodeResourcesFit", "args": args}]));
        let cycles = run(world(vec![sized("n", 10, 20, json!({}))], vec![pod("p", containers(&[wanted]))]), &config);
        cycles[0].nodes[0].filters[0].reasons.join(", ")
    };
    let both = json!({"example.com/aaa": "1", "example.com/bbb": "1"});
    assert_eq!(refused(json!({"ignoredResources": ["example.com/aaa"]}), both.clone()), "Insufficient example.com/bbb");
    assert_eq!(refused(json!({"ignoredResourceGroups": ["example.com"]}), both), "");
    // The group is the whole part before the slash.
    let other = json!({"sub.example.com/aaa": "1"});
    assert_eq!(refused(json!({"ignoredResourceGroups": ["example.com"]}), other), "Insufficient sub.example.com/aaa");
    let native = json!({"cpu": "1", "kubernetes.io/batch": "1"});
    assert_eq!(
        refused(json!({"ignoredResources": ["cpu", "kubernetes.io/batch"]}), native),
        "Insufficient cpu, Insufficient kubernetes.io/batch"
    );
}

/// How many of so many equal nodes are scored. Models numFeasibleNodesToFind.
#[test]
fn how_many_nodes_are_enough() {
    let found = |nodes: usize, global: Value, own: Value| {
        let plugins = json!({"multiPoint": {"disabled": [{"name": "*"}], "enabled": [
            {"name": "PrioritySort"}, {"name": "DefaultBinder"}, {"name": "NodeName"}, {"name": "ImageLocality"}]}});
        let doc = json!({"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration",
            "percentageOfNodesToScore": global,
            "profiles": [{"percentageOfNodesToScore": own, "plugins": plugins}]});
        let config = Config::parse(&doc).expect("a configuration");
        let nodes = (0..nodes).map(|i| node(&format!("n{i}"), json!({}))).collect();
        run(world(nodes, vec![pod("p", json!({}))]), &config)[0].feasible_nodes
    };
    let unset = json!(null);
    assert_eq!(found(10, unset.clone(), unset.clone()), 10);
    assert_eq!(found(10, json!(40), unset.clone()), 10);
    assert_eq!(found(1000, unset.clone(), unset.clone()), 420);
    assert_eq!(found(1000, json!(40), unset.clone()), 400);
    assert_eq!(found(1000, json!(40), json!(60)), 600);
    assert_eq!(found(150, json!(10), unset.clone()), 100);
    assert_eq!(found(6000, unset.clone(), unset), 300);
}
