//! What containers use: counted where they run ([`Meter`]), known to the cluster ([`Usage`]), and read as metrics-server
//! reads it every fifteen seconds. Models `sigs.k8s.io/metrics-server/pkg/storage`.
//!
//! Nothing is scraped: a meter keeps what fell into the last windows, so that a sample is worked out when somebody asks and
//! costs nothing until then.

use crate::view::View;
use imbl::OrdMap;
use k8s_openapi::api::core::v1::Pod;
use meta::{Duration, Time};
use std::collections::BTreeMap;
use std::sync::Arc;

/// `--metric-resolution`
pub const RESOLUTION: Duration = Duration::from_secs(15);
/// `freshContainerMinMetricsResolution`: a container that started since the last scrape counts when it is that old.
const FRESH: Duration = Duration::from_secs(10);
/// `cpu.cfs_period_us`
const PERIOD: Duration = Duration::from_millis(100);
/// Windows a meter remembers, those that work under way reaches into included.
const KEPT: usize = 6;

/// One container's account, from its start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meter {
    pub started: Time,
    pub memory_bytes: u64,
    /// What runs all the time since `steady_since`, in thousandths of a core.
    steady_milli: u64,
    steady_since: Time,
    /// Processor time by window: the window's number, and microseconds of a core.
    spent: [(u64, u64); KEPT],
    /// When the quota has made up for the work taken on so far.
    paid_until: Time,
    /// Microseconds of a core since the start, but for what runs steadily now.
    total: u64,
}

fn window_of(t: Time) -> u64 {
    t.0 / RESOLUTION.0
}

impl Meter {
    pub fn new(started: Time) -> Self {
        Meter { started, steady_since: started, ..Meter::default() }
    }

    fn add(&mut self, window: u64, micros: u64) {
        let slot = &mut self.spent[(window % KEPT as u64) as usize];
        if slot.0 < window {
            *slot = (window, 0);
        }
        if slot.0 == window {
            slot.1 += micros;
        }
    }

    /// Processor time that was spent evenly between two moments.
    pub fn spend(&mut self, from: Time, to: Time, micros: u64) {
        self.total += micros;
        self.spread(from, to, micros);
    }

    fn spread(&mut self, from: Time, to: Time, micros: u64) {
        let (first, last) = (window_of(from), window_of(to));
        let span = to.since(from).0;
        if first == last || span == 0 {
            return self.add(first, micros);
        }
        let mut left = micros;
        for window in first..last {
            let end = Time((window + 1) * RESOLUTION.0);
            let begin = from.max(Time(window * RESOLUTION.0));
            let part = u64::try_from(u128::from(micros) * u128::from(end.since(begin).0) / u128::from(span));
            let part = part.unwrap_or(u64::MAX).min(left);
            self.add(window, part);
            left -= part;
        }
        self.add(last, left);
    }

    /// From `now` on so much runs all the time.
    pub fn set_steady(&mut self, now: Time, milli: u64) {
        if milli == self.steady_milli {
            return;
        }
        self.total = self.total(now);
        // Of the windows that lie further back nobody will ask.
        let since = self.steady_since.max(now - Duration(RESOLUTION.0 * (KEPT as u64 - 2)));
        let micros = now.since(since).0 * self.steady_milli / 1000;
        if micros > 0 {
            self.spread(since, now, micros);
        }
        (self.steady_milli, self.steady_since) = (milli, now);
    }

    /// When a piece of work that begins at `now` on one processor is done, and until when its quota is used up. Models the
    /// kernel's bandwidth control: a period's quota can be spent at once, then the rest waits.
    fn plan(&self, now: Time, work: Duration, limit_milli: Option<i64>) -> (Time, Time) {
        let Some(limit) = limit_milli.and_then(|l| u64::try_from(l).ok()).filter(|l| *l > 0) else {
            return (now + work, self.paid_until);
        };
        let paid = self.paid_until.max(now) + Duration(work.0 * 1000 / limit);
        let at_once = Duration(PERIOD.0 * 1000u64.saturating_sub(limit) / 1000);
        ((now + work).max(paid - at_once), paid)
    }

    pub fn done_at(&self, now: Time, work: Duration, limit_milli: Option<i64>) -> Time {
        self.plan(now, work, limit_milli).0
    }

    /// Takes on a piece of work; when it is done.
    pub fn work(&mut self, now: Time, work: Duration, limit_milli: Option<i64>) -> Time {
        let (done, paid) = self.plan(now, work, limit_milli);
        self.paid_until = paid;
        self.spend(now, done, work.0);
        done
    }

    /// Microseconds of a core from the start to `now`; work that is under way counts as done.
    pub fn total(&self, now: Time) -> u64 {
        self.total + now.since(self.steady_since).0 * self.steady_milli / 1000
    }

    fn in_window(&self, window: u64) -> u64 {
        let slot = self.spent[(window % KEPT as u64) as usize];
        let noted = if slot.0 == window { slot.1 } else { 0 };
        let (begin, end) = (Time(window * RESOLUTION.0), Time((window + 1) * RESOLUTION.0));
        noted + end.since(self.steady_since.max(begin)).0 * self.steady_milli / 1000
    }

    /// What a scrape at `at` (and the one before it, when `earlier` was one) says.
    fn sample(&self, at: Time, earlier: bool) -> Option<Sample> {
        let window = match at.since(self.started) {
            _ if self.started > at => return None,
            age if age >= RESOLUTION => Some(RESOLUTION).filter(|_| earlier)?,
            age if age >= FRESH => age,
            _ => return None,
        };
        let micros = self.in_window(window_of(at).saturating_sub(1));
        let nanocores = u128::from(micros) * 1_000_000_000 / u128::from(window.0);
        let nanocores = u64::try_from(nanocores).unwrap_or(u64::MAX);
        Some(Sample { window, nanocores, memory_bytes: self.memory_bytes })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    pub window: Duration,
    pub nanocores: u64,
    pub memory_bytes: u64,
}

/// A pod's or a node's, at the newest scrape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sampled<T> {
    pub timestamp: Time,
    pub window: Duration,
    pub usage: T,
}

/// What a kubelet says of a container, or of its whole node: it has counted from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    pub started: Time,
    /// Over the last whole window, as metrics-server has it; zero before there is one.
    pub nanocores: u64,
    /// Processor time since the start.
    pub core_micros: u64,
    pub memory_bytes: u64,
}

/// The containers of a pod, by name.
pub type PodSample = Sampled<Vec<(Arc<str>, Sample)>>;

#[derive(Clone, Default)]
struct OnNode {
    /// Its kubelet does not answer.
    mute: bool,
    started: Time,
    /// By UID, then container.
    pods: OrdMap<Arc<str>, Arc<BTreeMap<Arc<str>, Meter>>>,
}

/// The meters of all nodes. Cloning is two pointers.
#[derive(Clone, Default)]
pub struct Usage {
    nodes: OrdMap<Arc<str>, OnNode>,
    /// Since when metrics-server runs.
    since: Option<Time>,
}

impl OnNode {
    fn meters(&self) -> impl Iterator<Item = &Meter> {
        self.pods.values().flat_map(|p| p.values())
    }
    /// Over the window that ended at the scrape `at`.
    fn nanocores(&self, at: Time) -> u64 {
        let window = window_of(at).saturating_sub(1);
        let micros: u64 = self.meters().map(|m| m.in_window(window)).sum();
        SYSTEM_MILLI * 1_000_000 + micros * 1000 * 1_000_000 / RESOLUTION.0
    }
    fn memory_bytes(&self) -> u64 {
        SYSTEM_BYTES + self.meters().map(|m| m.memory_bytes).sum::<u64>()
    }
}

/// What a node's own programs (kubelet, container runtime, kernel) take: they are no containers.
const SYSTEM_MILLI: u64 = 30;
/// Memory that the node's own programs use.
pub const SYSTEM_BYTES: u64 = 300 << 20;

impl Usage {
    /// metrics-server starts, or stops.
    pub fn serve(&mut self, since: Option<Time>) {
        self.since = since;
    }

    fn newest_scrape(now: Time) -> Time {
        Time(window_of(now) * RESOLUTION.0)
    }

    /// Whether metrics-server runs and has scraped: before, it is not ready.
    pub fn is_served(&self, now: Time) -> bool {
        self.since.is_some_and(|since| Self::newest_scrape(now) >= since)
    }

    pub fn is_running(&self) -> bool {
        self.since.is_some()
    }

    /// A container's meter as it is now; `None`: it does not run any more.
    pub fn set(&mut self, node: &Arc<str>, pod_uid: &Arc<str>, container: &Arc<str>, meter: Option<Meter>) {
        let on = self.nodes.entry(node.clone()).or_default();
        match meter {
            Some(meter) => {
                let pod = on.pods.entry(pod_uid.clone()).or_default();
                Arc::make_mut(pod).insert(container.clone(), meter);
            }
            None => {
                let Some(pod) = on.pods.get_mut(pod_uid) else { return };
                Arc::make_mut(pod).remove(container);
                if pod.is_empty() {
                    on.pods.remove(pod_uid);
                }
            }
        }
    }

    /// A machine comes up: nothing runs on it yet.
    pub fn add_node(&mut self, node: &str, now: Time) {
        self.nodes.insert(node.into(), OnNode { started: now, ..OnNode::default() });
    }
    pub fn remove_node(&mut self, node: &str) {
        self.nodes.remove(node);
    }
    /// Whether a node's kubelet can be asked.
    pub fn set_mute(&mut self, node: &str, mute: bool) {
        if let Some(on) = self.nodes.get_mut(node) {
            on.mute = mute;
        }
    }

    /// A container's meter as it is at this moment.
    pub fn meter(&self, node: &str, pod_uid: &str, container: &str) -> Option<&Meter> {
        self.nodes.get(node)?.pods.get(pod_uid)?.get(container)
    }

    /// A container as its kubelet sees it, whether metrics-server runs or not.
    fn counted(meter: &Meter, now: Time) -> Counted {
        Counted {
            started: meter.started,
            nanocores: meter.sample(Self::newest_scrape(now), true).map_or(0, |s| s.nanocores),
            core_micros: meter.total(now),
            memory_bytes: meter.memory_bytes,
        }
    }

    /// The containers of a pod as its kubelet sees them.
    pub fn counted_pod(&self, node: &str, pod_uid: &str, now: Time) -> Vec<(Arc<str>, Counted)> {
        let pod = self.nodes.get(node).and_then(|n| n.pods.get(pod_uid));
        pod.into_iter().flat_map(|p| p.iter()).map(|(name, m)| (name.clone(), Self::counted(m, now))).collect()
    }

    /// A node as its kubelet sees it.
    pub fn counted_node(&self, node: &str, now: Time) -> Option<Counted> {
        let on = self.nodes.get(node)?;
        let whole_window = Self::newest_scrape(now) - RESOLUTION >= on.started;
        let system = now.since(on.started).0 * SYSTEM_MILLI / 1000;
        Some(Counted {
            started: on.started,
            nanocores: if whole_window { on.nanocores(Self::newest_scrape(now)) } else { 0 },
            core_micros: system + on.meters().map(|m| m.total(now)).sum::<u64>(),
            memory_bytes: on.memory_bytes(),
        })
    }

    fn scrape(&self, now: Time) -> Option<(Time, bool)> {
        let (at, since) = (Self::newest_scrape(now), self.since?);
        (at >= since).then(|| (at, at - RESOLUTION >= since))
    }

    /// The containers of a pod. A pod of which one container has no sample has none.
    pub fn pod(&self, node: &str, pod_uid: &str, now: Time) -> Option<PodSample> {
        let (at, earlier) = self.scrape(now)?;
        let pod = self.nodes.get(node).filter(|n| !n.mute)?.pods.get(pod_uid)?;
        let mut usage = Vec::with_capacity(pod.len());
        for (name, meter) in &**pod {
            usage.push((name.clone(), meter.sample(at, earlier)?));
        }
        let window = usage.iter().map(|(_, s)| s.window).max()?;
        Some(Sampled { timestamp: at, window, usage })
    }

    pub fn node(&self, node: &str, now: Time) -> Option<Sampled<Sample>> {
        let (at, earlier) = self.scrape(now)?;
        let on = self.nodes.get(node).filter(|n| !n.mute)?;
        if !earlier || at.since(on.started) < RESOLUTION || on.started > at {
            return None;
        }
        let usage = Sample { window: RESOLUTION, nanocores: on.nanocores(at), memory_bytes: on.memory_bytes() };
        Some(Sampled { timestamp: at, window: RESOLUTION, usage })
    }
}

/// The containers of a running pod at the newest scrape.
pub fn of_pod(view: &View, pod: &Pod, now: Time) -> Option<PodSample> {
    let running = pod.status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Running");
    let node = pod.spec.as_ref()?.node_name.as_deref().filter(|_| running)?;
    view.usage.pod(node, api::references::uid_on_node(pod), now)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZERO: Time = Time(1_767_225_600_000_000);

    fn at(millis: u64) -> Time {
        assert_eq!(ZERO.0 % RESOLUTION.0, 0);
        ZERO + Duration::from_millis(millis)
    }
    fn milli(m: &Meter, scrape_secs: u64) -> Option<u64> {
        m.sample(at(scrape_secs * 1000), true).map(|s| s.nanocores / 1_000_000)
    }

    #[test]
    fn what_falls_into_a_window_is_its_rate() {
        let mut m = Meter::new(at(0));
        // Two tenths of a second of every second, for the first of two windows.
        for second in 0..15 {
            m.work(at(second * 1000), Duration::from_millis(200), None);
        }
        assert_eq!(milli(&m, 15), Some(200));
        assert_eq!(milli(&m, 30), Some(0));
        m.set_steady(at(30_000), 500);
        m.set_steady(at(37_500), 0);
        assert_eq!(milli(&m, 45), Some(250));
        assert_eq!(milli(&m, 60), Some(0));
        m.set_steady(at(60_000), 80);
        assert_eq!(milli(&m, 75), Some(80), "what goes on counts without being noted");
        assert_eq!(milli(&m, 600), Some(80));
        // 15 times 200 ms, 500m for 7.5 s, and 80m ever since.
        let before = 15 * 200_000 + 3_750_000;
        assert_eq!(m.total(at(600_000)), before + 540 * 80_000);
        m.set_steady(at(600_000), 0);
        assert_eq!(m.total(at(900_000)), before + 540 * 80_000, "what no window keeps is not forgotten");
    }

    #[test]
    fn a_new_container_counts_once_it_is_ten_seconds_old() {
        let mut m = Meter::new(at(3_000));
        m.work(at(4_000), Duration::from_millis(600), None);
        assert_eq!(milli(&m, 15), Some(50), "over the twelve seconds that it has been there");
        assert_eq!(milli(&Meter::new(at(6_000)), 15), None);
        assert_eq!(milli(&Meter::new(at(16_000)), 15), None, "not there yet");
    }

    /// A client that asks again as soon as it has its answer gets what the limit allows, no more.
    #[test]
    fn a_limit_slows_work_down() {
        let asked_without_a_pause = |limit: Option<i64>| {
            let mut m = Meter::new(at(0));
            let mut now = at(0);
            while now < at(15_000) {
                now = m.work(now, Duration::from_millis(80), limit);
            }
            milli(&m, 15).expect("a sample")
        };
        assert_eq!(asked_without_a_pause(None), 1000);
        assert!((495..=505).contains(&asked_without_a_pause(Some(500))), "{}", asked_without_a_pause(Some(500)));
        let mut m = Meter::new(at(0));
        let first = m.work(at(0), Duration::from_millis(80), Some(500));
        assert_eq!(first, at(110), "a period's quota is there at once");
    }

    #[test]
    fn metrics_come_with_the_second_scrape_and_go_with_the_server() {
        let (node, pod, c): (Arc<str>, Arc<str>, Arc<str>) = ("n".into(), "uid".into(), "c".into());
        let mut u = Usage::default();
        u.add_node("n", at(0));
        let mut m = Meter::new(at(0));
        m.set_steady(at(0), 100);
        m.memory_bytes = 5 << 20;
        u.set(&node, &pod, &c, Some(m));
        assert!(!u.is_served(at(40_000)));
        u.serve(Some(at(20_000)));
        assert!(!u.is_served(at(29_999)));
        assert!(u.is_served(at(30_000)) && u.pod("n", "uid", at(30_000)).is_none());
        let pod = u.pod("n", "uid", at(50_000)).expect("two scrapes have been");
        assert_eq!((pod.timestamp, pod.window), (at(45_000), RESOLUTION));
        assert_eq!(pod.usage[0].1.nanocores, 100_000_000);
        assert_eq!(u.node("n", at(50_000)).expect("a node").usage.nanocores, 130_000_000);
        let seen = u.counted_node("n", at(50_000)).expect("a node");
        assert_eq!((seen.nanocores, seen.core_micros), (130_000_000, 50 * 130_000));
        assert_eq!(u.counted_node("n", at(14_000)).map(|c| c.nanocores), Some(0));
        assert_eq!(u.counted_pod("n", "uid", at(14_000))[0].1.core_micros, 1_400_000);
        u.set_mute("n", true);
        assert!(u.pod("n", "uid", at(50_000)).is_none() && u.node("n", at(50_000)).is_none());
        u.set_mute("n", false);
        u.set(&node, &"uid".into(), &c, None);
        assert!(u.pod("n", "uid", at(50_000)).is_none());
    }
}
