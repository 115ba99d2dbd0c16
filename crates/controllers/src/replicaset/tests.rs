//! Cases modelled on `replica_set_test.go` and `controller_utils_test.go`.

use super::ReplicaSetController;
use crate::testing::{World, at, controller_ref, pod, ready_since, replicaset, rfc3339};
use expect_test::{Expect, expect};
use meta::ApiError;
use serde_json::{Value, json};

const OWNED: Option<(&str, &str)> = Some(("ReplicaSet", "web"));

fn check(objects: Vec<Value>, expect: Expect) {
    expect.assert_eq(&World::<ReplicaSetController>::new(objects).run("default/web"));
}

#[test]
fn creates_what_is_missing() {
    check(
        vec![replicaset("web", 2, json!({})), pod("a", OWNED, ready_since(0))],
        expect![[r##"
        # replicaset.scale-up name=web from=1 to=2 create=1
        create {"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"web-","labels":{"app":"web"},"namespace":"default","ownerReferences":[{"apiVersion":"apps/v1","blockOwnerDeletion":true,"controller":true,"kind":"ReplicaSet","name":"web","uid":"uid-web"}]},"spec":{"containers":[{"image":"nginx","name":"c"}]}}
          on success: SuccessfulCreate: Created pod: {name}
          on failure: FailedCreate: Error creating: {error}
        update-status replicasets default/web {"availableReplicas":1,"fullyLabeledReplicas":1,"observedGeneration":1,"readyReplicas":1,"replicas":1,"terminatingReplicas":0}
    "##]],
    );
}

#[test]
fn deletes_the_least_useful_pods_first() {
    check(
        vec![
            replicaset("web", 1, json!({})),
            pod("good", OWNED, ready_since(0)),
            pod("unready", OWNED, json!({})),
            pod("pending", OWNED, json!({"status": {"phase": "Pending"}})),
            pod("unscheduled", OWNED, json!({"spec": {"nodeName": null}, "status": {"phase": "Pending"}})),
        ],
        expect![[r##"
            # replicaset.scale-down name=web from=4 to=1 delete=3
            # replicaset.delete-choice pod=unscheduled rule=unassigned
            # replicaset.delete-choice pod=pending rule=phase
            # replicaset.delete-choice pod=unready rule=not-ready
            delete pods default/unscheduled grace=None propagation=Some(Background)
              on success: SuccessfulDelete: Deleted pod: unscheduled
              on failure: FailedDelete: Error deleting: {error}
            delete pods default/pending grace=None propagation=Some(Background)
              on success: SuccessfulDelete: Deleted pod: pending
              on failure: FailedDelete: Error deleting: {error}
            delete pods default/unready grace=None propagation=Some(Background)
              on success: SuccessfulDelete: Deleted pod: unready
              on failure: FailedDelete: Error deleting: {error}
            update-status replicasets default/web {"availableReplicas":1,"fullyLabeledReplicas":4,"observedGeneration":1,"readyReplicas":1,"replicas":4,"terminatingReplicas":0}
        "##]],
    );
}

#[test]
fn deletion_cost_beats_crowded_nodes_and_restarts_beat_age() {
    let cheap = json!({"metadata": {"annotations": {"controller.kubernetes.io/pod-deletion-cost": "-1"}}});
    let restarted = json!({"status": {"containerStatuses": [
        {"name": "c", "image": "", "imageID": "", "ready": true, "restartCount": 3}]}});
    check(
        vec![
            replicaset("web", 2, json!({})),
            pod("a", OWNED, json!({})),
            pod("b", OWNED, restarted),
            pod("c", OWNED, json!({"spec": {"nodeName": "node-2"}})),
            pod("d", OWNED, crate::testing::merged(json!({"spec": {"nodeName": "node-3"}}), cheap)),
        ],
        expect![[r##"
            # replicaset.scale-down name=web from=4 to=2 delete=2
            # replicaset.delete-choice pod=d rule=deletion-cost
            # replicaset.delete-choice pod=b rule=restarts
            delete pods default/d grace=None propagation=Some(Background)
              on success: SuccessfulDelete: Deleted pod: d
              on failure: FailedDelete: Error deleting: {error}
            delete pods default/b grace=None propagation=Some(Background)
              on success: SuccessfulDelete: Deleted pod: b
              on failure: FailedDelete: Error deleting: {error}
            update-status replicasets default/web {"fullyLabeledReplicas":4,"observedGeneration":1,"replicas":4,"terminatingReplicas":0}
        "##]],
    );
}

#[test]
fn adopts_orphans_and_releases_strangers() {
    check(
        vec![
            replicaset("web", 1, json!({})),
            pod("orphan", None, json!({"metadata": {"resourceVersion": "7"}})),
            pod("stranger", OWNED, json!({"metadata": {"labels": {"app": "debug"}}})),
            pod("other", Some(("ReplicaSet", "other")), json!({})),
            pod("done", OWNED, json!({"status": {"phase": "Succeeded"}})),
        ],
        expect![[r##"
            # replicaset.adopt pod=orphan
            # replicaset.release pod=stranger
            patch pods default/stranger  {"metadata":{"ownerReferences":null,"uid":"uid-stranger"}}
            patch pods default/orphan  {"metadata":{"ownerReferences":[{"apiVersion":"apps/v1","blockOwnerDeletion":true,"controller":true,"kind":"ReplicaSet","name":"web","uid":"uid-web"}],"resourceVersion":"7","uid":"uid-orphan"}}
            update-status replicasets default/web {"fullyLabeledReplicas":1,"observedGeneration":1,"replicas":1,"terminatingReplicas":0}
        "##]],
    );
}

#[test]
fn counts_terminating_pods_apart_and_waits_for_availability() {
    let mut w = World::<ReplicaSetController>::new([
        replicaset("web", 2, json!({"spec": {"minReadySeconds": 10}})),
        pod("old", OWNED, ready_since(0)),
        pod("young", OWNED, ready_since(25)),
        pod("leaving", OWNED, json!({"metadata": {"deletionTimestamp": rfc3339(20)}})),
    ]);
    w.now = at(30);
    expect![[r#"
        update-status replicasets default/web {"availableReplicas":1,"fullyLabeledReplicas":2,"observedGeneration":1,"readyReplicas":2,"replicas":2,"terminatingReplicas":1}
        requeue after 5s
    "#]].assert_eq(&w.run("default/web"));
}

#[test]
fn a_refusal_is_reported_before_the_next_attempt() {
    let mut w = World::<ReplicaSetController>::new([replicaset("web", 1, json!({}))]);
    w.run("default/web");
    let e = ApiError::forbidden("", "pods", "web-x", "exceeded quota: q");
    w.settle("default/web", &[Err(e)]);
    expect![[r##"
        # replicaset.scale-up name=web from=0 to=1 create=1
        update-status replicasets default/web {"conditions":[{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"pods \"web-x\" is forbidden: exceeded quota: q","reason":"FailedCreate","status":"True","type":"ReplicaFailure"}],"observedGeneration":1,"replicas":0,"terminatingReplicas":0}
        create {"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"web-","labels":{"app":"web"},"namespace":"default","ownerReferences":[{"apiVersion":"apps/v1","blockOwnerDeletion":true,"controller":true,"kind":"ReplicaSet","name":"web","uid":"uid-web"}]},"spec":{"containers":[{"image":"nginx","name":"c"}]}}
          on success: SuccessfulCreate: Created pod: {name}
          on failure: FailedCreate: Error creating: {error}
    "##]].assert_eq(&w.run("default/web"));
}

#[test]
fn a_pod_queues_its_controller_or_every_match_when_it_is_an_orphan() {
    let mut w = World::<ReplicaSetController>::new([replicaset("web", 1, json!({})), replicaset("web2", 1, json!({}))]);
    assert_eq!(format!("{:?}", w.put(pod("a", OWNED, json!({})))), "[default/web]");
    assert_eq!(format!("{:?}", w.put(pod("o", None, json!({})))), "[default/web, default/web2]");
    let gone = json!({"metadata": {"ownerReferences": [controller_ref("ReplicaSet", "gone")]}});
    assert_eq!(format!("{:?}", w.put(pod("s", None, gone))), "[]");
}
