//! Answers about a scheduling cycle as data: what a plugin looked at, and what would have made the pod fit. Sentences in
//! Korean or English are made of the notes at the edge (`protocol::words`).

use crate::cycle::{PodRef, Verdict};
use crate::entry::Note;
use serde::{Deserialize, Serialize};

/// How an [`Amount`]'s numbers are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Thousandths of a CPU.
    MilliCpu,
    Bytes,
    #[default]
    Count,
}

/// One resource of a node as a plugin saw it, for bars. `request` is the pod's, `used` the sum of the pods on the node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    pub resource: String,
    pub unit: Unit,
    pub request: i64,
    pub used: i64,
    pub allocatable: i64,
}

/// What a plugin looked at to say what it said, at one node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    pub notes: Vec<Note>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amounts: Vec<Amount>,
}

/// One cell of the grid, opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    pub node: String,
    pub plugin: String,
    /// `PreFilter`, `Filter` or `Score`.
    pub point: String,
    pub verdict: Verdict,
    /// Upstream's words; empty when the node passed.
    pub reasons: Vec<String>,
    pub inputs: Inputs,
}

/// What every filter plugin says of one node, not only the first that refuses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhyNot {
    pub pod: PodRef,
    pub node: String,
    /// PreEnqueue refusals (`SchedulingGates`), PreFilter refusals, then the filters in their order.
    pub cells: Vec<Cell>,
    /// Whether nothing refuses the node.
    pub fits: bool,
    /// The node the pod is on, or would go to now; empty when it fits nowhere.
    pub goes_to: String,
    /// Totals of `node` and of the winner, when both were scored.
    pub total: Option<i64>,
    pub best: Option<i64>,
    /// Score plugins that preferred the winner, with the weighted points they gave to `node` and to the winner.
    pub scores: Vec<(String, i64, i64)>,
}

/// One change to one field of one object.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Edit {
    /// What kind of edit: `fix.toleration` and its arguments.
    pub note: Note,
    pub api_version: String,
    pub kind: String,
    #[serde(default)]
    pub namespace: String,
    pub name: String,
    /// `spec.tolerations`
    pub path: String,
    /// What is there now, and what should be; null when nothing.
    pub before: serde_json::Value,
    pub after: serde_json::Value,
}

/// Edits that together make the pod fit: this was scheduled, not guessed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fix {
    pub edits: Vec<Edit>,
    /// Smaller is a smaller change; fixes are offered in this order.
    pub cost: u32,
    /// Where the pod landed with the edits.
    pub node: String,
    /// Pods that had to go for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub victims: Vec<PodRef>,
}
