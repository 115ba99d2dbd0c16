//! Python's tokens of one logical line.

#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    Name(String),
    Int(i64),
    Float(f64),
    Str(String),
    /// An f-string's text between its quotes.
    Format(String),
    Op(&'static str),
}

const OPERATORS: &[&str] = &[
    "**=", "//=", "**", "//", "==", "!=", "<=", ">=", "+=", "-=", "*=", "/=", "%=", "->", "(", ")", "[", "]", "{", "}",
    ",", ":", ".", ";", "+", "-", "*", "/", "%", "<", ">", "=",
];

/// A line with its number, its indentation and its tokens.
#[derive(Debug)]
pub struct Line {
    pub number: u32,
    pub indent: usize,
    pub tokens: Vec<Token>,
}

/// Physical lines joined where brackets or triple quotes are open.
///
/// # Errors
/// What cannot be read, and in which line.
pub fn lines(source: &str) -> Result<Vec<Line>, (u32, String)> {
    let mut out = Vec::new();
    let chars: Vec<char> = source.chars().collect();
    let (mut at, mut number) = (0, 1);
    while at < chars.len() {
        let indent = chars[at..].iter().take_while(|c| matches!(c, ' ' | '\t')).count();
        at += indent;
        let first = number;
        let mut depth = 0_i32;
        let mut tokens = Vec::new();
        while let Some(c) = chars.get(at).copied() {
            match c {
                '\n' if depth > 0 => number += 1,
                '\n' => break,
                '#' => {
                    at += chars[at..].iter().take_while(|c| **c != '\n').count();
                    continue;
                }
                '\\' if chars.get(at + 1) == Some(&'\n') => {
                    number += 1;
                    at += 1;
                }
                c if c.is_whitespace() => {}
                _ => {
                    let (token, len) = token(&chars[at..]).ok_or((number, "invalid syntax".to_string()))?;
                    number += u32::try_from(chars[at..at + len].iter().filter(|c| **c == '\n').count()).unwrap_or(0);
                    match &token {
                        Token::Op("(" | "[" | "{") => depth += 1,
                        Token::Op(")" | "]" | "}") => depth -= 1,
                        _ => {}
                    }
                    tokens.push(token);
                    at += len;
                    continue;
                }
            }
            at += 1;
        }
        if depth > 0 {
            return Err((first, "'(' was never closed".into()));
        }
        if !tokens.is_empty() {
            out.push(Line { number: first, indent, tokens });
        }
        at += 1;
        number += 1;
    }
    Ok(out)
}

fn token(c: &[char]) -> Option<(Token, usize)> {
    let word = c.iter().take_while(|c| c.is_alphanumeric() || **c == '_').count();
    let quoted = |from: usize| c.get(from).is_some_and(|c| matches!(c, '\'' | '"'));
    if word <= 2 && quoted(word) && c[..word].iter().all(|c| matches!(c.to_ascii_lowercase(), 'f' | 'r' | 'b' | 'u')) {
        let has = |x: char| c[..word].iter().any(|c| c.eq_ignore_ascii_case(&x));
        let (text, len) = string(&c[word..], has('r'))?;
        return Some((if has('f') { Token::Format(text) } else { Token::Str(text) }, word + len));
    }
    if c[0].is_ascii_digit() {
        let mut len = c.iter().take_while(|c| c.is_ascii_digit() || **c == '_').count();
        let digits = |len: usize| c[..len].iter().filter(|c| **c != '_').collect::<String>();
        if c.get(len) == Some(&'.') {
            len += 1 + c[len + 1..].iter().take_while(|c| c.is_ascii_digit()).count();
            return Some((Token::Float(digits(len).parse().ok()?), len));
        }
        return Some((Token::Int(digits(len).parse().ok()?), len));
    }
    if word > 0 {
        return Some((Token::Name(c[..word].iter().collect()), word));
    }
    let starts = |o: &&&str| o.chars().enumerate().all(|(i, x)| c.get(i) == Some(&x));
    OPERATORS.iter().find(starts).map(|o| (Token::Op(o), o.len()))
}

/// A string literal: what it says, and its length in the source.
fn string(c: &[char], raw: bool) -> Option<(String, usize)> {
    let quote = c[0];
    let triple = c.len() >= 3 && c[1] == quote && c[2] == quote;
    let width = if triple { 3 } else { 1 };
    let mut text = String::new();
    let mut at = width;
    loop {
        let x = *c.get(at)?;
        if x == quote && (!triple || (c.get(at + 1) == Some(&quote) && c.get(at + 2) == Some(&quote))) {
            return Some((text, at + width));
        }
        if x == '\n' && !triple {
            return None;
        }
        if x == '\\' && !raw {
            at += 1;
            match *c.get(at)? {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'r' => text.push('\r'),
                '0' => text.push('\0'),
                '\n' => {}
                x @ ('\\' | '\'' | '"') => text.push(x),
                x => text.extend(['\\', x]),
            }
        } else {
            text.push(x);
        }
        at += 1;
    }
}
