//! An autoscaler: what it measures, what it wants, and both over time.

use super::{link, section};
use crate::ctx::Ctx;
use crate::format;
use protocol::panel::AutoscalerPanel;
use yew::prelude::*;

/// The drawing's own units.
const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 90.0;

pub fn autoscaler(ctx: &Ctx, a: &AutoscalerPanel) -> Html {
    let (now, epoch) = {
        let clock = &ctx.model.get().clock;
        (clock.now, clock.epoch)
    };
    let n = |n: i32| n.to_string();
    section(
        ctx,
        "panel.hpa",
        "panel-hpa",
        html! {
            <>
                <p class="panel-facts"><strong class="num">{ ctx.tf("panel.hpa.replicas", &[("current", &n(a.current)), ("desired", &n(a.desired))]) }</strong>
                    <span>{ ctx.tf("panel.hpa.range", &[("min", &n(a.min)), ("max", &n(a.max))]) }</span></p>
                if let Some(target) = &a.target { <p class="breadcrumb">{ ctx.t("panel.hpa.scales") }{ link(ctx, target) }</p> }
                <table class="console-table"><thead><tr><th scope="col">{ ctx.t("panel.hpa.metric") }</th><th scope="col" class="num">{ ctx.t("panel.hpa.current") }</th><th scope="col" class="num">{ ctx.t("panel.hpa.target") }</th></tr></thead>
                    <tbody>{ for a.metrics.iter().map(|(name, is, wanted)| html! {
                        <tr><th scope="row">{ name.clone() }</th><td class="num">{ if is.is_empty() { ctx.t("panel.hpa.unknown").to_string() } else { is.clone() } }</td><td class="num">{ wanted.clone() }</td></tr>
                    }) }</tbody></table>
                if let Some((first, ..)) = a.curve.first() {
                    <figure class="curve">
                        <svg viewBox={format!("0 0 {WIDTH} {HEIGHT}")} role="img" aria-label={ctx.t("panel.hpa.curve")} preserveAspectRatio="none">
                            { for [a.min, a.max].into_iter().map(|line| { let y = y_of(line, a); html! { <line class="bound" x1="0" x2={WIDTH.to_string()} y1={format!("{y:.1}")} y2={format!("{y:.1}")} /> } }) }
                            <polyline class="desired" points={steps(a, now, |p| p.2)} />
                            <polyline class="current" points={steps(a, now, |p| p.1)} />
                        </svg>
                        <figcaption><span class="num">{ format::moment(*first, epoch) }</span><span><i class="swatch current" aria-hidden="true" />{ ctx.t("panel.hpa.is") }</span><span><i class="swatch desired" aria-hidden="true" />{ ctx.t("panel.hpa.wanted") }</span><span class="num">{ format::moment(now, epoch) }</span></figcaption>
                    </figure>
                }
            </>
        },
    )
}

fn y_of(replicas: i32, a: &AutoscalerPanel) -> f64 {
    let top = a.curve.iter().map(|p| p.1.max(p.2)).chain([a.max, 1]).max().unwrap_or(1);
    HEIGHT - 4.0 - f64::from(replicas) / f64::from(top) * (HEIGHT - 8.0)
}

/// Each value holds until the next change, and the last until now.
fn steps(a: &AutoscalerPanel, now: u64, of: impl Fn(&(u64, i32, i32)) -> i32) -> String {
    let Some(begin) = a.curve.first().map(|p| p.0) else { return String::new() };
    let span = now.saturating_sub(begin).max(1) as f64;
    let x = |t: u64| t.saturating_sub(begin) as f64 / span * WIDTH;
    let mut out = String::new();
    let mut before = None;
    for p in &a.curve {
        let (x, y) = (x(p.0), y_of(of(p), a));
        if let Some(before) = before {
            out.push_str(&format!("{x:.1},{before:.1} "));
        }
        out.push_str(&format!("{x:.1},{y:.1} "));
        before = Some(y);
    }
    if let Some(before) = before {
        out.push_str(&format!("{WIDTH:.1},{before:.1}"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_holds_until_it_changes_and_then_until_now() {
        let a = AutoscalerPanel { max: 4, curve: vec![(0, 1, 1), (50, 1, 4)], ..AutoscalerPanel::default() };
        assert_eq!(steps(&a, 100, |p| p.2), "0.0,65.5 160.0,65.5 160.0,4.0 320.0,4.0");
        assert_eq!(steps(&a, 100, |p| p.1), "0.0,65.5 160.0,65.5 160.0,65.5 320.0,65.5");
    }
}
