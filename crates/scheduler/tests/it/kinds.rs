//! The cache's kinds of pods: whatever happens, each node's numbers are those of its pods.

use crate::support::*;
use meta::Rng;
use scheduler::Cache;
use scheduler::framework::PodInfo;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a kind is made of, as text.
fn description(p: &PodInfo) -> String {
    let affinity = p.pod.spec.as_ref().and_then(|s| s.affinity.as_ref());
    format!("{} {:?} {} {affinity:?}", p.namespace(), p.pod.metadata.labels, p.is_deleting())
}

fn check(cache: &mut Cache) {
    let snapshot = cache.snapshot();
    for node in snapshot.nodes.iter() {
        let mut counted = BTreeMap::new();
        for (kind, n) in &node.kinds {
            *counted.entry(description(snapshot.kinds().pod(*kind))).or_insert(0) += *n;
        }
        let mut there = BTreeMap::new();
        for p in &node.pods {
            *there.entry(description(p)).or_insert(0) += 1;
        }
        assert_eq!(counted, there, "on {}", node.name);
    }
}

#[test]
fn numbers_follow_the_pods() {
    let mut rng = Rng::new(7);
    let mut cache = Cache::new();
    let nodes: Vec<_> = (0..4).map(|i| Arc::new(node(&format!("n{i}"), json!({})))).collect();
    let anti = json!({"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution":
        [{"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "0"}}}]}}});
    let mut most = 0;
    for step in 0..600 {
        let n = rng.below(4) as usize;
        match rng.below(10) {
            0 => cache.add_node(nodes[n].clone()),
            1 => cache.remove_node(&format!("n{n}")),
            2..=5 => {
                let spec = if rng.below(3) == 0 { anti.clone() } else { json!({}) };
                let mut p = pod(&format!("p{}", rng.below(40)), spec);
                p.metadata.labels = Some([("app".to_string(), rng.below(3).to_string())].into());
                if rng.below(5) == 0 {
                    let now = serde_json::from_value(json!("2026-01-01T00:00:00Z")).expect("a time");
                    p.metadata.deletion_timestamp = Some(now);
                }
                // Also on nodes that are not there.
                cache.add_pod(Arc::new(PodInfo::new(Arc::new(p))), &format!("n{n}"));
            }
            _ => {
                cache.remove_pod(&meta::Key::new("default", &format!("p{}", rng.below(40))));
            }
        }
        if step % 3 == 0 {
            check(&mut cache);
            most = most.max(cache.snapshot().kinds().len());
        }
    }
    check(&mut cache);
    assert!(most <= 12, "three apps, with affinity or not, going away or not: {most} numbers");
}
