//! The query-string form of label selectors, with upstream's refusals. Models `labels.Lexer` and `labels.Parser`.

use crate::labels::{Op, Requirement};
use crate::{FieldError, Path, validate};

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

/// Each requirement with its operator as written, or `exists` and `!`; sorted by key as upstream sorts them.
///
/// # Errors
/// Upstream's words for what is not understood.
pub(crate) fn parse(text: &str) -> Result<Vec<(String, Requirement)>, String> {
    let mut out = unsorted(text)?;
    out.sort_by(|(_, a), (_, b)| a.key.cmp(&b.key));
    Ok(out)
}

fn unsorted(text: &str) -> Result<Vec<(String, Requirement)>, String> {
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

    fn requirement(&mut self) -> Result<(String, Requirement), String> {
        let mut first = self.next();
        let absent = first == Token::Sign("!");
        if absent {
            first = self.next();
        }
        let Token::Word(key) = first else { return Err(format!("found '{}', expected: identifier", first.literal())) };
        let wrong = validate::qualified_name(&key);
        if !wrong.is_empty() {
            return Err(FieldError::invalid(&Path::new("<nil>"), key, wrong.join("; ")).to_string());
        }
        // With a `!` the requirement ends here, whatever comes.
        if absent {
            return Ok(("!".into(), Requirement { key, op: Op::DoesNotExist, values: Vec::new() }));
        }
        if matches!(self.ahead(), Token::End | Token::Sign(",")) {
            return Ok(("exists".into(), Requirement { key, op: Op::Exists, values: Vec::new() }));
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
        let mut values = if matches!(operator, Token::Word(_)) { self.values()? } else { vec![self.value()?] };
        values.sort_unstable();
        let wrong = bad_values(&key, &op, &values);
        if !wrong.is_empty() {
            return Err(crate::field::aggregate(wrong.iter().map(ToString::to_string)));
        }
        Ok((operator.literal().into(), Requirement { key, op, values }))
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
                Ok(vec![String::new()])
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

/// Models what `NewRequirement` says of values.
fn bad_values(key: &str, op: &Op, values: &[String]) -> Vec<FieldError> {
    let (path, mut out) = (Path::new("values"), Vec::new());
    for (i, value) in values.iter().enumerate() {
        if matches!(op, Op::Gt | Op::Lt) && value.parse::<i64>().is_err() {
            let why = "for 'Gt', 'Lt' operators, the value must be an integer";
            out.push(FieldError::invalid(&path.index(i), value.as_str(), why));
        }
    }
    for (i, value) in values.iter().enumerate() {
        let wrong = validate::label_value(value);
        if !wrong.is_empty() {
            out.push(FieldError::invalid(&path.index(i).key(key), value.as_str(), wrong.join("; ")));
        }
    }
    out
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
            ("!a=b", "found '=', expected: ',' or 'end of string'"),
            ("!a in (b)", "found 'in', expected: ',' or 'end of string'"),
            ("=x", "found '=', expected: !, identifier, or 'end of string'"),
        ] {
            assert_eq!(parse(text).err().as_deref(), Some(want), "{text}");
        }
        assert_eq!(parse("in in (in,)").map(|r| r[0].1.values.clone()), Ok(vec![String::new(), "in".into()]));
        assert_eq!(parse("a notin ()").map(|r| r[0].1.values.clone()), Ok(vec![String::new()]));
        let of = |text: &str| parse(text).err().unwrap_or_default();
        assert!(
            of("a/b/c=d")
                .starts_with("unable to parse requirement: <nil>: Invalid value: \"a/b/c\": a valid label key")
        );
        assert!(
            of("a in (b,-c)").starts_with("unable to parse requirement: values[0][a]: Invalid value: \"-c\": a valid")
        );
        assert!(of("a>-1x").starts_with("unable to parse requirement: [values[0]: Invalid value: \"-1x\": for 'Gt'"));
        assert!(of(&format!("a={}", "b".repeat(64))).ends_with(": must be no more than 63 bytes"));
    }
}
