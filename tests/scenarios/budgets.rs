//! Disruption budgets: evictions and preemption keep to them.

use expect_test::expect;
use testkit::{apply, class, classed_pod, cluster, events, run, table};

const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: main, image: nginx}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec:
  maxUnavailable: 1
  selector: {matchLabels: {app: web}}
";

#[test]
fn a_drain_takes_no_more_than_the_budget_allows() {
    let mut c = cluster(1);
    apply(&mut c, WEB);
    run(&mut c, 30);
    expect![[r#"
        web  N/A  1  1
    "#]]
    .assert_eq(&table(&c, "poddisruptionbudgets"));
    let refused = c.drain("node-1").expect_err("two of the three pods are protected");
    expect!["Cannot evict pod as it would violate the pod's disruption budget."].assert_eq(refused.message());
    let causes = refused.0.details.clone().unwrap_or_default().causes.unwrap_or_default();
    expect!["The disruption budget web needs 2 healthy pods and has 3 currently"]
        .assert_eq(causes[0].message.as_deref().unwrap_or(""));
    // The node takes no pods any more, so the replacement waits, and with it the budget.
    run(&mut c, 30);
    expect![[r#"
        web  N/A  1  0
    "#]]
    .assert_eq(&table(&c, "poddisruptionbudgets"));
    assert!(c.drain("node-1").is_err());
    c.cordon("node-1", false).expect("the node is there");
    run(&mut c, 30);
    expect![[r#"
        web  N/A  1  1
    "#]]
    .assert_eq(&table(&c, "poddisruptionbudgets"));
}

#[test]
fn preemption_spares_pods_with_a_budget() {
    let pod = |name: &str, class: &str, spec: &str| classed_pod(name, class, "3", ", image: nginx", spec);
    let on = |node: &str| format!("  nodeSelector: {{kubernetes.io/hostname: {node}}}\n");
    let mut c = cluster(2);
    apply(&mut c, &(class("low", 1, "") + &class("middle", 5, "") + &class("high", 10, "")));
    apply(
        &mut c,
        "{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: kept}, spec: {minAvailable: 1, selector: \
         {matchLabels: {app: kept}}}}\n",
    );
    apply(&mut c, &pod("kept", "low", &on("node-1")));
    apply(&mut c, &pod("other", "middle", &on("node-2")));
    run(&mut c, 20);
    apply(&mut c, &pod("vip", "high", ""));
    run(&mut c, 60);
    // Without the budget the pod of the lower class would have gone.
    expect![[r#"
        kept  1/1  Running  0
        vip  1/1  Running  0
    "#]]
    .assert_eq(&table(&c, "pods"));
    expect![[r#"
        Scheduled Successfully assigned default/kept to node-1
        Pulling Pulling image "nginx"
        Pulled Successfully pulled image "nginx" in 2.832s (2.832s including waiting). Image size: 72825575 bytes.
        Created Container created
        Started Container started
    "#]]
    .assert_eq(&events(&c, "kept"));
}
