//! The branches of the session: which is the present, where each left another, and what differs between two.

use super::icon::Icon;
use super::past::order;
use crate::ctx::{Ctx, use_ctx};
use crate::format;
use crate::ui::{Action, InspectorTab};
use protocol::{BranchView, Command, Comparison, ObjectChange, TimeOrder};
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct Props {
    /// Of what is known about time, and of the answers.
    pub versions: (u64, u64),
}

fn name(ctx: &Ctx, b: &BranchView) -> String {
    match (b.name.is_empty(), b.from) {
        (false, _) => b.name.clone(),
        (true, None) => ctx.t("branch.first").into(),
        (true, Some((_, now))) => ctx.tf("branch.since", &[("time", &format::clock(now, ctx.model.get().clock.epoch))]),
    }
}

#[component]
pub fn Branches(_: &Props) -> Html {
    let ctx = use_ctx();
    let (time, clock, comparison) = {
        let model = ctx.model.get();
        (model.time.clone(), model.clock.clone(), model.comparison.clone())
    };
    let row = |b: &BranchView| {
        let from = b.from.and_then(|(id, now)| Some((time.branches.iter().find(|b| b.id == id)?, now)));
        let stands = if b.current { clock.now } else { b.now };
        let id = b.id;
        let rename = {
            let ctx = ctx.clone();
            Callback::from(move |e: Event| {
                if let Some(input) = e.target().and_then(|t| t.dyn_into::<HtmlInputElement>().ok()) {
                    ctx.act(order(TimeOrder::RenameBranch { branch: id, name: input.value().trim().into() }));
                }
            })
        };
        html! {
            <li key={b.id} class={classes!("branch", b.current.then_some("current"))} data-testid={format!("branch-{}", b.id)}>
                <span class="branch-mark" aria-hidden="true" />
                <div class="branch-name">
                    <input value={name(&ctx, b)} aria-label={ctx.t("branch.name")} onchange={rename} />
                    <small>{ match from {
                        Some((from, now)) => ctx.tf("branch.from", &[("name", &name(&ctx, from)), ("time", &format::clock(now, clock.epoch))]),
                        None => String::new(),
                    } }{ if from.is_some() { " · " } else { "" } }{ ctx.tf("branch.stands", &[("time", &format::clock(stands, clock.epoch))]) }</small>
                </div>
                if b.current {
                    <span class="chip current">{ ctx.t("branch.current") }</span>
                } else {
                    <button data-testid={format!("compare-{id}")} onclick={ctx.on_send(Command::Compare { id: 0, branch: id })}>{ ctx.t("branch.compare") }</button>
                    <button data-testid={format!("switch-{id}")} onclick={ctx.on(order(TimeOrder::Switch { branch: id }))}>{ ctx.t("branch.switch") }</button>
                    <button class="icon-button" data-testid={format!("drop-{id}")} aria-label={ctx.t("branch.drop")} title={ctx.t("branch.drop")} onclick={ctx.on(order(TimeOrder::DropBranch { branch: id }))}><Icon name="close" /></button>
                }
            </li>
        }
    };
    let compared = comparison.filter(|c| time.branches.iter().any(|b| b.id == c.branch && !b.current));
    html! {
        <div class="branches" data-testid="branch-list">
            <p>{ ctx.t("branch.about") }</p>
            <ul>{ for time.branches.iter().map(row) }</ul>
            <button data-testid="branch-new" onclick={ctx.on(order(TimeOrder::Branch { name: String::new() }))}><Icon name="branch" />{ ctx.t(if time.past.is_some() { "branch.here" } else { "branch.now" }) }</button>
            if let Some(c) = compared {
                { differences(&ctx, &c, time.branches.iter().find(|b| b.id == c.branch)) }
            }
        </div>
    }
}

fn differences(ctx: &Ctx, c: &Comparison, there: Option<&BranchView>) -> Html {
    let epoch = ctx.model.get().clock.epoch;
    let there = there.map(|b| name(ctx, b)).unwrap_or_default();
    let clock = |t: u64| format::clock(t, epoch);
    let count = |what: &str| c.objects.iter().filter(|o| o.what == what).count().to_string();
    let sides = [("here", count("here")), ("there", count("there")), ("changed", count("changed"))];
    let sides: Vec<(&str, &str)> = sides.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let node = |n: &Option<String>| match n.as_deref() {
        None => "–".to_string(),
        Some("") => ctx.t("decision.nowhere").to_string(),
        Some(n) => n.to_string(),
    };
    html! {
        <section class="comparison" data-testid="comparison">
            <h3>{ ctx.tf("compare.title", &[("name", &there)]) }</h3>
            <p><small>{ ctx.tf("compare.parted", &[("time", &clock(c.fork)), ("here", &clock(c.here)), ("there", &clock(c.there))]) }</small></p>
            <p data-testid="compare-counts">{ ctx.tf("compare.counts", &sides) }{ " " }<small>{ ctx.tf("compare.same", &[("n", &c.same.to_string())]) }</small></p>
            if !c.decisions.is_empty() {
                <h4>{ ctx.t("compare.decisions") }</h4>
                <table class="compare-table" data-testid="compare-decisions">
                    <thead><tr><th>{ "Pod" }</th><th>{ ctx.t("compare.here") }</th><th>{ there.clone() }</th></tr></thead>
                    <tbody>{ for c.decisions.iter().map(|d| html! {
                        <tr><td>{ format!("{}/{}", d.namespace, d.name) }</td><td>{ node(&d.here) }</td><td>{ node(&d.there) }</td></tr>
                    }) }</tbody>
                </table>
                if c.more.1 > 0 { <small>{ format!("+{}", c.more.1) }</small> }
            }
            if !c.objects.is_empty() {
                <h4>{ ctx.t("compare.objects") }</h4>
                <ul class="compare-objects" data-testid="compare-objects">{ for c.objects.iter().map(|o| object(ctx, o, &there)) }</ul>
                if c.more.0 > 0 { <small>{ format!("+{}", c.more.0) }</small> }
            }
        </section>
    }
}

fn object(ctx: &Ctx, o: &ObjectChange, there: &str) -> Html {
    let (sign, said) = match o.what.as_str() {
        "here" => ("+", ctx.t("compare.only-here").to_string()),
        "there" => ("−", ctx.tf("compare.only-there", &[("name", there)])),
        _ => ("±", String::new()),
    };
    let full = if o.id.namespace.is_empty() { o.id.name.clone() } else { format!("{}/{}", o.id.namespace, o.id.name) };
    let inspect = Action::Inspect(o.id.clone(), InspectorTab::Summary);
    html! {
        <li class={o.what.clone()}>
            <span class="compare-sign" aria-hidden="true">{ sign }</span>
            <div>
                <button class="object-link" disabled={o.what == "there"} onclick={ctx.on(inspect)}><small>{ o.id.kind.clone() }</small>{ full }</button>
                if !said.is_empty() { <small>{ said }</small> }
                if !o.fields.is_empty() {
                    <dl>{ for o.fields.iter().map(|(path, here, there)| html! {
                        <><dt><code>{ path.clone() }</code></dt><dd><ins>{ here.clone() }</ins>{ " " }<del>{ there.clone() }</del></dd></>
                    }) }</dl>
                }
                if o.more > 0 { <small>{ format!("+{}", o.more) }</small> }
            </div>
        </li>
    }
}
