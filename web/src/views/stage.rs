//! The middle: the cluster as the official components diagram, or a scheduling decision.

use super::breakpoints::DebugBar;
use super::cloud::Cloud;
use super::control_plane::ControlPlane;
use super::decision::Decision;
use super::flow::Flow;
use super::heatmap::HeatMap;
use super::icon::Icon;
use super::node_card::NodeCard;
use super::objects::Objects;
use super::queues::Queues;
use crate::ctx::use_ctx;
use crate::lessons::LessonAction;
use crate::model::Versions;
use crate::samples::SAMPLES;
use crate::ui::{Action, Center, Engine, FileAction, Overlay};
use protocol::{Listing, Subscription};
use yew::prelude::*;

/// More nodes, or more pods, than these are drawn as a heat map on a canvas.
const NODES_MAX: usize = 60;
const PODS_MAX: usize = 1200;
/// Up to so many pods are shown with their names.
const NAMED_MAX: usize = 48;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub center: Center,
    pub engine: Engine,
    pub running: bool,
    /// Of the cluster's clock, roughly.
    pub now: u64,
    pub versions: Versions,
    pub subscription: Subscription,
    pub listing: Listing,
    /// The cluster is the page's own.
    pub own: bool,
    pub guess: bool,
    pub front: bool,
    /// A lesson is under way; one was done.
    pub taught: (bool, bool),
}

#[component]
pub fn Stage(p: &Props) -> Html {
    let ctx = use_ctx();
    let held = p.engine == Engine::Ready && ctx.model.get().debugger.held.is_some();
    let paused = p.engine == Engine::Ready && (!p.running || held);
    let center = |center: Center, label: &'static str, id: &'static str| {
        html! {
            <button role="tab" aria-selected={(p.center == center).to_string()} data-testid={id} onclick={ctx.on(Action::Center(center))}>{ label }</button>
        }
    };
    html! {
        <section class={classes!("stage", paused.then_some("paused"), p.front.then_some("front"))} data-testid="stage" aria-label={ctx.t("stage.label")}>
            <div class="stage-head">
                <div class="segments" role="tablist">
                    { center(Center::Cluster, ctx.t("stage.cluster"), "show-cluster") }
                    { center(Center::Decision, ctx.t("stage.decision"), "show-decision") }
                    { center(Center::Queues, ctx.t("stage.queues"), "show-queues") }
                    { center(Center::Objects, ctx.t("stage.objects"), "show-objects") }
                    { center(Center::Cloud, ctx.t("stage.cloud"), "show-cloud") }
                </div>
                if p.center == Center::Cluster { <Owners version={p.versions.owners} /> }
                if p.center == Center::Decision && p.engine == Engine::Ready { <DebugBar version={p.versions.debugger} quiz={p.guess} /> }
                <span class="grow" />
                if paused { <span class="paused-badge" data-testid="paused"><Icon name="pause" />{ if held { ctx.t("held.badge") } else { ctx.t("clock.paused") } }</span> }
                if p.center == Center::Cluster { <button data-testid="images" class="icon-button" disabled={p.engine != Engine::Ready} aria-label={ctx.t("fault.images")} title={ctx.t("fault.images")} onclick={ctx.on(Action::Overlay(Some(Overlay::Images)))}><Icon name="bolt" /></button> }
                <button data-testid="add-node" disabled={p.engine != Engine::Ready} aria-label={ctx.t("node.add")} onclick={ctx.on(Action::Overlay(Some(Overlay::NewNode)))}>
                    <Icon name="plus" /><span class="wide">{ ctx.t("node.add") }</span></button>
            </div>
            { match (&p.engine, p.center) {
                (Engine::Loading, _) => html! { <Loading /> },
                (Engine::Replaying(percent), _) => html! { <Loading percent={*percent} /> },
                (Engine::Broken(why), _) => html! { <Broken why={why.clone()} /> },
                (Engine::Ready, Center::Decision) => html! {
                    <Decision version={p.versions.cycle} list={p.versions.cycles} nodes={p.versions.nodes} answers={p.versions.answers} debugger={p.versions.debugger} cycle={p.subscription.cycle}
                        follow={p.subscription.follow_cycles} guess={p.guess} />
                },
                (Engine::Ready, Center::Queues) => html! {
                    <Queues queues={p.versions.queues} pending={p.versions.pending} now={p.now} answers={p.versions.answers} />
                },
                (Engine::Ready, Center::Objects) => html! {
                    <Objects listing={p.listing.clone()} version={p.versions.listing} selected={p.subscription.object.clone()} />
                },
                (Engine::Ready, Center::Cloud) => html! { <Cloud version={p.versions.cloud} own={p.own} /> },
                (Engine::Ready, Center::Cluster) => html! { <Diagram versions={p.versions} object={p.subscription.object.clone()} now={p.now} taught={p.taught} /> },
            } }
        </section>
    }
}

#[derive(PartialEq, Properties)]
struct LoadingProps {
    /// How much of a saved session was replayed.
    #[prop_or_default]
    percent: Option<u8>,
}

#[component]
fn Loading(p: &LoadingProps) -> Html {
    let ctx = use_ctx();
    let text = match p.percent {
        Some(n) => ctx.tf("stage.replaying", &[("percent", &n.to_string())]),
        None => ctx.t("stage.loading").to_string(),
    };
    html! {
        <div class="stage-message" role="status" data-testid="loading">
            <div class="pulse" aria-hidden="true" />
            <p>{ text }</p>
            if let Some(n) = p.percent { <progress max="100" value={n.to_string()} aria-label={ctx.t("stage.loading")} /> }
        </div>
    }
}

#[derive(PartialEq, Properties)]
struct BrokenProps {
    why: String,
}

#[component]
fn Broken(p: &BrokenProps) -> Html {
    let ctx = use_ctx();
    html! {
        <div class="stage-message" role="alert" data-testid="broken">
            <h2>{ ctx.t("broken.title") }</h2>
            <p>{ ctx.t("broken.about") }</p>
            <pre>{ p.why.clone() }</pre>
            <p class="buttons">
                <button class="primary" data-testid="restart" onclick={ctx.on(Action::Restart { fresh: false })}>{ ctx.t("broken.restart") }</button>
                <button data-testid="restart-fresh" onclick={ctx.on(Action::Restart { fresh: true })}>{ ctx.t("broken.fresh") }</button>
            </p>
        </div>
    }
}

#[derive(PartialEq, Properties)]
struct DiagramProps {
    versions: Versions,
    object: Option<protocol::ObjectId>,
    now: u64,
    taught: (bool, bool),
}

#[component]
fn Diagram(p: &DiagramProps) -> Html {
    let ctx = use_ctx();
    let model = ctx.model.get();
    let v = &p.versions;
    let huge = model.nodes.len() > NODES_MAX || model.pods.len() > PODS_MAX;
    let named = model.pods.len() <= NAMED_MAX;
    let selected_pod = p.object.as_ref().filter(|o| o.kind == "Pod").map(|o| format!("{}/{}", o.namespace, o.name));
    let waiting = !model.queues.backoff.is_empty();
    let plane = html! {
        <ControlPlane components={v.components} queues={v.queues} pending={v.pending} cycles={v.cycles} now={if waiting { p.now } else { 0 }}
            revision={v.revision} compact={huge} />
    };
    if huge {
        return html! { <div class="diagram huge">{ plane }<HeatMap version={(v.nodes, v.pods)} selected={selected_pod} /></div> };
    }
    html! {
        <div class="diagram">
            <div class="diagram-inner" data-diagram="">
                <Flow entries={v.trace} nodes={v.node_set} />
                { plane }
                <div class={classes!("nodes", (model.nodes.len() > 8).then_some("many"))}>
                    { for model.nodes.iter().map(|(name, view)| html! {
                        <NodeCard key={name.clone()} node={view.clone()} version={model.node_version(name)} {named}
                            selected={selected_pod.as_ref().filter(|key| model.pods.get(&***key).is_some_and(|pod| pod.node == *name)).cloned()}
                            chosen={p.object.as_ref().is_some_and(|o| o.kind == "Node" && o.name == *name)} />
                    }) }
                    if model.nodes.is_empty() {
                        <p class="nodes-empty">{ ctx.t("node.none") }</p>
                    }
                </div>
                if model.is_empty() && !p.taught.0 { <Welcome before={p.taught.1} /> }
            </div>
        </div>
    }
}

#[derive(PartialEq, Properties)]
struct WelcomeProps {
    /// A lesson was done before.
    before: bool,
}

/// An empty stage offers one clear next step.
#[component]
fn Welcome(p: &WelcomeProps) -> Html {
    let ctx = use_ctx();
    html! {
        <div class="welcome" data-testid="welcome">
            <div class="welcome-words">
                <h2>{ ctx.t("welcome.title") }</h2>
                <p>{ ctx.t("welcome.about") }</p>
            </div>
            <div class="welcome-samples">
                <button class="primary" data-testid="first-lesson" onclick={ctx.on(Action::Lesson(LessonAction::First))}>
                    <strong>{ if p.before { ctx.t("welcome.lesson.next") } else { ctx.t("welcome.lesson") } }</strong>
                    if !p.before { <small>{ ctx.t("welcome.lesson.about") }</small> }
                </button>
                { for SAMPLES.iter().take(3).enumerate().map(|(i, s)| html! {
                    <button data-testid={format!("try-{}", s.code)} onclick={ctx.on(Action::File(FileAction::Sample(i, true)))}>
                        <strong>{ ctx.find(&format!("sample.{}.title", s.code)).unwrap_or(s.code) }</strong>
                        <small>{ ctx.find(&format!("sample.{}.about", s.code)).unwrap_or_default() }</small>
                    </button>
                }) }
            </div>
        </div>
    }
}

#[derive(PartialEq, Properties)]
struct OwnersProps {
    version: u64,
}

/// Which hue is whose, for the owners that have pods.
#[component]
fn Owners(p: &OwnersProps) -> Html {
    const SHOWN_MAX: usize = 8;
    let _ = p.version;
    let ctx = use_ctx();
    let model = ctx.model.get();
    let owners: Vec<_> = model.owners.shown().take(SHOWN_MAX + 1).collect();
    html! {
        <ul class="owners" aria-label={ctx.t("stage.owners")}>
            { for owners.iter().take(SHOWN_MAX).map(|(owner, namespace, tint)| {
                let name = owner.split_once('/').map_or(*owner, |(_, n)| n);
                let on = crate::model::kinds::owner(owner, namespace);
                let body = html! { <>
                    <svg class={classes!("sign", format!("hue-{}", tint.hue))} viewBox="0 0 24 24" aria-hidden="true">
                        <rect class="full" x="3" y="3" width="18" height="18" rx="4" />
                        if tint.pattern > 0 { <rect x="3" y="3" width="18" height="18" rx="4" fill={format!("url(#over-{})", tint.pattern)} /> }
                    </svg>
                    <span>{ name.to_string() }</span>
                </> };
                html! {
                    <li key={owner.to_string()}>
                        if let Some(id) = on { <button title={owner.to_string()} onclick={ctx.on(Action::Inspect(id, Default::default()))}>{ body }</button> } else { { body } }
                    </li>
                }
            }) }
            if owners.len() > SHOWN_MAX { <li>{ "…" }</li> }
        </ul>
    }
}
