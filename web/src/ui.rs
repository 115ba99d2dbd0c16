//! The page's own state: what is open, what is selected, and what can be asked for. Pure.

use crate::files::Files;
use crate::i18n::Lang;
use crate::lessons::{LessonAction, Lessons};
use crate::model::Topic;
use protocol::{ApplyMode, ApplyResult, Command, Debug, Follow, Identity, Listing, ObjectId, Shell, Subscription};
use serde::{Deserialize, Serialize};
use std::rc::Rc;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Theme {
    /// As the system says.
    #[default]
    Auto,
    Light,
    Dark,
}

impl Theme {
    pub fn name(self) -> &'static str {
        match self {
            Theme::Auto => "auto",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }
    pub fn next(self) -> Theme {
        match self {
            Theme::Auto => Theme::Light,
            Theme::Light => Theme::Dark,
            Theme::Dark => Theme::Auto,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Center {
    #[default]
    Cluster,
    Decision,
    Queues,
    /// The list of all objects.
    Objects,
    /// The cloud's console.
    Cloud,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dock {
    Left,
    Right,
    Bottom,
}

/// What a phone shows, one at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pane {
    #[default]
    Stage,
    Editor,
    Inspector,
    Timeline,
    Terminal,
}

/// What the dock below the stage shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BottomTab {
    #[default]
    Timeline,
    Terminal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TerminalAction {
    New,
    Show(u64),
    Close(u64),
    /// Into the terminal, or out of it.
    Focus,
    ScreenReader(bool),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InspectorTab {
    #[default]
    Summary,
    Yaml,
    Events,
    Owners,
    Logs,
    Why,
    Decisions,
    Placement,
}

/// What the left dock shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeftTab {
    #[default]
    Editor,
    Lesson,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlay {
    Palette,
    Help,
    NewNode,
    NewCluster,
    ActAs,
    Images,
    Breakpoints,
    Config,
    WhatIf,
    Branches,
    RunUntil,
    Share,
    /// Between the cluster and the file.
    Differences,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EngineKind {
    /// The cluster in this page's Web Worker.
    #[default]
    Worker,
    /// The cluster of the kubottle server that served this page.
    Server,
}

/// Remembered across visits. Sizes are CSS pixels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Prefs {
    pub lang: Option<String>,
    pub theme: Theme,
    pub left: bool,
    pub right: bool,
    pub bottom: bool,
    pub left_tab: LeftTab,
    pub left_size: u32,
    pub right_size: u32,
    pub bottom_size: u32,
    pub presenter: bool,
    pub engine: EngineKind,
    /// The editor was folded to make room for the inspector, and comes back when that closes.
    pub left_folded: bool,
    /// Of the page's own cluster: it comes back as it was left.
    pub paused: bool,
    /// Thousandths of real time; 0 is as fast as possible.
    pub speed: u32,
    /// Decisions are hidden until the learner has picked a node.
    pub guess: bool,
    /// Whether terminals speak to screen readers.
    pub screen_reader: bool,
    /// How a new cluster begins.
    pub nodes: u32,
    pub cloud: bool,
    /// Whether its control plane is a node.
    pub control_plane_node: bool,
}

impl Default for Prefs {
    fn default() -> Self {
        Prefs {
            lang: None,
            theme: Theme::Auto,
            left: true,
            right: false,
            bottom: true,
            left_tab: LeftTab::Editor,
            left_size: 380,
            right_size: 400,
            bottom_size: 210,
            presenter: false,
            engine: EngineKind::Worker,
            left_folded: false,
            paused: false,
            speed: 1000,
            guess: false,
            screen_reader: false,
            nodes: 3,
            cloud: false,
            control_plane_node: false,
        }
    }
}

impl Prefs {
    pub fn open(&self, dock: Dock) -> bool {
        !self.presenter
            && match dock {
                Dock::Left => self.left,
                Dock::Right => self.right,
                Dock::Bottom => self.bottom,
            }
    }
    pub fn set_open(&mut self, dock: Dock, open: bool) {
        // Opening a dock ends the presenter view, which is the view without docks.
        if open && self.presenter {
            self.presenter = false;
            (self.left, self.right, self.bottom) = (false, false, false);
        }
        match dock {
            Dock::Left => (self.left, self.left_folded) = (open, false),
            Dock::Right => {
                self.right = open;
                if !open && self.left_folded {
                    (self.left, self.left_folded) = (true, false);
                }
            }
            Dock::Bottom => self.bottom = open,
        }
    }
    /// Opens the inspector. On a laptop (`narrow`) there is room for two docks beside a stage that can be read.
    pub fn open_inspector(&mut self, narrow: bool) {
        if narrow && self.left && !self.open(Dock::Right) && !self.presenter {
            (self.left, self.left_folded) = (false, true);
        }
        self.set_open(Dock::Right, true);
    }
    pub fn resize(&mut self, dock: Dock, size: u32) {
        match dock {
            Dock::Left => self.left_size = size.clamp(260, 900),
            Dock::Right => self.right_size = size.clamp(280, 900),
            Dock::Bottom => self.bottom_size = size.clamp(110, 700),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Engine {
    Loading,
    /// The saved session is replayed: percent.
    Replaying(u8),
    Ready,
    Broken(String),
}

/// Something that must be read; stays until it is dismissed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub id: u64,
    /// A key of the catalogue.
    pub title: &'static str,
    pub text: String,
}

/// Something small that may be read or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Toast {
    /// This was done and can be taken back.
    Did(protocol::Deed),
    /// It was, and can be done again.
    Undid,
}

/// What came of the last apply, and of which mode it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    pub mode: ApplyMode,
    /// Who asked for it, when it was not the page's own user.
    pub by: Option<Identity>,
    pub result: ApplyResult,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ui {
    pub lang: Lang,
    pub prefs: Prefs,
    pub center: Center,
    pub pane: Pane,
    pub bottom: BottomTab,
    /// The terminals' numbers, and the one that is shown.
    pub terminals: Vec<u64>,
    pub terminal: u64,
    pub overlay: Option<Overlay>,
    pub tab: InspectorTab,
    pub subscription: Subscription,
    /// What the list of all objects shows.
    pub listing: Listing,
    /// What the palette looks for among them.
    pub find: Listing,
    /// "Why not here?": the node, and the cycle (0 means now).
    pub about: Option<(Rc<str>, u64)>,
    /// "What if": the pod, and the decision that is forked.
    pub what_if: Option<(ObjectId, u64)>,
    /// Objects inspected before, for the way back.
    pub history: Vec<ObjectId>,
    pub engine: Engine,
    /// The page came from a kubottle server, whose own cluster can be shown.
    pub has_server: bool,
    pub lessons: Rc<Lessons>,
    pub files: Rc<Files>,
    /// The schemas of custom resources, for the editor.
    pub custom: Option<Rc<serde_json::Value>>,
    pub applied: Option<Rc<Applied>>,
    /// Who applies, when it is somebody else than the page's own user.
    pub acting: Option<Identity>,
    /// The session as a packed word, while it is shown to be shared.
    pub shared: Option<Rc<str>>,
    /// An apply was sent and not answered yet.
    pub applying: bool,
    pub storage_error: Option<String>,
    pub notices: Rc<Vec<Notice>>,
    pub toast: Option<Toast>,
    /// Another version of the page is ready.
    pub renewable: bool,
    /// The page is a part of another one: little is around the stage, and nothing is kept.
    pub embed: bool,
    /// In presenter view everything but one thing is dimmed.
    pub spotlight: bool,
    /// Said to screen readers.
    pub announcement: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileAction {
    /// A text in a tab of its own: name, text.
    Open(Rc<str>, Rc<str>),
    SetText(Rc<str>),
    Select(usize),
    New,
    Close(usize),
    Rename(usize, String),
    /// A sample in a tab of its own; applied at once when asked for.
    Sample(usize, bool),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    Send(Command),
    /// Something applied that is no file of the editor; a refusal is told.
    Deed(Command),
    /// A question to the scheduling debugger, or a word to it.
    Ask(Topic, Debug),
    /// An object of the API, by its path.
    Fetch(String),
    /// A pod sends a request, asked for beside this object.
    Follow(ObjectId, Follow),
    /// "Why not here?" of a pod, a node and a cycle.
    WhyNot(ObjectId, Rc<str>, u64),
    /// "What if" of a pod and the decision that is forked (0 is now).
    WhatIf(ObjectId, u64),
    /// Whether the learner picks before a decision is shown.
    Guess(bool),
    ToggleRun,
    Step,
    StepDecision,
    Apply(ApplyMode),
    File(FileAction),
    Inspect(ObjectId, InspectorTab),
    Tab(InspectorTab),
    InspectBack,
    /// A trace entry and its chain of causes.
    Entry(u64),
    Cycle(u64),
    FollowCycles(bool),
    /// Shows this part of the list of all objects.
    List(Listing),
    /// Looks for objects, for the palette.
    Find(Listing),
    Center(Center),
    Pane(Pane),
    Bottom(BottomTab),
    Terminal(TerminalAction),
    /// What a terminal says to its shell.
    Shell(Shell),
    SetDock(Dock, bool),
    ToggleDock(Dock),
    Resize(Dock, u32),
    SetLang(Lang),
    SetTheme(Theme),
    Presenter,
    Spotlight,
    /// Takes back what was done last, and does it again.
    Undo,
    Redo,
    Toast(Option<Toast>),
    /// Goes on with the page's other version, or not now.
    Renew(bool),
    Overlay(Option<Overlay>),
    Dismiss(u64),
    Engine(EngineKind),
    /// Starts the engine again; a fresh start forgets the saved session.
    Restart {
        fresh: bool,
    },
    /// Starts a new cluster with so many nodes, in the toy cloud or on machines of its own, its control plane on a node or
    /// beside them.
    NewCluster {
        nodes: u32,
        cloud: bool,
        control_plane_node: bool,
    },
    ActAs(Option<Identity>),
    Lesson(LessonAction),
    /// Opens a manifest of the lesson in the editor.
    LessonFile(String),
    LeftTab(LeftTab),
    /// Shows the session as a link and a file.
    Share,
    /// Goes on from a session of elsewhere.
    OpenSession(String),
    /// Goes back to the session that was here before that.
    SessionBefore,
    /// A manifest that gives a permission: whoever misses it cannot apply it, so the page acts for itself again.
    Grant(FileAction),
    Escape,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_a_laptop_the_editor_makes_room_for_the_inspector() {
        let mut p = Prefs::default();
        p.open_inspector(true);
        assert_eq!((p.left, p.right), (false, true));
        p.set_open(Dock::Right, false);
        assert_eq!((p.left, p.right), (true, false));
        // Who opens both means both.
        p.open_inspector(true);
        p.set_open(Dock::Left, true);
        p.open_inspector(true);
        assert_eq!((p.left, p.right), (true, true));
        p.set_open(Dock::Right, false);
        assert!(p.left);
    }
}
