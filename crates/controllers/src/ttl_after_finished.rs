//! ttl-after-finished-controller: deletes Jobs some time after their end. Models
//! `pkg/controller/ttlafterfinished`.

use crate::owner;
use api::Registered;
use k8s_openapi::api::batch::v1::Job;
use meta::{Duration, Key, Time};
use reconcile::{Controller, Cx, Intent, Outcome, Propagation, Watch, Write};
use trace::note;

#[derive(Clone, Default)]
pub struct TtlAfterFinished;

/// When a Job is to go. `None`: it is not over, or has no limit.
fn expires_at(job: &Job) -> Option<Time> {
    let ttl = job.spec.as_ref()?.ttl_seconds_after_finished?;
    let end = job.status.as_ref()?.conditions.iter().flatten();
    let end = end.into_iter().find(|c| matches!(c.type_.as_str(), "Complete" | "Failed") && c.status == "True")?;
    let end = Time::from_k8s(end.last_transition_time.as_ref()?);
    Some(end + Duration::from_secs(u64::try_from(ttl).unwrap_or(0)))
}

impl Controller for TtlAfterFinished {
    const NAME: &'static str = "ttl-after-finished-controller";

    fn watches() -> Vec<Watch> {
        vec![owner::watch_self(Job::KIND_REF)]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        let Some(job) = cx.view.get::<Job>(key).filter(|j| j.metadata.deletion_timestamp.is_none()) else { return out };
        let Some(at) = expires_at(job) else { return out };
        if at > cx.now {
            out.requeue(at.since(cx.now));
            return out;
        }
        if cx.recording {
            out.note(note!("job.ttl", name = job.metadata.name.as_deref().unwrap_or("")));
        }
        let mut delete = Intent::delete(job);
        if let Write::Delete { propagation, .. } = &mut delete.write {
            *propagation = Some(Propagation::Foreground);
        }
        out.push(delete);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, at, rfc3339};
    use serde_json::{Value, json};

    fn job(ttl: Option<i32>, condition: &str) -> Value {
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "pi", "namespace": "default", "uid": "u"},
               "spec": {"ttlSecondsAfterFinished": ttl, "template": {}},
               "status": {"conditions": [{"type": condition, "status": "True", "lastTransitionTime": rfc3339(10)}]}})
    }

    #[test]
    fn a_finished_job_goes_when_its_time_has_passed() {
        let cases = [
            (Some(5), "Complete", 14, "requeue after 1s\n"),
            (Some(5), "Failed", 15, "delete jobs default/pi\n"),
            (Some(0), "Complete", 10, "delete jobs default/pi\n"),
            (None, "Complete", 99, ""),
            (Some(5), "Suspended", 99, ""),
        ];
        for (ttl, condition, secs, want) in cases {
            let mut w = World::<TtlAfterFinished>::new([job(ttl, condition)]);
            w.now = at(secs);
            assert_eq!(w.acts("default/pi"), want, "{ttl:?} {condition} {secs}");
        }
    }
}
