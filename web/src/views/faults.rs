//! What can be made to go wrong with processes, nodes and images, and how it is mended.

use super::icon::Icon;
use super::menu::Item;
use crate::ctx::{Ctx, use_ctx};
use protocol::{Command, Fault, Lamp, NodeView};
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// How many times as long the turns of a slow process take.
const SLOW: u32 = 10;

/// Programs of which several processes may run, one of which leads.
const ELECTED: [&str; 2] = ["kube-scheduler", "kube-controller-manager"];

fn send<E: 'static>(ctx: &Ctx, fault: Fault) -> Callback<E> {
    ctx.on_send(Command::Fault { id: 0, fault })
}

pub fn of_process(ctx: &Ctx, process: &str, lamp: Lamp, slow: u32) -> Vec<Item> {
    let item = |label: &'static str, about: &'static str, code: &str, fault: Fault| {
        Item::new(label, format!("{code}-{process}"), send(ctx, fault)).hint(about)
    };
    let process_name = || process.to_string();
    let mut items = Vec::new();
    if matches!(lamp, Lamp::Running | Lamp::Standby) {
        let crash = Fault::CrashProcess { process: process_name() };
        items.push(item(ctx.t("fault.crash"), ctx.t("fault.crash.about"), "crash", crash).danger());
        let pause = Fault::PauseProcess { process: process_name(), on: true };
        items.push(item(ctx.t("fault.pause"), ctx.t("fault.pause.about"), "pause", pause));
    }
    if lamp == Lamp::Paused {
        let resume = Fault::PauseProcess { process: process_name(), on: false };
        items.push(item(ctx.t("fault.resume"), ctx.t("fault.resume.about"), "resume", resume));
    }
    items.push(if slow > 1 {
        let fault = Fault::SlowProcess { process: process_name(), times: 1 };
        item(ctx.t("fault.fast"), ctx.t("fault.fast.about"), "fast", fault)
    } else {
        let fault = Fault::SlowProcess { process: process_name(), times: SLOW };
        item(ctx.t("fault.slow"), ctx.t("fault.slow.about"), "slow", fault)
    });
    if ELECTED.contains(&process) {
        let command = Command::SetProcess { id: 0, process: format!("{process}-2"), running: true };
        let replica = Item::new(ctx.t("process.replica"), format!("replica-{process}"), ctx.on_send(command));
        items.push(replica.hint(ctx.t("process.replica.about")));
    }
    items
}

pub fn of_disk(ctx: &Ctx, n: &NodeView) -> Item {
    let fault = Fault::FillDisk { node: n.name.clone(), on: !n.full };
    if n.full {
        let item = Item::new(ctx.t("fault.free"), format!("free-disk-{}", n.name), send(ctx, fault));
        item.hint(ctx.t("fault.free.about"))
    } else {
        let item = Item::new(ctx.t("fault.fill"), format!("fill-disk-{}", n.name), send(ctx, fault));
        item.hint(ctx.t("fault.fill.about")).danger()
    }
}

pub fn of_node(ctx: &Ctx, n: &NodeView) -> Item {
    let fault = Fault::CutLink { node: n.name.clone(), on: !n.cut };
    if n.cut {
        Item::new(ctx.t("fault.heal"), format!("heal-{}", n.name), send(ctx, fault)).hint(ctx.t("fault.heal.about"))
    } else {
        Item::new(ctx.t("fault.cut"), format!("cut-{}", n.name), send(ctx, fault))
            .hint(ctx.t("fault.cut.about"))
            .danger()
    }
}

#[derive(PartialEq, Properties)]
pub struct ImagesProps {
    /// Of the blocked images.
    pub version: u64,
}

/// Images that no registry gives any more.
#[component]
pub fn Images(p: &ImagesProps) -> Html {
    let _ = p.version;
    let ctx = use_ctx();
    let image = use_node_ref();
    let blocked = ctx.model.get().blocked_images.clone();
    let onsubmit = {
        let (ctx, image) = (ctx.clone(), image.clone());
        Callback::from(move |e: SubmitEvent| {
            e.prevent_default();
            let Some(input) = image.cast::<HtmlInputElement>() else { return };
            let name = input.value().trim().to_string();
            if !name.is_empty() {
                ctx.act(crate::ui::Action::Send(Command::Fault {
                    id: 0,
                    fault: Fault::BlockImage { image: name, on: true },
                }));
                input.set_value("");
            }
        })
    };
    html! {
        <form class="form images" {onsubmit}>
            <p>{ ctx.t("fault.images.about") }</p>
            <label>{ ctx.t("fault.image") }<input ref={image} placeholder="nginx:1.27" required=true autocomplete="off" spellcheck="false" data-testid="block-image-name" /></label>
            <button class="primary" type="submit" data-testid="block-image">{ ctx.t("fault.block") }</button>
            <ul class="blocked" data-testid="blocked-images" aria-label={ctx.t("fault.blocked")}>
                { for blocked.iter().map(|name| {
                    let fault = Fault::BlockImage { image: name.clone(), on: false };
                    html! { <li key={name.clone()}><code>{ name.clone() }</code><span class="grow" /><button type="button" class="chip" data-testid={format!("unblock-{name}")} onclick={send(&ctx, fault)}><Icon name="check" />{ ctx.t("fault.unblock") }</button></li> }
                }) }
            </ul>
        </form>
    }
}
