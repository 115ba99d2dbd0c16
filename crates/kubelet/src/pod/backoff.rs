//! Exponential back-off per container. Models `k8s.io/client-go/util/flowcontrol.Backoff` with the kubelet's
//! `containerBackOff` and `imageBackOff`: 10 s doubling to 5 min, forgotten after twice the maximum.

use meta::{Duration, Time};

pub const INITIAL: Duration = Duration::from_secs(10);
pub const MAX: Duration = Duration::from_secs(300);

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Backoff {
    /// Zero: no entry.
    pub delay: Duration,
    pub updated: Time,
}

impl Backoff {
    fn expired(&self, event: Time) -> bool {
        event.since(self.updated).0 > 2 * MAX.0
    }
    /// Models `IsInBackOffSince`.
    pub fn holds(&self, event: Time, now: Time) -> bool {
        self.delay != Duration::ZERO && !self.expired(event) && now.since(event) < self.delay
    }
    /// Models `Next`.
    pub fn next(&mut self, event: Time, now: Time) {
        self.delay = if self.delay == Duration::ZERO || self.expired(event) {
            INITIAL
        } else {
            Duration((self.delay.0 * 2).min(MAX.0))
        };
        self.updated = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_to_five_minutes_and_starts_over_after_ten() {
        let mut b = Backoff::default();
        let mut delays = Vec::new();
        let mut now = Time::from_secs(100);
        for _ in 0..7 {
            b.next(now, now);
            delays.push(b.delay.as_secs());
            now += b.delay;
        }
        assert_eq!(delays, [10, 20, 40, 80, 160, 300, 300]);
        assert!(!b.holds(now, now + Duration::from_secs(301)));
        let later = now + Duration::from_secs(601);
        b.next(later, later);
        assert_eq!(b.delay, INITIAL);
    }
}
