//! A scheduling decision: the phases to step along, the grid of nodes and plugins, and what it came to, in words.

mod cell_card;
mod cells;
mod facts;
mod fixes;
mod grid;
mod guess;
mod head;
mod held;
mod now;
mod phases;
mod preemption;
mod strip;
mod table;
mod tools;
mod walk;
mod words;

use crate::ctx::use_ctx;
use crate::model::Topic;
use crate::ui::Action;
use grid::Grid;
use guess::Guess;
use head::Head;
use held::{HeldNow, Rail};
use protocol::CycleView;
use protocol::debug::Held;
use std::rc::Rc;
use strip::Strip;
use walk::Walk;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};
use words::Words;

pub use fixes::{FixList, short};
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub version: u64,
    /// Of the list of cycles.
    pub list: u64,
    /// Of the nodes.
    pub nodes: u64,
    /// Of what was asked.
    pub answers: u64,
    /// Of the debugger.
    pub debugger: u64,
    /// The chosen one; none while the newest is followed.
    pub cycle: Option<u64>,
    pub follow: bool,
    /// The learner picks a node before the verdicts are shown.
    pub guess: bool,
}

/// A view never changes; one with more rows is another.
#[derive(Clone)]
pub struct ViewRef(pub Rc<CycleView>);

impl PartialEq for ViewRef {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

/// A cell of the table, to be looked at in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    pub node: String,
    pub part: Part,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Filter(String),
    Score(String),
    Total,
}

impl Cell {
    fn filter(node: &str, plugin: &str) -> Cell {
        Cell { node: node.into(), part: Part::Filter(plugin.into()) }
    }
    fn score(node: &str, plugin: &str) -> Cell {
        Cell { node: node.into(), part: Part::Score(plugin.into()) }
    }
    fn total(node: &str) -> Cell {
        Cell { node: node.into(), part: Part::Total }
    }
    fn is_filter(&self, node: &str, plugin: &str) -> bool {
        self.node == node && matches!(&self.part, Part::Filter(p) if p == plugin)
    }
    fn is_score(&self, node: &str, plugin: &str) -> bool {
        self.node == node && matches!(&self.part, Part::Score(p) if p == plugin)
    }
    fn is_total(&self, node: &str) -> bool {
        self.node == node && self.part == Part::Total
    }
}

#[component]
pub fn Decision(p: &Props) -> Html {
    let ctx = use_ctx();
    let model = ctx.model.get();
    let held = model.debugger.held.clone().map(Rc::new);
    // What is held takes the place of what was chosen.
    let wanted = held.as_ref().map(|h| h.seq).or(p.cycle);
    let shown = model.cycle.as_ref().filter(|c| wanted.is_none_or(|seq| c.seq == seq));
    let head = html! { <Head list={p.list} shown={shown.map(|c| c.seq).or(p.cycle)} follow={p.follow} guess={p.guess} held={held.as_ref().map(|h| (h.seq, AttrValue::from(format!("{}/{}", h.pod.namespace, h.pod.name))))} /> };
    let Some(cycle) = shown else {
        let text = if model.cycles.is_empty() { ctx.t("decision.empty") } else { ctx.t("decision.waiting") };
        return html! { <div class="decision" data-testid="decision">{ head }<div class="stage-message"><p>{ text }</p></div></div> };
    };
    html! {
        <div class="decision" data-testid="decision" data-cycle={cycle.seq.to_string()}>
            { head }
            <Shown key={cycle.seq} seq={cycle.seq} cycle={ViewRef(cycle.clone())} {held} guess={p.guess} follow={p.follow} nodes={if p.guess { p.nodes } else { 0 }} list={p.list} answers={p.answers} />
        </div>
    }
}

#[derive(PartialEq, Properties)]
struct ShownProps {
    seq: u64,
    cycle: ViewRef,
    held: Option<Rc<Held>>,
    guess: bool,
    follow: bool,
    nodes: u64,
    list: u64,
    answers: u64,
}

/// One decision. What was walked, picked or opened is forgotten with it.
#[component]
fn Shown(p: &ShownProps) -> Html {
    let ctx = use_ctx();
    let walk = use_state_eq(|| None::<Walk>);
    let open = use_state_eq(|| None::<Cell>);
    let picked = use_state_eq(|| None::<AttrValue>);
    let revealed = use_state_eq(|| false);
    let held = p.held.clone().filter(|h| h.seq == p.seq);
    let hidden = held.as_ref().map_or(p.guess && !*revealed, |h| h.hidden);
    // Who looks closer at a decision keeps it: the next one does not replace it.
    let stay = {
        let (ctx, seq, follow) = (ctx.clone(), p.seq, p.follow);
        move || {
            if follow {
                ctx.act(Action::Cycle(seq));
            }
        }
    };
    let on_walk = {
        let (walk, open, stay) = (walk.clone(), open.clone(), stay.clone());
        Callback::from(move |w: Option<Walk>| {
            stay();
            open.set(None);
            walk.set(w);
        })
    };
    let on_open = {
        let (open, stay) = (open.clone(), stay.clone());
        Callback::from(move |cell: Cell| {
            stay();
            open.set(if open.as_ref() == Some(&cell) { None } else { Some(cell) });
        })
    };
    let on_pick = {
        let (picked, stay) = (picked.clone(), stay.clone());
        Callback::from(move |node: String| {
            stay();
            picked.set(Some(node.into()));
        })
    };
    let on_reveal = {
        let (revealed, picked, ctx) = (revealed.clone(), picked.clone(), ctx.clone());
        let ask = held.as_ref().is_some_and(|h| h.hidden);
        Callback::from(move |()| {
            revealed.set(true);
            if ask {
                let node = picked.as_deref().unwrap_or_default().to_string();
                ctx.act(Action::Ask(Topic::Pick, protocol::Debug::Pick { node }));
            }
        })
    };
    let close = {
        let open = open.clone();
        Callback::from(move |()| open.set(None))
    };
    let body = use_node_ref();
    let onkeydown = {
        let (open, body) = (open.clone(), body.clone());
        Callback::from(move |e: KeyboardEvent| {
            if e.key() != "Escape" || open.is_none() {
                return;
            }
            e.prevent_default();
            e.stop_propagation();
            open.set(None);
            // What had the focus may go with the card.
            let grid = body.cast::<Element>().and_then(|b| b.query_selector("[role=grid]").ok().flatten());
            if let Some(grid) = grid.and_then(|g| g.dyn_into::<HtmlElement>().ok()) {
                let _ = grid.focus();
            }
        })
    };
    let cycle = &p.cycle;
    let quiz = (p.guess || hidden || *revealed).then(|| {
        html! { <Guess cycle={cycle.clone()} picked={(*picked).clone()} {hidden} {on_reveal} on_pick={on_pick.clone()} nodes={p.nodes} fetched={p.answers} /> }
    });
    html! {
        <>
            if let Some(held) = &held { <Rail held={held.clone()} /> } else { <Strip cycle={cycle.clone()} walk={*walk} {hidden} on={on_walk.clone()} /> }
            <div class="decision-body" ref={body} {onkeydown}>
                <div class="decision-main">
                    if let Some(held) = &held { <HeldNow held={held.clone()} /> }
                    if let Some(walk) = (*walk).filter(|_| !hidden) { <now::Now cycle={cycle.clone()} {walk} /> }
                    <Grid cycle={cycle.clone()} at={held.as_ref().map(|h| AttrValue::from(h.at.node.clone()))} walk={*walk} {hidden} picked={(*picked).clone()} {on_pick} open={(*open).clone()} {on_open} nodes={if hidden { p.nodes } else { 0 }} />
                </div>
                <aside class="words" data-testid="explanation" aria-label={ctx.t("decision.words")}>
                    if let Some(cell) = (*open).clone().filter(|_| !hidden) { <cell_card::CellCard cycle={cycle.clone()} {cell} on_close={close} answers={p.answers} /> }
                    { quiz }
                    if !hidden { <Words cycle={cycle.clone()} seq={p.seq} walk={*walk} list={p.list} answers={p.answers} /> }
                </aside>
            </div>
        </>
    }
}
