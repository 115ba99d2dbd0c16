//! A node that runs out of memory is tainted, and its pods run elsewhere.

use k8s_openapi::api::core::v1::{Node, Pod};
use meta::Key;
use testkit::{apply, cluster, events, pods, run};

const HOGS: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: hog}
spec:
  replicas: 2
  selector: {matchLabels: {app: hog}}
  template:
    metadata: {labels: {app: hog}}
    spec:
      containers:
      - {name: hog, image: polinux/stress, command: [stress, --vm, '1', --vm-bytes, 4000M]}
";

#[test]
fn a_pod_that_is_evicted_comes_back_on_another_node() {
    let mut c = cluster(2);
    let cordon = |c: &mut cluster::Cluster, on| c.cordon("node-2", on).expect("the node is there");
    cordon(&mut c, true);
    apply(&mut c, HOGS);
    // Both fit on one node, until they have taken what they want.
    let placed = |p: &Pod| p.spec.as_ref().is_some_and(|s| s.node_name.is_some());
    assert!(c.run_until(meta::Duration::from_secs(5), |c| pods(c).iter().filter(|p| placed(p)).count() == 2));
    cordon(&mut c, false);
    run(&mut c, 120);
    let evicted: Vec<Pod> = pods(&c)
        .into_iter()
        .filter(|p| p.status.as_ref().and_then(|s| s.reason.as_deref()) == Some("Evicted"))
        .collect();
    assert_eq!(evicted.len(), 1);
    let name = evicted[0].metadata.name.clone().unwrap_or_default();
    assert!(
        events(&c, &name)
            .contains("Evicted The node was low on resource: memory. Threshold quantity: 100Mi, available: ")
    );
    let node: &Node = c.view().get(&Key::from("node-1")).expect("the node");
    let taints: Vec<&str> = node.spec.iter().flat_map(|s| s.taints.iter().flatten()).map(|t| t.key.as_str()).collect();
    assert_eq!(taints, ["node.kubernetes.io/memory-pressure"]);
    let running = |node: &str| {
        let on = |p: &Pod| p.spec.as_ref().and_then(|s| s.node_name.clone()).as_deref() == Some(node);
        pods(&c).iter().filter(|p| api::pods::is_ready(p) && on(p)).count()
    };
    assert_eq!((running("node-1"), running("node-2")), (1, 1));
    run(&mut c, 400);
    let node: &Node = c.view().get(&Key::from("node-1")).expect("the node");
    assert_eq!(node.spec.as_ref().and_then(|s| s.taints.clone()), None);
}
