use super::ResourceClaims;
use crate::testing::World;
use expect_test::{Expect, expect};
use serde_json::{Value, json};

fn pod(status: Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "default", "uid": "u"},
        "spec": {"containers": [], "resourceClaims": [
            {"name": "own", "resourceClaimTemplateName": "one-gpu"}, {"name": "shared", "resourceClaimName": "shared"}]},
        "status": status,
    })
}

fn template() -> Value {
    json!({
        "apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaimTemplate",
        "metadata": {"name": "one-gpu", "namespace": "default"},
        "spec": {"metadata": {"labels": {"app": "x"}}, "spec": {"devices": {"requests": [
            {"name": "gpu", "exactly": {"deviceClassName": "gpu.example.com"}}]}}},
    })
}

fn claim(name: &str, extra: Value) -> Value {
    let mut claim = json!({
        "apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaim",
        "metadata": {"name": name, "namespace": "default", "uid": name, "resourceVersion": "7"},
        "spec": {"devices": {"requests": [{"name": "gpu", "exactly": {"deviceClassName": "gpu.example.com"}}]}},
    });
    let (claim_map, extra) = (claim.as_object_mut().unwrap(), extra.as_object().unwrap());
    for (k, v) in extra {
        match (k.as_str(), v.as_object()) {
            ("metadata", Some(more)) => claim_map["metadata"].as_object_mut().unwrap().extend(more.clone()),
            _ => _ = claim_map.insert(k.clone(), v.clone()),
        }
    }
    claim
}

fn own() -> Value {
    let owner = json!([{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u", "controller": true}]);
    json!({"metadata": {"annotations": {"resource.kubernetes.io/pod-claim-name": "own"}, "ownerReferences": owner}})
}

fn check(objects: Vec<Value>, key: &str, want: &Expect) {
    want.assert_eq(&World::<ResourceClaims>::new(objects).run(key));
}

#[test]
fn a_claim_is_made_of_the_template() {
    check(
        vec![pod(json!({})), template()],
        "default/pod:p",
        &expect![[r#"
            create {"apiVersion":"resource.k8s.io/v1","kind":"ResourceClaim","metadata":{"annotations":{"resource.kubernetes.io/pod-claim-name":"own"},"generateName":"p-own-","labels":{"app":"x"},"namespace":"default","ownerReferences":[{"apiVersion":"v1","blockOwnerDeletion":true,"controller":true,"kind":"Pod","name":"p","uid":"u"}]},"spec":{"devices":{"requests":[{"exactly":{"deviceClassName":"gpu.example.com"},"name":"gpu"}]}}}
              on failure: FailedResourceClaimCreation: PodResourceClaim own: create ResourceClaim : {error}
        "#]],
    );
    check(
        vec![pod(json!({}))],
        "default/pod:p",
        &expect![[r#"
            event Warning FailedResourceClaimCreation p: PodResourceClaim own: resource claim template "one-gpu": resourceclaimtemplate.resource.k8s.io "one-gpu" not found
            requeue after 5ms
        "#]],
    );
}

#[test]
fn the_pod_says_which_claim_is_its_own() {
    check(
        vec![pod(json!({})), template(), claim("p-own-x", own())],
        "default/pod:p",
        &expect![[r#"
            patch pods default/p status {"status":{"resourceClaimStatuses":[{"name":"own","resourceClaimName":"p-own-x"}]}}
        "#]],
    );
    let known = json!({"resourceClaimStatuses": [{"name": "own", "resourceClaimName": "p-own-x"}]});
    check(vec![pod(known), template(), claim("p-own-x", own())], "default/pod:p", &expect![""]);
}

#[test]
fn what_nobody_uses_is_given_back() {
    let used = json!({
        "metadata": {"finalizers": ["resource.kubernetes.io/delete-protection"]},
        "status": {"allocation": {}, "reservedFor": [{"resource": "pods", "name": "p", "uid": "u"}]},
    });
    check(vec![pod(json!({})), claim("shared", used.clone())], "default/claim:shared", &expect![""]);
    check(
        vec![pod(json!({"phase": "Succeeded"})), claim("shared", used)],
        "default/claim:shared",
        &expect![[r#"
            patch resourceclaims default/shared status {"metadata":{"resourceVersion":"7"},"status":{"allocation":null,"devices":null,"reservedFor":null}}
            patch resourceclaims default/shared  {"metadata":{"finalizers":null}}
        "#]],
    );
    check(
        vec![pod(json!({"phase": "Succeeded"})), claim("p-own-x", own())],
        "default/claim:p-own-x",
        &expect![[r#"
            delete resourceclaims default/p-own-x grace=None propagation=Some(Background)
        "#]],
    );
}

#[test]
fn a_pod_on_a_node_reserves_what_is_allocated() {
    let mut bound = pod(json!({"resourceClaimStatuses": [{"name": "own", "resourceClaimName": "p-own-x"}]}));
    bound["spec"]["nodeName"] = json!("n");
    check(
        vec![bound, claim("p-own-x", own()), claim("shared", json!({"status": {"allocation": {}}}))],
        "default/pod:p",
        &expect![[r#"
            patch resourceclaims default/shared status {"metadata":{"resourceVersion":"7"},"status":{"reservedFor":[{"name":"p","resource":"pods","uid":"u"}]}}
        "#]],
    );
}
