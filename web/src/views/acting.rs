//! Acting as somebody else: who it is, and the button that says so.

use super::icon::Icon;
use crate::ctx::use_ctx;
use crate::model::access;
use crate::ui::{Action, Overlay};
use protocol::Identity;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// Who everything is asked for by, when nobody else is chosen.
pub const ADMIN: &str = "kubernetes-admin";

#[derive(PartialEq, Properties)]
pub struct Props {
    pub acting: Option<Identity>,
}

/// Beside Apply: whose requests they are.
#[component]
pub fn ActingButton(p: &Props) -> Html {
    let ctx = use_ctx();
    let name = p.acting.as_ref().map_or_else(|| ADMIN.to_string(), access::short);
    let label = ctx.tf("acting.button", &[("user", &name)]);
    html! {
        <button class={classes!("acting", p.acting.is_some().then_some("other"))} data-testid="acting" title={label}
            onclick={ctx.on(Action::Overlay(Some(Overlay::ActAs)))}><Icon name="person" /><span>{ name }</span></button>
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Admin,
    User,
    Account,
}

#[component]
pub fn ActAs(p: &Props) -> Html {
    let ctx = use_ctx();
    let before = p.acting.clone().unwrap_or_default();
    let account = before.user.strip_prefix("system:serviceaccount:").and_then(|r| r.split_once(':'));
    let account = account.map(|(namespace, name)| (namespace.to_string(), name.to_string()));
    let kind = use_state(|| match (&p.acting, &account) {
        (None, _) => Kind::Admin,
        (_, Some(_)) => Kind::Account,
        _ => Kind::User,
    });
    let (user, groups, namespace, name) = (use_node_ref(), use_node_ref(), use_node_ref(), use_node_ref());
    let onsubmit = {
        let (ctx, kind) = (ctx.clone(), *kind);
        let (user, groups, namespace, name) = (user.clone(), groups.clone(), namespace.clone(), name.clone());
        Callback::from(move |e: SubmitEvent| {
            e.prevent_default();
            let value =
                |r: &NodeRef| r.cast::<HtmlInputElement>().map(|i| i.value().trim().to_string()).unwrap_or_default();
            let identity = match kind {
                Kind::Admin => None,
                Kind::User => {
                    let groups = value(&groups);
                    let groups = groups.split(',').map(str::trim).filter(|g| !g.is_empty()).map(Into::into).collect();
                    Some(Identity { user: value(&user), groups })
                }
                Kind::Account => Some(access::account(&value(&namespace), &value(&name))),
            };
            ctx.act(Action::ActAs(identity));
            ctx.act(Action::Overlay(None));
        })
    };
    let choice = |this: Kind, label: &'static str, about: &'static str, id: &'static str| {
        let state = kind.clone();
        let onchange = Callback::from(move |_: Event| state.set(this));
        html! { <label class="check act-as-kind"><input type="radio" name="act-as" checked={*kind == this} data-testid={id} {onchange} /><span><b>{ label }</b><small>{ about }</small></span></label> }
    };
    let (account_namespace, account_name) = account.clone().unwrap_or_else(|| ("default".into(), "default".into()));
    let user_name = if account.is_some() { String::new() } else { before.user.clone() };
    html! {
        <form class="form act-as" {onsubmit}>
            <p>{ ctx.t("acting.about") }</p>
            <fieldset><legend class="visually-hidden">{ ctx.t("acting.title") }</legend>
                { choice(Kind::Admin, ADMIN, ctx.t("acting.admin"), "act-as-admin") }
                { choice(Kind::User, ctx.t("acting.user"), ctx.t("acting.user.about"), "act-as-user") }
                if *kind == Kind::User {
                    <label>{ ctx.t("acting.name") }<input ref={user} ~defaultValue={user_name} required=true placeholder="jane" autocomplete="off" data-testid="act-as-name" /></label>
                    <label>{ ctx.t("acting.groups") }<input ref={groups} ~defaultValue={before.groups.join(", ")} placeholder="developers, testers" autocomplete="off" data-testid="act-as-groups" /></label>
                }
                { choice(Kind::Account, ctx.t("acting.account"), ctx.t("acting.account.about"), "act-as-account") }
                if *kind == Kind::Account {
                    <label>{ ctx.t("acting.namespace") }<input ref={namespace} ~defaultValue={account_namespace} required=true autocomplete="off" data-testid="act-as-namespace" /></label>
                    <label>{ ctx.t("acting.name") }<input ref={name} ~defaultValue={account_name} required=true autocomplete="off" data-testid="act-as-account-name" /></label>
                }
            </fieldset>
            <button class="primary" type="submit" data-testid="act-as-go">{ ctx.t("acting.go") }</button>
        </form>
    }
}
