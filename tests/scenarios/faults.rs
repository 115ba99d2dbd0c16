//! Stopping a component has the effect it has in a real cluster, and starting it again heals.

use crate::rollout::NGINX;
use k8s_openapi::api::core::v1::Pod;
use protocol::ApplyMode;
use testkit::{apply, cluster, pods, run, try_apply};

fn ready(c: &cluster::Cluster) -> usize {
    pods(c).iter().filter(|p| api::pods::is_ready(p) && p.metadata.deletion_timestamp.is_none()).count()
}
fn node_of(p: &Pod) -> &str {
    p.spec.as_ref().and_then(|s| s.node_name.as_deref()).unwrap_or("")
}

#[test]
fn without_the_scheduler_pods_stay_pending() {
    let mut c = cluster(2);
    assert!(c.set_process("kube-scheduler", false));
    apply(&mut c, NGINX);
    run(&mut c, 60);
    assert_eq!(pods(&c).len(), 3);
    assert!(pods(&c).iter().all(|p| node_of(p).is_empty()));
    c.set_process("kube-scheduler", true);
    run(&mut c, 60);
    assert_eq!(ready(&c), 3);
}

#[test]
fn without_the_controller_manager_a_rollout_freezes() {
    let mut c = cluster(2);
    apply(&mut c, NGINX);
    run(&mut c, 60);
    c.set_process("kube-controller-manager", false);
    apply(&mut c, &NGINX.replace("nginx:1.14.2", "nginx:1.16.1"));
    run(&mut c, 60);
    let image = |p: &Pod| p.spec.as_ref().map(|s| s.containers[0].image.clone().unwrap_or_default());
    assert!(pods(&c).iter().all(|p| image(p).as_deref() == Some("nginx:1.14.2")));
    c.set_process("kube-controller-manager", true);
    run(&mut c, 120);
    assert_eq!(ready(&c), 3);
    assert!(pods(&c).iter().all(|p| image(p).as_deref() == Some("nginx:1.16.1")));
}

#[test]
fn without_the_controller_manager_a_new_namespace_takes_no_pods() {
    const YOUNG: &str = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: young\n";
    const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  namespace: young\nspec:\n  containers:\n  - name: c\n    image: nginx\n";
    let mut c = cluster(1);
    c.set_process("kube-controller-manager", false);
    apply(&mut c, YOUNG);
    let refused = try_apply(&mut c, ApplyMode::Apply, POD);
    let why: Vec<&str> = refused.errors.iter().map(|e| e.message.as_str()).collect();
    let want =
        "pods \"p\" is forbidden: error looking up service account young/default: serviceaccount \"default\" not found";
    assert!(why.len() == 1 && why[0].contains(want), "{why:?}");
    c.set_process("kube-controller-manager", true);
    // Until the lease of the one that was stopped has run out.
    run(&mut c, 20);
    apply(&mut c, POD);
    apply(&mut c, &format!("{}---\n{}", YOUNG.replace("young", "younger"), POD.replace("young", "younger")));
    run(&mut c, 30);
    for namespace in ["young", "younger"] {
        assert!(c.view().list_in::<Pod>(namespace).all(api::pods::is_ready), "{namespace}");
        assert_eq!(c.view().list_in::<Pod>(namespace).count(), 1);
    }
}

#[test]
fn a_dead_kubelet_loses_its_pods_after_five_minutes() {
    let mut c = cluster(2);
    apply(&mut c, NGINX);
    run(&mut c, 60);
    let victim = node_of(&pods(&c)[0]).to_string();
    c.set_process(&cluster::machines::kubelet_name(&victim), false);
    // 50 s until the lease counts as lost, a monitor period, 300 s of toleration, and the replacement's start.
    run(&mut c, 420);
    let alive: Vec<Pod> = pods(&c).into_iter().filter(|p| p.metadata.deletion_timestamp.is_none()).collect();
    assert_eq!(ready(&c), 3);
    assert!(alive.iter().all(|p| node_of(p) != victim), "replacements run elsewhere");
    c.set_process(&cluster::machines::kubelet_name(&victim), true);
    run(&mut c, 120);
    assert!(pods(&c).iter().all(|p| p.metadata.deletion_timestamp.is_none()), "the kubelet finished the old pods");
}

#[test]
fn drain_moves_pods_and_uncordon_takes_new_ones() {
    let mut c = cluster(2);
    apply(&mut c, NGINX);
    run(&mut c, 60);
    let node = node_of(&pods(&c)[0]).to_string();
    c.drain(&node).expect("the node exists");
    run(&mut c, 90);
    assert_eq!(ready(&c), 3);
    assert!(pods(&c).iter().all(|p| node_of(p) != node));
    c.cordon(&node, false).expect("the node exists");
    run(&mut c, 15);
    let said = testkit::events(&c, &node);
    for reason in ["NodeNotSchedulable", "NodeSchedulable"] {
        let line = format!("{reason} Node {node} status is now: {reason}\n");
        assert_eq!(said.matches(&line).count(), 1, "{said}");
    }
    assert!(c.cordon("nowhere", true).is_err());
}

#[test]
fn a_machine_without_power_comes_back_empty() {
    let mut c = cluster(1);
    apply(&mut c, NGINX);
    run(&mut c, 60);
    assert!(c.kill_machine("node-1"));
    assert!(!c.kill_machine("node-1"));
    run(&mut c, 30);
    assert!(c.revive_machine("node-1"));
    run(&mut c, 120);
    assert_eq!(ready(&c), 3, "the kubelet started the containers anew");
}

#[test]
fn without_kube_proxy_services_lead_where_they_led() {
    const WEB: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  selector:\n    matchLabels: {app: web}\n  template:\n    metadata:\n      labels: {app: web}\n    spec:\n      containers:\n      - name: c\n        image: nginx\n---\napiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  selector: {app: web}\n  ports:\n  - port: 80\n";
    let mut c = cluster(2);
    apply(&mut c, WEB);
    run(&mut c, 60);
    // Asks once, and how that ended.
    let ask = |c: &mut cluster::Cluster, name: &str| {
        apply(
            c,
            &format!(
                "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\nspec:\n  restartPolicy: Never\n  containers:\n  - name: c\n    image: busybox\n    command: [wget, -q, -O-, -T, '3', 'http://web']\n"
            ),
        );
        run(c, 30);
        let pod = pods(c).into_iter().find(|p| p.metadata.name.as_deref() == Some(name)).expect("the pod");
        pod.status.and_then(|s| s.phase).unwrap_or_default()
    };
    assert_eq!(ask(&mut c, "before"), "Succeeded");
    c.set_process("kube-proxy", false);
    let old = pods(&c).into_iter().find(|p| p.metadata.name.as_deref() != Some("before")).expect("nginx");
    try_apply(
        &mut c,
        ApplyMode::Delete,
        &format!("apiVersion: v1\nkind: Pod\nmetadata:\n  name: {}\n", old.metadata.name.unwrap_or_default()),
    );
    run(&mut c, 60);
    assert_eq!(ask(&mut c, "frozen"), "Failed", "the rules still name the pod that is gone");
    c.set_process("kube-proxy", true);
    run(&mut c, 5);
    assert_eq!(ask(&mut c, "healed"), "Succeeded");
}

#[test]
fn the_service_of_the_api_server_comes_back() {
    use k8s_openapi::api::core::v1::{Endpoints, Service};
    let mut c = cluster(1);
    let key = meta::Key::new("default", "kubernetes");
    let ip = |c: &cluster::Cluster| c.view().get::<Service>(&key).and_then(|s| s.spec.as_ref()?.cluster_ip.clone());
    let before = ip(&c);
    assert_eq!(before.as_deref(), Some("10.96.0.1"));
    let kind = api::by_gvk("", "v1", "Service").expect("a kind");
    c.request(cluster::requests::delete(meta::User::admin(), kind, &key, Default::default()));
    assert_eq!(ip(&c), None);
    run(&mut c, 15);
    assert_eq!(ip(&c), before);
    assert!(c.view().get::<Endpoints>(&key).is_some());
}
