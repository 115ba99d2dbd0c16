//! etcd's model in memory: one global revision, per-key create and mod revisions and versions, ranges,
//! compare-and-put transactions, watches from any kept revision, compaction, leases, snapshot and restore.
//!
//! State is persistent (shared structure): cloning a [`Store`] is a few pointers, so checkpoints and
//! branches of a whole session are cheap. [`Backend`] is what the API server needs; real etcd can
//! stand behind it.

pub mod lease;
pub mod mem;
pub mod types;

pub use lease::LeaseId;
pub use mem::{Snapshot, Store};
pub use types::{Backend, Compare, Entry, Event, Op, StoreError, Txn, TxnResult, Value};
