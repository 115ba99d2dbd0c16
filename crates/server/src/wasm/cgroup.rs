//! What a container may use, and what it has used: the limits that a Linux node would give to a cgroup.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How often a running guest looks at its budget.
pub const TICK: Duration = Duration::from_millis(5);
/// `cpu.cfs_period_us`: the kubelet's default.
const PERIOD: Duration = Duration::from_millis(100);

/// `resources.limits` of a container; `None` is unlimited.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    pub memory_bytes: Option<u64>,
    pub cpu_milli: Option<u64>,
}

/// One container's account, shared by all instances that run on its behalf.
pub struct Cgroup {
    memory_max: Option<u64>,
    memory: AtomicU64,
    oom: watch::Sender<bool>,
    cpu: Option<Mutex<Bucket>>,
    cpu_used_ns: AtomicU64,
}

/// CPU time left to spend, in nanoseconds; filled at the limit's rate up to one period's quota.
struct Bucket {
    milli: u64,
    left_ns: i64,
    filled: Instant,
}

impl Bucket {
    fn quota_ns(&self) -> i64 {
        ns(PERIOD).saturating_mul(i64::try_from(self.milli).unwrap_or(i64::MAX)) / 1000
    }

    /// Takes `used` out; when nothing is left, says how long to stand still.
    fn spend(&mut self, used: Duration, now: Instant) -> Option<Duration> {
        let milli = i64::try_from(self.milli.max(1)).unwrap_or(i64::MAX);
        let gained = ns(now.saturating_duration_since(self.filled)).saturating_mul(milli) / 1000;
        self.filled = now;
        self.left_ns = self.left_ns.saturating_add(gained).min(self.quota_ns()).saturating_sub(ns(used));
        if self.left_ns > 0 {
            return None;
        }
        // Until the debt is paid and a tenth of a period's quota is there to run with.
        let missing = self.quota_ns() / 10 - self.left_ns;
        Some(Duration::from_nanos(u64::try_from(missing.saturating_mul(1000) / milli).unwrap_or(0)))
    }
}

fn ns(d: Duration) -> i64 {
    i64::try_from(d.as_nanos()).unwrap_or(i64::MAX)
}

impl Cgroup {
    pub fn new(limits: Limits, now: Instant) -> Self {
        let bucket = |milli| {
            let mut b = Bucket { milli, left_ns: 0, filled: now };
            b.left_ns = b.quota_ns();
            Mutex::new(b)
        };
        Cgroup {
            memory_max: limits.memory_bytes,
            memory: AtomicU64::new(0),
            oom: watch::Sender::new(false),
            cpu: limits.cpu_milli.map(bucket),
            cpu_used_ns: AtomicU64::new(0),
        }
    }

    /// False: the limit would be passed, and the container is out of memory from now on.
    pub fn grow(&self, bytes: u64) -> bool {
        let total = self.memory.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if self.memory_max.is_some_and(|max| total > max) {
            self.memory.fetch_sub(bytes, Ordering::Relaxed);
            self.oom.send_replace(true);
            return false;
        }
        true
    }

    pub fn release(&self, bytes: u64) {
        self.memory.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Returns when the memory limit was passed.
    pub async fn wait_out_of_memory(&self) {
        // The sender lives as long as `self`, so this cannot fail.
        let _ = self.oom.subscribe().wait_for(|oom| *oom).await;
    }

    /// Books CPU time; `Some` is how long the guest has to be throttled.
    pub fn charge(&self, used: Duration, now: Instant) -> Option<Duration> {
        self.cpu_used_ns.fetch_add(u64::try_from(used.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        let mut bucket = self.cpu.as_ref()?.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        bucket.spend(used, now)
    }

    pub fn memory_bytes(&self) -> u64 {
        self.memory.load(Ordering::Relaxed)
    }

    /// CPU time booked since the container started.
    pub fn cpu_used(&self) -> Duration {
        Duration::from_nanos(self.cpu_used_ns.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_guest_gets_its_share_and_no_more() {
        let start = Instant::now();
        let group = Cgroup::new(Limits { cpu_milli: Some(200), memory_bytes: None }, start);
        let (mut now, mut used) = (start, Duration::ZERO);
        while now < start + Duration::from_secs(10) {
            now += TICK;
            used += TICK;
            now += group.charge(TICK, now).unwrap_or_default();
        }
        let share = used.as_millis();
        assert!((2000..2100).contains(&share), "200m over 10 s is 2 s, used {share} ms");
    }

    #[test]
    fn an_idle_guest_saves_no_more_than_a_period() {
        let start = Instant::now();
        let group = Cgroup::new(Limits { cpu_milli: Some(500), memory_bytes: None }, start);
        let later = start + Duration::from_secs(60);
        assert_eq!(group.charge(Duration::from_millis(49), later), None);
        assert!(group.charge(Duration::from_millis(2), later).is_some());
    }

    #[test]
    fn memory_is_refused_at_the_limit() {
        let group = Cgroup::new(Limits { memory_bytes: Some(100), cpu_milli: None }, Instant::now());
        assert!(group.grow(100));
        assert!(!*group.oom.borrow());
        assert!(!group.grow(1));
        assert!(*group.oom.borrow());
    }
}
