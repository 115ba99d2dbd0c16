//! Taking back what was done last: the session goes on from right before it, in a branch. And doing it again.

use super::Session;
use super::branches::BRANCHES_MAX;
use super::line::what;
use super::player::{Input, Target};
use crate::transport::Transport;
use protocol::{Command, Deed, Mark};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Branches that were left by taking something back, beside those that somebody made.
const UNDONE_MAX: usize = 4;

/// What was taken back, as long as nothing else was done since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Undone {
    /// The branch that began with it.
    branch: u32,
    /// The one that still has all that was taken back.
    left: u32,
    /// Inputs of `branch` then: the first ones of `left`.
    inputs: usize,
}

/// Requests that only look, and keys that are typed into a container, are none.
fn is_deed(command: &Command) -> bool {
    match command {
        Command::As { command, .. } => is_deed(command),
        Command::Follow { .. } | Command::Terminal { .. } => false,
        _ => what(command).is_some(),
    }
}

/// Whether two inputs were done at once, by one command of the page or one line of a terminal.
fn is_same(a: &Input, b: &Input) -> bool {
    a.deed == b.deed && a.deed != 0
}

/// How many inputs two courses of events have in common.
fn shared<'a>(a: impl Iterator<Item = &'a Arc<Input>>, b: &[Arc<Input>]) -> usize {
    a.zip(b).take_while(|(a, b)| Arc::ptr_eq(a, b) || a == b).count()
}

impl Session {
    /// The number of the next deed: what comes of one command of the page, or of one line of a terminal.
    pub fn new_deed(&mut self) -> u64 {
        self.deeds += 1;
        self.deeds
    }

    /// Whether what is done next can still belong to a deed: nothing else was done after it began.
    pub fn goes_on(&self, deed: u64) -> bool {
        let newest = self.line.inputs.iter().rev().find(|i| is_deed(&i.command));
        newest.is_none_or(|i| i.deed <= deed)
    }

    /// The newest deed, and the number of its first input.
    pub(super) fn last_deed(&self) -> Option<(usize, Deed)> {
        let inputs = &self.line.inputs;
        let last = inputs.iter().rposition(|i| is_deed(&i.command)).filter(|n| *n >= self.given)?;
        let earlier = inputs.iter().enumerate().take(last).skip(self.given).rev().filter(|(_, i)| is_deed(&i.command));
        let with: Vec<usize> = earlier.take_while(|(_, i)| is_same(i, &inputs[last])).map(|(n, _)| n).collect();
        let first = with.last().copied().unwrap_or(last);
        let (number, line) = (inputs[last].deed, &inputs[first].line);
        let (what, more) = match line.is_empty() {
            true => (what(&inputs[last].command)?, with.len()),
            false => (line.clone(), 0),
        };
        Some((first, Deed { number, what, more }))
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
        // Of a branch in which nothing was done since it began, everything is in the one that was left before.
        let on = self.undone().filter(|_| self.branch.name.is_empty());
        // That branch goes, so no other has to.
        if on.is_none() || self.has_own_marks(self.branch.id) {
            self.make_room(on.map(|u| u.left))?;
        }
        let player = self.at(Target::Input(n)).ok_or("nothing is known of the way to it")?;
        let (here, running) = (self.branch.id, transport.running);
        self.branch_at(transport, player, "");
        transport.running = running;
        let left = match on {
            Some(u) => {
                if !self.has_own_marks(here) {
                    self.drop_branch(here)?;
                }
                u.left
            }
            None => here,
        };
        if !self.left.contains(&left) {
            self.left.push(left);
        }
        self.undone = Some(Undone { branch: self.branch.id, left, inputs: self.line.inputs.len() });
        Ok(())
    }

    /// Does again what was taken back last: the session goes on from right before the deed after it, or in the branch that
    /// was left when there is none.
    ///
    /// # Errors
    /// Nothing was taken back, or something else was done since.
    pub(super) fn redo(&mut self, transport: &mut Transport) -> Result<(), String> {
        self.leave_past(transport);
        let undone = self.undone().ok_or("nothing was taken back that could be done again")?;
        let (here, running) = (self.branch.id, transport.running);
        let goes = self.branch.name.is_empty() && !self.has_own_marks(here);
        let left = self.others.iter().find(|o| o.branch.id == undone.left);
        let next = left.and_then(|o| next_deed(o.inputs(), undone.inputs));
        // Refused before anything is changed.
        if next.is_some() && !goes {
            self.make_room(Some(undone.left))?;
        }
        self.switch(transport, undone.left)?;
        transport.running = running;
        if goes {
            self.drop_branch(here)?;
        }
        self.undone = None;
        if let Some(n) = next {
            let player = self.at(Target::Input(n)).ok_or("nothing is known of the way to it")?;
            self.branch_at(transport, player, "");
            transport.running = running;
            self.left.push(undone.left);
            self.undone = Some(Undone { branch: self.branch.id, inputs: self.line.inputs.len(), ..undone });
        }
        Ok(())
    }

    /// What can be done again.
    pub(super) fn undone(&self) -> Option<Undone> {
        let is_here = |u: &Undone| u.branch == self.branch.id && u.inputs == self.line.inputs.len();
        self.undone.filter(|u| is_here(u) && self.others.iter().any(|o| o.branch.id == u.left))
    }

    /// Somebody has gone to a branch: it is not one of those any more that were only left.
    pub(super) fn keep_branch(&mut self, id: u32) {
        self.left.retain(|left| *left != id);
    }

    /// Whether a branch has bookmarks that no other one has: with it they would go, too.
    fn has_own_marks(&self, id: u32) -> bool {
        let is_same = |a: &Mark, b: &Mark| (a.seq, a.now, &a.name) == (b.seq, b.now, &b.name);
        let elsewhere = |m: &Mark| self.marks.iter().any(|(branch, o)| *branch != id && is_same(o, m));
        self.marks.iter().any(|(branch, m)| *branch == id && !elsewhere(m))
    }

    /// Forgets branches that were left, unless they are kept for a name, for a bookmark, or because somebody has gone back
    /// to them: those first of which the least is lost, among them the oldest. `needed` stays.
    fn make_room(&mut self, needed: Option<u32>) -> Result<(), String> {
        let unnamed = |id: &u32| self.others.iter().any(|o| o.branch.id == *id && o.branch.name.is_empty());
        self.left = self.left.iter().copied().filter(unnamed).collect();
        while self.left.len() >= UNDONE_MAX || self.others.len() + 1 >= BRANCHES_MAX {
            let droppable = self.left.iter().copied().filter(|id| Some(*id) != needed && !self.has_own_marks(*id));
            let Some(least) = droppable.min_by_key(|id| self.own_inputs(*id)) else { break };
            self.drop_branch(least)?;
        }
        if self.others.len() + 1 >= BRANCHES_MAX {
            return Err(format!("there are {BRANCHES_MAX} branches already"));
        }
        Ok(())
    }

    /// Inputs that no branch has but this one.
    fn own_inputs(&self, id: u32) -> usize {
        let Some(of) = self.others.iter().find(|o| o.branch.id == id) else { return 0 };
        let all: Vec<Arc<Input>> = of.inputs().cloned().collect();
        let others = self.others.iter().filter(|o| o.branch.id != id).map(|o| shared(o.inputs(), &all));
        all.len() - others.chain([shared(self.line.inputs.iter(), &all)]).max().unwrap_or(0)
    }
}

/// Where the deed after the one begins that begins with this input.
fn next_deed<'a>(inputs: impl Iterator<Item = &'a Arc<Input>>, first: usize) -> Option<usize> {
    let mut deeds = inputs.enumerate().skip(first).filter(|(_, i)| is_deed(&i.command));
    let (_, this) = deeds.next()?;
    deeds.find(|(_, i)| !is_same(this, i)).map(|(n, _)| n)
}
