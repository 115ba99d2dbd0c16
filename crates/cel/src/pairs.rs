//! Macros with two variables, index and value or key and value: `l.all(i, v, i < v)`, `m.transformMap(k, v, v + 1)`. Models
//! cel-go's `ext/comprehensions.go`.

use crate::eval::{Answer, Scope, Value, eval, quantified, truth};
use crate::parse::Expr;
use std::collections::BTreeMap;
use std::rc::Rc;

pub const MACROS: [&str; 7] =
    ["all", "exists", "existsOne", "exists_one", "transformList", "transformMap", "transformMapEntry"];

/// `rest`: what is worked out for each pair, perhaps with a filter before it.
pub fn run(of: &Value, name: &str, names: (&str, &str), rest: &[Expr], outer: Option<&Scope>) -> Answer {
    let pairs: Vec<(Value, Value)> = match of {
        Value::List(list) => list.iter().enumerate().map(|(i, v)| (Value::Int(i as i64), v.clone())).collect(),
        Value::Map(map) | Value::Domains(map) => map.iter().map(|(k, v)| (Value::text(k), v.clone())).collect(),
        _ => return Err("no such overload".into()),
    };
    let with = |e: &Expr, (first, second): &(Value, Value)| {
        let first = Scope { name: names.0, value: first.clone(), outer };
        eval(e, Some(&Scope { name: names.1, value: second.clone(), outer: Some(&first) }))
    };
    let (filter, body) = match rest {
        [body] => (None, body),
        [filter, body] if name.starts_with("transform") => (Some(filter), body),
        _ => return Err("no such overload".into()),
    };
    let kept = |pair: &(Value, Value)| filter.map_or(Ok(true), |f| truth(with(f, pair)));
    let text = |key: Value| match key {
        Value::Text(k) => Ok(k.to_string()),
        _ => Err("unsupported key type".to_string()),
    };
    match name {
        "transformList" => {
            let mut list = Vec::new();
            for pair in &pairs {
                if kept(pair)? {
                    list.push(with(body, pair)?);
                }
            }
            Ok(Value::List(Rc::new(list)))
        }
        "transformMap" | "transformMapEntry" => {
            let mut map = BTreeMap::new();
            for pair in &pairs {
                if !kept(pair)? {
                    continue;
                }
                let made = with(body, pair)?;
                match (name, made) {
                    ("transformMap", made) => _ = map.insert(text(pair.0.clone())?, made),
                    (_, Value::Map(entries)) => {
                        for (k, v) in entries.iter() {
                            if map.insert(k.clone(), v.clone()).is_some() {
                                return Err(format!("insert failed: key {k} already exists"));
                            }
                        }
                    }
                    _ => return Err("no such overload".into()),
                }
            }
            Ok(Value::Map(Rc::new(map)))
        }
        _ => quantified(name, &pairs, |pair| with(body, pair)),
    }
}
