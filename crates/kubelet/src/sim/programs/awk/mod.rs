//! The awk of one-liners: patterns, fields, variables, arrays, `print` and `printf`; no functions of its own, no getline.

mod eval;
mod parse;

use super::Io;
use super::text::{inputs, lines};
use eval::{Awk, Flow};
use parse::{Pattern, Rule};

/// `-F SEPARATOR`, `-v NAME=VALUE`, the program, the files.
struct Command {
    separator: String,
    variables: Vec<(String, String)>,
    program: Option<String>,
    files: Vec<String>,
}

fn command(argv: &[String]) -> Command {
    let mut c = Command { separator: " ".into(), variables: Vec::new(), program: None, files: Vec::new() };
    let mut args = argv.iter().skip(1);
    while let Some(a) = args.next() {
        match (c.program.is_some(), a.strip_prefix("-F"), a.strip_prefix("-v")) {
            (false, Some(""), _) => c.separator = args.next().cloned().unwrap_or_default(),
            (false, Some(separator), _) => c.separator = separator.into(),
            (false, _, Some(v)) => {
                let v = if v.is_empty() { args.next().cloned().unwrap_or_default() } else { v.to_string() };
                c.variables.extend(v.split_once('=').map(|(n, v)| (n.to_string(), v.to_string())));
            }
            (false, ..) if a == "--" => {}
            (false, ..) => c.program = Some(a.clone()),
            (true, ..) => c.files.push(a.clone()),
        }
    }
    if c.separator == "\\t" || c.separator == "t" {
        c.separator = "\t".into();
    }
    c
}

pub fn reads_stdin(argv: &[String]) -> bool {
    let c = command(argv);
    c.files.is_empty() && c.program.is_some_and(|p| !p.trim_start().starts_with("BEGIN") || p.matches('{').count() > 1)
}

pub fn awk(io: &mut Io) -> i32 {
    let c = command(&io.argv);
    let Some(program) = c.program else {
        io.complain("Usage: awk [-F SEPARATOR] [-v NAME=VALUE] PROGRAM [FILE]...");
        return 2;
    };
    let rules = match parse::parse(&program) {
        Ok(rules) => rules,
        Err(why) => {
            io.complain(format!("awk: cmd. line:1: {why}"));
            return 2;
        }
    };
    let mut awk = Awk::new(c.separator, c.variables);
    let result = run(io, &mut awk, &rules, &c.files);
    io.say(std::mem::take(&mut awk.out));
    match result {
        Ok(code) => code,
        Err(why) => {
            io.complain(format!("awk: cmd. line:1: {why}"));
            2
        }
    }
}

fn run(io: &mut Io, awk: &mut Awk, rules: &[Rule], files: &[String]) -> Result<i32, String> {
    let at = |want: &'static str| rules.iter().filter(move |r| matches!(&r.pattern, Pattern::At(w) if *w == want));
    let mut left = None;
    for r in at("BEGIN") {
        if let Flow::Exit(code) = awk.run(&r.action)? {
            left = Some(code);
            break;
        }
    }
    let only_begin = rules.iter().all(|r| matches!(r.pattern, Pattern::At("BEGIN")));
    let mut failed = 0;
    if left.is_none() && !only_begin {
        let (all, code) = inputs(io, files);
        failed = code;
        'records: for (_, data) in all {
            for l in lines(&data) {
                awk.record(&String::from_utf8_lossy(l));
                for r in rules {
                    let hit = match &r.pattern {
                        Pattern::Always => true,
                        Pattern::At(_) => false,
                        Pattern::When(e) => awk.value(e)?.is_true(),
                    };
                    match if hit { awk.run(&r.action)? } else { Flow::On } {
                        Flow::Next => break,
                        Flow::Exit(code) => {
                            left = Some(code);
                            break 'records;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    for r in at("END") {
        if let Flow::Exit(code) = awk.run(&r.action)? {
            left = Some(code);
            break;
        }
    }
    Ok(left.unwrap_or(failed))
}
