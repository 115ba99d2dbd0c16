//! Search everywhere: objects, kinds, lessons, samples, views, settings and everything that can be done, found by typing.

use super::past::order;
use crate::ctx::{Ctx, use_ctx};
use crate::format;
use crate::lessons::{Index, LessonAction};
use crate::model::kinds;
use crate::samples::SAMPLES;
use crate::ui::{Action, BottomTab, Center, Dock, FileAction, InspectorTab, LeftTab, Overlay, Theme};
use protocol::{ApplyMode, Command, KindCount, Listing, ListingView, TimeOrder};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlInputElement, ScrollIntoViewOptions, ScrollLogicalPosition};
use yew::prelude::*;

const SHOWN_MAX: usize = 60;
/// Objects that are asked for.
const OBJECTS_MAX: usize = 40;

#[derive(Clone)]
struct Entry {
    text: String,
    /// What else it is found by.
    also: String,
    group: &'static str,
    note: String,
    actions: Vec<Action>,
}

impl Entry {
    fn new(text: impl Into<String>, group: &'static str, action: Action) -> Entry {
        Entry { text: text.into(), also: String::new(), group, note: String::new(), actions: vec![action] }
    }
    fn noted(self, note: impl Into<String>) -> Entry {
        Entry { note: note.into(), ..self }
    }
    fn has(&self, word: &str) -> bool {
        [self.text.as_str(), self.group, &self.also].iter().any(|t| t.to_lowercase().contains(word))
    }
}

/// What can be done and opened, whatever is in the cluster.
fn commands(ctx: &Ctx) -> Vec<Entry> {
    let (doing, views, settings) = (ctx.t("palette.commands"), ctx.t("palette.views"), ctx.t("palette.settings"));
    let overlay = |o: Overlay| Action::Overlay(Some(o));
    let time = ctx.model.get().time.clone();
    let mut out = vec![
        Entry::new(ctx.t("help.run"), doing, Action::ToggleRun).noted("Space"),
        Entry::new(ctx.t("transport.step"), doing, Action::Step).noted("→"),
        Entry::new(ctx.t("transport.step-decision"), doing, Action::StepDecision).noted("⇧ →"),
        Entry::new(ctx.t("past.decision-back"), doing, order(TimeOrder::DecisionBack)).noted("⇧ ←"),
        Entry::new(ctx.t("past.back"), doing, order(TimeOrder::Back)).noted("←"),
        Entry::new(ctx.t("past.now.about"), doing, order(TimeOrder::Now)).noted("N"),
        Entry::new(ctx.t("mark.add"), doing, order(TimeOrder::Mark { name: String::new() })).noted("B"),
        Entry::new(ctx.t("until.title"), doing, overlay(Overlay::RunUntil)),
        Entry::new(ctx.t("share.title"), doing, Action::Share),
        Entry::new(ctx.t("editor.apply"), doing, Action::Apply(ApplyMode::Apply)).noted("Ctrl ⏎"),
        Entry::new(ctx.t("editor.diff"), doing, Action::Apply(ApplyMode::DryRun)),
        Entry::new(ctx.t("fault.images"), doing, overlay(Overlay::Images)),
        Entry::new(ctx.t("node.add"), doing, overlay(Overlay::NewNode)),
        Entry::new(ctx.t("new-cluster.title"), doing, overlay(Overlay::NewCluster)),
        Entry::new(ctx.t("stage.cluster"), views, Action::Center(Center::Cluster)),
        Entry::new(ctx.t("stage.decision"), views, Action::Center(Center::Decision)),
        Entry::new(ctx.t("stage.queues"), views, Action::Center(Center::Queues)),
        Entry::new(ctx.t("stage.objects"), views, Action::Center(Center::Objects)),
        Entry::new(ctx.t("stage.cloud"), views, Action::Center(Center::Cloud)),
        Entry::new(ctx.t("branch.list"), views, overlay(Overlay::Branches)),
        Entry::new(ctx.t("debug.breakpoints"), views, overlay(Overlay::Breakpoints)),
        Entry::new(ctx.t("dock.editor"), views, Action::LeftTab(LeftTab::Editor)),
        Entry::new(ctx.t("dock.lesson"), views, Action::LeftTab(LeftTab::Lesson)),
        Entry::new(ctx.t("dock.inspector"), views, Action::ToggleDock(Dock::Right)),
        Entry::new(ctx.t("dock.timeline"), views, Action::Bottom(BottomTab::Timeline)),
        Entry::new(ctx.t("dock.terminal"), views, Action::Bottom(BottomTab::Terminal)).noted("Ctrl `"),
        Entry::new(ctx.t("presenter.title"), views, Action::Presenter).noted("P"),
        Entry::new(ctx.t("help.title"), views, overlay(Overlay::Help)).noted("?"),
        Entry::new(ctx.t("theme.light"), settings, Action::SetTheme(Theme::Light)),
        Entry::new(ctx.t("theme.dark"), settings, Action::SetTheme(Theme::Dark)),
        Entry::new(ctx.t("theme.auto.set"), settings, Action::SetTheme(Theme::Auto)),
        Entry::new("English / 한국어", settings, Action::SetLang(ctx.lang.other())),
        Entry::new(ctx.t("acting.title"), settings, overlay(Overlay::ActAs)),
        Entry::new(ctx.t("config.title"), settings, overlay(Overlay::Config)),
        Entry::new(ctx.t("palette.guess"), settings, Action::Guess(true)),
    ];
    // A dock that is folded is opened with what is to be shown in it.
    for e in &mut out {
        match e.actions[0] {
            Action::LeftTab(_) => e.actions.push(Action::SetDock(Dock::Left, true)),
            Action::Bottom(_) => e.actions.push(Action::SetDock(Dock::Bottom, true)),
            _ => {}
        }
    }
    if time.undo.is_some() {
        out.insert(0, Entry::new(ctx.t("undo.about"), doing, Action::Undo).noted("Ctrl Z"));
    }
    if time.redo {
        out.insert(0, Entry::new(ctx.t("redo.about"), doing, Action::Redo).noted("Ctrl ⇧ Z"));
    }
    out
}

fn all(ctx: &Ctx, lessons: Option<&Index>) -> Vec<Entry> {
    let mut out = commands(ctx);
    for l in lessons.iter().flat_map(|i| &i.lessons) {
        let begin = Action::Lesson(LessonAction::Begin(l.file.clone()));
        let other = if l.title(ctx.lang) == l.en { &l.ko } else { &l.en };
        let also = format!("{} {other} {}", l.id, l.covers.join(" "));
        let note = ctx.tf("lesson.minutes", &[("n", &l.minutes.to_string())]);
        out.push(Entry { also, note, ..Entry::new(l.title(ctx.lang), ctx.t("palette.lessons"), begin) });
    }
    for (i, s) in SAMPLES.iter().enumerate() {
        let text = ctx.find(&format!("sample.{}.title", s.code)).unwrap_or(s.code);
        let open = Action::File(FileAction::Sample(i, false));
        out.push(Entry { also: s.file.into(), ..Entry::new(text, ctx.t("editor.samples"), open) });
    }
    let model = ctx.model.get();
    let mut processes: Vec<&str> = model.components.values().map(|c| c.process.as_str()).collect();
    processes.sort_unstable();
    processes.dedup();
    for process in processes {
        let running =
            model.process(process).all(|c| matches!(c.lamp, protocol::Lamp::Running | protocol::Lamp::Standby));
        let key = if running { "process.stop" } else { "process.start" };
        let text = crate::i18n::fill(ctx.find(key).unwrap_or(key), [("process", process)]);
        let action = Action::Send(Command::SetProcess { id: 0, process: process.into(), running: !running });
        out.push(Entry::new(text, ctx.t("palette.processes"), action));
    }
    for name in model.nodes.keys() {
        out.push(Entry::new(name.clone(), "Node", Action::Inspect(kinds::node(name), InspectorTab::Summary)));
    }
    out
}

/// The kinds that are served; one is shown as its part of the list of objects.
fn kind_entries(ctx: &Ctx, list: &ListingView) -> Vec<Entry> {
    let entry = |k: &KindCount| {
        let (api_version, kind) = (k.api_version.clone(), k.kind.clone());
        let show = Action::List(Listing { api_version, kind, limit: super::objects::WINDOW, ..Listing::default() });
        let actions = vec![show, Action::Center(Center::Objects)];
        let also = format!("{} {}", k.resource, k.api_version);
        Entry { also, actions, ..Entry::new(k.kind.clone(), ctx.t("palette.kinds"), Action::Escape) }
            .noted(k.api_version.clone())
    };
    list.kinds.iter().map(entry).collect()
}

fn objects(list: &ListingView, words: &Words) -> Vec<Entry> {
    if list.asked != words.asked(list) {
        return Vec::new();
    }
    let entry = |row: &protocol::ObjectRow| {
        let text = if row.id.namespace.is_empty() {
            row.id.name.clone()
        } else {
            format!("{}/{}", row.id.namespace, row.id.name)
        };
        let action = Action::Inspect(row.id.clone(), InspectorTab::Summary);
        Entry::new(text, "", action).noted(row.id.kind.clone())
    };
    // Nodes are known at once.
    list.rows.iter().filter(|r| r.id.kind != "Node").map(entry).collect()
}

/// What is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Words(Vec<String>);

impl Words {
    fn of(query: &str) -> Words {
        Words(query.split_whitespace().map(str::to_lowercase).collect())
    }

    /// The question to the list of objects: a word that is a kind's name chooses the kind (`pod web`).
    fn asked(&self, list: &ListingView) -> Listing {
        let is = |k: &KindCount, w: &String| k.kind.to_lowercase() == *w || k.resource == *w;
        let kind = list.kinds.iter().find(|k| self.0.len() > 1 && self.0.iter().any(|w| is(k, w)));
        let rest: Vec<&str> = self.0.iter().filter(|w| kind.is_none_or(|k| !is(k, w))).map(String::as_str).collect();
        let (api_version, kind) = kind.map(|k| (k.api_version.clone(), k.kind.clone())).unwrap_or_default();
        Listing { api_version, kind, search: rest.join(" "), limit: OBJECTS_MAX, ..Listing::default() }
    }

    /// Whether an entry is found, and how early: what begins with the words comes before what only holds them, and the shortest
    /// of those is likely meant.
    fn rank(&self, e: &Entry) -> Option<(u8, usize)> {
        let Some(first) = self.0.first() else { return Some((0, 0)) };
        let text = e.text.to_lowercase();
        let begins = |t: &str| t.starts_with(first.as_str());
        let place = if begins(&text) {
            0
        } else if text.split([' ', '/', '-', ':']).any(begins) {
            1
        } else if text.contains(first.as_str()) {
            2
        } else {
            3
        };
        self.0.iter().all(|w| e.has(w)).then_some((place, text.len()))
    }
}

#[derive(PartialEq, Properties)]
pub struct Props {
    pub lessons: Option<Rc<Index>>,
    /// Of the list of objects.
    pub listing: u64,
}

#[component]
pub fn Palette(p: &Props) -> Html {
    let ctx = use_ctx();
    let query = use_state(String::new);
    let at = use_state(|| 0usize);
    let list_ref = use_node_ref();
    // What can be done is fixed while the palette is open; lessons may still be on their way.
    let fixed = use_memo(p.lessons.is_some(), |_| all(&ctx, p.lessons.as_deref()));
    let list = ctx.model.get().listing.clone().unwrap_or_default();
    let words = Words::of(&query);
    // Kinds are known with the first answer, so it is asked once more then.
    {
        let (ctx, asked) = (ctx.clone(), words.asked(&list));
        use_effect_with(asked, move |asked| ctx.act(Action::Find(asked.clone())));
    }
    let mut found: Vec<(Option<(u8, usize)>, Entry)> = Vec::new();
    let kinds = if words.0.is_empty() { Vec::new() } else { kind_entries(&ctx, &list) };
    for e in fixed.iter().chain(&kinds) {
        if let Some(rank) = words.rank(e) {
            found.push((Some(rank), e.clone()));
        }
    }
    if !words.0.is_empty() {
        for e in objects(&list, &words) {
            // The engine has found it, maybe by a label.
            let (place, long) = words.rank(&e).unwrap_or((2, e.text.len()));
            // Of Events there are most, and who looks for one looks elsewhere.
            let rank = (if e.note == "Event" { 4 } else { place }, long);
            found.push((Some(rank), e));
        }
        found.sort_by_key(|(rank, _)| *rank);
    }
    let total = found.len();
    let found: Rc<Vec<Entry>> = Rc::new(found.into_iter().take(SHOWN_MAX).map(|(_, e)| e).collect());
    let chosen = (*at).min(found.len().saturating_sub(1));
    {
        let list_ref = list_ref.clone();
        use_effect_with(chosen, move |chosen| {
            let option =
                list_ref.cast::<Element>().and_then(|l| l.query_selector(&format!("#palette-{chosen}")).ok().flatten());
            let options = ScrollIntoViewOptions::new();
            options.set_block(ScrollLogicalPosition::Nearest);
            if let Some(option) = option {
                option.scroll_into_view_with_scroll_into_view_options(&options);
            }
        });
    }
    let go = {
        let (ctx, found) = (ctx.clone(), found.clone());
        Callback::from(move |i: usize| {
            let Some(entry) = found.get(i) else { return };
            ctx.act(Action::Overlay(None));
            for action in &entry.actions {
                ctx.act(action.clone());
            }
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
        let (at, go, last) = (at.clone(), go.clone(), found.len().saturating_sub(1));
        Callback::from(move |e: KeyboardEvent| {
            match e.key().as_str() {
                // Half a syllable is still being written.
                _ if e.is_composing() => return,
                "ArrowDown" => at.set(if chosen == last { 0 } else { chosen + 1 }),
                "ArrowUp" => at.set(if chosen == 0 { last } else { chosen - 1 }),
                "PageDown" => at.set((chosen + 8).min(last)),
                "PageUp" => at.set(chosen.saturating_sub(8)),
                "Enter" => go.emit(chosen),
                _ => return,
            }
            e.prevent_default();
        })
    };
    let active = (!found.is_empty()).then(|| format!("palette-{chosen}"));
    html! {
        <>
            <input class="palette-input" type="text" role="combobox" aria-expanded={(!found.is_empty()).to_string()} aria-controls="palette-list" aria-autocomplete="list"
                aria-activedescendant={active} placeholder={ctx.t("palette.hint")} aria-label={ctx.t("palette.hint")} data-testid="palette-input" autocomplete="off" spellcheck="false"
                {oninput} {onkeydown} />
            <ul class="palette-list" role="listbox" id="palette-list" aria-label={ctx.t("palette.results")} ref={list_ref} hidden={found.is_empty()}>
                { for found.iter().enumerate().map(|(n, e)| {
                    let go = go.clone();
                    html! {
                        <li key={n} role="option" id={format!("palette-{n}")} aria-selected={(n == chosen).to_string()} onclick={Callback::from(move |_: MouseEvent| go.emit(n))}>
                            <span class="palette-text">{ e.text.clone() }</span>
                            if !e.note.is_empty() { <span class="palette-note">{ e.note.clone() }</span> }
                            if !e.group.is_empty() { <small>{ e.group }</small> }
                        </li>
                    }
                }) }
            </ul>
            if found.is_empty() { <p class="empty">{ ctx.t("palette.nothing") }</p> }
            <div class="visually-hidden" role="status" data-testid="palette-count">{ ctx.tf("palette.count", &[("n", &format::count(total))]) }</div>
        </>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kinds_name_chooses_the_kind() {
        let kind =
            KindCount { api_version: "v1".into(), kind: "Pod".into(), resource: "pods".into(), ..KindCount::default() };
        let list = ListingView { kinds: vec![kind], ..ListingView::default() };
        let asked = |query: &str| {
            let a = Words::of(query).asked(&list);
            (a.kind, a.search)
        };
        assert_eq!(asked("Pods web"), ("Pod".into(), "web".into()));
        assert_eq!(asked("pod"), (String::new(), "pod".into()));
        assert_eq!(asked("web x"), (String::new(), "web x".into()));
    }

    #[test]
    fn what_begins_with_the_words_comes_first() {
        let rank = |text: &str| Words::of("no").rank(&Entry::new(text, "View", Action::Step));
        assert!(rank("node-1") < rank("default/node") && rank("default/node") < rank("canopy"));
        assert!(rank("web").is_none());
        assert!(Words::of("web view").rank(&Entry::new("web", "View", Action::Step)).is_some());
    }
}
