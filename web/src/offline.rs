//! The page without a network, and another version of it that is ready.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["kubottle", "offline"], js_name = keep, catch)]
    fn offline_keep(offer: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(js_namespace = ["kubottle", "offline"], js_name = renew, catch)]
    fn offline_renew() -> Result<(), JsValue>;
}

/// Keeps the page for when there is no network; `offer` is told of another version that is ready.
pub fn keep(offer: impl Fn() + 'static) {
    // It may be said more than once, as long as the page is there.
    let _ = offline_keep(&Closure::<dyn Fn()>::new(offer).into_js_value());
}

/// Goes on with the other version.
pub fn renew() {
    let _ = offline_renew();
}
