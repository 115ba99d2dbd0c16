//! Deletion: grace, finalizers, propagation, namespaces, eviction, binding. Cases modelled on upstream's
//! `store_test.go` (TestGracefulStore*, TestNonGracefulStore*), `pod/storage/storage_test.go` and
//! `eviction_test.go`.

use crate::world::{World, events, outcome, summary};
use apiserver::{Body, RequestVerb};
use expect_test::expect;
use k8s_openapi::api::core::v1::{Binding, ObjectReference};
use k8s_openapi::api::policy::v1::Eviction;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{DeleteOptions, ObjectMeta};
use serde_json::Value;

const PODS: &str = "/api/v1/namespaces/default/pods";
const MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn bind(w: &mut World, name: &str, uid: Option<&str>, node: &str) -> String {
    let binding = Binding {
        metadata: ObjectMeta { name: Some(name.into()), uid: uid.map(Into::into), ..Default::default() },
        target: ObjectReference { name: Some(node.into()), ..Default::default() },
    };
    let req = World::request(RequestVerb::Create, "Pod", "default", name)
        .subresource("binding")
        .body(Body::Binding(Box::new(binding)));
    let a = w.handle(req);
    outcome(&a)
}

/// Deletes and says what happened.
fn delete(w: &mut World, path: &str, body: &str) -> String {
    let (a, wants) = w.answer("DELETE", path, "", "application/json", body);
    let r = apiserver::http::render(&a, &wants, w.now);
    let mut s = format!("{}\n", summary(&r));
    for line in events(&a).lines() {
        s.push_str(&format!("  {line}\n"));
    }
    s
}

fn deletion(o: &Value) -> String {
    let m = &o["metadata"];
    format!(
        "{} {} {} generation {}",
        m["deletionTimestamp"], m["deletionGracePeriodSeconds"], m["finalizers"], m["generation"]
    )
}

#[test]
fn binding() {
    let mut w = World::new();
    w.pod("web");
    let mut out = String::new();
    for (name, uid, node) in [
        ("web", Some("other"), "n1"),
        ("none", None, "n1"),
        ("web", None, ""),
        ("web", None, "n1"),
        ("web", None, "n2"),
    ] {
        out.push_str(&bind(&mut w, name, uid, node));
        out.push('\n');
    }
    let o = w.get(&format!("{PODS}/web"));
    out.push_str(&format!("{} {}\n", o["spec"]["nodeName"], o["status"]["conditions"]));
    // The uid is random but seeded.
    expect![[r#"
        409 Conflict: Operation cannot be fulfilled on pods "web": StorageError: invalid object, Code: 4, Key: /registry/pods/default/web, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: other, UID in object meta: 9a5b1657-19a9-4aff-9385-b47f3dd2bbc7
        404 NotFound: pods "none" not found
        500 : target.name: Required value
        201 Success
        409 Conflict: Operation cannot be fulfilled on pods/binding "web": pod web is already assigned to node "n1"
        "n1" [{"lastProbeTime":null,"lastTransitionTime":"2026-01-01T00:00:00Z","status":"True","type":"PodScheduled"}]
    "#]].assert_eq(&out);
}

#[test]
fn pods_go_with_grace() {
    let mut w = World::new();
    let mut out = String::new();
    w.pod("unbound");
    out.push_str(&delete(&mut w, &format!("{PODS}/unbound"), ""));
    w.pod("web");
    bind(&mut w, "web", None, "n1");
    out.push_str(&delete(&mut w, &format!("{PODS}/web"), r#"{"gracePeriodSeconds":30}"#));
    out.push_str(&format!("{}\n", deletion(&w.get(&format!("{PODS}/web")))));
    w.advance(3);
    // A longer one is not taken, nor the default again; a shorter one is.
    out.push_str(&delete(&mut w, &format!("{PODS}/web"), r#"{"gracePeriodSeconds":60}"#));
    out.push_str(&delete(&mut w, &format!("{PODS}/web"), ""));
    out.push_str(&delete(&mut w, &format!("{PODS}/web?gracePeriodSeconds=10"), ""));
    out.push_str(&format!("{}\n", deletion(&w.get(&format!("{PODS}/web")))));
    let again = r#"{"metadata":{"name":"web"},"spec":{"containers":[{"name":"c","image":"nginx"}]}}"#;
    out.push_str(&format!("{}\n", w.line("POST", PODS, again)));
    // The kubelet's last word.
    out.push_str(&delete(&mut w, &format!("{PODS}/web"), r#"{"gracePeriodSeconds":0}"#));
    out.push_str(&delete(&mut w, &format!("{PODS}/web"), r#"{"gracePeriodSeconds":0}"#));
    expect![[r#"
        200 Pod unbound
          MODIFIED /registry/pods/default/unbound
          DELETED /registry/pods/default/unbound
        200 Pod web
          MODIFIED /registry/pods/default/web
        "2026-01-01T00:00:30Z" 30 null generation 2
        200 Pod web
        200 Pod web
        200 Pod web
          MODIFIED /registry/pods/default/web
        "2026-01-01T00:00:10Z" 10 null generation 2
        409 AlreadyExists: object is being deleted: pods "web" already exists
        200 Pod web
          MODIFIED /registry/pods/default/web
          DELETED /registry/pods/default/web
        404 NotFound: pods "web" not found
    "#]]
    .assert_eq(&out);
}

#[test]
fn preconditions() {
    let mut w = World::new();
    w.ok("POST", MAPS, r#"{"metadata":{"name":"a"}}"#);
    let mut out = String::new();
    out.push_str(&delete(&mut w, &format!("{MAPS}/a"), r#"{"preconditions":{"uid":"x"}}"#));
    out.push_str(&delete(&mut w, &format!("{MAPS}/a"), r#"{"preconditions":{"resourceVersion":"1"}}"#));
    out.push_str(&delete(&mut w, &format!("{MAPS}/a"), r#"{"propagationPolicy":"Sideways"}"#));
    out.push_str(&delete(&mut w, &format!("{MAPS}/a"), r#"{"propagationPolicy":"Orphan","orphanDependents":true}"#));
    out.push_str(&delete(&mut w, &format!("{MAPS}/a"), ""));
    expect![[r#"
        409 Conflict: Operation cannot be fulfilled on ConfigMap "a": the UID in the precondition (x) does not match the UID in record (3d32d603-0615-464e-8bad-4e556615b6b5). The object might have been deleted and then recreated
        409 Conflict: Operation cannot be fulfilled on ConfigMap "a": the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (6). The object might have been modified
        422 Invalid: DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Sideways": supported values: "Foreground", "Background", "Orphan", "nil"
        422 Invalid: DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set
        200 Success
          DELETED /registry/configmaps/default/a
    "#]].assert_eq(&out);
}

#[test]
fn finalizers_hold_an_object() {
    let mut w = World::new();
    let mut out = String::new();
    w.ok("POST", MAPS, r#"{"metadata":{"name":"a","finalizers":["example.com/f"]}}"#);
    out.push_str(&delete(&mut w, &format!("{MAPS}/a"), ""));
    w.advance(5);
    out.push_str(&delete(&mut w, &format!("{MAPS}/a"), ""));
    out.push_str(&format!("{}\n", deletion(&w.get(&format!("{MAPS}/a")))));
    let more = r#"{"metadata":{"finalizers":["example.com/f","example.com/g"]}}"#;
    out.push_str(&format!("{}\n", w.line("PATCH", &format!("{MAPS}/a"), more)));
    let (a, _) = w.answer(
        "PATCH",
        &format!("{MAPS}/a"),
        "",
        "application/merge-patch+json",
        r#"{"metadata":{"finalizers":null}}"#,
    );
    out.push_str(&format!("{}\n{}\n", outcome(&a), events(&a)));
    for policy in ["Orphan", "Foreground", "Background"] {
        w.ok("POST", MAPS, r#"{"metadata":{"name":"b"}}"#);
        out.push_str(&delete(&mut w, &format!("{MAPS}/b?propagationPolicy={policy}"), ""));
        let (a, _) = w.answer("GET", &format!("{MAPS}/b"), "", "", "");
        if let apiserver::Response::Object(o) = &a.response {
            out.push_str(&format!("{policy}: {}\n", deletion(&o.to_value())));
            w.ok("PATCH", &format!("{MAPS}/b"), r#"{"metadata":{"finalizers":null}}"#);
        }
    }
    out.push_str(&format!("{}\n", w.line("POST", MAPS, r#"{"metadata":{"name":"c","finalizers":["loose"]}}"#)));
    expect![[r#"
        200 ConfigMap a
          MODIFIED /registry/configmaps/default/a
        200 ConfigMap a
        "2026-01-01T00:00:00Z" 0 ["example.com/f"] generation null
        422 Invalid: ConfigMap "a" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/g"}
        200 ConfigMap default/a
        DELETED /registry/configmaps/default/a
        200 ConfigMap b
          MODIFIED /registry/configmaps/default/b
        Orphan: "2026-01-01T00:00:05Z" 0 ["orphan"] generation null
        200 ConfigMap b
          MODIFIED /registry/configmaps/default/b
        Foreground: "2026-01-01T00:00:05Z" 0 ["foregroundDeletion"] generation null
        200 Success
          DELETED /registry/configmaps/default/b
        422 Invalid: ConfigMap "c" is invalid: metadata.finalizers[0]: Invalid value: "loose": name is neither a standard finalizer name nor is it fully qualified
    "#]].assert_eq(&out);
}

#[test]
fn namespaces_end_in_two_steps() {
    let mut w = World::new();
    let mut out = String::new();
    out.push_str(&delete(&mut w, "/api/v1/namespaces/default", ""));
    w.ok("POST", "/api/v1/namespaces", r#"{"metadata":{"name":"team"},"spec":{"finalizers":["kubernetes"]}}"#);
    w.ok("POST", "/api/v1/namespaces/team/configmaps", r#"{"metadata":{"name":"a"}}"#);
    out.push_str(&delete(&mut w, "/api/v1/namespaces/team", ""));
    let ns = w.get("/api/v1/namespaces/team");
    out.push_str(&format!("{} {}\n", ns["status"]["phase"], ns["metadata"]["deletionTimestamp"]));
    out.push_str(&format!(
        "{}\n",
        w.line("POST", "/api/v1/namespaces/team/configmaps", r#"{"metadata":{"name":"b"}}"#)
    ));
    out.push_str(&delete(&mut w, "/api/v1/namespaces/team", ""));
    let ns = k8s_openapi::api::core::v1::Namespace {
        metadata: ObjectMeta { name: Some("team".into()), ..Default::default() },
        ..Default::default()
    };
    let req = World::request(RequestVerb::Update, "Namespace", "", "team")
        .subresource("finalize")
        .body(Body::Object(Box::new(ns)));
    let a = w.handle(req);
    out.push_str(&format!("{}\n{}\n", outcome(&a), events(&a)));
    expect![[r#"
        403 Forbidden: namespaces "default" is forbidden: this namespace may not be deleted
        200 Namespace team
          MODIFIED /registry/namespaces/team
        "Terminating" "2026-01-01T00:00:00Z"
        403 Forbidden: configmaps "b" is forbidden: unable to create new content in namespace team because it is being terminated
        200 Namespace team
        200 Namespace team
        DELETED /registry/namespaces/team
    "#]].assert_eq(&out);
}

#[test]
fn collections() {
    let mut w = World::new();
    for (n, l) in [("a", "x"), ("b", "y"), ("c", "x")] {
        w.ok("POST", MAPS, &format!(r#"{{"metadata":{{"name":"{n}","labels":{{"l":"{l}"}}}}}}"#));
    }
    let mut out = delete(&mut w, &format!("{MAPS}?labelSelector=l%3Dx"), "");
    out.push_str(&delete(&mut w, "/api/v1/configmaps", ""));
    expect![[r#"
        200 ConfigMapList [a c]
          DELETED /registry/configmaps/default/a
          DELETED /registry/configmaps/default/c
        405 MethodNotAllowed: the server does not allow this method on the requested resource
    "#]]
    .assert_eq(&out);
}

#[test]
fn eviction() {
    let mut w = World::new();
    w.pod("web");
    bind(&mut w, "web", None, "n1");
    let evict = |grace| Eviction {
        metadata: ObjectMeta { name: Some("web".into()), ..Default::default() },
        delete_options: Some(DeleteOptions { grace_period_seconds: grace, ..Default::default() }),
    };
    let request = |e| {
        World::request(RequestVerb::Create, "Pod", "default", "web")
            .subresource("eviction")
            .body(Body::Eviction(Box::new(e)))
    };
    let a = w.handle(request(evict(Some(20))));
    let mut out = format!("{}\n{}\n", outcome(&a), events(&a));
    let o = w.get(&format!("{PODS}/web"));
    out.push_str(&format!("{}\n{}\n", deletion(&o), o["status"]["conditions"][1]["message"]));
    let a = w.handle(request(evict(Some(0))));
    out.push_str(&format!("{}\n{}\n", outcome(&a), events(&a)));
    let a = w.handle(request(evict(None)));
    out.push_str(&format!("{}\n", outcome(&a)));
    expect![[r#"
        201 Success
        MODIFIED /registry/pods/default/web
        MODIFIED /registry/pods/default/web
        "2026-01-01T00:00:20Z" 20 null generation 2
        "Eviction API: evicting"
        201 Success
        MODIFIED /registry/pods/default/web
        MODIFIED /registry/pods/default/web
        DELETED /registry/pods/default/web
        404 NotFound: pods "web" not found
    "#]]
    .assert_eq(&out);
}
