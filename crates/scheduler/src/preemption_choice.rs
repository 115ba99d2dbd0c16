//! Which of preemption's candidates hurts least, and which rule said so. Models `pickOneNodeForPreemption`.

use crate::framework::PodInfo;
use crate::preemption::{Candidate, start_time};
use std::cmp::Reverse;
use trace::cycle::{Preemption, Rule, Victim};

/// What is compared, in the order of the rules: violations, highest priority, sum, number, start.
type Cost = (i64, i64, i64, usize, Reverse<Option<i128>>);

/// A comparison: its name, whether two candidates are equal up to it, and what it looks at.
type Comparison = (&'static str, fn(&Cost, &Cost) -> bool, fn(&Candidate) -> String);

const COMPARISONS: [Comparison; 5] = [
    ("pdb-violations", |a, b| a.0 == b.0, |c| c.pdb_violations.to_string()),
    ("highest-priority", |a, b| (a.0, a.1) == (b.0, b.1), |c| c.highest_priority().to_string()),
    ("priority-sum", |a, b| (a.0, a.1, a.2) == (b.0, b.1, b.2), |c| c.cost().2.to_string()),
    ("victim-count", |a, b| (a.0, a.1, a.2, a.3) == (b.0, b.1, b.2, b.3), |c| c.victims.len().to_string()),
    ("latest-start", |a, b| a == b, |c| c.earliest_start()),
];

/// Fewest budget violations, then the lowest of the highest priorities, the smallest sum of priorities, the fewest
/// victims, the latest start of the most important ones; then the first.
pub fn pick(candidates: &[Candidate]) -> Option<&Candidate> {
    // `min_by_key` returns the first of equal ones.
    candidates.iter().min_by_key(|c| c.cost())
}

impl Candidate {
    fn highest_priority(&self) -> i64 {
        self.victims.first().map_or(0, |p| i64::from(p.priority))
    }
    fn most_important(&self) -> impl Iterator<Item = &PodInfo> {
        let top = self.highest_priority();
        self.victims.iter().map(|p| &**p).filter(move |p| i64::from(p.priority) == top)
    }
    fn cost(&self) -> Cost {
        // Shifted to be positive, so that few negative priorities do not weigh more than many.
        let sum = self.victims.iter().map(|p| i64::from(p.priority) + i64::from(i32::MAX) + 1).sum();
        let start = Reverse(self.most_important().map(start_time).min());
        (self.pdb_violations, self.highest_priority(), sum, self.victims.len(), start)
    }
    fn earliest_start(&self) -> String {
        match self.most_important().min_by_key(|p| start_time(p)).map(started) {
            Some(time) if !time.is_empty() => time,
            _ => "-".into(),
        }
    }

    fn record(&self) -> trace::cycle::Candidate {
        let victim = |p: &PodInfo| Victim {
            namespace: p.namespace().into(),
            name: p.name().into(),
            priority: p.priority,
            started: started(p),
            violates: self.violating.contains(&p.key),
        };
        trace::cycle::Candidate {
            node: self.node.to_string(),
            victims: self.victims.iter().map(|p| victim(p)).collect(),
            pdb_violations: self.pdb_violations,
            highest_priority: self.highest_priority(),
            priority_sum: self.victims.iter().map(|p| i64::from(p.priority)).sum(),
            out_by: String::new(),
        }
    }
}

/// RFC 3339, or empty.
fn started(p: &PodInfo) -> String {
    let start = p.pod.status.as_ref().and_then(|s| s.start_time.as_ref());
    start.map(|t| t.0.to_string()).unwrap_or_default()
}

/// The candidates, and how one of them was chosen.
pub fn record(candidates: &[Candidate], (potential_nodes, tried_nodes): (usize, usize)) -> Preemption {
    let mut record: Vec<_> = candidates.iter().map(Candidate::record).collect();
    let costs: Vec<Cost> = candidates.iter().map(Candidate::cost).collect();
    let (mut left, mut rules): (Vec<usize>, Vec<Rule>) = ((0..candidates.len()).collect(), Vec::new());
    let best = left.iter().copied().min_by_key(|i| costs[*i]).unwrap_or(0);
    for (rule, same, text) in COMPARISONS {
        if left.len() < 2 {
            break;
        }
        let (stay, fall): (Vec<usize>, Vec<usize>) = left.iter().partition(|i| same(&costs[**i], &costs[best]));
        let next = fall.iter().min_by_key(|i| costs[**i]).map(|i| text(&candidates[*i])).unwrap_or_default();
        fall.iter().for_each(|i| record[*i].out_by = rule.into());
        let (before, now) = (left.len(), stay.len());
        rules.push(Rule { rule: rule.into(), best: text(&candidates[best]), next, before, left: now });
        left = stay;
    }
    if let [first, second, ..] = left.as_slice() {
        let name = |i: &usize| candidates[*i].node.to_string();
        rules.push(Rule { rule: "first".into(), best: name(first), next: name(second), before: left.len(), left: 1 });
        left[1..].iter().for_each(|i| record[*i].out_by = "first".into());
    }
    let rule = match (rules.last(), candidates) {
        (Some(last), _) => last.rule.clone(),
        (None, [_]) => "only".into(),
        (None, _) => String::new(),
    };
    Preemption { candidates: record, rule, rules, potential_nodes, tried_nodes }
}
