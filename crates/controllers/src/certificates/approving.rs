//! certificatesigningrequest-approving-controller: a kubelet's request for its client certificate is approved when whoever asks
//! may have one. Models `pkg/controller/certificates/approver/sarapprove.go`.

use crate::owner::watch_self;
use api::kinds::certificatesigningrequest::{APPROVED, DENIED, KUBELET_CLIENT, certificate, found};
use api::{ObjectExt, Registered};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use k8s_openapi::api::certificates::v1::{CertificateSigningRequest, CertificateSigningRequestCondition as Condition};
use meta::{Duration, Key, Time, User};
use reconcile::{Controller, Cx, Intent, Outcome, Reply, Watch};
use serde_json::json;
use std::collections::BTreeMap;
use trace::note;

/// The work queue's `ItemExponentialFailureRateLimiter`: between asking once and asking again.
const RETRY_MIN: Duration = Duration::from_millis(200);
const RETRY_MAX: Duration = Duration::from_secs(1000);
const OWN: &str = "selfnodeclient";
const ANY: &str = "nodeclient";

#[derive(Clone, Default)]
pub struct Approving {
    answers: BTreeMap<Key, Answer>,
    /// What the questions of this turn are about.
    asked: Vec<&'static str>,
}

/// What the API server said of a request.
#[derive(Clone, Copy)]
struct Answer {
    /// `None`: whoever asks may not.
    permission: Option<&'static str>,
    times_asked: u32,
    ask_again: Time,
}

/// The permissions of which one is enough. Nothing for requests of other kinds.
fn permissions(csr: &CertificateSigningRequest) -> Vec<&'static str> {
    let settled = certificate(csr).is_some() || [APPROVED, DENIED].iter().any(|of| found(csr, of).next().is_some());
    if settled || csr.spec.signer_name != KUBELET_CLIENT {
        return Vec::new();
    }
    let Ok(request) = pki::Request::parse(&csr.spec.request.0) else { return Vec::new() };
    if super::check_kubelet_client(&request, &super::usages(csr)).is_err() {
        return Vec::new();
    }
    let own = csr.spec.username.as_deref() == Some(request.common_name.as_str());
    if own { vec![OWN, ANY] } else { vec![ANY] }
}

fn question(csr: &CertificateSigningRequest, permission: &str) -> SubjectAccessReview {
    let attributes = ResourceAttributes {
        group: Some("certificates.k8s.io".into()),
        resource: Some("certificatesigningrequests".into()),
        subresource: Some(permission.into()),
        verb: Some("create".into()),
        ..Default::default()
    };
    let s = &csr.spec;
    SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            user: s.username.clone(),
            uid: s.uid.clone(),
            groups: s.groups.clone(),
            extra: s.extra.clone(),
            resource_attributes: Some(attributes),
            ..Default::default()
        },
        ..Default::default()
    }
}

impl Controller for Approving {
    const NAME: &'static str = "certificatesigningrequest-approving-controller";
    const EVENT_SOURCE: &'static str = "csrapproving";

    fn user() -> User {
        super::user()
    }

    fn watches() -> Vec<Watch> {
        vec![watch_self(CertificateSigningRequest::KIND_REF)]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        self.asked.clear();
        let csr = cx.view.get::<CertificateSigningRequest>(key);
        let permissions = csr.map(permissions).unwrap_or_default();
        let (Some(csr), false) = (csr, permissions.is_empty()) else {
            self.answers.remove(key);
            return out;
        };
        let answer = self.answers.get(key).copied();
        let Some(permission) = answer.and_then(|a| a.permission) else {
            match answer.filter(|a| a.ask_again > cx.now) {
                Some(a) => out.requeue(a.ask_again.since(cx.now)),
                None => {
                    out.intents.extend(permissions.iter().map(|p| Intent::create(question(csr, p))));
                    self.asked = permissions;
                    // The answers come before that look.
                    out.enqueue.push(key.clone());
                }
            }
            return out;
        };
        self.answers.remove(key);
        if cx.recording {
            out.note(note!("csr.approve", name = key.name(), permission = permission));
        }
        let own = if permission == OWN { "self " } else { "" };
        let approved = Condition {
            type_: APPROVED.into(),
            status: "True".into(),
            reason: Some("AutoApproved".into()),
            message: Some(format!("Auto approving {own}kubelet client certificate after SubjectAccessReview.")),
            ..Default::default()
        };
        let before = csr.status.as_ref().and_then(|s| s.conditions.clone()).unwrap_or_default();
        let conditions: Vec<Condition> = before.into_iter().chain([approved]).collect();
        let object: &dyn api::Object = csr;
        let patch = json!({
            "metadata": {"uid": object.uid(), "resourceVersion": object.meta().resource_version},
            "status": {"conditions": conditions},
        });
        out.push(Intent::patch(CertificateSigningRequest::KIND_REF, key.clone(), "approval", patch));
        out
    }

    fn settled(&mut self, cx: &Cx, key: &Key, replies: &[Reply]) {
        if self.asked.is_empty() {
            return;
        }
        let allowed = |reply: &Reply| {
            let review = reply.as_ref().ok()?.as_ref()?.downcast::<SubjectAccessReview>()?.status.as_ref()?;
            Some(review.allowed)
        };
        let permission = self.asked.iter().zip(replies).find(|(_, r)| allowed(r) == Some(true)).map(|(p, _)| *p);
        let times_asked = self.answers.get(key).map_or(0, |a| a.times_asked);
        let pause = Duration(RETRY_MIN.0 << times_asked.min(20)).min(RETRY_MAX);
        let answer = Answer { permission, times_asked: times_asked + 1, ask_again: cx.now + pause };
        self.answers.insert(key.clone(), answer);
        self.asked.clear();
    }
}
