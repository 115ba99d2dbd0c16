//! How many replicas a metric asks for. Models `pkg/controller/podautoscaler/replica_calculator.go`.

use api::pods;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscalerBehavior;
use k8s_openapi::api::core::v1::{Pod, PodCondition};
use meta::{Duration, Quantity, Time};
use std::collections::{BTreeMap, BTreeSet};

/// `--horizontal-pod-autoscaler-tolerance`
const TOLERANCE: f64 = 0.1;
/// `--horizontal-pod-autoscaler-cpu-initialization-period`
const CPU_INITIALIZATION_PERIOD: Duration = Duration::from_secs(300);
/// `--horizontal-pod-autoscaler-initial-readiness-delay`
const INITIAL_READINESS_DELAY: Duration = Duration::from_secs(30);

const UNREADY: &str = "did not receive metrics for targeted pods (pods might be unready)";
pub const NO_PODS: &str = "no pods returned by selector while calculating replica count";

/// One pod's value, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PodMetric {
    pub timestamp: Time,
    pub window: Duration,
    pub value: i64,
}

/// By the pods' names.
pub type Metrics = BTreeMap<String, PodMetric>;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerances {
    pub down: f64,
    pub up: f64,
}

impl Tolerances {
    /// Models `tolerancesForHpa`, with `HPAConfigurableTolerance` on.
    pub fn of(behavior: Option<&HorizontalPodAutoscalerBehavior>) -> Self {
        let own = |q: Option<&k8s_openapi::apimachinery::pkg::api::resource::Quantity>| {
            q.map_or(TOLERANCE, |q| Quantity::of(q).approximately())
        };
        let down = behavior.and_then(|b| b.scale_down.as_ref()?.tolerance.as_ref());
        let up = behavior.and_then(|b| b.scale_up.as_ref()?.tolerance.as_ref());
        Tolerances { down: own(down), up: own(up) }
    }

    fn contain(self, ratio: f64) -> bool {
        1.0 - self.down <= ratio && ratio <= 1.0 + self.up
    }
}

/// What a calculation is about.
pub struct Scene<'a> {
    pub now: Time,
    pub current: i32,
    /// `cpu` or `memory`; empty for other metrics.
    pub resource: &'a str,
    /// Empty: the whole pod.
    pub container: &'a str,
    pub tolerances: Tolerances,
    /// Those the target's selector finds.
    pub pods: &'a [&'a Pod],
}

/// A proposal, with what it was made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Proposal {
    pub replicas: i32,
    /// In percent of what is requested; 0 when the target is no percentage.
    pub utilization: i32,
    /// The average, in thousandths.
    pub value: i64,
}

/// Models `groupPods`.
#[derive(Default)]
struct Groups {
    ready: usize,
    unready: BTreeSet<String>,
    missing: BTreeSet<String>,
    ignored: BTreeSet<String>,
}

impl Scene<'_> {
    /// For a target in percent of the requests. Models `GetResourceReplicas`.
    ///
    /// # Errors
    /// Why nothing can be said.
    pub fn for_utilization(&self, metrics: Metrics, target: i32) -> Result<Proposal, String> {
        self.check_pods()?;
        let (groups, metrics) = self.sorted(metrics)?;
        let mut requests = BTreeMap::new();
        for pod in self.pods {
            requests.insert(name(pod), self.request(pod)?);
        }
        let (ratio, utilization, value) = utilization_ratio(&metrics, &requests, target)?;
        let fallback = i64::from(target.max(100));
        let missing = |pod: &str| requests.get(pod).copied().unwrap_or(0) * fallback / 100;
        let again = |m: &Metrics| utilization_ratio(m, &requests, target).map(|(ratio, ..)| ratio);
        let replicas = self.replicas(&groups, metrics, ratio, missing, again)?;
        Ok(Proposal { replicas, utilization, value })
    }

    /// For a target that every pod's value is to be like. Models `calcPlainMetricReplicas`.
    ///
    /// # Errors
    /// Why nothing can be said.
    pub fn for_value(&self, metrics: Metrics, target: i64) -> Result<Proposal, String> {
        self.check_pods()?;
        let (groups, metrics) = self.sorted(metrics)?;
        let (ratio, value) = usage_ratio(&metrics, target);
        let replicas = self.replicas(&groups, metrics, ratio, |_| target, |m| Ok(usage_ratio(m, target).0))?;
        Ok(Proposal { replicas, utilization: 0, value })
    }

    fn check_pods(&self) -> Result<(), String> {
        if self.pods.is_empty() { Err(NO_PODS.into()) } else { Ok(()) }
    }

    /// The metrics that count, and what the other pods are.
    fn sorted(&self, mut metrics: Metrics) -> Result<(Groups, Metrics), String> {
        let groups = self.group(&metrics);
        metrics.retain(|pod, _| !groups.ignored.contains(pod) && !groups.unready.contains(pod));
        if metrics.is_empty() { Err(UNREADY.into()) } else { Ok((groups, metrics)) }
    }

    fn replicas(
        &self,
        groups: &Groups,
        mut metrics: Metrics,
        ratio: f64,
        missing: impl Fn(&str) -> i64,
        again: impl Fn(&Metrics) -> Result<f64, String>,
    ) -> Result<i32, String> {
        let up_with_unready = !groups.unready.is_empty() && ratio > 1.0;
        if !up_with_unready && groups.missing.is_empty() {
            let keep = self.tolerances.contain(ratio);
            return Ok(if keep { self.current } else { ceil(ratio * groups.ready as f64) });
        }
        let mut assume = |pod: &String, value: i64| {
            metrics.insert(pod.clone(), PodMetric { timestamp: self.now, window: Duration::ZERO, value });
        };
        // What is not known speaks against the change.
        for pod in &groups.missing {
            if ratio < 1.0 {
                assume(pod, missing(pod));
            } else if ratio > 1.0 {
                assume(pod, 0);
            }
        }
        if up_with_unready {
            groups.unready.iter().for_each(|pod| assume(pod, 0));
        }
        let new = again(&metrics)?;
        let turned = (ratio < 1.0 && new > 1.0) || (ratio > 1.0 && new < 1.0);
        if self.tolerances.contain(new) || turned {
            return Ok(self.current);
        }
        let replicas = ceil(new * metrics.len() as f64);
        let against = (new < 1.0 && replicas > self.current) || (new > 1.0 && replicas < self.current);
        Ok(if against { self.current } else { replicas })
    }

    fn group(&self, metrics: &Metrics) -> Groups {
        let mut groups = Groups::default();
        for pod in self.pods {
            let name = name(pod).to_string();
            let phase = pod.status.as_ref().and_then(|s| s.phase.as_deref()).unwrap_or("");
            if pod.metadata.deletion_timestamp.is_some() || phase == "Failed" {
                groups.ignored.insert(name);
            } else if phase == "Pending" {
                groups.unready.insert(name);
            } else {
                match metrics.get(&name) {
                    None => _ = groups.missing.insert(name),
                    Some(m) if self.resource == "cpu" && self.is_unready(pod, m) => _ = groups.unready.insert(name),
                    Some(_) => groups.ready += 1,
                }
            }
        }
        groups
    }

    /// Whether what a pod uses is what its start takes.
    fn is_unready(&self, pod: &Pod, metric: &PodMetric) -> bool {
        let started = pod.status.as_ref().and_then(|s| s.start_time.as_ref()).map(Time::from_k8s);
        let (Some(started), Some(ready)) = (started, ready_condition(pod)) else { return true };
        let since = ready.last_transition_time.as_ref().map_or(Time(0), Time::from_k8s);
        if started + CPU_INITIALIZATION_PERIOD > self.now {
            ready.status == "False" || metric.timestamp < since + metric.window
        } else {
            // It has never been ready.
            ready.status == "False" && started + INITIAL_READINESS_DELAY > since
        }
    }

    /// Models `calculateRequests`.
    fn request(&self, pod: &Pod) -> Result<i64, String> {
        let (Some(spec), resource) = (&pod.spec, self.resource) else { return Ok(0) };
        let milli = |r: &k8s_openapi::api::core::v1::ResourceRequirements| {
            r.requests.as_ref().and_then(|r| r.get(resource)).map(|q| Quantity::of(q).milli_value())
        };
        if self.container.is_empty()
            && let Some(own) = spec.resources.as_ref().filter(|r| r.requests.as_ref().is_some_and(|r| !r.is_empty()))
        {
            let missing = || format!("missing pod-level request for {resource} in Pod {}", name(pod));
            return milli(own).ok_or_else(missing);
        }
        let sidecars = spec.init_containers.iter().flatten().filter(|c| c.restart_policy.as_deref() == Some("Always"));
        let mut sum = 0;
        for c in spec.containers.iter().chain(sidecars) {
            if !self.container.is_empty() && self.container != c.name {
                continue;
            }
            let own = c.resources.as_ref().and_then(milli);
            let missing = || format!("missing request for {resource} in container {} of Pod {}", c.name, name(pod));
            sum += own.ok_or_else(missing)?;
            if self.container == c.name {
                return Ok(sum);
            }
        }
        if self.container.is_empty() {
            return Ok(sum);
        }
        Err(format!("container {} not found in Pod {}", self.container, name(pod)))
    }
}

fn name(pod: &Pod) -> &str {
    pod.metadata.name.as_deref().unwrap_or("")
}

fn ready_condition(pod: &Pod) -> Option<&PodCondition> {
    pods::find_condition(pod, "Ready")
}

fn ceil(x: f64) -> i32 {
    // A cast of a number that is too large gives the largest.
    x.ceil() as i32
}

/// Models `GetResourceUtilizationRatio`.
fn utilization_ratio(
    metrics: &Metrics,
    requests: &BTreeMap<&str, i64>,
    target: i32,
) -> Result<(f64, i32, i64), String> {
    let (mut used, mut requested, mut entries) = (0i64, 0i64, 0i64);
    for (pod, metric) in metrics {
        // A pod that is not of the list any more.
        let Some(request) = requests.get(pod.as_str()) else { continue };
        used += metric.value;
        requested += request;
        entries += 1;
    }
    if requested == 0 {
        return Err("no metrics returned matched known pods".into());
    }
    let current = i32::try_from(used * 100 / requested).unwrap_or(i32::MAX);
    Ok((f64::from(current) / f64::from(target), current, used / entries))
}

/// Models `GetMetricUsageRatio`.
fn usage_ratio(metrics: &Metrics, target: i64) -> (f64, i64) {
    let total: i64 = metrics.values().map(|m| m.value).sum();
    let current = total / i64::try_from(metrics.len()).unwrap_or(1);
    (current as f64 / target as f64, current)
}
