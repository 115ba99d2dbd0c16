//! ReplicationController. Models `pkg/registry/core/replicationcontroller`, `pkg/apis/core/v1/defaults.go` and
//! `pkg/apis/core/validation`.

use super::pod::{self, validate_pod_template};
use super::{register, workload};
use crate::registration::{Cell, Column, Registration, Scale, Subresource};
use crate::table;
use crate::validate::{json_text, nonnegative};
use k8s_openapi::api::core::v1::{
    PodTemplateSpec, ReplicationController, ReplicationControllerSpec, ReplicationControllerStatus,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use meta::labels::{Labels, Selector};
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, ReplicationController);

impl Registration for Reg {
    type Type = ReplicationController;
    const PLURAL: &'static str = "replicationcontrollers";
    const SINGULAR: &'static str = "replicationcontroller";
    const SHORT_NAMES: &'static [&'static str] = &["rc"];
    const CATEGORIES: &'static [&'static str] = &["all"];
    const SUBRESOURCES: &'static [Subresource] = workload::SUBRESOURCES;
    const HAS_GENERATION: bool = true;
    const ORPHANS_BY_DEFAULT: bool = true;
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Desired", "integer", 0).describe(
            "Replicas is the number of desired replicas. This is a pointer to distinguish between explicit zero and \
             unspecified. Defaults to 1. More info: \
             https://kubernetes.io/docs/concepts/workloads/controllers/replicationcontroller#what-is-a-replicationcontroller",
        ),
        Column::new("Current", "integer", 0).describe(
            "Replicas is the most recently observed number of replicas. More info: \
             https://kubernetes.io/docs/concepts/workloads/controllers/replicationcontroller#what-is-a-replicationcontroller",
        ),
        Column::new("Ready", "integer", 0).describe("The number of ready replicas for this replication controller."),
        Column::AGE,
        workload::CONTAINERS,
        workload::IMAGES,
        Column::new("Selector", "string", 1).describe(
            "Selector is a label query over pods that should match the Replicas count. If Selector is empty, it is \
             defaulted to the labels present on the Pod template. Label keys and values that must match in order to be \
             controlled by this replication controller, if empty defaulted to labels on Pod template. More info: \
             https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors",
        ),
    ];
    const SAMPLE: &'static str = "\
apiVersion: v1
kind: ReplicationController
metadata:
  name: nginx
spec:
  replicas: 3
  selector:
    app: nginx
  template:
    metadata:
      labels:
        app: nginx
    spec:
      containers:
      - name: nginx
        image: nginx:1.25
";
    const SCALE: Option<Scale> = Some(Scale {
        replicas: |o| spec(o).and_then(|s| s.replicas).unwrap_or(0),
        set_replicas: |o, n| {
            if let Some(r) = o.as_any_mut().downcast_mut::<ReplicationController>() {
                r.spec.get_or_insert_default().replicas = Some(n);
            }
        },
        status_replicas: |o| {
            let r = o.as_any().downcast_ref::<ReplicationController>();
            r.and_then(|r| r.status.as_ref()).map_or(0, |s| s.replicas)
        },
        selector: |o| {
            let selector = spec(o).and_then(|s| s.selector.as_ref());
            selector.map(|s| Selector::from_set(s).to_string()).unwrap_or_default()
        },
    });

    fn quantities(o: &mut ReplicationController, f: &mut dyn FnMut(&mut Quantity)) {
        if let Some(spec) = o.spec.as_mut().and_then(|s| s.template.as_mut()?.spec.as_mut()) {
            pod::visit_quantities(spec, f);
        }
    }

    /// Models `SetDefaults_ReplicationController`.
    fn default(o: &mut ReplicationController) {
        let spec = o.spec.get_or_insert_default();
        if let Some(labels) = spec.template.as_ref().and_then(|t| t.metadata.as_ref()?.labels.as_ref()) {
            let absent = |l: &Option<Labels>| l.as_ref().is_none_or(Labels::is_empty);
            if absent(&spec.selector) {
                spec.selector = Some(labels.clone());
            }
            if absent(&o.metadata.labels) {
                o.metadata.labels = Some(labels.clone());
            }
        }
        spec.replicas.get_or_insert(1);
        if let Some(t) = &mut spec.template {
            pod::defaults::pod_spec(t.spec.get_or_insert_default());
        }
    }

    fn prepare_create(o: &mut ReplicationController) {
        o.status = Some(ReplicationControllerStatus::default());
    }
    fn prepare_update(new: &mut ReplicationController, old: &ReplicationController) {
        new.status.clone_from(&old.status);
    }
    fn prepare_status(new: &mut ReplicationController, old: &ReplicationController) {
        new.spec.clone_from(&old.spec);
    }

    /// Models `ValidateReplicationControllerSpec`.
    fn validate_create(o: &ReplicationController) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let path = Path::new("spec");
        let none = ReplicationControllerSpec::default();
        let s = o.spec.as_ref().unwrap_or(&none);
        nonnegative(&path.child("minReadySeconds"), s.min_ready_seconds.unwrap_or(0).into(), &mut errors);
        let selector = s.selector.as_ref().filter(|s| !s.is_empty());
        if selector.is_none() {
            errors.push(FieldError::required(&path.child("selector"), ""));
        }
        nonnegative(&path.child("replicas"), s.replicas.unwrap_or(0).into(), &mut errors);
        let at = path.child("template");
        match &s.template {
            None => errors.push(FieldError::required(&at, "")),
            Some(t) => validate_template(selector, t, &at, &mut errors),
        }
        errors
    }

    /// The selector may change. Models `ValidateReplicationControllerUpdate`.
    fn validate_update(new: &ReplicationController, _old: &ReplicationController) -> Vec<FieldError> {
        Self::validate_create(new)
    }

    /// Models `ValidateReplicationControllerStatus`.
    fn validate_status(new: &ReplicationController, _old: &ReplicationController) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let Some(s) = &new.status else { return errors };
        let n = |v: Option<i32>| i64::from(v.unwrap_or(0));
        let counts = [
            ("replicas", s.replicas.into(), false),
            ("fullyLabeledReplicas", n(s.fully_labeled_replicas), true),
            ("readyReplicas", n(s.ready_replicas), true),
            ("availableReplicas", n(s.available_replicas), true),
            ("observedGeneration", s.observed_generation.unwrap_or(0), false),
        ];
        workload::validate_counts(&counts, &mut errors);
        errors
    }

    fn warnings(o: &ReplicationController) -> Vec<String> {
        workload::warnings(&o.metadata, o.spec.as_ref().and_then(|s| s.template.as_ref()))
    }

    fn cells(o: &ReplicationController, now: Time) -> Vec<Cell> {
        let (no_spec, no_status) = (ReplicationControllerSpec::default(), ReplicationControllerStatus::default());
        let spec = o.spec.as_ref().unwrap_or(&no_spec);
        let status = o.status.as_ref().unwrap_or(&no_status);
        let [names, images] = table::containers(workload::template_containers(spec.template.as_ref()));
        vec![
            table::name(&o.metadata),
            spec.replicas.unwrap_or(0).into(),
            status.replicas.into(),
            status.ready_replicas.unwrap_or(0).into(),
            table::age(&o.metadata, now),
            names,
            images,
            table::labels(spec.selector.as_ref()),
        ]
    }

    fn fields(o: &ReplicationController) -> Vec<(&'static str, String)> {
        vec![("status.replicas", o.status.as_ref().map_or(0, |s| s.replicas).to_string())]
    }
}

/// Models `ValidatePodTemplateSpecForRC`.
fn validate_template(selector: Option<&Labels>, t: &PodTemplateSpec, path: &Path, errors: &mut Vec<FieldError>) {
    let labels = t.metadata.as_ref().and_then(|m| m.labels.as_ref());
    if selector.is_some_and(|s| !Selector::from_set(s).matches(labels)) {
        let at = path.child("metadata").child("labels");
        let mut e = FieldError::invalid(&at, "", "`selector` does not match template `labels`");
        e.value = json_text(&labels);
        errors.push(e);
    }
    errors.extend(validate_pod_template(t, path));
    workload::validate_runs_forever("ReplicationController", t, path, errors);
}

fn spec(o: &dyn crate::Object) -> Option<&ReplicationControllerSpec> {
    o.as_any().downcast_ref::<ReplicationController>()?.spec.as_ref()
}
