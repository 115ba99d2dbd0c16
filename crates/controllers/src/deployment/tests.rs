//! Cases modelled on `rolling_test.go`, `sync_test.go`, `progress_test.go` and `deployment_util_test.go`.

use super::DeploymentController;
use super::util::{DESIRED_REPLICAS, HASH_LABEL, MAX_REPLICAS, REVISION};
use crate::testing::{World, at, controller_ref, merged, pod, replicaset, rfc3339};
use expect_test::{Expect, expect};
use meta::ApiError;
use reconcile::Write;
use serde_json::{Value, json};

fn deployment(replicas: i32, over: Value) -> Value {
    merged(
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "default", "uid": "uid-web", "generation": 1,
                         "resourceVersion": "5"},
            "spec": {
                "replicas": replicas, "progressDeadlineSeconds": 600, "revisionHistoryLimit": 10,
                "selector": {"matchLabels": {"app": "web"}},
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
                "template": {"metadata": {"labels": {"app": "web"}},
                             "spec": {"containers": [{"name": "c", "image": "nginx:2"}]}},
            },
        }),
        over,
    )
}

/// A ReplicaSet of the Deployment with an image (`nginx:2` is the current one), made at `secs`.
fn set(name: &str, image: &str, revision: u32, replicas: i32, available: i32, desired: i32) -> Value {
    replicaset(
        name,
        replicas,
        json!({
            "metadata": {
                "labels": {"app": "web", HASH_LABEL: name}, "ownerReferences": [controller_ref("Deployment", "web")],
                "creationTimestamp": rfc3339(u64::from(revision)),
                "annotations": {REVISION: revision.to_string(), DESIRED_REPLICAS: desired.to_string(),
                                MAX_REPLICAS: desired.to_string()},
            },
            "spec": {"template": {"metadata": {"labels": {HASH_LABEL: name}},
                                  "spec": {"containers": [{"name": "c", "image": image}]}}},
            "status": {"replicas": replicas, "availableReplicas": available, "readyReplicas": available,
                       "observedGeneration": 1, "terminatingReplicas": 0},
        }),
    )
}

fn check(objects: Vec<Value>, expect: Expect) {
    let mut w = World::<DeploymentController>::new(objects);
    w.now = at(100);
    expect.assert_eq(&w.run("default/web"));
}

/// Only the scaling events.
fn scalings(objects: Vec<Value>) -> Vec<String> {
    let mut w = World::<DeploymentController>::new(objects);
    let out = w.outcome("default/web");
    let message = |w: &Write| match w {
        Write::Event { reason, message, .. } if reason == "ScalingReplicaSet" => Some(message.clone()),
        _ => None,
    };
    out.intents.iter().filter_map(|i| message(&i.write)).collect()
}

fn rolling(surge: i32, unavailable: i32) -> Value {
    json!({"spec": {"strategy": {"rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}}})
}

#[test]
fn the_first_replica_set() {
    check(
        vec![deployment(3, json!({}))],
        expect![[r##"
        # deployment.new-replica-set name=web replica_set=web-6657df8f46 revision=1 replicas=3
        create {"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"annotations":{"deployment.kubernetes.io/desired-replicas":"3","deployment.kubernetes.io/max-replicas":"4","deployment.kubernetes.io/revision":"1"},"labels":{"app":"web","pod-template-hash":"6657df8f46"},"name":"web-6657df8f46","namespace":"default","ownerReferences":[{"apiVersion":"apps/v1","blockOwnerDeletion":true,"controller":true,"kind":"Deployment","name":"web","uid":"uid-web"}]},"spec":{"replicas":3,"selector":{"matchLabels":{"app":"web","pod-template-hash":"6657df8f46"}},"template":{"metadata":{"labels":{"app":"web","pod-template-hash":"6657df8f46"}},"spec":{"containers":[{"image":"nginx:2","name":"c"}]}}}}
          on success: ScalingReplicaSet: Scaled up replica set web-6657df8f46 from 0 to 3
          on failure: ReplicaSetCreateError: Failed to create new replica set "web-6657df8f46": {error}
        update-status deployments default/web {"deployment.kubernetes.io/revision":"1"} {"conditions":[{"lastTransitionTime":"2026-01-01T00:01:40Z","lastUpdateTime":"2026-01-01T00:01:40Z","message":"Created new replica set \"web-6657df8f46\"","reason":"NewReplicaSetCreated","status":"True","type":"Progressing"},{"lastTransitionTime":"2026-01-01T00:01:40Z","lastUpdateTime":"2026-01-01T00:01:40Z","message":"Deployment does not have minimum availability.","reason":"MinimumReplicasUnavailable","status":"False","type":"Available"}],"observedGeneration":1,"terminatingReplicas":0,"unavailableReplicas":3}
        requeue after 10m1s
    "##]],
    );
}

#[test]
fn the_new_replica_set_grows_as_far_as_surge_allows() {
    for (surge, old, new, want) in [
        (0, 10, 0, None),
        (2, 10, 0, Some("Scaled up replica set new from 0 to 2")),
        (2, 5, 0, Some("Scaled up replica set new from 0 to 7")),
        (2, 10, 2, None),
        (2, 2, 11, Some("Scaled down replica set new from 11 to 10")),
    ] {
        // Nothing is available, so that nothing else moves.
        let objects = vec![
            deployment(10, rolling(surge, 0)),
            set("old", "nginx:1", 1, old, old, 10),
            set("new", "nginx:2", 2, new, 0, 10),
        ];
        let got: Vec<String> = scalings(objects).into_iter().filter(|m| m.contains("set new ")).collect();
        assert_eq!(got.first().map(String::as_str), want, "surge {surge}, old {old}, new {new}");
    }
}

#[test]
fn old_replica_sets_shrink_as_far_as_availability_allows() {
    for (unavailable, old, new, old_available, new_available, want) in [
        (0, 10, 0, 10, 0, Some(9)),
        (2, 10, 0, 10, 0, Some(8)),
        (2, 10, 0, 8, 0, Some(8)),
        (2, 10, 0, 9, 0, Some(8)),
        (2, 8, 2, 8, 0, None),
        (2, 8, 2, 8, 2, Some(6)),
    ] {
        let objects = vec![
            deployment(10, rolling(0, unavailable)),
            set("old", "nginx:1", 1, old, old_available, 10),
            set("new", "nginx:2", 2, new, new_available, 10),
        ];
        let got = scalings(objects).last().and_then(|m| m.rsplit(' ').next()?.parse::<i32>().ok());
        assert_eq!(got, want, "unavailable {unavailable}, old {old}/{old_available}, new {new}/{new_available}");
    }
}

#[test]
fn unhealthy_old_replicas_go_first() {
    assert_eq!(
        scalings(vec![
            deployment(10, rolling(3, 2)),
            set("a", "nginx:0", 1, 3, 3, 10),
            set("b", "nginx:1", 2, 5, 2, 10),
            set("new", "nginx:2", 3, 5, 5, 10),
        ]),
        ["Scaled down replica set b from 5 to 2", "Scaled down replica set a from 3 to 1"]
    );
}

#[test]
fn a_scaling_event_in_a_rollout_is_shared_out_in_proportion() {
    for (want, old, new, scaled) in [
        (20, 5, 5, vec!["Scaled up replica set new from 5 to 10", "Scaled up replica set old from 5 to 10"]),
        (5, 8, 2, vec!["Scaled down replica set old from 8 to 4", "Scaled down replica set new from 2 to 1"]),
        (12, 6, 4, vec!["Scaled up replica set old from 6 to 7", "Scaled up replica set new from 4 to 5"]),
        (0, 7, 3, vec!["Scaled down replica set old from 7 to 0", "Scaled down replica set new from 3 to 0"]),
    ] {
        let objects = vec![
            deployment(want, rolling(0, 1)),
            set("old", "nginx:1", 1, old, old, 10),
            set("new", "nginx:2", 2, new, new, 10),
        ];
        assert_eq!(scalings(objects), scaled, "to {want} from {old} + {new}");
    }
}

#[test]
fn a_plain_scale_goes_to_the_only_active_replica_set() {
    check(
        vec![deployment(5, json!({})), set("new", "nginx:2", 1, 3, 3, 3)],
        expect![[r##"
        # deployment.scale name=web replica_set=new from=3 to=5
        update replicasets default/new {"metadata":{"annotations":{"deployment.kubernetes.io/desired-replicas":"5","deployment.kubernetes.io/max-replicas":"7","deployment.kubernetes.io/revision":"1"},"creationTimestamp":"2026-01-01T00:00:01Z","generation":1,"labels":{"app":"web","pod-template-hash":"new"},"name":"new","namespace":"default","ownerReferences":[{"apiVersion":"apps/v1","blockOwnerDeletion":true,"controller":true,"kind":"Deployment","name":"web","uid":"uid-web"}],"uid":"uid-new"},"spec":{"replicas":5,"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web","pod-template-hash":"new"}},"spec":{"containers":[{"image":"nginx:2","name":"c"}]}}}}
        event Normal ScalingReplicaSet web: Scaled up replica set new from 3 to 5
        update-status deployments default/web {"deployment.kubernetes.io/revision":"1"} {"availableReplicas":3,"conditions":[{"lastTransitionTime":"2026-01-01T00:01:40Z","lastUpdateTime":"2026-01-01T00:01:40Z","message":"Found new replica set \"new\"","reason":"FoundNewReplicaSet","status":"True","type":"Progressing"},{"lastTransitionTime":"2026-01-01T00:01:40Z","lastUpdateTime":"2026-01-01T00:01:40Z","message":"Deployment does not have minimum availability.","reason":"MinimumReplicasUnavailable","status":"False","type":"Available"}],"observedGeneration":1,"readyReplicas":3,"replicas":3,"terminatingReplicas":0,"unavailableReplicas":2,"updatedReplicas":3}
    "##]],
    );
}

#[test]
fn rolling_back_finds_the_old_replica_set_again() {
    check(
        vec![
            deployment(4, json!({"metadata": {"annotations": {REVISION: "2"}}})),
            set("first", "nginx:2", 1, 0, 0, 4),
            set("second", "nginx:1", 2, 4, 4, 4),
        ],
        expect![[r##"
            # deployment.revision name=web replica_set=first revision=3
            # deployment.surge replica_set=first total=4 limit=5 from=0 to=1
            # deployment.scale name=web replica_set=first from=0 to=1
            update replicasets default/first {"metadata":{"annotations":{"deployment.kubernetes.io/desired-replicas":"4","deployment.kubernetes.io/max-replicas":"4","deployment.kubernetes.io/revision":"3","deployment.kubernetes.io/revision-history":"1"},"creationTimestamp":"2026-01-01T00:00:01Z","generation":1,"labels":{"app":"web","pod-template-hash":"first"},"name":"first","namespace":"default","ownerReferences":[{"apiVersion":"apps/v1","blockOwnerDeletion":true,"controller":true,"kind":"Deployment","name":"web","uid":"uid-web"}],"uid":"uid-first"},"spec":{"replicas":0,"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web","pod-template-hash":"first"}},"spec":{"containers":[{"image":"nginx:2","name":"c"}]}}}}
            update replicasets default/first {"metadata":{"annotations":{"deployment.kubernetes.io/desired-replicas":"4","deployment.kubernetes.io/max-replicas":"5","deployment.kubernetes.io/revision":"3","deployment.kubernetes.io/revision-history":"1"},"creationTimestamp":"2026-01-01T00:00:01Z","generation":1,"labels":{"app":"web","pod-template-hash":"first"},"name":"first","namespace":"default","ownerReferences":[{"apiVersion":"apps/v1","blockOwnerDeletion":true,"controller":true,"kind":"Deployment","name":"web","uid":"uid-web"}],"uid":"uid-first"},"spec":{"replicas":1,"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web","pod-template-hash":"first"}},"spec":{"containers":[{"image":"nginx:2","name":"c"}]}}}}
            event Normal ScalingReplicaSet web: Scaled up replica set first from 0 to 1
            update-status deployments default/web {"deployment.kubernetes.io/revision":"3"} {"availableReplicas":4,"conditions":[{"lastTransitionTime":"2026-01-01T00:01:40Z","lastUpdateTime":"2026-01-01T00:01:40Z","message":"Deployment has minimum availability.","reason":"MinimumReplicasAvailable","status":"True","type":"Available"},{"lastTransitionTime":"2026-01-01T00:01:40Z","lastUpdateTime":"2026-01-01T00:01:40Z","message":"ReplicaSet \"first\" is progressing.","reason":"ReplicaSetUpdated","status":"True","type":"Progressing"}],"observedGeneration":1,"readyReplicas":4,"replicas":4,"terminatingReplicas":0,"unavailableReplicas":1}
            requeue after 10m1s
        "##]],
    );
}

#[test]
fn a_finished_rollout_is_said_to_have_progressed_and_history_is_cut() {
    let status = json!({"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2,
        "availableReplicas": 2, "conditions": [{"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated",
        "message": "", "lastUpdateTime": rfc3339(50), "lastTransitionTime": rfc3339(10)}]});
    check(
        vec![
            deployment(
                2,
                json!({"spec": {"revisionHistoryLimit": 1}, "metadata": {"annotations": {REVISION: "3"}},
                                 "status": status}),
            ),
            set("a", "nginx:0", 1, 0, 0, 2),
            set("b", "nginx:1", 2, 0, 0, 2),
            set("new", "nginx:2", 3, 2, 2, 2),
        ],
        expect![[r##"
            # deployment.history-cleanup name=web replica_set=a limit=1
            # deployment.complete name=web
            delete replicasets default/a grace=None propagation=Some(Background)
            update-status deployments default/web {"deployment.kubernetes.io/revision":"3"} {"availableReplicas":2,"conditions":[{"lastTransitionTime":"2026-01-01T00:01:40Z","lastUpdateTime":"2026-01-01T00:01:40Z","message":"Deployment has minimum availability.","reason":"MinimumReplicasAvailable","status":"True","type":"Available"},{"lastTransitionTime":"2026-01-01T00:00:10Z","lastUpdateTime":"2026-01-01T00:01:40Z","message":"ReplicaSet \"new\" has successfully progressed.","reason":"NewReplicaSetAvailable","status":"True","type":"Progressing"}],"observedGeneration":1,"readyReplicas":2,"replicas":2,"terminatingReplicas":0,"updatedReplicas":2}
        "##]],
    );
}

#[test]
fn a_stuck_rollout_times_out() {
    let status = json!({"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "unavailableReplicas": 1,
        "terminatingReplicas": 0, "conditions": [
            {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated",
             "message": "ReplicaSet \"new\" is progressing.", "lastUpdateTime": rfc3339(0),
             "lastTransitionTime": rfc3339(0)},
            {"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable",
             "message": "Deployment does not have minimum availability.", "lastUpdateTime": rfc3339(0),
             "lastTransitionTime": rfc3339(0)}]});
    let mut w = World::<DeploymentController>::new([
        deployment(1, json!({"metadata": {"annotations": {REVISION: "1"}}, "status": status})),
        set("new", "nginx:2", 1, 1, 0, 1),
    ]);
    w.now = at(599);
    expect![[r#"
        requeue after 2s
    "#]]
    .assert_eq(&w.run("default/web"));
    w.now = at(601);
    expect![[r##"
        # deployment.timed-out name=web seconds=600
        update-status deployments default/web {"deployment.kubernetes.io/revision":"1"} {"conditions":[{"lastTransitionTime":"2026-01-01T00:00:00Z","lastUpdateTime":"2026-01-01T00:00:00Z","message":"Deployment does not have minimum availability.","reason":"MinimumReplicasUnavailable","status":"False","type":"Available"},{"lastTransitionTime":"2026-01-01T00:10:01Z","lastUpdateTime":"2026-01-01T00:10:01Z","message":"ReplicaSet \"new\" has timed out progressing.","reason":"ProgressDeadlineExceeded","status":"False","type":"Progressing"}],"observedGeneration":1,"replicas":1,"terminatingReplicas":0,"unavailableReplicas":1,"updatedReplicas":1}
    "##]].assert_eq(&w.run("default/web"));
}

#[test]
fn recreate_waits_for_the_old_pods() {
    let recreate = json!({"spec": {"strategy": {"type": "Recreate", "rollingUpdate": null}}});
    let mut w = World::<DeploymentController>::new([
        deployment(2, recreate),
        set("old", "nginx:1", 1, 2, 2, 2),
        pod("p", Some(("ReplicaSet", "old")), json!({"metadata": {"deletionTimestamp": rfc3339(90)}})),
    ]);
    w.now = at(100);
    expect![[r##"
        # deployment.scale name=web replica_set=old from=2 to=0
        update replicasets default/old {"metadata":{"annotations":{"deployment.kubernetes.io/desired-replicas":"2","deployment.kubernetes.io/max-replicas":"2","deployment.kubernetes.io/revision":"1"},"creationTimestamp":"2026-01-01T00:00:01Z","generation":1,"labels":{"app":"web","pod-template-hash":"old"},"name":"old","namespace":"default","ownerReferences":[{"apiVersion":"apps/v1","blockOwnerDeletion":true,"controller":true,"kind":"Deployment","name":"web","uid":"uid-web"}],"uid":"uid-old"},"spec":{"replicas":0,"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web","pod-template-hash":"old"}},"spec":{"containers":[{"image":"nginx:1","name":"c"}]}}}}
        event Normal ScalingReplicaSet web: Scaled down replica set old from 2 to 0
        update-status deployments default/web {"availableReplicas":2,"conditions":[{"lastTransitionTime":"2026-01-01T00:01:40Z","lastUpdateTime":"2026-01-01T00:01:40Z","message":"Deployment has minimum availability.","reason":"MinimumReplicasAvailable","status":"True","type":"Available"},{"lastTransitionTime":"2026-01-01T00:01:40Z","lastUpdateTime":"2026-01-01T00:01:40Z","message":"Deployment \"web\" is progressing.","reason":"ReplicaSetUpdated","status":"True","type":"Progressing"}],"observedGeneration":1,"readyReplicas":2,"replicas":2,"terminatingReplicas":0}
        requeue after 10m1s
    "##]].assert_eq(&w.run("default/web"));
    w.put(set("old", "nginx:1", 1, 0, 0, 2));
    expect![[r##"
        # deployment.recreate-waits name=web
        update-status deployments default/web {"conditions":[{"lastTransitionTime":"2026-01-01T00:01:40Z","lastUpdateTime":"2026-01-01T00:01:40Z","message":"Deployment does not have minimum availability.","reason":"MinimumReplicasUnavailable","status":"False","type":"Available"}],"observedGeneration":1,"terminatingReplicas":0}
    "##]].assert_eq(&w.run("default/web"));
    assert_eq!(format!("{:?}", w.delete("v1", "Pod", "default/p")), "[default/web]");
    expect![[r##"
        # deployment.new-replica-set name=web replica_set=web-6657df8f46 revision=2 replicas=2
        create {"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"annotations":{"deployment.kubernetes.io/desired-replicas":"2","deployment.kubernetes.io/max-replicas":"2","deployment.kubernetes.io/revision":"2"},"labels":{"app":"web","pod-template-hash":"6657df8f46"},"name":"web-6657df8f46","namespace":"default","ownerReferences":[{"apiVersion":"apps/v1","blockOwnerDeletion":true,"controller":true,"kind":"Deployment","name":"web","uid":"uid-web"}]},"spec":{"replicas":2,"selector":{"matchLabels":{"app":"web","pod-template-hash":"6657df8f46"}},"template":{"metadata":{"labels":{"app":"web","pod-template-hash":"6657df8f46"}},"spec":{"containers":[{"image":"nginx:2","name":"c"}]}}}}
          on success: ScalingReplicaSet: Scaled up replica set web-6657df8f46 from 0 to 2
          on failure: ReplicaSetCreateError: Failed to create new replica set "web-6657df8f46": {error}
        update-status deployments default/web {"deployment.kubernetes.io/revision":"2"} {"conditions":[{"lastTransitionTime":"2026-01-01T00:01:40Z","lastUpdateTime":"2026-01-01T00:01:40Z","message":"Created new replica set \"web-6657df8f46\"","reason":"NewReplicaSetCreated","status":"True","type":"Progressing"},{"lastTransitionTime":"2026-01-01T00:01:40Z","lastUpdateTime":"2026-01-01T00:01:40Z","message":"Deployment does not have minimum availability.","reason":"MinimumReplicasUnavailable","status":"False","type":"Available"}],"observedGeneration":1,"terminatingReplicas":0,"unavailableReplicas":2}
        requeue after 10m1s
    "##]].assert_eq(&w.run("default/web"));
}

#[test]
fn a_paused_deployment_creates_nothing() {
    check(
        vec![deployment(2, json!({"spec": {"paused": true}}))],
        expect![[r##"
        # deployment.paused name=web
        update-status deployments default/web {"conditions":[{"lastTransitionTime":"2026-01-01T00:01:40Z","lastUpdateTime":"2026-01-01T00:01:40Z","message":"Deployment is paused","reason":"DeploymentPaused","status":"Unknown","type":"Progressing"},{"lastTransitionTime":"2026-01-01T00:01:40Z","lastUpdateTime":"2026-01-01T00:01:40Z","message":"Deployment does not have minimum availability.","reason":"MinimumReplicasUnavailable","status":"False","type":"Available"}],"observedGeneration":1,"terminatingReplicas":0}
    "##]],
    );
}

#[test]
fn a_refused_replica_set_is_reported_before_the_next_attempt() {
    let mut w = World::<DeploymentController>::new([deployment(1, json!({}))]);
    w.run("default/web");
    w.settle("default/web", &[Err(ApiError::forbidden("apps", "replicasets", "web-x", "exceeded quota: q"))]);
    expect![[r##"
        # deployment.new-replica-set name=web replica_set=web-6657df8f46 revision=1 replicas=1
        update-status deployments default/web {"conditions":[{"lastTransitionTime":"2026-01-01T00:00:00Z","lastUpdateTime":"2026-01-01T00:00:00Z","message":"Failed to create new replica set \"web-6657df8f46\": replicasets.apps \"web-x\" is forbidden: exceeded quota: q","reason":"ReplicaSetCreateError","status":"False","type":"Progressing"}]}
        create {"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"annotations":{"deployment.kubernetes.io/desired-replicas":"1","deployment.kubernetes.io/max-replicas":"2","deployment.kubernetes.io/revision":"1"},"labels":{"app":"web","pod-template-hash":"6657df8f46"},"name":"web-6657df8f46","namespace":"default","ownerReferences":[{"apiVersion":"apps/v1","blockOwnerDeletion":true,"controller":true,"kind":"Deployment","name":"web","uid":"uid-web"}]},"spec":{"replicas":1,"selector":{"matchLabels":{"app":"web","pod-template-hash":"6657df8f46"}},"template":{"metadata":{"labels":{"app":"web","pod-template-hash":"6657df8f46"}},"spec":{"containers":[{"image":"nginx:2","name":"c"}]}}}}
          on success: ScalingReplicaSet: Scaled up replica set web-6657df8f46 from 0 to 1
          on failure: ReplicaSetCreateError: Failed to create new replica set "web-6657df8f46": {error}
        update-status deployments default/web {"deployment.kubernetes.io/revision":"1"} {"conditions":[{"lastTransitionTime":"2026-01-01T00:00:00Z","lastUpdateTime":"2026-01-01T00:00:00Z","message":"Created new replica set \"web-6657df8f46\"","reason":"NewReplicaSetCreated","status":"True","type":"Progressing"},{"lastTransitionTime":"2026-01-01T00:00:00Z","lastUpdateTime":"2026-01-01T00:00:00Z","message":"Deployment does not have minimum availability.","reason":"MinimumReplicasUnavailable","status":"False","type":"Available"}],"observedGeneration":1,"terminatingReplicas":0,"unavailableReplicas":1}
        requeue after 10m1s
    "##]].assert_eq(&w.run("default/web"));
}

#[test]
fn a_taken_name_counts_as_a_hash_collision() {
    let mut w = World::<DeploymentController>::new([deployment(1, json!({}))]);
    let created = w.outcome("default/web");
    let Write::Create(rs) = &created.intents[0].write else { panic!("a create") };
    let name = rs.meta().name.clone().expect("a name");
    w.put(replicaset(&name, 1, json!({"metadata": {"ownerReferences": [controller_ref("Deployment", "other")]}})));
    let text = w.run("default/web");
    assert!(text.contains(r#""collisionCount":1"#) && !text.contains("create"), "{text}");
}
