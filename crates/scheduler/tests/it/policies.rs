//! A named node, gates, and what helps pods that plugins refused.

use crate::shorthand;
use crate::support::*;
use scheduler::Config;
use scheduler::framework::{ClusterEvent, Framework, Hint, PodInfo};
use serde_json::{Value, json};
use std::sync::Arc;

fn ports(list: &[&str]) -> Value {
    let ports: Vec<Value> = list.iter().map(|p| shorthand::port(p)).collect();
    json!({"containers": [{"name": "c", "image": "app", "ports": ports}]})
}

#[test]
fn a_named_node_only() {
    // A pod with a node name is bound already as far as what-if goes, so the filter is asked directly.
    use scheduler::framework::{Handle, Nominator, Objects, Run};
    let config = only(&["NodeName"], json!([]));
    let framework = Framework::new(&config.profiles[0]).expect("a framework");
    let mut cache = scheduler::Cache::new();
    cache.add_node(Arc::new(node("here", json!({}))));
    let (objects, nominator) = (Objects::default(), Nominator::default());
    let asks = |spec: Value, cache: &mut scheduler::Cache| {
        let p = Arc::new(PodInfo::new(Arc::new(pod("p", spec))));
        let mut run =
            Run::new(&framework, Handle { snapshot: cache.snapshot(), objects: &objects, nominator: &nominator }, &p);
        run.pre_filter(None);
        run.filter(&run.state, &run.h.snapshot.nodes[0]).map_err(|s| s.message())
    };
    assert_eq!(asks(json!({}), &mut cache), Ok(()));
    assert_eq!(asks(json!({"nodeName": "here"}), &mut cache), Ok(()));
    let elsewhere = asks(json!({"nodeName": "there"}), &mut cache);
    assert_eq!(elsewhere, Err("node(s) didn't match the requested node name".to_string()));
}

#[test]
fn gates_by_name() {
    let gates = |names: &[&str]| {
        let list: Vec<Value> = names.iter().map(|n| json!({"name": n})).collect();
        let w = world(vec![node("n", json!({}))], vec![pod("p", json!({"schedulingGates": list}))]);
        let cycle = run(w, &Config::default()).pop().expect("a cycle");
        cycle.points.iter().find(|p| p.point == "PreEnqueue").map(|p| p.reasons.join(", "))
    };
    assert_eq!(gates(&[]), None);
    assert_eq!(gates(&["foo", "bar"]).as_deref(), Some("waiting for scheduling gates: [foo bar]"));
}

#[test]
fn what_helps_a_refused_pod() {
    let framework = Framework::new(&Config::default().profiles[0]).expect("a framework");
    let info = |name: &str, spec: Value| Arc::new(PodInfo::new(Arc::new(pod(name, spec))));
    let queues = |plugin: &str, p: &PodInfo, event: ClusterEvent| framework.hint(plugin, p, &event) == Hint::Queue;
    let labelled = |l: Value| node("n", json!({"metadata": {"labels": l}}));

    // Ports: the pod that goes must have held one of them.
    let p = info("p", ports(&["TCP/10.0.0.1/80"]));
    for (gone, helps) in [("TCP/10.0.0.1/80", true), ("TCP//80", true), ("TCP/10.0.0.2/80", false), ("UDP//80", false)]
    {
        let gone = info("gone", ports(&[gone]));
        assert_eq!(queues("NodePorts", &p, ClusterEvent::AssignedPodDelete(&gone)), helps);
    }
    assert!(queues("NodePorts", &p, ClusterEvent::NodeAdd(&node("n", json!({})))));

    // Affinity: the node has to begin to match.
    let p = info("p", json!({"nodeSelector": {"disk": "ssd"}}));
    let (ssd, hdd) = (labelled(json!({"disk": "ssd"})), labelled(json!({"disk": "hdd"})));
    assert!(queues("NodeAffinity", &p, ClusterEvent::NodeAdd(&ssd)));
    assert!(!queues("NodeAffinity", &p, ClusterEvent::NodeAdd(&hdd)));
    assert!(queues("NodeAffinity", &p, ClusterEvent::NodeUpdate { old: &hdd, new: &ssd }));
    assert!(!queues("NodeAffinity", &p, ClusterEvent::NodeUpdate { old: &ssd, new: &ssd }));
    assert!(!queues("NodeAffinity", &p, ClusterEvent::NodeUpdate { old: &ssd, new: &hdd }));

    // Taints: the last untolerated one has to go.
    let tainted = |keys: &[&str]| {
        let taints: Vec<Value> = keys.iter().map(|k| json!({"key": k, "effect": "NoSchedule"})).collect();
        node("n", json!({"spec": {"taints": taints}}))
    };
    let p = info("p", json!({"tolerations": [{"key": "ok", "operator": "Exists"}]}));
    assert!(queues("TaintToleration", &p, ClusterEvent::NodeAdd(&tainted(&["ok"]))));
    assert!(!queues("TaintToleration", &p, ClusterEvent::NodeAdd(&tainted(&["ok", "bad"]))));
    let (two, one, ok) = (tainted(&["bad", "worse"]), tainted(&["bad"]), tainted(&["ok"]));
    assert!(!queues("TaintToleration", &p, ClusterEvent::NodeUpdate { old: &two, new: &one }));
    assert!(queues("TaintToleration", &p, ClusterEvent::NodeUpdate { old: &one, new: &ok }));
    assert!(!queues("TaintToleration", &p, ClusterEvent::NodeUpdate { old: &ok, new: &tainted(&[]) }));

    // Cordons: only taking one off helps.
    let (open, closed) = (node("n", json!({})), node("n", json!({"spec": {"unschedulable": true}})));
    let p = info("p", json!({}));
    assert!(queues("NodeUnschedulable", &p, ClusterEvent::NodeUpdate { old: &closed, new: &open }));
    assert!(!queues("NodeUnschedulable", &p, ClusterEvent::NodeUpdate { old: &open, new: &open }));
    assert!(!queues("NodeUnschedulable", &p, ClusterEvent::NodeAdd(&closed)));

    // Resources: more of what is asked for, on a node that could hold the pod.
    let room = |cpu: &str, memory: &str| node("n", json!({"status": {"allocatable": {"cpu": cpu, "memory": memory}}}));
    let p = info("p", requests(json!({"cpu": "2"})));
    assert!(queues(
        "NodeResourcesFit",
        &p,
        ClusterEvent::NodeUpdate { old: &room("1", "1Gi"), new: &room("2", "1Gi") }
    ));
    assert!(!queues(
        "NodeResourcesFit",
        &p,
        ClusterEvent::NodeUpdate { old: &room("1", "1Gi"), new: &room("1500m", "1Gi") }
    ));
    assert!(!queues(
        "NodeResourcesFit",
        &p,
        ClusterEvent::NodeUpdate { old: &room("2", "1Gi"), new: &room("2", "2Gi") }
    ));
    assert!(!queues("NodeResourcesFit", &p, ClusterEvent::NodeAdd(&room("1", "8Gi"))));
    let shrink = |from: &str, to: &str, resource: &str| {
        let (old, new) = (info("o", requests(json!({resource: from}))), info("o", requests(json!({resource: to}))));
        queues("NodeResourcesFit", &p, ClusterEvent::AssignedPodUpdate { old: &old, new: &new })
    };
    assert_eq!(
        [shrink("2", "1", "cpu"), shrink("1", "2", "cpu"), shrink("2Gi", "1Gi", "memory")],
        [true, false, false]
    );
}
