//! The root: holds the engine and the page's state, and gives both to the views.

mod act;
mod engine;
mod lesson;
mod saving;
mod terminals;

use crate::address::{self, Address};
use crate::bridge;
use crate::ctx::Ctx;
use crate::files::Files;
use crate::i18n::{Lang, refusals};
use crate::keys;
use crate::lessons::Lessons;
use crate::model::{ModelRef, Topic, Versions};
use crate::offline;
use crate::persist;
use crate::screens::Screens;
use crate::ui::{Action, Center, Engine, LeftTab, Notice, Overlay, Pane, Prefs, Theme, Toast, Ui};
use crate::views::shell::Shell;
use gloo::events::{EventListener, EventListenerOptions};
use gloo::timers::callback::Timeout;
use protocol::{Listing, Subscription};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use yew::prelude::*;

const PREFS: &str = "kubottle.prefs";
const FILES: &str = "kubottle.files";
/// Milliseconds between renderings of panels of text while the cluster is busy.
const CALM_MS: f64 = 100.0;
/// Browsers keep five million characters; not to try with more saves a long wait for the refusal.
const STORED_BYTES_MAX: usize = 4_900_000;
/// Milliseconds from a change of a file to its being stored: storing rewrites all files.
const KEEP_AFTER_MS: u32 = 250;
/// Milliseconds that an offer to take something back stays.
const TOAST_MS: u32 = 10_000;
/// Milliseconds from the cluster's being there to the page's being kept: the first screen comes first.
const KEEP_PAGE_AFTER_MS: u32 = 1_000;

/// What a numbered command was about, so that its reply finds its way.
enum Asked {
    Apply(protocol::ApplyMode, Option<protocol::Identity>),
    Save,
    /// For a link or a file.
    Share,
    Debug(Topic),
    /// More rows of the shown cycle, as far as it was; and those that have come.
    Rows(u64, Option<usize>, Vec<protocol::Row>),
    Fetch(String),
    /// A request, from the panel of this object.
    Follow(protocol::ObjectId),
    /// An apply that the editor knows nothing of.
    Deed,
    Other,
}

pub enum Msg {
    Act(Box<Action>),
    Engine(bridge::Event),
    /// The saved session was read (or there is none): start the engine.
    Loaded(Result<String, String>),
    /// Time to save the session.
    Save,
    /// The session that a command asked for was kept, or could not be.
    Saved(u64, Result<String, String>),
    /// Saving takes too long: another version of the page is gone on with.
    Renew,
    /// A text of the library has come, or has not.
    Library(lesson::Loaded, Result<String, String>),
    /// Time to store the files.
    KeepFiles,
    /// The page is left, or may be.
    Leaving,
    /// The system's light or dark.
    Scheme,
    /// Another version of the page is ready.
    Renewable,
}

pub struct App {
    model: ModelRef,
    /// One callback for all of the page's life, so that contexts stay equal.
    dispatch: Callback<Action>,
    ui: Ui,
    /// `ui` as views have it: the same pointer as long as nothing changed.
    shared: RefCell<Rc<Ui>>,
    engine: Option<bridge::Engine>,
    next_id: u64,
    asked: BTreeMap<u64, Asked>,
    next_notice: u64,
    screens: Screens,
    /// The files that the shells have, as they have them.
    sent: BTreeMap<String, Rc<str>>,
    /// What kubectl reads, and whether the engine has it.
    library: Option<(Rc<protocol::Shell>, bool)>,
    saving: saving::Saving,
    save_timer: Option<Timeout>,
    /// Milliseconds that the last session's size adds to the time between saves.
    session_cost: u32,
    files_timer: Option<Timeout>,
    /// The model's versions as panels of text show them, and since when.
    calm: (f64, Versions),
    /// When a decision was last read out, milliseconds of the page's clock.
    announced: f64,
    /// The lesson that the page's address asks for, until it has begun.
    wanted: Option<String>,
    toast_timer: Option<Timeout>,
    /// The page is being kept for when there is no network.
    kept: bool,
    /// A cluster was started, or is about to be.
    begun: bool,
    /// Another version of the page waits for the session to be kept.
    renew_timer: Option<Timeout>,
    _listeners: Vec<EventListener>,
}

impl Component for App {
    type Message = Msg;
    type Properties = ();

    fn create(ctx: &Context<Self>) -> Self {
        let address = address::read();
        if address.embed {
            persist::keep_nothing();
        }
        let prefs = prefs_of(&address, persist::load(PREFS).unwrap_or_default());
        let browser = gloo::utils::window().navigator().language().unwrap_or_default();
        let lang = address.lang.unwrap_or(Lang::of(prefs.lang.as_deref().unwrap_or(&browser)));
        let has_server = bridge::has_server();
        let ui = Ui {
            lang,
            prefs,
            center: Center::Cluster,
            pane: Pane::Stage,
            bottom: Default::default(),
            terminals: Vec::new(),
            terminal: 1,
            overlay: None,
            tab: Default::default(),
            subscription: Subscription { entries: true, follow_cycles: true, compact: true, ..Subscription::default() },
            listing: Listing { limit: crate::views::objects::WINDOW, ..Listing::default() },
            find: Listing::default(),
            about: None,
            what_if: None,
            history: Vec::new(),
            engine: Engine::Loading,
            has_server,
            lessons: Rc::new(Lessons { progress: App::kept_progress(), ..Lessons::default() }),
            files: Rc::new(persist::load::<Files>(FILES).unwrap_or_default().repaired()),
            custom: None,
            applied: None,
            acting: None,
            shared: None,
            applying: false,
            storage_error: None,
            notices: Rc::new(Vec::new()),
            toast: None,
            renewable: false,
            embed: address.embed,
            spotlight: false,
            announcement: String::new(),
        };
        let shared = RefCell::new(Rc::new(ui.clone()));
        let mut app = App {
            model: ModelRef::default(),
            dispatch: ctx.link().callback(|action| Msg::Act(Box::new(action))),
            ui,
            shared,
            engine: None,
            next_id: 1,
            asked: BTreeMap::new(),
            next_notice: 1,
            screens: Screens::default(),
            sent: BTreeMap::new(),
            library: None,
            saving: saving::Saving::default(),
            save_timer: None,
            session_cost: 0,
            files_timer: None,
            calm: (0.0, Versions::default()),
            announced: f64::NEG_INFINITY,
            wanted: address.lesson,
            toast_timer: None,
            kept: false,
            begun: false,
            renew_timer: None,
            _listeners: listen(ctx.link()),
        };
        app.dress();
        // A lesson that was asked for has a cluster of its own, which begins when the lesson is there.
        if app.wanted.is_none() {
            app.begin(ctx);
        }
        app.load_index(ctx);
        app
    }

    fn update(&mut self, ctx: &Context<Self>, msg: Msg) -> bool {
        match msg {
            Msg::Act(action) => {
                let before = self.finding();
                let changed = self.act(ctx, *action);
                if before != self.finding() {
                    self.subscribe();
                }
                changed
            }
            Msg::Engine(bridge::Event::Update(update)) => {
                self.take(ctx, *update);
                self.pace();
                true
            }
            Msg::Engine(bridge::Event::Broken(why)) => {
                self.engine = None;
                self.ui.applying = false;
                self.keep_files();
                self.ui.engine = Engine::Broken(why);
                true
            }
            Msg::Loaded(session) => {
                self.start(ctx, session);
                true
            }
            Msg::Save => {
                self.save_timer = None;
                self.ask_to_save();
                false
            }
            Msg::Library(what, text) => self.library(ctx, &what, text),
            Msg::KeepFiles => {
                self.keep_files();
                true
            }
            Msg::Leaving => {
                self.save_timer = None;
                if self.files_timer.is_some() {
                    self.keep_files();
                }
                self.ask_to_save();
                false
            }
            Msg::Scheme => true,
            Msg::Renewable => {
                self.ui.renewable = true;
                true
            }
            Msg::Saved(command, done) => {
                self.saved(command, done.is_ok());
                let failed = done.is_err();
                if let Err(why) = done {
                    self.notify("notice.not-saved", why);
                }
                failed
            }
            Msg::Renew => {
                self.renew_timer = None;
                offline::renew();
                false
            }
        }
    }

    fn view(&self, _: &Context<Self>) -> Html {
        let dark = match self.ui.prefs.theme {
            Theme::Light => false,
            Theme::Dark => true,
            Theme::Auto => scheme().is_some_and(|q| q.matches()),
        };
        let context = Ctx {
            lang: self.ui.lang,
            dark,
            model: self.model.clone(),
            dispatch: self.dispatch.clone(),
            screens: self.screens.clone(),
        };
        if **self.shared.borrow() != self.ui {
            *self.shared.borrow_mut() = Rc::new(self.ui.clone());
        }
        let ui = self.shared.borrow().clone();
        let (clock, versions) = {
            let model = self.model.get();
            (model.clock.clone(), model.versions.calm(self.calm.1))
        };
        html! {
            <ContextProvider<Ctx> {context}>
                <Shell {ui} clock={Rc::new(clock)} {versions} />
            </ContextProvider<Ctx>>
        }
    }
}

/// A page within another begins with the stage, and beside it the lesson if there is one.
fn prefs_of(address: &Address, kept: Prefs) -> Prefs {
    if !address.embed {
        return kept;
    }
    let (left, left_tab) = (address.lesson.is_some(), LeftTab::Lesson);
    Prefs {
        left,
        left_tab,
        left_size: 340,
        bottom: false,
        theme: address.theme.unwrap_or_default(),
        ..Prefs::default()
    }
}

fn scheme() -> Option<web_sys::MediaQueryList> {
    gloo::utils::window().match_media("(prefers-color-scheme: dark)").ok().flatten()
}

fn now_ms() -> f64 {
    gloo::utils::window().performance().map_or(0.0, |p| p.now())
}

impl App {
    /// Lets panels of text follow the model: at once when the cluster stands still, else now and then.
    fn pace(&mut self) {
        let (model, now) = (self.model.get(), now_ms());
        if !model.clock.running || now - self.calm.0 >= CALM_MS {
            self.calm = (now, model.versions);
        }
    }

    /// The palette is open.
    fn finding(&self) -> bool {
        self.ui.overlay == Some(Overlay::Palette)
    }

    fn notify(&mut self, title: &'static str, text: String) {
        let text = refusals::told(self.ui.lang, &text);
        if self.ui.notices.iter().any(|n| n.title == title && n.text == text) {
            return;
        }
        Rc::make_mut(&mut self.ui.notices).push(Notice { id: self.next_notice, title, text });
        self.next_notice += 1;
    }

    /// Language, theme and size of type are attributes of the root element.
    fn dress(&self) {
        let Some(root) = gloo::utils::document().document_element() else { return };
        let _ = root.set_attribute("lang", self.ui.lang.code());
        let _ = root.set_attribute("data-theme", self.ui.prefs.theme.name());
        let _ = root.toggle_attribute_with_force("data-embed", self.ui.embed);
        let _ = root.set_attribute("data-presenter", if self.ui.prefs.presenter { "on" } else { "off" });
    }

    /// Something that may be read or not: it goes by itself.
    fn toast(&mut self, ctx: &Context<Self>, toast: Toast) {
        self.ui.toast = Some(toast);
        let dispatch = ctx.link().clone();
        let gone = move || dispatch.send_message(Msg::Act(Box::new(Action::Toast(None))));
        self.toast_timer = Some(Timeout::new(TOAST_MS, gone));
    }

    /// Once the page has come to life it is kept for when there is no network. What a server serves is as near as that server.
    fn keep_page(&mut self, ctx: &Context<Self>) {
        if !std::mem::replace(&mut self.kept, true) && !self.ui.has_server && !self.ui.embed {
            let link = ctx.link().clone();
            let offer = move || link.send_message(Msg::Renewable);
            Timeout::new(KEEP_PAGE_AFTER_MS, move || offline::keep(offer)).forget();
        }
    }

    fn keep_prefs(&mut self) {
        self.ui.storage_error = persist::store(PREFS, &self.ui.prefs).err();
    }

    /// The text is never lost: what cannot be stored stays in the page, and the page says so.
    fn keep_files(&mut self) {
        self.files_timer = None;
        let bytes: usize = self.ui.files.tabs.iter().map(|t| t.text.len()).sum();
        self.ui.storage_error = if bytes > STORED_BYTES_MAX {
            Some(format!("{} MB", bytes / 1_000_000))
        } else {
            persist::store(FILES, &*self.ui.files).err()
        };
    }

    fn keep_files_soon(&mut self, ctx: &Context<Self>) {
        let link = ctx.link().clone();
        self.files_timer = Some(Timeout::new(KEEP_AFTER_MS, move || link.send_message(Msg::KeepFiles)));
    }
}

fn listen(link: &html::Scope<App>) -> Vec<EventListener> {
    let window = gloo::utils::window();
    let keyboard = link.clone();
    let keydown = EventListener::new_with_options(
        &window,
        "keydown",
        EventListenerOptions::enable_prevent_default(),
        move |event| {
            let Some(event) = event.dyn_ref::<KeyboardEvent>() else { return };
            if let Some(action) = keys::action(event) {
                event.prevent_default();
                keyboard.send_message(Msg::Act(Box::new(action)));
            }
        },
    );
    let leaving = link.clone();
    let pagehide = EventListener::new(&window, "pagehide", move |_| leaving.send_message(Msg::Leaving));
    let hidden = link.clone();
    let document = gloo::utils::document();
    let visibility = EventListener::new(&document, "visibilitychange", move |_| {
        if gloo::utils::document().hidden() {
            hidden.send_message(Msg::Leaving);
        }
    });
    let mut all = vec![keydown, pagehide, visibility];
    if let Some(query) = scheme() {
        let other = link.clone();
        all.push(EventListener::new(&query, "change", move |_| other.send_message(Msg::Scheme)));
    }
    all
}
