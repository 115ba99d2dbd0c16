//! The trace as a bounded log with a running hash over everything that was ever written to it.

use crate::entry::{Entry, Seq, What};
use imbl::Vector;
use meta::Time;
use std::collections::VecDeque;
use std::io::Write;
use std::sync::Arc;

/// What the tables of scheduling cycles may weigh together ([`crate::Source::weight`]), up to about five kilobytes each: the
/// pods and nodes of then are kept for them. Older cycles keep only what came of them.
const WEIGHT_MAX: usize = 40_000;

/// The log keeps the newest entries; the hash covers all of them, so two runs can be compared.
#[derive(Clone, Debug)]
pub struct Trace {
    /// Numbered without gaps. Shared with copies of the trace: there are many of a long one.
    entries: Vector<Arc<Entry>>,
    next: Seq,
    keep: usize,
    hash: u64,
    hashing: bool,
    /// Cycles that still have their tables, oldest first, with their weights; and the sum of those.
    tables: VecDeque<(Seq, usize)>,
    weight: usize,
}

impl Trace {
    /// Keeps the newest `keep` entries; hashing costs a serialization per entry, so it can be off.
    pub fn new(keep: usize, hashing: bool) -> Self {
        let (entries, tables) = (Vector::new(), VecDeque::new());
        Trace { entries, next: 1, keep, hash: 0xcbf2_9ce4_8422_2325, hashing, tables, weight: 0 }
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
            let written = match &entry.what {
                What::Cycle { cycle } => {
                    let what = What::Cycle { cycle: cycle.thin() };
                    let outcome = Entry { what, actor: actor.clone(), ..entry };
                    let table = cycle.digest().to_le_bytes();
                    serde_json::to_writer(&mut w, &outcome).is_ok() && w.write_all(&table).is_ok()
                }
                _ => serde_json::to_writer(&mut w, &entry).is_ok(),
            };
            if written {
                self.hash = w.0;
            }
        }
        if self.keep > 0 {
            if self.entries.len() == self.keep {
                self.entries.pop_front();
            }
            let weight = if let What::Cycle { cycle } = &entry.what { cycle.weight() } else { 0 };
            self.entries.push_back(Arc::new(entry));
            if weight > 0 {
                self.tables.push_back((seq, weight));
                self.weight += weight;
                self.thin();
            }
        }
        seq
    }

    /// Lets go of the oldest tables, but never of the newest.
    fn thin(&mut self) {
        while self.weight > WEIGHT_MAX && self.tables.len() > 1 {
            let Some((seq, weight)) = self.tables.pop_front() else { return };
            self.weight -= weight;
            let at = self.place(seq);
            let Some(entry) = at.and_then(|i| self.entries.get_mut(i)) else { continue };
            if let What::Cycle { cycle } = &entry.what {
                let what = What::Cycle { cycle: cycle.thin() };
                *entry = Arc::new(Entry { what, actor: entry.actor.clone(), ..**entry });
            }
        }
    }

    /// The same without its entries: numbers and hash go on.
    #[must_use]
    pub fn bare(&self) -> Trace {
        let (entries, tables) = (Vector::new(), VecDeque::new());
        Trace { entries, tables, weight: 0, ..*self }
    }

    /// Brings the entries of a bare trace back, as far as a later one of the same history still has them.
    pub fn recall(&mut self, later: &Trace) {
        let first = self.next.saturating_sub(self.keep as u64);
        let until = later.place(self.next).unwrap_or(0).min(later.entries.len());
        let from = later.place(first).unwrap_or(0).min(until);
        self.entries = later.entries.take(until).skip(from);
        self.tables = later.tables.iter().take_while(|(seq, _)| *seq < self.next).copied().collect();
        self.weight = self.tables.iter().map(|(_, weight)| weight).sum();
    }

    /// FNV-1a (64 bits) over the JSON of all entries so far, with a digest in the place of the table of a cycle.
    pub fn hash(&self) -> u64 {
        self.hash
    }
    /// The number of the newest entry; 0 when there is none.
    pub fn last(&self) -> Seq {
        self.next - 1
    }
    pub fn get(&self, seq: Seq) -> Option<&Arc<Entry>> {
        self.entries.get(self.place(seq)?)
    }
    /// Where the entry of this number stands, or would; `None` before the oldest.
    fn place(&self, seq: Seq) -> Option<usize> {
        usize::try_from(seq.checked_sub(self.entries.front()?.seq)?).ok()
    }
    /// Entries with a number above `seq`, oldest first, as far as they are kept.
    pub fn since(&self, seq: Seq) -> impl DoubleEndedIterator<Item = &Arc<Entry>> {
        let start = self.place(seq + 1).unwrap_or(0);
        (start..self.entries.len()).map(|i| &self.entries[i])
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

impl Write for Fnv {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cycle::{Cycle, NodeRecord};
    use crate::recorded::Recorded;

    fn cycle(node: &str, digest: u64, rows: usize) -> What {
        let outcome = Cycle { node: Some(node.into()), ..Cycle::default() };
        let whole = Cycle { nodes: vec![NodeRecord::default(); rows], ..outcome.clone() };
        What::Cycle { cycle: Recorded::new(outcome, digest, Arc::new(whole)) }
    }

    #[test]
    fn the_hash_covers_outcome_and_digest_of_a_cycle() {
        let hash = |what: What| {
            let mut trace = Trace::new(0, true);
            trace.push(Time(0), 0, &"kube-scheduler".into(), what);
            trace.hash()
        };
        let hashes = [hash(cycle("a", 1, 3)), hash(cycle("b", 1, 3)), hash(cycle("a", 2, 3))];
        assert_eq!(std::collections::BTreeSet::from(hashes).len(), hashes.len());
        assert_eq!(hashes[0], hash(cycle("a", 1, 7)), "the table itself is not written out");
    }

    #[test]
    fn a_bare_trace_goes_on_as_the_whole_one_and_gets_its_entries_back() {
        let actor: Arc<str> = "kube-scheduler".into();
        let mut trace = Trace::new(4, true);
        let mut bare = trace.bare();
        for n in 0..9 {
            if n == 6 {
                bare = trace.bare();
            }
            trace.push(Time(n), 0, &actor, cycle("n", n, 3));
        }
        assert_eq!((bare.last(), bare.since(0).count()), (6, 0));
        bare.recall(&trace);
        let seqs = |t: &Trace| t.since(0).map(|e| e.seq).collect::<Vec<_>>();
        assert_eq!((seqs(&bare), seqs(&trace)), (vec![6], vec![6, 7, 8, 9]));
        (6..9).for_each(|n| _ = bare.push(Time(n), 0, &actor, cycle("n", n, 3)));
        assert_eq!((seqs(&bare), bare.hash()), (seqs(&trace), trace.hash()));
    }

    #[test]
    fn old_cycles_lose_their_tables_and_keep_their_outcome() {
        let mut trace = Trace::new(1000, false);
        let actor: Arc<str> = "kube-scheduler".into();
        let push = |_| trace.push(Time(0), 0, &actor, cycle("n", 0, WEIGHT_MAX / 4));
        let seqs: Vec<Seq> = (0..6).map(push).collect();
        let found: Vec<(bool, bool, bool)> = seqs
            .iter()
            .map(|seq| match &trace.get(*seq).unwrap().what {
                What::Cycle { cycle } => (cycle.outcome().node.is_some(), cycle.has_table(), cycle.open().thinned),
                _ => unreachable!(),
            })
            .collect();
        let (old, new) = ((true, false, true), (true, true, false));
        assert_eq!(found, [old, old, new, new, new, new]);
    }
}
