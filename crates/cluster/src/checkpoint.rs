//! A cluster as it stands, to come back to.

use crate::{Cluster, hold};

impl Cluster {
    /// A copy to go on from later. It holds no scheduling cycle, keeps nothing for a host, and has left the trace's entries
    /// and the store's history behind, which would keep all of a long session in memory: [`Cluster::recall`] brings them
    /// back.
    pub fn checkpoint(&mut self) -> Cluster {
        let bare = self.trace.bare();
        let trace = std::mem::replace(&mut self.trace, bare);
        let bare = self.store.bare();
        let store = std::mem::replace(&mut self.store, bare);
        let copy = Cluster {
            hold: hold::Hold::default(),
            outbox: Vec::new(),
            outbox_on: false,
            crashes: Vec::new(),
            ..self.clone()
        };
        self.trace = trace;
        self.store = store;
        copy
    }

    /// Nobody looks at its scheduling cycles any more; one that was held has not happened.
    pub fn hold_nothing(&mut self) {
        self.hold = hold::Hold::default();
    }

    /// Brings back what [`Cluster::checkpoint`] left behind, as far as `later`, a later state of the same history, has it.
    pub fn recall(&mut self, later: &Cluster) {
        self.trace.recall(&later.trace);
        self.store.recall(&later.store);
    }
}
