//! Which pods leave a node that runs out of memory or disk: what is observed, what counts as too little, who goes first.
//! Models `pkg/kubelet/eviction` with the default thresholds.

use crate::pod::Verdict;
use api::references;
use k8s_openapi::api::core::v1::Pod;
use meta::{Duration, Quantity, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How often the manager looks (`evictionMonitoringPeriod`).
pub const MONITORING_PERIOD: Duration = Duration::from_secs(10);
/// How long a condition stays after it was observed last (`evictionPressureTransitionPeriod`).
const TRANSITION_PERIOD: Duration = Duration::from_secs(300);
/// How long an evicted pod is waited for before the next one is chosen (`podCleanupTimeout`).
pub const CLEANUP_TIMEOUT: Duration = Duration::from_secs(30);
pub const REASON: &str = "Evicted";
/// `immediateEvictionGracePeriodSeconds`
pub const GRACE: Duration = Duration::from_secs(1);
/// Of this priority on pods are critical (`SystemCriticalPriority`), and stay.
const CRITICAL: i32 = 2_000_000_000;

/// A node's condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pressure {
    Memory,
    Disk,
}

impl Pressure {
    pub fn condition(self) -> &'static str {
        match self {
            Pressure::Memory => "MemoryPressure",
            Pressure::Disk => "DiskPressure",
        }
    }
    fn resource(self) -> &'static str {
        match self {
            Pressure::Memory => "memory",
            Pressure::Disk => "ephemeral-storage",
        }
    }
}

/// Models `IsCriticalPod`: those of the node itself, and those of the system's priorities.
pub fn is_critical(pod: &Pod) -> bool {
    references::is_static(pod) || pod.spec.as_ref().and_then(|s| s.priority).is_some_and(|p| p >= CRITICAL)
}

/// What a threshold is about. Images, containers and volumes share one disk, with a threshold for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    MemoryAvailable,
    NodeFsAvailable,
    ImageFsAvailable,
}

impl Signal {
    fn pressure(self) -> Pressure {
        match self {
            Signal::MemoryAvailable => Pressure::Memory,
            Signal::NodeFsAvailable | Signal::ImageFsAvailable => Pressure::Disk,
        }
    }
    /// `memory.available<100Mi`, `nodefs.available<10%`, `imagefs.available<15%`
    pub fn threshold_bytes(self, capacity: u64) -> u64 {
        // Upstream's percentages are 32-bit floats.
        let percent = |p: f32| (capacity as f64 * f64::from(p)) as u64;
        match self {
            Signal::MemoryAvailable => 100 << 20,
            Signal::NodeFsAvailable => percent(0.1),
            Signal::ImageFsAvailable => percent(0.15),
        }
    }
}

/// Bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    pub signal: Signal,
    pub available: u64,
    pub capacity: u64,
}

impl Observation {
    fn is_low(&self) -> bool {
        self.available < self.signal.threshold_bytes(self.capacity)
    }
}

/// Bytes that a container uses, and those that it asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContainerUse {
    pub name: String,
    pub memory: u64,
    pub memory_request: u64,
    pub disk: u64,
    pub disk_request: u64,
    /// Its `ephemeral-storage` limit; zero: none.
    pub disk_limit: Quantity,
}

/// A pod that could be evicted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Candidate {
    pub uid: Arc<str>,
    pub priority: i32,
    /// It stays whatever happens.
    pub critical: bool,
    pub containers: Vec<ContainerUse>,
    /// `emptyDir` volumes on disk: name, bytes, and size limit; zero: none.
    pub volumes: Vec<(String, u64, Quantity)>,
}

impl Candidate {
    fn used(&self, what: Pressure) -> u64 {
        match what {
            Pressure::Memory => self.containers.iter().map(|c| c.memory).sum(),
            Pressure::Disk => {
                let own: u64 = self.containers.iter().map(|c| c.disk).sum();
                own + self.volumes.iter().map(|v| v.1).sum::<u64>()
            }
        }
    }
    fn requested(&self, what: Pressure) -> u64 {
        let of = |c: &ContainerUse| if what == Pressure::Memory { c.memory_request } else { c.disk_request };
        self.containers.iter().map(of).sum()
    }

    /// Why the pod must go though the node has enough: it uses more of the disk than it may. Models `localStorageEviction`.
    pub fn exceeds(&self) -> Option<String> {
        for (name, used, limit) in &self.volumes {
            if !limit.is_zero() && bytes(*used) > *limit {
                return Some(format!("Usage of EmptyDir volume {name:?} exceeds the limit \"{limit}\". "));
            }
        }
        let mut total = Quantity::ZERO;
        for c in &self.containers {
            total += c.disk_limit;
        }
        if !total.is_zero() && bytes(self.used(Pressure::Disk)) > total {
            return Some(format!("Pod ephemeral local storage usage exceeds the total limit of containers {total}. "));
        }
        let over = self.containers.iter().find(|c| !c.disk_limit.is_zero() && bytes(c.disk) > c.disk_limit)?;
        Some(format!("Container {} exceeded its local ephemeral storage limit \"{}\". ", over.name, over.disk_limit))
    }
}

fn bytes(n: u64) -> Quantity {
    Quantity::from_bytes(i64::try_from(n).unwrap_or(i64::MAX))
}

/// Who goes first: those that use more than they asked for, then those of lower priority, then those that use most beyond
/// what they asked for. Models `rankMemoryPressure` and `rankDiskPressureFunc`.
pub fn rank(what: Pressure, pods: &mut [Candidate]) {
    let beyond = |c: &Candidate| i128::from(c.used(what)) - i128::from(c.requested(what));
    pods.sort_by(|a, b| {
        let exceeds = |c: &Candidate| beyond(c) > 0;
        let first = exceeds(b).cmp(&exceeds(a));
        first.then(a.priority.cmp(&b.priority)).then(beyond(b).cmp(&beyond(a)))
    });
}

/// Models `evictionMessage`.
fn message(observed: &Observation, pod: &Candidate) -> String {
    let what = observed.signal.pressure();
    let resource = what.resource();
    let quantity = bytes(observed.signal.threshold_bytes(observed.capacity));
    let mut out = format!("The node was low on resource: {resource}. ");
    out.push_str(&format!("Threshold quantity: {quantity}, available: {}. ", observed_text(observed)));
    for c in &pod.containers {
        let (used, request) = match what {
            Pressure::Memory => (c.memory, c.memory_request),
            Pressure::Disk => (c.disk, c.disk_request),
        };
        if used > request {
            let request = if request == 0 { Quantity::ZERO } else { bytes(request) };
            out.push_str(&format!(
                "Container {} was using {}, request is {request}, has larger consumption of {resource}. ",
                c.name,
                bytes(used)
            ));
        }
    }
    out
}

/// cAdvisor counts whole kibibytes.
fn observed_text(o: &Observation) -> Quantity {
    bytes(o.available / 1024 * 1024)
}

/// What the manager remembers.
#[derive(Clone, Debug, Default)]
pub struct Manager {
    last_observed: BTreeMap<Pressure, Time>,
    conditions: BTreeSet<Pressure>,
    /// The pod that is being evicted, and since when.
    pub leaving: Option<(Arc<str>, Time)>,
}

/// What a look came to.
#[derive(Debug, Default, PartialEq)]
pub struct Decision {
    /// The resource that is to be reclaimed.
    pub starved: Option<&'static str>,
    /// The node's conditions are others than before.
    pub changed: bool,
    /// In this order.
    pub evict: Vec<(Arc<str>, Verdict)>,
}

impl Manager {
    /// Conditions that hold, as the Node's status shows them.
    pub fn conditions(&self) -> &BTreeSet<Pressure> {
        &self.conditions
    }
    /// When the manager has to look again though nothing moves.
    pub fn next_look(&self, now: Time) -> Option<Time> {
        (!self.conditions.is_empty()).then(|| now + MONITORING_PERIOD)
    }

    /// Models `synchronize`. `reclaim` frees what the node itself can give and observes again.
    pub fn look(
        &mut self,
        now: Time,
        observations: &[Observation],
        mut pods: Vec<Candidate>,
        reclaim: impl FnOnce() -> Vec<Observation>,
    ) -> Decision {
        let mut decision = Decision::default();
        let low: Vec<&Observation> = observations.iter().filter(|o| o.is_low()).collect();
        for o in &low {
            self.last_observed.insert(o.signal.pressure(), now);
        }
        self.last_observed.retain(|_, at| now.since(*at) < TRANSITION_PERIOD);
        let conditions: BTreeSet<Pressure> = self.last_observed.keys().copied().collect();
        decision.changed = conditions != self.conditions;
        self.conditions = conditions;
        for pod in pods.iter().filter(|p| !p.critical) {
            if let Some(message) = pod.exceeds() {
                decision.evict.push((pod.uid.clone(), verdict(message, false)));
            }
        }
        if !decision.evict.is_empty() {
            return decision;
        }
        // Memory comes before all else.
        let Some(worst) = low.iter().min_by_key(|o| o.signal) else { return decision };
        let what = worst.signal.pressure();
        decision.starved = Some(what.resource());
        if what == Pressure::Disk && !reclaim().iter().any(Observation::is_low) {
            return decision;
        }
        rank(what, &mut pods);
        if let Some(pod) = pods.iter().find(|p| !p.critical) {
            decision.evict.push((pod.uid.clone(), verdict(message(worst, pod), true)));
        }
        decision
    }
}

/// `disrupted`: the pod says that it is the node that ended it.
fn verdict(message: String, disrupted: bool) -> Verdict {
    Verdict { reason: REASON.into(), message, grace: Some(GRACE), disrupted }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MI: u64 = 1 << 20;

    fn pod(uid: &str, priority: i32, memory: u64, request: u64) -> Candidate {
        let c =
            ContainerUse { name: "c".into(), memory: memory * MI, memory_request: request * MI, ..Default::default() };
        Candidate { uid: uid.into(), priority, containers: vec![c], ..Default::default() }
    }
    fn memory(available: u64) -> Observation {
        Observation { signal: Signal::MemoryAvailable, available: available * MI, capacity: 8 << 30 }
    }
    fn look(m: &mut Manager, now: u64, observed: &[Observation], pods: Vec<Candidate>) -> Decision {
        m.look(Time(now * 1_000_000), observed, pods, || observed.to_vec())
    }

    #[test]
    fn who_goes_first() {
        let order = |mut pods: Vec<Candidate>| {
            rank(Pressure::Memory, &mut pods);
            pods.iter().map(|p| p.uid.to_string()).collect::<Vec<_>>()
        };
        // Upstream's table: below its request, low and high priority, little and much beyond the request.
        let pods = vec![
            pod("below-high-priority", 9, 100, 200),
            pod("below-low-priority", 1, 190, 200),
            pod("above-high-priority", 9, 900, 100),
            pod("above-low-priority-little", 1, 120, 100),
            pod("above-low-priority-much", 1, 700, 100),
        ];
        let want = [
            "above-low-priority-much",
            "above-low-priority-little",
            "above-high-priority",
            "below-low-priority",
            "below-high-priority",
        ];
        assert_eq!(order(pods), want);
    }

    #[test]
    fn one_pod_at_a_time_and_the_condition_stays_for_five_minutes() {
        let mut m = Manager::default();
        assert_eq!(look(&mut m, 0, &[memory(101)], vec![pod("a", 0, 500, 0)]), Decision::default());
        let d = look(&mut m, 10, &[memory(99)], vec![pod("a", 0, 500, 0), pod("b", 0, 600, 200)]);
        assert_eq!((d.starved, d.changed, d.evict.len()), (Some("memory"), true, 1));
        assert_eq!(*d.evict[0].0, *"a");
        assert_eq!(
            d.evict[0].1.message,
            "The node was low on resource: memory. Threshold quantity: 100Mi, available: 99Mi. Container c was using 500Mi, \
             request is 0, has larger consumption of memory. "
        );
        assert_eq!(m.conditions().iter().map(|p| p.condition()).collect::<Vec<_>>(), ["MemoryPressure"]);
        let d = look(&mut m, 300, &[memory(700)], vec![pod("b", 0, 600, 200)]);
        assert!(!d.changed && d.evict.is_empty() && d.starved.is_none());
        assert!(look(&mut m, 310, &[memory(700)], vec![]).changed && m.conditions().is_empty());
    }

    #[test]
    fn what_is_critical_stays() {
        let mut m = Manager::default();
        let mut own = pod("static", 0, 900, 0);
        own.critical = true;
        let d = look(&mut m, 0, &[memory(5)], vec![own, pod("a", 0, 1, 100)]);
        assert_eq!(d.evict.iter().map(|e| &*e.0).collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn images_go_before_pods() {
        let disk = |available: u64| Observation { signal: Signal::ImageFsAvailable, available, capacity: 1000 };
        let mut m = Manager::default();
        let d = m.look(Time(0), &[disk(149)], vec![pod("a", 0, 1, 0)], || vec![disk(160)]);
        assert_eq!((d.starved, d.evict.len()), (Some("ephemeral-storage"), 0));
        let d = m.look(Time(0), &[disk(149)], vec![pod("a", 0, 1, 0)], || vec![disk(149)]);
        assert_eq!(
            d.evict[0].1.message,
            "The node was low on resource: ephemeral-storage. Threshold quantity: 150, available: 0. "
        );
        assert_eq!(Signal::NodeFsAvailable.threshold_bytes(100 << 30), 10_737_418_400);
    }

    #[test]
    fn more_of_the_disk_than_was_allowed() {
        let q = |s: &str| Quantity::parse(s).expect("a quantity");
        let container = |disk, limit| ContainerUse { name: "c".into(), disk, disk_limit: limit, ..Default::default() };
        let mut p =
            Candidate { uid: "a".into(), volumes: vec![("data".into(), MI + 1, q("1Mi"))], ..Default::default() };
        assert_eq!(p.exceeds().as_deref(), Some("Usage of EmptyDir volume \"data\" exceeds the limit \"1Mi\". "));
        p.volumes[0].2 = Quantity::ZERO;
        assert_eq!(p.exceeds(), None);
        p.containers = vec![container(10, q("1Mi"))];
        assert_eq!(
            p.exceeds().as_deref(),
            Some("Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. ")
        );
        p.containers = vec![container(2 * MI, q("1Mi")), container(0, q("8Mi"))];
        assert_eq!(p.exceeds().as_deref(), Some("Container c exceeded its local ephemeral storage limit \"1Mi\". "));
        let mut m = Manager::default();
        let d = look(&mut m, 0, &[memory(5000)], vec![p]);
        assert!(d.evict.len() == 1 && !d.evict[0].1.disrupted && d.starved.is_none());
    }
}
