//! How many pods per second the pure loop places: schedule and assume, nothing recorded, no API server.
//!
//! `cargo run --release -p scheduler --example throughput [NODES] [PODS]`

#![allow(clippy::disallowed_methods)]

use meta::Rng;
use scheduler::framework::{Handle, Nominator, Objects, PodInfo};
use scheduler::{Algorithm, Cache, Config};
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let (nodes, pods) = (numbers.first().copied().unwrap_or(5_000), numbers.get(1).copied().unwrap_or(10_000));
    let mut cache = Cache::new();
    for i in 0..nodes {
        cache.add_node(Arc::new(serde_json::from_value(json!({
            "metadata": {"name": format!("node-{i}"), "labels": {"topology.kubernetes.io/zone": format!("zone-{}", i % 3)}},
            "status": {"allocatable": {"cpu": "4", "memory": "32Gi", "pods": "110"}},
        }))?));
    }
    let mut waiting = Vec::new();
    for i in 0..pods {
        waiting.push(Arc::new(PodInfo::new(Arc::new(serde_json::from_value(json!({
            "metadata": {"name": format!("pod-{i}"), "namespace": "default"},
            "spec": {"containers": [{"name": "pause", "image": "registry.k8s.io/pause:3.10",
                "resources": {"requests": {"cpu": "100m", "memory": "500Mi"}}}]},
        }))?))));
    }
    let mut algorithm = Algorithm::new(&Config::default(), Rng::new(1))?;
    let (objects, nominator) = (Objects::default(), Nominator::default());
    let framework = algorithm.profiles()[0].clone();
    let start = Instant::now();
    let mut placed = 0;
    for pod in waiting {
        let h = Handle { snapshot: cache.snapshot(), objects: &objects, nominator: &nominator };
        if let Ok(node) = algorithm.schedule(h, &framework, &pod, None) {
            cache.assume_pod(pod, &node);
            placed += 1;
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("{placed} of {pods} pods onto {nodes} nodes in {seconds:.3} s: {:.0} pods/s", placed as f64 / seconds);
    Ok(())
}
