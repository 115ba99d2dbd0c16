//! What the inspector shows of some kinds beyond their columns: what a person would have to work out of the object and of
//! the objects beside it.

use crate::view::ObjectId;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "panel", rename_all = "kebab-case")]
pub enum Panel {
    Job(JobPanel),
    CronJob(CronPanel),
    /// A ResourceQuota.
    Quota {
        rows: Vec<QuotaRow>,
    },
    /// A Service, an EndpointSlice or Endpoints.
    Endpoints(EndpointsPanel),
    /// A HorizontalPodAutoscaler.
    Autoscaler(AutoscalerPanel),
    /// What a pod mounts, or what a claim or volume is bound to.
    Volumes {
        rows: Vec<VolumeRow>,
    },
    /// A role or a binding.
    Access(AccessPanel),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IndexState {
    /// No pod has been made for it yet.
    #[default]
    Waiting,
    Active,
    Succeeded,
    Failed,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct JobPanel {
    /// `None`: done when any pod succeeds.
    pub completions: Option<i32>,
    pub parallelism: i32,
    pub active: i32,
    pub succeeded: i32,
    pub failed: i32,
    /// `None`: failures are counted for each index.
    pub backoff_limit: Option<i32>,
    pub suspended: bool,
    /// Of an Indexed job, from 0 on, as many as can be shown.
    pub indexes: Vec<IndexState>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CronPanel {
    pub schedule: String,
    /// `UTC` when none is named.
    pub zone: String,
    pub suspended: bool,
    /// Why the schedule cannot be read.
    pub error: String,
    /// The next times, microseconds since the epoch, and as a clock in the zone shows them.
    pub next: Vec<(u64, String)>,
    pub active: Vec<ObjectId>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaRow {
    pub resource: String,
    pub used: String,
    pub hard: String,
    /// Used of hard, thousandths; more than 1000 is more than allowed.
    pub permille: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EndpointsPanel {
    /// Of a Service: where it can be reached and what that leads to.
    pub routes: Vec<RouteRow>,
    pub endpoints: Vec<EndpointRow>,
    /// How many there are, shown or not.
    pub total: usize,
    /// Of a Service: who sends it requests for the page.
    pub traffic: Option<TrafficRow>,
    /// Autoscalers of what owns the endpoints' pods.
    pub scalers: Vec<ObjectId>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrafficRow {
    pub pod: ObjectId,
    /// Requests a second, and `steady`, `waves` or `spikes`, as the pod's annotations say.
    pub rate: String,
    pub pattern: String,
    pub ready: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteRow {
    /// `ClusterIP`, `NodePort`, `LoadBalancer`, `ExternalName`
    pub via: String,
    /// `10.96.0.12:80`, `web.default.svc.cluster.local`
    pub from: String,
    /// `TCP 8080`, a port's name
    pub to: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointRow {
    pub address: String,
    pub ports: String,
    pub target: Option<ObjectId>,
    pub node: String,
    pub ready: bool,
    pub terminating: bool,
    /// `120m`: what the pod used of processors at the newest scrape; empty when there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cpu: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AutoscalerPanel {
    pub target: Option<ObjectId>,
    pub min: i32,
    pub max: i32,
    pub current: i32,
    pub desired: i32,
    /// What is measured, its present value (empty: unknown) and what it is to be.
    pub metrics: Vec<(String, String, String)>,
    /// Time (microseconds since the epoch), current and desired replicas at each change, oldest first.
    pub curve: Vec<(u64, i32, i32)>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeRow {
    /// The name in the pod; empty for claims and volumes themselves.
    pub name: String,
    /// `configMap web`, `emptyDir`, `persistentVolumeClaim data`
    pub source: String,
    pub claim: Option<ObjectId>,
    pub volume: Option<ObjectId>,
    pub class: Option<ObjectId>,
    /// The claim's or the volume's phase.
    pub phase: String,
    /// Pods that use the claim.
    pub pods: Vec<ObjectId>,
    /// `namespace/name` of the claim, and whether nothing fits on its volume any more.
    pub key: String,
    pub full: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessPanel {
    /// The role of a binding.
    pub role: Option<ObjectId>,
    pub rules: Vec<RuleRow>,
    /// Who is bound: kind, namespace, name.
    pub subjects: Vec<(String, String, String)>,
    /// The bindings that name a role.
    pub bindings: Vec<ObjectId>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleRow {
    /// `get, list`
    pub verbs: String,
    /// `deployments.apps, pods`; a path
    pub resources: String,
    /// Empty: all.
    pub names: String,
}
