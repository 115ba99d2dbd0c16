//! The model and how an [`Update`] changes it. Cost follows the size of the update, not of the cluster.

use super::owners::{Owners, Tint};
use super::{Answers, Fetched, Followed, Topic};
use protocol::{
    Answer, Clock, CloudView, Comparison, ComponentView, CycleSummary, CycleView, Debug, DebuggerView, Detail, Entry,
    ListingView, NodeView, PodView, QueueView, Reply, Row, TimeView, Update,
};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

/// Trace entries kept for the timeline.
pub const ENTRIES_MAX: usize = 4000;
/// Scheduling cycles kept for the list of decisions.
pub const CYCLES_MAX: usize = 1000;

/// Touched nodes remembered for views that draw only what changed.
const TOUCHED_MAX: usize = 4000;

/// `namespace/name` of a pod.
pub type PodKey = Rc<str>;

/// The number of the update that last changed each part: views compare these instead of data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    /// The set of nodes, or any node's view.
    pub nodes: u64,
    /// The set of nodes alone.
    pub node_set: u64,
    /// Any pod.
    pub pods: u64,
    /// Pods without a node.
    pub pending: u64,
    pub components: u64,
    pub queues: u64,
    pub entries: u64,
    pub cycles: u64,
    pub detail: u64,
    pub cycle: u64,
    pub why: u64,
    /// The same as `entries`, for what moves at every frame.
    pub trace: u64,
    /// The store's revision itself.
    pub revision: u64,
    /// Of the list of owners.
    pub owners: u64,
    /// Of the debugger: breakpoints, and the held cycle.
    pub debugger: u64,
    /// Of what was asked: answers of the debugger, fetched objects.
    pub answers: u64,
    /// Of the list of all objects.
    pub listing: u64,
    /// Of the cloud's console.
    pub cloud: u64,
    /// Of the images that no registry gives.
    pub images: u64,
    /// Of the past, the bookmarks and the branches.
    pub time: u64,
}

impl Versions {
    /// For panels of text: nobody reads them sixty times a second, so while a cluster is busy they keep the versions
    /// of `before` for a while, and what moves goes on.
    pub fn calm(self, before: Versions) -> Versions {
        let Versions { pending, components, queues, entries, cycles, revision, owners, .. } = before;
        Versions { pending, components, queues, entries, cycles, revision, owners, ..self }
    }
}

/// The pods on one node, with what a map of thousands needs to draw them without looking anything up.
#[derive(Debug, Default)]
pub struct Placed {
    pub pods: BTreeMap<PodKey, (Rc<PodView>, Tint)>,
    /// The update that last changed the node, or a pod on it.
    pub version: u64,
}

#[derive(Debug, Default)]
pub struct Model {
    /// Updates applied so far.
    pub tick: u64,
    /// The update that last made everything new.
    pub since: u64,
    pub clock: Clock,
    pub nodes: BTreeMap<String, Rc<NodeView>>,
    pub pods: BTreeMap<PodKey, Rc<PodView>>,
    pub placed: BTreeMap<String, Placed>,
    pub pending: BTreeSet<PodKey>,
    pub components: BTreeMap<String, Rc<ComponentView>>,
    pub queues: Rc<QueueView>,
    /// Oldest first.
    pub entries: VecDeque<Arc<Entry>>,
    /// Entries that were never sent, because frames were too busy.
    pub skipped: u64,
    /// Oldest first.
    pub cycles: VecDeque<Rc<CycleSummary>>,
    pub detail: Option<Rc<Detail>>,
    pub listing: Option<Rc<ListingView>>,
    pub cloud: Option<Rc<CloudView>>,
    /// Images that no registry gives.
    pub blocked_images: Rc<Vec<String>>,
    pub cycle: Option<Rc<CycleView>>,
    pub debugger: Rc<DebuggerView>,
    pub answers: Answers,
    pub fetched: Option<Fetched>,
    /// The newest request that was followed.
    pub journey: Option<Followed>,
    /// The effect first.
    pub why: Rc<Vec<Arc<Entry>>>,
    pub time: Rc<TimeView>,
    /// With another branch, as it was asked for last.
    pub comparison: Option<Rc<Comparison>>,
    pub owners: Owners,
    pub versions: Versions,
    /// Which node was touched by which update, oldest first.
    touched: VecDeque<(u64, String)>,
    /// Everything up to this update was forgotten from `touched`.
    forgotten: u64,
}

impl Model {
    /// Takes what changed and gives back the replies, which are for whoever asked.
    pub fn apply(&mut self, update: Update) -> Vec<Reply> {
        if update.reset || update.rewound {
            let tick = self.tick;
            let old = std::mem::replace(self, Model { tick, since: tick + 1, forgotten: tick + 1, ..Model::default() });
            if update.rewound {
                // What happened is the same, whatever moment of it is shown.
                let Model { since, entries, skipped, cycles, time, comparison, .. } = old;
                *self = Model {
                    tick,
                    since,
                    forgotten: tick + 1,
                    entries,
                    skipped,
                    cycles,
                    time,
                    comparison,
                    ..Model::default()
                };
            }
            let all = tick + 1;
            self.versions = Versions {
                nodes: all,
                node_set: all,
                pods: all,
                pending: all,
                components: all,
                queues: all,
                entries: all,
                cycles: all,
                detail: all,
                cycle: all,
                why: all,
                trace: all,
                revision: 0,
                owners: 0,
                debugger: all,
                answers: all,
                listing: all,
                cloud: all,
                images: all,
                time: all,
            };
        }
        self.tick += 1;
        let tick = self.tick;
        self.clock = update.clock;
        for name in update.nodes_gone {
            self.touch(&name);
            self.versions.nodes = tick;
            if self.nodes.remove(&name).is_some() {
                self.versions.node_set = tick;
            }
        }
        for node in update.nodes {
            self.touch(&node.name);
            self.versions.nodes = tick;
            if self.nodes.insert(node.name.clone(), Rc::new(node)).is_none() {
                self.versions.node_set = tick;
            }
        }
        for key in update.pods_gone {
            self.remove_pod(&key);
        }
        for pod in update.pods {
            self.put_pod(pod);
        }
        for name in update.components_gone {
            self.components.remove(&name);
            self.versions.components = tick;
        }
        for component in update.components {
            self.put_component(component);
        }
        if let Some(queues) = update.queues {
            self.queues = Rc::new(queues);
            self.versions.queues = tick;
        }
        if !update.entries.is_empty() || update.entries_skipped > 0 {
            self.versions.entries = tick;
            self.versions.trace = tick;
            self.skipped += update.entries_skipped;
            self.entries.extend(update.entries);
            let surplus = self.entries.len().saturating_sub(ENTRIES_MAX);
            self.entries.drain(..surplus);
        }
        if !update.cycles.is_empty() {
            self.versions.cycles = tick;
            self.cycles.extend(update.cycles.into_iter().map(Rc::new));
            let surplus = self.cycles.len().saturating_sub(CYCLES_MAX);
            self.cycles.drain(..surplus);
        }
        if let Some(detail) = update.detail {
            self.detail = Some(Rc::new(detail));
            self.versions.detail = tick;
        }
        if let Some(listing) = update.listing {
            self.listing = Some(Rc::new(listing));
            self.versions.listing = tick;
        }
        if let Some(images) = update.blocked_images {
            self.blocked_images = Rc::new(images);
            self.versions.images = tick;
        }
        if let Some(cloud) = update.cloud {
            self.cloud = Some(Rc::new(cloud));
            self.versions.cloud = tick;
        }
        if let Some(cycle) = update.cycle_view {
            self.put_cycle(Arc::unwrap_or_clone(cycle));
        }
        if let Some(debugger) = update.debugger {
            self.debugger = Rc::new(debugger);
            self.versions.debugger = tick;
        }
        if let Some(time) = update.time {
            self.time = Rc::new(time);
            self.versions.time = tick;
        }
        if let Some(why) = update.why {
            self.why = Rc::new(why);
            self.versions.why = tick;
        }
        self.versions.revision = self.clock.revision;
        self.versions.owners = self.owners.version;
        update.replies
    }

    /// A view holds the first rows only. The same cycle may come again, without the rows that were asked for meanwhile.
    fn put_cycle(&mut self, mut cycle: CycleView) {
        if let Some(old) = self.cycle.as_ref().filter(|old| old.seq == cycle.seq && old.upto == cycle.upto)
            && old.rows.len() > cycle.rows.len()
            && old.rows_total == cycle.rows_total
        {
            cycle.rows = old.rows.clone();
        }
        self.cycle = Some(Rc::new(cycle));
        self.versions.cycle = self.tick;
    }

    /// All rows of the shown cycle, in the order in which the nodes were looked at.
    pub fn put_rows(&mut self, seq: u64, upto: Option<usize>, rows: Vec<Row>) {
        let Some(shown) = self.cycle.as_ref().filter(|c| c.seq == seq && c.upto == upto) else { return };
        let mut cycle = CycleView { rows: Vec::new(), ..(**shown).clone() };
        cycle.rows = rows;
        self.cycle = Some(Rc::new(cycle));
        self.versions.cycle += 1;
    }

    pub fn ask(&mut self, topic: Topic, id: u64, what: Debug) {
        self.answers.ask(topic, id, what);
        self.versions.answers += 1;
    }
    pub fn put_answer(&mut self, topic: Topic, id: u64, answer: Answer) {
        if self.answers.take(topic, id, answer) {
            self.versions.answers += 1;
        }
    }
    pub fn answer(&self, topic: Topic, what: &Debug) -> Option<Rc<Answer>> {
        self.answers.get(topic, what)
    }
    pub fn waits(&self, topic: Topic, what: &Debug) -> bool {
        self.answers.waits(topic, what)
    }
    pub fn put_journey(&mut self, followed: Followed) {
        self.journey = Some(followed);
        self.versions.answers += 1;
    }
    pub fn put_comparison(&mut self, comparison: Comparison) {
        self.comparison = Some(Rc::new(comparison));
        self.versions.answers += 1;
    }
    pub fn put_fetched(&mut self, fetched: Fetched) {
        self.fetched = Some(fetched);
        self.versions.answers += 1;
    }

    fn put_pod(&mut self, pod: PodView) {
        let key: PodKey = format!("{}/{}", pod.namespace, pod.name).into();
        let tint = self.owners.add(&pod.owner, &pod.namespace);
        match self.pods.get(&key) {
            // The owner was counted again; a pod that stays where it is only changes its view.
            Some(old) if old.node == pod.node => self.owners.remove(&old.owner.clone()),
            Some(_) => self.remove_pod(&key),
            None => {}
        }
        let pod = Rc::new(pod);
        if pod.node.is_empty() {
            self.pending.insert(key.clone());
            self.versions.pending = self.tick;
        } else {
            self.touch(&pod.node);
            if let Some(placed) = self.placed.get_mut(&pod.node) {
                placed.pods.insert(key.clone(), (pod.clone(), tint));
            }
        }
        self.versions.pods = self.tick;
        self.pods.insert(key, pod);
    }

    fn remove_pod(&mut self, key: &str) {
        let Some(old) = self.pods.remove(key) else { return };
        self.owners.remove(&old.owner);
        self.versions.pods = self.tick;
        if self.pending.remove(key) {
            self.versions.pending = self.tick;
        }
        if let Some(placed) = self.placed.get_mut(&old.node) {
            placed.pods.remove(key);
            self.touch(&old.node);
        }
    }

    fn put_component(&mut self, component: ComponentView) {
        self.versions.components = self.tick;
        // A node's own components are drawn on its card.
        if let Some((_, node)) = component.process.split_once('/') {
            let node = node.to_string();
            self.touch(&node);
        }
        self.components.insert(component.name.clone(), Rc::new(component));
    }

    fn touch(&mut self, node: &str) {
        let placed = if let Some(placed) = self.placed.get_mut(node) {
            placed
        } else {
            self.placed.entry(node.into()).or_default()
        };
        if placed.version == self.tick {
            return;
        }
        placed.version = self.tick;
        if self.touched.len() == TOUCHED_MAX {
            self.forgotten = self.touched.pop_front().map_or(self.forgotten, |(tick, _)| tick);
        }
        self.touched.push_back((self.tick, node.into()));
    }

    /// The nodes that were touched by updates after `tick`; `None` when that is too long ago to know.
    pub fn touched_since(&self, tick: u64) -> Option<impl Iterator<Item = &str>> {
        let start = self.touched.partition_point(|(t, _)| *t <= tick);
        (tick >= self.forgotten).then(|| self.touched.range(start..).map(|(_, node)| node.as_str()))
    }

    pub fn node_version(&self, node: &str) -> u64 {
        self.placed.get(node).map_or(0, |p| p.version)
    }
    pub fn pods_on<'a>(&'a self, node: &str) -> impl Iterator<Item = (&'a PodKey, &'a Rc<PodView>, Tint)> + use<'a> {
        self.placed.get(node).into_iter().flat_map(|p| &p.pods).map(|(key, (pod, tint))| (key, pod, *tint))
    }
    /// The components of one process, in order of name.
    pub fn process<'a>(&'a self, process: &'a str) -> impl Iterator<Item = &'a Rc<ComponentView>> {
        self.components.values().filter(move |c| c.process == process)
    }
    /// The control plane's processes besides those that every cluster has, which have boxes of their own.
    pub fn other_processes(&self) -> Vec<&str> {
        const OWN: [&str; 3] = ["kube-apiserver", "kube-scheduler", "kube-controller-manager"];
        let all = self.components.values().map(|c| c.process.as_str());
        let others: BTreeSet<&str> = all.filter(|p| !p.contains('/') && !OWN.contains(p)).collect();
        others.into_iter().collect()
    }
    /// How many pods without a node no queue of the scheduler holds (it is stopped, or has not seen them yet), and the
    /// first of them. With long queues, of which the page knows the beginnings only, the number alone is known.
    pub fn unqueued(&self, most: usize) -> (usize, Vec<PodKey>) {
        let q = &self.queues;
        let n = q.lengths;
        let lists = [&q.active, &q.backoff, &q.unschedulable, &q.gated];
        let known: usize = lists.iter().map(|l| l.len()).sum();
        let queued = n.active + n.backoff + n.unschedulable + n.gated;
        let count = self.pending.len().saturating_sub(queued + n.in_flight);
        if count == 0 || known < queued {
            return (count, Vec::new());
        }
        let known: BTreeSet<String> =
            lists.into_iter().flatten().map(|e| format!("{}/{}", e.namespace, e.name)).collect();
        let loose = self.pending.iter().filter(|key| !known.contains(&***key));
        (count, loose.take(most.min(count)).cloned().collect())
    }
    /// Nothing was created by the user yet.
    pub fn is_empty(&self) -> bool {
        self.pods.is_empty()
    }
}

/// The one model, shared by all views. Two references are equal when they are the same model; what
/// changed is told by versions.
#[derive(Clone, Default)]
pub struct ModelRef(Rc<RefCell<Model>>);

impl PartialEq for ModelRef {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl ModelRef {
    pub fn get(&self) -> std::cell::Ref<'_, Model> {
        self.0.borrow()
    }
    pub fn apply(&self, update: Update) -> Vec<Reply> {
        self.0.borrow_mut().apply(update)
    }
    pub fn change<T>(&self, with: impl FnOnce(&mut Model) -> T) -> T {
        with(&mut self.0.borrow_mut())
    }
    pub fn clear(&self) {
        self.0.borrow_mut().apply(Update { reset: true, ..Update::default() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(name: &str, node: &str) -> PodView {
        let owner = "Deployment/web".to_string();
        PodView { namespace: "default".into(), name: name.into(), node: node.into(), owner, ..PodView::default() }
    }
    fn node(name: &str) -> NodeView {
        NodeView { name: name.into(), ..NodeView::default() }
    }
    fn names(model: &Model, node: &str) -> Vec<String> {
        model.pods_on(node).map(|(key, ..)| key.to_string()).collect()
    }

    #[test]
    fn a_pod_moves_from_pending_to_its_node() {
        let mut m = Model::default();
        m.apply(Update { nodes: vec![node("n1")], pods: vec![pod("a", "")], ..Update::default() });
        assert_eq!(m.pending.len(), 1);
        let before = m.versions;
        m.apply(Update { pods: vec![pod("a", "n1")], ..Update::default() });
        assert!(m.pending.is_empty());
        assert_eq!(names(&m, "n1"), ["default/a"]);
        assert_ne!(before.pending, m.versions.pending);
        assert_eq!(before.nodes, m.versions.nodes);
        m.apply(Update { pods_gone: vec!["default/a".into()], ..Update::default() });
        assert!(m.pods.is_empty() && names(&m, "n1").is_empty());
    }

    #[test]
    fn only_the_touched_nodes_get_a_new_version() {
        let mut m = Model::default();
        m.apply(Update { nodes: vec![node("n1"), node("n2")], ..Update::default() });
        let n2 = m.node_version("n2");
        m.apply(Update { pods: vec![pod("a", "n1")], ..Update::default() });
        assert_eq!(m.node_version("n2"), n2);
        assert!(m.node_version("n1") > n2);
    }

    #[test]
    fn who_draws_learns_which_nodes_were_touched() {
        let mut m = Model::default();
        m.apply(Update { nodes: vec![node("n1"), node("n2")], ..Update::default() });
        let (tick, set) = (m.tick, m.versions.node_set);
        m.apply(Update { pods: vec![pod("a", "n1"), pod("b", "n1")], nodes: vec![node("n1")], ..Update::default() });
        assert_eq!(m.touched_since(tick).unwrap().collect::<Vec<_>>(), ["n1"]);
        assert_eq!(m.versions.node_set, set);
        m.apply(Update { reset: true, ..Update::default() });
        assert!(m.touched_since(tick).is_none());
        assert_eq!(m.touched_since(m.tick).unwrap().count(), 0);
    }

    #[test]
    fn pods_in_no_queue_are_counted_when_the_queues_are_long() {
        use protocol::{QueueEntry, QueueLengths};
        let entry = |name: &str| QueueEntry { namespace: "default".into(), name: name.into(), ..QueueEntry::default() };
        let mut m = Model::default();
        let lengths = QueueLengths { active: 1, ..QueueLengths::default() };
        let queues = Some(QueueView { active: vec![entry("a")], lengths, ..QueueView::default() });
        m.apply(Update { pods: vec![pod("a", ""), pod("b", "")], queues, ..Update::default() });
        let (count, first) = m.unqueued(9);
        assert_eq!((count, &*first[0]), (1, "default/b"));
        let lengths = QueueLengths { active: 2, ..QueueLengths::default() };
        let queues = Some(QueueView { active: vec![entry("a")], lengths, ..QueueView::default() });
        m.apply(Update { pods: vec![pod("c", "")], queues, ..Update::default() });
        assert_eq!(m.unqueued(9), (1, Vec::new()));
    }

    #[test]
    fn a_pod_may_arrive_before_its_node() {
        let mut m = Model::default();
        m.apply(Update { pods: vec![pod("a", "n1")], ..Update::default() });
        m.apply(Update { nodes: vec![node("n1")], ..Update::default() });
        assert_eq!(names(&m, "n1"), ["default/a"]);
    }

    #[test]
    fn reset_forgets_everything_and_changes_every_version() {
        let mut m = Model::default();
        m.apply(Update { nodes: vec![node("n1")], pods: vec![pod("a", "n1")], ..Update::default() });
        let before = m.versions;
        m.apply(Update { reset: true, ..Update::default() });
        assert!(m.pods.is_empty() && m.nodes.is_empty());
        assert!(m.versions.detail > before.detail && m.versions.nodes > before.nodes);
    }

    #[test]
    fn another_moment_is_told_anew_and_what_happened_stays() {
        let mut m = Model::default();
        let json = r#"{"seq":1,"time":0,"cause":0,"actor":"you","what":"process","process":"p","state":"s"}"#;
        let entries = vec![serde_json::from_str::<Arc<Entry>>(json).unwrap()];
        let time = Some(TimeView { seeking: true, ..TimeView::default() });
        m.apply(Update { nodes: vec![node("n1")], pods: vec![pod("a", "n1")], entries, time, ..Update::default() });
        let before = (m.since, m.versions);
        m.apply(Update { rewound: true, nodes: vec![node("n1")], ..Update::default() });
        assert_eq!((m.entries.len(), m.since, m.nodes.len(), m.pods.len()), (1, before.0, 1, 0));
        assert!(m.time.seeking && m.versions.pods > before.1.pods);
        m.apply(Update { reset: true, ..Update::default() });
        assert!(m.entries.is_empty() && !m.time.seeking);
    }

    #[test]
    fn old_entries_make_room() {
        let mut m = Model::default();
        let entry = |seq| {
            let json = format!(
                r#"{{"seq":{seq},"time":0,"cause":0,"actor":"you","what":"process","process":"p","state":"s"}}"#
            );
            serde_json::from_str::<Arc<Entry>>(&json).unwrap()
        };
        m.apply(Update { entries: (1..=ENTRIES_MAX as u64 + 10).map(entry).collect(), ..Update::default() });
        assert_eq!(m.entries.len(), ENTRIES_MAX);
        assert_eq!(m.entries.front().map(|e| e.seq), Some(11));
    }
}
