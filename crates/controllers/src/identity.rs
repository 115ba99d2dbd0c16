//! What kube-apiserver does to be known: a Lease in kube-system that it renews, and the end of those whose server is gone. Models
//! `apiserver/pkg/server` (`APIServerID`) and `pkg/controlplane/controller/{apiserverleasegc, leaderelection}`.

use crate::definitions::{PROCESS, user};
use api::{ObjectExt, Registered};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{Duration, Key, Time, User};
use reconcile::{Change, Controller, Cx, Intent, Outcome, Watch};
use sha2::{Digest, Sha256};

const NAMESPACE: &str = "kube-system";
/// `apiserver.kubernetes.io/identity`: whose identity it is.
const IDENTITY: &str = "apiserver.kubernetes.io/identity";
const HOSTNAME: &str = "control-plane";
/// `IdentityLeaseDurationSeconds`
const DURATION_SECONDS: i32 = 3600;
/// `IdentityLeaseRenewIntervalSeconds`
const RENEW_EVERY: Duration = Duration::from_secs(10);
/// `IdentityLeaseGCPeriod`
const GC_EVERY: u64 = 3600;

/// The server's name: made of its host's and its program's.
pub fn name() -> String {
    let mut hash = Sha256::new();
    for part in [HOSTNAME, PROCESS] {
        hash.update(u16::try_from(part.len()).unwrap_or(0).to_be_bytes());
        hash.update(part);
    }
    format!("apiserver-{}", base32(&hash.finalize()[..16]))
}

/// RFC 4648 in lower case, without padding.
fn base32(bytes: &[u8]) -> String {
    let (mut out, mut held, mut bits) = (String::new(), 0_u32, 0);
    let digit = |n: u32| char::from(b"abcdefghijklmnopqrstuvwxyz234567"[(n & 31) as usize]);
    for b in bytes {
        (held, bits) = (held << 8 | u32::from(*b), bits + 8);
        while bits >= 5 {
            bits -= 5;
            out.push(digit(held >> bits));
            held &= (1 << bits) - 1;
        }
    }
    if bits > 0 {
        out.push(digit(held << (5 - bits)));
    }
    out
}

/// The Lease of a server that has just begun; `run` tells this run from the one before.
pub fn lease(run: &str, now: Time) -> Lease {
    let labels = [(IDENTITY, PROCESS), ("kubernetes.io/hostname", HOSTNAME)];
    Lease {
        metadata: ObjectMeta {
            name: Some(name()),
            namespace: Some(NAMESPACE.into()),
            labels: Some(labels.map(|(k, v)| (k.into(), v.into())).into()),
            ..Default::default()
        },
        spec: Some(LeaseSpec {
            holder_identity: Some(format!("{}_{run}", name())),
            lease_duration_seconds: Some(DURATION_SECONDS),
            renew_time: Some(now.to_k8s_micro()),
            ..Default::default()
        }),
    }
}

fn is_identity(o: &Lease) -> bool {
    let label = o.metadata.labels.as_ref().and_then(|l| l.get(IDENTITY));
    label.is_some_and(|v| v == PROCESS) && o.metadata.namespace.as_deref() == Some(NAMESPACE)
}

fn identity_changed(_: &Cx, change: &Change, keys: &mut Vec<Key>) {
    if change.key.namespace() == NAMESPACE
        && change.old.iter().chain(&change.new).filter_map(|o| o.downcast::<Lease>()).any(is_identity)
    {
        keys.push(change.key.clone());
    }
}

/// When it has run out; `None`: it says nothing of it, and is taken for one that has.
fn expiry(o: &Lease) -> Option<Time> {
    let spec = o.spec.as_ref()?;
    let seconds = u64::try_from(spec.lease_duration_seconds?).unwrap_or(0);
    Some(Time::from_k8s_micro(spec.renew_time.as_ref()?) + Duration::from_secs(seconds))
}

#[derive(Clone, Default)]
pub struct Identity {
    /// As it was when it was seen last: should somebody delete it, the server still has its name.
    own: Option<Lease>,
}

impl Controller for Identity {
    const NAME: &'static str = "apiserver-identity";
    const PROCESS: &'static str = PROCESS;

    fn user() -> User {
        user()
    }
    fn watches() -> Vec<Watch> {
        vec![Watch { kind: Lease::KIND_REF, keys: identity_changed }]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        let found = cx.view.get::<Lease>(key);
        if key.name() != name() {
            let Some(other) = found.filter(|o| is_identity(o)) else { return out };
            match expiry(other).filter(|at| *at >= cx.now) {
                None => out.push(Intent::delete(other)),
                // It is looked for once in an hour.
                Some(at) => {
                    let round = Time::from_secs((at.as_secs() / GC_EVERY + 1) * GC_EVERY);
                    out.requeue(round.since(cx.now));
                }
            }
            return out;
        }
        let Some(own) = found else {
            // Models `backoffEnsureLease`.
            if let Some(mut own) = self.own.clone() {
                own.metadata.resource_version = None;
                own.metadata.uid = None;
                own.spec.get_or_insert_default().renew_time = Some(cx.now.to_k8s_micro());
                out.push(Intent::create(own));
            }
            return out;
        };
        let renewed = own.spec.as_ref().and_then(|s| s.renew_time.as_ref()).map(Time::from_k8s_micro);
        match renewed.map(|at| at + RENEW_EVERY).filter(|at| *at > cx.now) {
            Some(at) => out.requeue(at.since(cx.now)),
            None => {
                let mut new = own.clone();
                new.spec.get_or_insert_default().renew_time = Some(cx.now.to_k8s_micro());
                out.push(Intent::update(new));
                out.requeue(RENEW_EVERY);
            }
        }
        self.own = Some(own.clone());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, at};
    use serde_json::json;

    #[test]
    fn names_are_made_as_upstream_makes_them() {
        assert_eq!(base32(b"foobar"), "mzxw6ytboi");
        assert_eq!(name(), "apiserver-6vzvajxlkf7lcarzgdc4jnyaru");
    }

    fn of(name: &str, renewed: u64) -> serde_json::Value {
        json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
               "metadata": {"name": name, "namespace": "kube-system", "labels": {IDENTITY: PROCESS}},
               "spec": {"holderIdentity": name, "leaseDurationSeconds": 3600, "renewTime": at(renewed).to_k8s_micro()}})
    }

    #[test]
    fn the_servers_lease_is_renewed_and_made_again() {
        let mut w = World::<Identity>::default();
        let key = format!("kube-system/{}", name());
        assert_eq!(w.put(of(&name(), 0)).len(), 1);
        assert!(w.acts(&key).starts_with("requeue after"));
        w.now = at(10);
        assert!(w.acts(&key).starts_with("update leases kube-system/apiserver-"));
        w.delete("coordination.k8s.io/v1", "Lease", &key);
        assert!(w.acts(&key).starts_with("create leases kube-system/apiserver-"));
    }

    #[test]
    fn the_lease_of_a_server_that_is_gone_ends() {
        let mut w = World::<Identity>::default();
        w.put(of("apiserver-other", 0));
        w.now = at(3600);
        assert!(w.acts("kube-system/apiserver-other").starts_with("requeue after"));
        w.now = at(3601);
        assert_eq!(w.acts("kube-system/apiserver-other"), "delete leases kube-system/apiserver-other\n");
        // Leases of others are none of its business.
        let mut kubelets = of("node-1", 0);
        kubelets["metadata"]["labels"] = json!({});
        assert!(w.put(kubelets).is_empty());
    }
}
