//! What was asked of the cloud, the newest first, with what it refused.

use super::PartProps;
use crate::ctx::use_ctx;
use crate::format;
use yew::prelude::*;

#[component]
pub fn Calls(p: &PartProps) -> Html {
    let ctx = use_ctx();
    let failed_only = use_state(|| false);
    let c = &p.cloud.0;
    let epoch = ctx.model.get().clock.epoch;
    let toggle = {
        let failed_only = failed_only.clone();
        Callback::from(move |_: MouseEvent| failed_only.set(!*failed_only))
    };
    let shown: Vec<_> = c.calls.iter().filter(|call| !*failed_only || !call.error.is_empty()).collect();
    html! {
        <section class="console-part calls" aria-label={ctx.t("cloud.calls")}>
            <h2>{ ctx.t("cloud.calls") }<b class="num">{ format::count(usize::try_from(c.calls_total).unwrap_or(usize::MAX)) }</b><span class="grow" />
                <button class="chip" aria-pressed={failed_only.to_string()} data-testid="cloud-failed-only" onclick={toggle}>{ ctx.t("cloud.failed-only") }</button></h2>
            if shown.is_empty() { <p class="console-none">{ if *failed_only { ctx.t("cloud.calls.none-failed") } else { ctx.t("cloud.calls.none") } }</p> }
            <ol tabindex="0" aria-label={ctx.t("cloud.calls")} data-testid="cloud-calls">
                { for shown.into_iter().map(|call| html! {
                    <li key={call.number} class={classes!((!call.error.is_empty()).then_some("failed"))}>
                        <div><span class="call-time num">{ format::moment(call.time, epoch) }</span><b>{ call.call.clone() }</b>
                            if call.times > 1 { <span class="num">{ format!("×{}", call.times) }</span> }
                            if !call.target.is_empty() { <span class="call-target mono">{ call.target.clone() }</span> }</div>
                        <small>{ call.caller.clone() }</small>
                        if !call.error.is_empty() { <p>{ call.error.clone() }</p> }
                    </li>
                }) }
            </ol>
        </section>
    }
}
