//! Priorities decide who stays: a pod of a higher class takes the room of lower ones.

use cluster::Cluster;
use expect_test::expect;
use k8s_openapi::api::core::v1::Pod;
use testkit::{apply, class, classed_pod, cluster, events, run, table};

fn classes() -> String {
    let (low, patient) =
        (class("low", 10, ", globalDefault: true"), class("patient", 2000, ", preemptionPolicy: Never"));
    class("high", 1000, "") + &low + &patient
}

fn pod(name: &str, class: &str, cpu: &str) -> String {
    let sleep = ", image: busybox, command: [sleep, \"600\"]";
    classed_pod(name, class, cpu, sleep, "  terminationGracePeriodSeconds: 5\n")
}

#[test]
fn the_higher_class_takes_the_room() {
    let mut c = cluster(1);
    apply(&mut c, &classes());
    // Of equals the one that has run for longer stays.
    apply(&mut c, &pod("early", "", "1500m"));
    run(&mut c, 2);
    apply(&mut c, &pod("late", "", "2"));
    run(&mut c, 10);
    apply(&mut c, &pod("vip", "high", "2"));
    // While the victim ends, the place is reserved.
    run(&mut c, 1);
    let vip = c.view().get::<Pod>(&"default/vip".into()).and_then(|p| p.status.clone()).unwrap_or_default();
    assert_eq!(vip.nominated_node_name.as_deref(), Some("node-1"));
    let late = c.view().get::<Pod>(&"default/late".into()).and_then(|p| p.status.clone()).unwrap_or_default();
    let target = late.conditions.iter().flatten().find(|c| c.type_ == "DisruptionTarget").cloned().unwrap_or_default();
    assert_eq!(target.reason.as_deref(), Some("PreemptionByScheduler"));
    let why = "default-scheduler: preempting to accommodate a higher priority pod";
    assert_eq!(target.message.as_deref(), Some(why));
    run(&mut c, 20);
    expect![[r#"
        early  1/1  Running  0
        vip  1/1  Running  0
    "#]]
    .assert_eq(&table(&c, "pods"));
    expect![[r#"
        FailedScheduling 0/1 nodes are available: 1 Insufficient cpu.
        Scheduled Successfully assigned default/vip to node-1
        Pulling Pulling image "busybox"
        Pulled Successfully pulled image "busybox" in 583ms (583ms including waiting). Image size: 2107180 bytes.
        Created Container created
        Started Container started
    "#]]
    .assert_eq(&events(&c, "vip"));
    expect![[r#"
        Scheduled Successfully assigned default/late to node-1
        Pulling Pulling image "busybox"
        Pulled Successfully pulled image "busybox" in 518ms (518ms including waiting). Image size: 2107180 bytes.
        Created Container created
        Started Container started
        Preempted Preempted by pod 411f2c9d-3b48-48f4-acdc-c57d42aa28f2 on node node-1
        Killing Stopping container main
    "#]]
    .assert_eq(&events(&c, "late"));
    expect![[r#"
        high  1000  false  PreemptLowerPriority
        low  10  true  PreemptLowerPriority
        patient  2000  false  Never
        system-cluster-critical  2000000000  false  PreemptLowerPriority
        system-node-critical  2000001000  false  PreemptLowerPriority
    "#]]
    .assert_eq(&table(&c, "priorityclasses"));
}

/// Nobody stops the victims where no kubelet runs: without a grace period they are gone with the request, and the pods
/// that took their place are bound; with one they stay until somebody confirms that they have ended.
#[test]
fn where_no_kubelet_runs_only_victims_without_grace_make_room() {
    for (grace, bound) in [(0, 3), (30, 0)] {
        let mut c = cluster(0);
        apply(&mut c, &classes());
        for i in 1..=3 {
            apply(
                &mut c,
                &format!(
                    "apiVersion: v1\nkind: Node\nmetadata: {{name: bare-{i}}}\nstatus:\n  allocatable: {{cpu: '4', memory: 32Gi, \
                     pods: '110'}}\n  conditions: [{{type: Ready, status: 'True'}}]\n"
                ),
            );
        }
        let place = |name: &str, class: &str, cpu: &str| {
            pod(name, class, cpu).replace("GracePeriodSeconds: 5", &format!("GracePeriodSeconds: {grace}"))
        };
        run(&mut c, 2);
        for i in 0..12 {
            apply(&mut c, &place(&format!("low-{i}"), "", "900m"));
        }
        run(&mut c, 5);
        assert_eq!(pods(&c).iter().filter(|p| node_of(p).is_some()).count(), 12);
        for i in 0..3 {
            apply(&mut c, &place(&format!("vip-{i}"), "high", "3"));
        }
        run(&mut c, 15);
        let on = |prefix: &str| -> Vec<String> {
            let named = |p: &Pod| p.metadata.name.as_deref().is_some_and(|n| n.starts_with(prefix));
            pods(&c).iter().filter(|p| named(p)).filter_map(node_of).collect()
        };
        let nodes: std::collections::BTreeSet<String> = on("vip-").into_iter().collect();
        assert_eq!(nodes.len(), bound, "of three, with {grace} s of grace: {nodes:?}");
        // Each of them needs the room of three of a node's four.
        assert_eq!(on("low-").len(), 12 - 3 * bound);
        let going = pods(&c).iter().filter(|p| p.metadata.deletion_timestamp.is_some()).count();
        assert_eq!(going, 9 - 3 * bound);
    }
}

fn pods(c: &Cluster) -> Vec<Pod> {
    c.view().list_in("default").cloned().collect()
}

fn node_of(p: &Pod) -> Option<String> {
    p.spec.as_ref()?.node_name.clone()
}

#[test]
fn who_may_not_preempt_waits() {
    let mut c = cluster(1);
    apply(&mut c, &classes());
    apply(&mut c, &pod("old", "", "3"));
    run(&mut c, 10);
    apply(&mut c, &pod("waits", "patient", "2"));
    run(&mut c, 10);
    expect![[r#"
        old  1/1  Running  0
        waits  0/1  Pending  0
    "#]]
    .assert_eq(&table(&c, "pods"));
    expect![[r#"
        FailedScheduling 0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.
    "#]].assert_eq(&events(&c, "waits"));
}
