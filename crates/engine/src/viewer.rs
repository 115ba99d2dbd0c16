//! One page's view of a cluster: what it has been told, and so what is new to it.

use crate::cloud::Console;
use crate::debugger::Debugger;
use crate::listing::List;
use crate::watched::Watched;
use crate::{detail, rows};
use api::ObjectExt;
use api::kinds::{node, pod};
use cluster::Cluster;
use k8s_openapi::api::core::v1::{Node, Pod};
use meta::Key;
use protocol::{Clock, ComponentView, Detail, Reply, Subscription, TimeView, Update};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use trace::{Seq, What};

/// More trace entries than these in one update are counted, not sent: while the cluster runs nobody reads them all, but
/// after a step everything that it did is there to be read.
const ENTRIES_RUNNING_MAX: usize = 120;
const ENTRIES_PAUSED_MAX: usize = 2000;
const CYCLES_MAX: usize = 200;
/// Kubelets are lanes of their own in clusters up to this size; beyond it the nodes' rows tell enough.
const KUBELET_LANES_MAX: usize = 64;
/// Frames between refreshes of what no store event announces (logs).
const DETAIL_EVERY: u32 = 15;
/// Frames at least between two scheduling cycles that are followed; and when their tables are long.
const CYCLE_REST: u32 = 12;
const LONG_CYCLE_REST: u32 = 60;
const LONG_CYCLE: usize = 100;
/// Frames at least between two details of an object that changes all the time.
const DETAIL_REST: u32 = 6;

/// Frames at least between two updates of a running cluster that only say how late it is: to draw the page at every one of
/// them would keep half a core busy with a cluster in which nothing happens.
const CLOCK_REST: u32 = 6;

/// What there is to be seen.
pub struct Shown<'a> {
    pub cluster: &'a Cluster,
    pub debugger: &'a Debugger,
    /// The transport's; thousandths, 0 is full speed.
    pub running: bool,
    pub speed: u32,
    /// Where the host keeps a session.
    pub time: Option<TimeView>,
    /// See [`crate::Session::rewinds`].
    pub rewinds: (u64, u32),
}

#[derive(Default)]
pub struct Viewer {
    subscription: Subscription,
    started: bool,
    revision: u64,
    seq: Seq,
    /// The newest trace entry that was told.
    told: Seq,
    rewinds: (u64, u32),
    time: TimeView,
    components: BTreeMap<String, ComponentView>,
    queues: Option<protocol::QueueView>,
    clock: Option<Clock>,
    /// Updates since the clock was told.
    clock_age: u32,
    /// By node: powered, kubelet running, cut off, its disk full.
    node_lamps: BTreeMap<String, [bool; 4]>,
    blocked_images: Vec<String>,
    watched: Option<Watched>,
    detail: Option<Detail>,
    detail_dirty: bool,
    /// Updates since the last detail.
    frames: u32,
    cycle_sent: Option<u64>,
    /// Updates since then, and how many it must be until the next.
    cycle_age: u32,
    cycle_rest: u32,
    why_sent: Option<u64>,
    newest_cycle: Option<u64>,
    debugger: protocol::DebuggerView,
    list: List,
    console: Console,
}

/// What changed in the store since the last update.
#[derive(Default)]
struct Dirty {
    pods: BTreeSet<Key>,
    nodes: BTreeSet<Key>,
    detail: bool,
}

impl Viewer {
    pub fn new(subscription: Subscription) -> Self {
        let mut list = List::default();
        list.ask(subscription.listing.clone());
        let mut console = Console::default();
        console.show(subscription.cloud);
        Viewer { subscription, detail_dirty: true, list, console, ..Default::default() }
    }

    pub fn subscribe(&mut self, s: Subscription) {
        if s.object != self.subscription.object {
            self.watched = None;
            self.detail = None;
            self.detail_dirty = true;
            self.frames = DETAIL_REST;
        }
        if s.cycle != self.subscription.cycle
            || s.follow_cycles != self.subscription.follow_cycles
            || s.compact != self.subscription.compact
        {
            self.cycle_sent = None;
        }
        if s.why != self.subscription.why {
            self.why_sent = None;
        }
        self.list.ask(s.listing.clone());
        self.console.show(s.cloud);
        self.subscription = s;
    }

    /// What is new, or `None` when nothing is.
    pub fn update(&mut self, shown: Shown) -> Option<Update> {
        let Shown { cluster, debugger, running, speed, time, rewinds } = shown;
        let mut u = Update::default();
        let before = std::mem::replace(&mut self.rewinds, rewinds);
        if before.1 != rewinds.1 {
            (self.started, self.told) = (false, 0);
        }
        if before != rewinds {
            (self.seq, self.revision) = (0, 0);
            (self.cycle_sent, self.why_sent) = (None, None);
            self.newest_cycle = newest_cycle(cluster);
        }
        let events = if self.started && self.revision > 0 {
            cluster.store().iter_events_since(self.revision).ok()
        } else {
            None
        };
        match events {
            Some(events) => {
                let mut dirty = Dirty::default();
                for e in events {
                    self.mark(&mut dirty, e);
                }
                if self.lamps_may_differ(cluster) {
                    self.lamps(cluster, &mut dirty);
                }
                self.rows(cluster, dirty, &mut u);
            }
            // The first update, or one so late that history was compacted.
            None => self.everything(cluster, &mut u),
        }
        self.revision = cluster.revision();
        self.components(cluster, &mut u);
        self.entries(cluster, running, &mut u);
        self.subscribed(cluster, debugger, running, &mut u);
        self.debugger(debugger, &mut u);
        if let Some(time) = time.filter(|t| *t != self.time || u.reset) {
            self.time = time.clone();
            u.time = Some(time);
        }
        u.clock = self.clock(cluster, running, speed);
        let changed = u != Update { clock: u.clock.clone(), ..Default::default() };
        self.clock_age += 1;
        let told = self.clock.as_ref().map(|c| Clock { now: u.clock.now, ..c.clone() });
        let only_time = !changed && told.as_ref() == Some(&u.clock);
        let nothing = only_time && self.clock.as_ref() == Some(&u.clock);
        if nothing || (only_time && running && self.clock_age < CLOCK_REST) {
            return None;
        }
        self.clock_age = 0;
        self.clock = Some(u.clock.clone());
        Some(u)
    }

    /// What is new with `replies`, which are taken; `None` when there is nothing to say. Before a cluster is there, its
    /// clock stands at zero.
    pub fn answer(&mut self, shown: Option<Shown>, replies: &mut Vec<Reply>) -> Option<Update> {
        let update = shown.and_then(|s| self.update(s));
        if update.is_none() && replies.is_empty() {
            return None;
        }
        // An update that only carries replies repeats the clock.
        let clock = || self.clock.clone().unwrap_or_default();
        let mut update = update.unwrap_or_else(|| Update { clock: clock(), ..Default::default() });
        update.replies = std::mem::take(replies);
        Some(update)
    }

    fn clock(&self, cluster: &Cluster, running: bool, speed: u32) -> Clock {
        Clock {
            now: cluster.now().as_micros(),
            epoch: cluster.start_time().as_micros(),
            running,
            speed,
            idle: cluster.queues_empty(),
            revision: cluster.revision(),
            seq: cluster.trace().last(),
            hash: format!("{:016x}", cluster.trace().hash()),
        }
    }

    fn everything(&mut self, cluster: &Cluster, u: &mut Update) {
        (u.reset, u.rewound) = (!self.started, self.started);
        self.started = true;
        self.components.clear();
        self.watched = None;
        self.detail = None;
        self.detail_dirty = true;
        self.queues = None;
        self.blocked_images.clear();
        self.node_lamps.clear();
        self.list.forget();
        self.console.forget();
        u.nodes = cluster.view().list::<Node>().map(|n| rows::node(cluster, n)).collect();
        u.pods = cluster.view().list::<Pod>().map(|p| rows::pod(cluster, p)).collect();
        self.lamps(cluster, &mut Dirty::default());
    }

    fn mark(&mut self, dirty: &mut Dirty, e: &store::Event<apiserver::Stored>) {
        let Some(object) = e.new.as_ref().or(e.old.as_ref()).map(|o| &o.value.0) else { return };
        let (kind, key) = (object.kind(), object.key());
        self.list.see(kind, &key, e.new.as_ref().map(|n| &n.value.0));
        if kind == &pod::KIND {
            for o in [&e.old, &e.new].into_iter().flatten() {
                let p: Option<&Pod> = o.value.0.downcast();
                if let Some(n) = p.and_then(|p| p.spec.as_ref()?.node_name.as_deref()) {
                    dirty.nodes.insert(Key::from(n));
                }
            }
            dirty.pods.insert(key.clone());
        } else if kind == &node::KIND {
            dirty.nodes.insert(key.clone());
        }
        if let Some(w) = &mut self.watched {
            dirty.detail |= w.see(kind, &key, e);
        }
    }

    /// Machines lose power and processes stop only with an entry in the trace.
    fn lamps_may_differ(&self, cluster: &Cluster) -> bool {
        let entries = cluster.trace();
        !entries.is_on()
            || entries.since(self.seq).any(|e| matches!(e.what, What::Action { .. } | What::Process { .. }))
    }

    /// Power and kubelet lamps are not in the store: nodes whose lamp changed are dirty too.
    fn lamps(&mut self, cluster: &Cluster, dirty: &mut Dirty) {
        let mut now = BTreeMap::new();
        for (name, m) in cluster.machines() {
            let running = cluster.lamp(&cluster::machines::kubelet_name(name)) == Some(cluster::Lamp::Running);
            now.insert(
                name.clone(),
                [m.power == cluster::Power::On, running, cluster.is_cut(name), cluster.is_full(name)],
            );
        }
        if now != self.node_lamps {
            for (name, lamp) in &now {
                if self.node_lamps.get(name) != Some(lamp) {
                    dirty.nodes.insert(Key::from(name.as_str()));
                }
            }
            self.node_lamps = now;
        }
    }

    fn rows(&mut self, cluster: &Cluster, dirty: Dirty, u: &mut Update) {
        for key in &dirty.pods {
            match cluster.view().get::<Pod>(key) {
                Some(p) => u.pods.push(rows::pod(cluster, p)),
                None => u.pods_gone.push(key.to_string()),
            }
        }
        for key in &dirty.nodes {
            match cluster.view().get::<Node>(key) {
                Some(n) => u.nodes.push(rows::node(cluster, n)),
                None => u.nodes_gone.push(key.to_string()),
            }
        }
        self.detail_dirty |= dirty.detail;
    }

    fn components(&mut self, cluster: &Cluster, u: &mut Update) {
        let kubelets = cluster.machines().count() <= KUBELET_LANES_MAX;
        let mut names = BTreeSet::new();
        for slot in cluster.slots() {
            if !kubelets && slot.component.process().starts_with("kubelet/") {
                continue;
            }
            let view = rows::component(cluster, slot);
            names.insert(view.name.clone());
            if self.components.get(&view.name) != Some(&view) {
                self.components.insert(view.name.clone(), view.clone());
                u.components.push(view);
            }
        }
        let gone: Vec<String> = self.components.keys().filter(|n| !names.contains(*n)).cloned().collect();
        for n in gone {
            self.components.remove(&n);
            u.components_gone.push(n);
        }
        if !cluster.blocked_images().eq(&self.blocked_images) {
            self.blocked_images = cluster.blocked_images().cloned().collect();
            u.blocked_images = Some(self.blocked_images.clone());
        }
        let queues = detail::queues(cluster);
        if self.queues.as_ref() != Some(&queues) {
            self.queues = Some(queues.clone());
            u.queues = Some(queues);
        }
    }

    fn entries(&mut self, cluster: &Cluster, running: bool, u: &mut Update) {
        for e in cluster.trace().since(self.seq) {
            if let What::Cycle { cycle } = &e.what {
                self.newest_cycle = Some(e.seq);
                if e.seq <= self.told {
                    continue;
                }
                u.cycles.push(detail::cycle_summary(e, cycle.outcome()));
            }
        }
        let cut = u.cycles.len().saturating_sub(CYCLES_MAX);
        u.cycles.drain(..cut);
        if self.subscription.entries {
            // After a look at the past what was told before is not told again.
            let told = self.told;
            let new = cluster.trace().last().saturating_sub(told);
            // A page that has just come gets a past to look at.
            let most = if running && told > 0 { ENTRIES_RUNNING_MAX } else { ENTRIES_PAUSED_MAX };
            u.entries_skipped = new.saturating_sub(most as u64);
            // A cycle goes out in full only to who asks for it.
            let newest = cluster.trace().since(told + u.entries_skipped);
            u.entries = newest.filter(|e| !matches!(e.what, What::Cycle { .. })).cloned().collect();
        }
        self.seq = cluster.trace().last();
        self.told = self.told.max(self.seq);
    }

    fn detail(&mut self, cluster: &Cluster, u: &mut Update) {
        self.frames += 1;
        let Some(id) = self.subscription.object.as_ref() else { return };
        let due = if self.detail_dirty { DETAIL_REST } else { DETAIL_EVERY };
        if self.frames < due {
            return;
        }
        if self.watched.is_none() {
            self.watched = Watched::new(cluster, id);
        }
        let Some(watched) = &mut self.watched else { return };
        (self.detail_dirty, self.frames) = (false, 0);
        watched.catch_up(cluster);
        let d = detail::of(cluster, watched, self.detail.as_ref());
        if d != self.detail {
            self.detail.clone_from(&d);
            u.detail = d;
        }
    }

    fn debugger(&mut self, debugger: &Debugger, u: &mut Update) {
        let view = debugger.view();
        if u.reset || u.rewound || self.debugger != view {
            self.debugger = view.clone();
            u.debugger = Some(view);
            // What is shown of a held cycle grows with every step.
            if self.subscription.compact
                && let Some(held) = debugger.held_view()
            {
                self.cycle_sent = None;
                u.cycle_view = Some(Arc::new(held));
            }
        }
    }

    fn subscribed(&mut self, cluster: &Cluster, debugger: &Debugger, running: bool, u: &mut Update) {
        self.detail(cluster, u);
        u.listing = self.list.update(cluster);
        u.cloud = self.console.update(cluster);
        // A cycle in a large cluster is megabytes: one that is only followed comes now and then while all runs.
        self.cycle_age += 1;
        let follows = self.subscription.follow_cycles;
        let wanted = if follows { self.newest_cycle } else { self.subscription.cycle };
        let rests = follows && running && self.cycle_sent.is_some() && self.cycle_age < self.cycle_rest;
        let held = self.subscription.compact && debugger.is_holding();
        if wanted.is_some() && wanted != self.cycle_sent && !rests && !held {
            let cycle = wanted.and_then(|seq| match &cluster.trace().get(seq)?.what {
                What::Cycle { cycle } => Some((seq, cycle)),
                _ => None,
            });
            let rows = cycle.map_or(0, |(_, c)| c.outcome().evaluated_nodes);
            self.cycle_rest = if rows > LONG_CYCLE { LONG_CYCLE_REST } else { CYCLE_REST };
            if self.subscription.compact {
                u.cycle_view = cycle.and_then(|(seq, _)| debugger.recorded_view(cluster, seq)).map(Arc::new);
            } else {
                u.cycle = cycle.map(|(seq, c)| (seq, c.open()));
            }
            (self.cycle_sent, self.cycle_age) = (wanted, 0);
        }
        if self.subscription.why.is_some() && self.subscription.why != self.why_sent {
            self.why_sent = self.subscription.why;
            u.why = self.subscription.why.map(|seq| cluster.trace().why(seq).into_iter().map(thin).collect());
        }
    }
}

fn newest_cycle(cluster: &Cluster) -> Option<Seq> {
    let mut newest = cluster.trace().since(0).rev();
    newest.find(|e| matches!(e.what, What::Cycle { .. })).map(|e| e.seq)
}

/// In a chain of causes a scheduling cycle is a link, not a table.
fn thin(e: Arc<trace::Entry>) -> Arc<trace::Entry> {
    match &e.what {
        What::Cycle { cycle } => {
            let what = What::Cycle { cycle: cycle.thin() };
            Arc::new(trace::Entry { what, actor: e.actor.clone(), ..*e })
        }
        _ => e,
    }
}
