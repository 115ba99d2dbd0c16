//! What a plain scalar means. Models `sigs.k8s.io/yaml/goyaml.v2/resolve.go`: YAML 1.1, with `yes` and `on` booleans
//! and `0644` octal. And `go.yaml.in/yaml/v3/resolve.go`, which differs in these words and in dates.

use serde_json::{Number, Value};

/// Whose reading it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scalars {
    /// kubectl's (`sigs.k8s.io/yaml`).
    #[default]
    Kubectl,
    /// kustomize's, of objects (`kyaml`): of words only those for true and false are booleans, and a date is a time.
    Kyaml,
}

/// The meaning of an untagged plain scalar. An infinite or undefined number is an error: JSON has none.
pub fn resolve(text: &str, scalars: Scalars) -> Result<Value, String> {
    let Some(first) = text.bytes().next() else { return Ok(Value::Null) };
    if scalars == Scalars::Kyaml {
        let is_bool = matches!(word(text), Some(Ok(Value::Bool(_))));
        if is_bool && !matches!(text.len(), 4..=5) {
            return Ok(text.into());
        }
        if let Some(time) = date(text) {
            return Ok(time.into());
        }
    }
    if let Some(word) = word(text) {
        return word;
    }
    Ok(match first {
        b'0'..=b'9' | b'+' | b'-' | b'.' => number(text).map_or_else(|| Value::String(text.into()), Value::Number),
        _ => Value::String(text.into()),
    })
}

/// A day as the time of its beginning. Models the format `2006-1-2` of `parseTimestamp`.
fn date(text: &str) -> Option<String> {
    let mut parts = text.split('-');
    let mut part = |digits: std::ops::RangeInclusive<usize>| {
        let part = parts.next().filter(|p| digits.contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()))?;
        part.parse::<u16>().ok()
    };
    let (year, month, day) = (part(4..=4)?, part(1..=2)?, part(1..=2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u16::from(leap),
        1..=12 => 31,
        _ => return None,
    };
    (parts.next().is_none() && (1..=days).contains(&day)).then(|| format!("{year:04}-{month:02}-{day:02}T00:00:00Z"))
}

fn word(text: &str) -> Option<Result<Value, String>> {
    Some(Ok(match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Value::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Value::Bool(false),
        "~" | "null" | "Null" | "NULL" => Value::Null,
        ".nan" | ".NaN" | ".NAN" => return Some(Err("json: unsupported value: NaN".into())),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Some(Err("json: unsupported value: +Inf".into()));
        }
        "-.inf" | "-.Inf" | "-.INF" => return Some(Err("json: unsupported value: -Inf".into())),
        _ => return None,
    }))
}

/// An integer in any of Go's bases or a decimal float; `None` for anything else (dates, versions, `1Gi`).
pub fn number(text: &str) -> Option<Number> {
    if text.starts_with('.') {
        return float(text);
    }
    let plain = text.replace('_', "");
    integer(&plain).or_else(|| float(&plain))
}

/// Models `strconv.ParseInt(s, 0, 64)` and then `ParseUint`.
fn integer(text: &str) -> Option<Number> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.get(..2).unwrap_or("").to_ascii_lowercase();
    let (radix, digits) = match lower.as_str() {
        "0x" => (16, &digits[2..]),
        "0o" => (8, &digits[2..]),
        "0b" => (2, &digits[2..]),
        _ if digits.len() > 1 && digits.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    };
    // from_str_radix would take a second sign.
    if !digits.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if !negative {
        return Some(magnitude.into());
    }
    0i64.checked_sub_unsigned(magnitude).map(Into::into)
}

/// Models `yamlStyleFloat` and how Go's JSON encoder writes a whole float: as an integer.
fn float(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(i) => (&unsigned[..i], Some(&unsigned[i + 1..])),
        None => (unsigned, None),
    };
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_fits = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['-', '+']).unwrap_or(e);
        !e.is_empty() && digits(e)
    });
    if !exponent_fits || !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    // Whole numbers below 2^53 are exact both ways.
    if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 {
        return Some((value as i64).into());
    }
    Number::from_f64(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_what_kubectl_takes_it_to_mean() {
        let cases = [
            ("", "null"),
            ("~", "null"),
            ("y", "true"),
            ("Off", "false"),
            ("yEs", "\"yEs\""),
            ("017", "15"),
            ("0o17", "15"),
            ("0x1F", "31"),
            ("0b101", "5"),
            ("-0b101", "-5"),
            ("09", "9"),
            ("1_000", "1000"),
            ("+5", "5"),
            ("-5", "-5"),
            ("--5", "\"--5\""),
            ("1e3", "1000"),
            ("3.0", "3"),
            ("1.", "1"),
            (".5", "0.5"),
            ("1.27", "1.27"),
            ("1.2.3", "\"1.2.3\""),
            ("2001-01-01", "\"2001-01-01\""),
            ("1Gi", "\"1Gi\""),
            ("12:30", "\"12:30\""),
            ("18446744073709551615", "18446744073709551615"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("12345678901234567890123", "1.2345678901234568e+22"),
            (".", "\".\""),
            ("-", "\"-\""),
            ("0x", "\"0x\""),
            ("<<", "\"<<\""),
        ];
        for (text, json) in cases {
            assert_eq!(resolve(text, Scalars::Kubectl).map(|v| v.to_string()).as_deref(), Ok(json), "{text:?}");
        }
        assert_eq!(resolve(".nan", Scalars::Kubectl), Err("json: unsupported value: NaN".into()));
        // Too large for a float: a string, as in Go where ParseFloat fails.
        assert_eq!(resolve("1e999", Scalars::Kubectl), Ok("1e999".into()));
    }

    #[test]
    fn means_what_kustomize_takes_it_to_mean() {
        let cases = [
            ("yes", "\"yes\""),
            ("Off", "\"Off\""),
            ("n", "\"n\""),
            ("True", "true"),
            ("tRUE", "\"tRUE\""),
            ("~", "null"),
            ("010", "8"),
            ("2020-01-01", "\"2020-01-01T00:00:00Z\""),
            ("2020-1-2", "\"2020-01-02T00:00:00Z\""),
            ("2020-13-01", "\"2020-13-01\""),
            ("2023-02-29", "\"2023-02-29\""),
            ("2020-01-01-01", "\"2020-01-01-01\""),
            ("12:30", "\"12:30\""),
        ];
        for (text, json) in cases {
            assert_eq!(resolve(text, Scalars::Kyaml).map(|v| v.to_string()).as_deref(), Ok(json), "{text:?}");
        }
    }
}
