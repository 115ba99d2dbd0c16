//! The trace as a bounded log with a running hash over everything that was ever written to it.

use crate::entry::{Entry, Seq, What};
use meta::Time;
use std::collections::VecDeque;
use std::sync::Arc;

/// The log keeps the newest entries; the hash covers all of them, so two runs can be compared.
#[derive(Clone, Debug)]
pub struct Trace {
    entries: VecDeque<Arc<Entry>>,
    next: Seq,
    keep: usize,
    hash: u64,
    hashing: bool,
}

impl Trace {
    /// Keeps the newest `keep` entries; hashing costs a serialization per entry, so it can be off.
    pub fn new(keep: usize, hashing: bool) -> Self {
        Trace { entries: VecDeque::new(), next: 1, keep, hash: 0xcbf2_9ce4_8422_2325, hashing }
    }

    /// Whether entries are kept or hashed. When not, [`Trace::skip`] numbers them, and nobody need make them.
    pub fn is_on(&self) -> bool {
        self.hashing || self.keep > 0
    }

    /// The number of an entry that nobody will see.
    pub fn skip(&mut self) -> Seq {
        self.next += 1;
        self.next - 1
    }

    pub fn push(&mut self, time: Time, cause: Seq, actor: &Arc<str>, what: What) -> Seq {
        let seq = self.next;
        self.next += 1;
        let entry = Entry { seq, time, cause, actor: actor.clone(), what };
        if self.hashing {
            let mut w = Fnv(self.hash);
            if serde_json::to_writer(&mut w, &entry).is_ok() {
                self.hash = w.0;
            }
        }
        if self.keep > 0 {
            if self.entries.len() == self.keep {
                self.entries.pop_front();
            }
            self.entries.push_back(Arc::new(entry));
        }
        seq
    }

    /// FNV-1a (64 bits) over the JSON of all entries so far.
    pub fn hash(&self) -> u64 {
        self.hash
    }
    /// The number of the newest entry; 0 when there is none.
    pub fn last(&self) -> Seq {
        self.next - 1
    }
    pub fn get(&self, seq: Seq) -> Option<&Arc<Entry>> {
        let first = self.entries.front()?.seq;
        self.entries.get(usize::try_from(seq.checked_sub(first)?).ok()?)
    }
    /// Entries with a number above `seq`, oldest first, as far as they are kept.
    pub fn since(&self, seq: Seq) -> impl DoubleEndedIterator<Item = &Arc<Entry>> {
        let start = self.entries.partition_point(|e| e.seq <= seq);
        self.entries.range(start..)
    }
    /// The chain of causes from `seq` back to its first mover, `seq` first.
    pub fn why(&self, seq: Seq) -> Vec<Arc<Entry>> {
        let mut chain = Vec::new();
        let mut at = seq;
        while let Some(e) = self.get(at) {
            chain.push(e.clone());
            at = e.cause;
        }
        chain
    }
}

struct Fnv(u64);

impl std::io::Write for Fnv {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        for b in buf {
            self.0 = (self.0 ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3);
        }
        Ok(buf.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
