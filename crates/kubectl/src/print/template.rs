//! `-o go-template`: what people use of Go's `text/template`. Models `cli-runtime/pkg/printers/template.go`.

use super::gojson;
use super::jsonpath::go_value;
use serde_json::Value;

#[derive(Clone, Debug)]
enum Node {
    Text(String),
    Print(Pipe),
    If(Pipe, Vec<Node>, Vec<Node>),
    With(Pipe, Vec<Node>, Vec<Node>),
    Range(Option<String>, Option<String>, Pipe, Vec<Node>, Vec<Node>),
    Set(String, Pipe),
}

/// Commands, each with how it was written.
type Pipe = Vec<(Vec<Arg>, String)>;

#[derive(Clone, Debug)]
enum Arg {
    /// `.a.b`; empty is the dot.
    Field(Vec<String>),
    /// `$x.a`; the name is empty for the root.
    Variable(String, Vec<String>),
    Literal(Value),
    Function(String),
    Pipe(Pipe, Vec<String>),
}

#[derive(Clone, Debug)]
pub(crate) struct Template {
    nodes: Vec<Node>,
    text: String,
    lenient: bool,
}

/// A key that is not there.
const NO_VALUE: &str = "<no value>";

impl Template {
    pub fn parse(text: &str, lenient: bool) -> Result<Template, String> {
        let mut parser = Parser { tokens: tokens(text)?, at: 0 };
        let (nodes, end) = parser.block()?;
        if let Some(word) = end {
            return Err(format!("template: output:1: unexpected {{{{{word}}}}}"));
        }
        Ok(Template { nodes, text: text.into(), lenient })
    }

    /// # Errors
    /// What went wrong, after what was printed until then and what upstream tells whoever looks for the reason.
    pub fn print(&self, v: &Value) -> Result<String, (String, String)> {
        let mut run =
            Run { root: v, text: &self.text, variables: Vec::new(), out: String::new(), lenient: self.lenient };
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
        let end = end_of_action(after).ok_or("template: output:1: unclosed action")?;
        let mut inner = &after[..end];
        trim = inner.ends_with(" -");
        if trim {
            inner = &inner[..inner.len() - 2];
        }
        let inner = if trims { &inner[1..] } else { inner };
        if !inner.trim_start().starts_with("/*") {
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

fn end_of_action(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (i, c) in text.char_indices() {
        match quote {
            Some('"') if escaped => escaped = false,
            Some('"') if c == '\\' => escaped = true,
            Some(q) if c == q => quote = None,
            Some(_) => {}
            None if c == '"' || c == '`' => quote = Some(c),
            None if text[i..].starts_with("}}") => return Some(i),
            None => {}
        }
    }
    None
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
            _ => {
                while i < chars.len()
                    && !chars[i].is_whitespace()
                    && !matches!(chars[i], '(' | ')' | '|' | ',' | '"' | ':' | '=')
                {
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
                "if" | "with" => {
                    let pipe = pipe(&words[1..])?;
                    let (body, other) = self.bodies()?;
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
                    let pipe = pipe(rest)?;
                    let (body, other) = self.bodies()?;
                    nodes.push(Node::Range(key, value, pipe, body, other));
                }
                name if name.starts_with('$') && matches!(words.get(1).map(String::as_str), Some(":=" | "=")) => {
                    nodes.push(Node::Set(name[1..].into(), pipe(&words[2..])?));
                }
                _ => nodes.push(Node::Print(pipe(&words)?)),
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
                let pipe = pipe(words.get(1..).unwrap_or_default())?;
                let (inner, other) = self.bodies()?;
                Ok((body, vec![Node::If(pipe, inner, other)]))
            }
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

const FUNCTIONS: &[&str] = &[
    "and",
    "base64decode",
    "eq",
    "exists",
    "ge",
    "gt",
    "html",
    "index",
    "js",
    "le",
    "len",
    "lt",
    "ne",
    "not",
    "or",
    "print",
    "printf",
    "println",
    "slice",
    "urlquery",
];

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
    if word.starts_with('"')
        || word.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        || matches!(word, "true" | "false")
    {
        return serde_json::from_str(word)
            .map(Arg::Literal)
            .map_err(|_| format!("template: output:1: bad syntax: {word}"));
    }
    if word == "nil" {
        return Ok(Arg::Literal(Value::Null));
    }
    if FUNCTIONS.contains(&word) {
        return Ok(Arg::Function(word.into()));
    }
    Err(format!("template: output:1: function {word:?} not defined"))
}

struct Run<'v> {
    root: &'v Value,
    text: &'v str,
    variables: Vec<(String, Value)>,
    out: String,
    lenient: bool,
}

impl Run<'_> {
    fn nodes(&mut self, nodes: &[Node], dot: &Value) -> Result<(), String> {
        let depth = self.variables.len();
        for node in nodes {
            match node {
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
                    self.nodes(if truth(v.as_ref()) { body } else { other }, dot)?;
                }
                Node::With(p, body, other) => match self.pipe(p, dot)? {
                    Some(v) if truth(Some(&v)) => self.nodes(body, &v)?,
                    _ => self.nodes(other, dot)?,
                },
                Node::Range(key, value, p, body, other) => {
                    let items: Vec<(Value, Value)> = match self.pipe(p, dot)? {
                        Some(Value::Array(list)) => list.into_iter().enumerate().map(|(i, v)| (i.into(), v)).collect(),
                        Some(Value::Object(map)) => map.into_iter().map(|(k, v)| (k.into(), v)).collect(),
                        None | Some(Value::Null) => Vec::new(),
                        Some(v) => return Err(format!("range can't iterate over {}", shown(&v))),
                    };
                    if items.is_empty() {
                        self.nodes(other, dot)?;
                    }
                    for (k, v) in items {
                        let depth = self.variables.len();
                        self.variables.extend(key.clone().map(|n| (n, k)));
                        self.variables.extend(value.clone().map(|n| (n, v.clone())));
                        self.nodes(body, &v)?;
                        self.variables.truncate(depth);
                    }
                }
            }
        }
        self.variables.truncate(depth);
        Ok(())
    }

    /// `None`: there is no such key.
    fn pipe(&mut self, p: &Pipe, dot: &Value) -> Result<Option<Value>, String> {
        let mut last: Option<Option<Value>> = None;
        for (command, written) in p {
            let (head, rest) = command.split_first().ok_or("missing value for command")?;
            if let Arg::Function(name) = head {
                let mut args = Vec::new();
                for a in rest {
                    args.push(self.arg(a, dot)?);
                }
                args.extend(last.take());
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
            Arg::Field(names) => self.fields(dot, names).map_err(|e| {
                // Upstream's place of a chain is where its second field begins.
                let into = if names.len() > 1 { names[0].len() + 1 } else { 0 };
                self.at(&format!(".{}", names.join(".")), into, &e)
            }),
            Arg::Variable(name, names) => {
                let found = self.variables.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.clone());
                let v = match found {
                    Some(v) => v,
                    None if name.is_empty() => self.root.clone(),
                    None => return Err(format!("undefined variable: ${name}")),
                };
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
        let at = self.text.find(written).unwrap_or(0);
        let before = &self.text[..at];
        let line = before.matches('\n').count() + 1;
        let column = at - before.rfind('\n').map_or(0, |i| i + 1) + into;
        format!("template: output:{line}:{column}: executing \"output\" at <{written}>: {error}")
    }

    fn fields(&self, v: &Value, names: &[String]) -> Result<Option<Value>, String> {
        let mut at = v;
        for name in names {
            match at.get(name.as_str()) {
                Some(next) => at = next,
                // A field of what is not there is not there either; one of a null is an error.
                None if at.is_object() && self.lenient => return Ok(None),
                None if at.is_null() => return Err(format!("nil pointer evaluating interface {{}}.{name}")),
                None if at.is_object() => return Err(format!("map has no entry for key {name:?}")),
                None => return Err(format!("can't evaluate field {name} in type interface {{}}")),
            }
        }
        Ok(Some(at.clone()))
    }
}

fn truth(v: Option<&Value>) -> bool {
    match v {
        None | Some(Value::Null) => false,
        Some(Value::Bool(b)) => *b,
        Some(Value::Number(n)) => n.as_f64() != Some(0.0),
        Some(Value::String(s)) => !s.is_empty(),
        Some(Value::Array(l)) => !l.is_empty(),
        Some(Value::Object(m)) => !m.is_empty(),
    }
}

fn shown(v: &Value) -> String {
    if v.is_null() { NO_VALUE.into() } else { go_value(v) }
}

fn call(name: &str, args: &[Option<Value>]) -> Result<Option<Value>, String> {
    let null = Value::Null;
    let at = |i: usize| args.get(i).and_then(Option::as_ref).unwrap_or(&null);
    let need = |n: usize| {
        if args.len() < n {
            Err(format!("wrong number of args for {name}: want at least {n} got {}", args.len()))
        } else {
            Ok(())
        }
    };
    let order = || {
        let (a, b) = (at(0), at(1));
        match (a, b) {
            (Value::Number(x), Value::Number(y)) => x.as_f64().partial_cmp(&y.as_f64()),
            (Value::String(x), Value::String(y)) => Some(x.cmp(y)),
            (Value::Bool(x), Value::Bool(y)) => Some(x.cmp(y)),
            (Value::Null, Value::Null) => Some(std::cmp::Ordering::Equal),
            _ => None,
        }
        .ok_or_else(|| format!("error calling {name}: incompatible types for comparison"))
    };
    let v: Value = match name {
        "and" => args.iter().find(|a| !truth(a.as_ref())).or(args.last()).cloned().flatten().unwrap_or_default(),
        "or" => args.iter().find(|a| truth(a.as_ref())).or(args.last()).cloned().flatten().unwrap_or_default(),
        "not" => (!truth(args.first().and_then(Option::as_ref))).into(),
        "eq" => {
            need(2)?;
            args[1..].iter().any(|b| b.as_ref().unwrap_or(&null) == at(0)).into()
        }
        "ne" => (at(0) != at(1)).into(),
        "lt" => order()?.is_lt().into(),
        "le" => order()?.is_le().into(),
        "gt" => order()?.is_gt().into(),
        "ge" => order()?.is_ge().into(),
        "len" => match at(0) {
            Value::String(s) => s.len().into(),
            Value::Array(l) => l.len().into(),
            Value::Object(m) => m.len().into(),
            other => return Err(format!("error calling len: len of type {}", shown(other))),
        },
        "index" => {
            let mut v = at(0).clone();
            for i in 1..args.len() {
                v = match (&v, at(i)) {
                    (Value::Array(list), Value::Number(n)) => {
                        let n = n.as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
                        list.get(n).cloned().ok_or_else(|| format!("error calling index: index out of range: {n}"))?
                    }
                    (Value::Object(map), Value::String(s)) => match map.get(s) {
                        Some(v) => v.clone(),
                        None => return Ok(None),
                    },
                    _ => return Err("error calling index: index of untyped nil".into()),
                };
            }
            v
        }
        "exists" => {
            let mut v = at(0);
            let mut there = true;
            for i in 1..args.len() {
                let next = match at(i) {
                    Value::String(s) => v.get(s.as_str()),
                    Value::Number(n) => n.as_u64().and_then(|n| v.get(usize::try_from(n).unwrap_or(usize::MAX))),
                    _ => None,
                };
                match next {
                    Some(n) => v = n,
                    None => there = false,
                }
            }
            there.into()
        }
        "base64decode" => {
            use base64::Engine as _;
            let text = at(0).as_str().unwrap_or("");
            let bytes = base64::engine::general_purpose::STANDARD.decode(text);
            let bytes = bytes
                .map_err(|_| "error calling base64decode: base64 decode failed: illegal base64 data".to_string())?;
            String::from_utf8_lossy(&bytes).into_owned().into()
        }
        "print" | "println" => {
            let mut text = String::new();
            for (i, a) in args.iter().enumerate() {
                let a = a.as_ref().unwrap_or(&null);
                let before = i.checked_sub(1).map(&at);
                if name == "println" && i > 0 || before.is_some_and(|b| !b.is_string() && !a.is_string()) {
                    text.push(' ');
                }
                text.push_str(&go_value(a));
            }
            if name == "println" {
                text.push('\n');
            }
            text.into()
        }
        "printf" => printf(at(0).as_str().unwrap_or(""), args.get(1..).unwrap_or_default()).into(),
        "slice" => {
            let bound = |i: usize, other: usize| at(i).as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(other);
            match at(0) {
                Value::String(s) => s.get(bound(1, 0)..bound(2, s.len())).unwrap_or("").into(),
                Value::Array(l) => l.get(bound(1, 0)..bound(2, l.len())).unwrap_or_default().to_vec().into(),
                _ => return Err("error calling slice: slice of untyped nil".into()),
            }
        }
        "html" => at(0).as_str().unwrap_or("").replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").into(),
        "urlquery" => crate::client::escape(&go_value(at(0))).into(),
        "js" => gojson::compact(&go_value(at(0)).into()).trim_matches('"').into(),
        other => return Err(format!("function {other:?} not defined")),
    };
    Ok(Some(v))
}

/// The verbs people use: `%s %v %d %q %t %f %%` with width and precision.
fn printf(format: &str, args: &[Option<Value>]) -> String {
    let (mut out, mut next, mut chars) = (String::new(), 0, format.chars().peekable());
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut spec = String::new();
        while let Some(d) = chars.peek().copied().filter(|d| d.is_ascii_digit() || matches!(d, '-' | '+' | '.' | '0')) {
            spec.push(d);
            chars.next();
        }
        let Some(verb) = chars.next() else {
            out.push_str("%!(NOVERB)");
            break;
        };
        if verb == '%' {
            out.push('%');
            continue;
        }
        let Some(v) = args.get(next) else {
            out.push_str(&format!("%!{verb}(MISSING)"));
            continue;
        };
        next += 1;
        let v = v.clone().unwrap_or_default();
        let left = spec.starts_with('-');
        let spec = spec.trim_start_matches(['-', '+']).to_string();
        let (width, precision) = spec.split_once('.').unwrap_or((&spec, ""));
        let mut text = match (verb, &v) {
            ('q', v) => format!("{:?}", go_value(v)),
            ('f', v) => format!("{:.*}", precision.parse().unwrap_or(6), v.as_f64().unwrap_or(0.0)),
            ('s' | 'v', Value::Null) => format!("%!{verb}(<nil>)"),
            ('s', Value::Number(n)) => format!("%!s(int64={n})"),
            ('d', Value::String(s)) => format!("%!d(string={s})"),
            (_, v) => go_value(v),
        };
        if verb == 's'
            && let Ok(p) = precision.parse::<usize>()
        {
            text = text.chars().take(p).collect();
        }
        let wide: usize = width.parse().unwrap_or(0);
        let gap = " ".repeat(wide.saturating_sub(text.chars().count()));
        out.push_str(&if left { format!("{text}{gap}") } else { format!("{gap}{text}") });
    }
    out
}
