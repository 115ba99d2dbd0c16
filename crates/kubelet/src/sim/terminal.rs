//! Input from outside a container: a client's standard input, plain or through a terminal's line discipline.

use super::machine::{Kind, Machine, Output, SIGINT, State};
use meta::Time;
use std::collections::BTreeSet;

/// The outer end of a pipe that processes read.
#[derive(Clone, Debug)]
pub struct Outside {
    /// More may come.
    pub open: bool,
    /// When something came last.
    pub at: Time,
    /// Ctrl-D at the start of a line: ends of input that readers have not seen yet.
    pub eofs: u32,
    /// What a terminal holds back until the line is finished.
    pub terminal: Option<Terminal>,
    /// Where the terminal shows what is typed.
    pub screen: Output,
    /// The process the terminal was opened for.
    pub leader: u32,
}

#[derive(Clone, Debug, Default)]
pub struct Terminal {
    line: Vec<u8>,
    /// Within an escape sequence (an arrow key): its bytes are left out.
    escape: bool,
}

enum Typed {
    Line(Vec<u8>),
    End,
    Interrupt,
}

impl Terminal {
    /// Takes bytes in; what is shown, and what is meant.
    fn take(&mut self, data: &[u8], shown: &mut Vec<u8>) -> Vec<Typed> {
        let mut out = Vec::new();
        for &b in data {
            if self.escape {
                // `ESC [ A`: ends with a letter or a tilde.
                self.escape = !(b.is_ascii_alphabetic() || b == b'~');
                continue;
            }
            match b {
                b'\r' | b'\n' => {
                    shown.push(b'\n');
                    self.line.push(b'\n');
                    out.push(Typed::Line(std::mem::take(&mut self.line)));
                }
                0x03 => {
                    shown.extend_from_slice(b"^C\n");
                    self.line.clear();
                    out.push(Typed::Interrupt);
                }
                0x04 if self.line.is_empty() => out.push(Typed::End),
                0x04 => out.push(Typed::Line(std::mem::take(&mut self.line))),
                0x08 | 0x7f => {
                    if self.erase() {
                        shown.extend_from_slice(b"\x08 \x08");
                    }
                }
                0x15 => {
                    while self.erase() {
                        shown.extend_from_slice(b"\x08 \x08");
                    }
                }
                0x1b => self.escape = true,
                b if b < 0x20 && b != b'\t' => {}
                b => {
                    shown.push(b);
                    self.line.push(b);
                }
            }
        }
        out
    }

    /// Takes the last character back.
    fn erase(&mut self) -> bool {
        while let Some(b) = self.line.pop() {
            // The bytes that follow a character's first one begin with 10.
            if b & 0xc0 != 0x80 {
                return true;
            }
        }
        false
    }
}

impl Machine {
    /// A pipe that is filled from outside; `screen` is where a terminal shows what is typed.
    pub fn open_outside(&mut self, terminal: bool, screen: Output, leader: u32, now: Time) -> u32 {
        let pipe = self.pipe();
        let terminal = terminal.then(Terminal::default);
        self.outside.insert(pipe, Outside { open: true, at: now, eofs: 0, terminal, screen, leader });
        pipe
    }

    pub fn outside_input(&mut self, pipe: u32, data: &[u8], now: Time) {
        let Some(o) = self.outside.get_mut(&pipe).filter(|o| o.open) else { return };
        o.at = o.at.max(now);
        let Some(t) = &mut o.terminal else {
            self.pipes.entry(pipe).or_default().extend_from_slice(data);
            return;
        };
        let mut shown = Vec::new();
        let typed = t.take(data, &mut shown);
        let (screen, leader) = (o.screen.clone(), o.leader);
        self.show(&screen, &shown, now);
        for t in typed {
            match t {
                Typed::Line(line) => self.pipes.entry(pipe).or_default().extend_from_slice(&line),
                Typed::End => {
                    if let Some(o) = self.outside.get_mut(&pipe) {
                        o.eofs += 1;
                    }
                }
                Typed::Interrupt => self.interrupt(leader, now),
            }
        }
    }

    /// No more input will come.
    pub fn close_outside(&mut self, pipe: u32, now: Time) {
        if let Some(o) = self.outside.get_mut(&pipe) {
            o.open = false;
            o.at = o.at.max(now);
        }
    }

    fn show(&mut self, screen: &Output, data: &[u8], now: Time) {
        match screen {
            Output::Log => self.print(now, data),
            Output::Pipe(p) => self.pipes.entry(*p).or_default().extend_from_slice(data),
            Output::Null | Output::File(_) => {}
        }
    }

    /// Whether writing there is writing to a terminal.
    pub fn is_terminal(&self, out: &Output) -> bool {
        self.outside.values().any(|o| o.terminal.is_some() && o.screen == *out)
    }

    /// Ctrl-C: SIGINT to what runs in the foreground of a terminal.
    fn interrupt(&mut self, leader: u32, now: Time) {
        let mut group = BTreeSet::from([leader]);
        // Children have higher numbers than their parents.
        for (pid, p) in &self.procs {
            let background = matches!(&self.procs.get(&p.parent).map(|p| &p.kind),
                Some(Kind::Shell(s)) if s.is_background(*pid));
            if group.contains(&p.parent) && !background && !matches!(p.state, State::Done(_)) {
                group.insert(*pid);
            }
        }
        let alone = group.len() == 1;
        for pid in group {
            let Some(p) = self.procs.get_mut(&pid) else { continue };
            match &mut p.kind {
                Kind::Shell(s) if s.is_interactive() => {
                    if alone {
                        s.interrupt();
                        p.clock = p.clock.max(now);
                        p.state = State::Sleeping(p.clock);
                    }
                }
                _ => {
                    self.signal(pid, SIGINT, now);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_can_be_corrected_before_it_is_read() {
        let mut t = Terminal::default();
        let mut shown = Vec::new();
        let typed = t.take("lsé\x7f\x7f\x1b[As -l\r\x04\x03".as_bytes(), &mut shown);
        let [Typed::Line(line), Typed::End, Typed::Interrupt] = &typed[..] else { panic!() };
        assert_eq!(line, b"ls -l\n");
        assert_eq!(String::from_utf8_lossy(&shown), "lsé\x08 \x08\x08 \x08s -l\n^C\n");
    }
}
