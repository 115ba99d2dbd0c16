//! The loop: messages come in at any time, time passes in frames.

use engine::{Session, Transport, Viewer};
use gloo::timers::callback::Interval;
use meta::{Duration, Time};
use protocol::{Command, Reply, Speed, Start, Update};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent};

/// A frame, in milliseconds of real time; the cluster may work for most of it.
const FRAME_MS: u32 = 16;
const BUDGET_MS: f64 = 11.0;
/// A tab in the background is throttled; more real time than this at once is not made up for.
const CATCH_UP_MAX: Duration = Duration::from_millis(250);

struct Shell {
    scope: DedicatedWorkerGlobalScope,
    session: Option<Session>,
    transport: Transport,
    viewer: Viewer,
    replies: Vec<Reply>,
    last_tick_ms: f64,
}

pub fn start() {
    let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
    let shell = Rc::new(RefCell::new(Shell {
        last_tick_ms: now_ms(&scope),
        scope: scope.clone(),
        session: None,
        transport: Transport::default(),
        viewer: Viewer::new(protocol::Subscription::default()),
        replies: Vec::new(),
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

fn now_ms(scope: &DedicatedWorkerGlobalScope) -> f64 {
    scope.performance().map_or(0.0, |p| p.now())
}

impl Shell {
    fn receive(&mut self, text: &str) {
        match serde_json::from_str::<Command>(text) {
            Ok(command) => self.handle(command),
            Err(e) => self.replies.push(Reply::Refused { message: format!("the message cannot be read: {e}") }),
        }
        self.flush();
    }

    fn handle(&mut self, command: Command) {
        let Some(session) = &mut self.session else {
            if let Command::Start(start) = command {
                self.begin(start);
            }
            return;
        };
        match command {
            Command::Start(start) => self.begin(start),
            Command::Run => self.transport.running = true,
            Command::Pause => self.transport.running = false,
            Command::Step => {
                self.transport.running = false;
                self.transport.step(&mut session.cluster);
            }
            Command::StepDecision => {
                self.transport.running = false;
                self.transport.step_decision(&mut session.cluster);
            }
            Command::SetSpeed { speed } => self.transport.speed = speed,
            Command::Subscribe(s) => self.viewer.subscribe(s),
            Command::Save { id } => self.replies.push(match session.save() {
                Ok(session) => Reply::Session { id, session },
                Err(e) => Reply::Done { id, error: Some(e) },
            }),
            change => self.replies.extend(session.act(change)),
        }
    }

    fn begin(&mut self, start: Start) {
        if start.version != protocol::VERSION {
            let message = format!("the page speaks version {}, the engine {}", start.version, protocol::VERSION);
            self.replies.push(Reply::Refused { message });
            return;
        }
        let fresh = |start: &Start| Session::new(start.nodes, start.seed, Time(start.now));
        let session = match &start.session {
            Some(text) => Session::load(text).or_else(|message| {
                self.replies.push(Reply::Refused { message });
                fresh(&start)
            }),
            None => fresh(&start),
        };
        match session {
            Ok(s) => self.session = Some(s),
            Err(message) => self.replies.push(Reply::Refused { message }),
        }
        self.viewer = Viewer::new(start.subscription);
        self.last_tick_ms = now_ms(&self.scope);
    }

    fn frame(&mut self) {
        let began = now_ms(&self.scope);
        let elapsed = Duration(((began - self.last_tick_ms).max(0.0) * 1000.0) as u64).min(CATCH_UP_MAX);
        self.last_tick_ms = began;
        let scope = &self.scope;
        if let Some(session) = &mut self.session {
            let mut turns = 0u32;
            self.transport.tick(&mut session.cluster, elapsed, || {
                turns += 1;
                // Asking the clock costs more than a turn does.
                turns.is_multiple_of(16) && now_ms(scope) - began > BUDGET_MS
            });
            let crashes = session.cluster.take_crashes();
            self.replies.extend(crashes.into_iter().map(|(process, message)| Reply::Crashed { process, message }));
        }
        self.flush();
    }

    fn flush(&mut self) {
        let speed = match self.transport.speed {
            Speed::Times(n) => n,
            Speed::Max => 0,
        };
        let update = match &self.session {
            Some(s) => self.viewer.update(&s.cluster, self.transport.running, speed),
            None => None,
        };
        if update.is_none() && self.replies.is_empty() {
            return;
        }
        let mut update = update.unwrap_or_else(Update::default);
        update.replies = std::mem::take(&mut self.replies);
        if let Ok(text) = serde_json::to_string(&update) {
            let _ = self.scope.post_message(&JsValue::from_str(&text));
        }
    }
}
