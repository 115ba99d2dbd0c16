//! "Everyone start from this state": the session as a file, a link and a QR code.

use super::icon::Icon;
use crate::address;
use crate::ctx::use_ctx;
use crate::ui::Action;
use qrcodegen::{QrCode, QrCodeEcc};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{Blob, HtmlAnchorElement, HtmlInputElement, Url};
use yew::prelude::*;

/// In the page's address, before a packed session.
const STATE: &str = "#state=";
/// Characters of a link whose code a phone still reads off a projector.
const QR_MAX: usize = 1800;
const FILE: &str = "cluster.kubottle";

/// The session in the page's address, which then leaves it: a reload goes on from where the learner is.
pub fn take_state() -> Option<String> {
    let window = gloo::utils::window();
    let location = window.location();
    let state = location.hash().ok()?.strip_prefix(STATE)?.to_string();
    if address::read().embed {
        // The way to the page in full keeps it.
        return Some(state);
    }
    let path = format!("{}{}", location.pathname().ok()?, location.search().ok()?);
    let _ = window.history().and_then(|h| h.replace_state_with_url(&JsValue::NULL, "", Some(&path)));
    Some(state)
}

fn link(session: &str) -> String {
    format!("{}{STATE}{session}", address::base())
}

/// What another page shows this one with.
fn frame(asked: &str) -> String {
    let src = format!("{}?embed{asked}", address::base());
    format!(
        "<iframe src=\"{src}\" width=\"100%\" height=\"560\" style=\"border:0\" loading=\"lazy\" title=\"Kubottle\"></iframe>"
    )
}

/// A line to copy from.
#[derive(PartialEq, Properties)]
struct CopyProps {
    text: String,
    label: AttrValue,
    testid: &'static str,
}

#[component]
fn CopyLine(p: &CopyProps) -> Html {
    let ctx = use_ctx();
    let copied = use_state(|| false);
    let copy = {
        let (text, copied) = (p.text.clone(), copied.clone());
        Callback::from(move |_: MouseEvent| {
            let window = gloo::utils::window();
            // Elsewhere there is no clipboard to write to; the line can be selected.
            if window.is_secure_context() {
                let _ = window.navigator().clipboard().write_text(&text);
                copied.set(true);
            }
        })
    };
    html! {
        <div class="share-link">
            <input readonly=true value={p.text.clone()} aria-label={p.label.clone()} data-testid={p.testid} />
            <button data-testid={format!("{}-copy", p.testid)} aria-label={format!("{}: {}", ctx.t("share.copy"), p.label)} onclick={copy}>{ ctx.t(if *copied { "share.copied" } else { "share.copy" }) }</button>
        </div>
    }
}

/// Black squares as one path, a unit each, with the margin that readers need.
fn qr(text: &str) -> Option<(i32, String)> {
    let code = QrCode::encode_text(text, QrCodeEcc::Low).ok()?;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            path.push_str(&format!("M{},{}h1v1h-1z", x + 4, y + 4));
        }
    }
    Some((code.size() + 8, path))
}

fn download(session: &str) -> Result<(), JsValue> {
    let parts = js_sys::Array::of1(&session.into());
    let url = Url::create_object_url_with_blob(&Blob::new_with_str_sequence(&parts)?)?;
    let a: HtmlAnchorElement = gloo::utils::document().create_element("a")?.unchecked_into();
    a.set_href(&url);
    a.set_download(FILE);
    a.click();
    Url::revoke_object_url(&url)
}

#[derive(PartialEq, Properties)]
pub struct Props {
    /// Packed; none until it is there.
    pub session: Option<Rc<str>>,
    /// The lesson under way, when it is one of those beside the page.
    pub lesson: Option<Rc<str>>,
}

#[component]
pub fn Share(p: &Props) -> Html {
    let ctx = use_ctx();
    let pick = use_node_ref();
    let onpick = {
        let ctx = ctx.clone();
        Callback::from(move |e: Event| {
            let input = e.target().and_then(|t| t.dyn_into::<HtmlInputElement>().ok());
            let Some(file) = input.and_then(|i| i.files()?.get(0)) else { return };
            let ctx = ctx.clone();
            let read = Closure::once_into_js(move |text: JsValue| {
                ctx.act(Action::OpenSession(text.as_string().unwrap_or_default()));
            });
            let text = file.text();
            let then = js_sys::Reflect::get(&text, &"then".into()).ok();
            if let Some(then) = then.and_then(|f| f.dyn_into::<js_sys::Function>().ok()) {
                let _ = then.call1(&text, &read);
            }
        })
    };
    let open = {
        let pick = pick.clone();
        Callback::from(move |_: MouseEvent| {
            if let Some(input) = pick.cast::<HtmlInputElement>() {
                input.click();
            }
        })
    };
    let body = p.session.as_ref().map(|session| {
        let link = link(session);
        let save = {
            let session = session.clone();
            Callback::from(move |_: MouseEvent| _ = download(&session))
        };
        let local = link.starts_with("file:");
        let code = if link.len() <= QR_MAX && !local { qr(&link) } else { None };
        let n = link.len().to_string();
        html! {
            <>
                <CopyLine text={link.clone()} label={ctx.t("share.link")} testid="share-link" />
                if let Some((size, path)) = code {
                    <svg class="qr" viewBox={format!("0 0 {size} {size}")} role="img" aria-label={ctx.t("share.qr")} data-testid="share-qr" shape-rendering="crispEdges"><path d={path} fill="#000" /></svg>
                } else {
                    <p>{ if local { ctx.t("share.local").to_string() } else { ctx.tf("share.long", &[("n", &n)]) } }</p>
                }
                if !local {
                    <p>{ ctx.t("share.embed.about") }</p>
                    <CopyLine text={frame(&format!("{STATE}{session}"))} label={ctx.t("share.embed")} testid="share-embed" />
                    if let Some(id) = &p.lesson {
                        <CopyLine text={frame(&format!("&lesson={id}"))} label={ctx.t("share.embed.lesson")} testid="share-embed-lesson" />
                    }
                }
                <button class="primary" data-testid="share-file" onclick={save}><Icon name="file" />{ ctx.t("share.file") }</button>
            </>
        }
    });
    html! {
        <div class="share">
            <p>{ ctx.t("share.about") }</p>
            { body.unwrap_or_else(|| html! { <p class="empty">{ ctx.t("share.wait") }</p> }) }
            <input ref={pick} type="file" accept=".kubottle,.json,.txt" hidden=true data-testid="share-pick" onchange={onpick} />
            <button data-testid="share-open-file" onclick={open}>{ ctx.t("share.open") }</button>
            <button class="text-button" data-testid="share-before" onclick={ctx.on(Action::SessionBefore)}>{ ctx.t("share.before") }</button>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_becomes_a_code_with_its_margin() {
        let (size, path) = qr("https://example.org/#state=k1.abc").unwrap();
        assert!(size > 21 + 8 && path.starts_with("M4,4h1v1h-1z"));
        assert!(qr(&"x".repeat(4000)).is_none());
    }
}
