//! What processes say to each other beside HTTP.

use super::machine::World;
use super::net::{Answer, NetError};
use super::redis::{Back, process};
use super::{SimRuntime, server};
use crate::runtime::Runtime;
use meta::Time;
use std::sync::Arc;

impl SimRuntime {
    /// What this node's containers say to each other is carried at once; the rest is for other nodes.
    pub(super) fn carry_talks(&mut self, now: Time) {
        loop {
            let here = |ip: &str| {
                let mut all = self.containers.values().filter_map(|c| c.machine.as_ref());
                all.any(|m| m.exit.is_none() && m.spec.pod_ip == ip)
            };
            let Some(n) = self.calls.iter().position(|c| c.talk.is_some() && here(&c.server.ip)) else { break };
            let call = self.calls.remove(n);
            let node = self.containers.get(&call.id).map(|c| c.spec.node.clone()).unwrap_or_default();
            if let Some(answer) = self.talk(now, Back { node, call: call.clone() }) {
                self.answered(now, &call, answer);
            }
        }
        let own = |back: &Back| self.containers.get(&back.call.id).is_some_and(|c| c.spec.node == back.node);
        let (mine, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.late).into_iter().partition(|(b, _)| own(b));
        self.late = others;
        for (back, answer) in mine {
            self.answered(now, &back.call, answer);
        }
    }

    /// Whoever listens there hears what somebody says. `None`: the answer comes later.
    pub(super) fn talk(&mut self, now: Time, back: Back) -> Option<Answer> {
        let to = &back.call.server;
        if let Err(e) = server::connect(&self.containers, None, &to.ip, to.port, now) {
            return Some(Err(e));
        }
        let listens = |m: &super::machine::Machine| {
            m.exit.is_none() && m.spec.pod_ip == to.ip && m.listeners().any(|(p, ..)| p == to.port)
        };
        let found = self.containers.iter().find(|(_, c)| c.machine.as_ref().is_some_and(listens));
        let id = found.map(|(id, _)| id.clone())?;
        let mut shared = self.containers.remove(&id)?;
        let mut world = World {
            volumes: &mut self.volumes,
            peers: &self.containers,
            view: self.view.as_ref(),
            balancer: &mut self.balancer,
            speed: self.speed,
            sent: Vec::new(),
            calls: Vec::new(),
            signals: Vec::new(),
            late: Vec::new(),
            writes: Vec::new(),
        };
        let machine = Arc::make_mut(&mut shared).machine.as_mut();
        let answer = machine.map_or(Err(NetError::Refused), |m| process::talk(m, &back, now, &mut world));
        self.late.append(&mut world.late);
        self.metered.insert(id.clone());
        self.containers.insert(id, shared);
        answer.unwrap_or_else(|e| Some(Err(e)))
    }
}
