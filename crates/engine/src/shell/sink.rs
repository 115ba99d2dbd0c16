//! Where a command's words go: the screen, a text that somebody waits for, or the tools they are piped through.

use super::bench::Process;
use super::run::Shell;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

#[derive(Clone)]
pub enum Sink {
    Screen,
    Null,
    Buffer(Rc<RefCell<Vec<u8>>>),
    Filter(Rc<Filter>),
}

/// A line of the machine's tools that is fed as the words come.
pub struct Filter {
    shell: Shell,
    process: Process,
    to: Sink,
    pub ended: Cell<Option<i32>>,
}

impl Filter {
    pub fn new(shell: &Shell, process: Process, to: Sink) -> Filter {
        Filter { shell: shell.clone(), process, to, ended: Cell::new(None) }
    }

    fn feed(&self, data: &[u8]) {
        if self.ended.get().is_none() {
            let now = self.shell.desk.with(|d| d.now);
            self.shell.bench.borrow_mut().feed(self.process, data, now);
            self.pump();
        }
    }

    pub fn end_input(&self) {
        let now = self.shell.desk.with(|d| d.now);
        self.shell.bench.borrow_mut().end_input(self.process, now);
        self.pump();
    }

    /// Lets it work, and hands on what came of it.
    pub fn pump(&self) {
        if self.ended.get().is_some() {
            return;
        }
        let now = self.shell.desk.with(|d| d.now);
        let (out, err, ended) = self.shell.bench.borrow_mut().poll(self.process, now);
        self.to.write(&self.shell, &out);
        Sink::Screen.write(&self.shell, &err);
        self.ended.set(ended);
    }
}

impl Drop for Filter {
    fn drop(&mut self) {
        if self.ended.get().is_none() {
            let now = self.shell.desk.with(|d| d.now);
            self.shell.bench.borrow_mut().kill(self.process, now);
        }
    }
}

impl Sink {
    pub fn buffer() -> (Sink, Rc<RefCell<Vec<u8>>>) {
        let buffer = Rc::new(RefCell::new(Vec::new()));
        (Sink::Buffer(buffer.clone()), buffer)
    }

    pub fn write(&self, shell: &Shell, data: &[u8]) {
        if data.is_empty() {
            return;
        }
        match self {
            Sink::Screen => shell.desk.say(&String::from_utf8_lossy(data)),
            Sink::Null => {}
            Sink::Buffer(b) => b.borrow_mut().extend_from_slice(data),
            Sink::Filter(f) => f.feed(data),
        }
    }

    /// Lets tools work that are fed slowly; true when nobody reads any more.
    pub fn pump(&self) -> bool {
        match self {
            Sink::Filter(f) => {
                f.pump();
                f.ended.get().is_some()
            }
            _ => false,
        }
    }
}
