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
        422 PodLogOptions "x" is invalid: : Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified
        422 PodLogOptions "x" is invalid: [tailLines: Invalid value: -1: must be greater than or equal to 0, limitBytes: Invalid value: -2: must be greater than 0]
    "#]].assert_eq(&said);
}
