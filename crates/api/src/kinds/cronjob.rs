//! CronJob. Models `pkg/registry/batch/cronjob`, `pkg/apis/batch/v1/defaults.go` and `pkg/apis/batch/validation`.

use super::{job, pod, register, workload};
use crate::cron::{self, Schedule};
use crate::registration::{Cell, Column, Registration, Subresource};
use crate::table;
use crate::validate::{nonnegative, text};
use k8s_openapi::api::batch::v1::{CronJob, CronJobSpec, CronJobStatus, JobSpec};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use meta::{FieldError, Path, Time};

/// A Job's name is the CronJob's and eleven characters more.
const MAX_NAME: usize = 52;
const MAX_ZONE_PART: usize = 14;

pub struct Reg;
register!(Reg, CronJob);

impl Registration for Reg {
    type Type = CronJob;
    const PLURAL: &'static str = "cronjobs";
    const SINGULAR: &'static str = "cronjob";
    const SHORT_NAMES: &'static [&'static str] = &["cj"];
    const CATEGORIES: &'static [&'static str] = &["all"];
    const SUBRESOURCES: &'static [Subresource] = workload::STATUS_ONLY;
    const HAS_GENERATION: bool = true;
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Schedule", "string", 0)
            .describe("The schedule in Cron format, see https://en.wikipedia.org/wiki/Cron."),
        Column::new("Timezone", "string", 0).describe(
            "The time zone name for the given schedule, see \
             https://en.wikipedia.org/wiki/List_of_tz_database_time_zones. If not specified, this will default to the \
             time zone of the kube-controller-manager process. The set of valid time zone names and the time zone \
             offset is loaded from the system-wide time zone database by the API server during CronJob validation and \
             the controller manager during execution. If no system-wide time zone database can be found a bundled \
             version of the database is used instead. If the time zone name becomes invalid during the lifetime of a \
             CronJob or due to a change in host configuration, the controller will stop creating new new Jobs and will \
             create a system event with the reason UnknownTimeZone. More information can be found in \
             https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#time-zones",
        ),
        Column::new("Suspend", "boolean", 0).describe(
            "This flag tells the controller to suspend subsequent executions, it does not apply to already started \
             executions.  Defaults to false.",
        ),
        Column::new("Active", "integer", 0).describe("A list of pointers to currently running jobs."),
        Column::new("Last Schedule", "string", 0)
            .describe("Information when was the last time the job was successfully scheduled."),
        Column::AGE,
        workload::CONTAINERS,
        workload::IMAGES,
        job::SELECTOR,
    ];
    const SAMPLE: &'static str = "\
apiVersion: batch/v1
kind: CronJob
metadata:
  name: hello
spec:
  schedule: \"* * * * *\"
  jobTemplate:
    spec:
      template:
        spec:
          containers:
          - name: hello
            image: busybox:1.28
            command: [sh, -c, \"date; echo Hello from the Kubernetes cluster\"]
          restartPolicy: OnFailure
";

    fn quantities(o: &mut CronJob, f: &mut dyn FnMut(&mut Quantity)) {
        let template = o.spec.as_mut().and_then(|s| s.job_template.spec.as_mut());
        if let Some(spec) = template.and_then(|s| s.template.spec.as_mut()) {
            pod::visit_quantities(spec, f);
        }
    }

    /// Models `SetDefaults_CronJob`.
    fn default(o: &mut CronJob) {
        let spec = o.spec.get_or_insert_default();
        pod::defaults::set(&mut spec.concurrency_policy, "Allow");
        spec.suspend.get_or_insert(false);
        spec.successful_jobs_history_limit.get_or_insert(3);
        spec.failed_jobs_history_limit.get_or_insert(1);
        job::default_spec(spec.job_template.spec.get_or_insert_default());
    }

    fn prepare_create(o: &mut CronJob) {
        o.status = Some(CronJobStatus::default());
    }
    fn prepare_update(new: &mut CronJob, old: &CronJob) {
        new.status.clone_from(&old.status);
    }
    fn prepare_status(new: &mut CronJob, old: &CronJob) {
        new.spec.clone_from(&old.spec);
    }

    fn validate_create(o: &CronJob) -> Vec<FieldError> {
        let mut errors = Vec::new();
        validate_spec(o, None, &mut errors);
        let name = text(&o.metadata.name);
        if name.len() > MAX_NAME {
            let at = Path::new("metadata").child("name");
            errors.push(FieldError::invalid(&at, name, format!("must be no more than {MAX_NAME} characters")));
        }
        errors
    }

    fn validate_update(new: &CronJob, old: &CronJob) -> Vec<FieldError> {
        let mut errors = Vec::new();
        validate_spec(new, old.spec.as_ref(), &mut errors);
        errors
    }

    fn warnings(o: &CronJob) -> Vec<String> {
        let template = o.spec.as_ref().and_then(|s| s.job_template.spec.as_ref()).map(|s| &s.template);
        let name = text(&o.metadata.name);
        let mut out: Vec<String> = pod::warnings::long_name(name, "Pod names and hostnames").into_iter().collect();
        let path = Path::new("spec").child("jobTemplate").child("spec").child("template");
        out.extend(workload::template_warnings(&path, template));
        out
    }

    fn cells(o: &CronJob, now: Time) -> Vec<Cell> {
        let (no_spec, no_status) = (CronJobSpec::default(), CronJobStatus::default());
        let (spec, status) = (o.spec.as_ref().unwrap_or(&no_spec), o.status.as_ref().unwrap_or(&no_status));
        let none = JobSpec::default();
        let template = spec.job_template.spec.as_ref().unwrap_or(&none);
        let [names, images] = table::containers(workload::template_containers(Some(&template.template)));
        let last = status.last_schedule_time.as_ref();
        let suspend = spec.suspend.map_or("<unset>", |s| if s { "True" } else { "False" });
        vec![
            table::name(&o.metadata),
            spec.schedule.clone().into(),
            spec.time_zone.clone().unwrap_or_else(|| table::NONE.into()).into(),
            suspend.into(),
            status.active.as_ref().map_or(0, Vec::len).into(),
            last.map_or_else(|| table::NONE.into(), |t| table::since(Some(t), now)).into(),
            table::age(&o.metadata, now),
            names,
            images,
            template.selector.as_ref().map_or_else(|| table::NONE.into(), table::selector),
        ]
    }
}

/// Models `validateCronJobSpec`.
fn validate_spec(o: &CronJob, old: Option<&CronJobSpec>, errors: &mut Vec<FieldError>) {
    let (none, path) = (CronJobSpec::default(), Path::new("spec"));
    let s = o.spec.as_ref().unwrap_or(&none);
    let at = path.child("schedule");
    if s.schedule.is_empty() {
        errors.push(FieldError::required(&at, ""));
    } else {
        validate_schedule(s, old.is_some_and(|o| o.schedule.contains("TZ")), &at, errors);
    }
    if let Some(n) = s.starting_deadline_seconds {
        nonnegative(&path.child("startingDeadlineSeconds"), n, errors);
    }
    if old.is_none_or(|o| o.time_zone != s.time_zone) {
        validate_zone(s.time_zone.as_deref(), &path.child("timeZone"), errors);
    }
    let at = path.child("concurrencyPolicy");
    match text(&s.concurrency_policy) {
        "" => errors.push(FieldError::required(&at, "")),
        "Allow" | "Forbid" | "Replace" => {}
        other => errors.push(FieldError::not_supported(&at, other, &["Allow", "Forbid", "Replace"])),
    }
    let at = path.child("jobTemplate").child("spec");
    let none = JobSpec::default();
    let template = s.job_template.spec.as_ref().unwrap_or(&none);
    job::validation::common(template, &at, errors);
    if let Some(selector) = &template.selector {
        let mut e = FieldError::invalid(&at.child("selector"), "", "`selector` will be auto-generated");
        e.value = workload::selector_json(selector);
        errors.push(e);
    }
    if template.manual_selector == Some(true) {
        errors.push(FieldError::not_supported(&at.child("manualSelector"), true, &["nil", "false"]));
    }
    for (field, n) in [
        ("successfulJobsHistoryLimit", s.successful_jobs_history_limit),
        ("failedJobsHistoryLimit", s.failed_jobs_history_limit),
    ] {
        if let Some(n) = n {
            nonnegative(&path.child(field), n.into(), errors);
        }
    }
}

/// Models `validateScheduleFormat`.
fn validate_schedule(s: &CronJobSpec, zone_allowed: bool, path: &Path, errors: &mut Vec<FieldError>) {
    let schedule = s.schedule.as_str();
    if let Err(e) = Schedule::parse(schedule) {
        errors.push(FieldError::invalid(path, schedule, e));
    }
    if !schedule.contains("TZ") {
        return;
    }
    if !zone_allowed {
        let why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
        errors.push(FieldError::invalid(path, schedule, why));
    } else if s.time_zone.is_some() {
        let why = "cannot use both timeZone field and TZ or CRON_TZ in schedule";
        errors.push(FieldError::invalid(path, schedule, why));
    }
}

/// Models `validateTimeZone`.
fn validate_zone(zone: Option<&str>, path: &Path, errors: &mut Vec<FieldError>) {
    let Some(zone) = zone else { return };
    if zone.is_empty() {
        errors.push(FieldError::invalid(path, zone, "timeZone must be nil or non-empty string"));
        return;
    }
    let good = |part: &str| {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b".-_+".contains(&b);
        !matches!(part, "" | "." | "..")
            && !part.starts_with('-')
            && part.len() <= MAX_ZONE_PART
            && part.bytes().all(allowed)
    };
    if !zone.split('/').all(good) {
        errors.push(FieldError::invalid(path, zone, format!("unknown time zone {zone}")));
        return;
    }
    if zone.eq_ignore_ascii_case("Local") {
        let why = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
        errors.push(FieldError::invalid(path, zone, why));
    }
    // Go knows this one: the machine's own.
    if zone != "Local"
        && let Err(e) = cron::zone(zone)
    {
        errors.push(FieldError::invalid(path, zone, e));
    }
}
