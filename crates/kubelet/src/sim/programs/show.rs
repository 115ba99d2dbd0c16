//! `cat`, `nl`, `tac` and `more`.

use super::Io;
use super::text::inputs;

/// Bytes that do not print as `^X` and `M-x`, as `cat -v` shows them.
fn visible(line: &[u8], tabs: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for b in line {
        let low = b & 0x7f;
        if b & 0x80 != 0 {
            out.extend(b"M-");
        }
        match low {
            b'\t' if b & 0x80 == 0 && !tabs => out.push(b'\t'),
            0..32 => out.extend([b'^', low + 64]),
            127 => out.extend(b"^?"),
            _ => out.push(low),
        }
    }
    out
}

/// `cat [-nbAeEtTvs] [FILE...]`
pub fn cat(io: &mut Io) -> i32 {
    let o = io.parsed();
    let busybox = io.is_busybox();
    let known = if busybox { "nbvteAu" } else { "nbvteAuEsT" };
    if let Some((bad, _)) = o.options.iter().find(|(l, _)| !known.contains(*l)) {
        io.complain(match busybox {
            true => format!("cat: invalid option -- '{bad}'"),
            false => format!("cat: invalid option -- '{bad}'\nTry 'cat --help' for more information."),
        });
        return 1;
    }
    let (all, code) = inputs(io, &o.operands);
    if o.options.iter().all(|(l, _)| *l == 'u') {
        for (_, data) in all {
            io.say(data);
        }
        return code;
    }
    let whole = o.has('A');
    let (ends, tabs) = (whole || o.has('E') || o.has('e'), whole || o.has('T') || o.has('t'));
    let marks = whole || o.has('v') || o.has('e') || o.has('t');
    // busybox begins each file at the start of a line, GNU's takes them for one.
    let parts: Vec<Vec<u8>> = match busybox && (o.has('n') || o.has('b')) {
        true => all
            .into_iter()
            .map(|(_, mut d)| {
                if !d.is_empty() && !d.ends_with(b"\n") {
                    d.push(b'\n');
                }
                d
            })
            .collect(),
        false => vec![all.into_iter().flat_map(|(_, d)| d).collect()],
    };
    // What comes in parts goes on where it was.
    let (mut number, mut blank) = (io.stream.lines, io.stream.found);
    for line in parts.iter().flat_map(|d| d.split_inclusive(|b| *b == b'\n')) {
        let (text, newline) = line.strip_suffix(b"\n").map_or((line, false), |t| (t, true));
        blank = if text.is_empty() { blank + 1 } else { 0 };
        if o.has('s') && blank > 1 {
            continue;
        }
        if o.has('n') && !o.has('b') || o.has('b') && !text.is_empty() {
            number += 1;
            io.say(format!("{number:>6}\t"));
        }
        match (marks, tabs) {
            (true, _) => io.say(visible(text, tabs)),
            (false, true) => io.say(String::from_utf8_lossy(text).replace('\t', "^I")),
            (false, false) => io.say(text),
        }
        if ends && newline {
            io.say("$");
        }
        if newline {
            io.say("\n");
        }
    }
    (io.stream.lines, io.stream.found) = (number, blank);
    code
}

/// `nl [-b a|t|n] [-w WIDTH] [-s SEPARATOR] [-v FIRST] [-i STEP] [FILE...]`
pub fn nl(io: &mut Io) -> i32 {
    let o = io.parsed();
    if let Some((bad, _)) = o.options.iter().find(|(l, _)| !"bwsvin".contains(*l)) {
        io.complain(format!("nl: -{bad} is not simulated"));
        return 1;
    }
    let (all, code) = inputs(io, &o.operands);
    let style = o.value('b').unwrap_or("t");
    // Rust formats to no more than this.
    let width = o.number('w').unwrap_or(6).min(60_000);
    let separator = o.value('s').unwrap_or("\t");
    let number = |letter| o.value(letter).and_then(|v| v.parse::<i64>().ok());
    let (mut n, step) = (number('v').unwrap_or(1), number('i').unwrap_or(1));
    let data: Vec<u8> = all.into_iter().flat_map(|(_, d)| d).collect();
    let mut out = Vec::new();
    for line in super::text::lines(&data) {
        if style == "a" || style == "t" && !line.is_empty() {
            out.extend(
                match o.value('n') {
                    Some("ln") => format!("{n:<width$}{separator}"),
                    Some("rz") => format!("{n:0width$}{separator}"),
                    _ => format!("{n:>width$}{separator}"),
                }
                .into_bytes(),
            );
            n += step;
        } else {
            out.extend(vec![b' '; width + separator.len()]);
        }
        out.extend(line);
        out.push(b'\n');
    }
    io.say(out);
    code
}

/// `tac [FILE...]`: each file's lines from the last to the first.
pub fn tac(io: &mut Io) -> i32 {
    let files = io.operands();
    let busybox = io.is_busybox();
    let mut code = 0;
    let files = if files.is_empty() { vec!["-".to_string()] } else { files };
    for f in files {
        let data = match f.as_str() {
            "-" => std::mem::take(&mut io.stdin),
            _ => match io.m.fs.read(&io.path(&f), io.world.volumes) {
                Ok(d) => d.to_vec(),
                Err(e) => {
                    io.complain(match busybox {
                        true => format!("tac: {f}: {}", e.text()),
                        false => format!("tac: failed to open '{f}' for reading: {}", e.text()),
                    });
                    code = 1;
                    continue;
                }
            },
        };
        for line in data.split_inclusive(|b| *b == b'\n').rev() {
            io.say(line);
        }
    }
    code
}

/// `more [FILE...]`: the screen's height is not known, so that all is shown at once.
pub fn more(io: &mut Io) -> i32 {
    let files = io.operands();
    let heads = !io.is_busybox() && !files.is_empty() && !io.to_terminal();
    let (all, code) = inputs(io, &files);
    for (name, data) in all {
        if heads {
            io.say(format!("::::::::::::::\n{name}\n::::::::::::::\n"));
        }
        io.say(data);
    }
    code
}
