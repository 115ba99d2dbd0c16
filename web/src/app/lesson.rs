//! Lessons: loading them, beginning them, and what the engine says of them.

use super::{App, Asked, Msg};
use crate::address;
use crate::i18n::{fill, find};
use crate::lessons::LessonAction;
use crate::library;
use crate::persist;
use crate::ui::{Action, Dock, EngineKind, LeftTab, Pane};
use crate::views::share;
use protocol::lesson::{LessonBegun, LessonState};
use protocol::{Command, LessonOrder};
use std::rc::Rc;
use yew::Context;

const PROGRESS: &str = "kubottle.lessons";
const INDEX: &str = "index.json";

/// What was loaded, and for what.
pub enum Loaded {
    Index,
    Lesson,
    Progress,
}

impl App {
    pub(super) fn load_index(&self, ctx: &Context<Self>) {
        let link = ctx.link().clone();
        library::load(INDEX, move |text| link.send_message(Msg::Library(Loaded::Index, text)));
    }

    pub(super) fn keep_progress(&mut self) {
        self.ui.storage_error = persist::store(PROGRESS, &self.ui.lessons.progress).err();
    }

    pub(super) fn lesson(&mut self, ctx: &Context<Self>, action: LessonAction) -> bool {
        let link = ctx.link().clone();
        let lessons = Rc::make_mut(&mut self.ui.lessons);
        match action {
            LessonAction::Begin(file) => {
                lessons.loading = true;
                library::load(&file, move |text| link.send_message(Msg::Library(Loaded::Lesson, text)));
                self.show_lesson();
            }
            LessonAction::First => {
                let next = lessons.index.as_ref().and_then(|i| {
                    i.lessons.iter().find(|e| !lessons.progress.done.contains(&e.id)).or(i.lessons.first())
                });
                match next.map(|e| e.file.clone()) {
                    Some(file) => return self.lesson(ctx, LessonAction::Begin(file)),
                    None => self.show_lesson(),
                }
            }
            LessonAction::Again => {
                let text = lessons.progress.current.as_ref().map(|c| c.text.clone());
                if let Some(text) = text {
                    return self.begin_lesson(ctx, text);
                }
            }
            LessonAction::Get(url) => {
                lessons.loading = true;
                library::get(&url, move |text| link.send_message(Msg::Library(Loaded::Lesson, text)));
            }
            LessonAction::Choose => {
                library::choose(move |text| link.send_message(Msg::Library(Loaded::Lesson, text)));
            }
            LessonAction::Import => {
                library::choose(move |text| link.send_message(Msg::Library(Loaded::Progress, text)));
            }
            LessonAction::Export => library::save("kubottle-progress.json", &lessons.export()),
            LessonAction::Contents(on) => lessons.contents = on,
            LessonAction::Leave => {
                lessons.leave();
                self.order(Command::Lesson { id: 0, order: LessonOrder::Leave }, Asked::Other);
                self.keep_progress();
            }
            LessonAction::Pick(step, choice) => {
                lessons.pick(step, choice);
                self.order(Command::Lesson { id: 0, order: LessonOrder::Answered }, Asked::Other);
                self.keep_progress();
            }
            LessonAction::Hint(step) => {
                lessons.hint(step);
                self.keep_progress();
            }
            LessonAction::Show => self.order(Command::Lesson { id: 0, order: LessonOrder::Show }, Asked::Other),
        }
        true
    }

    pub(super) fn library(&mut self, ctx: &Context<Self>, what: &Loaded, text: Result<String, String>) -> bool {
        let lessons = Rc::make_mut(&mut self.ui.lessons);
        lessons.loading = false;
        match (what, text) {
            (_, Err(why)) => {
                lessons.error = Some(why.clone());
                self.no_lesson(ctx, why);
            }
            (Loaded::Index, Ok(text)) => match serde_json::from_str(&text) {
                Ok(index) => {
                    lessons.index = Some(Rc::new(index));
                    self.begin_wanted(ctx);
                }
                Err(e) => {
                    let why = format!("{INDEX}: {e}");
                    lessons.error = Some(why.clone());
                    self.no_lesson(ctx, why);
                }
            },
            (_, Ok(text)) if text.is_empty() => {}
            (Loaded::Lesson, Ok(text)) => return self.begin_lesson(ctx, text),
            (Loaded::Progress, Ok(text)) => {
                lessons.error = lessons.import(&text).err();
                self.keep_progress();
            }
        }
        true
    }

    /// The lesson that the page's address asks for; the session that was here can be gone back to.
    fn begin_wanted(&mut self, ctx: &Context<Self>) {
        let Some(id) = self.wanted.take() else { return };
        let lessons = &self.ui.lessons;
        let file = lessons.index.as_ref().and_then(|i| i.lessons.iter().find(|e| e.id == id)).map(|e| e.file.clone());
        if !self.ui.embed {
            address::forget_lesson();
        }
        match file {
            Some(file) => {
                // The lesson has a cluster of its own.
                let _ = share::take_state();
                let link = ctx.link().clone();
                let begin = Action::Lesson(LessonAction::Begin(file));
                persist::put_session_aside(move |_| link.send_message(Msg::Act(Box::new(begin))));
            }
            None => {
                self.notify("notice.no-lesson", id);
                self.begin(ctx);
            }
        }
    }

    /// When the page's address asks for a lesson that is not to be had, the page begins without.
    fn no_lesson(&mut self, ctx: &Context<Self>, why: String) {
        if !self.begun {
            self.wanted = None;
            self.notify("notice.no-lesson", why);
            self.begin(ctx);
        }
    }

    /// A new cluster, as the lesson wants it.
    fn begin_lesson(&mut self, ctx: &Context<Self>, text: String) -> bool {
        Rc::make_mut(&mut self.ui.lessons).begin(text);
        self.keep_progress();
        self.ui.prefs.engine = EngineKind::Worker;
        self.ui.subscription.object = None;
        self.ui.history.clear();
        self.ui.acting = None;
        self.ui.applied = None;
        if self.ui.prefs.right {
            self.ui.prefs.set_open(Dock::Right, false);
        }
        self.show_lesson();
        self.restart_fresh(ctx);
        true
    }

    fn show_lesson(&mut self) {
        self.ui.prefs.left_tab = LeftTab::Lesson;
        self.ui.prefs.set_open(Dock::Left, true);
        self.ui.pane = Pane::Editor;
        self.keep_prefs();
        self.dress();
    }

    pub(super) fn lesson_begun(&mut self, begun: LessonBegun) {
        let lessons = Rc::make_mut(&mut self.ui.lessons);
        lessons.text = begun.text.map(|t| Rc::new(*t));
        lessons.problems = begun.problems;
    }

    pub(super) fn lesson_state(&mut self, state: LessonState) {
        let lessons = Rc::make_mut(&mut self.ui.lessons);
        let further = lessons.take(state);
        if further {
            let done = lessons.progress.current.as_ref().map_or(0, |c| c.state.done);
            let all = lessons.text.as_ref().map_or(0, |t| t.en.steps.len());
            let key = if done as usize >= all { "announce.lesson-done" } else { "announce.step-done" };
            let [done, all] = [done.to_string(), all.to_string()];
            let args = [("n", done.as_str()), ("all", all.as_str())];
            self.ui.announcement = fill(find(self.ui.lang, key).unwrap_or_default(), args);
        }
        self.keep_progress();
    }

    /// Opens a manifest of the lesson.
    pub(super) fn open_lesson_file(&mut self, ctx: &Context<Self>, name: &str) -> bool {
        let Some(text) = &self.ui.lessons.text else { return false };
        let Some(file) = text.files.iter().find(|f| f.name == name) else { return false };
        let open = crate::ui::FileAction::Open(file.name.as_str().into(), file.text.as_str().into());
        self.act(ctx, Action::File(open))
    }

    pub(super) fn kept_progress() -> crate::lessons::Progress {
        persist::load(PROGRESS).unwrap_or_default()
    }
}
