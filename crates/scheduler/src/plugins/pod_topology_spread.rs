//! PodTopologySpread: pods of one kind spread over zones, nodes or any other domain. Models
//! `plugins/podtopologyspread`.

mod inputs;

use super::node_selector::RequiredNodeAffinity;
use super::tolerations::any_tolerates;
use crate::config::{Args, SpreadDefaults};
use crate::framework::kinds::{Kinds, Memo};
use crate::framework::node_info::is_hard;
use crate::framework::requirement::selector;
use crate::framework::topology::Domains;
use crate::framework::{
    Answer, ClusterEvent, CycleState, Filter, Handle, Hint, MAX_NODE_SCORE, NodeInfo, Objects, Plugin, PodInfo,
    PreFilter, PreFilterResult, PreScore, PreScoreResult, Score, Status,
};
use k8s_openapi::api::core::v1::{Node, TopologySpreadConstraint};
use meta::labels::{Labels, Op, Requirement, Selector};
use std::sync::Arc;
use trace::explain::Inputs;

pub const NAME: &str = "PodTopologySpread";

const HOSTNAME: &str = "kubernetes.io/hostname";
const HARD: &str = "DoNotSchedule";
const SOFT: &str = "ScheduleAnyway";

pub struct PodTopologySpread {
    defaults: Vec<TopologySpreadConstraint>,
    system_defaulted: bool,
}

pub fn build(args: &Args) -> Result<Box<dyn Plugin>, String> {
    let (defaults, system_defaulted) = match &args.pod_topology_spread {
        SpreadDefaults::System => {
            let soft = |key: &str, max_skew| TopologySpreadConstraint {
                max_skew,
                topology_key: key.into(),
                when_unsatisfiable: SOFT.into(),
                ..Default::default()
            };
            (vec![soft(HOSTNAME, 3), soft("topology.kubernetes.io/zone", 5)], true)
        }
        SpreadDefaults::List(list) => (list.clone(), false),
    };
    Ok(Box::new(PodTopologySpread { defaults, system_defaulted }))
}

#[derive(Clone)]
struct Constraint {
    max_skew: i64,
    topology_key: String,
    selector: Selector,
    min_domains: usize,
    honor_affinity: bool,
    honor_taints: bool,
}

impl Constraint {
    fn parse(c: &TopologySpreadConstraint, pod_labels: Option<&Labels>) -> Result<Self, String> {
        let mut selector = selector(c.label_selector.as_ref())?;
        let keyed = c.match_label_keys.iter().flatten().filter_map(|key| {
            let value = pod_labels?.get(key)?;
            Some(Requirement { key: key.clone(), op: Op::In, values: vec![value.clone()] })
        });
        let mut keyed: Vec<Requirement> = keyed.collect();
        if !keyed.is_empty() {
            // With keys, no selector is as good as an empty one.
            if let Selector::All(requirements) = selector {
                keyed.extend(requirements);
            }
            selector = Selector::All(keyed);
        }
        Ok(Constraint {
            max_skew: i64::from(c.max_skew),
            topology_key: c.topology_key.clone(),
            selector,
            min_domains: c.min_domains.and_then(|n| usize::try_from(n).ok()).unwrap_or(1),
            honor_affinity: c.node_affinity_policy.as_deref() != Some("Ignore"),
            honor_taints: c.node_taints_policy.as_deref() == Some("Honor"),
        })
    }

    /// Whether the node's domain counts for this pod. Models matchNodeInclusionPolicies.
    fn includes(&self, pod: &PodInfo, node: &NodeInfo, affinity: &RequiredNodeAffinity) -> bool {
        if self.honor_affinity && !affinity.matches(&node.node) {
            return false;
        }
        !self.honor_taints || !node.taints().iter().any(|t| is_hard(t) && !any_tolerates(pod.tolerations(), t))
    }

    /// Whether every node's domain counts for this pod.
    fn includes_all(&self, affinity: &RequiredNodeAffinity) -> bool {
        !self.honor_taints && (!self.honor_affinity || affinity.is_any())
    }

    /// Whether pods like `other` count: of the same namespace, selected, not going away.
    fn counts(&self, other: &PodInfo, namespace: &str) -> bool {
        !self.selector.is_everything()
            && !other.is_deleting()
            && other.namespace() == namespace
            && self.selector.matches(other.pod.metadata.labels.as_ref())
    }
}

fn has_all_keys(labels: Option<&Labels>, constraints: &[Constraint]) -> bool {
    constraints.iter().all(|c| labels.is_some_and(|l| l.contains_key(&c.topology_key)))
}

/// Nothing counts yet.
fn domains(constraints: &[Constraint], h: &Handle) -> Vec<Domains> {
    constraints.iter().map(|c| h.snapshot.domains(&c.topology_key)).collect()
}

/// Whether a node that has the key of one constraint has those of all.
fn have_the_same_nodes(counts: &[Domains]) -> bool {
    counts.iter().all(Domains::is_everywhere) || counts.iter().all(|d| d.key() == counts[0].key())
}

/// Which constraints pods of a kind count for.
struct Counting<'a> {
    constraints: &'a [Constraint],
    namespace: &'a str,
    kinds: &'a Kinds,
    memo: Memo<Vec<bool>>,
}

impl<'a> Counting<'a> {
    fn new(constraints: &'a [Constraint], h: &'a Handle, pod: &'a PodInfo) -> Self {
        let kinds = h.snapshot.kinds();
        Counting { constraints, namespace: pod.namespace(), kinds, memo: Memo::new(kinds) }
    }
    /// Adds the pods on the node that count for the constraints, to the number of each.
    fn count(&mut self, node: &NodeInfo, numbers: &mut [i64]) {
        numbers.fill(0);
        for (kind, n) in &node.kinds {
            let of = |c: &Constraint| c.counts(self.kinds.pod(*kind), self.namespace);
            let counts = self.memo.get(*kind, || self.constraints.iter().map(of).collect());
            for (number, _) in numbers.iter_mut().zip(counts).filter(|(_, counts)| **counts) {
                *number += i64::from(*n);
            }
        }
    }
}

impl PodTopologySpread {
    /// The pod's constraints of one kind, or the default ones for its services and controller.
    fn constraints(&self, pod: &PodInfo, action: &str, objects: Option<&Objects>) -> Result<Vec<Constraint>, String> {
        let labels = pod.pod.metadata.labels.as_ref();
        let own = pod.pod.spec.as_ref().and_then(|s| s.topology_spread_constraints.as_deref()).unwrap_or_default();
        let parse = |list: &[TopologySpreadConstraint]| -> Result<Vec<Constraint>, String> {
            list.iter().filter(|c| c.when_unsatisfiable == action).map(|c| Constraint::parse(c, labels)).collect()
        };
        if !own.is_empty() {
            return parse(own);
        }
        let mut constraints = parse(&self.defaults)?;
        if constraints.is_empty() {
            return Ok(constraints);
        }
        let Some(selector) = objects.and_then(|o| o.default_selector(&pod.pod)) else { return Ok(Vec::new()) };
        for c in &mut constraints {
            c.selector = selector.clone();
        }
        Ok(constraints)
    }
}

impl Plugin for PodTopologySpread {
    fn name(&self) -> &'static str {
        NAME
    }
    fn as_pre_filter(&self) -> Option<&dyn PreFilter> {
        Some(self)
    }
    fn as_filter(&self) -> Option<&dyn Filter> {
        Some(self)
    }
    fn as_pre_score(&self) -> Option<&dyn PreScore> {
        Some(self)
    }
    fn as_score(&self) -> Option<&dyn Score> {
        Some(self)
    }
    fn filter_inputs(&self, _: &Handle, state: &CycleState, _: &PodInfo, node: &NodeInfo) -> Inputs {
        state.get::<Filtering>().map(|s| inputs::filter(s, node)).unwrap_or_default()
    }
    fn score_inputs(&self, _: &Handle, state: &CycleState, _: &PodInfo, node: &NodeInfo) -> Inputs {
        state.get::<Scoring>().map(|s| inputs::score(s, node)).unwrap_or_default()
    }
    fn hint(&self, pod: &PodInfo, event: &ClusterEvent) -> Hint {
        let constraints = self.constraints(pod, HARD, None).unwrap_or_default();
        if constraints.is_empty() {
            // Refused by default constraints, whose selector is not at hand: any event may help.
            return Hint::Queue;
        }
        let involved = |p: &PodInfo| p.namespace() == pod.namespace();
        let selects = |c: &Constraint, p: &PodInfo| c.selector.matches(p.pod.metadata.labels.as_ref());
        let any_selects = |p: &PodInfo| involved(p) && constraints.iter().any(|c| selects(c, p));
        let keyed = |node: &Node| has_all_keys(node.metadata.labels.as_ref(), &constraints);
        Hint::queue_if(match event {
            ClusterEvent::NodeAdd(node) | ClusterEvent::NodeDelete(node) => keyed(node),
            ClusterEvent::NodeUpdate { old, new } => {
                let value = |n: &Node, c: &Constraint| n.metadata.labels.as_ref()?.get(&c.topology_key).cloned();
                let taints = |n: &Node| n.spec.as_ref().and_then(|s| s.taints.clone());
                keyed(old) != keyed(new)
                    || (keyed(new)
                        && (constraints.iter().any(|c| value(old, c) != value(new, c)) || taints(old) != taints(new)))
            }
            ClusterEvent::AssignedPodAdd(p) | ClusterEvent::AssignedPodDelete(p) => any_selects(p),
            ClusterEvent::AssignedPodUpdate { old, new } | ClusterEvent::TargetPodUpdate { old, new } => {
                let tolerates_more = new.key == pod.key
                    && old.tolerations() != new.tolerations()
                    && constraints.iter().any(|c| c.honor_taints);
                tolerates_more || (involved(new) && constraints.iter().any(|c| selects(c, old) != selects(c, new)))
            }
            _ => false,
        })
    }
}

/// Matching pods by domain, for every hard constraint.
#[derive(Clone)]
struct Filtering {
    constraints: Arc<[Constraint]>,
    affinity: Arc<RequiredNodeAffinity>,
    counts: Vec<Domains>,
    /// The smallest number of any domain, per constraint.
    min: Vec<i64>,
    /// Whether the pod itself counts, per constraint.
    own: Arc<[bool]>,
}

impl Filtering {
    fn find_min(&mut self) {
        self.min = self.counts.iter().map(|c| c.min().unwrap_or(i64::from(i32::MAX))).collect();
    }

    /// Node by node, where not all of them count.
    fn count_nodes(&mut self, h: &Handle, pod: &PodInfo) {
        let mut counting = Counting::new(&self.constraints, h, pod);
        let mut numbers = vec![0; self.constraints.len()];
        for node in h.snapshot.nodes.iter() {
            if self.counts.iter().any(|d| d.of(node).is_none()) {
                continue;
            }
            counting.count(node, &mut numbers);
            for ((c, counts), n) in self.constraints.iter().zip(&mut self.counts).zip(&numbers) {
                if c.includes(pod, node, &self.affinity)
                    && let Some(at) = counts.of(node)
                {
                    counts.add(at, *n);
                }
            }
        }
    }

    /// Models updateWithPod.
    fn update(&mut self, pod: &PodInfo, other: &PodInfo, node: &NodeInfo, n: i64) {
        if other.namespace() != pod.namespace() || !has_all_keys(node.labels(), &self.constraints) {
            return;
        }
        for (c, counts) in self.constraints.iter().zip(&mut self.counts) {
            if c.selector.matches(other.pod.metadata.labels.as_ref())
                && c.includes(pod, node, &self.affinity)
                && let Some(at) = counts.of(node)
            {
                counts.add(at, n);
            }
        }
        self.find_min();
    }
}

impl PreFilter for PodTopologySpread {
    fn pre_filter(&self, h: &Handle, state: &mut CycleState, pod: &PodInfo) -> PreFilterResult {
        let constraints = match self.constraints(pod, HARD, Some(h.objects)) {
            Ok(constraints) => constraints,
            Err(why) => {
                let why = format!("obtaining pod's hard topology spread constraints: {why}");
                return PreFilterResult::Refuse(Status::error(why));
            }
        };
        if constraints.is_empty() {
            return PreFilterResult::Skip;
        }
        let labels = pod.pod.metadata.labels.as_ref();
        let mut s = Filtering {
            counts: domains(&constraints, h),
            min: Vec::new(),
            own: constraints.iter().map(|c| c.selector.matches(labels)).collect(),
            constraints: constraints.into(),
            affinity: Arc::new(RequiredNodeAffinity::of(&pod.pod)),
        };
        if have_the_same_nodes(&s.counts) && s.constraints.iter().all(|c| c.includes_all(&s.affinity)) {
            for (c, counts) in s.constraints.iter().zip(&mut s.counts) {
                counts.add_all();
                for (kind, _) in h.snapshot.kinds().iter().filter(|(_, p)| c.counts(p, pod.namespace())) {
                    counts.add_kind(kind, 1);
                }
            }
        } else {
            s.count_nodes(h, pod);
        }
        s.find_min();
        state.write(s);
        PreFilterResult::Pass
    }
    fn add_pod(&self, _: &Handle, state: &mut CycleState, pod: &PodInfo, other: &PodInfo, node: &NodeInfo) {
        if let Some(s) = state.get_mut::<Filtering>() {
            s.update(pod, other, node, 1);
        }
    }
    fn remove_pod(&self, _: &Handle, state: &mut CycleState, pod: &PodInfo, other: &PodInfo, node: &NodeInfo) {
        if let Some(s) = state.get_mut::<Filtering>() {
            s.update(pod, other, node, -1);
        }
    }
}

impl Filter for PodTopologySpread {
    fn filter(&self, _: &Handle, state: &CycleState, _: &PodInfo, node: &NodeInfo) -> Answer {
        let Some(s) = state.get::<Filtering>() else {
            return Err(Status::error("reading \"PreFilterPodTopologySpread\" from cycleState: not found"));
        };
        for (i, c) in s.constraints.iter().enumerate() {
            let Some(at) = s.counts[i].of(node) else {
                return Err(Status::unresolvable(
                    "node(s) didn't match pod topology spread constraints (missing required label)",
                ));
            };
            // Too few domains: upstream takes the global minimum for 0.
            let min = if s.counts[i].known() < c.min_domains { 0 } else { s.min[i] };
            let here = s.counts[i].get(at).unwrap_or(0);
            if here + i64::from(s.own[i]) - min > c.max_skew {
                return Err(Status::unschedulable("node(s) didn't match pod topology spread constraints"));
            }
        }
        Ok(())
    }
}

/// What the soft constraints need to score.
#[derive(Clone)]
struct Scoring {
    constraints: Vec<Constraint>,
    /// By domain; host names are counted while scoring.
    counts: Vec<Domains>,
    /// A domain's pods weigh more, the more domains there are.
    weights: Vec<f64>,
    /// Per feasible node: whether it lacks a topology key.
    ignored: Vec<bool>,
    require_all: bool,
    /// Which kinds count, for the constraints by host name.
    by_host: Vec<Vec<bool>>,
}

impl Scoring {
    /// Pods on the node that count for a constraint by host name.
    fn on_host(&self, constraint: usize, node: &NodeInfo) -> i64 {
        let counted = node.kinds.iter().filter(|(kind, _)| self.by_host[constraint][*kind as usize]);
        counted.map(|(_, n)| i64::from(*n)).sum()
    }
}

impl PreScore for PodTopologySpread {
    fn pre_score(&self, h: &Handle, state: &mut CycleState, pod: &PodInfo, nodes: &[usize]) -> PreScoreResult {
        let constraints = match self.constraints(pod, SOFT, Some(h.objects)) {
            Ok(constraints) => constraints,
            Err(why) => {
                let why = format!("calculating preScoreState: obtaining pod's soft topology spread constraints: {why}");
                return PreScoreResult::Fail(why);
            }
        };
        if constraints.is_empty() {
            return PreScoreResult::Skip;
        }
        let own = pod.pod.spec.as_ref().and_then(|s| s.topology_spread_constraints.as_ref());
        // With the system's defaults, nodes without a zone still spread by host name.
        let require_all = own.is_some_and(|c| !c.is_empty()) || !self.system_defaulted;
        let mut counts = domains(&constraints, h);
        let lacks = |counts: &[Domains], n: &NodeInfo| require_all && counts.iter().any(|d| d.of(n).is_none());
        let ignored: Vec<bool> = nodes.iter().map(|n| lacks(&counts, &h.snapshot.nodes[*n])).collect();
        let by_host = |c: &Constraint| c.topology_key == HOSTNAME;
        for node in nodes.iter().zip(&ignored).filter(|(_, ignored)| !**ignored).map(|(n, _)| &h.snapshot.nodes[*n]) {
            for (_, counts) in constraints.iter().zip(&mut counts).filter(|(c, _)| !by_host(c)) {
                counts.add(counts.of_or_empty(node), 0);
            }
        }
        let scored = ignored.iter().filter(|i| !**i).count();
        let size = |(c, counts): (&Constraint, &Domains)| if by_host(c) { scored } else { counts.known() };
        let weights = constraints.iter().zip(&counts).map(size).map(|n| libm::log((n + 2) as f64)).collect();
        let affinity = RequiredNodeAffinity::of(&pod.pod);
        let kinds = h.snapshot.kinds();
        let all = constraints.iter().all(|c| c.includes_all(&affinity));
        if all && (!require_all || have_the_same_nodes(&counts)) {
            for (c, counts) in constraints.iter().zip(&mut counts).filter(|(c, _)| !by_host(c)) {
                for (kind, _) in kinds.iter().filter(|(_, p)| c.counts(p, pod.namespace())) {
                    counts.add_kind_where_counted(kind);
                }
            }
        } else if constraints.iter().any(|c| !by_host(c)) {
            let mut counting = Counting::new(&constraints, h, pod);
            let mut numbers = vec![0; constraints.len()];
            for node in h.snapshot.nodes.iter() {
                if lacks(&counts, node) {
                    continue;
                }
                counting.count(node, &mut numbers);
                for ((c, counts), n) in constraints.iter().zip(&mut counts).zip(&numbers) {
                    let at = counts.of_or_empty(node);
                    if *n > 0 && counts.get(at).is_some() && c.includes(pod, node, &affinity) {
                        counts.add(at, *n);
                    }
                }
            }
        }
        let count_kinds = |c: &Constraint| {
            let mut count = vec![false; if by_host(c) { kinds.len() } else { 0 }];
            for (kind, p) in kinds.iter().filter(|_| by_host(c)) {
                count[kind as usize] = c.counts(p, pod.namespace());
            }
            count
        };
        let by_host = constraints.iter().map(count_kinds).collect();
        state.write(Scoring { constraints, counts, weights, ignored, require_all, by_host });
        PreScoreResult::Pass
    }
}

impl Score for PodTopologySpread {
    fn score(&self, _: &Handle, state: &CycleState, _: &PodInfo, node: &NodeInfo) -> i64 {
        let Some(s) = state.get::<Scoring>() else { return 0 };
        if s.require_all && s.counts.iter().any(|d| d.of(node).is_none()) {
            return 0;
        }
        let mut score = 0.0;
        for (i, c) in s.constraints.iter().enumerate() {
            let Some(at) = s.counts[i].of(node) else { continue };
            let count = if c.topology_key == HOSTNAME { s.on_host(i, node) } else { s.counts[i].get(at).unwrap_or(0) };
            // The allowed skew waters differences down.
            score += count as f64 * s.weights[i] + (c.max_skew - 1) as f64;
        }
        libm::round(score) as i64
    }
    fn normalize(&self, _: &Handle, state: &CycleState, _: &PodInfo, scores: &mut [i64]) {
        let Some(s) = state.get::<Scoring>() else { return };
        let counted = || scores.iter().zip(&s.ignored).filter(|(_, ignored)| !**ignored).map(|(s, _)| *s);
        let (min, max) = (counted().min().unwrap_or(0), counted().max().unwrap_or(0));
        for (score, ignored) in scores.iter_mut().zip(&s.ignored) {
            *score = match (ignored, max) {
                (true, _) => 0,
                (_, 0) => MAX_NODE_SCORE,
                _ => MAX_NODE_SCORE * (max + min - *score) / max,
            };
        }
    }
}
