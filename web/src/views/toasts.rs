//! What may be read or not, at the stage's foot: what was done last and can be taken back, another version of the page.

use super::icon::Icon;
use crate::ctx::use_ctx;
use crate::ui::{Action, Toast};
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub toast: Option<Toast>,
    /// Another version of the page is ready.
    pub renewable: bool,
}

#[component]
pub fn Toasts(p: &Props) -> Html {
    let ctx = use_ctx();
    let close = |action: Action| {
        html! { <button class="icon-button" aria-label={ctx.t("close")} title={ctx.t("close")} onclick={ctx.on(action)}><Icon name="close" /></button> }
    };
    let deed = p.toast.as_ref().map(|toast| match toast {
        Toast::Did(deed) => html! {
            <div class="toast" data-testid="toast">
                <code>{ deed.what.clone() }</code>
                if deed.more > 0 {
                    <span>{ ctx.tf("undo.more", &[("n", &deed.more.to_string())]) }</span>
                }
                <button class="text-button" data-testid="undo" onclick={ctx.on(Action::Undo)}>{ ctx.t("undo.title") }<kbd>{ "Ctrl Z" }</kbd></button>
                { close(Action::Toast(None)) }
            </div>
        },
        Toast::Undid => html! {
            <div class="toast" data-testid="toast">
                <span>{ ctx.t("undo.done") }</span>
                <button class="text-button" data-testid="redo" onclick={ctx.on(Action::Redo)}>{ ctx.t("redo.title") }<kbd>{ "Ctrl ⇧ Z" }</kbd></button>
                { close(Action::Toast(None)) }
            </div>
        },
    });
    html! {
        <div class="toasts" role="status">
            { deed.unwrap_or_default() }
            if p.renewable {
                <div class="toast" data-testid="renewable">
                    <span>{ ctx.t("renew.about") }</span>
                    <button class="text-button" data-testid="renew" onclick={ctx.on(Action::Renew(true))}>{ ctx.t("renew.title") }</button>
                    { close(Action::Renew(false)) }
                </div>
            }
        </div>
    }
}
