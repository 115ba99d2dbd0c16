//! Tables that are made when somebody asks: they are what a cycle that writes its table on the way comes to, and the
//! digest stands for them.

use crate::support::*;
use k8s_openapi::api::core::v1::{Node, Pod};
use meta::Rng;
use scheduler::framework::{Handle, Nominator, Objects, PodInfo};
use scheduler::{Algorithm, Cache, Config, Kept, Record};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use trace::Recorded;

fn some_node(rng: &mut Rng, i: u32) -> Node {
    let (zone, disk) = (format!("z{}", rng.below(3)), ["ssd", "hdd"][rng.below(2) as usize]);
    let mut patch = json!({
        "metadata": {"labels": {"topology.kubernetes.io/zone": zone, "disk": disk}},
        "status": {"allocatable": {"cpu": (2 + rng.below(4)).to_string()}},
    });
    if rng.below(4) == 0 {
        let effect = ["NoSchedule", "PreferNoSchedule"][rng.below(2) as usize];
        patch["spec"] = json!({"taints": [{"key": "dedicated", "value": "team", "effect": effect}]});
    }
    node(&format!("n{i}"), patch)
}

fn some_pod(rng: &mut Rng, i: u32) -> Pod {
    let app = rng.below(4).to_string();
    let selector = json!({"matchLabels": {"app": app}});
    let term = |key: &str| json!({"labelSelector": selector, "topologyKey": key});
    let mut spec: Value = match rng.below(8) {
        0 => json!({"nodeSelector": {"disk": "ssd"}}),
        1 => {
            json!({"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term("kubernetes.io/hostname")]}}})
        }
        2 => json!({"affinity": {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution":
            [{"weight": 5, "podAffinityTerm": term("topology.kubernetes.io/zone")}]}}}),
        3 => json!({"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone",
            "whenUnsatisfiable": "DoNotSchedule", "labelSelector": selector}]}),
        4 => json!({"tolerations": [{"operator": "Exists"}]}),
        5 => {
            json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [format!("n{}", rng.below(8))]}]}]}}}})
        }
        _ => json!({}),
    };
    spec["priority"] = json!(rng.below(3));
    merge(&mut spec, &requests(json!({"cpu": format!("{}m", 300 * (1 + rng.below(5)))})));
    let mut p = pod(&format!("p{i}"), spec);
    p.metadata.labels = Some([("app".to_string(), app)].into());
    p
}

/// Cycles one after another in a world made of `seed`, each with its moment, and what the same cycle comes to when its
/// table is written on the way.
fn cycles(seed: u64, nodes: u32, pods: u32, mut visit: impl FnMut(Recorded, Record)) {
    let mut rng = Rng::new(seed);
    let mut cache = Cache::new();
    (0..nodes).for_each(|i| cache.add_node(Arc::new(some_node(&mut rng, i))));
    let mut algorithm = Algorithm::new(&Config::default(), Rng::new(seed)).expect("an algorithm");
    let (objects, mut nominator) = (Arc::new(Objects::default()), Nominator::default());
    for i in 0..pods {
        let pod = Arc::new(PodInfo::new(Arc::new(some_pod(&mut rng, i))));
        let kept = Kept::of(&algorithm, &mut cache, &objects, &nominator, pod.clone());
        let framework = algorithm.profiles()[0].clone();
        let mut eager = algorithm.clone();
        let h = Handle { snapshot: cache.snapshot(), objects: &objects, nominator: &nominator };
        let (mut live, mut whole) = (Record::outcome(1), Record::whole(1));
        let decision = algorithm.schedule(h, &framework, &pod, Some(&mut live));
        let again = eager.schedule(h, &framework, &pod, Some(&mut whole));
        assert_eq!(decision.is_ok(), again.is_ok());
        let digest = live.digest();
        // What happens next must not reach the moment.
        match decision {
            Ok(node) => cache.assume_pod(pod, &node),
            Err(failure) => {
                failure.victims.iter().for_each(|v| drop(cache.remove_pod(&v.key)));
                if let Some(node) = failure.nominate.filter(|n| !n.is_empty()) {
                    nominator.add(pod, &node);
                }
            }
        }
        if rng.below(3) == 0 {
            let n = rng.below(nodes);
            cache.update_node(Arc::new(some_node(&mut rng, n)));
        }
        visit(Recorded::new(live.cycle, digest, Arc::new(kept)), whole);
    }
}

#[test]
fn a_table_made_later_is_the_one_written_on_the_way() {
    let (mut kept, mut refused, mut preempting, mut nominated, mut ties) = (Vec::new(), 0, 0, 0, 0);
    for seed in 0..12 {
        let nodes = [1, 4, 9, 40, 160, 260][seed as usize % 6];
        cycles(seed, nodes, nodes * 3 + 20, |recorded, whole| {
            assert_eq!(recorded.digest(), whole.digest());
            kept.push((recorded, whole.cycle));
        });
    }
    // All of them are opened at the end, when everything has changed; some on the way back.
    kept.iter().rev().step_by(5).for_each(|(recorded, whole)| assert_eq!(*recorded.open(), *whole));
    for (recorded, whole) in &kept {
        assert_eq!(*recorded.open(), *whole);
        assert_eq!(*recorded.outcome(), whole.clone().into_outcome());
        assert_eq!(whole.evaluated_nodes, whole.nodes.len());
        refused += usize::from(whole.node.is_none());
        preempting += usize::from(whole.preemption.is_some());
        nominated += usize::from(whole.nominated_node.is_some());
        ties += usize::from(whole.tie_break.is_some());
    }
    // The worlds have everything in them that a table can show.
    for (what, n) in [("refused", refused), ("preempting", preempting), ("nominated", nominated), ("tied", ties)] {
        assert!(n > 20, "{what}: {n} of {}", kept.len());
    }
    assert!(kept.iter().any(|(_, w)| w.nodes.len() < w.total_nodes && w.node.is_some()), "searches that ended early");
}

/// A cycle is tried on a copy, and then taken for real or not.
#[test]
fn copies_of_a_cache_keep_a_past_each() {
    let algorithm = Algorithm::new(&Config::default(), Rng::new(1)).expect("an algorithm");
    let (objects, nominator) = (Arc::new(Objects::default()), Nominator::default());
    let info = |name: &str| Arc::new(PodInfo::new(Arc::new(pod(name, json!({})))));
    let keep = |cache: &mut Cache| Kept::of(&algorithm, cache, &objects, &nominator, info("asking"));
    let pods = |kept: &Kept| -> Vec<String> {
        let moment = kept.moment();
        let on = moment
            .snapshot()
            .nodes
            .iter()
            .flat_map(|n| n.pods.iter().map(|p| format!("{} on {}", p.key.name(), n.name)));
        on.collect()
    };
    let mut live = Cache::new();
    (0..3).for_each(|i| live.add_node(Arc::new(node(&format!("n{i}"), json!({})))));
    live.add_pod(info("a"), "n0");
    let first = keep(&mut live);
    let mut copy = live.clone();
    copy.assume_pod(info("b"), "n1");
    let tried = keep(&mut copy);
    live.assume_pod(info("c"), "n2");
    let real = keep(&mut live);
    copy.assume_pod(info("d"), "n2");
    live.remove_pod(&info("a").key);
    let (tried_next, real_next) = (keep(&mut copy), keep(&mut live));
    assert_eq!(pods(&real_next), ["c on n2"]);
    assert_eq!(pods(&tried_next), ["a on n0", "b on n1", "d on n2"]);
    assert_eq!(pods(&first), ["a on n0"]);
    assert_eq!(pods(&real), ["a on n0", "c on n2"]);
    assert_eq!(pods(&tried), ["a on n0", "b on n1"]);
}

#[test]
fn the_digest_tells_tables_apart() {
    let digest = |node_patch: Value, spec: Value| {
        let mut cache = Cache::new();
        for i in 0..5 {
            let patch = if i == 2 { node_patch.clone() } else { json!({}) };
            cache.add_node(Arc::new(node(&format!("n{i}"), patch)));
        }
        let mut algorithm = Algorithm::new(&Config::default(), Rng::new(1)).expect("an algorithm");
        let (objects, nominator) = (Objects::default(), Nominator::default());
        let h = Handle { snapshot: cache.snapshot(), objects: &objects, nominator: &nominator };
        let framework = algorithm.profiles()[0].clone();
        let mut record = Record::outcome(1);
        let pod = Arc::new(PodInfo::new(Arc::new(pod("p", spec))));
        let _ = algorithm.schedule(h, &framework, &pod, Some(&mut record));
        record.digest()
    };
    let taint = |effect: &str| json!({"spec": {"taints": [{"key": "a", "effect": effect}]}});
    let (plain, cpu) = (json!({}), |n: &str| json!({"status": {"allocatable": {"cpu": n}}}));
    let found = [
        digest(plain.clone(), plain.clone()),
        // One raw score, on a node that does not win.
        digest(cpu("3"), plain.clone()),
        digest(taint("PreferNoSchedule"), plain.clone()),
        // One verdict, by one plugin and by another, and one reason more.
        digest(taint("NoSchedule"), plain.clone()),
        digest(cpu("100m"), plain.clone()),
        digest(json!({"status": {"allocatable": {"cpu": "100m", "memory": "1Mi"}}}), plain.clone()),
        // A filter more that is asked.
        digest(
            plain.clone(),
            json!({"nodeSelector": {}, "affinity": {"nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions":
                [{"key": "kubernetes.io/hostname", "operator": "Exists"}]}]}}}}),
        ),
    ];
    assert_eq!(BTreeSet::from(found).len(), found.len(), "{found:?}");
    assert_eq!(found[0], digest(plain.clone(), plain));
}
