//! The control plane as kubeadm makes it: a node whose static pods are its programs. What becomes of a program is seen at its
//! pod, and the other way round.

use cluster::Cluster;
use cluster::control_plane::NODE;
use expect_test::expect;
use k8s_openapi::api::core::v1::{ContainerStatus, Node, Pod};
use meta::Key;
use protocol::ApplyMode;
use testkit::{apply, cluster_with_control_plane, events, pods, run, table, try_apply};

const SCHEDULER: &str = "kube-scheduler-control-plane";

fn system_pod<'a>(c: &'a Cluster, name: &str) -> &'a Pod {
    c.view().get::<Pod>(&Key::new("kube-system", name)).expect(name)
}

fn container(c: &Cluster, name: &str) -> ContainerStatus {
    let statuses = system_pod(c, name).status.as_ref().and_then(|s| s.container_statuses.clone());
    statuses.and_then(|s| s.into_iter().next()).expect("a container's status")
}

/// Ready, restarts, and the state.
fn line(c: &Cluster, name: &str) -> String {
    let s = container(c, name);
    let state = s.state.unwrap_or_default();
    let text = match (state.running, state.waiting, state.terminated) {
        (Some(_), ..) => "running".to_string(),
        (_, Some(w), _) => w.reason.unwrap_or_default(),
        (_, _, Some(t)) => format!("{} ({})", t.reason.unwrap_or_default(), t.exit_code),
        _ => "nothing".into(),
    };
    format!("ready={} restarts={} {text}", s.ready, s.restart_count)
}

fn pod_on(c: &mut Cluster, name: &str) {
    apply(
        c,
        &format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  containers:\n  - {{name: c, image: nginx}}\n"
        ),
    );
}

fn is_bound(c: &Cluster, name: &str) -> bool {
    let pod = pods(c).into_iter().find(|p| p.metadata.name.as_deref() == Some(name)).expect("the pod");
    pod.spec.and_then(|s| s.node_name).is_some_and(|n| !n.is_empty())
}

#[test]
fn the_programs_are_pods_of_a_node() {
    let mut c = cluster_with_control_plane(2);
    run(&mut c, 60);
    expect![[r#"
        coredns-cf5595645-hrz49  1/1  Running  0
        coredns-cf5595645-jcx7d  1/1  Running  0
        etcd-control-plane  1/1  Running  0
        kube-apiserver-control-plane  1/1  Running  0
        kube-controller-manager-control-plane  1/1  Running  0
        kube-scheduler-control-plane  1/1  Running  0
    "#]]
    .assert_eq(&table(&c, "pods"));
    expect![[r#"
        control-plane  Ready  control-plane  v1.35.0
        node-1  Ready  <none>  v1.35.0
        node-2  Ready  <none>  v1.35.0
    "#]]
    .assert_eq(&table(&c, "nodes"));
    let node = c.view().get::<Node>(&Key::new("", NODE)).expect("the node");
    let taints = serde_json::to_value(node.spec.as_ref().and_then(|s| s.taints.clone())).unwrap_or_default();
    let taint = serde_json::json!([{ "key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule" }]);
    assert_eq!(taints, taint);
    let scheduler = system_pod(&c, SCHEDULER);
    let labels = scheduler.metadata.labels.clone().unwrap_or_default();
    assert_eq!(labels.get("tier").map(String::as_str), Some("control-plane"));
    let owner = scheduler.metadata.owner_references.iter().flatten().next().expect("an owner");
    assert_eq!((owner.kind.as_str(), Some(&owner.uid)), ("Node", node.metadata.uid.as_ref()));
    // Ordinary pods stay away from it.
    for n in 0..6 {
        pod_on(&mut c, &format!("p{n}"));
    }
    run(&mut c, 30);
    assert!(pods(&c).iter().all(|p| p.spec.as_ref().and_then(|s| s.node_name.as_deref()) != Some(NODE)));
}

#[test]
fn a_crashed_scheduler_is_started_again_by_the_kubelet() {
    let mut c = cluster_with_control_plane(1);
    run(&mut c, 60);
    assert_eq!(line(&c, SCHEDULER), "ready=true restarts=0 running");
    assert!(c.crash_process("kube-scheduler"));
    run(&mut c, 3);
    run(&mut c, 60);
    assert_eq!(line(&c, SCHEDULER), "ready=true restarts=1 running");
    let last = container(&c, SCHEDULER).last_state.and_then(|s| s.terminated).expect("the run before");
    assert_eq!((last.exit_code, last.reason.as_deref()), (2, Some("Error")));
    pod_on(&mut c, "late");
    run(&mut c, 20);
    assert!(is_bound(&c, "late"));
    // The second time in ten minutes the kubelet waits, and so does whoever needs a scheduler.
    assert!(c.crash_process("kube-scheduler"));
    run(&mut c, 4);
    assert_eq!(line(&c, SCHEDULER), "ready=false restarts=1 CrashLoopBackOff");
    pod_on(&mut c, "later");
    run(&mut c, 2);
    assert!(!is_bound(&c, "later"));
    run(&mut c, 60);
    assert_eq!(line(&c, SCHEDULER), "ready=true restarts=2 running");
    assert!(is_bound(&c, "later"));
    // Nobody else was touched.
    assert_eq!(line(&c, "kube-controller-manager-control-plane"), "ready=true restarts=0 running");
}

#[test]
fn a_stopped_scheduler_is_a_container_that_does_not_run() {
    let mut c = cluster_with_control_plane(1);
    run(&mut c, 60);
    assert!(c.set_process("kube-scheduler", false));
    run(&mut c, 60);
    assert_eq!(line(&c, SCHEDULER), "ready=false restarts=0 Completed (0)");
    pod_on(&mut c, "late");
    run(&mut c, 30);
    assert!(!is_bound(&c, "late"));
    assert!(c.set_process("kube-scheduler", true));
    run(&mut c, 60);
    assert_eq!(line(&c, SCHEDULER), "ready=true restarts=1 running");
    assert!(is_bound(&c, "late"));
}

#[test]
fn a_scheduler_that_stands_still_is_killed_by_its_liveness_probe() {
    let mut c = cluster_with_control_plane(1);
    run(&mut c, 60);
    assert!(c.pause_process("kube-scheduler", true));
    run(&mut c, 60);
    assert_eq!(line(&c, SCHEDULER), "ready=false restarts=0 running");
    pod_on(&mut c, "late");
    // Eight failures, ten seconds and more apart, and half a minute of grace that it does not use.
    run(&mut c, 240);
    assert_eq!(line(&c, SCHEDULER), "ready=true restarts=1 running");
    assert!(is_bound(&c, "late"));
    expect![[r#"
        Pulled Container image "registry.k8s.io/kube-scheduler:v1.35.0" already present on machine and can be accessed by the pod (x2)
        Created Container created (x2)
        Started Container started (x2)
        Unhealthy Readiness probe failed: Get "https://127.0.0.1:10259/readyz": context deadline exceeded (Client.Timeout exceeded while awaiting headers) (x7)
        Unhealthy Liveness probe failed: Get "https://127.0.0.1:10259/livez": context deadline exceeded (Client.Timeout exceeded while awaiting headers) (x8)
        Killing Container kube-scheduler failed liveness probe, will be restarted
    "#]].assert_eq(&events(&c, SCHEDULER));
}

#[test]
fn without_its_kubelet_a_crashed_program_stays_down() {
    let mut c = cluster_with_control_plane(1);
    run(&mut c, 60);
    assert!(c.set_process("kubelet/control-plane", false));
    assert!(c.crash_process("kube-controller-manager"));
    run(&mut c, 30);
    apply(&mut c, crate::rollout::NGINX);
    run(&mut c, 60);
    assert_eq!(pods(&c).len(), 0);
    assert!(c.set_process("kubelet/control-plane", true));
    run(&mut c, 120);
    assert_eq!(pods(&c).len(), 3);
    assert_eq!(line(&c, "kube-controller-manager-control-plane"), "ready=true restarts=1 running");
}

/// Asks once for a name, and how that ended.
fn ask(c: &mut Cluster, name: &str) -> String {
    apply(
        c,
        &format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  restartPolicy: Never\n  containers:\n  \
             - {{name: c, image: busybox, command: [nslookup, kubernetes.default]}}\n"
        ),
    );
    run(c, 40);
    let pod = pods(c).into_iter().find(|p| p.metadata.name.as_deref() == Some(name)).expect("the pod");
    pod.status.and_then(|s| s.phase).unwrap_or_default()
}

#[test]
fn names_resolve_as_long_as_coredns_runs() {
    let mut c = cluster_with_control_plane(1);
    run(&mut c, 60);
    assert_eq!(ask(&mut c, "before"), "Succeeded");
    const DNS: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: coredns, namespace: kube-system}\n";
    try_apply(&mut c, ApplyMode::Delete, DNS);
    run(&mut c, 60);
    assert_eq!(ask(&mut c, "without"), "Failed");
}
