//! The Tab key.

use super::bench::Bench;
use super::run::Shell;
use super::screen::{Home, Screen};
use super::sink::Sink;
use super::words::{assemble, pieces};
use kubectl::Env;
use protocol::Completion;

/// Commands that begin a line.
const COMMANDS: &[&str] = &[
    "alias", "awk", "cat", "cd", "clear", "cut", "echo", "edit", "export", "grep", "head", "help", "kubectl", "ls",
    "sed", "sort", "tail", "tee", "tr", "uniq", "watch", "wc", "xargs",
];

/// The command that the line ends in: behind the last pipe, joint or substitution.
fn last_command(line: &str) -> &str {
    let (mut from, mut quote) = (0, None);
    for (i, c) in line.char_indices() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '|' | ';' | '&' | '(' | '`') => from = i + 1,
            _ => {}
        }
    }
    line[from..].trim_start()
}

impl Shell {
    pub async fn completion(&self, line: &str) -> Completion {
        let text = last_command(line);
        let list = pieces(text);
        let mut words = assemble(&list, |_| String::new()).words;
        if text.is_empty() || text.ends_with(char::is_whitespace) {
            words.push(String::new());
        }
        let last = words.last().cloned().unwrap_or_default();
        let replaces = last.chars().count();
        let done = |words| Completion { line: line.into(), replaces, words };
        if words.len() == 1 {
            let aliases: Vec<String> = self.state.borrow().aliases.keys().cloned().collect();
            let all = COMMANDS.iter().map(ToString::to_string).chain(aliases);
            let mut found: Vec<String> = all.filter(|c| c.starts_with(&last)).collect();
            found.sort();
            return done(found);
        }
        if let Some(alias) = self.state.borrow().aliases.get(&words[0]) {
            let front: Vec<String> = alias.split_whitespace().map(String::from).collect();
            words.splice(..1, front);
        }
        while matches!(words[0].as_str(), "watch" | "xargs") && words.len() > 2 {
            words.remove(0);
        }
        // Behind a redirection stands a file.
        let before = text[..text.len() - last.len().min(text.len())].trim_end();
        if words[0] != "kubectl" || before.ends_with(['<', '>']) {
            return done(self.files(&last));
        }
        let mut config = self.state.borrow().config.clone();
        let files = Home(self.clone());
        let mut screen = Screen { shell: self.clone(), out: Sink::Null, err: Sink::Null, stdin: None };
        let mut env = Env {
            client: &self.desk,
            files: &files,
            terminal: &mut screen,
            config: &mut config,
            stdin: None,
            help: "",
        };
        done(kubectl::complete(&words[1..], &mut env).await)
    }

    fn files(&self, last: &str) -> Vec<String> {
        let (dir, prefix) = last.rfind('/').map_or((".", ""), |i| (&last[..i], &last[..=i]));
        let cwd = self.state.borrow().cwd.clone();
        let bench: &Bench = &self.bench.borrow();
        let named = |n: String| {
            let path = format!("{prefix}{n}");
            if bench.list(&cwd, &path).is_some() { path + "/" } else { path }
        };
        let names = bench.list(&cwd, if dir.is_empty() { "/" } else { dir }).unwrap_or_default();
        let mut found: Vec<String> = names.into_iter().map(named).filter(|p| p.starts_with(last)).collect();
        found.sort();
        found
    }
}
