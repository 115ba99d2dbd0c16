//! The words of a command: quotes are taken off, variables and substitutions put in, redirections taken out.

/// A part of a command's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Stands for itself.
    Text(String),
    /// `$NAME`, `${NAME:-DEFAULT}`
    Variable {
        name: String,
        default: Option<String>,
        quoted: bool,
    },
    /// `$(COMMAND)`
    Command {
        text: String,
        quoted: bool,
    },
    Space,
    Redirect(Redirect),
}

/// Where something comes from or goes to; its target is the next word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirect {
    /// `<`
    In,
    /// `<<<`
    Text,
    /// `<<`, whose text the parser has.
    Here,
    /// `>`, `>>`, `2>`, `2>>`, `&>`: which stream, and whether it is added.
    Out { out: bool, err: bool, append: bool },
    /// `2>&1`
    ErrToOut,
    /// `1>&2`
    OutToErr,
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The text up to the bracket that closes, with what is nested in it.
fn nested(chars: &[char], open: char, close: char) -> String {
    let (mut out, mut depth, mut quote) = (String::new(), 0, None);
    for &c in chars {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, c) if c == open => depth += 1,
            (None, c) if c == close && depth == 0 => break,
            (None, c) if c == close => depth -= 1,
            _ => {}
        }
        out.push(c);
    }
    out
}

/// A `$` and what it stands for; how many characters were read.
fn dollar(chars: &[char], quoted: bool) -> (Piece, usize) {
    match chars.get(1) {
        Some('(') => {
            let text = nested(&chars[2..], '(', ')');
            let n = text.chars().count() + 3;
            (Piece::Command { text, quoted }, n)
        }
        Some('{') => {
            let text = nested(&chars[2..], '{', '}');
            let n = text.chars().count() + 3;
            let (name, default) = match text.split_once(":-").or_else(|| text.split_once('-')) {
                Some((name, default)) => (name.to_string(), Some(default.to_string())),
                None => (text, None),
            };
            (Piece::Variable { name, default, quoted }, n)
        }
        Some('?' | '$' | '#' | '@' | '0') => (Piece::Variable { name: chars[1].to_string(), default: None, quoted }, 2),
        Some(c) if is_name(*c) && !c.is_ascii_digit() => {
            let name: String = chars[1..].iter().take_while(|c| is_name(**c)).collect();
            let n = name.len() + 1;
            (Piece::Variable { name, default: None, quoted }, n)
        }
        _ => (Piece::Text("$".into()), 1),
    }
}

fn redirect(chars: &[char], number: Option<char>) -> (Redirect, usize) {
    let is = |i: usize, c: char| chars.get(i) == Some(&c);
    if is(0, '<') {
        return match (is(1, '<'), is(2, '<')) {
            (true, true) => (Redirect::Text, 3),
            (true, false) => (Redirect::Here, if is(2, '-') { 3 } else { 2 }),
            _ => (Redirect::In, 1),
        };
    }
    if is(0, '&') {
        let append = is(2, '>');
        return (Redirect::Out { out: true, err: true, append }, if append { 3 } else { 2 });
    }
    let err = number == Some('2');
    if is(1, '&') && chars.get(2).is_some_and(char::is_ascii_digit) {
        return (if err { Redirect::ErrToOut } else { Redirect::OutToErr }, 3);
    }
    let append = is(1, '>');
    (Redirect::Out { out: !err, err, append }, if append { 2 } else { 1 })
}

/// Splits a command's text.
pub fn pieces(text: &str) -> Vec<Piece> {
    let chars: Vec<char> = text.chars().collect();
    let (mut out, mut at) = (Vec::new(), 0);
    let push = |out: &mut Vec<Piece>, c: &str| match out.last_mut() {
        Some(Piece::Text(t)) => t.push_str(c),
        _ => out.push(Piece::Text(c.into())),
    };
    while at < chars.len() {
        let c = chars[at];
        match c {
            c if c.is_whitespace() => {
                out.push(Piece::Space);
                at += 1;
            }
            '\\' => {
                push(&mut out, &chars.get(at + 1).map_or(String::new(), char::to_string));
                at += 2;
            }
            '\'' => {
                let inner: String = chars[at + 1..].iter().take_while(|c| **c != '\'').collect();
                at += inner.chars().count() + 2;
                push(&mut out, &inner);
            }
            '"' => {
                push(&mut out, "");
                at += 1;
                while at < chars.len() && chars[at] != '"' {
                    match chars[at] {
                        '\\' if matches!(chars.get(at + 1), Some('"' | '\\' | '$' | '`')) => {
                            push(&mut out, &chars[at + 1].to_string());
                            at += 2;
                        }
                        '$' => {
                            let (piece, n) = dollar(&chars[at..], true);
                            match piece {
                                Piece::Text(t) => push(&mut out, &t),
                                piece => out.push(piece),
                            }
                            at += n;
                        }
                        '`' => at += back_quoted(&chars[at..], true, &mut out),
                        c => {
                            push(&mut out, &c.to_string());
                            at += 1;
                        }
                    }
                }
                at += 1;
            }
            '`' => at += back_quoted(&chars[at..], false, &mut out),
            '$' => {
                let (piece, n) = dollar(&chars[at..], false);
                match piece {
                    Piece::Text(t) => push(&mut out, &t),
                    piece => out.push(piece),
                }
                at += n;
            }
            '<' | '>' | '&' if c != '&' || chars.get(at + 1) == Some(&'>') => {
                // `2>` begins with a number that stands alone.
                let number = match out.last() {
                    Some(Piece::Text(t)) if c == '>' && (t == "1" || t == "2") => t.chars().next(),
                    _ => None,
                };
                let alone = number.is_some()
                    && !matches!(out.iter().rev().nth(1), Some(Piece::Text(_) | Piece::Variable { .. }));
                let number = number.filter(|_| alone);
                if number.is_some() {
                    out.pop();
                }
                let (r, n) = redirect(&chars[at..], number);
                out.extend([Piece::Space, Piece::Redirect(r), Piece::Space]);
                at += n;
            }
            '~' if matches!(out.last(), None | Some(Piece::Space))
                && matches!(chars.get(at + 1), None | Some('/' | ' ')) =>
            {
                push(&mut out, super::bench::HOME);
                at += 1;
            }
            c => {
                push(&mut out, &c.to_string());
                at += 1;
            }
        }
    }
    out
}

fn back_quoted(chars: &[char], quoted: bool, out: &mut Vec<Piece>) -> usize {
    let text: String = chars[1..].iter().take_while(|c| **c != '`').collect();
    let n = text.chars().count() + 2;
    out.push(Piece::Command { text, quoted });
    n
}

/// What a command is made of once everything is put in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    pub words: Vec<String>,
    /// In order, with their targets.
    pub redirects: Vec<(Redirect, String)>,
}

/// Puts words together; `value` gives what a variable or a substitution stands for.
pub fn assemble(pieces: &[Piece], mut value: impl FnMut(usize) -> String) -> Words {
    let mut w = Words::default();
    let mut word: Option<String> = None;
    let mut redirect: Option<Redirect> = None;
    let end = |word: &mut Option<String>, redirect: &mut Option<Redirect>, w: &mut Words| {
        let Some(text) = word.take() else { return };
        match redirect.take() {
            Some(r) => w.redirects.push((r, text)),
            None => w.words.push(text),
        }
    };
    for (i, p) in pieces.iter().enumerate() {
        match p {
            Piece::Space => end(&mut word, &mut redirect, &mut w),
            Piece::Text(t) => word.get_or_insert_default().push_str(t),
            Piece::Variable { quoted: true, .. } | Piece::Command { quoted: true, .. } => {
                word.get_or_insert_default().push_str(&value(i));
            }
            Piece::Variable { .. } | Piece::Command { .. } => {
                let text = value(i);
                let mut parts = text.split_whitespace().peekable();
                if text.starts_with(char::is_whitespace) {
                    end(&mut word, &mut redirect, &mut w);
                }
                while let Some(part) = parts.next() {
                    word.get_or_insert_default().push_str(part);
                    if parts.peek().is_some() || text.ends_with(char::is_whitespace) {
                        end(&mut word, &mut redirect, &mut w);
                    }
                }
            }
            Piece::Redirect(r @ (Redirect::ErrToOut | Redirect::OutToErr)) => w.redirects.push((*r, String::new())),
            Piece::Redirect(r) => redirect = Some(*r),
        }
    }
    end(&mut word, &mut redirect, &mut w);
    w
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let list = pieces(text);
        let value = |i: usize| match &list[i] {
            Piece::Variable { name, default, .. } if name == "EMPTY" => default.clone().unwrap_or_default(),
            Piece::Variable { name, .. } => format!("<{name} two>"),
            Piece::Command { text, .. } => format!("({text})"),
            _ => String::new(),
        };
        let w = assemble(&list, value);
        let redirects: Vec<String> = w.redirects.iter().map(|(r, t)| format!("{r:?} {t}")).collect();
        format!("{} | {}", w.words.join(","), redirects.join(","))
    }

    #[test]
    fn words_are_parted_as_a_shell_does() {
        assert_eq!(shown(r#"a 'b c' "d e"f g\ h '' -o=jsonpath='{.x}'"#), "a,b c,d ef,g h,,-o=jsonpath={.x} | ");
        assert_eq!(shown(r#"$A "$A" ${EMPTY:-x} "\$A" '$A' $"#), "<A,two>,<A two>,x,$A,$A,$ | ");
        assert_eq!(shown("logs $(get po | head) `x`"), "logs,(get,po,|,head),(x) | ");
        assert_eq!(shown("~/a a~"), "/root/a,a~ | ");
    }

    #[test]
    fn redirections_are_taken_out() {
        assert_eq!(
            shown("get po > a.txt 2>/dev/null <b"),
            "get,po | Out { out: true, err: false, append: false } a.txt,Out { out: false, err: true, append: false } /dev/null,In b"
        );
        assert_eq!(shown("a 2>&1 >>b"), "a | ErrToOut ,Out { out: true, err: false, append: true } b");
    }
}
