//! Follow this request: a pod sends one, and its way is drawn hop by hop.

use crate::ctx::{Ctx, use_ctx};
use crate::model::{Followed, follow};
use crate::ui::{Action, InspectorTab};
use crate::views::icon::Icon;
use protocol::{Detail, Follow, FollowHop, Journey, words};
use std::rc::Rc;
use web_sys::HtmlInputElement;
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub detail: Rc<Detail>,
    /// Of the answers.
    pub answers: u64,
}

#[component]
pub fn FollowRequest(p: &Props) -> Html {
    let ctx = use_ctx();
    let (from, url, host) = (use_node_ref(), use_node_ref(), use_node_ref());
    let id = p.detail.id.clone();
    let Some(first) = follow::suggest(&ctx.model.get(), &p.detail) else { return html! {} };
    let onsubmit = {
        let (ctx, id) = (ctx.clone(), id.clone());
        let (from, url, host) = (from.clone(), url.clone(), host.clone());
        Callback::from(move |e: SubmitEvent| {
            e.prevent_default();
            let value =
                |r: &NodeRef| r.cast::<HtmlInputElement>().map(|i| i.value().trim().to_string()).unwrap_or_default();
            let from = value(&from);
            let (namespace, pod) = from.split_once('/').unwrap_or(("default", from.as_str()));
            let (namespace, pod) = (namespace.to_string(), pod.to_string());
            ctx.act(Action::Follow(id.clone(), Follow { namespace, pod, url: value(&url), host: value(&host) }));
        })
    };
    let journey = ctx.model.get().journey.clone().filter(|f| f.from == id);
    let pods = follow::clients(&ctx.model.get());
    html! {
        <section class="panel follow" data-testid="panel-follow" aria-label={ctx.t("follow.title")} key={format!("{}/{}", id.namespace, id.name)}>
            <h3>{ ctx.t("follow.title") }</h3>
            <form class="form" {onsubmit}>
                <label>{ ctx.t("follow.from") }<input ref={from} ~defaultValue={first.0} required=true list="follow-pods" autocomplete="off" placeholder="default/client" data-testid="follow-from" /></label>
                <datalist id="follow-pods">{ for pods.into_iter().map(|p| html! { <option value={p} /> }) }</datalist>
                <label>{ "URL" }<input ref={url} ~defaultValue={first.1} required=true autocomplete="off" placeholder="http://web:80/" data-testid="follow-url" /></label>
                <label>{ ctx.t("follow.host") }<input ref={host} ~defaultValue={first.2} autocomplete="off" placeholder={ctx.t("follow.host.none")} data-testid="follow-host" /></label>
                <button type="submit" data-testid="follow-send">{ ctx.t("follow.send") }</button>
            </form>
            if let Some(Followed { journey, .. }) = journey {
                { match journey {
                    Ok(journey) => way(&ctx, &journey),
                    Err(why) => html! { <p class="status bad" role="status" data-testid="follow-result">{ why }</p> },
                } }
            }
        </section>
    }
}

fn way(ctx: &Ctx, journey: &Rc<Journey>) -> Html {
    let (class, result) = match journey.status {
        Some(status) if status < 400 => ("good", format!("HTTP {status}")),
        Some(status) => ("warn", format!("HTTP {status}")),
        None => ("bad", ctx.t("follow.nothing").to_string()),
    };
    // Each journey is drawn anew.
    let key = format!("{:p}", Rc::as_ptr(journey));
    html! {
        <div key={key}>
            <p role="status"><span class={classes!("status", class)} data-testid="follow-result">{ result }</span></p>
            <ol class="hops" data-testid="follow-hops">{ for journey.hops.iter().enumerate().map(|(i, h)| hop(ctx, i, h)) }</ol>
            if !journey.body.is_empty() { <pre class="follow-body" data-testid="follow-body" tabindex="0">{ journey.body.clone() }</pre> }
        </div>
    }
}

fn hop(ctx: &Ctx, i: usize, h: &FollowHop) -> Html {
    let lang = ctx.lang.shared();
    let stage = words::find(lang, &format!("stage.{}", h.stage)).unwrap_or("");
    let name = match &h.object {
        Some(id) => html! {
            <button class="object-link" onclick={ctx.on(Action::Inspect(id.clone(), InspectorTab::Summary))}><small>{ id.kind.clone() }</small>{ id.name.clone() }</button>
        },
        None => html! { <code>{ h.name.clone() }</code> },
    };
    html! {
        <li class={(!h.ok).then_some("ends")} style={format!("--hop:{i}")} data-stage={h.stage.clone()}>
            <div><b>{ stage }</b>{ name }if !h.ok { <Icon name="close" /> }</div>
            <ul>{ for h.notes.iter().map(|n| html! { <li>{ words::note(lang, n) }</li> }) }</ul>
        </li>
    }
}
