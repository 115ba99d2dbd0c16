//! Nodes in rows, plugins in columns in the order they ran. Only the rows in sight are in the page.

use super::decision::CycleRef;
use super::icon::Icon;
use super::phases::Phase;
use crate::ctx::{Ctx, use_ctx};
use crate::format;
use crate::i18n::explain::{self, rejection};
use crate::model::kinds;
use protocol::Cycle;
use protocol::cycle::{NodeRecord, ScoreRecord, Verdict};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlInputElement};
use yew::prelude::*;

/// The height of a row in pixels; the style sheet has the same (`--row`).
const ROW: f64 = 38.0;
/// Rows kept above and below what is in sight.
const MARGIN: usize = 6;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub cycle: CycleRef,
    pub phase: Option<Phase>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    Total,
    Name,
}

/// A line of the grid.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// The plugin whose rejections follow, or empty for the nodes that passed; and how many there are.
    Group(String, usize),
    /// An index into the cycle's nodes.
    Node(usize),
}

/// Feasible nodes first, then the rejected ones by plugin, the commonest first.
pub fn lines(cycle: &Cycle, search: &str, sort: Sort) -> Vec<Line> {
    let search = search.to_lowercase();
    let mut groups: Vec<(String, Vec<usize>)> = vec![(String::new(), Vec::new())];
    for (i, node) in cycle.nodes.iter().enumerate().filter(|(_, n)| n.name.to_lowercase().contains(&search)) {
        let plugin = rejection(node).map_or("", |(p, _)| p);
        match groups.iter_mut().find(|(name, _)| name == plugin) {
            Some((_, nodes)) => nodes.push(i),
            None => groups.push((plugin.into(), vec![i])),
        }
    }
    groups[1..].sort_by(|a, b| b.1.len().cmp(&a.1.len()).then_with(|| a.0.cmp(&b.0)));
    let winner = cycle.node.as_deref();
    let mut out = Vec::new();
    for (plugin, mut nodes) in groups.into_iter().filter(|(_, nodes)| !nodes.is_empty()) {
        nodes.sort_by(|a, b| {
            let (a, b) = (&cycle.nodes[*a], &cycle.nodes[*b]);
            let by_total = b.total.cmp(&a.total).then((winner == Some(&*b.name)).cmp(&(winner == Some(&*a.name))));
            if sort == Sort::Total { by_total.then_with(|| a.name.cmp(&b.name)) } else { a.name.cmp(&b.name) }
        });
        out.push(Line::Group(plugin, nodes.len()));
        out.extend(nodes.into_iter().map(Line::Node));
    }
    out
}

/// The plugins that filtered and scored any node, in the order they ran.
pub fn columns(cycle: &Cycle) -> (Vec<String>, Vec<(String, i64)>) {
    // The node that got furthest went through every filter that ran; others may add none.
    let mut filters: Vec<String> = Vec::new();
    let mut by_length: Vec<&NodeRecord> = cycle.nodes.iter().collect();
    by_length.sort_by_key(|n| std::cmp::Reverse(n.filters.len()));
    for node in by_length.iter().take(32) {
        let mut at = 0;
        for f in &node.filters {
            match filters.iter().position(|p| *p == f.plugin) {
                Some(i) => at = i + 1,
                None => {
                    filters.insert(at, f.plugin.clone());
                    at += 1;
                }
            }
        }
    }
    let scored = cycle.nodes.iter().max_by_key(|n| n.scores.len());
    let scores = scored.map(|n| n.scores.iter().map(|s| (s.plugin.clone(), s.weight)).collect()).unwrap_or_default();
    (filters, scores)
}

#[component]
pub fn Grid(p: &Props) -> Html {
    let ctx = use_ctx();
    let search = use_state(String::new);
    let sort = use_state(|| Sort::Total);
    let window = use_state(|| (0.0, 700.0));
    let frame = use_node_ref();
    let cycle = &p.cycle.0;
    let (filters, scores) = columns(cycle);
    let show_filters = p.phase.is_none_or(|p| matches!(p, Phase::Filter | Phase::PostFilter | Phase::PreFilter));
    let show_scores = p.phase.is_none_or(|p| p >= Phase::Score);
    let lines = {
        let deps = (p.cycle.clone(), (*search).clone(), *sort == Sort::Total);
        use_memo(deps, |(cycle, search, total)| lines(&cycle.0, search, if *total { Sort::Total } else { Sort::Name }))
    };
    let on_scroll = {
        let (window, frame) = (window.clone(), frame.clone());
        Callback::from(move |_: Event| {
            if let Some(frame) = frame.cast::<Element>() {
                window.set((f64::from(frame.scroll_top()), f64::from(frame.client_height())));
            }
        })
    };
    let oninput = {
        let search = search.clone();
        Callback::from(move |e: InputEvent| {
            if let Some(input) = e.target().and_then(|t| t.dyn_into::<HtmlInputElement>().ok()) {
                search.set(input.value());
            }
        })
    };
    let sort_by = |by: Sort| {
        let sort = sort.clone();
        Callback::from(move |_: MouseEvent| sort.set(by))
    };
    let (top, height) = *window;
    let first = ((top / ROW) as usize).saturating_sub(MARGIN).min(lines.len());
    let last = (first + (height / ROW) as usize + 2 * MARGIN + 2).min(lines.len());
    let winner = cycle.node.as_deref();
    let best = cycle.nodes.iter().filter_map(|n| n.total).max().unwrap_or(0);
    let rejected = cycle.nodes.iter().any(|n| rejection(n).is_some());
    let (show_filters, show_scores) = (show_filters && !filters.is_empty(), show_scores && !scores.is_empty());
    let (columns, width) =
        template(show_filters.then_some((filters.len(), rejected)), if show_scores { scores.len() } else { 0 });
    if cycle.nodes.is_empty() {
        let why = if cycle.thinned { ctx.t("grid.thinned") } else { ctx.t("grid.none") };
        return html! { <p class="empty">{ why }</p> };
    }
    html! {
        <div class="grid-box">
            <div class="grid-tools">
                <label class="filter"><Icon name="search" /><input type="search" data-testid="grid-search" placeholder={ctx.t("grid.search")} aria-label={ctx.t("grid.search")} value={(*search).clone()} {oninput} /></label>
                <span class="segments small">
                    <button aria-pressed={(*sort == Sort::Total).to_string()} onclick={sort_by(Sort::Total)}>{ ctx.t("grid.by-total") }</button>
                    <button aria-pressed={(*sort == Sort::Name).to_string()} onclick={sort_by(Sort::Name)}>{ ctx.t("grid.by-name") }</button>
                </span>
                <span class="grow" />
                <small class="num">{ ctx.tf("grid.count", &[("n", &cycle.nodes.len().to_string())]) }</small>
            </div>
            <div class="grid" role="grid" data-testid="grid" aria-rowcount={lines.len().to_string()} ref={frame} onscroll={on_scroll} style={format!("--columns:{columns};--width:{width}px")}>
                <div class={classes!("grid-head", (!show_filters).then_some("short"))} role="row">
                    <span role="columnheader">{ ctx.t("grid.node") }</span>
                    if show_filters {
                        { for filters.iter().map(|f| html! { <span role="columnheader" class="slanted" title={about(&ctx, f)}><span>{ f.clone() }</span></span> }) }
                        if rejected { <span role="columnheader">{ ctx.t("grid.reason") }</span> }
                    }
                    if show_scores {
                        { for scores.iter().map(|(s, w)| html! { <span role="columnheader" class="score-head" title={about(&ctx, s)}><b>{ s.clone() }</b><small class="num">{ format!("× {w}") }</small></span> }) }
                        <span role="columnheader" class="num">{ ctx.t("grid.total") }</span>
                    }
                </div>
                <div style={format!("height:{}px", first as f64 * ROW)} />
                { for lines[first..last].iter().map(|line| match line {
                    Line::Group(plugin, n) => {
                        let n = n.to_string();
                        let text = if plugin.is_empty() { ctx.tf("grid.feasible", &[("n", &n)]) } else { ctx.tf("grid.rejected", &[("n", &n), ("plugin", plugin)]) };
                        html! { <div class={classes!("grid-group", if plugin.is_empty() { "good" } else { "bad" })} role="row" key={format!("group {plugin}")}><span role="gridcell">{ text }</span></div> }
                    }
                    Line::Node(i) => {
                        let shown = Columns {
                            filters: if show_filters { &filters } else { &[] },
                            rejected,
                            scores: if show_scores { &scores } else { &[] },
                            phase: p.phase,
                        };
                        row(&ctx, &cycle.nodes[*i], winner, best, &shown)
                    }
                }) }
                <div style={format!("height:{}px", (lines.len() - last) as f64 * ROW)} />
            </div>
        </div>
    }
}

fn about(ctx: &Ctx, plugin: &str) -> String {
    match explain::plugin(ctx.lang, plugin) {
        Some(text) => format!("{plugin}\n{text}"),
        None => plugin.to_string(),
    }
}

/// The columns of one rendering.
struct Columns<'a> {
    filters: &'a [String],
    /// Some node was rejected, so there is a column for reasons.
    rejected: bool,
    scores: &'a [(String, i64)],
    phase: Option<Phase>,
}

/// The style sheet's column template, and the least width it needs in pixels: rows and head are grids of their own,
/// which line up because both are laid out in the same width.
fn template(filters: Option<(usize, bool)>, scores: usize) -> (String, usize) {
    let mut columns = String::from("minmax(120px, 1.2fr)");
    let mut width = 144;
    if let Some((n, rejected)) = filters {
        columns.push_str(&format!(" repeat({n}, 34px)"));
        width += n * 34;
        if rejected {
            columns.push_str(" minmax(120px, 2fr)");
            width += 120;
        }
    }
    if scores > 0 {
        columns.push_str(&format!(" repeat({scores}, minmax(112px, 1fr)) 64px"));
        width += scores * 112 + 64;
    }
    (columns, width)
}

fn row(ctx: &Ctx, n: &NodeRecord, winner: Option<&str>, best: i64, shown: &Columns) -> Html {
    let Columns { filters, rejected, scores, phase } = *shown;
    let won = winner == Some(&*n.name);
    let reasons = rejection(n).map(|(_, reasons)| reasons.join("; ")).unwrap_or_default();
    let id = kinds::node(&n.name);
    let open = {
        let ctx = ctx.clone();
        Callback::from(move |_: MouseEvent| ctx.inspect(id.clone()))
    };
    html! {
        <div class={classes!("grid-row", won.then_some("winner"))} role="row" key={n.name.clone()} data-testid={format!("grid-{}", n.name)}>
            <span role="rowheader"><button onclick={open}>if won { <Icon name="trophy" /> }{ n.name.clone() }</button></span>
            if !filters.is_empty() {
                { for filters.iter().map(|f| filter_cell(ctx, n, f)) }
                if rejected { <span role="gridcell" class="reason" title={reasons.clone()}>{ reasons.clone() }</span> }
            }
            if !scores.is_empty() {
                { for scores.iter().map(|(plugin, _)| score_cell(n.scores.iter().find(|s| s.plugin == *plugin), phase)) }
                <span role="gridcell" class={classes!("total", "num", (n.total == Some(best) && n.total.is_some()).then_some("best"))}>{ n.total.map_or("—".to_string(), |t| t.to_string()) }</span>
            }
        </div>
    }
}

fn filter_cell(ctx: &Ctx, n: &NodeRecord, plugin: &str) -> Html {
    let Some(f) = n.filters.iter().find(|f| f.plugin == plugin) else {
        return html! { <span role="gridcell" class="cell none" title={ctx.t("grid.not-run")}>{ "·" }</span> };
    };
    let (class, icon, word) = match f.verdict {
        Verdict::Pass => ("good", "check", ctx.t("verdict.pass")),
        Verdict::Skip => ("skip", "", ctx.t("verdict.skip")),
        _ => ("bad", "cross", ctx.t("verdict.unschedulable")),
    };
    let label =
        if f.reasons.is_empty() { format!("{plugin}: {word}") } else { format!("{plugin}: {}", f.reasons.join("; ")) };
    html! { <span role="gridcell" class={classes!("cell", class)} title={label.clone()} aria-label={label}>if icon.is_empty() { { "–" } } else { <Icon name={icon} /> }</span> }
}

/// Raw -> normalized x weight; the bar is the normalized score out of 100.
fn score_cell(score: Option<&ScoreRecord>, phase: Option<Phase>) -> Html {
    let Some(s) = score else {
        return html! { <span role="gridcell" class="cell none">{ "·" }</span> };
    };
    let raw_only = phase == Some(Phase::Score);
    let shown = if raw_only { s.raw } else { s.normalized };
    let text = if raw_only {
        s.raw.to_string()
    } else if s.raw == s.normalized {
        format!("{} × {} = {}", s.normalized, s.weight, s.weighted)
    } else {
        format!("{} → {} × {} = {}", s.raw, s.normalized, s.weight, s.weighted)
    };
    html! {
        <span role="gridcell" class="score" title={text.clone()}>
            <span class="score-track"><span style={format!("width:{:.0}%", format::percent(shown, 100))} /></span>
            <span class="num">
                if raw_only { { s.raw } } else { if s.raw != s.normalized { <small>{ s.raw }{ " → " }</small> }{ s.normalized }<small>{ format!(" = {}", s.weighted) }</small> }
            </span>
        </span>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::cycle::FilterRecord;

    fn node(name: &str, total: Option<i64>, filters: &[(&str, Verdict)]) -> NodeRecord {
        let filters = filters
            .iter()
            .map(|(p, v)| FilterRecord { plugin: (*p).into(), verdict: *v, reasons: Vec::new() })
            .collect();
        NodeRecord { name: name.into(), total, filters, ..NodeRecord::default() }
    }
    fn cycle() -> Cycle {
        use Verdict::*;
        let nodes = vec![
            node("a", Some(10), &[("Taint", Pass), ("Fit", Pass)]),
            node("b", None, &[("Taint", Unresolvable)]),
            node("c", Some(30), &[("Taint", Pass), ("Fit", Pass)]),
            node("d", None, &[("Taint", Pass), ("Fit", Unschedulable)]),
            node("e", None, &[("Taint", Pass), ("Fit", Unschedulable)]),
        ];
        Cycle { node: Some("c".into()), nodes, ..Cycle::default() }
    }

    #[test]
    fn feasible_nodes_come_first_then_rejections_by_number() {
        let c = cycle();
        let text: Vec<String> = lines(&c, "", Sort::Total)
            .into_iter()
            .map(|l| match l {
                Line::Group(plugin, n) => format!("[{plugin} {n}]"),
                Line::Node(i) => c.nodes[i].name.clone(),
            })
            .collect();
        assert_eq!(text.join(" "), "[ 2] c a [Fit 2] d e [Taint 1] b");
        assert_eq!(lines(&c, "E", Sort::Name), [Line::Group("Fit".into(), 1), Line::Node(4)]);
    }

    #[test]
    fn columns_follow_the_order_plugins_ran_in() {
        assert_eq!(columns(&cycle()).0, ["Taint", "Fit"]);
    }
}
