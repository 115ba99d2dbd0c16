//! The store against a model so simple that it is plainly right: the whole map is kept for every revision.

use proptest::prelude::*;
use std::collections::BTreeMap;
use store::lease::LeaseId;
use store::{Backend, Compare, Entry, Event, Op, Store, StoreError, Txn, TxnResult};

type V = Vec<u8>;
type Map = BTreeMap<String, Entry<V>>;
type Range = Result<Vec<(String, Entry<V>)>, StoreError>;

#[derive(Clone)]
struct Model {
    revision: u64,
    compacted: u64,
    now: Map,
    states: BTreeMap<u64, Map>,
    events: Vec<Event<V>>,
    leases: BTreeMap<LeaseId, (u64, u64)>,
    next_lease: u64,
}

impl Model {
    fn new() -> Self {
        Model {
            revision: 1,
            compacted: 1,
            now: Map::new(),
            states: BTreeMap::from([(1, Map::new())]),
            events: vec![],
            leases: BTreeMap::new(),
            next_lease: 1,
        }
    }

    fn commit(&mut self, txn: &Txn<V>) -> Result<TxnResult<V>, StoreError> {
        for (compare, c) in txn.compares.iter().enumerate() {
            let holds = match c {
                Compare::ModRevision(k, r) => self.now.get(&**k).map_or(0, |e| e.mod_revision) == *r,
                Compare::Exists(k) => self.now.contains_key(&**k),
            };
            if !holds {
                return Ok(TxnResult::Failed { compare });
            }
        }
        let unknown = |op: &Op<V>| matches!(op, Op::Put { lease: Some(l), .. } if !self.leases.contains_key(l));
        if txn.ops.iter().any(unknown) {
            return Err(StoreError::LeaseNotFound);
        }
        let revision = self.revision + 1;
        let mut events = Vec::new();
        for op in &txn.ops {
            let (key, new) = match op {
                Op::Delete { key } if !self.now.contains_key(&**key) => continue,
                Op::Delete { key } => (key, None),
                Op::Put { key, value, lease } => {
                    let old = self.now.get(&**key);
                    let entry = Entry {
                        value: value.clone(),
                        create_revision: old.map_or(revision, |o| o.create_revision),
                        mod_revision: revision,
                        version: old.map_or(0, |o| o.version) + 1,
                        lease: *lease,
                    };
                    (key, Some(entry))
                }
            };
            let old = match &new {
                Some(e) => self.now.insert(key.to_string(), e.clone()),
                None => self.now.remove(&**key),
            };
            events.push(Event { revision, key: key.clone(), new, old });
        }
        if !events.is_empty() {
            self.revision = revision;
            self.states.insert(revision, self.now.clone());
            self.events.extend(events.iter().cloned());
        }
        Ok(TxnResult::Committed { revision: self.revision, events })
    }

    fn range(&self, start: &str, end: &str, limit: usize, revision: u64) -> Range {
        let revision = if revision == 0 { self.revision } else { revision };
        if revision > self.revision {
            return Err(StoreError::FutureRevision { current: self.revision });
        }
        if revision < self.compacted {
            return Err(StoreError::Compacted { compacted: self.compacted });
        }
        let limit = if limit == 0 { usize::MAX } else { limit };
        let inside = self.states[&revision].iter().filter(|(k, _)| k.as_str() >= start && k.as_str() < end);
        Ok(inside.take(limit).map(|(k, e)| (k.clone(), e.clone())).collect())
    }

    fn events_since(&self, revision: u64) -> Result<Vec<Event<V>>, StoreError> {
        if revision < self.compacted {
            return Err(StoreError::Compacted { compacted: self.compacted });
        }
        Ok(self.events.iter().filter(|e| e.revision > revision).cloned().collect())
    }

    fn compact(&mut self, revision: u64) -> Result<(), StoreError> {
        if revision > self.revision {
            return Err(StoreError::FutureRevision { current: self.revision });
        }
        if revision < self.compacted {
            return Err(StoreError::Compacted { compacted: self.compacted });
        }
        self.compacted = revision;
        Ok(())
    }

    fn revoke(&mut self, id: LeaseId) -> Result<Vec<Event<V>>, StoreError> {
        self.leases.remove(&id).ok_or(StoreError::LeaseNotFound)?;
        let keys = self.now.iter().filter(|(_, e)| e.lease == Some(id)).map(|(k, _)| k.as_str().into());
        let ops = keys.map(|key| Op::Delete { key }).collect();
        match self.commit(&Txn { compares: vec![], ops })? {
            TxnResult::Committed { events, .. } => Ok(events),
            TxnResult::Failed { .. } => Ok(vec![]),
        }
    }
}

/// A put's value and lease, or a delete.
type Change = Option<(u8, Option<u8>)>;

/// What may happen. Revisions and leases are numbers that are folded into what there is (and a bit beyond).
#[derive(Clone, Debug)]
enum Step {
    Txn { compares: Vec<(u8, Option<u8>)>, ops: Vec<(u8, Change)> },
    Range { start: u8, end: u8, limit: usize, revision: u8 },
    Watch { revision: u8 },
    Compact { revision: u8 },
    Grant { ttl: u64 },
    KeepAlive { lease: u8 },
    Revoke { lease: u8 },
    Advance { by: u64 },
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let compares = prop::collection::vec((0..8u8, prop::option::of(any::<u8>())), 0..2);
    let op = (0..8u8, prop::option::weighted(0.7, (any::<u8>(), prop::option::weighted(0.3, 0..4u8))));
    let ops = prop::collection::vec(op, 0..4);
    prop_oneof![
        10 => (compares, ops).prop_map(|(compares, ops)| Step::Txn { compares, ops }),
        4 => (0..9u8, 0..9u8, 0..4usize, any::<u8>())
            .prop_map(|(start, end, limit, revision)| Step::Range { start, end, limit, revision }),
        3 => any::<u8>().prop_map(|revision| Step::Watch { revision }),
        1 => any::<u8>().prop_map(|revision| Step::Compact { revision }),
        1 => (0..20u64).prop_map(|ttl| Step::Grant { ttl }),
        1 => (0..4u8).prop_map(|lease| Step::KeepAlive { lease }),
        1 => (0..4u8).prop_map(|lease| Step::Revoke { lease }),
        1 => (0..10u64).prop_map(|by| Step::Advance { by }),
        1 => Just(Step::Restart),
    ]
}

fn key(n: u8) -> String {
    format!("/k/{n}")
}

/// Mostly a revision that exists, at times one too many.
fn fold(n: u8, revision: u64) -> u64 {
    u64::from(n) % (revision + 2)
}

fn owned(r: Result<Vec<(store::types::Key, Entry<V>)>, StoreError>) -> Range {
    r.map(|l| l.into_iter().map(|(k, e)| (k.to_string(), e)).collect())
}

fn txn(model: &Model, compares: Vec<(u8, Option<u8>)>, ops: Vec<(u8, Change)>) -> Txn<V> {
    let compares = compares.into_iter().map(|(k, r)| match r {
        // Mostly the true revision, so that transactions succeed.
        Some(r) if r % 4 == 0 => Compare::ModRevision(key(k).into(), fold(r, model.revision)),
        Some(_) => Compare::ModRevision(key(k).into(), model.now.get(&key(k)).map_or(0, |e| e.mod_revision)),
        None => Compare::Exists(key(k).into()),
    });
    // etcd refuses a key twice in one transaction.
    let ops: BTreeMap<u8, Change> = ops.into_iter().collect();
    let ops = ops.into_iter().map(|(k, put)| match put {
        Some((v, lease)) => {
            let lease = lease.map(|l| LeaseId(u64::from(l) + 1));
            Op::Put { key: key(k).into(), value: vec![v], lease }
        }
        None => Op::Delete { key: key(k).into() },
    });
    Txn { compares: compares.collect(), ops: ops.collect() }
}

fn run(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let (mut store, mut model, mut clock) = (Store::<V>::new(), Model::new(), 0u64);
    for s in steps {
        match s {
            Step::Txn { compares, ops } => {
                let txn = txn(&model, compares, ops);
                prop_assert_eq!(store.commit(txn.clone()), model.commit(&txn));
            }
            Step::Range { start, end, limit, revision } => {
                let r = fold(revision, model.revision);
                let (start, end) = (key(start.min(end)), key(start.max(end)));
                prop_assert_eq!(owned(store.range(&start, &end, limit, r)), model.range(&start, &end, limit, r));
            }
            Step::Watch { revision } => {
                let r = fold(revision, model.revision);
                prop_assert_eq!(store.events_since(r), model.events_since(r));
            }
            Step::Compact { revision } => {
                let r = fold(revision, model.revision);
                prop_assert_eq!(store.compact(r), model.compact(r));
            }
            Step::Grant { ttl } => {
                let id = store.grant_lease(ttl, clock);
                prop_assert_eq!(id, LeaseId(model.next_lease));
                model.leases.insert(id, (ttl, clock + ttl));
                model.next_lease += 1;
            }
            Step::KeepAlive { lease } => {
                let id = LeaseId(u64::from(lease) + 1);
                let kept = model.leases.get_mut(&id).map(|(ttl, at)| *at = clock + *ttl);
                prop_assert_eq!(store.keep_alive(id, clock), kept.ok_or(StoreError::LeaseNotFound));
            }
            Step::Revoke { lease } => {
                let id = LeaseId(u64::from(lease) + 1);
                prop_assert_eq!(store.revoke_lease(id), model.revoke(id));
            }
            Step::Advance { by } => {
                clock += by;
                let leases = model.leases.clone();
                let mut gone = Vec::new();
                for (id, _) in leases.into_iter().filter(|(_, (_, at))| *at <= clock) {
                    gone.extend(model.revoke(id).expect("a lease that is there"));
                }
                prop_assert_eq!(store.expire_leases(clock), gone);
                prop_assert_eq!(store.next_expiry(), model.leases.values().map(|(_, at)| *at).min());
            }
            Step::Restart => {
                store = Store::restore(store.snapshot());
                model.compacted = model.revision;
            }
        }
        prop_assert_eq!(store.revision(), model.revision);
        prop_assert_eq!(store.compacted_revision(), model.compacted);
        prop_assert_eq!(store.len(), model.now.len());
        for (k, e) in &model.now {
            prop_assert_eq!(store.get_ref(k), Some(e));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn behaves_as_the_model(steps in prop::collection::vec(step(), 1..80)) {
        run(steps)?;
    }
}

/// Long enough that reads of the past start from keyframes in the middle.
#[test]
fn every_kept_revision_of_a_long_history_can_be_read() {
    let (mut store, mut model) = (Store::<V>::new(), Model::new());
    for i in 0..4000u64 {
        let k: store::types::Key = key((i * 7 % 13) as u8).into();
        let op = if i % 5 == 3 { Op::Delete { key: k } } else { Op::Put { key: k, value: vec![i as u8], lease: None } };
        let txn = Txn { compares: vec![], ops: vec![op] };
        assert_eq!(store.commit(txn.clone()), model.commit(&txn));
    }
    let check = |store: &Store<V>, model: &Model| {
        for r in (1..=model.revision + 1).step_by(37).chain([model.compacted, model.compacted + 1, model.revision]) {
            assert_eq!(owned(store.range("/", "0", 0, r)), model.range("/", "0", 0, r), "revision {r}");
        }
        for r in (0..=model.revision).step_by(401) {
            assert_eq!(store.events_since(r), model.events_since(r), "events since {r}");
        }
    };
    check(&store, &model);
    for at in [1500, 2048, 2049, 3100] {
        assert_eq!(store.compact(at), model.compact(at));
        check(&store, &model);
    }
    // A clone is a checkpoint: what happens to one does not show in the other.
    let (saved, saved_model) = (store.clone(), model.clone());
    let txn = Txn { compares: vec![], ops: vec![Op::Put { key: key(1).into(), value: vec![9], lease: None }] };
    assert_eq!(store.commit(txn.clone()), model.commit(&txn));
    check(&saved, &saved_model);
    check(&store, &model);
}

#[test]
fn a_bare_store_goes_on_and_gets_its_history_back() {
    let put = |s: &mut Store<Vec<u8>>, key: &str, value: &str| {
        let op = Op::Put { key: key.into(), value: value.as_bytes().to_vec(), lease: None };
        s.commit(Txn { compares: Vec::new(), ops: vec![op] }).unwrap();
    };
    let mut live = Store::new();
    (0..3000).for_each(|i| put(&mut live, &format!("k{}", i % 7), &i.to_string()));
    let mut bare = live.bare();
    let then = live.clone();
    (3000..5000).for_each(|i| put(&mut live, &format!("k{}", i % 5), &i.to_string()));
    assert_eq!(bare.log_len(), 0);
    put(&mut bare, "k0", "3000");
    assert_eq!(bare.events_since(then.revision()).unwrap(), live.events_since(then.revision()).unwrap()[..1]);
    assert!(bare.events_since(5).is_err());
    bare.recall(&live);
    assert_eq!(bare.events_since(5).unwrap(), live.events_since(5).unwrap()[..bare.revision() as usize - 5]);
    assert_eq!(bare.range("", "z", 0, 17), then.range("", "z", 0, 17));
    assert_eq!(bare.range("", "z", 0, 0), live.range("", "z", 0, bare.revision()));
    // A later one that knows less does not take anything away.
    live.compact(4000).unwrap();
    bare.recall(&live);
    assert!(bare.events_since(5).is_ok());
}
