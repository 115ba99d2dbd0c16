//! Preemption as it was decided: the candidates, whom each would cost, and which rule chose.

use super::ViewRef;
use crate::ctx::{Ctx, use_ctx};
use crate::ui::{Action, InspectorTab};
use crate::views::icon::Icon;
use protocol::cycle::{Candidate, Preemption, Victim};
use protocol::preemption_words::{RULES, nodes, rule, step};
use yew::prelude::*;

/// Candidates that are listed one by one.
const LISTED_MAX: usize = 20;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub cycle: ViewRef,
}

fn victim(ctx: &Ctx, v: &Victim) -> Html {
    let id = crate::model::kinds::pod(&v.namespace, &v.name);
    let priority = ctx.tf("preemption.priority", &[("n", &v.priority.to_string())]);
    html! {
        <li>
            <button class="object-link" onclick={ctx.on(Action::Inspect(id, InspectorTab::Summary))}>{ v.name.clone() }</button>
            <small class="num">{ priority }</small>
            if v.violates { <small class="warn">{ ctx.t("preemption.violates") }</small> }
        </li>
    }
}

fn candidate(ctx: &Ctx, c: &Candidate, chosen: bool) -> Html {
    let violations = c.pdb_violations.to_string();
    html! {
        <li class={classes!(chosen.then_some("winner"))} data-testid={format!("candidate-{}", c.node)} data-out-by={c.out_by.clone()}>
            <div><b>if chosen { <Icon name="trophy" /> }{ c.node.clone() }</b>
                if !c.out_by.is_empty() { <small class="out-by">{ ctx.tf("preemption.out-by", &[("rule", &rule(ctx.lang.shared(), &c.out_by))]) }</small> }</div>
            <dl class="candidate-facts">
                <div class={classes!((c.pdb_violations > 0).then_some("warn"))}><dt>{ ctx.t("preemption.pdb") }</dt><dd class="num">{ violations }</dd></div>
                <div><dt>{ ctx.t("preemption.highest") }</dt><dd class="num">{ c.highest_priority }</dd></div>
                <div><dt>{ ctx.t("preemption.sum") }</dt><dd class="num">{ c.priority_sum }</dd></div>
                <div><dt>{ ctx.t("preemption.victims") }</dt><dd class="num">{ c.victims.len() }</dd></div>
            </dl>
            <ul class="victims">{ for c.victims.iter().map(|v| victim(ctx, v)) }</ul>
        </li>
    }
}

/// All rules in order: what those that were asked compared, and which one decided.
fn rules(ctx: &Ctx, p: &Preemption) -> Html {
    let lang = ctx.lang.shared();
    html! {
        <ol class="rules" data-testid="preemption-rules" data-rule={p.rule.clone()}>
            { for RULES.iter().map(|code| match p.rules.iter().find(|r| r.rule == *code) {
                Some(r) => html! { <li class={if r.left == 1 { "decided" } else { "asked" }}>{ step(lang, r) }</li> },
                None => html! { <li>{ rule(lang, code) }</li> },
            }) }
        </ol>
    }
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
    // The choice is always among those that are listed.
    let first = candidates.iter().filter(|c| c.node == chosen);
    let listed = first.chain(candidates.iter().filter(|c| c.node != chosen)).take(LISTED_MAX);
    html! {
        <section class="preemption" data-testid="preemption">
            <h3>{ ctx.t("decision.preemption") }</h3>
            <p>{ ctx.t("preemption.about") }{ " " }{ nodes(ctx.lang.shared(), preemption) }</p>
            <ol class="candidates">{ for listed.map(|c| candidate(&ctx, c, c.node == chosen)) }</ol>
            if candidates.len() > LISTED_MAX { <small>{ format!("+{}", candidates.len() - LISTED_MAX) }</small> }
            if !chosen.is_empty() {
                <h4>{ ctx.t("preemption.why") }</h4>
                if preemption.rules.is_empty() {
                    <p data-testid="preemption-only">{ ctx.tf("preemption.only", &[("node", chosen)]) }</p>
                } else {
                    { rules(&ctx, preemption) }
                }
            }
        </section>
    }
}
