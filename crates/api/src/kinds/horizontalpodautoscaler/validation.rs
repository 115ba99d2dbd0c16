//! Models `pkg/apis/autoscaling/validation`.

use crate::validate::names::{self, rule};
use crate::validate::{each, nonnegative};
use k8s_openapi::api::autoscaling::v2::{
    CrossVersionObjectReference, HPAScalingPolicy, HPAScalingRules, HorizontalPodAutoscalerSpec,
    HorizontalPodAutoscalerStatus, MetricIdentifier, MetricSpec, MetricTarget,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use meta::{FieldError, Path, Quantity};

const PERIOD_MAX: i32 = 1800;
const WINDOW_MAX: i32 = 3600;
const SOURCES: &[&str] = &["ContainerResource", "External", "Object", "Pods", "Resource"];
const TARGETS: &[&str] = &["AverageValue", "Utilization", "Value"];
const POLICIES: &[&str] = &["Percent", "Pods"];
const SELECTS: &[&str] = &["Disabled", "Max", "Min"];

type Errors = Vec<FieldError>;

pub fn spec(s: &HorizontalPodAutoscalerSpec, least: i32) -> Errors {
    let mut errors = Vec::new();
    let path = Path::new("spec");
    if let Some(n) = s.min_replicas.filter(|n| *n < least) {
        let why = format!("must be greater than or equal to {least}");
        errors.push(FieldError::invalid(&path.child("minReplicas"), n, why));
    }
    let at = path.child("maxReplicas");
    if s.max_replicas < 1 {
        errors.push(FieldError::invalid(&at, s.max_replicas, "must be greater than 0"));
    }
    if s.min_replicas.is_some_and(|n| s.max_replicas < n) {
        errors.push(FieldError::invalid(&at, s.max_replicas, "must be greater than or equal to `minReplicas`"));
    }
    reference(&s.scale_target_ref, &path.child("scaleTargetRef"), &mut errors);
    let at = path.child("metrics");
    let metrics = s.metrics.as_deref().unwrap_or_default();
    metrics.iter().enumerate().for_each(|(i, m)| metric(m, &at.index(i), &mut errors));
    if s.min_replicas == Some(0) && !metrics.iter().any(|m| matches!(m.type_.as_str(), "Object" | "External")) {
        let why = "must specify at least one Object or External metric to support scaling to zero replicas";
        errors.push(FieldError::forbidden(&at, why));
    }
    if let Some(b) = &s.behavior {
        for (field, rules) in [("scaleUp", &b.scale_up), ("scaleDown", &b.scale_down)] {
            if let Some(r) = rules {
                scaling(r, &path.child("behavior").child(field), &mut errors);
            }
        }
    }
    errors
}

pub fn status(s: &HorizontalPodAutoscalerStatus) -> Errors {
    let mut errors = Vec::new();
    let path = Path::new("status");
    nonnegative(&path.child("currentReplicas"), s.current_replicas.unwrap_or(0).into(), &mut errors);
    nonnegative(&path.child("desiredReplicas"), s.desired_replicas.into(), &mut errors);
    errors
}

fn reference(r: &CrossVersionObjectReference, path: &Path, errors: &mut Errors) {
    for (field, value) in [("kind", &r.kind), ("name", &r.name)] {
        let at = path.child(field);
        if value.is_empty() {
            errors.push(FieldError::required(&at, ""));
        } else {
            errors.extend(each(&at, value, rule::path_segment(value, false)));
        }
    }
}

fn scaling(r: &HPAScalingRules, path: &Path, errors: &mut Errors) {
    if let Some(n) = r.stabilization_window_seconds {
        let at = path.child("stabilizationWindowSeconds");
        if n < 0 {
            errors.push(FieldError::invalid(&at, n, "must be greater than or equal to zero"));
        }
        if n > WINDOW_MAX {
            errors.push(FieldError::invalid(&at, n, format!("must be less than or equal to {WINDOW_MAX}")));
        }
    }
    if let Some(p) = r.select_policy.as_deref().filter(|p| !SELECTS.contains(p)) {
        errors.push(FieldError::not_supported(&path.child("selectPolicy"), p, SELECTS));
    }
    let at = path.child("policies");
    let policies = r.policies.as_deref().unwrap_or_default();
    if policies.is_empty() {
        errors.push(FieldError::required(&at, "must specify at least one Policy"));
    }
    policies.iter().enumerate().for_each(|(i, p)| policy(p, &at.index(i), errors));
    if let Some(t) = r.tolerance.as_ref().filter(|t| Quantity::of(t).is_negative()) {
        let why = "must be greater than or equal to 0";
        errors.push(FieldError::invalid(&path.child("tolerance"), t.0.as_str(), why));
    }
}

fn policy(p: &HPAScalingPolicy, path: &Path, errors: &mut Errors) {
    if !POLICIES.contains(&p.type_.as_str()) {
        errors.push(FieldError::not_supported(&path.child("type"), p.type_.as_str(), POLICIES));
    }
    for (field, n) in [("value", p.value), ("periodSeconds", p.period_seconds)] {
        if n <= 0 {
            errors.push(FieldError::invalid(&path.child(field), n, "must be greater than zero"));
        }
    }
    if p.period_seconds > PERIOD_MAX {
        let why = format!("must be less than or equal to {PERIOD_MAX}");
        errors.push(FieldError::invalid(&path.child("periodSeconds"), p.period_seconds, why));
    }
}

/// Models `validateMetricSpec`.
fn metric(m: &MetricSpec, path: &Path, errors: &mut Errors) {
    if m.type_.is_empty() {
        errors.push(FieldError::required(&path.child("type"), "must specify a metric source type"));
    }
    if !SOURCES.contains(&m.type_.as_str()) {
        errors.push(FieldError::not_supported(&path.child("type"), m.type_.as_str(), SOURCES));
    }
    let mut present: Vec<&str> = Vec::new();
    let mut source = |field: &'static str, is: bool| {
        if is {
            present.push(field);
        }
        is && present.len() == 1
    };
    if source("object", m.object.is_some())
        && let Some(s) = &m.object
    {
        let at = path.child("object");
        reference(&s.described_object, &at.child("describedObject"), errors);
        identifier(&s.metric, &at.child("metric"), errors);
        target(&s.target, &at.child("target"), errors);
        if s.target.value.is_none() && s.target.average_value.is_none() {
            let why = "must set either a target value or averageValue";
            errors.push(FieldError::required(&at.child("target").child("averageValue"), why));
        }
    }
    if source("external", m.external.is_some())
        && let Some(s) = &m.external
    {
        let at = path.child("external");
        identifier(&s.metric, &at.child("metric"), errors);
        let at = at.child("target");
        target(&s.target, &at, errors);
        match (&s.target.value, &s.target.average_value) {
            (None, None) => {
                let why = "must set either a target value for metric or a per-pod target";
                errors.push(FieldError::required(&at.child("averageValue"), why));
            }
            (Some(_), Some(_)) => {
                let why = "may not set both a target value for metric and a per-pod target";
                errors.push(FieldError::forbidden(&at.child("value"), why));
            }
            _ => {}
        }
    }
    if source("pods", m.pods.is_some())
        && let Some(s) = &m.pods
    {
        let at = path.child("pods");
        identifier(&s.metric, &at.child("metric"), errors);
        target(&s.target, &at.child("target"), errors);
        if s.target.average_value.is_none() {
            let why = "must specify a positive target averageValue";
            errors.push(FieldError::required(&at.child("target").child("averageValue"), why));
        }
    }
    if source("resource", m.resource.is_some())
        && let Some(s) = &m.resource
    {
        resource(&s.name, &s.target, &path.child("resource"), errors);
    }
    if source("containerResource", m.container_resource.is_some())
        && let Some(s) = &m.container_resource
    {
        let at = path.child("containerResource").child("container");
        if s.container.is_empty() {
            errors.push(FieldError::required(&at, "must specify a container"));
        } else {
            errors.extend(each(&at, &s.container, names::dns1123_label(&s.container)));
        }
        resource(&s.name, &s.target, &path.child("containerResource"), errors);
    }
    let expected = match m.type_.as_str() {
        "Object" => "object",
        "Pods" => "pods",
        "Resource" => "resource",
        "External" => "external",
        "ContainerResource" => "containerResource",
        other => {
            errors.push(FieldError::not_supported(&path.child("type"), other, SOURCES));
            ""
        }
    };
    if !expected.is_empty() && !present.contains(&expected) {
        let why = "must populate information for the given metric source";
        errors.push(FieldError::required(&path.child(expected), why));
    }
    if present.len() != 1 {
        for other in present.into_iter().filter(|p| *p != expected) {
            errors.push(FieldError::forbidden(&path.child(other), "must populate the given metric source only"));
        }
    }
}

fn resource(name: &str, t: &MetricTarget, path: &Path, errors: &mut Errors) {
    if name.is_empty() {
        errors.push(FieldError::required(&path.child("name"), "must specify a resource name"));
    }
    let at = path.child("target");
    target(t, &at, errors);
    match (t.average_utilization, &t.average_value) {
        (None, None) => {
            let why = "must set either a target raw value or a target utilization";
            errors.push(FieldError::required(&at.child("averageUtilization"), why));
        }
        (Some(_), Some(_)) => {
            let why = "may not set both a target raw value and a target utilization";
            errors.push(FieldError::forbidden(&at.child("averageValue"), why));
        }
        _ => {}
    }
}

/// Models `validateMetricTarget`.
fn target(t: &MetricTarget, path: &Path, errors: &mut Errors) {
    let at = path.child("type");
    if t.type_.is_empty() {
        errors.push(FieldError::required(&at, "must specify a metric target type"));
    }
    if !TARGETS.contains(&t.type_.as_str()) {
        let why = "must be either Utilization, Value, or AverageValue";
        errors.push(FieldError::invalid(&at, t.type_.as_str(), why));
    }
    let positive = |q: &ApiQuantity| !Quantity::of(q).is_negative() && !Quantity::of(q).is_zero();
    for (field, q) in [("value", &t.value), ("averageValue", &t.average_value)] {
        if let Some(q) = q.as_ref().filter(|q| !positive(q)) {
            errors.push(FieldError::invalid(&path.child(field), q.0.as_str(), "must be positive"));
        }
    }
    if let Some(n) = t.average_utilization.filter(|n| *n < 1) {
        errors.push(FieldError::invalid(&path.child("averageUtilization"), n, "must be greater than 0"));
    }
}

/// Models `validateMetricIdentifier`.
fn identifier(m: &MetricIdentifier, path: &Path, errors: &mut Errors) {
    let name = &m.name;
    let at = path.child("name");
    if name.is_empty() {
        errors.push(FieldError::required(&at, "must specify a metric name"));
    } else {
        errors.extend(each(&at, name, rule::path_segment(name, false)));
    }
}
