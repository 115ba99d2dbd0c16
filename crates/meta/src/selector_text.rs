//! The query-string form of label selectors, with upstream's refusals. Models `labels.Lexer` and `labels.Parser`.

use crate::labels::{Op, Requirement};

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// A name, a value, or one of the words `in` and `notin`.
    Word(String),
    /// `=`, `==`, `!=`, `>`, `<`, `!`, `,`, `(` or `)`.
    Sign(&'static str),
    Error(String),
    End,
}

impl Token {
    fn literal(&self) -> &str {
        match self {
            Token::Word(w) | Token::Error(w) => w,
            Token::Sign(s) => s,
            Token::End => "",
        }
    }
}

const SIGNS: [&str; 9] = [")", ",", "!", "==", "=", ">", "<", "!=", "("];
const OPERATORS: &str = "in, notin, =, ==, !=, gt, lt";

fn is_special(c: char) -> bool {
    matches!(c, '=' | '!' | '(' | ')' | ',' | '>' | '<')
}

fn tokens(text: &str) -> Vec<Token> {
    let (mut out, mut chars) = (Vec::new(), text.chars().peekable());
    while let Some(&c) = chars.peek() {
        if matches!(c, ' ' | '\t' | '\r' | '\n') {
            chars.next();
            continue;
        }
        let mut read = String::new();
        if !is_special(c) {
            while let Some(&c) = chars.peek().filter(|c| !is_special(**c) && !matches!(c, ' ' | '\t' | '\r' | '\n')) {
                read.push(c);
                chars.next();
            }
            out.push(Token::Word(read));
            continue;
        }
        let mut last = None;
        while let Some(&c) = chars.peek().filter(|c| is_special(**c)) {
            read.push(c);
            match SIGNS.iter().find(|s| **s == read) {
                Some(sign) => last = Some(*sign),
                None if last.is_some() => break,
                None => {}
            }
            chars.next();
        }
        out.push(last.map_or_else(|| Token::Error(format!("error expected: keyword found '{read}'")), Token::Sign));
    }
    out.push(Token::End);
    out
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

/// # Errors
/// Upstream's words for what is not understood.
pub(crate) fn parse(text: &str) -> Result<Vec<Requirement>, String> {
    let mut p = Parser { tokens: tokens(text), at: 0 };
    let mut out = Vec::new();
    loop {
        match p.ahead() {
            Token::Word(_) | Token::Sign("!") => {
                out.push(p.requirement().map_err(|e| format!("unable to parse requirement: {e}"))?);
                match p.next() {
                    Token::End => return Ok(out),
                    Token::Sign(",") => {
                        let after = p.ahead();
                        if !matches!(after, Token::Word(_) | Token::Sign("!")) {
                            return Err(format!("found '{}', expected: identifier after ','", after.literal()));
                        }
                    }
                    other => return Err(format!("found '{}', expected: ',' or 'end of string'", other.literal())),
                }
            }
            Token::End => return Ok(out),
            other => return Err(format!("found '{}', expected: !, identifier, or 'end of string'", other.literal())),
        }
    }
}

impl Parser {
    fn ahead(&self) -> Token {
        self.tokens.get(self.at).cloned().unwrap_or(Token::End)
    }
    fn next(&mut self) -> Token {
        let t = self.ahead();
        self.at += 1;
        t
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let mut first = self.next();
        let absent = first == Token::Sign("!");
        if absent {
            first = self.next();
        }
        let Token::Word(key) = first else { return Err(format!("found '{}', expected: identifier", first.literal())) };
        if matches!(self.ahead(), Token::End | Token::Sign(",")) {
            let op = if absent { Op::DoesNotExist } else { Op::Exists };
            return Ok(Requirement { key, op, values: Vec::new() });
        }
        let operator = self.next();
        let op = match &operator {
            Token::Sign("=" | "==") => Op::In,
            Token::Sign("!=") => Op::NotIn,
            Token::Sign(">") => Op::Gt,
            Token::Sign("<") => Op::Lt,
            Token::Word(w) if w == "in" => Op::In,
            Token::Word(w) if w == "notin" => Op::NotIn,
            other => return Err(format!("found '{}', expected: {OPERATORS}", other.literal())),
        };
        if !matches!(operator, Token::Word(_)) {
            let value = self.value()?;
            if matches!(op, Op::Gt | Op::Lt) && value.parse::<i64>().is_err() {
                let why = "for 'Gt', 'Lt' operators, the value must be an integer";
                return Err(format!("values[0]: Invalid value: {value:?}: {why}"));
            }
            return Ok(Requirement { key, op, values: vec![value] });
        }
        let values = self.values()?;
        if values.is_empty() {
            return Err("values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty".into());
        }
        Ok(Requirement { key, op, values })
    }

    fn value(&mut self) -> Result<String, String> {
        if matches!(self.ahead(), Token::End | Token::Sign(",")) {
            return Ok(String::new());
        }
        match self.next() {
            Token::Word(w) => Ok(w),
            other => Err(format!("found '{}', expected: identifier", other.literal())),
        }
    }

    fn values(&mut self) -> Result<Vec<String>, String> {
        let open = self.next();
        if open != Token::Sign("(") {
            return Err(format!("found '{}' expected: '('", open.literal()));
        }
        match self.ahead() {
            Token::Word(_) | Token::Sign(",") => {
                let list = self.list()?;
                // The list ends before its parenthesis.
                self.next();
                Ok(list)
            }
            Token::Sign(")") => {
                self.next();
                Ok(Vec::new())
            }
            other => Err(format!("found '{}', expected: ',', ')' or identifier", other.literal())),
        }
    }

    /// Words and commas up to a parenthesis; nothing between two commas is an empty value.
    fn list(&mut self) -> Result<Vec<String>, String> {
        let mut out: Vec<String> = Vec::new();
        let add = |out: &mut Vec<String>, v: String| {
            if !out.contains(&v) {
                out.push(v);
            }
        };
        loop {
            match self.next() {
                Token::Word(w) => {
                    add(&mut out, w);
                    match self.ahead() {
                        Token::Sign(",") => {}
                        Token::Sign(")") => return Ok(out),
                        other => return Err(format!("found '{}', expected: ',' or ')'", other.literal())),
                    }
                }
                Token::Sign(",") => {
                    if out.is_empty() {
                        out.push(String::new());
                    }
                    match self.ahead() {
                        Token::Sign(")") => {
                            add(&mut out, String::new());
                            return Ok(out);
                        }
                        Token::Sign(",") => {
                            self.next();
                            add(&mut out, String::new());
                        }
                        _ => {}
                    }
                }
                other => return Err(format!("found '{}', expected: ',', or identifier", other.literal())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn slips_are_refused_in_upstreams_words() {
        for (text, want) in [
            ("!!", "unable to parse requirement: found '!', expected: identifier"),
            ("a in", "unable to parse requirement: found '' expected: '('"),
            ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
            ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
            ("a=b=c", "found '=', expected: ',' or 'end of string'"),
            ("a,", "found '', expected: identifier after ','"),
            ("=x", "found '=', expected: !, identifier, or 'end of string'"),
        ] {
            assert_eq!(parse(text).err().as_deref(), Some(want), "{text}");
        }
        assert_eq!(parse("in in (in,)").map(|r| r[0].values.clone()), Ok(vec!["in".into(), String::new()]));
    }
}
