//! What a kubelet may change, after the Node authorizer has let it. Cases of
//! `plugin/pkg/admission/noderestriction/admission_test.go`.

use crate::world::{World, summary};
use meta::User;
use serde_json::{Value, json};

/// Nodes `n1` and `n2`, a pod on each, and one that is on none.
fn cluster() -> World {
    let mut w = World::new();
    for name in ["n1", "n2"] {
        w.ok("POST", "/api/v1/nodes", &json!({ "metadata": { "name": name } }).to_string());
        let spec = json!({ "nodeName": name, "containers": [{ "name": "c", "image": "i" }] });
        let pod = json!({ "metadata": { "name": format!("on-{name}") }, "spec": spec });
        w.ok("POST", "/api/v1/namespaces/default/pods", &pod.to_string());
    }
    w.pod("unbound");
    w
}

/// What becomes of a request of node `n1`: `ok`, or the reason for a refusal.
fn ask(w: &mut World, method: &str, path: &str, body: &Value) -> String {
    let kind = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let (answer, wants) = w.answer_as(User::node("n1"), method, path, "application/json", kind, &body);
    if answer.code < 300 {
        return "ok".into();
    }
    let line = summary(&apiserver::http::render(&answer, &wants, w.now));
    line.split_once("is forbidden: ").map_or(line.clone(), |(_, why)| why.to_string())
}

fn labels(key: &str, value: Value) -> Value {
    json!({ "metadata": { "labels": { key: value } } })
}

#[test]
fn a_kubelet_changes_its_own_node_only() {
    let mut w = cluster();
    let mut at = |method: &str, node: &str, body: Value| ask(&mut w, method, &format!("/api/v1/nodes{node}"), &body);
    let other = "node \"n1\" is not allowed to modify node \"n2\"";
    assert_eq!(at("PATCH", "/n2", labels("a", json!("x"))), other);
    assert_eq!(at("PATCH", "/n2/status", json!({ "status": { "phase": "x" } })), other);
    assert_eq!(at("POST", "", json!({ "metadata": { "name": "n3" } })), other.replace("n2", "n3"));
    assert_eq!(at("PATCH", "/n1", labels("a", json!("x"))), "ok");
    assert_eq!(at("PATCH", "/n1/status", json!({ "status": { "phase": "x" } })), "ok");
    let taints = json!({ "spec": { "taints": [{ "key": "a", "effect": "NoSchedule" }] } });
    let why = "node \"n1\" is not allowed to modify taints";
    assert_eq!(at("PATCH", "/n1", taints.clone()), why);
    assert_eq!(at("PATCH", "/n1/status", taints), why);
}

#[test]
fn a_kubelet_says_of_its_node_what_kubelets_may() {
    let mut w = cluster();
    let mut set = |key: &str| ask(&mut w, "PATCH", "/api/v1/nodes/n1", &labels(key, json!("x")));
    for may in [
        "kubernetes.io/hostname",
        "kubernetes.io/os",
        "kubernetes.io/arch",
        "beta.kubernetes.io/instance-type",
        "node.kubernetes.io/instance-type",
        "failure-domain.beta.kubernetes.io/zone",
        "topology.kubernetes.io/region",
        "kubelet.kubernetes.io/foo",
        "foo.kubelet.kubernetes.io/foo",
        "node.kubernetes.io/foo",
        "foo.node.kubernetes.io/foo",
        "example.com/foo",
        "foo",
    ] {
        assert_eq!(set(may), "ok", "{may}");
    }
    for may_not in [
        "node-restriction.kubernetes.io/foo",
        "foo.node-restriction.kubernetes.io/foo",
        "node-role.kubernetes.io/control-plane",
        "kubernetes.io/foo",
        "other.kubernetes.io/foo",
        "other.k8s.io/foo",
        "k8s.io/foo",
    ] {
        assert_eq!(set(may_not), format!("is not allowed to modify labels: {may_not}"));
    }
    // What others have said of it is not its to take back, but it may leave it as it is.
    let key = "node-role.kubernetes.io/control-plane";
    w.ok("PATCH", "/api/v1/nodes/n1", &labels(key, json!("")).to_string());
    let gone = ask(&mut w, "PATCH", "/api/v1/nodes/n1", &labels(key, Value::Null));
    assert_eq!(gone, format!("is not allowed to modify labels: {key}"));
    assert_eq!(ask(&mut w, "PATCH", "/api/v1/nodes/n1", &labels(key, json!(""))), "ok");
}

#[test]
fn a_node_registers_itself_under_its_own_name() {
    let mut w = World::new();
    let node = |label: &str| json!({ "metadata": { "name": "n1", "labels": { label: "", "foo.k8s.io/b": "" } } });
    let refused = ask(&mut w, "POST", "/api/v1/nodes", &node("node-role.kubernetes.io/a"));
    let which = "foo.k8s.io/b, node-role.kubernetes.io/a";
    assert_eq!(refused, format!("node \"n1\" is not allowed to set the following labels: {which}"));
    let taints =
        json!({ "metadata": { "name": "n1" }, "spec": { "taints": [{ "key": "a", "effect": "NoSchedule" }] } });
    assert_eq!(ask(&mut w, "POST", "/api/v1/nodes", &taints), "ok");
}

/// A mirror of a static pod, with one thing different.
fn mirror(w: &mut World, change: impl Fn(&mut Value)) -> String {
    let uid = w.get("/api/v1/nodes/n1")["metadata"]["uid"].clone();
    let owner = json!({ "apiVersion": "v1", "kind": "Node", "name": "n1", "uid": uid, "controller": true });
    let mut pod = json!({
        "metadata": {
            "name": "mirror-n1", "ownerReferences": [owner],
            "annotations": { "kubernetes.io/config.mirror": "hash", "kubernetes.io/config.source": "file" },
        },
        "spec": { "nodeName": "n1", "containers": [{ "name": "c", "image": "i" }] },
    });
    change(&mut pod);
    let answer = ask(w, "POST", "/api/v1/namespaces/default/pods", &pod);
    if answer == "ok" {
        w.ok("DELETE", "/api/v1/namespaces/default/pods/mirror-n1?gracePeriodSeconds=0", "");
    }
    answer
}

#[test]
fn a_kubelet_creates_mirrors_of_its_static_pods_only() {
    let mut w = cluster();
    assert_eq!(mirror(&mut w, |_| {}), "ok");
    let annotation = mirror(&mut w, |p| p["metadata"]["annotations"] = json!({}));
    let what = "\"kubernetes.io/config.mirror\" annotation";
    assert_eq!(annotation, format!("pod does not have {what}, node \"n1\" can only create mirror pods"));
    let only = |what: &str| format!("node \"n1\" can only create pods with {what}");
    let elsewhere = mirror(&mut w, |p| p["spec"]["nodeName"] = json!("n2"));
    assert_eq!(elsewhere, only("spec.nodeName set to itself"));
    let owners =
        |w: &mut World, change: &dyn Fn(&mut Value)| mirror(w, |p| change(&mut p["metadata"]["ownerReferences"]));
    let itself = only("an owner reference set to itself");
    assert_eq!(owners(&mut w, &|o| *o = json!([])), itself);
    assert_eq!(owners(&mut w, &|o| o[0]["name"] = json!("n2")), itself);
    assert_eq!(owners(&mut w, &|o| o[0]["kind"] = json!("Pod")), itself);
    let two = owners(&mut w, &|o| {
        let mut second = o[0].clone();
        second["uid"] = json!("other");
        second["controller"] = json!(false);
        *o = json!([o[0], second]);
    });
    assert_eq!(two, only("a single owner reference set to itself"));
    let controller = only("a controller owner reference set to itself");
    assert_eq!(owners(&mut w, &|o| o[0]["controller"] = json!(false)), controller);
    let blocks = owners(&mut w, &|o| o[0]["blockOwnerDeletion"] = json!(true));
    assert_eq!(blocks, "node \"n1\" must not set blockOwnerDeletion on an owner reference");
    let uid = w.get("/api/v1/nodes/n1")["metadata"]["uid"].as_str().unwrap_or("").to_string();
    let wrong = owners(&mut w, &|o| o[0]["uid"] = json!("other"));
    assert_eq!(wrong, format!("node n1 UID mismatch: expected other got {uid}"));
}

#[test]
fn a_mirror_pod_needs_nothing_of_the_api() {
    let mut w = cluster();
    let volume = |w: &mut World, source: Value| {
        mirror(w, |p| {
            let mut volume = json!({ "name": "v" });
            volume.as_object_mut().expect("an object").extend(source.as_object().expect("an object").clone());
            p["spec"]["volumes"] = json!([volume]);
        })
    };
    let refers = |what: &str| format!("node \"n1\" can not create pods that reference {what}");
    assert_eq!(volume(&mut w, json!({ "hostPath": { "path": "/etc" } })), "ok");
    assert_eq!(volume(&mut w, json!({ "configMap": { "name": "m" } })), refers("configmaps"));
    let claim = json!({ "persistentVolumeClaim": { "claimName": "c" } });
    assert_eq!(volume(&mut w, claim), refers("persistentvolumeclaims"));
    // ServiceAccount stands before it in the order, for everybody.
    let account = mirror(&mut w, |p| p["spec"]["serviceAccountName"] = json!("default"));
    assert_eq!(account, "a mirror pod may not reference service accounts");
    let secret = volume(&mut w, json!({ "secret": { "secretName": "s" } }));
    assert_eq!(secret, "a mirror pod may not reference secrets");
    let token = json!({ "projected": { "sources": [{ "serviceAccountToken": { "path": "t" } }] } });
    assert_eq!(volume(&mut w, token), "a mirror pod may not use ServiceAccountToken volume projections");
}

#[test]
fn a_kubelet_writes_and_deletes_pods_of_its_node_only() {
    let mut w = cluster();
    let mut at = |method: &str, path: &str, body: Value| {
        ask(&mut w, method, &format!("/api/v1/namespaces/default/pods/{path}"), &body)
    };
    let status = json!({ "status": { "message": "m" } });
    let why = "node \"n1\" can only update pod status for pods with spec.nodeName set to itself";
    assert_eq!(at("PATCH", "on-n1/status", status.clone()), "ok");
    assert_eq!(at("PATCH", "on-n2/status", status.clone()), why);
    assert_eq!(at("PATCH", "unbound/status", status), why);
    let labelled = at("PATCH", "on-n1/status", labels("a", json!("x")));
    assert_eq!(labelled, "node \"n1\" cannot update labels through pod status");
    let evict = |name: &str| json!({ "apiVersion": "policy/v1", "kind": "Eviction", "metadata": { "name": name } });
    let why = "node n1 can only evict pods with spec.nodeName set to itself";
    assert_eq!(at("POST", "on-n2/eviction", evict("on-n2")), why);
    assert_eq!(at("POST", "unbound/eviction", evict("unbound")), why);
    assert_eq!(at("POST", "on-n1/eviction", evict("on-n1")), "ok");
    let why = "node \"n1\" can only delete pods with spec.nodeName set to itself";
    assert_eq!(at("DELETE", "on-n2", Value::Null), why);
    assert_eq!(at("DELETE", "unbound", Value::Null), why);
    assert_eq!(at("DELETE", "on-n1", Value::Null), "ok");
}

#[test]
fn tokens_are_for_pods_of_the_node() {
    let mut w = cluster();
    let uid = |w: &mut World, name: &str| {
        let pod = w.get(&format!("/api/v1/namespaces/default/pods/{name}"));
        pod["metadata"]["uid"].as_str().unwrap_or("").to_string()
    };
    let (ours, theirs) = (uid(&mut w, "on-n1"), uid(&mut w, "on-n2"));
    let mut token = |bound: Value| {
        let body = json!({ "spec": { "audiences": [], "boundObjectRef": bound } });
        ask(&mut w, "POST", "/api/v1/namespaces/default/serviceaccounts/default/token", &body)
    };
    let pod = |name: &str, uid: &str| json!({ "apiVersion": "v1", "kind": "Pod", "name": name, "uid": uid });
    assert_eq!(token(pod("on-n1", &ours)), "ok");
    assert_eq!(token(Value::Null), "node requested token not bound to a pod");
    assert_eq!(token(pod("", "")), "node requested token not bound to a pod");
    assert_eq!(token(pod("on-n1", "")), "node requested token with a pod binding without a uid");
    assert_eq!(token(pod("on-n2", &theirs)), "node requested token bound to a pod scheduled on a different node");
    let why = "the UID in the bound object reference (other) does not match the UID in record. The object might have been \
               deleted and then recreated";
    assert_eq!(token(pod("on-n1", "other")), why);
}

#[test]
fn others_are_not_looked_at() {
    let mut w = cluster();
    let merge = labels("node-restriction.kubernetes.io/a", json!("x"));
    w.ok("PATCH", "/api/v1/nodes/n1", &merge.to_string());
    w.ok("PATCH", "/api/v1/namespaces/default/pods/unbound/status", r#"{"status":{"message":"m"}}"#);
}

#[test]
fn a_kubelet_speaks_of_its_own_devices_only() {
    let mut w = cluster();
    let slices = "/apis/resource.k8s.io/v1/resourceslices";
    let slice = |name: &str, node: &str| {
        json!({ "metadata": { "name": name }, "spec": { "driver": "gpu.example.com", "nodeName": node,
            "pool": { "name": node, "generation": 1, "resourceSliceCount": 1 } } })
    };
    let claims = "/apis/resource.k8s.io/v1/namespaces/default/resourceclaims";
    for name in ["mine", "yours"] {
        w.ok("POST", claims, &json!({ "metadata": { "name": name }, "spec": {} }).to_string());
    }
    let pod = json!({ "metadata": { "name": "uses" }, "spec": { "nodeName": "n1",
        "resourceClaims": [{ "name": "a", "resourceClaimName": "mine" }], "containers": [{ "name": "c", "image": "i" }] } });
    w.ok("POST", "/api/v1/namespaces/default/pods", &pod.to_string());
    w.ok("POST", slices, &slice("other", "n2").to_string());
    let mut at = |method: &str, path: &str, body: Value| ask(&mut w, method, path, &body);
    let same = "ResourceSlice with the same NodeName as the requesting node";
    assert_eq!(at("POST", slices, slice("s", "n2")), format!("can only create {same}"));
    assert_eq!(at("POST", slices, slice("s", "n1")), "ok");
    let nothing = "no relationship found between node 'n1' and this object";
    let ends = |got: String, with: &str| assert!(got.ends_with(with), "{got}");
    ends(at("DELETE", &format!("{slices}/other"), Value::Null), nothing);
    ends(
        at("GET", slices, Value::Null),
        "can only list/watch/deletecollection resourceslices with nodeName field selector",
    );
    assert_eq!(at("GET", &format!("{slices}?fieldSelector=spec.nodeName%3Dn1"), Value::Null), "ok");
    assert_eq!(at("DELETE", &format!("{slices}/s"), Value::Null), "ok");
    assert_eq!(at("GET", &format!("{claims}/mine"), Value::Null), "ok");
    ends(at("GET", &format!("{claims}/yours"), Value::Null), nothing);
    ends(at("GET", claims, Value::Null), "can only get individual resources of this type");
}
