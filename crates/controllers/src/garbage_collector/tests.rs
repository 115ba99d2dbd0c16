//! Cases modelled on `garbagecollector_test.go` and the end-to-end tests of cascading deletion.

use super::GarbageCollector;
use crate::testing::{World, merged, pod, replicaset, rfc3339};
use expect_test::expect;
use serde_json::{Value, json};

const OWNED: Option<(&str, &str)> = Some(("ReplicaSet", "web"));

fn world(objects: Vec<Value>) -> World<GarbageCollector> {
    World::new(objects)
}

fn terminating(finalizer: &str) -> Value {
    json!({"metadata": {"deletionTimestamp": rfc3339(0), "finalizers": [finalizer]}})
}

#[test]
fn dependents_of_a_deleted_owner_go_in_the_background() {
    let mut w = world(vec![replicaset("web", 1, json!({})), pod("a", OWNED, json!({})), pod("b", None, json!({}))]);
    assert_eq!(w.run("pods/default/a"), "");
    assert_eq!(format!("{:?}", w.delete("apps/v1", "ReplicaSet", "default/web")), "[pods/default/a]");
    expect![[r#"
        # gc.delete kind=Pod name=a owner_kind=ReplicaSet owner=web why=absent
        delete pods default/a grace=None propagation=Some(Background)
    "#]]
    .assert_eq(&w.run("pods/default/a"));
}

#[test]
fn an_owner_of_the_same_name_with_another_uid_does_not_count() {
    let mut w = world(vec![replicaset("web", 1, json!({"metadata": {"uid": "uid-second"}}))]);
    assert_eq!(format!("{:?}", w.put(pod("a", OWNED, json!({})))), "[pods/default/a]");
}

#[test]
fn foreground_deletion_waits_for_blocking_dependents() {
    let mut w = world(vec![replicaset("web", 1, json!({})), pod("a", OWNED, json!({}))]);
    let queued = w.put(replicaset("web", 1, terminating("foregroundDeletion")));
    assert_eq!(format!("{queued:?}"), "[replicasets.apps/default/web, pods/default/a]");
    expect![[r#"
        # gc.foreground kind=ReplicaSet name=web blocking=1
    "#]]
    .assert_eq(&w.run("replicasets.apps/default/web"));
    expect![[r#"
        # gc.delete kind=Pod name=a owner_kind=ReplicaSet owner=web why=waiting
        delete pods default/a grace=None propagation=Some(Background)
    "#]]
    .assert_eq(&w.run("pods/default/a"));
    assert_eq!(format!("{:?}", w.delete("v1", "Pod", "default/a")), "[replicasets.apps/default/web]");
    expect![[r##"
        # gc.foreground kind=ReplicaSet name=web blocking=0
        patch replicasets default/web  {"metadata":{"finalizers":[],"uid":"uid-web"}}
    "##]]
    .assert_eq(&w.run("replicasets.apps/default/web"));
}

#[test]
fn foreground_deletion_goes_down_the_tree() {
    let owned = json!({"metadata": {"ownerReferences": [crate::testing::controller_ref("Deployment", "d")]}});
    let deployment = merged(
        json!({"apiVersion": "apps/v1", "kind": "Deployment",
               "metadata": {"name": "d", "namespace": "default", "uid": "uid-d"},
               "spec": {"selector": {}, "template": {}}}),
        terminating("foregroundDeletion"),
    );
    let mut w = world(vec![deployment, replicaset("web", 1, owned), pod("a", OWNED, json!({}))]);
    expect![[r#"
        # gc.delete kind=ReplicaSet name=web owner_kind=Deployment owner=d why=waiting
        delete replicasets default/web grace=None propagation=Some(Foreground)
    "#]]
    .assert_eq(&w.run("replicasets.apps/default/web"));
}

#[test]
fn orphaning_strips_the_references_first() {
    let mut w = world(vec![replicaset("web", 1, terminating("orphan")), pod("a", OWNED, json!({}))]);
    expect![[r##"
        # gc.orphan kind=ReplicaSet name=web dependents=1
        patch pods default/a  {"metadata":{"ownerReferences":null,"uid":"uid-a"}}
        patch replicasets default/web  {"metadata":{"finalizers":[],"uid":"uid-web"}}
    "##]]
    .assert_eq(&w.run("replicasets.apps/default/web"));
}

#[test]
fn one_living_owner_is_enough() {
    let mut both = pod("a", OWNED, json!({}));
    let gone = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "uid-gone"});
    both["metadata"]["ownerReferences"].as_array_mut().expect("a list").push(gone);
    let mut w = world(vec![replicaset("web", 1, json!({})), both]);
    expect![[r##"
        # gc.drop-references kind=Pod name=a count=1
        patch pods default/a  {"metadata":{"ownerReferences":[{"apiVersion":"apps/v1","blockOwnerDeletion":true,"controller":true,"kind":"ReplicaSet","name":"web","uid":"uid-web"}],"uid":"uid-a"}}
    "##]].assert_eq(&w.run("pods/default/a"));
}
