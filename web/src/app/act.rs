//! What the page does when something is asked for.

use super::{App, Asked};
use crate::model::Topic;
use crate::persist;
use crate::samples::SAMPLES;
use crate::ui::{Action, BottomTab, Center, Dock, FileAction, InspectorTab, LeftTab, Overlay, Pane};
use protocol::{ApiCall, ApplyMode, Command, Debug, File, Speed, TimeOrder};
use std::rc::Rc;
use yew::Context;

/// Windows narrower than this, in CSS pixels, have room for two docks beside the stage.
const LAPTOP: f64 = 1400.0;
/// Up to this width the style sheet shows one pane at a time.
const PHONE: f64 = 761.0;

impl App {
    /// True when something that views show has changed.
    pub(super) fn act(&mut self, ctx: &Context<Self>, action: Action) -> bool {
        match action {
            Action::Send(command) => self.send(command),
            Action::Deed(command) => self.order(command, Asked::Deed),
            Action::Ask(topic, debug) => self.ask(topic, debug),
            Action::Follow(from, follow) => self.order(Command::Follow { id: 0, follow }, Asked::Follow(from)),
            Action::Fetch(path) => {
                let nothing = String::new;
                let call = ApiCall {
                    id: 0,
                    method: "GET".into(),
                    path: path.clone(),
                    accept: "application/json".into(),
                    content_type: nothing(),
                    body: nothing(),
                };
                self.order(Command::Api(call), Asked::Fetch(path));
            }
            Action::WhyNot(id, node, cycle) => {
                self.ui.about = Some((node, cycle));
                return self.act(ctx, Action::Inspect(id, InspectorTab::Placement));
            }
            Action::WhatIf(id, cycle) => {
                self.ui.what_if = Some((id, cycle));
                self.ui.overlay = Some(Overlay::WhatIf);
            }
            Action::Guess(on) => {
                self.ui.prefs.guess = on;
                self.keep_prefs();
            }
            Action::ToggleRun => {
                let running = self.model.get().clock.running;
                self.send(if running { Command::Pause } else { Command::Run });
            }
            Action::Step => self.send(Command::Step),
            Action::StepDecision => self.send(Command::StepDecision),
            Action::Apply(mode) => self.apply(mode),
            Action::File(action) => self.file(ctx, action),
            Action::Inspect(id, tab) => {
                if let Some(old) = self.ui.subscription.object.replace(id.clone()).filter(|old| *old != id) {
                    self.ui.history.push(old);
                }
                self.show_inspector(tab);
                self.ui.subscription.why = None;
                self.subscribe();
                self.follow_why();
            }
            Action::InspectBack => {
                if let Some(id) = self.ui.history.pop() {
                    self.ui.subscription.object = Some(id);
                    self.ui.subscription.why = None;
                    self.subscribe();
                }
            }
            Action::Tab(tab) => self.ui.tab = tab,
            Action::Entry(seq) => {
                // The entry is shown by itself: what was inspected before is one step back.
                if let Some(old) = self.ui.subscription.object.take() {
                    self.ui.history.push(old);
                }
                self.ui.subscription.why = Some(seq);
                self.show_inspector(InspectorTab::Why);
                self.subscribe();
            }
            Action::Cycle(seq) => {
                self.ui.subscription.cycle = Some(seq);
                self.ui.subscription.follow_cycles = false;
                self.ui.center = Center::Decision;
                self.ui.pane = Pane::Stage;
                self.subscribe();
            }
            Action::FollowCycles(on) => {
                self.ui.subscription.follow_cycles = on;
                if on {
                    self.ui.subscription.cycle = None;
                }
                self.subscribe();
            }
            Action::List(listing) => {
                self.ui.listing = listing;
                self.subscribe();
            }
            Action::Find(find) => {
                self.ui.find = find;
                self.subscribe();
            }
            Action::Center(center) => self.show_center(center),
            Action::Pane(Pane::Timeline) => self.bottom(BottomTab::Timeline),
            Action::Pane(Pane::Terminal) => self.bottom(BottomTab::Terminal),
            Action::Pane(pane) => self.ui.pane = pane,
            Action::Bottom(tab) => self.bottom(tab),
            Action::Terminal(action) => self.terminal(action),
            Action::Shell(shell) => {
                self.shell(shell);
                return false;
            }
            Action::SetDock(dock, open) => {
                self.ui.prefs.set_open(dock, open);
                self.keep_prefs();
                self.dress();
            }
            Action::ToggleDock(dock) => {
                let open = self.ui.prefs.open(dock);
                return self.act(ctx, Action::SetDock(dock, !open));
            }
            Action::Resize(dock, size) => {
                self.ui.prefs.resize(dock, size);
                self.keep_prefs();
            }
            Action::SetLang(lang) => self.set_lang(lang),
            Action::SetTheme(theme) => {
                self.ui.prefs.theme = theme;
                self.dress();
                self.keep_prefs();
            }
            Action::Presenter => {
                self.ui.prefs.presenter = !self.ui.prefs.presenter;
                self.ui.spotlight = false;
                self.dress();
                self.keep_prefs();
            }
            Action::Spotlight => self.ui.spotlight = self.ui.prefs.presenter && !self.ui.spotlight,
            Action::Undo => self.undo(),
            Action::Redo => {
                if self.model.get().time.redo {
                    self.ui.toast = None;
                    self.send(Command::Time { id: 0, order: TimeOrder::Redo });
                }
            }
            Action::Toast(toast) => self.ui.toast = toast,
            Action::Renew(now) => {
                self.ui.renewable = false;
                if now {
                    self.renew(ctx);
                }
            }
            Action::Overlay(overlay) => self.ui.overlay = overlay,
            Action::Dismiss(id) => Rc::make_mut(&mut self.ui.notices).retain(|n| n.id != id),
            Action::Engine(kind) => {
                self.ask_to_save();
                self.ui.prefs.engine = kind;
                self.keep_prefs();
                self.begin(ctx);
            }
            Action::Restart { fresh } => {
                if fresh {
                    // The lesson's cluster is gone, and with it the lesson.
                    Rc::make_mut(&mut self.ui.lessons).leave();
                    self.keep_progress();
                    self.restart_fresh(ctx);
                } else {
                    self.begin(ctx);
                }
            }
            Action::NewCluster { nodes, cloud, control_plane_node } => {
                let prefs = &mut self.ui.prefs;
                (prefs.nodes, prefs.cloud, prefs.control_plane_node) = (nodes, cloud, control_plane_node);
                return self.act(ctx, Action::Restart { fresh: true });
            }
            Action::Grant(file) => {
                self.ui.acting = None;
                return self.act(ctx, Action::File(file));
            }
            Action::Share => {
                self.ui.shared = None;
                self.ui.overlay = Some(Overlay::Share);
                self.order(Command::Share { id: 0 }, Asked::Share);
            }
            Action::OpenSession(session) => {
                self.ui.overlay = None;
                self.engine = None;
                self.ui.engine = crate::ui::Engine::Loading;
                self.open_session(ctx, session);
            }
            Action::SessionBefore => {
                let link = ctx.link().clone();
                persist::load_session_before(move |session| match session {
                    Ok(text) if !text.is_empty() => {
                        link.send_message(super::Msg::Act(Box::new(Action::OpenSession(text))));
                    }
                    _ => {}
                });
            }
            Action::ActAs(identity) => self.ui.acting = identity,
            Action::Lesson(action) => return self.lesson(ctx, action),
            Action::LessonFile(name) => return self.open_lesson_file(ctx, &name),
            Action::LeftTab(tab) => {
                self.ui.prefs.left_tab = tab;
                self.ui.pane = Pane::Editor;
                self.keep_prefs();
            }
            Action::Escape => self.escape(),
        }
        true
    }

    /// Forgets the session and begins anew.
    pub(super) fn restart_fresh(&mut self, ctx: &Context<Self>) {
        persist::clear_session();
        (self.ui.prefs.paused, self.ui.prefs.speed) = (false, 1000);
        self.keep_prefs();
        self.start(ctx, Ok(String::new()));
    }

    pub(super) fn ask(&mut self, topic: Topic, debug: Debug) {
        let id = self.next_id;
        self.model.change(|m| m.ask(topic, id, debug.clone()));
        self.order(Command::Debug { id, debug }, Asked::Debug(topic));
    }

    fn send(&mut self, command: Command) {
        let prefs = &mut self.ui.prefs;
        let before = (prefs.paused, prefs.speed);
        match &command {
            Command::Run => prefs.paused = false,
            Command::Pause | Command::Step | Command::StepDecision => prefs.paused = true,
            Command::SetSpeed { speed: Speed::Times(n) } => prefs.speed = *n,
            Command::SetSpeed { speed: Speed::Max } => prefs.speed = 0,
            _ => {}
        }
        if before != (prefs.paused, prefs.speed) && self.saves() {
            self.keep_prefs();
        }
        self.order(command, Asked::Other);
    }

    fn undo(&mut self) {
        let (past, can) = {
            let model = self.model.get();
            (model.time.past.is_some(), model.time.undo.is_some())
        };
        if past {
            self.notify("notice.past", String::new());
        } else if can {
            self.ui.applied = None;
            self.send(Command::Time { id: 0, order: TimeOrder::Undo });
        }
    }

    fn show_center(&mut self, center: Center) {
        self.ui.center = center;
        self.subscribe();
    }

    fn show_editor(&mut self) {
        self.ui.prefs.set_open(Dock::Left, true);
        self.ui.prefs.left_tab = LeftTab::Editor;
        self.ui.pane = Pane::Editor;
        self.dress();
    }

    fn show_inspector(&mut self, tab: InspectorTab) {
        self.ui.tab = tab;
        self.ui.pane = Pane::Inspector;
        let width = gloo::utils::window().inner_width().ok().and_then(|w| w.as_f64()).unwrap_or(0.0);
        // A phone shows one pane at a time: nothing has to make room.
        self.ui.prefs.open_inspector((PHONE..LAPTOP).contains(&width));
        self.keep_prefs();
        self.dress();
    }

    /// One step back: the overlay, then the decision, then the inspector.
    fn escape(&mut self) {
        if self.ui.overlay.take().is_some() {
        } else if self.ui.center != Center::Cluster {
            self.show_center(Center::Cluster);
        } else if self.ui.prefs.presenter {
            if std::mem::take(&mut self.ui.spotlight) {
                return;
            }
            self.ui.prefs.presenter = false;
            self.dress();
            self.keep_prefs();
        } else if self.ui.prefs.right {
            self.ui.prefs.set_open(Dock::Right, false);
            self.keep_prefs();
        }
    }

    fn apply(&mut self, mode: ApplyMode) {
        let tab = self.ui.files.current();
        let files = vec![File { name: tab.name.clone(), text: tab.text.to_string() }];
        self.ui.applying = true;
        self.ui.applied = None;
        let (command, by) = (Command::Apply { id: 0, mode, files }, self.ui.acting.clone());
        let command = match by.clone() {
            Some(identity) => Command::As { identity, command: Box::new(command) },
            None => command,
        };
        self.order(command, Asked::Apply(mode, by));
    }

    fn file(&mut self, ctx: &Context<Self>, action: FileAction) {
        let files = Rc::make_mut(&mut self.ui.files);
        match action {
            FileAction::SetText(text) => files.set_text(text),
            FileAction::Select(index) => files.select(index),
            FileAction::New => files.open("new.yaml", ""),
            FileAction::Open(name, text) => {
                files.open(&name, &text);
                self.ui.applied = None;
                self.show_editor();
            }
            FileAction::Close(index) => files.close(index),
            FileAction::Rename(index, name) => files.rename(index, &name),
            FileAction::Sample(index, apply) => {
                let Some(sample) = SAMPLES.get(index) else { return };
                files.open(sample.file, sample.yaml);
                self.ui.applied = None;
                self.ui.overlay = self.ui.overlay.filter(|o| *o != Overlay::Palette);
                let pane = self.ui.pane;
                // Who presents keeps the stage clean: what is applied is seen there.
                if !(apply && self.ui.prefs.presenter) {
                    self.show_editor();
                }
                if apply {
                    self.ui.pane = pane;
                    self.apply(ApplyMode::Apply);
                }
            }
        }
        self.keep_files_soon(ctx);
    }
}
