//! "You be the scheduler": the learner picks a node before the verdicts are shown, and is told what it would have cost.

use super::ViewRef;
use super::table::refusal;
use crate::ctx::{Ctx, use_ctx};
use crate::format;
use crate::i18n::explain;
use crate::model::pod_ask;
use crate::ui::Action;
use crate::views::icon::Icon;
use crate::views::sight;
use protocol::CycleView;
use yew::prelude::*;

/// The pick "no node fits".
pub const NOWHERE: &str = "";

/// What a pick came to, against the scheduler's choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    Same,
    /// Another node with the same total: the draw went elsewhere.
    AsGood {
        total: i64,
    },
    /// `lead`: the plugin that preferred the winner most, and by how many points.
    Less {
        total: i64,
        best: i64,
        lead: Option<(String, i64)>,
    },
    Refused {
        plugin: String,
        message: String,
    },
    /// It was possible, and the learner said it was not; or the other way round is `Refused`.
    Possible {
        node: String,
    },
    NothingFits,
    /// The cycle did not look at the node.
    NotLookedAt,
}

pub fn judge(cycle: &CycleView, pick: &str) -> Judgement {
    if pick == cycle.node {
        return if pick == NOWHERE { Judgement::NothingFits } else { Judgement::Same };
    }
    if pick == NOWHERE {
        return Judgement::Possible { node: cycle.node.clone() };
    }
    let Some(row) = cycle.rows.iter().find(|r| r.node == pick) else { return Judgement::NotLookedAt };
    if let Some(group) = refusal(cycle, row) {
        return Judgement::Refused { plugin: group.plugin.clone(), message: group.reasons.join("; ") };
    }
    let winner = cycle.rows.iter().find(|r| r.node == cycle.node);
    let (Some(total), Some((winner, best))) = (row.total, winner.and_then(|w| Some((w, w.total?)))) else {
        return Judgement::NotLookedAt;
    };
    if total >= best {
        return Judgement::AsGood { total };
    }
    let lead = explain::lead(cycle, winner, row).map(|(plugin, lead)| (plugin.to_string(), lead));
    Judgement::Less { total, best, lead }
}

#[derive(PartialEq, Properties)]
pub struct Props {
    pub cycle: ViewRef,
    pub picked: Option<AttrValue>,
    pub hidden: bool,
    pub on_pick: Callback<String>,
    pub on_reveal: Callback<()>,
    pub nodes: u64,
    /// Of the pod as it was fetched.
    pub fetched: u64,
}

#[component]
pub fn Guess(p: &Props) -> Html {
    let ctx = use_ctx();
    let cycle = &p.cycle.0;
    let path = format!("/api/v1/namespaces/{}/pods/{}", cycle.pod.namespace, cycle.pod.name);
    {
        let (ctx, path) = (ctx.clone(), path.clone());
        use_effect_with(path, move |path| ctx.act(Action::Fetch(path.clone())));
    }
    if !p.hidden {
        return html! { <Told cycle={p.cycle.clone()} picked={p.picked.clone()} /> };
    }
    let model = ctx.model.get();
    let asks = model.fetched.as_ref().filter(|f| f.path == path).map(|f| pod_ask::asks(&f.body));
    let nowhere = p.picked.as_deref() == Some(NOWHERE);
    let picked = match p.picked.as_deref() {
        None => ctx.t("guess.none").to_string(),
        Some(NOWHERE) => ctx.t("guess.nowhere").to_string(),
        Some(node) => ctx.tf("guess.picked", &[("node", node)]),
    };
    html! {
        <div class="guess" data-testid="guess-panel">
            <h2><Icon name="hat" />{ ctx.t("guess.title") }</h2>
            <p>{ ctx.tf("guess.task", &[("pod", &cycle.pod.name)]) }</p>
            <h3>{ ctx.t("guess.asks") }</h3>
            <dl class="asks" data-testid="guess-asks">
                if let Some(asks) = asks {
                    { for asks.into_iter().map(|(code, text)| html! { <><dt>{ ctx.find(&format!("ask.{code}")).unwrap_or(code) }</dt><dd>{ text }</dd></> }) }
                } else if let Some(pod) = model.pods.get(format!("{}/{}", cycle.pod.namespace, cycle.pod.name).as_str()) {
                    <dt>{ ctx.t("ask.requests") }</dt><dd>{ format!("cpu {}, memory {}", format::cpu(pod.cpu), format::memory(pod.memory)) }</dd>
                }
            </dl>
            <p class="guess-hint">{ ctx.t("guess.now") }</p>
            <p class={classes!("guess-pick", p.picked.is_some().then_some("chosen"))} role="status" data-testid="guess-pick">{ picked }</p>
            <div class="buttons">
                <button aria-pressed={nowhere.to_string()} data-testid="guess-nowhere" onclick={p.on_pick.reform(|_| NOWHERE.to_string())}>{ ctx.t("guess.nowhere") }</button>
                <button class="primary" data-testid="guess-reveal" disabled={p.picked.is_none()} onclick={p.on_reveal.reform(|_| ())}>{ ctx.t("guess.reveal") }</button>
            </div>
        </div>
    }
}

/// The verdict: whether it is good news, and in words.
fn told(ctx: &Ctx, cycle: &CycleView, pick: &str) -> (&'static str, Vec<String>) {
    let node = cycle.node.as_str();
    match judge(cycle, pick) {
        Judgement::Same => ("good", vec![ctx.tf("guess.same", &[("node", node)])]),
        Judgement::NothingFits => ("good", vec![ctx.t("guess.nothing-fits").to_string()]),
        Judgement::AsGood { total } => {
            let total = total.to_string();
            ("good", vec![ctx.tf("guess.as-good", &[("pick", pick), ("node", node), ("total", &total)])])
        }
        Judgement::Less { total, best, lead } => {
            let (points, total, best) = ((best - total).to_string(), total.to_string(), best.to_string());
            let args = [("pick", pick), ("node", node), ("total", &*total), ("best", &*best), ("points", &*points)];
            let mut out = vec![ctx.tf("guess.less", &args)];
            if let Some((plugin, lead)) = lead {
                let args = [("plugin", plugin.as_str()), ("lead", &*lead.to_string()), ("node", node)];
                out.push(ctx.tf("guess.less-by", &args));
            }
            ("warn", out)
        }
        Judgement::Refused { plugin, message } => {
            let mut out = vec![ctx.tf("guess.refused", &[("pick", pick), ("plugin", &plugin)])];
            out.extend(explain::plugin(ctx.lang, &plugin).map(str::to_string));
            if !message.is_empty() {
                out.push(format!("“{message}”"));
            }
            ("bad", out)
        }
        Judgement::Possible { node } => ("bad", vec![ctx.tf("guess.possible", &[("node", &node)])]),
        Judgement::NotLookedAt => ("warn", vec![ctx.tf("guess.not-looked-at", &[("pick", pick)])]),
    }
}

#[derive(PartialEq, Properties)]
struct ToldProps {
    cycle: ViewRef,
    picked: Option<AttrValue>,
}

#[component]
fn Told(p: &ToldProps) -> Html {
    let ctx = use_ctx();
    let card = use_node_ref();
    {
        // On a narrow stage it is above the table.
        let card = card.clone();
        use_effect_with(p.picked.clone(), move |_| sight::bring_ref(&card));
    }
    let Some(pick) = &p.picked else { return Html::default() };
    let (class, lines) = told(&ctx, &p.cycle.0, pick);
    html! {
        <div ref={card} class={classes!("told", class)} role="status" data-testid="guess-told" data-verdict={class}>
            <h2><Icon name="hat" />{ ctx.t("guess.told") }</h2>
            { for lines.into_iter().map(|line| html! { <p>{ line }</p> }) }
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::cycle::Verdict;
    use protocol::{Group, Row};

    fn cycle() -> CycleView {
        let row = |node: &str, group, total: Option<i64>| {
            let scores = total.map(|t| (Some(t), Some(t))).into_iter().collect();
            Row { node: node.into(), group, total, scores, ..Row::default() }
        };
        let refused = Group {
            plugin: "TaintToleration".into(),
            verdict: Verdict::Unresolvable,
            reasons: vec!["untolerated".into()],
            count: 1,
        };
        CycleView {
            node: "a".into(),
            scorers: vec![("Fit".into(), 1)],
            groups: vec![Group::default(), refused],
            rows: vec![row("a", 0, Some(90)), row("b", 0, Some(70)), row("c", 1, None), row("d", 0, Some(90))],
            ..CycleView::default()
        }
    }

    #[test]
    fn a_pick_is_told_what_it_costs() {
        let c = cycle();
        assert_eq!(judge(&c, "a"), Judgement::Same);
        assert_eq!(judge(&c, "b"), Judgement::Less { total: 70, best: 90, lead: Some(("Fit".into(), 20)) });
        let refused = Judgement::Refused { plugin: "TaintToleration".into(), message: "untolerated".into() };
        assert_eq!(judge(&c, "c"), refused);
        assert_eq!(judge(&c, "d"), Judgement::AsGood { total: 90 });
        assert_eq!(judge(&c, NOWHERE), Judgement::Possible { node: "a".into() });
        assert_eq!(judge(&c, "z"), Judgement::NotLookedAt);
        let none = CycleView { node: String::new(), ..cycle() };
        assert_eq!(judge(&none, NOWHERE), Judgement::NothingFits);
    }
}
