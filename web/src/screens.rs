//! The terminals' screens, which are xterm.js's: what shells say goes straight there, and not through the model.

use crate::views::yaml::js;
use protocol::ShellOutput;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    pub type Screen;
    #[wasm_bindgen(js_namespace = ["kubottle", "terminal"], js_name = create, catch)]
    pub fn create(parent: &web_sys::Element, options: &JsValue) -> Result<Screen, JsValue>;
    #[wasm_bindgen(js_namespace = ["kubottle"], js_name = loadTerminal, catch)]
    pub fn load() -> Result<js_sys::Promise, JsValue>;
    /// `{schemas, help}`, whatever becomes of it.
    #[wasm_bindgen(js_namespace = ["kubottle"], js_name = library, catch)]
    pub fn library() -> Result<js_sys::Promise, JsValue>;
    #[wasm_bindgen(method)]
    fn take(this: &Screen, output: &JsValue);
    #[wasm_bindgen(method)]
    fn restart(this: &Screen, words: &str);
    #[wasm_bindgen(method)]
    pub fn dress(this: &Screen, words: &JsValue);
    #[wasm_bindgen(method, js_name = screenReader)]
    pub fn screen_reader(this: &Screen, on: bool);
    #[wasm_bindgen(method)]
    fn focus(this: &Screen);
    #[wasm_bindgen(method)]
    pub fn destroy(this: &Screen);
}

#[derive(Default)]
struct Inner {
    open: BTreeMap<u64, Rc<Screen>>,
    /// The one that gets the focus once it is there.
    wanted: Option<u64>,
}

/// All of them, by the number of their shell.
#[derive(Clone, Default)]
pub struct Screens(Rc<RefCell<Inner>>);

/// There is one for all of the page's life.
impl PartialEq for Screens {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Screens {
    pub fn get(&self, number: u64) -> Option<Rc<Screen>> {
        self.0.borrow().open.get(&number).cloned()
    }
    pub fn put(&self, number: u64, screen: Screen) {
        self.0.borrow_mut().open.insert(number, Rc::new(screen));
        if self.0.borrow().wanted == Some(number) {
            self.focus(number);
        }
    }
    pub fn remove(&self, number: u64) -> Option<Rc<Screen>> {
        self.0.borrow_mut().open.remove(&number)
    }
    pub fn focus(&self, number: u64) {
        self.0.borrow_mut().wanted = Some(number);
        if let Some(screen) = self.get(number) {
            self.0.borrow_mut().wanted = None;
            screen.focus();
        }
    }
    pub fn take(&self, output: &ShellOutput) {
        if let Some(screen) = self.get(output.number) {
            screen.take(&js(output));
        }
    }
    /// The cluster is another one.
    pub fn restart(&self, words: &str) {
        let all: Vec<Rc<Screen>> = self.0.borrow().open.values().cloned().collect();
        all.iter().for_each(|s| s.restart(words));
    }
}
