//! The objects. The frame is as high as all of them; those in sight are asked for and drawn.

use super::ListRef;
use crate::ctx::{Ctx, use_ctx};
use crate::ui::Action;
use crate::views::sign::Sign;
use protocol::{Listing, ObjectId, ObjectRow};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};
use yew::prelude::*;

/// The height of a row in pixels; the style sheet has the same (`--row`).
const ROW: f64 = 38.0;
/// Rows before the height of the frame is known.
const FIRST_ROWS: usize = 24;
/// Rows that are asked for at once, and of these so many before the first in sight.
pub const WINDOW: usize = 120;
const BEFORE: usize = 40;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub list: ListRef,
    pub listing: Listing,
    pub selected: Option<ObjectId>,
}

#[component]
pub fn Rows(p: &Props) -> Html {
    let ctx = use_ctx();
    let list = &p.list.0;
    let here = list.asked.same_objects(&p.listing);
    let (first, rows) = (use_state_eq(|| 0usize), use_state_eq(|| FIRST_ROWS));
    let active = use_state_eq(|| 0usize);
    let frame = use_node_ref();
    let question = Listing { offset: 0, limit: 0, ..p.listing.clone() };
    {
        // Another list begins at its top.
        let (frame, first, rows, active) = (frame.clone(), first.clone(), rows.clone(), active.clone());
        use_effect_with(question, move |_| {
            active.set(0);
            if let Some(frame) = frame.cast::<Element>() {
                frame.set_scroll_top(0);
                look(&frame, &first, &rows);
            }
        });
    }
    {
        // What comes into sight and is not there is asked for.
        let (ctx, listing) = (ctx.clone(), p.listing.clone());
        // Where another list's rows were in sight says nothing about this one's.
        let deps = (*first, *rows, list.total, p.listing.offset, here);
        use_effect_with(deps, move |(first, rows, total, offset, here)| {
            let end = (first + rows).min(*total);
            if *here && (*first < *offset || end > offset + WINDOW) {
                let offset = first.saturating_sub(BEFORE);
                ctx.act(Action::List(Listing { offset, limit: WINDOW, ..listing }));
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
    let at = (*active).min(list.total.saturating_sub(1));
    let row_at = |i: usize| i.checked_sub(list.asked.offset).and_then(|i| list.rows.get(i)).filter(|_| here);
    let onkeydown = {
        let (active, frame, ctx) = (active.clone(), frame.clone(), ctx.clone());
        let (last, page) = (list.total.saturating_sub(1), rows.saturating_sub(2).max(1));
        let current = row_at(at).map(|r| r.id.clone());
        Callback::from(move |e: KeyboardEvent| {
            let to = match e.key().as_str() {
                "ArrowDown" => (at + 1).min(last),
                "ArrowUp" => at.saturating_sub(1),
                "PageDown" => (at + page).min(last),
                "PageUp" => at.saturating_sub(page),
                "Home" => 0,
                "End" => last,
                "Enter" | " " => {
                    e.prevent_default();
                    e.stop_propagation();
                    if let Some(id) = current.clone() {
                        ctx.inspect(id);
                    }
                    return;
                }
                _ => return,
            };
            e.prevent_default();
            e.stop_propagation();
            active.set(to);
            if let Some(frame) = frame.cast::<Element>() {
                into_sight(&frame, to);
            }
        })
    };
    let onclick = {
        let (active, frame, ctx) = (active.clone(), frame.clone(), ctx.clone());
        Callback::from(move |(i, id): (usize, ObjectId)| {
            active.set(i);
            if let Some(frame) = frame.cast::<HtmlElement>() {
                let _ = frame.focus();
            }
            ctx.inspect(id);
        })
    };
    let all = p.listing.kind.is_empty();
    let namespaced = all || list.kinds.iter().find(|k| super::is_chosen(k, &p.listing)).is_some_and(|k| k.namespaced);
    let shape = Shape { all, namespaced, columns: if here { &list.columns } else { &[] } };
    let total = list.total;
    let begin = first.saturating_sub(4).min(total);
    let end = (*first + *rows + 4).min(total);
    html! {
        <div class={classes!("grid", "object-rows", (!here).then_some("stale"))} role="grid" tabindex="0" ref={frame} data-testid="object-rows" aria-label={ctx.t("objects.label")}
            aria-rowcount={(total + 1).to_string()} aria-colcount={shape.width().to_string()} aria-activedescendant={format!("object-{at}")} aria-busy={(!here).to_string()}
            onscroll={on_scroll} {onkeydown} style={shape.style()}>
            { shape.head(&ctx) }
            <div style={format!("height:{}px", begin as f64 * ROW)} />
            { for (begin..end).map(|i| match row_at(i) {
                Some(row) => shape.row(&ctx, row, i, i == at, p.selected.as_ref() == Some(&row.id), &onclick),
                None => html! { <div key={i} class="grid-row waiting-row" role="row" aria-rowindex={(i + 2).to_string()}><span role="gridcell">{ "…" }</span></div> },
            }) }
            <div style={format!("height:{}px", (total - end) as f64 * ROW)} />
        </div>
    }
}

/// Which columns there are.
struct Shape<'a> {
    all: bool,
    namespaced: bool,
    columns: &'a [String],
}

impl Shape<'_> {
    fn width(&self) -> usize {
        2 + usize::from(self.all) + usize::from(self.namespaced) + self.columns.len()
    }

    /// Columns and the least width of all of them. Upstream's columns are mostly short words and numbers.
    fn style(&self) -> String {
        let mut template = String::from("minmax(13rem,2.2fr)");
        let mut least = 13.0 + 10.0;
        if self.all {
            template.push_str(" minmax(9rem,1.2fr)");
            least += 9.0;
        }
        if self.namespaced {
            template.push_str(" minmax(7rem,1fr)");
            least += 7.0;
        }
        for _ in self.columns {
            template.push_str(" minmax(5.2rem,1fr)");
            least += 5.2;
        }
        template.push_str(" minmax(10rem,1.6fr)");
        format!("--columns:{template};--width:{least}rem")
    }

    fn head(&self, ctx: &Ctx) -> Html {
        let own = |text: &'static str| html! { <span role="columnheader">{ text }</span> };
        html! {
            <div class="grid-head short object-head-row" role="row" aria-rowindex="1">
                { own(ctx.t("objects.column.name")) }
                if self.all { { own(ctx.t("objects.column.kind")) } }
                if self.namespaced { { own(ctx.t("objects.column.namespace")) } }
                { for self.columns.iter().map(|c| html! { <span role="columnheader" title={c.clone()}>{ c.clone() }</span> }) }
                { own(ctx.t("objects.column.labels")) }
            </div>
        }
    }

    fn row(
        &self,
        ctx: &Ctx,
        row: &ObjectRow,
        i: usize,
        active: bool,
        selected: bool,
        onclick: &Callback<(usize, ObjectId)>,
    ) -> Html {
        let id = &row.id;
        let onclick = {
            let (onclick, id) = (onclick.clone(), id.clone());
            Callback::from(move |_: MouseEvent| onclick.emit((i, id.clone())))
        };
        let sign = sign(ctx, id);
        let labels = row.labels.join(", ");
        html! {
            <div key={i} id={format!("object-{i}")} class={classes!("grid-row", active.then_some("active"), selected.then_some("current"))} role="row" aria-rowindex={(i + 2).to_string()} aria-selected={selected.to_string()}
                data-testid={format!("object-{}-{}", id.kind, id.name)} {onclick}>
                <span role="rowheader" title={id.name.clone()}>{ sign }<span class="row-name">{ id.name.clone() }</span></span>
                if self.all { <span role="gridcell">{ id.kind.clone() }</span> }
                if self.namespaced { <span role="gridcell" class="soft">{ id.namespace.clone() }</span> }
                { for row.cells.iter().map(|c| html! { <span role="gridcell" class="num" title={c.clone()}>{ c.clone() }</span> }) }
                <span role="gridcell" class="soft labels" title={row.labels.join("\n")}>{ labels }</span>
            </div>
        }
    }
}

/// A pod's sign as it is on the stage.
fn sign(ctx: &Ctx, id: &ObjectId) -> Option<Html> {
    if id.kind != "Pod" {
        return None;
    }
    let model = ctx.model.get();
    let pod = model.pods.get(format!("{}/{}", id.namespace, id.name).as_str())?;
    Some(html! { <Sign state={pod.state} tint={model.owners.tint(&pod.owner)} /> })
}

fn look(frame: &Element, first: &UseStateHandle<usize>, rows: &UseStateHandle<usize>) {
    first.set((f64::from(frame.scroll_top()) / ROW) as usize);
    rows.set((f64::from(frame.client_height()) / ROW).ceil() as usize);
}

/// Scrolls so that the row is seen whole, below the head.
fn into_sight(frame: &Element, row: usize) {
    let head = frame.query_selector(".grid-head").ok().flatten().and_then(|h| h.dyn_into::<HtmlElement>().ok());
    let head = head.map_or(0.0, |h| f64::from(h.offset_height()));
    let (top, height) = (f64::from(frame.scroll_top()), f64::from(frame.client_height()));
    let y = row as f64 * ROW;
    if y < top {
        frame.set_scroll_top(y as i32);
    } else if y + ROW + head > top + height {
        frame.set_scroll_top((y + ROW + head - height) as i32);
    }
}
