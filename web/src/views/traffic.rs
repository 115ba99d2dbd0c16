//! Traffic for the inspected Service: how much, in which pattern, and what comes of it.

use crate::ctx::use_ctx;
use crate::model::traffic::{self, Pattern, RATE_MAX};
use crate::ui::{Action, InspectorTab};
use crate::views::icon::Icon;
use protocol::{Detail, Panel};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

/// Requests a second, until somebody chooses.
const RATE: u32 = 20;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub detail: Rc<Detail>,
}

#[component]
pub fn TrafficPanel(p: &Props) -> Html {
    let ctx = use_ctx();
    let (rate, pattern, url) = (use_node_ref(), use_node_ref(), use_node_ref());
    let running = matches!(&p.detail.panel, Some(Panel::Endpoints(e)) if e.traffic.is_some());
    // What is chosen is said in numbers beside it; each form begins anew.
    let shown = use_state(|| RATE);
    {
        let shown = shown.clone();
        use_effect_with((p.detail.id.clone(), running), move |_| shown.set(RATE));
    }
    let Some(first) = traffic::url(&p.detail) else { return html! {} };
    let (now, scalers) = match &p.detail.panel {
        Some(Panel::Endpoints(e)) => (e.traffic.clone(), e.scalers.clone()),
        _ => (None, Vec::new()),
    };
    let onsubmit = {
        let (ctx, detail) = (ctx.clone(), p.detail.clone());
        let (rate, pattern, url) = (rate.clone(), pattern.clone(), url.clone());
        Callback::from(move |e: SubmitEvent| {
            e.prevent_default();
            let input = |r: &NodeRef| r.cast::<HtmlInputElement>().map(|i| i.value()).unwrap_or_default();
            let pattern = pattern.cast::<HtmlSelectElement>().map(|s| Pattern::of(&s.value())).unwrap_or_default();
            let rate = input(&rate).parse().unwrap_or(1);
            ctx.act(Action::Deed(traffic::start(&detail, &input(&url), rate, pattern)));
        })
    };
    let oninput = {
        let shown = shown.clone();
        Callback::from(move |e: InputEvent| {
            if let Some(input) = e.target().and_then(|t| t.dyn_into::<HtmlInputElement>().ok()) {
                shown.set(input.value().parse().unwrap_or(1));
            }
        })
    };
    let word = |p: &str| ctx.find(&format!("traffic.{p}")).unwrap_or_default().to_string();
    html! {
        <section class="panel traffic" data-testid="panel-traffic" aria-label={ctx.t("traffic.title")} key={format!("{}/{}", p.detail.id.namespace, p.detail.id.name)}>
            <h3>{ ctx.t("traffic.title") }</h3>
            if let Some(t) = &now {
                <div class="traffic-now">
                    <span class={classes!("status", if t.ready { "good" } else { "warn" })} data-testid="traffic-state">{ if t.ready { ctx.t("traffic.runs") } else { ctx.t("traffic.starts") } }</span>
                    <span class="num">{ ctx.tf("traffic.rate.is", &[("n", &t.rate)]) }</span><span>{ word(&t.pattern) }</span>
                    <span class="grow" />
                    <button class="object-link" onclick={ctx.on(Action::Inspect(t.pod.clone(), InspectorTab::Logs))}><small>{ "Pod" }</small>{ t.pod.name.clone() }</button>
                    <button data-testid="traffic-stop" onclick={ctx.on(Action::Deed(traffic::stop(&p.detail, &t.pod)))}><Icon name="close" />{ ctx.t("traffic.stop") }</button>
                </div>
            } else {
                <form class="form" {onsubmit}>
                    <label><span>{ ctx.t("traffic.rate") }</span>
                        <span class="traffic-rate"><input ref={rate} type="range" min="1" max={RATE_MAX.to_string()} ~defaultValue={RATE.to_string()} {oninput} data-testid="traffic-rate" /><output class="num">{ *shown }{ "/s" }</output></span></label>
                    <label>{ ctx.t("traffic.pattern") }<select ref={pattern} data-testid="traffic-pattern">
                        { for Pattern::ALL.iter().map(|p| html! { <option value={p.name()} selected={*p == Pattern::Steady}>{ word(p.name()) }</option> }) }
                    </select></label>
                    <label>{ "URL" }<input ref={url} ~defaultValue={first} required=true autocomplete="off" spellcheck="false" data-testid="traffic-url" /></label>
                    <button class="primary" type="submit" data-testid="traffic-start"><Icon name="run" />{ ctx.t("traffic.start") }</button>
                </form>
            }
            <p class="traffic-about"><small>{ ctx.t("traffic.about") }</small></p>
            if !scalers.is_empty() {
                <p class="breadcrumb">{ ctx.t("traffic.scalers") }{ for scalers.iter().map(|s| html! {
                    <button class="object-link" data-testid="traffic-scaler" onclick={ctx.on(Action::Inspect(s.clone(), InspectorTab::Summary))}><small>{ s.kind.clone() }</small>{ s.name.clone() }</button>
                }) }</p>
            }
        </section>
    }
}
