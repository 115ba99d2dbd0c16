//! Models `pkg/apis/certificates/validation`.

use super::{APPROVED, DENIED, FAILED, LEGACY, certificate, found};
use crate::validate::names;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use meta::{FieldError, Path};
use std::collections::BTreeSet;

const SECONDS_MIN: i32 = 600;

/// What a write may change besides metadata.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    Nothing,
    Certificate,
    Conditions,
}

/// With what was there before, its faults are tolerated.
pub fn check(o: &CertificateSigningRequest, old: Option<&CertificateSigningRequest>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let spec = Path::new("spec");
    if let Err(why) = pki::Request::parse(&o.spec.request.0).and_then(|r| r.check_signature()) {
        // Go's JSON of bytes.
        errors.push(FieldError::invalid(&spec.child("request"), STANDARD.encode(&o.spec.request.0), why));
    }
    check_usages(o, old, &spec.child("usages"), &mut errors);
    let at = spec.child("signerName");
    if o.spec.signer_name == LEGACY && old.is_none_or(|o| o.spec.signer_name != LEGACY) {
        let why = "the legacy signerName is not allowed via this API version";
        errors.push(FieldError::invalid(&at, LEGACY, why));
    } else {
        errors.extend(signer_name(&at, &o.spec.signer_name));
    }
    if let Some(seconds) = o.spec.expiration_seconds.filter(|s| *s < SECONDS_MIN) {
        let why = "may not specify a duration less than 600 seconds (10 minutes)";
        errors.push(FieldError::invalid(&spec.child("expirationSeconds"), seconds, why));
    }
    check_conditions(o, old, &mut errors);
    let text = certificate(o).unwrap_or_default();
    let known = old.is_some_and(|old| {
        let before = certificate(old).unwrap_or_default();
        before == text || (!before.is_empty() && pki::check_certificates(before).is_err())
    });
    if !known
        && !text.is_empty()
        && let Err(why) = pki::check_certificates(text)
    {
        let at = Path::new("status").child("certificate");
        errors.push(FieldError::invalid(&at, "<certificate data>", why));
    }
    errors
}

fn check_usages(
    o: &CertificateSigningRequest,
    old: Option<&CertificateSigningRequest>,
    at: &Path,
    errors: &mut Vec<FieldError>,
) {
    fn usages(o: &CertificateSigningRequest) -> &[String] {
        o.spec.usages.as_deref().unwrap_or_default()
    }
    let repeated = |list: &[String]| list.iter().collect::<BTreeSet<_>>().len() < list.len();
    let list = usages(o);
    if list.is_empty() {
        errors.push(FieldError::required(at, ""));
    }
    if old.is_none_or(|o| pki::unrecognized(usages(o)).is_empty()) {
        let unknown = list.iter().enumerate().filter(|(_, u)| !pki::USAGES.contains(&u.as_str()));
        errors.extend(unknown.map(|(i, u)| FieldError::not_supported(&at.index(i), u.as_str(), &pki::USAGES)));
    }
    if old.is_none_or(|o| !repeated(usages(o))) {
        let again = list.iter().enumerate().filter(|(i, u)| list[..*i].contains(u));
        errors.extend(again.map(|(i, u)| FieldError::duplicate(&at.index(i), u.as_str())));
    }
}

fn check_conditions(
    o: &CertificateSigningRequest,
    old: Option<&CertificateSigningRequest>,
    errors: &mut Vec<FieldError>,
) {
    let at = Path::new("status").child("conditions");
    let has = |of| old.is_some_and(|o| found(o, of).next().is_some());
    let both = has(APPROVED) && has(DENIED);
    let mut seen: Vec<&str> = Vec::new();
    for (i, c) in o.status.iter().flat_map(|s| &s.conditions).flatten().enumerate() {
        let type_ = c.type_.as_str();
        if type_.is_empty() && !has("") {
            errors.push(FieldError::required(&at.index(i).child("type"), ""));
        }
        let values: &[&str] = match type_ {
            APPROVED | DENIED | FAILED => &["True"],
            _ => &["False", "True", "Unknown"],
        };
        if c.status.is_empty() {
            errors.push(FieldError::required(&at.index(i).child("status"), ""));
        } else if !values.contains(&c.status.as_str()) {
            errors.push(FieldError::not_supported(&at.index(i).child("status"), c.status.as_str(), values));
        }
        let other = match type_ {
            APPROVED => DENIED,
            DENIED => APPROVED,
            _ => "-",
        };
        if !both && seen.contains(&other) {
            errors.push(FieldError::invalid(&at, type_, "Approved and Denied conditions are mutually exclusive"));
        }
        if seen.contains(&type_) && old.is_none_or(|o| found(o, type_).count() <= 1) {
            errors.push(FieldError::duplicate(&at.index(i).child("type"), type_));
        }
        seen.push(type_);
    }
}

/// Models `validateCertificateSigningRequestUpdate`.
pub fn check_update(
    new: &CertificateSigningRequest,
    old: &CertificateSigningRequest,
    allowed: Allowed,
) -> Vec<FieldError> {
    let mut errors = check(new, Some(old));
    let status = Path::new("status");
    let at = status.child("conditions");
    for of in [APPROVED, DENIED, FAILED] {
        if found(new, of).count() < found(old, of).count() {
            errors.push(FieldError::forbidden(&at, format!("updates may not remove a condition of type {of:?}")));
        }
    }
    for of in [APPROVED, DENIED].into_iter().filter(|_| allowed != Allowed::Conditions) {
        let (now, before) = (found(new, of).count(), found(old, of).count());
        if now > before {
            errors.push(FieldError::forbidden(&at, format!("updates may not add a condition of type {of:?}")));
        } else if now == before && !found(new, of).eq(found(old, of)) {
            errors.push(FieldError::forbidden(&at, format!("updates may not modify a condition of type {of:?}")));
        }
    }
    if certificate(new) != certificate(old) {
        let at = status.child("certificate");
        if allowed != Allowed::Certificate {
            errors.push(FieldError::forbidden(&at, "updates may not set certificate content"));
        } else if certificate(old).is_some() {
            errors.push(FieldError::forbidden(&at, "updates may not modify existing certificate content"));
        }
    }
    errors
}

const LABEL_MAX: usize = 63;
const SUBDOMAIN_MAX: usize = 253;
/// `DOMAIN/NAMESPACE.NAME`, each as long as it can be.
const SIGNER_MAX: usize = SUBDOMAIN_MAX + 1 + LABEL_MAX + 1 + SUBDOMAIN_MAX;

/// Models `ValidateSignerName`.
fn signer_name(at: &Path, name: &str) -> Vec<FieldError> {
    if name.is_empty() {
        return vec![FieldError::required(at, "")];
    }
    let Some((domain, path)) = name.split_once('/').filter(|(_, p)| !p.contains('/')) else {
        let why = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
        return vec![FieldError::invalid(at, name, why)];
    };
    let mut errors: Vec<FieldError> = Vec::new();
    // One label that is wrong is enough: the others would say the same.
    let labels = |value: &str, check: fn(&str) -> Vec<String>| {
        let found = value.split('.').map(|l| (l, check(l))).find(|(_, e)| !e.is_empty());
        let (label, found) = found.unwrap_or_default();
        let invalid = |e| FieldError::invalid(at, value, format!("validating label {label:?}: {e}"));
        found.into_iter().map(invalid).collect::<Vec<_>>()
    };
    if domain.len() > SUBDOMAIN_MAX {
        errors.push(FieldError::too_long(at, SUBDOMAIN_MAX));
    }
    errors.extend(labels(domain, names::dns1123_label));
    if !domain.contains('.') {
        errors.push(FieldError::invalid(at, domain, "should be a domain with at least two segments separated by dots"));
    }
    errors.extend(labels(path, names::dns1123_subdomain));
    if name.len() > SIGNER_MAX {
        errors.push(FieldError::too_long(at, SIGNER_MAX));
    }
    errors
}
