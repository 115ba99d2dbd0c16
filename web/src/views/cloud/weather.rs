//! The region with its zones, what all of it costs, and what can be made to go wrong.

use super::{PartProps, dollars, order};
use crate::ctx::{Ctx, use_ctx};
use protocol::Command;
use protocol::cloud::{CloudOrder, ZoneView};
use wasm_bindgen::JsCast;
use web_sys::HtmlSelectElement;
use yew::prelude::*;

/// Thousandths of calls that fail.
const FAILURES: [u32; 5] = [0, 100, 300, 600, 1000];
/// Milliseconds that every answer takes longer.
const DELAYS: [u32; 5] = [0, 2_000, 10_000, 30_000, 120_000];
/// Quotas of load balancers to run into.
const BALANCERS: [usize; 4] = [0, 1, 3, 20];

#[component]
pub fn Weather(p: &PartProps) -> Html {
    let ctx = use_ctx();
    let c = &p.cloud.0;
    let (failures, delay_ms) = (c.failures, c.delay_ms);
    let instances = c.instances_max;
    let percent = |n: u32| format!("{}%", n / 10);
    let delay = |n: u32| if n == 0 { ctx.t("cloud.delay.none").to_string() } else { format!("+{} s", n / 1000) };
    html! {
        <div class="weather">
            <div class="region"><b>{ c.region.clone() }</b><small class="num" title={ctx.t("cloud.cost.about")} data-testid="cloud-cost">{ ctx.tf("cloud.cost", &[("cost", &dollars(c.cost_micros)), ("rate", &dollars(c.rate_micros))]) }</small></div>
            <ul class="zones" aria-label={ctx.t("cloud.zones")}>{ for c.zones.iter().map(|z| zone(&ctx, z)) }</ul>
            <span class="grow" />
            { choice(ctx.t("cloud.failures"), "cloud-failures", failures, &FAILURES, percent, trouble(&ctx, move |n| (n, delay_ms))) }
            { choice(ctx.t("cloud.delay"), "cloud-delay", delay_ms, &DELAYS, delay, trouble(&ctx, move |n| (failures, n))) }
            { choice(ctx.t("cloud.quota"), "cloud-quota", c.load_balancers_max, &BALANCERS, |n| n.to_string(), {
                let ctx = ctx.clone();
                Callback::from(move |load_balancers| ctx.act(crate::ui::Action::Send(Command::Cloud { id: 0, order: CloudOrder::SetQuotas { instances, load_balancers } })))
            }) }
        </div>
    }
}

fn trouble(ctx: &Ctx, of: impl Fn(u32) -> (u32, u32) + 'static) -> Callback<u32> {
    let ctx = ctx.clone();
    Callback::from(move |n| {
        let (failures, delay_ms) = of(n);
        ctx.act(crate::ui::Action::Send(Command::Cloud { id: 0, order: CloudOrder::Trouble { failures, delay_ms } }));
    })
}

/// A list of values of which one is in force.
fn choice<T>(
    label: &'static str,
    testid: &'static str,
    now: T,
    all: &[T],
    name: impl Fn(T) -> String,
    on: Callback<T>,
) -> Html
where
    T: Copy + PartialEq + ToString + std::str::FromStr + Default + 'static,
{
    let onchange = Callback::from(move |e: Event| {
        let select = e.target().and_then(|t| t.dyn_into::<HtmlSelectElement>().ok());
        if let Some(value) = select.and_then(|s| s.value().parse().ok()) {
            on.emit(value);
        }
    });
    let odd = (!all.contains(&now)).then_some(now);
    html! {
        <label class={classes!("field", (testid != "cloud-quota" && now != T::default()).then_some("trouble"))}><span>{ label }</span>
            <select data-testid={testid} {onchange}>
                { for odd.into_iter().chain(all.iter().copied()).map(|n| html! { <option value={n.to_string()} selected={n == now}>{ name(n) }</option> }) }
            </select>
        </label>
    }
}

fn zone(ctx: &Ctx, z: &ZoneView) -> Html {
    let args = [("zone", z.name.as_str())];
    let verb = if z.down { ctx.tf("cloud.zone.up", &args) } else { ctx.tf("cloud.zone.down", &args) };
    let word = if z.down { ctx.t("cloud.zone.restore") } else { ctx.t("cloud.zone.fail") };
    let state = if z.down { ctx.t("cloud.zone.is-down") } else { ctx.t("cloud.zone.is-up") };
    html! {
        <li key={z.name.clone()} class={classes!(z.down.then_some("down"))}>
            <span class={classes!("lamp", if z.down { "crashed" } else { "running" })} role="img" aria-label={state} title={state} />
            <span>{ z.name.clone() }</span><small class="num">{ ctx.tf("cloud.zone.instances", &[("n", &z.instances.to_string())]) }</small>
            <button class="chip" data-testid={format!("zone-{}", z.name)} title={verb} aria-label={format!("{word}: {}", z.name)}
                onclick={order(ctx, CloudOrder::SetZone { zone: z.name.clone(), down: !z.down })}>{ word }</button>
        </li>
    }
}
