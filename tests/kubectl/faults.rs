//! Nodes taken out of use.

use system_tests::Server;

#[test]
fn cordon_drain_and_taint() {
    let Some(s) = Server::start(&["--sim-nodes", "2", "--speed", "10"]) else { return };
    let nodes = s.until("get nodes -o name", |o| o.lines().count() == 2);
    let node = nodes.lines().next().unwrap_or_default().trim_start_matches("node/").to_string();
    s.until("get nodes", |o| o.matches(" Ready ").count() == 2);

    assert_eq!(s.k(&format!("cordon {node}")), format!("node/{node} cordoned\n"));
    assert!(s.k(&format!("get node {node}")).contains("Ready,SchedulingDisabled"));
    s.apply("deployment.yaml");
    s.k("rollout status deployment/nginx-deployment --timeout=60s");
    let on = |node: &str| s.k(&format!("get pods -o name --field-selector spec.nodeName={node}")).lines().count();
    assert_eq!(on(&node), 0);
    assert_eq!(s.k(&format!("uncordon {node}")), format!("node/{node} uncordoned\n"));

    let other = nodes.lines().nth(1).unwrap_or_default().trim_start_matches("node/").to_string();
    let drained = s.k(&format!("drain {other} --ignore-daemonsets --timeout=60s"));
    assert!(drained.contains(&format!("node/{other} drained")) && drained.contains("evicted"), "{drained}");
    s.until("get deployment nginx-deployment", |o| o.contains("3/3"));
    assert_eq!((on(&node), on(&other)), (3, 0));

    assert_eq!(s.k(&format!("taint node {other} dedicated=x:NoSchedule")), format!("node/{other} tainted\n"));
    assert!(s.k(&format!("describe node {other}")).contains("dedicated=x:NoSchedule"));
}
