//! The wire to an engine: JSON texts of [`Command`]s out, of [`Update`]s in. The engine is a Web Worker, or a
//! kubottle server's WebSocket.
//!
//! A worker posts `"ready"` (a JSON string) once it listens; commands sent before wait for it. Should it panic, it posts
//! the panic's words before it goes. A page in one file sets `window.kubottleWorker`, a function that returns the Worker.
//!
//! Updates are handed on at the next frame, all that have come by then; a page in the background, which has no frames,
//! gets them at once. The worker is told that they were seen, and sends the next one only then.

use crate::persist::words;
use crate::ui::EngineKind;
use gloo::render::{AnimationFrame, request_animation_frame};
use protocol::{Command, Update};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{CloseEvent, ErrorEvent, MessageEvent, WebSocket, Worker};
use yew::Callback;

const WORKER: &str = "./worker_loader.js";
const SOCKET: &str = "/kubottle/ws";
/// Beside updates, what a worker posts.
const READY: &str = "\"ready\"";
const PANIC: &str = "\"panic: ";

pub enum Event {
    Update(Box<Update>),
    /// The engine is gone: it crashed, could not be loaded, or the connection broke.
    Broken(String),
}

enum Wire {
    Worker(Worker),
    Socket(WebSocket),
}

/// `None` once the engine listens.
type Waiting = Rc<RefCell<Option<Vec<String>>>>;

pub struct Engine {
    wire: Rc<Wire>,
    waiting: Waiting,
    _inbox: Rc<RefCell<Inbox>>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(JsValue)>,
    _on_open: Closure<dyn FnMut()>,
}

/// Updates that wait for the next frame.
#[derive(Default)]
struct Inbox {
    texts: VecDeque<String>,
    frame: Option<AnimationFrame>,
}

/// Hands on what has come, oldest first.
fn deliver(inbox: &RefCell<Inbox>, wire: &Wire, on: &Callback<Event>) {
    let texts = {
        let mut inbox = inbox.borrow_mut();
        inbox.frame = None;
        std::mem::take(&mut inbox.texts)
    };
    for text in texts {
        on.emit(match serde_json::from_str::<Update>(&text) {
            Ok(update) => Event::Update(Box::new(update)),
            Err(error) => Event::Broken(format!("protocol: {error}")),
        });
    }
    if matches!(wire, Wire::Worker(_))
        && let Ok(seen) = serde_json::to_string(&Command::Seen)
    {
        let _ = wire.post(&seen);
    }
}

impl Wire {
    fn post(&self, text: &str) -> Result<(), JsValue> {
        match self {
            Wire::Worker(worker) => worker.post_message(&text.into()),
            Wire::Socket(socket) => socket.send_with_str(text),
        }
    }
}

fn flush(wire: &Wire, waiting: &Waiting) {
    for text in waiting.borrow_mut().take().unwrap_or_default() {
        let _ = wire.post(&text);
    }
}

fn new_worker() -> Result<Worker, JsValue> {
    let made = js_sys::Reflect::get(&js_sys::global(), &"kubottleWorker".into())?;
    match made.dyn_ref::<js_sys::Function>() {
        Some(make) => make.call0(&JsValue::NULL)?.dyn_into(),
        None => Worker::new(WORKER),
    }
}

fn new_socket() -> Result<WebSocket, JsValue> {
    let location = web_sys::window().ok_or(JsValue::NULL)?.location();
    let scheme = if location.protocol()? == "https:" { "wss" } else { "ws" };
    WebSocket::new(&format!("{scheme}://{}{SOCKET}", location.host()?))
}

/// A server that serves this page says so: a `<meta name="kubottle-server">` in it, or `?server` in the address it
/// prints. Asking for it instead would be a failed request on every other host.
pub fn has_server() -> bool {
    let Some(window) = web_sys::window() else { return false };
    let marked = |d: web_sys::Document| d.query_selector("meta[name=kubottle-server]").is_ok_and(|m| m.is_some());
    let asked = window.location().search().unwrap_or_default();
    window.document().is_some_and(marked) || asked.trim_start_matches('?').split('&').any(|part| part == "server")
}

fn broken_words(event: &JsValue) -> String {
    if let Some(close) = event.dyn_ref::<CloseEvent>() {
        return format!("WebSocket {} {}", close.code(), close.reason());
    }
    if let Some(error) = event.dyn_ref::<ErrorEvent>().filter(|e| !e.message().is_empty()) {
        return error.message();
    }
    WORKER.to_string()
}

impl Engine {
    pub fn start(kind: EngineKind, on: Callback<Event>) -> Result<Engine, String> {
        let wire = match kind {
            EngineKind::Worker => new_worker().map(Wire::Worker),
            EngineKind::Server => new_socket().map(Wire::Socket),
        };
        let wire = Rc::new(wire.map_err(|e| words(&e))?);
        let waiting: Waiting = Rc::new(RefCell::new(Some(Vec::new())));
        let inbox = Rc::new(RefCell::new(Inbox::default()));
        let last_words = Rc::new(RefCell::new(None::<String>));
        let on_message = {
            let (wire, waiting, on, last_words) = (wire.clone(), waiting.clone(), on.clone(), last_words.clone());
            // Weak: the frame's closure lies in the inbox itself.
            let inbox = Rc::downgrade(&inbox);
            Closure::new(move |event: MessageEvent| {
                flush(&wire, &waiting);
                let Some(text) = event.data().as_string().filter(|t| t != READY) else { return };
                if text.starts_with(PANIC) {
                    *last_words.borrow_mut() = serde_json::from_str(&text).ok();
                    return;
                }
                let Some(box_) = inbox.upgrade() else { return };
                box_.borrow_mut().texts.push_back(text);
                if gloo::utils::document().hidden() {
                    deliver(&box_, &wire, &on);
                } else if box_.borrow().frame.is_none() {
                    let (inbox, wire, on) = (inbox.clone(), wire.clone(), on.clone());
                    let frame = request_animation_frame(move |_| {
                        if let Some(inbox) = inbox.upgrade() {
                            deliver(&inbox, &wire, &on);
                        }
                    });
                    box_.borrow_mut().frame = Some(frame);
                }
            })
        };
        let on_error = {
            let on = on.clone();
            Closure::new(move |event: JsValue| {
                let words = last_words.borrow_mut().take();
                on.emit(Event::Broken(words.unwrap_or_else(|| broken_words(&event))));
            })
        };
        let on_open = {
            let (wire, waiting) = (wire.clone(), waiting.clone());
            Closure::new(move || flush(&wire, &waiting))
        };
        match &*wire {
            Wire::Worker(worker) => {
                worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
                worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
            }
            Wire::Socket(socket) => {
                socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
                socket.set_onclose(Some(on_error.as_ref().unchecked_ref()));
                socket.set_onopen(Some(on_open.as_ref().unchecked_ref()));
            }
        }
        Ok(Engine { wire, waiting, _inbox: inbox, _on_message: on_message, _on_error: on_error, _on_open: on_open })
    }

    pub fn send(&self, command: &Command) {
        let Ok(text) = serde_json::to_string(command) else { return };
        if let Some(waiting) = self.waiting.borrow_mut().as_mut() {
            waiting.push(text);
            return;
        }
        let _ = self.wire.post(&text);
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        match &*self.wire {
            Wire::Worker(worker) => {
                worker.set_onmessage(None);
                worker.set_onerror(None);
                worker.terminate();
            }
            Wire::Socket(socket) => {
                socket.set_onmessage(None);
                socket.set_onclose(None);
                socket.set_onopen(None);
                let _ = socket.close();
            }
        }
    }
}
