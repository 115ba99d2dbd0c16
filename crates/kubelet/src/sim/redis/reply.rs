//! RESP, the protocol of redis: commands and replies as text.

/// No reply has more arrays within each other; what somebody writes may.
const DEPTH: usize = 8;

/// What a server says to a command.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    Status(String),
    Error(String),
    Int(i64),
    Bulk(Option<String>),
    Array(Option<Vec<Reply>>),
}

impl Reply {
    pub fn ok() -> Reply {
        Reply::Status("OK".into())
    }
    pub fn nil() -> Reply {
        Reply::Bulk(None)
    }
    pub fn text(s: impl Into<String>) -> Reply {
        Reply::Bulk(Some(s.into()))
    }
    pub fn int(n: usize) -> Reply {
        Reply::Int(i64::try_from(n).unwrap_or(i64::MAX))
    }
    pub fn list<S: Into<String>>(all: impl IntoIterator<Item = S>) -> Reply {
        Reply::Array(Some(all.into_iter().map(Reply::text).collect()))
    }

    pub fn encode(&self, out: &mut String) {
        match self {
            Reply::Status(s) => out.push_str(&format!("+{s}\r\n")),
            Reply::Error(s) => out.push_str(&format!("-{s}\r\n")),
            Reply::Int(n) => out.push_str(&format!(":{n}\r\n")),
            Reply::Bulk(None) => out.push_str("$-1\r\n"),
            Reply::Bulk(Some(s)) => out.push_str(&format!("${}\r\n{s}\r\n", s.len())),
            Reply::Array(None) => out.push_str("*-1\r\n"),
            Reply::Array(Some(all)) => {
                out.push_str(&format!("*{}\r\n", all.len()));
                all.iter().for_each(|r| r.encode(out));
            }
        }
    }

    /// The first reply of a text, and what follows it.
    pub fn decode(text: &str) -> Option<(Reply, &str)> {
        Reply::decode_within(text, DEPTH)
    }
    fn decode_within(text: &str, depth: usize) -> Option<(Reply, &str)> {
        let (head, rest) = text.split_once("\r\n")?;
        let (kind, word) = head.split_at_checked(1)?;
        Some(match kind {
            "+" => (Reply::Status(word.into()), rest),
            "-" => (Reply::Error(word.into()), rest),
            ":" => (Reply::Int(word.parse().ok()?), rest),
            "$" => match word.parse::<usize>() {
                Err(_) => (Reply::nil(), rest),
                Ok(n) => (Reply::text(rest.get(..n)?), rest.get(n + 2..)?),
            },
            "*" => match word.parse::<usize>() {
                Err(_) => (Reply::Array(None), rest),
                Ok(n) => {
                    let (mut all, mut rest) = (Vec::new(), rest);
                    let depth = depth.checked_sub(1)?;
                    for _ in 0..n {
                        let (r, after) = Reply::decode_within(rest, depth)?;
                        all.push(r);
                        rest = after;
                    }
                    (Reply::Array(Some(all)), rest)
                }
            },
            _ => return None,
        })
    }
}

/// A command as a client sends it.
pub fn command(argv: &[String]) -> String {
    let mut out = String::new();
    Reply::list(argv.iter().cloned()).encode(&mut out);
    out
}

/// The commands of a text: arrays, or lines as one types them.
pub fn commands(mut text: &str) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    while !text.is_empty() {
        if text.starts_with('*') {
            let Some((Reply::Array(Some(words)), rest)) = Reply::decode(text) else { break };
            let words = words.into_iter().filter_map(|w| if let Reply::Bulk(Some(w)) = w { Some(w) } else { None });
            // `*0` says nothing.
            all.extend(Some(words.collect::<Vec<_>>()).filter(|w| !w.is_empty()));
            text = rest;
        } else {
            let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
            all.extend(words(line).filter(|w| !w.is_empty()));
            text = rest;
        }
    }
    all
}

/// A line's words, with quotes and escapes. `None`: a quote is not closed. Models `sdssplitargs`.
pub fn words(line: &str) -> Option<Vec<String>> {
    let mut all = Vec::new();
    let mut c = line.chars().peekable();
    loop {
        while c.next_if(|x| x.is_whitespace()).is_some() {}
        let Some(first) = c.next() else { return Some(all) };
        let (mut word, mut quote) = (String::new(), None);
        let mut next = Some(first);
        while let Some(x) = next {
            match (quote, x) {
                (None, '"' | '\'') => quote = Some(x),
                (None, x) if x.is_whitespace() => break,
                (Some('"'), '\\') => match c.next()? {
                    'x' => {
                        let hex: String = c.clone().take(2).collect();
                        match u8::from_str_radix(&hex, 16) {
                            Ok(b) if hex.len() == 2 => {
                                c.nth(1);
                                word.push(char::from(b));
                            }
                            _ => word.push('x'),
                        }
                    }
                    'n' => word.push('\n'),
                    'r' => word.push('\r'),
                    't' => word.push('\t'),
                    'b' => word.push('\u{8}'),
                    'a' => word.push('\u{7}'),
                    other => word.push(other),
                },
                (Some('\''), '\\') if c.peek() == Some(&'\'') => word.extend(c.next()),
                (Some(q), x) if x == q => {
                    // What is quoted ends its word.
                    if c.peek().is_some_and(|x| !x.is_whitespace()) {
                        return None;
                    }
                    quote = None;
                }
                (_, x) => word.push(x),
            }
            next = c.next();
        }
        if quote.is_some() {
            return None;
        }
        all.push(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        let all = [
            Reply::ok(),
            Reply::Error("ERR no".into()),
            Reply::Int(-3),
            Reply::nil(),
            Reply::Array(None),
            Reply::Array(Some(vec![Reply::text("ü\r\n"), Reply::Array(Some(vec![])), Reply::Int(1)])),
        ];
        for r in all {
            let mut text = String::new();
            r.encode(&mut text);
            text.push_str("rest");
            assert_eq!(Reply::decode(&text), Some((r, "rest")));
        }
        let deep = |n: usize| "*1\r\n".repeat(n) + ":1\r\n";
        assert!(Reply::decode(&deep(DEPTH)).is_some());
        assert_eq!((Reply::decode(&deep(DEPTH + 1)), commands(&deep(200_000)).len()), (None, 0));
        let argv = ["set".to_string(), "a b".into(), String::new()];
        assert_eq!(commands(&format!("{}PING\r\nget \"x y\"\r\n", command(&argv))).len(), 3);
    }

    #[test]
    fn words_are_split_as_redis_splits_them() {
        let of = |line: &str| words(line).map(|w| w.join("|"));
        assert_eq!(of("rpush job2 \"apple pie\""), Some("rpush|job2|apple pie".into()));
        assert_eq!(of(" set a 'it\\'s' \"\\x41\\n\" "), Some("set|a|it's|A\n".into()));
        assert_eq!((of("set a 'q"), of("\"a\"b"), of("")), (None, None, Some(String::new())));
    }
}
