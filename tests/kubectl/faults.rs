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

#[test]
fn processes_are_stopped_and_started_from_the_terminal() {
    let Some(s) = Server::start(&["--sim-nodes", "1", "--speed", "10"]) else { return };
    s.until("get nodes", |o| o.contains(" Ready "));
    let set = |name: &str, verb: &str| s.k(&format!("create --raw /kubottle/processes/{name}/{verb} -f /dev/null"));
    let state = |list: &str, name: &str| {
        let line = list.lines().find(|l| l.starts_with(name)).unwrap_or_default().to_string();
        line.split_whitespace().last().unwrap_or_default().to_string()
    };
    assert_eq!(state(&set("kube-scheduler", "stop"), "kube-scheduler"), "stopped");
    s.k("run web --image=nginx");
    s.until("get pod web", |o| o.contains("Pending"));
    let refused = s.kubectl(&["create", "--raw", "/kubottle/processes/kube-schedule/stop", "-f", "/dev/null"]);
    assert!(!refused.ok && refused.err.contains("no process \"kube-schedule\", there are: "), "{}", refused.err);
    assert_eq!(s.k("get pod web -o jsonpath={.spec.nodeName}"), "");
    set("kube-scheduler", "start");
    s.until("get pod web", |o| o.contains("Running"));
    assert_eq!(state(&s.k("get --raw /kubottle/processes"), "kube-scheduler"), "running");
    assert_eq!(state(&set("kube-scheduler-2", "start"), "kube-scheduler-2"), "standby");
    let leases = s.k("get leases -n kube-system");
    let held = |l: &str| l.starts_with("kube-scheduler ") && l.contains(" control-plane_");
    assert!(leases.lines().any(held), "{leases}");
    // Its lease is given back, and the other takes it.
    set("kube-scheduler", "stop");
    s.until("get lease kube-scheduler -n kube-system", |o| o.contains("control-plane-2_"));
    let events = s.k("get events -n kube-system --field-selector involvedObject.kind=Lease");
    assert!(events.contains("LeaderElection") && events.contains("became leader"), "{events}");
    assert_eq!(state(&s.k("get --raw /kubottle/processes"), "kubelet/"), "running");
}

#[test]
fn faults_are_said_in_the_terminal() {
    let Some(s) = Server::start(&["--sim-nodes", "2", "--speed", "20"]) else { return };
    s.until("get nodes", |o| o.matches(" Ready ").count() == 2);
    let node = s.k("get nodes -o jsonpath={.items[0].metadata.name}");
    let script = |text: &str| {
        let file = std::env::temp_dir().join(format!("faults-{}", std::process::id()));
        std::fs::write(&file, text).expect("a file");
        s.kubectl(&["create", "--raw", "/kubottle/faults", "-f", &file.to_string_lossy()])
    };
    let all = script(&format!("# the first word\ncut {node}\nblock-image nginx:1.25\npause kube-scheduler\n")).good();
    assert_eq!(all, format!("unblock-image docker.io/library/nginx:1.25\nheal {node}\nstart kube-scheduler\n"));
    s.until("get nodes", |o| o.contains(" NotReady "));
    let refused = script("dance\n");
    assert!(!refused.ok && refused.err.contains("\"dance\" is not understood"), "{}", refused.err);
    assert!(s.k("get --raw /kubottle/faults").contains("slow PROCESS TIMES"));
    assert_eq!(script("mend\n").good(), "");
    s.until("get nodes", |o| o.matches(" Ready ").count() == 2);
}
