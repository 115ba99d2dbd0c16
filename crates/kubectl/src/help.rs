//! `--help`: as upstream's words have it, or the essential: what a command does, its commands or flags, how it is called.

use crate::flags::{Command, Type, commands};

pub(crate) fn has_children(command: &Command) -> bool {
    commands().iter().any(|c| !c.path.is_empty() && c.parent() == command.path)
}

/// Whether a command without arguments only tells what is in it.
pub(crate) fn is_group(command: &Command, args: &[String]) -> bool {
    // These two do something by themselves.
    args.is_empty() && has_children(command) && !matches!(command.path, "create" | "apply" | "cluster-info")
}

/// A command's whole help, as far as `all` has it: `=== create job` and the text, one command after the other.
pub(crate) fn text(all: &str, command: &Command) -> String {
    section(all, command.path).unwrap_or_else(|| essential(command))
}

fn section(all: &str, name: &str) -> Option<String> {
    let mut parts = all.strip_suffix('\n').unwrap_or(all).split("\n=== ").filter_map(|p| p.split_once('\n'));
    parts.find(|(path, _)| *path == name).map(|(_, text)| format!("{text}\n"))
}

/// What a shell reads to complete kubectl's words, which is kept beside the help.
pub(crate) fn script(all: &str, shell: &str) -> Option<String> {
    section(all, &format!("completion/{shell}"))
}

/// What one flag of a command means, from its help or from that of the flags that all have.
pub(crate) fn meaning(all: &str, path: &str, flag: &str) -> Option<String> {
    let of = |path: &str| {
        let section = section(all, path)?;
        let mark = format!("--{flag}=");
        let mut lines = section.lines();
        lines.find(|l| l.starts_with("    ") && l.split_whitespace().take(2).any(|w| w.starts_with(&mark)))?;
        lines.next().map(|l| l.trim().to_string())
    };
    of(path).or_else(|| of("options"))
}

fn essential(command: &Command) -> String {
    let mut text = String::new();
    if command.path.is_empty() {
        text.push_str("kubectl controls the Kubernetes cluster manager.\n\n Find more information at: https://kubernetes.io/docs/reference/kubectl/\n\n");
    } else {
        text.push_str(&format!("{}.\n\n", command.short));
    }
    let children: Vec<Command> =
        commands().into_iter().filter(|c| !c.path.is_empty() && c.parent() == command.path).collect();
    if !children.is_empty() {
        let width = children.iter().map(|c| c.name().len()).max().unwrap_or(0).max(13);
        text.push_str("Available Commands:\n");
        for c in &children {
            text.push_str(&format!("  {:<width$} {}\n", c.name(), c.short));
        }
        text.push('\n');
    }
    let own: Vec<_> = command.flags.iter().filter(|f| !crate::flags::is_global(f.name)).collect();
    if !own.is_empty() {
        text.push_str("Options:\n");
        for f in own {
            let shorthand = f.shorthand.map_or(String::new(), |s| format!("-{s}, "));
            let default = match f.kind {
                Type::String => format!("'{}'", f.default),
                Type::List | Type::Array => format!("[{}]", f.default),
                _ => f.default.to_string(),
            };
            text.push_str(&format!("    {shorthand}--{}={default}\n", f.name));
        }
        text.push('\n');
    }
    let path = command.full();
    let usage = if command.usage.is_empty() { "SUBCOMMAND".to_string() } else { command.usage.to_string() };
    text.push_str(&format!("Usage:\n  {path} {usage} [options]\n\n"));
    if !children.is_empty() {
        text.push_str(&format!("Use \"{path} <command> --help\" for more information about a given command.\n"));
    }
    text.push_str("Use \"kubectl options\" for a list of global command-line options (applies to all commands).\n");
    text
}
