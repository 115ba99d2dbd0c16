//! Nodes in rows, plugins in columns in the order they ran. Only the rows in sight are in the page.

use super::cells::{Columns, Frame, Said, Score, filter_cell, score_cell};
use super::facts;
use super::table::{Ask, Group, GroupBy, Line, Sort, refusal, table};
use super::tools::{self, Tools};
use super::walk::{Seen, Walk};
use super::{Cell, ViewRef};
use crate::ctx::{Ctx, use_ctx};
use crate::i18n::explain;
use crate::views::icon::Icon;
use protocol::{CycleView, Row};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};
use yew::prelude::*;

/// The height of a row in pixels; the style sheet has the same (`--row`).
const ROW: f64 = 38.0;
/// Rows kept above and below what is in sight.
const MARGIN: usize = 6;
/// Rows before the height of the frame is known.
const FIRST_ROWS: usize = 24;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub cycle: ViewRef,
    pub walk: Option<Walk>,
    /// Of a held cycle: the node of the newest call, if it was for one.
    pub at: Option<AttrValue>,
    /// The verdicts are hidden: the learner picks a node first.
    pub hidden: bool,
    pub picked: Option<AttrValue>,
    pub on_pick: Callback<String>,
    /// The cell that is shown in full beside the table.
    pub open: Option<Cell>,
    pub on_open: Callback<Cell>,
    /// Of the nodes: while the learner picks, their facts are shown.
    pub nodes: u64,
}

/// What a column is; the table's head, its cells and the keys agree on the list.
#[derive(Clone, PartialEq)]
pub(super) enum Column {
    Node,
    /// By its place in the cycle's list.
    Filter(usize, String),
    Reason,
    Score(usize, String, i64),
    Total,
    Fact(&'static str),
}

fn columns_of(p: &Props) -> Vec<Column> {
    let cycle = &p.cycle.0;
    let mut all = vec![Column::Node];
    if p.hidden {
        all.extend(facts::COLUMNS.iter().map(|c| Column::Fact(c)));
        return all;
    }
    if p.walk.is_none_or(|w| w.phase.filters()) {
        all.extend(cycle.filters.iter().cloned().enumerate().map(|(i, plugin)| Column::Filter(i, plugin)));
        if cycle.groups.iter().any(|g| !g.plugin.is_empty()) {
            all.push(Column::Reason);
        }
    }
    if p.walk.is_none_or(|w| w.phase.scores()) {
        let scorers = cycle.scorers.iter().cloned().enumerate();
        all.extend(scorers.map(|(i, (plugin, weight))| Column::Score(i, plugin, weight)));
        if !cycle.scorers.is_empty() {
            all.push(Column::Total);
        }
    }
    all
}

#[component]
pub fn Grid(p: &Props) -> Html {
    let ctx = use_ctx();
    let ask = use_state(Ask::default);
    let (first, rows) = (use_state_eq(|| 0usize), use_state_eq(|| FIRST_ROWS));
    let active = use_state_eq(|| (0usize, 0usize));
    let frame = use_node_ref();
    let cycle = &p.cycle.0;
    let mut seen = if p.hidden { Seen::NOTHING } else { Seen::at(cycle, p.walk) };
    if let Some(at) = &p.at {
        seen.current = cycle.rows.iter().position(|r| *r.node == **at);
    }
    // Groups would tell what is not to be seen yet; the order in which nodes are looked at does not.
    let plain = p.hidden || p.walk.is_some() || cycle.upto.is_some();
    let asked = if plain {
        Ask { by: GroupBy::Nothing, sort: Sort::Visited, only: None, reversed: false, ..(*ask).clone() }
    } else {
        (*ask).clone()
    };
    let table = use_memo((p.cycle.clone(), asked), |(cycle, ask)| table(&cycle.0, ask));
    let deps =
        (p.cycle.clone(), p.hidden, p.walk.is_none_or(|w| w.phase.filters()), p.walk.is_none_or(|w| w.phase.scores()));
    let columns = use_memo(deps, |_| columns_of(p));
    let seen_order = use_memo(
        (p.cycle.clone(), plain),
        |(cycle, plain)| if *plain { Order::of(&cycle.0) } else { Order::default() },
    );
    {
        // A new table begins at its top; the frame tells its height once it is there.
        let (frame, first, rows, active) = (frame.clone(), first.clone(), rows.clone(), active.clone());
        use_effect_with((p.cycle.clone(), p.hidden), move |_| {
            active.set((0, 0));
            if let Some(frame) = frame.cast::<Element>() {
                frame.set_scroll_top(0);
                look(&frame, &first, &rows);
            }
        });
    }
    {
        // The step that was just made stays in sight.
        let (frame, table) = (frame.clone(), table.clone());
        use_effect_with(seen.current, move |current| {
            let line = current.and_then(|i| table.lines.iter().position(|l| *l == Line::Node(i)));
            if let (Some(frame), Some(line)) = (frame.cast::<Element>(), line) {
                into_sight(&frame, line);
            }
        });
    }
    let on_scroll = {
        let (first, rows, frame) = (first.clone(), rows.clone(), frame.clone());
        Callback::from(move |_: Event| {
            if let Some(frame) = frame.cast::<Element>() {
                look(&frame, &first, &rows);
            }
        })
    };
    if cycle.rows.is_empty() {
        let why = if cycle.thinned { ctx.t("grid.thinned") } else { ctx.t("grid.none") };
        return html! { <p class="empty">{ why }</p> };
    }
    let begin = first.saturating_sub(MARGIN).min(table.lines.len());
    let end = (*first + *rows + MARGIN).min(table.lines.len());
    let (row, column) =
        (active.0.min(table.lines.len().saturating_sub(1)), active.1.min(columns.len().saturating_sub(1)));
    let do_open = {
        let (cycle, columns, table) = (p.cycle.clone(), columns.clone(), table.clone());
        let (on_open, on_pick, hidden, ctx) = (p.on_open.clone(), p.on_pick.clone(), p.hidden, ctx.clone());
        Callback::from(move |(row, column): (usize, usize)| {
            let Some(Line::Node(i)) = table.lines.get(row) else { return };
            let node = cycle.0.rows[*i].node.clone();
            match columns.get(column) {
                _ if hidden => on_pick.emit(node),
                Some(Column::Node) => ctx.inspect(crate::model::kinds::node(&node)),
                Some(Column::Filter(_, plugin)) => on_open.emit(Cell::filter(&node, plugin)),
                Some(Column::Score(_, plugin, _)) => on_open.emit(Cell::score(&node, plugin)),
                Some(Column::Reason) => {
                    if let Some(group) = refusal(&cycle.0, &cycle.0.rows[*i]) {
                        on_open.emit(Cell::filter(&node, &group.plugin));
                    }
                }
                Some(Column::Total) => on_open.emit(Cell::total(&node)),
                _ => {}
            }
        })
    };
    let onkeydown = {
        let (active, frame, do_open) = (active.clone(), frame.clone(), do_open.clone());
        let (lines, width, page) = (table.lines.len(), columns.len(), rows.saturating_sub(3).max(1));
        Callback::from(move |e: KeyboardEvent| {
            // Buttons in the head have keys of their own.
            let own = e.target().and_then(|t| t.dyn_into::<Element>().ok()).is_some_and(|t| t.tag_name() == "BUTTON");
            if own {
                return;
            }
            let (last, end) = (lines.saturating_sub(1), width.saturating_sub(1));
            let next = match e.key().as_str() {
                "ArrowDown" => ((row + 1).min(last), column),
                "ArrowUp" => (row.saturating_sub(1), column),
                "ArrowRight" if !e.shift_key() => (row, (column + 1).min(end)),
                "ArrowLeft" => (row, column.saturating_sub(1)),
                "PageDown" => ((row + page).min(last), column),
                "PageUp" => (row.saturating_sub(page), column),
                "Home" if e.ctrl_key() => (0, 0),
                "End" if e.ctrl_key() => (last, end),
                "Home" => (row, 0),
                "End" => (row, end),
                "Enter" | " " => {
                    e.prevent_default();
                    e.stop_propagation();
                    do_open.emit((row, column));
                    return;
                }
                _ => return,
            };
            e.prevent_default();
            e.stop_propagation();
            active.set(next);
            if let Some(frame) = frame.cast::<Element>() {
                into_sight(&frame, next.0);
            }
        })
    };
    let onclick = {
        let (active, frame, do_open) = (active.clone(), frame.clone(), do_open.clone());
        Callback::from(move |at: (usize, usize)| {
            active.set(at);
            if let Some(frame) = frame.cast::<HtmlElement>() {
                let _ = frame.focus();
            }
            do_open.emit(at);
        })
    };
    let (template, width) = template(&columns);
    let has_filters = columns.iter().any(|c| matches!(c, Column::Filter(..)));
    let best = cycle.rows.iter().filter_map(|r| r.total).max();
    let shown = Columns {
        seen,
        best,
        winner: Some(cycle.node.as_str()).filter(|n| seen.winner && !n.is_empty()),
        walk: p.walk,
    };
    let descendant = format!("cell-{row}-{column}");
    html! {
        <div class="grid-box">
            <Tools ask={(*ask).clone()} groups={Rc::new(if plain { Vec::new() } else { table.groups.clone() })} count={cycle.rows_total} {plain}
                on={let ask = ask.clone(); Callback::from(move |a| ask.set(a))} />
            <div class="grid" role="grid" tabindex="0" data-testid="grid" aria-label={ctx.t("grid.label")} aria-rowcount={(table.lines.len() + 1).to_string()} aria-colcount={columns.len().to_string()}
                aria-activedescendant={descendant} ref={frame} onscroll={on_scroll} {onkeydown} style={format!("--columns:{template};--width:{width}px")}>
                { head(&ctx, &columns, has_filters, &ask, plain) }
                <div style={format!("height:{}px", begin as f64 * ROW)} />
                { for table.lines[begin..end].iter().enumerate().map(|(i, line)| {
                    let at = begin + i;
                    match line {
                        Line::Group(group) => group_row(&ctx, group, ask.by, at, at == row),
                        Line::Node(i) => {
                            let view = RowView {
                                ctx: &ctx, cycle, row: &cycle.rows[*i], columns: &columns, shown: &shown, at, active: (at == row).then_some(column),
                                order: (seen_order.filter(*i), seen_order.score(*i)), current: seen.current == Some(*i),
                                picked: p.picked.as_deref() == Some(&*cycle.rows[*i].node), hidden: p.hidden, open: p.open.as_ref(), onclick: &onclick,
                            };
                            node_row(&view)
                        }
                    }
                }) }
                <div style={format!("height:{}px", (table.lines.len() - end) as f64 * ROW)} />
                if table.lines.is_empty() { <p class="empty" data-testid="grid-nothing">{ ctx.t("grid.nothing") }</p> }
            </div>
        </div>
    }
}

/// At which place each node was filtered and scored, for tables that are not full yet.
#[derive(Default, PartialEq)]
struct Order {
    filters: Vec<usize>,
    scores: Vec<usize>,
}

impl Order {
    fn of(cycle: &CycleView) -> Order {
        let places = |list: &mut dyn Iterator<Item = usize>| {
            let mut out = vec![usize::MAX; cycle.rows.len()];
            for (place, i) in list.enumerate() {
                out[i] = place;
            }
            out
        };
        Order { filters: places(&mut super::walk::filtered(cycle)), scores: places(&mut super::walk::scored(cycle)) }
    }
    fn filter(&self, node: usize) -> usize {
        self.filters.get(node).copied().unwrap_or(0)
    }
    fn score(&self, node: usize) -> usize {
        self.scores.get(node).copied().unwrap_or(0)
    }
}

/// Which lines are in sight.
fn look(frame: &Element, first: &UseStateHandle<usize>, rows: &UseStateHandle<usize>) {
    first.set((f64::from(frame.scroll_top()) / ROW) as usize);
    rows.set((f64::from(frame.client_height()) / ROW) as usize + 2);
}

/// The head lies over the rows, at the top of the frame.
fn into_sight(frame: &Element, line: usize) {
    let head = frame.first_element_child().map_or(0, |h| h.client_height());
    let (top, row) = ((line as f64 * ROW) as i32, ROW as i32);
    if top < frame.scroll_top() {
        frame.set_scroll_top(top);
    } else if top + row + head > frame.scroll_top() + frame.client_height() {
        frame.set_scroll_top(top + row + head - frame.client_height());
    }
}

fn head(ctx: &Ctx, columns: &[Column], tall: bool, ask: &UseStateHandle<Ask>, plain: bool) -> Html {
    let sorted = |sort: Sort, label: Html, testid: String| {
        let on = (ask.sort == sort && !plain).then_some(if ask.reversed { "ascending" } else { "descending" });
        let (ask, name) = (ask.clone(), sort.clone());
        let onclick = Callback::from(move |_: MouseEvent| {
            let reversed = ask.sort == name && !ask.reversed;
            ask.set(Ask { sort: name.clone(), reversed, ..(*ask).clone() });
        });
        let mark = match on {
            Some("ascending") => "▴",
            Some(_) => "▾",
            None => "",
        };
        (
            on,
            html! { <button class="sort" disabled={plain} data-testid={testid} title={ctx.t("grid.sort")} {onclick}>{ label }<span class="sort-mark" aria-hidden="true">{ mark }</span></button> },
        )
    };
    html! {
        <div class={classes!("grid-head", (!tall).then_some("short"))} role="row" aria-rowindex="1">
            { for columns.iter().map(|c| match c {
                Column::Node => {
                    let (on, button) = sorted(Sort::Name, html! { { ctx.t("grid.node") } }, "sort-name".into());
                    html! { <span role="columnheader" aria-sort={on}>{ button }</span> }
                }
                Column::Filter(_, f) => html! { <span role="columnheader" class="slanted" title={about(ctx, f)}><span>{ f.clone() }</span></span> },
                Column::Reason => html! { <span role="columnheader">{ ctx.t("grid.reason") }</span> },
                Column::Score(_, s, w) => {
                    let label = html! { <><b>{ breakable(s) }</b><small class="num">{ format!("× {w}") }</small></> };
                    let (on, button) = sorted(Sort::Score(s.clone()), label, format!("sort-{s}"));
                    html! { <span role="columnheader" class="score-head" aria-sort={on} title={about(ctx, s)}>{ button }</span> }
                }
                Column::Total => {
                    let (on, button) = sorted(Sort::Total, html! { { ctx.t("grid.total") } }, "sort-total".into());
                    html! { <span role="columnheader" class="total num" aria-sort={on}>{ button }</span> }
                }
                Column::Fact(code) => html! { <span role="columnheader">{ ctx.find(&format!("fact.column.{code}")).unwrap_or(code) }</span> },
            }) }
        </div>
    }
}

/// A plugin's name that may be broken between its words.
fn breakable(name: &str) -> Html {
    let mut parts: Vec<String> = Vec::new();
    for c in name.chars() {
        match parts.last_mut().filter(|p| !c.is_uppercase() || p.ends_with(char::is_uppercase)) {
            Some(part) => part.push(c),
            None => parts.push(c.into()),
        }
    }
    html! { { for parts.into_iter().map(|part| html! { <>{ part }<wbr /></> }) } }
}

fn about(ctx: &Ctx, plugin: &str) -> String {
    match explain::plugin(ctx.lang, plugin) {
        Some(text) => format!("{plugin}\n{text}"),
        None => plugin.to_string(),
    }
}

/// The style sheet's column template, and the least width it needs in pixels: rows and head are grids of their own,
/// which line up because both are laid out in the same width.
fn template(columns: &[Column]) -> (String, usize) {
    let mut out = String::new();
    let mut width = 24;
    for c in columns {
        let (least, track) = match c {
            Column::Node => (130, "minmax(130px, 1.2fr)"),
            Column::Filter(..) => (34, "34px"),
            Column::Reason => (130, "minmax(130px, 2fr)"),
            Column::Score(..) => (112, "minmax(112px, 1fr)"),
            Column::Total => (64, "64px"),
            Column::Fact("taints") => (110, "minmax(110px, 1.6fr)"),
            Column::Fact("pods" | "zone") => (64, "minmax(64px, 0.6fr)"),
            Column::Fact(_) => (104, "minmax(104px, 1fr)"),
        };
        width += least;
        out.push_str(track);
        out.push(' ');
    }
    (out, width)
}

fn group_row(ctx: &Ctx, group: &Group, by: GroupBy, at: usize, active: bool) -> Html {
    let good = group.key.is_empty();
    html! {
        <div class={classes!("grid-group", if good { "good" } else { "bad" }, active.then_some("active"))} role="row" key={format!("group {}", group.key)} aria-rowindex={(at + 2).to_string()}>
            <span role="gridcell" id={active.then(|| format!("cell-{at}-0"))}>{ tools::title(ctx, group, by) }</span>
        </div>
    }
}

struct RowView<'a> {
    ctx: &'a Ctx,
    cycle: &'a CycleView,
    row: &'a Row,
    columns: &'a [Column],
    shown: &'a Columns<'a>,
    /// The line's number, and the column that keys are on.
    at: usize,
    active: Option<usize>,
    /// The node's place among those that were filtered, and scored.
    order: (usize, usize),
    current: bool,
    picked: bool,
    hidden: bool,
    open: Option<&'a Cell>,
    onclick: &'a Callback<(usize, usize)>,
}

fn node_row(v: &RowView) -> Html {
    let RowView { ctx, cycle, row: n, shown, at, .. } = *v;
    let won = shown.winner == Some(&*n.node);
    let filtered = v.order.0 < shown.seen.filtered;
    let reasons = refusal(cycle, n).filter(|_| filtered).map(|g| g.reasons.join("; ")).unwrap_or_default();
    let total = n.total.filter(|_| shown.seen.totals);
    html! {
        <div class={classes!("grid-row", won.then_some("winner"), v.current.then_some("current"), v.picked.then_some("picked"))} role="row" key={n.node.clone()}
            data-testid={format!("grid-{}", n.node)} aria-rowindex={(at + 2).to_string()} aria-selected={v.hidden.then(|| v.picked.to_string())}>
            { for v.columns.iter().enumerate().map(|(c, column)| {
                let id = (v.active == Some(c)).then(|| format!("cell-{at}-{c}"));
                let onclick = { let on = v.onclick.clone(); Callback::from(move |_: MouseEvent| on.emit((at, c))) };
                let active = v.active == Some(c);
                let mark = |open: bool| classes!(active.then_some("active"), open.then_some("open"));
                match column {
                    Column::Node => html! {
                        <span role="rowheader" class={mark(false)} {id} {onclick}>
                            if v.hidden { <span class="pick" aria-hidden="true">if v.picked { <Icon name="check" /> }</span> }
                            if won { <Icon name="trophy" /> }<span class="row-name">{ n.node.clone() }</span>
                        </span>
                    },
                    Column::Filter(i, plugin) => {
                        // A held cycle has not come to it yet, unless a filter before it refused the node.
                        let later = cycle.upto.is_some() && reasons.is_empty() && n.filters.get(*i).copied().flatten().is_none();
                        let class = mark(v.open.is_some_and(|o| o.is_filter(&n.node, plugin)));
                        filter_cell(ctx, &Said { plugin, verdict: n.filters.get(*i).copied().flatten(), reasons: &reasons, seen: filtered && !later }, Frame { class, id, onclick })
                    }
                    Column::Reason => html! { <span role="gridcell" class={classes!("reason", mark(false))} title={reasons.clone()} {id} {onclick}>{ reasons.clone() }</span> },
                    Column::Score(i, plugin, _) => {
                        let class = mark(v.open.is_some_and(|o| o.is_score(&n.node, plugin)));
                        let mut score = Score::of(cycle, n, *i).filter(|_| v.order.1 < shown.seen.scored);
                        if let Some(s) = score.as_mut().filter(|_| *i >= shown.seen.normalized) {
                            s.normalized = None;
                        }
                        score_cell(ctx, score, shown.walk, cycle.upto.is_some() && reasons.is_empty(), Frame { class, id, onclick })
                    }
                    Column::Total => html! {
                        <span role="gridcell" class={classes!("total", "num", (total.is_some() && total == shown.best).then_some("best"), mark(v.open.is_some_and(|o| o.is_total(&n.node))))} {id} {onclick}>
                            { total.map_or_else(|| if shown.seen.totals && cycle.upto.is_none() { "—" } else { "" }.to_string(), |t| t.to_string()) }</span>
                    },
                    Column::Fact(code) => html! { <span role="gridcell" class={classes!("fact", mark(false))} {id} {onclick}>{ facts::cell(ctx, &n.node, code) }</span> },
                }
            }) }
        </div>
    }
}
