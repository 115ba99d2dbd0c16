//! CertificateSigningRequests.

use super::events::{self, About};
use super::pki;
use super::view::View;
use super::writer::{Writer, put};
use super::{Describer, parts, show};
use crate::error::Error;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

impl Describer<'_> {
    pub async fn signing_request(&self, csr: View<'_>) -> Result<String, Error> {
        let events = self.events(About::object("CertificateSigningRequest", csr)).await;
        let pem = STANDARD.decode(csr.s("spec.request")).unwrap_or_default();
        let request = pki::parse(&pem).map_err(|e| Error::text(format!("Error parsing CSR: {e}")))?;
        let mut w = self.writer();
        put!(w, 0, "Name:\t{}\n", csr.name());
        put!(w, 0, "Labels:\t{}\n", parts::label_set(csr.at("metadata.labels")));
        put!(w, 0, "Annotations:\t{}\n", parts::label_set(csr.at("metadata.annotations")));
        put!(w, 0, "CreationTimestamp:\t{}\n", show::time(csr.at("metadata.creationTimestamp")));
        put!(w, 0, "Requesting User:\t{}\n", csr.s("spec.username"));
        if !csr.s("spec.signerName").is_empty() {
            put!(w, 0, "Signer:\t{}\n", csr.s("spec.signerName"));
        }
        if let Some(seconds) = csr.at("spec.expirationSeconds").opt() {
            put!(w, 0, "Requested Duration:\t{}\n", show::human(seconds.int() * 1_000_000));
        }
        put!(w, 0, "Status:\t{}\n", status(csr));
        subject(&mut w, &request);
        events::write(&mut w, events);
        Ok(w.finish())
    }
}

/// Models `extractCSRStatus`.
fn status(csr: View) -> String {
    let conditions = csr.list("status.conditions");
    let is = |kind: &str| conditions.iter().any(|c| c.s("type") == kind);
    let decided = if is("Denied") {
        "Denied"
    } else if is("Approved") {
        "Approved"
    } else {
        "Pending"
    };
    let failed = if is("Failed") { ",Failed" } else { "" };
    let issued = if csr.s("status.certificate").is_empty() { "" } else { ",Issued" };
    format!("{decided}{failed}{issued}")
}

fn subject(w: &mut Writer, r: &pki::Request) {
    put!(w, 0, "Subject:\n");
    put!(w, 0, "\tCommon Name:\t{}\n", r.common_name);
    put!(w, 0, "\tSerial Number:\t{}\n", r.serial_number);
    for (title, values) in [
        ("Organization", &r.organization),
        ("Organizational Unit", &r.organizational_unit),
        ("Country", &r.country),
        ("Locality", &r.locality),
        ("Province", &r.province),
        ("StreetAddress", &r.street_address),
        ("PostalCode", &r.postal_code),
    ] {
        list(w, title, values);
    }
    let names = [
        ("DNS Names", &r.dns_names),
        ("Email Addresses", &r.email_addresses),
        ("URIs", &r.uris),
        ("IP Addresses", &r.ip_addresses),
    ];
    if names.iter().any(|(_, values)| !values.is_empty()) {
        put!(w, 0, "Subject Alternative Names:\n");
        for (title, values) in names {
            list(w, title, values);
        }
    }
}

fn list(w: &mut Writer, title: &str, values: &[String]) {
    if !values.is_empty() {
        put!(w, 0, "\t{title}:\t{}\n", values.join("\n\t\t"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::describe::testing::described;
    use serde_json::json;

    #[test]
    fn states_of_a_request() {
        let state = |conditions: &[&str], certificate: &str| {
            let conditions: Vec<_> = conditions.iter().map(|c| json!({"type": c})).collect();
            status(View::new(&json!({"status": {"conditions": conditions, "certificate": certificate}})))
        };
        assert_eq!(state(&[], ""), "Pending");
        assert_eq!(state(&["Approved"], "AA=="), "Approved,Issued");
        assert_eq!(state(&["Approved", "Failed"], ""), "Approved,Failed");
        assert_eq!(state(&["Approved", "Denied"], ""), "Denied");
    }

    #[test]
    fn the_subject_is_read_from_the_request() {
        let request = STANDARD.encode(include_str!("testdata/request.pem"));
        let csr = json!({
            "metadata": {"name": "c", "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"request": request, "username": "jane", "signerName": "example.com/s", "expirationSeconds": 3600},
        });
        let text = described(
            "certificates.k8s.io",
            "CertificateSigningRequest",
            &csr,
            &[("/api/v1/events", json!({"items": []}))],
        );
        assert_eq!(
            text,
            "Name:                c
Labels:              <none>
Annotations:         <none>
CreationTimestamp:   Thu, 01 Jan 2026 00:00:00 +0000
Requesting User:     jane
Signer:              example.com/s
Requested Duration:  60m
Status:              Pending
Subject:
  Common Name:          system:node:n1
  Serial Number:        
  Organization:         system:nodes
                        staff
  Organizational Unit:  unit
  Country:              KR
  Locality:             Seoul
  Province:             Seoul State
Subject Alternative Names:
         DNS Names:        n1.example.com
                           n1
         Email Addresses:  admin@example.com
         URIs:             spiffe://example.com/n1
         IP Addresses:     10.0.0.1
                           fd00::1
Events:  <none>
"
        );
    }
}
