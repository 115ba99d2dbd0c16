//! Requests for certificates: who approves the kubelets', who signs what was approved, who clears away what is over. Models
//! `pkg/controller/certificates`.

mod approving;
mod cleaner;
mod signing;
#[cfg(test)]
mod tests;

pub use approving::Approving;
pub use cleaner::Cleaner;
pub use signing::Signing;

use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use meta::User;
use std::collections::BTreeSet;

/// All three run under one account.
fn user() -> User {
    User::controller("certificate-controller")
}

fn usages(csr: &CertificateSigningRequest) -> BTreeSet<&str> {
    csr.spec.usages.iter().flatten().map(String::as_str).collect()
}

/// Models `ValidateKubeletClientCSR`.
fn check_kubelet_client(request: &pki::Request, usages: &BTreeSet<&str>) -> Result<(), String> {
    let why = if request.organizations != ["system:nodes"] {
        "subject organization is not system:nodes"
    } else if request.dns_names > 0 {
        "DNS subjectAltNames are not allowed"
    } else if request.emails > 0 {
        "Email subjectAltNames are not allowed"
    } else if !request.addresses.is_empty() {
        "IP subjectAltNames are not allowed"
    } else if request.uris > 0 {
        "URI subjectAltNames are not allowed"
    } else if !request.common_name.starts_with("system:node:") {
        "subject common name does not begin with system:node:"
    } else {
        return check_usages(usages, "client auth");
    };
    Err(why.into())
}

/// Models `ValidateKubeletServingCSR`.
fn check_kubelet_serving(request: &pki::Request, usages: &BTreeSet<&str>) -> Result<(), String> {
    let why = if request.organizations != ["system:nodes"] {
        "subject organization is not system:nodes"
    } else if request.dns_names == 0 && request.addresses.is_empty() {
        "DNS or IP subjectAltName is required"
    } else if request.emails > 0 {
        "Email subjectAltNames are not allowed"
    } else if request.uris > 0 {
        "URI subjectAltNames are not allowed"
    } else {
        check_usages(usages, "server auth")?;
        if request.common_name.starts_with("system:node:") {
            return Ok(());
        }
        "subject common name does not begin with system:node:"
    };
    Err(why.into())
}

/// Keys that are not RSA's encipher nothing.
fn check_usages(usages: &BTreeSet<&str>, auth: &str) -> Result<(), String> {
    let all = BTreeSet::from([auth, "digital signature", "key encipherment"]);
    let some = BTreeSet::from([auth, "digital signature"]);
    if *usages == all || *usages == some {
        return Ok(());
    }
    let list: Vec<&str> = all.into_iter().collect();
    Err(format!("usages did not match [{}]", list.join(" ")))
}
