//! Short spellings for nodes, pods and configurations, and the checks that read decisions.

use expect_test::Expect;
use k8s_openapi::api::core::v1::{Node, Pod};
use scheduler::{Config, World, whatif};
use serde_json::{Value, json};
use trace::Cycle;
use trace::cycle::Verdict;

/// Adds `patch` to `base`, objects field by field.
pub fn merge(base: &mut Value, patch: &Value) {
    match (base, patch) {
        (Value::Object(base), Value::Object(patch)) => {
            for (k, v) in patch {
                merge(base.entry(k.clone()).or_insert(Value::Null), v);
            }
        }
        (base, patch) => *base = patch.clone(),
    }
}

/// A node with 4 CPU, 8Gi and 110 pods, and whatever `patch` changes.
pub fn node(name: &str, patch: Value) -> Node {
    let mut v = json!({
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"}},
    });
    merge(&mut v, &patch);
    serde_json::from_value(v).expect("a node")
}

/// A pod with one container that requests 500m and 512Mi, and whatever `patch` changes in its spec.
pub fn pod(name: &str, spec: Value) -> Pod {
    let mut v = json!({
        "metadata": {"name": name, "namespace": "default", "uid": name},
        "spec": {"containers": [{"name": "c", "image": "app", "resources": {"requests": {"cpu": "500m", "memory": "512Mi"}}}]},
    });
    merge(&mut v["spec"], &spec);
    serde_json::from_value(v).expect("a pod")
}

pub fn requests(list: Value) -> Value {
    json!({"containers": [{"name": "c", "image": "app", "resources": {"requests": list}}]})
}

pub fn world(nodes: Vec<Node>, pods: Vec<Pod>) -> World {
    World { nodes, pods, ..Default::default() }
}

/// A profile that runs only the named plugins, besides queue sort and bind.
pub fn only(plugins: &[&str], plugin_config: Value) -> Config {
    let enabled: Vec<Value> =
        ["PrioritySort", "DefaultBinder"].iter().chain(plugins).map(|p| json!({"name": p})).collect();
    let doc = json!({
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "profiles": [{
            "schedulerName": "default-scheduler",
            "plugins": {"multiPoint": {"enabled": enabled, "disabled": [{"name": "*"}]}},
            "pluginConfig": plugin_config,
        }],
    });
    Config::parse(&doc).expect("a configuration")
}

pub fn run(world: World, config: &Config) -> Vec<Cycle> {
    whatif(world, config, 1).expect("a what-if")
}

/// One line per pod: where it went, or the message.
pub fn outcome(cycles: &[Cycle]) -> String {
    cycles
        .iter()
        .map(|c| match &c.node {
            Some(n) => format!("{} -> {n}\n", c.pod.name),
            None => {
                let victims: Vec<&str> = c.victims.iter().map(|v| v.name.as_str()).collect();
                let nominated = c.nominated_node.as_ref().map(|n| format!(" [nominated {n}, victims {victims:?}]"));
                format!("{}: {}{}\n", c.pod.name, c.message, nominated.unwrap_or_default())
            }
        })
        .collect()
}

pub fn check(world: World, config: &Config, expect: Expect) {
    expect.assert_eq(&outcome(&run(world, config)));
}

/// The verdicts of every node's filters for the last pod.
pub fn check_filters(world: World, config: &Config, expect: Expect) {
    let cycles = run(world, config);
    let last = cycles.last().expect("a cycle");
    let mut text = String::new();
    for r in last.pre_filter.iter().filter(|r| r.verdict != Verdict::Pass || r.node_names.is_some()) {
        text += &format!("PreFilter {} {:?} {:?} {:?}\n", r.plugin, r.verdict, r.reasons, r.node_names);
    }
    for n in &last.nodes {
        match n.filters.iter().find(|f| f.verdict != Verdict::Pass) {
            None => text += &format!("{}: pass\n", n.name),
            Some(f) => text += &format!("{}: {} {:?} {:?}\n", n.name, f.plugin, f.verdict, f.reasons),
        }
    }
    expect.assert_eq(&text);
}

/// `raw/normalized` of every plugin on every node for the last pod.
pub fn check_scores(world: World, config: &Config, expect: Expect) {
    let cycles = run(world, config);
    let mut text = String::new();
    for n in &cycles.last().expect("a cycle").nodes {
        let scores: Vec<String> =
            n.scores.iter().map(|s| format!("{} {}/{} x{}", s.plugin, s.raw, s.normalized, s.weight)).collect();
        text += &format!("{}: {} = {:?}\n", n.name, scores.join(", "), n.total);
    }
    expect.assert_eq(&text);
}
