//! Text to a tree.

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
/// What is wrong with the text, and where.
pub fn parse(text: &str) -> Result<Expr, String> {
    let mut p = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
    let e = p.ternary()?;
    match p.tokens.get(p.at) {
        None => Ok(e),
        Some((at, t)) => Err(format!("{at}: unexpected {}", shown(t))),
    }
}

fn shown(t: &Token) -> String {
    match t {
        Token::Sign(s) => format!("'{s}'"),
        Token::Name(n) => format!("'{n}'"),
        Token::Value(_) => "a literal".into(),
    }
}

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, String> {
    let chars: Vec<char> = text.chars().collect();
    let (mut out, mut i) = (Vec::new(), 0);
    while let Some(&c) = chars.get(i) {
        let start = i + 1;
        if c.is_whitespace() {
            i += 1;
        } else if c == '/' && chars.get(i + 1) == Some(&'/') {
            i += chars[i..].iter().position(|c| *c == '\n').unwrap_or(chars.len() - i);
        } else if c == '"' || c == '\'' {
            let s = string(&chars, &mut i, false).ok_or_else(|| format!("{start}: the string does not end"))?;
            out.push((start, Token::Value(Expr::Text(s))));
        } else if let Some(marks) = marks(&chars[i..]) {
            let has = |wanted: char| chars[i..i + marks].iter().any(|c| c.eq_ignore_ascii_case(&wanted));
            let (raw, bytes) = (has('r'), has('b'));
            i += marks;
            let s = string(&chars, &mut i, raw).ok_or_else(|| format!("{start}: the string does not end"))?;
            out.push((start, Token::Value(if bytes { Expr::Bytes(s.into_bytes()) } else { Expr::Text(s) })));
        } else if c.is_ascii_digit() || (c == '.' && chars.get(i + 1).is_some_and(char::is_ascii_digit)) {
            out.push((start, Token::Value(number(&chars, &mut i).ok_or_else(|| format!("{start}: not a number"))?)));
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
            let sign = SIGNS.iter().find(fits).ok_or_else(|| format!("{start}: unexpected {c:?}"))?;
            i += sign.len();
            out.push((start, Token::Sign(sign)));
        }
    }
    Ok(out)
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
    at: usize,
    depth: usize,
}

/// Left-associative operators from the loosest to the tightest.
const LEVELS: &[&[&str]] =
    &[&["||"], &["&&"], &["==", "!=", "<=", ">=", "<", ">", "in"], &["+", "-"], &["*", "/", "%"]];

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, t)| t)
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
    fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.accept(sign) { Ok(()) } else { Err(self.wrong(&format!("'{sign}'"))) }
    }
    fn wrong(&self, wanted: &str) -> String {
        match self.tokens.get(self.at) {
            Some((at, t)) => format!("{at}: {wanted} expected, {} found", shown(t)),
            None => format!("{wanted} expected at the end"),
        }
    }

    fn ternary(&mut self) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > 100 {
            return Err("nested too deeply".into());
        }
        let mut e = self.binary(0)?;
        if self.accept("?") {
            let yes = self.binary(0)?;
            self.expect(":")?;
            let no = self.ternary()?;
            e = Expr::Call(None, "?".into(), vec![e, yes, no]);
        }
        self.depth -= 1;
        Ok(e)
    }
    fn binary(&mut self, level: usize) -> Result<Expr, String> {
        let Some(signs) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        while let Some(sign) = signs.iter().find(|s| self.accept(s)) {
            let right = self.binary(level + 1)?;
            left = Expr::Call(None, (*sign).into(), vec![left, right]);
        }
        Ok(left)
    }
    fn unary(&mut self) -> Result<Expr, String> {
        let mut signs = Vec::new();
        while let Some(s) = ["!", "-"].into_iter().find(|s| self.accept(s)) {
            signs.push(s);
        }
        let mut e = self.member()?;
        for s in signs.into_iter().rev() {
            e = Expr::Call(None, if s == "-" { "neg" } else { "!" }.into(), vec![e]);
        }
        Ok(e)
    }
    fn member(&mut self) -> Result<Expr, String> {
        let mut e = self.primary()?;
        loop {
            if self.accept(".") {
                let optional = self.accept("?");
                let Some(Token::Name(name)) = self.peek().cloned() else { return Err(self.wrong("a name")) };
                self.at += 1;
                e = if optional {
                    Expr::Call(Some(Box::new(e)), "?select".into(), vec![Expr::Text(name)])
                } else if self.accept("(") {
                    Expr::Call(Some(Box::new(e)), name, self.list(")")?)
                } else {
                    Expr::Select(Box::new(e), name)
                };
            } else if self.accept("[") {
                let optional = self.accept("?");
                let index = self.ternary()?;
                self.expect("]")?;
                e = if optional {
                    Expr::Call(Some(Box::new(e)), "?select".into(), vec![index])
                } else {
                    Expr::Index(Box::new(e), Box::new(index))
                };
            } else {
                return Ok(e);
            }
        }
    }
    fn list(&mut self, end: &str) -> Result<Vec<Expr>, String> {
        let mut all = Vec::new();
        while !self.accept(end) {
            all.push(self.ternary()?);
            if !self.accept(",") {
                self.expect(end)?;
                break;
            }
        }
        Ok(all)
    }
    fn primary(&mut self) -> Result<Expr, String> {
        if self.accept("(") {
            let e = self.ternary()?;
            self.expect(")")?;
            return Ok(e);
        }
        if self.accept("[") {
            return Ok(Expr::List(self.list("]")?));
        }
        if self.accept("{") {
            let mut all = Vec::new();
            while !self.accept("}") {
                let key = self.ternary()?;
                self.expect(":")?;
                all.push((key, self.ternary()?));
                if !self.accept(",") {
                    self.expect("}")?;
                    break;
                }
            }
            return Ok(Expr::Map(all));
        }
        match self.peek().cloned() {
            Some(Token::Value(v)) => {
                self.at += 1;
                Ok(v)
            }
            Some(Token::Name(name)) => {
                self.at += 1;
                if self.accept("(") { Ok(Expr::Call(None, name, self.list(")")?)) } else { Ok(Expr::Name(name)) }
            }
            _ => Err(self.wrong("an expression")),
        }
    }
}
