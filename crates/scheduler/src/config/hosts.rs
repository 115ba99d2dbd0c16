//! The parts of a KubeSchedulerConfiguration that only a real process uses: they are checked, and then nothing comes of
//! them. Models `k8s.io/component-base/config/validation`.

use super::duration::nanos;
use super::reader::{At, Reader};
use meta::FieldError;

const SECOND: i64 = 1_000_000_000;

pub(super) fn client_connection(r: &mut Reader, at: &At) {
    r.known(at, &["kubeconfig", "acceptContentTypes", "contentType", "qps", "burst"]);
    for name in ["kubeconfig", "acceptContentTypes", "contentType"] {
        r.text(&at.get(name));
    }
    let burst = at.get("burst");
    let n = r.int(&burst).unwrap_or(0);
    r.range(&burst, n, n >= 0, "must be non-negative");
}

pub(super) fn leader_election(r: &mut Reader, at: &At) {
    let names = [
        "leaderElect",
        "leaseDuration",
        "renewDeadline",
        "retryPeriod",
        "resourceLock",
        "resourceName",
        "resourceNamespace",
    ];
    r.known(at, &names);
    let elects = r.flag(&at.get("leaderElect")).unwrap_or(true);
    let mut duration = |name: &str, default: i64| {
        let at = at.get(name);
        // Nothing, and zero, is the default.
        let n = nanos(r, &at).filter(|n| *n != 0).unwrap_or(default);
        if elects && n < 0 {
            r.errors.push(FieldError::invalid(&at.1, at.0.cloned().unwrap_or_default(), "must be greater than zero"));
        }
        n
    };
    let lease = duration("leaseDuration", 15 * SECOND);
    let renew = duration("renewDeadline", 10 * SECOND);
    duration("retryPeriod", 2 * SECOND);
    if elects && lease <= renew {
        let value = at.get("renewDeadline").0.cloned().unwrap_or_else(|| "10s".into());
        let why = "LeaseDuration must be greater than RenewDeadline";
        r.errors.push(FieldError::invalid(&at.1.child("leaseDuration"), value, why));
    }
    let lock = at.get("resourceLock");
    let kind = r.text(&lock).filter(|k| !k.is_empty()).unwrap_or_else(|| "leases".into());
    if elects && kind != "leases" {
        r.errors.push(FieldError::invalid(&lock.1, kind, "resourceLock value must be \"leases\""));
    }
}
