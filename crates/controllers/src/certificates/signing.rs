//! certificatesigningrequest-signing-controller: signs what was approved, for the four signers that Kubernetes itself is. Models
//! `pkg/controller/certificates/signer/signer.go`.

use crate::owner::watch_self;
use api::Registered;
use api::kinds::certificatesigningrequest::{
    APPROVED, CLIENT, DENIED, FAILED, KUBELET_CLIENT, KUBELET_SERVING, LEGACY, certificate, found,
};
use k8s_openapi::ByteString;
use k8s_openapi::api::certificates::v1::{CertificateSigningRequest, CertificateSigningRequestCondition as Condition};
use meta::{Duration, Key, Time, User};
use pki::{Authority, Wanted};
use reconcile::{Controller, Cx, Intent, Outcome, Watch};
use std::sync::Arc;
use trace::note;

/// `--cluster-signing-duration`.
const DURATION: Duration = Duration::from_secs(365 * 24 * 3600);
const DURATION_MIN: Duration = Duration::from_secs(600);
/// Clocks differ, so certificates begin earlier than now. Of short ones this is not taken from their life.
const BACKDATE: Duration = Duration::from_secs(300);
const SHORT: Duration = Duration::from_secs(8 * 3600);

#[derive(Clone, Default)]
pub struct Signing {
    authority: Option<Arc<Authority>>,
}

impl Signing {
    pub fn new(authority: Arc<Authority>) -> Self {
        Signing { authority: Some(authority) }
    }
}

/// Models `duration`.
fn duration(csr: &CertificateSigningRequest) -> Duration {
    let asked = csr.spec.expiration_seconds.and_then(|s| u64::try_from(s).ok()).map(Duration::from_secs);
    asked.map_or(DURATION, |d| d.clamp(DURATION_MIN, DURATION))
}

/// Models `validAPIServerClientUsages`.
fn check_client(csr: &CertificateSigningRequest) -> Result<(), String> {
    let usages = csr.spec.usages.as_deref().unwrap_or_default();
    let odd = usages.iter().find(|u| !matches!(u.as_str(), "digital signature" | "key encipherment" | "client auth"));
    if let Some(usage) = odd {
        return Err(format!("invalid usage for client certificate: {usage}"));
    }
    if !usages.iter().any(|u| u == "client auth") {
        return Err("missing required usage for client certificate: client auth".into());
    }
    Ok(())
}

/// Whether the signer signs such a request; `None`: the signer is somebody else.
fn check(csr: &CertificateSigningRequest, request: &pki::Request) -> Option<Result<(), String>> {
    Some(match csr.spec.signer_name.as_str() {
        CLIENT => check_client(csr),
        KUBELET_CLIENT => super::check_kubelet_client(request, &super::usages(csr)),
        KUBELET_SERVING => super::check_kubelet_serving(request, &super::usages(csr)),
        LEGACY => Ok(()),
        _ => return None,
    })
}

fn wanted<'a>(csr: &'a CertificateSigningRequest, now: Time) -> Wanted<'a> {
    let life = duration(csr);
    let not_before = now - BACKDATE;
    let from = if life < SHORT { now } else { not_before };
    let serial_of = csr.metadata.uid.as_deref().unwrap_or("").as_bytes();
    Wanted { usages: csr.spec.usages.as_deref().unwrap_or_default(), not_before, not_after: from + life, serial_of }
}

impl Controller for Signing {
    const NAME: &'static str = "certificatesigningrequest-signing-controller";
    const EVENT_SOURCE: &'static str = "csrsigning";

    fn user() -> User {
        super::user()
    }

    fn anew(&self) -> Self {
        self.clone()
    }

    fn watches() -> Vec<Watch> {
        vec![watch_self(CertificateSigningRequest::KIND_REF)]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        let Some(csr) = cx.view.get::<CertificateSigningRequest>(key) else { return out };
        let has = |of| found(csr, of).any(|c| c.status == "True");
        if certificate(csr).is_some() || !has(APPROVED) || has(DENIED) || has(FAILED) {
            return out;
        }
        let (Some(authority), Ok(request)) = (&self.authority, pki::Request::parse(&csr.spec.request.0)) else {
            return out;
        };
        let Some(checked) = check(csr, &request) else { return out };
        let mut new = csr.clone();
        let status = new.status.get_or_insert_default();
        match checked {
            Err(message) => {
                if cx.recording {
                    out.note(note!("csr.fail", name = key.name(), why = message.as_str()));
                }
                status.conditions.get_or_insert_default().push(Condition {
                    type_: FAILED.into(),
                    status: "True".into(),
                    reason: Some("SignerValidationFailure".into()),
                    message: Some(message),
                    last_update_time: Some(cx.now.to_k8s()),
                    ..Default::default()
                });
            }
            Ok(()) => match authority.sign(&request, &wanted(csr, cx.now)) {
                Ok(pem) => {
                    if cx.recording {
                        let signer = csr.spec.signer_name.as_str();
                        out.note(note!("csr.sign", name = key.name(), signer = signer));
                    }
                    status.certificate = Some(ByteString(pem.into_bytes()));
                }
                // Upstream logs it and tries again; nothing that a retry sees would be different.
                Err(why) => {
                    if cx.recording {
                        out.note(note!("csr.fail", name = key.name(), why = why));
                    }
                    return out;
                }
            },
        }
        out.push(Intent::update_status(new));
        out
    }
}
