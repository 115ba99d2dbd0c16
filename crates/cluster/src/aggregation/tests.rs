//! Without a host that takes questions away, the cluster waits for the answers.

use super::*;
use crate::Config;
use apiserver::Caller;
use serde_json::{Value, json};
use std::sync::Mutex;

/// A host where every server answers the same; what was asked is kept.
#[derive(Debug)]
struct Host(Mutex<Vec<Call>>);

impl Caller for Host {
    fn post(&self, call: &Call) -> Option<Said> {
        self.0.lock().expect("no panic").push(call.clone());
        Some(match call.target {
            Target::Host(ref ip, _) if ip == "192.0.2.9" => {
                Err("dial tcp 192.0.2.9:8443: connect: connection refused".into())
            }
            _ => Ok((200, b"{\"kind\":\"W\"}".to_vec())),
        })
    }
}

fn ask(c: &mut Cluster, user: User, method: &str, path: &str, body: &Value) -> (u16, String) {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    match c.http(HttpRequest { body, ..HttpRequest::bare(method, path, "", user) }) {
        HttpOutcome::Response(r) => (r.code, String::from_utf8_lossy(&r.body).into_owned()),
        _ => panic!("no answer"),
    }
}

fn put(c: &mut Cluster, path: &str, body: &Value) {
    let (code, text) = ask(c, User::admin(), "POST", path, body);
    assert_eq!(code, 201, "{text}");
}

fn cluster() -> Cluster {
    let mut c = Cluster::new(Config::default()).expect("the default configuration is sound");
    put(
        &mut c,
        "/api/v1/namespaces/default/services",
        &json!({"metadata": {"name": "w"},
        "spec": {"clusterIP": "10.96.0.77", "ports": [{"name": "https", "port": 443, "targetPort": 8443}]}}),
    );
    put(
        &mut c,
        "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
        &json!({
        "metadata": {"name": "w-1", "labels": {"kubernetes.io/service-name": "w"}}, "addressType": "IPv4",
        "endpoints": [{"addresses": ["192.0.2.9"]}, {"addresses": ["192.0.2.10"]}], "ports": [{"name": "https", "port": 8443}]}),
    );
    put(
        &mut c,
        "/apis/apiregistration.k8s.io/v1/apiservices",
        &json!({"metadata": {"name": "v1.w.io"},
        "spec": {"group": "w.io", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 10,
                 "insecureSkipTLSVerify": true, "service": {"namespace": "default", "name": "w"}}}),
    );
    c
}

fn condition(c: &mut Cluster) -> (String, String) {
    let path = "/apis/apiregistration.k8s.io/v1/apiservices/v1.w.io";
    let (_, text) = ask(c, User::admin(), "GET", path, &Value::Null);
    let o: Value = serde_json::from_str(&text).expect("JSON");
    let c = &o["status"]["conditions"][0];
    (c["reason"].as_str().unwrap_or("").into(), c["message"].as_str().unwrap_or("").into())
}

#[test]
fn requests_go_to_the_endpoints_of_a_service() {
    let mut c = cluster();
    let host = Arc::new(Host(Mutex::default()));
    c.call_webhooks(host.clone());
    c.advance(Duration::from_secs(5));
    assert_eq!(condition(&mut c), ("Passed".into(), "all checks passed".into()));
    host.0.lock().expect("no panic").clear();
    let mut user = User::new("jane", &["system:masters", "devs"]);
    user.extra = [("acme.com/a b".to_string(), vec!["1".to_string()])].into();
    let answer = ask(&mut c, user, "POST", "/apis/w.io/v1/namespaces/default/ws", &json!({"a": 1}));
    assert_eq!(answer, (200, "{\"kind\":\"W\"}".into()));
    let asked = std::mem::take(&mut *host.0.lock().expect("no panic"));
    // Where nobody takes the connection the next one is tried.
    let last = asked.last().expect("a request");
    assert_eq!(last.target, Target::Host("192.0.2.10".into(), 8443));
    assert_eq!((last.method.as_str(), last.path.as_str()), ("POST", "/apis/w.io/v1/namespaces/default/ws"));
    let header = |name: &str| {
        let found = last.headers.iter().filter(|(n, _)| n == name);
        found.map(|(_, v)| v.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(header("X-Remote-User"), ["jane"]);
    assert_eq!(header("X-Remote-Group"), ["system:masters", "devs"]);
    assert_eq!(header("X-Remote-Extra-acme.com%2Fa%20b"), ["1"]);
    assert_eq!(header("host"), ["10.96.0.77:443"]);
    let trust = Trust { server_name: "w.default.svc".into(), ca_bundle: Vec::new(), insecure: true, identified: true };
    assert_eq!((&last.trust, last.body.as_slice()), (&trust, &b"{\"a\":1}"[..]));
    let (code, text) = ask(&mut c, User::new("jane", &[]), "GET", "/apis/w.io/v1/namespaces/default/ws", &Value::Null);
    assert_eq!(code, 403, "{text}");
}

#[test]
fn where_nobody_goes_out_of_the_cluster_nobody_answers() {
    let mut c = cluster();
    c.advance(Duration::from_secs(5));
    let url = "https://10.96.0.77:443/apis/w.io/v1";
    let why = format!(
        "failing or missing response from {url}: Get {url:?}: dial tcp 10.96.0.77:443: connect: connection refused"
    );
    assert_eq!(condition(&mut c), ("FailedDiscoveryCheck".into(), why));
    let answer = ask(&mut c, User::admin(), "GET", "/apis/w.io/v1/ws", &Value::Null);
    assert_eq!(answer, (503, "service unavailable\n".into()));
}
