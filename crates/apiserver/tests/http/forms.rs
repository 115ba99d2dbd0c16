//! The forms that answers take, byte for byte where clients see the bytes.

use crate::world::World;
use apiserver::http::{HttpRequest, check_timeout};
use expect_test::expect;
use meta::User;

fn text(w: &mut World, method: &str, path: &str, accept: &str, body: &str) -> String {
    String::from_utf8_lossy(&w.http(method, path, accept, "application/json", body).body).into_owned()
}

#[test]
fn a_timeout_is_a_duration() {
    let mut said = String::new();
    for (path, query) in [
        ("/api/v1/pods", "timeout=invalid"),
        ("/version", "timeout=10"),
        ("/api/v1/pods", "timeout=10x"),
        ("/api/v1/pods", "timeout=1h30m"),
        ("/api/v1/pods", "timeout=0s&timeout=x"),
        ("/api/v1/pods", "timeout="),
        ("/api/v1/pods", "timeout=x&watch=true"),
        ("/api/v1/namespaces/default/pods/a/log", "timeout=x"),
        ("/api/v1/namespaces/default/pods/a/proxy/b", "timeout=x"),
        ("/api/v1/namespaces/default/pods/a", "timeout=x"),
    ] {
        let answer = check_timeout(&HttpRequest::bare("GET", path, query, User::admin()));
        let answer = answer.map_or_else(|e| format!("{} {e}", e.code()), |()| "fine".into());
        said.push_str(&format!("{path}?{query}: {answer}\n"));
    }
    expect![[r#"
        /api/v1/pods?timeout=invalid: 400 invalid timeout specified in the request URL - time: invalid duration "invalid"
        /version?timeout=10: 400 invalid timeout specified in the request URL - time: missing unit in duration "10"
        /api/v1/pods?timeout=10x: 400 invalid timeout specified in the request URL - time: unknown unit "x" in duration "10x"
        /api/v1/pods?timeout=1h30m: fine
        /api/v1/pods?timeout=0s&timeout=x: fine
        /api/v1/pods?timeout=: fine
        /api/v1/pods?timeout=x&watch=true: fine
        /api/v1/namespaces/default/pods/a/log?timeout=x: fine
        /api/v1/namespaces/default/pods/a/proxy/b?timeout=x: fine
        /api/v1/namespaces/default/pods/a?timeout=x: 400 invalid timeout specified in the request URL - time: invalid duration "x"
    "#]]
    .assert_eq(&said);
}

#[test]
fn a_method_that_is_not_allowed_has_empty_details() {
    let mut w = World::new();
    expect![[r#"
        {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"the server does not allow this method on the requested resource","reason":"MethodNotAllowed","details":{},"code":405}
    "#]]
    .assert_eq(&text(&mut w, "PUT", "/api/v1/namespaces", "", ""));
}

const MAP: &str = r#"{"metadata":{"name":"m","labels":{"a":"b"}},"data":{"k":"<a> & \u2028 é b"}}"#;

#[test]
fn tables_and_metadata_come_in_the_version_that_is_asked_for() {
    let mut w = World::new();
    w.ok("POST", "/api/v1/namespaces/default/configmaps", MAP);
    let mut get = |accept: &str| text(&mut w, "GET", "/api/v1/namespaces/default/configmaps/m", accept, "");
    let version = |form: &str, v: &str| format!("application/json;as={form};v={v};g=meta.k8s.io");
    let old = get(&version("Table", "v1beta1"));
    assert!(old.starts_with(r#"{"kind":"Table","apiVersion":"meta.k8s.io/v1beta1","metadata":{"#), "{old}");
    assert!(old.contains(r#""object":{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1beta1""#), "{old}");
    let old = get(&version("PartialObjectMetadata", "v1beta1"));
    assert!(old.starts_with(r#"{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1beta1","#), "{old}");
    assert!(get(&version("Table", "v1")).starts_with(r#"{"kind":"Table","apiVersion":"meta.k8s.io/v1","#));
}

#[test]
fn rows_have_their_fields_as_go_declares_them() {
    let mut w = World::new();
    w.ok("POST", "/api/v1/namespaces/default/configmaps", MAP);
    let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
    let mut rows = |include: &str| {
        let all =
            text(&mut w, "GET", &format!("/api/v1/namespaces/default/configmaps/m?includeObject={include}"), table, "");
        let uid = uid_in(&all);
        all.split_once("\"rows\":").map_or(String::new(), |(_, rows)| rows.replace(&uid, "UID"))
    };
    let (metadata, object) = (rows("Metadata"), rows("Object"));
    expect![[r#"
        [{"cells":["m",1,"0s"],"object":{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"m","namespace":"default","uid":"UID","resourceVersion":"6","creationTimestamp":"2026-01-01T00:00:00Z","labels":{"a":"b"}}}}]}
        [{"cells":["m",1,"0s"],"object":{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"m","namespace":"default","uid":"UID","resourceVersion":"6","creationTimestamp":"2026-01-01T00:00:00Z","labels":{"a":"b"}},"data":{"k":"\u003ca\u003e \u0026 \u2028 é b"}}}]}
    "#]]
    .assert_eq(&format!("{metadata}{object}"));
}

/// The object's UID, which is drawn.
fn uid_in(all: &str) -> String {
    all.split_once("\"uid\":\"").and_then(|(_, rest)| rest.split_once('"')).map_or(String::new(), |(uid, _)| uid.into())
}

#[test]
fn what_is_html_is_escaped_as_go_does() {
    let mut w = World::new();
    w.ok("POST", "/api/v1/namespaces/default/configmaps", MAP);
    let got = text(&mut w, "GET", "/api/v1/namespaces/default/configmaps/m", "", "");
    assert!(got.contains(r#""data":{"k":"\u003ca\u003e \u0026 \u2028 é b"}"#), "{got}");
    let read: serde_json::Value = serde_json::from_str(&got).unwrap();
    assert_eq!(read["data"]["k"], "<a> & \u{2028} é b");
    let yaml = text(&mut w, "GET", "/api/v1/namespaces/default/configmaps/m", "application/yaml", "");
    assert!(yaml.contains("<a> & "), "{yaml}");
}

#[test]
fn fields_are_owned_under_the_names_of_the_requests_version() {
    let mut w = World::new();
    let event = r#"{"metadata":{"name":"e"},"eventTime":"2026-01-01T00:00:00.000000Z","type":"Normal","reason":"R","action":"A",
        "note":"n","reportingController":"c","reportingInstance":"i","regarding":{"kind":"Pod","name":"p","namespace":"default"}}"#;
    let made = w.ok("POST", "/apis/events.k8s.io/v1/namespaces/default/events", event);
    expect![[r#"
        [{"apiVersion":"events.k8s.io/v1","fieldsType":"FieldsV1","fieldsV1":{"f:action":{},"f:eventTime":{},"f:note":{},"f:reason":{},"f:regarding":{},"f:reportingController":{},"f:reportingInstance":{},"f:type":{}},"manager":"kubectl","operation":"Update","time":"2026-01-01T00:00:00Z"}]"#]]
    .assert_eq(&made["metadata"]["managedFields"].to_string());
    let core = w.get("/api/v1/namespaces/default/events/e");
    assert_eq!(core["metadata"]["managedFields"], made["metadata"]["managedFields"]);
}
