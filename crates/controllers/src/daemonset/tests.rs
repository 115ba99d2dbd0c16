//! Cases modelled on `daemon_controller_test.go` and `update_test.go`.

use super::DaemonSetController;
use crate::testing::{World, at, merged, pod, ready_since, rfc3339};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

fn daemon(over: Value) -> Value {
    merged(
        json!({
            "apiVersion": "apps/v1", "kind": "DaemonSet",
            "metadata": {"name": "agent", "namespace": "default", "uid": "uid-agent", "generation": 1,
                         "annotations": {"deprecated.daemonset.template.generation": "1"}},
            "spec": {
                "selector": {"matchLabels": {"app": "web"}}, "revisionHistoryLimit": 10,
                "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}},
                "template": {"metadata": {"labels": {"app": "web"}},
                             "spec": {"containers": [{"name": "c", "image": "agent"}]}},
            },
        }),
        over,
    )
}

fn node(name: &str, over: Value) -> Value {
    merged(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {"disk": "ssd"}}}), over)
}

fn tainted(name: &str, key: &str, effect: &str) -> Value {
    node(name, json!({"spec": {"taints": [{"key": key, "effect": effect}]}}))
}

fn member(name: &str, node: &str, generation: i32, over: Value) -> Value {
    let base = json!({"metadata": {"labels": {"pod-template-generation": generation.to_string()}},
                      "spec": {"nodeName": node}});
    pod(name, Some(("DaemonSet", "agent")), merged(base, over))
}

/// The revision is there already, so that a case shows what comes after.
fn world(ds: Value, objects: impl IntoIterator<Item = Value>) -> World<DaemonSetController> {
    let mut w = World::new([ds]);
    for i in w.outcome("default/agent").intents {
        if let reconcile::Write::Create(o) = i.write
            && o.kind().kind == "ControllerRevision"
        {
            w.put(o.to_value());
        }
    }
    for o in objects {
        w.put(o);
    }
    w.now = at(60);
    w
}

fn check(ds: Value, objects: impl IntoIterator<Item = Value>, expect: Expect) {
    expect.assert_eq(&world(ds, objects).acts("default/agent"));
}

/// Where pods are created and which are deleted.
fn decides(ds: Value, objects: impl IntoIterator<Item = Value>) -> String {
    let out = world(ds, objects).outcome("default/agent");
    let notes = out.notes.iter().map(|n| {
        let arg = |k: &str| n.args.iter().find(|(name, _)| name == k).map_or("", |(_, v)| v.as_str());
        if n.code == "daemonset.create" { format!("+{}", arg("node")) } else { format!("-{}", arg("pod")) }
    });
    notes.collect::<Vec<_>>().join(" ")
}

#[test]
fn the_first_sync_makes_a_revision_and_a_pod_on_each_node() {
    let mut w = World::<DaemonSetController>::new([daemon(json!({})), node("a", json!({}))]);
    expect![[r##"
        # daemonset.create name=agent node=a
        create {"apiVersion":"apps/v1","data":{"spec":{"template":{"$patch":"replace","metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"image":"agent","name":"c"}]}}}},"kind":"ControllerRevision","metadata":{"annotations":{"deprecated.daemonset.template.generation":"1"},"labels":{"app":"web","controller-revision-hash":"5475b4784"},"name":"agent-5475b4784","namespace":"default","ownerReferences":[{"apiVersion":"apps/v1","blockOwnerDeletion":true,"controller":true,"kind":"DaemonSet","name":"agent","uid":"uid-agent"}]},"revision":1}
        create {"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"agent-","labels":{"app":"web","controller-revision-hash":"5475b4784","pod-template-generation":"1"},"namespace":"default","ownerReferences":[{"apiVersion":"apps/v1","blockOwnerDeletion":true,"controller":true,"kind":"DaemonSet","name":"agent","uid":"uid-agent"}]},"spec":{"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchFields":[{"key":"metadata.name","operator":"In","values":["a"]}]}]}}},"containers":[{"image":"agent","name":"c"}],"tolerations":[{"effect":"NoExecute","key":"node.kubernetes.io/not-ready","operator":"Exists"},{"effect":"NoExecute","key":"node.kubernetes.io/unreachable","operator":"Exists"},{"effect":"NoSchedule","key":"node.kubernetes.io/disk-pressure","operator":"Exists"},{"effect":"NoSchedule","key":"node.kubernetes.io/memory-pressure","operator":"Exists"},{"effect":"NoSchedule","key":"node.kubernetes.io/pid-pressure","operator":"Exists"},{"effect":"NoSchedule","key":"node.kubernetes.io/unschedulable","operator":"Exists"}]}}
          on success: SuccessfulCreate: Created pod: {name}
          on failure: FailedCreate: Error creating: {error}
        update-status daemonsets default/agent {"deprecated.daemonset.template.generation":"1"} {"currentNumberScheduled":0,"desiredNumberScheduled":1,"numberMisscheduled":0,"numberReady":0,"numberUnavailable":1,"observedGeneration":1}
    "##]].assert_eq(&w.run("default/agent"));
}

#[test]
fn taints_and_selectors_decide_where_pods_run() {
    let all = || {
        vec![
            node("a", json!({})),
            node("hdd", json!({"metadata": {"labels": {"disk": "hdd"}}})),
            tainted("mine", "team", "NoSchedule"),
            tainted("down", "node.kubernetes.io/unreachable", "NoExecute"),
            tainted("cordoned", "node.kubernetes.io/unschedulable", "NoSchedule"),
            tainted("unwired", "node.kubernetes.io/network-unavailable", "NoSchedule"),
            node("full", json!({"spec": {"unschedulable": true}})),
        ]
    };
    let template = |spec: Value| daemon(json!({"spec": {"template": {"spec": spec}}}));
    let affinity = json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{"matchExpressions": [{"key": "disk", "operator": "In", "values": ["hdd"]}]}]}}}});
    let text: Vec<String> = [
        json!({}),
        json!({"nodeSelector": {"disk": "hdd"}}),
        affinity,
        json!({"tolerations": [{"key": "team", "operator": "Exists"}]}),
        json!({"hostNetwork": true}),
        json!({"nodeName": "a"}),
    ]
    .into_iter()
    .map(|spec| decides(template(spec), all()) + "\n")
    .collect();
    expect![[r#"
        +a +cordoned +down +full +hdd
        +hdd
        +hdd
        +a +cordoned +down +full +hdd +mine
        +a +cordoned +down +full +hdd +unwired
        +a
    "#]]
    .assert_eq(&text.concat());
}

#[test]
fn pods_stay_under_no_schedule_and_go_under_no_execute() {
    let p = || member("p", "a", 1, ready_since(0));
    assert_eq!(decides(daemon(json!({})), [tainted("a", "team", "NoSchedule"), p()]), "");
    assert_eq!(decides(daemon(json!({})), [tainted("a", "team", "NoExecute"), p()]), "-p");
    let gone = member(
        "lost",
        "a",
        1,
        json!({"spec": {"nodeName": null, "affinity": {"nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchFields": [
            {"key": "metadata.name", "operator": "In", "values": ["b"]}]}]}}}}}),
    );
    assert_eq!(decides(daemon(json!({})), [node("a", json!({})), p(), gone]), "-lost");
}

#[test]
fn one_pod_a_node_the_oldest_stays() {
    let young = |name: &str| {
        member(name, "a", 1, merged(ready_since(9), json!({"metadata": {"creationTimestamp": rfc3339(9)}})))
    };
    assert_eq!(
        decides(
            daemon(json!({})),
            [node("a", json!({})), young("b"), member("old", "a", 1, ready_since(0)), young("c")]
        ),
        "-b -c"
    );
}

#[test]
fn failed_pods_are_replaced_ever_more_slowly() {
    let failed = || member("p", "a", 1, json!({"status": {"phase": "Failed"}}));
    let mut w = world(daemon(json!({})), [node("a", json!({})), failed()]);
    expect![[r#"
        event Warning FailedDaemonPod agent: Found failed daemon pod default/p on node a, will try to kill it
        delete pods default/p
        update-status daemonsets default/agent {"deprecated.daemonset.template.generation":"1"} {"currentNumberScheduled":1,"desiredNumberScheduled":1,"numberMisscheduled":0,"numberReady":0,"numberUnavailable":1,"observedGeneration":1,"updatedNumberScheduled":1}
    "#]].assert_eq(&w.acts("default/agent"));
    let again = w.acts("default/agent");
    assert!(!again.contains("delete pods") && again.contains("requeue after 1s"), "{again}");
    w.now = at(61);
    assert!(w.acts("default/agent").contains("delete pods"));
}

#[test]
fn an_update_replaces_as_many_as_may_be_unavailable() {
    let two = json!({"metadata": {"annotations": {"deprecated.daemonset.template.generation": "2"}}});
    let by = |unavailable: Value, surge: Value| {
        let rolling = json!({"maxUnavailable": unavailable, "maxSurge": surge});
        daemon(merged(two.clone(), json!({"spec": {"updateStrategy": {"rollingUpdate": rolling}}})))
    };
    let nodes = || ["a", "b", "c", "d"].map(|n| node(n, json!({})));
    let old = |n: &str| member(&format!("old-{n}"), n, 1, ready_since(0));
    let new = |n: &str, over: Value| member(&format!("new-{n}"), n, 2, over);
    let all_old = || ["a", "b", "c", "d"].map(old);
    let decide = |ds: Value, pods: Vec<Value>| decides(ds, nodes().into_iter().chain(pods));
    let text = [
        decide(by(json!(1), json!(0)), all_old().into()),
        decide(by(json!("50%"), json!(0)), all_old().into()),
        decide(by(json!(1), json!(0)), vec![new("a", json!({})), old("b"), old("c"), old("d")]),
        decide(by(json!(1), json!(0)), vec![new("a", ready_since(0)), old("b"), old("c"), old("d")]),
        decide(by(json!(1), json!(0)), vec![member("sick", "a", 1, json!({})), old("b"), old("c"), old("d")]),
        decide(by(json!(0), json!(1)), all_old().into()),
        decide(by(json!(0), json!(1)), vec![old("a"), new("a", json!({})), old("b"), old("c"), old("d")]),
        decide(by(json!(0), json!(1)), vec![old("a"), new("a", ready_since(0)), old("b"), old("c"), old("d")]),
    ];
    expect![[r#"
        -old-a
        -old-a -old-b

        -old-b
        -sick
        +a
        -old-a
        -old-a"#]]
    .assert_eq(&text.join("\n"));
    let on_delete = json!({"spec": {"updateStrategy": {"type": "OnDelete", "rollingUpdate": null}}});
    assert_eq!(decide(daemon(merged(two.clone(), on_delete)), all_old().into()), "");
}

#[test]
fn the_status_counts_nodes() {
    let pods =
        [member("p", "a", 1, ready_since(0)), member("q", "b", 0, json!({})), member("r", "mine", 1, ready_since(0))];
    let nodes =
        [node("a", json!({})), node("b", json!({})), node("c", json!({})), tainted("mine", "team", "NoSchedule")];
    check(
        daemon(json!({"spec": {"updateStrategy": {"type": "OnDelete"}}})),
        nodes.into_iter().chain(pods),
        expect![[r#"
            create pods default/
            update-status daemonsets default/agent {"deprecated.daemonset.template.generation":"1"} {"currentNumberScheduled":2,"desiredNumberScheduled":3,"numberAvailable":1,"numberMisscheduled":1,"numberReady":1,"numberUnavailable":2,"observedGeneration":1,"updatedNumberScheduled":1}
        "#]],
    );
}

#[test]
fn a_node_concerns_the_sets_that_come_or_go() {
    let mut w = world(daemon(json!({})), []);
    assert_eq!(format!("{:?}", w.put(node("a", json!({})))), "[default/agent]");
    // A heartbeat, or a taint that is tolerated.
    assert_eq!(format!("{:?}", w.put(node("a", json!({"status": {"phase": "x"}})))), "[]");
    assert_eq!(format!("{:?}", w.put(tainted("a", "node.kubernetes.io/not-ready", "NoExecute"))), "[]");
    assert_eq!(format!("{:?}", w.put(tainted("a", "team", "NoSchedule"))), "[default/agent]");
    assert_eq!(format!("{:?}", w.delete("v1", "Node", "a")), "[default/agent]");
}
