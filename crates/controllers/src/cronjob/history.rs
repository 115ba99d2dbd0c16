//! Old Jobs of a CronJob. Models `cleanupFinishedJobs`.

use super::Sync;
use api::kinds::job::{has_condition, is_finished};
use k8s_openapi::api::batch::v1::Job;
use meta::Time;

impl Sync<'_> {
    pub fn clean_up(&mut self) {
        let ended = self.jobs.iter().copied().filter(|j| is_finished(j));
        let (failed, succeeded): (Vec<&Job>, Vec<&Job>) = ended.partition(|j| has_condition(j, "Failed"));
        self.keep_newest(succeeded, self.spec.successful_jobs_history_limit);
        self.keep_newest(failed, self.spec.failed_jobs_history_limit);
    }

    fn keep_newest(&mut self, mut jobs: Vec<&Job>, limit: Option<i32>) {
        let Some(limit) = limit else { return };
        let surplus = jobs.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
        let started = |j: &Job| j.status.as_ref().and_then(|s| s.start_time.as_ref()).map(Time::from_k8s);
        // A Job that never started is the newest.
        jobs.sort_by_key(|j| (started(j).is_none(), started(j), j.metadata.name.clone()));
        for j in jobs.into_iter().take(surplus) {
            self.delete(j);
        }
    }
}
