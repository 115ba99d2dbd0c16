//! Pods: their phases, logs, exit codes, ends.

use crate::table;
use system_tests::Server;

#[test]
fn pods_live_and_end() {
    let Some(s) = Server::start(&["--speed", "10"]) else { return };
    s.apply("pod.yaml");
    assert_eq!(s.k("wait --for=condition=Ready pod/nginx --timeout=60s"), "pod/nginx condition met\n");
    let pods = s.k("get pods");
    let (columns, rows) = table(&pods);
    assert_eq!(columns, ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]);
    assert_eq!(rows[0][..4], ["nginx", "1/1", "Running", "0"]);
    assert!(s.k("get pod nginx -o wide").contains("NOMINATED NODE"));
    let described = s.k("describe pod nginx");
    for words in
        ["default-scheduler", "Successfully assigned default/nginx to", "Pulling image \"nginx:1.14.2\"", "Started"]
    {
        assert!(described.contains(words), "no {words} in\n{described}");
    }
    assert!(s.k("events").contains("Scheduled"));
    assert_eq!(s.k("get pod nginx -o jsonpath={.status.qosClass}"), "BestEffort");

    s.apply("pod-command.yaml");
    s.until("get pods", |o| o.contains("Completed") && o.contains("Error"));
    assert_eq!(s.k("logs fails"), "about to fail\n");
    assert!(s.k("logs command-demo").contains("tcp://10.96.0.1:443"));

    s.apply("pod-crash.yaml");
    s.until("get pod crash", |o| o.contains("CrashLoopBackOff"));
    s.apply("pod-image.yaml");
    s.until("get pod typo", |o| o.contains("ErrImagePull") || o.contains("ImagePullBackOff"));
    s.apply("pod-too-big.yaml");
    let described = s.until("describe pod too-big", |o| o.contains("FailedScheduling"));
    assert!(described.contains("0/3 nodes are available: 3 Insufficient cpu."), "{described}");
    s.until("get pod gated", |o| o.contains("SchedulingGated"));

    let deleted = s.k("delete pod nginx");
    assert!(deleted.starts_with("pod \"nginx\" deleted"), "{deleted}");
    let gone = s.kubectl(&["get", "pod", "nginx"]).bad();
    assert_eq!(gone, "Error from server (NotFound): pods \"nginx\" not found\n");
}

#[test]
fn a_namespace_takes_its_contents_with_it() {
    let Some(s) = Server::start(&["--speed", "10"]) else { return };
    s.apply("namespace.yaml");
    s.k("wait -n team-blue --for=condition=Ready pod/hello --timeout=60s");
    assert!(s.k("delete namespace team-blue").starts_with("namespace \"team-blue\" deleted"));
    assert_eq!(s.k("get pods -n team-blue -o name"), "");
}
