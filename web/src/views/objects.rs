//! Every object there is: the kinds with their numbers, and the objects of one kind or of all, found by name, namespace
//! and labels. The engine sends the rows in sight only.

mod kinds;
mod rows;

pub use rows::WINDOW;

use super::icon::Icon;
use crate::ctx::{Ctx, use_ctx};
use crate::format;
use crate::ui::{Action, FileAction};
use protocol::{KindCount, Listing, ListingView, ObjectId};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct Props {
    /// What is asked for; the answer comes a little later.
    pub listing: Listing,
    /// Of the answer.
    pub version: u64,
    pub selected: Option<ObjectId>,
}

/// The answer by what it says: an update replaces it, so the pointer tells.
#[derive(Clone)]
pub struct ListRef(Rc<ListingView>);

impl PartialEq for ListRef {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

#[component]
pub fn Objects(p: &Props) -> Html {
    let ctx = use_ctx();
    let Some(list) = ctx.model.get().listing.clone().map(ListRef) else {
        return html! { <div class="stage-message" role="status"><div class="pulse" aria-hidden="true" /><p>{ ctx.t("objects.loading") }</p></div> };
    };
    let kind = list.0.kinds.iter().find(|k| is_chosen(k, &p.listing)).cloned();
    let here = list.0.asked.same_objects(&p.listing);
    html! {
        <div class="objects" data-testid="objects"><div class="objects-body">
            <kinds::Kinds list={list.clone()} listing={p.listing.clone()} />
            <section class="object-list" aria-label={ctx.t("objects.label")}>
                <Tools list={list.clone()} listing={p.listing.clone()} />
                if here && list.0.total == 0 {
                    { nothing(&ctx, p, &list.0, kind.as_ref()) }
                } else {
                    <rows::Rows list={list.clone()} listing={p.listing.clone()} selected={p.selected.clone()} />
                }
                if let Some(kind) = &kind { { foot(&ctx, &p.listing, kind, &list.0) } }
            </section>
        </div></div>
    }
}

fn is_chosen(k: &KindCount, listing: &Listing) -> bool {
    k.kind == listing.kind && k.api_version == listing.api_version
}

/// Another question begins at the top of its list.
fn ask(ctx: &Ctx, listing: Listing) {
    ctx.act(Action::List(Listing { offset: 0, ..listing }));
}

#[derive(PartialEq, Properties)]
struct ToolsProps {
    list: ListRef,
    listing: Listing,
}

#[component]
fn Tools(p: &ToolsProps) -> Html {
    let ctx = use_ctx();
    let list = &p.list.0;
    let on_search = {
        let (ctx, listing) = (ctx.clone(), p.listing.clone());
        Callback::from(move |e: InputEvent| {
            if let Some(input) = e.target().and_then(|t| t.dyn_into::<HtmlInputElement>().ok()) {
                ask(&ctx, Listing { search: input.value(), ..listing.clone() });
            }
        })
    };
    let on_namespace = {
        let (ctx, listing) = (ctx.clone(), p.listing.clone());
        Callback::from(move |e: Event| {
            if let Some(select) = e.target().and_then(|t| t.dyn_into::<HtmlSelectElement>().ok()) {
                ask(&ctx, Listing { namespace: select.value(), ..listing.clone() });
            }
        })
    };
    html! {
        <div class="grid-tools objects-tools">
            <label class="filter"><Icon name="search" />
                <input type="search" data-testid="objects-search" placeholder={ctx.t("objects.search")} aria-label={ctx.t("objects.search")}
                    value={p.listing.search.clone()} oninput={on_search} autocomplete="off" spellcheck="false" />
            </label>
            <select data-testid="objects-namespace" aria-label={ctx.t("objects.namespace")} title={ctx.t("objects.namespace")} onchange={on_namespace}>
                <option value="" selected={p.listing.namespace.is_empty()}>{ ctx.t("objects.all-namespaces") }</option>
                { for list.namespaces.iter().map(|n| html! { <option key={n.clone()} value={n.clone()} selected={p.listing.namespace == *n}>{ n.clone() }</option> }) }
            </select>
            <span class="grow" />
            <small class="num" role="status" data-testid="objects-count">{ ctx.tf("objects.count", &[("n", &format::count(list.total))]) }</small>
        </div>
    }
}

/// There is nothing of the kind, or nothing that the filter lets through: what to do about it.
fn nothing(ctx: &Ctx, p: &Props, list: &ListingView, kind: Option<&KindCount>) -> Html {
    let filtered = !p.listing.search.trim().is_empty() || !p.listing.namespace.is_empty();
    let without = Listing { search: String::new(), namespace: String::new(), ..p.listing.clone() };
    let on_clear = {
        let ctx = ctx.clone();
        Callback::from(move |_: MouseEvent| ask(&ctx, without.clone()))
    };
    html! {
        <div class="objects-nothing" data-testid="objects-nothing">
            if filtered {
                <p>{ ctx.t("objects.nothing-found") }</p>
                <button data-testid="objects-clear" onclick={on_clear}>{ ctx.t("objects.clear") }</button>
            } else if let Some(kind) = kind {
                <p>{ ctx.tf("objects.none", &[("kind", &kind.kind)]) }</p>
                if !list.sample.is_empty() { { sample_button(ctx, kind, &list.sample, "primary") } }
            }
        </div>
    }
}

fn sample_button(ctx: &Ctx, kind: &KindCount, sample: &str, class: &'static str) -> Html {
    let file = FileAction::Open(format!("{}.yaml", kind.kind.to_lowercase()).into(), sample.into());
    html! { <button {class} data-testid="objects-sample" onclick={ctx.on(Action::File(file))}><Icon name="file" />{ ctx.tf("objects.sample", &[("kind", &kind.kind)]) }</button> }
}

/// The same list as a command, and a manifest to start from.
fn foot(ctx: &Ctx, listing: &Listing, kind: &KindCount, list: &ListingView) -> Html {
    let scope = match (kind.namespaced, listing.namespace.as_str()) {
        (false, _) => String::new(),
        (true, "") => " -A".into(),
        (true, namespace) => format!(" -n {namespace}"),
    };
    let group = if kind.custom { kind.api_version.split_once('/').map(|(g, _)| format!(".{g}")) } else { None };
    html! {
        <div class="objects-foot">
            <code data-testid="objects-command">{ format!("kubectl get {}{}{scope}", kind.resource, group.unwrap_or_default()) }</code>
            <span class="grow" />
            if !list.sample.is_empty() && list.total > 0 { { sample_button(ctx, kind, &list.sample, "chip") } }
        </div>
    }
}
