//! A tree to a value.

use super::call;
use super::parse::Expr;
use super::version::Version;
use meta::Quantity;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;

#[derive(Clone, Debug)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(Rc<str>),
    List(Rc<Vec<Value>>),
    Map(Rc<BTreeMap<String, Value>>),
    /// A map that has an empty map for every key it does not list.
    Domains(Rc<BTreeMap<String, Value>>),
    Quantity(Quantity),
    Version(Rc<Version>),
}

pub type Answer = Result<Value, String>;

impl Value {
    pub fn text(s: &str) -> Value {
        Value::Text(s.into())
    }
    pub fn map(entries: impl IntoIterator<Item = (String, Value)>) -> Value {
        Value::Map(Rc::new(entries.into_iter().collect()))
    }
    pub fn version(s: &str) -> Option<Value> {
        Version::parse(s).map(|v| Value::Version(Rc::new(v)))
    }
    /// The name of its type, as errors say it.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null_type",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Uint(_) => "uint",
            Value::Double(_) => "double",
            Value::Text(_) => "string",
            Value::List(_) => "list",
            Value::Map(_) | Value::Domains(_) => "map",
            Value::Quantity(_) => "kubernetes.Quantity",
            Value::Version(_) => "kubernetes.Semver",
        }
    }
    /// The order of two values of comparable types.
    pub fn order(&self, other: &Value) -> Option<Ordering> {
        use Value::{Bool, Double, Int, Text, Uint};
        match (self, other) {
            (Bool(a), Bool(b)) => Some(a.cmp(b)),
            (Int(a), Int(b)) => Some(a.cmp(b)),
            (Uint(a), Uint(b)) => Some(a.cmp(b)),
            (Int(a), Uint(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
            (Uint(a), Int(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
            (Text(a), Text(b)) => Some(a.cmp(b)),
            (Double(a), Double(b)) => a.partial_cmp(b),
            (Double(a), Int(b)) => a.partial_cmp(&(*b as f64)),
            (Int(a), Double(b)) => (*a as f64).partial_cmp(b),
            (Double(a), Uint(b)) => a.partial_cmp(&(*b as f64)),
            (Uint(a), Double(b)) => (*a as f64).partial_cmp(b),
            _ => None,
        }
    }
    /// Values of different types are not equal, numbers excepted.
    pub fn equals(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.equals(b)),
            (Value::Map(a) | Value::Domains(a), Value::Map(b) | Value::Domains(b)) => {
                a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| v.equals(w)))
            }
            (Value::Quantity(a), Value::Quantity(b)) => a == b,
            (Value::Version(a), Value::Version(b)) => a.cmp(b).is_eq(),
            (a, b) => a.order(b) == Some(Ordering::Equal),
        }
    }
    fn field(&self, name: &str) -> Answer {
        match self {
            Value::Map(map) => map.get(name).cloned().ok_or_else(|| format!("no such key: {name}")),
            Value::Domains(map) => Ok(map.get(name).cloned().unwrap_or_else(|| Value::map([]))),
            _ => Err("no such overload".into()),
        }
    }
}

/// Variables, the latest first.
pub struct Scope<'a> {
    pub name: &'a str,
    pub value: Value,
    pub outer: Option<&'a Scope<'a>>,
}

fn lookup(scope: Option<&Scope>, name: &str) -> Answer {
    let mut at = scope;
    while let Some(s) = at {
        if s.name == name {
            return Ok(s.value.clone());
        }
        at = s.outer;
    }
    Err(format!("no such attribute(s): {name}"))
}

/// # Errors
/// Upstream's words for a key that is not there; the like for other errors.
pub fn evaluate(e: &Expr, device: Value) -> Answer {
    eval(e, Some(&Scope { name: "device", value: device, outer: None }))
}

pub fn eval(e: &Expr, scope: Option<&Scope>) -> Answer {
    Ok(match e {
        Expr::Int(n) => Value::Int(*n),
        Expr::Uint(n) => Value::Uint(*n),
        Expr::Double(n) => Value::Double(*n),
        Expr::Text(s) => Value::text(s),
        Expr::Bool(b) => Value::Bool(*b),
        Expr::Null => Value::Null,
        Expr::Name(name) => return lookup(scope, name),
        Expr::List(all) => Value::List(Rc::new(all.iter().map(|e| eval(e, scope)).collect::<Result<_, _>>()?)),
        Expr::Map(all) => {
            let mut map = BTreeMap::new();
            for (k, v) in all {
                let Value::Text(k) = eval(k, scope)? else { return Err("unsupported key type".into()) };
                map.insert(k.to_string(), eval(v, scope)?);
            }
            Value::Map(Rc::new(map))
        }
        Expr::Select(of, name) => return eval(of, scope)?.field(name),
        Expr::Index(of, index) => match (eval(of, scope)?, eval(index, scope)?) {
            (Value::List(list), Value::Int(i)) => {
                let found = usize::try_from(i).ok().and_then(|i| list.get(i));
                return found.cloned().ok_or_else(|| format!("index out of bounds: {i}"));
            }
            (map, Value::Text(key)) => return map.field(&key),
            (_, key) => return Err(format!("unsupported index type '{}' in list", key.kind())),
        },
        Expr::Call(None, name, args) => return operator(name, args, scope),
        Expr::Call(Some(target), name, args) => return method(target, name, args, scope),
    })
}

fn truth(v: Answer) -> Result<bool, String> {
    match v? {
        Value::Bool(b) => Ok(b),
        _ => Err("no such overload".into()),
    }
}

fn operator(name: &str, args: &[Expr], scope: Option<&Scope>) -> Answer {
    match (name, args) {
        // An error on one side does not matter when the other side decides.
        ("&&" | "||", [a, b]) => {
            let decides = name == "||";
            let (a, b) = (truth(eval(a, scope)), || truth(eval(b, scope)));
            match (a, decides) {
                (Ok(a), d) if a == d => Ok(Value::Bool(d)),
                (Ok(_), _) => b().map(Value::Bool),
                (Err(e), d) => match b() {
                    Ok(b) if b == d => Ok(Value::Bool(d)),
                    _ => Err(e),
                },
            }
        }
        ("?", [c, yes, no]) => {
            if truth(eval(c, scope))? {
                eval(yes, scope)
            } else {
                eval(no, scope)
            }
        }
        ("has", [Expr::Select(of, field)]) => Ok(Value::Bool(match eval(of, scope)? {
            Value::Map(map) => map.contains_key(field),
            Value::Domains(_) => true,
            _ => return Err("no such overload".into()),
        })),
        _ => {
            let args: Vec<Value> = args.iter().map(|a| eval(a, scope)).collect::<Result<_, _>>()?;
            call::function(name, &args)
        }
    }
}

fn method(target: &Expr, name: &str, args: &[Expr], scope: Option<&Scope>) -> Answer {
    match (target, name, args) {
        (Expr::Name(cel), "bind", [Expr::Name(variable), value, body]) if cel == "cel" => {
            let value = eval(value, scope)?;
            eval(body, Some(&Scope { name: variable, value, outer: scope }))
        }
        (_, "all" | "exists" | "exists_one" | "filter" | "map", [Expr::Name(variable), body]) => {
            let items: Vec<Value> = match eval(target, scope)? {
                Value::List(list) => list.to_vec(),
                Value::Map(map) | Value::Domains(map) => map.keys().map(|k| Value::text(k)).collect(),
                _ => return Err("no such overload".into()),
            };
            let run = |item: &Value| eval(body, Some(&Scope { name: variable, value: item.clone(), outer: scope }));
            macros(name, &items, run)
        }
        _ => {
            let target = eval(target, scope)?;
            let args: Vec<Value> = args.iter().map(|a| eval(a, scope)).collect::<Result<_, _>>()?;
            call::method(&target, name, &args)
        }
    }
}

fn macros(name: &str, items: &[Value], run: impl Fn(&Value) -> Answer) -> Answer {
    Ok(match name {
        "map" => Value::List(Rc::new(items.iter().map(run).collect::<Result<_, _>>()?)),
        "filter" => {
            let mut kept = Vec::new();
            for item in items {
                if truth(run(item))? {
                    kept.push(item.clone());
                }
            }
            Value::List(Rc::new(kept))
        }
        "exists_one" => {
            let mut count = 0;
            for item in items {
                count += usize::from(truth(run(item))?);
            }
            Value::Bool(count == 1)
        }
        _ => {
            // As with the operators, an error matters only when nothing decides.
            let decides = name == "exists";
            let mut error = None;
            for item in items {
                match truth(run(item)) {
                    Ok(b) if b == decides => return Ok(Value::Bool(decides)),
                    Ok(_) => {}
                    Err(e) => error = error.or(Some(e)),
                }
            }
            if let Some(e) = error {
                return Err(e);
            }
            Value::Bool(!decides)
        }
    })
}
