//! Which pods would have to go so that this one fits, and where that hurts least. Models
//! `pkg/scheduler/framework/preemption` and the victim selection of `plugins/defaultpreemption`.

use crate::config::DefaultPreemptionArgs;
use crate::framework::status::Status;
use crate::framework::{Code, FitError, NodeInfo, NodeStatuses, Objects, PodInfo, PostFilterResult, Run};
use crate::preemption_choice::pick;
use k8s_openapi::api::core::v1::Pod;
use meta::labels::Selector;
use meta::{Key, Rng};
use std::sync::Arc;

/// A node that would take the pod once its victims are gone.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub node: Arc<str>,
    /// Most important first.
    pub victims: Vec<Arc<PodInfo>>,
    pub pdb_violations: i64,
    /// The victims that a budget would have spared.
    pub violating: Vec<Key>,
}

/// Models `Evaluator.Preempt`, without carrying it out.
pub fn preempt(run: &Run, statuses: &NodeStatuses, args: &DefaultPreemptionArgs, rng: &mut Rng) -> PostFilterResult {
    if let Some(why) = ineligible(run, statuses) {
        return PostFilterResult::refuse(Status::unschedulable(why));
    }
    let snapshot = run.h.snapshot;
    let potential = statuses.nodes_with(Code::Unschedulable, snapshot);
    let mut tried =
        NodeStatuses { absent: Status::unresolvable("Preemption is not helpful for scheduling"), ..Default::default() };
    let (candidates, tried_nodes) = dry_run(run, &potential, args, rng, &mut tried);
    let none = candidates.is_empty();
    let candidates = match &run.framework.extenders {
        Some(extenders) if !none => match extenders.preempt(&run.h, run.pod, candidates) {
            Ok(left) => left,
            Err(status) => return PostFilterResult::refuse(status),
        },
        _ => candidates,
    };
    let Some(best) = pick(&candidates) else {
        if !none {
            return PostFilterResult::refuse(Status::unschedulable("no candidate node for preemption"));
        }
        let errors = tried.explicit.iter().filter(|(_, s)| s.code == Code::Error);
        let errors: Vec<String> = errors.map(|(_, s)| s.message()).collect();
        if !errors.is_empty() {
            return PostFilterResult::refuse(Status::error(meta::field::aggregate(errors)));
        }
        let error = FitError {
            all_nodes: snapshot.nodes.len(),
            statuses: &tried,
            pre_filter_message: "",
            post_filter_message: "",
        };
        let mut refusal = PostFilterResult::refuse(Status::unschedulable(error.to_string()));
        refusal.nominate = Some(String::new());
        return refusal;
    };
    PostFilterResult {
        answer: Ok(()),
        nominate: Some(best.node.to_string()),
        victims: best.victims.clone(),
        deallocate: None,
        candidates,
        nodes: (potential.len(), tried_nodes),
    }
}

/// Models `PodEligibleToPreemptOthers`: the reason why not.
fn ineligible(run: &Run, statuses: &NodeStatuses) -> Option<&'static str> {
    let pod = run.pod;
    if pod.pod.spec.as_ref().and_then(|s| s.preemption_policy.as_deref()) == Some("Never") {
        return Some("not eligible due to preemptionPolicy=Never.");
    }
    let at = run.h.snapshot.position(pod.nominated_node()?)?;
    if statuses.get(at).code == Code::UnschedulableAndUnresolvable {
        return None;
    }
    let going = |p: &Arc<PodInfo>| p.priority < pod.priority && terminating_by_preemption(&p.pod);
    let any = run.h.snapshot.nodes[at].pods.iter().any(going);
    any.then_some("not eligible due to a terminating pod on the nominated node.")
}

fn terminating_by_preemption(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|s| s.conditions.as_ref());
    pod.metadata.deletion_timestamp.is_some()
        && conditions
            .into_iter()
            .flatten()
            .find(|c| c.type_ == "DisruptionTarget")
            .is_some_and(|c| c.status == "True" && c.reason.as_deref() == Some("PreemptionByScheduler"))
}

/// Tries the potential nodes from a drawn offset on, until enough candidates are found; says how many it tried. Models
/// `DryRunPreemption`.
fn dry_run(
    run: &Run,
    potential: &[usize],
    args: &DefaultPreemptionArgs,
    rng: &mut Rng,
    tried: &mut NodeStatuses,
) -> (Vec<Candidate>, usize) {
    let n = potential.len();
    if n == 0 {
        return (Vec::new(), 0);
    }
    let share = n * args.min_candidate_nodes_percentage as usize / 100;
    let wanted = share.max(args.min_candidate_nodes_absolute as usize).min(n);
    let offset = rng.below(n as u32) as usize;
    let (mut clean, mut violating, mut nodes) = (Vec::new(), Vec::new(), 0);
    for i in 0..n {
        nodes += 1;
        let at = potential[(offset + i) % n];
        match select_victims(run, &run.h.snapshot.nodes[at]) {
            Ok(c) if c.pdb_violations == 0 => clean.push(c),
            Ok(c) => violating.push(c),
            Err(status) => tried.explicit.push((at, status)),
        }
        if !clean.is_empty() && clean.len() + violating.len() >= wanted {
            break;
        }
    }
    clean.append(&mut violating);
    (clean, nodes)
}

/// The fewest, least important pods whose absence makes room. Models `SelectVictimsOnNode`.
fn select_victims(run: &Run, node: &Arc<NodeInfo>) -> Result<Candidate, Status> {
    let lower = |p: &&Arc<PodInfo>| p.priority < run.pod.priority;
    let mut possible: Vec<Arc<PodInfo>> = node.pods.iter().filter(lower).cloned().collect();
    if possible.is_empty() {
        return Err(Status::unresolvable("No preemption victims found for incoming pod"));
    }
    let (mut state, mut without) = (run.state.clone(), NodeInfo::clone(node));
    for p in &possible {
        without.remove_pod(&p.key);
        run.remove_pod(&mut state, p, &without);
    }
    run.filter_with_nominated(&state, &without)?;
    possible.sort_by_key(|p| importance(p));
    let (violating, others) = split_by_pdb(possible, run.h.objects);
    let (mut victims, mut spared) = (Vec::new(), Vec::new());
    for (p, violates) in violating.iter().map(|p| (p, true)).chain(others.iter().map(|p| (p, false))) {
        // Put it back; if the pod still fits, this one is spared.
        without.add_pod(p.clone());
        run.add_pod(&mut state, p, &without);
        if run.filter_with_nominated(&state, &without).is_err() {
            without.remove_pod(&p.key);
            run.remove_pod(&mut state, p, &without);
            victims.push(p.clone());
            if violates {
                spared.push(p.key.clone());
            }
        }
    }
    if victims.is_empty() {
        return Err(Status::error(format!("expected at least one victim pod on node {:?}", node.name)));
    }
    victims.sort_by_key(|p| importance(p));
    Ok(Candidate { node: node.name.clone(), victims, pdb_violations: spared.len() as i64, violating: spared })
}

/// Smaller is more important: higher priority, then longer running. Models `util.MoreImportantPod`.
fn importance(pod: &PodInfo) -> (i64, i128) {
    (-i64::from(pod.priority), start_time(pod))
}

/// A pod that has not started counts as starting now, later than any that has.
/// In nanoseconds, as upstream compares them.
pub(crate) fn start_time(pod: &PodInfo) -> i128 {
    let start = pod.pod.status.as_ref().and_then(|s| s.start_time.as_ref());
    start.map_or(i128::MAX, |t| t.0.as_nanosecond())
}

/// Pods whose eviction a PodDisruptionBudget forbids, and the others. Models `filterPodsWithPDBViolation`.
fn split_by_pdb(pods: Vec<Arc<PodInfo>>, objects: &Objects) -> (Vec<Arc<PodInfo>>, Vec<Arc<PodInfo>>) {
    let mut budgets: Vec<_> = objects
        .pod_disruption_budgets
        .iter()
        .map(|pdb| {
            let selector = Selector::from_api(pdb.spec.as_ref().and_then(|s| s.selector.as_ref()));
            let allowed = pdb.status.as_ref().map_or(0, |s| s.disruptions_allowed);
            (pdb, selector.unwrap_or(Selector::Nothing), allowed)
        })
        .collect();
    pods.into_iter().partition(|pod| {
        let labels = pod.pod.metadata.labels.as_ref();
        if labels.is_none_or(|l| l.is_empty()) {
            return false;
        }
        let mut violated = false;
        for (pdb, selector, allowed) in &mut budgets {
            let same_namespace = pdb.metadata.namespace.as_deref().unwrap_or("default") == pod.namespace();
            // A budget that selects everything is as good as none here, as upstream has it.
            if !same_namespace || selector.is_everything() || !selector.matches(labels) {
                continue;
            }
            let disrupted = pdb.status.as_ref().and_then(|s| s.disrupted_pods.as_ref());
            if disrupted.is_some_and(|d| d.contains_key(pod.name())) {
                continue;
            }
            *allowed -= 1;
            violated |= *allowed < 0;
        }
        violated
    })
}
