//! Spans of time, as lessons write them.

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// Microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub u64);

/// `90s`, `5m`, `1h30m`, `500ms`.
pub fn duration(text: &str) -> Option<Span> {
    let (mut total, mut rest) = (0u64, text.trim());
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let micros = match &rest[..end] {
            "h" => 3_600_000_000,
            "m" => 60_000_000,
            "s" => 1_000_000,
            "ms" => 1_000,
            _ => return None,
        };
        rest = &rest[end..];
        total = total.checked_add(number.checked_mul(micros)?)?;
    }
    Some(Span(total))
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        duration(&text).ok_or_else(|| D::Error::custom(format!("{text:?} is no span of time: write 90s, 5m or 1h30m")))
    }
}
