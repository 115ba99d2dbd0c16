//! ReplicationControllers with kubectl.

use crate::table;
use system_tests::Server;

#[test]
fn a_replicationcontroller_from_first_to_last() {
    let Some(s) = Server::start(&["--speed", "10"]) else { return };
    assert_eq!(s.apply("replicationcontroller.yaml"), "replicationcontroller/nginx created\n");
    let controllers = s.until("get rc -o wide", |o| table(o).1.first().is_some_and(|r| r[3] == "3"));
    let (columns, rows) = table(&controllers);
    assert_eq!(columns, ["NAME", "DESIRED", "CURRENT", "READY", "AGE", "CONTAINERS", "IMAGES", "SELECTOR"]);
    assert_eq!(rows[0][..4], ["nginx", "3", "3", "3"]);
    assert_eq!(rows[0][5..], ["nginx", "nginx", "app=nginx"]);
    let described = s.k("describe rc nginx");
    for words in [
        "Replicas:     3 current / 3 desired",
        "Pods Status:  3 Running / 0 Waiting / 0 Succeeded / 0 Failed",
        "replication-controller  Created pod: nginx-",
    ] {
        assert!(described.contains(words), "no {words} in\n{described}");
    }
    assert_eq!(s.k("scale rc nginx --replicas=1"), "replicationcontroller/nginx scaled\n");
    s.until("get pods -o name", |o| o.lines().count() == 1);
    let pod = s.k("get pods -o name");
    // A delete that says nothing about the pods leaves them, and the next controller takes them over.
    s.k("delete --raw /api/v1/namespaces/default/replicationcontrollers/nginx");
    s.until("get rc -o name", str::is_empty);
    let orphan = "get pods -o jsonpath={.items[*].metadata.ownerReferences}";
    s.until(orphan, str::is_empty);
    assert_eq!(s.k("get pods -o name"), pod);
    s.apply("replicationcontroller.yaml");
    s.until("get rc nginx", |o| table(o).1.first().is_some_and(|r| r[3] == "3"));
    assert!(s.k("get pods -o name").contains(pod.trim()), "the pod is one of the new controller's");
    s.k("delete rc nginx");
    s.until("get pods -o name", str::is_empty);
}
