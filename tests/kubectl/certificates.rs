//! Certificates that are asked for, approved and signed; then whoever has one is somebody.

use base64::Engine;
use system_tests::{Server, manifest};

/// A request as its file has it, in base64.
fn request(file: &str) -> String {
    let text = std::fs::read(manifest(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
    base64::engine::general_purpose::STANDARD.encode(text)
}

fn csr(name: &str, file: &str, more: &str) -> String {
    format!(
        "apiVersion: certificates.k8s.io/v1\nkind: CertificateSigningRequest\nmetadata:\n  name: {name}\nspec:\n  \
         request: {}\n  signerName: kubernetes.io/kube-apiserver-client\n  usages: [client auth]\n{more}",
        request(file)
    )
}

#[test]
fn an_approved_request_makes_a_user() {
    let Some(s) = Server::start(&["--sim-nodes", "0"]) else { return };
    let file = s.file("jane.yaml", &csr("jane", "csr/jane.csr", "  expirationSeconds: 86400\n"));
    let out = s.kubectl(&["create", "-f", &file]).good();
    assert_eq!(out, "certificatesigningrequest.certificates.k8s.io/jane created\n");
    let row = s.k("get csr jane --no-headers");
    let cells: Vec<&str> = row.split_whitespace().collect();
    let want = ["jane", "kubernetes.io/kube-apiserver-client", "kubernetes-admin", "24h", "Pending"];
    assert_eq!([cells[0], cells[2], cells[3], cells[4], cells[5]], want, "{row}");
    let out = s.k("certificate approve jane");
    assert_eq!(out, "certificatesigningrequest.certificates.k8s.io/jane approved\n");
    s.until("get csr jane --no-headers", |o| o.trim_end().ends_with("Approved,Issued"));
    let out = s.k("get csr jane -o jsonpath={.status.conditions[0].reason},{.status.conditions[0].message}");
    assert_eq!(out, "KubectlApprove,This CSR was approved by kubectl certificate approve.");
    assert!(s.k("describe csr jane").contains("Common Name:    jane"));

    let pem = s.k("get csr jane -o jsonpath={.status.certificate}");
    let pem = base64::engine::general_purpose::STANDARD.decode(pem).expect("base64");
    let certificate = s.file("jane.crt", &String::from_utf8(pem).expect("text"));
    let key = manifest("csr/jane.key");
    let url = s.line.split_whitespace().find(|w| w.starts_with("https://")).unwrap_or_default().trim_end_matches(',');
    let server = ["--kubeconfig", "/dev/null", "--server", url, "--insecure-skip-tls-verify"];
    let flags = [&server[..], &["--client-certificate", &certificate, "--client-key", &key]].concat();
    let me = s.kubectl(&[&["auth", "whoami"], &flags[..]].concat()).good();
    assert!(me.contains("jane") && me.contains("[developers system:authenticated]"), "{me}");
    s.k("create rolebinding read --clusterrole=view --group=developers");
    s.kubectl(&[&["get", "pods"], &flags[..]].concat()).good();
    let refused = s.kubectl(&[&["get", "nodes"], &flags[..]].concat()).bad();
    assert!(refused.contains("User \"jane\" cannot list resource \"nodes\""), "{refused}");
}

#[test]
fn what_is_denied_or_wrong_is_not_signed() {
    let Some(s) = Server::start(&["--sim-nodes", "0"]) else { return };
    let file = s.file("jane.yaml", &csr("jane", "csr/jane.csr", ""));
    s.kubectl(&["create", "-f", &file]).good();
    s.kubectl(&["certificate", "deny", "-f", &file]).good();
    assert!(s.k("get csr jane --no-headers").trim_end().ends_with("Denied"));
    let both = s.kubectl(&["certificate", "approve", "jane"]).bad();
    assert!(both.contains("certificate signing request \"jane\" is already Denied"), "{both}");
    let masters = s.file("masters.yaml", &csr("evil", "csr/masters.csr", ""));
    let refused = s.kubectl(&["create", "-f", &masters]).bad();
    let want = "use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed";
    assert!(refused.contains(want), "{refused}");
    let short = s.file("short.yaml", &csr("short", "csr/jane.csr", "  expirationSeconds: 60\n"));
    let refused = s.kubectl(&["create", "-f", &short]).bad();
    assert!(refused.contains("may not specify a duration less than 600 seconds (10 minutes)"), "{refused}");
    // Who may create is not who may approve.
    s.k("create clusterrole asker --verb=create,get,list,update --resource=certificatesigningrequests,certificatesigningrequests/approval");
    s.k("create clusterrolebinding asker --clusterrole=asker --user=joe");
    let other = s.file("other.yaml", &csr("other", "csr/jane.csr", ""));
    s.kubectl(&["create", "-f", &other, "--as", "joe"]).good();
    assert_eq!(s.k("get csr other -o jsonpath={.spec.username}"), "joe");
    let refused = s.kubectl(&["certificate", "approve", "other", "--as", "joe"]).bad();
    let want = "user not permitted to approve requests with signerName \"kubernetes.io/kube-apiserver-client\"";
    assert!(refused.contains(want), "{refused}");
}
