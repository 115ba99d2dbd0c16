//! How full a node would be, as a score. Models `plugins/noderesources/{resource_allocation, least_allocated,
//! most_allocated, requested_to_capacity_ratio}.go`.

use super::amounts::{quantity, unit};
use crate::config::{ResourceSpec, ShapePoint, Strategy};
use crate::framework::resource::{Resource, is_scalar_name};
use crate::framework::{MAX_NODE_SCORE, NodeInfo};
use trace::explain::{Amount, Inputs};
use trace::note;

enum Kind {
    Cpu,
    Memory,
    EphemeralStorage,
    Other,
}

/// The resources that count and what each weighs.
pub struct Scorer {
    resources: Vec<(Kind, ResourceSpec)>,
    /// Count real requests instead of those with defaults filled in.
    use_requested: bool,
}

impl Kind {
    fn of(r: &ResourceSpec) -> Kind {
        match r.name.as_str() {
            "cpu" => Kind::Cpu,
            "memory" => Kind::Memory,
            "ephemeral-storage" => Kind::EphemeralStorage,
            _ => Kind::Other,
        }
    }
}

impl Scorer {
    pub fn new(resources: &[ResourceSpec], use_requested: bool) -> Self {
        Scorer { resources: resources.iter().map(|r| (Kind::of(r), r.clone())).collect(), use_requested }
    }

    /// The pod's requests in the order of the resources.
    pub fn pod_requests(&self, requests: &Resource) -> Vec<i64> {
        self.resources.iter().map(|(_, r)| requests.amount(&r.name)).collect()
    }

    /// Requested (the pod included) against allocatable, for people.
    pub fn inputs(&self, node: &NodeInfo, pod_requests: &[i64]) -> Inputs {
        let mut inputs = Inputs::default();
        for (i, (_, spec)) in self.resources.iter().enumerate() {
            let one = Scorer { resources: vec![(Kind::of(spec), spec.clone())], use_requested: self.use_requested };
            one.each(node, &pod_requests[i..=i], |requested, allocatable, weight| {
                let shown = |n| quantity(&spec.name, n);
                let percent = format!("{:.1}", requested as f64 * 100.0 / allocatable as f64);
                inputs.notes.push(note!(
                    "cell.utilization",
                    resource = &spec.name,
                    requested = shown(requested),
                    allocatable = shown(allocatable),
                    percent = percent,
                    weight = weight
                ));
                inputs.amounts.push(Amount {
                    resource: spec.name.clone(),
                    unit: unit(&spec.name),
                    request: pod_requests[i],
                    used: requested - pod_requests[i],
                    allocatable,
                });
            });
        }
        inputs
    }

    /// Calls `visit` with requested (the pod included), allocatable and weight of every resource that counts on
    /// this node. One the node does not have, and an extended one the pod does not ask for, do not count.
    #[inline]
    pub fn each(&self, node: &NodeInfo, pod_requests: &[i64], mut visit: impl FnMut(i64, i64, i64)) {
        for ((kind, spec), pod_request) in self.resources.iter().zip(pod_requests) {
            let (allocatable, requested) = match kind {
                Kind::Cpu if self.use_requested => (node.allocatable.milli_cpu, node.requested.milli_cpu),
                Kind::Cpu => (node.allocatable.milli_cpu, node.non_zero_milli_cpu),
                Kind::Memory if self.use_requested => (node.allocatable.memory, node.requested.memory),
                Kind::Memory => (node.allocatable.memory, node.non_zero_memory),
                Kind::EphemeralStorage => (node.allocatable.ephemeral_storage, node.requested.ephemeral_storage),
                Kind::Other if *pod_request == 0 && is_scalar_name(&spec.name) => continue,
                Kind::Other => {
                    (node.allocatable.scalar(&spec.name).unwrap_or(0), node.requested.scalar(&spec.name).unwrap_or(0))
                }
            };
            if allocatable != 0 {
                visit(requested + pod_request, allocatable, spec.weight);
            }
        }
    }
}

/// One strategy's score for one node.
pub fn strategy_score(strategy: &Strategy, scorer: &Scorer, node: &NodeInfo, pod_requests: &[i64]) -> i64 {
    let (mut sum, mut weights) = (0, 0);
    match strategy {
        Strategy::LeastAllocated => scorer.each(node, pod_requests, |requested, capacity, weight| {
            sum += weight * least_requested(requested, capacity);
            weights += weight;
        }),
        Strategy::MostAllocated => scorer.each(node, pod_requests, |requested, capacity, weight| {
            sum += weight * most_requested(requested, capacity);
            weights += weight;
        }),
        Strategy::RequestedToCapacityRatio(shape) => {
            scorer.each(node, pod_requests, |requested, capacity, weight| {
                let score = ratio_score(shape, requested, capacity);
                if score > 0 {
                    sum += weight * score;
                    weights += weight;
                }
            });
            if weights == 0 {
                return 0;
            }
            return libm::round(sum as f64 / weights as f64) as i64;
        }
    }
    if weights == 0 { 0 } else { sum / weights }
}

fn least_requested(requested: i64, capacity: i64) -> i64 {
    if requested > capacity { 0 } else { (capacity - requested) * MAX_NODE_SCORE / capacity }
}

fn most_requested(requested: i64, capacity: i64) -> i64 {
    // A node can be asked for more than it has: non-zero requests count defaults.
    requested.min(capacity) * MAX_NODE_SCORE / capacity
}

const MAX_UTILIZATION: i64 = 100;
/// The scores of a shape go to 10.
const MAX_CUSTOM_PRIORITY_SCORE: i64 = 10;

fn ratio_score(shape: &[ShapePoint], requested: i64, capacity: i64) -> i64 {
    let utilization = if requested > capacity { MAX_UTILIZATION } else { requested * MAX_UTILIZATION / capacity };
    broken_linear(shape, utilization)
}

/// Straight lines between the points, flat outside them. Models `helper.BuildBrokenLinearFunction`.
fn broken_linear(shape: &[ShapePoint], at: i64) -> i64 {
    let score = |p: &ShapePoint| i64::from(p.score) * (MAX_NODE_SCORE / MAX_CUSTOM_PRIORITY_SCORE);
    let x = |p: &ShapePoint| i64::from(p.utilization);
    for (i, p) in shape.iter().enumerate() {
        if at <= x(p) {
            let Some(before) = i.checked_sub(1).map(|i| &shape[i]) else { return score(p) };
            return score(before) + (score(p) - score(before)) * (at - x(before)) / (x(p) - x(before));
        }
    }
    shape.last().map_or(0, score)
}
