//! What has just come is brought into sight.

use web_sys::{Element, ScrollIntoViewOptions, ScrollLogicalPosition};
use yew::NodeRef;

/// Scrolls no further than it must.
pub fn bring(element: &Element) {
    let nearest = ScrollIntoViewOptions::new();
    nearest.set_block(ScrollLogicalPosition::Nearest);
    nearest.set_inline(ScrollLogicalPosition::Nearest);
    element.scroll_into_view_with_scroll_into_view_options(&nearest);
}

pub fn bring_ref(node: &NodeRef) {
    if let Some(element) = node.cast::<Element>() {
        bring(&element);
    }
}
