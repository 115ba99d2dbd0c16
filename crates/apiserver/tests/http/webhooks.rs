//! Configurations of webhooks over HTTP, and what becomes of writes when nobody answers.

use crate::world::World;
use serde_json::{Value, json};

const VALIDATING: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
const MUTATING: &str = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
const PODS: &str = "/api/v1/namespaces/default/pods";
const POD: &str =
    r#"{"metadata":{"name":"p","labels":{"app":"web"}},"spec":{"containers":[{"name":"c","image":"x"}]}}"#;

fn configuration(kind: &str, hook: Value) -> String {
    let mut whole = json!({
        "name": "pod-policy.example.com",
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
        "clientConfig": {"service": {"namespace": "default", "name": "hook", "path": "/check"}},
        "admissionReviewVersions": ["v1"], "sideEffects": "None", "timeoutSeconds": 5,
    });
    whole.as_object_mut().expect("a map").extend(hook.as_object().expect("a map").clone());
    json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": "pod-policy"},
           "webhooks": [whole]})
    .to_string()
}

fn validating(hook: Value) -> String {
    configuration("ValidatingWebhookConfiguration", hook)
}

fn write(w: &mut World, method: &str, path: &str, body: &str) -> (u16, String) {
    let r = w.json(method, path, body);
    let answer: Value = serde_json::from_slice(&r.body).unwrap_or_default();
    (r.code, answer["message"].as_str().unwrap_or("").to_string())
}

#[test]
fn configurations_get_defaults() {
    let mut w = World::new();
    let made = w.ok("POST", MUTATING, &configuration("MutatingWebhookConfiguration", json!({"timeoutSeconds": null})));
    let hook = &made["webhooks"][0];
    assert_eq!(made["metadata"]["generation"], 1);
    assert_eq!(hook["failurePolicy"], "Fail");
    assert_eq!(hook["matchPolicy"], "Equivalent");
    assert_eq!(hook["reinvocationPolicy"], "Never");
    assert_eq!(hook["timeoutSeconds"], 10);
    assert_eq!(hook["namespaceSelector"], json!({}));
    assert_eq!(hook["objectSelector"], json!({}));
    assert_eq!(hook["rules"][0]["scope"], "*");
    assert_eq!(hook["clientConfig"]["service"]["port"], 443);
}

#[test]
fn configurations_are_validated() {
    let mut w = World::new();
    let wrong = json!({
        "name": "short", "admissionReviewVersions": null, "sideEffects": null, "timeoutSeconds": 31,
        "failurePolicy": "Never", "clientConfig": {"url": "http://x?a=b"},
    });
    let (code, message) = write(&mut w, "POST", VALIDATING, &validating(wrong));
    assert_eq!(code, 422);
    let expected = [
        "webhooks[0].name: Invalid value: \"short\": should be a domain with at least three segments separated by dots",
        "webhooks[0].failurePolicy: Unsupported value: \"Never\": supported values: \"Fail\", \"Ignore\"",
        "webhooks[0].sideEffects: Required value: must specify one of None, NoneOnDryRun",
        "webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds",
        "webhooks[0].clientConfig.url: Invalid value: \"http\": 'https' is the only allowed URL scheme; \
         desired format: https://host[/path]",
        "webhooks[0].clientConfig.url: Invalid value: \"a=b\": query parameters are not permitted in the URL",
        "webhooks[0].admissionReviewVersions: Required value: must specify one of v1, v1beta1",
    ];
    let head = "ValidatingWebhookConfiguration.admissionregistration.k8s.io \"pod-policy\" is invalid: ";
    assert_eq!(message, format!("{head}[{}]", expected.join(", ")));
    let (_, message) = write(&mut w, "POST", VALIDATING, &validating(json!({"clientConfig": {}})));
    assert_eq!(
        message,
        format!("{head}webhooks[0].clientConfig: Required value: exactly one of url or service is required")
    );
}

#[test]
fn a_write_fails_when_nobody_answers() {
    let mut w = World::new();
    w.ok("POST", VALIDATING, &validating(json!({})));
    let head = "Internal error occurred: failed calling webhook \"pod-policy.example.com\": failed to call webhook: \
                Post \"https://hook.default.svc:443/check?timeout=5s\": ";
    let (code, message) = write(&mut w, "POST", PODS, POD);
    assert_eq!((code, message), (500, format!("{head}service \"hook\" not found")));
    w.ok(
        "POST",
        "/api/v1/namespaces/default/services",
        r#"{"metadata":{"name":"hook"},"spec":{"ports":[{"port":80}]}}"#,
    );
    let (_, message) = write(&mut w, "POST", PODS, POD);
    assert_eq!(message, format!("{head}no service port 443 found for service \"hook\""));
    w.ok("DELETE", "/api/v1/namespaces/default/services/hook", "");
    let made = w.ok(
        "POST",
        "/api/v1/namespaces/default/services",
        r#"{"metadata":{"name":"hook"},"spec":{"ports":[{"port":443}]}}"#,
    );
    let address = format!("{}:443", made["spec"]["clusterIP"].as_str().expect("an address"));
    let (_, message) = write(&mut w, "POST", PODS, POD);
    assert_eq!(message, format!("{head}dial tcp {address}: connect: connection refused"));
    w.ok("DELETE", "/api/v1/namespaces/default/services/hook", "");
    let outside = r#"{"metadata":{"name":"hook"},"spec":{"type":"ExternalName","externalName":"hook.example.com"}}"#;
    w.ok("POST", "/api/v1/namespaces/default/services", outside);
    let (_, message) = write(&mut w, "POST", PODS, POD);
    assert_eq!(message, format!("{head}dial tcp: lookup hook.example.com: no such host"));
    w.ok("DELETE", "/api/v1/namespaces/default/services/hook", "");
    let made = w.ok(
        "POST",
        "/api/v1/namespaces/default/services",
        r#"{"metadata":{"name":"hook"},"spec":{"ports":[{"port":443}]}}"#,
    );
    let address = format!("{}:443", made["spec"]["clusterIP"].as_str().expect("an address"));
    // Other writes are not asked about, nor are the configurations themselves.
    w.ok("POST", "/api/v1/namespaces/default/configmaps", r#"{"metadata":{"name":"c"}}"#);
    w.callees.simulated.insert(address, Ok(()));
    w.ok("POST", PODS, POD);
}

#[test]
fn failures_may_be_ignored_and_selectors_and_conditions_leave_out() {
    let mut w = World::new();
    for (i, hook) in [
        json!({"failurePolicy": "Ignore"}),
        json!({"objectSelector": {"matchLabels": {"app": "db"}}}),
        json!({"namespaceSelector": {"matchLabels": {"team": "x"}}}),
        json!({"matchConditions": [{"name": "n", "expression": "object.metadata.name != 'p'"}]}),
        json!({"rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["DELETE"], "resources": ["pods"]}]}),
    ]
    .into_iter()
    .enumerate()
    {
        w.ok("POST", VALIDATING, &validating(hook));
        let r = w.json("POST", PODS, POD);
        assert_eq!(r.code, 201, "{i}");
        w.ok("DELETE", &format!("{VALIDATING}/pod-policy"), "");
        w.ok("DELETE", &format!("{PODS}/p"), "");
    }
}
