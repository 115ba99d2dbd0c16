//! NodeResourcesBalancedAllocation: prefers nodes whose resources would be used alike. Models
//! `plugins/noderesources/balanced_allocation.go`.

use super::resource_scorer::Scorer;
use crate::config::Args;
use crate::framework::{
    ClusterEvent, CycleState, Handle, Hint, MAX_NODE_SCORE, NodeInfo, Plugin, PodInfo, PreScore, PreScoreResult, Score,
};
use std::borrow::Cow;
use trace::explain::Inputs;

pub const NAME: &str = "NodeResourcesBalancedAllocation";

pub struct BalancedAllocation(Scorer);

pub fn build(args: &Args) -> Result<Box<dyn Plugin>, String> {
    Ok(Box::new(BalancedAllocation(Scorer::new(&args.balanced_allocation.resources, true))))
}

#[derive(Clone)]
struct PodRequests(Vec<i64>);

impl Plugin for BalancedAllocation {
    fn name(&self) -> &'static str {
        NAME
    }
    fn as_pre_score(&self) -> Option<&dyn PreScore> {
        Some(self)
    }
    fn as_score(&self) -> Option<&dyn Score> {
        Some(self)
    }
    fn score_inputs(&self, _: &Handle, state: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Inputs {
        self.0.inputs(node, &self.requests(state, pod))
    }
    fn hint(&self, _: &PodInfo, _: &ClusterEvent) -> Hint {
        Hint::Skip
    }
}

impl PreScore for BalancedAllocation {
    fn pre_score(&self, _: &Handle, state: &mut CycleState, pod: &PodInfo, _: &[usize]) -> PreScoreResult {
        let requests = self.0.pod_requests(&pod.requests);
        if requests.iter().all(|r| *r == 0) {
            // A best-effort pod changes no balance; scoring it would pile such pods onto one node.
            return PreScoreResult::Skip;
        }
        state.write(PodRequests(requests));
        PreScoreResult::Pass
    }
}

impl BalancedAllocation {
    /// The requests PreScore prepared; computed here when the profile has no PreScore for this plugin.
    fn requests<'a>(&self, state: &'a CycleState, pod: &PodInfo) -> Cow<'a, [i64]> {
        match state.get::<PodRequests>() {
            Some(r) => Cow::Borrowed(&r.0),
            None => Cow::Owned(self.0.pod_requests(&pod.requests)),
        }
    }

    /// (1 - standard deviation of the used fractions) * 100. The fractions are visited twice instead of stored, in
    /// the order upstream adds them up.
    fn balance(&self, node: &NodeInfo, requests: &[i64]) -> i64 {
        if requests.iter().all(|r| *r == 0) {
            return 0;
        }
        let (mut n, mut total, mut two) = (0usize, 0.0, [0.0; 2]);
        self.0.each(node, requests, |requested, allocatable, _| {
            let f = fraction(requested, allocatable);
            if n < 2 {
                two[n] = f;
            }
            total += f;
            n += 1;
        });
        let std = match n {
            0 | 1 => 0.0,
            2 => ((two[0] - two[1]) / 2.0_f64).abs(),
            _ => {
                let mean = total / n as f64;
                let mut sum = 0.0;
                self.0.each(node, requests, |requested, allocatable, _| {
                    let f = fraction(requested, allocatable);
                    sum += (f - mean) * (f - mean);
                });
                (sum / n as f64).sqrt()
            }
        };
        ((1.0 - std) * MAX_NODE_SCORE as f64) as i64
    }
}

fn fraction(requested: i64, allocatable: i64) -> f64 {
    let f = requested as f64 / allocatable as f64;
    if f > 1.0 { 1.0 } else { f }
}

impl Score for BalancedAllocation {
    fn score(&self, _: &Handle, state: &CycleState, pod: &PodInfo, node: &NodeInfo) -> i64 {
        self.balance(node, &self.requests(state, pod))
    }
    fn score_all(&self, h: &Handle, state: &CycleState, pod: &PodInfo, nodes: &[usize], out: &mut Vec<i64>) {
        let requests = self.requests(state, pod);
        out.extend(nodes.iter().map(|n| self.balance(&h.snapshot.nodes[*n], &requests)));
    }
}
