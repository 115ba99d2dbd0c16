//! A scheduling cycle as data: every verdict and every score. This is also the JSON of `kubottle schedule`.

pub use crate::shared::{Filters, Scores};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodRef {
    pub namespace: String,
    pub name: String,
}

/// What one extension point said. Models `framework.Code`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    #[default]
    Pass,
    /// PreFilter or PreScore: the plugin has nothing to say about this pod.
    Skip,
    Unschedulable,
    /// `UnschedulableAndUnresolvable`: preemption cannot help.
    Unresolvable,
    Wait,
    Error,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PreFilterRecord {
    pub plugin: String,
    pub verdict: Verdict,
    pub reasons: Vec<String>,
    /// The only nodes worth looking at, when the plugin narrowed them; null means all.
    pub node_names: Option<Vec<String>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilterRecord {
    pub plugin: String,
    pub verdict: Verdict,
    pub reasons: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreRecord {
    pub plugin: Cow<'static, str>,
    pub raw: i64,
    pub normalized: i64,
    pub weight: i64,
    pub weighted: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRecord {
    pub name: String,
    pub filters: Filters,
    pub scores: Scores,
    pub total: Option<i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    pub node: String,
    /// Most important first.
    pub victims: Vec<Victim>,
    pub pdb_violations: i64,
    /// The highest of the victims' priorities, and their sum.
    #[serde(default)]
    pub highest_priority: i64,
    #[serde(default)]
    pub priority_sum: i64,
    /// The rule by which another candidate was better; empty for the choice.
    #[serde(default)]
    pub out_by: String,
}

/// A pod that would have to go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Victim {
    pub namespace: String,
    pub name: String,
    #[serde(default)]
    pub priority: i32,
    /// RFC 3339; empty when it has not started, which counts as starting now.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub started: String,
    /// Its eviction is one that a PodDisruptionBudget forbids.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub violates: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Preemption {
    pub candidates: Vec<Candidate>,
    /// Which rule chose: `only`, or the last of `rules`. Models `pickOneNodeForPreemption`.
    #[serde(default)]
    pub rule: String,
    /// The rules in the order they were asked, up to the one that left one candidate.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// Nodes where evicting pods might help, and at how many of them that was tried before there were candidates enough.
    #[serde(default)]
    pub potential_nodes: usize,
    #[serde(default)]
    pub tried_nodes: usize,
}

/// One comparison of preemption's candidates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// `pdb-violations`, `highest-priority`, `priority-sum`, `victim-count`, `latest-start`, or `first` of those that are
    /// equal by all of them.
    pub rule: String,
    /// What won, and the best of what lost; empty when nothing did. A number; for `latest-start` a time, or `-` for
    /// pods that have not started; for `first` the nodes' names.
    pub best: String,
    pub next: String,
    /// Candidates that were compared, and that were left.
    pub before: usize,
    pub left: usize,
}

/// How the winner was drawn among the nodes with the highest total.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TieBreak {
    /// The nodes that shared the highest total, in the order they were considered.
    pub nodes: Vec<String>,
    /// The draw: an index into `nodes`, from the scheduler's seeded generator.
    pub drawn: usize,
}

/// One extension point's answer outside Filter and Score (PreEnqueue, PostFilter, Reserve, Permit, PreBind, Bind).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PointRecord {
    pub point: String,
    pub plugin: String,
    pub verdict: Verdict,
    pub reasons: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cycle {
    pub pod: PodRef,
    pub node: Option<String>,
    pub nominated_node: Option<String>,
    pub victims: Vec<PodRef>,
    /// The PodScheduled condition's message when no node fits; empty otherwise.
    pub message: String,
    pub pre_filter: Vec<PreFilterRecord>,
    pub nodes: Vec<NodeRecord>,
    pub preemption: Option<Preemption>,
    /// The profile: `default-scheduler`.
    #[serde(default)]
    pub profile: String,
    /// The attempt's number, from 1.
    #[serde(default)]
    pub attempt: u32,
    /// Nodes in the cluster, nodes looked at, nodes that passed every filter.
    #[serde(default)]
    pub total_nodes: usize,
    #[serde(default)]
    pub evaluated_nodes: usize,
    #[serde(default)]
    pub feasible_nodes: usize,
    #[serde(default)]
    pub tie_break: Option<TieBreak>,
    #[serde(default)]
    pub points: Vec<PointRecord>,
    /// The table of nodes was let go of, to make room for newer ones.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub thinned: bool,
}

impl Cycle {
    /// The outcome without the table of nodes, which is nearly all of a cycle's size.
    #[must_use]
    pub fn into_outcome(self) -> Cycle {
        Cycle { pre_filter: Vec::new(), nodes: Vec::new(), tie_break: None, thinned: true, ..self }
    }
}
