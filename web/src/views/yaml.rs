//! CodeMirror as a view: the page's own script makes it, this keeps it in step with its props.

use crate::ctx::use_ctx;
use serde::Serialize;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use yew::prelude::*;

#[wasm_bindgen]
extern "C" {
    type Handle;
    #[wasm_bindgen(js_namespace = ["kubottle", "editor"], js_name = create, catch)]
    fn create(parent: &web_sys::Element, options: &JsValue) -> Result<Handle, JsValue>;
    #[wasm_bindgen(method, js_name = setText)]
    fn set_text(this: &Handle, text: &str);
    #[wasm_bindgen(method, js_name = setDiagnostics)]
    fn set_diagnostics(this: &Handle, list: &JsValue);
    #[wasm_bindgen(method, js_name = goTo)]
    fn go_to(this: &Handle, line: u32, column: u32);
    #[wasm_bindgen(method, js_name = setLabel)]
    fn set_label(this: &Handle, label: &str);
    #[wasm_bindgen(method)]
    fn destroy(this: &Handle);
}

/// A mark in the text; lines and columns from 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mark {
    pub line: usize,
    pub column: usize,
    pub message: String,
    /// `error` or `warning`.
    pub severity: &'static str,
}

#[derive(PartialEq, Properties)]
pub struct Props {
    pub text: Rc<str>,
    pub label: AttrValue,
    pub testid: AttrValue,
    #[prop_or_default]
    pub read_only: bool,
    #[prop_or_default]
    pub marks: Vec<Mark>,
    /// A place to go to, and the number of the request.
    #[prop_or_default]
    pub go_to: Option<(u32, u32, u32)>,
    #[prop_or_default]
    pub on_change: Callback<Rc<str>>,
    #[prop_or_default]
    pub on_apply: Callback<()>,
}

/// A JavaScript value of anything serializable, through its JSON.
pub fn js(value: &impl Serialize) -> JsValue {
    serde_json::to_string(value).ok().and_then(|t| js_sys::JSON::parse(&t).ok()).unwrap_or(JsValue::UNDEFINED)
}

#[component]
pub fn Yaml(p: &Props) -> Html {
    let ctx = use_ctx();
    let place = use_node_ref();
    let handle = use_mut_ref(|| None::<Handle>);
    let broken = use_state(|| None::<String>);
    // The closures outlive renders, so they look up the newest callbacks.
    let callbacks = use_mut_ref(|| (Callback::noop(), Callback::noop()));
    *callbacks.borrow_mut() = (p.on_change.clone(), p.on_apply.clone());
    // What the editor said last: it need not be told its own text.
    let said = use_mut_ref(|| None::<Rc<str>>);
    {
        let (place, handle, callbacks, broken) = (place.clone(), handle.clone(), callbacks.clone(), broken.clone());
        let said = said.clone();
        let (text, label, read_only) = (p.text.clone(), p.label.clone(), p.read_only);
        use_effect_with((), move |()| {
            let changed = callbacks.clone();
            let on_change = Closure::<dyn Fn(String)>::new(move |text: String| {
                let on = changed.borrow().0.clone();
                let text: Rc<str> = text.into();
                *said.borrow_mut() = Some(text.clone());
                on.emit(text);
            });
            let on_apply = Closure::<dyn Fn()>::new(move || {
                let on = callbacks.borrow().1.clone();
                on.emit(());
            });
            let options = js_sys::Object::new();
            for (key, value) in [
                ("text", JsValue::from_str(&text)),
                ("label", JsValue::from_str(&label)),
                ("readOnly", JsValue::from_bool(read_only)),
                ("onChange", on_change.as_ref().clone()),
                ("onApply", on_apply.as_ref().clone()),
            ] {
                let _ = js_sys::Reflect::set(&options, &key.into(), &value);
            }
            if let Some(element) = place.cast::<web_sys::Element>() {
                match create(&element, &options) {
                    Ok(made) => *handle.borrow_mut() = Some(made),
                    Err(why) => broken.set(Some(crate::persist::words(&why))),
                }
            }
            move || {
                if let Some(handle) = handle.borrow_mut().take() {
                    handle.destroy();
                }
                drop((on_change, on_apply));
            }
        });
    }
    {
        let handle = handle.clone();
        use_effect_with(p.text.clone(), move |text| {
            let own = said.borrow().as_ref().is_some_and(|s| Rc::ptr_eq(s, text));
            if let Some(handle) = handle.borrow().as_ref().filter(|_| !own) {
                handle.set_text(text);
            }
        });
    }
    {
        let handle = handle.clone();
        // After the text, because its marks are placed in it.
        use_effect_with((p.marks.clone(), p.read_only), move |(marks, read_only)| {
            if let Some(handle) = handle.borrow().as_ref().filter(|_| !read_only) {
                handle.set_diagnostics(&js(marks));
            }
        });
    }
    {
        let handle = handle.clone();
        use_effect_with(p.label.clone(), move |label| {
            if let Some(handle) = &*handle.borrow() {
                handle.set_label(label);
            }
        });
    }
    use_effect_with(p.go_to, move |go_to| {
        if let (Some(handle), Some((line, column, _))) = (&*handle.borrow(), go_to) {
            handle.go_to(*line, *column);
        }
    });
    html! {
        <div class="yaml" ref={place} data-testid={p.testid.clone()}>
            if let Some(why) = &*broken { <p class="error">{ ctx.tf("editor.broken", &[("why", why)]) }</p> }
        </div>
    }
}
