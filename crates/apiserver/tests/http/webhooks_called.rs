//! Webhooks that somebody answers: what they are asked, and what their answers do.

use crate::world::World;
use apiserver::{Call, Caller, Said, Target};
use base64::Engine as _;
use expect_test::expect;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

const VALIDATING: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
const MUTATING: &str = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const MAP: &str = r#"{"metadata":{"name":"m"},"data":{"a":"1"}}"#;

type Answer = dyn Fn(&str, &Value) -> Result<(u16, Value), String> + Send + Sync;

/// Answers by the path, and keeps what it was asked.
struct Programs {
    answer: Box<Answer>,
    asked: Mutex<Vec<(Call, Value)>>,
}

impl std::fmt::Debug for Programs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Programs")
    }
}

impl Caller for Programs {
    fn post(&self, call: &Call) -> Option<Said> {
        Some(self.said(call))
    }
}

impl Programs {
    fn said(&self, call: &Call) -> Said {
        let review: Value = serde_json::from_slice(&call.body).expect("JSON");
        self.asked.lock().expect("no panic").push((call.clone(), review.clone()));
        let path = call.path.split('?').next().unwrap_or_default();
        let (code, mut answer) = (self.answer)(path, &review["request"])?;
        if answer["uid"].is_null() && answer.is_object() {
            answer["uid"] = review["request"]["uid"].clone();
        }
        let whole = json!({"kind": "AdmissionReview", "apiVersion": review["apiVersion"], "response": answer});
        Ok((code, whole.to_string().into_bytes()))
    }
}

fn world(
    answer: impl Fn(&str, &Value) -> Result<(u16, Value), String> + Send + Sync + 'static,
) -> (World, Arc<Programs>) {
    let mut w = World::new();
    let programs = Arc::new(Programs { answer: Box::new(answer), asked: Mutex::default() });
    w.callees.caller = Some(programs.clone());
    (w, programs)
}

fn hook(path: &str, more: Value) -> Value {
    let mut whole = json!({
        "name": format!("{path}.example.com"),
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["configmaps"]}],
        "clientConfig": {"url": format!("https://hooks.example.com:8443/{path}")},
        "admissionReviewVersions": ["v1"], "sideEffects": "None",
    });
    whole.as_object_mut().expect("a map").extend(more.as_object().expect("a map").clone());
    whole
}

fn configure(w: &mut World, path: &str, name: &str, hooks: Value) {
    let kind = if path == MUTATING { "MutatingWebhookConfiguration" } else { "ValidatingWebhookConfiguration" };
    let whole = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": name},
        "webhooks": hooks});
    w.ok("POST", path, &whole.to_string());
}

fn patch(ops: Value) -> Result<(u16, Value), String> {
    let patch = base64::engine::general_purpose::STANDARD.encode(ops.to_string());
    Ok((200, json!({"allowed": true, "patch": patch, "patchType": "JSONPatch"})))
}

fn line(w: &mut World, method: &str, path: &str, body: &str) -> String {
    let r = w.json(method, path, body);
    let answer: Value = serde_json::from_slice(&r.body).unwrap_or_default();
    let text = |v: &Value| v.as_str().unwrap_or("").to_string();
    format!("{} {} {}", r.code, text(&answer["reason"]), text(&answer["message"]))
}

#[test]
fn a_review_says_what_is_about_to_be_done() {
    let (mut w, programs) = world(|_, _| Ok((200, json!({"allowed": true}))));
    configure(&mut w, VALIDATING, "v", json!([hook("check", json!({"timeoutSeconds": 7}))]));
    let made = w.ok("POST", &format!("{MAPS}?dryRun=All&fieldManager=me"), MAP);
    assert_eq!(made["data"], json!({"a": "1"}));
    w.ok("POST", MAPS, MAP);
    w.ok("DELETE", &format!("{MAPS}/m"), "");
    let asked = programs.asked.lock().expect("no panic");
    let (call, review) = &asked[0];
    assert_eq!(call.target, Target::Host("hooks.example.com".into(), 8443));
    assert_eq!((call.path.as_str(), call.trust.server_name.as_str()), ("/check?timeout=7s", "hooks.example.com"));
    let mut request = review["request"].clone();
    assert_eq!(request["object"]["metadata"]["name"], "m");
    for field in ["uid", "object"] {
        request[field] = Value::Null;
    }
    expect![[r#"{"dryRun":true,"kind":{"group":"","kind":"ConfigMap","version":"v1"},"name":"m","namespace":"default","object":null,"oldObject":null,"operation":"CREATE","options":{"apiVersion":"meta.k8s.io/v1","dryRun":["All"],"fieldManager":"me","kind":"CreateOptions"},"requestKind":{"group":"","kind":"ConfigMap","version":"v1"},"requestResource":{"group":"","resource":"configmaps","version":"v1"},"resource":{"group":"","resource":"configmaps","version":"v1"},"uid":null,"userInfo":{"groups":["system:masters","system:authenticated"],"username":"kubernetes-admin"}}"#]].assert_eq(&request.to_string());
    let deleted = &asked[2].1["request"];
    assert_eq!((&deleted["operation"], &deleted["object"]), (&json!("DELETE"), &Value::Null));
    assert_eq!(deleted["oldObject"]["data"], json!({"a": "1"}));
}

#[test]
fn what_webhooks_refuse_and_how_they_fail() {
    let (mut w, _) = world(|_, r| match r["name"].as_str().unwrap_or_default() {
        "denied" => {
            Ok((200, json!({"allowed": false, "status": {"code": 403, "reason": "Forbidden", "message": "no"}})))
        }
        "bare" => Ok((200, json!({"allowed": false}))),
        "warned" => Ok((200, json!({"allowed": true, "warnings": ["mind the gap"]}))),
        "other" => Ok((200, json!({"allowed": true, "uid": "x"}))),
        "absent" => Ok((200, Value::Null)),
        "patched" => patch(json!([])),
        "broken" => Ok((500, json!({}))),
        "missing" => Ok((404, json!({}))),
        _ => Err("dial tcp 192.0.2.1:8443: connect: connection refused".into()),
    });
    configure(&mut w, VALIDATING, "v", json!([hook("check", json!({}))]));
    let mut out = String::new();
    for name in ["denied", "bare", "warned", "other", "absent", "patched", "broken", "missing", "down"] {
        let line = line(&mut w, "POST", MAPS, &format!(r#"{{"metadata":{{"name":"{name}"}}}}"#));
        out.push_str(&format!("{name}: {line}\n"));
    }
    expect![[r#"
        denied: 403 Forbidden admission webhook "check.example.com" denied the request: no
        bare: 400  admission webhook "check.example.com" denied the request without explanation
        warned: 201  
        other: 500 InternalError Internal error occurred: failed calling webhook "check.example.com": received invalid webhook response: expected response.uid="1e4ba4bf-5980-4ca7-9f17-d97e062b043f", got "x"
        absent: 500 InternalError Internal error occurred: failed calling webhook "check.example.com": received invalid webhook response: webhook response was absent
        patched: 500 InternalError Internal error occurred: failed calling webhook "check.example.com": received invalid webhook response: validating webhook may not return response.patch
        broken: 500 InternalError Internal error occurred: failed calling webhook "check.example.com": failed to call webhook: an error on the server ("{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"response\":{\"uid\":\"069d2208-79bc-4fd6-883c-2cb0e6af7978\"}}") has prevented the request from succeeding
        missing: 500 InternalError Internal error occurred: failed calling webhook "check.example.com": failed to call webhook: the server could not find the requested resource
        down: 500 InternalError Internal error occurred: failed calling webhook "check.example.com": failed to call webhook: Post "https://hooks.example.com:8443/check?timeout=10s": dial tcp 192.0.2.1:8443: connect: connection refused
    "#]].assert_eq(&out);
    let (answer, _) = w.answer(
        "POST",
        &format!("{MAPS}?dryRun=All"),
        "",
        "application/json",
        r#"{"metadata":{"generateName":"x-"}}"#,
    );
    assert_eq!(answer.code, 500);
    // It may fail, but not refuse.
    w.ok("DELETE", &format!("{VALIDATING}/v"), "");
    configure(&mut w, VALIDATING, "v", json!([hook("check", json!({"failurePolicy": "Ignore"}))]));
    let mut ignored = |name: &str| line(&mut w, "POST", MAPS, &format!(r#"{{"metadata":{{"name":"{name}"}}}}"#));
    assert_eq!(ignored("down"), "201  ");
    assert_eq!(ignored("other"), "201  ");
    assert!(ignored("bare").starts_with("400 "), "{}", ignored("bare"));
    let (answer, _) = w.answer("POST", MAPS, "", "application/json", r#"{"metadata":{"name":"warned"}}"#);
    assert_eq!(answer.code, 409);
    let (answer, _) =
        w.answer("PUT", &format!("{MAPS}/warned"), "", "application/json", r#"{"metadata":{"name":"warned"}}"#);
    assert_eq!((answer.code, answer.warnings), (200, vec!["mind the gap".to_string()]));
}

#[test]
fn patches_are_applied_and_hooks_called_again_when_they_want_to() {
    let add = |key: &str, value: &str| json!([{"op": "add", "path": format!("/data/{key}"), "value": value}]);
    let (mut w, programs) = world(move |path, r| match path {
        // It counts what is there: so it has to see what the next one adds.
        "/count" => {
            let data = r["object"]["data"].as_object().map_or(0, |d| d.keys().filter(|k| *k != "count").count());
            patch(add("count", &data.to_string()))
        }
        "/b" => patch(add("b", "2")),
        "/wrong" => patch(json!([{"op": "replace", "path": "/data/none/deeper", "value": 1}])),
        _ => patch(json!([{"op": "add", "path": "/data", "value": 5}])),
    });
    let again = json!({"reinvocationPolicy": "IfNeeded"});
    configure(&mut w, MUTATING, "a", json!([hook("count", again), hook("b", json!({}))]));
    let made = w.ok("POST", MAPS, MAP);
    assert_eq!(made["data"], json!({"a": "1", "b": "2", "count": "2"}));
    let paths =
        |p: &Programs| p.asked.lock().expect("no panic").iter().map(|(c, _)| c.path.clone()).collect::<Vec<_>>();
    assert_eq!(paths(&programs), ["/count?timeout=10s", "/b?timeout=10s", "/count?timeout=10s"]);
    w.ok("DELETE", &format!("{MUTATING}/a"), "");
    let mut with = |path: &str| {
        configure(&mut w, MUTATING, "a", json!([hook(path, json!({}))]));
        let said = line(&mut w, "POST", MAPS, r#"{"metadata":{"name":"n"},"data":{"a":"1"}}"#);
        w.ok("DELETE", &format!("{MUTATING}/a"), "");
        said
    };
    let got = [with("wrong"), with("type")].join("\n");
    expect![[r#"
        500 InternalError Internal error occurred: operation '/0' failed at path '/data/none/deeper': path is invalid
        500 InternalError Internal error occurred: ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type map[string]string"#]].assert_eq(&got);
    // Nothing can be changed about what goes.
    configure(&mut w, MUTATING, "a", json!([hook("b", json!({}))]));
    let said = line(&mut w, "DELETE", &format!("{MAPS}/m"), "");
    expect![[r#"500 InternalError Internal error occurred: admission webhook "b.example.com" attempted to modify the object, which is not supported for this operation"#]].assert_eq(&said);
}

#[test]
fn services_lead_out_of_the_cluster() {
    let (mut w, programs) = world(|_, _| Ok((200, json!({"allowed": true}))));
    let service = json!({"service": {"namespace": "default", "name": "hook", "path": "/check"}, "caBundle": "YQ=="});
    // What is no certificate is refused elsewhere.
    configure(&mut w, VALIDATING, "v", json!([hook("check", json!({"clientConfig": service}))]));
    let services = "/api/v1/namespaces/default/services";
    let made = w.ok("POST", services, r#"{"metadata":{"name":"hook"},"spec":{"ports":[{"port":443}]}}"#);
    let address = format!("{}:443", made["spec"]["clusterIP"].as_str().expect("an address"));
    let said = line(&mut w, "POST", MAPS, MAP);
    assert!(said.ends_with(&format!("dial tcp {address}: connect: connection refused")), "{said}");
    w.callees.real.insert(address, vec![Target::Host("192.0.2.7".into(), 9443)]);
    w.ok("POST", MAPS, MAP);
    w.ok("DELETE", &format!("{services}/hook"), "");
    let name = r#"{"metadata":{"name":"hook"},"spec":{"type":"ExternalName","externalName":"hook.example.com"}}"#;
    w.ok("POST", services, name);
    w.ok("DELETE", &format!("{MAPS}/m"), "");
    let asked = programs.asked.lock().expect("no panic");
    let calls: Vec<_> = asked.iter().map(|(c, _)| (&c.target, c.trust.server_name.as_str())).collect();
    let hosts = [Target::Host("192.0.2.7".into(), 9443), Target::Host("hook.example.com".into(), 443)];
    assert_eq!(calls, [(&hosts[0], "hook.default.svc"), (&hosts[1], "hook.default.svc")]);
}

fn about(resource: &str, group: &str) -> Value {
    json!({"rules": [{"apiGroups": [group], "apiVersions": ["v1"], "operations": ["*"], "resources": [resource]}]})
}

#[test]
fn subresources_are_changed_too() {
    let (mut w, programs) = world(|path, _| match path {
        "/status" => patch(json!([{"op": "add", "path": "/status/replicas", "value": 3}])),
        "/scale" => patch(json!([{"op": "replace", "path": "/spec/replicas", "value": 5}])),
        _ => patch(json!([{"op": "replace", "path": "/target/name", "value": "other"}])),
    });
    let deployments = "/apis/apps/v1/namespaces/default/deployments";
    let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let whole =
        json!({"metadata": {"name": "d"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}});
    w.ok("POST", deployments, &whole.to_string());
    w.pod("p");
    let hooks = [
        hook("status", about("deployments/status", "apps")),
        hook("scale", about("deployments/scale", "apps")),
        hook("bind", about("pods/binding", "")),
    ];
    configure(&mut w, MUTATING, "a", json!(hooks));

    let mut deployment = w.ok("GET", &format!("{deployments}/d"), "");
    deployment["status"] = json!({"observedGeneration": 1});
    let written = w.ok("PUT", &format!("{deployments}/d/status"), &deployment.to_string());
    assert_eq!(written["status"], json!({"observedGeneration": 1, "replicas": 3}));

    let scale =
        json!({"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": {"name": "d"}, "spec": {"replicas": 2}});
    let scaled = w.ok("PUT", &format!("{deployments}/d/scale"), &scale.to_string());
    assert_eq!(scaled["spec"]["replicas"], 5);
    assert_eq!(w.ok("GET", &format!("{deployments}/d"), "")["spec"]["replicas"], 5);

    let binding = r#"{"apiVersion":"v1","kind":"Binding","metadata":{"name":"p"},"target":{"kind":"Node","name":"n"}}"#;
    w.ok("POST", "/api/v1/namespaces/default/pods/p/binding", binding);
    assert_eq!(w.get("/api/v1/namespaces/default/pods/p")["spec"]["nodeName"], "other");

    let asked = programs.asked.lock().expect("no panic");
    let seen = |i: usize| {
        let r = &asked[i].1["request"];
        let kind = |v: &Value| v["kind"].as_str().unwrap_or("-").to_string();
        let (sub, operation) = (r["subResource"].as_str().unwrap_or(""), r["operation"].as_str().unwrap_or(""));
        format!("{operation} {sub} {} {} {}", kind(&r["kind"]), kind(&r["object"]), kind(&r["oldObject"]))
    };
    let all: Vec<String> = (0..asked.len()).map(seen).collect();
    assert_eq!(
        all,
        [
            "UPDATE status Deployment Deployment Deployment",
            "UPDATE scale Scale Scale Scale",
            "CREATE binding Binding Binding -",
        ]
    );
}

#[test]
fn the_next_endpoint_is_tried_when_one_takes_no_connection() {
    let (mut w, programs) = world(|_, r| match r["name"].as_str() {
        Some("deaf") => Err("dial tcp 192.0.2.1:443: connect: connection refused".into()),
        Some("broken") => Ok((500, json!({}))),
        _ => Ok((200, json!({"allowed": true}))),
    });
    let service = json!({"clientConfig": {"service": {"namespace": "default", "name": "hook"}, "caBundle": "YQ=="}});
    configure(&mut w, VALIDATING, "v", json!([hook("check", service)]));
    let made = w.ok(
        "POST",
        "/api/v1/namespaces/default/services",
        r#"{"metadata":{"name":"hook"},"spec":{"ports":[{"port":443}]}}"#,
    );
    let address = format!("{}:443", made["spec"]["clusterIP"].as_str().expect("an address"));
    let ends = ["192.0.2.1", "192.0.2.2"].map(|ip| Target::Host(ip.into(), 443));
    w.callees.real.insert(address, ends.to_vec());
    let mut calls = |name: &str| {
        programs.asked.lock().expect("no panic").clear();
        line(&mut w, "POST", MAPS, &format!(r#"{{"metadata":{{"name":"{name}"}}}}"#));
        programs.asked.lock().expect("no panic").len()
    };
    assert_eq!(["good", "deaf", "broken"].map(&mut calls), [1, 2, 1]);
}
