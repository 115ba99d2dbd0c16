//! Pods from files of the node.

use super::World;
use crate::statics::{self, Manifests};
use expect_test::expect;
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};
use std::sync::Arc;

fn manifest(value: Value) -> Pod {
    serde_json::from_value(value).expect("a pod")
}

fn web(image: &str) -> Pod {
    let spec = json!({ "containers": [{ "name": "c", "image": image }], "terminationGracePeriodSeconds": 3 });
    manifest(json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "web" }, "spec": spec }))
}

fn files(list: &[(&str, Pod)]) -> Manifests {
    list.iter().map(|(file, pod)| ((*file).to_string(), Arc::new(pod.clone()))).collect()
}

impl World {
    fn manifests(&mut self, list: &[(&str, Pod)]) {
        self.kubelet.set_manifests(self.now, files(list));
    }
    fn annotation(&self, pod: &str, name: &str) -> String {
        let annotations = self.get(pod).and_then(|p| p.metadata.annotations.clone()).unwrap_or_default();
        annotations.get(name).cloned().unwrap_or_default()
    }
}

/// Models `TestReadPodsFromFileExistAlready` and its siblings in `pkg/kubelet/config/file_linux_test.go`.
#[test]
fn a_file_becomes_a_pod_of_the_node() {
    let pod = statics::read(&web("nginx:1.25"), "/etc/kubernetes/manifests/web.yaml", "node-1").expect("a pod");
    let (m, spec) = (&pod.metadata, pod.spec.clone().unwrap_or_default());
    assert_eq!(m.name.as_deref(), Some("web-node-1"));
    assert_eq!(m.namespace.as_deref(), Some("default"));
    assert_eq!(spec.node_name.as_deref(), Some("node-1"));
    assert_eq!(spec.restart_policy.as_deref(), Some("Always"));
    let uid = m.uid.clone().unwrap_or_default();
    assert_eq!(uid.len(), 32);
    let annotations = m.annotations.clone().unwrap_or_default();
    assert_eq!(annotations.get("kubernetes.io/config.hash"), Some(&uid));
    assert_eq!(annotations.get("kubernetes.io/config.source").map(String::as_str), Some("file"));
    let tolerations = serde_json::to_value(&spec.tolerations).unwrap_or_default();
    assert_eq!(tolerations, json!([{ "operator": "Exists", "effect": "NoExecute" }]));
    assert_eq!(pod.status.and_then(|s| s.phase).as_deref(), Some("Pending"));
    // The same file of another node, another file, and another content are other pods; the same is the same.
    let uid_of = |pod: &Pod, file: &str, node: &str| statics::read(pod, file, node).expect("a pod").metadata.uid;
    let one = uid_of(&web("nginx:1.25"), "a.yaml", "n1");
    assert_eq!(one, uid_of(&web("nginx:1.25"), "a.yaml", "n1"));
    assert_ne!(one, uid_of(&web("nginx:1.25"), "b.yaml", "n1"));
    assert_ne!(one, uid_of(&web("nginx:1.25"), "a.yaml", "n2"));
    assert_ne!(one, uid_of(&web("nginx:1.26"), "a.yaml", "n1"));
}

#[test]
fn what_needs_the_api_cannot_come_from_a_file() {
    let read = |metadata: Value, spec: Value| {
        statics::read(&manifest(json!({ "metadata": metadata, "spec": spec })), "f", "n").expect_err("refused")
    };
    let name = json!({ "name": "p" });
    let container = json!([{ "name": "c", "image": "i" }]);
    assert_eq!(read(json!({}), json!({ "containers": container })), "invalid pod: name is needed for the pod");
    let none = read(name.clone(), json!({ "containers": [] }));
    assert_eq!(none, "invalid pod: [spec.containers: Required value]");
    let account = read(name.clone(), json!({ "containers": container, "serviceAccountName": "a" }));
    assert_eq!(account, "static pods may not reference serviceaccounts");
    let volumes = json!([{ "name": "v", "configMap": { "name": "m" } }]);
    let map = read(name, json!({ "containers": container, "volumes": volumes }));
    assert_eq!(map, "static pods may not reference configmaps");
}

#[test]
fn a_static_pod_runs_and_is_shown_by_a_mirror() {
    let mut w = World::new();
    w.take_log();
    w.manifests(&[("web.yaml", web("nginx:1.25"))]);
    w.run(20);
    expect![[r#"
        2.0s status web-node-1: Pending Ready=False c:ContainerCreating
        2.3s Normal Pulling web-node-1: Pulling image "nginx:1.25"
        2.3s status web-node-1: Pending Ready=False c:ContainerCreating
        4.5s Normal Pulled web-node-1: Successfully pulled image "nginx:1.25" in 2.274s (2.274s including waiting). Image size: 72104825 bytes.
        4.5s Normal Created web-node-1: Container created
        4.7s Normal Started web-node-1: Container started
        4.7s status web-node-1: Running Ready=True c:running
    "#]].assert_eq(&w.take_log());
    let mirror = w.get("web-node-1").cloned().expect("a mirror pod");
    let hash = w.annotation("web-node-1", "kubernetes.io/config.hash");
    assert_eq!(w.annotation("web-node-1", "kubernetes.io/config.mirror"), hash);
    assert_eq!(w.annotation("web-node-1", "kubernetes.io/config.seen"), "2026-01-01T00:00:02Z");
    let owners = serde_json::to_value(&mirror.metadata.owner_references).unwrap_or_default();
    let node = json!({ "apiVersion": "v1", "kind": "Node", "name": "node-1", "uid": "uid-node-1", "controller": true });
    assert_eq!(owners, json!([node]));
    // The API knows it by a UID of its own, the node by the file's.
    assert_ne!(mirror.metadata.uid.as_ref(), Some(&hash));
    assert_eq!(api::references::uid_on_node(&mirror), hash);
    assert!(api::pods::is_ready(&mirror));
}

#[test]
fn deleting_a_mirror_pod_changes_nothing_about_the_static_pod() {
    let mut w = World::new();
    w.manifests(&[("web.yaml", web("nginx:1.25"))]);
    w.run(20);
    let before = w.get("web-node-1").and_then(|p| p.status.clone()).expect("a status");
    w.take_log();
    w.delete("web-node-1", 3);
    w.run(20);
    expect![[r#"
        22.0s delete pods web-node-1 grace=Some(0)
        22.0s status web-node-1: Running Ready=True c:running
    "#]]
    .assert_eq(&w.take_log());
    let after = w.get("web-node-1").cloned().expect("a mirror again");
    assert_eq!(after.metadata.deletion_timestamp, None);
    assert_eq!(after.status, Some(before));
    // So does a forced deletion, and somebody else's pod under its name.
    w.change_pod("web-node-1", None);
    w.run(5);
    assert!(w.get("web-node-1").is_some_and(api::pods::is_ready));
    let mut other = w.get("web-node-1").cloned().expect("a mirror");
    other.metadata.annotations.get_or_insert_default().insert("kubernetes.io/config.mirror".into(), "old".into());
    w.put(Arc::new(other));
    w.run(5);
    assert_eq!(
        w.annotation("web-node-1", "kubernetes.io/config.mirror"),
        w.annotation("web-node-1", "kubernetes.io/config.hash")
    );
    assert_eq!(w.kubelet.runtime().containers().len(), 1);
}

#[test]
fn a_changed_file_is_another_pod_under_the_same_name() {
    let mut w = World::new();
    w.manifests(&[("web.yaml", web("nginx:1.25"))]);
    w.run(20);
    let before = w.annotation("web-node-1", "kubernetes.io/config.mirror");
    w.take_log();
    w.manifests(&[("web.yaml", web("httpd:2.4"))]);
    w.run(30);
    expect![[r#"
        22.0s Normal Killing web-node-1: Stopping container c
        22.0s status web-node-1: Succeeded Ready=False c:Completed(0)
        22.0s delete pods web-node-1 grace=Some(0)
        22.0s status web-node-1: Pending Ready=False c:ContainerCreating
        22.4s Normal Pulling web-node-1: Pulling image "httpd:2.4"
        22.4s status web-node-1: Pending Ready=False c:ContainerCreating
        24.7s Normal Pulled web-node-1: Successfully pulled image "httpd:2.4" in 2.258s (2.258s including waiting). Image size: 58516727 bytes.
        24.7s Normal Created web-node-1: Container created
        24.9s Normal Started web-node-1: Container started
        24.9s status web-node-1: Running Ready=True c:running
    "#]].assert_eq(&w.take_log());
    assert_ne!(w.annotation("web-node-1", "kubernetes.io/config.mirror"), before);
    assert!(w.get("web-node-1").is_some_and(api::pods::is_ready));
    assert_eq!(w.kubelet.runtime().containers().len(), 1);
    w.take_log();
    w.manifests(&[]);
    w.run(10);
    expect![[r#"
        52.0s Normal Killing web-node-1: Stopping container c
        52.0s status web-node-1: Succeeded Ready=False c:Completed(0)
        52.0s delete pods web-node-1 grace=Some(0)
    "#]]
    .assert_eq(&w.take_log());
    assert!(w.get("web-node-1").is_none());
    assert!(w.kubelet.runtime().containers().is_empty());
}

#[test]
fn a_restarted_kubelet_finds_its_static_pods_running() {
    use reconcile::{Component, Cx};
    let mut w = World::new();
    w.manifests(&[("web.yaml", web("nginx:1.25"))]);
    w.run(20);
    let before = w.get("web-node-1").and_then(|p| p.status.clone());
    w.take_log();
    w.kubelet.start(&Cx { now: w.now, view: &w.view, recording: true });
    w.run(20);
    expect![[r#"
        22.0s Normal Starting node-1: Starting kubelet.
        22.0s Normal NodeHasSufficientMemory node-1: Node node-1 status is now: NodeHasSufficientMemory
        22.0s Normal NodeHasNoDiskPressure node-1: Node node-1 status is now: NodeHasNoDiskPressure
        22.0s Normal NodeHasSufficientPID node-1: Node node-1 status is now: NodeHasSufficientPID
        22.0s Normal NodeAllocatableEnforced node-1: Updated Node Allocatable limit across pods
    "#]]
    .assert_eq(&w.take_log());
    assert_eq!(w.get("web-node-1").and_then(|p| p.status.clone()), before);
    assert_eq!(w.kubelet.runtime().containers().len(), 1);
}

/// Nobody's: its file went while the kubelet was down.
#[test]
fn a_mirror_of_nothing_goes() {
    let mut w = World::new();
    let mut pod = web("nginx:1.25");
    pod.metadata.name = Some("orphan-node-1".into());
    pod.metadata.namespace = Some("default".into());
    pod.metadata.annotations = Some([("kubernetes.io/config.mirror".to_string(), "x".to_string())].into());
    pod.spec.get_or_insert_default().node_name = Some("node-1".into());
    w.put(Arc::new(pod));
    w.run(5);
    assert!(w.get("orphan-node-1").is_none());
}

/// The exercise of every course: a file is put into the directory by a pod that has the node's disk, taken out, and put back.
#[test]
fn a_pod_writes_the_manifests() {
    let mut w = World::new();
    let manifest = "apiVersion: v1\\nkind: Pod\\nmetadata: {name: web}\\nspec:\\n  terminationGracePeriodSeconds: 3\\n  \
        containers: [{name: c, image: nginx}]\\n";
    let script = format!(
        "cd /host/etc/kubernetes/manifests; sleep 2; printf '{manifest}' > web.yaml; echo no > note; sleep 58; \
         mv web.yaml /host/tmp/; sleep 60; mv /host/tmp/web.yaml .; sleep 60; mv web.yaml .hidden; sleep 1; mv .hidden web.yaml; sleep 60; \
         rm web.yaml; sleep 9999"
    );
    let mount = json!([{ "name": "root", "mountPath": "/host" }]);
    w.pod(
        "admin",
        json!({
            "containers": [{ "name": "a", "image": "busybox", "command": ["sh", "-c", script], "volumeMounts": mount }],
            "volumes": [{ "name": "root", "hostPath": { "path": "/" } }],
        }),
    );
    let ready = |w: &World| w.get("web-node-1").map(api::pods::is_ready);
    w.run(50);
    assert_eq!(ready(&w), Some(true));
    w.run(60);
    assert_eq!(ready(&w), None);
    w.run(60);
    assert_eq!(ready(&w), Some(true));
    // Out and back before it has ended: it starts again all the same.
    w.run(60);
    assert_eq!(ready(&w), Some(true));
    w.run(60);
    assert_eq!(ready(&w), None);
    // A kubelet that starts again reads the directory.
    let cx = reconcile::Cx { now: w.now, view: &w.view, recording: true };
    reconcile::Component::start(&mut w.kubelet, &cx);
    w.run(5);
    assert_eq!(ready(&w), None);
}

#[test]
fn of_two_files_with_one_name_the_first_runs_until_it_is_gone() {
    let mut w = World::new();
    w.manifests(&[("web.yaml", web("nginx:1.25"))]);
    w.run(20);
    let first = w.annotation("web-node-1", "kubernetes.io/config.mirror");
    assert!(!first.is_empty());
    w.take_log();
    w.manifests(&[("web.yaml", web("nginx:1.25")), ("web.yaml.bak", web("nginx:1.25"))]);
    w.run(120);
    let log = w.take_log();
    assert!(log.matches("web-node-1").count() < 10, "{log}");
    assert_eq!(w.annotation("web-node-1", "kubernetes.io/config.mirror"), first);
    w.manifests(&[("web.yaml.bak", web("nginx:1.25"))]);
    w.run(60);
    let second = w.annotation("web-node-1", "kubernetes.io/config.mirror");
    assert!(!second.is_empty() && second != first, "{second}");
}
