//! A work queue. Models `k8s.io/client-go/util/workqueue`: each item is queued once, delayed adds, and
//! per-item exponential back-off (5 ms to 1000 s).

use meta::{Duration, Time};
use std::collections::{BTreeMap, VecDeque};
use trace::Seq;

const BASE_DELAY: Duration = Duration::from_millis(5);
const MAX_DELAY: Duration = Duration::from_secs(1000);

#[derive(Clone, Debug)]
pub struct WorkQueue<K> {
    ready: VecDeque<K>,
    /// Queued items and what queued them first.
    queued: BTreeMap<K, Seq>,
    delayed: BTreeMap<(Time, K), Seq>,
    /// When an item in `delayed` is due: the earliest wins.
    due: BTreeMap<K, Time>,
    failures: BTreeMap<K, u32>,
    base_delay: Duration,
    max_delay: Duration,
}

impl<K: Ord + Clone> Default for WorkQueue<K> {
    fn default() -> Self {
        Self::with_delays(BASE_DELAY, MAX_DELAY)
    }
}

impl<K: Ord + Clone> WorkQueue<K> {
    /// The delays of an item that fails: the first, and the longest that doubling comes to.
    pub fn with_delays(base_delay: Duration, max_delay: Duration) -> Self {
        WorkQueue {
            ready: VecDeque::new(),
            queued: BTreeMap::new(),
            delayed: BTreeMap::new(),
            due: BTreeMap::new(),
            failures: BTreeMap::new(),
            base_delay,
            max_delay,
        }
    }

    pub fn add(&mut self, item: K, cause: Seq) {
        if !self.queued.contains_key(&item) {
            self.queued.insert(item.clone(), cause);
            self.ready.push_back(item);
        }
    }

    pub fn add_at(&mut self, item: K, at: Time, cause: Seq) {
        if let Some(due) = self.due.get(&item).copied() {
            if due <= at {
                return;
            }
            self.delayed.remove(&(due, item.clone()));
        }
        self.due.insert(item.clone(), at);
        self.delayed.insert((at, item), cause);
    }

    pub fn add_rate_limited(&mut self, item: K, now: Time, cause: Seq) {
        let n = self.failures.entry(item.clone()).or_default();
        let delay = Duration(self.base_delay.0.saturating_mul(1 << (*n).min(30))).min(self.max_delay);
        *n += 1;
        self.add_at(item, now + delay, cause);
    }
    /// The item went well: its back-off starts over.
    pub fn forget(&mut self, item: &K) {
        self.failures.remove(item);
    }
    /// How often the item failed in a row.
    pub fn failures(&self, item: &K) -> u32 {
        self.failures.get(item).copied().unwrap_or(0)
    }

    pub fn ready_at(&self) -> Option<Time> {
        if self.ready.is_empty() { self.delayed.first_key_value().map(|((t, _), _)| *t) } else { Some(Time(0)) }
    }

    /// The next item that is due, and what queued it.
    pub fn pop(&mut self, now: Time) -> Option<(K, Seq)> {
        while let Some(((t, _), _)) = self.delayed.first_key_value() {
            if *t > now {
                break;
            }
            if let Some(((_, item), cause)) = self.delayed.pop_first() {
                self.due.remove(&item);
                self.add(item, cause);
            }
        }
        let item = self.ready.pop_front()?;
        let cause = self.queued.remove(&item).unwrap_or(0);
        Some((item, cause))
    }

    pub fn len(&self) -> usize {
        self.ready.len()
    }
    pub fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }
    pub fn delayed_len(&self) -> usize {
        self.delayed.len()
    }
    pub fn clear(&mut self) {
        *self = Self::with_delays(self.base_delay, self.max_delay);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_queued_once_and_the_earliest_delay_wins() {
        let mut q = WorkQueue::default();
        q.add("a", 1);
        q.add("a", 2);
        q.add_at("b", Time(50), 3);
        q.add_at("b", Time(20), 4);
        q.add_at("b", Time(90), 5);
        assert_eq!(q.pop(Time(0)), Some(("a", 1)));
        assert_eq!(q.pop(Time(0)), None);
        assert_eq!(q.ready_at(), Some(Time(20)));
        assert_eq!(q.pop(Time(20)), Some(("b", 4)));
        assert_eq!(q.ready_at(), None);
    }

    #[test]
    fn failures_back_off_exponentially() {
        let mut q = WorkQueue::default();
        for want in [5_000, 10_000, 20_000] {
            q.add_rate_limited("a", Time(0), 0);
            assert_eq!(q.ready_at(), Some(Time(want)));
            q.pop(Time(want));
        }
        q.forget(&"a");
        q.add_rate_limited("a", Time(0), 0);
        assert_eq!(q.ready_at(), Some(Time(5_000)));
    }
}
