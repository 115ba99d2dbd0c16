//! How many pods per second the pure loop places: schedule and assume, nothing recorded, no API server.
//!
//! `cargo run --release -p scheduler --example throughput [NODES] [PODS] [KIND]`, where KIND is one of the pods of
//! upstream's scheduler_perf: basic, affinity, anti-affinity, preferred-affinity, spreading, node-affinity, preemption
//! (every node is full of pods that may be evicted), unschedulable (no node has room).

#![allow(clippy::disallowed_methods)]

use k8s_openapi::api::core::v1::Pod;
use meta::Rng;
use scheduler::framework::{Handle, Nominator, Objects, PodInfo};
use scheduler::{Algorithm, Cache, Config};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;

/// What makes the pod more than a basic one.
fn constraints(kind: &str) -> Value {
    let term = |key: &str| json!({"labelSelector": {"matchLabels": {"color": kind}}, "topologyKey": key});
    let required = |key: &str| json!({"requiredDuringSchedulingIgnoredDuringExecution": [term(key)]});
    match kind {
        "affinity" => json!({"affinity": {"podAffinity": required("topology.kubernetes.io/zone")}}),
        "anti-affinity" => json!({"affinity": {"podAntiAffinity": required("kubernetes.io/hostname")}}),
        "preferred-affinity" => {
            let preferred = json!([{"weight": 1, "podAffinityTerm": term("kubernetes.io/hostname")}]);
            json!({"affinity": {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}})
        }
        "spreading" => json!({"topologySpreadConstraints": [{"maxSkew": 5, "whenUnsatisfiable": "DoNotSchedule",
            "topologyKey": "topology.kubernetes.io/zone", "labelSelector": {"matchLabels": {"color": kind}}}]}),
        "node-affinity" => {
            let zones = json!({"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["zone-0", "zone-1"]});
            let terms = json!({"nodeSelectorTerms": [{"matchExpressions": [zones]}]});
            json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}})
        }
        _ => json!({}),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |i: usize, default: usize| args.get(i).and_then(|a| a.parse().ok()).unwrap_or(default);
    let (nodes, pods) = (number(0, 5_000), number(1, 10_000));
    let kind = args.get(2).map_or("basic", String::as_str);
    let mut cache = Cache::new();
    for i in 0..nodes {
        let (name, zone) = (format!("node-{i}"), format!("zone-{}", i % 3));
        cache.add_node(Arc::new(serde_json::from_value(json!({
            "metadata": {"name": name,
                "labels": {"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": zone}},
            "status": {"allocatable": {"cpu": "4", "memory": "32Gi", "pods": "110"}},
        }))?));
    }
    let full = kind == "preemption" || kind == "unschedulable";
    for i in 0..if full { nodes * 4 } else { 0 } {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": format!("low-{i}"), "namespace": "default"},
            "spec": {"priority": 0, "containers": [{"name": "pause", "resources": {"requests": {"cpu": "980m"}}}]},
        }))?;
        cache.add_pod(Arc::new(PodInfo::new(Arc::new(pod))), &format!("node-{}", i % nodes));
    }
    let mut waiting = Vec::new();
    for i in 0..pods {
        let mut spec = constraints(kind);
        spec["priority"] = json!(if kind == "preemption" { 10 } else { 0 });
        spec["containers"] = json!([{"name": "pause", "image": "registry.k8s.io/pause:3.10",
            "resources": {"requests": {"cpu": "100m", "memory": "500Mi"}}}]);
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": format!("pod-{i}"), "namespace": "default", "labels": {"color": kind}},
            "spec": spec,
        }))?;
        waiting.push(Arc::new(PodInfo::new(Arc::new(pod))));
    }
    let mut algorithm = Algorithm::new(&Config::default(), Rng::new(1))?;
    let (objects, nominator) = (Objects::default(), Nominator::default());
    let framework = algorithm.profiles()[0].clone();
    let start = Instant::now();
    let mut placed = 0;
    for pod in waiting {
        let h = Handle { snapshot: cache.snapshot(), objects: &objects, nominator: &nominator };
        match algorithm.schedule(h, &framework, &pod, None) {
            Ok(node) => {
                cache.assume_pod(pod, &node);
                placed += 1;
            }
            Err(failure) => {
                for victim in &failure.victims {
                    cache.remove_pod(&victim.key);
                }
                if let Some(node) = failure.nominate.filter(|n| !n.is_empty()) {
                    cache.assume_pod(pod, &node);
                    placed += 1;
                }
            }
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let rate = pods as f64 / seconds;
    println!("{kind}: {placed} of {pods} pods onto {nodes} nodes in {seconds:.3} s: {rate:.0} pods/s");
    Ok(())
}
