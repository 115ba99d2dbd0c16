//! NodeAffinity: nodeSelector, required and preferred node affinity, and the profile's addedAffinity. Models
//! `plugins/nodeaffinity`.

mod inputs;

use super::node_selector::{PreferredTerms, Prepared, RequiredNodeAffinity, Terms};
use crate::config::Args;
use crate::framework::{
    Answer, ClusterEvent, CycleState, Filter, Handle, Hint, MAX_NODE_SCORE, NodeInfo, Plugin, PodInfo, PreFilter,
    PreFilterResult, PreScore, PreScoreResult, Score, Status, default_normalize,
};
use k8s_openapi::api::core::v1::{Node, NodeAffinity as ApiNodeAffinity, NodeSelectorTerm};
use meta::Path;
use std::collections::BTreeSet;
use std::sync::Arc;
use trace::explain::Inputs;

pub const NAME: &str = "NodeAffinity";

pub struct NodeAffinity {
    added_required: Option<Terms>,
    added_preferred: Option<PreferredTerms>,
}

pub fn build(args: &Args) -> Result<Box<dyn Plugin>, String> {
    let added = args.node_affinity.added_affinity.as_ref();
    let required = added.and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref());
    let preferred = added.and_then(|a| a.preferred_during_scheduling_ignored_during_execution.as_ref());
    let added_preferred = match preferred.filter(|p| !p.is_empty()) {
        Some(terms) => Some(
            PreferredTerms::parse(terms, &Path::default())
                .map_err(|e| meta::field::aggregate(e.iter().map(ToString::to_string)))?,
        ),
        None => None,
    };
    Ok(Box::new(NodeAffinity { added_required: required.map(Terms::new), added_preferred }))
}

#[derive(Clone)]
struct Required(Arc<Prepared>);
#[derive(Clone)]
struct Preferred(PreferredTerms);

fn node_affinity(pod: &PodInfo) -> Option<&ApiNodeAffinity> {
    pod.pod.spec.as_ref()?.affinity.as_ref()?.node_affinity.as_ref()
}

impl NodeAffinity {
    fn accepts(&self, required: &RequiredNodeAffinity, node: &Node) -> bool {
        self.added_required.as_ref().is_none_or(|t| t.matches(node)) && required.matches(node)
    }
}

impl Plugin for NodeAffinity {
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
    fn filter_inputs(&self, _: &Handle, _: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Inputs {
        let mut found = inputs::filter(pod, node);
        if let Some(added) = &self.added_required {
            let code = if added.matches(&node.node) { "cell.added-matches" } else { "cell.added-differs" };
            found.notes.push(trace::Note::new(code));
        }
        found
    }
    fn score_inputs(&self, _: &Handle, _: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Inputs {
        inputs::score(pod, node)
    }
    fn hint(&self, pod: &PodInfo, event: &ClusterEvent) -> Hint {
        let required = || RequiredNodeAffinity::of(&pod.pod);
        match event {
            ClusterEvent::NodeAdd(new) => Hint::queue_if(self.accepts(&required(), new)),
            ClusterEvent::NodeUpdate { old, new } => {
                let required = required();
                Hint::queue_if(self.accepts(&required, new) && !required.matches(old))
            }
            _ => Hint::Skip,
        }
    }
}

/// The node names a term allows; `None` when it does not name any.
fn names(term: &NodeSelectorTerm) -> Option<BTreeSet<String>> {
    let by_name =
        |r: &&k8s_openapi::api::core::v1::NodeSelectorRequirement| r.key == "metadata.name" && r.operator == "In";
    let mut found: Option<BTreeSet<String>> = None;
    for r in term.match_fields.iter().flatten().filter(by_name) {
        let values: BTreeSet<String> = r.values.iter().flatten().cloned().collect();
        found = Some(match found {
            None => values,
            Some(have) => have.intersection(&values).cloned().collect(),
        });
    }
    found
}

impl PreFilter for NodeAffinity {
    fn pre_filter(&self, h: &Handle, state: &mut CycleState, pod: &PodInfo) -> PreFilterResult {
        let required = node_affinity(pod).and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref());
        let selects = pod.pod.spec.as_ref().is_some_and(|s| s.node_selector.is_some());
        if required.is_none() && self.added_required.is_none() && !selects {
            return PreFilterResult::Skip;
        }
        state.write(Required(Arc::new(Prepared::new(&RequiredNodeAffinity::of(&pod.pod), h.snapshot))));
        let terms = required.map(|r| r.node_selector_terms.as_slice()).unwrap_or_default();
        if terms.is_empty() {
            return PreFilterResult::Pass;
        }
        let mut all = BTreeSet::new();
        for term in terms {
            // Terms are alternatives: one that names no node lets every node in.
            let Some(mut names) = names(term) else { return PreFilterResult::Pass };
            all.append(&mut names);
        }
        if all.is_empty() {
            return PreFilterResult::Refuse(Status::unresolvable("pod affinity terms conflict"));
        }
        PreFilterResult::Nodes(all)
    }
}

impl Filter for NodeAffinity {
    fn filter(&self, _: &Handle, state: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Answer {
        if self.added_required.as_ref().is_some_and(|t| !t.matches(&node.node)) {
            return Err(Status::unresolvable("node(s) didn't match scheduler-enforced node affinity"));
        }
        let matches = match state.get::<Required>() {
            Some(required) => required.0.matches(node),
            None => RequiredNodeAffinity::of(&pod.pod).matches(&node.node),
        };
        if matches { Ok(()) } else { Err(Status::unresolvable("node(s) didn't match Pod's node affinity/selector")) }
    }
}

/// The pod's preferred terms, or what is wrong with them.
fn preferred(pod: &PodInfo) -> Result<Option<PreferredTerms>, String> {
    let terms = node_affinity(pod).and_then(|a| a.preferred_during_scheduling_ignored_during_execution.as_ref());
    let Some(terms) = terms else { return Ok(None) };
    let read = PreferredTerms::parse(terms, &Path::default());
    read.map(Some).map_err(|e| meta::field::aggregate(e.iter().map(ToString::to_string)))
}

impl PreScore for NodeAffinity {
    fn pre_score(&self, _: &Handle, state: &mut CycleState, pod: &PodInfo, _: &[usize]) -> PreScoreResult {
        let terms = match preferred(pod) {
            Ok(terms) => terms,
            Err(why) => return PreScoreResult::Fail(why),
        };
        if terms.is_none() && self.added_preferred.is_none() {
            return PreScoreResult::Skip;
        }
        state.write(Preferred(terms.unwrap_or_default()));
        PreScoreResult::Pass
    }
}

impl Score for NodeAffinity {
    fn score(&self, _: &Handle, state: &CycleState, pod: &PodInfo, node: &NodeInfo) -> i64 {
        let added = self.added_preferred.as_ref().map_or(0, |t| t.score(&node.node));
        let own = match state.get::<Preferred>() {
            Some(p) => p.0.score(&node.node),
            None => preferred(pod).ok().flatten().map_or(0, |t| t.score(&node.node)),
        };
        added + own
    }
    fn normalize(&self, _: &Handle, _: &CycleState, _: &PodInfo, scores: &mut [i64]) {
        default_normalize(MAX_NODE_SCORE, false, scores);
    }
}
