//! NodeResourcesFit: is there room, and how much would be left? Models `plugins/noderesources/fit.go`.

use super::amounts::{amount, quantity};
use super::resource_scorer::{Scorer, strategy_score};
use crate::config::{Args, Strategy};
use crate::framework::resource::{Resource, is_extended_name};
use crate::framework::status::{Reason, Reasons};
use crate::framework::{
    Answer, ClusterEvent, Code, CycleState, Filter, Handle, Hint, NodeInfo, Plugin, PodInfo, PreFilter,
    PreFilterResult, PreScore, PreScoreResult, Score, Status,
};
use k8s_openapi::api::core::v1::Node;
use std::borrow::Cow;
use trace::explain::Inputs;
use trace::note;

pub const NAME: &str = "NodeResourcesFit";

pub struct NodeResourcesFit {
    ignored_resources: Vec<String>,
    ignored_groups: Vec<String>,
    strategy: Strategy,
    scorer: Scorer,
}

pub fn build(args: &Args) -> Result<Box<dyn Plugin>, String> {
    let args = &args.node_resources_fit;
    Ok(Box::new(NodeResourcesFit {
        ignored_resources: args.ignored_resources.clone(),
        ignored_groups: args.ignored_resource_groups.clone(),
        strategy: args.strategy.clone(),
        scorer: Scorer::new(&args.resources, false),
    }))
}

#[derive(Clone)]
struct PodRequests(Vec<i64>);

/// What is missing on the node; `None` when the pod fits.
fn insufficient(
    pod: &Resource,
    allocatable: &Resource,
    requested: &Resource,
    pods: usize,
    ignored: impl Fn(&str) -> bool,
) -> Option<Status> {
    let mut status = Status { code: Code::Unschedulable, reasons: Reasons::None, plugin: "" };
    if pods as i64 + 1 > allocatable.allowed_pod_number {
        status.reasons.push(Reason::Borrowed("Too many pods"));
    }
    let mut check = |want: i64, capacity: i64, used: i64, reason: &dyn Fn() -> Reason| {
        if want > 0 && want > capacity - used {
            status.reasons.push(reason());
            // More than the whole node: evicting pods cannot help.
            if want > capacity {
                status.code = Code::UnschedulableAndUnresolvable;
            }
        }
    };
    check(pod.milli_cpu, allocatable.milli_cpu, requested.milli_cpu, &|| "Insufficient cpu".into());
    check(pod.memory, allocatable.memory, requested.memory, &|| "Insufficient memory".into());
    check(pod.ephemeral_storage, allocatable.ephemeral_storage, requested.ephemeral_storage, &|| {
        "Insufficient ephemeral-storage".into()
    });
    for (name, want) in &pod.scalar {
        if !ignored(name) {
            let (capacity, used) = (allocatable.scalar(name).unwrap_or(0), requested.scalar(name).unwrap_or(0));
            check(*want, capacity, used, &|| format!("Insufficient {name}").into());
        }
    }
    if status.reasons.is_empty() { None } else { Some(status) }
}

impl NodeResourcesFit {
    fn ignores(&self, name: &str) -> bool {
        if !is_extended_name(name) || (self.ignored_resources.is_empty() && self.ignored_groups.is_empty()) {
            return false;
        }
        let group = name.split('/').next().unwrap_or_default();
        self.ignored_resources.iter().any(|r| r == name) || self.ignored_groups.iter().any(|g| g == group)
    }
}

/// Whether the empty node could hold the pod. Models `isFit`.
fn fits_empty(pod: &PodInfo, allocatable: &Resource) -> bool {
    insufficient(&pod.requests, allocatable, &Resource::default(), 0, |_| false).is_none()
}

fn allocatable(node: &Node) -> Resource {
    Resource::from_api(node.status.as_ref().and_then(|s| s.allocatable.as_ref()))
}

/// Whether something the pod asks for grew. Models `haveAnyRequestedResourcesIncreased`.
fn grew(pod: &PodInfo, old: &Resource, new: &Resource) -> bool {
    let want = &pod.requests;
    new.allowed_pod_number > old.allowed_pod_number
        || (want.milli_cpu > 0 && new.milli_cpu > old.milli_cpu)
        || (want.memory > 0 && new.memory > old.memory)
        || (want.ephemeral_storage > 0 && new.ephemeral_storage > old.ephemeral_storage)
        || want.scalar.iter().any(|(n, v)| *v > 0 && new.scalar(n).unwrap_or(0) > old.scalar(n).unwrap_or(0))
}

/// Whether a change of a pod's requests freed something `pod` asks for.
fn shrank(pod: &PodInfo, old: &Resource, new: &Resource) -> bool {
    grew(pod, new, old)
}

impl Plugin for NodeResourcesFit {
    fn name(&self) -> &'static str {
        NAME
    }
    fn as_pre_filter(&self) -> Option<&dyn PreFilter> {
        Some(self)
    }
    fn as_filter(&self) -> Option<&dyn Filter> {
        Some(self)
    }
    fn as_pre_score(&self) -> Option<&dyn PreScore> {
        Some(self)
    }
    fn as_score(&self) -> Option<&dyn Score> {
        Some(self)
    }
    fn filter_inputs(&self, _: &Handle, _: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Inputs {
        let want = &pod.requests;
        let plain = [
            ("pods", 1),
            ("cpu", want.milli_cpu),
            ("memory", want.memory),
            ("ephemeral-storage", want.ephemeral_storage),
        ];
        let scalar = want.scalar.iter().map(|(n, v)| (&**n, *v)).filter(|(n, _)| !self.ignores(n));
        let mut inputs = Inputs::default();
        for (resource, request) in plain.into_iter().chain(scalar).filter(|(_, request)| *request > 0) {
            let a = amount(resource, request, node);
            let (free, shown) = (a.allocatable - a.used, |n: i64| quantity(resource, n));
            inputs.notes.push(if request <= free {
                note!(
                    "cell.resource",
                    resource = resource,
                    request = shown(request),
                    free = shown(free),
                    used = shown(a.used),
                    allocatable = shown(a.allocatable)
                )
            } else {
                note!(
                    "cell.resource-short",
                    resource = resource,
                    request = shown(request),
                    free = shown(free.max(0)),
                    used = shown(a.used),
                    allocatable = shown(a.allocatable),
                    missing = shown(request - free)
                )
            });
            inputs.amounts.push(a);
        }
        inputs
    }
    fn score_inputs(&self, _: &Handle, state: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Inputs {
        let strategy = match &self.strategy {
            Strategy::LeastAllocated => "LeastAllocated",
            Strategy::MostAllocated => "MostAllocated",
            Strategy::RequestedToCapacityRatio(_) => "RequestedToCapacityRatio",
        };
        let mut inputs = self.scorer.inputs(node, &self.requests(state, pod));
        inputs.notes.insert(0, note!("cell.strategy", strategy = strategy));
        inputs
    }
    fn hint(&self, pod: &PodInfo, event: &ClusterEvent) -> Hint {
        match event {
            ClusterEvent::NodeAdd(new) => Hint::queue_if(fits_empty(pod, &allocatable(new))),
            ClusterEvent::NodeUpdate { old, new } => {
                let new = allocatable(new);
                Hint::queue_if(fits_empty(pod, &new) && grew(pod, &allocatable(old), &new))
            }
            ClusterEvent::AssignedPodDelete(_) => Hint::Queue,
            ClusterEvent::AssignedPodUpdate { old, new } => Hint::queue_if(shrank(pod, &old.requests, &new.requests)),
            ClusterEvent::TargetPodUpdate { old, new } => {
                Hint::queue_if(new.key == pod.key && shrank(old, &old.requests, &new.requests))
            }
            _ => Hint::Skip,
        }
    }
}

impl PreFilter for NodeResourcesFit {
    fn pre_filter(&self, _: &Handle, _: &mut CycleState, _: &PodInfo) -> PreFilterResult {
        // The pod's requests were computed with its PodInfo.
        PreFilterResult::Pass
    }
}

impl Filter for NodeResourcesFit {
    fn filter(&self, _: &Handle, _: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Answer {
        let ignored = |name: &str| self.ignores(name);
        match insufficient(&pod.requests, &node.allocatable, &node.requested, node.pods.len(), ignored) {
            None => Ok(()),
            Some(status) => Err(status),
        }
    }
}

impl PreScore for NodeResourcesFit {
    fn pre_score(&self, _: &Handle, state: &mut CycleState, pod: &PodInfo, _: &[usize]) -> PreScoreResult {
        state.write(PodRequests(self.scorer.pod_requests(&pod.score_requests)));
        PreScoreResult::Pass
    }
}

impl NodeResourcesFit {
    /// The requests PreScore prepared; computed here when the profile has no PreScore for this plugin.
    fn requests<'a>(&self, state: &'a CycleState, pod: &PodInfo) -> Cow<'a, [i64]> {
        match state.get::<PodRequests>() {
            Some(r) => Cow::Borrowed(&r.0),
            None => Cow::Owned(self.scorer.pod_requests(&pod.score_requests)),
        }
    }
}

impl Score for NodeResourcesFit {
    fn score(&self, _: &Handle, state: &CycleState, pod: &PodInfo, node: &NodeInfo) -> i64 {
        strategy_score(&self.strategy, &self.scorer, node, &self.requests(state, pod))
    }
    fn score_all(&self, h: &Handle, state: &CycleState, pod: &PodInfo, nodes: &[usize], out: &mut Vec<i64>) {
        let requests = self.requests(state, pod);
        let of = |n: &usize| strategy_score(&self.strategy, &self.scorer, &h.snapshot.nodes[*n], &requests);
        out.extend(nodes.iter().map(of));
    }
}
