//! End to end: files in, decisions and a table out.

use crate::support::*;
use expect_test::expect;
use scheduler::{Config, table};
use serde_json::json;

#[test]
fn a_readable_table() {
    let nodes = vec![
        node(
            "cp",
            json!({"spec": {"taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]}}),
        ),
        node("w1", json!({})),
        node("w2", json!({})),
    ];
    let pods = vec![pod("a", json!({})), pod("b", json!({})), pod("big", requests(json!({"cpu": "6"})))];
    let cycles = run(world(nodes, pods), &Config::default());
    expect![[r#"
        default/a -> w1
              NODE   FILTER                                              TaintToleration   NodeResourcesFit   NodeResourcesBalancedAllocation   ImageLocality   TOTAL
              cp     TaintToleration: node(s) had untolerated taint(s)
          *   w1     ok                                                  0 -> 100 x3       90 -> 90 x1        96 -> 96 x1                       0 -> 0 x1       486
              w2     ok                                                  0 -> 100 x3       90 -> 90 x1        96 -> 96 x1                       0 -> 0 x1       486
          tie between w1, w2: drew w1

        default/b -> w2
              NODE   FILTER                                              TaintToleration   NodeResourcesFit   NodeResourcesBalancedAllocation   ImageLocality   TOTAL
              cp     TaintToleration: node(s) had untolerated taint(s)
              w1     ok                                                  0 -> 100 x3       81 -> 81 x1        93 -> 93 x1                       0 -> 0 x1       474
          *   w2     ok                                                  0 -> 100 x3       90 -> 90 x1        96 -> 96 x1                       0 -> 0 x1       486

        default/big -> <none>
          0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.
             NODE   FILTER
             cp     TaintToleration: node(s) had untolerated taint(s)
             w1     NodeResourcesFit: Insufficient cpu
             w2     NodeResourcesFit: Insufficient cpu
    "#]].assert_eq(&table(&cycles));
}

#[test]
fn the_json_of_one_decision() {
    let cycles = run(world(vec![node("n", json!({}))], vec![pod("p", json!({}))]), &Config::default());
    expect![[r#"
        [
          {
            "pod": {
              "namespace": "default",
              "name": "p"
            },
            "node": "n",
            "nominatedNode": null,
            "victims": [],
            "message": "",
            "preFilter": [
              {
                "plugin": "NodeAffinity",
                "verdict": "skip",
                "reasons": [],
                "nodeNames": null
              },
              {
                "plugin": "NodePorts",
                "verdict": "skip",
                "reasons": [],
                "nodeNames": null
              },
              {
                "plugin": "NodeResourcesFit",
                "verdict": "pass",
                "reasons": [],
                "nodeNames": null
              },
              {
                "plugin": "VolumeRestrictions",
                "verdict": "skip",
                "reasons": [],
                "nodeNames": null
              },
              {
                "plugin": "NodeVolumeLimits",
                "verdict": "skip",
                "reasons": [],
                "nodeNames": null
              },
              {
                "plugin": "VolumeBinding",
                "verdict": "skip",
                "reasons": [],
                "nodeNames": null
              },
              {
                "plugin": "VolumeZone",
                "verdict": "skip",
                "reasons": [],
                "nodeNames": null
              },
              {
                "plugin": "PodTopologySpread",
                "verdict": "skip",
                "reasons": [],
                "nodeNames": null
              },
              {
                "plugin": "InterPodAffinity",
                "verdict": "skip",
                "reasons": [],
                "nodeNames": null
              },
              {
                "plugin": "DynamicResources",
                "verdict": "skip",
                "reasons": [],
                "nodeNames": null
              }
            ],
            "nodes": [
              {
                "name": "n",
                "filters": [
                  {
                    "plugin": "NodeUnschedulable",
                    "verdict": "pass",
                    "reasons": []
                  },
                  {
                    "plugin": "NodeName",
                    "verdict": "pass",
                    "reasons": []
                  },
                  {
                    "plugin": "TaintToleration",
                    "verdict": "pass",
                    "reasons": []
                  },
                  {
                    "plugin": "NodeResourcesFit",
                    "verdict": "pass",
                    "reasons": []
                  }
                ],
                "scores": [
                  {
                    "plugin": "TaintToleration",
                    "raw": 0,
                    "normalized": 100,
                    "weight": 3,
                    "weighted": 300
                  },
                  {
                    "plugin": "NodeResourcesFit",
                    "raw": 90,
                    "normalized": 90,
                    "weight": 1,
                    "weighted": 90
                  },
                  {
                    "plugin": "NodeResourcesBalancedAllocation",
                    "raw": 96,
                    "normalized": 96,
                    "weight": 1,
                    "weighted": 96
                  },
                  {
                    "plugin": "ImageLocality",
                    "raw": 0,
                    "normalized": 0,
                    "weight": 1,
                    "weighted": 0
                  }
                ],
                "total": 486
              }
            ],
            "preemption": null,
            "profile": "default-scheduler",
            "attempt": 1,
            "totalNodes": 1,
            "evaluatedNodes": 1,
            "feasibleNodes": 1,
            "tieBreak": null,
            "points": [
              {
                "point": "Reserve",
                "plugin": "VolumeBinding",
                "verdict": "pass",
                "reasons": []
              },
              {
                "point": "PreBind",
                "plugin": "VolumeBinding",
                "verdict": "pass",
                "reasons": []
              },
              {
                "point": "Bind",
                "plugin": "DefaultBinder",
                "verdict": "pass",
                "reasons": []
              }
            ]
          }
        ]"#]]
    .assert_eq(&serde_json::to_string_pretty(&cycles).expect("json"));
}

#[test]
fn one_node_of_every_zone_in_turn() {
    let zone = |z: &str| json!({"metadata": {"labels": {"topology.kubernetes.io/zone": z}}});
    let nodes = vec![
        node("a1", zone("a")),
        node("a2", zone("a")),
        node("a3", zone("a")),
        node("b1", zone("b")),
        node("c1", zone("c")),
    ];
    check_filters(
        world(nodes, vec![pod("p", json!({}))]),
        &only(&["NodeName", "ImageLocality"], json!([])),
        expect![[r#"
        a1: pass
        b1: pass
        c1: pass
        a2: pass
        a3: pass
    "#]],
    );
}

#[test]
fn the_search_goes_on_where_it_stopped() {
    let nodes = (0..150).map(|i| node(&format!("n{i:03}"), json!({}))).collect();
    let cycles = run(world(nodes, (0..3).map(|i| pod(&format!("p{i}"), json!({}))).collect()), &Config::default());
    let looks: Vec<_> = cycles
        .iter()
        .map(|c| (c.nodes[0].name.as_str(), c.nodes[c.evaluated_nodes - 1].name.as_str(), c.evaluated_nodes))
        .collect();
    assert!(cycles.iter().all(|c| c.nodes.len() == 150 && c.feasible_nodes == 100), "the others are recorded too");
    // 49 percent of 150 is below the least of 100.
    assert_eq!(looks, [("n000", "n099", 100), ("n100", "n049", 100), ("n050", "n149", 100)]);
}

#[test]
fn same_seed_same_decisions() {
    let w = || {
        let nodes = (0..7).map(|i| node(&format!("n{i}"), json!({}))).collect();
        world(nodes, (0..20).map(|i| pod(&format!("p{i}"), json!({}))).collect())
    };
    assert_eq!(run(w(), &Config::default()), run(w(), &Config::default()));
}

#[test]
fn recording_changes_nothing() {
    use meta::Rng;
    use scheduler::framework::{Handle, Nominator, Objects, PodInfo};
    use scheduler::{Algorithm, Cache};
    use std::sync::Arc;

    let nodes = || (0..130).map(|i| node(&format!("n{i}"), json!({"status": {"allocatable": {"cpu": "1"}}})));
    let pods = || (0..300).map(|i| pod(&format!("p{i}"), json!({"priority": i % 3})));
    let recorded = run(world(nodes().collect(), pods().collect()), &Config::default());
    let mut algorithm = Algorithm::new(&Config::default(), Rng::new(1)).expect("an algorithm");
    let framework = algorithm.profiles()[0].clone();
    let (mut cache, mut nominator, objects) = (Cache::new(), Nominator::default(), Objects::default());
    nodes().for_each(|n| cache.add_node(Arc::new(n)));
    for (pod, cycle) in pods().zip(&recorded) {
        let pod = Arc::new(PodInfo::new(Arc::new(pod)));
        let h = Handle { snapshot: cache.snapshot(), objects: &objects, nominator: &nominator };
        match algorithm.schedule(h, &framework, &pod, None) {
            Ok(node) => {
                assert_eq!(Some(&*node), cycle.node.as_deref());
                cache.assume_pod(pod, &node);
            }
            Err(failure) => {
                assert_eq!(failure.message, cycle.message);
                match failure.nominate.as_deref() {
                    Some(node) if !node.is_empty() => nominator.add(pod, node),
                    _ => {}
                }
            }
        }
    }
    assert!(recorded.iter().any(|c| c.node.is_none()), "the cluster fills up");
}

/// Every node with `pass` or what refused it, its total, and how many nodes the search visited.
fn verdicts(cycle: &trace::Cycle) -> String {
    let mut text = format!("{:?}, visited {} of {}\n", cycle.node, cycle.evaluated_nodes, cycle.total_nodes);
    for n in &cycle.nodes {
        let said: Vec<String> =
            n.filters.iter().map(|f| format!("{} {:?} {}", f.plugin, f.verdict, f.reasons.join(", "))).collect();
        text += &format!("{}: {} = {:?}\n", n.name, said.join("; "), n.total);
    }
    text
}

#[test]
fn a_search_that_stops_early_is_recorded_to_the_end() {
    let cordoned = |name: &str| node(name, json!({"spec": {"unschedulable": true}}));
    let nodes = || vec![cordoned("a"), node("b", json!({})), cordoned("c"), node("d", json!({}))];
    // Without a score plugin the first node that fits is taken, and the next search starts behind it.
    let pods = vec![pod("p", json!({})), pod("q", json!({}))];
    let cycles = run(world(nodes(), pods), &only(&["NodeUnschedulable"], json!([])));
    expect![[r#"
        Some("b"), visited 2 of 4
        a: NodeUnschedulable Unresolvable node(s) were unschedulable = None
        b: NodeUnschedulable Pass  = None
        c: NodeUnschedulable Unresolvable node(s) were unschedulable = None
        d: NodeUnschedulable Pass  = None
    "#]]
    .assert_eq(&verdicts(&cycles[0]));
    expect![[r#"
        Some("d"), visited 2 of 4
        c: NodeUnschedulable Unresolvable node(s) were unschedulable = None
        d: NodeUnschedulable Pass  = None
        a: NodeUnschedulable Unresolvable node(s) were unschedulable = None
        b: NodeUnschedulable Pass  = None
    "#]]
    .assert_eq(&verdicts(&cycles[1]));
    // A nominated node that fits ends the search at once.
    let mut nominated = pod("p", json!({}));
    nominated.status = serde_json::from_value(json!({"nominatedNodeName": "d"})).expect("a status");
    let cycles = run(world(nodes(), vec![nominated]), &only(&["NodeUnschedulable", "ImageLocality"], json!([])));
    expect![[r#"
        Some("d"), visited 1 of 4
        d: NodeUnschedulable Pass  = Some(0)
        a: NodeUnschedulable Unresolvable node(s) were unschedulable = None
        b: NodeUnschedulable Pass  = None
        c: NodeUnschedulable Unresolvable node(s) were unschedulable = None
    "#]]
    .assert_eq(&verdicts(&cycles[0]));
}

#[test]
fn nodes_that_prefilter_rules_out_are_listed() {
    let fields = |names: serde_json::Value| {
        let terms = json!([{"matchFields": names}]);
        json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}})
    };
    let named = |name: &str| json!({"key": "metadata.name", "operator": "In", "values": [name]});
    let nodes = || ["a", "b", "c"].map(|n| node(n, json!({}))).to_vec();
    let go = |spec: serde_json::Value, e: expect_test::Expect| {
        let cycles = run(world(nodes(), vec![pod("p", spec)]), &only(&["NodeAffinity"], json!([])));
        e.assert_eq(&(verdicts(&cycles[0]) + &cycles[0].message));
    };
    go(
        fields(json!([named("b")])),
        expect![[r#"
            Some("b"), visited 1 of 3
            b: NodeAffinity Pass  = Some(0)
            a: NodeAffinity Unresolvable node(s) didn't satisfy plugin(s) [NodeAffinity] = None
            c: NodeAffinity Unresolvable node(s) didn't satisfy plugin(s) [NodeAffinity] = None
        "#]],
    );
    go(
        fields(json!([named("a"), named("b")])),
        expect![[r#"
            None, visited 0 of 3
            a: NodeAffinity Unresolvable pod affinity terms conflict = None
            b: NodeAffinity Unresolvable pod affinity terms conflict = None
            c: NodeAffinity Unresolvable pod affinity terms conflict = None
            0/3 nodes are available: pod affinity terms conflict."#]],
    );
    go(
        fields(json!([named("gone")])),
        expect![[r#"
            None, visited 0 of 3
            a: NodeAffinity Unresolvable node(s) didn't satisfy plugin(s) [NodeAffinity] = None
            b: NodeAffinity Unresolvable node(s) didn't satisfy plugin(s) [NodeAffinity] = None
            c: NodeAffinity Unresolvable node(s) didn't satisfy plugin(s) [NodeAffinity] = None
            0/3 nodes are available: 3 node(s) didn't satisfy plugin(s) [NodeAffinity]."#]],
    );
    // The nominated node is asked even when PreFilter left it out, and its own answer counts.
    let mut nominated = pod("p", fields(json!([named("gone")])));
    nominated.status = serde_json::from_value(json!({"nominatedNodeName": "c"})).expect("a status");
    let cycles = run(world(nodes(), vec![nominated]), &only(&["NodeAffinity"], json!([])));
    expect![[r#"
        0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 2 node(s) didn't satisfy plugin(s) [NodeAffinity]."#]]
    .assert_eq(&cycles[0].message);
}

#[test]
fn the_message_speaks_of_preemption_when_the_profile_has_it() {
    let message = |plugins: &[&str]| {
        let w = world(vec![node("a", json!({}))], vec![pod("p", requests(json!({"cpu": "5"})))]);
        run(w, &only(plugins, json!([])))[0].message.clone()
    };
    assert_eq!(message(&["NodeResourcesFit"]), "0/1 nodes are available: 1 Insufficient cpu.");
    assert_eq!(
        message(&["NodeResourcesFit", "DefaultPreemption"]),
        "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: \
         1 Preemption is not helpful for scheduling."
    );
}

/// A pod that names a class of priorities, or leaves its priority open.
fn classed(name: &str, class: Option<&str>, spec: serde_json::Value) -> k8s_openapi::api::core::v1::Pod {
    let mut p = pod(name, spec);
    p.spec.as_mut().expect("a spec").priority_class_name = class.map(str::to_string);
    p
}

#[test]
fn priorities_come_from_their_classes() {
    let class = |name: &str, value: i32, patch: serde_json::Value| {
        let mut v = json!({"metadata": {"name": name}, "value": value});
        merge(&mut v, &patch);
        serde_json::from_value(v).expect("a class")
    };
    let full = |name: &str, class: Option<&str>, node: Option<&str>| {
        let mut spec = requests(json!({"cpu": "4"}));
        if let Some(node) = node {
            merge(&mut spec, &json!({"nodeName": node}));
        }
        classed(name, class, spec)
    };
    let w = |waiting: Option<&str>| scheduler::World {
        priority_classes: vec![
            class("low", -5, json!({"globalDefault": true})),
            class("high", 100, json!({})),
            class("shy", 100, json!({"preemptionPolicy": "Never"})),
        ],
        ..world(vec![node("a", json!({}))], vec![full("there", None, Some("a")), full("p", waiting, None)])
    };
    let config = only(&["NodeResourcesFit", "DefaultPreemption"], json!([]));
    check(
        w(Some("high")),
        &config,
        expect![[r#"
        p: 0/1 nodes are available: 1 Insufficient cpu. [nominated a, victims ["there"]]
    "#]],
    );
    check(
        w(None),
        &config,
        expect![[r#"
        p: 0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.
    "#]],
    );
    check(
        w(Some("shy")),
        &config,
        expect![[r#"
        p: 0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.
    "#]],
    );
    let refused = scheduler::whatif(w(Some("none")), &config, 1).expect_err("a refusal");
    assert_eq!(refused, "pods \"p\" is forbidden: no PriorityClass with name none was found");
}

#[test]
fn label_keys_and_namespaces_count_as_behind_an_api_server() {
    let labelled = |name: &str, ns: &str, labels: serde_json::Value, spec: serde_json::Value| {
        let mut p = pod(name, spec);
        p.metadata.namespace = Some(ns.into());
        p.metadata.labels = serde_json::from_value(labels).expect("labels");
        p
    };
    let anti = |patch: serde_json::Value| {
        let mut term = json!({"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "x"}}});
        merge(&mut term, &patch);
        json!({"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}})
    };
    let outcome_of = |ns: &str, patch: serde_json::Value| {
        let there = labelled("there", ns, json!({"app": "x", "rev": "1"}), json!({"nodeName": "a"}));
        let waiting = labelled("p", "default", json!({"app": "x", "rev": "2"}), anti(patch));
        let w = world(vec![node("a", json!({}))], vec![there, waiting]);
        run(w, &only(&["InterPodAffinity"], json!([])))[0].node.is_some()
    };
    assert!(!outcome_of("default", json!({})));
    assert!(outcome_of("default", json!({"matchLabelKeys": ["rev"]})));
    assert!(!outcome_of("default", json!({"mismatchLabelKeys": ["rev"]})));
    assert!(outcome_of("other", json!({})));
    let by_name = json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "other"}}});
    assert!(!outcome_of("other", by_name));
}
