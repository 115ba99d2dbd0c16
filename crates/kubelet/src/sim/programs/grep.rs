//! `grep`, `egrep` and `fgrep`.

use super::options::Parsed;
use super::{Io, regex};
use crate::sim::fs::normalize;
use regex_lite::Regex;

struct Search {
    /// None when there is nothing to look for (`-f` of an empty file).
    regex: Option<Regex>,
    options: Parsed,
    named: bool,
    before: usize,
    after: usize,
    most: usize,
    /// What standard input is called.
    stdin: &'static str,
}

/// The patterns and the files.
fn patterns(io: &mut Io, options: &mut Parsed) -> Result<Vec<String>, i32> {
    let mut all: Vec<String> = Vec::new();
    for (letter, value) in options.options.clone() {
        match letter {
            'e' => all.extend(value.split('\n').map(str::to_string)),
            'f' => match io.m.fs.read(&io.path(&value), io.world.volumes) {
                Ok(data) => all.extend(String::from_utf8_lossy(&data).lines().map(str::to_string)),
                Err(e) => {
                    io.complain(format!("grep: {value}: {}", e.text()));
                    return Err(2);
                }
            },
            _ => {}
        }
    }
    if options.has('e') || options.has('f') {
        return Ok(all);
    }
    if options.operands.is_empty() {
        io.complain(if io.is_busybox() {
            "Usage: grep [-HhnlLoqvsrRiwFE] [-m N] [-A|B|C N] { PATTERN | -e PATTERN... | -f FILE... } [FILE]..."
        } else {
            "Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information."
        });
        return Err(2);
    }
    all.extend(options.operands.remove(0).split('\n').map(str::to_string));
    Ok(all)
}

fn expression(program: &str, options: &Parsed, patterns: &[String]) -> Result<Option<Regex>, String> {
    let fixed = options.has('F') || program == "fgrep";
    let extended = options.has('E') || options.has('P') || program == "egrep";
    let mut parts = Vec::new();
    for p in patterns {
        let part = if fixed {
            regex_lite::escape(p)
        } else if options.has('P') {
            p.clone()
        } else {
            regex::translate(p, extended)?
        };
        parts.push(format!("(?:{part})"));
    }
    if parts.is_empty() {
        return Ok(None);
    }
    let mut text = parts.join("|");
    if options.has('x') {
        text = format!("^(?:{text})$");
    } else if options.has('w') {
        text = format!("\\b(?:{text})\\b");
    }
    let flags = if options.has('i') || options.has('y') { "(?i)" } else { "" };
    Regex::new(&format!("{flags}{text}")).map(Some).map_err(|e| e.to_string())
}

/// The files below a directory, in order.
fn below(io: &Io, name: &str, out: &mut Vec<String>) {
    // Without a name it is the working directory, whose files go by their own names.
    let path = if name.is_empty() { io.cwd.clone() } else { io.path(name) };
    if !io.m.fs.is_dir(&path, io.world.volumes) {
        out.push(name.into());
        return;
    }
    for n in io.m.fs.list(&path, io.world.volumes).unwrap_or_default() {
        let inner = if name.is_empty() { n.clone() } else { format!("{}/{n}", name.trim_end_matches('/')) };
        // Through no link: it might lead back.
        let at = normalize(&path, &n);
        if at.starts_with("/proc/") || io.m.fs.is_made_link(&at, io.world.volumes) {
            continue;
        }
        below(io, &inner, out);
    }
}

pub fn grep(io: &mut Io) -> i32 {
    let program = super::base_name(&io.argv[0]).to_string();
    let mut options = io.parsed();
    let patterns = match patterns(io, &mut options) {
        Ok(p) => p,
        Err(code) => return code,
    };
    let regex = match expression(&program, &options, &patterns) {
        Ok(r) => r,
        Err(why) => {
            io.complain(if io.is_busybox() {
                format!("grep: bad regex '{}': {why}", patterns.join("\n"))
            } else {
                format!("grep: {why}")
            });
            return 2;
        }
    };
    let recursive = options.has('r') || options.has('R');
    let mut files = options.operands.clone();
    if recursive {
        let roots = if files.is_empty() { vec![String::new()] } else { std::mem::take(&mut files) };
        roots.iter().for_each(|f| below(io, f, &mut files));
    }
    let context = options.number('C').unwrap_or(0);
    let is_dir = |io: &Io, f: &String| io.m.fs.is_dir(&io.path(f), io.world.volumes);
    let named = match (options.has('h'), options.has('H')) {
        (true, _) => false,
        (_, true) => true,
        _ => {
            files.len() > 1
                || recursive && options.operands.iter().any(|f| is_dir(io, f))
                || recursive && options.operands.is_empty()
        }
    };
    let search = Search {
        regex,
        named,
        before: options.number('B').unwrap_or(context),
        after: options.number('A').unwrap_or(context),
        most: options.number('m').unwrap_or(usize::MAX),
        options,
        stdin: "(standard input)",
    };
    let mut failed = false;
    if files.is_empty() {
        let data = std::mem::take(&mut io.stdin);
        search.through(io, search.stdin, &data, true);
    }
    for f in &files {
        if f == "-" {
            let data = std::mem::take(&mut io.stdin);
            search.through(io, search.stdin, &data, false);
            continue;
        }
        if is_dir(io, f) {
            io.complain(format!("grep: {f}: Is a directory"));
            continue;
        }
        match io.m.fs.read(&io.path(f), io.world.volumes) {
            Ok(data) => search.through(io, f, &data, false),
            Err(e) => {
                failed = true;
                if !search.options.has('s') {
                    io.complain(format!("grep: {f}: {}", e.text()));
                }
            }
        }
        if search.options.has('q') && io.stream.found > 0 {
            return 0;
        }
    }
    if failed { 2 } else { i32::from(io.stream.found == 0) }
}

impl Search {
    fn hits(&self, line: &str) -> bool {
        self.regex.as_ref().is_some_and(|r| r.is_match(line)) != self.options.has('v')
    }

    /// Goes through one file, or, of a stream, through what has come.
    fn through(&self, io: &mut Io, file: &str, data: &[u8], streamed: bool) {
        let lines: Vec<String> =
            super::text::lines(data).into_iter().map(|l| String::from_utf8_lossy(l).into_owned()).collect();
        let o = &self.options;
        let silent = o.has('q') || o.has('c') || o.has('l') || o.has('L');
        // Of a stream, earlier parts were counted already.
        let (first, mut found) = if streamed { (io.stream.lines, io.stream.found) } else { (0, 0) };
        let mut shown_to = 0;
        let mut any = false;
        for (i, line) in lines.iter().enumerate() {
            if found >= self.most {
                break;
            }
            if !self.hits(line) {
                continue;
            }
            found += 1;
            if silent {
                if !o.has('c') {
                    break;
                }
                continue;
            }
            if o.has('o') {
                let all: Vec<String> = match &self.regex {
                    Some(r) if !o.has('v') => {
                        r.find_iter(line).map(|m| m.as_str().to_string()).filter(|m| !m.is_empty()).collect()
                    }
                    _ => Vec::new(),
                };
                all.iter().for_each(|m| self.show(io, file, first + i, m, ':'));
                continue;
            }
            let from = i.saturating_sub(self.before).max(shown_to);
            if any && from > shown_to && self.before + self.after > 0 {
                io.line("--");
            }
            for (n, l) in lines.iter().enumerate().take(i).skip(from) {
                self.show(io, file, first + n, l, '-');
            }
            self.show(io, file, first + i, line, ':');
            (any, shown_to) = (true, i + 1);
            // What follows, up to the next line that is found.
            for (n, l) in lines.iter().enumerate().skip(i + 1).take(self.after) {
                if found < self.most && self.hits(l) {
                    break;
                }
                self.show(io, file, first + n, l, '-');
                shown_to = n + 1;
            }
        }
        if streamed {
            io.stream.lines += lines.len();
            io.stream.found = found;
            io.stream.over = found >= self.most || found > 0 && (o.has('q') || o.has('l') && !o.has('c'));
            if io.stream.more && !io.stream.over {
                return;
            }
        } else {
            io.stream.found += found;
        }
        if o.has('q') {
            return;
        }
        if o.has('l') || o.has('L') {
            if (found > 0) == o.has('l') {
                io.line(file);
            }
        } else if o.has('c') {
            io.line(if self.named { format!("{file}:{found}") } else { found.to_string() });
        }
    }

    fn show(&self, io: &mut Io, file: &str, at: usize, text: &str, mark: char) {
        if self.named {
            io.say(format!("{file}{mark}"));
        }
        if self.options.has('n') {
            io.say(format!("{}{mark}", at + 1));
        }
        io.line(text);
    }
}

/// Whether it can begin before it has all of its input.
pub fn streams(options: &Parsed) -> bool {
    ['A', 'B', 'C'].iter().all(|l| options.number(*l).unwrap_or(0) == 0)
}

/// Whether standard input is searched.
pub fn reads_stdin(options: &Parsed) -> bool {
    let given = usize::from(!options.has('e') && !options.has('f'));
    let files = options.operands.get(given..).unwrap_or_default();
    options.operands.len() >= given
        && (files.is_empty() && !options.has('r') && !options.has('R') || files.iter().any(|f| f == "-"))
}
