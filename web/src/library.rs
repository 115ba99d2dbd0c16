//! Where texts of lessons come from: beside the page, an address, or the reader's disk.

use crate::persist::once;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["kubottle", "lessons"], js_name = load, catch)]
    fn lessons_load(name: &str, done: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(js_namespace = ["kubottle", "lessons"], js_name = get, catch)]
    fn lessons_get(url: &str, done: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(js_namespace = ["kubottle", "lessons"], js_name = choose, catch)]
    fn lessons_choose(done: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(js_namespace = ["kubottle", "lessons"], js_name = save, catch)]
    fn lessons_save(name: &str, text: &str) -> Result<(), JsValue>;
}

/// A file beside the page.
pub fn load(name: &str, done: impl FnOnce(Result<String, String>) + 'static) {
    // A throw means the helper script is missing, which the editor shows already.
    let _ = lessons_load(name, &once(done));
}

pub fn get(url: &str, done: impl FnOnce(Result<String, String>) + 'static) {
    let _ = lessons_get(url, &once(done));
}

/// Empty when the reader chooses none.
pub fn choose(done: impl FnOnce(Result<String, String>) + 'static) {
    let _ = lessons_choose(&once(done));
}

pub fn save(name: &str, text: &str) {
    let _ = lessons_save(name, text);
}
