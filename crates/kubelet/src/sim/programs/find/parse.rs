//! The expression of `find`.

use super::super::Io;
use super::super::regex;
use crate::sim::owners::{changed_mode, id_of};
use meta::Time;
use regex_lite::Regex;

/// `N`, `+N`, `-N`
#[derive(Clone, Copy)]
pub struct Count {
    sign: char,
    n: u64,
}

impl Count {
    pub fn times(self, unit: u64) -> Count {
        Count { n: self.n.saturating_mul(unit), ..self }
    }
    /// GNU's minutes: whether so many seconds are more, less, or so many of them begun.
    pub fn holds_begun(self, seconds: u64, unit: u64) -> bool {
        match self.sign {
            '+' => seconds > self.n.saturating_mul(unit),
            '-' => seconds < self.n.saturating_mul(unit),
            _ => seconds / unit + 1 == self.n,
        }
    }
    pub fn holds(self, n: u64) -> bool {
        match self.sign {
            '+' => n > self.n,
            '-' => n < self.n,
            _ => n == self.n,
        }
    }
}

pub enum Term {
    Name(String, bool),
    Path(String, bool),
    Regex(Regex),
    Type(String),
    Empty,
    /// So many units of so many bytes.
    Size(Count, u64),
    /// Exactly these bits, all of them, or any of them.
    Perm(char, u32),
    User(i64),
    Group(i64),
    Links(Count),
    /// Changed so many whole units of so many seconds ago.
    Age(Count, u64),
    /// Changed after that.
    After(Time),
    /// What the one who looks may do: a bit of a mode.
    May(u32),
    True,
    False,
    Print(char),
    Printf(String),
    Delete,
    /// A command for each file; `true`: in its directory.
    Exec(Vec<String>, bool),
    /// A command for all files at once.
    Together(Vec<String>),
    Prune,
    Quit,
}

pub enum Expression {
    Term(Term),
    Not(Box<Expression>),
    All(Vec<Expression>),
    Any(Vec<Expression>),
}

impl Expression {
    pub fn any(&self, is: &dyn Fn(&Term) -> bool) -> bool {
        match self {
            Expression::Term(t) => is(t),
            Expression::Not(e) => e.any(is),
            Expression::All(of) | Expression::Any(of) => of.iter().any(|e| e.any(is)),
        }
    }
}

/// Files have one time here, which is that of their last change. These are about others, of both programs or of GNU's only.
const TIMES: &[&str] = &["-atime", "-amin", "-ctime", "-cmin"];
const OTHERS: &[&str] = &["-inum", "-samefile"];
const GNU: &[&str] =
    &["-ok", "-okdir", "-ls", "-fls", "-fprint", "-fprint0", "-fprintf", "-fstype", "-used", "-daystart"];
const GNU_TIMES: &[&str] = &["-anewer", "-cnewer", "-newerat", "-newerct"];

/// More groups and negations within each other are for nobody to read.
const NESTED_MAX: usize = 100;

pub struct Parser<'a, 'm, 'w> {
    pub io: &'a Io<'m, 'w>,
    pub args: &'a [String],
    pub at: usize,
    pub min: usize,
    pub max: usize,
    pub depth: bool,
    /// In how many groups and negations it is.
    pub nested: usize,
}

impl Parser<'_, '_, '_> {
    fn peek(&self) -> Option<&str> {
        self.args.get(self.at).map(String::as_str)
    }

    fn next(&mut self) -> Option<String> {
        self.at += 1;
        self.args.get(self.at - 1).cloned()
    }

    fn busybox(&self) -> bool {
        self.io.is_busybox()
    }

    fn said(&self, busybox: String, gnu: String) -> String {
        format!("find: {}", if self.busybox() { busybox } else { gnu })
    }

    fn value(&mut self, of: &str) -> Result<String, String> {
        self.next()
            .ok_or_else(|| self.said(format!("{of} requires an argument"), format!("missing argument to `{of}'")))
    }

    /// `a b -o c d`
    pub fn any(&mut self, inner: bool) -> Result<Expression, String> {
        let mut groups = vec![self.all(inner)?];
        while matches!(self.peek(), Some("-o" | "-or")) {
            let word = self.next().unwrap_or_default();
            if !self.busybox() && matches!(groups.last(), Some(Expression::All(of)) if of.is_empty()) {
                return Err(format!(
                    "find: invalid expression; you have used a binary operator '{word}' with nothing before it."
                ));
            }
            groups.push(self.all(inner)?);
            if !self.busybox() && matches!(groups.last(), Some(Expression::All(of)) if of.is_empty()) {
                return Err(format!("find: expected an expression after '{word}'"));
            }
        }
        Ok(if groups.len() == 1 { groups.remove(0) } else { Expression::Any(groups) })
    }

    fn all(&mut self, inner: bool) -> Result<Expression, String> {
        let mut of = Vec::new();
        loop {
            match self.peek() {
                None | Some("-o" | "-or") => return Ok(Expression::All(of)),
                Some(")") if inner => return Ok(Expression::All(of)),
                Some("-a" | "-and") => self.at += 1,
                Some(_) => of.push(self.factor()?),
            }
        }
    }

    fn factor(&mut self) -> Result<Expression, String> {
        if self.nested >= NESTED_MAX {
            return Err("find: expression is nested too deep".into());
        }
        self.nested += 1;
        let one = self.one();
        self.nested -= 1;
        one
    }

    fn one(&mut self) -> Result<Expression, String> {
        let word = self.next().unwrap_or_default();
        match word.as_str() {
            "!" | "-not" => match self.peek() {
                None if self.busybox() => Ok(Expression::All(Vec::new())),
                None => Err(format!("find: expected an expression after '{word}'")),
                Some(_) => Ok(Expression::Not(Box::new(self.factor()?))),
            },
            "(" => {
                if self.peek() == Some(")") && !self.busybox() {
                    return Err("find: invalid expression; empty parentheses are not allowed.".into());
                }
                let inner = self.any(true)?;
                match self.next() {
                    Some(_) => Ok(inner),
                    None => Err(self.said(
                        "unpaired '('".into(),
                        "invalid expression; I was expecting to find a ')' somewhere but did not see one.".into(),
                    )),
                }
            }
            ")" => Err(self.said("unrecognized: )".into(), "you have too many ')'".into())),
            _ => self.term(&word).map(Expression::Term),
        }
    }

    fn count(&self, of: &str, text: &str, digits: &str) -> Result<Count, String> {
        let sign = text.chars().next().filter(|c| matches!(c, '+' | '-')).unwrap_or(' ');
        let n = digits.trim_start_matches(['+', '-']).parse();
        let why = || {
            let busybox = format!("invalid number '{}'", text.trim_start_matches(['+', '-']));
            self.said(busybox, format!("invalid argument `{text}' to `{of}'"))
        };
        n.map(|n| Count { sign, n }).map_err(|_| why())
    }

    fn size(&self, text: &str) -> Result<Term, String> {
        let unit = text.chars().next_back().filter(|c| !c.is_ascii_digit());
        let bytes = match unit {
            None | Some('b') => 512,
            Some('c') => 1,
            Some('w') => 2,
            Some('k') => 1 << 10,
            Some('M') if !self.busybox() => 1 << 20,
            Some('G') if !self.busybox() => 1 << 30,
            Some(c) => {
                return Err(self.said(
                    format!("invalid number '{}'", text.trim_start_matches(['+', '-'])),
                    format!("invalid -size type `{c}'"),
                ));
            }
        };
        let digits = unit.map_or(text, |u| text.strip_suffix(u).unwrap_or(text));
        Ok(Term::Size(self.count("-size", text, digits)?, bytes))
    }

    fn account(&mut self, of: &str, file: &str) -> Result<i64, String> {
        let name = self.value(of)?;
        let accounts = self.io.m.fs.read(file, self.io.world.volumes).unwrap_or_default();
        let (short, long) = if of == "-user" { ("user", "user") } else { ("group", "existing group") };
        id_of(&String::from_utf8_lossy(&accounts), &name).ok_or_else(|| {
            let gnu = match of {
                "-user" => format!("'{name}' is not the name of a known {long}"),
                _ => format!("'{name}' is not the name of an {long}"),
            };
            self.said(format!("unknown {short} {name}"), gnu)
        })
    }

    fn levels(&mut self, of: &str) -> Result<usize, String> {
        let text = self.value(of)?;
        text.parse().map_err(|_| {
            let gnu = format!("Expected a positive decimal integer argument to {of}, but got '{text}'");
            self.said(format!("invalid number '{text}'"), gnu)
        })
    }

    fn command(&mut self, in_place: bool, of: &str) -> Result<Term, String> {
        let mut words = Vec::new();
        loop {
            match self.value(of)?.as_str() {
                ";" => return Ok(Term::Exec(words, in_place)),
                "+" if words.last().is_some_and(|w| w == "{}") => return Ok(Term::Together(words)),
                word => words.push(word.to_string()),
            }
        }
    }

    fn term(&mut self, word: &str) -> Result<Term, String> {
        let gnu = !self.busybox();
        Ok(match word {
            "-name" => Term::Name(self.value(word)?, false),
            "-iname" => Term::Name(self.value(word)?.to_lowercase(), true),
            "-path" | "-wholename" => Term::Path(self.value(word)?, false),
            "-ipath" | "-iwholename" => Term::Path(self.value(word)?.to_lowercase(), true),
            "-regex" | "-iregex" => {
                let text = self.value(word)?;
                let text = if gnu { of_emacs(&text) } else { text };
                let whole = regex::compile(&format!("^\\({text}\\)$"), false, word == "-iregex");
                Term::Regex(whole.map_err(|why| format!("find: {why}"))?)
            }
            "-type" => {
                let kinds = self.value(word)?;
                let kind = |k: &str| k.len() == 1 && "bcdpfls".contains(k);
                if let Some(bad) =
                    if gnu { kinds.split(',').find(|k| !kind(k)) } else { Some(&*kinds).filter(|k| !kind(k)) }
                {
                    return Err(self.said(
                        format!("invalid argument '{bad}' to '-type'"),
                        format!("Unknown argument to -type: {bad}"),
                    ));
                }
                Term::Type(kinds)
            }
            "-empty" => Term::Empty,
            "-size" => {
                let text = self.value(word)?;
                self.size(&text)?
            }
            "-perm" => {
                let text = self.value(word)?;
                let how = text.chars().next().filter(|c| matches!(c, '-' | '/')).unwrap_or(' ');
                let bits = changed_mode(text.trim_start_matches(how), 0, false);
                Term::Perm(how, bits.ok_or_else(|| format!("find: invalid mode '{text}'"))?)
            }
            "-user" => Term::User(self.account(word, "/etc/passwd")?),
            "-group" => Term::Group(self.account(word, "/etc/group")?),
            "-uid" if gnu => Term::User(self.account("-user", "")?),
            "-gid" if gnu => Term::Group(self.account("-group", "")?),
            "-links" => {
                let text = self.value(word)?;
                Term::Links(self.count(word, &text, &text)?)
            }
            "-executable" => Term::May(1),
            "-readable" if gnu => Term::May(4),
            "-writable" if gnu => Term::May(2),
            "-true" if gnu => Term::True,
            "-false" if gnu => Term::False,
            "-maxdepth" => {
                self.max = self.levels(word)?;
                Term::True
            }
            "-mindepth" => {
                self.min = self.levels(word)?;
                Term::True
            }
            "-depth" => {
                self.depth = true;
                Term::True
            }
            "-xdev" | "-mount" => Term::True,
            "-noleaf" | "-ignore_readdir_race" if gnu => Term::True,
            "-print" => Term::Print('\n'),
            "-print0" => Term::Print('\0'),
            "-printf" if gnu => Term::Printf(self.value(word)?),
            "-delete" => {
                // What is deleted is deleted from the leaves on.
                self.depth = true;
                Term::Delete
            }
            "-prune" => Term::Prune,
            "-quit" => Term::Quit,
            "-exec" => self.command(false, word)?,
            "-execdir" if gnu => self.command(true, word)?,
            "-mtime" | "-mmin" => {
                let unit = if word == "-mtime" { 86_400 } else { 60 };
                let text = self.value(word)?;
                Term::Age(self.count(word, &text, &text)?, unit)
            }
            "-newer" => {
                let file = self.value(word)?;
                let at = self.io.m.fs.changed_at(&self.io.path(&file), self.io.world.volumes);
                let missing = format!("{file}: No such file or directory");
                Term::After(at.ok_or_else(|| self.said(missing, format!("'{file}': No such file or directory")))?)
            }
            "-newermt" if gnu => {
                let text = self.value(word)?;
                let why = format!("find: I cannot figure out how to interpret '{text}' as a date or time");
                Term::After(super::super::clock::told_gnu(&text, self.io.now).ok_or(why)?)
            }
            _ if TIMES.contains(&word) || gnu && GNU_TIMES.contains(&word) => {
                return Err(format!(
                    "find: {word} is not simulated: files have only the time of their last change here"
                ));
            }
            _ if OTHERS.contains(&word) || gnu && GNU.contains(&word) || matches!(word, "-follow" | "-L") => {
                return Err(format!("find: {word} is not simulated"));
            }
            _ => return Err(self.said(format!("unrecognized: {word}"), format!("unknown predicate `{word}'"))),
        })
    }
}

/// Emacs' expressions, which GNU find takes, are basic ones in which `+` and `?` repeat.
fn of_emacs(text: &str) -> String {
    let (mut out, mut bracket) = (String::new(), false);
    let mut letters = text.chars();
    while let Some(c) = letters.next() {
        match c {
            '\\' if !bracket => match letters.next() {
                Some(c @ ('+' | '?')) => out.push(c),
                other => out.extend(std::iter::once('\\').chain(other)),
            },
            '+' | '?' if !bracket => out.extend(['\\', c]),
            _ => {
                bracket = c == '[' || bracket && c != ']';
                out.push(c);
            }
        }
    }
    out
}
