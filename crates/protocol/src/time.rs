//! Looking at a cluster's past, its branches, and what is waited for.

use serde::{Deserialize, Serialize};

/// What is done with a session's time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "time", rename_all = "kebab-case")]
pub enum TimeOrder {
    /// Shows the cluster as it was right after the trace entry of this number.
    Show {
        entry: u64,
    },
    /// The same at a time, microseconds since the epoch.
    ShowTime {
        at: u64,
    },
    /// One turn back.
    Back,
    /// Back to the scheduling decision before.
    DecisionBack,
    /// The present again.
    Now,
    /// Marks the shown moment. Without a name the page makes one of its time.
    Mark {
        name: String,
    },
    Unmark {
        mark: u32,
    },
    /// Goes on from the shown moment in a branch of its own; what was the present stays as it is.
    Branch {
        name: String,
    },
    /// Takes back what was done last: goes on from right before it, in a branch of its own.
    Undo,
    /// Does again what was taken back last.
    Redo,
    /// Another branch becomes the present.
    Switch {
        branch: u32,
    },
    RenameBranch {
        branch: u32,
        name: String,
    },
    DropBranch {
        branch: u32,
    },
    /// Runs as fast as possible until something is so, and stands still then.
    RunUntil {
        until: Until,
    },
}

/// What can be waited for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "until", rename_all = "kebab-case")]
pub enum Until {
    /// The pod is Ready; with an empty name every pod of the namespace.
    PodReady { namespace: String, name: String },
    /// `kubectl rollout status` would end: of a Deployment, StatefulSet or DaemonSet; with an empty name of all of the namespace.
    Rollout { namespace: String, name: String },
    /// Another Event with this reason is recorded.
    Event { reason: String },
    /// Nothing but heartbeats for a while.
    Idle,
    /// Microseconds since the epoch.
    Time { at: u64 },
}

/// What the page shows about time; sent when it changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TimeView {
    /// What is shown is the past: the clock and everything else are those of then.
    pub past: Option<PastView>,
    /// A moment is on its way: many turns have to be taken again.
    pub seeking: bool,
    pub marks: Vec<Mark>,
    /// What was done to the cluster, oldest first; the newest of them.
    pub inputs: std::sync::Arc<Vec<InputMark>>,
    /// There is one at least, the one that is the present.
    pub branches: Vec<BranchView>,
    /// What is waited for.
    pub until: Option<Until>,
    /// What [`TimeOrder::Undo`] would take back.
    pub undo: Option<Deed>,
    /// Whether there is something for [`TimeOrder::Redo`].
    pub redo: bool,
}

/// What was done at once: by one command of the page, or by one line of a terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// Newer ones have larger numbers.
    pub number: u64,
    /// The line of a terminal that it came from, or else its newest input in the words of [`InputMark::what`].
    pub what: String,
    /// So many inputs more that this does not tell.
    pub more: usize,
}

/// The present, while the past is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PastView {
    /// Microseconds since the epoch.
    pub now: u64,
    /// Its newest trace entry.
    pub seq: u64,
    /// Scheduling decisions up to the shown moment, and in all.
    pub decision: u64,
    pub decisions: u64,
    /// Turns up to the shown moment, and in all.
    pub turn: u64,
    pub turns: u64,
}

/// A bookmark.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub id: u32,
    pub name: String,
    /// The newest trace entry then, and the clock.
    pub seq: u64,
    pub now: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputMark {
    pub seq: u64,
    pub now: u64,
    /// `apply`, `cut node-1`
    pub what: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchView {
    pub id: u32,
    /// Empty for the first, which the page names.
    pub name: String,
    /// The branch it left, and when.
    pub from: Option<(u32, u64)>,
    /// Where it stands; 0 for the one that is the present.
    pub now: u64,
    pub current: bool,
}

/// What differs between the shown cluster and another branch's, from where they part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Comparison {
    pub branch: u32,
    /// When they part, and where each stands; microseconds since the epoch.
    pub fork: u64,
    pub here: u64,
    pub there: u64,
    /// How many objects are in both and the same.
    pub same: usize,
    pub objects: Vec<ObjectChange>,
    pub decisions: Vec<DecisionChange>,
    /// More objects and decisions that are not listed.
    pub more: (usize, usize),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectChange {
    pub id: crate::ObjectId,
    /// `here`, `there`: it is in that one alone; `changed`.
    pub what: String,
    /// Path, value here, value there; empty where there is none.
    pub fields: Vec<(String, String, String)>,
    /// More fields that are not listed.
    pub more: usize,
}

/// What became of a pod in each; node names, empty when no node fitted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionChange {
    pub namespace: String,
    pub name: String,
    /// `None`: no decision was made about it.
    pub here: Option<String>,
    pub there: Option<String>,
}
