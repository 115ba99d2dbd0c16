//! Functions and methods. Models cel-go's standard library and `k8s.io/apiserver/pkg/cel/library`.

use super::eval::{Answer, Value};
use meta::Quantity;
use std::cmp::Ordering;
use std::rc::Rc;

fn none() -> Answer {
    Err("no such overload".into())
}

fn arithmetic(name: &str, a: &Value, b: &Value) -> Answer {
    use Value::{Double, Int, List, Text, Uint};
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
        ("quantity", [Value::Text(s)]) => {
            Quantity::parse(s).map(Value::Quantity).map_err(|_| format!("failed to parse quantity {s:?}"))
        }
        ("isQuantity", [Value::Text(s)]) => Ok(Value::Bool(Quantity::parse(s).is_ok())),
        ("semver", [Value::Text(s)]) => Value::version(s).ok_or_else(|| format!("failed to parse version {s:?}")),
        ("isSemver", [Value::Text(s)]) => Ok(Value::Bool(Value::version(s).is_some())),
        ("int", [v]) => match v {
            Value::Int(_) => Ok(v.clone()),
            Value::Uint(n) => i64::try_from(*n).map(Value::Int).map_err(|_| "integer overflow".into()),
            Value::Double(n) => Ok(Value::Int(*n as i64)),
            Value::Text(s) => s.parse().map(Value::Int).map_err(|_| format!("cannot convert {s:?} to int")),
            _ => none(),
        },
        ("double", [v]) => match v {
            Value::Int(n) => Ok(Value::Double(*n as f64)),
            Value::Double(_) => Ok(v.clone()),
            Value::Text(s) => s.parse().map(Value::Double).map_err(|_| format!("cannot convert {s:?} to double")),
            _ => none(),
        },
        ("string", [v]) => match v {
            Value::Text(_) => Ok(v.clone()),
            Value::Int(n) => Ok(Value::text(&n.to_string())),
            Value::Uint(n) => Ok(Value::text(&n.to_string())),
            Value::Bool(b) => Ok(Value::text(&b.to_string())),
            Value::Double(n) => Ok(Value::text(&n.to_string())),
            _ => none(),
        },
        ("bool", [Value::Bool(b)]) => Ok(Value::Bool(*b)),
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
        (Value::Text(s), "split", [Value::Text(t)]) => {
            Ok(Value::List(Rc::new(s.split(&**t).map(Value::text).collect())))
        }
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
        _ => none(),
    }
}
