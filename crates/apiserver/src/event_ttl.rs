//! Events do not stay: each is written under a lease of an hour (`--event-ttl`). Models the TTLFunc of
//! `pkg/registry/core/event/storage` and `apiserver/pkg/storage/etcd3/lease_manager.go`.

use crate::stored::Stored;
use meta::{Duration, Time};
use store::{LeaseId, Op, Store, Txn};

/// `--event-ttl`.
const TTL: Duration = Duration::from_secs(60 * 60);
/// Objects written within so long share a lease, which therefore lasts so much longer.
const REUSE: Duration = Duration::from_secs(60);
/// `--lease-max-object-count`.
const MAX_OBJECTS: u32 = 1000;

/// The lease in use. Lost with the process, as upstream's is: the next event then gets a new one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Current {
    id: LeaseId,
    expires: Time,
    objects: u32,
}

/// Puts the Events that `txn` writes under a lease; an update starts the hour anew.
pub(crate) fn attach(current: &mut Option<Current>, txn: &mut Txn<Stored>, store: &mut Store<Stored>, now: Time) {
    for op in &mut txn.ops {
        if let Op::Put { value, lease, .. } = op
            && value.0.kind() == &api::kinds::event::KIND
        {
            *lease = Some(get_lease(current, store, now));
        }
    }
}

/// Models `leaseManager.GetLease`.
fn get_lease(current: &mut Option<Current>, store: &mut Store<Stored>, now: Time) -> LeaseId {
    if let Some(c) = current {
        let lasts = now + TTL < c.expires && now + TTL + REUSE > c.expires;
        c.objects += 1;
        if lasts && c.objects <= MAX_OBJECTS {
            return c.id;
        }
    }
    let ttl = TTL + REUSE;
    let id = store.grant_lease(ttl.as_micros(), now.as_micros());
    *current = Some(Current { id, expires: now + ttl, objects: 1 });
    id
}
