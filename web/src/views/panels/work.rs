//! Jobs with their indexes, CronJobs with their next times, quotas with what is left of them.

use super::{link, meter, section};
use crate::ctx::Ctx;
use crate::format;
use protocol::panel::{CronPanel, IndexState, JobPanel, QuotaRow};
use yew::prelude::*;

pub fn job(ctx: &Ctx, job: &JobPanel) -> Html {
    let wanted = job.completions.unwrap_or(1).max(0);
    let share = if wanted == 0 { 1000 } else { i64::from(job.succeeded) * 1000 / i64::from(wanted) };
    let done = ctx.tf("panel.job.done", &[("n", &job.succeeded.to_string()), ("of", &wanted.to_string())]);
    let n = job.failed.to_string();
    let failed = match job.backoff_limit {
        Some(limit) => ctx.tf("panel.job.failed", &[("n", &n), ("limit", &limit.to_string())]),
        None => ctx.tf("panel.job.failed.unlimited", &[("n", &n)]),
    };
    let active = ctx.tf("panel.job.active", &[("n", &job.active.to_string()), ("of", &job.parallelism.to_string())]);
    let count = |state| job.indexes.iter().filter(|s| **s == state).count();
    section(
        ctx,
        "panel.job",
        "panel-job",
        html! {
            <>
                { meter(ctx.t("panel.job.progress"), done, u32::try_from(share).unwrap_or(1000).min(1000)) }
                <p class="panel-facts"><span>{ active }</span><span class={classes!((job.failed > 0).then_some("bad"))}>{ failed }</span>
                    if job.suspended { <span class="status warn">{ ctx.t("panel.suspended") }</span> }</p>
                if !job.indexes.is_empty() {
                    <ol class="indexes" aria-label={ctx.t("panel.job.indexes")} data-testid="job-indexes">
                        { for job.indexes.iter().enumerate().map(|(i, state)| {
                            let (code, word) = index_state(ctx, *state);
                            html! { <li key={i} class={code} data-state={code} title={format!("{i}: {word}")}><span aria-hidden="true">{ i }</span><span class="visually-hidden">{ format!("{i}: {word}") }</span></li> }
                        }) }
                    </ol>
                    <p class="panel-legend">{ for [IndexState::Succeeded, IndexState::Active, IndexState::Failed, IndexState::Waiting].into_iter().map(|s| {
                        let (code, word) = index_state(ctx, s);
                        html! { <span><i class={classes!("swatch", code)} aria-hidden="true" />{ word }<b class="num">{ count(s) }</b></span> }
                    }) }</p>
                }
            </>
        },
    )
}

fn index_state(ctx: &Ctx, state: IndexState) -> (&'static str, &'static str) {
    match state {
        IndexState::Waiting => ("waiting", ctx.t("panel.index.waiting")),
        IndexState::Active => ("active", ctx.t("panel.index.active")),
        IndexState::Succeeded => ("succeeded", ctx.t("panel.index.succeeded")),
        IndexState::Failed => ("failed", ctx.t("panel.index.failed")),
    }
}

pub fn cron(ctx: &Ctx, cron: &CronPanel) -> Html {
    let now = ctx.model.get().clock.now;
    section(
        ctx,
        "panel.cron",
        "panel-cron",
        html! {
            <>
                <p class="panel-facts"><code>{ cron.schedule.clone() }</code><span>{ cron.zone.clone() }</span>
                    if cron.suspended { <span class="status warn">{ ctx.t("panel.suspended") }</span> }</p>
                if !cron.error.is_empty() { <p class="error">{ cron.error.clone() }</p> }
                <ol class={classes!("next-times", cron.suspended.then_some("off"))} data-testid="cron-next">
                    { for cron.next.iter().map(|(at, clock)| html! {
                        <li key={*at}><span class="num">{ clock.replace('T', " ") }</span><small class="num">{ ctx.tf("panel.cron.in", &[("span", &format::span(at.saturating_sub(now)))]) }</small></li>
                    }) }
                </ol>
                if cron.next.is_empty() && cron.error.is_empty() { <p class="console-none">{ ctx.t("panel.cron.never") }</p> }
                if !cron.active.is_empty() { <p class="breadcrumb">{ ctx.t("panel.cron.active") }{ for cron.active.iter().map(|j| link(ctx, j)) }</p> }
            </>
        },
    )
}

pub fn quota(ctx: &Ctx, rows: &[QuotaRow]) -> Html {
    section(
        ctx,
        "panel.quota",
        "panel-quota",
        html! {
            <div class="meters">
                { for rows.iter().map(|r| meter(&r.resource, ctx.tf("panel.quota.used", &[("used", &r.used), ("hard", &r.hard)]), r.permille)) }
            </div>
        },
    )
}
