//! Expansion: parameters, command substitutions, arithmetic, field splitting, path names.

use super::Shell;
use super::code::{Name, ParameterOp, ParameterUse, Piece, Text};
use super::pattern;
use crate::sim::fs::{Fs, Volumes};
use brush_parser::ast::{ArithmeticExpr, ArithmeticTarget, BinaryOperator, UnaryAssignmentOperator, UnaryOperator};

/// What an expansion may look at besides the shell.
pub struct Around<'a> {
    pub fs: &'a Fs,
    pub volumes: &'a Volumes,
    pub cwd: String,
    pub pid: u32,
}

/// A field under construction: its text, and the same with quoted characters escaped, for pattern matching.
#[derive(Default, Clone)]
struct Field {
    text: String,
    pattern: String,
    /// Something was there, even if empty (`""`).
    present: bool,
}

impl Field {
    fn push(&mut self, s: &str, quoted: bool) {
        self.text.push_str(s);
        for c in s.chars() {
            if quoted && matches!(c, '*' | '?' | '[' | '\\') {
                self.pattern.push('\\');
            }
            self.pattern.push(c);
        }
        self.present = true;
    }
}

impl Shell {
    /// One word to its fields.
    pub fn fields(&mut self, word: &Text, a: &Around) -> Result<Vec<String>, String> {
        let mut out = vec![Field::default()];
        self.expand_into(word, false, a, &mut out)?;
        let mut all = Vec::new();
        for f in out.into_iter().filter(|f| f.present) {
            match globbed(&f, a) {
                Some(names) => all.extend(names),
                None => all.push(f.text),
            }
        }
        Ok(all)
    }

    /// One word to one string, unsplit: assignments, redirections, `case`.
    pub fn string(&mut self, word: &Text, a: &Around) -> Result<String, String> {
        Ok(self.single(word, a)?.text)
    }
    /// The same as a pattern, in which quoted characters are literal.
    pub fn pattern(&mut self, word: &Text, a: &Around) -> Result<String, String> {
        Ok(self.single(word, a)?.pattern)
    }

    fn single(&mut self, word: &Text, a: &Around) -> Result<Field, String> {
        let mut one = Field::default();
        for p in word {
            match p {
                Piece::Plain(t) => one.push(t, false),
                Piece::Quoted(t) => one.push(t, true),
                Piece::Double(inner) => {
                    let t = self.string(inner, a)?;
                    one.push(&t, true);
                }
                Piece::Home => one.push(&self.variable("HOME").unwrap_or_else(|| "/root".into()), true),
                Piece::Command(i) => one.push(&self.substitution(*i), false),
                Piece::Arithmetic(t) => one.push(&self.arithmetic(t, a)?.to_string(), false),
                Piece::Parameter(p) => one.push(&self.parameter(p, a)?.join(" "), false),
            }
        }
        Ok(one)
    }

    fn expand_into(&mut self, word: &Text, quoted: bool, a: &Around, out: &mut Vec<Field>) -> Result<(), String> {
        for p in word {
            let split = match p {
                Piece::Plain(t) => {
                    last(out).push(t, quoted);
                    continue;
                }
                Piece::Quoted(t) => {
                    last(out).push(t, true);
                    continue;
                }
                Piece::Double(inner) => {
                    // `"$@"` alone becomes as many fields as there are parameters, possibly none.
                    let only_all = matches!(inner.as_slice(), [Piece::Parameter(p)]
                        if matches!(p.name, Name::All(false) | Name::Elements(_, false)));
                    if !only_all {
                        last(out).present = true;
                    }
                    self.expand_into(inner, true, a, out)?;
                    continue;
                }
                Piece::Home => {
                    last(out).push(&self.variable("HOME").unwrap_or_else(|| "/root".into()), true);
                    continue;
                }
                Piece::Command(i) => vec![self.substitution(*i)],
                Piece::Arithmetic(t) => vec![self.arithmetic(t, a)?.to_string()],
                Piece::Parameter(p) => self.parameter(p, a)?,
            };
            for (i, value) in split.iter().enumerate() {
                if i > 0 {
                    out.push(Field::default());
                }
                if quoted {
                    last(out).push(value, true);
                } else {
                    self.split(value, out);
                }
            }
        }
        Ok(())
    }

    /// Models field splitting with the default IFS (or the one set).
    fn split(&self, value: &str, out: &mut Vec<Field>) {
        let ifs = self.variable("IFS").unwrap_or_else(|| " \t\n".into());
        let mut pending = false;
        for c in value.chars() {
            if ifs.contains(c) {
                pending = true;
                if !c.is_whitespace() {
                    last(out).present = true;
                    out.push(Field::default());
                    pending = false;
                }
                continue;
            }
            if std::mem::take(&mut pending) && last(out).present {
                out.push(Field::default());
            }
            last(out).push(c.encode_utf8(&mut [0; 4]), false);
        }
        if pending && last(out).present {
            out.push(Field::default());
        }
    }

    fn substitution(&self, i: usize) -> String {
        self.results.get(i).cloned().unwrap_or_default()
    }

    /// The values of a parameter; several only for `$@`.
    fn value(&mut self, name: &Name, a: &Around) -> Result<Option<Vec<String>>, String> {
        let one = |s: String| Some(vec![s]);
        Ok(match name {
            Name::Element(n, index) => {
                let index = self.arithmetic(index, a)?;
                self.element(n, index).map(|v| vec![v])
            }
            Name::Elements(n, concatenate) => match self.elements(n) {
                all if *concatenate => one(all.join(" ")),
                all => Some(all),
            },
            Name::Indices(n) => Some(self.indices(n).iter().map(usize::to_string).collect()),
            Name::Variable(n) => self.read_variable(n).map(|v| vec![v]),
            Name::Positional(0) | Name::Shell => one(self.name.clone()),
            Name::Positional(n) => self.positional.get(n - 1).map(|v| vec![v.clone()]),
            Name::All(true) => one(self.positional.join(" ")),
            Name::All(false) => Some(self.positional.clone()),
            Name::Count => one(self.positional.len().to_string()),
            Name::Status => one(self.status.to_string()),
            Name::Flags => one(if self.errexit { "e" } else { "" }.into()),
            Name::Pid => one(self.pid.unwrap_or(a.pid).to_string()),
            Name::LastBackground => self.background.last().map(|p| vec![p.to_string()]),
        })
    }

    fn parameter(&mut self, p: &ParameterUse, a: &Around) -> Result<Vec<String>, String> {
        let value = self.value(&p.name, a)?;
        let text = value.as_ref().map(|v| v.join(" "));
        let missing = |null: bool| text.as_ref().is_none_or(|t| null && t.is_empty());
        Ok(match &p.op {
            ParameterOp::Value => match value {
                Some(v) => v,
                None if self.nounset => return Err(format!("{}: parameter not set", describe(&p.name))),
                None => vec![String::new()],
            },
            ParameterOp::Length if matches!(p.name, Name::Elements(..) | Name::All(_)) => {
                vec![value.map_or(0, |v| v.len()).to_string()]
            }
            ParameterOp::Length => vec![text.unwrap_or_default().chars().count().to_string()],
            ParameterOp::Default(null, word) => {
                if missing(*null) {
                    vec![self.string(word, a)?]
                } else {
                    value.unwrap_or_default()
                }
            }
            ParameterOp::Assign(null, word) => {
                if !missing(*null) {
                    return Ok(value.unwrap_or_default());
                }
                let v = self.string(word, a)?;
                if let Name::Variable(n) = &p.name {
                    self.assign(n, v.clone());
                }
                vec![v]
            }
            ParameterOp::Error(null, word) => {
                if missing(*null) {
                    let why = self.string(word, a)?;
                    let why = if why.is_empty() { "parameter not set".into() } else { why };
                    return Err(format!("{}: {why}", describe(&p.name)));
                }
                value.unwrap_or_default()
            }
            ParameterOp::Alternative(null, word) => {
                if missing(*null) {
                    vec![String::new()]
                } else {
                    vec![self.string(word, a)?]
                }
            }
            ParameterOp::RemovePrefix(longest, word) => {
                let (text, pattern) = (text.unwrap_or_default(), self.pattern(word, a)?);
                let ends = text.char_indices().map(|(i, _)| i).chain([text.len()]);
                let mut hits = ends.filter(|i| pattern::matches(&pattern, &text[..*i]));
                let cut = if *longest { hits.next_back() } else { hits.next() };
                vec![text[cut.unwrap_or(0)..].to_string()]
            }
            ParameterOp::RemoveSuffix(longest, word) => {
                let (text, pattern) = (text.unwrap_or_default(), self.pattern(word, a)?);
                let starts = text.char_indices().map(|(i, _)| i).chain([text.len()]);
                let mut hits = starts.filter(|i| pattern::matches(&pattern, &text[*i..]));
                let cut = if *longest { hits.next() } else { hits.next_back() };
                vec![text[..cut.unwrap_or(text.len())].to_string()]
            }
            ParameterOp::Substring(offset, length) => {
                let chars: Vec<char> = text.unwrap_or_default().chars().collect();
                let n = i64::try_from(chars.len()).unwrap_or(0);
                let at = self.arithmetic(offset, a)?;
                let start = if at < 0 { (n + at).max(0) } else { at.min(n) };
                let end = match length {
                    Some(l) => match self.arithmetic(l, a)? {
                        l if l < 0 => (n + l).max(start),
                        l => start.saturating_add(l).min(n),
                    },
                    None => n,
                };
                let range = usize::try_from(start).unwrap_or(0)..usize::try_from(end).unwrap_or(0);
                vec![chars[range].iter().collect()]
            }
            ParameterOp::Replace { pattern, with, all } => {
                let (text, from, to) = (text.unwrap_or_default(), self.string(pattern, a)?, self.string(with, a)?);
                vec![match (from.is_empty(), all) {
                    (true, _) => text,
                    (_, true) => text.replace(&from, &to),
                    (_, false) => text.replacen(&from, &to, 1),
                }]
            }
        })
    }

    /// # Errors
    /// What cannot be computed.
    pub fn arithmetic(&mut self, text: &Text, a: &Around) -> Result<i64, String> {
        let text = self.string(text, a)?;
        if text.trim().is_empty() {
            return Ok(0);
        }
        let expr =
            brush_parser::arithmetic::parse(text.trim()).map_err(|_| format!("arithmetic syntax error: {text}"))?;
        self.evaluate(&expr, 0)
    }

    /// An expression of `let`.
    ///
    /// # Errors
    /// What cannot be computed.
    pub fn compute(&mut self, text: &str) -> Result<i64, String> {
        let expr =
            brush_parser::arithmetic::parse(text.trim()).map_err(|_| format!("arithmetic syntax error: {text}"))?;
        self.evaluate(&expr, 0)
    }

    fn target(&mut self, t: &ArithmeticTarget, depth: u32) -> Result<i64, String> {
        let value = match t {
            ArithmeticTarget::Variable(name) => self.read_variable(name),
            ArithmeticTarget::ArrayElement(name, index) => {
                let index = self.evaluate(index, depth)?;
                self.element(name, index)
            }
        };
        let value = value.unwrap_or_default();
        match value.trim() {
            "" => Ok(0),
            v => match v.parse() {
                Ok(n) => Ok(n),
                // A variable may hold another expression's name.
                Err(_) if depth < 8 => self.target(&ArithmeticTarget::Variable(v.into()), depth + 1),
                Err(_) => Err(format!("{v}: expression recursion")),
            },
        }
    }

    fn store(&mut self, t: &ArithmeticTarget, v: i64) -> Result<i64, String> {
        match t {
            ArithmeticTarget::Variable(name) => self.assign(name, v.to_string()),
            ArithmeticTarget::ArrayElement(name, index) => {
                let index = self.evaluate(index, 0)?;
                self.assign_element(name, index, v.to_string());
            }
        }
        Ok(v)
    }

    fn evaluate(&mut self, e: &ArithmeticExpr, depth: u32) -> Result<i64, String> {
        if depth > 64 {
            return Err("expression too deep".into());
        }
        let d = depth + 1;
        match e {
            ArithmeticExpr::Literal(n) => Ok(*n),
            ArithmeticExpr::Reference(t) => self.target(t, 0),
            ArithmeticExpr::UnaryOp(op, x) => {
                let x = self.evaluate(x, d)?;
                Ok(match op {
                    UnaryOperator::UnaryPlus => x,
                    UnaryOperator::UnaryMinus => x.wrapping_neg(),
                    UnaryOperator::BitwiseNot => !x,
                    UnaryOperator::LogicalNot => i64::from(x == 0),
                })
            }
            ArithmeticExpr::BinaryOp(BinaryOperator::LogicalAnd, x, y) => {
                Ok(i64::from(self.evaluate(x, d)? != 0 && self.evaluate(y, d)? != 0))
            }
            ArithmeticExpr::BinaryOp(BinaryOperator::LogicalOr, x, y) => {
                Ok(i64::from(self.evaluate(x, d)? != 0 || self.evaluate(y, d)? != 0))
            }
            ArithmeticExpr::BinaryOp(op, x, y) => {
                let (x, y) = (self.evaluate(x, d)?, self.evaluate(y, d)?);
                binary(op, x, y)
            }
            ArithmeticExpr::Conditional(c, x, y) => {
                if self.evaluate(c, d)? != 0 {
                    self.evaluate(x, d)
                } else {
                    self.evaluate(y, d)
                }
            }
            ArithmeticExpr::Assignment(t, x) => {
                let v = self.evaluate(x, d)?;
                self.store(t, v)
            }
            ArithmeticExpr::BinaryAssignment(op, t, x) => {
                let (old, x) = (self.target(t, 0)?, self.evaluate(x, d)?);
                let v = binary(op, old, x)?;
                self.store(t, v)
            }
            ArithmeticExpr::UnaryAssignment(op, t) => {
                let old = self.target(t, 0)?;
                use UnaryAssignmentOperator as U;
                let (new, result_new) = match op {
                    U::PrefixIncrement => (old.wrapping_add(1), true),
                    U::PrefixDecrement => (old.wrapping_sub(1), true),
                    U::PostfixIncrement => (old.wrapping_add(1), false),
                    U::PostfixDecrement => (old.wrapping_sub(1), false),
                };
                self.store(t, new)?;
                Ok(if result_new { new } else { old })
            }
        }
    }
}

fn binary(op: &BinaryOperator, x: i64, y: i64) -> Result<i64, String> {
    use BinaryOperator as B;
    Ok(match op {
        B::Power => x.wrapping_pow(u32::try_from(y).map_err(|_| "exponent less than 0".to_string())?),
        B::Multiply => x.wrapping_mul(y),
        B::Divide | B::Modulo if y == 0 => return Err("division by zero".into()),
        B::Divide => x.wrapping_div(y),
        B::Modulo => x.wrapping_rem(y),
        B::Comma => y,
        B::Add => x.wrapping_add(y),
        B::Subtract => x.wrapping_sub(y),
        B::ShiftLeft => x.wrapping_shl(u32::try_from(y & 63).unwrap_or(0)),
        B::ShiftRight => x.wrapping_shr(u32::try_from(y & 63).unwrap_or(0)),
        B::LessThan => i64::from(x < y),
        B::LessThanOrEqualTo => i64::from(x <= y),
        B::GreaterThan => i64::from(x > y),
        B::GreaterThanOrEqualTo => i64::from(x >= y),
        B::Equals => i64::from(x == y),
        B::NotEquals => i64::from(x != y),
        B::BitwiseAnd => x & y,
        B::BitwiseXor => x ^ y,
        B::BitwiseOr => x | y,
        B::LogicalAnd => i64::from(x != 0 && y != 0),
        B::LogicalOr => i64::from(x != 0 || y != 0),
    })
}

fn describe(n: &Name) -> String {
    match n {
        Name::Variable(v) | Name::Element(v, _) | Name::Elements(v, _) => v.clone(),
        Name::Positional(n) => n.to_string(),
        _ => "parameter".into(),
    }
}

fn last(out: &mut Vec<Field>) -> &mut Field {
    if out.is_empty() {
        out.push(Field::default());
    }
    let i = out.len() - 1;
    &mut out[i]
}

/// The names a pattern stands for; `None` when it is none or matches nothing.
fn globbed(f: &Field, a: &Around) -> Option<Vec<String>> {
    if f.pattern == f.text && !pattern::is_pattern(&f.text)
        || !pattern::is_pattern(&f.pattern.replace("\\*", "").replace("\\?", "").replace("\\[", ""))
    {
        return None;
    }
    let (dir, leaf) = f.pattern.rsplit_once('/').map_or(("", f.pattern.as_str()), |(d, l)| (d, l));
    if pattern::is_pattern(dir) {
        return None;
    }
    let place = crate::sim::fs::normalize(&a.cwd, if dir.is_empty() && f.text.starts_with('/') { "/" } else { dir });
    let names = a.fs.list(&place, a.volumes).ok()?;
    let prefix = f.text.rsplit_once('/').map_or(String::new(), |(d, _)| format!("{d}/"));
    let hits: Vec<String> = names
        .into_iter()
        .filter(|n| (!n.starts_with('.') || leaf.starts_with('.')) && pattern::matches(leaf, n))
        .map(|n| format!("{prefix}{n}"))
        .collect();
    (!hits.is_empty()).then_some(hits)
}
