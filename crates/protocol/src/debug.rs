//! The scheduling debugger: what the page may ask ([`Debug`]) and what comes back ([`Answer`]).
//!
//! A held cycle was decided on a copy of the scheduler: nothing of it has happened yet. The cluster stands still until it
//! is let go, and then takes the very same turn for real; so breakpoints never change what a cluster does, and are not
//! part of its history.

use crate::cycle_view::{CycleView, Row};
use crate::update::Diagnostic;
use serde::{Deserialize, Serialize};
use trace::cycle::{FilterRecord, PodRef, Verdict};
use trace::explain::{Cell, Fix, WhyNot};

/// The extension points in the order a cycle passes them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Point {
    #[default]
    PreEnqueue,
    QueueSort,
    PreFilter,
    Filter,
    PostFilter,
    PreScore,
    Score,
    NormalizeScore,
    Reserve,
    Permit,
    PreBind,
    Bind,
}

/// Where to stop. Every condition that is given must hold; one without conditions stops at every call of every cycle.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Breakpoint {
    /// `None`: at the first call of the cycle, wherever `plugin` and `node` (if given) are met.
    pub point: Option<Point>,
    pub plugin: String,
    pub node: String,
    /// `namespace/name`, or a name in any namespace; empty: any pod.
    pub pod: String,
    /// A label selector as kubectl takes it (`app=web,tier!=db`); empty: any pod.
    pub labels: String,
    /// Only calls that refuse the pod or the node.
    pub when_fails: bool,
    /// Kept in the list, not stopped at.
    pub disabled: bool,
}

/// How far a held cycle goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Move {
    /// One plugin call.
    NextCall,
    /// To the first call for another node; at points without nodes as `NextPoint`.
    NextNode,
    /// To the first call of the next extension point.
    NextPoint,
    /// To the next breakpoint; past the end, the cycle is let go (and the cluster runs on if it was running).
    Continue,
    /// To the end of the cycle, and its effects: the binding, or the evictions and the condition.
    Finish,
}

/// A change of one thing for a what-if.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    /// A JSON merge patch (RFC 7386) of the pod: `{"spec":{"priority":10}}`.
    Pod { patch: serde_json::Value },
    /// The same of a node that is there.
    Node { node: String, patch: serde_json::Value },
    /// The node is taken out.
    WithoutNode { node: String },
    /// One more node like `like`, with the patch.
    AddNode { like: String, name: String, patch: serde_json::Value },
    /// A score plugin's weight in the pod's profile; 0 takes it out.
    Weight { plugin: String, weight: i32 },
    /// A whole KubeSchedulerConfiguration.
    Config { yaml: String },
}

/// What the page asks of the debugger. `cycle` is the number of a cycle's trace entry (as in
/// [`crate::CycleSummary`]), of a held cycle ([`Held::seq`]), or of a what-if ([`WhatIf`]); 0 means now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Debug {
    /// Replaces all breakpoints. Answer: [`Answer::Done`].
    Breakpoints { breakpoints: Vec<Breakpoint> },
    /// "Step into": hold the next cycle (of the pod, when one is named; `namespace/name`) at its first call. With
    /// `quiz`, hold it hidden: who wins is told only after [`Debug::Pick`]. An empty pod with `off` takes it back.
    Hold {
        #[serde(default)]
        pod: String,
        #[serde(default)]
        quiz: bool,
        #[serde(default)]
        off: bool,
    },
    /// Moves the held cycle on. Answer: Done, and a new [`DebuggerView`] in the update.
    Move { to: Move },
    /// Rows of a cycle's table. Answer: [`Answer::Rows`].
    Rows(RowsQuery),
    /// A cycle as a view, without subscribing to it. Answer: [`Answer::Cycle`].
    Cycle { cycle: u64 },
    /// What a plugin looked at. Answer: [`Answer::Cell`].
    Cell {
        cycle: u64,
        /// Empty at points without nodes.
        #[serde(default)]
        node: String,
        plugin: String,
        point: Point,
    },
    /// The pod's attempts and what happened between them. Answer: [`Answer::History`].
    History { namespace: String, name: String },
    /// More of one queue: rows `offset..offset + limit`. Answer: [`Answer::Queue`].
    Queue { queue: Queue, offset: usize, limit: usize },
    /// What every filter says about the node, now or in the cycle. Answer: [`Answer::WhyNot`].
    WhyNot {
        namespace: String,
        name: String,
        node: String,
        #[serde(default)]
        cycle: u64,
    },
    /// Smallest edits that make the pod fit, each proved by scheduling. Answer: [`Answer::Fixes`].
    Fixes { namespace: String, name: String },
    /// What would mend the pod, each tried in a copy of the cluster. Answer: [`Answer::Remedies`].
    Remedies { namespace: String, name: String },
    /// Both decisions side by side. Answer: [`Answer::WhatIf`].
    WhatIf {
        namespace: String,
        name: String,
        #[serde(default)]
        cycle: u64,
        changes: Vec<Change>,
    },
    /// More of a what-if's comparison: lines `offset..offset + limit`, of one group when one is named. `before` and
    /// `after` are its cycles' numbers. Answer: [`Answer::Differences`].
    Differences {
        before: u64,
        after: u64,
        #[serde(default)]
        group: Option<u32>,
        offset: usize,
        limit: usize,
    },
    /// The learner's choice for the held hidden cycle; empty: "nowhere". Answer: [`Answer::Verdict`]; the cycle is
    /// revealed and stays held.
    Pick { node: String },
    /// The scheduler's configuration in force. Answer: [`Answer::Config`].
    Config,
    /// A new KubeSchedulerConfiguration: refused whole with the fields' paths, or in force as after a restart of the
    /// scheduler. Answer: Done or [`Answer::Refused`].
    SetConfig { yaml: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Queue {
    Active,
    Backoff,
    Unschedulable,
    Gated,
    InFlight,
}

/// Which rows of a cycle's table. Rows come in the order the nodes were looked at, or by total when `by_total`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RowsQuery {
    pub cycle: u64,
    /// Only this group ([`CycleView::groups`]).
    pub group: Option<u32>,
    /// Only nodes whose names hold this text.
    pub search: String,
    pub by_total: bool,
    pub offset: usize,
    pub limit: usize,
    /// Only what was known after this many calls (the page steps back); `None`: as far as the cycle is.
    pub upto: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
    Done,
    /// It could not be: what was asked for is not there (any more), or is not sound. `errors` have places when there
    /// are any.
    Refused {
        message: String,
        errors: Vec<Diagnostic>,
    },
    /// `of`: how many rows match in all.
    Rows {
        cycle: u64,
        of: usize,
        rows: Vec<Row>,
    },
    Cycle {
        view: Box<CycleView>,
    },
    Cell {
        cell: Cell,
    },
    History(History),
    Queue {
        queue: Queue,
        offset: usize,
        of: usize,
        rows: Vec<crate::view::QueueEntry>,
    },
    WhyNot {
        why: Box<WhyNot>,
    },
    Fixes(Fixes),
    /// In the order in which they were tried.
    Remedies {
        remedies: Vec<crate::Remedy>,
    },
    WhatIf(Box<WhatIf>),
    Differences(Box<Differences>),
    Verdict(Judgement),
    Config {
        yaml: String,
        /// The profiles' scheduler names.
        schedulers: Vec<String>,
    },
}

/// What the learner's pick came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Judgement {
    pub picked: String,
    /// The scheduler's choice; empty: nowhere.
    pub winner: String,
    /// The winner, or one of those that shared its total.
    pub right: bool,
    /// Totals when scored.
    pub picked_total: Option<i64>,
    pub winner_total: Option<i64>,
    /// Why the picked node does not take the pod.
    pub refused: Option<FilterRecord>,
    /// Nodes in the cluster that would have been as good as the winner.
    pub ties: Vec<String>,
}

/// The held cycle.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    /// The number its trace entry will have.
    pub seq: u64,
    pub pod: PodRef,
    pub profile: String,
    pub attempt: u32,
    /// The call that was just made, of how many; calls after it are not shown.
    pub cursor: usize,
    pub calls: usize,
    pub at: Call,
    /// The points of this cycle, with how many calls each has and the number of its first.
    pub points: Vec<PointSpan>,
    /// The breakpoint it stopped at (index in the list), if it was one.
    pub breakpoint: Option<usize>,
    /// Hidden until the learner picks: no verdicts are shown.
    pub hidden: bool,
}

/// One plugin call of a cycle.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    pub point: Point,
    pub plugin: String,
    /// Empty at points without nodes.
    pub node: String,
    pub verdict: Verdict,
    pub reasons: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointSpan {
    pub point: Point,
    pub first: usize,
    pub calls: usize,
}

/// The debugger as it stands; sent when it changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DebuggerView {
    pub breakpoints: Vec<Breakpoint>,
    /// The next cycle will be held ([`Debug::Hold`]): for this pod (`*`: any); empty: no.
    pub waiting: String,
    pub held: Option<Held>,
}

/// A pod's attempts, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    pub pod: PodRef,
    pub attempts: Vec<Attempt>,
    /// Older attempts are not kept any more.
    pub cut: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// The cycle's trace entry.
    pub seq: u64,
    pub time: u64,
    pub attempt: u32,
    /// Empty when no node fitted.
    pub node: String,
    pub nominated: String,
    pub message: String,
    /// Its table is still kept: it can be opened in full.
    pub full: bool,
    /// What brought it back: `NodeAdd`, `AssignedPodDelete`, `BackoffComplete`, ...; empty for a new pod.
    pub event: String,
    /// The plugin whose queueing hint found that promising; empty when none was asked.
    pub hint: String,
    /// The trace entry behind `event`.
    pub cause: u64,
    /// What changed since the attempt before that scheduling reads.
    pub changes: Vec<Written>,
    /// More changes than are listed.
    pub more: usize,
}

/// A write between two attempts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    pub time: u64,
    /// `created`, `changed`, `deleted`
    pub verb: String,
    pub kind: String,
    pub namespace: String,
    pub name: String,
    /// `spec.unschedulable`, `metadata.labels`, ...: what of it changed; empty unless `changed`.
    pub fields: Vec<String>,
}

/// Proved fixes, the smallest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fixes {
    pub pod: PodRef,
    /// Where it is or would go without any; empty: nowhere.
    pub fits: String,
    pub fixes: Vec<OfferedFix>,
    /// How many edits were tried by scheduling.
    pub tried: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OfferedFix {
    #[serde(flatten)]
    pub fix: Fix,
    /// The documents with the edits, for the editor: of a pod with a controller, the controller's template is edited.
    /// A command instead, where an edit is not a document (`scheduler.add-node`).
    pub documents: Vec<Document>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    pub object: crate::view::ObjectId,
    pub yaml: String,
    /// `kubectl` can apply it as it is; a bare pod's spec cannot be changed, it must be deleted and created again.
    pub replace: bool,
}

/// Two decisions side by side. Their numbers can be asked for rows and cells as those of other cycles, until 20 newer
/// what-ifs were made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WhatIf {
    pub before: CycleView,
    pub after: CycleView,
    /// What differs, over all nodes: the first lines.
    pub differences: Differences,
}

/// Two decisions compared node by node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Differences {
    /// Nodes in either of them, and how many of them differ.
    pub nodes: usize,
    pub changed: usize,
    /// Nodes to which the same happened; those that differ first, then by how many there are.
    pub groups: Vec<DifferenceGroup>,
    /// The choices, then what differs, then the rest; `of` how many.
    pub lines: Vec<Difference>,
    pub of: usize,
}

/// Nodes to which the same happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DifferenceGroup {
    /// Without totals.
    pub before: Said,
    pub after: Said,
    /// Of nodes that were scored twice: below 0 the total fell, above 0 it rose.
    pub trend: i8,
    /// As [`Difference::differs`].
    pub differs: bool,
    pub count: usize,
}

/// What a decision says of one node.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "said", rename_all = "kebab-case")]
pub enum Said {
    /// It was not in the cluster, or not looked at.
    #[default]
    Absent,
    Refused {
        plugin: String,
        reason: String,
    },
    /// Passed every filter; `None`: not scored.
    Passed {
        total: Option<i64>,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    pub node: String,
    pub before: Said,
    pub after: Said,
    /// It was the choice, and it is with the change.
    pub chosen: (bool, bool),
    /// Score plugins whose weighted points differ.
    pub scores: Vec<(String, Option<i64>, Option<i64>)>,
    /// Which group it is in.
    pub group: u32,
}

impl Difference {
    pub fn differs(&self) -> bool {
        self.before != self.after || self.chosen.0 != self.chosen.1
    }
}
