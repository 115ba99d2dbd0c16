//! A scheduling cycle in compact form: thousands of nodes as groups with counts and a first page of rows.

use serde::{Deserialize, Serialize};
use trace::cycle::{PodRef, PointRecord, PreFilterRecord, Preemption, TieBreak, Verdict};

/// A cycle without most of its rows. What a held cycle has not come to yet is not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CycleView {
    pub seq: u64,
    pub time: u64,
    pub pod: PodRef,
    pub profile: String,
    pub attempt: u32,
    /// Empty: none, or not known yet.
    pub node: String,
    pub nominated_node: String,
    pub victims: Vec<PodRef>,
    /// The PodScheduled condition's message when no node fits.
    pub message: String,
    pub pre_filter: Vec<PreFilterRecord>,
    pub preemption: Option<Preemption>,
    pub points: Vec<PointRecord>,
    pub tie_break: Option<TieBreak>,
    pub total_nodes: usize,
    pub evaluated_nodes: usize,
    pub feasible_nodes: usize,
    /// The table was let go of to make room; only the outcome is left.
    pub thinned: bool,
    /// Held and not at its end: `None` when it is complete, else how many calls are shown.
    pub upto: Option<usize>,
    /// The columns: filter plugins in the order they ran, and score plugins with their weights.
    pub filters: Vec<String>,
    pub scorers: Vec<(String, i64)>,
    /// The rows by what was said of them: feasible nodes first, then by how many there are.
    pub groups: Vec<Group>,
    /// The first rows: of every group the first few, and the best by total. More by `Debug::Rows`.
    pub rows: Vec<Row>,
    /// How many rows there are in all.
    pub rows_total: usize,
}

/// Nodes of which the same plugin said the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Empty: no filter refused.
    pub plugin: String,
    pub verdict: Verdict,
    pub reasons: Vec<String>,
    pub count: usize,
}

/// One node of the table; the lists follow the columns of [`CycleView`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub node: String,
    /// Which group it is in.
    pub group: u32,
    /// Per filter column: `None` was not asked (a filter before it refused, or it had nothing to say).
    pub filters: Vec<Option<Verdict>>,
    /// Per score column: raw, normalized; `None` not scored (yet).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scores: Vec<(Option<i64>, Option<i64>)>,
    pub total: Option<i64>,
}
