//! Which time a CronJob is due for. Models `pkg/controller/cronjob/utils.go`.

use api::cron::Schedule;
use k8s_openapi::api::batch::v1::{CronJob, CronJobStatus};
use meta::{Duration, Time};

/// More missed times than this are told of.
const MANY: u64 = 100;

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// The latest time that has come and was not served.
    pub time: Option<Time>,
    /// The first time still to come.
    pub next: Option<Time>,
    pub too_many_missed: bool,
}

impl Due {
    /// Models `mostRecentScheduleTime` and `nextScheduleTimeDuration`.
    pub fn of(cj: &CronJob, status: &CronJobStatus, schedule: &Schedule, now: Time) -> Due {
        let created = cj.metadata.creation_timestamp.as_ref().map_or(now, Time::from_k8s);
        let last = status.last_schedule_time.as_ref().map_or(created, Time::from_k8s);
        let deadline = cj.spec.as_ref().and_then(|s| s.starting_deadline_seconds);
        let deadline = deadline.map(|d| Duration::from_secs(u64::try_from(d).unwrap_or(0)));
        let earliest = deadline.map_or(last, |d| last.max(Time(now.0.saturating_sub(d.0))));
        let next = schedule.next(now);
        let Some(first) = schedule.next(earliest).filter(|t| *t <= now) else {
            return Due { next, ..Due::default() };
        };
        let (mut time, mut missed) = (first, 1);
        while let Some(t) = schedule.next(time).filter(|t| *t <= now) {
            time = t;
            missed += 1;
        }
        // With a deadline, what was missed longer ago does not count.
        Due { time: Some(time), next, too_many_missed: missed > MANY }
    }
}

/// `Thu, 01 Jan 2026 00:00:00 +0000`, as Go's `time.RFC1123Z`.
pub fn rfc1123z(t: Time) -> String {
    let seconds = i64::try_from(t.as_micros() / 1_000_000).unwrap_or(0);
    let at = k8s_openapi::jiff::Timestamp::from_second(seconds).unwrap_or_default();
    at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}
