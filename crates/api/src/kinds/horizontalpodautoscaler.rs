//! HorizontalPodAutoscaler, `autoscaling/v2`. Models `pkg/registry/autoscaling/horizontalpodautoscaler`,
//! `pkg/apis/autoscaling/{v2, validation}` and `formatHPAMetrics`.

mod validation;

use super::register;
use crate::registration::{Cell, Column, Registration, Subresource};
use crate::table;
use k8s_openapi::api::autoscaling::v2::{
    HPAScalingPolicy, HPAScalingRules, HorizontalPodAutoscaler, HorizontalPodAutoscalerBehavior, MetricSpec,
    MetricStatus, MetricTarget, MetricValueStatus, ResourceMetricSource,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use meta::{FieldError, Time};

pub struct Reg;
register!(Reg, HorizontalPodAutoscaler);

/// Models `DefaultCPUUtilization`.
pub const DEFAULT_CPU_UTILIZATION: i32 = 80;
/// A table cell lists this many metrics.
const SHOWN_MAX: usize = 2;

impl Registration for Reg {
    type Type = HorizontalPodAutoscaler;
    const PLURAL: &'static str = "horizontalpodautoscalers";
    const SINGULAR: &'static str = "horizontalpodautoscaler";
    const SHORT_NAMES: &'static [&'static str] = &["hpa"];
    const CATEGORIES: &'static [&'static str] = &["all"];
    const SUBRESOURCES: &'static [Subresource] =
        &[Subresource { name: "status", gvk: None, verbs: super::STATUS_VERBS }];
    const HAS_GENERATION: bool = true;
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Reference", "string", 0).describe(
            "scaleTargetRef points to the target resource to scale, and is used to the pods for which metrics should be \
             collected, as well as to actually change the replica count.",
        ),
        Column::new("Targets", "string", 0).describe(
            "metrics contains the specifications for which to use to calculate the desired replica count (the maximum \
             replica count across all metrics will be used).  The desired replica count is calculated multiplying the \
             ratio between the target value and the current value by the current number of pods.  Ergo, metrics used must \
             decrease as the pod count is increased, and vice-versa.  See the individual metric source types for more \
             information about how each type of metric must respond.",
        ),
        Column::new("MinPods", "string", 0).describe(
            "minReplicas is the lower limit for the number of replicas to which the autoscaler can scale down.  It \
             defaults to 1 pod.  minReplicas is allowed to be 0 if the alpha feature gate HPAScaleToZero is enabled and at \
             least one Object or External metric is configured.  Scaling is active as long as at least one metric value is \
             available.",
        ),
        Column::new("MaxPods", "string", 0).describe(
            "maxReplicas is the upper limit for the number of replicas to which the autoscaler can scale up. It cannot be \
             less that minReplicas.",
        ),
        Column::new("Replicas", "string", 0).describe(
            "currentReplicas is current number of replicas of pods managed by this autoscaler, as last seen by the \
             autoscaler.",
        ),
        Column::AGE,
    ];
    const SAMPLE: &'static str = "\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: php-apache
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: php-apache
  minReplicas: 1
  maxReplicas: 10
  metrics:
  - type: Resource
    resource:
      name: cpu
      target:
        type: Utilization
        averageUtilization: 50
";

    fn quantities(o: &mut HorizontalPodAutoscaler, f: &mut dyn FnMut(&mut Quantity)) {
        let Some(spec) = &mut o.spec else { return };
        let mut target = |t: &mut MetricTarget| {
            t.average_value.iter_mut().for_each(&mut *f);
            t.value.iter_mut().for_each(&mut *f);
        };
        for m in spec.metrics.iter_mut().flatten() {
            m.resource.iter_mut().for_each(|s| target(&mut s.target));
            m.container_resource.iter_mut().for_each(|s| target(&mut s.target));
            m.pods.iter_mut().for_each(|s| target(&mut s.target));
            m.object.iter_mut().for_each(|s| target(&mut s.target));
            m.external.iter_mut().for_each(|s| target(&mut s.target));
        }
        let rules = spec.behavior.iter_mut().flat_map(|b| [b.scale_up.as_mut(), b.scale_down.as_mut()]).flatten();
        rules.filter_map(|r| r.tolerance.as_mut()).for_each(f);
    }

    /// Models `SetDefaults_HorizontalPodAutoscaler`.
    fn default(o: &mut HorizontalPodAutoscaler) {
        let s = o.spec.get_or_insert_default();
        s.min_replicas.get_or_insert(1);
        if s.metrics.as_ref().is_none_or(Vec::is_empty) {
            s.metrics = Some(vec![cpu_utilization(DEFAULT_CPU_UTILIZATION)]);
        }
        if let Some(b) = &mut s.behavior {
            let up = [policy("Pods", 4), policy("Percent", 100)];
            fill(b.scale_up.get_or_insert_default(), &up, Some(0));
            fill(b.scale_down.get_or_insert_default(), &[policy("Percent", 100)], None);
        }
    }

    fn prepare_create(o: &mut HorizontalPodAutoscaler) {
        o.status = Some(Default::default());
    }
    fn prepare_update(new: &mut HorizontalPodAutoscaler, old: &HorizontalPodAutoscaler) {
        new.status.clone_from(&old.status);
    }
    fn prepare_status(new: &mut HorizontalPodAutoscaler, old: &HorizontalPodAutoscaler) {
        new.spec.clone_from(&old.spec);
    }

    fn validate_create(o: &HorizontalPodAutoscaler) -> Vec<FieldError> {
        validation::spec(&o.spec.clone().unwrap_or_default(), 1)
    }
    fn validate_update(new: &HorizontalPodAutoscaler, old: &HorizontalPodAutoscaler) -> Vec<FieldError> {
        // What could be scaled to nothing once still can.
        let least = if old.spec.as_ref().and_then(|s| s.min_replicas) == Some(0) { 0 } else { 1 };
        validation::spec(&new.spec.clone().unwrap_or_default(), least)
    }
    fn validate_status(new: &HorizontalPodAutoscaler, _old: &HorizontalPodAutoscaler) -> Vec<FieldError> {
        validation::status(&new.status.clone().unwrap_or_default())
    }

    fn cells(o: &HorizontalPodAutoscaler, now: Time) -> Vec<Cell> {
        let spec = o.spec.clone().unwrap_or_default();
        let status = o.status.clone().unwrap_or_default();
        let statuses = status.current_metrics.unwrap_or_default();
        vec![
            table::name(&o.metadata),
            format!("{}/{}", spec.scale_target_ref.kind, spec.scale_target_ref.name).into(),
            targets(spec.metrics.as_deref().unwrap_or_default(), &statuses).into(),
            spec.min_replicas.map_or("<unset>".into(), |n| n.to_string()).into(),
            spec.max_replicas.to_string().into(),
            status.current_replicas.unwrap_or(0).to_string().into(),
            table::age(&o.metadata, now),
        ]
    }
}

/// A metric over the pods' use of processor time.
pub fn cpu_utilization(percent: i32) -> MetricSpec {
    let target =
        MetricTarget { type_: "Utilization".into(), average_utilization: Some(percent), ..MetricTarget::default() };
    MetricSpec {
        type_: "Resource".into(),
        resource: Some(ResourceMetricSource { name: "cpu".into(), target }),
        ..MetricSpec::default()
    }
}

fn policy(kind: &str, value: i32) -> HPAScalingPolicy {
    HPAScalingPolicy { type_: kind.into(), value, period_seconds: 15 }
}

/// What a behaviour does not say is as if there were none.
fn fill(r: &mut HPAScalingRules, policies: &[HPAScalingPolicy], window: Option<i32>) {
    r.select_policy.get_or_insert_with(|| "Max".into());
    r.policies.get_or_insert_with(|| policies.to_vec());
    r.stabilization_window_seconds = r.stabilization_window_seconds.or(window);
}

/// The behaviour in force, whether the object names one or not: rules for up and down.
pub fn behavior(b: Option<&HorizontalPodAutoscalerBehavior>) -> (HPAScalingRules, HPAScalingRules) {
    let b = b.cloned().unwrap_or_default();
    let (mut up, mut down) = (b.scale_up.unwrap_or_default(), b.scale_down.unwrap_or_default());
    fill(&mut up, &[policy("Pods", 4), policy("Percent", 100)], Some(0));
    fill(&mut down, &[policy("Percent", 100)], None);
    (up, down)
}

/// Models `formatHPAMetrics`.
fn targets(specs: &[MetricSpec], statuses: &[MetricStatus]) -> String {
    if specs.is_empty() {
        return table::NONE.into();
    }
    let line = |(i, spec): (usize, &MetricSpec)| target(spec, statuses.get(i).unwrap_or(&MetricStatus::default()));
    let list: Vec<String> = specs.iter().enumerate().map(line).collect();
    let shown = list[..list.len().min(SHOWN_MAX)].join(", ");
    if list.len() > SHOWN_MAX { format!("{shown} + {} more...", list.len() - SHOWN_MAX) } else { shown }
}

fn target(spec: &MetricSpec, status: &MetricStatus) -> String {
    let amount = |q: Option<&Quantity>| q.map_or_else(|| "<unknown>".to_string(), |q| q.0.clone());
    let value = |s: &Option<MetricValueStatus>| amount(s.as_ref().and_then(|s| s.value.as_ref()));
    let average = |s: &Option<MetricValueStatus>| amount(s.as_ref().and_then(|s| s.average_value.as_ref()));
    let total = |t: &MetricTarget, now: &Option<MetricValueStatus>| match &t.average_value {
        Some(a) => format!("{}/{} (avg)", average(now), a.0),
        None => format!("{}/{}", value(now), t.value.as_ref().map_or("0", |q| &q.0)),
    };
    let resource = |name: &str, t: &MetricTarget, now: &Option<MetricValueStatus>| match &t.average_value {
        Some(a) => format!("{name}: {}/{}", average(now), a.0),
        None => {
            let percent = |n: i32| format!("{n}%");
            let current = now.as_ref().and_then(|s| s.average_utilization).map_or("<unknown>".into(), percent);
            format!("{name}: {current}/{}", t.average_utilization.map_or("<auto>".into(), percent))
        }
    };
    match spec.type_.as_str() {
        "External" => {
            spec.external.as_ref().map(|s| total(&s.target, &status.external.as_ref().map(|s| s.current.clone())))
        }
        "Object" => spec.object.as_ref().map(|s| total(&s.target, &status.object.as_ref().map(|s| s.current.clone()))),
        "Pods" => spec.pods.as_ref().map(|s| {
            let now = status.pods.as_ref().map(|s| s.current.clone());
            format!("{}/{}", average(&now), s.target.average_value.as_ref().map_or("0", |q| &q.0))
        }),
        "Resource" => spec
            .resource
            .as_ref()
            .map(|s| resource(&s.name, &s.target, &status.resource.as_ref().map(|s| s.current.clone()))),
        "ContainerResource" => spec
            .container_resource
            .as_ref()
            .map(|s| resource(&s.name, &s.target, &status.container_resource.as_ref().map(|s| s.current.clone()))),
        _ => None,
    }
    .unwrap_or_else(|| "<unknown type>".into())
}

/// What an `autoscaling/v1` object can say: the first metric over processor time as a percentage.
pub(super) fn cpu_of(metrics: &[MetricSpec]) -> Option<i32> {
    let cpu = metrics.iter().filter_map(|m| m.resource.as_ref()).find(|r| r.name == "cpu")?;
    cpu.target.average_utilization
}
