//! What the page asks for.

use crate::view::ObjectId;
use serde::{Deserialize, Serialize};

/// `id`, where there is one, comes back in the [`crate::Reply`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub enum Command {
    /// The first message. Starts a cluster, or resumes a saved session.
    Start(Start),
    /// kubectl apply / delete of everything in the files. Nothing is changed unless all documents are sound.
    Apply {
        id: u64,
        mode: ApplyMode,
        files: Vec<File>,
    },
    /// Any API request, as an HTTP client would make it.
    Api(ApiCall),
    /// One after the other, by the same user; nothing is changed when one of them would be refused.
    Together {
        id: u64,
        commands: Vec<Command>,
    },
    Run,
    Pause,
    /// One component takes one item.
    Step,
    /// Steps until the next scheduling decision was made.
    StepDecision,
    SetSpeed {
        speed: Speed,
    },
    AddNode {
        id: u64,
        cpu: String,
        memory: String,
        pods: String,
    },
    Cordon {
        id: u64,
        node: String,
        on: bool,
    },
    Drain {
        id: u64,
        node: String,
    },
    /// The machine loses power: kubelet and containers are gone at once, the Node object stays.
    KillNode {
        id: u64,
        node: String,
    },
    /// The machine comes back after [`Command::KillNode`].
    ReviveNode {
        id: u64,
        node: String,
    },
    /// Power off and `kubectl delete node`.
    RemoveNode {
        id: u64,
        node: String,
    },
    /// Starts or stops a component process: `kube-scheduler`, `kubelet/node-1`.
    SetProcess {
        id: u64,
        process: String,
        running: bool,
    },
    /// Something done at the cloud's console.
    Cloud {
        id: u64,
        #[serde(flatten)]
        order: crate::cloud::CloudOrder,
    },
    /// Carries out a command that asks the API server for something as somebody else (`kubectl --as`).
    As {
        identity: Identity,
        #[serde(rename = "do")]
        command: Box<Command>,
    },
    /// Something is made to go wrong, or mended.
    Fault {
        id: u64,
        #[serde(flatten)]
        fault: crate::Fault,
    },
    /// A pod sends a request, and its way is told. The answer is a [`crate::Reply::Journey`].
    Follow {
        id: u64,
        #[serde(flatten)]
        follow: crate::Follow,
    },
    Subscribe(Subscription),
    /// The page has taken in the last update and is ready for the next.
    Seen,
    /// A question to the scheduling debugger, or a word to it. The answer is a [`crate::Reply::Debug`].
    Debug {
        id: u64,
        #[serde(flatten)]
        debug: crate::debug::Debug,
    },
    /// What a learner asks of the lesson that the cluster was started for.
    Lesson {
        id: u64,
        #[serde(flatten)]
        order: crate::LessonOrder,
    },
    /// A terminal in a container. The answer is a [`crate::Reply::Terminal`].
    Terminal {
        id: u64,
        #[serde(flatten)]
        terminal: crate::Terminal,
    },
    /// The past, branches, and what is waited for. The answer is a [`crate::Reply::Done`].
    Time {
        id: u64,
        #[serde(flatten)]
        order: crate::TimeOrder,
    },
    /// What differs between the shown cluster and the end of another branch. The answer is a [`crate::Reply::Compared`].
    Compare {
        id: u64,
        branch: u32,
    },
    /// A line or a key for a shell with kubectl.
    Shell(crate::Shell),
    /// The session as one JSON text (in [`crate::Reply::Session`]), to keep across reloads.
    Save {
        id: u64,
    },
    /// The same, packed into a word that is short enough for a link or a file.
    Share {
        id: u64,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Start {
    pub version: u32,
    pub nodes: u32,
    pub seed: u64,
    /// A new cluster is in the toy cloud.
    #[serde(default)]
    pub cloud: bool,
    /// Its control plane is a node, with its programs as static pods.
    #[serde(default)]
    pub control_plane_node: bool,
    /// The wall clock, microseconds since the Unix epoch: where a new cluster's virtual clock starts.
    pub now: u64,
    /// What [`Command::Save`] gave.
    pub session: Option<String>,
    /// A new cluster is the lesson's; one that comes back goes on with it.
    #[serde(default)]
    pub lesson: Option<crate::LessonStart>,
    pub subscription: Subscription,
}

/// Who asks. A service account is the user `system:serviceaccount:NAMESPACE:NAME`; without groups it has those that all of
/// them have.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Identity {
    pub user: String,
    #[serde(default)]
    pub groups: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApplyMode {
    Apply,
    Delete,
    /// Server-side dry run: everything is checked, nothing is written.
    DryRun,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    pub name: String,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiCall {
    pub id: u64,
    pub method: String,
    /// `/api/v1/namespaces/default/pods?limit=500`
    pub path: String,
    #[serde(default)]
    pub accept: String,
    #[serde(default)]
    pub content_type: String,
    #[serde(default)]
    pub body: String,
}

/// Virtual time per real time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Speed {
    /// Thousandths: 1000 is real time, 100 is a tenth of it.
    Times(u32),
    /// As fast as the machine can until nothing is left to do.
    Max,
}

/// What the page shows, and so what updates carry beyond the stage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Subscription {
    /// The object in the inspector.
    pub object: Option<ObjectId>,
    /// A scheduling cycle, by the number of its trace entry.
    pub cycle: Option<u64>,
    /// Follow every new scheduling cycle (the newest replaces the shown one).
    pub follow_cycles: bool,
    /// Send cycles as [`crate::CycleView`] (`Update::cycle_view`) instead of in full (`Update::cycle`); a held cycle then
    /// replaces the shown one.
    pub compact: bool,
    /// A trace entry whose chain of causes is shown.
    pub why: Option<u64>,
    /// Trace entries for the timeline.
    pub entries: bool,
    /// A part of the list of all objects.
    pub listing: Option<crate::Listing>,
    /// The cloud's console.
    pub cloud: bool,
}
