//! What a plugin looked at: sentences, and bars for what is counted.

use crate::ctx::use_ctx;
use crate::format;
use crate::i18n::describe;
use protocol::explain::{Amount, Inputs as Data, Unit};
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub inputs: Data,
}

fn quantity(amount: &Amount, n: i64) -> String {
    match amount.unit {
        Unit::MilliCpu => format::cpu(n),
        Unit::Bytes => format::memory(n),
        Unit::Count => n.to_string(),
    }
}

#[component]
pub fn Inputs(p: &Props) -> Html {
    let ctx = use_ctx();
    // What a bar shows needs no sentence.
    let notes: Vec<_> =
        p.inputs.notes.iter().filter(|n| p.inputs.amounts.is_empty() || n.code != "cell.resource").collect();
    html! {
        <div class="inputs" data-testid="inputs">
            { for p.inputs.amounts.iter().map(|a| {
                let over = a.used + a.request > a.allocatable;
                let text = ctx.tf("cell.amount", &[
                    ("request", &quantity(a, a.request)), ("free", &quantity(a, (a.allocatable - a.used).max(0))), ("allocatable", &quantity(a, a.allocatable)),
                ]);
                let share = |n: i64| format!("width:{:.1}%", format::percent(n, a.allocatable.max(a.used + a.request)));
                html! {
                    <div class={classes!("amount", over.then_some("over"))}>
                        <span class="amount-name">{ a.resource.clone() }</span><span class="num">{ text }</span>
                        <span class="amount-bar" aria-hidden="true"><span class="used" style={share(a.used)} /><span class="asked" style={share(a.request)} /></span>
                    </div>
                }
            }) }
            if !notes.is_empty() {
                <ul>{ for notes.iter().map(|n| html! { <li>{ describe::note(ctx.lang, n) }</li> }) }</ul>
            }
        </div>
    }
}
