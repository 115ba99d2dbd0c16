//! Static pods and their mirrors with kubectl.

use crate::table;
use system_tests::Server;

#[test]
fn the_control_plane_is_pods_of_a_node() {
    let Some(s) = Server::start(&["--control-plane-node", "--sim-nodes", "1", "--speed", "10"]) else { return };
    s.k("wait --for=condition=Ready node/control-plane --timeout=60s");
    let ready = "wait --for=condition=Ready pods --all -n kube-system --timeout=60s";
    s.until("get pods -n kube-system -o name", |o| o.lines().count() >= 6);
    s.k(ready);
    let text = s.k("get pods -n kube-system -o wide");
    let (columns, rows) = table(&text);
    assert_eq!(columns[..6], ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP"]);
    let row = |name: &str| rows.iter().find(|r| r[0] == name).unwrap_or_else(|| panic!("no {name} in\n{text}"));
    for name in ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] {
        let row = row(&format!("{name}-control-plane"));
        assert_eq!((row[1], row[2], row[3], row[5], row[6]), ("1/1", "Running", "0", "172.18.0.2", "control-plane"));
    }
    assert_eq!(rows.iter().filter(|r| r[0].starts_with("coredns-")).count(), 2);
    let nodes = s.k("get nodes");
    let (_, nodes) = table(&nodes);
    assert!(nodes.iter().any(|n| n[..3] == ["control-plane", "Ready", "control-plane"]), "{nodes:?}");

    // A mirror pod that is deleted comes back; the containers have not noticed. kubectl does not wait: between its first look
    // and its watch the mirror may be there again, and then it waits for that one's end.
    let uid = "get pod kube-scheduler-control-plane -n kube-system -o jsonpath={.metadata.uid}";
    let started =
        "get pod kube-scheduler-control-plane -n kube-system -o jsonpath={.status.containerStatuses[0].state}";
    let (before, state) = (s.k(uid), s.k(started));
    let deleted = s.k("delete pod kube-scheduler-control-plane -n kube-system --wait=false");
    assert!(deleted.starts_with("pod \"kube-scheduler-control-plane\" deleted"), "{deleted}");
    s.until(uid, |o| !o.is_empty() && o != before);
    assert_eq!(s.until(started, |o| !o.is_empty()), state);

    let described = s.k("describe pod kube-scheduler-control-plane -n kube-system");
    for words in [
        "Priority Class Name:  system-node-critical",
        "Priority:             2000001000",
        "Labels:               component=kube-scheduler\n                      tier=control-plane",
        "kubernetes.io/config.source: file",
        "Controlled By:  Node/control-plane",
        "--leader-elect=true",
        "Liveness:     http-get https://127.0.0.1:probe-port/livez delay=10s timeout=15s period=10s #success=1 #failure=8",
        "Tolerations:       :NoExecute op=Exists",
        "Normal  Started",
    ] {
        assert!(described.contains(words), "no {words} in\n{described}");
    }
    assert!(!s.k("logs kube-scheduler-control-plane -n kube-system").contains("Error"));
    // What nodes may not do, they are told.
    let refused = s.kubectl(&[
        "--as=system:node:node-1",
        "--as-group=system:nodes",
        "delete",
        "pod",
        "kube-scheduler-control-plane",
        "-n",
        "kube-system",
    ]);
    let why = "is forbidden: node \"node-1\" can only delete pods with spec.nodeName set to itself";
    assert!(refused.bad().contains(why));
}

const WEB: &str =
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: c\n    image: nginx\n";

#[test]
fn a_directory_of_static_pods_is_followed() {
    let dir = std::env::temp_dir().join(format!("kubottle-static-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("web.yaml"), WEB).unwrap();
    std::fs::write(dir.join("bad.yaml"), WEB.replace("spec:\n", "spec:\n  serviceAccountName: a\n")).unwrap();
    let path = format!("node-2={}", dir.display());
    let server = Server::start(&["--pod-manifest-path", &path, "--sim-nodes", "2", "--speed", "10"]);
    if let Some(s) = server {
        s.until("get pods -o name", |o| o == "pod/web-node-2\n");
        s.k("wait --for=condition=Ready pod/web-node-2 --timeout=60s");
        let node = s.k("get pod web-node-2 -o jsonpath={.spec.nodeName}/{.metadata.ownerReferences[0].kind}");
        assert_eq!(node, "node-2/Node");
        std::fs::write(dir.join("web.yaml"), WEB.replace("nginx", "httpd")).unwrap();
        s.until("get pod web-node-2 -o jsonpath={.spec.containers[0].image}", |o| o == "httpd");
        s.k("wait --for=condition=Ready pod/web-node-2 --timeout=60s");
        std::fs::remove_file(dir.join("web.yaml")).unwrap();
        s.until("get pods -o name", str::is_empty);
    }
    std::fs::remove_dir_all(&dir).unwrap();
}
