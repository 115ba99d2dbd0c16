use super::{Approving, Cleaner, Signing};
use crate::testing::{World, at, rfc3339};
use base64::Engine;
use k8s_openapi::api::authorization::v1::{SubjectAccessReview, SubjectAccessReviewStatus};
use pki::Authority;
use serde_json::{Value, json};
use std::sync::Arc;

/// `CN=system:node:node-1, O=system:nodes`
const NODE: &str = include_str!("node.csr");
/// `CN=rsa, O=developers`, with an RSA key of 2048 bits, and names.
const RSA: &str = include_str!("rsa.csr");

fn csr(request: &str, signer: &str, usages: &[&str], conditions: Value) -> Value {
    let request = base64::engine::general_purpose::STANDARD.encode(request);
    json!({"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
           "metadata": {"name": "r", "uid": "u", "resourceVersion": "7", "creationTimestamp": rfc3339(0)},
           "spec": {"request": request, "signerName": format!("kubernetes.io/{signer}"), "usages": usages,
                    "username": "system:bootstrap:abc", "groups": ["system:bootstrappers"]},
           "status": {"conditions": conditions}})
}

fn approved(secs: u64) -> Value {
    json!([{"type": "Approved", "status": "True", "lastUpdateTime": rfc3339(secs)}])
}

const KUBELET: [&str; 2] = ["client auth", "digital signature"];

fn review(allowed: bool) -> SubjectAccessReview {
    let status = SubjectAccessReviewStatus { allowed, ..Default::default() };
    SubjectAccessReview { status: Some(status), ..Default::default() }
}

#[test]
fn a_kubelet_gets_its_certificate_when_whoever_asks_may_have_one() {
    let kubelet = csr(NODE, "kube-apiserver-client-kubelet", &KUBELET, json!([]));
    let mut w = World::<Approving>::new([kubelet.clone()]);
    let asked = w.run("r");
    assert!(asked.contains("\"subresource\":\"nodeclient\""), "{asked}");
    assert!(asked.contains("\"user\":\"system:bootstrap:abc\""), "{asked}");
    assert!(!asked.contains("selfnodeclient"), "it asks for another: {asked}");
    w.settle("r", &[Ok(Some(Arc::new(review(false))))]);
    assert_eq!(w.run("r"), "requeue after 200ms\n");
    w.now = at(1);
    assert!(w.run("r").contains("nodeclient"));
    w.settle("r", &[Ok(Some(Arc::new(review(true))))]);
    let patch = w.run("r");
    assert!(patch.contains("patch certificatesigningrequests r approval"), "{patch}");
    assert!(patch.contains("Auto approving kubelet client certificate after SubjectAccessReview."), "{patch}");
    // The node itself asks for the better permission first.
    let mut own = kubelet;
    own["spec"]["username"] = "system:node:node-1".into();
    let mut w = World::<Approving>::new([own]);
    assert!(w.run("r").contains("\"subresource\":\"selfnodeclient\""));
    w.settle("r", &[Ok(Some(Arc::new(review(true)))), Ok(Some(Arc::new(review(false))))]);
    assert!(w.run("r").contains("Auto approving self kubelet client certificate after SubjectAccessReview."));
}

#[test]
fn other_requests_wait_for_a_person() {
    for (request, signer, usages, conditions) in [
        (NODE, "kube-apiserver-client", &KUBELET[..], json!([])),
        (NODE, "kube-apiserver-client-kubelet", &["client auth"][..], json!([])),
        (RSA, "kube-apiserver-client-kubelet", &KUBELET[..], json!([])),
        (NODE, "kube-apiserver-client-kubelet", &KUBELET[..], approved(0)),
    ] {
        let mut w = World::<Approving>::new([csr(request, signer, usages, conditions)]);
        assert_eq!(w.run("r"), "", "{signer} {usages:?}");
    }
}

fn signing(objects: [Value; 1]) -> World<Signing> {
    let mut w = World::<Signing>::new(objects);
    w.controller = Signing::new(Arc::new(Authority::new(&[7; 32], at(0)).unwrap()));
    w
}

#[test]
fn what_is_approved_is_signed() {
    let client = ["client auth"];
    let pending = csr(RSA, "kube-apiserver-client", &client, json!([]));
    assert_eq!(signing([pending]).run("r"), "");
    let mut w = signing([csr(RSA, "kube-apiserver-client", &client, approved(0))]);
    let text = w.run("r");
    let certificate = text.split("\"certificate\":\"").nth(1).and_then(|t| t.split('"').next()).expect(&text);
    let pem = base64::engine::general_purpose::STANDARD.decode(certificate).unwrap();
    assert_eq!(pki::check_certificates(&pem), Ok(()));
    assert_eq!(pki::not_after(&pem), Some(at(365 * 24 * 3600 - 300)));
    // The same again, byte for byte: nothing is drawn.
    assert_eq!(w.run("r"), text);
    // Somebody else's signer.
    assert_eq!(signing([csr(RSA, "other", &client, approved(0))]).run("r"), "");
    let mut w = signing([csr(NODE, "kube-apiserver-client-kubelet", &client, approved(0))]);
    let failed = w.run("r");
    let why = "usages did not match [client auth digital signature key encipherment]";
    assert!(failed.contains("SignerValidationFailure") && failed.contains(why), "{failed}");
    let mut w = signing([csr(RSA, "kube-apiserver-client", &["server auth"], approved(0))]);
    assert!(w.run("r").contains("invalid usage for client certificate: server auth"));
}

#[test]
fn what_is_over_goes() {
    let denied = json!([{"type": "Denied", "status": "True", "lastUpdateTime": rfc3339(0)}]);
    for (conditions, hours, want) in [
        (json!([]), 23, "requeue after 2h"),
        (json!([]), 25, "delete certificatesigningrequests r"),
        (denied.clone(), 0, "requeue after 2h"),
        (denied, 2, "delete certificatesigningrequests r"),
        // Approved, and not signed by anybody.
        (approved(0), 100, ""),
    ] {
        let mut w = World::<Cleaner>::new([csr(RSA, "kube-apiserver-client", &["client auth"], conditions)]);
        w.now = at(hours * 3600);
        let acts = w.acts("r");
        assert!(acts.starts_with(want) && acts.is_empty() == want.is_empty(), "{hours} h: {acts}");
    }
}
