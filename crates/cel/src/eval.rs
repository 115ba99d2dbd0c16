//! A tree to a value.

use crate::call;
use crate::clock;
use crate::lists;
use crate::pairs;
use crate::parse::Expr;
use crate::spaces;
use crate::text::Url;
use crate::version::Version;
use meta::Quantity;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;

#[derive(Clone, Debug)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(Rc<str>),
    Bytes(Rc<[u8]>),
    List(Rc<Vec<Value>>),
    Map(Rc<BTreeMap<String, Value>>),
    /// A map that has an empty map for every key it does not list.
    Domains(Rc<BTreeMap<String, Value>>),
    Quantity(Quantity),
    Version(Rc<Version>),
    /// Perhaps a value.
    Optional(Option<Rc<Value>>),
    Url(Rc<Url>),
    Ip(IpAddr),
    Cidr(IpAddr, u8),
    /// Nanoseconds.
    Duration(i64),
    /// Nanoseconds since 1970.
    Timestamp(i128),
    /// What a text may be checked by.
    Format(&'static str),
    /// `optional`, of which only the functions count.
    OptionalType,
    /// What `type()` gives, by its name.
    Type(&'static str),
    /// What only the host knows.
    Foreign(Rc<dyn Foreign>),
}

/// A value that the host brings: its fields and methods are the host's.
pub trait Foreign: std::fmt::Debug {
    /// The name of its type.
    fn kind(&self) -> &'static str;
    fn field(&self, name: &str) -> Option<Value>;
    /// `None`: it has no such method.
    fn call(&self, name: &str, args: &[Value]) -> Option<Answer>;
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
            Value::Bytes(_) => "bytes",
            Value::Format(_) => "kubernetes.NamedFormat",
            Value::List(_) => "list",
            Value::Map(_) | Value::Domains(_) => "map",
            Value::Quantity(_) => "kubernetes.Quantity",
            Value::Version(_) => "kubernetes.Semver",
            Value::Optional(_) => "optional_type",
            Value::Url(_) => "kubernetes.URL",
            Value::Ip(_) => "net.IP",
            Value::Cidr(..) => "net.CIDR",
            Value::Duration(_) => "google.protobuf.Duration",
            Value::Timestamp(_) => "google.protobuf.Timestamp",
            Value::OptionalType | Value::Type(_) => "type",
            Value::Foreign(of) => of.kind(),
        }
    }
    /// The order of two values of comparable types.
    pub fn order(&self, other: &Value) -> Option<Ordering> {
        use Value::{Bool, Bytes, Double, Duration, Int, Text, Timestamp, Uint};
        match (self, other) {
            (Bytes(a), Bytes(b)) => Some(a.cmp(b)),
            (Duration(a), Duration(b)) => Some(a.cmp(b)),
            (Timestamp(a), Timestamp(b)) => Some(a.cmp(b)),
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
            (Value::Format(a), Value::Format(b)) | (Value::Type(a), Value::Type(b)) => a == b,
            (Value::Quantity(a), Value::Quantity(b)) => a == b,
            (Value::Version(a), Value::Version(b)) => a.cmp(b).is_eq(),
            (Value::Optional(a), Value::Optional(b)) => match (a, b) {
                (Some(a), Some(b)) => a.equals(b),
                (a, b) => a.is_none() && b.is_none(),
            },
            (Value::Url(a), Value::Url(b)) => a == b,
            (Value::Ip(a), Value::Ip(b)) => a == b,
            (Value::Cidr(a, n), Value::Cidr(b, m)) => (a, n) == (b, m),
            (a, b) => a.order(b) == Some(Ordering::Equal),
        }
    }
    /// What `string()` and messages make of it.
    pub fn shown(&self) -> String {
        match self {
            Value::Text(s) => s.to_string(),
            Value::Bool(b) => b.to_string(),
            Value::Int(n) => n.to_string(),
            Value::Uint(n) => n.to_string(),
            Value::Double(n) => n.to_string(),
            Value::Null => "null".into(),
            Value::List(all) => {
                format!("[{}]", all.iter().map(Value::shown).collect::<Vec<_>>().join(", "))
            }
            Value::Map(map) | Value::Domains(map) => {
                let all: Vec<String> = map.iter().map(|(k, v)| format!("{k}: {}", v.shown())).collect();
                format!("{{{}}}", all.join(", "))
            }
            Value::Ip(a) => a.to_string(),
            Value::Cidr(a, n) => format!("{a}/{n}"),
            Value::Duration(n) => clock::seconds(*n),
            Value::Timestamp(n) => clock::written(*n),
            other => other.kind().into(),
        }
    }
    /// A value of JSON. What is null is not there.
    pub fn of_json(v: &serde_json::Value) -> Value {
        use serde_json::Value as Json;
        match v {
            Json::Null => Value::Null,
            Json::Bool(b) => Value::Bool(*b),
            Json::Number(n) => n.as_i64().map_or_else(|| Value::Double(n.as_f64().unwrap_or(0.0)), Value::Int),
            Json::String(s) => Value::text(s),
            Json::Array(all) => Value::List(Rc::new(all.iter().map(Value::of_json).collect())),
            Json::Object(all) => {
                Value::map(all.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), Value::of_json(v))))
            }
        }
    }
    /// What a field or key leads to. Names that are no identifiers are escaped in programs.
    pub fn get(&self, name: &str) -> Option<Value> {
        let Value::Map(map) = self else { return None };
        map.get(name).or_else(|| map.get(&unescape(name)?)).cloned()
    }
    fn field(&self, name: &str) -> Answer {
        match self {
            Value::Map(_) => self.get(name).ok_or_else(|| format!("no such key: {name}")),
            Value::Optional(of) => Ok(Value::Optional(of.as_ref().and_then(|v| v.get(name)).map(Rc::new))),
            Value::Domains(map) => Ok(map.get(name).cloned().unwrap_or_else(|| Value::map([]))),
            Value::Foreign(of) => of.field(name).ok_or_else(|| format!("no such key: {name}")),
            _ => Err("no such overload".into()),
        }
    }
}

/// Models `cel.Unescape` of apiserver: `__dash__`, and `__namespace__` for what is a word of the language.
fn unescape(name: &str) -> Option<String> {
    if !name.contains("__") {
        return None;
    }
    if let Some(word) = name.strip_prefix("__").and_then(|n| n.strip_suffix("__"))
        && !matches!(word, "dot" | "dash" | "slash" | "underscores")
    {
        return Some(word.into());
    }
    let parts = [("__dot__", "."), ("__dash__", "-"), ("__slash__", "/"), ("__underscores__", "__")];
    Some(parts.iter().fold(name.to_string(), |n, (from, to)| n.replace(from, to)))
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
pub fn evaluate(e: &Expr, variables: &[(&str, Value)]) -> Answer {
    within(e, variables, None)
}

fn within(e: &Expr, variables: &[(&str, Value)], outer: Option<&Scope>) -> Answer {
    match variables {
        [] => eval(e, outer),
        [(name, value), rest @ ..] => within(e, rest, Some(&Scope { name, value: value.clone(), outer })),
    }
}

pub fn eval(e: &Expr, scope: Option<&Scope>) -> Answer {
    Ok(match e {
        Expr::Int(n) => Value::Int(*n),
        Expr::Uint(n) => Value::Uint(*n),
        Expr::Double(n) => Value::Double(*n),
        Expr::Text(s) => Value::text(s),
        Expr::Bytes(b) => Value::Bytes(b.as_slice().into()),
        Expr::Bool(b) => Value::Bool(*b),
        Expr::Null => Value::Null,
        Expr::Name(name) if name == "optional" => Value::OptionalType,
        Expr::Name(name) => {
            let found = lookup(scope, name);
            return found.or_else(|e| TYPES.iter().find(|t| *t == name).map(|t| Value::Type(t)).ok_or(e));
        }
        Expr::List(all) => {
            let mut list = Vec::new();
            for e in all {
                list.extend(entry(e, scope)?);
            }
            Value::List(Rc::new(list))
        }
        Expr::Map(all) => {
            let mut map = BTreeMap::new();
            for (k, v) in all {
                let Value::Text(k) = eval(k, scope)? else { return Err("unsupported key type".into()) };
                if let Some(v) = entry(v, scope)? {
                    map.insert(k.to_string(), v);
                }
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

/// What `type()` may be compared with.
const TYPES: &[&str] = &["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"];

/// An element of a list or a value of a map: `?e` is left out if there is none.
fn entry(e: &Expr, scope: Option<&Scope>) -> Result<Option<Value>, String> {
    match e {
        Expr::Call(None, name, args) if name == "?entry" => match args.as_slice() {
            [of] => match eval(of, scope)? {
                Value::Optional(of) => Ok(of.map(|v| (*v).clone())),
                _ => Err("no such overload".into()),
            },
            _ => Err("no such overload".into()),
        },
        e => eval(e, scope).map(Some),
    }
}

pub fn truth(v: Answer) -> Result<bool, String> {
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
            of @ Value::Map(_) => of.get(field).is_some(),
            Value::Domains(_) => true,
            Value::Optional(of) => of.is_some_and(|v| v.get(field).is_some()),
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
        (Expr::Name(space), name, args) if spaces::is_function(space, name) && lookup(scope, space).is_err() => {
            let args: Vec<Value> = args.iter().map(|a| eval(a, scope)).collect::<Result<_, _>>()?;
            spaces::call(space, name, &args)
        }
        (Expr::Name(cel), "bind", [Expr::Name(variable), value, body]) if cel == "cel" => {
            let value = eval(value, scope)?;
            eval(body, Some(&Scope { name: variable, value, outer: scope }))
        }
        (_, name, [Expr::Name(first), Expr::Name(second), rest @ ..])
            if pairs::MACROS.contains(&name) && matches!(rest.len(), 1 | 2) =>
        {
            pairs::run(&eval(target, scope)?, name, (first, second), rest, scope)
        }
        (_, "all" | "exists" | "exists_one" | "existsOne" | "filter" | "map", [Expr::Name(variable), body]) => {
            let items: Vec<Value> = match eval(target, scope)? {
                Value::List(list) => list.to_vec(),
                Value::Map(map) | Value::Domains(map) => map.keys().map(|k| Value::text(k)).collect(),
                _ => return Err("no such overload".into()),
            };
            let run = |item: &Value| eval(body, Some(&Scope { name: variable, value: item.clone(), outer: scope }));
            macros(name, &items, run)
        }
        // What the filter lets through, mapped.
        (_, "map", [Expr::Name(variable), filter, body]) => {
            let kept = method(target, "filter", &[Expr::Name(variable.clone()), filter.clone()], scope)?;
            let Value::List(items) = kept else { return Err("no such overload".into()) };
            macros("map", &items, |item| eval(body, Some(&Scope { name: variable, value: item.clone(), outer: scope })))
        }
        (_, "sortBy", [Expr::Name(variable), key]) => {
            let Value::List(items) = eval(target, scope)? else { return Err("no such overload".into()) };
            let run = |item: &Value| eval(key, Some(&Scope { name: variable, value: item.clone(), outer: scope }));
            let keys: Vec<Value> = items.iter().map(run).collect::<Result<_, _>>()?;
            lists::sorted(&items, &keys)
        }
        (_, "optMap" | "optFlatMap", [Expr::Name(variable), body]) => match eval(target, scope)? {
            Value::Optional(None) => Ok(Value::Optional(None)),
            Value::Optional(Some(v)) => {
                let made = eval(body, Some(&Scope { name: variable, value: (*v).clone(), outer: scope }))?;
                Ok(if name == "optMap" { Value::Optional(Some(Rc::new(made))) } else { made })
            }
            _ => Err("no such overload".into()),
        },
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
        _ => quantified(name, items, run)?,
    })
}

/// `all`, `exists` and their like, over values or pairs.
pub fn quantified<T>(name: &str, items: &[T], run: impl Fn(&T) -> Answer) -> Answer {
    if matches!(name, "exists_one" | "existsOne") {
        let mut count = 0;
        for item in items {
            count += usize::from(truth(run(item))?);
        }
        return Ok(Value::Bool(count == 1));
    }
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
    error.map_or(Ok(Value::Bool(!decides)), Err)
}
