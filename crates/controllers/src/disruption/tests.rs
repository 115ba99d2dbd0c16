//! Cases modelled on `disruption_test.go`.

use super::DisruptionController;
use crate::testing::{World, at, merged, pod, ready_since, replicaset, rfc3339};
use expect_test::expect;
use serde_json::{Value, json};

fn budget(spec: Value, status: Value) -> Value {
    let spec = merged(json!({"selector": {"matchLabels": {"app": "web"}}}), spec);
    json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
           "metadata": {"name": "web", "namespace": "default", "uid": "uid-web", "generation": 1},
           "spec": spec, "status": status})
}

fn ready(name: &str, owner: Option<(&str, &str)>) -> Value {
    pod(name, owner, ready_since(0))
}

#[test]
fn an_integer_counts_pods_and_nothing_else() {
    let mut w = World::<DisruptionController>::new([budget(json!({"minAvailable": 2}), json!({}))]);
    expect![[r##"
        # disruption.allowed healthy=0 desired=2 allowed=0
        event Normal NoPods web: No matching pods found
        update-status poddisruptionbudgets default/web {"conditions":[{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"","observedGeneration":1,"reason":"InsufficientPods","status":"False","type":"DisruptionAllowed"}],"currentHealthy":0,"desiredHealthy":2,"disruptionsAllowed":0,"expectedPods":0,"observedGeneration":1}
    "##]].assert_eq(&w.run("default/web"));
    for name in ["a", "b", "c"] {
        assert_eq!(w.put(ready(name, None)), ["default/web".into()]);
    }
    w.put(pod("not-ready", None, json!({})));
    expect![[r##"
        # disruption.allowed healthy=3 desired=2 allowed=1
        update-status poddisruptionbudgets default/web {"conditions":[{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"","observedGeneration":1,"reason":"SufficientPods","status":"True","type":"DisruptionAllowed"}],"currentHealthy":3,"desiredHealthy":2,"disruptionsAllowed":1,"expectedPods":4,"observedGeneration":1}
    "##]].assert_eq(&w.run("default/web"));
}

#[test]
fn a_share_is_of_what_the_controllers_want() {
    let rs = |name: &str, n: i32| replicaset(name, n, json!({}));
    let mut w = World::<DisruptionController>::new([
        budget(json!({"maxUnavailable": "30%"}), json!({})),
        rs("one", 4),
        rs("two", 3),
        ready("a", Some(("ReplicaSet", "one"))),
        ready("b", Some(("ReplicaSet", "one"))),
        ready("c", Some(("ReplicaSet", "two"))),
        ready("d", None),
    ]);
    expect![[r##"
        # disruption.allowed healthy=4 desired=4 allowed=0
        event Warning UnmanagedPods web: Pods selected by this PodDisruptionBudget (selector: &LabelSelector{MatchLabels:map[string]string{app: web,},MatchExpressions:[]LabelSelectorRequirement{},}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.
        update-status poddisruptionbudgets default/web {"conditions":[{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"","observedGeneration":1,"reason":"InsufficientPods","status":"False","type":"DisruptionAllowed"}],"currentHealthy":4,"desiredHealthy":4,"disruptionsAllowed":0,"expectedPods":7,"observedGeneration":1}
    "##]].assert_eq(&w.run("default/web"));
    w.put(pod("e", Some(("Widget", "x")), json!({})));
    expect![[r#"
        event Warning CalculateExpectedPodCountFailed web: Failed to calculate the number of expected pods: no matches for kind "Widget" in version "apps/v1"
        update-status poddisruptionbudgets default/web {"conditions":[{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"no matches for kind \"Widget\" in version \"apps/v1\"","reason":"SyncFailed","status":"False","type":"DisruptionAllowed"}],"currentHealthy":0,"desiredHealthy":0,"disruptionsAllowed":0,"expectedPods":0}
    "#]].assert_eq(&w.run("default/web"));
}

#[test]
fn an_evicted_pod_is_waited_for_two_minutes() {
    let status = json!({"currentHealthy": 2, "desiredHealthy": 1, "disruptionsAllowed": 1, "expectedPods": 2,
                        "observedGeneration": 1, "disruptedPods": {"a": rfc3339(0), "gone": rfc3339(0)}});
    let mut w = World::<DisruptionController>::new([
        budget(json!({"minAvailable": 1}), status),
        ready("a", None),
        ready("b", None),
    ]);
    w.now = at(60);
    expect![[r##"
        # disruption.allowed healthy=1 desired=1 allowed=0
        update-status poddisruptionbudgets default/web {"conditions":[{"lastTransitionTime":"2026-01-01T00:01:00Z","message":"","observedGeneration":1,"reason":"InsufficientPods","status":"False","type":"DisruptionAllowed"}],"currentHealthy":1,"desiredHealthy":1,"disruptedPods":{"a":"2026-01-01T00:00:00Z"},"disruptionsAllowed":0,"expectedPods":2,"observedGeneration":1}
        requeue after 1m0.001s
    "##]].assert_eq(&w.run("default/web"));
    w.now = at(121);
    expect![[r##"
        # disruption.allowed healthy=2 desired=1 allowed=1
        event Warning NotDeleted a: Pod was expected by PDB default/default to be deleted but it wasn't
        update-status poddisruptionbudgets default/web {"conditions":[{"lastTransitionTime":"2026-01-01T00:02:01Z","message":"","observedGeneration":1,"reason":"SufficientPods","status":"True","type":"DisruptionAllowed"}],"currentHealthy":2,"desiredHealthy":1,"disruptionsAllowed":1,"expectedPods":2,"observedGeneration":1}
    "##]].assert_eq(&w.run("default/web"));
}

#[test]
fn a_target_that_is_not_deleted_is_none() {
    let mut w = World::<DisruptionController>::default();
    let condition = json!([{"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler",
                            "lastTransitionTime": rfc3339(0)}]);
    let keys = w.put(pod("a", None, json!({"status": {"conditions": condition}})));
    assert_eq!(format!("{keys:?}"), "[stale default/a]");
    w.now = at(100);
    assert_eq!(w.run("stale default/a"), "requeue after 20s\n");
    w.now = at(120);
    expect![[r#"
        update-status pods default/a {"conditions":[{"lastProbeTime":null,"lastTransitionTime":"2026-01-01T00:02:00Z","status":"False","type":"DisruptionTarget"}],"phase":"Running"}
    "#]].assert_eq(&w.run("stale default/a"));
}
