//! What the nodes were at a time, told by what has happened to them since a time that is kept whole. A recorded cycle
//! costs the cache next to nothing: the nodes stay where they are in memory, and what happens to them is noted.

use crate::framework::{PodInfo, Snapshot};
use k8s_openapi::api::core::v1::Node;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bounds to what the changes of a stretch weigh together: twice what its nodes do, so that copying those is little beside.
const WEIGHT_MIN: usize = 512;
const WEIGHT_MAX: usize = 16_384;

/// A change that leaves the order of the nodes as it is.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Put { pod: Arc<PodInfo>, node: Arc<str>, kind: u32 },
    Take { pod: Arc<PodInfo>, node: Arc<str>, kind: u32 },
    Renew(Arc<Node>),
}

impl Change {
    pub fn happen_to(&self, snapshot: &mut Snapshot) {
        match self {
            Change::Put { pod, node, kind } => snapshot.put(pod, node, *kind),
            Change::Take { pod, node, kind } => snapshot.take(pod, node, *kind),
            Change::Renew(node) => snapshot.renew(node),
        }
    }
    /// In nodes with pods on them; a node as an object is larger.
    fn weight(&self) -> usize {
        if matches!(self, Change::Renew(_)) { 8 } else { 1 }
    }
}

#[derive(Debug)]
struct Stretch {
    start: Snapshot,
    told: Mutex<Told>,
}

#[derive(Debug)]
struct Told {
    changes: Vec<Change>,
    /// What may still be added.
    room: usize,
    /// How many changes there were, and how much room, when somebody last wanted to come back.
    marked: (usize, usize),
    /// What somebody asked for last, and after how many changes that was: most ask on.
    asked: (usize, Snapshot),
}

impl Stretch {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The stretch that is being written, and how far; without one nothing is noted. Of two clones the first to write goes on
/// in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Option<(Arc<Stretch>, usize)>);

impl Log {
    pub fn note(&mut self, change: Change) {
        let Some((stretch, len)) = &mut self.0 else { return };
        let mut told = stretch.told();
        if told.changes.len() == *len && told.room >= change.weight() {
            told.room -= change.weight();
            told.changes.push(change);
            *len += 1;
            return;
        }
        if told.changes.len() == *len {
            // Nobody comes back to what was after the mark.
            let marked = told.marked.0;
            told.changes.truncate(marked);
            told.room = 0;
        }
        drop(told);
        self.end();
    }
    /// What comes now cannot be told as a change.
    pub fn end(&mut self) {
        self.0 = None;
    }
    /// Now, and what is kept since somebody asked last.
    pub fn now(&mut self, snapshot: &Snapshot) -> (Past, usize) {
        if let Some((stretch, len)) = &self.0 {
            let mut told = stretch.told();
            if told.changes.len() == *len {
                let weight = told.marked.1 - told.room;
                told.marked = (*len, told.room);
                drop(told);
                return (Past { stretch: stretch.clone(), after: *len }, 1 + weight);
            }
        }
        let start = snapshot.apart();
        let nodes = start.nodes.len();
        let room = (2 * nodes).clamp(WEIGHT_MIN, WEIGHT_MAX);
        let told = Told { changes: Vec::new(), room, marked: (0, room), asked: (0, start.clone()) };
        let stretch = Arc::new(Stretch { start, told: Mutex::new(told) });
        self.0 = Some((stretch.clone(), 0));
        (Past { stretch, after: 0 }, 1 + nodes)
    }
}

/// A time in a stretch.
#[derive(Clone, Debug)]
pub(crate) struct Past {
    stretch: Arc<Stretch>,
    after: usize,
}

impl Past {
    pub fn snapshot(&self) -> Snapshot {
        let mut told = self.stretch.told();
        let (from, mut snapshot) =
            if told.asked.0 <= self.after { told.asked.clone() } else { (0, self.stretch.start.clone()) };
        for change in &told.changes[from..self.after] {
            change.happen_to(&mut snapshot);
        }
        told.asked = (self.after, snapshot.clone());
        snapshot
    }
}
