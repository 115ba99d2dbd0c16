//! Server-side apply and `managedFields`, over HTTP.

use crate::world::{World, summary};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/default/deployments/web";

fn deployment(replicas: Option<i32>, image: &str) -> Value {
    let mut d = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": "web", "labels": { "app": "web" } },
        "spec": {
            "selector": { "matchLabels": { "app": "web" } },
            "template": {
                "metadata": { "labels": { "app": "web" } },
                "spec": { "containers": [{ "name": "nginx", "image": image, "ports": [{ "containerPort": 80 }] }] }
            }
        }
    });
    if let Some(n) = replicas {
        d["spec"]["replicas"] = n.into();
    }
    d
}

fn apply(w: &mut World, path: &str, query: &str, body: &Value) -> String {
    let path = format!("{path}?{query}");
    summary(&w.http("PATCH", &path, "application/json", "application/apply-patch+yaml", &body.to_string()))
}

/// `manager operation subresource: fields`, in the order they are listed.
fn managers(w: &mut World, path: &str) -> String {
    let o = w.get(path);
    let text = |e: &Value, k: &str| e[k].as_str().unwrap_or("").to_string();
    let entries = o["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    let line = |e: &Value| {
        let head = format!("{} {} {}", text(e, "manager"), text(e, "operation"), text(e, "subresource"));
        format!("{} {}: {}\n", head.trim_end(), text(e, "time"), e["fieldsV1"])
    };
    entries.iter().map(line).collect()
}

fn check(found: &str, wanted: Expect) {
    wanted.assert_eq(found);
}

#[test]
fn a_create_owns_what_it_said_and_what_was_defaulted() {
    let mut w = World::new();
    w.ok("POST", "/apis/apps/v1/namespaces/default/deployments", &deployment(None, "nginx").to_string());
    check(
        &managers(&mut w, DEPLOYMENT),
        expect![[r#"
            kubectl Update 2026-01-01T00:00:00Z: {"f:metadata":{"f:labels":{".":{},"f:app":{}}},"f:spec":{"f:progressDeadlineSeconds":{},"f:replicas":{},"f:revisionHistoryLimit":{},"f:selector":{},"f:strategy":{"f:rollingUpdate":{".":{},"f:maxSurge":{},"f:maxUnavailable":{}},"f:type":{}},"f:template":{"f:metadata":{"f:labels":{".":{},"f:app":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"nginx\"}":{".":{},"f:image":{},"f:imagePullPolicy":{},"f:name":{},"f:ports":{".":{},"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{},"f:protocol":{}}},"f:resources":{},"f:terminationMessagePath":{},"f:terminationMessagePolicy":{}}},"f:dnsPolicy":{},"f:restartPolicy":{},"f:schedulerName":{},"f:securityContext":{},"f:terminationGracePeriodSeconds":{}}}}}
        "#]],
    );
    w.pod("p");
    check(
        &managers(&mut w, "/api/v1/namespaces/default/pods/p"),
        expect![[r#"
            kubectl Update 2026-01-01T00:00:00Z: {"f:spec":{"f:containers":{"k:{\"name\":\"c\"}":{".":{},"f:image":{},"f:imagePullPolicy":{},"f:name":{},"f:resources":{},"f:terminationMessagePath":{},"f:terminationMessagePolicy":{}}},"f:dnsPolicy":{},"f:enableServiceLinks":{},"f:restartPolicy":{},"f:schedulerName":{},"f:securityContext":{},"f:terminationGracePeriodSeconds":{}}}
        "#]],
    );
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": "s" },
        "spec": { "selector": { "app": "web" }, "ports": [{ "port": 80 }] }
    });
    w.ok("POST", "/api/v1/namespaces/default/services", &service.to_string());
    check(
        &managers(&mut w, "/api/v1/namespaces/default/services/s"),
        expect![[r#"
        kubectl Update 2026-01-01T00:00:00Z: {"f:spec":{"f:internalTrafficPolicy":{},"f:ports":{".":{},"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:port":{},"f:protocol":{},"f:targetPort":{}}},"f:selector":{},"f:sessionAffinity":{},"f:type":{}}}
    "#]],
    );
}

#[test]
fn an_apply_creates_merges_and_removes() {
    let mut w = World::new();
    let out = [
        apply(&mut w, DEPLOYMENT, "", &deployment(Some(3), "nginx:1")),
        apply(&mut w, DEPLOYMENT, "fieldManager=one", &deployment(Some(3), "nginx:1")),
        // Another says what is so already: they own it together.
        apply(
            &mut w,
            DEPLOYMENT,
            "fieldManager=two",
            &json!({
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web", "labels": { "app": "web", "b": "c" } },
            }),
        ),
        // The first gives up a label that the second holds.
        {
            let mut d = deployment(Some(3), "nginx:1");
            d["metadata"]["labels"] = json!({});
            apply(&mut w, DEPLOYMENT, "fieldManager=one", &d)
        },
        apply(
            &mut w,
            DEPLOYMENT,
            "fieldManager=two&force=true",
            &json!({
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web" }, "spec": { "replicas": 5 },
            }),
        ),
        apply(&mut w, DEPLOYMENT, "fieldManager=one", &deployment(Some(3), "nginx:2")),
    ];
    check(
        &out.join("\n"),
        expect![[r#"
        422 Invalid: PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch
        201 Deployment web
        200 Deployment web
        200 Deployment web
        200 Deployment web
        409 Conflict: Apply failed with 1 conflict: conflict with "two": .spec.replicas"#]],
    );
    check(
        &managers(&mut w, DEPLOYMENT),
        expect![[r#"
        one Apply 2026-01-01T00:00:00Z: {"f:metadata":{"f:labels":{}},"f:spec":{"f:selector":{},"f:template":{"f:metadata":{"f:labels":{"f:app":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"nginx\"}":{".":{},"f:image":{},"f:name":{},"f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}}}}}}}}}
        two Apply 2026-01-01T00:00:00Z: {"f:spec":{"f:replicas":{}}}
    "#]],
    );
    check(&w.get(DEPLOYMENT)["metadata"]["labels"].to_string(), expect!["null"]);
}

#[test]
fn conflicts_name_the_manager_and_the_field() {
    let mut w = World::new();
    let create = "/apis/apps/v1/namespaces/default/deployments?fieldManager=kubectl-client-side-apply";
    w.ok("POST", create, &deployment(Some(3), "nginx:1").to_string());
    w.ok("PUT", &format!("{DEPLOYMENT}/scale?fieldManager=hpa"), &json!({
        "apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": { "name": "web", "namespace": "default" }, "spec": { "replicas": 5 }
    }).to_string());
    let out = [
        apply(&mut w, DEPLOYMENT, "fieldManager=me", &deployment(Some(3), "nginx:1")),
        apply(&mut w, DEPLOYMENT, "fieldManager=me", &deployment(Some(3), "nginx:2")),
        apply(&mut w, DEPLOYMENT, "fieldManager=me&dryRun=All&force=true", &deployment(Some(3), "nginx:2")),
        apply(&mut w, DEPLOYMENT, "fieldManager=me&force=true", &deployment(Some(3), "nginx:2")),
    ];
    check(
        &out.join("\n"),
        expect![[r#"
        409 Conflict: Apply failed with 1 conflict: conflict with "hpa" with subresource "scale" using apps/v1: .spec.replicas
        409 Conflict: Apply failed with 2 conflicts: conflicts with "hpa" with subresource "scale" using apps/v1:
        - .spec.replicas
        conflicts with "kubectl-client-side-apply" using apps/v1:
        - .spec.template.spec.containers[name="nginx"].image
        200 Deployment web
        200 Deployment web"#]],
    );
    let r = w.http(
        "PATCH",
        &format!("{DEPLOYMENT}?fieldManager=you"),
        "application/json",
        "application/apply-patch+yaml",
        &deployment(Some(4), "nginx:2").to_string(),
    );
    check(
        &String::from_utf8_lossy(&r.body),
        expect![[r#"
            {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Apply failed with 1 conflict: conflict with \"me\": .spec.replicas","reason":"Conflict","details":{"causes":[{"reason":"FieldManagerConflict","message":"conflict with \"me\"","field":".spec.replicas"}]},"code":409}
        "#]],
    );
    check(
        &managers(&mut w, DEPLOYMENT),
        expect![[r#"
            me Apply 2026-01-01T00:00:00Z: {"f:metadata":{"f:labels":{"f:app":{}}},"f:spec":{"f:replicas":{},"f:selector":{},"f:template":{"f:metadata":{"f:labels":{"f:app":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"nginx\"}":{".":{},"f:image":{},"f:name":{},"f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}}}}}}}}}
            kubectl-client-side-apply Update 2026-01-01T00:00:00Z: {"f:metadata":{"f:labels":{".":{},"f:app":{}}},"f:spec":{"f:progressDeadlineSeconds":{},"f:revisionHistoryLimit":{},"f:selector":{},"f:strategy":{"f:rollingUpdate":{".":{},"f:maxSurge":{},"f:maxUnavailable":{}},"f:type":{}},"f:template":{"f:metadata":{"f:labels":{".":{},"f:app":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"nginx\"}":{".":{},"f:imagePullPolicy":{},"f:name":{},"f:ports":{".":{},"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{},"f:protocol":{}}},"f:resources":{},"f:terminationMessagePath":{},"f:terminationMessagePolicy":{}}},"f:dnsPolicy":{},"f:restartPolicy":{},"f:schedulerName":{},"f:securityContext":{},"f:terminationGracePeriodSeconds":{}}}}}
        "#]],
    );
}

#[test]
fn kubectl_takes_over_from_its_client_side() {
    let mut w = World::new();
    let mut d = deployment(Some(3), "nginx:1");
    let last = format!("{d}\n");
    d["metadata"]["annotations"] = json!({ "kubectl.kubernetes.io/last-applied-configuration": last });
    let create = "/apis/apps/v1/namespaces/default/deployments?fieldManager=kubectl-client-side-apply";
    w.ok("POST", create, &d.to_string());
    check(
        &apply(&mut w, DEPLOYMENT, "fieldManager=other", &deployment(Some(4), "nginx:1")),
        expect![[
            r#"409 Conflict: Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas"#
        ]],
    );
    check(
        &apply(&mut w, DEPLOYMENT, "fieldManager=kubectl", &deployment(Some(4), "nginx:1")),
        expect!["200 Deployment web"],
    );
    let annotation = w.get(DEPLOYMENT)["metadata"]["annotations"].to_string();
    assert!(annotation.contains("\\\"replicas\\\":4"), "{annotation}");
}

#[test]
fn what_an_apply_may_not_say() {
    let mut w = World::new();
    let mut lines = Vec::new();
    let mut case = |body: Value| {
        let line = apply(&mut w, DEPLOYMENT, "fieldManager=me", &body);
        lines.push(line);
    };
    case(json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "other" } }));
    case(json!({ "apiVersion": "apps/v1", "kind": "Deployment" }));
    case(json!({ "apiVersion": "apps/v1beta1", "kind": "Deployment", "metadata": { "name": "web" } }));
    case(json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web", "managedFields": [] } }));
    let mut d = deployment(None, "nginx");
    d["spec"]["replica"] = 3.into();
    case(d);
    let mut d = deployment(None, "nginx");
    d["spec"]["replicas"] = "3".into();
    case(d);
    let mut d = deployment(None, "nginx");
    let containers = &mut d["spec"]["template"]["spec"]["containers"];
    let again = containers[0].clone();
    containers.as_array_mut().expect("a list").push(again);
    case(d);
    check(
        &lines.join("\n"),
        expect![[r#"
        400 BadRequest: the name of the object (other) does not match the name on the URL (web)
        400 BadRequest: name must be provided
        400 BadRequest: invalid object type: apps/v1beta1, Kind=Deployment
        400 BadRequest: metadata.managedFields must be nil
        500 : failed to create typed patch object (/web; apps/v1, Kind=Deployment): .spec.replica: field not declared in schema
        500 : failed to create typed patch object (/web; apps/v1, Kind=Deployment): .spec.replicas: expected numeric (int or float), got string
        500 : failed to create typed patch object (/web; apps/v1, Kind=Deployment): .spec.template.spec.containers: duplicate entries for key [name="nginx"]"#]],
    );
}

#[test]
fn a_status_is_applied_by_itself() {
    let mut w = World::new();
    w.ok("POST", "/apis/apps/v1/namespaces/default/deployments", &deployment(Some(3), "nginx").to_string());
    let status = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web" },
        "spec": { "replicas": 9 },
        "status": { "replicas": 2, "conditions": [{ "type": "Good", "status": "True" }] }
    });
    check(&apply(&mut w, &format!("{DEPLOYMENT}/status"), "fieldManager=me", &status), expect!["200 Deployment web"]);
    let d = w.get(DEPLOYMENT);
    check(
        &format!("{} {}", d["spec"]["replicas"], d["status"]),
        expect![[
            r#"3 {"conditions":[{"lastTransitionTime":null,"lastUpdateTime":null,"status":"True","type":"Good"}],"replicas":2}"#
        ]],
    );
    let mine: String = managers(&mut w, DEPLOYMENT).lines().filter(|l| l.starts_with("me ")).collect();
    check(
        &mine,
        expect![[
            r#"me Apply status 2026-01-01T00:00:00Z: {"f:status":{"f:conditions":{"k:{\"type\":\"Good\"}":{".":{},"f:status":{},"f:type":{}}},"f:replicas":{}}}"#
        ]],
    );
    let missing = "/apis/apps/v1/namespaces/default/deployments/none/status";
    check(
        &apply(&mut w, missing, "fieldManager=me", &status),
        expect![[r#"404 NotFound: deployments.apps "none" not found"#]],
    );
}

#[test]
fn managed_fields_can_be_written_and_forgotten() {
    let mut w = World::new();
    w.ok(
        "POST",
        "/api/v1/namespaces/default/configmaps",
        r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"a":"1"}}"#,
    );
    let path = "/api/v1/namespaces/default/configmaps/c";
    let before = w.get(path);
    let same = w.ok("PUT", path, &before.to_string());
    assert_eq!(same["metadata"]["resourceVersion"], before["metadata"]["resourceVersion"], "nothing is written");
    let patch = json!([{ "op": "replace", "path": "/metadata/managedFields", "value": [{}] }]);
    let r = w.http("PATCH", path, "application/json", "application/json-patch+json", &patch.to_string());
    assert_eq!(r.code, 200);
    check(&managers(&mut w, path), expect![[""]]);
    w.ok("PATCH", path, r#"{"data":{"a":"2"}}"#);
    check(&managers(&mut w, path), expect![[""]]);
    check(
        &apply(
            &mut w,
            path,
            "fieldManager=me",
            &json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "c" }, "data": { "a": "3" } }),
        ),
        expect![[
            r#"409 Conflict: Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.a"#
        ]],
    );
    let forced = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "c" }, "data": { "a": "3" } });
    check(&apply(&mut w, path, "fieldManager=me&force=true", &forced), expect!["200 ConfigMap c"]);
    w.ok("PATCH", path, r#"{"data":{"b":"2"}}"#);
    w.ok("PATCH", path, r#"{"data":{"a":null}}"#);
    check(
        &managers(&mut w, path),
        expect![[r#"
        before-first-apply Update 2026-01-01T00:00:00Z: {"f:data":{}}
        kubectl Update 2026-01-01T00:00:00Z: {"f:data":{"f:b":{}}}
    "#]],
    );
}
