//! What would make a pod fit: the smallest edits, each proved by scheduling the pod with it before it is offered.

pub mod candidates;
pub mod op;

use crate::moment::Moment;
use candidates::{Case, Refusal};
pub use op::{Draft, Op, new_class};
use std::collections::BTreeSet;
use trace::cycle::PodRef;
use trace::explain::{Edit, Fix};

/// Fixes that are offered at most.
const FIXES_MAX: usize = 12;
/// Pairs that are tried at most, and nodes that they may look at together: somebody waits for the answer.
const PAIRS_MAX: usize = 400;
const PAIR_NODES_MAX: usize = 400_000;

/// A proved fix, and the edits to carry out on other documents (a controller's template).
#[derive(Clone, Debug)]
pub struct Proved {
    pub fix: Fix,
    pub ops: Vec<Op>,
}

/// What the search came to.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Where the pod goes without any edit; empty: nowhere.
    pub fits: String,
    pub fixes: Vec<Proved>,
    pub tried: usize,
}

/// Searches for edits. `classes` are the cluster's priority classes.
pub fn search(moment: &Moment, classes: &[(String, i32)]) -> Found {
    let mut found = Found::default();
    if let Some(Ok(node)) = moment.outcome() {
        found.fits = node.to_string();
        return found;
    }
    let case = Case { moment, refusals: refusals(moment), classes };
    let singles = case.candidates();
    let mut useless: Vec<&Vec<Op>> = Vec::new();
    for ops in &singles {
        found.tried += 1;
        match prove(moment, ops) {
            Some(fix) => found.fixes.push(fix),
            None => useless.push(ops),
        }
    }
    // Two edits are only worth it where one does not do.
    if found.fixes.iter().all(|f| f.ops.iter().any(|op| matches!(op, Op::AddNode { .. } | Op::Priority { .. }))) {
        let parts: Vec<&Vec<Op>> = useless.into_iter().filter(|ops| ops.len() == 1).collect();
        let mut pairs: Vec<(u32, Vec<Op>)> = Vec::new();
        for (i, a) in parts.iter().enumerate() {
            for b in &parts[i + 1..] {
                if !same_place(&a[0], &b[0]) {
                    // Of two items of one list the later goes first, so that the numbers stay true.
                    pairs.push((a[0].cost() + b[0].cost(), vec![b[0].clone(), a[0].clone()]));
                }
            }
        }
        pairs.sort_by_key(|(cost, _)| *cost);
        let most = PAIRS_MAX.min(PAIR_NODES_MAX / moment.snapshot().nodes.len().max(1));
        for (_, ops) in pairs.iter().take(most) {
            found.tried += 1;
            found.fixes.extend(prove(moment, ops));
            if found.fixes.len() >= FIXES_MAX {
                break;
            }
        }
    }
    found.fixes.sort_by_key(|f| (f.fix.cost, f.fix.edits.len()));
    let mut seen: BTreeSet<String> = BTreeSet::new();
    // Of the same kind of edit two are enough: the third node to untaint tells nothing new.
    found.fixes.retain(|f| {
        let codes: Vec<&str> = f.fix.edits.iter().map(|e| e.note.code.as_ref()).collect();
        let id = codes.join("+");
        seen.insert(format!("{id} 1")) || seen.insert(format!("{id} 2"))
    });
    // A larger skew than is needed is no fix of its own.
    let mut skews: BTreeSet<usize> = BTreeSet::new();
    found.fixes.retain(|f| match f.ops.as_slice() {
        [Op::MaxSkew { constraint, .. }] => skews.insert(*constraint),
        _ => true,
    });
    found.fixes.truncate(FIXES_MAX);
    found
}

/// Two edits of one thing: together they are no more than one of them.
fn same_place(a: &Op, b: &Op) -> bool {
    match (a, b) {
        (
            Op::ChangeSelector { key: x, .. } | Op::DropSelector(x),
            Op::ChangeSelector { key: y, .. } | Op::DropSelector(y),
        ) => x == y,
        (
            Op::MaxSkew { constraint: x, .. } | Op::SoftSpread(x),
            Op::MaxSkew { constraint: y, .. } | Op::SoftSpread(y),
        ) => x == y,
        (Op::DropNodeAffinity, Op::DropExpression { .. }) | (Op::DropExpression { .. }, Op::DropNodeAffinity) => true,
        (Op::AllowPreemption, Op::AllowPreemption) => true,
        _ => false,
    }
}

/// Every node and who refuses the pod there, the fewest first.
fn refusals(moment: &Moment) -> Vec<Refusal> {
    let mut all = moment.every_refusal();
    all.sort_by_key(|r| r.by.len());
    all
}

/// Schedules the pod with the edits.
fn prove(moment: &Moment, ops: &[Op]) -> Option<Proved> {
    let mut draft = Draft { pod: (*moment.pod.pod).clone(), ..Draft::default() };
    let edits: Vec<Edit> = ops.iter().map(|op| op.apply(&mut draft)).collect::<Option<_>>()?;
    let changed = draft.nodes.into_values().fold(moment.with_pod(draft.pod), |m, node| m.with_node(node));
    let preempts = ops.iter().any(|op| matches!(op, Op::Priority { .. } | Op::AllowPreemption));
    // The search over filters alone is the quick part: most edits end here.
    let fits = changed.feasible();
    if !fits && !preempts {
        return None;
    }
    let cost = ops.iter().map(Op::cost).sum();
    let fix = match changed.outcome()? {
        Ok(node) => Fix { edits, cost, node: node.to_string(), victims: Vec::new() },
        Err(failure) if preempts && !failure.victims.is_empty() => Fix {
            edits,
            cost: cost + failure.victims.len() as u32,
            node: failure.nominate.unwrap_or_default(),
            victims: failure
                .victims
                .iter()
                .map(|v| PodRef { namespace: v.namespace().into(), name: v.name().into() })
                .collect(),
        },
        Err(_) => return None,
    };
    Some(Proved { fix, ops: ops.to_vec() })
}
