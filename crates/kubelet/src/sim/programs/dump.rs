//! `od` and `hexdump`: files byte by byte.

use super::text::inputs;
use super::{Io, options::Parsed};

/// How the bytes of a line are shown.
#[derive(Clone, Copy)]
enum Shape {
    /// Base, bytes of a number.
    Number(u32, usize),
    Signed(usize),
    Letters,
}

/// `x1`, `o2`, `d4`, `c`
fn shape(text: &str) -> Option<Shape> {
    let kind = text.chars().next()?;
    let size = match &text[kind.len_utf8()..] {
        "" => 4,
        "C" => 1,
        "S" => 2,
        "I" => 4,
        "L" => 8,
        digits => digits.parse().ok().filter(|n| matches!(n, 1 | 2 | 4 | 8))?,
    };
    Some(match kind {
        'x' => Shape::Number(16, size),
        'o' => Shape::Number(8, size),
        'u' => Shape::Number(10, size),
        'd' => Shape::Signed(size),
        'c' => Shape::Letters,
        _ => return None,
    })
}

/// A byte as C writes it.
fn letter(b: u8) -> String {
    match b {
        0 => "\\0".into(),
        7 => "\\a".into(),
        8 => "\\b".into(),
        b'\t' => "\\t".into(),
        b'\n' => "\\n".into(),
        11 => "\\v".into(),
        12 => "\\f".into(),
        b'\r' => "\\r".into(),
        b' '..=b'~' => char::from(b).to_string(),
        _ => format!("{b:03o}"),
    }
}

fn row(bytes: &[u8], shape: Shape) -> String {
    let number = |c: &[u8]| c.iter().rev().fold(0u64, |n, b| n << 8 | u64::from(*b));
    match shape {
        Shape::Letters => bytes.iter().map(|b| format!(" {:>3}", letter(*b))).collect(),
        Shape::Number(base, size) => {
            let one = |c: &[u8]| match (base, size) {
                (16, _) => format!(" {:0width$x}", number(c), width = size * 2),
                (8, _) => format!(" {:0width$o}", number(c), width = (size * 8).div_ceil(3)),
                (_, _) => format!(" {:>width$}", number(c), width = [3, 5, 10, 20][size.ilog2() as usize]),
            };
            bytes.chunks(size).map(one).collect()
        }
        Shape::Signed(size) => {
            let signed = |n: u64| (n << (64 - size * 8)).cast_signed() >> (64 - size * 8);
            let width = [4, 6, 11, 20][size.ilog2() as usize];
            bytes.chunks(size).map(|c| format!(" {:>width$}", signed(number(c)))).collect()
        }
    }
}

/// All input together, as far as it is asked for.
fn data(io: &mut Io, o: &Parsed, limit: char) -> (Vec<u8>, i32, bool) {
    let (all, code) = inputs(io, &o.operands);
    let none = all.is_empty();
    let mut data: Vec<u8> = all.into_iter().flat_map(|(_, d)| d).collect();
    let skip = o.number(if limit == 'N' { 'j' } else { 's' }).unwrap_or(0).min(data.len());
    data.drain(..skip);
    data.truncate(o.number(limit).unwrap_or(usize::MAX));
    (data, code, none)
}

/// Lines of sixteen bytes; of equal ones only the first.
fn lines<'a>(data: &'a [u8], all: bool) -> Vec<(usize, Option<&'a [u8]>)> {
    let mut out: Vec<(usize, Option<&'a [u8]>)> = Vec::new();
    let mut last: Option<&[u8]> = None;
    for (n, chunk) in data.chunks(16).enumerate() {
        if !all && last == Some(chunk) && chunk.len() == 16 {
            if out.last().is_some_and(|(_, l)| l.is_some()) {
                out.push((n * 16, None));
            }
            continue;
        }
        out.push((n * 16, Some(chunk)));
        last = Some(chunk);
    }
    out
}

/// `od [-A RADIX] [-t TYPE] [-N COUNT] [-j SKIP] [-bcdox] [-v] [FILE...]`
pub fn od(io: &mut Io) -> i32 {
    let o = io.parsed();
    let mut shapes = Vec::new();
    for (letter, value) in &o.options {
        shapes.push(match letter {
            't' => match shape(value) {
                Some(s) => s,
                None => {
                    io.complain(format!("od: invalid type string '{value}'"));
                    return 1;
                }
            },
            'b' => Shape::Number(8, 1),
            'c' => Shape::Letters,
            'd' => Shape::Number(10, 2),
            'o' => Shape::Number(8, 2),
            'x' => Shape::Number(16, 2),
            'i' => Shape::Signed(4),
            'A' | 'N' | 'j' | 'v' | 'w' => continue,
            other => {
                io.complain(format!("od: -{other} is not simulated"));
                return 1;
            }
        });
    }
    if shapes.is_empty() {
        shapes.push(Shape::Number(8, 2));
    }
    let radix = o.value('A').map(str::to_string).unwrap_or_else(|| "o".into());
    let (bytes, code, none) = data(io, &o, 'N');
    if none && code != 0 {
        return code;
    }
    let skipped = o.number('j').unwrap_or(0);
    let at = |n: usize| match radix.as_str() {
        "n" => String::new(),
        "d" => format!("{:07}", n + skipped),
        "x" => format!("{:06x}", n + skipped),
        _ => format!("{:07o}", n + skipped),
    };
    for (n, chunk) in lines(&bytes, o.has('v')) {
        let Some(chunk) = chunk else {
            io.line("*");
            continue;
        };
        for (i, s) in shapes.iter().enumerate() {
            let place = if i == 0 { at(n) } else { " ".repeat(at(n).len()) };
            io.line(format!("{place}{}", row(chunk, *s)));
        }
    }
    if radix != "n" {
        io.line(at(bytes.len()));
    }
    code
}

/// `hexdump [-C] [-n COUNT] [-s SKIP] [-v] [FILE...]`
pub fn hexdump(io: &mut Io) -> i32 {
    let o = io.parsed();
    if let Some((bad, _)) = o.options.iter().find(|(l, _)| !"Cnsvx".contains(*l)) {
        io.complain(format!("hexdump: -{bad} is not simulated"));
        return 1;
    }
    let (bytes, code, none) = data(io, &o, 'n');
    if none && code != 0 {
        if !io.is_busybox() {
            io.complain("hexdump: all input file arguments failed");
        }
        return code;
    }
    let skipped = o.number('s').unwrap_or(0);
    for (n, chunk) in lines(&bytes, o.has('v')) {
        let Some(chunk) = chunk else {
            io.line("*");
            continue;
        };
        if !o.has('C') {
            let words: String = chunk
                .chunks(2)
                .map(|c| format!(" {:04x}", u16::from(c[0]) | u16::from(c.get(1).copied().unwrap_or(0)) << 8))
                .collect();
            io.line(format!("{:07x}{words:<40}", n + skipped));
            continue;
        }
        let half = |c: &[u8]| c.iter().map(|b| format!(" {b:02x}")).collect::<String>();
        let (left, right) = chunk.split_at(chunk.len().min(8));
        let shown: String =
            chunk.iter().map(|b| if (b' '..=b'~').contains(b) { char::from(*b) } else { '.' }).collect();
        io.line(format!("{:08x} {:<24} {:<24}  |{shown}|", n + skipped, half(left), half(right)));
    }
    let end = bytes.len() + skipped;
    if end > 0 {
        io.line(if o.has('C') { format!("{end:08x}") } else { format!("{end:07x}") });
    }
    code
}
