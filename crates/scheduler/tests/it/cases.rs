//! Runs the tables of cases under `tests/cases`: a file for every plugin or part, a few lines for every case, with the
//! verdicts, scores, victims and messages that kube-scheduler v1.35 gives.
//!
//! A file says once which `plugins` run and with what `args`, and which `words` stand for which verdict and reason; a
//! case may say it anew. `UnschedulableAndUnresolvable` is `unresolvable`, as in the records.

use crate::shorthand;
use k8s_openapi::serde::de::DeserializeOwned;
use scheduler::{Config, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use trace::Cycle;
use trace::cycle::Verdict;

macro_rules! tables {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            table(concat!(stringify!($name), ".yaml"), include_str!(concat!("../cases/", stringify!($name), ".yaml")));
        })*
    };
}

tables! {
    dynamic_resources
    image_locality
    inter_pod_affinity_filter
    inter_pod_affinity_score
    node_affinity
    node_ports
    node_volume_limits
    preemption
    resources_fit
    selection
    taint_toleration
    topology_spread_filter
    topology_spread_score
    volume_binding
}

/// Kinds that a case gives as they are, by the key they stand under.
fn more(case: &Value, file: &Value, key: &str) -> Vec<Value> {
    let list = |v: &Value| v.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut all = list(file);
    all.extend(list(case));
    all
}

fn typed<T: DeserializeOwned>(list: Vec<Value>) -> Vec<T> {
    let one = |v: Value| serde_json::from_value(v.clone()).unwrap_or_else(|e| panic!("{e}: {v}"));
    list.into_iter().map(one).collect()
}

/// The value of a case, else of the file. Named lists of nodes are looked up in the file.
fn setting<'a>(case: &'a Value, file: &'a Value, key: &str) -> &'a Value {
    case.get(key).or_else(|| file.get(key)).unwrap_or(&Value::Null)
}

fn world(case: &Value, file: &Value) -> World {
    let named = |v: &Value| match v {
        Value::String(name) => file["lists"][name].as_array().expect("a list of that name").clone(),
        v => v.as_array().cloned().unwrap_or_default(),
    };
    let nodes = named(setting(case, file, "nodes")).iter().map(shorthand::node).collect();
    let mut pods: Vec<Value> = named(setting(case, file, "pods")).iter().map(shorthand::pod).collect();
    match &case["pod"] {
        Value::Array(list) => pods.extend(list.iter().map(shorthand::pod)),
        one => pods.push(shorthand::pod(one)),
    }
    let labelled = |v: &Value| {
        let mut n = shorthand::node(v);
        n["kind"] = "Namespace".into();
        n["status"] = json!({});
        n
    };
    World {
        nodes: typed(nodes),
        pods: typed(pods),
        namespaces: typed(more(case, file, "namespaces").iter().map(labelled).collect()),
        pod_disruption_budgets: typed(more(case, file, "budgets")),
        services: typed(more(case, file, "services")),
        replica_sets: typed(more(case, file, "replicaSets")),
        stateful_sets: typed(more(case, file, "statefulSets")),
        replication_controllers: typed(more(case, file, "replicationControllers")),
        priority_classes: typed(more(case, file, "priorityClasses")),
        persistent_volumes: typed(more(case, file, "volumes")),
        persistent_volume_claims: typed(more(case, file, "claims")),
        storage_classes: typed(more(case, file, "classes")),
        csi_nodes: typed(more(case, file, "csiNodes")),
        csi_drivers: typed(more(case, file, "csiDrivers")),
        csi_storage_capacities: typed(more(case, file, "capacities")),
        volume_attachments: typed(more(case, file, "attachments")),
        resource_claims: typed(more(case, file, "deviceClaims")),
        device_classes: typed(more(case, file, "deviceClasses")),
        resource_slices: typed(more(case, file, "slices")),
    }
}

fn config(case: &Value, file: &Value) -> Config {
    let enabled: Vec<Value> = setting(case, file, "plugins")
        .as_array()
        .expect("plugins")
        .iter()
        .map(|p| match p {
            Value::String(name) => json!({"name": name}),
            p => p.clone(),
        })
        .collect();
    let empty = serde_json::Map::new();
    let args = setting(case, file, "args").as_object().unwrap_or(&empty).iter();
    let args: Vec<Value> = args.map(|(name, args)| json!({"name": name, "args": args})).collect();
    let mut plugins = json!({"multiPoint": {"disabled": [{"name": "*"}], "enabled": enabled}});
    // Plugins at single points.
    for (point, names) in setting(case, file, "points").as_object().unwrap_or(&empty) {
        let names = names.as_array().expect("plugins of a point").iter();
        plugins[point] = json!({"enabled": names.map(|n| json!({"name": n})).collect::<Vec<_>>()});
    }
    let doc = json!({"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration",
        "profiles": [{"plugins": plugins, "pluginConfig": args}]});
    Config::parse_lenient(&doc).unwrap_or_else(|e| panic!("{e:?}"))
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "ok",
        Verdict::Skip => "skip",
        Verdict::Unschedulable => "unschedulable",
        Verdict::Unresolvable => "unresolvable",
        Verdict::Wait => "wait",
        Verdict::Error => "error",
    }
}

fn said(verdict: Verdict, reasons: &[String]) -> String {
    if reasons.is_empty() { word(verdict).into() } else { format!("{}: {}", word(verdict), reasons.join(", ")) }
}

/// What was found, in the words of the case's `want`.
fn found(key: &str, cycle: &Cycle, cycles: &[Cycle]) -> Value {
    let names = |pods: &[trace::cycle::PodRef]| pods.iter().map(|p| p.name.clone()).collect::<Vec<_>>();
    match key {
        "message" => cycle.message.clone().into(),
        "node" => json!(cycle.node),
        "nominated" => json!(cycle.nominated_node),
        "victims" => json!(names(&cycle.victims)),
        "all" => json!(cycles.iter().map(|c| c.node.clone()).collect::<Vec<_>>()),
        "candidates" => {
            let all = cycle.preemption.iter().flat_map(|p| &p.candidates);
            json!(
                all.map(|c| (c.node.clone(), c.victims.iter().map(|v| v.name.clone()).collect::<Vec<_>>()))
                    .collect::<BTreeMap<_, _>>()
            )
        }
        "violations" => {
            let all = cycle.preemption.iter().flat_map(|p| &p.candidates);
            json!(all.map(|c| (c.node.clone(), c.pdb_violations)).collect::<BTreeMap<_, _>>())
        }
        "tried" => json!(cycle.preemption.as_ref().map(|p| p.tried_nodes)),
        "prefilter" => json!(cycle.pre_filter.last().map(|r| said(r.verdict, &r.reasons))),
        "names" => json!(cycle.pre_filter.last().and_then(|r| r.node_names.clone())),
        "raw" | "scores" | "weighted" | "total" => {
            let score = |n: &trace::cycle::NodeRecord| match (key, n.scores.first()) {
                ("total", _) => n.total,
                ("raw", Some(s)) => Some(s.raw),
                ("scores", Some(s)) => Some(s.normalized),
                (_, s) => s.map(|s| s.weighted),
            };
            json!(cycle.nodes.iter().map(|n| (n.name.clone(), score(n))).collect::<BTreeMap<_, _>>())
        }
        other => panic!("no such expectation: {other}"),
    }
}

/// Verdicts by node name: what the first filter that refused said.
fn verdicts(cycle: &Cycle) -> BTreeMap<String, String> {
    let of = |n: &trace::cycle::NodeRecord| match n.filters.iter().find(|f| f.verdict != Verdict::Pass) {
        None => "ok".into(),
        Some(f) => said(f.verdict, &f.reasons),
    };
    cycle.nodes.iter().map(|n| (n.name.clone(), of(n))).collect()
}

/// What differs from the case, a line each.
fn check(case: &Value, file: &Value) -> String {
    let mut wrong = String::new();
    let config = config(case, file);
    let cycles = match scheduler::whatif(world(case, file), &config, case["seed"].as_u64().unwrap_or(1)) {
        Ok(cycles) => cycles,
        Err(e) => return format!("  refused: {e}\n"),
    };
    let cycle = cycles.last().expect("a cycle");
    let want = case["want"].as_object().expect("what is wanted");
    let verdicts = verdicts(cycle);
    for (key, want) in want {
        // A list of node names under a word for their verdict.
        let verdict = file["words"].get(key).and_then(Value::as_str).or((key == "ok").then_some("ok"));
        if let Some(verdict) = verdict {
            for node in want.as_str().expect("node names").split_whitespace() {
                let have = verdicts.get(node).map_or("no such node", String::as_str);
                if have != verdict {
                    let _ = writeln!(wrong, "  {node}: wanted {verdict:?}, got {have:?}");
                }
            }
            continue;
        }
        let have = found(key, cycle, &cycles);
        // `any` of several nodes may be drawn.
        let fits = match want.get("any") {
            Some(any) => any.as_array().is_some_and(|a| a.contains(&have)),
            None => *want == have,
        };
        if !fits {
            let _ = writeln!(wrong, "  {key}: wanted {want}, got {have}");
        }
    }
    wrong
}

fn table(name: &str, text: &str) {
    let file: Value = serde_saphyr::from_str(text).unwrap_or_else(|e| panic!("{name}: {e}"));
    let cases = file["cases"].as_array().expect("cases");
    assert!(!cases.is_empty(), "{name} has no cases");
    let mut wrong = String::new();
    for case in cases {
        let complaint = check(case, &file);
        if !complaint.is_empty() {
            let _ = writeln!(wrong, "{}\n{complaint}", case["case"].as_str().unwrap_or("a case without a name"));
        }
    }
    assert!(wrong.is_empty(), "{name}:\n{wrong}");
}
