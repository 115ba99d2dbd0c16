//! ValidatingAdmissionPolicy over HTTP, with the documentation's examples.

use crate::world::World;
use meta::User;
use serde_json::{Value, json};

const POLICIES: &str = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
const BINDINGS: &str = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";

fn policy(name: &str, over: Value) -> String {
    let mut spec = json!({
        "matchConstraints": {"resourceRules": [
            {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["deployments"]}]},
        "validations": [{"expression": "object.spec.replicas <= 5"}],
    });
    spec.as_object_mut().expect("a map").extend(over.as_object().expect("a map").clone());
    json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
           "metadata": {"name": name}, "spec": spec})
    .to_string()
}

fn binding(name: &str, policy: &str, over: Value) -> String {
    let mut spec = json!({"policyName": policy, "validationActions": ["Deny"]});
    spec.as_object_mut().expect("a map").extend(over.as_object().expect("a map").clone());
    json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
           "metadata": {"name": name}, "spec": spec})
    .to_string()
}

fn deployment(name: &str, replicas: i32) -> String {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
           "spec": {"replicas": replicas, "selector": {"matchLabels": {"a": "b"}},
                    "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "x"}]}}}})
    .to_string()
}

/// The status of a write and what was said.
fn write(w: &mut World, method: &str, path: &str, body: &str) -> (u16, String) {
    let r = w.json(method, path, body);
    let answer: Value = serde_json::from_slice(&r.body).unwrap_or_default();
    (r.code, answer["message"].as_str().unwrap_or("").to_string())
}

#[test]
fn a_policy_counts_where_it_is_bound() {
    let mut w = World::new();
    let made = w.ok("POST", POLICIES, &policy("demo-policy.example.com", json!({})));
    assert_eq!(made["spec"]["failurePolicy"], "Fail");
    assert_eq!(made["spec"]["matchConstraints"]["matchPolicy"], "Equivalent");
    assert_eq!(made["spec"]["matchConstraints"]["resourceRules"][0]["scope"], "*");
    w.ok("POST", DEPLOYMENTS, &deployment("before", 6));
    let test = json!({"matchResources": {"namespaceSelector": {"matchLabels": {"environment": "test"}}}});
    w.ok("POST", BINDINGS, &binding("demo-binding-test.example.com", "demo-policy.example.com", test));
    w.ok("POST", DEPLOYMENTS, &deployment("elsewhere", 6));
    let mut ns = w.get("/api/v1/namespaces/default");
    ns["metadata"]["labels"]["environment"] = "test".into();
    w.ok("PUT", "/api/v1/namespaces/default", &ns.to_string());
    let (code, message) = write(&mut w, "POST", DEPLOYMENTS, &deployment("many", 6));
    assert_eq!(
        (code, message.as_str()),
        (
            422,
            "deployments.apps \"many\" is forbidden: ValidatingAdmissionPolicy 'demo-policy.example.com' with binding \
             'demo-binding-test.example.com' denied request: failed expression: object.spec.replicas <= 5"
        )
    );
    w.ok("POST", DEPLOYMENTS, &deployment("few", 5));
    assert_eq!(write(&mut w, "PUT", &format!("{DEPLOYMENTS}/few"), &deployment("few", 7)).0, 422);
    // Operations that it is not about, and the policies themselves, pass.
    w.ok("DELETE", &format!("{DEPLOYMENTS}/before"), "");
    w.ok("DELETE", &format!("{BINDINGS}/demo-binding-test.example.com"), "");
    w.ok("POST", DEPLOYMENTS, &deployment("many", 6));
}

#[test]
fn messages_reasons_variables_and_conditions() {
    let mut w = World::new();
    let over = json!({
        "variables": [{"name": "replicas", "expression": "object.spec.replicas"},
                      {"name": "limit", "expression": "variables.replicas > 100 ? 0 : 5"}],
        "matchConditions": [{"name": "not-mine", "expression": "!object.metadata.name.startsWith('mine')"}],
        "validations": [{"expression": "variables.replicas <= variables.limit", "reason": "Forbidden",
                         "messageExpression": "'replicas must be no more than ' + string(variables.limit)"}],
    });
    w.ok("POST", POLICIES, &policy("p", over));
    w.ok("POST", BINDINGS, &binding("b", "p", json!({})));
    let (code, message) = write(&mut w, "POST", DEPLOYMENTS, &deployment("many", 6));
    assert_eq!(code, 403);
    assert!(message.ends_with("denied request: replicas must be no more than 5"), "{message}");
    w.ok("POST", DEPLOYMENTS, &deployment("mine", 6));
}

#[test]
fn what_cannot_be_evaluated_is_refused_unless_failures_are_ignored() {
    let mut w = World::new();
    let validations = json!([{"expression": "object.spec.nothing == 1"}]);
    w.ok("POST", POLICIES, &policy("p", json!({"validations": validations})));
    w.ok("POST", BINDINGS, &binding("b", "p", json!({})));
    let (code, message) = write(&mut w, "POST", DEPLOYMENTS, &deployment("a", 1));
    assert_eq!(code, 422);
    assert!(
        message.ends_with("expression 'object.spec.nothing == 1' resulted in error: no such key: nothing"),
        "{message}"
    );
    w.ok("PUT", &format!("{POLICIES}/p"), &policy("p", json!({"validations": validations, "failurePolicy": "Ignore"})));
    w.ok("POST", DEPLOYMENTS, &deployment("a", 1));
}

/// There is no audit log, but what is to be noted there counts.
#[test]
fn what_cannot_be_noted_is_refused_whatever_the_binding_does() {
    let mut w = World::new();
    let notes = json!([{"key": "a", "valueExpression": "string(object.spec.nothing)"}]);
    let over = json!({"auditAnnotations": notes, "validations": []});
    w.ok("POST", POLICIES, &policy("p", over.clone()));
    w.ok("POST", BINDINGS, &binding("b", "p", json!({"validationActions": ["Audit"]})));
    let (code, message) = write(&mut w, "POST", DEPLOYMENTS, &deployment("a", 1));
    let why = "expression 'string(object.spec.nothing)' resulted in error: no such key: nothing";
    assert!(code == 422 && message.ends_with(why), "{code} {message}");
    let mut ignoring = over;
    ignoring["failurePolicy"] = "Ignore".into();
    w.ok("PUT", &format!("{POLICIES}/p"), &policy("p", ignoring));
    w.ok("POST", DEPLOYMENTS, &deployment("a", 1));
    let good = json!([{"key": "a", "valueExpression": "'replicas: ' + string(object.spec.replicas)"}]);
    w.ok("PUT", &format!("{POLICIES}/p"), &policy("p", json!({"auditAnnotations": good, "validations": []})));
    w.ok("POST", DEPLOYMENTS, &deployment("b", 1));
}

#[test]
fn expressions_see_the_options_that_were_given() {
    let mut w = World::new();
    let rules = json!({"resourceRules": [
        {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["*"], "resources": ["deployments"]}]});
    let options = "request.operation == 'DELETE' ? request.options.gracePeriodSeconds == 7 && request.options.propagationPolicy == 'Orphan' \
                   : request.options.fieldValidation == 'Strict' && !has(request.options.fieldManager)";
    let over = json!({"matchConstraints": rules, "validations": [{"expression": options}]});
    w.ok("POST", POLICIES, &policy("p", over));
    w.ok("POST", BINDINGS, &binding("b", "p", json!({})));
    let strict = format!("{DEPLOYMENTS}?fieldValidation=Strict");
    w.ok("POST", &strict, &deployment("a", 1));
    assert_eq!(write(&mut w, "POST", &format!("{strict}&fieldManager=me"), &deployment("b", 1)).0, 422);
    assert!(write(&mut w, "POST", DEPLOYMENTS, &deployment("b", 1)).1.ends_with("no such key: fieldValidation"));
    let path = format!("{DEPLOYMENTS}/a");
    assert_eq!(write(&mut w, "DELETE", &path, r#"{"gracePeriodSeconds": 8, "propagationPolicy": "Orphan"}"#).0, 422);
    w.ok("DELETE", &path, r#"{"gracePeriodSeconds": 7, "propagationPolicy": "Orphan"}"#);
}

#[test]
fn parameters_are_read_from_objects() {
    let mut w = World::new();
    let over = json!({"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
                      "validations": [{"expression": "object.spec.replicas <= int(params.data.max)"}]});
    w.ok("POST", POLICIES, &policy("p", over));
    let params = |action: &str| json!({"paramRef": {"name": "limits", "namespace": "default", "parameterNotFoundAction": action}});
    w.ok("POST", BINDINGS, &binding("b", "p", params("Deny")));
    let (code, message) = write(&mut w, "POST", DEPLOYMENTS, &deployment("a", 4));
    assert_eq!(code, 422);
    assert!(
        message.ends_with(
            "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"
        ),
        "{message}"
    );
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "limits"}, "data": {"max": "3"}});
    w.ok("POST", "/api/v1/namespaces/default/configmaps", &map.to_string());
    assert_eq!(write(&mut w, "POST", DEPLOYMENTS, &deployment("a", 4)).0, 422);
    w.ok("POST", DEPLOYMENTS, &deployment("a", 3));
}

#[test]
fn unsound_policies_are_refused() {
    let mut w = World::new();
    let over = json!({"matchConstraints": {"resourceRules": [{"apiGroups": [], "apiVersions": ["v1"], "operations": ["*", "CREATE"], "resources": ["pods/*", "pods/log"]}]},
                      "validations": [{"expression": "object.spec.replicas <="}, {"expression": "nobody > 1", "reason": "Why"},
                                      {"expression": "variables.x", "message": " "}]});
    let (code, message) = write(&mut w, "POST", POLICIES, &policy("p", over));
    assert_eq!(code, 422);
    for part in [
        "spec.matchConstraints.resourceRules[0].apiGroups: Required value",
        "spec.matchConstraints.resourceRules[0].operations: Invalid value: [\"*\",\"CREATE\"]: if '*' is present, must not specify other operations",
        "spec.matchConstraints.resourceRules[0].resources[1]: Invalid value: \"pods/log\": if 'pods/*' is present, must not specify pods/log",
        "spec.validations[0].expression: Invalid value: \"object.spec.replicas <=\": compilation failed: ERROR: <input>",
        "undeclared reference to 'nobody' (in container '')",
        "spec.validations[1].reason: Unsupported value: \"Why\": supported values: \"Forbidden\", \"Invalid\", \"RequestEntityTooLarge\"",
        "undefined field 'x'",
        "spec.validations[2].message: Invalid value: \" \": message must be non-empty if specified",
    ] {
        assert!(message.contains(part), "{part} is not in {message}");
    }
    let (code, message) =
        write(&mut w, "POST", BINDINGS, &binding("b", "", json!({"validationActions": ["Deny", "Warn"]})));
    assert_eq!(code, 422);
    assert!(
        message.contains("spec.policyName: Required value") && message.contains("must not contain both Deny and Warn"),
        "{message}"
    );
}

#[test]
fn evictions_and_connections_are_looked_at_too() {
    let mut w = World::new();
    let about = |operation: &str, resource: &str, expression: &str| {
        json!({
            "matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": [operation],
                "resources": [resource]}]},
            "validations": [{"expression": expression}],
        })
    };
    let evict = "request.kind.kind == 'Eviction' && object.metadata.name != 'stays'";
    w.ok("POST", POLICIES, &policy("evictions", about("CREATE", "pods/eviction", evict)));
    let exec = "request.kind.kind == 'PodExecOptions' && object.command[0] != 'sh'";
    w.ok("POST", POLICIES, &policy("connections", about("CONNECT", "pods/exec", exec)));
    for name in ["evictions", "connections"] {
        w.ok("POST", BINDINGS, &binding(name, name, json!({})));
    }
    for name in ["stays", "goes"] {
        let pod =
            json!({"metadata": {"name": name}, "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "i"}]}});
        w.ok("POST", "/api/v1/namespaces/default/pods", &pod.to_string());
    }
    let mut at = |pod: &str, rest: &str, body: Value| {
        let path = format!("/api/v1/namespaces/default/pods/{pod}/{rest}");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        write(&mut w, "POST", &path, &body)
    };
    let eviction = |name: &str| json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}});
    let denied = |policy: &str, expression: &str| {
        let by = format!("ValidatingAdmissionPolicy '{policy}' with binding '{policy}' denied request");
        (422, format!("pods \"stays\" is forbidden: {by}: failed expression: {expression}"))
    };
    assert_eq!(at("stays", "exec?container=c&command=sh", Value::Null), denied("connections", exec));
    assert_ne!(at("stays", "exec?container=c&command=ls", Value::Null).0, 422);
    assert_ne!(at("stays", "attach?container=c", Value::Null).0, 422);
    assert_eq!(at("stays", "eviction", eviction("stays")), denied("evictions", evict));
    assert_eq!(at("goes", "eviction", eviction("goes")).0, 201);
}

#[test]
fn expressions_know_moments_and_zones() {
    let mut w = World::new();
    let expression = "timestamp(1767225600).getHours('Asia/Seoul') == 9 && \
                      timestamp('2026-07-01T00:00:00Z').getHours('Europe/Berlin') == 2";
    let validations = json!({"validations": [{"expression": expression}]});
    w.ok("POST", POLICIES, &policy("moments", validations));
    w.ok("POST", BINDINGS, &binding("moments", "moments", json!({})));
    w.ok("POST", DEPLOYMENTS, &deployment("passes", 1));
}

#[test]
fn expressions_ask_what_a_user_may_do_and_what_was_asked() {
    let mut w = World::new();
    let jane = || User::new("jane", &["system:authenticated"]);
    let role = |name: &str, rule: Value| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name},
               "rules": [rule]})
        .to_string()
    };
    const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
    let deployer = json!({"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["create", "update", "get"]});
    w.ok("POST", &format!("{RBAC}/clusterroles"), &role("deployer", deployer));
    let exempt = json!({"apiGroups": ["admissionregistration.k8s.io"], "resources": ["validatingwebhookconfigurations"],
                        "resourceNames": ["my-webhook.example.com"], "verbs": ["breakglass"]});
    w.ok("POST", &format!("{RBAC}/clusterroles"), &role("exempt", exempt));
    let bind = |w: &mut World, role: &str, subject: Value| {
        let body = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
                          "metadata": {"name": role}, "subjects": [subject],
                          "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}});
        w.ok("POST", &format!("{RBAC}/clusterrolebindings"), &body.to_string());
    };
    bind(&mut w, "deployer", json!({"kind": "User", "name": "jane"}));
    let breakglass = "!authorizer.group('admissionregistration.k8s.io').resource('validatingwebhookconfigurations')\
                      .name('my-webhook.example.com').check('breakglass').allowed()";
    let over = json!({
        "matchConditions": [{"name": "breakglass", "expression": breakglass}],
        "variables": [{"name": "may", "expression": "authorizer.requestResource"}],
        "validations": [
            {"expression": "authorizer.requestResource.check('create').allowed()"},
            {"expression": "variables.may.namespace('other').check('get').allowed()"},
            {"expression": "request.options.kind == 'CreateOptions' && semver('v1.2', true).patch() == 0"},
            {"expression": "authorizer.path('/healthz').check('get').allowed()"},
            {"expression": "authorizer.requestResource.check('delete').allowed()", "reason": "Forbidden",
             "messageExpression": "request.userInfo.username + ' may not delete in ' + request.namespace"},
            {"expression": "authorizer.serviceAccount('kube-system', 'robot').path('/metrics').check('get').allowed()"},
        ],
    });
    w.ok("POST", POLICIES, &policy("rights", over));
    w.ok("POST", BINDINGS, &binding("rights", "rights", json!({})));
    let made = w.json_as(jane(), "POST", DEPLOYMENTS, &deployment("a", 1));
    let said: Value = serde_json::from_slice(&made.body).expect("JSON");
    let denied = "deployments.apps \"a\" is forbidden: ValidatingAdmissionPolicy 'rights' with binding 'rights' denied request: ";
    // Nobody gave everybody the right to look at paths here; the roles of a real cluster do.
    assert_eq!(
        (made.code, said["message"].as_str().unwrap_or("")),
        (422, format!("{denied}failed expression: authorizer.path('/healthz').check('get').allowed()").as_str())
    );
    let health = json!({"nonResourceURLs": ["/healthz", "/metrics"], "verbs": ["get"]});
    w.ok("POST", &format!("{RBAC}/clusterroles"), &role("health", health));
    bind(&mut w, "health", json!({"kind": "User", "name": "jane"}));
    let made = w.json_as(jane(), "POST", DEPLOYMENTS, &deployment("a", 1));
    let said: Value = serde_json::from_slice(&made.body).expect("JSON");
    let expected = format!("{denied}jane may not delete in default");
    assert_eq!((made.code, said["message"].as_str().unwrap_or("")), (403, expected.as_str()));
    bind(&mut w, "exempt", json!({"kind": "User", "name": "jane"}));
    assert_eq!(w.json_as(jane(), "POST", DEPLOYMENTS, &deployment("a", 1)).code, 201);
}
