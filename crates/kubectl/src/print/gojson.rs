//! JSON as Go's `encoding/json` writes it.

use super::fields::Place;
use serde_json::{Number, Value};

/// `json.MarshalIndent(v, "", "    ")` and a line's end.
pub(crate) fn indented(v: &Value) -> String {
    let mut out = String::new();
    write(v, Some("    "), 0, None, &mut out);
    out.push('\n');
    out
}

/// [`indented`], as what was decoded into Go's type of the kind is written.
pub(crate) fn indented_typed(v: &Value) -> String {
    let mut out = String::new();
    write(v, Some("    "), 0, Some(&Place::root(v)), &mut out);
    out.push('\n');
    out
}

/// [`compact`], likewise.
pub(crate) fn compact_typed(v: &Value) -> String {
    let mut out = String::new();
    write(v, None, 0, Some(&Place::root(v)), &mut out);
    out
}

/// `json.Marshal(v)`.
pub(crate) fn compact(v: &Value) -> String {
    let mut out = String::new();
    write(v, None, 0, None, &mut out);
    out
}

fn write(v: &Value, indent: Option<&str>, depth: usize, place: Option<&Place>, out: &mut String) {
    let line = |depth: usize, out: &mut String| {
        if let Some(i) = indent {
            out.push('\n');
            out.extend(std::iter::repeat_n(i, depth));
        }
    };
    match v {
        Value::Object(map) if !map.is_empty() => {
            out.push('{');
            let pairs = place.map_or_else(|| map.iter().collect(), |p| p.order(map));
            for (i, (key, value)) in pairs.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                line(depth + 1, out);
                string(key, out);
                out.push_str(if indent.is_some() { ": " } else { ":" });
                write(value, indent, depth + 1, place.map(|p| p.below(key)).as_ref(), out);
            }
            line(depth, out);
            out.push('}');
        }
        Value::Array(list) if !list.is_empty() => {
            out.push('[');
            for (i, value) in list.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                line(depth + 1, out);
                write(value, indent, depth + 1, place, out);
            }
            line(depth, out);
            out.push(']');
        }
        Value::Object(_) => out.push_str("{}"),
        Value::Array(_) => out.push_str("[]"),
        Value::String(s) => string(s, out),
        Value::Number(n) => out.push_str(&number(n)),
        other => out.push_str(&other.to_string()),
    }
}

fn string(s: &str, out: &mut String) {
    out.push('"');
    for c in s.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\u{7f}' if c != '\u{7f}' => {
                out.push_str(&format!("\\u{:04x}", c as u32));
            }
            c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
}

pub(crate) fn number(n: &Number) -> String {
    match n.as_f64() {
        Some(f) if n.is_f64() && f.fract() == 0.0 && f.abs() < 1e21 => format!("{f:.0}"),
        _ => n.to_string(),
    }
}

/// `strconv.FormatFloat(f, 'g', -1, 64)` for what is no integer.
pub(crate) fn number_g(n: &Number) -> String {
    let Some(f) = n.as_f64().filter(|_| n.is_f64()) else { return n.to_string() };
    let scientific = format!("{f:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-4..21).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    format!("{f}")
}
