//! The loop: messages come in at any time, time passes in frames. Work is done in slices, so that a message never waits
//! for longer than one.

use crate::budget::Budget;
use engine::lesson::{Course, diagnostics};
use engine::{Errands, Replay, Search, Seek, Session, Setup, Shells, Shown, Transport, Viewer};
use gloo::timers::callback::Interval;
use lessons::{Lesson, Problem};
use meta::{Duration, Time};
use protocol::lesson::LessonBegun;
use protocol::{Command, LessonOrder, Reply, Speed, Start, Subscription};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent};

/// A frame, in milliseconds of real time; the cluster may work for most of it.
const FRAME_MS: u32 = 16;
/// A page that does not say that it has seen an update gets the next one after this long all the same.
const UNSEEN_MAX_MS: f64 = 1000.0;
/// Milliseconds between two words about how far a replay has come.
const PROGRESS_MS: f64 = 100.0;
/// Milliseconds of a frame for questions whose answers take long.
const ERRANDS_MS: f64 = 8.0;
/// Milliseconds between two looks at a lesson's checks.
const LOOK_MS: f64 = 200.0;
/// A tab in the background is throttled; more real time than this at once is not made up for.
const CATCH_UP_MAX: Duration = Duration::from_millis(250);

enum State {
    /// Nothing was started yet, or it could not be.
    Empty,
    Replaying(Box<Replay>),
    Live(Box<Session>),
}

struct Shell {
    scope: DedicatedWorkerGlobalScope,
    state: State,
    transport: Transport,
    /// The next scheduling decision is looked for.
    search: Option<Search>,
    errands: Errands,
    /// The lesson under way, and when its checks were last looked at.
    course: Option<Course>,
    looked_ms: f64,
    /// A lesson that goes on when its session has come back.
    waiting: Option<(Rc<Lesson>, u32)>,
    shells: Shells,
    viewer: Viewer,
    replies: Vec<Reply>,
    last_tick_ms: f64,
    told_ms: f64,
    /// When the last update was sent, until the page says that it has seen it.
    unseen_since: Option<f64>,
}

pub fn start() {
    let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
    tell_panics();
    let shell = Rc::new(RefCell::new(Shell {
        last_tick_ms: now_ms(&scope),
        told_ms: 0.0,
        scope: scope.clone(),
        state: State::Empty,
        transport: Transport::default(),
        search: None,
        errands: Errands::default(),
        course: None,
        looked_ms: 0.0,
        waiting: None,
        shells: Shells::default(),
        viewer: Viewer::new(Subscription::default()),
        replies: Vec::new(),
        unseen_since: None,
    }));
    let on_message = {
        let shell = shell.clone();
        Closure::<dyn FnMut(MessageEvent)>::new(move |e: MessageEvent| {
            let text = e.data().as_string().unwrap_or_default();
            shell.borrow_mut().receive(&text);
        })
    };
    scope.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget();
    Interval::new(FRAME_MS, move || shell.borrow_mut().frame()).forget();
    // The page waits for this before its first command: messages sent earlier would be lost.
    let _ = scope.post_message(&JsValue::from_str("\"ready\""));
}

/// A panic ends the module with a bare trap. Its words go out before, so that the page can show them.
fn tell_panics() {
    std::panic::set_hook(Box::new(|info| {
        let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
        let text = serde_json::to_string(&format!("panic: {info}")).unwrap_or_default();
        let _ = scope.post_message(&JsValue::from_str(&text));
    }));
}

pub fn now_ms(scope: &DedicatedWorkerGlobalScope) -> f64 {
    scope.performance().map_or(0.0, |p| p.now())
}

impl Shell {
    fn receive(&mut self, text: &str) {
        let began = now_ms(&self.scope);
        match serde_json::from_str::<Command>(text) {
            Ok(command) => {
                self.handle(command);
                self.rest(began);
            }
            Err(e) => self.replies.push(Reply::Refused { message: format!("the message cannot be read: {e}") }),
        }
        self.flush();
    }

    /// Tells the session what has been done since `began`.
    fn rest(&mut self, began: f64) {
        let work = Duration(((now_ms(&self.scope) - began).max(0.0) * 1000.0) as u64);
        match &mut self.state {
            State::Live(session) => session.rest(work),
            State::Replaying(replay) => replay.rest(work),
            State::Empty => {}
        }
    }

    fn handle(&mut self, command: Command) {
        // These do not need a cluster: a page that is reloaded sends them before it starts one.
        match command {
            Command::Start(start) => self.begin(start),
            Command::Run => {
                (self.transport.running, self.search) = (true, None);
                if let State::Live(session) = &mut self.state
                    && !session.is_travelling()
                {
                    session.debugger.go_on(&mut session.cluster);
                }
            }
            Command::Pause => {
                (self.transport.running, self.search) = (false, None);
                if let State::Live(session) = &mut self.state {
                    session.stop_waiting();
                }
            }
            Command::SetSpeed { speed } => self.transport.speed = speed,
            Command::Subscribe(s) => self.viewer.subscribe(s),
            Command::Seen => self.unseen_since = None,
            change => self.change(change),
        }
    }

    /// What only a cluster can carry out.
    fn change(&mut self, command: Command) {
        let State::Live(session) = &mut self.state else { return };
        let (cluster, debugger) = session.shown_mut();
        if let Some(replies) = self.errands.take(cluster, debugger, &command) {
            return self.replies.extend(replies);
        }
        // The cluster is not any more the one that was searched; what the page keeps of it on the side changes nothing.
        if !matches!(command, Command::Save { .. } | Command::Share { .. } | Command::Compare { .. }) {
            self.search = None;
        }
        match command {
            Command::Shell(said) => self.shells.take(&mut **session, said),
            Command::Time { id, order } => {
                let error = session.order(&mut self.transport, &order).err();
                self.replies.push(Reply::Done { id, error });
            }
            Command::Compare { id, branch } => self.replies.push(session.compare(id, branch)),
            Command::Step | Command::StepDecision if session.is_travelling() => {
                session.step_past(&mut self.transport, command == Command::StepDecision);
            }
            Command::Step => {
                self.transport.running = false;
                // While a cycle is held, that is the turn to take.
                if !session.debugger.finish(&mut session.cluster) {
                    self.transport.step(&mut session.cluster);
                }
            }
            Command::StepDecision => {
                self.transport.running = false;
                session.debugger.finish(&mut session.cluster);
                self.search = Some(Search::new(&session.cluster));
                self.seek();
            }
            Command::Share { id } => self.replies.push(match session.save() {
                Ok(session) => Reply::Session { id, session: engine::session::pack(&session) },
                Err(e) => Reply::Done { id, error: Some(e) },
            }),
            Command::Save { id } => self.replies.push(match session.save() {
                Ok(session) => Reply::Session { id, session },
                Err(e) => Reply::Done { id, error: Some(e) },
            }),
            Command::Lesson { order, .. } => match (order, &mut self.course) {
                (LessonOrder::Show, Some(course)) => course.show(),
                (LessonOrder::Answered, Some(course)) => course.answer(),
                (LessonOrder::Leave, _) => self.course = None,
                (_, None) => {}
            },
            change => self.replies.extend(session.act(change)),
        }
    }

    /// The lesson that the page starts a cluster for; `None` when there is none, or it cannot be read.
    fn lesson(&mut self, start: &Start) -> Option<Rc<Lesson>> {
        match Lesson::read(&start.lesson.as_ref()?.text) {
            Ok(lesson) => Some(Rc::new(lesson)),
            Err(problems) => {
                self.no_lesson(problems);
                None
            }
        }
    }

    fn no_lesson(&mut self, problems: Vec<Problem>) {
        self.replies.push(Reply::LessonBegun(LessonBegun { text: None, problems: diagnostics(problems) }));
    }

    fn teach(&mut self, course: Course) {
        let text = Some(Box::new(course.lesson.text()));
        self.replies.push(Reply::LessonBegun(LessonBegun { text, problems: Vec::new() }));
        self.replies.push(Reply::Lesson(course.state().clone()));
        self.course = Some(course);
    }

    /// Looks at the lesson's checks now and then.
    fn look(&mut self, now: f64) {
        let (Some(course), State::Live(session)) = (&mut self.course, &mut self.state) else { return };
        if now - self.looked_ms >= LOOK_MS {
            self.looked_ms = now;
            if course.look(session) {
                self.replies.push(Reply::Lesson(course.state().clone()));
            }
        }
    }

    fn begin(&mut self, start: Start) {
        if start.version != protocol::VERSION {
            let message = format!("the page speaks version {}, the engine {}", start.version, protocol::VERSION);
            self.replies.push(Reply::Refused { message });
            return;
        }
        (self.course, self.waiting) = (None, None);
        let lesson = self.lesson(&start);
        let done = start.lesson.as_ref().map_or(0, |l| l.done);
        let replay = start.session.as_deref().map(Replay::new);
        self.state = match replay {
            Some(Ok(replay)) => {
                self.waiting = lesson.map(|l| (l, done));
                State::Replaying(Box::new(replay))
            }
            Some(Err(message)) => {
                self.replies.push(Reply::Refused { message });
                self.fresh(&start, lesson)
            }
            None => self.fresh(&start, lesson),
        };
        self.errands.clear();
        self.shells = Shells::default();
        self.viewer = Viewer::new(start.subscription);
        self.last_tick_ms = now_ms(&self.scope);
    }

    fn fresh(&mut self, start: &Start, lesson: Option<Rc<Lesson>>) -> State {
        if let Some(lesson) = lesson {
            match Course::begin(lesson, start.seed, Time(start.now)) {
                Ok((session, course)) => {
                    self.teach(course);
                    return State::Live(Box::new(session));
                }
                Err(problem) => self.no_lesson(vec![problem]),
            }
        }
        let setup = Setup {
            nodes: start.nodes,
            seed: start.seed,
            start: Time(start.now),
            cloud: start.cloud,
            control_plane_node: start.control_plane_node,
        };
        match Session::begin(setup) {
            Ok(session) => State::Live(Box::new(session)),
            Err(message) => {
                self.replies.push(Reply::Refused { message });
                State::Empty
            }
        }
    }

    fn frame(&mut self) {
        let began = now_ms(&self.scope);
        let elapsed = Duration(((began - self.last_tick_ms).max(0.0) * 1000.0) as u64).min(CATCH_UP_MAX);
        self.last_tick_ms = began;
        self.replay(began);
        self.seek();
        self.rest(began);
        let began = now_ms(&self.scope);
        if let State::Live(session) = &mut self.state {
            let mut budget = Budget::new(&self.scope);
            let shells = &mut self.shells;
            let said = session.tick(&mut self.transport, elapsed, |present| {
                if let Some(session) = present
                    && shells.is_busy()
                {
                    shells.run(session);
                }
                budget.is_spent()
            });
            self.replies.extend(said);
            shells.run(&mut **session);
            let crashes = session.cluster.take_crashes();
            let work = now_ms(&self.scope) - began;
            session.rest(Duration((work.max(0.0) * 1000.0) as u64));
            self.replies.extend(crashes.into_iter().map(|(process, message)| Reply::Crashed { process, message }));
            // A step of an errand may be dear: the clock is looked at after each.
            let (scope, end) = (&self.scope, now_ms(&self.scope) + ERRANDS_MS);
            self.replies.extend(self.errands.run(session.shown().0, || now_ms(scope) > end));
        }
        self.look(began);
        self.flush();
    }

    fn replay(&mut self, now: f64) {
        let State::Replaying(replay) = &mut self.state else { return };
        let mut budget = Budget::new(&self.scope);
        if !replay.run(|| budget.is_spent()) {
            if now - self.told_ms > PROGRESS_MS {
                self.told_ms = now;
                let (done, of) = replay.progress();
                self.replies.push(Reply::Replaying { done, of });
            }
            return;
        }
        if let State::Replaying(replay) = std::mem::replace(&mut self.state, State::Empty) {
            let session = replay.finish();
            if let Some((lesson, done)) = self.waiting.take() {
                self.teach(Course::resume(lesson, done, &session));
            }
            self.state = State::Live(Box::new(session));
        }
    }

    fn seek(&mut self) {
        let (Some(search), State::Live(session)) = (self.search.take(), &mut self.state) else { return };
        let mut budget = Budget::new(&self.scope);
        match search.run(|| budget.is_spent()) {
            Seek::Found(cluster) => session.cluster = *cluster,
            Seek::NotYet(search) => self.search = Some(search),
            Seek::Nothing => self.replies.push(Reply::NoDecision),
        }
    }

    /// Says what is new, unless the page has still to see what was said last.
    fn flush(&mut self) {
        let now = now_ms(&self.scope);
        if self.unseen_since.is_some_and(|since| now - since < UNSEEN_MAX_MS) {
            return;
        }
        let speed = match self.transport.speed {
            Speed::Times(n) => n,
            Speed::Max => 0,
        };
        self.replies.extend(self.shells.replies());
        let running = self.transport.running;
        let shown = match &mut self.state {
            State::Live(session) => {
                session.debugger.sync(&mut session.cluster);
                let (cluster, debugger) = session.shown();
                let (time, rewinds) = (Some(session.time_view()), session.rewinds());
                Some(Shown { cluster, debugger, running, speed, time, rewinds })
            }
            _ => None,
        };
        let Some(update) = self.viewer.answer(shown, &mut self.replies) else { return };
        if let Ok(text) = serde_json::to_string(&update) {
            let _ = self.scope.post_message(&JsValue::from_str(&text));
            self.unseen_since = Some(now);
        }
    }
}
