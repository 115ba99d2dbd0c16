//! Commands and their flags, in the manner of cobra and pflag.

mod parse;

#[cfg(test)]
mod tests;

pub(crate) use parse::{Flags, Parsed, find, go_duration, parse};

/// One command a block: `> path<tab>aliases<tab>usage<tab>what it does`, then its flags as `shorthand/name:type=default`,
/// types `b`ool, `s`tring, `i`nteger, `d`uration, `l`ist split at commas, `a`rray; `?` the value of a flag without one.
const TABLE: &str = include_str!("table.txt");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Bool,
    String,
    Int,
    Duration,
    /// Split at commas.
    List,
    Array,
}

#[derive(Clone, Debug)]
pub(crate) struct Flag {
    pub shorthand: Option<char>,
    pub name: &'static str,
    pub kind: Type,
    /// What a flag without a value means.
    pub bare: Option<&'static str>,
    pub default: &'static str,
    /// One of those that every command takes, and that this one has not made its own.
    pub global: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Command {
    /// `create job`; empty for kubectl itself.
    pub path: &'static str,
    pub aliases: Vec<&'static str>,
    pub usage: &'static str,
    pub short: &'static str,
    pub flags: Vec<Flag>,
}

impl Command {
    pub fn full(&self) -> String {
        if self.path.is_empty() { "kubectl".into() } else { format!("kubectl {}", self.path) }
    }
    pub fn name(&self) -> &'static str {
        self.path.rsplit(' ').next().unwrap_or("")
    }
    pub fn parent(&self) -> &'static str {
        self.path.rsplit_once(' ').map_or("", |(p, _)| p)
    }
    pub fn flag(&self, name: &str) -> Option<&Flag> {
        self.flags.iter().find(|f| f.name == name)
    }
}

/// Flags that every command takes.
const GLOBAL: &str = "as:s as-group:a as-uid:s cache-dir:s certificate-authority:s client-certificate:s client-key:s \
    cluster:s context:s disable-compression:b insecure-skip-tls-verify:b kubeconfig:s kuberc:s log-flush-frequency:d=5s \
    match-server-version:b n/namespace:s password:s profile:s=none profile-output:s=profile.pprof request-timeout:s=0 \
    s/server:s tls-server-name:s token:s user:s username:s v/v:i vmodule:s warnings-as-errors:b h/help:b";

/// All commands, kubectl itself first.
pub(crate) fn commands() -> Vec<Command> {
    let global: Vec<Flag> = GLOBAL.split_whitespace().filter_map(flag).collect();
    let mut list: Vec<Command> = Vec::new();
    for line in TABLE.lines() {
        if let Some(head) = line.strip_prefix("> ") {
            let mut parts = head.split('\t');
            let mut next = || parts.next().unwrap_or("");
            let (path, aliases, usage, short) = (next(), next(), next(), next());
            list.push(Command { path, aliases: aliases.split_whitespace().collect(), usage, short, flags: Vec::new() });
        } else if let Some(command) = list.last_mut() {
            command.flags.extend(line.split_whitespace().filter_map(flag));
        }
    }
    for command in &mut list {
        for g in &global {
            if command.flag(g.name).is_none() {
                let taken = command.flags.iter().any(|f| f.shorthand.is_some() && f.shorthand == g.shorthand);
                command.flags.push(Flag { shorthand: g.shorthand.filter(|_| !taken), global: true, ..g.clone() });
            }
        }
    }
    list
}

fn flag(token: &'static str) -> Option<Flag> {
    let (name, rest) = token.split_once(':')?;
    let (shorthand, name) = match name.split_once('/') {
        Some((s, name)) => (s.chars().next(), name),
        None => (None, name),
    };
    let (rest, default) = rest.split_once('=').unwrap_or((rest, ""));
    let (kind, bare) = match rest.split_once('?') {
        Some((kind, bare)) => (kind, Some(bare)),
        None => (rest, None),
    };
    let kind = match kind {
        "b" => Type::Bool,
        "i" => Type::Int,
        "d" => Type::Duration,
        "l" => Type::List,
        "a" => Type::Array,
        _ => Type::String,
    };
    let bare = if kind == Type::Bool { Some("true") } else { bare };
    let default = match (kind, default) {
        (Type::Bool, "") => "false",
        (Type::Int, "") => "0",
        (Type::Duration, "") => "0s",
        (_, d) => d,
    };
    Some(Flag { shorthand, name, kind, bare, default, global: false })
}

/// Whether every command takes it.
pub(crate) fn is_global(name: &str) -> bool {
    GLOBAL.split_whitespace().filter_map(flag).any(|f| f.name == name)
}
