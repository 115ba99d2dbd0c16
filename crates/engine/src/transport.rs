//! Run, pause, step, speed: how virtual time follows real time.

use crate::host::Host;
use cluster::{Cluster, Turn};
use meta::{Duration, Time};
use protocol::Speed;

/// At full speed the clock falls back to real time when the cluster has been at rest this long: only heartbeats
/// are left, and they would burn the machine for nothing.
const REST: Duration = Duration::from_secs(90);
/// A decision that has not come after this much virtual time will not come by itself.
const DECISION_WAIT_MAX: Duration = Duration::from_secs(600);

/// Where a clock is after so much real time, when nothing holds it up.
pub(crate) fn after(speed: Speed, now: Time, elapsed: Duration) -> Time {
    match speed {
        Speed::Times(permille) => now + Duration(elapsed.0.saturating_mul(u64::from(permille)) / 1000),
        Speed::Max => Time(u64::MAX),
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Transport {
    pub running: bool,
    pub speed: Speed,
}

impl Default for Transport {
    fn default() -> Self {
        Transport { running: true, speed: Speed::Times(1000) }
    }
}

impl Transport {
    /// Lets `elapsed` of real time pass. `after_turn` is asked between turns; when it says that the
    /// budget is spent the rest of the time is dropped, so a slow machine slows the cluster's clock and never the page. Turns taken.
    pub fn tick<H: Host>(self, host: &mut H, elapsed: Duration, mut after_turn: impl FnMut(&mut H) -> bool) -> u64 {
        let cluster = host.cluster();
        if !self.running {
            return 0;
        }
        let speed = match self.speed {
            Speed::Max if cluster.now().since(cluster.quiet_since()) > REST => Speed::Times(1000),
            Speed::Max => return run_max(host, after_turn),
            speed => speed,
        };
        let target = after(speed, cluster.now(), elapsed);
        let mut turns = 0;
        while host.cluster().step(target).is_some() {
            turns += 1;
            if after_turn(host) {
                return turns;
            }
        }
        host.cluster().advance_to(target);
        turns
    }

    /// One component takes one item, whenever that is.
    pub fn step(self, cluster: &mut Cluster) -> Option<Turn> {
        cluster.step(Time(u64::MAX))
    }

    /// Steps until a scheduling cycle was made; `None` when none comes within ten minutes of virtual time.
    pub fn step_decision(self, cluster: &mut Cluster) -> Option<Turn> {
        let end = cluster.now() + DECISION_WAIT_MAX;
        while let Some(turn) = cluster.step(end) {
            if turn.cycle.is_some() {
                return Some(turn);
            }
        }
        None
    }
}

/// [`Transport::step_decision`] in slices, on a copy of the cluster: one in which nothing will be decided stays where it
/// is.
pub struct Search {
    cluster: Box<Cluster>,
    end: Time,
}

pub enum Seek {
    /// The cluster after the decision.
    Found(Box<Cluster>),
    NotYet(Search),
    Nothing,
}

impl Search {
    pub fn new(cluster: &Cluster) -> Self {
        Search { cluster: Box::new(cluster.clone()), end: cluster.now() + DECISION_WAIT_MAX }
    }

    pub fn run(mut self, mut out_of_budget: impl FnMut() -> bool) -> Seek {
        while let Some(turn) = self.cluster.step(self.end) {
            if turn.cycle.is_some() {
                return Seek::Found(self.cluster);
            }
            if out_of_budget() {
                return Seek::NotYet(self);
            }
        }
        // The next decision is one that somebody wants to look into.
        if self.cluster.held().is_some() {
            return Seek::Found(self.cluster);
        }
        Seek::Nothing
    }
}

fn run_max<H: Host>(host: &mut H, mut after_turn: impl FnMut(&mut H) -> bool) -> u64 {
    let mut turns = 0;
    while !after_turn(host) {
        let cluster = host.cluster();
        if cluster.now().since(cluster.quiet_since()) > REST || cluster.step(Time(u64::MAX)).is_none() {
            break;
        }
        turns += 1;
    }
    turns
}
