//! `exec` and `attach`: commands beside a container's own, and its first process's streams.

use super::SimRuntime;
use super::machine::{Fds, Input, Output, SIGKILL, State};
use super::programs;
use crate::pod::container_hash;
use crate::runtime::{ContainerId, SessionEnd, SessionInput, SessionOutput, SessionSpec};
use meta::Time;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a stopped container's commands end with.
const KILLED: i32 = 137;

#[derive(Clone, Debug)]
pub(super) struct Session {
    id: ContainerId,
    /// The command's process and its output pipes; `None`: attached to the container itself.
    exec: Option<Exec>,
    stdin: Option<u32>,
    tty: bool,
    /// What has not been taken yet.
    output: SessionOutput,
}

#[derive(Clone, Copy, Debug)]
struct Exec {
    pid: u32,
    stdout: u32,
    stderr: u32,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Sessions {
    next: u64,
    open: BTreeMap<u64, Session>,
}

/// A terminal ends lines with both characters.
fn push(to: &mut Vec<u8>, data: &[u8], tty: bool) {
    if !tty {
        to.extend_from_slice(data);
        return;
    }
    for &b in data {
        if b == b'\n' && to.last() != Some(&b'\r') {
            to.push(b'\r');
        }
        to.push(b);
    }
}

impl SimRuntime {
    pub(super) fn open(&mut self, now: Time, pod: &str, container: &str, spec: SessionSpec) -> Result<u64, String> {
        let mut of = self.containers.iter().filter(|(id, _)| *id.pod_uid == *pod && *id.container == *container);
        let alive = of.rfind(|(_, c)| c.exited.is_none() && c.machine.is_some()).map(|(id, _)| id.clone());
        // Those who attach are told so in other words than those who run a command.
        let missing = match (&spec.command, self.containers.iter().find(|(id, _)| *id.pod_uid == *pod)) {
            (None, Some((_, c))) => {
                format!("container {container} not found in pod {}_{}", c.spec.pod, c.spec.namespace)
            }
            _ => format!("container not found ({container:?})"),
        };
        let id = alive.ok_or_else(|| missing.clone())?;
        self.advance(&id, now);
        self.sessions.next += 1;
        let number = self.sessions.next;
        let machine = super::machine(&mut self.containers, &id).filter(|m| m.exit.is_none());
        let m = machine.ok_or(missing)?;
        let mut output = SessionOutput::default();
        let (exec, stdin) = match spec.command {
            None => {
                m.taps.insert(number, Vec::new());
                (None, m.stdin.filter(|_| spec.stdin))
            }
            Some(command) => {
                let first = command.first().cloned().unwrap_or_default();
                if programs::exists(m.image, &first) {
                    let stdout = m.pipe();
                    let stderr = if spec.tty { stdout } else { m.pipe() };
                    let pid = m.next_pid();
                    let stdin = spec.stdin.then(|| m.open_outside(spec.tty, Output::Pipe(stdout), pid, now));
                    let fds = Fds {
                        stdin: stdin.map_or(Input::Null, Input::Pipe),
                        stdout: Output::Pipe(stdout),
                        stderr: Output::Pipe(stderr),
                    };
                    m.exec(command, fds, spec.tty, now);
                    (Some(Exec { pid, stdout, stderr }), stdin)
                } else {
                    let why = programs::missing(&first);
                    let exec_id = container_hash(&id.pod_uid, &id.container, u32::try_from(number).unwrap_or(0));
                    output.end = Some(SessionEnd::Failed(format!(
                        "failed to exec in container: failed to start exec {exec_id:?}: OCI runtime exec failed: exec \
                         failed: unable to start container process: {why}: unknown"
                    )));
                    (None, None)
                }
            }
        };
        self.sessions.open.insert(number, Session { id, exec, stdin, tty: spec.tty, output });
        Ok(number)
    }

    pub(super) fn input(&mut self, now: Time, session: u64, input: SessionInput) {
        let Some((id, Some(pipe))) = self.sessions.open.get(&session).map(|s| (s.id.clone(), s.stdin)) else { return };
        self.advance(&id, now);
        let Some(m) = super::machine(&mut self.containers, &id) else { return };
        match input {
            SessionInput::Data(data) => m.outside_input(pipe, &data, now),
            // A terminal that stays open is not ended by a client's end of input.
            SessionInput::End if m.outside.get(&pipe).is_none_or(|o| o.terminal.is_none()) => {
                m.close_outside(pipe, now);
            }
            SessionInput::End => {}
        }
    }

    pub(super) fn close(&mut self, now: Time, session: u64) {
        let Some(s) = self.sessions.open.remove(&session) else { return };
        let Some(m) = super::machine(&mut self.containers, &s.id) else { return };
        m.taps.remove(&session);
        let Some(pipe) = s.stdin else { return };
        match s.exec {
            // The terminal is gone: its processes are hung up.
            Some(e) if s.tty => {
                m.signal(e.pid, SIGKILL, now);
                m.reap(e.pid);
                m.close_outside(pipe, now);
            }
            Some(_) => m.close_outside(pipe, now),
            None if m.spec.stdin_once => m.close_outside(pipe, now),
            None => {}
        }
    }

    /// Brings what processes have printed since to their sessions.
    pub(super) fn serve_sessions(&mut self) {
        for (number, s) in &mut self.sessions.open {
            if s.output.end.is_some() {
                continue;
            }
            let container = self.containers.get_mut(&s.id).map(Arc::make_mut);
            let ended = container.as_ref().is_none_or(|c| c.exited.is_some());
            let Some(m) = container.and_then(|c| c.machine.as_mut()) else {
                s.output.end = Some(SessionEnd::Exited(KILLED));
                continue;
            };
            let Some(e) = s.exec else {
                let data = m.taps.get_mut(number).map(std::mem::take).unwrap_or_default();
                push(&mut s.output.stdout, &data, s.tty);
                if ended {
                    s.output.end = Some(SessionEnd::Exited(0));
                }
                continue;
            };
            let data = m.pipes.get_mut(&e.stdout).map(std::mem::take).unwrap_or_default();
            push(&mut s.output.stdout, &data, s.tty);
            if e.stderr != e.stdout {
                let data = m.pipes.get_mut(&e.stderr).map(std::mem::take).unwrap_or_default();
                s.output.stderr.extend(data);
            }
            let code = match m.procs.get(&e.pid).map(|p| p.state) {
                _ if ended => Some(KILLED),
                Some(State::Done(code)) => Some(code),
                Some(_) => None,
                None => Some(KILLED),
            };
            if let Some(code) = code {
                m.reap(e.pid);
                m.forget_pipes(&[Some(e.stdout), Some(e.stderr), s.stdin]);
                s.output.end = Some(SessionEnd::Exited(code));
            }
        }
    }

    pub(super) fn output(&mut self, session: u64) -> Option<SessionOutput> {
        let s = self.sessions.open.get_mut(&session)?;
        let end = s.output.end.clone();
        Some(SessionOutput { end, ..std::mem::take(&mut s.output) }).inspect(|o| s.output.end.clone_from(&o.end))
    }
}
