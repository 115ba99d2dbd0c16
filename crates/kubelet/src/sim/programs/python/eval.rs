//! The values of Python's expressions.

use super::parse::{Expr, Part};
use std::collections::BTreeMap;

pub const OPERATORS: &[&str] = &["+", "-", "*", "/", "//", "%", "**"];

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(String),
    List(Vec<Value>),
    /// A module, a function or a method, by its name: `os.environ`.
    Path(String),
    /// A method and the value it belongs to.
    Method(Box<Value>, String),
    /// An exception: its class and what it says.
    Error(String, String),
}

/// An exception's class and words.
pub type Failure = (String, String);

pub fn failure<T>(class: &str, text: impl Into<String>) -> Result<T, Failure> {
    Err((class.into(), text.into()))
}

/// What only the process can do.
pub enum Effect {
    Print { text: String, to_stderr: bool },
    Sleep(f64),
    Exit(i32),
}

pub struct Scope<'a> {
    pub vars: &'a BTreeMap<String, Value>,
    pub env: &'a BTreeMap<String, String>,
    pub hostname: &'a str,
    pub argv: &'a [String],
    /// Seconds since 1970.
    pub now: f64,
    pub effects: Vec<Effect>,
}

impl Value {
    pub fn is_true(&self) -> bool {
        match self {
            Value::None => false,
            Value::Bool(b) => *b,
            Value::Int(n) => *n != 0,
            Value::Float(f) => *f != 0.0,
            Value::Str(s) => !s.is_empty(),
            Value::List(l) => !l.is_empty(),
            _ => true,
        }
    }
    /// As `str()` has it.
    pub fn text(&self) -> String {
        match self {
            Value::Str(s) => s.clone(),
            other => other.repr(),
        }
    }
    fn repr(&self) -> String {
        match self {
            Value::None => "None".into(),
            Value::Bool(true) => "True".into(),
            Value::Bool(false) => "False".into(),
            Value::Int(n) => n.to_string(),
            Value::Float(f) if f.fract() == 0.0 && f.abs() < 1e16 => format!("{f:.1}"),
            Value::Float(f) => f.to_string(),
            Value::Str(s) => format!("'{}'", s.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n")),
            Value::List(l) => format!("[{}]", l.iter().map(Value::repr).collect::<Vec<_>>().join(", ")),
            Value::Path(p) => format!("<module '{p}'>"),
            Value::Method(_, name) => format!("<built-in method {name}>"),
            Value::Error(_, text) => text.clone(),
        }
    }
    fn class(&self) -> &'static str {
        match self {
            Value::None => "NoneType",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Float(_) => "float",
            Value::Str(_) => "str",
            Value::List(_) => "list",
            Value::Path(_) => "module",
            Value::Method(..) => "builtin_function_or_method",
            Value::Error(..) => "Exception",
        }
    }
    fn number(&self) -> Option<f64> {
        match self {
            Value::Bool(b) => Some(f64::from(u8::from(*b))),
            #[allow(clippy::cast_precision_loss)]
            Value::Int(n) => Some(*n as f64),
            Value::Float(f) => Some(*f),
            _ => None,
        }
    }
    fn int(&self) -> Option<i64> {
        match self {
            Value::Bool(b) => Some(i64::from(*b)),
            Value::Int(n) => Some(*n),
            _ => None,
        }
    }
    /// What a `for` goes through.
    pub fn items(&self) -> Result<Vec<Value>, Failure> {
        match self {
            Value::List(l) => Ok(l.clone()),
            Value::Str(s) => Ok(s.chars().map(|c| Value::Str(c.to_string())).collect()),
            other => failure("TypeError", format!("'{}' object is not iterable", other.class())),
        }
    }
}

const BUILTINS: &[&str] =
    &["print", "int", "str", "float", "len", "range", "bool", "abs", "min", "max", "sum", "list", "exit", "quit"];

impl Scope<'_> {
    pub fn value(&mut self, e: &Expr) -> Result<Value, Failure> {
        Ok(match e {
            Expr::None => Value::None,
            Expr::Bool(b) => Value::Bool(*b),
            Expr::Int(n) => Value::Int(*n),
            Expr::Float(f) => Value::Float(*f),
            Expr::Str(s) => Value::Str(s.clone()),
            Expr::Format(parts) => {
                let mut text = String::new();
                for p in parts {
                    match p {
                        Part::Text(t) => text.push_str(t),
                        Part::Value(e) => text.push_str(&self.value(e)?.text()),
                    }
                }
                Value::Str(text)
            }
            Expr::Name(n) => match self.vars.get(n) {
                Some(v) => v.clone(),
                None if BUILTINS.contains(&n.as_str()) || n.ends_with("Error") || n == "Exception" => {
                    Value::Path(n.clone())
                }
                None => return failure("NameError", format!("name '{n}' is not defined")),
            },
            Expr::List(list) => Value::List(list.iter().map(|e| self.value(e)).collect::<Result<_, _>>()?),
            Expr::Attribute(of, name) => match self.value(of)? {
                Value::Path(p) => self.attribute(&format!("{p}.{name}")),
                other => Value::Method(Box::new(other), name.clone()),
            },
            Expr::Index(of, index) => {
                let (of, index) = (self.value(of)?, self.value(index)?);
                self.index(&of, &index)?
            }
            Expr::Call(what, args, named) => {
                let what = self.value(what)?;
                let args = args.iter().map(|e| self.value(e)).collect::<Result<Vec<_>, _>>()?;
                let mut names = BTreeMap::new();
                for (n, e) in named {
                    names.insert(n.clone(), self.value(e)?);
                }
                self.call(what, &args, &names)?
            }
            Expr::Not(e) => Value::Bool(!self.value(e)?.is_true()),
            Expr::Minus(e) => match self.value(e)? {
                Value::Float(f) => Value::Float(-f),
                v => match v.int() {
                    Some(n) => Value::Int(-n),
                    None => {
                        return failure("TypeError", format!("bad operand type for unary -: '{}'", v.class()));
                    }
                },
            },
            Expr::And(a, b) => match self.value(a)? {
                v if v.is_true() => self.value(b)?,
                v => v,
            },
            Expr::Or(a, b) => match self.value(a)? {
                v if v.is_true() => v,
                _ => self.value(b)?,
            },
            Expr::If(then, test, other) => {
                if self.value(test)?.is_true() {
                    self.value(then)?
                } else {
                    self.value(other)?
                }
            }
            Expr::Binary(op, a, b) => {
                let (a, b) = (self.value(a)?, self.value(b)?);
                binary(op, &a, &b)?
            }
        })
    }

    fn attribute(&self, path: &str) -> Value {
        match path {
            "sys.argv" => Value::List(self.argv.iter().cloned().map(Value::Str).collect()),
            "sys.version" => Value::Str("3.12.5".into()),
            _ => Value::Path(path.into()),
        }
    }

    fn index(&self, of: &Value, index: &Value) -> Result<Value, Failure> {
        let at = |len: usize| {
            let n = index.int()?;
            let n = if n < 0 { n + i64::try_from(len).ok()? } else { n };
            usize::try_from(n).ok()
        };
        match of {
            Value::Path(p) if p == "os.environ" => match self.env.get(&index.text()) {
                Some(v) => Ok(Value::Str(v.clone())),
                None => failure("KeyError", index.repr()),
            },
            Value::List(l) => match at(l.len()).and_then(|i| l.get(i)) {
                Some(v) => Ok(v.clone()),
                None => failure("IndexError", "list index out of range"),
            },
            Value::Str(s) => match at(s.chars().count()).and_then(|i| s.chars().nth(i)) {
                Some(c) => Ok(Value::Str(c.to_string())),
                None => failure("IndexError", "string index out of range"),
            },
            other => failure("TypeError", format!("'{}' object is not subscriptable", other.class())),
        }
    }

    fn call(&mut self, what: Value, args: &[Value], named: &BTreeMap<String, Value>) -> Result<Value, Failure> {
        let first = args.first().cloned().unwrap_or(Value::None);
        let path = match what {
            Value::Method(of, name) => return method(&of, &name, args),
            Value::Path(p) => p,
            other => return failure("TypeError", format!("'{}' object is not callable", other.class())),
        };
        Ok(match path.as_str() {
            "print" => {
                let text = |name: &str, other: &str| named.get(name).map_or(other.to_string(), Value::text);
                let mut line = args.iter().map(Value::text).collect::<Vec<_>>().join(&text("sep", " "));
                line.push_str(&text("end", "\n"));
                let to_stderr = named.get("file") == Some(&Value::Path("sys.stderr".into()));
                self.effects.push(Effect::Print { text: line, to_stderr });
                Value::None
            }
            "sys.stdout.write" | "sys.stderr.write" => {
                self.effects.push(Effect::Print { text: first.text(), to_stderr: path.contains("stderr") });
                Value::None
            }
            "sys.stdout.flush" | "sys.stderr.flush" => Value::None,
            "sys.exit" | "exit" | "quit" | "os._exit" => {
                let code = match &first {
                    Value::None => 0,
                    Value::Str(s) => {
                        self.effects.push(Effect::Print { text: format!("{s}\n"), to_stderr: true });
                        1
                    }
                    v => i32::try_from(v.int().unwrap_or(1) & 0xff).unwrap_or(1),
                };
                self.effects.push(Effect::Exit(code));
                Value::None
            }
            "time.sleep" => {
                self.effects.push(Effect::Sleep(first.number().unwrap_or(0.0)));
                Value::None
            }
            "time.time" => Value::Float(self.now),
            "os.environ.get" | "os.getenv" => match self.env.get(&first.text()) {
                Some(v) => Value::Str(v.clone()),
                None => args.get(1).cloned().unwrap_or(Value::None),
            },
            "os.getpid" => Value::Int(1),
            "socket.gethostname" | "platform.node" => Value::Str(self.hostname.into()),
            "int" => int(&first)?,
            "float" => match first.number().or_else(|| first.text().trim().parse().ok()) {
                Some(f) => Value::Float(f),
                None => {
                    return failure("ValueError", format!("could not convert string to float: {}", first.repr()));
                }
            },
            "str" => Value::Str(first.text()),
            "bool" => Value::Bool(first.is_true()),
            "list" => Value::List(first.items()?),
            "len" => Value::Int(i64::try_from(first.items()?.len()).unwrap_or(0)),
            "abs" => match (first.int(), first.number()) {
                (Some(n), _) => Value::Int(n.abs()),
                (_, f) => Value::Float(f.unwrap_or(0.0).abs()),
            },
            "range" => {
                let n = |i: usize| args.get(i).and_then(Value::int);
                let (from, to) = if args.len() > 1 { (n(0), n(1)) } else { (Some(0), n(0)) };
                let (Some(from), Some(to), step) = (from, to, n(2).unwrap_or(1)) else {
                    return failure("TypeError", "'str' object cannot be interpreted as an integer");
                };
                let step_size = usize::try_from(step.unsigned_abs()).unwrap_or(1).max(1);
                let numbers: Vec<i64> = if step < 0 {
                    (to + 1..=from).rev().step_by(step_size).take(100_000).collect()
                } else {
                    (from..to).step_by(step_size).take(100_000).collect()
                };
                Value::List(numbers.into_iter().map(Value::Int).collect())
            }
            "min" | "max" | "sum" => {
                let items = if args.len() > 1 { args.to_vec() } else { first.items()? };
                let numbers: Vec<i64> = items.iter().filter_map(Value::int).collect();
                Value::Int(match path.as_str() {
                    "min" => numbers.into_iter().min().unwrap_or(0),
                    "max" => numbers.into_iter().max().unwrap_or(0),
                    _ => numbers.into_iter().sum(),
                })
            }
            p if p.ends_with("Error") || p == "Exception" => Value::Error(p.into(), first.text()),
            p => return failure("NotImplementedError", format!("{p}: this part of Python is not simulated")),
        })
    }
}

fn int(v: &Value) -> Result<Value, Failure> {
    match v {
        #[allow(clippy::cast_possible_truncation)]
        Value::Float(f) => Ok(Value::Int(*f as i64)),
        Value::Str(s) => match s.trim().parse() {
            Ok(n) => Ok(Value::Int(n)),
            Err(_) => failure("ValueError", format!("invalid literal for int() with base 10: {}", v.repr())),
        },
        Value::None => failure(
            "TypeError",
            "int() argument must be a string, a bytes-like object or a real number, not 'NoneType'",
        ),
        other => Ok(Value::Int(other.int().unwrap_or(0))),
    }
}

fn method(of: &Value, name: &str, args: &[Value]) -> Result<Value, Failure> {
    let Value::Str(s) = of else {
        return failure("AttributeError", format!("'{}' object has no attribute '{name}'", of.class()));
    };
    let arg = |i: usize| args.get(i).map(Value::text).unwrap_or_default();
    Ok(match name {
        "strip" => Value::Str(s.trim().into()),
        "upper" => Value::Str(s.to_uppercase()),
        "lower" => Value::Str(s.to_lowercase()),
        "startswith" => Value::Bool(s.starts_with(&arg(0))),
        "endswith" => Value::Bool(s.ends_with(&arg(0))),
        "replace" => Value::Str(s.replace(&arg(0), &arg(1))),
        "encode" | "decode" => of.clone(),
        "split" if args.is_empty() => Value::List(s.split_whitespace().map(|w| Value::Str(w.into())).collect()),
        "split" => Value::List(s.split(&arg(0)).map(|w| Value::Str(w.into())).collect()),
        "join" => {
            let items = args.first().map_or(Ok(Vec::new()), Value::items)?;
            Value::Str(items.iter().map(Value::text).collect::<Vec<_>>().join(s))
        }
        "format" => {
            let mut text = String::new();
            let mut values = args.iter();
            for (i, part) in s.split("{}").enumerate() {
                if i > 0 {
                    text.push_str(&values.next().map(Value::text).unwrap_or_default());
                }
                text.push_str(part);
            }
            Value::Str(text)
        }
        _ => return failure("AttributeError", format!("'str' object has no attribute '{name}'")),
    })
}

fn binary(op: &'static str, a: &Value, b: &Value) -> Result<Value, Failure> {
    let unsupported = || {
        let (a, b) = (a.class(), b.class());
        failure("TypeError", format!("unsupported operand type(s) for {op}: '{a}' and '{b}'"))
    };
    match op {
        "==" => return Ok(Value::Bool(equal(a, b))),
        "!=" => return Ok(Value::Bool(!equal(a, b))),
        "in" => {
            return match (a, b) {
                (Value::Str(x), Value::Str(y)) => Ok(Value::Bool(y.contains(x.as_str()))),
                (_, Value::Path(p)) if p == "os.environ" => unsupported(),
                _ => Ok(Value::Bool(b.items()?.iter().any(|x| equal(a, x)))),
            };
        }
        "<" | "<=" | ">" | ">=" => {
            let order = match (a, b) {
                (Value::Str(x), Value::Str(y)) => Some(x.cmp(y)),
                _ => a.number().zip(b.number()).and_then(|(x, y)| x.partial_cmp(&y)),
            };
            let Some(order) = order else {
                let (a, b) = (a.class(), b.class());
                return failure("TypeError", format!("'{op}' not supported between instances of '{a}' and '{b}'"));
            };
            return Ok(Value::Bool(match op {
                "<" => order.is_lt(),
                "<=" => order.is_le(),
                ">" => order.is_gt(),
                _ => order.is_ge(),
            }));
        }
        _ => {}
    }
    if let (Some(x), Some(y)) = (a.int(), b.int()) {
        return Ok(match op {
            "+" => Value::Int(x.wrapping_add(y)),
            "-" => Value::Int(x.wrapping_sub(y)),
            "*" => Value::Int(x.wrapping_mul(y)),
            "/" | "//" | "%" if y == 0 => return failure("ZeroDivisionError", "division by zero"),
            #[allow(clippy::cast_precision_loss)]
            "/" => Value::Float(x as f64 / y as f64),
            // Python rounds down.
            "//" => Value::Int(x / y - i64::from(x % y != 0 && (x < 0) != (y < 0))),
            "%" => Value::Int(((x % y) + y) % y),
            _ => Value::Int(u32::try_from(y).map_or(0, |y| x.wrapping_pow(y))),
        });
    }
    match (op, a, b) {
        ("+", Value::Str(x), Value::Str(y)) => Ok(Value::Str(format!("{x}{y}"))),
        ("+", Value::Str(_), other) => {
            failure("TypeError", format!("can only concatenate str (not \"{}\") to str", other.class()))
        }
        ("+", Value::List(x), Value::List(y)) => Ok(Value::List([x.clone(), y.clone()].concat())),
        ("*", Value::Str(s), Value::Int(n)) => Ok(Value::Str(s.repeat(usize::try_from(*n).unwrap_or(0).min(10_000)))),
        ("%", Value::Str(s), v) => {
            let args = match v {
                Value::List(l) => l.iter().map(Value::text).collect(),
                v => vec![v.text()],
            };
            Ok(Value::Str(crate::sim::programs::printf(s, &args)))
        }
        _ => match (a.number(), b.number()) {
            (Some(x), Some(y)) => Ok(Value::Float(match op {
                "+" => x + y,
                "-" => x - y,
                "*" => x * y,
                "/" | "//" | "%" if y == 0.0 => return failure("ZeroDivisionError", "float division by zero"),
                "/" => x / y,
                "//" => (x / y).floor(),
                "%" => x - (x / y).floor() * y,
                _ => return unsupported(),
            })),
            _ => unsupported(),
        },
    }
}

fn equal(a: &Value, b: &Value) -> bool {
    a == b || a.number().zip(b.number()).is_some_and(|(x, y)| x.total_cmp(&y).is_eq())
}
