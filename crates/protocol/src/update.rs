//! What the engine tells the page.

use crate::view::{ComponentView, EventView, NodeView, ObjectId, PodView, QueueView};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use trace::{Cycle, Entry};

/// The cluster's clock and transport.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Clock {
    /// Virtual time, microseconds since the epoch.
    pub now: u64,
    /// When this cluster began.
    pub epoch: u64,
    pub running: bool,
    /// Thousandths of real time; 0 means as fast as possible.
    pub speed: u32,
    /// Nothing is in any queue (heartbeats and back-offs may still be due later).
    pub idle: bool,
    /// The store's revision.
    pub revision: u64,
    /// The newest trace entry.
    pub seq: u64,
    /// Over the whole trace, hexadecimal: equal for equal sessions.
    pub hash: String,
}

/// Everything that changed since the last update. After `reset` the page forgets what it had.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Update {
    pub reset: bool,
    /// Another moment of the same history is shown: everything but entries and cycles is told anew.
    pub rewound: bool,
    pub clock: Clock,
    /// `None` in a list of changes means unchanged; the lists hold whole views of what changed.
    pub nodes: Vec<NodeView>,
    pub nodes_gone: Vec<String>,
    pub pods: Vec<PodView>,
    /// `namespace/name`
    pub pods_gone: Vec<String>,
    pub components: Vec<ComponentView>,
    pub components_gone: Vec<String>,
    pub queues: Option<QueueView>,
    /// Images that no registry gives, when they changed: [`crate::Fault::BlockImage`].
    pub blocked_images: Option<Vec<String>>,
    /// New trace entries, oldest first; `entries_skipped` counts those left out of a busy frame.
    pub entries: Vec<Arc<Entry>>,
    pub entries_skipped: u64,
    /// New scheduling cycles, oldest first.
    pub cycles: Vec<CycleSummary>,
    /// The inspected object; sent when it changed.
    pub detail: Option<Detail>,
    /// The subscribed cycle in full, with its trace entry.
    pub cycle: Option<(u64, Arc<Cycle>)>,
    /// The same in compact form, to who asked for that (`Subscription::compact`).
    pub cycle_view: Option<Arc<crate::CycleView>>,
    /// The debugger, when it changed.
    pub debugger: Option<crate::DebuggerView>,
    /// The part of the list of objects that was asked for, when it changed.
    pub listing: Option<crate::ListingView>,
    /// The cloud's console, when it changed.
    pub cloud: Option<crate::CloudView>,
    /// The chain of causes asked for, the effect first.
    pub why: Option<Vec<Arc<Entry>>>,
    /// The past, branches and bookmarks, when they changed.
    pub time: Option<crate::TimeView>,
    pub replies: Vec<Reply>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CycleSummary {
    pub seq: u64,
    pub time: u64,
    pub namespace: String,
    pub name: String,
    /// Empty when no node fitted.
    pub node: String,
    pub message: String,
    /// The attempt's number, from 1.
    #[serde(default)]
    pub attempt: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Detail {
    pub id: ObjectId,
    /// False: it was deleted; the rest is as last seen.
    pub exists: bool,
    /// As `kubectl get -o yaml` prints it, without managedFields.
    pub yaml: String,
    /// Upstream's printer columns, wide ones included: name and value.
    pub columns: Vec<(String, String)>,
    /// Type, status, reason, message.
    pub conditions: Vec<(String, String, String, String)>,
    pub events: Vec<EventView>,
    /// From the controller upwards.
    pub owners: Vec<ObjectId>,
    /// Objects that name this one as owner.
    pub dependents: Vec<ObjectId>,
    /// Trace entries of writes to this object, newest first.
    pub writes: Vec<Arc<Entry>>,
    /// Scheduling cycles of this pod, newest first.
    pub cycles: Vec<CycleSummary>,
    /// What the kind has to show beyond its columns.
    #[serde(default)]
    pub panel: Option<crate::Panel>,
    /// Of a pod that does not do its work: why.
    #[serde(default)]
    pub diagnosis: Option<crate::Diagnosis>,
    /// Per container: name and the newest lines of its log.
    pub logs: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "kebab-case")]
pub enum Reply {
    Apply {
        id: u64,
        result: ApplyResult,
    },
    Api(ApiReply),
    /// A command that is not an API request was carried out, or says why not.
    Done {
        id: u64,
        error: Option<String>,
    },
    Session {
        id: u64,
        session: String,
    },
    Debug {
        id: u64,
        #[serde(flatten)]
        answer: crate::debug::Answer,
    },
    Terminal {
        id: u64,
        output: crate::TerminalOutput,
    },
    /// Something new from a shell.
    Shell(crate::ShellOutput),
    /// Where a request went that [`crate::Command::Follow`] sent; or why none could be sent.
    Journey {
        id: u64,
        journey: crate::Journey,
        error: Option<String>,
    },
    /// The cluster was started for a lesson: its texts, or what is wrong with it.
    LessonBegun(crate::lesson::LessonBegun),
    /// How the lesson stands, whenever that changes.
    Lesson(crate::LessonState),
    /// The engine cannot go on with what it was asked (another version, a session that cannot be read).
    Refused {
        message: String,
    },
    /// A saved session is being replayed: turns done, of how many.
    Replaying {
        done: u64,
        of: u64,
    },
    /// [`crate::Command::StepDecision`] found none: nothing waits for the scheduler, or the scheduler is stopped.
    NoDecision,
    /// What was waited for came, or did not within an hour of virtual time.
    Until {
        until: crate::Until,
        met: bool,
    },
    Compared {
        id: u64,
        comparison: crate::Comparison,
        error: Option<String>,
    },
    /// A component panicked and was restarted; the cluster goes on.
    Crashed {
        process: String,
        message: String,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplyResult {
    /// One line per object, in order: `deployment.apps/web created`. Empty when `errors` is not.
    pub objects: Vec<ObjectResult>,
    /// Nothing was written when there are any.
    pub errors: Vec<Diagnostic>,
    pub warnings: Vec<Diagnostic>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectResult {
    pub id: ObjectId,
    /// `created`, `configured`, `unchanged`, `deleted`
    pub verb: String,
    /// As kubectl prints it: `deployment.apps/web created`.
    pub line: String,
    /// Which binding of which role allowed it, in upstream's words; empty for who may do everything.
    #[serde(default)]
    pub allowed: String,
    /// After a dry run that would change something: the object as it is and as it would be, as YAML.
    #[serde(default)]
    pub difference: Option<Difference>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Empty: there is no such object yet.
    pub before: String,
    pub after: String,
}

/// A permission that nobody gave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    pub verb: String,
    pub group: String,
    pub resource: String,
    /// Empty: of the whole cluster.
    pub namespace: String,
}

/// What is wrong, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    pub file: String,
    /// From 1; 0 when there is no place to point at.
    pub line: usize,
    pub column: usize,
    /// The field: `spec.template.spec.containers[0].image`; empty when it is about the text.
    pub path: String,
    /// Upstream's words.
    pub message: String,
    /// What to do about it: a code of the page's catalogue (`hint.<code>`), or empty.
    pub hint: String,
    /// What was probably meant; empty when there is no guess.
    #[serde(default)]
    pub suggestion: String,
    /// What whoever asked would have to be allowed.
    #[serde(default)]
    pub missing: Option<Missing>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiReply {
    pub id: u64,
    pub code: u16,
    pub content_type: String,
    /// Values of `Warning` headers.
    #[serde(default)]
    pub warnings: Vec<String>,
    pub body: String,
}
