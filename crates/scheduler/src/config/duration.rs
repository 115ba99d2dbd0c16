//! Durations as Go writes them: `1.5h`, `300ms`, `1m30s`. Models `time.ParseDuration`.

use super::reader::{At, Reader};
use meta::Duration;

const UNITS: [(&str, f64); 8] =
    [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("μs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)];

/// Nanoseconds, negative ones too.
pub(super) fn parse(text: &str) -> Result<i64, String> {
    let wrong = || format!("time: invalid duration {text:?}");
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number: f64 = rest[..end].parse().map_err(|_| wrong())?;
        rest = &rest[end..];
        let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let unit = &rest[..end];
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {text:?}"));
        }
        let Some((_, nanos)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(format!("time: unknown unit {unit:?} in duration {text:?}"));
        };
        total += number * nanos;
        rest = &rest[end..];
    }
    Ok(if negative { -total as i64 } else { total as i64 })
}

pub(super) fn nanos(r: &mut Reader, at: &At) -> Option<i64> {
    let text = r.text(at)?;
    match parse(&text) {
        Ok(n) => Some(n),
        Err(why) => {
            r.errors.push(meta::FieldError::invalid(&at.1, text, why));
            None
        }
    }
}

/// A duration that is not negative.
pub(super) fn read(r: &mut Reader, at: &At) -> Option<Duration> {
    let n = nanos(r, at)?;
    u64::try_from(n).ok().map(|n| Duration(n / 1_000))
}
