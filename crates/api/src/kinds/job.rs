//! Job. Models `pkg/registry/batch/job`, `pkg/apis/batch/v1/defaults.go` and `pkg/apis/batch/validation`.

mod status;
pub mod validation;

use super::{pod, register, workload};
use crate::registration::{Cell, Column, Registration, Subresource};
use crate::table;
use crate::validate::text;
use k8s_openapi::api::batch::v1::{Job, JobSpec, JobStatus};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, Job);

pub const CONTROLLER_UID: &str = "batch.kubernetes.io/controller-uid";
pub const JOB_NAME: &str = "batch.kubernetes.io/job-name";
const LEGACY_CONTROLLER_UID: &str = "controller-uid";
const LEGACY_JOB_NAME: &str = "job-name";

impl Registration for Reg {
    type Type = Job;
    const PLURAL: &'static str = "jobs";
    const SINGULAR: &'static str = "job";
    const CATEGORIES: &'static [&'static str] = &["all"];
    const SUBRESOURCES: &'static [Subresource] = workload::STATUS_ONLY;
    const HAS_GENERATION: bool = true;
    const ORPHANS_BY_DEFAULT: bool = true;
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Status", "string", 0).describe("Status of the job."),
        Column::new("Completions", "string", 0).describe("The number of pods which reached phase Succeeded."),
        Column::new("Duration", "string", 0).describe("Time required to complete the job."),
        Column::AGE,
        workload::CONTAINERS,
        workload::IMAGES,
        SELECTOR,
    ];
    const SAMPLE: &'static str = "\
apiVersion: batch/v1
kind: Job
metadata:
  name: pi
spec:
  completions: 3
  parallelism: 2
  backoffLimit: 4
  template:
    spec:
      containers:
      - name: pi
        image: busybox:1.36
        command: [sh, -c, \"echo 3.14159; sleep 5\"]
      restartPolicy: Never
";

    fn quantities(o: &mut Job, f: &mut dyn FnMut(&mut Quantity)) {
        if let Some(spec) = o.spec.as_mut().and_then(|s| s.template.spec.as_mut()) {
            pod::visit_quantities(spec, f);
        }
    }

    fn default(o: &mut Job) {
        let spec = o.spec.get_or_insert_default();
        default_spec(spec);
        default_counts(spec);
    }

    fn prepare_create(o: &mut Job) {
        o.status = Some(JobStatus::default());
        generate_selector(&o.metadata, o.spec.get_or_insert_default());
        label_as_template(o);
    }
    fn prepare_update(new: &mut Job, old: &Job) {
        new.status.clone_from(&old.status);
        label_as_template(new);
    }
    fn prepare_status(new: &mut Job, old: &Job) {
        new.spec.clone_from(&old.spec);
    }

    fn validate_create(o: &Job) -> Vec<FieldError> {
        validation::create(o)
    }
    fn validate_update(new: &Job, old: &Job) -> Vec<FieldError> {
        validation::update(new, old)
    }
    fn validate_status(new: &Job, old: &Job) -> Vec<FieldError> {
        status::validate(new, old)
    }

    fn warnings(o: &Job) -> Vec<String> {
        workload::warnings(&o.metadata, o.spec.as_ref().map(|s| &s.template))
    }

    fn cells(o: &Job, now: Time) -> Vec<Cell> {
        let (no_spec, no_status) = (JobSpec::default(), JobStatus::default());
        let (spec, status) = (o.spec.as_ref().unwrap_or(&no_spec), o.status.as_ref().unwrap_or(&no_status));
        let [names, images] = table::containers(workload::template_containers(Some(&spec.template)));
        let selector = spec.selector.as_ref().map_or_else(|| table::NONE.into(), table::selector);
        vec![
            table::name(&o.metadata),
            status_text(o).into(),
            completions_text(spec, status).into(),
            duration_text(status, now).into(),
            table::age(&o.metadata, now),
            names,
            images,
            selector,
        ]
    }

    fn fields(o: &Job) -> Vec<(&'static str, String)> {
        let successful = o.status.as_ref().and_then(|s| s.succeeded).unwrap_or(0);
        vec![("status.successful", successful.to_string())]
    }
}

pub(super) const SELECTOR: Column = Column::new("Selector", "string", 1).describe(
    "A label query over pods that should match the pod count. Normally, the system sets this field for you. More info: \
     https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors",
);

/// What is the same for a Job and for the template of one.
pub(super) fn default_spec(spec: &mut JobSpec) {
    pod::defaults::pod_spec(spec.template.spec.get_or_insert_default());
    for rule in spec.pod_failure_policy.iter_mut().flat_map(|p| &mut p.rules) {
        for pattern in rule.on_pod_conditions.iter_mut().flatten() {
            pod::defaults::set(&mut pattern.status, "True");
        }
    }
}

/// Models `SetDefaults_Job`.
fn default_counts(spec: &mut JobSpec) {
    if spec.completions.is_none() && spec.parallelism.is_none() {
        spec.completions = Some(1);
    }
    spec.parallelism.get_or_insert(1);
    let limit = if spec.backoff_limit_per_index.is_some() { i32::MAX } else { 6 };
    spec.backoff_limit.get_or_insert(limit);
    pod::defaults::set(&mut spec.completion_mode, "NonIndexed");
    spec.suspend.get_or_insert(false);
    let replacement = if spec.pod_failure_policy.is_some() { "Failed" } else { "TerminatingOrFailed" };
    spec.pod_replacement_policy.get_or_insert_with(|| replacement.into());
    spec.manual_selector.get_or_insert(false);
}

/// The labels that a Job's pods are found by. Models `generateSelectorIfNeeded`.
fn generate_selector(m: &ObjectMeta, spec: &mut JobSpec) {
    if spec.manual_selector == Some(true) {
        return;
    }
    let (uid, name) = (text(&m.uid), text(&m.name));
    let labels = spec.template.metadata.get_or_insert_default().labels.get_or_insert_default();
    for (key, value) in expected_labels(uid, name) {
        // What the user has set stands, and is refused.
        labels.entry(key.into()).or_insert_with(|| value.into());
    }
    let selected = spec.selector.get_or_insert_default().match_labels.get_or_insert_default();
    selected.entry(CONTROLLER_UID.into()).or_insert_with(|| uid.into());
}

/// Those of older versions first, in the order in which they are checked.
fn expected_labels<'a>(uid: &'a str, name: &'a str) -> [(&'static str, &'a str); 4] {
    [(LEGACY_CONTROLLER_UID, uid), (LEGACY_JOB_NAME, name), (CONTROLLER_UID, uid), (JOB_NAME, name)]
}

/// A Job without labels takes those of its template.
fn label_as_template(o: &mut Job) {
    if o.metadata.labels.as_ref().is_none_or(|l| l.is_empty()) {
        let template = o.spec.as_ref().and_then(|s| s.template.metadata.as_ref());
        o.metadata.labels = template.and_then(|m| m.labels.clone());
    }
}

/// A condition that is `True`.
pub fn has_condition(o: &Job, condition: &str) -> bool {
    let conditions = o.status.as_ref().and_then(|s| s.conditions.as_deref()).unwrap_or_default();
    conditions.iter().any(|c| c.type_ == condition && c.status == "True")
}

/// Complete or Failed. Models `IsJobFinished`.
pub fn is_finished(o: &Job) -> bool {
    has_condition(o, "Complete") || has_condition(o, "Failed")
}

fn status_text(o: &Job) -> &'static str {
    let terminating = o.metadata.deletion_timestamp.is_some();
    match () {
        () if has_condition(o, "Complete") => "Complete",
        () if has_condition(o, "Failed") => "Failed",
        () if terminating => "Terminating",
        () if has_condition(o, "Suspended") => "Suspended",
        () if has_condition(o, "FailureTarget") => "FailureTarget",
        () if has_condition(o, "SuccessCriteriaMet") => "SuccessCriteriaMet",
        () => "Running",
    }
}

fn completions_text(spec: &JobSpec, status: &JobStatus) -> String {
    let succeeded = status.succeeded.unwrap_or(0);
    match (spec.completions, spec.parallelism.unwrap_or(0)) {
        (Some(n), _) => format!("{succeeded}/{n}"),
        (None, parallelism) if parallelism > 1 => format!("{succeeded}/1 of {parallelism}"),
        (None, _) => format!("{succeeded}/1"),
    }
}

fn duration_text(status: &JobStatus, now: Time) -> String {
    let Some(start) = status.start_time.as_ref().map(Time::from_k8s) else { return String::new() };
    status.completion_time.as_ref().map_or(now, Time::from_k8s).since(start).human()
}

/// `0,3-5` as pairs of first and last, in order. Errors: in the words of `validateIndexesFormat`.
pub fn parse_indexes(list: &str, completions: i32) -> Result<Vec<(i32, i32)>, String> {
    let mut out: Vec<(i32, i32)> = Vec::new();
    let mut last: Option<i32> = None;
    for part in list.split(',').filter(|_| !list.is_empty()) {
        let limits: Vec<&str> = part.split('-').collect();
        if limits.len() > 2 {
            return Err(format!(
                "the fragment {part:?} violates the requirement that an index interval can have at most two parts \
                 separated by '-'"
            ));
        }
        let mut ends = Vec::new();
        for limit in limits {
            let n: i32 = limit.parse().map_err(|_| format!("cannot convert string to integer for index: {limit:?}"))?;
            if n >= completions {
                return Err(format!("too large index: {limit:?}"));
            }
            if let Some(l) = last.filter(|l| *l >= n) {
                return Err(format!("non-increasing order, previous: {l}, current: {n}"));
            }
            last = Some(n);
            ends.push(n);
        }
        if let (Some(first), Some(end)) = (ends.first(), ends.last()) {
            out.push((*first, *end));
        }
    }
    Ok(out)
}

fn required(spec: Option<&JobSpec>) -> JobSpec {
    spec.cloned().unwrap_or_default()
}

pub(super) fn spec_path() -> Path {
    Path::new("spec")
}
