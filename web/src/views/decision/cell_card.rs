//! One cell of the table in full: what the plugin looked at, upstream's words, and how a score was counted.

use super::cells::Score;
use super::table::{refusal, verdict_code};
use super::{Cell, Part, ViewRef};
use crate::ctx::{Ctx, use_ctx};
use crate::i18n::{Lang, explain};
use crate::model::{Topic, kinds};
use crate::ui::Action;
use crate::views::icon::Icon;
use crate::views::inputs::Inputs;
use crate::views::sight;
use protocol::cycle::Verdict;
use protocol::{Answer, CycleView, Debug, Point, Row};
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub cycle: ViewRef,
    pub cell: Cell,
    pub on_close: Callback<()>,
    /// Of the answers.
    pub answers: u64,
}

/// What to ask the engine about a cell; totals are counted here.
fn question(cycle: &CycleView, cell: &Cell) -> Option<Debug> {
    let (plugin, point) = match &cell.part {
        Part::Filter(plugin) => (plugin, Point::Filter),
        Part::Score(plugin) => (plugin, Point::Score),
        Part::Total => return None,
    };
    Some(Debug::Cell { cycle: cycle.seq, node: cell.node.clone(), plugin: plugin.clone(), point })
}

#[component]
pub fn CellCard(p: &Props) -> Html {
    let ctx = use_ctx();
    let (cycle, cell) = (&p.cycle.0, &p.cell);
    let asked = question(cycle, cell);
    {
        let ctx = ctx.clone();
        use_effect_with(asked.clone(), move |asked| {
            if let Some(debug) = asked.clone() {
                ctx.act(Action::Ask(Topic::Cell, debug));
            }
        });
    }
    let card = use_node_ref();
    {
        // On a narrow stage it is above the table.
        let card = card.clone();
        use_effect_with(cell.clone(), move |_| sight::bring_ref(&card));
    }
    let Some(row) = cycle.rows.iter().find(|r| r.node == cell.node) else { return Html::default() };
    let answer = {
        let model = ctx.model.get();
        asked.and_then(|asked| model.answer(Topic::Cell, &asked))
    };
    let name = match &cell.part {
        Part::Filter(plugin) | Part::Score(plugin) => plugin.as_str(),
        Part::Total => ctx.t("grid.total"),
    };
    html! {
        <section class="cell-card" ref={card} data-testid="cell-card" aria-label={format!("{name} · {}", cell.node)}>
            <div class="cell-head"><h2>{ name }<small>{ cell.node.clone() }</small></h2>
                <button class="icon-button" data-testid="close-cell" aria-label={ctx.t("close")} title={ctx.t("close")} onclick={p.on_close.reform(|_| ())}><Icon name="close" /></button></div>
            { match &cell.part {
                Part::Filter(plugin) => filter(&ctx, cycle, row, plugin),
                Part::Score(plugin) => score(&ctx, cycle, row, plugin),
                Part::Total => total(&ctx, cycle, row),
            } }
            if let Some(answer) = answer { { inputs(&ctx, &answer) } }
            <button class="chip" data-testid="cell-why-not" onclick={ctx.on(Action::WhyNot(kinds::pod(&cycle.pod.namespace, &cycle.pod.name), cell.node.as_str().into(), cycle.seq))}>{ ctx.t("why-not.all") }</button>
        </section>
    }
}

fn inputs(ctx: &Ctx, answer: &Answer) -> Html {
    match answer {
        Answer::Cell { cell } => html! {
            if !cell.inputs.notes.is_empty() || !cell.inputs.amounts.is_empty() {
                <h3>{ ctx.t("cell.inputs") }</h3>
                <Inputs inputs={cell.inputs.clone()} />
            }
        },
        Answer::Refused { message, .. } => {
            html! { <p class="cell-refused">{ ctx.t("cell.gone") }<small>{ crate::i18n::refusals::told(ctx.lang, message) }</small></p> }
        }
        _ => Html::default(),
    }
}

fn about(lang: Lang, plugin: &str) -> Html {
    html! { if let Some(text) = explain::plugin(lang, plugin) { <p class="cell-about">{ text }</p> } }
}

fn filter(ctx: &Ctx, cycle: &CycleView, row: &Row, plugin: &str) -> Html {
    let column = cycle.filters.iter().position(|f| f == plugin);
    let verdict = column.and_then(|i| row.filters.get(i).copied().flatten());
    let refused = refusal(cycle, row).filter(|g| g.plugin == plugin);
    let (class, icon) = match verdict {
        None => ("skip", ""),
        Some(Verdict::Pass | Verdict::Skip) => ("good", "check"),
        Some(_) => ("bad", "cross"),
    };
    let word = match verdict {
        None => ctx.t("grid.not-run"),
        Some(v) => ctx.find(&format!("verdict.{}", verdict_code(v))).unwrap_or_default(),
    };
    html! {
        <>
            <p class={classes!("cell-verdict", class)} data-testid="cell-verdict">if !icon.is_empty() { <Icon name={icon} /> }{ word }</p>
            if let Some(group) = refused { <blockquote>{ group.reasons.join("; ") }</blockquote> }
            { about(ctx.lang, plugin) }
        </>
    }
}

fn score(ctx: &Ctx, cycle: &CycleView, row: &Row, plugin: &str) -> Html {
    let column = cycle.scorers.iter().position(|(p, _)| p == plugin);
    let Some(score) = column.and_then(|i| Score::of(cycle, row, i)) else {
        return html! { <><p class="cell-verdict skip">{ ctx.t("cell.not-scored") }</p>{ about(ctx.lang, plugin) }</> };
    };
    let how = ctx.find(&format!("normalize.{plugin}")).unwrap_or(ctx.t("normalize.none"));
    html! {
        <>
            <dl class="sum" data-testid="cell-sum">
                <dt>{ ctx.t("cell.raw") }</dt><dd class="num">{ score.raw }</dd>
                if let Some(n) = score.normalized {
                    <dt>{ ctx.t("cell.normalized") }<small>{ how }</small></dt><dd class="num">{ n }</dd>
                    <dt>{ ctx.t("cell.weight") }</dt><dd class="num">{ format!("× {}", score.weight) }</dd>
                    <dt class="line">{ ctx.t("cell.weighted") }</dt><dd class="num line">{ n * score.weight }</dd>
                }
            </dl>
            { about(ctx.lang, plugin) }
        </>
    }
}

/// The total as a sum, beside the winner's.
fn total(ctx: &Ctx, cycle: &CycleView, row: &Row) -> Html {
    let winner = cycle.rows.iter().find(|r| !cycle.node.is_empty() && r.node == cycle.node && r.node != row.node);
    let part = |row: &Row, i: usize| Score::of(cycle, row, i).and_then(Score::weighted);
    let show = |v: Option<i64>| v.map_or("—".to_string(), |v| v.to_string());
    html! {
        <table class="totals" data-testid="cell-totals">
            <thead><tr><th scope="col">{ ctx.t("cell.plugin") }</th><th scope="col">{ row.node.clone() }</th>if let Some(w) = winner { <th scope="col"><Icon name="trophy" />{ w.node.clone() }</th> }</tr></thead>
            <tbody>
                { for cycle.scorers.iter().enumerate().map(|(i, (plugin, _))| {
                    let (own, other) = (part(row, i), winner.and_then(|w| part(w, i)));
                    let class = match (own, other) {
                        (Some(a), Some(b)) if a < b => "less",
                        (Some(a), Some(b)) if a > b => "more",
                        _ => "",
                    };
                    html! { <tr><th scope="row">{ plugin.clone() }</th><td class={classes!("num", class)}>{ show(own) }</td>if winner.is_some() { <td class="num">{ show(other) }</td> }</tr> }
                }) }
            </tbody>
            <tfoot><tr><th scope="row">{ ctx.t("grid.total") }</th><td class="num">{ show(row.total) }</td>if let Some(w) = winner { <td class="num">{ show(w.total) }</td> }</tr></tfoot>
        </table>
    }
}
