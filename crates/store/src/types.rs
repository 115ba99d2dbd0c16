//! The vocabulary of etcd's v3 API: keys, entries, transactions, events, errors.

use crate::lease::LeaseId;
use std::fmt;
use std::sync::Arc;

/// A key, `/registry/pods/default/web`; shared because history mentions it often.
pub type Key = Arc<str>;

/// What is kept under a key. `stamp` is called once at commit with the new revision, so that an object
/// carries its own `resourceVersion`.
pub trait Value: Clone {
    fn stamp(&mut self, revision: u64);
}

impl Value for Vec<u8> {
    fn stamp(&mut self, _: u64) {}
}

/// A key's present state.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Entry<V> {
    pub value: V,
    pub create_revision: u64,
    pub mod_revision: u64,
    /// Counts writes since creation, from 1.
    pub version: u64,
    pub lease: Option<LeaseId>,
}

/// A guard of a transaction.
#[derive(Clone, Debug, PartialEq)]
pub enum Compare {
    /// The key's mod revision is this; 0 means that the key does not exist.
    ModRevision(Key, u64),
    /// The key exists.
    Exists(Key),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Op<V> {
    Put { key: Key, value: V, lease: Option<LeaseId> },
    Delete { key: Key },
}

/// All ops happen, at one revision, if every compare holds; otherwise none.
#[derive(Clone, Debug, PartialEq)]
pub struct Txn<V> {
    pub compares: Vec<Compare>,
    pub ops: Vec<Op<V>>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TxnResult<V> {
    /// The events in the order of the ops; deletes of absent keys make none.
    Committed { revision: u64, events: Vec<Event<V>> },
    /// The first compare that did not hold, by its position.
    Failed { compare: usize },
}

/// One change of one key.
#[derive(Clone, Debug, PartialEq)]
pub struct Event<V> {
    pub revision: u64,
    pub key: Key,
    /// `None`: deleted.
    pub new: Option<Entry<V>>,
    /// `None`: created.
    pub old: Option<Entry<V>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// The revision was compacted; `compacted` is the oldest that can still be asked for.
    Compacted {
        compacted: u64,
    },
    FutureRevision {
        current: u64,
    },
    LeaseNotFound,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StoreError::Compacted { .. } => "etcdserver: mvcc: required revision has been compacted",
            StoreError::FutureRevision { .. } => "etcdserver: mvcc: required revision is a future revision",
            StoreError::LeaseNotFound => "etcdserver: requested lease not found",
        })
    }
}
impl std::error::Error for StoreError {}

/// What the API server asks of storage. In memory a commit is immediate; a durable backend acknowledges
/// after its fsync; etcd after its quorum.
pub trait Backend<V> {
    fn revision(&self) -> u64;
    fn get(&self, key: &str) -> Option<Entry<V>>;
    /// Entries with `start <= key < end` in key order, at most `limit` (0: all), at `revision` (0: now).
    fn range(&self, start: &str, end: &str, limit: usize, revision: u64) -> Result<Vec<(Key, Entry<V>)>, StoreError>;
    fn commit(&mut self, txn: Txn<V>) -> Result<TxnResult<V>, StoreError>;
    /// Events after `revision`, oldest first.
    fn events_since(&self, revision: u64) -> Result<Vec<Event<V>>, StoreError>;
    fn compact(&mut self, revision: u64) -> Result<(), StoreError>;
}
