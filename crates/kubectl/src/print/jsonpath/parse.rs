//! Text to nodes. Models `client-go/util/jsonpath/parser.go`.

use super::{Node, Step};
use serde_json::Value;

pub(super) fn parse(text: &str) -> Result<Vec<Node>, String> {
    let chars: Vec<char> = text.chars().collect();
    let mut p = Parser { chars, at: 0 };
    p.nodes(0)
}

struct Parser {
    chars: Vec<char>,
    at: usize,
}

enum Action {
    Steps(Vec<Step>),
    Range(Vec<Step>),
    End,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    /// Nodes up to the end of the text or of the range, which may lack its `{end}`.
    fn nodes(&mut self, depth: usize) -> Result<Vec<Node>, String> {
        let (mut nodes, mut text) = (Vec::new(), String::new());
        while let Some(c) = self.peek() {
            self.at += 1;
            if c != '{' {
                text.push(c);
                continue;
            }
            if !text.is_empty() {
                nodes.push(Node::Text(std::mem::take(&mut text)));
            }
            // One pair of braces may hold several things: `{range .items[*]}`, `{.a}{"\n"}`, `{.a .b}`.
            for action in self.action()? {
                match action {
                    Action::Steps(steps) => nodes.push(Node::Path(steps)),
                    Action::Range(steps) => {
                        let body = self.nodes(depth + 1)?;
                        nodes.push(Node::Range(steps, body));
                    }
                    Action::End if depth > 0 => return Ok(nodes),
                    Action::End => nodes.push(Node::StrayEnd),
                }
            }
        }
        if !text.is_empty() {
            nodes.push(Node::Text(text));
        }
        Ok(nodes)
    }

    fn action(&mut self) -> Result<Vec<Action>, String> {
        let (mut actions, mut steps, mut range) = (Vec::new(), Vec::new(), false);
        let mut started = false;
        loop {
            let Some(c) = self.peek() else { return Err("unclosed action".into()) };
            match c {
                '}' => {
                    self.at += 1;
                    if range {
                        actions.push(Action::Range(steps));
                    } else if started || actions.is_empty() {
                        actions.push(Action::Steps(steps));
                    }
                    return Ok(actions);
                }
                ' ' | '\t' | '\n' | '\r' => {
                    self.at += 1;
                    if started && !range {
                        actions.push(Action::Steps(std::mem::take(&mut steps)));
                        started = false;
                    }
                }
                '"' | '\'' => {
                    self.at += 1;
                    steps.push(Step::Literal(Value::String(self.quoted(c)?)));
                    started = true;
                }
                '.' => {
                    self.at += 1;
                    self.dot(&mut steps)?;
                    started = true;
                }
                '[' => {
                    self.at += 1;
                    steps.extend(self.brackets()?);
                    started = true;
                }
                '@' => {
                    self.at += 1;
                    steps.push(Step::Current);
                    started = true;
                }
                '$' => {
                    self.at += 1;
                    steps.push(Step::Root);
                    started = true;
                }
                '+' | '-' | '0'..='9' => {
                    let word = self.while_(|c| matches!(c, '+' | '-' | '.' | '0'..='9'));
                    let number: Value = serde_json::from_str(word.trim_start_matches('+'))
                        .map_err(|_| format!("cannot parse number {word}"))?;
                    steps.push(Step::Literal(number));
                    started = true;
                }
                c if c.is_alphanumeric() || c == '_' => {
                    let word = self.while_(|c| c.is_alphanumeric() || c == '_');
                    match word.as_str() {
                        "range" => range = true,
                        "end" => {
                            actions.push(Action::End);
                        }
                        "true" | "false" => {
                            steps.push(Step::Literal(Value::Bool(word == "true")));
                            started = true;
                        }
                        _ => {
                            steps.push(Step::Unknown(word));
                            started = true;
                        }
                    }
                }
                c => return Err(format!("unrecognized character in action: U+{:04X} '{c}'", c as u32)),
            }
        }
    }

    fn while_(&mut self, fits: impl Fn(char) -> bool) -> String {
        let begin = self.at;
        while self.peek().is_some_and(&fits) {
            self.at += 1;
        }
        self.chars[begin..self.at].iter().collect()
    }

    fn quoted(&mut self, quote: char) -> Result<String, String> {
        let mut out = String::new();
        while let Some(c) = self.peek() {
            self.at += 1;
            match c {
                '\\' => {
                    let Some(e) = self.peek() else { break };
                    self.at += 1;
                    match e {
                        'n' => out.push('\n'),
                        't' => out.push('\t'),
                        'r' => out.push('\r'),
                        e => out.push(e),
                    }
                }
                c if c == quote => return Ok(out),
                c => out.push(c),
            }
        }
        Err("unterminated quoted string".into())
    }

    /// After a dot: a field, a wildcard or another dot.
    fn dot(&mut self, steps: &mut Vec<Step>) -> Result<(), String> {
        if self.peek() == Some('.') {
            self.at += 1;
            steps.push(Step::Recursive);
            if self.peek() == Some('.') {
                return Err("invalid multiple recursive descent".into());
            }
            if self.peek().is_some_and(|c| c != '[' && c != '}') {
                return self.field(steps);
            }
            return Ok(());
        }
        self.field(steps)
    }

    fn field(&mut self, steps: &mut Vec<Step>) -> Result<(), String> {
        let mut name = String::new();
        while let Some(c) = self.peek() {
            match c {
                '\\' => {
                    self.at += 1;
                    if let Some(e) = self.peek() {
                        name.push(e);
                        self.at += 1;
                    }
                }
                ' ' | '\t' | '\n' | '\r' | '.' | '[' | ']' | '}' | '{' | '|' | ',' => break,
                c => {
                    name.push(c);
                    self.at += 1;
                }
            }
        }
        steps.push(if name == "*" { Step::Wildcard } else { Step::Field(name) });
        Ok(())
    }

    /// After `[`: an index, a slice, names, a union or a filter.
    fn brackets(&mut self) -> Result<Vec<Step>, String> {
        if self.peek() == Some('?') && self.chars.get(self.at + 1) == Some(&'(') {
            self.at += 2;
            return Ok(vec![self.filter()?]);
        }
        let mut inner = String::new();
        loop {
            let Some(c) = self.peek() else { return Err("unterminated array".into()) };
            self.at += 1;
            match c {
                ']' => break,
                '\'' => {
                    inner.push('\'');
                    let name = self.while_(|n| n != c);
                    self.at += 1;
                    // A comma in quotes parts nothing: what no name has stands for it.
                    inner.push_str(&name.replace(',', "\u{1}"));
                    inner.push('\'');
                }
                c => inner.push(c),
            }
        }
        let parts: Vec<&str> = inner.split(',').collect();
        if parts.len() > 1 {
            let list: Result<Vec<Vec<Step>>, String> = parts.iter().map(|p| inside(p.trim())).collect();
            return Ok(vec![Step::Union(list?)]);
        }
        inside(inner.trim())
    }

    /// After `[?(`: `left operator right)]`.
    fn filter(&mut self) -> Result<Step, String> {
        let (mut text, mut depth, mut quote) = (String::new(), 1, None);
        loop {
            let Some(c) = self.peek() else { return Err("unterminated filter".into()) };
            self.at += 1;
            match (c, quote) {
                ('\\', Some(_)) => {
                    text.push(c);
                    text.extend(self.peek());
                    self.at += 1;
                    continue;
                }
                (c, Some(q)) if c == q => quote = None,
                ('"' | '\'', None) => quote = Some(c),
                ('(', None) => depth += 1,
                (')', None) => {
                    depth -= 1;
                    if depth == 0 {
                        break;
                    }
                }
                _ => {}
            }
            text.push(c);
        }
        if self.peek() != Some(']') {
            return Err("unclosed array expect ]".into());
        }
        self.at += 1;
        // An operator comes after something.
        let Some(begin) = text.find(['!', '<', '>', '=']).filter(|at| *at > 0) else {
            return Ok(Step::Filter(operand(&text)?, None));
        };
        let end = text[begin..].find(|c| !matches!(c, '!' | '<' | '>' | '=')).map_or(text.len(), |i| begin + i);
        let operator = text[begin..end].to_string();
        let (left, right) = (operand(&text[..begin])?, operand(&text[end..])?);
        Ok(Step::Filter(left, Some((operator, right))))
    }
}

fn operand(text: &str) -> Result<Vec<Step>, String> {
    let mut nodes = parse(&format!("{{{}}}", text.trim()))?;
    match nodes.pop() {
        Some(Node::Path(steps)) if nodes.is_empty() => Ok(steps),
        _ => Err(format!("invalid filter operand {text}")),
    }
}

/// One thing between brackets.
fn inside(text: &str) -> Result<Vec<Step>, String> {
    if text == "*" {
        return Ok(vec![Step::Wildcard]);
    }
    if let Some(name) = text.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')) {
        // A path of its own: dots in a name have backslashes.
        return operand(&format!(".{}", name.replace('\u{1}', ",")));
    }
    let bad = || Err(format!("invalid array index {text}"));
    let mut numbers = Vec::new();
    for part in text.split(':') {
        match part {
            "" => numbers.push(None),
            p => match p.parse::<i64>() {
                Ok(n) => numbers.push(Some(n)),
                Err(_) => return bad(),
            },
        }
    }
    match numbers.as_slice() {
        [Some(n)] => Ok(vec![Step::Array { start: Some(*n), end: Some(n + 1), derived: true, step: None }]),
        [start, end] => Ok(vec![Step::Array { start: *start, end: *end, derived: false, step: None }]),
        [start, end, step] => Ok(vec![Step::Array { start: *start, end: *end, derived: false, step: *step }]),
        _ => bad(),
    }
}
