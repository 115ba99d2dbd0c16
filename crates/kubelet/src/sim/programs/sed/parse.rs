//! A script of `sed`, read.

use crate::sim::programs::regex;
use regex_lite::Regex;

#[derive(Clone, Debug)]
pub enum Address {
    Line(usize),
    Step(usize, usize),
    Last,
    /// None: the last expression that was used.
    Match(Option<Regex>),
    /// So many lines more, as the end of a range.
    More(usize),
}

#[derive(Clone, Debug)]
pub enum Part {
    Text(String),
    Group(usize),
    /// GNU's `\U`, `\L`, `\E`, `\u` and `\l`.
    Case(char),
}

#[derive(Clone, Debug)]
pub struct Substitution {
    pub regex: Option<Regex>,
    pub with: Vec<Part>,
    pub global: bool,
    pub nth: usize,
    pub print: bool,
}

#[derive(Clone, Debug)]
pub enum What {
    /// Past this command when it is not selected.
    Block(usize),
    Substitute(Substitution),
    Translate(Vec<(char, char)>),
    /// `a`, `i`, `c`, `r`.
    Text(char, String),
    /// `b`, `t`, `T` and the command after the label.
    Branch(char, String),
    Quit(char, i32),
    Plain(char),
}

#[derive(Clone, Debug)]
pub struct Command {
    pub from: Option<Address>,
    pub to: Option<Address>,
    pub not: bool,
    pub what: What,
}

#[derive(Debug, Default)]
pub struct Script {
    pub commands: Vec<Command>,
    pub labels: Vec<(String, usize)>,
}

/// What is wrong with it, and at which character.
#[derive(Debug, PartialEq, Eq)]
pub enum Wrong {
    Unknown(char, usize),
    Unterminated(char, usize),
    NoCommand(usize),
    Brace(usize),
    Option(usize),
    Regex(String, usize),
    Lengths(usize),
}

struct Reader<'a> {
    text: &'a [char],
    at: usize,
    extended: bool,
}

pub fn parse(text: &str, extended: bool) -> Result<Script, Wrong> {
    let chars: Vec<char> = text.chars().collect();
    let mut r = Reader { text: &chars, at: 0, extended };
    let mut script = Script::default();
    let mut blocks = Vec::new();
    loop {
        r.skip(|c| c.is_whitespace() || c == ';');
        if r.at >= r.text.len() {
            break;
        }
        if r.peek() == Some('#') {
            r.skip(|c| c != '\n');
            continue;
        }
        let from = r.address()?;
        let mut to = None;
        r.skip(|c| c == ' ');
        if from.is_some() && r.peek() == Some(',') {
            r.at += 1;
            r.skip(|c| c == ' ');
            to = r.address()?;
        }
        r.skip(|c| c == ' ');
        let not = r.peek() == Some('!');
        if not {
            r.at += 1;
            r.skip(|c| c == ' ');
        }
        let Some(c) = r.next() else { return Err(Wrong::NoCommand(r.at)) };
        let what = match c {
            '{' => {
                blocks.push(script.commands.len());
                What::Block(0)
            }
            '}' => {
                let Some(start) = blocks.pop() else { return Err(Wrong::Brace(r.at)) };
                let end = script.commands.len();
                if let Some(Command { what: What::Block(to), .. }) = script.commands.get_mut(start) {
                    *to = end;
                }
                continue;
            }
            ':' => {
                script.labels.push((r.word(), script.commands.len()));
                continue;
            }
            's' => What::Substitute(r.substitution()?),
            'y' => {
                let separator = r.next().ok_or(Wrong::Unterminated('y', r.at))?;
                let a = r.until(separator, false).ok_or(Wrong::Unterminated('y', r.at))?;
                let b = r.until(separator, false).ok_or(Wrong::Unterminated('y', r.at))?;
                let (a, b) = (plain(&a), plain(&b));
                if a.chars().count() != b.chars().count() {
                    return Err(Wrong::Lengths(r.at));
                }
                What::Translate(a.chars().zip(b.chars()).collect())
            }
            'a' | 'i' | 'c' => What::Text(c, r.text()),
            'r' => What::Text(c, r.line().trim_start().into()),
            'b' | 't' | 'T' => What::Branch(c, r.word()),
            'q' | 'Q' => What::Quit(c, r.word().parse().unwrap_or(0)),
            'd' | 'D' | 'p' | 'P' | 'n' | 'N' | 'h' | 'H' | 'g' | 'G' | 'x' | '=' | 'l' => What::Plain(c),
            c => return Err(Wrong::Unknown(c, r.at)),
        };
        script.commands.push(Command { from, to, not, what });
    }
    if blocks.is_empty() { Ok(script) } else { Err(Wrong::Brace(0)) }
}

/// Without backslashes.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some(c) => out.push(c),
                None => out.push('\\'),
            },
            (c, false) => out.push(c),
        }
    }
    out
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }
    fn next(&mut self) -> Option<char> {
        let c = self.peek();
        self.at += usize::from(c.is_some());
        c
    }
    fn skip(&mut self, of: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&of) {
            self.at += 1;
        }
    }
    fn number(&mut self) -> Option<usize> {
        let start = self.at;
        self.skip(|c| c.is_ascii_digit());
        self.text[start..self.at].iter().collect::<String>().parse().ok()
    }
    fn word(&mut self) -> String {
        self.skip(|c| c == ' ');
        let start = self.at;
        self.skip(|c| !c.is_whitespace() && c != ';' && c != '}');
        self.text[start..self.at].iter().collect()
    }
    fn line(&mut self) -> String {
        let start = self.at;
        self.skip(|c| c != '\n');
        self.text[start..self.at].iter().collect()
    }

    /// The text of `a`, `i` and `c`: to the end of the line, or of the lines that a backslash goes on to.
    fn text(&mut self) -> String {
        self.skip(|c| c == ' ' || c == '\t');
        if self.peek() == Some('\\') {
            self.at += 1;
            self.skip(|c| c == ' ' || c == '\t');
            if self.peek() == Some('\n') {
                self.at += 1;
            }
        }
        let mut out = String::new();
        while let Some(c) = self.next() {
            match c {
                '\\' => out.extend(self.next()),
                '\n' => break,
                c => out.push(c),
            }
        }
        out.push('\n');
        out
    }

    /// Up to the separator, which may stand in it after a backslash, and in brackets of an expression.
    fn until(&mut self, separator: char, expression: bool) -> Option<String> {
        let mut out = String::new();
        let mut bracket = None;
        loop {
            let c = self.next()?;
            if c == '\\' && bracket.is_none() {
                match self.next()? {
                    c if c == separator => {
                        // What means something in an expression would mean it now.
                        if expression && "|+?(){}".contains(c) {
                            out.push('\\');
                        }
                        out.push(c);
                    }
                    'n' if expression => out.push('\n'),
                    't' if expression => out.push('\t'),
                    c => out.extend(['\\', c]),
                }
                continue;
            }
            if c == separator && bracket.is_none() {
                return Some(out);
            }
            out.push(c);
            if expression {
                match bracket {
                    None if c == '[' => {
                        if self.peek() == Some('^') {
                            out.extend(self.next());
                        }
                        bracket = Some(self.at);
                    }
                    Some(first) if c == ']' && self.at > first + 1 && !self.in_class() => bracket = None,
                    _ => {}
                }
            }
        }
    }

    /// Whether the bracket just read ends `[:alpha:]`.
    fn in_class(&self) -> bool {
        self.at >= 2 && self.text.get(self.at - 2) == Some(&':')
    }

    fn regex(&mut self, separator: char, letter: char) -> Result<(String, usize), Wrong> {
        let text = self.until(separator, true).ok_or(Wrong::Unterminated(letter, self.at))?;
        Ok((text, self.at))
    }

    fn compiled(&self, text: &str, ignore_case: bool) -> Result<Option<Regex>, Wrong> {
        if text.is_empty() {
            return Ok(None);
        }
        regex::compile(text, self.extended, ignore_case).map(Some).map_err(|why| Wrong::Regex(why, self.at))
    }

    fn address(&mut self) -> Result<Option<Address>, Wrong> {
        Ok(match self.peek() {
            Some('$') => {
                self.at += 1;
                Some(Address::Last)
            }
            Some('+') => {
                self.at += 1;
                self.number().map(Address::More)
            }
            Some(c) if c.is_ascii_digit() => {
                let n = self.number().unwrap_or(0);
                if self.peek() == Some('~') {
                    self.at += 1;
                    return Ok(Some(Address::Step(n, self.number().unwrap_or(0))));
                }
                Some(Address::Line(n))
            }
            Some(c @ ('/' | '\\')) => {
                self.at += 1;
                let separator = if c == '\\' { self.next().ok_or(Wrong::NoCommand(self.at))? } else { '/' };
                let (text, _) = self.regex(separator, '/')?;
                let ignore = matches!(self.peek(), Some('I'));
                self.at += usize::from(ignore);
                Some(Address::Match(self.compiled(&text, ignore)?))
            }
            _ => None,
        })
    }

    fn substitution(&mut self) -> Result<Substitution, Wrong> {
        let separator = self.next().ok_or(Wrong::Unterminated('s', self.at))?;
        let (text, _) = self.regex(separator, 's')?;
        let with = self.until(separator, false).ok_or(Wrong::Unterminated('s', self.at))?;
        let mut s = Substitution { regex: None, with: parts(&with), global: false, nth: 1, print: false };
        let mut ignore = false;
        loop {
            match self.peek() {
                Some('g') => s.global = true,
                Some('p') => s.print = true,
                Some('i' | 'I') => ignore = true,
                Some('m' | 'M' | 'e') => {}
                Some(c) if c.is_ascii_digit() => {
                    s.nth = self.number().unwrap_or(1).max(1);
                    continue;
                }
                None | Some('\n' | ';' | '}' | '#') => break,
                Some(c) if c.is_whitespace() => {}
                Some(_) => return Err(Wrong::Option(self.at + 1)),
            }
            self.at += 1;
        }
        s.regex = self.compiled(&text, ignore)?;
        Ok(s)
    }
}

fn parts(with: &str) -> Vec<Part> {
    let mut out = Vec::new();
    let mut text = String::new();
    let mut chars = with.chars();
    while let Some(c) = chars.next() {
        let part = match c {
            '&' => Part::Group(0),
            '\\' => match chars.next() {
                Some(d @ '0'..='9') => Part::Group(d.to_digit(10).unwrap_or(0) as usize),
                Some(c @ ('U' | 'L' | 'E' | 'u' | 'l')) => Part::Case(c),
                Some('n') => Part::Text("\n".into()),
                Some('t') => Part::Text("\t".into()),
                Some(c) => Part::Text(c.to_string()),
                None => Part::Text("\\".into()),
            },
            c => {
                text.push(c);
                continue;
            }
        };
        if !text.is_empty() {
            out.push(Part::Text(std::mem::take(&mut text)));
        }
        out.push(part);
    }
    if !text.is_empty() {
        out.push(Part::Text(text));
    }
    out
}
