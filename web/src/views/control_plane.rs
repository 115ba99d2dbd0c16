//! The control plane: everything goes through kube-apiserver.

use super::faults;
use super::icon::Icon;
use super::menu::Menu;
use super::pending::Pending;
use crate::ctx::{Ctx, use_ctx};
use crate::ui::{Action, Center};
use protocol::{Command, ComponentView, Lamp};
use std::rc::Rc;
use yew::prelude::*;

/// The process that the cloud's console belongs to.
const CLOUD: &str = "cloud-controller-manager";

/// Before the name of what holds a process's lease.
const ELECTION: &str = "leader-election/";

#[derive(PartialEq, Properties)]
pub struct Props {
    pub components: u64,
    pub queues: u64,
    pub pending: u64,
    pub cycles: u64,
    pub now: u64,
    pub revision: u64,
    pub compact: bool,
}

#[component]
pub fn ControlPlane(p: &Props) -> Html {
    let ctx = use_ctx();
    let model = ctx.model.get();
    let process = |name: &str| -> Vec<Rc<ComponentView>> { model.process(name).cloned().collect() };
    let others: Vec<Process> =
        model.other_processes().into_iter().map(|name| (name.to_string(), process(name))).collect();
    let (api, scheduler, manager) =
        (process("kube-apiserver"), process("kube-scheduler"), process("kube-controller-manager"));
    let scheduler_lamp = lamp_of(&scheduler);
    html! {
        <div class={classes!("plane", p.compact.then_some("compact"))}>
            <div class="you box" data-port="you"><span class="box-name">{ ctx.t("stage.you") }</span><small>{ "kubectl" }</small></div>
            <div class="apiserver box" data-port="apiserver">
                <ProcessHead process="kube-apiserver" lamp={lamp_of(&api)} fixed={true} />
                <span class="doing">{ doing(&ctx, &api) }</span>
            </div>
            <div class="etcd box" data-port="etcd">
                <span class="box-name">{ "etcd" }</span>
                <small class="num" title={ctx.t("stage.revision")}>{ format!("rev {}", p.revision) }</small>
            </div>
            <div class="scheduler box" data-port="scheduler">
                <ProcessHead process="kube-scheduler" lamp={scheduler_lamp} slow={slow_of(&scheduler)} />
                <LastDecision version={p.cycles} />
                <Pending queues={p.queues} pending={p.pending} now={p.now} stopped={scheduler_lamp != Lamp::Running} compact={p.compact} />
            </div>
            <div class="manager box" data-port="manager">
                <ProcessHead process="kube-controller-manager" lamp={lamp_of(&manager)} slow={slow_of(&manager)} />
                <p class="doing latest">{ latest(&manager) }</p>
                <ul class="controllers">
                    { for manager.iter().map(|c| html! { <Controller key={c.name.clone()} component={c.clone()} /> }) }
                </ul>
            </div>
            // Half of them on each side of the trunk that nodes hang on.
            { for halves(&others).into_iter().map(|half| html! {
                <div class="others">{ for half.into_iter().map(|(name, components)| other(&ctx, name, components)) }</div>
            }) }
        </div>
    }
}

type Process = (String, Vec<Rc<ComponentView>>);

/// Two columns of about the same height: first the processes with a list, which take a row each.
fn halves(others: &[Process]) -> [Vec<&Process>; 2] {
    let (large, small): (Vec<_>, Vec<_>) = others.iter().partition(|(_, components)| components.len() > 1);
    let mut halves = [Vec::new(), Vec::new()];
    let mut heights = [0, 0];
    for (height, process) in large.into_iter().map(|p| (5, p)).chain(small.into_iter().map(|p| (1, p))) {
        let to = usize::from(heights[1] < heights[0]);
        heights[to] += height;
        halves[to].push(process);
    }
    halves
}

/// A process beside the three large ones: its newest act, or its controllers.
fn other(ctx: &Ctx, name: &str, components: &[Rc<ComponentView>]) -> Html {
    let many = components.len() > 1;
    html! {
        <div class={classes!("other", "box", many.then_some("many"))} key={name.to_string()} data-port={format!("process:{name}")}>
            <ProcessHead process={name.to_string()} lamp={lamp_of(components)} slow={slow_of(components)} />
            if many {
                if name == CLOUD { <button class="chip console-link" data-testid="open-console" title={ctx.t("cloud.console.about")} onclick={ctx.on(Action::Center(Center::Cloud))}><Icon name="cloud" />{ ctx.t("cloud.console") }</button> }
                <ul class="controllers">{ for components.iter().map(|c| html! { <Controller key={c.name.clone()} component={c.clone()} /> }) }</ul>
            } else {
                <span class="doing">{ newest(components) }</span>
            }
        </div>
    }
}

/// A process is as well as its worst component.
fn lamp_of(components: &[Rc<ComponentView>]) -> Lamp {
    let any = |lamp| components.iter().any(|c| c.lamp == lamp);
    if any(Lamp::Crashed) {
        Lamp::Crashed
    } else if any(Lamp::Stopped) {
        Lamp::Stopped
    } else if any(Lamp::Paused) {
        Lamp::Paused
    } else if any(Lamp::Standby) {
        Lamp::Standby
    } else {
        Lamp::Running
    }
}

fn slow_of(components: &[Rc<ComponentView>]) -> u32 {
    components.iter().map(|c| c.slow).max().unwrap_or(1)
}

/// The newest thing that any of them did; empty when they did nothing yet.
fn newest(components: &[Rc<ComponentView>]) -> String {
    components.iter().max_by_key(|c| c.doing_seq).map(|c| c.doing.clone()).unwrap_or_default()
}

fn doing(ctx: &Ctx, components: &[Rc<ComponentView>]) -> String {
    Some(newest(components)).filter(|d| !d.is_empty()).unwrap_or_else(|| ctx.t("stage.apiserver").to_string())
}

/// The newest thing any controller did: for when there is no room for each one's own.
fn latest(components: &[Rc<ComponentView>]) -> String {
    // Its lease is renewed all the time.
    let newest = components.iter().filter(|c| !c.doing.is_empty() && !c.name.starts_with(ELECTION));
    let newest = newest.max_by_key(|c| c.doing_seq);
    newest.map(|c| format!("{} · {}", short(&c.name), c.doing)).unwrap_or_default()
}

fn short(name: &str) -> &str {
    let name = name.split_once('/').map_or(name, |(kind, _)| kind);
    name.strip_suffix("-controller").unwrap_or(name)
}

#[derive(PartialEq, Properties)]
pub struct HeadProps {
    pub process: AttrValue,
    pub lamp: Lamp,
    /// The name shown, when it is not the process's.
    #[prop_or_default]
    pub name: Option<AttrValue>,
    /// It cannot be stopped.
    #[prop_or_default]
    pub fixed: bool,
    /// How many times as long as usual its turns take.
    #[prop_or(1)]
    pub slow: u32,
}

/// A process's name, its lamp, and the button that stops or starts it.
#[component]
pub fn ProcessHead(p: &HeadProps) -> Html {
    let ctx = use_ctx();
    let (class, state) = match p.lamp {
        Lamp::Running => ("running", ctx.t("lamp.running")),
        Lamp::Stopped => ("stopped", ctx.t("lamp.stopped")),
        Lamp::Crashed => ("crashed", ctx.t("lamp.crashed")),
        Lamp::Paused => ("paused", ctx.t("lamp.paused")),
        Lamp::Standby => ("standby", ctx.t("lamp.standby")),
    };
    let on = matches!(p.lamp, Lamp::Running | Lamp::Standby);
    let verb = if on {
        ctx.tf("process.stop", &[("process", &p.process)])
    } else {
        ctx.tf("process.start", &[("process", &p.process)])
    };
    let command = Command::SetProcess { id: 0, process: p.process.to_string(), running: !on };
    html! {
        <div class="process-head">
            <span class={classes!("lamp", class)} role="img" aria-label={state} title={state} data-testid={format!("lamp-{}", p.process)} data-state={class} />
            <span class="box-name">{ p.name.clone().unwrap_or_else(|| p.process.clone()) }</span>
            if p.lamp != Lamp::Running { <span class="lamp-word">{ state }</span> }
            if p.slow > 1 { <span class="status warn num" data-testid={format!("slow-{}", p.process)} title={ctx.tf("fault.slow.is", &[("times", &p.slow.to_string())])}>{ format!("×{}", p.slow) }</span> }
            if !p.fixed {
                <button class={classes!("icon-button", "power", (!on).then_some("off"))} data-testid={format!("power-{}", p.process)} title={verb.clone()} aria-label={verb}
                    onclick={ctx.on_send(command)}><Icon name="power" /></button>
                <Menu class="faults" icon="bolt" label={ctx.tf("fault.menu", &[("name", &p.process)])} testid={format!("faults-{}", p.process)} items={faults::of_process(&ctx, &p.process, p.lamp, p.slow)} />
            }
        </div>
    }
}

#[derive(PartialEq, Properties)]
struct ControllerProps {
    component: Rc<ComponentView>,
}

#[component]
fn Controller(p: &ControllerProps) -> Html {
    let ctx = use_ctx();
    let c = &p.component;
    let name = short(&c.name);
    let waiting = ctx.tf("component.queue", &[("queued", &c.queued.to_string()), ("delayed", &c.delayed.to_string())]);
    let busy = c.queued > 0;
    html! {
        <li class={classes!(busy.then_some("busy"))}>
            <button data-testid={format!("component-{}", c.name)} disabled={c.doing_seq == 0} title={format!("{} · {waiting}", c.name)} onclick={ctx.on(Action::Entry(c.doing_seq))}>
                <span class="controller-name">{ name.to_string() }</span>
                if c.queued + c.delayed > 0 {
                    <span class="count num" aria-label={waiting}>{ c.queued }{ if c.delayed > 0 { format!("+{}", c.delayed) } else { String::new() } }</span>
                }
                <span class="doing">{ c.doing.strip_prefix("default/").unwrap_or(&c.doing).to_string() }</span>
            </button>
        </li>
    }
}

#[derive(PartialEq, Properties)]
struct LastProps {
    version: u64,
}

#[component]
fn LastDecision(p: &LastProps) -> Html {
    let _ = p.version;
    let ctx = use_ctx();
    let model = ctx.model.get();
    let Some(last) = model.cycles.back() else {
        return html! { <p class="last-decision none">{ ctx.t("decision.none-yet") }</p> };
    };
    let bound = !last.node.is_empty();
    html! {
        <button class={classes!("last-decision", (!bound).then_some("bad"))} data-testid="last-decision" title={ctx.t("decision.open")} onclick={ctx.on(Action::Cycle(last.seq))}>
            <Icon name={if bound { "check" } else { "cross" }} />
            <span>{ last.name.clone() }</span>
            <strong>{ if bound { format!("→ {}", last.node) } else { last.message.clone() } }</strong>
        </button>
    }
}
