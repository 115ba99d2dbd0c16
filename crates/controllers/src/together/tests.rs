//! What users see when they work with a cluster.

use super::Cluster;
use reconcile::Propagation;
use serde_json::{Value, json};

const DEPLOYMENT: (&str, &str) = ("apps/v1", "Deployment");
const NAMESPACE: (&str, &str) = ("v1", "Namespace");

fn web(replicas: i32) -> Vec<Value> {
    let tolerations: Vec<Value> = ["not-ready", "unreachable"]
        .map(|t| {
            json!({"key": format!("node.kubernetes.io/{t}"), "operator": "Exists", "effect": "NoExecute",
                   "tolerationSeconds": 300})
        })
        .into();
    vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"},
               "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"},
               "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "protocol": "TCP"}]}}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "default"},
               "spec": {"replicas": replicas, "progressDeadlineSeconds": 600, "revisionHistoryLimit": 10,
                        "selector": {"matchLabels": {"app": "web"}},
                        "strategy": {"type": "RollingUpdate"},
                        "template": {"metadata": {"labels": {"app": "web"}},
                                     "spec": {"containers": [{"name": "c", "image": "nginx:1"}],
                                              "tolerations": tolerations}}}}),
    ]
}

fn image(i: &str) -> Value {
    json!({"spec": {"template": {"spec": {"containers": [{"name": "c", "image": i}]}}}})
}

fn pods_with(c: &Cluster, image: &str) -> usize {
    c.list("v1", "Pod").iter().filter(|p| p["spec"]["containers"][0]["image"] == image).count()
}

fn endpoints(c: &Cluster) -> usize {
    c.list("discovery.k8s.io/v1", "EndpointSlice").iter().map(|s| s["endpoints"].as_array().map_or(0, Vec::len)).sum()
}

fn progressing(c: &Cluster) -> String {
    let d = &c.list("apps/v1", "Deployment")[0];
    let conditions = d["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let c = conditions.iter().find(|c| c["type"] == "Progressing").cloned().unwrap_or_default();
    c["reason"].as_str().unwrap_or("").to_string()
}

/// Nothing is written any more, whatever the time.
fn assert_at_rest(c: &mut Cluster) {
    let before = c.writes;
    c.run(300);
    assert_eq!(c.writes, before, "writes at rest");
}

#[test]
fn a_deployment_comes_up_and_comes_to_rest() {
    let mut c = Cluster::new(web(3));
    c.run(30);
    assert_eq!((pods_with(&c, "nginx:1"), endpoints(&c)), (3, 3));
    assert_eq!(progressing(&c), "NewReplicaSetAvailable");
    let of_default = |kind| c.list("v1", kind).iter().filter(|o| o["metadata"]["namespace"] == "default").count();
    assert_eq!((of_default("ServiceAccount"), of_default("ConfigMap")), (1, 1));
    let cidrs: Vec<Value> = c.list("v1", "Node").iter().map(|n| n["spec"]["podCIDR"].clone()).collect();
    assert_eq!(cidrs, ["10.244.0.0/24", "10.244.1.0/24", "10.244.2.0/24"]);
    assert_at_rest(&mut c);
}

#[test]
fn a_rollout_there_and_back() {
    let mut c = Cluster::new(web(4));
    c.run(30);
    c.events.clear();
    c.patch(DEPLOYMENT, "default/web", "", image("nginx:2"));
    c.run(30);
    assert_eq!((pods_with(&c, "nginx:1"), pods_with(&c, "nginx:2"), endpoints(&c)), (0, 4, 4));
    let sizes: Vec<String> = c
        .events
        .iter()
        .filter_map(|e| e.strip_prefix("ScalingReplicaSet: Scaled "))
        .map(|e| format!("{} {}", e.split(' ').next().unwrap_or(""), e.split_once(" from ").map_or("", |x| x.1)))
        .collect();
    assert_eq!(sizes[..2], ["up 0 to 1", "down 4 to 3"], "{sizes:?}");
    assert!(sizes.contains(&"down 1 to 0".to_string()), "{sizes:?}");
    assert_at_rest(&mut c);
    c.patch(DEPLOYMENT, "default/web", "", image("nginx:1"));
    c.run(30);
    assert_eq!((pods_with(&c, "nginx:1"), pods_with(&c, "nginx:2")), (4, 0));
    let revisions: Vec<Value> = c
        .list("apps/v1", "ReplicaSet")
        .iter()
        .map(|r| r["metadata"]["annotations"]["deployment.kubernetes.io/revision"].clone())
        .collect();
    assert_eq!(revisions.len(), 2);
    assert!(revisions.contains(&json!("3")) && revisions.contains(&json!("2")), "{revisions:?}");
    assert_at_rest(&mut c);
}

#[test]
fn scaling_up_and_down() {
    let mut c = Cluster::new(web(2));
    c.run(30);
    for n in [7, 1, 0] {
        c.patch(DEPLOYMENT, "default/web", "", json!({"spec": {"replicas": n}}));
        c.run(30);
        assert_eq!(pods_with(&c, "nginx:1"), n);
    }
    assert_at_rest(&mut c);
}

#[test]
fn a_node_falls_silent_and_its_pods_move() {
    let mut c = Cluster::new(web(3));
    c.run(30);
    c.kubelets = vec!["node-1", "node-3"];
    c.events.clear();
    c.run(120);
    assert!(c.events.contains(&"NodeNotReady: Node node-2 status is now: NodeNotReady".to_string()), "{:?}", c.events);
    assert_eq!(endpoints(&c), 3, "the endpoint stays, not ready");
    c.run(400);
    let on = |n: &str| c.list("v1", "Pod").iter().filter(|p| p["spec"]["nodeName"] == n).count();
    assert_eq!((on("node-1") + on("node-3"), on("node-2")), (3, 1), "its own pod cannot be confirmed gone");
    assert!(c.events.iter().any(|e| e.starts_with("TaintManagerEviction: Marking for deletion Pod default/web-")));
    assert_at_rest(&mut c);
    c.delete(("v1", "Node"), "node-2", Propagation::Background);
    c.run(120);
    assert_eq!(c.list("v1", "Pod").len(), 3, "with the node gone its pod goes too");
}

#[test]
fn cascading_deletion() {
    for (how, pods_left) in [(Propagation::Background, 0), (Propagation::Foreground, 0), (Propagation::Orphan, 2)] {
        let mut c = Cluster::new(web(2));
        c.run(30);
        c.delete(DEPLOYMENT, "default/web", how);
        c.run(60);
        assert_eq!(c.list("apps/v1", "Deployment").len(), 0, "{how:?}");
        assert_eq!(c.list("v1", "Pod").len(), pods_left, "{how:?}");
        assert_at_rest(&mut c);
    }
}

#[test]
fn deleting_the_namespace_leaves_nothing() {
    let mut c = Cluster::new(web(2));
    c.run(30);
    c.delete(NAMESPACE, "default", Propagation::Background);
    c.run(60);
    assert_eq!(c.list("v1", "Namespace").len(), 0);
    for (v, k) in [("v1", "Pod"), ("apps/v1", "ReplicaSet"), ("v1", "ConfigMap"), ("v1", "ServiceAccount")] {
        assert!(c.list(v, k).iter().all(|o| o["metadata"]["namespace"] != "default"), "{k}");
    }
    assert_at_rest(&mut c);
}
