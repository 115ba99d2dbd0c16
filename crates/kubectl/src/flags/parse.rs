//! Words of a command line into a command, its flags and its arguments. Models `spf13/cobra` and `spf13/pflag`.

use super::{Command, Flag, Type, commands};
use std::collections::BTreeMap;

/// What was given; defaults for the rest.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    given: BTreeMap<&'static str, Vec<String>>,
    defaults: BTreeMap<&'static str, &'static str>,
}

impl Flags {
    pub fn changed(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }
    pub fn string(&self, name: &str) -> &str {
        let last = self.given.get(name).and_then(|v| v.last()).map(String::as_str);
        last.or_else(|| self.defaults.get(name).copied()).unwrap_or("")
    }
    pub fn bool(&self, name: &str) -> bool {
        parse_bool(self.string(name)) == Some(true)
    }
    pub fn int(&self, name: &str) -> i64 {
        self.string(name).parse().unwrap_or(0)
    }
    /// Microseconds.
    pub fn duration(&self, name: &str) -> i64 {
        go_duration(self.string(name)).unwrap_or(0)
    }
    pub fn list(&self, name: &str) -> Vec<String> {
        match self.given.get(name) {
            Some(v) => v.clone(),
            None => self.defaults.get(name).filter(|d| !d.is_empty()).iter().map(|d| d.to_string()).collect(),
        }
    }
    fn set(&mut self, flag: &Flag, value: &str) -> Result<(), String> {
        let bad = |why: String| {
            let shown = match flag.shorthand {
                Some(s) => format!("-{s}, --{}", flag.name),
                None => format!("--{}", flag.name),
            };
            Err(format!("invalid argument {value:?} for {shown:?} flag: {why}"))
        };
        match flag.kind {
            Type::Bool if parse_bool(value).is_none() => {
                return bad(format!("strconv.ParseBool: parsing {value:?}: invalid syntax"));
            }
            Type::Int if value.parse::<i64>().is_err() => {
                return bad(format!("strconv.ParseInt: parsing {value:?}: invalid syntax"));
            }
            Type::Duration if go_duration(value).is_none() => {
                return bad(no_duration(value));
            }
            _ => {}
        }
        let values = self.given.entry(flag.name).or_default();
        match flag.kind {
            Type::List => values.extend(csv(value)),
            Type::Array => values.push(value.into()),
            _ => *values = vec![value.into()],
        }
        Ok(())
    }
}

/// One line of comma separated values, quotes as in CSV.
fn csv(text: &str) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    let (mut out, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if field.is_empty() => quoted = true,
            ',' if !quoted => out.push(std::mem::take(&mut field)),
            c => field.push(c),
        }
    }
    out.push(field);
    out
}

fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// What `time.ParseDuration` says of what is none.
fn no_duration(text: &str) -> String {
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    while !rest.is_empty() {
        let of_number = |c: char| c.is_ascii_digit() || c == '.';
        let (number, after) = rest.split_at(rest.find(|c| !of_number(c)).unwrap_or(rest.len()));
        if number.parse::<f64>().is_err() {
            break;
        }
        let (unit, after) = after.split_at(after.find(of_number).unwrap_or(after.len()));
        match unit {
            "" => return format!("time: missing unit in duration {text:?}"),
            "ns" | "us" | "µs" | "ms" | "s" | "m" | "h" => rest = after,
            _ => return format!("time: unknown unit {unit:?} in duration {text:?}"),
        }
    }
    format!("time: invalid duration {text:?}")
}

/// Go's `time.ParseDuration`, in microseconds.
pub(crate) fn go_duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(r) => (true, r),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0.0f64;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        rest = &rest[end..];
        let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let unit = match &rest[..end] {
            "ns" => 0.001,
            "us" | "µs" => 1.0,
            "ms" => 1e3,
            "s" => 1e6,
            "m" => 6e7,
            "h" => 3.6e9,
            _ => return None,
        };
        rest = &rest[end..];
        total += number * unit;
    }
    let total = total.round() as i64;
    Some(if negative { -total } else { total })
}

#[derive(Debug)]
pub(crate) struct Parsed {
    pub command: Command,
    pub flags: Flags,
    pub args: Vec<String>,
    /// How many of the arguments stand before `--`.
    pub dash: Option<usize>,
}

/// The command, and the other words. cobra looks for it first, among what is neither a flag nor a flag's value.
///
/// # Errors
/// There is no such command.
pub(crate) fn find(words: &[String]) -> Result<(Command, Vec<String>), String> {
    let all = commands();
    let mut command = all.first().cloned().unwrap_or_default();
    let mut rest: Vec<String> = words.to_vec();
    while let Some(at) = first_argument(&command, &rest) {
        let word = rest[at].clone();
        let child = all.iter().find(|c| {
            !c.path.is_empty() && c.parent() == command.path && (c.name() == word || c.aliases.contains(&word.as_str()))
        });
        let Some(child) = child else {
            if command.path.is_empty() {
                return Err(unknown(&all, &word));
            }
            break;
        };
        command = child.clone();
        rest.remove(at);
    }
    Ok((command, rest))
}

/// # Errors
/// What standard error gets, without `error: `.
pub(crate) fn parse(words: &[String]) -> Result<Parsed, String> {
    let (command, rest) = find(words)?;
    let mut flags = Flags { defaults: command.flags.iter().map(|f| (f.name, f.default)).collect(), ..Flags::default() };
    let (mut args, mut dash) = (Vec::new(), None);
    let usage = |message: String| match command.name() {
        // The one command that words it otherwise.
        "diff" => format!("{message}\nSee '{} -h' for help and examples", command.full()),
        _ => format!("{message}\nSee '{} --help' for usage.", command.full()),
    };
    let mut words = rest.into_iter().peekable();
    while let Some(word) = words.next() {
        if word == "--" {
            dash = Some(args.len());
            args.extend(words.by_ref());
        } else if let Some(long) = word.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((n, v)) => (n, Some(v.to_string())),
                None => (long, None),
            };
            let name = name.replace('_', "-");
            if name.is_empty() || name.starts_with('-') {
                return Err(usage(format!("bad flag syntax: {word}")));
            }
            let Some(flag) = command.flag(&name) else { return Err(usage(format!("unknown flag: --{name}"))) };
            let value = match (value, flag.bare) {
                (Some(v), _) => v,
                (None, Some(bare)) => bare.into(),
                (None, None) => match words.next() {
                    Some(v) => v,
                    None => return Err(usage(format!("flag needs an argument: --{name}"))),
                },
            };
            flags.set(flag, &value).map_err(usage)?;
        } else if word.len() > 1 && word.starts_with('-') {
            let shorthands = &word[1..];
            let mut left = shorthands;
            while let Some(c) = left.chars().next() {
                let after = &left[c.len_utf8()..];
                let Some(flag) = command.flags.iter().find(|f| f.shorthand == Some(c)) else {
                    return Err(usage(format!("unknown shorthand flag: {c:?} in -{left}")));
                };
                let (value, next) = match (after.strip_prefix('='), flag.bare) {
                    (Some(v), _) if !after[1..].is_empty() || flag.bare.is_none() => (v.to_string(), ""),
                    (_, Some(bare)) => (bare.to_string(), after),
                    _ if !after.is_empty() => (after.to_string(), ""),
                    _ => match words.next() {
                        Some(v) => (v, ""),
                        None => return Err(usage(format!("flag needs an argument: {c:?} in -{left}"))),
                    },
                };
                flags.set(flag, &value).map_err(usage)?;
                left = next;
            }
        } else {
            args.push(word);
        }
    }
    Ok(Parsed { command, flags, args, dash })
}

/// Where the first word stands that is no flag and no flag's value. Models `cobra.stripFlags` and `argsMinusFirstX`.
fn first_argument(command: &Command, words: &[String]) -> Option<usize> {
    let mut i = 0;
    while i < words.len() {
        let word = &words[i];
        if word == "--" {
            return None;
        }
        if let Some(long) = word.strip_prefix("--") {
            let takes = !long.contains('=') && command.flag(long).is_none_or(|f| f.bare.is_none());
            i += if takes { 2 } else { 1 };
        } else if word.starts_with('-') && word.len() > 1 {
            let c = word.chars().nth(1);
            let takes = word.chars().count() == 2
                && command.flags.iter().find(|f| f.shorthand == c).is_none_or(|f| f.bare.is_none());
            i += if takes { 2 } else { 1 };
        } else {
            return Some(i);
        }
    }
    None
}

/// Models cobra's `legacyArgs` and `SuggestionsFor`.
fn unknown(all: &[Command], word: &str) -> String {
    let mut text = format!("unknown command {word:?} for \"kubectl\"");
    let near: Vec<&str> = all
        .iter()
        .filter(|c| !c.path.is_empty() && c.parent().is_empty())
        .filter(|c| {
            distance(&word.to_lowercase(), &c.name().to_lowercase()) <= 2
                || c.name().to_lowercase().starts_with(&word.to_lowercase())
                || suggested_for(c.path).contains(&word)
        })
        .map(Command::name)
        .collect();
    if !near.is_empty() {
        text.push_str("\n\nDid you mean this?\n");
        for n in near {
            text.push_str(&format!("\t{n}\n"));
        }
        text.push('\n');
    }
    text
}

/// What people type for a command when they mean another.
fn suggested_for(path: &str) -> &'static [&'static str] {
    match path {
        "get" | "wait" => &["list", "ps"],
        "delete" => &["rm"],
        _ => &[],
    }
}

fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = if x == *y { before } else { before.min(row[j]).min(row[j + 1]) + 1 };
            before = row[j + 1];
            row[j + 1] = cost;
        }
    }
    row[b.len()]
}
