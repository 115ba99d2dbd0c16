//! Programs over text.

use super::{Io, Outcome, Running};

/// Options and operands of `echo`: `-n`, `-e`.
pub fn echo(io: &mut Io) -> i32 {
    let mut args = &io.argv[1..];
    let (mut newline, mut escapes) = (true, false);
    while let Some(a) =
        args.first().filter(|a| a.len() > 1 && a.starts_with('-') && a[1..].bytes().all(|b| b"neE".contains(&b)))
    {
        newline &= !a.contains('n');
        escapes |= a.contains('e');
        args = &args[1..];
    }
    let mut text = args.join(" ");
    if escapes {
        text = unescape(&text);
    }
    io.say(text);
    if newline {
        io.say("\n");
    }
    0
}

/// `\n`, `\t`, `\\`, `\0ooo`, `\xhh` and the like.
pub fn unescape(s: &str) -> String {
    let mut out = String::new();
    let mut chars = s.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('a') => out.push('\u{7}'),
            Some('b') => out.push('\u{8}'),
            Some('e') => out.push('\u{1b}'),
            Some('\\') => out.push('\\'),
            Some('"') => out.push('"'),
            Some(d @ '0'..='7') => {
                let mut n = d.to_digit(8).unwrap_or(0);
                for _ in 0..3 {
                    let Some(d) = chars.peek().and_then(|c| c.to_digit(8)) else { break };
                    n = n * 8 + d;
                    chars.next();
                }
                out.extend(char::from_u32(n & 0xff));
            }
            Some('x') => {
                let mut n = 0;
                for _ in 0..2 {
                    let Some(d) = chars.peek().and_then(|c| c.to_digit(16)) else { break };
                    n = n * 16 + d;
                    chars.next();
                }
                out.extend(char::from_u32(n));
            }
            Some(c) => {
                out.push('\\');
                out.push(c);
            }
            None => out.push('\\'),
        }
    }
    out
}

pub fn printf_program(io: &mut Io) -> i32 {
    let Some(format) = io.argv.get(1).cloned() else {
        io.complain("printf: usage: printf format [arguments]");
        return 2;
    };
    let text = printf(&format, &io.argv[2..]);
    io.say(text);
    0
}

/// The format is used again while arguments are left.
pub fn printf(format: &str, args: &[String]) -> String {
    let mut out = String::new();
    let mut rest = args;
    loop {
        let before = rest.len();
        printf_once(&unescape(format), &mut rest, &mut out);
        if rest.is_empty() || rest.len() == before {
            return out;
        }
    }
}

fn printf_once(format: &str, args: &mut &[String], out: &mut String) {
    let mut next = || {
        let (first, rest) = args.split_first()?;
        *args = rest;
        Some(first.clone())
    };
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let (mut left, mut zero, mut width, mut precision) = (false, false, 0usize, None::<usize>);
        let mut conversion = chars.next();
        while let Some(c) = conversion {
            match c {
                '-' => left = true,
                '0' if width == 0 && precision.is_none() => zero = true,
                '+' | ' ' | '#' => {}
                '.' => precision = Some(0),
                d if d.is_ascii_digit() => {
                    let d = d.to_digit(10).unwrap_or(0) as usize;
                    match &mut precision {
                        Some(p) => *p = (*p * 10 + d).min(1000),
                        None => width = (width * 10 + d).min(1000),
                    }
                }
                _ => break,
            }
            conversion = chars.next();
        }
        let integer = |s: Option<String>| s.and_then(|s| s.trim().parse::<i64>().ok()).unwrap_or(0);
        let text = match conversion {
            Some('s') => {
                let s = next().unwrap_or_default();
                precision.map_or(s.clone(), |p| s.chars().take(p).collect())
            }
            Some('b') => unescape(&next().unwrap_or_default()),
            Some('d' | 'i' | 'u') => integer(next()).to_string(),
            Some('x') => format!("{:x}", integer(next())),
            Some('X') => format!("{:X}", integer(next())),
            Some('o') => format!("{:o}", integer(next())),
            Some('c') => next().and_then(|s| s.chars().next()).map(String::from).unwrap_or_default(),
            Some('f') => decimal(&next().unwrap_or_default(), precision.unwrap_or(6)),
            Some('%') => "%".into(),
            Some(c) => format!("%{c}"),
            None => "%".into(),
        };
        let pad = width.saturating_sub(text.chars().count());
        if left {
            out.push_str(&text);
            out.push_str(&" ".repeat(pad));
        } else {
            out.push_str(&if zero { "0" } else { " " }.repeat(pad));
            out.push_str(&text);
        }
    }
}

/// A decimal number with a fixed number of digits, cut rather than rounded.
fn decimal(s: &str, digits: usize) -> String {
    let (whole, fraction) = s.split_once('.').unwrap_or((s, ""));
    let fraction: String = fraction.chars().chain(std::iter::repeat('0')).take(digits).collect();
    let whole = if whole.is_empty() { "0" } else { whole };
    if digits == 0 { whole.into() } else { format!("{whole}.{fraction}") }
}

/// The operand files' content, or standard input.
pub fn inputs(io: &mut Io, files: &[String]) -> (Vec<(String, Vec<u8>)>, i32) {
    if files.is_empty() {
        return (vec![(String::new(), std::mem::take(&mut io.stdin))], 0);
    }
    let (mut out, mut code) = (Vec::new(), 0);
    let name = io.argv[0].rsplit('/').next().unwrap_or("").to_string();
    for f in files {
        if f == "-" {
            out.push((f.clone(), std::mem::take(&mut io.stdin)));
            continue;
        }
        match io.m.fs.read(&io.path(f), io.world.volumes) {
            Ok(data) => out.push((f.clone(), data.to_vec())),
            Err(e) => {
                code = 1;
                match (name.as_str(), io.is_busybox()) {
                    ("cat" | "grep" | "sort" | "wc" | "head", false) => {
                        io.complain(format!("{name}: {f}: {}", e.text()))
                    }
                    ("cat", true) => io.complain(format!("cat: can't open '{f}': {}", e.text())),
                    _ => io.complain(format!("{name}: {f}: {}", e.text())),
                }
            }
        }
    }
    (out, code)
}

pub fn lines(data: &[u8]) -> Vec<&[u8]> {
    let mut v: Vec<&[u8]> = data.split(|b| *b == b'\n').collect();
    if v.last().is_some_and(|l| l.is_empty()) {
        v.pop();
    }
    v
}

pub fn tee(io: &mut Io) -> i32 {
    // What follows is added to what was written.
    let append = io.flag('a') || io.stream.lines > 0;
    io.stream.lines += 1;
    let data = std::mem::take(&mut io.stdin);
    let mut code = 0;
    for f in io.operands() {
        let path = io.path(&f);
        if let Err(e) = io.m.fs.write(&path, &data, append, io.world.volumes) {
            io.complain(format!("tee: {f}: {}", e.text()));
            code = 1;
        }
    }
    io.say(data);
    code
}

pub fn wc(io: &mut Io) -> i32 {
    let files = io.operands();
    let (l, w, c) = (io.flag('l'), io.flag('w'), io.flag('c') || io.flag('m'));
    let all_counts = !(l || w || c);
    let (all, code) = inputs(io, &files);
    for (file, data) in all {
        let newlines = data.iter().filter(|b| **b == b'\n').count();
        let words = String::from_utf8_lossy(&data).split_whitespace().count();
        let parts: Vec<String> = [(l, newlines), (w, words), (c, data.len())]
            .into_iter()
            .filter(|(on, _)| *on || all_counts)
            .map(|(_, n)| if all_counts { format!("{n:>7}") } else { n.to_string() })
            .collect();
        let line = parts.join(" ");
        io.line(if file.is_empty() { line } else { format!("{line} {file}") });
    }
    code
}

/// The number of `-n N`, `-N`, and the operands without it.
fn count_option(io: &Io, default: usize) -> (usize, bool, Vec<String>) {
    let (mut n, mut from_start, mut rest) = (default, false, Vec::new());
    let mut args = io.argv.iter().skip(1);
    while let Some(a) = args.next() {
        let value = if a == "-n" || a == "-c" {
            args.next().cloned()
        } else if let Some(v) = a.strip_prefix("-n") {
            Some(v.to_string())
        } else {
            a.strip_prefix('-').filter(|v| v.bytes().all(|b| b.is_ascii_digit()) && !v.is_empty()).map(str::to_string)
        };
        match value {
            Some(v) => {
                from_start = v.starts_with('+');
                n = v.trim_start_matches(['+', '-']).parse().unwrap_or(default);
            }
            None if a.starts_with('-') && a != "-" => {}
            None => rest.push(a.clone()),
        }
    }
    (n, from_start, rest)
}

/// Whether `head` has all that it wants: it does not wait for more.
pub fn head_is_full(argv: &[String], data: &[u8]) -> bool {
    let number = |t: &str| t.parse::<usize>().ok();
    let mut wanted = (10, false);
    for (i, a) in argv.iter().enumerate().skip(1) {
        let bytes = a.starts_with("-c");
        let n = match a.strip_prefix('-') {
            Some("n" | "c") => argv.get(i + 1).and_then(|n| number(n)),
            Some(rest) => number(rest.trim_start_matches(['n', 'c'])),
            None => None,
        };
        if let Some(n) = n {
            wanted = (n, bytes);
        }
    }
    let (n, bytes) = wanted;
    if bytes { data.len() >= n } else { data.iter().filter(|b| **b == b'\n').count() >= n }
}

pub fn head(io: &mut Io) -> i32 {
    let (n, _, files) = count_option(io, 10);
    let bytes = io.argv.iter().any(|a| a == "-c");
    let (all, code) = inputs(io, &files);
    for (_, data) in all {
        if bytes {
            io.say(&data[..n.min(data.len())]);
        } else {
            data.split_inclusive(|b| *b == b'\n').take(n).for_each(|l| io.say(l));
        }
    }
    code
}

pub fn tail(io: &mut Io) -> Outcome {
    let (n, from_start, files) = count_option(io, 10);
    let follow = io.flag('f') || io.flag('F') || io.argv.iter().any(|a| a == "--follow");
    let retry = io.flag('F');
    if follow && files.first().is_none_or(|f| f == "/dev/null") {
        return Outcome::Block(Running::Forever);
    }
    let path = files.first().map(|f| io.path(f));
    let (all, code) = inputs(io, &files);
    for (_, data) in &all {
        let ls: Vec<&[u8]> = data.split_inclusive(|b| *b == b'\n').collect();
        let skip = if from_start { n.saturating_sub(1) } else { ls.len().saturating_sub(n) };
        ls.iter().skip(skip).for_each(|l| io.say(l));
    }
    match path {
        Some(path) if follow && (code == 0 || retry) => {
            let seen = all.first().map_or(0, |(_, d)| d.len());
            Outcome::Sleep(super::after(io, meta::Duration::from_secs(1)), Running::Following(path, seen))
        }
        _ => Outcome::Exit(code),
    }
}

pub fn seq(io: &mut Io) -> i32 {
    let n: Vec<i64> = io.argv.iter().skip(1).filter_map(|a| a.parse().ok()).collect();
    let (from, step, to) = match n[..] {
        [to] => (1, 1, to),
        [from, to] => (from, 1, to),
        [from, step, to] => (from, step, to),
        _ => {
            io.complain("seq: missing operand");
            return 1;
        }
    };
    if step == 0 {
        io.complain("seq: invalid Zero increment value: '0'");
        return 1;
    }
    let mut at = from;
    // More lines than a log keeps are of no use to anybody.
    for _ in 0..1_000_000 {
        if (step > 0 && at > to) || (step < 0 && at < to) {
            break;
        }
        io.line(at.to_string());
        at = at.saturating_add(step);
    }
    0
}

pub fn uniq(io: &mut Io) -> i32 {
    let count = io.flag('c');
    let files = io.operands();
    let (all, code) = inputs(io, &files);
    for (_, data) in all {
        let mut groups: Vec<(usize, &[u8])> = Vec::new();
        for l in lines(&data) {
            match groups.last_mut() {
                Some((n, last)) if *last == l => *n += 1,
                _ => groups.push((1, l)),
            }
        }
        for (n, l) in groups {
            let text = String::from_utf8_lossy(l);
            io.line(if count { format!("{n:>7} {text}") } else { text.into_owned() });
        }
    }
    code
}

pub fn rev(io: &mut Io) -> i32 {
    let files = io.operands();
    let (all, code) = inputs(io, &files);
    for (_, data) in all {
        for l in lines(&data) {
            let text: String = String::from_utf8_lossy(l).chars().rev().collect();
            io.line(text);
        }
    }
    code
}

/// A set of `tr`: ranges and the classes that scripts use.
fn char_set(s: &str) -> Vec<char> {
    let s = s
        .replace("[:lower:]", "a-z")
        .replace("[:upper:]", "A-Z")
        .replace("[:digit:]", "0-9")
        .replace("[:space:]", " \t\n\r")
        .replace("[:alnum:]", "a-zA-Z0-9")
        .replace("[:alpha:]", "a-zA-Z");
    let chars: Vec<char> = unescape(&s).chars().collect();
    let mut out = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        if i + 2 < chars.len() && chars[i + 1] == '-' {
            out.extend(chars[i]..=chars[i + 2]);
            i += 3;
        } else {
            out.push(chars[i]);
            i += 1;
        }
    }
    out
}

pub fn tr(io: &mut Io) -> i32 {
    let sets = io.operands();
    let text = String::from_utf8_lossy(&std::mem::take(&mut io.stdin)).into_owned();
    let (delete, complement, squeeze) = (io.flag('d'), io.flag('c') || io.flag('C'), io.flag('s'));
    let from = sets.first().map(|s| char_set(s)).unwrap_or_default();
    let to = sets.get(1).map(|s| char_set(s)).unwrap_or_default();
    let mapped: String = text
        .chars()
        .filter_map(|c| {
            let at = from.iter().position(|f| *f == c);
            match (delete, complement) {
                (true, true) => at.map(|_| c),
                (true, false) => at.is_none().then_some(c),
                (false, true) if sets.len() < 2 => Some(c),
                (false, true) => Some(if at.is_some() { c } else { to.last().copied().unwrap_or(c) }),
                (false, false) => Some(at.map_or(c, |i| to.get(i).or(to.last()).copied().unwrap_or(c))),
            }
        })
        .collect();
    // With two sets it is the second whose characters are squeezed.
    let (set, inverse) = if sets.len() > 1 { (&to, false) } else { (&from, complement) };
    let mut last = None;
    let kept = |c: &char| {
        let again = squeeze && last == Some(*c) && set.contains(c) != inverse;
        last = Some(*c);
        !again
    };
    io.say(mapped.chars().filter(kept).collect::<String>());
    0
}

pub fn cut(io: &mut Io) -> i32 {
    let (mut delimiter, mut fields, mut chars, mut files) =
        ("\t".to_string(), String::new(), String::new(), Vec::new());
    let mut args = io.argv.iter().skip(1);
    while let Some(a) = args.next() {
        let mut value = |short: &str| {
            let v = a.strip_prefix(short)?;
            if v.is_empty() { args.next().cloned() } else { Some(v.to_string()) }
        };
        if let Some(v) = value("-d") {
            delimiter = v;
        } else if let Some(v) = value("-f") {
            fields = v;
        } else if let Some(v) = value("-c") {
            chars = v;
        } else {
            files.push(a.clone());
        }
    }
    let wanted = |list: &str, i: usize| {
        list.split(',').any(|r| match r.split_once('-') {
            Some((a, b)) => i >= a.parse().unwrap_or(1) && i <= b.parse().unwrap_or(usize::MAX),
            None => r.parse() == Ok(i),
        })
    };
    let (all, code) = inputs(io, &files);
    for (_, data) in all {
        for l in lines(&data) {
            let text = String::from_utf8_lossy(l).into_owned();
            let out = if !chars.is_empty() {
                text.chars().enumerate().filter(|(i, _)| wanted(&chars, i + 1)).map(|(_, c)| c).collect()
            } else if text.contains(&delimiter) {
                let parts: Vec<&str> = text
                    .split(&delimiter)
                    .enumerate()
                    .filter(|(i, _)| wanted(&fields, i + 1))
                    .map(|(_, p)| p)
                    .collect();
                parts.join(&delimiter)
            } else {
                text
            };
            io.line(out);
        }
    }
    code
}

pub fn base64(io: &mut Io) -> i32 {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let options = io.parsed();
    let decode = options.has('d');
    let wrap = options.value('w').and_then(|n| n.parse::<usize>().ok()).unwrap_or(76);
    let files = io.operands();
    let (all, code) = inputs(io, &files);
    for (_, data) in all {
        if decode {
            let (mut bits, mut n, mut out) = (0u32, 0, Vec::new());
            for b in data.iter().filter(|b| !b.is_ascii_whitespace() && **b != b'=') {
                let Some(v) = ALPHABET.iter().position(|a| a == b) else {
                    io.complain("base64: invalid input");
                    return 1;
                };
                bits = (bits << 6) | u32::try_from(v).unwrap_or(0);
                n += 6;
                if n >= 8 {
                    n -= 8;
                    out.push(u8::try_from((bits >> n) & 0xff).unwrap_or(0));
                }
            }
            io.say(out);
            continue;
        }
        let mut out = String::new();
        for c in data.chunks(3) {
            let n = c.iter().fold(0u32, |n, b| (n << 8) | u32::from(*b)) << (8 * (3 - c.len()));
            for i in 0..4 {
                let at = ((n >> (18 - 6 * i)) & 63) as usize;
                out.push(if i > c.len() { '=' } else { char::from(ALPHABET[at]) });
            }
        }
        // As many letters a line; all on one, which has no end then, for none.
        match wrap {
            0 => io.say(out),
            _ => out.as_bytes().chunks(wrap).for_each(|line| io.line(line)),
        }
    }
    code
}
