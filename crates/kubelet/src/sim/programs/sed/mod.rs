//! `sed`.

mod parse;

use super::options::Parsed;
use super::{Io, options};
use parse::{Address, Command, Part, Script, Substitution, What, Wrong};
use regex_lite::{Captures, Regex};
use std::collections::VecDeque;

/// Scripts that go round and round over one line end here; a step over a long line counts more.
const MAX_STEPS: usize = 100_000;
/// What a line may grow to, in bytes.
const MAX_SPACE: usize = 1 << 20;

/// What is remembered from line to line.
#[derive(Clone, Debug, Default)]
pub struct State {
    line: usize,
    hold: String,
    /// Of each command with a range: where it began while it lasts, and after how many lines it ends.
    ranges: Vec<Option<Range>>,
    last: Option<Regex>,
}

#[derive(Clone, Copy, Debug)]
struct Range {
    until: Option<usize>,
}

struct Sed<'a> {
    script: &'a Script,
    quiet: bool,
    state: State,
    out: String,
    input: VecDeque<String>,
    /// Another file follows, or more of the stream.
    more: bool,
    quit: Option<i32>,
    /// Why it could not go on.
    wrong: Option<&'static str>,
    /// Files of `r`.
    files: Vec<(String, String)>,
}

fn script_text(options: &mut Parsed, read: &dyn Fn(&str) -> Option<String>) -> Result<Option<String>, String> {
    let mut text: Vec<String> = Vec::new();
    for (letter, value) in &options.options {
        match letter {
            'e' => text.push(value.clone()),
            'f' => text.push(read(value).ok_or_else(|| value.clone())?.trim_end_matches('\n').into()),
            _ => {}
        }
    }
    if !options.has('e') && !options.has('f') {
        if options.operands.is_empty() {
            return Ok(None);
        }
        text.push(options.operands.remove(0));
    }
    Ok(Some(text.join("\n")))
}

/// Whether it can begin before it has all of its input: it need not know which line is the last.
pub fn streams(argv: &[String]) -> bool {
    let Some(mut options) = options::parse(argv) else { return false };
    let extended = options.has('E') || options.has('r');
    let Ok(Some(text)) = script_text(&mut options, &|_| None) else { return false };
    let Ok(script) = parse::parse(&text, extended) else { return false };
    let last = |a: &Option<Address>| matches!(a, Some(Address::Last));
    !script.commands.iter().any(|c| last(&c.from) || last(&c.to) || matches!(c.what, What::Plain('n' | 'N' | 'D')))
}

pub fn sed(io: &mut Io) -> i32 {
    let mut options = io.parsed();
    let read = |f: &str| io.m.fs.read(&io.path(f), io.world.volumes).ok().map(|d| String::from_utf8_lossy(&d).into());
    let text = match script_text(&mut options, &read) {
        Ok(Some(text)) => text,
        Ok(None) => {
            io.complain(if io.is_busybox() {
                "Usage: sed [-i[SFX]] [-nrE] [-f FILE]... [-e CMD]... [FILE]..."
            } else {
                "Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]..."
            });
            return 1;
        }
        Err(file) => {
            io.complain(if io.is_busybox() {
                format!("sed: {file}: No such file or directory")
            } else {
                format!("sed: couldn't open file {file}: No such file or directory")
            });
            return 1;
        }
    };
    let extended = options.has('E') || options.has('r');
    let script = match parse::parse(&text, extended) {
        Ok(s) => s,
        Err(wrong) => {
            io.complain(format!("sed: {}", complaint(&wrong, io.is_busybox())));
            return 1;
        }
    };
    let labels = script.commands.iter().filter_map(|c| match &c.what {
        What::Branch(_, label) if !label.is_empty() => Some(label),
        _ => None,
    });
    for label in labels {
        if !script.labels.iter().any(|(l, _)| l == label) {
            io.complain(if io.is_busybox() {
                format!("sed: can't find label for jump to '{label}'")
            } else {
                format!("sed: -e expression #1, char {}: can't find label for jump to `{label}'", text.chars().count())
            });
            return 1;
        }
    }
    let files: Vec<(String, String)> = script
        .commands
        .iter()
        .filter_map(|c| match &c.what {
            What::Text('r', file) => {
                let data = io.m.fs.read(&io.path(file), io.world.volumes).ok()?;
                Some((file.clone(), String::from_utf8_lossy(&data).into_owned()))
            }
            _ => None,
        })
        .collect();
    let suffix = options.value('i').map(str::to_string);
    let quiet = options.has('n') || text.starts_with("#n\n");
    let state = io.stream.sed.take().map(|s| *s).unwrap_or_default();
    let mut sed = Sed {
        script: &script,
        quiet,
        state,
        out: String::new(),
        input: VecDeque::new(),
        more: io.stream.more,
        quit: None,
        wrong: None,
        files,
    };
    sed.state.ranges.resize(script.commands.len(), None);
    let code = if options.operands.is_empty() {
        sed.input = split(&std::mem::take(&mut io.stdin));
        sed.all();
        0
    } else {
        sed.over_files(io, &options.operands, suffix.as_deref())
    };
    let out = std::mem::take(&mut sed.out);
    io.say(out);
    if let Some(wrong) = sed.wrong {
        io.complain(format!("sed: {wrong}"));
    }
    io.stream.over = sed.quit.is_some();
    io.stream.sed = Some(Box::new(sed.state));
    sed.quit.unwrap_or(code)
}

fn complaint(wrong: &Wrong, busybox: bool) -> String {
    if busybox {
        return match wrong {
            Wrong::Unknown(c, _) => format!("unsupported command {c}"),
            Wrong::Unterminated(..) => "unmatched '/'".into(),
            Wrong::NoCommand(_) => "missing command".into(),
            Wrong::Brace(_) => "unterminated {".into(),
            Wrong::Option(_) => "unknown option to s".into(),
            Wrong::Regex(why, _) => format!("bad regex: {why}"),
            Wrong::Lengths(_) => "strings for 'y' command are different lengths".into(),
        };
    }
    let (at, why) = match wrong {
        Wrong::Unknown(c, at) => (at, format!("unknown command: `{c}'")),
        Wrong::Unterminated('/', at) => (at, "unterminated address regex".into()),
        Wrong::Unterminated(c, at) => (at, format!("unterminated `{c}' command")),
        Wrong::NoCommand(at) => (at, "missing command".into()),
        Wrong::Brace(0) => (&0, "unmatched `{'".into()),
        Wrong::Brace(at) => (at, "unexpected `}'".into()),
        Wrong::Option(at) => (at, "unknown option to `s'".into()),
        Wrong::Regex(why, at) => (at, why.clone()),
        Wrong::Lengths(at) => (at, "strings for `y' command are different lengths".into()),
    };
    format!("-e expression #1, char {at}: {why}")
}

fn split(data: &[u8]) -> VecDeque<String> {
    String::from_utf8_lossy(data).split_inclusive('\n').map(str::to_string).collect()
}

impl Sed<'_> {
    /// The files, one after the other, as one; with `-i` each by itself.
    fn over_files(&mut self, io: &mut Io, files: &[String], suffix: Option<&str>) -> i32 {
        let mut code = 0;
        for f in files {
            let path = io.path(f);
            let data = match io.m.fs.read(&path, io.world.volumes) {
                _ if f == "-" => std::mem::take(&mut io.stdin),
                Ok(data) => data.to_vec(),
                Err(e) => {
                    let busybox = io.is_busybox();
                    io.complain(match busybox {
                        true => format!("sed: {f}: {}", e.text()),
                        false if e.text() == "Is a directory" => format!("sed: couldn't edit {f}: not a regular file"),
                        false => format!("sed: can't read {f}: {}", e.text()),
                    });
                    code = if busybox { 1 } else { 2 };
                    continue;
                }
            };
            let Some(suffix) = suffix else {
                // A line without an end has one when another file follows.
                if let Some(last) = self.input.back_mut().filter(|l| !l.ends_with('\n')) {
                    last.push('\n');
                }
                self.input.extend(split(&data));
                continue;
            };
            self.input = split(&data);
            let before = std::mem::take(&mut self.out);
            self.state = State { ranges: vec![None; self.script.commands.len()], ..State::default() };
            self.all();
            if self.wrong.is_some() {
                return 4;
            }
            // A script that quits leaves the rest of the file as it was.
            let rest: String = self.input.drain(..).collect();
            let text = std::mem::replace(&mut self.out, before) + &rest;
            let mut written = Ok(());
            if !suffix.is_empty() {
                written = io.m.fs.write(&format!("{path}{suffix}"), &data, false, io.world.volumes);
            }
            let written = written.and_then(|()| io.m.fs.write(&path, text.as_bytes(), false, io.world.volumes));
            if let Err(e) = written {
                io.complain(format!("sed: couldn't open temporary file {f}: {}", e.text()));
                return 4;
            }
            if self.quit.is_some() {
                break;
            }
        }
        if suffix.is_none() {
            self.all();
        }
        code
    }

    fn next_line(&mut self) -> Option<String> {
        let line = self.input.pop_front()?;
        self.state.line += 1;
        Some(line)
    }

    fn is_last(&self) -> bool {
        self.input.is_empty() && !self.more
    }

    fn all(&mut self) {
        let (mut steps, mut over) = (0, false);
        let mut again: Option<(String, bool)> = None;
        while self.quit.is_none() && !over {
            let (mut space, mut newline) = match again.take() {
                Some(s) => s,
                None => match self.next_line() {
                    Some(l) => {
                        steps = 0;
                        (l.strip_suffix('\n').unwrap_or(&l).to_string(), l.ends_with('\n'))
                    }
                    None => return,
                },
            };
            let (mut at, mut replaced, mut print, mut after) = (0, false, !self.quiet, String::new());
            while let Some(c) = self.script.commands.get(at) {
                steps += 1 + space.len() / 1024;
                if steps > MAX_STEPS || space.len().max(self.state.hold.len()) > MAX_SPACE {
                    self.wrong = Some("the script goes round and round, or its line grows too long");
                    self.quit = Some(4);
                    return;
                }
                let selected = self.selected(at, c, &space);
                at += 1;
                if !selected {
                    if let What::Block(end) = c.what {
                        at = end;
                    }
                    continue;
                }
                match &c.what {
                    What::Block(_) => {}
                    What::Substitute(s) => {
                        if let Some(new) = self.substitute(s, &space) {
                            space = new;
                            replaced = true;
                            if s.print {
                                self.say(&space, true);
                            }
                        }
                    }
                    What::Translate(map) => {
                        space =
                            space.chars().map(|c| map.iter().find(|(a, _)| *a == c).map_or(c, |(_, b)| *b)).collect();
                    }
                    What::Text('a', text) => after.push_str(text),
                    What::Text('i', text) => self.out.push_str(text),
                    What::Text('r', file) => {
                        let text = self.files.iter().find(|(f, _)| f == file).map(|(_, t)| t.as_str());
                        after.push_str(text.unwrap_or_default());
                    }
                    What::Text(_, text) => {
                        // In the place of a range once, at its end.
                        if c.to.is_none() || c.not || self.state.ranges[at - 1].is_none() {
                            self.out.push_str(text);
                        }
                        print = false;
                        break;
                    }
                    What::Branch(letter, label) => {
                        let taken = match letter {
                            't' => std::mem::take(&mut replaced),
                            'T' => !std::mem::take(&mut replaced),
                            _ => true,
                        };
                        if taken {
                            let to = self.script.labels.iter().find(|(l, _)| l == label);
                            at = to.map_or(self.script.commands.len(), |(_, at)| *at);
                        }
                    }
                    What::Quit(letter, code) => {
                        self.quit = Some(*code);
                        print &= *letter == 'q';
                        break;
                    }
                    What::Plain('d') => {
                        print = false;
                        break;
                    }
                    What::Plain('D') => {
                        print = false;
                        if let Some((_, rest)) = space.split_once('\n') {
                            again = Some((rest.to_string(), newline));
                        }
                        break;
                    }
                    What::Plain('p') => self.say(&space, true),
                    What::Plain('P') => self.say(space.split('\n').next().unwrap_or(""), true),
                    What::Plain('=') => self.out.push_str(&format!("{}\n", self.state.line)),
                    What::Plain('l') => self.say(&format!("{}$", space.escape_default()), true),
                    What::Plain('h') => self.state.hold = space.clone(),
                    What::Plain('H') => self.state.hold = format!("{}\n{space}", self.state.hold),
                    What::Plain('g') => space = self.state.hold.clone(),
                    What::Plain('G') => space = format!("{space}\n{}", self.state.hold),
                    What::Plain('x') => std::mem::swap(&mut space, &mut self.state.hold),
                    What::Plain('n') => {
                        over = self.is_last();
                        if over {
                            break;
                        }
                        if print {
                            self.say(&space, newline);
                        }
                        let Some(l) = self.next_line() else { break };
                        (space, newline) = (l.trim_end_matches('\n').to_string(), l.ends_with('\n'));
                    }
                    What::Plain('N') => {
                        let Some(l) = self.next_line() else {
                            over = true;
                            break;
                        };
                        space = format!("{space}\n{}", l.trim_end_matches('\n'));
                        newline = l.ends_with('\n');
                    }
                    What::Plain(_) => {}
                }
            }
            if print {
                self.say(&space, newline || !after.is_empty());
            }
            self.out.push_str(&after);
        }
    }

    fn say(&mut self, text: &str, newline: bool) {
        self.out.push_str(text);
        if newline {
            self.out.push('\n');
        }
    }

    fn meets(&mut self, address: &Address, space: &str) -> bool {
        match address {
            Address::Line(n) => self.state.line == *n,
            Address::Step(first, step) => match step {
                0 => self.state.line == *first,
                _ => self.state.line >= *first && (self.state.line - first).is_multiple_of(*step),
            },
            Address::Last => self.is_last(),
            Address::Match(Some(r)) => {
                self.state.last = Some(r.clone());
                r.is_match(space)
            }
            Address::Match(None) => self.state.last.as_ref().is_some_and(|r| r.is_match(space)),
            Address::More(_) => false,
        }
    }

    fn selected(&mut self, at: usize, c: &Command, space: &str) -> bool {
        let line = self.state.line;
        let hit = match (&c.from, &c.to) {
            (None, _) => true,
            (Some(from), None) => self.meets(from, space),
            (Some(from), Some(to)) => match self.state.ranges[at] {
                Some(range) => {
                    let over = match (range.until, to) {
                        (Some(n), _) => line >= n,
                        (None, to) => self.meets(to, space),
                    };
                    if over {
                        self.state.ranges[at] = None;
                    }
                    // A range that ended before this line was its last.
                    range.until.is_none_or(|n| line <= n)
                }
                None => {
                    // `0,/x/` may end in the first line.
                    let zero = matches!(from, Address::Line(0)) && line == 1;
                    let begins = zero || self.meets(from, space);
                    if begins {
                        let until = match to {
                            Address::Line(n) => Some(*n),
                            Address::More(n) => Some(line + n),
                            _ => None,
                        };
                        let over = until.is_some_and(|n| n <= line)
                            || matches!(to, Address::Last) && self.is_last()
                            || zero && self.meets(to, space);
                        self.state.ranges[at] = (!over).then_some(Range { until });
                    }
                    begins
                }
            },
        };
        hit != c.not
    }

    /// What becomes of the line; `None`: nothing was found.
    fn substitute(&mut self, s: &Substitution, space: &str) -> Option<String> {
        if let Some(r) = &s.regex {
            self.state.last = Some(r.clone());
        }
        let regex = self.state.last.as_ref()?;
        let (mut out, mut at, mut n) = (String::new(), 0, 0);
        for found in regex.captures_iter(space) {
            let whole = found.get(0)?;
            n += 1;
            if n < s.nth {
                continue;
            }
            out.push_str(&space[at..whole.start()]);
            replacement(&s.with, &found, &mut out);
            at = whole.end();
            if !s.global {
                break;
            }
        }
        if n < s.nth {
            return None;
        }
        out.push_str(&space[at..]);
        Some(out)
    }
}

fn replacement(parts: &[Part], found: &Captures, out: &mut String) {
    let (mut case, mut once) = ('E', None);
    for part in parts {
        let text = match part {
            Part::Text(t) => t.as_str(),
            Part::Group(n) => found.get(*n).map_or("", |m| m.as_str()),
            Part::Case(c @ ('u' | 'l')) => {
                once = Some(*c);
                continue;
            }
            Part::Case(c) => {
                case = *c;
                continue;
            }
        };
        for c in text.chars() {
            match once.take().unwrap_or(case) {
                'U' | 'u' => out.extend(c.to_uppercase()),
                'L' | 'l' => out.extend(c.to_lowercase()),
                _ => out.push(c),
            }
        }
    }
}
