//! `kubectl __complete`, which completion scripts ask. Models cobra's `getCompletions`: commands, flags and their values;
//! what stands for arguments is in `completed.rs`.

use crate::completed;
use crate::cx::Cx;
use crate::env::Env;
use crate::error::Error;
use crate::flags::{self, Command, Flag, Type};

/// What a shell shall do with the words.
pub(crate) const ERROR_NONE: u8 = 0;
pub(crate) const NO_SPACE: u8 = 2;
pub(crate) const NO_FILES: u8 = 4;
const FILE_ENDINGS: u8 = 8;

/// Words, each with a tab and what it is where that is known, and what the shell shall do.
pub(crate) type Words = (Vec<String>, u8);

pub(crate) fn is_asked(word: &str) -> bool {
    matches!(word, "__complete" | "__completeNoDesc")
}

/// `args` begin with which of both was asked.
pub(crate) async fn run(args: &[String], env: &mut Env<'_>) -> i32 {
    let described = args.first().is_some_and(|a| a == "__complete");
    let Some((last, before)) = args.get(1..).and_then(<[String]>::split_last) else {
        env.terminal.err(&Error::text("requires at least 1 arg(s), only received 0").said());
        return 1;
    };
    let (words, directive) = match completions(last, before, env).await {
        Ok(words) => words,
        Err(why) => {
            env.terminal.err(&why);
            (Vec::new(), ERROR_NONE)
        }
    };
    let mut out = String::new();
    for word in words {
        let word = if described { word.as_str() } else { word.split('\t').next().unwrap_or("") };
        out.push_str(word.lines().next().unwrap_or("").trim());
        out.push('\n');
    }
    env.terminal.out(&format!("{out}:{directive}\n"));
    let named: Vec<&str> = [
        (NO_SPACE, "ShellCompDirectiveNoSpace"),
        (NO_FILES, "ShellCompDirectiveNoFileComp"),
        (FILE_ENDINGS, "ShellCompDirectiveFilterFileExt"),
    ]
    .into_iter()
    .filter(|(bit, _)| directive & bit != 0)
    .map(|(_, name)| name)
    .collect();
    let named = if named.is_empty() { "ShellCompDirectiveDefault".to_string() } else { named.join(", ") };
    let ended = format!("Completion ended with directive: {named}\n");
    match flags::find(before) {
        // What this one says goes all to standard output.
        Ok((command, _)) if command.path == "options" => env.terminal.out(&ended),
        _ => env.terminal.err(&ended),
    }
    0
}

async fn completions(last: &str, before: &[String], env: &mut Env<'_>) -> Result<Words, String> {
    if before.first().is_some_and(|w| w == "help") {
        return Ok((topics(last, &before[1..]), NO_FILES));
    }
    let (command, rest) = flags::find(before).map_err(|_| {
        format!(
            "[Debug] Cleared global flags for plugin completion\n[Debug] [Error] unable to find a command for arguments: \
             [{}]\n",
            before.join(" ")
        )
    })?;
    let all = flags::commands();
    let wanted = Wanted::of(&command, rest, last);
    // What follows two dashes is no flag.
    let dashed = wanted.args.iter().any(|a| a == "--");
    let path = command.path.split_whitespace().map(String::from);
    let parsed = flags::parse(&path.chain(wanted.args.iter().cloned()).collect::<Vec<_>>()).map_err(|e| {
        let why = e.lines().next().unwrap_or("");
        format!("[Debug] [Error] Error while parsing flags from args [{}]: {why}\n", wanted.args.join(" "))
    })?;
    if let (Some(unknown), false) = (&wanted.unknown, dashed) {
        let name = if command.path.is_empty() { "kubectl" } else { command.name() };
        return Err(format!("[Debug] [Error] Subcommand '{name}' does not support flag '{unknown}'\n"));
    }
    if parsed.flags.bool("help") {
        return Ok((Vec::new(), NO_FILES));
    }
    let last = wanted.last;
    let missing = || -> Vec<String> {
        let required = crate::commands::required_flags(command.path).iter().filter(|n| !parsed.flags.changed(n));
        required.filter_map(|n| command.flag(n)).flat_map(|f| flag_words(env.help, &command, f, &last)).collect()
    };
    let flag = wanted.flag.filter(|_| !dashed);
    if let Some(flag) = flag {
        if flag.name == "filename" {
            return Ok((["json", "yaml", "yml"].map(String::from).to_vec(), FILE_ENDINGS));
        }
        let mut cx = Cx::new(env, parsed);
        return Ok(completed::value(&mut cx, &flag, &last).await);
    }
    if last.starts_with('-') && !last.contains('=') && !dashed {
        let mut words = missing();
        if words.is_empty() {
            let again = |f: &Flag| !parsed.flags.changed(f.name) || matches!(f.kind, Type::List | Type::Array);
            for global in [true, false] {
                let here = |f: &&Flag| (f.global && f.name != "help") == global && again(f);
                let mut some: Vec<&Flag> = command.flags.iter().filter(here).collect();
                some.sort_by_key(|f| f.name);
                words.extend(some.into_iter().flat_map(|f| flag_words(env.help, &command, f, &last)));
            }
        }
        return Ok((words, NO_FILES));
    }
    let own = command.flags.iter().any(|f| !f.global && parsed.flags.changed(f.name));
    let (mut words, mut directive) = (Vec::new(), ERROR_NONE);
    if parsed.args.is_empty() && !own {
        let children = below(&all, &command, &last);
        if children.0 {
            directive = NO_FILES;
        }
        words = children.1;
    }
    words.extend(missing());
    let mut cx = Cx::new(env, parsed);
    if let Some((more, what)) = completed::arguments(&mut cx, &last).await {
        words.extend(more);
        directive = what;
    }
    Ok((words, directive))
}

/// Whether a command has others below it, and those that begin with a word.
fn below(all: &[Command], command: &Command, last: &str) -> (bool, Vec<String>) {
    let mut found: Vec<(&str, &str)> =
        all.iter().filter(|c| !c.path.is_empty() && c.parent() == command.path).map(|c| (c.name(), c.short)).collect();
    if command.path.is_empty() {
        found.push(("help", "Help about any command"));
    }
    found.sort_unstable();
    let fits = found.iter().filter(|(name, _)| name.starts_with(last));
    (!found.is_empty(), fits.map(|(name, short)| format!("{name}\t{short}")).collect())
}

/// What `kubectl help` can be asked about.
fn topics(last: &str, before: &[String]) -> Vec<String> {
    let all = flags::commands();
    match flags::find(before) {
        Ok((command, rest)) if rest.is_empty() => {
            let mut words = below(&all, &command, last).1;
            words.retain(|w| !w.starts_with("help\t"));
            words
        }
        _ => Vec::new(),
    }
}

/// `--name` and `-n`, as far as they begin with a word, with what the flag means. A flag without words is a hidden one.
fn flag_words(help: &str, command: &Command, flag: &Flag, last: &str) -> Vec<String> {
    let meaning = match flag.name {
        "help" => Some(format!("help for {}", if command.path.is_empty() { "kubectl" } else { command.name() })),
        name => crate::help::meaning(help, command.path, name),
    };
    let Some(meaning) = meaning.or_else(|| help.is_empty().then(String::new)) else { return Vec::new() };
    let short = flag.shorthand.map(|s| format!("-{s}"));
    let names = std::iter::once(format!("--{}", flag.name)).chain(short);
    names.filter(|n| n.starts_with(last)).map(|n| format!("{n}\t{meaning}")).collect()
}

/// Which flag's value is completed, if one's is. Models `checkIfFlagCompletion`.
struct Wanted {
    flag: Option<Flag>,
    unknown: Option<String>,
    args: Vec<String>,
    last: String,
}

impl Wanted {
    fn of(command: &Command, mut args: Vec<String>, last: &str) -> Wanted {
        let by_name = |name: &str| {
            let letter = |f: &&Flag| name.chars().count() == 1 && f.shorthand == name.chars().next();
            command.flag(name).or_else(|| command.flags.iter().find(letter)).cloned()
        };
        // The name of what looks like a flag; of several letters the last.
        let named = |word: &str| match word.strip_prefix("--") {
            Some(long) => long.to_string(),
            None => word.chars().last().map(String::from).unwrap_or_default(),
        };
        let plain = |args, last: &str| Wanted { flag: None, unknown: None, args, last: last.into() };
        if last.starts_with('-') {
            let Some((flag, value)) = last.split_once('=') else { return plain(args, last) };
            let name = named(flag);
            return match by_name(&name) {
                Some(f) => Wanted { flag: Some(f), unknown: None, args, last: value.into() },
                None => Wanted { unknown: Some(name), ..plain(args, last) },
            };
        }
        let Some(previous) = args.last().filter(|p| is_flag(p) && !p.contains('=')) else { return plain(args, last) };
        let name = named(previous);
        match by_name(&name) {
            Some(f) if f.bare.is_none() => {
                args.pop();
                Wanted { flag: Some(f), unknown: None, args, last: last.into() }
            }
            Some(_) => plain(args, last),
            None => Wanted { unknown: Some(name), ..plain(args, last) },
        }
    }
}

/// Models `isFlagArg`.
fn is_flag(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next() == Some('-')
        && match chars.next() {
            Some('-') => chars.next().is_some_and(|c| c != '-'),
            other => other.is_some(),
        }
}
