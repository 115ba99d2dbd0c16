//! Who carries out commands on a cluster: a session, which remembers them for a replay, or a cluster that lives on.

use crate::actions;
use crate::debugger::Debugger;
use crate::session::Session;
use cluster::Cluster;
use protocol::{Command, Reply};

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
    /// The same as a part of a deed, which begins with it when there is none yet; where deeds are not told apart, like any
    /// other command.
    fn act_in(&mut self, _deed: &mut Option<u64>, command: Command) -> Option<Reply> {
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
    fn act_in(&mut self, deed: &mut Option<u64>, command: Command) -> Option<Reply> {
        let number = deed.filter(|d| self.goes_on(*d)).unwrap_or_else(|| self.new_deed());
        *deed = Some(number);
        Session::act_in(self, number, command)
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
