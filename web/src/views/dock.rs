//! A dock at one side of the stage: a frame with a handle that resizes it, by pointer or arrow keys.

use crate::ctx::use_ctx;
use crate::ui::{Action, Dock as Side};
use wasm_bindgen::JsCast;
use web_sys::{Element, PointerEvent};
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub side: Side,
    pub size: u32,
    pub open: bool,
    /// Shown on a phone, where there is one pane at a time.
    pub front: bool,
    pub label: AttrValue,
    pub children: Html,
}

#[component]
pub fn Dock(p: &Props) -> Html {
    let ctx = use_ctx();
    let from = use_mut_ref(|| None::<(f64, u32)>);
    let side = p.side;
    let name = match side {
        Side::Left => "left",
        Side::Right => "right",
        Side::Bottom => "bottom",
    };
    let position = move |e: &PointerEvent| f64::from(if side == Side::Bottom { e.client_y() } else { e.client_x() });
    let onpointerdown = {
        let (from, size) = (from.clone(), p.size);
        Callback::from(move |e: PointerEvent| {
            if let Some(handle) = e.target().and_then(|t| t.dyn_into::<Element>().ok()) {
                let _ = handle.set_pointer_capture(e.pointer_id());
            }
            *from.borrow_mut() = Some((position(&e), size));
        })
    };
    let onpointermove = {
        let (from, ctx) = (from.clone(), ctx.clone());
        Callback::from(move |e: PointerEvent| {
            let Some((start, size)) = *from.borrow() else { return };
            let moved = position(&e) - start;
            let moved = if side == Side::Left { moved } else { -moved };
            ctx.act(Action::Resize(side, (f64::from(size) + moved).max(0.0) as u32));
        })
    };
    let onpointerup = Callback::from(move |_: PointerEvent| *from.borrow_mut() = None);
    let onkeydown = {
        let (ctx, size) = (ctx.clone(), p.size);
        Callback::from(move |e: KeyboardEvent| {
            let grow = match (side, e.key().as_str()) {
                (Side::Left, "ArrowRight") | (Side::Right, "ArrowLeft") | (Side::Bottom, "ArrowUp") => 20,
                (Side::Left, "ArrowLeft") | (Side::Right, "ArrowRight") | (Side::Bottom, "ArrowDown") => -20,
                _ => return,
            };
            e.prevent_default();
            ctx.act(Action::Resize(side, size.saturating_add_signed(grow)));
        })
    };
    let style = if side == Side::Bottom { format!("height:{}px", p.size) } else { format!("width:{}px", p.size) };
    html! {
        <section class={classes!("dock", name, p.open.then_some("open"), p.front.then_some("front"))} {style} aria-label={p.label.clone()}>
            <div class="handle" role="slider" tabindex="0" aria-label={ctx.tf("dock.resize", &[("name", &p.label)])} aria-valuenow={p.size.to_string()}
                aria-orientation={if side == Side::Bottom { "vertical" } else { "horizontal" }}
                {onpointerdown} {onpointermove} onpointercancel={onpointerup.clone()} {onpointerup} {onkeydown} />
            { p.children.clone() }
        </section>
    }
}
