//! Text to a tree.

use crate::tree::{Fault, Kind, Node};

/// `ident(args)`, `target.ident(args)`, operators under their own names.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(String),
    Bytes(Vec<u8>),
    Bool(bool),
    Null,
    Name(String),
    List(Vec<Expr>),
    Map(Vec<(Expr, Expr)>),
    Select(Box<Expr>, String),
    Index(Box<Expr>, Box<Expr>),
    Call(Option<Box<Expr>>, String, Vec<Expr>),
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Value(Expr),
    Name(String),
    Sign(&'static str),
}

const SIGNS: &[&str] = &[
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ".", ",", "(", ")", "[", "]",
    "{", "}",
];

/// # Errors
/// What is wrong with the text, after its column if that is known.
pub fn parse(text: &str) -> Result<Expr, String> {
    located(text).map(Node::plain).map_err(|e| match e.at {
        Some(at) => format!("{}: {}", at + 1, e.message),
        None => e.message,
    })
}

/// The tree with every part's place.
pub(crate) fn located(text: &str) -> Result<Node, Fault> {
    let (tokens, end) = (tokens(text)?, text.chars().count());
    let mut p = Parser { tokens, end, at: 0, depth: 0 };
    let e = p.ternary()?;
    match p.tokens.get(p.at) {
        None => Ok(e),
        Some((at, t)) => {
            // What could be left out is extraneous; after more than that nothing could follow.
            let kind = if p.at + 1 == p.tokens.len() { "extraneous" } else { "mismatched" };
            Err(Fault::at(*at, format!("Syntax error: {kind} input {} expecting <EOF>", shown(t))))
        }
    }
}

fn shown(t: &Token) -> String {
    match t {
        Token::Sign(s) => format!("'{s}'"),
        Token::Name(n) => format!("'{n}'"),
        Token::Value(Expr::Int(n)) => format!("'{n}'"),
        Token::Value(Expr::Bool(b)) => format!("'{b}'"),
        Token::Value(Expr::Null) => "'null'".into(),
        Token::Value(Expr::Text(s)) => format!("'{s:?}'"),
        Token::Value(_) => "a literal".into(),
    }
}

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, Fault> {
    let chars: Vec<char> = text.chars().collect();
    let (mut out, mut i) = (Vec::new(), 0);
    while let Some(&c) = chars.get(i) {
        let start = i;
        if c.is_whitespace() {
            i += 1;
        } else if c == '/' && chars.get(i + 1) == Some(&'/') {
            i += chars[i..].iter().position(|c| *c == '\n').unwrap_or(chars.len() - i);
        } else if c == '"' || c == '\'' {
            let s = string(&chars, &mut i, false).ok_or_else(|| unfinished(&chars, start))?;
            out.push((start, Token::Value(Expr::Text(s))));
        } else if let Some(marks) = marks(&chars[i..]) {
            let has = |wanted: char| chars[i..i + marks].iter().any(|c| c.eq_ignore_ascii_case(&wanted));
            let (raw, bytes) = (has('r'), has('b'));
            i += marks;
            let s = string(&chars, &mut i, raw).ok_or_else(|| unfinished(&chars, start))?;
            out.push((start, Token::Value(if bytes { Expr::Bytes(s.into_bytes()) } else { Expr::Text(s) })));
        } else if c.is_ascii_digit() || (c == '.' && chars.get(i + 1).is_some_and(char::is_ascii_digit)) {
            let found = number(&chars, &mut i).ok_or_else(|| Fault::at(start, "invalid int literal"))?;
            out.push((start, Token::Value(found)));
        } else if c.is_ascii_alphabetic() || c == '_' {
            let len = chars[i..].iter().take_while(|c| c.is_ascii_alphanumeric() || **c == '_').count();
            let word: String = chars[i..i + len].iter().collect();
            i += len;
            out.push((
                start,
                match word.as_str() {
                    "true" => Token::Value(Expr::Bool(true)),
                    "false" => Token::Value(Expr::Bool(false)),
                    "null" => Token::Value(Expr::Null),
                    _ => Token::Name(word),
                },
            ));
        } else {
            let fits = |s: &&&str| s.chars().enumerate().all(|(j, c)| chars.get(i + j) == Some(&c));
            let sign = SIGNS.iter().find(fits).ok_or_else(|| unknown(&chars, start))?;
            i += sign.len();
            out.push((start, Token::Sign(sign)));
        }
    }
    Ok(out)
}

fn unknown(chars: &[char], start: usize) -> Fault {
    let part: String = chars[start..].iter().take(1).collect();
    Fault::at(start, format!("Syntax error: token recognition error at: '{part}'"))
}

fn unfinished(chars: &[char], start: usize) -> Fault {
    let part: String = chars[start..].iter().collect();
    Fault::at(start, format!("Syntax error: token recognition error at: '{part}'"))
}

/// How many letters before a quote say what kind of string it is: `r`, `b`, or both.
fn marks(chars: &[char]) -> Option<usize> {
    let letters = chars.iter().take(2).take_while(|c| matches!(c, 'r' | 'R' | 'b' | 'B')).count();
    (letters > 0 && matches!(chars.get(letters), Some('"' | '\''))).then_some(letters)
}

fn number(chars: &[char], i: &mut usize) -> Option<Expr> {
    let rest = &chars[*i..];
    if rest.len() > 2 && rest[0] == '0' && matches!(rest[1], 'x' | 'X') {
        let digits: String = rest[2..].iter().take_while(|c| c.is_ascii_hexdigit()).collect();
        *i += 2 + digits.len();
        return i64::from_str_radix(&digits, 16).ok().map(Expr::Int);
    }
    let mut len = rest.iter().take_while(|c| c.is_ascii_digit()).count();
    let mut whole = true;
    if rest.get(len) == Some(&'.') && rest.get(len + 1).is_some_and(char::is_ascii_digit) {
        whole = false;
        len += 1 + rest[len + 1..].iter().take_while(|c| c.is_ascii_digit()).count();
    }
    if matches!(rest.get(len), Some('e' | 'E')) {
        let sign = usize::from(matches!(rest.get(len + 1), Some('+' | '-')));
        let digits = rest[(len + 1 + sign).min(rest.len())..].iter().take_while(|c| c.is_ascii_digit()).count();
        if digits > 0 {
            whole = false;
            len += 1 + sign + digits;
        }
    }
    let text: String = rest[..len].iter().collect();
    *i += len;
    if whole && matches!(rest.get(len), Some('u' | 'U')) {
        *i += 1;
        return text.parse().ok().map(Expr::Uint);
    }
    if whole { text.parse().ok().map(Expr::Int) } else { text.parse().ok().map(Expr::Double) }
}

fn string(chars: &[char], i: &mut usize, raw: bool) -> Option<String> {
    let quote = chars[*i];
    let triple = chars.get(*i + 1) == Some(&quote) && chars.get(*i + 2) == Some(&quote);
    let width = if triple { 3 } else { 1 };
    *i += width;
    let mut out = String::new();
    loop {
        let c = *chars.get(*i)?;
        if c == quote && (!triple || (chars.get(*i + 1) == Some(&quote) && chars.get(*i + 2) == Some(&quote))) {
            *i += width;
            return Some(out);
        }
        *i += 1;
        if c != '\\' || raw {
            out.push(c);
            continue;
        }
        let c = *chars.get(*i)?;
        *i += 1;
        let mut code = |len: usize| {
            let digits: String = chars.get(*i..*i + len)?.iter().collect();
            *i += len;
            char::from_u32(u32::from_str_radix(&digits, 16).ok()?)
        };
        out.push(match c {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'v' => '\u{b}',
            'x' | 'X' => code(2)?,
            'u' => code(4)?,
            'U' => code(8)?,
            '0'..='3' => {
                let digits: String = std::iter::once(&c).chain(chars.get(*i..*i + 2)?).collect();
                *i += 2;
                char::from_u32(u32::from_str_radix(&digits, 8).ok()?)?
            }
            '\\' | '\'' | '"' | '`' | '?' => c,
            _ => return None,
        });
    }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    end: usize,
    at: usize,
    depth: usize,
}

/// Left-associative operators from the loosest to the tightest.
const LEVELS: &[&[&str]] =
    &[&["||"], &["&&"], &["==", "!=", "<=", ">=", "<", ">", "in"], &["+", "-"], &["*", "/", "%"]];

/// What an expression may begin with.
const BEGINNINGS: &str = "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, \
                          BYTES, IDENTIFIER}";
/// Words that are no variables.
const RESERVED: &[&str] = &[
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Whether programs cannot use a word as a name.
pub fn is_reserved(name: &str) -> bool {
    matches!(name, "true" | "false" | "null" | "in") || RESERVED.contains(&name)
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, t)| t)
    }
    /// Where the next token begins, or the text ends.
    fn place(&self) -> usize {
        self.tokens.get(self.at).map_or(self.end, |(at, _)| *at)
    }
    fn accept(&mut self, sign: &str) -> bool {
        let found = match self.peek() {
            Some(Token::Sign(s)) => *s == sign,
            Some(Token::Name(n)) => sign == "in" && n == "in",
            _ => false,
        };
        self.at += usize::from(found);
        found
    }
    fn expect(&mut self, sign: &str) -> Result<(), Fault> {
        if self.accept(sign) { Ok(()) } else { Err(self.wrong(&format!("'{sign}'"))) }
    }
    fn wrong(&self, wanted: &str) -> Fault {
        let found = self.peek().map_or("'<EOF>'".into(), shown);
        Fault::at(self.place(), format!("Syntax error: mismatched input {found} expecting {wanted}"))
    }

    fn ternary(&mut self) -> Result<Node, Fault> {
        self.depth += 1;
        if self.depth > 100 {
            return Err(Fault { at: None, message: "expression recursion limit exceeded: 250".into() });
        }
        let mut e = self.binary(0)?;
        let at = self.place();
        if self.accept("?") {
            let yes = self.binary(0)?;
            self.expect(":")?;
            let no = self.ternary()?;
            e = Node::call(at, "_?_:_", vec![e, yes, no]);
        }
        self.depth -= 1;
        Ok(e)
    }
    fn binary(&mut self, level: usize) -> Result<Node, Fault> {
        let Some(signs) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        loop {
            let at = self.place();
            let Some(sign) = signs.iter().find(|s| self.accept(s)) else { return Ok(left) };
            let right = self.binary(level + 1)?;
            let name = if *sign == "in" { "@in".into() } else { format!("_{sign}_") };
            left = Node::call(at, &name, vec![left, right]);
        }
    }
    fn unary(&mut self) -> Result<Node, Fault> {
        let at = self.place();
        for (sign, name) in [("!", "!_"), ("-", "-_")] {
            let mut count = 0;
            while self.accept(sign) {
                count += 1;
            }
            if count == 0 {
                continue;
            }
            // Two of them are none, and the sign right before a number is the number's.
            let mut e = self.member()?;
            if count % 2 == 1 {
                e = match e.kind {
                    Kind::Literal(Expr::Int(n)) if count == 1 && name == "-_" => {
                        Node { at, kind: Kind::Literal(Expr::Int(n.wrapping_neg())) }
                    }
                    Kind::Literal(Expr::Double(n)) if count == 1 && name == "-_" => {
                        Node { at, kind: Kind::Literal(Expr::Double(-n)) }
                    }
                    kind => Node::call(at, name, vec![Node { at: e.at, kind }]),
                };
            }
            return Ok(e);
        }
        self.member()
    }
    fn member(&mut self) -> Result<Node, Fault> {
        let mut e = self.primary()?;
        loop {
            let at = self.place();
            if self.accept(".") {
                let optional = self.accept("?");
                let name_at = self.place();
                let Some(Token::Name(name)) = self.peek().cloned() else {
                    return Err(self.wrong("IDENTIFIER"));
                };
                self.at += 1;
                let open = self.place();
                e = if optional {
                    let name = Node { at: name_at, kind: Kind::Literal(Expr::Text(name)) };
                    Node::call(at, "_?._", vec![e, name])
                } else if self.accept("(") {
                    let args = self.list(")")?;
                    Node { at: open, kind: Kind::Call(Some(Box::new(e)), name, args) }
                } else {
                    Node { at, kind: Kind::Select(Box::new(e), name) }
                };
            } else if self.accept("[") {
                let optional = self.accept("?");
                let index = self.ternary()?;
                self.expect("]")?;
                e = Node::call(at, if optional { "_[?_]" } else { "_[_]" }, vec![e, index]);
            } else {
                return Ok(e);
            }
        }
    }
    fn list(&mut self, end: &str) -> Result<Vec<Node>, Fault> {
        let mut all = Vec::new();
        while !self.accept(end) {
            all.push(if end == "]" { self.entry()? } else { self.ternary()? });
            if !self.accept(",") {
                self.expect(end)?;
                break;
            }
        }
        Ok(all)
    }
    /// `?e`: only if there is a value.
    fn entry(&mut self) -> Result<Node, Fault> {
        let at = self.place();
        if self.accept("?") {
            return Ok(Node { at, kind: Kind::Optional(Box::new(self.ternary()?)) });
        }
        self.ternary()
    }
    fn primary(&mut self) -> Result<Node, Fault> {
        let at = self.place();
        if self.accept("(") {
            let e = self.ternary()?;
            self.expect(")")?;
            return Ok(e);
        }
        if self.accept("[") {
            return Ok(Node { at, kind: Kind::List(self.list("]")?) });
        }
        if self.accept("{") {
            let mut all = Vec::new();
            while !self.accept("}") {
                let optional = self.accept("?");
                let key = self.ternary()?;
                self.expect(":")?;
                let mut value = self.ternary()?;
                if optional {
                    value = Node { at: value.at, kind: Kind::Optional(Box::new(value)) };
                }
                all.push((key, value));
                if !self.accept(",") {
                    self.expect("}")?;
                    break;
                }
            }
            return Ok(Node { at, kind: Kind::Map(all) });
        }
        match self.peek().cloned() {
            Some(Token::Value(v)) => {
                self.at += 1;
                Ok(Node { at, kind: Kind::Literal(v) })
            }
            Some(Token::Name(name)) if RESERVED.contains(&name.as_str()) => {
                Err(Fault::at(at, format!("reserved identifier: {name}")))
            }
            Some(Token::Name(name)) if name != "in" => {
                self.at += 1;
                let open = self.place();
                if self.accept("(") {
                    let args = self.list(")")?;
                    return Ok(Node { at: open, kind: Kind::Call(None, name, args) });
                }
                Ok(Node { at, kind: Kind::Name(name) })
            }
            _ => Err(self.wrong(BEGINNINGS)),
        }
    }
}
