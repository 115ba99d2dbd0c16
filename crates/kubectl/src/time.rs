//! Ages.

use meta::Duration;

/// Models `translateTimestampSince`; an empty or broken time is unknown.
pub(crate) fn since(timestamp: &str, now: i64) -> String {
    match parse(timestamp) {
        Some(t) => human(now.saturating_sub(t)),
        None => "<unknown>".into(),
    }
}

/// Models `duration.HumanDuration`.
pub(crate) fn human(micros: i64) -> String {
    if micros < -1_999_999 {
        return "<invalid>".into();
    }
    Duration::from_micros(u64::try_from(micros).unwrap_or(0)).human()
}

/// RFC 3339 to microseconds since 1970.
pub(crate) fn parse(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(|t| t.as_microsecond())
}
