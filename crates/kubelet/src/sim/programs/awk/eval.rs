//! awk's values and what its statements do.

use super::parse::{Expr, Statement};
use crate::sim::programs::printf;
use regex_lite::Regex;
use std::collections::BTreeMap;

/// A loop that goes on longer is taken for endless.
const MOST_ROUNDS: u32 = 1_000_000;

#[derive(Clone, Debug)]
pub enum Value {
    Number(f64),
    Text(String),
    /// Text that came from outside: a number when it looks like one.
    Input(String),
}

impl Value {
    pub fn text(&self) -> String {
        match self {
            Value::Number(n) if n.fract() == 0.0 && n.abs() < 1e15 => format!("{n:.0}"),
            Value::Number(n) => {
                let text = format!("{n:.6}");
                text.trim_end_matches('0').trim_end_matches('.').to_string()
            }
            Value::Text(s) | Value::Input(s) => s.clone(),
        }
    }
    fn number(&self) -> f64 {
        match self {
            Value::Number(n) => *n,
            Value::Text(s) | Value::Input(s) => {
                let s = s.trim_start();
                let sign = usize::from(s.starts_with(['-', '+']));
                let len = s[sign..].bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
                s[..sign + len].parse().unwrap_or(0.0)
            }
        }
    }
    /// Text that looks like a number compares as one.
    fn numeric(&self) -> Option<f64> {
        match self {
            Value::Number(n) => Some(*n),
            Value::Input(s) if s.is_empty() => Some(0.0),
            Value::Input(s) => s.trim().parse().ok(),
            Value::Text(_) => None,
        }
    }
    pub fn is_true(&self) -> bool {
        match self {
            Value::Text(s) => !s.is_empty(),
            Value::Input(s) if s.is_empty() => false,
            other => other.numeric() != Some(0.0),
        }
    }
}

pub enum Flow {
    On,
    Next,
    Exit(i32),
    Break,
    Continue,
}

#[derive(Default)]
pub struct Awk {
    pub out: String,
    vars: BTreeMap<String, Value>,
    arrays: BTreeMap<String, BTreeMap<String, Value>>,
    /// The record first, then its fields.
    fields: Vec<String>,
}

impl Awk {
    pub fn new(separator: String, variables: Vec<(String, String)>) -> Self {
        let mut vars: BTreeMap<String, Value> = [("FS", separator), ("OFS", " ".into()), ("ORS", "\n".into())]
            .map(|(n, v)| (n.into(), Value::Text(v)))
            .into();
        vars.insert("NR".into(), Value::Number(0.0));
        vars.extend(variables.into_iter().map(|(n, v)| (n, Value::Input(v))));
        Awk { vars, ..Awk::default() }
    }

    pub fn record(&mut self, line: &str) {
        let n = self.variable("NR").number() + 1.0;
        self.vars.insert("NR".into(), Value::Number(n));
        self.split_record(line);
    }

    fn split_record(&mut self, line: &str) {
        let separator = self.variable("FS").text();
        self.fields = std::iter::once(line.to_string()).chain(split(line, &separator)).collect();
        self.count_fields();
    }

    fn count_fields(&mut self) {
        #[allow(clippy::cast_precision_loss)]
        let n = self.fields.len().saturating_sub(1) as f64;
        self.vars.insert("NF".into(), Value::Number(n));
    }

    fn variable(&self, name: &str) -> Value {
        self.vars.get(name).cloned().unwrap_or(Value::Input(String::new()))
    }

    fn field(&mut self, e: &Expr) -> Result<usize, String> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let n = self.value(e)?.number().clamp(0.0, 10_000.0) as usize;
        Ok(n)
    }

    pub fn run(&mut self, list: &[Statement]) -> Result<Flow, String> {
        for s in list {
            match self.statement(s)? {
                Flow::On => {}
                other => return Ok(other),
            }
        }
        Ok(Flow::On)
    }

    fn statement(&mut self, s: &Statement) -> Result<Flow, String> {
        match s {
            Statement::Print(list) => {
                let mut parts = Vec::new();
                for e in list {
                    parts.push(self.value(e)?.text());
                }
                let (between, end) = (self.variable("OFS").text(), self.variable("ORS").text());
                let line = if list.is_empty() {
                    self.fields.first().cloned().unwrap_or_default()
                } else {
                    parts.join(&between)
                };
                self.out.push_str(&line);
                self.out.push_str(&end);
            }
            Statement::Printf(list) => {
                let text = self.format(list)?;
                self.out.push_str(&text);
            }
            Statement::Do(e) => {
                self.value(e)?;
            }
            Statement::If(test, then, other) => {
                let branch = if self.value(test)?.is_true() { then } else { other };
                return self.run(branch);
            }
            Statement::While(test, body) => return self.repeat(Some(test), None, body),
            Statement::For(first, test, step, body) => {
                if let Some(e) = first {
                    self.value(e)?;
                }
                return self.repeat(test.as_ref(), step.as_ref(), body);
            }
            Statement::Each(name, array, body) => {
                let keys: Vec<String> = self.arrays.get(array).into_iter().flat_map(|a| a.keys().cloned()).collect();
                for k in keys {
                    self.vars.insert(name.clone(), Value::Input(k));
                    match self.run(body)? {
                        Flow::Break => break,
                        Flow::On | Flow::Continue => {}
                        other => return Ok(other),
                    }
                }
            }
            Statement::Next => return Ok(Flow::Next),
            Statement::Break => return Ok(Flow::Break),
            Statement::Continue => return Ok(Flow::Continue),
            Statement::Exit(code) => {
                let code = code.as_ref().map_or(Ok(0.0), |e| self.value(e).map(|v| v.number()))?;
                #[allow(clippy::cast_possible_truncation)]
                return Ok(Flow::Exit(code as i32 & 0xff));
            }
        }
        Ok(Flow::On)
    }

    fn repeat(&mut self, test: Option<&Expr>, step: Option<&Expr>, body: &[Statement]) -> Result<Flow, String> {
        for _ in 0..MOST_ROUNDS {
            if let Some(t) = test
                && !self.value(t)?.is_true()
            {
                return Ok(Flow::On);
            }
            match self.run(body)? {
                Flow::Break => return Ok(Flow::On),
                Flow::On | Flow::Continue => {}
                other => return Ok(other),
            }
            if let Some(s) = step {
                self.value(s)?;
            }
        }
        Err("this loop does not end".into())
    }

    fn format(&mut self, list: &[Expr]) -> Result<String, String> {
        let mut parts = Vec::new();
        for e in list {
            parts.push(self.value(e)?.text());
        }
        Ok(match parts.split_first() {
            Some((format, args)) => printf(format, args),
            None => String::new(),
        })
    }

    fn assign(&mut self, target: &Expr, v: Value) -> Result<(), String> {
        match target {
            Expr::Variable(name) => {
                self.vars.insert(name.clone(), v);
            }
            Expr::Element(array, index) => {
                let key = self.value(index)?.text();
                self.arrays.entry(array.clone()).or_default().insert(key, v);
            }
            Expr::Field(n) => {
                let n = self.field(n)?;
                if n == 0 {
                    self.split_record(&v.text());
                    return Ok(());
                }
                self.fields.resize(self.fields.len().max(n + 1), String::new());
                self.fields[n] = v.text();
                self.fields[0] = self.fields[1..].join(&self.variable("OFS").text());
                self.count_fields();
            }
            _ => return Err("cannot assign to this".into()),
        }
        Ok(())
    }

    pub fn value(&mut self, e: &Expr) -> Result<Value, String> {
        let truth = |b: bool| Value::Number(f64::from(u8::from(b)));
        Ok(match e {
            Expr::Number(n) => Value::Number(*n),
            Expr::Text(s) => Value::Text(s.clone()),
            Expr::Regex(r) => {
                let record = self.fields.first().cloned().unwrap_or_default();
                truth(regex(r)?.is_match(&record))
            }
            Expr::Variable(n) => self.variable(n),
            Expr::Field(n) => {
                let n = self.field(n)?;
                Value::Input(self.fields.get(n).cloned().unwrap_or_default())
            }
            Expr::Element(array, index) => {
                let key = self.value(index)?.text();
                let empty = || Value::Input(String::new());
                self.arrays.entry(array.clone()).or_default().entry(key).or_insert_with(empty).clone()
            }
            Expr::In(key, array) => {
                let key = self.value(key)?.text();
                truth(self.arrays.get(array).is_some_and(|a| a.contains_key(&key)))
            }
            Expr::Assign(op, target, v) => {
                let mut v = self.value(v)?;
                if *op != "=" {
                    let old = self.value(target)?.number();
                    v = Value::Number(arithmetic(&op[..1], old, v.number())?);
                }
                self.assign(target, v.clone())?;
                v
            }
            Expr::Step(before, by, target) => {
                let old = self.value(target)?.number();
                self.assign(target, Value::Number(old + by))?;
                Value::Number(if *before { old + by } else { old })
            }
            Expr::Not(e) => truth(!self.value(e)?.is_true()),
            Expr::Minus(e) => Value::Number(-self.value(e)?.number()),
            Expr::If(test, then, other) => {
                let branch = if self.value(test)?.is_true() { then } else { other };
                self.value(branch)?
            }
            Expr::Binary("&&", a, b) => truth(self.value(a)?.is_true() && self.value(b)?.is_true()),
            Expr::Binary("||", a, b) => truth(self.value(a)?.is_true() || self.value(b)?.is_true()),
            Expr::Binary(op @ ("~" | "!~"), a, b) => {
                let text = self.value(a)?.text();
                let pattern = self.pattern(b)?;
                truth(regex(&pattern)?.is_match(&text) == (*op == "~"))
            }
            Expr::Binary(op, a, b) => {
                let (a, b) = (self.value(a)?, self.value(b)?);
                match *op {
                    "" => Value::Text(format!("{}{}", a.text(), b.text())),
                    "==" | "!=" | "<" | "<=" | ">" | ">=" => {
                        let order = match a.numeric().zip(b.numeric()) {
                            Some((x, y)) => x.total_cmp(&y),
                            None => a.text().cmp(&b.text()),
                        };
                        truth(match *op {
                            "==" => order.is_eq(),
                            "!=" => order.is_ne(),
                            "<" => order.is_lt(),
                            "<=" => order.is_le(),
                            ">" => order.is_gt(),
                            _ => order.is_ge(),
                        })
                    }
                    op => Value::Number(arithmetic(op, a.number(), b.number())?),
                }
            }
            Expr::Call(name, args) => self.call(name, args)?,
        })
    }

    fn pattern(&mut self, e: &Expr) -> Result<String, String> {
        match e {
            Expr::Regex(r) => Ok(r.clone()),
            other => Ok(self.value(other)?.text()),
        }
    }

    fn call(&mut self, name: &str, args: &[Expr]) -> Result<Value, String> {
        if name == "sprintf" {
            return Ok(Value::Text(self.format(args)?));
        }
        if let ("sub" | "gsub", [pattern, with, rest @ ..]) = (name, args) {
            let regex = regex(&self.pattern(pattern)?)?;
            let with = self.value(with)?.text().replace('$', "$$").replace('&', "$0");
            let record = Expr::Field(Box::new(Expr::Number(0.0)));
            let target = rest.first().unwrap_or(&record);
            let text = self.value(target)?.text();
            let (count, new) = if name == "sub" {
                (usize::from(regex.is_match(&text)), regex.replace(&text, with.as_str()).into_owned())
            } else {
                (regex.find_iter(&text).count(), regex.replace_all(&text, with.as_str()).into_owned())
            };
            if count > 0 {
                self.assign(target, Value::Text(new))?;
            }
            #[allow(clippy::cast_precision_loss)]
            return Ok(Value::Number(count as f64));
        }
        if let ("split", [text, Expr::Variable(array), rest @ ..]) = (name, args) {
            let text = self.value(text)?.text();
            let separator = match rest.first() {
                Some(e) => self.pattern(e)?,
                None => self.variable("FS").text(),
            };
            let parts = split(&text, &separator);
            #[allow(clippy::cast_precision_loss)]
            let count = Value::Number(parts.len() as f64);
            let numbered = parts.into_iter().enumerate().map(|(i, p)| ((i + 1).to_string(), Value::Input(p)));
            self.arrays.insert(array.clone(), numbered.collect());
            return Ok(count);
        }
        let mut values = Vec::new();
        for a in args {
            values.push(self.value(a)?);
        }
        let text = |i: usize| values.get(i).map(Value::text);
        let record = || self.fields.first().cloned().unwrap_or_default();
        #[allow(clippy::cast_precision_loss)]
        let length = |s: &str| s.chars().count() as f64;
        Ok(match name {
            "length" => Value::Number(length(&text(0).unwrap_or_else(record))),
            "tolower" => Value::Text(text(0).unwrap_or_default().to_lowercase()),
            "toupper" => Value::Text(text(0).unwrap_or_default().to_uppercase()),
            "int" => Value::Number(values.first().map_or(0.0, |v| v.number().trunc())),
            "index" => {
                let (s, t) = (text(0).unwrap_or_default(), text(1).unwrap_or_default());
                Value::Number(s.find(&t).map_or(0.0, |i| length(&s[..i]) + 1.0))
            }
            "substr" => {
                let number = |i: usize| values.get(i).map(Value::number);
                let from = number(1).unwrap_or(1.0) - 1.0;
                let to = number(2).map_or(f64::INFINITY, |n| from + n);
                let s = text(0).unwrap_or_default();
                #[allow(clippy::cast_precision_loss)]
                let inside = s.chars().enumerate().filter(|(i, _)| (*i as f64) >= from && (*i as f64) < to);
                Value::Text(inside.map(|(_, c)| c).collect())
            }
            _ => return Err(format!("function {name} is not simulated")),
        })
    }
}

fn regex(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|e| e.to_string())
}

fn arithmetic(op: &str, x: f64, y: f64) -> Result<f64, String> {
    Ok(match op {
        "+" => x + y,
        "-" => x - y,
        "*" => x * y,
        "/" | "%" if y == 0.0 => return Err("division by zero".into()),
        "/" => x / y,
        "%" => x % y,
        _ => {
            // Whole powers only: floats of other kinds differ between machines.
            #[allow(clippy::cast_possible_truncation)]
            (0..y.clamp(0.0, 1024.0) as u32).fold(1.0, |p, _| p * x)
        }
    })
}

fn split(text: &str, separator: &str) -> Vec<String> {
    match separator {
        " " => text.split_whitespace().map(str::to_string).collect(),
        _ if text.is_empty() => Vec::new(),
        s if s.chars().count() == 1 => text.split(s).map(str::to_string).collect(),
        s => match regex(s) {
            Ok(r) => r.split(text).map(str::to_string).collect(),
            Err(_) => text.split(s).map(str::to_string).collect(),
        },
    }
}
