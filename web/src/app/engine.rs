//! The engine's side of the root: starting it, what it says, and keeping its session.

use super::{App, Asked, Msg};
use crate::bridge;
use crate::i18n::{Lang, fill, find};
use crate::model::{Fetched, Followed, Topic, schemas};
use crate::offline;
use crate::persist;
use crate::ui::{Applied, Center, Engine, EngineKind, Overlay, Pane, Prefs, Toast};
use crate::views::share;
use gloo::timers::callback::Timeout;
use protocol::debug::RowsQuery;
use protocol::{
    Answer, ApiReply, ApplyMode, Command, CycleSummary, Debug, Reply, Row, Speed, Start, Subscription, TimeView,
    Update, VERSION,
};
use std::rc::Rc;
use yew::Context;

/// Rows of a decision's table that are asked for at once.
const ROWS: usize = 1000;
/// Milliseconds from a change to the session being saved; a large session is saved less often.
const SAVE_AFTER: u32 = 1_500;
const SAVE_AFTER_BYTES: usize = 1_000;
/// Milliseconds until another version of the page is gone on with although the session could not be saved.
const RENEW_AFTER: u32 = 3_000;
/// More new decisions than this in one frame are not read out one by one.
const ANNOUNCED_MAX: usize = 2;
/// Milliseconds between two decisions that are read out.
const ANNOUNCE_MS: f64 = 1_000.0;

impl App {
    /// Reads the saved session, then starts the engine.
    pub(super) fn begin(&mut self, ctx: &Context<Self>) {
        self.begun = true;
        self.ui.engine = Engine::Loading;
        self.engine = None;
        match self.ui.prefs.engine {
            EngineKind::Server if self.ui.has_server => self.start(ctx, Ok(String::new())),
            _ => {
                let link = ctx.link().clone();
                // A state in the page's address comes first; what was here before can be gone back to.
                match share::take_state() {
                    Some(state) => self.open_session(ctx, state),
                    None => persist::load_session(move |session| link.send_message(Msg::Loaded(session))),
                }
            }
        }
    }

    /// Starts the engine with a session from elsewhere, and keeps the one that was here.
    pub(super) fn open_session(&mut self, ctx: &Context<Self>, session: String) {
        let link = ctx.link().clone();
        persist::put_session_aside(move |_| link.send_message(Msg::Loaded(Ok(session))));
    }

    pub(super) fn start(&mut self, ctx: &Context<Self>, session: Result<String, String>) {
        self.begun = true;
        let session = session.unwrap_or_else(|why| {
            self.notify("notice.not-loaded", why);
            String::new()
        });
        self.model.clear();
        self.asked.clear();
        self.saving.forget();
        self.restart_shells();
        let kind = if self.ui.has_server { self.ui.prefs.engine } else { EngineKind::Worker };
        if kind == EngineKind::Server {
            // A lesson has a cluster of its own, which is the page's.
            Rc::make_mut(&mut self.ui.lessons).leave();
        }
        match bridge::Engine::start(kind, ctx.link().callback(Msg::Engine)) {
            Ok(engine) => {
                // The cluster comes back as it was left; nothing happens in it before it knows.
                if kind == EngineKind::Worker {
                    let Prefs { paused, speed, .. } = self.ui.prefs;
                    if paused {
                        engine.send(&Command::Pause);
                    }
                    let speed = if speed == 0 { Speed::Max } else { Speed::Times(speed) };
                    engine.send(&Command::SetSpeed { speed });
                }
                engine.send(&Command::Start(Start {
                    version: VERSION,
                    nodes: self.ui.prefs.nodes,
                    seed: 1,
                    cloud: self.ui.prefs.cloud,
                    control_plane_node: self.ui.prefs.control_plane_node,
                    now: js_sys::Date::now() as u64 * 1000,
                    session: (!session.is_empty()).then_some(session),
                    lesson: self.ui.lessons.start().filter(|_| kind == EngineKind::Worker),
                    subscription: self.subscription(),
                }));
                self.engine = Some(engine);
            }
            Err(why) => self.ui.engine = Engine::Broken(why),
        }
    }

    /// Gives the command a number and remembers what the reply is about.
    pub(super) fn order(&mut self, mut command: Command, asked: Asked) {
        // The past cannot be changed; what to do instead is told beside the stage.
        if self.model.get().time.past.is_some() && is_change(&command) {
            self.ui.applying = false;
            return self.notify("notice.past", String::new());
        }
        let number = self.next_id;
        if let Some(id) = id_of(&mut command) {
            *id = number;
            self.next_id += 1;
            self.asked.insert(number, asked);
        }
        if let Some(engine) = &self.engine {
            engine.send(&command);
        }
    }

    pub(super) fn subscribe(&mut self) {
        self.order(Command::Subscribe(self.subscription()), Asked::Other);
    }

    /// Only what is shown: decisions in full are large.
    fn subscription(&self) -> Subscription {
        let mut s = self.ui.subscription.clone();
        if self.ui.center != Center::Decision {
            s.follow_cycles = false;
            s.cycle = None;
        }
        s.cloud = self.ui.center == Center::Cloud;
        s.listing = match (self.finding(), self.ui.center) {
            (true, _) => Some(self.ui.find.clone()),
            (false, Center::Objects) => Some(self.ui.listing.clone()),
            _ => None,
        };
        s
    }

    pub(super) fn take(&mut self, ctx: &Context<Self>, update: Update) {
        let replaying = update.replies.iter().find_map(|r| match r {
            Reply::Replaying { done, of } => Some(done * 100 / (*of).max(1)),
            _ => None,
        });
        if let Some(percent) = replaying {
            self.ui.engine = Engine::Replaying(u8::try_from(percent).unwrap_or(100).min(100));
            for reply in update.replies {
                self.reply(ctx, reply);
            }
            return;
        }
        self.announce(&update.cycles);
        let detail = update.detail.is_some();
        let cycle = update.cycle_view.is_some();
        let time = update.time.is_some();
        let held = self.held();
        let was = self.ui.engine == Engine::Ready;
        self.ui.engine = Engine::Ready;
        self.keep_page(ctx);
        let before = self.model.get().time.clone();
        for reply in self.model.apply(update) {
            self.reply(ctx, reply);
        }
        if time && was {
            self.offer_undo(ctx, &before);
        }
        if detail {
            self.follow_why();
        }
        if cycle {
            self.complete_rows();
        }
        // A decision that is held is what one wants to see.
        if self.held().is_some_and(|seq| held != Some(seq)) {
            self.ui.pane = Pane::Stage;
            self.ui.announcement = find(self.ui.lang, "announce.held").unwrap_or_default().to_string();
            self.ui.center = Center::Decision;
            self.subscribe();
        }
        let is_new = {
            let model = self.model.get();
            self.saving.seen(model.clock.revision, &before, &model.time)
        };
        if is_new && self.save_timer.is_none() && self.saves() {
            let link = ctx.link().clone();
            self.save_timer = Some(Timeout::new(SAVE_AFTER + self.session_cost, move || link.send_message(Msg::Save)));
        }
    }

    /// Something was done, or taken back.
    fn offer_undo(&mut self, ctx: &Context<Self>, before: &TimeView) {
        let now = self.model.get().time.clone();
        let present = |t: &TimeView| t.branches.iter().find(|b| b.current).map(|b| b.id);
        let number = |t: &TimeView| t.undo.as_ref().map_or(0, |d| d.number);
        if present(&now) != present(before) {
            match now.redo && number(&now) < number(before) {
                true => self.toast(ctx, Toast::Undid),
                false => self.ui.toast = None,
            }
        } else if let Some(deed) = now.undo.as_ref().filter(|d| d.number > number(before)) {
            self.toast(ctx, Toast::Did(deed.clone()));
        }
    }

    fn held(&self) -> Option<u64> {
        self.model.get().debugger.held.as_ref().map(|h| h.seq)
    }

    /// A cycle comes with its first rows; the others follow while these are looked at.
    fn complete_rows(&mut self) {
        let wanted = {
            let model = self.model.get();
            model.cycle.as_ref().filter(|c| c.rows.len() < c.rows_total).map(|c| (c.seq, c.upto))
        };
        if let Some((seq, upto)) = wanted {
            self.ask_rows(seq, upto, Vec::new());
        }
    }

    fn shows(&self, seq: u64, upto: Option<usize>) -> bool {
        self.model.get().cycle.as_ref().is_some_and(|c| c.seq == seq && c.upto == upto)
    }

    /// The rows after those that have come.
    fn ask_rows(&mut self, seq: u64, upto: Option<usize>, come: Vec<Row>) {
        let query = RowsQuery { cycle: seq, offset: come.len(), limit: ROWS, upto, ..RowsQuery::default() };
        self.order(Command::Debug { id: 0, debug: Debug::Rows(query) }, Asked::Rows(seq, upto, come));
    }

    pub(super) fn saves(&self) -> bool {
        self.ui.prefs.engine == EngineKind::Worker || !self.ui.has_server
    }

    pub(super) fn ask_to_save(&mut self) {
        if self.saves() && self.ui.engine == Engine::Ready && self.saving.begin(self.next_id) {
            self.order(Command::Save { id: 0 }, Asked::Save);
        }
    }

    /// Goes on with another version of the page, once what was done in this one is kept.
    pub(super) fn renew(&mut self, ctx: &Context<Self>) {
        self.save_timer = None;
        self.keep_files();
        self.ask_to_save();
        match self.saving.is_under_way() {
            true => {
                let link = ctx.link().clone();
                self.renew_timer = Some(Timeout::new(RENEW_AFTER, move || link.send_message(Msg::Renew)));
            }
            false => offline::renew(),
        }
    }

    /// The session that a command asked for was kept, or could not be.
    pub(super) fn saved(&mut self, command: u64, well: bool) {
        self.saving.end(command, well);
        if !self.saving.is_under_way() && self.renew_timer.take().is_some() {
            offline::renew();
        }
    }

    /// Unless an entry was chosen, "Why" is about the newest write to the inspected object.
    pub(super) fn follow_why(&mut self) {
        let seq = {
            let model = self.model.get();
            let shown = self.ui.subscription.object.as_ref();
            model.detail.as_ref().filter(|d| Some(&d.id) == shown).and_then(|d| d.writes.first()).map(|e| e.seq)
        };
        if self.ui.subscription.object.is_some() && seq.is_some() && seq != self.ui.subscription.why {
            self.ui.subscription.why = seq;
            self.subscribe();
        }
    }

    fn announce(&mut self, cycles: &[CycleSummary]) {
        let Some(last) = cycles.last().filter(|_| cycles.len() <= ANNOUNCED_MAX) else { return };
        let now = super::now_ms();
        if now - self.announced < ANNOUNCE_MS {
            return;
        }
        self.announced = now;
        let key = match (self.ui.prefs.guess, last.node.is_empty()) {
            // Who guesses is not told.
            (true, _) => "announce.decided",
            (_, true) => "announce.failed",
            _ => "announce.bound",
        };
        let pod = format!("{}/{}", last.namespace, last.name);
        let args = [("pod", pod.as_str()), ("node", &last.node), ("message", &last.message)];
        self.ui.announcement = fill(find(self.ui.lang, key).unwrap_or_default(), args);
    }

    fn reply(&mut self, ctx: &Context<Self>, reply: Reply) {
        match reply {
            Reply::Apply { id, result } => {
                let asked = self.asked.remove(&id);
                if matches!(asked, Some(Asked::Deed)) {
                    if let Some(error) = result.errors.first() {
                        self.notify("notice.refused", error.message.clone());
                    }
                    return;
                }
                self.ui.applying = false;
                let (mode, by) = match asked {
                    Some(Asked::Apply(mode, by)) => (mode, by),
                    _ => (ApplyMode::Apply, None),
                };
                let key = if result.errors.is_empty() { "announce.applied" } else { "announce.refused" };
                let n = if result.errors.is_empty() { result.objects.len() } else { result.errors.len() }.to_string();
                self.ui.announcement = fill(find(self.ui.lang, key).unwrap_or_default(), [("n", n.as_str())]);
                // What was asked for is the differences, where there are any.
                if mode == ApplyMode::DryRun && result.objects.iter().any(|o| o.difference.is_some()) {
                    self.ui.overlay = Some(Overlay::Differences);
                }
                self.ui.applied = Some(Rc::new(Applied { mode, by, result }));
            }
            Reply::Done { id, error } => {
                let asked = self.asked.remove(&id);
                if matches!(asked, Some(Asked::Save)) {
                    self.saved(id, false);
                }
                if let Some(error) = error {
                    let key = if matches!(asked, Some(Asked::Deed)) { "notice.remedy" } else { "notice.refused" };
                    self.notify(key, error);
                }
            }
            Reply::Session { id, session } => {
                let asked = self.asked.remove(&id);
                if matches!(asked, Some(Asked::Share)) {
                    self.ui.shared = Some(session.into());
                } else if matches!(asked, Some(Asked::Save)) {
                    self.session_cost = u32::try_from(session.len() / SAVE_AFTER_BYTES).unwrap_or(u32::MAX / 2);
                    let link = ctx.link().clone();
                    persist::save_session(&session, move |done| link.send_message(Msg::Saved(id, done)));
                }
            }
            Reply::Refused { message } => self.notify("notice.engine-refused", message),
            Reply::Until { met, .. } => {
                let key = if met { "announce.until.met" } else { "announce.until.not-met" };
                self.ui.announcement = find(self.ui.lang, key).unwrap_or_default().to_string();
                if !met {
                    self.notify("notice.until", String::new());
                }
            }
            Reply::Compared { id, comparison, error } => {
                self.asked.remove(&id);
                match error {
                    Some(why) => self.notify("notice.refused", why),
                    None => self.model.change(|m| m.put_comparison(comparison)),
                }
            }
            Reply::Crashed { process, message } => self.notify("notice.crashed", format!("{process}: {message}")),
            Reply::NoDecision => self.notify("notice.no-decision", String::new()),
            Reply::Debug { id, answer } => match (self.asked.remove(&id), answer) {
                (Some(Asked::Rows(seq, upto, mut come)), Answer::Rows { of, rows, .. }) => {
                    let more = !rows.is_empty();
                    come.extend(rows);
                    if come.len() >= of || !more {
                        self.model.change(|m| m.put_rows(seq, upto, come));
                    } else if self.shows(seq, upto) {
                        self.ask_rows(seq, upto, come);
                    }
                }
                (Some(Asked::Debug(topic)), answer) => {
                    let done = matches!(answer, Answer::Done);
                    // Nobody shows the answer to an order; a refusal must be read.
                    if let (Topic::Order | Topic::Pick, Answer::Refused { message, .. }) = (topic, &answer) {
                        self.notify("notice.refused", message.clone());
                    }
                    self.model.change(|m| m.put_answer(topic, id, answer));
                    if done && topic == Topic::SetConfig {
                        self.ask(Topic::Config, Debug::Config);
                    }
                }
                _ => {}
            },
            Reply::Api(reply) => self.answered(&reply),
            Reply::Journey { id, journey, error } => {
                if let Some(Asked::Follow(from)) = self.asked.remove(&id) {
                    let journey = error.map_or(Ok(Rc::new(journey)), Err);
                    self.model.change(|m| m.put_journey(Followed { from, journey }));
                }
            }
            Reply::LessonBegun(begun) => self.lesson_begun(begun),
            Reply::Lesson(state) => self.lesson_state(state),
            Reply::Shell(output) => self.shell_said(ctx, &output),
            Reply::Replaying { .. } | Reply::Terminal { .. } => {}
        }
    }

    /// What came of a request.
    fn answered(&mut self, reply: &ApiReply) {
        let body = serde_json::from_str::<serde_json::Value>(&reply.body);
        match (self.asked.remove(&reply.id), body) {
            (Some(Asked::Fetch(path)), Ok(body)) if path == schemas::PATH => {
                self.ui.custom = Some(Rc::new(schemas::of_definitions(&body)));
            }
            (Some(Asked::Fetch(path)), Ok(body)) => {
                self.model.change(|m| m.put_fetched(Fetched { path, body: Rc::new(body) }));
            }
            (Some(Asked::Deed), body) if reply.code >= 300 => {
                let said = body.ok().and_then(|b| b["message"].as_str().map(str::to_string));
                self.notify("notice.refused", said.unwrap_or_else(|| reply.body.clone()));
            }
            _ => {}
        }
    }

    pub(super) fn set_lang(&mut self, lang: Lang) {
        self.ui.lang = lang;
        self.ui.prefs.lang = Some(lang.code().into());
        self.dress();
        self.keep_prefs();
    }
}

/// Whether the command changes the cluster.
fn is_change(command: &Command) -> bool {
    use Command::*;
    match command {
        As { command, .. } => is_change(command),
        Together { commands, .. } => commands.iter().any(is_change),
        Apply { mode, .. } => *mode != ApplyMode::DryRun,
        Api(call) => call.method != "GET",
        AddNode { .. } | Cordon { .. } | Drain { .. } | KillNode { .. } | ReviveNode { .. } | RemoveNode { .. } => true,
        SetProcess { .. } | Cloud { .. } | Fault { .. } | Follow { .. } | Terminal { .. } => true,
        Debug { debug, .. } => matches!(debug, protocol::Debug::SetConfig { .. }),
        _ => false,
    }
}

fn id_of(command: &mut Command) -> Option<&mut u64> {
    use Command::*;
    match command {
        Apply { id, .. } | AddNode { id, .. } | Cordon { id, .. } | Drain { id, .. } | KillNode { id, .. } => Some(id),
        ReviveNode { id, .. }
        | RemoveNode { id, .. }
        | SetProcess { id, .. }
        | Cloud { id, .. }
        | Fault { id, .. }
        | Follow { id, .. }
        | Time { id, .. }
        | Compare { id, .. }
        | Together { id, .. }
        | Save { id }
        | Share { id }
        | Debug { id, .. }
        | Lesson { id, .. }
        | Terminal { id, .. } => Some(id),
        Api(call) => Some(&mut call.id),
        As { command, .. } => id_of(command),
        Start(_) | Shell(_) | Run | Pause | Step | StepDecision | SetSpeed { .. } | Subscribe(_) | Seen => None,
    }
}
