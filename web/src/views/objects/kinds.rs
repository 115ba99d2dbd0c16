//! The kinds by what they are for, each with the number of its objects.

use super::{ListRef, ask, is_chosen};
use crate::ctx::{Ctx, use_ctx};
use crate::format;
use crate::model::kinds::{AREAS, area};
use protocol::{KindCount, Listing};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlSelectElement};
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub list: ListRef,
    pub listing: Listing,
}

#[component]
pub fn Kinds(p: &Props) -> Html {
    let ctx = use_ctx();
    let frame = use_node_ref();
    let groups = grouped(&p.list.0.kinds);
    // In the order in which they stand; `None` is all of them.
    let order: Vec<Option<KindCount>> = std::iter::once(None)
        .chain(groups.iter().flat_map(|(_, kinds)| kinds.iter().map(|k| Some((*k).clone()))))
        .collect();
    let at = order
        .iter()
        .position(|k| k.as_ref().map_or(p.listing.kind.is_empty(), |k| is_chosen(k, &p.listing)))
        .unwrap_or(0);
    {
        let frame = frame.clone();
        use_effect_with(at, move |at| {
            let chosen = frame.cast::<Element>().and_then(|f| f.query_selector(&format!("#kind-{at}")).ok().flatten());
            if let Some(chosen) = chosen {
                let options = web_sys::ScrollIntoViewOptions::new();
                options.set_block(web_sys::ScrollLogicalPosition::Nearest);
                chosen.scroll_into_view_with_scroll_into_view_options(&options);
            }
        });
    }
    let choose = {
        let (ctx, listing, order) = (ctx.clone(), p.listing.clone(), order.clone());
        Callback::from(move |i: usize| {
            if let Some(kind) = order.get(i) {
                ask(&ctx, of_kind(&listing, kind.as_ref()));
            }
        })
    };
    let onkeydown = {
        let (choose, last) = (choose.clone(), order.len().saturating_sub(1));
        Callback::from(move |e: KeyboardEvent| {
            let to = match e.key().as_str() {
                "ArrowDown" => (at + 1).min(last),
                "ArrowUp" => at.saturating_sub(1),
                "Home" => 0,
                "End" => last,
                _ => return,
            };
            e.prevent_default();
            e.stop_propagation();
            choose.emit(to);
        })
    };
    let on_select = {
        let choose = choose.clone();
        Callback::from(move |e: Event| {
            let select = e.target().and_then(|t| t.dyn_into::<HtmlSelectElement>().ok());
            if let Some(i) = select.and_then(|s| s.value().parse().ok()) {
                choose.emit(i);
            }
        })
    };
    let all: usize = p.list.0.kinds.iter().map(|k| k.count).sum();
    let mut number = 0;
    let mut options = Vec::new();
    let mut choices = Vec::new();
    for (area, kinds) in groups {
        let name = ctx.find(&format!("objects.area.{area}")).unwrap_or(area);
        let numbered: Vec<(usize, &KindCount)> = kinds
            .into_iter()
            .map(|k| {
                number += 1;
                (number, k)
            })
            .collect();
        choices.push(html! {
            <optgroup key={area} label={name}>
                { for numbered.iter().map(|(i, k)| html! { <option value={i.to_string()} selected={*i == at}>{ format!("{} ({})", k.kind, k.count) }</option> }) }
            </optgroup>
        });
        options.push(html! {
            <div key={area} role="group" aria-label={name} class="kind-group">
                <h3 aria-hidden="true">{ name }</h3>
                { for numbered.into_iter().map(|(i, k)| option(&ctx, i, &k.kind, k.count, i == at, &choose)) }
            </div>
        });
    }
    html! {
        <>
            <div class="kinds" role="listbox" tabindex="0" ref={frame} aria-label={ctx.t("objects.kinds")} aria-activedescendant={format!("kind-{at}")} data-testid="kinds" {onkeydown}>
                { option(&ctx, 0, ctx.t("objects.all-kinds"), all, at == 0, &choose) }
                { options }
            </div>
            <select class="kinds-narrow" aria-label={ctx.t("objects.kinds")} data-testid="kinds-narrow" onchange={on_select}>
                <option value="0" selected={at == 0}>{ format!("{} ({all})", ctx.t("objects.all-kinds")) }</option>
                { choices }
            </select>
        </>
    }
}

fn option(ctx: &Ctx, i: usize, name: &str, count: usize, chosen: bool, choose: &Callback<usize>) -> Html {
    let choose = choose.clone();
    html! {
        <div key={name.to_string()} id={format!("kind-{i}")} role="option" aria-selected={chosen.to_string()} title={ctx.tf("objects.count", &[("n", &format::count(count))])} data-testid={if i == 0 { "kind-all".into() } else { format!("kind-{name}") }}
            class={classes!("kind", (count == 0).then_some("none"))} onclick={Callback::from(move |_: MouseEvent| choose.emit(i))}>
            <span>{ name.to_string() }</span>{ " " }<b class="num">{ format::count(count) }</b>
        </div>
    }
}

fn of_kind(listing: &Listing, kind: Option<&KindCount>) -> Listing {
    let (api_version, kind) = kind.map_or_else(Default::default, |k| (k.api_version.clone(), k.kind.clone()));
    Listing { api_version, kind, ..listing.clone() }
}

/// Areas in their order, kinds within them by name; areas without kinds are left out.
fn grouped(kinds: &[KindCount]) -> Vec<(&'static str, Vec<&KindCount>)> {
    let of = |name: &str| {
        let mut list: Vec<&KindCount> = kinds.iter().filter(|k| area(&k.kind, k.custom) == name).collect();
        list.sort_by(|a, b| a.kind.cmp(&b.kind));
        list
    };
    AREAS.iter().map(|name| (*name, of(name))).filter(|(_, list)| !list.is_empty()).collect()
}
