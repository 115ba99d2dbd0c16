//! Virtual time. The core never asks a clock: the host feeds time in.

use k8s_openapi::apimachinery::pkg::apis::meta::v1 as metav1;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// A moment: microseconds since the Unix epoch, as the cluster's (virtual) clock tells it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(pub u64);

/// A span of virtual time in microseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Duration(pub u64);

impl Duration {
    pub const ZERO: Duration = Duration(0);
    pub const fn from_micros(n: u64) -> Self {
        Duration(n)
    }
    pub const fn from_millis(n: u64) -> Self {
        Duration(n * 1_000)
    }
    pub const fn from_secs(n: u64) -> Self {
        Duration(n * 1_000_000)
    }
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000_000
    }
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000
    }
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Go's `time.Duration.String()`, to microseconds: `1m30s`, `2.5s`, `300ms`, `0s`.
    pub fn go_string(self) -> String {
        let us = self.0;
        if us == 0 {
            return "0s".into();
        }
        if us < 1_000 {
            return format!("{us}µs");
        }
        if us < 1_000_000 {
            return format!("{}ms", trim_fraction(us / 1_000, us % 1_000, 3));
        }
        let secs = us / 1_000_000;
        let (h, m, s) = (secs / 3600, secs / 60 % 60, secs % 60);
        let s = trim_fraction(s, us % 1_000_000, 6);
        match (h, m) {
            (0, 0) => format!("{s}s"),
            (0, _) => format!("{m}m{s}s"),
            _ => format!("{h}h{m}m{s}s"),
        }
    }

    /// Models apimachinery `duration.HumanDuration`: the AGE column (`5s`, `2m3s`, `3h4m`, `5d`).
    pub fn human(self) -> String {
        let s = self.as_secs();
        let m = s / 60;
        let h = m / 60;
        if s < 120 {
            return format!("{s}s");
        }
        if m < 10 {
            return if s.is_multiple_of(60) { format!("{m}m") } else { format!("{m}m{}s", s % 60) };
        }
        if m < 180 {
            return format!("{m}m");
        }
        if h < 8 {
            return if m.is_multiple_of(60) { format!("{h}h") } else { format!("{h}h{}m", m % 60) };
        }
        if h < 48 {
            return format!("{h}h");
        }
        let d = h / 24;
        if h < 192 {
            return if h.is_multiple_of(24) { format!("{d}d") } else { format!("{d}d{}h", h % 24) };
        }
        if h < 24 * 365 * 2 {
            return format!("{d}d");
        }
        let y = d / 365;
        if h < 24 * 365 * 8 {
            return if d.is_multiple_of(365) { format!("{y}y") } else { format!("{y}y{}d", d % 365) };
        }
        format!("{y}y")
    }
}

fn trim_fraction(whole: u64, fraction: u64, digits: usize) -> String {
    if fraction == 0 {
        return whole.to_string();
    }
    let f = format!("{fraction:0digits$}");
    format!("{whole}.{}", f.trim_end_matches('0'))
}

impl Time {
    /// 2026-01-01T00:00:00Z: where a headless simulation's clock starts.
    pub const SIMULATION_START: Time = Time(1_767_225_600_000_000);

    pub fn from_secs(secs: u64) -> Self {
        Time(secs * 1_000_000)
    }
    /// Whole seconds since the epoch.
    pub fn as_secs(self) -> u64 {
        self.0 / 1_000_000
    }
    pub fn as_micros(self) -> u64 {
        self.0
    }
    /// The time since `earlier`; zero when `earlier` is later.
    pub fn since(self, earlier: Time) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }
    /// `metav1.Time` has whole seconds, as in upstream's JSON.
    pub fn to_k8s(self) -> metav1::Time {
        metav1::Time(timestamp(self.0 / 1_000_000 * 1_000_000))
    }
    pub fn to_k8s_micro(self) -> metav1::MicroTime {
        metav1::MicroTime(timestamp(self.0))
    }
    pub fn from_k8s(t: &metav1::Time) -> Self {
        Time(u64::try_from(t.0.as_microsecond()).unwrap_or(0))
    }
    pub fn from_k8s_micro(t: &metav1::MicroTime) -> Self {
        Time(u64::try_from(t.0.as_microsecond()).unwrap_or(0))
    }
    /// RFC 3339 with whole seconds: `2026-01-01T00:00:00Z`.
    pub fn rfc3339(self) -> String {
        timestamp(self.0 / 1_000_000 * 1_000_000).to_string()
    }
}

fn timestamp(micros: u64) -> jiff::Timestamp {
    i64::try_from(micros).ok().and_then(|m| jiff::Timestamp::from_microsecond(m).ok()).unwrap_or(jiff::Timestamp::MAX)
}

impl Add<Duration> for Time {
    type Output = Time;
    fn add(self, d: Duration) -> Time {
        Time(self.0.saturating_add(d.0))
    }
}
impl AddAssign<Duration> for Time {
    fn add_assign(&mut self, d: Duration) {
        *self = *self + d;
    }
}
impl Sub<Duration> for Time {
    type Output = Time;
    fn sub(self, d: Duration) -> Time {
        Time(self.0.saturating_sub(d.0))
    }
}
impl Add for Duration {
    type Output = Duration;
    fn add(self, d: Duration) -> Duration {
        Duration(self.0.saturating_add(d.0))
    }
}
impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", timestamp(self.0))
    }
}
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
impl fmt::Debug for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.go_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_read_as_kubectl_prints_them() {
        for (secs, text) in [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (125, "2m5s"),
            (600, "10m"),
            (3 * 3600, "3h"),
            (3 * 3600 + 240, "3h4m"),
            (8 * 3600 + 60, "8h"),
            (49 * 3600, "2d1h"),
            (9 * 86400, "9d"),
            (3 * 365 * 86400, "3y"),
        ] {
            assert_eq!(Duration::from_secs(secs).human(), text);
        }
    }

    #[test]
    fn durations_print_as_go_does() {
        for (us, text) in [
            (0, "0s"),
            (1_500_000, "1.5s"),
            (10_000_000, "10s"),
            (90_000_000, "1m30s"),
            (300_000_000, "5m0s"),
            (3_600_000_000, "1h0m0s"),
            (1_234, "1.234ms"),
        ] {
            assert_eq!(Duration(us).go_string(), text);
        }
    }
}
