//! Custom resources that a webhook converts. Follows upstream's `test/e2e/apimachinery/crd_conversion_webhook.go`.

use crate::world::{World, summary};
use apiserver::watch::Watcher;
use apiserver::{ApiCx, Call, Caller, Response, Said};
use expect_test::expect;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const V1: &str = "/apis/stable.example.com/v1/namespaces/default/e2es";
const V2: &str = "/apis/stable.example.com/v2/namespaces/default/e2es";

type Answer = dyn Fn(&Value) -> Value + Send + Sync;

/// Converts between `hostPort` of v1 and `host` and `port` of v2.
struct Converter {
    /// What becomes of a right answer.
    spoil: Mutex<Box<Answer>>,
    asked: Mutex<Vec<Value>>,
}

impl std::fmt::Debug for Converter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Converter")
    }
}

fn converted(o: &Value, to: &Value) -> Value {
    let mut o = o.clone();
    if o["apiVersion"] == *to {
        return o;
    }
    o["apiVersion"] = to.clone();
    let fields = o.as_object_mut().expect("an object");
    if to == "stable.example.com/v2" {
        let whole = fields.remove("hostPort").unwrap_or_default();
        let (host, port) = whole.as_str().and_then(|w| w.split_once(':')).unwrap_or_default();
        fields.insert("host".into(), host.into());
        fields.insert("port".into(), port.into());
    } else {
        let text = |v: Option<Value>| v.as_ref().and_then(Value::as_str).unwrap_or_default().to_string();
        let whole = format!("{}:{}", text(fields.remove("host")), text(fields.remove("port")));
        fields.insert("hostPort".into(), whole.into());
    }
    o
}

impl Caller for Converter {
    fn post(&self, call: &Call) -> Option<Said> {
        let review: Value = serde_json::from_slice(&call.body).expect("JSON");
        self.asked.lock().expect("no panic").push(review.clone());
        let r = &review["request"];
        let objects = r["objects"].as_array().expect("a list").iter();
        let objects: Vec<Value> = objects.map(|o| converted(o, &r["desiredAPIVersion"])).collect();
        let whole = json!({"kind": "ConversionReview", "apiVersion": review["apiVersion"],
            "response": {"uid": r["uid"], "result": {"status": "Success"}, "convertedObjects": objects}});
        let whole = (self.spoil.lock().expect("no panic"))(&whole);
        Some(Ok((200, whole.to_string().into_bytes())))
    }
}

fn version(name: &str, storage: bool, fields: &[&str]) -> Value {
    let fields: serde_json::Map<String, Value> =
        fields.iter().map(|f| ((*f).to_string(), json!({"type": "string"}))).collect();
    json!({"name": name, "served": true, "storage": storage,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": fields}}})
}

fn establish(w: &mut World, stored: &str) {
    let path = format!("{DEFINITIONS}/e2es.stable.example.com");
    let webhook = json!({"clientConfig": {"url": "https://converter.example.com/convert"},
        "conversionReviewVersions": ["v1", "v1beta1"]});
    let d = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "e2es.stable.example.com"},
        "spec": {"group": "stable.example.com", "scope": "Namespaced", "names": {"plural": "e2es", "kind": "E2e"},
            "conversion": {"strategy": "Webhook", "webhook": webhook},
            "versions": [version("v1", stored == "v1", &["hostPort"]), version("v2", stored == "v2", &["host", "port"])]},
    });
    if w.json("GET", &path, "").code == 404 {
        w.ok("POST", DEFINITIONS, &d.to_string());
    } else {
        w.ok("PATCH", &path, &json!({"spec": {"versions": d["spec"]["versions"]}}).to_string());
    }
    let mut d = w.get(&path);
    d["status"]["acceptedNames"] = d["spec"]["names"].clone();
    d["status"]["conditions"] = json!([
        {"type": "Established", "status": "True", "reason": "x", "message": "x", "lastTransitionTime": null}]);
    w.ok("PUT", &format!("{path}/status"), &d.to_string());
}

fn world() -> (World, Arc<Converter>) {
    let mut w = World::new();
    let converter = Arc::new(Converter { spoil: Mutex::new(Box::new(Value::clone)), asked: Mutex::default() });
    w.callees.caller = Some(converter.clone());
    establish(&mut w, "v1");
    (w, converter)
}

fn v1(name: &str, whole: &str) -> String {
    json!({"apiVersion": "stable.example.com/v1", "kind": "E2e", "metadata": {"name": name}, "hostPort": whole})
        .to_string()
}

fn v2(name: &str, host: &str, port: &str) -> String {
    json!({"apiVersion": "stable.example.com/v2", "kind": "E2e", "metadata": {"name": name}, "host": host, "port": port})
        .to_string()
}

fn fields(o: &Value) -> String {
    let text = |f: &str| o[f].as_str().unwrap_or("-").to_string();
    format!("{} {} {} {} {}", text("apiVersion"), o["metadata"]["name"], text("hostPort"), text("host"), text("port"))
}

#[test]
fn objects_are_read_and_written_in_every_version() {
    let (mut w, converter) = world();
    let asked = |n: usize| assert_eq!(converter.asked.lock().expect("no panic").drain(..).count(), n);
    w.ok("POST", V1, &v1("a", "localhost:8080"));
    asked(0);
    assert_eq!(fields(&w.get(&format!("{V2}/a"))), r#"stable.example.com/v2 "a" - localhost 8080"#);
    asked(1);
    // Stored in one version, answered in the other.
    let made = w.ok("POST", V2, &v2("b", "example.com", "443"));
    assert_eq!(fields(&made), r#"stable.example.com/v2 "b" - example.com 443"#);
    let version = made["metadata"]["resourceVersion"].clone();
    asked(2);
    let b = w.get(&format!("{V1}/b"));
    assert_eq!(fields(&b), r#"stable.example.com/v1 "b" example.com:443 - -"#);
    assert_eq!((&b["metadata"]["resourceVersion"], &b["metadata"]["uid"]), (&version, &made["metadata"]["uid"]));
    asked(0);
    let patched = w.ok("PATCH", &format!("{V2}/b"), r#"{"port":"80","metadata":{"labels":{"a":"b"}}}"#);
    assert_eq!(fields(&patched), r#"stable.example.com/v2 "b" - example.com 80"#);
    asked(3);
    let b = w.get(&format!("{V1}/b"));
    assert_eq!(
        (fields(&b).as_str(), &b["metadata"]["labels"]),
        (r#"stable.example.com/v1 "b" example.com:80 - -"#, &json!({"a": "b"}))
    );
    let mut put = w.get(&format!("{V2}/b"));
    put["host"] = "example.org".into();
    w.ok("PUT", &format!("{V2}/b"), &put.to_string());
    assert_eq!(w.get(&format!("{V1}/b"))["hostPort"], "example.org:80");
    assert!(w.line("PUT", &format!("{V2}/b"), &put.to_string()).starts_with("409 Conflict"));
    // A list of both kinds, before and after the other version is stored.
    establish(&mut w, "v2");
    w.ok("POST", V2, &v2("c", "h", "1"));
    converter.asked.lock().expect("no panic").clear();
    for (path, want) in [
        (V1, ["v1 \"a\" localhost:8080 - -", "v1 \"b\" example.org:80 - -", "v1 \"c\" h:1 - -"]),
        (V2, ["v2 \"a\" - localhost 8080", "v2 \"b\" - example.org 80", "v2 \"c\" - h 1"]),
    ] {
        let list = w.get(path);
        let items: Vec<String> = list["items"].as_array().expect("a list").iter().map(fields).collect();
        assert_eq!(items, want.map(|i| format!("stable.example.com/{i}")));
        assert!(list["apiVersion"] == path.replace("/apis/", "").replace("/namespaces/default/e2es", ""));
    }
    let sent: Vec<usize> = converter
        .asked
        .lock()
        .expect("no panic")
        .drain(..)
        .map(|r| r["request"]["objects"].as_array().map_or(0, Vec::len))
        .collect();
    assert_eq!(sent, [1, 2], "only those that have another version");
    w.ok("DELETE", &format!("{V1}/c"), "");
    w.ok("DELETE", V2, "");
    assert_eq!(w.get(V1)["items"], json!([]));
}

#[test]
fn watches_get_objects_in_their_version() {
    let (mut w, converter) = world();
    w.ok("POST", V1, &v1("a", "localhost:8080"));
    let (answer, wants) = w.answer("GET", &format!("{V2}?watch=1"), "", "", "");
    let Response::Watch(spec) = answer.response else { panic!("{answer:?}") };
    let mut watcher = Watcher::new(*spec, wants);
    let mut bytes = watcher.initial(&w.store, w.now);
    for (method, path, body) in
        [("PATCH", format!("{V1}/a"), r#"{"hostPort":"h:1"}"#), ("DELETE", format!("{V1}/a"), "")]
    {
        let (a, _) = w.answer(method, &path, "", "application/merge-patch+json", body);
        for e in &a.events {
            assert!(watcher.needs_conversion(e));
            let mut cx =
                ApiCx { now: w.now, store: &mut w.store, rng: &mut w.rng, accounts_come: true, callees: &w.callees };
            assert_eq!(watcher.converted(w.server.convert_event(&mut cx, watcher.spec(), e)), None);
            bytes.extend(watcher.event(e, w.now).unwrap_or_default());
        }
    }
    let shown = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let frames = text.lines().map(|l| serde_json::from_str::<Value>(l).expect("JSON"));
        frames
            .map(|f| format!("{} {} {}\n", f["type"], fields(&f["object"]), f["object"]["message"]))
            .collect::<String>()
    };
    expect![[r#"
        "ADDED" stable.example.com/v2 "a" - localhost 8080 null
        "MODIFIED" stable.example.com/v2 "a" - h 1 null
        "DELETED" stable.example.com/v2 "a" - h 1 null
    "#]]
    .assert_eq(&shown(&bytes));
    *converter.spoil.lock().expect("no panic") = Box::new(|_| json!({}));
    let (a, _) = w.answer("POST", V1, "", "application/json", &v1("b", "h:1"));
    let mut cx = ApiCx { now: w.now, store: &mut w.store, rng: &mut w.rng, accounts_come: true, callees: &w.callees };
    let made = w.server.convert_event(&mut cx, watcher.spec(), &a.events[0]);
    expect![[r#"
        "ERROR" v1 null - - - "conversion webhook for stable.example.com/v1, Kind=E2e failed: expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got /, Kind="
    "#]].assert_eq(&shown(&watcher.converted(made).expect("the end")));
    assert!(watcher.is_over());
}

#[test]
fn what_is_no_conversion_is_refused() {
    let (mut w, converter) = world();
    w.ok("POST", V1, &v1("a", "localhost:8080"));
    let set = |pointer: &'static str, to: Value| -> Box<Answer> {
        Box::new(move |whole: &Value| {
            let mut whole = whole.clone();
            *whole.pointer_mut(pointer).expect("a place") = to.clone();
            whole
        })
    };
    let object = "/response/convertedObjects/0";
    let at = |rest: &str| -> &'static str { Box::leak(format!("{object}{rest}").into_boxed_str()) };
    let mut out = String::new();
    for spoil in [
        set("/response", Value::Null),
        set("/response/uid", json!("x")),
        set("/response/result", json!({"status": "Failure", "message": "cannot"})),
        set("/response/result", json!({"status": "Failure"})),
        set("/response/convertedObjects", json!([])),
        set(at("/apiVersion"), json!("stable.example.com/v3")),
        set(at("/kind"), json!("Other")),
        set(at("/metadata/name"), json!("b")),
        set(at("/metadata/namespace"), json!("b")),
        set(at("/metadata/uid"), json!("b")),
        set(at("/metadata"), json!({"name": "a", "namespace": "default"})),
        set(at("/metadata/name"), json!("a")),
    ] {
        *converter.spoil.lock().expect("no panic") = spoil;
        out.push_str(&summary(&w.json("GET", &format!("{V2}/a"), "")));
        out.push('\n');
    }
    // What a webhook may change of the metadata: labels and annotations, by the rules.
    for (field, value) in [
        ("labels", json!({"a": 1})),
        ("labels", json!({"a": "b c"})),
        ("labels", json!("x")),
        ("annotations", json!({"a": "b"})),
        ("finalizers", json!(["x/y"])),
    ] {
        *converter.spoil.lock().expect("no panic") = Box::new(move |whole| {
            let mut whole = whole.clone();
            whole["response"]["convertedObjects"][0]["metadata"][field] = value.clone();
            whole
        });
        let r = w.json("GET", &format!("{V2}/a"), "");
        let got: Value = serde_json::from_slice(&r.body).expect("JSON");
        out.push_str(&format!(
            "{} annotations {} finalizers {}\n",
            summary(&r),
            got["metadata"]["annotations"],
            got["metadata"]["finalizers"]
        ));
    }
    expect![[r#"
        500 : conversion webhook for stable.example.com/v1, Kind=E2e failed: no response provided
        500 : conversion webhook for stable.example.com/v1, Kind=E2e failed: expected response.uid="9c74c135-cc10-4a7f-b0d4-041be0a073fb", got "x"
        500 : conversion webhook for stable.example.com/v1, Kind=E2e failed: cannot
        500 : conversion webhook for stable.example.com/v1, Kind=E2e failed: response.result.status was 'Failure', not 'Success'
        500 : conversion webhook for stable.example.com/v1, Kind=E2e returned 0 objects, expected 1
        500 : conversion webhook for stable.example.com/v1, Kind=E2e returned invalid object at index 0: invalid groupVersion (expected stable.example.com/v2, received stable.example.com/v3)
        500 : conversion webhook for stable.example.com/v1, Kind=E2e returned invalid object at index 0: invalid kind (expected E2e, received Other)
        500 : conversion webhook for stable.example.com/v1, Kind=E2e returned invalid object: must have the same name: a != b
        500 : conversion webhook for stable.example.com/v1, Kind=E2e returned invalid object: must have the same namespace: default != b
        500 : conversion webhook for stable.example.com/v1, Kind=E2e returned invalid object: must have the same UID: 19a9eaff-1a75-4d10-bdd2-bbc79a5b1657 != b
        500 : conversion webhook for stable.example.com/v1, Kind=E2e returned invalid object: must have the same UID: 19a9eaff-1a75-4d10-bdd2-bbc79a5b1657 != 
        200 E2e a
        500 : conversion webhook for stable.example.com/v1, Kind=E2e returned invalid metadata: metadata.labels[a] must be a string, but is int64 in converted object annotations null finalizers null
        500 : conversion webhook for stable.example.com/v1, Kind=E2e returned invalid metadata: metadata.labels: Invalid value: "b c": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?') annotations null finalizers null
        500 : conversion webhook for stable.example.com/v1, Kind=E2e returned invalid metadata: invalid metadata.labels of type string in converted object annotations null finalizers null
        200 E2e a annotations {"a":"b"} finalizers null
        200 E2e a annotations null finalizers null
    "#]].assert_eq(&out);
    *converter.spoil.lock().expect("no panic") = Box::new(|_| json!({}));
    assert_eq!(w.json("POST", V2, &v2("b", "h", "1")).code, 500);
    assert_eq!(w.get(V1)["items"].as_array().map(Vec::len), Some(1), "nothing is written");
}
