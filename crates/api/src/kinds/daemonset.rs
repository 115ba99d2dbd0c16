//! DaemonSet. Models `pkg/registry/apps/daemonset`, `pkg/apis/apps/v1/defaults.go` and `pkg/apis/apps/validation`.

use super::deployment::{amount, validate_int_or_percent, validate_percent_maximum};
use super::{pod, register, workload};
use crate::registration::{Cell, Column, Registration, Subresource};
use crate::table;
use crate::validate::{invalid_json, json_text, nonnegative, text, validate_label_selector};
use k8s_openapi::api::apps::v1::{
    DaemonSet, DaemonSetSpec, DaemonSetStatus, DaemonSetUpdateStrategy, RollingUpdateDaemonSet,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use meta::{FieldError, Path, Time};

/// How often the template has changed, as older versions counted it.
pub const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

pub struct Reg;
register!(Reg, DaemonSet);

impl Registration for Reg {
    type Type = DaemonSet;
    const PLURAL: &'static str = "daemonsets";
    const SINGULAR: &'static str = "daemonset";
    const SHORT_NAMES: &'static [&'static str] = &["ds"];
    const CATEGORIES: &'static [&'static str] = &["all"];
    const SUBRESOURCES: &'static [Subresource] = workload::STATUS_ONLY;
    const HAS_GENERATION: bool = true;
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Desired", "integer", 0).describe(
            "The total number of nodes that should be running the daemon pod (including nodes correctly running the \
             daemon pod). More info: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/",
        ),
        Column::new("Current", "integer", 0).describe(
            "The number of nodes that are running at least 1 daemon pod and are supposed to run the daemon pod. More \
             info: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/",
        ),
        Column::new("Ready", "integer", 0).describe(
            "Total number of nodes that should be running the daemon pod and have one or more of the daemon pod running \
             with a Ready Condition by passing the readinessProbe.",
        ),
        Column::new("Up-to-date", "integer", 0)
            .describe("The total number of nodes that are running updated daemon pod"),
        Column::new("Available", "integer", 0).describe(
            "The number of nodes that should be running the daemon pod and have one or more of the daemon pod running \
             and available (ready for at least spec.minReadySeconds)",
        ),
        Column::new("Node Selector", "string", 0).describe(
            "NodeSelector is a selector which must be true for the pod to fit on a node. Selector which must match a \
             node's labels for the pod to be scheduled on that node. More info: \
             https://kubernetes.io/docs/concepts/configuration/assign-pod-node/",
        ),
        Column::AGE,
        workload::CONTAINERS,
        workload::IMAGES,
        Column::new("Selector", "string", 1).describe(
            "A label query over pods that are managed by the daemon set. Must match in order to be controlled. It must \
             match the pod template's labels. More info: \
             https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors",
        ),
    ];
    const SAMPLE: &'static str = "\
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: node-agent
spec:
  selector:
    matchLabels:
      app: node-agent
  template:
    metadata:
      labels:
        app: node-agent
    spec:
      containers:
      - name: agent
        image: busybox:1.36
        command: [sh, -c, \"while true; do sleep 3600; done\"]
";

    fn quantities(o: &mut DaemonSet, f: &mut dyn FnMut(&mut Quantity)) {
        if let Some(spec) = o.spec.as_mut().and_then(|s| s.template.spec.as_mut()) {
            pod::visit_quantities(spec, f);
        }
    }

    /// Models `SetDefaults_DaemonSet`.
    fn default(o: &mut DaemonSet) {
        let spec = o.spec.get_or_insert_default();
        let strategy = spec.update_strategy.get_or_insert_default();
        pod::defaults::set(&mut strategy.type_, "RollingUpdate");
        if text(&strategy.type_) == "RollingUpdate" {
            let r = strategy.rolling_update.get_or_insert_default();
            r.max_unavailable.get_or_insert(IntOrString::Int(1));
            r.max_surge.get_or_insert(IntOrString::Int(0));
        }
        spec.revision_history_limit.get_or_insert(10);
        pod::defaults::pod_spec(spec.template.spec.get_or_insert_default());
    }

    fn prepare_create(o: &mut DaemonSet) {
        o.status = Some(DaemonSetStatus::default());
        set_template_generation(o, 1);
    }
    fn prepare_update(new: &mut DaemonSet, old: &DaemonSet) {
        new.status.clone_from(&old.status);
        let template = |o: &DaemonSet| o.spec.as_ref().map(|s| s.template.clone());
        let before = template_generation(old);
        set_template_generation(new, if template(new) == template(old) { before } else { before + 1 });
    }
    fn prepare_status(new: &mut DaemonSet, old: &DaemonSet) {
        new.spec.clone_from(&old.spec);
    }

    fn validate_create(o: &DaemonSet) -> Vec<FieldError> {
        let mut errors = Vec::new();
        validate_spec(o.spec.as_ref().unwrap_or(&DaemonSetSpec::default()), &mut errors);
        errors
    }

    /// Models `ValidateDaemonSetUpdate`.
    fn validate_update(new: &DaemonSet, old: &DaemonSet) -> Vec<FieldError> {
        let mut errors = Self::validate_create(new);
        if let (Some(n), Some(o)) = (&new.spec, &old.spec) {
            workload::validate_selector_unchanged(&n.selector, &o.selector, &mut errors);
        }
        errors
    }

    /// Models `ValidateDaemonSetStatusUpdate`.
    fn validate_status(new: &DaemonSet, old: &DaemonSet) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let Some(s) = &new.status else { return errors };
        let n = |v: Option<i32>| i64::from(v.unwrap_or(0));
        for (field, v) in [
            ("currentNumberScheduled", s.current_number_scheduled.into()),
            ("numberMisscheduled", s.number_misscheduled.into()),
            ("desiredNumberScheduled", s.desired_number_scheduled.into()),
            ("numberReady", s.number_ready.into()),
            ("observedGeneration", s.observed_generation.unwrap_or(0)),
            ("updatedNumberScheduled", n(s.updated_number_scheduled)),
            ("numberAvailable", n(s.number_available)),
            ("numberUnavailable", n(s.number_unavailable)),
            ("collisionCount", n(s.collision_count)),
        ] {
            nonnegative(&Path::new("status").child(field), v, &mut errors);
        }
        let before = old.status.as_ref().and_then(|s| s.collision_count);
        workload::validate_collision_count(s.collision_count, before, &mut errors);
        errors
    }

    fn warnings(o: &DaemonSet) -> Vec<String> {
        workload::template_warnings(&Path::new("spec").child("template"), o.spec.as_ref().map(|s| &s.template))
    }

    fn cells(o: &DaemonSet, now: Time) -> Vec<Cell> {
        let (no_spec, no_status) = (DaemonSetSpec::default(), DaemonSetStatus::default());
        let (spec, s) = (o.spec.as_ref().unwrap_or(&no_spec), o.status.as_ref().unwrap_or(&no_status));
        let [names, images] = table::containers(workload::template_containers(Some(&spec.template)));
        vec![
            table::name(&o.metadata),
            s.desired_number_scheduled.into(),
            s.current_number_scheduled.into(),
            s.number_ready.into(),
            s.updated_number_scheduled.unwrap_or(0).into(),
            s.number_available.unwrap_or(0).into(),
            table::labels(spec.template.spec.as_ref().and_then(|s| s.node_selector.as_ref())),
            table::age(&o.metadata, now),
            names,
            images,
            table::selector(&spec.selector),
        ]
    }
}

/// Zero: not known.
pub fn template_generation(o: &DaemonSet) -> i64 {
    let annotation = o.metadata.annotations.as_ref().and_then(|a| a.get(TEMPLATE_GENERATION));
    annotation.and_then(|g| g.parse().ok()).unwrap_or(0)
}

fn set_template_generation(o: &mut DaemonSet, n: i64) {
    if n > 0 {
        o.metadata.annotations.get_or_insert_default().insert(TEMPLATE_GENERATION.into(), n.to_string());
    }
}

/// Models `ValidateDaemonSetSpec`.
fn validate_spec(s: &DaemonSetSpec, errors: &mut Vec<FieldError>) {
    let path = Path::new("spec");
    let at = path.child("selector");
    errors.extend(validate_label_selector(&at, &s.selector));
    let template = path.child("template");
    // A missing and an empty selector cannot be told apart here; the missing one is the common mistake, and matches nothing.
    workload::validate_template_labels(&s.selector, &s.template, &template, errors);
    errors.extend(pod::validate_pod_template(&s.template, &template));
    workload::validate_runs_forever("DaemonSet", &s.template, &template, errors);
    nonnegative(&path.child("minReadySeconds"), s.min_ready_seconds.unwrap_or(0).into(), errors);
    let none = DaemonSetUpdateStrategy::default();
    validate_strategy(s.update_strategy.as_ref().unwrap_or(&none), &path.child("updateStrategy"), errors);
    if let Some(n) = s.revision_history_limit {
        nonnegative(&path.child("revisionHistoryLimit"), n.into(), errors);
    }
}

/// Models `ValidateDaemonSetUpdateStrategy`.
fn validate_strategy(s: &DaemonSetUpdateStrategy, path: &Path, errors: &mut Vec<FieldError>) {
    match (text(&s.type_), &s.rolling_update) {
        ("OnDelete", _) => {}
        ("RollingUpdate", None) => errors.push(FieldError::required(&path.child("rollingUpdate"), "")),
        ("RollingUpdate", Some(r)) => validate_rolling_update(r, &path.child("rollingUpdate"), errors),
        (other, r) => {
            let mut e = FieldError::not_supported(path, other, &["RollingUpdate", "OnDelete"]);
            // Upstream shows its internal struct, whose fields are capitalized.
            let rolling = json_text(r).replace("maxUnavailable", "MaxUnavailable").replace("maxSurge", "MaxSurge");
            e.value = format!("{{\"Type\":{},\"RollingUpdate\":{rolling}}}", json_text(&other));
            errors.push(e);
        }
    }
}

/// Models `ValidateRollingUpdateDaemonSet`.
fn validate_rolling_update(r: &RollingUpdateDaemonSet, path: &Path, errors: &mut Vec<FieldError>) {
    let zero = IntOrString::Int(0);
    let unavailable = r.max_unavailable.as_ref().unwrap_or(&zero);
    let surge = r.max_surge.as_ref().unwrap_or(&zero);
    let (unavailable_at, surge_at) = (path.child("maxUnavailable"), path.child("maxSurge"));
    validate_int_or_percent(unavailable, &unavailable_at, errors);
    validate_int_or_percent(surge, &surge_at, errors);
    validate_percent_maximum(unavailable, &unavailable_at, errors);
    validate_percent_maximum(surge, &surge_at, errors);
    match (amount(unavailable) != 0, amount(surge) != 0) {
        (true, true) => errors.push(invalid_json(&surge_at, surge, "may not be set when maxUnavailable is non-zero")),
        (false, false) => errors.push(FieldError::required(&unavailable_at, "cannot be 0 when maxSurge is 0")),
        _ => {}
    }
}
