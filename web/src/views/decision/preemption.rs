//! Preemption as it was decided: the candidates, whom each would cost, and which rule chose.

use super::ViewRef;
use crate::ctx::use_ctx;
use crate::ui::{Action, InspectorTab};
use crate::views::icon::Icon;
use protocol::cycle::Candidate;
use yew::prelude::*;

/// Candidates that are listed one by one.
const LISTED_MAX: usize = 20;

/// Upstream's rules in order (`pickOneNodeForPreemption`); `preemption.rule.<code>` names them.
pub const RULES: [&str; 6] =
    ["pdb-violations", "highest-priority", "priority-sum", "victim-count", "latest-start", "first"];

#[derive(PartialEq, Properties)]
pub struct Props {
    pub cycle: ViewRef,
}

/// The first rule that what is recorded of the candidates can tell them apart by. Rules in between that need more than
/// is recorded make it unknown.
pub fn decided_by(candidates: &[Candidate], chosen: &str) -> Option<&'static str> {
    if candidates.len() == 1 {
        return Some("only");
    }
    let own = candidates.iter().find(|c| c.node == chosen)?;
    let fewest = candidates.iter().map(|c| c.pdb_violations).min()?;
    let left = candidates.iter().filter(|c| c.pdb_violations == fewest).count();
    (own.pdb_violations == fewest && left == 1).then_some(RULES[0])
}

#[component]
pub fn PreemptionPanel(p: &Props) -> Html {
    let ctx = use_ctx();
    let cycle = &p.cycle.0;
    let Some(preemption) = cycle.preemption.as_ref().filter(|p| !p.candidates.is_empty()) else {
        return Html::default();
    };
    let candidates = &preemption.candidates;
    let chosen = cycle.nominated_node.as_str();
    let told = RULES.into_iter().chain(["only"]).find(|r| *r == preemption.rule);
    let rule = told.or_else(|| decided_by(candidates, chosen));
    let pod = |name: &str, namespace: &str| {
        let id = crate::model::kinds::pod(namespace, name);
        html! { <button class="object-link" onclick={ctx.on(Action::Inspect(id, InspectorTab::Summary))}>{ name.to_string() }</button> }
    };
    html! {
        <section class="preemption" data-testid="preemption">
            <h3>{ ctx.t("decision.preemption") }</h3>
            <p>{ ctx.t("preemption.about") }</p>
            <ol class="candidates">
                { for candidates.iter().take(LISTED_MAX).map(|c| {
                    let won = c.node == chosen;
                    html! {
                        <li class={classes!(won.then_some("winner"))} data-testid={format!("candidate-{}", c.node)}>
                            <div><b>if won { <Icon name="trophy" /> }{ c.node.clone() }</b>
                                <small class={classes!((c.pdb_violations > 0).then_some("warn"))}>{ ctx.tf("preemption.pdb", &[("n", &c.pdb_violations.to_string())]) }</small></div>
                            <div class="victims"><small>{ ctx.tf("preemption.victims", &[("n", &c.victims.len().to_string())]) }</small>
                                { for c.victims.iter().map(|v| pod(&v.name, &v.namespace)) }</div>
                        </li>
                    }
                }) }
            </ol>
            if candidates.len() > LISTED_MAX { <small>{ format!("+{}", candidates.len() - LISTED_MAX) }</small> }
            if !chosen.is_empty() {
                <h4>{ ctx.t("preemption.why") }</h4>
                if rule == Some("only") {
                    <p data-testid="preemption-rule">{ ctx.t("preemption.rule.only") }</p>
                } else {
                    <ol class="rules" data-testid="preemption-rule">
                        { for RULES.iter().map(|r| html! {
                            <li class={classes!((rule == Some(*r)).then_some("decided"))}>{ ctx.find(&format!("preemption.rule.{r}")).unwrap_or(r) }</li>
                        }) }
                    </ol>
                }
            }
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(node: &str, pdb_violations: i64) -> Candidate {
        Candidate { node: node.into(), pdb_violations, ..Candidate::default() }
    }

    #[test]
    fn the_rule_is_named_only_when_the_record_shows_it() {
        assert_eq!(decided_by(&[candidate("a", 1)], "a"), Some("only"));
        assert_eq!(decided_by(&[candidate("a", 1), candidate("b", 0)], "b"), Some("pdb-violations"));
        assert_eq!(decided_by(&[candidate("a", 0), candidate("b", 0)], "b"), None);
    }
}
