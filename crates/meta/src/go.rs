//! How Go's library reads durations and speaks of decoded JSON.

use serde_json::Value;

const UNITS: [(&str, i128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// `1h30m`, `-1.5s`, `0` in nanoseconds. Models `time.ParseDuration`.
///
/// # Errors
/// Go's words for what is no duration.
pub fn parse_duration(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {text:?}");
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut sum: i128 = 0;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len()));
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && part.is_empty()) || part.contains('.') {
            return Err(invalid());
        }
        let (unit, after) = after.split_at(after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len()));
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {text:?}"));
        }
        let size = UNITS.iter().find(|(u, _)| *u == unit).map(|(_, size)| *size);
        let size = size.ok_or_else(|| format!("time: unknown unit {unit:?} in duration {text:?}"))?;
        // More of a fraction than Go can hold it does not read, either.
        let part = &part[..part.len().min(18)];
        let scale = (0..part.len()).fold(1_i128, |n, _| n * 10);
        let digits = |s: &str| if s.is_empty() { Some(0) } else { s.parse::<i128>().ok() };
        let value = || {
            let whole = digits(whole)?.checked_mul(size)?;
            sum.checked_add(whole)?.checked_add(digits(part)?.checked_mul(size)? / scale)
        };
        sum = value().filter(|n| *n <= 1 << 63).ok_or_else(invalid)?;
        rest = after;
    }
    i64::try_from(if negative { -sum } else { sum }).map_err(|_| invalid())
}

/// The kind of a value as errors of `encoding/json` name it.
pub fn json_kind(v: &Value) -> &'static str {
    match v {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The type of a value as `%T` prints it, numbers as Kubernetes' decoder makes them.
pub fn type_of(v: &Value) -> &'static str {
    match v {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(n) if n.is_i64() => "int64",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_gos() {
        let second = 1_000_000_000;
        for (text, nanos) in [("0", 0), ("1.5s", second * 3 / 2), ("-1m", -60 * second), ("1h0.5m", 3630 * second)] {
            assert_eq!(parse_duration(text), Ok(nanos), "{text}");
        }
        for (text, why) in [
            ("invalid", "time: invalid duration \"invalid\""),
            ("", "time: invalid duration \"\""),
            ("10", "time: missing unit in duration \"10\""),
            ("10x", "time: unknown unit \"x\" in duration \"10x\""),
            (".s", "time: invalid duration \".s\""),
            ("9999999h", "time: invalid duration \"9999999h\""),
        ] {
            assert_eq!(parse_duration(text), Err(why.into()), "{text}");
        }
    }
}
