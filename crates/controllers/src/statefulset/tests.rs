//! Cases modelled on `stateful_set_control_test.go`, `stateful_pod_control_test.go` and `stateful_set_utils_test.go`.

use super::StatefulSetController;
use super::identity::parent_and_ordinal;
use crate::testing::{World, at, controller_ref, merged, pod, ready_since, rfc3339};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

/// A set that has been seen before: its revision is there, its status says so.
fn set(replicas: i32, over: Value) -> Value {
    merged(
        json!({
            "apiVersion": "apps/v1", "kind": "StatefulSet",
            "metadata": {"name": "web", "namespace": "default", "uid": "uid-web", "generation": 1},
            "spec": {
                "replicas": replicas, "serviceName": "nginx", "podManagementPolicy": "OrderedReady",
                "selector": {"matchLabels": {"app": "web"}}, "revisionHistoryLimit": 2,
                "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0, "maxUnavailable": 1}},
                "template": {"metadata": {"labels": {"app": "web"}},
                             "spec": {"containers": [{"name": "c", "image": "nginx"}]}},
            },
        }),
        over,
    )
}

fn parallel() -> Value {
    json!({"spec": {"podManagementPolicy": "Parallel"}})
}

fn claims(when_deleted: &str, when_scaled: &str) -> Value {
    json!({"spec": {
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": when_deleted, "whenScaled": when_scaled},
        "volumeClaimTemplates": [{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "www"}}],
    }})
}

fn claim(ordinal: i32, owners: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
           "metadata": {"name": format!("www-web-{ordinal}"), "namespace": "default", "ownerReferences": owners}})
}

/// A pod of the set as its controller makes it, from a revision.
fn member(n: i32, revision: &str, over: Value) -> Value {
    let name = format!("web-{n}");
    let base = json!({"metadata": {"labels": {
        "controller-revision-hash": revision, "statefulset.kubernetes.io/pod-name": name,
        "apps.kubernetes.io/pod-index": n.to_string()}}});
    pod(&name, Some(("StatefulSet", "web")), merged(base, over))
}

/// The set's revisions are created first, so that a case shows what comes after.
fn world(set: Value, objects: impl IntoIterator<Item = Value>) -> World<StatefulSetController> {
    let mut w = World::new([set.clone()]);
    let mut first = None;
    for i in w.outcome("default/web").intents {
        if let reconcile::Write::Create(o) = i.write
            && o.kind().kind == "ControllerRevision"
        {
            first.get_or_insert_with(|| o.to_value());
        }
    }
    let revision = first.expect("a revision is created");
    w.put(merged(
        set,
        json!({"status": {
        "replicas": 0, "currentRevision": revision["metadata"]["name"], "updateRevision": revision["metadata"]["name"],
        "observedGeneration": 1, "collisionCount": 0, "availableReplicas": 0}}),
    ));
    w.put(revision);
    for o in objects {
        w.put(o);
    }
    w
}

fn check(set: Value, objects: impl IntoIterator<Item = Value>, expect: Expect) {
    expect.assert_eq(&world(set, objects).acts("default/web"));
}

const REV: &str = "web-REV";

/// The name that the revision of [`set`]'s template has.
fn revision() -> String {
    let w = world(set(1, json!({})), []);
    let r = w.view.list::<k8s_openapi::api::apps::v1::ControllerRevision>().next().expect("one");
    r.metadata.name.clone().expect("a name")
}

#[test]
fn names_tell_parents_and_ordinals() {
    let cases =
        [("web-0", Some(("web", 0))), ("a-b-12", Some(("a-b", 12))), ("web-x", None), ("web", None), ("web-", None)];
    for (name, want) in cases {
        let p = serde_json::from_value(pod(name, None, json!({}))).expect("a pod");
        assert_eq!(parent_and_ordinal(&p), want, "{name}");
    }
}

#[test]
fn the_first_sync_makes_a_revision_and_the_first_pod() {
    let mut w = World::<StatefulSetController>::new([merged(set(3, json!({})), claims("Retain", "Retain"))]);
    expect![[r##"
        # statefulset.create name=web pod=web-0 revision=web-5f4b46c5cc
        create {"apiVersion":"apps/v1","data":{"spec":{"template":{"$patch":"replace","metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"image":"nginx","name":"c"}]}}}},"kind":"ControllerRevision","metadata":{"labels":{"app":"web","controller.kubernetes.io/hash":"5f4b46c5cc"},"name":"web-5f4b46c5cc","namespace":"default","ownerReferences":[{"apiVersion":"apps/v1","blockOwnerDeletion":true,"controller":true,"kind":"StatefulSet","name":"web","uid":"uid-web"}]},"revision":1}
        create {"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"labels":{"app":"web"},"name":"www-web-0","namespace":"default"}}
          on success: SuccessfulCreate: create Claim www-web-0 Pod web-0 in StatefulSet web success
          on failure: FailedCreate: create Claim www-web-0 for Pod web-0 in StatefulSet web failed error: {error}
        create {"apiVersion":"v1","kind":"Pod","metadata":{"labels":{"app":"web","apps.kubernetes.io/pod-index":"0","controller-revision-hash":"web-5f4b46c5cc","statefulset.kubernetes.io/pod-name":"web-0"},"name":"web-0","namespace":"default","ownerReferences":[{"apiVersion":"apps/v1","blockOwnerDeletion":true,"controller":true,"kind":"StatefulSet","name":"web","uid":"uid-web"}]},"spec":{"containers":[{"image":"nginx","name":"c"}],"hostname":"web-0","subdomain":"nginx","volumes":[{"name":"www","persistentVolumeClaim":{"claimName":"www-web-0"}}]}}
          on success: SuccessfulCreate: create Pod web-0 in StatefulSet web successful
          on failure: FailedCreate: create Pod web-0 in StatefulSet web failed error: {error}
        update-status statefulsets default/web {"availableReplicas":0,"collisionCount":0,"currentRevision":"web-5f4b46c5cc","observedGeneration":1,"replicas":0,"updateRevision":"web-5f4b46c5cc"}
    "##]].assert_eq(&w.run("default/web"));
}

#[test]
fn an_ordered_set_waits_for_each_pod() {
    let r = revision();
    check(
        set(3, json!({})),
        [member(0, &r, json!({"status": {"phase": "Pending"}}))],
        expect![[r#"
        update-status statefulsets default/web {"availableReplicas":0,"collisionCount":0,"currentReplicas":1,"currentRevision":"web-5f4b46c5cc","observedGeneration":1,"replicas":1,"updateRevision":"web-5f4b46c5cc","updatedReplicas":1}
    "#]],
    );
    check(
        set(3, json!({})),
        [member(0, &r, ready_since(0))],
        expect![[r#"
        create pods default/web-1
        update-status statefulsets default/web {"availableReplicas":1,"collisionCount":0,"currentReplicas":1,"currentRevision":"web-5f4b46c5cc","observedGeneration":1,"readyReplicas":1,"replicas":1,"updateRevision":"web-5f4b46c5cc","updatedReplicas":1}
    "#]],
    );
    // A pod in the middle is missing: it comes before the next one.
    check(
        set(4, json!({})),
        [member(0, &r, ready_since(0)), member(2, &r, ready_since(0))],
        expect![[r#"
        create pods default/web-1
        update-status statefulsets default/web {"availableReplicas":2,"collisionCount":0,"currentReplicas":2,"currentRevision":"web-5f4b46c5cc","observedGeneration":1,"readyReplicas":2,"replicas":2,"updateRevision":"web-5f4b46c5cc","updatedReplicas":2}
    "#]],
    );
    let gone = json!({"metadata": {"deletionTimestamp": rfc3339(0)}});
    check(
        set(2, json!({})),
        [member(0, &r, merged(ready_since(0), gone))],
        expect![[r#"
        update-status statefulsets default/web {"availableReplicas":1,"collisionCount":0,"currentRevision":"web-5f4b46c5cc","observedGeneration":1,"readyReplicas":1,"replicas":1,"updateRevision":"web-5f4b46c5cc"}
    "#]],
    );
}

#[test]
fn a_parallel_set_does_not_wait() {
    let r = revision();
    check(
        set(3, parallel()),
        [member(1, &r, json!({"status": {"phase": "Pending"}}))],
        expect![[r#"
        create pods default/web-0
        create pods default/web-2
        update-status statefulsets default/web {"availableReplicas":0,"collisionCount":0,"currentReplicas":1,"currentRevision":"web-5f4b46c5cc","observedGeneration":1,"replicas":1,"updateRevision":"web-5f4b46c5cc","updatedReplicas":1}
    "#]],
    );
    let pods = [0, 1, 2, 3].map(|n| member(n, &r, json!({"status": {"phase": "Pending"}})));
    check(
        set(1, parallel()),
        pods,
        expect![[r#"
        delete pods default/web-3
        delete pods default/web-2
        delete pods default/web-1
        update-status statefulsets default/web {"availableReplicas":0,"collisionCount":0,"currentReplicas":4,"currentRevision":"web-5f4b46c5cc","observedGeneration":1,"replicas":4,"updateRevision":"web-5f4b46c5cc","updatedReplicas":4}
    "#]],
    );
}

#[test]
fn ended_pods_are_made_anew() {
    let r = revision();
    let ends = [
        (
            "Failed",
            expect![[r#"
            delete pods default/web-0
            update-status statefulsets default/web {"availableReplicas":1,"collisionCount":0,"currentReplicas":2,"currentRevision":"web-5f4b46c5cc","observedGeneration":1,"readyReplicas":1,"replicas":2,"updateRevision":"web-5f4b46c5cc","updatedReplicas":2}
        "#]],
        ),
        (
            "Succeeded",
            expect![[r#"
            delete pods default/web-0
            update-status statefulsets default/web {"availableReplicas":1,"collisionCount":0,"currentReplicas":2,"currentRevision":"web-5f4b46c5cc","observedGeneration":1,"readyReplicas":1,"replicas":2,"updateRevision":"web-5f4b46c5cc","updatedReplicas":2}
        "#]],
        ),
    ];
    for (phase, want) in ends {
        let pods = [member(0, &r, json!({"status": {"phase": phase}})), member(1, &r, ready_since(0))];
        check(set(2, json!({})), pods, want);
    }
}

#[test]
fn scaling_down_goes_from_the_top_and_waits() {
    let r = revision();
    let ready = |n| member(n, &r, ready_since(0));
    check(
        set(1, json!({})),
        [ready(0), ready(1), ready(2)],
        expect![[r#"
        delete pods default/web-2
        update-status statefulsets default/web {"availableReplicas":3,"collisionCount":0,"currentReplicas":3,"currentRevision":"web-5f4b46c5cc","observedGeneration":1,"readyReplicas":3,"replicas":3,"updateRevision":"web-5f4b46c5cc","updatedReplicas":3}
    "#]],
    );
    let leaving = member(2, &r, merged(ready_since(0), json!({"metadata": {"deletionTimestamp": rfc3339(0)}})));
    check(
        set(1, json!({})),
        [ready(0), ready(1), leaving],
        expect![[r#"
        update-status statefulsets default/web {"availableReplicas":3,"collisionCount":0,"currentReplicas":2,"currentRevision":"web-5f4b46c5cc","observedGeneration":1,"readyReplicas":3,"replicas":3,"updateRevision":"web-5f4b46c5cc","updatedReplicas":2}
    "#]],
    );
    // The highest is healthy, one below it is not: nothing is deleted until that one is.
    let unready = member(1, &r, json!({}));
    check(
        set(1, json!({})),
        [ready(0), unready.clone(), member(2, &r, json!({}))],
        expect![[r#"
        update-status statefulsets default/web {"availableReplicas":1,"collisionCount":0,"currentReplicas":3,"currentRevision":"web-5f4b46c5cc","observedGeneration":1,"readyReplicas":1,"replicas":3,"updateRevision":"web-5f4b46c5cc","updatedReplicas":3}
    "#]],
    );
    check(
        set(1, json!({})),
        [ready(0), unready, ready(2)],
        expect![[r#"
        delete pods default/web-2
        update-status statefulsets default/web {"availableReplicas":2,"collisionCount":0,"currentReplicas":3,"currentRevision":"web-5f4b46c5cc","observedGeneration":1,"readyReplicas":2,"replicas":3,"updateRevision":"web-5f4b46c5cc","updatedReplicas":3}
    "#]],
    );
}

#[test]
fn ordinals_may_start_higher() {
    let r = revision();
    let over = json!({"spec": {"ordinals": {"start": 2}}});
    check(
        set(2, over),
        [member(0, &r, ready_since(0)), member(2, &r, ready_since(0))],
        expect![[r#"
        create pods default/web-3
        update-status statefulsets default/web {"availableReplicas":2,"collisionCount":0,"currentReplicas":2,"currentRevision":"web-5f4b46c5cc","observedGeneration":1,"readyReplicas":2,"replicas":2,"updateRevision":"web-5f4b46c5cc","updatedReplicas":2}
    "#]],
    );
}

#[test]
fn available_only_after_min_ready_seconds() {
    let r = revision();
    let mut w = world(set(2, json!({"spec": {"minReadySeconds": 10}})), [member(0, &r, ready_since(25))]);
    w.now = at(30);
    expect![[r#"
        update-status statefulsets default/web {"availableReplicas":0,"collisionCount":0,"currentReplicas":1,"currentRevision":"web-5f4b46c5cc","observedGeneration":1,"readyReplicas":1,"replicas":1,"updateRevision":"web-5f4b46c5cc","updatedReplicas":1}
        requeue after 5s
    "#]].assert_eq(&w.acts("default/web"));
}

#[test]
fn an_update_replaces_from_the_top_down_to_the_partition() {
    let old = |n| member(n, REV, ready_since(0));
    check(
        set(3, json!({})),
        [old(0), old(1), old(2)],
        expect![[r#"
        delete pods default/web-2
        update-status statefulsets default/web {"availableReplicas":3,"collisionCount":0,"currentReplicas":-1,"currentRevision":"web-5f4b46c5cc","observedGeneration":1,"readyReplicas":3,"replicas":3,"updateRevision":"web-5f4b46c5cc"}
    "#]],
    );
    let r = revision();
    let new = |n| member(n, &r, ready_since(0));
    check(
        set(3, json!({})),
        [old(0), old(1), new(2)],
        expect![[r#"
        delete pods default/web-1
        update-status statefulsets default/web {"availableReplicas":3,"collisionCount":0,"currentRevision":"web-5f4b46c5cc","observedGeneration":1,"readyReplicas":3,"replicas":3,"updateRevision":"web-5f4b46c5cc","updatedReplicas":1}
    "#]],
    );
    let to = |n: i32| json!({"spec": {"updateStrategy": {"rollingUpdate": {"partition": n}}}});
    check(
        set(3, to(2)),
        [old(0), old(1), old(2)],
        expect![[r#"
        delete pods default/web-2
        update-status statefulsets default/web {"availableReplicas":3,"collisionCount":0,"currentReplicas":-1,"currentRevision":"web-5f4b46c5cc","observedGeneration":1,"readyReplicas":3,"replicas":3,"updateRevision":"web-5f4b46c5cc"}
    "#]],
    );
    check(
        set(3, to(2)),
        [old(0), old(1), new(2)],
        expect![[r#"
        update-status statefulsets default/web {"availableReplicas":3,"collisionCount":0,"currentReplicas":1,"currentRevision":"web-5f4b46c5cc","observedGeneration":1,"readyReplicas":3,"replicas":3,"updateRevision":"web-5f4b46c5cc","updatedReplicas":1}
    "#]],
    );
    let by = |v: Value| json!({"spec": {"updateStrategy": {"rollingUpdate": {"maxUnavailable": v}}}});
    check(
        set(4, by(json!(2))),
        [old(0), old(1), old(2), old(3)],
        expect![[r#"
        delete pods default/web-3
        delete pods default/web-2
        update-status statefulsets default/web {"availableReplicas":4,"collisionCount":0,"currentReplicas":-2,"currentRevision":"web-5f4b46c5cc","observedGeneration":1,"readyReplicas":4,"replicas":4,"updateRevision":"web-5f4b46c5cc"}
    "#]],
    );
    check(
        set(4, by(json!("10%"))),
        [old(0), old(1), old(2), old(3)],
        expect![[r#"
        delete pods default/web-3
        update-status statefulsets default/web {"availableReplicas":4,"collisionCount":0,"currentReplicas":-1,"currentRevision":"web-5f4b46c5cc","observedGeneration":1,"readyReplicas":4,"replicas":4,"updateRevision":"web-5f4b46c5cc"}
    "#]],
    );
    let on_delete = json!({"spec": {"updateStrategy": {"type": "OnDelete", "rollingUpdate": null}}});
    check(
        set(2, on_delete),
        [old(0), old(1)],
        expect![[r#"
        update-status statefulsets default/web {"availableReplicas":2,"collisionCount":0,"currentRevision":"web-5f4b46c5cc","observedGeneration":1,"readyReplicas":2,"replicas":2,"updateRevision":"web-5f4b46c5cc"}
    "#]],
    );
}

#[test]
fn below_the_partition_the_current_revision_comes_back() {
    let mut w = world(set(2, json!({})), []);
    let first = revision();
    let image = json!({"spec": {
        "updateStrategy": {"rollingUpdate": {"partition": 1}},
        "template": {"spec": {"containers": [{"name": "c", "image": "nginx:2"}]}}}});
    let status = json!({"status": {"replicas": 1, "currentRevision": first, "updateRevision": first}});
    w.put(merged(merged(set(2, image), status), json!({"metadata": {"generation": 2}})));
    let out = w.run("default/web");
    let create = out.lines().find(|l| l.starts_with("create {") && l.contains("\"Pod\"")).expect("a pod");
    assert!(create.contains(&format!("\"controller-revision-hash\":\"{first}\"")), "{create}");
    assert!(create.contains("\"image\":\"nginx\""), "{create}");
}

#[test]
fn a_template_that_was_there_before_is_the_newest_revision_again() {
    let mut w = world(set(1, json!({})), [member(0, REV, ready_since(0))]);
    let other = json!({"apiVersion": "apps/v1", "kind": "ControllerRevision", "revision": 2, "data": {"spec": {}},
                       "metadata": {"name": "web-other", "namespace": "default", "labels": {"app": "web"},
                                    "ownerReferences": [controller_ref("StatefulSet", "web")]}});
    w.put(other);
    let acts = w.run("default/web");
    assert!(acts.contains("\"revision\":3"), "{acts}");
}

#[test]
fn history_is_cut_to_its_limit() {
    let old = |n: i32| {
        json!({
        "apiVersion": "apps/v1", "kind": "ControllerRevision", "revision": -n, "data": {"spec": {"n": n}},
        "metadata": {"name": format!("old-{n}"), "namespace": "default", "labels": {"app": "web"},
                     "ownerReferences": [controller_ref("StatefulSet", "web")]}})
    };
    let live = member(0, "old-4", ready_since(0));
    check(
        set(1, json!({"spec": {"updateStrategy": {"type": "OnDelete"}}})),
        (1..=4).map(old).chain([live]),
        expect![[r#"
            update-status statefulsets default/web {"availableReplicas":1,"collisionCount":0,"currentRevision":"web-5f4b46c5cc","observedGeneration":1,"readyReplicas":1,"replicas":1,"updateRevision":"web-5f4b46c5cc"}
            delete controllerrevisions default/old-3
        "#]],
    );
}

#[test]
fn claims_are_owned_as_the_policy_says() {
    let r = revision();
    let volume = json!({"spec": {"volumes": [{"name": "www", "persistentVolumeClaim": {"claimName": "www-web-0"}}]}});
    let ready = merged(ready_since(0), volume);
    let mut text = String::new();
    for (deleted, scaled) in [("Retain", "Retain"), ("Delete", "Retain"), ("Retain", "Delete"), ("Delete", "Delete")] {
        for replicas in [1, 0] {
            let s = set(replicas, claims(deleted, scaled));
            let mut w = world(s, [member(0, &r, ready.clone()), claim(0, json!([]))]);
            let acts = w.run("default/web");
            let owner = acts
                .lines()
                .find(|l| l.starts_with("update persistentvolumeclaims"))
                .map_or("nobody", |l| if l.contains("\"StatefulSet\"") { "the set" } else { "the pod" });
            text += &format!("deleted {deleted}, scaled {scaled}, {replicas} replicas: {owner}\n");
        }
    }
    expect![[r#"
        deleted Retain, scaled Retain, 1 replicas: nobody
        deleted Retain, scaled Retain, 0 replicas: nobody
        deleted Delete, scaled Retain, 1 replicas: the set
        deleted Delete, scaled Retain, 0 replicas: the set
        deleted Retain, scaled Delete, 1 replicas: nobody
        deleted Retain, scaled Delete, 0 replicas: the pod
        deleted Delete, scaled Delete, 1 replicas: the set
        deleted Delete, scaled Delete, 0 replicas: the pod
    "#]]
    .assert_eq(&text);
}

#[test]
fn a_claim_with_another_controller_is_left_alone() {
    let r = revision();
    let volume = json!({"spec": {"volumes": [{"name": "www", "persistentVolumeClaim": {"claimName": "www-web-0"}}]}});
    let owners = json!([controller_ref("StatefulSet", "web"),
        {"apiVersion": "v1", "kind": "Pod", "name": "web-0", "uid": "uid-web-0"},
        {"apiVersion": "x/v1", "kind": "Backup", "name": "b", "uid": "u", "controller": true}]);
    let owners = json!([owners[2], owners[1]]);
    let s = set(1, claims("Delete", "Delete"));
    check(
        s,
        [member(0, &r, merged(ready_since(0), volume)), claim(0, owners)],
        expect![[r#"
            event Warning ConflictingController web: PersistentVolumeClaim www-web-0 has a conflicting OwnerReference that acts as a manging controller, the retention policy is ignored for this claim
            update persistentvolumeclaims default/www-web-0
            update pods default/web-0
            update-status statefulsets default/web {"availableReplicas":1,"collisionCount":0,"currentReplicas":1,"currentRevision":"web-5f4b46c5cc","observedGeneration":1,"readyReplicas":1,"replicas":1,"updateRevision":"web-5f4b46c5cc","updatedReplicas":1}
        "#]],
    );
}

#[test]
fn a_claim_of_the_pods_predecessor_is_waited_out() {
    let stale = claim(0, json!([{"apiVersion": "v1", "kind": "Pod", "name": "web-0", "uid": "before"}]));
    check(
        set(1, claims("Retain", "Delete")),
        [stale.clone()],
        expect![[r#"
        requeue after 30s
    "#]],
    );
    check(
        set(1, claims("Retain", "Retain")),
        [stale],
        expect![[r#"
        create pods default/web-0
    "#]],
    );
}

#[test]
fn lost_identity_is_given_back() {
    let r = revision();
    let mut lost = member(0, &r, ready_since(0));
    lost["metadata"]["labels"].as_object_mut().expect("labels").remove("apps.kubernetes.io/pod-index");
    check(
        set(1, json!({})),
        [lost],
        expect![[r#"
        update pods default/web-0
        update-status statefulsets default/web {"availableReplicas":1,"collisionCount":0,"currentReplicas":1,"currentRevision":"web-5f4b46c5cc","observedGeneration":1,"readyReplicas":1,"replicas":1,"updateRevision":"web-5f4b46c5cc","updatedReplicas":1}
    "#]],
    );
}

#[test]
fn adopts_and_releases_only_its_own_names() {
    let orphan = |name: &str| pod(name, None, merged(json!({"metadata": {"resourceVersion": "7"}}), ready_since(0)));
    let stranger = member(1, REV, json!({"metadata": {"labels": {"app": "debug"}}}));
    check(
        set(1, json!({})),
        [orphan("web-0"), orphan("web-x"), orphan("other-0"), stranger],
        expect![[r#"
        patch pods default/web-1  {"metadata":{"ownerReferences":null,"uid":"uid-web-1"}}
        patch pods default/web-0  {"metadata":{"ownerReferences":[{"apiVersion":"apps/v1","blockOwnerDeletion":true,"controller":true,"kind":"StatefulSet","name":"web","uid":"uid-web"}],"resourceVersion":"7","uid":"uid-web-0"}}
        update pods default/web-0
        delete pods default/web-0
        update-status statefulsets default/web {"availableReplicas":1,"collisionCount":0,"currentReplicas":-1,"currentRevision":"web-5f4b46c5cc","observedGeneration":1,"readyReplicas":1,"replicas":1,"updateRevision":"web-5f4b46c5cc"}
    "#]],
    );
}
