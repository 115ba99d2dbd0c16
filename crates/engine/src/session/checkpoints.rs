//! Clusters as they were, kept along a session, so that any moment is a short way from one of them.

use super::player::{Player, Target};
use meta::Duration;
use std::sync::Arc;

/// Work between two checkpoints: taking it again takes as long.
const APART: Duration = Duration::from_millis(50);
/// Checkpoints kept. Beyond, the two neighbouring spans with the least work become one.
const KEPT_MAX: usize = 400;

/// Oldest first, each with the work from the one before; the first is the session's beginning.
#[derive(Clone, Default)]
pub(crate) struct Checkpoints {
    kept: Vec<(Arc<Player>, Duration)>,
    /// Work since the newest.
    work: Duration,
}

impl Checkpoints {
    /// Takes in that so much work was done; whether it is time for another checkpoint.
    pub fn is_due(&mut self, work: Duration) -> bool {
        self.work = self.work + work;
        self.kept.is_empty() || self.work >= APART
    }

    pub fn keep(&mut self, player: Player) {
        self.kept.push((Arc::new(player), std::mem::take(&mut self.work)));
        if self.kept.len() > KEPT_MAX {
            self.thin();
        }
    }

    /// The first and the newest stay.
    fn thin(&mut self) {
        let spans = self.kept.windows(2).enumerate().skip(1);
        let Some((i, _)) = spans.min_by_key(|(_, w)| w[0].1 + w[1].1) else { return };
        let (_, work) = self.kept.remove(i);
        self.kept[i].1 = self.kept[i].1 + work;
    }

    /// Where the way to the moment begins.
    pub fn nearest(&self, target: Target) -> Option<&Player> {
        let n = self.kept.partition_point(|(c, _)| c.comes_before(target));
        self.kept.get(n.saturating_sub(1)).map(|(c, _)| &**c)
    }

    pub fn newest(&self) -> Option<&Player> {
        self.kept.last().map(|(c, _)| &**c)
    }

    /// Those of a branch that leaves after so many turns and inputs.
    pub fn until(&self, turns: u64, inputs: usize) -> Checkpoints {
        let n = self.kept.partition_point(|(c, _)| c.turns() <= turns && c.inputs <= inputs);
        Checkpoints { kept: self.kept[..n].to_vec(), work: Duration::ZERO }
    }
}
