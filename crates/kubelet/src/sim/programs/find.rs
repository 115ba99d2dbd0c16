//! `find`, `xargs` and `du`. What they have others do runs as a script.

use super::list::{blocks_of, human, human_one};
use super::{Io, Outcome};
use crate::sim::fs::normalize;
use crate::sim::shell::{Shell, pattern};

enum Term {
    Name(String, bool),
    Path(String),
    Type(char),
    Empty,
    Print(char),
    Delete,
    /// A command; all names at once, or one after the other.
    Exec(Vec<String>, bool),
    Prune,
}

/// `a b -o c`: in each group all must hold; a term may be turned round.
type Expression = Vec<Vec<(Term, bool)>>;

struct Search {
    expression: Expression,
    min: usize,
    max: usize,
    acts: bool,
    script: String,
    together: Vec<(Vec<String>, Vec<String>)>,
    code: i32,
}

fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

fn quoted(words: &[String]) -> String {
    words.iter().map(|w| quote(w)).collect::<Vec<_>>().join(" ")
}

fn script(io: &mut Io, text: &str) -> Outcome {
    match Shell::from_args(&["sh".into(), "-c".into(), text.into()], &io.env) {
        Ok(shell) => Outcome::Shell(Box::new(shell)),
        Err(_) => Outcome::Exit(1),
    }
}

fn parse(io: &Io, args: &[String]) -> Result<Search, String> {
    let mut s = Search {
        expression: vec![Vec::new()],
        min: 0,
        max: usize::MAX,
        acts: false,
        script: String::new(),
        together: Vec::new(),
        code: 0,
    };
    let mut args = args.iter();
    let mut turned = false;
    let busybox = io.is_busybox();
    while let Some(a) = args.next() {
        let mut value = || match args.next() {
            Some(v) => Ok(v.clone()),
            None if busybox => Err(format!("find: {a} requires an argument")),
            None => Err(format!("find: missing argument to `{a}'")),
        };
        let term = match a.as_str() {
            "-name" => Term::Name(value()?, false),
            "-iname" => Term::Name(value()?.to_lowercase(), true),
            "-path" => Term::Path(value()?),
            "-type" => Term::Type(value()?.chars().next().unwrap_or(' ')),
            "-empty" => Term::Empty,
            "-maxdepth" | "-mindepth" => {
                let n = value()?.parse().unwrap_or(0);
                if a == "-maxdepth" {
                    s.max = n
                } else {
                    s.min = n
                }
                continue;
            }
            "-print" => Term::Print('\n'),
            "-print0" => Term::Print('\0'),
            "-delete" => Term::Delete,
            "-prune" => Term::Prune,
            "-exec" => {
                let mut command = Vec::new();
                let all = loop {
                    match args.next().map(String::as_str) {
                        Some(";") => break false,
                        Some("+") => break true,
                        Some(word) => command.push(word.to_string()),
                        None if busybox => return Err("find: -exec requires an argument".into()),
                        None => return Err("find: missing argument to `-exec'".into()),
                    }
                };
                Term::Exec(command, all)
            }
            "!" | "-not" => {
                turned = !turned;
                continue;
            }
            "-a" | "-and" => continue,
            "-o" | "-or" => {
                s.expression.push(Vec::new());
                continue;
            }
            "-xdev" | "-mount" | "-depth" | "-follow" | "-noleaf" => continue,
            other if busybox => return Err(format!("find: unrecognized: {other}")),
            other => return Err(format!("find: unknown predicate `{other}'")),
        };
        s.acts |= matches!(term, Term::Print(_) | Term::Delete | Term::Exec(..));
        if let Some(group) = s.expression.last_mut() {
            group.push((term, std::mem::take(&mut turned)));
        }
    }
    Ok(s)
}

/// `find [PATH...] [EXPRESSION]`
pub fn find(io: &mut Io) -> Outcome {
    let args: Vec<String> =
        io.argv[1..].iter().skip_while(|a| matches!(a.as_str(), "-L" | "-H" | "-P")).cloned().collect();
    let n = args.iter().position(|a| a.starts_with('-') || a == "!").unwrap_or(args.len());
    let mut places = args[..n].to_vec();
    if places.is_empty() {
        places.push(".".into());
    }
    let mut search = match parse(io, &args[n..]) {
        Ok(s) => s,
        Err(why) => {
            io.complain(why);
            return Outcome::Exit(1);
        }
    };
    for place in places {
        let path = io.path(&place);
        let there = io.m.fs.exists(&path, io.world.volumes) || io.m.fs.link_at(&path, io.world.volumes).is_some();
        if there {
            walk(io, &mut search, &path, &place, 0);
            continue;
        }
        io.complain(match io.is_busybox() {
            true => format!("find: {place}: No such file or directory"),
            false => format!("find: \u{2018}{place}\u{2019}: No such file or directory"),
        });
        search.code = 1;
    }
    for (command, names) in std::mem::take(&mut search.together) {
        let words: Vec<String> =
            command.iter().flat_map(|w| if w == "{}" { names.clone() } else { vec![w.clone()] }).collect();
        search.script.push_str(&format!("{}\n", quoted(&words)));
    }
    if search.script.is_empty() {
        return Outcome::Exit(search.code);
    }
    // What was said so far comes first.
    let said = String::from_utf8_lossy(&std::mem::take(&mut io.out)).into_owned();
    let text = format!("printf %s {}\n{}exit {}", quote(&said), search.script, search.code);
    script(io, &text)
}

fn walk(io: &mut Io, s: &mut Search, path: &str, shown: &str, depth: usize) {
    let link = io.m.fs.link_at(path, io.world.volumes).is_some();
    let dir = !link && io.m.fs.is_dir(path, io.world.volumes);
    let deletes = s.expression.iter().flatten().any(|(t, _)| matches!(t, Term::Delete));
    // What is deleted is deleted from the leaves on.
    let mut goes_in = dir && depth < s.max;
    if deletes && goes_in {
        inside(io, s, path, shown, depth);
        goes_in = false;
    }
    if depth >= s.min && judge(io, s, path, shown, dir, link) {
        goes_in = false;
    }
    if goes_in {
        inside(io, s, path, shown, depth);
    }
}

fn inside(io: &mut Io, s: &mut Search, path: &str, shown: &str, depth: usize) {
    for name in io.m.fs.list(path, io.world.volumes).unwrap_or_default() {
        let shown = if shown.ends_with('/') { format!("{shown}{name}") } else { format!("{shown}/{name}") };
        walk(io, s, &normalize(path, &name), &shown, depth + 1);
    }
}

/// Does what is to be done with one file; whether its inside is left out.
fn judge(io: &mut Io, s: &mut Search, path: &str, shown: &str, dir: bool, link: bool) -> bool {
    let mut pruned = false;
    let base = shown.trim_end_matches('/').rsplit('/').next().filter(|b| !b.is_empty()).unwrap_or(shown).to_string();
    let expression = std::mem::take(&mut s.expression);
    let mut holds = false;
    for group in &expression {
        holds = group.iter().all(|(term, turned)| {
            let is = match term {
                Term::Name(p, false) => pattern::matches(p, &base),
                Term::Name(p, true) => pattern::matches(p, &base.to_lowercase()),
                Term::Path(p) => pattern::matches(p, shown),
                Term::Type(t) => {
                    *t == if link {
                        'l'
                    } else if dir {
                        'd'
                    } else {
                        'f'
                    }
                }
                Term::Empty if dir => io.m.fs.list(path, io.world.volumes).unwrap_or_default().is_empty(),
                Term::Empty => !link && io.m.fs.len(path, io.world.volumes) == Some(0),
                Term::Prune => {
                    pruned = true;
                    true
                }
                Term::Print(end) => {
                    match s.script.is_empty() {
                        true => io.say(format!("{shown}{end}")),
                        false => s.script.push_str(&format!("printf '%s\\n' {}\n", quote(shown))),
                    }
                    true
                }
                Term::Delete => {
                    let done = io.m.fs.remove(path, false, io.world.volumes);
                    if let Err(e) = &done {
                        s.code = 1;
                        let why = format!("find: {}{shown}{}: {}", "cannot delete '", "'", e.text());
                        io.complain(if io.is_busybox() { format!("find: {shown}: {}", e.text()) } else { why });
                    }
                    done.is_ok()
                }
                Term::Exec(command, false) => {
                    let words: Vec<String> = command.iter().map(|w| w.replace("{}", shown)).collect();
                    s.script.push_str(&format!("{}\n", quoted(&words)));
                    true
                }
                Term::Exec(command, true) => {
                    match s.together.iter_mut().find(|(c, _)| c == command) {
                        Some((_, names)) => names.push(shown.into()),
                        None => s.together.push((command.clone(), vec![shown.into()])),
                    }
                    true
                }
            };
            is != *turned
        });
        if holds {
            break;
        }
    }
    s.expression = expression;
    if holds && !s.acts {
        io.line(shown);
    }
    pruned
}

/// `xargs [-0] [-r] [-n N] [-I R] [-t] COMMAND`: its exit code is 123 when a command fails.
pub fn xargs(io: &mut Io) -> Outcome {
    let (mut zero, mut empty, mut most, mut replace) = (false, true, usize::MAX, None);
    let mut args = io.argv[1..].to_vec();
    while let Some(a) = args.first().filter(|a| a.starts_with('-') && a.len() > 1).cloned() {
        args.remove(0);
        let mut value = |short: &str| match a.strip_prefix(short).filter(|v| !v.is_empty()) {
            Some(v) => v.to_string(),
            None if args.is_empty() => String::new(),
            None => args.remove(0),
        };
        match a.as_str() {
            "-0" | "--null" => zero = true,
            "-r" | "--no-run-if-empty" => empty = false,
            "-t" => {}
            _ if a.starts_with("-n") => most = value("-n").parse().unwrap_or(1),
            _ if a.starts_with("-L") => most = value("-L").parse().unwrap_or(1),
            _ if a.starts_with("-P") => _ = value("-P"),
            _ if a.starts_with("-I") => replace = Some(value("-I")),
            _ => {
                io.complain(format!("xargs: invalid option -- '{}'", a.trim_start_matches('-')));
                return Outcome::Exit(1);
            }
        }
    }
    if args.is_empty() {
        args.push("echo".into());
    }
    let input = String::from_utf8_lossy(&std::mem::take(&mut io.stdin)).into_owned();
    let words: Vec<String> = match (&replace, zero) {
        (_, true) => input.split('\0').filter(|w| !w.is_empty()).map(String::from).collect(),
        (Some(_), _) => input.lines().map(|l| l.trim().to_string()).filter(|l| !l.is_empty()).collect(),
        (None, _) => input.lines().filter_map(crate::sim::redis::reply::words).flatten().collect(),
    };
    if words.is_empty() && (!empty || replace.is_some()) {
        return Outcome::Exit(0);
    }
    let mut text = String::from("r=0\n");
    let mut add = |command: &[String]| text.push_str(&format!("{} </dev/null || r=123\n", quoted(command)));
    match &replace {
        Some(mark) => {
            for w in &words {
                add(&args.iter().map(|a| a.replace(mark.as_str(), w)).collect::<Vec<_>>());
            }
        }
        None if words.is_empty() => add(&args),
        None => words.chunks(most.max(1)).for_each(|some| add(&[args.as_slice(), some].concat())),
    }
    text.push_str("exit $r");
    script(io, &text)
}

/// What a path takes up in KiB, a line for each directory (or file, with `-a`).
fn usage(io: &mut Io, path: &str, shown: &str, depth: usize, lines: &mut Vec<(usize, String)>) -> usize {
    let link = io.m.fs.link_at(path, io.world.volumes).is_some();
    if link || !io.m.fs.is_dir(path, io.world.volumes) {
        let size = if link { 0 } else { blocks_of(io.m.fs.len(path, io.world.volumes).unwrap_or(0)) };
        if io.flag('a') || depth == 0 {
            lines.push((size, shown.into()));
        }
        return size;
    }
    let mut all = blocks_of(4096);
    for name in io.m.fs.list(path, io.world.volumes).unwrap_or_default() {
        let below = if shown.ends_with('/') { format!("{shown}{name}") } else { format!("{shown}/{name}") };
        all += usage(io, &normalize(path, &name), &below, depth + 1, lines);
    }
    if depth == 0 || !io.flag('s') {
        lines.push((all, shown.into()));
    }
    all
}

/// `du [-s] [-h] [-k] [-a] [-c] [PATH...]`
pub fn du(io: &mut Io) -> i32 {
    let mut places = io.operands();
    if places.is_empty() {
        places.push(".".into());
    }
    let (mut code, mut total) = (0, 0);
    let said = |io: &Io, kib: usize| match (io.flag('h'), io.is_busybox()) {
        (false, _) => kib.to_string(),
        (true, true) => human_one(kib as f64 * 1024.0),
        (true, false) => human(kib as u64 * 1024),
    };
    for place in places {
        let path = io.path(&place);
        if !io.m.fs.exists(&path, io.world.volumes) {
            io.complain(match io.is_busybox() {
                true => format!("du: {place}: No such file or directory"),
                false => format!("du: cannot access '{place}': No such file or directory"),
            });
            code = 1;
            continue;
        }
        let mut lines = Vec::new();
        total += usage(io, &path, &place, 0, &mut lines);
        for (kib, name) in lines {
            let line = format!("{}\t{name}", said(io, kib));
            io.line(line);
        }
    }
    if io.flag('c') {
        let line = format!("{}\ttotal", said(io, total));
        io.line(line);
    }
    code
}
