//! "Run until": what is waited for, as a form.

use super::past::order;
use crate::ctx::{Ctx, use_ctx};
use crate::format;
use crate::ui::Action;
use protocol::{TimeOrder, Until};
use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

const CONDITIONS: [(&str, &str); 5] = [
    ("pod-ready", "until.pod-ready"),
    ("rollout", "until.rollout"),
    ("event", "until.event"),
    ("idle", "until.idle"),
    ("time", "until.time"),
];
/// Reasons that are often waited for; others can be typed.
const REASONS: [&str; 10] = [
    "Scheduled",
    "FailedScheduling",
    "Started",
    "BackOff",
    "Unhealthy",
    "Killing",
    "Preempted",
    "ScalingReplicaSet",
    "NodeNotReady",
    "Evicted",
];

/// The sentence for what is waited for.
pub fn said(ctx: &Ctx, until: &Until, epoch: u64) -> String {
    let what = |namespace: &str, name: &str| {
        if name.is_empty() { format!("{namespace}/*") } else { format!("{namespace}/{name}") }
    };
    match until {
        Until::PodReady { namespace, name } => ctx.tf("until.said.pod-ready", &[("what", &what(namespace, name))]),
        Until::Rollout { namespace, name } => ctx.tf("until.said.rollout", &[("what", &what(namespace, name))]),
        Until::Event { reason } => ctx.tf("until.said.event", &[("reason", reason)]),
        Until::Idle => ctx.t("until.said.idle").into(),
        Until::Time { at } => ctx.tf("until.said.time", &[("time", &format::clock(*at, epoch))]),
    }
}

#[component]
pub fn RunUntil() -> Html {
    let ctx = use_ctx();
    let condition = use_state(|| "pod-ready".to_string());
    let (namespace, name, reason, seconds) = (use_node_ref(), use_node_ref(), use_node_ref(), use_node_ref());
    let onchange = {
        let condition = condition.clone();
        Callback::from(move |e: Event| {
            if let Some(select) = e.target().and_then(|t| t.dyn_into::<HtmlSelectElement>().ok()) {
                condition.set(select.value());
            }
        })
    };
    let onsubmit = {
        let (ctx, condition) = (ctx.clone(), condition.clone());
        let (namespace, name) = (namespace.clone(), name.clone());
        let (reason, seconds) = (reason.clone(), seconds.clone());
        Callback::from(move |e: SubmitEvent| {
            e.prevent_default();
            let value =
                |r: &NodeRef| r.cast::<HtmlInputElement>().map(|i| i.value().trim().to_string()).unwrap_or_default();
            let until = match condition.as_str() {
                "pod-ready" => Until::PodReady { namespace: value(&namespace), name: value(&name) },
                "rollout" => Until::Rollout { namespace: value(&namespace), name: value(&name) },
                "event" => Until::Event { reason: value(&reason) },
                "time" => {
                    let micros = value(&seconds).parse::<f64>().unwrap_or(0.0).max(0.0) * 1e6;
                    Until::Time { at: ctx.model.get().clock.now + micros as u64 }
                }
                _ => Until::Idle,
            };
            ctx.act(Action::Overlay(None));
            ctx.act(order(TimeOrder::RunUntil { until }));
        })
    };
    let named = matches!(condition.as_str(), "pod-ready" | "rollout");
    html! {
        <form class="form" {onsubmit}>
            <p>{ ctx.t("until.about") }</p>
            <label>{ ctx.t("until.what") }<select data-testid="until-what" {onchange}>
                { for CONDITIONS.iter().map(|(value, key)| html! { <option value={*value} selected={*condition == *value}>{ ctx.t(key) }</option> }) }
            </select></label>
            if named {
                <label>{ ctx.t("until.namespace") }<input ref={namespace} ~defaultValue="default" required=true data-testid="until-namespace" /></label>
                <label>{ ctx.t("until.name") }<input ref={name} placeholder={ctx.t("until.any")} data-testid="until-name" /></label>
            }
            if *condition == "event" {
                <label>{ ctx.t("until.reason") }<input ref={reason} list="until-reasons" required=true data-testid="until-reason" /></label>
                <datalist id="until-reasons">{ for REASONS.iter().map(|r| html! { <option value={*r} /> }) }</datalist>
            }
            if *condition == "time" {
                <label>{ ctx.t("until.seconds") }<input ref={seconds} type="number" min="0" step="any" ~defaultValue="60" required=true data-testid="until-seconds" /></label>
            }
            <button class="primary" type="submit" data-testid="until-go">{ ctx.t("until.go") }</button>
        </form>
    }
}
