//! A number for a cycle's table, the same on every machine. The table is nearly all of a cycle, and as JSON it would cost
//! more to hash than the cycle cost to take.

use crate::cycle::{Cycle, FilterRecord, NodeRecord, PreFilterRecord};

struct Digest(u64);

impl Digest {
    fn word(&mut self, n: u64) {
        self.0 = (self.0.rotate_left(5) ^ n).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
    fn text(&mut self, text: &str) {
        self.word(text.len() as u64);
        for part in text.as_bytes().chunks(8) {
            self.word(part.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b)));
        }
    }
    fn texts(&mut self, texts: &[String]) {
        self.word(texts.len() as u64);
        texts.iter().for_each(|t| self.text(t));
    }
    fn pre_filter(&mut self, r: &PreFilterRecord) {
        self.text(&r.plugin);
        self.word(r.verdict as u64);
        self.texts(&r.reasons);
        self.word(u64::from(r.node_names.is_some()));
        self.texts(r.node_names.as_deref().unwrap_or_default());
    }
    fn filters(&mut self, filters: &[FilterRecord]) {
        self.word(filters.len() as u64);
        for f in filters {
            self.text(&f.plugin);
            self.word(f.verdict as u64);
            self.texts(&f.reasons);
        }
    }
    /// What is as in the row before is not written again.
    fn row(&mut self, row: &NodeRecord, before: Option<&NodeRecord>) {
        self.text(&row.name);
        match before {
            Some(b) if b.filters.is_shared_with(&row.filters) || b.filters == row.filters => self.word(u64::MAX),
            _ => self.filters(&row.filters),
        }
        self.word(row.scores.len() as u64);
        let plugins = before.map_or([].as_slice(), |b| &b.scores[..]);
        for (i, s) in row.scores.iter().enumerate() {
            if plugins.get(i).is_none_or(|b| b.plugin != s.plugin) {
                self.text(&s.plugin);
            }
            [s.raw, s.normalized, s.weight].into_iter().for_each(|n| self.word(n as u64));
        }
        self.word(u64::from(row.total.is_some()));
        self.word(row.total.unwrap_or(0) as u64);
    }
}

/// Over what [`Cycle::thin`] leaves out.
pub fn of(cycle: &Cycle) -> u64 {
    let mut digest = Digest(0);
    cycle.pre_filter.iter().for_each(|r| digest.pre_filter(r));
    let mut before = None;
    for row in &cycle.nodes {
        digest.row(row, before);
        before = Some(row);
    }
    if let Some(tie) = &cycle.tie_break {
        digest.texts(&tie.nodes);
        digest.word(tie.drawn as u64);
    }
    digest.0
}
