//! Nodes that are cut off, images that no registry gives, processes that die, stand still or are slow.

use crate::rollout::NGINX;
use cluster::machines::kubelet_name;
use cluster::{Cluster, Lamp};
use engine::{Session, act, faults};
use expect_test::expect;
use k8s_openapi::api::core::v1::{Node, Pod};
use kubelet::Kubelet;
use meta::{Duration, Key, Time};
use protocol::{ApplyMode, Command, File, Reply};
use testkit::{apply, cluster, events, pods, run};

fn say(c: &mut Cluster, words: &str) {
    let command = faults::command(words).expect("it is understood");
    assert_eq!(act(c, &command), Some(Reply::Done { id: 0, error: None }), "{words}");
}

fn on(p: &Pod) -> &str {
    p.spec.as_ref().and_then(|s| s.node_name.as_deref()).unwrap_or("")
}
fn leaves(p: &Pod) -> bool {
    p.metadata.deletion_timestamp.is_some()
}
fn ready(c: &Cluster) -> usize {
    pods(c).iter().filter(|p| api::pods::is_ready(p) && !leaves(p)).count()
}

/// Status and reason of the Ready condition, then the taints.
fn health(c: &Cluster, node: &str) -> String {
    let node: &Node = c.view().get(&Key::from(node)).expect("the node");
    let conditions = node.status.iter().flat_map(|s| s.conditions.iter().flatten());
    let ready = conditions.into_iter().find(|x| x.type_ == "Ready").expect("a Ready condition");
    let mut text = format!(
        "{} {}: {}",
        ready.status,
        ready.reason.as_deref().unwrap_or(""),
        ready.message.as_deref().unwrap_or("")
    );
    for t in node.spec.iter().flat_map(|s| s.taints.iter().flatten()) {
        text += &format!(" {}:{}", t.key, t.effect);
    }
    text
}

#[test]
fn a_node_that_is_cut_off_loses_its_pods_and_gives_them_up_when_it_is_back() {
    let mut c = cluster(2);
    apply(&mut c, NGINX);
    run(&mut c, 60);
    let node = on(&pods(&c)[0]).to_string();
    let there = |c: &Cluster| pods(c).iter().filter(|p| on(p) == node).count();
    let running = |c: &Cluster| {
        let kubelet: &Kubelet = c.component(&kubelet_name(&node)).expect("the kubelet");
        kubelet.runtime().containers().iter().filter(|r| r.exited.is_none()).count()
    };
    let (count, containers) = (there(&c), running(&c));
    assert!(count > 0 && containers == count);

    say(&mut c, &format!("cut {node}"));
    run(&mut c, 30);
    expect!["True KubeletReady: kubelet is posting ready status"].assert_eq(&health(&c, &node));
    run(&mut c, 40);
    expect!["Unknown NodeStatusUnknown: Kubelet stopped posting node status. node.kubernetes.io/unreachable:NoSchedule node.kubernetes.io/unreachable:NoExecute"].assert_eq(&health(&c, &node));
    assert_eq!(ready(&c), 3 - count, "its pods count as not ready");
    assert!(!pods(&c).iter().any(leaves));
    let log = c.pod_log(&cluster::http::LogRequest {
        pod_uid: pods(&c).iter().find(|p| on(p) == node).and_then(|p| p.metadata.uid.clone()).unwrap_or_default(),
        pod: Key::new("default", "x"),
        node: node.clone(),
        options: apiserver::LogOptions { container: "nginx".into(), ..Default::default() },
    });
    let why = log.expect_err("nobody reaches it").message().to_string();
    assert!(why.ends_with(":10250: i/o timeout"), "{why}");

    // The pods are evicted five minutes later, but nobody there hears of it.
    run(&mut c, 330);
    assert_eq!(ready(&c), 3, "others have taken their places");
    assert_eq!(pods(&c).iter().filter(|p| leaves(p) && on(p) == node).count(), count);
    assert_eq!(running(&c), containers, "the containers run on");

    say(&mut c, &format!("heal {node}"));
    run(&mut c, 60);
    expect!["True KubeletReady: kubelet is posting ready status"].assert_eq(&health(&c, &node));
    assert_eq!((pods(&c).len(), ready(&c), running(&c)), (3, 3, 0), "it has stopped what was evicted");
}

#[test]
fn a_node_that_is_back_in_time_keeps_its_pods() {
    let mut c = cluster(2);
    apply(&mut c, NGINX);
    run(&mut c, 60);
    let names = |c: &Cluster| pods(c).iter().map(|p| p.metadata.name.clone()).collect::<Vec<_>>();
    let before = names(&c);
    say(&mut c, "cut node-1");
    run(&mut c, 120);
    say(&mut c, "heal node-1");
    run(&mut c, 60);
    assert_eq!((names(&c), ready(&c)), (before, 3));
    expect!["True KubeletReady: kubelet is posting ready status"].assert_eq(&health(&c, "node-1"));
    let restarts = pods(&c)
        .iter()
        .flat_map(|p| p.status.clone()?.container_statuses)
        .flatten()
        .map(|s| s.restart_count)
        .sum::<i32>();
    assert_eq!(restarts, 0);
}

#[test]
fn what_comes_up_without_a_link_knows_nothing() {
    let mut c = cluster(1);
    apply(&mut c, NGINX);
    run(&mut c, 60);
    say(&mut c, "cut node-1");
    say(&mut c, "power-off node-1");
    run(&mut c, 10);
    say(&mut c, "power-on node-1");
    run(&mut c, 60);
    let kubelet: &Kubelet = c.component(&kubelet_name("node-1")).expect("the kubelet");
    assert!(kubelet.runtime().containers().is_empty());
    say(&mut c, "heal node-1");
    run(&mut c, 60);
    assert_eq!(ready(&c), 3);
}

#[test]
fn an_image_that_no_registry_gives() {
    let mut c = cluster(2);
    apply(
        &mut c,
        "{apiVersion: v1, kind: Pod, metadata: {name: first}, spec: {nodeName: node-1, containers: [{name: c, image: 'nginx:1.25'}]}}",
    );
    run(&mut c, 30);
    say(&mut c, "block-image nginx:1.25");
    for (name, node, policy) in
        [("second", "node-1", "IfNotPresent"), ("third", "node-2", "IfNotPresent"), ("fourth", "node-1", "Always")]
    {
        apply(
            &mut c,
            &format!(
                "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{nodeName: {node}, containers: [{{name: c, image: 'nginx:1.25', imagePullPolicy: {policy}}}]}}}}"
            ),
        );
    }
    run(&mut c, 3);
    let status = |c: &Cluster| {
        let rows = testkit::table(c, "pods");
        let row = |line: &str| line.split("  ").take(3).collect::<Vec<_>>().join(" ");
        rows.lines().map(row).collect::<Vec<_>>().join("\n")
    };
    expect![[r#"
        first 1/1 Running
        fourth 0/1 ErrImagePull
        second 1/1 Running
        third 0/1 ErrImagePull"#]]
    .assert_eq(&status(&c));
    run(&mut c, 10);
    expect![[r#"
        first 1/1 Running
        fourth 0/1 ErrImagePull
        second 1/1 Running
        third 0/1 ErrImagePull"#]]
    .assert_eq(&status(&c));
    expect![[r#"
        Pulling Pulling image "nginx:1.25" (x2)
        Failed Failed to pull image "nginx:1.25": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.25": failed to resolve reference "docker.io/library/nginx:1.25": docker.io/library/nginx:1.25: not found (x2)
        Failed Error: ErrImagePull (x2)
        BackOff Back-off pulling image "nginx:1.25"
        Failed Error: ImagePullBackOff
    "#]].assert_eq(&events(&c, "third"));
    // The repository as a whole.
    say(&mut c, "block-image nginx");
    say(&mut c, "unblock-image nginx:1.25");
    run(&mut c, 60);
    assert!(status(&c).contains("third 0/1 ImagePullBackOff"), "{}", status(&c));
    say(&mut c, "unblock-image nginx");
    run(&mut c, 310);
    expect![[r#"
        first 1/1 Running
        fourth 1/1 Running
        second 1/1 Running
        third 1/1 Running"#]]
    .assert_eq(&status(&c));
}

#[test]
fn a_process_that_stands_still_knows_what_it_knew() {
    let mut c = cluster(2);
    say(&mut c, "pause kube-scheduler");
    apply(&mut c, NGINX);
    run(&mut c, 60);
    assert!(pods(&c).iter().all(|p| on(p).is_empty()));
    assert_eq!(c.lamp("kube-scheduler"), Some(Lamp::Paused));
    say(&mut c, "resume kube-scheduler");
    run(&mut c, 30);
    assert_eq!(ready(&c), 3);

    say(&mut c, "pause kube-controller-manager");
    let name = pods(&c)[0].metadata.name.clone().unwrap_or_default();
    testkit::try_apply(
        &mut c,
        ApplyMode::Delete,
        &format!("{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}}}"),
    );
    run(&mut c, 60);
    assert_eq!(pods(&c).len(), 2);
    say(&mut c, "start kube-controller-manager");
    run(&mut c, 30);
    assert_eq!(ready(&c), 3);
    // Only one that runs can be paused, only one that is paused resumed.
    for words in ["resume kube-scheduler", "pause nobody", "pause kube-apiserver", "heal node-1", "cut node-9"] {
        let command = faults::command(words).expect("it is understood");
        assert!(matches!(act(&mut c, &command), Some(Reply::Done { error: Some(_), .. })), "{words}");
    }
}

#[test]
fn a_process_that_dies_is_back_ten_seconds_later() {
    let mut c = cluster(2);
    say(&mut c, "crash kube-scheduler");
    apply(&mut c, NGINX);
    run(&mut c, 9);
    assert_eq!(c.lamp("kube-scheduler"), Some(Lamp::Crashed));
    assert!(pods(&c).iter().all(|p| on(p).is_empty()));
    run(&mut c, 2);
    assert_eq!(c.lamp("kube-scheduler"), Some(Lamp::Standby), "its lease from before has not run out");
    run(&mut c, 20);
    assert_eq!(c.lamp("kube-scheduler"), Some(Lamp::Running));
    assert!(pods(&c).iter().all(|p| !on(p).is_empty()));
    say(&mut c, "crash kube-controller-manager");
    run(&mut c, 1);
    say(&mut c, "start kube-controller-manager");
    assert_eq!(c.lamp("deployment-controller"), Some(Lamp::Standby), "somebody was faster");
}

#[test]
fn a_slow_process_gets_less_done() {
    let bound = |times: u32| {
        let mut c = cluster(2);
        say(&mut c, &format!("slow kube-scheduler {times}"));
        apply(&mut c, &NGINX.replace("replicas: 3", "replicas: 20"));
        run(&mut c, 10);
        pods(&c).iter().filter(|p| !on(p).is_empty()).count()
    };
    assert_eq!(bound(1), 20);
    assert_eq!(bound(1000), 10, "one second for each decision");
}

#[test]
fn faults_are_replayed_to_the_last_entry() {
    let mut s = Session::new(3, 5, Time::SIMULATION_START).expect("a session starts");
    s.cluster.advance(Duration::from_secs(5));
    let files = vec![File { name: "a.yaml".into(), text: NGINX.into() }];
    s.act(Command::Apply { id: 1, mode: ApplyMode::Apply, files });
    for words in [
        "pause kube-scheduler",
        "cut node-1",
        "block-image nginx:1.14.2",
        "slow kube-controller-manager 7",
        "crash kube-proxy",
        "resume kube-scheduler",
        "power-off node-2",
        "crash kubelet/node-3",
        "heal node-1",
        "unblock-image nginx:1.14.2",
        "power-on node-2",
    ] {
        for _ in 0..17 {
            s.cluster.step(Time(u64::MAX));
        }
        let reply = s.act(faults::command(words).expect("it is understood"));
        assert_eq!(reply, Some(Reply::Done { id: 0, error: None }), "{words}");
        s.cluster.advance(Duration::from_millis(6_789));
    }
    let again = Session::load(&s.save().expect("small enough")).expect("a session loads");
    assert_eq!(again.cluster.trace().hash(), s.cluster.trace().hash());
    assert_eq!(again.cluster.now(), s.cluster.now());
}
