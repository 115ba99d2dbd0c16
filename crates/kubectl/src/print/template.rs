//! `-o go-template`: what people use of Go's `text/template`. Models `cli-runtime/pkg/printers/template.go`.

use super::gojson;
use super::jsonpath::go_value;
use super::template_functions::{FUNCTIONS, call, go_type, truth};
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Node {
    Text(String),
    Print(Pipe),
    If(Pipe, Vec<Node>, Vec<Node>),
    With(Pipe, Vec<Node>, Vec<Node>),
    Range(Option<String>, Option<String>, Pipe, Vec<Node>, Vec<Node>),
    Set(String, Pipe),
    /// A named template, with what its dot is.
    Call(String, Option<Pipe>),
    Break,
    Continue,
}

/// How the rest of a range goes on.
#[derive(Clone, Copy, PartialEq)]
enum Flow {
    Next,
    Break,
    Continue,
}

/// Upstream goes deeper, but a template that calls itself for ever has no end in either.
const MAX_DEPTH: usize = 100;

/// Commands, each with how it was written.
type Pipe = Vec<(Vec<Arg>, String)>;

#[derive(Clone, Debug)]
enum Arg {
    /// `.a.b`; empty is the dot.
    Field(Vec<String>),
    /// `$x.a`; the name is empty for the root.
    Variable(String, Vec<String>),
    Literal(Value),
    Nil,
    Function(String),
    Pipe(Pipe, Vec<String>),
}

#[derive(Clone, Debug)]
pub(crate) struct Template {
    nodes: Vec<Node>,
    defined: BTreeMap<String, Vec<Node>>,
    text: String,
    lenient: bool,
}

/// A key that is not there.
const NO_VALUE: &str = "<no value>";

impl Template {
    pub fn parse(text: &str, lenient: bool) -> Result<Template, String> {
        let mut parser =
            Parser { tokens: tokens(text)?, at: 0, ranges: 0, variables: Vec::new(), defined: BTreeMap::new() };
        let (nodes, end) = parser.block()?;
        if let Some(word) = end {
            return Err(format!("template: output:1: unexpected {{{{{word}}}}}"));
        }
        Ok(Template { nodes, defined: parser.defined, text: text.into(), lenient })
    }

    /// # Errors
    /// What went wrong, after what was printed until then and what upstream tells whoever looks for the reason.
    pub fn print(&self, v: &Value) -> Result<String, (String, String)> {
        let mut run = Run {
            template: self,
            name: "output".into(),
            variables: vec![(String::new(), v.clone())],
            out: String::new(),
            depth: 0,
        };
        let Err(e) = run.nodes(&self.nodes, v) else { return Ok(run.out) };
        let said = format!(
            "{}Error executing template: {e}. Printing more information for debugging the template:\n\ttemplate \
             was:\n\t\t{}\n\traw data was:\n\t\t{}\n\tobject given to template engine was:\n\t\t{}\n\n",
            run.out,
            self.text,
            gojson::compact(v),
            go_value(v)
        );
        Err((said, format!("error executing template {:?}: {e}", self.text)))
    }
}

#[derive(Clone, Debug)]
enum Token {
    Text(String),
    Action(Vec<String>),
}

/// Texts and actions; `{{-` and `-}}` trim.
fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let (mut out, mut rest, mut trim) = (Vec::new(), text, false);
    while let Some(begin) = rest.find("{{") {
        let (mut before, after) = (&rest[..begin], &rest[begin + 2..]);
        if trim {
            before = before.trim_start();
        }
        let trims = after.starts_with("- ");
        if trims {
            before = before.trim_end();
        }
        if !before.is_empty() {
            out.push(Token::Text(before.into()));
        }
        let end = end_of_action(after)?;
        let mut inner = &after[..end];
        trim = inner.ends_with(" -");
        if trim {
            inner = &inner[..inner.len() - 2];
        }
        let inner = if trims { inner[1..].trim_start() } else { inner };
        if !inner.starts_with("/*") {
            out.push(Token::Action(words(inner)?));
        }
        rest = &after[end + 2..];
    }
    let rest = if trim { rest.trim_start() } else { rest };
    if !rest.is_empty() {
        out.push(Token::Text(rest.into()));
    }
    Ok(out)
}

fn end_of_action(text: &str) -> Result<usize, &'static str> {
    let mut quote = None;
    let mut escaped = false;
    for (i, c) in text.char_indices() {
        match quote {
            Some('"') if escaped => escaped = false,
            Some('"') if c == '\\' => escaped = true,
            Some(q) if c == q => quote = None,
            Some(_) => {}
            None if c == '"' || c == '`' => quote = Some(c),
            None if text[i..].starts_with("}}") => return Ok(i),
            None => {}
        }
    }
    Err(match quote {
        Some('"') => "template: output:1: unterminated quoted string",
        Some(_) => "template: output:1: unterminated raw quoted string",
        None => "template: output:1: unclosed action",
    })
}

fn words(text: &str) -> Result<Vec<String>, String> {
    let chars: Vec<char> = text.chars().collect();
    let (mut out, mut i) = (Vec::new(), 0);
    while i < chars.len() {
        let begin = i;
        match chars[i] {
            c if c.is_whitespace() => {
                i += 1;
                continue;
            }
            q @ ('"' | '`') => {
                i += 1;
                while i < chars.len() && chars[i] != q {
                    i += if chars[i] == '\\' && q == '"' { 2 } else { 1 };
                }
                if i >= chars.len() {
                    return Err("template: output:1: unterminated quoted string".into());
                }
                i += 1;
            }
            '(' | '|' | ',' => i += 1,
            ')' => {
                // A field of what is in parentheses belongs to them.
                i += 1;
                while i < chars.len() && (chars[i] == '.' || chars[i].is_alphanumeric() || chars[i] == '_') {
                    i += 1;
                }
            }
            ':' if chars.get(i + 1) == Some(&'=') => i += 2,
            '=' => i += 1,
            c if c.is_ascii_graphic() && !c.is_alphanumeric() && !matches!(c, '_' | '.' | '$' | '+' | '-' | ':') => {
                return Err(format!("template: output:1: unexpected {:?} in command", c.to_string()));
            }
            first => {
                // A word ends where a field begins: `range.items`.
                let is_word = first.is_alphabetic() || first == '_';
                let ends = |c: char| {
                    c.is_whitespace()
                        || matches!(c, '(' | ')' | '|' | ',' | '"' | '`' | ':' | '=')
                        || (is_word && c == '.')
                };
                while chars.get(i).is_some_and(|c| !ends(*c)) {
                    i += 1;
                }
                if i == begin {
                    return Err(format!("template: output:1: unexpected {:?} in operand", chars[i]));
                }
            }
        }
        out.push(chars[begin..i].iter().collect());
    }
    Ok(out)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    /// How many ranges are around.
    ranges: usize,
    /// What is declared so far.
    variables: Vec<String>,
    defined: BTreeMap<String, Vec<Node>>,
}

impl Parser {
    /// Up to `end` or `else`, which are handed back.
    fn block(&mut self) -> Result<(Vec<Node>, Option<String>), String> {
        let mut nodes = Vec::new();
        while let Some(token) = self.tokens.get(self.at).cloned() {
            self.at += 1;
            let words = match token {
                Token::Text(t) => {
                    nodes.push(Node::Text(t));
                    continue;
                }
                Token::Action(words) => words,
            };
            let Some(first) = words.first().map(String::as_str) else {
                return Err("template: output:1: missing value for command".into());
            };
            match first {
                "end" => return Ok((nodes, Some("end".into()))),
                "else" => {
                    // `else if` is an `if` inside, which takes this block's end as its own.
                    return Ok((nodes, Some(words.join(" "))));
                }
                "break" | "continue" if words.len() == 1 => {
                    if self.ranges == 0 {
                        return Err(format!("template: output:1: {{{{{first}}}}} outside {{{{range}}}}"));
                    }
                    nodes.push(if first == "break" { Node::Break } else { Node::Continue });
                }
                "define" | "block" => {
                    let name = quoted_name(&words, &format!("{first} clause"))?;
                    if first == "block" {
                        nodes.push(Node::Call(name.clone(), Some(self.condition(&words[2..], first)?)));
                    }
                    let outer = (std::mem::take(&mut self.variables), std::mem::take(&mut self.ranges));
                    let (body, end) = self.block()?;
                    if end.as_deref() != Some("end") {
                        return Err("template: output:1: unexpected EOF".into());
                    }
                    (self.variables, self.ranges) = outer;
                    self.defined.insert(name, body);
                }
                "template" => {
                    let name = quoted_name(&words, "template clause")?;
                    let with = if words.len() > 2 { Some(self.pipe(&words[2..])?) } else { None };
                    nodes.push(Node::Call(name, with));
                }
                "if" | "with" => {
                    let depth = self.variables.len();
                    let (declared, rest) = declaration(&words[1..]);
                    let pipe = self.condition(rest, first)?;
                    self.variables.extend(declared.clone());
                    let (body, other) = self.bodies()?;
                    self.variables.truncate(depth);
                    if let Some(name) = declared {
                        let of = vec![(vec![Arg::Variable(name.clone(), Vec::new())], format!("${name}"))];
                        let inner = if first == "if" { Node::If(of, body, other) } else { Node::With(of, body, other) };
                        // The variable ends with the block.
                        let always = vec![(vec![Arg::Literal(true.into())], "true".into())];
                        nodes.push(Node::If(always, vec![Node::Set(name, pipe), inner], Vec::new()));
                        continue;
                    }
                    nodes.push(if first == "if" { Node::If(pipe, body, other) } else { Node::With(pipe, body, other) });
                }
                "range" => {
                    let mut rest = &words[1..];
                    let (mut key, mut value) = (None, None);
                    if let Some(i) = rest.iter().position(|w| w == ":=") {
                        let names: Vec<&String> = rest[..i].iter().filter(|w| *w != ",").collect();
                        match names.as_slice() {
                            [v] => value = Some(v[1..].to_string()),
                            [k, v] => (key, value) = (Some(k[1..].to_string()), Some(v[1..].to_string())),
                            _ => return Err("template: output:1: too many declarations in range".into()),
                        }
                        rest = &rest[i + 1..];
                    }
                    let pipe = self.condition(rest, first)?;
                    let depth = self.variables.len();
                    self.variables.extend(key.iter().chain(&value).cloned());
                    self.ranges += 1;
                    let (body, other) = self.bodies()?;
                    self.ranges -= 1;
                    self.variables.truncate(depth);
                    nodes.push(Node::Range(key, value, pipe, body, other));
                }
                name if name.starts_with('$') && matches!(words.get(1).map(String::as_str), Some(":=" | "=")) => {
                    let value = self.pipe(&words[2..])?;
                    let name = name[1..].to_string();
                    if words[1] == ":=" {
                        self.variables.push(name.clone());
                    } else {
                        self.declared(&words[0])?;
                    }
                    nodes.push(Node::Set(name, value));
                }
                _ => nodes.push(Node::Print(self.pipe(&words)?)),
            }
        }
        Ok((nodes, None))
    }

    fn bodies(&mut self) -> Result<(Vec<Node>, Vec<Node>), String> {
        let (body, end) = self.block()?;
        match end.as_deref() {
            None => Err("template: output:1: unexpected EOF".into()),
            Some("end") => Ok((body, Vec::new())),
            Some("else") => {
                let (other, end) = self.block()?;
                if end.as_deref() == Some("end") {
                    Ok((body, other))
                } else {
                    Err("template: output:1: unexpected EOF".into())
                }
            }
            Some(other) => {
                let words = words(other.trim_start_matches("else"))?;
                let what = words.first().map_or("", String::as_str);
                let pipe = self.condition(words.get(1..).unwrap_or_default(), what)?;
                let (inner, other) = self.bodies()?;
                let node = if what == "with" { Node::With(pipe, inner, other) } else { Node::If(pipe, inner, other) };
                Ok((body, vec![node]))
            }
        }
    }

    fn condition(&self, words: &[String], what: &str) -> Result<Pipe, String> {
        if words.is_empty() {
            return Err(format!("template: output:1: missing value for {what}"));
        }
        self.pipe(words)
    }

    fn pipe(&self, words: &[String]) -> Result<Pipe, String> {
        let read = pipe(words)?;
        for word in words.iter().filter(|w| w.starts_with('$')) {
            self.declared(word)?;
        }
        Ok(read)
    }

    fn declared(&self, word: &str) -> Result<(), String> {
        let name = word[1..].split('.').next().unwrap_or("");
        if name.is_empty() || self.variables.iter().any(|v| v == name) {
            return Ok(());
        }
        Err(format!("template: output:1: undefined variable \"${name}\""))
    }
}

/// `$x := …` before a condition: the variable, and the words after it.
fn declaration(words: &[String]) -> (Option<String>, &[String]) {
    match words {
        [name, sign, rest @ ..] if name.starts_with('$') && sign == ":=" => (Some(name[1..].into()), rest),
        words => (None, words),
    }
}

/// The name after `define`, `block` or `template`.
fn quoted_name(words: &[String], what: &str) -> Result<String, String> {
    match words.get(1).map(|w| arg(w)) {
        Some(Ok(Arg::Literal(Value::String(name)))) => Ok(name),
        _ => {
            let word = words.get(1).map_or("}}", String::as_str);
            Err(format!("template: output:1: unexpected {word:?} in {what}"))
        }
    }
}

fn pipe(words: &[String]) -> Result<Pipe, String> {
    let (mut commands, mut command, mut i, mut begun) = (Vec::new(), Vec::new(), 0, 0);
    while i < words.len() {
        match words[i].as_str() {
            "|" => {
                commands.push((std::mem::take(&mut command), words[begun..i].join(" ")));
                begun = i + 1;
            }
            "(" => {
                let (mut depth, begin) = (1, i + 1);
                while depth > 0 {
                    i += 1;
                    match words.get(i).map(String::as_str) {
                        Some("(") => depth += 1,
                        Some(w) if w.starts_with(')') => depth -= 1,
                        Some(_) => {}
                        None => return Err("template: output:1: unclosed left paren".into()),
                    }
                }
                let fields = names(&words[i][1..]);
                command.push(Arg::Pipe(pipe(&words[begin..i])?, fields));
            }
            word => command.push(arg(word)?),
        }
        i += 1;
    }
    commands.push((command, words[begun..].join(" ")));
    if commands.iter().any(|(c, _)| c.is_empty()) {
        return Err("template: output:1: missing value for command".into());
    }
    Ok(commands)
}

fn names(text: &str) -> Vec<String> {
    text.split('.').filter(|p| !p.is_empty()).map(String::from).collect()
}

fn arg(word: &str) -> Result<Arg, String> {
    if word.starts_with('.') {
        return Ok(Arg::Field(names(word)));
    }
    if let Some(rest) = word.strip_prefix('$') {
        let mut parts = rest.splitn(2, '.');
        let name = parts.next().unwrap_or("").to_string();
        return Ok(Arg::Variable(name, names(parts.next().unwrap_or(""))));
    }
    if let Some(raw) = word.strip_prefix('`').and_then(|w| w.strip_suffix('`')) {
        return Ok(Arg::Literal(raw.into()));
    }
    if word.starts_with('"') {
        let bad = || format!("template: output:1: bad syntax: {word}");
        return unquoted(word).map(|text| Arg::Literal(text.into())).ok_or_else(bad);
    }
    if word.starts_with(|c: char| c.is_ascii_digit() || c == '-') || matches!(word, "true" | "false") {
        return number(word)
            .map_or_else(|| serde_json::from_str(word), Ok)
            .map(Arg::Literal)
            .map_err(|_| format!("template: output:1: bad syntax: {word}"));
    }
    if word == "nil" {
        return Ok(Arg::Nil);
    }
    if FUNCTIONS.contains(&word) {
        return Ok(Arg::Function(word.into()));
    }
    Err(format!("template: output:1: function {word:?} not defined"))
}

/// An integer in Go's other bases.
fn number(word: &str) -> Option<Value> {
    let (sign, digits) = word.strip_prefix('-').map_or((1, word), |rest| (-1, rest));
    let (base, digits) = match digits.get(..2)?.to_ascii_lowercase().as_str() {
        "0x" => (16, &digits[2..]),
        "0o" => (8, &digits[2..]),
        "0b" => (2, &digits[2..]),
        _ => return None,
    };
    i64::from_str_radix(&digits.replace('_', ""), base).ok().map(|n| (sign * n).into())
}

/// Upstream's place of a chain is where its second field begins.
fn chain(names: &[String]) -> usize {
    if names.len() > 1 { names[0].len() + 1 } else { 0 }
}

struct Run<'t> {
    template: &'t Template,
    /// The template that runs, for messages.
    name: String,
    /// The one without a name is what the template was given.
    variables: Vec<(String, Value)>,
    out: String,
    depth: usize,
}

impl Run<'_> {
    fn nodes(&mut self, nodes: &[Node], dot: &Value) -> Result<Flow, String> {
        let depth = self.variables.len();
        let mut flow = Flow::Next;
        for node in nodes {
            match node {
                Node::Break => flow = Flow::Break,
                Node::Continue => flow = Flow::Continue,
                Node::Call(name, with) => self.call(name, with.as_ref(), dot)?,
                Node::Text(t) => self.out.push_str(t),
                Node::Print(p) => {
                    let v = self.pipe(p, dot)?;
                    self.out.push_str(&v.as_ref().map_or_else(|| NO_VALUE.to_string(), shown));
                }
                Node::Set(name, p) => {
                    let v = self.pipe(p, dot)?.unwrap_or_default();
                    self.variables.push((name.clone(), v));
                }
                Node::If(p, body, other) => {
                    let v = self.pipe(p, dot)?;
                    flow = self.nodes(if truth(v.as_ref()) { body } else { other }, dot)?;
                }
                Node::With(p, body, other) => {
                    flow = match self.pipe(p, dot)? {
                        Some(v) if truth(Some(&v)) => self.nodes(body, &v)?,
                        _ => self.nodes(other, dot)?,
                    }
                }
                Node::Range(key, value, p, body, other) => {
                    let items: Vec<(Value, Value)> = match self.pipe(p, dot)? {
                        Some(Value::Array(list)) => list.into_iter().enumerate().map(|(i, v)| (i.into(), v)).collect(),
                        Some(Value::Object(map)) => map.into_iter().map(|(k, v)| (k.into(), v)).collect(),
                        None | Some(Value::Null) => Vec::new(),
                        Some(v) => {
                            let (command, written) =
                                p.last().map_or((&[][..], ""), |(c, w)| (c.as_slice(), w.as_str()));
                            let into = match command {
                                [Arg::Field(names)] => chain(names),
                                _ => 0,
                            };
                            return Err(self.at(written, into, &format!("range can't iterate over {}", shown(&v))));
                        }
                    };
                    if items.is_empty() {
                        flow = self.nodes(other, dot)?;
                    }
                    for (k, v) in items {
                        let depth = self.variables.len();
                        self.variables.extend(key.clone().map(|n| (n, k)));
                        self.variables.extend(value.clone().map(|n| (n, v.clone())));
                        let inner = self.nodes(body, &v)?;
                        self.variables.truncate(depth);
                        if inner == Flow::Break {
                            break;
                        }
                    }
                }
            }
            if flow != Flow::Next {
                break;
            }
        }
        self.variables.truncate(depth);
        Ok(flow)
    }

    /// A named template.
    fn call(&mut self, name: &str, with: Option<&Pipe>, dot: &Value) -> Result<(), String> {
        let template = self.template;
        let Some(body) = template.defined.get(name) else {
            let from = format!("{{{{template {name:?}");
            let begin = template.text.find(&from).unwrap_or(0);
            let end = template.text[begin..].find("}}").map_or(template.text.len(), |e| begin + e + 2);
            let error = format!("template {name:?} not defined");
            return Err(self.at(&template.text[begin..end], "{{template ".len(), &error));
        };
        let given = match with {
            Some(p) => self.pipe(p, dot)?.unwrap_or_default(),
            None => Value::Null,
        };
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.at(&format!("{{{{template {name:?}"), 0, "exceeded maximum template depth (100000)"));
        }
        let variables = std::mem::replace(&mut self.variables, vec![(String::new(), given.clone())]);
        let outer = std::mem::replace(&mut self.name, name.into());
        self.nodes(body, &given)?;
        (self.variables, self.name) = (variables, outer);
        self.depth -= 1;
        Ok(())
    }

    /// `None`: there is no such key.
    fn pipe(&mut self, p: &Pipe, dot: &Value) -> Result<Option<Value>, String> {
        let mut last: Option<Option<Value>> = None;
        for (command, written) in p {
            let (head, rest) = command.split_first().ok_or("missing value for command")?;
            if let Arg::Nil = head {
                return Err(self.at(written, 0, "nil is not a command"));
            }
            if let Arg::Function(name) = head {
                let mut args = Vec::new();
                for a in rest {
                    args.push(self.arg(a, dot)?);
                }
                args.extend(last.take());
                if name == "call" {
                    let what = written.split(' ').nth(1).unwrap_or("nil");
                    let of = args.first().and_then(Option::as_ref).map_or("nil", go_type);
                    let error = format!("error calling call: non-function {what} of type {of}");
                    return Err(self.at(written, 0, &error));
                }
                last = Some(call(name, &args).map_err(|e| self.at(written, 0, &e))?);
            } else {
                last = Some(self.arg(head, dot)?);
            }
        }
        Ok(last.flatten())
    }

    fn arg(&mut self, a: &Arg, dot: &Value) -> Result<Option<Value>, String> {
        match a {
            Arg::Literal(v) => Ok(Some(v.clone())),
            Arg::Nil => Ok(None),
            Arg::Field(names) => {
                self.fields(dot, names).map_err(|e| self.at(&format!(".{}", names.join(".")), chain(names), &e))
            }
            Arg::Variable(name, names) => {
                let found = self.variables.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.clone());
                let v = found.ok_or_else(|| format!("undefined variable: ${name}"))?;
                self.fields(&v, names).map_err(|e| self.at(&format!("${name}.{}", names.join(".")), name.len() + 1, &e))
            }
            Arg::Pipe(p, names) => match self.pipe(p, dot)? {
                Some(v) => self.fields(&v, names),
                None => Ok(None),
            },
            Arg::Function(name) => call(name, &[]),
        }
    }

    /// An error with its place: line and column of what was written, `into` bytes after its beginning. Models
    /// `Template.ErrorContext`.
    fn at(&self, written: &str, into: usize, error: &str) -> String {
        let text = self.template.text.as_str();
        let at = text.find(written).unwrap_or(0);
        let before = &text[..at];
        let line = before.matches('\n').count() + 1;
        let column = at - before.rfind('\n').map_or(0, |i| i + 1) + into;
        format!("template: output:{line}:{column}: executing {:?} at <{written}>: {error}", self.name)
    }

    fn fields(&self, v: &Value, names: &[String]) -> Result<Option<Value>, String> {
        let mut at = v;
        for name in names {
            match at.get(name.as_str()) {
                Some(next) => at = next,
                // A field of what is not there is not there either; one of a null is an error.
                None if at.is_object() && self.template.lenient => return Ok(None),
                None if at.is_null() => return Err(format!("nil pointer evaluating interface {{}}.{name}")),
                None if at.is_object() => return Err(format!("map has no entry for key {name:?}")),
                None => return Err(format!("can't evaluate field {name} in type interface {{}}")),
            }
        }
        Ok(Some(at.clone()))
    }
}

/// What a Go string in quotes says; `None` for what is none. Models `strconv.Unquote`.
fn unquoted(word: &str) -> Option<String> {
    let mut chars = word.strip_prefix('"')?.strip_suffix('"')?.chars();
    let mut out = String::new();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let digits = match chars.next()? {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            c => {
                out.push(match c {
                    'a' => '\x07',
                    'b' => '\x08',
                    'f' => '\x0c',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'v' => '\x0b',
                    '\\' | '"' => c,
                    _ => return None,
                });
                continue;
            }
        };
        let number: String = chars.by_ref().take(digits).collect();
        out.push(char::from_u32(u32::from_str_radix(&number, 16).ok().filter(|_| number.len() == digits)?)?);
    }
    Some(out)
}

fn shown(v: &Value) -> String {
    if v.is_null() { NO_VALUE.into() } else { go_value(v) }
}
