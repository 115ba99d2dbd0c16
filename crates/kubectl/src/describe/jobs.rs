//! Jobs and CronJobs.

use super::events::{self, About};
use super::view::View;
use super::writer::{Writer, put};
use super::{Describer, parts, pods, show};
use crate::error::Error;

impl Describer<'_> {
    pub async fn job(&self, job: View<'_>) -> Result<String, Error> {
        let events = self.events(About::object("Job", job)).await;
        let mut w = self.writer();
        put!(w, 0, "Name:\t{}\n", job.name());
        put!(w, 0, "Namespace:\t{}\n", job.namespace());
        put!(w, 0, "Selector:\t{}\n", parts::selector(job.at("spec.selector")));
        parts::metadata(&mut w, job);
        parts::controlled_by(&mut w, job);
        spec(&mut w, job.at("spec"));
        progress(&mut w, job);
        pods::template(&mut w, job.at("spec.template"));
        events::write(&mut w, events);
        Ok(w.finish())
    }

    pub async fn cron_job(&self, cron: View<'_>) -> Result<String, Error> {
        let events = self.events(About::object("CronJob", cron)).await;
        let mut w = self.writer();
        parts::head(&mut w, cron);
        put!(w, 0, "Schedule:\t{}\n", cron.s("spec.schedule"));
        put!(w, 0, "Concurrency Policy:\t{}\n", cron.s("spec.concurrencyPolicy"));
        put!(w, 0, "Suspend:\t{}\n", show::yes_or_unset(cron.at("spec.suspend")));
        for (title, field, unit) in [
            ("Successful Job History Limit", "successfulJobsHistoryLimit", ""),
            ("Failed Job History Limit", "failedJobsHistoryLimit", ""),
            ("Starting Deadline Seconds", "startingDeadlineSeconds", "s"),
        ] {
            match cron.at("spec").at(field).opt() {
                Some(n) => put!(w, 0, "{title}:\t{}{unit}\n", n.int()),
                None => put!(w, 0, "{title}:\t<unset>\n"),
            }
        }
        template(&mut w, cron.at("spec.jobTemplate.spec"));
        match cron.at("status.lastScheduleTime").opt() {
            Some(at) => put!(w, 0, "Last Schedule Time:\t{}\n", show::time(at)),
            None => put!(w, 0, "Last Schedule Time:\t<unset>\n"),
        }
        put!(w, 0, "Active Jobs:\t");
        let active: Vec<&str> = cron.list("status.active").into_iter().map(|j| j.s("name")).collect();
        w.line(&if active.is_empty() { "<none>".into() } else { active.join(", ") });
        events::write(&mut w, events);
        Ok(w.finish())
    }
}

fn spec(w: &mut Writer, spec: View) {
    if let Some(n) = spec.at("parallelism").opt() {
        put!(w, 0, "Parallelism:\t{}\n", n.int());
    }
    match spec.at("completions").opt() {
        Some(n) => put!(w, 0, "Completions:\t{}\n", n.int()),
        None => put!(w, 0, "Completions:\t<unset>\n"),
    }
    if let Some(mode) = spec.at("completionMode").opt() {
        put!(w, 0, "Completion Mode:\t{}\n", mode.text());
    }
    if spec.has("suspend") {
        put!(w, 0, "Suspend:\t{}\n", spec.b("suspend"));
    }
    for (title, field) in [("Backoff Limit", "backoffLimit"), ("TTL Seconds After Finished", "ttlSecondsAfterFinished")]
    {
        if let Some(n) = spec.at(field).opt() {
            put!(w, 0, "{title}:\t{}\n", n.int());
        }
    }
}

fn progress(w: &mut Writer, job: View) {
    let (start, end) = (job.at("status.startTime"), job.at("status.completionTime"));
    if start.is_set() {
        put!(w, 0, "Start Time:\t{}\n", show::time(start));
    }
    if end.is_set() {
        put!(w, 0, "Completed At:\t{}\n", show::time(end));
    }
    if let (Some(from), Some(to)) = (show::micros(start), show::micros(end)) {
        put!(w, 0, "Duration:\t{}\n", show::human(to - from));
    }
    if let Some(n) = job.at("spec.activeDeadlineSeconds").opt() {
        put!(w, 0, "Active Deadline Seconds:\t{}s\n", n.int());
    }
    let ready = job.at("status.ready").opt().map_or(String::new(), |n| format!(" ({} Ready)", n.int()));
    let status = job.at("status");
    let (active, succeeded, failed) = (status.i("active"), status.i("succeeded"), status.i("failed"));
    put!(w, 0, "Pods Statuses:\t{active} Active{ready} / {succeeded} Succeeded / {failed} Failed\n");
    if job.s("spec.completionMode") == "Indexed" {
        put!(w, 0, "Completed Indexes:\t{}\n", indexes(status.s("completedIndexes")));
    }
}

/// The indexes, cut after the first comma from the fiftieth character on. Models `capIndexesListOrNone`.
fn indexes(all: &str) -> String {
    if all.is_empty() {
        return "<none>".into();
    }
    match all.char_indices().skip(50).find(|(_, c)| *c == ',') {
        Some((at, _)) => format!("{}...", &all[..=at]),
        None => all.to_string(),
    }
}

/// Models `describeJobTemplate`.
fn template(w: &mut Writer, spec: View) {
    match spec.at("selector").opt() {
        Some(s) => put!(w, 0, "Selector:\t{}\n", parts::selector(s)),
        None => put!(w, 0, "Selector:\t<unset>\n"),
    }
    for (title, field) in [("Parallelism", "parallelism"), ("Completions", "completions")] {
        match spec.at(field).opt() {
            Some(n) => put!(w, 0, "{title}:\t{}\n", n.int()),
            None => put!(w, 0, "{title}:\t<unset>\n"),
        }
    }
    if let Some(n) = spec.at("activeDeadlineSeconds").opt() {
        put!(w, 0, "Active Deadline Seconds:\t{}s\n", n.int());
    }
    pods::template(w, spec.at("template"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_indexes_are_cut_at_a_comma() {
        assert_eq!(indexes(""), "<none>");
        assert_eq!(indexes("0-3,7"), "0-3,7");
        let long = (0..40).map(|i| i.to_string()).collect::<Vec<_>>().join(",");
        assert_eq!(indexes(&long), "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,...");
    }
}
