//! The functions of templates. Models Go's `text/template` (`funcs.go`), `fmt` as far as people use it, and kubectl's own.

use super::gojson;
use super::jsonpath::go_value;
use serde_json::Value;

/// Rust formats to no more than 65,535.
const WIDTH_MAX: usize = 10_000;

pub(super) const FUNCTIONS: &[&str] = &[
    "and",
    "base64decode",
    "call",
    "eq",
    "exists",
    "ge",
    "gt",
    "html",
    "index",
    "js",
    "le",
    "len",
    "lt",
    "ne",
    "not",
    "or",
    "print",
    "printf",
    "println",
    "slice",
    "urlquery",
];

/// As Go's `%T` of decoded JSON.
pub(super) fn go_type(v: &Value) -> &'static str {
    match v {
        Value::Null => "nil",
        Value::Bool(_) => "bool",
        Value::Number(n) if n.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// Where the first byte is that Go's decoder does not take.
fn broken_base64(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut count = 0;
    for (i, b) in bytes.iter().enumerate() {
        match b {
            b'\r' | b'\n' => {}
            b'=' if count % 4 >= 2 => return if i + 1 < bytes.len() { i + 1 } else { bytes.len() },
            b if b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/') => count += 1,
            _ => return i,
        }
    }
    bytes.len() - count % 4
}

pub(super) fn truth(v: Option<&Value>) -> bool {
    match v {
        None | Some(Value::Null) => false,
        Some(Value::Bool(b)) => *b,
        Some(Value::Number(n)) => n.as_f64() != Some(0.0),
        Some(Value::String(s)) => !s.is_empty(),
        Some(Value::Array(l)) => !l.is_empty(),
        Some(Value::Object(m)) => !m.is_empty(),
    }
}

pub(super) fn call(name: &str, args: &[Option<Value>]) -> Result<Option<Value>, String> {
    let null = Value::Null;
    let at = |i: usize| args.get(i).and_then(Option::as_ref).unwrap_or(&null);
    let need = |n: usize| {
        if args.len() < n {
            Err(format!("wrong number of args for {name}: want at least {n} got {}", args.len()))
        } else {
            Ok(())
        }
    };
    let order = || {
        let (a, b) = (at(0), at(1));
        match (a, b) {
            // Whole numbers are of another kind.
            (Value::Number(x), Value::Number(y)) if x.is_f64() != y.is_f64() => None,
            (Value::Number(x), Value::Number(y)) => x.as_f64().partial_cmp(&y.as_f64()),
            (Value::String(x), Value::String(y)) => Some(x.cmp(y)),
            (Value::Bool(x), Value::Bool(y)) => Some(x.cmp(y)),
            (Value::Null, Value::Null) => Some(std::cmp::Ordering::Equal),
            _ => None,
        }
        .ok_or_else(|| format!("error calling {name}: incompatible types for comparison"))
    };
    let v: Value = match name {
        "and" => args.iter().find(|a| !truth(a.as_ref())).or(args.last()).cloned().flatten().unwrap_or_default(),
        "or" => args.iter().find(|a| truth(a.as_ref())).or(args.last()).cloned().flatten().unwrap_or_default(),
        "not" => (!truth(args.first().and_then(Option::as_ref))).into(),
        "eq" => {
            need(2)?;
            if args[1..].iter().flatten().any(|b| !at(0).is_null() && !b.is_null() && go_type(b) != go_type(at(0))) {
                return Err("error calling eq: incompatible types for comparison".into());
            }
            args[1..].iter().any(|b| b.as_ref().unwrap_or(&null) == at(0)).into()
        }
        "ne" => (at(0) != at(1)).into(),
        "lt" => order()?.is_lt().into(),
        "le" => order()?.is_le().into(),
        "gt" => order()?.is_gt().into(),
        "ge" => order()?.is_ge().into(),
        "len" => match at(0) {
            Value::String(s) => s.len().into(),
            Value::Array(l) => l.len().into(),
            Value::Object(m) => m.len().into(),
            Value::Null => return Err("error calling len: reflect: call of reflect.Value.Type on zero Value".into()),
            other => return Err(format!("error calling len: len of type {}", go_type(other))),
        },
        "index" => {
            let mut v = at(0).clone();
            for i in 1..args.len() {
                v = match (&v, at(i)) {
                    (Value::Array(list), Value::Number(n)) => {
                        let n = n.as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
                        list.get(n).cloned().ok_or_else(|| format!("error calling index: index out of range: {n}"))?
                    }
                    (Value::Object(map), Value::String(s)) => match map.get(s) {
                        Some(v) => v.clone(),
                        None => return Ok(None),
                    },
                    (Value::Null, _) => return Err("error calling index: index of untyped nil".into()),
                    (Value::Array(_), other) => {
                        let of = go_type(other);
                        return Err(format!("error calling index: cannot index slice/array with type {of}"));
                    }
                    // A number in a template is an int.
                    (Value::Number(n), _) if !n.is_f64() => {
                        return Err("error calling index: can't index item of type int".into());
                    }
                    (other, _) => {
                        return Err(format!("error calling index: can't index item of type {}", go_type(other)));
                    }
                };
            }
            v
        }
        "exists" => {
            let mut v = at(0);
            let mut there = true;
            for i in 1..args.len() {
                let next = match at(i) {
                    Value::String(s) => v.get(s.as_str()),
                    Value::Number(n) => n.as_u64().and_then(|n| v.get(usize::try_from(n).unwrap_or(usize::MAX))),
                    _ => None,
                };
                match next {
                    Some(n) => v = n,
                    None => there = false,
                }
            }
            there.into()
        }
        "base64decode" => {
            use base64::Engine as _;
            let text = at(0).as_str().unwrap_or("");
            let bytes = base64::engine::general_purpose::STANDARD.decode(text);
            let bytes = bytes.map_err(|_| {
                let place = broken_base64(text);
                format!("error calling base64decode: base64 decode failed: illegal base64 data at input byte {place}")
            })?;
            String::from_utf8_lossy(&bytes).into_owned().into()
        }
        "print" | "println" => {
            let mut text = String::new();
            for (i, a) in args.iter().enumerate() {
                let a = a.as_ref().unwrap_or(&null);
                let before = i.checked_sub(1).map(&at);
                if name == "println" && i > 0 || before.is_some_and(|b| !b.is_string() && !a.is_string()) {
                    text.push(' ');
                }
                text.push_str(&go_value(a));
            }
            if name == "println" {
                text.push('\n');
            }
            text.into()
        }
        "printf" => printf(at(0).as_str().unwrap_or(""), args.get(1..).unwrap_or_default()).into(),
        "slice" => {
            let bound = |i: usize, other: usize| at(i).as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(other);
            match at(0) {
                Value::String(s) => s.get(bound(1, 0)..bound(2, s.len())).unwrap_or("").into(),
                Value::Array(l) => l.get(bound(1, 0)..bound(2, l.len())).unwrap_or_default().to_vec().into(),
                _ => return Err("error calling slice: slice of untyped nil".into()),
            }
        }
        "html" => at(0).as_str().unwrap_or("").replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").into(),
        "urlquery" => crate::client::escape(&go_value(at(0))).into(),
        "js" => gojson::compact(&go_value(at(0)).into()).trim_matches('"').into(),
        other => return Err(format!("function {other:?} not defined")),
    };
    Ok(Some(v))
}

/// The verbs people use: `%s %v %d %q %t %f %%` with width and precision.
fn printf(format: &str, args: &[Option<Value>]) -> String {
    let (mut out, mut next, mut chars) = (String::new(), 0, format.chars().peekable());
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut spec = String::new();
        while let Some(d) = chars.peek().copied().filter(|d| d.is_ascii_digit() || matches!(d, '-' | '+' | '.' | '0')) {
            spec.push(d);
            chars.next();
        }
        let Some(verb) = chars.next() else {
            out.push_str("%!(NOVERB)");
            break;
        };
        if verb == '%' {
            out.push('%');
            continue;
        }
        let Some(v) = args.get(next) else {
            out.push_str(&format!("%!{verb}(MISSING)"));
            continue;
        };
        next += 1;
        let v = v.clone().unwrap_or_default();
        let (left, zeros) = (spec.starts_with('-'), spec.starts_with('0') && v.is_number());
        let spec = spec.trim_start_matches(['-', '+']).to_string();
        let (width, precision) = spec.split_once('.').unwrap_or((&spec, ""));
        let mut text = match (verb, &v) {
            ('q', v) => format!("{:?}", go_value(v)),
            ('T', v) => go_type(v).into(),
            ('x', Value::Number(n)) if n.as_u64().is_some() => format!("{:x}", n.as_u64().unwrap_or(0)),
            ('f', v) => format!("{:.*}", precision.parse().unwrap_or(6).min(WIDTH_MAX), v.as_f64().unwrap_or(0.0)),
            ('s' | 'v', Value::Null) => format!("%!{verb}(<nil>)"),
            ('s', Value::Number(n)) => format!("%!s(int64={n})"),
            ('d', Value::String(s)) => format!("%!d(string={s})"),
            (_, v) => go_value(v),
        };
        if verb == 's'
            && let Ok(p) = precision.parse::<usize>()
        {
            text = text.chars().take(p).collect();
        }
        let wide: usize = width.parse().unwrap_or(0).min(WIDTH_MAX);
        let gap = if zeros { "0" } else { " " }.repeat(wide.saturating_sub(text.chars().count()));
        out.push_str(&if left { format!("{text}{gap}") } else { format!("{gap}{text}") });
    }
    out
}
