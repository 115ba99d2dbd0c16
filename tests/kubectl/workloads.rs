//! StatefulSets and Jobs with kubectl.

use crate::table;
use system_tests::Server;

#[test]
fn a_statefulset_from_first_to_last() {
    let Some(s) = Server::start(&["--speed", "10"]) else { return };
    s.apply("statefulset.yaml");
    let status = s.k("rollout status statefulset/web --timeout=120s");
    assert!(
        status.contains("partitioned roll out complete: 2 new pods have been updated...")
            || status.contains("statefulset rolling update complete 2 pods at revision web-"),
        "{status}"
    );
    let (columns, rows) = (s.k("get sts"), s.k("get sts -o wide"));
    assert_eq!(table(&columns).0, ["NAME", "READY", "AGE"]);
    assert_eq!(table(&rows).0, ["NAME", "READY", "AGE", "CONTAINERS", "IMAGES"]);
    assert_eq!(table(&columns).1[0][..2], ["web", "2/2"]);
    assert_eq!(s.k("get pods -l app=nginx -o name"), "pod/web-0\npod/web-1\n");
    assert_eq!(s.k("get pvc -o name"), "persistentvolumeclaim/www-web-0\npersistentvolumeclaim/www-web-1\n");
    let described = s.k("describe sts web");
    for words in [
        "Update Strategy:    RollingUpdate",
        "Pods Status:        2 Running / 0 Waiting / 0 Succeeded / 0 Failed",
        "create Pod web-0 in StatefulSet web successful",
        "create Claim www-web-1 Pod web-1 in StatefulSet web success",
    ] {
        assert!(described.contains(words), "no {words} in\n{described}");
    }
    assert!(s.k("explain statefulset.spec.podManagementPolicy").contains("podManagementPolicy controls how pods"));
    assert_eq!(s.k("scale sts web --replicas=3"), "statefulset.apps/web scaled\n");
    s.until("get sts web", |o| o.contains("3/3"));
    s.k("set image sts/web nginx=registry.k8s.io/nginx-slim:0.21");
    s.k("rollout status statefulset/web --timeout=120s");
    let history = s.k("rollout history sts/web");
    assert!(history.contains("REVISION  CHANGE-CAUSE\n1         <none>\n2         <none>\n"), "{history}");
    assert_eq!(s.k("rollout undo sts/web"), "statefulset.apps/web rolled back\n");
    s.k("rollout status statefulset/web --timeout=120s");
    assert_eq!(s.k("get pod web-2 -o jsonpath={..containers[*].image}"), "registry.k8s.io/nginx-slim:0.24");
    let (columns, rows) = (s.k("get controllerrevisions"), s.k("get controllerrevisions"));
    assert_eq!(table(&columns).0, ["NAME", "CONTROLLER", "REVISION", "AGE"]);
    assert_eq!(table(&rows).1[0][1], "statefulset.apps/web");
    s.k("delete sts web");
    s.until("get pods -o name", str::is_empty);
}

#[test]
fn jobs_from_first_to_last() {
    let Some(s) = Server::start(&["--speed", "10"]) else { return };
    s.apply("job.yaml");
    assert_eq!(s.k("wait --for=condition=complete job/pi --timeout=60s"), "job.batch/pi condition met\n");
    let jobs = s.k("get jobs");
    let (columns, rows) = table(&jobs);
    assert_eq!(columns, ["NAME", "STATUS", "COMPLETIONS", "DURATION", "AGE"]);
    assert_eq!(rows[0][..3], ["pi", "Complete", "1/1"]);
    let described = s.k("describe job pi");
    for words in [
        "Completion Mode:  NonIndexed",
        "Pods Statuses:    0 Active (0 Ready) / 1 Succeeded / 0 Failed",
        "Job completed",
    ] {
        assert!(described.contains(words), "no {words} in\n{described}");
    }
    assert_eq!(s.k("create job one --image=busybox -- echo hello"), "job.batch/one created\n");
    s.k("wait --for=condition=complete job/one --timeout=60s");
    assert_eq!(s.k("logs job/one"), "hello\n");
    s.k("delete job pi one");
    s.until("get pods -o name", str::is_empty);
}
