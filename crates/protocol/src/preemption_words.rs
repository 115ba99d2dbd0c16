//! Preemption as it was decided, in sentences, for the page and the terminal.

use crate::words::{Lang, say};
use trace::cycle::{Candidate, Cycle, Rule, Victim};

/// Upstream's rules in the order they are asked (`pickOneNodeForPreemption`).
pub const RULES: [&str; 6] =
    ["pdb-violations", "highest-priority", "priority-sum", "victim-count", "latest-start", "first"];

/// Candidates that a terminal lists.
const LISTED_MAX: usize = 20;

/// A rule's name.
pub fn rule(lang: Lang, code: &str) -> String {
    say(lang, &format!("preemption.rule.{code}"), &[])
}

/// What a rule compared, with its numbers.
pub fn step(lang: Lang, r: &Rule) -> String {
    let value = |v: &str| if v == "-" { say(lang, "preemption.not-started", &[]) } else { v.to_string() };
    let (name, best, next) = (rule(lang, &r.rule), value(&r.best), value(&r.next));
    let (before, left) = (r.before.to_string(), r.left.to_string());
    let args = [("rule", &*name), ("best", &*best), ("next", &*next), ("before", &*before), ("left", &*left)];
    say(lang, if r.next.is_empty() { "preemption.step-equal" } else { "preemption.step" }, &args)
}

/// How many candidates were found, where.
pub fn nodes(lang: Lang, p: &trace::cycle::Preemption) -> String {
    let (n, tried, potential) =
        (p.candidates.len().to_string(), p.tried_nodes.to_string(), p.potential_nodes.to_string());
    say(lang, "preemption.nodes", &[("n", &n), ("tried", &tried), ("potential", &potential)])
}

fn victim(lang: Lang, v: &Victim) -> String {
    let (pod, priority) = (format!("{}/{}", v.namespace, v.name), v.priority.to_string());
    let code = if v.violates { "preemption.victim-violates" } else { "preemption.victim" };
    say(lang, code, &[("pod", &pod), ("priority", &priority)])
}

fn candidate(lang: Lang, c: &Candidate) -> String {
    let victims: Vec<String> = c.victims.iter().map(|v| victim(lang, v)).collect();
    let (violations, highest, sum) =
        (c.pdb_violations.to_string(), c.highest_priority.to_string(), c.priority_sum.to_string());
    let args = [
        ("node", &*c.node),
        ("violations", &*violations),
        ("highest", &*highest),
        ("sum", &*sum),
        ("victims", &*victims.join(", ")),
    ];
    say(lang, "preemption.candidate", &args)
}

/// The whole of it, a line each; the candidates and the rules are indented. Nothing when there were no candidates.
pub fn lines(lang: Lang, cycle: &Cycle) -> Vec<String> {
    let Some(p) = cycle.preemption.as_ref().filter(|p| !p.candidates.is_empty()) else { return Vec::new() };
    let mut out = vec![nodes(lang, p)];
    out.extend(p.candidates.iter().take(LISTED_MAX).map(|c| format!("  {}", candidate(lang, c))));
    if p.candidates.len() > LISTED_MAX {
        out.push(format!("  +{}", p.candidates.len() - LISTED_MAX));
    }
    let Some(node) = cycle.nominated_node.as_deref() else { return out };
    if p.rules.is_empty() {
        out.push(say(lang, "preemption.only", &[("node", node)]));
        return out;
    }
    out.push(say(lang, "preemption.chosen", &[("node", node), ("rule", &rule(lang, &p.rule))]));
    out.extend(p.rules.iter().map(|r| format!("  {}", step(lang, r))));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use trace::cycle::Preemption;

    #[test]
    fn the_deciding_rule_is_told_with_its_numbers() {
        let rule = |rule: &str, best: &str, next: &str, before, left| Rule {
            rule: rule.into(),
            best: best.into(),
            next: next.into(),
            before,
            left,
        };
        let one = |node: &str| Candidate {
            node: node.into(),
            victims: vec![Victim { namespace: "ns".into(), name: node.into(), priority: 5, ..Victim::default() }],
            highest_priority: 5,
            priority_sum: 5,
            ..Candidate::default()
        };
        let preemption = Preemption {
            candidates: vec![one("a"), one("b")],
            rule: "highest-priority".into(),
            rules: vec![rule("pdb-violations", "0", "", 2, 2), rule("highest-priority", "5", "9", 2, 1)],
            potential_nodes: 3,
            tried_nodes: 2,
        };
        let cycle = Cycle { nominated_node: Some("a".into()), preemption: Some(preemption), ..Cycle::default() };
        let text = lines(Lang::En, &cycle);
        assert_eq!(text[0], "Preemption: 2 candidate(s) on 2 of 3 node(s) where evicting pods might help.");
        assert!(text[1].ends_with("victims: ns/a (priority 5)"), "{}", text[1]);
        assert_eq!(text[3], "a was chosen by the rule “lowest priority of the most important victim”.");
        assert_eq!(text[4], "  fewest PodDisruptionBudget violations: 0 for all 2");
        assert_eq!(text[5], "  lowest priority of the most important victim: 5 against 9, 1 of 2 left");
        assert_eq!(lines(Lang::Ko, &cycle).len(), text.len());
        for code in RULES {
            assert_ne!(super::rule(Lang::Ko, code), format!("preemption.rule.{code}"));
        }
    }
}
