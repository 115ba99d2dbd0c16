//! The scheduling framework: what a plugin may implement and what it gets to see. Models
//! `k8s.io/kube-scheduler/framework`.
//!
//! A plugin implements the traits of the extension points it has and says so through the `as_*` methods of
//! [`Plugin`]. The runner (`runtime.rs`, `run.rs`) calls them, stamps the plugin's name and records what they said.

pub mod affinity;
pub mod bind;
pub mod changes;
pub mod counts;
pub mod csi_migration;
pub mod event;
pub mod fit_error;
pub mod kinds;
pub mod node_info;
pub mod node_status;
pub mod nominator;
pub mod objects;
pub mod pod_info;
pub mod requirement;
pub mod resource;
pub mod run;
pub mod runtime;
pub mod shelf;
pub mod snapshot;
pub mod state;
pub mod status;
pub mod storage;
pub mod topology;

pub use event::{ClusterEvent, Hint, Was};
pub use fit_error::FitError;
pub use node_info::NodeInfo;
pub use node_status::NodeStatuses;
pub use nominator::Nominator;
pub use objects::Objects;
pub use pod_info::PodInfo;
pub use run::Run;
pub use runtime::Framework;
pub use snapshot::Snapshot;
pub use state::CycleState;
pub use status::{Answer, Code, Status};
pub use storage::Storage;

use crate::devices::Devices;
use k8s_openapi::api::core::v1::Binding;
use meta::{Rng, Time};
use std::collections::BTreeSet;
use std::sync::Arc;
use trace::explain::Inputs;

/// The highest score a plugin may give after normalization.
pub const MAX_NODE_SCORE: i64 = 100;

/// What every plugin call may look at. Models `framework.Handle`.
#[derive(Clone, Copy)]
pub struct Handle<'a> {
    pub snapshot: &'a Snapshot,
    pub objects: &'a Objects,
    pub nominator: &'a Nominator,
}

/// A plugin: its name, its extension points, and which events may help the pods it refused.
pub trait Plugin: Send + Sync {
    fn name(&self) -> &'static str;

    fn as_pre_enqueue(&self) -> Option<&dyn PreEnqueue> {
        None
    }
    fn as_queue_sort(&self) -> Option<&dyn QueueSort> {
        None
    }
    fn as_pre_filter(&self) -> Option<&dyn PreFilter> {
        None
    }
    fn as_filter(&self) -> Option<&dyn Filter> {
        None
    }
    fn as_post_filter(&self) -> Option<&dyn PostFilter> {
        None
    }
    fn as_pre_score(&self) -> Option<&dyn PreScore> {
        None
    }
    fn as_score(&self) -> Option<&dyn Score> {
        None
    }
    fn as_reserve(&self) -> Option<&dyn Reserve> {
        None
    }
    fn as_permit(&self) -> Option<&dyn Permit> {
        None
    }
    fn as_pre_bind(&self) -> Option<&dyn PreBind> {
        None
    }
    fn as_bind(&self) -> Option<&dyn Bind> {
        None
    }

    /// Whether `event` may make `pod`, which this plugin refused, schedulable. An event that upstream's plugin
    /// does not register is `Skip`. Models `EnqueueExtensions.EventsToRegister` with its hint functions.
    fn hint(&self, _pod: &PodInfo, _event: &ClusterEvent) -> Hint {
        Hint::Queue
    }

    /// What Filter looks at on this node, for people who ask. Scheduling never calls it.
    fn filter_inputs(&self, _h: &Handle, _state: &CycleState, _pod: &PodInfo, _node: &NodeInfo) -> Inputs {
        Inputs::default()
    }
    /// The same for Score.
    fn score_inputs(&self, _h: &Handle, _state: &CycleState, _pod: &PodInfo, _node: &NodeInfo) -> Inputs {
        Inputs::default()
    }
}

/// May the pod enter the active queue?
pub trait PreEnqueue {
    fn pre_enqueue(&self, devices: &Devices, pod: &PodInfo) -> Answer;
}

/// The order of the active queue: the pod with the smallest key goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SortKey(pub i64, pub u64);

pub trait QueueSort {
    /// `timestamp` is when the pod entered the queue.
    fn sort_key(&self, pod: &PodInfo, timestamp: Time) -> SortKey;
}

pub enum PreFilterResult {
    Pass,
    /// The plugin's Filter has nothing to say about this pod.
    Skip,
    /// Only these nodes are worth looking at.
    Nodes(BTreeSet<String>),
    Refuse(Status),
}

pub trait PreFilter {
    fn pre_filter(&self, h: &Handle, state: &mut CycleState, pod: &PodInfo) -> PreFilterResult;

    /// Keeps the state true while the dry run of a preemption adds `other` to `node`.
    fn add_pod(&self, _h: &Handle, _state: &mut CycleState, _pod: &PodInfo, _other: &PodInfo, _node: &NodeInfo) {}
    /// The same for taking `other` away.
    fn remove_pod(&self, _h: &Handle, _state: &mut CycleState, _pod: &PodInfo, _other: &PodInfo, _node: &NodeInfo) {}
}

pub trait Filter {
    fn filter(&self, h: &Handle, state: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Answer;
}

/// What a PostFilter plugin achieved. Models `fwk.PostFilterResult`.
pub struct PostFilterResult {
    pub answer: Answer,
    /// `None` leaves the pod's nomination as it is, an empty name clears it.
    pub nominate: Option<String>,
    pub victims: Vec<Arc<PodInfo>>,
    /// A claim whose allocation is to be taken back.
    pub deallocate: Option<meta::Key>,
    pub candidates: Vec<crate::preemption::Candidate>,
    /// Nodes where an eviction might have helped, and that were tried.
    pub nodes: (usize, usize),
}

impl PostFilterResult {
    pub fn refuse(status: Status) -> Self {
        PostFilterResult {
            answer: Err(status),
            nominate: None,
            victims: Vec::new(),
            deallocate: None,
            candidates: Vec::new(),
            nodes: (0, 0),
        }
    }
}

pub trait PostFilter {
    fn post_filter(&self, run: &Run, statuses: &NodeStatuses, rng: &mut Rng) -> PostFilterResult;
}

pub enum PreScoreResult {
    Pass,
    /// The plugin's Score has nothing to say about this pod.
    Skip,
    /// A broken precondition: the cycle ends with this error.
    Fail(String),
}

pub trait PreScore {
    /// `nodes` are positions in the snapshot.
    fn pre_score(&self, h: &Handle, state: &mut CycleState, pod: &PodInfo, nodes: &[usize]) -> PreScoreResult;
}

pub trait Score {
    fn score(&self, h: &Handle, state: &CycleState, pod: &PodInfo, node: &NodeInfo) -> i64;

    /// Scores all of `nodes` (positions in the snapshot) into `out`. The default calls `score` without going
    /// through the plugin table for every node.
    fn score_all(&self, h: &Handle, state: &CycleState, pod: &PodInfo, nodes: &[usize], out: &mut Vec<i64>) {
        out.extend(nodes.iter().map(|n| self.score(h, state, pod, &h.snapshot.nodes[*n])));
    }

    /// Brings the raw scores of all nodes into 0 to 100. Plugins whose raw scores already are leave it out.
    fn normalize(&self, _h: &Handle, _state: &CycleState, _pod: &PodInfo, _scores: &mut [i64]) {}
}

pub trait Reserve {
    fn reserve(&self, h: &Handle, state: &mut CycleState, pod: &PodInfo, node: &str) -> Answer;
    fn unreserve(&self, h: &Handle, state: &mut CycleState, pod: &PodInfo, node: &str);
}

pub trait Permit {
    fn permit(&self, h: &Handle, state: &mut CycleState, pod: &PodInfo, node: &str) -> Answer;
}

pub trait PreBind {
    fn pre_bind(&self, h: &Handle, state: &mut CycleState, pod: &PodInfo, node: &str) -> Answer;
}

pub trait Bind {
    /// The binding to post; `None` leaves the pod to the next bind plugin.
    fn bind(&self, pod: &PodInfo, node: &str) -> Option<Binding>;
}

/// Brings scores into 0 to `max`, turned round when `reverse`. Models `helper.DefaultNormalizeScore`.
pub fn default_normalize(max: i64, reverse: bool, scores: &mut [i64]) {
    let most = scores.iter().copied().max().unwrap_or(0);
    if most <= 0 {
        if reverse {
            scores.fill(max);
        }
        return;
    }
    for s in scores {
        *s = max * *s / most;
        if reverse {
            *s = max - *s;
        }
    }
}
