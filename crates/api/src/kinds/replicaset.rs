//! ReplicaSet. Models `pkg/registry/apps/replicaset` and `pkg/apis/apps/validation`.

use super::{pod, register, workload};
use crate::registration::{Cell, Column, Registration, Scale, Subresource};
use crate::table;
use crate::validate::nonnegative;
use k8s_openapi::api::apps::v1::{ReplicaSet, ReplicaSetSpec, ReplicaSetStatus};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, ReplicaSet);

impl Registration for Reg {
    type Type = ReplicaSet;
    const PLURAL: &'static str = "replicasets";
    const SINGULAR: &'static str = "replicaset";
    const SHORT_NAMES: &'static [&'static str] = &["rs"];
    const CATEGORIES: &'static [&'static str] = &["all"];
    const SUBRESOURCES: &'static [Subresource] = workload::SUBRESOURCES;
    const HAS_GENERATION: bool = true;
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Desired", "integer", 0).describe(
            "Replicas is the number of desired pods. This is a pointer to distinguish between explicit zero and \
             unspecified. Defaults to 1. More info: \
             https://kubernetes.io/docs/concepts/workloads/controllers/replicaset",
        ),
        Column::new("Current", "integer", 0).describe(
            "Replicas is the most recently observed number of non-terminating pods. More info: \
             https://kubernetes.io/docs/concepts/workloads/controllers/replicaset",
        ),
        Column::new("Ready", "integer", 0)
            .describe("The number of non-terminating pods targeted by this ReplicaSet with a Ready Condition."),
        Column::AGE,
        workload::CONTAINERS,
        workload::IMAGES,
        Column::new("Selector", "string", 1).describe(
            "Selector is a label query over pods that should match the replica count. Label keys and values that must \
             match in order to be controlled by this replica set. It must match the pod template's labels. More info: \
             https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors",
        ),
    ];
    const SAMPLE: &'static str = "\
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: frontend
  labels:
    app: guestbook
    tier: frontend
spec:
  replicas: 3
  selector:
    matchLabels:
      tier: frontend
  template:
    metadata:
      labels:
        tier: frontend
    spec:
      containers:
      - name: nginx
        image: nginx:1.25
";
    const SCALE: Option<Scale> = Some(Scale {
        replicas: |o| spec(o).and_then(|s| s.replicas).unwrap_or(0),
        set_replicas: |o, n| {
            if let Some(r) = o.as_any_mut().downcast_mut::<ReplicaSet>() {
                r.spec.get_or_insert_default().replicas = Some(n);
            }
        },
        status_replicas: |o| {
            let r = o.as_any().downcast_ref::<ReplicaSet>();
            r.and_then(|r| r.status.as_ref()).map_or(0, |s| s.replicas)
        },
        selector: |o| spec(o).map(|s| workload::selector_query(&s.selector)).unwrap_or_default(),
    });

    fn quantities(o: &mut ReplicaSet, f: &mut dyn FnMut(&mut Quantity)) {
        if let Some(spec) = o.spec.as_mut().and_then(|s| s.template.as_mut()?.spec.as_mut()) {
            pod::visit_quantities(spec, f);
        }
    }

    fn default(o: &mut ReplicaSet) {
        let spec = o.spec.get_or_insert_default();
        spec.replicas.get_or_insert(1);
        if let Some(t) = &mut spec.template {
            pod::defaults::pod_spec(t.spec.get_or_insert_default());
        }
    }

    fn prepare_create(o: &mut ReplicaSet) {
        o.status = Some(ReplicaSetStatus::default());
    }
    fn prepare_update(new: &mut ReplicaSet, old: &ReplicaSet) {
        new.status = old.status.clone();
    }
    fn prepare_status(new: &mut ReplicaSet, old: &ReplicaSet) {
        new.spec = old.spec.clone();
    }

    /// Models `ValidateReplicaSetSpec`.
    fn validate_create(o: &ReplicaSet) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let path = Path::new("spec");
        let none = ReplicaSetSpec::default();
        let s = o.spec.as_ref().unwrap_or(&none);
        nonnegative(&path.child("replicas"), s.replicas.unwrap_or(0).into(), &mut errors);
        nonnegative(&path.child("minReadySeconds"), s.min_ready_seconds.unwrap_or(0).into(), &mut errors);
        workload::validate_selector(&s.selector, &path.child("selector"), &mut errors);
        match &s.template {
            None => errors.push(FieldError::required(&path.child("template"), "")),
            Some(t) => workload::validate_template(&s.selector, t, &path.child("template"), &mut errors),
        }
        errors
    }

    fn validate_update(new: &ReplicaSet, old: &ReplicaSet) -> Vec<FieldError> {
        let mut errors = Self::validate_create(new);
        if let (Some(n), Some(o)) = (&new.spec, &old.spec) {
            workload::validate_selector_unchanged(&n.selector, &o.selector, &mut errors);
        }
        errors
    }

    fn validate_status(new: &ReplicaSet, _old: &ReplicaSet) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let Some(s) = &new.status else { return errors };
        let n = |v: Option<i32>| i64::from(v.unwrap_or(0));
        let counts = [
            ("replicas", s.replicas.into(), false),
            ("fullyLabeledReplicas", n(s.fully_labeled_replicas), true),
            ("readyReplicas", n(s.ready_replicas), true),
            ("availableReplicas", n(s.available_replicas), true),
            ("terminatingReplicas", n(s.terminating_replicas), false),
            ("observedGeneration", s.observed_generation.unwrap_or(0), false),
        ];
        workload::validate_counts(&counts, &mut errors);
        errors
    }

    fn warnings(o: &ReplicaSet) -> Vec<String> {
        workload::warnings(&o.metadata, o.spec.as_ref().and_then(|s| s.template.as_ref()))
    }

    fn cells(o: &ReplicaSet, now: Time) -> Vec<Cell> {
        let (no_spec, no_status) = (ReplicaSetSpec::default(), ReplicaSetStatus::default());
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
            table::selector(&spec.selector),
        ]
    }

    fn fields(o: &ReplicaSet) -> Vec<(&'static str, String)> {
        vec![("status.replicas", o.status.as_ref().map_or(0, |s| s.replicas).to_string())]
    }
}

fn spec(o: &dyn crate::Object) -> Option<&ReplicaSetSpec> {
    o.as_any().downcast_ref::<ReplicaSet>()?.spec.as_ref()
}
