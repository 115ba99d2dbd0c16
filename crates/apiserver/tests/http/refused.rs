//! What is asked for in a way that it is not given.

use crate::world::World;
use expect_test::expect;

#[test]
fn a_review_is_no_table() {
    let mut w = World::new();
    let body = r#"{"spec":{"resourceAttributes":{"verb":"get","resource":"pods"}}}"#;
    let mut code = |accept: &str| {
        w.http("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", accept, "application/json", body).code
    };
    assert_eq!(code("application/json;as=Table;v=v1;g=meta.k8s.io"), 406);
    assert_eq!(code("application/json;as=Table;v=v1;g=meta.k8s.io,application/json"), 201);
    assert_eq!(code("application/json"), 201);
}

#[test]
fn options_of_logs_are_checked() {
    let mut w = World::new();
    let pods = "/api/v1/namespaces/default/pods";
    w.ok("POST", pods, r#"{"metadata":{"name":"x"},"spec":{"containers":[{"name":"c","image":"x"}]}}"#);
    let mut said = String::new();
    for query in [
        "tailLines=-1",
        "limitBytes=0",
        "sinceSeconds=0",
        "sinceSeconds=3&sinceTime=2026-01-01T00:00:00Z",
        "tailLines=-1&limitBytes=-2",
    ] {
        let r = w.http("GET", &format!("{pods}/x/log?{query}"), "", "", "");
        let status: serde_json::Value = serde_json::from_slice(&r.body).unwrap_or_default();
        said.push_str(&format!("{} {}\n", r.code, status["message"].as_str().unwrap_or("")));
    }
    expect![[r#"
        422 PodLogOptions "x" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0
        422 PodLogOptions "x" is invalid: limitBytes: Invalid value: 0: must be greater than 0
        422 PodLogOptions "x" is invalid: sinceSeconds: Invalid value: 0: must be greater than 0
        422 PodLogOptions "x" is invalid: []: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified
        422 PodLogOptions "x" is invalid: [tailLines: Invalid value: -1: must be greater than or equal to 0, limitBytes: Invalid value: -2: must be greater than 0]
    "#]].assert_eq(&said);
}

#[test]
fn yaml_is_read_as_go_reads_it() {
    let mut w = World::new();
    let maps = "/api/v1/namespaces/default/configmaps";
    let twice = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: NAME\ndata:\n  a: '1'\n  a: '2'\n";
    let mut said = String::new();
    let mut send = |method: &str, how: &str, query: &str, kind: &str, text: &str, name: &str| {
        let to = if method == "PATCH" { format!("{maps}/{name}{query}") } else { format!("{maps}{query}") };
        let r = w.http(method, &to, "", kind, &text.replace("NAME", name));
        let v: serde_json::Value = serde_json::from_slice(&r.body).unwrap_or_default();
        let what = v["message"].as_str().map_or_else(|| v["data"].to_string(), String::from);
        said.push_str(&format!("{how}: {} {what} {:?}\n", r.code, r.warnings));
    };
    for (n, query) in ["", "?fieldValidation=Ignore", "?fieldValidation=Strict"].into_iter().enumerate() {
        send("POST", query, query, "application/yaml", twice, &format!("a{n}"));
        let apply = format!("{query}{}fieldManager=me", if query.is_empty() { "?" } else { "&" });
        send("PATCH", &apply, &apply, "application/apply-patch+yaml", twice, &format!("b{n}"));
    }
    send("POST", "broken", "", "application/yaml", "a: [x", "c");
    send("PATCH", "broken", "?fieldManager=me", "application/apply-patch+yaml", "a: x\n- b\n", "c");
    expect![[r#"
        : 201 {"a":"2"} ["299 - \"line 7: key \\\"a\\\" already set in map\""]
        ?fieldManager=me: 201 {"a":"2"} ["299 - \"line 7: key \\\"a\\\" already set in map\""]
        ?fieldValidation=Ignore: 201 {"a":"2"} []
        ?fieldValidation=Ignore&fieldManager=me: 201 {"a":"2"} []
        ?fieldValidation=Strict: 400 ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: yaml: unmarshal errors:
          line 7: key "a" already set in map []
        ?fieldValidation=Strict&fieldManager=me: 400 error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:
          line 7: key "a" already set in map []
        broken: 400 error converting YAML to JSON: yaml: did not find expected ',' or ']' []
        broken: 400 error decoding YAML: error converting YAML to JSON: yaml: line 2: did not find expected key []
    "#]].assert_eq(&said);
}
