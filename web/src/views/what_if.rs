//! "What if": one field or weight is changed in a copy of the moment, and both decisions stand side by side.

use super::sides::{Both, Sides};
use crate::ctx::use_ctx;
use crate::model::{Topic, pod_change};
use crate::ui::Action;
use protocol::debug::Change;
use protocol::{Answer, Debug, ObjectId};
use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Cpu,
    Memory,
    Priority,
    NoSelector,
    TolerateAll,
    NoAffinity,
    NoSpread,
    Weight,
    WithoutNode,
    AddNode,
    Patch,
}

const KINDS: [(Kind, &str); 11] = [
    (Kind::Cpu, "cpu"),
    (Kind::Memory, "memory"),
    (Kind::Priority, "priority"),
    (Kind::NoSelector, "no-selector"),
    (Kind::TolerateAll, "tolerate-all"),
    (Kind::NoAffinity, "no-affinity"),
    (Kind::NoSpread, "no-spread"),
    (Kind::Weight, "weight"),
    (Kind::WithoutNode, "without-node"),
    (Kind::AddNode, "add-node"),
    (Kind::Patch, "patch"),
];

#[derive(PartialEq, Properties)]
pub struct Props {
    /// The pod.
    pub object: Option<ObjectId>,
    /// The decision that is forked; 0 is now.
    pub cycle: u64,
    pub answers: u64,
}

/// The change that the form describes; an error's key of the catalogue, when it describes none.
fn change(kind: Kind, pod: &serde_json::Value, value: &str, of: &str) -> Result<Change, &'static str> {
    let value = value.trim();
    let spec = |field: &str, v: serde_json::Value| Change::Pod { patch: serde_json::json!({"spec": {field: v}}) };
    Ok(match kind {
        Kind::Cpu | Kind::Memory if value.is_empty() => return Err("what-if.needs-value"),
        Kind::Cpu => Change::Pod { patch: pod_change::request(pod, "cpu", value) },
        Kind::Memory => Change::Pod { patch: pod_change::request(pod, "memory", value) },
        Kind::Priority => spec("priority", value.parse::<i32>().map_err(|_| "what-if.needs-number")?.into()),
        Kind::NoSelector => spec("nodeSelector", serde_json::Value::Null),
        Kind::TolerateAll => spec("tolerations", serde_json::json!([{"operator": "Exists"}])),
        Kind::NoAffinity => spec("affinity", serde_json::Value::Null),
        Kind::NoSpread => spec("topologySpreadConstraints", serde_json::json!([])),
        Kind::Weight => {
            Change::Weight { plugin: of.into(), weight: value.parse().map_err(|_| "what-if.needs-number")? }
        }
        Kind::WithoutNode => Change::WithoutNode { node: of.into() },
        Kind::AddNode => Change::AddNode {
            like: of.into(),
            name: format!("{of}-copy"),
            patch: serde_json::json!({"metadata": {"labels": {"kubernetes.io/hostname": format!("{of}-copy")}}}),
        },
        Kind::Patch => Change::Pod { patch: serde_json::from_str(value).map_err(|_| "what-if.needs-json")? },
    })
}

#[component]
pub fn WhatIf(p: &Props) -> Html {
    let ctx = use_ctx();
    let (kind, value, of) = (use_state(|| Kind::Cpu), use_state(|| "100m".to_string()), use_state(String::new));
    let (asked, wrong) = (use_state(|| None::<Debug>), use_state(|| None::<&'static str>));
    let Some(id) = p.object.clone() else { return html! { <p class="empty">{ ctx.t("inspector.empty") }</p> } };
    let path = format!("/api/v1/namespaces/{}/pods/{}", id.namespace, id.name);
    {
        let (ctx, path) = (ctx.clone(), path.clone());
        use_effect_with(path, move |path| ctx.act(Action::Fetch(path.clone())));
    }
    let model = ctx.model.get();
    let pod = model.fetched.as_ref().filter(|f| f.path == path).map(|f| f.body.clone());
    let nodes: Vec<String> = model.nodes.keys().cloned().collect();
    let mut plugins: Vec<String> = model.cycle.iter().flat_map(|c| &c.scorers).map(|(p, _)| p.clone()).collect();
    if plugins.is_empty() {
        plugins = SCORERS.iter().map(ToString::to_string).collect();
    }
    let choices = match *kind {
        Kind::Weight => Some(plugins),
        Kind::WithoutNode | Kind::AddNode => Some(nodes),
        _ => None,
    };
    let picked = match &choices {
        Some(list) if !list.contains(&of) => list.first().cloned().unwrap_or_default(),
        _ => (*of).clone(),
    };
    let on_kind = {
        let (kind, value) = (kind.clone(), value.clone());
        Callback::from(move |e: Event| {
            let code =
                e.target().and_then(|t| t.dyn_into::<HtmlSelectElement>().ok()).map(|s| s.value()).unwrap_or_default();
            if let Some((k, _)) = KINDS.iter().find(|(_, c)| *c == code) {
                kind.set(*k);
                value.set(match k {
                    Kind::Cpu => "100m".into(),
                    Kind::Memory => "64Mi".into(),
                    Kind::Priority => "1000".into(),
                    Kind::Weight => "10".into(),
                    Kind::Patch => r#"{"spec":{"nodeSelector":{"disktype":"ssd"}}}"#.into(),
                    _ => String::new(),
                });
            }
        })
    };
    let on_value = {
        let value = value.clone();
        Callback::from(move |e: InputEvent| {
            value.set(
                e.target().and_then(|t| t.dyn_into::<HtmlInputElement>().ok()).map(|i| i.value()).unwrap_or_default(),
            );
        })
    };
    let on_of = {
        let of = of.clone();
        Callback::from(move |e: Event| {
            of.set(
                e.target().and_then(|t| t.dyn_into::<HtmlSelectElement>().ok()).map(|s| s.value()).unwrap_or_default(),
            );
        })
    };
    let onsubmit = {
        let (ctx, asked, wrong, kind, value, picked, id, pod) = (
            ctx.clone(),
            asked.clone(),
            wrong.clone(),
            *kind,
            (*value).clone(),
            picked.clone(),
            id.clone(),
            pod.clone(),
        );
        let cycle = p.cycle;
        Callback::from(move |e: SubmitEvent| {
            e.prevent_default();
            let Some(pod) = &pod else { return };
            match change(kind, pod, &value, &picked) {
                Ok(change) => {
                    let debug = Debug::WhatIf {
                        namespace: id.namespace.clone(),
                        name: id.name.clone(),
                        cycle,
                        changes: vec![change],
                    };
                    wrong.set(None);
                    asked.set(Some(debug.clone()));
                    ctx.act(Action::Ask(Topic::WhatIf, debug));
                }
                Err(key) => wrong.set(Some(key)),
            }
        })
    };
    let answer = (*asked).as_ref().and_then(|a| model.answer(Topic::WhatIf, a));
    let waits = (*asked).as_ref().is_some_and(|a| model.waits(Topic::WhatIf, a));
    let takes_value = matches!(*kind, Kind::Cpu | Kind::Memory | Kind::Priority | Kind::Weight | Kind::Patch);
    html! {
        <div class="what-if" data-testid="what-if">
            <p>{ ctx.tf("what-if.about", &[("pod", &format!("{}/{}", id.namespace, id.name))]) }</p>
            <form {onsubmit}>
                <label class="field"><span>{ ctx.t("what-if.change") }</span>
                    <select data-testid="what-if-kind" onchange={on_kind}>
                        { for KINDS.iter().map(|(k, code)| html! { <option value={*code} selected={*k == *kind}>{ ctx.find(&format!("what-if.{code}")).unwrap_or(code) }</option> }) }
                    </select></label>
                if let Some(list) = choices {
                    <label class="field"><span>{ if *kind == Kind::Weight { ctx.t("cell.plugin") } else { ctx.t("why-not.node") } }</span>
                        <select data-testid="what-if-of" onchange={on_of}>{ for list.iter().map(|c| html! { <option value={c.clone()} selected={*c == picked}>{ c.clone() }</option> }) }</select></label>
                }
                if takes_value { <label class="field value"><span>{ ctx.t("what-if.value") }</span><input data-testid="what-if-value" value={(*value).clone()} oninput={on_value} /></label> }
                <button class="primary" data-testid="what-if-go" disabled={waits || pod.is_none()}>{ if waits { ctx.t("what-if.waits") } else { ctx.t("what-if.go") } }</button>
            </form>
            if let Some(key) = *wrong { <p class="error" role="alert">{ ctx.find(key).unwrap_or(key) }</p> }
            { match answer.as_deref().zip(answer.as_ref()) {
                Some((Answer::WhatIf(both), whole)) => html! { <Sides key={both.after.seq} both={Both(whole.clone())} answers={p.answers} /> },
                Some((Answer::Refused { message, errors }, _)) => html! {
                    <div class="error" role="alert" data-testid="what-if-refused"><p>{ crate::i18n::refusals::told(ctx.lang, message) }</p>{ for errors.iter().map(|e| html! { <p><code>{ e.path.clone() }</code>{ " " }{ e.message.clone() }</p> }) }</div>
                },
                _ => html! { <p class="what-if-hint">{ ctx.t("what-if.hint") }</p> },
            } }
        </div>
    }
}

/// Upstream's default score plugins, for when no decision was looked at.
const SCORERS: [&str; 8] = [
    "TaintToleration",
    "NodeAffinity",
    "NodeResourcesFit",
    "VolumeBinding",
    "PodTopologySpread",
    "InterPodAffinity",
    "NodeResourcesBalancedAllocation",
    "ImageLocality",
];
