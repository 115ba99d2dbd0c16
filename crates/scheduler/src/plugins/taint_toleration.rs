//! TaintToleration: taints keep pods away unless tolerated; PreferNoSchedule only costs score. Models
//! `plugins/tainttoleration`.

use super::tolerations::{any_tolerates, tolerates};
use crate::framework::node_info::is_hard;
use crate::framework::{
    Answer, ClusterEvent, CycleState, Filter, Handle, Hint, MAX_NODE_SCORE, NodeInfo, Plugin, PodInfo, PreScore,
    PreScoreResult, Score, Status, default_normalize,
};
use k8s_openapi::api::core::v1::{Node, Taint, Toleration};
use trace::explain::Inputs;
use trace::{Note, note};

pub const NAME: &str = "TaintToleration";

pub struct TaintToleration;

/// The tolerations that can match a PreferNoSchedule taint.
#[derive(Clone)]
struct SoftTolerations(Vec<Toleration>);

fn has_untolerated(node: &Node, tolerations: &[Toleration]) -> bool {
    let taints = node.spec.as_ref().and_then(|s| s.taints.as_ref());
    taints.into_iter().flatten().any(|t| is_hard(t) && !any_tolerates(tolerations, t))
}

/// `key=value:Effect`, as kubectl writes it.
pub fn taint_text(t: &Taint) -> String {
    match t.value.as_deref().filter(|v| !v.is_empty()) {
        Some(value) => format!("{}={value}:{}", t.key, t.effect),
        None => format!("{}:{}", t.key, t.effect),
    }
}

fn toleration_text(t: &Toleration) -> String {
    let or_star = |s: &Option<String>| s.clone().filter(|s| !s.is_empty()).unwrap_or_else(|| "*".into());
    let effect = or_star(&t.effect);
    match t.operator.as_deref() {
        Some("Exists") => format!("{}:{effect}", or_star(&t.key)),
        _ => format!("{}={}:{effect}", or_star(&t.key), t.value.as_deref().unwrap_or_default()),
    }
}

/// The taint, the toleration that covers it, or those of its key that do not.
fn taint_notes(pod: &PodInfo, taint: &Taint) -> Vec<Note> {
    let shown = taint_text(taint);
    if let Some(t) = pod.tolerations().iter().find(|t| tolerates(t, taint)) {
        return vec![note!("cell.taint-tolerated", taint = shown, toleration = toleration_text(t))];
    }
    let mut notes = vec![note!("cell.taint", taint = &shown)];
    let near = pod.tolerations().iter().filter(|t| t.key.as_deref() == Some(&taint.key));
    notes.extend(near.map(|t| note!("cell.toleration-differs", toleration = toleration_text(t), taint = &shown)));
    notes
}

impl Plugin for TaintToleration {
    fn name(&self) -> &'static str {
        NAME
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
        let hard = node.taints().iter().filter(|t| is_hard(t));
        Inputs { notes: hard.flat_map(|t| taint_notes(pod, t)).collect(), ..Inputs::default() }
    }
    fn score_inputs(&self, _: &Handle, _: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Inputs {
        let soft = node.taints().iter().filter(|t| !is_hard(t));
        Inputs { notes: soft.flat_map(|t| taint_notes(pod, t)).collect(), ..Inputs::default() }
    }
    fn hint(&self, pod: &PodInfo, event: &ClusterEvent) -> Hint {
        let refuses = |node: &Node| has_untolerated(node, pod.tolerations());
        match event {
            ClusterEvent::NodeAdd(new) => Hint::queue_if(!refuses(new)),
            ClusterEvent::NodeUpdate { old, new } => Hint::queue_if(refuses(old) && !refuses(new)),
            ClusterEvent::TargetPodUpdate { old, new } => {
                Hint::queue_if(new.key == pod.key && old.tolerations() != new.tolerations())
            }
            _ => Hint::Skip,
        }
    }
}

impl Filter for TaintToleration {
    fn filter(&self, _: &Handle, _: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Answer {
        if node.has_hard_taints && has_untolerated(&node.node, pod.tolerations()) {
            return Err(Status::unresolvable("node(s) had untolerated taint(s)"));
        }
        Ok(())
    }
}

impl PreScore for TaintToleration {
    fn pre_score(&self, _: &Handle, state: &mut CycleState, pod: &PodInfo, _: &[usize]) -> PreScoreResult {
        let soft = |t: &&Toleration| matches!(t.effect.as_deref(), None | Some("" | "PreferNoSchedule"));
        state.write(SoftTolerations(pod.tolerations().iter().filter(soft).cloned().collect()));
        PreScoreResult::Pass
    }
}

impl Score for TaintToleration {
    fn score(&self, _: &Handle, state: &CycleState, pod: &PodInfo, node: &NodeInfo) -> i64 {
        if !node.has_soft_taints {
            return 0;
        }
        // Without PreScore all tolerations are tried: those for other effects cannot match.
        let prepared = state.get::<SoftTolerations>().map(|s| s.0.as_slice());
        let tolerations = prepared.unwrap_or(pod.tolerations());
        let soft = node.taints().iter().filter(|t| t.effect == "PreferNoSchedule");
        soft.filter(|taint| !tolerations.iter().any(|t| tolerates(t, taint))).count() as i64
    }
    fn normalize(&self, _: &Handle, _: &CycleState, _: &PodInfo, scores: &mut [i64]) {
        default_normalize(MAX_NODE_SCORE, true, scores);
    }
}
