//! `xargs`. The commands run as a script.

use super::script::{quote, quoted, run};
use super::{Io, Outcome, exists};

#[derive(Default)]
struct Options {
    /// What ends an item; `None`: blanks, and quotes keep together.
    end: Option<char>,
    no_empty: bool,
    most: Option<usize>,
    lines: Option<usize>,
    replace: Option<String>,
    stop: Option<String>,
    file: Option<String>,
    shows: bool,
}

/// What a command line may be long, unless `-s` says otherwise, which nothing here reads.
const LINE: usize = 128 << 10;
const BUSYBOX_LINE: usize = 32 << 10;
/// And all command lines together, as they are all written before the first one runs.
const SCRIPT: usize = 4 << 20;

/// A command that cannot be run: what is said, and the exit code.
struct TooLong(String, i32);

/// Letters with a value in all, and those that GNU's has besides.
const VALUED: &str = "nsIPaE";
const GNU_VALUED: &str = "dL";
const PLAIN: &str = "0rtxp";
const ATTACHED: &str = "ei";
const LONG: &[(&str, char)] = &[
    ("null", '0'),
    ("no-run-if-empty", 'r'),
    ("verbose", 't'),
    ("exit", 'x'),
    ("interactive", 'p'),
    ("max-args", 'n'),
    ("max-chars", 's'),
    ("max-procs", 'P'),
    ("max-lines", 'L'),
    ("arg-file", 'a'),
    ("delimiter", 'd'),
    ("replace", 'I'),
];

fn delimiter(text: &str) -> Option<char> {
    match text {
        "\\n" => Some('\n'),
        "\\t" => Some('\t'),
        "\\0" => Some('\0'),
        "\\\\" => Some('\\'),
        _ => text.chars().next(),
    }
}

/// The options, and the command with its first arguments.
fn parse(io: &Io) -> Result<(Options, Vec<String>), String> {
    let busybox = io.is_busybox();
    let help = if busybox { "" } else { "\nTry 'xargs --help' for more information." };
    let mut o = Options::default();
    let mut args: std::collections::VecDeque<String> = io.argv[1..].iter().cloned().collect();
    while args.front().is_some_and(|a| a.starts_with('-') && a.len() > 1) {
        let word = args.pop_front().unwrap_or_default();
        if word == "--" {
            break;
        }
        let mut letters: Vec<(char, Option<String>)> = Vec::new();
        if let Some(long) = word.strip_prefix("--") {
            let (name, value) = long.split_once('=').map_or((long, None), |(n, v)| (n, Some(v.to_string())));
            let Some((_, letter)) = LONG.iter().find(|(n, _)| *n == name) else {
                return Err(format!("xargs: unrecognized option '{word}'{help}"));
            };
            let value = value.or_else(|| {
                if VALUED.contains(*letter) || GNU_VALUED.contains(*letter) { args.pop_front() } else { None }
            });
            letters.push((*letter, value));
        } else {
            for (i, c) in word.char_indices().skip(1) {
                let tail = &word[i + c.len_utf8()..];
                if ATTACHED.contains(c) {
                    letters.push((c, Some(tail.into()).filter(|t: &String| !t.is_empty())));
                    break;
                }
                if VALUED.contains(c) || !busybox && GNU_VALUED.contains(c) {
                    let value = if tail.is_empty() { args.pop_front() } else { Some(tail.into()) };
                    if value.is_none() {
                        return Err(format!("xargs: option requires an argument -- '{c}'{help}"));
                    }
                    letters.push((c, value));
                    break;
                }
                if !PLAIN.contains(c) {
                    return Err(format!("xargs: invalid option -- '{c}'{help}"));
                }
                letters.push((c, None));
            }
        }
        for (letter, value) in letters {
            let text = value.clone().unwrap_or_default();
            let number = || match text.parse::<usize>() {
                Ok(0) if busybox => Err(format!("xargs: number {text} is not in 1..2147483647 range")),
                Ok(0) => Err(format!("xargs: value {text} for -{letter} option should be >= 1{help}")),
                Ok(n) => Ok(n),
                Err(_) if busybox => Err(format!("xargs: invalid number '{text}'")),
                Err(_) => Err(format!("xargs: invalid number \"{text}\" for -{letter} option{help}")),
            };
            match letter {
                '0' => o.end = Some('\0'),
                'd' => o.end = delimiter(&text),
                'r' => o.no_empty = true,
                't' => o.shows = true,
                'n' => (o.most, o.lines) = (Some(number()?), None),
                'L' => (o.lines, o.most) = (Some(number()?), None),
                'I' | 'i' => o.replace = Some(value.unwrap_or_else(|| "{}".into())),
                'E' | 'e' => o.stop = value,
                'a' => o.file = value,
                'p' => return Err("xargs: -p is not simulated".into()),
                // The limit for command lines stays, and what runs at once runs one after the other.
                _ => {}
            }
        }
    }
    let mut command: Vec<String> = args.into();
    if command.is_empty() {
        command.push("echo".into());
    }
    Ok((o, command))
}

/// The words of each line; a quote that is not closed is the error, after the lines before it.
fn words(text: &str) -> (Vec<Vec<String>>, Option<char>) {
    let (mut lines, mut line) = (Vec::new(), Vec::new());
    let mut word: Option<String> = None;
    let mut letters = text.chars();
    while let Some(c) = letters.next() {
        match c {
            '\n' | ' ' | '\t' => {
                line.extend(word.take());
                if c == '\n' && !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                }
            }
            '\\' => word.get_or_insert_default().extend(letters.next()),
            '\'' | '"' => {
                let to = word.get_or_insert_default();
                loop {
                    match letters.next() {
                        Some(x) if x == c => break,
                        None | Some('\n') => return (lines, Some(c)),
                        Some(x) => to.push(x),
                    }
                }
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    line.extend(word);
    if !line.is_empty() {
        lines.push(line);
    }
    (lines, None)
}

/// `xargs [-0] [-d C] [-r] [-n N] [-L N] [-I R] [-a FILE] [-t] COMMAND`
pub fn xargs(io: &mut Io) -> Outcome {
    let (o, command) = match parse(io) {
        Ok(o) => o,
        Err(why) => {
            io.complain(why);
            return Outcome::Exit(1);
        }
    };
    let input = match &o.file {
        None => std::mem::take(&mut io.stdin),
        Some(file) => match io.m.fs.read(&io.path(file), io.world.volumes) {
            Ok(data) => data.to_vec(),
            Err(e) => {
                io.complain(match io.is_busybox() {
                    true => format!("xargs: can't open '{file}': {}", e.text()),
                    false => format!("xargs: Cannot open input file '{file}': {}", e.text()),
                });
                return Outcome::Exit(1);
            }
        },
    };
    let input = String::from_utf8_lossy(&input).into_owned();
    let (mut lines, open): (Vec<Vec<String>>, _) = match (&o.replace, o.end) {
        (_, Some(end)) => {
            let text = input.strip_suffix(end).unwrap_or(&input);
            let items =
                if text.is_empty() { Vec::new() } else { text.split(end).map(|w| vec![w.to_string()]).collect() };
            (items, None)
        }
        (Some(_), None) => {
            let lines = input.lines().map(|l| l.trim_start()).filter(|l| !l.is_empty());
            // GNU's looks for quotes in lines, too, busybox' does not.
            let (mut all, mut open) = (Vec::new(), None);
            for l in lines {
                let unclosed = if io.is_busybox() { None } else { words(l).1 };
                if unclosed.is_some() {
                    open = unclosed;
                    break;
                }
                let plain = if io.is_busybox() { l.to_string() } else { unquoted(l) };
                all.push(vec![plain]);
            }
            (all, open)
        }
        (None, None) => words(&input),
    };
    if let Some(stop) = &o.stop {
        let mut over = false;
        for line in &mut lines {
            line.retain(|w| {
                over |= w == stop;
                !over
            });
        }
        lines.retain(|l| !l.is_empty());
    }
    let batches: Vec<Vec<String>> = match (&o.replace, o.lines) {
        (Some(_), _) => lines,
        (None, Some(n)) => lines.chunks(n).map(<[_]>::concat).collect(),
        (None, None) => {
            let all = lines.concat();
            let some = all.chunks(o.most.unwrap_or(usize::MAX).min(all.len().max(1))).map(<[_]>::to_vec);
            some.collect()
        }
    };
    let busybox = io.is_busybox();
    let own: usize = command.iter().map(|w| w.len() + 1).sum();
    let room = if busybox { BUSYBOX_LINE } else { LINE }.saturating_sub(own);
    let mut text = String::from("r=0\n");
    let mut add = |words: Result<Vec<String>, TooLong>| {
        if text.len() > SCRIPT {
            return false;
        }
        let words = match words {
            Ok(words) => words,
            Err(TooLong(why, code)) => {
                text.push_str(&format!("echo {} >&2\nexit {code}\n", quote(&format!("xargs: {why}"))));
                return false;
            }
        };
        let line = quoted(&words);
        if o.shows {
            text.push_str(&format!("echo {} >&2\n", quote(&words.join(" "))));
        }
        let name = words.first().map_or("", String::as_str);
        if !exists(io.m.image, name) && !is_file(io, name) {
            text.push_str(&format!(
                "echo {} >&2\nexit 127\n",
                quote(&format!("xargs: {name}: No such file or directory"))
            ));
            return false;
        }
        let aborts = quote(&format!("xargs: {name}: exited with status 255; aborting"));
        text.push_str(&format!(
            "{line} </dev/null\ncase $? in 0) ;; 255) echo {aborts} >&2; exit 124;; *) r=123;; esac\n"
        ));
        true
    };
    let all = match &o.replace {
        Some(mark) => batches.concat().iter().all(|w| add(replaced(&command, mark, w, busybox))),
        None if batches.is_empty() && open.is_none() && !o.no_empty => add(Ok(command)),
        None => batches.iter().all(|batch| {
            let mut rest = batch.as_slice();
            while !rest.is_empty() {
                let (line, more) = rest.split_at(fitting(rest, room));
                // Nothing makes room for a word like that.
                let is_over = more.first().is_some_and(|w| w.len() >= room);
                let over = || TooLong("argument line too long".into(), 1);
                if !add(if is_over { Err(over()) } else { Ok([command.as_slice(), line].concat()) }) {
                    return false;
                }
                rest = more;
            }
            true
        }),
    };
    if !all && text.len() > SCRIPT {
        text.push_str("echo 'xargs: so many commands are not simulated' >&2\nexit 1\n");
    }
    if let Some(quote_mark) = open {
        let which = if quote_mark == '"' { "double" } else { "single" };
        let more = "; by default quotes are special to xargs unless you use the -0 option";
        let more = if io.is_busybox() { "" } else { more };
        text = format!("echo {} >&2\n{text}r=1\n", quote(&format!("xargs: unmatched {which} quote{more}")));
    }
    text.push_str("exit $r");
    run(io, &text)
}

/// The command with its words in the place of the mark. Models `bc_do_insert` of findutils and busybox' `spawn`.
fn replaced(command: &[String], mark: &str, by: &str, busybox: bool) -> Result<Vec<String>, TooLong> {
    let length = |a: &String| a.len().saturating_add(a.matches(mark).count().saturating_mul(by.len()));
    let all = command.iter().map(length).fold(0, usize::saturating_add);
    if all <= LINE && (busybox || !mark.is_empty()) {
        return Ok(command.iter().map(|a| a.replace(mark, by)).collect());
    }
    Err(match busybox {
        true => TooLong(format!("{}: Argument list too long", command.first().map_or("", String::as_str)), 126),
        false => TooLong("command too long".into(), 1),
    })
}

/// How many of the words there is room for.
fn fitting(words: &[String], room: usize) -> usize {
    let mut used = 0;
    let fits = |w: &&String| {
        used += w.len() + 1;
        used <= room
    };
    words.iter().take_while(fits).count()
}

fn is_file(io: &Io, name: &str) -> bool {
    name.contains('/') && io.m.fs.exists(&io.path(name), io.world.volumes)
}

/// A line without its quotes and escapes, with its blanks.
fn unquoted(line: &str) -> String {
    let (mut out, mut within) = (String::new(), None);
    let mut letters = line.chars();
    while let Some(c) = letters.next() {
        match (c, within) {
            ('\\', None) => out.extend(letters.next()),
            ('\'' | '"', None) => within = Some(c),
            (c, Some(mark)) if c == mark => within = None,
            (c, _) => out.push(c),
        }
    }
    out
}
