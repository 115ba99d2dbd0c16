//! How Go prints values: `%v` of trees and slices, times, durations, URLs.

use super::view::View;
use meta::Duration;
use meta::k8s_openapi::jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;

/// `%v` of a value of an unstructured object.
pub fn value(v: &Value) -> String {
    match v {
        Value::Null => "<nil>".into(),
        Value::Bool(b) => b.to_string(),
        Value::Number(n) if n.is_f64() => float(n.as_f64().unwrap_or(0.0)),
        Value::Number(n) => n.to_string(),
        Value::String(s) => s.clone(),
        Value::Array(a) => slice(a.iter().map(value)),
        Value::Object(_) => {
            let entries = View::new(v).entries().into_iter();
            let entries: Vec<String> =
                entries.map(|(k, v)| format!("{k}:{}", value(v.value().unwrap_or(&Value::Null)))).collect();
            format!("map[{}]", entries.join(" "))
        }
    }
}

/// `%v` of a slice: `[a b]`.
pub fn slice<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> String {
    let items: Vec<String> = items.into_iter().map(|s| s.as_ref().to_string()).collect();
    format!("[{}]", items.join(" "))
}

/// `%v` of a map of strings: `map[a:1 b:2]`.
pub fn map(v: View) -> String {
    let entries: Vec<String> = v.entries().into_iter().map(|(k, v)| format!("{k}:{}", v.text())).collect();
    format!("map[{}]", entries.join(" "))
}

/// `%v` of a float64: the shortest digits, with an exponent below 1e-4 and from 1e21 on.
fn float(f: f64) -> String {
    let scientific = format!("{f:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    match exponent.parse::<i32>() {
        Ok(e) if f != 0.0 && !(-4..21).contains(&e) => {
            format!("{digits}e{}{:02}", if e < 0 { '-' } else { '+' }, e.abs())
        }
        _ => f.to_string(),
    }
}

/// `%v` of a reference to a Secret. Models the generated `String` methods.
pub fn local_reference(v: View) -> String {
    if v.is_set() { format!("&LocalObjectReference{{Name:{},}}", v.s("name")) } else { "nil".into() }
}
pub fn secret_reference(v: View) -> String {
    if v.is_set() {
        format!("&SecretReference{{Name:{},Namespace:{},}}", v.s("name"), v.s("namespace"))
    } else {
        "nil".into()
    }
}

pub fn text_or<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.is_empty() { otherwise } else { text }
}

/// `True` or `False`.
pub fn yes(b: bool) -> &'static str {
    if b { "True" } else { "False" }
}
pub fn yes_or_unset(v: View) -> &'static str {
    match v.value() {
        Some(Value::Bool(b)) => yes(*b),
        _ => "<unset>",
    }
}

/// Microseconds since 1970 of an RFC 3339 time; `None` for the zero time.
pub fn micros(v: View) -> Option<i64> {
    v.text().parse::<Timestamp>().ok().map(Timestamp::as_microsecond)
}

/// Go's `time.RFC1123Z` in UTC: `Mon, 02 Jan 2006 15:04:05 +0000`.
pub fn time(v: View) -> String {
    formatted(v, "%a, %d %b %Y %H:%M:%S +0000").unwrap_or_else(|| "Mon, 01 Jan 0001 00:00:00 +0000".into())
}

/// `%s` of a `metav1.Time`: `2006-01-02 15:04:05 +0000 UTC`.
pub fn plain_time(v: View) -> String {
    formatted(v, "%Y-%m-%d %H:%M:%S +0000 UTC").unwrap_or_else(|| "0001-01-01 00:00:00 +0000 UTC".into())
}

fn formatted(v: View, format: &str) -> Option<String> {
    let t = Timestamp::from_microsecond(micros(v)?).ok()?;
    Some(t.to_zoned(TimeZone::UTC).strftime(format).to_string())
}

/// How long ago that was. Models `translateTimestampSince`.
pub fn since(v: View, now: i64) -> String {
    micros(v).map_or_else(|| "<unknown>".into(), |t| human(now - t))
}

/// Models `duration.HumanDuration` of microseconds.
pub fn human(micros: i64) -> String {
    match u64::try_from(micros) {
        Ok(micros) => Duration(micros).human(),
        Err(_) if micros / 1_000_000 < -1 => "<invalid>".into(),
        Err(_) => "0s".into(),
    }
}

/// Go's `net.JoinHostPort`.
pub fn host_port(host: &str, port: &str) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Go's `url.URL.String()` of a scheme, a host that may have a port, and a path.
pub fn url(scheme: &str, host: &str, path: &str) -> String {
    let mut out = String::new();
    if !scheme.is_empty() {
        out = format!("{scheme}:");
    }
    if !host.is_empty() || (!scheme.is_empty() && !path.is_empty()) {
        out.push_str("//");
        out.push_str(&escape(host, b"!$&'()*+,;=:[]<>\""));
    }
    let path = if path == "*" { path.to_string() } else { escape(path, b"$&+,/:;=@") };
    if !path.is_empty() && !path.starts_with('/') && !host.is_empty() {
        out.push('/');
    }
    out + &path
}

fn escape(text: &str, also: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) || also.contains(&b) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}

/// `int64(f)` of Go on amd64: what does not fit is the smallest number.
pub fn whole(f: f64) -> i64 {
    let fits = f.is_finite() && f.abs() < i64::MAX as f64;
    if fits { f as i64 } else { i64::MIN }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn trees_print_as_go_prints_them() {
        for (v, text) in [
            (json!(null), "<nil>"),
            (json!(true), "true"),
            (json!(3), "3"),
            (json!(1.0), "1"),
            (json!(0.25), "0.25"),
            (json!(1e-7), "1e-07"),
            (json!(1.5e300), "1.5e+300"),
            (json!(1e20), "100000000000000000000"),
            (json!(["a", 1, null]), "[a 1 <nil>]"),
            (json!({"b": 1, "a": {"c": []}}), "map[a:map[c:[]] b:1]"),
        ] {
            assert_eq!(value(&v), text);
        }
    }

    #[test]
    fn times_are_in_utc() {
        let v = json!("2026-03-05T07:08:09Z");
        assert_eq!(time(View::new(&v)), "Thu, 05 Mar 2026 07:08:09 +0000");
        assert_eq!(plain_time(View::new(&v)), "2026-03-05 07:08:09 +0000 UTC");
        assert_eq!(time(View::default()), "Mon, 01 Jan 0001 00:00:00 +0000");
    }

    #[test]
    fn a_clock_may_be_a_little_behind() {
        for (micros, text) in
            [(5_000_000, "5s"), (-500_000, "0s"), (-1_500_000, "0s"), (-2_000_000, "<invalid>"), (125_000_000, "2m5s")]
        {
            assert_eq!(human(micros), text);
        }
        assert_eq!(since(View::default(), 0), "<unknown>");
    }

    #[test]
    fn urls_are_escaped() {
        for (scheme, host, path, text) in [
            ("http", ":8080", "/healthz", "http://:8080/healthz"),
            ("https", "example.com:443", "ready?x=1", "https://example.com:443/ready%3Fx=1"),
            ("http", "[::1]:80", "", "http://[::1]:80"),
            ("", "", "", ""),
            ("", "host", "/a b", "//host/a%20b"),
        ] {
            assert_eq!(url(scheme, host, path), text);
        }
    }

    #[test]
    fn numbers_that_do_not_fit() {
        assert_eq!(whole(12.9), 12);
        assert_eq!(whole(f64::NAN), i64::MIN);
        assert_eq!(whole(f64::INFINITY), i64::MIN);
    }
}
