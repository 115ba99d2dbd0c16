//! The presenter's spotlight: everything but what the pointer is on, or what has the focus, or is selected, is dimmed.

use gloo::events::EventListener;
use gloo::render::{AnimationFrame, request_animation_frame};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement};
use yew::prelude::*;

/// What is looked at as one thing; the innermost counts.
const SUBJECTS: &str = ".pod, .queue, .box, .grid-head, .grid-row, .grid-group, .phase, .told, .cell-card, .entry, .overlay, \
                        .dock, .list-row, .welcome, .past-banner, .topbar";
/// CSS pixels around it.
const MARGIN: f64 = 6.0;

fn subject(of: Option<Element>) -> Option<Element> {
    of?.closest(SUBJECTS).ok().flatten()
}

fn selected() -> Option<Element> {
    gloo::utils::document().query_selector(".stage .selected, .stage .grid-row.current").ok().flatten()
}

fn place(light: &NodeRef, on: Option<&Element>) {
    let Some(light) = light.cast::<HtmlElement>() else { return };
    let style = light.style();
    let on = on.filter(|e| e.is_connected());
    let _ = light.set_attribute("data-on", if on.is_some() { "yes" } else { "no" });
    let Some(rect) = on.map(Element::get_bounding_client_rect) else { return };
    let pixels = |n: f64| format!("{n:.0}px");
    let _ = style.set_property("left", &pixels(rect.left() - MARGIN));
    let _ = style.set_property("top", &pixels(rect.top() - MARGIN));
    let _ = style.set_property("width", &pixels(rect.width() + 2.0 * MARGIN));
    let _ = style.set_property("height", &pixels(rect.height() + 2.0 * MARGIN));
}

#[component]
pub fn Spotlight() -> Html {
    let light = use_node_ref();
    {
        let light = light.clone();
        use_effect_with((), move |()| {
            let on = Rc::new(RefCell::new(selected()));
            place(&light, on.borrow().as_ref());
            let frame = Rc::new(RefCell::new(None::<AnimationFrame>));
            let window = gloo::utils::window();
            let look = move |event: &Event| {
                let target = event.target().and_then(|t| t.dyn_into::<Element>().ok());
                if event.type_() != "scroll" {
                    *on.borrow_mut() = subject(target).or_else(selected);
                }
                // Once a frame is enough for a pointer that moves.
                let (light, on) = (light.clone(), on.clone());
                *frame.borrow_mut() = Some(request_animation_frame(move |_| place(&light, on.borrow().as_ref())));
            };
            let look = Rc::new(look);
            let listen = |name: &'static str| {
                let look = look.clone();
                let options = gloo::events::EventListenerOptions::run_in_capture_phase();
                EventListener::new_with_options(&window, name, options, move |e| look(e))
            };
            let listeners = ["pointermove", "focusin", "click", "scroll", "resize"].map(listen);
            move || drop(listeners)
        });
    }
    html! { <div class="spotlight" ref={light} data-testid="spotlight" aria-hidden="true" /> }
}
