//! Clusters as they were, kept along a session, so that any moment is a short way from one of them.

use super::player::{Player, Target};
use meta::Duration;
use std::sync::Arc;

/// Work between two checkpoints: taking it again takes as long.
const APART: Duration = Duration::from_millis(75);
/// The same for each component that there is: in a large cluster a checkpoint, and the copies that it makes of what changes
/// next, would else take as long as the work.
const APART_EACH: Duration = Duration(100);
/// Checkpoints kept, and what they may weigh together, in about kilobytes of memory. Beyond, the two neighbouring spans with
/// the least work become one.
const KEPT_MAX: usize = 800;
const WEIGHT_MAX: u64 = 1_000_000;
/// Of a component that is its own, and of one that it shares, in tenths of a kilobyte.
const OWN: u64 = 200;
const SHARED: u64 = 3;

#[derive(Clone)]
struct Kept {
    player: Arc<Player>,
    /// From the one before.
    work: Duration,
    /// Components that there are.
    slots: u64,
}

/// Oldest first; the first is the session's beginning.
#[derive(Clone, Default)]
pub(crate) struct Checkpoints {
    kept: Vec<Kept>,
    /// Work since the newest.
    work: Duration,
}

impl Checkpoints {
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Takes in that so much work was done; whether it is time for another checkpoint.
    pub fn is_due(&mut self, work: Duration) -> bool {
        self.work = self.work + work;
        self.kept.last().is_none_or(|newest| self.work >= APART.max(Duration(APART_EACH.0 * newest.slots)))
    }

    pub fn keep(&mut self, player: Player) {
        let slots = player.cluster.slots().count() as u64;
        self.kept.push(Kept { player: Arc::new(player), work: std::mem::take(&mut self.work), slots });
        while self.kept.len() > 2 && (self.kept.len() > KEPT_MAX || self.weight() > WEIGHT_MAX) {
            self.thin();
        }
    }

    /// A checkpoint shares its components with the next one but for those that took a turn in between.
    fn weight(&self) -> u64 {
        let spans = self.kept.windows(2).map(|w| {
            let (turns, slots) = (w[1].player.turns().saturating_sub(w[0].player.turns()), w[1].slots);
            (turns.min(slots) * OWN + slots * SHARED) / 10
        });
        spans.sum()
    }

    /// The first and the newest stay.
    fn thin(&mut self) {
        let spans = self.kept.windows(2).enumerate().skip(1);
        let Some((i, _)) = spans.min_by_key(|(_, w)| w[0].work + w[1].work) else { return };
        let gone = self.kept.remove(i);
        self.kept[i].work = self.kept[i].work + gone.work;
    }

    /// Where the way to the moment begins.
    pub fn nearest(&self, target: Target) -> Option<&Player> {
        let n = self.kept.partition_point(|k| k.player.comes_before(target));
        self.kept.get(n.saturating_sub(1)).map(|k| &*k.player)
    }

    pub fn newest(&self) -> Option<&Player> {
        self.kept.last().map(|k| &*k.player)
    }

    /// Those of a branch that leaves after so many turns and inputs.
    pub fn until(&self, turns: u64, inputs: usize) -> Checkpoints {
        let n = self.kept.partition_point(|k| k.player.turns() <= turns && k.player.inputs <= inputs);
        Checkpoints { kept: self.kept[..n].to_vec(), work: Duration::ZERO }
    }
}
