//! A POSIX shell over virtual time. A script is parsed (by `brush-parser`), flattened to operations, and run one
//! operation after another; whatever takes time suspends the shell, which goes on where it was.

mod arrays;
mod builtins;
mod code;
mod condition;
mod expand;
mod interactive;
pub mod pattern;
mod redirect;
mod start;

use super::catalogue::Tools;
use super::machine::{Fds, Input, Kind, Machine, Output, Proc, State, World};
use super::programs::{self, Io};
use code::{Assigned, Code, Op, Piece, Simple};
use expand::Around;
use interactive::Lines;
use meta::Rng;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Functions that call themselves end here.
const MAX_FRAMES: usize = 200;

#[derive(Clone, Debug)]
struct Frame {
    code: Arc<Code>,
    at: usize,
    loops: Vec<Loop>,
    /// What a function's end restores.
    positional: Option<Vec<String>>,
    /// Redirections to undo at its end.
    fds: Option<Fds>,
    /// A trap's handler leaves the status alone.
    status: Option<i32>,
    /// The aliases that this is the text of: in it they are names like others.
    aliases: Vec<String>,
}

impl Frame {
    fn new(code: Arc<Code>) -> Frame {
        Frame { code, at: 0, loops: Vec::new(), positional: None, fds: None, status: None, aliases: Vec::new() }
    }
}

#[derive(Clone, Copy, Debug)]
struct Loop {
    end: usize,
    next: usize,
    /// How many `for` lists, `case` words and redirections were open outside it.
    lists: usize,
    cases: usize,
    saved: usize,
}

#[derive(Clone, Debug)]
enum Wait {
    Foreground(u32),
    Pipeline(Vec<u32>),
    Substitution(u32, u32),
    /// The `wait` builtin: these, one after the other.
    Jobs(Vec<u32>),
}

#[derive(Clone, Debug)]
pub struct Shell {
    frames: Vec<Frame>,
    /// Values, and whether they are exported.
    vars: BTreeMap<String, (String, bool)>,
    arrays: BTreeMap<String, BTreeMap<usize, String>>,
    functions: BTreeMap<String, Arc<Code>>,
    aliases: BTreeMap<String, String>,
    /// What `$RANDOM` is drawn from, and for which process; `None`: the shell has no such variable.
    random: Option<(u32, Rng)>,
    positional: Vec<String>,
    name: String,
    status: i32,
    lists: Vec<Vec<String>>,
    cases: Vec<String>,
    saved: Vec<Fds>,
    /// Results of the present operation's command substitutions.
    results: Vec<String>,
    wait: Option<Wait>,
    background: Vec<u32>,
    traps: BTreeMap<i32, Option<Arc<Code>>>,
    pending: Vec<i32>,
    errexit: bool,
    nounset: bool,
    xtrace: bool,
    /// `$$` of a subshell is its parent's.
    pid: Option<u32>,
    bash: bool,
    ended: Option<i32>,
    replaced: bool,
    /// It reads its commands from standard input.
    lines: Option<Lines>,
    /// What it has read of a line whose end has not come yet.
    partial: Vec<u8>,
}

impl Shell {
    /// A subshell: a copy that runs something else.
    fn sub(&self, code: &Arc<Code>, pid: u32) -> Shell {
        let mut s = self.clone();
        let aliases = self.frames.last().map(|f| f.aliases.clone()).unwrap_or_default();
        s.frames = vec![Frame { aliases, ..Frame::new(code.clone()) }];
        s.lists.clear();
        s.cases.clear();
        s.saved.clear();
        s.results.clear();
        s.wait = None;
        s.background.clear();
        s.pending.clear();
        s.traps.retain(|_, handler| handler.is_none());
        s.pid = Some(self.pid.unwrap_or(pid));
        s.lines = None;
        s
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.vars.get(name).map(|(v, _)| v.clone()).or_else(|| self.arrays.get(name)?.get(&0).cloned())
    }
    /// A variable as it is read, which may change it: `$RANDOM`.
    fn read_variable(&mut self, name: &str) -> Option<String> {
        match &mut self.random {
            Some((pid, random)) if name == "RANDOM" => {
                // Who sets it chooses the numbers that follow.
                if let Some((seed, _)) = self.vars.remove("RANDOM") {
                    let seed = seed.bytes().fold(u64::from(*pid), |n, b| n.wrapping_mul(31) + u64::from(b));
                    *random = Rng::new(seed);
                }
                Some((random.next_u32() & 0x7fff).to_string())
            }
            _ => self.variable(name),
        }
    }
    fn assign(&mut self, name: &str, value: String) {
        if let Some(array) = self.arrays.get_mut(name) {
            array.insert(0, value);
            return;
        }
        let exported = self.vars.get(name).is_some_and(|(_, e)| *e);
        self.vars.insert(name.into(), (value, exported));
    }
    fn environment(&self) -> Arc<BTreeMap<String, String>> {
        Arc::new(self.vars.iter().filter(|(_, (_, e))| *e).map(|(k, (v, _))| (k.clone(), v.clone())).collect())
    }

    /// Whether a redirection set aside still leads to `pipe`.
    pub fn holds(&self, pipe: u32) -> bool {
        let out = Output::Pipe(pipe);
        let frames = self.frames.iter().filter_map(|f| f.fds.as_ref());
        self.saved.iter().chain(frames).any(|f| f.stdout == out || f.stderr == out)
    }

    /// A signal arrives; whether the shell has said what to do with it.
    pub fn signal(&mut self, signal: i32) -> bool {
        match self.traps.get(&signal) {
            None if self.lines.as_ref().is_some_and(Lines::is_prompting) => signal != 1,
            Some(Some(_)) => {
                self.pending.push(signal);
                true
            }
            Some(None) => true,
            None => false,
        }
    }

    /// Whether the `wait` builtin is under way: a trapped signal ends it.
    pub fn waits_for_jobs(&self) -> bool {
        matches!(self.wait, Some(Wait::Jobs(_)))
    }

    fn prefix(&self) -> &str {
        if self.bash { "bash: line 1" } else { "sh" }
    }

    /// Runs on until it waits, ends, or has taken so many steps; how many it took.
    pub fn run(&mut self, m: &mut Machine, pid: u32, steps: u32, world: &mut World) -> u32 {
        // bash and busybox' shell have `$RANDOM`, dash does not.
        let has_random = self.bash || m.image.tools == Tools::Busybox;
        if has_random && self.random.as_ref().is_none_or(|(of, _)| *of != pid) {
            self.random = Some((pid, Rng::new(m.rng.clone().next_u64() ^ u64::from(pid))));
        }
        for step in 0..steps {
            if let Some(code) = self.ended {
                self.finish(m, pid, code);
                return step;
            }
            if self.is_waiting(m, pid) {
                return step;
            }
            // A signal the shell sent itself is seen at once.
            if let Some(p) = m.procs.get_mut(&pid) {
                p.pending.retain(|s| !self.signal(*s));
            }
            if let Some(signal) = (!self.pending.is_empty()).then(|| self.pending.remove(0))
                && let Some(Some(code)) = self.traps.get(&signal)
            {
                self.push(code.clone(), None, None, Some(self.status));
                continue;
            }
            self.step(m, pid, world);
            if self.replaced || m.exit.is_some() || !m.procs.get(&pid).is_some_and(|p| p.state == State::Ready) {
                return step + 1;
            }
        }
        steps
    }

    /// Whether the shell gave its process to another program (`exec`).
    pub fn is_replaced(&self) -> bool {
        self.replaced
    }

    fn finish(&mut self, m: &mut Machine, pid: u32, code: i32) {
        if let Some(Some(handler)) = self.traps.remove(&0) {
            self.ended = None;
            self.frames.clear();
            self.push(handler, None, None, Some(code));
            return;
        }
        if let Some(p) = m.procs.get_mut(&pid) {
            p.state = State::Done(code);
        }
    }

    fn push(&mut self, code: Arc<Code>, positional: Option<Vec<String>>, fds: Option<Fds>, status: Option<i32>) {
        self.frames.push(Frame { positional, fds, status, ..Frame::new(code) });
    }

    /// Looks after the child the shell waits for; true while it must.
    fn is_waiting(&mut self, m: &mut Machine, pid: u32) -> bool {
        let Some(wait) = self.wait.clone() else { return false };
        let block = |m: &mut Machine, child: u32| {
            if let Some(p) = m.procs.get_mut(&pid) {
                p.state = State::Waiting(child);
            }
            true
        };
        match wait {
            Wait::Foreground(child) => match m.reap(child) {
                Some(code) => self.status = code,
                None if m.procs.contains_key(&child) => return block(m, child),
                None => {}
            },
            Wait::Pipeline(mut children) => {
                while let Some(first) = children.first().copied() {
                    match m.reap(first) {
                        Some(code) => self.status = code,
                        None if m.procs.contains_key(&first) => {
                            self.wait = Some(Wait::Pipeline(children));
                            return block(m, first);
                        }
                        None => {}
                    }
                    children.remove(0);
                }
            }
            Wait::Substitution(child, pipe) => match m.reap(child) {
                None if m.procs.contains_key(&child) => return block(m, child),
                code => {
                    self.status = code.unwrap_or(0);
                    let data = m.pipes.remove(&pipe).unwrap_or_default();
                    let text = String::from_utf8_lossy(&data).replace('\0', "");
                    self.results.push(text.trim_end_matches('\n').to_string());
                }
            },
            Wait::Jobs(mut jobs) => {
                if !self.pending.is_empty() {
                    // A trapped signal ends `wait`.
                    self.status = 128 + self.pending[0];
                    self.wait = None;
                    return false;
                }
                while let Some(first) = jobs.first().copied() {
                    match m.reap(first) {
                        Some(code) => self.status = code,
                        None if m.procs.contains_key(&first) => {
                            self.wait = Some(Wait::Jobs(jobs));
                            return block(m, first);
                        }
                        None => {}
                    }
                    jobs.remove(0);
                }
            }
        }
        self.wait = None;
        false
    }

    fn pop_frame(&mut self, m: &mut Machine, pid: u32) {
        if let Some(f) = self.frames.pop() {
            if let Some(p) = f.positional {
                self.positional = p;
            }
            if let (Some(fds), Some(p)) = (f.fds, m.procs.get_mut(&pid)) {
                p.fds = fds;
            }
            if let Some(s) = f.status {
                self.status = s;
            }
        }
    }

    fn step(&mut self, m: &mut Machine, pid: u32, world: &mut World) {
        let Some(frame) = self.frames.last_mut() else {
            self.next_command(m, pid, world);
            return;
        };
        let code = frame.code.clone();
        let at = frame.at;
        let Some(op) = code.ops.get(at) else {
            self.pop_frame(m, pid);
            return;
        };
        frame.at += 1;
        match self.carry_out(op, m, pid, world) {
            Ok(()) => {}
            Err(why) => {
                let text = format!("{}: {why}\n", self.prefix());
                m.emit(pid, &text, true, world);
                self.results.clear();
                // An expansion error ends a script.
                self.give_up(if self.bash { 1 } else { 2 });
            }
        }
    }

    fn jump(&mut self, to: usize) {
        if let Some(f) = self.frames.last_mut() {
            f.at = to;
        }
    }

    /// Starts the next command substitution that is still missing; true while there is one.
    fn substitute(&mut self, list: &[Arc<Code>], m: &mut Machine, pid: u32) -> bool {
        let Some(code) = list.get(self.results.len()) else { return false };
        let Some(p) = m.procs.get(&pid).map(|p| (p.fds.clone(), p.cwd.clone(), p.clock, p.argv.clone())) else {
            return false;
        };
        let pipe = m.pipe();
        let fds = Fds { stdout: Output::Pipe(pipe), ..p.0 };
        let child = self.fork(code, fds, p.1, p.2, p.3, m, pid);
        self.wait = Some(Wait::Substitution(child, pipe));
        if let Some(f) = self.frames.last_mut() {
            f.at -= 1;
        }
        true
    }

    #[allow(clippy::too_many_arguments)]
    fn fork(
        &self,
        code: &Arc<Code>,
        fds: Fds,
        cwd: String,
        clock: meta::Time,
        argv: Vec<String>,
        m: &mut Machine,
        pid: u32,
    ) -> u32 {
        let kind = Kind::Shell(Box::new(self.sub(code, pid)));
        let env = self.environment();
        m.add(Proc {
            parent: pid,
            kind,
            argv,
            env,
            cwd,
            fds,
            state: State::Sleeping(clock),
            clock,
            pending: Vec::new(),
        })
    }

    fn spawn_sub(
        &mut self,
        code: &Arc<Code>,
        m: &mut Machine,
        pid: u32,
        input: Option<Input>,
        output: Option<Output>,
    ) -> u32 {
        let Some(p) = m.procs.get(&pid) else { return 0 };
        let mut fds = p.fds.clone();
        if let Some(i) = input {
            fds.stdin = i;
        }
        if let Some(o) = output {
            fds.stdout = o;
        }
        let (cwd, clock, argv) = (p.cwd.clone(), p.clock, p.argv.clone());
        self.fork(code, fds, cwd, clock, argv, m, pid)
    }

    fn carry_out(&mut self, op: &Op, m: &mut Machine, pid: u32, world: &mut World) -> Result<(), String> {
        match op {
            Op::Ok => self.status = 0,
            Op::Not => self.status = i32::from(self.status == 0),
            Op::Jump(to) => self.jump(*to),
            Op::JumpIfFail(to) if self.status != 0 => self.jump(*to),
            Op::JumpIfOk(to) if self.status == 0 => self.jump(*to),
            Op::JumpIfFail(_) | Op::JumpIfOk(_) => {}
            Op::LoopEnter(end, next) => {
                let (lists, cases, saved) = (self.lists.len(), self.cases.len(), self.saved.len());
                if let Some(f) = self.frames.last_mut() {
                    f.loops.push(Loop { end: *end, next: *next, lists, cases, saved });
                }
            }
            Op::LoopExit => {
                if let Some(l) = self.frames.last_mut().and_then(|f| f.loops.pop()) {
                    self.lists.truncate(l.lists);
                    // A `for` list belongs to the loop that ends here.
                }
            }
            Op::ForStart(words) => {
                let list = match words {
                    None => self.positional.clone(),
                    Some(w) => {
                        if self.substitute(&w.substitutions, m, pid) {
                            return Ok(());
                        }
                        let around = around(m, pid, world);
                        let mut all = Vec::new();
                        for word in &w.words {
                            all.extend(self.fields(word, &around)?);
                        }
                        self.results.clear();
                        all
                    }
                };
                self.lists.push(list.into_iter().rev().collect());
                self.status = 0;
            }
            Op::ForNext(variable, end) => match self.lists.last_mut().and_then(Vec::pop) {
                Some(v) => self.assign(variable, v),
                None => {
                    self.lists.pop();
                    self.jump(*end);
                }
            },
            Op::CaseStart(w) => {
                if self.substitute(&w.substitutions, m, pid) {
                    return Ok(());
                }
                let around = around(m, pid, world);
                let value = match w.words.first() {
                    Some(word) => self.string(word, &around)?,
                    None => String::new(),
                };
                self.results.clear();
                self.cases.push(value);
            }
            Op::CaseTest(w, next) => {
                if self.substitute(&w.substitutions, m, pid) {
                    return Ok(());
                }
                let around = around(m, pid, world);
                let value = self.cases.last().cloned().unwrap_or_default();
                let mut hit = false;
                for p in &w.words {
                    let p = self.pattern(p, &around)?;
                    hit |= pattern::matches(&p, &value);
                }
                self.results.clear();
                if !hit {
                    self.jump(*next);
                }
            }
            Op::CaseEnd => {
                self.cases.pop();
            }
            Op::Redirect(list, substitutions) => {
                if self.substitute(substitutions, m, pid) {
                    return Ok(());
                }
                let before = m.procs.get(&pid).map(|p| p.fds.clone());
                match self.redirect(list, m, pid, world) {
                    Ok(fds) => {
                        self.saved.extend(before);
                        if let Some(p) = m.procs.get_mut(&pid) {
                            p.fds = fds;
                        }
                    }
                    Err(why) => {
                        m.emit(pid, &format!("{}: {why}\n", self.prefix()), true, world);
                        self.status = 1;
                        self.skip_redirected();
                    }
                }
                self.results.clear();
            }
            Op::Unredirect => {
                if let (Some(fds), Some(p)) = (self.saved.pop(), m.procs.get_mut(&pid)) {
                    p.fds = fds;
                }
            }
            Op::Pipeline(parts) => {
                let mut children = Vec::new();
                let mut input = None;
                for (i, part) in parts.iter().enumerate() {
                    let pipe = (i + 1 < parts.len()).then(|| m.pipe());
                    children.push(self.spawn_sub(part, m, pid, input.take(), pipe.map(Output::Pipe)));
                    input = pipe.map(Input::Pipe);
                }
                self.wait = Some(Wait::Pipeline(children));
            }
            Op::Background(code) => {
                let child = self.spawn_sub(code, m, pid, Some(Input::Null), None);
                self.background.push(child);
                self.status = 0;
            }
            Op::Subshell(code) => {
                let child = self.spawn_sub(code, m, pid, None, None);
                self.wait = Some(Wait::Foreground(child));
            }
            Op::Function(name, body) => {
                self.functions.insert(name.clone(), body.clone());
                self.status = 0;
            }
            Op::Arithmetic(text) => {
                let around = around(m, pid, world);
                self.status = i32::from(self.arithmetic(text, &around)? == 0);
            }
            Op::Condition(condition, substitutions) => {
                if self.substitute(substitutions, m, pid) {
                    return Ok(());
                }
                let around = around(m, pid, world);
                self.status = i32::from(!self.condition(condition, &around)?);
                self.results.clear();
                self.check_errexit();
            }
            Op::Simple(s) => self.simple(s, m, pid, world)?,
        }
        Ok(())
    }

    /// After a redirection that failed: past the matching end.
    fn skip_redirected(&mut self) {
        let Some(f) = self.frames.last_mut() else { return };
        let mut depth = 1;
        while let Some(op) = f.code.ops.get(f.at) {
            f.at += 1;
            match op {
                Op::Redirect(..) => depth += 1,
                Op::Unredirect => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn simple(&mut self, s: &Simple, m: &mut Machine, pid: u32, world: &mut World) -> Result<(), String> {
        if self.substitute(&s.substitutions, m, pid) {
            return Ok(());
        }
        let around_here = around(m, pid, world);
        let mut argv = Vec::new();
        for w in &s.words {
            argv.extend(self.fields(w, &around_here)?);
        }
        let mut assignments = Vec::new();
        for a in &s.assignments {
            match &a.value {
                Assigned::Scalar(value) if a.index.is_none() => {
                    let mut v = self.string(value, &around_here)?;
                    if a.append {
                        v = format!("{}{v}", self.variable(&a.name).unwrap_or_default());
                    }
                    if argv.is_empty() {
                        self.assign(&a.name, v);
                    } else {
                        assignments.push((a.name.clone(), v));
                    }
                }
                _ => self.assign_array(a, &around_here)?,
            }
        }
        drop(around_here);
        let fds = self.redirect(&s.redirections, m, pid, world);
        let substituted = !self.results.is_empty();
        self.results.clear();
        let fds = match fds {
            Ok(f) => f,
            Err(why) => {
                m.emit(pid, &format!("{}: {why}\n", self.prefix()), true, world);
                self.status = 1;
                self.check_errexit();
                return Ok(());
            }
        };
        if argv.is_empty() {
            if !substituted {
                self.status = 0;
            }
            self.check_errexit();
            return Ok(());
        }
        if self.xtrace {
            m.emit(pid, &format!("+ {}\n", argv.join(" ")), true, world);
        }
        if let Some(text) = self.alias_of(s, &argv[0]) {
            let quoted = |(k, v): &(String, String)| format!("{k}={} ", start::quote(v));
            let before: String = assignments.iter().map(quoted).collect();
            let body = code::compile(&format!("{before}{text} \"$@\""))?;
            if self.frames.len() >= MAX_FRAMES {
                return Err(format!("{}: too many nested calls", argv[0]));
            }
            let mut aliases = self.frames.last().map(|f| f.aliases.clone()).unwrap_or_default();
            aliases.push(argv[0].clone());
            let positional = Some(std::mem::replace(&mut self.positional, argv[1..].to_vec()));
            let fds = m.procs.get_mut(&pid).map(|p| std::mem::replace(&mut p.fds, fds));
            self.frames.push(Frame { positional, fds, aliases, ..Frame::new(body) });
            return Ok(());
        }
        self.command(argv, &assignments, fds, m, pid, world)
    }

    /// What the command's name stands for, as it is written: without quotes, and not made by an expansion.
    fn alias_of(&self, s: &Simple, name: &str) -> Option<&String> {
        let is_written = matches!(s.words.first().map(Vec::as_slice), Some([Piece::Plain(w)]) if w == name);
        // Scripts of bash expand no aliases.
        if !is_written || self.bash && self.lines.is_none() {
            return None;
        }
        let is_in_itself = self.frames.last().is_some_and(|f| f.aliases.iter().any(|a| a == name));
        self.aliases.get(name).filter(|_| !is_in_itself)
    }

    /// Nothing comes after the present command of `-c SCRIPT` or of a subshell: its program takes the shell's place. A
    /// shell with traps stays, to see to them.
    fn is_last_command(&self) -> bool {
        let [frame] = self.frames.as_slice() else { return false };
        let open =
            !self.saved.is_empty() || !frame.loops.is_empty() || !self.lists.is_empty() || !self.cases.is_empty();
        if open || self.lines.is_some() || !self.traps.is_empty() || frame.status.is_some() {
            return false;
        }
        let mut at = frame.at;
        while let Some(op) = frame.code.ops.get(at) {
            match op {
                Op::Jump(to) if *to > at => at = *to,
                _ => return false,
            }
        }
        true
    }

    /// `set -e`: a failed command ends the shell, unless its status is being tested.
    fn check_errexit(&mut self) {
        if !self.errexit || self.status == 0 {
            return;
        }
        let tested = self
            .frames
            .iter()
            .any(|f| matches!(f.code.ops.get(f.at), Some(Op::JumpIfFail(_) | Op::JumpIfOk(_) | Op::Not)));
        if !tested {
            self.ended = Some(self.status);
        }
    }

    fn command(
        &mut self,
        argv: Vec<String>,
        assignments: &[(String, String)],
        fds: Fds,
        m: &mut Machine,
        pid: u32,
        world: &mut World,
    ) -> Result<(), String> {
        if let Some(body) = self.functions.get(&argv[0]).cloned() {
            if self.frames.len() >= MAX_FRAMES {
                return Err(format!("{}: too many nested calls", argv[0]));
            }
            for (k, v) in assignments {
                self.assign(k, v.clone());
            }
            let positional = std::mem::replace(&mut self.positional, argv[1..].to_vec());
            let before = m.procs.get_mut(&pid).map(|p| std::mem::replace(&mut p.fds, fds));
            self.push(body, Some(positional), before, None);
            return Ok(());
        }
        if builtins::is_builtin(&argv[0]) {
            // `exec` without a command keeps its redirections.
            let keep = argv[0] == "exec";
            let before = m.procs.get_mut(&pid).map(|p| std::mem::replace(&mut p.fds, fds));
            // They stay after what POSIX calls special built-ins.
            let passing = matches!(argv[0].as_str(), "read" | "cd" | "type" | "wait");
            let kept: Vec<_> =
                assignments.iter().filter(|_| passing).map(|(k, _)| (k, self.vars.get(k).cloned())).collect();
            for (k, v) in assignments {
                self.assign(k, v.clone());
            }
            let result = self.builtin(&argv, m, pid, world);
            for (k, before) in kept {
                match before {
                    Some(before) => drop(self.vars.insert(k.clone(), before)),
                    None => drop(self.vars.remove(k)),
                }
            }
            if let (Some(mut fds), Some(p), false) = (before, m.procs.get_mut(&pid), keep)
                && p.state == State::Ready
            {
                // What it has read is read for what comes after it.
                if let (Input::Data(data, at), Input::Data(same, before)) = (&p.fds.stdin, &mut fds.stdin)
                    && Arc::ptr_eq(data, same)
                {
                    *before = *at;
                }
                p.fds = fds;
            }
            if self.wait.is_none() && self.ended.is_none() {
                self.check_errexit();
            }
            return result;
        }
        let mut env = (*self.environment()).clone();
        env.extend(assignments.iter().cloned());
        let env = Arc::new(env);
        let (cwd, now) = m.procs.get(&pid).map(|p| (p.cwd.clone(), p.clock)).unwrap_or_default();
        let before = m.procs.get_mut(&pid).map(|p| std::mem::replace(&mut p.fds, fds.clone()));
        world.volumes.now = now;
        let mut io = Io {
            m,
            pid,
            world,
            argv: argv.clone(),
            env: env.clone(),
            cwd: cwd.clone(),
            stdin: Vec::new(),
            stream: programs::Stream::default(),
            now,
            out: Vec::new(),
            err: Vec::new(),
            asked: programs::Asked::default(),
        };
        let mut done = programs::inline(&mut io);
        let (out, err) = (std::mem::take(&mut io.out), std::mem::take(&mut io.err));
        // busybox's shell has `echo` and `printf` built in, and speaks for them.
        let speaker = if self.bash { format!("bash: line 1: {}", argv[0]) } else { "sh".into() };
        if done.is_some() && !m.speak(pid, &speaker, &out, &err, world) {
            done = done.map(|code| code.max(1));
        }
        let unknown = done.is_none() && !programs::exists(m.image, &argv[0]);
        if unknown {
            let text = match (self.bash, argv[0].contains('/')) {
                (true, false) => format!("bash: line 1: {}: command not found\n", argv[0]),
                (true, true) => format!("bash: line 1: {}: No such file or directory\n", argv[0]),
                (false, _) => format!("sh: {}: not found\n", argv[0]),
            };
            m.emit(pid, &text, true, world);
        }
        if let (Some(fds), Some(p)) = (before, m.procs.get_mut(&pid)) {
            p.fds = fds;
        }
        match done {
            Some(code) => self.status = code,
            None if unknown => self.status = 127,
            None if self.is_last_command() => {
                if let Some(p) = m.procs.get_mut(&pid) {
                    (p.argv, p.env, p.fds) = (argv, env, fds);
                    p.state = State::Sleeping(p.clock);
                }
                self.replaced = true;
                return Ok(());
            }
            None => {
                let child = m.spawn(pid, argv, env, cwd, fds, now);
                self.wait = Some(Wait::Foreground(child));
                return Ok(());
            }
        }
        self.check_errexit();
        Ok(())
    }
}

fn around<'a>(m: &'a Machine, pid: u32, world: &'a World) -> Around<'a> {
    let cwd = m.procs.get(&pid).map(|p| p.cwd.clone()).unwrap_or_default();
    Around { fs: &m.fs, volumes: world.volumes, cwd, pid }
}
