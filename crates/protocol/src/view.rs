//! The view model: what the stage draws.

use serde::{Deserialize, Serialize};

/// `kind` is the kind's name (`Pod`); the page never needs more than that to ask for it again.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectId {
    /// `v1`, `apps/v1`
    #[serde(rename = "apiVersion")]
    pub api_version: String,
    pub kind: String,
    #[serde(default)]
    pub namespace: String,
    pub name: String,
}

/// A pod's state as its sign on the stage shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PodState {
    /// No node yet.
    #[default]
    Pending,
    /// Has scheduling gates.
    Gated,
    /// On a node; images, sandbox or init containers under way.
    Creating,
    /// Running, not Ready.
    Running,
    Ready,
    Terminating,
    /// CrashLoopBackOff, ImagePullBackOff, CreateContainerConfigError and the like: waits and tries again.
    BackOff,
    Failed,
    Succeeded,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodView {
    pub namespace: String,
    pub name: String,
    /// Empty while unscheduled.
    pub node: String,
    pub state: PodState,
    /// kubectl's STATUS column: `CrashLoopBackOff`, `Init:0/1`.
    pub status: String,
    /// The top-level controller, for the hue: `Deployment/web`; the pod itself when it has none.
    pub owner: String,
    pub ready: u32,
    pub containers: u32,
    pub restarts: u32,
    /// Requests: milli-CPU and bytes.
    pub cpu: i64,
    pub memory: i64,
    pub ip: String,
    /// RuntimeClass, when the pod names one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub runtime_class: String,
    /// Creation, microseconds since the epoch.
    pub created: u64,
    /// The sentence why it is not scheduled (PodScheduled's message), when it is not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeView {
    pub name: String,
    /// `Ready`, `NotReady`, `Unknown`, as the Ready condition says.
    pub status: String,
    pub unschedulable: bool,
    /// The machine has power (its kubelet may still be stopped).
    pub powered: bool,
    pub kubelet_running: bool,
    /// It does not reach the API server: [`crate::Fault::CutLink`].
    #[serde(default)]
    pub cut: bool,
    /// Its disk is full: [`crate::Fault::FillDisk`].
    #[serde(default)]
    pub full: bool,
    /// `key=value:Effect`
    pub taints: Vec<String>,
    pub zone: String,
    pub arch: String,
    /// Allocatable: milli-CPU, bytes, pods.
    pub cpu: i64,
    pub memory: i64,
    pub pods: i64,
    /// Sum of requests of the pods on it that have not ended.
    pub cpu_requested: i64,
    pub memory_requested: i64,
    pub pods_running: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lamp {
    #[default]
    Running,
    Stopped,
    /// It will be started again by itself.
    Crashed,
    /// It stands still and knows what it knew.
    Paused,
    /// It waits until it may lead.
    Standby,
}

/// One lane: a component within a process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ComponentView {
    /// `deployment-controller`
    pub name: String,
    /// `kube-controller-manager`
    pub process: String,
    pub lamp: Lamp,
    /// How many times as long as usual its turns take: [`crate::Fault::SlowProcess`].
    pub slow: u32,
    pub queued: usize,
    pub delayed: usize,
    /// Steps taken since the cluster began.
    pub steps: u64,
    /// The newest item: `default/web`.
    pub doing: String,
    /// Its trace entry.
    pub doing_seq: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueEntry {
    pub namespace: String,
    pub name: String,
    pub attempts: u32,
    /// Microseconds since the epoch; 0 when it does not wait for a time.
    pub ready_at: u64,
    /// Plugins that rejected it.
    pub plugins: Vec<String>,
    #[serde(default)]
    pub priority: i32,
    /// When it entered this queue, or its attempt ended; microseconds since the epoch.
    #[serde(default)]
    pub since: u64,
    /// What moved it here: `UnschedulablePodAdd`, `NodeAdd`, `ScheduleAttemptFailure`, ...
    #[serde(default)]
    pub event: String,
}

/// How many pods each queue of the scheduler holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueLengths {
    pub active: usize,
    pub backoff: usize,
    pub unschedulable: usize,
    pub gated: usize,
    /// Taken from the active queue, not bound yet.
    pub in_flight: usize,
}

/// The scheduler's queues: the first pods of each, and how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueView {
    pub active: Vec<QueueEntry>,
    pub backoff: Vec<QueueEntry>,
    pub unschedulable: Vec<QueueEntry>,
    pub gated: Vec<QueueEntry>,
    #[serde(default)]
    pub in_flight: Vec<QueueEntry>,
    pub lengths: QueueLengths,
}

/// An Event object's line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventView {
    /// `Normal` or `Warning`.
    pub r#type: String,
    pub reason: String,
    pub message: String,
    pub source: String,
    pub count: i32,
    /// Microseconds since the epoch.
    pub last_seen: u64,
}
