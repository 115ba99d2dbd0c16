//! Webhooks are asked about requests that come in while the cluster goes on.

use api::Registered;
use apiserver::http::HttpRequest;
use apiserver::{Call, Caller, RequestVerb, Said};
use cluster::errand::Errand;
use cluster::{Cluster, HttpOutcome};
use k8s_openapi::api::core::v1::{ConfigMap, Pod, ServiceAccount};
use meta::User;
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::{apply, cluster, run};

/// Nobody may wait here.
#[derive(Debug)]
struct Nobody;

impl Caller for Nobody {
    fn post(&self, _: &Call) -> Option<Said> {
        panic!("the cluster waits for a webhook")
    }
}

const HOOK: &str = "
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: v}
webhooks:
- name: check.example.com
  rules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [configmaps, pods]}]
  clientConfig: {url: 'https://hooks.example.com/check'}
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Ignore
";

fn post(c: &mut Cluster, errand: &Errand) -> Result<(u16, Value), Box<Call>> {
    let body = json!({"metadata": {"generateName": "m-"}}).to_string().into_bytes();
    let path = "/api/v1/namespaces/default/configmaps";
    let request = HttpRequest { body, ..HttpRequest::bare("POST", path, "", User::admin()) };
    match c.try_http(request, errand)? {
        HttpOutcome::Response(r) => Ok((r.code, serde_json::from_slice(&r.body).unwrap_or_default())),
        _ => panic!("no answer"),
    }
}

fn said(call: &Call, allowed: bool) -> Said {
    let review: Value = serde_json::from_slice(&call.body).expect("a review");
    let answer = json!({"uid": review["request"]["uid"], "allowed": allowed});
    let whole = json!({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "response": answer});
    Ok((200, whole.to_string().into_bytes()))
}

fn maps(c: &Cluster) -> usize {
    c.view().list::<ConfigMap>().filter(|m| m.metadata.generate_name.as_deref() == Some("m-")).count()
}

#[test]
fn a_request_begins_anew_when_a_webhook_has_answered() {
    let mut c = cluster(1);
    apply(&mut c, HOOK);
    run(&mut c, 5);
    c.call_webhooks(Arc::new(Nobody));
    let errand = Errand::default();
    let call = post(&mut c, &errand).expect_err("a question");
    assert_eq!((call.path.as_str(), maps(&c)), ("/check?timeout=10s", 0));
    // Whoever is asked may ask the API server; time goes on.
    let read = HttpRequest::bare("GET", "/api/v1/namespaces/default", "", User::admin());
    assert!(matches!(c.try_http(read, &Errand::default()), Ok(HttpOutcome::Response(r)) if r.code == 200));
    let other = Errand::default();
    let second = post(&mut c, &other).expect_err("a question of its own");
    assert_ne!(second.body, call.body);
    c.set_clock(c.now() + meta::Duration::from_secs(3));
    errand.hear(*call.clone(), said(&call, true));
    let (code, made) = post(&mut c, &errand).expect("an answer");
    let asked: Value = serde_json::from_slice(&call.body).expect("a review");
    assert_eq!((code, &made["metadata"]["name"]), (201, &asked["request"]["name"]), "it is what was asked about");
    assert_eq!(maps(&c), 1);
    other.hear(*second.clone(), said(&second, false));
    assert_eq!((post(&mut c, &other).expect("an answer").0, maps(&c)), (400, 1));
    // What cannot be reached is ignored, as the configuration wants it, but not before it is known.
    let last = Errand::default();
    let call = post(&mut c, &last).expect_err("a question");
    last.hear(*call, Err("dial tcp: lookup hooks.example.com: no such host".into()));
    assert_eq!((post(&mut c, &last).expect("an answer").0, maps(&c)), (201, 2));
}

const WEB: &str = "
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: main, image: nginx}]}}
";

#[test]
fn a_controller_waits_for_its_own_webhooks_and_nobody_else_does() {
    let mut c = cluster(1);
    apply(&mut c, HOOK);
    run(&mut c, 5);
    c.call_webhooks(Arc::new(Nobody));
    c.hand_out_questions();
    apply(&mut c, WEB);
    run(&mut c, 5);
    let mut asked = Vec::new();
    let pods = |c: &Cluster| c.view().list::<Pod>().count();
    for n in 0..2 {
        let (id, call) = question(&mut c);
        assert_eq!(pods(&c), n, "one at a time, as its intents are");
        // The others go on, and so does time.
        apply(&mut c, &format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: n{n}}}}}"));
        run(&mut c, 5);
        let account = meta::Key::new(&format!("n{n}"), "default");
        assert!(c.view().get::<ServiceAccount>(&account).is_some());
        let review: Value = serde_json::from_slice(&call.body).expect("a review");
        asked.push(review["request"]["name"].as_str().unwrap_or_default().to_string());
        c.hear(id, call.clone(), said(&call, true));
    }
    let mut names: Vec<String> = c.view().list::<Pod>().filter_map(|p| p.metadata.name.clone()).collect();
    names.sort();
    asked.sort();
    assert_eq!(names, asked, "they are what was asked about");
    run(&mut c, 30);
    assert_eq!(pods(&c), 2);
    // Who stops while a question is open hangs up, and asks anew when it is back. A copy has no connections at all.
    c.request(delete(&names[0]));
    run(&mut c, 5);
    let mut copy = c.clone();
    let (id, call) = question(&mut c);
    c.set_process("kube-controller-manager", false);
    c.hear(id, call.clone(), said(&call, true));
    assert_eq!(pods(&c), 1);
    c.set_process("kube-controller-manager", true);
    run(&mut c, 60);
    let (id, call) = question(&mut c);
    c.hear(id, call.clone(), said(&call, true));
    run(&mut c, 5);
    assert_eq!(pods(&c), 2);
    copy.hand_out_questions();
    run(&mut copy, 60);
    let (id, call) = question(&mut copy);
    copy.hear(id, call.clone(), said(&call, true));
    assert_eq!(pods(&copy), 2);
}

/// The one that is about a pod. Those about what new namespaces get are answered.
fn question(c: &mut Cluster) -> (u64, Call) {
    let mut found = Vec::new();
    for (id, call) in c.take_questions() {
        let review: Value = serde_json::from_slice(&call.body).expect("a review");
        if review["request"]["resource"]["resource"] == "pods" {
            found.push((id, call));
        } else {
            c.hear(id, call.clone(), said(&call, true));
        }
    }
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn delete(pod: &str) -> apiserver::Request {
    apiserver::Request::new(User::admin(), RequestVerb::Delete, Pod::KIND_REF, "default", pod)
}
