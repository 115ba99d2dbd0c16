//! `diff` and `cmp`.

use super::Io;
use crate::sim::fs::normalize;
use options::Parsed;

use super::options;

/// A line with whether it ends in a newline.
type Lines<'a> = Vec<&'a [u8]>;

/// Files the lengths of which multiplied are more than this are compared from both ends only.
const TABLE_MAX: usize = 4_000_000;

/// Which lines of both files go together: the longest common sequence.
fn common(a: &[Vec<u8>], b: &[Vec<u8>]) -> Vec<(usize, usize)> {
    let mut start = 0;
    while start < a.len() && start < b.len() && a[start] == b[start] {
        start += 1;
    }
    let mut end = 0;
    while end < a.len() - start && end < b.len() - start && a[a.len() - 1 - end] == b[b.len() - 1 - end] {
        end += 1;
    }
    let (x, y) = (&a[start..a.len() - end], &b[start..b.len() - end]);
    let mut pairs: Vec<(usize, usize)> = (0..start).map(|i| (i, i)).collect();
    if x.len().saturating_mul(y.len()) <= TABLE_MAX {
        let width = y.len() + 1;
        let mut longest = vec![0u32; (x.len() + 1) * width];
        for i in (0..x.len()).rev() {
            for j in (0..y.len()).rev() {
                longest[i * width + j] = match x[i] == y[j] {
                    true => longest[(i + 1) * width + j + 1] + 1,
                    false => longest[(i + 1) * width + j].max(longest[i * width + j + 1]),
                };
            }
        }
        let (mut i, mut j) = (0, 0);
        while i < x.len() && j < y.len() {
            if x[i] == y[j] {
                pairs.push((start + i, start + j));
                (i, j) = (i + 1, j + 1);
            } else if longest[(i + 1) * width + j] >= longest[i * width + j + 1] {
                i += 1;
            } else {
                j += 1;
            }
        }
    }
    pairs.extend((0..end).map(|n| (a.len() - end + n, b.len() - end + n)));
    pairs
}

/// Lines `a.0..a.1` of the first file become `b.0..b.1` of the second.
struct Change {
    a: (usize, usize),
    b: (usize, usize),
    /// All its lines are blank, and that does not count (`-B`).
    ignored: bool,
}

fn changes(a: &[Vec<u8>], b: &[Vec<u8>], ignores_blank: bool) -> Vec<Change> {
    let blank = |lines: &[Vec<u8>]| lines.iter().all(|l| l.is_empty() || l == b"\n");
    let mut out = Vec::new();
    let (mut i, mut j) = (0, 0);
    for (x, y) in common(a, b).into_iter().chain([(a.len(), b.len())]) {
        if x > i || y > j {
            let ignored = ignores_blank && blank(&a[i..x]) && blank(&b[j..y]);
            out.push(Change { a: (i, x), b: (j, y), ignored });
        }
        (i, j) = (x + 1, y + 1);
    }
    out
}

/// Lines with their newlines.
fn split(data: &[u8]) -> Lines<'_> {
    data.split_inclusive(|b| *b == b'\n').collect()
}

/// A line as it is compared.
fn key(line: &[u8], o: &Parsed) -> Vec<u8> {
    let mut key = line.to_vec();
    if o.has('w') {
        key.retain(|b| !b.is_ascii_whitespace());
    } else if o.has('b') {
        let text = String::from_utf8_lossy(&key).into_owned();
        let lead = if text.starts_with([' ', '\t']) { " " } else { "" };
        key = format!("{lead}{}", text.split_whitespace().collect::<Vec<_>>().join(" ")).into_bytes();
    }
    if o.has('i') { key.to_ascii_lowercase() } else { key }
}

fn put(io: &mut Io, mark: &str, line: &[u8]) {
    io.say(mark);
    io.say(line);
    if !line.ends_with(b"\n") {
        io.say("\n\\ No newline at end of file\n");
    }
}

/// `1,3`, of lines counted from nothing; an empty range is said by the line before it.
fn range(of: (usize, usize), unified: bool) -> String {
    match of.1 - of.0 {
        0 if unified => format!("{},0", of.0),
        0 => of.0.to_string(),
        1 => (of.0 + 1).to_string(),
        n if unified => format!("{},{n}", of.0 + 1),
        _ => format!("{},{}", of.0 + 1, of.1),
    }
}

fn normal(io: &mut Io, a: &Lines, b: &Lines, all: &[Change]) {
    for c in all.iter().filter(|c| !c.ignored) {
        let how = match (c.a.1 > c.a.0, c.b.1 > c.b.0) {
            (true, true) => 'c',
            (true, false) => 'd',
            _ => 'a',
        };
        io.line(format!("{}{how}{}", range(c.a, false), range(c.b, false)));
        a[c.a.0..c.a.1].iter().for_each(|l| put(io, "< ", l));
        if how == 'c' {
            io.line("---");
        }
        b[c.b.0..c.b.1].iter().for_each(|l| put(io, "> ", l));
    }
}

fn unified(io: &mut Io, a: &Lines, b: &Lines, all: &[Change], context: usize) {
    let mut rest = all;
    while let Some(first) = rest.first() {
        let apart = |w: &[Change]| w[1].a.0 - w[0].a.1 > context.saturating_mul(2);
        let n = rest.windows(2).position(apart).map_or(rest.len(), |i| i + 1);
        let (hunk, later) = rest.split_at(n);
        rest = later;
        if hunk.iter().all(|c| c.ignored) {
            continue;
        }
        let last = &hunk[n - 1];
        let before = context.min(first.a.0);
        let after = context.min(a.len() - last.a.1);
        let (from, to) = ((first.a.0 - before, last.a.1 + after), (first.b.0 - before, last.b.1 + after));
        io.line(format!("@@ -{} +{} @@", range(from, true), range(to, true)));
        let mut at = from.0;
        for c in hunk {
            a[at..c.a.0].iter().for_each(|l| put(io, " ", l));
            a[c.a.0..c.a.1].iter().for_each(|l| put(io, "-", l));
            b[c.b.0..c.b.1].iter().for_each(|l| put(io, "+", l));
            at = c.a.1;
        }
        a[at..from.1].iter().for_each(|l| put(io, " ", l));
    }
}

/// `diff [-u] [-U N] [-q] [-r] [-N] [-i] [-b] [-w] [-B] [-s] A B`. busybox' always says it as `-u` does.
pub fn diff(io: &mut Io) -> i32 {
    let o = io.parsed();
    let busybox = io.is_busybox();
    if let Some((bad, _)) = o.options.iter().find(|(l, _)| !"abBdiNqrTstUuwL".contains(*l)) {
        io.complain(match (busybox, *bad) {
            (false, c @ ('y' | 'c' | 'e' | 'E' | 'n' | 'D' | 'C' | 'x' | 'X' | 'I' | 'F' | 'p' | 'W')) => {
                format!("diff: -{c} is not simulated")
            }
            (false, c) => format!("diff: invalid option -- '{c}'\ndiff: Try 'diff --help' for more information."),
            (true, c) => format!("diff: invalid option -- '{c}'"),
        });
        return if busybox { 1 } else { 2 };
    }
    let [a, b] = o.operands.as_slice() else {
        let words = match o.operands.last() {
            Some(last) if o.operands.len() == 1 => format!("diff: missing operand after '{last}'"),
            Some(_) => format!("diff: extra operand '{}'", o.operands[2]),
            None => "diff: missing operand after 'diff'".into(),
        };
        io.complain(if busybox { words } else { format!("{words}\ndiff: Try 'diff --help' for more information.") });
        return if busybox { 1 } else { 2 };
    };
    let (mut a, mut b) = (a.clone(), b.clone());
    let is_dir = |io: &Io, p: &str| p != "-" && io.m.fs.is_dir(&io.path(p), io.world.volumes);
    match (is_dir(io, &a), is_dir(io, &b)) {
        (true, true) => return directories(io, &a, &b, &o),
        (true, false) => a = format!("{}/{}", a.trim_end_matches('/'), b.rsplit('/').next().unwrap_or(&b)),
        (false, true) => b = format!("{}/{}", b.trim_end_matches('/'), a.rsplit('/').next().unwrap_or(&a)),
        (false, false) => {}
    }
    files(io, &a, &b, &o, false)
}

fn read(io: &mut Io, name: &str) -> Option<Vec<u8>> {
    if name == "-" {
        return Some(std::mem::take(&mut io.stdin));
    }
    match io.m.fs.read(&io.path(name), io.world.volumes) {
        Ok(data) => Some(data.to_vec()),
        Err(e) => {
            let program = io.argv[0].rsplit('/').next().unwrap_or("").to_string();
            io.complain(match (io.is_busybox(), program.as_str()) {
                (true, "diff") => format!("diff: can't stat '{name}': {}", e.text()),
                _ => format!("{program}: {name}: {}", e.text()),
            });
            None
        }
    }
}

fn files(io: &mut Io, a: &str, b: &str, o: &Parsed, within: bool) -> i32 {
    // With `-N` a file that is not there is an empty one.
    let is_there = |io: &Io, p: &str| p == "-" || io.m.fs.exists(&io.path(p), io.world.volumes);
    let there = [a, b].map(|p| is_there(io, p));
    let absent = |i: usize| o.has('N') && !there[i] && there[1 - i];
    let mut content = |i: usize, p: &str| if absent(i) { Some(Vec::new()) } else { read(io, p) };
    let (Some(x), Some(y)) = (content(0, a), content(1, b)) else { return 2 };
    let (x, y) = (split(&x), split(&y));
    let keys = |lines: &Lines| lines.iter().map(|l| key(l, o)).collect::<Vec<_>>();
    let all = changes(&keys(&x), &keys(&y), o.has('B'));
    if all.iter().all(|c| c.ignored) {
        if o.has('s') {
            io.line(format!("Files {a} and {b} are identical"));
        }
        return 0;
    }
    if o.has('q') {
        io.line(format!("Files {a} and {b} differ"));
        return 1;
    }
    let busybox = io.is_busybox();
    if within && !busybox {
        let words: Vec<&str> = io.argv[1..].iter().filter(|w| w.starts_with('-')).map(String::as_str).collect();
        let said = [words.as_slice(), &[a, b]].concat().join(" ");
        io.line(format!("diff {said}"));
    }
    if !(busybox || o.has('u') || o.has('U')) {
        normal(io, &x, &y, &all);
        return 1;
    }
    let mut labels = o.values('L');
    // All files are as old as the container.
    let when = |i: usize| match busybox {
        true => String::new(),
        false => {
            let at = if absent(i) { meta::Time(0) } else { io.m.started };
            super::clock::format(at, "\t%Y-%m-%d %H:%M:%S.000000000 +0000")
        }
    };
    let names = [(0, a), (1, b)].map(|(i, p)| labels.next().map_or_else(|| format!("{p}{}", when(i)), str::to_string));
    io.line(format!("--- {}", names[0]));
    io.line(format!("+++ {}", names[1]));
    unified(io, &x, &y, &all, o.number('U').unwrap_or(3));
    1
}

fn directories(io: &mut Io, a: &str, b: &str, o: &Parsed) -> i32 {
    let list = |io: &Io, d: &str| io.m.fs.list(&io.path(d), io.world.volumes).unwrap_or_default();
    let (left, right) = (list(io, a), list(io, b));
    let mut names: Vec<String> = left.iter().chain(&right).cloned().collect();
    names.sort();
    names.dedup();
    let mut code = 0;
    for n in names {
        let (x, y) = (format!("{}/{n}", a.trim_end_matches('/')), format!("{}/{n}", b.trim_end_matches('/')));
        let is_dir = |p: &str| io.m.fs.is_dir(&normalize(&io.cwd, p), io.world.volumes);
        let as_empty = o.has('N');
        let one = match (left.contains(&n), right.contains(&n)) {
            // What is there only once is as the other would be.
            (x_is, y_is) if as_empty && x_is != y_is => match is_dir(if x_is { &x } else { &y }) {
                true if o.has('r') => directories(io, &x, &y, o),
                true => {
                    io.line(format!("Common subdirectories: {x} and {y}"));
                    0
                }
                false => files(io, &x, &y, o, true),
            },
            (true, false) => {
                io.line(format!("Only in {a}: {n}"));
                1
            }
            (false, _) => {
                io.line(format!("Only in {b}: {n}"));
                1
            }
            _ => match (is_dir(&x), is_dir(&y)) {
                (true, true) if o.has('r') => directories(io, &x, &y, o),
                (true, true) => {
                    io.line(format!("Common subdirectories: {x} and {y}"));
                    0
                }
                (false, false) => files(io, &x, &y, o, true),
                (dir, _) => {
                    let kind = |d: bool| if d { "directory" } else { "regular file" };
                    io.line(format!("File {x} is a {} while file {y} is a {}", kind(dir), kind(!dir)));
                    1
                }
            },
        };
        code = code.max(one);
    }
    code
}

/// `cmp [-s] [-l] A B`
pub fn cmp(io: &mut Io) -> i32 {
    let o = io.parsed();
    let busybox = io.is_busybox();
    let Some(a) = o.operands.first().cloned() else {
        io.complain("cmp: missing operand after 'cmp'");
        return 2;
    };
    let b = o.operands.get(1).cloned().unwrap_or_else(|| "-".into());
    let (Some(x), Some(y)) = (read(io, &a), read(io, &b)) else { return 2 };
    let most = x.len().min(y.len());
    let unlike: Vec<usize> = (0..most).filter(|i| x[*i] != y[*i]).collect();
    if x == y {
        return 0;
    }
    if o.has('s') {
        return 1;
    }
    let shorter = if x.len() < y.len() { &a } else { &b };
    let line_of = |n: usize| x[..n].iter().filter(|c| **c == b'\n').count();
    match unlike.first() {
        Some(i) if !o.has('l') => io.line(format!("{a} {b} differ: char {}, line {}", i + 1, line_of(*i) + 1)),
        first => {
            let width = if busybox { 0 } else { x.len().max(y.len()).to_string().len() };
            let rows = unlike.iter().map(|i| format!("{:>width$} {:>3o} {:>3o}", i + 1, x[*i], y[*i]));
            rows.collect::<Vec<_>>().iter().for_each(|l| io.line(l));
            if x.len() != y.len() {
                let lines = line_of(most.min(x.len()));
                let at =
                    if x[..most].ends_with(b"\n") { format!("line {lines}") } else { format!("in line {}", lines + 1) };
                io.complain(match (busybox, most, first) {
                    (true, ..) => format!("cmp: EOF on {shorter}"),
                    (false, 0, _) => format!("cmp: EOF on {shorter} which is empty"),
                    (false, ..) if o.has('l') => format!("cmp: EOF on {shorter} after byte {most}"),
                    (false, ..) => format!("cmp: EOF on {shorter} after byte {most}, {at}"),
                });
            }
        }
    }
    1
}
