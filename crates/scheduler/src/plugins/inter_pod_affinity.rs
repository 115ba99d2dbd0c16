//! InterPodAffinity: pods that want to be near, or away from, other pods. Models `plugins/interpodaffinity`.

mod inputs;

use crate::config::{Args, InterPodAffinityArgs};
use crate::framework::affinity::AffinityTerm;
use crate::framework::topology::Domains;
use crate::framework::{
    Answer, ClusterEvent, CycleState, Filter, Handle, Hint, MAX_NODE_SCORE, NodeInfo, Plugin, PodInfo, PreFilter,
    PreFilterResult, PreScore, PreScoreResult, Score, Status,
};
use k8s_openapi::api::core::v1::Node;
use meta::labels::Labels;
use std::sync::Arc;
use trace::explain::Inputs;

pub const NAME: &str = "InterPodAffinity";

pub struct InterPodAffinity(InterPodAffinityArgs);

pub fn build(args: &Args) -> Result<Box<dyn Plugin>, String> {
    Ok(Box::new(InterPodAffinity(args.inter_pod_affinity.clone())))
}

/// Numbers by topology key and value.
#[derive(Clone, Default)]
struct Counts(Vec<Domains>);

impl Counts {
    /// The place of a topology key, made when it is not there.
    fn place(&mut self, h: &Handle, topology_key: &str) -> usize {
        self.0.iter().position(|d| d.key() == topology_key).unwrap_or_else(|| {
            self.0.push(h.snapshot.domains(topology_key));
            self.0.len() - 1
        })
    }
    /// Adds to the domain that `node` belongs to.
    fn add_at(&mut self, place: usize, node: &NodeInfo, n: i64) {
        let domains = &mut self.0[place];
        if let Some(at) = domains.of(node) {
            domains.add(at, n);
        }
    }
    /// The sum of the numbers of the node's domains.
    fn at(&self, node: &NodeInfo) -> i64 {
        self.0.iter().filter_map(|d| d.at(node)).sum()
    }
    /// Whether anything is counted in a domain of the node.
    fn has_any_at(&self, node: &NodeInfo) -> bool {
        self.0.iter().any(|d| d.at(node).is_some_and(|n| n > 0))
    }
    /// Whether nothing is counted (any more). Only where numbers are of pods, never negative.
    fn is_zero(&self) -> bool {
        self.0.iter().all(|d| d.sum() == 0)
    }
    /// Whether nothing was ever counted.
    fn is_empty(&self) -> bool {
        self.0.iter().all(|d| d.known() == 0)
    }
}

/// The pod's own terms with their namespaces resolved, and who matches whom where.
#[derive(Clone)]
struct Filtering {
    terms: Arc<[AffinityTerm]>,
    /// The places of their topology keys in `affinity`.
    keys: Arc<[usize]>,
    anti_terms: Arc<[AffinityTerm]>,
    namespace_labels: Option<Labels>,
    /// Pods whose anti-affinity is about this pod.
    existing_anti: Counts,
    /// Pods that match all of this pod's affinity terms.
    affinity: Counts,
    /// Pods that one of this pod's anti-affinity terms is about.
    anti: Counts,
}

fn is_about(term: &AffinityTerm, pod: &PodInfo, namespace_labels: Option<&Labels>) -> bool {
    term.matches(pod.namespace(), pod.pod.metadata.labels.as_ref(), namespace_labels)
}

fn matches_all(terms: &[AffinityTerm], pod: &PodInfo) -> bool {
    !terms.is_empty() && terms.iter().all(|t| is_about(t, pod, None))
}

/// Where pods of one kind are counted: places in the three [`Counts`].
#[derive(Default)]
struct Says {
    existing_anti: Vec<usize>,
    affinity: Vec<usize>,
    anti: Vec<usize>,
}

impl Filtering {
    /// What pods like `other` mean to `pod`.
    fn ask(&mut self, h: &Handle, pod: &PodInfo, other: &PodInfo) -> Says {
        let mut says = Says::default();
        for t in &other.affinity.required_anti {
            if is_about(t, pod, self.namespace_labels.as_ref()) {
                says.existing_anti.push(self.existing_anti.place(h, &t.topology_key));
            }
        }
        if matches_all(&self.terms, other) {
            says.affinity = self.keys.to_vec();
        }
        for t in self.anti_terms.iter().filter(|t| is_about(t, other, None)) {
            says.anti.push(self.anti.place(h, &t.topology_key));
        }
        says
    }
    /// Counts all pods of a kind.
    fn count_kind(&mut self, says: &Says, kind: u32) {
        says.existing_anti.iter().for_each(|p| self.existing_anti.0[*p].add_kind(kind, 1));
        says.affinity.iter().for_each(|p| self.affinity.0[*p].add_kind(kind, 1));
        says.anti.iter().for_each(|p| self.anti.0[*p].add_kind(kind, 1));
    }
    fn count(&mut self, says: &Says, node: &NodeInfo, n: i64) {
        says.existing_anti.iter().for_each(|p| self.existing_anti.add_at(*p, node, n));
        says.affinity.iter().for_each(|p| self.affinity.add_at(*p, node, n));
        says.anti.iter().for_each(|p| self.anti.add_at(*p, node, n));
    }
}

impl Plugin for InterPodAffinity {
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
    fn filter_inputs(&self, h: &Handle, state: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Inputs {
        state.get::<Filtering>().map(|s| inputs::filter(s, h, pod, node)).unwrap_or_default()
    }
    fn score_inputs(&self, _: &Handle, state: &CycleState, _: &PodInfo, node: &NodeInfo) -> Inputs {
        state.get::<Scoring>().map(|s| inputs::score(s, node)).unwrap_or_default()
    }
    fn hint(&self, pod: &PodInfo, event: &ClusterEvent) -> Hint {
        let (terms, anti) = (&pod.affinity.required, &pod.affinity.required_anti);
        // The other pod kept this one away, or may have.
        let keeps_away = |other: &PodInfo| {
            matches_all(anti, other) || other.affinity.required_anti.iter().any(|t| is_about(t, pod, None))
        };
        let has_key = |node: &Node| {
            let labels = node.metadata.labels.as_ref();
            terms.iter().chain(anti).any(|t| labels.is_some_and(|l| l.contains_key(&t.topology_key)))
        };
        Hint::queue_if(match event {
            ClusterEvent::NodeAdd(new) => has_key(new),
            ClusterEvent::NodeUpdate { old, new } => old.metadata.labels != new.metadata.labels && has_key(new),
            ClusterEvent::AssignedPodAdd(new) => matches_all(terms, new),
            ClusterEvent::AssignedPodUpdate { old, new } => {
                old.pod.metadata.labels != new.pod.metadata.labels
                    && ((!matches_all(terms, old) && matches_all(terms, new)) || (keeps_away(old) && !keeps_away(new)))
            }
            ClusterEvent::AssignedPodDelete(old) => keeps_away(old),
            _ => false,
        })
    }
}

impl PreFilter for InterPodAffinity {
    fn pre_filter(&self, h: &Handle, state: &mut CycleState, pod: &PodInfo) -> PreFilterResult {
        if let Some(why) = &pod.affinity.unreadable {
            return PreFilterResult::Refuse(Status::unresolvable(format!("parsing pod: {why}")));
        }
        let own = !pod.affinity.required.is_empty() || !pod.affinity.required_anti.is_empty();
        if !own && !h.snapshot.has_required_anti_affinity() {
            return PreFilterResult::Skip;
        }
        let resolve = |terms: &[AffinityTerm]| terms.iter().map(|t| t.resolved(h.objects)).collect();
        let terms: Arc<[AffinityTerm]> = resolve(&pod.affinity.required);
        let mut affinity = Counts::default();
        let mut s = Filtering {
            keys: terms.iter().map(|t| affinity.place(h, &t.topology_key)).collect(),
            terms,
            anti_terms: resolve(&pod.affinity.required_anti),
            namespace_labels: h.objects.namespace_labels(pod.namespace()).cloned(),
            existing_anti: Counts::default(),
            affinity,
            anti: Counts::default(),
        };
        for (kind, other) in h.snapshot.kinds().iter().filter(|(_, p)| own || p.has_required_anti_affinity) {
            let says = s.ask(h, pod, other);
            s.count_kind(&says, kind);
        }
        if s.existing_anti.is_zero() && !own {
            return PreFilterResult::Skip;
        }
        state.write(s);
        PreFilterResult::Pass
    }
    fn add_pod(&self, h: &Handle, state: &mut CycleState, pod: &PodInfo, other: &PodInfo, node: &NodeInfo) {
        if let Some(s) = state.get_mut::<Filtering>() {
            let says = s.ask(h, pod, other);
            s.count(&says, node, 1);
        }
    }
    fn remove_pod(&self, h: &Handle, state: &mut CycleState, pod: &PodInfo, other: &PodInfo, node: &NodeInfo) {
        if let Some(s) = state.get_mut::<Filtering>() {
            let says = s.ask(h, pod, other);
            s.count(&says, node, -1);
        }
    }
}

impl Filtering {
    fn affinity_holds(&self, pod: &PodInfo, node: &NodeInfo) -> bool {
        let mut pods_exist = true;
        for place in &*self.keys {
            let domains = &self.affinity.0[*place];
            // Every topology key must be on the node.
            let Some(at) = domains.of(node) else { return false };
            pods_exist &= domains.get(at).is_some_and(|n| n > 0);
        }
        // The first of a series of pods that want to be near each other may go anywhere.
        pods_exist || (self.affinity.is_zero() && matches_all(&self.terms, pod))
    }
    fn anti_affinity_holds(&self, node: &NodeInfo) -> bool {
        !self.anti.has_any_at(node)
    }
    fn existing_anti_affinity_holds(&self, node: &NodeInfo) -> bool {
        !self.existing_anti.has_any_at(node)
    }
}

impl Filter for InterPodAffinity {
    fn filter(&self, _: &Handle, state: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Answer {
        let Some(s) = state.get::<Filtering>() else {
            return Err(Status::error("error reading \"PreFilterInterPodAffinity\" from cycleState: not found"));
        };
        if !s.affinity_holds(pod, node) {
            return Err(Status::unresolvable("node(s) didn't match pod affinity rules"));
        }
        if !s.anti_affinity_holds(node) {
            return Err(Status::unschedulable("node(s) didn't match pod anti-affinity rules"));
        }
        if !s.existing_anti_affinity_holds(node) {
            return Err(Status::unschedulable("node(s) didn't satisfy existing pods anti-affinity rules"));
        }
        Ok(())
    }
}

/// The weights that speak for every domain.
#[derive(Clone)]
struct Scoring(Counts);

impl PreScore for InterPodAffinity {
    fn pre_score(&self, h: &Handle, state: &mut CycleState, pod: &PodInfo, _: &[usize]) -> PreScoreResult {
        let has_preferences = pod.affinity.has_preferences(&pod.pod);
        let ignore_others = self.0.ignore_preferred_terms_of_existing_pods;
        if !has_preferences && (ignore_others || !h.snapshot.has_affinity()) {
            return PreScoreResult::Skip;
        }
        if let Some(why) = &pod.affinity.unreadable {
            return PreScoreResult::Fail(format!("failed to parse pod: {why}"));
        }
        let resolve = |terms: &[(AffinityTerm, i64)]| -> Vec<(AffinityTerm, i64)> {
            terms.iter().map(|(t, w)| (t.resolved(h.objects), *w)).collect()
        };
        let (own, own_anti) = (resolve(&pod.affinity.preferred), resolve(&pod.affinity.preferred_anti));
        let namespace_labels = h.objects.namespace_labels(pod.namespace());
        let mut scores = Counts::default();
        // Where pods of a kind count for this one, and how much each.
        let ask = |scores: &mut Counts, other: &PodInfo| {
            let mut says: Vec<(usize, i64)> = Vec::new();
            let mut add = |t: &AffinityTerm, about: &PodInfo, ns: Option<&Labels>, weight: i64| {
                if is_about(t, about, ns) {
                    says.push((scores.place(h, &t.topology_key), weight));
                }
            };
            own.iter().for_each(|(t, w)| add(t, other, None, *w));
            own_anti.iter().for_each(|(t, w)| add(t, other, None, -w));
            if self.0.hard_pod_affinity_weight > 0 {
                let hard = i64::from(self.0.hard_pod_affinity_weight);
                other.affinity.required.iter().for_each(|t| add(t, pod, namespace_labels, hard));
            }
            // `ignorePreferredTermsOfExistingPods` spares pods without preferences this walk; it does not change it.
            other.affinity.preferred.iter().for_each(|(t, w)| add(t, pod, namespace_labels, *w));
            other.affinity.preferred_anti.iter().for_each(|(t, w)| add(t, pod, namespace_labels, -w));
            says
        };
        for (kind, other) in h.snapshot.kinds().iter().filter(|(_, p)| has_preferences || p.has_affinity) {
            for (place, weight) in ask(&mut scores, other) {
                scores.0[place].add_kind(kind, weight);
            }
        }
        if scores.is_empty() {
            return PreScoreResult::Skip;
        }
        state.write(Scoring(scores));
        PreScoreResult::Pass
    }
}

impl Score for InterPodAffinity {
    fn score(&self, _: &Handle, state: &CycleState, _: &PodInfo, node: &NodeInfo) -> i64 {
        let Some(Scoring(scores)) = state.get::<Scoring>() else { return 0 };
        scores.at(node)
    }
    fn score_all(&self, h: &Handle, state: &CycleState, _: &PodInfo, nodes: &[usize], out: &mut Vec<i64>) {
        let scores = state.get::<Scoring>().map(|Scoring(scores)| scores);
        out.extend(nodes.iter().map(|n| scores.map_or(0, |s| s.at(&h.snapshot.nodes[*n]))));
    }
    fn normalize(&self, _: &Handle, state: &CycleState, _: &PodInfo, scores: &mut [i64]) {
        if state.get::<Scoring>().is_none() {
            return;
        }
        let (min, max) = (scores.iter().min().copied().unwrap_or(0), scores.iter().max().copied().unwrap_or(0));
        for s in scores {
            *s = if max > min { (MAX_NODE_SCORE as f64 * ((*s - min) as f64 / (max - min) as f64)) as i64 } else { 0 };
        }
    }
}
