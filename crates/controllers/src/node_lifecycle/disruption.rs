//! How fast nodes may be emptied when many of them are silent at once. Models `handleDisruption`,
//! `ComputeZoneState` and the rate-limited queues of `pkg/controller/nodelifecycle/scheduler`.

use super::name;
use k8s_openapi::api::core::v1::Node;
use meta::{Duration, Time};
use reconcile::{Cx, Outcome};
use std::collections::{BTreeMap, BTreeSet};
use trace::note;

/// `--node-eviction-rate` 0.1 nodes a second.
const RATE: Duration = Duration::from_secs(10);
/// `--secondary-node-eviction-rate` 0.01, for a large zone that is partly disrupted; a small one stops.
const SECONDARY_RATE: Duration = Duration::from_secs(100);
/// `--large-cluster-size-threshold`.
const LARGE_ZONE: usize = 50;
/// `--unhealthy-zone-threshold`, percent.
const UNHEALTHY_PERCENT: usize = 55;
const EXCLUDE: &str = "node.kubernetes.io/exclude-disruption";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Initial,
    Normal,
    Partial,
    Full,
}

/// One zone's state and its limiter: at most one node per interval, none when there is no interval.
#[derive(Clone, Default)]
struct Zone {
    state: State,
    interval: Option<Duration>,
    next: Time,
    /// Nodes that wait for their taint.
    waiting: BTreeSet<String>,
}

#[derive(Clone, Default)]
pub struct Disruption {
    zones: BTreeMap<String, Zone>,
}

/// Models `GetZoneKey`.
fn zone_of(node: &Node) -> String {
    let label = |k: &str| node.metadata.labels.as_ref().and_then(|l| l.get(k)).map_or("", String::as_str);
    let (region, zone) = (label("topology.kubernetes.io/region"), label("topology.kubernetes.io/zone"));
    if region.is_empty() && zone.is_empty() { String::new() } else { format!("{region}/{zone}") }
}

fn judge(ready: usize, not_ready: usize) -> State {
    if ready == 0 && not_ready > 0 {
        State::Full
    } else if not_ready > 2 && not_ready * 100 >= UNHEALTHY_PERCENT * (ready + not_ready) {
        State::Partial
    } else {
        State::Normal
    }
}

impl Disruption {
    /// Whether every zone is silent: then the fault is rather here, and no node is emptied.
    pub fn everything_down(&self) -> bool {
        !self.zones.is_empty() && self.zones.values().all(|z| z.state == State::Full)
    }

    /// Takes in which nodes are ready. True: the end of a disruption of everything.
    pub fn update(&mut self, cx: &Cx, nodes: &[(&Node, bool)], out: &mut Outcome) -> bool {
        let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for (node, ready) in nodes {
            if node.metadata.labels.as_ref().is_some_and(|l| l.contains_key(EXCLUDE)) {
                continue;
            }
            let c = counts.entry(zone_of(node)).or_default();
            if *ready { c.0 += 1 } else { c.1 += 1 }
        }
        let was_down = self.everything_down();
        self.zones.retain(|z, _| counts.contains_key(z));
        for (zone, (ready, not_ready)) in &counts {
            let z = self.zones.entry(zone.clone()).or_default();
            let state = judge(*ready, *not_ready);
            if cx.recording && state != z.state && (z.state != State::Initial || state != State::Normal) {
                let state = format!("{state:?}").to_lowercase();
                out.note(note!("node.zone", zone = zone, state = state, ready = ready, not_ready = not_ready));
            }
            z.state = state;
        }
        let down = self.everything_down();
        for (zone, z) in &mut self.zones {
            let (ready, not_ready) = counts.get(zone).copied().unwrap_or_default();
            z.interval = match z.state {
                _ if down => None,
                State::Partial if ready + not_ready > LARGE_ZONE => Some(SECONDARY_RATE),
                State::Partial => None,
                _ => Some(RATE),
            };
        }
        was_down && !down
    }

    /// Whether the node gets its NoExecute taint now; otherwise it waits.
    pub fn may_taint(&mut self, cx: &Cx, node: &Node, out: &mut Outcome) -> bool {
        let zone = self.zones.entry(zone_of(node)).or_default();
        match zone.interval {
            Some(interval) if zone.next <= cx.now => {
                zone.next = cx.now + interval;
                zone.waiting.remove(name(node));
                true
            }
            _ => {
                if zone.waiting.insert(name(node).into()) && cx.recording {
                    out.note(note!("node.evict-wait", node = name(node)));
                }
                false
            }
        }
    }

    pub fn forget(&mut self, node: &str) {
        for z in self.zones.values_mut() {
            z.waiting.remove(node);
        }
    }

    /// When a waiting node's turn comes.
    pub fn next_taint_in(&self, now: Time) -> Option<Duration> {
        let due = self.zones.values().filter(|z| !z.waiting.is_empty() && z.interval.is_some()).map(|z| z.next);
        due.min().map(|t| t.since(now))
    }
}
