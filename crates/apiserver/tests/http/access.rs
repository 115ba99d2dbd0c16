//! Authentication, authorization and reviews.

use crate::world::{World, summary};
use apiserver::authz::policy;
use apiserver::{Credentials, Impersonate};
use expect_test::{Expect, expect};
use meta::{ApiError, User};
use serde_json::{Value, json};

fn with_policy() -> World {
    let mut w = World::new();
    for ns in ["ingress-nginx", "kube-public", "prod"] {
        w.ok("POST", "/api/v1/namespaces", &format!(r#"{{"metadata":{{"name":"{ns}"}}}}"#));
    }
    for object in policy::bootstrap() {
        let namespace = object.meta().namespace.clone().unwrap_or_default();
        let of = if namespace.is_empty() { String::new() } else { format!("namespaces/{namespace}/") };
        let path = format!("/apis/rbac.authorization.k8s.io/v1/{of}{}", object.kind().plural);
        w.ok("POST", &path, &object.to_value().to_string());
    }
    w
}

fn bind(w: &mut World, user: &str, role: &str, namespace: &str) {
    let (kind, of) = match namespace {
        "" => ("ClusterRoleBinding", String::new()),
        ns => ("RoleBinding", format!("namespaces/{ns}/")),
    };
    let path = format!("/apis/rbac.authorization.k8s.io/v1/{of}{}s", kind.to_lowercase());
    let body = json!({"kind": kind, "apiVersion": "rbac.authorization.k8s.io/v1",
        "metadata": {"name": format!("{user}-{role}")},
        "roleRef": {"kind": "ClusterRole", "name": role}, "subjects": [{"kind": "User", "name": user}]});
    w.ok("POST", &path, &body.to_string());
}

fn user(name: &str) -> User {
    User::new(name, &["system:authenticated"])
}

/// As `user`: one line of what became of it.
fn ask(w: &mut World, who: &str, method: &str, path: &str, body: &str) -> String {
    summary(&w.json_as(user(who), method, path, body))
}

/// Whether and why, by a SubjectAccessReview.
fn review(w: &mut World, who: &str, attributes: &Value) -> String {
    let body = json!({"spec": {"user": who, "groups": ["system:authenticated"], "resourceAttributes": attributes}});
    let answer = w.ok("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", &body.to_string());
    let status = &answer["status"];
    format!("{} {}", status["allowed"], status["reason"].as_str().unwrap_or(""))
}

#[test]
fn the_policy_of_a_new_cluster_is_upstreams() {
    let mut w = with_policy();
    let count = |w: &mut World, what: &str| {
        w.get(&format!("/apis/rbac.authorization.k8s.io/v1/{what}"))["items"].as_array().map_or(0, Vec::len)
    };
    let counts: Vec<usize> =
        ["clusterroles", "clusterrolebindings", "roles", "rolebindings"].map(|k| count(&mut w, k)).into();
    // Two of the cluster roles and three of the bindings are metrics-server's, one of each kind is ingress-nginx's.
    expect!["[71, 52, 8, 9]"].assert_eq(&format!("{counts:?}"));
    let scheduler = w.get("/apis/rbac.authorization.k8s.io/v1/clusterroles/system:kube-scheduler");
    assert_eq!(scheduler["metadata"]["labels"]["kubernetes.io/bootstrapping"], "rbac-defaults");
    assert_eq!(scheduler["metadata"]["annotations"]["rbac.authorization.kubernetes.io/autoupdate"], "true");
    let lease = json!({"apiGroups": ["coordination.k8s.io"], "resourceNames": ["kube-scheduler"],
        "resources": ["leases"], "verbs": ["get", "list", "update", "watch"]});
    assert_eq!(scheduler["rules"][2], lease);
    // Aggregated roles are filled: admin has what edit and view have.
    let admin = w.get("/apis/rbac.authorization.k8s.io/v1/clusterroles/admin");
    assert_eq!(admin["rules"].as_array().map_or(0, Vec::len), 30);
}

#[test]
fn verdicts_name_the_binding_and_refusals_say_what_is_missing() {
    let mut w = with_policy();
    bind(&mut w, "jane", "view", "default");
    bind(&mut w, "root", "cluster-admin", "");
    let pods = |ns: &str, verb: &str| json!({"namespace": ns, "verb": verb, "resource": "pods"});
    let got = [
        review(&mut w, "jane", &pods("default", "list")),
        review(&mut w, "jane", &pods("default", "delete")),
        review(&mut w, "jane", &pods("prod", "list")),
        review(&mut w, "root", &pods("prod", "delete")),
        review(
            &mut w,
            "jane",
            &json!({"namespace": "default", "verb": "get", "resource": "pods", "subresource": "log"}),
        ),
        ask(&mut w, "jane", "GET", "/api/v1/namespaces/default/pods", ""),
        ask(&mut w, "jane", "GET", "/api/v1/namespaces/prod/pods", ""),
        ask(&mut w, "jane", "GET", "/api/v1/pods", ""),
        ask(&mut w, "jane", "GET", "/api/v1/nodes/n1", ""),
        ask(&mut w, "jane", "DELETE", "/api/v1/namespaces/default/pods/web", ""),
        ask(&mut w, "jane", "GET", "/api/v1/namespaces/default/pods/web/log", ""),
        ask(&mut w, "jane", "GET", "/api/v1/namespaces/default", ""),
        ask(&mut w, "jane", "GET", "/api/v1/namespaces/prod", ""),
        ask(&mut w, "jane", "PUT", "/apis/apps/v1/namespaces/default/deployments/web/scale", "{}"),
        ask(&mut w, "jane", "GET", "/apis/nothing.example.com/v1/things", ""),
        ask(&mut w, "jane", "GET", "/metrics", ""),
    ];
    expect![[r#"
        true RBAC: allowed by RoleBinding "jane-view/default" of ClusterRole "view" to User "jane"
        false 
        false 
        true RBAC: allowed by ClusterRoleBinding "root-cluster-admin" of ClusterRole "cluster-admin" to User "root"
        true RBAC: allowed by RoleBinding "jane-view/default" of ClusterRole "view" to User "jane"
        200 PodList []
        403 Forbidden: pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "prod"
        403 Forbidden: pods is forbidden: User "jane" cannot list resource "pods" in API group "" at the cluster scope
        403 Forbidden: nodes "n1" is forbidden: User "jane" cannot get resource "nodes" in API group "" at the cluster scope
        403 Forbidden: pods "web" is forbidden: User "jane" cannot delete resource "pods" in API group "" in the namespace "default"
        404 NotFound: pods "web" not found
        200 Namespace default
        403 Forbidden: namespaces "prod" is forbidden: User "jane" cannot get resource "namespaces" in API group "" in the namespace "prod"
        403 Forbidden: deployments.apps "web" is forbidden: User "jane" cannot update resource "deployments/scale" in API group "apps" in the namespace "default"
        403 Forbidden: things.nothing.example.com is forbidden: User "jane" cannot list resource "things" in API group "nothing.example.com" at the cluster scope
        403 Forbidden: forbidden: User "jane" cannot get path "/metrics""#]]
    .assert_eq(&got.join("\n"));
}

#[test]
fn a_verdict_that_was_remembered_is_forgotten_when_the_rules_change() {
    let mut w = with_policy();
    bind(&mut w, "jane", "view", "");
    let list = |w: &mut World| ask(w, "jane", "GET", "/api/v1/pods", "");
    assert_eq!(list(&mut w), "200 PodList []");
    assert_eq!(list(&mut w), "200 PodList []");
    w.ok("DELETE", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/jane-view", "");
    assert!(list(&mut w).starts_with("403"));
    // A role that is not there gives nothing, and the refusal says so.
    bind(&mut w, "jane", "ghost", "");
    expect![[r#"403 Forbidden: pods is forbidden: User "jane" cannot list resource "pods" in API group "" at the cluster scope: RBAC: clusterrole.rbac.authorization.k8s.io "ghost" not found"#]]
        .assert_eq(&list(&mut w));
    let role = json!({"metadata": {"name": "ghost"},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]});
    w.ok("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", &role.to_string());
    assert_eq!(list(&mut w), "200 PodList []");
    // Names narrow a rule, and are not remembered for other names.
    let named = json!({"metadata": {"name": "ghost"},
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["a"], "verbs": ["get"]}]});
    w.ok("PUT", "/apis/rbac.authorization.k8s.io/v1/clusterroles/ghost", &named.to_string());
    let get =
        |w: &mut World, name: &str| ask(w, "jane", "GET", &format!("/api/v1/namespaces/prod/configmaps/{name}"), "");
    assert!(get(&mut w, "a").starts_with("404"));
    assert!(get(&mut w, "b").starts_with("403"));
    assert!(get(&mut w, "a").starts_with("404"));
}

#[test]
fn nobody_gives_what_they_do_not_have() {
    let mut w = with_policy();
    bind(&mut w, "jane", "admin", "default");
    let roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles";
    let role = |name: &str, resource: &str, verbs: &[&str]| {
        json!({"metadata": {"name": name}, "rules": [{"apiGroups": [""], "resources": [resource], "verbs": verbs}]})
            .to_string()
    };
    let binding = |name: &str, kind: &str, to: &str| {
        json!({"metadata": {"name": name}, "roleRef": {"kind": kind, "name": to},
               "subjects": [{"kind": "User", "name": "joe"}]})
        .to_string()
    };
    let bindings = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings";
    let got = [
        ask(&mut w, "jane", "POST", roles, &role("reader", "pods", &["get", "list"])),
        ask(&mut w, "jane", "POST", roles, &role("nodes", "nodes", &["get", "list"])),
        ask(&mut w, "jane", "POST", bindings, &binding("b", "Role", "reader")),
        ask(&mut w, "jane", "POST", bindings, &binding("c", "ClusterRole", "system:kube-dns")),
        ask(&mut w, "jane", "POST", bindings, &binding("d", "ClusterRole", "cluster-admin")),
        ask(&mut w, "jane", "POST", bindings, &binding("e", "ClusterRole", "ghost")),
    ];
    expect![[r#"
        201 Role reader
        403 Forbidden: roles.rbac.authorization.k8s.io "nodes" is forbidden: user "jane" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:
        {APIGroups:[""], Resources:["nodes"], Verbs:["get" "list"]}
        201 RoleBinding b
        201 RoleBinding c
        403 Forbidden: rolebindings.rbac.authorization.k8s.io "d" is forbidden: user "jane" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:
        {APIGroups:["*"], Resources:["*"], Verbs:["*"]}
        {NonResourceURLs:["*"], Verbs:["*"]}
        404 NotFound: clusterrole.rbac.authorization.k8s.io "ghost" not found"#]].assert_eq(&got.join("\n"));
    // Leave to bind one role is enough for that one.
    let leave = json!({"metadata": {"name": "binder"}, "rules": [{"apiGroups": ["rbac.authorization.k8s.io"],
        "resources": ["clusterroles"], "resourceNames": ["cluster-admin"], "verbs": ["bind"]}]});
    w.ok("POST", roles, &leave.to_string());
    w.ok("POST", bindings, &binding("leave", "Role", "binder").replace("joe", "jane"));
    assert_eq!(
        ask(&mut w, "jane", "POST", bindings, &binding("d", "ClusterRole", "cluster-admin")),
        "201 RoleBinding d"
    );
    let fixed = binding("b", "Role", "binder");
    expect![[r#"422 Invalid: RoleBinding.rbac.authorization.k8s.io "b" is invalid: roleRef: Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"Role","Name":"binder"}: cannot change roleRef"#]]
        .assert_eq(&w.line("PUT", &format!("{bindings}/b"), &fixed));
}

#[test]
fn nodes_reach_what_their_pods_need() {
    let mut w = with_policy();
    w.ok("POST", "/api/v1/nodes", r#"{"metadata":{"name":"n1"}}"#);
    let pod = json!({"metadata": {"name": "web"}, "spec": {"nodeName": "n1", "containers": [{"name": "c", "image": "i",
        "envFrom": [{"secretRef": {"name": "mine"}}]}]}});
    w.ok("POST", "/api/v1/namespaces/default/pods", &pod.to_string());
    let mut can = |verb: &str, group: &str, resource: &str, namespace: &str, name: &str| {
        let body = json!({"spec": {"user": "system:node:n1", "groups": ["system:nodes", "system:authenticated"],
            "resourceAttributes": {"verb": verb, "group": group, "resource": resource, "namespace": namespace, "name": name}}});
        let answer = w.ok("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", &body.to_string());
        format!("{} {}", answer["status"]["allowed"], answer["status"]["reason"].as_str().unwrap_or(""))
    };
    let got = [
        can("get", "", "secrets", "default", "mine"),
        can("get", "", "secrets", "default", "yours"),
        can("create", "", "secrets", "default", "mine"),
        can("update", "", "nodes", "", "n1"),
        can("get", "", "nodes", "", "n2"),
        can("list", "", "pods", "", ""),
        can("update", "coordination.k8s.io", "leases", "kube-node-lease", "n2"),
        can("list", "", "services", "", ""),
        can("delete", "apps", "deployments", "default", "web"),
    ];
    expect![[r#"
        true 
        false no relationship found between node 'n1' and this object
        false can only read resources of this type
        true 
        false node 'n1' cannot read 'n2', only its own Node object
        false can only list/watch pods with spec.nodeName field selector
        false can only access node lease with the same name as the requesting node
        true 
        false "#]]
    .assert_eq(&got.join("\n"));
}

fn identify(w: &mut World, c: &Credentials) -> Result<User, ApiError> {
    w.server.identify(&w.store, w.now, c)
}

fn shown(r: Result<User, ApiError>, want: &Expect) {
    let text = match r {
        Ok(u) => format!("{} {:?} {:?}", u.name, u.groups, u.extra),
        Err(e) => format!("{} {}", e.code(), e.message()),
    };
    want.assert_eq(&text);
}

#[test]
fn acting_as_somebody_is_a_permission_for_each_part_of_it() {
    let mut w = with_policy();
    let as_user = |certified: User, user: &str, groups: &[&str]| Credentials {
        certified: Some(certified),
        impersonate: Impersonate {
            user: user.into(),
            groups: groups.iter().map(|g| (*g).into()).collect(),
            ..Default::default()
        },
        ..Default::default()
    };
    shown(identify(&mut w, &Credentials::default()), &expect![[r#"system:anonymous ["system:unauthenticated"] {}"#]]);
    let admin = User::admin;
    shown(identify(&mut w, &as_user(admin(), "jane", &[])), &expect![[r#"jane ["system:authenticated"] {}"#]]);
    shown(
        identify(&mut w, &as_user(admin(), "system:serviceaccount:ci:robot", &[])),
        &expect![[
            r#"system:serviceaccount:ci:robot ["system:serviceaccounts", "system:serviceaccounts:ci", "system:authenticated"] {}"#
        ]],
    );
    shown(
        identify(&mut w, &as_user(user("jane"), "joe", &["developers"])),
        &expect![[
            r#"403 users "joe" is forbidden: User "jane" cannot impersonate resource "users" in API group "" at the cluster scope"#
        ]],
    );
    bind(&mut w, "jane", "edit", "default");
    shown(
        identify(&mut w, &as_user(user("jane"), "system:serviceaccount:default:default", &[])),
        &expect![[
            r#"system:serviceaccount:default:default ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"] {}"#
        ]],
    );
    shown(
        identify(&mut w, &as_user(user("jane"), "system:serviceaccount:default:default", &["system:masters"])),
        &expect![[
            r#"403 groups "system:masters" is forbidden: User "jane" cannot impersonate resource "groups" in API group "" at the cluster scope"#
        ]],
    );
    shown(
        identify(&mut w, &as_user(admin(), "", &["developers"])),
        &expect!["400 requested [{Group  developers    }] without impersonating a user"],
    );
}

#[test]
fn service_account_tokens_live_as_long_as_what_they_are_bound_to() {
    let mut w = with_policy();
    let path = "/api/v1/namespaces/default/serviceaccounts/default/token";
    let token = |w: &mut World, body: Value| w.ok("POST", path, &body.to_string());
    let bearer = |t: &Value| Credentials {
        authorization: Some(format!("Bearer {}", t["status"]["token"].as_str().unwrap_or(""))),
        ..Default::default()
    };
    let plain = token(
        &mut w,
        json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": []}}),
    );
    assert_eq!(plain["spec"]["expirationSeconds"], 3600);
    assert_eq!(plain["spec"]["audiences"], json!(["https://kubernetes.default.svc.cluster.local"]));
    assert_eq!(plain["status"]["expirationTimestamp"], "2026-01-01T01:00:00Z");
    let who = identify(&mut w, &bearer(&plain)).expect("a good token");
    assert_eq!(who.name, "system:serviceaccount:default:default");
    assert_eq!(who.groups, ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"]);
    // Another audience is not for the API server, and a TokenReview for it accepts it.
    let vault = token(&mut w, json!({"spec": {"audiences": ["vault"]}}));
    shown(identify(&mut w, &bearer(&vault)), &expect!["401 Unauthorized"]);
    let mut review = |token: &Value, audiences: Value| {
        let body = json!({"spec": {"token": token["status"]["token"], "audiences": audiences}});
        w.ok("POST", "/apis/authentication.k8s.io/v1/tokenreviews", &body.to_string())["status"].clone()
    };
    let found = review(&vault, json!(["vault"]));
    assert_eq!((&found["authenticated"], &found["audiences"]), (&json!(true), &json!(["vault"])));
    expect![[r#"{"error":"[invalid bearer token, token audiences [\"vault\"] is invalid for the target audiences [\"https://kubernetes.default.svc.cluster.local\"]]","user":{}}"#]]
        .assert_eq(&review(&vault, json!([])).to_string());
    // Bound to a pod: it is over with the pod.
    w.pod("web");
    let bound = token(&mut w, json!({"spec": {"boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": "web"}}}));
    let who = identify(&mut w, &bearer(&bound)).expect("a good token");
    assert_eq!(who.extra["authentication.kubernetes.io/pod-name"], ["web"]);
    w.ok("DELETE", "/api/v1/namespaces/default/pods/web?gracePeriodSeconds=0", "");
    shown(identify(&mut w, &bearer(&bound)), &expect!["401 Unauthorized"]);
    let short = w.line("POST", path, r#"{"spec":{"audiences":[],"expirationSeconds":30}}"#);
    expect![[r#"422 Invalid: TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 30: may not specify a duration less than 10 minutes"#]]
        .assert_eq(&short);
    // And over when its time is.
    w.advance(3600 + 61);
    shown(identify(&mut w, &bearer(&plain)), &expect!["401 Unauthorized"]);
}

#[test]
fn everybody_may_ask_about_themselves() {
    let mut w = with_policy();
    bind(&mut w, "jane", "view", "default");
    let spec = json!({"spec": {"resourceAttributes": {"namespace": "default", "verb": "list", "resource": "pods"}}});
    let asked = |w: &mut World, what: &str, body: &Value| {
        let path = format!("/apis/{what}");
        let r = w.json_as(user("jane"), "POST", &path, &body.to_string());
        serde_json::from_slice::<Value>(&r.body).unwrap_or_default()
    };
    let access = asked(&mut w, "authorization.k8s.io/v1/selfsubjectaccessreviews", &spec);
    assert_eq!(access["status"]["allowed"], true);
    let whoami = asked(&mut w, "authentication.k8s.io/v1/selfsubjectreviews", &json!({}));
    assert_eq!(whoami["status"]["userInfo"], json!({"username": "jane", "groups": ["system:authenticated"]}));
    let rules =
        asked(&mut w, "authorization.k8s.io/v1/selfsubjectrulesreviews", &json!({"spec": {"namespace": "default"}}));
    assert_eq!(
        rules["status"]["resourceRules"][0]["resources"],
        json!(["selfsubjectaccessreviews", "selfsubjectrulesreviews"])
    );
    assert_eq!(rules["status"]["incomplete"], false);
    let other = asked(&mut w, "authorization.k8s.io/v1/subjectaccessreviews", &spec);
    assert_eq!(other["reason"], "Forbidden");
    let both = json!({"spec": {}});
    expect![[r#"422 Invalid: SelfSubjectAccessReview.authorization.k8s.io "" is invalid: spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified"#]]
        .assert_eq(&w.line("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", &both.to_string()));
}
