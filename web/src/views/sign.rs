//! A pod's sign: shape, then mark, then colour. The hue and pattern mean the owner.

use crate::ctx::Ctx;
use crate::model::owners::{HUES, Tint};
use protocol::{PodState, PodView};
use yew::prelude::*;

/// The state's name in classes and in the catalogue (`pod.<name>`).
pub fn state_name(state: PodState) -> &'static str {
    match state {
        PodState::Pending => "pending",
        PodState::Gated => "gated",
        PodState::Creating => "creating",
        PodState::Running => "running",
        PodState::Ready => "ready",
        PodState::Terminating => "terminating",
        PodState::BackOff => "back-off",
        PodState::Failed => "failed",
        PodState::Succeeded => "succeeded",
    }
}

/// What a pointer resting on the sign, and a screen reader, are told.
pub fn label(ctx: &Ctx, pod: &PodView) -> String {
    let state = ctx.find(&format!("pod.{}", state_name(pod.state))).unwrap_or_default();
    let mut text = format!("{}/{} · {}", pod.namespace, pod.name, pod.status);
    if !pod.status.eq_ignore_ascii_case(state) && !state.is_empty() {
        text.push_str(&format!(" ({state})"));
    }
    if pod.restarts > 0 {
        text.push_str(&format!(" · {}", ctx.tf("pod.restarts", &[("n", &pod.restarts.to_string())])));
    }
    if !pod.message.is_empty() {
        text.push('\n');
        text.push_str(&pod.message);
    }
    text
}

/// The patterns that signs refer to; once in the page.
#[component]
pub fn SignDefs() -> Html {
    html! {
        <svg width="0" height="0" class="defs" aria-hidden="true">
            <defs>
                { for (0..HUES).map(|n| html! {
                    <pattern id={format!("hatch-{n}")} width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                        <line x1="1" y1="0" x2="1" y2="5" stroke={format!("var(--hue-{n})")} stroke-width="1.8" />
                    </pattern>
                }) }
                <pattern id="over-1" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)">
                    <line x1="1" y1="0" x2="1" y2="5" stroke="var(--sign-over)" stroke-width="1.6" />
                </pattern>
                <pattern id="over-2" width="5" height="5" patternUnits="userSpaceOnUse">
                    <circle cx="2.5" cy="2.5" r="1.1" fill="var(--sign-over)" />
                </pattern>
                <pattern id="over-3" width="5" height="5" patternUnits="userSpaceOnUse">
                    <path d="M0 1h5M1 0v5" stroke="var(--sign-over)" stroke-width="1" />
                </pattern>
            </defs>
        </svg>
    }
}

#[derive(PartialEq, Properties)]
pub struct Props {
    pub state: PodState,
    pub tint: Tint,
}

#[component]
pub fn Sign(p: &Props) -> Html {
    let hatch = format!("url(#hatch-{})", p.tint.hue);
    let over = (p.tint.pattern > 0).then(|| format!("url(#over-{})", p.tint.pattern));
    let box_ = |class: &'static str, fill: Option<String>| {
        html! { <rect class={class} x="3.5" y="3.5" width="17" height="17" rx="4.5" fill={fill} /> }
    };
    let solid = || {
        let over = over.clone().map(|fill| box_("over", Some(fill)));
        html! { <>{ box_("full", None) }{ for over }</> }
    };
    let triangle = html! { <path class="full" d="M12 5.2l7 12.6H5z" stroke-linejoin="round" /> };
    let body = match p.state {
        PodState::Pending => box_("dashed", None),
        PodState::Gated => html! { <>{ box_("dashed", None) }<path class="mark" d="M9.5 9v6M14.5 9v6" /></> },
        PodState::Creating => html! { <>{ box_("hatched", Some(hatch)) }{ box_("line", None) }</> },
        PodState::Running => html! {
            <><path class="full" d="M4 12h16v4a4 4 0 0 1-4 4H8a4 4 0 0 1-4-4z" />{ box_("line", None) }</>
        },
        PodState::Ready => solid(),
        PodState::Terminating => {
            html! { <><g class="faded">{ solid() }</g><path class="strike" d="M2.5 21.5l19-19" /></> }
        }
        PodState::BackOff => {
            html! { <><circle class="ring" cx="12" cy="13" r="10.2" />{ triangle }<path class="bang" d="M12 10v3.4M12 15.7h.01" /></> }
        }
        PodState::Failed => html! { <>{ triangle }<path class="bang" d="M10.4 12l3.2 3.2M13.6 12l-3.2 3.2" /></> },
        PodState::Succeeded => html! { <>{ box_("line", None) }<path class="tick" d="M7.5 12.5l3 3 6-6.5" /></> },
    };
    html! {
        <svg class={classes!("sign", format!("hue-{}", p.tint.hue), state_name(p.state))} viewBox="0 0 24 24" aria-hidden="true">{ body }</svg>
    }
}

#[derive(PartialEq, Properties)]
pub struct ChipProps {
    pub pod: std::rc::Rc<PodView>,
    /// With its (shortened) name beside it.
    pub named: bool,
    #[prop_or_default]
    pub selected: bool,
}

/// A pod's sign as a button that opens it in the inspector.
#[component]
pub fn PodChip(p: &ChipProps) -> Html {
    let ctx = crate::ctx::use_ctx();
    let pod = &p.pod;
    let tint = ctx.model.get().owners.tint(&pod.owner);
    let text = label(&ctx, pod);
    html! {
        <button class={classes!("pod", p.named.then_some("named"), p.selected.then_some("selected"))}
            data-testid={format!("pod-{}-{}", pod.namespace, pod.name)} data-state={state_name(pod.state)}
            title={text.clone()} aria-label={text} onclick={ctx.on_pod(&pod.namespace, &pod.name)}>
            <Sign state={pod.state} {tint} />
            if p.named { <span class="pod-name">{ crate::format::short_name(&pod.name, &pod.owner).to_string() }</span> }
        </button>
    }
}
