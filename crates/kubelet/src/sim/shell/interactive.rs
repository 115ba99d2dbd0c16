//! A shell that reads its commands from standard input, with prompts when that is a terminal.

use super::{Shell, code};
use crate::sim::catalogue::Tools;
use crate::sim::machine::{Input, Machine, Output, State, World};
use std::sync::Arc;

/// What was read of a command that is not complete.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines {
    text: String,
    prompted: bool,
    terminal: bool,
}

impl Lines {
    /// A shell at a terminal outlives the signals that end commands.
    pub fn is_prompting(&self) -> bool {
        self.terminal
    }
}

/// What reading a line came to.
pub(super) enum Line {
    /// Without its end; false: the input ended within it.
    Read(Vec<u8>, bool),
    End,
    /// The process waits for more and must ask again.
    Later,
}

impl Shell {
    pub fn is_interactive(&self) -> bool {
        self.lines.as_ref().is_some_and(|l| l.terminal)
    }

    pub fn is_background(&self, pid: u32) -> bool {
        self.background.contains(&pid)
    }

    /// Ctrl-C at the prompt: the line is forgotten.
    pub fn interrupt(&mut self) {
        if let Some(l) = &mut self.lines {
            l.text.clear();
            l.prompted = false;
            self.status = 130;
        }
    }

    /// A script ends at an error; who sits at a terminal goes on.
    pub(super) fn give_up(&mut self, status: i32) {
        self.status = status;
        if self.is_interactive() {
            self.frames.clear();
            self.lists.clear();
            self.cases.clear();
        } else {
            self.ended = Some(status);
        }
    }

    /// Everything read so far has been carried out.
    pub(super) fn next_command(&mut self, m: &mut Machine, pid: u32, world: &mut World) {
        let Some(mut lines) = self.lines.take() else {
            self.ended = Some(self.status);
            return;
        };
        let stdin = m.procs.get(&pid).map(|p| p.fds.stdin.clone());
        lines.terminal =
            matches!(stdin, Some(Input::Pipe(p)) if m.outside.get(&p).is_some_and(|o| o.terminal.is_some()));
        if lines.terminal && !lines.prompted {
            let prompt = if lines.text.is_empty() { self.prompt(m, pid) } else { "> ".into() };
            m.emit(pid, &prompt, true, world);
            lines.prompted = true;
        }
        match self.read_line(m, pid) {
            Line::Later => {}
            Line::End if lines.text.is_empty() => self.ended = Some(self.status),
            Line::End => {
                m.emit(pid, &format!("{}: syntax error: unexpected end of file\n", self.prefix()), true, world);
                self.ended = Some(2);
            }
            Line::Read(line, _) => {
                lines.text.push_str(&String::from_utf8_lossy(&line));
                lines.text.push('\n');
                lines.prompted = false;
                if let Some(made) = code::compile_part(&lines.text) {
                    lines.text.clear();
                    match made {
                        Ok(code) => self.push(code, None, None, None),
                        Err(e) => {
                            m.emit(pid, &format!("{}: syntax error: {e}\n", self.prefix()), true, world);
                            self.status = 2;
                        }
                    }
                }
            }
        }
        self.lines = Some(lines);
    }

    fn prompt(&self, m: &Machine, pid: u32) -> String {
        let cwd = m.procs.get(&pid).map_or("/", |p| crate::sim::fs::seen(&p.cwd));
        let home = self.variable("HOME").unwrap_or_default();
        let short = match cwd.strip_prefix(home.as_str()) {
            Some(rest) if home.len() > 1 && (rest.is_empty() || rest.starts_with('/')) => format!("~{rest}"),
            _ => cwd.to_string(),
        };
        match m.image.tools {
            _ if self.bash => format!("root@{}:{short}# ", m.spec.hostname),
            Tools::Busybox => format!("{short} # "),
            _ => "# ".into(),
        }
    }

    /// One line of standard input.
    pub(super) fn read_line(&mut self, m: &mut Machine, pid: u32) -> Line {
        let Some(p) = m.procs.get_mut(&pid) else { return Line::End };
        match &mut p.fds.stdin {
            Input::Null => Line::End,
            Input::Data(data, at) => {
                let rest = &data[(*at).min(data.len())..];
                if rest.is_empty() {
                    return Line::End;
                }
                let end = rest.iter().position(|b| *b == b'\n');
                let line = rest[..end.unwrap_or(rest.len())].to_vec();
                *at += end.map_or(rest.len(), |e| e + 1);
                let at = *at;
                // The position is the shell's own, not only this command's.
                for f in self.saved.iter_mut().chain(self.frames.iter_mut().filter_map(|f| f.fds.as_mut())) {
                    if let Input::Data(d, a) = &mut f.stdin
                        && Arc::ptr_eq(d, data)
                    {
                        *a = at;
                    }
                }
                Line::Read(line, end.is_some())
            }
            Input::Pipe(pipe) => {
                let pipe = *pipe;
                let writing = has_writer(m, pid, pipe);
                let buffer = m.pipes.entry(pipe).or_default();
                if let Some(end) = buffer.iter().position(|c| *c == b'\n') {
                    let mut line = std::mem::take(&mut self.partial);
                    line.extend(buffer.drain(..=end));
                    line.pop();
                    return Line::Read(line, true);
                }
                // What is there of a line has been read: a pipe that holds something would wake its reader at once.
                self.partial.append(buffer);
                if writing {
                    if let Some(p) = m.procs.get_mut(&pid) {
                        p.state = State::Reading(pipe);
                    }
                    return Line::Later;
                }
                let rest = std::mem::take(&mut self.partial);
                if let Some(o) = m.outside.get_mut(&pipe) {
                    o.eofs = o.eofs.saturating_sub(1);
                }
                if rest.is_empty() { Line::End } else { Line::Read(rest, false) }
            }
        }
    }
}

/// Whether a process other than the reader still writes to the pipe, or somebody outside does.
fn has_writer(m: &Machine, reader: u32, pipe: u32) -> bool {
    if let Some(o) = m.outside.get(&pipe) {
        return o.open && o.eofs == 0;
    }
    let out = Output::Pipe(pipe);
    m.procs.iter().any(|(id, p)| {
        *id != reader && !matches!(p.state, State::Done(_)) && (p.fds.stdout == out || p.fds.stderr == out)
    })
}
