//! Everything that can be done or opened, found by typing.

use super::past::order;
use crate::ctx::{Ctx, use_ctx};
use crate::model::kinds;
use crate::samples::SAMPLES;
use crate::ui::{Action, Center, Dock, FileAction, InspectorTab, Overlay, Theme};
use protocol::{ApplyMode, Command, TimeOrder};
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;
use yew::prelude::*;

const SHOWN_MAX: usize = 40;

struct Entry {
    text: String,
    group: &'static str,
    action: Action,
}

fn all(ctx: &Ctx) -> Vec<Entry> {
    let mut out = Vec::new();
    {
        let mut command = |text: &str, action: Action| {
            out.push(Entry { text: text.into(), group: ctx.t("palette.commands"), action })
        };
        command(ctx.t("help.run"), Action::ToggleRun);
        command(ctx.t("transport.step"), Action::Step);
        command(ctx.t("transport.step-decision"), Action::StepDecision);
        command(ctx.t("past.decision-back"), order(TimeOrder::DecisionBack));
        command(ctx.t("past.back"), order(TimeOrder::Back));
        command(ctx.t("past.now.about"), order(TimeOrder::Now));
        command(ctx.t("mark.add"), order(TimeOrder::Mark { name: String::new() }));
        command(ctx.t("branch.list"), Action::Overlay(Some(Overlay::Branches)));
        command(ctx.t("until.title"), Action::Overlay(Some(Overlay::RunUntil)));
        command(ctx.t("share.title"), Action::Share);
        command(ctx.t("editor.apply"), Action::Apply(ApplyMode::Apply));
        command(ctx.t("editor.diff"), Action::Apply(ApplyMode::DryRun));
        command(ctx.t("stage.cluster"), Action::Center(Center::Cluster));
        command(ctx.t("stage.decision"), Action::Center(Center::Decision));
        command(ctx.t("stage.queues"), Action::Center(Center::Queues));
        command(ctx.t("stage.objects"), Action::Center(Center::Objects));
        command(ctx.t("stage.cloud"), Action::Center(Center::Cloud));
        command(ctx.t("acting.title"), Action::Overlay(Some(Overlay::ActAs)));
        command(ctx.t("fault.images"), Action::Overlay(Some(Overlay::Images)));
        command(ctx.t("node.add"), Action::Overlay(Some(Overlay::NewNode)));
        command(ctx.t("dock.editor"), Action::ToggleDock(Dock::Left));
        command(ctx.t("dock.inspector"), Action::ToggleDock(Dock::Right));
        command(ctx.t("dock.timeline"), Action::ToggleDock(Dock::Bottom));
        command(ctx.t("presenter.title"), Action::Presenter);
        command(ctx.t("theme.light"), Action::SetTheme(Theme::Light));
        command(ctx.t("theme.dark"), Action::SetTheme(Theme::Dark));
        command("English / 한국어", Action::SetLang(ctx.lang.other()));
        command(ctx.t("help.title"), Action::Overlay(Some(Overlay::Help)));
        command(ctx.t("new-cluster.title"), Action::Overlay(Some(Overlay::NewCluster)));
    }
    for (i, s) in SAMPLES.iter().enumerate() {
        let text = ctx.find(&format!("sample.{}.title", s.code)).unwrap_or(s.code).to_string();
        out.push(Entry { text, group: ctx.t("editor.samples"), action: Action::File(FileAction::Sample(i, false)) });
    }
    let model = ctx.model.get();
    let mut processes: Vec<&str> = model.components.values().map(|c| c.process.as_str()).collect();
    processes.sort_unstable();
    processes.dedup();
    for process in processes {
        let running =
            model.process(process).all(|c| matches!(c.lamp, protocol::Lamp::Running | protocol::Lamp::Standby));
        let text = if running {
            ctx.tf("process.stop", &[("process", process)])
        } else {
            ctx.tf("process.start", &[("process", process)])
        };
        let action = Action::Send(Command::SetProcess { id: 0, process: process.into(), running: !running });
        out.push(Entry { text, group: ctx.t("palette.processes"), action });
    }
    for name in model.nodes.keys() {
        let action = Action::Inspect(kinds::node(name), InspectorTab::Summary);
        out.push(Entry { text: name.clone(), group: "Node", action });
    }
    for (key, pod) in &model.pods {
        let action = Action::Inspect(kinds::pod(&pod.namespace, &pod.name), InspectorTab::Summary);
        out.push(Entry { text: key.to_string(), group: "Pod", action });
    }
    out
}

#[component]
pub fn Palette() -> Html {
    let ctx = use_ctx();
    let query = use_state(String::new);
    let at = use_state(|| 0usize);
    // What can be found is fixed while the palette is open.
    let entries = use_memo((), |()| all(&ctx));
    let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
    let mut found: Vec<usize> = (0..entries.len())
        .filter(|i| {
            let text = entries[*i].text.to_lowercase();
            words.iter().all(|w| text.contains(w) || entries[*i].group.to_lowercase().contains(w))
        })
        .collect();
    // What begins with the words comes before what only holds them; the shortest of those is likely meant.
    if let Some(first) = words.first() {
        let rank = |i: &usize| (!entries[*i].text.to_lowercase().starts_with(first.as_str()), entries[*i].text.len());
        found.sort_by_key(|a| rank(a));
    }
    found.truncate(SHOWN_MAX);
    let chosen = (*at).min(found.len().saturating_sub(1));
    let go = {
        let (ctx, entries) = (ctx.clone(), entries.clone());
        Callback::from(move |i: usize| {
            let action = entries[i].action.clone();
            ctx.act(Action::Overlay(None));
            ctx.act(action);
        })
    };
    let oninput = {
        let (query, at) = (query.clone(), at.clone());
        Callback::from(move |e: InputEvent| {
            if let Some(input) = e.target().and_then(|t| t.dyn_into::<HtmlInputElement>().ok()) {
                query.set(input.value());
                at.set(0);
            }
        })
    };
    let onkeydown = {
        let (at, go, found) = (at.clone(), go.clone(), found.clone());
        Callback::from(move |e: KeyboardEvent| {
            match e.key().as_str() {
                "ArrowDown" => at.set((chosen + 1).min(found.len().saturating_sub(1))),
                "ArrowUp" => at.set(chosen.saturating_sub(1)),
                "Enter" => {
                    if let Some(i) = found.get(chosen) {
                        go.emit(*i);
                    }
                }
                _ => return,
            }
            e.prevent_default();
        })
    };
    html! {
        <>
            <input class="palette-input" type="text" role="combobox" aria-expanded="true" aria-controls="palette-list" aria-activedescendant={format!("palette-{chosen}")}
                placeholder={ctx.t("palette.hint")} aria-label={ctx.t("palette.hint")} data-testid="palette-input" autocomplete="off" {oninput} {onkeydown} />
            <ul class="palette-list" role="listbox" id="palette-list">
                { for found.iter().enumerate().map(|(n, i)| {
                    let (i, go) = (*i, go.clone());
                    html! {
                        <li key={i} role="option" id={format!("palette-{n}")} aria-selected={(n == chosen).to_string()} onclick={Callback::from(move |_: MouseEvent| go.emit(i))}>
                            <span>{ entries[i].text.clone() }</span><small>{ entries[i].group }</small>
                        </li>
                    }
                }) }
                if found.is_empty() { <li class="empty">{ ctx.t("palette.nothing") }</li> }
            </ul>
        </>
    }
}
