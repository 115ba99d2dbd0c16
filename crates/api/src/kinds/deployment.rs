//! Deployment. Models `pkg/registry/apps/deployment`, `pkg/apis/apps/v1/defaults.go` and
//! `pkg/apis/apps/validation`.

use super::{pod, register, workload};
use crate::registration::{Cell, Column, Registration, Scale, Subresource};
use crate::table;
use crate::validate::{NOT_NEGATIVE, invalid_json, names, nonnegative, text};
use k8s_openapi::api::apps::v1::{
    Deployment, DeploymentSpec, DeploymentStatus, DeploymentStrategy, RollingUpdateDeployment,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, Deployment);

impl Registration for Reg {
    type Type = Deployment;
    const PLURAL: &'static str = "deployments";
    const SINGULAR: &'static str = "deployment";
    const SHORT_NAMES: &'static [&'static str] = &["deploy"];
    const CATEGORIES: &'static [&'static str] = &["all"];
    const SUBRESOURCES: &'static [Subresource] = workload::SUBRESOURCES;
    const HAS_GENERATION: bool = true;
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Ready", "string", 0).describe("Number of the pod with ready state"),
        Column::new("Up-to-date", "string", 0)
            .describe("Total number of non-terminating pods targeted by this deployment that have the desired template spec."),
        Column::new("Available", "string", 0).describe(
            "Total number of available non-terminating pods (ready for at least minReadySeconds) targeted by this \
             deployment.",
        ),
        Column::AGE,
        workload::CONTAINERS,
        workload::IMAGES,
        Column::new("Selector", "string", 1).describe(
            "Label selector for pods. Existing ReplicaSets whose pods are selected by this will be the ones affected by \
             this deployment.",
        ),
    ];
    const SAMPLE: &'static str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: nginx-deployment
  labels:
    app: nginx
spec:
  replicas: 3
  selector:
    matchLabels:
      app: nginx
  template:
    metadata:
      labels:
        app: nginx
    spec:
      containers:
      - name: nginx
        image: nginx:1.14.2
        ports:
        - containerPort: 80
";
    const SCALE: Option<Scale> = Some(Scale {
        replicas: |o| spec(o).and_then(|s| s.replicas).unwrap_or(0),
        set_replicas: |o, n| {
            if let Some(d) = o.as_any_mut().downcast_mut::<Deployment>() {
                d.spec.get_or_insert_default().replicas = Some(n);
            }
        },
        status_replicas: |o| {
            let d = o.as_any().downcast_ref::<Deployment>();
            d.and_then(|d| d.status.as_ref()?.replicas).unwrap_or(0)
        },
        selector: |o| spec(o).map(|s| workload::selector_query(&s.selector)).unwrap_or_default(),
    });

    fn quantities(o: &mut Deployment, f: &mut dyn FnMut(&mut Quantity)) {
        if let Some(spec) = o.spec.as_mut().and_then(|s| s.template.spec.as_mut()) {
            pod::visit_quantities(spec, f);
        }
    }

    /// Models `SetDefaults_Deployment`.
    fn default(o: &mut Deployment) {
        let spec = o.spec.get_or_insert_default();
        spec.replicas.get_or_insert(1);
        spec.revision_history_limit.get_or_insert(10);
        spec.progress_deadline_seconds.get_or_insert(600);
        let strategy = spec.strategy.get_or_insert_default();
        pod::defaults::set(&mut strategy.type_, "RollingUpdate");
        if text(&strategy.type_) == "RollingUpdate" {
            let r = strategy.rolling_update.get_or_insert_default();
            r.max_unavailable.get_or_insert_with(|| IntOrString::String("25%".into()));
            r.max_surge.get_or_insert_with(|| IntOrString::String("25%".into()));
        }
        pod::defaults::pod_spec(spec.template.spec.get_or_insert_default());
    }

    fn prepare_create(o: &mut Deployment) {
        o.status = Some(DeploymentStatus::default());
    }
    fn prepare_update(new: &mut Deployment, old: &Deployment) {
        new.status = old.status.clone();
    }
    fn prepare_status(new: &mut Deployment, old: &Deployment) {
        new.spec = old.spec.clone();
        new.metadata.labels = old.metadata.labels.clone();
    }

    fn validate_create(o: &Deployment) -> Vec<FieldError> {
        let mut errors = Vec::new();
        validate_spec(o.spec.as_ref().unwrap_or(&DeploymentSpec::default()), &mut errors);
        errors
    }

    fn validate_update(new: &Deployment, old: &Deployment) -> Vec<FieldError> {
        let mut errors = Self::validate_create(new);
        if let (Some(n), Some(o)) = (&new.spec, &old.spec) {
            workload::validate_selector_unchanged(&n.selector, &o.selector, &mut errors);
        }
        errors
    }

    /// Models `ValidateDeploymentStatusUpdate`.
    fn validate_status(new: &Deployment, old: &Deployment) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let Some(s) = &new.status else { return errors };
        let n = |v: Option<i32>| i64::from(v.unwrap_or(0));
        let counts = [
            ("observedGeneration", s.observed_generation.unwrap_or(0), false),
            ("replicas", n(s.replicas), false),
            ("updatedReplicas", n(s.updated_replicas), true),
            ("readyReplicas", n(s.ready_replicas), true),
            ("availableReplicas", n(s.available_replicas), true),
            ("unavailableReplicas", n(s.unavailable_replicas), false),
            ("terminatingReplicas", n(s.terminating_replicas), false),
            ("collisionCount", n(s.collision_count), false),
        ];
        workload::validate_counts(&counts, &mut errors);
        let before = old.status.as_ref().and_then(|s| s.collision_count);
        workload::validate_collision_count(s.collision_count, before, &mut errors);
        errors
    }

    fn warnings(o: &Deployment) -> Vec<String> {
        workload::warnings(&o.metadata, o.spec.as_ref().map(|s| &s.template))
    }

    fn cells(o: &Deployment, now: Time) -> Vec<Cell> {
        let (no_spec, no_status) = (DeploymentSpec::default(), DeploymentStatus::default());
        let spec = o.spec.as_ref().unwrap_or(&no_spec);
        let status = o.status.as_ref().unwrap_or(&no_status);
        let [names, images] = table::containers(workload::template_containers(Some(&spec.template)));
        vec![
            table::name(&o.metadata),
            format!("{}/{}", status.ready_replicas.unwrap_or(0), spec.replicas.unwrap_or(0)).into(),
            status.updated_replicas.unwrap_or(0).into(),
            status.available_replicas.unwrap_or(0).into(),
            table::age(&o.metadata, now),
            names,
            images,
            table::deployment_selector(&spec.selector),
        ]
    }
}

fn spec(o: &dyn crate::Object) -> Option<&DeploymentSpec> {
    o.as_any().downcast_ref::<Deployment>()?.spec.as_ref()
}

/// Models `ValidateDeploymentSpec`.
fn validate_spec(s: &DeploymentSpec, errors: &mut Vec<FieldError>) {
    let path = Path::new("spec");
    nonnegative(&path.child("replicas"), s.replicas.unwrap_or(0).into(), errors);
    workload::validate_selector(&s.selector, &path.child("selector"), errors);
    workload::validate_template(&s.selector, &s.template, &path.child("template"), errors);
    if let Some(strategy) = &s.strategy {
        validate_strategy(strategy, &path.child("strategy"), errors);
    }
    let min_ready = s.min_ready_seconds.unwrap_or(0);
    nonnegative(&path.child("minReadySeconds"), min_ready.into(), errors);
    if let Some(n) = s.revision_history_limit {
        nonnegative(&path.child("revisionHistoryLimit"), n.into(), errors);
    }
    if let Some(n) = s.progress_deadline_seconds {
        let at = path.child("progressDeadlineSeconds");
        nonnegative(&at, n.into(), errors);
        if n <= min_ready {
            errors.push(FieldError::invalid(&at, n, "must be greater than minReadySeconds"));
        }
    }
}

/// Models `ValidateDeploymentStrategy`.
fn validate_strategy(s: &DeploymentStrategy, path: &Path, errors: &mut Vec<FieldError>) {
    let at = path.child("rollingUpdate");
    match (text(&s.type_), &s.rolling_update) {
        ("Recreate", Some(_)) => {
            let why = "may not be specified when strategy `type` is 'Recreate'";
            errors.push(FieldError::forbidden(&at, why));
        }
        ("Recreate", None) => {}
        ("RollingUpdate", Some(r)) => validate_rolling_update(r, &at, errors),
        ("RollingUpdate", None) => {
            errors.push(FieldError::required(&at, "this should be defaulted and never be nil"));
        }
        (other, _) => {
            let mut e = FieldError::not_supported(path, other, &["Recreate", "RollingUpdate"]);
            let rolling = crate::validate::json_text(&s.rolling_update);
            // Upstream shows its internal struct, whose fields are capitalized.
            e.value = format!(
                "{{\"Type\":{},\"RollingUpdate\":{}}}",
                crate::validate::json_text(&other),
                rolling.replace("maxUnavailable", "MaxUnavailable").replace("maxSurge", "MaxSurge")
            );
            errors.push(e);
        }
    }
}

fn validate_rolling_update(r: &RollingUpdateDeployment, path: &Path, errors: &mut Vec<FieldError>) {
    let zero = IntOrString::Int(0);
    let unavailable = r.max_unavailable.as_ref().unwrap_or(&zero);
    let surge = r.max_surge.as_ref().unwrap_or(&zero);
    let unavailable_at = path.child("maxUnavailable");
    validate_int_or_percent(unavailable, &unavailable_at, errors);
    validate_int_or_percent(surge, &path.child("maxSurge"), errors);
    if amount(unavailable) == 0 && amount(surge) == 0 {
        errors.push(invalid_json(&unavailable_at, unavailable, "may not be 0 when `maxSurge` is 0"));
    }
    validate_percent_maximum(unavailable, &unavailable_at, errors);
}

/// Models `IsNotMoreThan100Percent`.
pub(crate) fn validate_percent_maximum(v: &IntOrString, path: &Path, errors: &mut Vec<FieldError>) {
    if percent(v).is_some_and(|p| p > 100) {
        errors.push(invalid_json(path, v, "must not be greater than 100%"));
    }
}

/// Models `ValidatePositiveIntOrPercent`.
pub(crate) fn validate_int_or_percent(v: &IntOrString, path: &Path, errors: &mut Vec<FieldError>) {
    match v {
        IntOrString::Int(n) if *n < 0 => errors.push(FieldError::invalid(path, *n, NOT_NEGATIVE)),
        IntOrString::Int(_) => {}
        IntOrString::String(s) => {
            for msg in names::percent(s) {
                errors.push(FieldError::invalid(path, s.as_str(), msg));
            }
        }
    }
}

fn percent(v: &IntOrString) -> Option<i64> {
    match v {
        IntOrString::String(s) if names::percent(s).is_empty() => s.strip_suffix('%')?.parse().ok(),
        _ => None,
    }
}

pub(crate) fn amount(v: &IntOrString) -> i64 {
    match v {
        IntOrString::Int(n) => (*n).into(),
        IntOrString::String(s) => percent(v).or_else(|| s.parse().ok()).unwrap_or(0),
    }
}
