//! Cycles that somebody looks at, with their tables. A table is made when it is first asked for, and asked about many times
//! then: a page of rows at a time, cell by cell.

use super::view::{Mask, Table, rows, view_of};
use protocol::debug::RowsQuery;
use protocol::{CycleView, Row};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use trace::{Cycle, Recorded};

/// Both sides of a comparison, and what was looked at before.
const OPENED_MAX: usize = 4;

pub struct Opened {
    seq: u64,
    pub time: u64,
    pub cycle: Arc<Cycle>,
    table: Table,
}

impl Opened {
    pub fn view(&self) -> CycleView {
        view_of(self.seq, self.time, &self.cycle, Mask::Whole, &self.table)
    }
    pub fn rows(&self, mask: Mask, q: &RowsQuery) -> (usize, Vec<Row>) {
        let table = match mask {
            Mask::Whole => Cow::Borrowed(&self.table),
            _ => Cow::Owned(Table::of(&self.cycle, mask)),
        };
        rows(&self.cycle, mask, &table, q)
    }
}

/// Where a cycle is from.
pub enum Whose<'a> {
    Recorded(&'a Recorded),
    Known(Arc<Cycle>),
}

/// Those that were opened last.
#[derive(Default)]
pub struct Newest(Mutex<VecDeque<(Arc<Opened>, usize)>>);

impl Newest {
    pub fn open(&self, seq: u64, time: u64, whose: Whose) -> Arc<Opened> {
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A number may mean another cycle later: after a restart, or when a held one has gone another way.
        let identity = match &whose {
            Whose::Recorded(r) => std::ptr::from_ref(r.outcome()).addr(),
            Whose::Known(c) => Arc::as_ptr(c).addr(),
        };
        if let Some((opened, _)) = newest.iter().find(|(o, is)| (o.seq, o.time, *is) == (seq, time, identity)) {
            return opened.clone();
        }
        let cycle = match whose {
            Whose::Recorded(r) => r.open(),
            Whose::Known(c) => c,
        };
        let opened = Arc::new(Opened { seq, time, table: Table::of(&cycle, Mask::Whole), cycle });
        newest.truncate(OPENED_MAX - 1);
        newest.push_front((opened.clone(), identity));
        opened
    }
}
