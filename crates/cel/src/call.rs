//! Functions and methods. Models cel-go's standard library and `k8s.io/apiserver/pkg/cel/library`.

use crate::clock;
use crate::eval::{Answer, Value};
use crate::formats;
use crate::lists;
use crate::text::{self, Url};
use crate::version::normalized;
use meta::Quantity;
use std::cmp::Ordering;
use std::net::IpAddr;
use std::rc::Rc;

/// The names of all functions below.
pub const FUNCTIONS: &[&str] = &[
    "size",
    "quantity",
    "isQuantity",
    "semver",
    "isSemver",
    "int",
    "uint",
    "double",
    "string",
    "bool",
    "bytes",
    "dyn",
    "url",
    "isURL",
    "ip",
    "isIP",
    "cidr",
    "isCIDR",
    "duration",
    "timestamp",
    "matches",
    "type",
    "sign",
];

/// The names of all methods, those of strings and of optional values among them.
pub const METHODS: &[&str] = &[
    "size",
    "startsWith",
    "endsWith",
    "contains",
    "lowerAscii",
    "upperAscii",
    "trim",
    "replace",
    "split",
    "matches",
    "find",
    "findAll",
    "indexOf",
    "lastIndexOf",
    "charAt",
    "substring",
    "reverse",
    "format",
    "join",
    "sum",
    "min",
    "max",
    "isSorted",
    "compareTo",
    "isGreaterThan",
    "isLessThan",
    "add",
    "sub",
    "asInteger",
    "isInteger",
    "asApproximateFloat",
    "sign",
    "major",
    "minor",
    "patch",
    "getScheme",
    "getHost",
    "getHostname",
    "getPort",
    "getEscapedPath",
    "getQuery",
    "validate",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getFullYear",
    "getMonth",
    "getHours",
    "getMinutes",
    "getSeconds",
    "getMilliseconds",
    "family",
    "isLoopback",
    "isUnspecified",
    "ip",
    "prefixLength",
    "containsIP",
    "containsCIDR",
    "masked",
    "isGlobalUnicast",
    "isLinkLocalMulticast",
    "isLinkLocalUnicast",
    "orValue",
    "or",
    "hasValue",
    "value",
    "of",
    "none",
    "optMap",
    "optFlatMap",
    "?select",
];

fn none() -> Answer {
    Err("no such overload".into())
}

fn arithmetic(name: &str, a: &Value, b: &Value) -> Answer {
    use Value::{Double, Duration, Int, List, Text, Timestamp, Uint};
    let checked = |n: Option<i64>| n.map(Int).ok_or_else(|| "integer overflow".to_string());
    let unsigned = |n: Option<u64>| n.map(Uint).ok_or_else(|| "unsigned integer overflow".to_string());
    match (name, a, b) {
        ("/" | "%", Int(_), Int(0)) | ("/" | "%", Uint(_), Uint(0)) => {
            Err(if name == "/" { "division by zero" } else { "modulus by zero" }.into())
        }
        ("+", Int(a), Int(b)) => checked(a.checked_add(*b)),
        ("-", Int(a), Int(b)) => checked(a.checked_sub(*b)),
        ("*", Int(a), Int(b)) => checked(a.checked_mul(*b)),
        ("/", Int(a), Int(b)) => checked(a.checked_div(*b)),
        ("%", Int(a), Int(b)) => checked(a.checked_rem(*b)),
        ("+", Uint(a), Uint(b)) => unsigned(a.checked_add(*b)),
        ("-", Uint(a), Uint(b)) => unsigned(a.checked_sub(*b)),
        ("*", Uint(a), Uint(b)) => unsigned(a.checked_mul(*b)),
        ("/", Uint(a), Uint(b)) => unsigned(a.checked_div(*b)),
        ("%", Uint(a), Uint(b)) => unsigned(a.checked_rem(*b)),
        ("+", Duration(a), Duration(b)) => a.checked_add(*b).map(Duration).ok_or_else(|| "duration overflow".into()),
        ("-", Duration(a), Duration(b)) => a.checked_sub(*b).map(Duration).ok_or_else(|| "duration overflow".into()),
        ("-", Timestamp(a), Timestamp(b)) => i64::try_from(a - b).map(Duration).map_err(|_| "duration overflow".into()),
        ("+", Timestamp(a), Duration(b)) | ("+", Duration(b), Timestamp(a)) => {
            clock::moment(a + i128::from(*b)).map(Timestamp).ok_or_else(|| "timestamp overflow".into())
        }
        ("-", Timestamp(a), Duration(b)) => {
            clock::moment(a - i128::from(*b)).map(Timestamp).ok_or_else(|| "timestamp overflow".into())
        }
        ("+", Double(a), Double(b)) => Ok(Double(a + b)),
        ("-", Double(a), Double(b)) => Ok(Double(a - b)),
        ("*", Double(a), Double(b)) => Ok(Double(a * b)),
        ("/", Double(a), Double(b)) => Ok(Double(a / b)),
        ("+", Text(a), Text(b)) => Ok(Value::text(&format!("{a}{b}"))),
        ("+", List(a), List(b)) => Ok(List(Rc::new(a.iter().chain(b.iter()).cloned().collect()))),
        _ => none(),
    }
}

pub fn function(name: &str, args: &[Value]) -> Answer {
    match (name, args) {
        ("==", [a, b]) => Ok(Value::Bool(a.equals(b))),
        ("!=", [a, b]) => Ok(Value::Bool(!a.equals(b))),
        ("<" | "<=" | ">" | ">=", [a, b]) => {
            let Some(order) = a.order(b) else { return none() };
            Ok(Value::Bool(match name {
                "<" => order.is_lt(),
                "<=" => order.is_le(),
                ">" => order.is_gt(),
                _ => order.is_ge(),
            }))
        }
        ("in", [item, Value::List(list)]) => Ok(Value::Bool(list.iter().any(|v| v.equals(item)))),
        ("in", [Value::Text(key), Value::Map(map)]) => Ok(Value::Bool(map.contains_key(&**key))),
        ("in", [Value::Text(_), Value::Domains(_)]) => Ok(Value::Bool(true)),
        ("+" | "-" | "*" | "/" | "%", [a, b]) => arithmetic(name, a, b),
        ("!", [Value::Bool(b)]) => Ok(Value::Bool(!b)),
        ("neg", [Value::Int(n)]) => n.checked_neg().map(Value::Int).ok_or_else(|| "integer overflow".into()),
        ("neg", [Value::Double(n)]) => Ok(Value::Double(-n)),
        ("size", [v]) => method(v, "size", &[]),
        ("matches", [v, pattern]) => method(v, "matches", std::slice::from_ref(pattern)),
        ("quantity", [Value::Text(s)]) => {
            Quantity::parse(s).map(Value::Quantity).map_err(|_| format!("failed to parse quantity {s:?}"))
        }
        ("isQuantity", [Value::Text(s)]) => Ok(Value::Bool(Quantity::parse(s).is_ok())),
        ("semver", [Value::Text(s)]) => Value::version(s).ok_or_else(|| format!("failed to parse version {s:?}")),
        ("isSemver", [Value::Text(s)]) => Ok(Value::Bool(Value::version(s).is_some())),
        ("semver" | "isSemver", [Value::Text(s), Value::Bool(normalize)]) => match (normalize, normalized(s)) {
            (false, _) => function(name, &args[..1]),
            (true, Some(s)) => function(name, &[Value::text(&s)]),
            (true, None) if name == "isSemver" => Ok(Value::Bool(false)),
            (true, None) => Err("short version cannot contain PreRelease/Build meta data".into()),
        },
        ("int", [v]) => match v {
            Value::Int(_) => Ok(v.clone()),
            Value::Uint(n) => i64::try_from(*n).map(Value::Int).map_err(|_| "integer overflow".into()),
            Value::Double(n) => Ok(Value::Int(*n as i64)),
            Value::Duration(n) => Ok(Value::Int(*n)),
            Value::Timestamp(n) => Ok(Value::Int(clock::unix(*n))),
            Value::Text(s) => s.parse().map(Value::Int).map_err(|_| format!("cannot convert {s:?} to int")),
            _ => none(),
        },
        ("double", [v]) => match v {
            Value::Int(n) => Ok(Value::Double(*n as f64)),
            Value::Uint(n) => Ok(Value::Double(*n as f64)),
            Value::Double(_) => Ok(v.clone()),
            Value::Text(s) => s.parse().map(Value::Double).map_err(|_| format!("cannot convert {s:?} to double")),
            _ => none(),
        },
        ("bytes", [Value::Text(s)]) => Ok(Value::Bytes(s.as_bytes().into())),
        ("bytes", [v @ Value::Bytes(_)]) => Ok(v.clone()),
        ("string", [v]) => match v {
            Value::Text(_) => Ok(v.clone()),
            Value::Bytes(b) => std::str::from_utf8(b)
                .map(Value::text)
                .map_err(|_| "invalid UTF-8 in bytes, cannot convert to string".into()),
            Value::Int(n) => Ok(Value::text(&n.to_string())),
            Value::Uint(n) => Ok(Value::text(&n.to_string())),
            Value::Bool(b) => Ok(Value::text(&b.to_string())),
            Value::Double(_) | Value::Ip(_) | Value::Cidr(..) | Value::Duration(_) | Value::Timestamp(_) => {
                Ok(Value::text(&v.shown()))
            }
            _ => none(),
        },
        ("uint", [v]) => match v {
            Value::Uint(_) => Ok(v.clone()),
            Value::Int(n) => u64::try_from(*n).map(Value::Uint).map_err(|_| "unsigned integer overflow".into()),
            Value::Double(n) if *n < 0.0 => Err("unsigned integer overflow".into()),
            Value::Double(n) => Ok(Value::Uint(*n as u64)),
            Value::Text(s) => s.parse().map(Value::Uint).map_err(|_| format!("cannot convert {s:?} to uint")),
            _ => none(),
        },
        ("url", [Value::Text(s)]) => Url::parse(s)
            .map(|u| Value::Url(Rc::new(u)))
            .ok_or_else(|| format!("URL parse error during conversion from string: parse {s:?}")),
        ("isURL", [Value::Text(s)]) => Ok(Value::Bool(Url::parse(s).is_some())),
        ("ip", [Value::Text(s)]) => text::ip(s)
            .map(Value::Ip)
            .ok_or_else(|| format!("IP Address {s:?} parse error during conversion from string")),
        ("isIP", [Value::Text(s)]) => Ok(Value::Bool(text::ip(s).is_some())),
        ("cidr", [Value::Text(s)]) => text::cidr(s)
            .map(|(a, n)| Value::Cidr(a, n))
            .ok_or_else(|| format!("network address parse error during conversion from string: {s:?}")),
        ("isCIDR", [Value::Text(s)]) => Ok(Value::Bool(text::cidr(s).is_some())),
        ("duration", [v @ Value::Duration(_)]) | ("timestamp", [v @ Value::Timestamp(_)]) => Ok(v.clone()),
        ("duration", [Value::Text(s)]) => {
            clock::duration(s).map(Value::Duration).ok_or_else(|| format!("time: invalid duration {s:?}"))
        }
        ("timestamp", [Value::Text(s)]) => {
            let why = || format!("parsing time {s:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse");
            clock::timestamp(s).map(Value::Timestamp).ok_or_else(why)
        }
        ("timestamp", [Value::Int(n)]) => {
            let overflow = || "timestamp overflow".to_string();
            clock::moment(i128::from(*n) * 1_000_000_000).map(Value::Timestamp).ok_or_else(overflow)
        }
        ("bool", [Value::Bool(b)]) => Ok(Value::Bool(*b)),
        ("bool", [Value::Text(s)]) => match &**s {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Value::Bool(true)),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Value::Bool(false)),
            _ => Err(format!("strconv.ParseBool: parsing {s:?}: invalid syntax")),
        },
        ("type", [v]) => Ok(Value::Type(v.kind())),
        ("sign", [v]) => method(v, "sign", &[]),
        ("dyn", [v]) => Ok(v.clone()),
        (name, _) => Err(format!("undeclared reference to '{name}' (in container '')")),
    }
}

fn ordered(name: &str, order: Ordering) -> Answer {
    match name {
        "compareTo" => Ok(Value::Int(order as i64)),
        "isGreaterThan" => Ok(Value::Bool(order.is_gt())),
        "isLessThan" => Ok(Value::Bool(order.is_lt())),
        _ => none(),
    }
}

pub fn method(target: &Value, name: &str, args: &[Value]) -> Answer {
    match (target, name, args) {
        (Value::Foreign(of), name, args) => of.call(name, args).unwrap_or_else(none),
        (Value::Text(s), "size", []) => Ok(Value::Int(s.chars().count() as i64)),
        (Value::List(l), "size", []) => Ok(Value::Int(l.len() as i64)),
        (Value::Map(m) | Value::Domains(m), "size", []) => Ok(Value::Int(m.len() as i64)),
        (Value::Text(s), "startsWith", [Value::Text(t)]) => Ok(Value::Bool(s.starts_with(&**t))),
        (Value::Text(s), "endsWith", [Value::Text(t)]) => Ok(Value::Bool(s.ends_with(&**t))),
        (Value::Text(s), "contains", [Value::Text(t)]) => Ok(Value::Bool(s.contains(&**t))),
        (Value::Text(s), "lowerAscii", []) => Ok(Value::text(&s.to_ascii_lowercase())),
        (Value::Text(s), "upperAscii", []) => Ok(Value::text(&s.to_ascii_uppercase())),
        (Value::Text(s), "trim", []) => Ok(Value::text(s.trim())),
        (Value::Text(s), "replace", [Value::Text(a), Value::Text(b)]) => Ok(Value::text(&s.replace(&**a, b))),
        (Value::List(list), "join", []) => Ok(Value::text(&list.iter().map(Value::shown).collect::<String>())),
        (Value::List(list), "join", [Value::Text(by)]) => {
            Ok(Value::text(&list.iter().map(Value::shown).collect::<Vec<_>>().join(by)))
        }
        (Value::List(list), "sum", []) => list.iter().try_fold(Value::Int(0), |sum, v| match (&sum, v) {
            (Value::Int(0), Value::Double(_)) => Ok(v.clone()),
            _ => arithmetic("+", &sum, v),
        }),
        (Value::List(list), "min" | "max", []) => {
            let wanted = if name == "min" { Ordering::Less } else { Ordering::Greater };
            let best = list.iter().reduce(|a, b| if b.order(a) == Some(wanted) { b } else { a });
            best.cloned().ok_or_else(|| format!("{name} called on empty list"))
        }
        (Value::List(list), "isSorted", []) => {
            Ok(Value::Bool(list.windows(2).all(|w| w[0].order(&w[1]) != Some(Ordering::Greater))))
        }
        (Value::List(list), "indexOf", [v]) => {
            Ok(Value::Int(list.iter().position(|o| o.equals(v)).map_or(-1, |i| i as i64)))
        }
        (Value::List(list), "lastIndexOf", [v]) => {
            Ok(Value::Int(list.iter().rposition(|o| o.equals(v)).map_or(-1, |i| i as i64)))
        }
        (Value::List(list), name, args) if lists::METHODS.contains(&name) => {
            lists::method(list, name, args).unwrap_or_else(none)
        }
        (Value::Url(u), "getScheme", []) => Ok(Value::text(&u.scheme)),
        (Value::Url(u), "getHost", []) => Ok(Value::text(&u.host)),
        (Value::Url(u), "getHostname", []) => Ok(Value::text(u.hostname())),
        (Value::Url(u), "getPort", []) => Ok(Value::text(u.port())),
        (Value::Bytes(b), "size", []) => Ok(Value::Int(b.len() as i64)),
        (Value::Format(format), "validate", [Value::Text(s)]) => {
            let wrong = formats::check(format, s);
            let list = || Rc::new(Value::List(Rc::new(wrong.iter().map(|w| Value::text(w)).collect())));
            Ok(Value::Optional((!wrong.is_empty()).then(list)))
        }
        (Value::Url(u), "getQuery", []) => {
            let list = |all: Vec<String>| Value::List(Rc::new(all.iter().map(|v| Value::text(v)).collect()));
            Ok(Value::map(u.query().into_iter().map(|(k, all)| (k, list(all)))))
        }
        (Value::Url(u), "getEscapedPath", []) => Ok(Value::text(&u.path)),
        (Value::Timestamp(n), name, []) => clock::part(*n, name, 0).map_or_else(none, |n| Ok(Value::Int(n))),
        (Value::Timestamp(n), name, [Value::Text(zone)]) => {
            let ahead = clock::zone(*n, zone)?;
            clock::part(*n, name, ahead).map_or_else(none, |n| Ok(Value::Int(n)))
        }
        (Value::Duration(n), "getHours", []) => Ok(Value::Int(n / 3_600_000_000_000)),
        (Value::Duration(n), "getMinutes", []) => Ok(Value::Int(n / 60_000_000_000)),
        (Value::Duration(n), "getSeconds", []) => Ok(Value::Int(n / 1_000_000_000)),
        (Value::Duration(n), "getMilliseconds", []) => Ok(Value::Int(n / 1_000_000)),
        (Value::Ip(a), "family", []) => Ok(Value::Int(if a.is_ipv4() { 4 } else { 6 })),
        (Value::Ip(a), "isLoopback", []) => Ok(Value::Bool(a.is_loopback())),
        (Value::Ip(a), "isUnspecified", []) => Ok(Value::Bool(a.is_unspecified())),
        (Value::Ip(a), "isLinkLocalUnicast", []) => Ok(Value::Bool(text::is_link_local(*a))),
        (Value::Ip(a), "isLinkLocalMulticast", []) => Ok(Value::Bool(text::is_link_local_multicast(*a))),
        (Value::Ip(a), "isGlobalUnicast", []) => {
            let is_broadcast = *a == IpAddr::V4(std::net::Ipv4Addr::BROADCAST);
            let is_special = a.is_unspecified() || a.is_loopback() || a.is_multicast() || text::is_link_local(*a);
            Ok(Value::Bool(!is_broadcast && !is_special))
        }
        (Value::Cidr(a, _), "ip", []) => Ok(Value::Ip(*a)),
        (Value::Cidr(a, n), "masked", []) => Ok(Value::Cidr(text::masked(*a, *n), *n)),
        (Value::Cidr(a, n), "containsCIDR", [v]) => {
            let (b, m) = match v {
                Value::Cidr(b, m) => (*b, *m),
                Value::Text(s) => text::cidr(s)
                    .ok_or_else(|| format!("network address parse error during conversion from string: {s:?}"))?,
                _ => return none(),
            };
            let same = a.is_ipv4() == b.is_ipv4() && *n <= m;
            Ok(Value::Bool(same && text::network(*a, *n) == text::network(b, *n)))
        }
        (Value::Cidr(_, n), "prefixLength", []) => Ok(Value::Int(i64::from(*n))),
        (Value::Cidr(a, n), "containsIP", [v]) => {
            let address = match v {
                Value::Ip(b) => *b,
                Value::Text(s) => {
                    text::ip(s).ok_or_else(|| format!("IP Address {s:?} parse error during conversion from string"))?
                }
                _ => return none(),
            };
            let same = a.is_ipv4() == address.is_ipv4();
            Ok(Value::Bool(same && text::network(*a, *n) == text::network(address, *n)))
        }
        (Value::OptionalType, "none", []) => Ok(Value::Optional(None)),
        (Value::OptionalType, "of", [v]) => Ok(Value::Optional(Some(Rc::new(v.clone())))),
        (Value::Optional(of), "hasValue", []) => Ok(Value::Bool(of.is_some())),
        (Value::Optional(of), "value", []) => {
            of.as_ref().map(|v| (**v).clone()).ok_or_else(|| "optional.none() dereference".into())
        }
        (Value::Optional(of), "orValue", [v]) => Ok(of.as_ref().map_or_else(|| v.clone(), |v| (**v).clone())),
        (Value::Optional(of), "or", [v]) => Ok(if of.is_some() { target.clone() } else { v.clone() }),
        (Value::Optional(None), "?select", [_]) => Ok(Value::Optional(None)),
        (Value::Optional(Some(v)), "?select", [key]) => method(v, name, std::slice::from_ref(key)),
        (Value::List(list), "?select", [Value::Int(i)]) => {
            let found = usize::try_from(*i).ok().and_then(|i| list.get(i));
            Ok(Value::Optional(found.cloned().map(Rc::new)))
        }
        (map, "?select", [Value::Text(key)]) => Ok(Value::Optional(map.get(key).map(Rc::new))),
        (Value::Quantity(a), "compareTo" | "isGreaterThan" | "isLessThan", [Value::Quantity(b)]) => {
            ordered(name, a.cmp(b))
        }
        (Value::Quantity(a), "add", [Value::Quantity(b)]) => Ok(Value::Quantity(*a + *b)),
        (Value::Quantity(a), "sub", [Value::Quantity(b)]) => Ok(Value::Quantity(*a - *b)),
        (Value::Quantity(a), "add", [Value::Int(b)]) => Ok(Value::Quantity(*a + Quantity::from_value(*b))),
        (Value::Quantity(a), "sub", [Value::Int(b)]) => Ok(Value::Quantity(*a - Quantity::from_value(*b))),
        (Value::Quantity(a), "asInteger", []) if Quantity::from_value(a.value()) == *a => Ok(Value::Int(a.value())),
        (Value::Quantity(_), "asInteger", []) => Err("cannot convert value to integer".into()),
        (Value::Quantity(a), "isInteger", []) => Ok(Value::Bool(Quantity::from_value(a.value()) == *a)),
        (Value::Quantity(a), "asApproximateFloat", []) => Ok(Value::Double(a.milli_value() as f64 / 1000.0)),
        (Value::Quantity(a), "sign", []) => {
            Ok(Value::Int(if a.is_zero() { 0 } else { if a.is_negative() { -1 } else { 1 } }))
        }
        (Value::Version(a), "compareTo" | "isGreaterThan" | "isLessThan", [Value::Version(b)]) => {
            ordered(name, a.cmp(b))
        }
        (Value::Version(a), "major", []) => Ok(Value::Int(a.part(0) as i64)),
        (Value::Version(a), "minor", []) => Ok(Value::Int(a.part(1) as i64)),
        (Value::Version(a), "patch", []) => Ok(Value::Int(a.part(2) as i64)),
        (Value::Text(s), name, args) => text::method(s, name, args).unwrap_or_else(none),
        _ => none(),
    }
}
