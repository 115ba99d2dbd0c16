//! A toy cloud: one region with three zones, machines of a few types, routes, load balancers, disks, prices, quotas. It takes
//! its time, and refuses what a real one would refuse.

mod calls;
mod catalogue;
mod disks;
mod ledger;
#[cfg(test)]
mod tests;

pub use catalogue::{InstanceType, TYPES};
pub use disks::Disk;
pub use ledger::LogEntry;

use crate::provider::{CloudError, Route, Wanted};
use ledger::Ledger;
use meta::{Duration, Rng, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// How the cloud is, before anything happens in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub seed: u64,
    pub region: String,
    /// What follows the region in a zone's name.
    pub zones: Vec<String>,
    pub quotas: Quotas,
    /// Of a thousand calls, how many fail for no reason of the caller's.
    pub failures_permille: u32,
    /// So much longer than it must every answer takes.
    pub delay: Duration,
    /// Every so many machines come from spare capacity: cheaper, and may be taken back. 0: none.
    pub spot_every: usize,
    /// The first address of load balancers; the others follow.
    pub load_balancer_ip: Ipv4Addr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas {
    pub instances: usize,
    pub routes: usize,
    pub load_balancers: usize,
    pub disks: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            seed: 1,
            region: "toy-1".into(),
            zones: ["a", "b", "c"].map(Into::into).into(),
            quotas: Quotas { instances: 5000, routes: 5000, load_balancers: 20, disks: 500 },
            failures_permille: 0,
            delay: Duration::ZERO,
            spot_every: 3,
            // TEST-NET-3 of RFC 5737: an address that nobody has.
            load_balancer_ip: Ipv4Addr::new(203, 0, 113, 10),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Running,
    Stopped,
}

#[derive(Clone, Debug)]
pub struct Instance {
    pub id: String,
    /// The machine's name, which its kubelet registers.
    pub node: String,
    pub zone: String,
    pub type_: InstanceType,
    pub spot: bool,
    pub state: State,
    pub internal_ip: String,
    pub external_ip: Ipv4Addr,
}

impl Instance {
    /// What an hour of it costs, in millionths of a dollar.
    pub fn price_micros(&self) -> u64 {
        if self.spot { self.type_.spot_price() } else { self.type_.price_micros }
    }
}

#[derive(Clone, Debug)]
pub struct LoadBalancer {
    pub wanted: Wanted,
    pub ip: Ipv4Addr,
    /// It is being set up until then.
    pub active_at: Time,
}

/// What a machine needs.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    pub node: &'a str,
    pub internal_ip: &'a str,
    pub cpu_milli: i64,
    pub memory_bytes: i64,
    /// Empty: the zone with the fewest.
    pub zone: &'a str,
}

#[derive(Clone, Debug)]
pub struct ToyCloud {
    settings: Settings,
    rng: Rng,
    instances: BTreeMap<String, Instance>,
    by_node: BTreeMap<String, String>,
    routes: BTreeMap<String, Route>,
    load_balancers: BTreeMap<String, LoadBalancer>,
    disks: BTreeMap<String, Disk>,
    disks_made: u32,
    zones_down: BTreeSet<String>,
    launched: u32,
    ledger: Ledger,
    version: u64,
}

impl ToyCloud {
    pub fn new(settings: Settings) -> Self {
        ToyCloud {
            rng: Rng::new(settings.seed ^ 0x63_6c6f_7564),
            settings,
            instances: BTreeMap::new(),
            by_node: BTreeMap::new(),
            routes: BTreeMap::new(),
            load_balancers: BTreeMap::new(),
            disks: BTreeMap::new(),
            disks_made: 0,
            zones_down: BTreeSet::new(),
            launched: 0,
            ledger: Ledger::default(),
            version: 0,
        }
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }
    pub fn set_quotas(&mut self, quotas: Quotas) {
        self.settings.quotas = quotas;
    }
    pub fn set_failures(&mut self, permille: u32) {
        self.settings.failures_permille = permille.min(1000);
    }
    pub fn set_delay(&mut self, delay: Duration) {
        self.settings.delay = delay;
    }
    pub fn instances(&self) -> impl Iterator<Item = &Instance> {
        self.instances.values()
    }
    pub fn instance_of(&self, node: &str) -> Option<&Instance> {
        self.instances.get(self.by_node.get(node)?)
    }
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        self.routes.values()
    }
    pub fn load_balancers(&self) -> impl Iterator<Item = &LoadBalancer> {
        self.load_balancers.values()
    }
    /// Grows with every call that may change something.
    pub fn version(&self) -> u64 {
        self.version
    }
    /// The newest calls, oldest first.
    pub fn log(&self) -> impl Iterator<Item = &LogEntry> {
        self.ledger.log()
    }
    /// All calls there ever were.
    pub fn calls_made(&self) -> u64 {
        self.ledger.calls
    }
    /// What all of it has cost by `now`, in millionths of a dollar.
    pub fn cost_micros(&self, now: Time) -> u64 {
        self.ledger.cost_micros(now)
    }
    /// What an hour costs as things are, in millionths of a dollar.
    pub fn rate_micros(&self) -> u64 {
        self.ledger.rate()
    }

    /// Full names of all zones, and whether each is down.
    pub fn zones(&self) -> Vec<(String, bool)> {
        let names = self.settings.zones.iter().map(|z| format!("{}{z}", self.settings.region));
        names.map(|z| (z.clone(), self.zones_down.contains(&z))).collect()
    }

    /// A machine for a new node.
    ///
    /// # Errors
    /// The quota is used up, or the zone is down or unknown.
    pub fn launch(&mut self, now: Time, order: &Order) -> Result<&Instance, CloudError> {
        let result = self.place(order);
        self.ledger.note(now, "console", "RunInstance", order.node, result.as_ref().err());
        let zone = result?;
        self.launched += 1;
        let n = self.launched;
        let type_ = catalogue::fit(order.cpu_milli, order.memory_bytes);
        let spot = self.settings.spot_every > 0 && (n as usize).is_multiple_of(self.settings.spot_every);
        let id = format!("i-{:08x}{n:04x}", self.rng.next_u32());
        self.ledger.begin(now, &id, if spot { type_.spot_price() } else { type_.price_micros });
        let instance = Instance {
            id: id.clone(),
            node: order.node.into(),
            zone,
            type_,
            spot,
            state: State::Running,
            internal_ip: order.internal_ip.into(),
            // 198.18.0.0/15, which RFC 2544 keeps for benchmarks.
            external_ip: Ipv4Addr::from(u32::from(Ipv4Addr::new(198, 18, 0, 0)) + n % (1 << 17)),
        };
        self.by_node.insert(order.node.into(), id.clone());
        Ok(self.instances.entry(id).or_insert(instance))
    }

    /// The zone where it can be had.
    fn place(&self, order: &Order) -> Result<String, CloudError> {
        if self.instances.len() >= self.settings.quotas.instances {
            let limit = self.settings.quotas.instances;
            return Err(CloudError::new(format!("InstanceLimitExceeded: the limit of {limit} instances is reached")));
        }
        let zones = self.zones();
        if !order.zone.is_empty() {
            return match zones.into_iter().find(|(z, _)| z == order.zone) {
                Some((z, false)) => Ok(z),
                Some((z, true)) => {
                    Err(CloudError::new(format!("InsufficientInstanceCapacity: zone {z} has no capacity at present")))
                }
                None => Err(CloudError::new(format!("InvalidZone: there is no zone {:?}", order.zone))),
            };
        }
        let load = |zone: &str| self.instances.values().filter(|i| i.zone == zone).count();
        let open = zones.into_iter().filter(|(_, down)| !down).map(|(z, _)| z);
        open.min_by_key(|z| load(z))
            .ok_or_else(|| CloudError::new("InsufficientInstanceCapacity: no zone has capacity at present"))
    }

    /// The machine is given back, or taken back. False when there is none.
    pub fn terminate(&mut self, now: Time, node: &str) -> bool {
        let Some(id) = self.by_node.remove(node) else { return false };
        self.instances.remove(&id);
        self.release_disks(&id);
        for r in self.routes.values_mut().filter(|r| r.target_node == node) {
            r.blackhole = true;
        }
        self.ledger.end(now, &id);
        self.ledger.note(now, "console", "TerminateInstance", node, None);
        true
    }

    /// The machine is shut down; what it has stays. False when it is not running.
    pub fn stop(&mut self, now: Time, node: &str) -> bool {
        let Some(i) = self.by_node.get(node).and_then(|id| self.instances.get_mut(id)) else { return false };
        if i.state == State::Stopped {
            return false;
        }
        i.state = State::Stopped;
        self.ledger.end(now, &i.id);
        self.ledger.note(now, "console", "StopInstance", node, None);
        true
    }

    /// False when it is not stopped.
    pub fn start(&mut self, now: Time, node: &str) -> bool {
        let Some(i) = self.by_node.get(node).and_then(|id| self.instances.get_mut(id)) else { return false };
        if i.state == State::Running {
            return false;
        }
        i.state = State::Running;
        self.ledger.begin(now, &i.id, i.price_micros());
        self.ledger.note(now, "console", "StartInstance", node, None);
        true
    }

    /// False when there is no such zone, or it is so already.
    pub fn set_zone(&mut self, now: Time, zone: &str, down: bool) -> bool {
        let known = self.zones().iter().any(|(z, is)| z == zone && *is != down);
        if known {
            if down {
                self.zones_down.insert(zone.into());
            } else {
                self.zones_down.remove(zone);
            }
            self.ledger.note(now, "cloud", if down { "ZoneDown" } else { "ZoneUp" }, zone, None);
        }
        known
    }

    pub fn is_down(&self, zone: &str) -> bool {
        self.zones_down.contains(zone)
    }

    /// `toy:///toy-1a/i-0123456789ab`
    pub fn provider_id(i: &Instance) -> String {
        format!("toy:///{}/{}", i.zone, i.id)
    }
}
