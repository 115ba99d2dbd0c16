//! KubeSchedulerConfiguration v1: profiles, plugin sets, plugin arguments. Models `pkg/scheduler/apis/config`.

mod args;
mod duration;
mod extenders;
mod hosts;
mod parse;
mod print;
mod reader;

use crate::extender;
use crate::plugins;
use k8s_openapi::api::core::v1::{NodeAffinity, TopologySpreadConstraint};
use meta::Duration;
use std::collections::BTreeMap;

pub const DEFAULT_SCHEDULER_NAME: &str = "default-scheduler";

/// One entry of an `enabled` list; weight 0 means not given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginRef {
    pub name: String,
    pub weight: i32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PluginSet {
    pub enabled: Vec<PluginRef>,
    /// Names, or `*`.
    pub disabled: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plugins {
    pub multi_point: PluginSet,
    /// By extension point, as spelled in the configuration: `preFilter`.
    pub points: BTreeMap<String, PluginSet>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceSpec {
    pub name: String,
    pub weight: i64,
}

/// One point of a utilization shape: percent and a score from 0 to 10.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapePoint {
    pub utilization: i32,
    pub score: i32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strategy {
    LeastAllocated,
    MostAllocated,
    RequestedToCapacityRatio(Vec<ShapePoint>),
}

#[derive(Clone, Debug)]
pub struct NodeResourcesFitArgs {
    pub ignored_resources: Vec<String>,
    pub ignored_resource_groups: Vec<String>,
    pub strategy: Strategy,
    pub resources: Vec<ResourceSpec>,
}

#[derive(Clone, Debug)]
pub struct BalancedAllocationArgs {
    pub resources: Vec<ResourceSpec>,
}

#[derive(Clone, Debug, Default)]
pub struct NodeAffinityArgs {
    pub added_affinity: Option<NodeAffinity>,
}

#[derive(Clone, Debug)]
pub struct DefaultPreemptionArgs {
    pub min_candidate_nodes_percentage: i32,
    pub min_candidate_nodes_absolute: i32,
}

#[derive(Clone, Debug)]
pub struct InterPodAffinityArgs {
    /// What a required affinity of an existing pod is worth to a pod it is about; 0 to 100.
    pub hard_pod_affinity_weight: i32,
    pub ignore_preferred_terms_of_existing_pods: bool,
}

/// How pods without spread constraints of their own are spread.
#[derive(Clone, Debug)]
pub enum SpreadDefaults {
    /// Softly over host names and zones.
    System,
    List(Vec<TopologySpreadConstraint>),
}

/// The arguments of every plugin that has any.
#[derive(Clone, Debug)]
pub struct Args {
    pub node_resources_fit: NodeResourcesFitArgs,
    pub balanced_allocation: BalancedAllocationArgs,
    pub node_affinity: NodeAffinityArgs,
    pub default_preemption: DefaultPreemptionArgs,
    pub inter_pod_affinity: InterPodAffinityArgs,
    pub pod_topology_spread: SpreadDefaults,
    /// How long a pod with a node waits for its volumes.
    pub volume_binding_timeout: Duration,
}

fn cpu_and_memory() -> Vec<ResourceSpec> {
    ["cpu", "memory"].map(|name| ResourceSpec { name: name.into(), weight: 1 }).into()
}

impl Default for Args {
    fn default() -> Self {
        Args {
            volume_binding_timeout: Duration::from_secs(600),
            node_resources_fit: NodeResourcesFitArgs {
                ignored_resources: Vec::new(),
                ignored_resource_groups: Vec::new(),
                strategy: Strategy::LeastAllocated,
                resources: cpu_and_memory(),
            },
            balanced_allocation: BalancedAllocationArgs { resources: cpu_and_memory() },
            node_affinity: NodeAffinityArgs::default(),
            default_preemption: DefaultPreemptionArgs {
                min_candidate_nodes_percentage: 10,
                min_candidate_nodes_absolute: 100,
            },
            inter_pod_affinity: InterPodAffinityArgs {
                hard_pod_affinity_weight: 1,
                ignore_preferred_terms_of_existing_pods: false,
            },
            pod_topology_spread: SpreadDefaults::System,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Profile {
    pub scheduler_name: String,
    pub percentage_of_nodes_to_score: Option<i32>,
    pub plugins: Plugins,
    pub args: Args,
}

impl Default for Profile {
    fn default() -> Self {
        Profile {
            scheduler_name: DEFAULT_SCHEDULER_NAME.into(),
            percentage_of_nodes_to_score: None,
            plugins: default_plugins(),
            args: Args::default(),
        }
    }
}

/// Upstream's default MultiPoint list, as far as its plugins exist here.
pub fn default_plugins() -> Plugins {
    let enabled = plugins::TABLE.iter().map(|e| PluginRef { name: e.name.into(), weight: e.default_weight }).collect();
    Plugins { multi_point: PluginSet { enabled, disabled: Vec::new() }, points: BTreeMap::new() }
}

#[derive(Clone, Debug)]
pub struct Config {
    pub profiles: Vec<Profile>,
    /// 0 means adaptive.
    pub percentage_of_nodes_to_score: i32,
    pub pod_initial_backoff_seconds: i64,
    pub pod_max_backoff_seconds: i64,
    pub extenders: Vec<extender::Config>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            profiles: vec![Profile::default()],
            percentage_of_nodes_to_score: 0,
            pod_initial_backoff_seconds: 1,
            pod_max_backoff_seconds: 10,
            extenders: Vec::new(),
        }
    }
}
