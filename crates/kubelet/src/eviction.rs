//! Which pods leave a node that runs out of memory or disk: what is observed, what counts as too little, who goes first.
//! Models `pkg/kubelet/eviction`.

mod settings;

pub use settings::{Limit, Settings, Threshold};

use crate::pod::Verdict;
use api::references;
use k8s_openapi::api::core::v1::Pod;
use meta::{Duration, Quantity, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How often the manager looks (`evictionMonitoringPeriod`).
pub const MONITORING_PERIOD: Duration = Duration::from_secs(10);
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
    Pid,
}

impl Pressure {
    pub fn condition(self) -> &'static str {
        match self {
            Pressure::Memory => "MemoryPressure",
            Pressure::Disk => "DiskPressure",
            Pressure::Pid => "PIDPressure",
        }
    }
    fn resource(self) -> &'static str {
        match self {
            Pressure::Memory => "memory",
            Pressure::Disk => "ephemeral-storage",
            Pressure::Pid => "pids",
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
    PidAvailable,
}

impl Signal {
    fn pressure(self) -> Pressure {
        match self {
            Signal::MemoryAvailable => Pressure::Memory,
            Signal::NodeFsAvailable | Signal::ImageFsAvailable => Pressure::Disk,
            Signal::PidAvailable => Pressure::Pid,
        }
    }
    const ALL: [Signal; 4] =
        [Signal::MemoryAvailable, Signal::NodeFsAvailable, Signal::ImageFsAvailable, Signal::PidAvailable];
    fn name(self) -> &'static str {
        match self {
            Signal::MemoryAvailable => "memory.available",
            Signal::NodeFsAvailable => "nodefs.available",
            Signal::ImageFsAvailable => "imagefs.available",
            Signal::PidAvailable => "pid.available",
        }
    }
    /// Process IDs are counted, all else is measured in bytes.
    fn shown(self, n: u64) -> Quantity {
        match self {
            Signal::PidAvailable => Quantity::from_value(i64::try_from(n).unwrap_or(i64::MAX)),
            _ => bytes(n),
        }
    }
}

/// Bytes, or process IDs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    pub signal: Signal,
    pub available: u64,
    pub capacity: u64,
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
    /// `terminationGracePeriodSeconds`
    pub grace: Option<Duration>,
    /// How many run in it.
    pub processes: u64,
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
            Pressure::Pid => self.processes,
        }
    }
    fn requested(&self, what: Pressure) -> u64 {
        let of = |c: &ContainerUse| match what {
            Pressure::Memory => c.memory_request,
            Pressure::Disk => c.disk_request,
            // Nobody asks for processes.
            Pressure::Pid => 0,
        };
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
/// what they asked for. Of processes nobody asks for any. Models `rankMemoryPressure`, `rankDiskPressureFunc` and
/// `rankPIDPressure`.
pub fn rank(what: Pressure, pods: &mut [Candidate]) {
    let beyond = |c: &Candidate| i128::from(c.used(what)) - i128::from(c.requested(what));
    pods.sort_by(|a, b| {
        let exceeds = |c: &Candidate| what != Pressure::Pid && beyond(c) > 0;
        let first = exceeds(b).cmp(&exceeds(a));
        first.then(a.priority.cmp(&b.priority)).then(beyond(b).cmp(&beyond(a)))
    });
}

/// Models `evictionMessage`.
fn message(threshold: &Threshold, observed: &Observation, pod: &Candidate) -> String {
    let (signal, what) = (threshold.signal, threshold.signal.pressure());
    let resource = what.resource();
    let quantity = signal.shown(threshold.limit.of(observed.capacity));
    let mut out = format!("The node was low on resource: {resource}. ");
    out.push_str(&format!("Threshold quantity: {quantity}, available: {}. ", observed_text(observed)));
    for c in &pod.containers {
        let (used, request) = match what {
            Pressure::Memory => (c.memory, c.memory_request),
            Pressure::Disk => (c.disk, c.disk_request),
            Pressure::Pid => continue,
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
    let whole = if o.signal == Signal::PidAvailable { 1 } else { 1024 };
    o.signal.shown(o.available / whole * whole)
}

/// What the manager remembers. Thresholds are named by their place in [`Settings::thresholds`].
#[derive(Clone, Debug, Default)]
pub struct Manager {
    last_observed: BTreeMap<Pressure, Time>,
    conditions: BTreeSet<Pressure>,
    /// Thresholds that are met, and since when.
    first_observed: BTreeMap<usize, Time>,
    /// Those that were met for long enough: they stay until their minimum is reclaimed.
    due: BTreeSet<usize>,
    /// The pod that is being evicted, and since when.
    pub leaving: Option<(Arc<str>, Time)>,
}

/// Models `thresholdsMet`; `reclaimed`: with what is to be reclaimed at least.
fn met(settings: &Settings, observations: &[Observation], i: usize, reclaimed: bool) -> bool {
    let t = &settings.thresholds[i];
    observations.iter().find(|o| o.signal == t.signal).is_some_and(|o| {
        let more = t.minimum_reclaim.filter(|_| reclaimed).map_or(0, |m| m.of(o.capacity));
        o.available < t.limit.of(o.capacity) + more
    })
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
        settings: &Settings,
        observations: &[Observation],
        mut pods: Vec<Candidate>,
        reclaim: impl FnOnce() -> Vec<Observation>,
    ) -> Decision {
        let mut decision = Decision::default();
        let all = 0..settings.thresholds.len();
        let unresolved = |i: &usize| met(settings, observations, *i, self.due.contains(i));
        let now_met: BTreeSet<usize> = all.clone().filter(unresolved).collect();
        self.first_observed.retain(|i, _| now_met.contains(i));
        for i in &now_met {
            self.first_observed.entry(*i).or_insert(now);
            self.last_observed.insert(settings.thresholds[*i].signal.pressure(), now);
        }
        self.last_observed.retain(|_, at| now.since(*at) < settings.transition);
        let conditions: BTreeSet<Pressure> = self.last_observed.keys().copied().collect();
        decision.changed = conditions != self.conditions;
        self.conditions = conditions;
        let long_enough = |(i, since): (&usize, &Time)| now.since(*since) >= settings.thresholds[*i].grace;
        self.due = self.first_observed.iter().filter(|e| long_enough(*e)).map(|(i, _)| *i).collect();
        for pod in pods.iter().filter(|p| !p.critical) {
            if let Some(message) = pod.exceeds() {
                decision.evict.push((pod.uid.clone(), verdict(message, GRACE, false)));
            }
        }
        if !decision.evict.is_empty() {
            return decision;
        }
        // Memory comes before all else.
        let of = |i: &usize| settings.thresholds[*i].signal;
        let worst = self.due.iter().min_by_key(|i| (of(i) != Signal::MemoryAvailable, **i)).copied();
        let Some(threshold) = worst.map(|i| &settings.thresholds[i]) else { return decision };
        let Some(observed) = observations.iter().find(|o| o.signal == threshold.signal) else { return decision };
        let what = threshold.signal.pressure();
        decision.starved = Some(what.resource());
        if what == Pressure::Disk {
            let observations = reclaim();
            if !all.into_iter().any(|i| met(settings, &observations, i, true)) {
                return decision;
            }
        }
        rank(what, &mut pods);
        if let Some(pod) = pods.iter().find(|p| !p.critical) {
            let grace = match threshold.is_hard() {
                true => GRACE,
                false => pod.grace.map_or(settings.max_pod_grace, |own| own.min(settings.max_pod_grace)),
            };
            decision.evict.push((pod.uid.clone(), verdict(message(threshold, observed, pod), grace, true)));
        }
        decision
    }
}

/// `disrupted`: the pod says that it is the node that ended it.
fn verdict(message: String, grace: Duration, disrupted: bool) -> Verdict {
    Verdict { reason: REASON.into(), message, grace: Some(grace), disrupted }
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
        m.look(Time(now * 1_000_000), &Settings::default(), observed, pods, || observed.to_vec())
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
    fn a_soft_threshold_waits_and_lets_pods_end_in_peace() {
        let soft = Threshold {
            signal: Signal::MemoryAvailable,
            limit: Limit::Amount(1000 * MI),
            grace: Duration::from_secs(30),
            minimum_reclaim: Some(Limit::Amount(500 * MI)),
        };
        let mut settings = Settings { max_pod_grace: Duration::from_secs(20), ..Settings::default() };
        settings.thresholds.push(soft);
        let mut m = Manager::default();
        let mut look = |now: u64, available: u64, own: u64| {
            let mut p = pod("a", 0, 500, 0);
            p.grace = Some(Duration::from_secs(own));
            let observed = [memory(available)];
            let d = m.look(Time(now * 1_000_000), &settings, &observed, vec![p], || observed.to_vec());
            let grace = d.evict.first().map(|e| e.1.grace.map_or(0, |g| g.as_micros() / 1_000_000));
            (m.conditions().len(), d.starved.is_some(), grace)
        };
        // The condition comes at once, evictions when it has lasted.
        assert_eq!(look(0, 900, 30), (1, false, None));
        assert_eq!(look(20, 900, 30), (1, false, None));
        assert_eq!(look(30, 900, 30), (1, true, Some(20)));
        assert_eq!(look(40, 900, 5), (1, true, Some(5)));
        // More than the threshold is not enough.
        assert_eq!(look(50, 1400, 30), (1, true, Some(20)));
        assert_eq!(look(60, 1500, 30), (1, false, None));
        // It is met for a while, not all the time.
        assert_eq!(look(70, 900, 30), (1, false, None));
        assert_eq!(look(90, 1100, 30), (1, false, None));
        assert_eq!(look(100, 900, 30), (1, false, None));
        // The hard one does not wait.
        assert_eq!(look(110, 50, 30), (1, true, Some(1)));
    }

    #[test]
    fn processes_run_out_by_priority_and_number() {
        let threshold = Threshold {
            signal: Signal::PidAvailable,
            limit: Limit::Amount(100),
            grace: Duration(0),
            minimum_reclaim: None,
        };
        let settings = Settings { thresholds: vec![threshold], ..Settings::default() };
        let some = |uid: &str, priority: i32, processes: u64| Candidate { processes, ..pod(uid, priority, 500, 0) };
        let pods = vec![some("few", 0, 1), some("many", 0, 300), some("important", 5, 900)];
        let observed = [Observation { signal: Signal::PidAvailable, available: 99, capacity: 32768 }];
        let mut m = Manager::default();
        let d = m.look(Time(0), &settings, &observed, pods, || observed.to_vec());
        assert_eq!((d.starved, &*d.evict[0].0), (Some("pids"), "many"));
        assert_eq!(
            d.evict[0].1.message,
            "The node was low on resource: pids. Threshold quantity: 100, available: 99. "
        );
        assert_eq!(m.conditions().iter().map(|p| p.condition()).collect::<Vec<_>>(), ["PIDPressure"]);
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
        let d = m.look(Time(0), &Settings::default(), &[disk(149)], vec![pod("a", 0, 1, 0)], || vec![disk(160)]);
        assert_eq!((d.starved, d.evict.len()), (Some("ephemeral-storage"), 0));
        let d = m.look(Time(0), &Settings::default(), &[disk(149)], vec![pod("a", 0, 1, 0)], || vec![disk(149)]);
        assert_eq!(
            d.evict[0].1.message,
            "The node was low on resource: ephemeral-storage. Threshold quantity: 150, available: 0. "
        );
        assert_eq!(Limit::Part(0.1).of(100 << 30), 10_737_418_400);
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
