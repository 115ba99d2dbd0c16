//! A small Python: the programs that stand in manifests after `python3 -c`. Statements, loops, text and numbers, the
//! environment, `sys.exit` and `time.sleep`; no functions, classes or packages. What is not simulated says so and fails.

mod eval;
mod parse;
mod token;

use super::{Io, Machine, Outcome, Running, World};
use eval::{Effect, Failure, Scope, Value};
use meta::Duration;
use parse::{Op, Ops};
use std::collections::BTreeMap;
use std::sync::Arc;

/// After so many operations without a pause some time has passed.
const BURST: u32 = 20_000;
const BURST_TIME: Duration = Duration::from_millis(10);

const MODULES: &[&str] = &["os", "sys", "time", "socket", "platform"];

/// A program under way.
#[derive(Clone, Debug)]
pub struct Python {
    ops: Arc<Ops>,
    at: usize,
    vars: BTreeMap<String, Value>,
    /// What the open `for` loops still have to go through, the next one last.
    lists: Vec<Vec<Value>>,
    argv: Vec<String>,
}

/// `python3 -c SOURCE ARGS`
pub fn start(io: &mut Io, source: &str, argv: Vec<String>) -> Outcome {
    match parse::parse(source) {
        Ok(ops) => {
            let p = Python { ops: Arc::new(ops), at: 0, vars: BTreeMap::new(), lists: Vec::new(), argv };
            Outcome::Sleep(io.now, Running::Python(Box::new(p)))
        }
        Err((line, why)) => {
            let class = if why.contains("not simulated") { "NotImplementedError" } else { "SyntaxError" };
            io.complain(format!("  File \"<string>\", line {line}\n{class}: {why}"));
            Outcome::Exit(1)
        }
    }
}

pub fn run(mut p: Box<Python>, m: &mut Machine, pid: u32, world: &mut World) -> Outcome {
    let Some((env, now)) = m.procs.get(&pid).map(|p| (p.env.clone(), p.clock)) else { return Outcome::Exit(0) };
    for _ in 0..BURST {
        let ops = p.ops.clone();
        let Some((line, op)) = ops.get(p.at) else { return Outcome::Exit(0) };
        p.at += 1;
        #[allow(clippy::cast_precision_loss)]
        let seconds = now.0 as f64 / 1e6;
        let hostname = m.spec.hostname.clone();
        let mut scope =
            Scope { vars: &p.vars, env: &env, hostname: &hostname, argv: &p.argv, now: seconds, effects: Vec::new() };
        let done = step(op, &mut scope);
        let effects = std::mem::take(&mut scope.effects);
        let done = done.map(|next| p.apply(next));
        let mut pause = None;
        for e in effects {
            match e {
                Effect::Print { text, to_stderr } => m.emit(pid, &text, to_stderr, world),
                Effect::Exit(code) => return Outcome::Exit(code),
                Effect::Sleep(s) => pause = Some(s),
            }
        }
        if let Err((class, text)) = done {
            let text = if text.is_empty() { class } else { format!("{class}: {text}") };
            let said =
                format!("Traceback (most recent call last):\n  File \"<string>\", line {line}, in <module>\n{text}\n");
            m.emit(pid, &said, true, world);
            return Outcome::Exit(1);
        }
        if let Some(s) = pause {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let micros = (s.max(0.0) * 1e6) as u64;
            return Outcome::Sleep(now + world.scaled(Duration(micros)), Running::Python(p));
        }
    }
    Outcome::Sleep(now + world.scaled(BURST_TIME), Running::Python(p))
}

/// What an operation changes.
enum Next {
    On,
    Set(String, Value),
    Jump(usize),
    Iterate(Vec<Value>),
    Take(String, usize),
    Forget,
}

fn step(op: &Op, scope: &mut Scope) -> Result<Next, Failure> {
    Ok(match op {
        Op::Pass => Next::On,
        Op::Do(e) => {
            scope.value(e)?;
            Next::On
        }
        Op::Set(name, e) => Next::Set(name.clone(), scope.value(e)?),
        Op::Jump(to) => Next::Jump(*to),
        Op::JumpIfNot(e, to) => {
            if scope.value(e)?.is_true() {
                Next::On
            } else {
                Next::Jump(*to)
            }
        }
        Op::Iterate(e) => Next::Iterate(scope.value(e)?.items()?),
        Op::Next(name, end) => Next::Take(name.clone(), *end),
        Op::Forget => Next::Forget,
        Op::Raise(e) => match scope.value(e)? {
            Value::Error(class, text) => return Err((class, text)),
            Value::Path(class) => return Err((class, String::new())),
            _ => return eval::failure("TypeError", "exceptions must derive from BaseException"),
        },
        Op::Import(module) if MODULES.contains(&module.as_str()) => {
            Next::Set(module.clone(), Value::Path(module.clone()))
        }
        Op::Import(module) => return eval::failure("ModuleNotFoundError", format!("No module named '{module}'")),
    })
}

impl Python {
    fn apply(&mut self, next: Next) {
        match next {
            Next::On => {}
            Next::Set(name, value) => {
                self.vars.insert(name, value);
            }
            Next::Jump(to) => self.at = to,
            Next::Iterate(mut items) => {
                items.reverse();
                self.lists.push(items);
            }
            Next::Take(name, end) => match self.lists.last_mut().and_then(Vec::pop) {
                Some(v) => {
                    self.vars.insert(name, v);
                }
                None => {
                    self.lists.pop();
                    self.at = end;
                }
            },
            Next::Forget => {
                self.lists.pop();
            }
        }
    }
}
