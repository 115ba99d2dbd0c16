//! `/status`, `/scale`, `/binding`, `/eviction`, `/proxy` over HTTP, and what a change of spec or status means.

use crate::world::{World, events, outcome, summary};
use apiserver::{Body, PatchType, RequestVerb};
use expect_test::expect;
use serde_json::Value;

const PODS: &str = "/api/v1/namespaces/default/pods";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";
const DEPLOYMENT: &str = r#"{"metadata":{"name":"web","labels":{"a":"b"}},"spec":{"replicas":2,"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"c","image":"nginx"}]}}}}"#;

fn facts(v: &Value) -> String {
    let (m, s) = (&v["metadata"], &v["spec"]);
    let observed = &v["status"]["observedGeneration"];
    format!("generation {} replicas {} observed {observed} labels {}", m["generation"], s["replicas"], m["labels"])
}

#[test]
fn spec_moves_the_generation_and_status_is_its_own() {
    let mut w = World::new();
    let path = format!("{DEPLOYMENTS}/web");
    w.ok("POST", DEPLOYMENTS, DEPLOYMENT);
    let mut out = String::new();
    for (suffix, patch) in [
        ("", r#"{"metadata":{"labels":{"c":"d"}}}"#),
        ("", r#"{"status":{"observedGeneration":7}}"#),
        ("", r#"{"spec":{"replicas":3}}"#),
        ("/status", r#"{"spec":{"replicas":9},"status":{"observedGeneration":2}}"#),
        ("", r#"{"spec":{"replicas":3}}"#),
    ] {
        let v = w.ok("PATCH", &format!("{path}{suffix}"), patch);
        out.push_str(&format!("{suffix} {patch}\n  {}\n", facts(&v)));
    }
    out.push_str(&facts(&w.get(&format!("{path}/status"))));
    out.push('\n');
    for (m, p) in
        [("POST", format!("{path}/status")), ("DELETE", format!("{path}/status")), ("GET", format!("{path}/log"))]
    {
        out.push_str(&format!("{m} {}\n", w.line(m, &p, "")));
    }
    expect![[r#"
         {"metadata":{"labels":{"c":"d"}}}
          generation 1 replicas 2 observed null labels {"a":"b","c":"d"}
         {"status":{"observedGeneration":7}}
          generation 1 replicas 2 observed null labels {"a":"b","c":"d"}
         {"spec":{"replicas":3}}
          generation 2 replicas 3 observed null labels {"a":"b","c":"d"}
        /status {"spec":{"replicas":9},"status":{"observedGeneration":2}}
          generation 2 replicas 3 observed 2 labels {"a":"b","c":"d"}
         {"spec":{"replicas":3}}
          generation 2 replicas 3 observed 2 labels {"a":"b","c":"d"}
        generation 2 replicas 3 observed 2 labels {"a":"b","c":"d"}
        POST 405 MethodNotAllowed: the server does not allow this method on the requested resource
        DELETE 405 MethodNotAllowed: the server does not allow this method on the requested resource
        GET 404 NotFound: the server could not find the requested resource
    "#]]
    .assert_eq(&out);
}

#[test]
fn scale() {
    let mut w = World::new();
    w.ok("POST", DEPLOYMENTS, DEPLOYMENT);
    let path = format!("{DEPLOYMENTS}/web/scale");
    let mut out = format!("{}\n", w.get(&path));
    let scale = |replicas: &str, rv: &str| {
        format!(
            r#"{{"apiVersion":"autoscaling/v1","kind":"Scale","metadata":{{"name":"web","namespace":"default"{rv}}},"spec":{{"replicas":{replicas}}}}}"#
        )
    };
    for (method, body) in [
        ("PUT", scale("5", "")),
        ("PUT", scale("6", r#","resourceVersion":"2""#)),
        ("PUT", scale("-1", "")),
        ("PUT", r#"{"apiVersion":"apps/v1","kind":"Scale","spec":{"replicas":1}}"#.into()),
        ("PATCH", r#"{"spec":{"replicas":1}}"#.into()),
        ("PATCH", r#"{"spec":{"replicas":1}}"#.into()),
        ("DELETE", String::new()),
    ] {
        let r = w.json(method, &path, &body);
        let v: Value = serde_json::from_slice(&r.body).unwrap();
        out.push_str(&format!("{method} {} {}\n", summary(&r), v["spec"]));
    }
    out.push_str(&format!("{}\n", facts(&w.get(&format!("{DEPLOYMENTS}/web")))));
    out.push_str(&format!("{}\n", w.line("GET", &format!("{DEPLOYMENTS}/none/scale"), "")));
    out.push_str(&format!("{}\n", w.line("GET", &format!("{PODS}/none/scale"), "")));
    expect![[r#"
        {"apiVersion":"autoscaling/v1","kind":"Scale","metadata":{"creationTimestamp":"2026-01-01T00:00:00Z","name":"web","namespace":"default","resourceVersion":"6","uid":"3d32d603-0615-464e-8bad-4e556615b6b5"},"spec":{"replicas":2},"status":{"replicas":0,"selector":"app=web"}}
        PUT 200 Scale web {"replicas":5}
        PUT 409 Conflict: Operation cannot be fulfilled on deployments.apps "web": the object has been modified; please apply your changes to the latest version and try again null
        PUT 422 Invalid: Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0 null
        PUT 400 BadRequest: the API version in the data (apps/v1) does not match the expected API version (autoscaling/v1) null
        PATCH 200 Scale web {"replicas":1}
        PATCH 200 Scale web {"replicas":1}
        DELETE 405 MethodNotAllowed: the server does not allow this method on the requested resource null
        generation 3 replicas 1 observed null labels {"a":"b"}
        404 NotFound: deployments.apps "none" not found
        404 NotFound: the server could not find the requested resource
    "#]].assert_eq(&out);
    // Typed clients leave out what goes without saying.
    let bare = w.ok("PUT", &path, r#"{"metadata":{"name":"web"},"spec":{"replicas":7}}"#);
    assert_eq!(bare["spec"]["replicas"], 7);
}

#[test]
fn binding_and_eviction() {
    let mut w = World::new();
    w.pod("a");
    w.pod("b");
    let bind = |name: &str| {
        format!(
            r#"{{"apiVersion":"v1","kind":"Binding","metadata":{{"name":"{name}"}},"target":{{"kind":"Node","name":"n1"}}}}"#
        )
    };
    let evict = r#"{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"a","namespace":"default"}}"#;
    let mut out = String::new();
    for (path, body) in [
        (format!("{PODS}/a/binding"), bind("a")),
        (format!("{PODS}/a/binding"), bind("b")),
        ("/api/v1/namespaces/default/bindings".to_string(), bind("b")),
        (format!("{PODS}/a/eviction"), evict.to_string()),
        (format!("{PODS}/b/eviction"), evict.to_string()),
        (format!("{PODS}/a/eviction"), "[]".to_string()),
    ] {
        let (a, _) = w.answer("POST", &path, "", "application/json", &body);
        out.push_str(&format!("{path}\n  {}\n", outcome(&a)));
        for e in events(&a).lines() {
            out.push_str(&format!("  {e}\n"));
        }
    }
    let a = w.get(&format!("{PODS}/a"));
    out.push_str(&format!("{} {}\n", a["metadata"]["deletionGracePeriodSeconds"], a["metadata"]["generation"]));
    expect![[r#"
        /api/v1/namespaces/default/pods/a/binding
          201 Success
          MODIFIED /registry/pods/default/a
        /api/v1/namespaces/default/pods/a/binding
          400 BadRequest: name in URL does not match name in Binding object
        /api/v1/namespaces/default/bindings
          201 Success
          MODIFIED /registry/pods/default/b
        /api/v1/namespaces/default/pods/a/eviction
          201 Success
          MODIFIED /registry/pods/default/a
          MODIFIED /registry/pods/default/a
        /api/v1/namespaces/default/pods/b/eviction
          400 BadRequest: name in URL does not match name in Eviction object
        /api/v1/namespaces/default/pods/a/eviction
          400 BadRequest: the object provided is unrecognized (must be of type Eviction): json: cannot unmarshal array into Go value of type v1.Eviction (5b5d)
        30 2
    "#]].assert_eq(&out);
}

/// Cases modelled on `eviction_test.go`.
#[test]
fn evictions_keep_to_budgets() {
    let mut w = World::new();
    let budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
    let budget = |name: &str, policy: &str| {
        let spec = format!(r#""selector":{{"matchLabels":{{"app":"web"}}}},"minAvailable":1{policy}"#);
        format!(r#"{{"metadata":{{"name":"{name}"}},"spec":{{{spec}}}}}"#)
    };
    let pod = |name: &str| {
        let labels = r#""labels":{"app":"web"}"#;
        format!(
            r#"{{"metadata":{{"name":"{name}",{labels}}},"spec":{{"containers":[{{"name":"c","image":"i"}}],"nodeName":"n"}}}}"#
        )
    };
    let evict = |name: &str| {
        let metadata = format!(r#""metadata":{{"name":"{name}","namespace":"default"}}"#);
        format!(r#"{{"apiVersion":"policy/v1","kind":"Eviction",{metadata}}}"#)
    };
    let mut out = String::new();
    let mut attempt = |w: &mut World, what: &str, name: &str| {
        let r = w.json("POST", &format!("{PODS}/{name}/eviction"), &evict(name));
        let v: Value = serde_json::from_slice(&r.body).unwrap();
        let cause = &v["details"]["causes"][0]["message"];
        out.push_str(&format!("{what}: {} {cause} {}\n", summary(&r), v["details"]["retryAfterSeconds"]));
    };
    w.ok("POST", budgets, &budget("web", ""));
    for name in ["pending", "ready", "unready", "last"] {
        w.ok("POST", PODS, &pod(name));
    }
    let running = |ready: &str| {
        format!(r#"{{"status":{{"phase":"Running","conditions":[{{"type":"Ready","status":"{ready}"}}]}}}}"#)
    };
    for (name, ready) in [("ready", "True"), ("unready", "False"), ("last", "True")] {
        w.ok("PATCH", &format!("{PODS}/{name}/status"), &running(ready));
    }
    attempt(&mut w, "never ran", "pending");
    attempt(&mut w, "not counted yet", "ready");
    let status = |healthy: u8, allowed: u8| {
        format!(
            r#"{{"status":{{"observedGeneration":1,"currentHealthy":{healthy},"desiredHealthy":1,"disruptionsAllowed":{allowed},"expectedPods":3}}}}"#
        )
    };
    w.ok("PATCH", &format!("{budgets}/web/status"), &status(2, 1));
    attempt(&mut w, "one may go", "ready");
    let b = w.get(&format!("{budgets}/web"))["status"].clone();
    let booked: Vec<&String> = b["disruptedPods"].as_object().unwrap().keys().collect();
    let condition = &b["conditions"][0];
    let booked = format!("  {} {booked:?} {} {}\n", b["disruptionsAllowed"], condition["status"], condition["reason"]);
    attempt(&mut w, "no more", "last");
    w.ok("PATCH", &format!("{budgets}/web/status"), &status(0, 0));
    attempt(&mut w, "too few are healthy", "unready");
    w.ok("PATCH", &format!("{budgets}/web"), r#"{"spec":{"unhealthyPodEvictionPolicy":"AlwaysAllow"}}"#);
    attempt(&mut w, "whatever the budget", "unready");
    w.ok("POST", budgets, &budget("second", ""));
    attempt(&mut w, "two budgets", "last");
    out.push_str(&booked);
    expect![[r#"
        never ran: 201 Success null null
        not counted yet: 429 TooManyRequests: Cannot evict pod as it would violate the pod's disruption budget. "The disruption budget web is still being processed by the server." 10
        one may go: 201 Success null null
        no more: 429 TooManyRequests: Cannot evict pod as it would violate the pod's disruption budget. "The disruption budget web needs 1 healthy pods and has 2 currently" null
        too few are healthy: 429 TooManyRequests: Cannot evict pod as it would violate the pod's disruption budget. "The disruption budget web needs 1 healthy pods and has 0 currently" null
        whatever the budget: 201 Success null null
        two budgets: 201 : This pod has more than one PodDisruptionBudget, which the eviction subresource does not support. null null
          0 ["ready"] "False" "InsufficientPods"
    "#]].assert_eq(&out);
}

#[test]
fn proxies_name_their_target() {
    let mut w = World::new();
    let mut out = String::new();
    for path in [
        "services/web/proxy",
        "services/web:80/proxy/a/b",
        "services/https:web:main/proxy/",
        "services/gopher:web:main/proxy/",
        "pods/web:8080/proxy/healthz",
        "pods/web:8080/proxy/dir/",
    ] {
        let (a, _) = w.answer("GET", &format!("/api/v1/namespaces/default/{path}"), "", "", "");
        out.push_str(&format!("{}\n", outcome(&a)));
    }
    expect![[r#"
        200 Proxy(ProxyTarget { kind: /v1 Service, key: default/web, scheme: "http", port: "", path: "/" })
        200 Proxy(ProxyTarget { kind: /v1 Service, key: default/web, scheme: "http", port: "80", path: "/a/b" })
        200 Proxy(ProxyTarget { kind: /v1 Service, key: default/web, scheme: "https", port: "main", path: "/" })
        400 BadRequest: invalid service request "gopher:web:main"
        200 Proxy(ProxyTarget { kind: /v1 Pod, key: default/web, scheme: "http", port: "8080", path: "/healthz" })
        200 Proxy(ProxyTarget { kind: /v1 Pod, key: default/web, scheme: "http", port: "8080", path: "/dir/" })
    "#]]
    .assert_eq(&out);
}

#[test]
fn events_and_leases() {
    let mut w = World::new();
    let event = r#"{"metadata":{"name":"web.1"},"involvedObject":{"kind":"Pod","namespace":"default","name":"web"},"reason":"Started","type":"Normal","firstTimestamp":"2026-01-01T00:00:00Z","lastTimestamp":"2026-01-01T00:00:00Z"}"#;
    let path = "/api/v1/namespaces/default/events";
    let mut out = format!("{}\n", w.line("POST", path, event));
    for selector in ["involvedObject.name=web,reason=Started", "involvedObject.name=other", "type!=Normal", "color=red"]
    {
        out.push_str(&format!("{selector}: {}\n", w.line("GET", &format!("{path}?fieldSelector={selector}"), "")));
    }
    w.pod("web");
    for selector in ["spec.nodeName=", "status.phase=Pending", "spec.nodeName=n1", "spec.image=x"] {
        out.push_str(&format!("{selector}: {}\n", w.line("GET", &format!("{PODS}?fieldSelector={selector}"), "")));
    }
    for (path, selector) in [
        ("events.k8s.io/v1/namespaces/default/events", "regarding.kind=Pod,reason=Started"),
        ("events.k8s.io/v1/namespaces/default/events", "involvedObject.kind=Pod"),
        ("batch/v1/jobs", "status.successful=0"),
        ("batch/v1/jobs", "color=red"),
        ("apps/v1/replicasets", "status.replicas=0"),
        ("apps/v1/statefulsets", "status.successful=x"),
        ("certificates.k8s.io/v1/certificatesigningrequests", "spec.signerName=a"),
        ("resource.k8s.io/v1/resourceslices", "spec.driver=a"),
        ("resource.k8s.io/v1/resourceslices", "color=red"),
    ] {
        out.push_str(&format!(
            "{path} {selector}: {}\n",
            w.line("GET", &format!("/apis/{path}?fieldSelector={selector}"), "")
        ));
    }
    let controllers = "/api/v1/replicationcontrollers?fieldSelector=status.replicas=0";
    out.push_str(&format!("{}\n", w.line("GET", controllers, "")));
    expect![[r#"
        201 Event web.1
        involvedObject.name=web,reason=Started: 200 EventList [web.1]
        involvedObject.name=other: 200 EventList []
        type!=Normal: 200 EventList []
        color=red: 400 BadRequest: field label not supported: color
        spec.nodeName=: 200 PodList [web]
        status.phase=Pending: 200 PodList [web]
        spec.nodeName=n1: 200 PodList []
        spec.image=x: 400 BadRequest: field label not supported: spec.image
        events.k8s.io/v1/namespaces/default/events regarding.kind=Pod,reason=Started: 400 BadRequest: field label not supported: regarding.kind
        events.k8s.io/v1/namespaces/default/events involvedObject.kind=Pod: 200 EventList [web.1]
        batch/v1/jobs status.successful=0: 200 JobList []
        batch/v1/jobs color=red: 400 BadRequest: field label "color" not supported for batchv1.Job
        apps/v1/replicasets status.replicas=0: 200 ReplicaSetList []
        apps/v1/statefulsets status.successful=x: 200 StatefulSetList []
        certificates.k8s.io/v1/certificatesigningrequests spec.signerName=a: 200 CertificateSigningRequestList []
        resource.k8s.io/v1/resourceslices spec.driver=a: 200 ResourceSliceList []
        resource.k8s.io/v1/resourceslices color=red: 400 BadRequest: field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: color
        200 ReplicationControllerList []
    "#]]
    .assert_eq(&out);
}

/// What components inside the process send, and what a client sends, come to the same.
#[test]
fn a_typed_status_patch_is_a_merge_patch() {
    let patched = |typed: bool, status: &str, uid: Option<&str>| {
        let mut w = World::new();
        w.pod("a");
        w.ok(
            "PATCH",
            "/api/v1/namespaces/default/pods/a/status",
            r#"{"status":{"phase":"Pending","hostIP":"10.0.0.9"}}"#,
        );
        let patch = match uid {
            Some(uid) => {
                format!(r#"{{"metadata":{{"name":"a","namespace":"default","uid":"{uid}"}},"status":{status}}}"#)
            }
            None => format!(r#"{{"metadata":{{"name":"a","namespace":"default"}},"status":{status}}}"#),
        };
        let answer = if typed {
            let kind = api::by_gvk("", "v1", "Pod").expect("a kind");
            let object = kind.from_json(patch.as_bytes()).expect("decodes");
            let req = World::request(RequestVerb::Patch(PatchType::Merge), "Pod", "default", "a");
            w.handle(req.subresource("status").body(Body::Object(object))).code
        } else {
            w.json("PATCH", "/api/v1/namespaces/default/pods/a/status", &patch).code
        };
        let mut pod = w.get("/api/v1/namespaces/default/pods/a");
        // Who asked goes by another name.
        pod["metadata"]["managedFields"].take();
        (answer, pod)
    };
    for (status, uid) in [
        (r#"{"phase":"Running","podIP":"10.0.0.1"}"#, None),
        (r#"{"conditions":[{"type":"Ready","status":"True"}]}"#, None),
        (r#"{"containerStatuses":[{"name":"c","image":"nginx","imageID":"","ready":true,"restartCount":0}]}"#, None),
        (r#"{"phase":"Running"}"#, Some("another")),
    ] {
        let (typed, json) = (patched(true, status, uid), patched(false, status, uid));
        assert_eq!(typed, json, "{status}");
        assert_eq!(typed.0, if uid.is_some() { 422 } else { 200 });
        assert_eq!(typed.1["status"]["hostIP"], "10.0.0.9");
    }
}
