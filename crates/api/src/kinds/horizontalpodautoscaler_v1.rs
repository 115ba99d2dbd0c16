//! HorizontalPodAutoscaler, `autoscaling/v1`: what of a v2 object it cannot say stands in annotations. Models
//! `pkg/apis/autoscaling/v1`.

use super::horizontalpodautoscaler::{self as v2_kind, cpu_of, cpu_utilization};
use super::register;
use crate::registration::{Alias, Cell, Column, Registration, Subresource};
use k8s_openapi::api::autoscaling::v1::{
    CrossVersionObjectReference, HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec, HorizontalPodAutoscalerStatus,
};
use k8s_openapi::api::autoscaling::v2;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::Time;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub struct Reg;
register!(Reg, HorizontalPodAutoscaler);

const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const CURRENT_METRICS: &str = "autoscaling.alpha.kubernetes.io/current-metrics";
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";

impl Registration for Reg {
    type Type = HorizontalPodAutoscaler;
    const PLURAL: &'static str = "horizontalpodautoscalers";
    const SINGULAR: &'static str = "horizontalpodautoscaler";
    const FILE: &'static str = "horizontalpodautoscaler_v1";
    const SHORT_NAMES: &'static [&'static str] = &["hpa"];
    const CATEGORIES: &'static [&'static str] = &["all"];
    const SUBRESOURCES: &'static [Subresource] =
        &[Subresource { name: "status", gvk: None, verbs: super::STATUS_VERBS }];
    const HAS_GENERATION: bool = true;
    const COLUMNS: &'static [Column] = v2_kind::Reg::COLUMNS;
    const ALIAS: Option<Alias> = Some(Alias {
        of: &v2_kind::KIND,
        to_stored: |o| match o.into_any().downcast::<HorizontalPodAutoscaler>() {
            Ok(a) => Box::new(to_v2(*a)),
            Err(_) => Box::new(v2::HorizontalPodAutoscaler::default()),
        },
        from_stored: |o| Box::new(o.as_any().downcast_ref().map(from_v2).unwrap_or_default()),
    });
    const SAMPLE: &'static str = "\
apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata:
  name: hpa-demo
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: demo
  minReplicas: 1
  maxReplicas: 5
  targetCPUUtilizationPercentage: 80
";

    fn default(o: &mut HorizontalPodAutoscaler) {
        o.spec.get_or_insert_default().min_replicas.get_or_insert(1);
    }

    fn cells(o: &HorizontalPodAutoscaler, now: Time) -> Vec<Cell> {
        v2_kind::Reg::cells(&to_v2(o.clone()), now)
    }
}

fn set<T: Serialize>(meta: &mut ObjectMeta, key: &str, value: &T) {
    let text = crate::validate::json_text(value);
    meta.annotations.get_or_insert_default().insert(key.into(), text);
}

/// What cannot be read is as if it were not there.
fn take<T: DeserializeOwned>(meta: &mut ObjectMeta, key: &str) -> Option<T> {
    let annotations = meta.annotations.as_mut()?;
    let text = annotations.remove(key)?;
    if annotations.is_empty() {
        meta.annotations = None;
    }
    crate::decode::plain(text.as_bytes()).ok()
}

fn to_v2(mut o: HorizontalPodAutoscaler) -> v2::HorizontalPodAutoscaler {
    let (spec, status) = (o.spec.unwrap_or_default(), o.status.unwrap_or_default());
    let mut metrics: Vec<v2::MetricSpec> =
        spec.target_cpu_utilization_percentage.map(cpu_utilization).into_iter().collect();
    metrics.extend(take::<Vec<v2::MetricSpec>>(&mut o.metadata, METRICS).unwrap_or_default());
    if metrics.is_empty() {
        metrics.push(cpu_utilization(v2_kind::DEFAULT_CPU_UTILIZATION));
    }
    let current = |percent| v2::MetricStatus {
        type_: "Resource".into(),
        resource: Some(v2::ResourceMetricStatus {
            name: "cpu".into(),
            current: v2::MetricValueStatus { average_utilization: Some(percent), ..Default::default() },
        }),
        ..Default::default()
    };
    let current_metrics = take(&mut o.metadata, CURRENT_METRICS)
        .or_else(|| status.current_cpu_utilization_percentage.map(|p| vec![current(p)]));
    let behavior = take(&mut o.metadata, BEHAVIOR);
    let conditions = take(&mut o.metadata, CONDITIONS);
    let r = spec.scale_target_ref;
    v2::HorizontalPodAutoscaler {
        metadata: o.metadata,
        spec: Some(v2::HorizontalPodAutoscalerSpec {
            behavior,
            max_replicas: spec.max_replicas,
            metrics: Some(metrics),
            min_replicas: spec.min_replicas,
            scale_target_ref: v2::CrossVersionObjectReference {
                api_version: r.api_version,
                kind: r.kind,
                name: r.name,
            },
        }),
        status: Some(v2::HorizontalPodAutoscalerStatus {
            conditions,
            current_metrics,
            current_replicas: Some(status.current_replicas),
            desired_replicas: status.desired_replicas,
            last_scale_time: status.last_scale_time,
            observed_generation: status.observed_generation,
        }),
    }
}

fn from_v2(o: &v2::HorizontalPodAutoscaler) -> HorizontalPodAutoscaler {
    let (mut metadata, spec, status) =
        (o.metadata.clone(), o.spec.clone().unwrap_or_default(), o.status.clone().unwrap_or_default());
    let metrics = spec.metrics.unwrap_or_default();
    let cpu = |m: &v2::MetricSpec| {
        m.resource.as_ref().is_some_and(|r| r.name == "cpu" && r.target.average_utilization.is_some())
    };
    let others: Vec<&v2::MetricSpec> = metrics.iter().filter(|m| !cpu(m)).collect();
    if !others.is_empty() {
        set(&mut metadata, METRICS, &others);
    }
    let current = status.current_metrics.unwrap_or_default();
    if !current.is_empty() {
        set(&mut metadata, CURRENT_METRICS, &current);
    }
    if let Some(b) = &spec.behavior {
        set(&mut metadata, BEHAVIOR, b);
    }
    if let Some(c) = status.conditions.as_ref().filter(|c| !c.is_empty()) {
        set(&mut metadata, CONDITIONS, c);
    }
    let used = current.iter().filter_map(|m| m.resource.as_ref()).filter(|r| r.name == "cpu");
    let r = spec.scale_target_ref;
    HorizontalPodAutoscaler {
        metadata,
        spec: Some(HorizontalPodAutoscalerSpec {
            max_replicas: spec.max_replicas,
            min_replicas: spec.min_replicas,
            scale_target_ref: CrossVersionObjectReference { api_version: r.api_version, kind: r.kind, name: r.name },
            target_cpu_utilization_percentage: cpu_of(&metrics),
        }),
        status: Some(HorizontalPodAutoscalerStatus {
            current_cpu_utilization_percentage: used.filter_map(|r| r.current.average_utilization).next_back(),
            current_replicas: status.current_replicas.unwrap_or(0),
            desired_replicas: status.desired_replicas,
            last_scale_time: status.last_scale_time,
            observed_generation: status.observed_generation,
        }),
    }
}
