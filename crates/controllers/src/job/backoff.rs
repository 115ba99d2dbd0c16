//! How long a Job waits before it replaces failed pods. Models `pkg/controller/job/backoff_utils.go`.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use meta::{Duration, Time};

const FIRST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(600);

/// Failures since the last success.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
    last_failure: Option<Time>,
}

impl Backoff {
    /// With pods that ended since. Models `newBackoffRecord`.
    #[must_use]
    pub fn after(self, succeeded: &[&Pod], failed: &[&Pod]) -> Backoff {
        let ends = |pods: &[&Pod]| pods.iter().map(|p| finished_at(p)).collect::<Vec<_>>();
        let failures = ends(failed);
        match ends(succeeded).into_iter().max() {
            None if failures.is_empty() => self,
            None => Backoff {
                failures: self.failures + u32::try_from(failures.len()).unwrap_or(u32::MAX),
                last_failure: failures.into_iter().max(),
            },
            Some(success) => {
                let later: Vec<Time> = failures.into_iter().filter(|t| *t > success).collect();
                Backoff {
                    failures: u32::try_from(later.len()).unwrap_or(u32::MAX),
                    last_failure: later.into_iter().max(),
                }
            }
        }
    }

    pub fn remaining(self, now: Time) -> Duration {
        let Some(last) = self.last_failure else { return Duration::ZERO };
        remaining(self.failures, last, now)
    }
}

/// Ten seconds after the first failure, twice as long after each further one.
pub fn remaining(failures: u32, last: Time, now: Time) -> Duration {
    if failures == 0 {
        return Duration::ZERO;
    }
    let wait = Duration(FIRST.0.saturating_mul(1 << (failures - 1).min(16))).min(LONGEST);
    let until = last + wait;
    if until > now { until.since(now) } else { Duration::ZERO }
}

/// When a pod's containers had all ended; without them, when it was last ready, was deleted or created. Models
/// `getFinishedTime`.
pub fn finished_at(pod: &Pod) -> Time {
    let containers: &[ContainerStatus] =
        pod.status.as_ref().and_then(|s| s.container_statuses.as_deref()).unwrap_or_default();
    let ends = containers.iter().map(|c| {
        let t = c.state.as_ref()?.terminated.as_ref()?.finished_at.as_ref()?;
        Some(Time::from_k8s(t))
    });
    let last = ends.collect::<Option<Vec<Time>>>().and_then(|ends| ends.into_iter().max());
    let unready = crate::pods::condition(pod, "Ready").filter(|c| c.status == "False");
    let unready = || unready.and_then(|c| c.last_transition_time.as_ref().map(Time::from_k8s));
    let deleted = || {
        let at = Time::from_k8s(pod.metadata.deletion_timestamp.as_ref()?);
        let grace = u64::try_from(pod.metadata.deletion_grace_period_seconds.unwrap_or(0)).unwrap_or(0);
        Some(Time(at.0.saturating_sub(Duration::from_secs(grace).0)))
    };
    let created = || pod.metadata.creation_timestamp.as_ref().map_or(Time(0), Time::from_k8s);
    last.or_else(unready).or_else(deleted).unwrap_or_else(created)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{at, pod, rfc3339};
    use serde_json::json;

    fn ended(secs: u64) -> Pod {
        let state = json!({"terminated": {"exitCode": 1, "finishedAt": rfc3339(secs)}});
        let status =
            json!({"name": "c", "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": state});
        serde_json::from_value(pod("a", None, json!({"status": {"containerStatuses": [status]}}))).expect("a pod")
    }

    #[test]
    fn failures_count_from_the_last_success() {
        let (a, b, c) = (ended(10), ended(20), ended(30));
        let two = Backoff::default().after(&[], &[&a, &b]);
        assert_eq!(two, Backoff { failures: 2, last_failure: Some(at(20)) });
        assert_eq!(two.after(&[], &[]), two);
        assert_eq!(two.after(&[&c], &[]), Backoff::default());
        assert_eq!(two.after(&[&b], &[&a, &c]), Backoff { failures: 1, last_failure: Some(at(30)) });
    }

    #[test]
    fn the_wait_doubles_up_to_ten_minutes() {
        let waits = [0, 1, 2, 3, 6, 7, 40].map(|n| remaining(n, at(0), at(0)).as_secs());
        assert_eq!(waits, [0, 10, 20, 40, 320, 600, 600]);
        assert_eq!(remaining(1, at(0), at(4)), Duration::from_secs(6));
        assert_eq!(remaining(1, at(0), at(11)), Duration::ZERO);
    }
}
