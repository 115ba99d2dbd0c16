//! A line as a shell reads it: commands joined by `;`, `&&`, `||`, each a pipeline; quotes, comments and here-documents.

/// How a pipeline follows the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    Always,
    /// `&&`
    IfDone,
    /// `||`
    IfFailed,
}

/// `<<END`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Here {
    /// As it was written.
    pub raw: String,
    /// Quoted words keep their text as it is.
    pub quoted: bool,
    pub text: String,
}

/// One command of a pipeline, as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    pub text: String,
    pub here: Vec<Here>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    pub join: Join,
    pub stages: Vec<Stage>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed {
    Whole(Vec<Pipeline>),
    /// A quote, a here-document or a pipe waits for its end.
    More,
    /// In bash's words.
    Wrong(String),
}

struct Reader {
    chars: Vec<char>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }
    fn next(&mut self) -> Option<char> {
        self.at += 1;
        self.chars.get(self.at - 1).copied()
    }
    fn eat(&mut self, c: char) -> bool {
        let is = self.peek() == Some(c);
        self.at += usize::from(is);
        is
    }
    fn line(&mut self) -> Option<String> {
        self.peek()?;
        let rest = &self.chars[self.at..];
        let end = rest.iter().position(|c| *c == '\n').unwrap_or(rest.len());
        self.at += end + 1;
        Some(rest[..end].iter().collect())
    }

    /// A quoted text or a substitution, from its first character to its last; false: it has no end.
    fn quoted(&mut self, out: &mut String) -> bool {
        let Some(open) = self.next() else { return true };
        out.push(open);
        match open {
            '\\' => match self.next() {
                Some(c) => out.push(c),
                None => return false,
            },
            '\'' => loop {
                match self.next() {
                    Some(c) => out.push(c),
                    None => return false,
                }
                if out.ends_with('\'') {
                    return true;
                }
            },
            '"' => loop {
                match self.peek() {
                    None => return false,
                    Some('"') => {
                        self.at += 1;
                        out.push('"');
                        return true;
                    }
                    Some('\\' | '`') => {
                        if !self.quoted(out) {
                            return false;
                        }
                    }
                    Some('$') if self.chars.get(self.at + 1) == Some(&'(') => {
                        if !self.quoted(out) {
                            return false;
                        }
                    }
                    Some(c) => {
                        self.at += 1;
                        out.push(c);
                    }
                }
            },
            '`' => loop {
                match self.next() {
                    Some(c) => out.push(c),
                    None => return false,
                }
                if out.ends_with('`') {
                    return true;
                }
            },
            '$' => {
                let close = match self.peek() {
                    Some('(') => ')',
                    Some('{') => '}',
                    _ => return true,
                };
                self.at += 1;
                out.push(if close == ')' { '(' } else { '{' });
                return self.nested(close, out);
            }
            _ => {}
        }
        true
    }

    /// Up to and with the bracket that closes.
    fn nested(&mut self, close: char, out: &mut String) -> bool {
        loop {
            match self.peek() {
                None => return false,
                Some(c) if c == close => {
                    self.at += 1;
                    out.push(c);
                    return true;
                }
                Some('\\' | '\'' | '"' | '`' | '$') => {
                    if !self.quoted(out) {
                        return false;
                    }
                }
                Some('(') if close == ')' => {
                    self.at += 1;
                    out.push('(');
                    if !self.nested(')', out) {
                        return false;
                    }
                }
                Some(c) => {
                    self.at += 1;
                    out.push(c);
                }
            }
        }
    }
}

/// Where in a here-document's delimiter word the quotes are does not matter: any keeps the text.
fn unquoted(word: &str) -> (String, bool) {
    let plain: String = word.chars().filter(|c| !matches!(c, '\'' | '"' | '\\')).collect();
    let quoted = plain.len() != word.len();
    (plain, quoted)
}

pub fn parse(text: &str) -> Parsed {
    let mut r = Reader { chars: text.chars().collect(), at: 0 };
    let mut list: Vec<Pipeline> = Vec::new();
    let (mut join, mut stages, mut stage) = (Join::Always, Vec::new(), Stage::default());
    // Delimiter, whether tabs are cut, and which here-document of which stage of which pipeline it is.
    let mut waiting: Vec<(String, bool, [usize; 3])> = Vec::new();
    let mut open = false;
    loop {
        let c = r.peek();
        let ends = matches!(c, None | Some('\n' | ';' | '|' | '&'));
        if !ends {
            match c {
                Some('\\') if r.chars.get(r.at + 1) == Some(&'\n') => r.at += 2,
                Some('\\' | '\'' | '"' | '`' | '$') => {
                    let is_closed = r.quoted(&mut stage.text);
                    if !is_closed {
                        return Parsed::More;
                    }
                }
                Some('#') if stage.text.is_empty() || stage.text.ends_with([' ', '\t']) => {
                    while !matches!(r.peek(), None | Some('\n')) {
                        r.at += 1;
                    }
                }
                Some('<') if r.chars[r.at..].starts_with(&['<', '<']) && r.chars.get(r.at + 2) != Some(&'<') => {
                    r.at += 2;
                    let cut = r.eat('-');
                    let mut word = String::new();
                    while matches!(r.peek(), Some(' ' | '\t')) {
                        r.at += 1;
                    }
                    while r.peek().is_some_and(|c| !c.is_whitespace() && !matches!(c, ';' | '|' | '&' | '<' | '>')) {
                        if matches!(r.peek(), Some('\'' | '"')) {
                            if !r.quoted(&mut word) {
                                return Parsed::More;
                            }
                        } else {
                            word.extend(r.next());
                        }
                    }
                    let (delimiter, quoted) = unquoted(&word);
                    waiting.push((delimiter, cut, [list.len(), stages.len(), stage.here.len()]));
                    let dash = if cut { "-" } else { "" };
                    stage.here.push(Here { raw: format!("<<{dash}{word}"), quoted, text: String::new() });
                    stage.text.push_str(&format!("<<{dash}{word} "));
                }
                // `2>&1` and `&>` are no ends.
                Some('>') => {
                    stage.text.extend(r.next());
                    if r.eat('&') {
                        stage.text.push('&');
                    }
                }
                Some(_) => stage.text.extend(r.next()),
                None => {}
            }
            continue;
        }
        if c == Some('&') && r.chars.get(r.at + 1) == Some(&'>') {
            r.at += 2;
            stage.text.push_str("&>");
            continue;
        }
        let empty = stage.text.trim().is_empty();
        if c == Some('|') && r.chars.get(r.at + 1) != Some(&'|') {
            if empty {
                return Parsed::Wrong("syntax error near unexpected token `|'".into());
            }
            r.at += 1;
            stages.push(std::mem::take(&mut stage));
            open = true;
            continue;
        }
        // A line that ends with a joint goes on.
        if empty && open {
            match c {
                Some('\n') => {
                    r.at += 1;
                    continue;
                }
                None => return Parsed::More,
                Some(c) => return Parsed::Wrong(format!("syntax error near unexpected token `{c}'")),
            }
        }
        let next = match c {
            Some('&') if r.chars.get(r.at + 1) == Some(&'&') => Some((2, Join::IfDone, "&&")),
            Some('|') => Some((2, Join::IfFailed, "||")),
            Some('&') => {
                return Parsed::Wrong("commands in the background are not in this terminal: open another one".into());
            }
            Some(';') => Some((1, Join::Always, ";")),
            _ => None,
        };
        if empty && stages.is_empty() {
            if let Some((_, _, word)) = next {
                return Parsed::Wrong(format!("syntax error near unexpected token `{word}'"));
            }
        } else {
            stages.push(std::mem::take(&mut stage));
            list.push(Pipeline { join, stages: std::mem::take(&mut stages) });
        }
        stage = Stage::default();
        open = matches!(next, Some((_, Join::IfDone | Join::IfFailed, _)));
        match (next, c) {
            (Some((n, j, _)), _) => {
                r.at += n;
                join = j;
            }
            (None, Some(_)) => {
                r.at += 1;
                join = Join::Always;
            }
            (None, None) => {}
        }
        // The bodies follow the line that named them.
        if matches!(c, None | Some('\n')) && !waiting.is_empty() {
            for (delimiter, cut, [p, s, h]) in std::mem::take(&mut waiting) {
                let mut body = String::new();
                loop {
                    let Some(line) = r.line() else { return Parsed::More };
                    let line = if cut { line.trim_start_matches('\t') } else { &line };
                    if line == delimiter {
                        break;
                    }
                    body.push_str(line);
                    body.push('\n');
                }
                if let Some(here) = list.get_mut(p).and_then(|p| p.stages.get_mut(s)?.here.get_mut(h)) {
                    here.text = body;
                }
            }
        }
        if c.is_none() {
            return Parsed::Whole(list);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match parse(text) {
            Parsed::More => "more".into(),
            Parsed::Wrong(why) => why,
            Parsed::Whole(list) => list
                .iter()
                .map(|p| {
                    let stages: Vec<String> = p
                        .stages
                        .iter()
                        .map(|s| s.here.iter().fold(s.text.trim().to_string(), |t, h| format!("{t}{{{}}}", h.text)))
                        .collect();
                    format!("{:?}[{}]", p.join, stages.join("]["))
                })
                .collect::<Vec<_>>()
                .join(" "),
        }
    }

    #[test]
    fn a_line_is_a_list_of_pipelines() {
        assert_eq!(
            shown("kubectl get po | grep 'a|b' && echo \"x;y\"; ls # all"),
            "Always[kubectl get po][grep 'a|b'] IfDone[echo \"x;y\"] Always[ls]"
        );
        assert_eq!(shown("a || b 2>&1 | c"), "Always[a] IfFailed[b 2>&1][c]");
        assert_eq!(shown("echo $(a | b; c) `d|e` ${f}"), "Always[echo $(a | b; c) `d|e` ${f}]");
        assert_eq!(shown("a \\\n  b\nc"), "Always[a   b] Always[c]");
        assert_eq!(shown(""), "");
    }

    #[test]
    fn what_has_no_end_waits_for_more() {
        for text in ["echo 'a", "echo \"a", "a |", "a &&", "cat <<EOF\nx", "cat <<EOF", "echo $(a", "a \\"] {
            assert_eq!(shown(text), "more", "{text}");
        }
    }

    #[test]
    fn here_documents_belong_to_their_command() {
        assert_eq!(
            shown("cat <<'E' | kubectl apply -f -\nkind: Pod\nE\necho done"),
            "Always[cat <<'E'{kind: Pod\n}][kubectl apply -f -] Always[echo done]"
        );
    }

    #[test]
    fn slips_are_refused_in_bashs_words() {
        assert_eq!(shown("| a"), "syntax error near unexpected token `|'");
        assert_eq!(shown("; a"), "syntax error near unexpected token `;'");
    }
}
