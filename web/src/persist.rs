//! What the browser keeps: small things in localStorage, the session in IndexedDB.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::Cell;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["kubottle", "session"], js_name = load, catch)]
    fn session_load(key: &str, done: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(js_namespace = ["kubottle", "session"], js_name = save, catch)]
    fn session_save(key: &str, text: &str, done: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(js_namespace = ["kubottle", "session"], js_name = clear, catch)]
    fn session_clear(key: &str, done: &JsValue) -> Result<(), JsValue>;
}

const SESSION: &str = "worker";
/// What was there when a session from elsewhere was opened.
const BEFORE: &str = "worker-before";

thread_local! {
    static NOTHING: Cell<bool> = const { Cell::new(false) };
}

/// From now on nothing is kept, and nothing that was kept is known: an embedded page is not the learner's own.
pub fn keep_nothing() {
    NOTHING.set(true);
}

fn storage() -> Option<web_sys::Storage> {
    if NOTHING.get() {
        return None;
    }
    web_sys::window()?.local_storage().ok()?
}

pub fn load<T: DeserializeOwned>(key: &str) -> Option<T> {
    serde_json::from_str(&storage()?.get_item(key).ok()??).ok()
}

/// Errors: the browser's words, for a full or a forbidden storage.
pub fn store<T: Serialize>(key: &str, value: &T) -> Result<(), String> {
    if NOTHING.get() {
        return Ok(());
    }
    let text = serde_json::to_string(value).map_err(|e| e.to_string())?;
    let storage = storage().ok_or_else(|| "localStorage".to_string())?;
    storage.set_item(key, &text).map_err(|e| words(&e))
}

/// A JavaScript error's message.
pub fn words(error: &JsValue) -> String {
    js_sys::Reflect::get(error, &"message".into())
        .ok()
        .and_then(|m| m.as_string())
        .or_else(|| error.as_string())
        .unwrap_or_else(|| format!("{error:?}"))
}

pub fn once(done: impl FnOnce(Result<String, String>) + 'static) -> JsValue {
    Closure::once_into_js(move |text: JsValue, error: JsValue| {
        done(if error.is_undefined() || error.is_null() {
            Ok(text.as_string().unwrap_or_default())
        } else {
            Err(words(&error))
        });
    })
}

/// The saved session; empty when there is none.
pub fn load_session(done: impl FnOnce(Result<String, String>) + 'static) {
    if NOTHING.get() {
        return done(Ok(String::new()));
    }
    let done = once(done);
    if session_load(SESSION, &done).is_err() {
        let _ = js_sys::Function::from(done).call2(&JsValue::NULL, &"".into(), &JsValue::UNDEFINED);
    }
}

/// Keeps what is saved as the session before.
pub fn put_session_aside(done: impl FnOnce(Result<String, String>) + 'static) {
    load_session(move |session| {
        match &session {
            Ok(text) if !text.is_empty() => _ = session_save(BEFORE, text, &once(|_| ())),
            _ => {}
        }
        done(session);
    });
}

/// The session that [`put_session_aside`] kept; empty when there is none.
pub fn load_session_before(done: impl FnOnce(Result<String, String>) + 'static) {
    if NOTHING.get() {
        return done(Ok(String::new()));
    }
    let done = once(done);
    if session_load(BEFORE, &done).is_err() {
        let _ = js_sys::Function::from(done).call2(&JsValue::NULL, &"".into(), &JsValue::UNDEFINED);
    }
}

pub fn save_session(text: &str, done: impl FnOnce(Result<String, String>) + 'static) {
    if NOTHING.get() {
        return done(Ok(String::new()));
    }
    // A throw means the helper script is missing, which the editor shows already.
    let _ = session_save(SESSION, text, &once(done));
}

pub fn clear_session() {
    if NOTHING.get() {
        return;
    }
    let _ = session_clear(SESSION, &once(|_| ()));
}
