//! `find`. What it has others do runs as a script.

mod parse;

use super::clock;
use super::list::{links, named};
use super::script::{quote, quoted, run};
use super::{Io, Outcome};
use crate::sim::fs::normalize;
use crate::sim::shell::pattern;
use meta::Time;
use parse::{Expression, Parser, Term};

struct Search {
    expression: Expression,
    min: usize,
    max: usize,
    depth: bool,
    /// Nothing says what to do with what is found.
    prints: bool,
    /// What is done is done by the script, so that it comes after the commands before it.
    later: bool,
    script: String,
    together: Vec<(Vec<String>, Vec<String>)>,
    code: i32,
    over: bool,
}

struct File {
    path: String,
    shown: String,
    /// The operand that it was found below.
    top: String,
    level: usize,
    dir: bool,
    link: bool,
    pruned: bool,
}

/// What an expression says of a file: known now, or when this command has run.
enum Truth {
    Known(bool),
    Later(String),
}

fn is_expression(word: &str) -> bool {
    word.starts_with('-') && word.len() > 1 || matches!(word, "!" | "(" | ")")
}

/// `find [PATH...] [EXPRESSION]`
pub fn find(io: &mut Io) -> Outcome {
    let args: Vec<String> = io.argv[1..].iter().skip_while(|a| matches!(a.as_str(), "-H" | "-P")).cloned().collect();
    let n = args.iter().position(|a| is_expression(a)).unwrap_or(args.len());
    let mut places = args[..n].to_vec();
    if places.is_empty() {
        places.push(".".into());
    }
    let mut parser = Parser { io, args: &args[n..], at: 0, min: 0, max: usize::MAX, depth: false, nested: 0 };
    let expression = match parser.any(false) {
        Ok(e) => e,
        Err(why) => {
            io.complain(why);
            return Outcome::Exit(1);
        }
    };
    let (min, max, depth) = (parser.min, parser.max, parser.depth);
    let quiet = |t: &Term| {
        matches!(t, Term::Print(_) | Term::Printf(_) | Term::Delete | Term::Exec(..) | Term::Together(_) | Term::Quit)
    };
    let busybox = io.is_busybox();
    // GNU's takes `-quit` for no action, busybox' for one.
    let prints = !expression.any(&|t| quiet(t) && (busybox || !matches!(t, Term::Quit)));
    let later = expression.any(&|t| matches!(t, Term::Exec(..)));
    let (script, together) = (String::new(), Vec::new());
    let mut search = Search { expression, min, max, depth, prints, later, script, together, code: 0, over: false };
    for place in places {
        let path = io.path(&place);
        let there = io.m.fs.exists(&path, io.world.volumes) || io.m.fs.link_at(&path, io.world.volumes).is_some();
        if there {
            walk(io, &mut search, &path, &place, &place, 0);
            continue;
        }
        io.complain(match io.is_busybox() {
            true => format!("find: {place}: No such file or directory"),
            false => format!("find: '{place}': No such file or directory"),
        });
        search.code = 1;
    }
    for (command, names) in std::mem::take(&mut search.together) {
        let words: Vec<String> =
            command.iter().flat_map(|w| if w == "{}" { names.clone() } else { vec![w.clone()] }).collect();
        search.script.push_str(&format!("{} || r=1\n", quoted(&words)));
    }
    if search.script.is_empty() {
        return Outcome::Exit(search.code);
    }
    // What was said so far comes first.
    let said = String::from_utf8_lossy(&std::mem::take(&mut io.out)).into_owned();
    let said = if said.is_empty() { said } else { format!("printf %s {}\n", quote(&said)) };
    run(io, &format!("r={}\n{said}{}exit $r", search.code, search.script))
}

fn walk(io: &mut Io, s: &mut Search, path: &str, shown: &str, top: &str, level: usize) {
    if s.over {
        return;
    }
    let link = io.m.fs.link_at(path, io.world.volumes).is_some();
    let dir = !link && io.m.fs.is_dir(path, io.world.volumes);
    let mut file = File { path: path.into(), shown: shown.into(), top: top.into(), level, dir, link, pruned: false };
    let goes_in = dir && level < s.max;
    if goes_in && s.depth {
        inside(io, s, &file);
    }
    if level >= s.min && !s.over {
        let expression = std::mem::replace(&mut s.expression, Expression::All(Vec::new()));
        let truth = judge(io, s, &expression, &mut file);
        s.expression = expression;
        let truth = match truth {
            Truth::Known(true) if s.prints && !s.over => print(io, s, format!("{shown}\n")),
            truth => truth,
        };
        if let Truth::Later(command) = truth {
            s.script.push_str(&format!("{command}\n"));
        }
    }
    if goes_in && !s.depth && !file.pruned {
        inside(io, s, &file);
    }
}

fn inside(io: &mut Io, s: &mut Search, dir: &File) {
    for name in io.m.fs.list(&dir.path, io.world.volumes).unwrap_or_default() {
        let slash = if dir.shown.ends_with('/') { "" } else { "/" };
        walk(io, s, &normalize(&dir.path, &name), &format!("{}{slash}{name}", dir.shown), &dir.top, dir.level + 1);
    }
}

fn print(io: &mut Io, s: &Search, text: String) -> Truth {
    if !s.later {
        io.say(text);
        return Truth::Known(true);
    }
    // No word of a command can hold a zero byte.
    let text = text.replace('\\', "\\\\").replace('%', "%%").replace('\0', "\\0");
    Truth::Later(format!("printf {}", quote(&text)))
}

fn judge(io: &mut Io, s: &mut Search, e: &Expression, f: &mut File) -> Truth {
    match e {
        Expression::Term(t) => holds(io, s, t, f),
        Expression::Not(e) => match judge(io, s, e, f) {
            Truth::Known(is) => Truth::Known(!is),
            Truth::Later(command) => Truth::Later(format!("{{ ! {command}; }}")),
        },
        Expression::All(of) => joined(io, s, of, f, true),
        Expression::Any(of) => joined(io, s, of, f, false),
    }
}

/// All must hold, or one; who has decided it is the last to be asked.
fn joined(io: &mut Io, s: &mut Search, of: &[Expression], f: &mut File, all: bool) -> Truth {
    let mut before: Vec<String> = Vec::new();
    let link = if all { " && " } else { " || " };
    for e in of {
        match judge(io, s, e, f) {
            Truth::Known(is) if is == all => {}
            Truth::Known(is) if before.is_empty() => return Truth::Known(is),
            Truth::Known(_) => {
                let end = if all { "false" } else { "true" };
                return Truth::Later(format!("{{ {}; {end}; }}", before.join(link)));
            }
            Truth::Later(command) => before.push(command),
        }
        if s.over {
            break;
        }
    }
    match before.as_slice() {
        [] => Truth::Known(all),
        [one] => Truth::Later(one.clone()),
        several => Truth::Later(format!("{{ {}; }}", several.join(link))),
    }
}

fn base_of(shown: &str) -> String {
    shown.trim_end_matches('/').rsplit('/').next().filter(|b| !b.is_empty()).unwrap_or(shown).to_string()
}

fn kind(f: &File) -> char {
    match () {
        () if f.link => 'l',
        () if f.dir => 'd',
        () => 'f',
    }
}

fn changed(io: &Io, f: &File) -> Time {
    io.m.fs.changed_at(&f.path, io.world.volumes).unwrap_or(io.m.started)
}

fn size(io: &Io, f: &File) -> u64 {
    match io.m.fs.link_at(&f.path, io.world.volumes).filter(|_| f.link) {
        Some(to) => to.len() as u64,
        None => io.m.fs.len(&f.path, io.world.volumes).unwrap_or(0) as u64,
    }
}

fn holds(io: &mut Io, s: &mut Search, term: &Term, f: &mut File) -> Truth {
    let of = |io: &Io| {
        let default = crate::sim::owners::Attributes::default_of(f.dir);
        let of = io.m.fs.attributes(&f.path, io.world.volumes).unwrap_or(default);
        if f.link { crate::sim::owners::Attributes { mode: 0o777, ..of } } else { of }
    };
    Truth::Known(match term {
        Term::Name(p, false) => pattern::matches(p, &base_of(&f.shown)),
        Term::Name(p, true) => pattern::matches(p, &base_of(&f.shown).to_lowercase()),
        Term::Path(p, false) => pattern::matches(p, &f.shown),
        Term::Path(p, true) => pattern::matches(p, &f.shown.to_lowercase()),
        Term::Regex(r) => r.is_match(&f.shown),
        Term::Type(kinds) => kinds.contains(kind(f)),
        Term::Empty if f.dir => io.m.fs.list(&f.path, io.world.volumes).unwrap_or_default().is_empty(),
        Term::Empty => !f.link && size(io, f) == 0,
        // busybox compares bytes, GNU's units that were begun.
        Term::Size(n, unit) if io.is_busybox() => n.times(*unit).holds(size(io, f)),
        Term::Size(n, unit) => n.holds(size(io, f).div_ceil(*unit)),
        Term::Perm('-', bits) => of(io).mode & bits == *bits,
        Term::Perm('/', bits) => *bits == 0 || of(io).mode & bits != 0,
        Term::Perm(_, bits) => of(io).mode & 0o7777 == *bits,
        Term::User(id) => of(io).uid == *id,
        Term::Group(id) => of(io).gid == *id,
        Term::Links(n) => n.holds(links(io, &f.path) as u64),
        Term::Age(n, unit) => {
            let age = io.now.since(changed(io, f)).as_secs();
            if *unit == 60 && !io.is_busybox() { n.holds_begun(age, *unit) } else { n.holds(age / unit) }
        }
        Term::After(time) => changed(io, f) > *time,
        Term::May(1) if !f.dir => of(io).mode & 0o111 != 0 && of(io).allows(&io.m.spec.identity, 1),
        Term::May(bit) => of(io).allows(&io.m.spec.identity, *bit),
        Term::True => true,
        Term::False => false,
        Term::Prune => {
            f.pruned = true;
            true
        }
        Term::Quit if s.later => return Truth::Later("exit $r".into()),
        Term::Quit => {
            s.over = true;
            true
        }
        Term::Print(end) => return print(io, s, format!("{}{end}", f.shown)),
        Term::Printf(format) => {
            let of = of(io);
            return match formatted(io, format, f, of) {
                Ok(text) => print(io, s, text),
                Err(letter) => {
                    io.complain(format!("find: %{letter} is not simulated"));
                    (s.code, s.over) = (1, true);
                    Truth::Known(false)
                }
            };
        }
        Term::Delete if s.later => return Truth::Later(format!("find {} -maxdepth 0 -delete", quote(&f.shown))),
        Term::Delete => {
            let done = io.m.fs.remove(&f.path, false, io.world.volumes);
            if let Err(e) = &done {
                s.code = 1;
                io.complain(match io.is_busybox() {
                    true => format!("find: {}: {}", f.shown, e.text()),
                    false => format!("find: cannot delete '{}': {}", f.shown, e.text()),
                });
            }
            done.is_ok()
        }
        Term::Exec(command, in_place) => {
            let dir = f.shown.rsplit_once('/').map_or(".", |(d, _)| if d.is_empty() { "/" } else { d });
            let name = if *in_place { format!("./{}", base_of(&f.shown)) } else { f.shown.clone() };
            let words: Vec<String> = command.iter().map(|w| w.replace("{}", &name)).collect();
            let command = quoted(&words);
            return Truth::Later(if *in_place { format!("(cd {} && {command})", quote(dir)) } else { command });
        }
        Term::Together(command) => {
            match s.together.iter_mut().find(|(c, _)| c == command) {
                Some((_, names)) => names.push(f.shown.clone()),
                None => s.together.push((command.clone(), vec![f.shown.clone()])),
            }
            true
        }
    })
}

/// What `-printf` says of a file. Models GNU find's `pred.c`.
///
/// # Errors
/// A letter that is not simulated.
fn formatted(io: &Io, format: &str, f: &File, of: crate::sim::owners::Attributes) -> Result<String, char> {
    let mut out = String::new();
    let mut letters = format.chars();
    let below = f.shown.strip_prefix(f.top.as_str()).unwrap_or(&f.shown).trim_start_matches('/');
    while let Some(c) = letters.next() {
        match (c, if matches!(c, '%' | '\\') { letters.next() } else { None }) {
            ('\\', Some('n')) => out.push('\n'),
            ('\\', Some('t')) => out.push('\t'),
            ('\\', Some('0')) => out.push('\0'),
            ('\\', Some(c)) => out.extend(Some('\\').filter(|_| c != '\\').into_iter().chain([c])),
            ('%', Some(letter)) => out.push_str(&match letter {
                '%' => "%".into(),
                'p' => f.shown.clone(),
                'P' => below.to_string(),
                'H' => f.top.clone(),
                'f' => base_of(&f.shown),
                'h' => f.shown.rsplit_once('/').map_or(".", |(d, _)| d).to_string(),
                's' => size(io, f).to_string(),
                'm' => format!("{:o}", of.mode),
                'M' => of.letters(if f.link || f.dir { kind(f) } else { '-' }),
                'u' => named(io, "/etc/passwd", of.uid),
                'g' => named(io, "/etc/group", of.gid),
                'U' => of.uid.to_string(),
                'G' => of.gid.to_string(),
                'y' => kind(f).to_string(),
                'd' => f.level.to_string(),
                'n' => links(io, &f.path).to_string(),
                't' => clock::format(changed(io, f), "%a %b %e %H:%M:%S.%N0 %Y"),
                'T' => match letters.next() {
                    Some('@') => clock::format(changed(io, f), "%s.%N0"),
                    Some('+') => clock::format(changed(io, f), "%Y-%m-%d+%H:%M:%S.%N0"),
                    Some(letter) => clock::format(changed(io, f), &format!("%{letter}")),
                    None => String::new(),
                },
                'l' => io.m.fs.link_at(&f.path, io.world.volumes).filter(|_| f.link).unwrap_or_default(),
                other => return Err(other),
            }),
            (c, _) => out.push(c),
        }
    }
    Ok(out)
}
