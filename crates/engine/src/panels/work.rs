//! Jobs, CronJobs, quotas and autoscalers.

use super::id;
use crate::watched::Watched;
use api::cron::{self, Schedule};
use cluster::Cluster;
use k8s_openapi::api::autoscaling::v2::{
    HorizontalPodAutoscaler, MetricSpec, MetricStatus, MetricTarget, MetricValueStatus,
};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{Pod, ResourceQuota};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use meta::{Quantity, Time};
use protocol::panel::{AutoscalerPanel, CronPanel, IndexState, JobPanel, QuotaRow};

const INDEX: &str = "batch.kubernetes.io/job-completion-index";
/// Indexes that are drawn.
const INDEXES_MAX: usize = 1000;
const TIMES: usize = 5;

pub fn job(cluster: &Cluster, job: &Job) -> JobPanel {
    let (spec, status) = (job.spec.as_ref(), job.status.as_ref());
    let completions = spec.and_then(|s| s.completions);
    let indexed = spec.is_some_and(|s| s.completion_mode.as_deref() == Some("Indexed"));
    let mut indexes = Vec::new();
    if indexed {
        let count = usize::try_from(completions.unwrap_or(0)).unwrap_or(0).min(INDEXES_MAX);
        indexes = vec![IndexState::Waiting; count];
        let pods = cluster.view().controlled_by::<Pod>(job.metadata.uid.as_deref().unwrap_or(""));
        mark(&mut indexes, pods.filter(|p| !api::pods::is_terminal(p)).filter_map(index_of), IndexState::Active);
        let listed = |text: Option<&String>| text.map(|t| ranges(t)).unwrap_or_default();
        mark(&mut indexes, listed(status.and_then(|s| s.failed_indexes.as_ref())), IndexState::Failed);
        mark(&mut indexes, listed(status.and_then(|s| s.completed_indexes.as_ref())), IndexState::Succeeded);
    }
    JobPanel {
        completions,
        parallelism: spec.and_then(|s| s.parallelism).unwrap_or(1),
        active: status.and_then(|s| s.active).unwrap_or(0),
        succeeded: status.and_then(|s| s.succeeded).unwrap_or(0),
        failed: status.and_then(|s| s.failed).unwrap_or(0),
        backoff_limit: spec.filter(|s| s.backoff_limit_per_index.is_none()).and_then(|s| s.backoff_limit),
        suspended: spec.and_then(|s| s.suspend) == Some(true),
        indexes,
    }
}

fn mark(all: &mut [IndexState], which: impl IntoIterator<Item = usize>, state: IndexState) {
    for i in which {
        if let Some(at) = all.get_mut(i) {
            *at = state;
        }
    }
}

fn index_of(pod: &Pod) -> Option<usize> {
    pod.metadata.annotations.as_ref()?.get(INDEX)?.parse().ok()
}

/// `0-3,5`
fn ranges(text: &str) -> Vec<usize> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        Some(first..=last.min(INDEXES_MAX))
    };
    text.split(',').filter_map(range).flatten().collect()
}

pub fn cron_job(cluster: &Cluster, cron: &CronJob) -> CronPanel {
    let namespace = cron.metadata.namespace.as_deref().unwrap_or("");
    let Some(spec) = &cron.spec else { return CronPanel::default() };
    let name = spec.time_zone.as_deref().filter(|z| !z.is_empty()).unwrap_or("UTC");
    let mut panel = CronPanel {
        schedule: spec.schedule.clone(),
        zone: name.into(),
        suspended: spec.suspend == Some(true),
        active: (cron.status.iter().flat_map(|s| s.active.iter().flatten()))
            .map(|r| id("batch/v1", "Job", namespace, r.name.as_deref().unwrap_or("")))
            .collect(),
        ..CronPanel::default()
    };
    let read = cron::zone(name).and_then(|zone| Ok((Schedule::parse(&spec.schedule)?.in_zone(zone.clone()), zone)));
    match read {
        Ok((schedule, zone)) => {
            let mut at = cluster.now();
            while panel.next.len() < TIMES
                && let Some(next) = schedule.next(at)
            {
                panel.next.push((next.as_micros(), cron::in_zone(next, &zone)));
                at = next;
            }
        }
        Err(error) => panel.error = error,
    }
    panel
}

pub fn quota(quota: &ResourceQuota) -> Vec<QuotaRow> {
    let status = quota.status.as_ref();
    let hard = status.and_then(|s| s.hard.as_ref()).or_else(|| quota.spec.as_ref()?.hard.as_ref());
    let used = status.and_then(|s| s.used.as_ref());
    let row = |(resource, hard): (&String, &ApiQuantity)| {
        let used = used.and_then(|u| u.get(resource));
        let milli = |q: Option<&ApiQuantity>| q.map_or(0, |q| i128::from(Quantity::of(q).milli_value()));
        let (part, whole) = (milli(used), milli(Some(hard)));
        // Nothing allowed and nothing used is no excess.
        let permille = if whole > 0 {
            part * 1000 / whole
        } else if part > 0 {
            1001
        } else {
            0
        };
        QuotaRow {
            resource: resource.clone(),
            used: used.map_or_else(|| "0".into(), |q| q.0.clone()),
            hard: hard.0.clone(),
            permille: u32::try_from(permille.max(0)).unwrap_or(u32::MAX),
        }
    };
    hard.into_iter().flatten().map(row).collect()
}

pub fn autoscaler(hpa: &HorizontalPodAutoscaler, watched: &Watched) -> AutoscalerPanel {
    let namespace = hpa.metadata.namespace.as_deref().unwrap_or("");
    let Some(spec) = &hpa.spec else { return AutoscalerPanel::default() };
    let (current, desired) = replicas(hpa);
    let now = hpa.status.as_ref().and_then(|s| s.current_metrics.as_deref()).unwrap_or_default();
    let r = &spec.scale_target_ref;
    AutoscalerPanel {
        target: Some(id(r.api_version.as_deref().unwrap_or("v1"), &r.kind, namespace, &r.name)),
        min: spec.min_replicas.unwrap_or(1),
        max: spec.max_replicas,
        current,
        desired,
        metrics: spec.metrics.iter().flatten().map(|m| metric(m, now)).collect(),
        curve: watched.curve.iter().copied().collect(),
    }
}

/// Current and desired replicas.
pub fn replicas(hpa: &HorizontalPodAutoscaler) -> (i32, i32) {
    let status = hpa.status.as_ref();
    (status.and_then(|s| s.current_replicas).unwrap_or(0), status.map_or(0, |s| s.desired_replicas))
}

/// What is measured, what it is, and what it is to be.
fn metric(m: &MetricSpec, now: &[MetricStatus]) -> (String, String, String) {
    let found =
        |fits: &dyn Fn(&MetricStatus) -> Option<MetricValueStatus>| now.iter().find_map(fits).unwrap_or_default();
    let (name, target, current) = match m.type_.as_str() {
        "Resource" => {
            let Some(s) = &m.resource else { return Default::default() };
            let of = |n: &MetricStatus| n.resource.as_ref().filter(|r| r.name == s.name).map(|r| r.current.clone());
            (s.name.clone(), &s.target, found(&of))
        }
        "ContainerResource" => {
            let Some(s) = &m.container_resource else { return Default::default() };
            let of = |n: &MetricStatus| {
                let c = n.container_resource.as_ref().filter(|r| (&r.name, &r.container) == (&s.name, &s.container));
                c.map(|r| r.current.clone())
            };
            (format!("{} ({})", s.name, s.container), &s.target, found(&of))
        }
        "Pods" => {
            let Some(s) = &m.pods else { return Default::default() };
            let of = |n: &MetricStatus| n.pods.as_ref().filter(|p| p.metric == s.metric).map(|p| p.current.clone());
            (s.metric.name.clone(), &s.target, found(&of))
        }
        "Object" => {
            let Some(s) = &m.object else { return Default::default() };
            let of = |n: &MetricStatus| n.object.as_ref().filter(|o| o.metric == s.metric).map(|o| o.current.clone());
            (s.metric.name.clone(), &s.target, found(&of))
        }
        _ => {
            let Some(s) = &m.external else { return Default::default() };
            let of = |n: &MetricStatus| n.external.as_ref().filter(|e| e.metric == s.metric).map(|e| e.current.clone());
            (s.metric.name.clone(), &s.target, found(&of))
        }
    };
    let (wanted, is) = values(target, &current);
    (name, is, wanted)
}

fn values(target: &MetricTarget, now: &MetricValueStatus) -> (String, String) {
    let percent = |n: Option<i32>| n.map(|n| format!("{n}%")).unwrap_or_default();
    let amount = |q: Option<&ApiQuantity>| q.map(|q| q.0.clone()).unwrap_or_default();
    match target.type_.as_str() {
        "Utilization" => (percent(target.average_utilization), percent(now.average_utilization)),
        "AverageValue" => (amount(target.average_value.as_ref()), amount(now.average_value.as_ref())),
        _ => (amount(target.value.as_ref()), amount(now.value.as_ref())),
    }
}

/// The point of the curve that a state of the autoscaler is.
pub fn point(hpa: &HorizontalPodAutoscaler, at: Time) -> (u64, i32, i32) {
    let (current, desired) = replicas(hpa);
    (at.as_micros(), current, desired)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_indexes_are_read_as_jobs_write_them() {
        assert_eq!(ranges("0-3,5,7-8"), [0, 1, 2, 3, 5, 7, 8]);
        assert_eq!(ranges(""), [0; 0]);
        assert_eq!(ranges("0-4000000000").len(), INDEXES_MAX + 1);
    }

    #[test]
    fn a_quota_is_measured_in_shares() {
        let q: ResourceQuota = serde_json::from_value(serde_json::json!({
            "metadata": {"name": "q"},
            "status": {"hard": {"cpu": "2", "pods": "0", "secrets": "0"}, "used": {"cpu": "500m", "pods": "1"}},
        }))
        .unwrap();
        let got: Vec<_> = quota(&q).into_iter().map(|r| (r.resource, r.used, r.hard, r.permille)).collect();
        let row = |a: &str, b: &str, c: &str, n| (a.to_string(), b.to_string(), c.to_string(), n);
        assert_eq!(got, [row("cpu", "500m", "2", 250), row("pods", "1", "0", 1001), row("secrets", "0", "0", 0)]);
    }
}
