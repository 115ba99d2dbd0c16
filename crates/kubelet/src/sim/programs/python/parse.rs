//! From Python's lines to a flat list of operations, so that a program can sleep anywhere.

use super::token::{Line, Token, lines};

#[derive(Clone, Debug)]
pub enum Expr {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(String),
    Format(Vec<Part>),
    Name(String),
    List(Vec<Expr>),
    Attribute(Box<Expr>, String),
    Index(Box<Expr>, Box<Expr>),
    /// What is called, the arguments, and those with a name.
    Call(Box<Expr>, Vec<Expr>, Vec<(String, Expr)>),
    Not(Box<Expr>),
    Minus(Box<Expr>),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    /// `then if test else other`
    If(Box<Expr>, Box<Expr>, Box<Expr>),
}

#[derive(Clone, Debug)]
pub enum Part {
    Text(String),
    Value(Expr),
}

#[derive(Clone, Debug)]
pub enum Op {
    Do(Expr),
    Set(String, Expr),
    Jump(usize),
    JumpIfNot(Expr, usize),
    Iterate(Expr),
    /// The next element to this name, or on at the position.
    Next(String, usize),
    /// A `for` that is left early.
    Forget,
    Raise(Expr),
    Import(String),
    Pass,
}

/// An operation and its line.
pub type Ops = Vec<(u32, Op)>;

/// # Errors
/// The line, and what Python says or what is not simulated.
pub fn parse(source: &str) -> Result<Ops, (u32, String)> {
    let lines = lines(source)?;
    let mut c = Compiler { lines: &lines, at: 0, ops: Vec::new(), loops: Vec::new() };
    if let Some(first) = lines.first() {
        c.block(first.indent)?;
    }
    match lines.get(c.at) {
        Some(l) => Err((l.number, "unindent does not match any outer indentation level".into())),
        None => Ok(c.ops),
    }
}

struct Loop {
    top: usize,
    is_for: bool,
    breaks: Vec<usize>,
}

struct Compiler<'a> {
    lines: &'a [Line],
    at: usize,
    ops: Ops,
    loops: Vec<Loop>,
}

type Failure = (u32, String);

impl Compiler<'_> {
    fn block(&mut self, indent: usize) -> Result<(), Failure> {
        while let Some(line) = self.lines.get(self.at).filter(|l| l.indent >= indent) {
            if line.indent > indent {
                return Err((line.number, "unexpected indent".into()));
            }
            self.statement(line)?;
        }
        Ok(())
    }

    /// What follows a colon: the rest of the line, or the indented lines below.
    fn body(&mut self, line: &Line, p: &Parser) -> Result<(), Failure> {
        let rest = &p.tokens[p.at..];
        if !rest.is_empty() {
            return self.simple(line.number, rest);
        }
        match self.lines.get(self.at) {
            Some(next) if next.indent > line.indent => self.block(next.indent),
            _ => Err((line.number, "expected an indented block".into())),
        }
    }

    fn push(&mut self, line: u32, op: Op) -> usize {
        self.ops.push((line, op));
        self.ops.len() - 1
    }

    fn statement(&mut self, line: &Line) -> Result<(), Failure> {
        self.at += 1;
        let number = line.number;
        let fail = |why: String| (number, why);
        let mut p = Parser { tokens: &line.tokens, at: 1 };
        let Some(Token::Name(word)) = line.tokens.first() else { return self.simple(number, &line.tokens) };
        match word.as_str() {
            "if" => {
                let mut ends = Vec::new();
                let test = p.head().map_err(fail)?;
                let mut skip = self.push(number, Op::JumpIfNot(test, 0));
                self.body(line, &p)?;
                while let Some(next) = self.lines.get(self.at).filter(|l| l.indent == line.indent) {
                    let word = match next.tokens.first() {
                        Some(Token::Name(w)) if w == "elif" || w == "else" => w.as_str(),
                        _ => break,
                    };
                    self.at += 1;
                    ends.push(self.push(next.number, Op::Jump(0)));
                    self.land(skip);
                    let mut p = Parser { tokens: &next.tokens, at: 1 };
                    if word == "elif" {
                        let test = p.head().map_err(|why| (next.number, why))?;
                        skip = self.push(next.number, Op::JumpIfNot(test, 0));
                        self.body(next, &p)?;
                    } else {
                        p.expect(":").map_err(|why| (next.number, why))?;
                        skip = self.push(next.number, Op::Pass);
                        self.body(next, &p)?;
                        break;
                    }
                }
                self.land(skip);
                ends.into_iter().for_each(|e| self.land(e));
                Ok(())
            }
            "while" => {
                let test = p.head().map_err(fail)?;
                let top = self.push(number, Op::JumpIfNot(test, 0));
                self.repeat(line, &p, top, false)
            }
            "for" => {
                let name = p.name().map_err(fail)?;
                p.keyword("in").map_err(fail)?;
                let over = p.head().map_err(fail)?;
                self.push(number, Op::Iterate(over));
                let top = self.push(number, Op::Next(name, 0));
                self.repeat(line, &p, top, true)
            }
            "def" | "class" | "try" | "with" | "async" | "lambda" | "global" | "del" | "assert" => {
                Err((number, format!("{word}: this part of Python is not simulated")))
            }
            _ => self.simple(number, &line.tokens),
        }
    }

    fn repeat(&mut self, line: &Line, p: &Parser, top: usize, is_for: bool) -> Result<(), Failure> {
        self.loops.push(Loop { top, is_for, breaks: Vec::new() });
        self.body(line, p)?;
        self.push(line.number, Op::Jump(top));
        self.land(top);
        for b in self.loops.pop().map(|l| l.breaks).unwrap_or_default() {
            self.land(b);
        }
        Ok(())
    }

    /// Lets the jump at `from` lead to here.
    fn land(&mut self, from: usize) {
        let here = self.ops.len();
        if let Op::Jump(to) | Op::JumpIfNot(_, to) | Op::Next(_, to) = &mut self.ops[from].1 {
            *to = here;
        }
    }

    fn simple(&mut self, line: u32, tokens: &[Token]) -> Result<(), Failure> {
        for part in tokens.split(|t| *t == Token::Op(";")).filter(|p| !p.is_empty()) {
            self.one(line, part)?;
        }
        Ok(())
    }

    fn one(&mut self, line: u32, tokens: &[Token]) -> Result<(), Failure> {
        let fail = |why: String| (line, why);
        let mut p = Parser { tokens, at: 1 };
        let word = match tokens.first() {
            Some(Token::Name(w)) => w.as_str(),
            _ => "",
        };
        match (word, tokens.get(1)) {
            ("pass", None) => {
                self.push(line, Op::Pass);
            }
            ("import" | "from", _) => {
                let mut names = tokens[1..].iter().filter_map(|t| match t {
                    Token::Name(n) => Some(n.clone()),
                    _ => None,
                });
                if word == "from" {
                    return Err((line, "from: this part of Python is not simulated".into()));
                }
                while let Some(n) = names.next() {
                    if n == "as" {
                        names.next();
                        continue;
                    }
                    self.push(line, Op::Import(n));
                }
            }
            ("break" | "continue", None) => {
                let Some(l) = self.loops.last() else { return Err((line, format!("'{word}' outside loop"))) };
                let (top, is_for) = (l.top, l.is_for);
                if word == "continue" {
                    self.push(line, Op::Jump(top));
                    return Ok(());
                }
                if is_for {
                    self.push(line, Op::Forget);
                }
                let at = self.push(line, Op::Jump(0));
                if let Some(l) = self.loops.last_mut() {
                    l.breaks.push(at);
                }
            }
            ("raise", _) => {
                let what = p.expression().map_err(fail)?;
                self.push(line, Op::Raise(what));
            }
            (name, Some(Token::Op("="))) if !name.is_empty() => {
                p.at = 2;
                let value = p.whole().map_err(fail)?;
                self.push(line, Op::Set(name.into(), value));
            }
            (name, Some(Token::Op(op @ ("+=" | "-=" | "*=" | "/=" | "%=" | "//=" | "**=")))) if !name.is_empty() => {
                p.at = 2;
                let value = p.whole().map_err(fail)?;
                let op =
                    super::eval::OPERATORS.iter().find(|o| **o == op.trim_end_matches('=')).copied().unwrap_or("+");
                let old = Box::new(Expr::Name(name.into()));
                self.push(line, Op::Set(name.into(), Expr::Binary(op, old, Box::new(value))));
            }
            _ => {
                p.at = 0;
                let value = p.whole().map_err(fail)?;
                self.push(line, Op::Do(value));
            }
        }
        Ok(())
    }
}

/// Expressions, by precedence.
pub struct Parser<'a> {
    pub tokens: &'a [Token],
    pub at: usize,
}

const INVALID: &str = "invalid syntax";

impl Parser<'_> {
    fn eat(&mut self, op: &str) -> bool {
        let hit = matches!(self.tokens.get(self.at), Some(Token::Op(o)) if *o == op);
        self.at += usize::from(hit);
        hit
    }
    fn word(&mut self, word: &str) -> bool {
        let hit = matches!(self.tokens.get(self.at), Some(Token::Name(n)) if n == word);
        self.at += usize::from(hit);
        hit
    }
    fn expect(&mut self, op: &str) -> Result<(), String> {
        if self.eat(op) { Ok(()) } else { Err(format!("expected '{op}'")) }
    }
    fn keyword(&mut self, word: &str) -> Result<(), String> {
        if self.word(word) { Ok(()) } else { Err(INVALID.into()) }
    }
    fn name(&mut self) -> Result<String, String> {
        match self.tokens.get(self.at) {
            Some(Token::Name(n)) => {
                self.at += 1;
                Ok(n.clone())
            }
            _ => Err(INVALID.into()),
        }
    }
    /// An expression and the colon after it.
    fn head(&mut self) -> Result<Expr, String> {
        let e = self.expression()?;
        self.expect(":")?;
        Ok(e)
    }
    /// An expression, and nothing after it.
    pub fn whole(&mut self) -> Result<Expr, String> {
        let e = self.expression()?;
        if self.at < self.tokens.len() { Err(INVALID.into()) } else { Ok(e) }
    }

    pub fn expression(&mut self) -> Result<Expr, String> {
        let then = self.or()?;
        if !self.word("if") {
            return Ok(then);
        }
        let test = self.or()?;
        self.keyword("else")?;
        Ok(Expr::If(Box::new(then), Box::new(test), Box::new(self.expression()?)))
    }
    fn or(&mut self) -> Result<Expr, String> {
        let mut e = self.and()?;
        while self.word("or") {
            e = Expr::Or(Box::new(e), Box::new(self.and()?));
        }
        Ok(e)
    }
    fn and(&mut self) -> Result<Expr, String> {
        let mut e = self.not()?;
        while self.word("and") {
            e = Expr::And(Box::new(e), Box::new(self.not()?));
        }
        Ok(e)
    }
    fn not(&mut self) -> Result<Expr, String> {
        if self.word("not") {
            return Ok(Expr::Not(Box::new(self.not()?)));
        }
        let mut e = self.sum()?;
        loop {
            let op = ["==", "!=", "<=", ">=", "<", ">"].into_iter().find(|o| self.eat(o));
            let (op, negated) = match op {
                Some(op) => (op, false),
                None if self.word("in") => ("in", false),
                None if self.word("is") => ("==", self.word("not")),
                None if self.word("not") => {
                    self.keyword("in")?;
                    ("in", true)
                }
                None => return Ok(e),
            };
            e = Expr::Binary(op, Box::new(e), Box::new(self.sum()?));
            if negated {
                e = Expr::Not(Box::new(e));
            }
        }
    }
    fn sum(&mut self) -> Result<Expr, String> {
        let mut e = self.product()?;
        while let Some(op) = ["+", "-"].into_iter().find(|o| self.eat(o)) {
            e = Expr::Binary(op, Box::new(e), Box::new(self.product()?));
        }
        Ok(e)
    }
    fn product(&mut self) -> Result<Expr, String> {
        let mut e = self.unary()?;
        while let Some(op) = ["*", "//", "/", "%"].into_iter().find(|o| self.eat(o)) {
            e = Expr::Binary(op, Box::new(e), Box::new(self.unary()?));
        }
        Ok(e)
    }
    fn unary(&mut self) -> Result<Expr, String> {
        if self.eat("-") {
            return Ok(Expr::Minus(Box::new(self.unary()?)));
        }
        let e = self.postfix()?;
        if self.eat("**") {
            return Ok(Expr::Binary("**", Box::new(e), Box::new(self.unary()?)));
        }
        Ok(e)
    }
    fn postfix(&mut self) -> Result<Expr, String> {
        let mut e = self.atom()?;
        loop {
            if self.eat(".") {
                e = Expr::Attribute(Box::new(e), self.name()?);
            } else if self.eat("[") {
                let index = self.expression()?;
                self.expect("]")?;
                e = Expr::Index(Box::new(e), Box::new(index));
            } else if self.eat("(") {
                let (mut args, mut named) = (Vec::new(), Vec::new());
                while !self.eat(")") {
                    let is_named = matches!(self.tokens.get(self.at + 1), Some(Token::Op("=")));
                    if is_named {
                        let name = self.name()?;
                        self.expect("=")?;
                        named.push((name, self.expression()?));
                    } else {
                        args.push(self.expression()?);
                    }
                    if !self.eat(",") {
                        self.expect(")")?;
                        break;
                    }
                }
                e = Expr::Call(Box::new(e), args, named);
            } else {
                return Ok(e);
            }
        }
    }
    fn atom(&mut self) -> Result<Expr, String> {
        let Some(t) = self.tokens.get(self.at) else { return Err(INVALID.into()) };
        self.at += 1;
        Ok(match t {
            Token::Int(n) => Expr::Int(*n),
            Token::Float(f) => Expr::Float(*f),
            Token::Str(s) => {
                let mut text = s.clone();
                while let Some(Token::Str(more)) = self.tokens.get(self.at) {
                    text.push_str(more);
                    self.at += 1;
                }
                Expr::Str(text)
            }
            Token::Format(f) => Expr::Format(format_parts(f)?),
            Token::Name(n) => match n.as_str() {
                "None" => Expr::None,
                "True" => Expr::Bool(true),
                "False" => Expr::Bool(false),
                "lambda" | "await" | "yield" => return Err(format!("{n}: this part of Python is not simulated")),
                _ => Expr::Name(n.clone()),
            },
            Token::Op(open @ ("(" | "[")) => {
                let close = if *open == "(" { ")" } else { "]" };
                let mut list = Vec::new();
                let mut comma = false;
                while !self.eat(close) {
                    list.push(self.expression()?);
                    if !self.eat(",") {
                        self.expect(close)?;
                        break;
                    }
                    comma = true;
                }
                if close == ")" && list.len() == 1 && !comma { list.remove(0) } else { Expr::List(list) }
            }
            Token::Op("{") => return Err("dictionaries are not simulated".into()),
            Token::Op(_) => return Err(INVALID.into()),
        })
    }
}

/// `Hello {name}` to its parts; a format after a colon is left out.
fn format_parts(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        if rest[open..].starts_with("{{") {
            parts.push(Part::Text(rest[..=open].into()));
            rest = &rest[open + 2..];
            continue;
        }
        parts.push(Part::Text(rest[..open].replace("}}", "}")));
        let close = rest[open..].find('}').ok_or("f-string: expecting '}'")? + open;
        let inner = rest[open + 1..close].split(':').next().unwrap_or("");
        let lines = lines(inner.trim()).map_err(|(_, why)| why)?;
        let tokens = lines.first().map(|l| l.tokens.as_slice()).unwrap_or_default();
        parts.push(Part::Value(Parser { tokens, at: 0 }.whole()?));
        rest = &rest[close + 1..];
    }
    parts.push(Part::Text(rest.replace("}}", "}")));
    Ok(parts)
}
