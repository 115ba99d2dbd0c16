//! Methods of lists beyond the simplest. Models cel-go's `ext/lists.go`.

use crate::eval::{Answer, Value};
use std::cmp::Ordering;
use std::rc::Rc;

/// The names of all of them.
pub const METHODS: [&str; 9] =
    ["slice", "flatten", "sort", "sortBy", "distinct", "reverse", "first", "last", "unwrapOpt"];

fn list(all: Vec<Value>) -> Answer {
    Ok(Value::List(Rc::new(all)))
}

/// `None`: there is no such method.
pub fn method(of: &[Value], name: &str, args: &[Value]) -> Option<Answer> {
    Some(match (name, args) {
        ("slice", [Value::Int(from), Value::Int(to)]) => slice(of, *from, *to),
        ("flatten", []) => list(flattened(of, 1)),
        ("flatten", [Value::Int(depth)]) if *depth < 0 => Err("level must be non-negative".into()),
        ("flatten", [Value::Int(depth)]) => list(flattened(of, *depth)),
        ("sort", []) => sorted(of, of),
        ("distinct", []) => {
            let mut seen: Vec<Value> = Vec::new();
            for v in of {
                if !seen.iter().any(|s| s.equals(v)) {
                    seen.push(v.clone());
                }
            }
            list(seen)
        }
        ("reverse", []) => list(of.iter().rev().cloned().collect()),
        ("first", []) => Ok(Value::Optional(of.first().cloned().map(Rc::new))),
        ("last", []) => Ok(Value::Optional(of.last().cloned().map(Rc::new))),
        ("unwrapOpt", []) => list(unwrapped(of)),
        _ => return None,
    })
}

/// Those that have a value.
pub fn unwrapped(of: &[Value]) -> Vec<Value> {
    let inner = |v: &Value| match v {
        Value::Optional(of) => of.as_ref().map(|v| (**v).clone()),
        other => Some(other.clone()),
    };
    of.iter().filter_map(inner).collect()
}

fn slice(of: &[Value], from: i64, to: i64) -> Answer {
    let (start, end) = (usize::try_from(from), usize::try_from(to));
    let (Ok(start), Ok(end)) = (start, end) else {
        return Err(format!("cannot slice({from}, {to}), negative indexes not supported"));
    };
    if start > end {
        return Err(format!("cannot slice({from}, {to}), start index must be less than or equal to end index"));
    }
    of.get(start..end).map_or_else(
        || Err(format!("cannot slice({from}, {to}), list is length {}", of.len())),
        |part| list(part.to_vec()),
    )
}

fn flattened(of: &[Value], depth: i64) -> Vec<Value> {
    let mut all = Vec::new();
    for v in of {
        match v {
            Value::List(inner) if depth > 0 => all.extend(flattened(inner, depth - 1)),
            other => all.push(other.clone()),
        }
    }
    all
}

/// The values in the order of their keys.
pub fn sorted(of: &[Value], keys: &[Value]) -> Answer {
    let comparable = keys.windows(2).all(|w| w[0].kind() == w[1].kind() && w[0].order(&w[1]).is_some());
    if !comparable || keys.first().is_some_and(|k| k.order(k).is_none()) {
        return Err("list elements must be comparable".into());
    }
    let mut order: Vec<usize> = (0..of.len().min(keys.len())).collect();
    order.sort_by(|a, b| keys[*a].order(&keys[*b]).unwrap_or(Ordering::Equal));
    list(order.into_iter().map(|i| of[i].clone()).collect())
}
