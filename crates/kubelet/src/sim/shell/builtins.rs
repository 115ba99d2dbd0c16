//! The commands that act on the shell itself.

use super::interactive::Line;
use super::{Shell, Wait, code};
use crate::sim::fs::{moved, normalize, seen};
use crate::sim::machine::{Kind, Machine, State, World};
use crate::sim::programs::{self, Running};

const BUILTINS: &[&str] = &[
    ":", ".", "source", "break", "cd", "continue", "eval", "exec", "exit", "export", "local", "declare", "read",
    "readonly", "return", "set", "shift", "trap", "type", "command", "unset", "wait", "ulimit", "umask", "jobs", "let",
    "alias", "unalias",
];

pub fn is_builtin(name: &str) -> bool {
    BUILTINS.contains(&name)
}

impl Shell {
    pub(super) fn builtin(
        &mut self,
        argv: &[String],
        m: &mut Machine,
        pid: u32,
        world: &mut World,
    ) -> Result<(), String> {
        let args = &argv[1..];
        let number = |i: usize| args.get(i).and_then(|a| a.parse::<i32>().ok());
        self.status = match argv[0].as_str() {
            ":" | "ulimit" | "umask" | "jobs" => 0,
            "cd" => self.cd(args, m, pid, world),
            "exit" => {
                let code = number(0).unwrap_or(self.status) & 0xff;
                self.ended = Some(code);
                code
            }
            "return" => {
                let code = number(0).unwrap_or(self.status);
                self.pop_frame(m, pid);
                code
            }
            "break" | "continue" => {
                self.leave_loop(number(0).unwrap_or(1), argv[0] == "continue", m, pid);
                0
            }
            "export" | "readonly" | "local" | "declare" => self.export(argv[0] == "export", args),
            "unset" => {
                for a in args.iter().filter(|a| !a.starts_with('-')) {
                    self.vars.remove(a);
                    self.arrays.remove(a);
                    self.functions.remove(a);
                }
                0
            }
            "set" => self.set(args),
            "shift" => {
                let n = usize::try_from(number(0).unwrap_or(1)).unwrap_or(0);
                let ok = n <= self.positional.len();
                self.positional.drain(..n.min(self.positional.len()));
                i32::from(!ok)
            }
            "let" if args.is_empty() => {
                m.emit(pid, &format!("{}: let: expression expected\n", self.prefix()), true, world);
                if self.bash { 1 } else { 2 }
            }
            "let" => {
                let mut last = 0;
                for a in args {
                    last = self.compute(a)?;
                }
                i32::from(last == 0)
            }
            "alias" => self.alias(args, m, pid, world),
            "unalias" => {
                if args.iter().any(|a| a == "-a") {
                    self.aliases.clear();
                }
                let gone = args.iter().filter(|a| !a.starts_with('-') && self.aliases.remove(*a).is_none());
                let missing: Vec<String> = gone.cloned().collect();
                for name in &missing {
                    let text = match self.bash {
                        true => format!("{}: unalias: {name}: not found\n", self.prefix()),
                        false => format!("unalias: {name} not found\n"),
                    };
                    m.emit(pid, &text, true, world);
                }
                i32::from(!missing.is_empty())
            }
            "eval" => {
                let code = code::compile(&args.join(" "))?;
                self.push(code, None, None, None);
                self.status
            }
            "." | "source" => return self.source(args, m, pid, world),
            "trap" => self.trap(args)?,
            "wait" => {
                let mut jobs: Vec<u32> = args.iter().filter_map(|a| a.parse().ok()).collect();
                if args.is_empty() {
                    jobs = std::mem::take(&mut self.background);
                }
                self.wait = Some(Wait::Jobs(jobs));
                0
            }
            "read" => return self.read(args, m, pid),
            "command" | "type" => {
                let name = args.iter().find(|a| !a.starts_with('-')).cloned().unwrap_or_default();
                let query = argv[0] == "type" || args.iter().any(|a| a == "-v" || a == "-V");
                if !query {
                    let rest: Vec<String> = args.iter().skip_while(|a| a.starts_with('-')).cloned().collect();
                    let Some(fds) = m.procs.get(&pid).map(|p| p.fds.clone()).filter(|_| !rest.is_empty()) else {
                        return Ok(());
                    };
                    return self.command(rest, &[], fds, m, pid, world);
                }
                let known = is_builtin(&name) || self.functions.contains_key(&name) || programs::exists(m.image, &name);
                if known {
                    let text = if is_builtin(&name) { name } else { format!("/bin/{name}") };
                    m.emit(pid, &format!("{text}\n"), false, world);
                }
                if known { 0 } else { 127 }
            }
            "exec" if args.is_empty() => 0,
            "exec" => {
                if !programs::exists(m.image, &args[0]) {
                    m.emit(pid, &format!("sh: exec: {}: not found\n", args[0]), true, world);
                    self.ended = Some(127);
                    return Ok(());
                }
                let env = self.environment();
                if let Some(p) = m.procs.get_mut(&pid) {
                    p.argv = args.to_vec();
                    p.env = env;
                    p.state = State::Sleeping(p.clock);
                }
                self.replaced = true;
                0
            }
            _ => 0,
        };
        Ok(())
    }

    /// What takes the shell's place after `exec`.
    pub fn successor() -> Kind {
        Kind::Program(Running::Start)
    }

    fn cd(&mut self, args: &[String], m: &mut Machine, pid: u32, world: &mut World) -> i32 {
        let home = self.variable("HOME").unwrap_or_else(|| "/root".into());
        let Some(cwd) = m.procs.get(&pid).map(|p| p.cwd.clone()) else { return 1 };
        let target = match args.first().map(String::as_str) {
            None => home,
            Some("-") => self.variable("OLDPWD").unwrap_or_else(|| seen(&cwd).into()),
            Some(d) => d.to_string(),
        };
        let path = normalize(&cwd, &target);
        if !m.fs.is_dir(&path, world.volumes) {
            let text = format!("{}: cd: can't cd to {target}: No such file or directory\n", self.prefix());
            m.emit(pid, &text, true, world);
            return if self.bash { 1 } else { 2 };
        }
        let path = moved(&cwd, path);
        self.assign("OLDPWD", seen(&cwd).into());
        self.assign("PWD", seen(&path).into());
        if let Some(p) = m.procs.get_mut(&pid) {
            p.cwd = path;
        }
        0
    }

    /// `alias [NAME[=TEXT]...]`
    fn alias(&mut self, args: &[String], m: &mut Machine, pid: u32, world: &mut World) -> i32 {
        let word = if self.bash { "alias " } else { "" };
        let shown = |name: &str, text: &str| format!("{word}{name}={}\n", super::start::quote(text));
        if args.is_empty() {
            let all: String = self.aliases.iter().map(|(name, text)| shown(name, text)).collect();
            m.emit(pid, &all, false, world);
        }
        let mut code = 0;
        for a in args.iter().filter(|a| *a != "-p") {
            if let Some((name, text)) = a.split_once('=') {
                self.aliases.insert(name.into(), text.into());
            } else if let Some(text) = self.aliases.get(a) {
                m.emit(pid, &shown(a, text), false, world);
            } else {
                let text = match self.bash {
                    true => format!("{}: alias: {a}: not found\n", self.prefix()),
                    false => format!("alias: {a} not found\n"),
                };
                m.emit(pid, &text, true, world);
                code = 1;
            }
        }
        code
    }

    fn leave_loop(&mut self, levels: i32, again: bool, m: &mut Machine, pid: u32) {
        let Some(f) = self.frames.last_mut() else { return };
        for level in 1..=levels.max(1) {
            let Some(l) = f.loops.last().copied() else { return };
            let final_level = level == levels.max(1) || f.loops.len() == 1;
            self.cases.truncate(l.cases);
            while self.saved.len() > l.saved {
                if let (Some(fds), Some(p)) = (self.saved.pop(), m.procs.get_mut(&pid)) {
                    p.fds = fds;
                }
            }
            if !final_level {
                f.loops.pop();
                self.lists.truncate(l.lists.saturating_sub(1));
                continue;
            }
            if again {
                self.lists.truncate(l.lists);
                f.at = l.next;
            } else {
                // A `for` loop's own list was pushed before the loop was entered.
                let is_for = matches!(f.code.ops.get(l.next), Some(code::Op::ForNext(..)));
                self.lists.truncate(if is_for { l.lists.saturating_sub(1) } else { l.lists });
                f.at = l.end;
            }
            return;
        }
    }

    fn export(&mut self, exported: bool, args: &[String]) -> i32 {
        for a in args.iter().filter(|a| !a.starts_with('-')) {
            let (name, value) = match a.split_once('=') {
                Some((n, v)) => (n, Some(v.to_string())),
                None => (a.as_str(), None),
            };
            let before = self.vars.get(name).cloned();
            let value = value.or_else(|| before.as_ref().map(|(v, _)| v.clone())).unwrap_or_default();
            let flag = exported || before.is_some_and(|(_, e)| e);
            self.vars.insert(name.into(), (value, flag));
        }
        0
    }

    fn set(&mut self, args: &[String]) -> i32 {
        let mut rest = args.iter();
        while let Some(a) = rest.next() {
            let on = a.starts_with('-');
            match a.as_str() {
                "--" => {
                    self.positional = rest.cloned().collect();
                    return 0;
                }
                "-o" | "+o" => match rest.next().map(String::as_str) {
                    Some("errexit") => self.errexit = on,
                    Some("nounset") => self.nounset = on,
                    Some("xtrace") => self.xtrace = on,
                    _ => {}
                },
                _ if on || a.starts_with('+') => {
                    if a.contains('e') {
                        self.errexit = on;
                    }
                    if a.contains('u') {
                        self.nounset = on;
                    }
                    if a.contains('x') {
                        self.xtrace = on;
                    }
                    if a.ends_with('o') {
                        rest.next();
                    }
                }
                _ => {
                    self.positional = std::iter::once(a).chain(rest).cloned().collect();
                    return 0;
                }
            }
        }
        0
    }

    fn trap(&mut self, args: &[String]) -> Result<i32, String> {
        let Some((action, signals)) = args.split_first() else { return Ok(0) };
        for s in signals {
            let Some(n) = programs::signal_number(s) else { continue };
            if action == "-" {
                self.traps.remove(&n);
            } else if action.is_empty() {
                self.traps.insert(n, None);
            } else {
                self.traps.insert(n, Some(code::compile(action)?));
            }
        }
        Ok(0)
    }

    fn source(&mut self, args: &[String], m: &mut Machine, pid: u32, world: &mut World) -> Result<(), String> {
        let file = args.first().cloned().unwrap_or_default();
        let cwd = m.procs.get(&pid).map(|p| p.cwd.clone()).unwrap_or_default();
        match m.fs.read(&normalize(&cwd, &file), world.volumes) {
            Ok(data) => {
                let code = code::compile(&String::from_utf8_lossy(&data))?;
                self.push(code, None, None, None);
                Ok(())
            }
            Err(_) if self.bash => Err(format!("{file}: No such file or directory")),
            Err(_) => Err(format!("can't open '{file}': No such file or directory")),
        }
    }

    /// One line of standard input into variables; the last takes the rest.
    fn read(&mut self, args: &[String], m: &mut Machine, pid: u32) -> Result<(), String> {
        let names: Vec<String> = args.iter().filter(|a| !a.starts_with('-')).cloned().collect();
        let raw = args.iter().any(|a| a.starts_with('-') && a.contains('r'));
        let (line, more) = match self.read_line(m, pid) {
            Line::Read(line, whole) => (Some(line), whole),
            Line::End => (None, false),
            Line::Later => {
                // Asked again when there is more.
                if let Some(f) = self.frames.last_mut() {
                    f.at -= 1;
                }
                return Ok(());
            }
        };
        let text = String::from_utf8_lossy(&line.clone().unwrap_or_default()).into_owned();
        let text = if raw { text } else { text.replace('\\', "") };
        let names = if names.is_empty() { vec!["REPLY".to_string()] } else { names };
        let ifs = self.variable("IFS").unwrap_or_else(|| " \t\n".into());
        let separates = |c: char| ifs.contains(c);
        let blank = |c: char| separates(c) && c.is_whitespace();
        let mut rest = text.trim_matches(blank);
        for (i, n) in names.iter().enumerate() {
            if i + 1 == names.len() {
                self.assign(n, rest.to_string());
            } else {
                let end = rest.find(separates).unwrap_or(rest.len());
                self.assign(n, rest[..end].to_string());
                // One separator, and the blanks about it.
                let tail = rest[end..].trim_start_matches(blank);
                rest = tail.strip_prefix(|c: char| separates(c) && !blank(c)).unwrap_or(tail).trim_start_matches(blank);
            }
        }
        self.status = i32::from(line.is_none() || !more && text.is_empty());
        Ok(())
    }
}
