//! What applying the file would change: every object as it is and as it would be, side by side.

use super::yaml::js;
use crate::ctx::use_ctx;
use crate::ui::{Action, Applied};
use protocol::{ApplyMode, Difference};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use yew::prelude::*;

#[wasm_bindgen]
extern "C" {
    type Handle;
    #[wasm_bindgen(js_namespace = ["kubottle", "editor"], js_name = createDiff, catch)]
    fn create(parent: &web_sys::Element, options: &JsValue) -> Result<Handle, JsValue>;
    #[wasm_bindgen(method)]
    fn destroy(this: &Handle);
}

/// From this width in CSS pixels on, two texts fit side by side.
const WIDE: f64 = 900.0;

#[derive(PartialEq, Properties)]
pub struct Props {
    /// The dry run.
    pub applied: Option<Rc<Applied>>,
}

#[component]
pub fn Differences(p: &Props) -> Html {
    let ctx = use_ctx();
    let Some(applied) = p.applied.as_ref().filter(|a| a.mode == ApplyMode::DryRun) else { return Html::default() };
    let objects = applied.result.objects.iter();
    let apply = {
        let ctx = ctx.clone();
        Callback::from(move |_: MouseEvent| {
            ctx.act(Action::Overlay(None));
            ctx.act(Action::Apply(ApplyMode::Apply));
        })
    };
    html! {
        <div class="differences" data-testid="differences">
            <p class="about">{ ctx.t("differences.about") }</p>
            <div class="differences-list">
                { for objects.filter_map(|o| o.difference.as_ref().map(|d| html! {
                    <section>
                        <h3><code>{ format!("{}/{}", o.id.kind, o.id.name) }</code>{ " " }<small>{ ctx.t(if d.before.is_empty() { "differences.new" } else { "differences.changed" }) }</small></h3>
                        <SideBySide difference={d.clone()} />
                    </section>
                })) }
            </div>
            <div class="editor-actions"><button class="primary" data-testid="apply-differences" onclick={apply}>{ ctx.t("editor.apply") }</button></div>
        </div>
    }
}

#[derive(PartialEq, Properties)]
struct SideProps {
    difference: Difference,
}

#[component]
fn SideBySide(p: &SideProps) -> Html {
    let ctx = use_ctx();
    let place = use_node_ref();
    let broken = use_state(|| None::<String>);
    {
        let (place, broken) = (place.clone(), broken.clone());
        let labels = [ctx.t("differences.before"), ctx.t("differences.after")];
        use_effect_with(p.difference.clone(), move |d| {
            let mut handle = None;
            if let Some(element) = place.cast::<web_sys::Element>() {
                let unified = element.client_width() < WIDE as i32;
                let options =
                    serde_json::json!({"before": d.before, "after": d.after, "labels": labels, "unified": unified});
                match create(&element, &js(&options)) {
                    Ok(made) => handle = Some(made),
                    Err(why) => broken.set(Some(crate::persist::words(&why))),
                }
            }
            move || {
                if let Some(handle) = handle {
                    handle.destroy();
                }
            }
        });
    }
    html! {
        <div class="side-by-side" ref={place}>
            if let Some(why) = &*broken { <p class="error">{ ctx.tf("editor.broken", &[("why", why)]) }</p> }
        </div>
    }
}
