//! Taking back what was done last: the session goes on from right before it, in a branch.

use super::Session;
use super::branches::BRANCHES_MAX;
use super::line::what;
use super::player::Target;
use crate::transport::Transport;
use protocol::Command;

/// Branches that were left by taking something back, beside those that somebody made.
const UNDONE_MAX: usize = 4;

/// What was taken back last, as long as nothing else was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Undone {
    /// The branch that began with it, and the one that was left.
    pub branch: u32,
    pub left: u32,
    /// Inputs of the branch then.
    pub inputs: usize,
}

impl Session {
    /// The newest input that changed something, by its number, and in words. What one line of a terminal did at once is one.
    pub(super) fn last_deed(&self) -> Option<(usize, String)> {
        let inputs = &self.line.inputs;
        let is_deed = |c: &Command| !matches!(c, Command::Follow { .. } | Command::Terminal { .. });
        let last = inputs.iter().rposition(|i| is_deed(&i.command) && what(&i.command).is_some())?;
        let at = (inputs[last].turns, inputs[last].now);
        let with = inputs[..last].iter().rev().take_while(|i| (i.turns, i.now) == at && is_deed(&i.command)).count();
        let first = last - with;
        (first >= self.given).then(|| Some((first, what(&inputs[first].command)?))).flatten()
    }

    /// What there is was given: nobody takes it back.
    pub fn begin_deeds(&mut self) {
        self.given = self.line.inputs.len();
    }

    /// # Errors
    /// Nothing was done that could be taken back, or there are too many branches.
    pub(super) fn undo(&mut self, transport: &mut Transport) -> Result<(), String> {
        self.leave_past(transport);
        let (n, _) = self.last_deed().ok_or("nothing was done that could be taken back")?;
        self.make_room();
        if self.others.len() + 1 >= BRANCHES_MAX {
            return Err(format!("there are {BRANCHES_MAX} branches already"));
        }
        let player = self.at(Target::Input(n)).ok_or("nothing is known of the way to it")?;
        let (left, running) = (self.branch.id, transport.running);
        self.branch_at(transport, player, "");
        transport.running = running;
        self.left.push(left);
        self.undone = Some(Undone { branch: self.branch.id, left, inputs: self.line.inputs.len() });
        Ok(())
    }

    /// Forgets the oldest branches that were left, unless somebody has given them a name or gone back to them.
    fn make_room(&mut self) {
        let kept = |id: &u32| self.others.iter().any(|o| o.branch.id == *id && o.branch.name.is_empty());
        let mut left: Vec<u32> = self.left.iter().copied().filter(kept).collect();
        while left.len() >= UNDONE_MAX {
            let _ = self.drop_branch(left.remove(0));
        }
        self.left = left;
    }
}
