//! `sort`, with its keys.

use super::{Io, text};
use std::cmp::Ordering;

/// How lines, or a key of them, are compared.
#[derive(Clone, Copy, Debug, Default)]
struct How {
    numeric: bool,
    human: bool,
    general: bool,
    month: bool,
    version: bool,
    fold: bool,
    blanks: bool,
    dictionary: bool,
    reverse: bool,
}

#[derive(Clone, Copy, Debug)]
struct Key {
    /// Field and character, from 1.
    from: (usize, usize),
    /// Character 0: the field's end.
    to: Option<(usize, usize)>,
    how: How,
}

impl How {
    fn with(mut self, letter: char) -> Self {
        match letter {
            'n' => self.numeric = true,
            'h' => self.human = true,
            'g' => self.general = true,
            'M' => self.month = true,
            'V' => self.version = true,
            'f' => self.fold = true,
            'b' => self.blanks = true,
            'd' => self.dictionary = true,
            'r' => self.reverse = true,
            _ => {}
        }
        self
    }
    fn is_plain(&self) -> bool {
        !(self.numeric || self.human || self.general || self.month || self.version)
            && !(self.fold || self.blanks || self.dictionary || self.reverse)
    }
}

/// `2`, `2,2`, `1.3n,2`.
fn key(text: &str, all: How) -> Option<Key> {
    let place = |t: &str| {
        let place = t.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let how = t[place.len()..].chars().fold(How::default(), How::with);
        let (field, at) = place.split_once('.').unwrap_or((place, ""));
        Some((field.parse::<usize>().ok()?, at.parse::<usize>().unwrap_or(0), how, t[place.len()..].to_string()))
    };
    let (from, to) = text.split_once(',').map_or((text, None), |(a, b)| (a, Some(b)));
    let from = place(from).filter(|p| p.0 > 0)?;
    let to = match to {
        Some(t) => Some(place(t)?),
        None => None,
    };
    let letters = format!("{}{}", from.3, to.as_ref().map_or("", |t| t.3.as_str()));
    let how = letters.chars().fold(How::default(), How::with);
    Some(Key {
        from: (from.0, from.1.max(1)),
        to: to.map(|t| (t.0, t.1)),
        // A key without letters of its own is compared as lines are.
        how: if how.is_plain() { all } else { how },
    })
}

/// Where each field begins and ends. Without a separator a field begins with the blanks before it.
fn fields(line: &str, separator: Option<char>) -> Vec<(usize, usize)> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut seen = false;
    for (i, c) in line.char_indices() {
        match separator {
            Some(s) if c == s => {
                out.push((start, i));
                start = i + c.len_utf8();
            }
            Some(_) => {}
            None if c == ' ' || c == '\t' => {
                if seen {
                    out.push((start, i));
                    (start, seen) = (i, false);
                }
            }
            None => seen = true,
        }
    }
    out.push((start, line.len()));
    out
}

impl Key {
    fn of<'a>(&self, line: &'a str, separator: Option<char>) -> &'a str {
        let all = fields(line, separator);
        let forward = |(start, end): (usize, usize), chars: usize| {
            let skipped = if self.how.blanks { blanks(&line[start..end]) } else { 0 };
            line[start + skipped..].char_indices().nth(chars).map_or(line.len(), |(i, _)| start + skipped + i)
        };
        let Some(first) = all.get(self.from.0 - 1) else { return "" };
        let from = forward(*first, self.from.1 - 1);
        let to = match self.to {
            None => line.len(),
            Some((field, at)) => match all.get(field.saturating_sub(1)) {
                None => line.len(),
                Some(f) if at == 0 => f.1,
                Some(f) => forward(*f, at),
            },
        };
        if from < to { &line[from..to] } else { "" }
    }
}

fn blanks(text: &str) -> usize {
    text.len() - text.trim_start_matches([' ', '\t']).len()
}

/// A decimal number at the beginning: sign, whole part without zeroes before it, fraction.
fn number(text: &str) -> (bool, &str, &str, &str) {
    let text = text.trim_start_matches([' ', '\t']);
    let (minus, rest) = text.strip_prefix('-').map_or((false, text), |r| (true, r));
    let digits = |t: &str| t.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, rest) = rest.split_at(digits(rest));
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(f) => f.split_at(digits(f)),
        None => ("", rest),
    };
    (minus, whole.trim_start_matches('0'), fraction.trim_end_matches('0'), rest)
}

fn by_number(a: &str, b: &str, human: bool) -> Ordering {
    let ((a_minus, a_whole, a_fraction, a_rest), (b_minus, b_whole, b_fraction, b_rest)) = (number(a), number(b));
    let zero = |w: &str, f: &str| w.is_empty() && f.is_empty();
    let sign = |minus, w: &str, f: &str| {
        if zero(w, f) {
            0
        } else if minus {
            -1
        } else {
            1
        }
    };
    let (a_sign, b_sign) = (sign(a_minus, a_whole, a_fraction), sign(b_minus, b_whole, b_fraction));
    if a_sign != b_sign || a_sign == 0 {
        return a_sign.cmp(&b_sign);
    }
    let unit = |r: &str| {
        r.chars().next().filter(|_| human).and_then(|c| "KMGTPEZY".find(c.to_ascii_uppercase())).map_or(0, |i| i + 1)
    };
    let size = unit(a_rest)
        .cmp(&unit(b_rest))
        .then(a_whole.len().cmp(&b_whole.len()))
        .then(a_whole.cmp(b_whole))
        .then(a_fraction.cmp(b_fraction));
    if a_sign < 0 { size.reverse() } else { size }
}

/// Versions: runs of digits as numbers, the rest as text.
fn by_version(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let head = |t: &str| t.bytes().take_while(|c| !c.is_ascii_digit()).count();
        let ((x, a_rest), (y, b_rest)) = (a.split_at(head(a)), b.split_at(head(b)));
        let digits = |t: &str| t.bytes().take_while(u8::is_ascii_digit).count();
        let ((m, a_next), (n, b_next)) = (a_rest.split_at(digits(a_rest)), b_rest.split_at(digits(b_rest)));
        let (p, q) = (m.trim_start_matches('0'), n.trim_start_matches('0'));
        let order = x.cmp(y).then(p.len().cmp(&q.len())).then(p.cmp(q));
        if order != Ordering::Equal || a_next.is_empty() && b_next.is_empty() {
            return order;
        }
        (a, b) = (a_next, b_next);
    }
}

fn month(text: &str) -> usize {
    let name: String = text.trim_start().chars().take(3).collect::<String>().to_ascii_uppercase();
    let all = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC";
    if name.len() < 3 { 0 } else { all.find(&name).filter(|i| i % 3 == 0).map_or(0, |i| i / 3 + 1) }
}

fn compare(a: &str, b: &str, how: How) -> Ordering {
    let order = if how.numeric || how.human || how.general {
        by_number(a, b, how.human)
    } else if how.month {
        month(a).cmp(&month(b))
    } else if how.version {
        by_version(a, b)
    } else {
        let seen = |t: &str| -> String {
            let t = if how.blanks { t.trim_start_matches([' ', '\t']) } else { t };
            t.chars()
                .filter(|c| !how.dictionary || c.is_alphanumeric() || *c == ' ' || *c == '\t')
                .map(|c| if how.fold { c.to_ascii_uppercase() } else { c })
                .collect()
        };
        seen(a).cmp(&seen(b))
    };
    if how.reverse { order.reverse() } else { order }
}

pub fn sort(io: &mut Io) -> i32 {
    let options = io.parsed();
    let all = options.options.iter().fold(How::default(), |h, (l, _)| h.with(*l));
    let separator = match options.value('t') {
        Some("\\t") => Some('\t'),
        Some(t) => t.chars().next(),
        None => None,
    };
    let mut keys = Vec::new();
    for k in options.values('k') {
        match key(k, all) {
            Some(k) => keys.push(k),
            None => {
                let text = format!("sort: invalid number at field start: invalid count at start of '{k}'");
                io.complain(if io.is_busybox() { "sort: bad field specification".to_string() } else { text });
                return if io.is_busybox() { 1 } else { 2 };
            }
        }
    }
    let (inputs, mut code) = text::inputs(io, &options.operands);
    if code != 0 && !io.is_busybox() {
        code = 2;
    }
    let mut lines: Vec<String> =
        inputs.iter().flat_map(|(_, d)| text::lines(d)).map(|l| String::from_utf8_lossy(l).into_owned()).collect();
    let by_keys = |a: &str, b: &str| {
        if keys.is_empty() {
            return compare(a, b, all);
        }
        keys.iter().fold(Ordering::Equal, |o, k| o.then_with(|| compare(k.of(a, separator), k.of(b, separator), k.how)))
    };
    let stable = options.has('s') || options.has('u');
    let whole = |a: &str, b: &str| {
        let order = by_keys(a, b);
        if stable || order != Ordering::Equal {
            return order;
        }
        // The last resort.
        if all.reverse { b.cmp(a) } else { a.cmp(b) }
    };
    if options.has('c') {
        let wrong = lines.windows(2).position(|w| {
            let order = by_keys(&w[0], &w[1]);
            order == Ordering::Greater || options.has('u') && order == Ordering::Equal
        });
        let Some(i) = wrong else { return code };
        let file = options.operands.first().map_or("-", String::as_str);
        let text = if io.is_busybox() {
            "sort: out of order".to_string()
        } else {
            format!("sort: {file}:{}: disorder: {}", i + 2, lines[i + 1])
        };
        io.complain(text);
        return 1;
    }
    lines.sort_by(|a, b| whole(a, b));
    if options.has('u') {
        lines.dedup_by(|b, a| by_keys(a, b) == Ordering::Equal);
    }
    let text: String = lines.iter().map(|l| format!("{l}\n")).collect();
    let Some(file) = options.value('o') else {
        io.say(text);
        return code;
    };
    if let Err(e) = io.m.fs.write(&io.path(file), text.as_bytes(), false, io.world.volumes) {
        io.complain(format!("sort: {file}: {}", e.text()));
        return 1;
    }
    code
}
