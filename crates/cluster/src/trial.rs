//! A copy of the API server and its store, to try requests on. Nothing that happens here reaches the cluster.

use crate::Cluster;
use apiserver::{Answer, ApiCx, ApiServer, Callees, Request, Stored};
use meta::{Rng, Time};
use store::Store;

pub struct Trial {
    api: ApiServer,
    store: Store<Stored>,
    rng: Rng,
    now: Time,
    accounts_come: bool,
    callees: Callees,
}

impl Trial {
    pub fn request(&mut self, req: Request) -> Answer {
        let accounts_come = self.accounts_come;
        let mut cx =
            ApiCx { now: self.now, store: &mut self.store, rng: &mut self.rng, accounts_come, callees: &self.callees };
        self.api.handle(&mut cx, req)
    }
}

impl Cluster {
    /// Costs a few pointers: the store shares its structure.
    pub fn trial(&self) -> Trial {
        Trial {
            api: self.api.clone(),
            store: self.store.clone(),
            rng: self.rng.clone(),
            now: self.now,
            accounts_come: self.accounts_come(),
            callees: self.callees(None),
        }
    }
}
