//! Branches of a session: courses of events that are the same up to some moment. One of them is the present.

use super::line::Line;
use super::player::{Input, Player, Record};
use super::{Session, TURN, TURNS_APART};
use crate::transport::Transport;
use cluster::Cluster;
use meta::{Duration, Time};
use protocol::BranchView;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Each keeps clusters of its own.
pub(super) const BRANCHES_MAX: usize = 12;
const NAME_MAX: usize = 60;

/// Where a branch leaves another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fork {
    branch: u32,
    turns: u64,
    now: Time,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Branch {
    pub id: u32,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Fork>,
}

/// A branch that is not the present.
pub(super) struct Other {
    pub branch: Branch,
    pub line: Line,
    /// Where it ends.
    pub turns: u64,
    pub now: Time,
    /// The cluster there; `None` when it was saved and nobody has asked for it since.
    pub cluster: Option<Box<Cluster>>,
    /// Inputs that have to be carried out again before it is there.
    pub pending: Vec<Arc<Input>>,
}

/// What a saved session keeps of an [`Other`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SavedBranch {
    branch: Branch,
    /// So many inputs, by so many turns, are those of the present branch.
    shared: usize,
    shared_turns: u64,
    inputs: Vec<Arc<Input>>,
    turns: u64,
    now: Time,
}

impl Other {
    /// From the session's beginning on.
    pub fn inputs(&self) -> impl Iterator<Item = &Arc<Input>> {
        self.line.inputs.iter().chain(&self.pending)
    }

    /// The cluster at its end, made again if need be. `present` shares its beginning.
    fn wake(&mut self, present: &Cluster) -> Option<&Cluster> {
        if self.cluster.is_none() {
            let mut player = self.line.checkpoints.newest()?.clone();
            player.cluster.recall(present);
            let inputs = self.line.inputs.iter().cloned().chain(self.pending.drain(..)).collect();
            let record = Record { inputs, turns: self.turns, now: self.now };
            while self.line.replay(&mut player, &record, TURNS_APART) {
                self.line.rest(&mut player.cluster, Duration(TURN.0 * TURNS_APART));
            }
            self.line.rest(&mut player.cluster, Duration::ZERO);
            self.cluster = Some(Box::new(player.cluster));
        }
        self.cluster.as_deref()
    }
}

impl SavedBranch {
    /// `line` is the present branch's.
    pub(super) fn back(self, line: &Line) -> Other {
        let own = line.until_checkpoint(self.shared_turns, self.shared);
        let shared = line.inputs.iter().take(self.shared).skip(own.inputs.len()).cloned();
        let pending = shared.chain(self.inputs).collect();
        Other { branch: self.branch, line: own, turns: self.turns, now: self.now, cluster: None, pending }
    }
}

impl Session {
    fn branches(&self) -> impl Iterator<Item = &Branch> {
        std::iter::once(&self.branch).chain(self.others.iter().map(|o| &o.branch))
    }

    /// The branch and those it comes from, each with the turns up to which they are the same.
    fn ancestors(&self, id: u32) -> Vec<(u32, u64)> {
        let mut out = vec![(id, u64::MAX)];
        while let Some(fork) = out.last().and_then(|(id, _)| self.branches().find(|b| b.id == *id)?.from) {
            let turns = out.last().map_or(u64::MAX, |(_, turns)| *turns);
            // A branch can only come from an older one.
            if out.len() > BRANCHES_MAX {
                break;
            }
            out.push((fork.branch, turns.min(fork.turns)));
        }
        out
    }

    /// The turns up to which two branches are the same.
    pub(super) fn shared_turns(&self, a: u32, b: u32) -> u64 {
        let of_b = self.ancestors(b);
        let mut both = self.ancestors(a).into_iter();
        let found = both.find_map(|(id, t)| of_b.iter().find(|(other, _)| *other == id).map(|(_, u)| t.min(*u)));
        found.unwrap_or(0)
    }

    pub(super) fn saved_branches(&self) -> Vec<SavedBranch> {
        let save = |o: &Other| {
            let all: Vec<_> = o.inputs().cloned().collect();
            let shared = all.iter().zip(&self.line.inputs).take_while(|(a, b)| Arc::ptr_eq(a, b)).count();
            SavedBranch {
                branch: o.branch.clone(),
                shared,
                shared_turns: self.shared_turns(o.branch.id, self.branch.id),
                inputs: all[shared..].to_vec(),
                turns: o.turns,
                now: o.now,
            }
        };
        self.others.iter().map(save).collect()
    }

    pub(super) fn branch_views(&self) -> Vec<BranchView> {
        let view = |b: &Branch, end: Option<Time>| BranchView {
            id: b.id,
            name: b.name.clone(),
            from: b.from.map(|f| (f.branch, f.now.as_micros())),
            now: end.map_or(0, Time::as_micros),
            current: end.is_none(),
        };
        let others = self.others.iter().map(|o| view(&o.branch, Some(o.now)));
        let mut all: Vec<BranchView> = others.chain([view(&self.branch, None)]).collect();
        all.sort_by_key(|b| b.id);
        all
    }

    /// Goes on from the shown moment; the present is kept as it is.
    pub(super) fn branch(&mut self, transport: &mut Transport, name: &str) -> Result<(), String> {
        if self.others.len() + 1 >= BRANCHES_MAX {
            return Err(format!("there are {BRANCHES_MAX} branches already"));
        }
        let player = self.take_shown();
        self.branch_at(transport, player, name);
        Ok(())
    }

    /// Goes on from the player's moment, which is one of the present branch.
    pub(super) fn branch_at(&mut self, transport: &mut Transport, player: Player, name: &str) {
        let Player { cluster, inputs } = player;
        let fork = Fork { branch: self.branch.id, turns: cluster.turns(), now: cluster.now() };
        let name = name.chars().take(NAME_MAX).collect();
        let branch = Branch { id: self.next_id, name, from: Some(fork) };
        self.next_id += 1;
        let seq = cluster.trace().last();
        let line = self.line.until(fork.turns, inputs, seq);
        let marks: Vec<_> = self.marks.iter().filter(|(b, m)| *b == fork.branch && m.seq <= seq).cloned().collect();
        for (_, mark) in marks {
            self.marks.push((branch.id, protocol::Mark { id: self.next_id, ..mark }));
            self.next_id += 1;
        }
        self.become_present(transport, branch, line, cluster);
    }

    /// What was the present goes to the others.
    fn become_present(&mut self, transport: &mut Transport, branch: Branch, line: Line, cluster: Cluster) {
        let branch = std::mem::replace(&mut self.branch, branch);
        let line = std::mem::replace(&mut self.line, line);
        let cluster = std::mem::replace(&mut self.cluster, cluster);
        let (turns, now) = (cluster.turns(), cluster.now());
        let mut cluster = Box::new(cluster);
        cluster.hold_nothing();
        self.others.push(Other { branch, line, turns, now, cluster: Some(cluster), pending: Vec::new() });
        self.bytes = self.line.inputs.iter().map(|i| i.bytes()).sum();
        (self.travel, self.until, transport.running) = (None, None, false);
        self.debugger.take_over(&mut self.cluster);
        self.rewinds += 1;
    }

    /// Another branch becomes the present.
    pub(super) fn switch(&mut self, transport: &mut Transport, id: u32) -> Result<(), String> {
        let unknown = || format!("there is no branch {id}");
        let i = self.others.iter().position(|o| o.branch.id == id).ok_or_else(unknown)?;
        let mut other = self.others.remove(i);
        other.wake(&self.cluster);
        match other.cluster.take() {
            Some(cluster) => {
                self.keep_branch(id);
                self.become_present(transport, other.branch, other.line, *cluster);
                Ok(())
            }
            None => {
                self.others.insert(i, other);
                Err("nothing is known of the way to it".into())
            }
        }
    }

    /// Where another branch is among the others, with its cluster made again if need be.
    pub(super) fn wake(&mut self, id: u32) -> Option<usize> {
        let i = self.others.iter().position(|o| o.branch.id == id)?;
        self.others[i].wake(&self.cluster).map(|_| i)
    }

    pub(super) fn rename_branch(&mut self, id: u32, name: &str) -> Result<(), String> {
        let others = self.others.iter_mut().map(|o| &mut o.branch);
        let found = std::iter::once(&mut self.branch).chain(others).find(|b| b.id == id);
        found.ok_or_else(|| format!("there is no branch {id}"))?.name = name.chars().take(NAME_MAX).collect();
        Ok(())
    }

    pub(super) fn drop_branch(&mut self, id: u32) -> Result<(), String> {
        let unknown = || format!("there is no branch {id} but the present one");
        let i = self.others.iter().position(|o| o.branch.id == id).ok_or_else(unknown)?;
        let gone = self.others.remove(i).branch;
        // What left it leaves what it left.
        for b in std::iter::once(&mut self.branch).chain(self.others.iter_mut().map(|o| &mut o.branch)) {
            if let Some(fork) = b.from.filter(|f| f.branch == id) {
                b.from = gone.from.map(|f| if f.turns <= fork.turns { f } else { Fork { branch: f.branch, ..fork } });
            }
        }
        self.marks.retain(|(branch, _)| *branch != id);
        self.left.retain(|left| *left != id);
        Ok(())
    }
}
