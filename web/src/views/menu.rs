//! A button that opens a small menu below itself.

use super::icon::Icon;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, FocusEvent, HtmlElement, Node};
use yew::prelude::*;

#[derive(Clone, PartialEq)]
pub struct Item {
    pub label: AttrValue,
    pub hint: AttrValue,
    pub testid: AttrValue,
    pub danger: bool,
    /// Items of one group stand together under its name.
    pub group: AttrValue,
    pub on: Callback<()>,
}

impl Item {
    pub fn new(label: impl Into<AttrValue>, testid: impl Into<AttrValue>, on: Callback<()>) -> Item {
        Item { label: label.into(), hint: "".into(), testid: testid.into(), danger: false, group: "".into(), on }
    }
    #[must_use]
    pub fn danger(mut self) -> Item {
        self.danger = true;
        self
    }
    #[must_use]
    pub fn group(mut self, group: impl Into<AttrValue>) -> Item {
        self.group = group.into();
        self
    }
    #[must_use]
    pub fn hint(mut self, hint: impl Into<AttrValue>) -> Item {
        self.hint = hint.into();
        self
    }
}

#[derive(PartialEq, Properties)]
pub struct Props {
    pub label: AttrValue,
    pub testid: AttrValue,
    pub items: Vec<Item>,
    /// An icon instead of the label's text.
    #[prop_or_default]
    pub icon: Option<AttrValue>,
    #[prop_or_default]
    pub class: Classes,
}

#[component]
pub fn Menu(p: &Props) -> Html {
    let open = use_state(|| false);
    let root = use_node_ref();
    let list = use_node_ref();
    // Where the list goes: over everything, beside its button, wherever there is room for it.
    let place = use_state(String::new);
    {
        let (root, list, place) = (root.clone(), list.clone(), place.clone());
        use_effect_with(*open, move |open| {
            if *open {
                place.set(beside(&root, &list));
            }
        });
    }
    let toggle = {
        let open = open.clone();
        let place = place.clone();
        Callback::from(move |_: MouseEvent| {
            // Hidden until it has its place.
            place.set(String::new());
            open.set(!*open);
        })
    };
    // The menu closes when focus leaves it; the item's click comes first, because it moves focus nowhere.
    let onfocusout = {
        let (open, root) = (open.clone(), root.clone());
        Callback::from(move |e: FocusEvent| {
            let into = e.related_target().and_then(|t| t.dyn_into::<Node>().ok());
            let inside = root.cast::<Node>().is_some_and(|r| r.contains(into.as_ref()));
            if !inside {
                open.set(false);
            }
        })
    };
    let onkeydown = {
        let (open, root) = (open.clone(), root.clone());
        Callback::from(move |e: KeyboardEvent| {
            if !*open {
                return;
            }
            let Some(root) = root.cast::<HtmlElement>() else { return };
            let step = match e.key().as_str() {
                "Escape" => {
                    open.set(false);
                    if let Ok(Some(b)) = root.query_selector(".menu-button") {
                        let _ = b.dyn_into::<HtmlElement>().map(|b| b.focus());
                    }
                    0
                }
                "ArrowDown" => 1,
                "ArrowUp" => -1,
                _ => return,
            };
            e.prevent_default();
            e.stop_propagation();
            let Ok(items) = root.query_selector_all("[role=menuitem]") else { return };
            let active = gloo::utils::document().active_element();
            let n = i64::from(items.length());
            let at = (0..n).find(|i| items.item(*i as u32).as_ref() == active.as_deref()).unwrap_or(-1);
            if step != 0 && n > 0 {
                let next = items.item((at + step).rem_euclid(n) as u32);
                let _ = next.and_then(|e| e.dyn_into::<HtmlElement>().ok()).map(|e| e.focus());
            }
        })
    };
    html! {
        <div class={classes!("menu", p.class.clone())} ref={root} {onfocusout} {onkeydown}>
            <button class={classes!("menu-button", p.icon.is_some().then_some("icon-button"))} data-testid={p.testid.clone()}
                aria-haspopup="menu" aria-expanded={open.to_string()} aria-label={p.icon.as_ref().map(|_| p.label.clone())}
                title={p.icon.as_ref().map(|_| p.label.clone())} onclick={toggle}>
                if let Some(icon) = &p.icon { <Icon name={icon.clone()} /> } else { { p.label.clone() } <Icon name="down" /> }
            </button>
            if *open {
                <div class="menu-list" role="menu" ref={list} style={(*place).clone()} aria-label={p.label.clone()}>
                    { for p.items.chunk_by(|a, b| a.group == b.group).map(|items| html! {
                        <div role="group" aria-label={(!items[0].group.is_empty()).then(|| items[0].group.clone())}>
                            if !items[0].group.is_empty() { <p class="menu-group" aria-hidden="true">{ items[0].group.clone() }</p> }
                            { for items.iter().map(|item| {
                                let (open, on) = (open.clone(), item.on.clone());
                                let onclick = Callback::from(move |_: MouseEvent| { open.set(false); on.emit(()); });
                                html! {
                                    <button role="menuitem" class={classes!(item.danger.then_some("danger"))} data-testid={item.testid.clone()} {onclick}>
                                        <span>{ item.label.clone() }</span>
                                        if !item.hint.is_empty() { <small>{ item.hint.clone() }</small> }
                                    </button>
                                }
                            }) }
                        </div>
                    }) }
                </div>
            }
        </div>
    }
}

/// The list's place as a style: below the button or, when there is more room, above it; within the window.
fn beside(root: &NodeRef, list: &NodeRef) -> String {
    const SPACE: f64 = 4.0;
    let (Some(button), Some(list)) = (root.cast::<Element>(), list.cast::<Element>()) else { return String::new() };
    let window = gloo::utils::window();
    let extent = |v: Result<JsValue, JsValue>| v.ok().and_then(|v| v.as_f64()).unwrap_or(0.0);
    let (width, height) = (extent(window.inner_width()), extent(window.inner_height()));
    let (b, l) = (button.get_bounding_client_rect(), list.get_bounding_client_rect());
    let left = if b.left() + l.width() > width - SPACE { b.right() - l.width() } else { b.left() }.max(SPACE);
    let (below, above) = (height - b.bottom() - 2.0 * SPACE, b.top() - 2.0 * SPACE);
    // The list's whole height, also when it scrolls.
    let whole = f64::from(list.scroll_height());
    if whole <= below || below >= above {
        format!("left:{left}px;top:{}px;max-height:{below}px;visibility:visible", b.bottom() + SPACE)
    } else {
        format!("left:{left}px;bottom:{}px;max-height:{above}px;visibility:visible", height - b.top() + SPACE)
    }
}
