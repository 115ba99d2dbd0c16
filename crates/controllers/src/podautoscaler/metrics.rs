//! What the metrics of an autoscaler say. Models `computeReplicasForMetrics` of
//! `pkg/controller/podautoscaler/horizontal.go` and `pkg/controller/podautoscaler/metrics/client.go`.

use super::replicas::{Metrics, PodMetric, Proposal, Scene, Tolerances};
use super::{ACTIVE, Memory, Scale, Turn};
use k8s_openapi::api::autoscaling::v2::{
    ContainerResourceMetricStatus, MetricSpec, MetricStatus, MetricTarget, MetricValueStatus, ResourceMetricStatus,
};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use meta::labels::Selector;
use meta::{Key, Quantity};
use reconcile::View;
use std::collections::BTreeMap;

/// What the metrics ask for, and which of them asks for most.
pub struct Found {
    pub replicas: i32,
    pub metric: String,
}

/// Why one metric says nothing: the event's reason, the error, and how the error of all metrics calls it.
struct Failure {
    reason: &'static str,
    why: String,
    of_all: String,
}

type Computed = Result<(Proposal, String, MetricStatus), Failure>;

impl<'a> Turn<'a> {
    /// The target's selector, if no other autoscaler looks at the same pods. Models `validateAndParseSelector`.
    pub(super) fn selector(&mut self, memory: &mut BTreeMap<Key, Memory>, scale: &Scale) -> Result<Selector, String> {
        if scale.selector.is_empty() {
            let why = "selector is required";
            self.warn("SelectorRequired", why.into());
            self.set(ACTIVE, "False", "InvalidSelector", "the HPA target's scale is missing a selector".into());
            return Err(why.into());
        }
        let selector = match Selector::parse(&scale.selector) {
            Ok(selector) => selector,
            Err(e) => {
                let why = format!("couldn't convert selector into a corresponding internal selector object: {e}");
                self.warn("InvalidSelector", why.clone());
                self.set(ACTIVE, "False", "InvalidSelector", why.clone());
                return Err(why);
            }
        };
        memory.entry(self.key.clone()).or_default().selector = Some(selector.clone());
        let pods = self.pods(&selector);
        let looks = |m: &Memory| {
            let matches = |s: &Selector| pods.iter().any(|p| s.matches(p.metadata.labels.as_ref()));
            m.selector.as_ref().is_some_and(matches)
        };
        let namespace = Key::namespace_range(self.key.namespace());
        let same = memory.range(namespace).filter(|(_, m)| looks(m)).take(2);
        let same: Vec<String> = same.map(|(k, _)| format!("{{{} {}}}", k.name(), k.namespace())).collect();
        if same.len() > 1 {
            let (text, same) = (&scale.selector, same.join(" "));
            let why = format!("pods by selector {text} are controlled by more than one HPA (e.g. [{same}])");
            self.warn("AmbiguousSelector", why.clone());
            self.set(ACTIVE, "False", "AmbiguousSelector", why.clone());
            return Err(why);
        }
        Ok(selector)
    }

    fn pods(&self, selector: &Selector) -> Vec<&'a Pod> {
        let view: &'a View = self.cx.view;
        let all = view.list_in::<Pod>(self.key.namespace());
        all.filter(|p| selector.matches(p.metadata.labels.as_ref())).collect()
    }

    /// The statuses of all metrics, and what the one that asks for most asks for. Models `computeReplicasForMetrics`.
    pub(super) fn compute(&mut self, scale: &Scale, selector: &Selector) -> (Vec<MetricStatus>, Result<Found, String>) {
        let hpa = self.hpa;
        let spec = hpa.spec.as_ref();
        let specs = spec.and_then(|s| s.metrics.as_deref()).unwrap_or_default();
        let tolerances = Tolerances::of(spec.and_then(|s| s.behavior.as_ref()));
        let mut statuses = Vec::new();
        let mut found: Option<Found> = None;
        let (mut invalid, mut first) = (0, None);
        for metric in specs {
            let computed = {
                let pods = self.pods(selector);
                self.out.looked_at(pods.len());
                self.one(metric, scale, &pods, tolerances)
            };
            match computed {
                Ok((proposal, name, status)) => {
                    statuses.push(status);
                    if found.as_ref().is_none_or(|f| f.replicas == 0 || proposal.replicas > f.replicas) {
                        found = Some(Found { replicas: proposal.replicas, metric: name });
                    }
                }
                Err(f) => {
                    statuses.push(MetricStatus::default());
                    self.warn(f.reason, f.why.clone());
                    invalid += 1;
                    first.get_or_insert(f);
                }
            }
        }
        let all = specs.len();
        let would_shrink = |f: &Option<Found>| f.as_ref().is_none_or(|f| f.replicas < scale.replicas);
        if let Some(f) = first
            && (invalid >= all || would_shrink(&found))
        {
            let text = format!("the HPA was unable to compute the replica count: {}", f.why);
            self.set(ACTIVE, "False", f.reason, text);
            let why = format!("invalid metrics ({invalid} invalid out of {all}), first error is: {}", f.of_all);
            return (statuses, Err(why));
        }
        let Some(found) = found else { return (statuses, Err("there are no metrics".into())) };
        let text = format!("the HPA was able to successfully calculate a replica count from {}", found.metric);
        self.set(ACTIVE, "True", "ValidMetricFound", text);
        (statuses, Ok(found))
    }

    fn one(&self, spec: &MetricSpec, scale: &Scale, pods: &[&Pod], tolerances: Tolerances) -> Computed {
        let (name, container, target) = match (&spec.resource, &spec.container_resource) {
            (Some(r), _) => (r.name.as_str(), "", &r.target),
            (_, Some(c)) => (c.name.as_str(), c.container.as_str(), &c.target),
            _ => return Err(unserved(spec, self.key.namespace())),
        };
        let scene = Scene { now: self.cx.now, current: scale.replicas, resource: name, container, tolerances, pods };
        match self.resource(&scene, target) {
            Ok((proposal, metric)) => {
                let current = value_status(name, target, proposal);
                let mut status = MetricStatus { type_: spec.type_.clone(), ..MetricStatus::default() };
                if container.is_empty() {
                    status.resource = Some(ResourceMetricStatus { name: name.into(), current });
                } else {
                    let (name, container) = (name.into(), container.into());
                    status.container_resource = Some(ContainerResourceMetricStatus { name, container, current });
                }
                Ok((proposal, metric, status))
            }
            Err(why) => {
                let (reason, of_all) = match container {
                    "" => ("FailedGetResourceMetric", format!("failed to get {name} resource metric value: {why}")),
                    c => {
                        ("FailedGetContainerResourceMetric", format!("failed to get {c} container metric value: {why}"))
                    }
                };
                Err(Failure { reason, why, of_all })
            }
        }
    }

    /// Models `computeStatusForResourceMetricGeneric`.
    fn resource(&self, scene: &Scene, target: &MetricTarget) -> Result<(Proposal, String), String> {
        let name = scene.resource;
        let wrong = |what: &str, e: String| format!("failed to get {name} {what}: {e}");
        if let Some(value) = &target.average_value {
            let metrics = self.fetch(scene).map_err(|e| wrong("usage", e))?;
            let proposal =
                scene.for_value(metrics, Quantity::of(value).milli_value()).map_err(|e| wrong("usage", e))?;
            return Ok((proposal, format!("{name} resource")));
        }
        let Some(percent) = target.average_utilization else {
            let why = "invalid resource metric source: neither an average utilization target nor an average value (usage) \
                       target was set";
            return Err(why.into());
        };
        let metrics = self.fetch(scene).map_err(|e| wrong("utilization", e))?;
        let proposal = scene.for_utilization(metrics, percent).map_err(|e| wrong("utilization", e))?;
        let of = if scene.container.is_empty() { "" } else { "container " };
        Ok((proposal, format!("{name} {of}resource utilization (percentage of request)")))
    }

    /// What the resource metrics API says of the pods. Models `GetResourceMetric`.
    fn fetch(&self, scene: &Scene) -> Result<Metrics, String> {
        let fail = |why: &str| format!("unable to get metrics for resource {}: {why}", scene.resource);
        let (view, now) = (self.cx.view, self.cx.now);
        if !view.usage.is_served(now) {
            return Err(fail(
                "unable to fetch metrics from resource metrics API: the server is currently unable to handle the request \
                 (get pods.metrics.k8s.io)",
            ));
        }
        let (mut metrics, mut any) = (Metrics::new(), false);
        for pod in scene.pods {
            let Some(sampled) = reconcile::usage::of_pod(view, pod, now) else { continue };
            any = true;
            let mut values = Vec::new();
            for (name, sample) in &sampled.usage {
                if scene.container.is_empty() || scene.container == &**name {
                    values.push(match scene.resource {
                        "cpu" => i64::try_from(sample.nanocores.div_ceil(1_000_000)).unwrap_or(i64::MAX),
                        "memory" => i64::try_from(sample.memory_bytes).unwrap_or(i64::MAX).saturating_mul(1000),
                        _ => continue,
                    });
                }
            }
            if !values.is_empty() {
                let (timestamp, window) = (sampled.timestamp, sampled.window);
                let name = pod.metadata.name.clone().unwrap_or_default();
                metrics.insert(name, PodMetric { timestamp, window, value: values.iter().sum() });
            }
        }
        if any { Ok(metrics) } else { Err(fail("no metrics returned from resource metrics API")) }
    }
}

/// Memory in bytes, everything else in thousandths. Models `buildQuantity`.
fn value_status(resource: &str, target: &MetricTarget, proposal: Proposal) -> MetricValueStatus {
    let value = match resource {
        "memory" if proposal.value % 1000 == 0 => Quantity::from_bytes(proposal.value / 1000),
        _ => Quantity::from_milli(proposal.value),
    };
    MetricValueStatus {
        average_utilization: target.average_value.is_none().then_some(proposal.utilization),
        average_value: Some(value.to_api()),
        value: None,
    }
}

/// The APIs of custom and external metrics have no server here.
fn unserved(spec: &MetricSpec, namespace: &str) -> Failure {
    const CUSTOM: &str =
        "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered";
    if let Some(p) = &spec.pods {
        let why = format!("unable to get metric {}: {CUSTOM}", p.metric.name);
        let of_all = format!("failed to get pods metric value: {why}");
        return Failure { reason: "FailedGetPodsMetric", why, of_all };
    }
    if let Some(o) = &spec.object {
        let (of, name) = (&o.described_object, &o.metric.name);
        let why = format!("unable to get metric {name}: {} on {namespace} {}/{CUSTOM}", of.kind, of.name);
        let inner = if o.target.type_ == "AverageValue" {
            format!("failed to get {name} object metric: {why}")
        } else {
            why.clone()
        };
        let of_all = format!("failed to get object metric value: {inner}");
        return Failure { reason: "FailedGetObjectMetric", why, of_all };
    }
    let external = spec.external.as_ref();
    let name = external.map_or("", |e| e.metric.name.as_str());
    let selector = external.and_then(|e| e.metric.selector.as_ref()).map_or_else(|| "nil".into(), go_selector);
    let why = format!(
        "unable to get external metric {namespace}/{name}/{selector}: unable to fetch metrics from external metrics API: the \
         server could not find the requested resource (get {name}.external.metrics.k8s.io)"
    );
    let inner = match external.is_some_and(|e| e.target.average_value.is_some()) {
        true => format!("failed to get {name} external metric: {why}"),
        false => format!("failed to get external metric {name}: {why}"),
    };
    let of_all = format!("failed to get {name} external metric value: {inner}");
    Failure { reason: "FailedGetExternalMetric", why, of_all }
}

/// As Go prints a `*LabelSelector`.
fn go_selector(s: &LabelSelector) -> String {
    let labels: String = s.match_labels.iter().flatten().map(|(k, v)| format!("{k}: {v},")).collect();
    let expressions = s.match_expressions.iter().flatten().map(|e| {
        let values = e.values.as_deref().unwrap_or_default().join(" ");
        format!("LabelSelectorRequirement{{Key:{},Operator:{},Values:[{values}],}},", e.key, e.operator)
    });
    let expressions: String = expressions.collect();
    format!(
        "&LabelSelector{{MatchLabels:map[string]string{{{labels}}},MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
    )
}
