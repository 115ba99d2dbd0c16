//! What would make a pod fit: the smallest edits, each proved by scheduling the pod with it before it is offered.

pub mod candidates;
pub mod op;

use crate::moment::Moment;
use candidates::{Case, Refusal};
pub use op::{Draft, Op, new_class};
use std::collections::BTreeSet;
use std::sync::Arc;
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
    let mut search = Search::new(Arc::new(moment.clone()), classes.to_vec());
    while !search.run(|| false) {}
    search.finish()
}

/// The search as far as it has come: with thousands of nodes it takes long, and somebody waits beside it.
pub struct Search {
    moment: Arc<Moment>,
    classes: Vec<(String, i32)>,
    found: Found,
    stage: Stage,
}

enum Stage {
    /// Does it fit as it is?
    Start,
    /// Who refuses it where, of the first nodes.
    Refusals(Vec<Refusal>),
    Singles {
        left: std::vec::IntoIter<Vec<Op>>,
        useless: Vec<Op>,
    },
    Pairs(std::vec::IntoIter<Vec<Op>>),
    Done,
}

impl Search {
    pub fn new(moment: Arc<Moment>, classes: Vec<(String, i32)>) -> Search {
        Search { moment, classes, found: Found::default(), stage: Stage::Start }
    }

    /// Goes on until it is done, which it says, or out of budget, which it asks between steps: a step is one node's
    /// filters, or one edit that is tried.
    pub fn run(&mut self, mut out_of_budget: impl FnMut() -> bool) -> bool {
        loop {
            self.stage = match std::mem::replace(&mut self.stage, Stage::Done) {
                Stage::Start => self.start(),
                Stage::Refusals(mut known) => {
                    self.moment.more_refusals(&mut known, &mut out_of_budget);
                    if known.len() < self.moment.snapshot().nodes.len() {
                        self.stage = Stage::Refusals(known);
                        return false;
                    }
                    self.think(known)
                }
                Stage::Singles { mut left, mut useless } => match left.next() {
                    None => self.pair(&useless),
                    Some(ops) => {
                        if !self.attempt(&ops) && ops.len() == 1 {
                            useless.extend(ops);
                        }
                        Stage::Singles { left, useless }
                    }
                },
                Stage::Pairs(mut left) => match left.next().filter(|_| self.found.fixes.len() < FIXES_MAX) {
                    None => Stage::Done,
                    Some(ops) => {
                        self.attempt(&ops);
                        Stage::Pairs(left)
                    }
                },
                Stage::Done => return true,
            };
            if out_of_budget() {
                return false;
            }
        }
    }

    /// What was found, the smallest first.
    pub fn finish(self) -> Found {
        let mut found = self.found;
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

    fn start(&mut self) -> Stage {
        if self.moment.framework().is_none() {
            return Stage::Done;
        }
        // The filters alone are the quick part; what preemption would come to is not asked here.
        match self.moment.feasible().then(|| self.moment.outcome()).flatten() {
            Some(Ok(node)) => {
                self.found.fits = node.to_string();
                Stage::Done
            }
            _ => Stage::Refusals(Vec::new()),
        }
    }

    /// The edits that speak to what refuses the pod; nodes with the fewest refusals count first.
    fn think(&self, mut refusals: Vec<Refusal>) -> Stage {
        refusals.sort_by_key(|r| r.by.len());
        let case = Case { moment: &self.moment, refusals, classes: &self.classes };
        Stage::Singles { left: case.candidates().into_iter(), useless: Vec::new() }
    }

    fn attempt(&mut self, ops: &[Op]) -> bool {
        self.found.tried += 1;
        let fix = prove(&self.moment, ops);
        let proved = fix.is_some();
        self.found.fixes.extend(fix);
        proved
    }

    /// Two edits are only worth it where one does not do.
    fn pair(&self, parts: &[Op]) -> Stage {
        let large = |op: &Op| matches!(op, Op::AddNode { .. } | Op::Priority { .. });
        if !self.found.fixes.iter().all(|f| f.ops.iter().any(large)) {
            return Stage::Done;
        }
        let mut pairs: Vec<(u32, Vec<Op>)> = Vec::new();
        for (i, a) in parts.iter().enumerate() {
            for b in parts[i + 1..].iter().filter(|b| !same_place(a, b)) {
                // Of two items of one list the later goes first, so that the numbers stay true.
                pairs.push((a.cost() + b.cost(), vec![b.clone(), a.clone()]));
            }
        }
        pairs.sort_by_key(|(cost, _)| *cost);
        pairs.truncate(PAIRS_MAX.min(PAIR_NODES_MAX / self.moment.snapshot().nodes.len().max(1)));
        Stage::Pairs(pairs.into_iter().map(|(_, ops)| ops).collect::<Vec<_>>().into_iter())
    }
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
