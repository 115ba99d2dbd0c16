//! The trace as a bounded log with a running hash over everything that was ever written to it.

use crate::cycle::Cycle;
use crate::digest;
use crate::entry::{Entry, Seq, What};
use meta::Time;
use std::collections::VecDeque;
use std::io::Write;
use std::sync::Arc;

/// Rows of scheduling cycles' tables (one a node) that are kept together: some tens of megabytes. In a cluster of
/// thousands of nodes every table is as large as the rest of the trace, so older cycles keep only what came of them.
const ROWS_MAX: usize = 40_000;

/// The log keeps the newest entries; the hash covers all of them, so two runs can be compared.
#[derive(Clone, Debug)]
pub struct Trace {
    entries: VecDeque<Arc<Entry>>,
    next: Seq,
    keep: usize,
    hash: u64,
    hashing: bool,
    /// Cycles that still have their tables, oldest first, with their rows; and the sum of those.
    tables: VecDeque<(Seq, usize)>,
    rows: usize,
}

impl Trace {
    /// Keeps the newest `keep` entries; hashing costs a serialization per entry, so it can be off.
    pub fn new(keep: usize, hashing: bool) -> Self {
        let (entries, tables) = (VecDeque::new(), VecDeque::new());
        Trace { entries, next: 1, keep, hash: 0xcbf2_9ce4_8422_2325, hashing, tables, rows: 0 }
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
                    let what = What::Cycle { cycle: Arc::new(cycle.thin()) };
                    let outcome = Entry { what, actor: actor.clone(), ..entry };
                    let table = digest::of(cycle).to_le_bytes();
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
            let rows = if let What::Cycle { cycle } = &entry.what { cycle.nodes.len() } else { 0 };
            self.entries.push_back(Arc::new(entry));
            if rows > 0 {
                self.tables.push_back((seq, rows));
                self.rows += rows;
                self.thin();
            }
        }
        seq
    }

    /// Lets go of the oldest tables, but never of the newest.
    fn thin(&mut self) {
        while self.rows > ROWS_MAX && self.tables.len() > 1 {
            let Some((seq, rows)) = self.tables.pop_front() else { return };
            self.rows -= rows;
            let first = self.entries.front().map_or(0, |e| e.seq);
            let at = seq.checked_sub(first).and_then(|i| usize::try_from(i).ok());
            let Some(entry) = at.and_then(|i| self.entries.get_mut(i)) else { continue };
            if let What::Cycle { cycle } = &entry.what {
                let what = What::Cycle { cycle: Arc::new(Cycle::thin(cycle)) };
                *entry = Arc::new(Entry { what, actor: entry.actor.clone(), ..**entry });
            }
        }
    }

    /// FNV-1a (64 bits) over the JSON of all entries so far, with a digest in the place of the tables of cycles.
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
    use crate::cycle::{FilterRecord, NodeRecord, ScoreRecord};

    #[test]
    fn the_hash_covers_every_cell() {
        let hash = |change: &dyn Fn(&mut [NodeRecord])| {
            let scores = |n: i64| ScoreRecord { plugin: "A".into(), raw: n, ..ScoreRecord::default() };
            let row = |i: i64| NodeRecord {
                name: format!("n{i}"),
                scores: vec![scores(i), scores(1)].into(),
                ..NodeRecord::default()
            };
            let mut nodes: Vec<NodeRecord> = (0..3).map(row).collect();
            change(&mut nodes);
            let cycle = Arc::new(Cycle { nodes, ..Cycle::default() });
            let mut trace = Trace::new(0, true);
            trace.push(Time(0), 0, &"kube-scheduler".into(), What::Cycle { cycle });
            trace.hash()
        };
        let score = |plugin: &'static str, raw| vec![ScoreRecord { plugin: plugin.into(), raw, ..Default::default() }];
        let refusal = FilterRecord { plugin: "F".into(), ..FilterRecord::default() };
        let hashes = [
            hash(&|_| ()),
            hash(&|rows| rows[2].name.push('x')),
            hash(&|rows| rows[1].scores = score("A", 1).into()),
            hash(&|rows| rows[1].scores = score("A", 2).into()),
            hash(&|rows| rows[1].scores = score("B", 2).into()),
            hash(&|rows| rows[0].total = Some(0)),
            hash(&|rows| rows[1].filters = vec![refusal.clone()].into()),
            hash(&|rows| rows[2].filters = vec![refusal.clone()].into()),
            hash(&|rows| rows[1..].iter_mut().for_each(|r| r.filters = vec![refusal.clone()].into())),
        ];
        let distinct: std::collections::BTreeSet<u64> = hashes.into_iter().collect();
        assert_eq!(distinct.len(), hashes.len());
        assert_eq!(hashes[0], hash(&|_| ()), "the same table, the same hash");
    }

    #[test]
    fn old_cycles_lose_their_tables_and_keep_their_outcome() {
        let mut trace = Trace::new(1000, false);
        let actor: Arc<str> = "kube-scheduler".into();
        let cycle = || {
            let nodes = vec![NodeRecord::default(); ROWS_MAX / 4];
            let cycle = Arc::new(Cycle { node: Some("n".into()), nodes, ..Cycle::default() });
            What::Cycle { cycle }
        };
        let seqs: Vec<Seq> = (0..6).map(|_| trace.push(Time(0), 0, &actor, cycle())).collect();
        let found: Vec<(bool, bool)> = seqs
            .iter()
            .map(|seq| match &trace.get(*seq).unwrap().what {
                What::Cycle { cycle } => (cycle.node.is_some(), cycle.thinned),
                _ => unreachable!(),
            })
            .collect();
        assert_eq!(found, [(true, true), (true, true), (true, false), (true, false), (true, false), (true, false)]);
    }
}
