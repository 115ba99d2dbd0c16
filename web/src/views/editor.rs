//! The left dock: files, the YAML editor, apply, and what came of it.

use super::acting::ActingButton;
use super::icon::Icon;
use super::menu::{Item, Menu};
use super::yaml::{Mark, Yaml};
use crate::ctx::{Ctx, use_ctx};
use crate::files::Files;
use crate::model::{access, schemas};
use crate::samples::SAMPLES;
use crate::ui::{Action, Applied, FileAction, InspectorTab};
use protocol::{ApplyMode, Diagnostic, Identity};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, HtmlInputElement};
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct Props {
    pub files: Rc<Files>,
    pub applied: Option<Rc<Applied>>,
    pub applying: bool,
    pub acting: Option<Identity>,
    pub storage_error: Option<String>,
    /// The schemas of custom resources.
    pub custom: Option<Rc<serde_json::Value>>,
    pub ready: bool,
}

/// Upstream's messages often begin with the field, which is shown apart.
fn without_path(d: &Diagnostic) -> &str {
    d.message.strip_prefix(d.path.as_str()).and_then(|m| m.strip_prefix(": ")).unwrap_or(&d.message)
}

/// Marks for what points into the shown file.
fn marks(files: &Files, applied: Option<&Applied>) -> Vec<Mark> {
    let Some(applied) = applied else { return Vec::new() };
    let name = &files.current().name;
    let mark = |d: &Diagnostic, severity| {
        let message = if d.path.is_empty() { d.message.clone() } else { format!("{}: {}", d.path, without_path(d)) };
        Mark { line: d.line, column: d.column, message, severity }
    };
    let here = |d: &&Diagnostic| d.line > 0 && (d.file == *name || d.file.is_empty());
    let errors = applied.result.errors.iter().filter(here).map(|d| mark(d, "error"));
    errors.chain(applied.result.warnings.iter().filter(here).map(|d| mark(d, "warning"))).collect()
}

#[component]
pub fn EditorDock(p: &Props) -> Html {
    let ctx = use_ctx();
    let go_to = use_state(|| None::<(u32, u32, u32)>);
    let format = use_state(|| 0u32);
    let on_format = {
        let format = format.clone();
        Callback::from(move |_: MouseEvent| format.set(*format + 1))
    };
    let current = p.files.current();
    let on_change = {
        let ctx = ctx.clone();
        Callback::from(move |text| ctx.act(Action::File(FileAction::SetText(text))))
    };
    let samples: Vec<Item> = SAMPLES
        .iter()
        .enumerate()
        .map(|(i, s)| {
            let title = ctx.find(&format!("sample.{}.title", s.code)).unwrap_or(s.code);
            let about = ctx.find(&format!("sample.{}.about", s.code)).unwrap_or_default();
            Item::new(title, format!("sample-{}", s.code), ctx.on(Action::File(FileAction::Sample(i, false))))
                .hint(about)
                .group(ctx.find(&format!("sample.group.{}", s.group)).unwrap_or(s.group))
        })
        .collect();
    let sound = p.ready && !p.applying && !current.text.trim().is_empty();
    let on_place = {
        let (go_to, ctx, files) = (go_to.clone(), ctx.clone(), p.files.clone());
        Callback::from(move |d: Diagnostic| {
            if let Some(index) = files.tabs.iter().position(|t| t.name == d.file).filter(|i| *i != files.shown) {
                ctx.act(Action::File(FileAction::Select(index)));
            }
            let number = go_to.map_or(0, |(.., n)| n) + 1;
            go_to.set(Some((d.line as u32, d.column as u32, number)));
        })
    };
    html! {
        <div class="editor" data-testid="editor">
            <div class="editor-head">
                <FileTabs files={p.files.clone()} />
                <Menu class="samples" label={ctx.t("editor.samples")} testid="samples" items={samples} />
            </div>
            <div class="editor-body">
                <Yaml text={Rc::<str>::clone(&current.text)} label={ctx.tf("editor.label", &[("file", &current.name)])} testid="yaml-editor"
                    marks={marks(&p.files, p.applied.as_deref())} go_to={*go_to} format={*format} custom={p.custom.clone()} on_focus={ctx.on(Action::Fetch(schemas::PATH.into()))} {on_change} on_apply={ctx.on(Action::Apply(ApplyMode::Apply))} />
                if current.text.is_empty() {
                    <p class="editor-hint">{ ctx.t("editor.empty") }</p>
                }
            </div>
            <div class="editor-actions">
                <button class="primary" data-testid="apply" disabled={!sound} title="Ctrl+Enter" onclick={ctx.on(Action::Apply(ApplyMode::Apply))}>
                    { ctx.t("editor.apply") }<kbd>{ "Ctrl ⏎" }</kbd></button>
                <button data-testid="diff" disabled={!sound} title={ctx.t("editor.diff.about")} onclick={ctx.on(Action::Apply(ApplyMode::DryRun))}>{ ctx.t("editor.diff") }</button>
                <button data-testid="delete" disabled={!sound} title={ctx.t("editor.delete.about")} onclick={ctx.on(Action::Apply(ApplyMode::Delete))}>{ ctx.t("editor.delete") }</button>
                <button class="icon-button" data-testid="format" disabled={current.text.is_empty()} aria-label={ctx.t("editor.format")} title={ctx.t("editor.format.about")} onclick={on_format}><Icon name="format" /></button>
                <span class="grow" /><ActingButton acting={p.acting.clone()} />
            </div>
            if let Some(why) = &p.storage_error {
                <p class="error band" role="alert">{ ctx.tf("editor.not-stored", &[("why", why)]) }</p>
            }
            <Results applied={p.applied.clone()} applying={p.applying} {on_place} />
        </div>
    }
}

#[derive(PartialEq, Properties)]
struct TabsProps {
    files: Rc<Files>,
}

#[component]
fn FileTabs(p: &TabsProps) -> Html {
    let ctx = use_ctx();
    let renaming = use_state(|| None::<usize>);
    let row = use_node_ref();
    {
        // The shown file's tab is in sight, without moving anything but the row.
        let row = row.clone();
        use_effect_with((p.files.shown, p.files.tabs.len()), move |_| {
            let Some(row) = row.cast::<HtmlElement>() else { return };
            let shown = row.query_selector(".tab.shown").ok().flatten().and_then(|e| e.dyn_into::<HtmlElement>().ok());
            if let Some(tab) = shown {
                let end = tab.offset_left() - row.offset_left() + tab.offset_width() + 40;
                row.set_scroll_left((end - row.client_width()).max(0));
            }
        });
    }
    let tab = |(i, tab): (usize, &crate::files::Tab)| {
        let shown = i == p.files.shown;
        if *renaming == Some(i) {
            let finish = {
                let (ctx, renaming) = (ctx.clone(), renaming.clone());
                move |value: Option<String>| {
                    renaming.set(None);
                    if let Some(name) = value {
                        ctx.act(Action::File(FileAction::Rename(i, name)));
                    }
                }
            };
            let value =
                |e: &web_sys::Event| e.target().and_then(|t| t.dyn_into::<HtmlInputElement>().ok()).map(|i| i.value());
            let onblur = {
                let finish = finish.clone();
                Callback::from(move |e: FocusEvent| finish(value(&e)))
            };
            let onkeydown = Callback::from(move |e: KeyboardEvent| match e.key().as_str() {
                "Enter" => finish(value(&e)),
                "Escape" => finish(None),
                _ => {}
            });
            return html! { <input key={i} class="tab-name" value={tab.name.clone()} autofocus=true aria-label={ctx.t("editor.rename")} {onblur} {onkeydown} /> };
        }
        let ondblclick = {
            let renaming = renaming.clone();
            Callback::from(move |_: MouseEvent| renaming.set(Some(i)))
        };
        html! {
            <div key={i} class={classes!("tab", shown.then_some("shown"))}>
                <button class="tab-name" aria-current={shown.then_some("true")} title={ctx.t("editor.rename.about")} onclick={ctx.on(Action::File(FileAction::Select(i)))} {ondblclick}>
                    { tab.name.clone() }</button>
                <button class="tab-close" aria-label={ctx.tf("editor.close", &[("file", &tab.name)])} onclick={ctx.on(Action::File(FileAction::Close(i)))}><Icon name="close" /></button>
            </div>
        }
    };
    html! {
        <div class="tabs" ref={row} aria-label={ctx.t("editor.files")}>
            { for p.files.tabs.iter().enumerate().map(tab) }
            <button class="icon-button" data-testid="new-file" aria-label={ctx.t("editor.new")} title={ctx.t("editor.new")} onclick={ctx.on(Action::File(FileAction::New))}><Icon name="plus" /></button>
        </div>
    }
}

#[derive(PartialEq, Properties)]
struct ResultsProps {
    applied: Option<Rc<Applied>>,
    applying: bool,
    on_place: Callback<Diagnostic>,
}

#[component]
fn Results(p: &ResultsProps) -> Html {
    let ctx = use_ctx();
    let Some(applied) = &p.applied else {
        return if p.applying {
            html! { <p class="results-wait">{ ctx.t("editor.applying") }</p> }
        } else {
            Html::default()
        };
    };
    let r = &applied.result;
    let title = if !r.errors.is_empty() {
        ctx.t("editor.nothing-written")
    } else if applied.mode == ApplyMode::DryRun {
        ctx.t("editor.diff.done")
    } else {
        ""
    };
    html! {
        <div class="results" data-testid="results">
            if !title.is_empty() { <p class={classes!("results-title", (!r.errors.is_empty()).then_some("bad"))}>{ title }</p> }
            if !r.errors.is_empty() || !r.warnings.is_empty() {
                <ul class="diagnostics" data-testid="diagnostics">
                    { for r.errors.iter().map(|d| diagnostic(&ctx, d, "error", &p.on_place, applied.by.as_ref())) }
                    { for r.warnings.iter().map(|d| diagnostic(&ctx, d, "warning", &p.on_place, None)) }
                </ul>
            }
            if !r.objects.is_empty() {
                <ul class="applied" data-testid="applied">
                    { for r.objects.iter().map(|o| html! {
                        <li class={o.verb.clone()}><button onclick={ctx.on(Action::Inspect(o.id.clone(), InspectorTab::Summary))}>{ o.line.clone() }if !o.allowed.is_empty() { <small class="allowed">{ o.allowed.clone() }</small> }</button></li>
                    }) }
                </ul>
            }
        </div>
    }
}

/// For a permission that is missing: what it is, and a role that would give it.
fn missing(ctx: &Ctx, d: &Diagnostic, by: Option<&Identity>) -> Option<Html> {
    let (m, by) = (d.missing.as_ref()?, by?);
    let resource = if m.group.is_empty() { m.resource.clone() } else { format!("{}.{}", m.resource, m.group) };
    let args = [
        ("user", access::short(by)),
        ("verb", m.verb.clone()),
        ("resource", resource),
        ("namespace", m.namespace.clone()),
    ];
    let args: Vec<(&str, &str)> = args.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let text =
        if m.namespace.is_empty() { ctx.tf("acting.missing.cluster", &args) } else { ctx.tf("acting.missing", &args) };
    let grant = FileAction::Open("grant.yaml".into(), access::grant(by, m).into());
    Some(
        html! { <p class="missing" data-testid="missing">{ text }<button class="chip" data-testid="grant" title={ctx.t("acting.grant.about")} onclick={ctx.on(Action::Grant(grant))}>{ ctx.t("acting.grant") }</button></p> },
    )
}

fn diagnostic(
    ctx: &Ctx,
    d: &Diagnostic,
    severity: &'static str,
    on_place: &Callback<Diagnostic>,
    by: Option<&Identity>,
) -> Html {
    let place = if d.line > 0 {
        ctx.tf("editor.place", &[("line", &d.line.to_string()), ("column", &d.column.to_string())])
    } else {
        String::new()
    };
    let hint = if d.hint.is_empty() {
        None
    } else {
        Some(ctx.find(&format!("hint.{}", d.hint)).map_or(d.hint.clone(), str::to_string))
    };
    let onclick = {
        let (d, on_place) = (d.clone(), on_place.clone());
        Callback::from(move |_: MouseEvent| on_place.emit(d.clone()))
    };
    html! {
        <li class={severity}>
            <button disabled={d.line == 0} {onclick}>
                <span class="where">{ d.file.clone() }{ " " }{ place }</span>
                if !d.path.is_empty() { <code>{ d.path.clone() }</code> }
                <span class="what">{ without_path(d).to_string() }</span>
                if !d.suggestion.is_empty() { <span class="hint">{ ctx.tf("editor.suggestion", &[("text", &d.suggestion)]) }</span> }
                if let Some(hint) = hint { <span class="hint">{ hint }</span> }
            </button>
            { for missing(ctx, d, by) }
        </li>
    }
}
