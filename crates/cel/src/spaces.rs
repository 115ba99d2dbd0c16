//! Functions whose names begin with those of their library: `sets.contains`, `ip.isCanonical`, `strings.quote`, `format.uuid`.
//! Models cel-go's `ext/sets.go` and `ext/strings.go`, and `k8s.io/apiserver/pkg/cel/library/{format, ip}.go`.

use crate::eval::{Answer, Value};
use crate::lists;
use crate::text;
use std::rc::Rc;

const SPACES: &[(&str, &[&str])] = &[
    ("sets", &["contains", "equivalent", "intersects"]),
    ("ip", &["isCanonical"]),
    ("strings", &["quote"]),
    ("lists", &["range"]),
    ("optional", &["ofNonZeroValue", "unwrap"]),
    ("format", FORMATS),
];

const FORMATS: &[&str] = &[
    "named",
    "dns1123Label",
    "dns1123Subdomain",
    "dns1035Label",
    "qualifiedName",
    "labelValue",
    "dns1123LabelPrefix",
    "dns1123SubdomainPrefix",
    "dns1035LabelPrefix",
    "uri",
    "uuid",
    "byte",
    "date",
    "datetime",
];

/// Whether it is a function of a library.
pub fn is_function(space: &str, name: &str) -> bool {
    SPACES.iter().any(|(s, names)| *s == space && names.contains(&name))
}

pub fn call(space: &str, name: &str, args: &[Value]) -> Answer {
    let all_in = |a: &[Value], b: &[Value]| a.iter().all(|v| b.iter().any(|w| w.equals(v)));
    match (space, name, args) {
        ("sets", "contains", [Value::List(a), Value::List(b)]) => Ok(Value::Bool(all_in(b, a))),
        ("sets", "equivalent", [Value::List(a), Value::List(b)]) => Ok(Value::Bool(all_in(a, b) && all_in(b, a))),
        ("sets", "intersects", [Value::List(a), Value::List(b)]) => {
            Ok(Value::Bool(a.iter().any(|v| b.iter().any(|w| w.equals(v)))))
        }
        ("ip", "isCanonical", [Value::Text(s)]) => {
            let address =
                text::ip(s).ok_or_else(|| format!("IP Address {s:?} parse error during conversion from string"))?;
            Ok(Value::Bool(address.to_string() == **s))
        }
        ("strings", "quote", [Value::Text(s)]) => Ok(Value::text(&quote(s))),
        ("lists", "range", [Value::Int(n)]) => Ok(Value::List(Rc::new((0..*n).map(Value::Int).collect()))),
        ("optional", "ofNonZeroValue", [v]) => Ok(Value::Optional((!is_zero(v)).then(|| Rc::new(v.clone())))),
        ("optional", "unwrap", [Value::List(all)]) => Ok(Value::List(Rc::new(lists::unwrapped(all)))),
        ("format", "named", [Value::Text(name)]) => {
            let found = FORMATS.iter().skip(1).find(|f| **f == &**name);
            Ok(Value::Optional(found.map(|f| Rc::new(Value::Format(f)))))
        }
        ("format", name, []) => match FORMATS.iter().skip(1).find(|f| **f == name) {
            Some(f) => Ok(Value::Format(f)),
            None => Err("no such overload".into()),
        },
        _ => Err("no such overload".into()),
    }
}

fn is_zero(v: &Value) -> bool {
    match v {
        Value::Null => true,
        Value::Bool(b) => !b,
        Value::Int(n) | Value::Duration(n) => *n == 0,
        Value::Uint(n) => *n == 0,
        Value::Double(n) => *n == 0.0,
        Value::Text(s) => s.is_empty(),
        Value::Bytes(b) => b.is_empty(),
        Value::List(l) => l.is_empty(),
        Value::Map(m) => m.is_empty(),
        _ => false,
    }
}

/// Between quotes, with what cannot be seen or would end it escaped.
fn quote(s: &str) -> String {
    let mut out = String::from("\"");
    for c in s.chars() {
        match c {
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            c => out.push(c),
        }
    }
    out + "\""
}
