//! The in-memory backend.

use crate::lease::{Lease, LeaseId};
use crate::types::{Backend, Compare, Entry, Event, Key, Op, StoreError, Txn, TxnResult, Value};
use imbl::{OrdMap, Vector};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A keyframe of the whole map is kept every so many revisions, or every so many as there are keys when these are
/// more; a past range starts from the nearest one and applies the events since. The writes after a keyframe copy what
/// they touch of the map, so keyframes at a fixed distance would hold many copies of a large one.
const KEYFRAME_EVERY: u64 = 1024;

type Map<V> = OrdMap<Key, Entry<V>>;

#[derive(Clone)]
pub struct Store<V: Clone> {
    revision: u64,
    /// Revisions up to and including this one are gone, except that the state *at* it is known.
    compacted: u64,
    now: Map<V>,
    /// Every event after `compacted`, in order.
    log: Vector<Event<V>>,
    /// Whole maps at some revisions, oldest first; the first is at `compacted` or before the first event.
    keyframes: Vector<(u64, Map<V>)>,
    leases: OrdMap<LeaseId, Lease>,
    next_lease: u64,
    /// The earliest end of a lease: asked for at every turn of a cluster.
    next_expiry: Option<u64>,
}

/// A store as data: what a checkpoint file holds. History is not part of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot<V> {
    pub revision: u64,
    pub entries: Vec<(Key, Entry<V>)>,
    pub leases: Vec<(LeaseId, Lease)>,
    pub next_lease: u64,
}

impl<V: Value> Default for Store<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V: Value> Store<V> {
    /// An empty store at revision 1, as a new etcd is.
    pub fn new() -> Self {
        Store {
            revision: 1,
            compacted: 1,
            now: OrdMap::new(),
            log: Vector::new(),
            keyframes: Vector::unit((1, OrdMap::new())),
            leases: OrdMap::new(),
            next_lease: 1,
            next_expiry: None,
        }
    }

    /// The oldest revision whose state can still be read.
    pub fn compacted_revision(&self) -> u64 {
        self.compacted
    }
    /// Events of history that are kept.
    pub fn log_len(&self) -> usize {
        self.log.len()
    }
    /// Keys that exist now.
    pub fn len(&self) -> usize {
        self.now.len()
    }
    pub fn is_empty(&self) -> bool {
        self.now.is_empty()
    }
    /// The present entry without copying it.
    pub fn get_ref(&self, key: &str) -> Option<&Entry<V>> {
        self.now.get(key)
    }
    /// The present entries of `[start, end)` without copying them.
    pub fn iter_range<'a>(&'a self, start: &str, end: &str) -> impl Iterator<Item = (&'a Key, &'a Entry<V>)> {
        self.now.range::<_, str>((std::ops::Bound::Included(start), std::ops::Bound::Excluded(end)))
    }
    /// Events after `revision` without copying them.
    pub fn iter_events_since(&self, revision: u64) -> Result<impl Iterator<Item = &Event<V>>, StoreError> {
        if revision < self.compacted {
            return Err(StoreError::Compacted { compacted: self.compacted });
        }
        Ok(self.log.iter().skip(self.first_after(revision)))
    }

    /// The log position of the first event after `revision`. (An event's revision never falls.)
    fn first_after(&self, revision: u64) -> usize {
        let (mut lo, mut hi) = (0, self.log.len());
        while lo < hi {
            let mid = (lo + hi) / 2;
            if self.log[mid].revision <= revision { lo = mid + 1 } else { hi = mid }
        }
        lo
    }

    /// The whole map as it was at `revision`.
    fn at(&self, revision: u64) -> Result<Map<V>, StoreError> {
        if revision > self.revision {
            return Err(StoreError::FutureRevision { current: self.revision });
        }
        if revision < self.compacted {
            return Err(StoreError::Compacted { compacted: self.compacted });
        }
        if revision == self.revision {
            return Ok(self.now.clone());
        }
        let nearest = self.keyframes.iter().rev().find(|(r, _)| *r <= revision);
        let (from, mut map) = nearest.cloned().ok_or(StoreError::Compacted { compacted: self.compacted })?;
        for e in self.log.iter().skip(self.first_after(from)).take_while(|e| e.revision <= revision) {
            apply(&mut map, e);
        }
        Ok(map)
    }

    pub fn grant_lease(&mut self, ttl_micros: u64, now_micros: u64) -> LeaseId {
        let id = LeaseId(self.next_lease);
        self.next_lease += 1;
        let expires_at = now_micros.saturating_add(ttl_micros);
        self.leases.insert(id, Lease { ttl: ttl_micros, expires_at });
        self.next_expiry = Some(self.next_expiry.map_or(expires_at, |t| t.min(expires_at)));
        id
    }
    pub fn keep_alive(&mut self, id: LeaseId, now_micros: u64) -> Result<(), StoreError> {
        let lease = self.leases.get_mut(&id).ok_or(StoreError::LeaseNotFound)?;
        lease.expires_at = now_micros.saturating_add(lease.ttl);
        self.find_next_expiry();
        Ok(())
    }
    /// When the next lease runs out.
    pub fn next_expiry(&self) -> Option<u64> {
        self.next_expiry
    }
    fn find_next_expiry(&mut self) {
        self.next_expiry = self.leases.values().map(|l| l.expires_at).min();
    }
    /// Deletes the keys of every lease that has run out, each lease in one transaction.
    pub fn expire_leases(&mut self, now_micros: u64) -> Vec<Event<V>> {
        if self.next_expiry.is_none_or(|t| t > now_micros) {
            return Vec::new();
        }
        let due = self.leases.iter().filter(|(_, l)| l.expires_at <= now_micros);
        let mut due: BTreeMap<LeaseId, Vec<Op<V>>> = due.map(|(id, _)| (*id, Vec::new())).collect();
        for (key, e) in &self.now {
            if let Some(ops) = e.lease.and_then(|id| due.get_mut(&id)) {
                ops.push(Op::Delete { key: key.clone() });
            }
        }
        let mut gone = Vec::new();
        for (id, ops) in due {
            self.leases.remove(&id);
            // Deletes without compares cannot be refused.
            if let Ok(TxnResult::Committed { mut events, .. }) = self.commit(Txn { compares: Vec::new(), ops }) {
                gone.append(&mut events);
            }
        }
        self.find_next_expiry();
        gone
    }
    pub fn revoke_lease(&mut self, id: LeaseId) -> Result<Vec<Event<V>>, StoreError> {
        self.leases.remove(&id).ok_or(StoreError::LeaseNotFound)?;
        self.find_next_expiry();
        let ops =
            self.now.iter().filter(|(_, e)| e.lease == Some(id)).map(|(k, _)| Op::Delete { key: k.clone() }).collect();
        match self.commit(Txn { compares: Vec::new(), ops })? {
            TxnResult::Committed { events, .. } => Ok(events),
            TxnResult::Failed { .. } => Ok(Vec::new()),
        }
    }

    /// Puts another value in the place of a present one, as if it had always been there: for copies that somebody looks at.
    pub fn disguise(&mut self, key: &str, value: V) {
        if let Some(entry) = self.now.get_mut(key) {
            entry.value = value;
        }
    }

    /// The same without its history: everything before the present revision is compacted.
    #[must_use]
    pub fn bare(&self) -> Self {
        Store {
            revision: self.revision,
            compacted: self.revision,
            now: self.now.clone(),
            log: Vector::new(),
            keyframes: Vector::unit((self.revision, self.now.clone())),
            leases: self.leases.clone(),
            next_lease: self.next_lease,
            next_expiry: self.next_expiry,
        }
    }

    /// Brings back what [`Store::bare`] left behind, as far as `later`, a later state of the same history, has it.
    pub fn recall(&mut self, later: &Store<V>) {
        if later.compacted >= self.compacted {
            return;
        }
        self.log = later.log.take(later.first_after(self.revision));
        self.keyframes = later.keyframes.iter().filter(|(r, _)| *r <= self.revision).cloned().collect();
        self.compacted = later.compacted;
    }

    pub fn snapshot(&self) -> Snapshot<V> {
        Snapshot {
            revision: self.revision,
            entries: self.now.iter().map(|(k, e)| (k.clone(), e.clone())).collect(),
            leases: self.leases.iter().map(|(k, l)| (*k, *l)).collect(),
            next_lease: self.next_lease,
        }
    }

    /// History before the snapshot is compacted: older watches get [`StoreError::Compacted`].
    pub fn restore(s: Snapshot<V>) -> Self {
        let now: Map<V> = s.entries.into_iter().collect();
        let leases: OrdMap<LeaseId, Lease> = s.leases.into_iter().collect();
        Store {
            revision: s.revision,
            compacted: s.revision,
            keyframes: Vector::unit((s.revision, now.clone())),
            now,
            log: Vector::new(),
            next_expiry: leases.values().map(|l| l.expires_at).min(),
            leases,
            next_lease: s.next_lease,
        }
    }
}

fn apply<V: Clone>(map: &mut Map<V>, e: &Event<V>) {
    match &e.new {
        Some(entry) => map.insert(e.key.clone(), entry.clone()),
        None => map.remove(&e.key),
    };
}

impl<V: Value> Backend<V> for Store<V> {
    fn revision(&self) -> u64 {
        self.revision
    }

    fn get(&self, key: &str) -> Option<Entry<V>> {
        self.get_ref(key).cloned()
    }

    fn range(&self, start: &str, end: &str, limit: usize, revision: u64) -> Result<Vec<(Key, Entry<V>)>, StoreError> {
        let past;
        let map = if revision == 0 || revision == self.revision {
            &self.now
        } else {
            past = self.at(revision)?;
            &past
        };
        let limit = if limit == 0 { usize::MAX } else { limit };
        let bounds = (std::ops::Bound::Included(start), std::ops::Bound::Excluded(end));
        Ok(map.range::<_, str>(bounds).take(limit).map(|(k, e)| (k.clone(), e.clone())).collect())
    }

    fn commit(&mut self, txn: Txn<V>) -> Result<TxnResult<V>, StoreError> {
        for (i, c) in txn.compares.iter().enumerate() {
            let holds = match c {
                Compare::ModRevision(k, rev) => self.now.get(&**k).map_or(0, |e| e.mod_revision) == *rev,
                Compare::Exists(k) => self.now.contains_key(&**k),
            };
            if !holds {
                return Ok(TxnResult::Failed { compare: i });
            }
        }
        for op in &txn.ops {
            if let Op::Put { lease: Some(id), .. } = op
                && !self.leases.contains_key(id)
            {
                return Err(StoreError::LeaseNotFound);
            }
        }
        let revision = self.revision + 1;
        let mut events = Vec::with_capacity(txn.ops.len());
        for op in txn.ops {
            match op {
                Op::Put { key, mut value, lease } => {
                    value.stamp(revision);
                    let mut new = Entry { value, create_revision: revision, mod_revision: revision, version: 1, lease };
                    let old = match self.now.get_mut(&*key) {
                        Some(place) => {
                            new.create_revision = place.create_revision;
                            new.version = place.version + 1;
                            Some(std::mem::replace(place, new.clone()))
                        }
                        None => self.now.insert(key.clone(), new.clone()),
                    };
                    events.push(Event { revision, key, new: Some(new), old });
                }
                Op::Delete { key } => {
                    if let Some(old) = self.now.remove(&*key) {
                        events.push(Event { revision, key, new: None, old: Some(old) });
                    }
                }
            }
        }
        // As etcd: a transaction that changes nothing makes no revision.
        if !events.is_empty() {
            self.revision = revision;
            self.log.extend(events.iter().cloned());
            let distance = KEYFRAME_EVERY.max(self.now.len() as u64);
            if self.keyframes.last().is_none_or(|(r, _)| revision >= r + distance) {
                self.keyframes.push_back((revision, self.now.clone()));
            }
        }
        Ok(TxnResult::Committed { revision: self.revision, events })
    }

    fn events_since(&self, revision: u64) -> Result<Vec<Event<V>>, StoreError> {
        Ok(self.iter_events_since(revision)?.cloned().collect())
    }

    fn compact(&mut self, revision: u64) -> Result<(), StoreError> {
        if revision <= self.compacted {
            return if revision == self.compacted {
                Ok(())
            } else {
                Err(StoreError::Compacted { compacted: self.compacted })
            };
        }
        let base = self.at(revision)?;
        let keep = self.first_after(revision);
        self.log = self.log.split_off(keep);
        self.keyframes = std::iter::once((revision, base))
            .chain(self.keyframes.iter().filter(|(r, _)| *r > revision).cloned())
            .collect();
        self.compacted = revision;
        Ok(())
    }
}
