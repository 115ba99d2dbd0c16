//! A saved session on its way back.

use super::line::Line;
use super::packed::unpack;
use super::player::{Player, Record};
use super::{FORMAT, Saved, Session};
use crate::debugger::Debugger;
use meta::Duration;

/// It may have lived long, so it is replayed in slices.
pub struct Replay {
    player: Player,
    record: Record,
    line: Line,
    /// All but the inputs.
    saved: Saved,
}

impl Replay {
    /// # Errors
    /// The text is not a session, or one of another format.
    pub fn new(text: &str) -> Result<Self, String> {
        let text = unpack(text)?;
        let saved: Saved = serde_json::from_str(&text).map_err(|e| format!("the saved session cannot be read: {e}"))?;
        if saved.format != FORMAT {
            return Err(format!("the saved session has format {}, this is format {FORMAT}", saved.format));
        }
        let Session { cluster, setup, line, .. } = Session::begin(saved.setup)?;
        let (saved, inputs) = (Saved { inputs: Vec::new(), ..saved }, saved.inputs);
        let record = Record { inputs, turns: saved.turns, now: saved.now };
        Ok(Replay { player: Player { cluster, inputs: 0 }, record, line, saved: Saved { setup, ..saved } })
    }

    /// Turns taken, of how many.
    pub fn progress(&self) -> (u64, u64) {
        (self.player.turns(), self.record.turns)
    }

    /// Goes on until it is done, which it says, or out of budget.
    pub fn run(&mut self, mut out_of_budget: impl FnMut() -> bool) -> bool {
        loop {
            if !self.line.replay_one(&mut self.player, &self.record) {
                return true;
            }
            if out_of_budget() {
                return false;
            }
        }
    }

    /// See [`Session::rest`].
    pub fn rest(&mut self, work: Duration) {
        self.line.rest(&mut self.player.cluster, work);
    }

    /// The session as far as it was replayed.
    pub fn finish(self) -> Session {
        let Saved { setup, debugger, given, branch, branches, marks, left, undone, .. } = self.saved;
        let mut session = Session::with(self.player.cluster, setup, self.line);
        session.debugger = Debugger::restore(debugger, &mut session.cluster);
        session.others = branches.into_iter().map(|b| b.back(&session.line)).collect();
        (session.given, session.left, session.undone) = (given, left, undone);
        session.count(branch, marks);
        session
    }
}
