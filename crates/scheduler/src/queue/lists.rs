//! The queues as the page shows them.

use super::{Queue, QueuedPod};
use meta::{Key, Time};
use serde::Serialize;

/// One row of what the page shows of a queue.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    pub pod: Key,
    pub priority: i32,
    pub attempts: u32,
    pub since: Time,
    /// The end of its back-off, when it has one.
    pub backoff_until: Option<Time>,
    pub plugins: Vec<&'static str>,
    pub event: &'static str,
    /// The plugin that found the event promising; empty when none was asked.
    pub hint: &'static str,
}

/// How many pods each queue holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Lengths {
    pub active: usize,
    pub backoff: usize,
    pub unschedulable: usize,
    pub gated: usize,
    pub in_flight: usize,
}

/// All queues: active and back-off in the order their pods will leave them, the others by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Lists {
    pub active: Vec<Row>,
    pub backoff: Vec<Row>,
    pub unschedulable: Vec<Row>,
    pub gated: Vec<Row>,
    pub in_flight: Vec<Row>,
    /// Of the whole queues, also when the lists show only their beginnings.
    pub lengths: Lengths,
}

fn row(q: &QueuedPod, backoff_until: Option<Time>) -> Row {
    Row {
        pod: q.pod.key.clone(),
        priority: q.pod.priority,
        attempts: q.attempts,
        since: q.timestamp,
        backoff_until,
        plugins: q.gated_by.iter().chain(&q.plugins).copied().collect(),
        event: q.event,
        hint: q.hint,
    }
}

impl Queue {
    pub fn lengths(&self) -> Lengths {
        Lengths {
            active: self.active.len(),
            backoff: self.backoff_len(),
            unschedulable: self.unschedulable.len(),
            gated: self.gated.len(),
            in_flight: self.in_flight.len(),
        }
    }

    /// The first `limit` pods of every queue. What lies behind them costs nothing.
    pub fn lists(&self, limit: usize) -> Lists {
        let first = self.backoff.iter().take(limit).chain(self.error_backoff.iter().take(limit));
        let mut backoff: Vec<Row> = first.map(|((until, ..), q)| row(q, Some(*until))).collect();
        backoff.sort_by_key(|r| r.backoff_until);
        backoff.truncate(limit);
        let still_held = |q: &QueuedPod| Some(self.backoff_until(q)).filter(|t| *t > q.timestamp);
        Lists {
            active: self.active.values().take(limit).map(|q| row(q, None)).collect(),
            backoff,
            unschedulable: self.unschedulable.values().take(limit).map(|q| row(q, still_held(q))).collect(),
            gated: self.gated.values().take(limit).map(|q| row(q, None)).collect(),
            in_flight: self.in_flight.values().take(limit).map(|q| row(q, None)).collect(),
            lengths: self.lengths(),
        }
    }
}
