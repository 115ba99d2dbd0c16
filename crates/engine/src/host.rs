//! Who carries out commands on a cluster: a session, which remembers them for a replay, or a cluster that lives on.

use crate::actions;
use crate::debugger::Debugger;
use crate::session::Session;
use cluster::Cluster;
use protocol::{Command, Reply};

/// What somebody does at once, with one line of a terminal.
#[derive(Default)]
pub struct Doing {
    /// Its number, once it has begun.
    deed: Option<u64>,
    /// The line, or the first one of several, told in a row of the page.
    line: String,
}

impl Doing {
    pub fn new(line: &str) -> Self {
        let joined = line.replace("\\\n", " ");
        let words: Vec<&str> = joined.lines().next().unwrap_or_default().split_whitespace().collect();
        Doing { deed: None, line: words.join(" ") }
    }
}

pub trait Host {
    fn cluster(&mut self) -> &mut Cluster;
    /// What the page shows: the cluster, or a moment of its past.
    fn shown(&mut self) -> &mut Cluster {
        self.cluster()
    }
    /// Whether that is the past.
    fn is_past(&self) -> bool {
        false
    }
    /// Carries out a command that changes the cluster; `None` when it is not one.
    fn act(&mut self, command: Command) -> Option<Reply>;
    /// The same as a part of a deed, which begins with it when it has not begun yet; where deeds are not told apart, like
    /// any other command.
    fn act_in(&mut self, _doing: &mut Doing, command: Command) -> Option<Reply> {
        self.act(command)
    }
}

impl Host for Session {
    fn cluster(&mut self) -> &mut Cluster {
        &mut self.cluster
    }
    fn shown(&mut self) -> &mut Cluster {
        self.shown_mut().0
    }
    fn is_past(&self) -> bool {
        Session::is_past(self)
    }
    fn act(&mut self, command: Command) -> Option<Reply> {
        Session::act(self, command)
    }
    fn act_in(&mut self, doing: &mut Doing, command: Command) -> Option<Reply> {
        let number = doing.deed.filter(|d| self.goes_on(*d)).unwrap_or_else(|| self.new_deed());
        doing.deed = Some(number);
        Session::act_in(self, number, &doing.line, command)
    }
}

impl Host for Cluster {
    fn cluster(&mut self) -> &mut Cluster {
        self
    }
    fn act(&mut self, command: Command) -> Option<Reply> {
        actions::act(self, &command)
    }
}

/// A cluster that nobody saves, and its debugger.
pub struct Live<'a> {
    pub cluster: &'a mut Cluster,
    pub debugger: &'a mut Debugger,
}

impl Host for Live<'_> {
    fn cluster(&mut self) -> &mut Cluster {
        self.cluster
    }
    fn act(&mut self, command: Command) -> Option<Reply> {
        actions::act_with(self.cluster, self.debugger, &command)
    }
}
