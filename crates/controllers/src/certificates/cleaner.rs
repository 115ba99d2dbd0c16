//! certificatesigningrequest-cleaner-controller: requests that are over, or that nobody has looked at, go. Models
//! `pkg/controller/certificates/cleaner`.

use crate::owner::watch_self;
use api::Registered;
use api::kinds::certificatesigningrequest::{APPROVED, DENIED, FAILED, certificate, found};
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time as ApiTime;
use meta::{Duration, Key, Time, User};
use reconcile::{Controller, Cx, Intent, Outcome, Watch};
use trace::note;

const SETTLED: Duration = Duration::from_secs(3600);
const PENDING: Duration = Duration::from_secs(24 * 3600);
/// Upstream looks at all of them once an hour.
const ROUND: u64 = 3600;

#[derive(Clone, Default)]
pub struct Cleaner;

/// When the request may go.
fn expires_at(csr: &CertificateSigningRequest) -> Option<Time> {
    let after = |t: Option<&ApiTime>, d: Duration| Some(Time::from_k8s(t?) + d);
    let settled = |of| found(csr, of).filter_map(|c| after(c.last_update_time.as_ref(), SETTLED)).min();
    let issued = certificate(csr).filter(|_| found(csr, APPROVED).next().is_some());
    let nobody = csr.status.iter().flat_map(|s| &s.conditions).flatten().next().is_none();
    let pending = after(csr.metadata.creation_timestamp.as_ref(), PENDING).filter(|_| nobody);
    let all = [
        issued.and_then(|_| settled(APPROVED)),
        issued.and_then(pki::not_after),
        settled(DENIED),
        settled(FAILED),
        pending,
    ];
    all.into_iter().flatten().min()
}

impl Controller for Cleaner {
    const NAME: &'static str = "certificatesigningrequest-cleaner-controller";

    fn user() -> User {
        super::user()
    }

    fn watches() -> Vec<Watch> {
        vec![watch_self(CertificateSigningRequest::KIND_REF)]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        let Some(csr) = cx.view.get::<CertificateSigningRequest>(key) else { return out };
        let Some(at) = expires_at(csr) else { return out };
        if at >= cx.now {
            // At the next round after it, not at once.
            let rounds = at.since(cx.now).as_secs() / ROUND + 1;
            out.requeue(Duration::from_secs(rounds * ROUND));
            return out;
        }
        if cx.recording {
            out.note(note!("csr.clean", name = key.name()));
        }
        out.push(Intent::delete(csr));
        out
    }
}
